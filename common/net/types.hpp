// types.hpp — the small value types that the network library's clients and servers share.
//
// Plain data, no library behind it; may be used from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace sluice::net {

// One header that somebody else owns; valid as long as the call it is passed to (or the callback
// it is received in).
struct HeaderView {
  std::string_view name;
  std::string_view value;
};

// One header that an options struct keeps. Values may be credentials: nothing in this library
// logs a header value, and no error text contains one.
struct Header {
  std::string name;
  std::string value;
};

// Value of the first header of that name (any case), or empty.
[[nodiscard]] std::string_view find_header(std::span<const HeaderView> headers,
                                           std::string_view name) noexcept;

// Where a client connects to. `host` may be a name; it is resolved by the C library at each
// connect, which blocks the loop's thread: use addresses where that matters.
// `tls` is refused with Error(kConfig): only plain sockets are spoken here.
struct Endpoint {
  std::string host;
  std::uint16_t port{0};
  bool tls{false};
};

// How a client that lost its connection tries again: the n-th consecutive failure waits
// min(first_ns × 2^n, max_ns), of which the last half is random so that clients of one venue do
// not arrive together.
struct ReconnectPolicy {
  bool enabled{true};
  std::int64_t first_ns{100'000'000};  // range 1 ms … max_ns
  std::int64_t max_ns{5'000'000'000};  // longest wait between two attempts
  std::uint32_t max_failures{0};       // consecutive failures until giving up; 0 = never give up
};

// Readable zero bytes behind each received WebSocket message: what simdjson asks for.
inline constexpr std::size_t kWsPaddingBytes = 64;

// Why a WebSocket ended, for both sides.
enum class WsCloseReason : std::uint8_t {
  kByUs,           // close() or cut() here
  kByPeer,         // close frame from the peer, or the connection ended
  kConnectFailed,  // no TCP connection within the time
  kRefused,        // the server answered the upgrade with another status: see http_status
  kTooLarge,       // a message passed the limit
  kPongTimeout,    // no pong in time: the peer is taken for dead
  kProtocol,       // the peer broke RFC 6455
};

struct WsClosed {
  WsCloseReason reason{WsCloseReason::kByPeer};
  int http_status{0};           // with kRefused
  std::uint16_t close_code{0};  // code of the peer's close frame; 0 = none came
  std::string text;             // for people: what happened, never a header value
};

[[nodiscard]] const char* to_string(WsCloseReason reason) noexcept;

}  // namespace sluice::net
