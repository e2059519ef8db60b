// FixedText: a short text inside a record. Trivially copyable, never allocates, never throws.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace sluice::venue {

template <std::size_t Capacity>
struct FixedText {
  static_assert(Capacity <= 0xffff, "the size is kept in 16 bits");

  std::array<char, Capacity> chars{};
  std::uint16_t size{0};

  [[nodiscard]] constexpr std::string_view view() const noexcept { return {chars.data(), size}; }
  [[nodiscard]] constexpr bool empty() const noexcept { return size == 0; }

  // False, and unchanged, when `text` does not fit: an identity is kept whole or not at all.
  [[nodiscard]] constexpr bool assign(std::string_view text) noexcept {
    if (text.size() > Capacity) {
      return false;
    }
    assign_truncated(text);
    return true;
  }

  // For texts that are only shown.
  constexpr void assign_truncated(std::string_view text) noexcept {
    size = static_cast<std::uint16_t>(std::min(text.size(), Capacity));
    std::copy_n(text.data(), size, chars.data());
    std::fill(chars.begin() + size, chars.end(), '\0');
  }
};

}  // namespace sluice::venue
