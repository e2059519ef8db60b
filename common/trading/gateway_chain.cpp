// Chains: an order and what replaces it. A successor is an order of its own, with its own client
// order id, row and executions; what ties it to the old one is the quantity (the chain's total) and
// that only one of the two can trade at a time.
//
// What the venue tells (protocols: PATCH): the answer carries the successor and proves nothing
// about the old order; the event `replaced` ends the old one; `order_replace_rejected` ends the
// successor; the old one may fill or end first, and then the successor is over.
#include <algorithm>

#include "common/trading/gateway_core.hpp"

namespace sluice {

// A neighbour's row may have been given to another order since: the ids tell.
std::uint32_t GatewayCore::predecessor(std::uint32_t i) const noexcept {
  const std::uint32_t old = table_.aux(i).predecessor;
  return old != kNoRow && table_.row(old).id == table_.row(i).replaces ? old : kNoRow;
}

std::uint32_t GatewayCore::successor(std::uint32_t i) const noexcept {
  const std::uint32_t next = table_.aux(i).successor;
  return next != kNoRow && table_.row(next).id == table_.row(i).replaced_by ? next : kNoRow;
}

// What is wrong with a replace for good; what is only too early is told by replaceable().
Reason GatewayCore::check_replace(const Intent& intent, std::uint32_t old) const noexcept {
  if (old == kNoRow) {
    return Reason::kUnknownOrder;
  }
  const OrderRow& row = table_.row(old);
  const OrderAux& aux = table_.aux(old);
  if (row.instrument != intent.instrument || row.side != intent.side || row.tif != intent.tif ||
      row.type != OrderType::kLimit) {
    return Reason::kMalformed;
  }
  constexpr std::uint16_t kBeyond = kCancelWanted | kLost | kOrphaned;
  const bool taken = !row.replaced_by.is_none() && row.replaced_by != intent.id;
  const bool unchanged = row.limit == intent.limit && row.approved == intent.approved;
  if (is_terminal(row.state) || (row.flags & kBeyond) != 0 || aux.conflict || taken || unchanged ||
      intent.approved.raw <= row.chain_filled.raw + row.filled.raw) {
    return Reason::kNotReplaceable;
  }
  return Reason::kNone;
}

// The venue's state lets the order be replaced now, as far as we were told.
bool GatewayCore::replaceable(std::uint32_t i) const noexcept {
  const OrderRow& row = table_.row(i);
  const OrderAux& aux = table_.aux(i);
  const std::uint32_t old = predecessor(i);
  return !row.venue_order_id.is_zero() && is_live(aux.venue_status) &&
         (row.flags & (kOutcomeUnknown | kCancelSent)) == 0 &&
         (old == kNoRow || is_terminal(table_.row(old).state));
}

ReplacedOrder GatewayCore::replaced_order(std::uint32_t old) const noexcept {
  const OrderRow& row = table_.row(old);
  const OrderAux& aux = table_.aux(old);
  ReplacedOrder r;
  r.leaves = open_quantity(row);
  r.chain_filled = Qty{row.chain_filled.raw + row.filled.raw};
  if (aux.uncovered) {
    r.held = aux.counted_reserved;
  } else if (!notional(row.limit, r.leaves, r.held)) {
    r.held = {};
  }
  return r;
}

void GatewayCore::link_replace(std::uint32_t i) noexcept {
  const std::uint32_t old = predecessor(i);
  if (old == kNoRow || !table_.row(old).replaced_by.is_none()) {
    return;
  }
  OrderRow& row = table_.row(old);
  row.replaced_by = table_.row(i).id;
  if (!is_terminal(row.state)) {
    row.flags |= kReplaceInFlight;
  }
  table_.aux(old).successor = i;
  touch(old);
}

// The successor never came to live: the old order stands alone again.
void GatewayCore::unlink_replace(std::uint32_t i) noexcept {
  const std::uint32_t old = predecessor(i);
  if (old == kNoRow || successor(old) != i) {
    return;
  }
  OrderRow& row = table_.row(old);
  row.replaced_by = {};
  row.flags = static_cast<std::uint16_t>(row.flags & ~kReplaceInFlight);
  table_.aux(old).successor = kNoRow;
  touch(old);
}

// A cancel of any member ends the chain: it is latched on all that still live. True when one did.
// From the chain's newest order back; an order that ended otherwise than by never having lived has
// no living one behind it.
bool GatewayCore::latch_chain(std::uint32_t i) noexcept {
  std::uint32_t last = i;
  for (std::uint32_t next = successor(last); next != kNoRow; next = successor(last)) {
    last = next;
  }
  bool any = false;
  bool passed = false;
  for (std::uint32_t m = last; m != kNoRow;) {
    const std::uint32_t before = predecessor(m);
    const OrderState state = table_.row(m).state;
    passed = passed || m == i;
    if (!is_terminal(state)) {
      any = true;
      if (table_.aux(m).held) {
        drop_held_of(m, Reason::kCancelledBeforeSend);
      } else {
        latch_cancel(m);
      }
    } else if (passed && state != OrderState::kRejected && state != OrderState::kFailed) {
      break;
    }
    m = before;
  }
  return any;
}

// What an order trades is missing from those after it.
void GatewayCore::follow_chain(std::uint32_t i) noexcept {
  for (std::uint32_t next = successor(i); next != kNoRow; next = successor(next)) {
    const OrderRow& row = table_.row(i);
    OrderRow& after = table_.row(next);
    const Qty before{row.chain_filled.raw + row.filled.raw};
    const bool changed = after.chain_filled != before;
    after.chain_filled = before;
    refresh_venue_filled(next);
    if (changed) {
      after.n = n_;
      if (!table_.aux(next).dirty) {
        table_.aux(next).dirty = true;
        dirty_rows_.push_back(next);
      }
    }
    recount(next);
    if (!changed) {
      return;
    }
    i = next;
  }
}

// An execution of an earlier order may be the last that a later one waited for. Only one that has
// taken its predecessor's place can be filled by that: otherwise the replace has failed, and its
// own object says so.
void GatewayCore::settle_chain(std::uint32_t i) noexcept {
  for (std::uint32_t next = successor(i); next != kNoRow; i = next, next = successor(next)) {
    if (table_.row(i).state == OrderState::kReplaced && !is_terminal(table_.row(next).state) &&
        !table_.aux(next).held && complete(next)) {
      end_row(next, OrderState::kFilled, Reason::kNone, ExecutionKind::kAdjustment);
    }
  }
}

void GatewayCore::look_up_soon(std::uint32_t i, MonoNanos at) noexcept {
  OrderAux& aux = table_.aux(i);
  if (is_terminal(table_.row(i).state) || aux.lookup_outstanding ||
      (aux.next_lookup_ns.ns != 0 && aux.next_lookup_ns <= at)) {
    return;
  }
  aux.next_lookup_by =
      table_.row(i).venue_order_id.is_zero() ? LookupBy::kClientOrderId : LookupBy::kVenueOrderId;
  aux.next_lookup_ns = at;
  table_.activate(i);
}

ReplaceChange GatewayCore::replace_change(std::uint32_t i) const noexcept {
  const OrderRow& row = table_.row(i);
  const std::uint32_t old = predecessor(i);
  ReplaceChange change{.qty = row.approved, .limit = row.limit};
  if (old != kNoRow && table_.row(old).approved == row.approved) {
    change.qty = {};
  }
  if (old != kNoRow && table_.row(old).limit == row.limit) {
    change.limit = {};
  }
  return change;
}

// An order that was adopted as a successor. With a row of ours for the old one they are a chain. If
// some of it was filled before we knew it, or without that row, it stands alone at the chain's
// total.
void GatewayCore::link_adopted(std::uint32_t i, const OrderSnapshot& order) noexcept {
  if (order.replaces.is_zero()) {
    return;
  }
  OrderRow& row = table_.row(i);
  OrderAux& aux = table_.aux(i);
  const std::uint32_t old = table_.find_venue(order.replaces);
  const bool chain = old != kNoRow && !aux.foreign && !table_.aux(old).foreign &&
                     aux.baseline.raw == 0 && table_.row(old).replaced_by.is_none();
  aux.orphan_successor = !chain && aux.baseline.raw == 0;
  if (!chain) {
    return;
  }
  row.replaces = table_.row(old).id;
  row.chain_filled = replaced_order(old).chain_filled;
  aux.root = table_.aux(old).root;
  aux.predecessor = old;
  link_replace(i);
}

// An order has just ended: what that means for its neighbours.
void GatewayCore::on_chain_end(std::uint32_t i) noexcept {
  const OrderRow& row = table_.row(i);
  if (const std::uint32_t old = predecessor(i); old != kNoRow) {
    const OrderAux& aux = table_.aux(i);
    if (!aux.lived) {
      unlink_replace(i);
    }
    if (aux.lived || (!row.venue_order_id.is_zero() && !aux.replace_over)) {
      look_up_soon(old, {now_.ns + rules_.cancel_poll_ns});  // was it replaced?
    }
  }
  const std::uint32_t next = successor(i);
  if (next == kNoRow || table_.aux(next).held) {
    return;
  }
  if (row.state == OrderState::kReplaced && table_.aux(i).uncovered) {
    // The cash it held passes to the successor, until a snapshot of the account has that one.
    add_saturating(table_.row(next).reserved_cash.raw, table_.aux(i).counted_reserved.raw);
  }
  if (table_.aux(next).post_outstanding || table_.aux(next).lived) {
    return;
  }
  // Replaced: the successor lives, and what is not known of it can be asked at once. Otherwise it
  // is over, and its own object has to say so.
  if (row.state != OrderState::kReplaced) {
    look_up_soon(next, {now_.ns + rules_.cancel_poll_ns});
  } else if (table_.row(next).venue_order_id.is_zero()) {
    look_up_soon(next, now_);
  }
}

// A successor ends as rejected. The venue may say so once more as the end of the replace, and that
// word must not be taken for one about the next replace.
void GatewayCore::note_rejection(std::uint32_t i) noexcept {
  const std::uint32_t old = predecessor(i);
  if (old == kNoRow || table_.row(old).state == OrderState::kReplaced) {
    return;
  }
  OrderAux& aux = table_.aux(old);
  aux.replace_rejected_ns = std::max(aux.replace_rejected_ns, table_.row(i).venue_ns);
  aux.rejection_owed = true;
  end_pending_replace(old);
}

void GatewayCore::end_pending_replace(std::uint32_t i) noexcept {
  OrderAux& aux = table_.aux(i);
  if (aux.venue_status == VenueStatus::kPendingReplace) {
    aux.venue_status =
        table_.row(i).venue_filled.raw > 0 ? VenueStatus::kPartiallyFilled : VenueStatus::kNew;
  }
}

// `i` is the old order or the successor, whichever the venue named. The stream repeats itself now
// and then: an older word says nothing of a younger replace. Where it is not certain which replace
// is meant, the youngest one goes on counting and is asked for.
void GatewayCore::on_replace_rejected(std::uint32_t i, WallNanos at) noexcept {
  const std::uint32_t before = predecessor(i);
  const bool unresolved = before != kNoRow && table_.row(before).state != OrderState::kReplaced;
  const std::uint32_t old = unresolved ? before : i;
  OrderAux& aux = table_.aux(old);
  const std::uint32_t next = successor(old);
  if (at.ns != 0 && at <= aux.replace_rejected_ns) {
    return;
  }
  aux.replace_rejected_ns = std::max(aux.replace_rejected_ns, at);
  const bool of_another = unresolved && next != i;
  const bool before_it = next != kNoRow && at.ns != 0 && at.ns < table_.row(next).submitting_ns.ns;
  const bool late = next != kNoRow && (of_another || before_it || aux.rejection_owed);
  aux.rejection_owed = false;
  if (late) {
    if (!table_.aux(next).held && !table_.aux(next).post_outstanding) {
      look_up_soon(next, now_);
    }
    return;
  }
  end_pending_replace(old);
  if (next == kNoRow || table_.aux(next).held || table_.row(old).state == OrderState::kReplaced) {
    return;
  }
  OrderAux& over = table_.aux(next);
  over.replace_over = true;
  over.lived = false;
  over.stream_seen = true;
  over.post_proof_due_ns = {};
  end_row(next, OrderState::kRejected, Reason::kVenueRejected, ExecutionKind::kReplaceRejected);
}

// How the end of an order the venue refused is told: of a successor whose old order was not
// replaced it is the end of the replace.
ExecutionKind GatewayCore::rejection_of(std::uint32_t i) const noexcept {
  const std::uint32_t old = predecessor(i);
  return old != kNoRow && table_.row(old).state != OrderState::kReplaced
             ? ExecutionKind::kReplaceRejected
             : ExecutionKind::kRejected;
}

// Everything is executed: the chain's total is reached, or the venue says `filled` and all it told
// of is booked.
bool GatewayCore::complete(std::uint32_t i) const noexcept {
  const OrderRow& row = table_.row(i);
  const bool whole = row.chain_filled.raw + row.filled.raw >= row.approved.raw;
  const bool told = table_.aux(i).venue_status == VenueStatus::kFilled && row.filled.raw > 0 &&
                    row.filled >= row.venue_filled;
  return whole || told;
}

// ---- cumulative quantities of successors -------------------------------------------------------
//
// A venue may count a successor's filled_qty from zero or with its predecessors' executions carried
// over; Alpaca's documents do not say. Executions are booked by their id either way; which reading
// holds decides only what is still missing. Until there is evidence the larger number counts.

void GatewayCore::note_cumulative(std::uint32_t i, Qty filled, Qty execution,
                                  VenueStatus status) noexcept {
  OrderRow& row = table_.row(i);
  if (row.replaces.is_none()) {
    row.venue_filled = std::max(row.venue_filled, filled);
    return;
  }
  OrderAux& aux = table_.aux(i);
  aux.lived = aux.lived || is_live(status) || execution.raw > 0;
  aux.wire_filled = std::max(aux.wire_filled, filled);
  decide_carry(i, filled, execution, status);
  refresh_venue_filled(i);
}

void GatewayCore::decide_carry(std::uint32_t i, Qty filled, Qty execution,
                               VenueStatus status) noexcept {
  const OrderRow& row = table_.row(i);
  OrderAux& aux = table_.aux(i);
  const std::int64_t chain = row.chain_filled.raw;
  if (chain == 0 || aux.carry == Carry::kOwn) {
    return;
  }
  const std::int64_t before = filled.raw - execution.raw;
  // Once it lives, its predecessors' executions are all behind it: less than those is its own
  // count.
  if ((execution.raw > 0 || is_live(status)) && before < chain) {
    aux.carry = Carry::kOwn;
    return;
  }
  const bool nothing_own = execution.raw == 0 && filled.raw > 0 &&
                           (is_before_live(status) || status == VenueStatus::kNew);
  const bool fits = execution.raw > 0 && before - row.filled.raw == chain;
  if (nothing_own || fits) {
    aux.carry = Carry::kChain;
  }
}

void GatewayCore::refresh_venue_filled(std::uint32_t i) noexcept {
  OrderRow& row = table_.row(i);
  const OrderAux& aux = table_.aux(i);
  if (row.replaces.is_none()) {
    return;
  }
  std::int64_t carried = 0;
  if (aux.carry == Carry::kChain) {
    carried = row.chain_filled.raw;
    if (const std::uint32_t old = predecessor(i); old != kNoRow) {
      const OrderRow& before = table_.row(old);
      carried = before.chain_filled.raw + std::max(before.filled, before.venue_filled).raw;
    }
  }
  row.venue_filled = Qty{std::max(row.filled.raw, aux.wire_filled.raw - carried)};
  note_gap(i);
}

// What an order we adopted had from its predecessors was before us, like the rest of its baseline.
void GatewayCore::settle_baseline(std::uint32_t i) noexcept {
  OrderRow& row = table_.row(i);
  table_.aux(i).baseline.raw += row.venue_filled.raw - row.filled.raw;
  row.filled = row.venue_filled;
  note_gap(i);
}

// A complete audit named every execution: what is still missing of a successor was carried over.
void GatewayCore::resolve_carry(MonoNanos requested) noexcept {
  for (const std::uint32_t i : table_.active()) {
    const OrderRow& row = table_.row(i);
    OrderAux& aux = table_.aux(i);
    const bool chain = !row.replaces.is_none() && row.chain_filled.raw != 0;
    if ((!chain && !aux.orphan_successor) || aux.carry != Carry::kOpen ||
        aux.gap_since_ns.ns == 0 || aux.gap_since_ns > requested) {
      continue;
    }
    aux.carry = Carry::kChain;
    if (chain) {
      refresh_venue_filled(i);
    } else {
      settle_baseline(i);
    }
    touch(i);
    if (!is_terminal(row.state) && complete(i)) {
      end_row(i, OrderState::kFilled, Reason::kNone, ExecutionKind::kAdjustment);
    }
  }
}

}  // namespace sluice
