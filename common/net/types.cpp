// types.cpp — header look-up, and names of the library's enumerators for logs and tools.
#include "common/net/types.hpp"

#include <algorithm>

#include "common/net/http_pool.hpp"
#include "common/net/ws_client.hpp"

namespace sluice::net {
namespace {

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool same_name(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

std::string_view find_header(std::span<const HeaderView> headers, std::string_view name) noexcept {
  for (const HeaderView& header : headers) {
    if (same_name(header.name, name))
      return header.value;
  }
  return {};
}

const char* to_string(WsCloseReason reason) noexcept {
  switch (reason) {
    case WsCloseReason::kByUs:
      return "closed by us";
    case WsCloseReason::kByPeer:
      return "closed by the peer";
    case WsCloseReason::kConnectFailed:
      return "connect failed";
    case WsCloseReason::kRefused:
      return "upgrade refused";
    case WsCloseReason::kTooLarge:
      return "message too large";
    case WsCloseReason::kPongTimeout:
      return "no pong in time";
    case WsCloseReason::kProtocol:
      return "protocol violated";
  }
  return "?";
}

const char* to_string(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::kAnswered:
      return "answered";
    case Outcome::kNotSent:
      return "not sent";
    case Outcome::kUnknown:
      return "unknown";
  }
  return "?";
}

const char* to_string(WsState state) noexcept {
  switch (state) {
    case WsState::kIdle:
      return "idle";
    case WsState::kConnecting:
      return "connecting";
    case WsState::kOpen:
      return "open";
    case WsState::kClosing:
      return "closing";
    case WsState::kWaiting:
      return "waiting";
  }
  return "?";
}

}  // namespace sluice::net
