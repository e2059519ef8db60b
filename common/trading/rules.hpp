// The gateway's own rules: ceilings no limit sheet can loosen, and the times of the order path.
// Filled once from the config, before the core is built; plain values.
//
// Bounds here are what the core refuses or waits by; a zero limit means "none allowed", never
// "unlimited". Times are nanoseconds.
#pragma once

#include <string>
#include <vector>

#include "common/base/id.hpp"
#include "common/market/instrument.hpp"

namespace sluice {

// Ceilings for one instrument, by its index. The instrument itself (tick, lot, minimum, shortable,
// market orders) comes from the InstrumentTable.
struct InstrumentCeilings {
  bool allowed{false};                // on the gateway's allowlist
  Qty order_qty{};                    // largest order
  Cash order_notional{};              // at the worst price
  Qty position{};                     // |position| with everything working against us
  Cash exposure{};                    // the same, valued
  std::int64_t collar_bps{0};         // through the touch, opening orders
  std::int64_t reduce_collar_bps{0};  // the same for orders that reduce; wider
  std::int64_t market_data_max_age_ns{
      0};  // 0: the check is off (bench profile against the simulator)
  // Estimate until the venue names the fee: its highest tier. 0: the venue charges none, no fee
  // will be told, and an execution's fee of 0 is final at once.
  std::uint32_t fee_bps{0};
};

struct GateRules {
  std::vector<InstrumentCeilings> instruments;
  Id128 expected_account{};  // zero: any; else the account the config names
  Cash gross_exposure{};
  std::uint32_t open_orders{0};  // working, in flight and unknown together
  std::int64_t limit_sheet_max_age_ns{0};
  std::int64_t deadline_max_ns{0};     // a deadline further away than this is malformed
  std::int64_t clock_tolerance_ns{0};  // how far in the future `decided_ns` may lie
  std::int64_t duplicate_within_ns{
      0};                            // an equal order of the strategy this soon is refused; 0: off
  std::int64_t audit_max_age_ns{0};  // reductions pass an unproven stream after an audit this young
};

struct GatewayRules {
  std::string instance;  // part of every client order id
  GateRules gate;
  std::uint32_t strategies{0};
  std::uint32_t order_rows{0};     // capacity of the order board
  std::uint32_t execution_ids{0};  // remembered executions; more than any retention can fill
  std::uint32_t tombstones_per_strategy{64};
  std::uint32_t strategy_orders_per_second{0};
  std::uint32_t venue_requests_per_minute{0};
  std::uint32_t venue_requests_reserved{0};  // of these, kept for cancels and look-ups

  std::int64_t settle_ns{0};             // after the hard close, between two look-ups of an unknown
  std::uint32_t lookups_before_lost{3};  // not-found answers in a row until the order is Lost
  std::int64_t lost_poll_ns{0};          // look-ups of a Lost order
  std::int64_t stream_proof_ns{
      0};                          // an answered POST or DELETE must show on the stream within this
  std::int64_t idle_proof_ns{0};   // with nothing working: pong and account read younger than this
  std::int64_t cancel_poll_ns{0};  // a DELETE without an event is polled by id after this
  std::int64_t retry_ns{0};        // pause before an own request that could not be handed over
  std::int64_t gap_audit_ns{0};    // cumulative above booked for this long: audit
  std::int64_t audit_retry_ns{0};  // at most one audit in this time
  std::int64_t rate_pause_ns{0};   // no new order after a 429
  std::int64_t terminal_retention_ns{0};
  std::int64_t created_tolerance_ns{0};  // the venue's clock may be behind ours by this
};

}  // namespace sluice
