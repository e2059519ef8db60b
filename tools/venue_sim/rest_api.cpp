#include "tools/venue_sim/rest_api.hpp"

#include <algorithm>

#include "tools/venue_sim/order_request.hpp"

namespace sluice::sim {
namespace {

constexpr std::string_view kPositions = "/v2/positions";
constexpr std::string_view kAssets = "/v2/assets";
constexpr std::string_view kAccount = "/v2/account";
constexpr std::string_view kActivities = "/v2/account/activities";
constexpr std::string_view kConfigurations = "/v2/account/configurations";
constexpr std::size_t kMaxActivitiesPage = 100;
constexpr std::int64_t kMaxCalendarDays = std::int64_t{40} * 366;

}  // namespace

ApiAnswer refuse(ApiError error) {
  return {error.status, std::move(error.body), false};
}

std::optional<std::string> below(std::string_view path, std::string_view base) {
  if (path.size() <= base.size() + 1 || !path.starts_with(base) || path[base.size()] != '/') {
    return std::nullopt;
  }
  return percent_decode(path.substr(base.size() + 1), false);
}

ApiAnswer RestApi::handle(const ApiRequest& request, WallNanos now) {
  const RestQuery query(request.query);
  if (auto answer = handle_orders(request, query, now)) {
    return *std::move(answer);
  }
  if (auto answer = handle_account(request, query, now)) {
    return *std::move(answer);
  }
  return refuse(not_found("endpoint not found"));
}

RestApi::Answer RestApi::handle_account(const ApiRequest& request, const RestQuery& query,
                                        WallNanos now) {
  const std::string_view path = request.path;
  if (request.method == "PATCH" && path == kConfigurations) {
    return configure(request.body);
  }
  if (request.method != "GET") {
    return std::nullopt;
  }
  ApiAnswer answer;
  JsonWriter json(answer.body);
  if (path == kAccount) {
    encode_account(json, identity_, venue_, new_york_, now);
    return answer;
  }
  if (path == kConfigurations) {
    encode_configurations(json, venue_);
    return answer;
  }
  if (path == kPositions) {
    return positions();
  }
  if (const auto position = below(path, kPositions)) {
    return one_position(*position);
  }
  if (path == kAssets) {
    return assets(query);
  }
  if (const auto asset = below(path, kAssets)) {
    return one_asset(*asset);
  }
  if (path == kActivities) {
    return activities({}, query);
  }
  if (const auto type = below(path, kActivities)) {
    return activities(*type, query);
  }
  if (path == "/v2/account/portfolio/history") {
    return history(now);
  }
  if (path == "/v2/clock") {
    return clock(now);
  }
  if (path == "/v2/calendar") {
    return calendar(query, now);
  }
  return std::nullopt;
}

ApiAnswer RestApi::configure(std::string_view body) {
  auto parsed = parse_suspend_trade(body);
  if (auto* error = std::get_if<ApiError>(&parsed)) {
    return refuse(std::move(*error));
  }
  if (const auto suspend = std::get<std::optional<bool>>(parsed)) {
    if (keep_) {
      keep_(*suspend);
    }
    venue_.suspend_trading(*suspend);
  }
  ApiAnswer answer;
  JsonWriter json(answer.body);
  encode_configurations(json, venue_);
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

ApiAnswer RestApi::assets(const RestQuery& query) const {
  const std::string_view asset_class = query.get("asset_class");
  const std::string_view status = query.get("status");
  ApiAnswer answer;
  JsonWriter json(answer.body);
  json.begin_array();
  for (const Symbol& symbol : venue_.symbols()) {
    if ((asset_class.empty() || asset_class == word(symbol.asset_class)) && status != "inactive") {
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

ApiAnswer RestApi::activities(std::string_view type, const RestQuery& query) {
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
  NewYork::Session session = new_york_.session(WallNanos{time_.session_ns(now)});
  session.next_open = time_.venue_time(session.next_open.ns, now);
  session.next_close = time_.venue_time(session.next_close.ns, now);
  ApiAnswer answer;
  JsonWriter json(answer.body);
  encode_clock(json, new_york_, now, session);
  return answer;
}

// The recorded calendar, in its own dates; without a start it begins with the recorded day.
ApiAnswer RestApi::calendar(const RestQuery& query, WallNanos now) {
  const CivilDay today = new_york_.local_day(WallNanos{time_.session_ns(now)});
  const auto day_of = [&](std::string_view name, CivilDay otherwise) {
    const std::string_view text = query.get(name);
    return text.empty() ? std::optional(otherwise) : parse_day(text.substr(0, 10));
  };
  const auto start = day_of("start", today);
  const auto end = day_of("end", start ? CivilDay{start->days + 365} : today);
  if (!start || !end || end->days - start->days > kMaxCalendarDays) {
    return refuse(
        invalid_parameter("start and end must be days like 2026-11-20, 40 years apart at most"));
  }
  ApiAnswer answer;
  JsonWriter json(answer.body);
  encode_calendar(json, *start, *end);
  return answer;
}

// One point: the account as it is now against how it began.
ApiAnswer RestApi::history(WallNanos now) const {
  const std::int64_t equity = venue_.worth().equity.raw;
  const std::int64_t base = venue_.ledger().start_cash().raw;
  const std::int64_t profit = equity - base;
  std::int64_t part = 0;
  if (!mul_div_half_even(profit, kScale, base, part)) {
    part = 0;
  }
  ApiAnswer answer;
  JsonWriter json(answer.body);
  json.begin_object();
  json.key("timestamp").begin_array().integer(now.ns / kNanosPerSecond).end_array();
  json.key("equity").begin_array().decimal_number(equity).end_array();
  json.key("profit_loss").begin_array().decimal_number(profit).end_array();
  json.key("profit_loss_pct").begin_array().decimal_number(part).end_array();
  json.key("base_value").decimal_number(base);
  json.key("timeframe").text("1D");
  json.end_object();
  return answer;
}

}  // namespace sluice::sim
