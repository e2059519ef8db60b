// rest_query.hpp — what stands behind the path: decoded key=value pairs of a query.
//
// Pure. An empty value counts as an absent one: the venue makes no difference.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/time.hpp"

namespace sluice::sim {

// "BTC%2FUSD" to "BTC/USD", in queries '+' to a blank; a broken escape stays as it is.
[[nodiscard]] std::string percent_decode(std::string_view text, bool plus_is_blank);

// "a,b" to its parts; empty ones are left out.
[[nodiscard]] std::vector<std::string> split(std::string_view text, char by = ',');

class RestQuery {
 public:
  explicit RestQuery(std::string_view query);

  // Empty when absent.
  [[nodiscard]] std::string_view get(std::string_view name) const noexcept;
  [[nodiscard]] bool is_true(std::string_view name) const noexcept { return get(name) == "true"; }
  // Each of these returns false on a value it cannot read and leaves `out` alone when absent.
  [[nodiscard]] bool size(std::string_view name, std::size_t max, std::size_t& out) const;
  // A moment, or a day, which stands for its first nanosecond in UTC.
  [[nodiscard]] bool time(std::string_view name, std::optional<WallNanos>& out) const;
  [[nodiscard]] bool ascending(bool& out) const;

 private:
  std::vector<std::pair<std::string, std::string>> pairs_;
};

}  // namespace sluice::sim
