// ExecutionBook: the executions we remember, by the venue's execution id and, per order, by their
// intervals of the order's cumulative quantity. It is what makes a fill count once.
//
// One thread; everything is allocated at construction.
// Invariants:
//  1. An execution is remembered while its order has a row or its fee is not final; after that its
//  place
//     is taken by newer ones, oldest first.
//  2. Intervals of one order do not overlap.
//  3. A fee that arrived before its execution waits here under the execution's id.
#pragma once

#include <vector>

#include "common/messages/execution.hpp"
#include "common/trading/flat_index.hpp"

namespace sluice {

struct ExecutionRecord {
  Id128 id{};
  Price px{};
  Qty qty{};
  Qty cum_qty{};        // the venue's, after it: the interval is (cum_qty - qty, cum_qty]
  std::int64_t fee{0};  // booked: estimated or final
  std::uint32_t row{kNoRow};
  std::uint32_t next{FlatIndex<Id128>::kNone};  // of the same order
  std::uint32_t instrument{kNoInstrument};
  std::uint16_t strategy{kExternalStrategy};
  Side side{Side::kNone};
  bool used{false};
  bool booked{false};  // false: only its fee is known
  bool fee_final{false};
};

class ExecutionBook {
 public:
  static constexpr std::uint32_t kNone = FlatIndex<Id128>::kNone;

  explicit ExecutionBook(std::uint32_t capacity);

  [[nodiscard]] std::uint32_t find(const Id128& id) const noexcept { return by_id_.find(id); }
  // A new record for `id`, not booked; kNone when nothing may be forgotten. Required: find(id) ==
  // kNone.
  [[nodiscard]] std::uint32_t insert(const Id128& id) noexcept;
  // Puts a record at the front of an order's chain; returns the new head.
  std::uint32_t attach(std::uint32_t record, std::uint32_t row, std::uint32_t head) noexcept;
  // The order's row is given to another: its executions stay known by id, but may be forgotten.
  void detach_chain(std::uint32_t head) noexcept;
  // True when (cum - qty, cum] shares any quantity with an execution of the chain.
  [[nodiscard]] bool overlaps(std::uint32_t head, Qty qty, Qty cum) const noexcept;
  // The fee became final; the record may be forgotten once detached.
  void settle(std::uint32_t record) noexcept;

  [[nodiscard]] ExecutionRecord& record(std::uint32_t i) noexcept { return records_[i]; }
  [[nodiscard]] const ExecutionRecord& record(std::uint32_t i) const noexcept {
    return records_[i];
  }
  // True when so much must be remembered that no new order should add to it.
  [[nodiscard]] bool nearly_full() const noexcept { return pinned_ > records_.size() / 8 * 7; }
  [[nodiscard]] std::uint32_t pinned() const noexcept { return pinned_; }

 private:
  [[nodiscard]] static bool is_pinned(const ExecutionRecord& r) noexcept {
    return r.used && r.booked && (r.row != kNoRow || !r.fee_final);
  }

  std::vector<ExecutionRecord> records_;
  FlatIndex<Id128> by_id_;
  std::uint32_t next_{0};
  std::uint32_t pinned_{0};
};

}  // namespace sluice
