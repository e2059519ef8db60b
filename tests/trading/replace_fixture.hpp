// A gateway with an order that works and its replace on the way.
#pragma once

#include "tests/trading/gateway_fixture.hpp"

namespace sluice::testing {

// An order of 1 BTC that works, and its replace on the way.
struct InFlight : Gateway {
  explicit InFlight(std::string_view total = "2", std::string_view limit = "59995",
                    Side side = Side::kBuy)
      : old(work(side, "1", "59990")), next(replace(old, total, limit)) {}

  void answered() { accept(next); }
  void fresh(std::string_view filled = "0") {
    event(next, TradeUpdateKind::kNew, VenueStatus::kNew, filled);
  }
  void replaced(std::string_view filled = "0") {
    event(old, TradeUpdateKind::kReplaced, VenueStatus::kReplaced, filled);
  }
  void rejected(std::uint32_t row) {
    event(row, TradeUpdateKind::kReplaceRejected, VenueStatus::kNew);
  }
  [[nodiscard]] OrderState state_of(std::uint32_t row) const { return core.row(row).state; }
  [[nodiscard]] bool in_flight() const { return (core.row(old).flags & kReplaceInFlight) != 0; }
  [[nodiscard]] Qty buying() const { return account_position().working_buy; }

  std::uint32_t old;
  std::uint32_t next;
};

}  // namespace sluice::testing
