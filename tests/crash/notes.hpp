// Records of a conflating ring that check themselves, the producer's rows behind them, and the rows
// a consumer keeps of them.
#pragma once

#include <array>
#include <cstdint>

#include "shm/conflation.hpp"
#include "tests/crash/faults.hpp"
#include "tests/shm/shm_fixture.hpp"

namespace sluice::shm::test {

inline constexpr std::uint32_t kRows = 4;
inline constexpr std::uint32_t kParts = 3;
enum class NoteKind : std::uint32_t { kOpening = 1, kChange, kGap, kSnapshot };

struct Note {
  NoteKind kind;
  std::uint32_t row;
  std::uint32_t part;
  std::uint32_t after_gap;
  std::uint64_t number;  // of the row's state; a gap's: identity of the next record, 0 if unknown
  std::uint64_t lost;
  std::uint64_t incarnation;
  std::uint64_t reserved;
  std::uint64_t check;  // over all other fields

  friend bool operator==(const Note&, const Note&) = default;
  [[nodiscard]] Note sealed() const noexcept;
  [[nodiscard]] std::uint64_t identity() const noexcept { return number * 16 + row * 4 + part; }
};
SLUICE_SCHEMA(Note, kind, row, part, after_gap, number, lost, incarnation, reserved, check);

[[nodiscard]] Note opening_note(std::uint64_t incarnation) noexcept;
[[nodiscard]] Note change_note(std::uint64_t incarnation, std::uint32_t row,
                               std::uint64_t number) noexcept;

// The producer's rows: the state of each is a number, told in kParts records.
struct NoteRows {
  using Record = Note;
  static constexpr std::uint32_t kSnapshotRecords = kParts;

  bool snapshot(std::uint32_t row, std::uint32_t part, Note& note) const noexcept;
  void gap(std::uint64_t lost, const Note* next, Note& note) const noexcept;
  static void flag_after_gap(Note& note) noexcept;

  std::uint64_t incarnation;
  std::array<std::uint64_t, kRows> number{};
};

// The consumer's rows. Every record is checked against what was promised.
class NoteMirror {
 public:
  using Numbers = std::array<std::uint64_t, kRows>;
  // What the consumer has read by now: the last incarnation it was told of, each row's state.
  explicit NoteMirror(std::uint64_t incarnation = 0, const Numbers& known = {}) noexcept;
  void take(const Note& note, Faults& faults);
  // True when the row is wholly known and stands at `number`.
  [[nodiscard]] bool stands_at(std::uint32_t row, std::uint64_t number) const noexcept;

 private:
  struct Row {
    bool after_opening{false};  // the next record of the row must be flagged
    bool may_jump{false};       // an opening or a gap told that states may be missing
    std::array<std::uint64_t, kParts> number{};
  };
  void take_state(const Note& note, Faults& faults);

  std::uint64_t incarnation_;
  std::uint64_t named_next_{0};
  std::array<Row, kRows> rows_{};
};

}  // namespace sluice::shm::test
