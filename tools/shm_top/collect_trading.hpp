// What the boards and kill words say: trading state, account, limits used, refusals.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/messages/rows.hpp"
#include "shm/layout.hpp"
#include "shm/operator_trip.hpp"
#include "shm/stage_page.hpp"
#include "tools/shm_top/board_source.hpp"
#include "tools/shm_top/collect_symbols.hpp"
#include "tools/shm_top/snapshot.hpp"

namespace sluice::top {

class TradingSource {
 public:
  // `names`: what the instance must have (expected_segments.hpp).
  TradingSource(const shm::Instance& instance, const shm::SegmentNames& names);

  // After the stages: `snapshot.stages` says whose pages cannot be read.
  void collect(MonoNanos now, const std::vector<const shm::StageView*>& stages, Snapshot& snapshot);

 private:
  void add_kills(const std::vector<const shm::StageView*>& stages, TradingFacts& out) const;
  void add_sheet(MonoNanos now, const std::optional<LimitRow>& head, TradingFacts& out) const;
  void add_account(MonoNanos now, const AccountRow& row, TradingFacts& out) const;
  void add_halts(TradingFacts& out) const;
  void add_position_limits(const std::optional<LimitRow>& head, Snapshot& snapshot) const;
  void add_order_limits(const std::optional<LimitRow>& head,
                        const std::optional<AccountRow>& account, Snapshot& snapshot) const;
  void add_trouble(TradingFacts& out) const;
  [[nodiscard]] std::uint32_t instruments() const;
  [[nodiscard]] Price mark_of(std::uint32_t instrument) const;

  SymbolSource symbols_;
  std::optional<shm::OperatorTrip::View> operator_trip_;
  std::string operator_trip_trouble_;
  BoardSource<AccountRow> account_;
  BoardSource<LimitRow> limits_;
  BoardSource<PositionRow> positions_;
  BoardSource<OrderRow> orders_;
  std::vector<BoardSource<QuoteRow>> quotes_;
  std::uint32_t strategies_{0};
};

}  // namespace sluice::top
