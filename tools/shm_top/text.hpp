// Numbers as short texts, for a screen.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::top {

// What stands in shared memory, made fit for a terminal: everything but printable ASCII becomes
// '?'.
[[nodiscard]] std::string printable(std::string_view text);

// A message about a file of the folder, which already stands in the first line of a narrow screen.
[[nodiscard]] std::string_view without_folder(std::string_view dir,
                                              std::string_view message) noexcept;

// Characters on the screen: code points of UTF-8; none of ours is wide or combining.
[[nodiscard]] std::size_t width_of(std::string_view text) noexcept;
// At most `width` characters; what is cut is marked by a last "…" ("~" without UTF-8).
[[nodiscard]] std::string cut(std::string_view text, std::size_t width, bool utf8);

// The name of a stage without what kind of stage it is: "crypto" of "feed.crypto"; "risk" of
// "risk".
[[nodiscard]] std::string_view without_kind(std::string_view name) noexcept;

// Three digits and a unit: "950ns", "12.3us", "1.50s", "2m05s", "3h10m", "4d02h". Below 0: "0ns".
[[nodiscard]] std::string duration_text(std::int64_t ns, bool utf8);
[[nodiscard]] std::string duration_text(std::uint64_t ns, bool utf8);
// "9999", "12.3k", "1.50M", …
[[nodiscard]] std::string count_text(std::uint64_t count);
// The same for a number with a fraction: "0.4", "12", "12.3k".
[[nodiscard]] std::string rate_text(double rate);
// "<0.1%", "0.4%", "12%", "100%".
[[nodiscard]] std::string percent_text(double share);
// A decimal with at most `digits` behind the point, cut, not rounded; for a glance.
[[nodiscard]] std::string short_decimal(std::string_view decimal, std::size_t digits);

// `width` characters: filled to `now`, shaded on to `most`, dots to the end; both are shares, and
// what is above nothing shows at least one character.
struct BarParts {
  std::string now;
  std::string most;
  std::string rest;
};
[[nodiscard]] BarParts bar_parts(double now, double most, std::size_t width, bool utf8);

}  // namespace sluice::top
