// Makes a market that never was: a session from a seed alone, the same bytes on every machine.
//
// A cold tool, pure: integers only, an own generator (SplitMix64), no library whose results may
// differ. Each symbol walks alone, on whole ticks:
//   * The mid follows a trend of 1 to 4 s (up, none, down) and stays between half and twice its
//     start. Now and then (20 to 60 s) it jumps by 10 to 40 ticks. The spread is 1 to 4 ticks.
//   * Trades come from both sides, a little more with the trend, at the touch and never for more
//     than is shown there; the quote after a trade shows what it left, and an emptied level moves
//     the touch. Some sweep two levels. So a resting order is reached by trades at its price and
//     through it.
//   * Only equities: prints off the exchanges in the middle of the spread, some of them exempt from
//     the quotes, odd lots, sweeps marked as such, prints without a side; every 5 to 15 s a locked,
//     crossed or one-sided quote for 20 to 150 ms; one symbol of three is halted once (an
//     exchange's halt or a volatility pause): no quote, then quotes without trades, then trading.
//     On request an opening and a closing print.
//   * Crypto: sides are known, none of the above.
// Invariants: every session is one that save_session accepts; trades lie within the quote before
// them except for opening, closing and the second level of a sweep; it begins and ends with a
// two-sided, uncrossed quote of each symbol, and with trading on.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/time.hpp"
#include "common/market/session.hpp"

namespace sluice::convert {

struct SyntheticOptions {
  std::size_t symbols{1};
  std::int64_t seconds{60};
  std::int64_t rate{100};  // quotes and trades per symbol and second, on average
  std::uint64_t seed{1};
  SessionAssetClass asset_class{SessionAssetClass::kUsEquity};
  WallNanos start{};
  bool opening_print{false};  // equities
  bool closing_print{false};
};

// Throws Error(kUsage) when a number is out of range: symbols 1 to 4096, seconds 1 to 86,400, rate
// 1 to 20,000, and records within the format's limit.
[[nodiscard]] Session make_synthetic(const SyntheticOptions& options);

// "SYNA", "SYNB" … "SYNZ", "SYNAA" …; pairs have "/USD" behind it.
[[nodiscard]] std::string synthetic_symbol(std::size_t index, SessionAssetClass asset_class);

}  // namespace sluice::convert
