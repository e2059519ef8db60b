// What the tests of the codecs share: bytes in a buffer of exactly the promised size, so that the
// address sanitizer sees every read past the padding, and the venue's documented examples.
#pragma once

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "common/venue/alpaca/market_data.hpp"
#include "common/venue/json_tree.hpp"
#include "common/venue/symbol_table.hpp"

namespace sluice::venue {

// A text with kJsonPadding bytes behind it and not one more. The padding is what `padding_from`
// continues with, so that a text cut short is followed by exactly the bytes that were cut.
class Padded {
 public:
  explicit Padded(std::string_view text, std::string_view padding_from = {})
      : bytes_(new char[text.size() + kJsonPadding]), size_(text.size()) {
    std::fill_n(bytes_.get(), size_ + kJsonPadding, '7');
    std::copy_n(text.data(), size_, bytes_.get());
    std::copy_n(padding_from.data(), std::min(padding_from.size(), kJsonPadding),
                bytes_.get() + size_);
  }
  [[nodiscard]] std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_;
};

inline constexpr std::uint32_t kBtc = 0;
inline constexpr std::uint32_t kEth = 1;
inline constexpr std::uint32_t kAvax = 2;
inline constexpr std::uint32_t kAapl = 3;

inline SymbolTable test_symbols() {
  SymbolTable table;
  table.add("BTC/USD", kBtc);
  table.add("BTCUSD", kBtc);
  table.add("ETH/USD", kEth);
  table.add("ETHUSD", kEth);
  table.add("AVAX/USD", kAvax);
  table.add("AAPL", kAapl);
  return table;
}

inline void replace_first(std::string& text, std::string_view what, std::string_view with) {
  const std::size_t at = text.find(what);
  if (at == std::string::npos) {
    throw std::logic_error("test text does not contain " + std::string(what));
  }
  text.replace(at, what.size(), with);
}

inline std::string replaced(std::string text, std::string_view what, std::string_view with) {
  replace_first(text, what, with);
  return text;
}

// Everything one decoder said about some frames.
struct Decoded {
  std::vector<MarketEvent> events;
  std::vector<alpaca::ControlMessage> controls;
  DecodeStatus status{DecodeStatus::kOk};
};

inline Decoded decode_frame(alpaca::MarketDataDecoder& decoder, std::string_view frame,
                            std::int64_t receive_ns = 1'000, std::string_view behind = {}) {
  const Padded padded(frame, behind);
  Decoded out;
  out.status = decoder.decode(
      padded.view(), MonoNanos{receive_ns}, [&](const MarketEvent& e) { out.events.push_back(e); },
      [&](const alpaca::ControlMessage& m) { out.controls.push_back(m); });
  return out;
}

}  // namespace sluice::venue
