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
    return api_.handle({"GET", path, query, {}});
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
  refused("/v2/stocks/IBM/weather", "", 404, "endpoint not found.");
  refused("/v1beta3/crypto/us/IBM/trades", "", 404, "endpoint not found.");
  EXPECT_EQ(get("/v1beta3/crypto/us/trades", "symbols=IBM").body,
            R"({"trades":{},"next_page_token":null})")
      << "a stock is no pair";
  DataRest basic(session_, timeline_, player_, market_, true);
  EXPECT_EQ(basic.handle({"GET", "/v2/stocks/trades", "symbols=IBM&feed=sip", {}}).status, 403);
  EXPECT_EQ(api_.handle({"POST", "/v2/stocks/trades", "symbols=IBM", {}}).status, 405);
}

TEST_F(DataRestTest, RepeatedSessionIsOneHistory) {
  Player twice(session_, timeline_, venue_, 2);
  DataRest api(session_, timeline_, twice, market_, false);
  twice.play(WallNanos{400 * kNanosPerSecond}, 10'000, market_);
  const ApiAnswer answer = api.handle({"GET", "/v2/stocks/trades", "symbols=IBM&limit=10000", {}});
  const Json trades = Json::parse(answer.body)["trades"]["IBM"];
  ASSERT_EQ(trades.size(), 150U);
  EXPECT_EQ(trades[75]["t"], "1970-01-01T00:02:29.501Z") << "behind the seam";
}

}  // namespace
}  // namespace sluice::sim::test
