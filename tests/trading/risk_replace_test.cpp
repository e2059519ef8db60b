// Replaces in the portfolio's view: one order and its successor reserve as one, at the larger.
#include "common/trading/risk_core.hpp"
#include "tests/trading/gateway_fixture.hpp"

namespace sluice::testing {
namespace {

class RiskReplace : public ::testing::Test {
 protected:
  RiskReplace() : table(instruments()), core(rules(), table, 3) {
    core.on_session(0, 1);
    MarketEvent e;
    e.instrument = kBtc;
    e.receive_ns = now;
    e.set_body(MarketKind::kQuote, Quote{px("59990"), qty("1"), px("60000"), qty("1")});
    core.on_market(e);
  }
  static RiskRules rules() {
    RiskInstrument i;
    i.max_order_qty = qty("5");
    i.max_order_notional = cash("400000");
    i.max_position = qty("6");
    i.max_exposure = cash("600000");
    RiskStrategy s;
    s.instruments = {kBtc};
    s.max_position = qty("6");
    s.budget = cash("500000");
    RiskRules r;
    r.instruments = {i, i, i};
    r.strategies = {s};
    r.gross_exposure = cash("900000");
    r.open_orders = 2;
    r.reservations = 16;
    r.deadline_max_ns = 60 * kSec;
    r.clock_tolerance_ns = kMs;
    return r;
  }
  Intent intent(Side side, std::string_view quantity, std::string_view limit = "59990") {
    Intent i;
    i.id = {.incarnation = 1, .strategy = 0, .reserved = 0, .sequence = ++sequence};
    i.instrument = kBtc;
    i.kind = IntentKind::kNew;
    i.side = side;
    i.type = OrderType::kLimit;
    i.tif = TimeInForce::kGtc;
    i.requested = qty(quantity);
    i.limit = px(limit);
    i.decided_ns = now;
    i.deadline_ns = {now.ns + kSec};
    return i;
  }
  Intent replace(const Intent& old, std::string_view total, std::string_view limit = "59980") {
    Intent i = intent(old.side, total, limit);
    i.kind = IntentKind::kReplace;
    i.replaces = old.id;
    return i;
  }
  RiskDecision decide(Intent& i) { return core.on_intent(i, 0, true, now); }
  Intent placed(std::string_view quantity, Side side = Side::kBuy) {
    Intent i = intent(side, quantity);
    EXPECT_EQ(decide(i).decision, Decision::kApproved);
    return i;
  }
  void tell(const Intent& i, ExecutionKind kind, OrderState state, std::string_view quantity = "0",
            std::string_view cum = "0") {
    Execution e;
    e.kind = kind;
    e.state = state;
    e.intent = i.id;
    e.instrument = kBtc;
    e.side = i.side;
    e.qty = qty(quantity);
    e.cum_qty = qty(cum);
    e.approved = i.approved;
    e.fee_asset = table[kBtc].quote_asset;
    core.on_execution(e);
  }
  [[nodiscard]] Qty buying() const { return core.reserved(0, kBtc, Side::kBuy); }

  MonoNanos now{kStart};
  std::uint64_t sequence{0};
  InstrumentTable table;
  RiskCore core;
};

TEST_F(RiskReplace, ReservesTheLargerUntilResolved) {
  const Intent old = placed("1");
  Intent larger = replace(old, "3");
  EXPECT_EQ(decide(larger).decision, Decision::kApproved);
  EXPECT_EQ(larger.approved, qty("3"));
  EXPECT_EQ(buying(), qty("3"));
  tell(larger, ExecutionKind::kReplaceRejected, OrderState::kRejected);
  EXPECT_EQ(buying(), qty("1"));
  Intent smaller = replace(old, "0.5");
  EXPECT_EQ(decide(smaller).decision, Decision::kApproved);
  EXPECT_EQ(buying(), qty("1"));
  tell(old, ExecutionKind::kReplaced, OrderState::kReplaced);
  EXPECT_EQ(buying(), qty("0.5"));
  tell(smaller, ExecutionKind::kCancelled, OrderState::kCancelled);
  EXPECT_EQ(buying(), Qty{});
  EXPECT_EQ(core.open_orders(), 0U);
}

TEST_F(RiskReplace, ExecutionsOfTheOldShrinkTheSuccessor) {
  const Intent old = placed("1");
  Intent next = replace(old, "2");
  decide(next);
  tell(old, ExecutionKind::kFill, OrderState::kPartial, "0.4", "0.4");
  EXPECT_EQ(buying(), qty("1.6"));
  tell(old, ExecutionKind::kReplaced, OrderState::kReplaced, "0", "0.4");
  EXPECT_EQ(buying(), qty("1.6"));
  tell(next, ExecutionKind::kFill, OrderState::kFilled, "1.6", "1.6");
  EXPECT_EQ(buying(), Qty{});
  EXPECT_EQ(core.position(0, kBtc), dec("2"));
}

TEST_F(RiskReplace, LateExecutionOfTheOldIsMissingFromTheSuccessor) {
  const Intent old = placed("1");
  Intent next = replace(old, "2");
  decide(next);
  tell(old, ExecutionKind::kReplaced, OrderState::kReplaced);
  EXPECT_EQ(buying(), qty("2"));
  tell(old, ExecutionKind::kFill, OrderState::kReplaced, "0.4", "0.4");
  EXPECT_EQ(buying(), qty("1.6"));
  EXPECT_EQ(core.position(0, kBtc), dec("0.4"));
}

TEST_F(RiskReplace, IsNeverResized) {
  const Intent old = placed("5");
  Intent next = replace(old, "6.5");  // 1.5 more, room for 1
  const RiskDecision d = decide(next);
  EXPECT_EQ(d.decision, Decision::kRefused);
  EXPECT_EQ(d.reason, Reason::kSizeMax);
  const Intent other = placed("1");
  Intent more = replace(other, "1.5");
  EXPECT_EQ(decide(more).reason, Reason::kPosition);
  EXPECT_EQ(buying(), qty("6"));
}

TEST_F(RiskReplace, PriceAloneNeedsNoRoom) {
  const Intent old = placed("5");
  placed("1");  // position full, both places taken
  Intent next = replace(old, "5");
  EXPECT_EQ(decide(next).decision, Decision::kApproved);
  EXPECT_EQ(buying(), qty("6"));
}

TEST_F(RiskReplace, OfWhatIsNotOpenOrTakenOrTradedAwayIsRefused) {
  const Intent old = placed("1");
  Intent next = replace(old, "2");
  ASSERT_EQ(decide(next).decision, Decision::kApproved);
  Intent second = replace(old, "3");
  EXPECT_EQ(decide(second).reason, Reason::kNotReplaceable);
  tell(next, ExecutionKind::kRefused, OrderState::kFailed);
  tell(old, ExecutionKind::kFill, OrderState::kPartial, "0.5", "0.5");
  Intent too_small = replace(old, "0.5");
  EXPECT_EQ(decide(too_small).reason, Reason::kNotReplaceable);
  tell(old, ExecutionKind::kCancelled, OrderState::kCancelled, "0", "0.5");
  Intent late = replace(old, "2");
  EXPECT_EQ(decide(late).reason, Reason::kNotReplaceable);
  Intent unseen = replace(old, "2");
  unseen.replaces.sequence = 99;
  EXPECT_EQ(decide(unseen).reason, Reason::kUnknownOrder);
  Intent turned = replace(placed("1"), "2");
  turned.side = Side::kSell;
  EXPECT_EQ(decide(turned).reason, Reason::kMalformed);
}

TEST_F(RiskReplace, ReductionIsJudgedByWhatTheReplaceAdds) {
  const Intent buy = placed("2");
  tell(buy, ExecutionKind::kFill, OrderState::kFilled, "2", "2");
  const Intent exit = placed("1", Side::kSell);
  core.set_trading_state(TradingState::kReduceOnly);
  Intent more = replace(exit, "2");
  EXPECT_EQ(decide(more).decision, Decision::kApproved);
  tell(more, ExecutionKind::kRefused, OrderState::kFailed);
  Intent beyond = replace(exit, "2.5");
  EXPECT_EQ(decide(beyond).reason, Reason::kTradingState);
}

TEST_F(RiskReplace, ChainOnTheGatewaysBoardIsAdoptedAsOne) {
  OrderRow old;
  old.id = {1, 0, 0, 10};
  old.replaced_by = {1, 0, 0, 11};
  old.instrument = kBtc;
  old.side = Side::kBuy;
  old.state = OrderState::kPartial;
  old.approved = qty("1");
  old.filled = qty("0.4");
  OrderRow next = old;
  next.id = old.replaced_by;
  next.replaces = old.id;
  next.replaced_by = {};
  next.state = OrderState::kSubmitting;
  next.approved = qty("2");
  next.filled = {};
  next.chain_filled = qty("0.4");
  for (const bool forward : {true, false}) {
    RiskCore fresh(rules(), table, 4);
    fresh.adopt_order(forward ? old : next);
    fresh.adopt_order(forward ? next : old);
    EXPECT_EQ(fresh.reserved(0, kBtc, Side::kBuy), qty("1.6"));
  }
}

TEST_F(RiskReplace, ChainSeenFirstInExecutionsIsReservedAsOne) {
  Execution e;
  e.kind = ExecutionKind::kAccepted;
  e.state = OrderState::kPartial;
  e.intent = {1, 0, 0, 10};
  e.instrument = kBtc;
  e.side = Side::kBuy;
  e.approved = qty("1");
  e.cum_qty = qty("0.4");
  e.leaves = qty("0.6");
  core.on_execution(e);
  e.linked = e.intent.sequence;
  e.intent.sequence = 11;
  e.state = OrderState::kSubmitting;
  e.approved = qty("2");
  e.cum_qty = {};
  e.leaves = qty("1.6");
  core.on_execution(e);
  EXPECT_EQ(buying(), qty("1.6"));
}

}  // namespace
}  // namespace sluice::testing
