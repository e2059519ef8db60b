// Step 17 of the gate inside the core: what counts as the same order twice, against which orders
// one would trade with oneself, and the reduction that clears its way first.
#include "tests/trading/gateway_fixture.hpp"

namespace sluice::testing {
namespace {

GatewayRules with_duplicates(std::int64_t within_ns) {
  GatewayRules rules = gateway_rules();
  rules.gate.duplicate_within_ns = within_ns;
  return rules;
}

TEST(GatewayDuplicate, SameOrderWithinTheTimeIsRefused) {
  Gateway g(with_duplicates(50 * kMs));
  g.send(Side::kBuy, "1", "59990");
  g.now.ns += 49 * kMs;
  EXPECT_EQ(g.core.row(g.send(Side::kBuy, "1", "59990")).reason, Reason::kDuplicate);
  g.now.ns += kMs;
  EXPECT_EQ(g.core.row(g.send(Side::kBuy, "1", "59990")).state, OrderState::kSubmitting);
}

TEST(GatewayDuplicate, AnythingElseIsAnotherOrder) {
  Gateway g(with_duplicates(50 * kMs));
  g.send(Side::kBuy, "1", "59990");
  g.send(Side::kBuy, "1", "59980");     // price
  g.send(Side::kBuy, "1.1", "59990");   // quantity
  g.send(Side::kSell, "0.5", "60010");  // side; refused for want of a position
  g.send(Side::kBuy, "1", "59990", 1);  // strategy
  EXPECT_EQ(g.core.refusals(Reason::kDuplicate), 0U);
  EXPECT_EQ(g.out.count("submit"), 4U);
}

TEST(GatewayDuplicate, RefusedOrdersAreNotRemembered) {
  Gateway g(with_duplicates(50 * kMs));
  g.state = TradingState::kHalted;
  g.send(Side::kBuy, "1", "59990");
  g.state = TradingState::kActive;
  EXPECT_EQ(g.core.row(g.send(Side::kBuy, "1", "59990")).state, OrderState::kSubmitting);
}

TEST(GatewayDuplicate, OffByRule) {
  Gateway g(with_duplicates(0));
  g.send(Side::kBuy, "1", "59990");
  EXPECT_EQ(g.core.row(g.send(Side::kBuy, "1", "59990")).state, OrderState::kSubmitting);
}

TEST(GatewayDuplicate, ChainThatComesBackToItsPriceIsNoDuplicateOfItself) {
  Gateway g(with_duplicates(50 * kMs));
  const std::uint32_t first = g.work(Side::kBuy, "1", "59990");
  const std::uint32_t second = g.replace(first, "1", "59980");
  g.accept(second);
  g.event(first, TradeUpdateKind::kReplaced, VenueStatus::kReplaced);
  g.event(second, TradeUpdateKind::kNew, VenueStatus::kNew);
  EXPECT_EQ(g.core.row(g.replace(second, "1", "59990")).state, OrderState::kSubmitting);
  // But an order beside the chain is one.
  EXPECT_EQ(g.core.row(g.send(Side::kBuy, "1", "59990")).reason, Reason::kDuplicate);
}

TEST(GatewayDuplicate, TimeBeyondWhatIsRememberedIsAConfigError) {
  EXPECT_THROW(Gateway(with_duplicates(2 * kSec)), Error);
}

// ---- self-trade ---------------------------------------------------------------------------------

// Holds 2 BTC, book and venue.
struct Holding : Gateway {
  explicit Holding(const GatewayRules& rules = gateway_rules()) : Gateway(rules) {
    const std::uint32_t row = work(Side::kBuy, "2", "60000");
    fill(row, 900, "60000", "2", "2");
    fee(900, true, "0");
    now.ns += kMs;
    account_read();
    positions_read("2");
    out = {};
  }
};

Gateway shortable() {
  return Gateway();
}

Intent stock(Gateway& g, Side side, std::string_view quantity, std::string_view limit,
             std::uint16_t strategy = 0) {
  Intent i = g.intent(side, quantity, limit, strategy);
  i.instrument = kAapl;
  return i;
}

IntentContext stock_context(const Gateway& g) {
  IntentContext c = g.context();
  c.quote.quote = {px("99.99"), qty("500"), px("100"), qty("500")};
  return c;
}

Reason stock_reason(Gateway& g, const Intent& i) {
  g.core.on_intent(i, stock_context(g));
  return g.core.row(g.core.find(i.id)).reason;
}

TEST(GatewaySelfTrade, CrossingLimitOfTheAccountIsRefusedAlsoAcrossStrategies) {
  Gateway g = shortable();
  EXPECT_EQ(stock_reason(g, stock(g, Side::kBuy, "5", "99.95")), Reason::kNone);
  EXPECT_EQ(stock_reason(g, stock(g, Side::kSell, "5", "99.96", 1)), Reason::kNone);
  EXPECT_EQ(stock_reason(g, stock(g, Side::kSell, "5", "99.95", 1)), Reason::kSelfTrade);
  EXPECT_EQ(stock_reason(g, stock(g, Side::kBuy, "5", "99.96")), Reason::kSelfTrade);
  EXPECT_EQ(g.core.refusals(Reason::kSelfTrade), 2U);
}

TEST(GatewaySelfTrade, BareMarketOrderMeetsEveryOrderOfTheOtherSide) {
  Gateway g = shortable();
  EXPECT_EQ(stock_reason(g, stock(g, Side::kSell, "5", "100.50")), Reason::kNone);
  EXPECT_EQ(stock_reason(g, stock(g, Side::kBuy, "5", "")), Reason::kSelfTrade);
}

TEST(GatewaySelfTrade, StopAndUnknownFormsOfOthersMeetEverything) {
  for (const OrderType type : {OrderType::kStop, OrderType::kMarket, OrderType::kNone}) {
    Gateway g;
    OrderSnapshot s;
    s.venue_order_id = {0x9, 1};
    s.client_order_id.assign("somebody-else");
    s.status = VenueStatus::kNew;
    s.side = Side::kSell;
    s.type = type;
    s.tif = TimeInForce::kGtc;
    s.instrument = kBtc;
    s.qty = qty("1");
    s.stop = px("50000");
    s.created_ns = {g.now.ns};
    g.venue(OpenOrder{s, g.now});
    EXPECT_EQ(g.core.row(g.send(Side::kBuy, "1", "59000")).reason, Reason::kSelfTrade);
  }
}

TEST(GatewaySelfTrade, UnknownAndUnansweredOrdersCountEndedOnesDoNot) {
  Holding g;
  const std::uint32_t sell = g.send(Side::kSell, "1", "60010");
  g.venue(g.post(sell, RequestOutcome::kUnknown));
  EXPECT_EQ(g.core.row(g.send(Side::kBuy, "1", "60010")).reason, Reason::kSelfTrade);
  g.lookup(sell, RequestOutcome::kAccepted, VenueStatus::kCanceled);
  EXPECT_EQ(g.core.row(g.send(Side::kBuy, "1", "60010")).state, OrderState::kSubmitting);
}

TEST(GatewaySelfTrade, BothOrdersOfAReplaceCount) {
  Gateway g = shortable();
  const Intent buy = stock(g, Side::kBuy, "5", "99.95");
  g.core.on_intent(buy, stock_context(g));
  const std::uint32_t old = g.core.find(buy.id);
  g.accept(old);
  g.event(old, TradeUpdateKind::kNew, VenueStatus::kNew);
  Intent lower = stock(g, Side::kBuy, "5", "99.90");
  lower.kind = IntentKind::kReplace;
  lower.replaces = buy.id;
  ASSERT_EQ(stock_reason(g, lower), Reason::kNone);
  EXPECT_EQ(stock_reason(g, stock(g, Side::kSell, "5", "99.95")), Reason::kSelfTrade);
  const std::uint32_t next = g.core.find(lower.id);
  g.accept(next);
  g.event(old, TradeUpdateKind::kReplaced, VenueStatus::kReplaced);
  EXPECT_EQ(stock_reason(g, stock(g, Side::kSell, "5", "99.95")), Reason::kNone);
}

// ---- a reduction in the way of which an own order stands
// ------------------------------------------

TEST(GatewaySelfTrade, ReductionCancelsTheOpeningOrderAndGoesAfterTheEvidence) {
  Holding g;
  const std::uint32_t bid = g.work(Side::kBuy, "1", "59990", 1);  // another strategy's
  const std::uint32_t exit = g.send(Side::kSell, "2", "59980");
  EXPECT_EQ(g.core.row(exit).state, OrderState::kValidating);
  EXPECT_EQ(g.out.count("cancel"), 1U);
  EXPECT_EQ(g.out.requests.back().row, bid);
  g.deleted(bid, RequestOutcome::kAccepted);
  g.release();
  EXPECT_EQ(g.out.count("submit"), 1U) << "a 204 is no evidence";
  g.event(bid, TradeUpdateKind::kCanceled, VenueStatus::kCanceled);
  g.release();
  EXPECT_EQ(g.out.count("submit"), 2U);
  EXPECT_EQ(g.core.row(exit).state, OrderState::kSubmitting);
  EXPECT_EQ(g.account_position().working_sell, qty("2"));
}

TEST(GatewaySelfTrade, ReductionThatFindsNoPlaceToWaitCancelsNothing) {
  GatewayRules rules = gateway_rules();
  rules.order_rows = 256;
  rules.gate.open_orders = 200;
  rules.strategy_orders_per_second = 1000;
  Holding g(rules);
  const std::uint32_t bid = g.work(Side::kBuy, "1", "59990");
  for (int i = 0; i < 64; ++i) {  // every place is taken by a replace that has to wait
    const std::uint32_t old = g.send(Side::kBuy, "0.001", "59000");
    g.accept(old);
    const std::uint32_t next = g.replace(old, "0.002", "59000");
    ASSERT_EQ(g.core.row(next).state, OrderState::kValidating) << i;
  }
  const std::uint32_t exit = g.send(Side::kSell, "1", "59980");
  EXPECT_EQ(g.core.row(exit).reason, Reason::kOrderTableFull);
  EXPECT_EQ(g.core.row(bid).flags & kCancelWanted, 0);
  EXPECT_EQ(g.out.count("cancel"), 0U);
}

TEST(GatewaySelfTrade, ReductionThatWaitsTooLongIsRefused) {
  Holding g;
  g.work(Side::kBuy, "1", "59990");
  const std::uint32_t exit = g.send(Side::kSell, "1", "59980");
  g.tick(501 * kMs);
  EXPECT_EQ(g.core.row(exit).reason, Reason::kExpired);
  EXPECT_EQ(g.account_position().working_sell, Qty{});
  EXPECT_EQ(g.out.count("submit"), 1U);
}

TEST(GatewaySelfTrade, HeldReductionCountsAsLeavesOfItsSide) {
  Holding g;
  g.work(Side::kBuy, "1", "59990");
  g.send(Side::kSell, "1.5", "59980");
  EXPECT_EQ(g.account_position().working_sell, qty("1.5"));
  EXPECT_EQ(g.core.row(g.send(Side::kSell, "1", "60020")).reason, Reason::kAvailable);
  EXPECT_FALSE(g.core.quiescent());
}

TEST(GatewaySelfTrade, ReductionAgainstAForeignOrderIsRefused) {
  Holding g;
  const std::uint32_t model = g.work(Side::kBuy, "1", "59990");
  OrderSnapshot s = g.snapshot(model, VenueStatus::kNew);
  s.venue_order_id = {0x9, 1};
  s.client_order_id.assign("somebody-else");
  g.venue(OpenOrder{s, g.now});
  EXPECT_EQ(g.core.row(g.send(Side::kSell, "1", "59980")).reason, Reason::kSelfTrade);
  EXPECT_EQ(g.out.count("cancel"), 0U);
}

TEST(GatewaySelfTrade, OpeningOrderNeverClearsItsWay) {
  Holding g;
  const std::uint32_t exit = g.work(Side::kSell, "1", "60010");
  EXPECT_EQ(g.core.row(g.send(Side::kBuy, "1", "60010")).reason, Reason::kSelfTrade);
  EXPECT_EQ(g.core.row(exit).flags & kCancelWanted, 0);
}

TEST(GatewaySelfTrade, KillRefusesAHeldReduction) {
  Holding g;
  g.work(Side::kBuy, "1", "59990");
  const std::uint32_t exit = g.send(Side::kSell, "1", "59980");
  g.core.on_kill(KillMode::kStop, 1, g.now);
  EXPECT_EQ(g.core.row(exit).reason, Reason::kKilled);
}

TEST(GatewaySelfTrade, ReducingReplaceClearsItsWayToo) {
  Holding g;
  const std::uint32_t exit = g.work(Side::kSell, "1", "60020");
  const std::uint32_t bid = g.work(Side::kBuy, "1", "60010");
  const std::uint32_t lower = g.replace(exit, "1", "60005");
  EXPECT_EQ(g.core.row(lower).state, OrderState::kValidating);
  EXPECT_EQ(g.out.requests.back().row, bid);
  g.event(bid, TradeUpdateKind::kCanceled, VenueStatus::kCanceled);
  g.release();
  EXPECT_EQ(g.out.count("replace"), 1U);
}

// ---- venues without fees
// --------------------------------------------------------------------------

TEST(GatewayFees, WithoutAFeeRateTheFeeIsFinalAtOnce) {
  GatewayRules rules = gateway_rules();
  rules.gate.instruments[kBtc].fee_bps = 0;
  Gateway g(rules);
  const std::uint32_t row = g.work(Side::kBuy, "1");
  g.fill(row, 1, "60000", "1", "1");
  EXPECT_EQ(g.out.executions.back().fee_status, FeeStatus::kFinal);
  EXPECT_EQ(g.out.executions.back().fee, 0);
  EXPECT_EQ(g.core.account().fees_pending, 0U);
  EXPECT_TRUE(g.core.quiescent());
  EXPECT_EQ(g.account_position().position, dec("1"));
  g.fee(1, true, "0");
  EXPECT_EQ(g.core.counters().duplicate_fees, 1U);
  g.fee(1, true, "0.001");  // a fee where none is charged is not understood
  EXPECT_TRUE(g.out.alerted(Alert::kExecutionConflict));
}

}  // namespace
}  // namespace sluice::testing
