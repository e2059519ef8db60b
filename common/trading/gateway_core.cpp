// Events, rows and the sums kept beside them, and the commit that writes an event out.
#include "common/trading/gateway_core.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include "common/trading/checked.hpp"

namespace sluice {
namespace {

constexpr std::uint32_t kSparePerEvent = 64;  // outputs of one event beyond one per row

const GatewayRules& checked(const GatewayRules& rules, const InstrumentTable& instruments) {
  const auto fail = [](const std::string& what) {
    throw Error(ExitCode::kConfig, "gateway rules: " + what);
  };
  if (!is_valid_instance(rules.instance)) {
    fail("instance '" + rules.instance + "' is not 1 to 12 characters of [a-z0-9]");
  }
  if (rules.gate.instruments.size() != instruments.size()) {
    fail("ceilings for " + std::to_string(rules.gate.instruments.size()) + " instruments, but " +
         std::to_string(instruments.size()) + " are configured; give one set for each");
  }
  if (rules.order_rows == 0 || rules.execution_ids == 0) {
    fail("order_rows and execution_ids must be above 0");
  }
  if (rules.strategies == 0 || rules.strategies >= kExternalStrategy) {
    fail("strategies must be 1 to 65534");
  }
  if (rules.gate.duplicate_within_ns < 0 ||
      rules.gate.duplicate_within_ns > RecentOrders::kLongestNs) {
    fail("duplicate_within must be 0 (off) to 1 s");
  }
  return rules;
}

}  // namespace

GatewayCore::GatewayCore(const GatewayRules& rules, const InstrumentTable& instruments,
                         GatewayOutput& output)
    : rules_(checked(rules, instruments)),
      instruments_(instruments),
      output_(output),
      gate_(rules.gate, instruments_),
      table_(rules.order_rows, rules.terminal_retention_ns),
      executions_(rules.execution_ids),
      positions_(rules.strategies, instruments.size()),
      tombstones_(rules.strategies, rules.tombstones_per_strategy),
      strategy_rates_(rules.strategies,
                      RateWindow(rules.strategy_orders_per_second, kNanosPerSecond)),
      venue_rate_(rules.venue_requests_per_minute, 60 * kNanosPerSecond),
      recent_(rules.strategies, RecentOrders(rules.strategy_orders_per_second)),
      strategies_(rules.strategies),
      markets_(instruments.size()),
      position_dirty_(positions_.size(), 0) {
  uncovered_.reserve(rules.order_rows);
  held_.reserve(kHeldMax);
  dirty_rows_.reserve(rules.order_rows);
  dirty_positions_.reserve(positions_.size());
  pending_executions_.reserve(std::size_t{rules.order_rows} + kSparePerEvent);
  pending_requests_.reserve(std::size_t{rules.order_rows} * 2 + kSparePerEvent);
}

void GatewayCore::start(std::uint32_t incarnation, std::uint16_t account, MonoNanos now,
                        WallNanos wall_now) noexcept {
  n_ = event_before_all_of(incarnation);
  begin(now);
  incarnation_ = incarnation;
  account_index_ = account;
  started_wall_ns_ = wall_now;
  unproven_since_ns_ = now_;
  audit_wanted_ns_ = now_;
  Execution e;
  e.n = n_;
  e.sub = sub_++;
  e.kind = ExecutionKind::kSession;
  e.intent.strategy = kExternalStrategy;
  e.order_row = kNoRow;
  e.instrument = kNoInstrument;
  e.account = account;
  e.cum_qty = Qty{incarnation};
  e.receive_ns = now_;
  pending_executions_.push_back(e);
  commit();
}

void GatewayCore::on_venue(const VenueEvent& event, MonoNanos now) noexcept {
  begin(now);
  std::visit([this](const auto& e) noexcept { on(e); }, event);
  commit();
}

void GatewayCore::begin(MonoNanos now) noexcept {
  ++n_;
  sub_ = 0;
  now_ = std::max(now_, now);
}

// The order is that of recovery.md 2: state first, then what tells of it, then the network thread.
void GatewayCore::commit() noexcept {
  flush_state();
  send_requests();
}

void GatewayCore::flush_state() noexcept {
  for (const std::uint32_t row : dirty_rows_) {
    table_.aux(row).dirty = false;
    output_.row_changed(row);
  }
  dirty_rows_.clear();
  for (const std::uint32_t i : dirty_positions_) {
    position_dirty_[i] = 0;
    positions_.row(i).n = n_;
    output_.position_changed(i);
  }
  dirty_positions_.clear();
  refresh_account_flags();
  for (const Execution& e : pending_executions_) {
    output_.execution(e);
  }
  pending_executions_.clear();
}

void GatewayCore::send_requests() noexcept {
  for (const Request& r : pending_requests_) {
    bool taken = true;
    switch (r.kind) {
      case Request::Kind::kSubmit:
        output_.submit(r.row);
        break;
      case Request::Kind::kReplace:
        output_.replace(r.row, r.id);
        break;
      case Request::Kind::kCancel:
        taken = output_.cancel(r.row);
        break;
      case Request::Kind::kLookup:
        taken = output_.lookup(r.row, r.by);
        break;
      // A foreign order that could not be asked for comes up again with the next audit.
      case Request::Kind::kLookupForeign:
        taken = output_.lookup_foreign(r.id);
        break;
      case Request::Kind::kAudit:
        output_.audit_wanted(audit_reasons_);
        break;
    }
    if (taken || r.row == kNoRow) {
      continue;
    }
    OrderAux& aux = table_.aux(r.row);
    if (r.kind == Request::Kind::kCancel) {
      aux.delete_outstanding = false;
      aux.delete_not_before_ns = {now_.ns + rules_.retry_ns};
    } else {
      aux.lookup_outstanding = false;
      aux.next_lookup_ns = {now_.ns + rules_.retry_ns};
    }
  }
  pending_requests_.clear();
}

void GatewayCore::request(const Request& r) noexcept {
  if (pending_requests_.size() == pending_requests_.capacity()) {
    commit();
  }
  if (r.kind != Request::Kind::kAudit) {
    venue_rate_.take(now_);
  }
  pending_requests_.push_back(r);
}

void GatewayCore::refresh_account_flags() noexcept {
  const auto set = [this](AccountFlag flag, bool on) {
    account_.flags = on ? account_.flags | flag : account_.flags & ~std::uint32_t{flag};
  };
  set(kStreamProven, stream_proven());
  set(kQuiescent, account_.working == 0 && account_.in_flight == 0 && account_.unknown == 0 &&
                      account_.fees_pending == 0);
  account_.orders = table_.used();
  account_.stream_proof_ns = alive_ns_;
  if (!add_checked(account_.start_cash.raw, positions_.cash_flow(), account_.cash.raw)) {
    // Each booking was checked on its own; the sum with the start is the venue's to fit. Nothing
    // more is traded on a balance we cannot express.
    account_.flags |= kAccountBlocked;
  }
  account_.n = stored_account_.n;
  if (std::memcmp(&account_, &stored_account_, sizeof account_) == 0) {
    return;
  }
  account_.n = n_;
  stored_account_ = account_;
  output_.account_changed();
}

bool GatewayCore::stream_proven() const noexcept {
  const auto young = [this](MonoNanos at) {
    return at.ns != 0 && now_.ns - at.ns <= rules_.idle_proof_ns;
  };
  if (!stream_up_ || unproven_since_ns_.ns != 0 || !young(alive_ns_)) {
    return false;
  }
  const bool idle = account_.working == 0 && account_.in_flight == 0 && account_.unknown == 0;
  return !idle || young(account_.snapshot_ns);
}

void GatewayCore::touch(std::uint32_t i) noexcept {
  table_.row(i).n = n_;
  if (!table_.aux(i).dirty) {
    table_.aux(i).dirty = true;
    dirty_rows_.push_back(i);
  }
  recount(i);
  follow_chain(i);
}

// What a row adds to the account: its class, its leaves, the cash it may take. Kept as differences,
// so that the gate finds every sum ready.
void GatewayCore::recount(std::uint32_t i) noexcept {
  OrderRow& row = table_.row(i);
  OrderAux& aux = table_.aux(i);
  Qty open = open_quantity(row);
  if (const std::uint32_t old = predecessor(i);
      old != kNoRow && !is_terminal(row.state) && table_.row(old).replaced_by == row.id) {
    // Only one of the two can trade what both might: together they count at the larger.
    open = Qty{std::max<std::int64_t>(open.raw - open_quantity(table_.row(old)).raw, 0)};
  }
  RowClass c = RowClass::kWorking;
  if (is_terminal(row.state)) {
    c = open.raw > 0 ? RowClass::kUnknown : RowClass::kNone;
  } else if ((row.flags & kOutcomeUnknown) != 0) {
    c = RowClass::kUnknown;
  } else if (row.ack_ns.ns == 0) {
    c = RowClass::kInFlight;
  }
  if (c != aux.counted_class) {
    count_class(aux.counted_class, row.instrument, -1);
    count_class(c, row.instrument, 1);
    aux.counted_class = c;
  }
  if (open != aux.counted_open) {
    positions_.change_working(row.id.strategy, row.instrument, row.side,
                              open.raw - aux.counted_open.raw);
    aux.counted_open = open;
    touch_instrument(row.id.strategy, row.instrument);
  }
  book_own(i);
  if (is_terminal(row.state) && open.raw == 0) {
    row.reserved_cash = {};
  }
  Cash held{};
  if (aux.uncovered) {
    held = is_terminal(row.state) && open.raw == 0 ? row.filled_notional : row.reserved_cash;
  }
  uncovered_cash_ += Wide{held.raw} - aux.counted_reserved.raw;
  aux.counted_reserved = held;
}

void GatewayCore::count_class(RowClass c, std::uint32_t instrument, int delta) noexcept {
  const auto change = static_cast<std::uint32_t>(delta);  // unsigned wrap subtracts
  switch (c) {
    case RowClass::kNone:
      break;
    case RowClass::kInFlight:
      account_.in_flight += change;
      break;
    case RowClass::kWorking:
      account_.working += change;
      break;
    case RowClass::kUnknown:
      account_.unknown += change;
      markets_[instrument].unknown += change;
      break;
  }
}

void GatewayCore::touch_position(std::uint32_t index) noexcept {
  if (position_dirty_[index] != 0) {
    return;
  }
  position_dirty_[index] = 1;
  dirty_positions_.push_back(index);
}

void GatewayCore::touch_instrument(std::uint16_t strategy, std::uint32_t instrument) noexcept {
  touch_position(positions_.account_index(instrument));
  touch_position(positions_.index(strategy, instrument));
  refresh_exposure(instrument);
}

// Worst value of the instrument at its last mark: everything on one side traded. A value that does
// not fit counts as the largest there is, which refuses.
void GatewayCore::refresh_exposure(std::uint32_t instrument) noexcept {
  const PositionRow& p = positions_.account(instrument);
  InstrumentState& market = markets_[instrument];
  const bool told = p.venue_position_ns.ns != 0;
  std::int64_t high = told ? std::max(p.position, p.venue_position) : p.position;
  std::int64_t low = told ? std::min(p.position, p.venue_position) : p.position;
  Cash value{kMaxRaw};
  if (add_checked(high, p.working_buy.raw, high) && sub_checked(low, p.working_sell.raw, low)) {
    Cash exact;
    const Qty worst{std::max(magnitude(high), magnitude(low))};
    if (notional(market.mark, worst, exact)) {
      value = exact;
    }
  }
  gross_exposure_ += Wide{value.raw} - market.exposure;
  market.exposure = value.raw;
}

Execution GatewayCore::describe(ExecutionKind kind, std::uint32_t i) const noexcept {
  const OrderRow& row = table_.row(i);
  Execution e;
  e.n = n_;
  e.kind = kind;
  e.state = row.state;
  e.flags = row.flags;
  e.reason = row.reason;
  e.intent = row.id;
  e.order_row = i;
  e.instrument = row.instrument;
  e.account = row.account;
  e.venue = row.venue;
  e.side = row.side;
  e.cum_qty = row.filled;
  e.requested = row.requested;
  e.approved = row.approved;
  e.venue_order_id = row.venue_order_id;
  e.venue_ns = row.venue_ns;
  e.receive_ns = now_;
  e.stamps = row.gateway_stamps;
  return e;
}

Execution& GatewayCore::emit(ExecutionKind kind, std::uint32_t i) noexcept {
  if (pending_executions_.size() == pending_executions_.capacity()) {
    flush_state();
  }
  const OrderRow& row = table_.row(i);
  Execution& e = pending_executions_.emplace_back(describe(kind, i));
  e.sub = sub_++;
  e.leaves = is_terminal(row.state) ? Qty{} : open_quantity(row);
  e.linked = kind == ExecutionKind::kReplaced ? row.replaced_by.sequence : row.replaces.sequence;
  return e;
}

Execution GatewayCore::snapshot(std::uint32_t i) const noexcept {
  const OrderRow& row = table_.row(i);
  const Instrument& instrument = instruments_[row.instrument];
  Execution e = describe(ExecutionKind::kSnapshot, i);
  e.sub = kSnapshotSub;
  e.qty = Qty{positions_.of(row.id.strategy, row.instrument).position};
  e.leaves =
      Qty{std::max<std::int64_t>(row.approved.raw - row.chain_filled.raw - row.filled.raw, 0)};
  e.fee = row.side == Side::kBuy ? row.fee_base : row.fee_quote;
  e.fee_asset = row.side == Side::kBuy ? instrument.base_asset : instrument.quote_asset;
  e.fee_status = row.fees_pending != 0 ? FeeStatus::kEstimated : FeeStatus::kFinal;
  e.linked = row.state == OrderState::kReplaced ? row.replaced_by.sequence : row.replaces.sequence;
  return e;
}

Execution GatewayCore::gap(std::uint64_t lost, std::uint64_t next_event) const noexcept {
  Execution e;
  e.n = next_event;
  e.kind = ExecutionKind::kGap;
  e.intent.strategy = kExternalStrategy;
  e.order_row = kNoRow;
  e.instrument = kNoInstrument;
  e.account = account_index_;
  e.cum_qty = Qty{static_cast<std::int64_t>(lost)};
  e.receive_ns = now_;
  return e;
}

void GatewayCore::raise(Alert what, std::uint32_t row, std::uint32_t instrument) noexcept {
  ++counters_.alerts;
  output_.alert(what, row, instrument);
}

void GatewayCore::halt(std::uint32_t instrument, std::uint16_t flag, Alert what,
                       std::uint32_t row) noexcept {
  positions_.set_flag(instrument, flag);
  touch_position(positions_.account_index(instrument));
  raise(what, row, instrument);
}

void GatewayCore::want_audit(AuditReason reason) noexcept {
  audit_reasons_ |= reason;
  audit_wanted_ns_ = now_;
}

std::uint32_t GatewayCore::allocate(const IntentId& id) noexcept {
  const OrderTable::Allocation a = table_.allocate(id, now_, &output_);
  if (a.row != kNoRow) {
    executions_.detach_chain(a.recycled_executions);
  }
  return a.row;
}

void GatewayCore::note_gap(std::uint32_t i) noexcept {
  const OrderRow& row = table_.row(i);
  OrderAux& aux = table_.aux(i);
  if (row.venue_filled <= row.filled) {
    aux.gap_since_ns = {};
  } else if (aux.gap_since_ns.ns == 0) {
    aux.gap_since_ns = now_;
    table_.activate(i);
  }
}

// Idempotent: the first evidence of an end counts. What is still missing of its fills stays open.
void GatewayCore::end_row(std::uint32_t i, OrderState state, Reason reason,
                          ExecutionKind kind) noexcept {
  OrderRow& row = table_.row(i);
  if (is_terminal(row.state)) {
    return;
  }
  row.state = state;
  row.reason = reason;
  row.flags = static_cast<std::uint16_t>(row.flags & ~(kOutcomeUnknown | kLost | kReplaceInFlight));
  row.terminal_ns = now_;
  table_.aux(i).next_lookup_ns = {};
  table_.retire(i);
  note_gap(i);
  on_chain_end(i);
  touch(i);
  if (kind != ExecutionKind::kNone) {
    emit(kind, i);
  }
}

ClientOrderId GatewayCore::client_order_id(std::uint32_t row) const noexcept {
  ClientOrderId id;
  // A foreign order has no id of ours: the encoder refuses and leaves it empty.
  static_cast<void>(encode_client_order_id(rules_.instance, table_.row(row).id, id));
  return id;
}

}  // namespace sluice
