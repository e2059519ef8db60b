// raw_socket.cpp — see raw_socket.hpp.
#include "common/net/raw_socket.hpp"

#include <arpa/inet.h>
#include <libwebsockets.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "common/base/error.hpp"
#include "common/base/log.hpp"

namespace sluice::net {
namespace {

std::string errno_text(int error) {
  return std::generic_category().message(error);
}

void set_option(int fd, int level, int name, int value) {
  // Best effort: a socket without the option still works, only later or less promptly.
  (void)setsockopt(fd, level, name, &value, sizeof value);
}

// RST at once, also for bytes the kernel still has queued; later writes fail with EPIPE.
void disconnect_hard(int fd) noexcept {
  sockaddr unspecified{};
  unspecified.sa_family = AF_UNSPEC;
  (void)::connect(fd, &unspecified, sizeof unspecified);
}

// After FIN the kernel waits for our close; after a reset the socket is simply closed.
Ending ending_of(int fd) noexcept {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
    return Ending::kAborted;
  const bool peer_finished = info.tcpi_state == TCP_CLOSE_WAIT || info.tcpi_state == TCP_LAST_ACK ||
                             info.tcpi_state == TCP_CLOSING || info.tcpi_state == TCP_TIME_WAIT;
  return peer_finished ? Ending::kOrderly : Ending::kAborted;
}

}  // namespace

void RawSocket::publish_fd(int fd) noexcept {
  // release: pairs with the acquire in reset_from_other_thread(); the descriptor is usable there.
  fd_.store(fd, std::memory_order_release);
}

int RawSocket::take_fd() noexcept {
  for (;;) {
    // acquire: pairs with the release store that ends another thread's reset; the descriptor is
    // closed only after that thread let go of it.
    int fd = fd_.load(std::memory_order_acquire);
    if (fd == kNoFd)
      return kNoFd;
    // One system call long at most. acq_rel: as above, and our use of it is over for the others.
    if (fd != kFdInUse && fd_.compare_exchange_weak(fd, kNoFd, std::memory_order_acq_rel)) {
      return fd;
    }
  }
}

void RawSocket::reset_from_other_thread() noexcept {
  // acquire: pairs with publish_fd().
  int fd = fd_.load(std::memory_order_acquire);
  // acq_rel: while the word says kFdInUse, take_fd() waits, so the number cannot be closed and
  // given to another connection under our hands.
  if (fd < 0 || !fd_.compare_exchange_strong(fd, kFdInUse, std::memory_order_acq_rel))
    return;
  disconnect_hard(fd);
  // release: pairs with the acquire in take_fd().
  fd_.store(fd, std::memory_order_release);
}

bool RawSocket::hand_to_lws(int fd) {
  lws_adopt_desc_t adoption{};
  adoption.vh = lws_get_vhost_by_name(loop_.context(), "default");
  adoption.type = LWS_ADOPT_SOCKET;
  adoption.fd.sockfd = fd;
  adoption.vh_prot_name = kRawProtocol;
  adoption.opaque = this;
  wsi_ = lws_adopt_descriptor_vhost_via_info(&adoption);  // closes fd where it fails
  if (wsi_ == nullptr)
    return false;
  publish_fd(fd);
  return true;
}

bool RawSocket::adopt(int fd) {
  SLUICE_ASSERT(!is_open(), "adopt() on an open socket");
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  connecting_ = false;
  return hand_to_lws(fd);
}

bool RawSocket::connect(const Endpoint& endpoint, std::uint32_t user_timeout_ms,
                        std::string& error) {
  SLUICE_ASSERT(!is_open(), "connect() on an open socket");
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(endpoint.port);
  if (const int rc = getaddrinfo(endpoint.host.c_str(), port.c_str(), &hints, &found); rc != 0) {
    error = "resolve " + endpoint.host + ": " + gai_strerror(rc);
    return false;
  }
  const int fd = ::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int failure = fd < 0 ? errno : 0;
  if (fd >= 0) {
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (user_timeout_ms != 0) {
      set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(user_timeout_ms));
    }
    if (::connect(fd, found->ai_addr, found->ai_addrlen) != 0 && errno != EINPROGRESS) {
      failure = errno;
      ::close(fd);
    }
  }
  freeaddrinfo(found);
  if (failure != 0) {
    error = "connect " + endpoint.host + ":" + port + ": " + errno_text(failure);
    return false;
  }
  connecting_ = true;
  if (!hand_to_lws(fd)) {
    error = "connect " + endpoint.host + ":" + port + ": too many sockets in this loop";
    return false;
  }
  request_write();  // writable for the first time = connected
  return true;
}

void RawSocket::request_write() noexcept {
  if (wsi_ != nullptr)
    lws_callback_on_writable(wsi_);
}

bool RawSocket::write(std::string_view bytes) noexcept {
  if (wsi_ == nullptr)
    return false;
  // lws_write() does not change the bytes of a raw socket; its interface predates const.
  auto* data = reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data()));
  return lws_write(wsi_, data, bytes.size(), LWS_WRITE_RAW) >= 0;
}

void RawSocket::finish_writing() noexcept {
  if (wsi_ != nullptr)
    (void)::shutdown(lws_get_socket_fd(wsi_), SHUT_WR);
}

void RawSocket::pause_reading(bool pause) noexcept {
  if (wsi_ != nullptr)
    lws_rx_flow_control(wsi_, pause ? 0 : 1);
}

void RawSocket::reset() noexcept {
  if (wsi_ == nullptr)
    return;
  const int fd = take_fd();
  if (fd >= 0)
    disconnect_hard(fd);
  lws* const wsi = wsi_;
  wsi_ = nullptr;
  lws_set_opaque_user_data(wsi, nullptr);  // from here on its events find nobody
  // Not the synchronous kill: this may run inside an event of this very socket.
  lws_set_timeout(wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_ASYNC);
}

int on_raw_socket_event(lws* wsi, int reason, void* in, std::size_t size) {
  const bool ours = reason == LWS_CALLBACK_RAW_RX || reason == LWS_CALLBACK_RAW_WRITEABLE ||
                    reason == LWS_CALLBACK_RAW_CLOSE;
  if (!ours)
    return 0;
  auto* socket = static_cast<RawSocket*>(lws_get_opaque_user_data(wsi));
  if (socket == nullptr)
    return -1;  // was reset: let libwebsockets free it
  RawSocket::Events& events = socket->events_;
  if (reason == LWS_CALLBACK_RAW_CLOSE) {
    const int fd = socket->take_fd();
    const Ending ending = fd >= 0 ? ending_of(fd) : Ending::kAborted;
    socket->wsi_ = nullptr;
    lws_set_opaque_user_data(wsi, nullptr);
    events.on_closed(ending);
    return 0;
  }
  if (reason == LWS_CALLBACK_RAW_RX) {
    const MonoNanos at = socket->loop_.now();
    events.on_bytes({static_cast<const char*>(in), size}, at);
  } else if (socket->connecting_) {
    int error = 0;
    socklen_t error_size = sizeof error;
    (void)getsockopt(lws_get_socket_fd(wsi), SOL_SOCKET, SO_ERROR, &error, &error_size);
    if (error != 0)
      return -1;  // on_closed follows
    socket->connecting_ = false;
    events.on_connected();
  } else {
    events.on_writable();
  }
  // The event may have reset this socket or destroyed it: ask libwebsockets, not the object.
  return lws_get_opaque_user_data(wsi) == nullptr ? -1 : 0;
}

Listener::Listener(Loop& loop, const std::string& address, std::uint16_t port,
                   std::function<void(int)> on_accept)
    : on_accept_(std::move(on_accept)) {
  const auto fail = [&](const std::string& what, const std::string& remedy) {
    if (fd_ >= 0)
      ::close(fd_);
    throw Error(ExitCode::kResource,
                "listen on " + address + ":" + std::to_string(port) + ": " + what + "; " + remedy);
  };
  sockaddr_in local{};
  local.sin_family = AF_INET;
  local.sin_port = htons(port);
  if (inet_pton(AF_INET, address.c_str(), &local.sin_addr) != 1) {
    fail("not an IPv4 address", "use one of this machine, e.g. 127.0.0.1");
  }
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0)
    fail(errno_text(errno), "raise the limit of open files (ulimit -n)");
  set_option(fd_, SOL_SOCKET, SO_REUSEADDR, 1);  // a port in TIME_WAIT is free, a used one is not
  if (::bind(fd_, reinterpret_cast<const sockaddr*>(&local), sizeof local) != 0 ||
      ::listen(fd_, SOMAXCONN) != 0) {
    const int error = errno;
    const bool taken = error == EADDRINUSE;
    fail(errno_text(error),
         taken ? "another process listens there (see `ss -ltnp`): stop it, or choose another port "
                 "(0 = any free one)"
               : "choose another address or port (0 = any free one)");
  }
  socklen_t size = sizeof local;
  (void)getsockname(fd_, reinterpret_cast<sockaddr*>(&local), &size);
  port_ = ntohs(local.sin_port);

  lws_adopt_desc_t adoption{};
  adoption.vh = lws_get_vhost_by_name(loop.context(), "default");
  adoption.type = LWS_ADOPT_RAW_FILE_DESC;
  adoption.fd.filefd = fd_;
  adoption.vh_prot_name = kListenProtocol;
  adoption.opaque = this;
  wsi_ = lws_adopt_descriptor_vhost_via_info(&adoption);
  if (wsi_ == nullptr) {
    fd_ = -1;  // closed by libwebsockets
    fail("too many sockets in this loop", "raise LoopOptions::max_sockets");
  }
}

Listener::~Listener() {
  lws_set_opaque_user_data(wsi_, nullptr);
  (void)::shutdown(fd_, SHUT_RDWR);  // nobody is accepted from here on, before lws closes it
  lws_set_timeout(wsi_, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_ASYNC);
}

int on_listener_event(lws* wsi, int reason) {
  if (reason != LWS_CALLBACK_RAW_RX_FILE)
    return 0;
  auto* listener = static_cast<Listener*>(lws_get_opaque_user_data(wsi));
  if (listener == nullptr)
    return -1;
  for (;;) {
    const int fd = ::accept4(listener->fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      listener->refusing_ = false;
      listener->on_accept_(fd);
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED)
      continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK && !listener->refusing_) {
      listener->refusing_ = true;  // said once: the event comes again with every turn
      log_warn("accept on port {}: {}", listener->port_, errno_text(errno));
    }
    return 0;
  }
}

}  // namespace sluice::net
