// The stock feeds and the test feed: plans, limits, messages by tape, msgpack, places that are
// held.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/venue_sim/fake_session.hpp"
#include "tests/venue_sim/sim_fixtures.hpp"
#include "tools/venue_sim/market_hub.hpp"

namespace sluice::sim::test {
namespace {

using Json = nlohmann::json;

constexpr SymbolIndex kIbm = 0;   // tape A
constexpr SymbolIndex kAapl = 1;  // tape C
constexpr std::string_view kAuth = R"({"action":"auth","key":"KEY","secret":"SECRET"})";
const Credentials kCredentials{"KEY", "SECRET"};

std::vector<Symbol> stocks() {
  std::vector<Symbol> symbols{make_equity("IBM", px("0.01"), qty("1"), qty("1")),
                              make_equity("AAPL", px("0.01"), qty("1"), qty("1"))};
  symbols[kIbm].tape = 'A';
  symbols[kAapl].tape = 'C';
  return symbols;
}

SessionRecord record_of(SessionKind kind, SymbolIndex symbol, char exchange) {
  SessionRecord record{};
  record.symbol = symbol;
  record.kind = kind;
  record.flags = kSessionLastOfEvent;
  record.exchange = exchange;
  record.id = 52'983'525'033'527;
  return record;
}

SessionRecord quote_at(SymbolIndex symbol, char exchange = 'Q') {
  SessionRecord record = record_of(SessionKind::kQuote, symbol, exchange);
  record.a = dec("126.5");
  record.b = dec("300");
  record.c = dec("126.55");
  record.d = dec("100");
  return record;
}

SessionRecord trade_at(SymbolIndex symbol, std::uint8_t conditions = 0, char exchange = 'D') {
  SessionRecord record = record_of(SessionKind::kTrade, symbol, exchange);
  record.a = dec("126.55");
  record.b = dec("1");
  record.conditions = conditions;
  return record;
}

SessionRecord status_of(SymbolIndex symbol, SessionStatus status) {
  SessionRecord record = record_of(SessionKind::kStatus, symbol, 0);
  record.a = static_cast<std::int64_t>(status);
  return record;
}

std::string error(int code, std::string_view text) {
  return R"([{"T":"error","code":)" + std::to_string(code) + R"(,"msg":")" + std::string(text) +
         R"("}])";
}

class FeedTest : public ::testing::Test {
 protected:
  FeedTest() { timeline_.start(at_ms(0)); }

  void restart() { hub_.emplace(venue_, kCredentials, timeline_, options_); }
  MarketHub& hub() {
    if (!hub_) {
      restart();
    }
    return *hub_;
  }
  std::string login(FakeSession& session) {
    hub().opened(session, at_ms(0));
    session.sent.clear();
    hub().message(session, kAuth, at_ms(0));
    return session.take_one();
  }
  std::string say(FakeSession& session, std::string_view text) {
    hub().message(session, text, at_ms(0));
    return session.sent.empty() ? std::string() : session.take_one();
  }
  // What one record becomes for a session; null for nothing.
  Json heard(FakeSession& session, const SessionRecord& record) {
    session.sent.clear();
    hub().on_record(record, at_ms(1'500));
    hub().flush();
    return session.sent.empty() ? Json() : Json::parse(session.take_one());
  }

  MarketHubOptions options_{};
  Venue venue_{stocks(), VenueOptions{}, IdSource(7)};
  Timeline timeline_{0, 0, Speed{kScale}};
  std::optional<MarketHub> hub_;
  FakeSession sip_{1, "/v2/sip"};
  FakeSession iex_{2, "/v2/iex"};
  FakeSession test_{3, "/v2/test"};
  FakeSession crypto_{4, "/v1beta3/crypto/us"};
};

constexpr std::string_view kAuthenticated = R"([{"T":"success","msg":"authenticated"}])";

TEST_F(FeedTest, EachEndpointHasAPlaceOfItsOwn) {
  EXPECT_EQ(login(sip_), kAuthenticated);
  EXPECT_EQ(login(iex_), kAuthenticated);
  EXPECT_EQ(login(test_), kAuthenticated);
  FakeSession second(9, "/v2/sip");
  EXPECT_EQ(login(second), error(406, "connection limit exceeded"));
}

TEST_F(FeedTest, FeedThatIsNotInThePlanIsRefused) {
  EXPECT_EQ(login(crypto_), error(409, "insufficient subscription")) << "no pair in this session";
  options_.basic_plan = true;
  restart();
  EXPECT_EQ(login(sip_), error(409, "insufficient subscription"));
  EXPECT_EQ(login(iex_), kAuthenticated);
}

TEST_F(FeedTest, AcknowledgementsAreTheFeedsOwn) {
  login(sip_);
  EXPECT_EQ(say(sip_, R"({"action":"subscribe","trades":["AAPL"],"quotes":["AMD","CLDR"],)"
                      R"("bars":["*"],"dailyBars":["VOO"],"statuses":["*"],"lulds":[],)"
                      R"("orderbooks":[],"news":[],"whatever":["X"],"imbalances":[]})"),
            R"([{"T":"subscription","trades":["AAPL"],"quotes":["AMD","CLDR"],"bars":["*"],)"
            R"("updatedBars":[],"dailyBars":["VOO"],"statuses":["*"],"lulds":[],)"
            R"("corrections":["AAPL"],"cancelErrors":["AAPL"]}])");
  login(test_);
  EXPECT_EQ(say(test_, R"({"action":"subscribe","trades":["FAKEPACA"]})"),
            R"([{"T":"subscription","trades":["FAKEPACA"],"quotes":[],"bars":[]}])");
}

TEST_F(FeedTest, ChannelsOfOtherFeedsAreRefused) {
  login(sip_);
  login(test_);
  const std::string refusal = error(410, "invalid subscribe action for this feed");
  EXPECT_EQ(say(sip_, R"({"action":"subscribe","orderbooks":["AAPL"]})"), refusal);
  EXPECT_EQ(say(sip_, R"({"action":"subscribe","corrections":["AAPL"]})"), refusal);
  EXPECT_EQ(say(test_, R"({"action":"subscribe","statuses":["*"]})"), refusal);
}

TEST_F(FeedTest, UnsubscribingTheStarKeepsTheNames) {
  login(sip_);
  say(sip_, R"({"action":"subscribe","trades":["*","AAPL"]})");
  EXPECT_EQ(Json::parse(say(sip_, R"({"action":"unsubscribe","trades":["*"]})"))[0]["trades"],
            Json({"AAPL"}));
  EXPECT_TRUE(heard(sip_, trade_at(kIbm)).is_null());
  EXPECT_EQ(heard(sip_, trade_at(kAapl)).size(), 1U);
}

TEST_F(FeedTest, BasicPlanHasThirtySymbolsOverTradesAndQuotes) {
  options_.basic_plan = true;
  login(iex_);
  std::string names;
  for (int i = 0; i < 30; ++i) {
    names += (i == 0 ? "\"S" : ",\"S") + std::to_string(i) + "\"";
  }
  const std::string full = say(iex_, R"({"action":"subscribe","trades":[)" + names + "]}");
  EXPECT_EQ(Json::parse(full)[0]["trades"].size(), 30U);
  EXPECT_EQ(say(iex_, R"({"action":"subscribe","quotes":["AAPL"]})"),
            error(405, "symbol limit exceeded"));
  const Json after = Json::parse(say(iex_, R"({"action":"subscribe","bars":["*","AAPL","IBM"]})"));
  EXPECT_TRUE(after[0]["quotes"].empty()) << "the refused request changed nothing";
  EXPECT_EQ(after[0]["bars"].size(), 3U) << "bars are not counted";
}

TEST_F(FeedTest, AllChannelsTogetherAreBounded) {
  options_.max_symbols = 4;
  login(sip_);
  const std::string refusal = error(405, "symbol limit exceeded");
  say(sip_, R"({"action":"subscribe","bars":["A","B","C"],"trades":["A"]})");
  EXPECT_EQ(say(sip_, R"({"action":"subscribe","dailyBars":["D"]})"), refusal);
  EXPECT_EQ(say(sip_, R"({"action":"subscribe","imbalances":["D"]})"), refusal)
      << "not acknowledged, but held all the same";
  say(sip_, R"({"action":"unsubscribe","bars":["A"]})");
  const Json after = Json::parse(say(sip_, R"({"action":"subscribe","dailyBars":["D"]})"));
  EXPECT_EQ(after[0]["dailyBars"], Json({"D"}));
}

TEST_F(FeedTest, StarStandsAlone) {
  login(sip_);
  EXPECT_EQ(say(sip_, R"({"action":"subscribe","trades":["A*"]})"), error(400, "invalid syntax"));
  EXPECT_EQ(say(sip_, R"({"action":"subscribe","trades":["**"]})"), error(400, "invalid syntax"));
}

TEST_F(FeedTest, SessionThatTakesNoAcknowledgementIsClosed) {
  login(sip_);
  login(iex_);
  sip_.refuse = true;
  hub().message(sip_, R"({"action":"subscribe","trades":["*"]})", at_ms(0));
  EXPECT_EQ(sip_.close_code, 1000);
  EXPECT_EQ(hub().counters().slow_clients, 1U);
  iex_.queued = options_.slow_client_bytes + 1;
  hub().message(iex_, R"({"action":"subscribe","trades":["*"]})", at_ms(0));
  EXPECT_EQ(iex_.sent.back(), error(407, "slow client"));
  EXPECT_EQ(iex_.close_code, 1000);
}

TEST_F(FeedTest, TradesCarryExchangeConditionsAndTape) {
  login(sip_);
  say(sip_, R"({"action":"subscribe","trades":["*"]})");
  sip_.sent.clear();
  hub().on_record(trade_at(kAapl, kSessionOddLot | kSessionIntermarketSweep), at_ms(1'500));
  hub().flush();
  EXPECT_EQ(sip_.take_one(),
            R"([{"T":"t","S":"AAPL","p":126.55,"s":1,"t":"1970-01-01T00:00:01.5Z",)"
            R"("i":52983525033527,"x":"D","c":["@","F","I"],"z":"C"}])");
  EXPECT_EQ(heard(sip_, trade_at(kIbm, kSessionOpening))[0]["c"], Json({" ", "O"}));
  EXPECT_EQ(heard(sip_, trade_at(kIbm, kSessionClosing | kSessionExtendedHours))[0]["c"],
            Json({" ", "6", "T"}));
}

TEST_F(FeedTest, QuotesCarryBothExchangesAndAnAbsentSideIsZero) {
  login(sip_);
  say(sip_, R"({"action":"subscribe","quotes":["*"]})");
  SessionRecord quote = quote_at(kAapl);
  sip_.sent.clear();
  hub().on_record(quote, at_ms(1'500));
  hub().flush();
  EXPECT_EQ(sip_.take_one(),
            R"([{"T":"q","S":"AAPL","bp":126.5,"bs":300,"ap":126.55,"as":100,)"
            R"("t":"1970-01-01T00:00:01.5Z","bx":"Q","ax":"Q","c":["R"],"z":"C"}])");
  quote.a = quote.b = 0;
  const Json one_sided = heard(sip_, quote)[0];
  EXPECT_EQ(one_sided["bp"], 0);
  EXPECT_EQ(one_sided["bs"], 0);
  EXPECT_EQ(one_sided["ax"], "Q");
}

TEST_F(FeedTest, StatusesSpeakTheCodesOfTheirTape) {
  login(sip_);
  say(sip_, R"({"action":"subscribe","statuses":["*"]})");
  sip_.sent.clear();
  hub().on_record(status_of(kAapl, SessionStatus::kHalt), at_ms(0));
  hub().flush();
  EXPECT_EQ(sip_.take_one(), R"([{"T":"s","S":"AAPL","sc":"H","sm":"Trading Halt","rc":"T1",)"
                             R"("rm":"Halt News Pending","t":"1970-01-01T00:00:00Z","z":"C"}])");
  const auto code = [this](SymbolIndex symbol, SessionStatus status) {
    const Json frame = heard(sip_, status_of(symbol, status));
    return frame.is_null() ? std::string() : frame[0]["sc"].get<std::string>();
  };
  EXPECT_EQ(code(kAapl, SessionStatus::kVolatilityPause), "P");
  EXPECT_EQ(code(kAapl, SessionStatus::kQuoteResume), "Q");
  EXPECT_EQ(code(kAapl, SessionStatus::kResume), "T");
  EXPECT_EQ(code(kIbm, SessionStatus::kHalt), "2");
  EXPECT_EQ(code(kIbm, SessionStatus::kVolatilityPause), "2");
  EXPECT_EQ(code(kIbm, SessionStatus::kResume), "3");
  EXPECT_EQ(code(kIbm, SessionStatus::kQuoteResume), "") << "the CTA has no such message";
}

TEST_F(FeedTest, IexHearsItsOwnPrintsWhereTheRecordingKnowsThem) {
  for (const bool recorded : {false, true}) {
    options_.iex_recorded = recorded;
    restart();
    login(iex_);
    login(sip_);
    say(iex_, R"({"action":"subscribe","trades":["*"]})");
    say(sip_, R"({"action":"subscribe","trades":["*"]})");
    EXPECT_EQ(heard(iex_, trade_at(kAapl, 0, 'D')).is_null(), recorded);
    EXPECT_FALSE(sip_.sent.empty());
    EXPECT_FALSE(heard(iex_, trade_at(kAapl, 0, 'V')).is_null());
  }
}

TEST_F(FeedTest, BarsOfTheIexAreMadeOfItsPrints) {
  options_.iex_recorded = true;
  login(sip_);
  login(iex_);
  for (FakeSession* session : {&sip_, &iex_}) {
    say(*session, R"({"action":"subscribe","bars":["*"],"dailyBars":["*"]})");
  }
  SessionRecord elsewhere = trade_at(kAapl, 0, 'D');
  elsewhere.a = dec("130");
  hub().on_record(elsewhere, at_ms(0));
  hub().on_record(trade_at(kAapl, 0, 'V'), at_ms(0));
  hub().on_record(trade_at(kIbm, 0, 'D'), at_ms(0));
  hub().finish();
  hub().flush();
  const auto bars_of = [](FakeSession& session) {
    Json bars = Json::object();
    for (const Json& bar : Json::parse(session.take_one())) {
      bars[bar["T"].get<std::string>() + bar["S"].get<std::string>()] = bar;
    }
    return bars;
  };
  const Json iex = bars_of(iex_);
  EXPECT_EQ(iex.size(), 2U) << "none of IBM: " << iex;
  EXPECT_EQ(iex["bAAPL"]["h"], 126.55);
  EXPECT_EQ(iex["bAAPL"]["n"], 1);
  EXPECT_EQ(iex["dAAPL"]["v"], 1);
  const Json sip = bars_of(sip_);
  EXPECT_EQ(sip.size(), 4U);
  EXPECT_EQ(sip["bAAPL"]["h"], 130);
  EXPECT_EQ(sip["bAAPL"]["n"], 2);
}

TEST_F(FeedTest, CorrectionsAndCancelsFollowTheTrades) {
  options_.corrections = 1;
  options_.iex_recorded = true;
  login(sip_);
  login(iex_);
  say(sip_, R"({"action":"subscribe","trades":["AAPL"]})");
  say(iex_, R"({"action":"subscribe","trades":["AAPL"]})");
  hub().on_record(trade_at(kAapl, kSessionOddLot), at_ms(0));
  hub().on_record(trade_at(kAapl), at_ms(0));
  hub().on_record(trade_at(kIbm), at_ms(0));
  hub().flush();
  sip_.sent.clear();
  EXPECT_EQ(hub().next_due(), at_ms(250));
  hub().tick(at_ms(249));
  hub().flush();
  EXPECT_TRUE(sip_.sent.empty());
  hub().tick(at_ms(260));
  hub().flush();
  EXPECT_EQ(sip_.take_one(),
            R"([{"T":"c","S":"AAPL","x":"D","oi":52983525033527,"op":126.55,"os":1,)"
            R"("oc":["@","I"],"ci":4556583152404023,"cp":126.56,"cs":1,"cc":["@","I"],)"
            R"("t":"1970-01-01T00:00:00.25Z","z":"C"},)"
            R"({"T":"x","S":"AAPL","i":52983525033527,"x":"D","p":126.55,"s":1,"a":"C",)"
            R"("t":"1970-01-01T00:00:00.25Z","z":"C"}])");
  EXPECT_TRUE(iex_.sent.empty()) << "it has not heard the trades either";
}

TEST_F(FeedTest, CorrectionsReachMsgpackClientsWholeAndNobodyByDefault) {
  for (const bool on : {false, true}) {
    options_.corrections = on ? 1 : 0;
    restart();
    sip_.headers = {{"Content-Type", "application/msgpack"},
                    {"APCA-API-KEY-ID", "KEY"},
                    {"APCA-API-SECRET-KEY", "SECRET"}};
    hub().opened(sip_, at_ms(0));
    const auto ask = Json::to_msgpack({{"action", "subscribe"}, {"trades", {"*"}}});
    hub().message(sip_, {reinterpret_cast<const char*>(ask.data()), ask.size()}, at_ms(0));
    hub().on_record(trade_at(kAapl), at_ms(0));
    hub().flush();
    sip_.sent.clear();
    hub().tick(at_ms(250));
    hub().flush();
    ASSERT_EQ(sip_.sent.size(), on ? 1U : 0U);
  }
  const Json fix = Json::from_msgpack(sip_.take_one())[0];
  EXPECT_EQ(fix["T"], "c");
  EXPECT_EQ(fix["cp"], 126.56);
  EXPECT_TRUE(fix["ci"].is_number_integer());
  EXPECT_TRUE(fix["t"].is_binary()) << "the timestamp extension";
}

TEST_F(FeedTest, HistoryIsNotStreamed) {
  Timeline later(60 * kNanosPerSecond, 0, Speed{kScale});
  later.start(at_ms(100'000));
  hub_.emplace(venue_, kCredentials, later, options_);
  login(sip_);
  say(sip_, R"({"action":"subscribe","trades":["*"],"quotes":["*"],"bars":["*"]})");
  SessionRecord trade = trade_at(kAapl);
  trade.send_ns = trade.exchange_ns = 59 * kNanosPerSecond;
  EXPECT_TRUE(heard(sip_, trade).is_null());
  SessionRecord quote = quote_at(kAapl);
  quote.send_ns = 61 * kNanosPerSecond;
  const Json frame = heard(sip_, quote);
  ASSERT_EQ(frame.size(), 2U);
  EXPECT_EQ(frame[0]["T"], "b") << "the bar's minute ended with the start";
  EXPECT_EQ(frame[0]["t"], "1970-01-01T00:00:40Z");
  EXPECT_EQ(frame[1]["T"], "q");
}

TEST_F(FeedTest, BarsLeaveWithTheMarkOnTheVenuesClock) {
  Timeline fast(0, 0, Speed{60 * kScale});  // a minute a second
  fast.start(at_ms(10'000));
  hub_.emplace(venue_, kCredentials, fast, options_);
  login(sip_);
  say(sip_, R"({"action":"subscribe","bars":["AAPL"],"dailyBars":["*"]})");
  SessionRecord trade = trade_at(kAapl);
  trade.send_ns = trade.exchange_ns = 61 * kNanosPerSecond;
  EXPECT_TRUE(heard(sip_, trade).is_null());
  ASSERT_TRUE(hub().next_due());
  EXPECT_EQ(*hub().next_due(), at_ms(11'500)) << "the half-minute mark";
  hub().tick(at_ms(12'000));
  hub().flush();
  EXPECT_EQ(sip_.take_one(),
            R"([{"T":"b","S":"AAPL","o":126.55,"h":126.55,"l":126.55,"c":126.55,"v":1,)"
            R"("t":"1970-01-01T00:00:11Z","n":1,"vw":126.55},)"
            R"({"T":"d","S":"AAPL","o":126.55,"h":126.55,"l":126.55,"c":126.55,"v":1,)"
            R"("t":"1970-01-01T00:00:10Z","n":1,"vw":126.55}])");
}

TEST_F(FeedTest, TestFeedPlaysFakepacaWhileSomebodyListens) {
  login(test_);
  hub().tick(at_ms(5'000));
  say(test_, R"({"action":"subscribe","trades":["FAKEPACA"],"quotes":["*"],"bars":["*"]})");
  EXPECT_FALSE(hub().was_subscribed()) << "it does not start the session";
  hub().tick(at_ms(5'000));
  hub().tick(at_ms(5'999));
  hub().flush();
  const Json frame = Json::parse(test_.take_one());
  ASSERT_EQ(frame.size(), 2U) << "one of each a second";
  EXPECT_EQ(frame[0]["T"], "q");
  EXPECT_EQ(frame[1]["S"], "FAKEPACA");
  EXPECT_EQ(frame[1]["t"], "1970-01-01T00:00:05Z");
  for (int second = 6; second <= 60; ++second) {
    hub().tick(at_ms(second * 1'000));
  }
  hub().flush();
  std::string all;
  for (const std::string& sent : test_.sent) {
    all += sent;
  }
  EXPECT_NE(all.find(R"({"T":"b","S":"FAKEPACA")"), std::string::npos);
}

TEST_F(FeedTest, MsgpackSessionsHearTheSameInBinary) {
  sip_.headers = {{"Content-Type", "application/msgpack"}};
  hub().opened(sip_, at_ms(0));
  ASSERT_EQ(sip_.sent.size(), 1U);
  EXPECT_TRUE(sip_.last_binary);
  EXPECT_EQ(Json::from_msgpack(sip_.sent[0]),
            Json::parse(R"([{"T":"success","msg":"connected"}])"));
  const auto say_packed = [this](const Json& message) {
    const auto bytes = Json::to_msgpack(message);
    sip_.sent.clear();
    hub().message(sip_, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, at_ms(0));
    return Json::from_msgpack(sip_.take_one());
  };
  EXPECT_EQ(say_packed(Json::parse(kAuth))[0]["msg"], "authenticated");
  EXPECT_EQ(say_packed({{"action", "subscribe"}, {"trades", {"*"}}})[0]["T"], "subscription");
  hub().message(sip_, "{\"action\":\"subscribe\"}", at_ms(0));
  EXPECT_EQ(Json::from_msgpack(sip_.take_one())[0]["code"], 400) << "text is garbage here";
  hub().on_record(trade_at(kAapl), at_ms(1'500));
  hub().on_record(trade_at(kIbm), at_ms(1'500));
  hub().flush();
  const Json frame = Json::from_msgpack(sip_.take_one());
  ASSERT_EQ(frame.size(), 2U);
  EXPECT_EQ(frame[0]["S"], "AAPL");
  EXPECT_TRUE(frame[0]["t"].is_binary()) << "the timestamp extension";
  EXPECT_EQ(frame[0]["t"].get_binary().subtype(), 0xFFU);
}

TEST_F(FeedTest, LostConnectionHoldsItsPlaceClosedOneDoesNot) {
  options_.ghost_ns = 90'000 * kNanosPerMilli;
  login(sip_);
  hub().closed(sip_, {.reason = net::WsCloseReason::kByPeer, .text = "connection lost"}, at_ms(0));
  FakeSession next(9, "/v2/sip");
  EXPECT_EQ(login(next), error(406, "connection limit exceeded"));
  EXPECT_EQ(next.close_code, 0) << "it may try again on the same connection";
  hub().message(next, kAuth, at_ms(89'999));
  EXPECT_EQ(next.take_one(), error(406, "connection limit exceeded"));
  hub().message(next, kAuth, at_ms(90'000));
  EXPECT_EQ(next.take_one(), kAuthenticated);
  hub().closed(next, {.reason = net::WsCloseReason::kByPeer, .close_code = 1000, .text = {}},
               at_ms(90'000));
  FakeSession last(10, "/v2/sip");
  EXPECT_EQ(login(last), kAuthenticated);
}

TEST_F(FeedTest, MuteSessionIsPingedAndCutAndWhoAnswersStays) {
  login(sip_);
  login(iex_);
  for (int second = 1; second < 90; ++second) {
    iex_.heard = MonoNanos{at_ms(second * 1'000).ns};
    hub().tick(at_ms(second * 1'000));
  }
  EXPECT_EQ(sip_.pings, 8);
  EXPECT_FALSE(sip_.was_cut);
  hub().tick(at_ms(90'000));
  EXPECT_TRUE(sip_.was_cut);
  EXPECT_FALSE(iex_.was_cut);
  EXPECT_EQ(hub().counters().mute_clients, 1U);
}

TEST(CredentialsTest, BasicAuthorizationIsTheSamePair) {
  const Credentials credentials{"KEY", "SECRET"};
  EXPECT_TRUE(credentials.match_basic("Basic S0VZOlNFQ1JFVA=="));
  EXPECT_TRUE(credentials.match_basic("Basic S0VZOlNFQ1JFVA"));
  EXPECT_FALSE(credentials.match_basic("Basic S0VZOldST05H"));
  EXPECT_FALSE(credentials.match_basic("Basic S0VZ")) << "no colon";
  EXPECT_FALSE(credentials.match_basic("Basic S0V!"));
  EXPECT_FALSE(credentials.match_basic("Bearer S0VZOlNFQ1JFVA=="));
  EXPECT_FALSE(Credentials{}.match_basic("Basic Og==")) << "empty never matches";
}

}  // namespace
}  // namespace sluice::sim::test
