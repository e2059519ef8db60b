#include "tools/shm_top/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace sluice::top {
namespace {

bool continues_character(char c) noexcept {
  return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U;
}

// Three significant digits of value in [0, 1000).
std::string three_digits(double value) {
  if (value < 9.995)
    return fmt::format("{:.2f}", value);
  return value < 99.95 ? fmt::format("{:.1f}", value) : fmt::format("{:.0f}", value);
}

std::string repeat(std::string_view piece, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i)
    out += piece;
  return out;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c < ' ' || c > '~')
      c = '?';
  }
  return out;
}

std::string_view without_folder(std::string_view dir, std::string_view message) noexcept {
  const bool names_it = message.starts_with(dir) && message.substr(dir.size()).starts_with('/');
  return names_it ? message.substr(dir.size() + 1) : message;
}

std::size_t width_of(std::string_view text) noexcept {
  return text.size() -
         static_cast<std::size_t>(std::count_if(text.begin(), text.end(), continues_character));
}

std::string cut(std::string_view text, std::size_t width, bool utf8) {
  if (width_of(text) <= width)
    return std::string(text);
  if (width == 0)
    return "";
  std::size_t end = 0;
  for (std::size_t seen = 0; end < text.size(); ++end) {
    if (!continues_character(text[end]) && seen++ == width - 1)
      break;
  }
  return std::string(text.substr(0, end)) + (utf8 ? "…" : "~");
}

std::string_view without_kind(std::string_view name) noexcept {
  const std::size_t dot = name.find('.');
  return dot == name.npos ? name : name.substr(dot + 1);
}

std::string duration_text(std::uint64_t ns, bool utf8) {
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  return duration_text(static_cast<std::int64_t>(std::min(ns, kMost)), utf8);
}

std::string duration_text(std::int64_t ns, bool utf8) {
  if (ns < 1000)
    return fmt::format("{}ns", std::max<std::int64_t>(ns, 0));
  const auto value = static_cast<double>(ns);
  if (value < 999.5e3)
    return three_digits(value / 1e3) + (utf8 ? "µs" : "us");
  if (value < 999.5e6)
    return three_digits(value / 1e6) + "ms";
  const std::int64_t seconds = ns / 1'000'000'000;
  if (seconds < 100)
    return three_digits(value / 1e9) + "s";
  if (seconds < 3600)
    return fmt::format("{}m{:02}s", seconds / 60, seconds % 60);
  if (seconds < 48 * 3600)
    return fmt::format("{}h{:02}m", seconds / 3600, seconds / 60 % 60);
  return fmt::format("{}d{:02}h", seconds / 86'400, seconds / 3600 % 24);
}

std::string count_text(std::uint64_t count) {
  if (count < 10'000)
    return std::to_string(count);
  constexpr std::array kUnits{"k", "M", "G", "T", "P", "E"};
  auto value = static_cast<double>(count) / 1e3;
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1e3;
    ++unit;
  }
  return three_digits(value) + kUnits[unit];
}

std::string rate_text(double rate) {
  if (!(rate > 0))
    return "0";
  if (rate < 9.95)
    return fmt::format("{:.1f}", rate);
  return count_text(static_cast<std::uint64_t>(std::llround(std::min(rate, 9e18))));
}

std::string percent_text(double share) {
  const double percent = std::clamp(share, 0.0, 99.99) * 100;
  if (percent > 0 && percent < 0.1)
    return "<0.1%";
  return percent > 0 && percent < 9.95 ? fmt::format("{:.1f}%", percent)
                                       : fmt::format("{:.0f}%", percent);
}

std::string short_decimal(std::string_view decimal, std::size_t digits) {
  const std::size_t point = decimal.find('.');
  return std::string(point == decimal.npos ? decimal : decimal.substr(0, point + 1 + digits));
}

BarParts bar_parts(double now, double most, std::size_t width, bool utf8) {
  // Eighths of a character, from one eighth to a whole one.
  constexpr std::array kEighths{"▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
  const auto scaled = [&](double share) {
    const double whole = static_cast<double>(width) * 8;
    const double eighths = std::clamp(share, 0.0, 1.0) * whole;
    return static_cast<std::size_t>(share > 0 ? std::max(1.0, std::round(eighths)) : 0.0);
  };
  const std::size_t filled = scaled(now);
  const std::size_t full = filled / 8;
  const std::size_t used = (filled + 7) / 8;
  const std::size_t marked = std::max(used, (scaled(std::max(now, most)) + 7) / 8);
  BarParts parts;
  if (utf8) {
    parts.now = repeat("█", full) + (used > full ? kEighths[filled % 8 - 1] : "");
  } else {
    parts.now = repeat("#", used);
  }
  parts.most = repeat(utf8 ? "─" : "=", marked - used);
  parts.rest = repeat(utf8 ? "·" : ".", width - marked);
  return parts;
}

}  // namespace sluice::top
