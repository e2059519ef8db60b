#include "tools/venue_sim/encode_trading.hpp"

#include <map>
#include <optional>
#include <string_view>

#include "common/base/fault.hpp"

namespace sluice::sim {
namespace {

constexpr std::int64_t kGtcDays = 90;
constexpr std::int64_t kDayNs = 86'400 * kNanosPerSecond;

struct OrderView {
  const Order& order;
  const Symbol& symbol;
  Qty filled;
  bool stream;  // the stream's copy has one field more
};

void write_order(JsonWriter& json, const OrderView& view) {
  const Order& order = view.order;
  const bool limit = order.asked.type == OrderType::kLimit;
  const auto average = order.average_price();
  json.begin_object();
  json.key("id").uuid(order.id);
  json.key("client_order_id").text(order.asked.client_order_id);
  json.key("created_at").time(order.submitted_at);
  json.key("updated_at").time(order.updated_at);
  json.key("submitted_at").time(order.submitted_at);
  json.key("filled_at").time_or_null(order.filled_at);
  json.key("expired_at").null();
  if (order.asked.tif == TimeInForce::kGtc) {
    json.key("expires_at").time({order.submitted_at.ns + kGtcDays * kDayNs});
  } else {
    json.key("expires_at").null();
  }
  if (view.stream) {
    json.key("cancel_requested_at").time_or_null(order.cancel_requested_at);
  }
  json.key("canceled_at").time_or_null(order.canceled_at);
  json.key("failed_at").null();
  json.key("replaced_at").null();
  json.key("replaced_by").null();
  json.key("replaces").null();
  json.key("asset_id").uuid(view.symbol.asset_id);
  json.key("symbol").text(view.symbol.name);
  json.key("asset_class").text("crypto");
  json.key("notional").null();
  json.key("qty").decimal_text(order.asked.qty.raw);
  json.key("filled_qty").decimal_text(view.filled.raw);
  if (average) {
    json.key("filled_avg_price").decimal_text(average->raw);
  } else {
    json.key("filled_avg_price").null();
  }
  json.key("order_class").text("");
  json.key("order_type").text(word(order.asked.type));
  json.key("type").text(word(order.asked.type));
  json.key("side").text(word(order.asked.side));
  json.key("position_intent")
      .text(order.asked.side == Side::kBuy ? "buy_to_open" : "sell_to_close");
  json.key("time_in_force").text(word(order.asked.tif));
  if (limit) {
    json.key("limit_price").decimal_text(order.asked.limit.raw);
  } else {
    json.key("limit_price").null();
  }
  json.key("stop_price").null();
  json.key("status").text(word(order.status));
  json.key("extended_hours").boolean(false);
  json.key("legs").null();
  json.key("trail_percent").null();
  json.key("trail_price").null();
  json.key("hwm").null();
  json.key("subtag").null();
  json.key("source").null();
  json.end_object();
}

// Value of a quantity at a price, for display: 0 where there is no price or no room for it.
std::int64_t display_value(const std::optional<Price>& px, Qty qty) {
  Cash value{};
  return px && notional(*px, qty, value) ? value.raw : 0;
}

std::int64_t market_value(const Venue& venue) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < venue.symbols().size(); ++i) {
    const auto symbol = static_cast<SymbolIndex>(i);
    const std::int64_t value =
        display_value(venue.mark(symbol), venue.ledger().position(symbol).qty);
    std::int64_t next = 0;
    sum = add_checked(sum, value, next) ? next : sum;
  }
  return sum;
}

}  // namespace

void encode_order(JsonWriter& json, const Order& order, const Symbol& symbol) {
  write_order(json, {order, symbol, order.filled, false});
}

bool encode_trade_update(std::string& out, const OrderEvent& event, const Symbol& symbol) {
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
  json.key("execution_id").uuid(event.execution_id);
  json.key("timestamp").time(event.at);
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

void encode_account(JsonWriter& json, const AccountIdentity& identity, const Venue& venue,
                    NewYork& new_york, WallNanos now) {
  const Ledger& ledger = venue.ledger();
  const std::int64_t cash = ledger.cash().raw;
  const std::int64_t positions = market_value(venue);
  std::int64_t equity = cash;
  static_cast<void>(add_checked(cash, positions, equity));
  const std::int64_t power = ledger.buying_power().raw;
  json.begin_object();
  json.key("id").uuid(identity.id);
  json.key("account_number").text(identity.number);
  json.key("status").text("ACTIVE");
  json.key("crypto_status").text("ACTIVE");
  json.key("currency").text("USD");
  json.key("created_at").time(identity.created_at);
  json.key("balance_asof").text(new_york.date(now));
  json.key("cash").decimal_text(cash);
  json.key("equity").decimal_text(equity);
  json.key("last_equity").decimal_text(ledger.start_cash().raw);
  json.key("portfolio_value").decimal_text(equity);
  json.key("buying_power").decimal_text(power);
  json.key("regt_buying_power").decimal_text(power);
  json.key("non_marginable_buying_power").decimal_text(power);
  json.key("options_buying_power").decimal_text(0);
  json.key("effective_buying_power").decimal_text(power);
  json.key("long_market_value").decimal_text(positions);
  json.key("short_market_value").decimal_text(0);
  for (const char* name : {"initial_margin", "maintenance_margin", "last_maintenance_margin", "sma",
                           "accrued_fees", "intraday_adjustments", "pending_transfer_in",
                           "pending_transfer_out", "pending_reg_taf_fees"}) {
    json.key(name).decimal_text(0);
  }
  json.key("multiplier").text("1");
  json.key("options_approved_level").integer(0);
  json.key("options_trading_level").integer(0);
  for (const char* name : {"shorting_enabled", "trading_blocked", "transfers_blocked",
                           "account_blocked", "trade_suspended_by_user", "pattern_day_trader"}) {
    json.key(name).boolean(false);
  }
  json.key("daytrade_count").integer(0);
  json.key("daytrading_buying_power").decimal_text(0);
  json.end_object();
}

void encode_position(JsonWriter& json, const Venue& venue, SymbolIndex index) {
  const Symbol& symbol = venue.symbols()[index];
  const Position& position = venue.ledger().position(index);
  const auto mark = venue.mark(index);
  const std::int64_t value = display_value(mark, position.qty);
  std::int64_t average = 0;
  static_cast<void>(mul_div_half_even(position.cost.raw, kScale, position.qty.raw, average));
  std::int64_t profit = 0;
  static_cast<void>(sub_checked(value, position.cost.raw, profit));
  std::int64_t profit_ratio = 0;
  static_cast<void>(mul_div_half_even(profit, kScale, position.cost.raw, profit_ratio));
  json.begin_object();
  json.key("asset_id").uuid(symbol.asset_id);
  json.key("symbol").text(symbol.compact);
  json.key("exchange").text("CRYPTO");
  json.key("asset_class").text("crypto");
  json.key("asset_marginable").boolean(false);
  json.key("qty").decimal_text(position.qty.raw);
  json.key("qty_available").decimal_text(venue.ledger().available(index).raw);
  json.key("side").text(position.qty.raw < 0 ? "short" : "long");
  json.key("avg_entry_price").decimal_text(average);
  json.key("market_value").decimal_text(value);
  json.key("cost_basis").decimal_text(position.cost.raw);
  json.key("unrealized_pl").decimal_text(profit);
  json.key("unrealized_plpc").decimal_text(profit_ratio);
  json.key("unrealized_intraday_pl").decimal_text(profit);
  json.key("unrealized_intraday_plpc").decimal_text(profit_ratio);
  json.key("current_price").decimal_text(mark ? mark->raw : 0);
  json.key("lastday_price").null();
  json.key("change_today").null();
  json.end_object();
}

void encode_asset(JsonWriter& json, const Symbol& symbol) {
  json.begin_object();
  json.key("id").uuid(symbol.asset_id);
  json.key("class").text("crypto");
  json.key("exchange").text("CRYPTO");
  json.key("symbol").text(symbol.name);
  json.key("name").text(symbol.base + " / " + symbol.quote);
  json.key("status").text("active");
  json.key("tradable").boolean(true);
  json.key("marginable").boolean(false);
  json.key("maintenance_margin_requirement").integer(100);
  json.key("margin_requirement_long").text("100");
  json.key("margin_requirement_short").text("100");
  json.key("shortable").boolean(false);
  json.key("easy_to_borrow").boolean(false);
  json.key("fractionable").boolean(true);
  json.key("attributes").begin_array().end_array();
  json.key("min_order_size").decimal_text(symbol.min_order_qty.raw);
  json.key("min_trade_increment").decimal_text(symbol.qty_increment.raw);
  json.key("price_increment").decimal_text(symbol.price_increment.raw);
  json.end_object();
}

void encode_clock(JsonWriter& json, NewYork& new_york, WallNanos now,
                  const NewYork::Session& session) {
  json.begin_object();
  json.key("timestamp").text(new_york.rfc3339(now));
  json.key("is_open").boolean(session.is_open);
  json.key("next_open").text(new_york.rfc3339(session.next_open));
  json.key("next_close").text(new_york.rfc3339(session.next_close));
  json.end_object();
}

std::string activity_id(const Venue& venue, const Activity& activity, NewYork& new_york) {
  return new_york.id_prefix(activity.at) +
         "::" + to_string(venue.executions()[activity.execution].id);
}

void encode_activity(JsonWriter& json, const Venue& venue, const Activity& activity,
                     NewYork& new_york) {
  const Execution& execution = venue.executions()[activity.execution];
  const Order& order = venue.orders()[execution.order];
  const Symbol& symbol = venue.symbols()[order.asked.symbol];
  json.begin_object();
  json.key("id").text(activity_id(venue, activity, new_york));
  if (activity.kind == Activity::Kind::kFill) {
    json.key("activity_type").text("FILL");
    json.key("transaction_time").time(execution.at);
    json.key("type").text(execution.completes ? "fill" : "partial_fill");
    json.key("price").decimal_text(execution.px.raw);
    json.key("qty").decimal_text(execution.qty.raw);
    json.key("side").text(word(order.asked.side));
    json.key("symbol").text(symbol.name);
    json.key("leaves_qty").decimal_text(order.asked.qty.raw - execution.cum_qty.raw);
    json.key("order_id").uuid(order.id);
    json.key("cum_qty").decimal_text(execution.cum_qty.raw);
    json.key("order_status").text(execution.completes ? "filled" : "partially_filled");
  } else {
    json.key("activity_type").text("CFEE");
    json.key("date").text(new_york.date(activity.at));
    json.key("symbol").text(symbol.compact);
    if (execution.fee_in_base) {
      json.key("qty").decimal_text(-execution.fee);
    } else {
      json.key("net_amount").decimal_text(-execution.fee);
    }
    json.key("price").decimal_text(execution.px.raw);
    json.key("description")
        .text(execution.fee_in_base ? "Coin Pair Transaction Fee (Non USD)"
                                    : "Coin Pair Transaction Fee (USD)");
    json.key("status").text("executed");
  }
  json.end_object();
}

std::string encode_ledger(const Venue& venue) {
  const Ledger& ledger = venue.ledger();
  std::map<std::string, const Order*> orders;
  for (const Order& order : venue.orders().all()) {
    orders.emplace(order.asked.client_order_id, &order);
  }
  std::map<std::string, const Execution*> executions;
  for (const Execution& execution : venue.executions()) {
    executions.emplace(to_string(execution.id), &execution);
  }
  std::map<std::string, std::int64_t> fees;
  std::map<std::string, std::int64_t> positions;
  if (ledger.fees_in_cash().raw != 0) {
    fees["USD"] = ledger.fees_in_cash().raw;
  }
  for (std::size_t i = 0; i < ledger.symbols(); ++i) {
    const Position& position = ledger.position(static_cast<SymbolIndex>(i));
    if (position.fees.raw != 0) {
      fees[venue.symbols()[i].base] += position.fees.raw;
    }
    if (position.qty.raw != 0) {
      positions[venue.symbols()[i].compact] = position.qty.raw;
    }
  }

  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("cash").begin_object().key("USD").decimal_text(ledger.cash().raw).end_object();
  json.key("executions").begin_object();
  for (const auto& [id, execution] : executions) {
    const Order& order = venue.orders()[execution->order];
    const Symbol& symbol = venue.symbols()[order.asked.symbol];
    json.key(id).begin_object();
    json.key("fee").decimal_text(execution->fee);
    json.key("fee_asset").text(execution->fee_in_base ? symbol.base : symbol.quote);
    json.key("order_id").uuid(order.id);
    json.key("px").decimal_text(execution->px.raw);
    json.key("qty").decimal_text(execution->qty.raw);
    json.key("side").text(word(order.asked.side));
    json.key("symbol").text(symbol.name);
    json.end_object();
  }
  json.end_object();
  json.key("fees").begin_object();
  for (const auto& [asset, total] : fees) {
    json.key(asset).decimal_text(total);
  }
  json.end_object();
  json.key("orders").begin_object();
  for (const auto& [client_order_id, order] : orders) {
    json.text_key(client_order_id).begin_object();
    json.key("filled_qty").decimal_text(order->filled.raw);
    json.key("id").uuid(order->id);
    json.key("qty").decimal_text(order->asked.qty.raw);
    json.key("side").text(word(order->asked.side));
    json.key("status").text(word(order->status));
    json.key("symbol").text(venue.symbols()[order->asked.symbol].name);
    json.end_object();
  }
  json.end_object();
  json.key("positions").begin_object();
  for (const auto& [symbol, qty] : positions) {
    json.key(symbol).decimal_text(qty);
  }
  json.end_object();
  json.end_object();
  return out;
}

}  // namespace sluice::sim
