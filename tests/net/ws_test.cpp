// Client and server of the project against each other and against raw peers.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "common/base/error.hpp"
#include "common/net/http_server.hpp"
#include "common/net/ws_client.hpp"
#include "common/net/ws_frame.hpp"
#include "common/net/ws_handshake.hpp"
#include "tests/net/support.hpp"

namespace sluice::net {
namespace {

using test::RawPeer;
using test::run_until;

class WsTest : public testing::Test {
 protected:
  void start(WsClientOptions client_options = {}, ServerOptions server_options = {}) {
    WsRoute route;
    route.path = "/stream";
    route.on_upgrade = [this](const ServerRequest& request) -> std::optional<UpgradeRefusal> {
      ++upgrades_;
      key_seen_ = std::string(request.header("APCA-API-KEY-ID"));
      if (refusal_ != 0)
        return UpgradeRefusal{refusal_, "{\"message\":\"no\"}"};
      return std::nullopt;
    };
    route.on_open = [this](WsServerSession& session) { session_ = &session; };
    route.on_message = [this](WsServerSession& session, std::string_view payload, bool binary) {
      server_got_.emplace_back(payload);
      if (echo_) {
        EXPECT_TRUE(session.send(payload, binary));
      }
    };
    route.on_drained = [this](WsServerSession&) { ++drained_; };
    route.on_closed = [this](WsServerSession&, const WsClosed& closed) {
      session_ = nullptr;
      server_closed_.push_back(closed);
    };
    server_.emplace(loop_, server_options, HttpServer::Handler{}, std::vector<WsRoute>{route});
    connect({"127.0.0.1", server_->port(), false}, client_options);
  }

  void connect(const Endpoint& endpoint, WsClientOptions options = {}) {
    client_.emplace(
        loop_, endpoint, "/stream", std::move(options),
        WsClientHandler{.on_open = [this] { ++opened_; },
                        .on_message =
                            [this](std::string_view payload, bool binary, MonoNanos at) {
                              for (std::size_t i = 0; i < kWsPaddingBytes; ++i) {
                                ASSERT_EQ(payload.data()[payload.size() + i], 0);
                              }
                              if (keep_messages_)
                                client_got_.emplace_back(payload);
                              ++messages_;
                              binary_ = binary;
                              received_at_ = at;
                            },
                        .on_closed = [this](const WsClosed& c) { closed_.push_back(c); }});
  }
  void open() {
    ASSERT_TRUE(run_until(loop_, [&] { return opened_ == 1 && session_ != nullptr; }));
  }
  // A raw server that has upgraded the client.
  RawPeer upgrade_by_hand(test::RawServer& server, std::string_view extra = {}) {
    RawPeer peer = test::accept_one(loop_, server);
    EXPECT_TRUE(
        run_until(loop_, [&] { return peer.received().find("\r\n\r\n") != std::string::npos; }));
    const std::string& request = peer.received();
    const std::string name = "Sec-WebSocket-Key: ";
    const std::string key = request.substr(request.find(name) + name.size(), 24);
    peer.say(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: " +
        ws_accept_of(key) + "\r\n\r\n" + std::string(extra));
    EXPECT_TRUE(run_until(loop_, [&] { return opened_ == 1; }));
    return peer;
  }
  void expect_closed(WsCloseReason reason) {
    ASSERT_TRUE(run_until(loop_, [&] { return !closed_.empty(); }));
    test::turn(loop_, 20);
    ASSERT_EQ(closed_.size(), 1U);
    EXPECT_EQ(closed_[0].reason, reason) << to_string(closed_[0].reason) << closed_[0].text;
  }

  Loop loop_{};
  std::optional<HttpServer> server_{};
  std::optional<WsClient> client_{};
  WsServerSession* session_{nullptr};
  int refusal_{0};
  bool echo_{false};
  int upgrades_{0};
  int opened_{0};
  int drained_{0};
  bool keep_messages_{true};
  std::uint64_t messages_{0};
  bool binary_{false};
  MonoNanos received_at_{};
  std::string key_seen_{};
  std::vector<std::string> server_got_{};
  std::vector<std::string> client_got_{};
  std::vector<WsClosed> closed_{};
  std::vector<WsClosed> server_closed_{};
};

TEST_F(WsTest, MessagesOfEveryLengthFormGoBothWays) {
  start({.headers = {{"APCA-API-KEY-ID", "key"}}});
  open();
  EXPECT_EQ(key_seen_, "key");
  EXPECT_EQ(session_->path(), "/stream");
  EXPECT_EQ(session_->header("apca-api-key-id"), "key");
  echo_ = true;
  for (const std::size_t size : {0UL, 1UL, 125UL, 126UL, 65'535UL, 65'536UL, 200'000UL}) {
    std::string payload(size, 'x');
    for (std::size_t i = 0; i < size; ++i)
      payload[i] = static_cast<char>(i * 7);
    ASSERT_TRUE(client_->send(payload, size % 2 == 1));
    ASSERT_TRUE(run_until(loop_, [&] { return !client_got_.empty(); }));
    EXPECT_EQ(client_got_[0], payload);
    EXPECT_EQ(binary_, size % 2 == 1);
    client_got_.clear();
  }
}

TEST_F(WsTest, FragmentsAreJoinedAndStampedWithTheirFirstByte) {
  start();
  open();
  std::string payload(300'000, ' ');
  for (std::size_t i = 0; i < payload.size(); ++i)
    payload[i] = static_cast<char>(i % 251);
  const MonoNanos before = loop_.now();
  ASSERT_TRUE(session_->send_fragmented(payload, true, 1'000));
  ASSERT_TRUE(run_until(loop_, [&] { return messages_ == 1; }));
  EXPECT_EQ(client_got_[0], payload);
  EXPECT_TRUE(binary_);
  EXPECT_GT(received_at_.ns, before.ns);
  EXPECT_LT(received_at_.ns, loop_.now().ns);
}

TEST_F(WsTest, TenThousandMessagesPassABoundedQueueInOrder) {
  start({}, {.ws_queue_bytes = 64 * 1024, .ws_low_water_bytes = 16 * 1024});
  open();
  int next = 0;
  int refused = 0;
  std::size_t most_queued = 0;
  const std::string filler(200, '.');
  ASSERT_TRUE(run_until(loop_, [&] {
    while (next < 10'000) {
      if (!session_->send(std::to_string(next) + filler, false)) {
        ++refused;
        break;
      }
      ++next;
      most_queued = std::max(most_queued, session_->queued_bytes());
    }
    return messages_ == 10'000;
  }));
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_EQ(client_got_[static_cast<std::size_t>(i)], std::to_string(i) + filler);
  }
  EXPECT_GT(refused, 0);
  EXPECT_GT(drained_, 0);
  EXPECT_LE(most_queued, 64U * 1024);
}

TEST_F(WsTest, QueueOfAPeerThatDoesNotReadIsBoundedAndTellsWhenItDrained) {
  start({}, {.ws_queue_bytes = 256 * 1024, .ws_low_water_bytes = 64 * 1024});
  open();
  const std::string payload(10'000, 'x');
  // The loop is not turned: nobody reads.
  int queued = 0;
  while (session_->send(payload, true))
    ++queued;
  EXPECT_EQ(queued, 256 * 1024 / (10'000 + static_cast<int>(kWsMaxHeaderBytes)));
  EXPECT_EQ(drained_, 0);
  EXPECT_TRUE(run_until(loop_, [&] { return drained_ == 1 && session_->queued_bytes() == 0; }));
  EXPECT_TRUE(run_until(loop_, [&] { return messages_ == static_cast<std::uint64_t>(queued); }));
}

TEST_F(WsTest, ClientQueueRefusesWhatDoesNotFit) {
  start({.send_queue_bytes = 1'000});
  open();
  EXPECT_TRUE(client_->send(std::string(600, 'x')));
  EXPECT_FALSE(client_->send(std::string(600, 'x')));
  EXPECT_EQ(client_->counters().send_refused, 1U);
  EXPECT_TRUE(run_until(loop_, [&] { return server_got_.size() == 1; }));
}

TEST_F(WsTest, MessageOverTheClientsLimitClosesWithItsReasonAndIsNotDelivered) {
  start({.max_message_bytes = 1'000});
  open();
  ASSERT_TRUE(session_->send(std::string(1'000, 'x'), false));
  ASSERT_TRUE(session_->send(std::string(1'001, 'x'), false));
  expect_closed(WsCloseReason::kTooLarge);
  EXPECT_EQ(messages_, 1U);
  ASSERT_TRUE(run_until(loop_, [&] { return !server_closed_.empty(); }));
  EXPECT_EQ(server_closed_[0].close_code, 1009);
}

TEST_F(WsTest, MessageOverTheServersLimitClosesWith1009) {
  start({}, {.ws_max_message_bytes = 1'000});
  open();
  ASSERT_TRUE(client_->send(std::string(1'001, 'x')));
  expect_closed(WsCloseReason::kByPeer);
  EXPECT_EQ(closed_[0].close_code, 1009);
  EXPECT_EQ(server_closed_.at(0).reason, WsCloseReason::kTooLarge);
  EXPECT_TRUE(server_got_.empty());
}

TEST_F(WsTest, RefusalsOfTheUpgradeCarryTheirStatus) {
  for (const int status : {401, 403, 429, 500}) {
    refusal_ = status;
    closed_.clear();
    start();
    expect_closed(WsCloseReason::kRefused);
    EXPECT_EQ(closed_[0].http_status, status);
    EXPECT_EQ(client_->state(), WsState::kIdle);
    EXPECT_EQ(opened_, 0);
  }
}

TEST_F(WsTest, RefusedCredentialsAreNotTriedAgainButARateLimitIs) {
  refusal_ = 401;
  const ReconnectPolicy policy{.enabled = true, .first_ns = 1'000'000, .max_ns = 2'000'000};
  start({.reconnect = policy});
  expect_closed(WsCloseReason::kRefused);
  EXPECT_EQ(client_->state(), WsState::kIdle);
  closed_.clear();
  upgrades_ = 0;
  refusal_ = 429;
  client_->open();
  ASSERT_TRUE(run_until(loop_, [&] { return upgrades_ >= 3; }));
  refusal_ = 0;
  open();
}

TEST_F(WsTest, ReconnectsAfterALostConnectionAndGivesUpWhenTheBudgetIsSpent) {
  start({.reconnect = {
             .enabled = true, .first_ns = 1'000'000, .max_ns = 1'000'000'000, .max_failures = 3}});
  open();
  session_->cut();
  ASSERT_TRUE(run_until(loop_, [&] { return opened_ == 2 && session_ != nullptr; }));
  EXPECT_EQ(closed_.at(0).reason, WsCloseReason::kByPeer);
  server_.reset();
  ASSERT_TRUE(run_until(loop_, [&] { return client_->state() == WsState::kIdle; }));
  EXPECT_EQ(client_->consecutive_failures(), 3U);
}

TEST_F(WsTest, CloseOfTheClientReachesTheServerAfterWhatWasQueued) {
  start();
  open();
  ASSERT_TRUE(client_->send("last"));
  client_->close(1001);
  EXPECT_FALSE(client_->send("too late"));
  expect_closed(WsCloseReason::kByUs);
  ASSERT_TRUE(run_until(loop_, [&] { return !server_closed_.empty(); }));
  EXPECT_EQ(server_got_, std::vector<std::string>{"last"});
  EXPECT_EQ(server_closed_[0].reason, WsCloseReason::kByPeer);
  EXPECT_EQ(server_closed_[0].close_code, 1001);
}

TEST_F(WsTest, CloseOfTheServerReachesTheClientAfterWhatWasQueued) {
  start();
  open();
  ASSERT_TRUE(session_->send("last", false));
  session_->close(4001, "enough");
  EXPECT_FALSE(session_->send("too late", false));
  expect_closed(WsCloseReason::kByPeer);
  EXPECT_EQ(closed_[0].close_code, 4001);
  EXPECT_EQ(closed_[0].text, "enough");
  EXPECT_EQ(client_got_, std::vector<std::string>{"last"});
  ASSERT_TRUE(run_until(loop_, [&] { return !server_closed_.empty(); }));
  EXPECT_EQ(server_closed_[0].reason, WsCloseReason::kByUs);
}

TEST_F(WsTest, CutsEndBothSidesAtOnce) {
  start();
  open();
  session_->cut();
  expect_closed(WsCloseReason::kByPeer);
  ASSERT_TRUE(run_until(loop_, [&] { return !server_closed_.empty(); }));
  EXPECT_EQ(server_closed_[0].reason, WsCloseReason::kByUs);
  closed_.clear();
  client_->open();
  ASSERT_TRUE(run_until(loop_, [&] { return opened_ == 2 && session_ != nullptr; }));
  client_->cut();
  expect_closed(WsCloseReason::kByUs);
}

TEST_F(WsTest, TruncatedFrameIsNeverDelivered) {
  start();
  open();
  char header[kWsMaxHeaderBytes];
  const std::size_t size = write_ws_header(header, WsOpcode::kText, true, 100, nullptr);
  ASSERT_TRUE(session_->send("whole", false));
  ASSERT_TRUE(session_->send_raw(std::string(header, size) + std::string(50, 'x')));
  ASSERT_TRUE(run_until(loop_, [&] { return messages_ == 1 && session_->queued_bytes() == 0; }));
  session_->cut();
  expect_closed(WsCloseReason::kByPeer);
  EXPECT_EQ(messages_, 1U);
}

TEST_F(WsTest, GarbageInsteadOfAFrameIsAProtocolEnd) {
  start();
  open();
  ASSERT_TRUE(session_->send_raw("\xFF\xFF\xFF\xFF garbage"));
  expect_closed(WsCloseReason::kProtocol);
  ASSERT_TRUE(run_until(loop_, [&] { return !server_closed_.empty(); }));
  EXPECT_EQ(server_closed_[0].close_code, 1002);
}

TEST_F(WsTest, PingsAreAnsweredAndRepeated) {
  start({.ping_every_ns = 2'000'000});
  open();
  ASSERT_TRUE(run_until(loop_, [&] { return client_->last_pong_ns().ns != 0; }));
  const MonoNanos first = client_->last_pong_ns();
  EXPECT_TRUE(run_until(loop_, [&] { return client_->last_pong_ns().ns > first.ns; }));
}

TEST_F(WsTest, PeerThatGivesNoPongIsTakenForDead) {
  test::RawServer server;
  connect(server.endpoint(), {.ping_every_ns = 2'000'000, .pong_within_ns = 20'000'000});
  RawPeer peer = upgrade_by_hand(server);
  expect_closed(WsCloseReason::kPongTimeout);
  EXPECT_TRUE(run_until(loop_, [&] { return peer.ended(); }));
}

TEST_F(WsTest, FrameBehindTheUpgradeInTheSamePacketIsDelivered) {
  test::RawServer server;
  connect(server.endpoint());
  RawPeer peer = upgrade_by_hand(server, "\x81\x05hello");
  ASSERT_TRUE(run_until(loop_, [&] { return messages_ == 1; }));
  EXPECT_EQ(client_got_[0], "hello");
  EXPECT_FALSE(binary_);
}

TEST_F(WsTest, AnswerThatDoesNotProveTheKeyIsRefused) {
  test::RawServer server;
  connect(server.endpoint());
  RawPeer peer = test::accept_one(loop_, server);
  peer.say(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n");
  expect_closed(WsCloseReason::kProtocol);
  EXPECT_EQ(opened_, 0);
}

TEST_F(WsTest, ServerThatNeverAnswersTheUpgradeEndsByTheConnectTimeout) {
  test::RawServer server;
  connect(server.endpoint(), {.connect_timeout_ns = 20'000'000});
  expect_closed(WsCloseReason::kByPeer);
  EXPECT_NE(closed_[0].text.find("time-out"), std::string::npos);
}

TEST_F(WsTest, AnswerToTheUpgradeThatIsNotHttpOrTooLongIsRefused) {
  for (const std::string& text :
       {std::string("garbage\r\n\r\n"),
        "HTTP/1.1 101 Switching Protocols\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n"}) {
    test::RawServer server;
    closed_.clear();
    connect(server.endpoint());
    RawPeer peer = test::accept_one(loop_, server);
    peer.say(text);
    expect_closed(WsCloseReason::kProtocol);
  }
}

TEST_F(WsTest, NobodyThereIsAConnectFailure) {
  test::RawServer server;
  const Endpoint nobody = server.endpoint();
  server.stop();
  connect(nobody);
  expect_closed(WsCloseReason::kConnectFailed);
}

TEST_F(WsTest, UpgradeOnAPathWithoutRouteIsOrdinaryHttp) {
  start();
  client_.emplace(
      loop_, Endpoint{"127.0.0.1", server_->port(), false}, "/elsewhere", WsClientOptions{},
      WsClientHandler{.on_closed = [this](const WsClosed& c) { closed_.push_back(c); }});
  expect_closed(WsCloseReason::kRefused);
  EXPECT_EQ(closed_[0].http_status, 404);
}

TEST_F(WsTest, UnmaskedFrameOfAClientEndsItWith1002) {
  start();
  RawPeer peer = RawPeer::connect_to(server_->port());
  peer.say(
      "GET /stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
      "\x81\x01x");
  EXPECT_TRUE(run_until(loop_, [&] { return peer.ended(); }));
  EXPECT_NE(peer.received().find("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), std::string::npos);
  EXPECT_NE(peer.received().find("\x03\xEA"), std::string::npos);
  EXPECT_TRUE(server_got_.empty());
}

TEST_F(WsTest, OtherVersionsAreToldWhichOneIsSpoken) {
  start();
  RawPeer peer = RawPeer::connect_to(server_->port());
  peer.say(
      "GET /stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 8\r\n\r\n");
  EXPECT_TRUE(run_until(loop_, [&] { return peer.ended(); }));
  EXPECT_EQ(peer.received().rfind("HTTP/1.1 426 ", 0), 0U);
  EXPECT_NE(peer.received().find("Sec-WebSocket-Version: 13"), std::string::npos);
}

TEST_F(WsTest, SessionKeepsWhatItsOwnerGivesIt) {
  start();
  open();
  session_->user = std::make_shared<int>(7);
  EXPECT_EQ(*std::static_pointer_cast<int>(session_->user), 7);
}

TEST(WsClient, TlsBadPathAndBadHeadersAreConfigurationErrors) {
  Loop loop;
  EXPECT_THROW(WsClient(loop, {"127.0.0.1", 443, true}, "/", {}, {}), Error);
  EXPECT_THROW(WsClient(loop, {"127.0.0.1", 80, false}, "stream", {}, {}), Error);
  EXPECT_THROW(WsClient(loop, {"127.0.0.1", 80, false}, "/a b", {}, {}), Error);
  EXPECT_THROW(WsClient(loop, {"127.0.0.1", 80, false}, "/", {.headers = {{"K", "a\r\nb"}}}, {}),
               Error);
}

}  // namespace
}  // namespace sluice::net
