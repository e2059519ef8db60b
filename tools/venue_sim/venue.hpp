// venue.hpp — the venue as a pure machine: orders in, order events and books out.
//
// No I/O, no clock, no thread: every call carries the venue time (recorded time rebased and
// scaled), and venue time never runs backwards. Invariants:
//  1. An order reaches the matcher `order_latency_ns` after it was accepted, after everything that
//     was due before; a cancel and a replacement likewise, and never before their order.
//  2. Each event reaches the listener once, in order, with the order as it is at that moment.
//  3. A client order id is taken for ever, whatever became of its order.
//  4. An accepted order can be paid for: opening orders hold cash, closing ones quantity; a chain
//     under replacement holds what its larger part holds; of a group's legs one holds for all.
//  5. No order makes a long position short or a short one long. Never two legs of a group in the
//     matcher: when a stop leg is elected the other is taken out first.
//  6. Equity orders work in the hours of the recorded day only; outside of them they wait.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <queue>
#include <set>
#include <string_view>
#include <variant>
#include <vector>

#include "tools/venue_sim/api_error.hpp"
#include "tools/venue_sim/faults.hpp"
#include "tools/venue_sim/ledger.hpp"
#include "tools/venue_sim/matcher.hpp"
#include "tools/venue_sim/new_york.hpp"
#include "tools/venue_sim/orders.hpp"
#include "tools/venue_sim/session_time.hpp"
#include "tools/venue_sim/stops.hpp"
#include "tools/venue_sim/types.hpp"
#include "tools/venue_sim/variants.hpp"

namespace sluice::sim {

// Whose orders are refused when they would trade with the account's own.
enum class WashTrade : std::uint8_t { kOff, kEquities, kOn };

struct VenueOptions {
  Cash cash{100'000 * kScale};
  FeeSchedule fees{};
  // The smallest order value, in the quote currency: crypto; fractions of a share.
  Cash min_cost_basis{10 * kScale};
  Cash min_fraction_basis{1 * kScale};
  // A market buy may pay this much more than the ask it saw, in basis points; it holds that cash.
  std::uint32_t market_collar_bps{250};
  // A short sale holds at least this much above the ask it saw.
  std::uint32_t short_collar_bps{300};
  std::int64_t order_latency_ns{0};  // venue time: session time divided by the speed
  std::int64_t cancel_latency_ns{0};
  bool fees_at_day_end{false};  // CFEE activities wait for post_fees(); the fee is taken at once
  std::size_t max_orders{1'000'000};
  std::size_t max_open_orders{10'000};
  // 1, 2 or 4: what equities may be bought with. Crypto is paid in cash, always.
  std::uint32_t multiplier{1};
  bool shorting{false};
  WashTrade wash_trade{WashTrade::kOn};
  bool trading_blocked{false};
  bool account_blocked{false};
  Variants variants{};
};

struct OrderEvent {
  std::string_view event;  // the venue's word: "new", "partial_fill", …
  const Order& order;
  WallNanos at;
  Id128 execution_id;          // of the event; for fills the execution's own
  const Execution* execution;  // fills only
  bool quiet{false};           // for the account's file only: the venue does not tell it
};

class Venue {
 public:
  using Listener = std::function<void(const OrderEvent&)>;

  Venue(std::vector<Symbol> symbols, const VenueOptions& options, IdSource ids);

  // `settled` is called when all events of one call, or of one thing that was due, were told: they
  // belong together.
  void set_listener(Listener listener, std::function<void()> settled = {}) {
    listener_ = std::move(listener);
    settled_ = std::move(settled);
  }
  // Before any order; it must outlive the venue. Without it venue time is session time.
  void set_session_time(const SessionTime& time) noexcept { time_ = &time; }
  // Fills split and cancels late on request; it must outlive the venue.
  void set_faults(Faults& faults) noexcept { faults_ = &faults; }

  // --- market data, in session order; `at` is the venue time the record is due
  void quote(WallNanos at, SymbolIndex symbol, const RecordedQuote& quote);
  void trade(WallNanos at, SymbolIndex symbol, const RecordedTrade& trade);
  void depth(WallNanos at, SymbolIndex symbol, const RecordedLevel& level);

  // Trading in the symbol stops or goes on.
  void status(WallNanos at, SymbolIndex symbol, bool trading);

  // --- orders
  [[nodiscard]] std::variant<OrderKey, ApiError> submit(WallNanos at, NewOrder order);
  // The successor's key. Accepted is not replaced: the old order can be filled before.
  [[nodiscard]] std::variant<OrderKey, ApiError> replace(WallNanos at, OrderKey key,
                                                         const ReplaceOrder& change);
  // Nothing = accepted (204): the order can still be filled until a "canceled" event.
  [[nodiscard]] std::optional<ApiError> cancel(WallNanos at, OrderKey key);
  // As cancel(), and done when it returns: for the closing of positions.
  void cancel_at_once(WallNanos at, OrderKey key);

  // Does what is due up to and including `at` (arrivals of orders and cancels, the market's hours).
  void run_until(WallNanos at);
  [[nodiscard]] std::optional<WallNanos> next_due() const;

  // Posts the fee activities that waited for the end of the day; returns how many.
  std::size_t post_fees(WallNanos at);

  // The account's own switch: no new orders while it is set.
  void suspend_trading(bool suspended) noexcept { suspended_ = suspended; }
  [[nodiscard]] bool suspended() const noexcept { return suspended_; }

  // --- reading
  [[nodiscard]] const std::vector<Symbol>& symbols() const noexcept { return symbols_; }
  [[nodiscard]] std::optional<SymbolIndex> find_symbol(std::string_view name) const;
  [[nodiscard]] const OrderTable& orders() const noexcept { return orders_; }
  [[nodiscard]] const std::deque<Execution>& executions() const noexcept { return executions_; }
  [[nodiscard]] const std::deque<Activity>& activities() const noexcept { return activities_; }
  [[nodiscard]] const Ledger& ledger() const noexcept { return ledger_; }
  [[nodiscard]] const Matcher& matcher() const noexcept { return matcher_; }
  [[nodiscard]] const VenueOptions& options() const noexcept { return options_; }
  [[nodiscard]] const Variants& variants() const noexcept { return options_.variants; }
  [[nodiscard]] const IdSource& ids() const noexcept { return ids_; }
  [[nodiscard]] std::size_t open_orders() const noexcept { return open_.size(); }
  [[nodiscard]] const std::set<OrderKey>& open() const noexcept { return open_; }
  [[nodiscard]] bool halted(SymbolIndex symbol) const { return halted_[symbol]; }
  // What a position is valued at: the last trade, else the best bid, else the previous close.
  [[nodiscard]] std::optional<Price> mark(SymbolIndex symbol) const;

  // Values in USD at the marks; `short_value` is not positive.
  struct Worth {
    Cash long_value{};
    Cash short_value{};
    Cash equity{};
    Cash buying_power{};    // for equities
    Cash non_marginable{};  // for crypto: cash that no order holds
  };
  [[nodiscard]] Worth worth() const;
  // A market order that closes `qty` of a position.
  [[nodiscard]] NewOrder closing_order(SymbolIndex symbol, Qty qty) const;

  // --- restart on an old state folder, before any other call but set_session_time()
  struct Saved {
    std::uint64_t ids_issued{0};
    std::vector<Order> orders;  // open ones go back to the matcher, behind whoever is there; those
                                // that rested rest again and stay makers
    std::vector<Execution> executions;  // booked again: cash, positions and fees follow from them
    struct FeePost {
      std::size_t executions;  // so many of them had happened
      WallNanos at;
    };
    std::vector<FeePost> fee_posts;  // of accounts whose fees wait for the end of the day
    bool suspended{false};
  };
  void restore(Saved saved);

 private:
  enum class Task : std::uint8_t { kArrive, kCancel, kReplace };
  struct Due {
    WallNanos at;
    std::uint64_t sequence;  // equal times in the order of the calls
    OrderKey key;
    Task task;
    friend bool operator>(const Due& a, const Due& b) noexcept {
      return a.at != b.at ? a.at > b.at : a.sequence > b.sequence;
    }
  };
  using Refusal = std::optional<ApiError>;

  // --- venue_submit.cpp
  [[nodiscard]] Refusal check_account() const;
  [[nodiscard]] Refusal value(Order& order) const;
  [[nodiscard]] Refusal check_money(const Order& order, Cash already_held) const;
  [[nodiscard]] Refusal check_closing(const Order& order, Qty already_held) const;
  [[nodiscard]] Refusal check_short(const Order& order) const;
  [[nodiscard]] Refusal check_wash_trade(const NewOrder& order) const;
  [[nodiscard]] Refusal classify(Order& order) const;
  [[nodiscard]] std::optional<Price> reference_price(const NewOrder& order) const;
  [[nodiscard]] std::optional<Price> fallback_price(SymbolIndex symbol) const;
  Order& add(WallNanos at, Order order);
  void add_legs(WallNanos at, Order& parent);
  OrderKey add_leg(WallNanos at, const Order& parent, NewOrder asked);
  void accept(WallNanos at, Order& order, Task task);

  // --- venue_replace.cpp
  [[nodiscard]] Refusal check_replaceable(const Order& order, const ReplaceOrder& change) const;
  [[nodiscard]] Refusal apply_change(NewOrder& asked, const ReplaceOrder& change,
                                     const Order& old) const;
  void finish_replace(WallNanos at, Order& successor);
  void reject_replace(WallNanos at, Order& old, Order& successor);
  [[nodiscard]] bool keeps_place(const Order& old, const Order& successor) const;
  void relink(const Order& old, Order& successor);
  // The successor while its replacement is not decided.
  [[nodiscard]] Order* pending_successor(const Order& order);
  [[nodiscard]] bool awaits_replacement(const Order& order) const;

  // --- venue_hours.cpp
  [[nodiscard]] Refusal check_window(const NewOrder& order, std::int64_t session_ns);
  void set_expiry(WallNanos at, Order& order);
  [[nodiscard]] bool can_work(const Order& order, std::int64_t session_ns);
  [[nodiscard]] std::optional<WallNanos> boundary(WallNanos now) const;
  [[nodiscard]] std::int64_t boundary_after(std::int64_t session_ns);
  void cross_boundary(WallNanos at);
  void auction(WallNanos at, SymbolIndex symbol, RecordedTrade& trade);

  // --- venue.cpp
  void arrive(WallNanos at, Order& order);
  void place(WallNanos at, Order& order, bool rested);
  void enter(WallNanos at, Order& order, bool rested);
  void take_out(Order& order);
  void resolve_notional(Order& order);
  void elect(WallNanos at, SymbolIndex symbol, const RecordedTrade& trade);
  void finish_cancel(WallNanos at, Order& order);
  // With what it means for the order's group, and without.
  void end(WallNanos at, Order& order, OrderStatus status, std::string_view event);
  void end_alone(WallNanos at, Order& order, OrderStatus status, std::string_view event);
  void emit(std::string_view event, Order& order, WallNanos at, const Execution* execution,
            bool quiet = false);
  void settle() const {
    if (settled_) {
      settled_();
    }
  }

  // --- venue_books.cpp
  // What the end of an order means for its group: legs come alive, go, or shrink.
  void follow_group(WallNanos at, Order& order);
  void wake_legs(WallNanos at, const Order& entry);
  void shrink_group(WallNanos at, const Order& order, Qty filled);
  [[nodiscard]] bool holds_for_group(const Order& order) const;
  void apply_fills(WallNanos at);
  [[nodiscard]] Qty piece_size(WallNanos at, const Fill& fill) const;
  void apply_fill(WallNanos at, const Fill& fill);
  void update_hold(Order& order);
  struct Hold {
    Cash cash{};
    Qty qty{};
  };
  [[nodiscard]] Hold needed(const Order& order) const;
  void restore_links();
  void restore_order(Order& order);

  std::vector<Symbol> symbols_;
  VenueOptions options_;
  IdSource ids_;
  Ledger ledger_;
  Matcher matcher_;
  StopBook stops_;
  OrderTable orders_;
  std::set<OrderKey> open_;
  std::deque<Execution> executions_;
  std::deque<Activity> activities_;
  std::size_t fees_posted_{0};  // executions whose CFEE activity exists, or never will
  bool suspended_{false};
  std::vector<Price> last_trade_;
  std::vector<bool> halted_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  std::uint64_t sequence_{0};
  Fills fills_;
  Listener listener_;
  std::function<void()> settled_;
  Faults* faults_{nullptr};
  SameTime same_time_{};
  const SessionTime* time_{&same_time_};
  NewYork new_york_{};
  bool has_equities_{false};
  std::optional<std::int64_t> boundary_ns_{};  // session time of the next change of hours
  WallNanos until_{};                          // of the latest run_until()
};

}  // namespace sluice::sim
