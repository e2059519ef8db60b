// timeline.hpp — session time and venue time: rebased to now, scaled by the speed.
//
// Pure. venue = t0 + (session − first_send) / speed, rounded half to even to the nanosecond; the
// map is monotone, so a stamp that was not later than its send stays so. At speed "max" there is no
// map: stamps are the send time, and latencies are zero.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/base/time.hpp"

namespace sluice::sim {

struct Speed {
  std::int64_t raw{0};  // 1e-9; 0 = as fast as the socket takes it
  [[nodiscard]] bool max() const noexcept { return raw == 0; }
};

// "6", "0.5" or "max"; throws Error(kUsage) for anything else. Range 0.001 … 10000.
[[nodiscard]] Speed parse_speed(std::string_view text);

class Timeline {
 public:
  Timeline(std::int64_t first_send_ns, std::int64_t last_send_ns, Speed speed) noexcept
      : first_send_ns_(first_send_ns), last_send_ns_(last_send_ns), speed_(speed) {}

  void start(WallNanos t0) noexcept {
    t0_ = t0;
    started_ = true;
  }
  [[nodiscard]] bool started() const noexcept { return started_; }
  [[nodiscard]] bool paced() const noexcept { return !speed_.max(); }
  [[nodiscard]] Speed speed() const noexcept { return speed_; }
  [[nodiscard]] WallNanos t0() const noexcept { return t0_; }
  [[nodiscard]] std::int64_t first_send_ns() const noexcept { return first_send_ns_; }

  // Only when started and paced.
  [[nodiscard]] WallNanos venue_time(std::int64_t session_ns) const noexcept;
  [[nodiscard]] std::int64_t session_time(WallNanos at) const noexcept;
  [[nodiscard]] WallNanos session_end() const noexcept { return venue_time(last_send_ns_); }

  // A length of session time as venue time; zero at "max".
  [[nodiscard]] std::int64_t scaled(std::int64_t session_duration_ns) const noexcept;

 private:
  std::int64_t first_send_ns_;
  std::int64_t last_send_ns_;
  Speed speed_;
  WallNanos t0_{};
  bool started_{false};
};

}  // namespace sluice::sim
