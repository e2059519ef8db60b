// Replacement: an old order gives way to its successor, unless it ended before.
//
// The successor is an order of its own from the request on (pending_new), the old one is
// pending_replace. Both are decided at once when the request arrives. The quantity asked for is the
// chain's total; the successor's filled quantity begins at zero, and what its predecessors had
// filled is carried beside it (variant replace-filled=carried: it goes on from theirs).
#include <algorithm>
#include <string>
#include <utility>

#include "tools/venue_sim/order_rules.hpp"
#include "tools/venue_sim/venue.hpp"

namespace sluice::sim {
namespace {

template <class T>
void put(T& field, const std::optional<T>& value, bool& changed) {
  if (value && *value != field) {
    field = *value;
    changed = true;
  }
}

}  // namespace

bool Venue::awaits_replacement(const Order& order) const {
  if (!order.replaces || !order.open() || order.arrived) {
    return false;
  }
  const Order& old = orders_[*order.replaces];
  return old.replaced_by == order.key && old.status != OrderStatus::kReplaced;
}

Order* Venue::pending_successor(const Order& order) {
  if (!order.replaced_by) {
    return nullptr;
  }
  Order& successor = orders_[*order.replaced_by];
  return awaits_replacement(successor) ? &successor : nullptr;
}

std::variant<OrderKey, ApiError> Venue::replace(WallNanos at, OrderKey key,
                                                const ReplaceOrder& change) {
  Order& old = orders_[key];
  if (auto refusal = check_account()) {
    return *std::move(refusal);
  }
  if (auto refusal = check_replaceable(old, change)) {
    return *std::move(refusal);
  }
  Order next;
  next.asked = old.asked;
  next.asked.client_order_id.clear();
  if (auto refusal = apply_change(next.asked, change, old)) {
    return *std::move(refusal);
  }
  if (auto refusal = check_window(next.asked, time_->session_ns(at))) {
    return *std::move(refusal);
  }
  next.opening = old.opening;
  next.parent = old.parent;
  next.hwm = old.hwm;
  if (auto refusal = value(next)) {
    return *std::move(refusal);
  }
  next.carried.raw = old.carried.raw + old.filled.raw;
  const bool group_holds = old.parent && old.held_qty.raw == 0;
  if (!group_holds) {
    if (auto refusal =
            next.opening ? check_money(next, old.held_cash) : check_closing(next, old.held_qty)) {
      return *std::move(refusal);
    }
  }
  if (auto refusal = check_wash_trade(next.asked)) {
    return *std::move(refusal);
  }
  next.replaces = key;
  next.replaces_id = old.id;
  Order& successor = add(at, std::move(next));
  old.replaced_by = successor.key;
  old.status = OrderStatus::kPendingReplace;
  old.updated_at = at;
  emit("pending_replace", old, at, nullptr, !options_.variants.pending_replace_event);
  accept(at, successor, Task::kReplace);
  settle();
  return successor.key;
}

std::optional<ApiError> Venue::check_replaceable(const Order& order,
                                                 const ReplaceOrder& change) const {
  if (order.status == OrderStatus::kReplaced) {
    return not_allowed("order already replaced");
  }
  if (awaits_replacement(order)) {
    return not_allowed("order chain not fully replaced");
  }
  if (order.status != OrderStatus::kNew && order.status != OrderStatus::kPartiallyFilled) {
    return not_allowed("cannot replace order in " + std::string(word(order.status)) + " status");
  }
  if (order.by_notional()) {
    return not_allowed("notional orders cannot be replaced");
  }
  if (change.qty && order.advanced()) {
    return not_allowed("qty cannot be changed for advanced orders");
  }
  if (change.client_order_id && orders_.find_client_id(*change.client_order_id)) {
    return invalid_parameter("client_order_id must be unique");
  }
  return std::nullopt;
}

std::optional<ApiError> Venue::apply_change(NewOrder& asked, const ReplaceOrder& change,
                                            const Order& old) const {
  if ((change.limit && !has_limit(asked.type)) ||
      (change.stop && asked.type != OrderType::kStop && asked.type != OrderType::kStopLimit)) {
    return invalid_parameter(std::string(word(asked.type)) + " orders cannot be given this price");
  }
  if (change.trail && asked.type != OrderType::kTrailingStop) {
    return invalid_parameter("trail is for trailing stop orders only");
  }
  bool changed = false;
  put(asked.qty, change.qty, changed);
  put(asked.tif, change.tif, changed);
  put(asked.limit, change.limit, changed);
  put(asked.stop, change.stop, changed);
  if (change.trail && asked.trail_price.raw != 0) {
    put(asked.trail_price, std::optional(Price{*change.trail}), changed);
  } else {
    put(asked.trail_percent, change.trail, changed);
  }
  if (!changed) {
    return not_allowed("order parameters are not changed");
  }
  if (change.client_order_id) {
    asked.client_order_id = *change.client_order_id;
  }
  const Symbol& symbol = symbols_[asked.symbol];
  if (change.qty && symbol.is_equity() && change.qty->raw % kScale != 0) {
    return not_allowed("qty must be integer");
  }
  if (asked.qty.raw <= old.carried.raw + old.filled.raw) {
    return not_allowed("qty must be > filled_qty");
  }
  if (old.parent || asked.order_class == OrderClass::kOco) {
    asked.take_profit =
        asked.order_class == OrderClass::kOco && !old.parent ? asked.limit : asked.take_profit;
    NewOrder leg = asked;  // its class is its group's, its terms are its own
    leg.order_class = OrderClass::kSimple;
    leg.take_profit = leg.stop_loss = leg.stop_loss_limit = Price{};
    return check_terms(leg, symbol);
  }
  return check_terms(asked, symbol);
}

void Venue::finish_replace(WallNanos at, Order& successor) {
  if (!awaits_replacement(successor)) {
    return;
  }
  Order& old = orders_[*successor.replaces];
  const std::int64_t filled = old.carried.raw + old.filled.raw;
  if (!old.open() || old.elected != successor.elected || successor.asked.qty.raw <= filled) {
    reject_replace(at, old, successor);
    return;
  }
  const bool kept = keeps_place(old, successor) &&
                    matcher_.succeed(old.asked.symbol, old.key, successor.key, successor.leaves());
  old.working = old.working && !kept;
  if (old.asked.type == OrderType::kTrailingStop && old.hwm.raw > 0) {
    successor.hwm = old.hwm;
    successor.asked.stop = trailing_stop({.key = successor.key,
                                          .side = successor.asked.side,
                                          .stop = {},
                                          .trail_price = successor.asked.trail_price,
                                          .trail_percent = successor.asked.trail_percent},
                                         old.hwm, symbols_[old.asked.symbol].tick_at(old.hwm));
  }
  take_out(old);
  relink(old, successor);
  old.status = OrderStatus::kReplaced;
  old.replaced_at = at;
  old.updated_at = at;
  old.replaced_by_id = successor.id;
  open_.erase(old.key);
  if (options_.variants.replace_carries) {
    successor.carried = old.carried;
    successor.filled = old.filled;
    successor.filled_value = old.filled_value;
  }
  update_hold(old);
  update_hold(successor);
  if (options_.variants.replaced_first) {
    emit("replaced", old, at, nullptr);
  }
  const bool works = can_work(successor, time_->session_ns(at));
  if (works) {
    successor.status = OrderStatus::kNew;
    successor.updated_at = at;
    successor.arrived = !is_auction(successor.asked.tif);
    emit("new", successor, at, nullptr);
  } else if (successor.status == OrderStatus::kPendingNew) {
    successor.status = OrderStatus::kAccepted;
    successor.updated_at = at;
    emit("accepted", successor, at, nullptr);
  }
  if (!options_.variants.replaced_first) {
    emit("replaced", old, at, nullptr);
  }
  if (kept) {
    successor.arrived = successor.working = true;
  } else if (works && !is_auction(successor.asked.tif)) {
    place(at, successor, false);
  }
}

void Venue::reject_replace(WallNanos at, Order& old, Order& successor) {
  if (old.status == OrderStatus::kPendingReplace) {
    old.status = old.filled.raw > 0 ? OrderStatus::kPartiallyFilled : OrderStatus::kNew;
    old.updated_at = at;
  }
  end(at, successor, OrderStatus::kRejected, "rejected");
  emit("order_replace_rejected", old, at, nullptr);
}

// Nothing but the quantity changed, and it went down.
bool Venue::keeps_place(const Order& old, const Order& successor) const {
  return old.working && old.asked.type == OrderType::kLimit && !old.elected &&
         successor.asked.limit == old.asked.limit && successor.asked.tif == old.asked.tif &&
         successor.asked.qty < old.asked.qty;
}

// The successor stands where the old order stood in its group.
void Venue::relink(const Order& old, Order& successor) {
  successor.legs = old.legs;
  for (const OrderKey leg : successor.legs) {
    orders_[leg].parent = successor.key;
  }
  if (successor.parent) {
    std::vector<OrderKey>& legs = orders_[*successor.parent].legs;
    std::replace(legs.begin(), legs.end(), old.key, successor.key);
  }
}

}  // namespace sluice::sim
