#include "common/strategy/quoter.hpp"

#include <gtest/gtest.h>

#include <memory>

#include "tests/strategy/fixture.hpp"

namespace sluice {
namespace {

using test::kMs;
using test::kOne;
using test::quote_at;

constexpr std::int64_t kCent = kOne / 100;

class QuoterTest : public testing::Test {
 protected:
  void SetUp() override { build(); }
  void build(AssetClass asset_class = AssetClass::kCrypto) {
    table = test::one_instrument(asset_class);
    strategy = std::make_unique<Quoter>(options, 1);
    host = std::make_unique<StrategyHost>(HostOptions{.strategy = 0,
                                                      .incarnation = 1,
                                                      .account = 0,
                                                      .venue = 0,
                                                      .feed = 0,
                                                      .instruments = {0},
                                                      .intent_deadline_ns = 500 * kMs,
                                                      .max_event_age_ns = event_age_ns},
                                          table, *strategy, output);
  }

  void quote(std::int64_t at_ms, std::int64_t bid_cents, std::int64_t ask_cents) {
    host->on_market(quote_at({at_ms * kMs}, bid_cents, ask_cents), {at_ms * kMs});
  }
  void status(std::int64_t at_ms, TradingStatus what) {
    host->on_market(test::status_at({at_ms * kMs}, what), {at_ms * kMs});
  }
  // The status of before, told again behind a gap.
  void status_again(std::int64_t at_ms, TradingStatus what) {
    host->on_market(test::status_at({1 * kMs}, what, kAfterGap | kSnapshot), {at_ms * kMs});
  }
  // What the fill that made the position costs of it.
  void base_fee(std::int64_t fee) {
    Execution e = test::execution_of(output.intents[0], ExecutionKind::kFee, OrderState::kFilled,
                                     {}, {}, fee);
    e.n = ++n;
    host->on_execution(e, {1002 * kMs});
  }
  // Orders of ten, bids up to 25.
  void build_whole() {
    options.order_qty = Qty{10 * kOne};
    options.max_position = Qty{25 * kOne};
    build();
  }
  void told(const Intent& intent, ExecutionKind kind, OrderState state, Qty qty = {},
            Qty cum = {}) {
    Execution e = test::execution_of(intent, kind, state, qty, cum);
    e.n = ++n;
    e.leaves = Qty{intent.requested.raw - cum.raw};
    host->on_execution(e, {last_ms * kMs});
  }
  void accept(const Intent& intent) {
    told(intent, ExecutionKind::kAccepted, OrderState::kSubmitted);
  }
  void fill(const Intent& intent, std::int64_t qty) {
    const bool all = qty == intent.requested.raw;
    told(intent, ExecutionKind::kFill, all ? OrderState::kFilled : OrderState::kPartial, Qty{qty},
         Qty{qty});
  }
  // A bid at 60,000.00 acknowledged by the venue.
  Intent resting_bid() {
    quote(1000, 6'000'000, 6'000'010);
    accept(output.intents.at(0));
    return output.intents.at(0);
  }
  // Position of one order_qty, and its offer acknowledged.
  Intent resting_ask() {
    const Intent bid = resting_bid();
    fill(bid, bid.requested.raw);
    for (const Intent& intent : output.intents) {
      if (intent.side == Side::kSell) {
        accept(intent);
        return intent;
      }
    }
    ADD_FAILURE() << "nothing was offered";
    return {};
  }
  // What was asked for from `first` on, on one side.
  std::vector<Intent> asked(Side side, std::size_t first = 0) const {
    std::vector<Intent> out;
    for (std::size_t i = first; i < output.intents.size(); ++i) {
      if (output.intents[i].side == side)
        out.push_back(output.intents[i]);
    }
    return out;
  }

  InstrumentTable table{1};
  QuoterOptions options{.order_qty = Qty{kOne / 10},
                        .max_position = Qty{kOne / 4},
                        .offset_centi_bps = 0,
                        .skew_centi_bps = 0,
                        .requote_centi_bps = 10,  // a tenth of a basis point: 0.60 at 60,000
                        .requote_every_ns = 100 * kMs,
                        .quote_age_max_ns = 500 * kMs,
                        .answer_within_ns = 600 * kMs,
                        .cooldown_ns = 50 * kMs};
  std::unique_ptr<Quoter> strategy;
  test::Recorder output;
  std::unique_ptr<StrategyHost> host;
  std::uint64_t n{0};
  std::int64_t last_ms{1001};
  std::int64_t event_age_ns{0};
};

TEST_F(QuoterTest, BidsFirstAtTheTouchAndOffersNothingItDoesNotHold) {
  quote(1000, 6'000'000, 6'000'010);
  ASSERT_EQ(output.intents.size(), 1u);
  EXPECT_EQ(output.intents[0].side, Side::kBuy);
  EXPECT_EQ(output.intents[0].type, OrderType::kLimit);
  EXPECT_EQ(output.intents[0].tif, TimeInForce::kGtc);
  EXPECT_EQ(output.intents[0].limit.raw, 6'000'000 * kCent);
  EXPECT_EQ(output.intents[0].requested, options.order_qty);
}

TEST_F(QuoterTest, EquitiesRestForTheDay) {
  build(AssetClass::kUsEquity);
  quote(1000, 6'000'000, 6'000'010);
  ASSERT_EQ(output.intents.size(), 1u);
  EXPECT_EQ(output.intents[0].tif, TimeInForce::kDay);
}

TEST_F(QuoterTest, OffersWhatAFillBroughtAndNoMore) {
  const Intent bid = resting_bid();
  fill(bid, kOne / 25);
  const std::vector<Intent> offers = asked(Side::kSell);
  ASSERT_EQ(offers.size(), 1u);
  EXPECT_EQ(offers[0].requested.raw, kOne / 25);
  EXPECT_EQ(offers[0].limit.raw, 6'000'010 * kCent);
}

TEST_F(QuoterTest, PricesAreNeverInsideTheTouch) {
  options.offset_centi_bps = 7;
  options.skew_centi_bps = 50;
  build();
  static_cast<void>(resting_ask());
  for (const Intent& intent : output.intents) {
    if (intent.side == Side::kBuy) {
      EXPECT_LE(intent.limit.raw, 6'000'000 * kCent);
    } else {
      EXPECT_GE(intent.limit.raw, 6'000'010 * kCent);
    }
  }
}

TEST_F(QuoterTest, OffsetKeepsADistanceFromTheTouch) {
  options.offset_centi_bps = 100;  // one basis point of 60,000 is 6
  build();
  quote(1000, 6'000'000, 6'000'010);
  ASSERT_EQ(output.intents.size(), 1u);
  EXPECT_EQ(output.intents[0].limit.raw, 5'999'400 * kCent);
}

TEST_F(QuoterTest, InventoryMovesTheBidDownInProportion) {
  options.skew_centi_bps = 500;  // five basis points at 0.25; 0.1 is held: two of them, 12.00
  build();
  static_cast<void>(resting_ask());
  last_ms = 1200;
  quote(1200, 6'000'000, 6'000'010);
  const std::vector<Intent> bids = asked(Side::kBuy, 1);
  ASSERT_EQ(bids.size(), 1u);
  EXPECT_EQ(bids[0].limit.raw, 5'998'800 * kCent);
}

TEST_F(QuoterTest, NeverBidsBeyondTheMaximumPosition) {
  std::size_t seen = 0;
  for (int i = 0; i < 10; ++i) {
    last_ms = 1000 + 200 * i;
    quote(last_ms, 6'000'000, 6'000'010);
    for (const Intent& bid : asked(Side::kBuy, seen)) {
      accept(bid);
      fill(bid, bid.requested.raw);
    }
    seen = output.intents.size();
    ASSERT_LE(host->position_of(0), options.max_position.raw);
  }
  std::int64_t bought = 0;
  for (const Intent& bid : asked(Side::kBuy))
    bought += bid.requested.raw;
  EXPECT_EQ(bought, options.max_position.raw);
}

TEST_F(QuoterTest, SmallMovesOfTheTouchLeaveTheOrderAlone) {
  static_cast<void>(resting_bid());
  quote(1200, 6'000'060, 6'000'070);  // 0.60: the tolerance to the cent
  EXPECT_EQ(output.intents.size(), 1u);
  quote(1201, 6'000'061, 6'000'071);
  EXPECT_EQ(output.intents.size(), 2u);
}

TEST_F(QuoterTest, LargerMoveReplacesThePriceAndKeepsTheChainsTotal) {
  const Intent bid = resting_bid();
  fill(bid, kOne / 25);
  quote(1200, 5'999'000, 5'999'010);
  const std::vector<Intent> bids = asked(Side::kBuy, 1);
  ASSERT_EQ(bids.size(), 1u);
  EXPECT_EQ(bids[0].kind, IntentKind::kReplace);
  EXPECT_EQ(bids[0].replaces, bid.id);
  EXPECT_EQ(bids[0].limit.raw, 5'999'000 * kCent);
  EXPECT_EQ(bids[0].requested, bid.requested);
}

TEST_F(QuoterTest, LessThanHalfLeftIsMadeWholeAgainByAReplaceWhereTheTotalIsWhole) {
  build_whole();
  const Intent bid = resting_bid();
  fill(bid, 6 * kOne);
  quote(1200, 5'999'000, 5'999'010);
  const std::vector<Intent> bids = asked(Side::kBuy, 1);
  ASSERT_EQ(bids.size(), 1u);
  EXPECT_EQ(bids[0].kind, IntentKind::kReplace);
  EXPECT_EQ(bids[0].requested.raw, 16 * kOne);
}

TEST_F(QuoterTest, LessThanHalfLeftOfAFractionIsCancelledAndPlacedAnew) {
  const Intent bid = resting_bid();
  fill(bid, kOne * 6 / 100);
  quote(1200, 5'999'000, 5'999'010);
  EXPECT_TRUE(asked(Side::kBuy, 1).empty());
  ASSERT_EQ(output.cancels.size(), 1u);
  EXPECT_EQ(output.cancels[0].order, bid.id);
  last_ms = 1201;
  told(bid, ExecutionKind::kCancelled, OrderState::kCancelled, {}, Qty{kOne * 6 / 100});
  const std::vector<Intent> bids = asked(Side::kBuy, 1);
  ASSERT_EQ(bids.size(), 1u);
  EXPECT_EQ(bids[0].kind, IntentKind::kNew);
  EXPECT_EQ(bids[0].requested, options.order_qty);
}

TEST_F(QuoterTest, FillFinerThanTheLotLeavesThePriceReplaceable) {
  const Intent bid = resting_bid();
  fill(bid, kOne / 25 + 1);
  quote(1200, 5'999'000, 5'999'010);
  const std::vector<Intent> bids = asked(Side::kBuy, 1);
  ASSERT_EQ(bids.size(), 1u);
  EXPECT_EQ(bids[0].requested, bid.requested);
}

TEST_F(QuoterTest, OfferLargerThanWhatIsHeldEndsAlsoAfterAFillFinerThanTheLot) {
  const Intent ask = resting_ask();
  fill(ask, kOne / 25 + 1);
  base_fee(kOne / 1000);
  ASSERT_EQ(output.cancels.size(), 1u);
  EXPECT_EQ(output.cancels[0].order, ask.id);
}

TEST_F(QuoterTest, OfferWhoseNewTotalIsNotWholeAfterAFillFinerThanTheLotEnds) {
  build_whole();
  const Intent ask = resting_ask();
  fill(ask, 2 * kOne - 1);
  base_fee(1 * kOne);
  const Intent& last = output.intents.back();
  // Held: 7 and 1e-9. The lot below is 7, on top of what was filled 8.99999, which is not whole.
  EXPECT_NE(last.kind, IntentKind::kReplace);
  ASSERT_EQ(output.cancels.size(), 1u);
  EXPECT_EQ(output.cancels[0].order, ask.id);
}

TEST_F(QuoterTest, ReplaceThatCannotBeAskedForEndsTheOrder) {
  event_age_ns = 100 * kMs;
  build();
  const Intent bid = resting_bid();
  host->on_market(quote_at({1200 * kMs}, 5'999'000, 5'999'010), {1350 * kMs});
  EXPECT_EQ(output.intents.size(), 1u);
  ASSERT_EQ(output.cancels.size(), 1u);
  EXPECT_EQ(output.cancels[0].order, bid.id);
}

TEST_F(QuoterTest, ReplaceWithoutAnAnswerInTimeEndsTheOrder) {
  const Intent bid = resting_bid();
  quote(1200, 5'999'000, 5'999'010);
  quote(1800, 5'999'000, 5'999'010);
  EXPECT_TRUE(output.cancels.empty());
  quote(1801, 5'999'000, 5'999'010);
  ASSERT_EQ(output.cancels.size(), 1u);
  EXPECT_EQ(output.cancels[0].order, bid.id);
  EXPECT_EQ(output.intents.size(), 2u);
}

TEST_F(QuoterTest, ReplaceOfUnknownOutcomeEndsTheOrderAtOnce) {
  const Intent bid = resting_bid();
  quote(1200, 5'999'000, 5'999'010);
  last_ms = 1201;
  told(output.intents[1], ExecutionKind::kUnknown, OrderState::kSubmitting);
  ASSERT_EQ(output.cancels.size(), 1u);
  EXPECT_EQ(output.cancels[0].order, bid.id);
}

TEST_F(QuoterTest, OrderWithoutAnAnswerInTimeOrOfUnknownOutcomeEnds) {
  quote(1000, 6'000'000, 6'000'010);
  quote(1601, 6'000'000, 6'000'010);
  EXPECT_EQ(output.cancels.size(), 1u);
  output = {};
  build();
  quote(2000, 6'000'000, 6'000'010);
  last_ms = 2001;
  told(output.intents.at(0), ExecutionKind::kUnknown, OrderState::kSubmitting);
  EXPECT_EQ(output.cancels.size(), 1u);
}

TEST_F(QuoterTest, RequotesAreRateLimitedPerSide) {
  static_cast<void>(resting_bid());
  quote(1099, 5'999'000, 5'999'010);
  EXPECT_EQ(output.intents.size(), 1u);
  quote(1100, 5'999'000, 5'999'010);
  EXPECT_EQ(output.intents.size(), 2u);
}

TEST_F(QuoterTest, OneReplaceIsInFlightAtATime) {
  static_cast<void>(resting_bid());
  quote(1200, 5'999'000, 5'999'010);
  quote(1400, 5'998'000, 5'998'010);
  ASSERT_EQ(output.intents.size(), 2u);
  told(output.intents[0], ExecutionKind::kReplaced, OrderState::kReplaced);
  accept(output.intents[1]);
  last_ms = 1401;
  host->on_time({1401 * kMs});
  ASSERT_EQ(output.intents.size(), 3u);
  EXPECT_EQ(output.intents[2].replaces, output.intents[1].id);
  EXPECT_EQ(output.intents[2].limit.raw, 5'998'000 * kCent);
}

TEST_F(QuoterTest, OrderTheVenueHasNotAcknowledgedIsNotReplaced) {
  quote(1000, 6'000'000, 6'000'010);
  quote(1200, 5'999'000, 5'999'010);
  EXPECT_EQ(output.intents.size(), 1u);
}

TEST_F(QuoterTest, RefusedReplaceEndsTheOrderAndANewOneFollows) {
  const Intent bid = resting_bid();
  quote(1200, 5'999'000, 5'999'010);
  told(output.intents[1], ExecutionKind::kReplaceRejected, OrderState::kRejected);
  ASSERT_EQ(output.cancels.size(), 1u);
  EXPECT_EQ(output.cancels[0].order, bid.id);
  EXPECT_EQ(output.intents.size(), 2u);
  told(bid, ExecutionKind::kCancelled, OrderState::kCancelled);
  last_ms = 1300;
  quote(1300, 5'999'000, 5'999'010);
  ASSERT_EQ(output.intents.size(), 3u);
  EXPECT_EQ(output.intents[2].kind, IntentKind::kNew);
  EXPECT_EQ(output.intents[2].limit.raw, 5'999'000 * kCent);
}

TEST_F(QuoterTest, RiskRefusingAReplaceEndsTheOrderToo) {
  const Intent bid = resting_bid();
  quote(1200, 5'999'000, 5'999'010);
  Verdict verdict;
  verdict.intent = output.intents[1].id;
  verdict.decision = Decision::kRefused;
  host->on_verdict(verdict, {1201 * kMs});
  ASSERT_EQ(output.cancels.size(), 1u);
  EXPECT_EQ(output.cancels[0].order, bid.id);
}

TEST_F(QuoterTest, FillThatEndsTheOldOrderDuringAReplaceLeavesNoSecondOrder) {
  const Intent bid = resting_bid();
  quote(1200, 5'999'000, 5'999'010);
  fill(bid, bid.requested.raw);
  last_ms = 1400;
  quote(1400, 5'999'000, 5'999'010);
  EXPECT_EQ(asked(Side::kBuy).size(), 2u);  // the successor is not resolved
  told(output.intents[1], ExecutionKind::kReplaceRejected, OrderState::kRejected);
  quote(1600, 5'999'000, 5'999'010);
  const std::vector<Intent> bids = asked(Side::kBuy);
  ASSERT_EQ(bids.size(), 3u);
  EXPECT_EQ(bids[2].kind, IntentKind::kNew);
}

TEST_F(QuoterTest, OfferIsCutDownAtOnceWhenLessIsHeld) {
  build_whole();
  const Intent ask = resting_ask();
  base_fee(kOne);
  const Intent& last = output.intents.back();
  EXPECT_EQ(last.kind, IntentKind::kReplace);
  EXPECT_EQ(last.replaces, ask.id);
  EXPECT_EQ(last.requested.raw, 9 * kOne);
}

TEST_F(QuoterTest, OfferOfAFractionIsCancelledAtOnceWhenLessIsHeldAndASmallerOneFollows) {
  const Intent ask = resting_ask();
  base_fee(kOne / 1000);
  ASSERT_EQ(output.cancels.size(), 1u);
  EXPECT_EQ(output.cancels[0].order, ask.id);
  last_ms = 1200;
  quote(1200, 6'000'000, 6'000'010);
  told(ask, ExecutionKind::kCancelled, OrderState::kCancelled);
  const Intent& last = output.intents.back();
  EXPECT_EQ(last.kind, IntentKind::kNew);
  EXPECT_EQ(last.side, Side::kSell);
  EXPECT_EQ(last.requested.raw, kOne / 10 - kOne / 1000);
}

TEST_F(QuoterTest, StaleQuoteCancelsWithoutAnyEvent) {
  const Intent bid = resting_bid();
  host->on_time({1500 * kMs});
  EXPECT_TRUE(output.cancels.empty());
  host->on_time({1501 * kMs});
  ASSERT_EQ(output.cancels.size(), 1u);
  EXPECT_EQ(output.cancels[0].order, bid.id);
}

TEST_F(QuoterTest, OneSidedAndCrossedQuotesCancel) {
  static_cast<void>(resting_bid());
  quote(1001, 6'000'000, 0);
  EXPECT_EQ(output.cancels.size(), 1u);
  output = {};
  build();
  static_cast<void>(resting_bid());
  quote(1001, 6'000'010, 6'000'000);
  EXPECT_EQ(output.cancels.size(), 1u);
  EXPECT_EQ(output.intents.size(), 1u);
}

TEST_F(QuoterTest, HaltCancelsAndOnlyAResumeQuotesAgain) {
  const Intent bid = resting_bid();
  status(1005, TradingStatus::kInformation);
  EXPECT_TRUE(output.cancels.empty());
  status(1010, TradingStatus::kHalted);
  ASSERT_EQ(output.cancels.size(), 1u);
  told(bid, ExecutionKind::kCancelled, OrderState::kCancelled);
  quote(1200, 6'000'000, 6'000'010);
  status(1201, TradingStatus::kInformation);
  EXPECT_EQ(output.intents.size(), 1u);
  status(1202, TradingStatus::kTrading);
  EXPECT_EQ(output.intents.size(), 2u);
}

TEST_F(QuoterTest, UnknownStatusIsTakenForAHalt) {
  static_cast<void>(resting_bid());
  status(1010, TradingStatus::kUnknown);
  EXPECT_EQ(output.cancels.size(), 1u);
}

TEST_F(QuoterTest, StatusToldAgainAfterAGapEndsOrBeginsAHalt) {
  status(900, TradingStatus::kHalted);
  quote(1000, 6'000'000, 6'000'010);
  EXPECT_TRUE(output.intents.empty());
  status_again(1001, TradingStatus::kTrading);  // the resumption itself was lost
  quote(1002, 6'000'000, 6'000'010);
  ASSERT_EQ(output.intents.size(), 1u);
  accept(output.intents[0]);
  status_again(1003, TradingStatus::kHalted);
  EXPECT_EQ(output.cancels.size(), 1u);
  last_ms = 1004;
  told(output.intents[0], ExecutionKind::kCancelled, OrderState::kCancelled);
  quote(1200, 6'000'000, 6'000'010);
  EXPECT_EQ(output.intents.size(), 1u);
}

TEST_F(QuoterTest, FeedThatBeganAnewTakesQuotesAndHaltsWithIt) {
  const Intent bid = resting_bid();
  host->on_market(test::feed_session_at({1010 * kMs}), {1010 * kMs});
  ASSERT_EQ(output.cancels.size(), 1u);
  EXPECT_EQ(output.cancels[0].order, bid.id);
  told(bid, ExecutionKind::kCancelled, OrderState::kCancelled);
  status(1020, TradingStatus::kHalted);
  quote(1200, 6'000'000, 6'000'010);
  EXPECT_EQ(output.intents.size(), 1u);
  host->on_market(test::feed_session_at({1210 * kMs}), {1210 * kMs});
  EXPECT_EQ(output.intents.size(), 1u);
  quote(1211, 6'000'000, 6'000'010);
  EXPECT_EQ(output.intents.size(), 2u);
}

TEST_F(QuoterTest, GapBeforeAnythingButAQuoteCancelsUntilTheNextQuote) {
  static_cast<void>(resting_bid());
  MarketEvent trade;
  trade.flags = kAfterGap;
  trade.receive_ns = {1010 * kMs};
  trade.set_body(MarketKind::kTrade,
                 Trade{.px = Price{kOne}, .qty = Qty{kOne}, .trade_id = 1, .conditions = 0});
  host->on_market(trade, {1010 * kMs});
  EXPECT_EQ(output.cancels.size(), 1u);
}

TEST_F(QuoterTest, BidWaitsWhileItWouldMeetTheOwnOffer) {
  const Intent ask = resting_ask();  // at 60,000.10
  last_ms = 1200;
  quote(1200, 6'000'500, 6'000'510);
  const std::vector<Intent> bids = asked(Side::kBuy, 1);
  EXPECT_TRUE(bids.empty());
  const Intent moved = output.intents.back();
  ASSERT_EQ(moved.replaces, ask.id);
  told(ask, ExecutionKind::kReplaced, OrderState::kReplaced);
  accept(moved);
  ASSERT_FALSE(asked(Side::kBuy, 1).empty());
  EXPECT_EQ(asked(Side::kBuy, 1).back().limit.raw, 6'000'500 * kCent);
}

TEST_F(QuoterTest, WindDownCancelsThenSellsDownToDust) {
  const Intent ask = resting_ask();
  host->on_command(Command{.verb = Verb::kWindDown}, {1010 * kMs});
  ASSERT_FALSE(output.cancels.empty());
  EXPECT_EQ(output.cancels.back().order, ask.id);
  const std::size_t before = output.intents.size();
  host->on_time({1020 * kMs});
  EXPECT_EQ(output.intents.size(), before);  // the offer's end is awaited
  last_ms = 1030;
  told(ask, ExecutionKind::kCancelled, OrderState::kCancelled);
  ASSERT_EQ(output.intents.size(), before + 1);
  const Intent sale = output.intents.back();
  EXPECT_EQ(sale.type, OrderType::kMarket);
  EXPECT_EQ(sale.tif, TimeInForce::kIoc);
  EXPECT_EQ(sale.requested.raw, kOne / 10);
  last_ms = 1031;
  // All but less than the smallest order.
  fill(sale, kOne / 10 - kOne / 20'000);
  told(sale, ExecutionKind::kCancelled, OrderState::kCancelled, {}, Qty{kOne / 10 - kOne / 20'000});
  quote(1200, 6'000'000, 6'000'010);
  EXPECT_EQ(output.intents.size(), before + 1);
}

// At market the gate would value it at its collar, below the smallest order.
TEST_F(QuoterTest, WindDownSellsWhatIsBarelyAnOrderAtTheBid) {
  const Intent ask = resting_ask();
  host->on_command(Command{.verb = Verb::kWindDown}, {1010 * kMs});
  last_ms = 1030;
  told(ask, ExecutionKind::kCancelled, OrderState::kCancelled);
  const Intent sale = output.intents.back();
  ASSERT_EQ(sale.type, OrderType::kMarket);
  last_ms = 1031;
  const std::int64_t left = kOne / 5'000;  // 12 of at least 10 dollars
  fill(sale, kOne / 10 - left);
  told(sale, ExecutionKind::kCancelled, OrderState::kCancelled, {}, Qty{kOne / 10 - left});
  const std::size_t before = output.intents.size();
  quote(1500, 6'000'000, 6'000'010);
  ASSERT_EQ(output.intents.size(), before + 1);
  const Intent last = output.intents.back();
  EXPECT_EQ(last.requested.raw, left);
  EXPECT_EQ(last.type, OrderType::kLimit);
  EXPECT_EQ(last.tif, TimeInForce::kIoc);
  EXPECT_EQ(last.limit.raw, 6'000'000 * kCent);
}

TEST_F(QuoterTest, NoCreditIsTriedAgainAndLeavesNoOrderBehind) {
  output.credit = 0;
  quote(1000, 6'000'000, 6'000'010);
  EXPECT_EQ(host->open_order_count(), 0u);
  output.credit = 10;
  quote(1001, 6'000'000, 6'000'010);
  EXPECT_EQ(output.intents.size(), 1u);
}

TEST_F(QuoterTest, OrdersOfADeadGatewayAreForgotten) {
  constexpr std::uint64_t kFirst = std::uint64_t{1} << kEventIncarnationShift;
  n = kFirst;
  static_cast<void>(resting_bid());
  Execution session;
  session.kind = ExecutionKind::kSession;
  session.n = 2 * kFirst;
  host->on_execution(session, {1100 * kMs});
  quote(1200, 6'000'000, 6'000'010);
  EXPECT_EQ(output.intents.size(), 2u);
}

}  // namespace
}  // namespace sluice
