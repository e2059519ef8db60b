// A whole simulator on a thread of its own, and clients of it on a loop of the test's thread.
//
// Every wait polls a condition with a generous deadline; no test sleeps or depends on how fast it
// is.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "common/net/http_pool.hpp"
#include "common/net/ws_client.hpp"
#include "tests/venue_sim/sim_fixtures.hpp"
#include "tools/venue_sim/server.hpp"

namespace sluice::sim::test {

using Json = nlohmann::json;

inline constexpr std::int64_t kFirst = 1'723'161'254'000'000'000;

// BTC/USD 60000 × 60010, one quote each `every_ms` of session time.
inline Session quotes(int count, std::int64_t every_ms) {
  Session session;
  session.symbols = {{"BTC/USD", px("0.01"), qty("0.00001"), qty("0.0001")}};
  for (int i = 0; i < count; ++i) {
    SessionRecord record{};
    record.send_ns = kFirst + i * every_ms * kNanosPerMilli;
    record.exchange_ns = record.send_ns;
    record.kind = SessionKind::kQuote;
    record.flags = kSessionLastOfEvent;
    record.a = dec("60000");
    record.b = dec("1") + i % 100 * dec("0.001");
    record.c = dec("60010");
    record.d = dec("2") + i % 100 * dec("0.001");
    record.id = static_cast<std::uint64_t>(i) + 1;
    session.records.push_back(record);
  }
  return session;
}

struct Reply {
  net::Outcome outcome{};
  int status{0};
  Json body{};
  std::string request_id{};
  std::string remaining{};
  std::string retry_after{};
  std::string text{};  // the body as it came
};

// One WebSocket and all it heard.
struct Stream {
  Stream(net::Loop& loop, std::uint16_t port, std::string_view path,
         std::vector<net::Header> headers = {}, bool in_msgpack = false)
      : msgpack(in_msgpack),
        client(loop, {"127.0.0.1", port, false}, std::string(path),
               {.headers = std::move(headers), .max_message_bytes = 8 << 20},
               {.on_message =
                    [this](std::string_view payload, bool is_binary, MonoNanos) {
                      heard.push_back(msgpack ? Json::from_msgpack(payload) : Json::parse(payload));
                      binary = is_binary;
                    },
                .on_closed =
                    [this](const net::WsClosed& how) {
                      closed = true;
                      http_status = how.http_status;
                    }}) {}

  void say(const Json& message) {
    if (!msgpack) {
      EXPECT_TRUE(client.send(message.dump()));
      return;
    }
    const auto bytes = Json::to_msgpack(message);
    EXPECT_TRUE(client.send({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, true));
  }

  std::vector<Json> heard;
  bool binary{false};
  bool closed{false};
  int http_status{0};  // of a refused upgrade
  bool msgpack;
  net::WsClient client;
};

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() {
    std::string name = (std::filesystem::temp_directory_path() / "sluice_venue_XXXXXX").string();
    dir_ = ::mkdtemp(name.data());
    config_.state_dir = dir_;
    config_.credentials = {"KEY", "SECRET"};
    config_.start_at_once = true;
    config_.seed = 5;
  }
  ~ServerTest() override {
    pool_.reset();
    stop();
    std::filesystem::remove_all(dir_);
  }

  void start(Session session = quotes(3'000, 10)) {
    session_ = std::move(session);
    server_ = std::make_unique<VenueServer>(session_, config_);
    port_ = server_->port();
    stop_ = false;
    thread_ = std::thread([this] { server_->run(stop_); });
    pool_ = std::make_unique<net::HttpPool>(
        loop_, net::Endpoint{"127.0.0.1", port_, false},
        net::PoolOptions{
            .answer_timeout_ns = 30 * kNanosPerSecond,
            .headers = {{"APCA-API-KEY-ID", "KEY"}, {"APCA-API-SECRET-KEY", "SECRET"}}});
  }
  void stop() {
    if (thread_.joinable()) {
      stop_ = true;
      thread_.join();
      server_.reset();
    }
  }

  template <class F>
  void until(F&& done, const char* what) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!done()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "waited in vain for " << what;
      loop_.service(10);
    }
  }

  Reply call(std::string_view method, std::string_view target, std::string_view body = {},
             net::HttpPool* pool = nullptr) {
    net::HttpPool& via = pool != nullptr ? *pool : *pool_;
    until([&] { return via.ready(net::Lane::kNormal); }, "a connection");
    std::optional<Reply> reply;
    EXPECT_TRUE(via.try_send(net::Lane::kNormal, {.method = method, .target = target, .body = body},
                             [&](const net::HttpAnswer& answer) {
                               reply = Reply{answer.outcome,
                                             answer.status,
                                             Json::parse(answer.body, nullptr, false),
                                             std::string(answer.header("x-request-id")),
                                             std::string(answer.header("x-ratelimit-remaining")),
                                             std::string(answer.header("retry-after")),
                                             std::string(answer.body)};
                             }));
    until([&] { return reply.has_value(); }, "an answer");
    return reply.value_or(Reply{});
  }
  Reply post(std::string_view id, std::string_view side, std::string_view qty,
             std::string_view limit, std::string_view tif = "gtc") {
    const Json order{{"symbol", "BTC/USD"},  {"side", side},         {"qty", qty},
                     {"type", "limit"},      {"limit_price", limit}, {"time_in_force", tif},
                     {"client_order_id", id}};
    return call("POST", "/v2/orders", order.dump());
  }

  // An order event stream that listens.
  std::unique_ptr<Stream> listen() {
    auto stream = std::make_unique<Stream>(loop_, port_, TradingHub::kPath);
    until([&] { return stream->client.state() == net::WsState::kOpen; }, "the order stream");
    stream->say({{"action", "auth"}, {"key", "KEY"}, {"secret", "SECRET"}});
    stream->say({{"action", "listen"}, {"data", {{"streams", {"trade_updates"}}}}});
    until([&] { return stream->heard.size() == 2; }, "listening");
    EXPECT_EQ(stream->heard[1]["stream"], "listening");
    stream->heard.clear();
    return stream;
  }
  // Waits until the market was quoted, so that orders find a book.
  void market_open() {
    until([&] { return call("GET", "/sim/status").body["events_sent"] > 0; }, "a quote");
  }
  static std::vector<std::string> events(const Stream& stream) {
    std::vector<std::string> words;
    words.reserve(stream.heard.size());
    for (const Json& frame : stream.heard) {
      words.push_back(frame["data"]["event"]);
    }
    return words;
  }

  std::string dir_;
  ServerConfig config_;
  Session session_;
  net::Loop loop_;
  std::unique_ptr<VenueServer> server_;
  std::uint16_t port_{0};
  std::atomic<bool> stop_{false};
  std::thread thread_;
  std::unique_ptr<net::HttpPool> pool_;
};

}  // namespace sluice::sim::test
