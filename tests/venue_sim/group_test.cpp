// Stops, trailing stops, and orders that belong together: bracket, oco, oto.
#include <gtest/gtest.h>

#include "tests/venue_sim/equity_fixtures.hpp"
#include "tools/venue_sim/order_rules.hpp"

namespace sluice::sim::test {
namespace {

class GroupTest : public EquityTest {
 protected:
  GroupTest() { open_market(); }

  static NewOrder stop(std::string_view id, Side side, std::string_view size, std::string_view at,
                       std::string_view limit = {}) {
    NewOrder asked = order(id, side, size);
    asked.type = limit.empty() ? OrderType::kStop : OrderType::kStopLimit;
    asked.stop = px(at);
    asked.limit = limit.empty() ? Price{} : px(limit);
    return asked;
  }
  static NewOrder bracket(std::string_view id, std::string_view size, std::string_view limit) {
    NewOrder asked = order(id, Side::kBuy, size, limit);
    asked.order_class = OrderClass::kBracket;
    asked.take_profit = px("105");
    asked.stop_loss = px("95");
    return asked;
  }
  void long_hundred() { enter(ny(9, 31), order("long", Side::kBuy, "100")); }
};

TEST_F(GroupTest, StopWaitsForATradeInsideTheQuote) {
  long_hundred();
  const OrderKey a = enter(ny(10, 0), stop("a", Side::kSell, "100", "99"));
  EXPECT_EQ(status(a), OrderStatus::kNew);
  quote(ny(10, 1), "98.5", "500", "98.7", "500");
  EXPECT_EQ(filled(a), "0") << "quotes elect nobody";
  trade(ny(10, 2), "98.2", "10");
  EXPECT_EQ(filled(a), "0") << "outside the quote";
  trade(ny(10, 3), "98.6", "10");
  EXPECT_EQ(filled(a), "100");
  EXPECT_EQ(to_string(*at_key(a).average_price()), "98.5") << "a market order from then on";
  EXPECT_EQ(story("a"), "pending_new new fill");
}

TEST_F(GroupTest, BuyStopIsSentAsAStopLimit) {
  const Symbol abc = equity_symbols()[kAbc];
  EXPECT_EQ(to_string(*converted_stop_limit(px("49.99"), abc)), "51.98") << "4 %, rounded down";
  EXPECT_EQ(to_string(*converted_stop_limit(px("50"), abc)), "51.25") << "2.5 %";
  const OrderKey a = enter(ny(10, 0), stop("a", Side::kBuy, "100", "101"));
  EXPECT_EQ(to_string(venue().ledger().held_cash()), "10352") << "101 × 1.025 = 103.52";
  quote(ny(10, 1), "101", "500", "104", "500");
  trade(ny(10, 2), "101.5", "10");
  EXPECT_EQ(filled(a), "0") << "104 is past 103.52";
  EXPECT_TRUE(at_key(a).elected);
  quote(ny(10, 3), "101", "500", "103", "500");
  EXPECT_EQ(filled(a), "100");
}

TEST_F(GroupTest, StopLimitRestsAtItsLimit) {
  long_hundred();
  const OrderKey a = enter(ny(10, 0), stop("a", Side::kSell, "100", "99.5", "99.4"));
  quote(ny(10, 1), "99", "500", "99.6", "500");
  trade(ny(10, 2), "99.5", "10");
  EXPECT_EQ(filled(a), "0");
  trade(ny(10, 3), "99.55", "1000");
  EXPECT_EQ(filled(a), "100") << "a trade through 99.4";
  EXPECT_EQ(to_string(*at_key(a).average_price()), "99.4");
}

TEST_F(GroupTest, TrailingStopFollowsTheBestTradeAndNeverMovesBack) {
  long_hundred();
  trade(ny(9, 40), "100", "10");
  NewOrder asked = order("a", Side::kSell, "100");
  asked.type = OrderType::kTrailingStop;
  asked.trail_price = px("1");
  const OrderKey a = enter(ny(10, 0), asked);
  EXPECT_EQ(to_string(at_key(a).asked.stop), "99");
  quote(ny(10, 1), "101.9", "500", "102.1", "500");
  trade(ny(10, 2), "102", "10");
  EXPECT_EQ(to_string(at_key(a).asked.stop), "101");
  EXPECT_EQ(to_string(at_key(a).hwm), "102");
  quote(ny(10, 3), "101.4", "500", "101.6", "500");
  trade(ny(10, 4), "101.5", "10");
  EXPECT_EQ(to_string(at_key(a).asked.stop), "101");
  const auto changed = venue().replace(ny(10, 5), a, {.trail = dec("0.6")});
  venue().run_until(ny(10, 6));
  const OrderKey b = std::get<OrderKey>(changed);
  EXPECT_EQ(to_string(at_key(b).asked.stop), "101.4") << "from the same high water mark";
  trade(ny(10, 7), "101.4", "10");
  EXPECT_EQ(filled(b), "100");
}

TEST_F(GroupTest, LegsAreHeldUntilTheEntryIsComplete) {
  const OrderKey entry = enter(ny(10, 0), bracket("e", "100", "99.5"));
  ASSERT_EQ(at_key(entry).legs.size(), 2U);
  const OrderKey profit = at_key(entry).legs[0];
  const OrderKey loss = at_key(entry).legs[1];
  EXPECT_EQ(status(profit), OrderStatus::kHeld);
  EXPECT_EQ(at_key(profit).asked.side, Side::kSell);
  trade(ny(10, 1), "99.4", "40");
  EXPECT_EQ(status(profit), OrderStatus::kHeld);
  EXPECT_EQ(to_string(venue().ledger().available(kAbc)), "40");
  trade(ny(10, 2), "99.4", "60");
  EXPECT_EQ(to_string(venue().ledger().available(kAbc)), "0") << "the exits hold it at once";
  venue().run_until(ny(10, 3));
  EXPECT_EQ(status(profit), OrderStatus::kNew);
  EXPECT_EQ(status(loss), OrderStatus::kNew);
  EXPECT_EQ(leg_story(profit), "held new");
  EXPECT_EQ(to_string(venue().ledger().position(kAbc).held), "100") << "once for both";
}

TEST_F(GroupTest, ExitsCoverNoMoreThanIsLeftOfThePosition) {
  const OrderKey entry = enter(ny(10, 0), bracket("e", "100", "99.5"));
  trade(ny(10, 1), "99.4", "60");
  enter(ny(10, 2), order("s", Side::kSell, "40", "99.99"));
  ASSERT_EQ(position(), "20");
  trade(ny(10, 3), "99.4", "40");
  venue().run_until(ny(10, 4));
  ASSERT_EQ(status(entry), OrderStatus::kFilled);
  EXPECT_EQ(to_string(at_key(at_key(entry).legs[0]).leaves()), "60");
  EXPECT_EQ(to_string(at_key(at_key(entry).legs[1]).leaves()), "60");
  EXPECT_EQ(to_string(venue().ledger().position(kAbc).held), "60");
}

TEST_F(GroupTest, OneExitFilledCancelsTheOther) {
  const OrderKey entry = enter(ny(10, 0), bracket("e", "100", "100.01"));
  const OrderKey profit = at_key(entry).legs[0];
  const OrderKey loss = at_key(entry).legs[1];
  venue().run_until(ny(10, 1));
  trade(ny(10, 2), "105.5", "40");
  EXPECT_EQ(filled(profit), "40");
  EXPECT_EQ(to_string(at_key(loss).leaves()), "60") << "covers what is left";
  trade(ny(10, 3), "105.5", "100");
  EXPECT_EQ(status(profit), OrderStatus::kFilled);
  EXPECT_EQ(status(loss), OrderStatus::kCanceled);
  EXPECT_EQ(position(), "0");
  EXPECT_EQ(venue().ledger().position(kAbc).held.raw, 0);
}

TEST_F(GroupTest, ElectedStopTakesTheTakeProfitAlong) {
  const OrderKey entry = enter(ny(10, 0), bracket("e", "100", "100.01"));
  const OrderKey profit = at_key(entry).legs[0];
  const OrderKey loss = at_key(entry).legs[1];
  quote(ny(10, 1), "94.9", "30", "95.1", "500");
  trade(ny(10, 2), "95", "10");
  EXPECT_EQ(status(profit), OrderStatus::kCanceled);
  EXPECT_EQ(filled(loss), "30");
  EXPECT_EQ(to_string(venue().ledger().position(kAbc).held), "70");
  quote(ny(10, 3), "94.8", "500", "95.1", "500");
  EXPECT_EQ(position(), "0");
}

TEST_F(GroupTest, CancelOfAnyPartCancelsTheRest) {
  const OrderKey entry = enter(ny(10, 0), bracket("e", "100", "99"));
  EXPECT_FALSE(venue().cancel(ny(10, 1), entry));
  venue().run_until(ny(10, 2));
  EXPECT_EQ(venue().open_orders(), 0U);
  EXPECT_EQ(leg_story(at_key(entry).legs[0]), "held canceled");
  const OrderKey other = enter(ny(10, 3), bracket("f", "100", "100.01"));
  venue().run_until(ny(10, 4));
  EXPECT_FALSE(venue().cancel(ny(10, 5), at_key(other).legs[0]));
  venue().run_until(ny(10, 6));
  EXPECT_EQ(venue().open_orders(), 0U);
  EXPECT_EQ(position(), "100") << "without exits now";
}

TEST_F(GroupTest, ReplacedLegStandsInItsGroup) {
  const OrderKey entry = enter(ny(10, 0), bracket("e", "100", "100.01"));
  venue().run_until(ny(10, 1));
  const OrderKey profit = at_key(entry).legs[0];
  const auto refusal = venue().replace(ny(10, 1), profit, {.qty = qty("50")});
  EXPECT_EQ(Json::parse(std::get<ApiError>(refusal).body)["message"],
            "qty cannot be changed for advanced orders");
  const auto moved = venue().replace(ny(10, 2), profit, {.limit = px("103")});
  venue().run_until(ny(10, 3));
  const OrderKey successor = std::get<OrderKey>(moved);
  EXPECT_EQ(at_key(entry).legs[0], successor);
  EXPECT_EQ(to_string(venue().ledger().position(kAbc).held), "100");
  trade(ny(10, 4), "103.5", "500");
  EXPECT_EQ(status(successor), OrderStatus::kFilled);
  EXPECT_EQ(status(at_key(entry).legs[1]), OrderStatus::kCanceled);
  EXPECT_EQ(position(), "0");
}

TEST_F(GroupTest, OcoIsAnExitWhoseParentIsTheTakeProfit) {
  NewOrder oco = order("o", Side::kSell, "100", "105");
  oco.order_class = OrderClass::kOco;
  oco.take_profit = px("105");
  oco.stop_loss = px("95");
  EXPECT_EQ(refused(ny(9, 30), oco, 422, kCodeNotAllowed), "oco orders must be exit orders");
  long_hundred();
  const OrderKey parent = enter(ny(10, 0), oco);
  ASSERT_EQ(at_key(parent).legs.size(), 1U);
  const OrderKey loss = at_key(parent).legs[0];
  EXPECT_EQ(status(loss), OrderStatus::kNew);
  EXPECT_EQ(to_string(venue().ledger().position(kAbc).held), "100");
  quote(ny(10, 1), "94.9", "500", "95.1", "500");
  trade(ny(10, 2), "95", "10");
  EXPECT_EQ(status(loss), OrderStatus::kFilled);
  EXPECT_EQ(status(parent), OrderStatus::kCanceled);
  EXPECT_EQ(position(), "0");
}

TEST_F(GroupTest, OtoHasOneExit) {
  NewOrder oto = order("o", Side::kBuy, "100", "100.01");
  oto.order_class = OrderClass::kOto;
  oto.stop_loss = px("95");
  oto.stop_loss_limit = px("94.5");
  const OrderKey parent = enter(ny(10, 0), oto);
  ASSERT_EQ(at_key(parent).legs.size(), 1U);
  venue().run_until(ny(10, 1));
  const Order& exit = at_key(at_key(parent).legs[0]);
  EXPECT_EQ(exit.asked.type, OrderType::kStopLimit);
  EXPECT_EQ(exit.status, OrderStatus::kNew);
  oto.client_order_id = "p";
  oto.take_profit = px("110");
  EXPECT_EQ(refused(ny(10, 2), oto, 422, kCodeInvalidParameter),
            "oto orders require exactly one of take_profit and stop_loss");
}

TEST_F(GroupTest, LegsMustLieOnTheirSidesOfTheBasePrice) {
  struct Case {
    const char* profit;
    const char* loss;
    const char* message;
  };
  for (const Case& c :
       {Case{"100", "95", "take_profit.limit_price must be >= base_price + 0.01"},
        Case{"105", "100", "stop_loss.stop_price must be <= base_price - 0.01"},
        Case{"94", "95", "take_profit.limit_price must be > stop_loss.stop_price"}}) {
    NewOrder asked = bracket("e", "100", "100");
    asked.take_profit = px(c.profit);
    asked.stop_loss = px(c.loss);
    EXPECT_EQ(refused(ny(10, 0), asked, 422, kCodeNotAllowed), c.message);
  }
  NewOrder asked = bracket("e", "100", "100");
  asked.tif = TimeInForce::kIoc;
  EXPECT_EQ(refused(ny(10, 0), asked, 422, kCodeNotAllowed),
            "complex orders must be DAY or GTC orders");
  asked.tif = TimeInForce::kDay;
  asked.extended_hours = true;
  EXPECT_EQ(refused(ny(10, 0), asked, 422, kCodeNotAllowed),
            "extended hours is not supported for complex orders");
}

TEST_F(GroupTest, ExpiredEntryTakesItsLegsAlong) {
  const OrderKey entry = enter(ny(10, 0), bracket("e", "100", "99"));
  venue().run_until(ny(16, 0));
  EXPECT_EQ(status(entry), OrderStatus::kExpired);
  EXPECT_EQ(venue().open_orders(), 0U);
}

}  // namespace
}  // namespace sluice::sim::test
