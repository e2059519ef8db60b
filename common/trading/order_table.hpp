// OrderTable: the rows of the order board, what the state machine remembers beside them, and the
// three ways to find one: row number, intent, venue order id.
//
// One thread: the gateway's hot thread. Everything is allocated at construction.
// Invariants:
//  1. A row number is stable while its order lives; it is given to another order only when this one
//  is
//     terminal, its fees are final, no fill is missing, nothing waits for it, no ring still owes
//     its snapshot, and it ended longer ago than the retention (orders that never left may go at
//     once: nothing can come back for them).
//  2. An intent and a venue order id each name at most one row.
#pragma once

#include <vector>

#include "common/messages/rows.hpp"
#include "common/trading/flat_index.hpp"
#include "common/trading/venue_events.hpp"

namespace sluice {

class GatewayOutput;

// How a row counts in the account: what makes quiescence.
enum class RowClass : std::uint8_t { kNone = 0, kInFlight, kWorking, kUnknown };

// How the venue counts `filled_qty` of a successor: from zero, or with what its predecessors traded
// carried over. Decided by evidence (gateway_chain.cpp).
enum class Carry : std::uint8_t { kOpen = 0, kOwn, kChain };

struct OrderAux {
  // What is outstanding at the network thread.
  bool post_outstanding{false};
  bool delete_outstanding{false};
  bool lookup_outstanding{false};
  // What was seen.
  bool sent{false};         // handed over at least once: something may come back
  bool stream_seen{false};  // an event of the stream named this order
  bool cancel_seen{false};  // an event that answers the DELETE, or that ended the order
  bool conflict{false};     // the venue's order is not ours as we sent it: never adopted
  bool foreign{false};      // not ours at all: counted, never cancelled
  bool uncovered{false};    // no account snapshot was requested after the venue knew it
  bool held{false};         // not sent yet: waits for the venue's state, or for a cancel's evidence
  bool lived{false};        // the venue showed it live
  bool replace_over{false};  // the venue refused the replace that would have made it
  bool in_book{false};       // linked among the live orders of its instrument and side
  // The venue did not find it by the id it had given: the next look-up asks by the client order id.
  bool denied{false};
  // Its successor ended as rejected, and the stream has not said that the replace was.
  bool rejection_owed{false};
  // Adopted as a successor of an order we have no row of: what that traded may be in its
  // quantities.
  bool orphan_successor{false};
  Carry carry{Carry::kOpen};
  VenueStatus venue_status{VenueStatus::kNone};
  WallNanos status_ns{};  // when the venue's object that told it was updated
  LookupBy next_lookup_by{LookupBy::kNone};
  RowClass counted_class{RowClass::kNone};
  std::uint8_t not_found{0};  // look-ups in a row that found nothing
  // Times at which the timer acts; 0 is never.
  MonoNanos next_lookup_ns{};
  MonoNanos delete_not_before_ns{};
  MonoNanos post_proof_due_ns{};
  MonoNanos delete_proof_due_ns{};
  MonoNanos gap_since_ns{};
  // Contributions to sums kept elsewhere, so that a change is a difference.
  Qty counted_open{};
  Cash counted_reserved{};
  Qty baseline{};     // filled before this process knew the order; never booked
  Qty wire_filled{};  // successors: highest cumulative quantity as the venue wrote it
  // The chain: its first order, and the neighbours' rows (valid while their ids agree).
  IntentId root{};
  std::uint32_t predecessor{kNoRow};
  std::uint32_t successor{kNoRow};
  WallNanos replace_rejected_ns{};  // when the venue last refused a replace of this order
  // Neighbours among the live orders of the instrument and side.
  std::uint32_t book_next{kNoRow};
  std::uint32_t book_prev{kNoRow};
  std::uint32_t first_execution{FlatIndex<Id128>::kNone};
  // Links of the table.
  std::uint32_t active_at{kNoRow};
  std::uint32_t uncovered_at{kNoRow};
  bool queued{false};
  bool dirty{false};
};

class OrderTable {
 public:
  OrderTable(std::uint32_t capacity, std::int64_t retention_ns);

  struct Allocation {
    std::uint32_t row{kNoRow};  // kNoRow: full
    // Head of the execution chain of the order that had the row before.
    std::uint32_t recycled_executions{FlatIndex<Id128>::kNone};
  };
  // A cleared row with `id` entered in the index unless it is none (foreign orders). Required:
  // find(id)
  // == kNoRow.
  // `rings` is asked whether a row is still owed; nullptr: none is.
  [[nodiscard]] Allocation allocate(const IntentId& id, MonoNanos now,
                                    const GatewayOutput* rings = nullptr) noexcept;

  [[nodiscard]] std::uint32_t find(const IntentId& id) const noexcept;
  [[nodiscard]] std::uint32_t find_venue(const Id128& id) const noexcept;
  // Required: the row has no venue id yet and find_venue(id) == kNoRow.
  void bind_venue(std::uint32_t row, const Id128& id) noexcept;

  // Rows that something is still to be done for.
  void activate(std::uint32_t row) noexcept;
  void deactivate(std::uint32_t row) noexcept;
  [[nodiscard]] const std::vector<std::uint32_t>& active() const noexcept { return active_; }

  // Enters a terminal row into the queue for recycling, once.
  void retire(std::uint32_t row) noexcept;

  [[nodiscard]] OrderRow& row(std::uint32_t i) noexcept { return rows_[i]; }
  [[nodiscard]] const OrderRow& row(std::uint32_t i) const noexcept { return rows_[i]; }
  [[nodiscard]] OrderAux& aux(std::uint32_t i) noexcept { return aux_[i]; }
  [[nodiscard]] const OrderAux& aux(std::uint32_t i) const noexcept { return aux_[i]; }
  [[nodiscard]] std::uint32_t capacity() const noexcept {
    return static_cast<std::uint32_t>(rows_.size());
  }
  [[nodiscard]] std::uint32_t used() const noexcept { return used_; }  // rows ever used
  [[nodiscard]] std::uint64_t recycled() const noexcept { return recycled_; }

 private:
  // First-in first-out queue of row numbers; each row stands in at most one, so it never overflows.
  struct Queue {
    std::vector<std::uint32_t> rows;
    std::size_t head{0};
    std::size_t count{0};
    void push(std::uint32_t row) noexcept;
    std::uint32_t pop() noexcept;
  };
  [[nodiscard]] bool recyclable(std::uint32_t row, MonoNanos now,
                                const GatewayOutput* rings) const noexcept;
  [[nodiscard]] std::uint32_t take_from(Queue& queue, MonoNanos now,
                                        const GatewayOutput* rings) noexcept;

  std::vector<OrderRow> rows_;
  std::vector<OrderAux> aux_;
  std::vector<std::uint32_t> active_;
  FlatIndex<IntentId> by_intent_;
  FlatIndex<Id128> by_venue_;
  Queue unsent_;
  Queue sent_;
  std::int64_t retention_ns_;
  std::uint32_t used_{0};
  std::uint64_t recycled_{0};
};

// What may still change the position by this order: its leaves while it lives, and afterwards what
// the venue says was filled and we have not booked.
[[nodiscard]] constexpr Qty open_quantity(const OrderRow& row) noexcept {
  const std::int64_t end =
      is_terminal(row.state) ? row.venue_filled.raw : row.approved.raw - row.chain_filled.raw;
  return Qty{end > row.filled.raw ? end - row.filled.raw : 0};
}

}  // namespace sluice
