// RateWindow: at most `limit` takes in any window, decided in constant time from the stamps of the
// last `limit` takes. One thread; allocates at construction only.
#pragma once

#include <vector>

#include "common/base/time.hpp"

namespace sluice {

class RateWindow {
 public:
  // limit 0: nothing is ever allowed.
  RateWindow(std::uint32_t limit, std::int64_t window_ns)
      : stamps_(limit == 0 ? 1 : limit, kNever), limit_(limit), window_ns_(window_ns) {}

  // True when one more take now, with `reserve` further ones left untouched, stays within the
  // limit: the take that would be the (limit - reserve)-th newest must have left the window.
  [[nodiscard]] bool has_room(MonoNanos now, std::uint32_t reserve = 0) const noexcept {
    if (reserve >= limit_) {
      return false;
    }
    const std::size_t back = limit_ - reserve;
    const std::int64_t stamp = stamps_[(next_ + stamps_.size() - back) % stamps_.size()];
    return stamp == kNever || now.ns - stamp >= window_ns_;
  }
  // Counts a take, allowed or not: a cancel is never refused for rate, but it uses the venue's
  // budget.
  void take(MonoNanos now) noexcept {
    stamps_[next_] = now.ns;
    next_ = (next_ + 1) % stamps_.size();
  }

 private:
  static constexpr std::int64_t kNever = INT64_MIN;

  std::vector<std::int64_t> stamps_;
  std::uint32_t limit_;
  std::int64_t window_ns_;
  std::size_t next_{0};
};

}  // namespace sluice
