// Time, as the collector reckons with it: ages, and how far back rates and last-second spreads
// look.
#pragma once

#include <deque>
#include <limits>

#include "common/base/time.hpp"

namespace sluice::top {

// The stamp comes from shared memory: any number may stand there.
[[nodiscard]] inline std::int64_t age_ns(MonoNanos now, MonoNanos then) noexcept {
  std::int64_t age = 0;
  if (__builtin_sub_overflow(now.ns, then.ns, &age))
    return then.ns < 0 ? std::numeric_limits<std::int64_t>::max() : 0;
  return age;
}

// Samples are taken on time or a little late: one that is nearly a second old is old enough.
inline constexpr std::int64_t kWindowNs = kNanosPerSecond * 95 / 100;

// Drops what is older than the window needs: afterwards the first sample is the youngest that is
// not younger than `from`, or the oldest there is.
template <class Sample>
void keep_window(std::deque<Sample>& samples, MonoNanos from) {
  while (samples.size() > 1 && samples[1].at <= from)
    samples.pop_front();
}

}  // namespace sluice::top
