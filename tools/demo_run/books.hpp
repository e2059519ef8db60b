// Our books, as the boards and the journal have them, in the judges' common form.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "common/runtime/config.hpp"

namespace sluice::demo {

struct Progress {
  std::uint64_t market_events{0};
  std::uint64_t intents{0};
  std::uint64_t orders{0};
  std::uint64_t fills{0};
  std::uint64_t working{0};
  bool quiescent{false};
  bool flat{false};  // but for dust below the minimum order
  bool killed{false};
  bool winding_down{false};
  std::string position;  // first instrument
  std::string realised;  // of the account
};
// One look at a running (or dead) instance. Throws AttachError when there is none.
[[nodiscard]] Progress look(const InstanceConfig& config);

// The canonical form all judges print (docs/judges.md): orders, executions, cash, positions, fees.
// Orders come from the board, executions and fees from the journal, sums from the boards.
[[nodiscard]] nlohmann::ordered_json our_books(const InstanceConfig& config);

// The venue's books with what each order traded itself as its filled_qty: a venue may go on
// counting in a successor what its predecessors traded.
void count_own_executions(nlohmann::ordered_json& books);

// Counts, latencies and rings for the report.
[[nodiscard]] nlohmann::ordered_json our_numbers(const InstanceConfig& config);

}  // namespace sluice::demo
