// RFC 3339 in and out: every fraction length, offsets, calendar edges, and what must be refused.
#include "common/base/time.hpp"

#include <gtest/gtest.h>

#include <ctime>
#include <limits>
#include <random>
#include <string>

namespace sluice {
namespace {

constexpr std::int64_t kUntouched = 0x5eed;

void expect_time(const std::string& text, std::int64_t ns) {
  WallNanos time{kUntouched};
  EXPECT_TRUE(parse_rfc3339(text, time)) << text;
  EXPECT_EQ(time.ns, ns) << text;
}

void expect_refused(const std::string& text) {
  WallNanos time{kUntouched};
  EXPECT_FALSE(parse_rfc3339(text, time)) << '"' << text << '"';
  EXPECT_EQ(time.ns, kUntouched) << "a refused text must not write: " << text;
}

constexpr std::int64_t kSessionStart = 1'723'161'253 * kNanosPerSecond;  // 2024-08-08T23:54:13Z

TEST(ParseRfc3339, ReadsEveryFractionLengthFromNoneToNine) {
  expect_time("2024-08-08T23:54:13Z", kSessionStart);
  std::string digits;
  std::int64_t nanos = 0;
  std::int64_t unit = kNanosPerSecond;
  for (int digit = 1; digit <= 9; ++digit) {
    digits += static_cast<char>('0' + digit);
    unit /= 10;
    nanos += digit * unit;
    expect_time("2024-08-08T23:54:13." + digits + "Z", kSessionStart + nanos);
  }
}

TEST(ParseRfc3339, RefusesATenthFractionDigitInsteadOfRounding) {
  expect_refused("2024-08-08T23:54:13.1234567890Z");
  expect_refused("2024-08-08T23:54:13.0000000001Z");
}

TEST(ParseRfc3339, AppliesOffsetsToUtc) {
  expect_time("2024-08-08T19:54:13-04:00", kSessionStart);
  expect_time("2024-08-09T05:24:13+05:30", kSessionStart);
  expect_time("2024-08-08T23:54:13+00:00", kSessionStart);
  expect_time("2024-08-08T23:54:13-00:00", kSessionStart);
  expect_time("1970-01-01T00:00:00.5+00:01", -60 * kNanosPerSecond + kNanosPerSecond / 2);
}

TEST(ParseRfc3339, AcceptsLowerCaseLetters) {
  expect_time("2024-08-08t23:54:13z", kSessionStart);
}

TEST(ParseRfc3339, KnowsTheGregorianLeapYears) {
  expect_time("2024-02-29T00:00:00Z", 1'709'164'800 * kNanosPerSecond);
  expect_time("2000-02-29T00:00:00Z", 951'782'400 * kNanosPerSecond);
  expect_refused("2023-02-29T00:00:00Z");
  expect_refused("2100-02-29T00:00:00Z");
  expect_refused("1900-02-29T00:00:00Z");
}

TEST(ParseRfc3339, RefusesDatesAndTimesThatDoNotExist) {
  for (const char* text : {"2024-00-01T00:00:00Z", "2024-13-01T00:00:00Z", "2024-01-00T00:00:00Z",
                           "2024-01-32T00:00:00Z", "2024-04-31T00:00:00Z", "2024-01-01T24:00:00Z",
                           "2024-01-01T00:60:00Z", "2024-01-01T00:00:60Z", "2016-12-31T23:59:60Z",
                           "2024-01-01T00:00:00+24:00", "2024-01-01T00:00:00+00:60"}) {
    expect_refused(text);
  }
}

TEST(ParseRfc3339, RefusesOtherShapes) {
  for (const char* text :
       {"", "2024", "2024-08-08", "2024-08-08T23:54Z", "2024-08-08T23:54:13",
        "2024-08-08 23:54:13Z", "2024-08-08T23:54:13.Z", "2024-08-08T23:54:13,5Z",
        "2024-8-8T23:54:13Z", "2024-08-08T23:54:13+0000", "2024-08-08T23:54:13+00",
        "2024-08-08T23:54:13Zx", " 2024-08-08T23:54:13Z", "2024-08-08T23:54:13 Z",
        "-024-08-08T23:54:13Z", "2024-08-08T2\xc2\xb2:54:13Z", "+2024-08-08T23:54:13Z",
        "1723161253"}) {
    expect_refused(text);
  }
}

TEST(ParseRfc3339, ReachesBothEndsOfTheRangeAndNothingPastThem) {
  expect_time("2262-04-11T23:47:16.854775807Z", std::numeric_limits<std::int64_t>::max());
  expect_refused("2262-04-11T23:47:16.854775808Z");
  expect_time("1677-09-21T00:12:43.145224192Z", std::numeric_limits<std::int64_t>::min());
  expect_refused("1677-09-21T00:12:43.145224191Z");
  expect_refused("0000-01-01T00:00:00Z");
  expect_refused("9999-12-31T23:59:59Z");
}

TEST(FormatRfc3339, TrimsTheFraction) {
  EXPECT_EQ(to_string(WallNanos{kSessionStart}), "2024-08-08T23:54:13Z");
  EXPECT_EQ(to_string(WallNanos{kSessionStart + 1}), "2024-08-08T23:54:13.000000001Z");
  EXPECT_EQ(to_string(WallNanos{kSessionStart + 500'000'000}), "2024-08-08T23:54:13.5Z");
  EXPECT_EQ(to_string(WallNanos{0}), "1970-01-01T00:00:00Z");
  EXPECT_EQ(to_string(MonoNanos{kSessionStart}), "2024-08-08T23:54:13Z");
}

TEST(FormatRfc3339, WritesTimesBefore1970) {
  EXPECT_EQ(to_string(WallNanos{-1}), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(to_string(WallNanos{std::numeric_limits<std::int64_t>::min()}),
            "1677-09-21T00:12:43.145224192Z");
}

TEST(FormatRfc3339, RandomTimesComeBackFromTheirText) {
  std::mt19937_64 random(3339);
  for (int i = 0; i < 20'000; ++i) {
    const auto ns = static_cast<std::int64_t>(random());
    const std::string text = to_string(WallNanos{ns});
    ASSERT_LE(text.size(), 30U);
    expect_time(text, ns);
  }
}

// The C library as an independent calendar: one instant of every day from 1678 to 2261.
TEST(FormatRfc3339, AgreesWithTheLibraryCalendarOnEveryDay) {
  for (std::int64_t day = -106'500; day <= 106'500; ++day) {
    const std::time_t seconds = day * 86'400 + 43'210;
    std::tm parts{};
    ASSERT_NE(gmtime_r(&seconds, &parts), nullptr);
    std::array<char, 32> expected;
    const std::size_t length =
        std::strftime(expected.data(), expected.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    ASSERT_EQ(to_string(WallNanos{seconds * kNanosPerSecond}),
              std::string(expected.data(), length));
  }
}

TEST(WallNow, IsAfterThisWasWritten) {
  WallNanos written;
  ASSERT_TRUE(parse_rfc3339("2024-01-01T00:00:00Z", written));
  EXPECT_GT(wall_now(), written);
}

}  // namespace
}  // namespace sluice
