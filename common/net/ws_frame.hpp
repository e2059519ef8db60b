// ws_frame.hpp — RFC 6455 frames: header writer and incremental reader, for both sides.
//
// Pure: bytes in, events out; no socket, no clock. One thread. Invariants of the reader:
//  1. A message is joined in one buffer that never holds more than `max_message_bytes`; a frame
//     whose announced length passes it is refused before a byte of it is stored.
//  2. kWsPaddingBytes zero bytes follow the message in that buffer.
//  3. Payload bytes are copied once, in bulk.
//  4. After an error the reader takes nothing more.
// Text is not checked for UTF-8 (RFC 6455 8.1): what arrives goes to a JSON parser that does so.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "common/base/time.hpp"
#include "common/net/types.hpp"

namespace sluice::net {

enum class WsOpcode : std::uint8_t {
  kContinuation = 0,
  kText = 1,
  kBinary = 2,
  kClose = 8,
  kPing = 9,
  kPong = 10,
};

inline constexpr std::size_t kWsMaxHeaderBytes = 14;
inline constexpr std::size_t kWsMaxControlBytes = 125;
using WsMask = std::array<std::uint8_t, 4>;

// Writes a frame header to `out` (kWsMaxHeaderBytes of room), returns its length. `mask` is what a
// client must pass and a server must not. `compressed` sets RSV1: the first frame of a message
// only.
std::size_t write_ws_header(char* out, WsOpcode opcode, bool final, std::uint64_t payload_bytes,
                            const WsMask* mask, bool compressed = false) noexcept;

// XORs `size` bytes with the mask, the first one with mask[offset % 4].
void apply_ws_mask(char* data, std::size_t size, const WsMask& mask, std::size_t offset) noexcept;

enum class WsReadStatus : std::uint8_t {
  kMore,      // all bytes taken, nothing complete
  kMessage,   // message() and is_binary() are set
  kPing,      // control() is its payload
  kPong,      // control() is its payload
  kClose,     // close_code() and control() (the reason text) are set
  kTooLarge,  // answer with 1009
  kProtocol,  // answer with 1002; error() says what
};

class WsReader {
 public:
  enum class Role : std::uint8_t { kClient, kServer };  // who reads: a server expects masks

  WsReader(Role role, std::size_t max_message_bytes);

  // permessage-deflate was negotiated: a message may carry RSV1 (RFC 7692 6), and is_compressed()
  // then says so; its bytes are handed over as they came.
  void allow_compressed() noexcept { may_compress_ = true; }

  // Takes bytes from the front of `bytes` until something is complete. Call again with the rest
  // until it returns kMore or an error. Results are valid until the next call.
  [[nodiscard]] WsReadStatus read(std::string_view& bytes, MonoNanos at);

  [[nodiscard]] std::string_view message() const noexcept { return {buffer_.get(), size_}; }
  [[nodiscard]] bool is_binary() const noexcept { return binary_; }
  [[nodiscard]] bool is_compressed() const noexcept { return compressed_; }
  // `at` of the read() that brought the first byte of the message.
  [[nodiscard]] MonoNanos first_byte_at() const noexcept { return first_byte_at_; }
  [[nodiscard]] std::string_view control() const noexcept {
    return {control_.data() + control_skip_, control_size_ - control_skip_};
  }
  [[nodiscard]] std::uint16_t close_code() const noexcept { return close_code_; }
  [[nodiscard]] const char* error() const noexcept { return error_; }

 private:
  [[nodiscard]] WsReadStatus check_start();
  [[nodiscard]] WsReadStatus header_complete();
  [[nodiscard]] WsReadStatus take_payload(std::string_view& bytes);
  [[nodiscard]] WsReadStatus frame_complete();
  [[nodiscard]] WsReadStatus close_complete();
  [[nodiscard]] WsReadStatus fail(const char* error) noexcept;
  [[nodiscard]] std::size_t header_bytes_needed() const noexcept;
  [[nodiscard]] bool is_control() const noexcept { return (header_[0] & 0x08) != 0; }
  void reserve(std::size_t size);

  const Role role_;
  const std::size_t max_message_bytes_;

  std::unique_ptr<char[]> buffer_{};
  std::size_t capacity_{0};  // without the padding
  std::size_t size_{0};      // of the message so far
  bool binary_{false};
  bool may_compress_{false};
  bool compressed_{false};
  bool in_message_{false};     // a fragment came, the last one not yet
  bool message_taken_{false};  // the message was returned; the next frame starts a new one
  MonoNanos first_byte_at_{};

  std::array<std::uint8_t, kWsMaxHeaderBytes> header_{};
  std::size_t header_size_{0};
  bool in_payload_{false};
  std::uint64_t payload_left_{0};
  std::size_t payload_done_{0};
  WsMask mask_{};

  std::array<char, kWsMaxControlBytes> control_{};
  std::size_t control_size_{0};
  std::size_t control_skip_{0};
  std::uint16_t close_code_{0};
  const char* error_{""};
  WsReadStatus failed_{WsReadStatus::kMore};
};

}  // namespace sluice::net
