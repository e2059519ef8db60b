// Fixed-point money: Price, Qty and Cash are strong types over int64_t in units of 1e-9.
//
// Any process and thread may call these; nothing allocates except to_string.
// 1. A value is exact or it is refused: nothing rounds on the way in, and floating point does not
// occur.
// 2. Products are formed in 128 bits and rounded half to even once, where a formula says so.
// 3. Overflow is a result, never a wrap.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/schema.hpp"

namespace sluice {

inline constexpr std::int64_t kScale = 1'000'000'000;

// Quote currency per unit of the base asset, 1e-9. Range about ±9.2e9.
struct Price {
  std::int64_t raw{0};
  friend constexpr auto operator<=>(const Price&, const Price&) = default;
};
SLUICE_SCHEMA(Price, raw);

// Units of the base asset (shares, coins, contracts), 1e-9. Range about ±9.2e9.
struct Qty {
  std::int64_t raw{0};
  friend constexpr auto operator<=>(const Qty&, const Qty&) = default;
};
SLUICE_SCHEMA(Qty, raw);

// An amount of one currency or asset, 1e-9. Range about ±9.2e9.
struct Cash {
  std::int64_t raw{0};
  friend constexpr auto operator<=>(const Cash&, const Cash&) = default;
};
SLUICE_SCHEMA(Cash, raw);

enum class DecimalStatus : std::uint8_t {
  kOk,
  kEmpty,       // no characters
  kSyntax,      // not a JSON number
  kTooPrecise,  // finer than 1e-9
  kOutOfRange,  // outside int64 at 1e-9
};

// A few words for a message: "not a decimal number" and the like.
[[nodiscard]] std::string_view describe(DecimalStatus status) noexcept;

// Reads exactly the JSON number grammar (RFC 8259, section 6), exponents included, the whole of
// `text`, into units of 1e-9. No leading '+', no blanks, no leading zeros. `raw` is written only on
// kOk. A text that is both too large and too precise is kOutOfRange.
[[nodiscard]] DecimalStatus parse_decimal(std::string_view text, std::int64_t& raw) noexcept;

// Longest canonical text: "-9223372036.854775808" has 21 characters.
inline constexpr std::size_t kMaxDecimalChars = 24;

// Writes the canonical text (no trailing zeros, no exponent, "0" for zero), without a terminating
// NUL, and returns its length, at most kMaxDecimalChars. parse_decimal reads it back to the same
// raw value.
std::size_t format_decimal(std::int64_t raw, char* out) noexcept;

[[nodiscard]] std::string decimal_string(std::int64_t raw);
[[nodiscard]] inline std::string to_string(Price value) {
  return decimal_string(value.raw);
}
[[nodiscard]] inline std::string to_string(Qty value) {
  return decimal_string(value.raw);
}
[[nodiscard]] inline std::string to_string(Cash value) {
  return decimal_string(value.raw);
}

// out = a + b, a - b. False on overflow; `out` is then unspecified.
[[nodiscard]] inline bool add_checked(std::int64_t a, std::int64_t b, std::int64_t& out) noexcept {
  return !__builtin_add_overflow(a, b, &out);
}
[[nodiscard]] inline bool sub_checked(std::int64_t a, std::int64_t b, std::int64_t& out) noexcept {
  return !__builtin_sub_overflow(a, b, &out);
}

// out = a * b / divisor in 128 bits, rounded half to even. False when the result does not fit or
// divisor <= 0.
[[nodiscard]] bool mul_div_half_even(std::int64_t a, std::int64_t b, std::int64_t divisor,
                                     std::int64_t& out) noexcept;

// out = px * qty at 1e-9, half to even; the sign is the product's. False on overflow.
[[nodiscard]] bool notional(Price px, Qty qty, Cash& out) noexcept;

// out = received * bps / 10000, half to even: the fee on what a fill brought in. False on overflow.
[[nodiscard]] bool fee_of(std::int64_t received_raw, std::uint32_t bps, std::int64_t& out) noexcept;

// True when `raw` is a multiple of `increment` (a tick or a lot). An increment <= 0 divides
// nothing.
[[nodiscard]] constexpr bool is_multiple_of(std::int64_t raw, std::int64_t increment) noexcept {
  return increment > 0 && raw % increment == 0;
}

}  // namespace sluice
