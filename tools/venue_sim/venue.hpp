// venue.hpp — the venue as a pure machine: orders in, order events and books out.
//
// No I/O, no clock, no thread: every call carries the venue time (recorded time rebased and
// scaled), and venue time never runs backwards. Invariants:
//  1. An order reaches the matcher `order_latency_ns` after it was accepted, after everything that
//     was due before; a cancel likewise, and never before its order.
//  2. Each event reaches the listener once, in order, with the order as it is at that moment.
//  3. A client order id is taken for ever, whatever became of its order.
//  4. An accepted order can be paid for: open buys hold cash, open sells hold quantity.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <queue>
#include <string_view>
#include <variant>
#include <vector>

#include "tools/venue_sim/api_error.hpp"
#include "tools/venue_sim/ledger.hpp"
#include "tools/venue_sim/matcher.hpp"
#include "tools/venue_sim/orders.hpp"
#include "tools/venue_sim/types.hpp"

namespace sluice::sim {

struct VenueOptions {
  Cash cash{100'000 * kScale};
  FeeSchedule fees{};
  // The smallest order value, in the quote currency.
  Cash min_cost_basis{10 * kScale};
  // A market buy may pay this much more than the ask it saw, in basis points; it holds that cash.
  std::uint32_t market_collar_bps{250};
  std::int64_t order_latency_ns{0};  // venue time: session time divided by the speed
  std::int64_t cancel_latency_ns{0};
  bool fees_at_day_end{false};  // CFEE activities wait for post_fees(); the fee is taken at once
  std::size_t max_orders{1'000'000};
  std::size_t max_open_orders{10'000};
};

struct OrderEvent {
  std::string_view event;  // the venue's word: "new", "partial_fill", …
  const Order& order;
  WallNanos at;
  Id128 execution_id;          // of the event; for fills the execution's own
  const Execution* execution;  // fills only
};

class Venue {
 public:
  using Listener = std::function<void(const OrderEvent&)>;

  Venue(std::vector<Symbol> symbols, const VenueOptions& options, IdSource ids);

  void set_listener(Listener listener) { listener_ = std::move(listener); }

  // --- market data, in session order; `at` is the venue time the record is due
  void quote(WallNanos at, SymbolIndex symbol, const RecordedQuote& quote);
  void trade(WallNanos at, SymbolIndex symbol, const RecordedTrade& trade);
  void depth(WallNanos at, SymbolIndex symbol, const RecordedLevel& level);

  // Trading in the symbol stops or goes on.
  void status(WallNanos at, SymbolIndex symbol, bool trading);

  // --- orders
  [[nodiscard]] std::variant<OrderKey, ApiError> submit(WallNanos at, NewOrder order);
  // Nothing = accepted (204): the order can still be filled until a "canceled" event.
  [[nodiscard]] std::optional<ApiError> cancel(WallNanos at, OrderKey key);

  // Does what is due up to and including `at` (arrivals of orders and cancels).
  void run_until(WallNanos at);
  [[nodiscard]] std::optional<WallNanos> next_due() const;

  // Posts the fee activities that waited for the end of the day.
  void post_fees(WallNanos at);

  // --- reading
  [[nodiscard]] const std::vector<Symbol>& symbols() const noexcept { return symbols_; }
  [[nodiscard]] std::optional<SymbolIndex> find_symbol(std::string_view name) const;
  [[nodiscard]] const OrderTable& orders() const noexcept { return orders_; }
  [[nodiscard]] const std::deque<Execution>& executions() const noexcept { return executions_; }
  [[nodiscard]] const std::deque<Activity>& activities() const noexcept { return activities_; }
  [[nodiscard]] const Ledger& ledger() const noexcept { return ledger_; }
  [[nodiscard]] const Matcher& matcher() const noexcept { return matcher_; }
  [[nodiscard]] const VenueOptions& options() const noexcept { return options_; }
  [[nodiscard]] const IdSource& ids() const noexcept { return ids_; }
  [[nodiscard]] std::size_t open_orders() const noexcept { return open_orders_; }
  // What a position is valued at: the last trade, else the best bid, else nothing.
  [[nodiscard]] std::optional<Price> mark(SymbolIndex symbol) const;

  // --- restart on an old state folder, before any other call
  struct Saved {
    std::uint64_t ids_issued{0};
    std::vector<Order> orders;          // open ones go back to the matcher, behind whoever is there
    std::vector<Execution> executions;  // booked again: cash, positions and fees follow from them
  };
  void restore(Saved saved);

 private:
  struct Due {
    WallNanos at;
    std::uint64_t sequence;  // equal times in the order of the calls
    OrderKey key;
    bool is_cancel;
    friend bool operator>(const Due& a, const Due& b) noexcept {
      return a.at != b.at ? a.at > b.at : a.sequence > b.sequence;
    }
  };

  [[nodiscard]] std::optional<ApiError> check_size(const NewOrder& order) const;
  [[nodiscard]] std::optional<ApiError> check_money(const Order& order) const;
  [[nodiscard]] std::optional<Price> reference_price(const NewOrder& order) const;
  void arrive(WallNanos at, Order& order);
  void finish_cancel(WallNanos at, Order& order);
  void apply_fills(WallNanos at);
  void update_hold(Order& order);
  void emit(std::string_view event, Order& order, WallNanos at, const Execution* execution);

  std::vector<Symbol> symbols_;
  VenueOptions options_;
  IdSource ids_;
  Ledger ledger_;
  Matcher matcher_;
  OrderTable orders_;
  std::deque<Execution> executions_;
  std::deque<Activity> activities_;
  std::size_t fees_posted_{0};  // executions whose CFEE activity exists
  std::size_t open_orders_{0};
  std::vector<Price> last_trade_;
  std::vector<bool> halted_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  std::uint64_t sequence_{0};
  Fills fills_;
  Listener listener_;
};

}  // namespace sluice::sim
