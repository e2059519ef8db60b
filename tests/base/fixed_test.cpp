// Decimals in and out, and the arithmetic of money, at and beyond their limits.
#include "common/base/fixed.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace sluice {
namespace {

__extension__ using Int128 = __int128;

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kUntouched = 0x5eed;

void expect_parses(const std::string& text, std::int64_t expected) {
  std::int64_t raw = kUntouched;
  EXPECT_EQ(parse_decimal(text, raw), DecimalStatus::kOk) << '"' << text << '"';
  EXPECT_EQ(raw, expected) << '"' << text << '"';
}

void expect_refused(const std::string& text, DecimalStatus expected) {
  std::int64_t raw = kUntouched;
  EXPECT_EQ(parse_decimal(text, raw), expected) << '"' << text << '"';
  EXPECT_EQ(raw, kUntouched) << "a refused text must not write: \"" << text << '"';
}

TEST(ParseDecimal, ReadsWholeAndFractionalNumbers) {
  expect_parses("0", 0);
  expect_parses("1", kScale);
  expect_parses("-1", -kScale);
  expect_parses("61234.56", 61'234'560'000'000);
  expect_parses("0.000000001", 1);
  expect_parses("-0.000000001", -1);
  expect_parses("10.010", 10'010'000'000);
}

TEST(ParseDecimal, NegativeZeroIsZero) {
  expect_parses("-0", 0);
  expect_parses("-0.000", 0);
  expect_parses("-0e5", 0);
}

TEST(ParseDecimal, ReadsExponents) {
  expect_parses("1e0", kScale);
  expect_parses("1E+9", kScale * kScale);
  expect_parses("1e-9", 1);
  expect_parses("-25e-1", -2'500'000'000);
  expect_parses("1.5e3", 1'500 * kScale);
  expect_parses("123456789e-9", 123'456'789);
  expect_parses("0.00000000000000000000001e+14", 1);
  expect_parses("1e-00000000000000000009", 1);
}

TEST(ParseDecimal, ZeroWithAnyExponentIsZero) {
  expect_parses("0e999999999999999999999999", 0);
  expect_parses("0.0e-999999999999999999999999", 0);
}

TEST(ParseDecimal, ReadsTheLimitsExactly) {
  expect_parses("9223372036.854775807", kMax);
  expect_parses("-9223372036.854775808", kMin);
  expect_parses("9223372036854775807e-9", kMax);
  expect_parses("-9.223372036854775808E9", kMin);
}

TEST(ParseDecimal, RefusesOneUnitPastTheLimits) {
  expect_refused("9223372036.854775808", DecimalStatus::kOutOfRange);
  expect_refused("-9223372036.854775809", DecimalStatus::kOutOfRange);
  expect_refused("9223372037", DecimalStatus::kOutOfRange);
  expect_refused("18446744073.709551617", DecimalStatus::kOutOfRange);  // 2^64 + 1 would wrap to 1
}

TEST(ParseDecimal, RefusesNumbersFarOutOfRange) {
  expect_refused("10000000000", DecimalStatus::kOutOfRange);
  expect_refused("1e10", DecimalStatus::kOutOfRange);
  expect_refused("1e308", DecimalStatus::kOutOfRange);
  expect_refused("-1e99999999999999999999999999", DecimalStatus::kOutOfRange);
  expect_refused(std::string(5'000, '9'), DecimalStatus::kOutOfRange);
  // As many digits as the short way looks at, without the point that would make them fewer.
  expect_refused("9777779799477777767", DecimalStatus::kOutOfRange);
  expect_refused("9999999999999999999", DecimalStatus::kOutOfRange);
}

TEST(ParseDecimal, RefusesWhatIsFinerThanNineDecimals) {
  expect_refused("0.0000000001", DecimalStatus::kTooPrecise);
  expect_refused("1.0000000005", DecimalStatus::kTooPrecise);
  expect_refused("1e-10", DecimalStatus::kTooPrecise);
  expect_refused("1e-99999999999999999999999999", DecimalStatus::kTooPrecise);
  expect_refused("0." + std::string(5'000, '3'), DecimalStatus::kTooPrecise);
  expect_refused("9223372036.8547758075", DecimalStatus::kTooPrecise);
}

// The short way takes 18 digits; these stand on both sides of its limits.
TEST(ParseDecimal, NumbersAroundEighteenDigitsAreReadAlike) {
  expect_parses("999999999.999999999", 999'999'999'999'999'999);
  expect_parses("-999999999.999999999", -999'999'999'999'999'999);
  expect_parses("9223372036.85477580", 9'223'372'036'854'775'800);
  expect_parses("0.00000000000000000", 0);
  expect_refused("9999999999.12345678", DecimalStatus::kOutOfRange);
  expect_refused("1234567890123456789", DecimalStatus::kOutOfRange);
  expect_refused("123456789012345678", DecimalStatus::kOutOfRange);
  expect_refused("1.23456789012345678", DecimalStatus::kTooPrecise);
  expect_refused("00.12345678901234567", DecimalStatus::kSyntax);
}

TEST(ParseDecimal, TooLargeComesBeforeTooPrecise) {
  expect_refused("99999999999.00000000000001", DecimalStatus::kOutOfRange);
  expect_refused("123456789012345678901234567890.5", DecimalStatus::kOutOfRange);
}

TEST(ParseDecimal, TrailingZerosCostNoPrecision) {
  expect_parses("1.00000000000000000000000000000", kScale);
  expect_parses("0.123456789" + std::string(400, '0'), 123'456'789);
  expect_parses("1" + std::string(40, '0') + "e-40", kScale);
  expect_parses("9223372036.854775807000000000000", kMax);
  expect_parses("10" + std::string(30, '0') + ".000e-31", kScale);
}

TEST(ParseDecimal, LeadingFractionZerosCostNoDigits) {
  expect_parses("0." + std::string(400, '0') + "12e401", 1'200'000'000);
}

TEST(ParseDecimal, RefusesEmptyText) {
  expect_refused("", DecimalStatus::kEmpty);
}

TEST(ParseDecimal, RefusesWhatIsNotAJsonNumber) {
  for (const char* text :
       {"-",    "+1",  "--1",  "01",    "-01",   "00", ".5",  "5.",    "1.e5",  "1e",  "1e+",
        "1e-",  "e5",  "1ee5", "1e5.0", " 1",    "1 ", "1\n", "1,000", "1_000", "0x1", "inf",
        "-inf", "nan", "NaN",  "null",  "1.2.3", "1-", "1f",  "\"1\"", "١",     "1e٢"}) {
    expect_refused(text, DecimalStatus::kSyntax);
  }
}

TEST(ParseDecimal, RefusesANulByteInsideTheText) {
  expect_refused(std::string("1\0", 2), DecimalStatus::kSyntax);
}

TEST(ParseDecimal, ReadsOnlyItsOwnBytes) {
  const std::string longer = "12.345";
  std::int64_t raw = 0;
  ASSERT_EQ(parse_decimal(std::string_view{longer}.substr(0, 4), raw), DecimalStatus::kOk);
  EXPECT_EQ(raw, 12'300'000'000);
}

// Any value must come back from any way of writing it: point moved, exponent compensating, zeros
// added.
TEST(ParseDecimal, RandomValuesSurviveEverySpelling) {
  constexpr std::uint64_t kSeed = 20240808;
  std::mt19937_64 random(kSeed);
  for (int i = 0; i < 20'000; ++i) {
    const auto raw = static_cast<std::int64_t>(random()) >> (random() % 64);
    const std::string sign = raw < 0 ? "-" : "";
    const std::string digits =
        std::to_string(raw < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(raw)
                               : static_cast<std::uint64_t>(raw));
    const std::size_t point = 1 + random() % digits.size();
    // digits * 1e-9 with the point after `point` digits needs the exponent digits - point - 9.
    const int exponent = static_cast<int>(digits.size() - point) - 9;
    const std::string fraction = digits.substr(point) + std::string(random() % 30, '0');
    std::string whole = digits.substr(0, point);
    if (whole == "0" && point < digits.size()) {
      continue;  // cannot occur: to_string writes no leading zeros
    }
    std::string text = sign + whole;
    if (!fraction.empty()) {
      text += "." + fraction;
    }
    text += (random() % 2 == 0 ? "e" : "E") + std::string(exponent >= 0 ? "+" : "") +
            std::to_string(exponent);
    SCOPED_TRACE("seed " + std::to_string(kSeed));
    expect_parses(text, raw);
  }
}

std::string formatted(std::int64_t raw) {
  std::array<char, kMaxDecimalChars> out;
  return std::string(out.data(), format_decimal(raw, out.data()));
}

TEST(FormatDecimal, WritesTheCanonicalForm) {
  const std::vector<std::pair<std::int64_t, std::string>> cases = {
      {0, "0"},
      {1, "0.000000001"},
      {-1, "-0.000000001"},
      {kScale, "1"},
      {-kScale / 2, "-0.5"},
      {100 * kScale, "100"},
      {1'230'000'000, "1.23"},
      {61'234'560'000'000, "61234.56"},
      {kMax, "9223372036.854775807"},
      {kMin, "-9223372036.854775808"},
  };
  for (const auto& [raw, text] : cases) {
    EXPECT_EQ(formatted(raw), text);
    EXPECT_EQ(decimal_string(raw), text);
  }
}

TEST(FormatDecimal, RandomValuesComeBackFromTheirText) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 20'000; ++i) {
    const auto raw = static_cast<std::int64_t>(random()) >> (random() % 64);
    expect_parses(formatted(raw), raw);
  }
}

TEST(FormatDecimal, StrongTypesPrintTheirValue) {
  EXPECT_EQ(to_string(Price{1'500'000'000}), "1.5");
  EXPECT_EQ(to_string(Qty{-1}), "-0.000000001");
  EXPECT_EQ(to_string(Cash{0}), "0");
}

TEST(CheckedArithmetic, AddsAndSubtractsUpToTheLimits) {
  std::int64_t out = 0;
  EXPECT_TRUE(add_checked(kMax - 1, 1, out));
  EXPECT_EQ(out, kMax);
  EXPECT_TRUE(sub_checked(kMin + 1, 1, out));
  EXPECT_EQ(out, kMin);
}

TEST(CheckedArithmetic, ReportsOverflowInsteadOfWrapping) {
  std::int64_t out = 0;
  EXPECT_FALSE(add_checked(kMax, 1, out));
  EXPECT_FALSE(add_checked(kMin, -1, out));
  EXPECT_FALSE(sub_checked(kMin, 1, out));
  EXPECT_FALSE(sub_checked(0, kMin, out));
}

TEST(MulDivHalfEven, TiesGoToTheEvenNeighbour) {
  const std::vector<std::pair<std::int64_t, std::int64_t>> halves = {
      {1, 0}, {3, 2}, {5, 2}, {7, 4}, {-1, 0}, {-3, -2}, {-5, -2}, {-7, -4}};
  for (const auto& [twice, expected] : halves) {
    std::int64_t out = kUntouched;
    ASSERT_TRUE(mul_div_half_even(twice, 1, 2, out));
    EXPECT_EQ(out, expected) << twice << "/2";
  }
}

TEST(MulDivHalfEven, BesideATieItGoesToTheNearer) {
  std::int64_t out = 0;
  ASSERT_TRUE(mul_div_half_even(2'500'000'001, 1, kScale, out));
  EXPECT_EQ(out, 3);
  ASSERT_TRUE(mul_div_half_even(2'499'999'999, 1, kScale, out));
  EXPECT_EQ(out, 2);
  ASSERT_TRUE(mul_div_half_even(-3'500'000'001, 1, kScale, out));
  EXPECT_EQ(out, -4);
}

TEST(MulDivHalfEven, ReachesTheLimitsAndReportsWhatIsPastThem) {
  std::int64_t out = 0;
  EXPECT_TRUE(mul_div_half_even(kMax, kMax, kMax, out));
  EXPECT_EQ(out, kMax);
  EXPECT_TRUE(mul_div_half_even(kMin, kMax, kMax, out));
  EXPECT_EQ(out, kMin);
  EXPECT_FALSE(mul_div_half_even(kMin, -1, 1, out));
  EXPECT_FALSE(mul_div_half_even(kMin, kMin, kMax, out));
  EXPECT_FALSE(mul_div_half_even(kMax, 2, 1, out));
}

TEST(MulDivHalfEven, RefusesADivisorThatIsNotPositive) {
  std::int64_t out = 0;
  EXPECT_FALSE(mul_div_half_even(1, 1, 0, out));
  EXPECT_FALSE(mul_div_half_even(1, 1, -1, out));
}

// The definition itself as oracle: 2*|q*d - a*b| <= d, and at equality q is even.
TEST(MulDivHalfEven, RandomResultsSatisfyTheDefinition) {
  std::mt19937_64 random(11);
  for (int i = 0; i < 50'000; ++i) {
    const auto a = static_cast<std::int64_t>(random()) >> (random() % 64);
    const auto b = static_cast<std::int64_t>(random()) >> (random() % 64);
    const std::int64_t divisor = (static_cast<std::int64_t>(random() >> 1) >> (random() % 63)) | 1;
    std::int64_t q = 0;
    const Int128 product = Int128{a} * b;
    const bool fits = mul_div_half_even(a, b, divisor, q);
    const Int128 truncated = product / divisor;
    if (!fits) {
      ASSERT_TRUE(truncated >= kMax || truncated <= kMin) << a << '*' << b << '/' << divisor;
      continue;
    }
    const Int128 error = Int128{q} * divisor - product;
    const Int128 twice = 2 * (error < 0 ? -error : error);
    ASSERT_TRUE(twice < divisor || (twice == divisor && q % 2 == 0))
        << a << '*' << b << '/' << divisor;
  }
}

TEST(Notional, MultipliesPriceByQuantity) {
  Cash out;
  ASSERT_TRUE(notional(Price{61'234'560'000'000}, Qty{10'000'000}, out));  // 61234.56 * 0.01
  EXPECT_EQ(to_string(out), "612.3456");
  ASSERT_TRUE(notional(Price{61'234'560'000'000}, Qty{-10'000'000}, out));
  EXPECT_EQ(to_string(out), "-612.3456");
}

TEST(Notional, RoundsHalfUnitsToEven) {
  Cash out;
  ASSERT_TRUE(notional(Price{1}, Qty{500'000'000}, out));  // half a unit
  EXPECT_EQ(out.raw, 0);
  ASSERT_TRUE(notional(Price{3}, Qty{500'000'000}, out));  // one and a half
  EXPECT_EQ(out.raw, 2);
}

TEST(Notional, ReportsOverflow) {
  Cash out;
  EXPECT_FALSE(notional(Price{kMax}, Qty{2 * kScale}, out));
  EXPECT_TRUE(notional(Price{kMax}, Qty{kScale}, out));
}

TEST(FeeOf, TakesBasisPointsOfWhatWasReceived) {
  std::int64_t fee = 0;
  ASSERT_TRUE(fee_of(kScale, 25, fee));
  EXPECT_EQ(decimal_string(fee), "0.0025");
  ASSERT_TRUE(fee_of(1'000, 15, fee));  // 1.5 units
  EXPECT_EQ(fee, 2);
  ASSERT_TRUE(fee_of(1'000, 25, fee));  // 2.5 units
  EXPECT_EQ(fee, 2);
  ASSERT_TRUE(fee_of(0, 25, fee));
  EXPECT_EQ(fee, 0);
  EXPECT_FALSE(fee_of(kMax, 20'000, fee));
}

TEST(IsMultipleOf, KnowsTicksAndLots) {
  EXPECT_TRUE(is_multiple_of(0, 10));
  EXPECT_TRUE(is_multiple_of(-30, 10));
  EXPECT_FALSE(is_multiple_of(31, 10));
  EXPECT_FALSE(is_multiple_of(30, 0));
  EXPECT_FALSE(is_multiple_of(30, -10));
}

TEST(DecimalStatus, EveryStatusHasItsOwnWords) {
  EXPECT_EQ(describe(DecimalStatus::kSyntax), "not a decimal number");
  EXPECT_EQ(describe(DecimalStatus::kTooPrecise), "finer than nine decimals");
  EXPECT_EQ(describe(DecimalStatus::kOutOfRange), "outside ±9223372036.854775807");
  EXPECT_EQ(describe(DecimalStatus::kEmpty), "empty");
}

}  // namespace
}  // namespace sluice
