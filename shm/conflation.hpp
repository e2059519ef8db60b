// Conflation at the producer: what a full ring loses is owed per row, and told again from state.
//
// A row is whatever has a state of its own: an instrument, an order. When the ring is full the
// record is lost, its row becomes dirty, and the loss is counted. When there is room again, also
// when nothing new comes: one gap record {lost, identity of the next record}, then the snapshot of
// each dirty row. Who reads all that comes through ends with every row as the producer has it.
//
// Thread contract: the producer's thread. After construction nothing allocates, waits or throws.
// Invariants:
//  1. offered = pushed + lost, and the gap records told add up to what was lost, but for the gap
//     that is still owed.
//  2. While a gap is owed nothing passes but the opening record, the gap and snapshots: every
//     record behind a loss is announced as such.
//  3. A record of a dirty row never passes before that row's snapshot.
//  4. settle() is for moments between two events, when a row's state is exactly what was offered
//     of it. A snapshot taken inside an event would tell what is about to be offered as well.
//  5. What is owed is private memory and dies with its process; how many rows it was stands in the
//     ring, for the successor. Its opening record tells consumers that every row is after a gap.
#pragma once

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstdint>
#include <vector>

#include "common/base/error.hpp"

namespace sluice::shm {

// Where snapshots come from, and how the record type says "gap".
template <class S>
concept ConflationSource = requires(const S& source, typename S::Record& record, std::uint32_t row,
                                    std::uint32_t part, std::uint64_t lost,
                                    const typename S::Record* next) {
  // Most records of one row's snapshot.
  { S::kSnapshotRecords } -> std::convertible_to<std::uint32_t>;
  // Fills the part-th record of what stands in the row, flagged as a snapshot after a gap.
  // False: there is no such part; a row nothing is known of has none.
  { source.snapshot(row, part, record) }
  noexcept->std::same_as<bool>;
  // Fills a gap record; `next` is the record that follows, nullptr when that is not known yet.
  { source.gap(lost, next, record) }
  noexcept;
  { S::flag_after_gap(record) }
  noexcept;
};

// Ring: try_push(record), free_slots(), capacity(), note_drop(), note_gap(), note_snapshot(),
// set_owed(rows), as RingProducer.
template <class Ring, ConflationSource Source>
class Conflator {
 public:
  using Record = typename Source::Record;

  // `ring` and `source` outlive the object.
  Conflator(Ring& ring, const Source& source, std::uint32_t rows)
      : ring_(ring), source_(source), rows_(rows), dirty_(words(rows)), flagged_(words(rows)) {}

  // The first record of an incarnation, before anything else is told. Every row counts as after a
  // gap; what was owed by then is owed no more.
  void open(const Record& opening) noexcept {
    opening_ = opening;
    owes_opening_ = true;
    lost_ = 0;
    std::fill(dirty_.begin(), dirty_.end(), 0);
    dirty_rows_ = 0;
    part_ = 0;
    flag_all();
    pay_opening();
    ring_.set_owed(0);
  }

  // Records were lost before they reached this producer: the next one of each row says so.
  void flag_all() noexcept { std::fill(flagged_.begin(), flagged_.end(), ~std::uint64_t{0}); }

  // Publishes a record of the row, or counts it as lost and owes the row's snapshot. False: lost.
  bool offer(std::uint32_t row, const Record& record) noexcept {
    SLUICE_ASSERT(row < rows_, "conflation row out of range");
    if (lost_ == 0 && !owes_opening_ && !test(dirty_, row) && push_flagged(row, record)) [[likely]]
      return true;
    lose(row);
    return false;
  }

  // The row's state changed and nobody was told, for a reason of the producer's own: its snapshot
  // is owed, nothing counts as lost.
  void touch(std::uint32_t row) noexcept {
    SLUICE_ASSERT(row < rows_, "conflation row out of range");
    mark(row);
    ring_.set_owed(dirty_rows_);
  }

  // A checkpoint: every row's state is owed. For a reader that keeps what it reads (the journal),
  // after a gap: what follows can then be understood without what came before it.
  void touch_all() noexcept {
    for (std::uint32_t row = 0; row < rows_; ++row)
      mark(row);
    ring_.set_owed(dirty_rows_);
  }

  [[nodiscard]] bool owes() const noexcept {
    return lost_ != 0 || dirty_rows_ != 0 || owes_opening_;
  }
  [[nodiscard]] bool owes(std::uint32_t row) const noexcept {
    SLUICE_ASSERT(row < rows_, "conflation row out of range");
    return test(dirty_, row);
  }
  // The row's next record is the first after a gap, and will say so.
  [[nodiscard]] bool flagged(std::uint32_t row) const noexcept {
    SLUICE_ASSERT(row < rows_, "conflation row out of range");
    return test(flagged_, row);
  }
  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_total_; }
  [[nodiscard]] std::uint32_t owed_rows() const noexcept { return dirty_rows_; }
  // Those of them below `end`. Costs a look at each word of bits while anything is owed.
  [[nodiscard]] std::uint32_t owed_rows_below(std::uint32_t end) const noexcept {
    SLUICE_ASSERT(end <= rows_, "conflation row out of range");
    int owed = 0;
    if (dirty_rows_ != 0) {
      for (std::uint32_t word = 0; word < end / kBits; ++word)
        owed += std::popcount(dirty_[word]);
      if (end % kBits != 0)
        owed += std::popcount(dirty_[end / kBits] & (bit(end) - 1));
    }
    return static_cast<std::uint32_t>(owed);
  }

  // Pays what is owed as far as there is room. A gap waits until all that is owed fits, or half the
  // ring is free: a ring that swallows one record at a time would else get one gap a record. Once
  // it was told, the snapshots come as slots do, however little room others leave.
  void settle() noexcept {
    if (!owes() || !pay_opening())
      return;
    const std::uint64_t need = 1 + std::uint64_t{dirty_rows_} * Source::kSnapshotRecords;
    if (lost_ != 0 && ring_.free_slots() < std::min(need, ring_.capacity() / 2))
      return;
    if (pay_gap())
      pay_snapshots();
    ring_.set_owed(dirty_rows_);
  }

 private:
  static constexpr std::uint32_t kBits = 64;
  static std::size_t words(std::uint32_t rows) { return (std::size_t{rows} + kBits - 1) / kBits; }
  static bool test(const std::vector<std::uint64_t>& bits, std::uint32_t row) noexcept {
    return (bits[row / kBits] >> (row % kBits) & 1) != 0;
  }
  static std::uint64_t bit(std::uint32_t row) noexcept { return std::uint64_t{1} << (row % kBits); }

  bool push_flagged(std::uint32_t row, const Record& record) noexcept {
    if (!test(flagged_, row))
      return ring_.try_push(record);
    Record flagged = record;
    Source::flag_after_gap(flagged);
    if (!ring_.try_push(flagged))
      return false;
    flagged_[row / kBits] &= ~bit(row);
    return true;
  }

  void lose(std::uint32_t row) noexcept {
    ++lost_;
    ++lost_total_;
    mark(row);
    ring_.note_drop();
    ring_.set_owed(dirty_rows_);
  }

  void mark(std::uint32_t row) noexcept {
    if (!test(dirty_, row)) {
      dirty_[row / kBits] |= bit(row);
      ++dirty_rows_;
    }
    if (row == paying_)
      part_ = 0;  // its snapshot begins anew: the parts already told are of an older state
  }

  bool pay_opening() noexcept {
    if (owes_opening_ && ring_.try_push(opening_))
      owes_opening_ = false;
    return !owes_opening_;
  }

  bool pay_gap() noexcept {
    if (lost_ == 0)
      return true;
    Record next;
    const bool known = first_snapshot(next);
    Record gap;
    source_.gap(lost_, known ? &next : nullptr, gap);
    if (!ring_.try_push(gap))
      return false;
    lost_ = 0;
    ring_.note_gap();
    return true;
  }

  // The next dirty row at or behind the one being paid, in a circle: a ring that never has room for
  // all rows serves each in its turn. Requires a dirty row.
  [[nodiscard]] std::uint32_t next_dirty(std::uint32_t from) const noexcept {
    const auto count = static_cast<std::uint32_t>(dirty_.size());
    std::uint32_t word = from / kBits;
    std::uint64_t bits = dirty_[word] & (~std::uint64_t{0} << (from % kBits));
    for (std::uint32_t turn = 0; bits == 0 && turn < count; ++turn) {
      word = word + 1 == count ? 0 : word + 1;
      bits = dirty_[word];
    }
    return word * kBits + static_cast<std::uint32_t>(std::countr_zero(bits));
  }

  // What pay_snapshots() will tell first.
  bool first_snapshot(Record& record) const noexcept {
    std::uint32_t row = paying_;
    std::uint32_t part = part_;
    for (std::uint32_t i = 0; i < dirty_rows_; ++i, ++row) {
      const std::uint32_t found = next_dirty(row < rows_ ? row : 0);
      if (source_.snapshot(found, found == paying_ ? part : 0, record))
        return true;
      row = found;
      part = 0;
    }
    return false;
  }

  void pay_snapshots() noexcept {
    while (dirty_rows_ != 0) {
      const std::uint32_t row = next_dirty(paying_);
      if (row != paying_) {
        paying_ = row;
        part_ = 0;
      }
      Record record;
      bool told = part_ != 0;
      for (; source_.snapshot(row, part_, record); ++part_, told = true) {
        if (!ring_.try_push(record))
          return;
        ring_.note_snapshot();
      }
      dirty_[row / kBits] &= ~bit(row);
      --dirty_rows_;
      part_ = 0;
      paying_ = row + 1 < rows_ ? row + 1 : 0;
      // A row without a snapshot is told by its next record; one that was told needs no flag more.
      if (told)
        flagged_[row / kBits] &= ~bit(row);
      else
        flagged_[row / kBits] |= bit(row);
    }
  }

  Ring& ring_;
  const Source& source_;
  std::uint32_t rows_;
  std::uint32_t dirty_rows_{0};
  std::uint64_t lost_{0};  // since the last gap record
  std::uint64_t lost_total_{0};
  std::vector<std::uint64_t> dirty_;    // a bit per row: its snapshot is owed
  std::vector<std::uint64_t> flagged_;  // a bit per row: its next record is the first after a gap
  std::uint32_t paying_{0};             // where the circle of snapshots stands
  std::uint32_t part_{0};               // records of that row's snapshot already told
  Record opening_{};
  bool owes_opening_{false};
};

}  // namespace sluice::shm
