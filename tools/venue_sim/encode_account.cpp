#include <optional>
#include <string_view>

#include "tools/venue_sim/encode_trading.hpp"

namespace sluice::sim {
namespace {

constexpr std::int64_t magnitude(std::int64_t value) noexcept {
  return value < 0 ? -value : value;
}

// Value of a quantity at a price, for display: 0 where there is no price or no room for it.
std::int64_t display_value(const std::optional<Price>& px, Qty qty) {
  Cash value{};
  return px && notional(*px, qty, value) ? value.raw : 0;
}

// part / whole at 1e-9, for display: 0 where there is no whole.
std::int64_t ratio(std::int64_t part, std::int64_t whole) {
  std::int64_t quotient = 0;
  return mul_div_half_even(part, kScale, whole, quotient) ? quotient : 0;
}

std::string_view exchange(const Symbol& symbol) noexcept {
  if (!symbol.is_equity()) {
    return "CRYPTO";
  }
  return symbol.tape == 'A' ? "NYSE" : (symbol.tape == 'B' ? "ARCA" : "NASDAQ");
}

}  // namespace

void encode_account(JsonWriter& json, const AccountIdentity& identity, const Venue& venue,
                    NewYork& new_york, WallNanos now) {
  const std::int64_t cash = venue.ledger().cash().raw;
  const Venue::Worth worth = venue.worth();
  const VenueOptions& options = venue.options();
  json.begin_object();
  json.key("id").uuid(identity.id);
  json.key("account_number").text(identity.number);
  json.key("status").text("ACTIVE");
  json.key("crypto_status").text("ACTIVE");
  json.key("currency").text("USD");
  json.key("created_at").time(identity.created_at);
  json.key("balance_asof").text(new_york.date(now));
  json.key("cash").decimal_text(cash);
  json.key("equity").decimal_text(worth.equity.raw);
  json.key("last_equity").decimal_text(venue.ledger().start_cash().raw);
  json.key("portfolio_value").decimal_text(worth.equity.raw);
  json.key("buying_power").decimal_text(worth.buying_power.raw);
  json.key("regt_buying_power").decimal_text(worth.buying_power.raw);
  json.key("non_marginable_buying_power").decimal_text(worth.non_marginable.raw);
  json.key("options_buying_power").decimal_text(0);
  json.key("effective_buying_power").decimal_text(worth.buying_power.raw);
  json.key("long_market_value").decimal_text(worth.long_value.raw);
  json.key("short_market_value").decimal_text(worth.short_value.raw);
  const std::int64_t exposure = worth.long_value.raw - worth.short_value.raw;
  json.key("initial_margin").decimal_text(options.multiplier > 1 ? exposure / 2 : 0);
  json.key("maintenance_margin").decimal_text(options.multiplier > 1 ? exposure / 4 : 0);
  for (const char* name : {"last_maintenance_margin", "sma", "accrued_fees", "intraday_adjustments",
                           "pending_transfer_in", "pending_transfer_out", "pending_reg_taf_fees"}) {
    json.key(name).decimal_text(0);
  }
  json.key("multiplier").text(std::to_string(options.multiplier));
  json.key("options_approved_level").integer(0);
  json.key("options_trading_level").integer(0);
  json.key("shorting_enabled").boolean(options.shorting);
  json.key("trading_blocked").boolean(options.trading_blocked);
  json.key("transfers_blocked").boolean(false);
  json.key("account_blocked").boolean(options.account_blocked);
  json.key("trade_suspended_by_user").boolean(venue.suspended());
  json.key("pattern_day_trader").boolean(false);
  json.key("daytrade_count").integer(0);
  json.key("daytrading_buying_power")
      .decimal_text(options.multiplier == 4 ? worth.buying_power.raw : 0);
  json.end_object();
}

void encode_configurations(JsonWriter& json, const Venue& venue) {
  json.begin_object();
  json.key("disable_overnight_trading").boolean(true);
  json.key("dtbp_check").text("entry");
  json.key("fractional_trading").boolean(true);
  json.key("max_margin_multiplier").text(std::to_string(venue.options().multiplier));
  json.key("max_options_trading_level").integer(0);
  json.key("no_shorting").boolean(!venue.options().shorting);
  json.key("pdt_check").text("entry");
  json.key("ptp_no_exception_entry").boolean(false);
  json.key("suspend_trade").boolean(venue.suspended());
  json.key("trade_confirm_email").text("none");
  json.end_object();
}

void encode_position(JsonWriter& json, const Venue& venue, SymbolIndex index) {
  const Symbol& symbol = venue.symbols()[index];
  const Position& position = venue.ledger().position(index);
  const auto mark = venue.mark(index);
  const std::int64_t value = display_value(mark, position.qty);
  std::int64_t average = 0;
  static_cast<void>(
      mul_div_half_even(position.cost.raw, kScale, magnitude(position.qty.raw), average));
  const std::int64_t cost = position.cost.raw;
  std::int64_t profit = 0;
  static_cast<void>(sub_checked(value, cost, profit));
  const Price close = symbol.previous_close;
  json.begin_object();
  json.key("asset_id").uuid(symbol.asset_id);
  json.key("symbol").text(symbol.compact);
  json.key("exchange").text(exchange(symbol));
  json.key("asset_class").text(word(symbol.asset_class));
  json.key("asset_marginable").boolean(symbol.marginable);
  json.key("qty").decimal_text(position.qty.raw);
  json.key("qty_available").decimal_text(venue.ledger().available(index).raw);
  json.key("side").text(position.qty.raw < 0 ? "short" : "long");
  json.key("avg_entry_price").decimal_text(magnitude(average));
  json.key("market_value").decimal_text(value);
  json.key("cost_basis").decimal_text(cost);
  json.key("unrealized_pl").decimal_text(profit);
  json.key("unrealized_plpc").decimal_text(ratio(profit, magnitude(cost)));
  json.key("unrealized_intraday_pl").decimal_text(profit);
  json.key("unrealized_intraday_plpc").decimal_text(ratio(profit, magnitude(cost)));
  json.key("current_price").decimal_text(mark ? mark->raw : 0);
  if (close.raw > 0) {
    json.key("lastday_price").decimal_text(close.raw);
    json.key("change_today").decimal_text(mark ? ratio(mark->raw - close.raw, close.raw) : 0);
  } else {
    json.key("lastday_price").null();
    json.key("change_today").null();
  }
  json.end_object();
}

void encode_asset(JsonWriter& json, const Symbol& symbol) {
  const bool equity = symbol.is_equity();
  json.begin_object();
  json.key("id").uuid(symbol.asset_id);
  json.key("class").text(word(symbol.asset_class));
  json.key("exchange").text(exchange(symbol));
  json.key("symbol").text(symbol.name);
  json.key("name").text(equity ? symbol.name : symbol.base + " / " + symbol.quote);
  json.key("status").text("active");
  json.key("tradable").boolean(true);
  json.key("marginable").boolean(symbol.marginable);
  json.key("maintenance_margin_requirement").integer(symbol.marginable ? 30 : 100);
  json.key("margin_requirement_long").text(symbol.marginable ? "30" : "100");
  json.key("margin_requirement_short").text(symbol.shortable ? "30" : "100");
  json.key("shortable").boolean(symbol.shortable);
  json.key("easy_to_borrow").boolean(symbol.easy_to_borrow);
  if (equity) {
    json.key("borrow_status").text(symbol.easy_to_borrow ? "easy_to_borrow" : "not_shortable");
  }
  json.key("fractionable").boolean(symbol.fractionable || !equity);
  json.key("attributes").begin_array().end_array();
  if (!equity) {
    json.key("min_order_size").decimal_text(symbol.min_order_qty.raw);
    json.key("min_trade_increment").decimal_text(symbol.qty_increment.raw);
    json.key("price_increment").decimal_text(symbol.price_increment.raw);
  }
  json.end_object();
}

void encode_calendar(JsonWriter& json, CivilDay from, CivilDay to) {
  json.begin_array();
  for (CivilDay day = from; day <= to; ++day.days) {
    if (!is_trading_day(day)) {
      continue;
    }
    const bool early = closes_early(day);
    json.begin_object();
    json.key("date").text(to_string(day));
    json.key("open").text("09:30");
    json.key("close").text(early ? "13:00" : "16:00");
    json.key("session_open").text("0400");
    json.key("session_close").text(early ? "1700" : "2000");
    json.key("settlement_date").text(to_string(next_trading_day(day)));
    json.end_object();
  }
  json.end_array();
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
    const bool sold_short = order.asked.side == Side::kSell && order.opening;
    json.key("side").text(sold_short && venue.variants().sell_short_side ? "sell_short"
                                                                         : word(order.asked.side));
    json.key("symbol").text(symbol.name);
    json.key("leaves_qty")
        .decimal_text(order.asked.qty.raw - order.carried.raw - execution.cum_qty.raw);
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

}  // namespace sluice::sim
