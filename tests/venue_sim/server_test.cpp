// The whole simulator over loopback, as a client sees it.
#include "tools/venue_sim/server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "common/base/error.hpp"
#include "tests/venue_sim/server_fixture.hpp"

namespace sluice::sim::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(ServerTest, OrderIsAnsweredPendingAndItsEventsFollowInOrder) {
  start();
  market_open();
  const auto stream = listen();
  const Reply reply = post("a", "buy", "0.5", "60010");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body["status"], "pending_new");
  EXPECT_EQ(reply.request_id.size(), kUuidChars);
  until([&] { return stream->heard.size() == 3; }, "three events");
  EXPECT_THAT(events(*stream), ElementsAre("pending_new", "new", "fill"));
  EXPECT_TRUE(stream->binary) << "the paper venue sends binary frames";
  const Json& fill = stream->heard[2]["data"];
  EXPECT_EQ(fill["price"], "60010");
  EXPECT_EQ(fill["order"]["id"], reply.body["id"]);
  EXPECT_EQ(call("GET", "/v2/orders/" + reply.body["id"].get<std::string>()).body["status"],
            "filled");
  const Json activities = call("GET", "/v2/account/activities").body;
  ASSERT_EQ(activities.size(), 2U);
  EXPECT_THAT(activities[1]["id"].get<std::string>(),
              HasSubstr(fill["execution_id"].get<std::string>()));
}

TEST_F(ServerTest, RestingOrderIsCanceledByEventAfterThe204) {
  start();
  market_open();
  const auto stream = listen();
  const Reply reply = post("a", "buy", "0.5", "59000");
  const std::string target = "/v2/orders/" + reply.body["id"].get<std::string>();
  EXPECT_EQ(call("DELETE", target).status, 204);
  until([&] { return !stream->heard.empty() && events(*stream).back() == "canceled"; }, "canceled");
  EXPECT_EQ(call("GET", target).body["status"], "canceled");
  EXPECT_EQ(call("DELETE", target).status, 204);
}

TEST_F(ServerTest, ClientOrderIdIsUniqueForEver) {
  start();
  market_open();
  EXPECT_EQ(post("a", "buy", "0.5", "60010", "ioc").status, 200);
  until([&] { return call("GET", "/sim/status").body["open_orders"] == 0; }, "the order's end");
  const Reply again = post("a", "buy", "0.5", "60010", "ioc");
  EXPECT_EQ(again.status, 422);
  EXPECT_EQ(again.body["code"], kCodeInvalidParameter);
  EXPECT_EQ(again.body["message"], "client_order_id must be unique");
}

TEST_F(ServerTest, WrongOrMissingKeysAreUnauthorized) {
  start();
  net::HttpPool nobody(loop_, {"127.0.0.1", port_, false}, {});
  EXPECT_EQ(call("GET", "/v2/account", {}, &nobody).status, 401);
  net::HttpPool wrong(loop_, {"127.0.0.1", port_, false},
                      {.headers = {{"APCA-API-KEY-ID", "KEY"}, {"APCA-API-SECRET-KEY", "WRONG"}}});
  const Reply reply = call("POST", "/v2/orders", "{}", &wrong);
  EXPECT_EQ(reply.status, 401);
  EXPECT_EQ(reply.body["message"], "unauthorized.");
  EXPECT_EQ(call("GET", "/sim/status", {}, &nobody).status, 200);
}

TEST_F(ServerTest, BudgetOfTheMinuteEndsIn429WithItsHeaders) {
  config_.rate_limit_per_minute = 3;
  start();
  // A minute of the clock may end in between: then the budget starts again, once.
  int answered = 0;
  Reply reply;
  until(
      [&] {
        reply = call("GET", "/v2/account");
        answered += reply.status == 200 ? 1 : 0;
        return reply.status == 429;
      },
      "a refusal");
  EXPECT_TRUE(answered == 3 || (answered > 3 && answered <= 6)) << answered;
  EXPECT_EQ(reply.body["code"], kCodeRateLimit);
  EXPECT_EQ(reply.body["message"], "rate limit exceeded");
  EXPECT_EQ(reply.remaining, "0");
  EXPECT_FALSE(reply.request_id.empty());
}

TEST_F(ServerTest, LostAnswerLeavesTheOrderAliveAndFindable) {
  config_.fault = "post lose-answer every=2";
  start();
  market_open();
  EXPECT_EQ(post("a", "buy", "0.1", "59000").status, 200);
  const Reply lost = post("b", "buy", "0.1", "59000");
  EXPECT_EQ(lost.outcome, net::Outcome::kUnknown);
  const Reply found = call("GET", "/v2/orders:by_client_order_id?client_order_id=b");
  EXPECT_EQ(found.status, 200);
  until(
      [&] {
        return call("GET", "/v2/orders:by_client_order_id?client_order_id=b").body["status"] ==
               "new";
      },
      "the order to work");
  EXPECT_EQ(post("b", "buy", "0.1", "59000").status, 422) << "the id is taken: it was accepted";
  EXPECT_EQ(call("POST", "/sim/fault", R"({"fault":"off"})").status, 200);
  EXPECT_EQ(post("c", "buy", "0.1", "59000").status, 200);
  EXPECT_EQ(post("d", "buy", "0.1", "59000").status, 200);
  EXPECT_EQ(call("POST", "/sim/fault", R"({"fault":"rain"})").status, 422);
  EXPECT_EQ(call("POST", "/sim/fault", "garbage").status, 422);
}

TEST_F(ServerTest, PlayingWaitsForTheFirstSubscriptionAndMissesNothing) {
  config_.start_at_once = false;
  config_.speed = parse_speed("10000");
  start(quotes(500, 10));
  EXPECT_EQ(call("GET", "/sim/status").body["phase"], "waiting");
  Stream data(loop_, port_, MarketHub::kPath,
              {{"APCA-API-KEY-ID", "KEY"}, {"APCA-API-SECRET-KEY", "SECRET"}});
  until([&] { return data.heard.size() == 2; }, "the greeting");
  EXPECT_EQ(data.heard[0], (Json::parse(R"([{"T":"success","msg":"connected"}])")));
  EXPECT_EQ(data.heard[1], (Json::parse(R"([{"T":"success","msg":"authenticated"}])")));
  EXPECT_EQ(call("GET", "/sim/status").body["phase"], "waiting");
  data.heard.clear();
  data.say({{"action", "subscribe"}, {"quotes", {"BTC/USD"}}});
  const auto received = [&] {
    std::size_t count = 0;
    for (std::size_t i = 1; i < data.heard.size(); ++i) {
      count += data.heard[i].size();
    }
    return count;
  };
  until([&] { return received() >= 500; }, "all quotes");
  EXPECT_EQ(data.heard[1][0]["bs"], 1.0) << "the very first";
  until([&] { return call("GET", "/sim/status").body["phase"] == "ended"; }, "the end");
  until([&] { return received() >= 502; }, "the last quote again, each second");
  const Json status = call("GET", "/sim/status").body;
  EXPECT_EQ(status["events_sent"], 500);
  EXPECT_EQ(status["events_total"], 500);
  EXPECT_EQ(status["records_by_kind"]["quote"], 500);
}

TEST_F(ServerTest, AtMaxTheSocketSetsThePaceAndNothingIsLost) {
  config_.start_at_once = false;
  config_.speed = parse_speed("max");
  constexpr int kCount = 60'000;
  start(quotes(kCount, 1));
  Stream data(loop_, port_, MarketHub::kPath,
              {{"APCA-API-KEY-ID", "KEY"}, {"APCA-API-SECRET-KEY", "SECRET"}});
  until([&] { return data.heard.size() == 2; }, "the greeting");
  data.heard.clear();
  data.say({{"action", "subscribe"}, {"quotes", {"*"}}});
  std::size_t received = 0;
  std::size_t frames = 1;
  until(
      [&] {
        for (; frames < data.heard.size(); ++frames) {
          received += data.heard[frames].size();
        }
        return received >= kCount;
      },
      "all quotes");
  EXPECT_EQ(call("GET", "/sim/status").body["slow_clients"], 0);
}

TEST_F(ServerTest, GarbageAndOversizeAreRefusedAndTheServerGoesOn) {
  start();
  Stream data(loop_, port_, MarketHub::kPath);
  until([&] { return data.heard.size() == 1; }, "the greeting");
  EXPECT_TRUE(data.client.send("\x01\x02{{{", false));
  until([&] { return data.heard.size() == 2; }, "the error");
  EXPECT_EQ(data.heard[1], (Json::parse(R"([{"T":"error","code":400,"msg":"invalid syntax"}])")));
  EXPECT_TRUE(data.client.send(std::string(200'000, 'x'), false));
  until([&] { return data.closed; }, "the close");
  EXPECT_EQ(call("POST", "/v2/orders", std::string(40'000, ' ')).status, 413);
  EXPECT_EQ(call("POST", "/v2/orders", "{").status, 400);
  EXPECT_EQ(call("GET", "/v2/clock").status, 200);
}

TEST_F(ServerTest, RestartOnTheOldFolderIsTheSameAccount) {
  start();
  market_open();
  EXPECT_EQ(post("a", "buy", "0.5", "60010").status, 200);
  until([&] { return call("GET", "/sim/status").body["executions"] == 1; }, "the fill");
  const Json account = call("GET", "/v2/account").body;
  const Json ledger = call("GET", "/sim/ledger").body;
  pool_.reset();
  stop();
  std::ifstream file(dir_ + "/ledger.json");
  EXPECT_EQ(Json::parse(file), ledger);
  start();
  EXPECT_EQ(call("GET", "/v2/account").body["id"], account["id"]);
  EXPECT_EQ(call("GET", "/sim/ledger").body, ledger);
}

TEST_F(ServerTest, PortInUseIsOneClearError) {
  start();
  ServerConfig second = config_;
  second.port = port_;
  second.state_dir = dir_ + "/second";
  try {
    VenueServer taken(session_, second);
    FAIL() << "listens twice";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kResource);
    EXPECT_THAT(error.what(), HasSubstr(std::to_string(port_)));
  }
}

TEST_F(ServerTest, AnswerLatencyDelaysTheAnswerNotTheOrder) {
  config_.answer_latency_ns = 300 * kNanosPerMilli;
  start();
  market_open();
  const auto stream = listen();
  const Reply reply = post("a", "buy", "0.5", "60010");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body["status"], "pending_new") << "as it was when it was accepted";
  EXPECT_THAT(events(*stream), ElementsAre("pending_new", "new", "fill"))
      << "the stream was faster than the answer";
}

}  // namespace
}  // namespace sluice::sim::test
