// Executions and their fees: what moves money. Each is booked once, or dropped aloud.
#include <algorithm>

#include "common/base/fault.hpp"
#include "common/trading/gateway_core.hpp"

namespace sluice {

void GatewayCore::drop_fill(std::uint32_t i, AuditReason why) noexcept {
  ++counters_.dropped_fills;
  raise(Alert::kExecutionExcess, i, table_.row(i).instrument);
  want_audit(why);
}

bool GatewayCore::book_fill(std::uint32_t i, const Fill& fill) noexcept {
  OrderRow& row = table_.row(i);
  OrderAux& aux = table_.aux(i);
  if (fill.execution_id
          .is_zero()) {  // cannot be told from its repetition: its activity will name it
    want_audit(kAuditUnknown);
    return false;
  }
  std::uint32_t record = executions_.find(fill.execution_id);
  if (record != ExecutionBook::kNone && executions_.record(record).booked) {
    const ExecutionRecord& known = executions_.record(record);
    ++counters_.duplicate_fills;
    if (known.px != fill.px || known.qty != fill.qty) {
      halt(row.instrument, kPositionConflict, Alert::kExecutionConflict, i);
      want_audit(kAuditExcess);
    }
    return false;
  }
  if (fill.qty.raw <= 0 || fill.px.raw <= 0 || fill.cum < fill.qty) {
    drop_fill(i, kAuditExcess);
    return false;
  }
  if (fill.cum <= aux.baseline) {
    ++counters_.old_fills;
    return false;
  }
  note_cumulative(i, fill.cum, fill.qty, aux.venue_status);
  const bool before_us = fill.cum.raw - fill.qty.raw < aux.baseline.raw;
  const bool beyond = fill.qty.raw > row.venue_filled.raw - row.filled.raw;
  if (before_us || beyond || executions_.overlaps(aux.first_execution, fill.qty, fill.cum)) {
    note_gap(i);
    touch(i);
    drop_fill(i, kAuditExcess);
    return false;
  }
  if (record == ExecutionBook::kNone) {
    record = executions_.insert(fill.execution_id);
  }
  if (record == ExecutionBook::kNone) {
    // Booked all the same, since it is true; only a repetition could not be told, so nothing new
    // starts.
    halt(row.instrument, kPositionUnknownEvent, Alert::kMemoryFull, i);
  }
  book_money(i, record, fill);
  if (row.chain_filled.raw + row.filled.raw > row.approved.raw) {
    halt(row.instrument, kPositionConflict, Alert::kOverfill, i);
    want_audit(kAuditExcess);
  }
  return true;
}

// Books an execution that is new: position and cash, the row, the record that will meet its fee.
void GatewayCore::book_money(std::uint32_t i, std::uint32_t record, const Fill& fill) noexcept {
  OrderRow& row = table_.row(i);
  OrderAux& aux = table_.aux(i);
  const Instrument& instrument = instruments_[row.instrument];
  const bool buy = row.side == Side::kBuy;
  const std::uint32_t fee_bps = rules_.gate.instruments[row.instrument].fee_bps;
  const bool told_fee = record != ExecutionBook::kNone && executions_.record(record).fee_final;
  const bool final_fee = told_fee || fee_bps == 0;
  Qty qty = fill.qty;
  if (SLUICE_PLANTED(7) && row.executions > 0) {
    qty = fill.cum;
  }
  const bool skipped = SLUICE_PLANTED(8) && fill.cum < row.approved;

  Cash value;
  std::int64_t fee = 0;
  bool fits = notional(fill.px, qty, value);
  if (told_fee) {
    fee = executions_.record(record).fee;
  } else {
    fits = fits && fee_of(buy ? qty.raw : value.raw, fee_bps, fee);
  }
  if (SLUICE_PLANTED(6) && buy) {
    fee = 0;
  }
  const FillBooking booking{.instrument = row.instrument,
                            .strategy = row.id.strategy,
                            .side = row.side,
                            .px = fill.px,
                            .qty = qty,
                            .fee = fee};
  if (!skipped && (!fits || positions_.book(booking) != BookStatus::kOk)) {
    halt(row.instrument, kPositionOverflow, Alert::kQuarantined, i);
  }

  if (record != ExecutionBook::kNone) {
    ExecutionRecord& r = executions_.record(record);
    r.px = fill.px;
    r.qty = fill.qty;
    r.cum_qty = fill.cum;
    r.fee = fee;
    r.instrument = row.instrument;
    r.strategy = row.id.strategy;
    r.side = row.side;
    if (skipped || final_fee) {
      r.fee_final = true;
    }
    aux.first_execution = executions_.attach(record, i, aux.first_execution);
  }
  row.filled.raw += fill.qty.raw;  // cannot overflow: not above venue_filled
  ++row.executions;
  // For display and the reservation; what counts as money was checked above.
  add_saturating(row.filled_notional.raw, value.raw);
  add_saturating(buy ? row.fee_base : row.fee_quote, fee);
  if (!final_fee && !skipped) {
    ++row.fees_pending;
    ++account_.fees_pending;
    positions_.change_fees_pending(row.id.strategy, row.instrument, 1);
    if (buy) {
      add_saturating(markets_[row.instrument].fees_band, fee);
    }
  }
  ++account_.executions;
  ++counters_.fills;
  markets_[row.instrument].activity_ns = now_;
  markets_[row.instrument].fill_ns = now_;

  refresh_venue_filled(i);
  const bool whole = complete(i);
  if (!is_terminal(row.state) && !whole) {
    row.state = OrderState::kPartial;
  }
  row.venue_ns = std::max(row.venue_ns, fill.venue_ns);
  if (whole && !is_terminal(row.state)) {
    end_row(i, OrderState::kFilled, Reason::kNone, ExecutionKind::kNone);
  }
  note_gap(i);
  touch(i);
  touch_instrument(row.id.strategy, row.instrument);
  if (skipped) {
    return;
  }

  Execution& e = emit(ExecutionKind::kFill, i);
  e.px = fill.px;
  e.qty = qty;
  e.fee = fee;
  e.fee_status = final_fee ? FeeStatus::kFinal : FeeStatus::kEstimated;
  // Where no fee is charged it is nothing of the currency, whatever was received.
  e.fee_asset = buy && fee_bps != 0 ? instrument.base_asset : instrument.quote_asset;
  e.execution_id = fill.execution_id;
  e.venue_ns = fill.venue_ns;
  e.receive_ns = fill.receive_ns;
  settle_chain(i);
}

void GatewayCore::on(const FillActivity& e) noexcept {
  const std::uint32_t i = table_.find_venue(e.venue_order_id);
  if (i == kNoRow) {
    const std::uint32_t record = executions_.find(e.execution_id);
    if (record != ExecutionBook::kNone && executions_.record(record).booked) {
      ++counters_.duplicate_fills;
    } else if (e.venue_ns < started_wall_ns_ || e.instrument >= instruments_.size()) {
      ++counters_.old_fills;
    } else {
      // Ours with an answer under way, an orphan's or a foreign order's: its order object will say.
      markets_[e.instrument].unplaced_ns = now_;
      positions_.set_flag(e.instrument, kPositionUnplaced);
      touch_position(positions_.account_index(e.instrument));
      want_audit(kAuditUnknown);
      request({.kind = Request::Kind::kLookupForeign, .id = e.venue_order_id});
    }
    return;
  }
  const OrderRow& row = table_.row(i);
  if (row.instrument != e.instrument || row.side != e.side) {
    halt(row.instrument, kPositionConflict, Alert::kExecutionConflict, i);
    return;
  }
  static_cast<void>(book_fill(i, {.execution_id = e.execution_id,
                                  .px = e.px,
                                  .qty = e.qty,
                                  .cum = e.cum_qty,
                                  .venue_ns = e.venue_ns,
                                  .receive_ns = e.receive_ns}));
}

void GatewayCore::on(const FeeActivity& e) noexcept {
  if (e.execution_id.is_zero() || e.instrument >= instruments_.size()) {
    return;
  }
  std::uint32_t record = executions_.find(e.execution_id);
  if (record == ExecutionBook::kNone) {  // before its execution, or of one from before this process
    record = executions_.insert(e.execution_id);
    if (record == ExecutionBook::kNone) {
      return;  // the next audit tells it again
    }
    ExecutionRecord& r = executions_.record(record);
    r.instrument = e.instrument;
    r.side = e.in_base ? Side::kBuy : Side::kSell;
    r.fee = e.amount;
    r.fee_final = true;
    return;
  }
  const ExecutionRecord& r = executions_.record(record);
  const bool same_asset = e.in_base == (r.side == Side::kBuy) && r.instrument == e.instrument;
  if (!same_asset ||
      (r.fee_final && r.fee != e.amount && !SLUICE_PLANTED(6) && !SLUICE_PLANTED(8))) {
    halt(r.instrument, kPositionUnknownEvent, Alert::kExecutionConflict, r.row);
    want_audit(kAuditUnknown);
    return;
  }
  if (r.fee_final) {
    ++counters_.duplicate_fees;
    return;
  }
  finalise_fee(record, e.amount, e.receive_ns);
}

// The final fee replaces the estimate. The execution that tells it carries the difference, so that
// the sum over an order's executions is what was charged.
void GatewayCore::finalise_fee(std::uint32_t record, std::int64_t amount,
                               MonoNanos receive_ns) noexcept {
  ExecutionRecord& r = executions_.record(record);
  const bool buy = r.side == Side::kBuy;
  if (SLUICE_PLANTED(6) && buy) {
    amount = 0;
  }
  std::int64_t delta = 0;
  const FeeChange change{.instrument = r.instrument,
                         .strategy = r.strategy,
                         .side = r.side,
                         .delta = sub_checked(amount, r.fee, delta) ? delta : 0};
  if (positions_.adjust_fee(change) != BookStatus::kOk) {
    halt(r.instrument, kPositionOverflow, Alert::kQuarantined, r.row);
  }
  if (buy) {
    add_saturating(markets_[r.instrument].fees_band, -r.fee);
  }
  r.fee = amount;
  executions_.settle(record);
  --account_.fees_pending;
  positions_.change_fees_pending(r.strategy, r.instrument, -1);
  ++counters_.fees;
  touch_instrument(r.strategy, r.instrument);

  OrderRow& row = table_.row(r.row);  // a row with a fee pending is never recycled
  --row.fees_pending;
  add_saturating(buy ? row.fee_base : row.fee_quote, delta);
  touch(r.row);
  Execution& e = emit(ExecutionKind::kFee, r.row);
  e.px = r.px;
  e.qty = r.qty;
  e.fee = delta;
  e.fee_status = FeeStatus::kFinal;
  const Instrument& instrument = instruments_[r.instrument];
  e.fee_asset = buy ? instrument.base_asset : instrument.quote_asset;
  e.execution_id = r.id;
  e.receive_ns = receive_ns;
}

}  // namespace sluice
