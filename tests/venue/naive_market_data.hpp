// A second decoder of market data frames, slow and obvious, written from the venue's documentation
// and the rules at the head of market_data.hpp. It shares only the conversion of single decimals
// and times with the real one. Tests compare the two.
#pragma once

#include <string_view>
#include <vector>

#include "common/messages/market_event.hpp"
#include "common/venue/symbol_table.hpp"

namespace sluice::venue {

struct NaiveResult {
  std::vector<MarketEvent> events;
  std::size_t controls{0};
  std::size_t left_out{0};  // messages with a fault
  std::size_t skipped{0};
  std::size_t unknown_type{0};
  std::size_t unknown_symbol{0};
  bool whole{true};  // false: refused or cut short
};

[[nodiscard]] NaiveResult naive_decode(const SymbolTable& symbols, std::uint16_t feed,
                                       std::int64_t receive_ns, std::string_view frame);

}  // namespace sluice::venue
