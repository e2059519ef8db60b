#include "tests/crash/conflation_judges.hpp"

#include <bit>

namespace sluice::shm::test {

Note Note::sealed() const noexcept {
  Note note = *this;
  note.check = 0;
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a over words
  for (const std::uint64_t word : std::bit_cast<std::array<std::uint64_t, 7>>(note))
    hash = (hash ^ word) * 0x100000001b3;
  note.check = hash;
  return note;
}

Note opening_note(std::uint64_t incarnation) noexcept {
  return Note{NoteKind::kOpening, 0, 0, 0, 0, 0, incarnation, 0, 0}.sealed();
}

Note change_note(std::uint64_t incarnation, std::uint32_t row, std::uint64_t number) noexcept {
  return Note{NoteKind::kChange, row, 0, 0, number, 0, incarnation, 0, 0}.sealed();
}

bool NoteRows::snapshot(std::uint32_t row, std::uint32_t part, Note& note) const noexcept {
  if (part >= kParts || number[row] == 0)
    return false;
  note = Note{NoteKind::kSnapshot, row, part, 1, number[row], 0, incarnation, 0, 0}.sealed();
  return true;
}

void NoteRows::gap(std::uint64_t lost, const Note* next, Note& note) const noexcept {
  const std::uint64_t next_identity = next == nullptr ? 0 : next->identity();
  note = Note{NoteKind::kGap, 0, 0, 0, next_identity, lost, incarnation, 0, 0}.sealed();
}

void NoteRows::flag_after_gap(Note& note) noexcept {
  note.after_gap = 1;
  note = note.sealed();
}

void NoteMirror::take(const Note& note, Faults& faults) {
  faults.expect(note == note.sealed(), "a torn record");
  if (note.kind == NoteKind::kOpening) {
    faults.expect(note.incarnation > incarnation_, "an opening record of the past");
    incarnation_ = note.incarnation;
    named_next_ = 0;
    for (Row& row : rows_)
      row = {.after_gap = true, .number = {}};
    return;
  }
  faults.expect(note.incarnation == incarnation_, "a record of an incarnation nobody announced");
  faults.expect(named_next_ == 0 || note.identity() == named_next_,
                "the gap named another record than the one behind it");
  named_next_ = 0;
  if (note.kind == NoteKind::kGap) {
    faults.expect(note.lost != 0, "a gap in which nothing was lost");
    named_next_ = note.number;
  } else {
    take_state(note, faults);
  }
}

void NoteMirror::take_state(const Note& note, Faults& faults) {
  if (note.row >= kRows || note.part >= kParts) {
    faults.expect(false, "a record of a row or part that is not there");
    return;
  }
  Row& row = rows_[note.row];
  faults.expect(!row.after_gap || note.after_gap != 0, "a row goes on after a gap unannounced");
  row.after_gap = false;
  const std::uint64_t newest = *std::max_element(row.number.begin(), row.number.end());
  if (note.kind == NoteKind::kChange) {
    faults.expect(note.number > newest, "a change is told twice, or goes back");
    row.number.fill(note.number);
    return;
  }
  faults.expect(note.number >= newest, "a snapshot goes back");
  row.number[note.part] = note.number;
}

bool NoteMirror::stands_at(std::uint32_t row, std::uint64_t number) const noexcept {
  return std::all_of(rows_[row].number.begin(), rows_[row].number.end(),
                     [&](std::uint64_t part) { return part == number; });
}

Layout note_layout(const std::string& dir) {
  Layout layout;
  layout.dir = dir;
  layout.instance = "crash";
  layout.build_id = 1;
  layout.rings.push_back(ring_spec<Note>(kRing, 8, RingPolicy::kConflate, "producer", "consumer"));
  return layout;
}

namespace {

std::uint64_t take_notes(RingConsumer<Note>& consumer, NoteMirror& mirror, Faults& faults,
                         std::vector<Note>* stream) {
  std::uint64_t taken = 0;
  Note note{};
  for (; consumer.peek(note); ++taken) {
    mirror.take(note, faults);
    if (stream != nullptr)
      stream->push_back(note);
    consumer.release();
  }
  return taken;
}

// A successor with newer rows: it opens, tells every row, goes on and loses some.
class SuccessorConflator {
 public:
  SuccessorConflator(const Scene& scene, bool announces)
      : ring_(scene.instance, kRing), conflator_(ring_, rows_, kRows) {
    if (announces)
      conflator_.open(opening_note(kSuccessor));
    for (std::uint32_t row = 0; row < kRows; ++row)
      conflator_.touch(row);
  }
  void settle(RingConsumer<Note>& survivor, NoteMirror& mirror, Faults& faults) {
    for (int turn = 0; conflator_.owes() && turn < 64; ++turn) {
      conflator_.settle();
      take_notes(survivor, mirror, faults, nullptr);
    }
    faults.expect(!conflator_.owes(), "an emptied ring does not let the successor pay");
    for (std::uint32_t row = 0; row < kRows; ++row)
      faults.expect(mirror.stands_at(row, rows_.number[row]),
                    "the consumer does not end with the producer's rows");
  }
  void change_and_lose() { LoseRows{ring_.capacity() / 2}(conflator_, rows_); }

 private:
  NoteRing ring_;
  NoteRows rows_{kSuccessor, {1001, 1002, 1003, 1004}};
  Conflator<NoteRing, NoteRows> conflator_;
};

void go_on_conflating(SuccessorConflator& successor, RingConsumer<Note>& survivor,
                      NoteMirror& mirror, Faults& faults) {
  successor.settle(survivor, mirror, faults);
  for (int lap = 0; lap < 2; ++lap) {
    successor.change_and_lose();
    take_notes(survivor, mirror, faults, nullptr);
    successor.settle(survivor, mirror, faults);
  }
}

void expect_one_stream(std::vector<Note>& longest, std::vector<Note> stream, Faults& faults) {
  const std::size_t common = std::min(longest.size(), stream.size());
  faults.expect(std::equal(stream.begin(), stream.begin() + static_cast<std::ptrdiff_t>(common),
                           longest.begin()),
                "what is published is no prefix of what the whole operation publishes");
  if (stream.size() > longest.size())
    longest = std::move(stream);
}

}  // namespace

std::uint64_t judge_dead_conflator(Scene& scene, const ConflationCase& what,
                                   std::vector<Note>& stream, const Image& before,
                                   const Image& image, Faults& faults) {
  const RoleLock producing = scene.role("producer");
  const RoleLock consuming = scene.role("consumer");
  std::uint64_t seen = 0;
  {
    scene.files.restore(before.bytes);
    RingConsumer<Note> survivor(scene.instance, kRing);
    scene.files.restore(image.bytes);
    NoteMirror mirror(what.incarnation);
    std::vector<Note> found;
    seen = take_notes(survivor, mirror, faults, &found);
    expect_one_stream(stream, std::move(found), faults);
    SuccessorConflator successor(scene, what.successor_announces);
    go_on_conflating(successor, survivor, mirror, faults);
  }
  faults.expect(seen >= what.unread + image.said, "a record said to be published is lost");
  {
    // The other order: the opening record finds the ring as the dead one left it, full perhaps.
    scene.files.restore(before.bytes);
    RingConsumer<Note> survivor(scene.instance, kRing);
    scene.files.restore(image.bytes);
    NoteMirror mirror(what.incarnation);
    SuccessorConflator successor(scene, what.successor_announces);
    take_notes(survivor, mirror, faults, nullptr);
    go_on_conflating(successor, survivor, mirror, faults);
  }
  return seen < what.unread ? 0 : seen - what.unread;
}

}  // namespace sluice::shm::test
