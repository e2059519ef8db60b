#include "tools/relay/relay.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "common/base/error.hpp"
#include "tools/relay/capture.hpp"

namespace sluice::relay {
namespace {

constexpr int kClient = 0;
constexpr int kServer = 1;

[[noreturn]] void fail(const std::string& what, const char* remedy) {
  throw Error(ExitCode::kResource, what + ": " + std::strerror(errno) + "; " + remedy);
}

class Fd {
 public:
  Fd() noexcept = default;
  explicit Fd(int fd) noexcept : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { close(); }
  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] bool open() const noexcept { return fd_ >= 0; }
  void close() noexcept {
    if (fd_ >= 0) {
      ::close(std::exchange(fd_, -1));
    }
  }
  // SO_LINGER 0 makes close send RST at once and drop what is queued.
  void close_with_reset() noexcept {
    const linger now{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }

 private:
  int fd_{-1};
};

sockaddr_in address_of(const std::string& host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) {
    throw Error(ExitCode::kUsage, "--route: host \"" + host + "\" is no numeric IPv4 address");
  }
  return address;
}

const sockaddr* generic(const sockaddr_in& address) noexcept {
  return reinterpret_cast<const sockaddr*>(&address);  // what the socket interface asks for
}

Fd listen_on(const Route& route) {
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int yes = 1;
  const sockaddr_in address = address_of("127.0.0.1", route.listen_port);
  if (!fd.open() || ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
      ::bind(fd.get(), generic(address), sizeof address) != 0 || ::listen(fd.get(), 128) != 0) {
    fail(
        "route " + route.name + ": cannot listen on 127.0.0.1:" + std::to_string(route.listen_port),
        "end what holds the port, or give port 0 to have one chosen");
  }
  return fd;
}

std::uint16_t port_of(const Fd& fd) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    fail("cannot read the chosen port", "try again");
  }
  return ntohs(address.sin_port);
}

// One direction: bytes that were read (and captured) and not yet written.
struct Pipe {
  std::unique_ptr<char[]> buffer = std::make_unique<char[]>(kRelayBufferBytes);
  std::size_t begin{0};
  std::size_t end{0};
  bool ended{false};   // the sender's FIN was read
  bool passed{false};  // and given to the receiver, after all bytes

  [[nodiscard]] bool empty() const noexcept { return begin == end; }
  [[nodiscard]] std::size_t room() const noexcept { return kRelayBufferBytes - end; }
  void rewind() noexcept {
    if (empty()) {
      begin = end = 0;
    }
  }
};

struct Connection {
  std::uint32_t id{0};
  std::uint8_t route{0};
  bool connected{false};                    // to the target
  std::array<Fd, 2> fd{};                   // kClient, kServer
  std::array<Pipe, 2> pipe{};               // pipe[s] holds what side s sent
  std::array<std::uint32_t, 2> interest{};  // epoll events asked for; 0 and unregistered at first
  std::array<bool, 2> watched{};
};

}  // namespace

struct Relay::Impl {
  Impl(const std::vector<Route>& wanted, const std::string& capture_path)
      : routes(wanted), capture(capture_path) {}

  std::vector<Route> routes;
  CaptureWriter capture;
  Fd epoll;
  Fd signals;
  std::vector<Fd> listeners;
  bool accepting{true};
  std::uint32_t last_id{0};
  std::unordered_map<std::uint32_t, Connection> connections;

  // An epoll event names its socket by (connection id, side): ids are never reused, so an event
  // that was fetched before its connection went away finds nothing. Id 0: side is the listener's
  // index or signals.
  static constexpr std::uint32_t kSignalSide = 0xffff'ffff;
  static std::uint64_t tag(std::uint32_t id, std::uint32_t side) noexcept {
    return std::uint64_t{id} << 32 | side;
  }

  void open();
  void set_accepting(bool on);
  void accept_from(std::uint8_t route);
  void start(std::uint8_t route, Fd client);
  void on_event(Connection& c, int side, std::uint32_t events);
  bool read_from(Connection& c, int side);
  bool write_to(Connection& c, int side);
  void reset(Connection& c, int side, std::string_view why);
  void update(Connection& c);
  void drop(Connection& c);
  void note(const Connection& c, int side, CaptureEvent event, std::span<const char> payload) {
    capture.append({c.id, c.route, static_cast<std::uint8_t>(side)}, event, payload);
  }
};

void Relay::Impl::open() {
  epoll = Fd(::epoll_create1(EPOLL_CLOEXEC));
  sigset_t stop{};
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  signals = Fd(::signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK));
  epoll_event event{.events = EPOLLIN, .data = {.u64 = tag(0, kSignalSide)}};
  if (!epoll.open() || !signals.open() ||
      ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, signals.get(), &event) != 0) {
    fail("cannot set up epoll and signalfd", "raise the limit of open files");
  }
  for (std::size_t i = 0; i < routes.size(); ++i) {
    (void)address_of(routes[i].target_host, routes[i].target_port);  // a bad host fails at start
    listeners.push_back(listen_on(routes[i]));
    event = {.events = EPOLLIN, .data = {.u64 = tag(0, static_cast<std::uint32_t>(i))}};
    if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, listeners.back().get(), &event) != 0) {
      fail("cannot watch a listening socket", "raise the limit of open files");
    }
  }
}

// Without room for another connection the listeners are left alone; clients wait in their queues.
void Relay::Impl::set_accepting(bool on) {
  if (accepting == on) {
    return;
  }
  accepting = on;
  for (std::size_t i = 0; i < listeners.size(); ++i) {
    epoll_event event{.events = on ? static_cast<std::uint32_t>(EPOLLIN) : 0,
                      .data = {.u64 = tag(0, static_cast<std::uint32_t>(i))}};
    ::epoll_ctl(epoll.get(), EPOLL_CTL_MOD, listeners[i].get(), &event);
  }
}

void Relay::Impl::accept_from(std::uint8_t route) {
  while (connections.size() < kRelayConnectionsMax) {
    Fd client(::accept4(listeners[route].get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (client.open()) {
      start(route, std::move(client));
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED) {
      continue;
    }
    if (errno != EAGAIN) {
      break;  // no file descriptor or no memory: wait until a connection ends
    }
    return;
  }
  set_accepting(false);
}

void Relay::Impl::start(std::uint8_t route, Fd client) {
  const std::uint32_t id = ++last_id;
  Connection& c = connections[id];
  c.id = id;
  c.route = route;
  c.fd[kClient] = std::move(client);
  note(c, kClient, CaptureEvent::kOpen, routes[route].name);
  c.fd[kServer] = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int yes = 1;
  for (const Fd& fd : c.fd) {
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  }
  const sockaddr_in target = address_of(routes[route].target_host, routes[route].target_port);
  if (!c.fd[kServer].open() ||
      (::connect(c.fd[kServer].get(), generic(target), sizeof target) != 0 &&
       errno != EINPROGRESS)) {
    reset(c, kServer, std::strerror(errno));
    return;
  }
  update(c);
}

void Relay::Impl::on_event(Connection& c, int side, std::uint32_t events) {
  if (side == kServer && !c.connected) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(c.fd[kServer].get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
      reset(c, kServer, std::strerror(error));
      return;
    }
    c.connected = (events & EPOLLOUT) != 0;
  }
  const int other = 1 - side;
  // What arrived before an error is still read: recv gives the bytes first and the error after
  // them.
  if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0 &&
      !c.pipe[static_cast<std::size_t>(side)].ended && !read_from(c, side)) {
    return;
  }
  if ((events & EPOLLERR) != 0) {
    reset(c, side, "reset by its sender");
    return;
  }
  if (!write_to(c, other) || !write_to(c, side)) {
    return;
  }
  update(c);
}

// Reads what fits, captures it. False when the connection is gone.
bool Relay::Impl::read_from(Connection& c, int side) {
  Pipe& pipe = c.pipe[static_cast<std::size_t>(side)];
  while (pipe.room() > 0) {
    char* const at = pipe.buffer.get() + pipe.end;
    const ssize_t n = ::recv(c.fd[static_cast<std::size_t>(side)].get(), at, pipe.room(), 0);
    if (n > 0) {
      note(c, side, CaptureEvent::kData, {at, static_cast<std::size_t>(n)});
      pipe.end += static_cast<std::size_t>(n);
      continue;
    }
    if (n == 0) {
      pipe.ended = true;
      note(c, side, CaptureEvent::kEnd, {});
      return true;
    }
    if (errno == EAGAIN) {
      return true;
    }
    if (errno != EINTR) {
      reset(c, side, std::strerror(errno));
      return false;
    }
  }
  return true;
}

// Writes to `side` what the other one sent, then its FIN. False when the connection is gone.
bool Relay::Impl::write_to(Connection& c, int side) {
  Pipe& pipe = c.pipe[static_cast<std::size_t>(1 - side)];
  const int fd = c.fd[static_cast<std::size_t>(side)].get();
  if (side == kServer && !c.connected) {
    return true;
  }
  while (!pipe.empty()) {
    const ssize_t n =
        ::send(fd, pipe.buffer.get() + pipe.begin, pipe.end - pipe.begin, MSG_NOSIGNAL);
    if (n >= 0) {
      pipe.begin += static_cast<std::size_t>(n);
    } else if (errno == EAGAIN) {
      return true;
    } else if (errno != EINTR) {
      reset(c, side, std::strerror(errno));
      return false;
    }
  }
  pipe.rewind();
  if (pipe.ended && !pipe.passed) {
    ::shutdown(fd, SHUT_WR);
    pipe.passed = true;
  }
  return true;
}

// `side` broke the connection: so it is broken for the other one.
void Relay::Impl::reset(Connection& c, int side, std::string_view why) {
  note(c, side, CaptureEvent::kReset, why);
  const int other = 1 - side;
  const Pipe& pipe = c.pipe[static_cast<std::size_t>(side)];
  if (!pipe.empty() && (other == kClient || c.connected)) {
    // One attempt: without the relay these bytes would have arrived before the RST.
    (void)::send(c.fd[static_cast<std::size_t>(other)].get(), pipe.buffer.get() + pipe.begin,
                 pipe.end - pipe.begin, MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  c.fd[static_cast<std::size_t>(other)].close_with_reset();
  drop(c);
}

void Relay::Impl::drop(Connection& c) {
  connections.erase(c.id);
  set_accepting(true);
}

// Asks epoll for exactly what can be handled now. A side that is finished both ways is no longer
// watched, since its hang-up would be reported for ever.
void Relay::Impl::update(Connection& c) {
  if (c.pipe[kClient].passed && c.pipe[kServer].passed) {
    drop(c);
    return;
  }
  for (std::size_t side = 0; side < 2; ++side) {
    Pipe& in = c.pipe[side];
    const Pipe& out = c.pipe[1 - side];
    const bool connecting = side == kServer && !c.connected;
    const bool read = !connecting && !in.ended && in.room() > 0;
    const bool write = connecting || !out.empty();
    const std::uint32_t wanted = (read ? static_cast<std::uint32_t>(EPOLLIN) : 0U) |
                                 (write ? static_cast<std::uint32_t>(EPOLLOUT) : 0U);
    const bool watch = !(in.ended && out.passed);
    if (watch == c.watched[side] && wanted == c.interest[side]) {
      continue;
    }
    epoll_event event{.events = wanted,
                      .data = {.u64 = tag(c.id, static_cast<std::uint32_t>(side))}};
    const int operation = !watch ? EPOLL_CTL_DEL : c.watched[side] ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    if (::epoll_ctl(epoll.get(), operation, c.fd[side].get(), &event) != 0) {
      fail("cannot watch a connection", "raise the limit of open files");
    }
    c.watched[side] = watch;
    c.interest[side] = wanted;
  }
}

Relay::Relay(const std::vector<Route>& routes, const std::string& capture_path)
    : impl_(std::make_unique<Impl>(routes, capture_path)) {
  impl_->open();
}

Relay::~Relay() = default;

std::vector<std::uint16_t> Relay::ports() const {
  std::vector<std::uint16_t> out;
  for (const Fd& listener : impl_->listeners) {
    out.push_back(port_of(listener));
  }
  return out;
}

void Relay::run() {
  std::array<epoll_event, 64> events{};
  while (true) {
    const int n =
        ::epoll_wait(impl_->epoll.get(), events.data(), static_cast<int>(events.size()), -1);
    if (n < 0 && errno != EINTR) {
      fail("epoll_wait", "report this");
    }
    for (const epoll_event& event :
         std::span(events).first(static_cast<std::size_t>(n < 0 ? 0 : n))) {
      const auto id = static_cast<std::uint32_t>(event.data.u64 >> 32);
      const auto side = static_cast<std::uint32_t>(event.data.u64);
      if (id == 0 && side == Impl::kSignalSide) {
        return;
      }
      if (id == 0) {
        impl_->accept_from(static_cast<std::uint8_t>(side));
      } else if (const auto found = impl_->connections.find(id);
                 found != impl_->connections.end()) {
        impl_->on_event(found->second, static_cast<int>(side), event.events);
      }
    }
  }
}

}  // namespace sluice::relay
