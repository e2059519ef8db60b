// Boards: rows of state with one writer and many readers.
//
// A row is a version word and two copies of the value. Version v selects copy[v & 1]; version 0
// means never written. The writer fills the other copy, then stores v + 1. Invariants:
//  1. Readers never write, so they never wait for each other; and never wait for a preempted or
//     dead writer: its last complete value stands in the selected copy.
//  2. A reader that was overtaken twice sees another version and tries again, at most kReadAttempts
//     times; exhaustion is an answer.
//
// The pairs (W writer, R reader):
//   version  W release -> R acquire   the copy it selects is complete
//   word     W release -> R acquire   a reader that meets a word of v + 2 also sees version v + 1,
//   so
//                                     its second look at the version differs and the copy is
//                                     refused
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

#include "common/base/schema.hpp"
#include "shm/atomics.hpp"
#include "shm/instance.hpp"

namespace sluice::shm {

enum class BoardRead : std::uint8_t {
  kOk,
  kNever,      // the row was never written
  kContended,  // overtaken by the writer kReadAttempts times; try later
};
inline constexpr int kReadAttempts = 64;

// A row's words: version, copy 0, copy 1, padded to whole cache lines.
[[nodiscard]] constexpr std::size_t board_row_words(std::size_t value_words) noexcept {
  constexpr std::size_t kLineWords = kCacheLine / sizeof(std::uint64_t);
  return (1 + 2 * value_words + kLineWords - 1) / kLineWords * kLineWords;
}

// The algorithm, free of files. `row` points to board_row_words(kWords) words.
template <class Atomics, std::size_t kWords>
struct BoardCore {
  using Word = typename Atomics::Word;
  using Value = std::array<std::uint64_t, kWords>;

  static void store(Word* row, const Value& value) noexcept {
    // relaxed: this thread is the only writer of the version.
    const std::uint64_t next = Atomics::load_relaxed(row[0]) + 1;
    Word* const copy = row + 1 + (next & 1) * kWords;
    for (std::size_t i = 0; i < kWords; ++i) {
      // release: pairs with the acquire of the words in load(); whoever sees this word also sees
      // the version stored before it, which withdrew this copy.
      Atomics::store_release(copy[i], value[i], Sync::kRowWordStore);
    }
    // release: pairs with the acquire of the version in load(); the copy is complete.
    Atomics::store_release(row[0], next, Sync::kVersionStore);
  }

  [[nodiscard]] static BoardRead load(const Word* row, Value& value) noexcept {
    for (int attempt = 0; attempt < kReadAttempts; ++attempt) {
      // acquire: pairs with the release of the version in store(); the copy it selects is complete.
      const std::uint64_t version = Atomics::load_acquire(row[0], Sync::kVersionLoad);
      if (version == 0)
        return BoardRead::kNever;
      const Word* const copy = row + 1 + (version & 1) * kWords;
      for (std::size_t i = 0; i < kWords; ++i) {
        // acquire: pairs with the release of the words in store(), and keeps the next load behind.
        value[i] = Atomics::load_acquire(copy[i], Sync::kRowWordLoad);
      }
      // relaxed: if any word above came from version + 2, version + 1 happened before this load.
      if (Atomics::load_relaxed(row[0]) == version)
        return BoardRead::kOk;
    }
    return BoardRead::kContended;
  }
};

template <class Row>
struct BoardRecord {
  static_assert(std::is_trivially_copyable_v<Row> && std::is_standard_layout_v<Row>);
  static_assert(std::has_unique_object_representations_v<Row>, "name the row's padding");
  static_assert(sizeof(Row) % sizeof(std::uint64_t) == 0, "rows are copied in 64-bit words");
  static constexpr std::size_t kWords = sizeof(Row) / sizeof(std::uint64_t);
  static constexpr std::size_t kRowWords = board_row_words(kWords);
  using Words = std::array<std::uint64_t, kWords>;
  using Core = BoardCore<StdAtomics, kWords>;
};

inline constexpr std::size_t kBoardRowsOffset = kHeaderBytes;

[[nodiscard]] Segment attach_board(const Instance& instance, const std::string& board,
                                   std::uint64_t schema_hash, std::uint32_t row_bytes,
                                   Region::Access access);

template <class Row>
class BoardWriter {
  using Record = BoardRecord<Row>;

 public:
  // Requires that this process holds the board's owner role.
  BoardWriter(const Instance& instance, const std::string& board)
      : segment_(attach_board(instance, board, kSchemaHash<Row>, sizeof(Row),
                              Region::Access::kReadWrite)),
        rows_(static_cast<std::uint32_t>(segment_.header.elements)) {}

  [[nodiscard]] std::uint32_t rows() const noexcept { return rows_; }

  // While a stage re-executes what it did before, its rows stand as its last incarnation left them.
  void set_quiet(bool quiet) noexcept { quiet_ = quiet; }

  // `i` < rows(), else the process stops: a writer outside its board is a bug.
  void store(std::uint32_t i, const Row& row) noexcept {
    SLUICE_ASSERT(i < rows_, "board row out of range");
    if (quiet_)
      return;
    Record::Core::store(words(i), std::bit_cast<typename Record::Words>(row));
  }
  // What stands in the row now, as a successor of a dead writer finds it.
  [[nodiscard]] BoardRead load(std::uint32_t i, Row& row) const noexcept {
    SLUICE_ASSERT(i < rows_, "board row out of range");
    typename Record::Words value;
    const BoardRead result = Record::Core::load(words(i), value);
    if (result == BoardRead::kOk)
      row = std::bit_cast<Row>(value);
    return result;
  }
  // Our own file was cut short: what is stored reaches nobody. A reason to stop.
  [[nodiscard]] bool own_file_lost() const noexcept { return segment_.region.hostile(); }

 private:
  [[nodiscard]] StdAtomics::Word* words(std::uint32_t i) const noexcept {
    return segment_.region.template at<StdAtomics::Word>(kBoardRowsOffset) + i * Record::kRowWords;
  }

  Segment segment_;
  std::uint32_t rows_;
  bool quiet_{false};
};

template <class Row>
class BoardReader {
  using Record = BoardRecord<Row>;

 public:
  // Needs no role.
  BoardReader(const Instance& instance, const std::string& board)
      : segment_(attach_board(instance, board, kSchemaHash<Row>, sizeof(Row),
                              Region::Access::kReadOnly)),
        rows_(static_cast<std::uint32_t>(segment_.header.elements)) {}

  [[nodiscard]] std::uint32_t rows() const noexcept { return rows_; }

  // `row` is changed only by kOk. `i` >= rows() reads as kNever.
  [[nodiscard]] BoardRead load(std::uint32_t i, Row& row) const noexcept {
    if (i >= rows_)
      return BoardRead::kNever;
    typename Record::Words value;
    const BoardRead result = Record::Core::load(words(i), value);
    if (result != BoardRead::kOk)
      return result;
    // A row may lie across two pages. Where the second one was cut away its words read as zero
    // beside a version that stands.
    if (segment_.region.hostile())
      return BoardRead::kNever;
    row = std::bit_cast<Row>(value);
    return BoardRead::kOk;
  }
  // Grows with every store: a cheap way to see that a row changed. 0: never written.
  [[nodiscard]] std::uint64_t version(std::uint32_t i) const noexcept {
    // relaxed: a poll; whoever acts on it reads the row through load().
    return i < rows_ ? StdAtomics::load_relaxed(*words(i)) : 0;
  }
  [[nodiscard]] bool writer_hostile() const noexcept { return segment_.region.hostile(); }

 private:
  [[nodiscard]] const StdAtomics::Word* words(std::uint32_t i) const noexcept {
    return segment_.region.template at<const StdAtomics::Word>(kBoardRowsOffset) +
           i * Record::kRowWords;
  }

  Segment segment_;
  std::uint32_t rows_;
};

}  // namespace sluice::shm
