// PositionBook: what we hold, per strategy and instrument, in exact integers (order-path.md 9).
//
// One thread: the gateway's hot thread. Rows are those of the `positions` board: block 0 is the
// account, then one block per strategy, last `external` (what belongs to no strategy of ours).
// Invariants:
//  1. account = Σ strategies + external, for positions and for cash.
//  2. position = Σ buys − Σ sells − Σ fees in the base asset; cash flow = Σ sells − Σ buys − Σ
//  quote fees.
//  3. realised = cash_flow + cost: profit is what came in beyond the cost of what was given away.
//  4. A booking is whole or not at all. One that does not fit quarantines its instrument.
#pragma once

#include <vector>

#include "common/messages/rows.hpp"

namespace sluice {

enum class BookStatus : std::uint8_t { kOk = 0, kOverflow = 1 };

struct FillBooking {
  std::uint32_t instrument{0};
  std::uint16_t strategy{kExternalStrategy};
  Side side{Side::kNone};
  Price px{};
  Qty qty{};
  std::int64_t fee{0};  // of the base asset on buys, of the quote currency on sells
};

struct FeeChange {
  std::uint32_t instrument{0};
  std::uint16_t strategy{kExternalStrategy};
  Side side{Side::kNone};
  std::int64_t delta{0};  // final − estimated
};

class PositionBook {
 public:
  PositionBook(std::uint32_t strategies, std::uint32_t instruments);

  [[nodiscard]] BookStatus book(const FillBooking& fill) noexcept;
  [[nodiscard]] BookStatus adjust_fee(const FeeChange& change) noexcept;
  // A quantity an operator accepted as not ours: no price, no cash.
  [[nodiscard]] BookStatus accept_external(std::uint32_t instrument, std::int64_t delta) noexcept;

  // Changes the leaves of a strategy and of the account. Cannot overflow in practice: leaves are
  // bounded by the size ceiling times the rows; saturates.
  void change_working(std::uint16_t strategy, std::uint32_t instrument, Side side,
                      std::int64_t delta) noexcept;
  void change_fees_pending(std::uint16_t strategy, std::uint32_t instrument, int delta) noexcept;
  void set_evidence(std::uint32_t instrument, std::int64_t position, MonoNanos at) noexcept;
  void set_flag(std::uint32_t instrument, std::uint16_t flag) noexcept;
  void clear_flag(std::uint32_t instrument, std::uint16_t flag) noexcept;

  // Index on the board.
  [[nodiscard]] std::uint32_t index(std::uint16_t strategy,
                                    std::uint32_t instrument) const noexcept;
  [[nodiscard]] std::uint32_t account_index(std::uint32_t instrument) const noexcept {
    return instrument;
  }
  [[nodiscard]] PositionRow& row(std::uint32_t i) noexcept { return rows_[i]; }
  [[nodiscard]] const PositionRow& row(std::uint32_t i) const noexcept { return rows_[i]; }
  [[nodiscard]] const PositionRow& of(std::uint16_t strategy,
                                      std::uint32_t instrument) const noexcept {
    return rows_[index(strategy, instrument)];
  }
  [[nodiscard]] const PositionRow& account(std::uint32_t instrument) const noexcept {
    return rows_[account_index(instrument)];
  }
  [[nodiscard]] std::uint32_t size() const noexcept {
    return static_cast<std::uint32_t>(rows_.size());
  }
  [[nodiscard]] std::uint32_t instruments() const noexcept { return instruments_; }
  // Σ cash flows of the account in the quote currency.
  [[nodiscard]] std::int64_t cash_flow() const noexcept { return cash_flow_; }

 private:
  std::vector<PositionRow> rows_;
  std::uint32_t strategies_;
  std::uint32_t instruments_;
  std::int64_t cash_flow_{0};
};

// Books one fill or fee change into one row; false when a sum does not fit (the row is then
// unchanged).
[[nodiscard]] bool apply_fill(PositionRow& row, const FillBooking& fill) noexcept;
[[nodiscard]] bool apply_fee(PositionRow& row, const FeeChange& change) noexcept;

}  // namespace sluice
