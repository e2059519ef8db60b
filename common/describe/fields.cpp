#include "common/describe/fields.hpp"

#include <nlohmann/json.hpp>
#include <type_traits>
#include <utility>

namespace sluice {
namespace {

// The strings come from a file that may be damaged: whatever is no UTF-8 is replaced, never thrown
// at.
std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string Fields::line() const {
  std::string out;
  for (const Entry& entry : entries_) {
    if (!out.empty())
      out += ' ';
    out += entry.key + '=';
    std::visit(
        [&](const auto& value) {
          using T = std::decay_t<decltype(value)>;
          if constexpr (std::is_same_v<T, std::string>) {
            out += value;
          } else if constexpr (std::is_same_v<T, std::vector<Fields>>) {
            for (const Fields& item : value)
              out += '[' + item.line() + ']';
          } else {
            out += std::to_string(value);
          }
        },
        entry.value);
  }
  return out;
}

std::string Fields::json() const {
  std::string out;
  append_json(out);
  return out;
}

void Fields::append_json(std::string& out) const {
  out += '{';
  bool first = true;
  for (const Entry& entry : entries_) {
    if (!std::exchange(first, false))
      out += ',';
    out += quoted(entry.key) + ':';
    std::visit(
        [&](const auto& value) {
          using T = std::decay_t<decltype(value)>;
          if constexpr (std::is_same_v<T, std::string>) {
            out += quoted(value);
          } else if constexpr (std::is_same_v<T, std::vector<Fields>>) {
            if (!entry.single)
              out += '[';
            for (std::size_t i = 0; i < value.size(); ++i) {
              if (i != 0)
                out += ',';
              value[i].append_json(out);
            }
            if (!entry.single)
              out += ']';
          } else {
            out += std::to_string(value);
          }
        },
        entry.value);
  }
  out += '}';
}

}  // namespace sluice
