// Tombstones: cancels that overtook their order. The order that arrives on its tombstone is
// refused.
//
// One thread; fixed room per strategy. Invariants:
//  1. A tombstone goes when its order arrived on it, or when it is certain that the order never
//  will:
//     risk's decided mark has reached it and the order ring was drained after that mark was read.
//  2. A new incarnation of a strategy makes the tombstones of older ones void: their orders are
//  refused
//     for their incarnation alone.
#pragma once

#include <vector>

#include "common/messages/ids.hpp"

namespace sluice {

class Tombstones {
 public:
  Tombstones(std::uint32_t strategies, std::uint32_t per_strategy)
      : per_strategy_(per_strategy),
        slots_(std::size_t{strategies} * per_strategy),
        counts_(strategies, 0) {}

  // False: no room. Required: order.strategy < strategies.
  [[nodiscard]] bool add(const IntentId& order) noexcept {
    IntentId* const first = begin(order.strategy);
    std::uint32_t& count = counts_[order.strategy];
    for (std::uint32_t i = 0; i < count; ++i) {
      if (first[i] == order) {
        return true;
      }
    }
    if (count == per_strategy_) {
      return false;
    }
    first[count++] = order;
    return true;
  }
  // True, and the tombstone is gone, when there was one.
  [[nodiscard]] bool take(const IntentId& order) noexcept {
    IntentId* const first = begin(order.strategy);
    std::uint32_t& count = counts_[order.strategy];
    for (std::uint32_t i = 0; i < count; ++i) {
      if (first[i] == order) {
        first[i] = first[--count];
        return true;
      }
    }
    return false;
  }
  // Drops those up to `sequence` of `incarnation`, and all of older incarnations.
  void release(std::uint16_t strategy, std::uint32_t incarnation, std::uint64_t sequence) noexcept {
    IntentId* const first = begin(strategy);
    std::uint32_t& count = counts_[strategy];
    for (std::uint32_t i = 0; i < count;) {
      const bool over = first[i].incarnation < incarnation ||
                        (first[i].incarnation == incarnation && first[i].sequence <= sequence);
      if (over) {
        first[i] = first[--count];
      } else {
        ++i;
      }
    }
  }
  [[nodiscard]] std::uint32_t count(std::uint16_t strategy) const noexcept {
    return counts_[strategy];
  }

 private:
  [[nodiscard]] IntentId* begin(std::uint16_t strategy) noexcept {
    return slots_.data() + std::size_t{strategy} * per_strategy_;
  }

  std::uint32_t per_strategy_;
  std::vector<IntentId> slots_;
  std::vector<std::uint32_t> counts_;
};

}  // namespace sluice
