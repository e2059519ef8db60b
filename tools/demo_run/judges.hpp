// Comparing the three judges: our books, the simulator's ledger, and the recomputation from the
// wire.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace sluice::demo {

struct Judge {
  std::string name;
  nlohmann::ordered_json books;
};

// Field by field, each pair. One line per difference: "ours and venue differ in
// orders.slc-….status: filled, canceled". At most `limit` lines a pair; the count of the rest is
// the last line.
[[nodiscard]] std::vector<std::string> differences(const Judge& a, const Judge& b,
                                                   std::size_t limit);

// {"equal":bool,"ours_venue":bool,"ours_wire":bool,"venue_wire":bool,"differences":[…],"violations":[…]}
[[nodiscard]] nlohmann::ordered_json compare(const Judge& ours, const Judge& venue,
                                             const Judge& wire);

}  // namespace sluice::demo
