// ws_handshake.hpp — the HTTP side of RFC 6455: keys, tokens, masks.
//
// For this folder only; pure but for the system's random numbers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/net/ws_frame.hpp"

namespace sluice::net {

// A fresh Sec-WebSocket-Key: 16 random bytes in base64.
[[nodiscard]] std::string make_ws_key();

// The Sec-WebSocket-Accept that proves the server read this key: base64(SHA-1(key + GUID)).
[[nodiscard]] std::string ws_accept_of(std::string_view key);

// Whether the comma-separated header value names the token, any case: "keep-alive, Upgrade".
[[nodiscard]] bool has_token(std::string_view list, std::string_view token) noexcept;

// Without blanks and tabs at either end.
[[nodiscard]] std::string_view trim_blanks(std::string_view text) noexcept;

// Frame masks from the system's random source, drawn in batches.
class WsMaskSource {
 public:
  [[nodiscard]] WsMask next();

 private:
  std::array<WsMask, 64> batch_{};
  std::size_t left_{0};
};

}  // namespace sluice::net
