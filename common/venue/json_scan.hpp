// Scanning digits many at a time, for text whose exact shape is expected. Every function either
// reads what it was asked for and moves the position behind it, or declines; declining means "not
// in the usual form", never "invalid": the caller then takes the general path.
//
// The text before and after the position is read, too: up to 16 bytes before it and up to
// kScanReach behind it. Only SSE2 is used, which every x86-64 has. The arithmetic on digits is that
// of W. Muła, "SIMD-ized parsing of decimal numbers", cut to fit around a decimal point.
#pragma once

#include <emmintrin.h>

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include "common/base/fixed.hpp"

namespace sluice::venue {

inline constexpr std::ptrdiff_t kScanReach = 64;

static_assert(std::endian::native == std::endian::little, "first character = lowest byte");

[[nodiscard]] inline std::uint64_t load_word(const char* p) noexcept {
  std::uint64_t word;
  std::memcpy(&word, p, sizeof(word));
  return word;
}

[[nodiscard]] inline __m128i load_bytes(const char* p) noexcept {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}

// Whether `p` starts with the literal. Compiled into one or two word comparisons.
template <std::size_t N>
[[nodiscard]] inline bool starts_with(const char* p, const char (&literal)[N]) noexcept {
  return std::memcmp(p, literal, N - 1) == 0;
}

// A bit for each of the 16 bytes at `p` that is a digit, the first lowest.
[[nodiscard]] inline std::uint32_t digits_16(const char* p) noexcept {
  // '0'..'9' become -128..-119, everything else is larger as a signed byte.
  const __m128i shifted = _mm_add_epi8(load_bytes(p), _mm_set1_epi8(0x80 - '0'));
  const __m128i digits = _mm_cmplt_epi8(shifted, _mm_set1_epi8(-128 + 10));
  return static_cast<std::uint32_t>(_mm_movemask_epi8(digits));
}

// The same for 64 bytes.
[[nodiscard]] inline std::uint64_t digits_64(const char* p) noexcept {
  return std::uint64_t{digits_16(p)} | std::uint64_t{digits_16(p + 16)} << 16 |
         std::uint64_t{digits_16(p + 32)} << 32 | std::uint64_t{digits_16(p + 48)} << 48;
}

// How many digits stand at `p`, at most 16.
[[nodiscard]] inline unsigned count_digits_16(const char* p) noexcept {
  return static_cast<unsigned>(std::countr_one(digits_16(p)));
}

inline constexpr unsigned kWholeDigitsMax = 7;
inline constexpr unsigned kFractionDigitsMax = 9;

// [w * 16 + f]: keeps, of the 16 bytes starting 7 before a decimal point, the w digits left of it
// and the first f (at most 8) right of it.
alignas(16) inline constexpr auto kDigitsAroundPoint = [] {
  std::array<std::array<unsigned char, 16>, 8 * 16> table{};
  for (unsigned whole = 0; whole <= kWholeDigitsMax; ++whole) {
    for (unsigned fraction = 0; fraction <= kFractionDigitsMax; ++fraction) {
      for (unsigned i = 0; i < 16; ++i) {
        const bool left = i < 7 && i + whole >= 7;
        const bool right = i > 7 && i - 8 < fraction;
        table[whole * 16 + fraction][i] = left || right ? 0x0f : 0;  // '0'..'9' end in their value
      }
    }
  }
  return table;
}();

// Multiplies digits by weights and adds neighbours: 16 numbers of a digit become 8 of two digits.
[[nodiscard]] inline __m128i pair_digits(__m128i digits, __m128i weights_low,
                                         __m128i weights_high) noexcept {
  const __m128i zero = _mm_setzero_si128();
  return _mm_packs_epi32(_mm_madd_epi16(_mm_unpacklo_epi8(digits, zero), weights_low),
                         _mm_madd_epi16(_mm_unpackhi_epi8(digits, zero), weights_high));
}

// The decimal with `whole` (1..7) digits left of `point` and `fraction` (0..9) right of it, in
// units of 1e-9. With fraction 0 the byte at `point` may be anything.
[[nodiscard]] inline std::int64_t digits_around(const char* point, unsigned whole,
                                                unsigned fraction) noexcept {
  const __m128i keep =
      _mm_load_si128(reinterpret_cast<const __m128i*>(&kDigitsAroundPoint[whole * 16 + fraction]));
  // Bytes d0..d6 . f0..f7 become d0d1 d2d3 d4d5 d6 f0f1 f2f3 f4f5 f6f7,
  const __m128i pairs = pair_digits(_mm_and_si128(load_bytes(point - 7), keep),
                                    _mm_setr_epi16(10, 1, 10, 1, 10, 1, 1, 0),
                                    _mm_setr_epi16(10, 1, 10, 1, 10, 1, 10, 1));
  // then d0..d3, d4..d6, f0..f3, f4..f7, then d0..d6, f0..f7.
  const __m128i fours = _mm_madd_epi16(pairs, _mm_setr_epi16(100, 1, 10, 1, 100, 1, 100, 1));
  const __m128i sides =
      _mm_madd_epi16(_mm_packs_epi32(fours, fours), _mm_setr_epi16(1000, 1, 10'000, 1, 0, 0, 0, 0));
  const auto both = static_cast<std::uint64_t>(_mm_cvtsi128_si64(sides));
  std::uint64_t value = (both & 0xffff'ffffU) * kScale + (both >> 32) * 10;
  if (fraction == kFractionDigitsMax) {
    value += static_cast<std::uint64_t>(point[kFractionDigitsMax] - '0');
  }
  return static_cast<std::int64_t>(value);
}

// The `count` (1..16) digits that end right before `end`.
[[nodiscard]] inline std::uint64_t digits_before(const char* end, unsigned count) noexcept {
  alignas(16) static constexpr unsigned char kKeepLast[32] = {
      0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
      0,    0,    0,    0,    0,    0x0f, 0x0f, 0x0f, 0x0f, 0x0f, 0x0f,
      0x0f, 0x0f, 0x0f, 0x0f, 0x0f, 0x0f, 0x0f, 0x0f, 0x0f, 0x0f};
  const __m128i keep = _mm_loadu_si128(reinterpret_cast<const __m128i*>(kKeepLast + count));
  const __m128i tens = _mm_setr_epi16(10, 1, 10, 1, 10, 1, 10, 1);
  const __m128i pairs = pair_digits(_mm_and_si128(load_bytes(end - 16), keep), tens, tens);
  const __m128i fours = _mm_madd_epi16(pairs, _mm_setr_epi16(100, 1, 100, 1, 100, 1, 100, 1));
  const __m128i eights = _mm_madd_epi16(_mm_packs_epi32(fours, fours),
                                        _mm_setr_epi16(10'000, 1, 10'000, 1, 0, 0, 0, 0));
  const auto both = static_cast<std::uint64_t>(_mm_cvtsi128_si64(eights));
  return (both & 0xffff'ffffU) * 100'000'000 + (both >> 32);
}

// Which of the bytes from a position on are digits, found out for 64 at once and shifted along
// with the position: from one number to the next it is then a few bit operations, not a load that
// waits for the number before. Zero bits shifted in at the top stand for "not known".
class DigitWindow {
 public:
  explicit DigitWindow(const char* p) noexcept : no_digits_(~digits_64(p)) {}

  // The number at `p`: `whole` digits, and `size` in all with a point and the digits behind it.
  // False when the window ends too early to tell.
  [[nodiscard]] bool measure(const char* p, unsigned& whole, unsigned& size) const noexcept {
    if (no_digits_ == 0) [[unlikely]] {
      return false;
    }
    whole = static_cast<unsigned>(std::countr_zero(no_digits_));
    size = whole;
    if (p[whole] == '.') [[likely]] {
      const std::uint64_t rest = no_digits_ & (no_digits_ - 1);  // without the point
      if (rest == 0) [[unlikely]] {
        return false;
      }
      size = static_cast<unsigned>(std::countr_zero(rest));
    }
    return true;
  }

  void skip(unsigned bytes) noexcept { no_digits_ >>= bytes; }  // below 64

 private:
  std::uint64_t no_digits_;
};

// A decimal without sign and exponent, 1 to 7 digits and then optionally a point and 1 to 9 digits,
// followed by the literal. Exact by construction. On success position and window move behind the
// literal.
template <std::size_t N>
[[nodiscard, gnu::always_inline]] inline bool scan_decimal(const char*& p, DigitWindow& window,
                                                           std::int64_t& raw,
                                                           const char (&literal)[N]) noexcept {
  constexpr unsigned kLiteral = N - 1;
  unsigned whole = 0;
  unsigned size = 0;
  if (!window.measure(p, whole, size)) [[unlikely]] {
    window = DigitWindow(p);
    if (!window.measure(p, whole, size)) {
      return false;
    }
  }
  // Without a point the "digits behind it" are one less than none, and wrap to the top.
  const unsigned fraction = size - whole - 1;
  const bool leading_zero = (*p == '0') & (whole > 1);
  if ((whole - 1 >= kWholeDigitsMax) | leading_zero) [[unlikely]] {
    return false;
  }
  if (fraction - 1 < kFractionDigitsMax) [[likely]] {
    raw = digits_around(p + whole, whole, fraction);
  } else if (size == whole) {
    raw = digits_around(p + whole, whole, 0);
  } else {
    return false;
  }
  if (!starts_with(p + size, literal)) [[unlikely]] {
    return false;
  }
  window.skip(size + kLiteral);
  p += size + kLiteral;
  return true;
}

// 1 to 19 digits without a leading zero, as they stand.
[[nodiscard]] inline bool scan_u64(const char*& p, std::uint64_t& out) noexcept {
  unsigned count = count_digits_16(p);
  if (count == 16) {
    count += count_digits_16(p + 16);
  }
  if (count - 1 > 18 || (count > 1 && *p == '0')) [[unlikely]] {
    return false;
  }
  p += count;
  out = digits_before(p, count < 16 ? count : 16);
  if (count > 16) {
    out += digits_before(p - 16, count - 16) * 10'000'000'000'000'000;
  }
  return true;
}

// The characters before the next '"', if there are 1 to 15. Returns how many, or 0.
[[nodiscard]] inline unsigned scan_to_quote(const char* p) noexcept {
  const __m128i quotes = _mm_cmpeq_epi8(load_bytes(p), _mm_set1_epi8('"'));
  const auto mask = static_cast<std::uint32_t>(_mm_movemask_epi8(quotes));
  return static_cast<unsigned>(std::countr_zero(mask | 0x1'0000U)) & 15U;
}

}  // namespace sluice::venue
