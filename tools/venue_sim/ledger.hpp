// ledger.hpp — the venue's own books: cash, positions, what open orders hold, fees.
//
// Pure and exact: integers at 1e-9, products rounded half to even once. This is the simulator's
// word in the comparison of the judges, so it shares no line with the trading side. Invariants:
//  1. cash = start − Σ buy notional + Σ sell notional − Σ fees in the quote asset.
//  2. position = start + Σ buys − Σ sells − Σ fees in the base asset.
//  3. A fee is charged on what the fill brought in: base for a buy, quote for a sell.
//  4. Equities have no fee. Their position may be negative: sold short.
//  5. What is held never changes cash or positions, only what a new order may use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/base/fixed.hpp"
#include "tools/venue_sim/types.hpp"

namespace sluice::sim {

struct FeeSchedule {
  std::uint32_t taker_bps{25};
  std::uint32_t maker_bps{15};
};

struct Position {
  Qty qty{};
  Qty held{};   // magnitude, by the open orders that reduce it
  Cash cost{};  // what the present quantity cost; negative when short; display only
  Qty fees{};   // base asset paid in fees, in total
};

struct FillBooking {
  Cash notional{};
  std::int64_t fee{0};  // 1e-9 of the asset below
  bool fee_in_base{false};
  Qty position_after{};
};

class Ledger {
 public:
  Ledger(Cash cash, std::size_t symbols, FeeSchedule fees)
      : fees_(fees), start_cash_(cash), cash_(cash), positions_(symbols), free_(symbols) {}

  // Fills of this symbol are free of fees.
  void no_fees(SymbolIndex symbol) { free_[symbol] = true; }

  // Books one fill. Throws Error(kConfig) when an amount leaves the range of ±9.2e9: an account or
  // a recording too large for exact arithmetic, never a wrapped number.
  FillBooking book(SymbolIndex symbol, Side side, Price px, Qty qty, bool maker);

  // An opening order holds cash, a closing one quantity; replaces what `before` held.
  void change_hold(Cash before, Cash now);
  void change_hold(SymbolIndex symbol, Qty before, Qty now);

  [[nodiscard]] Cash cash() const noexcept { return cash_; }
  [[nodiscard]] Cash start_cash() const noexcept { return start_cash_; }
  [[nodiscard]] Cash held_cash() const noexcept { return held_cash_; }
  [[nodiscard]] Cash buying_power() const noexcept { return Cash{cash_.raw - held_cash_.raw}; }
  [[nodiscard]] Cash fees_in_cash() const noexcept { return fees_in_cash_; }
  [[nodiscard]] const Position& position(SymbolIndex symbol) const { return positions_[symbol]; }
  // What of a position no open order has spoken for; of a short one it is negative.
  [[nodiscard]] Qty available(SymbolIndex symbol) const {
    const Position& position = positions_[symbol];
    return Qty{position.qty.raw - (position.qty.raw < 0 ? -1 : 1) * position.held.raw};
  }
  [[nodiscard]] std::size_t symbols() const noexcept { return positions_.size(); }

 private:
  static void move_position(Position& position, std::int64_t qty, Cash paid);

  FeeSchedule fees_;
  Cash start_cash_;
  Cash cash_;
  Cash held_cash_{};
  Cash fees_in_cash_{};
  std::vector<Position> positions_;
  std::vector<bool> free_;
};

}  // namespace sluice::sim
