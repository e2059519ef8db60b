// What each record of the journal does to the tables of the trade database.
//
// The rings of strategy, risk and gateway meet in the journal in no fixed order: an order's intent
// may stand behind its first execution. So each statement below writes the columns its own producer
// knows best, and leaves the others alone.
#include <fmt/format.h>

#include "common/messages/words.hpp"
#include "common/storage/tap_journal.hpp"
#include "common/storage/trade_database.hpp"
#include "common/storage/trade_statements.hpp"

namespace sluice {
namespace {

using Text = std::optional<std::string>;
using Stamp = std::optional<std::int64_t>;

// Absent is NULL, so that "never happened" and "at zero" differ.
Stamp stamp(std::int64_t ns) {
  return ns == 0 ? Stamp{} : Stamp{ns};
}
Text uuid(const Id128& id) {
  return id.is_zero() ? Text{} : Text{to_string(id)};
}
Text unless_empty(std::string text) {
  return text.empty() ? Text{} : Text{std::move(text)};
}

// Who refused, of an event that ends an order or a replace before it ever worked; null for others.
const char* refused_by(ExecutionKind kind) noexcept {
  switch (kind) {
    case ExecutionKind::kRefused:
      return "gate";
    case ExecutionKind::kNotSent:
      return "network";
    case ExecutionKind::kRejected:
    case ExecutionKind::kReplaceRejected:
      return "venue";
    default:
      return nullptr;
  }
}

constexpr std::string_view kIntentColumns =
    "INSERT INTO orders (id, client_order_id, incarnation, strategy, sequence, instrument, "
    "account, venue, side, type, tif, requested, limit_px, stop_px, trail_px, replaces, "
    "cause_feed, cause_instrument, cause_receive_ns, decided_ns, deadline_ns, strategy_poll_ns, "
    "strategy_publish_ns";

constexpr std::string_view kIntentUpdate =
    "client_order_id = excluded.client_order_id, incarnation = excluded.incarnation, "
    "strategy = excluded.strategy, sequence = excluded.sequence, instrument = excluded.instrument, "
    "account = excluded.account, venue = excluded.venue, side = excluded.side, "
    "type = excluded.type, tif = excluded.tif, requested = excluded.requested, "
    "limit_px = excluded.limit_px, stop_px = excluded.stop_px, trail_px = excluded.trail_px, "
    "replaces = excluded.replaces, cause_feed = excluded.cause_feed, "
    "cause_instrument = excluded.cause_instrument, cause_receive_ns = excluded.cause_receive_ns, "
    "decided_ns = excluded.decided_ns, deadline_ns = excluded.deadline_ns, "
    "strategy_poll_ns = excluded.strategy_poll_ns, "
    "strategy_publish_ns = excluded.strategy_publish_ns";

std::string placeholders(int count) {
  std::string out = "?";
  for (int i = 1; i < count; ++i)
    out += ", ?";
  return out;
}

std::string intent_sql() {
  return fmt::format("{}, state) VALUES ({}, 'created') ON CONFLICT (id) DO UPDATE SET {}",
                     kIntentColumns, placeholders(23), kIntentUpdate);
}

std::string order_sql() {
  return fmt::format(
      "{}, approved, risk_poll_ns, risk_publish_ns, decision, state) VALUES ({}, 'approved', "
      "'pending') ON CONFLICT (id) DO UPDATE SET {}, "
      "approved = CASE WHEN last_n IS NULL THEN excluded.approved ELSE approved END, "
      "risk_poll_ns = excluded.risk_poll_ns, risk_publish_ns = excluded.risk_publish_ns, "
      "decision = coalesce(decision, 'approved'), "
      "state = CASE WHEN last_n IS NULL THEN 'pending' ELSE state END",
      kIntentColumns, placeholders(26), kIntentUpdate);
}

constexpr const char* kVerdict =
    "INSERT INTO orders (id, client_order_id, incarnation, strategy, sequence, requested, "
    "approved, "
    "decision, reason, state) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) "
    "ON CONFLICT (id) DO UPDATE SET decision = excluded.decision, "
    "approved = CASE WHEN last_n IS NULL THEN excluded.approved ELSE approved END, "
    "reason = CASE WHEN last_n IS NULL THEN excluded.reason ELSE reason END, "
    "state = CASE WHEN last_n IS NULL AND excluded.decision = 'refused' THEN 'failed' "
    "ELSE coalesce(state, excluded.state) END";

constexpr const char* kOrderState =
    "INSERT INTO orders (id, client_order_id, incarnation, strategy, sequence, instrument, "
    "account, venue, side, requested, approved, state, flags, reason, filled, leaves, executions, "
    "venue_order_id, replaces, replaced_by, gateway_poll_ns, hand_over_ns, wire_ns, submitting_ns, "
    "accepted_ns, ended_ns, last_n) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (id) DO UPDATE SET instrument = coalesce(instrument, excluded.instrument), "
    "account = coalesce(account, excluded.account), venue = coalesce(venue, excluded.venue), "
    "side = coalesce(side, excluded.side), requested = coalesce(requested, excluded.requested), "
    "approved = excluded.approved, state = excluded.state, flags = excluded.flags, "
    "reason = excluded.reason, filled = excluded.filled, leaves = excluded.leaves, "
    "executions = executions + excluded.executions, "
    "venue_order_id = coalesce(excluded.venue_order_id, venue_order_id), "
    "replaces = coalesce(replaces, excluded.replaces), "
    "replaced_by = coalesce(excluded.replaced_by, replaced_by), "
    "gateway_poll_ns = coalesce(excluded.gateway_poll_ns, gateway_poll_ns), "
    "hand_over_ns = coalesce(excluded.hand_over_ns, hand_over_ns), "
    "wire_ns = coalesce(excluded.wire_ns, wire_ns), "
    "submitting_ns = coalesce(submitting_ns, excluded.submitting_ns), "
    "accepted_ns = coalesce(accepted_ns, excluded.accepted_ns), "
    "ended_ns = CASE WHEN excluded.ended_ns IS NULL THEN NULL "
    "ELSE coalesce(ended_ns, excluded.ended_ns) END, last_n = excluded.last_n";

std::string insert_into(const char* table, int columns) {
  return fmt::format("INSERT INTO {} VALUES ({})", table, placeholders(columns));
}
std::string replace_into(const char* table, int columns) {
  return fmt::format("INSERT OR REPLACE INTO {} VALUES ({})", table, placeholders(columns));
}

}  // namespace

TradeDatabase::Statements::Statements(sqlite::Connection& db)
    : applied(db.prepare("UPDATE journal SET applied_position = ?, applied_segment = ?, "
                         "applied_offset = ?, applied_crc = ? WHERE applied_position = ?")),
      mark(db.prepare(replace_into("marks", 4))),
      position(db.prepare(replace_into("positions", 13))),
      pnl(db.prepare(replace_into("pnl", 11))),
      rings_clear(db.prepare("DELETE FROM rings")),
      ring(db.prepare(insert_into("rings", 2))),
      session(db.prepare(insert_into("sessions", 5))),
      gap(db.prepare(insert_into("gaps", 5))),
      intent(db.prepare(intent_sql())),
      order(db.prepare(order_sql())),
      verdict(db.prepare(kVerdict)),
      order_state(db.prepare(kOrderState)),
      order_event(db.prepare(insert_into("order_events", 28))),
      execution(db.prepare(insert_into("executions", 17) + " ON CONFLICT DO NOTHING")),
      fee_of(db.prepare("SELECT fee FROM executions WHERE execution_id = ?")),
      filled_of(db.prepare("SELECT coalesce(sum(qty), 0) FROM executions WHERE order_id = ?")),
      fee(db.prepare("UPDATE executions SET fee = ?, fee_status = ? WHERE execution_id = ?")),
      refusal(db.prepare(insert_into("refusals", 8))),
      cancel(db.prepare(insert_into("cancels", 6))),
      command(db.prepare(insert_into("commands", 7))),
      trip(db.prepare(insert_into("trips", 7))),
      account(db.prepare(insert_into("accounts", 5))),
      anomaly(db.prepare(insert_into("anomalies", 3) + " ON CONFLICT DO NOTHING")) {}

void TradeDatabase::apply(const RecordView& record) {
  if (record.type == RecordType::kTapCheckpoint) {
    apply_rings(record);
  } else if (const auto tap = tap_of(record)) {
    apply_tap(record, *tap);
  } else {
    note(record, "record of an unknown type",
         fmt::format("type {}, {} bytes", static_cast<unsigned>(record.type),
                     record.payload.size()));
  }
}

void TradeDatabase::apply_tap(const RecordView& record, const Tap& tap) {
  switch (tap.type) {
    case TapType::kMarketEvents:
      return apply_market(tap);
    case TapType::kIntent:
    case TapType::kOrder:
      return apply_intent(tap.body_as<Intent>(), tap.type == TapType::kOrder);
    case TapType::kExecution:
      return apply_execution(record, tap);
    case TapType::kVerdict:
      return apply_verdict(record, tap);
    default:
      return apply_small(record, tap);
  }
}

void TradeDatabase::note(const RecordView& record, std::string_view what,
                         const std::string& detail) {
  put(statements_->anomaly, record.position, what, detail);
}

void TradeDatabase::apply_rings(const RecordView& record) {
  const auto checkpoint = TapCheckpoint::decode(record.payload);
  if (!checkpoint) {
    note(record, "checkpoint that does not decode", fmt::format("{} bytes", record.payload.size()));
    return;
  }
  if (checkpoint->rings == rings_)
    return;
  rings_ = checkpoint->rings;
  put(statements_->rings_clear);
  for (std::size_t i = 0; i < rings_.size(); ++i)
    put(statements_->ring, i, rings_[i]);
}

// The intent as its strategy published it, or as risk approved it (the same record with `approved`
// and risk's stamps).
void TradeDatabase::apply_intent(const Intent& intent, bool by_risk) {
  if (intent.kind == IntentKind::kSession)
    return;
  const Cause& cause = intent.cause;
  const bool caused = cause.receive_ns.ns != 0;
  const auto write = [&](sqlite::Statement& statement, const auto&... more) {
    put(statement, words::of(intent.id), unless_empty(client_order_id(intent.id)),
        intent.id.incarnation, intent.id.strategy, intent.id.sequence, intent.instrument,
        intent.account, intent.venue, words::of(intent.side), words::of(intent.type),
        words::of(intent.tif), intent.requested.raw, intent.limit.raw, intent.stop.raw,
        intent.trail.raw, unless_empty(words::of(intent.replaces)),
        caused ? Stamp{cause.feed} : Stamp{}, caused ? Stamp{cause.instrument} : Stamp{},
        stamp(cause.receive_ns.ns), intent.decided_ns.ns, intent.deadline_ns.ns,
        stamp(intent.stamps.strategy_poll.ns), stamp(intent.stamps.strategy_publish.ns), more...);
  };
  if (by_risk) {
    write(statements_->order, intent.approved.raw, stamp(intent.stamps.risk_poll.ns),
          stamp(intent.stamps.risk_publish.ns));
  } else {
    write(statements_->intent);
  }
}

void TradeDatabase::apply_verdict(const RecordView& record, const Tap& tap) {
  const auto verdict = tap.body_as<Verdict>();
  const bool refused = verdict.decision == Decision::kRefused;
  const std::string id = words::of(verdict.intent);
  put(statements_->verdict, id, unless_empty(client_order_id(verdict.intent)),
      verdict.intent.incarnation, verdict.intent.strategy, verdict.intent.sequence,
      verdict.requested.raw, verdict.approved.raw, words::of(verdict.decision),
      words::of(verdict.reason), refused ? "failed" : "pending");
  if (refused) {
    put(statements_->refusal, record.position, "risk", id, verdict.intent.strategy, Stamp{},
        words::of(verdict.reason), verdict.requested.raw, tap.now_ns.ns);
  }
}

void TradeDatabase::apply_execution(const RecordView& record, const Tap& tap) {
  const auto e = tap.body_as<Execution>();
  if (e.kind == ExecutionKind::kSession)
    return;  // the ring's own session record says it
  const std::string id = order_id(e);
  put(statements_->order_event, record.position, e.n, e.sub, words::of(e.kind), id,
      words::of(e.state), e.flags, words::of(e.reason), e.instrument, words::of(e.side), e.px.raw,
      e.qty.raw, e.cum_qty.raw, e.leaves.raw, e.fee, e.fee_asset, words::of(e.fee_status),
      e.requested.raw, e.approved.raw, uuid(e.execution_id), uuid(e.venue_order_id), e.linked,
      e.venue_ns.ns, e.receive_ns.ns, e.stamps.gateway_poll.ns, e.stamps.hand_over.ns,
      e.stamps.wire.ns, tap.now_ns.ns);
  if (const char* const by = refused_by(e.kind); by != nullptr) {
    put(statements_->refusal, record.position, by, id, e.intent.strategy, e.instrument,
        words::of(e.reason), e.requested.raw, tap.now_ns.ns);
  }
  if (e.kind == ExecutionKind::kFill) {
    apply_fill(record, tap, e);
  } else {
    apply_order_state(e, false);
    if (e.kind == ExecutionKind::kFee)
      apply_fee(record, tap, e);
    if (e.kind == ExecutionKind::kSnapshot)
      check_snapshot(record, e);
  }
  if (static_cast<std::size_t>(e.kind) >= words::kExecutionKinds.size())
    note(record, "execution of an unknown kind", words::of(e.kind));
}

// Told in place of records that a full ring lost. What they booked is not here: say so, with both
// quantities, and invent nothing.
void TradeDatabase::check_snapshot(const RecordView& record, const Execution& e) {
  sqlite::Statement& booked = statements_->filled_of;
  booked.bind(1, order_id(e));
  const std::int64_t here = booked.step() ? booked.number(0) : 0;
  booked.reset();
  if (here < e.cum_qty.raw)
    note(record, "executions are missing before a snapshot",
         fmt::format("order {}: {} filled here, {} at the gateway", order_id(e),
                     to_string(Qty{here}), to_string(e.cum_qty)));
}

void TradeDatabase::apply_order_state(const Execution& e, bool counts) {
  const bool snapshot = e.kind == ExecutionKind::kSnapshot;
  const bool replaced =
      e.kind == ExecutionKind::kReplaced || (snapshot && e.state == OrderState::kReplaced);
  // A snapshot tells what an ended order's chain had not traded; the order itself has no leaves.
  const Qty leaves = snapshot && is_terminal(e.state) ? Qty{} : e.leaves;
  IntentId other = e.intent;
  other.sequence = e.linked;
  const Text linked = e.linked == 0 ? Text{} : unless_empty(words::of(other));
  const bool ours = !e.intent.is_none();
  put(statements_->order_state, order_id(e), unless_empty(client_order_id(e.intent)),
      ours ? Stamp{e.intent.incarnation} : Stamp{}, e.intent.strategy,
      ours ? Stamp{static_cast<std::int64_t>(e.intent.sequence)} : Stamp{}, e.instrument, e.account,
      e.venue, words::of(e.side), e.requested.raw, e.approved.raw, words::of(e.state), e.flags,
      words::of(e.reason), e.cum_qty.raw, leaves.raw, counts ? 1 : 0, uuid(e.venue_order_id),
      replaced ? Text{} : linked, replaced ? linked : Text{}, stamp(e.stamps.gateway_poll.ns),
      stamp(e.stamps.hand_over.ns), stamp(e.stamps.wire.ns),
      e.kind == ExecutionKind::kSubmitting ? stamp(e.receive_ns.ns) : Stamp{},
      e.kind == ExecutionKind::kAccepted ? stamp(e.receive_ns.ns) : Stamp{},
      is_terminal(e.state) ? Stamp{e.receive_ns.ns} : Stamp{}, e.n);
}

// An execution id that was booked before is not booked again, whoever tells it again.
void TradeDatabase::apply_fill(const RecordView& record, const Tap& tap, const Execution& fill) {
  Cash value;
  const bool fits = notional(fill.px, fill.qty, value);
  put(statements_->execution, record.position, fill.n, fill.sub, uuid(fill.execution_id),
      order_id(fill), fill.intent.strategy, fill.instrument, words::of(fill.side), fill.px.raw,
      fill.qty.raw, fits ? Stamp{value.raw} : Stamp{}, fill.fee, fill.fee_asset,
      words::of(fill.fee_status), fill.venue_ns.ns, fill.receive_ns.ns, tap.now_ns.ns);
  const bool counts = database_.changes() == 1;
  apply_order_state(fill, counts);
  if (!counts) {
    note(record, "execution that was booked before",
         fmt::format("event {}.{}, execution {}", fill.n, fill.sub, to_string(fill.execution_id)));
    return;
  }
  Row& row = touch(fill.intent.strategy, fill.instrument, tap.now_ns);
  const std::int64_t overflows = row.holdings.overflows;
  book_fill(row.holdings, fill);
  if (row.holdings.overflows != overflows)
    note(record, "fill whose sums do not fit", to_string(fill.execution_id));
}

// The final fee: `fee` is its difference to the estimate, so the sum is what was charged.
void TradeDatabase::apply_fee(const RecordView& record, const Tap& tap, const Execution& change) {
  sqlite::Statement& known = statements_->fee_of;
  const std::string id = to_string(change.execution_id);
  known.bind(1, id);
  const bool found = known.step();
  const std::int64_t before = found ? known.number(0) : 0;
  known.reset();
  std::int64_t after = 0;
  const bool fits = add_checked(before, change.fee, after);
  if (found && fits)
    put(statements_->fee, after, words::of(change.fee_status), id);
  if (!found || !fits)
    note(record, found ? "fee that does not fit" : "fee of an execution that is not here", id);
  book_fee(touch(change.intent.strategy, change.instrument, tap.now_ns).holdings, change);
}

// Market data is only looked at for its last price: it marks what is held.
void TradeDatabase::apply_market(const Tap& tap) {
  for (const MarketEvent& event : tap.body_as<std::array<MarketEvent, kMarketEventsPerTap>>()) {
    if (event.kind != MarketKind::kQuote || !event.quote().two_sided())
      continue;
    const Quote quote = event.quote();
    for (auto row = positions_.lower_bound({event.instrument, 0});
         row != positions_.end() && row->first.first == event.instrument; ++row) {
      if (row->second.holdings.position != 0)
        move_on(row->first, row->second, event.receive_ns);
    }
    marks_[event.instrument] = {
        .bid = quote.bid_px, .ask = quote.ask_px, .receive_ns = event.receive_ns, .changed = true};
  }
}

void TradeDatabase::apply_small(const RecordView& record, const Tap& tap) {
  switch (tap.type) {
    case TapType::kCancel: {
      const auto cancel = tap.body_as<Cancel>();
      return put(statements_->cancel, record.position, words::of(cancel.order), cancel.strategy,
                 cancel.sequence, cancel.decided_ns.ns, cancel.publish_ns.ns);
    }
    case TapType::kCommand: {
      const auto command = tap.body_as<Command>();
      return put(statements_->command, record.position, ring_name(tap.ring),
                 words::of(command.verb), command.scope, command.operator_id, command.value,
                 tap.now_ns.ns);
    }
    case TapType::kTrip: {
      const auto trip = tap.body_as<TripRecord>();
      return put(statements_->trip, record.position, trip.scope, trip.on,
                 words::of(static_cast<TripSource>(trip.source)), trip.episode, trip.seen_ns.ns,
                 trip.stamped_ns.ns);
    }
    case TapType::kGap: {
      const auto gap = tap.body_as<GapRecord>();
      return put(statements_->gap, record.position, ring_name(tap.ring), tap.incarnation, gap.lost,
                 gap.next_sequence);
    }
    case TapType::kSession: {
      const auto session = tap.body_as<IncarnationRecord>();
      return put(statements_->session, record.position, ring_name(tap.ring), session.incarnation,
                 session.generation, tap.now_ns.ns);
    }
    case TapType::kAccount: {
      const auto account = tap.body_as<AccountRecord>();
      return put(statements_->account, record.position, uuid(account.account_id), account.cash.raw,
                 account.buying_power.raw, account.requested_ns.ns);
    }
    default:
      return note(record, "tap of an unknown type",
                  fmt::format("type {}", static_cast<unsigned>(tap.type)));
  }
}

}  // namespace sluice
