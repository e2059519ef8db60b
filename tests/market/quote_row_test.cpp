#include "common/market/quote_row.hpp"

#include <gtest/gtest.h>

namespace sluice {
namespace {

constexpr TickLimits kLimits{.jump_bps = 1000, .confirm_count = 3};

class QuoteRowTest : public testing::Test {
 protected:
  RowChange quote(std::int64_t bid, std::int64_t ask) {
    MarketEvent event;
    event.receive_ns = {++now};
    event.set_body(MarketKind::kQuote, Quote{.bid_px = Price{bid * kScale},
                                             .bid_qty = Qty{kScale},
                                             .ask_px = Price{ask * kScale},
                                             .ask_qty = Qty{kScale}});
    return apply_to_row(kLimits, event, ticks, row);
  }
  RowChange status(TradingStatus what) {
    MarketEvent event;
    event.receive_ns = {++now};
    event.set_body(MarketKind::kStatus,
                   StatusMark{.status = what, .code = 'H', .reason = 0, .reserved = 0});
    return apply_to_row(kLimits, event, ticks, row);
  }
  [[nodiscard]] bool halted() const { return (row.flags & kQuoteHalted) != 0; }

  QuoteRow row;
  TickState ticks;
  std::int64_t now{0};
};

TEST_F(QuoteRowTest, QuoteIsTakenOverWithItsTime) {
  EXPECT_EQ(quote(100, 101), RowChange::kChanged);
  EXPECT_EQ(row.quote.bid_px.raw, 100 * kScale);
  EXPECT_EQ(row.receive_ns.ns, 1);
  EXPECT_EQ(row.flags, 0);
}

TEST_F(QuoteRowTest, JumpIsSuspectUntilConfirmed) {
  static_cast<void>(quote(100, 101));
  EXPECT_EQ(quote(200, 201), RowChange::kSuspect);
  EXPECT_EQ(row.flags, kQuoteSuspect);
  static_cast<void>(quote(200, 201));
  EXPECT_EQ(quote(200, 201), RowChange::kChanged);
  EXPECT_EQ(row.flags, 0);
}

TEST_F(QuoteRowTest, HaltOutlivesQuotesAndLostConnectionsUntilAResume) {
  EXPECT_EQ(status(TradingStatus::kHalted), RowChange::kChanged);
  static_cast<void>(quote(100, 101));
  EXPECT_TRUE(halted());
  row.flags |= kFeedDown;
  static_cast<void>(quote(100, 101));
  EXPECT_EQ(row.flags, kQuoteHalted);
  EXPECT_EQ(status(TradingStatus::kTrading), RowChange::kChanged);
  EXPECT_FALSE(halted());
}

TEST_F(QuoteRowTest, UnknownStatusHalts) {
  static_cast<void>(status(TradingStatus::kUnknown));
  EXPECT_TRUE(halted());
}

TEST_F(QuoteRowTest, InformationNeitherStartsNorEndsAHalt) {
  EXPECT_EQ(status(TradingStatus::kInformation), RowChange::kNone);
  EXPECT_FALSE(halted());
  static_cast<void>(status(TradingStatus::kHalted));
  EXPECT_EQ(status(TradingStatus::kInformation), RowChange::kNone);
  EXPECT_TRUE(halted());
}

TEST_F(QuoteRowTest, ResumeDoesNotMakeAPriceOfALostConnection) {
  static_cast<void>(quote(100, 101));
  row.flags |= kFeedDown;
  static_cast<void>(status(TradingStatus::kTrading));
  EXPECT_EQ(row.flags, kFeedDown);
}

TEST_F(QuoteRowTest, TradeChangesTheLastPriceOnly) {
  MarketEvent event;
  event.receive_ns = {7};
  event.set_body(MarketKind::kTrade,
                 Trade{.px = Price{5}, .qty = Qty{6}, .trade_id = 1, .conditions = 0});
  EXPECT_EQ(apply_to_row(kLimits, event, ticks, row), RowChange::kChanged);
  EXPECT_EQ(row.last_px.raw, 5);
  EXPECT_EQ(row.trade_receive_ns.ns, 7);
  EXPECT_EQ(row.receive_ns.ns, 0);
}

TEST_F(QuoteRowTest, DepthAndMarksChangeNothing) {
  MarketEvent event;
  event.set_body(MarketKind::kDepth, Depth{});
  EXPECT_EQ(apply_to_row(kLimits, event, ticks, row), RowChange::kNone);
}

}  // namespace
}  // namespace sluice
