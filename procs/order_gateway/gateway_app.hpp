// The order gateway's hot thread: rings, boards and the hand-over around the pure GatewayCore.
//
// Thread contract: the stage's hot thread; the network thread (VenueSession) is met only through
// HandOver. Order of a turn: kill words, venue events, cancels, held orders, new
// orders, timer. Venue events first:
// a decision knows every execution that came before it. Invariants:
//  1. A row is on its board and its record in exec.persistence before the request is handed over.
//  2. What the core held back is released as soon as what it waited for came, with a fresh look at
//     boards and pages.
//  3. A full execution ring stops nothing that leads out of risk: its consumer gets a gap and the
//     state of every order that lost something when there is room (execution_outlet.hpp). Until
//     then it takes no new risk; a full journal lets nothing but cancels and reductions pass.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "common/runtime/delta_counter.hpp"
#include "common/runtime/metrics.hpp"
#include "common/runtime/stage.hpp"
#include "common/runtime/tap_writer.hpp"
#include "common/trading/gateway_core.hpp"
#include "procs/order_gateway/execution_outlet.hpp"
#include "procs/order_gateway/hand_over.hpp"
#include "procs/order_gateway/kill_switch.hpp"
#include "shm/board.hpp"
#include "shm/ring.hpp"

namespace sluice {

class VenueSession;

class GatewayApp final : private GatewayOutput {
 public:
  GatewayApp(StageShell& shell, Credentials credentials);
  ~GatewayApp() override;

  std::size_t poll(MonoNanos now);
  // Cancels what still works and waits, bounded, for the venue's word on it.
  void drain();
  [[nodiscard]] bool live() const noexcept {
    return (core_.account().flags & (kAccountKnown | kStreamProven)) ==
           (kAccountKnown | kStreamProven);
  }

 private:
  // Below kExternalStrategy, as the core has checked.
  [[nodiscard]] std::uint16_t strategy_count() const noexcept {
    return static_cast<std::uint16_t>(strategies_.size());
  }
  static constexpr std::size_t kBatch = 64;

  struct StrategyPort {
    StrategyPort(const shm::Instance& instance, const std::string& strategy,
                 const GatewayCore& core, std::uint32_t order_rows);
    // As many orders as a strategy's host keeps open: so many of them can be refused unheard.
    static constexpr std::uint32_t kRefusals = 64;
    shm::RingConsumer<Cancel> cancels;
    ExecutionPort executions;
    shm::StageView page;
    std::uint32_t incarnation{0};  // last seen
  };

  void row_changed(std::uint32_t row) noexcept override;
  void position_changed(std::uint32_t index) noexcept override;
  void account_changed() noexcept override;
  void execution(const Execution& e) noexcept override;
  [[nodiscard]] bool row_owed(std::uint32_t row) const noexcept override;
  void submit(std::uint32_t row) noexcept override;
  void replace(std::uint32_t row, const Id128& old) noexcept override;
  [[nodiscard]] bool cancel(std::uint32_t row) noexcept override;
  [[nodiscard]] bool lookup(std::uint32_t row, LookupBy by) noexcept override;
  [[nodiscard]] bool lookup_foreign(const Id128& venue_order_id) noexcept override;
  void audit_wanted(std::uint32_t reasons) noexcept override;
  void alert(Alert what, std::uint32_t row, std::uint32_t instrument) noexcept override;

  void clear_boards();
  std::size_t take_venue_events();
  std::size_t release_held();
  void take_order(Intent intent);
  void measure(const PostResult& result) noexcept;
  [[nodiscard]] IntentContext context_for(const Intent& intent);
  void note_drained_rings() noexcept;
  void cancel_orders_of_dead_incarnations(MonoNanos now) noexcept;
  void obey(const Command& command, MonoNanos now) noexcept;
  void watch_network(MonoNanos now);
  void watch_kill(MonoNanos now);
  void tap_trip(MonoNanos now, bool on) noexcept;
  [[nodiscard]] NetRequest request_for(std::uint32_t row, NetRequestKind kind) noexcept;
  [[nodiscard]] bool ask(const NetRequest& request) noexcept;
  void publish_counters() noexcept;
  void settle_rings(MonoNanos now) noexcept;
  [[nodiscard]] bool owes_executions() const noexcept;
  [[nodiscard]] std::uint64_t refusals_forgotten() const noexcept;
  void check_owed_before();

  StageShell& shell_;
  InstrumentTable instruments_;
  GatewayCore core_;
  HandOver hand_over_;
  shm::RingConsumer<Intent> orders_;
  std::vector<std::unique_ptr<StrategyPort>> strategies_;
  shm::RingConsumer<Command> commands_;
  ExecutionPort executions_risk_;
  TapWriter journal_;
  JournalRing journal_ring_;
  ExecutionOutlet<JournalRing> executions_journal_;
  shm::BoardWriter<OrderRow> order_board_;
  shm::BoardWriter<PositionRow> position_board_;
  shm::BoardWriter<AccountRow> account_board_;
  shm::BoardReader<LimitRow> limits_;
  std::vector<std::unique_ptr<shm::BoardReader<QuoteRow>>> quotes_;
  shm::StageView risk_page_;
  shm::StageView persistence_page_;
  KillSwitch kill_;
  DeltaCounters<GatewayMetric> counted_;
  std::unique_ptr<VenueSession> venue_;
  std::thread network_;
  MonoNanos polled_{};
  MonoNanos last_timer_{};
  MonoNanos last_counters_{};
  std::uint64_t accepted_{0};
  std::uint64_t rejected_{0};
  std::uint64_t cancelled_{0};
  std::uint64_t not_sent_{0};
  std::optional<TripRecord> trip_owed_;  // found no room in the journal
  std::uint64_t executions_lost_{0};     // of strategies' and risk's rings: told as snapshots
  std::uint64_t audits_{0};
  bool asked_{false};  // this turn handed something over
  bool network_gone_{false};
  bool trading_{false};  // false once draining: nothing more is taken from the order ring
};

}  // namespace sluice
