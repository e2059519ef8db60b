// HardGate: the last checks before an order may leave the machine (order-path.md 4).
//
// Pure: the same inputs give the same result; no clock, no I/O, no allocation, constant time. One
// thread: the gateway's hot thread (the counters are not shared).
// Invariants:
//  1. Checks run in the documented order and the first failure is the reason. The kill words come
//  first
//     and last.
//  2. A limit is the smaller of the gateway's own ceiling and the limit sheet, never the larger.
//  3. "Reduces" is decided here, by position and leaves, never by what the intent claims. It lifts
//  only:
//     state ReduceOnly, journal high water, an old limit sheet, dead risk, position, exposure (and
//     an unproven stream after a young audit).
//  4. Of a replace, what may still trade counts (the chain's total less what it traded), and only
//     what it adds to the old order's leaves is new to position, exposure and buying power.
//  5. Arithmetic is checked; what does not fit is refused (kOverflow).
#pragma once

#include "common/messages/rows.hpp"
#include "common/trading/rules.hpp"

namespace sluice {

// Reads the kill words at the moment it is asked, so that the gate can ask twice. A probe that was
// never set counts as tripped.
struct KillProbe {
  bool (*read)(const void* context) noexcept {nullptr};
  const void* context{nullptr};

  [[nodiscard]] bool tripped() const noexcept { return read == nullptr || read(context); }
};

// What an order would trade against of the account's own orders (working, in flight, unknown,
// foreign), as the venue defines it: market and stop orders of the other side always, limit orders
// when they cross.
enum class Collision : std::uint8_t {
  kNone = 0,
  kOwn = 1,      // with orders of ours alone
  kForeign = 2,  // with at least one that we may not cancel
};

// Asks for collisions at the price the order leaves with, which only the gate knows. A probe that
// was never set counts as a collision.
struct SelfTradeProbe {
  Collision (*find)(const void* context, Side side, OrderType type, Price limit) noexcept {nullptr};
  const void* context{nullptr};

  [[nodiscard]] Collision operator()(Side side, OrderType type, Price limit) const noexcept {
    return find == nullptr ? Collision::kForeign : find(context, side, type, limit);
  }
};

// The order that a replace takes the place of. What it holds already (leaves in the working sums,
// cash against buying power) is not asked for a second time.
struct ReplacedOrder {
  Qty leaves{};
  Qty chain_filled{};  // Σ executions of the chain so far
  Cash held{};         // of its cash, in `reserved` or in the venue's own number
};

struct GateInputs {
  const Intent& intent;  // `approved` is the quantity, of a replace the chain's total
  MonoNanos now{};
  MonoNanos latest_now{};  // the largest `now` the core was ever given
  KillProbe kill{};
  const AccountRow& account;
  const LimitRow& head;
  const LimitRow& limits;  // of the instrument
  bool risk_alive{false};
  std::uint32_t risk_incarnation{0};  // of the risk process that is alive now
  bool journal_high_water{false};
  bool stream_proven{false};
  MonoNanos last_audit_ns{};
  const QuoteRow& quote;
  const PositionRow& account_position;
  const PositionRow& strategy_position;
  std::uint32_t open_orders{0};  // working, in flight, unknown
  Cash other_exposure{};         // worst exposure of all other instruments
  bool strategy_rate_room{false};
  bool venue_rate_room{false};
  bool duplicate{true};  // the strategy sent the same a moment ago
  SelfTradeProbe self_trade{};
  const ReplacedOrder* replaced{nullptr};  // replaces only
  Cash reserved{};                         // of orders the account snapshot did not know yet
};

struct GateResult {
  Reason reason{Reason::kNone};
  bool reduces{false};
  OrderType type{OrderType::kNone};  // as it leaves: a market order may leave as a collared limit
  Price limit{};                     // as it leaves
  Price worst_px{};
  Cash worst_notional{};  // of what may still trade
  Cash reserve{};         // to be held against buying power: of a replace what it adds
  Collision collision{Collision::kNone};
};

class HardGate {
 public:
  HardGate(GateRules rules, const InstrumentTable& instruments);

  [[nodiscard]] GateResult check(const GateInputs& in) noexcept;

  [[nodiscard]] std::uint64_t refused(Reason reason) const noexcept {
    return refused_[static_cast<std::size_t>(reason)];
  }
  [[nodiscard]] std::uint64_t passed() const noexcept { return refused_[0]; }
  [[nodiscard]] const GateRules& rules() const noexcept { return rules_; }

 private:
  GateRules rules_;
  const InstrumentTable& instruments_;
  std::array<std::uint64_t, kReasonCount> refused_{};
};

// P of order-path.md: the position that our book and the latest venue evidence both support: the
// smaller magnitude, 0 when the signs differ or the venue has told nothing yet.
[[nodiscard]] std::int64_t supported_position(const PositionRow& account) noexcept;

// True iff `side` opposes both positions and quantity + leaves of that side fit into each.
[[nodiscard]] bool order_reduces(Side side, Qty qty, const PositionRow& account,
                                 const PositionRow& strategy) noexcept;

// Price an order may pay or receive at worst: buys max(limit, ask × (1 + collar)), sells the same
// on the ask's side for valuation. False on overflow.
[[nodiscard]] bool collar_price(Price px, std::int64_t collar_bps, Side side, Price& out) noexcept;

}  // namespace sluice
