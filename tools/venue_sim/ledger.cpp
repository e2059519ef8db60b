#include "tools/venue_sim/ledger.hpp"

#include <string>

#include "common/base/error.hpp"
#include "common/base/fault.hpp"

namespace sluice::sim {
namespace {

void require_range(bool fits) {
  if (!fits) {
    throw Error(ExitCode::kConfig,
                "venue ledger: an amount left the range of +-9.2e9; start with a smaller --cash or "
                "a session with smaller prices");
  }
}

std::int64_t plus(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  require_range(add_checked(a, b, sum));
  return sum;
}

std::int64_t minus(std::int64_t a, std::int64_t b) {
  std::int64_t difference = 0;
  require_range(sub_checked(a, b, difference));
  return difference;
}

}  // namespace

// A position that grows costs what was paid for it; one that shrinks keeps its average price.
void Ledger::move_position(Position& position, std::int64_t qty, Cash paid) {
  const std::int64_t before = position.qty.raw;
  const bool grows = before == 0 || (before > 0) == (qty > 0);
  const bool turns = !grows && (qty > 0 ? qty > -before : -qty > before);
  const std::int64_t size = qty < 0 ? -qty : qty;
  if (grows) {
    position.cost.raw = plus(position.cost.raw, paid.raw);
  } else if (turns) {  // what is left of the fill opens the new position
    std::int64_t cost = 0;
    require_range(mul_div_half_even(paid.raw, plus(before, qty), size, cost));
    position.cost.raw = qty < 0 ? -cost : cost;
  } else {
    std::int64_t gone = 0;
    if (mul_div_half_even(position.cost.raw, size, before < 0 ? -before : before, gone)) {
      position.cost.raw = minus(position.cost.raw, gone);
    }
  }
  position.qty.raw = plus(before, qty);
}

FillBooking Ledger::book(SymbolIndex symbol, Side side, Price px, Qty qty, bool maker) {
  const bool free = free_[symbol];
  const std::uint32_t bps = free ? 0 : (maker ? fees_.maker_bps : fees_.taker_bps);
  Position& position = positions_[symbol];
  FillBooking booking;
  require_range(notional(px, qty, booking.notional));
  booking.fee_in_base = side == Side::kBuy && !free;
  const std::int64_t received = booking.fee_in_base ? qty.raw : booking.notional.raw;
  require_range(fee_of(received, bps, booking.fee));

  bool charge_base = booking.fee_in_base;
  std::int64_t charge = booking.fee;
  if (SLUICE_PLANTED(2)) {  // fee on what was given instead of what was received, here only
    charge_base = !charge_base;
    require_range(fee_of(charge_base ? qty.raw : booking.notional.raw, bps, charge));
  }

  if (side == Side::kBuy) {
    cash_.raw = minus(cash_.raw, booking.notional.raw);
    move_position(position, qty.raw, booking.notional);
  } else {
    cash_.raw = plus(cash_.raw, booking.notional.raw);
    move_position(position, -qty.raw, Cash{-booking.notional.raw});
  }
  if (charge_base) {
    position.qty.raw = minus(position.qty.raw, charge);
    position.fees.raw = plus(position.fees.raw, charge);
  } else {
    cash_.raw = minus(cash_.raw, charge);
    fees_in_cash_.raw = plus(fees_in_cash_.raw, charge);
  }
  if (position.qty.raw == 0) {
    position.cost = Cash{};
  }
  booking.position_after = position.qty;
  return booking;
}

void Ledger::change_hold(Cash before, Cash now) {
  held_cash_.raw = plus(minus(held_cash_.raw, before.raw), now.raw);
}

void Ledger::change_hold(SymbolIndex symbol, Qty before, Qty now) {
  Position& position = positions_[symbol];
  position.held.raw = plus(minus(position.held.raw, before.raw), now.raw);
}

}  // namespace sluice::sim
