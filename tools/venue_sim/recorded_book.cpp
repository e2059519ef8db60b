#include "tools/venue_sim/recorded_book.hpp"

namespace sluice::sim {

void BookSide::note_trade(Price px, Qty qty) noexcept {
  const auto it = levels_.find(rank(px));
  if (it == levels_.end()) {
    return;
  }
  std::int64_t sum = 0;
  // A sum past the range could only come from a broken recording; "all of it" is what it means.
  it->second.traded = add_checked(it->second.traded, qty.raw, sum) ? sum : INT64_MAX;
}

std::optional<BookSide::Best> BookSide::best() const noexcept {
  const auto it = visible_begin();
  if (it == levels_.end()) {
    return std::nullopt;
  }
  return Best{price(it->first), Qty{it->second.recorded}};
}

Qty BookSide::recorded_at(Price px) const noexcept {
  const std::int64_t r = rank(px);
  if (hides(r)) {
    return Qty{0};
  }
  const auto it = levels_.find(r);
  return it == levels_.end() ? Qty{0} : Qty{it->second.recorded};
}

}  // namespace sluice::sim
