#include "tools/venue_sim/rest_query.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace sluice::sim {
namespace {

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

std::string percent_decode(std::string_view text, bool plus_is_blank) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
        hex_digit(text[i + 2]) >= 0) {
      out.push_back(static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2])));
      i += 2;
    } else {
      out.push_back(plus_is_blank && text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

std::vector<std::string> split(std::string_view text, char by) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(by), text.size());
    if (end > 0) {
      parts.emplace_back(text.substr(0, end));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

RestQuery::RestQuery(std::string_view query) {
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view value =
        equals < pair.size() ? pair.substr(equals + 1) : std::string_view();
    pairs_.emplace_back(percent_decode(pair.substr(0, equals), true), percent_decode(value, true));
    query.remove_prefix(std::min(end + 1, query.size()));
  }
}

std::string_view RestQuery::get(std::string_view name) const noexcept {
  for (const auto& [key, value] : pairs_) {
    if (key == name) {
      return value;
    }
  }
  return {};
}

bool RestQuery::size(std::string_view name, std::size_t max, std::size_t& out) const {
  const std::string_view text = get(name);
  if (text.empty()) {
    return true;
  }
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value == 0 || value > max) {
    return false;
  }
  out = value;
  return true;
}

bool RestQuery::time(std::string_view name, std::optional<WallNanos>& out) const {
  std::string text(get(name));
  if (text.empty()) {
    return true;
  }
  if (text.size() == 10) {
    text += "T00:00:00Z";
  }
  // '+' of an offset that a client left unescaped arrived as a blank.
  std::replace(text.begin(), text.end(), ' ', '+');
  WallNanos at{};
  if (!parse_rfc3339(text, at)) {
    return false;
  }
  out = at;
  return true;
}

bool RestQuery::ascending(bool& out) const {
  const std::string_view text = get("direction");
  out = text == "asc";
  return text.empty() || text == "asc" || text == "desc";
}

}  // namespace sluice::sim
