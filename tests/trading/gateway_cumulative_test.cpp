// What a venue counts as filled of a successor: from zero or with its predecessors' executions,
// told apart by evidence; and executions of a chain that come late or are too many.
#include "tests/trading/replace_fixture.hpp"

namespace sluice::testing {
namespace {

TEST(GatewayCumulative, FilledQuantityOfASuccessorMayStartAtZero) {
  InFlight g("2");
  g.fill(g.old, 1, "59990", "0.5", "0.5");
  g.replaced("0.5");
  g.answered();
  g.fresh("0");
  g.fill(g.next, 2, "59995", "0.5", "0.5");  // the same cumulative as the old one's
  EXPECT_EQ(g.core.row(g.next).filled, qty("0.5"));
  EXPECT_EQ(g.core.row(g.next).venue_filled, qty("0.5"));
  g.fill(g.next, 3, "59995", "1", "1.5");
  EXPECT_EQ(g.state_of(g.next), OrderState::kFilled);
  EXPECT_EQ(g.account_position().bought, qty("2"));
  EXPECT_EQ(g.core.account().unknown, 0U);
}

TEST(GatewayCumulative, FilledQuantityOfASuccessorMayBeCarriedOver) {
  InFlight g("2");
  g.fill(g.old, 1, "59990", "0.5", "0.5");
  g.replaced("0.5");
  g.answered();
  g.fresh("0.5");
  EXPECT_EQ(g.core.row(g.next).venue_filled, Qty{}) << "nothing of its own can have traded yet";
  g.fill(g.next, 2, "59995", "0.5", "1");
  EXPECT_EQ(g.core.row(g.next).filled, qty("0.5"));
  TradeUpdate last = g.fill_update(g.next, 3, "59995", "1", "2");
  last.kind = TradeUpdateKind::kFill;
  last.order.status = VenueStatus::kFilled;
  g.venue(last);
  EXPECT_EQ(g.state_of(g.next), OrderState::kFilled);
  EXPECT_EQ(g.account_position().bought, qty("2"));
  EXPECT_EQ(g.core.account().unknown, 0U);
  EXPECT_FALSE(g.out.alerted(Alert::kExecutionExcess));
}

TEST(GatewayCumulative, FirstFillDecidesWhenNothingElseDid) {
  InFlight g("2");
  g.fill(g.old, 1, "59990", "0.5", "0.5");
  g.replaced("0.5");
  g.answered();
  g.fill(g.next, 2, "59995", "0.2", "0.7");  // 0.5 carried over
  EXPECT_EQ(g.core.row(g.next).venue_filled, qty("0.2"));
  // An execution that lies below what would be carried over proves the other reading.
  g.venue(FillActivity{.execution_id = {0xe, 3},
                       .venue_order_id = Gateway::venue_id(g.next),
                       .instrument = kBtc,
                       .side = Side::kBuy,
                       .px = px("59995"),
                       .qty = qty("0.5"),
                       .cum_qty = qty("0.5"),
                       .venue_ns = {g.now.ns},
                       .receive_ns = g.now});
  EXPECT_EQ(g.core.row(g.next).venue_filled, qty("0.7"));
  EXPECT_EQ(g.core.row(g.next).filled, qty("0.7"));
  EXPECT_EQ(g.account_position().bought, qty("1.2"));
}

TEST(GatewayCumulative, UndecidedCumulativeCountsAtItsWorstUntilAnAudit) {
  InFlight g("2");
  g.fill(g.old, 1, "59990", "0.5", "0.5");
  g.replaced("0.5");
  g.answered();
  g.event(g.next, TradeUpdateKind::kCanceled, VenueStatus::kCanceled, "0.5");
  EXPECT_EQ(g.core.row(g.next).venue_filled, qty("0.5"));
  EXPECT_EQ(g.buying(), qty("0.5")) << "an execution may be missing";
  g.tick(3 * kSec);
  EXPECT_NE(g.out.audit_reasons & kAuditGap, 0U);
  g.tick(kMs);
  g.audit("0.49875");
  EXPECT_EQ(g.buying(), Qty{}) << "the audit named no other execution: it was carried over";
  EXPECT_EQ(g.core.account().unknown, 0U);
}

TEST(GatewayCumulative, LateExecutionOfTheOldCompletesTheSuccessor) {
  InFlight g("2");
  g.replaced("0.5");  // its execution was lost
  g.answered();
  g.fresh();
  g.fill(g.next, 2, "59995", "1.5", "1.5");
  EXPECT_EQ(g.state_of(g.next), OrderState::kPartial);
  g.fill(g.old, 1, "59990", "0.5", "0.5");
  EXPECT_EQ(g.core.row(g.old).filled, qty("0.5"));
  EXPECT_EQ(g.state_of(g.next), OrderState::kFilled);
  EXPECT_EQ(g.buying(), Qty{});
  EXPECT_EQ(g.account_position().bought, qty("2"));
  EXPECT_FALSE(g.out.alerted(Alert::kOverfill));
}

TEST(GatewayCumulative, MoreThanTheChainsTotalIsAnOverfill) {
  InFlight g("1.5");
  g.fill(g.old, 1, "59990", "1", "1");
  g.fill(g.next, 2, "59995", "1", "1");
  EXPECT_TRUE(g.out.alerted(Alert::kOverfill));
  EXPECT_EQ(g.account_position().bought, qty("2")) << "true, so booked";
}

}  // namespace
}  // namespace sluice::testing
