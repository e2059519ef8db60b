// GatewayOutput: what the gateway's core decides, told to the shell that carries it out.
//
// Called only from inside a handler of GatewayCore, on the hot thread. The calls of one event come
// in the order of recovery.md 2: rows, positions, account, executions, and only then the network
// thread.
#pragma once

#include "common/messages/execution.hpp"
#include "common/trading/venue_events.hpp"

namespace sluice {

// Why the core wants the venue's state read by REST (a set).
enum AuditReason : std::uint32_t {
  kAuditStart = 1,      // nothing has been read yet
  kAuditStream = 2,     // the stream was down or an answer was not matched by an event
  kAuditGap = 4,        // the venue's cumulative quantity is above what we booked
  kAuditExcess = 8,     // an execution did not fit and was dropped
  kAuditUnknown = 16,   // an execution, order or event nobody can place
  kAuditPosition = 32,  // a position differs
};

// Things a person should read about. The shell counts and logs them; nothing else depends on it.
enum class Alert : std::uint16_t {
  kNone = 0,
  kOrderDiffers,       // the venue's order is not what we sent: instrument halted
  kExecutionExcess,    // an execution beyond the highest cumulative, or overlapping: dropped
  kExecutionConflict,  // the same execution id with other facts: instrument halted
  kOverfill,           // filled above the order's quantity: booked, instrument halted
  kUnknownEvent,     // an event that may have moved money and is not understood: instrument halted
  kOrderLost,        // not found after the look-ups: counted at its worst until the day ends
  kOrphanAdopted,    // ours by its id, without a row: adopted and cancelled
  kForeignOrder,     // not ours: counted
  kVenueDenies,      // the venue does not find an order it has confirmed
  kContradiction,    // a refusal or "not sent" for an order the venue has shown
  kStreamUnproven,   // an answered request was not matched by an event
  kPositionDiffers,  // seen twice, a settling time apart: reduce-only
  kAccountDiffers,   // another account than before: everything refused
  kQuarantined,      // a sum does not fit: instrument halted
  kMemoryFull,       // execution ids cannot be remembered any longer
  kTombstonesFull,   // a strategy cancels more unseen orders than can be remembered
  kTableFull,        // an order found at the venue has no row
};

class GatewayOutput {
 public:
  virtual ~GatewayOutput() = default;

  // State, to be stored on the boards: GatewayCore::row(i), position(i), account().
  virtual void row_changed(std::uint32_t row) noexcept = 0;
  virtual void position_changed(std::uint32_t index) noexcept = 0;
  virtual void account_changed() noexcept = 0;
  // To exec.<e.intent.strategy> (unless external), exec.risk and exec.persistence.
  virtual void execution(const Execution& e) noexcept = 0;
  // A ring that was full still owes somebody this row's snapshot: it must not become another
  // order's.
  [[nodiscard]] virtual bool row_owed(std::uint32_t row) const noexcept = 0;

  // To the network thread. Required of the shell: exactly one result for each that was taken.
  // submit() and replace() come only when IntentContext said that there is room, so they cannot
  // fail. replace(): `row` is the successor's, `old` the venue's id of the order it replaces.
  virtual void submit(std::uint32_t row) noexcept = 0;
  virtual void replace(std::uint32_t row, const Id128& old) noexcept = 0;
  // False: no room; the core asks again after `retry_ns`.
  [[nodiscard]] virtual bool cancel(std::uint32_t row) noexcept = 0;
  [[nodiscard]] virtual bool lookup(std::uint32_t row, LookupBy by) noexcept = 0;
  [[nodiscard]] virtual bool lookup_foreign(const Id128& venue_order_id) noexcept = 0;
  // Please read open orders, FILL and CFEE activities (with overlap), positions and the account,
  // hand them over as events, then AuditEnd. Repeated until a complete one comes; repeats may be
  // coalesced.
  virtual void audit_wanted(std::uint32_t reasons) noexcept = 0;

  virtual void alert(Alert what, std::uint32_t row, std::uint32_t instrument) noexcept = 0;
};

}  // namespace sluice
