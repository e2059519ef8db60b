// Small arithmetic the trading core shares: magnitudes and sums that stop at the ends of the range
// where wrapping would be a lie and failing has no meaning (sums that only ever refuse when they
// are large).
#pragma once

#include <limits>

#include "common/base/fixed.hpp"

namespace sluice {

inline constexpr std::int64_t kMaxRaw = std::numeric_limits<std::int64_t>::max();
inline constexpr std::int64_t kMinRaw = std::numeric_limits<std::int64_t>::min();

__extension__ typedef __int128 Wide;  // sums over all instruments

// |v|, and the largest value for the smallest.
[[nodiscard]] constexpr std::int64_t magnitude(std::int64_t v) noexcept {
  if (v == kMinRaw) {
    return kMaxRaw;
  }
  return v < 0 ? -v : v;
}

inline void add_saturating(std::int64_t& value, std::int64_t delta) noexcept {
  std::int64_t sum = 0;
  if (add_checked(value, delta, sum)) {
    value = sum;
  } else {
    value = delta > 0 ? kMaxRaw : kMinRaw;
  }
}

// a − b, held at the ends of the range: for numbers out of records, which may be anything. A
// difference of stamps that wrapped would turn the oldest into the newest.
[[nodiscard]] inline std::int64_t sub_saturating(std::int64_t a, std::int64_t b) noexcept {
  std::int64_t difference = 0;
  if (sub_checked(a, b, difference)) {
    return difference;
  }
  return b < 0 ? kMaxRaw : kMinRaw;
}

[[nodiscard]] constexpr std::int64_t clamp_raw(Wide v) noexcept {
  if (v > kMaxRaw) {
    return kMaxRaw;
  }
  return v < kMinRaw ? kMinRaw : static_cast<std::int64_t>(v);
}

}  // namespace sluice
