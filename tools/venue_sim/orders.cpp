#include "tools/venue_sim/orders.hpp"

#include <algorithm>
#include <utility>

#include "common/base/error.hpp"

namespace sluice::sim {

std::optional<Price> Order::average_price() const noexcept {
  if (filled.raw == 0) {
    return std::nullopt;
  }
  const Int128 quotient = filled_value / filled.raw;
  const Int128 twice_rest = (filled_value % filled.raw) * 2;
  const bool up = twice_rest > filled.raw || (twice_rest == filled.raw && (quotient & 1) != 0);
  return Price{static_cast<std::int64_t>(quotient + (up ? 1 : 0))};
}

Order& OrderTable::add(Order order) {
  order.key = static_cast<OrderKey>(orders_.size());
  Order& stored = orders_.emplace_back(std::move(order));
  const bool new_id = by_id_.emplace(stored.id, stored.key).second;
  const bool new_client_id = by_client_id_.emplace(stored.asked.client_order_id, stored.key).second;
  SLUICE_ASSERT(new_id && new_client_id, "order ids are looked up before an order is added");
  return stored;
}

std::optional<OrderKey> OrderTable::find(const Id128& id) const {
  const auto it = by_id_.find(id);
  return it == by_id_.end() ? std::nullopt : std::optional(it->second);
}

std::optional<OrderKey> OrderTable::find_client_id(std::string_view client_order_id) const {
  const auto it = by_client_id_.find(client_order_id);
  return it == by_client_id_.end() ? std::nullopt : std::optional(it->second);
}

bool OrderTable::wanted(const Order& order, const OrderQuery& query) const {
  const auto by_status = [&](const Order& candidate) {
    return query.status == OrderQuery::Status::kAll ||
           candidate.open() == (query.status == OrderQuery::Status::kOpen);
  };
  bool matches = by_status(order);
  if (query.nested) {
    if (order.parent) {
      return false;
    }
    for (const OrderKey leg : order.legs) {
      matches = matches || by_status(orders_[leg]);
    }
  }
  const bool by_symbol =
      query.symbols.empty() || std::find(query.symbols.begin(), query.symbols.end(),
                                         order.asked.symbol) != query.symbols.end();
  return matches && by_symbol && (!query.side || order.asked.side == *query.side) &&
         (!query.after || order.submitted_at > *query.after) &&
         (!query.until || order.submitted_at < *query.until) &&
         (!query.after_order || order.key > *query.after_order) &&
         (!query.before_order || order.key < *query.before_order);
}

std::vector<OrderKey> OrderTable::select(const OrderQuery& query) const {
  std::vector<OrderKey> keys;
  for (std::size_t i = 0; i < orders_.size() && keys.size() < query.limit; ++i) {
    const Order& order = orders_[query.ascending ? i : orders_.size() - 1 - i];
    if (wanted(order, query)) {
      keys.push_back(order.key);
    }
  }
  return keys;
}

}  // namespace sluice::sim
