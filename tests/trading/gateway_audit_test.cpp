// What is read from the venue: account, positions, activities, and the end of an audit.
#include "tests/trading/gateway_fixture.hpp"

namespace sluice::testing {
namespace {

TEST(GatewayAccount, FirstSnapshotIsTheStartAndTheBooksGoOnFromIt) {
  Gateway g;
  EXPECT_EQ(g.core.account().start_cash, cash("1000000"));
  const std::uint32_t row = g.work(Side::kBuy, "1");
  g.fill(row, 1, "60000", "1", "1");
  g.tick(kMs);
  g.account_read("940000");
  EXPECT_EQ(g.core.account().start_cash, cash("1000000"));
  EXPECT_EQ(g.core.account().cash, cash("940000"));
  EXPECT_EQ(g.core.account().venue_cash, cash("940000"));
}

TEST(GatewayAccount, AnotherAccountThanBeforeRefusesEverything) {
  Gateway g;
  AccountSnapshot a;
  a.account_id = {8, 8};
  a.requested_ns = g.now;
  g.venue(a);
  EXPECT_TRUE(g.out.alerted(Alert::kAccountDiffers));
  g.send(Side::kBuy, "1");
  EXPECT_EQ(g.core.refusals(Reason::kAccountBlocked), 1U);
}

TEST(GatewayAccount, BlockedAccountRefusesUntilItIsNot) {
  Gateway g;
  AccountSnapshot a;
  a.account_id = {7, 7};
  a.buying_power = a.cash = cash("1000000");
  a.blocked = true;
  a.requested_ns = g.now;
  g.venue(a);
  g.send(Side::kBuy, "1");
  EXPECT_EQ(g.core.refusals(Reason::kAccountBlocked), 1U);
  g.tick(kMs);
  g.account_read();
  g.send(Side::kBuy, "1");
  EXPECT_EQ(g.out.count("submit"), 1U);
}

TEST(GatewayAccount, OvertakenSnapshotIsIgnored) {
  Gateway g;
  AccountSnapshot old;
  old.account_id = {7, 7};
  old.cash = cash("5");
  old.requested_ns = {g.now.ns - kSec};
  g.venue(old);
  EXPECT_EQ(g.core.account().venue_cash, cash("1000000"));
}

TEST(GatewayPositions, DifferenceCountsWhenSeenTwiceASettlingTimeApart) {
  Gateway g;
  g.tick(kMs);
  g.positions_read("0.5");
  EXPECT_EQ(g.account_position().flags, 0);
  g.tick(300 * kMs - 1);
  g.positions_read("0.5");
  EXPECT_EQ(g.account_position().flags, 0);
  g.tick(1);
  g.positions_read("0.5");
  EXPECT_EQ(g.account_position().flags, kPositionDisagrees);
  EXPECT_TRUE(g.out.alerted(Alert::kPositionDiffers));
  EXPECT_EQ(g.account_position().position, 0) << "a bare number is never booked";
  g.send(Side::kBuy, "1");
  EXPECT_EQ(g.core.refusals(Reason::kInstrumentHalted), 1U);
  g.tick(kMs);
  g.positions_read("0");
  EXPECT_EQ(g.account_position().flags, 0);
}

TEST(GatewayPositions, OperatorAcceptsADifferenceIntoExternal) {
  Gateway g;
  for (int i = 0; i < 2; ++i) {
    g.tick(300 * kMs);
    g.positions_read("0.5");
  }
  ASSERT_EQ(g.account_position().flags, kPositionDisagrees);
  g.core.on_operator_accepts(kBtc, dec("0.5"), g.now);
  EXPECT_EQ(g.account_position().position, dec("0.5"));
  EXPECT_EQ(g.core.positions().of(kExternalStrategy, kBtc).position, dec("0.5"));
  EXPECT_EQ(g.strategy_position().position, 0);
  EXPECT_EQ(g.account_position().flags, 0);
}

TEST(GatewayPositions, WhatHappenedInBetweenStartsTheCountAnew) {
  Gateway g;
  g.tick(kMs);
  g.positions_read("0.5");
  g.tick(kMs);
  const std::uint32_t row = g.work(Side::kBuy, "1");  // a request on the instrument
  g.tick(kSec);
  g.positions_read("0.5");
  EXPECT_EQ(g.account_position().flags, 0);
  g.event(row, TradeUpdateKind::kExpired, VenueStatus::kExpired);
  g.tick(kSec);
  g.positions_read("0.5");
  EXPECT_EQ(g.account_position().flags, kPositionDisagrees);
}

TEST(GatewayPositions, PendingFeeExplainsASmallDifference) {
  Gateway g;
  const std::uint32_t row = g.work(Side::kBuy, "1");
  g.fill(row, 1, "60000", "1", "1");  // booked 0.9975 with the estimate
  for (int i = 0; i < 3; ++i) {
    g.tick(kSec);
    g.positions_read("0.9985");
  }
  EXPECT_EQ(g.account_position().flags, 0);
  g.fee(1, true, "0.0025");  // final: nothing is pending that could explain it
  for (int i = 0; i < 2; ++i) {
    g.tick(kSec);
    g.positions_read("0.9985");
  }
  EXPECT_EQ(g.account_position().flags, kPositionDisagrees);
}

TEST(GatewayPositions, ReadAskedForBeforeAFillIsNoEvidence) {
  Gateway g;
  const MonoNanos asked = g.now;
  g.venue(PositionsBegin{.requested_ns = asked});
  g.tick(kMs);
  const std::uint32_t row = g.work(Side::kBuy, "1");
  TradeUpdate u = g.fill_update(row, 1, "60000", "1", "1");
  u.has_position = true;
  u.position = dec("0.9985");
  g.venue(u);
  g.venue(PositionsEnd{.requested_ns = asked, .receive_ns = g.now});
  EXPECT_EQ(g.account_position().venue_position, dec("0.9985"));
}

TEST(GatewayPositions, SaleNeedsEvidenceWhichTheStreamGives) {
  Gateway g;
  const std::uint32_t row = g.work(Side::kBuy, "1");
  g.fill(row, 1, "60000", "1", "1");
  g.send(Side::kSell, "0.5");
  EXPECT_EQ(g.core.refusals(Reason::kShort), 1U) << "the venue has not told of it";
  g.tick(kMs);
  g.positions_read("0.9985");
  g.send(Side::kSell, "0.5");
  EXPECT_EQ(g.out.count("submit"), 2U);
}

FillActivity activity(const Gateway& g, Id128 order, std::uint64_t id, std::string_view quantity,
                      std::string_view cum) {
  FillActivity a;
  a.execution_id = {0xe, id};
  a.venue_order_id = order;
  a.instrument = kBtc;
  a.side = Side::kBuy;
  a.px = px("60000");
  a.qty = qty(quantity);
  a.cum_qty = qty(cum);
  a.venue_ns = {g.now.ns};
  a.receive_ns = g.now;
  return a;
}

TEST(GatewayActivities, AreDeduplicatedAgainstTheStream) {
  Gateway g;
  const std::uint32_t row = g.work(Side::kBuy, "1");
  g.fill(row, 1, "60000", "0.4", "0.4");
  g.venue(activity(g, Gateway::venue_id(row), 1, "0.4", "0.4"));
  EXPECT_EQ(g.core.row(row).filled, qty("0.4"));
  EXPECT_EQ(g.core.counters().duplicate_fills, 1U);
}

TEST(GatewayActivities, OlderThanThisProcessAreNotOurs) {
  Gateway g;
  FillActivity a = activity(g, {9, 9}, 1, "0.4", "0.4");
  a.venue_ns = {kStart - 1};
  g.venue(a);
  EXPECT_EQ(g.core.counters().old_fills, 1U);
  EXPECT_EQ(g.account_position().flags, 0);
}

TEST(GatewayActivities, ExecutionNobodyCanPlaceIsLookedUpAndHoldsNewRisk) {
  Gateway g;
  g.tick(kMs);
  const FillActivity a = activity(g, {9, 9}, 1, "1", "1");
  g.venue(a);
  EXPECT_EQ(g.account_position().flags, kPositionUnplaced);
  EXPECT_EQ(g.out.count("foreign"), 1U);
  EXPECT_EQ(g.out.foreign_id, (Id128{9, 9}));
  g.send(Side::kBuy, "1");
  EXPECT_EQ(g.core.refusals(Reason::kInstrumentHalted), 1U);

  LookupResult l;  // a foreign order that came and went
  l.by = LookupBy::kVenueOrderId;
  l.outcome = RequestOutcome::kAccepted;
  l.order.venue_order_id = {9, 9};
  l.order.client_order_id.assign("somebody");
  l.order.status = VenueStatus::kFilled;
  l.order.side = Side::kBuy;
  l.order.type = OrderType::kLimit;
  l.order.tif = TimeInForce::kGtc;
  l.order.instrument = kBtc;
  l.order.qty = l.order.filled = qty("1");
  l.order.created_ns = {g.now.ns};
  g.venue(l);
  g.tick(kMs);
  EXPECT_EQ(g.out.count("audit"), 1U);
  const MonoNanos asked = g.now;
  g.venue(a);  // the audit tells it again
  g.venue(AuditEnd{.requested_ns = asked, .complete = true});
  EXPECT_EQ(g.core.positions().of(kExternalStrategy, kBtc).bought, qty("1"));
  EXPECT_EQ(g.account_position().flags, 0);
}

TEST(GatewayActivities, OfAnOrderWhoseAnswerIsOnItsWayFindItsRow) {
  Gateway g;
  const std::uint32_t row = g.send(Side::kBuy, "1");
  const FillActivity a = activity(g, Gateway::venue_id(row), 1, "1", "1");
  g.venue(a);
  EXPECT_EQ(g.account_position().bought, Qty{}) << "never booked as somebody else's";
  g.accept(row);
  g.venue(a);
  EXPECT_EQ(g.strategy_position().bought, qty("1"));
  EXPECT_EQ(g.core.row(row).state, OrderState::kFilled);
}

TEST(GatewayAudit, IsAskedForAgainUntilComplete) {
  Gateway g;
  const std::uint32_t row = g.work(Side::kBuy, "1");
  g.event(row, TradeUpdateKind::kTradeBust, VenueStatus::kNew);
  g.tick(kMs);
  EXPECT_EQ(g.out.count("audit"), 1U);
  g.venue(AuditEnd{.requested_ns = g.now, .complete = false});
  g.tick(kSec - 2 * kMs);
  EXPECT_EQ(g.out.count("audit"), 1U);
  g.tick(2 * kMs);
  EXPECT_EQ(g.out.count("audit"), 2U);
  g.venue(AuditEnd{.requested_ns = g.now, .complete = true});
  g.tick(10 * kSec);
  EXPECT_EQ(g.out.count("audit"), 2U);
}

TEST(GatewayAudit, ListOfOpenOrdersIsNoEvidenceOfAnEnd) {
  Gateway g;
  const std::uint32_t row = g.work(Side::kBuy, "1");
  g.tick(kMs);
  g.audit();  // its list of open orders was empty
  EXPECT_EQ(g.core.row(row).state, OrderState::kSubmitted);
  EXPECT_EQ(g.account_position().working_buy, qty("1"));
}

TEST(GatewayAudit, ListShowsTheVenueIdOfAnUnknownOrder) {
  Gateway g;
  const std::uint32_t row = g.send(Side::kBuy, "1");
  g.venue(g.post(row, RequestOutcome::kUnknown));
  g.venue(OpenOrder{.order = g.snapshot(row, VenueStatus::kNew), .receive_ns = g.now});
  EXPECT_EQ(g.core.row(row).state, OrderState::kSubmitted);
  EXPECT_EQ(g.core.account().unknown, 0U);
}

TEST(GatewayPositions, NothingIsJudgedWhileAnOutcomeIsUnknown) {
  Gateway g;
  const std::uint32_t row = g.send(Side::kBuy, "1");
  g.venue(g.post(row, RequestOutcome::kUnknown));
  for (int i = 0; i < 3; ++i) {
    g.tick(kSec);
    g.positions_read("0.5");
  }
  EXPECT_EQ(g.account_position().flags, 0);
  EXPECT_EQ(g.account_position().venue_position, dec("0.5")) << "but it is evidence";
}

TEST(GatewayAccount, SnapshotAskedForBeforeTheAcknowledgementDoesNotCoverTheOrder) {
  Gateway g;
  const std::uint32_t row = g.send(Side::kBuy, "1");
  g.tick(kMs);
  g.account_read("100000");  // the venue may or may not have counted it
  g.tick(kMs);
  g.accept(row);
  g.send(Side::kBuy, "1");
  EXPECT_EQ(g.core.refusals(Reason::kBuyingPower), 1U);
}

}  // namespace
}  // namespace sluice::testing
