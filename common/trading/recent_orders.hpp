// RecentOrders: what a strategy sent a moment ago, so that the same order is not sent twice by
// mistake (order-path.md 4, economic duplicate).
//
// One thread; allocates at construction only. Invariant: holds as many orders as the strategy's
// rate allows in one second, so that within any T up to a second none is forgotten.
#pragma once

#include <vector>

#include "common/messages/intent.hpp"

namespace sluice {

class RecentOrders {
 public:
  static constexpr std::int64_t kLongestNs = 1'000'000'000;

  explicit RecentOrders(std::uint32_t per_second) : slots_(per_second == 0 ? 1 : per_second) {}

  // `root` is the first order of the intent's chain: a chain that comes back to an earlier price is
  // no duplicate of itself. Newest first, so it ends at the first that is too old.
  [[nodiscard]] bool has_same(const Intent& intent, const IntentId& root, MonoNanos now,
                              std::int64_t within_ns) const noexcept {
    for (std::size_t back = 1; back <= slots_.size(); ++back) {
      const Sent& s = slots_[(next_ + slots_.size() - back) % slots_.size()];
      if (s.root.is_none() || now.ns - s.at.ns >= within_ns) {
        return false;
      }
      if (s.root != root && s.instrument == intent.instrument && s.side == intent.side &&
          s.type == intent.type && s.limit == intent.limit && s.qty == intent.approved) {
        return true;
      }
    }
    return false;
  }
  void add(const Intent& intent, const IntentId& root, MonoNanos now) noexcept {
    slots_[next_] = {.root = root,
                     .at = now,
                     .limit = intent.limit,
                     .qty = intent.approved,
                     .instrument = intent.instrument,
                     .side = intent.side,
                     .type = intent.type};
    next_ = (next_ + 1) % slots_.size();
  }

 private:
  struct Sent {
    IntentId root{};
    MonoNanos at{};
    Price limit{};
    Qty qty{};
    std::uint32_t instrument{0};
    Side side{Side::kNone};
    OrderType type{OrderType::kNone};
  };

  std::vector<Sent> slots_;
  std::size_t next_{0};
};

}  // namespace sluice
