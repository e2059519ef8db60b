#include "procs/order_gateway/gateway_app.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/log.hpp"
#include "common/runtime/topology.hpp"
#include "common/trading/checked.hpp"
#include "procs/order_gateway/alert_text.hpp"
#include "procs/order_gateway/rules.hpp"
#include "procs/order_gateway/venue_session.hpp"

namespace sluice {
namespace {

constexpr std::int64_t kTimerEvery = 2'000'000;
constexpr std::int64_t kCountersEvery = 10'000'000;
constexpr std::int64_t kDrainFor = 5'000'000'000;  // how long a planned stop waits for the venue
constexpr std::uint32_t kAlertCode = 1;
constexpr std::uint32_t kRingCode = 2;
constexpr std::uint32_t kJournalRefusals = 1'024;  // more that find no room are in the gap alone

bool read_kill(const void* context) noexcept {
  return static_cast<const KillSwitch*>(context)->tripped();
}

}  // namespace

GatewayApp::StrategyPort::StrategyPort(const shm::Instance& instance, const std::string& strategy,
                                       const GatewayCore& core, std::uint32_t order_rows)
    : cancels(instance, ring::cancel(strategy)),
      executions(instance, ring::execution(strategy), core, order_rows, kRefusals),
      page(instance, strategy_role(strategy)) {}

GatewayApp::GatewayApp(StageShell& shell, Credentials credentials)
    : shell_(shell),
      instruments_(shell.config().instrument_table()),
      core_(gateway_rules(shell.config()), instruments_, *this),
      orders_(shell.instance(), ring::kOrder),
      commands_(shell.instance(), ring::command(kGatewayRole)),
      // Each open order may have a replace under way that is refused as well.
      executions_risk_(shell.instance(), ring::kExecutionRisk, core_,
                       shell.config().gateway.orders_max, 2 * shell.config().risk.max_open_orders),
      journal_(shell, ring::kExecutionPersistence,
               persistence_ring_index(shell.config(), ring::kExecutionPersistence)),
      journal_ring_(journal_, shell),
      executions_journal_(journal_ring_, core_, shell.config().gateway.orders_max,
                          kJournalRefusals),
      order_board_(shell.instance(), board::kOrders),
      position_board_(shell.instance(), board::kPositions),
      account_board_(shell.instance(), board::kAccount),
      limits_(shell.instance(), board::kLimits),
      risk_page_(shell.instance(), kRiskRole),
      persistence_page_(shell.instance(), kPersistenceRole),
      kill_(shell, risk_page_) {
  const InstanceConfig& config = shell.config();
  for (const FeedConfig& feed : config.feeds) {
    quotes_.push_back(
        std::make_unique<shm::BoardReader<QuoteRow>>(shell.instance(), board::quotes(feed.name)));
  }
  for (const StrategyConfig& s : config.strategies) {
    strategies_.push_back(
        std::make_unique<StrategyPort>(shell.instance(), s.name, core_, config.gateway.orders_max));
  }
  clear_boards();
  check_owed_before();
  core_.start(shell.incarnation(), 0, shell.now(), wall_now());
  venue_ = std::make_unique<VenueSession>(shell, instruments_, std::move(credentials), hand_over_,
                                          kill_);
  network_ = std::thread([this] { venue_->run(); });
  trading_ = true;
}

// A cold start knows nothing of what a dead incarnation left on its boards; a reader must not
// either. What works at the venue comes back through the first audit. The positions are as of this
// incarnation: who adopts them skips what the rings still hold of the one before, which would be
// booked on top of them in part.
void GatewayApp::clear_boards() {
  for (std::uint32_t i = 0; i < order_board_.rows(); ++i) {
    OrderRow row;
    if (order_board_.load(i, row) == shm::BoardRead::kOk && row.state != OrderState::kNone) {
      order_board_.store(i, OrderRow{});
    }
  }
  for (std::uint32_t i = 0; i < position_board_.rows(); ++i) {
    PositionRow row = core_.position(i);
    row.n = event_before_all_of(shell_.incarnation());
    position_board_.store(i, row);
  }
}

// A gateway that died owing a consumer its executions took them along: that consumer counts a
// position that is not so. Nothing trades until an operator has looked.
void GatewayApp::check_owed_before() {
  const InstanceConfig& config = shell_.config();
  std::string who = executions_risk_.owed_before() != 0 ? std::string(kRiskRole) : "";
  for (std::size_t s = 0; s < strategies_.size(); ++s) {
    if (strategies_[s]->executions.owed_before() != 0)
      who += (who.empty() ? "" : ", ") + strategy_role(config.strategies[s].name);
  }
  if (const std::uint64_t lost = journal_.owed_before(); lost != 0) {
    shell_.page().error(kRingCode, "the gateway before this one died owing the journal executions",
                        shell_.now());
    log_warn(
        "the gateway before this one died owing the journal {} records or more: a gap in it "
        "says so, and the venue's activities have the fills",
        lost);
  }
  if (who.empty())
    return;
  kill_.trip_self();
  shell_.page().error(kRingCode, "the gateway before this one died owing executions", shell_.now());
  log_warn(
      "the gateway before this one died owing executions to {}: kill switch tripped; restart {}, "
      "then: sluicectl resume --config {}",
      who, who, config.path);
}

GatewayApp::~GatewayApp() {
  hand_over_.stop.store(true, std::memory_order_relaxed);
  if (venue_)
    venue_->wake();
  if (network_.joinable())
    network_.join();
}

std::size_t GatewayApp::poll(MonoNanos now) {
  polled_ = now;
  watch_kill(now);
  settle_rings(now);
  std::size_t work = take_venue_events();
  for (std::uint16_t s = 0; s < strategy_count(); ++s) {
    auto& cancels = strategies_[s]->cancels;
    work += cancels.drain(
        [&](const Cancel& cancel) {
          const std::uint64_t foreign = core_.counters().cancels_foreign;
          core_.on_cancel(cancel, s, now);
          if (core_.counters().cancels_foreign != foreign)
            cancels.note_refused();
        },
        kBatch);
  }
  work += release_held();
  if (trading_) {
    work += orders_.drain([&](const Intent& intent) { take_order(intent); }, kBatch);
  }
  if (now.ns - last_timer_.ns >= kTimerEvery) {
    last_timer_ = now;
    core_.on_timer(now);
    note_drained_rings();
    cancel_orders_of_dead_incarnations(now);
    work += commands_.drain([&](const Command& command) { obey(command, now); }, 8);
    watch_network(now);
  }
  if (now.ns - last_counters_.ns >= kCountersEvery) {
    last_counters_ = now;
    publish_counters();
  }
  if (asked_) {
    asked_ = false;
    venue_->wake();  // once per turn, after everything this turn asked for
  }
  return work;
}

void GatewayApp::drain() {
  trading_ = false;
  const auto open = [this] {
    const AccountRow& account = core_.account();
    return account.working + account.in_flight + account.unknown;
  };
  const auto waits = [&] { return (open() != 0 && !network_gone_) || owes_executions(); };
  const MonoNanos until{shell_.now().ns + kDrainFor};
  if (open() != 0) {
    log_info("stopping with {} open orders: cancelling", open());
    core_.on_kill(KillMode::kCancelAll, kill_.episode + 1, shell_.now());
  }
  // Also after an error of our own: only a network thread that gave up makes waiting pointless.
  Idle idle(shell_.config().topology.idle);
  settle_rings(shell_.now());
  while (waits() && shell_.now() < until) {
    const MonoNanos now = shell_.now();
    shell_.heartbeat(now);
    idle(poll(now), now);
  }
  if (open() != 0) {
    const AccountRow& left = core_.account();
    shell_.fail(ExitCode::kNotReconciled,
                fmt::format("stopped while {} orders work, {} are in flight and {} are "
                            "unknown at the venue; run: sluicectl kill --config {}",
                            left.working, left.in_flight, left.unknown, shell_.config().path));
  }
  if (owes_executions())
    shell_.fail(
        ExitCode::kNotReconciled,
        "stopped while a ring was full: a strategy, risk or persistence did not hear of all "
        "executions; restart those that go on");
  publish_counters();
}

std::size_t GatewayApp::take_venue_events() {
  std::size_t taken = 0;
  VenueEvent event;
  while (taken < kBatch && hand_over_.next_event(event)) {
    ++taken;
    const MonoNanos now = shell_.now();
    if (const auto* result = std::get_if<PostResult>(&event))
      measure(*result);
    core_.on_venue(event, now);
  }
  return taken;
}

// An intent that is released may have to wait again; the batch bounds the turn either way.
std::size_t GatewayApp::release_held() {
  std::size_t released = 0;
  Intent held;
  while (released < kBatch && core_.next_ready(held)) {
    ++released;
    core_.on_release(held, context_for(held));
  }
  return released;
}

void GatewayApp::measure(const PostResult& result) noexcept {
  if (result.wire_ns.ns == 0 || result.ref.row >= order_board_.rows())
    return;
  shm::StagePage& page = shell_.page();
  const OrderRow& row = core_.row(result.ref.row);
  page.record(GatewayMetric::kGateToWire, result.wire_ns.ns - result.hand_over_ns.ns);
  if (row.cause.receive_ns.ns != 0) {
    page.record(GatewayMetric::kTickToOrder,
                sub_saturating(result.wire_ns.ns, row.cause.receive_ns.ns));
  }
  if (result.outcome == RequestOutcome::kAccepted) {
    page.record(GatewayMetric::kOrderToAck, result.answer_ns.ns - result.wire_ns.ns);
  }
}

void GatewayApp::take_order(Intent intent) {
  polled_ = shell_.now();
  shm::StagePage& page = shell_.page();
  page.record(GatewayMetric::kRiskToGateway,
              sub_saturating(polled_.ns, intent.stamps.risk_publish.ns));
  const std::uint64_t submitted = core_.counters().submitted;
  const std::uint64_t garbage = core_.counters().garbage_intents;
  core_.on_intent(intent, context_for(intent));
  if (core_.counters().garbage_intents != garbage)
    orders_.note_refused();
  if (core_.counters().submitted != submitted) {
    page.record(GatewayMetric::kGate, shell_.now().ns - polled_.ns);
  }
}

IntentContext GatewayApp::context_for(const Intent& intent) {
  const InstanceConfig& config = shell_.config();
  IntentContext context;
  context.now = shell_.now();
  context.poll_ns = polled_;
  context.kill = {.read = read_kill, .context = &kill_};
  static_cast<void>(limits_.load(0, context.head));
  if (intent.instrument < instruments_.size()) {
    static_cast<void>(limits_.load(1 + intent.instrument, context.limits));
    const std::uint16_t feed = config.instruments[intent.instrument].feed;
    static_cast<void>(quotes_[feed]->load(intent.instrument, context.quote));
  }
  context.risk_incarnation = risk_page_.incarnation();
  context.risk_alive =
      risk_page_.state() == shm::StageState::kLive &&
      context.now.ns - risk_page_.heartbeat_ns().ns <= config.gateway.risk_heartbeat_max_age_ns;
  if (intent.id.strategy < strategies_.size()) {
    StrategyPort& port = *strategies_[intent.id.strategy];
    context.strategy_incarnation = port.page.incarnation();
    context.execution_ring_room =
        port.executions->room_for_new_risk() && executions_risk_->room_for_new_risk();
    const OwedLimits most = OwedLimits::of(config.gateway.orders_max, strategies_.size());
    context.owed_within_limits = most.hold({.strategy = port.executions->owed_orders(),
                                            .risk = executions_risk_->owed_orders(),
                                            .journal = executions_journal_.owed_orders()});
  }
  // High water: the journal cannot take more, or persistence lags by half its ring.
  context.journal_high_water = persistence_page_.mark(kMarkHighWater) != 0 ||
                               journal_.free_slots() < journal_.capacity() / 2;
  // relaxed: a hint; a request that finds no connection comes back as "not sent", by proof.
  context.connection_ready = hand_over_.connection_ready.load(std::memory_order_relaxed);
  context.hand_over_room = hand_over_.request_room();
  return context;
}

// After the order ring was found empty, tombstones up to risk's mark are of no use any more. The
// mark is read first: what it covers was published before it.
void GatewayApp::note_drained_rings() noexcept {
  for (std::uint16_t s = 0; s < strategy_count(); ++s) {
    LimitRow mark;
    if (limits_.load(1 + instruments_.size() + s, mark) != shm::BoardRead::kOk)
      continue;
    if (!orders_.empty())
      return;
    core_.on_order_ring_drained(s, mark.strategy_incarnation, mark.sequence);
  }
}

// A strategy that started anew does not know the orders of the incarnation before it: nobody would
// ever cancel them.
void GatewayApp::cancel_orders_of_dead_incarnations(MonoNanos now) noexcept {
  for (std::uint16_t s = 0; s < strategy_count(); ++s) {
    StrategyPort& port = *strategies_[s];
    const std::uint32_t incarnation = port.page.incarnation();
    if (incarnation == port.incarnation)
      continue;
    port.incarnation = incarnation;
    for (std::uint32_t i = 0; i < order_board_.rows(); ++i) {
      const OrderRow& row = core_.row(i);
      if (row.state == OrderState::kNone || is_terminal(row.state) || row.id.strategy != s ||
          row.id.incarnation >= incarnation) {
        continue;
      }
      Cancel cancel;
      cancel.order = row.id;
      cancel.strategy = s;
      cancel.decided_ns = now;
      core_.on_cancel(cancel, s, now);
    }
  }
}

void GatewayApp::obey(const Command& command, MonoNanos now) noexcept {
  journal_.push(TapType::kCommand, command, now);
  switch (command.verb) {
    case Verb::kResume:
      kill_.clear_self();
      return;
    case Verb::kAcceptPosition: {
      if (command.scope >= instruments_.size())
        return;
      const PositionRow& row = core_.positions().account(command.scope);
      core_.on_operator_accepts(command.scope, row.venue_position - row.position, now);
      log_warn("operator accepts the venue's position of {}: {}",
               instruments_[command.scope].symbol(), to_string(Qty{row.venue_position}));
      return;
    }
    case Verb::kWindDown:
    case Verb::kPause:
    case Verb::kNone:
      return;  // for strategies
  }
}

void GatewayApp::watch_network(MonoNanos now) {
  for (std::uint64_t reads = venue_->take_reads(); reads != 0; --reads)
    core_.note_request(now);
  ExitCode code{};
  std::string why;
  if (hand_over_.gave_up(code, why)) {
    network_gone_ = true;
    shell_.fail(code, why);
  }
}

void GatewayApp::watch_kill(MonoNanos now) {
  const bool tripped = kill_.tripped();
  if (tripped && !kill_.active) {
    kill_.active = true;
    kill_.stamped = false;
    ++kill_.episode;
    kill_.seen_ns = now;
    kill_.all = kill_.cancel_all();
    hand_over_.trip(kill_.episode);
    venue_->wake();
    core_.on_kill(kill_.all ? KillMode::kCancelAll : KillMode::kStop, kill_.episode, now);
    tap_trip(now, true);
    log_warn("kill switch tripped ({}), episode {}", kill_.all ? "cancel all" : "stop",
             kill_.episode);
  } else if (tripped && !kill_.all && kill_.cancel_all()) {
    kill_.all = true;  // sharpened while active: stamped again
    kill_.stamped = false;
    core_.on_kill(KillMode::kCancelAll, kill_.episode, now);
  } else if (!tripped && kill_.active && kill_.stamped) {
    kill_.active = false;
    hand_over_.trip(0);
    core_.on_resume(now);
    tap_trip(now, false);
    log_warn("kill switch cleared, episode {} is over", kill_.episode);
  }
  if (!kill_.active || kill_.stamped)
    return;
  const bool acknowledged = hand_over_.acknowledged() >= kill_.episode;
  if (!acknowledged) {
    if (now.ns - kill_.seen_ns.ns < KillSwitch::kAcknowledgeWithin)
      return;
    venue_->reset_from_hot_thread();
  }
  kill_.stamped = true;
  const MonoNanos stamp = shell_.now();
  shell_.page().record(GatewayMetric::kKillToStamp, stamp.ns - kill_.seen_ns.ns);
  core_.on_kill_stamped(kill_.episode, stamp, now);
}

void GatewayApp::tap_trip(MonoNanos now, bool on) noexcept {
  const TripRecord trip{.scope = kTripScopeAll,
                        .on = static_cast<std::uint16_t>(on ? 1 : 0),
                        .source = static_cast<std::uint32_t>(kill_.source()),
                        .episode = kill_.episode,
                        .seen_ns = kill_.seen_ns,
                        .stamped_ns = now};
  trip_owed_.reset();  // a newer word replaces one that found no room
  if (!journal_.try_push(TapType::kTrip, trip, now))
    trip_owed_ = trip;
}

// ---- what the core decided ---------------------------------------------------------------------

void GatewayApp::row_changed(std::uint32_t row) noexcept {
  order_board_.store(row, core_.row(row));
}

void GatewayApp::position_changed(std::uint32_t index) noexcept {
  position_board_.store(index, core_.position(index));
}

void GatewayApp::account_changed() noexcept {
  account_board_.store(0, core_.account());
}

void GatewayApp::execution(const Execution& e) noexcept {
  if (e.kind == ExecutionKind::kAccepted)
    ++accepted_;
  if (e.kind == ExecutionKind::kRejected || e.kind == ExecutionKind::kReplaceRejected)
    ++rejected_;
  if (e.kind == ExecutionKind::kCancelled)
    ++cancelled_;
  if (e.kind == ExecutionKind::kNotSent)
    ++not_sent_;
  if (!executions_journal_.tell(e)) {
    shell_.page().error(kRingCode, "exec.persistence is full: a record is missing in the journal",
                        shell_.now());
  }
  bool told = executions_risk_->tell(e);
  if (e.kind == ExecutionKind::kSession) {
    for (auto& port : strategies_)
      told = port->executions->tell(e) && told;
  } else if (e.intent.strategy < strategies_.size()) {
    told = strategies_[e.intent.strategy]->executions->tell(e) && told;
  }
  if (!told) {
    ++executions_lost_;
    shell_.page().error(kRingCode, "an execution ring is full: its consumer does not read",
                        shell_.now());
  }
}

// What full rings owe, as far as there is room now. Between two events: the rows are what was told.
void GatewayApp::settle_rings(MonoNanos now) noexcept {
  if (trip_owed_ && journal_.try_push(TapType::kTrip, *trip_owed_, now))
    trip_owed_.reset();
  executions_journal_.settle();
  if (!executions_journal_.owes_anything())
    static_cast<void>(journal_.tell_gap(now));  // what else was lost, if anything
  executions_risk_->settle();
  for (auto& port : strategies_)
    port->executions->settle();
}

bool GatewayApp::owes_executions() const noexcept {
  return executions_journal_.owes_anything() || executions_risk_->owes_anything() ||
         std::any_of(strategies_.begin(), strategies_.end(),
                     [](const auto& port) { return port->executions->owes_anything(); });
}

std::uint64_t GatewayApp::refusals_forgotten() const noexcept {
  std::uint64_t sum = executions_risk_->forgotten();
  for (const auto& port : strategies_)
    sum += port->executions->forgotten();
  return sum;
}

bool GatewayApp::row_owed(std::uint32_t row) const noexcept {
  return executions_journal_.owes(row) || executions_risk_->owes(row) ||
         std::any_of(strategies_.begin(), strategies_.end(),
                     [row](const auto& port) { return port->executions->owes(row); });
}

NetRequest GatewayApp::request_for(std::uint32_t row, NetRequestKind kind) noexcept {
  const OrderRow& order = core_.row(row);
  return {.kind = kind,
          .by = LookupBy::kNone,
          .side = order.side,
          .type = order.type,
          .tif = order.tif,
          .instrument = order.instrument,
          .audit_reasons = 0,
          .ref = {.row = row, .intent = order.id},
          .client_order_id = core_.client_order_id(row),
          .venue_order_id = order.venue_order_id,
          .qty = order.approved,
          .limit = order.limit,
          .deadline_ns = order.deadline_ns,
          .hand_over_ns = shell_.now()};
}

bool GatewayApp::ask(const NetRequest& request) noexcept {
  if (!hand_over_.ask(request))
    return false;
  asked_ = true;
  return true;
}

void GatewayApp::submit(std::uint32_t row) noexcept {
  const bool taken = ask(request_for(row, NetRequestKind::kSubmit));
  SLUICE_ASSERT(taken, "the core submits only when the hand-over has room");
}

void GatewayApp::replace(std::uint32_t row, const Id128& old) noexcept {
  NetRequest request = request_for(row, NetRequestKind::kReplace);
  request.venue_order_id = old;
  const ReplaceChange change = core_.replace_change(row);
  request.qty = change.qty;
  request.limit = change.limit;
  const bool taken = ask(request);
  SLUICE_ASSERT(taken, "the core submits only when the hand-over has room");
}

bool GatewayApp::cancel(std::uint32_t row) noexcept {
  return ask(request_for(row, NetRequestKind::kCancel));
}

bool GatewayApp::lookup(std::uint32_t row, LookupBy by) noexcept {
  NetRequest request = request_for(row, NetRequestKind::kLookup);
  request.by = by;
  return ask(request);
}

bool GatewayApp::lookup_foreign(const Id128& venue_order_id) noexcept {
  NetRequest request;
  request.kind = NetRequestKind::kLookupForeign;
  request.by = LookupBy::kVenueOrderId;
  request.venue_order_id = venue_order_id;
  return ask(request);
}

void GatewayApp::audit_wanted(std::uint32_t reasons) noexcept {
  NetRequest request;
  request.kind = NetRequestKind::kAudit;
  request.audit_reasons = reasons;
  static_cast<void>(ask(request));  // no room: the core asks again
  ++audits_;
}

void GatewayApp::alert(Alert what, std::uint32_t row, std::uint32_t instrument) noexcept {
  shell_.page().error(kAlertCode, text_of(what), shell_.now());
  const std::string_view symbol =
      instrument < instruments_.size() ? instruments_[instrument].symbol() : std::string_view("-");
  log_warn("{} (instrument {}, order {})", text_of(what), symbol,
           row == kNoRow ? std::string("-") : std::string(core_.client_order_id(row).view()));
}

void GatewayApp::publish_counters() noexcept {
  shm::StagePage& page = shell_.page();
  const GatewayCounters& c = core_.counters();
  std::uint64_t refused = 0;
  for (std::size_t r = 1; r < kReasonCount; ++r) {
    const std::uint64_t n = core_.refusals(static_cast<Reason>(r));
    page.set_mark(static_cast<std::uint32_t>(kFirstReasonMark + r), n);
    refused += n;
  }
  counted_.publish(page, GatewayMetric::kOrders, c.intents);
  counted_.publish(page, GatewayMetric::kSent, c.submitted);
  counted_.publish(page, GatewayMetric::kRefused, refused);
  counted_.publish(page, GatewayMetric::kCancelWanted, c.cancels);
  counted_.publish(page, GatewayMetric::kCancelsSent, c.deletes);
  counted_.publish(page, GatewayMetric::kFills, c.fills);
  counted_.publish(page, GatewayMetric::kAccepted, accepted_);
  counted_.publish(page, GatewayMetric::kRejected, rejected_);
  counted_.publish(page, GatewayMetric::kCancelled, cancelled_);
  counted_.publish(page, GatewayMetric::kUnknownOutcomes, c.unknown_outcomes);
  counted_.publish(page, GatewayMetric::kLookups, c.lookups);
  counted_.publish(page, GatewayMetric::kAudits, audits_);
  counted_.publish(page, GatewayMetric::kDuplicates, c.duplicate_intents + c.duplicate_fills);
  counted_.publish(page, GatewayMetric::kOrphans, c.orphans);
  counted_.publish(page, GatewayMetric::kNotSent, not_sent_);
  counted_.publish(page, GatewayMetric::kMalformed, c.garbage_intents);
  counted_.publish(page, GatewayMetric::kExecutionsConflated, executions_lost_);
  counted_.publish(page, GatewayMetric::kRefusalsForgotten, refusals_forgotten());
  counted_.publish(page, GatewayMetric::kPersistenceFull, executions_journal_.lost());
  counted_.publish(page, GatewayMetric::kTrips, kill_.episode);
  const auto relaxed = std::memory_order_relaxed;  // numbers only; nothing is ordered by them
  counted_.publish(page, GatewayMetric::kRequests, venue_->requests.load(relaxed));
  counted_.publish(page, GatewayMetric::kVenueErrors, venue_->venue_errors.load(relaxed));
  counted_.publish(page, GatewayMetric::kStreamConnects, venue_->stream_connects.load(relaxed));
  counted_.publish(page, GatewayMetric::kReconnects, venue_->reconnects.load(relaxed));
}

}  // namespace sluice
