// Replaces: what the venue says in whatever order, what counts meanwhile, and what is never sent.
#include "tests/trading/replace_fixture.hpp"

namespace sluice::testing {
namespace {

TEST(GatewayReplace, RowAndExecutionPrecedeThePatchOfTheOldOrder) {
  InFlight g;
  EXPECT_EQ(g.out.count("replace"), 1U);
  EXPECT_EQ(g.out.count("submit"), 1U);  // the old order's own
  EXPECT_EQ(g.out.replaced_id, Gateway::venue_id(g.old));
  EXPECT_EQ(g.state_of(g.next), OrderState::kSubmitting);
  EXPECT_EQ(g.core.row(g.next).replaces, g.core.row(g.old).id);
  EXPECT_EQ(g.core.row(g.old).replaced_by, g.core.row(g.next).id);
  EXPECT_TRUE(g.in_flight());
  EXPECT_NE(g.core.client_order_id(g.next), g.core.client_order_id(g.old));
  const Execution& e = g.out.executions.back();
  EXPECT_EQ(e.kind, ExecutionKind::kSubmitting);
  EXPECT_EQ(e.linked, g.core.row(g.old).id.sequence);
}

TEST(GatewayReplace, ReplacedAfterTheAnswer) {
  InFlight g;
  g.answered();
  EXPECT_EQ(g.state_of(g.old), OrderState::kSubmitted) << "a 200 does not mean replaced";
  g.replaced();
  g.fresh();
  EXPECT_EQ(g.state_of(g.old), OrderState::kReplaced);
  EXPECT_EQ(g.state_of(g.next), OrderState::kSubmitted);
  EXPECT_FALSE(g.in_flight());
  EXPECT_EQ(g.buying(), qty("2"));
  ASSERT_EQ(g.out.count(ExecutionKind::kReplaced), 1U);
  for (const Execution& e : g.out.executions) {
    if (e.kind == ExecutionKind::kReplaced) {
      EXPECT_EQ(e.intent, g.core.row(g.old).id);
      EXPECT_EQ(e.state, OrderState::kReplaced);
      EXPECT_EQ(e.linked, g.core.row(g.next).id.sequence);
    }
  }
}

TEST(GatewayReplace, ReplacedBeforeTheAnswer) {
  InFlight g;
  g.replaced();
  EXPECT_EQ(g.buying(), qty("2")) << "the successor counts alone";
  g.fresh();
  g.answered();
  EXPECT_EQ(g.state_of(g.old), OrderState::kReplaced);
  EXPECT_EQ(g.state_of(g.next), OrderState::kSubmitted);
  EXPECT_EQ(g.out.count(ExecutionKind::kReplaced), 1U);
  g.fill(g.next, 1, "59995", "2", "2");
  EXPECT_EQ(g.state_of(g.next), OrderState::kFilled);
  EXPECT_EQ(g.core.account().working, 0U);
}

TEST(GatewayReplace, CountsAtTheLargerLeavesUntilResolved) {
  InFlight larger("2");
  EXPECT_EQ(larger.buying(), qty("2"));
  larger.rejected(larger.old);
  EXPECT_EQ(larger.buying(), qty("1"));
  InFlight smaller("0.5");
  EXPECT_EQ(smaller.buying(), qty("1"));
  smaller.answered();
  EXPECT_EQ(smaller.buying(), qty("1"));
  smaller.replaced();
  EXPECT_EQ(smaller.buying(), qty("0.5"));
}

TEST(GatewayReplace, FillOfTheOldWhilePendingIsTheOldOnesAndShrinksTheSuccessor) {
  InFlight g("2");
  g.fill(g.old, 1, "59990", "0.4", "0.4");
  EXPECT_EQ(g.core.row(g.old).filled, qty("0.4"));
  EXPECT_EQ(g.core.row(g.next).filled, Qty{});
  EXPECT_EQ(g.core.row(g.next).chain_filled, qty("0.4"));
  EXPECT_EQ(g.buying(), qty("1.6"));
  g.replaced("0.4");
  g.answered();
  g.fresh();
  EXPECT_EQ(g.buying(), qty("1.6"));
  g.fill(g.next, 2, "59995", "1.6", "1.6");
  EXPECT_EQ(g.state_of(g.next), OrderState::kFilled);
  EXPECT_EQ(g.account_position().bought, qty("2"));
  EXPECT_EQ(g.out.executions.back().leaves, Qty{});
}

TEST(GatewayReplace, OldFillsFirstThenTheReplaceIsRejected) {
  InFlight g;
  g.answered();
  g.fill(g.old, 1, "59990", "1", "1");
  EXPECT_EQ(g.state_of(g.old), OrderState::kFilled);
  EXPECT_EQ(g.buying(), qty("1")) << "of the successor one may still come, as far as is proven";
  g.event(g.old, TradeUpdateKind::kReplaceRejected, VenueStatus::kFilled, "1");
  EXPECT_EQ(g.state_of(g.next), OrderState::kRejected);
  EXPECT_EQ(g.buying(), Qty{});
  EXPECT_EQ(g.account_position().bought, qty("1"));
}

// The chain's total is traded, but by the old order: the successor was not filled, it never came.
TEST(GatewayReplace, OldFillsTheWholeTotalAndTheSuccessorIsWhatTheVenueSaysOfIt) {
  InFlight g("1");
  g.answered();
  g.fill(g.old, 1, "59990", "1", "1");
  EXPECT_EQ(g.state_of(g.old), OrderState::kFilled);
  EXPECT_FALSE(is_terminal(g.state_of(g.next)));
  EXPECT_EQ(g.buying(), Qty{});
  g.event(g.next, TradeUpdateKind::kRejected, VenueStatus::kRejected);
  EXPECT_EQ(g.state_of(g.next), OrderState::kRejected);
}

TEST(GatewayReplace, RejectedReplaceLeavesTheOldAloneAndReplaceableAgain) {
  InFlight g;
  g.answered();
  g.rejected(g.old);
  EXPECT_EQ(g.state_of(g.next), OrderState::kRejected);
  EXPECT_EQ(g.state_of(g.old), OrderState::kSubmitted);
  EXPECT_FALSE(g.in_flight());
  EXPECT_TRUE(g.core.row(g.old).replaced_by.is_none());
  const Execution& e = g.out.executions.back();
  EXPECT_EQ(e.kind, ExecutionKind::kReplaceRejected);
  EXPECT_EQ(e.intent, g.core.row(g.next).id);
  EXPECT_EQ(e.linked, g.core.row(g.old).id.sequence);
  g.tick(kMs);
  const std::uint32_t second = g.replace(g.old, "3", "59995");
  EXPECT_EQ(g.state_of(second), OrderState::kSubmitting);
  g.now.ns -= kMs;  // the same word once more: it is about the first replace
  g.rejected(g.old);
  EXPECT_EQ(g.state_of(second), OrderState::kSubmitting);
}

TEST(GatewayReplace, RejectionThatNamesTheSuccessorMeansTheSame) {
  InFlight g;
  g.answered();
  g.rejected(g.next);
  EXPECT_EQ(g.state_of(g.next), OrderState::kRejected);
  EXPECT_FALSE(g.in_flight());
  EXPECT_EQ(g.state_of(g.old), OrderState::kSubmitted);
}

TEST(GatewayReplace, AnswerAfterTheRejectionDoesNotReviveTheSuccessor) {
  InFlight g;
  g.rejected(g.old);
  g.answered();  // written before the rejection
  EXPECT_EQ(g.state_of(g.next), OrderState::kRejected);
  EXPECT_FALSE(g.out.alerted(Alert::kContradiction));
  EXPECT_EQ(g.buying(), qty("1"));
  g.fresh();  // but one that lives is an order
  EXPECT_EQ(g.state_of(g.next), OrderState::kSubmitted);
  EXPECT_EQ(g.out.count("cancel"), 1U);
}

TEST(GatewayReplace, RefusedReplaceLeavesTheOldAlone) {
  InFlight g;
  g.venue(g.post(g.next, RequestOutcome::kRefused));
  EXPECT_EQ(g.state_of(g.next), OrderState::kRejected);
  EXPECT_EQ(g.out.executions.back().kind, ExecutionKind::kReplaceRejected);
  EXPECT_EQ(g.state_of(g.old), OrderState::kSubmitted);
  EXPECT_FALSE(g.in_flight());
  EXPECT_EQ(g.buying(), qty("1"));
  EXPECT_EQ(g.core.account().in_flight, 0U);
}

TEST(GatewayReplace, NotFoundIsTheOldOrderAndAsksForIt) {
  InFlight g;
  g.venue(g.post(g.next, RequestOutcome::kNotFound));
  EXPECT_EQ(g.state_of(g.next), OrderState::kRejected);
  g.tick(kMs);
  ASSERT_EQ(g.out.count("lookup"), 1U);
  EXPECT_EQ(g.out.requests.back().row, g.old);
}

TEST(GatewayReplace, UnknownOutcomeIsLookedUpOnBothSidesAndNeverResent) {
  InFlight g;
  g.venue(g.post(g.next, RequestOutcome::kUnknown));
  EXPECT_NE(g.core.row(g.next).flags & kOutcomeUnknown, 0);
  EXPECT_EQ(g.buying(), qty("2"));
  g.tick(g.now.ns == 0 ? 0 : 400 * kMs);
  ASSERT_EQ(g.out.count("lookup"), 2U);
  for (const Recorder::Request& r : g.out.requests) {
    if (r.what == "lookup") {
      EXPECT_EQ(r.by, r.row == g.next ? LookupBy::kClientOrderId : LookupBy::kVenueOrderId);
    }
  }
  g.lookup(g.next, RequestOutcome::kAccepted, VenueStatus::kNew);
  g.lookup(g.old, RequestOutcome::kAccepted, VenueStatus::kReplaced);
  EXPECT_EQ(g.state_of(g.next), OrderState::kSubmitted);
  EXPECT_EQ(g.state_of(g.old), OrderState::kReplaced);
  EXPECT_EQ(g.buying(), qty("2"));
  EXPECT_EQ(g.out.count("replace"), 1U);
}

TEST(GatewayReplace, UnknownThatIsNotFoundCountsUntilTheOldOneEnds) {
  InFlight g;
  g.venue(g.post(g.next, RequestOutcome::kUnknown));
  for (int i = 0; i < 4; ++i) {
    g.tick(400 * kMs);
    g.lookup(g.next, RequestOutcome::kNotFound);
  }
  EXPECT_NE(g.core.row(g.next).flags & kLost, 0);
  EXPECT_EQ(g.buying(), qty("2")) << "absence is not evidence";
  g.event(g.old, TradeUpdateKind::kCanceled, VenueStatus::kCanceled);
  g.lookup(g.next, RequestOutcome::kNotFound);
  EXPECT_EQ(g.state_of(g.next), OrderState::kRejected) << "an ended order was never replaced";
  EXPECT_EQ(g.buying(), Qty{});
  EXPECT_TRUE(g.core.quiescent());
}

TEST(GatewayReplace, ReplacedEventTellsOfAnUnknownSuccessorAtOnce) {
  InFlight g;
  g.venue(g.post(g.next, RequestOutcome::kUnknown));
  g.replaced();
  g.tick(kMs);
  ASSERT_EQ(g.out.count("lookup"), 1U);
  EXPECT_EQ(g.out.requests.back().row, g.next);
  g.lookup(g.next, RequestOutcome::kAccepted, VenueStatus::kNew);
  EXPECT_EQ(g.state_of(g.next), OrderState::kSubmitted);
}

TEST(GatewayReplace, LostReplacedEventIsMadeGoodByALookUp) {
  InFlight g;
  g.answered();
  g.fresh();
  EXPECT_EQ(g.state_of(g.old), OrderState::kSubmitted);
  g.tick(2 * kSec);
  ASSERT_EQ(g.out.count("lookup"), 1U);
  EXPECT_EQ(g.out.requests.back().row, g.old);
  g.lookup(g.old, RequestOutcome::kAccepted, VenueStatus::kReplaced);
  EXPECT_EQ(g.state_of(g.old), OrderState::kReplaced);
}

TEST(GatewayReplace, ReplacedByWhomWeDoNotKnowIsAskedFor) {
  Gateway g;
  const std::uint32_t row = g.work(Side::kBuy, "1", "59990");
  TradeUpdate u;
  u.kind = TradeUpdateKind::kReplaced;
  u.order = g.snapshot(row, VenueStatus::kReplaced);
  u.order.replaced_by = {0x77, 1};
  u.receive_ns = g.now;
  g.venue(u);
  EXPECT_EQ(g.core.row(row).state, OrderState::kReplaced);
  EXPECT_EQ(g.out.foreign_id, (Id128{0x77, 1}));
}

// ---- cancels ------------------------------------------------------------------------------------

TEST(GatewayReplace, CancelOfTheOldIsLatchedOnTheSuccessor) {
  InFlight g;
  g.cancel(g.old);
  EXPECT_EQ(g.out.count("cancel"), 1U);  // the old: its venue id is known
  g.replaced();
  g.answered();  // now the successor's is
  EXPECT_EQ(g.out.count("cancel"), 2U);
  EXPECT_EQ(g.out.requests.back().row, g.next);
  g.event(g.next, TradeUpdateKind::kCanceled, VenueStatus::kCanceled);
  EXPECT_TRUE(g.core.quiescent());
}

TEST(GatewayReplace, CancelOfTheSuccessorEndsTheOldWhenTheReplaceIsRejected) {
  InFlight g;
  g.cancel(g.next);
  EXPECT_NE(g.core.row(g.old).flags & kCancelWanted, 0);
  g.rejected(g.old);
  EXPECT_EQ(g.out.count("cancel"), 1U);
  EXPECT_EQ(g.out.requests.back().row, g.old);
  g.event(g.old, TradeUpdateKind::kCanceled, VenueStatus::kCanceled);
  EXPECT_TRUE(g.core.quiescent());
}

TEST(GatewayReplace, CancelOfALongReplacedOrderFindsTheOneThatLives) {
  InFlight g;
  g.answered();
  g.replaced();
  g.fresh();
  g.cancel(g.old);
  EXPECT_EQ(g.out.count("cancel"), 1U);
  EXPECT_EQ(g.out.requests.back().row, g.next);
}

TEST(GatewayReplace, CancelThatOvertookTheReplaceEndsTheOldToo) {
  Gateway g;
  const std::uint32_t old = g.work(Side::kBuy, "1", "59990");
  const Intent i = g.replace_intent(old, "2", "59995");
  Cancel c;
  c.order = i.id;
  g.core.on_cancel(c, 0, g.now);
  g.send(i);
  EXPECT_EQ(g.out.count("replace"), 0U);
  EXPECT_EQ(g.core.refusals(Reason::kCancelledBeforeSend), 1U);
  EXPECT_EQ(g.out.count("cancel"), 1U);
}

// ---- what is not sent ---------------------------------------------------------------------------

TEST(GatewayReplace, HeldWhileTheVenueForbidsItAndSentWhenItAllows) {
  for (const VenueStatus status : {VenueStatus::kAccepted, VenueStatus::kPendingNew,
                                   VenueStatus::kPendingCancel, VenueStatus::kPendingReplace}) {
    Gateway g;
    const std::uint32_t old = g.send(Side::kBuy, "1", "59990");
    PostResult p = g.post(old, RequestOutcome::kAccepted);
    p.order.status = status;
    g.venue(p);
    const std::uint32_t next = g.replace(old, "2", "59995");
    g.release();
    EXPECT_EQ(g.out.count("replace"), 0U);
    EXPECT_EQ(g.core.row(next).state, OrderState::kValidating);
    EXPECT_EQ(g.account_position().working_buy, qty("2"));
    g.event(old, TradeUpdateKind::kNew, VenueStatus::kNew);
    g.release();
    EXPECT_EQ(g.out.count("replace"), 1U);
    EXPECT_EQ(g.account_position().working_buy, qty("2"));
  }
}

TEST(GatewayReplace, OlderAnswerDoesNotForbidWhatTheStreamAllowed) {
  Gateway g;
  const std::uint32_t old = g.send(Side::kBuy, "1", "59990");
  g.event(old, TradeUpdateKind::kNew, VenueStatus::kNew);
  g.accept(old);  // says pending_new
  g.replace(old, "2", "59995");
  EXPECT_EQ(g.out.count("replace"), 1U);
}

TEST(GatewayReplace, ObjectReadBeforeTheLastEventDoesNotForbidItEither) {
  Gateway g;
  const std::uint32_t old = g.work(Side::kBuy, "1", "59990");
  OrderSnapshot stale = g.snapshot(old, VenueStatus::kPendingReplace);
  stale.updated_ns.ns -= kMs;
  g.venue(OpenOrder{stale, g.now});
  g.replace(old, "2", "59995");
  EXPECT_EQ(g.out.count("replace"), 1U);
}

TEST(GatewayReplace, LiveOnTheStreamIsEnoughWithoutTheAnswer) {
  Gateway g;
  const std::uint32_t old = g.send(Side::kBuy, "1", "59990");
  g.event(old, TradeUpdateKind::kNew, VenueStatus::kNew);
  g.replace(old, "2", "59995");
  EXPECT_EQ(g.out.count("replace"), 1U);
}

TEST(GatewayReplace, HeldPastItsDeadlineIsRefusedAndNeverBecomesACancel) {
  Gateway g;
  const std::uint32_t old = g.send(Side::kBuy, "1", "59990");
  g.accept(old);
  const std::uint32_t next = g.replace(old, "2", "59995");
  g.tick(501 * kMs);
  EXPECT_EQ(g.core.row(next).state, OrderState::kFailed);
  EXPECT_EQ(g.core.row(next).reason, Reason::kExpired);
  EXPECT_EQ(g.out.executions.back().kind, ExecutionKind::kRefused);
  EXPECT_EQ(g.out.count("cancel"), 0U);
  EXPECT_EQ(g.account_position().working_buy, qty("1"));
  EXPECT_EQ(g.core.row(old).flags & kReplaceInFlight, 0);
}

TEST(GatewayReplace, HeldPassesTheWholeGateAgain) {
  Gateway g;
  const std::uint32_t old = g.send(Side::kBuy, "1", "59990");
  g.accept(old);
  g.replace(old, "2", "59995");
  g.event(old, TradeUpdateKind::kNew, VenueStatus::kNew);
  g.state = TradingState::kHalted;
  g.release();
  EXPECT_EQ(g.core.refusals(Reason::kTradingState), 1U);
  EXPECT_EQ(g.out.count("replace"), 0U);
}

TEST(GatewayReplace, HeldIsRefusedWhenTheOldEnds) {
  Gateway g;
  const std::uint32_t old = g.send(Side::kBuy, "1", "59990");
  g.accept(old);
  g.replace(old, "2", "59995");
  g.fill(old, 1, "59990", "1", "1");
  g.release();
  EXPECT_EQ(g.core.refusals(Reason::kNotReplaceable), 1U);
  EXPECT_EQ(g.account_position().working_buy, Qty{});
}

TEST(GatewayReplace, HeldIsCancelledWithoutBeingSent) {
  Gateway g;
  const std::uint32_t old = g.send(Side::kBuy, "1", "59990");
  g.accept(old);
  const std::uint32_t next = g.replace(old, "2", "59995");
  g.cancel(next);
  EXPECT_EQ(g.core.row(next).reason, Reason::kCancelledBeforeSend);
  EXPECT_EQ(g.out.count("cancel"), 1U);
  EXPECT_EQ(g.out.requests.back().row, old);
}

TEST(GatewayReplace, KillRefusesWhatIsHeldAndCancelsBothOrders) {
  Gateway held;
  const std::uint32_t waiting = held.send(Side::kBuy, "1", "59990");
  held.accept(waiting);
  held.replace(waiting, "2", "59995");
  held.core.on_kill(KillMode::kCancelAll, 1, held.now);
  EXPECT_EQ(held.core.refusals(Reason::kKilled), 1U);
  EXPECT_EQ(held.out.count("replace"), 0U);

  InFlight g;
  g.core.on_kill(KillMode::kCancelAll, 1, g.now);
  EXPECT_EQ(g.out.count("cancel"), 1U);
  g.venue(g.post(g.next, RequestOutcome::kUnknown));  // cut off by the network thread
  g.event(g.old, TradeUpdateKind::kReplaced, VenueStatus::kReplaced);
  g.tick(kMs);
  g.lookup(g.next, RequestOutcome::kAccepted, VenueStatus::kNew);
  EXPECT_EQ(g.out.count("cancel"), 2U);
  EXPECT_EQ(g.out.requests.back().row, g.next);
}

TEST(GatewayReplace, OneAtATimePerChain) {
  InFlight g;
  g.replace(g.old, "3", "59985");
  EXPECT_EQ(g.core.refusals(Reason::kNotReplaceable), 1U);
  const std::uint32_t third = g.replace(g.next, "3", "59985");  // of the successor: waits for it
  EXPECT_EQ(g.state_of(third), OrderState::kValidating);
  g.answered();
  g.fresh();
  g.release();
  EXPECT_EQ(g.out.count("replace"), 1U) << "the chain is not fully replaced";
  g.replaced();
  g.release();
  EXPECT_EQ(g.out.count("replace"), 2U);
  EXPECT_EQ(g.buying(), qty("3"));
}

TEST(GatewayReplace, WhatCannotBeReplacedIsRefused) {
  Gateway g;
  const auto refused = [&](Intent i) {
    g.core.on_intent(i, g.context());
    return g.out.executions.back().reason;
  };
  const std::uint32_t old = g.work(Side::kBuy, "1", "59990");
  g.fill(old, 1, "59990", "0.5", "0.5");
  EXPECT_EQ(refused(g.replace_intent(old, "0.5", "59995")), Reason::kNotReplaceable);
  EXPECT_EQ(refused(g.replace_intent(old, "1", "59990")), Reason::kNotReplaceable);  // unchanged
  Intent other = g.replace_intent(old, "2", "59995");
  other.side = Side::kSell;
  EXPECT_EQ(refused(other), Reason::kMalformed);
  Intent stranger = g.replace_intent(old, "2", "59995");
  stranger.replaces.sequence = 0;
  EXPECT_EQ(refused(stranger), Reason::kMalformed);
  Intent resized = g.replace_intent(old, "2", "59995");
  resized.approved = qty("1.5");
  EXPECT_EQ(refused(resized), Reason::kMalformed) << "risk may not resize a replace";
  Intent unseen = g.replace_intent(old, "2", "59995");
  unseen.id.sequence = g.sequence = 50;
  unseen.replaces.sequence = 49;
  EXPECT_EQ(refused(unseen), Reason::kUnknownOrder);
  g.cancel(old);
  EXPECT_EQ(refused(g.replace_intent(old, "2", "59995")), Reason::kNotReplaceable);
}

// ---- the gate with what the replace adds --------------------------------------------------------

TEST(GatewayReplace, GateCountsTheIncrementAlone) {
  GatewayRules rules = gateway_rules();
  for (InstrumentCeilings& c : rules.gate.instruments) {
    c.position = qty("3");
  }
  Gateway g(rules);
  const std::uint32_t old = g.work(Side::kBuy, "2", "59990");
  EXPECT_EQ(g.core.row(g.replace(old, "3.1", "59995")).reason, Reason::kPosition);
  EXPECT_EQ(g.core.row(g.replace(old, "3", "59995")).state, OrderState::kSubmitting);
}

TEST(GatewayReplace, BuyingPowerIsAskedForTheIncrementAndPassesOn) {
  Gateway g;
  g.account_read("130000");
  const std::uint32_t old = g.work(Side::kBuy, "2", "59990");  // 121,200 at worst
  EXPECT_EQ(g.core.row(g.replace(old, "3", "59995")).reason, Reason::kBuyingPower);
  const std::uint32_t next = g.replace(old, "2.1", "59995");
  EXPECT_EQ(g.core.row(next).state, OrderState::kSubmitting);
  g.accept(next);
  g.event(old, TradeUpdateKind::kReplaced, VenueStatus::kReplaced);
  g.event(next, TradeUpdateKind::kNew, VenueStatus::kNew);
  g.send(Side::kBuy, "0.5", "59980");
  EXPECT_EQ(g.core.refusals(Reason::kBuyingPower), 2U) << "what the old held, the successor holds";
}

TEST(GatewayReplace, PriceOnlyReplaceNeedsNoNewPlaceAmongOpenOrders) {
  GatewayRules rules = gateway_rules();
  rules.gate.open_orders = 1;
  Gateway g(rules);
  const std::uint32_t old = g.work(Side::kBuy, "1", "59990");
  EXPECT_EQ(g.core.row(g.replace(old, "1", "59995")).state, OrderState::kSubmitting);
  g.send(Side::kBuy, "1", "59980");
  EXPECT_EQ(g.core.refusals(Reason::kOpenOrders), 1U);
}

TEST(GatewayReplace, DeadlineTickCollarAndRateHoldForReplacesToo) {
  const auto reason = [](auto&& spoil) {
    GatewayRules rules = gateway_rules();
    rules.strategy_orders_per_second = 2;
    Gateway g(rules);
    const std::uint32_t old = g.work(Side::kBuy, "1", "59990");
    Intent i = g.replace_intent(old, "2", "59995");
    spoil(g, i);
    i.id.sequence = ++g.sequence;
    g.core.on_intent(i, g.context());
    return g.core.row(g.core.find(i.id)).reason;
  };
  EXPECT_EQ(reason([](Gateway& g, Intent& i) { i.deadline_ns.ns = g.now.ns - 1; }),
            Reason::kExpired);
  EXPECT_EQ(reason([](Gateway&, Intent& i) { i.limit = px("59995.001"); }), Reason::kTick);
  EXPECT_EQ(reason([](Gateway&, Intent& i) { i.limit = px("61000"); }), Reason::kCollar);
  EXPECT_EQ(reason([](Gateway& g, Intent&) { g.work(Side::kBuy, "1", "59980"); }), Reason::kRate);
  EXPECT_EQ(reason([](Gateway& g, Intent&) { g.kill_word = true; }), Reason::kKilled);
}

}  // namespace
}  // namespace sluice::testing
