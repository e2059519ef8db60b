#include "tools/venue_sim/order_rules.hpp"

#include <string>

namespace sluice::sim {
namespace {

constexpr Price kConversionBoundary{50 * kScale};
constexpr std::int64_t kBelowPermille = 1'040;
constexpr std::int64_t kAbovePermille = 1'025;

bool day_or_gtc(TimeInForce tif) noexcept {
  return tif == TimeInForce::kDay || tif == TimeInForce::kGtc;
}

bool has_legs(const NewOrder& order) noexcept {
  return order.order_class != OrderClass::kSimple || order.take_profit.raw != 0 ||
         order.stop_loss.raw != 0;
}

std::optional<ApiError> check_crypto(const NewOrder& order) {
  if (order.type == OrderType::kStop || order.type == OrderType::kTrailingStop) {
    return not_allowed("invalid order type for crypto order");
  }
  if (order.tif != TimeInForce::kGtc && order.tif != TimeInForce::kIoc) {
    return not_allowed("invalid crypto time_in_force");
  }
  if (has_legs(order)) {
    return not_allowed("crypto orders must be simple orders");
  }
  if (order.extended_hours) {
    return not_allowed("extended_hours is not supported for crypto orders");
  }
  return std::nullopt;
}

std::optional<ApiError> check_fractional(const NewOrder& order, const Symbol& symbol) {
  if (!is_fractional(order)) {
    return std::nullopt;
  }
  if (!symbol.fractionable) {
    return api_error(403, kCodeForbidden, "asset \"" + symbol.name + "\" is not fractionable");
  }
  if (order.tif != TimeInForce::kDay) {
    return not_allowed("fractional orders must be DAY orders");
  }
  if (has_legs(order) || order.type == OrderType::kTrailingStop) {
    return not_allowed("fractional orders must be simple orders");
  }
  return std::nullopt;
}

std::optional<ApiError> check_class(const NewOrder& order) {
  const bool profit = order.take_profit.raw != 0;
  const bool loss = order.stop_loss.raw != 0;
  switch (order.order_class) {
    case OrderClass::kSimple:
      if (profit || loss) {
        return invalid_parameter(
            "take_profit and stop_loss require order_class bracket, oco or oto");
      }
      return std::nullopt;
    case OrderClass::kBracket:
      if (!profit || !loss) {
        return invalid_parameter(
            "bracket orders require take_profit.limit_price and stop_loss.stop_price");
      }
      break;
    case OrderClass::kOco:
      if (order.type != OrderType::kLimit) {
        return invalid_parameter("oco orders must be limit orders");
      }
      if (!profit || !loss) {
        return invalid_parameter(
            "oco orders require take_profit.limit_price and stop_loss.stop_price");
      }
      break;
    case OrderClass::kOto:
      if (profit == loss) {
        return invalid_parameter("oto orders require exactly one of take_profit and stop_loss");
      }
      break;
  }
  if (!day_or_gtc(order.tif)) {
    return not_allowed("complex orders must be DAY or GTC orders");
  }
  if (order.extended_hours) {
    return not_allowed("extended hours is not supported for complex orders");
  }
  if (order.type == OrderType::kTrailingStop) {
    return not_allowed("trailing stop orders must be simple orders");
  }
  return std::nullopt;
}

std::optional<ApiError> check_equity(const NewOrder& order, const Symbol& symbol) {
  if (auto error = check_fractional(order, symbol)) {
    return error;
  }
  if (auto error = check_class(order)) {
    return error;
  }
  if (order.extended_hours && order.type != OrderType::kLimit) {
    return invalid_parameter("only type=\"limit\" is allowed for extended hours orders");
  }
  if (order.extended_hours && !day_or_gtc(order.tif)) {
    return not_allowed("extended hours orders must be DAY or GTC limit orders");
  }
  if (is_stop(order.type) && !day_or_gtc(order.tif)) {
    return not_allowed("stop orders must be DAY or GTC orders");
  }
  return std::nullopt;
}

std::optional<ApiError> check_quantity(const NewOrder& order, const Symbol& symbol) {
  if (order.by_notional()) {
    return std::nullopt;
  }
  const bool whole_shares = symbol.is_equity() && symbol.fractionable;
  if (!whole_shares && order.qty < symbol.min_order_qty) {
    return api_error(403, kCodeForbidden,
                     "minimal qty of order is " + to_string(symbol.min_order_qty));
  }
  if (!is_multiple_of(order.qty.raw, symbol.lot().raw)) {
    return not_allowed("invalid qty " + to_string(order.qty) + ". must be a multiple of " +
                       to_string(symbol.lot()));
  }
  return std::nullopt;
}

std::optional<ApiError> check_increment(std::string_view name, Price px, const Symbol& symbol) {
  if (px.raw == 0 || is_multiple_of(px.raw, symbol.tick_at(px).raw)) {
    return std::nullopt;
  }
  return not_allowed("invalid " + std::string(name) + " " + to_string(px) +
                     ". sub-penny increment does not fulfill minimum pricing criteria");
}

}  // namespace

bool is_fractional(const NewOrder& order) noexcept {
  return order.by_notional() || order.qty.raw % kScale != 0;
}

std::optional<ApiError> check_terms(const NewOrder& order, const Symbol& symbol) {
  if (auto error = symbol.is_equity() ? check_equity(order, symbol) : check_crypto(order)) {
    return error;
  }
  if (auto error = check_quantity(order, symbol)) {
    return error;
  }
  struct Named {
    std::string_view name;
    Price px;
  };
  const Price trailed = order.type == OrderType::kTrailingStop ? Price{0} : order.stop;
  for (const Named& price : {Named{"limit_price", order.limit}, Named{"stop_price", trailed},
                             Named{"trail_price", order.trail_price},
                             Named{"take_profit.limit_price", order.take_profit},
                             Named{"stop_loss.stop_price", order.stop_loss},
                             Named{"stop_loss.limit_price", order.stop_loss_limit}}) {
    if (auto error = check_increment(price.name, price.px, symbol)) {
      return error;
    }
  }
  return std::nullopt;
}

std::optional<ApiError> check_legs(const NewOrder& order, const Symbol& symbol, Price base) {
  if (order.order_class == OrderClass::kSimple) {
    return std::nullopt;
  }
  const bool exit_by_sell = (order.side == Side::kBuy) != (order.order_class == OrderClass::kOco);
  const std::int64_t sign = exit_by_sell ? 1 : -1;
  const std::int64_t profit = sign * order.take_profit.raw;
  const std::int64_t loss = sign * order.stop_loss.raw;
  if (order.take_profit.raw != 0 && order.stop_loss.raw != 0 && profit <= loss) {
    return not_allowed(exit_by_sell ? "take_profit.limit_price must be > stop_loss.stop_price"
                                    : "take_profit.limit_price must be < stop_loss.stop_price");
  }
  if (order.order_class == OrderClass::kOco) {
    return std::nullopt;
  }
  const std::int64_t cent = symbol.tick_at(Price{kScale}).raw;
  if (order.take_profit.raw != 0 && profit < sign * base.raw + cent) {
    return not_allowed(exit_by_sell ? "take_profit.limit_price must be >= base_price + 0.01"
                                    : "take_profit.limit_price must be <= base_price - 0.01");
  }
  if (order.stop_loss.raw != 0 && loss > sign * base.raw - cent) {
    return not_allowed(exit_by_sell ? "stop_loss.stop_price must be <= base_price - 0.01"
                                    : "stop_loss.stop_price must be >= base_price + 0.01");
  }
  return std::nullopt;
}

std::optional<Price> converted_stop_limit(Price stop, const Symbol& symbol) {
  std::int64_t limit = 0;
  const std::int64_t permille = stop < kConversionBoundary ? kBelowPermille : kAbovePermille;
  if (!mul_div_half_even(stop.raw, permille, 1'000, limit)) {
    return std::nullopt;
  }
  return Price{limit - limit % symbol.tick_at(Price{limit}).raw};
}

}  // namespace sluice::sim
