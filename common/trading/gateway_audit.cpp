// What is read from the venue: account, positions, open orders. Reads explain or raise doubts; a
// bare number is never booked.
#include <algorithm>

#include "common/trading/gateway_core.hpp"

namespace sluice {

void GatewayCore::on(const AccountSnapshot& e) noexcept {
  const bool known = (account_.flags & kAccountKnown) != 0;
  if (known && e.requested_ns < account_.snapshot_ns) {
    return;  // overtaken by a younger one
  }
  if (known && e.account_id != account_.account_id) {
    account_.flags |= kAccountBlocked;
    raise(Alert::kAccountDiffers, kNoRow, kNoInstrument);
    return;
  }
  if (!known) {
    account_.account_id = e.account_id;
    // Nothing has been booked by this process yet, or what was booked is in the cash already.
    if (!sub_checked(e.cash.raw, positions_.cash_flow(), account_.start_cash.raw)) {
      return;
    }
  }
  account_.flags |= kAccountKnown;
  account_.flags = e.blocked ? account_.flags | kAccountBlocked
                             : account_.flags & ~std::uint32_t{kAccountBlocked};
  account_.venue_cash = e.cash;
  account_.venue_buying_power = e.buying_power;
  account_.snapshot_ns = e.requested_ns;
  for (std::size_t at = uncovered_.size(); at-- > 0;) {
    cover(uncovered_[at]);
  }
}

// A reservation ends when a snapshot was requested after the venue knew the order: from then on the
// venue's own number has it.
void GatewayCore::cover(std::uint32_t i) noexcept {
  const OrderRow& row = table_.row(i);
  OrderAux& aux = table_.aux(i);
  const MonoNanos asked = account_.snapshot_ns;
  const bool acknowledged = row.ack_ns.ns != 0 && row.ack_ns < asked;
  const bool over = is_terminal(row.state) && row.terminal_ns < asked;
  if (!acknowledged && !over) {
    return;
  }
  uncovered_[aux.uncovered_at] = uncovered_.back();
  table_.aux(uncovered_.back()).uncovered_at = aux.uncovered_at;
  uncovered_.pop_back();
  aux.uncovered_at = kNoRow;
  aux.uncovered = false;
  recount(i);
}

void GatewayCore::on(const PositionsBegin& e) noexcept {
  positions_requested_ns_ = e.requested_ns;
  for (InstrumentState& market : markets_) {
    market.read_position = 0;
  }
}

void GatewayCore::on(const PositionEntry& e) noexcept {
  if (e.instrument < markets_.size()) {
    markets_[e.instrument].read_position = e.position;
  }
}

void GatewayCore::on(const PositionsEnd& e) noexcept {
  if (e.requested_ns != positions_requested_ns_ || e.requested_ns.ns == 0) {
    return;  // cut in the middle
  }
  for (std::uint32_t i = 0; i < markets_.size(); ++i) {
    compare_position(i, e.requested_ns);
  }
  positions_requested_ns_ = {};
}

// A read is evidence when nothing was executed since it was asked for. A difference counts when two
// such reads, a settling time apart, show it and nothing happened on the instrument in between;
// what pending fees may still change explains it.
void GatewayCore::compare_position(std::uint32_t instrument, MonoNanos requested) noexcept {
  InstrumentState& market = markets_[instrument];
  if (market.fill_ns >= requested) {
    return;
  }
  const PositionRow& p = positions_.account(instrument);
  if (requested < p.venue_position_ns) {
    return;
  }
  positions_.set_evidence(instrument, market.read_position, requested);
  touch_position(positions_.account_index(instrument));
  refresh_exposure(instrument);
  // The first read after a start meets empty books: what it shows is unexplained whatever happens
  // meanwhile, and no new risk may build on it. Should it explain itself, the flag goes again.
  const bool first = !market.compared;
  market.compared = true;
  if (!first && (market.unknown > 0 || market.activity_ns >= requested)) {
    return;
  }
  std::int64_t difference = 0;
  const bool fits = sub_checked(market.read_position, p.position, difference);
  const bool explained = fits && difference <= market.fees_band && difference >= -market.fees_band;
  if (explained) {
    market.difference = 0;
    market.difference_since_ns = {};
    positions_.clear_flag(instrument, kPositionDisagrees);
    return;
  }
  const bool seen_before = market.difference_since_ns.ns != 0 && market.difference == difference &&
                           market.activity_ns < market.difference_since_ns;
  want_audit(kAuditPosition);  // looks again until it is explained
  if (!seen_before) {
    market.difference = difference;
    market.difference_since_ns = requested;
    if (first) {
      halt(instrument, kPositionDisagrees, Alert::kPositionDiffers, kNoRow);
    }
    return;
  }
  if (requested.ns - market.difference_since_ns.ns < rules_.settle_ns ||
      (p.flags & kPositionDisagrees) != 0) {
    return;
  }
  halt(instrument, kPositionDisagrees, Alert::kPositionDiffers, kNoRow);
}

void GatewayCore::on(const OpenOrder& e) noexcept {
  const std::uint32_t i = locate(e.order);
  if (i == kNoRow) {
    static_cast<void>(adopt(e.order, filled_before_us(e.order)));
    return;
  }
  if (!recognise(i, e.order)) {
    return;
  }
  merge(i, e.order, false);
  try_delete(i);
}

void GatewayCore::on(const AuditEnd& e) noexcept {
  if (!e.complete) {
    return;  // asked again by the timer
  }
  last_audit_ns_ = e.requested_ns;
  for (std::uint32_t i = 0; i < markets_.size(); ++i) {
    const bool flagged = (positions_.account(i).flags & kPositionUnplaced) != 0;
    if (flagged && markets_[i].unplaced_ns < e.requested_ns) {
      positions_.clear_flag(i, kPositionUnplaced);
      touch_position(positions_.account_index(i));
    }
  }
  resolve_carry(e.requested_ns);
  if (e.requested_ns >= audit_wanted_ns_) {
    audit_reasons_ = 0;
  }
  if (!stream_up_) {
    audit_reasons_ |= kAuditStream;  // while the stream is away, audits are all there is
  }
  if (stream_up_ && e.requested_ns >= unproven_since_ns_) {
    unproven_since_ns_ = {};
  }
}

void GatewayCore::on_operator_accepts(std::uint32_t instrument, std::int64_t delta,
                                      MonoNanos now) noexcept {
  begin(now);
  if (instrument < markets_.size()) {
    if (positions_.accept_external(instrument, delta) != BookStatus::kOk) {
      raise(Alert::kQuarantined, kNoRow, instrument);
    }
    markets_[instrument].difference = 0;
    markets_[instrument].difference_since_ns = {};
    positions_.clear_flag(instrument, kPositionDisagrees);
    touch_instrument(kExternalStrategy, instrument);
  }
  commit();
}

}  // namespace sluice
