// Replaces in the portfolio's view: an order and its successor are reserved as one.
#include <algorithm>

#include "common/trading/risk_core.hpp"

namespace sluice {

const RiskCore::Reservation* RiskCore::find(const IntentId& id) const noexcept {
  const std::uint32_t at = id.is_none() ? kNoRow : by_intent_.find(id);
  return at == kNoRow ? nullptr : &reservations_[at];
}

RiskCore::Reservation* RiskCore::find(const IntentId& id) noexcept {
  const std::uint32_t at = id.is_none() ? kNoRow : by_intent_.find(id);
  return at == kNoRow ? nullptr : &reservations_[at];
}

// One replace of an order at a time, and only while it may still trade. The gateway knows more.
Reason RiskCore::check_replace(const Intent& intent) const noexcept {
  const Reservation* const old = find(intent.replaces);
  if (old == nullptr || intent.replaces.strategy != intent.id.strategy ||
      intent.replaces.incarnation != intent.id.incarnation) {
    return Reason::kUnknownOrder;
  }
  if (old->instrument != intent.instrument || old->side != intent.side) {
    return Reason::kMalformed;
  }
  const Reservation* const other = find(old->replaced_by);
  const bool taken = other != nullptr && other->open;
  return old->open && !taken && want(intent).leaves > 0 ? Reason::kNone : Reason::kNotReplaceable;
}

RiskCore::Want RiskCore::want(const Intent& intent) const noexcept {
  const Reservation* const old = find(intent.replaces);
  if (old == nullptr) {
    return {.leaves = intent.requested.raw, .added = intent.requested.raw};
  }
  const std::int64_t leaves = sub_saturating(intent.requested.raw, old->traded());
  return {.leaves = leaves,
          .added = std::max<std::int64_t>(sub_saturating(leaves, old->leaves()), 0)};
}

// Only one of a chain's two orders can trade what both might: the successor counts with what it has
// beyond the old one.
void RiskCore::recount(Reservation& r) noexcept {
  const Reservation* const old = find(r.replaces);
  const std::int64_t before = old != nullptr ? old->leaves() : 0;
  const std::int64_t counted = std::max<std::int64_t>(r.leaves() - before, 0);
  change_reserved(r, counted - r.counted);  // neither is negative
  r.counted = counted;
}

void RiskCore::follow_chain(const Reservation& r) noexcept {
  const Reservation* before = &r;
  for (Reservation* next = find(r.replaced_by); next != nullptr; next = find(next->replaced_by)) {
    const std::int64_t chain = before->traded();
    const bool changed = next->chain != chain;
    next->chain = chain;
    recount(*next);
    if (!changed) {
      return;
    }
    before = next;
  }
}

}  // namespace sluice
