// The matching rules one by one; matcher_property_test.cpp checks them together under random load.
#include "tools/venue_sim/matcher.hpp"

#include <gtest/gtest.h>

#include "tests/venue_sim/sim_fixtures.hpp"

namespace sluice::sim::test {
namespace {

class MatcherTest : public ::testing::Test {
 protected:
  MatcherTest() {
    matcher_.quote(kBtc, book("100", "2", "101", "1"), fills_);
    level(Side::kSell, "102", "3");
    level(Side::kSell, "103", "5");
    level(Side::kBuy, "99", "4");
  }

  void quote(std::string_view bid, std::string_view bid_qty, std::string_view ask,
             std::string_view ask_qty) {
    fills_.clear();
    matcher_.quote(kBtc, book(bid, bid_qty, ask, ask_qty), fills_);
  }
  void trade(std::string_view at, std::string_view size, std::optional<Side> taker) {
    fills_.clear();
    matcher_.trade(kBtc, print(at, size, taker), fills_);
  }
  void level(Side side, std::string_view at, std::string_view size) {
    fills_.clear();
    matcher_.depth(kBtc, {.side = side, .px = px(at), .qty = qty(size)}, fills_);
  }
  Qty enter(OrderKey key, Side side, std::string_view size, std::string_view limit,
            TimeInForce tif = TimeInForce::kGtc, OrderType type = OrderType::kLimit) {
    fills_.clear();
    return matcher_.enter(kBtc, {key, side, type, tif, px(limit), qty(size)}, fills_);
  }
  void expect_fill(std::size_t index, OrderKey key, std::string_view at, std::string_view size,
                   bool maker) const {
    ASSERT_LT(index, fills_.size());
    EXPECT_EQ(fills_[index].key, key);
    EXPECT_EQ(to_string(fills_[index].px), at);
    EXPECT_EQ(to_string(fills_[index].qty), size);
    EXPECT_EQ(fills_[index].maker, maker);
  }
  [[nodiscard]] std::string ahead(OrderKey key) const {
    const auto qty = matcher_.queue_ahead(kBtc, key);
    return qty ? to_string(*qty) : "not resting";
  }

  Matcher matcher_{2};
  Fills fills_;
};

TEST_F(MatcherTest, MarketableOrderWalksTheLevelsAtTheirPricesUpToItsLimit) {
  const Qty leaves = enter(1, Side::kBuy, "6", "102");
  ASSERT_EQ(fills_.size(), 2U);
  expect_fill(0, 1, "101", "1", false);
  expect_fill(1, 1, "102", "3", false);
  EXPECT_EQ(to_string(leaves), "2");
  EXPECT_EQ(ahead(1), "0") << "the rest is the best bid now: nobody is ahead";
}

TEST_F(MatcherTest, ConsumedSizeStaysConsumedUntilTheRecordedLevelChanges) {
  enter(1, Side::kBuy, "1", "101", TimeInForce::kIoc);
  ASSERT_EQ(fills_.size(), 1U);
  enter(2, Side::kBuy, "1", "101", TimeInForce::kIoc);
  EXPECT_TRUE(fills_.empty()) << "the first order took all there was";
  quote("100", "2.5", "101", "1");
  enter(3, Side::kBuy, "1", "101", TimeInForce::kIoc);
  EXPECT_TRUE(fills_.empty()) << "the same size told again is not new liquidity";
  quote("100", "2.5", "101", "0.4");
  enter(4, Side::kBuy, "1", "101", TimeInForce::kIoc);
  ASSERT_EQ(fills_.size(), 1U);
  expect_fill(0, 4, "101", "0.4", false);
}

TEST_F(MatcherTest, IocNeverRests) {
  const Qty leaves = enter(1, Side::kBuy, "6", "101", TimeInForce::kIoc);
  EXPECT_EQ(leaves.raw, 0);
  EXPECT_EQ(matcher_.working(kBtc), 0U);
  trade("100.5", "10", Side::kSell);
  EXPECT_TRUE(fills_.empty());
}

TEST_F(MatcherTest, MarketOrderWalksTheDepthThenWaitsForMore) {
  const Qty leaves = enter(1, Side::kBuy, "10", "110", TimeInForce::kGtc, OrderType::kMarket);
  EXPECT_EQ(fills_.size(), 3U);
  EXPECT_EQ(to_string(leaves), "1");
  level(Side::kSell, "104", "0.3");
  ASSERT_EQ(fills_.size(), 1U);
  expect_fill(0, 1, "104", "0.3", false);
  quote("100", "2", "101", "7");
  ASSERT_EQ(fills_.size(), 1U);
  expect_fill(0, 1, "101", "0.7", false);
  EXPECT_EQ(matcher_.working(kBtc), 0U);
}

TEST_F(MatcherTest, MarketOrderNeverPaysMoreThanItsProtectivePrice) {
  enter(1, Side::kBuy, "10", "102", TimeInForce::kGtc, OrderType::kMarket);
  EXPECT_EQ(fills_.size(), 2U);
  level(Side::kSell, "103", "9");
  EXPECT_TRUE(fills_.empty());
}

TEST_F(MatcherTest, RestingOrderQueuesBehindTheRecordedSize) {
  enter(1, Side::kBuy, "1", "100");
  EXPECT_EQ(ahead(1), "2");
  trade("100", "1.5", Side::kSell);
  EXPECT_TRUE(fills_.empty());
  EXPECT_EQ(ahead(1), "0.5");
  trade("100", "0.7", Side::kSell);
  ASSERT_EQ(fills_.size(), 1U);
  expect_fill(0, 1, "100", "0.2", true);
  trade("100", "5", Side::kSell);
  ASSERT_EQ(fills_.size(), 1U);
  expect_fill(0, 1, "100", "0.8", true);
}

TEST_F(MatcherTest, TradeOnTheOtherSideDoesNotMoveTheQueue) {
  enter(1, Side::kBuy, "1", "100");
  trade("100", "1.5", Side::kBuy);
  EXPECT_EQ(ahead(1), "2");
}

TEST_F(MatcherTest, TradeWithoutKnownTakerCountsForTheSideAtItsPrice) {
  enter(1, Side::kBuy, "1", "100");
  trade("100", "2.5", std::nullopt);
  ASSERT_EQ(fills_.size(), 1U);
  expect_fill(0, 1, "100", "0.5", true);
}

TEST_F(MatcherTest, TradeThroughThePriceFillsAtTheOrdersOwnPrice) {
  enter(1, Side::kBuy, "1", "100");
  trade("99.99", "0.6", Side::kSell);
  ASSERT_EQ(fills_.size(), 1U);
  expect_fill(0, 1, "100", "0.6", true);
}

TEST_F(MatcherTest, OneTradesFillsAddUpToItsSizeByPriceThenTime) {
  enter(1, Side::kBuy, "1", "99.5");
  enter(2, Side::kBuy, "1", "100.5");
  enter(3, Side::kBuy, "1", "99.5");
  trade("99.4", "2.25", Side::kSell);
  ASSERT_EQ(fills_.size(), 3U);
  expect_fill(0, 2, "100.5", "1", true);
  expect_fill(1, 1, "99.5", "1", true);
  expect_fill(2, 3, "99.5", "0.25", true);
}

TEST_F(MatcherTest, LaterOrderAtOnePriceWaitsForTheQueueAndForTheEarlierOrder) {
  enter(1, Side::kBuy, "1", "100");
  level(Side::kBuy, "99", "4");
  quote("100", "3", "101", "1");
  enter(2, Side::kBuy, "1", "100");
  EXPECT_EQ(ahead(1), "2");
  EXPECT_EQ(ahead(2), "3");
  trade("100", "3.5", Side::kSell);
  ASSERT_EQ(fills_.size(), 1U);
  expect_fill(0, 1, "100", "1", true);
  EXPECT_EQ(ahead(2), "0.5") << "3.5 traded, 1 of it with us, 2.5 with the market ahead";
}

TEST_F(MatcherTest, RecordedCancelShrinksTheQueueAheadInProportion) {
  enter(1, Side::kBuy, "1", "100");
  quote("100", "4", "101", "1");
  EXPECT_EQ(ahead(1), "2") << "what joined is behind";
  quote("100", "3", "101", "1");
  EXPECT_EQ(ahead(1), "1.5") << "a quarter of the level was cancelled";
}

TEST_F(MatcherTest, DecreaseThatWasTradedIsNoCancel) {
  enter(1, Side::kBuy, "1", "100");
  quote("100", "4", "101", "1");
  trade("100", "1", Side::kSell);
  EXPECT_EQ(ahead(1), "1");
  quote("100", "3", "101", "1");
  EXPECT_EQ(ahead(1), "1");
  quote("100", "1.5", "101", "1");
  EXPECT_EQ(ahead(1), "0.5") << "half of what stood was cancelled";
}

TEST_F(MatcherTest, QueueAheadIsNeverMoreThanTheRecordedLevel) {
  enter(1, Side::kBuy, "1", "100");
  trade("100", "1.9", Side::kSell);
  quote("100", "0.05", "101", "1");
  EXPECT_EQ(ahead(1), "0.05");
  quote("99", "4", "101", "1");
  EXPECT_EQ(ahead(1), "0") << "the level is gone: we are alone at our price";
}

TEST_F(MatcherTest, LevelThatWasTradedAwayLeavesNobodyAheadOfTheLaterOrder) {
  enter(1, Side::kBuy, "1", "100");
  quote("100", "3", "101", "1");
  enter(2, Side::kBuy, "1", "100");
  trade("100", "3.5", Side::kSell);
  EXPECT_EQ(ahead(2), "0.5") << "1 of the trade was our own fill";
  quote("99", "4", "101", "1");
  EXPECT_EQ(ahead(2), "0");
}

TEST_F(MatcherTest, LiquidityThatMovesToARestingOrderTradesAtTheOrdersPrice) {
  enter(1, Side::kBuy, "1", "100");
  quote("99", "4", "99.5", "0.4");
  ASSERT_EQ(fills_.size(), 1U);
  expect_fill(0, 1, "100", "0.4", true);
  quote("99", "4", "100", "0.2");
  ASSERT_EQ(fills_.size(), 1U);
  expect_fill(0, 1, "100", "0.2", true);
}

TEST_F(MatcherTest, QuoteRemovesTheDepthLevelsItContradicts) {
  quote("100", "2", "102.5", "1");
  const auto leaves = enter(1, Side::kBuy, "9", "103", TimeInForce::kIoc);
  EXPECT_EQ(leaves.raw, 0);
  ASSERT_EQ(fills_.size(), 2U);
  expect_fill(0, 1, "102.5", "1", false);
  expect_fill(1, 1, "103", "5", false);
}

TEST_F(MatcherTest, DepthBetterThanTheBestQuoteIsOutOfSight) {
  level(Side::kSell, "100.5", "8");
  enter(1, Side::kBuy, "0.5", "101", TimeInForce::kIoc);
  ASSERT_EQ(fills_.size(), 1U);
  expect_fill(0, 1, "101", "0.5", false);
  EXPECT_EQ(to_string(matcher_.book(kBtc).asks.best()->px), "101");
}

TEST_F(MatcherTest, DepthAtTheBestQuotedPriceDoesNotOverruleTheQuote) {
  level(Side::kSell, "101", "50");
  EXPECT_EQ(to_string(matcher_.book(kBtc).asks.best()->qty), "1");
}

TEST_F(MatcherTest, SnapshotForgetsAllLevelsButTheBestQuotes) {
  fills_.clear();
  matcher_.depth(kBtc,
                 {.side = Side::kSell, .px = px("105"), .qty = qty("1"), .snapshot_begins = true},
                 fills_);
  enter(1, Side::kBuy, "9", "110", TimeInForce::kIoc);
  ASSERT_EQ(fills_.size(), 2U);
  expect_fill(0, 1, "101", "1", false);
  expect_fill(1, 1, "105", "1", false);
}

TEST_F(MatcherTest, SnapshotThatRepeatsALevelLeavesItsQueueAndWhatWasTaken) {
  level(Side::kBuy, "98", "5");
  enter(1, Side::kBuy, "1", "98");
  enter(2, Side::kBuy, "0.4", "102", TimeInForce::kIoc);
  fills_.clear();
  matcher_.depth(kBtc,
                 {.side = Side::kBuy,
                  .px = px("98"),
                  .qty = qty("5"),
                  .snapshot_begins = true,
                  .last_of_event = false},
                 fills_);
  matcher_.depth(kBtc, {.side = Side::kSell, .px = px("105"), .qty = qty("1")}, fills_);
  EXPECT_EQ(ahead(1), "5");
  trade("98", "4", Side::kSell);
  EXPECT_TRUE(fills_.empty());
}

TEST_F(MatcherTest, BetterQuoteHidesALevelOfABookOfQuotesAndItsQueueStays) {
  matcher_.quotes_only(kEth);
  const auto bid = [&](std::string_view at, std::string_view size) {
    matcher_.quote(kEth, book(at, size, "101", "10"), fills_);
  };
  const auto join = [&](OrderKey key) {
    matcher_.enter(kEth,
                   {key, Side::kBuy, OrderType::kLimit, TimeInForce::kDay, px("100"), qty("50")},
                   fills_);
  };
  bid("100", "1000");
  join(1);
  bid("100.01", "5");
  join(2);
  matcher_.trade(kEth, print("100", "10", Side::kSell), fills_);
  bid("100", "1000");
  EXPECT_EQ(matcher_.queue_ahead(kEth, 1), qty("990"));
  EXPECT_EQ(matcher_.queue_ahead(kEth, 2), qty("1000")) << "behind all that is shown";
  bid("100.01", "5");
  bid("100", "400");
  EXPECT_EQ(matcher_.queue_ahead(kEth, 1), qty("400"));
  bid("99.99", "5");
  bid("100", "1000");
  EXPECT_EQ(matcher_.queue_ahead(kEth, 1), Qty{0}) << "the level was gone in between";
  EXPECT_TRUE(fills_.empty());
}

TEST_F(MatcherTest, EmptySideHasNobodyToTradeWith) {
  quote("100", "2", "0", "0");
  enter(1, Side::kBuy, "1", "500", TimeInForce::kIoc);
  EXPECT_TRUE(fills_.empty());
}

TEST_F(MatcherTest, OrderThatRestsBeforeTheFirstQuoteIsFirstInItsQueue) {
  fills_.clear();
  matcher_.enter(kEth, {9, Side::kBuy, OrderType::kLimit, TimeInForce::kGtc, px("10"), qty("1")},
                 fills_);
  EXPECT_TRUE(fills_.empty());
  matcher_.quote(kEth, book("9", "1", "9.5", "0.5"), fills_);
  ASSERT_EQ(fills_.size(), 1U);
  expect_fill(0, 9, "10", "0.5", true);
  EXPECT_EQ(matcher_.queue_ahead(kEth, 9), Qty{0});
}

TEST_F(MatcherTest, RemovedOrderIsNeverFilledAgain) {
  enter(1, Side::kBuy, "1", "100");
  EXPECT_TRUE(matcher_.remove(kBtc, 1));
  EXPECT_FALSE(matcher_.remove(kBtc, 1));
  trade("99", "10", Side::kSell);
  EXPECT_TRUE(fills_.empty());
}

TEST_F(MatcherTest, OwnOrdersNeverTradeWithEachOther) {
  enter(1, Side::kBuy, "1", "100.6");
  enter(2, Side::kSell, "1", "100.5");
  EXPECT_TRUE(fills_.empty());
  EXPECT_EQ(matcher_.working(kBtc), 2U);
}

TEST_F(MatcherTest, SellsMirrorBuys) {
  enter(1, Side::kSell, "3", "99.5");
  ASSERT_EQ(fills_.size(), 1U);
  expect_fill(0, 1, "100", "2", false);
  trade("99.6", "0.5", Side::kBuy);
  ASSERT_EQ(fills_.size(), 1U);
  expect_fill(0, 1, "99.5", "0.5", true);
}

TEST_F(MatcherTest, QueueOfAnEquityShrinksByWholeSharesOnly) {
  matcher_.quotes_only(kEth);
  const auto bid_size = [&](std::string_view size) {
    matcher_.quote(kEth, book("100", size, "101", "10"), fills_);
  };
  bid_size("100");
  matcher_.enter(kEth, {1, Side::kBuy, OrderType::kLimit, TimeInForce::kDay, px("100"), qty("50")},
                 fills_);
  bid_size("300");
  bid_size("200");  // a third of 300 was cancelled: of the 100 ahead 33 and a third
  EXPECT_EQ(matcher_.queue_ahead(kEth, 1), qty("67"));
}

TEST_F(MatcherTest, FokTakesItAllFromWhatIsInSightOrNothing) {
  EXPECT_EQ(enter(1, Side::kBuy, "5", "102", TimeInForce::kFok).raw, 0);
  EXPECT_TRUE(fills_.empty()) << "4 within 102";
  EXPECT_EQ(enter(2, Side::kBuy, "4", "102", TimeInForce::kFok).raw, 0);
  ASSERT_EQ(fills_.size(), 2U);
  EXPECT_EQ(enter(3, Side::kBuy, "1", "102", TimeInForce::kFok).raw, 0);
  EXPECT_TRUE(fills_.empty()) << "consumed size is not in sight";
}

TEST_F(MatcherTest, NothingIsFilledDuringAHaltAndRestingOrdersMeetTheBookAfterIt) {
  enter(1, Side::kBuy, "1", "100");
  fills_.clear();
  matcher_.halt(kBtc, true, fills_);
  trade("99", "10", Side::kSell);
  EXPECT_TRUE(fills_.empty());
  quote("98", "1", "99.5", "4");
  EXPECT_TRUE(fills_.empty());
  enter(2, Side::kBuy, "1", "101");
  EXPECT_TRUE(fills_.empty());
  matcher_.halt(kBtc, false, fills_);
  ASSERT_EQ(fills_.size(), 2U);
  expect_fill(0, 2, "101", "1", true);
  expect_fill(1, 1, "100", "1", true);
}

TEST_F(MatcherTest, CrossedBookIsNoOffer) {
  quote("102.5", "1", "101", "1");
  enter(1, Side::kBuy, "1", "103");
  EXPECT_TRUE(fills_.empty());
  trade("102", "0.4", Side::kSell);
  expect_fill(0, 1, "103", "0.4", true);
  quote("100", "1", "101", "2");
  expect_fill(0, 1, "103", "0.6", true);
}

TEST_F(MatcherTest, ExemptPrintFillsNobody) {
  enter(1, Side::kBuy, "1", "100");
  fills_.clear();
  RecordedTrade exempt = print("90", "10", std::nullopt);
  exempt.exempt = true;
  matcher_.trade(kBtc, exempt, fills_);
  EXPECT_TRUE(fills_.empty());
}

}  // namespace
}  // namespace sluice::sim::test
