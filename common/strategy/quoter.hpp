// Quoter: rests a bid at or below the best bid and offers what it holds at or above the best ask.
// An example of a market maker, not an investment idea.
//
// Thread contract: see strategy.hpp. State: plain arrays, no pointers, bounded.
// Rules per instrument:
//  1. At most one order a side, one replace of it in flight. The bid never buys beyond
//     max_position, the offer never sells more than is held: bids come first.
//  2. A price is never inside the touch and never through the own other side. What is held moves
//     both prices down by up to `skew`, the offer not below the best ask.
//  3. An order whose price is more than `requote` from the wanted one is replaced, at most every
//     `requote_every`; one that may trade more than rule 1 allows is replaced at once. The quantity
//     stays unless that is too much, or less than half of what it should be. Then, as the venue
//     changes quantities to whole ones only, an order whose new total is not whole is cancelled
//     instead, and a new one follows. So it is with any replace that cannot be asked for or was
//     refused.
//  4. An order or a replace the venue has not confirmed after `answer_within`, or whose outcome is
//     unknown, is cancelled: what was asked for at an old price does not rest unwatched.
//  5. Without a quote to go by (one-sided, crossed, older than `quote_age_max`, halted, after a gap
//     or a new beginning of the feed until the next quote) everything is cancelled.
//  6. After a wind-down command: cancel, then sell what is held, up to order_qty at a time, until
//     only dust is left.
#pragma once

#include <vector>

#include "common/strategy/strategy.hpp"

namespace sluice {

struct QuoterOptions {
  Qty order_qty{};
  Qty max_position{};
  std::int64_t offset_centi_bps{0};   // of an order from the touch
  std::int64_t skew_centi_bps{0};     // at max_position; in proportion below
  std::int64_t requote_centi_bps{0};  // distance from the wanted price that is left alone
  std::int64_t requote_every_ns{0};   // between two requests for one side
  std::int64_t quote_age_max_ns{0};
  // Of an order or replace; above the intent's deadline, so that after it nothing more is sent.
  std::int64_t answer_within_ns{0};
  std::int64_t cooldown_ns{0};  // between two sales of the wind-down
};

class Quoter final : public Strategy {
 public:
  Quoter(const QuoterOptions& options, std::size_t instruments);

  void on_market(const MarketEvent& event, StrategyContext& context) noexcept override;
  void on_execution(const Execution& execution, StrategyContext& context) noexcept override;
  void on_verdict(const Verdict& verdict, StrategyContext& context) noexcept override;
  void on_command(const Command& command, StrategyContext& context) noexcept override;
  void on_time(StrategyContext& context) noexcept override;

 private:
  // The order of one side. While a replace is in flight both orders are named.
  struct Slot {
    IntentId order{};
    IntentId successor{};
    MonoNanos asked_ns{};  // last request for this side
    bool end{false};       // a replace was refused, or an outcome is unknown: this order shall end
  };
  struct Row {
    Quote quote{};
    MonoNanos quote_ns{};
    bool halted{false};
    Slot bid{};
    Slot ask{};
    MonoNanos last_sale_ns{};
  };

  void turn(std::uint32_t instrument, StrategyContext& context) noexcept;
  void manage(std::uint32_t instrument, Side side, StrategyContext& context) noexcept;
  void place(std::uint32_t instrument, Side side, Qty most, Price px,
             StrategyContext& context) noexcept;
  void requote(std::uint32_t instrument, Side side, Qty most, Price px,
               StrategyContext& context) noexcept;
  void wind_down(std::uint32_t instrument, StrategyContext& context) noexcept;

  [[nodiscard]] bool overdue(const OwnOrder* order, MonoNanos now) const noexcept;
  [[nodiscard]] bool quotable(const Row& row, MonoNanos now) const noexcept;
  [[nodiscard]] Price wanted(std::uint32_t instrument, Side side,
                             const StrategyContext& context) const noexcept;
  [[nodiscard]] Qty most_of(std::uint32_t instrument, Side side,
                            const StrategyContext& context) const noexcept;

  QuoterOptions options_;
  bool winding_down_{false};
  std::vector<Row> rows_;
};

}  // namespace sluice
