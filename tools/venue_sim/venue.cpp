#include "tools/venue_sim/venue.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "common/base/error.hpp"

namespace sluice::sim {

Venue::Venue(std::vector<Symbol> symbols, const VenueOptions& options, IdSource ids)
    : symbols_(std::move(symbols)),
      options_(options),
      ids_(ids),
      ledger_(options.cash, symbols_.size(), options.fees),
      matcher_(symbols_.size()),
      last_trade_(symbols_.size()),
      halted_(symbols_.size()) {}

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
  const auto best = matcher_.book(symbol).bids.best();
  return best ? std::optional(best->px) : std::nullopt;
}

void Venue::quote(WallNanos at, SymbolIndex symbol, const RecordedQuote& quote) {
  matcher_.quote(symbol, quote, fills_);
  apply_fills(at);
}

void Venue::trade(WallNanos at, SymbolIndex symbol, const RecordedTrade& trade) {
  last_trade_[symbol] = trade.px;
  matcher_.trade(symbol, trade, fills_);
  apply_fills(at);
}

void Venue::depth(WallNanos at, SymbolIndex symbol, const RecordedLevel& level) {
  matcher_.depth(symbol, level, fills_);
  apply_fills(at);
}

void Venue::status(WallNanos at, SymbolIndex symbol, bool trading) {
  halted_[symbol] = !trading;
  apply_fills(at);
}

std::variant<OrderKey, ApiError> Venue::submit(WallNanos at, NewOrder asked) {
  if (!asked.client_order_id.empty() && orders_.find_client_id(asked.client_order_id)) {
    return invalid_parameter("client_order_id must be unique");
  }
  if (auto error = check_size(asked)) {
    return *std::move(error);
  }
  Order order;
  order.asked = std::move(asked);
  const auto reference = reference_price(order.asked);
  if (!reference) {
    return not_allowed("market data for \"" + symbols_[order.asked.symbol].name +
                       "\" is not available: a market order cannot be valued");
  }
  order.protective = order.asked.type == OrderType::kMarket && order.asked.side == Side::kSell
                         ? Price{0}
                         : *reference;
  Cash basis{};
  if (!notional(*reference, order.asked.qty, basis)) {
    return invalid_parameter("the order's value is out of range");
  }
  if (basis < options_.min_cost_basis) {
    return cost_basis_too_small(options_.min_cost_basis);
  }
  if (auto error = check_money(order)) {
    return *std::move(error);
  }
  order.id = ids_.next();
  if (order.asked.client_order_id.empty()) {
    order.asked.client_order_id = to_string(ids_.next());
  }
  order.submitted_at = at;
  order.updated_at = at;
  order.arrives_at = WallNanos{at.ns + options_.order_latency_ns};
  Order& stored = orders_.add(std::move(order));
  ++open_orders_;
  update_hold(stored);
  emit("pending_new", stored, at, nullptr);
  due_.push({stored.arrives_at, sequence_++, stored.key, false});
  return stored.key;
}

std::optional<ApiError> Venue::check_size(const NewOrder& order) const {
  const Symbol& symbol = symbols_[order.symbol];
  if (orders_.size() >= options_.max_orders || open_orders_ >= options_.max_open_orders) {
    return api_error(403, kCodeForbidden, "too many orders for this account");
  }
  if (order.qty < symbol.min_order_qty) {
    return api_error(403, kCodeForbidden,
                     "minimal qty of order is " + to_string(symbol.min_order_qty));
  }
  if (!is_multiple_of(order.qty.raw, symbol.qty_increment.raw)) {
    return not_allowed("invalid qty " + to_string(order.qty) + ". must be a multiple of " +
                       to_string(symbol.qty_increment));
  }
  if (order.type == OrderType::kLimit &&
      !is_multiple_of(order.limit.raw, symbol.price_increment.raw)) {
    return not_allowed("invalid limit_price " + to_string(order.limit) +
                       ". sub-penny increment does not fulfill minimum pricing criteria");
  }
  return std::nullopt;
}

// What the order is valued at: its limit, or the other side's best with the collar on top.
std::optional<Price> Venue::reference_price(const NewOrder& order) const {
  if (order.type == OrderType::kLimit) {
    return order.limit;
  }
  const auto best = matcher_.book(order.symbol).side(opposite(order.side)).best();
  if (!best) {
    return std::nullopt;
  }
  if (order.side == Side::kSell) {
    return best->px;
  }
  std::int64_t collar = 0;
  if (!mul_div_half_even(best->px.raw, 10'000 + options_.market_collar_bps, 10'000, collar)) {
    return std::nullopt;
  }
  return Price{collar};
}

std::optional<ApiError> Venue::check_money(const Order& order) const {
  if (order.asked.side == Side::kSell) {
    const Position& position = ledger_.position(order.asked.symbol);
    if (order.asked.qty > ledger_.available(order.asked.symbol)) {
      return insufficient_qty({.symbol = symbols_[order.asked.symbol].name,
                               .requested = order.asked.qty,
                               .existing = position.qty,
                               .held = position.held});
    }
    return std::nullopt;
  }
  Cash basis{};
  const bool fits = notional(order.protective, order.asked.qty, basis);
  if (!fits || basis > ledger_.buying_power()) {
    return insufficient_buying_power(ledger_.buying_power(), basis);
  }
  return std::nullopt;
}

std::optional<ApiError> Venue::cancel(WallNanos at, OrderKey key) {
  Order& order = orders_[key];
  if (order.status == OrderStatus::kCanceled || order.status == OrderStatus::kPendingCancel) {
    return std::nullopt;  // a repeat is answered like the first, and changes nothing
  }
  if (order.status == OrderStatus::kFilled) {
    return not_allowed("order is already in \"filled\" state");
  }
  order.status = OrderStatus::kPendingCancel;
  order.cancel_requested_at = at;
  order.updated_at = at;
  emit("pending_cancel", order, at, nullptr);
  const WallNanos due{std::max(at.ns + options_.cancel_latency_ns, order.arrives_at.ns)};
  due_.push({due, sequence_++, key, true});
  return std::nullopt;
}

std::optional<WallNanos> Venue::next_due() const {
  return due_.empty() ? std::nullopt : std::optional(due_.top().at);
}

void Venue::run_until(WallNanos at) {
  while (!due_.empty() && due_.top().at <= at) {
    const Due due = due_.top();
    due_.pop();
    Order& order = orders_[due.key];
    if (due.is_cancel) {
      finish_cancel(due.at, order);
    } else {
      arrive(due.at, order);
    }
  }
}

void Venue::arrive(WallNanos at, Order& order) {
  if (order.status == OrderStatus::kPendingNew) {
    order.status = OrderStatus::kNew;
    order.updated_at = at;
    emit("new", order, at, nullptr);
  }
  const MatchOrder entry{.key = order.key,
                         .side = order.asked.side,
                         .type = order.asked.type,
                         .tif = order.asked.tif,
                         .limit = order.protective,
                         .qty = order.leaves()};  // less than asked after a restart
  matcher_.enter(order.asked.symbol, entry, fills_);
  apply_fills(at);
  if (order.asked.tif == TimeInForce::kIoc && order.open()) {
    finish_cancel(at, order);
  }
}

void Venue::finish_cancel(WallNanos at, Order& order) {
  if (!order.open()) {
    return;  // filled, or an ioc whose rest was cancelled before
  }
  matcher_.remove(order.asked.symbol, order.key);
  order.status = OrderStatus::kCanceled;
  order.canceled_at = at;
  order.updated_at = at;
  --open_orders_;
  update_hold(order);
  emit("canceled", order, at, nullptr);
}

void Venue::apply_fills(WallNanos at) {
  for (const Fill& fill : fills_) {
    Order& order = orders_[fill.key];
    SLUICE_ASSERT(fill.qty.raw > 0 && fill.qty <= order.leaves(), "a fill is part of its order");
    const FillBooking booking =
        ledger_.book(order.asked.symbol, order.asked.side, fill.px, fill.qty, fill.maker);
    order.filled.raw += fill.qty.raw;
    order.filled_value += Int128{fill.px.raw} * fill.qty.raw;
    ++order.executions;
    order.updated_at = at;
    const bool completes = order.leaves().raw == 0;
    if (completes) {
      order.status = OrderStatus::kFilled;
      order.filled_at = at;
      --open_orders_;
    } else if (order.status != OrderStatus::kPendingCancel) {
      order.status = OrderStatus::kPartiallyFilled;
    }
    update_hold(order);
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
  }
  fills_.clear();
}

void Venue::post_fees(WallNanos at) {
  for (; fees_posted_ < executions_.size(); ++fees_posted_) {
    // One millisecond later than the fill: the ids of both end in the same execution id and must
    // differ in their time.
    const std::int64_t earliest = executions_[fees_posted_].at.ns + kNanosPerMilli;
    activities_.push_back({Activity::Kind::kFee, static_cast<std::uint32_t>(fees_posted_),
                           WallNanos{std::max(at.ns, earliest)}});
  }
}

void Venue::update_hold(Order& order) {
  Cash cash{};
  Qty qty{};
  if (order.open()) {
    if (order.asked.side == Side::kSell) {
      qty = order.leaves();
    } else {
      const bool fits = notional(order.protective, order.leaves(), cash);
      SLUICE_ASSERT(fits, "the whole order's value was in range when it was accepted");
    }
  }
  ledger_.change_hold(order.held_cash, cash);
  ledger_.change_hold(order.asked.symbol, order.held_qty, qty);
  order.held_cash = cash;
  order.held_qty = qty;
}

void Venue::emit(std::string_view event, Order& order, WallNanos at, const Execution* execution) {
  if (listener_) {
    listener_({event, order, at, execution != nullptr ? execution->id : ids_.next(), execution});
  }
}

void Venue::restore(Saved saved) {
  SLUICE_ASSERT(orders_.size() == 0, "an account is restored once, before anything else");
  ids_ = IdSource(ids_.seed(), saved.ids_issued);
  for (Order& order : saved.orders) {
    order.held_cash = Cash{};
    order.held_qty = Qty{};
    Order& stored = orders_.add(std::move(order));
    if (!stored.open()) {
      continue;
    }
    ++open_orders_;
    update_hold(stored);
    due_.push({stored.arrives_at, sequence_++, stored.key, false});
    if (stored.status == OrderStatus::kPendingCancel) {
      due_.push({stored.arrives_at, sequence_++, stored.key, true});
    }
  }
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
  }
}

}  // namespace sluice::sim
