// What the venue answers and tells. Ends are taken from evidence alone.
#include <algorithm>

#include "common/trading/gateway_core.hpp"

namespace sluice {

// A result names its row and the intent that row had; a row given to another order meanwhile is not
// touched.
bool GatewayCore::names(const RowRef& ref) noexcept {
  if (ref.row < table_.used() && table_.row(ref.row).id == ref.intent) {
    return true;
  }
  ++counters_.stale_results;
  return false;
}

void GatewayCore::on(const PostResult& e) noexcept {
  if (!names(e.ref)) {
    return;
  }
  const std::uint32_t i = e.ref.row;
  OrderRow& row = table_.row(i);
  OrderAux& aux = table_.aux(i);
  aux.post_outstanding = false;
  row.gateway_stamps.hand_over = e.hand_over_ns;
  row.gateway_stamps.wire = e.wire_ns;
  touch(i);
  switch (e.outcome) {
    case RequestOutcome::kAccepted:
      if (e.order.client_order_id != client_order_id(i) || !recognise(i, e.order)) {
        // Somebody else's answer proves nothing about this order.
        mark_unknown(i, e.answer_ns);
        return;
      }
      if (!aux.stream_seen) {
        aux.post_proof_due_ns = {e.answer_ns.ns + rules_.stream_proof_ns};
      }
      merge(i, e.order, false);
      try_delete(i);
      if (const std::uint32_t old = predecessor(i);
          old != kNoRow && !aux.lived && is_terminal(table_.row(old).state)) {
        look_up_soon(i, {now_.ns + rules_.cancel_poll_ns});  // the old order ended meanwhile
      }
      return;
    case RequestOutcome::kNotFound:
      if (const std::uint32_t old = predecessor(i); old != kNoRow) {
        look_up_soon(old, now_);  // a PATCH: it is the old order that was not found
      }
      refused_by_venue(i, Reason::kVenueRejected);
      return;
    case RequestOutcome::kRefused:
      refused_by_venue(i, Reason::kVenueRejected);
      return;
    case RequestOutcome::kRateLimited:
      rate_paused_until_ns_ = {now_.ns + rules_.rate_pause_ns};
      refused_by_venue(i, Reason::kVenueRateLimited);
      return;
    case RequestOutcome::kUnauthorised:
      account_.flags |= kAccountBlocked;  // until an account read says otherwise
      refused_by_venue(i, Reason::kVenueUnauthorised);
      return;
    case RequestOutcome::kNotSent:
      if (!row.venue_order_id.is_zero()) {
        raise(Alert::kContradiction, i, row.instrument);
        return;
      }
      not_sent(i, e.not_sent == Reason::kNone ? Reason::kNotSent : e.not_sent);
      return;
    case RequestOutcome::kNone:
    case RequestOutcome::kUnknown:
      mark_unknown(i, e.closed_ns.ns != 0 ? e.closed_ns : e.answer_ns);
      return;
  }
}

void GatewayCore::not_sent(std::uint32_t i, Reason reason) noexcept {
  if (!is_terminal(table_.row(i).state)) {
    ++refusals_[static_cast<std::size_t>(reason)];
    end_row(i, OrderState::kFailed, reason, ExecutionKind::kNotSent);
  }
}

// A refusal of an order that the venue has already shown contradicts it: the order is what the
// stream says, and is looked up.
void GatewayCore::refused_by_venue(std::uint32_t i, Reason reason) noexcept {
  const OrderRow& row = table_.row(i);
  if (row.venue_order_id.is_zero()) {
    end_row(i, OrderState::kRejected, reason, rejection_of(i));
    return;
  }
  raise(Alert::kContradiction, i, row.instrument);
  if (is_terminal(row.state)) {
    return;
  }
  table_.aux(i).next_lookup_by = LookupBy::kVenueOrderId;
  table_.aux(i).next_lookup_ns = now_;
}

void GatewayCore::mark_unknown(std::uint32_t i, MonoNanos settle_from) noexcept {
  OrderRow& row = table_.row(i);
  OrderAux& aux = table_.aux(i);
  ++counters_.unknown_outcomes;
  if (is_terminal(row.state)) {
    return;
  }
  const MonoNanos from = settle_from.ns != 0 ? settle_from : now_;
  aux.next_lookup_ns = {from.ns + rules_.settle_ns};
  if (const std::uint32_t old = predecessor(i); old != kNoRow) {
    look_up_soon(old, aux.next_lookup_ns);  // was it replaced?
  }
  if (!row.venue_order_id
           .is_zero()) {  // the stream was quicker: it is known, only its state is asked
    aux.next_lookup_by = LookupBy::kVenueOrderId;
    return;
  }
  aux.next_lookup_by = LookupBy::kClientOrderId;
  row.flags |= kOutcomeUnknown;
  row.reason = Reason::kOutcomeUnknown;
  touch(i);
  emit(ExecutionKind::kUnknown, i);
}

void GatewayCore::on(const DeleteResult& e) noexcept {
  if (!names(e.ref)) {
    return;
  }
  const std::uint32_t i = e.ref.row;
  OrderRow& row = table_.row(i);
  OrderAux& aux = table_.aux(i);
  aux.delete_outstanding = false;
  const auto look_up_at = [&](std::int64_t ns) {
    aux.next_lookup_by = LookupBy::kVenueOrderId;
    aux.next_lookup_ns = {ns};
  };
  if (e.outcome == RequestOutcome::kAccepted && !aux.cancel_seen) {
    aux.delete_proof_due_ns = {e.answer_ns.ns + rules_.stream_proof_ns};
  }
  if (is_terminal(row.state)) {
    return;
  }
  switch (e.outcome) {
    case RequestOutcome::kAccepted:
      look_up_at(e.answer_ns.ns + rules_.cancel_poll_ns);
      return;
    case RequestOutcome::kRefused:
    case RequestOutcome::kNotFound:
      // "Already filled" or "not found" are words, not evidence: ask for the order itself.
      look_up_at(now_.ns);
      aux.delete_not_before_ns = {now_.ns + rules_.cancel_poll_ns};
      return;
    case RequestOutcome::kUnauthorised:
      account_.flags |= kAccountBlocked;
      aux.delete_not_before_ns = {now_.ns + rules_.cancel_poll_ns};
      return;
    case RequestOutcome::kRateLimited:
      rate_paused_until_ns_ = {now_.ns + rules_.rate_pause_ns};
      aux.delete_not_before_ns = {now_.ns + rules_.cancel_poll_ns};
      return;
    case RequestOutcome::kNotSent:
      aux.delete_not_before_ns = {now_.ns + rules_.retry_ns};
      return;
    case RequestOutcome::kNone:
    case RequestOutcome::kUnknown:
      look_up_at(now_.ns + rules_.settle_ns);
      return;
  }
}

void GatewayCore::on(const LookupResult& e) noexcept {
  if (e.ref.row == kNoRow) {
    if (e.outcome != RequestOutcome::kAccepted) {
      return;
    }
    if (locate(e.order) != kNoRow) {
      return;  // its executions come again with the next audit
    }
    static_cast<void>(adopt(e.order, filled_before_us(e.order)));
    return;
  }
  if (!names(e.ref)) {
    return;
  }
  const std::uint32_t i = e.ref.row;
  OrderRow& row = table_.row(i);
  OrderAux& aux = table_.aux(i);
  aux.lookup_outstanding = false;
  const bool was_terminal = is_terminal(row.state);
  const auto again_in = [&](std::int64_t ns) {
    if (!was_terminal) {
      aux.next_lookup_ns = {now_.ns + ns};
    }
  };
  if (e.outcome == RequestOutcome::kNotFound) {
    if (!was_terminal) {
      on_not_found(i, e.by);
    }
    return;
  }
  if (e.outcome != RequestOutcome::kAccepted) {  // the question itself failed: nothing is learnt
    again_in(rules_.settle_ns);
    return;
  }
  const bool ours = aux.foreign || e.order.client_order_id == client_order_id(i);
  if (!ours || !recognise(i, e.order)) {
    if (!was_terminal && (row.venue_order_id.is_zero() || aux.denied)) {
      lose(i);  // what stands under its id is not it: only a person can tell
    }
    aux.denied = false;
    again_in(rules_.lost_poll_ns);
    return;
  }
  merge(i, e.order, false);
  if (is_terminal(row.state)) {
    return;
  }
  const bool becoming = !row.replaces.is_none() && is_before_live(e.order.status);
  if (becoming || e.order.status == VenueStatus::kPendingCancel ||
      e.order.status == VenueStatus::kPendingReplace) {
    again_in(rules_.cancel_poll_ns);
  }
  try_delete(i);
}

// Absence never ends an order. An order that the venue confirmed and then does not find by the id
// it gave is asked for by our own id before that counts.
void GatewayCore::on_not_found(std::uint32_t i, LookupBy by) noexcept {
  const OrderRow& row = table_.row(i);
  OrderAux& aux = table_.aux(i);
  const std::uint32_t old = predecessor(i);
  if (old != kNoRow && !aux.lived && is_terminal(table_.row(old).state) &&
      table_.row(old).state != OrderState::kReplaced) {
    // An order that ended otherwise was not replaced and cannot be any more: that ends its
    // successor, not the missing look-up.
    end_row(i, OrderState::kRejected, Reason::kVenueRejected, ExecutionKind::kReplaceRejected);
    return;
  }
  if (!row.venue_order_id.is_zero()) {
    if (by == LookupBy::kClientOrderId && !aux.denied) {
      return;  // asked before the venue showed the order
    }
    if (by == LookupBy::kVenueOrderId && !aux.foreign) {
      if (aux.not_found == 0 && (row.flags & kLost) == 0) {
        raise(Alert::kVenueDenies, i, row.instrument);
      }
      aux.denied = true;
      aux.next_lookup_ns = now_;
      return;
    }
  }
  aux.denied = false;
  if ((row.flags & kLost) == 0 && ++aux.not_found >= rules_.lookups_before_lost) {
    lose(i);
  }
  aux.next_lookup_ns = {now_.ns +
                        ((row.flags & kLost) != 0 ? rules_.lost_poll_ns : rules_.settle_ns)};
  if (old != kNoRow) {
    look_up_soon(old, aux.next_lookup_ns);
  }
}

// Where a replace went is not known, so the old order must not go on resting: its end tells of the
// successor too.
void GatewayCore::lose(std::uint32_t i) noexcept {
  OrderRow& row = table_.row(i);
  if ((row.flags & kLost) != 0) {
    return;
  }
  row.flags |= kLost | kOutcomeUnknown;
  row.reason = Reason::kOutcomeUnknown;
  touch(i);
  raise(Alert::kOrderLost, i, row.instrument);
  emit(ExecutionKind::kUnknown, i);
  if (predecessor(i) != kNoRow) {
    static_cast<void>(latch_chain(i));
  }
}

void GatewayCore::on(const StreamState& e) noexcept {
  stream_up_ = e.up;
  if (e.up) {
    alive_ns_ = std::max(alive_ns_, e.at_ns);
  }
  // Events were missed while it was down, so coming up proves nothing before an audit does.
  unproven_since_ns_ = now_;
  audit_asked_ns_ = {};  // at once
  want_audit(kAuditStream);
}

void GatewayCore::on(const StreamAlive& e) noexcept {
  alive_ns_ = std::max(alive_ns_, e.at_ns);
}

void GatewayCore::on(const TradeUpdate& e) noexcept {
  alive_ns_ = std::max(alive_ns_, e.receive_ns);
  const bool fill = e.kind == TradeUpdateKind::kFill || e.kind == TradeUpdateKind::kPartialFill;
  std::uint32_t i = locate(e.order);
  if (i == kNoRow) {
    const bool ours_to_book = fill && e.qty.raw > 0 && e.qty <= e.order.filled;
    i = adopt(e.order, Qty{e.order.filled.raw - (ours_to_book ? e.qty.raw : 0)});
    if (i == kNoRow) {
      return;
    }
  }
  OrderAux& aux = table_.aux(i);
  aux.stream_seen = true;
  aux.post_proof_due_ns = {};
  if (!recognise(i, e.order)) {
    return;
  }
  if (table_.row(i).venue_ns < e.venue_ns) {
    table_.row(i).venue_ns = e.venue_ns;
  }
  note_cumulative(i, e.order.filled, fill ? e.qty : Qty{}, e.order.status);
  merge(i, e.order, true);
  on_update(i, e);
  try_delete(i);
}

void GatewayCore::on_update(std::uint32_t i, const TradeUpdate& e) noexcept {
  OrderRow& row = table_.row(i);
  OrderAux& aux = table_.aux(i);
  const auto answers_delete = [&aux] {
    aux.cancel_seen = true;
    aux.delete_proof_due_ns = {};
  };
  switch (e.kind) {
    case TradeUpdateKind::kPendingNew:
    case TradeUpdateKind::kAccepted:
    case TradeUpdateKind::kNew:
    case TradeUpdateKind::kHeld:
    case TradeUpdateKind::kDoneForDay:
    case TradeUpdateKind::kStopped:
    case TradeUpdateKind::kSuspended:
    case TradeUpdateKind::kCalculated:
    case TradeUpdateKind::kPendingReplace:
      return;
    case TradeUpdateKind::kReplaceRejected:
      on_replace_rejected(i, e.venue_ns);
      return;
    case TradeUpdateKind::kPendingCancel:
      answers_delete();
      return;
    case TradeUpdateKind::kPartialFill:
    case TradeUpdateKind::kFill: {
      if (e.kind == TradeUpdateKind::kFill) {
        answers_delete();
      }
      const bool booked = book_fill(i, {.execution_id = e.execution_id,
                                        .px = e.px,
                                        .qty = e.qty,
                                        .cum = e.order.filled,
                                        .venue_ns = e.venue_ns,
                                        .receive_ns = e.receive_ns});
      const MonoNanos known = positions_.account(row.instrument).venue_position_ns;
      if (booked && e.has_position && e.receive_ns >= known) {
        positions_.set_evidence(row.instrument, e.position, e.receive_ns);
        touch_instrument(row.id.strategy, row.instrument);
      }
      return;
    }
    case TradeUpdateKind::kCanceled:
      answers_delete();
      end_by_status(i, VenueStatus::kCanceled, true);
      return;
    case TradeUpdateKind::kExpired:
      answers_delete();
      end_by_status(i, VenueStatus::kExpired, true);
      return;
    case TradeUpdateKind::kRejected:
      answers_delete();
      end_by_status(i, VenueStatus::kRejected, true);
      return;
    case TradeUpdateKind::kReplaced:
      answers_delete();
      end_by_status(i, VenueStatus::kReplaced, true);
      return;
    case TradeUpdateKind::kCancelRejected:
      answers_delete();
      if (is_terminal(row.state)) {
        return;
      }
      emit(ExecutionKind::kCancelRejected, i);
      aux.next_lookup_by = LookupBy::kVenueOrderId;  // why, and whether to try again
      aux.next_lookup_ns = {now_.ns + rules_.cancel_poll_ns};
      return;
    case TradeUpdateKind::kNone:
    case TradeUpdateKind::kRestated:
    case TradeUpdateKind::kTradeBust:
    case TradeUpdateKind::kTradeCorrect:
      halt(row.instrument, kPositionUnknownEvent, Alert::kUnknownEvent, i);
      want_audit(kAuditUnknown);
      return;
  }
}

}  // namespace sluice
