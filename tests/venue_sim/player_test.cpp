// Session time, venue time, and the order in which records and orders meet.
#include "tools/venue_sim/player.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/error.hpp"
#include "tests/venue_sim/sim_fixtures.hpp"

namespace sluice::sim::test {
namespace {

using ::testing::ElementsAre;

constexpr std::int64_t kFirst = 1'723'161'254'000'000'000;

SessionRecord quote_record(std::int64_t ms, std::int64_t late_ms, std::string_view bid,
                           std::string_view ask) {
  SessionRecord record{};
  record.send_ns = kFirst + ms * kNanosPerMilli;
  record.exchange_ns = record.send_ns - late_ms * kNanosPerMilli;
  record.kind = SessionKind::kQuote;
  record.flags = kSessionLastOfEvent;
  record.a = dec(bid);
  record.b = dec("1");
  record.c = dec(ask);
  record.d = dec("1");
  record.id = 1;
  return record;
}

Session small_session() {
  Session session;
  session.symbols = {{"BTC/USD", px("0.01"), qty("0.00001"), qty("0.0001")}};
  session.records = {quote_record(0, 0, "100", "101"), quote_record(6, 3, "100", "102"),
                     quote_record(12, 0, "100", "103")};
  return session;
}

struct Heard final : MarketSink {
  void on_record(const SessionRecord& record, WallNanos stamp) override {
    asks.push_back(to_string(Price{record.c}));
    stamps.push_back(stamp.ns);
    ids.push_back(record.id);
  }
  std::vector<std::string> asks;
  std::vector<std::int64_t> stamps;
  std::vector<std::uint64_t> ids;
};

TEST(Timeline, StampsAreRebasedAndScaled) {
  Timeline timeline(kFirst, kFirst + 60 * kNanosPerSecond, parse_speed("6"));
  timeline.start(WallNanos{1'000});
  EXPECT_EQ(timeline.venue_time(kFirst).ns, 1'000);
  EXPECT_EQ(timeline.venue_time(kFirst + 6 * kNanosPerSecond).ns, 1'000 + kNanosPerSecond);
  EXPECT_EQ(timeline.venue_time(kFirst - 6).ns, 999);
  EXPECT_EQ(timeline.session_time(WallNanos{1'000 + kNanosPerSecond}),
            kFirst + 6 * kNanosPerSecond);
  EXPECT_EQ(timeline.session_end().ns, 1'000 + 10 * kNanosPerSecond);
}

TEST(Timeline, SpeedIsADecimalInRangeOrMax) {
  EXPECT_TRUE(parse_speed("max").max());
  EXPECT_EQ(parse_speed("0.5").raw, kScale / 2);
  for (const char* bad : {"0", "-1", "fast", "", "10001", "1e-9"}) {
    EXPECT_THROW(static_cast<void>(parse_speed(bad)), Error) << bad;
  }
}

class PlayerTest : public ::testing::Test {
 protected:
  void start(const char* speed) {
    timeline_ = Timeline(session_.first_send_ns(), session_.last_send_ns(), parse_speed(speed));
    timeline_.start(WallNanos{0});
  }

  Session session_ = small_session();
  Timeline timeline_{0, 0, Speed{kScale}};
  TestVenue t_;
  Player player_{session_, timeline_, t_.venue};
  Heard heard_;
};

TEST_F(PlayerTest, NothingIsPlayedBeforeItIsDue) {
  EXPECT_EQ(player_.play(at_ms(1'000), 100, heard_), 0U) << "not started";
  start("2");
  EXPECT_EQ(player_.play(at_ms(0), 100, heard_), 1U);
  EXPECT_EQ(player_.next_due(), at_ms(3));
  EXPECT_EQ(player_.play(WallNanos{at_ms(3).ns - 1}, 100, heard_), 0U);
  EXPECT_EQ(player_.play(at_ms(3), 100, heard_), 1U);
  EXPECT_EQ(player_.play(at_ms(900), 100, heard_), 1U);
  EXPECT_TRUE(player_.ended());
  EXPECT_FALSE(player_.next_due());
  EXPECT_THAT(heard_.asks, ElementsAre("101", "102", "103"));
  EXPECT_THAT(heard_.stamps, ElementsAre(0, 1'500'000, 6'000'000))
      << "the exchange's time, scaled, never after its send";
}

TEST_F(PlayerTest, LimitBoundsOneCall) {
  start("1");
  EXPECT_EQ(player_.play(at_ms(900), 2, heard_), 2U);
  EXPECT_FALSE(player_.ended());
}

TEST_F(PlayerTest, AtMaxEverythingIsDueAndStampedWithTheSendTime) {
  start("max");
  EXPECT_EQ(player_.play(at_ms(77), 100, heard_), 3U);
  EXPECT_THAT(heard_.stamps, ElementsAre(at_ms(77).ns, at_ms(77).ns, at_ms(77).ns));
}

TEST_F(PlayerTest, LateSimulatorMatchesAnOrderAgainstTheMarketOfItsOwnTime) {
  start("1");
  static_cast<void>(player_.play(at_ms(0), 100, heard_));
  t_.accept(1, limit_order("early", Side::kBuy, "0.5", "102"));  // arrives at 5 ms
  t_.accept(3, limit_order("later", Side::kBuy, "0.5", "102"));  // arrives at 7 ms
  static_cast<void>(player_.play(at_ms(5'000), 100, heard_));
  t_.venue.run_until(at_ms(5'000));
  ASSERT_EQ(t_.venue.executions().size(), 2U);
  EXPECT_EQ(to_string(t_.venue.executions()[0].px), "101");
  EXPECT_EQ(t_.venue.executions()[0].at, at_ms(5));
  EXPECT_EQ(to_string(t_.venue.executions()[1].px), "102");
  EXPECT_EQ(t_.venue.executions()[1].at, at_ms(7));
}

TEST_F(PlayerTest, RepeatedSessionGoesOnWithNewTimesAndIds) {
  session_.records[1].id = 5;
  Player repeated(session_, timeline_, t_.venue, 3);
  timeline_ = Timeline(session_.first_send_ns(), last_send_ns(session_, 3), parse_speed("1"));
  timeline_.start(WallNanos{0});
  EXPECT_EQ(9U, repeated.total());
  EXPECT_EQ(4U, repeated.play(at_ms(13), 100, heard_)) << "12 ms long, and the seam of 1 ms";
  EXPECT_EQ(repeated.next_due(), at_ms(19));
  EXPECT_EQ(5U, repeated.play(at_ms(38), 100, heard_));
  EXPECT_TRUE(repeated.ended());
  EXPECT_FALSE(repeated.next_due());
  EXPECT_EQ(timeline_.session_end(), at_ms(38));
  EXPECT_EQ(repeated.session_now(), kFirst + 38 * kNanosPerMilli);
  EXPECT_EQ(9U, repeated.by_kind()[1]);
  EXPECT_THAT(heard_.ids, ElementsAre(1, 5, 1, 6, 10, 6, 11, 15, 11));
  EXPECT_THAT(heard_.stamps,
              ElementsAre(at_ms(0).ns, at_ms(3).ns, at_ms(12).ns, at_ms(13).ns, at_ms(16).ns,
                          at_ms(25).ns, at_ms(26).ns, at_ms(29).ns, at_ms(38).ns));
}

TEST_F(PlayerTest, SnapshotReplacesTheBookOnceForAllItsRecords) {
  session_.records.clear();
  session_.records.push_back(quote_record(0, 0, "100", "101"));
  for (const auto& [ask, flags] : {std::pair{"105", int{kSessionSnapshot}},
                                   std::pair{"106", kSessionSnapshot | kSessionLastOfEvent}}) {
    SessionRecord level{};
    level.send_ns = kFirst + 1;
    level.exchange_ns = kFirst + 1;
    level.kind = SessionKind::kDepth;
    level.side = SessionSide::kAsk;
    level.flags = static_cast<std::uint8_t>(flags);
    level.a = dec(ask);
    level.b = dec("1");
    session_.records.push_back(level);
  }
  start("1");
  static_cast<void>(player_.play(at_ms(10), 100, heard_));
  std::vector<std::string> asks;
  t_.venue.matcher().book(kBtc).asks.walk([&](Price p, const BookSide::Level&) {
    asks.push_back(to_string(p));
    return true;
  });
  EXPECT_THAT(asks, ElementsAre("101", "105", "106"));
}

}  // namespace
}  // namespace sluice::sim::test
