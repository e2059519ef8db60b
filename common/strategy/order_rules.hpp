// What the example strategies share: orders whose form no gate refuses, and what a halt is.
//
// Thread contract: pure functions.
#pragma once

#include <cstdint>

#include "common/market/instrument.hpp"
#include "common/messages/ids.hpp"
#include "common/messages/market_event.hpp"
#include "common/strategy/strategy.hpp"

namespace sluice {

inline constexpr std::int64_t kCentiBps = 1'000'000;  // one, in hundredths of a basis point

// px moved by a signed number of centi-bps and then to the tick that trades less: a buy rounds
// down, a sale up. Zero, which is on no tick, when the result does not fit.
[[nodiscard]] inline Price shifted(const Instrument& instrument, Price px, std::int64_t centi_bps,
                                   Side side) noexcept {
  std::int64_t moved = 0;
  if (!mul_div_half_even(px.raw, kCentiBps + centi_bps, kCentiBps, moved))
    return Price{};
  return side == Side::kBuy ? floor_to_tick(instrument, Price{moved})
                            : ceil_to_tick(instrument, Price{moved});
}

// What is smaller would be refused by every gate on the way: dust stays dust.
[[nodiscard]] inline bool worth_an_order(const Instrument& instrument, Qty qty, Price px) noexcept {
  Cash value{};
  return qty.raw > 0 && qty >= instrument.min_qty && notional(px, qty, value) &&
         value >= instrument.min_notional;
}

// A sale, now, of what is worth an order at the bid. The gate values one at market at the lowest
// price that its collar allows, and refuses what is below the minimum there: what might be is
// offered at the bid instead.
inline void sell_at_market_or_bid(const Instrument& instrument, Price bid,
                                  OrderRequest& request) noexcept {
  constexpr std::int64_t kWidestCollar = kCentiBps / 2;  // that a configuration may ask for
  const bool at_market = worth_an_order(instrument, request.qty,
                                        shifted(instrument, bid, -kWidestCollar, Side::kSell));
  request.side = Side::kSell;
  request.type = at_market ? OrderType::kMarket : OrderType::kLimit;
  request.tif = TimeInForce::kIoc;
  request.limit = at_market ? Price{} : bid;
}

// A status we do not know counts as a halt; news about imbalances or price bands changes nothing.
[[nodiscard]] inline bool halted_after(const MarketEvent& event, bool halted) noexcept {
  if (event.kind != MarketKind::kStatus || event.status().status == TradingStatus::kInformation)
    return halted;
  return event.status().status != TradingStatus::kTrading;
}

// An order that rests lives until it is cancelled, an equity's only until the close: nothing of
// ours shall work in a session nobody looks at.
[[nodiscard]] inline TimeInForce resting_tif(const Instrument& instrument) noexcept {
  return instrument.asset_class == AssetClass::kUsEquity ? TimeInForce::kDay : TimeInForce::kGtc;
}

}  // namespace sluice
