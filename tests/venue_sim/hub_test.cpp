// Both streams against sessions made of memory: handshakes, errors, batches, slow clients.
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/venue_sim/fake_session.hpp"
#include "tests/venue_sim/sim_fixtures.hpp"
#include "tools/venue_sim/market_hub.hpp"
#include "tools/venue_sim/trading_hub.hpp"

namespace sluice::sim::test {
namespace {

using Json = nlohmann::json;

const Credentials kCredentials{"KEY", "SECRET"};
constexpr std::string_view kAuth = R"({"action":"auth","key":"KEY","secret":"SECRET"})";

SessionRecord quote_of(SymbolIndex symbol) {
  SessionRecord record{};
  record.symbol = symbol;
  record.kind = SessionKind::kQuote;
  record.flags = kSessionLastOfEvent;
  record.a = dec("100");
  record.b = dec("1");
  record.c = dec("101");
  record.d = dec("2");
  return record;
}

SessionRecord depth_of(SessionSide side, const char* at, std::uint8_t flags) {
  SessionRecord record{};
  record.kind = SessionKind::kDepth;
  record.side = side;
  record.flags = flags;
  record.a = dec(at);
  record.b = dec("5");
  return record;
}

class MarketHubTest : public ::testing::Test {
 protected:
  void connect(FakeSession& session) {
    hub_.opened(session, at_ms(0));
    EXPECT_EQ(session.take_one(), R"([{"T":"success","msg":"connected"}])");
  }
  void authenticated(FakeSession& session) {
    connect(session);
    say(session, kAuth);
    EXPECT_EQ(session.take_one(), R"([{"T":"success","msg":"authenticated"}])");
  }
  void say(FakeSession& session, std::string_view text) { hub_.message(session, text, at_ms(0)); }
  static std::string error(int code, std::string_view text) {
    return R"([{"T":"error","code":)" + std::to_string(code) + R"(,"msg":")" + std::string(text) +
           R"("}])";
  }

  TestVenue t_;
  Timeline timeline_{0, 0, Speed{kScale}};
  MarketHub hub_{t_.venue, kCredentials, timeline_, MarketHubOptions{}};
  FakeSession a_{1};
  FakeSession b_{2};
};

TEST_F(MarketHubTest, HeadersAuthenticateWithoutAMessage) {
  a_.headers = {{"APCA-API-KEY-ID", "KEY"}, {"APCA-API-SECRET-KEY", "SECRET"}};
  hub_.opened(a_, at_ms(0));
  ASSERT_EQ(a_.sent.size(), 2U);
  EXPECT_EQ(a_.sent[0], R"([{"T":"success","msg":"connected"}])");
  EXPECT_EQ(a_.sent[1], R"([{"T":"success","msg":"authenticated"}])");
}

TEST_F(MarketHubTest, ErrorsAreWordForWord) {
  connect(a_);
  say(a_, R"({"action":"subscribe","trades":["BTC/USD"]})");
  EXPECT_EQ(a_.take_one(), error(401, "not authenticated"));
  say(a_, R"({"action":"auth","key":"KEY","secret":"WRONG"})");
  EXPECT_EQ(a_.take_one(), error(402, "auth failed"));
  for (const char* garbage : {"", "{", "[]", "\xff", R"({"action":17})", R"({"action":"fly"})"}) {
    say(a_, garbage);
    EXPECT_EQ(a_.take_one(), error(400, "invalid syntax")) << garbage;
  }
  say(a_, kAuth);
  EXPECT_EQ(a_.take_one(), R"([{"T":"success","msg":"authenticated"}])");
  say(a_, kAuth);
  EXPECT_EQ(a_.take_one(), error(403, "already authenticated"));
  say(a_, R"({"action":"subscribe","trades":"BTC/USD"})");
  EXPECT_EQ(a_.take_one(), error(400, "invalid syntax"));
  say(a_, R"({"action":"subscribe","trades":["btc usd"]})");
  EXPECT_EQ(a_.take_one(), error(400, "invalid syntax"));
  say(a_, R"({"action":"subscribe","statuses":["*"]})");
  EXPECT_EQ(a_.take_one(), error(410, "invalid subscribe action for this feed"));
  EXPECT_FALSE(hub_.was_subscribed());
}

TEST_F(MarketHubTest, SecondConnectionIsToldTheLimitAndMayTryAgainWhenTheFirstIsGone) {
  authenticated(a_);
  connect(b_);
  say(b_, kAuth);
  EXPECT_EQ(b_.take_one(), error(406, "connection limit exceeded"));
  EXPECT_EQ(b_.close_code, 0);
  hub_.closed(a_, {}, at_ms(0));
  say(b_, kAuth);
  EXPECT_EQ(b_.take_one(), R"([{"T":"success","msg":"authenticated"}])");
}

TEST_F(MarketHubTest, SilenceAfterConnectEndsInATimeout) {
  connect(a_);
  hub_.tick(at_ms(9'999));
  EXPECT_TRUE(a_.sent.empty());
  hub_.tick(at_ms(10'000));
  EXPECT_EQ(a_.take_one(), error(404, "auth timeout"));
  EXPECT_EQ(a_.close_code, 1000);
  hub_.tick(at_ms(20'000));
  EXPECT_TRUE(a_.sent.empty());
}

TEST_F(MarketHubTest, AcknowledgementIsTheFullSet) {
  authenticated(a_);
  say(a_, R"({"action":"subscribe","trades":["BTC/USD"],"quotes":["*"],"bars":[],"statuses":[]})");
  EXPECT_EQ(a_.take_one(),
            R"([{"T":"subscription","trades":["BTC/USD"],"quotes":["*"],"orderbooks":[],)"
            R"("bars":[],"updatedBars":[],"dailyBars":[]}])");
  say(a_, R"({"action":"subscribe","trades":["ETH/USD","BTC/USD"],"dailyBars":["BTC/USD"]})");
  EXPECT_EQ(a_.take_one(),
            R"([{"T":"subscription","trades":["ETH/USD","BTC/USD"],"quotes":["*"],)"
            R"("orderbooks":[],"bars":[],"updatedBars":[],"dailyBars":["BTC/USD"]}])");
  say(a_, R"({"action":"unsubscribe","quotes":["*"],"trades":["BTC/USD"]})");
  EXPECT_EQ(a_.take_one(),
            R"([{"T":"subscription","trades":["ETH/USD"],"quotes":[],"orderbooks":[],)"
            R"("bars":[],"updatedBars":[],"dailyBars":["BTC/USD"]}])");
}

TEST_F(MarketHubTest, DataGoesToSubscribersOnlyInArraysOfWhatIsDue) {
  authenticated(a_);
  say(a_, R"({"action":"subscribe","quotes":["ETH/USD"]})");
  a_.sent.clear();
  hub_.on_record(quote_of(kBtc), at_ms(1));
  hub_.on_record(quote_of(kEth), at_ms(1));
  hub_.on_record(quote_of(kEth), at_ms(2));
  EXPECT_TRUE(a_.sent.empty()) << "collected until the flush";
  hub_.flush();
  const auto frames = a_.take();
  ASSERT_EQ(frames.size(), 1U);
  ASSERT_EQ(frames[0].size(), 2U);
  EXPECT_EQ(frames[0][0]["S"], "ETH/USD");
  EXPECT_FALSE(a_.last_binary);
  hub_.flush();
  EXPECT_TRUE(a_.sent.empty());
}

TEST_F(MarketHubTest, FramesHoldAtMostOneBatch) {
  authenticated(a_);
  say(a_, R"({"action":"subscribe","quotes":["*"]})");
  a_.sent.clear();
  for (std::size_t i = 0; i < MarketHub::kMaxBatch + 1; ++i) {
    hub_.on_record(quote_of(kBtc), at_ms(1));
  }
  hub_.flush();
  const auto frames = a_.take();
  ASSERT_EQ(frames.size(), 2U);
  EXPECT_EQ(frames[0].size(), MarketHub::kMaxBatch);
  EXPECT_EQ(frames[1].size(), 1U);
}

TEST_F(MarketHubTest, DepthRecordsOfOneEventAreOneMessage) {
  authenticated(a_);
  say(a_, R"({"action":"subscribe","orderbooks":["BTC/USD"]})");
  a_.sent.clear();
  hub_.on_record(depth_of(SessionSide::kBid, "99", kSessionSnapshot), at_ms(1));
  hub_.on_record(depth_of(SessionSide::kAsk, "101", kSessionSnapshot | kSessionLastOfEvent),
                 at_ms(1));
  hub_.on_record(depth_of(SessionSide::kAsk, "102", kSessionLastOfEvent), at_ms(2));
  hub_.flush();
  const auto frames = a_.take();
  ASSERT_EQ(frames.size(), 1U);
  ASSERT_EQ(frames[0].size(), 2U);
  EXPECT_EQ(frames[0][0]["b"].size(), 1U);
  EXPECT_EQ(frames[0][0]["a"].size(), 1U);
  EXPECT_TRUE(frames[0][0]["r"].get<bool>());
  EXPECT_FALSE(frames[0][1].contains("r"));
}

TEST_F(MarketHubTest, LateSubscriberGetsTheWholeBookFirst) {
  t_.venue.quote(at_ms(0), kBtc, book("100", "2", "101", "1"));
  t_.venue.depth(at_ms(0), kBtc, {.side = Side::kBuy, .px = px("99"), .qty = qty("4")});
  authenticated(a_);
  say(a_, R"({"action":"subscribe","orderbooks":["BTC/USD"]})");
  const auto frames = a_.take();
  ASSERT_EQ(frames.size(), 2U);
  EXPECT_EQ(frames[0][0]["T"], "subscription");
  EXPECT_TRUE(frames[1][0]["r"].get<bool>());
  EXPECT_EQ(frames[1][0]["b"].size(), 2U);
  EXPECT_EQ(frames[1][0]["a"].size(), 1U);
}

TEST_F(MarketHubTest, WholeBookEndsTheHistoryForWhoSubscribedBefore) {
  Timeline later(kNanosPerSecond, 0, Speed{kScale});
  later.start(at_ms(5'000));
  MarketHub hub(t_.venue, kCredentials, later, MarketHubOptions{});
  hub.opened(a_, at_ms(0));
  hub.message(a_, kAuth, at_ms(0));
  hub.message(a_, R"({"action":"subscribe","orderbooks":["BTC/USD"]})", at_ms(0));
  a_.sent.clear();
  t_.venue.quote(at_ms(0), kBtc, book("100", "2", "101", "1"));
  hub.on_record(depth_of(SessionSide::kBid, "99", kSessionLastOfEvent), at_ms(4'000));
  hub.flush();
  EXPECT_TRUE(a_.sent.empty());
  SessionRecord first = quote_of(kBtc);
  first.send_ns = kNanosPerSecond;
  hub.on_record(first, at_ms(5'000));
  const auto frames = a_.take();
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_TRUE(frames[0][0]["r"].get<bool>());
  EXPECT_EQ(frames[0][0]["t"], "1970-01-01T00:00:05Z");
}

TEST_F(MarketHubTest, SlowClientIsToldAndClosedAndTheOthersGoOn) {
  MarketHubOptions options;
  options.max_authenticated = 2;
  options.slow_client_bytes = 1'000;
  MarketHub hub(t_.venue, kCredentials, timeline_, options);
  for (FakeSession* session : {&a_, &b_}) {
    hub.opened(*session, at_ms(0));
    hub.message(*session, kAuth, at_ms(0));
    hub.message(*session, R"({"action":"subscribe","quotes":["*"]})", at_ms(0));
    session->sent.clear();
  }
  a_.queued = 1'001;
  hub.on_record(quote_of(kBtc), at_ms(1));
  hub.flush();
  EXPECT_EQ(a_.sent.back(), error(407, "slow client"));
  EXPECT_EQ(a_.close_code, 1000);
  a_.sent.clear();
  b_.sent.clear();
  hub.on_record(quote_of(kBtc), at_ms(2));
  hub.flush();
  EXPECT_TRUE(a_.sent.empty());
  EXPECT_EQ(b_.sent.size(), 1U);
}

TEST_F(MarketHubTest, LastQuotesAreRepeatedWithANewStamp) {
  authenticated(a_);
  say(a_, R"({"action":"subscribe","quotes":["*"]})");
  hub_.on_record(quote_of(kBtc), at_ms(1));
  hub_.flush();
  a_.sent.clear();
  hub_.repeat_quotes(at_ms(2'000));
  const auto frames = a_.take();
  ASSERT_EQ(frames.size(), 1U);
  ASSERT_EQ(frames[0].size(), 1U) << "a symbol without a quote has none to repeat";
  EXPECT_EQ(frames[0][0]["t"], "1970-01-01T00:00:02Z");
}

class TradingHubTest : public ::testing::Test {
 protected:
  TradingHubTest() {
    t_.venue.set_listener([this](const OrderEvent& event) { hub_.on_order_event(event); });
    t_.venue.quote(at_ms(0), kBtc, book("60000", "2", "60010", "1"));
  }

  TestVenue t_;
  TradingHub hub_{t_.venue, kCredentials};
  FakeSession a_{1};
};

TEST_F(TradingHubTest, SaysNothingOnConnectAndSpeaksBinary) {
  hub_.opened(a_);
  EXPECT_TRUE(a_.sent.empty());
  hub_.message(a_, R"({"action":"authenticate","data":{"key_id":"KEY","secret_key":"SECRET"}})");
  EXPECT_EQ(a_.take_one(),
            R"({"stream":"authorization","data":{"status":"authorized","action":"authenticate"}})");
  EXPECT_TRUE(a_.last_binary);
}

TEST_F(TradingHubTest, WrongKeysAndEarlyListenAreUnauthorized) {
  hub_.opened(a_);
  hub_.message(a_, R"({"action":"listen","data":{"streams":["trade_updates"]}})");
  EXPECT_EQ(a_.take_one(),
            R"({"stream":"authorization","data":{"status":"unauthorized","action":"listen"}})");
  hub_.message(a_, R"({"action":"auth","key":"KEY","secret":"WRONG"})");
  EXPECT_EQ(
      a_.take_one(),
      R"({"stream":"authorization","data":{"status":"unauthorized","action":"authenticate"}})");
  hub_.message(a_, "garbage");
  EXPECT_EQ(a_.take_one(), R"({"action":"error","data":{"error_message":"invalid syntax"}})");
}

TEST_F(TradingHubTest, EachListenReplacesTheSetAndUnknownNamesAreLeftOut) {
  hub_.opened(a_);
  hub_.message(a_, kAuth);
  a_.sent.clear();
  hub_.message(a_, R"({"action":"listen","data":{"streams":["trade_updates","other"]}})");
  EXPECT_EQ(a_.take_one(), R"({"stream":"listening","data":{"streams":["trade_updates"]}})");
  t_.accept(1, limit_order("a", Side::kBuy, "0.1", "60000"));
  EXPECT_EQ(a_.take().size(), 1U);
  hub_.message(a_, R"({"action":"listen","data":{"streams":[]}})");
  EXPECT_EQ(a_.take_one(), R"({"stream":"listening","data":{"streams":[]}})");
  t_.accept(2, limit_order("b", Side::kBuy, "0.1", "60000"));
  EXPECT_TRUE(a_.sent.empty());
}

TEST_F(TradingHubTest, SessionThatDoesNotReadIsCut) {
  hub_.opened(a_);
  hub_.message(a_, kAuth);
  hub_.message(a_, R"({"action":"listen","data":{"streams":["trade_updates"]}})");
  a_.refuse = true;
  t_.accept(1, limit_order("a", Side::kBuy, "0.1", "60000"));
  EXPECT_TRUE(a_.was_cut);
}

}  // namespace
}  // namespace sluice::sim::test
