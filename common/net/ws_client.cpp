// ws_client.cpp — see ws_client.hpp. The upgrade is parsed by Beast, the frames by ws_frame.
#include "common/net/ws_client.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>
#include <utility>

#include "common/base/error.hpp"
#include "common/base/log.hpp"
#include "common/net/backoff.hpp"
#include "common/net/byte_queue.hpp"
#include "common/net/raw_socket.hpp"
#include "common/net/ws_frame.hpp"
#include "common/net/ws_handshake.hpp"

namespace sluice::net {
namespace http = boost::beast::http;

namespace {

constexpr std::uint32_t kUpgradeLimitBytes = 16 * 1024;
constexpr std::int64_t kCloseTimeoutNs = 2'000'000'000;
constexpr std::uint16_t kCodeProtocol = 1002;
constexpr std::uint16_t kCodeTooLarge = 1009;

std::string_view view(boost::beast::string_view text) noexcept {
  return {text.data(), text.size()};
}

bool one_line(std::string_view text) noexcept {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

void validate(const Endpoint& endpoint, const std::string& path, const WsClientOptions& options) {
  const auto refuse = [&endpoint](const std::string& what) {
    throw Error(ExitCode::kConfig,
                "websocket " + endpoint.host + ":" + std::to_string(endpoint.port) + ": " + what);
  };
  if (endpoint.tls) {
    refuse(
        "TLS is not spoken here; use a plain endpoint (a loopback simulator or a "
        "TLS-terminating proxy)");
  }
  if (endpoint.port == 0)
    refuse("port = 0, allowed 1 to 65535");
  if (path.empty() || path[0] != '/' || !one_line(path) || path.find(' ') != std::string::npos) {
    refuse("path must start with '/' and hold no blank or line break");
  }
  for (const Header& header : options.headers) {
    if (header.name.empty() || !one_line(header.name) || !one_line(header.value)) {
      refuse("header '" + header.name +
             "': empty name or line break; credentials must be one line");
    }
  }
  if (options.max_message_bytes == 0 || options.max_message_bytes > (std::size_t{1} << 30)) {
    refuse("max_message_bytes, allowed 1 to 2^30");
  }
  if (options.connect_timeout_ns <= 0 || options.ping_every_ns < 0 || options.pong_within_ns <= 0 ||
      options.reconnect.first_ns <= 0 || options.reconnect.max_ns < options.reconnect.first_ns) {
    refuse("a time is zero, negative or out of order");
  }
}

}  // namespace

struct WsClient::Impl final : RawSocket::Events {
  Loop& loop;
  Endpoint endpoint;
  std::string path;
  WsClientOptions options;
  WsClientHandler handler;
  RawSocket socket;
  Backoff backoff;
  WsMaskSource masks{};

  WsState state{WsState::kIdle};
  bool upgraded{false};        // frames flow; false while the upgrade is under way
  bool flush_then_fin{false};  // our close frame is queued behind the rest
  bool deaf{false};            // the peer broke the rules: what it sends is dropped
  bool retry_allowed{true};
  WsClosed ending{};  // why, once it is known
  TimerId timer{kNoTimer};
  MonoNanos opened_at{};
  MonoNanos last_pong{};
  std::uint64_t ping_number{0};

  std::string key{};
  std::string handshake{};  // bytes of the upgrade's answer
  std::optional<http::response_parser<http::string_body>> parser{};
  std::optional<WsReader> reader{};
  ByteQueue out{};
  WsClientCounters counters{};

  Impl(Loop& l, Endpoint e, std::string p, WsClientOptions o, WsClientHandler h)
      : loop(l),
        endpoint(std::move(e)),
        path(std::move(p)),
        options(std::move(o)),
        handler(std::move(h)),
        socket(l, *this),
        backoff(options.reconnect, static_cast<std::uint64_t>(l.now().ns)) {
    open();
  }
  ~Impl() { stop_timer(); }

  void set_timer(std::int64_t delay_ns, void (Impl::*action)()) {
    stop_timer();
    timer = loop.after(delay_ns, [this, action] {
      timer = kNoTimer;
      (this->*action)();
    });
  }
  void stop_timer() noexcept { loop.cancel(std::exchange(timer, kNoTimer)); }

  // ---- connecting and upgrading
  // ------------------------------------------------------------------

  void open() {
    if (state != WsState::kIdle && state != WsState::kWaiting)
      return;
    retry_allowed = true;
    state = WsState::kConnecting;
    set_timer(0, &Impl::connect_now);
  }

  void connect_now() {
    state = WsState::kConnecting;
    upgraded = false;
    flush_then_fin = false;
    deaf = false;
    ending = {.reason = WsCloseReason::kConnectFailed, .text = "refused or unreachable"};
    out.clear();
    handshake.clear();
    std::string error;
    if (!socket.connect(endpoint, 0, error)) {
      ending.text = error;
      end();
      return;
    }
    set_timer(options.connect_timeout_ns, &Impl::on_connect_timeout);
  }

  void on_connect_timeout() {
    ending.text = "no WebSocket within the connect time-out";
    end();
  }

  void on_connected() override {
    key = make_ws_key();
    std::string request =
        "GET " + path + " HTTP/1.1\r\nHost: " + endpoint.host + ":" +
        std::to_string(endpoint.port) +
        "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: " + key +
        "\r\nSec-WebSocket-Version: 13\r\nUser-Agent: sluice\r\n";
    for (const Header& header : options.headers) {
      request += header.name + ": " + header.value + "\r\n";
    }
    out.append(request + "\r\n");
    parser.emplace();
    parser->header_limit(kUpgradeLimitBytes);
    ending = {.reason = WsCloseReason::kByPeer, .text = "connection lost during the upgrade"};
    socket.request_write();
  }

  // Returns true with the bytes behind the answer in `handshake` once the upgrade is accepted.
  [[nodiscard]] bool read_upgrade(std::string_view bytes) {
    handshake.append(bytes);
    boost::system::error_code ec;
    const std::size_t used =
        parser->put(boost::asio::const_buffer(handshake.data(), handshake.size()), ec);
    const bool incomplete = ec == http::error::need_more && !parser->is_header_done();
    if (incomplete && handshake.size() <= kUpgradeLimitBytes)
      return false;
    if (incomplete || (ec && ec != http::error::need_more)) {
      fail(WsCloseReason::kProtocol, "the answer to the upgrade is not HTTP/1.x or too long");
      return false;
    }
    const auto& answer = parser->get();
    const int status = static_cast<int>(answer.result_int());
    if (status != 101) {
      // The credentials will not get better by trying again.
      retry_allowed = retry_allowed && status != 401 && status != 403;
      ending.http_status = status;
      fail(WsCloseReason::kRefused,
           "the server answered the upgrade with status " + std::to_string(status));
      return false;
    }
    if (view(answer["Sec-WebSocket-Accept"]) != ws_accept_of(key) ||
        !has_token(view(answer["Upgrade"]), "websocket") ||
        !has_token(view(answer["Connection"]), "upgrade") ||
        !answer["Sec-WebSocket-Extensions"].empty()) {
      fail(WsCloseReason::kProtocol, "the answer to the upgrade breaks RFC 6455");
      return false;
    }
    handshake.erase(0, used);
    return true;
  }

  void upgrade_done() {
    upgraded = true;
    parser.reset();
    reader.emplace(WsReader::Role::kClient, options.max_message_bytes);
    state = WsState::kOpen;
    ending = {.reason = WsCloseReason::kByPeer, .text = "connection lost"};
    opened_at = loop.now();
    last_pong = {};
    ++counters.connects;
    stop_timer();
    if (options.ping_every_ns > 0)
      set_timer(options.ping_every_ns, &Impl::send_ping);
    if (handler.on_open)
      handler.on_open();
  }

  // ---- frames
  // ------------------------------------------------------------------------------------

  void on_bytes(std::string_view bytes, MonoNanos at) override {
    if (!upgraded) {
      if (!read_upgrade(bytes))
        return;
      const std::string early = std::exchange(handshake, {});
      upgrade_done();
      read_frames(early, at);
      return;
    }
    read_frames(bytes, at);
  }

  void read_frames(std::string_view bytes, MonoNanos at) {
    while (socket.is_open() && !deaf) {
      switch (reader->read(bytes, at)) {
        case WsReadStatus::kMore:
          return;
        case WsReadStatus::kMessage:
          deliver();
          break;
        case WsReadStatus::kPing:
          // A peer that pings faster than it reads gets no pong: the queue stays bounded.
          (void)queue_frame(WsOpcode::kPong, reader->control());
          break;
        case WsReadStatus::kPong:
          on_pong();
          break;
        case WsReadStatus::kClose:
          on_close_frame();
          return;
        case WsReadStatus::kTooLarge:
          fail_with_close(WsCloseReason::kTooLarge, kCodeTooLarge, "message over the limit");
          return;
        case WsReadStatus::kProtocol:
          fail_with_close(WsCloseReason::kProtocol, kCodeProtocol, reader->error());
          return;
      }
    }
  }

  void deliver() {
    if (state != WsState::kOpen)
      return;  // after our close frame nothing is handed over
    ++counters.messages;
    counters.bytes += reader->message().size();
    if (handler.on_message) {
      handler.on_message(reader->message(), reader->is_binary(), reader->first_byte_at());
    }
  }

  void send_ping() {
    ++ping_number;
    const std::string payload = std::to_string(ping_number);
    (void)queue_frame(WsOpcode::kPing, payload);
    set_timer(options.pong_within_ns, &Impl::on_pong_timeout);
  }

  void on_pong() {
    if (reader->control() != std::to_string(ping_number))
      return;  // unsolicited or old
    last_pong = loop.now();
    if (state == WsState::kOpen)
      set_timer(options.ping_every_ns, &Impl::send_ping);
  }

  void on_pong_timeout() { fail(WsCloseReason::kPongTimeout, "no pong in time"); }

  // The peer's close frame: answered once, then the peer ends the connection.
  void on_close_frame() {
    const bool answer_to_ours = state == WsState::kClosing;
    ending.close_code = reader->close_code();
    if (answer_to_ours)
      return;
    ending.reason = WsCloseReason::kByPeer;
    ending.text = std::string(reader->control());
    const std::uint16_t code = ending.close_code == 1005 ? 1000 : ending.close_code;
    start_closing(code);
  }

  void start_closing(std::uint16_t code) {
    const char payload[2] = {static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)};
    state = WsState::kClosing;
    put_frame(WsOpcode::kClose, {payload, sizeof payload});
    flush_then_fin = true;
    set_timer(kCloseTimeoutNs, &Impl::end);
  }

  // We end it because of what the peer sent; the peer is told why before the connection ends.
  void fail_with_close(WsCloseReason reason, std::uint16_t code, const char* text) {
    ending.reason = reason;
    ending.text = text;
    deaf = true;
    if (state == WsState::kOpen) {
      start_closing(code);
    } else {
      end();
    }
  }

  void fail(WsCloseReason reason, std::string text) {
    ending.reason = reason;
    ending.text = std::move(text);
    end();
  }

  // ---- sending
  // -----------------------------------------------------------------------------------

  void put_frame(WsOpcode opcode, std::string_view payload) {
    const WsMask mask = masks.next();
    char header[kWsMaxHeaderBytes];
    const std::size_t header_bytes = write_ws_header(header, opcode, true, payload.size(), &mask);
    out.append({header, header_bytes});
    if (!payload.empty()) {
      char* at = out.extend(payload.size());
      payload.copy(at, payload.size());
      apply_ws_mask(at, payload.size(), mask, 0);
    }
    socket.request_write();
  }

  [[nodiscard]] bool queue_frame(WsOpcode opcode, std::string_view payload) {
    if (state != WsState::kOpen ||
        out.size() + payload.size() + kWsMaxHeaderBytes > options.send_queue_bytes) {
      return false;
    }
    put_frame(opcode, payload);
    return true;
  }

  void on_writable() override {
    const std::string_view chunk = out.front(kWriteChunkBytes);
    if (!chunk.empty()) {
      if (!socket.write(chunk)) {
        fail(WsCloseReason::kByPeer, "the socket write failed");
        return;
      }
      out.consume(chunk.size());
      socket.request_write();  // for the rest, or to learn that all of it has left
      return;
    }
    if (std::exchange(flush_then_fin, false))
      socket.finish_writing();
  }

  void close(std::uint16_t code) {
    retry_allowed = false;
    if (state == WsState::kOpen) {
      ending = {.reason = WsCloseReason::kByUs, .text = "closed by us"};
      start_closing(code);
    } else {
      cut();
    }
  }

  void cut() {
    retry_allowed = false;
    if (state == WsState::kIdle)
      return;
    socket.reset();
    ending = {.reason = WsCloseReason::kByUs, .text = "cut by us"};
    state = WsState::kClosing;
    set_timer(0, &Impl::end);
  }

  // ---- the end
  // -----------------------------------------------------------------------------------

  void on_closed(Ending) override { end(); }

  void end() {
    socket.reset();
    stop_timer();
    if (upgraded && loop.now().ns - opened_at.ns >= options.reconnect.max_ns)
      backoff.succeeded();
    if (ending.reason != WsCloseReason::kByUs)
      ++counters.failures;
    upgraded = false;
    out.clear();
    state = WsState::kIdle;
    const std::int64_t wait_ns = backoff.next_wait_ns();
    if (options.reconnect.enabled && retry_allowed && !backoff.spent()) {
      state = WsState::kWaiting;
      set_timer(wait_ns, &Impl::connect_now);
    }
    const WsClosed closed = std::exchange(ending, {});
    if (handler.on_closed)
      handler.on_closed(closed);
  }
};

WsClient::WsClient(Loop& loop, Endpoint endpoint, std::string path, WsClientOptions options,
                   WsClientHandler handler) {
  validate(endpoint, path, options);
  impl_ = std::make_unique<Impl>(loop, std::move(endpoint), std::move(path), std::move(options),
                                 std::move(handler));
}

WsClient::~WsClient() = default;

void WsClient::open() {
  impl_->backoff.succeeded();  // asked for by a person or a policy above: a full budget again
  impl_->open();
}

bool WsClient::send(std::string_view payload, bool binary) {
  const bool queued = impl_->queue_frame(binary ? WsOpcode::kBinary : WsOpcode::kText, payload);
  ++(queued ? impl_->counters.sent : impl_->counters.send_refused);
  return queued;
}

void WsClient::close(std::uint16_t code) {
  impl_->close(code);
}
void WsClient::cut() {
  impl_->cut();
}
WsState WsClient::state() const noexcept {
  return impl_->state;
}
std::size_t WsClient::queued_bytes() const noexcept {
  return impl_->out.size();
}
const WsClientCounters& WsClient::counters() const noexcept {
  return impl_->counters;
}
std::uint32_t WsClient::consecutive_failures() const noexcept {
  return impl_->backoff.failures();
}
MonoNanos WsClient::last_pong_ns() const noexcept {
  return impl_->last_pong;
}

}  // namespace sluice::net
