#include "tools/venue_sim/stops.hpp"

#include <algorithm>

namespace sluice::sim {
namespace {

constexpr std::int64_t kHundredPercent = 100 * kScale;

bool reached(const StopOrder& order, Price px) noexcept {
  if (order.stop.raw <= 0) {
    return false;  // a trailing stop that has seen no trade yet
  }
  return order.side == Side::kBuy ? px >= order.stop : px <= order.stop;
}

}  // namespace

Price trailing_stop(const StopOrder& order, Price hwm, Price tick) noexcept {
  std::int64_t distance = order.trail_price.raw;
  if (distance == 0 &&
      !mul_div_half_even(hwm.raw, order.trail_percent, kHundredPercent, distance)) {
    distance = 0;
  }
  const std::int64_t unit = std::max<std::int64_t>(tick.raw, 1);
  if (order.side == Side::kSell) {
    const std::int64_t stop = hwm.raw - distance;
    return Price{std::max<std::int64_t>(stop - stop % unit, unit)};
  }
  const std::int64_t stop = hwm.raw + distance + unit - 1;
  return Price{stop - stop % unit};
}

bool StopBook::remove(SymbolIndex symbol, OrderKey key) noexcept {
  return std::erase_if(armed_[symbol], [key](const StopOrder& o) { return o.key == key; }) > 0;
}

StopBook::Outcome StopBook::trade(SymbolIndex symbol, Price px, Price tick) {
  Outcome outcome;
  for (StopOrder& order : armed_[symbol]) {
    if (reached(order, px)) {
      outcome.elected.push_back(order.key);
      continue;
    }
    const bool better = order.side == Side::kSell ? px > order.hwm : px < order.hwm;
    if (order.trails() && (order.hwm.raw == 0 || better)) {
      order.hwm = px;
      order.stop = trailing_stop(order, px, tick);
      outcome.trailed.push_back(order);
    }
  }
  for (const OrderKey key : outcome.elected) {
    remove(symbol, key);
  }
  return outcome;
}

}  // namespace sluice::sim
