// Limits of a portfolio of two strategies over the instruments of gateway_fixture.hpp.
#pragma once

#include "common/trading/risk_core.hpp"
#include "tests/trading/gateway_fixture.hpp"

namespace sluice::testing {

inline RiskRules risk_rules() {
  RiskInstrument i;
  i.max_order_qty = qty("5");
  i.max_order_notional = cash("400000");
  i.max_position = qty("8");
  i.max_exposure = cash("600000");
  RiskRules r;
  r.instruments = {i, i, i};
  RiskStrategy s;
  s.instruments = {kBtc, kAapl};
  s.max_position = qty("6");
  s.budget = cash("500000");
  r.strategies = {s, s};
  r.gross_exposure = cash("900000");
  r.open_orders = 4;
  r.reservations = 16;
  r.market_data_max_age_ns = 3 * kSec;
  r.deadline_max_ns = 60 * kSec;
  r.clock_tolerance_ns = kMs;
  return r;
}

}  // namespace sluice::testing
