// Equities: hours and times in force, auctions, halts, short sales, buying power, wash trades,
// fractions.
#include <gtest/gtest.h>

#include "common/base/error.hpp"
#include "tests/venue_sim/equity_fixtures.hpp"
#include "tools/venue_sim/order_rules.hpp"
#include "tools/venue_sim/trading_switches.hpp"

namespace sluice::sim::test {
namespace {

class HoursTest : public EquityTest {};

TEST_F(HoursTest, OrderOutsideTheHoursStaysAcceptedAndWorksFromTheOpenOn) {
  const OrderKey a = enter(ny(8, 0), order("a", Side::kBuy, "100", "100.01"));
  EXPECT_EQ(status(a), OrderStatus::kAccepted);
  quote(ny(9, 0), "99.99", "500", "100.01", "500");
  EXPECT_EQ(filled(a), "0") << "not in the pre-market";
  venue().run_until(ny(9, 31));
  EXPECT_EQ(story("a"), "accepted new fill");
  EXPECT_EQ(t_.told.back().at, ny(9, 30)) << "at the open, not when somebody looked";
}

TEST_F(HoursTest, DayOrderExpiresAtTheCloseAndALaterOneWaitsForTheNextOpen) {
  open_market();
  const OrderKey a = enter(ny(10, 0), order("a", Side::kBuy, "100", "99.5"));
  EXPECT_EQ(at_key(a).expires_at, ny(16, 0));
  venue().run_until(ny(16, 1));
  EXPECT_EQ(story("a"), "pending_new new expired");
  EXPECT_EQ(at_key(a).expired_at, ny(16, 0));
  EXPECT_EQ(venue().ledger().held_cash().raw, 0);
  const OrderKey b = enter(ny(16, 1), order("b", Side::kBuy, "100", "99.5"));
  EXPECT_EQ(status(b), OrderStatus::kAccepted);
  EXPECT_EQ(at_key(b).expires_at, WallNanos{ny(16, 0).ns + 86'400 * kNanosPerSecond});
  venue().run_until(ny(9 + 24, 30));
  EXPECT_EQ(status(b), OrderStatus::kNew);
}

TEST_F(HoursTest, GtcOrderSleepsOverNightAndWorksAgain) {
  open_market();
  const OrderKey a = enter(ny(10, 0), order("a", Side::kBuy, "100", "99.5", TimeInForce::kGtc));
  venue().run_until(ny(16, 0));
  trade(ny(17, 0), "99.4", "500");
  EXPECT_EQ(filled(a), "0") << "the market is closed";
  EXPECT_EQ(status(a), OrderStatus::kNew);
  venue().run_until(ny(9 + 24, 31));
  trade(ny(9 + 24, 32), "99.4", "500");
  EXPECT_EQ(filled(a), "100");
}

TEST_F(HoursTest, ExtendedHoursOrderWorksFromFourToEight) {
  NewOrder ask = order("a", Side::kBuy, "100", "99.5");
  ask.extended_hours = true;
  const OrderKey a = enter(ny(3, 0), ask);
  EXPECT_EQ(status(a), OrderStatus::kAccepted);
  venue().run_until(ny(4, 0));
  EXPECT_EQ(status(a), OrderStatus::kNew);
  trade(ny(5, 0), "99.4", "40");
  EXPECT_EQ(filled(a), "40");
  trade(ny(19, 59), "99.4", "40");
  EXPECT_EQ(filled(a), "80");
  venue().run_until(ny(20, 0));
  EXPECT_EQ(status(a), OrderStatus::kExpired);
  ask.client_order_id = "m";
  ask.type = OrderType::kMarket;
  ask.limit = Price{};
  EXPECT_EQ(refused(ny(20, 1), ask, 422, kCodeInvalidParameter),
            "only type=\"limit\" is allowed for extended hours orders");
}

TEST_F(HoursTest, AuctionOrdersHaveTheirWindows) {
  const auto opg = order("o", Side::kBuy, "1", {}, TimeInForce::kOpg);
  const auto cls = order("c", Side::kBuy, "1", {}, TimeInForce::kCls);
  for (const WallNanos late : {ny(9, 28), ny(12, 0), ny(18, 59)}) {
    EXPECT_EQ(refused(late, opg, 422, kCodeNotAllowed),
              "opg orders must be submitted after 7:00pm and before 9:28am ET");
  }
  for (const WallNanos late : {ny(15, 50), ny(16, 30), ny(18, 59)}) {
    EXPECT_EQ(refused(late, cls, 422, kCodeNotAllowed),
              "cls orders must be submitted after 7:00pm and before 3:50pm ET");
  }
  accept(ny(19, 0), opg);
  accept(ny(19, 0), cls);
}

TEST_F(HoursTest, OpeningPrintFillsOpgOrdersOutOfItsSizeAndTheRestExpires) {
  const OrderKey market = enter(ny(9, 0), order("m", Side::kBuy, "60", {}, TimeInForce::kOpg));
  const OrderKey good = enter(ny(9, 1), order("g", Side::kBuy, "60", "100.5", TimeInForce::kOpg));
  const OrderKey low = enter(ny(9, 2), order("l", Side::kBuy, "60", "99", TimeInForce::kOpg));
  open_market();
  EXPECT_EQ(filled(market), "0") << "quotes are not the auction";
  venue().run_until(ny(9, 31));
  RecordedTrade auction = print("100.2", "100", std::nullopt);
  auction.opening = true;
  venue().trade(ny(9, 31), kAbc, auction);
  EXPECT_EQ(filled(market), "60");
  EXPECT_EQ(filled(good), "40") << "what the market order left of the print";
  EXPECT_EQ(status(good), OrderStatus::kPartiallyFilled) << "another exchange may print its own";
  venue().run_until(ny(9, 35));
  EXPECT_EQ(status(good), OrderStatus::kExpired);
  EXPECT_EQ(status(low), OrderStatus::kExpired);
  EXPECT_EQ(to_string(*at_key(market).average_price()), "100.2");
  EXPECT_EQ(story("m"), "accepted new fill");
}

TEST_F(HoursTest, ListingExchangesPrintComesAfterTheOthersAndExemptOnesFillNobody) {
  const OrderKey a = enter(ny(9, 0), order("a", Side::kBuy, "60", {}, TimeInForce::kOpg));
  open_market();
  RecordedTrade auction = print("100.9", "500", std::nullopt);
  auction.opening = auction.exempt = true;
  venue().trade(ny(9, 30, 1), kAbc, auction);
  EXPECT_EQ(filled(a), "0");
  auction = print("100.3", "20", std::nullopt);
  auction.opening = true;
  venue().trade(ny(9, 30, 2), kAbc, auction);
  EXPECT_EQ(filled(a), "20");
  auction = print("100.2", "1000", std::nullopt);
  auction.opening = true;
  venue().trade(ny(9, 30, 5), kAbc, auction);
  EXPECT_EQ(filled(a), "60");
  EXPECT_EQ(story("a"), "accepted new partial_fill fill");
}

TEST_F(HoursTest, AuctionOrdersOfASessionWithoutAuctionExpire) {
  const OrderKey opg = enter(ny(9, 0), order("o", Side::kBuy, "60", {}, TimeInForce::kOpg));
  const OrderKey cls = enter(ny(15, 0), order("c", Side::kBuy, "60", {}, TimeInForce::kCls));
  EXPECT_EQ(status(opg), OrderStatus::kExpired) << "five minutes after the open";
  EXPECT_EQ(status(cls), OrderStatus::kNew);
  venue().run_until(ny(16, 4));
  EXPECT_EQ(status(cls), OrderStatus::kNew);
  venue().run_until(ny(16, 5));
  EXPECT_EQ(status(cls), OrderStatus::kExpired);
}

TEST_F(HoursTest, FokTakesAllInSightOrNothing) {
  open_market();
  const OrderKey all = enter(ny(10, 0), order("a", Side::kBuy, "500", "100.01", TimeInForce::kFok));
  EXPECT_EQ(status(all), OrderStatus::kFilled);
  const OrderKey none =
      enter(ny(10, 1), order("b", Side::kSell, "500", "99.99", TimeInForce::kFok));
  EXPECT_EQ(status(none), OrderStatus::kFilled);
  quote(ny(10, 2), "99.99", "499", "100.01", "500");
  const OrderKey more =
      enter(ny(10, 3), order("c", Side::kBuy, "501", "100.01", TimeInForce::kFok));
  EXPECT_EQ(status(more), OrderStatus::kCanceled);
  EXPECT_EQ(filled(more), "0");
  EXPECT_EQ(story("c"), "pending_new new canceled");
}

TEST_F(HoursTest, NothingIsFilledWhileHaltedAndCancelsWork) {
  open_market();
  const OrderKey a = enter(ny(10, 0), order("a", Side::kBuy, "100", "99.9"));
  const OrderKey b = enter(ny(10, 0), order("b", Side::kBuy, "100", "99.8"));
  venue().status(ny(10, 1), kAbc, false);
  trade(ny(10, 2), "99", "1000");
  quote(ny(10, 3), "98", "100", "99.5", "1000");
  const OrderKey c = enter(ny(10, 4), order("c", Side::kBuy, "100"));
  const OrderKey d = enter(ny(10, 4), order("d", Side::kBuy, "100", "99.9", TimeInForce::kIoc));
  EXPECT_EQ(venue().executions().size(), 0U);
  EXPECT_EQ(status(d), OrderStatus::kCanceled);
  EXPECT_FALSE(venue().cancel(ny(10, 5), b));
  venue().run_until(ny(10, 6));
  EXPECT_EQ(status(b), OrderStatus::kCanceled);
  venue().status(ny(10, 7), kAbc, true);
  EXPECT_EQ(filled(a), "100");
  EXPECT_EQ(filled(c), "100");
}

class MoneyTest : public EquityTest {
 protected:
  MoneyTest() { open_market(); }
};

TEST_F(MoneyTest, EquitiesHaveNoFees) {
  enter(ny(10, 0), order("a", Side::kBuy, "100"));
  EXPECT_EQ(position(), "100");
  EXPECT_EQ(to_string(venue().ledger().cash()), "89999");
  EXPECT_EQ(venue().activities().size(), 1U) << "a FILL, no CFEE";
}

TEST_F(MoneyTest, BuyingPowerIsFourTimesTheEquityLessCostAndHolds) {
  EXPECT_EQ(buying_power(), "400000");
  enter(ny(10, 0), order("a", Side::kBuy, "100", "99"));
  EXPECT_EQ(buying_power(), "390100");
  enter(ny(10, 1), order("b", Side::kBuy, "100"));
  EXPECT_EQ(buying_power(), "380099");
  EXPECT_EQ(refused(ny(10, 2), order("c", Side::kBuy, "4000", "99"), 403, kCodeForbidden),
            "insufficient buying power");
  NewOrder coin = order("d", Side::kBuy, "2", "50000", TimeInForce::kGtc);
  coin.symbol = kCoin;
  EXPECT_EQ(refused(ny(10, 3), coin, 403, kCodeForbidden), "insufficient buying power")
      << "crypto is paid in cash";
}

TEST_F(MoneyTest, ShortSaleMakesANegativePositionAndACoverCannotTurnIt) {
  const OrderKey a = enter(ny(10, 0), order("a", Side::kSell, "100"));
  EXPECT_EQ(position(), "-100");
  EXPECT_TRUE(at_key(a).opening);
  EXPECT_EQ(to_string(venue().ledger().cash()), "109999");
  EXPECT_EQ(to_string(venue().worth().short_value), "-9999");
  EXPECT_EQ(to_string(venue().worth().equity), "100000");
  EXPECT_EQ(buying_power(), "390001");
  EXPECT_EQ(refused(ny(10, 1), order("b", Side::kBuy, "101"), 403, kCodeForbidden),
            "insufficient qty available for order (requested: 101, available: -100)");
  enter(ny(10, 2), order("c", Side::kBuy, "40"));
  EXPECT_EQ(position(), "-60");
  EXPECT_EQ(to_string(venue().ledger().position(kAbc).cost), "-5999.4") << "still 99.99 a share";
}

TEST_F(MoneyTest, ShortSaleHoldsThreePercentAboveTheAsk) {
  enter(ny(10, 0), order("a", Side::kSell, "100", "101"));
  EXPECT_EQ(to_string(venue().ledger().held_cash()), "10301.03");
  enter(ny(10, 1), order("b", Side::kSell, "100", "120"));
  EXPECT_EQ(to_string(venue().ledger().held_cash()), "22301.03") << "or its limit";
}

TEST_F(MoneyTest, LongCannotBeSoldPastZero) {
  enter(ny(10, 0), order("a", Side::kBuy, "100"));
  enter(ny(10, 1), order("b", Side::kSell, "60", "105"));
  EXPECT_EQ(refused(ny(10, 2), order("c", Side::kSell, "41", "105"), 403, kCodeForbidden),
            "insufficient qty available for order (requested: 41, available: 40)");
  EXPECT_EQ(to_string(venue().ledger().available(kAbc)), "40");
}

TEST_F(MoneyTest, OpeningOrdersOfBothSidesExcludeEachOther) {
  enter(ny(10, 0), order("a", Side::kBuy, "100", "90"));
  EXPECT_EQ(refused(ny(10, 1), order("b", Side::kSell, "100", "110"), 403, kCodeForbidden),
            "cannot open a short sell while a long buy order is open");
  venue().cancel_at_once(ny(10, 2), 0);
  enter(ny(10, 3), order("c", Side::kSell, "100", "110"));
  EXPECT_EQ(refused(ny(10, 4), order("d", Side::kBuy, "100", "90"), 403, kCodeForbidden),
            "cannot open a long buy while a short sell order is open");
}

TEST_F(MoneyTest, OnlyEasyToBorrowSharesAreSoldShortAndOnlyWhole) {
  NewOrder xyz = order("a", Side::kSell, "10");
  xyz.symbol = kXyz;
  EXPECT_EQ(refused(ny(10, 0), xyz, 422, kCodeNotAllowed), "asset \"XYZ\" cannot be sold short");
  EXPECT_EQ(refused(ny(10, 0), order("b", Side::kSell, "1.5"), 422, kCodeNotAllowed),
            "fractional orders cannot be sold short");
}

TEST_F(MoneyTest, WashTradesAreRefused) {
  enter(ny(10, 0), order("a", Side::kBuy, "100"));
  const OrderKey b = enter(ny(10, 1), order("b", Side::kSell, "10", "101"));
  venue().run_until(ny(10, 2));
  const auto answer = venue().submit(ny(10, 2), order("c", Side::kBuy, "5", "101"));
  const Json body = Json::parse(std::get<ApiError>(answer).body);
  EXPECT_EQ(std::get<ApiError>(answer).status, 403);
  EXPECT_EQ(body["message"], "potential wash trade detected. use complex orders");
  EXPECT_EQ(body["existing_order_id"], to_string(at_key(b).id));
  EXPECT_EQ(body["reject_reason"], "opposite side limit order exists");
  refused(ny(10, 3), order("d", Side::kBuy, "5"), 403, kCodeForbidden);
  accept(ny(10, 4), order("e", Side::kBuy, "5", "99.5"));
  NewOrder stop = order("f", Side::kSell, "5");
  stop.type = OrderType::kStop;
  stop.stop = px("95");
  refused(ny(10, 5), stop, 403, kCodeForbidden);
  NewOrder coin = order("g", Side::kBuy, "0.1", "61000", TimeInForce::kGtc);
  coin.symbol = kCoin;
  accept(ny(10, 6), coin);
  coin.client_order_id = "h";
  coin.side = Side::kSell;
  coin.qty = qty("0.01");
  coin.limit = px("60000");
  venue().run_until(ny(10, 7));
  accept(ny(10, 7), coin);  // the buy was filled: nothing of ours is met
}

TEST_F(MoneyTest, FractionsAreDayOrdersOfFractionableAssets) {
  EXPECT_EQ(refused(ny(10, 0), order("a", Side::kBuy, "0.5", {}, TimeInForce::kGtc), 422,
                    kCodeNotAllowed),
            "fractional orders must be DAY orders");
  NewOrder xyz = order("b", Side::kBuy, "0.5");
  xyz.symbol = kXyz;
  EXPECT_EQ(refused(ny(10, 0), xyz, 403, kCodeForbidden), "asset \"XYZ\" is not fractionable");
  EXPECT_EQ(refused(ny(10, 0), order("c", Side::kBuy, "0.005", "100"), 403, kCodeForbidden),
            "cost basis must be >= minimal amount of order 1");
  NewOrder bracket = order("d", Side::kBuy, "0.5", "100");
  bracket.order_class = OrderClass::kBracket;
  bracket.take_profit = px("110");
  bracket.stop_loss = px("90");
  EXPECT_EQ(refused(ny(10, 0), bracket, 422, kCodeNotAllowed),
            "fractional orders must be simple orders");
  enter(ny(10, 1), order("e", Side::kBuy, "0.123456789"));
  EXPECT_EQ(position(), "0.123456789");
}

TEST_F(MoneyTest, NotionalOrderBuysWhatItsMoneyBuysAndNotMore) {
  NewOrder money = order("a", Side::kBuy, "0");
  money.notional = cash("1000");
  const OrderKey a = accept(ny(10, 0), money);
  EXPECT_EQ(to_string(venue().ledger().held_cash()), "1000");
  venue().run_until(ny(10, 1));
  EXPECT_EQ(status(a), OrderStatus::kFilled);
  EXPECT_EQ(filled(a), "9.999000099") << "1000 / 100.01, rounded down";
  EXPECT_GE(venue().ledger().cash(), cash("99000"));
  EXPECT_EQ(venue().ledger().held_cash().raw, 0);
  NewOrder back = order("b", Side::kSell, "0");
  back.notional = cash("5000");
  EXPECT_EQ(refused(ny(10, 2), back, 403, kCodeForbidden).substr(0, 30),
            "insufficient qty available for");
  back.notional = cash("500");
  enter(ny(10, 3), back);
  EXPECT_EQ(position(), "4.998500049");
}

TEST_F(MoneyTest, TicksOfEquitiesFollowThePrice) {
  EXPECT_EQ(refused(ny(10, 0), order("a", Side::kBuy, "1", "99.001"), 422, kCodeNotAllowed),
            "invalid limit_price 99.001. sub-penny increment does not fulfill minimum pricing "
            "criteria");
  accept(ny(10, 0), order("b", Side::kBuy, "1", "0.1234"));
}

TEST_F(MoneyTest, CrossedAndOneSidedQuotesFillNobody) {
  quote(ny(10, 0), "100.05", "500", "100.01", "500");
  const OrderKey a = enter(ny(10, 1), order("a", Side::kBuy, "100", "100.02"));
  EXPECT_EQ(filled(a), "0");
  quote(ny(10, 2), "100.01", "500", "100.01", "500");
  EXPECT_EQ(filled(a), "100") << "locked is a market";
  quote(ny(10, 3), "100", "500", "0", "0");
  const OrderKey b = enter(ny(10, 4), order("b", Side::kBuy, "100", "100.5"));
  EXPECT_EQ(filled(b), "0");
  quote(ny(10, 5), "0", "0", "100.4", "60");
  EXPECT_EQ(filled(b), "60");
}

TEST_F(MoneyTest, BookOfQuotesKnowsNothingBehindTheBestLevel) {
  quote(ny(10, 0), "99.99", "500", "100", "50");
  const OrderKey a = enter(ny(10, 1), order("a", Side::kBuy, "100", "100.01"));
  EXPECT_EQ(filled(a), "50") << "the 500 at 100.01 were shown before, who knows whether they stay";
  const OrderKey b = enter(ny(10, 2), order("b", Side::kBuy, "100", "99.9"));
  quote(ny(10, 3), "99.9", "300", "100.5", "50");
  EXPECT_EQ(to_string(*venue().matcher().queue_ahead(kAbc, b)), "300") << "all shown is ahead";
}

TEST(TradingSwitchesTest, CashAccountThatSellsShortIsRefused) {
  VenueOptions options;
  TradingSwitches switches;
  switches.multiplier = "1";
  switches.shorting = "on";
  try {
    apply(switches, equity_symbols(), options);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kUsage);
  }
  switches.multiplier = "2";
  apply(switches, equity_symbols(), options);
  EXPECT_TRUE(options.shorting);
}

class BlockedTest : public EquityTest {
 protected:
  static VenueOptions blocked() {
    VenueOptions with = options();
    with.trading_blocked = true;
    with.shorting = false;
    return with;
  }
  BlockedTest() : EquityTest(blocked()) {}
};

TEST_F(BlockedTest, BlockedAccountIsRefused) {
  EXPECT_EQ(refused(ny(10, 0), order("a", Side::kBuy, "1", "99"), 403, kCodeForbidden),
            "account is blocked from trading");
}

class NoShortTest : public EquityTest {
 protected:
  static VenueOptions cash_account() {
    VenueOptions with = options();
    with.shorting = false;
    with.multiplier = 1;
    return with;
  }
  NoShortTest() : EquityTest(cash_account()) { open_market(); }
};

TEST_F(NoShortTest, AccountThatMayNotShortIsTold) {
  EXPECT_EQ(refused(ny(10, 0), order("a", Side::kSell, "1", "99"), 403, kCodeForbidden),
            "account is not allowed to short");
  EXPECT_EQ(buying_power(), "100000");
}

TEST_F(NoShortTest, SuspendedTradingRefusesNewOrdersOnly) {
  const OrderKey a = enter(ny(10, 0), order("a", Side::kBuy, "1", "99"));
  venue().suspend_trading(true);
  EXPECT_EQ(refused(ny(10, 1), order("b", Side::kBuy, "1", "99"), 403, kCodeForbidden),
            "new orders are rejected by user request");
  EXPECT_FALSE(venue().cancel(ny(10, 2), a));
  venue().suspend_trading(false);
  accept(ny(10, 3), order("b", Side::kBuy, "1", "99"));
}

}  // namespace
}  // namespace sluice::sim::test
