// Holdings: what a strategy holds of an instrument and what it earned, folded from executions in
// exact integers (1e-9) by the average-cost rule. The same numbers as the gateway's position board
// (common/trading/positions), computed independently of it; tests hold the two against each other.
//
// Plain values, no I/O. Invariants:
//  1. position = Σ buys − Σ sells − Σ fees in the base asset.
//  2. cash_flow = Σ sells − Σ buys − Σ fees in the quote currency; realised = cash_flow + cost.
//  3. A booking that does not fit changes nothing and raises `overflows`.
#pragma once

#include <cstdint>
#include <optional>

#include "common/messages/execution.hpp"

namespace sluice {

struct Holdings {
  std::int64_t position{0};  // signed
  std::int64_t bought{0};
  std::int64_t sold{0};
  std::int64_t fee_base{0};
  std::int64_t fee_quote{0};
  std::int64_t cash_flow{0};
  std::int64_t cost{0};  // cash paid for what is held now
  std::int64_t realised{0};
  std::int64_t fills{0};
  std::int64_t overflows{0};
  friend constexpr bool operator==(const Holdings&, const Holdings&) = default;
};

// Book a fill (kFill) and the change of its fee (kFee: `fee` is the difference to the estimate).
void book_fill(Holdings& holdings, const Execution& fill) noexcept;
void book_fee(Holdings& holdings, const Execution& change) noexcept;

// What closing the position at `mark` would add to `realised`; nullopt when it does not fit.
[[nodiscard]] std::optional<std::int64_t> unrealised(const Holdings& holdings, Price mark) noexcept;

}  // namespace sluice
