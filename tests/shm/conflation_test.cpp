// Conflation against a ring of a few slots. The method of the random test: a producer with its own
// rows offers numbered changes while a consumer takes now and then; whatever the order, the
// consumer must end with the producer's rows, meet every change at most once, and be told of every
// loss.

#include "shm/conflation.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <random>
#include <set>
#include <vector>

namespace sluice::shm {
namespace {

enum class Kind : std::uint8_t { kChange, kGap, kSnapshot, kOpening };

struct Note {
  Kind kind{Kind::kChange};
  bool after_gap{false};
  std::uint32_t row{0};
  std::uint32_t part{0};
  std::uint64_t number{0};  // of the change; a gap's: that of the next record
  std::uint64_t lost{0};
};

class SmallRing {
 public:
  explicit SmallRing(std::size_t slots) : slots_(slots) {}
  bool try_push(const Note& note) noexcept {
    if (notes.size() == slots_)
      return false;
    notes.push_back(note);
    return true;
  }
  [[nodiscard]] std::uint64_t free_slots() const noexcept { return slots_ - notes.size(); }
  [[nodiscard]] std::uint64_t capacity() const noexcept { return slots_; }
  void note_drop() noexcept { ++drops; }
  void note_gap() noexcept { ++gaps; }
  void note_snapshot() noexcept { ++snapshots; }
  void set_owed(std::uint64_t rows) noexcept { owed = rows; }

  std::deque<Note> notes;
  std::uint64_t drops{0};
  std::uint64_t gaps{0};
  std::uint64_t snapshots{0};
  std::uint64_t owed{0};

 private:
  std::size_t slots_;
};

// Each row's state is its last change, told in `parts` records.
struct Rows {
  using Record = Note;
  static constexpr std::uint32_t kSnapshotRecords = 2;

  explicit Rows(std::size_t rows, std::uint32_t parts_ = 1) : last(rows, 0), parts(parts_) {}

  bool snapshot(std::uint32_t row, std::uint32_t part, Note& note) const noexcept {
    if (part >= parts || last[row] == 0)
      return false;
    note = {Kind::kSnapshot, true, row, part, last[row], 0};
    return true;
  }
  void gap(std::uint64_t lost, const Note* next, Note& note) const noexcept {
    note = {Kind::kGap, false, 0, 0, next == nullptr ? 0 : next->number, lost};
  }
  static void flag_after_gap(Note& note) noexcept { note.after_gap = true; }

  std::vector<std::uint64_t> last;
  std::uint32_t parts;
};

using NoteConflator = Conflator<SmallRing, Rows>;

Note change(std::uint32_t row, std::uint64_t number) {
  return {Kind::kChange, false, row, 0, number, 0};
}

TEST(Conflation, ARingWithRoomPassesEverythingUnchanged) {
  SmallRing ring(8);
  Rows rows(4);
  NoteConflator conflator(ring, rows, 4);
  EXPECT_TRUE(conflator.offer(3, change(3, 1)));
  EXPECT_FALSE(conflator.owes());
  ASSERT_EQ(ring.notes.size(), 1U);
  EXPECT_EQ(ring.notes[0].number, 1U);
  EXPECT_FALSE(ring.notes[0].after_gap);
}

TEST(Conflation, WhatAFullRingLosesIsToldAsOneGapAndTheRowsNewestState) {
  SmallRing ring(4);
  Rows rows(4);
  NoteConflator conflator(ring, rows, 4);
  for (std::uint64_t n = 1; n <= 9; ++n) {
    const std::uint32_t row = n <= 4 ? 0 : 2;
    rows.last[row] = n;
    conflator.offer(row, change(row, n));
  }
  EXPECT_EQ(conflator.lost(), 5U);
  EXPECT_EQ(ring.owed, 1U);
  conflator.settle();
  EXPECT_EQ(ring.notes.size(), 4U) << "no room yet";
  ring.notes.clear();
  conflator.settle();
  ASSERT_EQ(ring.notes.size(), 2U);
  EXPECT_EQ(ring.notes[0].kind, Kind::kGap);
  EXPECT_EQ(ring.notes[0].lost, 5U);
  EXPECT_EQ(ring.notes[0].number, 9U) << "the gap names the record behind it";
  EXPECT_EQ(ring.notes[1].kind, Kind::kSnapshot);
  EXPECT_EQ(ring.notes[1].row, 2U);
  EXPECT_EQ(ring.notes[1].number, 9U);
  EXPECT_FALSE(conflator.owes());
  EXPECT_EQ(ring.drops, 5U);
  EXPECT_EQ(ring.gaps, 1U);
  EXPECT_EQ(ring.snapshots, 1U);
  EXPECT_EQ(ring.owed, 0U);
}

TEST(Conflation, ARowWithoutAStateIsToldByItsNextRecord) {
  SmallRing ring(4);
  Rows rows(2);
  NoteConflator conflator(ring, rows, 2);
  for (std::uint64_t n = 1; n <= 5; ++n)
    conflator.offer(0, change(0, n));  // the row itself stays unknown
  ring.notes.clear();
  conflator.settle();
  ASSERT_EQ(ring.notes.size(), 1U);
  EXPECT_EQ(ring.notes[0].kind, Kind::kGap);
  EXPECT_EQ(ring.notes[0].number, 0U) << "what comes next is not known yet";
  EXPECT_TRUE(conflator.offer(1, change(1, 6)));
  EXPECT_TRUE(conflator.offer(0, change(0, 7)));
  EXPECT_TRUE(conflator.offer(0, change(0, 8)));
  EXPECT_FALSE(ring.notes[1].after_gap);
  EXPECT_TRUE(ring.notes[2].after_gap);
  EXPECT_FALSE(ring.notes[3].after_gap);
}

TEST(Conflation, NothingPassesBeforeTheOpeningRecord) {
  SmallRing ring(2);
  Rows rows(1);
  NoteConflator conflator(ring, rows, 1);
  ring.notes.resize(2);
  conflator.open({Kind::kOpening, false, 0, 0, 0, 0});
  rows.last[0] = 1;
  EXPECT_FALSE(conflator.offer(0, change(0, 1)));
  ring.notes.clear();
  conflator.settle();
  ASSERT_EQ(ring.notes.size(), 2U);
  EXPECT_EQ(ring.notes[0].kind, Kind::kOpening);
  EXPECT_EQ(ring.notes[1].kind, Kind::kGap);
  EXPECT_EQ(ring.notes[1].number, 1U);
  ring.notes.clear();
  conflator.settle();
  ASSERT_EQ(ring.notes.size(), 1U);
  EXPECT_EQ(ring.notes[0].kind, Kind::kSnapshot);
}

TEST(Conflation, ATouchedRowIsToldWithoutAGap) {
  SmallRing ring(4);
  Rows rows(1);
  NoteConflator conflator(ring, rows, 1);
  rows.last[0] = 5;
  conflator.touch(0);
  conflator.settle();
  ASSERT_EQ(ring.notes.size(), 1U);
  EXPECT_EQ(ring.notes[0].kind, Kind::kSnapshot);
}

TEST(Conflation, ACheckpointTellsEveryRowWhetherItLostSomethingOrNot) {
  SmallRing ring(8);
  Rows rows(3);
  NoteConflator conflator(ring, rows, 3);
  for (std::uint32_t row = 0; row < 3; ++row) {
    rows.last[row] = row + 1;
    EXPECT_TRUE(conflator.offer(row, change(row, row + 1)));
  }
  ring.notes.clear();
  conflator.touch_all();
  EXPECT_EQ(ring.owed, 3U);
  conflator.settle();
  ASSERT_EQ(ring.notes.size(), 3U);
  for (std::uint32_t row = 0; row < 3; ++row) {
    EXPECT_EQ(ring.notes[row].kind, Kind::kSnapshot);
    EXPECT_EQ(ring.notes[row].number, row + 1);
  }
  EXPECT_EQ(ring.gaps, 0U);
}

TEST(Conflation, RowsBeyondTheRingAreServedInTurn) {
  SmallRing ring(4);
  Rows rows(200);
  NoteConflator conflator(ring, rows, 200);
  ring.notes.resize(4);
  for (std::uint32_t row = 0; row < 200; ++row) {
    rows.last[row] = row + 1;
    EXPECT_FALSE(conflator.offer(row, change(row, row + 1)));
  }
  std::set<std::uint32_t> told;
  for (int turn = 0; turn < 200 && conflator.owes(); ++turn) {
    for (const Note& note : ring.notes)
      if (note.kind == Kind::kSnapshot)
        told.insert(note.row);
    ring.notes.clear();
    conflator.settle();
  }
  for (const Note& note : ring.notes)
    told.insert(note.row);
  EXPECT_EQ(told.size(), 200U);
  EXPECT_EQ(ring.gaps, 1U);
}

TEST(Conflation, NothingOfARowPassesItsSnapshotAlsoWhenTheGapWasTold) {
  SmallRing ring(4);
  Rows rows(6);
  NoteConflator conflator(ring, rows, 6);
  ring.notes.resize(4);
  for (std::uint32_t row = 0; row < 6; ++row) {
    rows.last[row] = row + 1;
    EXPECT_FALSE(conflator.offer(row, change(row, row + 1)));
  }
  ring.notes.clear();
  conflator.settle();
  ASSERT_EQ(ring.notes.size(), 4U) << "the gap and three rows";
  ring.notes.clear();
  ASSERT_TRUE(conflator.owes(5));
  EXPECT_FALSE(conflator.offer(5, change(5, 7)));
  EXPECT_TRUE(ring.notes.empty());
}

TEST(Conflation, ADirtyRowIsToldThoughOthersLeaveLittleRoom) {
  SmallRing ring(8);
  Rows rows(16);
  NoteConflator conflator(ring, rows, 16);
  ring.notes.resize(8);
  for (std::uint32_t row = 0; row < 10; ++row) {
    rows.last[row] = row + 1;
    EXPECT_FALSE(conflator.offer(row, change(row, row + 1)));
  }
  ring.notes.clear();
  conflator.settle();
  ASSERT_EQ(conflator.owed_rows(), 3U) << "a gap and seven rows";
  ring.notes.resize(6);
  // The consumer takes one record for each that comes: there are never more than two free.
  for (std::uint64_t n = 100; n < 120 && conflator.owes(); ++n) {
    rows.last[15] = n;
    EXPECT_TRUE(conflator.offer(15, change(15, n)));
    ring.notes.pop_front();
    conflator.settle();
    ring.notes.resize(std::min<std::size_t>(ring.notes.size(), 6));
  }
  EXPECT_EQ(conflator.owed_rows(), 0U);
}

class Mirror {
 public:
  void take(const Note& note) {
    if (note.kind == Kind::kOpening)
      return;
    if (note.kind == Kind::kGap) {
      EXPECT_GT(note.lost, 0U);
      told_lost += note.lost;
      expected_next_ = note.number;
      return;
    }
    if (expected_next_ != 0) {
      EXPECT_EQ(note.number, expected_next_) << "the gap named another record";
      expected_next_ = 0;
    }
    if (note.kind == Kind::kChange) {
      ++changes;
      EXPECT_GT(note.number, newest_[note.row]) << "row " << note.row << " told twice";
    }
    EXPECT_GE(note.number, newest_[note.row]) << "row " << note.row << " went back";
    newest_[note.row] = note.number;
  }
  [[nodiscard]] std::uint64_t newest(std::uint32_t row) const {
    const auto found = newest_.find(row);
    return found == newest_.end() ? 0 : found->second;
  }
  std::uint64_t changes{0};
  std::uint64_t told_lost{0};

 private:
  std::map<std::uint32_t, std::uint64_t> newest_;
  std::uint64_t expected_next_{0};
};

void run_random(std::uint64_t seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const auto below = [&](std::uint64_t n) { return random() % n; };
  const auto count = static_cast<std::uint32_t>(1 + below(100));
  SmallRing ring(std::size_t{4} << below(5));
  Rows rows(count, static_cast<std::uint32_t>(1 + below(2)));
  NoteConflator conflator(ring, rows, count);
  conflator.open({Kind::kOpening, false, 0, 0, 0, 0});
  Mirror mirror;
  const auto take = [&](std::uint64_t n) {
    for (; n != 0 && !ring.notes.empty(); --n) {
      mirror.take(ring.notes.front());
      ring.notes.pop_front();
    }
  };
  std::uint64_t offered = 0;
  for (int step = 0; step < 3'000; ++step) {
    if (below(4) == 0)
      conflator.settle();
    const auto row = static_cast<std::uint32_t>(below(count));
    rows.last[row] = ++offered;
    conflator.offer(row, change(row, offered));
    if (below(8) == 0)
      take(below(ring.capacity() * 2));
  }
  while (conflator.owes()) {
    take(ring.capacity());
    conflator.settle();
  }
  take(ring.capacity());
  EXPECT_EQ(mirror.changes + mirror.told_lost, offered);
  EXPECT_EQ(mirror.told_lost, ring.drops);
  for (std::uint32_t row = 0; row < count; ++row)
    EXPECT_EQ(mirror.newest(row), rows.last[row]) << "row " << row;
}

TEST(Conflation, WhateverTheOrderTheConsumerEndsWithTheProducersRows) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed)
    run_random(seed);
}

}  // namespace
}  // namespace sluice::shm
