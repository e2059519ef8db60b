#include "tools/venue_sim/credentials.hpp"

#include <cstdint>
#include <optional>

namespace sluice::sim {
namespace {

std::optional<std::uint32_t> base64_digit(char c) noexcept {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::size_t at = kDigits.find(c);
  return at == std::string_view::npos ? std::nullopt
                                      : std::optional(static_cast<std::uint32_t>(at));
}

// Padding may be there or not; anything behind it may not.
std::optional<std::string> base64_decode(std::string_view text) {
  while (text.ends_with('=')) {
    text.remove_suffix(1);
  }
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const auto digit = base64_digit(c);
    if (!digit) {
      return std::nullopt;
    }
    bits = bits << 6 | *digit;
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<char>(bits >> count & 0xFF));
    }
  }
  return out;
}

}  // namespace

bool Credentials::match_basic(std::string_view authorization) const {
  constexpr std::string_view kScheme = "Basic ";
  if (!authorization.starts_with(kScheme)) {
    return false;
  }
  const auto pair = base64_decode(authorization.substr(kScheme.size()));
  const std::size_t colon = pair ? pair->find(':') : std::string::npos;
  return colon != std::string::npos &&
         match(std::string_view(*pair).substr(0, colon), std::string_view(*pair).substr(colon + 1));
}

}  // namespace sluice::sim
