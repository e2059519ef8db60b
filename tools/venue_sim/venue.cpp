#include "tools/venue_sim/venue.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "tools/venue_sim/order_rules.hpp"

namespace sluice::sim {

Venue::Venue(std::vector<Symbol> symbols, const VenueOptions& options, IdSource ids)
    : symbols_(std::move(symbols)),
      options_(options),
      ids_(ids),
      ledger_(options.cash, symbols_.size(), options.fees),
      matcher_(symbols_.size()),
      stops_(symbols_.size()),
      last_trade_(symbols_.size()),
      halted_(symbols_.size()) {
  for (std::size_t i = 0; i < symbols_.size(); ++i) {
    if (symbols_[i].is_equity()) {
      has_equities_ = true;
      matcher_.quotes_only(static_cast<SymbolIndex>(i));
      ledger_.no_fees(static_cast<SymbolIndex>(i));
    }
  }
}

std::optional<SymbolIndex> Venue::find_symbol(std::string_view name) const {
  for (std::size_t i = 0; i < symbols_.size(); ++i) {
    if (symbols_[i].name == name || symbols_[i].compact == name) {
      return static_cast<SymbolIndex>(i);
    }
  }
  return std::nullopt;
}

std::optional<Price> Venue::mark(SymbolIndex symbol) const {
  if (last_trade_[symbol].raw > 0) {
    return last_trade_[symbol];
  }
  if (const auto best = matcher_.book(symbol).bids.best()) {
    return best->px;
  }
  const Price close = symbols_[symbol].previous_close;
  return close.raw > 0 ? std::optional(close) : std::nullopt;
}

// --- market data

void Venue::quote(WallNanos at, SymbolIndex symbol, const RecordedQuote& quote) {
  matcher_.quote(symbol, quote, fills_);
  apply_fills(at);
  settle();
}

void Venue::trade(WallNanos at, SymbolIndex symbol, const RecordedTrade& trade) {
  last_trade_[symbol] = trade.px;
  RecordedTrade rest = trade;
  if ((trade.opening || trade.closing) && !trade.exempt && !halted_[symbol]) {
    auction(at, symbol, rest);
  }
  matcher_.trade(symbol, rest, fills_);
  apply_fills(at);
  elect(at, symbol, trade);
  settle();
}

void Venue::depth(WallNanos at, SymbolIndex symbol, const RecordedLevel& level) {
  matcher_.depth(symbol, level, fills_);
  apply_fills(at);
  settle();
}

void Venue::status(WallNanos at, SymbolIndex symbol, bool trading) {
  halted_[symbol] = !trading;
  matcher_.halt(symbol, !trading, fills_);
  apply_fills(at);
  settle();
}

// --- what is due

std::optional<WallNanos> Venue::next_due() const {
  const auto hours = boundary(until_);
  if (due_.empty()) {
    return hours;
  }
  return hours ? std::min(*hours, due_.top().at) : due_.top().at;
}

void Venue::run_until(WallNanos at) {
  const WallNanos before = until_;
  until_ = std::max(until_, at);
  if (has_equities_ && !boundary_ns_) {
    boundary_ns_ = boundary_after(time_->session_ns(at));
  }
  while (true) {
    const auto hours = boundary(at);
    const bool order_due = !due_.empty() && due_.top().at <= at;
    if (hours && *hours <= at && (!order_due || *hours <= due_.top().at)) {
      cross_boundary(std::max(*hours, before));
      settle();
      continue;
    }
    if (!order_due) {
      return;
    }
    const Due due = due_.top();
    due_.pop();
    Order& order = orders_[due.key];
    switch (due.task) {
      case Task::kArrive:
        arrive(due.at, order);
        break;
      case Task::kCancel:
        finish_cancel(due.at, order);
        break;
      case Task::kReplace:
        finish_replace(due.at, order);
        break;
    }
    settle();
  }
}

// --- an order's life in the matcher

void Venue::arrive(WallNanos at, Order& order) {
  if (!order.open() || order.working || awaits_replacement(order)) {
    return;
  }
  // A restored order's own time is of an earlier run: the hours are those of now.
  const bool returns = order.arrived;
  if (!can_work(order, time_->session_ns(returns ? until_ : at))) {
    if (order.status == OrderStatus::kPendingNew || order.status == OrderStatus::kHeld) {
      order.status = OrderStatus::kAccepted;
      order.updated_at = at;
      emit("accepted", order, at, nullptr);
    }
    return;
  }
  const bool first = order.status == OrderStatus::kPendingNew && !order.parent;
  if (first && faults_ != nullptr && faults_->strike(FaultSite::kArrivals, at)) {
    end(at, order, OrderStatus::kRejected, "rejected");
    return;
  }
  const bool waits_for_auction = is_auction(order.asked.tif);
  if (order.status == OrderStatus::kPendingNew || order.status == OrderStatus::kAccepted ||
      order.status == OrderStatus::kHeld) {
    order.status = OrderStatus::kNew;
    order.updated_at = at;
    order.arrived = !waits_for_auction;
    emit("new", order, at, nullptr);
  }
  if (!waits_for_auction) {
    place(at, order, returns);
  }
}

void Venue::place(WallNanos at, Order& order, bool rested) {
  order.arrived = true;
  order.working = true;
  if (is_stop(order.asked.type) && !order.elected) {
    stops_.arm(order.asked.symbol, {.key = order.key,
                                    .side = order.asked.side,
                                    .stop = order.asked.stop,
                                    .trail_price = order.asked.trail_price,
                                    .trail_percent = order.asked.trail_percent,
                                    .hwm = order.hwm});
    return;
  }
  enter(at, order, rested);
}

void Venue::enter(WallNanos at, Order& order, bool rested) {
  if (order.by_notional() && order.executions == 0 && !rested) {
    resolve_notional(order);
  }
  if (order.leaves().raw == 0) {  // an amount of money that buys nothing
    end(at, order, OrderStatus::kCanceled, "canceled");
    return;
  }
  // An elected stop with a limit, or a buy stop that was given one, is a limit order from now on.
  const bool market = order.asked.type == OrderType::kMarket ||
                      (is_stop(order.asked.type) && order.protective.raw == 0);
  const TimeInForce tif = order.asked.tif;
  const MatchOrder entry{.key = order.key,
                         .side = order.asked.side,
                         .type = market ? OrderType::kMarket : OrderType::kLimit,
                         .tif = tif,
                         .limit = order.protective,
                         .qty = order.leaves(),  // less than asked after a restart
                         .rested = rested};
  matcher_.enter(order.asked.symbol, entry, fills_);
  apply_fills(at);
  if ((tif == TimeInForce::kIoc || tif == TimeInForce::kFok) && order.open()) {
    finish_cancel(at, order);
  }
}

// What an amount of money buys is known when the order meets the book.
void Venue::resolve_notional(Order& order) {
  const SymbolIndex symbol = order.asked.symbol;
  Qty qty = matcher_.affordable(symbol, order.asked.side, order.asked.notional, order.protective,
                                symbols_[symbol].lot());
  if (!order.opening) {
    const Qty available = ledger_.available(symbol);
    qty.raw = std::min(qty.raw,
                       (available.raw < 0 ? -available.raw : available.raw) + order.held_qty.raw);
  }
  order.asked.qty = qty;
  update_hold(order);
}

void Venue::take_out(Order& order) {
  if (order.working) {
    matcher_.remove(order.asked.symbol, order.key);
    stops_.remove(order.asked.symbol, order.key);
    order.working = false;
  }
}

// A trade elects the stops it reaches if it lies inside the quote and nothing is halted.
void Venue::elect(WallNanos at, SymbolIndex symbol, const RecordedTrade& trade) {
  if (stops_.armed(symbol) == 0 || halted_[symbol] || trade.exempt) {
    return;
  }
  const RecordedBook& book = matcher_.book(symbol);
  const auto bid = book.bids.best();
  const auto ask = book.asks.best();
  if (!bid || !ask || book.crossed() || trade.px < bid->px || trade.px > ask->px) {
    return;
  }
  const auto outcome = stops_.trade(symbol, trade.px, symbols_[symbol].tick_at(trade.px));
  for (const StopOrder& trailed : outcome.trailed) {
    Order& order = orders_[trailed.key];
    order.hwm = trailed.hwm;
    order.asked.stop = trailed.stop;
    emit("trailed", order, at, nullptr, true);
  }
  for (const OrderKey key : outcome.elected) {
    Order& order = orders_[key];
    if (!order.open() || order.elected) {
      continue;  // an earlier one of this trade took it along
    }
    order.elected = true;
    if (order.asked.type == OrderType::kTrailingStop && order.asked.side == Side::kBuy) {
      order.protective =
          converted_stop_limit(order.asked.stop, symbols_[symbol]).value_or(order.protective);
    }
    order.updated_at = at;
    emit("elected", order, at, nullptr, true);
    follow_group(at, order);
    update_hold(order);
    enter(at, order, false);
  }
}

// --- ends

std::optional<ApiError> Venue::cancel(WallNanos at, OrderKey key) {
  Order& order = orders_[key];
  const bool repeat = order.status == OrderStatus::kCanceled && options_.variants.repeat_cancel_ok;
  if (repeat || order.status == OrderStatus::kPendingCancel) {
    return std::nullopt;  // a repeat is answered like the first, and changes nothing
  }
  if (!order.open()) {
    return not_allowed("order is already in \"" + std::string(word(order.status)) + "\" state");
  }
  if (order.status == OrderStatus::kPendingReplace && !options_.variants.cancel_in_replace) {
    return not_allowed("cannot cancel order in pending_replace status");
  }
  order.status = OrderStatus::kPendingCancel;
  order.cancel_requested_at = at;
  order.updated_at = at;
  emit("pending_cancel", order, at, nullptr, !options_.variants.pending_cancel_event);
  const auto hit = faults_ != nullptr ? faults_->strike(FaultSite::kCancels, at) : std::nullopt;
  const std::int64_t late = hit ? hit->ms * kNanosPerMilli : 0;
  const WallNanos due{std::max(at.ns + options_.cancel_latency_ns + late, order.arrives_at.ns)};
  due_.push({due, sequence_++, key, Task::kCancel});
  settle();
  return std::nullopt;
}

void Venue::cancel_at_once(WallNanos at, OrderKey key) {
  finish_cancel(at, orders_[key]);
  settle();
}

void Venue::finish_cancel(WallNanos at, Order& order) {
  if (order.status == OrderStatus::kReplaced) {
    emit("order_cancel_rejected", order, at, nullptr);  // its replacement was there first
    return;
  }
  if (order.open()) {  // not filled, nor an ioc whose rest was cancelled before
    end(at, order, OrderStatus::kCanceled, "canceled");
  }
}

void Venue::end(WallNanos at, Order& order, OrderStatus status, std::string_view event) {
  end_alone(at, order, status, event);
  if (status != OrderStatus::kRejected) {  // a successor that never stood in its group
    follow_group(at, order);
  }
}

void Venue::end_alone(WallNanos at, Order& order, OrderStatus status, std::string_view event) {
  take_out(order);
  order.status = status;
  order.updated_at = at;
  switch (status) {
    case OrderStatus::kCanceled:
      order.canceled_at = at;
      break;
    case OrderStatus::kExpired:
      order.expired_at = at;
      break;
    case OrderStatus::kRejected:
      order.failed_at = at;
      break;
    default:
      break;
  }
  open_.erase(order.key);
  update_hold(order);
  emit(event, order, at, nullptr);
}

void Venue::emit(std::string_view event, Order& order, WallNanos at, const Execution* execution,
                 bool quiet) {
  if (listener_) {
    listener_(
        {event, order, at, execution != nullptr ? execution->id : ids_.next(), execution, quiet});
  }
}

}  // namespace sluice::sim
