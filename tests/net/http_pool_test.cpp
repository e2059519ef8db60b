// The pool against the project's own server: what works. Faults are in http_pool_fault_test.cpp.
#include "common/net/http_pool.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "common/base/error.hpp"
#include "common/net/http_server.hpp"
#include "tests/net/support.hpp"

namespace sluice::net {
namespace {

using test::run_until;

struct Seen {
  std::string method, path, query, body, key, content_type;
  std::uint64_t connection;
};

class HttpPoolTest : public testing::Test {
 protected:
  void start(PoolOptions options = {}, ServerOptions server_options = {}) {
    server_.emplace(loop_, server_options, [this](const ServerRequest& request, Responder to) {
      seen_.push_back({std::string(request.method), std::string(request.path),
                       std::string(request.query), std::string(request.body),
                       std::string(request.header("apca-api-key-id")),
                       std::string(request.header("content-type")), request.connection});
      if (hold_) {
        held_.push_back(to);
      } else {
        to.answer({.status = status_, .body = body_});
      }
    });
    pool_.emplace(loop_, Endpoint{"127.0.0.1", server_->port(), false}, options);
    ASSERT_TRUE(run_until(loop_, [&] { return pool_->status().state == PoolState::kReady; }));
  }

  struct Result {
    Outcome outcome;
    int status;
    std::string body;
  };
  // Sends and turns the loop until the outcome is there.
  Result exchange(std::string_view method, std::string_view target, std::string_view body = {},
                  Lane lane = Lane::kNormal) {
    std::vector<Result> results;
    EXPECT_TRUE(pool_->try_send(
        lane, {.method = method, .target = target, .body = body}, [&](const HttpAnswer& answer) {
          results.push_back({answer.outcome, answer.status, std::string(answer.body)});
        }));
    EXPECT_TRUE(run_until(loop_, [&] { return !results.empty(); }));
    return results.empty() ? Result{} : results.front();
  }

  Loop loop_{};
  std::optional<HttpServer> server_{};
  std::optional<HttpPool> pool_{};
  std::vector<Seen> seen_{};
  std::vector<Responder> held_{};
  bool hold_{false};
  int status_{200};
  std::string body_{"{\"ok\":true}"};
};

TEST_F(HttpPoolTest, KeepsItsConnectionsThroughHundredsOfRequestsOfEveryMethod) {
  start({.connections = 1, .headers = {{"APCA-API-KEY-ID", "key"}}});
  const std::vector<std::string> methods = {"GET", "POST", "PATCH", "PUT", "DELETE"};
  for (int i = 0; i < 500; ++i) {
    const std::string& method = methods[static_cast<std::size_t>(i) % methods.size()];
    const std::string body = method == "GET" || method == "DELETE" ? "" : "{\"n\":1}";
    const Result result = exchange(method, "/v2/orders/" + std::to_string(i) + "?a=b%2Fc", body);
    ASSERT_EQ(result.outcome, Outcome::kAnswered);
    EXPECT_EQ(result.status, 200);
    EXPECT_EQ(result.body, body_);
    EXPECT_EQ(seen_.back().method, method);
    EXPECT_EQ(seen_.back().path, "/v2/orders/" + std::to_string(i));
    EXPECT_EQ(seen_.back().query, "a=b%2Fc");
    EXPECT_EQ(seen_.back().body, body);
    EXPECT_EQ(seen_.back().key, "key");
    EXPECT_EQ(seen_.back().content_type, body.empty() ? "" : "application/json");
    EXPECT_EQ(seen_.back().connection, seen_.front().connection);
  }
  EXPECT_EQ(seen_.size(), 500U);
  EXPECT_EQ(pool_->counters().connects, 2U);  // the normal one and the one kept for cancels
}

TEST_F(HttpPoolTest, DeleteWithAndWithoutBodyIsAnswered204OnOneConnection) {
  start({.connections = 1});
  status_ = 204;
  for (const char* body : {"", "{}", "", "{\"a\":1}"}) {
    const Result result = exchange("DELETE", "/v2/orders/1", body);
    EXPECT_EQ(result.outcome, Outcome::kAnswered);
    EXPECT_EQ(result.status, 204);
    EXPECT_EQ(result.body, "");
    EXPECT_EQ(seen_.back().body, body);
    EXPECT_EQ(seen_.back().connection, seen_.front().connection);
  }
}

TEST_F(HttpPoolTest, PostPatchAndPutWithoutBodySayLengthZero) {
  start({.connections = 1});
  for (const char* method : {"POST", "PATCH", "PUT"}) {
    EXPECT_EQ(exchange(method, "/x").status, 200);
    EXPECT_EQ(seen_.back().body, "");
  }
}

TEST_F(HttpPoolTest, LargeAnswersAndRequestsArriveWhole) {
  start({.connections = 1, .request_limit_bytes = 64 * 1024});
  for (int i = 0; i < 3'000'000; ++i)
    body_.push_back(static_cast<char>('a' + i % 26));
  const std::string request(60'000, 'r');
  const Result result = exchange("POST", "/large", request);
  EXPECT_EQ(result.outcome, Outcome::kAnswered);
  EXPECT_EQ(result.body, body_);
  EXPECT_EQ(seen_.back().body, request);
}

TEST_F(HttpPoolTest, AnswerHeadersAreFoundInAnyCase) {
  server_.emplace(loop_, ServerOptions{}, [](const ServerRequest&, Responder to) {
    const HeaderView headers[] = {{"X-RateLimit-Remaining", "199"}, {"X-Request-ID", "abc"}};
    to.answer({.status = 429, .headers = headers});
  });
  pool_.emplace(loop_, Endpoint{"127.0.0.1", server_->port(), false}, PoolOptions{});
  ASSERT_TRUE(run_until(loop_, [&] { return pool_->ready(Lane::kNormal); }));
  bool done = false;
  ASSERT_TRUE(pool_->try_send(Lane::kNormal, {.method = "GET", .target = "/"},
                              [&](const HttpAnswer& answer) {
                                EXPECT_EQ(answer.status, 429);
                                EXPECT_EQ(answer.header("x-ratelimit-remaining"), "199");
                                EXPECT_EQ(answer.header("X-REQUEST-ID"), "abc");
                                EXPECT_EQ(answer.header("absent"), "");
                                done = true;
                              }));
  EXPECT_TRUE(run_until(loop_, [&] { return done; }));
}

TEST_F(HttpPoolTest, StampsLieInOrderAroundTheWire) {
  start();
  const MonoNanos before = loop_.now();
  MonoNanos wire{};
  MonoNanos answered{};
  ASSERT_TRUE(pool_->try_send(Lane::kNormal, {.method = "GET", .target = "/"},
                              [&](const HttpAnswer& answer) {
                                wire = answer.wire_ns;
                                answered = answer.answer_ns;
                              }));
  ASSERT_TRUE(run_until(loop_, [&] { return answered.ns != 0; }));
  EXPECT_GE(wire.ns, before.ns);
  EXPECT_GT(answered.ns, wire.ns);
  EXPECT_GE(loop_.now().ns, answered.ns);
}

TEST_F(HttpPoolTest, RefusesWhenEveryNormalConnectionIsBusyAndKeepsOneForCancels) {
  start({.connections = 2, .cancel_connections = 1});
  hold_ = true;
  int answered = 0;
  const auto count = [&](const HttpAnswer&) { ++answered; };
  const HttpRequest order{.method = "POST", .target = "/v2/orders", .body = "{}"};
  EXPECT_TRUE(pool_->try_send(Lane::kNormal, order, count));
  EXPECT_TRUE(pool_->try_send(Lane::kNormal, order, count));
  EXPECT_FALSE(pool_->ready(Lane::kNormal));
  EXPECT_FALSE(pool_->try_send(Lane::kNormal, order, count));
  EXPECT_TRUE(pool_->ready(Lane::kCancel));
  EXPECT_TRUE(pool_->try_send(Lane::kCancel, {.method = "DELETE", .target = "/1"}, count));
  EXPECT_FALSE(pool_->try_send(Lane::kCancel, {.method = "DELETE", .target = "/2"}, count));
  EXPECT_EQ(pool_->counters().refused, 2U);
  ASSERT_TRUE(run_until(loop_, [&] { return held_.size() == 3; }));
  for (Responder& to : held_)
    EXPECT_TRUE(to.answer({.status = 200, .body = "{}"}));
  EXPECT_TRUE(run_until(loop_, [&] { return answered == 3; }));
  EXPECT_EQ(seen_.size(), 3U);
}

TEST_F(HttpPoolTest, CancelsTakeFreeNormalConnectionsWhenTheirOwnIsBusy) {
  start({.connections = 1, .cancel_connections = 1});
  hold_ = true;
  const auto ignore = [](const HttpAnswer&) {};
  EXPECT_TRUE(pool_->try_send(Lane::kCancel, {.method = "DELETE", .target = "/1"}, ignore));
  EXPECT_TRUE(pool_->try_send(Lane::kCancel, {.method = "DELETE", .target = "/2"}, ignore));
  EXPECT_FALSE(pool_->try_send(Lane::kCancel, {.method = "DELETE", .target = "/3"}, ignore));
}

TEST_F(HttpPoolTest, NeverWaitsBehindAConnect) {
  test::RawServer server;
  HttpPool pool(loop_, server.endpoint(), {});
  EXPECT_FALSE(pool.ready(Lane::kCancel));
  EXPECT_FALSE(
      pool.try_send(Lane::kCancel, {.method = "GET", .target = "/"},
                    [](const HttpAnswer&) { FAIL() << "refused requests have no outcome"; }));
}

TEST_F(HttpPoolTest, CallbackMaySendTheNextRequestOnTheSameConnection) {
  start({.connections = 1});
  int left = 50;
  std::function<void(const HttpAnswer&)> next = [&](const HttpAnswer& answer) {
    EXPECT_EQ(answer.outcome, Outcome::kAnswered);
    if (--left > 0) {
      EXPECT_TRUE(pool_->try_send(Lane::kNormal, {.method = "GET", .target = "/"}, next));
    }
  };
  ASSERT_TRUE(pool_->try_send(Lane::kNormal, {.method = "GET", .target = "/"}, next));
  EXPECT_TRUE(run_until(loop_, [&] { return left == 0; }));
}

TEST_F(HttpPoolTest, RequestsThatWouldBreakTheHeadAreRefused) {
  start({.request_limit_bytes = 1'024});
  const auto fail = [](const HttpAnswer&) { FAIL() << "must not be sent"; };
  const HeaderView split{"X-A", "1\r\nX-B: 2"};
  EXPECT_FALSE(pool_->try_send(Lane::kNormal, {.method = "GET", .target = "/ HTTP/1.1"}, fail));
  EXPECT_FALSE(pool_->try_send(Lane::kNormal, {.method = "GET", .target = "/\r\nX: 1"}, fail));
  EXPECT_FALSE(pool_->try_send(Lane::kNormal,
                               {.method = "GET", .target = "/", .headers = {&split, 1}}, fail));
  const std::string large(2'000, 'x');
  EXPECT_FALSE(
      pool_->try_send(Lane::kNormal, {.method = "POST", .target = "/", .body = large}, fail));
  test::turn(loop_, 20);
  EXPECT_TRUE(seen_.empty());
  EXPECT_TRUE(pool_->ready(Lane::kNormal));
}

TEST_F(HttpPoolTest, ServerThatClosesAfterEachAnswerIsServedByReconnecting) {
  server_.emplace(loop_, ServerOptions{}, [](const ServerRequest&, Responder to) {
    to.answer_then_close({.status = 200, .body = "{}"});
  });
  pool_.emplace(loop_, Endpoint{"127.0.0.1", server_->port(), false},
                PoolOptions{.connections = 1, .reconnect = {.first_ns = 1'000'000}});
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(run_until(loop_, [&] { return pool_->ready(Lane::kNormal); }));
    EXPECT_EQ(exchange("GET", "/").outcome, Outcome::kAnswered);
  }
  EXPECT_EQ(pool_->counters().unknown, 0U);
}

TEST(HttpPool, TlsAndOptionsOutOfRangeAreConfigurationErrors) {
  Loop loop;
  EXPECT_THROW(HttpPool(loop, {"127.0.0.1", 443, true}, {}), Error);
  EXPECT_THROW(HttpPool(loop, {"127.0.0.1", 0, false}, {}), Error);
  EXPECT_THROW(HttpPool(loop, {"127.0.0.1", 80, false}, {.connections = 0}), Error);
  EXPECT_THROW(HttpPool(loop, {"127.0.0.1", 80, false}, {.cancel_connections = 0}), Error);
}

TEST(HttpPool, ErrorAboutAHeaderDoesNotContainItsValue) {
  Loop loop;
  try {
    const HttpPool pool(loop, {"127.0.0.1", 80, false}, {.headers = {{"Key", "secret\nmore"}}});
    FAIL() << "the header was not refused";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("Key"), std::string::npos);
    EXPECT_EQ(std::string(error.what()).find("secret"), std::string::npos);
  }
}

TEST(HttpPool, VenueThatIsNotThereIsTriedWithinTheBudgetAndThenGivenUp) {
  Loop loop;
  test::RawServer server;
  const Endpoint nobody = server.endpoint();
  server.stop();
  HttpPool pool(loop, nobody,
                {.connections = 1,
                 .reconnect = {.first_ns = 1'000'000, .max_ns = 2'000'000, .max_failures = 3}});
  ASSERT_TRUE(run_until(loop, [&] { return pool.status().state == PoolState::kGaveUp; }));
  EXPECT_EQ(pool.status().consecutive_failures, 3U);
  EXPECT_EQ(pool.counters().connect_failures, 6U);  // two connections, three attempts each
  EXPECT_NE(pool.last_error().find("127.0.0.1"), std::string::npos);
  pool.retry();
  EXPECT_EQ(pool.status().state, PoolState::kConnecting);
}

}  // namespace
}  // namespace sluice::net
