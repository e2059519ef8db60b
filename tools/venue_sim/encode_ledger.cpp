#include <map>

#include "tools/venue_sim/encode_trading.hpp"

namespace sluice::sim {

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
