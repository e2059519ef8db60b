// What each strategy did, for the report.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>

#include "common/runtime/config.hpp"

namespace sluice::demo {

// One object per strategy in the order of the configuration: name, kind, instruments, intents,
// orders (that the venue ever had), fills, partial_fills, replaces, cancels, realised. Counts come
// from the order board, P&L from the position board. Throws AttachError when there is no instance.
[[nodiscard]] nlohmann::ordered_json strategy_numbers(const InstanceConfig& config);

// Trading statuses (halts, resumptions and the rest) that all feeds received.
[[nodiscard]] std::uint64_t statuses_received(const InstanceConfig& config);

}  // namespace sluice::demo
