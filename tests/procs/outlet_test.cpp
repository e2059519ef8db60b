// What a consumer of a feed hears when its ring was full: procs/feed_handler/outlet.hpp.
#include "procs/feed_handler/outlet.hpp"

#include <gtest/gtest.h>

namespace sluice {
namespace {

struct FakeRing {
  bool try_push(const MarketEvent& event) {
    if (refuse > 0) {
      --refuse;
      return false;
    }
    if (left == 0)
      return false;
    --left;
    out.push_back(event);
    return true;
  }
  void note_drop() { ++drops; }
  std::vector<MarketEvent>& out;
  std::size_t& left;
  std::size_t& refuse;  // so many attempts, and then the consumer made room
  std::size_t drops{0};
};

class OutletTest : public testing::Test {
 protected:
  // As the publisher does it.
  bool publish(const MarketEvent& event) {
    if (tells_trading(event))
      told[event.instrument] = event;
    return outlet.push(event, told[event.instrument]);
  }
  MarketEvent quote(std::uint32_t instrument = 0) {
    MarketEvent event;
    event.instrument = instrument;
    event.receive_ns = {++now};
    event.set_body(MarketKind::kQuote, Quote{});
    return event;
  }
  MarketEvent status(TradingStatus what, std::uint32_t instrument = 0) {
    MarketEvent event;
    event.instrument = instrument;
    event.receive_ns = {++now};
    event.set_body(MarketKind::kStatus,
                   StatusMark{.status = what, .code = 'T', .reason = 0, .reserved = 0});
    return event;
  }
  // Session and a first quote of each instrument got through.
  void start() {
    outlet.begin_session(session());
    ASSERT_TRUE(publish(quote(0)));
    ASSERT_TRUE(publish(quote(1)));
    got.clear();
  }
  MarketEvent session() {
    MarketEvent event;
    event.instrument = kNoInstrument;
    event.receive_ns = {++now};
    event.set_body(MarketKind::kSession, SessionMark{.incarnation = 7, .reserved = {}});
    return event;
  }

  std::vector<MarketEvent> got;
  std::size_t room{1000};
  std::size_t refuse{0};
  std::vector<MarketEvent> told = std::vector<MarketEvent>(3);
  MarketOutlet<FakeRing> outlet{std::make_unique<FakeRing>(FakeRing{got, room, refuse}), {1, 1, 0}};
  std::int64_t now{0};
};

TEST_F(OutletTest, OnlyWhatIsWantedIsPushed) {
  start();
  EXPECT_TRUE(publish(quote(2)));
  EXPECT_TRUE(got.empty());
}

TEST_F(OutletTest, FirstRecordOfARowIsAfterAGapAndTheNextIsNot) {
  outlet.begin_session(session());
  ASSERT_TRUE(publish(quote()));
  ASSERT_TRUE(publish(quote()));
  ASSERT_EQ(got.size(), 3u);
  EXPECT_EQ(got[0].kind, MarketKind::kSession);
  EXPECT_EQ(got[1].flags, kAfterGap);
  EXPECT_EQ(got[2].flags, 0);
}

TEST_F(OutletTest, DroppedQuoteFlagsTheNextRecordOfItsRowAlone) {
  start();
  room = 0;
  EXPECT_FALSE(publish(quote(0)));
  room = 10;
  ASSERT_TRUE(publish(quote(1)));
  ASSERT_TRUE(publish(quote(0)));
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(got[0].flags, 0);
  EXPECT_EQ(got[1].flags, kAfterGap);
}

TEST_F(OutletTest, LostStatusComesBeforeTheNextRecordOfItsRow) {
  start();
  room = 0;
  const MarketEvent halt = status(TradingStatus::kHalted);
  EXPECT_FALSE(publish(halt));
  room = 10;
  ASSERT_TRUE(publish(quote()));
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(got[0].kind, MarketKind::kStatus);
  EXPECT_EQ(got[0].status().status, TradingStatus::kHalted);
  EXPECT_EQ(got[0].receive_ns, halt.receive_ns);  // the same event, as the journal has it
  EXPECT_EQ(got[0].flags, kAfterGap | kSnapshot);
  EXPECT_EQ(got[1].kind, MarketKind::kQuote);
  EXPECT_EQ(got[1].flags, 0);
}

TEST_F(OutletTest, LostResumptionIsToldAfterAHaltThatGotThrough) {
  start();
  ASSERT_TRUE(publish(status(TradingStatus::kHalted)));
  room = 0;
  EXPECT_FALSE(publish(status(TradingStatus::kTrading)));
  room = 10;
  ASSERT_TRUE(publish(quote()));
  ASSERT_EQ(got.size(), 3u);
  EXPECT_EQ(got[1].status().status, TradingStatus::kTrading);
}

TEST_F(OutletTest, LostStatusIsToldWhenThereIsRoomThoughNothingElseComes) {
  start();
  room = 0;
  EXPECT_FALSE(publish(status(TradingStatus::kHalted, 1)));
  outlet.settle(told);
  EXPECT_TRUE(got.empty());
  room = 10;
  outlet.settle(told);
  outlet.settle(told);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].instrument, 1u);
  EXPECT_EQ(got[0].status().status, TradingStatus::kHalted);
}

TEST_F(OutletTest, NothingOfARowPassesItsStatusWhenThereIsRoomForOneRecordOnly) {
  start();
  room = 0;
  EXPECT_FALSE(publish(status(TradingStatus::kHalted)));
  room = 1;
  EXPECT_FALSE(publish(quote()));
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].kind, MarketKind::kStatus);
  room = 10;
  ASSERT_TRUE(publish(quote()));
  ASSERT_EQ(got.size(), 3u);
  EXPECT_EQ(got[1].kind, MarketKind::kStatus);
  EXPECT_NE(got[1].flags & kAfterGap, 0);
  EXPECT_EQ(got[2].kind, MarketKind::kQuote);
}

TEST_F(OutletTest, NewerStatusThatGetsThroughReplacesTheLostOne) {
  start();
  room = 0;
  EXPECT_FALSE(publish(status(TradingStatus::kHalted)));
  room = 10;
  ASSERT_TRUE(publish(status(TradingStatus::kTrading)));
  outlet.settle(told);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].status().status, TradingStatus::kTrading);
  EXPECT_EQ(got[0].flags, kAfterGap);
}

TEST_F(OutletTest, NewsThatSaysNothingOfTradingStandsForNoStatus) {
  start();
  ASSERT_TRUE(publish(status(TradingStatus::kHalted)));
  outlet.mark_all_after_gap();
  ASSERT_TRUE(publish(status(TradingStatus::kInformation)));
  ASSERT_EQ(got.size(), 3u);
  EXPECT_EQ(got[1].status().status, TradingStatus::kHalted);
  EXPECT_EQ(got[2].status().status, TradingStatus::kInformation);
}

TEST_F(OutletTest, LostConnectionKeepsWhatTheVenueSaidLastAndInventsNothing) {
  start();
  ASSERT_TRUE(publish(status(TradingStatus::kHalted, 0)));
  got.clear();
  outlet.mark_all_after_gap();
  ASSERT_TRUE(publish(quote(0)));
  ASSERT_TRUE(publish(quote(1)));  // nobody ever told a status of it
  ASSERT_EQ(got.size(), 3u);
  EXPECT_EQ(got[0].status().status, TradingStatus::kHalted);
  EXPECT_EQ(got[1].kind, MarketKind::kQuote);
  EXPECT_EQ(got[2].kind, MarketKind::kQuote);
  EXPECT_EQ(got[2].flags, kAfterGap);
}

TEST_F(OutletTest, SessionMarkThatFoundNoRoomComesBeforeAnythingElse) {
  room = 0;
  outlet.begin_session(session());
  EXPECT_FALSE(publish(quote()));
  room = 1;
  EXPECT_FALSE(publish(quote()));
  room = 10;
  ASSERT_TRUE(publish(quote()));
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(got[0].kind, MarketKind::kSession);
  EXPECT_EQ(got[1].flags, kAfterGap);
}

TEST_F(OutletTest, NothingSlipsPastASessionMarkOrStatusWhenRoomComesInBetween) {
  refuse = 2;
  outlet.begin_session(session());
  EXPECT_FALSE(publish(quote()));
  EXPECT_TRUE(got.empty());
  ASSERT_TRUE(publish(status(TradingStatus::kHalted)));
  outlet.mark_all_after_gap();
  refuse = 1;
  EXPECT_FALSE(publish(quote()));
  EXPECT_EQ(got.size(), 2u);
}

TEST_F(OutletTest, SessionMarkIsToldWhenThereIsRoomThoughNothingElseComes) {
  room = 0;
  outlet.begin_session(session());
  room = 10;
  outlet.settle(told);
  outlet.settle(told);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].kind, MarketKind::kSession);
}

}  // namespace
}  // namespace sluice
