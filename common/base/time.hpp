// Nanoseconds since the Unix epoch, UTC, in two types that do not mix by accident.
//
// Any process and thread may call these. The pure core never calls wall_now: it is given the time.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/schema.hpp"

namespace sluice {

inline constexpr std::int64_t kNanosPerMicro = 1'000;
inline constexpr std::int64_t kNanosPerMilli = 1'000'000;
inline constexpr std::int64_t kNanosPerSecond = 1'000'000'000;

// The clock of the outside world: stamps of venues and exchanges, which may be stepped.
struct WallNanos {
  std::int64_t ns{0};
  friend constexpr auto operator<=>(const WallNanos&, const WallNanos&) = default;
};
SLUICE_SCHEMA(WallNanos, ns);

// Our own clock (tsc.hpp): anchored to UTC once per generation and never stepped, so stamps of all
// our processes compare, and compare numerically with WallNanos up to the clocks' drift.
struct MonoNanos {
  std::int64_t ns{0};
  friend constexpr auto operator<=>(const MonoNanos&, const MonoNanos&) = default;
};
SLUICE_SCHEMA(MonoNanos, ns);

// Reads `YYYY-MM-DDThh:mm:ss[.f{1,9}](Z|±hh:mm)` (RFC 3339; 't' and 'z' too), the whole of `text`.
// Refused: more than nine fraction digits (never rounded), leap seconds (:60 has no UTC nanosecond
// of its own), dates that do not exist, and instants outside int64 (before 1677 or after 2262).
// `out` is written only on success.
[[nodiscard]] bool parse_rfc3339(std::string_view text, WallNanos& out) noexcept;

inline constexpr std::size_t kMaxRfc3339Chars = 32;

// Writes UTC with 'Z', the fraction without trailing zeros and left out when zero; no NUL. Returns
// the length, at most
// 30. `out` has room for kMaxRfc3339Chars.
std::size_t format_rfc3339(WallNanos time, char* out) noexcept;
[[nodiscard]] std::string to_string(WallNanos time);
[[nodiscard]] inline std::string to_string(MonoNanos time) {
  return to_string(WallNanos{time.ns});
}

// CLOCK_REALTIME. For shells only.
[[nodiscard]] WallNanos wall_now() noexcept;

}  // namespace sluice
