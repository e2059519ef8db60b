// The acceptance of orders: what an account may ask for, and what it must have for it.
#include <algorithm>
#include <string>
#include <utility>

#include "tools/venue_sim/order_rules.hpp"
#include "tools/venue_sim/venue.hpp"

namespace sluice::sim {
namespace {

std::optional<Price> with_collar(Price px, std::uint32_t bps) {
  std::int64_t collar = 0;
  if (!mul_div_half_even(px.raw, 10'000 + std::int64_t{bps}, 10'000, collar)) {
    return std::nullopt;
  }
  return Price{collar};
}

ApiError forbidden(std::string_view message) {
  return api_error(403, kCodeForbidden, message);
}

bool takes_any_price(OrderType type) noexcept {
  return type == OrderType::kMarket || type == OrderType::kStop || type == OrderType::kTrailingStop;
}

// Saturates: a sum for display and for the comparison with what an order costs.
std::int64_t sum_of(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  return add_checked(a, b, sum) ? sum : (b > 0 ? INT64_MAX : INT64_MIN);
}

std::int64_t times(std::int64_t a, std::int64_t factor) {
  std::int64_t product = 0;
  const bool fits = !__builtin_mul_overflow(a, factor, &product);
  return fits ? product : ((a > 0) == (factor > 0) ? INT64_MAX : INT64_MIN);
}

}  // namespace

Venue::Worth Venue::worth() const {
  Worth worth;
  std::int64_t costs = 0;  // Σ |cost| of what is held on margin
  for (std::size_t i = 0; i < symbols_.size(); ++i) {
    const auto symbol = static_cast<SymbolIndex>(i);
    const Position& position = ledger_.position(symbol);
    const auto px = mark(symbol);
    Cash value{};
    if (px && notional(*px, position.qty, value)) {
      Cash& sum = value.raw < 0 ? worth.short_value : worth.long_value;
      sum.raw = sum_of(sum.raw, value.raw);
    }
    costs = sum_of(costs, position.cost.raw < 0 ? -position.cost.raw : position.cost.raw);
  }
  worth.equity.raw =
      sum_of(ledger_.cash().raw, sum_of(worth.long_value.raw, worth.short_value.raw));
  worth.non_marginable = ledger_.buying_power();
  const std::int64_t held = ledger_.held_cash().raw;
  if (options_.multiplier == 2) {
    const std::int64_t exposure = sum_of(worth.long_value.raw, -worth.short_value.raw);
    worth.buying_power.raw =
        std::max<std::int64_t>(0, sum_of(times(worth.equity.raw, 2), -exposure)) - held;
  } else if (options_.multiplier == 4) {
    worth.buying_power.raw = sum_of(times(ledger_.start_cash().raw, 4), -sum_of(costs, held));
  } else {
    worth.buying_power = worth.non_marginable;
  }
  return worth;
}

std::variant<OrderKey, ApiError> Venue::submit(WallNanos at, NewOrder asked) {
  if (auto refusal = check_account()) {
    return *std::move(refusal);
  }
  if (!asked.client_order_id.empty() && orders_.find_client_id(asked.client_order_id)) {
    return invalid_parameter("client_order_id must be unique");
  }
  const Symbol& symbol = symbols_[asked.symbol];
  if (auto refusal = check_terms(asked, symbol)) {
    return *std::move(refusal);
  }
  if (auto refusal = check_window(asked, time_->session_ns(at))) {
    return *std::move(refusal);
  }
  Order order;
  order.asked = std::move(asked);
  if (auto refusal = classify(order)) {
    return *std::move(refusal);
  }
  if (auto refusal = value(order)) {
    return *std::move(refusal);
  }
  if (auto refusal = order.opening ? check_money(order, Cash{}) : check_closing(order, Qty{})) {
    return *std::move(refusal);
  }
  if (auto refusal = check_wash_trade(order.asked)) {
    return *std::move(refusal);
  }
  Order& stored = add(at, std::move(order));
  accept(at, stored, Task::kArrive);
  add_legs(at, stored);
  settle();
  return stored.key;
}

std::optional<ApiError> Venue::check_account() const {
  if (options_.account_blocked) {
    return forbidden("account is blocked");
  }
  if (options_.trading_blocked) {
    return forbidden("account is blocked from trading");
  }
  if (suspended_) {
    return forbidden("new orders are rejected by user request");
  }
  // The legs of a bracket come with it.
  if (orders_.size() + 2 >= options_.max_orders || open_.size() >= options_.max_open_orders) {
    return forbidden("too many orders for this account");
  }
  return std::nullopt;
}

// Does it open or close? Opening orders of both sides exclude each other.
std::optional<ApiError> Venue::classify(Order& order) const {
  const Symbol& symbol = symbols_[order.asked.symbol];
  const std::int64_t position = ledger_.position(order.asked.symbol).qty.raw;
  const bool buy = order.asked.side == Side::kBuy;
  order.opening = symbol.is_equity() ? (buy ? position >= 0 : position <= 0) : buy;
  if (order.asked.order_class == OrderClass::kOco && order.opening) {
    return not_allowed("oco orders must be exit orders");
  }
  if (!order.opening || !symbol.is_equity()) {
    return std::nullopt;
  }
  if (!buy) {
    if (auto refusal = check_short(order)) {
      return refusal;
    }
  }
  for (const OrderKey key : open_) {
    const Order& other = orders_[key];
    if (other.asked.symbol == order.asked.symbol && other.opening &&
        other.asked.side != order.asked.side) {
      return forbidden(buy ? "cannot open a long buy while a short sell order is open"
                           : "cannot open a short sell while a long buy order is open");
    }
  }
  return std::nullopt;
}

std::optional<ApiError> Venue::check_short(const Order& order) const {
  const Symbol& symbol = symbols_[order.asked.symbol];
  if (is_fractional(order.asked)) {
    return not_allowed("fractional orders cannot be sold short");
  }
  if (!options_.shorting) {
    return forbidden("account is not allowed to short");
  }
  if (!symbol.shortable || !symbol.easy_to_borrow) {
    return not_allowed("asset \"" + symbol.name + "\" cannot be sold short");
  }
  return std::nullopt;
}

std::optional<Price> Venue::fallback_price(SymbolIndex symbol) const {
  return symbols_[symbol].is_equity() ? mark(symbol) : std::nullopt;
}

// What the order is valued at: its limit, where its stop leads, or the other side's best with the
// collar on top. An equity without a quote (at night) is valued at its last price.
std::optional<Price> Venue::reference_price(const NewOrder& order) const {
  const bool buy = order.side == Side::kBuy;
  if (has_limit(order.type)) {
    return order.limit;
  }
  if (is_stop(order.type)) {
    return buy ? converted_stop_limit(order.stop, symbols_[order.symbol])
               : std::optional(order.stop);
  }
  const auto best = matcher_.book(order.symbol).side(opposite(order.side)).best();
  const auto px = best ? std::optional(best->px) : fallback_price(order.symbol);
  if (!px || !buy) {
    return px;
  }
  return with_collar(*px, options_.market_collar_bps);
}

// Fills in where it may trade, what it holds, and for an amount of money the quantity it may
// become.
std::optional<ApiError> Venue::value(Order& order) const {
  NewOrder& asked = order.asked;
  const Symbol& symbol = symbols_[asked.symbol];
  const ApiError no_market = not_allowed("market data for \"" + symbol.name +
                                         "\" is not available: a market order cannot be valued");
  if (asked.type == OrderType::kTrailingStop) {
    const auto base = mark(asked.symbol);
    if (!base) {
      return no_market;
    }
    order.hwm = *base;
    asked.stop = trailing_stop({.key = 0,
                                .side = asked.side,
                                .stop = {},
                                .trail_price = asked.trail_price,
                                .trail_percent = asked.trail_percent},
                               *base, symbol.tick_at(*base));
  }
  const auto reference = reference_price(asked);
  if (!reference) {
    return no_market;
  }
  if (auto refusal = check_legs(asked, symbol, *reference)) {
    return refusal;
  }
  const bool buy = asked.side == Side::kBuy;
  order.protective = !buy && takes_any_price(asked.type) ? Price{0} : *reference;
  order.hold_px = *reference;
  if (order.opening && !buy) {
    const auto ask = matcher_.book(asked.symbol).asks.best();
    const auto base = ask ? std::optional(ask->px) : fallback_price(asked.symbol);
    const auto collar = base ? with_collar(*base, options_.short_collar_bps) : std::nullopt;
    order.hold_px = std::max(*reference, collar.value_or(*reference));
  }
  if (asked.by_notional()) {
    __extension__ using Wide = __int128;
    const Wide qty = Wide{asked.notional.raw} * kScale / std::max<std::int64_t>(reference->raw, 1);
    asked.qty.raw = static_cast<std::int64_t>(std::min<Wide>(qty, INT64_MAX / 4));
    asked.qty.raw -= asked.qty.raw % std::max<std::int64_t>(symbol.lot().raw, 1);
  }
  Cash basis = asked.notional;
  Cash held{};
  if ((!asked.by_notional() && !notional(*reference, asked.qty, basis)) ||
      !notional(order.hold_px, asked.qty, held)) {
    return invalid_parameter("the order's value is out of range");
  }
  if (!symbol.is_equity() && basis < options_.min_cost_basis) {
    return cost_basis_too_small(options_.min_cost_basis);
  }
  if (symbol.is_equity() && is_fractional(asked) && basis < options_.min_fraction_basis) {
    return cost_basis_too_small(options_.min_fraction_basis);
  }
  return std::nullopt;
}

// `already_held` is what the order it replaces holds.
std::optional<ApiError> Venue::check_money(const Order& order, Cash already_held) const {
  Cash basis = order.asked.notional;
  const bool fits = order.by_notional() || notional(order.hold_px, order.leaves(), basis);
  const Worth now = worth();
  const Cash power =
      symbols_[order.asked.symbol].is_equity() ? now.buying_power : now.non_marginable;
  if (!fits || basis.raw > sum_of(power.raw, already_held.raw)) {
    return insufficient_buying_power(power, basis);
  }
  return std::nullopt;
}

std::optional<ApiError> Venue::check_closing(const Order& order, Qty already_held) const {
  const Position& position = ledger_.position(order.asked.symbol);
  const std::int64_t available = ledger_.available(order.asked.symbol).raw;
  const std::int64_t magnitude = position.qty.raw < 0 ? -available : available;
  if (order.leaves().raw > magnitude + already_held.raw) {
    return insufficient_qty({.symbol = symbols_[order.asked.symbol].name,
                             .requested = order.asked.qty,
                             .existing = position.qty,
                             .available = ledger_.available(order.asked.symbol),
                             .held = position.held});
  }
  return std::nullopt;
}

// Would it meet an own order of the other side? A leg that is still held cannot be met; complex
// orders are what the venue recommends instead, and pass.
std::optional<ApiError> Venue::check_wash_trade(const NewOrder& order) const {
  const bool checked =
      options_.wash_trade == WashTrade::kOn ||
      (options_.wash_trade == WashTrade::kEquities && symbols_[order.symbol].is_equity());
  if (!checked || order.order_class != OrderClass::kSimple) {
    return std::nullopt;
  }
  for (const OrderKey key : open_) {
    const NewOrder& other = orders_[key].asked;
    if (other.symbol != order.symbol || other.side == order.side ||
        orders_[key].status == OrderStatus::kHeld) {
      continue;
    }
    const bool other_any = takes_any_price(other.type);
    const NewOrder& buy = order.side == Side::kBuy ? order : other;
    const NewOrder& sell = order.side == Side::kBuy ? other : order;
    if (other_any || takes_any_price(order.type) || buy.limit >= sell.limit) {
      return wash_trade(
          orders_[key].id,
          other_any ? "opposite side market/stop order exists" : "opposite side limit order exists",
          options_.variants.wash_is_403);
    }
  }
  return std::nullopt;
}

Order& Venue::add(WallNanos at, Order order) {
  order.id = ids_.next();
  if (order.asked.client_order_id.empty()) {
    order.asked.client_order_id = to_string(ids_.next());
  }
  order.submitted_at = at;
  order.updated_at = at;
  order.arrives_at = WallNanos{at.ns + options_.order_latency_ns};
  set_expiry(at, order);
  Order& stored = orders_.add(std::move(order));
  open_.insert(stored.key);
  return stored;
}

void Venue::accept(WallNanos at, Order& order, Task task) {
  update_hold(order);
  const bool waits = task == Task::kArrive && !can_work(order, time_->session_ns(at));
  const bool accepted = waits || options_.variants.post_accepted;
  order.status = accepted ? OrderStatus::kAccepted : OrderStatus::kPendingNew;
  emit(word(order.status), order, at, nullptr, !accepted && !options_.variants.pending_new_event);
  if (!waits) {
    due_.push({order.arrives_at, sequence_++, order.key, task});
  }
}

void Venue::add_legs(WallNanos at, Order& parent) {
  const NewOrder& asked = parent.asked;
  const bool oco = asked.order_class == OrderClass::kOco;
  NewOrder leg{.symbol = asked.symbol,
               .side = oco ? asked.side : opposite(asked.side),
               .tif = asked.tif,
               .qty = asked.qty,
               .order_class = asked.order_class};
  if (asked.take_profit.raw != 0 && !oco) {
    leg.type = OrderType::kLimit;
    leg.limit = asked.take_profit;
    parent.legs.push_back(add_leg(at, parent, leg));
  }
  if (asked.stop_loss.raw != 0) {
    leg.type = asked.stop_loss_limit.raw != 0 ? OrderType::kStopLimit : OrderType::kStop;
    leg.limit = asked.stop_loss_limit;
    leg.stop = asked.stop_loss;
    parent.legs.push_back(add_leg(at, parent, leg));
    if (oco) {
      due_.push({parent.arrives_at, sequence_++, parent.legs.back(), Task::kArrive});
    }
  }
}

OrderKey Venue::add_leg(WallNanos at, const Order& parent, NewOrder asked) {
  Order leg;
  leg.asked = std::move(asked);
  leg.parent = parent.key;
  leg.opening = false;
  leg.status = OrderStatus::kHeld;
  const bool any_price = takes_any_price(leg.asked.type) && leg.asked.side == Side::kSell;
  leg.protective = any_price ? Price{0} : reference_price(leg.asked).value_or(leg.asked.stop);
  Order& stored = add(at, std::move(leg));
  emit("held", stored, at, nullptr, !options_.variants.held_event);
  return stored.key;
}

NewOrder Venue::closing_order(SymbolIndex symbol, Qty qty) const {
  return {.symbol = symbol,
          .side = ledger_.position(symbol).qty.raw < 0 ? Side::kBuy : Side::kSell,
          .type = OrderType::kMarket,
          .tif = symbols_[symbol].is_equity() ? TimeInForce::kDay : TimeInForce::kGtc,
          .qty = qty};
}

}  // namespace sluice::sim
