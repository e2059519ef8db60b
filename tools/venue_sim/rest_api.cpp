#include "tools/venue_sim/rest_api.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "tools/venue_sim/order_request.hpp"

namespace sluice::sim {
namespace {

constexpr std::string_view kOrders = "/v2/orders";
constexpr std::string_view kPositions = "/v2/positions";
constexpr std::string_view kAssets = "/v2/assets";
constexpr std::string_view kActivities = "/v2/account/activities";
constexpr std::size_t kMaxOrdersPage = 500;
constexpr std::size_t kMaxActivitiesPage = 100;

ApiAnswer refuse(ApiError error) {
  return {error.status, std::move(error.body), false};
}

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// The part of `path` behind "base/"; nothing if path is not below base.
std::optional<std::string> below(std::string_view path, std::string_view base) {
  if (path.size() <= base.size() + 1 || !path.starts_with(base) || path[base.size()] != '/') {
    return std::nullopt;
  }
  return percent_decode(path.substr(base.size() + 1), false);
}

std::vector<std::string> split(std::string_view csv) {
  std::vector<std::string> parts;
  while (!csv.empty()) {
    const std::size_t comma = std::min(csv.find(','), csv.size());
    if (comma > 0) {
      parts.emplace_back(csv.substr(0, comma));
    }
    csv.remove_prefix(std::min(comma + 1, csv.size()));
  }
  return parts;
}

}  // namespace

std::string percent_decode(std::string_view text, bool plus_is_blank) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
        hex_digit(text[i + 2]) >= 0) {
      out.push_back(static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2])));
      i += 2;
    } else {
      out.push_back(plus_is_blank && text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

class RestApi::Query {
 public:
  explicit Query(std::string_view query) {
    while (!query.empty()) {
      const std::size_t end = std::min(query.find('&'), query.size());
      const std::string_view pair = query.substr(0, end);
      const std::size_t equals = std::min(pair.find('='), pair.size());
      const std::string_view value =
          equals < pair.size() ? pair.substr(equals + 1) : std::string_view();
      pairs_.emplace_back(percent_decode(pair.substr(0, equals), true),
                          percent_decode(value, true));
      query.remove_prefix(std::min(end + 1, query.size()));
    }
  }

  // Empty when absent: the venue makes no difference.
  [[nodiscard]] std::string_view get(std::string_view name) const noexcept {
    for (const auto& [key, value] : pairs_) {
      if (key == name) {
        return value;
      }
    }
    return {};
  }

  // Each of these returns false on a value it cannot read and leaves `out` alone when absent.
  [[nodiscard]] bool size(std::string_view name, std::size_t max, std::size_t& out) const {
    const std::string_view text = get(name);
    if (text.empty()) {
      return true;
    }
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value == 0 || value > max) {
      return false;
    }
    out = value;
    return true;
  }
  // A moment, or a day, which stands for its first nanosecond in UTC.
  [[nodiscard]] bool time(std::string_view name, std::optional<WallNanos>& out) const {
    std::string text(get(name));
    if (text.empty()) {
      return true;
    }
    if (text.size() == 10) {
      text += "T00:00:00Z";
    }
    // '+' of an offset that a client left unescaped arrived as a blank.
    std::replace(text.begin(), text.end(), ' ', '+');
    WallNanos at{};
    if (!parse_rfc3339(text, at)) {
      return false;
    }
    out = at;
    return true;
  }
  [[nodiscard]] bool ascending(bool& out) const {
    const std::string_view text = get("direction");
    out = text == "asc";
    return text.empty() || text == "asc" || text == "desc";
  }

 private:
  std::vector<std::pair<std::string, std::string>> pairs_;
};

ApiAnswer RestApi::handle(const ApiRequest& request, WallNanos now) {
  const std::string_view path = request.path;
  const bool get = request.method == "GET";
  const bool remove = request.method == "DELETE";
  const Query query(request.query);
  if (path == kOrders) {
    if (get) {
      return list_orders(query);
    }
    if (request.method == "POST") {
      return post_order(request, now);
    }
    if (remove) {
      return delete_all_orders(now);
    }
  } else if (get && percent_decode(path, false) == "/v2/orders:by_client_order_id") {
    return by_client_order_id(query);
  } else if (const auto id = below(path, kOrders); id && get) {
    return one_order(*id);
  } else if (id && remove) {
    return delete_order(*id, now);
  } else if (get && path == kPositions) {
    return positions();
  } else if (const auto position = below(path, kPositions); position && get) {
    return one_position(*position);
  } else if (get && path == kAssets) {
    return assets(query);
  } else if (const auto asset = below(path, kAssets); asset && get) {
    return one_asset(*asset);
  } else if (get && path == kActivities) {
    return activities({}, query);
  } else if (const auto type = below(path, kActivities); type && get) {
    return activities(*type, query);
  } else if (get && path == "/v2/account") {
    ApiAnswer answer;
    JsonWriter json(answer.body);
    encode_account(json, identity_, venue_, new_york_, now);
    return answer;
  } else if (get && path == "/v2/clock") {
    return clock(now);
  }
  return refuse(not_found("endpoint not found"));
}

ApiAnswer RestApi::order_answer(OrderKey key) const {
  const Order& order = venue_.orders()[key];
  ApiAnswer answer;
  JsonWriter json(answer.body);
  encode_order(json, order, venue_.symbols()[order.asked.symbol]);
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
  ApiAnswer answer = order_answer(std::get<OrderKey>(submitted));
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

ApiAnswer RestApi::one_order(std::string_view id) const {
  std::optional<ApiError> refusal;
  const auto key = find_order(id, refusal);
  return key ? order_answer(*key) : refuse(*std::move(refusal));
}

ApiAnswer RestApi::by_client_order_id(const Query& query) const {
  const std::string_view id = query.get("client_order_id");
  const auto key = venue_.orders().find_client_id(id);
  return key ? order_answer(*key) : refuse(not_found("order not found for " + std::string(id)));
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
  OrderQuery open;
  open.limit = venue_.orders().size();
  for (const OrderKey key : venue_.orders().select(open)) {
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

ApiAnswer RestApi::list_orders(const Query& query) const {
  OrderQuery wanted;
  const std::string_view status = query.get("status");
  if (status == "all") {
    wanted.status = OrderQuery::Status::kAll;
  } else if (status == "closed") {
    wanted.status = OrderQuery::Status::kClosed;
  } else if (!status.empty() && status != "open") {
    return refuse(invalid_parameter("invalid status"));
  }
  if (!query.size("limit", kMaxOrdersPage, wanted.limit)) {
    return refuse(invalid_parameter("limit must be between 1 and 500"));
  }
  if (!query.time("after", wanted.after) || !query.time("until", wanted.until)) {
    return refuse(invalid_parameter("after and until must be RFC 3339 times"));
  }
  if (!query.ascending(wanted.ascending)) {
    return refuse(invalid_parameter("direction must be asc or desc"));
  }
  const std::string_view side = query.get("side");
  if (side == "buy" || side == "sell") {
    wanted.side = side == "buy" ? Side::kBuy : Side::kSell;
  }
  const auto page = [&](std::string_view name, std::optional<OrderKey>& out) {
    std::optional<ApiError> refusal;
    if (const std::string_view id = query.get(name); !id.empty()) {
      out = find_order(id, refusal);
    }
    return refusal;
  };
  for (auto& [name, out] : {std::pair<std::string_view, std::optional<OrderKey>*>{
                                "after_order_id", &wanted.after_order},
                            {"before_order_id", &wanted.before_order}}) {
    if (auto refusal = page(name, *out)) {
      return refuse(*std::move(refusal));
    }
  }
  const std::string_view asset_class = query.get("asset_class");
  bool nothing = !asset_class.empty() && asset_class != "crypto";
  const auto names = split(query.get("symbols"));
  for (const std::string& name : names) {
    if (const auto symbol = venue_.find_symbol(name)) {
      wanted.symbols.push_back(*symbol);
    }
  }
  nothing = nothing || (!names.empty() && wanted.symbols.empty());

  ApiAnswer answer;
  JsonWriter json(answer.body);
  json.begin_array();
  if (!nothing) {
    for (const OrderKey key : venue_.orders().select(wanted)) {
      const Order& order = venue_.orders()[key];
      encode_order(json, order, venue_.symbols()[order.asked.symbol]);
    }
  }
  json.end_array();
  return answer;
}

std::optional<SymbolIndex> RestApi::find_asset(std::string_view symbol_or_id) const {
  if (const auto symbol = venue_.find_symbol(symbol_or_id)) {
    return symbol;
  }
  Id128 id{};
  if (parse_uuid(symbol_or_id, id)) {
    for (std::size_t i = 0; i < venue_.symbols().size(); ++i) {
      if (venue_.symbols()[i].asset_id == id) {
        return static_cast<SymbolIndex>(i);
      }
    }
  }
  return std::nullopt;
}

ApiAnswer RestApi::positions() const {
  ApiAnswer answer;
  JsonWriter json(answer.body);
  json.begin_array();
  for (std::size_t i = 0; i < venue_.symbols().size(); ++i) {
    const auto symbol = static_cast<SymbolIndex>(i);
    if (venue_.ledger().position(symbol).qty.raw != 0) {
      encode_position(json, venue_, symbol);
    }
  }
  json.end_array();
  return answer;
}

ApiAnswer RestApi::one_position(std::string_view symbol_or_id) const {
  const auto symbol = find_asset(symbol_or_id);
  if (!symbol || venue_.ledger().position(*symbol).qty.raw == 0) {
    return refuse(not_found("position does not exist"));
  }
  ApiAnswer answer;
  JsonWriter json(answer.body);
  encode_position(json, venue_, *symbol);
  return answer;
}

ApiAnswer RestApi::assets(const Query& query) const {
  const std::string_view asset_class = query.get("asset_class");
  const std::string_view status = query.get("status");
  ApiAnswer answer;
  JsonWriter json(answer.body);
  json.begin_array();
  if ((asset_class.empty() || asset_class == "crypto") && status != "inactive") {
    for (const Symbol& symbol : venue_.symbols()) {
      encode_asset(json, symbol);
    }
  }
  json.end_array();
  return answer;
}

ApiAnswer RestApi::one_asset(std::string_view symbol_or_id) const {
  const auto symbol = find_asset(symbol_or_id);
  if (!symbol) {
    return refuse(not_found("asset not found for " + std::string(symbol_or_id)));
  }
  ApiAnswer answer;
  JsonWriter json(answer.body);
  encode_asset(json, venue_.symbols()[*symbol]);
  return answer;
}

ApiAnswer RestApi::activities(std::string_view type, const Query& query) {
  std::size_t page_size = kMaxActivitiesPage;
  std::optional<WallNanos> after;
  std::optional<WallNanos> until;
  bool ascending = false;
  if (!query.size("page_size", kMaxActivitiesPage, page_size) || !query.time("after", after) ||
      !query.time("until", until) || !query.ascending(ascending)) {
    return refuse(invalid_parameter("invalid page_size, after, until or direction"));
  }
  std::vector<std::string> types = split(type.empty() ? query.get("activity_types") : type);
  const auto asked_for = [&types](std::string_view name) {
    return types.empty() || std::find(types.begin(), types.end(), name) != types.end();
  };
  const bool fills = asked_for("FILL");
  const bool fees = asked_for("CFEE");
  const std::string day(query.get("date"));
  const std::string token(query.get("page_token"));

  const auto& log = venue_.activities();
  bool skipping = !token.empty();  // up to and including the activity the last page ended with
  std::size_t count = 0;
  ApiAnswer answer;
  JsonWriter json(answer.body);
  json.begin_array();
  for (std::size_t i = 0; i < log.size() && count < page_size; ++i) {
    const Activity& activity = log[ascending ? i : log.size() - 1 - i];
    if (skipping) {
      skipping = activity_id(venue_, activity, new_york_) != token;
      continue;
    }
    if (!(activity.kind == Activity::Kind::kFill ? fills : fees) ||
        (after && activity.at <= *after) || (until && activity.at >= *until) ||
        (!day.empty() && new_york_.date(activity.at) != day)) {
      continue;
    }
    encode_activity(json, venue_, activity, new_york_);
    ++count;
  }
  json.end_array();
  if (skipping) {
    return refuse(invalid_parameter("page_token is not an activity of this account"));
  }
  return answer;
}

// The equity market's hours in the session's own local time, told in venue time: a run across real
// midnight is the same run.
ApiAnswer RestApi::clock(WallNanos now) {
  NewYork::Session session{};
  if (timeline_.paced()) {
    Timeline map = timeline_;
    if (!map.started()) {
      map.start(now);
    }
    session = new_york_.session(WallNanos{map.session_time(now)});
    session.next_open = map.venue_time(session.next_open.ns);
    session.next_close = map.venue_time(session.next_close.ns);
  } else {
    const std::int64_t session_now = player_.session_now();
    session = new_york_.session(WallNanos{session_now});
    session.next_open.ns += now.ns - session_now;
    session.next_close.ns += now.ns - session_now;
  }
  ApiAnswer answer;
  JsonWriter json(answer.body);
  encode_clock(json, new_york_, now, session);
  return answer;
}

}  // namespace sluice::sim
