// encode_market.hpp — the crypto market data stream's JSON: quotes, trades, order books.
//
// Pure. "T" is the first key of every message, decimals are JSON numbers. Appends to a string its
// owner reuses: after warm-up nothing is allocated per message.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/time.hpp"
#include "tools/venue_sim/matcher.hpp"
#include "tools/venue_sim/types.hpp"

namespace sluice::sim {

class MarketEncoder {
 public:
  explicit MarketEncoder(const std::vector<Symbol>& symbols);

  void quote(std::string& out, SymbolIndex symbol, const RecordedQuote& quote,
             WallNanos stamp) const;
  void trade(std::string& out, SymbolIndex symbol, const RecordedTrade& trade, std::uint64_t id,
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
    std::string quote;
    std::string trade;
    std::string book;
  };
  std::vector<Heads> heads_;  // everything up to the first value that changes
};

}  // namespace sluice::sim
