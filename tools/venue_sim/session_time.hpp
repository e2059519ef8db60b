// session_time.hpp — venue time and the recorded time it stands for.
//
// Pure. The market's hours are those of the recorded day: opg, cls, day orders and the clock are
// judged in session time and told in venue time, so a run across real midnight is the same run.
#pragma once

#include <cstdint>

#include "common/base/time.hpp"

namespace sluice::sim {

class SessionTime {
 public:
  virtual ~SessionTime() = default;
  // The recorded time that venue time `at` stands for, nanoseconds since the epoch.
  [[nodiscard]] virtual std::int64_t session_ns(WallNanos at) const = 0;
  // When it is `session_ns` at the venue, as seen at `now`. Where the socket sets the pace nobody
  // knows, and the answer is what is left, at speed 1.
  [[nodiscard]] virtual WallNanos venue_time(std::int64_t session_ns, WallNanos now) const = 0;
};

// Venue time is the recorded time: for a venue without a recording.
class SameTime final : public SessionTime {
 public:
  [[nodiscard]] std::int64_t session_ns(WallNanos at) const override { return at.ns; }
  [[nodiscard]] WallNanos venue_time(std::int64_t session_ns, WallNanos) const override {
    return {session_ns};
  }
};

class Timeline;
class Player;

// The time of a played session. Before its start it stands still.
class PlayedTime final : public SessionTime {
 public:
  // Both must outlive it.
  PlayedTime(const Timeline& timeline, const Player& player) noexcept
      : timeline_(timeline), player_(player) {}

  [[nodiscard]] std::int64_t session_ns(WallNanos at) const override;
  [[nodiscard]] WallNanos venue_time(std::int64_t session_ns, WallNanos now) const override;

 private:
  const Timeline& timeline_;
  const Player& player_;
};

}  // namespace sluice::sim
