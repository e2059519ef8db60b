// support.hpp — what the network tests share: turning a loop until something is true, and a raw TCP
// peer that says exactly what a test tells it to.
//
// Everything runs in the test's own thread and never sleeps: run_until() turns the loop and looks
// again until its generous deadline.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <string_view>

#include "common/net/loop.hpp"
#include "common/net/types.hpp"

namespace sluice::net::test {

inline constexpr std::chrono::seconds kDeadline{30};

template <class Condition>
[[nodiscard]] bool run_until(Loop& loop, Condition&& condition) {
  const auto end = std::chrono::steady_clock::now() + kDeadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end)
      return false;
    loop.poll_once();
  }
  return true;
}

inline void turn(Loop& loop, int times) {
  for (int i = 0; i < times; ++i)
    loop.poll_once();
}

inline sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// One end of a TCP connection, non-blocking.
class RawPeer {
 public:
  RawPeer() = default;
  explicit RawPeer(int fd) : fd_(fd) {}
  RawPeer(RawPeer&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  RawPeer& operator=(RawPeer&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(received_, other.received_);
    return *this;
  }
  ~RawPeer() { close(); }

  static RawPeer connect_to(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in to = loopback(port);
    // Blocking connect to a listening loopback socket: the backlog completes it.
    EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    return RawPeer(fd);
  }

  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  [[nodiscard]] int fd() const { return fd_; }

  void say(std::string_view bytes) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    EXPECT_EQ(sent, static_cast<ssize_t>(bytes.size()));
  }

  // All bytes that came so far.
  const std::string& received() {
    char buffer[4096];
    for (;;) {
      const ssize_t got = ::recv(fd_, buffer, sizeof buffer, MSG_DONTWAIT);
      if (got > 0) {
        received_.append(buffer, static_cast<std::size_t>(got));
        continue;
      }
      if (got == 0)
        ended_ = true;
      if (got < 0 && errno == ECONNRESET)
        ended_ = was_reset_ = true;
      return received_;
    }
  }
  [[nodiscard]] bool ended() {
    received();
    return ended_;
  }
  [[nodiscard]] bool was_reset() {
    received();
    return was_reset_;
  }

  void finish_writing() { ::shutdown(fd_, SHUT_WR); }
  void close() {
    if (fd_ >= 0)
      ::close(std::exchange(fd_, -1));
  }
  void reset() {
    const linger hard{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close();
  }

 private:
  int fd_{-1};
  bool ended_{false};
  bool was_reset_{false};
  std::string received_{};
};

// A listening socket without any protocol.
class RawServer {
 public:
  RawServer() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_in local = loopback(0);
    socklen_t size = sizeof local;
    EXPECT_EQ(::bind(fd_, reinterpret_cast<const sockaddr*>(&local), sizeof local), 0);
    EXPECT_EQ(::listen(fd_, 64), 0);
    EXPECT_EQ(::getsockname(fd_, reinterpret_cast<sockaddr*>(&local), &size), 0);
    port_ = ntohs(local.sin_port);
  }
  ~RawServer() { stop(); }
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] Endpoint endpoint() const { return {"127.0.0.1", port_, false}; }

  // The next connection; not open if none waits.
  [[nodiscard]] RawPeer accept() {
    return RawPeer(::accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  }
  void stop() {
    if (fd_ >= 0)
      ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_{-1};
  std::uint16_t port_{0};
};

inline RawPeer accept_one(Loop& loop, RawServer& server) {
  RawPeer peer;
  EXPECT_TRUE(run_until(loop, [&] {
    peer = server.accept();
    return peer.is_open();
  }));
  return peer;
}

}  // namespace sluice::net::test
