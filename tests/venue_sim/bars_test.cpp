// Bars by hand: what falls into which minute, and what leaves when.
#include "tools/venue_sim/bars.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/venue_sim/sim_fixtures.hpp"

namespace sluice::sim::test {
namespace {

constexpr std::int64_t kSecond = kNanosPerSecond;

class BarsTest : public ::testing::Test, private BarSink {
 protected:
  void trade(std::int64_t second, std::string_view at, std::string_view size,
             bool sets_price = true, SymbolIndex symbol = 0) {
    bars_.trade(
        {symbol, px(at), qty(size), sets_price, second * kSecond, WallNanos{second * kSecond}});
  }
  // What leaves on the way to this second, e.g. "b0 60: 1 3 1 2 v7 n3".
  std::vector<std::string> to(std::int64_t second) {
    told_.clear();
    bars_.advance(second * kSecond, *this);
    return told_;
  }
  std::vector<std::string> finish() {
    told_.clear();
    bars_.finish(*this);
    return told_;
  }

  BarBuilder bars_{2, 0};

 private:
  void on_bar(BarKind kind, SymbolIndex symbol, const Bar& bar) override {
    if (kind == BarKind::kDay) {
      days_ += 1;
      return;
    }
    told_.push_back((kind == BarKind::kMinute ? "b" : "u") + std::to_string(symbol) + " " +
                    std::to_string(bar.start_ns / kSecond) + ": " + to_string(bar.open) + " " +
                    to_string(bar.high) + " " + to_string(bar.low) + " " + to_string(bar.close) +
                    " v" + to_string(bar.volume) + " n" + std::to_string(bar.trades));
  }

 protected:
  int days_{0};

 private:
  std::vector<std::string> told_;
};

using Told = std::vector<std::string>;

TEST_F(BarsTest, MinuteLeavesAtItsMarkAndOnlyWhenSomethingTraded) {
  EXPECT_EQ(to(61), Told{});
  trade(61, "10", "1");
  trade(80, "12", "2");
  trade(119, "11", "1");
  EXPECT_EQ(to(119), Told{});
  EXPECT_EQ(to(120), Told{"b0 60: 10 12 10 11 v4 n3"});
  EXPECT_EQ(to(300), Told{}) << "nothing traded since";
  EXPECT_EQ(bars_.minutes(0).size(), 1U);
  EXPECT_TRUE(bars_.minutes(1).empty());
}

TEST_F(BarsTest, TradeOnTheMarkBelongsToTheNextMinute) {
  EXPECT_EQ(to(0), Told{});
  trade(0, "1", "1");
  EXPECT_EQ(to(60), Told{"b0 0: 1 1 1 1 v1 n1"});
  trade(60, "2", "1");
  EXPECT_EQ(to(120), Told{"b0 60: 2 2 2 2 v1 n1"});
}

TEST_F(BarsTest, LateTradeUpdatesTheBarAtTheNextHalfMinute) {
  to(1);
  trade(1, "10", "1");
  to(61);
  trade(59, "20", "1");  // its own time is in the minute that has left
  EXPECT_EQ(to(89), Told{});
  EXPECT_EQ(to(90), Told{"u0 0: 10 20 10 20 v2 n2"});
  EXPECT_EQ(to(119), Told{});
  EXPECT_EQ(to(120), Told{}) << "an update does not leave twice, and this minute had no trade";
}

TEST_F(BarsTest, LateTradeOfASilentMinuteMakesItsBar) {
  to(61);
  trade(30, "7", "3");
  EXPECT_EQ(to(90), Told{"u0 0: 7 7 7 7 v3 n1"});
}

TEST_F(BarsTest, WhatIsTwoMinutesLateCountsForTheDayOnly) {
  to(200);
  trade(10, "7", "3");
  EXPECT_EQ(to(400), Told{});
  EXPECT_EQ(bars_.day(0).trades, 1U);
}

TEST_F(BarsTest, OddLotsCountInVolumeAndSetNoPrice) {
  to(1);
  trade(1, "50", "5", false);
  EXPECT_EQ(to(60), Told{}) << "no price, no bar";
  trade(61, "10", "100");
  trade(62, "50", "100", false);
  EXPECT_EQ(to(120), Told{"b0 60: 10 10 10 10 v200 n2"});
  EXPECT_EQ(bars_.minutes(0)[0].average(), px("30")) << "the average is over all of it";
}

TEST_F(BarsTest, AverageIsRoundedHalfToEvenAndExactBeyond64Bits) {
  Bar bar;
  bar.volume = qty("2");
  bar.notional = static_cast<BarNotional>(3) * kScale;  // 1.5e-9 per unit
  EXPECT_EQ(bar.average().raw, 2);
  bar.notional = static_cast<BarNotional>(5) * kScale;  // 2.5e-9
  EXPECT_EQ(bar.average().raw, 2);
  to(1);
  for (int i = 0; i < 1'000; ++i) {
    trade(2, "900000", "1000000");
  }
  EXPECT_EQ(bars_.day(0).average(), px("900000"));
}

TEST_F(BarsTest, DayRunsOnWithEveryMinute) {
  to(1);
  trade(1, "10", "1");
  trade(1, "10", "1", true, 1);
  to(60);
  EXPECT_EQ(days_, 2);
  to(180);
  EXPECT_EQ(days_, 6);
}

TEST_F(BarsTest, HistoryIsBoundedAndKeepsTheLatest) {
  to(0);
  for (std::int64_t minute = 0; minute < 5'000; ++minute) {
    trade(minute * 60, "10", "1");
    to(minute * 60 + 60);
    ASSERT_LE(bars_.minutes(0).size(), kBarsKept);
  }
  EXPECT_GE(bars_.minutes(0).size(), kBarsKept / 2);
  EXPECT_EQ(bars_.minutes(0).back().start_ns, 4'999 * 60 * kSecond);
}

TEST_F(BarsTest, EndOfTheSessionSendsWhatIsOpen) {
  to(1);
  trade(1, "10", "1");
  to(61);
  trade(59, "11", "1");
  trade(65, "12", "1", true, 1);
  EXPECT_EQ(finish(), (Told{"u0 0: 10 11 10 11 v2 n2", "b1 60: 12 12 12 12 v1 n1"}));
}

}  // namespace
}  // namespace sluice::sim::test
