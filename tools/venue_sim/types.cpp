#include "tools/venue_sim/types.hpp"

#include "common/base/error.hpp"

namespace sluice::sim {
namespace {

// splitmix64's finaliser (Steele, Lea, Flood 2014): every input bit reaches every output bit.
constexpr std::uint64_t mix(std::uint64_t x) noexcept {
  x += 0x9E3779B97F4A7C15ULL;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

constexpr std::uint64_t hash_text(std::string_view text) noexcept {
  std::uint64_t h = 0xCBF29CE484222325ULL;  // FNV-1a 64
  for (const char c : text) {
    h = (h ^ static_cast<std::uint8_t>(c)) * 0x100000001B3ULL;
  }
  return h;
}

Symbol tradable(std::string_view name, Price price_increment, Qty qty_increment,
                Qty min_order_qty) {
  Symbol symbol;
  symbol.name = name;
  symbol.price_increment = price_increment;
  symbol.qty_increment = qty_increment;
  symbol.min_order_qty = min_order_qty;
  symbol.asset_id = derived_id(hash_text(name), 0);
  return symbol;
}

}  // namespace

Id128 derived_id(std::uint64_t seed, std::uint64_t n) noexcept {
  Id128 id;
  id.hi = mix(seed ^ mix(2 * n));
  id.lo = mix(seed ^ mix(2 * n + 1));
  id.hi = (id.hi & ~0xF000ULL) | 0x4000ULL;                         // version 4
  id.lo = (id.lo & 0x3FFFFFFFFFFFFFFFULL) | 0x8000000000000000ULL;  // RFC 4122 variant
  return id;
}

Id128 IdSource::next() noexcept {
  return derived_id(seed_, issued_++);
}

Symbol make_symbol(std::string_view name, Price price_increment, Qty qty_increment,
                   Qty min_order_qty) {
  const std::size_t slash = name.find('/');
  if (slash == 0 || slash == std::string_view::npos || slash + 1 == name.size() ||
      name.find('/', slash + 1) != std::string_view::npos) {
    throw Error(ExitCode::kConfig, "symbol \"" + std::string(name) +
                                       "\" is not a pair like \"BTC/USD\"; convert the session "
                                       "again with the venue's pair names");
  }
  Symbol symbol = tradable(name, price_increment, qty_increment, min_order_qty);
  symbol.base = name.substr(0, slash);
  symbol.quote = name.substr(slash + 1);
  symbol.compact = symbol.base + symbol.quote;
  return symbol;
}

Symbol make_equity(std::string_view name, Price price_increment, Qty qty_increment,
                   Qty min_order_qty) {
  Symbol symbol = tradable(name, price_increment, qty_increment, min_order_qty);
  symbol.base = symbol.compact = symbol.name;
  symbol.quote = "USD";
  symbol.asset_class = AssetClass::kUsEquity;
  return symbol;
}

}  // namespace sluice::sim
