#include "common/base/fixed.hpp"

#include <array>
#include <limits>

#include "common/base/fault.hpp"

namespace sluice {
namespace {

__extension__ using Int128 = __int128;
__extension__ using UInt128 = unsigned __int128;

constexpr int kDecimals = 9;         // kScale = 10^kDecimals
constexpr int kDigitsInUint64 = 19;  // every number of 19 digits fits uint64

constexpr auto kPowersOfTen = [] {
  std::array<std::uint64_t, kDigitsInUint64 + 1> powers{};
  std::uint64_t power = 1;
  for (std::uint64_t& p : powers) {
    p = power;
    power *= 10;
  }
  return powers;
}();
static_assert(kPowersOfTen[kDecimals] == static_cast<std::uint64_t>(kScale));

constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

// A number as its text gives it: `digits` without sign, point and leading zeros have the value
// mantissa * 10^exponent, provided they are at most kDigitsInUint64; `long_form` says when they are
// more.
struct Scanned {
  std::uint64_t mantissa{0};
  std::int64_t exponent{0};
  std::string_view
      digits;  // from the first significant digit to the last digit, the point possibly inside
  int significant{0};
  bool negative{false};
};

// An exponent past this cannot be compensated by the digits of a text that fits memory; saturating
// keeps the sum exact enough to be refused for the right reason.
constexpr std::int64_t kExponentLimit = std::int64_t{1} << 60;

bool scan_exponent(const char*& p, const char* end, std::int64_t& exponent) noexcept {
  ++p;  // 'e' or 'E'
  bool negative = false;
  if (p != end && (*p == '+' || *p == '-')) {
    negative = *p == '-';
    ++p;
  }
  if (p == end || !is_digit(*p)) {
    return false;
  }
  std::int64_t value = 0;
  for (; p != end && is_digit(*p); ++p) {
    if (value < kExponentLimit / 10) {
      value = value * 10 + (*p - '0');
    } else {
      value = kExponentLimit;
    }
  }
  exponent = negative ? -value : value;
  return true;
}

void take_digit(Scanned& number, const char* p) noexcept {
  if (number.significant == 0) {
    if (*p == '0') {
      return;
    }
    number.digits = std::string_view{p, 1};
  }
  ++number.significant;
  // Past 19 digits the product wraps, harmlessly: the mantissa is then not used.
  number.mantissa = number.mantissa * 10 + static_cast<std::uint64_t>(*p - '0');
}

bool scan(std::string_view text, Scanned& number) noexcept {
  const char* p = text.data();
  const char* const end = p + text.size();
  if (*p == '-') {
    number.negative = true;
    ++p;
  }
  if (p == end || !is_digit(*p)) {
    return false;
  }
  if (*p == '0' && p + 1 != end && is_digit(p[1])) {
    return false;  // JSON knows no leading zeros
  }
  for (; p != end && is_digit(*p); ++p) {
    take_digit(number, p);
  }
  std::int64_t fraction_digits = 0;
  if (p != end && *p == '.') {
    const char* const first = ++p;
    for (; p != end && is_digit(*p); ++p) {
      take_digit(number, p);
    }
    fraction_digits = p - first;
    if (fraction_digits == 0) {
      return false;
    }
  }
  if (number.significant > 0) {
    const char* const first = number.digits.data();
    number.digits = std::string_view{first, static_cast<std::size_t>(p - first)};
  }
  if (p != end && (*p == 'e' || *p == 'E') && !scan_exponent(p, end, number.exponent)) {
    return false;
  }
  number.exponent -= fraction_digits;
  return p == end;
}

// Brings a number of more than 19 digits to at most 19 by dropping trailing zeros. What remains
// longer spans more than the 19 places between 1e9 and 1e-9, so it leaves the range at the top or
// the precision at the bottom.
DecimalStatus shorten(Scanned& number) noexcept {
  std::string_view digits = number.digits;
  int places = number.significant;
  while (digits.back() == '0' || digits.back() == '.') {
    if (digits.back() == '0') {
      --places;
      ++number.exponent;
    }
    digits.remove_suffix(1);
  }
  if (places > kDigitsInUint64) {
    // The leading digit stands for 10^(exponent + places - 1); the range ends below 10^10.
    return number.exponent + places - 1 > kDecimals ? DecimalStatus::kOutOfRange
                                                    : DecimalStatus::kTooPrecise;
  }
  number.mantissa = 0;
  for (const char c : digits) {
    if (c != '.') {
      number.mantissa = number.mantissa * 10 + static_cast<std::uint64_t>(c - '0');
    }
  }
  return DecimalStatus::kOk;
}

// value = number.mantissa * 10^(exponent + 9), exactly or not at all.
DecimalStatus to_units(const Scanned& number, std::uint64_t& value) noexcept {
  const std::int64_t shift = number.exponent + kDecimals;
  if (shift >= 0) {
    if (shift > kDigitsInUint64) {
      return DecimalStatus::kOutOfRange;
    }
    const UInt128 wide = UInt128{number.mantissa} * kPowersOfTen[static_cast<std::size_t>(shift)];
    if (wide > std::numeric_limits<std::uint64_t>::max()) {
      return DecimalStatus::kOutOfRange;
    }
    value = static_cast<std::uint64_t>(wide);
    return DecimalStatus::kOk;
  }
  if (shift < -kDigitsInUint64) {
    return DecimalStatus::kTooPrecise;  // mantissa < 10^19, so some digit stands right of 1e-9
  }
  const std::uint64_t divisor = kPowersOfTen[static_cast<std::size_t>(-shift)];
  if (number.mantissa % divisor != 0) {
    return DecimalStatus::kTooPrecise;
  }
  value = number.mantissa / divisor;
  return DecimalStatus::kOk;
}

// Most numbers of a venue are short: at most 18 digits, no exponent, at most nine decimals. True
// when `text` is one of these; what is not goes the long way, whether valid or not.
bool parse_short(std::string_view text, std::int64_t& raw) noexcept {
  constexpr std::size_t kLongest = 19;  // 18 digits and a point: the digits stay below 10^18
  const bool negative = text.front() == '-';
  const char* p = text.data() + (negative ? 1 : 0);
  const char* const end = text.data() + text.size();
  const char* const first = p;
  if (end - p > static_cast<std::ptrdiff_t>(kLongest)) {
    return false;
  }
  std::uint64_t digits = 0;  // also of the 19 digits that are refused below: they fit unsigned
  for (; p != end && is_digit(*p); ++p) {
    digits = digits * 10 + static_cast<std::uint64_t>(*p - '0');
  }
  const std::ptrdiff_t whole = p - first;
  std::ptrdiff_t decimals = 0;
  if (p != end && *p == '.') {
    const char* const point = p++;
    for (; p != end && is_digit(*p); ++p) {
      digits = digits * 10 + static_cast<std::uint64_t>(*p - '0');
    }
    decimals = p - point - 1;
    if (decimals == 0) {
      return false;
    }
  } else if (whole == static_cast<std::ptrdiff_t>(kLongest)) {
    return false;
  }
  if (p != end || whole == 0 || (whole > 1 && *first == '0') || decimals > kDecimals) {
    return false;
  }
  std::int64_t value = 0;
  const auto scale =
      static_cast<std::int64_t>(kPowersOfTen[static_cast<std::size_t>(kDecimals - decimals)]);
  if (__builtin_mul_overflow(static_cast<std::int64_t>(digits), scale, &value)) {
    return false;
  }
  raw = negative ? -value : value;
  return true;
}

}  // namespace

std::string_view describe(DecimalStatus status) noexcept {
  switch (status) {
    case DecimalStatus::kOk:
      return "valid";
    case DecimalStatus::kEmpty:
      return "empty";
    case DecimalStatus::kSyntax:
      return "not a decimal number";
    case DecimalStatus::kTooPrecise:
      return "finer than nine decimals";
    case DecimalStatus::kOutOfRange:
      return "outside ±9223372036.854775807";
  }
  return "of unknown status";
}

DecimalStatus parse_decimal(std::string_view text, std::int64_t& raw) noexcept {
  if (text.empty()) {
    return DecimalStatus::kEmpty;
  }
  if (parse_short(text, raw)) {
    return DecimalStatus::kOk;
  }
  Scanned number;
  if (!scan(text, number)) {
    return DecimalStatus::kSyntax;
  }
  if (number.significant == 0) {
    raw = 0;  // also "-0" and "0e999"
    return DecimalStatus::kOk;
  }
  if (number.significant > kDigitsInUint64) {
    if (const DecimalStatus status = shorten(number); status != DecimalStatus::kOk) {
      return status;
    }
  }
  std::uint64_t value = 0;
  if (const DecimalStatus status = to_units(number, value); status != DecimalStatus::kOk) {
    return status;
  }
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (value > kMax + (number.negative ? 1U : 0U)) {
    return DecimalStatus::kOutOfRange;
  }
  // Two's complement negation in unsigned arithmetic also reaches the minimum.
  raw = static_cast<std::int64_t>(number.negative ? std::uint64_t{0} - value : value);
  return DecimalStatus::kOk;
}

std::size_t format_decimal(std::int64_t raw, char* out) noexcept {
  char* p = out;
  std::uint64_t magnitude = static_cast<std::uint64_t>(raw);
  if (raw < 0) {
    *p++ = '-';
    magnitude = std::uint64_t{0} - magnitude;
  }
  std::uint64_t whole = magnitude / static_cast<std::uint64_t>(kScale);
  std::uint64_t fraction = magnitude % static_cast<std::uint64_t>(kScale);
  std::array<char, 20> reversed;
  std::size_t count = 0;
  do {
    reversed[count++] = static_cast<char>('0' + whole % 10);
    whole /= 10;
  } while (whole != 0);
  while (count != 0) {
    *p++ = reversed[--count];
  }
  if (fraction != 0) {
    int digits = kDecimals;
    while (fraction % 10 == 0) {
      fraction /= 10;
      --digits;
    }
    *p++ = '.';
    for (int i = digits - 1; i >= 0; --i) {
      p[i] = static_cast<char>('0' + fraction % 10);
      fraction /= 10;
    }
    p += digits;
  }
  return static_cast<std::size_t>(p - out);
}

std::string decimal_string(std::int64_t raw) {
  std::array<char, kMaxDecimalChars> text;
  return std::string(text.data(), format_decimal(raw, text.data()));
}

bool mul_div_half_even(std::int64_t a, std::int64_t b, std::int64_t divisor,
                       std::int64_t& out) noexcept {
  if (divisor <= 0) {
    return false;
  }
  const Int128 product = Int128{a} * b;
  Int128 quotient = product / divisor;  // towards zero
  const Int128 remainder = product % divisor;
  const Int128 twice = (remainder < 0 ? -remainder : remainder) * 2;
  const bool rounds_up = twice > divisor || (twice == divisor && (quotient & 1) != 0);
  if (rounds_up && !SLUICE_PLANTED(9)) {  // 9: every product and fee is cut off instead of rounded
    quotient += product < 0 ? -1 : 1;
  }
  if (quotient > std::numeric_limits<std::int64_t>::max() ||
      quotient < std::numeric_limits<std::int64_t>::min()) {
    return false;
  }
  out = static_cast<std::int64_t>(quotient);
  return true;
}

bool notional(Price px, Qty qty, Cash& out) noexcept {
  return mul_div_half_even(px.raw, qty.raw, kScale, out.raw);
}

bool fee_of(std::int64_t received_raw, std::uint32_t bps, std::int64_t& out) noexcept {
  if (!mul_div_half_even(received_raw, std::int64_t{bps}, 10'000, out)) {
    return false;
  }
  if (SLUICE_PLANTED(10)) {  // fees are kept to eight decimals only
    out -= out % 10;
  }
  return true;
}

}  // namespace sluice
