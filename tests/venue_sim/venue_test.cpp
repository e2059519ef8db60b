// The venue's rules around the matcher: acceptance, latency, states, holds, fees, restart.
#include "tools/venue_sim/venue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/venue_sim/sim_fixtures.hpp"

namespace sluice::sim::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class VenueTest : public ::testing::Test {
 protected:
  VenueTest() { t_.venue.quote(at_ms(0), kBtc, book("60000", "2", "60010", "1")); }

  TestVenue t_;
};

TEST_F(VenueTest, OrderGoesFromPendingNewToNewToFilledAfterItsLatency) {
  t_.accept(10, limit_order("a", Side::kBuy, "0.5", "60010"));
  EXPECT_THAT(t_.events(), ElementsAre("pending_new"));
  t_.venue.run_until(at_ms(13));
  EXPECT_THAT(t_.events(), ElementsAre("pending_new"));
  t_.venue.run_until(at_ms(100));
  ASSERT_THAT(t_.events(), ElementsAre("pending_new", "new", "fill"));
  EXPECT_EQ(t_.told[1].status, OrderStatus::kNew);
  EXPECT_EQ(t_.told[2].status, OrderStatus::kFilled);
  EXPECT_EQ(t_.told[2].at, at_ms(14)) << "the time it was due, not the time it was looked at";
}

TEST_F(VenueTest, OrderMeetsTheMarketAsItIsWhenItArrives) {
  t_.accept(10, limit_order("a", Side::kBuy, "0.5", "60010"));
  t_.venue.run_until(at_ms(11));
  t_.venue.quote(at_ms(12), kBtc, book("60000", "2", "60020", "1"));
  t_.venue.run_until(at_ms(14));
  EXPECT_THAT(t_.events(), ElementsAre("pending_new", "new"));
  EXPECT_EQ(t_.venue.open_orders(), 1U);
}

TEST_F(VenueTest, EachLevelTakenIsOneExecutionWithCumulativeQuantity) {
  t_.venue.depth(at_ms(1), kBtc, {.side = Side::kSell, .px = px("60011"), .qty = qty("0.25")});
  const OrderKey key = t_.accept(10, limit_order("a", Side::kBuy, "1.5", "60011"));
  t_.venue.run_until(at_ms(14));
  ASSERT_THAT(t_.events(), ElementsAre("pending_new", "new", "partial_fill", "partial_fill"));
  EXPECT_EQ(to_string(t_.told[2].filled), "1");
  EXPECT_EQ(to_string(t_.told[3].filled), "1.25");
  EXPECT_EQ(to_string(t_.told[3].execution->qty), "0.25");
  EXPECT_EQ(to_string(t_.told[3].execution->position_after), "1.246875");
  const Order& order = t_.venue.orders()[key];
  EXPECT_EQ(order.status, OrderStatus::kPartiallyFilled);
  EXPECT_EQ(to_string(*order.average_price()), "60010.2");
}

TEST_F(VenueTest, IocRestIsCanceledAtOnce) {
  t_.accept(10, limit_order("a", Side::kBuy, "1.2", "60010", TimeInForce::kIoc));
  t_.venue.run_until(at_ms(14));
  EXPECT_THAT(t_.events(), ElementsAre("pending_new", "new", "partial_fill", "canceled"));
  EXPECT_EQ(t_.venue.open_orders(), 0U);
  EXPECT_EQ(t_.venue.ledger().held_cash().raw, 0);
}

TEST_F(VenueTest, CancelTakesItsLatencyAndTheOrderCanFillMeanwhile) {
  const OrderKey key = t_.accept(10, limit_order("a", Side::kBuy, "1", "60005"));
  t_.venue.run_until(at_ms(20));
  EXPECT_FALSE(t_.venue.cancel(at_ms(20), key));
  t_.venue.trade(at_ms(22), kBtc, print("60004", "0.4", Side::kSell));
  t_.venue.run_until(at_ms(24));
  ASSERT_THAT(t_.events(),
              ElementsAre("pending_new", "new", "pending_cancel", "partial_fill", "canceled"));
  EXPECT_EQ(t_.told[3].status, OrderStatus::kPendingCancel);
  EXPECT_EQ(to_string(t_.told[4].filled), "0.4");
}

TEST_F(VenueTest, OrderFilledBeforeItsCancelArrivesStaysFilled) {
  const OrderKey key = t_.accept(10, limit_order("a", Side::kBuy, "1", "60005"));
  t_.venue.run_until(at_ms(20));
  EXPECT_FALSE(t_.venue.cancel(at_ms(20), key));
  t_.venue.trade(at_ms(22), kBtc, print("60004", "4", Side::kSell));
  t_.venue.run_until(at_ms(30));
  EXPECT_THAT(t_.events(), ElementsAre("pending_new", "new", "pending_cancel", "fill"));
  const auto refusal = t_.venue.cancel(at_ms(31), key);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->status, 422);
  EXPECT_THAT(refusal->body, HasSubstr(R"(order is already in \"filled\" state)"));
}

TEST_F(VenueTest, CancelNeverOvertakesItsOrder) {
  VenueOptions options = TestVenue::default_options();
  options.cancel_latency_ns = 0;
  TestVenue t(options);
  t.venue.quote(at_ms(0), kBtc, book("60000", "2", "60010", "1"));
  const OrderKey key = t.accept(10, limit_order("a", Side::kBuy, "0.5", "60000"));
  EXPECT_FALSE(t.venue.cancel(at_ms(11), key));
  t.venue.run_until(at_ms(13));
  EXPECT_THAT(t.events(), ElementsAre("pending_new", "pending_cancel"));
  t.venue.run_until(at_ms(14));
  EXPECT_THAT(t.events(), ElementsAre("pending_new", "pending_cancel", "canceled"));
}

TEST_F(VenueTest, RepeatedCancelIsAnsweredLikeTheFirstAndChangesNothing) {
  const OrderKey key = t_.accept(10, limit_order("a", Side::kBuy, "1", "60005"));
  t_.venue.run_until(at_ms(20));
  EXPECT_FALSE(t_.venue.cancel(at_ms(20), key));
  EXPECT_FALSE(t_.venue.cancel(at_ms(21), key));
  t_.venue.run_until(at_ms(30));
  EXPECT_FALSE(t_.venue.cancel(at_ms(31), key));
  EXPECT_THAT(t_.events(), ElementsAre("pending_new", "new", "pending_cancel", "canceled"));
}

TEST_F(VenueTest, ClientOrderIdStaysTakenAfterTheOrderEnded) {
  t_.accept(10, limit_order("a", Side::kBuy, "0.5", "60010"));
  t_.venue.run_until(at_ms(20));
  ASSERT_EQ(t_.told.back().event, "fill");
  const ApiError refusal = t_.refuse(21, limit_order("a", Side::kBuy, "0.5", "60010"));
  EXPECT_EQ(refusal.status, 422);
  EXPECT_EQ(refusal.body, R"({"code":40010001,"message":"client_order_id must be unique"})");
}

TEST_F(VenueTest, OpenBuysHoldTheCashTheyMayCost) {
  t_.accept(10, limit_order("a", Side::kBuy, "1.5", "60000"));
  EXPECT_EQ(to_string(t_.venue.ledger().buying_power()), "10000");
  const ApiError refusal = t_.refuse(11, limit_order("b", Side::kBuy, "1", "60000"));
  EXPECT_EQ(refusal.status, 403);
  EXPECT_EQ(refusal.body, R"({"buying_power":"10000","code":40310000,"cost_basis":"60000",)"
                          R"("message":"insufficient buying power"})");
}

TEST_F(VenueTest, FillsReleaseWhatTheyHeld) {
  t_.accept(10, limit_order("a", Side::kBuy, "1.5", "60015"));
  t_.venue.run_until(at_ms(20));
  EXPECT_EQ(to_string(t_.venue.ledger().cash()), "39990");
  EXPECT_EQ(to_string(t_.venue.ledger().held_cash()), "30007.5") << "0.5 left at 60015";
}

TEST_F(VenueTest, SellsMayNotExceedThePositionNetOfWhatOpenSellsHold) {
  t_.accept(10, limit_order("a", Side::kBuy, "1", "60010"));
  t_.venue.run_until(at_ms(20));
  t_.accept(21, limit_order("b", Side::kSell, "0.9", "60500"));
  const ApiError refusal = t_.refuse(22, limit_order("c", Side::kSell, "0.1", "60500"));
  EXPECT_EQ(refusal.status, 403);
  EXPECT_EQ(refusal.body,
            R"({"available":"0.0975","code":40310000,"existing_qty":"0.9975",)"
            R"("held_for_orders":"0.9","message":"insufficient qty available for order )"
            R"x((requested: 0.1, available: 0.0975)","symbol":"BTC/USD"})x");
  t_.accept(23, limit_order("d", Side::kSell, "0.0975", "60500"));
}

TEST_F(VenueTest, OrderWorthLessThanTheMinimumIsRefused) {
  const ApiError refusal = t_.refuse(10, limit_order("a", Side::kBuy, "0.0001", "60000"));
  EXPECT_EQ(refusal.status, 403);
  EXPECT_THAT(refusal.body, HasSubstr("cost basis must be >= minimal amount of order 10"));
}

TEST_F(VenueTest, TickLotAndMinimumQuantityAreEnforced) {
  EXPECT_THAT(t_.refuse(10, limit_order("a", Side::kBuy, "0.5", "60000.001")).body,
              HasSubstr("invalid limit_price 60000.001. sub-penny increment"));
  EXPECT_THAT(t_.refuse(10, limit_order("a", Side::kBuy, "0.500001", "60000")).body,
              HasSubstr("invalid qty 0.500001"));
  EXPECT_THAT(t_.refuse(10, limit_order("a", Side::kBuy, "0.00001", "60000")).body,
              HasSubstr("minimal qty of order is 0.0001"));
  EXPECT_EQ(t_.venue.orders().size(), 0U);
}

TEST_F(VenueTest, MarketBuyIsBoundByTheAskItSawPlusTheCollar) {
  t_.venue.depth(at_ms(1), kBtc, {.side = Side::kSell, .px = px("62000"), .qty = qty("5")});
  t_.accept(10, market_order("a", Side::kBuy, "1.2"));
  EXPECT_EQ(to_string(t_.venue.ledger().held_cash()), "73812.3") << "1.2 × 60010 × 1.025";
  t_.venue.run_until(at_ms(20));
  EXPECT_THAT(t_.events(), ElementsAre("pending_new", "new", "partial_fill"))
      << "62000 is past 61510.25: the rest waits";
}

TEST_F(VenueTest, MarketOrderWithoutAMarketIsRefused) {
  NewOrder order = market_order("a", Side::kBuy, "1");
  order.symbol = kEth;
  EXPECT_EQ(t_.refuse(10, order).status, 422);
}

TEST_F(VenueTest, OneFillAndOneFeeActivityPerExecution) {
  t_.accept(10, limit_order("a", Side::kBuy, "0.5", "60010"));
  t_.venue.run_until(at_ms(20));
  ASSERT_EQ(t_.venue.activities().size(), 2U);
  EXPECT_EQ(t_.venue.activities()[0].kind, Activity::Kind::kFill);
  EXPECT_EQ(t_.venue.activities()[1].kind, Activity::Kind::kFee);
  EXPECT_EQ(t_.venue.activities()[1].execution, 0U);
}

TEST_F(VenueTest, FeesAtDayEndAreTakenAtOnceAndPostedLater) {
  VenueOptions options = TestVenue::default_options();
  options.fees_at_day_end = true;
  TestVenue t(options);
  t.venue.quote(at_ms(0), kBtc, book("60000", "2", "60010", "1"));
  t.accept(10, limit_order("a", Side::kBuy, "0.5", "60010"));
  t.venue.run_until(at_ms(20));
  EXPECT_EQ(t.venue.activities().size(), 1U);
  EXPECT_EQ(to_string(t.venue.ledger().position(kBtc).qty), "0.49875");
  t.venue.post_fees(at_ms(1'000));
  t.venue.post_fees(at_ms(2'000));
  ASSERT_EQ(t.venue.activities().size(), 2U);
  EXPECT_EQ(t.venue.activities()[1].at, at_ms(1'000));
}

TEST_F(VenueTest, SameSeedGivesTheSameIds) {
  TestVenue other;
  other.venue.quote(at_ms(0), kBtc, book("60000", "2", "60010", "1"));
  const OrderKey a = t_.accept(10, limit_order("a", Side::kBuy, "0.5", "60010"));
  const OrderKey b = other.accept(10, limit_order("a", Side::kBuy, "0.5", "60010"));
  EXPECT_EQ(t_.venue.orders()[a].id, other.venue.orders()[b].id);
}

TEST_F(VenueTest, TooManyOpenOrdersAreRefused) {
  VenueOptions options = TestVenue::default_options();
  options.max_open_orders = 1;
  TestVenue t(options);
  t.accept(10, limit_order("a", Side::kBuy, "0.1", "60000"));
  EXPECT_EQ(t.refuse(10, limit_order("b", Side::kBuy, "0.1", "60000")).status, 403);
}

}  // namespace
}  // namespace sluice::sim::test
