// Reads the Binance spot capture of the hftbacktest project (../shared/data/MANIFEST.md describes
// it) into session records. A cold tool: it runs once when a session is made.
//
// One line is `<local receive time, ns UTC> <JSON>`. The JSON is a combined-stream frame
// {"stream":..,"data":{..}} of @bookTicker, @trade or @depth@100ms, or - once - a bare REST depth
// snapshot {"lastUpdateId":..,"bids":[..],"asks":..}. All prices and quantities are JSON strings;
// they go through parse_decimal and never through a double.
//
// Stamps:
//   * send_ns is the line's receive time.
//   * The recorder's clock was 1.27 s behind the exchange's (measured over the whole capture: 1.272
//   s
//     in the median). `kRecorderLagNs` is subtracted once from the exchange time of trades (T) and
//     diffs (E), so that exchange_ns and send_ns are of one clock.
//   * A bookTicker and the REST snapshot carry no stamp: exchange_ns = send_ns.
//   * An exchange time that would still lie after the send is set to the send.
//
// Joining the book (Binance, "How to manage a local order book correctly"): diffs that arrived
// before the snapshot are held back; at the snapshot those with u <= lastUpdateId are dropped and
// the rest follow it, with the snapshot's send time, since before it they mean nothing. The first
// diff kept must have U <= lastUpdateId + 1 <= u, and each further one U = previous u + 1; anything
// else is an error. All levels of a diff are kept: the two symbols of the shipped session need 3
// MB.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/market/session.hpp"

namespace sluice::convert {

inline constexpr std::int64_t kRecorderLagNs = 1'270'000'000;

struct Input {
  std::string path;
  std::string symbol;  // as the session names it
};

struct Summary {
  std::uint64_t lines{0};
  std::uint64_t quotes{0};
  std::uint64_t crossed_quotes{0};
  std::uint64_t trades{0};
  std::uint64_t diffs{0};
  std::uint64_t diffs_dropped{0};  // older than the snapshot
  std::uint64_t depth_levels{0};   // records of diffs
  std::uint64_t snapshot_levels{0};
  std::uint64_t clamped_stamps{0};  // exchange time set to the send time
  std::int64_t first_send_ns{0};
  std::int64_t last_send_ns{0};
};

// Appends the records of one capture file to `records`, in the file's order. Throws
// Error(kResource) when the file cannot be read, Error(kConfig) naming file and line when a line is
// not as above.
Summary read_binance_spot(const std::string& path, std::uint16_t symbol,
                          std::vector<SessionRecord>& records);

// The whole session: the inputs in their order are its symbols, the records are merged by send_ns
// (inputs in their order where it is equal). `symbols` has one entry per input.
Session convert_binance_spot(const std::vector<Input>& inputs,
                             const std::vector<SessionSymbol>& symbols,
                             const std::string& attribution, std::vector<Summary>& summaries);

// What the tool knows about the symbols it ships; null for others.
//   increments: Binance's PRICE_FILTER and LOT_SIZE of BTCUSDT and ETHUSDT, so that every recorded
//   price is on them; minimum order: Alpaca's min_order_size of BTC/USD and ETH/USD, about 6 and 3
//   USD at the session's prices (the minimum notional of 10 USD is the venue's rule, not the
//   session's).
const SessionSymbol* known_symbol(const std::string& symbol);

}  // namespace sluice::convert
