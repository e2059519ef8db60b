// Tick validation: which quotes and trades a decision may rest on.
#include "common/market/ticks.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace sluice {
namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

Quote quote(std::int64_t bid, std::int64_t ask) {
  return Quote{Price{bid}, Qty{10}, Price{ask}, Qty{20}};
}
Trade trade(std::int64_t px) {
  return Trade{Price{px}, Qty{1}, 1, 0};
}

TEST(Ticks, FirstSaneQuoteIsAccepted) {
  TickState state;
  EXPECT_EQ(TickVerdict::kOk, check_quote({}, state, quote(100, 102)));
  EXPECT_EQ(Price{101}, state.reference);
}

TEST(Ticks, AbsentSideIsOneSided) {
  TickState state;
  Quote q = quote(0, 102);
  EXPECT_EQ(TickVerdict::kOneSided, check_quote({}, state, q));
  q = quote(100, 102);
  q.ask_qty = Qty{0};
  EXPECT_EQ(TickVerdict::kOneSided, check_quote({}, state, q));
}

TEST(Ticks, LockedAndCrossedQuotesAreCrossed) {
  TickState state;
  EXPECT_EQ(TickVerdict::kCrossed, check_quote({}, state, quote(100, 100)));
  EXPECT_EQ(TickVerdict::kCrossed, check_quote({}, state, quote(101, 100)));
}

TEST(Ticks, NegativeNumbersAreOutOfRangeAndNotAnAbsentSide) {
  TickState state;
  EXPECT_EQ(TickVerdict::kOutOfRange, check_quote({}, state, quote(-1, 100)));
  Quote q = quote(100, 102);
  q.bid_qty = Qty{-1};
  EXPECT_EQ(TickVerdict::kOutOfRange, check_quote({}, state, q));
  EXPECT_EQ(TickVerdict::kOutOfRange, check_trade({}, state, trade(0)));
  EXPECT_EQ(TickVerdict::kOutOfRange, check_trade({}, state, trade(-5)));
}

TEST(Ticks, LimitsBoundPricesAndSizes) {
  const TickLimits limits{.px_min = Price{50}, .px_max = Price{150}, .qty_max = Qty{20}};
  TickState state;
  EXPECT_EQ(TickVerdict::kOk, check_quote(limits, state, quote(50, 150)));
  EXPECT_EQ(TickVerdict::kOutOfRange, check_quote(limits, state, quote(49, 150)));
  EXPECT_EQ(TickVerdict::kOutOfRange, check_quote(limits, state, quote(50, 151)));
  Quote q = quote(100, 102);
  q.bid_qty = Qty{21};
  EXPECT_EQ(TickVerdict::kOutOfRange, check_quote(limits, state, q));
}

TEST(Ticks, SpreadIsBoundedInBasisPointsOfTheMid) {
  const TickLimits limits{.spread_bps_max = 100};
  TickState state;
  EXPECT_EQ(TickVerdict::kOk, check_quote(limits, state, quote(9'950, 10'050)));
  EXPECT_EQ(TickVerdict::kWide, check_quote(limits, state, quote(9'949, 10'050)));
}

TEST(Ticks, MoveOfExactlyTheLimitIsAcceptedAndOneMoreIsAJump) {
  const TickLimits limits{.jump_bps = 100, .confirm_count = 3};
  TickState state;
  ASSERT_EQ(TickVerdict::kOk, check_trade(limits, state, trade(10'000)));
  EXPECT_EQ(TickVerdict::kJump, check_trade(limits, state, trade(10'101)));
  EXPECT_EQ(TickVerdict::kJump, check_trade(limits, state, trade(9'899)));
  EXPECT_EQ(TickVerdict::kOk, check_trade(limits, state, trade(10'100)));
}

TEST(Ticks, OneBadPrintDoesNotBecomeTheReference) {
  const TickLimits limits{.jump_bps = 100, .confirm_count = 3};
  TickState state;
  ASSERT_EQ(TickVerdict::kOk, check_trade(limits, state, trade(10'000)));
  EXPECT_EQ(TickVerdict::kJump, check_trade(limits, state, trade(1)));
  EXPECT_EQ(TickVerdict::kOk, check_trade(limits, state, trade(10'001)));
  EXPECT_EQ(Price{10'001}, state.reference);
}

TEST(Ticks, NewLevelIsAcceptedWhenEnoughTicksAgree) {
  const TickLimits limits{.jump_bps = 100, .confirm_count = 3};
  TickState state;
  ASSERT_EQ(TickVerdict::kOk, check_trade(limits, state, trade(10'000)));
  EXPECT_EQ(TickVerdict::kJump, check_trade(limits, state, trade(20'000)));
  EXPECT_EQ(TickVerdict::kJump, check_trade(limits, state, trade(20'010)));
  EXPECT_EQ(TickVerdict::kOk, check_trade(limits, state, trade(20'020)));
  EXPECT_EQ(Price{20'020}, state.reference);
}

TEST(Ticks, SuspectsThatDisagreeStartOver) {
  const TickLimits limits{.jump_bps = 100, .confirm_count = 2};
  TickState state;
  ASSERT_EQ(TickVerdict::kOk, check_trade(limits, state, trade(10'000)));
  EXPECT_EQ(TickVerdict::kJump, check_trade(limits, state, trade(20'000)));
  EXPECT_EQ(TickVerdict::kJump, check_trade(limits, state, trade(40'000)));
  EXPECT_EQ(TickVerdict::kJump, check_trade(limits, state, trade(20'000)));
  EXPECT_EQ(TickVerdict::kOk, check_trade(limits, state, trade(20'000)));
}

TEST(Ticks, CrossedQuoteLeavesTheReferenceAlone) {
  TickState state;
  ASSERT_EQ(TickVerdict::kOk, check_quote({}, state, quote(100, 102)));
  EXPECT_EQ(TickVerdict::kCrossed, check_quote({}, state, quote(500, 400)));
  EXPECT_EQ(Price{101}, state.reference);
}

TEST(Ticks, ExtremePricesDoNotOverflow) {
  const TickLimits limits{.spread_bps_max = 20'000, .jump_bps = 4'000'000'000U};
  TickState state;
  EXPECT_EQ(TickVerdict::kOk, check_quote(limits, state, quote(kMax - 2, kMax)));
  EXPECT_EQ(TickVerdict::kOk, check_trade(limits, state, trade(1)));
  EXPECT_EQ(TickVerdict::kJump, check_trade(limits, state, trade(kMax)));
}

}  // namespace
}  // namespace sluice
