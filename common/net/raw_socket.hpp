// raw_socket.hpp — one TCP connection through libwebsockets' plain raw role, and the listener.
//
// For this folder only. Runs on the Loop's thread; reset_from_other_thread() is the exception.
// Why the raw role and not libwebsockets' own HTTP and WebSocket roles (all measured with 4.1.6):
//  - its HTTP client opens a new connection for each PATCH and DELETE;
//  - its HTTP server hands over percent-decoded paths and queries only ("BTC%2FUSD" arrives as
//    "BTC/USD", "a%26b" as "a&b"), and a chunked body undecoded and without an end;
//  - its WebSocket client parses byte by byte: 5 ns of processor time a byte, 20 µs for a frame of
//    4 KB; with ws_frame it is 1.2 ns, nearly all of it the kernel's.
// Invariants:
//  1. At most one write per writable callback; libwebsockets buffers what the socket did not take
//     and calls us again only when that has left.
//  2. After reset() no event of this socket arrives any more, whatever libwebsockets still does
//     with it: events find their socket by a pointer that reset() takes away.
//  3. The descriptor is published in `fd_` as long as, and only as long as, it is ours; whoever
//     wants to close or reset it takes it out first.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "common/base/time.hpp"
#include "common/net/loop.hpp"
#include "common/net/types.hpp"

struct lws;

namespace sluice::net {

inline constexpr std::size_t kReadChunkBytes = 64 * 1024;
inline constexpr std::size_t kWriteChunkBytes = 64 * 1024;

// How a connection ended without our doing.
enum class Ending : std::uint8_t {
  kOrderly,  // the peer finished sending (FIN): what came before it is complete
  kAborted,  // reset, unreachable, refused, or an error of ours
};

class RawSocket {
 public:
  struct Events {
    virtual void on_connected() = 0;
    // `bytes` live in the loop's read buffer, for the call only. `at` was taken at the entry of
    // the callback.
    virtual void on_bytes(std::string_view bytes, MonoNanos at) = 0;
    virtual void on_writable() = 0;
    virtual void on_closed(Ending ending) = 0;

   protected:
    ~Events() = default;
  };

  RawSocket(Loop& loop, Events& events) : loop_(loop), events_(events) {}
  ~RawSocket() { reset(); }
  RawSocket(const RawSocket&) = delete;
  RawSocket& operator=(const RawSocket&) = delete;

  // Starts a connect; on_connected or on_closed follows from the loop. False = failed at once,
  // `error` says why and no event follows. `user_timeout_ms` 0 = the system's.
  [[nodiscard]] bool connect(const Endpoint& endpoint, std::uint32_t user_timeout_ms,
                             std::string& error);
  // Takes over an accepted descriptor. False = it was closed, no event follows.
  [[nodiscard]] bool adopt(int fd);

  // Asks for one on_writable.
  void request_write() noexcept;
  // Hands bytes to the socket; inside on_writable, once. False = the connection is broken: some of
  // the bytes may have left.
  [[nodiscard]] bool write(std::string_view bytes) noexcept;
  // Sends FIN behind what was written.
  void finish_writing() noexcept;
  void pause_reading(bool pause) noexcept;

  // Ends the connection with RST now; drops what the kernel has queued. No event follows.
  void reset() noexcept;
  [[nodiscard]] bool is_open() const noexcept { return wsi_ != nullptr; }

  // RST from another thread, see HttpPool. The owner learns it as on_closed(kAborted).
  void reset_from_other_thread() noexcept;

 private:
  friend int on_raw_socket_event(lws* wsi, int reason, void* in, std::size_t size);

  static constexpr int kNoFd = -1;
  static constexpr int kFdInUse = -2;  // another thread is resetting it right now

  void publish_fd(int fd) noexcept;
  int take_fd() noexcept;
  [[nodiscard]] bool hand_to_lws(int fd);

  Loop& loop_;
  Events& events_;
  lws* wsi_{nullptr};
  bool connecting_{false};
  std::atomic<int> fd_{kNoFd};
};

// A listening socket; accepted descriptors are handed to `on_accept`, which owns them.
class Listener {
 public:
  // Throws Error(kResource) naming address, port and remedy.
  Listener(Loop& loop, const std::string& address, std::uint16_t port,
           std::function<void(int fd)> on_accept);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

 private:
  friend int on_listener_event(lws* wsi, int reason);
  std::function<void(int)> on_accept_;
  lws* wsi_{nullptr};
  int fd_{-1};
  std::uint16_t port_{0};
  bool refusing_{false};  // accept() fails at present
};

// What loop.cpp's libwebsockets protocols call.
int on_raw_socket_event(lws* wsi, int reason, void* in, std::size_t size);
int on_listener_event(lws* wsi, int reason);
inline constexpr const char* kRawProtocol = "sluice-raw";
inline constexpr const char* kListenProtocol = "sluice-listen";

}  // namespace sluice::net
