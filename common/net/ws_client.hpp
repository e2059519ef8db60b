// ws_client.hpp — one WebSocket to a venue.
//
// Runs on its Loop's thread. A callback may do anything but destroy the client. Why not
// libwebsockets' own WebSocket client: see raw_socket.hpp. Invariants:
//  1. A message is handed over whole (fragments joined) or not at all; never longer than
//     max_message_bytes. Its buffer is reused after the callback.
//  2. kWsPaddingBytes readable zero bytes follow each message (what simdjson asks for).
//  3. The receive stamp is taken at the entry of the callback that brought the first bytes of the
//     message, before anything is copied.
//  4. The send queue is bounded; a full queue refuses.
//  5. permessage-deflate is never offered. Header values are never logged.
//  6. on_closed runs once for each attempt that ended, from the loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.hpp"
#include "common/net/loop.hpp"
#include "common/net/types.hpp"

namespace sluice::net {

struct WsClientOptions {
  std::vector<Header> headers{};           // on the upgrade request, e.g. credentials
  std::size_t max_message_bytes{1 << 20};  // a longer message closes with kTooLarge
  std::size_t send_queue_bytes{256 * 1024};
  std::int64_t connect_timeout_ns{5'000'000'000};  // TCP and upgrade together
  std::int64_t ping_every_ns{10'000'000'000};      // 0 = never
  std::int64_t pong_within_ns{5'000'000'000};      // no pong by then: kPongTimeout
  // How to try again after an end; on_closed still runs for each end. A refusal by status 401 or
  // 403 is not retried: the credentials will not get better.
  ReconnectPolicy reconnect{.enabled = false};
};

enum class WsState : std::uint8_t {
  kIdle,        // ended and not trying; open() starts
  kConnecting,  // TCP or upgrade under way
  kOpen,
  kClosing,  // close frame queued
  kWaiting,  // between two attempts
};
[[nodiscard]] const char* to_string(WsState state) noexcept;

struct WsClientHandler {
  std::function<void()> on_open{};
  // `payload` is readable kWsPaddingBytes past its end; valid inside the callback only.
  std::function<void(std::string_view payload, bool binary, MonoNanos receive_ns)> on_message{};
  std::function<void(const WsClosed&)> on_closed{};
};

struct WsClientCounters {
  std::uint64_t messages{0};
  std::uint64_t bytes{0};
  std::uint64_t sent{0};
  std::uint64_t send_refused{0};
  std::uint64_t connects{0};
  std::uint64_t failures{0};
};

class WsClient {
 public:
  // Starts to connect with the loop's next turn. Throws Error(kConfig) on options out of range or
  // an endpoint with tls. `path` includes the query.
  WsClient(Loop& loop, Endpoint endpoint, std::string path, WsClientOptions options,
           WsClientHandler handler);
  // Cuts the connection; no callback runs any more.
  ~WsClient();
  WsClient(const WsClient&) = delete;
  WsClient& operator=(const WsClient&) = delete;

  // From kIdle or kWaiting: connects with the loop's next turn. Otherwise nothing.
  void open();

  // False = not open, or the queue has no room (counted): nothing was queued.
  [[nodiscard]] bool send(std::string_view payload, bool binary = false);

  // Sends what is queued, then a close frame; no reconnect follows. on_closed runs with kByUs.
  void close(std::uint16_t code = 1000);
  // Ends the TCP connection at once with RST; no reconnect follows. on_closed runs with kByUs.
  void cut();

  [[nodiscard]] WsState state() const noexcept;
  [[nodiscard]] std::size_t queued_bytes() const noexcept;
  [[nodiscard]] const WsClientCounters& counters() const noexcept;
  [[nodiscard]] std::uint32_t consecutive_failures() const noexcept;
  // When the last pong came; {0} = none on this connection.
  [[nodiscard]] MonoNanos last_pong_ns() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::net
