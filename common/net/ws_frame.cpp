// ws_frame.cpp — see ws_frame.hpp.
#include "common/net/ws_frame.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace sluice::net {
namespace {

constexpr std::uint8_t kFinal = 0x80;
constexpr std::uint8_t kReservedBits = 0x70;
constexpr std::uint8_t kCompressed = 0x40;  // RSV1
constexpr std::uint8_t kOpcodeBits = 0x0F;
constexpr std::uint8_t kMasked = 0x80;
constexpr std::uint8_t kLengthBits = 0x7F;
constexpr std::uint8_t kLength16 = 126;
constexpr std::uint8_t kLength64 = 127;
constexpr std::size_t kFirstCapacity = 4096;

// Codes a peer may send: RFC 6455 7.4, with the registered ones and those left to applications.
bool close_code_allowed(std::uint16_t code) noexcept {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
         (code >= 3000 && code <= 4999);
}

}  // namespace

std::size_t write_ws_header(char* out, WsOpcode opcode, bool final, std::uint64_t payload_bytes,
                            const WsMask* mask, bool compressed) noexcept {
  std::array<std::uint8_t, kWsMaxHeaderBytes> header{};
  const std::uint8_t masked = mask != nullptr ? kMasked : 0;
  std::size_t size = 2;
  header[0] = static_cast<std::uint8_t>((final ? kFinal : 0) | (compressed ? kCompressed : 0) |
                                        static_cast<std::uint8_t>(opcode));
  std::size_t length_bytes = 0;
  if (payload_bytes < kLength16) {
    header[1] = static_cast<std::uint8_t>(masked | payload_bytes);
  } else if (payload_bytes <= 0xFFFF) {
    header[1] = masked | kLength16;
    length_bytes = 2;
  } else {
    header[1] = masked | kLength64;
    length_bytes = 8;
  }
  for (std::size_t i = length_bytes; i > 0; --i) {  // network byte order
    header[size++] = static_cast<std::uint8_t>(payload_bytes >> (8 * (i - 1)));
  }
  if (mask != nullptr) {
    std::copy(mask->begin(), mask->end(), header.begin() + static_cast<std::ptrdiff_t>(size));
    size += mask->size();
  }
  std::memcpy(out, header.data(), size);
  return size;
}

void apply_ws_mask(char* data, std::size_t size, const WsMask& mask, std::size_t offset) noexcept {
  std::array<std::uint8_t, 8> turned{};
  for (std::size_t i = 0; i < turned.size(); ++i)
    turned[i] = mask[(offset + i) % 4];
  const auto word_mask = std::bit_cast<std::uint64_t>(turned);
  std::size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, data + i, 8);
    word ^= word_mask;
    std::memcpy(data + i, &word, 8);
  }
  for (; i < size; ++i) {
    data[i] = static_cast<char>(static_cast<std::uint8_t>(data[i]) ^ turned[i % 8]);
  }
}

WsReader::WsReader(Role role, std::size_t max_message_bytes)
    : role_(role), max_message_bytes_(max_message_bytes) {
  reserve(std::min(kFirstCapacity, max_message_bytes));
}

// Grows by doubling up to the limit; an uninitialised tail is fine, the padding is written when the
// message is complete.
void WsReader::reserve(std::size_t size) {
  if (buffer_ != nullptr && size <= capacity_)
    return;
  const std::size_t capacity = std::min(max_message_bytes_, std::max(size, capacity_ * 2));
  auto grown = std::make_unique_for_overwrite<char[]>(capacity + kWsPaddingBytes);
  if (size_ != 0)
    std::memcpy(grown.get(), buffer_.get(), size_);
  buffer_ = std::move(grown);
  capacity_ = capacity;
}

WsReadStatus WsReader::fail(const char* error) noexcept {
  error_ = error;
  return failed_ = WsReadStatus::kProtocol;
}

std::size_t WsReader::header_bytes_needed() const noexcept {
  if (header_size_ < 2)
    return 2;
  const std::uint8_t length = header_[1] & kLengthBits;
  std::size_t needed = 2;
  if (length == kLength16)
    needed += 2;
  if (length == kLength64)
    needed += 8;
  if ((header_[1] & kMasked) != 0)
    needed += 4;
  return needed;
}

WsReadStatus WsReader::read(std::string_view& bytes, MonoNanos at) {
  if (failed_ != WsReadStatus::kMore)
    return failed_;
  if (message_taken_) {
    message_taken_ = false;
    size_ = 0;
  }
  for (;;) {
    if (in_payload_) {
      const WsReadStatus status = take_payload(bytes);
      if (status != WsReadStatus::kMore || bytes.empty())
        return status;
      continue;
    }
    if (bytes.empty())
      return WsReadStatus::kMore;
    // A control frame may come between fragments: it does not start the message.
    if (header_size_ == 0 && !in_message_)
      first_byte_at_ = at;
    const std::size_t count = std::min(header_bytes_needed() - header_size_, bytes.size());
    std::memcpy(header_.data() + header_size_, bytes.data(), count);
    const bool start_complete = header_size_ < 2 && header_size_ + count >= 2;
    header_size_ += count;
    bytes.remove_prefix(count);
    if (start_complete) {
      if (const WsReadStatus status = check_start(); status != WsReadStatus::kMore)
        return status;
    }
    if (header_size_ < 2 || header_size_ < header_bytes_needed())
      continue;
    if (const WsReadStatus status = header_complete(); status != WsReadStatus::kMore)
      return status;
  }
}

// The first two bytes tell nearly every violation: garbage is refused here, not after a length that
// may never come.
WsReadStatus WsReader::check_start() {
  const std::uint8_t length = header_[1] & kLengthBits;
  const bool masked = (header_[1] & kMasked) != 0;
  const std::uint8_t opcode = header_[0] & kOpcodeBits;
  const bool starts_message = opcode == static_cast<std::uint8_t>(WsOpcode::kText) ||
                              opcode == static_cast<std::uint8_t>(WsOpcode::kBinary);
  const std::uint8_t allowed = may_compress_ && starts_message ? kCompressed : 0;
  if ((header_[0] & kReservedBits & ~allowed) != 0)
    return fail("reserved bit set");
  if (masked != (role_ == Role::kServer))
    return fail(masked ? "masked frame" : "unmasked frame");
  switch (static_cast<WsOpcode>(header_[0] & kOpcodeBits)) {
    case WsOpcode::kText:
    case WsOpcode::kBinary:
      if (in_message_)
        return fail("new message inside a fragmented one");
      return WsReadStatus::kMore;
    case WsOpcode::kContinuation:
      if (!in_message_)
        return fail("continuation of nothing");
      return WsReadStatus::kMore;
    case WsOpcode::kClose:
    case WsOpcode::kPing:
    case WsOpcode::kPong:
      if ((header_[0] & kFinal) == 0)
        return fail("fragmented control frame");
      if (length > kWsMaxControlBytes)
        return fail("control frame over 125 bytes");
      return WsReadStatus::kMore;
  }
  return fail("unknown opcode");
}

WsReadStatus WsReader::header_complete() {
  const std::uint8_t length = header_[1] & kLengthBits;
  std::uint64_t size = length;
  std::size_t at = 2;
  if (length >= kLength16) {
    const std::size_t bytes = length == kLength16 ? 2 : 8;
    size = 0;
    for (std::size_t i = 0; i < bytes; ++i)
      size = size << 8 | header_[at++];
    if ((bytes == 2 && size < kLength16) || (bytes == 8 && size <= 0xFFFF)) {
      return fail("length not in its shortest form");
    }
  }
  if (role_ == Role::kServer) {
    std::copy_n(header_.begin() + static_cast<std::ptrdiff_t>(at), 4, mask_.begin());
  }
  if (is_control()) {
    control_size_ = 0;
    control_skip_ = 0;
  } else {
    const auto opcode = static_cast<WsOpcode>(header_[0] & kOpcodeBits);
    if (opcode != WsOpcode::kContinuation) {
      binary_ = opcode == WsOpcode::kBinary;
      compressed_ = (header_[0] & kCompressed) != 0;
      size_ = 0;
    }
    if (size > max_message_bytes_ - size_)
      return failed_ = WsReadStatus::kTooLarge;
    in_message_ = true;
    reserve(size_ + static_cast<std::size_t>(size));
  }
  payload_left_ = size;
  payload_done_ = 0;
  in_payload_ = true;
  return WsReadStatus::kMore;
}

WsReadStatus WsReader::take_payload(std::string_view& bytes) {
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(payload_left_, bytes.size()));
  char* to = is_control() ? control_.data() + control_size_ : buffer_.get() + size_;
  if (count != 0) {
    std::memcpy(to, bytes.data(), count);
    if (role_ == Role::kServer)
      apply_ws_mask(to, count, mask_, payload_done_);
    bytes.remove_prefix(count);
  }
  (is_control() ? control_size_ : size_) += count;
  payload_done_ += count;
  payload_left_ -= count;
  return payload_left_ == 0 ? frame_complete() : WsReadStatus::kMore;
}

WsReadStatus WsReader::frame_complete() {
  in_payload_ = false;
  header_size_ = 0;
  switch (static_cast<WsOpcode>(header_[0] & kOpcodeBits)) {
    case WsOpcode::kPing:
      return WsReadStatus::kPing;
    case WsOpcode::kPong:
      return WsReadStatus::kPong;
    case WsOpcode::kClose:
      return close_complete();
    default:
      break;
  }
  if ((header_[0] & kFinal) == 0)
    return WsReadStatus::kMore;
  in_message_ = false;
  message_taken_ = true;
  std::memset(buffer_.get() + size_, 0, kWsPaddingBytes);
  return WsReadStatus::kMessage;
}

WsReadStatus WsReader::close_complete() {
  close_code_ = 1005;  // none given
  if (control_size_ == 1)
    return fail("close code of one byte");
  if (control_size_ >= 2) {
    close_code_ = static_cast<std::uint16_t>(static_cast<std::uint8_t>(control_[0]) << 8 |
                                             static_cast<std::uint8_t>(control_[1]));
    control_skip_ = 2;
    if (!close_code_allowed(close_code_))
      return fail("close code out of range");
  }
  return WsReadStatus::kClose;
}

}  // namespace sluice::net
