#include "common/venue/symbol_table.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "common/base/error.hpp"
#include "common/market/instrument.hpp"

namespace sluice::venue {
namespace {

bool is_symbol(std::string_view text) noexcept {
  return !text.empty() && text.size() <= kSymbolCharsMax &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return c > ' ' && c < '\x7f' && c != '"' && c != '\\'; });
}

}  // namespace

SymbolTable::SymbolTable(std::size_t symbols_expected) {
  rehash(std::bit_ceil(std::max<std::size_t>(symbols_expected * 2, 8)));
}

SymbolTable::SymbolTable(const InstrumentTable& instruments)
    : SymbolTable(std::size_t{instruments.size()} * 2) {
  for (const Instrument& instrument : instruments) {
    add(instrument.symbol(), instrument.index);
    add(instrument.position_symbol(), instrument.index);
  }
}

void SymbolTable::add(std::string_view symbol, std::uint32_t instrument) {
  if (!is_symbol(symbol)) {
    throw Error(ExitCode::kConfig,
                "symbol '" + std::string(symbol) + "' of instrument " + std::to_string(instrument) +
                    ": a symbol has 1 to " + std::to_string(kSymbolCharsMax) +
                    " printable ASCII characters without blank, quote and backslash; correct the "
                    "instrument's config");
  }
  if (const std::uint32_t known = find(symbol); known != kNoInstrument) {
    if (known != instrument) {
      throw Error(ExitCode::kConfig, "symbol '" + std::string(symbol) + "' names instruments " +
                                         std::to_string(known) + " and " +
                                         std::to_string(instrument) +
                                         "; give each instrument a symbol of its own");
    }
    return;
  }
  if ((used_ + 1) * 2 > slots_.size()) {
    rehash(slots_.size() * 2);
  }
  SymbolKey key;
  std::memcpy(&key, symbol.data(), symbol.size());
  std::size_t i = slot_of(key);
  while (slots_[i].key.a != 0) {
    i = (i + 1) & mask_;
  }
  slots_[i] = {key, instrument, 0};
  ++used_;
}

void SymbolTable::rehash(std::size_t slots) {
  const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(slots));
  mask_ = slots - 1;
  for (const Slot& slot : old) {
    if (slot.key.a == 0) {
      continue;
    }
    std::size_t i = slot_of(slot.key);
    while (slots_[i].key.a != 0) {
      i = (i + 1) & mask_;
    }
    slots_[i] = slot;
  }
}

}  // namespace sluice::venue
