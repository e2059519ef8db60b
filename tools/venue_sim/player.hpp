// player.hpp — plays a recorded session into the venue and to a sink, each record when it is due;
// for load, several times over.
//
// Pure: told the time, never asks for it. Invariants:
//  1. Records are played in file order, none before it is due, none twice.
//  2. Before a record is applied, the venue has done everything that was due before it: an order is
//     matched against the market as of its own time however late the simulator runs.
//  3. Repeated, the session goes on as one: each time starts kSeamNs after the last record of the
//     time before, and ids go on behind the largest, so neither times nor ids ever come again.
//  4. What the timeline places before its start is history: it is played at the start, at once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "common/market/session.hpp"
#include "tools/venue_sim/stamp_marks.hpp"
#include "tools/venue_sim/timeline.hpp"
#include "tools/venue_sim/venue.hpp"

namespace sluice::sim {

// Who hears the market: the market data stream.
class MarketSink {
 public:
  virtual ~MarketSink() = default;
  // `stamp` is what the message carries as its time.
  virtual void on_record(const SessionRecord& record, WallNanos stamp) = 0;
};

inline constexpr std::int64_t kSeamNs = kNanosPerMilli;
inline constexpr std::size_t kRepeatMax = 10'000;

// send_ns of the last record when `session` is played `repeat` times.
[[nodiscard]] std::int64_t last_send_ns(const Session& session, std::size_t repeat) noexcept;

class Player {
 public:
  // All must outlive the player. `repeat`: 1 to kRepeatMax.
  Player(const Session& session, const Timeline& timeline, Venue& venue,
         std::size_t repeat = 1) noexcept;

  // Plays what is due at `now`, at most `limit` records; returns how many.
  std::size_t play(WallNanos now, std::size_t limit, MarketSink& sink);

  // When the next record is due; nothing at the end, or when the socket sets the pace.
  [[nodiscard]] std::optional<WallNanos> next_due() const noexcept;
  [[nodiscard]] bool ended() const noexcept { return played_ == total(); }
  [[nodiscard]] std::size_t played() const noexcept { return played_; }
  [[nodiscard]] std::size_t total() const noexcept { return session_.records.size() * repeat_; }
  // The record of this index over all repetitions, and the stamp it was told with.
  struct Past {
    SessionRecord record;
    WallNanos stamp;
  };
  [[nodiscard]] Past past(std::size_t index) const noexcept;
  // Played records by SessionKind; index 0 is unused.
  [[nodiscard]] const std::array<std::uint64_t, 5>& by_kind() const noexcept { return by_kind_; }
  // Session time of the last played record.
  [[nodiscard]] std::int64_t session_now() const noexcept {
    return played_ == 0 ? session_.first_send_ns() : session_now_;
  }

 private:
  // The next record, shifted to its repetition.
  [[nodiscard]] SessionRecord next() const noexcept;
  void advance() noexcept;
  void apply(WallNanos at, const SessionRecord& record);

  const Session& session_;
  const Timeline& timeline_;
  Venue& venue_;
  const std::size_t repeat_;
  const std::int64_t period_ns_;  // from one repetition to the next
  const std::uint64_t id_span_;
  std::size_t next_{0};  // index in the session
  std::int64_t shift_ns_{0};
  std::uint64_t shift_id_{0};
  std::size_t played_{0};
  StampMarks stamps_;  // only when the socket sets the pace
  std::int64_t session_now_{0};
  bool in_snapshot_{false};  // the last depth record was inside an unfinished snapshot event
  std::array<std::uint64_t, 5> by_kind_{};
};

}  // namespace sluice::sim
