// ws_handshake.cpp — see ws_handshake.hpp.
#include "common/net/ws_handshake.hpp"

#include <libwebsockets.h>
#include <strings.h>
#include <sys/random.h>

#include <cerrno>
#include <system_error>

namespace sluice::net {
namespace {

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::size_t kSha1Bytes = 20;

void fill_random(void* out, std::size_t size) {
  auto* at = static_cast<unsigned char*>(out);
  while (size > 0) {
    const ssize_t got = getrandom(at, size, 0);
    if (got < 0) {
      if (errno == EINTR)
        continue;
      throw std::system_error(errno, std::generic_category(), "getrandom");
    }
    at += got;
    size -= static_cast<std::size_t>(got);
  }
}

template <std::size_t N>
std::string base64(const std::array<unsigned char, N>& bytes) {
  std::array<char, (N + 2) / 3 * 4 + 8> out{};  // 8: lws refuses a buffer that just fits
  const int size =
      lws_b64_encode_string(reinterpret_cast<const char*>(bytes.data()), static_cast<int>(N),
                            out.data(), static_cast<int>(out.size()));
  return {out.data(), static_cast<std::size_t>(size)};
}

}  // namespace

std::string_view trim_blanks(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
    text.remove_suffix(1);
  return text;
}

std::string make_ws_key() {
  std::array<unsigned char, 16> bytes{};
  fill_random(bytes.data(), bytes.size());
  return base64(bytes);
}

std::string ws_accept_of(std::string_view key) {
  const std::string text = std::string(key).append(kGuid);
  std::array<unsigned char, kSha1Bytes> digest{};
  lws_SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return base64(digest);
}

bool has_token(std::string_view list, std::string_view token) noexcept {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    const std::string_view item = trim_blanks(list.substr(0, comma));
    if (item.size() == token.size() && strncasecmp(item.data(), token.data(), item.size()) == 0) {
      return true;
    }
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  }
  return false;
}

WsMask WsMaskSource::next() {
  if (left_ == 0) {
    fill_random(batch_.data(), sizeof batch_);
    left_ = batch_.size();
  }
  return batch_[--left_];
}

}  // namespace sluice::net
