// What the gateway's core is given beside the records of the rings, and what it counts.
// Plain values; see gateway_core.hpp.
#pragma once

#include "common/messages/rows.hpp"
#include "common/trading/gate.hpp"

namespace sluice {

// What the hot thread read from boards, pages and queues for one intent. Values not read stay at
// their defaults, which refuse.
struct IntentContext {
  MonoNanos now{};
  MonoNanos poll_ns{};  // when the intent was taken from the ring
  KillProbe kill{};
  LimitRow head{};  // limit sheet: head and the instrument's row
  LimitRow limits{};
  QuoteRow quote{};
  bool risk_alive{false};
  std::uint32_t risk_incarnation{0};
  std::uint32_t strategy_incarnation{0};  // from the strategy's liveness row
  bool journal_high_water{false};
  bool connection_ready{false};     // a connection for orders is idle
  bool hand_over_room{false};       // the queue to the network thread has room
  bool execution_ring_room{false};  // on every execution ring
  bool owed_within_limits{false};   // no full ring holds back more rows than it may
};

// A replace as the venue is asked for it. Fields that stay are not sent: the venue takes a changed
// quantity in whole units only (protocols 4.4).
struct ReplaceChange {
  Qty qty{};  // the chain's new total
  Price limit{};
};

enum class KillMode : std::uint8_t {
  kStop = 0,       // cancel opening orders, keep those that reduce
  kCancelAll = 1,  // cancel every order of ours
};

struct GatewayCounters {
  std::uint64_t intents{0};
  std::uint64_t duplicate_intents{0};  // seen before: silent
  std::uint64_t garbage_intents{0};    // no such strategy
  std::uint64_t submitted{0};
  std::uint64_t cancels{0};
  std::uint64_t cancels_foreign{0};  // for an order of another strategy
  std::uint64_t cancels_late{0};     // the order had ended or never was
  std::uint64_t cancels_coalesced{0};
  std::uint64_t deletes{0};
  std::uint64_t lookups{0};
  std::uint64_t fills{0};
  std::uint64_t duplicate_fills{0};
  std::uint64_t dropped_fills{0};
  std::uint64_t old_fills{0};  // from before this process; not ours to book
  std::uint64_t fees{0};
  std::uint64_t duplicate_fees{0};
  std::uint64_t unknown_outcomes{0};
  std::uint64_t unproven{0};
  std::uint64_t orphans{0};
  std::uint64_t foreign_orders{0};
  std::uint64_t garbled_ids{0};
  std::uint64_t stale_results{0};  // for a row that is another order's by now
  std::uint64_t alerts{0};
};

}  // namespace sluice
