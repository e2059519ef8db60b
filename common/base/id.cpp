#include "common/base/id.hpp"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "common/base/error.hpp"

namespace sluice {
namespace {

constexpr bool is_dash_at(std::size_t position) noexcept {
  return position == 8 || position == 13 || position == 18 || position == 23;
}

// The value of a hexadecimal digit, or 16.
constexpr std::uint64_t hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') {
    return static_cast<std::uint64_t>(c - '0');
  }
  if (c >= 'a' && c <= 'f') {
    return static_cast<std::uint64_t>(c - 'a') + 10;
  }
  if (c >= 'A' && c <= 'F') {
    return static_cast<std::uint64_t>(c - 'A') + 10;
  }
  return 16;
}

}  // namespace

bool parse_uuid(std::string_view text, Id128& out) noexcept {
  if (text.size() != kUuidChars) {
    return false;
  }
  Id128 id;
  for (std::size_t i = 0; i < kUuidChars; ++i) {
    if (is_dash_at(i)) {
      if (text[i] != '-') {
        return false;
      }
      continue;
    }
    const std::uint64_t digit = hex_value(text[i]);
    if (digit == 16) {
      return false;
    }
    id.hi = id.hi << 4 | id.lo >> 60;
    id.lo = id.lo << 4 | digit;
  }
  out = id;
  return true;
}

void format_uuid(const Id128& id, char* out) noexcept {
  constexpr std::string_view kHex = "0123456789abcdef";
  int nibble = 0;
  for (std::size_t i = 0; i < kUuidChars; ++i) {
    if (is_dash_at(i)) {
      out[i] = '-';
      continue;
    }
    const std::uint64_t half = nibble < 16 ? id.hi : id.lo;
    out[i] = kHex[(half >> (60 - 4 * (nibble % 16))) & 0xfU];
    ++nibble;
  }
}

std::string to_string(const Id128& id) {
  std::array<char, kUuidChars> text;
  format_uuid(id, text.data());
  return std::string(text.data(), text.size());
}

Id128 random_id() {
  Id128 id;
  ssize_t got = 0;
  do {
    got =
        getrandom(&id, sizeof(id), 0);  // 16 bytes are never cut short once the generator is seeded
  } while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(sizeof(id))) {
    throw Error(ExitCode::kResource,
                std::string("getrandom: ") + std::strerror(errno) +
                    "; the kernel's random generator is needed to name orders and runs");
  }
  id.hi = (id.hi & ~std::uint64_t{0xf000}) | 0x4000;                           // version 4
  id.lo = (id.lo & ~(std::uint64_t{0xc} << 60)) | (std::uint64_t{0x8} << 60);  // variant 1
  return id;
}

}  // namespace sluice
