// encode_market.hpp — the market data streams' JSON: quotes, trades, order books, bars, statuses.
//
// Pure. "T" is the first key of every message, decimals are JSON numbers. Appends to a string its
// owner reuses: after warm-up nothing is allocated per message. A stock's message carries exchange,
// conditions and tape, a crypto pair's does not.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.hpp"
#include "common/market/session.hpp"
#include "tools/venue_sim/bars.hpp"
#include "tools/venue_sim/matcher.hpp"
#include "tools/venue_sim/types.hpp"

namespace sluice::sim {

class MarketEncoder {
 public:
  explicit MarketEncoder(const std::vector<Symbol>& symbols);

  // `exchange` is a stock's; 0 = not recorded: the place its tape is named after stands in.
  void quote(std::string& out, SymbolIndex symbol, const RecordedQuote& quote, WallNanos stamp,
             char exchange = 0) const;

  struct Print {
    RecordedTrade trade;
    std::uint64_t id;
    char exchange{0};
    std::uint8_t conditions{0};  // kSessionOddLot…
  };
  void trade(std::string& out, SymbolIndex symbol, const Print& print, WallNanos stamp) const;

  // What may follow a stock's trade. A corrected trade is one tick dearer and has an id of its own,
  // kCorrectedIds behind the original's: no recording comes so far, and a double holds it exactly.
  static constexpr std::uint64_t kCorrectedIds = std::uint64_t{1} << 52;
  void correction(std::string& out, SymbolIndex symbol, const Print& original,
                  WallNanos stamp) const;
  void cancel(std::string& out, SymbolIndex symbol, const Print& original, WallNanos stamp) const;

  void bar(std::string& out, SymbolIndex symbol, BarKind kind, const Bar& bar,
           WallNanos start) const;

  // False: this tape has no such message.
  [[nodiscard]] bool status(std::string& out, SymbolIndex symbol, SessionStatus status,
                            WallNanos stamp) const;

  struct Level {
    Price px;
    Qty qty;
  };
  struct BookUpdate {
    std::vector<Level> bids;
    std::vector<Level> asks;
    bool reset{false};  // replaces all levels the client has
  };
  void book(std::string& out, SymbolIndex symbol, const BookUpdate& update, WallNanos stamp) const;

 private:
  struct Heads {
    std::string name;  // `","S":"IBM"`
    std::string quote;
    std::string trade;
    std::string book;
    char tape;  // 0: crypto
    Symbol symbol;
  };
  std::vector<Heads> heads_;  // everything up to the first value that changes
};

// The values that streams and REST share, each with a leading comma: "p" to "z" of a trade, "bp" to
// "z" of a quote, "o" to "vw" of a bar.
void append_trade_values(std::string& out, const MarketEncoder::Print& print, char tape,
                         WallNanos stamp);
void append_quote_values(std::string& out, const RecordedQuote& quote, char exchange, char tape,
                         WallNanos stamp);
void append_bar_values(std::string& out, const Bar& bar, WallNanos start);

}  // namespace sluice::sim
