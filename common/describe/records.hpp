// Records in words: the decoding that `sluice-journal cat` and `shm-top --tail` print. Any bytes
// may stand in a record: garbage is printed, never followed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/describe/fields.hpp"
#include "common/messages/tap.hpp"

namespace sluice {

// "execution", "market", …; "unknown" for a number that is none of ours.
[[nodiscard]] const char* name_of(TapType type) noexcept;
// nullopt-like: TapType::kNone when no type has this name.
[[nodiscard]] TapType tap_type_named(std::string_view name) noexcept;
// All names, comma-separated, for messages.
[[nodiscard]] std::string all_tap_type_names();

[[nodiscard]] const char* name_of(MarketKind kind) noexcept;

// Symbols by instrument index. Where it knows one, a record that names an instrument says its
// symbol as well.
using Symbols = std::vector<std::string>;

[[nodiscard]] Fields fields_of(const MarketEvent& event, const Symbols& symbols = {});
[[nodiscard]] Fields fields_of(const Intent& intent, const Symbols& symbols = {});
[[nodiscard]] Fields fields_of(const Execution& execution, const Symbols& symbols = {});
[[nodiscard]] Fields fields_of(const Cancel& cancel, const Symbols& symbols = {});
[[nodiscard]] Fields fields_of(const Verdict& verdict, const Symbols& symbols = {});
[[nodiscard]] Fields fields_of(const Command& command, const Symbols& symbols = {});
[[nodiscard]] Fields fields_of(const Tap& tap, const Symbols& symbols = {});  // with its body

// The body of a tap. A body that does not decode (unknown type) gives its first words in
// hexadecimal.
[[nodiscard]] Fields describe_body(const Tap& tap, const Symbols& symbols = {});

}  // namespace sluice
