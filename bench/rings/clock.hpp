// Time for round trips of a hundred nanoseconds: the TSC, read as it is.
//
// On some machines the TSC moves in steps (26 cycles, 10 ns, on the EPYC of bench/README.md), which
// is a tenth of what is measured here. tick() measures the step; statistics.hpp spreads the
// readings of one step over its width, so that percentiles do not jump by it.
#pragma once

#include <x86intrin.h>

#include <cstdint>

namespace sluice::bench {

// Before what is measured: the store that follows cannot be seen before this has retired.
[[nodiscard]] inline std::uint64_t ticks_before() noexcept {
  return std::uint64_t{__rdtsc()};
}
// After what is measured: lfence waits for the load that ended it.
[[nodiscard]] inline std::uint64_t ticks_after() noexcept {
  _mm_lfence();
  return std::uint64_t{__rdtsc()};
}

inline void relax(unsigned pauses) noexcept {
  for (unsigned i = 0; i < pauses; ++i)
    __builtin_ia32_pause();
}

struct Tsc {
  double ns_per_cycle{0};
  std::uint64_t tick{1};  // the smallest step between two readings, in cycles

  [[nodiscard]] double ns(double cycles) const noexcept { return cycles * ns_per_cycle; }
  [[nodiscard]] double ns(std::uint64_t cycles) const noexcept {
    return static_cast<double>(cycles) * ns_per_cycle;
  }
};

// Calibrated once, against CLOCK_MONOTONIC, at the first call. Throws Error{kResource} when the
// machine's TSC is not invariant: nothing here could be trusted.
[[nodiscard]] const Tsc& tsc();

}  // namespace sluice::bench
