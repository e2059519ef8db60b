#include "tools/venue_sim/trading_switches.hpp"

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "common/base/error.hpp"
#include "tools/venue_sim/rest_query.hpp"

namespace sluice::sim {
namespace {

// The position of `value` among the allowed ones.
std::size_t one_of(std::string_view option, std::string_view value,
                   std::initializer_list<std::string_view> allowed) {
  const auto found = std::find(allowed.begin(), allowed.end(), value);
  if (found == allowed.end()) {
    std::string text;
    for (const std::string_view word : allowed) {
      text.append(text.empty() ? "" : ", ").append(word);
    }
    throw Error(ExitCode::kUsage,
                std::string(option) + " " + std::string(value) + ": allowed are " + text);
  }
  return static_cast<std::size_t>(found - allowed.begin());
}

}  // namespace

void apply(const TradingSwitches& switches, const std::vector<Symbol>& symbols,
           VenueOptions& options) {
  const bool equities = std::any_of(symbols.begin(), symbols.end(),
                                    [](const Symbol& symbol) { return symbol.is_equity(); });
  switch (one_of("--multiplier", switches.multiplier, {"auto", "1", "2", "4"})) {
    case 0:
      options.multiplier = equities ? 4 : 1;
      break;
    case 1:
      options.multiplier = 1;
      break;
    case 2:
      options.multiplier = 2;
      break;
    default:
      options.multiplier = 4;
      break;
  }
  const std::size_t shorting = one_of("--shorting", switches.shorting, {"auto", "on", "off"});
  options.shorting = shorting == 1 || (shorting == 0 && options.multiplier > 1);
  if (options.shorting && options.multiplier == 1) {  // what a short sale brings in would buy more
    throw Error(ExitCode::kUsage,
                "--shorting on: an account of multiplier 1 pays in cash and cannot sell short; use "
                "--multiplier 2 or 4, or --shorting off");
  }
  constexpr WashTrade kWash[]{WashTrade::kOff, WashTrade::kEquities, WashTrade::kOn};
  options.wash_trade =
      kWash[one_of("--wash-trade", switches.wash_trade, {"off", "equities", "on"})];
  const std::size_t blocked = one_of("--blocked", switches.blocked, {"no", "trading", "account"});
  options.trading_blocked = blocked == 1;
  options.account_blocked = blocked == 2;
  for (const std::string& variant : split(switches.variants)) {
    if (!set_variant(options.variants, variant)) {
      throw Error(ExitCode::kUsage, "--variant " + variant + ": known are " + known_variants());
    }
  }
}

}  // namespace sluice::sim
