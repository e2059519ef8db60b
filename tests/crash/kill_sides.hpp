// Two processes under load, to be killed at any moment: what they do, and what each notes down in
// memory of its own that outlives it (the ledger, as a stage's journal and database would).
//
// Three rings and a board from `producer` to `consumer`: records one by one, records in batches,
// conflated notes, rows. Every record says its position and its producer's incarnation.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

#include "tests/crash/notes.hpp"

namespace sluice::shm::test {

inline constexpr std::uint64_t kInitial = ~std::uint64_t{0} - 5'000;  // positions wrap under way
inline constexpr std::uint32_t kBoardRows = 4;
inline constexpr std::size_t kTextOfFault = 160;

// The most a consumer processes between two releases, so the most that its successor sees again.
inline constexpr std::uint64_t kSinglesAtOnce = 1;
inline constexpr std::uint64_t kBulkAtOnce = 24;
inline constexpr std::uint64_t kNotesAtOnce = 6;
inline constexpr std::uint64_t kBatch = 16;

struct RingLedger {
  std::atomic<std::uint64_t> said;       // the producer: positions below are published
  std::atomic<std::uint64_t> processed;  // the consumer: positions below were processed
  // What the consumer last processed, by position: a record seen again must be the same one.
  std::array<std::atomic<std::uint64_t>, 64> content;
  std::atomic<std::uint64_t> incarnation;  // of the newest record
  std::atomic<std::uint64_t> again;        // records that a successor saw again
  std::atomic<std::uint64_t> behind_hint;  // records a producer left published behind its tail
};

// A consumer that takes records at least once and keeps rows of them exactly once: position and
// rows change together, by one store of `version`, which selects the copy.
struct Checkpoint {
  std::uint64_t next;
  NoteMirror mirror;
};
struct NoteLedger {
  std::array<std::atomic<std::uint64_t>, kRows> venue;  // the truth: outlives every producer
  std::array<Checkpoint, 2> checkpoints;
  std::atomic<std::uint64_t> version;
  std::atomic<std::uint64_t> again;
  std::atomic<std::uint64_t> conflated;
};

struct Ledger {
  RingLedger single;
  RingLedger bulk;
  NoteLedger notes;
  std::array<std::atomic<std::uint64_t>, kBoardRows> stored;  // the writer: this number stands
  std::array<std::atomic<std::uint64_t>, kBoardRows> read;    // the reader: this number was seen
  std::atomic<std::uint64_t> reads_contended;
  std::atomic<std::uint64_t> settled;  // the last producer owes nothing any more
  std::atomic<std::uint64_t> faults;
  std::array<char, kTextOfFault> first_fault;

  [[nodiscard]] const Checkpoint& checkpoint() const noexcept {
    return notes.checkpoints[notes.version & 1];
  }
  // Records that consumers have processed so far.
  [[nodiscard]] std::uint64_t progress() const noexcept {
    return single.processed + bulk.processed + checkpoint().next - 3 * kInitial;
  }
};

void start(Ledger& ledger) noexcept;
[[nodiscard]] Layout kill_layout(const std::string& dir);

// Bodies of the two processes. Both run until they are killed; the producer of the last incarnation
// (`last`) settles what conflation owes and then only lives.
int produce_under_load(const std::string& dir, Ledger& ledger, std::uint64_t incarnation,
                       bool last);
int consume_under_load(const std::string& dir, Ledger& ledger, std::uint64_t seed);

}  // namespace sluice::shm::test
