#include "common/strategy/momentum.hpp"

#include <gtest/gtest.h>

#include "tests/strategy/fixture.hpp"

namespace sluice {
namespace {

using test::execution_of;
using test::kMs;
using test::kOne;
using test::quote_at;

class MomentumTest : public testing::Test {
 protected:
  void quote(std::int64_t at_ms, std::int64_t bid_cents, std::int64_t ask_cents) {
    host.on_market(quote_at({at_ms * kMs}, bid_cents, ask_cents), {at_ms * kMs});
  }
  // A flat market long enough that the look-back is filled.
  void warm_up() {
    for (std::int64_t t = 1; t <= 200; t += 10)
      quote(1000 + t, 6'000'000, 6'000'010);
  }
  void fill(const Intent& intent) {
    host.on_execution(execution_of(intent, ExecutionKind::kFill, OrderState::kFilled,
                                   intent.requested, intent.requested),
                      {1'300 * kMs});
  }

  static HostOptions host_options() {
    return {.strategy = 0,
            .incarnation = 1,
            .account = 0,
            .venue = 0,
            .feed = 0,
            .instruments = {0},
            .intent_deadline_ns = 500 * kMs,
            .max_event_age_ns = 0};
  }

  InstrumentTable table = test::one_instrument();
  MomentumOptions options{.order_qty = Qty{kOne / 10},
                          .max_position = Qty{kOne / 4},
                          .signal_centi_bps = 100,  // one basis point
                          .lookback_ns = 80 * kMs,
                          .cooldown_ns = 50 * kMs,
                          .rest_every_ns = 0,
                          .rest_for_ns = 100 * kMs,
                          .rest_offset_centi_bps = 0,
                          .take_through_centi_bps = 100};
  Momentum strategy{options, 1};
  test::Recorder output;
  StrategyHost host{host_options(), table, strategy, output};
};

TEST_F(MomentumTest, FlatMarketRaisesNoIntent) {
  warm_up();
  EXPECT_TRUE(output.intents.empty());
}

TEST_F(MomentumTest, RiseOfTheMidTakesThroughTheAskOnTick) {
  warm_up();
  quote(1210, 6'001'000, 6'001'010);
  ASSERT_EQ(output.intents.size(), 1u);
  const Intent& intent = output.intents[0];
  EXPECT_EQ(intent.side, Side::kBuy);
  EXPECT_EQ(intent.tif, TimeInForce::kIoc);
  EXPECT_EQ(intent.requested.raw, kOne / 10);
  // 60010.10 through by one basis point is 60016.101…, rounded down to the tick.
  EXPECT_EQ(intent.limit.raw, 60'016'100'000'000);
}

TEST_F(MomentumTest, CooldownSeparatesTwoTakes) {
  warm_up();
  quote(1210, 6'001'000, 6'001'010);
  quote(1211, 6'002'000, 6'002'010);
  EXPECT_EQ(output.intents.size(), 1u);
}

TEST_F(MomentumTest, FallWithoutAPositionSellsNothing) {
  warm_up();
  quote(1210, 5'990'000, 5'990'010);
  EXPECT_TRUE(output.intents.empty());
}

TEST_F(MomentumTest, NeverBuysBeyondTheMaximumPosition) {
  warm_up();
  // A steady rise: a signal at nearly every quote, an order at most every cooldown.
  for (std::int64_t t = 0; t < 60; ++t) {
    quote(1210 + 10 * t, 6'001'000 + 100 * t, 6'001'010 + 100 * t);
  }
  std::int64_t bought = 0;
  for (const Intent& intent : output.intents)
    bought += intent.requested.raw;
  EXPECT_EQ(bought, options.max_position.raw);
}

TEST_F(MomentumTest, OneSidedAndCrossedQuotesRaiseNothing) {
  warm_up();
  quote(1210, 6'002'000, 0);
  quote(1211, 6'002'000, 6'001'990);
  EXPECT_TRUE(output.intents.empty());
}

TEST_F(MomentumTest, WindDownSellsWhatIsHeldAndBuysNothingMore) {
  warm_up();
  quote(1210, 6'001'000, 6'001'010);
  fill(output.intents[0]);
  host.on_command(Command{.verb = Verb::kWindDown}, {1'310 * kMs});
  ASSERT_EQ(output.intents.size(), 2u);
  EXPECT_EQ(output.intents[1].side, Side::kSell);
  EXPECT_EQ(output.intents[1].requested.raw, kOne / 10);
  fill(output.intents[1]);
  quote(1400, 6'009'000, 6'009'010);
  EXPECT_EQ(output.intents.size(), 2u);
  EXPECT_EQ(host.position_of(0), 0);
}

TEST_F(MomentumTest, RestingBidIsPlacedAndCancelledAfterItsTime) {
  options.rest_every_ns = 40 * kMs;
  Momentum resting(options, 1);
  StrategyHost own(host_options(), table, resting, output);
  own.on_market(quote_at({1000 * kMs}, 6'000'000, 6'000'010), {1000 * kMs});
  ASSERT_EQ(output.intents.size(), 1u);
  EXPECT_EQ(output.intents[0].tif, TimeInForce::kGtc);
  EXPECT_EQ(output.intents[0].limit.raw, 60'000 * kOne);
  own.on_time({1099 * kMs});
  EXPECT_TRUE(output.cancels.empty());
  own.on_time({1100 * kMs});
  ASSERT_EQ(output.cancels.size(), 1u);
  EXPECT_EQ(output.cancels[0].order, output.intents[0].id);
}

TEST_F(MomentumTest, BidThatRestsIsCancelledBeforeASaleAndTheSaleFollowsItsEnd) {
  warm_up();
  quote(1210, 6'001'000, 6'001'010);
  fill(output.intents[0]);
  options.rest_every_ns = kMs;
  options.rest_for_ns = 10'000 * kMs;
  Momentum both(options, 1);
  StrategyHost own(host_options(), table, both, output);
  own.adopt_position(0, kOne / 10, 0);
  output.intents.clear();
  for (std::int64_t t = 1; t <= 200; t += 10)
    own.on_market(quote_at({(2000 + t) * kMs}, 6'000'000, 6'000'010), {(2000 + t) * kMs});
  ASSERT_EQ(output.intents.size(), 1u);
  const Intent bid = output.intents[0];
  own.on_market(quote_at({2210 * kMs}, 5'990'000, 5'990'010), {2210 * kMs});
  ASSERT_EQ(output.cancels.size(), 1u);
  EXPECT_EQ(output.cancels[0].order, bid.id);
  EXPECT_EQ(output.intents.size(), 1u);
  own.on_execution(execution_of(bid, ExecutionKind::kCancelled, OrderState::kCancelled, {}, {}),
                   {2220 * kMs});
  ASSERT_EQ(output.intents.size(), 2u);
  EXPECT_EQ(output.intents[1].side, Side::kSell);
  own.on_time({2230 * kMs});
  EXPECT_EQ(output.intents.size(), 2u);  // no bid rests while the sale works
}

TEST_F(MomentumTest, SaleThatWaitedLongerThanTheLookBackIsGivenUp) {
  options.rest_every_ns = kMs;
  options.rest_for_ns = 10'000 * kMs;
  Momentum both(options, 1);
  StrategyHost own(host_options(), table, both, output);
  own.adopt_position(0, kOne / 10, 0);
  for (std::int64_t t = 1; t <= 200; t += 10)
    own.on_market(quote_at({(2000 + t) * kMs}, 6'000'000, 6'000'010), {(2000 + t) * kMs});
  own.on_market(quote_at({2210 * kMs}, 5'990'000, 5'990'010), {2210 * kMs});
  ASSERT_EQ(output.cancels.size(), 1u);
  own.on_execution(
      execution_of(output.intents[0], ExecutionKind::kCancelled, OrderState::kCancelled, {}, {}),
      {2291 * kMs});
  for (std::size_t i = 1; i < output.intents.size(); ++i)
    EXPECT_EQ(output.intents[i].side, Side::kBuy);
}

TEST_F(MomentumTest, HaltCancelsWhatRestsAndRaisesNothing) {
  options.rest_every_ns = 40 * kMs;
  Momentum resting(options, 1);
  StrategyHost own(host_options(), table, resting, output);
  own.on_market(quote_at({1000 * kMs}, 6'000'000, 6'000'010), {1000 * kMs});
  ASSERT_EQ(output.intents.size(), 1u);
  MarketEvent halt;
  halt.receive_ns = {1001 * kMs};
  halt.set_body(
      MarketKind::kStatus,
      StatusMark{.status = TradingStatus::kHalted, .code = 0, .reason = 0, .reserved = 0});
  own.on_market(halt, {1001 * kMs});
  own.on_time({1002 * kMs});
  EXPECT_EQ(output.cancels.size(), 1u);
  own.on_execution(
      execution_of(output.intents[0], ExecutionKind::kCancelled, OrderState::kCancelled, {}, {}),
      {1003 * kMs});
  own.on_market(quote_at({1100 * kMs}, 6'000'000, 6'000'010), {1100 * kMs});
  EXPECT_EQ(output.intents.size(), 1u);
}

TEST_F(MomentumTest, StatusToldAgainAfterAGapEndsOrBeginsAHalt) {
  options.rest_every_ns = 40 * kMs;
  Momentum resting(options, 1);
  StrategyHost own(host_options(), table, resting, output);
  own.on_market(test::status_at({900 * kMs}, TradingStatus::kHalted), {900 * kMs});
  own.on_market(quote_at({1000 * kMs}, 6'000'000, 6'000'010), {1000 * kMs});
  EXPECT_TRUE(output.intents.empty());
  constexpr int kAgain = kAfterGap | kSnapshot;
  own.on_market(test::status_at({950 * kMs}, TradingStatus::kTrading, kAgain), {1001 * kMs});
  own.on_time({1001 * kMs});
  EXPECT_TRUE(output.intents.empty());  // the quote of before the gap counts no more
  own.on_market(quote_at({1002 * kMs}, 6'000'000, 6'000'010), {1002 * kMs});
  ASSERT_EQ(output.intents.size(), 1u);
  own.on_market(test::status_at({1003 * kMs}, TradingStatus::kHalted, kAgain), {1010 * kMs});
  own.on_time({1011 * kMs});
  EXPECT_EQ(output.cancels.size(), 1u);
}

TEST_F(MomentumTest, FeedThatBeganAnewTakesQuotesAndHaltsWithIt) {
  options.rest_every_ns = 40 * kMs;
  Momentum resting(options, 1);
  StrategyHost own(host_options(), table, resting, output);
  own.on_market(test::status_at({900 * kMs}, TradingStatus::kHalted), {900 * kMs});
  own.on_market(quote_at({1000 * kMs}, 6'000'000, 6'000'010), {1000 * kMs});
  own.on_market(test::feed_session_at({1001 * kMs}), {1001 * kMs});
  own.on_time({1002 * kMs});
  EXPECT_TRUE(output.intents.empty());
  own.on_market(quote_at({1003 * kMs}, 6'000'000, 6'000'010), {1003 * kMs});
  EXPECT_EQ(output.intents.size(), 1u);
}

TEST_F(MomentumTest, EquityBidsRestForTheDay) {
  options.rest_every_ns = 40 * kMs;
  const InstrumentTable stocks = test::one_instrument(AssetClass::kUsEquity);
  Momentum resting(options, 1);
  StrategyHost own(host_options(), stocks, resting, output);
  own.on_market(quote_at({1000 * kMs}, 6'000'000, 6'000'010), {1000 * kMs});
  ASSERT_EQ(output.intents.size(), 1u);
  EXPECT_EQ(output.intents[0].tif, TimeInForce::kDay);
}

}  // namespace
}  // namespace sluice
