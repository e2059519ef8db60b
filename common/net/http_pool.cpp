// http_pool.cpp — see http_pool.hpp: choosing a connection; the rest is in http_connection.
#include "common/net/http_pool.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "common/base/error.hpp"
#include "common/net/http_connection.hpp"

namespace sluice::net {
namespace {

void check(const char* name, std::uint64_t value, std::uint64_t low, std::uint64_t high) {
  if (value >= low && value <= high)
    return;
  throw Error(ExitCode::kConfig, std::string("http pool: ") + name + " = " + std::to_string(value) +
                                     ", allowed " + std::to_string(low) + " to " +
                                     std::to_string(high));
}

void validate(const Endpoint& endpoint, const PoolOptions& options) {
  if (endpoint.tls) {
    throw Error(ExitCode::kConfig, "http pool: " + endpoint.host +
                                       ": TLS is not spoken here; use a plain endpoint (a loopback "
                                       "simulator or a TLS-terminating proxy)");
  }
  check("port", endpoint.port, 1, 65'535);
  check("connections", options.connections, 1, 64);
  check("cancel_connections", options.cancel_connections, 1, 16);
  check("header_limit_bytes", options.header_limit_bytes, 256, 1 << 20);
  check("body_limit_bytes", options.body_limit_bytes, 1, 1 << 30);
  check("request_limit_bytes", options.request_limit_bytes, 256, kWriteChunkBytes);
  check("connect_timeout_ns", static_cast<std::uint64_t>(options.connect_timeout_ns), 1'000'000,
        60'000'000'000);
  check("answer_timeout_ns", static_cast<std::uint64_t>(options.answer_timeout_ns), 1'000'000,
        600'000'000'000);
  check("reconnect.first_ns", static_cast<std::uint64_t>(options.reconnect.first_ns), 1'000'000,
        static_cast<std::uint64_t>(std::max<std::int64_t>(options.reconnect.max_ns, 1'000'000)));
  for (const Header& header : options.headers) {
    const auto unclean = [](const std::string& text) {
      return text.find_first_of("\r\n") != std::string::npos;
    };
    if (header.name.empty() || unclean(header.name) || unclean(header.value)) {
      throw Error(ExitCode::kConfig,
                  "http pool: header '" + header.name +
                      "': empty name or line break; credentials must be one line");
    }
  }
}

}  // namespace

struct HttpPool::Impl {
  PoolShared shared;
  // Filled at construction and never changed: another thread may walk it.
  std::vector<std::unique_ptr<HttpConnection>> connections;  // the normal ones, then the kept ones
  std::size_t normal_count;
  std::size_t next{0};  // requests go round, so that every connection stays alive

  Impl(Loop& loop, Endpoint endpoint, PoolOptions options)
      : shared{loop, std::move(endpoint), std::move(options)},
        normal_count(shared.options.connections) {
    const std::string host = shared.options.host_header.empty()
                                 ? shared.endpoint.host + ":" + std::to_string(shared.endpoint.port)
                                 : shared.options.host_header;
    shared.constant_headers = "Host: " + host + "\r\nUser-Agent: sluice\r\n";
    for (const Header& header : shared.options.headers) {
      shared.constant_headers += header.name + ": " + header.value + "\r\n";
    }
    const std::size_t count = normal_count + shared.options.cancel_connections;
    const auto seed = static_cast<std::uint64_t>(loop.now().ns);
    for (std::size_t i = 0; i < count; ++i) {
      connections.push_back(
          std::make_unique<HttpConnection>(shared, (seed + i) * 0x9E3779B97F4A7C15U));
    }
  }

  [[nodiscard]] HttpConnection* pick(Lane lane) const noexcept {
    if (lane == Lane::kCancel) {
      for (std::size_t i = normal_count; i < connections.size(); ++i) {
        if (connections[i]->is_free())
          return connections[i].get();
      }
    }
    for (std::size_t i = 0; i < normal_count; ++i) {
      HttpConnection* connection = connections[(next + i) % normal_count].get();
      if (connection->is_free())
        return connection;
    }
    return nullptr;
  }
};

HttpPool::HttpPool(Loop& loop, Endpoint endpoint, PoolOptions options) {
  validate(endpoint, options);
  impl_ = std::make_unique<Impl>(loop, std::move(endpoint), std::move(options));
}

HttpPool::~HttpPool() = default;

bool HttpPool::ready(Lane lane) const noexcept {
  return impl_->pick(lane) != nullptr;
}

bool HttpPool::try_send(Lane lane, const HttpRequest& request, AnswerFn on_answer,
                        MayWriteFn may_write) {
  SLUICE_ASSERT(on_answer != nullptr, "a request needs a callback for its outcome");
  HttpConnection* connection = impl_->pick(lane);
  if (connection == nullptr ||
      !connection->start(request, std::move(on_answer), std::move(may_write))) {
    ++impl_->shared.counters.refused;
    return false;
  }
  ++impl_->shared.counters.accepted;
  impl_->next = (impl_->next + 1) % impl_->normal_count;
  return true;
}

void HttpPool::reset_all() {
  for (const auto& connection : impl_->connections)
    connection->reset();
}

void HttpPool::reset_from_other_thread() noexcept {
  for (const auto& connection : impl_->connections)
    connection->reset_from_other_thread();
}

void HttpPool::retry() {
  for (const auto& connection : impl_->connections)
    connection->retry();
}

PoolStatus HttpPool::status() const noexcept {
  PoolStatus status;
  std::size_t missing = 0;
  std::size_t gave_up = 0;
  for (std::size_t i = 0; i < impl_->connections.size(); ++i) {
    const HttpConnection& connection = *impl_->connections[i];
    const bool normal = i < impl_->normal_count;
    if (connection.is_up())
      ++(normal ? status.normal_up : status.cancel_up);
    if (connection.is_free())
      ++(normal ? status.normal_free : status.cancel_free);
    if (!connection.is_up())
      ++missing;
    if (connection.gave_up())
      ++gave_up;
    status.consecutive_failures = std::max(status.consecutive_failures, connection.failures());
  }
  if (missing == 0) {
    status.state = PoolState::kReady;
  } else {
    status.state = gave_up == missing ? PoolState::kGaveUp : PoolState::kConnecting;
  }
  return status;
}

const PoolCounters& HttpPool::counters() const noexcept {
  return impl_->shared.counters;
}

const std::string& HttpPool::last_error() const noexcept {
  return impl_->shared.last_error;
}

}  // namespace sluice::net
