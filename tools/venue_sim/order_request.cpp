#include "tools/venue_sim/order_request.hpp"

#include <functional>
#include <string>
#include <utility>

#include "tools/venue_sim/json_fields.hpp"

namespace sluice::sim {
namespace {

using Refusal = std::optional<ApiError>;

// A refusal, or nothing and the value in `raw`, which stays as it is when the field is absent. A
// value that is there must be positive: "<spoken> must be > 0".
Refusal read_positive(const JsonFields& fields, std::string_view name, std::string_view spoken,
                      std::int64_t& raw) {
  const JsonField* field = fields.find(name);
  if (field == nullptr) {
    return std::nullopt;
  }
  if (field->kind != JsonField::Kind::kText && field->kind != JsonField::Kind::kNumber) {
    return malformed_body();
  }
  const DecimalStatus status = parse_decimal(field->text, raw);
  if (status != DecimalStatus::kOk) {
    return invalid_parameter(std::string(name) + " is " + std::string(describe(status)));
  }
  if (raw <= 0) {
    return invalid_parameter(std::string(spoken) + " must be > 0");
  }
  return std::nullopt;
}

template <class E>
std::optional<E> word_in(std::string_view text, std::initializer_list<E> candidates) {
  for (const E candidate : candidates) {
    if (word(candidate) == text) {
      return candidate;
    }
  }
  return std::nullopt;
}

Refusal read_words(const JsonFields& fields, NewOrder& order) {
  const auto side = fields.text("side");
  if (side == "buy") {
    order.side = Side::kBuy;
  } else if (side == "sell") {
    order.side = Side::kSell;
  } else {
    return invalid_parameter(fields.has("side") ? "invalid side" : "side is required");
  }
  const auto type = word_in(fields.text("type").value_or(""), kOrderTypes);
  if (!type) {
    return invalid_parameter(fields.has("type") ? "invalid order type" : "type is required");
  }
  order.type = *type;
  const auto tif = word_in(fields.text("time_in_force").value_or(""), kTimesInForce);
  if (!tif) {
    return invalid_parameter("invalid time_in_force");
  }
  order.tif = *tif;
  order.extended_hours = fields.is_true("extended_hours");
  return std::nullopt;
}

// The prices of the legs.
Refusal read_leg_prices(const JsonFields& fields, NewOrder& order) {
  struct Part {
    std::string_view leg;
    std::string_view name;
    std::int64_t& raw;
    bool required;
  };
  for (const Part& part :
       {Part{"take_profit", "take_profit.limit_price", order.take_profit.raw, true},
        Part{"stop_loss", "stop_loss.stop_price", order.stop_loss.raw, true},
        Part{"stop_loss", "stop_loss.limit_price", order.stop_loss_limit.raw, false}}) {
    const JsonField* leg = fields.find(part.leg);
    if (leg != nullptr && leg->kind != JsonField::Kind::kNested) {
      return malformed_body();
    }
    if (auto error = read_positive(fields, part.name, part.name, part.raw)) {
      return error;
    }
    if (part.required && leg != nullptr && !fields.has(part.name)) {
      return invalid_parameter(std::string(part.name) + " is required");
    }
  }
  return std::nullopt;
}

Refusal read_class(const JsonFields& fields, NewOrder& order) {
  const std::string_view text = fields.text("order_class").value_or("");
  if (text == "mleg" || fields.has("legs")) {
    return not_allowed("mleg orders are not offered: options are not traded at this venue");
  }
  if (fields.has("advanced_instructions")) {
    return not_allowed("advanced_instructions are not offered by this venue");
  }
  const auto order_class = word_in(text == "simple" ? "" : text, kOrderClasses);
  if (!order_class) {
    return invalid_parameter("invalid order_class");
  }
  order.order_class = *order_class;
  return read_leg_prices(fields, order);
}

Refusal read_amounts(const JsonFields& fields, NewOrder& order) {
  const bool by_qty = fields.has("qty");
  const bool by_notional = fields.has("notional");
  if (by_qty && by_notional) {
    return api_error(400, kCodeInvalidParameter, "only one of qty or notional is accepted");
  }
  if (!by_qty && !by_notional) {
    return invalid_parameter("qty or notional is required");
  }
  if (auto error = read_positive(fields, "qty", "qty", order.qty.raw)) {
    return error;
  }
  if (auto error = read_positive(fields, "notional", "notional", order.notional.raw)) {
    return error;
  }
  if (order.notional.raw % (kScale / 100) != 0) {
    return invalid_parameter("notional must have at most 2 decimals");
  }
  return std::nullopt;
}

Refusal read_trail(const JsonFields& fields, NewOrder& order) {
  if (fields.has("trail_price") == fields.has("trail_percent")) {
    return invalid_parameter(
        "trailing stop orders require exactly one of trail_price and trail_percent");
  }
  if (auto error = read_positive(fields, "trail_price", "trail_price", order.trail_price.raw)) {
    return error;
  }
  if (auto error = read_positive(fields, "trail_percent", "trail_percent", order.trail_percent)) {
    return error;
  }
  if (order.trail_percent >= 100 * kScale) {
    return invalid_parameter("trail_percent must be < 100");
  }
  return std::nullopt;
}

// What is wrong with the set of prices given for the type; nothing if nothing is.
std::string_view wrong_prices(OrderType type, bool limit, bool stop, bool trail) noexcept {
  switch (type) {
    case OrderType::kMarket:
      return limit || stop || trail ? "market orders require no stop or limit price" : "";
    case OrderType::kLimit:
      if (!limit) {
        return "limit orders require a limit price";
      }
      return stop || trail ? "limit orders require no stop price" : "";
    case OrderType::kStop:
      return !stop || limit || trail ? "stop orders require a stop price and no limit price" : "";
    case OrderType::kStopLimit:
      return !stop || !limit || trail ? "stop limit orders require both stop and limit price" : "";
    case OrderType::kTrailingStop:
      return limit || stop ? "trailing stop orders require no stop or limit price" : "";
  }
  return "";
}

Refusal read_prices(const JsonFields& fields, NewOrder& order) {
  const bool from_profit = order.order_class == OrderClass::kOco &&
                           order.type == OrderType::kLimit && order.take_profit.raw != 0;
  const bool limit = fields.has("limit_price");
  const bool trail = fields.has("trail_price") || fields.has("trail_percent");
  const std::string_view wrong =
      wrong_prices(order.type, limit || from_profit, fields.has("stop_price"), trail);
  if (!wrong.empty()) {
    return invalid_parameter(wrong);
  }
  if (order.type == OrderType::kTrailingStop) {
    return read_trail(fields, order);
  }
  if (auto error = read_positive(fields, "limit_price", "limit price", order.limit.raw)) {
    return error;
  }
  if (auto error = read_positive(fields, "stop_price", "stop price", order.stop.raw)) {
    return error;
  }
  if (from_profit && !limit) {
    order.limit = order.take_profit;
  }
  if (from_profit && order.limit != order.take_profit) {
    return invalid_parameter("oco orders are limited at take_profit.limit_price");
  }
  return std::nullopt;
}

Refusal read_client_order_id(const JsonFields& fields, std::string& out) {
  const JsonField* id = fields.find("client_order_id");
  if (id == nullptr) {
    return std::nullopt;
  }
  if (id->kind != JsonField::Kind::kText) {
    return malformed_body();
  }
  if (id->text.size() > kMaxClientOrderIdChars) {
    return invalid_parameter("client_order_id must be no more than 128 characters");
  }
  out = id->text;
  return std::nullopt;
}

Refusal read_client_id(const JsonFields& fields, NewOrder& order) {
  return read_client_order_id(fields, order.client_order_id);
}

Refusal read_symbol(const JsonFields& fields, const Venue& venue, NewOrder& order) {
  const auto symbol = fields.text("symbol");
  if (!symbol) {
    return fields.text("order_class") == "mleg" ? std::nullopt
                                                : Refusal(invalid_parameter("symbol is required"));
  }
  const auto index = venue.find_symbol(*symbol);
  if (!index) {
    return not_allowed("asset \"" + std::string(*symbol) + "\" not found");
  }
  order.symbol = *index;
  const bool advanced = fields.has("legs") || fields.has("advanced_instructions");
  if (!venue.symbols()[*index].is_equity() && advanced) {
    return not_allowed("crypto orders must be simple orders");
  }
  return std::nullopt;
}

}  // namespace

std::variant<NewOrder, ApiError> parse_order_request(std::string_view body, const Venue& venue) {
  JsonFields fields;
  if (!fields.parse(body)) {
    return malformed_body();
  }
  NewOrder order;
  if (auto error = read_symbol(fields, venue, order)) {
    return *std::move(error);
  }
  for (const auto read : {read_class, read_words}) {
    if (auto error = read(fields, order)) {
      return *std::move(error);
    }
  }
  // Before the prices are looked at: a type that does not exist has none that are missing.
  const bool crypto = !venue.symbols()[order.symbol].is_equity();
  if (crypto && (order.type == OrderType::kStop || order.type == OrderType::kTrailingStop)) {
    return not_allowed("invalid order type for crypto order");
  }
  for (const auto read : {read_amounts, read_prices, read_client_id}) {
    if (auto error = read(fields, order)) {
      return *std::move(error);
    }
  }
  return order;
}

std::variant<ReplaceOrder, ApiError> parse_replace_request(std::string_view body) {
  JsonFields fields;
  if (!fields.parse(body)) {
    return malformed_body();
  }
  if (fields.has("notional")) {
    return not_allowed("notional orders cannot be replaced");
  }
  if (fields.has("advanced_instructions")) {
    return not_allowed("advanced_instructions are not offered by this venue");
  }
  ReplaceOrder change;
  struct Part {
    std::string_view name;
    std::string_view spoken;
    std::function<void(std::int64_t)> put;
  };
  for (const Part& part :
       {Part{"qty", "qty", [&](std::int64_t raw) { change.qty = Qty{raw}; }},
        Part{"limit_price", "limit price", [&](std::int64_t raw) { change.limit = Price{raw}; }},
        Part{"stop_price", "stop price", [&](std::int64_t raw) { change.stop = Price{raw}; }},
        Part{"trail", "trail", [&](std::int64_t raw) { change.trail = raw; }}}) {
    std::int64_t raw = 0;
    if (auto error = read_positive(fields, part.name, part.spoken, raw)) {
      return *std::move(error);
    }
    if (fields.has(part.name)) {
      part.put(raw);
    }
  }
  if (fields.has("time_in_force")) {
    change.tif = word_in(fields.text("time_in_force").value_or(""), kTimesInForce);
    if (!change.tif) {
      return invalid_parameter("invalid time_in_force");
    }
  }
  std::string id;
  if (auto error = read_client_order_id(fields, id)) {
    return *std::move(error);
  }
  if (!id.empty()) {
    change.client_order_id = std::move(id);
  }
  return change;
}

std::variant<std::optional<bool>, ApiError> parse_suspend_trade(std::string_view body) {
  JsonFields fields;
  if (!fields.parse(body)) {
    return malformed_body();
  }
  const JsonField* field = fields.find("suspend_trade");
  if (field == nullptr) {
    return std::optional<bool>();
  }
  if (field->kind != JsonField::Kind::kBoolean) {
    return invalid_parameter("suspend_trade must be true or false");
  }
  return std::optional(field->text == "true");
}

}  // namespace sluice::sim
