#include "common/storage/holdings.hpp"

#include <limits>

namespace sluice {
namespace {

std::int64_t size_of(std::int64_t position) noexcept {
  return position < 0 ? -position : position;
}

bool same_direction(std::int64_t a, std::int64_t b) noexcept {
  return (a < 0) == (b < 0);
}

// The cost of what is held after the position moved by `delta` for `paid` (negative: received).
bool next_cost(const Holdings& h, std::int64_t delta, std::int64_t paid,
               std::int64_t& cost) noexcept {
  cost = h.cost;
  if (delta == 0)
    return true;
  if (h.position == 0 || same_direction(h.position, delta))
    return add_checked(h.cost, paid, cost);
  const std::int64_t closed = size_of(delta);
  const std::int64_t held = size_of(h.position);
  std::int64_t share = 0;
  if (closed < held) {
    return mul_div_half_even(h.cost, closed, held, share) && sub_checked(h.cost, share, cost);
  }
  // Through zero: what remains was opened by this fill and costs its share of the payment.
  if (closed > held)
    return mul_div_half_even(paid, closed - held, closed, cost);
  cost = 0;
  return true;
}

bool refresh(Holdings& h) noexcept {
  return add_checked(h.cash_flow, h.cost, h.realised) &&
         h.position != std::numeric_limits<std::int64_t>::min();
}

bool add_fill(Holdings& h, const Execution& fill) noexcept {
  Cash value;
  if (!notional(fill.px, fill.qty, value))
    return false;
  const bool buy = fill.side == Side::kBuy;
  std::int64_t delta = 0;
  std::int64_t paid = 0;
  if (buy) {
    paid = value.raw;
    if (!sub_checked(fill.qty.raw, fill.fee, delta))
      return false;
  } else {
    delta = -fill.qty.raw;
    if (!sub_checked(fill.fee, value.raw, paid))
      return false;
  }
  std::int64_t& traded = buy ? h.bought : h.sold;
  std::int64_t& fees = buy ? h.fee_base : h.fee_quote;
  std::int64_t cost = 0;
  if (!next_cost(h, delta, paid, cost))
    return false;
  h.cost = cost;
  ++h.fills;
  return add_checked(traded, fill.qty.raw, traded) && add_checked(fees, fill.fee, fees) &&
         add_checked(h.position, delta, h.position) &&
         sub_checked(h.cash_flow, paid, h.cash_flow) && refresh(h);
}

bool add_fee(Holdings& h, const Execution& change) noexcept {
  if (change.side != Side::kBuy) {
    return sub_checked(h.cash_flow, change.fee, h.cash_flow) &&
           add_checked(h.fee_quote, change.fee, h.fee_quote) && refresh(h);
  }
  const std::int64_t before = h.position;
  if (!sub_checked(h.position, change.fee, h.position) ||
      !add_checked(h.fee_base, change.fee, h.fee_base)) {
    return false;
  }
  // A fee that takes the last unit, or more, leaves no cost behind.
  if (h.position == 0 || !same_direction(h.position, before))
    h.cost = 0;
  return refresh(h);
}

template <class Booking>
void whole_or_not_at_all(Holdings& holdings, Booking&& booking) noexcept {
  Holdings next = holdings;
  if (booking(next)) {
    holdings = next;
  } else {
    ++holdings.overflows;
  }
}

}  // namespace

void book_fill(Holdings& holdings, const Execution& fill) noexcept {
  whole_or_not_at_all(holdings, [&](Holdings& h) { return add_fill(h, fill); });
}

void book_fee(Holdings& holdings, const Execution& change) noexcept {
  whole_or_not_at_all(holdings, [&](Holdings& h) { return add_fee(h, change); });
}

std::optional<std::int64_t> unrealised(const Holdings& holdings, Price mark) noexcept {
  Cash value;
  std::int64_t gain = 0;
  if (!notional(mark, Qty{holdings.position}, value) ||
      !sub_checked(value.raw, holdings.cost, gain)) {
    return std::nullopt;
  }
  return gain;
}

}  // namespace sluice
