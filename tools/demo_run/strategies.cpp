#include "tools/demo_run/strategies.hpp"

#include <chrono>
#include <vector>

#include "common/messages/rows.hpp"
#include "common/runtime/metrics.hpp"
#include "common/runtime/topology.hpp"
#include "shm/board.hpp"
#include "shm/stage_page.hpp"

namespace sluice::demo {
namespace {

using Json = nlohmann::ordered_json;

struct Counts {
  std::uint64_t orders{0};
  std::uint64_t fills{0};
  std::uint64_t partial{0};
  std::uint64_t replaces{0};
  std::uint64_t cancels{0};
};

std::vector<Counts> count_orders(const shm::Instance& instance, std::size_t strategies) {
  std::vector<Counts> counts(strategies);
  const shm::BoardReader<OrderRow> board(instance, board::kOrders);
  for (std::uint32_t i = 0; i < board.rows(); ++i) {
    OrderRow row;
    if (board.load(i, row) != shm::BoardRead::kOk || row.venue_order_id.is_zero() ||
        row.id.strategy >= strategies) {
      continue;
    }
    Counts& c = counts[row.id.strategy];
    ++c.orders;
    c.fills += row.executions;
    c.partial += row.executions >= 2 ? 1 : 0;
    c.replaces += row.state == OrderState::kReplaced ? 1 : 0;
    const bool rested = row.tif != TimeInForce::kIoc && row.tif != TimeInForce::kFok;
    c.cancels += row.state == OrderState::kCancelled && rested ? 1 : 0;
  }
  return counts;
}

std::int64_t realised(const shm::Instance& instance, const InstanceConfig& config,
                      const StrategyConfig& strategy) {
  const shm::BoardReader<PositionRow> board(instance, board::kPositions);
  const auto instruments = static_cast<std::uint32_t>(config.instruments.size());
  std::int64_t sum = 0;
  for (const std::uint32_t i : strategy.instruments) {
    PositionRow row;
    if (board.load((strategy.index + 1U) * instruments + i, row) == shm::BoardRead::kOk)
      sum += row.realised;
  }
  return sum;
}

}  // namespace

std::uint64_t statuses_received(const InstanceConfig& config) {
  const shm::Instance instance =
      shm::Instance::attach(config.shm_dir, std::chrono::milliseconds(0));
  std::uint64_t sum = 0;
  for (const FeedConfig& feed : config.feeds)
    sum += shm::StageView(instance, feed_role(feed.name)).counter(FeedMetric::kStatuses);
  return sum;
}

Json strategy_numbers(const InstanceConfig& config) {
  const shm::Instance instance =
      shm::Instance::attach(config.shm_dir, std::chrono::milliseconds(0));
  const std::vector<Counts> counts = count_orders(instance, config.strategies.size());
  Json out = Json::array();
  for (const StrategyConfig& s : config.strategies) {
    const Counts& c = counts[s.index];
    Json symbols = Json::array();
    for (const std::uint32_t i : s.instruments)
      symbols.push_back(config.instruments[i].spec.symbol);
    const shm::StageView page(instance, strategy_role(s.name));
    out.push_back({{"name", s.name},
                   {"kind", s.kind},
                   {"instruments", std::move(symbols)},
                   {"intents", page.counter(StrategyMetric::kIntents)},
                   {"orders", c.orders},
                   {"fills", c.fills},
                   {"partial_fills", c.partial},
                   {"replaces", c.replaces},
                   {"cancels", c.cancels},
                   {"realised", to_string(Cash{realised(instance, config, s)})}});
  }
  return out;
}

}  // namespace sluice::demo
