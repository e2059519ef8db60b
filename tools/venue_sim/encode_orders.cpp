#include <string_view>

#include "common/base/fault.hpp"
#include "tools/venue_sim/encode_trading.hpp"

namespace sluice::sim {
namespace {

struct OrderView {
  const Order& order;
  const Symbol& symbol;
  Qty filled;
  bool stream;                    // the stream's copy has one field more
  const OrderTable* legs_from{};  // where the legs are to be shown
};

std::string_view intent(const Order& order) noexcept {
  if (order.asked.side == Side::kBuy) {
    return order.opening ? "buy_to_open" : "buy_to_close";
  }
  return order.opening ? "sell_to_open" : "sell_to_close";
}

// A price or percentage that was not given is null.
void optional_decimal(JsonWriter& json, std::string_view name, std::int64_t raw) {
  json.key(name);
  if (raw != 0) {
    json.decimal_text(raw);
  } else {
    json.null();
  }
}

void optional_id(JsonWriter& json, std::string_view name, const Id128& id) {
  json.key(name);
  if (id == Id128{}) {
    json.null();
  } else {
    json.uuid(id);
  }
}

void write_times(JsonWriter& json, const Order& order, bool stream) {
  json.key("created_at").time(order.submitted_at);
  json.key("updated_at").time(order.updated_at);
  json.key("submitted_at").time(order.submitted_at);
  json.key("filled_at").time_or_null(order.filled_at);
  json.key("expired_at").time_or_null(order.expired_at);
  json.key("expires_at").time_or_null(order.expires_at);
  if (stream) {
    json.key("cancel_requested_at").time_or_null(order.cancel_requested_at);
  }
  json.key("canceled_at").time_or_null(order.canceled_at);
  json.key("failed_at").time_or_null(order.failed_at);
  json.key("replaced_at").time_or_null(order.replaced_at);
}

void write_order(JsonWriter& json, const OrderView& view);

void write_legs(JsonWriter& json, const OrderView& view) {
  if (view.legs_from == nullptr || view.order.legs.empty()) {
    json.key("legs").null();
    return;
  }
  json.key("legs").begin_array();
  for (const OrderKey key : view.order.legs) {
    const Order& leg = (*view.legs_from)[key];
    write_order(json, {leg, view.symbol, leg.filled, false});
  }
  json.end_array();
}

void write_order(JsonWriter& json, const OrderView& view) {
  const Order& order = view.order;
  const NewOrder& asked = order.asked;
  const auto average = order.average_price();
  json.begin_object();
  json.key("id").uuid(order.id);
  json.key("client_order_id").text(asked.client_order_id);
  write_times(json, order, view.stream);
  optional_id(json, "replaced_by", order.replaced_by_id);
  optional_id(json, "replaces", order.replaces_id);
  json.key("asset_id").uuid(view.symbol.asset_id);
  json.key("symbol").text(view.symbol.name);
  json.key("asset_class").text(word(view.symbol.asset_class));
  optional_decimal(json, "notional", asked.notional.raw);
  json.key("qty");
  if (order.by_notional()) {
    json.null();
  } else {
    json.decimal_text(asked.qty.raw);
  }
  json.key("filled_qty").decimal_text(view.filled.raw);
  optional_decimal(json, "filled_avg_price", average ? average->raw : 0);
  json.key("order_class").text(word(asked.order_class));
  json.key("order_type").text(word(asked.type));
  json.key("type").text(word(asked.type));
  json.key("side").text(word(asked.side));
  json.key("position_intent").text(intent(order));
  json.key("time_in_force").text(word(asked.tif));
  optional_decimal(json, "limit_price", has_limit(asked.type) ? asked.limit.raw : 0);
  optional_decimal(json, "stop_price", asked.stop.raw);
  json.key("status").text(word(order.status));
  json.key("extended_hours").boolean(asked.extended_hours);
  write_legs(json, view);
  optional_decimal(json, "trail_percent", asked.trail_percent);
  optional_decimal(json, "trail_price", asked.trail_price.raw);
  optional_decimal(json, "hwm", asked.type == OrderType::kTrailingStop ? order.hwm.raw : 0);
  json.key("subtag").null();
  json.key("source").null();
  json.end_object();
}

}  // namespace

void encode_order(JsonWriter& json, const Order& order, const Symbol& symbol) {
  write_order(json, {order, symbol, order.filled, false});
}

void encode_order_with_legs(JsonWriter& json, const Venue& venue, OrderKey key) {
  const Order& order = venue.orders()[key];
  write_order(json,
              {order, venue.symbols()[order.asked.symbol], order.filled, false, &venue.orders()});
}

bool encode_trade_update(std::string& out, const OrderEvent& event, const Symbol& symbol,
                         const Variants& variants, NewYork* new_york) {
  Qty filled = event.order.filled;
  Price px{};
  if (event.execution != nullptr) {
    px = event.execution->px;
    if (SLUICE_PLANTED(1)) {  // the stream tells a price one tick away from the booked one
      px.raw += symbol.price_increment.raw;
    }
    if (SLUICE_PLANTED(3) && event.order.executions == 1 && !event.execution->completes) {
      return false;  // an order's first partial fill never reaches the stream
    }
    if (SLUICE_PLANTED(4)) {  // the cumulative quantity carries this execution only
      filled = event.execution->qty;
    }
  }
  JsonWriter json(out);
  json.begin_object();
  json.key("stream").text("trade_updates");
  json.key("data").begin_object();
  json.key("event").text(event.event);
  if (event.execution != nullptr || variants.id_on_every_event) {
    json.key("execution_id").uuid(event.execution_id);
  }
  json.key("timestamp");
  if (event.execution != nullptr && variants.mixed_offsets && new_york != nullptr) {
    json.text(new_york->rfc3339(event.at));
  } else {
    json.time(event.at);
  }
  if (event.execution != nullptr) {
    json.key("price").decimal_text(px.raw);
    json.key("qty").decimal_text(event.execution->qty.raw);
    json.key("position_qty").decimal_text(event.execution->position_after.raw);
  }
  json.key("order");
  write_order(json, {event.order, symbol, filled, true});
  json.end_object();
  json.end_object();
  return true;
}

}  // namespace sluice::sim
