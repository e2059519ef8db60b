// Outcomes nobody knows, orders that turn up, and the proof of the stream.
#include "tests/trading/gateway_fixture.hpp"

namespace sluice::testing {
namespace {

TEST(GatewayAnswer, AcceptanceAcknowledgesOnce) {
  Gateway g;
  const std::uint32_t row = g.send(Side::kBuy, "1");
  g.accept(row);
  EXPECT_EQ(g.core.row(row).state, OrderState::kSubmitted);
  g.event(row, TradeUpdateKind::kNew, VenueStatus::kNew);
  EXPECT_EQ(g.out.count(ExecutionKind::kAccepted), 1U);
  EXPECT_EQ(g.core.account().working, 1U);
}

TEST(GatewayAnswer, RefusalOfTheVenueEndsTheOrder) {
  Gateway g;
  const std::uint32_t row = g.send(Side::kBuy, "1");
  g.venue(g.post(row, RequestOutcome::kRefused));
  EXPECT_EQ(g.core.row(row).state, OrderState::kRejected);
  EXPECT_EQ(g.out.executions.back().reason, Reason::kVenueRejected);
  EXPECT_TRUE(g.core.quiescent());
}

TEST(GatewayAnswer, WrongCredentialsBlockTheAccount) {
  Gateway g;
  const std::uint32_t row = g.send(Side::kBuy, "1");
  g.venue(g.post(row, RequestOutcome::kUnauthorised));
  EXPECT_EQ(g.core.row(row).reason, Reason::kVenueUnauthorised);
  g.send(Side::kBuy, "1");
  EXPECT_EQ(g.core.refusals(Reason::kAccountBlocked), 1U);
}

TEST(GatewayAnswer, RefusalAgainstTheStreamIsLookedUp) {
  Gateway g;
  const std::uint32_t row = g.send(Side::kBuy, "1");
  g.event(row, TradeUpdateKind::kNew, VenueStatus::kNew);
  g.venue(g.post(row, RequestOutcome::kRefused));
  EXPECT_EQ(g.core.row(row).state, OrderState::kSubmitted);
  EXPECT_TRUE(g.out.alerted(Alert::kContradiction));
  g.tick(kMs);
  EXPECT_EQ(g.out.count("lookup"), 1U);
}

TEST(GatewayAnswer, OrderTheVenueShowsAfterItsRefusalIsRevivedAndCancelled) {
  Gateway g;
  const std::uint32_t row = g.send(Side::kBuy, "1");
  g.venue(g.post(row, RequestOutcome::kRefused));
  g.event(row, TradeUpdateKind::kNew, VenueStatus::kNew);
  EXPECT_EQ(g.core.row(row).state, OrderState::kSubmitted);
  EXPECT_EQ(g.account_position().working_buy, qty("1"));
  EXPECT_EQ(g.out.count("cancel"), 1U);
}

TEST(GatewayAnswer, SomebodyElsesAnswerIsUnknown) {
  Gateway g;
  const std::uint32_t row = g.send(Side::kBuy, "1");
  PostResult p = g.post(row, RequestOutcome::kAccepted);
  p.order.client_order_id.assign("slc-demo-1-0-999");
  g.venue(p);
  EXPECT_NE(g.core.row(row).flags & kOutcomeUnknown, 0);
  EXPECT_TRUE(g.core.row(row).venue_order_id.is_zero());
}

TEST(GatewayAnswer, ResultForARecycledRowIsIgnored) {
  Gateway g;
  const std::uint32_t row = g.send(Side::kBuy, "1");
  PostResult p = g.post(row, RequestOutcome::kRefused);
  p.ref.intent.sequence += 100;
  g.venue(p);
  EXPECT_EQ(g.core.row(row).state, OrderState::kSubmitting);
  EXPECT_EQ(g.core.counters().stale_results, 1U);
}

TEST(GatewayUnknown, IsNeverAReject) {
  Gateway g;
  const std::uint32_t row = g.send(Side::kBuy, "1");
  g.venue(g.post(row, RequestOutcome::kUnknown));
  EXPECT_EQ(g.core.row(row).state, OrderState::kSubmitting);
  EXPECT_NE(g.core.row(row).flags & kOutcomeUnknown, 0);
  EXPECT_EQ(g.core.account().unknown, 1U);
  EXPECT_EQ(g.account_position().working_buy, qty("1")) << "counts at its worst";
  EXPECT_EQ(g.out.count(ExecutionKind::kUnknown), 1U);
  EXPECT_FALSE(g.core.quiescent());
}

TEST(GatewayUnknown, IsLookedUpByClientIdAfterSettlingFromTheHardClose) {
  Gateway g;
  const std::uint32_t row = g.send(Side::kBuy, "1");
  PostResult p = g.post(row, RequestOutcome::kUnknown);
  p.closed_ns.ns += 100 * kMs;
  g.now.ns += 100 * kMs;
  g.venue(p);
  g.tick(300 * kMs - 1);
  EXPECT_EQ(g.out.count("lookup"), 0U);
  g.tick(1);
  ASSERT_EQ(g.out.count("lookup"), 1U);
  EXPECT_EQ(g.out.requests.back().by, LookupBy::kClientOrderId);
  g.tick(kSec);
  EXPECT_EQ(g.out.count("lookup"), 1U) << "one question at a time";
}

TEST(GatewayUnknown, FoundOrderIsAdoptedAndKnown) {
  Gateway g;
  const std::uint32_t row = g.send(Side::kBuy, "1");
  g.venue(g.post(row, RequestOutcome::kUnknown));
  g.tick(300 * kMs);
  g.lookup(row, RequestOutcome::kAccepted, VenueStatus::kNew);
  EXPECT_EQ(g.core.row(row).state, OrderState::kSubmitted);
  EXPECT_EQ(g.core.row(row).flags & kOutcomeUnknown, 0);
  EXPECT_EQ(g.core.row(row).venue_order_id, Gateway::venue_id(row));
  EXPECT_EQ(g.out.count(ExecutionKind::kAccepted), 1U);
  EXPECT_EQ(g.out.count("cancel"), 0U);
}

TEST(GatewayUnknown, StreamEventResolvesItBeforeTheLookUp) {
  Gateway g;
  const std::uint32_t row = g.send(Side::kBuy, "1");
  g.venue(g.post(row, RequestOutcome::kUnknown));
  g.event(row, TradeUpdateKind::kNew, VenueStatus::kNew);
  g.tick(10 * kSec);
  EXPECT_EQ(g.out.count("lookup"), 0U);
  EXPECT_EQ(g.core.row(row).state, OrderState::kSubmitted);
}

TEST(GatewayUnknown, EventBeforeTheUnknownAnswerLeavesItKnown) {
  Gateway g;
  const std::uint32_t row = g.send(Side::kBuy, "1");
  g.event(row, TradeUpdateKind::kNew, VenueStatus::kNew);
  g.venue(g.post(row, RequestOutcome::kUnknown));
  EXPECT_EQ(g.core.row(row).flags & kOutcomeUnknown, 0);
  g.tick(300 * kMs);
  EXPECT_EQ(g.out.count("lookup"), 1U);  // only its state is asked
}

TEST(GatewayUnknown, NotFoundNeverEndsItButMakesItLost) {
  Gateway g;
  const std::uint32_t row = g.send(Side::kBuy, "1");
  g.venue(g.post(row, RequestOutcome::kUnknown));
  for (int read = 0; read < 3; ++read) {
    g.tick(300 * kMs);
    ASSERT_EQ(g.out.count("lookup"), static_cast<std::size_t>(read + 1));
    EXPECT_EQ(g.core.row(row).flags & kLost, 0);
    g.lookup(row, RequestOutcome::kNotFound);
  }
  EXPECT_NE(g.core.row(row).flags & kLost, 0);
  EXPECT_FALSE(is_terminal(g.core.row(row).state));
  EXPECT_EQ(g.account_position().working_buy, qty("1"));
  EXPECT_TRUE(g.out.alerted(Alert::kOrderLost));
  g.tick(5 * kSec);
  EXPECT_EQ(g.out.count("lookup"), 4U);  // watched
}

TEST(GatewayUnknown, FailedQuestionTeachesNothing) {
  Gateway g;
  const std::uint32_t row = g.send(Side::kBuy, "1");
  g.venue(g.post(row, RequestOutcome::kUnknown));
  for (int read = 0; read < 6; ++read) {
    g.tick(300 * kMs);
    g.lookup(row, RequestOutcome::kUnknown);
  }
  EXPECT_EQ(g.core.row(row).flags & kLost, 0);
  EXPECT_EQ(g.out.count("lookup"), 6U);
}

std::uint32_t lose(Gateway& g) {
  const std::uint32_t row = g.send(Side::kBuy, "1");
  g.venue(g.post(row, RequestOutcome::kUnknown));
  for (int read = 0; read < 3; ++read) {
    g.tick(300 * kMs);
    g.lookup(row, RequestOutcome::kNotFound);
  }
  return row;
}

TEST(GatewayLost, AnyEvidenceRevivesItAndItIsCancelledAtOnce) {
  Gateway g;
  const std::uint32_t row = lose(g);
  g.event(row, TradeUpdateKind::kNew, VenueStatus::kNew);
  EXPECT_EQ(g.core.row(row).flags & kLost, 0);
  EXPECT_EQ(g.core.row(row).state, OrderState::kSubmitted);
  EXPECT_EQ(g.out.count("cancel"), 1U);
}

TEST(GatewayLost, EndsWithTheDayOrByAnOperatorsWord) {
  Gateway g;
  const std::uint32_t first = lose(g);
  g.core.on_day_end(g.now);
  EXPECT_EQ(g.core.row(first).state, OrderState::kFailed);
  const std::uint32_t second = lose(g);
  EXPECT_TRUE(g.core.on_operator_closes(g.core.row(second).id, g.now));
  EXPECT_EQ(g.core.row(second).state, OrderState::kFailed);
  EXPECT_TRUE(g.core.quiescent());
  EXPECT_FALSE(g.core.on_operator_closes(g.core.row(second).id, g.now));
}

TEST(GatewayAdoption, OrderThatIsNotTheOneWeSentHaltsTheInstrument) {
  using Spoil = void (*)(OrderSnapshot&);
  const Spoil spoils[] = {
      [](OrderSnapshot& o) { o.side = Side::kSell; },
      [](OrderSnapshot& o) { o.qty.raw += 1; },
      [](OrderSnapshot& o) { o.limit.raw += 1; },
      [](OrderSnapshot& o) { o.type = OrderType::kMarket; },
      [](OrderSnapshot& o) { o.tif = TimeInForce::kDay; },
      [](OrderSnapshot& o) { o.instrument = kEth; },
      [](OrderSnapshot& o) { o.stop = Price{1}; },
      [](OrderSnapshot& o) { o.created_ns.ns -= 3 * kSec; },
  };
  for (const Spoil spoil : spoils) {
    Gateway g;
    const std::uint32_t row = g.send(Side::kBuy, "1");
    g.venue(g.post(row, RequestOutcome::kUnknown));
    g.tick(300 * kMs);
    LookupResult l;
    l.ref = {row, g.core.row(row).id};
    l.by = LookupBy::kClientOrderId;
    l.outcome = RequestOutcome::kAccepted;
    l.order = g.snapshot(row, VenueStatus::kNew);
    spoil(l.order);
    g.venue(l);
    EXPECT_TRUE(g.core.row(row).venue_order_id.is_zero());
    EXPECT_EQ(g.account_position().flags, kPositionConflict);
    EXPECT_TRUE(g.out.alerted(Alert::kOrderDiffers));
    EXPECT_EQ(g.core.account().unknown, 1U);
    g.send(Side::kBuy, "1");
    EXPECT_EQ(g.core.refusals(Reason::kInstrumentHalted), 1U);
  }
}

TEST(GatewayAdoption, CreationMayBeOlderByTheClocksTolerance) {
  Gateway g;
  const std::uint32_t row = g.send(Side::kBuy, "1");
  PostResult p = g.post(row, RequestOutcome::kAccepted);
  p.order.created_ns.ns -= 2 * kSec;
  g.venue(p);
  EXPECT_EQ(g.core.row(row).state, OrderState::kSubmitted);
}

TEST(GatewayAdoption, SecondVenueIdUnderOneClientIdHaltsTheInstrument) {
  Gateway g;
  const std::uint32_t row = g.work(Side::kBuy, "1");
  TradeUpdate u;
  u.kind = TradeUpdateKind::kNew;
  u.order = g.snapshot(row, VenueStatus::kNew);
  u.order.venue_order_id = {0x99, 0x99};
  u.receive_ns = g.now;
  g.venue(u);
  EXPECT_EQ(g.core.row(row).venue_order_id, Gateway::venue_id(row));
  EXPECT_EQ(g.account_position().flags, kPositionConflict);
}

// An order at the venue without a row of ours.
OrderSnapshot stray(const Gateway& g, std::string_view client_id) {
  OrderSnapshot o;
  o.venue_order_id = {0x77, 0x77};
  o.client_order_id.assign(client_id);
  o.status = VenueStatus::kNew;
  o.side = Side::kBuy;
  o.type = OrderType::kLimit;
  o.tif = TimeInForce::kGtc;
  o.instrument = kBtc;
  o.qty = qty("1");
  o.limit = px("59000");
  o.created_ns = {g.now.ns - 3600 * kSec};
  return o;
}

TEST(GatewayOrphan, OursWithoutARowIsAdoptedAndCancelled) {
  Gateway g;
  g.venue(OpenOrder{.order = stray(g, "slc-demo-7-1-12"), .receive_ns = g.now});
  const std::uint32_t row =
      g.core.find({.incarnation = 7, .strategy = 1, .reserved = 0, .sequence = 12});
  ASSERT_NE(row, kNoRow);
  EXPECT_NE(g.core.row(row).flags & kOrphaned, 0);
  EXPECT_EQ(g.strategy_position(1).working_buy, qty("1"));
  EXPECT_EQ(g.out.count("cancel"), 1U);
  g.venue(OpenOrder{.order = stray(g, "slc-demo-7-1-12"), .receive_ns = g.now});
  EXPECT_EQ(g.out.count("cancel"), 1U);
  EXPECT_EQ(g.core.counters().orphans, 1U);
}

TEST(GatewayOrphan, WhatItFilledBeforeUsIsNotBooked) {
  Gateway g;
  OrderSnapshot o = stray(g, "slc-demo-7-0-12");
  o.filled = qty("0.3");
  o.status = VenueStatus::kPartiallyFilled;
  g.venue(OpenOrder{.order = o, .receive_ns = g.now});
  EXPECT_EQ(g.account_position().position, 0);
  EXPECT_EQ(g.account_position().working_buy, qty("0.7"));
  TradeUpdate u;
  u.kind = TradeUpdateKind::kPartialFill;
  u.order = o;
  u.order.filled = qty("0.5");
  u.execution_id = {5, 5};
  u.px = px("59000");
  u.qty = qty("0.2");
  u.receive_ns = g.now;
  g.venue(u);
  EXPECT_EQ(g.account_position().bought, qty("0.2"));
  EXPECT_EQ(g.strategy_position(0).bought, qty("0.2"));
}

TEST(GatewayOrphan, ForeignOrderCountsButIsLeftAlone) {
  Gateway g;
  g.venue(
      OpenOrder{.order = stray(g, "eb9e2aaa-f71a-4f51-b5b4-52a6c565dad4"), .receive_ns = g.now});
  EXPECT_EQ(g.account_position().working_buy, qty("1"));
  EXPECT_EQ(g.core.positions().of(kExternalStrategy, kBtc).working_buy, qty("1"));
  EXPECT_EQ(g.out.count("cancel"), 0U);
  g.core.on_kill(KillMode::kCancelAll, 1, g.now);
  EXPECT_EQ(g.out.count("cancel"), 0U);
}

TEST(GatewayOrphan, FillOfAForeignOrderIsBookedAsExternal) {
  Gateway g;
  TradeUpdate u;
  u.kind = TradeUpdateKind::kFill;
  u.order = stray(g, "somebody");
  u.order.status = VenueStatus::kFilled;
  u.order.filled = qty("1");
  u.execution_id = {5, 5};
  u.px = px("59000");
  u.qty = qty("1");
  u.receive_ns = g.now;
  g.venue(u);
  EXPECT_EQ(g.core.positions().of(kExternalStrategy, kBtc).bought, qty("1"));
  EXPECT_EQ(g.account_position().bought, qty("1"));
  EXPECT_EQ(g.strategy_position().bought, Qty{});
}

TEST(GatewayProof, AnsweredPostWithoutAnEventMakesTheStreamUnproven) {
  Gateway g;
  const std::uint32_t row = g.send(Side::kBuy, "1");
  g.accept(row);
  g.tick(3 * kSec - 1);
  g.send(Side::kBuy, "0.1");
  EXPECT_EQ(g.core.refusals(Reason::kStreamUnproven), 0U);
  g.tick(1);
  EXPECT_TRUE(g.out.alerted(Alert::kStreamUnproven));
  EXPECT_EQ(g.out.count("audit"), 1U);
  g.send(Side::kBuy, "0.1");
  EXPECT_EQ(g.core.refusals(Reason::kStreamUnproven), 1U);
  EXPECT_EQ(g.core.account().flags & kStreamProven, 0U);
  g.tick(kMs);
  g.audit();
  g.send(Side::kBuy, "0.1");
  EXPECT_EQ(g.core.refusals(Reason::kStreamUnproven), 1U);
}

TEST(GatewayProof, AuditAskedForBeforeTheDoubtDoesNotRemoveIt) {
  Gateway g;
  const std::uint32_t row = g.send(Side::kBuy, "1");
  const MonoNanos early = g.now;
  g.accept(row);
  g.tick(3 * kSec);
  g.venue(AuditEnd{.requested_ns = early, .complete = true});
  EXPECT_EQ(g.core.account().flags & kStreamProven, 0U);
}

TEST(GatewayProof, AnsweredDeleteWithoutAnEventMakesTheStreamUnproven) {
  Gateway g;
  const std::uint32_t row = g.work(Side::kBuy, "1");
  g.cancel(row);
  g.deleted(row, RequestOutcome::kAccepted);
  g.tick(kSec);
  g.lookup(row, RequestOutcome::kAccepted,
           VenueStatus::kCanceled);  // evidence, but not of the stream
  EXPECT_EQ(g.core.row(row).state, OrderState::kCancelled);
  g.tick(2 * kSec);
  EXPECT_EQ(g.core.counters().unproven, 1U);
}

TEST(GatewayProof, StreamThatWentAwayIsProvenAgainOnlyByAnAudit) {
  Gateway g;
  g.venue(StreamState{.up = false, .at_ns = g.now});
  EXPECT_EQ(g.core.account().flags & kStreamProven, 0U);
  g.tick(kMs);
  g.audit();
  EXPECT_EQ(g.core.account().flags & kStreamProven, 0U)
      << "an audit while it is away proves nothing";
  g.tick(kMs);
  g.venue(StreamState{.up = true, .at_ns = g.now});
  EXPECT_EQ(g.core.account().flags & kStreamProven, 0U);
  g.tick(kMs);
  EXPECT_GE(g.out.count("audit"), 2U) << "asked for at once";
  g.audit();
  EXPECT_NE(g.core.account().flags & kStreamProven, 0U);
}

TEST(GatewayProof, SilenceMakesItUnproven) {
  Gateway g;
  g.now.ns += 31 * kSec;
  g.core.on_timer(g.now);
  EXPECT_EQ(g.core.account().flags & kStreamProven, 0U);
  g.venue(StreamAlive{.at_ns = g.now});
  EXPECT_EQ(g.core.account().flags & kStreamProven, 0U) << "idle: the account read is old too";
  g.account_read();
  EXPECT_NE(g.core.account().flags & kStreamProven, 0U);
}

TEST(GatewayProof, NothingPassesBeforeTheFirstAudit) {
  Recorder out;
  const InstrumentTable table = instruments();
  GatewayCore core(gateway_rules(), table, out);
  core.start(1, 0, {kStart}, {kStart});
  core.on_timer({kStart + kMs});
  EXPECT_EQ(out.count("audit"), 1U);
  EXPECT_NE(out.audit_reasons & kAuditStart, 0U);
  EXPECT_EQ(core.account().flags & kStreamProven, 0U);
}

TEST(GatewayOrphan, ExecutionsFromBeforeUsAreSkippedSilentlyThoseAcrossAreNot) {
  Gateway g;
  OrderSnapshot o = stray(g, "slc-demo-7-0-12");
  o.filled = qty("0.3");
  o.status = VenueStatus::kPartiallyFilled;
  g.venue(OpenOrder{.order = o, .receive_ns = g.now});
  g.out.alerts.clear();
  FillActivity a;
  a.execution_id = {5, 5};
  a.venue_order_id = o.venue_order_id;
  a.instrument = kBtc;
  a.side = Side::kBuy;
  a.px = px("59000");
  a.qty = a.cum_qty = qty("0.3");
  a.venue_ns = {g.now.ns};
  g.venue(a);
  EXPECT_EQ(g.core.counters().old_fills, 1U);
  EXPECT_TRUE(g.out.alerts.empty());
  o.filled = qty("0.9");
  g.venue(OpenOrder{.order = o, .receive_ns = g.now});
  a.execution_id = {5, 6};
  a.cum_qty = qty("0.5");  // (0.2, 0.5] was partly filled before us
  g.venue(a);
  EXPECT_EQ(g.account_position().bought, Qty{});
  EXPECT_TRUE(g.out.alerted(Alert::kExecutionExcess));
}

}  // namespace
}  // namespace sluice::testing
