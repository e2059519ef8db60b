// Momentum: takes liquidity when the mid has moved, and rests a bid below the market that it
// cancels again after a while, so that every kind of order occurs. An example, not an investment
// idea.
//
// Thread contract: see strategy.hpp. State: plain arrays, no pointers, bounded.
// Rules per instrument:
//  1. The reference is the mid `lookback` ago. Up by `signal`: buy order_qty, limit ioc through the
//     touch. Down by `signal`: sell what is held, up to order_qty, at the market.
//  2. Every `rest_every` a bid rests `rest_offset` below the best bid; after `rest_for` it is
//  cancelled.
//  3. After a wind-down command: cancel what rests, sell what is held, take nothing new.
//  4. A one-sided or crossed quote raises no signal and is not remembered; nor does any quote of a
//     halted instrument. A feed that begins anew takes its quotes and its halts with it.
//  5. Never two sides at once: before it sells it cancels the bid that rests and waits for its end,
//     at most a look-back, and no bid rests while a sale works.
#pragma once

#include <array>
#include <vector>

#include "common/strategy/strategy.hpp"

namespace sluice {

struct MomentumOptions {
  Qty order_qty{};
  Qty max_position{};
  std::int64_t signal_centi_bps{0};
  std::int64_t lookback_ns{0};
  std::int64_t cooldown_ns{0};
  std::int64_t rest_every_ns{0};  // 0: never rests
  std::int64_t rest_for_ns{0};
  std::int64_t rest_offset_centi_bps{0};
  std::int64_t take_through_centi_bps{0};
};

class Momentum final : public Strategy {
 public:
  Momentum(const MomentumOptions& options, std::size_t instruments);

  void on_market(const MarketEvent& event, StrategyContext& context) noexcept override;
  void on_execution(const Execution& execution, StrategyContext& context) noexcept override;
  void on_verdict(const Verdict& verdict, StrategyContext& context) noexcept override;
  void on_command(const Command& command, StrategyContext& context) noexcept override;
  void on_time(StrategyContext& context) noexcept override;

  [[nodiscard]] bool winding_down() const noexcept { return winding_down_; }

 private:
  static constexpr std::size_t kSamples = 8;  // per look-back

  struct Row {
    Quote quote{};
    bool halted{false};
    std::array<std::int64_t, kSamples> mids{};
    std::array<std::int64_t, kSamples> taken_ns{};
    std::uint32_t next{0};
    MonoNanos last_take_ns{};
    MonoNanos last_rest_ns{};
    IntentId resting{};
    MonoNanos resting_since_ns{};
    MonoNanos sell_until_ns{};  // a sale waits for the bid's end until then; zero: none
  };

  void remember(Row& row, std::int64_t mid, MonoNanos now) noexcept;
  [[nodiscard]] std::int64_t signal(const Row& row, std::int64_t mid, MonoNanos now) const noexcept;
  void sell_once_alone(Row& row, std::uint32_t instrument, StrategyContext& context) noexcept;
  void take(Row& row, std::uint32_t instrument, Side side, StrategyContext& context) noexcept;
  void rest(Row& row, std::uint32_t instrument, StrategyContext& context) noexcept;
  void manage(Row& row, std::uint32_t instrument, StrategyContext& context) noexcept;

  MomentumOptions options_;
  bool winding_down_{false};
  std::vector<Row> rows_;
};

}  // namespace sluice
