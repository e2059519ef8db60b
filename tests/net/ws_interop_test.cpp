// Our WebSocket client and server against libwebsockets' own roles: an implementation of RFC 6455
// that shares nothing with ours but the socket calls.
#include <gtest/gtest.h>
#include <libwebsockets.h>

#include <optional>
#include <string>
#include <vector>

#include "common/net/http_server.hpp"
#include "common/net/ws_client.hpp"
#include "tests/net/support.hpp"

namespace sluice::net {
namespace {

// One libwebsockets peer, client or echo server, in a context of its own.
class Peer {
 public:
  Peer()
      : protocols_{{"echo", callback, 0, 4'096, 0, this, 0},
                   {nullptr, nullptr, 0, 0, 0, nullptr, 0}} {}
  ~Peer() {
    if (context_ != nullptr)
      lws_context_destroy(context_);
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  void start(int port) {
    lws_context_creation_info info{};
    info.port = port;
    info.iface = port == CONTEXT_PORT_NO_LISTEN ? nullptr : "127.0.0.1";
    info.protocols = protocols_;
    context_ = lws_create_context(&info);
    ASSERT_NE(context_, nullptr);
  }
  std::uint16_t listen() {
    start(0);
    return static_cast<std::uint16_t>(
        lws_get_vhost_listen_port(lws_get_vhost_by_name(context_, "default")));
  }
  void connect(std::uint16_t port) {
    start(CONTEXT_PORT_NO_LISTEN);
    lws_client_connect_info info{};
    info.context = context_;
    info.address = info.host = info.origin = "127.0.0.1";
    info.port = port;
    info.path = "/stream";
    info.local_protocol_name = "echo";
    info.ietf_version_or_minus_one = -1;
    wsi_ = lws_client_connect_via_info(&info);
  }
  void poll() { lws_service(context_, -1); }
  void send(std::string payload, bool binary) {
    payload_ = std::move(payload);
    binary_ = binary;
    lws_callback_on_writable(wsi_);
  }
  void close() {
    closing_ = true;
    lws_callback_on_writable(wsi_);
  }

  bool open{false};
  bool closed{false};
  std::vector<std::string> got{};

 private:
  static int callback(lws* wsi, lws_callback_reasons reason, void*, void* in, std::size_t size) {
    const lws_protocols* protocol = lws_get_protocol(wsi);
    if (protocol == nullptr || protocol->user == nullptr)
      return 0;
    return static_cast<Peer*>(protocol->user)->on_event(wsi, reason, in, size);
  }

  int on_event(lws* wsi, lws_callback_reasons reason, void* in, std::size_t size) {
    switch (reason) {
      case LWS_CALLBACK_ESTABLISHED:
      case LWS_CALLBACK_CLIENT_ESTABLISHED:
        wsi_ = wsi;
        open = true;
        return 0;
      case LWS_CALLBACK_RECEIVE:
      case LWS_CALLBACK_CLIENT_RECEIVE:
        joined_.append(static_cast<const char*>(in), size);
        if (lws_is_final_fragment(wsi) != 0 && lws_remaining_packet_payload(wsi) == 0) {
          got.push_back(joined_);
          if (reason == LWS_CALLBACK_RECEIVE)
            send(joined_, lws_frame_is_binary(wsi) != 0);
          joined_.clear();
        }
        return 0;
      case LWS_CALLBACK_SERVER_WRITEABLE:
      case LWS_CALLBACK_CLIENT_WRITEABLE: {
        if (closing_) {
          lws_close_reason(wsi, LWS_CLOSE_STATUS_GOINGAWAY, nullptr, 0);
          return -1;
        }
        if (!payload_)
          return 0;
        std::vector<unsigned char> buffer(LWS_PRE + payload_->size());
        std::copy(payload_->begin(), payload_->end(), buffer.begin() + LWS_PRE);
        const int wrote = lws_write(wsi, buffer.data() + LWS_PRE, payload_->size(),
                                    binary_ ? LWS_WRITE_BINARY : LWS_WRITE_TEXT);
        payload_.reset();
        return wrote < 0 ? -1 : 0;
      }
      case LWS_CALLBACK_CLOSED:
      case LWS_CALLBACK_CLIENT_CLOSED:
      case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        closed = true;
        return 0;
      default:
        return 0;
    }
  }

  lws_protocols protocols_[2];
  lws_context* context_{nullptr};
  lws* wsi_{nullptr};
  std::optional<std::string> payload_{};
  std::string joined_{};
  bool binary_{false};
  bool closing_{false};
};

template <class Condition>
[[nodiscard]] bool run_both(Loop& loop, Peer& peer, Condition&& condition) {
  return test::run_until(loop, [&] {
    peer.poll();
    return condition();
  });
}

TEST(WsInterop, OurClientExchangesEveryLengthFormWithLibwebsocketsServer) {
  Loop loop;
  Peer peer;
  const std::uint16_t port = peer.listen();
  std::vector<std::string> echoed;
  std::optional<WsClosed> closed;
  WsClient client(loop, {"127.0.0.1", port, false}, "/stream", {},
                  {.on_message = [&](std::string_view payload, bool,
                                     MonoNanos) { echoed.emplace_back(payload); },
                   .on_closed = [&](const WsClosed& c) { closed = c; }});
  ASSERT_TRUE(run_both(loop, peer, [&] { return client.state() == WsState::kOpen; }));
  for (const std::size_t size : {1UL, 125UL, 126UL, 5'000UL, 65'535UL, 65'536UL, 150'000UL}) {
    std::string payload(size, 'x');
    for (std::size_t i = 0; i < size; ++i)
      payload[i] = static_cast<char>(i * 11);
    echoed.clear();
    ASSERT_TRUE(client.send(payload, true));
    ASSERT_TRUE(run_both(loop, peer, [&] { return !echoed.empty(); })) << size;
    EXPECT_EQ(echoed[0], payload);
    EXPECT_EQ(peer.got.back(), payload);
  }
  client.close();
  ASSERT_TRUE(run_both(loop, peer, [&] { return closed.has_value() && peer.closed; }));
  EXPECT_EQ(closed->reason, WsCloseReason::kByUs);
}

TEST(WsInterop, OurServerExchangesEveryLengthFormWithLibwebsocketsClient) {
  Loop loop;
  std::optional<WsClosed> closed;
  WsServerSession* session = nullptr;
  WsRoute route{
      .path = "/stream",
      .on_open = [&](WsServerSession& s) { session = &s; },
      .on_message = [](WsServerSession& s, std::string_view payload,
                       bool binary) { EXPECT_TRUE(s.send(payload, binary)); },
      .on_closed = [&](WsServerSession&, const WsClosed& c) { closed = c; },
  };
  HttpServer server(loop, {}, {}, {route});
  Peer peer;
  peer.connect(server.port());
  ASSERT_TRUE(run_both(loop, peer, [&] { return peer.open && session != nullptr; }));
  for (const std::size_t size : {1UL, 125UL, 126UL, 5'000UL, 65'535UL, 65'536UL, 150'000UL}) {
    std::string payload(size, 'x');
    for (std::size_t i = 0; i < size; ++i)
      payload[i] = static_cast<char>(i * 13);
    peer.got.clear();
    peer.send(payload, true);
    ASSERT_TRUE(run_both(loop, peer, [&] { return !peer.got.empty(); })) << size;
    EXPECT_EQ(peer.got[0], payload);
  }
  peer.got.clear();
  ASSERT_TRUE(session->send_fragmented(std::string(10'000, 'f'), false, 700));
  ASSERT_TRUE(run_both(loop, peer, [&] { return !peer.got.empty(); }));
  EXPECT_EQ(peer.got[0], std::string(10'000, 'f'));
  peer.close();
  ASSERT_TRUE(run_both(loop, peer, [&] { return closed.has_value(); }));
  EXPECT_EQ(closed->reason, WsCloseReason::kByPeer);
  EXPECT_EQ(closed->close_code, 1001);
}

TEST(WsInterop, CloseOfOurServerIsUnderstoodByLibwebsocketsClient) {
  Loop loop;
  WsServerSession* session = nullptr;
  WsRoute route{.path = "/stream", .on_open = [&](WsServerSession& s) { session = &s; }};
  HttpServer server(loop, {}, {}, {route});
  Peer peer;
  peer.connect(server.port());
  ASSERT_TRUE(run_both(loop, peer, [&] { return peer.open && session != nullptr; }));
  session->close(1000, "done");
  EXPECT_TRUE(run_both(loop, peer, [&] { return peer.closed && server.open_connections() == 0; }));
}

}  // namespace
}  // namespace sluice::net
