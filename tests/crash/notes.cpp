#include "tests/crash/notes.hpp"

#include <algorithm>
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

NoteMirror::NoteMirror(std::uint64_t incarnation, const Numbers& known) noexcept
    : incarnation_(incarnation) {
  for (std::uint32_t row = 0; row < kRows; ++row)
    rows_[row].number.fill(known[row]);
}

void NoteMirror::take(const Note& note, Faults& faults) {
  faults.expect(note == note.sealed(), "a torn record");
  if (note.kind == NoteKind::kOpening) {
    faults.expect(note.incarnation > incarnation_, "an opening record of the past");
    incarnation_ = note.incarnation;
    named_next_ = 0;
    for (Row& row : rows_)
      row = {.after_opening = true, .may_jump = true, .number = {}};
    return;
  }
  faults.expect(note.incarnation == incarnation_, "a record of an incarnation nobody announced");
  faults.expect(named_next_ == 0 || note.identity() == named_next_,
                "the gap named another record than the one behind it");
  named_next_ = 0;
  if (note.kind == NoteKind::kGap) {
    faults.expect(note.lost != 0, "a gap in which nothing was lost");
    named_next_ = note.number;
    for (Row& row : rows_)
      row.may_jump = true;
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
  faults.expect(!row.after_opening || note.after_gap != 0, "a row goes on after a gap unannounced");
  row.after_opening = false;
  const std::uint64_t newest = *std::max_element(row.number.begin(), row.number.end());
  faults.expect(row.may_jump || note.number <= newest + 1,
                "states are missing, and no gap said so");
  row.may_jump = false;
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

}  // namespace sluice::shm::test
