// What this build is. Two builds that could misread each other's memory have different build ids.
#pragma once

#include <cstdint>
#include <string>

namespace sluice {

// Hash over the version and every record's schema: equal layouts, equal id.
[[nodiscard]] std::uint64_t build_id();
// "sluice 0.1.0 (layout 0123456789abcdef)"
[[nodiscard]] std::string version_text();

}  // namespace sluice
