// Fills, what open orders hold, groups of orders, and the way back from an old state folder.
#include <algorithm>
#include <utility>

#include "common/base/error.hpp"
#include "tools/venue_sim/venue.hpp"

namespace sluice::sim {

// --- groups

void Venue::follow_group(WallNanos at, Order& order) {
  const auto drop = [&](OrderKey key) {
    Order& other = orders_[key];
    if (key != order.key && other.open()) {
      end_alone(at, other, OrderStatus::kCanceled, "canceled");
    }
  };
  const bool oco = order.asked.order_class == OrderClass::kOco;
  if (!order.legs.empty() && !oco && order.status == OrderStatus::kFilled) {
    wake_legs(at, order);
    return;
  }
  if (order.open() && !order.parent) {
    return;
  }
  // An entry that ended otherwise takes its legs along; of two exits the first to end or to be
  // elected takes the other along.
  const std::vector<OrderKey> legs = order.parent ? orders_[*order.parent].legs : order.legs;
  for (const OrderKey leg : legs) {
    drop(leg);
  }
  if (order.parent && orders_[*order.parent].asked.order_class == OrderClass::kOco) {
    drop(*order.parent);
  }
}

// The entry is complete: its exits come alive, for no more than is left of the position: part of it
// may have been sold while the entry was still being filled.
void Venue::wake_legs(WallNanos at, const Order& entry) {
  const std::int64_t available = ledger_.available(entry.asked.symbol).raw;
  const std::int64_t closable =
      std::max<std::int64_t>(0, entry.asked.side == Side::kBuy ? available : -available);
  for (const OrderKey leg : entry.legs) {
    Order& exit = orders_[leg];
    if (!exit.open()) {
      continue;
    }
    if (closable == 0) {
      end_alone(at, exit, OrderStatus::kCanceled, "canceled");
      continue;
    }
    if (const std::int64_t excess = exit.leaves().raw - closable; excess > 0) {
      exit.asked.qty.raw -= excess;
      emit("resized", exit, at, nullptr, true);
    }
    exit.arrives_at = WallNanos{at.ns + options_.order_latency_ns};
    due_.push({exit.arrives_at, sequence_++, leg, Task::kArrive});
  }
  for (const OrderKey leg : entry.legs) {
    update_hold(orders_[leg]);
  }
}

// A take profit that was filled in part: its stop covers what is left.
void Venue::shrink_group(WallNanos at, const Order& order, Qty filled) {
  const bool oco_parent = !order.legs.empty() && order.asked.order_class == OrderClass::kOco;
  if (order.elected || (!order.parent && !oco_parent)) {
    return;
  }
  for (const OrderKey leg : order.parent ? orders_[*order.parent].legs : order.legs) {
    Order& stop = orders_[leg];
    if (leg != order.key && stop.open()) {
      stop.asked.qty.raw -= filled.raw;
      emit("resized", stop, at, nullptr, true);
    }
  }
}

// One leg of a group holds for all of it: the first that is open. Before the entry is filled there
// is nothing to hold.
bool Venue::holds_for_group(const Order& order) const {
  if (!order.parent) {
    return true;
  }
  const Order& parent = orders_[*order.parent];
  if (parent.asked.order_class == OrderClass::kOco) {
    return order.elected || !parent.open();
  }
  if (parent.status != OrderStatus::kFilled) {
    return false;
  }
  const auto holder = std::find_if(parent.legs.begin(), parent.legs.end(),
                                   [&](OrderKey leg) { return orders_[leg].open(); });
  const OrderKey place = awaits_replacement(order) ? *order.replaces : order.key;
  return order.elected || (holder != parent.legs.end() && *holder == place);
}

// --- fills and holds

void Venue::apply_fills(WallNanos at) {
  for (const Fill& fill : fills_) {
    Fill piece = fill;
    piece.qty = piece_size(at, fill);
    for (Qty rest = fill.qty; rest.raw > 0; rest.raw -= piece.qty.raw) {
      piece.qty = rest.raw < 2 * piece.qty.raw ? rest : piece.qty;  // the last one takes the rest
      apply_fill(at, piece);
    }
  }
  fills_.clear();
}

// The whole fill, unless a fault splits it: then an equal part of it, in lots and at least one.
Qty Venue::piece_size(WallNanos at, const Fill& fill) const {
  const auto hit = faults_ != nullptr ? faults_->strike(FaultSite::kFills, at) : std::nullopt;
  if (!hit) {
    return fill.qty;
  }
  const std::int64_t lot = symbols_[orders_[fill.key].asked.symbol].qty_increment.raw;
  const std::int64_t part = fill.qty.raw / std::int64_t{hit->number} / lot * lot;
  return Qty{std::min(fill.qty.raw, std::max(part, lot))};
}

void Venue::apply_fill(WallNanos at, const Fill& fill) {
  Order& order = orders_[fill.key];
  SLUICE_ASSERT(order.open() && fill.qty.raw > 0 && fill.qty <= order.leaves(),
                "a fill is part of its open order");
  const FillBooking booking =
      ledger_.book(order.asked.symbol, order.asked.side, fill.px, fill.qty, fill.maker);
  order.filled.raw += fill.qty.raw;
  order.filled_value += Int128{fill.px.raw} * fill.qty.raw;
  ++order.executions;
  order.updated_at = at;
  const bool completes = order.leaves().raw == 0;
  if (completes) {
    take_out(order);
    order.status = OrderStatus::kFilled;
    order.filled_at = at;
    open_.erase(order.key);
  } else if (order.status != OrderStatus::kPendingCancel &&
             order.status != OrderStatus::kPendingReplace) {
    order.status = OrderStatus::kPartiallyFilled;
  }
  update_hold(order);
  if (Order* successor = pending_successor(order)) {
    successor->carried.raw += fill.qty.raw;
    update_hold(*successor);
  }
  const auto number = static_cast<std::uint32_t>(executions_.size());
  executions_.push_back({.id = ids_.next(),
                         .order = order.key,
                         .px = fill.px,
                         .qty = fill.qty,
                         .cum_qty = order.filled,
                         .fee = booking.fee,
                         .fee_in_base = booking.fee_in_base,
                         .maker = fill.maker,
                         .completes = completes,
                         .position_after = booking.position_after,
                         .at = at});
  activities_.push_back({Activity::Kind::kFill, number, at});
  if (!options_.fees_at_day_end) {
    post_fees(at);
  }
  emit(completes ? "fill" : "partial_fill", order, at, &executions_.back());
  if (completes) {
    follow_group(at, order);
  } else {
    shrink_group(at, order, fill.qty);
  }
}

std::size_t Venue::post_fees(WallNanos at) {
  const std::size_t before = activities_.size();
  for (; fees_posted_ < executions_.size(); ++fees_posted_) {
    const Execution& execution = executions_[fees_posted_];
    if (symbols_[orders_[execution.order].asked.symbol].is_equity()) {
      continue;
    }
    // One millisecond later than the fill: the ids of both end in the same execution id and must
    // differ in their time.
    const std::int64_t earliest = execution.at.ns + kNanosPerMilli;
    activities_.push_back({Activity::Kind::kFee, static_cast<std::uint32_t>(fees_posted_),
                           WallNanos{std::max(at.ns, earliest)}});
  }
  return activities_.size() - before;
}

Venue::Hold Venue::needed(const Order& order) const {
  Hold hold;
  if (!order.open() || !holds_for_group(order)) {
    return hold;
  }
  if (!order.opening) {
    hold.qty = order.leaves();
    return hold;
  }
  const bool fits = notional(order.hold_px, order.leaves(), hold.cash);
  SLUICE_ASSERT(fits, "the whole order's value was in range when it was accepted");
  if (order.by_notional()) {
    const auto spent = static_cast<std::int64_t>(order.filled_value / kScale);
    hold.cash.raw = order.arrived ? std::min(hold.cash.raw, order.asked.notional.raw - spent)
                                  : order.asked.notional.raw;
  }
  return hold;
}

void Venue::update_hold(Order& order) {
  Hold hold = needed(order);
  if (awaits_replacement(order)) {  // the old order holds its part itself
    const Hold old = needed(orders_[*order.replaces]);
    hold.cash.raw = std::max<std::int64_t>(0, hold.cash.raw - old.cash.raw);
    hold.qty.raw = std::max<std::int64_t>(0, hold.qty.raw - old.qty.raw);
  }
  ledger_.change_hold(order.held_cash, hold.cash);
  ledger_.change_hold(order.asked.symbol, order.held_qty, hold.qty);
  order.held_cash = hold.cash;
  order.held_qty = hold.qty;
}

// --- restart

void Venue::restore(Saved saved) {
  SLUICE_ASSERT(orders_.size() == 0, "an account is restored once, before anything else");
  ids_ = IdSource(ids_.seed(), saved.ids_issued);
  suspended_ = saved.suspended;
  for (Order& order : saved.orders) {
    order.held_cash = Cash{};
    order.held_qty = Qty{};
    order.working = false;
    const Order& stored = orders_.add(std::move(order));
    if (stored.open()) {
      open_.insert(stored.key);
    }
  }
  auto post = saved.fee_posts.begin();
  for (const Execution& execution : saved.executions) {
    const NewOrder& asked = orders_[execution.order].asked;
    static_cast<void>(
        ledger_.book(asked.symbol, asked.side, execution.px, execution.qty, execution.maker));
    activities_.push_back(
        {Activity::Kind::kFill, static_cast<std::uint32_t>(executions_.size()), execution.at});
    executions_.push_back(execution);
    if (!options_.fees_at_day_end) {
      post_fees(execution.at);
    }
    for (; post != saved.fee_posts.end() && post->executions == executions_.size(); ++post) {
      post_fees(post->at);
    }
  }
  restore_links();
  for (const OrderKey key : open_) {
    restore_order(orders_[key]);
  }
}

// The file names what an order replaces and whose leg it is; the rest follows.
void Venue::restore_links() {
  for (OrderKey key = 0; key < orders_.size(); ++key) {
    Order& order = orders_[key];
    if (order.replaces) {
      Order& old = orders_[*order.replaces];
      order.replaces_id = old.id;
      if (old.status == OrderStatus::kReplaced && old.replaced_by == key) {
        old.replaced_by_id = order.id;
      }
    }
    if (!order.parent) {
      continue;
    }
    const auto stands_for = [&](OrderKey parent) { return orders_[parent].replaced_by; };
    while (orders_[*order.parent].status == OrderStatus::kReplaced && stands_for(*order.parent)) {
      order.parent = stands_for(*order.parent);
    }
    const bool in_place = order.status != OrderStatus::kReplaced &&
                          order.status != OrderStatus::kRejected && !awaits_replacement(order);
    if (in_place) {  // the take profit comes first
      std::vector<OrderKey>& legs = orders_[*order.parent].legs;
      legs.insert(is_stop(order.asked.type) ? legs.end() : legs.begin(), key);
    }
  }
}

void Venue::restore_order(Order& order) {
  update_hold(order);
  if (order.expires_ns != 0 || order.asked.tif == TimeInForce::kGtc) {
    set_expiry(order.submitted_at, order);  // the recorded day begins again
  }
  if (awaits_replacement(order)) {
    due_.push({order.arrives_at, sequence_++, order.key, Task::kReplace});
    return;
  }
  const bool held = order.status == OrderStatus::kHeld && order.parent &&
                    orders_[*order.parent].asked.order_class != OrderClass::kOco &&
                    orders_[*order.parent].status != OrderStatus::kFilled;
  if (!held) {
    due_.push({order.arrives_at, sequence_++, order.key, Task::kArrive});
  }
  if (order.status == OrderStatus::kPendingCancel) {
    due_.push({order.arrives_at, sequence_++, order.key, Task::kCancel});
  }
}

}  // namespace sluice::sim
