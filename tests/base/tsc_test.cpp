// The conversion of TSC readings, and the calibration against the kernel's clocks.
#include "common/base/tsc.hpp"

#include <gtest/gtest.h>

namespace sluice {
namespace {

constexpr ClockCalibration kTwoGigahertz{
    .tsc_base = 1'000,
    .utc_base_ns = 5'000,
    .mult = std::uint64_t{1} << 31,  // half a nanosecond per tick
    .shift = 32,
    .reserved = 0};

TEST(MonoAt, ScalesTicksFromTheAnchor) {
  EXPECT_EQ(mono_at(kTwoGigahertz, 1'000).ns, 5'000);
  EXPECT_EQ(mono_at(kTwoGigahertz, 1'002).ns, 5'001);
  EXPECT_EQ(mono_at(kTwoGigahertz, 3'000).ns, 6'000);
}

TEST(MonoAt, AReadingBeforeTheAnchorIsEarlierNotHuge) {
  EXPECT_EQ(mono_at(kTwoGigahertz, 998).ns, 4'999);
  EXPECT_EQ(mono_at(kTwoGigahertz, 0).ns, 4'500);
}

TEST(MonoAt, TenYearsOfTicksDoNotOverflow) {
  constexpr std::uint64_t kTenYearsNs = 315'360'000ULL * 1'000'000'000ULL;
  EXPECT_EQ(mono_at(kTwoGigahertz, 1'000 + 2 * kTenYearsNs).ns,
            5'000 + static_cast<std::int64_t>(kTenYearsNs));
}

TEST(MonoAt, WithoutAnInvariantTscReadingsAreNanoseconds) {
  constexpr ClockCalibration kFallback{
      .tsc_base = 700, .utc_base_ns = 1'000'000, .mult = 0, .shift = 0, .reserved = 0};
  EXPECT_EQ(mono_at(kFallback, 750).ns, 1'000'050);
}

TEST(MonoNow, WithoutAnInvariantTscFollowsTheKernelClock) {
  const ClockCalibration fallback{
      .tsc_base = clock_monotonic_ns(), .utc_base_ns = 0, .mult = 0, .shift = 0, .reserved = 0};
  const MonoNanos now = mono_now(fallback);
  const std::uint64_t after = clock_monotonic_ns();
  EXPECT_GE(now.ns, 0);
  EXPECT_LE(now.ns, static_cast<std::int64_t>(after - fallback.tsc_base));
}

TEST(CalibrateClock, AnchorsToUtc) {
  const ClockCalibration clock = calibrate_clock();
  // Our reading is bracketed by the kernel's, so a preempted thread widens the bracket and nothing
  // else.
  constexpr std::int64_t kToleranceNs = 1'000'000;
  const WallNanos before = wall_now();
  const MonoNanos now = mono_now(clock);
  const WallNanos after = wall_now();
  EXPECT_GE(now.ns, before.ns - kToleranceNs);
  EXPECT_LE(now.ns, after.ns + kToleranceNs);
}

TEST(CalibrateClock, RunsAtTheRateOfTheKernelClock) {
  const ClockCalibration clock = calibrate_clock();
  const std::uint64_t outer_start = clock_monotonic_ns();
  const MonoNanos start = mono_now(clock);
  const std::uint64_t inner_start = clock_monotonic_ns();
  while (clock_monotonic_ns() - inner_start < 50'000'000) {
  }
  const std::uint64_t inner_end = clock_monotonic_ns();
  const MonoNanos end = mono_now(clock);
  const std::uint64_t outer_end = clock_monotonic_ns();
  const auto elapsed = static_cast<double>(end.ns - start.ns);
  constexpr double kRate =
      1e-3;  // far above what the measurement gives, far below a wrong frequency
  EXPECT_GE(elapsed, static_cast<double>(inner_end - inner_start) * (1 - kRate));
  EXPECT_LE(elapsed, static_cast<double>(outer_end - outer_start) * (1 + kRate));
}

TEST(MonoNow, NeverRunsBackwardsOnOneThread) {
  const ClockCalibration clock = calibrate_clock();
  MonoNanos last = mono_now(clock);
  for (int i = 0; i < 100'000; ++i) {
    const MonoNanos now = mono_now(clock);
    ASSERT_GE(now, last);
    last = now;
  }
}

}  // namespace
}  // namespace sluice
