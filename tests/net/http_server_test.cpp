// The server against raw sockets: bytes no well-behaved client sends.
#include "common/net/http_server.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/net/support.hpp"

namespace sluice::net {
namespace {

using test::RawPeer;
using test::run_until;

class HttpServerTest : public testing::Test {
 protected:
  void start(ServerOptions options = {}) {
    server_.emplace(loop_, options, [this](const ServerRequest& request, Responder to) {
      targets_.emplace_back(std::string(request.path) + "|" + std::string(request.query) + "|" +
                            std::string(request.body));
      responders_.push_back(to);
      if (answer_at_once_)
        to.answer({.body = "{}"});
    });
  }
  RawPeer connect() { return RawPeer::connect_to(server_->port()); }
  void expect_received(RawPeer& peer, std::string_view text) {
    EXPECT_TRUE(run_until(
        loop_, [&] { return peer.received().find(text) != std::string::npos || peer.ended(); }));
    EXPECT_NE(peer.received().find(text), std::string::npos) << peer.received();
  }

  Loop loop_{};
  std::optional<HttpServer> server_{};
  std::vector<std::string> targets_{};
  std::vector<Responder> responders_{};
  bool answer_at_once_{true};
};

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

TEST_F(HttpServerTest, TargetArrivesUndecodedAndSplitAtTheFirstQuestionMark) {
  start();
  RawPeer peer = connect();
  peer.say(
      "GET /v2/positions/BTC%2FUSD?after=2024-01-01T00%3A00%3A00%2B00:00&a=?b HTTP/1.1\r\n"
      "Host: x\r\n\r\n");
  expect_received(peer, "200 OK");
  EXPECT_EQ(targets_.at(0), "/v2/positions/BTC%2FUSD|after=2024-01-01T00%3A00%3A00%2B00:00&a=?b|");
}

TEST_F(HttpServerTest, ChunkedRequestBodyIsDecoded) {
  start();
  RawPeer peer = connect();
  peer.say(
      "POST /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  expect_received(peer, "200 OK");
  EXPECT_EQ(targets_.at(0), "/p||abcde");
}

TEST_F(HttpServerTest, PipelinedRequestsAreHandledOneAfterTheOther) {
  start();
  answer_at_once_ = false;
  RawPeer peer = connect();
  peer.say(
      "POST /1 HTTP/1.1\r\nContent-Length: 3\r\n\r\noneGET /2 HTTP/1.1\r\n\r\n"
      "PATCH /3 HTTP/1.1\r\nContent-Length: 5\r\n\r\nthree");
  for (std::size_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(run_until(loop_, [&] { return responders_.size() == i + 1; }));
    test::turn(loop_, 20);
    EXPECT_EQ(responders_.size(), i + 1);  // the next one waits for this answer
    EXPECT_TRUE(responders_.back().answer({.body = std::to_string(i)}));
  }
  EXPECT_EQ(targets_, (std::vector<std::string>{"/1||one", "/2||", "/3||three"}));
  expect_received(peer, "\r\n\r\n2");
}

TEST_F(HttpServerTest, NextRequestWaitsUntilTheLastAnswerHasLeft) {
  start();
  answer_at_once_ = false;
  RawPeer peer = connect();
  peer.say(kGet);
  ASSERT_TRUE(run_until(loop_, [&] { return responders_.size() == 1; }));
  const std::string large(16 << 20, 'x');  // more than the sockets of both sides hold
  EXPECT_TRUE(responders_[0].answer({.body = large}));
  peer.say(kGet);
  test::turn(loop_, 500);
  EXPECT_EQ(responders_.size(), 1U);
  EXPECT_TRUE(run_until(loop_, [&] {
    peer.received();
    return responders_.size() == 2;
  }));
}

TEST_F(HttpServerTest, RequestInSingleBytesIsJoined) {
  start();
  RawPeer peer = connect();
  for (const char c : std::string("DELETE /d HTTP/1.1\r\nContent-Length: 2\r\n\r\nok")) {
    peer.say({&c, 1});
    test::turn(loop_, 2);
  }
  expect_received(peer, "200 OK");
  EXPECT_EQ(targets_.at(0), "/d||ok");
}

TEST_F(HttpServerTest, BodyOverTheLimitIs413ThoughTheClientIsStillSending) {
  start({.body_limit_bytes = 1'000});
  RawPeer peer = connect();
  peer.say("POST /p HTTP/1.1\r\nContent-Length: 200000\r\n\r\n" + std::string(100'000, 'x'));
  expect_received(peer, "HTTP/1.1 413 ");
  EXPECT_TRUE(run_until(loop_, [&] { return peer.ended(); }));
  EXPECT_FALSE(peer.was_reset());  // the answer could be read in peace
  EXPECT_TRUE(targets_.empty());
}

TEST_F(HttpServerTest, ChunkedBodyOverTheLimitIs413) {
  start({.body_limit_bytes = 10});
  RawPeer peer = connect();
  peer.say("POST /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n0123456789abcdef\r\n");
  expect_received(peer, "HTTP/1.1 413 ");
}

TEST_F(HttpServerTest, HeadOverTheLimitIs431) {
  start({.header_limit_bytes = 512});
  RawPeer peer = connect();
  peer.say("GET / HTTP/1.1\r\nX: " + std::string(600, 'x') + "\r\n\r\n");
  expect_received(peer, "HTTP/1.1 431 ");
}

TEST_F(HttpServerTest, GarbageIs400AndTheEndOfTheConnection) {
  start();
  RawPeer peer = connect();
  peer.say("this is not HTTP\r\n\r\n");
  expect_received(peer, "HTTP/1.1 400 ");
  EXPECT_TRUE(run_until(loop_, [&] { return peer.ended(); }));
  EXPECT_EQ(server_->counters().malformed, 1U);
}

TEST_F(HttpServerTest, ExpectContinueIsAnsweredBeforeTheBody) {
  start();
  RawPeer peer = connect();
  peer.say("POST /p HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  expect_received(peer, "HTTP/1.1 100 Continue\r\n\r\n");
  peer.say("{}");
  expect_received(peer, "200 OK");
}

TEST_F(HttpServerTest, ConnectionCloseOfTheClientIsHonoured) {
  start();
  RawPeer peer = connect();
  peer.say("GET /a HTTP/1.1\r\nConnection: close\r\n\r\n");
  expect_received(peer, "200 OK");
  EXPECT_TRUE(run_until(loop_, [&] { return peer.ended(); }));
  EXPECT_NE(peer.received().find("Connection: close"), std::string::npos);
  peer.close();
  EXPECT_TRUE(run_until(loop_, [&] { return server_->open_connections() == 0; }));
}

TEST_F(HttpServerTest, AnswerMayComeLaterAndOnlyOnce) {
  start();
  answer_at_once_ = false;
  RawPeer peer = connect();
  peer.say(kGet);
  ASSERT_TRUE(run_until(loop_, [&] { return !responders_.empty(); }));
  test::turn(loop_, 20);
  EXPECT_EQ(peer.received(), "");
  EXPECT_TRUE(responders_[0].alive());
  EXPECT_TRUE(responders_[0].answer({.status = 422, .body = "{\"code\":40010001}"}));
  EXPECT_FALSE(responders_[0].answer({.body = "twice"}));
  EXPECT_FALSE(responders_[0].alive());
  expect_received(peer, "HTTP/1.1 422 Unprocessable Entity\r\n");
}

TEST_F(HttpServerTest, Answer204HasNeitherLengthNorBody) {
  start();
  answer_at_once_ = false;
  RawPeer peer = connect();
  peer.say("DELETE /a HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(run_until(loop_, [&] { return !responders_.empty(); }));
  EXPECT_TRUE(responders_[0].answer({.status = 204, .body = "dropped"}));
  expect_received(peer, "HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(peer.received(), "HTTP/1.1 204 No Content\r\n\r\n");
}

TEST_F(HttpServerTest, CutIsAResetWithoutAnAnswer) {
  start();
  answer_at_once_ = false;
  RawPeer peer = connect();
  peer.say(kGet);
  ASSERT_TRUE(run_until(loop_, [&] { return !responders_.empty(); }));
  EXPECT_TRUE(responders_[0].cut());
  EXPECT_TRUE(run_until(loop_, [&] { return peer.was_reset(); }));
  EXPECT_EQ(peer.received(), "");
  EXPECT_FALSE(responders_[0].cut());
}

TEST_F(HttpServerTest, RawBytesInsteadOfAnAnswerLeaveWholeBeforeTheEnd) {
  start();
  answer_at_once_ = false;
  RawPeer peer = connect();
  peer.say(kGet);
  ASSERT_TRUE(run_until(loop_, [&] { return !responders_.empty(); }));
  EXPECT_TRUE(responders_[0].raw_then_close("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"tru"));
  EXPECT_TRUE(run_until(loop_, [&] { return peer.ended(); }));
  EXPECT_EQ(peer.received(), "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"tru");
}

TEST_F(HttpServerTest, ResponderOfALostConnectionOrServerDoesNothing) {
  start();
  answer_at_once_ = false;
  RawPeer peer = connect();
  peer.say(kGet);
  ASSERT_TRUE(run_until(loop_, [&] { return !responders_.empty(); }));
  peer.reset();
  ASSERT_TRUE(run_until(loop_, [&] { return server_->open_connections() == 0; }));
  EXPECT_FALSE(responders_[0].answer({.body = "late"}));
  server_.reset();
  EXPECT_FALSE(responders_[0].alive());
  EXPECT_FALSE(Responder().answer({}));
}

TEST_F(HttpServerTest, ConnectionsOverTheLimitAreRefused) {
  start({.max_connections = 2});
  RawPeer first = connect();
  RawPeer second = connect();
  RawPeer third = connect();
  EXPECT_TRUE(run_until(loop_, [&] { return third.was_reset(); }));
  first.say(kGet);
  expect_received(first, "200 OK");
  EXPECT_EQ(server_->counters().refused_connections, 1U);
}

TEST(HttpServer, SocketsOverTheLimitOfTheLoopAreRefusedAndTheRestGoesOn) {
  Loop loop({}, {.max_sockets = 8});
  HttpServer server(loop, {}, {});
  std::vector<RawPeer> peers;
  for (int i = 0; i < 20; ++i)
    peers.push_back(RawPeer::connect_to(server.port()));
  ASSERT_TRUE(run_until(loop, [&] { return server.counters().refused_connections > 0; }));
  const std::size_t open = server.open_connections();
  EXPECT_LT(open, 8U);
  EXPECT_GT(open, 0U);
  peers[0].say(kGet);
  EXPECT_TRUE(run_until(loop, [&] { return !peers[0].received().empty(); }));
  peers.clear();
  EXPECT_TRUE(run_until(loop, [&] { return server.open_connections() == 0; }));
}

TEST_F(HttpServerTest, ConnectionThatSaysNothingIsClosed) {
  start({.idle_timeout_ns = 20'000'000});
  RawPeer peer = connect();
  EXPECT_TRUE(run_until(loop_, [&] { return peer.ended(); }));
}

TEST_F(HttpServerTest, IdleTimeBeginsAgainWithTheAnswer) {
  constexpr std::int64_t kIdleNs = 20'000'000;
  start({.idle_timeout_ns = kIdleNs});
  answer_at_once_ = false;
  RawPeer peer = connect();
  peer.say(kGet);
  ASSERT_TRUE(run_until(loop_, [&] { return !responders_.empty(); }));
  const MonoNanos asked = loop_.now();
  ASSERT_TRUE(run_until(loop_, [&] { return loop_.now().ns - asked.ns > 3 * kIdleNs; }));
  const MonoNanos answered = loop_.now();
  ASSERT_TRUE(responders_[0].answer({.body = "{}"}));
  ASSERT_TRUE(run_until(loop_, [&] { return peer.ended(); }));
  EXPECT_GE(loop_.now().ns - answered.ns, kIdleNs);
  EXPECT_NE(peer.received().find("200 OK"), std::string::npos);
}

TEST_F(HttpServerTest, PeerThatPipelinesWithoutEndIsCut) {
  start({.header_limit_bytes = 1'024, .body_limit_bytes = 1'024});
  answer_at_once_ = false;
  RawPeer peer = connect();
  peer.say(kGet);
  ASSERT_TRUE(run_until(loop_, [&] { return !responders_.empty(); }));
  const std::string flood(100'000, 'x');
  EXPECT_TRUE(run_until(loop_, [&] {
    (void)::send(peer.fd(), flood.data(), flood.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return server_->open_connections() == 0;
  }));
  EXPECT_FALSE(responders_[0].alive());
}

TEST_F(HttpServerTest, CutAllEndsEveryConnection) {
  start();
  RawPeer first = connect();
  RawPeer second = connect();
  ASSERT_TRUE(run_until(loop_, [&] { return server_->open_connections() == 2; }));
  server_->cut_all();
  EXPECT_TRUE(run_until(loop_, [&] { return first.was_reset() && second.was_reset(); }));
  EXPECT_TRUE(run_until(loop_, [&] { return server_->open_connections() == 0; }));
}

}  // namespace
}  // namespace sluice::net
