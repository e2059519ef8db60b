#include "common/runtime/topology.hpp"

#include <algorithm>

#include "common/base/error.hpp"
#include "common/messages/control.hpp"
#include "common/messages/execution.hpp"
#include "common/messages/intent.hpp"
#include "common/messages/market_event.hpp"
#include "common/messages/rows.hpp"
#include "common/messages/tap.hpp"
#include "common/runtime/metrics.hpp"
#include "common/runtime/version.hpp"

namespace sluice {
namespace {

constexpr std::uint32_t kCommandSlots = 64;

template <class Record>
shm::RingSpec ring_of(std::string name, std::uint32_t slots, shm::RingPolicy policy,
                      std::string producer, std::string consumer) {
  return {.name = std::move(name),
          .slots = slots,
          .payload_bytes = sizeof(Record),
          .schema_hash = kSchemaHash<Record>,
          .policy = policy,
          .producer = std::move(producer),
          .consumer = std::move(consumer)};
}

template <class Row>
shm::BoardSpec board_of(std::string name, std::uint32_t rows, std::string owner) {
  return {.name = std::move(name),
          .rows = rows,
          .row_bytes = sizeof(Row),
          .schema_hash = kSchemaHash<Row>,
          .owner = std::move(owner)};
}

std::string joined(std::string_view a, std::string_view b) {
  return std::string(a).append(".").append(b);
}

}  // namespace

std::string feed_role(std::string_view feed) {
  return joined("feed", feed);
}
std::string strategy_role(std::string_view strategy) {
  return joined("strategy", strategy);
}

namespace ring {
std::string market_data(std::string_view feed, std::string_view strategy) {
  return joined(joined("md", feed), strategy);
}
std::string marks(std::string_view feed) {
  return joined(joined("md", feed), "risk");
}
std::string intent(std::string_view strategy) {
  return joined("intent", strategy);
}
std::string cancel(std::string_view strategy) {
  return joined("cancel", strategy);
}
std::string verdict(std::string_view strategy) {
  return joined("verdict", strategy);
}
std::string execution(std::string_view strategy) {
  return joined("exec", strategy);
}
std::string tap(std::string_view role) {
  return joined("tap", role);
}
std::string command(std::string_view role) {
  return joined("cmd", role);
}
}  // namespace ring

std::string board::quotes(std::string_view feed) {
  return joined("quotes", feed);
}

std::uint32_t position_rows(const InstanceConfig& config) {
  return static_cast<std::uint32_t>((config.strategies.size() + 2) * config.instruments.size());
}

std::uint32_t limit_rows(const InstanceConfig& config) {
  return static_cast<std::uint32_t>(1 + config.instruments.size() + config.strategies.size());
}

std::vector<std::string> persistence_rings(const InstanceConfig& config) {
  std::vector<std::string> rings{ring::kExecutionPersistence, ring::tap(kRiskRole)};
  for (const StrategyConfig& s : config.strategies)
    rings.push_back(ring::tap(strategy_role(s.name)));
  for (const FeedConfig& f : config.feeds)
    rings.push_back(ring::tap(feed_role(f.name)));
  return rings;
}

std::uint16_t persistence_ring_index(const InstanceConfig& config, std::string_view ring) {
  const std::vector<std::string> rings = persistence_rings(config);
  const auto at = std::find(rings.begin(), rings.end(), ring);
  SLUICE_ASSERT(at != rings.end(), "every tapped ring stands in persistence_rings()");
  return static_cast<std::uint16_t>(at - rings.begin());
}

shm::Layout layout_of(const InstanceConfig& config) {
  using shm::RingPolicy;
  const TopologyConfig& t = config.topology;
  const auto instruments = static_cast<std::uint32_t>(config.instruments.size());
  shm::Layout layout;
  layout.dir = config.shm_dir;
  layout.build_id = build_id();

  const auto command_and_page = [&](const std::string& role, const shm::MetricTable& metrics) {
    layout.pages.push_back({.stage = role, .metrics = &metrics});
    layout.rings.push_back(ring_of<Command>(ring::command(role), kCommandSlots, RingPolicy::kRefuse,
                                            kOperatorRole, role));
  };
  const auto tap = [&](const std::string& role) {
    layout.rings.push_back(ring_of<Tap>(ring::tap(role), t.persistence_slots,
                                        RingPolicy::kCountedGap, role, kPersistenceRole));
  };

  for (const FeedConfig& feed : config.feeds) {
    const std::string role = feed_role(feed.name);
    command_and_page(role, kFeedMetrics);
    tap(role);
    layout.rings.push_back(ring_of<MarketEvent>(ring::marks(feed.name), t.market_data_slots,
                                                RingPolicy::kConflate, role, kRiskRole));
    layout.boards.push_back(board_of<QuoteRow>(board::quotes(feed.name), instruments, role));
  }
  for (const StrategyConfig& strategy : config.strategies) {
    const std::string role = strategy_role(strategy.name);
    const std::string& feed = config.feeds[strategy.feed].name;
    command_and_page(role, kStrategyMetrics);
    tap(role);
    layout.rings.push_back(ring_of<MarketEvent>(ring::market_data(feed, strategy.name),
                                                t.market_data_slots, RingPolicy::kConflate,
                                                feed_role(feed), role));
    layout.rings.push_back(ring_of<Intent>(ring::intent(strategy.name), t.order_slots,
                                           RingPolicy::kRefuse, role, kRiskRole));
    layout.rings.push_back(ring_of<Cancel>(ring::cancel(strategy.name), t.order_slots,
                                           RingPolicy::kRefuse, role, kGatewayRole));
    layout.rings.push_back(ring_of<Verdict>(ring::verdict(strategy.name), t.order_slots,
                                            RingPolicy::kReserved, kRiskRole, role));
    layout.rings.push_back(ring_of<Execution>(ring::execution(strategy.name), t.order_slots,
                                              RingPolicy::kConflate, kGatewayRole, role));
  }

  command_and_page(kRiskRole, kRiskMetrics);
  tap(kRiskRole);
  layout.rings.push_back(
      ring_of<Intent>(ring::kOrder, t.order_slots, RingPolicy::kRefuse, kRiskRole, kGatewayRole));
  layout.boards.push_back(board_of<LimitRow>(board::kLimits, limit_rows(config), kRiskRole));

  command_and_page(kGatewayRole, kGatewayMetrics);
  layout.rings.push_back(ring_of<Execution>(ring::kExecutionRisk, t.order_slots,
                                            RingPolicy::kConflate, kGatewayRole, kRiskRole));
  layout.rings.push_back(ring_of<Tap>(ring::kExecutionPersistence, t.persistence_slots,
                                      RingPolicy::kLossless, kGatewayRole, kPersistenceRole));
  layout.boards.push_back(
      board_of<OrderRow>(board::kOrders, config.gateway.orders_max, kGatewayRole));
  layout.boards.push_back(
      board_of<PositionRow>(board::kPositions, position_rows(config), kGatewayRole));
  layout.boards.push_back(board_of<AccountRow>(board::kAccount, 1, kGatewayRole));

  command_and_page(kPersistenceRole, kPersistenceMetrics);
  layout.boards.push_back(board_of<InstrumentRow>(board::kInstruments, instruments, kOperatorRole));
  return layout;
}

}  // namespace sluice
