// player.hpp — plays a recorded session into the venue and to a sink, each record when it is due.
//
// Pure: told the time, never asks for it. Invariants:
//  1. Records are played in file order, none before it is due, none twice.
//  2. Before a record is applied, the venue has done everything that was due before it: an order is
//     matched against the market as of its own time however late the simulator runs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "common/market/session.hpp"
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

class Player {
 public:
  // All must outlive the player.
  Player(const Session& session, const Timeline& timeline, Venue& venue) noexcept
      : session_(session), timeline_(timeline), venue_(venue) {}

  // Plays what is due at `now`, at most `limit` records; returns how many.
  std::size_t play(WallNanos now, std::size_t limit, MarketSink& sink);

  // When the next record is due; nothing at the end, or when the socket sets the pace.
  [[nodiscard]] std::optional<WallNanos> next_due() const noexcept;
  [[nodiscard]] bool ended() const noexcept { return next_ == session_.records.size(); }
  [[nodiscard]] std::size_t played() const noexcept { return next_; }
  [[nodiscard]] std::size_t total() const noexcept { return session_.records.size(); }
  // Played records by SessionKind; index 0 is unused.
  [[nodiscard]] const std::array<std::uint64_t, 5>& by_kind() const noexcept { return by_kind_; }
  // Session time of the last played record.
  [[nodiscard]] std::int64_t session_now() const noexcept;

 private:
  void apply(WallNanos at, const SessionRecord& record);

  const Session& session_;
  const Timeline& timeline_;
  Venue& venue_;
  std::size_t next_{0};
  bool in_snapshot_{false};  // the last depth record was inside an unfinished snapshot event
  std::array<std::uint64_t, 5> by_kind_{};
};

}  // namespace sluice::sim
