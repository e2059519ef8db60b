// Instruments: what may be traded and in which steps, under dense indices that are never
// renumbered.
//
// Who: built once at start-up by every process from the same config rows, in the same order, so
// that an index means the same everywhere. After that it is read from any thread; `append` is the
// only mutation, belongs to the start-up thread (or the control thread of a process that stopped
// its readers) and never moves an instrument that exists.
//
// Invariants:
//   1. table[i].index == i, for ever; capacity is reserved at construction and appending past it is
//      refused, so references and pointers to instruments stay valid.
//   2. Symbols are unique; so are position symbols.
//   3. tick, lot, min_qty, multiplier > 0; min_qty and max_qty are multiples of lot; min_qty <=
//   max_qty.
//   4. Lookups allocate nothing and do not throw.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/fixed.hpp"

namespace sluice {

enum InstrumentFlag : std::uint16_t {
  kInstrumentFractional = 1,    // quantities below one unit are allowed
  kInstrumentShortable = 2,     // a sale may take the position below zero
  kInstrumentTradable = 4,      // orders are allowed at all; otherwise market data only
  kInstrumentMarketOrders = 8,  // market orders leave as such; otherwise as collared limits
};

// What rules of the venue an instrument is under: times in force, sizes, trading hours.
enum class AssetClass : std::uint8_t { kCrypto = 1, kUsEquity = 2 };

// One config row. Empty texts are derived: "BTC/USD" has the position symbol "BTCUSD", base "BTC"
// and quote "USD"; a symbol without a slash is its own position symbol and base, and needs a quote.
struct InstrumentSpec {
  std::string symbol;           // as orders and market data name it
  std::string position_symbol;  // as positions and activities name it
  std::string base;
  std::string quote;
  std::uint16_t venue{0};
  Price tick{};
  Qty lot{};
  Qty min_qty{};  // zero: one lot
  Qty max_qty{};  // zero: no maximum
  Cash min_notional{};
  std::int64_t multiplier{1};  // units of the base per contract
  AssetClass asset_class{AssetClass::kCrypto};
  bool fractional{true};
  bool shortable{false};
  bool tradable{true};
  bool market_orders{false};
};

struct Instrument {
  static constexpr std::size_t kSymbolChars = 23;  // the 24th byte stays zero

  std::array<char, kSymbolChars + 1> symbol_chars{};
  std::array<char, kSymbolChars + 1> position_symbol_chars{};
  std::uint32_t index{0};
  std::uint16_t venue{0};
  std::uint16_t flags{0};
  std::uint16_t base_asset{0};   // indices for InstrumentTable::asset
  std::uint16_t quote_asset{0};  // the currency
  std::uint8_t symbol_size{0};
  std::uint8_t position_symbol_size{0};
  AssetClass asset_class{AssetClass::kCrypto};
  Price tick{};
  Qty lot{};
  Qty min_qty{};
  Qty max_qty{};
  Cash min_notional{};
  std::int64_t multiplier{1};

  [[nodiscard]] std::string_view symbol() const noexcept {
    return {symbol_chars.data(), symbol_size};
  }
  [[nodiscard]] std::string_view position_symbol() const noexcept {
    return {position_symbol_chars.data(), position_symbol_size};
  }
  [[nodiscard]] bool has(InstrumentFlag flag) const noexcept { return (flags & flag) != 0; }
};

// Zero and negative values are on no tick and on no lot: no order may carry them.
[[nodiscard]] constexpr bool is_on_tick(const Instrument& instrument, Price px) noexcept {
  return px.raw > 0 && px.raw % instrument.tick.raw == 0;
}
[[nodiscard]] constexpr bool is_on_lot(const Instrument& instrument, Qty qty) noexcept {
  return qty.raw > 0 && qty.raw % instrument.lot.raw == 0;
}
// On a lot and within the venue's minimum and maximum.
[[nodiscard]] constexpr bool is_orderable(const Instrument& instrument, Qty qty) noexcept {
  return is_on_lot(instrument, qty) && qty >= instrument.min_qty && qty <= instrument.max_qty;
}
// The largest multiple of the lot that is not above `qty`; zero for what is below one lot. Used
// where a size is derived (a position to be sold), never to repair an order somebody asked for.
[[nodiscard]] constexpr Qty floor_to_lot(const Instrument& instrument, Qty qty) noexcept {
  return qty.raw <= 0 ? Qty{} : Qty{qty.raw - qty.raw % instrument.lot.raw};
}
// Toward lower and higher prices. A price without room above it gives zero, which is on no tick.
[[nodiscard]] constexpr Price floor_to_tick(const Instrument& instrument, Price px) noexcept {
  return px.raw <= 0 ? Price{} : Price{px.raw - px.raw % instrument.tick.raw};
}
[[nodiscard]] constexpr Price ceil_to_tick(const Instrument& instrument, Price px) noexcept {
  if (px.raw <= 0) {
    return Price{};
  }
  const std::int64_t over = px.raw % instrument.tick.raw;
  const std::int64_t up = over == 0 ? 0 : instrument.tick.raw - over;
  return px.raw > std::numeric_limits<std::int64_t>::max() - up ? Price{} : Price{px.raw + up};
}

class InstrumentTable {
 public:
  static constexpr std::uint32_t kCapacityDefault = 1024;
  static constexpr std::uint32_t kCapacityMax = 65'536;

  // Throws Error(kConfig) when the capacity is 0 or above kCapacityMax.
  explicit InstrumentTable(std::uint32_t capacity = kCapacityDefault);
  // All of `specs` in their order. Throws as `append` does.
  explicit InstrumentTable(const std::vector<InstrumentSpec>& specs,
                           std::uint32_t capacity = kCapacityDefault);

  // Throws Error(kConfig), naming symbol, field and what is allowed, when an invariant would break.
  const Instrument& append(const InstrumentSpec& spec);

  [[nodiscard]] std::uint32_t size() const noexcept {
    return static_cast<std::uint32_t>(instruments_.size());
  }
  [[nodiscard]] std::uint32_t capacity() const noexcept { return capacity_; }
  // Required: index < size().
  [[nodiscard]] const Instrument& operator[](std::uint32_t index) const noexcept {
    return instruments_[index];
  }
  [[nodiscard]] auto begin() const noexcept { return instruments_.begin(); }
  [[nodiscard]] auto end() const noexcept { return instruments_.end(); }

  // Null when unknown. Exact, case-sensitive.
  [[nodiscard]] const Instrument* find(std::string_view symbol) const noexcept;
  [[nodiscard]] const Instrument* find_by_position_symbol(std::string_view symbol) const noexcept;

  // Assets are numbered in the order in which the instruments first named them.
  [[nodiscard]] std::uint16_t assets() const noexcept {
    return static_cast<std::uint16_t>(assets_.size());
  }
  // Required: asset < assets().
  [[nodiscard]] const std::string& asset(std::uint16_t asset) const noexcept {
    return assets_[asset];
  }

 private:
  // Open addressing with linear probing over instrument indices; at most half full by construction.
  using Buckets = std::vector<std::uint32_t>;

  void insert(Buckets& buckets, std::string_view symbol, std::uint32_t index) noexcept;
  std::uint16_t asset_index(const std::string& name);

  std::uint32_t capacity_;
  std::vector<Instrument> instruments_;
  std::vector<std::string> assets_;
  Buckets by_symbol_;
  Buckets by_position_symbol_;
};

}  // namespace sluice
