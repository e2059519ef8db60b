// The strategy API: what a strategy is told, what it may ask for, and what it may see.
//
// Thread contract: one thread, the strategy process's loop. A strategy is pure: no clock, no I/O,
// no allocation after construction; `now` comes with each call. Invariants:
//  1. Inside a call only the event, the strategy's own state, `now` and the host's answers to
//  submit()
//     and cancel() may influence what it does; that is what makes a re-execution exact.
//  2. A refused submit() leaves no trace: no order exists, nothing is counted against the strategy.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/market/instrument.hpp"
#include "common/messages/control.hpp"
#include "common/messages/execution.hpp"
#include "common/messages/market_event.hpp"

namespace sluice {

struct OrderRequest {
  std::uint32_t instrument{0};
  Side side{Side::kNone};
  OrderType type{OrderType::kNone};
  TimeInForce tif{TimeInForce::kNone};
  Qty qty{};
  Price limit{};  // required for limit orders, zero for market orders
};

enum class SubmitStatus : std::uint8_t {
  kOk,
  kNoCredit,         // the intent ring is full: try again on a later event
  kTooManyOpen,      // the host tracks a bounded number of open orders
  kSuppressed,       // the event was too old for a signal
  kMalformed,        // off tick or lot, not this strategy's instrument, no price
  kNoOrder,          // replace: the order has ended, is not this strategy's, or is no limit order
  kReplaceInFlight,  // replace: one of this order is not resolved yet; ask again after it is
  kCancelled,        // replace: a cancel of the order was asked for before
};

// An own order as the host knows it from executions and verdicts. An order and what replaced it
// form a chain: `qty` and `filled` are the chain's totals, so leaves() may still trade.
struct OwnOrder {
  IntentId id{};
  std::uint32_t instrument{0};
  Side side{Side::kNone};
  OrderType type{OrderType::kNone};
  TimeInForce tif{TimeInForce::kNone};
  OrderState state{OrderState::kNone};
  Qty qty{};
  Qty filled{};
  Price limit{};
  MonoNanos placed_ns{};
  std::uint8_t cancel_sent{0};
  IntentId replaces{};     // the order this one replaces or replaced; none: placed by submit()
  IntentId replaced_by{};  // the successor while its replace is not resolved; none: no replace

  [[nodiscard]] bool replace_in_flight() const noexcept { return !replaced_by.is_none(); }
  [[nodiscard]] Qty leaves() const noexcept {
    return Qty{qty.raw > filled.raw ? qty.raw - filled.raw : 0};
  }
};

// What a strategy may do and see during a call. Implemented by StrategyHost.
class StrategyContext {
 public:
  virtual ~StrategyContext() = default;

  [[nodiscard]] virtual MonoNanos now() const noexcept = 0;
  [[nodiscard]] virtual const InstrumentTable& instruments() const noexcept = 0;
  // On kOk `id` names the new order.
  [[nodiscard]] virtual SubmitStatus submit(const OrderRequest& request, IntentId& id) noexcept = 0;
  // Replaces a working own order: `qty` is the chain's new total, filled included. On kOk `id`
  // names the successor, which is in the book beside the old order until the replace is resolved:
  // kReplaced of the old (the successor lives), or kRefused, kReplaceRejected or a refusing verdict
  // of the successor (the old lives on). The old may fill, or end, meanwhile.
  [[nodiscard]] virtual SubmitStatus replace(IntentId order, Qty qty, Price limit,
                                             IntentId& id) noexcept = 0;
  // False when the cancel ring is full; ask again later. Repeats for one order are coalesced. A
  // cancel of either order of a replace ends the chain.
  virtual bool cancel(IntentId order) noexcept = 0;

  // Signed position of this strategy in 1e-9, net of asset fees.
  [[nodiscard]] virtual std::int64_t position(std::uint32_t instrument) const noexcept = 0;
  // Quantity that open orders of this strategy may still trade on a side; a chain counts with the
  // larger of what its orders may trade.
  [[nodiscard]] virtual Qty working(std::uint32_t instrument, Side side) const noexcept = 0;
  // Null when the order has ended or is not this strategy's.
  [[nodiscard]] virtual const OwnOrder* order(IntentId id) const noexcept = 0;
  [[nodiscard]] virtual std::uint32_t open_orders() const noexcept = 0;
};

class Strategy {
 public:
  virtual ~Strategy() = default;

  // Events of this strategy's instruments, and kSession, of no instrument: the feed began anew, and
  // neither its quotes nor its statuses hold any more.
  virtual void on_market(const MarketEvent& event, StrategyContext& context) noexcept = 0;
  // After the host has booked it: position() and order() already show the result.
  virtual void on_execution(const Execution& execution, StrategyContext& context) noexcept = 0;
  virtual void on_verdict(const Verdict& verdict, StrategyContext& context) noexcept = 0;
  virtual void on_command(const Command& command, StrategyContext& context) noexcept = 0;
  // Called at least every few milliseconds while nothing else happens.
  virtual void on_time(StrategyContext& context) noexcept = 0;
};

}  // namespace sluice
