#include "common/trading/positions.hpp"

#include "common/base/fault.hpp"
#include "common/trading/checked.hpp"

namespace sluice {
namespace {

bool same_sign(std::int64_t a, std::int64_t b) noexcept {
  return (a < 0) == (b < 0);
}

// Average-cost rule. `delta` is the signed change of the position, `paid` the signed cash it cost.
// What is added is added at what it cost; what is given away takes its share of the cost with it;
// what goes through zero starts anew with its share of what was paid.
bool apply_cost(PositionRow& row, std::int64_t delta, std::int64_t paid) noexcept {
  const std::int64_t before = row.position;
  if (delta == 0) {
    return true;
  }
  if (before == 0 || same_sign(before, delta)) {
    return add_checked(row.cost, paid, row.cost);
  }
  const std::int64_t closes = magnitude(delta);
  const std::int64_t held = magnitude(before);
  if (closes == held) {
    row.cost = 0;
    return true;
  }
  std::int64_t share = 0;
  if (closes > held) {
    if (!mul_div_half_even(paid, closes - held, closes, share)) {
      return false;
    }
    row.cost = share;
    return true;
  }
  return mul_div_half_even(row.cost, closes, held, share) && sub_checked(row.cost, share, row.cost);
}

bool refresh_realised(PositionRow& row) noexcept {
  return add_checked(row.cash_flow, row.cost, row.realised);
}

}  // namespace

bool apply_fill(PositionRow& row, const FillBooking& fill) noexcept {
  Cash value;
  if (!notional(fill.px, fill.qty, value)) {
    return false;
  }
  PositionRow next = row;
  std::int64_t delta = 0;  // of the position
  std::int64_t paid = 0;   // cash out
  if (fill.side == Side::kBuy) {
    paid = value.raw;
    if (!sub_checked(fill.qty.raw, fill.fee, delta) ||
        !add_checked(next.bought.raw, fill.qty.raw, next.bought.raw) ||
        !add_checked(next.fee_base, fill.fee, next.fee_base)) {
      return false;
    }
  } else {
    delta = -fill.qty.raw;
    const std::int64_t received = SLUICE_PLANTED(5) ? -value.raw : value.raw;
    if (!sub_checked(fill.fee, received, paid) ||
        !add_checked(next.sold.raw, fill.qty.raw, next.sold.raw) ||
        !add_checked(next.fee_quote, fill.fee, next.fee_quote)) {
      return false;
    }
  }
  if (!apply_cost(next, delta, paid) || !add_checked(next.position, delta, next.position) ||
      !sub_checked(next.cash_flow, paid, next.cash_flow) || !refresh_realised(next)) {
    return false;
  }
  row = next;
  return true;
}

bool apply_fee(PositionRow& row, const FeeChange& change) noexcept {
  PositionRow next = row;
  if (change.side == Side::kBuy) {
    if (!sub_checked(next.position, change.delta, next.position) ||
        !add_checked(next.fee_base, change.delta, next.fee_base)) {
      return false;
    }
    // What the fee took away to the last unit, or beyond, leaves no cost behind.
    if (next.position == 0 || !same_sign(next.position, row.position)) {
      next.cost = 0;
    }
  } else {
    if (!sub_checked(next.cash_flow, change.delta, next.cash_flow) ||
        !add_checked(next.fee_quote, change.delta, next.fee_quote)) {
      return false;
    }
  }
  if (!refresh_realised(next)) {
    return false;
  }
  row = next;
  return true;
}

PositionBook::PositionBook(std::uint32_t strategies, std::uint32_t instruments)
    : rows_(std::size_t{strategies + 2} * instruments),
      strategies_(strategies),
      instruments_(instruments) {
  for (std::uint32_t block = 0; block < strategies + 2; ++block) {
    for (std::uint32_t i = 0; i < instruments; ++i) {
      PositionRow& row = rows_[std::size_t{block} * instruments + i];
      row.instrument = i;
      row.strategy = block == 0 || block > strategies ? kExternalStrategy
                                                      : static_cast<std::uint16_t>(block - 1);
    }
  }
}

std::uint32_t PositionBook::index(std::uint16_t strategy, std::uint32_t instrument) const noexcept {
  const std::uint32_t block = strategy < strategies_ ? strategy + 1U : strategies_ + 1;
  return block * instruments_ + instrument;
}

BookStatus PositionBook::book(const FillBooking& fill) noexcept {
  PositionRow& account = rows_[account_index(fill.instrument)];
  PositionRow& own = rows_[index(fill.strategy, fill.instrument)];
  PositionRow next_account = account;
  PositionRow next_own = own;
  std::int64_t flow = 0;
  std::int64_t cash = 0;
  if (!apply_fill(next_account, fill) || !apply_fill(next_own, fill) ||
      !sub_checked(next_account.cash_flow, account.cash_flow, flow) ||
      !add_checked(cash_flow_, flow, cash)) {
    set_flag(fill.instrument, kPositionOverflow);
    return BookStatus::kOverflow;
  }
  account = next_account;
  own = next_own;
  cash_flow_ = cash;
  return BookStatus::kOk;
}

BookStatus PositionBook::adjust_fee(const FeeChange& change) noexcept {
  PositionRow& account = rows_[account_index(change.instrument)];
  PositionRow& own = rows_[index(change.strategy, change.instrument)];
  PositionRow next_account = account;
  PositionRow next_own = own;
  std::int64_t flow = 0;
  std::int64_t cash = 0;
  if (!apply_fee(next_account, change) || !apply_fee(next_own, change) ||
      !sub_checked(next_account.cash_flow, account.cash_flow, flow) ||
      !add_checked(cash_flow_, flow, cash)) {
    set_flag(change.instrument, kPositionOverflow);
    return BookStatus::kOverflow;
  }
  account = next_account;
  own = next_own;
  cash_flow_ = cash;
  return BookStatus::kOk;
}

BookStatus PositionBook::accept_external(std::uint32_t instrument, std::int64_t delta) noexcept {
  PositionRow& account = rows_[account_index(instrument)];
  PositionRow& own = rows_[index(kExternalStrategy, instrument)];
  std::int64_t next_account = 0;
  std::int64_t next_own = 0;
  if (!add_checked(account.position, delta, next_account) ||
      !add_checked(own.position, delta, next_own)) {
    set_flag(instrument, kPositionOverflow);
    return BookStatus::kOverflow;
  }
  account.position = next_account;
  own.position = next_own;
  return BookStatus::kOk;
}

void PositionBook::change_working(std::uint16_t strategy, std::uint32_t instrument, Side side,
                                  std::int64_t delta) noexcept {
  for (const std::uint32_t i : {account_index(instrument), index(strategy, instrument)}) {
    add_saturating(side == Side::kBuy ? rows_[i].working_buy.raw : rows_[i].working_sell.raw,
                   delta);
  }
}

void PositionBook::change_fees_pending(std::uint16_t strategy, std::uint32_t instrument,
                                       int delta) noexcept {
  for (const std::uint32_t i : {account_index(instrument), index(strategy, instrument)}) {
    rows_[i].fees_pending += static_cast<std::uint32_t>(delta);  // unsigned wrap subtracts
  }
}

void PositionBook::set_evidence(std::uint32_t instrument, std::int64_t position,
                                MonoNanos at) noexcept {
  PositionRow& row = rows_[account_index(instrument)];
  row.venue_position = position;
  row.venue_position_ns = at;
}

void PositionBook::set_flag(std::uint32_t instrument, std::uint16_t flag) noexcept {
  PositionRow& row = rows_[account_index(instrument)];
  row.flags = static_cast<std::uint16_t>(row.flags | flag);
  row.halted = 1;
}

void PositionBook::clear_flag(std::uint32_t instrument, std::uint16_t flag) noexcept {
  PositionRow& row = rows_[account_index(instrument)];
  row.flags = static_cast<std::uint16_t>(row.flags & ~flag);
  row.halted = row.flags == 0 ? 0 : 1;
}

}  // namespace sluice
