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

// What a client asked for, syntax checked, symbol found. A price of 0 is one that was not given.
struct NewOrder {
  std::string client_order_id{};  // empty: the venue makes one up
  SymbolIndex symbol{0};
  Side side{Side::kBuy};
  OrderType type{OrderType::kMarket};
  TimeInForce tif{TimeInForce::kGtc};
  Qty qty{};                      // of a notional order: known when it arrives
  Price limit{};                  // limit, stop_limit
  Price stop{};                   // stop, stop_limit; trailing_stop: where it stands now
  Price trail_price{};            // trailing_stop: this, or
  std::int64_t trail_percent{0};  // this, 1e-9 of a percent
  Cash notional{};                // in place of a quantity
  bool extended_hours{false};
  OrderClass order_class{OrderClass::kSimple};
  Price take_profit{};      // limit of that leg
  Price stop_loss{};        // stop of that leg
  Price stop_loss_limit{};  // makes it a stop-limit

  [[nodiscard]] bool by_notional() const noexcept { return notional.raw != 0; }
};

// What PATCH may change; what is not given stays.
struct ReplaceOrder {
  std::optional<std::string> client_order_id{};
  std::optional<Qty> qty{};  // of the whole chain
  std::optional<TimeInForce> tif{};
  std::optional<Price> limit{};
  std::optional<Price> stop{};
  std::optional<std::int64_t> trail{};  // price or percent, as the order has it, 1e-9
};

struct Order {
  Id128 id{};
  OrderKey key{0};
  NewOrder asked{};    // client_order_id filled in
  Price protective{};  // worst price it may trade at; a market sell has 0
  OrderStatus status{OrderStatus::kPendingNew};
  bool opening{true};   // it makes a position larger; else it reduces one
  Price hold_px{};      // cash held per unit while it is open; opening orders
  Qty carried{};        // filled by the orders it replaced
  bool elected{false};  // a stop whose price was met
  Qty filled{};
  Int128 filled_value{0};  // Σ px × qty, exact, 1e-18
  std::uint32_t executions{0};
  Cash held_cash{};  // what this order holds now
  Qty held_qty{};
  bool arrived{false};  // the matcher has met it: what is left of it rests, or waits
  bool working{false};  // it is in the matcher, or an armed stop

  std::optional<OrderKey> replaces{};
  std::optional<OrderKey> replaced_by{};  // set with the request; the fact is the status
  std::optional<OrderKey> parent{};       // of a leg
  std::vector<OrderKey> legs{};           // take profit first
  Id128 replaces_id{};
  Id128 replaced_by_id{};  // set with the fact

  Price hwm{};  // trailing_stop: the best trade since it was armed
  WallNanos submitted_at{};
  WallNanos updated_at{};
  WallNanos filled_at{};  // 0 = has not happened, here and below
  WallNanos canceled_at{};
  WallNanos cancel_requested_at{};
  WallNanos expired_at{};
  WallNanos replaced_at{};
  WallNanos failed_at{};
  WallNanos expires_at{};      // as told
  std::int64_t expires_ns{0};  // session time; 0 = does not end with a trading day
  WallNanos arrives_at{};      // when the matcher sees it

  [[nodiscard]] Qty leaves() const noexcept {
    return Qty{asked.qty.raw - carried.raw - filled.raw};
  }
  [[nodiscard]] bool open() const noexcept { return !is_terminal(status); }
  [[nodiscard]] bool by_notional() const noexcept { return asked.by_notional(); }
  [[nodiscard]] bool advanced() const noexcept {
    return asked.order_class != OrderClass::kSimple || parent.has_value();
  }
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
  bool nested{false};  // legs are inside their parents, which are found by their legs' state too
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
  [[nodiscard]] bool wanted(const Order& order, const OrderQuery& query) const;

  std::deque<Order> orders_;
  std::unordered_map<Id128, OrderKey> by_id_;
  std::unordered_map<std::string_view, OrderKey> by_client_id_;  // views into orders_
};

// FILL and CFEE, one of each per execution, in the order of their posting; an equity has no fee.
struct Activity {
  enum class Kind : std::uint8_t { kFill, kFee };
  Kind kind;
  std::uint32_t execution;  // position in the execution log
  WallNanos at;
};

}  // namespace sluice::sim
