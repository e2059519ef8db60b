// 128-bit identifiers: venue order ids and execution ids (UUIDs), account and instance ids.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/schema.hpp"

namespace sluice {

// The 16 bytes of a UUID, most significant first in hi, lo.
struct Id128 {
  std::uint64_t hi{0};
  std::uint64_t lo{0};
  friend constexpr auto operator<=>(const Id128&, const Id128&) = default;
  [[nodiscard]] constexpr bool is_zero() const noexcept { return hi == 0 && lo == 0; }
};
SLUICE_SCHEMA(Id128, hi, lo);

inline constexpr std::size_t kUuidChars = 36;

// Reads the 8-4-4-4-12 form, either case, the whole of `text`. `out` is written only on success.
[[nodiscard]] bool parse_uuid(std::string_view text, Id128& out) noexcept;

// Writes exactly kUuidChars lower-case characters, no NUL.
void format_uuid(const Id128& id, char* out) noexcept;
[[nodiscard]] std::string to_string(const Id128& id);

// A version 4 UUID (RFC 4122) from the kernel's generator. Never zero. Start-up and control only (a
// syscall).
[[nodiscard]] Id128 random_id();

}  // namespace sluice

template <>
struct std::hash<sluice::Id128> {
  // Venue ids are random already; the multiplication spreads the structured ones of tests.
  std::size_t operator()(const sluice::Id128& id) const noexcept {
    return static_cast<std::size_t>((id.hi ^ (id.lo << 32 | id.lo >> 32)) *
                                    0x9e37'79b9'7f4a'7c15ULL);
  }
};
