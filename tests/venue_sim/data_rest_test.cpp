// The market data REST API over a session in memory: pages, bars, and never a glance ahead.
#include "tools/venue_sim/data_rest.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tests/venue_sim/sim_fixtures.hpp"

namespace sluice::sim::test {
namespace {

using Json = nlohmann::json;

const Credentials kCredentials{"KEY", "SECRET"};
constexpr WallNanos kNow{};

// IBM and AAPL: one trade each second, a quote between them, for 150 seconds from 1970 on.
Session two_stocks() {
  Session session;
  session.symbols = {{"IBM", px("0.01"), qty("1"), qty("1")},
                     {"AAPL", px("0.01"), qty("1"), qty("1")}};
  for (SessionSymbol& symbol : session.symbols) {
    symbol.asset_class = SessionAssetClass::kUsEquity;
    symbol.tape = 'C';
  }
  for (int i = 0; i < 300; ++i) {
    SessionRecord record{};
    record.send_ns = record.exchange_ns = i * kNanosPerSecond / 2;
    record.flags = kSessionLastOfEvent;
    record.exchange = 'Q';
    record.symbol = static_cast<std::uint16_t>(i / 2 % 2);
    record.kind = i % 2 == 0 ? SessionKind::kTrade : SessionKind::kQuote;
    record.a = dec("100") + i * dec("0.01");
    record.b = dec("100");
    record.c = i % 2 == 0 ? 0 : record.a + dec("0.01");
    record.d = i % 2 == 0 ? 0 : dec("200");
    record.id = static_cast<std::uint64_t>(i) + 1;
    session.records.push_back(record);
  }
  return session;
}

class DataRestTest : public ::testing::Test {
 protected:
  DataRestTest() { timeline_.start(WallNanos{0}); }

  static std::vector<Symbol> symbols() {
    return {make_equity("IBM", px("0.01"), qty("1"), qty("1")),
            make_equity("AAPL", px("0.01"), qty("1"), qty("1"))};
  }
  void play(std::int64_t seconds) {
    const WallNanos now{seconds * kNanosPerSecond};
    player_.play(now, 10'000, market_);
    market_.tick(now);
  }
  ApiAnswer get(std::string_view path, std::string_view query = {}) {
    EXPECT_TRUE(DataRest::owns(path));
    return api_.handle({"GET", path, query, {}}, kNow);
  }
  Json json(std::string_view path, std::string_view query = {}) {
    const ApiAnswer answer = get(path, query);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return Json::parse(answer.body);
  }
  void refused(std::string_view path, std::string_view query, int status,
               std::string_view message) {
    const ApiAnswer answer = get(path, query);
    EXPECT_EQ(answer.status, status);
    EXPECT_EQ(answer.body, R"({"message":")" + std::string(message) + R"("})");
  }

  Session session_{two_stocks()};
  Timeline timeline_{0, session_.last_send_ns(), Speed{kScale}};
  Venue venue_{symbols(), VenueOptions{}, IdSource(7)};
  Player player_{session_, timeline_, venue_};
  MarketHub market_{venue_, kCredentials, timeline_, MarketHubOptions{}};
  DataRest api_{session_, timeline_, player_, market_, false};
};

TEST_F(DataRestTest, NothingIsToldBeforeItIsPlayed) {
  EXPECT_EQ(get("/v2/stocks/trades", "symbols=IBM").body,
            R"({"trades":{},"next_page_token":null})");
  play(3);  // trades of IBM at 0 and 2 s
  const Json trades = json("/v2/stocks/trades", "symbols=IBM&end=2100-01-01");
  ASSERT_EQ(trades["trades"]["IBM"].size(), 2U);
  EXPECT_EQ(trades["trades"]["IBM"][1]["t"], "1970-01-01T00:00:02Z");
  EXPECT_EQ(trades["next_page_token"], nullptr);
  play(4);
  EXPECT_EQ(json("/v2/stocks/trades", "symbols=IBM")["trades"]["IBM"].size(), 3U);
}

TEST_F(DataRestTest, ValuesAreNumbersAndLookAsOnTheStream) {
  play(1);
  EXPECT_EQ(get("/v2/stocks/trades", "symbols=IBM&limit=1").body,
            R"({"trades":{"IBM":[{"p":100,"s":100,"t":"1970-01-01T00:00:00Z","i":1,"x":"Q",)"
            R"("c":["@"],"z":"C"}]},"next_page_token":null})");
  EXPECT_EQ(get("/v2/stocks/IBM/quotes/latest").body,
            R"({"symbol":"IBM","quote":{"bp":100.01,"bs":100,"ap":100.02,"as":200,)"
            R"("t":"1970-01-01T00:00:00.5Z","bx":"Q","ax":"Q","c":["R"],"z":"C"}})");
}

TEST_F(DataRestTest, PagesFollowOneAnotherWithoutGapOrOverlap) {
  play(150);
  for (const char* sort : {"asc", "desc"}) {
    std::vector<std::uint64_t> ids;
    std::string token;
    int pages = 0;
    do {
      const std::string query = "symbols=IBM,AAPL&limit=40&sort=" + std::string(sort) +
                                (token.empty() ? "" : "&page_token=" + token);
      const Json page = json("/v2/stocks/trades", query);
      std::size_t size = 0;
      for (const char* name : {"AAPL", "IBM"}) {  // a page is in the order of the names
        for (const Json& trade : page["trades"].value(name, Json::array())) {
          ids.push_back(trade["i"].get<std::uint64_t>());
          ++size;
        }
      }
      EXPECT_LE(size, 40U);
      token = page["next_page_token"].is_null() ? "" : page["next_page_token"].get<std::string>();
      ++pages;
    } while (!token.empty() && pages < 10);
    EXPECT_EQ(pages, 4);
    ASSERT_EQ(ids.size(), 150U);
    std::sort(ids.begin(), ids.end());
    EXPECT_EQ(std::adjacent_find(ids.begin(), ids.end()), ids.end());
  }
}

TEST_F(DataRestTest, StartAndEndBoundTheAnswer) {
  play(150);
  const Json some =
      json("/v2/stocks/IBM/trades", "start=1970-01-01T00:00:10Z&end=1970-01-01T00:00:20%2B00:00");
  ASSERT_EQ(some["trades"].size(), 6U) << "both ends belong";
  EXPECT_EQ(some["symbol"], "IBM");
  EXPECT_EQ(some["trades"][0]["t"], "1970-01-01T00:00:10Z");
}

TEST_F(DataRestTest, BarsAreMadeOfMinutesThatHaveLeft) {
  play(119);
  EXPECT_EQ(json("/v2/stocks/bars", "symbols=IBM&timeframe=1Min")["bars"]["IBM"].size(), 1U);
  play(121);
  const Json bars = json("/v2/stocks/bars", "symbols=IBM&timeframe=1Min");
  ASSERT_EQ(bars["bars"]["IBM"].size(), 2U);
  EXPECT_EQ(bars["bars"]["IBM"][0].dump(),
            R"({"c":101.16,"h":101.16,"l":100,"n":30,"o":100,"t":"1970-01-01T00:00:00Z",)"
            R"("v":3000,"vw":100.58})");
  const Json joined = json("/v2/stocks/IBM/bars", "timeframe=5Min");
  ASSERT_EQ(joined["bars"].size(), 1U);
  EXPECT_EQ(joined["bars"][0]["n"], 60);
  EXPECT_EQ(joined["bars"][0]["o"], 100);
  EXPECT_EQ(joined["bars"][0]["c"], 102.36);
  EXPECT_EQ(json("/v2/stocks/IBM/bars", "timeframe=1Day")["bars"][0]["n"], 61);
}

TEST_F(DataRestTest, LatestAndSnapshots) {
  refused("/v2/stocks/IBM/trades/latest", "", 404, "no trade found for IBM");
  play(61);
  EXPECT_EQ(json("/v2/stocks/trades/latest", "symbols=IBM,AAPL,NONE")["trades"].size(), 2U);
  const Json one = json("/v2/stocks/IBM/snapshot");
  EXPECT_EQ(one["symbol"], "IBM");
  EXPECT_EQ(one["latestTrade"]["p"], 101.2);
  EXPECT_EQ(one["minuteBar"]["c"], 101.16);
  EXPECT_EQ(one["prevDailyBar"], nullptr);
  const Json all = json("/v2/stocks/snapshots", "symbols=IBM,AAPL");
  EXPECT_EQ(all["AAPL"]["dailyBar"]["n"], 31);
}

TEST_F(DataRestTest, RefusalsSayWhat) {
  refused("/v2/stocks/bars", "timeframe=1Min", 400, "symbols is required");
  refused("/v2/stocks/bars", "symbols=IBM&timeframe=1Year", 400, "invalid timeframe: 1Year");
  refused("/v2/stocks/bars", "symbols=IBM&timeframe=60Min", 400, "invalid timeframe: 60Min");
  refused("/v2/stocks/trades", "symbols=IBM&limit=10001", 400,
          "invalid limit: 10001 is not between 1 and 10000");
  refused("/v2/stocks/trades", "symbols=i%22bm", 400, R"(invalid symbol: i\"bm)");
  refused("/v2/stocks/trades", "symbols=IBM&page_token=x", 400, "invalid page_token");
  refused("/v2/stocks/trades", "symbols=IBM&start=yesterday", 400,
          "invalid start or end: a date or an RFC 3339 time is needed");
  refused("/v2/stocks/trades", "symbols=IBM&feed=otc", 400, "invalid feed: otc is not iex or sip");
  refused("/v2/stocks/IBM/weather", "", 404, "endpoint not found.");
  refused("/v1beta3/crypto/us/IBM/trades", "", 404, "endpoint not found.");
  EXPECT_EQ(get("/v1beta3/crypto/us/trades", "symbols=IBM").body,
            R"({"trades":{},"next_page_token":null})")
      << "a stock is no pair";
  DataRest basic(session_, timeline_, player_, market_, true);
  EXPECT_EQ(basic.handle({"GET", "/v2/stocks/trades", "symbols=IBM&feed=sip", {}}, kNow).status,
            403);
  EXPECT_EQ(api_.handle({"POST", "/v2/stocks/trades", "symbols=IBM", {}}, kNow).status, 405);
}

TEST_F(DataRestTest, RepeatedSessionIsOneHistory) {
  Player twice(session_, timeline_, venue_, 2);
  DataRest api(session_, timeline_, twice, market_, false);
  twice.play(WallNanos{400 * kNanosPerSecond}, 10'000, market_);
  const ApiAnswer answer =
      api.handle({"GET", "/v2/stocks/trades", "symbols=IBM&limit=10000", {}}, kNow);
  const Json trades = Json::parse(answer.body)["trades"]["IBM"];
  ASSERT_EQ(trades.size(), 150U);
  EXPECT_EQ(trades[75]["t"], "1970-01-01T00:02:29.501Z") << "behind the seam";
  EXPECT_EQ(trades[75]["i"], 301) << "ids go on as on the stream";
}

TEST_F(DataRestTest, PagesStandStillWhileTheSessionPlaysOn) {
  for (const char* path : {"/v2/stocks/IBM/trades", "/v2/stocks/IBM/bars"}) {
    const bool bars = std::string_view(path).ends_with("bars");
    const std::string list = bars ? "bars" : "trades";
    const std::string query = "timeframe=1Min&sort=desc&limit=1";
    play(bars ? 121 : 90);
    const Json first = json(path, query);
    play(bars ? 150 : 95);
    if (bars) {
      market_.finish();  // a third bar
    }
    const Json second =
        json(path, query + "&page_token=" + first["next_page_token"].get<std::string>());
    ASSERT_EQ(second[list].size(), 1U);
    EXPECT_EQ(first[list][0]["t"], bars ? "1970-01-01T00:01:00Z" : "1970-01-01T00:01:30Z");
    EXPECT_EQ(second[list][0]["t"], bars ? "1970-01-01T00:00:00Z" : "1970-01-01T00:01:28Z");
  }
}

TEST_F(DataRestTest, PastCarriesTheStampsOfTheStreamWhereTheSocketSetsThePace) {
  Timeline max(0, session_.last_send_ns(), Speed{0});
  max.start(WallNanos{1'000 * kNanosPerSecond});
  Player player(session_, max, venue_);
  MarketHub market(venue_, kCredentials, max, MarketHubOptions{});
  DataRest api(session_, max, player, market, false);
  player.play(WallNanos{1'000 * kNanosPerSecond}, 100, market);
  player.play(WallNanos{1'007 * kNanosPerSecond}, 100, market);
  const ApiAnswer answer = api.handle({"GET", "/v2/stocks/IBM/trades", "", {}}, kNow);
  const Json trades = Json::parse(answer.body)["trades"];
  ASSERT_EQ(trades.size(), 50U);
  EXPECT_EQ(trades[24]["t"], "1970-01-01T00:16:40Z") << "record 96";
  EXPECT_EQ(trades[25]["t"], "1970-01-01T00:16:47Z") << "record 100";
}

TEST_F(DataRestTest, DayBeforeIsToldFromItsCloseAlsoBeforeTheStart) {
  std::vector<Symbol> known = symbols();
  known[1].previous_close = px("99.5");
  const Venue venue(known, VenueOptions{}, IdSource(7));
  MarketHubOptions options;
  options.previous_day_ns = -kDayBarNs;
  Timeline waiting(0, session_.last_send_ns(), Speed{kScale});
  MarketHub market(venue, kCredentials, waiting, options);
  DataRest api(session_, waiting, player_, market, false);
  const WallNanos now{3 * kDayBarNs};
  const auto ask = [&](std::string_view path, std::string_view query) {
    return api.handle({"GET", path, query, {}}, now).body;
  };
  EXPECT_EQ(ask("/v2/stocks/bars", "symbols=AAPL,IBM&timeframe=1Day"),
            R"({"bars":{"AAPL":[{"o":99.5,"h":99.5,"l":99.5,"c":99.5,"v":0,)"
            R"("t":"1970-01-03T00:00:00Z","n":0,"vw":99.5}]},"next_page_token":null})");
  const Json snapshot = Json::parse(ask("/v2/stocks/AAPL/snapshot", ""));
  EXPECT_EQ(snapshot["prevDailyBar"]["c"], 99.5);
  EXPECT_EQ(snapshot["dailyBar"], nullptr);
}

TEST_F(DataRestTest, FeedIexIsItsPrintsAlone) {
  Session session = two_stocks();
  for (std::size_t i = 0; i < session.records.size(); i += 8) {
    session.records[i].exchange = 'V';  // every other trade of IBM
  }
  MarketHubOptions options;
  options.iex_recorded = true;
  Player player(session, timeline_, venue_);
  MarketHub market(venue_, kCredentials, timeline_, options);
  player.play(WallNanos{121 * kNanosPerSecond}, 10'000, market);
  const auto count = [&](bool basic, std::string_view path, std::string_view query) {
    DataRest api(session, timeline_, player, market, basic);
    const Json body = Json::parse(api.handle({"GET", path, query, {}}, kNow).body);
    return body.contains("trades") ? body["trades"].size()
                                   : body["bars"][0]["n"].get<std::size_t>();
  };
  constexpr std::string_view kTrades = "/v2/stocks/IBM/trades";
  EXPECT_EQ(count(false, kTrades, "feed=iex"), 31U);
  EXPECT_EQ(count(false, kTrades, "feed=sip"), 61U);
  EXPECT_EQ(count(false, kTrades, ""), 61U);
  EXPECT_EQ(count(true, kTrades, ""), 31U) << "the basic plan's data";
  EXPECT_EQ(count(false, "/v2/stocks/IBM/bars", "timeframe=1Min&feed=iex"), 15U);
  EXPECT_EQ(count(false, "/v2/stocks/IBM/bars", "timeframe=1Min"), 30U);
}

TEST_F(DataRestTest, HistoryLiesBeforeTheStart) {
  Timeline later(60 * kNanosPerSecond, session_.last_send_ns(), Speed{kScale});
  const WallNanos t0{100 * kNanosPerSecond};
  later.start(t0);
  Player player(session_, later, venue_);
  MarketHub market(venue_, kCredentials, later, MarketHubOptions{});
  DataRest api(session_, later, player, market, false);
  player.play(t0, 10'000, market);
  EXPECT_EQ(player.played(), 121U) << "everything up to the start";
  const Json trades =
      Json::parse(api.handle({"GET", "/v2/stocks/IBM/trades", "", {}}, t0).body)["trades"];
  EXPECT_EQ(trades.front()["t"], "1970-01-01T00:00:40Z");
  EXPECT_EQ(trades.back()["t"], "1970-01-01T00:01:40Z");
  const Json bars = Json::parse(
      api.handle({"GET", "/v2/stocks/IBM/bars", "timeframe=1Min", {}}, t0).body)["bars"];
  ASSERT_EQ(bars.size(), 1U);
  EXPECT_EQ(bars[0]["t"], "1970-01-01T00:00:40Z");
}

TEST(StampMarksTest, ThinnedMarksAreEarlyNeverLate) {
  StampMarks marks;
  constexpr std::size_t kCount = 3 * StampMarks::kKept;
  for (std::size_t i = 0; i < kCount; ++i) {
    marks.add(10 * i, WallNanos{static_cast<std::int64_t>(i)});
  }
  EXPECT_EQ(marks.at(0).ns, 0);
  std::int64_t last = 0;
  for (std::size_t index = 0; index < 10 * kCount; index += 7) {
    const std::int64_t told = marks.at(index).ns;
    const auto own = static_cast<std::int64_t>(index / 10);
    ASSERT_TRUE(told <= own && told >= own - 4 && told >= last) << index << " told " << told;
    last = told;
  }
}

}  // namespace
}  // namespace sluice::sim::test
