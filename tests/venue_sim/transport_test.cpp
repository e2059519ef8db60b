// What carries the protocol, over loopback: credentials, budgets, encodings, refused upgrades, mute
// connections.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/base/error.hpp"
#include "tests/venue_sim/server_fixture.hpp"

namespace sluice::sim::test {
namespace {

using ::testing::HasSubstr;

class TransportTest : public ServerTest {
 protected:
  Reply ask(std::vector<net::Header> headers, std::string_view path = "/v2/account") {
    net::HttpPool pool(loop_, {"127.0.0.1", port_, false}, {.headers = std::move(headers)});
    return call("GET", path, {}, &pool);
  }
  // Waits for the nth control frame and returns it.
  Json frame(Stream& stream, std::size_t n) {
    until([&] { return stream.heard.size() > n; }, "a frame");
    return stream.heard.at(n);
  }
  std::uint64_t status(const char* counter) {
    return call("GET", "/sim/status").body[counter].get<std::uint64_t>();
  }

  const std::vector<net::Header> keys_{{"APCA-API-KEY-ID", "KEY"},
                                       {"APCA-API-SECRET-KEY", "SECRET"}};
};

TEST_F(TransportTest, RefusedCredentialsAreAnsweredByKind) {
  start();
  const Reply none = ask({});
  EXPECT_EQ(none.status, 401);
  EXPECT_THAT(none.text, HasSubstr("<h1>401 Authorization Required</h1>")) << "the proxy's page";
  EXPECT_EQ(none.request_id.size(), kUuidChars) << "refusals have their id too";
  const Reply wrong = ask({{"APCA-API-KEY-ID", "KEY"}, {"APCA-API-SECRET-KEY", "WRONG"}});
  EXPECT_EQ(wrong.text, R"({"message":"unauthorized."})");
  const Reply bearer = ask({{"Authorization", "Bearer abc"}});
  EXPECT_EQ(bearer.status, 401);
  EXPECT_EQ(bearer.text, R"({"code":40110000,"message":"request is not authorized"})");
  EXPECT_EQ(ask({{"Authorization", "Basic S0VZOlNFQ1JFVA=="}}).status, 200);
}

TEST_F(TransportTest, TradingAndDataHaveBudgetsOfTheirOwn) {
  config_.rate_limit_per_minute = 2;
  config_.tell_retry_after = true;
  start();
  Reply reply;
  until(
      [&] {
        reply = call("GET", "/v2/account");
        return reply.status == 429;
      },
      "the end of the trading budget");
  EXPECT_EQ(reply.body["code"], kCodeRateLimit);
  EXPECT_GE(std::stoi(reply.retry_after), 1);
  EXPECT_LE(std::stoi(reply.retry_after), 60);
  EXPECT_EQ(call("GET", "/v1beta3/crypto/us/latest/quotes?symbols=BTC/USD").status, 200);
}

TEST_F(TransportTest, OrderStreamSpeaksMsgpackToWhoAsks) {
  start();
  market_open();
  Stream stream(loop_, port_, TradingHub::kPath, {{"Content-Type", "application/msgpack"}}, true);
  until([&] { return stream.client.state() == net::WsState::kOpen; }, "the order stream");
  stream.say({{"action", "auth"}, {"key", "KEY"}, {"secret", "SECRET"}});
  stream.say({{"action", "listen"}, {"data", {{"streams", {"trade_updates"}}}}});
  EXPECT_EQ(frame(stream, 1)["stream"], "listening");
  const Reply order = post("a", "buy", "0.5", "60010");
  until([&] { return stream.heard.size() >= 5; }, "three events");
  EXPECT_EQ(stream.heard[4]["data"]["event"], "fill");
  EXPECT_EQ(stream.heard[4]["data"]["order"]["id"], order.body["id"]);
  EXPECT_TRUE(stream.heard[4]["data"]["timestamp"].is_string());
}

TEST_F(TransportTest, MarketStreamTakesBasicAuthorizationAndMsgpack) {
  start();
  Stream stream(
      loop_, port_, MarketHub::kPath,
      {{"Authorization", "Basic S0VZOlNFQ1JFVA=="}, {"Content-Type", "application/msgpack"}}, true);
  EXPECT_EQ(frame(stream, 0)[0]["msg"], "connected");
  EXPECT_EQ(frame(stream, 1)[0]["msg"], "authenticated");
  stream.say({{"action", "subscribe"}, {"quotes", {"*"}}});
  EXPECT_EQ(frame(stream, 2)[0]["T"], "subscription");
  EXPECT_EQ(frame(stream, 3)[0]["S"], "BTC/USD");
}

TEST_F(TransportTest, TooManyUpgradesAreRefusedWith429) {
  config_.upgrades_per_minute = 1;
  start();
  // A minute of the clock may end in between: then one more is let in, once.
  std::vector<std::unique_ptr<Stream>> streams;
  until(
      [&] {
        streams.push_back(std::make_unique<Stream>(loop_, port_, MarketHub::kPath));
        Stream& last = *streams.back();
        until([&] { return last.closed || !last.heard.empty(); }, "an answer to the upgrade");
        return last.http_status == 429 || streams.size() > 3;
      },
      "a refusal");
  EXPECT_EQ(streams.back()->http_status, 429);
  EXPECT_LE(streams.size(), 3U);
}

TEST_F(TransportTest, SecondConnectionGets406AndTakesThePlaceOnceTheFirstHasClosed) {
  start();
  Stream first(loop_, port_, MarketHub::kPath, keys_);
  EXPECT_EQ(frame(first, 1)[0]["msg"], "authenticated");
  Stream second(loop_, port_, MarketHub::kPath, keys_);
  EXPECT_EQ(frame(second, 1)[0]["code"], 406);
  first.client.close();
  until([&] { return status("market_sessions") == 1; }, "the first one's end");
  second.say({{"action", "auth"}, {"key", "KEY"}, {"secret", "SECRET"}});
  EXPECT_EQ(frame(second, 2)[0]["msg"], "authenticated");
  EXPECT_FALSE(second.closed);
}

TEST_F(TransportTest, MuteConnectionLosesItsPlaceAndOneThatAnswersPingsDoesNot) {
  config_.mute_ns = 300 * kNanosPerMilli;
  config_.ping_every_ns = 30 * kNanosPerMilli;
  config_.market_connections = 2;
  start();
  net::Loop elsewhere;  // the mute one's loop is not turned: it answers nothing
  Stream mute(elsewhere, port_, MarketHub::kPath, keys_);
  while (mute.heard.size() < 2) {
    elsewhere.service(10);
  }
  Stream alive(loop_, port_, MarketHub::kPath, keys_);
  EXPECT_EQ(frame(alive, 1)[0]["msg"], "authenticated");
  until([&] { return status("mute_clients") == 1; }, "the mute one's end");
  EXPECT_FALSE(alive.closed);
}

TEST_F(TransportTest, WarmUpStartsASessionThatHasAHistory) {
  config_.start_at_once = false;
  config_.history_ns = 10 * kNanosPerSecond;
  start();
  EXPECT_EQ(call("GET", "/sim/status").body["phase"], "waiting");
  const Reply past = call("GET", "/v1beta3/crypto/us/quotes?symbols=BTC/USD&limit=10000");
  EXPECT_GE(past.body["quotes"]["BTC/USD"].size(), 1'000U) << past.text;
  const Json status = call("GET", "/sim/status").body;
  EXPECT_EQ(status["phase"], "playing");
  EXPECT_EQ(status["first_send_ns"], kFirst + 10 * kNanosPerSecond);
}

TEST_F(TransportTest, HistoryNeedsAPacedSessionThatIsLonger) {
  config_.history_ns = 60 * kNanosPerSecond;
  EXPECT_THROW(start(), Error) << "the session has 30 seconds";
  config_.history_ns = 10 * kNanosPerSecond;
  config_.speed = Speed{0};
  EXPECT_THROW(start(), Error);
}

}  // namespace
}  // namespace sluice::sim::test
