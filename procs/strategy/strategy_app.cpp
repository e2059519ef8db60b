#include "procs/strategy/strategy_app.hpp"

#include <algorithm>

#include "common/base/error.hpp"
#include "common/base/log.hpp"
#include "common/messages/rows.hpp"
#include "common/strategy/momentum.hpp"
#include "common/strategy/quoter.hpp"
#include "common/trading/checked.hpp"
#include "shm/board.hpp"

namespace sluice {
namespace {

std::unique_ptr<Strategy> make_strategy(const StrategyConfig& config, std::size_t instruments) {
  if (config.kind == "momentum") {
    const MomentumConfig& m = config.momentum;
    return std::make_unique<Momentum>(MomentumOptions{.order_qty = config.order_qty,
                                                      .max_position = config.max_position,
                                                      .signal_centi_bps = m.signal_bps,
                                                      .lookback_ns = m.lookback_ns,
                                                      .cooldown_ns = config.cooldown_ns,
                                                      .rest_every_ns = m.rest_every_ns,
                                                      .rest_for_ns = m.rest_for_ns,
                                                      .rest_offset_centi_bps = m.rest_offset_bps,
                                                      .take_through_centi_bps = m.take_through_bps},
                                      instruments);
  }
  if (config.kind == "quoter") {
    const QuoterConfig& q = config.quoter;
    return std::make_unique<Quoter>(
        QuoterOptions{.order_qty = config.order_qty,
                      .max_position = config.max_position,
                      .offset_centi_bps = q.quote_offset_bps,
                      .skew_centi_bps = q.skew_bps,
                      .requote_centi_bps = q.requote_bps,
                      .requote_every_ns = q.requote_every_ns,
                      .quote_age_max_ns = q.quote_max_age_ns,
                      .answer_within_ns = config.intent_deadline_ns + q.requote_every_ns,
                      .cooldown_ns = config.cooldown_ns},
        instruments);
  }
  throw Error(ExitCode::kConfig,
              "strategy " + config.name + ": kind '" + config.kind + "' is not built in");
}

HostOptions host_options(const StageShell& shell, const StrategyConfig& config) {
  return {.strategy = config.index,
          .incarnation = shell.incarnation(),
          .account = 0,
          .venue = shell.config().feeds[config.feed].venue,
          .feed = config.feed,
          .instruments = config.instruments,
          .intent_deadline_ns = config.intent_deadline_ns,
          .max_event_age_ns = config.max_event_age_ns};
}

}  // namespace

StrategyApp::StrategyApp(StageShell& shell, const StrategyConfig& strategy)
    : shell_(shell),
      instruments_(shell.config().instrument_table()),
      strategy_(make_strategy(strategy, instruments_.size())),
      host_(host_options(shell, strategy), instruments_, *strategy_, *this),
      commands_(shell.instance(), ring::command(shell.role())),
      market_data_(shell.instance(),
                   ring::market_data(shell.config().feeds[strategy.feed].name, strategy.name)),
      executions_(shell.instance(), ring::execution(strategy.name)),
      verdicts_(shell.instance(), ring::verdict(strategy.name)),
      intents_(shell.instance(), ring::intent(strategy.name)),
      cancels_(shell.instance(), ring::cancel(strategy.name)),
      tap_(shell, ring::tap(shell.role()),
           persistence_ring_index(shell.config(), ring::tap(shell.role()))) {
  adopt_positions();
  announce_session();
}

// Risk refuses intents of an older incarnation from this record on. The ring has room unless risk
// has been away for a whole ring of intents; then this strategy must not start trading.
void StrategyApp::announce_session() {
  Intent session;
  session.id = {.incarnation = shell_.incarnation(),
                .strategy = host_.strategy(),
                .reserved = 0,
                .sequence = 0};
  session.kind = IntentKind::kSession;
  session.stamps.strategy_publish = shell_.now();
  if (!intents_.try_push(session)) {
    throw Error(ExitCode::kResource,
                "the intent ring of " + shell_.role() +
                    " is full of an older incarnation's intents; start risk first");
  }
}

// A cold start reads boards once. Records that the rings still hold from before are of an older
// incarnation or already in the row; the host ignores the one, the row's n tells the other.
void StrategyApp::adopt_positions() {
  const shm::BoardReader<PositionRow> board(shell_.instance(), board::kPositions);
  const std::uint32_t strategy = host_.strategy();
  std::uint64_t n = 0;
  for (std::uint32_t i = 0; i < instruments_.size(); ++i) {
    PositionRow row;
    const std::uint32_t at = (strategy + 1) * instruments_.size() + i;
    if (board.load(at, row) != shm::BoardRead::kOk)
      continue;
    host_.adopt_position(i, row.position, row.n);
    n = std::max(n, row.n);
  }
  log_info("cold start, positions as of gateway event {}", n);
}

std::size_t StrategyApp::poll(MonoNanos now) {
  std::size_t work = 0;
  polled_ = now;
  work += commands_.drain(
      [&](const Command& command) {
        if (command.verb == Verb::kWindDown)
          shell_.page().set(StrategyMetric::kWindingDown, 1);
        host_.on_command(command, now);
        tap_.push(TapType::kCommand, command, now);
      },
      kBatch);
  work += executions_.drain(
      [&](const Execution& execution) {
        ++executions_seen_;
        host_.on_execution(execution, now);
      },
      kBatch);
  work += verdicts_.drain(
      [&](const Verdict& verdict) {
        if (verdict.decision == Decision::kRefused)
          ++refused_;
        host_.on_verdict(verdict, now);
      },
      kBatch);
  work += market_data_.drain(
      [&](const MarketEvent& event) {
        // One clock read per event: the batch's later events were waiting while the first were
        // handled.
        polled_ = shell_.now();
        if (event.kind == MarketKind::kQuote || event.kind == MarketKind::kTrade) {
          shell_.page().record(StrategyMetric::kFeedToStrategy,
                               sub_saturating(polled_.ns, event.receive_ns.ns));
        }
        host_.on_market(event, polled_);
      },
      kBatch);
  if (now.ns - last_time_.ns >= kTimeEvery) {
    last_time_ = now;
    host_.on_time(now);
    static_cast<void>(tap_.tell_gap(now));
    publish_counters();
  }
  return work;
}

void StrategyApp::drain() {
  static_cast<void>(tap_.tell_gap(shell_.now()));  // else the next start tells it
  publish_counters();
}

bool StrategyApp::intent(Intent& intent) noexcept {
  intent.stamps.strategy_poll = polled_;
  intent.stamps.strategy_publish = shell_.now();
  if (!intents_.try_push(intent)) {
    intents_.note_drop();
    return false;
  }
  shell_.page().record(StrategyMetric::kDecide,
                       intent.stamps.strategy_publish.ns - intent.stamps.strategy_poll.ns);
  tap_.push(TapType::kIntent, intent, intent.stamps.strategy_publish);
  return true;
}

bool StrategyApp::cancel(Cancel& cancel) noexcept {
  cancel.publish_ns = shell_.now();
  if (!cancels_.try_push(cancel)) {
    cancels_.note_drop();
    return false;
  }
  tap_.push(TapType::kCancel, cancel, cancel.publish_ns);
  return true;
}

// The page's counters follow the host's; the deltas keep what an earlier incarnation counted.
void StrategyApp::publish_counters() noexcept {
  shm::StagePage& page = shell_.page();
  const HostCounters& c = host_.counters();
  counted_.publish(page, StrategyMetric::kMarketEvents, c.market_events);
  counted_.publish(page, StrategyMetric::kGaps, c.gaps);
  counted_.publish(page, StrategyMetric::kLost, c.lost);
  counted_.publish(page, StrategyMetric::kStale, c.stale);
  counted_.publish(page, StrategyMetric::kExecutions, executions_seen_);
  counted_.publish(page, StrategyMetric::kIntents, c.intents);
  counted_.publish(page, StrategyMetric::kCancels, c.cancels);
  counted_.publish(page, StrategyMetric::kNoCredit, c.no_credit + c.too_many_open);
  counted_.publish(page, StrategyMetric::kForeign, c.foreign);
  counted_.publish(page, StrategyMetric::kRefused, refused_);
  counted_.publish(page, StrategyMetric::kTapDropped, tap_.lost());
  page.set(StrategyMetric::kOpenOrders, static_cast<std::int64_t>(host_.open_order_count()));
}

}  // namespace sluice
