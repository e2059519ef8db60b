#include "common/trading/execution_book.hpp"

namespace sluice {

ExecutionBook::ExecutionBook(std::uint32_t capacity) : records_(capacity), by_id_(capacity) {}

std::uint32_t ExecutionBook::insert(const Id128& id) noexcept {
  constexpr std::uint32_t kTries = 64;  // bounds the time when old executions are still needed
  const auto size = static_cast<std::uint32_t>(records_.size());
  for (std::uint32_t i = 0; i < kTries && i < size; ++i) {
    const std::uint32_t slot = next_;
    next_ = next_ + 1 == size ? 0 : next_ + 1;
    ExecutionRecord& r = records_[slot];
    if (is_pinned(r)) {
      continue;
    }
    if (r.used) {
      by_id_.erase(r.id);
    }
    r = {};
    r.id = id;
    r.used = true;
    by_id_.put(id, slot);
    return slot;
  }
  return kNone;
}

std::uint32_t ExecutionBook::attach(std::uint32_t i, std::uint32_t row,
                                    std::uint32_t head) noexcept {
  ExecutionRecord& r = records_[i];
  const bool before = is_pinned(r);
  r.booked = true;
  r.row = row;
  r.next = head;
  if (!before && is_pinned(r)) {
    ++pinned_;
  }
  return i;
}

void ExecutionBook::detach_chain(std::uint32_t head) noexcept {
  while (head != kNone) {
    ExecutionRecord& r = records_[head];
    const bool before = is_pinned(r);
    head = r.next;
    r.row = kNoRow;
    r.next = kNone;
    if (before && !is_pinned(r)) {
      --pinned_;
    }
  }
}

void ExecutionBook::settle(std::uint32_t i) noexcept {
  ExecutionRecord& r = records_[i];
  const bool before = is_pinned(r);
  r.fee_final = true;
  if (before && !is_pinned(r)) {
    --pinned_;
  }
}

bool ExecutionBook::overlaps(std::uint32_t head, Qty qty, Qty cum) const noexcept {
  const std::int64_t from = cum.raw - qty.raw;
  for (std::uint32_t i = head; i != kNone; i = records_[i].next) {
    const ExecutionRecord& r = records_[i];
    if (from < r.cum_qty.raw && r.cum_qty.raw - r.qty.raw < cum.raw) {
      return true;
    }
  }
  return false;
}

}  // namespace sluice
