#include "common/venue/json_scan.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <string>
#include <vector>

#include "common/base/fixed.hpp"

namespace sluice::venue {
namespace {

// Sixteen bytes before, as frames have, and room behind.
struct Text {
  explicit Text(std::string_view number, std::string_view behind = ",\"bs\":1")
      : bytes(std::string(16, '9') + std::string(number) + std::string(behind) +
              std::string(160, '3')) {}
  [[nodiscard]] const char* at() const { return bytes.data() + 16; }
  std::string bytes;
};

// What scan_decimal makes of a number, or nothing when it declines.
std::optional<std::int64_t> scan(std::string_view number) {
  const Text text(number);
  DigitWindow window(text.at());
  std::int64_t raw = 0;
  const char* p = text.at();
  if (!scan_decimal(p, window, raw, ",\"bs\":")) {
    return std::nullopt;
  }
  EXPECT_EQ(p, text.at() + number.size() + 6);
  return raw;
}

TEST(ScanDecimal, IsExactForEveryCountOfDigitsOnBothSides) {
  std::mt19937_64 random(20241108);
  for (unsigned whole = 1; whole <= kWholeDigitsMax; ++whole) {
    for (unsigned fraction = 0; fraction <= kFractionDigitsMax; ++fraction) {
      for (int i = 0; i < 50; ++i) {
        std::string number(1, whole == 1 ? '0' : '1');
        number[0] = static_cast<char>(number[0] + static_cast<char>(random() % 9));
        for (unsigned d = 1; d < whole; ++d) {
          number += static_cast<char>('0' + random() % 10);
        }
        number += fraction > 0 ? "." : "";
        for (unsigned d = 0; d < fraction; ++d) {
          number += static_cast<char>('0' + random() % 10);
        }
        std::int64_t expected = 0;
        ASSERT_EQ(parse_decimal(number, expected), DecimalStatus::kOk) << number;
        ASSERT_EQ(scan(number), expected) << number;
      }
    }
  }
}

TEST(ScanDecimal, DeclinesWhatIsNotInTheUsualForm) {
  for (const char* number : {"", "-1", "+1", ".5", "1.", "01", "00.5", "1e5", "1.5E2", "1.2.3", "x",
                             "12345678", "1.1234567890", "1 ", " 1", "\"1\""}) {
    EXPECT_EQ(scan(number), std::nullopt) << number;
  }
}

TEST(ScanDecimal, DeclinesWhenAnotherKeyFollows) {
  const Text text("1.5", ",\"ap\":2");
  DigitWindow window(text.at());
  std::int64_t raw = 0;
  const char* p = text.at();
  EXPECT_FALSE(scan_decimal(p, window, raw, ",\"bs\":"));
}

TEST(ScanDecimal, WindowIsRenewedWhereverItEnds) {
  // A run of numbers of changing width: the window of 64 bytes ends at each possible place in one.
  for (unsigned lead = 1; lead <= 60; ++lead) {
    std::string numbers;
    std::vector<std::int64_t> expected;
    for (unsigned i = 0; i < 20; ++i) {
      const std::string number =
          std::to_string(1 + (i * lead) % 9'999'999) + "." + std::string(1 + (i + lead) % 9, '7');
      std::int64_t raw = 0;
      ASSERT_EQ(parse_decimal(number, raw), DecimalStatus::kOk);
      expected.push_back(raw);
      numbers += number + ",\"s\":";
    }
    const Text text(numbers, "");
    DigitWindow window(text.at());
    const char* p = text.at();
    for (const std::int64_t want : expected) {
      std::int64_t raw = 0;
      ASSERT_TRUE(scan_decimal(p, window, raw, ",\"s\":"));
      ASSERT_EQ(raw, want);
    }
  }
}

// What scan_u64 makes of digits, or nothing when it declines.
std::optional<std::uint64_t> scan_id(std::string_view digits) {
  const Text text(digits, ",");
  const char* p = text.at();
  std::uint64_t value = 0;
  if (!scan_u64(p, value)) {
    return std::nullopt;
  }
  EXPECT_EQ(p, text.at() + digits.size());
  return value;
}

TEST(ScanU64, ReadsOneToNineteenDigits) {
  std::string digits;
  for (unsigned count = 1; count <= 19; ++count) {
    digits += static_cast<char>('0' + (count * 7) % 10);
    EXPECT_EQ(scan_id(digits), std::stoull(digits));
  }
  EXPECT_EQ(scan_id("9999999999999999999"), 9'999'999'999'999'999'999ULL);
  EXPECT_EQ(scan_id("0"), 0u);
}

TEST(ScanU64, DeclinesTwentyDigitsLeadingZeroAndNone) {
  for (const char* digits : {"18446744073709551615", "007", "", "-5"}) {
    EXPECT_EQ(scan_id(digits), std::nullopt) << digits;
  }
}

TEST(ScanToQuote, CountsOneToFifteenCharacters) {
  for (std::size_t size = 0; size <= 17; ++size) {
    const Text text(std::string(size, 'A'), "\",");
    EXPECT_EQ(scan_to_quote(text.at()), size <= 15 ? size : 0) << size;
  }
}

}  // namespace
}  // namespace sluice::venue
