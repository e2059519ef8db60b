#include "tools/venue_sim/order_request.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

namespace sluice::sim {
namespace {

struct Field {
  enum class Kind { kText, kNumber, kBoolean, kNested };
  Kind kind;
  std::string text;
};
using Fields = std::map<std::string, Field, std::less<>>;

// Collects the top-level fields of one object with numbers as they were written: a number that went
// through binary floating point would no longer be the client's.
class FieldCollector {
 public:
  explicit FieldCollector(Fields& fields) : fields_(fields) {}

  bool null() { return top_level(); }
  bool boolean(bool value) { return put(Field::Kind::kBoolean, value ? "true" : "false"); }
  bool number_integer(std::int64_t value) {
    return put(Field::Kind::kNumber, std::to_string(value));
  }
  bool number_unsigned(std::uint64_t value) {
    return put(Field::Kind::kNumber, std::to_string(value));
  }
  bool number_float(double, const std::string& written) {
    return put(Field::Kind::kNumber, written);
  }
  bool string(std::string& value) { return put(Field::Kind::kText, value); }
  bool binary(nlohmann::json::binary_t&) { return false; }
  bool start_object(std::size_t) { return nest(); }
  bool end_object() { return --depth_ >= 0; }
  bool start_array(std::size_t) { return depth_ > 0 && nest(); }
  bool end_array() { return --depth_ >= 0; }
  bool key(std::string& name) {
    if (depth_ == 1) {
      key_ = name;
    }
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) {
    return false;
  }

 private:
  [[nodiscard]] bool top_level() const { return depth_ > 0; }  // a bare scalar is no order
  bool put(Field::Kind kind, std::string text) {
    if (depth_ == 1) {
      fields_.insert_or_assign(key_, Field{kind, std::move(text)});
    }
    return top_level();
  }
  bool nest() {
    if (depth_ == 1) {
      fields_.insert_or_assign(key_, Field{Field::Kind::kNested, {}});
    }
    ++depth_;
    return true;
  }

  Fields& fields_;
  std::string key_;
  int depth_{0};
};

const Field* find(const Fields& fields, std::string_view name) {
  const auto it = fields.find(name);
  return it == fields.end() ? nullptr : &it->second;
}

std::optional<std::string_view> text_of(const Fields& fields, std::string_view name) {
  const Field* field = find(fields, name);
  if (field == nullptr || field->kind != Field::Kind::kText) {
    return std::nullopt;
  }
  return field->text;
}

// A refusal, or nothing and the value in `raw`.
std::optional<ApiError> read_decimal(const Field& field, std::string_view name, std::int64_t& raw) {
  if (field.kind != Field::Kind::kText && field.kind != Field::Kind::kNumber) {
    return malformed_body();
  }
  const DecimalStatus status = parse_decimal(field.text, raw);
  if (status != DecimalStatus::kOk) {
    return invalid_parameter(std::string(name) + " is " + std::string(describe(status)));
  }
  return std::nullopt;
}

std::optional<ApiError> read_words(const Fields& fields, NewOrder& order) {
  const auto side = text_of(fields, "side");
  if (side == "buy") {
    order.side = Side::kBuy;
  } else if (side == "sell") {
    order.side = Side::kSell;
  } else {
    return invalid_parameter(find(fields, "side") == nullptr ? "side is required" : "invalid side");
  }
  const auto type = text_of(fields, "type");
  if (type == "market") {
    order.type = OrderType::kMarket;
  } else if (type == "limit") {
    order.type = OrderType::kLimit;
  } else if (type == "stop" || type == "trailing_stop") {
    return not_allowed("invalid order type for crypto order");
  } else if (type == "stop_limit") {
    return not_allowed("stop_limit orders are not offered by this venue");
  } else {
    return invalid_parameter(find(fields, "type") == nullptr ? "type is required"
                                                             : "invalid order type");
  }
  static constexpr std::array<std::string_view, 4> kNotForCrypto{"day", "opg", "cls", "fok"};
  const auto tif = text_of(fields, "time_in_force");
  if (tif == "gtc") {
    order.tif = TimeInForce::kGtc;
  } else if (tif == "ioc") {
    order.tif = TimeInForce::kIoc;
  } else if (tif &&
             std::find(kNotForCrypto.begin(), kNotForCrypto.end(), *tif) != kNotForCrypto.end()) {
    return not_allowed("invalid crypto time_in_force");
  } else {
    return invalid_parameter("invalid time_in_force");
  }
  return std::nullopt;
}

std::optional<ApiError> read_amounts(const Fields& fields, NewOrder& order) {
  const Field* qty = find(fields, "qty");
  const Field* notional = find(fields, "notional");
  if (qty != nullptr && notional != nullptr) {
    return api_error(400, kCodeInvalidParameter, "only one of qty or notional is accepted");
  }
  if (qty == nullptr && notional == nullptr) {
    return invalid_parameter("qty or notional is required");
  }
  if (qty == nullptr) {
    return not_allowed("notional orders are not offered by this venue");
  }
  if (auto error = read_decimal(*qty, "qty", order.qty.raw)) {
    return error;
  }
  if (order.qty.raw <= 0) {
    return invalid_parameter("qty must be > 0");
  }
  const Field* limit = find(fields, "limit_price");
  const bool has_stop = find(fields, "stop_price") != nullptr ||
                        find(fields, "trail_price") != nullptr ||
                        find(fields, "trail_percent") != nullptr;
  if (order.type == OrderType::kMarket) {
    if (limit != nullptr || has_stop) {
      return invalid_parameter("market orders require no stop or limit price");
    }
    return std::nullopt;
  }
  if (limit == nullptr) {
    return invalid_parameter("limit orders require a limit price");
  }
  if (has_stop) {
    return invalid_parameter("limit orders require no stop price");
  }
  if (auto error = read_decimal(*limit, "limit_price", order.limit.raw)) {
    return error;
  }
  if (order.limit.raw <= 0) {
    return invalid_parameter("limit price must be > 0");
  }
  return std::nullopt;
}

std::optional<ApiError> read_extras(const Fields& fields, NewOrder& order) {
  if (const Field* id = find(fields, "client_order_id")) {
    if (id->kind != Field::Kind::kText) {
      return malformed_body();
    }
    if (id->text.size() > kMaxClientOrderIdChars) {
      return invalid_parameter("client_order_id must be no more than 128 characters");
    }
    order.client_order_id = id->text;
  }
  const auto order_class = text_of(fields, "order_class");
  if (order_class && !order_class->empty() && *order_class != "simple") {
    return not_allowed("crypto orders must be simple orders");
  }
  for (const char* name : {"take_profit", "stop_loss", "legs", "advanced_instructions"}) {
    if (find(fields, name) != nullptr) {
      return not_allowed("crypto orders must be simple orders");
    }
  }
  const Field* extended = find(fields, "extended_hours");
  if (extended != nullptr && extended->text == "true") {
    return not_allowed("extended_hours is not supported for crypto orders");
  }
  return std::nullopt;
}

}  // namespace

std::variant<NewOrder, ApiError> parse_order_request(std::string_view body, const Venue& venue) {
  Fields fields;
  FieldCollector collector(fields);
  if (!nlohmann::json::sax_parse(body, &collector)) {
    return malformed_body();
  }
  NewOrder order;
  const auto symbol = text_of(fields, "symbol");
  if (!symbol) {
    return invalid_parameter("symbol is required");
  }
  const auto index = venue.find_symbol(*symbol);
  if (!index) {
    return not_allowed("asset \"" + std::string(*symbol) + "\" not found");
  }
  order.symbol = *index;
  for (const auto read : {read_words, read_amounts, read_extras}) {
    if (auto error = read(fields, order)) {
      return *std::move(error);
    }
  }
  return order;
}

}  // namespace sluice::sim
