// http_server.cpp — see http_server.hpp: accepting, sweeping, answering by handle.
//
// HTTP is parsed by Beast over the raw role, not by libwebsockets' HTTP server: raw_socket.hpp says
// what was measured.
#include "common/net/http_server.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "common/base/error.hpp"
#include "common/net/raw_socket.hpp"
#include "common/net/server_connection.hpp"

namespace sluice::net {
namespace {

ServerOptions checked(ServerOptions options) {
  const bool good = options.max_connections >= 1 && options.header_limit_bytes >= 256 &&
                    options.header_limit_bytes <= (1U << 20) && options.body_limit_bytes >= 1 &&
                    options.idle_timeout_ns > 0 && options.ws_max_message_bytes >= 1 &&
                    options.ws_max_message_bytes <= (std::size_t{1} << 30) &&
                    options.ws_low_water_bytes < options.ws_queue_bytes &&
                    options.ws_close_timeout_ns > 0;
  if (!good) {
    throw Error(ExitCode::kConfig,
                "http server: a limit or time is out of range; see ServerOptions for what is "
                "allowed");
  }
  return options;
}

}  // namespace

struct HttpServer::Impl {
  ServerShared shared;
  std::uint64_t next_id{1};
  TimerId sweep_timer{kNoTimer};
  std::unique_ptr<Listener> listener;

  Impl(Loop& loop, ServerOptions options, Handler handler, std::vector<WsRoute> routes)
      : shared{.loop = loop,
               .options = checked(std::move(options)),
               .handler = std::move(handler),
               .routes = std::move(routes)} {
    listener = std::make_unique<Listener>(loop, shared.options.bind, shared.options.port,
                                          [this](int fd) { accept(fd); });
    plan_sweep();
  }

  void accept(int fd) {
    if (shared.connections.size() >= shared.options.max_connections) {
      ++shared.counters.refused_connections;
      const linger hard{.l_onoff = 1, .l_linger = 0};
      (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
      ::close(fd);
      return;
    }
    const std::uint64_t id = next_id++;
    auto connection = std::make_unique<ServerConnection>(shared, id);
    if (!connection->adopt(fd)) {
      ++shared.counters.refused_connections;
      return;
    }
    ++shared.counters.connections;
    shared.connections.emplace(id, std::move(connection));
  }

  // One timer for all connections: re-arming one of each at every read would cost more than it
  // finds.
  void plan_sweep() {
    sweep_timer =
        shared.loop.after(std::max<std::int64_t>(shared.options.idle_timeout_ns / 4, 1), [this] {
          sweep();
          plan_sweep();
        });
  }

  void sweep() {
    const std::int64_t oldest_ns = shared.loop.now().ns - shared.options.idle_timeout_ns;
    for (const auto& [id, connection] : shared.connections) {
      const MonoNanos since = connection->idle_since();
      if (since.ns != 0 && since.ns < oldest_ns)
        connection->cut();
    }
  }

  [[nodiscard]] ServerConnection* waiting(std::uint64_t id, std::uint64_t number) const noexcept {
    const auto found = shared.connections.find(id);
    if (found == shared.connections.end() || !found->second->waits_for(number))
      return nullptr;
    return found->second.get();
  }
};

struct Responder::Impl {
  std::weak_ptr<HttpServer::Impl> server;
  std::uint64_t connection;
  std::uint64_t number;

  // The connection if it still waits for this answer. One thread: it stays good for this call.
  [[nodiscard]] ServerConnection* waiting() const noexcept {
    const auto alive = server.lock();
    return alive == nullptr ? nullptr : alive->waiting(connection, number);
  }
};

bool Responder::answer(const ServerAnswer& answer) {
  ServerConnection* to = impl_ == nullptr ? nullptr : impl_->waiting();
  return to != nullptr && to->answer(answer, false);
}

bool Responder::answer_then_close(const ServerAnswer& answer) {
  ServerConnection* to = impl_ == nullptr ? nullptr : impl_->waiting();
  return to != nullptr && to->answer(answer, true);
}

bool Responder::cut() {
  ServerConnection* to = impl_ == nullptr ? nullptr : impl_->waiting();
  if (to != nullptr)
    to->cut();
  return to != nullptr;
}

bool Responder::raw_then_close(std::string_view bytes) {
  ServerConnection* to = impl_ == nullptr ? nullptr : impl_->waiting();
  return to != nullptr && to->raw_then_close(bytes);
}

bool Responder::alive() const noexcept {
  return impl_ != nullptr && impl_->waiting() != nullptr;
}

HttpServer::HttpServer(Loop& loop, ServerOptions options, Handler handler,
                       std::vector<WsRoute> routes)
    : impl_(
          std::make_shared<Impl>(loop, std::move(options), std::move(handler), std::move(routes))) {
  // Weak: a connection's maker of responders must not keep the server alive.
  impl_->shared.make_responder = [weak = std::weak_ptr<Impl>(impl_)](std::uint64_t id,
                                                                     std::uint64_t number) {
    Responder responder;
    responder.impl_ = std::make_shared<const Responder::Impl>(Responder::Impl{weak, id, number});
    return responder;
  };
}

HttpServer::~HttpServer() {
  impl_->shared.loop.cancel(impl_->sweep_timer);
  impl_->shared.loop.cancel(impl_->shared.reaper);
}

std::uint16_t HttpServer::port() const noexcept {
  return impl_->listener->port();
}

const ServerCounters& HttpServer::counters() const noexcept {
  return impl_->shared.counters;
}

std::size_t HttpServer::open_connections() const noexcept {
  return impl_->shared.connections.size();
}

void HttpServer::cut_all() {
  for (const auto& [id, connection] : impl_->shared.connections)
    connection->cut();
}

}  // namespace sluice::net
