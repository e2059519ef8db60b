#include "common/base/tsc.hpp"

#include <cpuid.h>

#include <limits>

namespace sluice {
namespace {

constexpr std::uint64_t kMeasureNs = 20'000'000;
constexpr std::uint32_t kShift = 32;

// CPUID 0x80000007, EDX bit 8: the TSC runs at a constant rate in all power states (Intel
// SDM 17.17.1).
bool has_invariant_tsc() noexcept {
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  return __get_cpuid(0x8000'0007U, &eax, &ebx, &ecx, &edx) != 0 && (edx & (1U << 8)) != 0;
}

struct Pair {
  std::uint64_t tsc;
  std::int64_t ns;
};

std::int64_t read_clock(clockid_t id) noexcept {
  timespec now{};
  clock_gettime(id, &now);
  return std::int64_t{now.tv_sec} * kNanosPerSecond + now.tv_nsec;
}

// Both clocks at one instant. Of several tries the one with the narrowest TSC bracket wins: in the
// others the thread was interrupted between the readings.
Pair read_pair(clockid_t id) noexcept {
  Pair best{};
  std::uint64_t narrowest = std::numeric_limits<std::uint64_t>::max();
  for (int i = 0; i < 64; ++i) {
    const std::uint64_t before = __rdtsc();
    const std::int64_t ns = read_clock(id);
    const std::uint64_t after = __rdtsc();
    if (after - before < narrowest) {
      narrowest = after - before;
      best = {before + narrowest / 2, ns};
    }
  }
  return best;
}

}  // namespace

ClockCalibration calibrate_clock() {
  if (!has_invariant_tsc()) {
    const std::int64_t utc = read_clock(CLOCK_REALTIME);
    return {
        .tsc_base = clock_monotonic_ns(), .utc_base_ns = utc, .mult = 0, .shift = 0, .reserved = 0};
  }
  const Pair first = read_pair(CLOCK_MONOTONIC);
  Pair last = first;
  while (last.ns - first.ns < static_cast<std::int64_t>(kMeasureNs)) {
    last = read_pair(CLOCK_MONOTONIC);
  }
  __extension__ using UInt128 = unsigned __int128;
  const UInt128 scaled = UInt128{static_cast<std::uint64_t>(last.ns - first.ns)} << kShift;
  const auto mult = static_cast<std::uint64_t>(scaled / (last.tsc - first.tsc));
  const Pair anchor = read_pair(CLOCK_REALTIME);
  return {.tsc_base = anchor.tsc,
          .utc_base_ns = anchor.ns,
          .mult = mult,
          .shift = kShift,
          .reserved = 0};
}

}  // namespace sluice
