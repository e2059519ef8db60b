// ws_deflate.hpp — permessage-deflate (RFC 7692), a server's side: negotiation and both directions.
//
// Pure: bytes in, bytes out; one thread. Invariants:
//  1. Inflating never holds more than `max_message_bytes` of a message, however small it arrived.
//  2. After a failure the inflater's window is unknown: the connection must end.
//  3. What a deflater returned must be sent: the peer's window follows ours.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::net {

struct WsDeflateTerms {
  int server_window_bits{15};              // 9 to 15: how far our compression looks back
  bool server_window_asked{false};         // the client named it, so the answer does
  bool server_no_context_takeover{false};  // our window starts empty with every message
  bool client_no_context_takeover{false};  // the client's does
};

// The first of the offers in a Sec-WebSocket-Extensions header that can be met; nothing when there
// is none: the connection goes on without compression. An offer with an unknown, repeated or
// malformed parameter is declined (RFC 7692 7.1), and so is a window of 8 bits, which zlib lacks.
[[nodiscard]] std::optional<WsDeflateTerms> accept_ws_deflate(std::string_view offers);

// The value of the answer's Sec-WebSocket-Extensions header.
[[nodiscard]] std::string ws_deflate_answer(const WsDeflateTerms& terms);

class WsDeflater {
 public:
  // Throws std::bad_alloc when zlib has no memory.
  explicit WsDeflater(const WsDeflateTerms& terms);
  ~WsDeflater();
  WsDeflater(const WsDeflater&) = delete;
  WsDeflater& operator=(const WsDeflater&) = delete;

  // The payload of a message with RSV1 set; `message` is not empty. Valid until the next call.
  [[nodiscard]] std::string_view compress(std::string_view message);

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<char[]> out_{};
  std::size_t capacity_{0};
  const bool forget_;
};

enum class WsInflateStatus : std::uint8_t {
  kOk,
  kTooLarge,  // answer with 1009
  kCorrupt,   // answer with 1007
};

class WsInflater {
 public:
  // Throws std::bad_alloc when zlib has no memory.
  WsInflater(const WsDeflateTerms& terms, std::size_t max_message_bytes);
  ~WsInflater();
  WsInflater(const WsInflater&) = delete;
  WsInflater& operator=(const WsInflater&) = delete;

  [[nodiscard]] WsInflateStatus inflate(std::string_view compressed);
  // Of the last kOk; valid until the next call.
  [[nodiscard]] std::string_view message() const noexcept { return {out_.get(), size_}; }

 private:
  [[nodiscard]] WsInflateStatus feed(std::string_view bytes);
  [[nodiscard]] bool grow();

  struct Stream;
  std::unique_ptr<Stream> stream_;
  const std::size_t max_message_bytes_;
  std::unique_ptr<char[]> out_{};
  std::size_t capacity_{0};
  std::size_t size_{0};
  const bool forget_;
};

}  // namespace sluice::net
