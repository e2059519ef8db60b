// RiskCore: the portfolio's view of every intent: approve, resize downward, or refuse
// (order-path.md 2).
//
// One thread: the risk process's loop. Pure: records and `now` in, decisions and limit sheet rows
// out; no clock, no I/O, no allocation after construction. Invariants:
//  1. An approval reserves its whole quantity; a reservation shrinks only by fills and ends only by
//  a
//     terminal or refusal record of the gateway.
//  2. A resize goes downward, to a valid lot, and never touches an order that reduces.
//  3. Positions are those the gateway's executions say: cumulative quantities, so that a snapshot
//  after a
//     gap is exact, less the fees taken in the base asset.
//  4. A limit of zero allows nothing.
//  5. Until a replace is resolved its chain is reserved at the larger leaves of its two orders. A
//     replace is approved whole or refused.
#pragma once

#include <vector>

#include "common/market/instrument.hpp"
#include "common/messages/control.hpp"
#include "common/messages/rows.hpp"
#include "common/trading/checked.hpp"
#include "common/trading/flat_index.hpp"

namespace sluice {

struct RiskInstrument {
  Qty max_order_qty{};
  Cash max_order_notional{};
  Qty max_position{};   // account, |position| with reservations
  Cash max_exposure{};  // the same, valued at the mark
};

struct RiskStrategy {
  std::vector<std::uint32_t> instruments;  // what it may trade
  Qty max_position{};                      // per instrument, |position| with its own reservations
  Cash budget{};                           // value of positions and reservations together
};

struct RiskRules {
  std::vector<RiskInstrument> instruments;
  std::vector<RiskStrategy> strategies;
  Cash gross_exposure{};
  std::uint32_t open_orders{0};            // reservations at one time, all strategies
  std::uint32_t reservations{0};           // rows kept, ended ones included; ≥ open_orders
  std::int64_t market_data_max_age_ns{0};  // 0: the check is off (bench profile)
  std::int64_t deadline_max_ns{0};         // a deadline further away than this is malformed
  std::int64_t clock_tolerance_ns{0};      // how far in the future `decided_ns` may lie
};

struct RiskDecision {
  Decision decision{Decision::kNone};
  Reason reason{Reason::kNone};
  Qty approved{};
};

class RiskCore {
 public:
  // Throws Error(kConfig) when rules and instruments do not fit together.
  RiskCore(RiskRules rules, const InstrumentTable& instruments, std::uint32_t incarnation);

  // `strategy` is the ring's. On kApproved and kResized the intent's `approved` is set and the
  // quantity is reserved: publish it on the order ring, which has room as the caller said. kNone:
  // seen before or garbage, silent and counted; publish nothing.
  [[nodiscard]] RiskDecision on_intent(Intent& intent, std::uint16_t strategy, bool order_ring_room,
                                       MonoNanos now) noexcept;
  // What the strategy is told of a refusal or a resize.
  [[nodiscard]] static Verdict verdict(const Intent& intent, const RiskDecision& decision,
                                       MonoNanos now) noexcept;

  // The first record of a strategy's incarnation; intents of older ones are refused from here on.
  void on_session(std::uint16_t strategy, std::uint32_t incarnation) noexcept;
  void on_market(const MarketEvent& event) noexcept;
  void on_execution(const Execution& execution) noexcept;
  void set_trading_state(TradingState state) noexcept { state_ = state; }

  // Cold start, before any record: what the gateway's boards say.
  // `n`: the gateway's event that the row stands for; executions up to it are in the row already.
  void adopt_position(std::uint16_t strategy, std::uint32_t instrument, std::int64_t position,
                      std::uint64_t n) noexcept;
  void adopt_order(const OrderRow& row) noexcept;
  // The risk before this one decided the intent, and with it all before it of that incarnation.
  void adopt_decided(const IntentId& intent) noexcept;

  // Limit sheet. publish_head() raises the sequence.
  [[nodiscard]] LimitRow publish_head(MonoNanos now) noexcept;
  [[nodiscard]] LimitRow instrument_row(std::uint32_t instrument) const noexcept;
  [[nodiscard]] LimitRow strategy_row(std::uint16_t strategy) const noexcept;

  [[nodiscard]] TradingState trading_state() const noexcept { return state_; }
  [[nodiscard]] std::int64_t position(std::uint16_t strategy,
                                      std::uint32_t instrument) const noexcept;
  [[nodiscard]] Qty reserved(std::uint16_t strategy, std::uint32_t instrument,
                             Side side) const noexcept;
  [[nodiscard]] std::uint32_t open_orders() const noexcept { return open_; }
  [[nodiscard]] std::uint64_t refusals(Reason reason) const noexcept {
    return refusals_[static_cast<std::size_t>(reason)];
  }
  [[nodiscard]] std::uint64_t duplicates() const noexcept { return duplicates_; }
  [[nodiscard]] std::uint64_t garbage() const noexcept { return garbage_; }

 private:
  // One (strategy, instrument), or the account's sum of an instrument.
  struct Holding {
    std::int64_t position{0};
    // Reserved. Wide, so that the sum is exact whatever the records say: one that stopped at the
    // end of its range would come out below zero, as room, once its parts are taken away again.
    Wide buying{0};
    Wide selling{0};
    std::uint64_t adopted_n{0};  // executions up to this are in `position`
    std::int64_t base{0};        // position when the gateway's incarnation began, with empty books

    [[nodiscard]] std::int64_t reserved(bool buy) const noexcept {
      return clamp_raw(buy ? buying : selling);
    }
  };
  struct Reservation {
    IntentId intent{};
    IntentId replaces{};     // the order before it in its chain
    IntentId replaced_by{};  // the last one approved to take its place
    std::uint32_t instrument{0};
    Side side{Side::kNone};
    bool open{false};
    std::int64_t approved{0};  // of a replace the chain's total
    std::int64_t filled{0};    // cumulative, as the executions told
    std::int64_t chain{0};     // filled by the orders before it
    std::int64_t counted{0};   // of it in the holdings

    [[nodiscard]] std::int64_t leaves() const noexcept {
      const std::int64_t left = sub_saturating(approved, traded());
      return open && left > 0 ? left : 0;
    }
    // By the whole chain so far.
    [[nodiscard]] std::int64_t traded() const noexcept {
      std::int64_t sum = chain;
      add_saturating(sum, filled);
      return sum;
    }
  };
  // What an intent may still trade, and what of it no order before it has reserved.
  struct Want {
    std::int64_t leaves{0};
    std::int64_t added{0};
  };
  struct Mark {
    Quote quote{};
    MonoNanos receive_ns{};
  };
  struct StrategyState {
    std::uint32_t incarnation{0};
    std::uint64_t last_sequence{0};
  };

  [[nodiscard]] Holding& holding(std::uint16_t strategy, std::uint32_t instrument) noexcept {
    return holdings_[std::size_t{strategy} * instruments_.size() + instrument];
  }
  [[nodiscard]] const Holding& holding(std::uint16_t strategy,
                                       std::uint32_t instrument) const noexcept {
    return holdings_[std::size_t{strategy} * instruments_.size() + instrument];
  }
  [[nodiscard]] Reason admit(const Intent& intent, MonoNanos now) const noexcept;
  [[nodiscard]] Reason check_market(const Intent& intent, MonoNanos now) const noexcept;
  [[nodiscard]] RiskDecision size(const Intent& intent) const noexcept;
  [[nodiscard]] Reason check_replace(const Intent& intent) const noexcept;
  [[nodiscard]] Want want(const Intent& intent) const noexcept;
  [[nodiscard]] bool reduces(const Intent& intent) const noexcept;
  // The largest order, and what the portfolio has room for; with the limit that binds.
  [[nodiscard]] std::int64_t order_room(const Intent& intent, Price px,
                                        Reason& binding) const noexcept;
  [[nodiscard]] std::int64_t room(const Intent& intent, Price px, Reason& binding) const noexcept;
  [[nodiscard]] bool allowed(std::uint16_t strategy, std::uint32_t instrument) const noexcept;
  [[nodiscard]] const Reservation* find(const IntentId& id) const noexcept;
  [[nodiscard]] Reservation* find(const IntentId& id) noexcept;
  [[nodiscard]] Reservation* reserve(const IntentId& id) noexcept;
  void open(Reservation& r) noexcept;
  void recount(Reservation& r) noexcept;
  void follow_chain(const Reservation& r) noexcept;
  void follow_gateway(std::uint64_t n) noexcept;
  void change_reserved(const Reservation& r, std::int64_t delta) noexcept;
  void change_position(std::uint16_t strategy, std::uint32_t instrument,
                       std::int64_t delta) noexcept;
  void close(Reservation& r) noexcept;

  RiskRules rules_;
  InstrumentTable instruments_;
  std::uint32_t incarnation_;
  TradingState state_{TradingState::kActive};
  std::vector<Holding> holdings_;  // strategies, then external
  std::vector<Holding> totals_;    // per instrument
  std::vector<Mark> marks_;
  std::vector<StrategyState> strategies_;
  std::vector<Reservation> reservations_;
  FlatIndex<IntentId> by_intent_;
  std::uint32_t gateway_incarnation_{0};
  std::uint32_t next_reservation_{0};
  std::uint32_t open_{0};
  std::uint64_t sheet_sequence_{0};
  std::uint64_t duplicates_{0};
  std::uint64_t garbage_{0};
  std::array<std::uint64_t, kReasonCount> refusals_{};
};

}  // namespace sluice
