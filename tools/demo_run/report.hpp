// The demo's report: one JSON object (contracts.md has its shape), or the same for people.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace sluice::demo {

// Everything except the JSON object goes to stderr; this is what a person reads at the end.
[[nodiscard]] std::string report_text(const nlohmann::ordered_json& report);

}  // namespace sluice::demo
