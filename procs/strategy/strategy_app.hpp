// The strategy stage: polls its rings in a fixed order, feeds the pure host, publishes what it
// decides.
//
// Thread contract: the stage's hot thread only.
// Order of a turn: commands, executions, verdicts, then market data in batches, then time.
// Executions first: a decision on a quote must know the fills that came before it.
#pragma once

#include <memory>

#include "common/messages/control.hpp"
#include "common/runtime/delta_counter.hpp"
#include "common/runtime/metrics.hpp"
#include "common/runtime/stage.hpp"
#include "common/runtime/tap_writer.hpp"
#include "common/runtime/topology.hpp"
#include "common/strategy/host.hpp"

namespace sluice {

class StrategyApp final : private StrategyOutput {
 public:
  StrategyApp(StageShell& shell, const StrategyConfig& strategy);

  std::size_t poll(MonoNanos now);
  void drain();

 private:
  static constexpr std::size_t kBatch = 64;
  static constexpr std::int64_t kTimeEvery = 2'000'000;

  [[nodiscard]] bool intent(Intent& intent) noexcept override;
  [[nodiscard]] bool cancel(Cancel& cancel) noexcept override;
  void publish_counters() noexcept;
  void adopt_positions();
  void announce_session();

  StageShell& shell_;
  InstrumentTable instruments_;
  std::unique_ptr<Strategy> strategy_;
  StrategyHost host_;
  shm::RingConsumer<Command> commands_;
  shm::RingConsumer<MarketEvent> market_data_;
  shm::RingConsumer<Execution> executions_;
  shm::RingConsumer<Verdict> verdicts_;
  shm::RingProducer<Intent> intents_;
  shm::RingProducer<Cancel> cancels_;
  TapWriter tap_;
  MonoNanos polled_{};
  MonoNanos last_time_{};
  DeltaCounters<StrategyMetric> counted_;
  std::uint64_t executions_seen_{0};
  std::uint64_t refused_{0};
};

}  // namespace sluice
