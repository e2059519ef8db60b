// stops.hpp — stop orders that wait for their price.
//
// Pure. A stop is elected by a recorded trade, never by a quote; whether a trade counts (inside the
// quote, not halted) is the caller's business. A trailing stop follows the best trade since it was
// armed (its high water mark) and never moves back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tools/venue_sim/types.hpp"

namespace sluice::sim {

struct StopOrder {
  OrderKey key;
  Side side;
  Price stop;                     // a buy waits for a trade at or above it, a sell at or below
  Price trail_price{};            // trailing: this far away
  std::int64_t trail_percent{0};  // or so many percent, 1e-9
  Price hwm{};                    // 0 = no trade yet

  [[nodiscard]] bool trails() const noexcept { return trail_price.raw != 0 || trail_percent != 0; }
};

// Where a stop trails that has seen `hwm`; the tick is rounded to, away from the market.
[[nodiscard]] Price trailing_stop(const StopOrder& order, Price hwm, Price tick) noexcept;

class StopBook {
 public:
  explicit StopBook(std::size_t symbols) : armed_(symbols) {}

  void arm(SymbolIndex symbol, const StopOrder& order) { armed_[symbol].push_back(order); }
  // False if it is not armed.
  bool remove(SymbolIndex symbol, OrderKey key) noexcept;

  struct Outcome {
    std::vector<OrderKey> elected;   // in the order in which they were armed; no longer here
    std::vector<StopOrder> trailed;  // armed still, with a new stop
  };
  [[nodiscard]] Outcome trade(SymbolIndex symbol, Price px, Price tick);

  [[nodiscard]] std::size_t armed(SymbolIndex symbol) const { return armed_[symbol].size(); }

 private:
  std::vector<std::vector<StopOrder>> armed_;
};

}  // namespace sluice::sim
