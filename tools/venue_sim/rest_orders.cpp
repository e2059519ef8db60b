// Orders and the closing of positions over REST.
#include <algorithm>
#include <utility>

#include "tools/venue_sim/order_request.hpp"
#include "tools/venue_sim/rest_api.hpp"

namespace sluice::sim {
namespace {

constexpr std::string_view kOrders = "/v2/orders";
constexpr std::string_view kPositions = "/v2/positions";
constexpr std::size_t kMaxOrdersPage = 500;

}  // namespace

RestApi::Answer RestApi::handle_orders(const ApiRequest& request, const RestQuery& query,
                                       WallNanos now) {
  const std::string_view path = request.path;
  const std::string_view method = request.method;
  if (path == kOrders) {
    if (method == "GET") {
      return list_orders(query);
    }
    if (method == "POST") {
      return post_order(request, now);
    }
    if (method == "DELETE") {
      return delete_all_orders(now);
    }
  }
  if (method == "GET" && percent_decode(path, false) == "/v2/orders:by_client_order_id") {
    return by_client_order_id(query);
  }
  if (const auto id = below(path, kOrders)) {
    if (method == "GET") {
      return one_order(*id, query.is_true("nested"));
    }
    if (method == "PATCH") {
      return replace_order(*id, request.body, now);
    }
    if (method == "DELETE") {
      return delete_order(*id, now);
    }
  }
  if (method == "DELETE" && path == kPositions) {
    return close_all_positions(query.is_true("cancel_orders"), now);
  }
  if (const auto position = below(path, kPositions); position && method == "DELETE") {
    return close_position(*position, query, now);
  }
  return std::nullopt;
}

ApiAnswer RestApi::order_answer(OrderKey key, bool with_legs) const {
  const Order& order = venue_.orders()[key];
  ApiAnswer answer;
  JsonWriter json(answer.body);
  if (with_legs) {
    encode_order_with_legs(json, venue_, key);
  } else {
    encode_order(json, order, venue_.symbols()[order.asked.symbol]);
  }
  return answer;
}

ApiAnswer RestApi::post_order(const ApiRequest& request, WallNanos now) {
  auto parsed = parse_order_request(request.body, venue_);
  if (auto* error = std::get_if<ApiError>(&parsed)) {
    return refuse(std::move(*error));
  }
  auto submitted = venue_.submit(now, std::get<NewOrder>(std::move(parsed)));
  if (auto* error = std::get_if<ApiError>(&submitted)) {
    return refuse(std::move(*error));
  }
  ApiAnswer answer = order_answer(std::get<OrderKey>(submitted), true);
  answer.accepted_order = true;
  return answer;
}

ApiAnswer RestApi::replace_order(std::string_view id, std::string_view body, WallNanos now) {
  std::optional<ApiError> refusal;
  const auto key = find_order(id, refusal);
  if (!key) {
    return refuse(*std::move(refusal));
  }
  auto parsed = parse_replace_request(body);
  if (auto* error = std::get_if<ApiError>(&parsed)) {
    return refuse(std::move(*error));
  }
  auto replaced = venue_.replace(now, *key, std::get<ReplaceOrder>(parsed));
  if (auto* error = std::get_if<ApiError>(&replaced)) {
    return refuse(std::move(*error));
  }
  ApiAnswer answer = order_answer(std::get<OrderKey>(replaced), false);
  answer.accepted_order = true;
  return answer;
}

std::optional<OrderKey> RestApi::find_order(std::string_view id,
                                            std::optional<ApiError>& refusal) const {
  Id128 uuid{};
  if (!parse_uuid(id, uuid)) {
    refusal = invalid_parameter("order_id is invalid");
    return std::nullopt;
  }
  const auto key = venue_.orders().find(uuid);
  if (!key) {
    refusal = not_found("order not found for " + std::string(id));
  }
  return key;
}

ApiAnswer RestApi::one_order(std::string_view id, bool nested) const {
  std::optional<ApiError> refusal;
  const auto key = find_order(id, refusal);
  return key ? order_answer(*key, nested) : refuse(*std::move(refusal));
}

ApiAnswer RestApi::by_client_order_id(const RestQuery& query) const {
  const std::string_view id = query.get("client_order_id");
  const auto key = venue_.orders().find_client_id(id);
  return key ? order_answer(*key, query.is_true("nested"))
             : refuse(not_found("order not found for " + std::string(id)));
}

ApiAnswer RestApi::delete_order(std::string_view id, WallNanos now) {
  std::optional<ApiError> refusal;
  const auto key = find_order(id, refusal);
  if (key) {
    refusal = venue_.cancel(now, *key);
  }
  return refusal ? refuse(*std::move(refusal)) : ApiAnswer{204, {}, false};
}

ApiAnswer RestApi::delete_all_orders(WallNanos now) {
  ApiAnswer answer;
  answer.status = 207;
  JsonWriter json(answer.body);
  json.begin_array();
  const std::vector<OrderKey> keys(venue_.open().rbegin(), venue_.open().rend());
  for (const OrderKey key : keys) {
    const auto refusal = venue_.cancel(now, key);
    json.begin_object();
    json.key("id").uuid(venue_.orders()[key].id);
    json.key("status").integer(refusal ? 500 : 200);
    if (refusal) {
      json.key("body").raw(refusal->body);
    }
    json.end_object();
  }
  json.end_array();
  return answer;
}

std::optional<ApiError> RestApi::read_filters(const RestQuery& query, OrderQuery& wanted) const {
  const std::string_view status = query.get("status");
  if (status == "all") {
    wanted.status = OrderQuery::Status::kAll;
  } else if (status == "closed") {
    wanted.status = OrderQuery::Status::kClosed;
  } else if (!status.empty() && status != "open") {
    return invalid_parameter("invalid status");
  }
  if (!query.size("limit", kMaxOrdersPage, wanted.limit)) {
    return invalid_parameter("limit must be between 1 and 500");
  }
  if (!query.time("after", wanted.after) || !query.time("until", wanted.until)) {
    return invalid_parameter("after and until must be RFC 3339 times");
  }
  if (!query.ascending(wanted.ascending)) {
    return invalid_parameter("direction must be asc or desc");
  }
  const std::string_view side = query.get("side");
  if (side == "buy" || side == "sell") {
    wanted.side = side == "buy" ? Side::kBuy : Side::kSell;
  } else if (!side.empty()) {
    return invalid_parameter("side must be buy or sell");
  }
  wanted.nested = query.is_true("nested");
  for (auto& [name, out] : {std::pair<std::string_view, std::optional<OrderKey>*>{
                                "after_order_id", &wanted.after_order},
                            {"before_order_id", &wanted.before_order}}) {
    if (const std::string_view id = query.get(name); !id.empty()) {
      std::optional<ApiError> refusal;
      *out = find_order(id, refusal);
      if (refusal) {
        return refusal;
      }
    }
  }
  return std::nullopt;
}

ApiAnswer RestApi::list_orders(const RestQuery& query) const {
  OrderQuery wanted;
  if (auto refusal = read_filters(query, wanted)) {
    return refuse(*std::move(refusal));
  }
  const std::string_view asset_class = query.get("asset_class");
  const auto names = split(query.get("symbols"));
  for (std::size_t i = 0; i < venue_.symbols().size(); ++i) {
    const Symbol& symbol = venue_.symbols()[i];
    const bool named = names.empty() ||
                       std::find(names.begin(), names.end(), symbol.name) != names.end() ||
                       std::find(names.begin(), names.end(), symbol.compact) != names.end();
    if (named && (asset_class.empty() || asset_class == word(symbol.asset_class))) {
      wanted.symbols.push_back(static_cast<SymbolIndex>(i));
    }
  }
  ApiAnswer answer;
  JsonWriter json(answer.body);
  json.begin_array();
  if (!wanted.symbols.empty()) {
    for (const OrderKey key : venue_.orders().select(wanted)) {
      const Order& order = venue_.orders()[key];
      if (wanted.nested) {
        encode_order_with_legs(json, venue_, key);
      } else {
        encode_order(json, order, venue_.symbols()[order.asked.symbol]);
      }
    }
  }
  json.end_array();
  return answer;
}

ApiAnswer RestApi::close(SymbolIndex symbol, Qty qty, WallNanos now) {
  if (qty.raw <= 0) {
    return refuse(invalid_parameter("qty must be > 0"));  // less than the lot
  }
  auto submitted = venue_.submit(now, venue_.closing_order(symbol, qty));
  if (auto* error = std::get_if<ApiError>(&submitted)) {
    return refuse(std::move(*error));
  }
  ApiAnswer answer = order_answer(std::get<OrderKey>(submitted), false);
  answer.accepted_order = true;
  return answer;
}

// All of it, `qty` of it, or `percentage` of it, down to the lot.
ApiAnswer RestApi::close_position(std::string_view symbol_or_id, const RestQuery& query,
                                  WallNanos now) {
  const auto symbol = find_asset(symbol_or_id);
  const std::int64_t position = symbol ? venue_.ledger().position(*symbol).qty.raw : 0;
  if (position == 0) {
    return refuse(not_found("position does not exist"));
  }
  const std::string_view qty_text = query.get("qty");
  const std::string_view percentage_text = query.get("percentage");
  if (!qty_text.empty() && !percentage_text.empty()) {
    return refuse(invalid_parameter("only one of qty or percentage is accepted"));
  }
  std::int64_t qty = position < 0 ? -position : position;
  if (!qty_text.empty() && (parse_decimal(qty_text, qty) != DecimalStatus::kOk || qty <= 0)) {
    return refuse(invalid_parameter("qty must be > 0"));
  }
  if (!percentage_text.empty()) {
    std::int64_t percentage = 0;
    if (parse_decimal(percentage_text, percentage) != DecimalStatus::kOk || percentage <= 0 ||
        percentage > 100 * kScale || !mul_div_half_even(qty, percentage, 100 * kScale, qty)) {
      return refuse(invalid_parameter("percentage must be > 0 and <= 100"));
    }
  }
  const std::int64_t lot = std::max<std::int64_t>(venue_.symbols()[*symbol].lot().raw, 1);
  return close(*symbol, Qty{qty - qty % lot}, now);
}

// With cancel_orders the orders are gone when the closing ones are sent; without, what they hold
// cannot be closed, and its item says so.
ApiAnswer RestApi::close_all_positions(bool cancel_orders, WallNanos now) {
  if (cancel_orders) {
    const std::vector<OrderKey> keys(venue_.open().begin(), venue_.open().end());
    for (const OrderKey key : keys) {
      venue_.cancel_at_once(now, key);
    }
  }
  ApiAnswer answer;
  answer.status = 207;
  JsonWriter json(answer.body);
  json.begin_array();
  for (std::size_t i = 0; i < venue_.symbols().size(); ++i) {
    const auto symbol = static_cast<SymbolIndex>(i);
    const std::int64_t position = venue_.ledger().position(symbol).qty.raw;
    if (position == 0) {
      continue;
    }
    const std::int64_t lot = std::max<std::int64_t>(venue_.symbols()[i].lot().raw, 1);
    const std::int64_t qty = position < 0 ? -position : position;
    const ApiAnswer one = close(symbol, Qty{qty - qty % lot}, now);
    json.begin_object();
    json.key("symbol").text(venue_.symbols()[i].compact);
    json.key("status").integer(one.status);
    json.key("body").raw(one.body);
    json.end_object();
    answer.accepted_order = answer.accepted_order || one.accepted_order;
  }
  json.end_array();
  return answer;
}

}  // namespace sluice::sim
