// http_server.hpp — HTTP/1.1 and WebSocket server on a loopback address, with faults on demand.
//
// Runs on its Loop's thread. A callback may do anything but destroy the server. Invariants:
//  1. Sequential keep-alive: the next request of a connection is handed over after the answer to
//     the last one was given; bytes that came early wait.
//  2. Heads, bodies, messages, queues and the number of connections are bounded: 431, 413, close
//     code 1009, a refused send(), a refused accept.
//  3. A Responder that comes too late (connection gone, already answered) does nothing.
//  4. permessage-deflate (RFC 7692) is negotiated only where ServerOptions::ws_deflate allows it;
//  an
//     inflated message is bounded like any other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.hpp"
#include "common/net/loop.hpp"
#include "common/net/types.hpp"

namespace sluice::net {

// All views are valid inside the callback only. Nothing is percent-decoded.
struct ServerRequest {
  std::string_view method;
  std::string_view path;   // up to the '?'
  std::string_view query;  // after the '?'
  std::string_view body;
  std::span<const HeaderView> headers;
  MonoNanos receive_ns{};       // when its last bytes were handed to us
  std::uint64_t connection{0};  // never reused

  [[nodiscard]] std::string_view header(std::string_view name) const noexcept {
    return find_header(headers, name);
  }
};

struct ServerAnswer {
  int status{200};
  std::string_view body{};  // 204 and 304 go without one
  std::string_view content_type{"application/json; charset=UTF-8"};
  std::span<const HeaderView> headers{};
};

// The right to answer one request, once, now or later from the loop's thread. A cheap copy; may
// outlive the connection and the server.
class Responder {
 public:
  Responder() = default;

  // Each returns false if the connection is gone or the request was answered already.
  bool answer(const ServerAnswer& answer);
  // Fault: the answer leaves, then the connection ends.
  bool answer_then_close(const ServerAnswer& answer);
  // Fault: RST instead of an answer.
  bool cut();
  // Fault: these bytes instead of an answer (garbage, a truncated answer), then the connection
  // ends.
  bool raw_then_close(std::string_view bytes);
  [[nodiscard]] bool alive() const noexcept;

 private:
  friend class HttpServer;
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

// One accepted WebSocket. Owned by the server; the reference is good until on_closed has returned.
class WsServerSession {
 public:
  virtual ~WsServerSession() = default;

  [[nodiscard]] virtual std::uint64_t id() const noexcept = 0;  // never reused
  [[nodiscard]] virtual const std::string& path() const noexcept = 0;
  // Of the upgrade request, any case; empty if absent.
  [[nodiscard]] virtual std::string_view header(std::string_view name) const noexcept = 0;

  // Queues one message: one copy, and small messages share socket writes. False = not open any
  // more, or the queue has no room: nothing was queued, on_drained tells when to go on.
  [[nodiscard]] virtual bool send(std::string_view payload, bool binary) = 0;
  // As send(), cut into fragments of at most `fragment_bytes`: for clients that must join them.
  [[nodiscard]] virtual bool send_fragmented(std::string_view payload, bool binary,
                                             std::size_t fragment_bytes) = 0;
  // Queues a ping with an empty payload; false as send().
  [[nodiscard]] virtual bool ping() = 0;
  // When the peer's last bytes of any kind came: messages, pongs, parts of them.
  [[nodiscard]] virtual MonoNanos heard_at() const noexcept = 0;
  // Fault: bytes that go out as they are, e.g. a truncated frame.
  virtual bool send_raw(std::string_view bytes) = 0;
  [[nodiscard]] virtual std::size_t queued_bytes() const noexcept = 0;

  // Sends what is queued, then a close frame; on_closed runs when the peer answered or left.
  virtual void close(std::uint16_t code, std::string_view reason) = 0;
  // Fault: what is queued leaves, then the connection ends without a close frame.
  virtual void end_after_sending() = 0;
  // Fault: the connection stays open, but what the peer sends is dropped unread: no pongs, no
  // answer to a close frame.
  virtual void freeze() = 0;
  // Ends the connection with RST; on_closed runs from the loop.
  virtual void cut() = 0;

  // Whatever the owner of the handlers wants to keep with the session.
  std::shared_ptr<void> user{};
};

struct UpgradeRefusal {
  int status{403};
  std::string body{};
};

// What happens on one WebSocket path. Empty functions are allowed.
struct WsRoute {
  std::string path;
  // Nothing = accept. A refusal is sent as the HTTP answer.
  std::function<std::optional<UpgradeRefusal>(const ServerRequest&)> on_upgrade{};
  std::function<void(WsServerSession&)> on_open{};
  std::function<void(WsServerSession&, std::string_view payload, bool binary)> on_message{};
  // The queue fell to ws_low_water_bytes or below after it had been above, or after a send() was
  // refused.
  std::function<void(WsServerSession&)> on_drained{};
  std::function<void(WsServerSession&, const WsClosed&)> on_closed{};
};

struct ServerOptions {
  std::string bind{"127.0.0.1"};  // an IPv4 address
  std::uint16_t port{0};          // 0 = the system chooses: see HttpServer::port()
  std::size_t max_connections{256};
  std::size_t header_limit_bytes{16 * 1024};
  std::size_t body_limit_bytes{1 << 20};
  // A connection on which no request and no part of one came for so long is closed.
  std::int64_t idle_timeout_ns{120'000'000'000};
  std::size_t ws_max_message_bytes{1 << 20};
  std::size_t ws_queue_bytes{4 << 20};
  std::size_t ws_low_water_bytes{1 << 20};
  // Compress for clients that offer permessage-deflate: about 400 KiB of memory for each of them.
  bool ws_deflate{false};
  std::int64_t ws_close_timeout_ns{2'000'000'000};  // from our close frame to the cut
};

struct ServerCounters {
  std::uint64_t connections{0};
  std::uint64_t refused_connections{0};
  std::uint64_t requests{0};
  std::uint64_t malformed{0};  // not HTTP/1.x, past a limit, or not RFC 6455
  std::uint64_t upgrades{0};
  std::uint64_t ws_messages_out{0};
};

class HttpServer {
 public:
  using Handler = std::function<void(const ServerRequest&, Responder)>;

  // Listens when it returns. Throws Error(kResource) naming address, port and remedy when the port
  // is in use or may not be bound.
  HttpServer(Loop& loop, ServerOptions options, Handler handler, std::vector<WsRoute> routes = {});
  // Cuts every connection; no callback runs any more.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept;
  [[nodiscard]] const ServerCounters& counters() const noexcept;
  [[nodiscard]] std::size_t open_connections() const noexcept;  // WebSockets included
  // Fault: RST on every connection, callbacks as for a lost connection.
  void cut_all();

 private:
  friend class Responder;
  struct Impl;
  std::shared_ptr<Impl> impl_;  // shared with responders, which hold it weakly
};

}  // namespace sluice::net
