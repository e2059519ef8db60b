// What a person reads when the gateway's core raises an alert: what is, and what was done about it.
#pragma once

#include "common/trading/gateway_output.hpp"

namespace sluice {

[[nodiscard]] inline const char* text_of(Alert alert) noexcept {
  switch (alert) {
    case Alert::kNone:
      return "none";
    case Alert::kOrderDiffers:
      return "the venue's order is not what we sent; instrument halted";
    case Alert::kExecutionExcess:
      return "an execution did not fit its order; dropped, audit asked";
    case Alert::kExecutionConflict:
      return "one execution id with two contents; instrument halted";
    case Alert::kOverfill:
      return "filled above the order's quantity; instrument halted";
    case Alert::kUnknownEvent:
      return "an event that is not understood; instrument halted";
    case Alert::kOrderLost:
      return "an order is lost; counted at its worst, still looked up";
    case Alert::kOrphanAdopted:
      return "an order of ours without a row was found; cancelled";
    case Alert::kForeignOrder:
      return "an order that is not ours works in this account";
    case Alert::kVenueDenies:
      return "the venue does not find an order it had confirmed";
    case Alert::kContradiction:
      return "the venue shows an order that was refused or not sent";
    case Alert::kStreamUnproven:
      return "an answered request was not matched on the order stream";
    case Alert::kPositionDiffers:
      return "our position differs from the venue's; reduce only";
    case Alert::kAccountDiffers:
      return "the venue shows another account than before";
    case Alert::kQuarantined:
      return "a sum does not fit its range; instrument halted";
    case Alert::kMemoryFull:
      return "no room to remember executions; raise gateway.orders_max";
    case Alert::kTombstonesFull:
      return "too many cancels of unseen orders; those orders are refused";
    case Alert::kTableFull:
      return "an order at the venue has no row; raise gateway.orders_max";
  }
  return "?";
}

}  // namespace sluice
