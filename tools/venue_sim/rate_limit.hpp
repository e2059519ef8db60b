// rate_limit.hpp — the venue's request budget: so many per minute of the clock, and the headers.
//
// Pure: told the time.
#pragma once

#include <cstdint>

#include "common/base/time.hpp"

namespace sluice::sim {

class RateLimit {
 public:
  explicit RateLimit(std::uint32_t per_minute) noexcept : per_minute_(per_minute) {}

  // False: the minute's budget is used up (429). A refused request costs nothing.
  [[nodiscard]] bool try_take(WallNanos now) noexcept {
    const std::int64_t minute = now.ns / kMinuteNs;
    if (minute != minute_) {
      minute_ = minute;
      used_ = 0;
    }
    if (used_ >= per_minute_) {
      return false;
    }
    ++used_;
    return true;
  }

  [[nodiscard]] std::uint32_t limit() const noexcept { return per_minute_; }
  [[nodiscard]] std::uint32_t remaining() const noexcept { return per_minute_ - used_; }
  // Unix seconds at which the budget is whole again.
  [[nodiscard]] std::int64_t reset_s() const noexcept { return (minute_ + 1) * 60; }

 private:
  static constexpr std::int64_t kMinuteNs = 60 * kNanosPerSecond;
  std::uint32_t per_minute_;
  std::uint32_t used_{0};
  std::int64_t minute_{0};
};

}  // namespace sluice::sim
