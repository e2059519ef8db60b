// permessage-deflate: the negotiation, both directions, and what hostile peers send.
//
// The peer's side is written here with zlib itself; frames go over raw sockets, so that every bit
// of them is the test's.
#include <gtest/gtest.h>
#include <zlib.h>

#include <optional>
#include <random>
#include <string>
#include <vector>

#include "common/net/http_server.hpp"
#include "common/net/ws_deflate.hpp"
#include "common/net/ws_frame.hpp"
#include "tests/net/support.hpp"

namespace sluice::net {
namespace {

using test::RawPeer;
using test::run_until;

// A peer's compressor: raw deflate with a sync flush whose tail is left out.
class PeerDeflate {
 public:
  explicit PeerDeflate(int window_bits = 15) {
    EXPECT_EQ(deflateInit2(&z_, 9, Z_DEFLATED, -window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
  }
  ~PeerDeflate() { deflateEnd(&z_); }
  PeerDeflate(const PeerDeflate&) = delete;
  PeerDeflate& operator=(const PeerDeflate&) = delete;

  std::string operator()(std::string_view text) {
    std::string out(deflateBound(&z_, text.size()) + 64, '\0');
    z_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    z_.avail_in = static_cast<uInt>(text.size());
    z_.next_out = reinterpret_cast<Bytef*>(out.data());
    z_.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(deflate(&z_, Z_SYNC_FLUSH), Z_OK);
    out.resize(out.size() - z_.avail_out - 4);
    return out;
  }

 private:
  z_stream z_{};
};

// A peer's inflater.
class PeerInflate {
 public:
  PeerInflate() { EXPECT_EQ(inflateInit2(&z_, -15), Z_OK); }
  ~PeerInflate() { inflateEnd(&z_); }
  PeerInflate(const PeerInflate&) = delete;
  PeerInflate& operator=(const PeerInflate&) = delete;

  std::string operator()(std::string_view compressed) {
    std::string in(compressed);
    in.append("\x00\x00\xff\xff", 4);
    std::string out(1 << 20, '\0');
    z_.next_in = reinterpret_cast<Bytef*>(in.data());
    z_.avail_in = static_cast<uInt>(in.size());
    z_.next_out = reinterpret_cast<Bytef*>(out.data());
    z_.avail_out = static_cast<uInt>(out.size());
    const int status = inflate(&z_, Z_SYNC_FLUSH);
    EXPECT_TRUE(status == Z_OK || status == Z_BUF_ERROR) << status;
    EXPECT_EQ(z_.avail_in, 0U);
    out.resize(out.size() - z_.avail_out);
    return out;
  }
  void forget() { inflateReset(&z_); }

 private:
  z_stream z_{};
};

std::string client_frame(WsOpcode opcode, bool final, std::string_view payload, bool compressed) {
  const WsMask mask{0x11, 0x22, 0x33, 0x44};
  char header[kWsMaxHeaderBytes];
  const std::size_t size =
      write_ws_header(header, opcode, final, payload.size(), &mask, compressed);
  std::string frame(header, size);
  frame.append(payload);
  apply_ws_mask(frame.data() + size, payload.size(), mask, 0);
  return frame;
}

TEST(WsDeflateOffer, FirstOfferThatCanBeMetIsAccepted) {
  EXPECT_FALSE(accept_ws_deflate(""));
  EXPECT_FALSE(accept_ws_deflate("x-webkit-deflate-frame"));
  const auto plain = accept_ws_deflate("permessage-deflate");
  ASSERT_TRUE(plain);
  EXPECT_EQ(ws_deflate_answer(*plain), "permessage-deflate");
  const auto browser = accept_ws_deflate("permessage-deflate; client_max_window_bits");
  ASSERT_TRUE(browser);
  EXPECT_EQ(ws_deflate_answer(*browser), "permessage-deflate");
  const auto go = accept_ws_deflate(
      "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
  ASSERT_TRUE(go);
  EXPECT_EQ(ws_deflate_answer(*go),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
  const auto second = accept_ws_deflate(
      "other, permessage-deflate;server_max_window_bits=8 , "
      "permessage-deflate; server_max_window_bits=\"10\"; client_max_window_bits=9");
  ASSERT_TRUE(second);
  EXPECT_EQ(second->server_window_bits, 10);
  EXPECT_EQ(ws_deflate_answer(*second), "permessage-deflate; server_max_window_bits=10");
}

TEST(WsDeflateOffer, MalformedParametersDeclineTheOffer) {
  for (const char* offer :
       {"permessage-deflate; unknown", "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
        "permessage-deflate; server_max_window_bits", "permessage-deflate; server_max_window_bits=",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=8",
        "permessage-deflate; server_max_window_bits=010",
        "permessage-deflate; server_max_window_bits=9; server_max_window_bits=9",
        "permessage-deflate; client_max_window_bits=7",
        "permessage-deflate; client_max_window_bits=",
        "permessage-deflate; client_max_window_bits; client_max_window_bits"}) {
    EXPECT_FALSE(accept_ws_deflate(offer)) << offer;
  }
}

TEST(WsDeflater, WindowsSmallerThanTheLargestWorkAndContextIsKept) {
  for (const int bits : {9, 12, 15}) {
    WsDeflater deflater({.server_window_bits = bits});
    PeerInflate peer;
    std::mt19937 random(7);
    std::string message;
    for (int i = 0; i < 5'000; ++i) {
      message.push_back(static_cast<char>('a' + random() % 20));
    }
    const std::string first(deflater.compress(message));
    EXPECT_EQ(peer(first), message);
    const std::string repeated(deflater.compress(message));
    EXPECT_EQ(peer(repeated), message);
    if (bits == 15) {
      EXPECT_LT(repeated.size(), first.size() / 10) << "the message before is still in the window";
    }
  }
}

TEST(WsDeflater, WithoutContextTakeoverEveryMessageStandsAlone) {
  WsDeflater deflater({.server_no_context_takeover = true});
  for (int i = 0; i < 3; ++i) {
    PeerInflate peer;
    EXPECT_EQ(peer(deflater.compress("the same text, three times over")),
              "the same text, three times over");
  }
}

TEST(WsInflater, BombIsCutOffAtTheLimit) {
  PeerDeflate peer;
  const std::string bomb = peer(std::string(8 << 20, 'A'));
  ASSERT_LT(bomb.size(), 16U << 10) << "a five-hundredth of what it becomes";
  WsInflater inflater({}, 1 << 16);
  EXPECT_EQ(inflater.inflate(bomb), WsInflateStatus::kTooLarge);
}

TEST(WsInflater, LimitIsExact) {
  for (const std::size_t size : {99UL, 100UL, 101UL}) {
    PeerDeflate peer;
    WsInflater inflater({}, 100);
    EXPECT_EQ(inflater.inflate(peer(std::string(size, 'x'))),
              size <= 100 ? WsInflateStatus::kOk : WsInflateStatus::kTooLarge)
        << size;
  }
}

TEST(WsInflater, MessageThatEndsItsStreamIsReadAndTheNextStartsAnew) {
  // RFC 7692 7.2.3.4 and .5: a final block, then an empty stored one.
  const std::string hello("\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 8);
  WsInflater inflater({}, 100);
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(inflater.inflate(hello), WsInflateStatus::kOk);
    EXPECT_EQ(inflater.message(), "Hello");
  }
}

TEST(WsInflater, GarbageNeverPassesForMoreThanTheLimitNorCrashes) {
  std::mt19937 random(11);
  int corrupt = 0;
  for (int round = 0; round < 2'000; ++round) {
    WsInflater inflater({}, 1'000);
    for (int message = 0; message < 3; ++message) {
      std::string bytes(random() % 200, '\0');
      for (char& c : bytes) {
        c = static_cast<char>(random());
      }
      const WsInflateStatus status = inflater.inflate(bytes);
      if (status != WsInflateStatus::kOk) {
        corrupt += status == WsInflateStatus::kCorrupt ? 1 : 0;
        break;
      }
      EXPECT_LE(inflater.message().size(), 1'000U);
    }
  }
  EXPECT_GT(corrupt, 1'000);
}

class WsDeflateServerTest : public testing::Test {
 protected:
  void start(bool deflate, std::string_view offer, std::size_t max_message = 1 << 16) {
    WsRoute route;
    route.path = "/stream";
    route.on_open = [this](WsServerSession& session) { session_ = &session; };
    route.on_message = [this](WsServerSession&, std::string_view payload, bool) {
      got_.emplace_back(payload);
    };
    route.on_closed = [this](WsServerSession&, const WsClosed& how) { closed_ = how; };
    ServerOptions options;
    options.ws_deflate = deflate;
    options.ws_max_message_bytes = max_message;
    server_.emplace(loop_, options, HttpServer::Handler{}, std::vector<WsRoute>{route});
    peer_ = RawPeer::connect_to(server_->port());
    peer_.say(
        "GET /stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Extensions: " +
        std::string(offer) + "\r\n\r\n");
    ASSERT_TRUE(run_until(loop_, [&] {
      return session_ != nullptr && peer_.received().find("\r\n\r\n") != std::string::npos;
    }));
    head_ = peer_.received().substr(0, peer_.received().find("\r\n\r\n") + 4);
  }
  void say(std::string_view frame) { peer_.say(frame); }
  // Frames the server sent after the head, each a whole message.
  struct Heard {
    bool compressed;
    bool final;
    std::string payload;
  };
  std::vector<Heard> heard() {
    std::vector<Heard> frames;
    std::string_view bytes = std::string_view(peer_.received()).substr(head_.size());
    while (bytes.size() >= 2) {
      const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
      std::size_t size = byte(1);
      std::size_t at = 2;
      if (size == 126) {
        size = static_cast<std::size_t>(byte(2)) << 8 | byte(3);
        at = 4;
      }
      if (bytes.size() < at + size)
        break;
      frames.push_back(
          {(byte(0) & 0x40) != 0, (byte(0) & 0x80) != 0, std::string(bytes.substr(at, size))});
      bytes.remove_prefix(at + size);
    }
    return frames;
  }
  void expect_close(std::uint16_t code, WsCloseReason reason) {
    ASSERT_TRUE(run_until(loop_, [&] { return !heard().empty(); }));
    const std::string payload = heard().back().payload;
    ASSERT_GE(payload.size(), 2U);
    EXPECT_EQ(static_cast<std::uint8_t>(payload[0]) << 8 | static_cast<std::uint8_t>(payload[1]),
              code);
    EXPECT_FALSE(heard().back().compressed) << "control frames never are";
    peer_.finish_writing();
    ASSERT_TRUE(run_until(loop_, [&] { return closed_.has_value(); }));
    EXPECT_EQ(closed_->reason, reason);
    EXPECT_TRUE(got_.empty());
  }

  Loop loop_{};
  std::optional<HttpServer> server_{};
  RawPeer peer_{};
  std::string head_{};
  WsServerSession* session_{nullptr};
  std::vector<std::string> got_{};
  std::optional<WsClosed> closed_{};
};

TEST_F(WsDeflateServerTest, OffByDefaultTheOfferIsNotAnswered) {
  start(false, "permessage-deflate");
  EXPECT_EQ(head_.find("Extensions"), std::string::npos);
  say(client_frame(WsOpcode::kText, true, "abc", true));
  expect_close(1002, WsCloseReason::kProtocol);
}

TEST_F(WsDeflateServerTest, AnswersTheOfferAndCompressesBothWays) {
  start(true, "permessage-deflate; client_max_window_bits");
  EXPECT_NE(head_.find("\r\nSec-WebSocket-Extensions: permessage-deflate\r\n"), std::string::npos);
  PeerDeflate deflate;
  const std::string message = R"({"action":"subscribe","trades":["AAPL"],"quotes":["AAPL"]})";
  say(client_frame(WsOpcode::kText, true, deflate(message), true));
  say(client_frame(WsOpcode::kText, true, deflate(message), true));  // from the shared window
  say(client_frame(WsOpcode::kText, true, "plain", false));
  ASSERT_TRUE(run_until(loop_, [&] { return got_.size() == 3; }));
  EXPECT_EQ(got_, (std::vector<std::string>{message, message, "plain"}));

  const std::string big(5'000, 'q');
  ASSERT_TRUE(session_->send("short", false));
  ASSERT_TRUE(session_->send(big, false));
  ASSERT_TRUE(session_->send_fragmented(big + message, true, 10));
  PeerInflate inflate;
  ASSERT_TRUE(run_until(loop_, [&] {
    const auto frames = heard();
    return frames.size() > 3 && frames.back().final;
  }));
  const auto frames = heard();
  EXPECT_FALSE(frames[0].compressed);
  EXPECT_EQ(frames[0].payload, "short");
  EXPECT_TRUE(frames[1].compressed);
  EXPECT_LT(frames[1].payload.size(), 100U);
  EXPECT_EQ(inflate(frames[1].payload), big);
  std::string joined;
  for (std::size_t i = 2; i < frames.size(); ++i) {
    EXPECT_EQ(frames[i].compressed, i == 2) << "RSV1 is on the first frame alone";
    joined += frames[i].payload;
  }
  EXPECT_EQ(inflate(joined), big + message);
}

TEST_F(WsDeflateServerTest, FragmentsOfACompressedMessageMayHaveAPingBetween) {
  start(true, "permessage-deflate");
  PeerDeflate deflate;
  const std::string compressed = deflate("a message in three pieces");
  say(client_frame(WsOpcode::kBinary, false, compressed.substr(0, 5), true) +
      client_frame(WsOpcode::kPing, true, "p", false) +
      client_frame(WsOpcode::kContinuation, false, compressed.substr(5, 1), false) +
      client_frame(WsOpcode::kContinuation, true, compressed.substr(6), false));
  ASSERT_TRUE(run_until(loop_, [&] { return got_.size() == 1 && !heard().empty(); }));
  EXPECT_EQ(got_[0], "a message in three pieces");
  EXPECT_EQ(heard()[0].payload, "p");
}

TEST_F(WsDeflateServerTest, BombEndsWith1009) {
  start(true, "permessage-deflate", 10'000);
  PeerDeflate deflate;
  say(client_frame(WsOpcode::kText, true, deflate(std::string(5'000'000, 'A')), true));
  expect_close(1009, WsCloseReason::kTooLarge);
}

TEST_F(WsDeflateServerTest, CorruptDataEndsWith1007) {
  start(true, "permessage-deflate");
  say(client_frame(WsOpcode::kText, true, "\xff\xff\xff\xff", true));
  expect_close(1007, WsCloseReason::kProtocol);
}

TEST_F(WsDeflateServerTest, ReservedBitsElsewhereEndWith1002) {
  const std::vector<std::string> hostile{
      client_frame(WsOpcode::kPing, true, "", true),
      client_frame(WsOpcode::kText, false, "abc", false) +
          client_frame(WsOpcode::kContinuation, true, "def", true),
      std::string("\xA1\x80\x00\x00\x00\x00", 6),  // RSV2
      std::string("\xD1\x80\x00\x00\x00\x00", 6),  // RSV1 and RSV3
  };
  for (const std::string& bytes : hostile) {
    session_ = nullptr;
    closed_.reset();
    start(true, "permessage-deflate");
    say(bytes);
    expect_close(1002, WsCloseReason::kProtocol);
    peer_.close();
    server_.reset();
  }
}

}  // namespace
}  // namespace sluice::net
