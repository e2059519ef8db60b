#include "tools/shm_top/collect_symbols.hpp"

#include <fmt/format.h>

#include <string_view>

#include "common/runtime/topology.hpp"
#include "tools/shm_top/text.hpp"

namespace sluice::top {
namespace {

std::string numbered(std::uint32_t instrument) {
  return fmt::format("instrument {}", instrument);
}

}  // namespace

SymbolSource::SymbolSource(const shm::Instance& instance) : board_(instance, board::kInstruments) {
  refresh();
}

void SymbolSource::refresh() {
  if (complete_)
    return;
  complete_ = true;
  symbols_.resize(board_.rows());
  for (std::uint32_t i = 0; i < board_.rows(); ++i) {
    InstrumentRow row;
    const bool written = board_.load(i, row);
    complete_ = complete_ && written;
    const std::string_view chars(row.symbol.data(), row.symbol.size());
    const std::string symbol = printable(chars.substr(0, chars.find('\0')));
    symbols_[i] = written && !symbol.empty() ? symbol : numbered(i);
  }
}

std::string SymbolSource::name(std::uint32_t instrument) const {
  return instrument < symbols_.size() ? symbols_[instrument] : numbered(instrument);
}

}  // namespace sluice::top
