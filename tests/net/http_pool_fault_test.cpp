// The pool against a peer that misbehaves: every outcome is exactly what was proved, nothing is
// sent twice.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "common/net/http_pool.hpp"
#include "tests/net/support.hpp"

namespace sluice::net {
namespace {

using test::RawPeer;
using test::run_until;

class HttpPoolFaultTest : public testing::Test {
 protected:
  struct Result {
    Outcome outcome;
    int status;
    std::string body;
    std::string why;
    MonoNanos wire;
  };

  // One normal connection; `kept_` is the other one, for cancels.
  void connect(PoolOptions options = {}) {
    options.connections = 1;
    options.cancel_connections = 1;
    options.reconnect = {.first_ns = 1'000'000, .max_ns = 1'000'000'000};
    pool_.emplace(loop_, server_.endpoint(), options);
    peer_ = test::accept_one(loop_, server_);
    kept_ = test::accept_one(loop_, server_);
    ASSERT_TRUE(run_until(loop_, [&] { return pool_->status().state == PoolState::kReady; }));
  }

  [[nodiscard]] bool post(MayWriteFn may_write = {}, MonoNanos deadline = {}) {
    return pool_->try_send(
        Lane::kNormal,
        {.method = "POST", .target = "/v2/orders", .body = "{\"id\":1}", .deadline = deadline},
        [this](const HttpAnswer& answer) {
          results_.push_back({answer.outcome, answer.status, std::string(answer.body), answer.why,
                              answer.wire_ns});
        },
        std::move(may_write));
  }
  // Sends and waits until the peer has the whole request.
  void post_until_received() {
    ASSERT_TRUE(post());
    ASSERT_TRUE(
        run_until(loop_, [&] { return peer_.received().find("{\"id\":1}") != std::string::npos; }));
  }
  void expect_one(Outcome outcome) {
    ASSERT_TRUE(run_until(loop_, [&] { return !results_.empty(); }));
    test::turn(loop_, 50);
    ASSERT_EQ(results_.size(), 1U);
    EXPECT_EQ(results_[0].outcome, outcome) << results_[0].why;
  }
  // Whatever connects next gets nothing written to it: nothing is resent.
  void expect_nothing_resent() {
    RawPeer next = test::accept_one(loop_, server_);
    ASSERT_TRUE(run_until(loop_, [&] { return pool_->status().state == PoolState::kReady; }));
    test::turn(loop_, 100);
    EXPECT_EQ(next.received(), "");
    EXPECT_EQ(kept_.received(), "");
    EXPECT_EQ(pool_->counters().written, 1U);
  }

  Loop loop_{};
  test::RawServer server_{};
  std::optional<HttpPool> pool_{};
  RawPeer peer_{};
  RawPeer kept_{};
  std::vector<Result> results_{};
};

TEST_F(HttpPoolFaultTest, ConnectionClosedBeforeTheAnswerIsUnknownOnceAndNeverResent) {
  connect();
  post_until_received();
  peer_.close();
  expect_one(Outcome::kUnknown);
  expect_nothing_resent();
}

TEST_F(HttpPoolFaultTest, ConnectionResetBeforeTheAnswerIsUnknownOnceAndNeverResent) {
  connect();
  post_until_received();
  peer_.reset();
  expect_one(Outcome::kUnknown);
  expect_nothing_resent();
}

TEST_F(HttpPoolFaultTest, ConnectionClosedInTheMiddleOfTheAnswerIsUnknown) {
  connect();
  post_until_received();
  peer_.say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345");
  peer_.finish_writing();
  expect_one(Outcome::kUnknown);
}

TEST_F(HttpPoolFaultTest, StaleKeepAliveConnectionClosedBeforeTheWriteIsNotSent) {
  connect();
  peer_.close();
  // The FIN is there before the request: the same turn of the loop sees the end first.
  ASSERT_TRUE(post());
  expect_one(Outcome::kNotSent);
  EXPECT_EQ(results_[0].wire.ns, 0);
  EXPECT_EQ(pool_->counters().written, 0U);
}

TEST_F(HttpPoolFaultTest, RefusalRightBeforeTheWriteIsNotSentAndKeepsTheConnection) {
  connect();
  int asked = 0;
  ASSERT_TRUE(post([&asked] {
    ++asked;
    return false;
  }));
  expect_one(Outcome::kNotSent);
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(results_[0].wire.ns, 0);
  EXPECT_EQ(peer_.received(), "");
  EXPECT_TRUE(pool_->ready(Lane::kNormal));
}

TEST_F(HttpPoolFaultTest, DeadlineThatPassedBeforeTheWriteIsNotSent) {
  connect();
  ASSERT_TRUE(post({}, MonoNanos{loop_.now().ns - 1}));
  expect_one(Outcome::kNotSent);
  EXPECT_EQ(peer_.received(), "");
  EXPECT_TRUE(pool_->ready(Lane::kNormal));
}

TEST_F(HttpPoolFaultTest, InformationalAnswersAreSkipped) {
  connect();
  post_until_received();
  peer_.say("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n");
  test::turn(loop_, 20);
  EXPECT_TRUE(results_.empty());
  peer_.say("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
  expect_one(Outcome::kAnswered);
  EXPECT_EQ(results_[0].status, 200);
  EXPECT_EQ(results_[0].body, "{}");
  EXPECT_TRUE(pool_->ready(Lane::kNormal));
}

TEST_F(HttpPoolFaultTest, EndlessInformationalAnswersAreUnknown) {
  connect();
  post_until_received();
  for (int i = 0; i < 40; ++i)
    peer_.say("HTTP/1.1 100 Continue\r\n\r\n");
  expect_one(Outcome::kUnknown);
  EXPECT_EQ(pool_->counters().malformed_answers, 1U);
}

TEST_F(HttpPoolFaultTest, EndlessChunkExtensionIsUnknownAndBounded) {
  connect({.header_limit_bytes = 1'024});
  post_until_received();
  peer_.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;");
  const std::string extension(10'000, 'x');
  for (int i = 0; i < 10 && !peer_.ended(); ++i) {
    peer_.say(extension);
    test::turn(loop_, 20);
  }
  expect_one(Outcome::kUnknown);
  EXPECT_EQ(pool_->counters().malformed_answers, 1U);
}

TEST_F(HttpPoolFaultTest, AnswerInSingleBytesIsJoined) {
  connect();
  post_until_received();
  const std::string answer =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
  for (const char c : answer) {
    peer_.say({&c, 1});
    test::turn(loop_, 2);
  }
  expect_one(Outcome::kAnswered);
  EXPECT_EQ(results_[0].body, "abcde");
  EXPECT_TRUE(pool_->ready(Lane::kNormal));
}

TEST_F(HttpPoolFaultTest, BodyWithoutLengthEndsWithTheConnection) {
  connect();
  post_until_received();
  peer_.say("HTTP/1.1 200 OK\r\n\r\nall of it");
  test::turn(loop_, 20);
  EXPECT_TRUE(results_.empty());
  peer_.close();
  expect_one(Outcome::kAnswered);
  EXPECT_EQ(results_[0].body, "all of it");
}

TEST_F(HttpPoolFaultTest, BodyWithoutLengthThatEndsByResetIsUnknown) {
  connect();
  post_until_received();
  peer_.say("HTTP/1.1 200 OK\r\n\r\npart of it");
  test::turn(loop_, 20);
  peer_.reset();
  expect_one(Outcome::kUnknown);
}

TEST_F(HttpPoolFaultTest, GarbageIsUnknownAndTheConnectionIsReset) {
  connect();
  post_until_received();
  peer_.say("<html>no HTTP here</html>\r\n\r\n");
  expect_one(Outcome::kUnknown);
  EXPECT_TRUE(run_until(loop_, [&] { return peer_.was_reset(); }));
  EXPECT_EQ(pool_->counters().malformed_answers, 1U);
  expect_nothing_resent();
}

TEST_F(HttpPoolFaultTest, SwitchingProtocolsIsNoAnswer) {
  connect();
  post_until_received();
  peer_.say("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n");
  expect_one(Outcome::kUnknown);
}

TEST_F(HttpPoolFaultTest, HeadOverItsLimitIsUnknown) {
  connect({.header_limit_bytes = 1'024});
  post_until_received();
  peer_.say("HTTP/1.1 200 OK\r\nX-Long: " + std::string(2'000, 'x') + "\r\n\r\n");
  expect_one(Outcome::kUnknown);
  EXPECT_EQ(pool_->counters().malformed_answers, 1U);
}

TEST_F(HttpPoolFaultTest, HeadThatNeverEndsIsUnknown) {
  connect({.header_limit_bytes = 1'024});
  post_until_received();
  peer_.say("HTTP/1.1 200 OK\r\nX-Long: " + std::string(2'000, 'x'));
  expect_one(Outcome::kUnknown);
}

TEST_F(HttpPoolFaultTest, BodyOverItsLimitIsUnknownWhetherAnnouncedOrNot) {
  connect({.body_limit_bytes = 100});
  post_until_received();
  peer_.say("HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n");
  expect_one(Outcome::kUnknown);
  results_.clear();
  peer_ = test::accept_one(loop_, server_);
  ASSERT_TRUE(run_until(loop_, [&] { return pool_->ready(Lane::kNormal); }));
  post_until_received();
  peer_.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n70\r\n" + std::string(0x70, 'x') +
            "\r\n0\r\n\r\n");
  expect_one(Outcome::kUnknown);
}

TEST_F(HttpPoolFaultTest, BytesWithNoRequestOutstandingCloseTheConnection) {
  connect();
  peer_.say("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
  ASSERT_TRUE(run_until(loop_, [&] { return pool_->counters().unsolicited_closes == 1; }));
  EXPECT_TRUE(run_until(loop_, [&] { return peer_.ended(); }));
  EXPECT_TRUE(results_.empty());
}

TEST_F(HttpPoolFaultTest, BytesBehindAnAnswerAreNotTakenForTheNextOne) {
  connect();
  post_until_received();
  peer_.say(
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
      "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{1}");
  expect_one(Outcome::kAnswered);
  EXPECT_EQ(results_[0].body, "{}");
  EXPECT_EQ(pool_->counters().unsolicited_closes, 1U);
  EXPECT_TRUE(run_until(loop_, [&] { return peer_.was_reset(); }));
}

TEST_F(HttpPoolFaultTest, NoAnswerInTimeResetsTheConnectionBeforeTheOutcomeIsTold) {
  connect({.answer_timeout_ns = 20'000'000});
  bool ended_when_told = false;
  ASSERT_TRUE(pool_->try_send(Lane::kNormal, {.method = "GET", .target = "/"},
                              [&](const HttpAnswer& answer) {
                                EXPECT_EQ(answer.outcome, Outcome::kUnknown);
                                ended_when_told = peer_.was_reset();
                                results_.push_back({});
                              }));
  ASSERT_TRUE(run_until(loop_, [&] { return !results_.empty(); }));
  EXPECT_TRUE(ended_when_told);
}

TEST_F(HttpPoolFaultTest, ResetAllMakesWrittenUnknownAndUnwrittenNotSent) {
  connect();
  post_until_received();
  Outcome cancel_outcome = Outcome::kAnswered;
  ASSERT_TRUE(pool_->try_send(Lane::kCancel, {.method = "DELETE", .target = "/1"},
                              [&](const HttpAnswer& a) { cancel_outcome = a.outcome; }));
  pool_->reset_all();  // the loop did not turn: the cancel is not written
  EXPECT_TRUE(peer_.was_reset());
  EXPECT_TRUE(results_.empty());  // callbacks come from the loop only
  expect_one(Outcome::kUnknown);
  EXPECT_EQ(cancel_outcome, Outcome::kNotSent);
  EXPECT_EQ(kept_.received(), "");
  EXPECT_TRUE(kept_.was_reset());
  EXPECT_TRUE(run_until(loop_, [&] { return pool_->status().state == PoolState::kReady; }));
}

TEST_F(HttpPoolFaultTest, AnswerThatWasQueuedBehindResetAllIsNeverDelivered) {
  connect();
  post_until_received();
  peer_.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
  pool_->reset_all();
  expect_one(Outcome::kUnknown);
}

TEST_F(HttpPoolFaultTest, ResetFromAnotherThreadStopsTheBytesAndTheOutcomesFollow) {
  connect();
  ASSERT_TRUE(post());  // queued, the loop does not turn: as if the network thread hung
  std::thread hot([&] { pool_->reset_from_other_thread(); });
  hot.join();
  EXPECT_TRUE(peer_.was_reset());
  EXPECT_TRUE(kept_.was_reset());
  ASSERT_TRUE(run_until(loop_, [&] { return !results_.empty(); }));
  EXPECT_NE(results_[0].outcome, Outcome::kAnswered);
  EXPECT_EQ(peer_.received(), "");
  EXPECT_TRUE(run_until(loop_, [&] { return pool_->status().state == PoolState::kReady; }));
}

// Method: one thread turns the loop and keeps sending, the other resets as fast as it can; the
// descriptors are closed and opened all the time. Sanitizers find what the asserts cannot: a reset
// of a descriptor that is not ours any more would hit the listening or the accepted sockets.
TEST_F(HttpPoolFaultTest, ResetFromAnotherThreadMayRaceWithClosingAndConnecting) {
  PoolOptions options{.connections = 4, .reconnect = {.first_ns = 1'000'000, .max_ns = 1'000'000}};
  pool_.emplace(loop_, server_.endpoint(), options);
  std::atomic<bool> stop{false};
  std::thread hot([&] {
    // relaxed: only ends the loop of this thread.
    while (!stop.load(std::memory_order_relaxed)) {
      pool_->reset_from_other_thread();
      std::this_thread::yield();
    }
  });
  std::uint64_t accepted = 0;
  std::uint64_t ended = 0;
  std::vector<RawPeer> peers;
  const bool enough = run_until(loop_, [&] {
    if (RawPeer peer = server_.accept(); peer.is_open())
      peers.push_back(std::move(peer));
    std::erase_if(peers, [](RawPeer& peer) { return peer.ended(); });
    if (pool_->try_send(Lane::kNormal, {.method = "GET", .target = "/"},
                        [&](const HttpAnswer&) { ++ended; })) {
      ++accepted;
    }
    return pool_->counters().connects > 100;
  });
  stop.store(true, std::memory_order_relaxed);
  hot.join();
  EXPECT_TRUE(enough);
  pool_->reset_all();
  EXPECT_TRUE(run_until(loop_, [&] { return ended == accepted; }));
}

TEST_F(HttpPoolFaultTest, DestroyingThePoolRunsNoCallback) {
  connect();
  post_until_received();
  pool_.reset();
  EXPECT_TRUE(run_until(loop_, [&] { return peer_.was_reset(); }));
  EXPECT_TRUE(results_.empty());
}

}  // namespace
}  // namespace sluice::net
