// Intents, cancels, kill: what the gateway decides before the venue has a say.
#include "tests/trading/gateway_fixture.hpp"

namespace sluice::testing {
namespace {

TEST(GatewayIntent, RowAndExecutionPrecedeTheHandOver) {
  Gateway g;
  const std::uint32_t row = g.send(Side::kBuy, "1");
  ASSERT_NE(row, kNoRow);
  EXPECT_EQ(g.core.row(row).state, OrderState::kSubmitting);
  const auto at = [&](const std::string& what) {
    return std::find(g.out.log.begin(), g.out.log.end(), what) - g.out.log.begin();
  };
  EXPECT_LT(at("row " + std::to_string(row)), at("position"));
  EXPECT_LT(at("position"), at("account"));
  EXPECT_LT(at("account"), at("execution"));
  EXPECT_LT(at("execution"), at("submit"));
  ASSERT_EQ(g.out.executions.size(), 1U);
  const Execution& e = g.out.executions[0];
  EXPECT_EQ(e.kind, ExecutionKind::kSubmitting);
  EXPECT_EQ(e.leaves, qty("1"));
  EXPECT_EQ(e.n, g.core.row(row).n);
  EXPECT_EQ(g.account_position().working_buy, qty("1"));
  EXPECT_EQ(g.core.account().in_flight, 1U);
}

TEST(GatewayIntent, SameIntentTwiceIsSilentAndSentOnce) {
  Gateway g;
  const Intent i = g.intent(Side::kBuy, "1");
  g.send(i);
  g.send(i);
  EXPECT_EQ(g.out.count("submit"), 1U);
  EXPECT_EQ(g.out.executions.size(), 1U);
  EXPECT_EQ(g.core.counters().duplicate_intents, 1U);
}

TEST(GatewayIntent, RefusalIsDecidedOnce) {
  Gateway g;
  g.kill_word = true;
  const Intent i = g.intent(Side::kBuy, "1");
  g.send(i);
  g.kill_word = false;
  g.send(i);  // would pass now
  EXPECT_EQ(g.out.count("submit"), 0U);
  EXPECT_EQ(g.out.count(ExecutionKind::kRefused), 1U);
  EXPECT_EQ(g.core.refusals(Reason::kKilled), 1U);
}

TEST(GatewayIntent, RefusalIsARowLikeAnyOther) {
  Gateway g;
  g.state = TradingState::kHalted;
  const std::uint32_t row = g.send(Side::kBuy, "1");
  ASSERT_NE(row, kNoRow);
  EXPECT_EQ(g.core.row(row).state, OrderState::kFailed);
  EXPECT_EQ(g.core.row(row).reason, Reason::kTradingState);
  EXPECT_EQ(g.out.executions.back().reason, Reason::kTradingState);
  EXPECT_TRUE(g.core.quiescent());
}

TEST(GatewayIntent, OlderIncarnationIsRefused) {
  Gateway g;
  Intent i = g.intent(Side::kBuy, "1");
  IntentContext c = g.context();
  c.strategy_incarnation = 2;
  g.core.on_intent(i, c);
  EXPECT_EQ(g.core.refusals(Reason::kStaleIncarnation), 1U);
  i.id.incarnation = 2;
  i.id.sequence = 1;
  g.core.on_intent(i, c);
  EXPECT_EQ(g.out.count("submit"), 1U);
  i.id = {.incarnation = 1, .strategy = 0, .reserved = 0, .sequence = 99};
  g.core.on_intent(i, g.context());  // the liveness row is late; the ring has shown incarnation 2
  EXPECT_EQ(g.core.refusals(Reason::kStaleIncarnation), 2U);
}

TEST(GatewayIntent, MalformedAndUnsupportedAreRefused) {
  Gateway g;
  const auto refused = [&](auto&& spoil) {
    Intent i = g.intent(Side::kBuy, "1");
    spoil(i);
    g.core.on_intent(i, g.context());
    return g.out.executions.empty() ? Reason::kNone : g.out.executions.back().reason;
  };
  EXPECT_EQ(refused([](Intent& i) { i.instrument = 99; }), Reason::kMalformed);
  EXPECT_EQ(refused([](Intent& i) { i.side = Side::kNone; }), Reason::kMalformed);
  EXPECT_EQ(refused([](Intent& i) { i.approved = {}; }), Reason::kMalformed);
  EXPECT_EQ(refused([](Intent& i) { i.approved.raw = i.requested.raw + 1; }), Reason::kMalformed);
  EXPECT_EQ(refused([](Intent& i) { i.limit = {}; }), Reason::kMalformed);
  EXPECT_EQ(refused([](Intent& i) { i.tif = TimeInForce::kNone; }), Reason::kMalformed);
  EXPECT_EQ(refused([](Intent& i) { i.deadline_ns.ns += 3600 * kSec; }), Reason::kMalformed);
  EXPECT_EQ(refused([](Intent& i) { i.kind = IntentKind::kReplace; }), Reason::kMalformed);
  EXPECT_EQ(refused([](Intent& i) { i.replaces = {1, 0, 0, 1}; }), Reason::kMalformed);
  EXPECT_EQ(refused([](Intent& i) { i.kind = IntentKind::kSession; }), Reason::kUnsupported);
  EXPECT_EQ(refused([](Intent& i) { i.type = OrderType::kStop; }), Reason::kUnsupported);
  EXPECT_EQ(g.out.count("submit"), 0U);
}

TEST(GatewayIntent, IntentOfAnUnknownStrategyIsGarbage) {
  Gateway g;
  Intent i = g.intent(Side::kBuy, "1");
  i.id.strategy = 7;
  g.core.on_intent(i, g.context());
  EXPECT_TRUE(g.out.executions.empty());
  EXPECT_EQ(g.core.counters().garbage_intents, 1U);
}

TEST(GatewayIntent, WhatCannotLeaveNowIsRefusedNotQueued) {
  Gateway g;
  const auto with = [&](auto&& spoil) {
    IntentContext c = g.context();
    spoil(c);
    g.core.on_intent(g.intent(Side::kBuy, "1"), c);
    return g.out.executions.back().reason;
  };
  EXPECT_EQ(with([](IntentContext& c) { c.connection_ready = false; }), Reason::kNoConnection);
  EXPECT_EQ(with([](IntentContext& c) { c.hand_over_room = false; }), Reason::kHandOverFull);
  EXPECT_EQ(with([](IntentContext& c) { c.execution_ring_room = false; }), Reason::kRingFull);
  EXPECT_EQ(g.out.count("submit"), 0U);
}

TEST(GatewayIntent, FullTableRefuses) {
  GatewayRules rules = gateway_rules();
  rules.order_rows = 2;
  Gateway g(rules);
  g.work(Side::kBuy, "1");
  g.work(Side::kBuy, "1");
  g.send(Side::kBuy, "1");
  EXPECT_EQ(g.out.executions.back().reason, Reason::kOrderTableFull);
  EXPECT_EQ(g.out.executions.back().order_row, kNoRow);
}

TEST(GatewayIntent, StrategyRateIsCountedPerStrategy) {
  GatewayRules rules = gateway_rules();
  rules.strategy_orders_per_second = 2;
  Gateway g(rules);
  g.send(Side::kBuy, "0.1");
  g.send(Side::kBuy, "0.1");
  g.send(Side::kBuy, "0.1");
  EXPECT_EQ(g.core.refusals(Reason::kRate), 1U);
  g.send(Side::kBuy, "0.1", "60000", 1);
  EXPECT_EQ(g.core.refusals(Reason::kRate), 1U);
  g.now.ns += kSec;
  g.send(Side::kBuy, "0.1");
  EXPECT_EQ(g.core.refusals(Reason::kRate), 1U);
}

TEST(GatewayIntent, RateAnswerOfTheVenuePausesNewOrders) {
  Gateway g;
  const std::uint32_t row = g.send(Side::kBuy, "1");
  g.venue(g.post(row, RequestOutcome::kRateLimited));
  EXPECT_EQ(g.core.row(row).state, OrderState::kRejected);
  EXPECT_EQ(g.core.row(row).reason, Reason::kVenueRateLimited);
  g.send(Side::kBuy, "1");
  EXPECT_EQ(g.core.refusals(Reason::kRate), 1U);
  g.tick(2 * kSec);
  g.send(Side::kBuy, "1");
  EXPECT_EQ(g.out.count("submit"), 2U);
}

TEST(GatewayIntent, BuyingPowerCountsOrdersTheSnapshotDidNotKnow) {
  Gateway g;
  g.account_read("150000");
  const std::uint32_t row = g.send(Side::kBuy, "1");  // 60,600 at the worst price
  g.send(Side::kBuy, "1");
  g.send(Side::kBuy, "1");
  EXPECT_EQ(g.core.refusals(Reason::kBuyingPower), 1U);
  g.venue(g.post(row, RequestOutcome::kRefused));  // releases its reservation
  g.send(Side::kBuy, "1");
  EXPECT_EQ(g.core.refusals(Reason::kBuyingPower), 1U);
  EXPECT_EQ(g.out.count("submit"), 3U);
}

TEST(GatewayIntent, SnapshotRequestedAfterTheAcknowledgementCoversTheOrder) {
  Gateway g;
  g.account_read("100000");
  g.work(Side::kBuy, "1");
  g.send(Side::kBuy, "1");
  EXPECT_EQ(g.core.refusals(Reason::kBuyingPower), 1U);
  g.tick(kMs);
  g.account_read("61000");  // the venue has taken the first order off
  g.send(Side::kBuy, "1");
  EXPECT_EQ(g.core.refusals(Reason::kBuyingPower), 1U);
}

TEST(GatewayIntent, ClockThatRunsBackRefuses) {
  Gateway g;
  g.tick(kSec);
  Intent i = g.intent(Side::kBuy, "1");
  IntentContext c = g.context();
  c.now.ns -= 1;
  g.core.on_intent(i, c);
  EXPECT_EQ(g.out.executions.back().reason, Reason::kClock);
}

TEST(GatewayCancel, LatchesAndWaitsForTheVenueId) {
  Gateway g;
  const std::uint32_t row = g.send(Side::kBuy, "1");
  g.cancel(row);
  EXPECT_EQ(g.out.count("cancel"), 0U);
  EXPECT_NE(g.core.row(row).flags & kCancelWanted, 0);
  g.accept(row);
  EXPECT_EQ(g.out.count("cancel"), 1U);
}

TEST(GatewayCancel, StreamMayShowTheVenueIdFirst) {
  Gateway g;
  const std::uint32_t row = g.send(Side::kBuy, "1");
  g.cancel(row);
  g.event(row, TradeUpdateKind::kNew, VenueStatus::kNew);
  EXPECT_EQ(g.out.count("cancel"), 1U);
}

TEST(GatewayCancel, RepeatsAreCoalescedIntoOneDelete) {
  Gateway g;
  const std::uint32_t row = g.work(Side::kBuy, "1");
  g.cancel(row);
  g.cancel(row);
  g.tick(10 * kMs);
  EXPECT_EQ(g.out.count("cancel"), 1U);
  EXPECT_EQ(g.core.counters().cancels_coalesced, 1U);
}

TEST(GatewayCancel, AnAcceptanceIsNoEvidence) {
  Gateway g;
  const std::uint32_t row = g.work(Side::kBuy, "1");
  g.cancel(row);
  g.deleted(row, RequestOutcome::kAccepted);
  EXPECT_EQ(g.core.row(row).state, OrderState::kSubmitted);
  EXPECT_EQ(g.account_position().working_buy, qty("1"));
  g.event(row, TradeUpdateKind::kCanceled, VenueStatus::kCanceled);
  EXPECT_EQ(g.core.row(row).state, OrderState::kCancelled);
  EXPECT_NE(g.core.row(row).flags & kCancelEvidence, 0);
  EXPECT_EQ(g.account_position().working_buy, Qty{});
  EXPECT_TRUE(g.core.quiescent());
}

TEST(GatewayCancel, EventMayPrecedeTheAnswer) {
  Gateway g;
  const std::uint32_t row = g.work(Side::kBuy, "1");
  g.cancel(row);
  g.event(row, TradeUpdateKind::kCanceled, VenueStatus::kCanceled);
  g.deleted(row, RequestOutcome::kAccepted);
  g.tick(10 * kSec);
  EXPECT_EQ(g.core.row(row).state, OrderState::kCancelled);
  EXPECT_EQ(g.core.counters().unproven, 0U);
  EXPECT_EQ(g.out.count("lookup"), 0U);
}

TEST(GatewayCancel, DeleteWithoutAnEventIsPolledByIdAndRepeatedWhileTheOrderLives) {
  Gateway g;
  const std::uint32_t row = g.work(Side::kBuy, "1");
  g.cancel(row);
  g.deleted(row, RequestOutcome::kAccepted);
  g.tick(kSec - kMs);
  EXPECT_EQ(g.out.count("lookup"), 0U);
  g.tick(kMs);
  ASSERT_EQ(g.out.count("lookup"), 1U);
  EXPECT_EQ(g.out.requests.back().by, LookupBy::kVenueOrderId);
  g.lookup(row, RequestOutcome::kAccepted, VenueStatus::kNew);
  EXPECT_EQ(g.out.count("cancel"), 2U);  // it lives: asked again
  g.deleted(row, RequestOutcome::kAccepted);
  g.tick(kSec);
  g.lookup(row, RequestOutcome::kAccepted, VenueStatus::kCanceled);
  EXPECT_EQ(g.core.row(row).state, OrderState::kCancelled);
  EXPECT_EQ(g.core.row(row).flags & kCancelEvidence, 0) << "no event told it";
}

TEST(GatewayCancel, PendingCancelIsPolledNotRepeated) {
  Gateway g;
  const std::uint32_t row = g.work(Side::kBuy, "1");
  g.cancel(row);
  g.deleted(row, RequestOutcome::kAccepted);
  g.tick(kSec);
  g.lookup(row, RequestOutcome::kAccepted, VenueStatus::kPendingCancel);
  g.tick(kSec);
  EXPECT_EQ(g.out.count("cancel"), 1U);
  EXPECT_EQ(g.out.count("lookup"), 2U);
}

TEST(GatewayCancel, RefusedDeleteIsFollowedByALookUpNotByAnEnd) {
  Gateway g;
  const std::uint32_t row = g.work(Side::kBuy, "1");
  g.cancel(row);
  g.deleted(row, RequestOutcome::kRefused);
  EXPECT_FALSE(is_terminal(g.core.row(row).state));
  g.tick(kMs);
  EXPECT_EQ(g.out.count("lookup"), 1U);
}

TEST(GatewayCancel, PartialFillDoesNotTriggerASecondDelete) {
  Gateway g;
  const std::uint32_t row = g.work(Side::kBuy, "1");
  g.cancel(row);
  g.deleted(row, RequestOutcome::kAccepted);
  g.fill(row, 1, "60000", "0.4", "0.4");
  g.tick(kMs);
  EXPECT_EQ(g.out.count("cancel"), 1U);
}

TEST(GatewayCancel, RejectedCancelLeavesTheOrderAndItsLatch) {
  Gateway g;
  const std::uint32_t row = g.work(Side::kBuy, "1");
  g.cancel(row);
  g.deleted(row, RequestOutcome::kAccepted);
  g.event(row, TradeUpdateKind::kCancelRejected, VenueStatus::kNew);
  EXPECT_EQ(g.out.count(ExecutionKind::kCancelRejected), 1U);
  EXPECT_EQ(g.core.row(row).state, OrderState::kSubmitted);
  g.tick(kSec);
  g.lookup(row, RequestOutcome::kAccepted, VenueStatus::kNew);
  EXPECT_EQ(g.out.count("cancel"), 2U);
}

TEST(GatewayCancel, WithoutRoomItIsTriedAgain) {
  Gateway g;
  const std::uint32_t row = g.work(Side::kBuy, "1");
  g.out.room = false;
  g.cancel(row);
  g.out.room = true;
  g.tick(10 * kMs);
  EXPECT_EQ(g.out.count("cancel"), 0U);
  g.tick(50 * kMs);
  EXPECT_EQ(g.out.count("cancel"), 1U);
}

TEST(GatewayCancel, UnsentDeleteIsTriedAgain) {
  Gateway g;
  const std::uint32_t row = g.work(Side::kBuy, "1");
  g.cancel(row);
  g.deleted(row, RequestOutcome::kNotSent);
  g.tick(50 * kMs);
  EXPECT_EQ(g.out.count("cancel"), 2U);
}

TEST(GatewayCancel, OverOrdersOfAnotherStrategyIsRefused) {
  Gateway g;
  const std::uint32_t row = g.work(Side::kBuy, "1");
  Cancel c;
  c.order = g.core.row(row).id;
  g.core.on_cancel(c, 1, g.now);
  EXPECT_EQ(g.out.count("cancel"), 0U);
  EXPECT_EQ(g.core.row(row).flags & kCancelWanted, 0);
  EXPECT_EQ(g.core.refusals(Reason::kForeignOrder), 1U);
}

TEST(GatewayCancel, OvertakingItsOrderLeavesATombstone) {
  Gateway g;
  const Intent i = g.intent(Side::kBuy, "1");
  Cancel c;
  c.order = i.id;
  g.core.on_cancel(c, 0, g.now);
  g.send(i);
  EXPECT_EQ(g.out.count("submit"), 0U);
  EXPECT_EQ(g.out.executions.back().reason, Reason::kCancelledBeforeSend);
  g.send(Side::kBuy, "1");
  EXPECT_EQ(g.out.count("submit"), 1U);  // only that order
}

TEST(GatewayCancel, TombstonesOverflowClosed) {
  Gateway g;
  std::vector<Intent> intents;
  for (int n = 0; n < 6; ++n) {
    intents.push_back(g.intent(Side::kBuy, "1"));
  }
  for (std::size_t n = 0; n < 5; ++n) {  // room for four
    Cancel c;
    c.order = intents[n].id;
    g.core.on_cancel(c, 0, g.now);
  }
  EXPECT_TRUE(g.out.alerted(Alert::kTombstonesFull));
  for (const Intent& i : intents) {
    g.send(i);
  }
  EXPECT_EQ(g.core.refusals(Reason::kCancelledBeforeSend), 5U);
  EXPECT_EQ(g.out.count("submit"), 1U);
}

TEST(GatewayCancel, DecidedMarkFreesTombstones) {
  Gateway g;
  Cancel c;
  for (std::uint64_t n = 1; n <= 4; ++n) {  // intents that risk refused: their orders never come
    c.order = {.incarnation = 1, .strategy = 0, .reserved = 0, .sequence = n};
    g.core.on_cancel(c, 0, g.now);
  }
  g.core.on_order_ring_drained(0, 1, 4);
  c.order.sequence = 5;
  g.core.on_cancel(c, 0, g.now);
  EXPECT_FALSE(g.out.alerted(Alert::kTombstonesFull));
}

TEST(GatewayCancel, ForAnEndedOrderIsIgnored) {
  Gateway g;
  const std::uint32_t row = g.work(Side::kBuy, "1");
  g.event(row, TradeUpdateKind::kExpired, VenueStatus::kExpired);
  g.cancel(row);
  EXPECT_EQ(g.out.count("cancel"), 0U);
  EXPECT_EQ(g.core.counters().cancels_late, 1U);
}

TEST(GatewayCancel, PassesWhileKilledAndHalted) {
  Gateway g;
  const std::uint32_t row = g.work(Side::kBuy, "1");
  g.kill_word = true;
  g.state = TradingState::kHalted;
  g.venue(StreamState{.up = false, .at_ns = g.now});
  g.cancel(row);
  EXPECT_EQ(g.out.count("cancel"), 1U);
}

TEST(GatewayKill, StopCancelsWhatOpensAndKeepsWhatReduces) {
  Gateway g;
  const std::uint32_t bought = g.work(Side::kBuy, "1");
  TradeUpdate u = g.fill_update(bought, 1, "60000", "1", "1");
  u.has_position = true;
  u.position = dec("0.9975");
  g.venue(u);
  const std::uint32_t opening = g.work(Side::kBuy, "0.5", "59000");
  const std::uint32_t reducing = g.work(Side::kSell, "0.5", "61000");
  g.core.on_kill(KillMode::kStop, 1, g.now);
  EXPECT_NE(g.core.row(opening).flags & kCancelWanted, 0);
  EXPECT_EQ(g.core.row(reducing).flags & kCancelWanted, 0);
  EXPECT_EQ(g.out.count("cancel"), 1U);
}

TEST(GatewayKill, CancelAllCancelsEverythingOfOurs) {
  Gateway g;
  g.work(Side::kBuy, "0.5");
  const std::uint32_t in_flight = g.send(Side::kBuy, "0.5");
  g.core.on_kill(KillMode::kCancelAll, 1, g.now);
  EXPECT_EQ(g.out.count("cancel"), 1U);
  g.accept(in_flight);  // the latch acts as soon as the venue's id is known
  EXPECT_EQ(g.out.count("cancel"), 2U);
}

TEST(GatewayKill, NothingPassesUntilResumeWhateverTheWordSays) {
  Gateway g;
  g.core.on_kill(KillMode::kStop, 3, g.now);
  EXPECT_EQ(g.core.account().kill_episode, 0U) << "stamped only after the acknowledgement";
  g.send(Side::kBuy, "1");
  EXPECT_EQ(g.core.refusals(Reason::kKilled), 1U);
  g.core.on_kill_stamped(3, g.now, g.now);
  EXPECT_EQ(g.core.account().kill_episode, 3U);
  g.core.on_resume(g.now);
  g.send(Side::kBuy, "1");
  EXPECT_EQ(g.out.count("submit"), 1U);
}

TEST(GatewayKill, OrderStoppedAtTheSocketFailsByProof) {
  Gateway g;
  const std::uint32_t row = g.send(Side::kBuy, "1");
  PostResult p = g.post(row, RequestOutcome::kNotSent);
  p.not_sent = Reason::kKilled;
  p.wire_ns = {};
  g.venue(p);
  EXPECT_EQ(g.core.row(row).state, OrderState::kFailed);
  EXPECT_EQ(g.core.row(row).reason, Reason::kKilled);
  EXPECT_EQ(g.out.count(ExecutionKind::kNotSent), 1U);
  EXPECT_TRUE(g.core.quiescent());
}

TEST(GatewayRulesCheck, RulesThatDoNotFitAreAConfigError) {
  GatewayRules rules = gateway_rules();
  rules.instance = "Not Valid";
  Recorder out;
  const InstrumentTable table = instruments();
  EXPECT_THROW(GatewayCore(rules, table, out), Error);
  rules = gateway_rules();
  rules.gate.instruments.pop_back();
  EXPECT_THROW(GatewayCore(rules, table, out), Error);
}

TEST(GatewaySession, FirstRecordNamesTheIncarnation) {
  Recorder out;
  const InstrumentTable table = instruments();
  GatewayCore core(gateway_rules(), table, out);
  core.start(42, 0, {kStart}, {kStart});
  ASSERT_EQ(out.executions.size(), 1U);
  EXPECT_EQ(out.executions[0].kind, ExecutionKind::kSession);
  EXPECT_EQ(out.executions[0].cum_qty.raw, 42);
}

TEST(GatewayIntent, VenueBudgetKeepsAReserveForCancels) {
  GatewayRules rules = gateway_rules();
  rules.venue_requests_per_minute = 4;
  rules.venue_requests_reserved = 2;
  Gateway g(rules);
  const std::uint32_t row = g.work(Side::kBuy, "0.1");
  g.work(Side::kBuy, "0.1");
  g.send(Side::kBuy, "0.1");
  EXPECT_EQ(g.core.refusals(Reason::kRate), 1U);
  g.cancel(row);
  EXPECT_EQ(g.out.count("cancel"), 1U);
}

TEST(GatewayIntent, RowWhosePostIsUnansweredIsNotGivenAway) {
  GatewayRules rules = gateway_rules();
  rules.order_rows = 1;
  rules.terminal_retention_ns = 0;
  Gateway g(rules);
  const std::uint32_t row = g.send(Side::kBuy, "1");
  const PostResult late = g.post(row, RequestOutcome::kAccepted);
  g.event(row, TradeUpdateKind::kExpired, VenueStatus::kExpired);
  g.tick(kSec);
  g.account_read();
  g.send(Side::kBuy, "1");
  EXPECT_EQ(g.core.refusals(Reason::kOrderTableFull), 1U);
  g.venue(late);
  g.tick(kMs);
  g.send(Side::kBuy, "1");
  EXPECT_EQ(g.out.count("submit"), 2U);
}

TEST(GatewayIntent, CancelledBuyGivesItsReservationBackAtOnce) {
  Gateway g;
  g.account_read("100000");
  const std::uint32_t row = g.work(Side::kBuy, "1");
  g.event(row, TradeUpdateKind::kCanceled, VenueStatus::kCanceled);
  g.send(Side::kBuy, "1");
  EXPECT_EQ(g.core.refusals(Reason::kBuyingPower), 0U);
}

TEST(GatewayIntent, FilledBuyKeepsWhatItCostUntilASnapshotHasIt) {
  Gateway g;
  g.account_read("100000");
  const std::uint32_t row = g.work(Side::kBuy, "1");
  g.fill(row, 1, "60000", "1", "1");
  g.send(Side::kBuy, "1");
  EXPECT_EQ(g.core.refusals(Reason::kBuyingPower), 1U);
}

}  // namespace
}  // namespace sluice::testing
