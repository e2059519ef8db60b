// StrategyHost: everything around a strategy that is the same for all of them: numbering of
// intents, the book of its own orders and positions, staleness of events, credit.
//
// Thread contract: one thread. Pure: records and `now` in, intents and cancels out.
// Invariants:
//  1. An intent is numbered only when it was taken by the output: sequences have no holes.
//  2. An order leaves the book only by a terminal execution or a refusing verdict.
//  3. Per order at most one replace is in flight; both orders are in the book until it is resolved.
//  4. An intent names the market event it was decided on, or, when a timer, a command, a verdict or
//     an execution led to it, none: its cause is empty (receive_ns 0).
//  5. position = Σ buys - Σ sells - Σ fees taken in the base asset, exactly as executions say; the
//     snapshot that follows a gap in them says it whole, since the gateway's incarnation began.
#pragma once

#include <array>
#include <vector>

#include "common/messages/intent.hpp"
#include "common/strategy/strategy.hpp"

namespace sluice {

// Where intents and cancels go: rings in a process, vectors in a test or a replay.
class StrategyOutput {
 public:
  virtual ~StrategyOutput() = default;
  // False: no credit, the record was not taken.
  [[nodiscard]] virtual bool intent(Intent& intent) noexcept = 0;
  [[nodiscard]] virtual bool cancel(Cancel& cancel) noexcept = 0;
};

struct HostOptions {
  std::uint16_t strategy{0};
  std::uint32_t incarnation{0};
  std::uint16_t account{0};
  std::uint16_t venue{0};
  std::uint16_t feed{0};
  std::vector<std::uint32_t> instruments;
  std::int64_t intent_deadline_ns{0};
  std::int64_t max_event_age_ns{0};  // 0: off
};

struct HostCounters {
  std::uint64_t market_events{0};
  std::uint64_t gaps{0};  // of market data and of executions
  std::uint64_t lost{0};  // records that the gaps told of
  std::uint64_t stale{0};
  std::uint64_t intents{0};
  std::uint64_t cancels{0};
  std::uint64_t no_credit{0};
  std::uint64_t too_many_open{0};
  std::uint64_t foreign{0};  // records that are not this strategy's or not of this incarnation
};

class StrategyHost final : private StrategyContext {
 public:
  static constexpr std::size_t kMaxOpenOrders = 64;

  StrategyHost(HostOptions options, const InstrumentTable& instruments, Strategy& strategy,
               StrategyOutput& output);

  void on_market(const MarketEvent& event, MonoNanos now) noexcept;
  void on_execution(const Execution& execution, MonoNanos now) noexcept;
  void on_verdict(const Verdict& verdict, MonoNanos now) noexcept;
  void on_command(const Command& command, MonoNanos now) noexcept;
  void on_time(MonoNanos now) noexcept;

  // Position found on the gateway's board at a cold start, as of gateway event `n`: executions of
  // the instrument up to that event are in it and will be skipped.
  void adopt_position(std::uint32_t instrument, std::int64_t position, std::uint64_t n) noexcept;

  [[nodiscard]] std::uint16_t strategy() const noexcept { return options_.strategy; }

  [[nodiscard]] const HostCounters& counters() const noexcept { return counters_; }
  [[nodiscard]] std::int64_t position_of(std::uint32_t instrument) const noexcept {
    return position(instrument);
  }
  [[nodiscard]] std::uint32_t open_order_count() const noexcept { return open_orders(); }

 private:
  [[nodiscard]] MonoNanos now() const noexcept override { return now_; }
  [[nodiscard]] const InstrumentTable& instruments() const noexcept override {
    return instruments_;
  }
  [[nodiscard]] SubmitStatus submit(const OrderRequest& request, IntentId& id) noexcept override;
  [[nodiscard]] SubmitStatus replace(IntentId order, Qty qty, Price limit,
                                     IntentId& id) noexcept override;
  bool cancel(IntentId order) noexcept override;
  [[nodiscard]] std::int64_t position(std::uint32_t instrument) const noexcept override;
  [[nodiscard]] Qty working(std::uint32_t instrument, Side side) const noexcept override;
  [[nodiscard]] const OwnOrder* order(IntentId id) const noexcept override;
  [[nodiscard]] std::uint32_t open_orders() const noexcept override;

  [[nodiscard]] OwnOrder* find(IntentId id) noexcept;
  [[nodiscard]] OwnOrder* free_slot() noexcept;
  [[nodiscard]] Intent make_intent(IntentKind kind, const OwnOrder& order) const noexcept;
  [[nodiscard]] bool publish(Intent& intent) noexcept;
  void book(const Execution& e) noexcept;
  void follow_chain(const Execution& execution, OwnOrder& own) noexcept;
  void forget(OwnOrder& own) noexcept;
  [[nodiscard]] bool owns(std::uint32_t instrument) const noexcept;
  void advance(MonoNanos now) noexcept;
  void follow_gateway(std::uint64_t n) noexcept;

  HostOptions options_;
  const InstrumentTable& instruments_;
  Strategy& strategy_;
  StrategyOutput& output_;
  MonoNanos now_{};
  std::uint32_t gateway_incarnation_{0};
  Cause cause_{};  // of what is decided now: empty outside of on_market
  bool suppressed_{false};
  std::uint64_t next_sequence_{1};
  std::uint64_t next_cancel_{1};
  std::array<OwnOrder, kMaxOpenOrders> orders_{};
  std::vector<std::int64_t> positions_;
  std::vector<std::uint64_t> adopted_n_;
  // Position when the gateway's incarnation began: its books, and so its snapshots, start at zero.
  std::vector<std::int64_t> base_;
  std::vector<std::uint8_t> owned_;
  HostCounters counters_;
};

}  // namespace sluice
