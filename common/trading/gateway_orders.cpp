// Intents and cancels, the kill switch, and what is due by time.
#include <algorithm>

#include "common/trading/gateway_core.hpp"

namespace sluice {
namespace {

// A replace names an earlier order of its strategy's incarnation, and risk has not changed its
// quantity; a new order names none.
bool names_its_chain(const Intent& intent) noexcept {
  const IntentId& old = intent.replaces;
  if (intent.kind != IntentKind::kReplace) {
    return old == IntentId{};
  }
  return old.incarnation == intent.id.incarnation && old.strategy == intent.id.strategy &&
         old.sequence != 0 && old.sequence < intent.id.sequence &&
         intent.approved == intent.requested;
}

// What can be decided without any state: the shape of an intent.
Reason check_form(const Intent& intent, std::uint32_t instruments,
                  std::int64_t deadline_max_ns) noexcept {
  if (intent.instrument >= instruments || intent.id.sequence > kMaxClientSequence ||
      (intent.side != Side::kBuy && intent.side != Side::kSell) || intent.approved.raw <= 0 ||
      intent.approved > intent.requested) {
    return Reason::kMalformed;
  }
  if (intent.kind != IntentKind::kNew && intent.kind != IntentKind::kReplace) {
    return Reason::kUnsupported;
  }
  if (!names_its_chain(intent)) {
    return Reason::kMalformed;
  }
  if (intent.type != OrderType::kLimit &&
      (intent.type != OrderType::kMarket || intent.kind == IntentKind::kReplace)) {
    return Reason::kUnsupported;
  }
  if (intent.tif < TimeInForce::kDay || intent.tif > TimeInForce::kFok) {
    return Reason::kMalformed;
  }
  const bool priced = intent.type == OrderType::kLimit;
  if ((priced ? intent.limit.raw <= 0 : intent.limit.raw != 0) || intent.stop.raw != 0 ||
      intent.trail.raw != 0) {
    return Reason::kMalformed;
  }
  // A deadline without a bound would be none.
  return sub_saturating(intent.deadline_ns.ns, intent.decided_ns.ns) > deadline_max_ns
             ? Reason::kMalformed
             : Reason::kNone;
}

}  // namespace

// Identity comes before the gate and is silent: a hot restart of risk is not a reject storm. Per
// strategy the order ring keeps the order of sequences, so one number remembers all of them.
bool GatewayCore::seen_before(const Intent& intent, const IntentContext& context,
                              bool& stale) noexcept {
  StrategyState& s = strategies_[intent.id.strategy];
  stale = intent.id.incarnation < std::max(s.incarnation, context.strategy_incarnation);
  if (table_.find(intent.id) != kNoRow) {
    return true;
  }
  if (stale) {
    return false;
  }
  if (intent.id.incarnation == s.incarnation && intent.id.sequence <= s.last_sequence) {
    return true;
  }
  s.incarnation = intent.id.incarnation;
  s.last_sequence = intent.id.sequence;
  return false;
}

void GatewayCore::on_intent(const Intent& intent, const IntentContext& context) noexcept {
  begin(context.now);
  ++counters_.intents;
  bool stale = false;
  if (intent.id.strategy >= rules_.strategies || intent.id.is_none() || intent.id.sequence == 0) {
    ++counters_.garbage_intents;
  } else if (seen_before(intent, context, stale)) {
    ++counters_.duplicate_intents;
  } else {
    Reason reason = check_form(intent, instruments_.size(), rules_.gate.deadline_max_ns);
    std::uint32_t row = kNoRow;
    if (reason != Reason::kMalformed) {
      row = allocate(intent.id);
      if (row != kNoRow) {
        fill_row(row, intent, context);
      }
    }
    if (reason == Reason::kNone && stale) {
      reason = Reason::kStaleIncarnation;
    }
    if (reason == Reason::kNone && (row == kNoRow || executions_.nearly_full())) {
      reason = Reason::kOrderTableFull;
    }
    if (reason == Reason::kNone) {
      decide(row, intent, context);
    } else {
      refuse(row, intent, reason);
    }
  }
  commit();
}

void GatewayCore::decide(std::uint32_t i, const Intent& intent,
                         const IntentContext& context) noexcept {
  GateResult gate;
  bool wait = false;
  Reason reason = admit(intent, context, gate, wait);
  if (reason == Reason::kNone && wait && held_.size() == kHeldMax) {
    reason = Reason::kOrderTableFull;
  }
  if (reason != Reason::kNone) {
    refuse(i, intent, reason);
  } else if (wait) {
    hold(i, intent, gate);
  } else {
    submit(i, intent, gate);
  }
}

void GatewayCore::fill_row(std::uint32_t i, const Intent& intent,
                           const IntentContext& context) noexcept {
  OrderRow& row = table_.row(i);
  OrderAux& aux = table_.aux(i);
  row.replaces = intent.replaces;
  aux.root = root_of(intent);
  aux.predecessor = table_.find(intent.replaces);
  if (aux.predecessor != kNoRow) {
    row.chain_filled = replaced_order(aux.predecessor).chain_filled;
  }
  row.instrument = intent.instrument;
  row.account = account_index_;
  row.venue = intent.venue;
  row.side = intent.side;
  row.type = intent.type;
  row.tif = intent.tif;
  row.state = OrderState::kValidating;
  row.limit = intent.limit;
  row.stop = intent.stop;
  row.requested = intent.requested;
  row.approved = intent.approved;
  row.decided_ns = intent.decided_ns;
  row.deadline_ns = intent.deadline_ns;
  row.cause = intent.cause;
  row.stamps = intent.stamps;
  row.gateway_stamps.gateway_poll = context.poll_ns;
}

IntentId GatewayCore::root_of(const Intent& intent) const noexcept {
  const std::uint32_t old = table_.find(intent.replaces);
  return old == kNoRow ? intent.id : table_.aux(old).root;
}

Reason GatewayCore::admit(const Intent& intent, const IntentContext& context, GateResult& gate,
                          bool& wait) noexcept {
  StrategyState& s = strategies_[intent.id.strategy];
  const bool latched = intent.id.incarnation == s.refuse_up_to.incarnation &&
                       intent.id.sequence <= s.refuse_up_to.sequence;
  const bool replaces = intent.kind == IntentKind::kReplace;
  const std::uint32_t old = replaces ? table_.find(intent.replaces) : kNoRow;
  if (tombstones_.take(intent.id) || latched) {
    if (old != kNoRow) {
      static_cast<void>(latch_chain(old));
    }
    return Reason::kCancelledBeforeSend;
  }
  if (killed_) {
    return Reason::kKilled;
  }
  if (replaces) {
    if (const Reason reason = check_replace(intent, old); reason != Reason::kNone) {
      return reason;
    }
  }
  gate = ask_gate(intent, context);
  if (gate.reason == Reason::kSelfTrade && gate.reduces && gate.collision == Collision::kOwn) {
    if (held_.size() == kHeldMax) {
      return Reason::kOrderTableFull;  // it could not wait: nothing is cancelled for it
    }
    clear_way(intent, gate);
    wait = true;
    return Reason::kNone;
  }
  if (gate.reason != Reason::kNone) {
    return gate.reason;
  }
  if (replaces && !replaceable(old)) {
    wait = true;
    return Reason::kNone;
  }
  // A request never waits behind a connection: what cannot leave now is refused.
  if (!context.connection_ready) {
    return Reason::kNoConnection;
  }
  if (!context.hand_over_room) {
    return Reason::kHandOverFull;
  }
  // Who does not read what became of its orders takes no new risk. A way out needs no room: what
  // the ring cannot take is told as the order's state later. Until then that order's row is held
  // back, so there is an end to it: the table is everybody's.
  const bool room = context.owed_within_limits && (context.execution_ring_room || gate.reduces);
  return room ? Reason::kNone : Reason::kRingFull;
}

GateResult GatewayCore::ask_gate(const Intent& intent, const IntentContext& context) noexcept {
  struct Asked {
    const GatewayCore* core;
    std::uint32_t instrument;
  };
  const Asked asked{this, intent.instrument};
  const auto collides = [](const void* on, Side side, OrderType type, Price limit) noexcept {
    const auto& a = *static_cast<const Asked*>(on);
    return a.core->collision(a.instrument, side, type, limit);
  };
  const bool replaces = intent.kind == IntentKind::kReplace;
  const ReplacedOrder replaced =
      replaces ? replaced_order(table_.find(intent.replaces)) : ReplacedOrder{};
  const RecentOrders& recent = recent_[intent.id.strategy];
  InstrumentState& market = markets_[intent.instrument];
  if (context.quote.quote.two_sided()) {
    market.mark = context.quote.quote.ask_px;
    refresh_exposure(intent.instrument);
  }
  const GateInputs in{
      .intent = intent,
      .now = context.now,
      .latest_now = now_,
      .kill = context.kill,
      .account = account_,
      .head = context.head,
      .limits = context.limits,
      .risk_alive = context.risk_alive,
      .risk_incarnation = context.risk_incarnation,
      .journal_high_water = context.journal_high_water,
      .stream_proven = stream_proven(),
      .last_audit_ns = last_audit_ns_,
      .quote = context.quote,
      .account_position = positions_.account(intent.instrument),
      .strategy_position = positions_.of(intent.id.strategy, intent.instrument),
      .open_orders = account_.working + account_.in_flight + account_.unknown,
      .other_exposure = Cash{clamp_raw(gross_exposure_ - market.exposure)},
      .strategy_rate_room = strategy_rates_[intent.id.strategy].has_room(now_),
      .venue_rate_room = now_ >= rate_paused_until_ns_ &&
                         venue_rate_.has_room(now_, rules_.venue_requests_reserved),
      .duplicate = recent.has_same(intent, root_of(intent), now_, rules_.gate.duplicate_within_ns),
      .self_trade = {collides, &asked},
      .replaced = replaces ? &replaced : nullptr,
      .reserved = Cash{clamp_raw(uncovered_cash_)},
  };
  return gate_.check(in);
}

// A refusal is a row like any other. Without a row (table full, or a shape no row can hold) it is
// an execution alone; the strategy's sequence still says that it was decided.
void GatewayCore::refuse(std::uint32_t i, const Intent& intent, Reason reason) noexcept {
  ++refusals_[static_cast<std::size_t>(reason)];
  if (i != kNoRow) {
    end_row(i, OrderState::kFailed, reason, ExecutionKind::kRefused);
    return;
  }
  if (pending_executions_.size() == pending_executions_.capacity()) {
    flush_state();
  }
  Execution& e = pending_executions_.emplace_back();
  e.n = n_;
  e.sub = sub_++;
  e.kind = ExecutionKind::kRefused;
  e.state = OrderState::kFailed;
  e.reason = reason;
  e.intent = intent.id;
  e.order_row = kNoRow;
  e.instrument = intent.instrument;
  e.account = account_index_;
  e.venue = intent.venue;
  e.side = intent.side;
  e.requested = intent.requested;
  e.approved = intent.approved;
  e.receive_ns = now_;
}

void GatewayCore::submit(std::uint32_t i, const Intent& intent, const GateResult& gate) noexcept {
  OrderRow& row = table_.row(i);
  OrderAux& aux = table_.aux(i);
  const std::uint32_t old = predecessor(i);
  row.type = gate.type;
  row.limit = gate.limit;
  row.state = OrderState::kSubmitting;
  row.submitting_ns = now_;
  row.reserved_cash = gate.reserve;
  aux.sent = true;
  aux.post_outstanding = true;
  if (intent.side == Side::kBuy) {
    aux.uncovered = true;
    aux.uncovered_at = static_cast<std::uint32_t>(uncovered_.size());
    uncovered_.push_back(i);
  }
  table_.activate(i);
  markets_[row.instrument].activity_ns = now_;
  strategy_rates_[intent.id.strategy].take(now_);
  recent_[intent.id.strategy].add(intent, aux.root, now_);
  if (old != kNoRow) {
    link_replace(i);
  }
  touch(i);
  emit(ExecutionKind::kSubmitting, i);
  if (old != kNoRow) {
    request({.kind = Request::Kind::kReplace, .row = i, .id = table_.row(old).venue_order_id});
  } else {
    request({.kind = Request::Kind::kSubmit, .row = i});
  }
  ++counters_.submitted;
}

void GatewayCore::on_cancel(const Cancel& cancel, std::uint16_t strategy, MonoNanos now) noexcept {
  begin(now);
  ++counters_.cancels;
  const IntentId& order = cancel.order;
  if (strategy >= rules_.strategies || order.strategy != strategy || order.is_none()) {
    ++counters_.cancels_foreign;
    ++refusals_[static_cast<std::size_t>(Reason::kForeignOrder)];
    commit();
    return;
  }
  StrategyState& s = strategies_[strategy];
  const std::uint32_t row = table_.find(order);
  const bool decided = order.incarnation < s.incarnation ||
                       (order.incarnation == s.incarnation && order.sequence <= s.last_sequence);
  if (row != kNoRow && (table_.row(row).flags & kCancelWanted) != 0 &&
      !is_terminal(table_.row(row).state)) {
    ++counters_.cancels_coalesced;
  }
  if (row != kNoRow && latch_chain(row)) {
    // On every member that may still trade.
  } else if (row != kNoRow || decided) {
    ++counters_.cancels_late;
  } else if (!tombstones_.add(order)) {
    // Fail closed: everything of this strategy up to the order is refused when it arrives.
    if (s.refuse_up_to.incarnation != order.incarnation ||
        s.refuse_up_to.sequence < order.sequence) {
      s.refuse_up_to = order;
    }
    raise(Alert::kTombstonesFull, kNoRow, kNoInstrument);
  }
  commit();
}

void GatewayCore::on_order_ring_drained(std::uint16_t strategy, std::uint32_t incarnation,
                                        std::uint64_t decided_sequence) noexcept {
  if (strategy >= rules_.strategies) {
    return;
  }
  tombstones_.release(strategy, incarnation, decided_sequence);
  IntentId& latch = strategies_[strategy].refuse_up_to;
  if (latch.incarnation < incarnation ||
      (latch.incarnation == incarnation && latch.sequence <= decided_sequence)) {
    latch = {};
  }
}

void GatewayCore::latch_cancel(std::uint32_t i) noexcept {
  OrderRow& row = table_.row(i);
  if ((row.flags & kCancelWanted) == 0) {
    row.flags |= kCancelWanted;
    touch(i);
  }
  try_delete(i);
}

// Sends the DELETE when it can do good: the venue's id is known, none is outstanding, and no
// look-up that would tell what the last one did is pending.
void GatewayCore::try_delete(std::uint32_t i) noexcept {
  OrderRow& row = table_.row(i);
  OrderAux& aux = table_.aux(i);
  const bool awaiting_evidence =
      (row.flags & kCancelSent) != 0 && (aux.next_lookup_ns.ns != 0 || aux.lookup_outstanding);
  if ((row.flags & kCancelWanted) == 0 || is_terminal(row.state) || row.venue_order_id.is_zero() ||
      is_terminal(aux.venue_status) || aux.conflict || aux.delete_outstanding ||
      awaiting_evidence || now_ < aux.delete_not_before_ns) {
    return;
  }
  row.flags |= kCancelSent;
  aux.delete_outstanding = true;
  aux.cancel_seen = false;
  markets_[row.instrument].activity_ns = now_;
  table_.activate(i);
  touch(i);
  request({.kind = Request::Kind::kCancel, .row = i});
  ++counters_.deletes;
}

// An order stays under `stop` when everything on its side only takes the position down: then it
// protects.
bool GatewayCore::kept_by_stop(std::uint32_t i) const noexcept {
  const OrderRow& row = table_.row(i);
  return order_reduces(row.side, Qty{}, positions_.account(row.instrument),
                       positions_.of(row.id.strategy, row.instrument));
}

void GatewayCore::on_kill(KillMode mode, std::uint64_t episode, MonoNanos now) noexcept {
  begin(now);
  killed_ = true;
  // The stamp of this trip comes after the network thread's acknowledgement; an older one on the
  // board would tell a reader that nothing leaves any more.
  static_cast<void>(episode);
  account_.kill_stamp_ns = {};
  expire_held();
  for (const std::uint32_t i : table_.active()) {
    if (is_terminal(table_.row(i).state) || table_.aux(i).foreign) {
      continue;
    }
    if (mode == KillMode::kStop && kept_by_stop(i)) {
      continue;
    }
    latch_cancel(i);
  }
  commit();
}

void GatewayCore::on_kill_stamped(std::uint64_t episode, MonoNanos stamp, MonoNanos now) noexcept {
  begin(now);
  account_.kill_episode = episode;
  account_.kill_stamp_ns = stamp;
  commit();
}

void GatewayCore::on_resume(MonoNanos now) noexcept {
  begin(now);
  killed_ = false;
  commit();
}

void GatewayCore::on_timer(MonoNanos now) noexcept {
  begin(now);
  expire_held();
  // From the back: a row that leaves the list is replaced by one that was looked at already.
  for (std::size_t at = table_.active().size(); at-- > 0;) {
    const std::uint32_t i = table_.active()[at];
    service(i);
    if (!still_active(i)) {
      table_.deactivate(i);
    }
  }
  const bool due = audit_asked_ns_.ns == 0 || now_.ns - audit_asked_ns_.ns >= audit_pause();
  if (audit_reasons_ != 0 && due) {
    audit_asked_ns_ = now_;
    request({.kind = Request::Kind::kAudit});
  }
  commit();
}

void GatewayCore::service(std::uint32_t i) noexcept {
  OrderRow& row = table_.row(i);
  OrderAux& aux = table_.aux(i);
  service_proofs(i);
  if (aux.next_lookup_ns.ns != 0 && now_ >= aux.next_lookup_ns && !aux.lookup_outstanding) {
    aux.next_lookup_ns = {};
    aux.lookup_outstanding = true;
    const bool by_venue = !row.venue_order_id.is_zero() && !aux.denied;
    const LookupBy by = by_venue ? LookupBy::kVenueOrderId : LookupBy::kClientOrderId;
    request({.kind = Request::Kind::kLookup, .by = by, .row = i});
    ++counters_.lookups;
  }
  try_delete(i);
  if (aux.gap_since_ns.ns != 0 && now_.ns - aux.gap_since_ns.ns >= rules_.gap_audit_ns) {
    aux.gap_since_ns = now_;  // asks again after the same time
    want_audit(kAuditGap);
  }
}

void GatewayCore::service_proofs(std::uint32_t i) noexcept {
  OrderRow& row = table_.row(i);
  OrderAux& aux = table_.aux(i);
  const auto overdue = [this](MonoNanos due) { return due.ns != 0 && now_ >= due; };
  if (!overdue(aux.post_proof_due_ns) && !overdue(aux.delete_proof_due_ns)) {
    return;
  }
  aux.post_proof_due_ns = {};
  aux.delete_proof_due_ns = {};
  unproven_since_ns_ = now_;
  ++counters_.unproven;
  raise(Alert::kStreamUnproven, i, row.instrument);
  want_audit(kAuditStream);
  if (!is_terminal(row.state)) {
    aux.next_lookup_by = LookupBy::kVenueOrderId;
    aux.next_lookup_ns = now_;
  }
}

bool GatewayCore::still_active(std::uint32_t i) const noexcept {
  const OrderRow& row = table_.row(i);
  const OrderAux& aux = table_.aux(i);
  return !is_terminal(row.state) || aux.post_outstanding || aux.delete_outstanding ||
         aux.lookup_outstanding || aux.post_proof_due_ns.ns != 0 ||
         aux.delete_proof_due_ns.ns != 0 || open_quantity(row).raw > 0;
}

void GatewayCore::close_lost(std::uint32_t i) noexcept {
  end_row(i, OrderState::kFailed, Reason::kOutcomeUnknown, ExecutionKind::kAdjustment);
}

void GatewayCore::on_day_end(MonoNanos now) noexcept {
  begin(now);
  for (const std::uint32_t i : table_.active()) {
    if ((table_.row(i).flags & kLost) != 0) {
      close_lost(i);
    }
  }
  commit();
}

bool GatewayCore::on_operator_closes(const IntentId& order, MonoNanos now) noexcept {
  begin(now);
  const std::uint32_t i = table_.find(order);
  const bool lost = i != kNoRow && (table_.row(i).flags & kLost) != 0;
  if (lost) {
    close_lost(i);
  }
  commit();
  return lost;
}

}  // namespace sluice
