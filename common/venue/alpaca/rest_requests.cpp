#include "common/venue/alpaca/rest.hpp"
#include "common/venue/text_writer.hpp"

namespace sluice::venue::alpaca {
namespace {

constexpr std::string_view kNoWord{};

std::string_view word(OrderType type) noexcept {
  return type == OrderType::kNone ? kNoWord : std::string_view{sluice::to_string(type)};
}
std::string_view word(TimeInForce tif) noexcept {
  return tif == TimeInForce::kNone ? kNoWord : std::string_view{sluice::to_string(tif)};
}
std::string_view word(Side side) noexcept {
  return side == Side::kNone ? kNoWord : std::string_view{sluice::to_string(side)};
}

constexpr bool needs_limit(OrderType type) noexcept {
  return type == OrderType::kLimit || type == OrderType::kStopLimit;
}
constexpr bool needs_stop(OrderType type) noexcept {
  return type == OrderType::kStop || type == OrderType::kStopLimit;
}

bool is_sound(const OrderRequest& order) noexcept {
  const bool limit = needs_limit(order.type) ? order.limit.raw > 0 : order.limit.raw == 0;
  const bool stop = needs_stop(order.type) ? order.stop.raw > 0 : order.stop.raw == 0;
  return limit && stop && order.qty.raw > 0 && !order.symbol.empty() &&
         !order.client_order_id.empty() && order.client_order_id.size() <= kClientOrderIdChars &&
         !word(order.side).empty() && !word(order.type).empty() && !word(order.tif).empty();
}

// `?a=b` for the first, `&c=d` for the others.
class Query {
 public:
  explicit Query(TextWriter& writer) noexcept : writer_(writer) {}
  TextWriter& key(std::string_view name) noexcept {
    writer_.put(first_ ? "?" : "&").put(name).put("=");
    first_ = false;
    return writer_;
  }
  void time(std::string_view name, WallNanos at) noexcept {
    if (at.ns != 0) {
      std::array<char, kMaxRfc3339Chars> text;
      key(name).url_text({text.data(), format_rfc3339(at, text.data())});
    }
  }

 private:
  TextWriter& writer_;
  bool first_{true};
};

}  // namespace

std::size_t encode_order(const OrderRequest& order, std::span<char> out) noexcept {
  if (!is_sound(order)) {
    return 0;
  }
  TextWriter writer(out);
  writer.put(R"({"symbol":)").json_text(order.symbol);
  writer.put(R"(,"qty":")").decimal(order.qty.raw);
  writer.put(R"(","side":")").put(word(order.side));
  writer.put(R"(","type":")").put(word(order.type));
  writer.put(R"(","time_in_force":")").put(word(order.tif)).put("\"");
  if (needs_limit(order.type)) {
    writer.put(R"(,"limit_price":")").decimal(order.limit.raw).put("\"");
  }
  if (needs_stop(order.type)) {
    writer.put(R"(,"stop_price":")").decimal(order.stop.raw).put("\"");
  }
  if (order.extended_hours) {
    writer.put(R"(,"extended_hours":true)");
  }
  writer.put(R"(,"client_order_id":)").json_text(order.client_order_id).put("}");
  return writer.finish();
}

std::size_t encode_replace(const ReplaceRequest& replace, std::span<char> out) noexcept {
  const bool nothing = replace.qty.raw == 0 && replace.limit.raw == 0;
  if (nothing || replace.qty.raw < 0 || replace.limit.raw < 0 || replace.client_order_id.empty() ||
      replace.client_order_id.size() > kClientOrderIdChars) {
    return 0;
  }
  TextWriter writer(out);
  writer.put("{");
  if (replace.qty.raw != 0) {
    writer.put(R"("qty":")").decimal(replace.qty.raw).put(R"(",)");
  }
  if (replace.limit.raw != 0) {
    writer.put(R"("limit_price":")").decimal(replace.limit.raw).put(R"(",)");
  }
  writer.put(R"("client_order_id":)").json_text(replace.client_order_id).put("}");
  return writer.finish();
}

std::size_t encode_order_target(const Id128& id, std::span<char> out) noexcept {
  return TextWriter(out).put(kOrdersTarget).put("/").uuid(id).finish();
}

std::size_t encode_client_order_id_target(std::string_view client_order_id,
                                          std::span<char> out) noexcept {
  if (client_order_id.empty() || client_order_id.size() > kClientOrderIdChars) {
    return 0;
  }
  TextWriter writer(out);
  writer.put("/v2/orders:by_client_order_id?client_order_id=").url_text(client_order_id);
  return writer.finish();
}

std::size_t encode_orders_target(const OrdersQuery& query, std::span<char> out) noexcept {
  if (query.limit == 0 || query.limit > 500) {
    return 0;
  }
  TextWriter writer(out);
  writer.put(kOrdersTarget);
  Query parameters(writer);
  parameters.key("status").put(query.scope == OrderScope::kOpen     ? "open"
                               : query.scope == OrderScope::kClosed ? "closed"
                                                                    : "all");
  parameters.key("limit").number(query.limit);
  parameters.time("after", query.after);
  parameters.time("until", query.until);
  parameters.key("direction").put(query.ascending ? "asc" : "desc");
  return writer.finish();
}

std::size_t encode_activities_target(const ActivitiesQuery& query, std::span<char> out) noexcept {
  if (query.page_size == 0 || query.page_size > 100) {
    return 0;
  }
  TextWriter writer(out);
  writer.put("/v2/account/activities");
  Query parameters(writer);
  if (!query.types.empty()) {
    parameters.key("activity_types").url_text(query.types);
  }
  parameters.time("after", query.after);
  parameters.time("until", query.until);
  parameters.key("direction").put(query.ascending ? "asc" : "desc");
  parameters.key("page_size").number(query.page_size);
  if (!query.page_token.empty()) {
    parameters.key("page_token").url_text(query.page_token);
  }
  return writer.finish();
}

}  // namespace sluice::venue::alpaca
