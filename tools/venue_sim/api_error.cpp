#include "tools/venue_sim/api_error.hpp"

#include "tools/venue_sim/json_writer.hpp"

namespace sluice::sim {

ApiError api_error(int status, std::int64_t code, std::string_view message) {
  ApiError error{status, {}};
  JsonWriter json(error.body);
  json.begin_object();
  json.key("code").integer(code);
  json.key("message").text(message);
  json.end_object();
  return error;
}

ApiError unauthorized() {
  return {401, R"({"message":"unauthorized."})"};
}

ApiError malformed_body() {
  return api_error(400, kCodeMalformedBody, "request body format is invalid");
}

ApiError invalid_parameter(std::string_view message) {
  return api_error(422, kCodeInvalidParameter, message);
}

ApiError not_allowed(std::string_view message) {
  return api_error(422, kCodeNotAllowed, message);
}

ApiError not_found(std::string_view message) {
  return api_error(404, kCodeNotFound, message);
}

ApiError rate_limited() {
  return api_error(429, kCodeRateLimit, "rate limit exceeded");
}

ApiError insufficient_buying_power(Cash buying_power, Cash cost_basis) {
  ApiError error{403, {}};
  JsonWriter json(error.body);
  json.begin_object();
  json.key("buying_power").decimal_text(buying_power.raw);
  json.key("code").integer(kCodeForbidden);
  json.key("cost_basis").decimal_text(cost_basis.raw);
  json.key("message").text("insufficient buying power");
  json.end_object();
  return error;
}

ApiError cost_basis_too_small(Cash minimum) {
  return api_error(403, kCodeForbidden,
                   "cost basis must be >= minimal amount of order " + to_string(minimum));
}

ApiError insufficient_qty(const QtyShortage& shortage) {
  ApiError error{403, {}};
  JsonWriter json(error.body);
  json.begin_object();
  json.key("available").decimal_text(shortage.available.raw);
  json.key("code").integer(kCodeForbidden);
  json.key("existing_qty").decimal_text(shortage.existing.raw);
  json.key("held_for_orders").decimal_text(shortage.held.raw);
  json.key("message").text(
      "insufficient qty available for order (requested: " + to_string(shortage.requested) +
      ", available: " + to_string(shortage.available) + ")");
  json.key("symbol").text(shortage.symbol);
  json.end_object();
  return error;
}

ApiError wash_trade(const Id128& existing_order, std::string_view reason, bool is_403) {
  ApiError error{is_403 ? 403 : 422, {}};
  JsonWriter json(error.body);
  json.begin_object();
  json.key("code").integer(is_403 ? kCodeForbidden : kCodeNotAllowed);
  json.key("existing_order_id").uuid(existing_order);
  json.key("message").text("potential wash trade detected. use complex orders");
  json.key("reject_reason").text(reason);
  json.end_object();
  return error;
}

}  // namespace sluice::sim
