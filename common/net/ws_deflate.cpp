// ws_deflate.cpp — see ws_deflate.hpp.
#include "common/net/ws_deflate.hpp"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>

#include "common/base/error.hpp"
#include "common/net/ws_handshake.hpp"

namespace sluice::net {
namespace {

constexpr int kMaxWindowBits = 15;
constexpr int kMinWindowBits = 9;  // zlib's for raw deflate
constexpr int kLevel = 1;          // small messages gain little from more
constexpr int kMemLevel = 8;
constexpr std::size_t kFirstCapacity = 4096;
// What a sync flush ends with; the sender leaves it out (RFC 7692 7.2.1).
constexpr std::string_view kTail{"\x00\x00\xff\xff", 4};

// zlib's interface is from before const.
Bytef* bytes_of(std::string_view text) noexcept {
  return reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
}

// Cuts the next piece off `text`, up to `end`.
std::string_view take(std::string_view& text, char end) noexcept {
  const std::size_t at = std::min(text.find(end), text.size());
  const std::string_view piece = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return trim_blanks(piece);
}

// Nothing for anything but 8 to 15, plain or quoted.
std::optional<int> window_bits(std::string_view value) noexcept {
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
    value = value.substr(1, value.size() - 2);
  if (value.size() == 1 && (value[0] == '8' || value[0] == '9'))
    return value[0] - '0';
  if (value.size() == 2 && value[0] == '1' && value[1] >= '0' && value[1] <= '5')
    return 10 + (value[1] - '0');
  return std::nullopt;
}

// The parameters of one offer, all of which must be known, well-formed and single.
std::optional<WsDeflateTerms> accept_parameters(std::string_view parameters) {
  WsDeflateTerms terms;
  bool client_window = false;
  while (!parameters.empty()) {
    std::string_view value = take(parameters, ';');
    const bool has_value = value.find('=') != std::string_view::npos;
    const std::string_view name = take(value, '=');
    if (name == "server_no_context_takeover" && !has_value && !terms.server_no_context_takeover) {
      terms.server_no_context_takeover = true;
    } else if (name == "client_no_context_takeover" && !has_value &&
               !terms.client_no_context_takeover) {
      terms.client_no_context_takeover = true;
    } else if (name == "client_max_window_bits" && !client_window &&
               (!has_value || window_bits(trim_blanks(value)))) {
      client_window = true;  // a smaller window needs nothing from who inflates
    } else if (name == "server_max_window_bits" && !terms.server_window_asked) {
      const auto bits = window_bits(trim_blanks(value));
      if (!bits || *bits < kMinWindowBits)
        return std::nullopt;
      terms.server_window_bits = *bits;
      terms.server_window_asked = true;
    } else {
      return std::nullopt;
    }
  }
  return terms;
}

}  // namespace

std::optional<WsDeflateTerms> accept_ws_deflate(std::string_view offers) {
  while (!offers.empty()) {
    std::string_view offer = take(offers, ',');
    if (take(offer, ';') != "permessage-deflate")
      continue;
    if (const auto terms = accept_parameters(offer))
      return terms;
  }
  return std::nullopt;
}

std::string ws_deflate_answer(const WsDeflateTerms& terms) {
  std::string answer = "permessage-deflate";
  if (terms.server_no_context_takeover)
    answer += "; server_no_context_takeover";
  if (terms.client_no_context_takeover)
    answer += "; client_no_context_takeover";
  if (terms.server_window_asked)
    answer += "; server_max_window_bits=" + std::to_string(terms.server_window_bits);
  return answer;
}

struct WsDeflater::Stream {
  z_stream z{};
};

WsDeflater::WsDeflater(const WsDeflateTerms& terms)
    : stream_(std::make_unique<Stream>()), forget_(terms.server_no_context_takeover) {
  const int status = deflateInit2(&stream_->z, kLevel, Z_DEFLATED, -terms.server_window_bits,
                                  kMemLevel, Z_DEFAULT_STRATEGY);
  if (status != Z_OK)
    throw std::bad_alloc();
}

WsDeflater::~WsDeflater() {
  deflateEnd(&stream_->z);
}

std::string_view WsDeflater::compress(std::string_view message) {
  SLUICE_ASSERT(!message.empty() && message.size() < std::numeric_limits<uInt>::max() / 2,
                "a message to compress has bytes, and fewer than zlib can count");
  z_stream& z = stream_->z;
  // The bound is for a finished stream; a flush adds an empty block of five bytes.
  const std::size_t bound = deflateBound(&z, static_cast<uLong>(message.size())) + 16;
  if (bound > capacity_) {
    capacity_ = std::max(bound, capacity_ * 2);
    out_ = std::make_unique_for_overwrite<char[]>(capacity_);
  }
  z.next_in = bytes_of(message);
  z.avail_in = static_cast<uInt>(message.size());
  z.next_out = reinterpret_cast<Bytef*>(out_.get());
  z.avail_out = static_cast<uInt>(capacity_);
  const int status = deflate(&z, Z_SYNC_FLUSH);
  SLUICE_ASSERT(status == Z_OK && z.avail_in == 0 && z.avail_out != 0, "deflateBound is a bound");
  const std::string_view all{out_.get(), capacity_ - z.avail_out};
  SLUICE_ASSERT(all.ends_with(kTail), "a sync flush ends with an empty stored block");
  if (forget_)
    deflateReset(&z);
  return all.substr(0, all.size() - kTail.size());
}

struct WsInflater::Stream {
  z_stream z{};
};

WsInflater::WsInflater(const WsDeflateTerms& terms, std::size_t max_message_bytes)
    : stream_(std::make_unique<Stream>()),
      max_message_bytes_(max_message_bytes),
      forget_(terms.client_no_context_takeover) {
  if (inflateInit2(&stream_->z, -kMaxWindowBits) != Z_OK)
    throw std::bad_alloc();
}

WsInflater::~WsInflater() {
  inflateEnd(&stream_->z);
}

// One byte more than a message may have, so that "just full" and "too large" differ.
bool WsInflater::grow() {
  const std::size_t most = max_message_bytes_ + 1;
  if (capacity_ >= most)
    return false;
  const std::size_t capacity = std::min(most, std::max(kFirstCapacity, capacity_ * 2));
  auto grown = std::make_unique_for_overwrite<char[]>(capacity);
  if (size_ != 0)
    std::memcpy(grown.get(), out_.get(), size_);
  out_ = std::move(grown);
  capacity_ = capacity;
  return true;
}

WsInflateStatus WsInflater::feed(std::string_view bytes) {
  z_stream& z = stream_->z;
  z.next_in = bytes_of(bytes);
  z.avail_in = static_cast<uInt>(bytes.size());
  for (;;) {
    if (size_ == capacity_ && !grow())
      return WsInflateStatus::kTooLarge;
    z.next_out = reinterpret_cast<Bytef*>(out_.get() + size_);
    z.avail_out = static_cast<uInt>(capacity_ - size_);
    const int status = ::inflate(&z, Z_SYNC_FLUSH);
    size_ = capacity_ - z.avail_out;
    if (size_ > max_message_bytes_)
      return WsInflateStatus::kTooLarge;
    if (status == Z_STREAM_END) {  // a sender may end its stream with a message and start anew
      inflateReset(&z);
      if (z.avail_in == 0)
        return WsInflateStatus::kOk;
    } else if (status == Z_BUF_ERROR || (status == Z_OK && z.avail_out != 0)) {
      // Nothing more comes out; the input is used up unless the stream is broken.
      return z.avail_in == 0 ? WsInflateStatus::kOk : WsInflateStatus::kCorrupt;
    } else if (status != Z_OK) {
      return WsInflateStatus::kCorrupt;
    }
  }
}

WsInflateStatus WsInflater::inflate(std::string_view compressed) {
  size_ = 0;
  WsInflateStatus status = feed(compressed);
  if (status == WsInflateStatus::kOk)
    status = feed(kTail);
  if (status == WsInflateStatus::kOk && forget_)
    inflateReset(&stream_->z);
  return status;
}

}  // namespace sluice::net
