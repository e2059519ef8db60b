// Tick validation: is this quote or trade one a decision may rest on?
//
// Who: the feed-handler's core, once per event; pure, constant time, no allocation. A verdict never
// changes or drops an event: the caller publishes it flagged, and the gate refuses what is not kOk.
//
// Two kinds of check. Absolute ones look at the tick alone: both sides there, not crossed, prices
// and sizes within what the config believes possible. The relative one compares with the
// instrument's last accepted price: a move of more than `jump_bps` is a suspect until
// `confirm_count` ticks in a row agree with each other on the new level; without that a real move
// would be suspect for ever, and with it a single bad print never becomes the reference.
#pragma once

#include <cstdint>
#include <limits>

#include "common/base/fixed.hpp"
#include "common/messages/market_event.hpp"

namespace sluice {

enum class TickVerdict : std::uint8_t {
  kOk,
  kOneSided,    // a side of the quote is absent
  kCrossed,     // bid at or above ask
  kOutOfRange,  // a price or size that is not positive or is outside the limits
  kWide,        // spread above spread_bps_max
  kJump,        // too far from the last accepted price, not yet confirmed
};

[[nodiscard]] constexpr const char* to_string(TickVerdict verdict) noexcept {
  switch (verdict) {
    case TickVerdict::kOk:
      return "ok";
    case TickVerdict::kOneSided:
      return "one_sided";
    case TickVerdict::kCrossed:
      return "crossed";
    case TickVerdict::kOutOfRange:
      return "out_of_range";
    case TickVerdict::kWide:
      return "wide";
    case TickVerdict::kJump:
      return "jump";
  }
  return "unknown";
}

struct TickLimits {
  Price px_min{1};                                         // below: kOutOfRange
  Price px_max{std::numeric_limits<std::int64_t>::max()};  // above: kOutOfRange
  Qty qty_max{std::numeric_limits<std::int64_t>::max()};   // above: kOutOfRange
  std::uint32_t spread_bps_max{0};                         // of the mid; 0 = not checked
  std::uint32_t jump_bps{0};                               // of the reference; 0 = not checked
  std::uint32_t confirm_count{3};  // ticks that agree on a new level before it is accepted
};

// One per instrument and kind (quotes and trades are judged apart). Zero: the first tick is
// accepted.
struct TickState {
  Price reference{};  // last accepted mid or trade price
  Price candidate{};  // level the last suspects agreed on
  std::uint32_t agreeing{0};
};

namespace ticks_detail {

// |value - base| * 10'000 > bps * base, in 128 bits: exact for all positive prices.
[[nodiscard]] constexpr bool beyond_bps(Price value, Price base, std::uint32_t bps) noexcept {
  const std::int64_t distance = value.raw > base.raw ? value.raw - base.raw : base.raw - value.raw;
  __extension__ using Wide = __int128;
  return static_cast<Wide>(distance) * 10'000 > static_cast<Wide>(base.raw) * bps;
}

[[nodiscard]] constexpr TickVerdict check_jump(const TickLimits& limits, TickState& state,
                                               Price px) noexcept {
  const bool first = state.reference.raw == 0;
  if (limits.jump_bps == 0 || first || !beyond_bps(px, state.reference, limits.jump_bps)) {
    state = TickState{.reference = px, .candidate = {}, .agreeing = 0};
    return TickVerdict::kOk;
  }
  const bool agrees = state.agreeing > 0 && !beyond_bps(px, state.candidate, limits.jump_bps);
  state.candidate = px;
  state.agreeing = agrees ? state.agreeing + 1 : 1;
  if (state.agreeing < limits.confirm_count) {
    return TickVerdict::kJump;
  }
  state = TickState{.reference = px, .candidate = {}, .agreeing = 0};
  return TickVerdict::kOk;
}

[[nodiscard]] constexpr bool in_range(const TickLimits& limits, Price px, Qty qty) noexcept {
  return px >= limits.px_min && px <= limits.px_max && px.raw > 0 && qty.raw > 0 &&
         qty <= limits.qty_max;
}

}  // namespace ticks_detail

// `state` changes only when the absolute checks passed: a crossed quote is no reference.
[[nodiscard]] constexpr TickVerdict check_quote(const TickLimits& limits, TickState& state,
                                                const Quote& quote) noexcept {
  // The venue writes an absent side as price 0 and size 0; a negative number is nobody's
  // convention.
  const bool negative = quote.bid_px.raw < 0 || quote.ask_px.raw < 0 || quote.bid_qty.raw < 0 ||
                        quote.ask_qty.raw < 0;
  if (negative) {
    return TickVerdict::kOutOfRange;
  }
  if (!quote.two_sided()) {
    return TickVerdict::kOneSided;
  }
  if (!ticks_detail::in_range(limits, quote.bid_px, quote.bid_qty) ||
      !ticks_detail::in_range(limits, quote.ask_px, quote.ask_qty)) {
    return TickVerdict::kOutOfRange;
  }
  if (quote.crossed()) {
    return TickVerdict::kCrossed;
  }
  const Price mid{quote.bid_px.raw + (quote.ask_px.raw - quote.bid_px.raw) / 2};
  __extension__ using Wide = __int128;
  const Wide spread = static_cast<Wide>(quote.ask_px.raw - quote.bid_px.raw);
  if (limits.spread_bps_max != 0 &&
      spread * 10'000 > static_cast<Wide>(mid.raw) * limits.spread_bps_max) {
    return TickVerdict::kWide;
  }
  return ticks_detail::check_jump(limits, state, mid);
}

[[nodiscard]] constexpr TickVerdict check_trade(const TickLimits& limits, TickState& state,
                                                const Trade& trade) noexcept {
  if (!ticks_detail::in_range(limits, trade.px, trade.qty)) {
    return TickVerdict::kOutOfRange;
  }
  return ticks_detail::check_jump(limits, state, trade.px);
}

}  // namespace sluice
