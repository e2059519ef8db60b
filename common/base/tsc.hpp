// Our own clock: the TSC, converted by one calibration that every process of an instance shares.
//
// calibrate_clock runs once, in the process that creates the control segment; everybody else reads
// the result from there, so that stamps of different processes compare to the nanosecond of their
// common scale.
// 1. mono_now makes no syscall while mult != 0, and never steps.
// 2. Its rate is the one measured at calibration (a few parts per million): long runs drift against
// UTC, not against
//    each other.
#pragma once

#include <time.h>
#include <x86intrin.h>

#include <cstdint>

#include "common/base/schema.hpp"
#include "common/base/time.hpp"

namespace sluice {

// ns = utc_base_ns + (((tsc - tsc_base) * mult) >> shift), in 128 bits. mult == 0: the machine's
// TSC is not invariant; tsc_base then counts CLOCK_MONOTONIC nanoseconds, one to one.
struct ClockCalibration {
  std::uint64_t tsc_base;
  std::int64_t utc_base_ns;
  std::uint64_t mult;
  std::uint32_t shift;
  std::uint32_t reserved;
};
SLUICE_SCHEMA(ClockCalibration, tsc_base, utc_base_ns, mult, shift, reserved);

// Measures the TSC against CLOCK_MONOTONIC for about 20 ms and anchors it to CLOCK_REALTIME.
// Start-up only.
[[nodiscard]] ClockCalibration calibrate_clock();

// Time of a TSC reading (or of a CLOCK_MONOTONIC reading when mult == 0). Readings before tsc_base
// give earlier times.
[[nodiscard]] inline MonoNanos mono_at(const ClockCalibration& clock,
                                       std::uint64_t reading) noexcept {
  __extension__ using Int128 = __int128;
  const auto elapsed = static_cast<std::int64_t>(reading - clock.tsc_base);
  const Int128 ns = clock.mult == 0
                        ? Int128{elapsed}
                        : (Int128{elapsed} * static_cast<std::int64_t>(clock.mult)) >> clock.shift;
  // Modulo 2^64: the calibration stands in a file, and no number in it may be undefined behaviour.
  return {static_cast<std::int64_t>(static_cast<std::uint64_t>(clock.utc_base_ns) +
                                    static_cast<std::uint64_t>(ns))};
}

[[nodiscard]] inline std::uint64_t clock_monotonic_ns() noexcept {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * static_cast<std::uint64_t>(kNanosPerSecond) +
         static_cast<std::uint64_t>(now.tv_nsec);
}

[[nodiscard]] inline MonoNanos mono_now(const ClockCalibration& clock) noexcept {
  return mono_at(clock, clock.mult != 0 ? __rdtsc() : clock_monotonic_ns());
}

}  // namespace sluice
