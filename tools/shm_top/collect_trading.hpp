// What the boards and kill words say: trading state, account, limits used, refusals.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/messages/rows.hpp"
#include "shm/board.hpp"
#include "shm/operator_trip.hpp"
#include "shm/stage_page.hpp"
#include "tools/shm_top/snapshot.hpp"

namespace sluice::top {

// Symbols by instrument index, as the `instruments` board has them; empty when it cannot be read.
[[nodiscard]] std::vector<std::string> read_symbols(const shm::Instance& instance);

class TradingSource {
 public:
  // `boards`: the names of those that stand in the folder.
  TradingSource(const shm::Instance& instance, const std::vector<std::string>& boards);

  // After the stages: `snapshot.stages` says whose pages cannot be read.
  void collect(MonoNanos now, const std::vector<const shm::StageView*>& stages,
               Snapshot& snapshot) const;

 private:
  template <class Row>
  void attach(const shm::Instance& instance, const std::string& name,
              std::optional<shm::BoardReader<Row>>& board);
  void add_kills(const std::vector<const shm::StageView*>& stages, TradingFacts& out) const;
  void add_account(MonoNanos now, Snapshot& snapshot) const;
  void add_halts(TradingFacts& out) const;
  void add_limits(Snapshot& snapshot) const;
  [[nodiscard]] Price mark_of(std::uint32_t instrument) const;

  std::vector<std::string> symbols_;
  std::optional<shm::OperatorTrip::View> operator_trip_;
  std::optional<shm::BoardReader<AccountRow>> account_;
  std::optional<shm::BoardReader<LimitRow>> limits_;
  std::optional<shm::BoardReader<PositionRow>> positions_;
  std::optional<shm::BoardReader<OrderRow>> orders_;
  std::vector<shm::BoardReader<QuoteRow>> quotes_;
  std::vector<std::string> trouble_;
};

}  // namespace sluice::top
