#include "tools/sluicectl/venue_kill.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "common/base/error.hpp"
#include "common/base/log.hpp"
#include "common/net/http_pool.hpp"
#include "common/net/loop.hpp"
#include "common/venue/alpaca/rest.hpp"

namespace sluice {
namespace {

namespace alpaca = venue::alpaca;
using Clock = std::chrono::steady_clock;

constexpr int kRounds = 20;
constexpr auto kAnswerWithin = std::chrono::seconds(5);

// One request at a time, waited for: this is the last resort, not a fast path.
class VenueDesk {
 public:
  explicit VenueDesk(const InstanceConfig& config)
      : venue_(config.venues.front()), decoder_(venue::SymbolTable(config.instrument_table())) {
    const Credentials credentials = load_credentials(venue_.credentials_file);
    net::PoolOptions options;
    options.connections = 1;
    options.headers = {{"APCA-API-KEY-ID", credentials.key},
                       {"APCA-API-SECRET-KEY", credentials.secret}};
    pool_ = std::make_unique<net::HttpPool>(
        loop_, net::Endpoint{.host = venue_.rest_host, .port = venue_.rest_port, .tls = false},
        options);
  }

  alpaca::ListOf<alpaca::OrderSnapshot> open_orders() {
    std::array<char, alpaca::kRequestBytes> target;
    const std::size_t size = alpaca::encode_orders_target({}, target);
    alpaca::ListOf<alpaca::OrderSnapshot> orders;
    const int status = ask("GET", {target.data(), size}, [&](std::string_view body) {
      if (decoder_.orders(body, orders) != venue::DecodeStatus::kOk) {
        throw Error(ExitCode::kVenueUnavailable,
                    "the venue's list of open orders could not be read");
      }
    });
    if (status != 200) {
      throw Error(status == 401 ? ExitCode::kCredentials : ExitCode::kVenueUnavailable,
                  fmt::format("{}:{} answered the list of open orders with status {}",
                              venue_.rest_host, venue_.rest_port, status));
    }
    return orders;
  }

  int cancel(const Id128& id) {
    std::array<char, alpaca::kRequestBytes> target;
    const std::size_t size = alpaca::encode_order_target(id, target);
    return ask("DELETE", {target.data(), size}, [](std::string_view) {});
  }

 private:
  template <class OnBody>
  int ask(std::string_view method, std::string_view target, OnBody&& on_body) {
    const auto until = Clock::now() + kAnswerWithin;
    int status = 0;
    bool ended = false;
    std::string body;
    while (!pool_->ready(net::Lane::kNormal) && Clock::now() < until)
      loop_.service(10);
    const bool taken = pool_->try_send(net::Lane::kNormal, {.method = method, .target = target},
                                       [&](const net::HttpAnswer& answer) {
                                         status = answer.status;
                                         body.assign(answer.body);
                                         ended = true;
                                       });
    while (taken && !ended)
      loop_.service(10);  // the pool's own time-out ends it
    if (!taken || status == 0) {
      throw Error(
          ExitCode::kVenueUnavailable,
          fmt::format("{}:{} did not answer ({}); orders may still work there: cancel them at the "
                      "venue's own page",
                      venue_.rest_host, venue_.rest_port, pool_->last_error()));
    }
    on_body(body);
    return status;
  }

  const VenueConfig& venue_;
  alpaca::RestDecoder decoder_;
  net::Loop loop_;
  std::unique_ptr<net::HttpPool> pool_;
};

}  // namespace

int cancel_at_venue(const InstanceConfig& config, bool all_orders) {
  VenueDesk desk(config);
  const std::string prefix = "slc-" + config.name + "-";
  const auto settle = std::chrono::nanoseconds(config.gateway.settle_ns);
  int empty_reads = 0;
  std::size_t cancelled = 0;
  for (int round = 0; round < kRounds && empty_reads < 2; ++round) {
    if (round != 0)
      std::this_thread::sleep_for(settle);
    const alpaca::ListOf<alpaca::OrderSnapshot> orders = desk.open_orders();
    if (!orders.complete())
      log_warn("{} orders of the list could not be read", orders.faults.size());
    std::size_t ours = 0;
    for (const alpaca::OrderSnapshot& order : orders.items) {
      if (!all_orders && !order.client_order_id.view().starts_with(prefix))
        continue;
      ++ours;
      const int status = desk.cancel(order.id);
      log_info("{} {}: DELETE answered {}", order.client_order_id.view(), order.symbol.view(),
               status);
    }
    cancelled += ours;
    empty_reads = ours == 0 && orders.complete() ? empty_reads + 1 : 0;
  }
  if (empty_reads < 2) {
    log_error("orders still work at the venue after {} rounds; cancel them at the venue's own page",
              kRounds);
    return static_cast<int>(ExitCode::kNotReconciled);
  }
  log_info("{} cancels sent; two reads in a row found no order of ours", cancelled);
  return 0;
}

}  // namespace sluice
