// What is in a session: counts, times and rates, as text for people and as JSON for scripts.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "common/market/session.hpp"

namespace sluice::convert {

struct SymbolInfo {
  std::array<std::uint64_t, 5> by_kind{};  // by SessionKind; index 0 is unused
  std::uint64_t locked_quotes{0};
  std::uint64_t crossed_quotes{0};
  std::uint64_t one_sided_quotes{0};  // or with neither side
  std::uint64_t halts{0};             // and volatility pauses
  std::int64_t low_px{0};             // of trades, 1e-9; 0 = none
  std::int64_t high_px{0};
};

struct SessionInfo {
  std::vector<SymbolInfo> symbols;
  std::uint64_t busiest_second{0};  // records; seconds counted from the first record
};

[[nodiscard]] SessionInfo inspect(const Session& session);

// A table; ends with a newline.
[[nodiscard]] std::string describe(const Session& session, const SessionInfo& info);
// One JSON object in one line, with a newline. Prices and quantities are strings, times ns.
[[nodiscard]] std::string describe_json(const Session& session, const SessionInfo& info);

}  // namespace sluice::convert
