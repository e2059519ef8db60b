#include "tools/demo_run/venue_client.hpp"

#include <chrono>

#include "common/base/error.hpp"
#include "common/net/http_pool.hpp"
#include "common/net/loop.hpp"

namespace sluice::demo {
namespace {

constexpr auto kWithin = std::chrono::seconds(10);

net::PoolOptions options() {
  net::PoolOptions o;
  o.connections = 1;
  o.cancel_connections = 1;
  o.body_limit_bytes = 64 * 1024 * 1024;  // a ledger of a whole session
  o.answer_timeout_ns = 10'000'000'000;
  return o;
}

}  // namespace

struct VenueClient::Impl {
  explicit Impl(std::uint16_t port) : pool(loop, {.host = "127.0.0.1", .port = port}, options()) {}
  net::Loop loop;
  net::HttpPool pool;
};

VenueClient::VenueClient(std::uint16_t port) : impl_(std::make_unique<Impl>(port)) {}
VenueClient::~VenueClient() = default;

nlohmann::ordered_json VenueClient::get(const std::string& target) {
  const auto until = std::chrono::steady_clock::now() + kWithin;
  bool asked = false;
  bool ended = false;
  int status = 0;
  std::string body;
  while (!ended && std::chrono::steady_clock::now() < until) {
    if (!asked && impl_->pool.ready(net::Lane::kNormal)) {
      // A read changes nothing: asking again after a lost connection is harmless.
      asked = impl_->pool.try_send(net::Lane::kNormal, {.method = "GET", .target = target},
                                   [&](const net::HttpAnswer& answer) {
                                     status = answer.status;
                                     body.assign(answer.body);
                                     ended = answer.outcome == net::Outcome::kAnswered;
                                     asked = ended;
                                   });
    }
    impl_->loop.service(20);
  }
  if (!ended || status != 200) {
    throw Error(ExitCode::kVenueUnavailable, "the simulator did not answer GET " + target +
                                                 " (status " + std::to_string(status) +
                                                 "); see venue.log in the run folder");
  }
  return nlohmann::ordered_json::parse(body);
}

}  // namespace sluice::demo
