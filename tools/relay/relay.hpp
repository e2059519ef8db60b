// A transparent TCP relay: what one side sends, the other receives, byte for byte, and the capture
// file has it too. The third judge recomputes the books from that file alone, so the relay stands
// between the trading side and the venue, sees the bytes before anybody parses them, and changes
// none.
//
// It uses plain sockets and epoll and not common/net on purpose: a fault in the network library
// that both sides use must not be able to hide from the judge. From common/base it takes the error
// class and the wall clock only.
//
// One thread. Behaviour that callers rely on:
//   1. Back-pressure: per direction at most kRelayBufferBytes are held; a full buffer stops reading
//   from
//      its sender, whose own send buffer then fills.
//   2. FIN is passed on after the bytes before it; the other direction goes on (half-close).
//   3. RST is passed on as RST, after a last attempt to hand over what had arrived before it. A
//   target
//      that cannot be reached is an RST to the client.
//   4. At most kRelayConnectionsMax connections; further ones wait in the listen queue.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sluice::relay {

inline constexpr std::size_t kRelayBufferBytes = 256 * 1024;
inline constexpr std::size_t kRelayConnectionsMax = 1024;

struct Route {
  std::string name;
  std::uint16_t listen_port{0};          // on 127.0.0.1; 0 = the kernel chooses
  std::string target_host{"127.0.0.1"};  // numeric IPv4
  std::uint16_t target_port{0};
};

class Relay {
 public:
  // Opens the capture file and all listening sockets, and blocks SIGTERM and SIGINT in this thread
  // so that `run` can take them. Throws Error(kResource) naming the port or file.
  Relay(const std::vector<Route>& routes, const std::string& capture_path);
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;
  ~Relay();

  // In the order of the routes, as they were bound.
  [[nodiscard]] std::vector<std::uint16_t> ports() const;

  // Relays until SIGTERM or SIGINT arrives. Throws Error(kResource) when the capture cannot be
  // written.
  void run();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::relay
