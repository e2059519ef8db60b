// The conflator on a ring of four slots whose consumer is slow, under relacy.
#pragma once

#include "shm/conflation.hpp"
#include "tests/model/ring_scenarios.hpp"

namespace sluice::model {

enum class NoteKind : std::uint8_t { kChange, kGap, kSnapshot, kOpening };

struct Note {
  NoteKind kind{NoteKind::kChange};
  bool after_gap{false};
  std::uint32_t row{0};
  std::uint64_t number{0};  // of the change; a gap's: that of the next record
  std::uint64_t lost{0};

  [[nodiscard]] Payload packed() const {
    return {static_cast<std::uint64_t>(kind) | (after_gap ? 8U : 0U) |
                static_cast<std::uint64_t>(row) << 8 | lost << 16,
            number};
  }
  [[nodiscard]] static Note of(const Payload& words) {
    return {.kind = static_cast<NoteKind>(words[0] & 7),
            .after_gap = (words[0] & 8) != 0,
            .row = static_cast<std::uint32_t>(words[0] >> 8 & 0xff),
            .number = words[1],
            .lost = words[0] >> 16};
  }
};

// Each row's state is its last change.
struct ModelRows {
  using Record = Note;
  static constexpr std::uint32_t kSnapshotRecords = 1;
  std::array<std::uint64_t, 2> last{};

  bool snapshot(std::uint32_t row, std::uint32_t part, Note& note) const noexcept {
    if (part != 0 || last[row] == 0)
      return false;
    note = {.kind = NoteKind::kSnapshot, .after_gap = true, .row = row, .number = last[row]};
    return true;
  }
  void gap(std::uint64_t lost, const Note* next, Note& note) const noexcept {
    note = {.kind = NoteKind::kGap, .number = next == nullptr ? 0 : next->number, .lost = lost};
  }
  static void flag_after_gap(Note& note) noexcept { note.after_gap = true; }
};

template <class Core>
class NoteRing {
 public:
  explicit NoteRing(Core core) : core_(core) {}

  bool try_push(const Note& note) noexcept {
    if (self().flaw == Flaw::kSnapshotBeforeGap && note.kind == NoteKind::kGap &&
        core_.has_room()) {
      delayed_ = note;
      return true;
    }
    if (!core_.try_push(note.packed()))
      return false;
    if (delayed_.lost != 0 && core_.try_push(delayed_.packed()))
      delayed_ = {};
    return true;
  }
  [[nodiscard]] std::uint64_t free_slots() noexcept { return core_.free_slots(); }
  [[nodiscard]] std::uint64_t capacity() const noexcept { return core_.capacity(); }
  void note_drop() noexcept { core_.note_drop(); }
  void note_gap() noexcept { core_.note_gap(); }
  void note_snapshot() noexcept { core_.note_snapshot(); }
  void set_owed(std::uint64_t rows) noexcept { core_.set_owed(rows); }

 private:
  Core core_;
  Note delayed_{};
};

struct Conflation : rl::test_suite<Conflation, 2> {
  static constexpr std::uint64_t kOffered = 9;
  RingMemory<4> memory;
  ModelRows rows;
  rl::atomic<unsigned> done;

  void before() {
    begin_schedule(kFirst);
    memory.create();
    rows = {};
    done.store(0, rl::mo_relaxed, $);
  }
  void thread(unsigned id) {
    if (id == 0)
      produce();
    else
      consume();
  }

  void produce() {
    NoteRing ring(memory.producer_at(kFirst));
    shm::Conflator conflator(ring, rows, 2);
    conflator.open({.kind = NoteKind::kOpening});
    for (std::uint64_t number = 1; number <= kOffered; ++number) {
      if (rl::rand(2) == 0)
        conflator.settle();
      const std::uint32_t row = rl::rand(2);
      rows.last[row] = number;
      conflator.offer(row, {.row = row, .number = number});
    }
    while (conflator.owes()) {
      conflator.settle();
      rl::yield(1, $);
    }
    RL_ASSERT(memory.producer.drops.value.load(rl::mo_relaxed, $) == conflator.lost());
    done.store(1, rl::mo_release, $);
  }

  void consume() {
    auto ring = memory.consumer_end();
    std::array<std::uint64_t, 2> known{};
    std::uint64_t taken = 0;          // changes
    std::uint64_t told_lost = 0;      // by gap records
    std::uint64_t expected_next = 0;  // the number a gap announced
    for (bool opened = false;; ring.advance(), ring.release_to(ring.head())) {
      Payload copy;
      bool ended = false;
      while (!ring.peek(copy)) {
        if (ended)
          return finish(known, taken + told_lost);
        ended = done.load(rl::mo_acquire, $) == 1;
        rl::yield(1, $);
      }
      const Note note = Note::of(copy);
      RL_ASSERT(opened || note.kind == NoteKind::kOpening);
      opened = true;
      if (note.kind == NoteKind::kOpening)
        continue;
      if (note.kind == NoteKind::kGap) {
        RL_ASSERT(note.lost != 0);
        told_lost += note.lost;
        expected_next = note.number;
        continue;
      }
      RL_ASSERT(expected_next == 0 || note.number == expected_next);
      expected_next = 0;
      if (note.kind == NoteKind::kChange) {
        // Every loss before this change was announced before it.
        RL_ASSERT(++taken + told_lost == note.number);
        RL_ASSERT(note.number > known[note.row]);
      }
      RL_ASSERT(note.number >= known[note.row]);
      // Never a state whose losses are not announced yet.
      RL_ASSERT(note.number <= taken + told_lost);
      known[note.row] = note.number;
    }
  }
  void finish(const std::array<std::uint64_t, 2>& known, std::uint64_t accounted) {
    RL_ASSERT(accounted == kOffered);
    RL_ASSERT(known == rows.last);
  }
};

}  // namespace sluice::model
