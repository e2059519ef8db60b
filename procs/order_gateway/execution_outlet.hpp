// ExecutionOutlet: one consumer of the gateway's executions, and what a full ring owes it.
//
// Thread contract: the gateway's hot thread. After construction nothing allocates or waits.
// Invariants:
//  1. A full ring conflates (shm/conflation.hpp): when there is room again the consumer is told one
//     gap, then of each order that lost something one kSnapshot, exact in quantity and position.
//  2. settle() is called between two events of the core, when all it emitted was offered.
//  3. A refusal is told from the record itself, which is kept: its row, if it has one, may become
//     another order's at once (a consumer that does not read must not use up the table), and often
//     it has none. So many are kept as a consumer can have undecided; older ones that are still
//     owed then are forgotten, and counted.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/runtime/tap_writer.hpp"
#include "common/trading/gateway_core.hpp"
#include "shm/conflation.hpp"
#include "shm/ring.hpp"

namespace sluice {

// How many rows of the order table the rings may hold back before nothing passes that takes one: a
// quarter for the journal, a quarter for risk, and a quarter that the strategies share evenly. The
// last one stays for what is found at the venue and for everybody's way out.
struct OwedLimits {
  std::uint32_t shared;    // journal, risk: each
  std::uint32_t strategy;  // each

  [[nodiscard]] static constexpr OwedLimits of(std::uint32_t order_rows,
                                               std::size_t strategies) noexcept {
    const std::uint32_t quarter = order_rows / 4;
    const auto share = static_cast<std::uint32_t>(quarter / (strategies == 0 ? 1 : strategies));
    return {.shared = quarter == 0 ? 1 : quarter, .strategy = share == 0 ? 1 : share};
  }

  struct Owed {  // ExecutionOutlet::owed_orders() of each
    std::uint32_t strategy;
    std::uint32_t risk;
    std::uint32_t journal;
  };
  [[nodiscard]] constexpr bool hold(const Owed& owed) const noexcept {
    return owed.strategy < strategy && owed.risk < shared && owed.journal < shared;
  }
};
static_assert(2 * OwedLimits::of(8'192, 3).shared + 3 * OwedLimits::of(8'192, 3).strategy <=
              8'192 / 4 * 3);

// Where the snapshots of one ring come from: the core's rows, and the refusals that were kept.
class ExecutionRows {
 public:
  using Record = Execution;
  static constexpr std::uint32_t kSnapshotRecords = 1;

  ExecutionRows(const GatewayCore& core, std::uint32_t order_rows, std::uint32_t refusals)
      : core_(core), order_rows_(order_rows), refusals_(refusals) {}

  [[nodiscard]] std::uint32_t count() const noexcept { return order_rows_ + places(); }
  [[nodiscard]] std::uint32_t orders() const noexcept { return order_rows_; }

  [[nodiscard]] bool is_kept(const Execution& e) const noexcept {
    return e.kind == ExecutionKind::kRefused || e.order_row >= order_rows_;
  }
  // The places of refusals, behind the rows.
  [[nodiscard]] std::uint32_t places() const noexcept {
    return static_cast<std::uint32_t>(refusals_.size());
  }
  [[nodiscard]] std::uint32_t row_of_place(std::uint32_t place) const noexcept {
    return order_rows_ + place;
  }
  void keep(std::uint32_t place, const Execution& e) noexcept { refusals_[place] = e; }

  bool snapshot(std::uint32_t row, std::uint32_t part, Execution& e) const noexcept {
    if (part != 0)
      return false;
    if (row >= order_rows_) {
      e = refusals_[row - order_rows_];
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
  std::vector<Execution> refusals_;
};

// Ring: as shm::Conflator asks, over Execution.
template <class Ring>
class ExecutionOutlet {
 public:
  // `ring` and `core` outlive the object, which does not move.
  // `refusals`: most that this consumer can wait for at one time; more than 0.
  ExecutionOutlet(Ring& ring, const GatewayCore& core, std::uint32_t order_rows,
                  std::uint32_t refusals)
      : ring_(ring), rows_(core, order_rows, refusals), conflator_(ring, rows_, rows_.count()) {}
  ExecutionOutlet(const ExecutionOutlet&) = delete;
  ExecutionOutlet& operator=(const ExecutionOutlet&) = delete;

  // The session record opens; everything else is of a row. False: lost, a snapshot is owed.
  bool tell(const Execution& e) noexcept {
    if (e.kind == ExecutionKind::kSession) {
      conflator_.open(e);
      return true;
    }
    const std::uint32_t row = rows_.is_kept(e) ? keep(e) : e.order_row;
    return conflator_.offer(row, e);
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
  [[nodiscard]] bool owes_anything() const noexcept { return conflator_.owes(); }
  // Orders that wait for their snapshot, and whose rows no other order can have meanwhile.
  [[nodiscard]] std::uint32_t owed_orders() const noexcept {
    return conflator_.owed_rows_below(rows_.orders());
  }
  [[nodiscard]] std::uint64_t lost() const noexcept { return conflator_.lost(); }
  [[nodiscard]] std::uint64_t forgotten() const noexcept { return forgotten_; }

 private:
  // A place whose record nobody waits for any more; when there is none, the oldest is forgotten.
  std::uint32_t keep(const Execution& e) noexcept {
    for (std::uint32_t tried = 0; tried < rows_.places(); ++tried) {
      if (!conflator_.owes(rows_.row_of_place(place_)))
        break;
      place_ = (place_ + 1) % rows_.places();
    }
    const std::uint32_t row = rows_.row_of_place(place_);
    forgotten_ += conflator_.owes(row) ? 1U : 0U;
    rows_.keep(place_, e);
    place_ = (place_ + 1) % rows_.places();
    return row;
  }

  Ring& ring_;
  ExecutionRows rows_;
  shm::Conflator<Ring, ExecutionRows> conflator_;
  std::uint32_t place_{0};
  std::uint64_t forgotten_{0};
};

// The ring of a strategy or of risk, and its outlet.
class ExecutionPort {
 public:
  ExecutionPort(const shm::Instance& instance, const std::string& ring, const GatewayCore& core,
                std::uint32_t order_rows, std::uint32_t refusals)
      : ring_(instance, ring),
        owed_before_(ring_.owed()),
        outlet_(ring_, core, order_rows, refusals) {}
  [[nodiscard]] auto* operator->() noexcept { return &outlet_; }
  [[nodiscard]] const auto* operator->() const noexcept { return &outlet_; }
  // Rows that the gateway before this one owed when it died: nobody can tell them any more.
  [[nodiscard]] std::uint64_t owed_before() const noexcept { return owed_before_; }

 private:
  shm::RingProducer<Execution> ring_;
  std::uint64_t owed_before_;
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
