// What a consumer of a feed hears when its ring was full: procs/feed_handler/outlet.hpp.
#include "procs/feed_handler/outlet.hpp"

#include <gtest/gtest.h>

namespace sluice {
namespace {

// Takes `left` records more; its consumer frees room by raising that.
struct FakeRing {
  bool try_push(const MarketEvent& event) noexcept {
    if (left == 0)
      return false;
    --left;
    out.push_back(event);
    return true;
  }
  [[nodiscard]] std::uint64_t free_slots() const noexcept { return left; }
  [[nodiscard]] std::uint64_t capacity() const noexcept { return 16; }
  void note_drop() noexcept { ++drops; }
  void note_gap() noexcept {}
  void note_snapshot() noexcept {}
  void set_owed(std::uint64_t) noexcept {}
  std::vector<MarketEvent>& out;
  std::size_t& left;
  std::size_t drops{0};
};

class OutletTest : public testing::Test {
 protected:
  // As the publisher does it.
  bool publish(const MarketEvent& event) {
    outlet.prepare(event.instrument);
    if (tells_trading(event))
      told[event.instrument] = event;
    if (event.kind == MarketKind::kQuote) {
      rows[event.instrument].quote = event.quote();
      rows[event.instrument].receive_ns = event.receive_ns;
      rows[event.instrument].flags = 0;
    }
    return outlet.push(event);
  }
  void lose_connection() {
    outlet.mark_all_after_gap();
    for (QuoteRow& row : rows)
      row.flags |= kFeedDown;
  }
  MarketEvent quote(std::uint32_t instrument = 0) {
    MarketEvent event;
    event.instrument = instrument;
    event.receive_ns = {++now};
    event.set_body(MarketKind::kQuote,
                   Quote{.bid_px = {now}, .bid_qty = {1}, .ask_px = {now + 1}, .ask_qty = {1}});
    return event;
  }
  MarketEvent trade(std::uint32_t instrument = 0) {
    MarketEvent event;
    event.instrument = instrument;
    event.receive_ns = {++now};
    event.set_body(MarketKind::kTrade,
                   Trade{.px = {now}, .qty = {1}, .trade_id = 1, .conditions = 0});
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

  static std::vector<QuoteRow> three_rows() {
    std::vector<QuoteRow> made(3);
    for (std::uint32_t i = 0; i < 3; ++i)
      made[i].instrument = i;
    return made;
  }

  std::vector<MarketEvent> got;
  std::size_t room{1000};
  std::vector<MarketEvent> told = std::vector<MarketEvent>(3);
  std::vector<QuoteRow> rows = three_rows();
  MarketRows snapshots{rows, told};
  MarketOutlet<FakeRing> outlet{
      std::make_unique<FakeRing>(FakeRing{got, room}), snapshots, {1, 1, 0}};
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

TEST_F(OutletTest, LostQuotesAreToldAsAGapAndTheLastOfThem) {
  start();
  room = 0;
  EXPECT_FALSE(publish(quote(0)));
  EXPECT_FALSE(publish(quote(0)));
  const MarketEvent last = quote(0);
  EXPECT_FALSE(publish(last));
  room = 16;
  ASSERT_TRUE(publish(quote(1)));
  ASSERT_EQ(got.size(), 3u);
  EXPECT_EQ(got[0].kind, MarketKind::kGap);
  EXPECT_EQ(got[0].gap().lost, 3u);
  EXPECT_EQ(got[0].gap().next, last.receive_ns) << "the gap names the record behind it";
  EXPECT_EQ(got[0].instrument, kNoInstrument);
  EXPECT_EQ(got[1].kind, MarketKind::kQuote);
  EXPECT_EQ(got[1].flags, kAfterGap | kSnapshot);
  EXPECT_EQ(got[1].receive_ns, last.receive_ns) << "the same event, as the journal has it";
  EXPECT_EQ(got[1].quote().bid_px, last.quote().bid_px);
  EXPECT_EQ(got[2].instrument, 1u);
  EXPECT_EQ(got[2].flags, 0) << "this row lost nothing";
}

TEST_F(OutletTest, SnapshotIsOfBeforeTheEventThatMeetsRoomAndTheEventIsToldOnce) {
  start();
  room = 0;
  const MarketEvent lost = quote(0);
  EXPECT_FALSE(publish(lost));
  room = 16;
  const MarketEvent next = quote(0);
  ASSERT_TRUE(publish(next));
  ASSERT_EQ(got.size(), 3u);
  EXPECT_EQ(got[1].receive_ns, lost.receive_ns);
  EXPECT_EQ(got[2].receive_ns, next.receive_ns);
  EXPECT_EQ(got[2].flags, 0);
}

TEST_F(OutletTest, LostTradesStayLostAndTheRowIsToldAgain) {
  start();
  room = 0;
  EXPECT_FALSE(publish(trade(0)));
  room = 16;
  outlet.settle();
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(got[0].kind, MarketKind::kGap);
  EXPECT_EQ(got[1].kind, MarketKind::kQuote);
  EXPECT_EQ(got[1].flags, kAfterGap | kSnapshot);
}

TEST_F(OutletTest, LostStatusComesBeforeTheQuoteOfItsRow) {
  start();
  room = 0;
  const MarketEvent halt = status(TradingStatus::kHalted);
  EXPECT_FALSE(publish(halt));
  room = 16;
  ASSERT_TRUE(publish(quote()));
  ASSERT_EQ(got.size(), 4u);
  EXPECT_EQ(got[0].kind, MarketKind::kGap);
  EXPECT_EQ(got[0].gap().next, halt.receive_ns);
  EXPECT_EQ(got[1].kind, MarketKind::kStatus);
  EXPECT_EQ(got[1].status().status, TradingStatus::kHalted);
  EXPECT_EQ(got[1].receive_ns, halt.receive_ns);  // the same event, as the journal has it
  EXPECT_EQ(got[1].flags, kAfterGap | kSnapshot);
  EXPECT_EQ(got[2].kind, MarketKind::kQuote);
  EXPECT_EQ(got[2].flags, kAfterGap | kSnapshot);
  EXPECT_EQ(got[3].flags, 0);
}

TEST_F(OutletTest, LostResumptionIsToldAfterAHaltThatGotThrough) {
  start();
  ASSERT_TRUE(publish(status(TradingStatus::kHalted)));
  got.clear();
  room = 0;
  EXPECT_FALSE(publish(status(TradingStatus::kTrading)));
  room = 16;
  outlet.settle();
  ASSERT_EQ(got.size(), 3u);
  EXPECT_EQ(got[1].status().status, TradingStatus::kTrading);
}

TEST_F(OutletTest, LostStatusIsToldWhenThereIsRoomThoughNothingElseComes) {
  start();
  room = 0;
  EXPECT_FALSE(publish(status(TradingStatus::kHalted, 1)));
  outlet.settle();
  EXPECT_TRUE(got.empty());
  room = 16;
  outlet.settle();
  outlet.settle();
  ASSERT_EQ(got.size(), 3u) << "gap, status, quote, and nothing twice";
  EXPECT_EQ(got[1].instrument, 1u);
  EXPECT_EQ(got[1].status().status, TradingStatus::kHalted);
}

TEST_F(OutletTest, NothingOfARowPassesItsStatusWhenThereIsTooLittleRoom) {
  start();
  room = 0;
  EXPECT_FALSE(publish(status(TradingStatus::kHalted)));
  for (room = 1; room < 3; ++room) {
    EXPECT_FALSE(publish(quote()));
    EXPECT_TRUE(got.empty());
  }
  room = 3;
  EXPECT_FALSE(publish(quote())) << "gap, status and quote took the room";
  ASSERT_EQ(got.size(), 3u);
  EXPECT_EQ(got[0].gap().lost, 3u);
  EXPECT_EQ(got[1].kind, MarketKind::kStatus);
}

TEST_F(OutletTest, LostConnectionKeepsWhatTheVenueSaidLastAndInventsNothing) {
  start();
  ASSERT_TRUE(publish(status(TradingStatus::kHalted, 0)));
  got.clear();
  lose_connection();
  ASSERT_TRUE(publish(quote(0)));
  ASSERT_TRUE(publish(quote(1)));  // nobody ever told a status of it
  ASSERT_EQ(got.size(), 3u);
  EXPECT_EQ(got[0].status().status, TradingStatus::kHalted);
  EXPECT_EQ(got[0].flags, kAfterGap | kSnapshot);
  EXPECT_EQ(got[1].kind, MarketKind::kQuote);
  EXPECT_EQ(got[1].flags, 0);
  EXPECT_EQ(got[2].kind, MarketKind::kQuote);
  EXPECT_EQ(got[2].flags, kAfterGap);
}

TEST_F(OutletTest, QuoteOfALostConnectionIsNoSnapshot) {
  start();
  room = 0;
  EXPECT_FALSE(publish(quote(0)));
  lose_connection();
  room = 16;
  outlet.settle();
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].kind, MarketKind::kGap);
  EXPECT_EQ(got[0].gap().next.ns, 0) << "what comes next is not known yet";
  ASSERT_TRUE(publish(quote(0)));
  EXPECT_EQ(got[1].flags, kAfterGap);
}

TEST_F(OutletTest, SessionMarkThatFoundNoRoomComesBeforeAnythingElse) {
  room = 0;
  outlet.begin_session(session());
  EXPECT_FALSE(publish(quote()));
  room = 1;
  EXPECT_FALSE(publish(quote()));
  room = 16;
  ASSERT_TRUE(publish(quote()));
  ASSERT_EQ(got.size(), 4u);
  EXPECT_EQ(got[0].kind, MarketKind::kSession);
  EXPECT_EQ(got[1].gap().lost, 2u);
  EXPECT_EQ(got[2].flags, kAfterGap | kSnapshot);
}

TEST_F(OutletTest, SessionMarkIsToldWhenThereIsRoomThoughNothingElseComes) {
  room = 0;
  outlet.begin_session(session());
  room = 16;
  outlet.settle();
  outlet.settle();
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].kind, MarketKind::kSession);
}

}  // namespace
}  // namespace sluice
