#include "bench/rings/clock.hpp"

#include <algorithm>

#include "common/base/error.hpp"
#include "common/base/tsc.hpp"

namespace sluice::bench {
namespace {

constexpr std::uint64_t kCalibrateNs = 50'000'000;
constexpr int kTickReadings = 10'000;

Tsc calibrate() {
  if (calibrate_clock().mult == 0)
    throw Error(ExitCode::kResource,
                "bench rings: the TSC of this machine is not invariant; run "
                "the suite on one where it is");
  Tsc tsc;
  const std::uint64_t wall = clock_monotonic_ns();
  const std::uint64_t cycles = __rdtsc();
  while (clock_monotonic_ns() - wall < kCalibrateNs) {
  }
  const std::uint64_t wall_end = clock_monotonic_ns();
  const std::uint64_t cycles_end = __rdtsc();
  tsc.ns_per_cycle =
      static_cast<double>(wall_end - wall) / static_cast<double>(cycles_end - cycles);
  tsc.tick = ~std::uint64_t{0};
  std::uint64_t last = __rdtsc();
  for (int i = 0; i < kTickReadings; ++i) {
    const std::uint64_t now = ticks_after();
    if (now != last)
      tsc.tick = std::min(tsc.tick, now - last);
    last = now;
  }
  return tsc;
}

}  // namespace

const Tsc& tsc() {
  static const Tsc calibrated = calibrate();
  return calibrated;
}

}  // namespace sluice::bench
