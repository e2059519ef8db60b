// orders.hpp — every order and execution the account ever had, and how to find them.
//
// Pure. Orders are appended in the order of their submission and never removed: a client order id
// stays taken after its order ended, as at the venue. References stay good (deque).
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/base/fixed.hpp"
#include "common/base/id.hpp"
#include "common/base/time.hpp"
#include "tools/venue_sim/types.hpp"

namespace sluice::sim {

__extension__ using Int128 = __int128;

// What a client asked for, syntax checked, symbol found.
struct NewOrder {
  std::string client_order_id;  // empty: the venue makes one up
  SymbolIndex symbol{0};
  Side side{Side::kBuy};
  OrderType type{OrderType::kMarket};
  TimeInForce tif{TimeInForce::kGtc};
  Qty qty{};
  Price limit{};  // limit orders
};

struct Order {
  Id128 id{};
  OrderKey key{0};
  NewOrder asked{};    // client_order_id filled in
  Price protective{};  // a market buy pays at most this; limit orders: their limit
  OrderStatus status{OrderStatus::kPendingNew};
  Qty filled{};
  Int128 filled_value{0};  // Σ px × qty, exact, 1e-18
  std::uint32_t executions{0};
  Cash held_cash{};  // what this order holds now
  Qty held_qty{};

  WallNanos submitted_at{};
  WallNanos updated_at{};
  WallNanos filled_at{};  // 0 = has not happened, here and below
  WallNanos canceled_at{};
  WallNanos cancel_requested_at{};
  WallNanos arrives_at{};  // when the matcher sees it

  [[nodiscard]] Qty leaves() const noexcept { return Qty{asked.qty.raw - filled.raw}; }
  [[nodiscard]] bool open() const noexcept { return !is_terminal(status); }
  // Σ px × qty / Σ qty, half to even at 1e-9; nothing before the first fill.
  [[nodiscard]] std::optional<Price> average_price() const noexcept;
};

struct Execution {
  Id128 id{};
  OrderKey order{0};
  Price px{};
  Qty qty{};
  Qty cum_qty{};
  std::int64_t fee{0};
  bool fee_in_base{false};
  bool maker{false};
  bool completes{false};  // the order was filled by it
  Qty position_after{};
  WallNanos at{};
};

// GET /v2/orders.
struct OrderQuery {
  enum class Status : std::uint8_t { kOpen, kClosed, kAll };
  Status status{Status::kOpen};
  std::size_t limit{50};
  std::optional<WallNanos> after{};  // exclusive, on submitted_at
  std::optional<WallNanos> until{};  // exclusive
  std::optional<OrderKey> after_order{};
  std::optional<OrderKey> before_order{};
  bool ascending{false};
  std::optional<Side> side{};
  std::vector<SymbolIndex> symbols{};  // empty = all
};

class OrderTable {
 public:
  // `order.id` and its client order id must be new: the caller has looked.
  Order& add(Order order);

  [[nodiscard]] std::size_t size() const noexcept { return orders_.size(); }
  [[nodiscard]] Order& operator[](OrderKey key) { return orders_[key]; }
  [[nodiscard]] const Order& operator[](OrderKey key) const { return orders_[key]; }
  [[nodiscard]] std::optional<OrderKey> find(const Id128& id) const;
  [[nodiscard]] std::optional<OrderKey> find_client_id(std::string_view client_order_id) const;
  [[nodiscard]] std::vector<OrderKey> select(const OrderQuery& query) const;
  [[nodiscard]] const std::deque<Order>& all() const noexcept { return orders_; }

 private:
  std::deque<Order> orders_;
  std::unordered_map<Id128, OrderKey> by_id_;
  std::unordered_map<std::string_view, OrderKey> by_client_id_;  // views into orders_
};

// FILL and CFEE, one of each per execution, in the order of their posting.
struct Activity {
  enum class Kind : std::uint8_t { kFill, kFee };
  Kind kind;
  std::uint32_t execution;  // position in the execution log
  WallNanos at;
};

}  // namespace sluice::sim
