// Whose order is it, and what does its object say: finding, adopting and merging orders of the
// venue.
#include <algorithm>

#include "common/trading/gateway_core.hpp"

namespace sluice {

// Our row for an order of the venue: by its id there, else by the client order id.
std::uint32_t GatewayCore::locate(const OrderSnapshot& order) noexcept {
  const std::uint32_t known = table_.find_venue(order.venue_order_id);
  if (known != kNoRow) {
    return known;
  }
  IntentId intent;
  switch (decode_client_order_id(rules_.instance, order.client_order_id.view(), intent)) {
    case ClientIdClass::kOurs:
      return table_.find(intent);
    case ClientIdClass::kGarbled:
      ++counters_.garbled_ids;
      return kNoRow;
    case ClientIdClass::kForeign:
      return kNoRow;
  }
  return kNoRow;
}

// What of an order we find was filled before this process looked: of an older order all we see now,
// of a younger one nothing, because its activities will be read.
Qty GatewayCore::filled_before_us(const OrderSnapshot& order) const noexcept {
  return order.created_ns >= started_wall_ns_ ? Qty{} : order.filled;
}

// A row for an order that we find at the venue without having one. With our prefix it is an orphan
// of an earlier incarnation: attributed by its id and cancelled. Otherwise it is foreign: counted,
// left alone. `baseline` was filled before we knew it and is in the venue's cash and positions
// already.
std::uint32_t GatewayCore::adopt(const OrderSnapshot& order, Qty baseline) noexcept {
  IntentId intent;
  const bool ours = decode_client_order_id(rules_.instance, order.client_order_id.view(), intent) ==
                    ClientIdClass::kOurs;
  ++(ours ? counters_.orphans : counters_.foreign_orders);
  if (order.instrument >= instruments_.size() || order.venue_order_id.is_zero() ||
      order.side == Side::kNone || order.qty.raw < 0 || baseline.raw < 0 ||
      order.filled < baseline) {
    raise(Alert::kForeignOrder, kNoRow, kNoInstrument);  // nothing we trade
    return kNoRow;
  }
  if (!ours) {
    intent = {.incarnation = 0, .strategy = kExternalStrategy, .reserved = 0, .sequence = 0};
  }
  const std::uint32_t i = allocate(intent);
  if (i == kNoRow) {
    halt(order.instrument, kPositionUnplaced, Alert::kTableFull, kNoRow);
    markets_[order.instrument].unplaced_ns = now_;
    want_audit(kAuditUnknown);
    return kNoRow;
  }
  OrderRow& row = table_.row(i);
  OrderAux& aux = table_.aux(i);
  row.instrument = order.instrument;
  row.account = account_index_;
  row.venue = instruments_[order.instrument].venue;
  row.side = order.side;
  row.type = order.type;
  row.tif = order.tif;
  row.state = OrderState::kSubmitting;
  row.flags = ours ? kOrphaned : 0;
  row.limit = order.limit;
  row.stop = order.stop;
  row.requested = row.approved = std::max(order.qty, order.filled);
  row.filled = row.venue_filled = baseline;
  aux.baseline = baseline;
  aux.sent = true;
  aux.foreign = !ours;
  table_.bind_venue(i, order.venue_order_id);
  table_.activate(i);
  link_adopted(i, order);
  raise(ours ? Alert::kOrphanAdopted : Alert::kForeignOrder, i, order.instrument);
  merge(i, order, false);
  if (ours && !is_terminal(row.state)) {
    latch_cancel(i);
  }
  return i;
}

// Is the venue's order the one we sent? Checked once, before it is believed to be ours.
bool GatewayCore::same_order(std::uint32_t i, const OrderSnapshot& order) const noexcept {
  const OrderRow& row = table_.row(i);
  const bool not_older = order.created_ns.ns == 0 ||
                         order.created_ns.ns >= row.submitting_ns.ns - rules_.created_tolerance_ns;
  return order.instrument == row.instrument && order.side == row.side &&
         order.qty == row.approved && order.type == row.type && order.limit == row.limit &&
         order.stop == row.stop && order.tif == row.tif && not_older;
}

bool GatewayCore::recognise(std::uint32_t i, const OrderSnapshot& order) noexcept {
  OrderRow& row = table_.row(i);
  OrderAux& aux = table_.aux(i);
  if (aux.conflict || order.venue_order_id.is_zero() || order.filled.raw < 0) {
    return false;
  }
  if (row.venue_order_id == order.venue_order_id) {
    return true;
  }
  const bool first = row.venue_order_id.is_zero();
  if (!first || table_.find_venue(order.venue_order_id) != kNoRow || !same_order(i, order)) {
    aux.conflict = first;
    halt(row.instrument, kPositionConflict, Alert::kOrderDiffers, i);
    return false;
  }
  table_.bind_venue(i, order.venue_order_id);
  table_.activate(i);
  touch(i);
  return true;
}

// An order that was taken for refused or not sent, but that the venue shows alive, lives: evidence
// wins.
void GatewayCore::revive(std::uint32_t i) noexcept {
  OrderRow& row = table_.row(i);
  raise(Alert::kContradiction, i, row.instrument);
  row.state = row.filled.raw > 0 ? OrderState::kPartial : OrderState::kSubmitted;
  row.reason = Reason::kNone;
  row.terminal_ns = {};
  row.flags |= kCancelWanted;
  table_.activate(i);
  link_replace(i);
}

// The venue knows the order: acknowledged, no longer unknown, and if it was Lost, cancelled at
// once.
void GatewayCore::on_evidence(std::uint32_t i) noexcept {
  OrderRow& row = table_.row(i);
  const bool lost = (row.flags & kLost) != 0;
  row.flags = static_cast<std::uint16_t>(row.flags & ~(kOutcomeUnknown | kLost));
  if (row.reason == Reason::kOutcomeUnknown) {
    row.reason = Reason::kNone;
  }
  table_.aux(i).not_found = 0;
  table_.aux(i).denied = false;
  if (lost) {
    row.flags |= kCancelWanted;
  }
  if (row.ack_ns.ns != 0) {
    return;
  }
  row.ack_ns = now_;
  if (row.state == OrderState::kSubmitting) {
    row.state = row.filled.raw > 0 ? OrderState::kPartial : OrderState::kSubmitted;
  }
  touch(i);
  emit(ExecutionKind::kAccepted, i);
}

// Takes in an order object, from whatever answer or event. Cumulative quantities only grow, ends
// stay.
void GatewayCore::merge(std::uint32_t i, const OrderSnapshot& order, bool by_event) noexcept {
  OrderRow& row = table_.row(i);
  OrderAux& aux = table_.aux(i);
  if (!by_event) {
    note_cumulative(i, order.filled, Qty{}, order.status);
  }
  follow_status(i, order);
  row.venue_ns = std::max(row.venue_ns, order.updated_ns);
  const bool refused = row.state == OrderState::kRejected || row.state == OrderState::kFailed;
  // After the venue's own word that a replace is over, only a successor that lives contradicts it.
  const bool lives =
      aux.replace_over ? is_live(order.status) : row.ack_ns.ns == 0 && !is_terminal(order.status);
  if (refused && lives) {
    revive(i);
  }
  // An unknown is known now. A look-up that a DELETE waits for stays due.
  if (aux.next_lookup_by == LookupBy::kClientOrderId) {
    aux.next_lookup_ns = {};
  }
  if (!is_terminal(row.state)) {
    on_evidence(i);
  }
  note_gap(i);
  touch(i);
  const std::uint32_t old = predecessor(i);
  if (old != kNoRow && is_live(order.status)) {
    look_up_soon(old, {now_.ns + rules_.cancel_poll_ns});  // its `replaced` may have been lost
  }
  const bool ended = is_terminal(row.state);
  end_by_status(i, order.status, by_event);
  if (!ended && row.state == OrderState::kReplaced && successor(i) == kNoRow &&
      !order.replaced_by.is_zero() && table_.find_venue(order.replaced_by) == kNoRow) {
    request({.kind = Request::Kind::kLookupForeign, .id = order.replaced_by});
  }
}

// Answers and events overtake each other: an older object does not take a live order back.
void GatewayCore::follow_status(std::uint32_t i, const OrderSnapshot& order) noexcept {
  OrderAux& aux = table_.aux(i);
  const bool back = is_before_live(order.status) && !is_before_live(aux.venue_status) &&
                    aux.venue_status != VenueStatus::kNone;
  const bool dated = order.updated_ns.ns != 0;
  const bool older = dated && order.updated_ns < aux.status_ns && !is_terminal(order.status);
  if (is_terminal(aux.venue_status) || back || older) {
    return;
  }
  aux.venue_status = order.status;
  aux.status_ns = std::max(aux.status_ns, order.updated_ns);
}

void GatewayCore::end_by_status(std::uint32_t i, VenueStatus status, bool by_event) noexcept {
  OrderRow& row = table_.row(i);
  if (is_terminal(row.state)) {
    return;
  }
  switch (status) {
    case VenueStatus::kCanceled:
      if (by_event && (row.flags & kCancelSent) != 0) {
        row.flags |= kCancelEvidence;
      }
      end_row(i, OrderState::kCancelled, Reason::kNone, ExecutionKind::kCancelled);
      return;
    case VenueStatus::kExpired:
      end_row(i, OrderState::kExpired, Reason::kNone, ExecutionKind::kExpired);
      return;
    case VenueStatus::kRejected:
      note_rejection(i);
      end_row(i, OrderState::kRejected, Reason::kVenueRejected, rejection_of(i));
      return;
    case VenueStatus::kReplaced:
      end_row(i, OrderState::kReplaced, Reason::kNone, ExecutionKind::kReplaced);
      return;
    case VenueStatus::kFilled:  // over when its executions are booked
      if (complete(i)) {
        end_row(i, OrderState::kFilled, Reason::kNone, ExecutionKind::kAdjustment);
      }
      return;
    default:
      return;
  }
}

}  // namespace sluice
