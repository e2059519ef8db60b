#include "procs/risk/risk_app.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <tuple>

#include "common/base/log.hpp"
#include "common/runtime/topology.hpp"
#include "common/trading/checked.hpp"
#include "shm/ring_probe.hpp"

namespace sluice {
namespace {

constexpr std::int64_t kDeadlineMax = 60'000'000'000;  // a deadline further away is malformed

RiskRules rules_of(const InstanceConfig& config) {
  RiskRules rules;
  for (const InstrumentConfig& i : config.instruments) {
    rules.instruments.push_back({.max_order_qty = i.max_order_qty,
                                 .max_order_notional = i.max_order_notional,
                                 .max_position = i.max_position,
                                 .max_exposure = i.max_exposure});
  }
  for (const StrategyConfig& s : config.strategies) {
    rules.strategies.push_back({.instruments = s.instruments,
                                .max_position = s.max_position,
                                .budget = config.risk.max_gross_exposure});
  }
  rules.gross_exposure = config.risk.max_gross_exposure;
  rules.open_orders = config.risk.max_open_orders;
  rules.reservations = config.gateway.orders_max;
  rules.market_data_max_age_ns = config.risk.market_data_max_age_ns;
  rules.deadline_max_ns = kDeadlineMax;
  return rules;
}

// Rows never written read as zeros.
template <class Row>
std::vector<Row> read_all(const shm::BoardReader<Row>& board) {
  std::vector<Row> rows(board.rows());
  for (std::uint32_t i = 0; i < board.rows(); ++i) {
    static_cast<void>(board.load(i, rows[i]));
  }
  return rows;
}

}  // namespace

RiskApp::RiskApp(StageShell& shell)
    : shell_(shell),
      instruments_(shell.config().instrument_table()),
      core_(rules_of(shell.config()), instruments_, shell.incarnation()),
      commands_(shell.instance(), ring::command(kRiskRole)),
      executions_(shell.instance(), ring::kExecutionRisk),
      orders_(shell.instance(), ring::kOrder),
      sheet_(shell.instance(), board::kLimits),
      tap_(shell, ring::tap(kRiskRole),
           persistence_ring_index(shell.config(), ring::tap(kRiskRole))) {
  const InstanceConfig& config = shell.config();
  for (const FeedConfig& feed : config.feeds) {
    marks_.push_back(
        std::make_unique<shm::RingConsumer<MarketEvent>>(shell.instance(), ring::marks(feed.name)));
  }
  for (const StrategyConfig& s : config.strategies) {
    strategies_.push_back(std::make_unique<StrategyPort>(
        StrategyPort{.intents = {shell.instance(), ring::intent(s.name)},
                     .verdicts = {shell.instance(), ring::verdict(s.name)},
                     .page = {shell.instance(), strategy_role(s.name)}}));
  }
  adopt_boards();
}

// A cold start reads the gateway's boards once: positions, and what still works at the venue. Both
// have to be of one moment, or a fill in between would count twice or not at all: the positions are
// read again after the orders until nothing has changed.
void RiskApp::adopt_boards() {
  constexpr int kAttempts = 1000;
  const shm::BoardReader<PositionRow> positions(shell_.instance(), board::kPositions);
  const shm::BoardReader<OrderRow> orders(shell_.instance(), board::kOrders);
  std::vector<PositionRow> before = read_all(positions);
  std::vector<OrderRow> working;
  for (int attempt = 0;; ++attempt) {
    working = read_all(orders);
    std::vector<PositionRow> after = read_all(positions);
    const bool same =
        std::equal(before.begin(), before.end(), after.begin(), after.end(),
                   [](const PositionRow& x, const PositionRow& y) { return x.n == y.n; });
    before = std::move(after);
    if (same)
      break;
    if (attempt == kAttempts) {
      throw Error(ExitCode::kResource,
                  "the gateway's boards changed at every look; start risk again when it is calmer");
    }
  }
  for (std::size_t i = shell_.config().instruments.size(); i < before.size(); ++i) {
    const PositionRow& row =
        before[i];  // the account's own block, in front, is the sum of the others
    core_.adopt_position(row.strategy, row.instrument, row.position, row.n);
  }
  std::uint32_t adopted = 0;
  for (const OrderRow& row : working) {
    if (row.state == OrderState::kNone || is_terminal(row.state))
      continue;
    core_.adopt_order(row);
    ++adopted;
  }
  adopt_outputs(working);
  if (adopted != 0)
    log_info("cold start with {} orders still working", adopted);
}

// A risk that dies inside a batch has published what it decided of it and released nothing: its
// successor is handed the whole batch again. What was decided stands in what was published, which
// the rings keep long after it was read. Approved orders that the gateway has not released are
// reserved again; one that it has on its board came with the board. The board is older than the
// look at the ring, so an order that is on neither is told of by executions to come.
void RiskApp::adopt_outputs(const std::vector<OrderRow>& rows) {
  std::set<std::tuple<std::uint32_t, std::uint16_t, std::uint64_t>> known;
  const auto key = [](const IntentId& id) {
    return std::tuple(id.incarnation, id.strategy, id.sequence);
  };
  // An incarnation that its strategy never had is nonsense; taken for true it would make every
  // later intent an old one, for good.
  const auto adopt = [this](const IntentId& id) {
    if (id.strategy < strategies_.size() &&
        id.incarnation <= strategies_[id.strategy]->page.incarnation())
      core_.adopt_decided(id);
  };
  for (const OrderRow& row : rows) {
    if (row.state == OrderState::kNone || row.id.is_none())
      continue;
    known.insert(key(row.id));
    if ((row.flags & kOrphaned) == 0)  // known from the venue alone: says nothing of this risk
      adopt(row.id);
  }
  const shm::RingProbe orders(shell_.instance(), ring::kOrder);
  const std::uint64_t released = orders.cursor();
  Intent order;
  for (std::uint64_t at = orders.oldest(); at != orders.tail(); ++at) {
    if (!orders.read(at, order))
      continue;
    adopt(order.id);
    if (static_cast<std::int64_t>(at - released) < 0 || known.contains(key(order.id)))
      continue;
    OrderRow row;
    row.id = order.id;
    row.replaces = order.replaces;
    row.instrument = order.instrument;
    row.side = order.side;
    row.state = OrderState::kPending;
    row.approved = order.approved;
    core_.adopt_order(row);
  }
  const shm::BoardReader<LimitRow> marks(shell_.instance(), board::kLimits);
  for (std::uint16_t s = 0; s < strategy_count(); ++s) {
    LimitRow mark;
    if (marks.load(1 + instruments_.size() + s, mark) == shm::BoardRead::kOk)
      adopt({.incarnation = mark.strategy_incarnation,
             .strategy = s,
             .reserved = 0,
             .sequence = mark.sequence});
    const shm::RingProbe verdicts(shell_.instance(),
                                  ring::verdict(shell_.config().strategies[s].name));
    Verdict verdict;
    for (std::uint64_t at = verdicts.oldest(); at != verdicts.tail(); ++at) {
      if (verdicts.read(at, verdict))
        adopt(verdict.intent);
    }
  }
}

std::size_t RiskApp::poll(MonoNanos now) {
  std::size_t work = executions_.drain(
      [&](const Execution& execution) {
        ++executions_seen_;
        core_.on_execution(execution);
      },
      kBatch);
  work += commands_.drain(
      [&](const Command& command) { tap_.push(TapType::kCommand, command, now); }, kBatch);
  for (auto& ring : marks_) {
    work += ring->drain(
        [&](const MarketEvent& event) {
          ++market_events_;
          if (event.kind == MarketKind::kGap)
            lost_ += event.gap().lost;
          core_.on_market(event);
        },
        4 * kBatch);
  }
  for (std::uint16_t s = 0; s < strategy_count(); ++s)
    work += decide(s);
  if (now.ns - last_sheet_.ns >= shell_.config().risk.publish_every_ns)
    publish_sheet(now);
  return work;
}

void RiskApp::drain() {
  // A stopped risk must not look alive: its last sheet ages and the gateway stops new risk.
  static_cast<void>(tap_.tell_gap(shell_.now()));  // else the next start tells it
  publish_counters();
}

std::size_t RiskApp::decide(std::uint16_t strategy) {
  StrategyPort& port = *strategies_[strategy];
  if (port.intents.empty())
    return 0;
  // Reserved: every intent can end in one verdict, so a strategy that does not read its verdicts
  // stalls only itself.
  const std::size_t room = std::min<std::size_t>(port.verdicts.free_slots(), kBatch);
  const std::size_t taken =
      port.intents.drain([&](const Intent& intent) { decide_one(port, strategy, intent); }, room);
  if (taken != 0)
    publish_mark(port, strategy);
  return taken;
}

void RiskApp::decide_one(StrategyPort& port, std::uint16_t strategy, Intent intent) {
  if (intent.kind == IntentKind::kSession) {
    core_.on_session(strategy, intent.id.incarnation);
    return;
  }
  const MonoNanos now = shell_.now();
  intent.stamps.risk_poll = now;
  ++intents_;
  shell_.page().record(RiskMetric::kStrategyToRisk,
                       sub_saturating(now.ns, intent.stamps.strategy_publish.ns));
  const bool room = orders_.claim() != nullptr;
  if (!room)
    ++ring_full_;
  const std::uint64_t garbage = core_.garbage();
  const RiskDecision decision = core_.on_intent(intent, strategy, room, now);
  if (decision.decision == Decision::kNone) {
    const bool nonsense = core_.garbage() != garbage;
    ++(nonsense ? malformed_ : duplicates_);
    if (nonsense)
      port.intents.note_refused();
    return;
  }
  if (decision.decision != Decision::kRefused) {
    intent.stamps.risk_publish = shell_.now();
    if (!orders_.try_push(intent)) {
      SLUICE_ASSERT(orders_.own_file_lost(),
                    "the order ring had room and this is its only producer");
      return end_without("order");
    }
    shell_.page().record(RiskMetric::kApprove, intent.stamps.risk_publish.ns - now.ns);
    tap_.push(TapType::kOrder, intent, intent.stamps.risk_publish);
    ++approved_;
  } else {
    ++refused_;
  }
  if (decision.decision == Decision::kApproved)
    return;
  if (decision.decision == Decision::kResized)
    ++resized_;
  const Verdict verdict = RiskCore::verdict(intent, decision, now);
  if (!port.verdicts.try_push(verdict)) {
    SLUICE_ASSERT(port.verdicts.own_file_lost(),
                  "a verdict slot was reserved before the intent was taken");
    return end_without("verdict");
  }
  tap_.push(TapType::kVerdict, verdict, now);
}

// The ring's file was cut after it was asked for room. What was not told is not journalled either.
void RiskApp::end_without(const char* record) {
  shell_.fail(ExitCode::kResource,
              std::string("the file of a ring in ") + shell_.config().shm_dir +
                  " was cut short and took no " + record +
                  "; lay the instance out anew: sluicectl shm create --config " +
                  shell_.config().path);
}

// After the outputs: whoever sees the mark also finds every order and verdict up to it.
void RiskApp::publish_mark(StrategyPort& port, std::uint16_t strategy) noexcept {
  const LimitRow row = core_.strategy_row(strategy);
  if (row.sequence == port.published_mark && port.published_mark != 0)
    return;
  port.published_mark = row.sequence;
  sheet_.store(1 + instruments_.size() + strategy, row);
}

void RiskApp::publish_sheet(MonoNanos now) noexcept {
  last_sheet_ = now;
  for (std::uint32_t i = 0; i < instruments_.size(); ++i)
    sheet_.store(1 + i, core_.instrument_row(i));
  for (std::uint16_t s = 0; s < strategy_count(); ++s) {
    sheet_.store(1 + instruments_.size() + s, core_.strategy_row(s));
  }
  sheet_.store(0, core_.publish_head(now));  // the head last: its age speaks for the rows
  ++sheets_;
  static_cast<void>(tap_.tell_gap(now));
  publish_counters();
}

void RiskApp::publish_counters() noexcept {
  shm::StagePage& page = shell_.page();
  counted_.publish(page, RiskMetric::kIntents, intents_);
  counted_.publish(page, RiskMetric::kApproved, approved_);
  counted_.publish(page, RiskMetric::kResized, resized_);
  counted_.publish(page, RiskMetric::kRefused, refused_);
  counted_.publish(page, RiskMetric::kMalformed, malformed_);
  counted_.publish(page, RiskMetric::kDuplicates, duplicates_);
  counted_.publish(page, RiskMetric::kExecutions, executions_seen_);
  counted_.publish(page, RiskMetric::kSheets, sheets_);
  counted_.publish(page, RiskMetric::kMarketEvents, market_events_);
  counted_.publish(page, RiskMetric::kLost, lost_);
  counted_.publish(page, RiskMetric::kRingFull, ring_full_);
  counted_.publish(page, RiskMetric::kTapDropped, tap_.lost());
  for (std::size_t r = 1; r < kReasonCount; ++r) {
    page.set_mark(static_cast<std::uint32_t>(kFirstReasonMark + r),
                  core_.refusals(static_cast<Reason>(r)));
  }
}

}  // namespace sluice
