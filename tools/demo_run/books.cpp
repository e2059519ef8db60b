#include "tools/demo_run/books.hpp"

#include <map>
#include <vector>

#include "common/base/error.hpp"
#include "common/messages/hops.hpp"
#include "common/messages/rows.hpp"
#include "common/runtime/metrics.hpp"
#include "common/runtime/topology.hpp"
#include "common/storage/journal_reader.hpp"
#include "common/storage/tap_journal.hpp"
#include "common/trading/client_order_id.hpp"
#include "shm/board.hpp"
#include "shm/operator_trip.hpp"
#include "shm/ring_probe.hpp"
#include "shm/stage_page.hpp"

namespace sluice::demo {
namespace {

using Json = nlohmann::ordered_json;

shm::Instance attach(const InstanceConfig& config) {
  return shm::Instance::attach(config.shm_dir, std::chrono::milliseconds(0));
}

std::string uuid_text(const Id128& id) {
  char text[36];
  format_uuid(id, text);
  return {text, sizeof(text)};
}

std::string decimal(std::int64_t raw) {
  return to_string(Qty{raw});
}

// The venue's word for how an order of ours stands.
const char* venue_word(const OrderRow& row) {
  switch (row.state) {
    case OrderState::kFilled:
      return "filled";
    case OrderState::kCancelled:
      return "canceled";
    case OrderState::kExpired:
      return "expired";
    case OrderState::kRejected:
      return "rejected";
    case OrderState::kReplaced:
      return "replaced";
    case OrderState::kPartial:
      return "partially_filled";
    default:
      return "new";
  }
}

// Only orders the venue ever had: what our gate refused or never sent has no id there.
template <class Fn>
void for_each_venue_order(const shm::Instance& instance, Fn&& fn) {
  const shm::BoardReader<OrderRow> board(instance, board::kOrders);
  for (std::uint32_t i = 0; i < board.rows(); ++i) {
    OrderRow row;
    if (board.load(i, row) == shm::BoardRead::kOk && !row.venue_order_id.is_zero())
      fn(row);
  }
}

std::string client_id(const InstanceConfig& config, const IntentId& id) {
  ClientOrderId text;
  return encode_client_order_id(config.name, id, text) ? std::string(text.view())
                                                       : std::string("foreign");
}

struct JournalFill {
  Execution fill{};
  std::int64_t fee{0};
  bool fee_final{false};
};

// Executions as persistence wrote them; a fee record replaces the estimate of its fill.
std::map<std::string, JournalFill> journal_fills(const InstanceConfig& config) {
  std::map<std::string, JournalFill> fills;
  JournalReader reader(config.persistence.journal_dir);
  RecordView record;
  while (reader.next(record)) {
    const std::optional<Tap> tap = tap_of(record);
    if (!tap || tap->type != TapType::kExecution)
      continue;
    const Execution e = tap->body_as<Execution>();
    if (e.kind == ExecutionKind::kFill) {
      fills[uuid_text(e.execution_id)] = {.fill = e, .fee = e.fee, .fee_final = false};
    } else if (e.kind == ExecutionKind::kFee) {
      const auto at = fills.find(uuid_text(e.execution_id));
      if (at == fills.end())
        continue;
      at->second.fee += e.fee;  // a fee record carries the final fee less the estimate
      at->second.fee_final = true;
    }
  }
  return fills;
}

PositionRow account_position(const shm::BoardReader<PositionRow>& board, std::uint32_t instrument) {
  PositionRow row;
  static_cast<void>(board.load(instrument, row));
  return row;
}

// What no order can trade: below the smallest quantity, or below the smallest value at the bid.
bool is_dust(const InstrumentConfig& instrument, std::int64_t position,
             const shm::BoardReader<QuoteRow>& quotes) {
  const std::int64_t size = position < 0 ? -position : position;
  if (size < instrument.spec.min_qty.raw)
    return true;
  QuoteRow quote;
  Cash value{};
  return quotes.load(instrument.index, quote) == shm::BoardRead::kOk &&
         notional(quote.quote.bid_px, Qty{size}, value) && value < instrument.spec.min_notional;
}

Json percentiles(const shm::HistogramSnapshot& h) {
  return {{"count", h.count()},
          {"p50", h.percentile(0.5)},
          {"p99", h.percentile(0.99)},
          {"p999", h.percentile(0.999)},
          {"max", h.max}};
}

Json latencies(const shm::Instance& instance, const shm::Layout& layout) {
  Json out = Json::object();
  for (const char* hop : kAllHops) {
    shm::HistogramSnapshot sum;
    for (const shm::PageSpec& page : layout.pages) {
      const shm::StageView view(instance, page.stage);
      const std::uint32_t at = view.find(hop);
      if (at < view.metrics().size())
        sum.merge(view.histogram(static_cast<GatewayMetric>(at)));
    }
    out[hop] = percentiles(sum);
  }
  return out;
}

Json refusals(const shm::Instance& instance) {
  Json out = Json::object();
  for (const char* stage : {kRiskRole, kGatewayRole}) {
    const shm::StageView view(instance, stage);
    for (std::size_t r = 1; r < kReasonCount; ++r) {
      const std::uint64_t n = view.mark(static_cast<std::uint32_t>(kFirstReasonMark + r));
      if (n == 0)
        continue;
      const char* name = to_string(static_cast<Reason>(r));
      out[name] = out.value(name, std::uint64_t{0}) + n;
    }
  }
  return out;
}

std::uint64_t strategy_counter(const InstanceConfig& config, const shm::Instance& instance,
                               StrategyMetric metric) {
  std::uint64_t sum = 0;
  for (const StrategyConfig& s : config.strategies) {
    sum += shm::StageView(instance, strategy_role(s.name)).counter(metric);
  }
  return sum;
}

}  // namespace

Progress look(const InstanceConfig& config) {
  const shm::Instance instance = attach(config);
  Progress p;
  p.market_events = strategy_counter(config, instance, StrategyMetric::kMarketEvents);
  p.intents = strategy_counter(config, instance, StrategyMetric::kIntents);
  const shm::StageView gateway(instance, kGatewayRole);
  p.orders = gateway.counter(GatewayMetric::kSent);
  p.fills = gateway.counter(GatewayMetric::kFills);
  p.killed = shm::OperatorTrip::View(instance).any(kTripScopeAll) || gateway.tripped(kTripScopeAll);
  AccountRow account;
  if (shm::BoardReader<AccountRow>(instance, board::kAccount).load(0, account) ==
      shm::BoardRead::kOk) {
    p.working = account.working + account.in_flight + account.unknown;
    p.quiescent = (account.flags & kQuiescent) != 0;
  }
  const shm::BoardReader<PositionRow> positions(instance, board::kPositions);
  std::vector<shm::BoardReader<QuoteRow>> quotes;
  for (const FeedConfig& feed : config.feeds)
    quotes.emplace_back(instance, board::quotes(feed.name));
  p.flat = true;
  std::int64_t realised = 0;
  for (const InstrumentConfig& i : config.instruments) {
    const PositionRow row = account_position(positions, i.index);
    if (i.index == 0)
      p.position = decimal(row.position);
    realised += row.realised;
    if (!is_dust(i, row.position, quotes[i.feed]))
      p.flat = false;
  }
  p.realised = decimal(realised);
  for (const StrategyConfig& s : config.strategies) {
    const shm::StageView view(instance, strategy_role(s.name));
    p.winding_down = p.winding_down || view.gauge(StrategyMetric::kWindingDown) != 0;
    if (view.gauge(StrategyMetric::kOpenOrders) != 0)
      p.flat = false;
  }
  return p;
}

Json our_books(const InstanceConfig& config) {
  const shm::Instance instance = attach(config);
  Json orders = Json::object();
  std::map<IntentId, std::string> venue_ids;
  for_each_venue_order(instance, [&](const OrderRow& row) {
    venue_ids[row.id] = uuid_text(row.venue_order_id);
    orders[client_id(config, row.id)] = {{"id", uuid_text(row.venue_order_id)},
                                         {"symbol", config.instruments[row.instrument].spec.symbol},
                                         {"side", to_string(row.side)},
                                         {"qty", to_string(row.approved)},
                                         {"filled_qty", to_string(row.filled)},
                                         {"status", venue_word(row)}};
  });
  const InstrumentTable instruments = config.instrument_table();
  Json executions = Json::object();
  for (const auto& [id, f] : journal_fills(config)) {
    executions[id] = {{"order_id", venue_ids[f.fill.intent]},
                      {"symbol", instruments[f.fill.instrument].symbol()},
                      {"side", to_string(f.fill.side)},
                      {"px", to_string(f.fill.px)},
                      {"qty", to_string(f.fill.qty)},
                      {"fee", decimal(f.fee)},
                      {"fee_asset", instruments.asset(f.fill.fee_asset)}};
  }
  const shm::BoardReader<PositionRow> board(instance, board::kPositions);
  std::map<std::string, std::int64_t> fees;
  Json positions = Json::object();
  for (const Instrument& i : instruments) {
    const PositionRow row = account_position(board, i.index);
    if (row.position != 0)
      positions[std::string(i.position_symbol())] = decimal(row.position);
    fees[std::string(instruments.asset(i.base_asset))] += row.fee_base;
    fees[std::string(instruments.asset(i.quote_asset))] += row.fee_quote;
  }
  AccountRow account;
  static_cast<void>(shm::BoardReader<AccountRow>(instance, board::kAccount).load(0, account));
  Json fee_totals = Json::object();
  for (const auto& [asset, raw] : fees) {
    if (raw != 0)
      fee_totals[asset] = decimal(raw);
  }
  return {{"orders", std::move(orders)},
          {"executions", std::move(executions)},
          {"cash", {{"USD", to_string(account.cash)}}},
          {"positions", std::move(positions)},
          {"fees", std::move(fee_totals)}};
}

void count_own_executions(Json& books) {
  std::map<std::string, std::int64_t> traded;
  for (const auto& [id, execution] : books.at("executions").items()) {
    std::int64_t qty = 0;
    if (parse_decimal(execution.at("qty").get<std::string>(), qty) != DecimalStatus::kOk)
      throw Error(ExitCode::kBug, "the ledger's execution " + id + " has no quantity");
    traded[execution.at("order_id").get<std::string>()] += qty;
  }
  for (auto& [name, order] : books.at("orders").items())
    order["filled_qty"] = decimal(traded[order.at("id").get<std::string>()]);
}

Json our_numbers(const InstanceConfig& config) {
  const shm::Instance instance = attach(config);
  const shm::Layout layout = layout_of(config);
  std::uint64_t orders = 0;
  std::uint64_t fills = 0;
  std::uint64_t partial = 0;
  std::uint64_t cancels = 0;
  std::uint64_t ioc_remainders = 0;
  for_each_venue_order(instance, [&](const OrderRow& row) {
    ++orders;
    fills += row.executions;
    if (row.executions >= 2)
      ++partial;
    if (row.state != OrderState::kCancelled)
      return;
    if (row.tif == TimeInForce::kIoc) {
      ++ioc_remainders;
    } else if ((row.flags & kCancelSent) != 0) {
      ++cancels;
    }
  });
  Json rings = Json::object();
  for (const shm::RingSpec& ring : layout.rings) {
    const shm::RingProbe probe(instance, ring.name);
    rings[ring.name] = {{"messages", probe.messages()},
                        {"depth_max", probe.depth_max()},
                        {"drops", probe.drops()},
                        {"gaps", probe.gaps()}};
  }
  const shm::BoardReader<PositionRow> board(instance, board::kPositions);
  const shm::BoardReader<QuoteRow> quotes(instance, board::quotes(config.feeds.front().name));
  std::int64_t realised = 0;
  std::int64_t unrealised = 0;
  Json fees = Json::object();
  std::map<std::string, std::int64_t> fee_sums;
  for (const InstrumentConfig& i : config.instruments) {
    const PositionRow row = account_position(board, i.index);
    realised += row.realised;
    QuoteRow quote;
    Cash value{};
    if (quotes.load(i.index, quote) == shm::BoardRead::kOk &&
        notional(quote.quote.bid_px, Qty{row.position}, value)) {
      unrealised += value.raw - row.cost;
    }
    const Instrument& rules = config.instrument_table()[i.index];
    fee_sums[std::string(config.instrument_table().asset(rules.base_asset))] += row.fee_base;
    fee_sums[std::string(config.instrument_table().asset(rules.quote_asset))] += row.fee_quote;
  }
  for (const auto& [asset, raw] : fee_sums)
    fees[asset] = decimal(raw);
  return {{"events", strategy_counter(config, instance, StrategyMetric::kMarketEvents)},
          {"intents", strategy_counter(config, instance, StrategyMetric::kIntents)},
          {"refusals", refusals(instance)},
          {"orders", orders},
          {"fills", fills},
          {"partial_fills", partial},
          {"cancels", cancels},
          {"ioc_remainders", ioc_remainders},
          {"unknown_outcomes",
           shm::StageView(instance, kGatewayRole).counter(GatewayMetric::kUnknownOutcomes)},
          {"fees", std::move(fees)},
          {"pnl", {{"realised", decimal(realised)}, {"unrealised", decimal(unrealised)}}},
          {"latency_ns", latencies(instance, layout)},
          {"rings", std::move(rings)}};
}

}  // namespace sluice::demo
