#include "common/market/instrument.hpp"

#include <algorithm>
#include <bit>

#include "common/base/error.hpp"

namespace sluice {
namespace {

constexpr std::uint32_t kEmptyBucket = 0xffff'ffff;
constexpr std::size_t kAssetsMax = 0xffff;

std::uint64_t hash_of(
    std::string_view text) noexcept {  // FNV-1a: short keys, a few hundred of them
  std::uint64_t hash = 0xcbf2'9ce4'8422'2325ULL;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x0000'0100'0000'01b3ULL;
  }
  return hash;
}

[[noreturn]] void fail(const std::string& symbol, const std::string& what) {
  throw Error(ExitCode::kConfig, "instrument \"" + symbol + "\": " + what);
}

void check_name(const std::string& symbol, const char* field, const std::string& name) {
  const bool printable =
      std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c <= '~'; });
  if (name.empty() || name.size() > Instrument::kSymbolChars || !printable) {
    fail(symbol, std::string(field) + " \"" + name + "\" must have 1 to " +
                     std::to_string(Instrument::kSymbolChars) +
                     " printable characters without blanks; correct it in the config");
  }
}

// The texts a row leaves out follow from its symbol.
InstrumentSpec completed(InstrumentSpec spec) {
  const std::size_t slash = spec.symbol.find('/');
  const bool pair = slash != std::string::npos;
  if (spec.base.empty()) {
    spec.base = spec.symbol.substr(0, slash);
  }
  if (spec.quote.empty() && pair) {
    spec.quote = spec.symbol.substr(slash + 1);
  }
  if (spec.position_symbol.empty()) {
    spec.position_symbol = spec.symbol;
    std::erase(spec.position_symbol, '/');
  }
  if (spec.min_qty.raw == 0) {
    spec.min_qty = spec.lot;
  }
  return spec;
}

void check_numbers(const InstrumentSpec& spec) {
  if (spec.tick.raw <= 0 || spec.lot.raw <= 0) {
    fail(spec.symbol, "tick " + to_string(spec.tick) + " and lot " + to_string(spec.lot) +
                          " must be above zero; take both from the venue's asset list");
  }
  if (spec.min_qty.raw <= 0 || spec.min_qty.raw % spec.lot.raw != 0) {
    fail(spec.symbol, "minimum quantity " + to_string(spec.min_qty) +
                          " must be a positive multiple of the lot " + to_string(spec.lot));
  }
  if (spec.max_qty.raw < 0 || spec.max_qty.raw % spec.lot.raw != 0 ||
      (spec.max_qty.raw > 0 && spec.max_qty < spec.min_qty)) {
    fail(spec.symbol, "maximum quantity " + to_string(spec.max_qty) +
                          " must be zero (none) or a multiple of the lot " + to_string(spec.lot) +
                          " from the minimum " + to_string(spec.min_qty) + " upward");
  }
  if (spec.min_notional.raw < 0) {
    fail(spec.symbol, "minimum notional " + to_string(spec.min_notional) + " must not be negative");
  }
  if (spec.multiplier <= 0) {
    fail(spec.symbol, "multiplier " + std::to_string(spec.multiplier) + " must be above zero");
  }
}

std::uint16_t flags_of(const InstrumentSpec& spec) noexcept {
  const int fractional = spec.fractional ? kInstrumentFractional : 0;
  const int shortable = spec.shortable ? kInstrumentShortable : 0;
  const int tradable = spec.tradable ? kInstrumentTradable : 0;
  const int market_orders = spec.market_orders ? kInstrumentMarketOrders : 0;
  return static_cast<std::uint16_t>(fractional | shortable | tradable | market_orders);
}

// Without a maximum: the largest multiple of the lot that the type holds.
Qty max_qty_of(const InstrumentSpec& spec) noexcept {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  return spec.max_qty.raw > 0 ? spec.max_qty : Qty{kMost - kMost % spec.lot.raw};
}

}  // namespace

InstrumentTable::InstrumentTable(std::uint32_t capacity) : capacity_(capacity) {
  if (capacity == 0 || capacity > kCapacityMax) {
    throw Error(ExitCode::kConfig, "instrument table: capacity " + std::to_string(capacity) +
                                       ", allowed are 1 to " + std::to_string(kCapacityMax));
  }
  instruments_.reserve(capacity);
  const std::size_t buckets = std::bit_ceil(std::size_t{capacity} * 2);
  by_symbol_.assign(buckets, kEmptyBucket);
  by_position_symbol_.assign(buckets, kEmptyBucket);
}

InstrumentTable::InstrumentTable(const std::vector<InstrumentSpec>& specs, std::uint32_t capacity)
    : InstrumentTable(capacity) {
  for (const InstrumentSpec& spec : specs) {
    append(spec);
  }
}

const Instrument& InstrumentTable::append(const InstrumentSpec& given) {
  const InstrumentSpec spec = completed(given);
  check_name(spec.symbol, "symbol", spec.symbol);
  check_name(spec.symbol, "position symbol", spec.position_symbol);
  check_name(spec.symbol, "base", spec.base);
  check_name(spec.symbol, "quote", spec.quote);
  check_numbers(spec);
  if (size() == capacity_) {
    fail(spec.symbol, "the table is full with " + std::to_string(capacity_) +
                          " instruments; raise its capacity and restart");
  }
  if (find(spec.symbol) != nullptr || find_by_position_symbol(spec.position_symbol) != nullptr) {
    fail(spec.symbol, "this symbol or its position symbol \"" + spec.position_symbol +
                          "\" is in the table already; list each instrument once");
  }
  Instrument instrument;
  std::copy(spec.symbol.begin(), spec.symbol.end(), instrument.symbol_chars.begin());
  std::copy(spec.position_symbol.begin(), spec.position_symbol.end(),
            instrument.position_symbol_chars.begin());
  instrument.symbol_size = static_cast<std::uint8_t>(spec.symbol.size());
  instrument.position_symbol_size = static_cast<std::uint8_t>(spec.position_symbol.size());
  instrument.index = size();
  instrument.venue = spec.venue;
  instrument.flags = flags_of(spec);
  instrument.asset_class = spec.asset_class;
  instrument.base_asset = asset_index(spec.base);
  instrument.quote_asset = asset_index(spec.quote);
  instrument.tick = spec.tick;
  instrument.lot = spec.lot;
  instrument.min_qty = spec.min_qty;
  instrument.max_qty = max_qty_of(spec);
  instrument.min_notional = spec.min_notional;
  instrument.multiplier = spec.multiplier;
  instruments_.push_back(instrument);
  insert(by_symbol_, spec.symbol, instrument.index);
  insert(by_position_symbol_, spec.position_symbol, instrument.index);
  return instruments_.back();
}

const Instrument* InstrumentTable::find(std::string_view symbol) const noexcept {
  const std::size_t mask = by_symbol_.size() - 1;
  for (std::size_t i = hash_of(symbol) & mask; by_symbol_[i] != kEmptyBucket; i = (i + 1) & mask) {
    const Instrument& candidate = instruments_[by_symbol_[i]];
    if (candidate.symbol() == symbol) {
      return &candidate;
    }
  }
  return nullptr;
}

const Instrument* InstrumentTable::find_by_position_symbol(std::string_view symbol) const noexcept {
  const std::size_t mask = by_position_symbol_.size() - 1;
  for (std::size_t i = hash_of(symbol) & mask; by_position_symbol_[i] != kEmptyBucket;
       i = (i + 1) & mask) {
    const Instrument& candidate = instruments_[by_position_symbol_[i]];
    if (candidate.position_symbol() == symbol) {
      return &candidate;
    }
  }
  return nullptr;
}

void InstrumentTable::insert(Buckets& buckets, std::string_view symbol,
                             std::uint32_t index) noexcept {
  const std::size_t mask = buckets.size() - 1;
  std::size_t i = hash_of(symbol) & mask;
  while (buckets[i] != kEmptyBucket) {
    i = (i + 1) & mask;
  }
  buckets[i] = index;
}

std::uint16_t InstrumentTable::asset_index(const std::string& name) {
  const auto found = std::find(assets_.begin(), assets_.end(), name);
  if (found == assets_.end() && assets_.size() == kAssetsMax) {
    fail(name, "more than " + std::to_string(kAssetsMax) + " assets; list fewer instruments");
  }
  const auto index = static_cast<std::uint16_t>(found - assets_.begin());
  if (found == assets_.end()) {
    assets_.push_back(name);
  }
  return index;
}

}  // namespace sluice
