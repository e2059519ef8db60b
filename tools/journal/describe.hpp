// Taps in words: the decoding that `cat` prints and `stat` counts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/messages/tap.hpp"
#include "tools/journal/fields.hpp"

namespace sluice::journal_tool {

// "execution", "market", …; "unknown" for a number that is none of ours.
[[nodiscard]] const char* name_of(TapType type) noexcept;
// nullopt-like: TapType::kNone when no type has this name.
[[nodiscard]] TapType tap_type_named(std::string_view name) noexcept;
// All names, comma-separated, for messages.
[[nodiscard]] std::string all_tap_type_names();

[[nodiscard]] const char* name_of(MarketKind kind) noexcept;

// The body of a tap. A body that does not decode (unknown type) gives its first words in
// hexadecimal.
[[nodiscard]] Fields describe_body(const Tap& tap);

}  // namespace sluice::journal_tool
