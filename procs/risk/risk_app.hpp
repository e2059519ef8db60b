// The risk stage: the portfolio's view. Approves, resizes downward or refuses intents, and keeps
// the limit sheet on its board fresh; an old sheet stops new risk at the gateway.
//
// Thread contract: the stage's hot thread only.
// Order of a turn: executions, commands, marks, then intents; a decision knows everything that came
// before it. From an intent ring no more is taken than its verdict ring has room for.
#pragma once

#include <memory>
#include <vector>

#include "common/runtime/delta_counter.hpp"
#include "common/runtime/metrics.hpp"
#include "common/runtime/stage.hpp"
#include "common/runtime/tap_writer.hpp"
#include "common/trading/risk_core.hpp"
#include "shm/board.hpp"
#include "shm/ring.hpp"

namespace sluice {

class RiskApp {
 public:
  explicit RiskApp(StageShell& shell);

  std::size_t poll(MonoNanos now);
  void drain();

 private:
  // Below kExternalStrategy, as the core has checked.
  [[nodiscard]] std::uint16_t strategy_count() const noexcept {
    return static_cast<std::uint16_t>(strategies_.size());
  }
  static constexpr std::size_t kBatch = 64;

  struct StrategyPort {
    shm::RingConsumer<Intent> intents;
    shm::RingProducer<Verdict> verdicts;
    shm::StageView page;
    std::uint64_t published_mark{0};
  };

  void adopt_boards();
  void adopt_outputs(const std::vector<OrderRow>& rows);
  std::size_t decide(std::uint16_t strategy);
  void decide_one(StrategyPort& port, std::uint16_t strategy, Intent intent);
  void end_without(const char* record);
  void publish_sheet(MonoNanos now) noexcept;
  void publish_mark(StrategyPort& port, std::uint16_t strategy) noexcept;
  void publish_counters() noexcept;

  StageShell& shell_;
  InstrumentTable instruments_;
  RiskCore core_;
  shm::RingConsumer<Command> commands_;
  shm::RingConsumer<Execution> executions_;
  std::vector<std::unique_ptr<shm::RingConsumer<MarketEvent>>> marks_;
  std::vector<std::unique_ptr<StrategyPort>> strategies_;
  shm::RingProducer<Intent> orders_;
  shm::BoardWriter<LimitRow> sheet_;
  TapWriter tap_;
  DeltaCounters<RiskMetric> counted_;
  MonoNanos last_sheet_{};
  std::uint64_t intents_{0};
  std::uint64_t approved_{0};
  std::uint64_t resized_{0};
  std::uint64_t refused_{0};
  std::uint64_t malformed_{0};
  std::uint64_t duplicates_{0};
  std::uint64_t executions_seen_{0};
  std::uint64_t sheets_{0};
  std::uint64_t market_events_{0};
  std::uint64_t lost_{0};
  std::uint64_t ring_full_{0};
};

}  // namespace sluice
