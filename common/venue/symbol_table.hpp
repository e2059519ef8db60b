// SymbolTable: from a symbol as the venue writes it to an instrument index, without allocation.
//
// Built at start-up by one thread; afterwards read-only and safe from any thread.
//  1. A symbol is 1 to 24 printable ASCII characters without quote and backslash, so its JSON text
//     is itself; it is compared whole and case-sensitively.
//  2. Several symbols may name one instrument (orders say BTC/USD, positions BTCUSD); one symbol
//     never names two.
//  3. At most half of the slots are used, so a probe ends soon; slots are a power of two.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "common/messages/ids.hpp"

namespace sluice {
class InstrumentTable;
}

namespace sluice::venue {

inline constexpr std::size_t kSymbolCharsMax = 24;

// A symbol zero-padded to three words: compared and hashed without a loop.
struct SymbolKey {
  std::uint64_t a{0};
  std::uint64_t b{0};
  std::uint64_t c{0};
  friend constexpr bool operator==(const SymbolKey&, const SymbolKey&) = default;
};

class SymbolTable {
 public:
  // An empty table knows no symbol.
  SymbolTable() : SymbolTable(0) {}
  explicit SymbolTable(std::size_t symbols_expected);

  // Every instrument under its symbol and its position symbol. Throws Error(kConfig) like `add`.
  explicit SymbolTable(const InstrumentTable& instruments);

  // Start-up only. Throws Error(kConfig) when the symbol breaks rule 1 or names another instrument
  // already. The same pair twice is harmless.
  void add(std::string_view symbol, std::uint32_t instrument);

  // kNoInstrument when unknown.
  [[nodiscard]] std::uint32_t find(std::string_view symbol) const noexcept {
    // A trailing NUL would vanish in the padding.
    if (symbol.empty() || symbol.size() > kSymbolCharsMax || symbol.back() == '\0') {
      return kNoInstrument;
    }
    SymbolKey key;
    std::memcpy(&key, symbol.data(), symbol.size());
    return find(key);
  }

  [[nodiscard]] std::uint32_t find(const SymbolKey& key) const noexcept {
    for (std::size_t i = slot_of(key);; i = (i + 1) & mask_) {
      const Slot& slot = slots_[i];
      if (slot.key == key) {
        return slot.instrument;
      }
      if (slot.key.a == 0) {
        return kNoInstrument;
      }
    }
  }

  [[nodiscard]] std::size_t size() const noexcept { return used_; }

 private:
  struct Slot {
    SymbolKey key{};  // a == 0 marks a free slot: no symbol starts with eight NULs
    std::uint32_t instrument{kNoInstrument};
    std::uint32_t reserved{0};
  };

  [[nodiscard]] std::size_t slot_of(const SymbolKey& key) const noexcept {
    // Fibonacci hashing; the rotations keep equal words from cancelling each other.
    const std::uint64_t mixed = key.a ^ std::rotl(key.b, 23) ^ std::rotl(key.c, 41);
    return static_cast<std::size_t>((mixed * 0x9e37'79b9'7f4a'7c15ULL) >> 32) & mask_;
  }
  void rehash(std::size_t slots);

  std::vector<Slot> slots_;
  std::size_t mask_{0};
  std::size_t used_{0};
};

}  // namespace sluice::venue
