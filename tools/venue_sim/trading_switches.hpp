// trading_switches.hpp — the trading rules an operator may set, as they are written on the command
// line.
//
// Pure. "auto" is decided by the session: an account that can trade equities is a margin account
// (multiplier 4, short sales allowed), one with crypto only is a cash account.
#pragma once

#include <string>
#include <vector>

#include "tools/venue_sim/venue.hpp"

namespace sluice::sim {

struct TradingSwitches {
  std::string multiplier{"auto"};  // auto, 1, 2, 4
  std::string shorting{"auto"};    // auto, on, off
  std::string wash_trade{"on"};    // on, off, equities
  std::string blocked{"no"};       // no, trading, account
  std::string variants{};          // "name=value,…", variants.hpp
};

// Throws Error(kUsage) for a value that is none of these.
void apply(const TradingSwitches& switches, const std::vector<Symbol>& symbols,
           VenueOptions& options);

}  // namespace sluice::sim
