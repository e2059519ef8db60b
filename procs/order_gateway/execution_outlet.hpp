// ExecutionOutlet: one consumer of the gateway's executions, and what a full ring owes it.
//
// Thread contract: the gateway's hot thread. After construction nothing allocates or waits.
// Invariants:
//  1. A full ring conflates (shm/conflation.hpp): when there is room again the consumer is told one
//     gap, then of each order that lost something one kSnapshot, exact in quantity and position.
//  2. settle() is called between two events of the core, when all it emitted was offered.
//  3. A refusal without a row has no state to be told from: the record itself is kept and told, of
//     the last kRowless ones. More that are owed at once are counted as forgotten.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "common/runtime/tap_writer.hpp"
#include "common/trading/gateway_core.hpp"
#include "shm/conflation.hpp"
#include "shm/ring.hpp"

namespace sluice {

// Where the snapshots of one ring come from: the core's rows, and the records without a row.
class ExecutionRows {
 public:
  using Record = Execution;
  static constexpr std::uint32_t kSnapshotRecords = 1;
  static constexpr std::uint32_t kRowless = 64;

  ExecutionRows(const GatewayCore& core, std::uint32_t order_rows) noexcept
      : core_(core), order_rows_(order_rows) {}

  [[nodiscard]] std::uint32_t count() const noexcept { return order_rows_ + kRowless; }

  // The row that owes `e` when it is lost. Remembers a record without a row.
  std::uint32_t row_of(const Execution& e) noexcept {
    if (e.order_row < order_rows_)
      return e.order_row;
    const std::uint32_t slot = next_rowless_++ % kRowless;
    rowless_[slot] = e;
    return order_rows_ + slot;
  }

  bool snapshot(std::uint32_t row, std::uint32_t part, Execution& e) const noexcept {
    if (part != 0)
      return false;
    if (row >= order_rows_) {
      e = rowless_[row - order_rows_];
      return e.kind != ExecutionKind::kNone;
    }
    if (core_.row(row).state == OrderState::kNone)
      return false;
    e = core_.snapshot(row);
    return true;
  }

  void gap(std::uint64_t lost, const Execution* next, Execution& e) const noexcept {
    e = core_.gap(lost, next == nullptr ? core_.event_number() : next->n);
  }

  // Nothing to flag: a row without a state has no next record that could be misread.
  static void flag_after_gap(Execution&) noexcept {}

 private:
  const GatewayCore& core_;
  std::uint32_t order_rows_;
  std::uint32_t next_rowless_{0};
  std::array<Execution, kRowless> rowless_{};
};

// Ring: as shm::Conflator asks, over Execution.
template <class Ring>
class ExecutionOutlet {
 public:
  // `ring` and `core` outlive the object, which does not move.
  ExecutionOutlet(Ring& ring, const GatewayCore& core, std::uint32_t order_rows)
      : ring_(ring), rows_(core, order_rows), conflator_(ring, rows_, rows_.count()) {}
  ExecutionOutlet(const ExecutionOutlet&) = delete;
  ExecutionOutlet& operator=(const ExecutionOutlet&) = delete;

  // The session record opens; everything else is of a row. False: lost, a snapshot is owed.
  bool tell(const Execution& e) noexcept {
    if (e.kind == ExecutionKind::kSession) {
      conflator_.open(e);
      return true;
    }
    return conflator_.offer(rows_.row_of(e), e);
  }

  void settle() noexcept {
    if (conflator_.owes())
      conflator_.settle();
  }

  // Room for the few records one intent can make; fills find more slots kept free behind it. False
  // as well while the consumer is owed something: it does not know its own fills.
  [[nodiscard]] bool room_for_new_risk() noexcept {
    return !conflator_.owes() && ring_.free_slots() > ring_.capacity() / 8;
  }
  [[nodiscard]] bool owes(std::uint32_t order_row) const noexcept {
    return conflator_.owes(order_row);
  }
  [[nodiscard]] std::uint64_t lost() const noexcept { return conflator_.lost(); }

 private:
  Ring& ring_;
  ExecutionRows rows_;
  shm::Conflator<Ring, ExecutionRows> conflator_;
};

// The ring of a strategy or of risk, and its outlet.
class ExecutionPort {
 public:
  ExecutionPort(const shm::Instance& instance, const std::string& ring, const GatewayCore& core,
                std::uint32_t order_rows)
      : ring_(instance, ring), outlet_(ring_, core, order_rows) {}
  [[nodiscard]] auto* operator->() noexcept { return &outlet_; }
  [[nodiscard]] const auto* operator->() const noexcept { return &outlet_; }

 private:
  shm::RingProducer<Execution> ring_;
  ExecutionOutlet<shm::RingProducer<Execution>> outlet_;
};

// The journal's executions: taps among others, in one numbering. What is lost is told by the next
// tap of any kind, so the outlet's gap record is that tap.
class JournalRing {
 public:
  JournalRing(TapWriter& tap, StageShell& shell) noexcept : tap_(tap), shell_(shell) {}

  [[nodiscard]] bool try_push(const Execution& e) noexcept {
    const MonoNanos now = shell_.now();
    return e.kind == ExecutionKind::kGap ? tap_.tell_gap(now)
                                         : tap_.try_push(TapType::kExecution, e, now);
  }
  [[nodiscard]] std::uint64_t free_slots() noexcept { return tap_.free_slots(); }
  [[nodiscard]] std::uint64_t capacity() const noexcept { return tap_.capacity(); }
  void note_drop() noexcept { tap_.note_lost(); }
  void note_gap() noexcept {}  // counted by the tap itself
  void note_snapshot() noexcept { tap_.note_snapshot(); }
  void set_owed(std::uint64_t rows) noexcept { tap_.set_owed(rows); }

 private:
  TapWriter& tap_;
  StageShell& shell_;
};

}  // namespace sluice
