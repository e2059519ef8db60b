// Symbols by instrument index, as the `instruments` board has them.
#pragma once

#include <string>
#include <vector>

#include "common/messages/rows.hpp"
#include "tools/shm_top/board_source.hpp"

namespace sluice::top {

class SymbolSource {
 public:
  explicit SymbolSource(const shm::Instance& instance);

  // Reads them again while a row is unwritten: `sluicectl` writes the rows once the layout exists,
  // and whoever waited for the layout comes before them.
  void refresh();

  // "instrument 3" for a row that is not written; empty when the board cannot be attached.
  [[nodiscard]] const std::vector<std::string>& all() const noexcept { return symbols_; }
  // The symbol, or the number where there is none.
  [[nodiscard]] std::string name(std::uint32_t instrument) const;
  [[nodiscard]] std::string trouble() const { return board_.trouble(); }

 private:
  BoardSource<InstrumentRow> board_;
  std::vector<std::string> symbols_;
  bool complete_{false};
};

}  // namespace sluice::top
