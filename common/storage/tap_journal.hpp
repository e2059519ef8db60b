// The journal of taps: what persistence received, exactly once, with every loss written down.
//
// One appending thread; the syncing thread works on writer() as journal.hpp says. Invariants:
//  1. A tap is identified by (ring, incarnation, sequence). One that is not above the highest
//  journalled
//     sequence of its ring and incarnation is a repetition and is dropped: after a crash the rings
//     hand out again what had been appended before their cursors moved.
//  2. Sequences of one ring and incarnation begin at kFirstTapSequence and have no holes: a
//  producer
//     whose ring is full numbers on behind a kGap tap of its own. A jump means that taps were lost
//     without a word; a kGap tap that says how many, flagged kMadeByJournal, is journalled first.
//  3. Every segment begins with a checkpoint (ring names and marks), so that a restart reads one or
//  two
//     segments, and a reader needs no configuration to name the rings.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/messages/tap.hpp"
#include "common/storage/journal.hpp"
#include "common/storage/tap_marks.hpp"

namespace sluice {

enum class [[nodiscard]] TapStatus : std::uint8_t{
    kOk,
    kRepetition,  // had been journalled before: dropped
    kMalformed,   // ring unknown, incarnation or sequence 0: not written, its producer is broken
    kNoSpare,     // try again after prepare(); nothing of this tap was written
    kFailed,      // a sync failed: the process has to end
};

class TapJournal {
 public:
  struct Options {
    std::string dir;
    std::string instance;
    std::uint64_t segment_bytes{std::uint64_t{64} << 20};
    std::vector<std::string> rings{};  // by Tap::ring; at most TapMarks::kMaxRings
  };
  struct Counters {
    std::uint64_t appended{0};  // taps
    std::uint64_t repetitions{0};
    std::uint64_t malformed{0};
    std::uint64_t gaps{0};  // told by producers or noticed here
    std::uint64_t lost{0};  // taps inside the gaps
  };

  // Opens, recovers the marks and goes on. Throws Error as JournalWriter does, and kConfig for too
  // many or too long ring names.
  explicit TapJournal(Options options, StorageCalls calls = StorageCalls::system());

  // Appending thread.
  TapStatus append(const Tap& tap) noexcept;

  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }
  [[nodiscard]] const TapMarks& marks() const noexcept { return checkpoint_.marks; }
  [[nodiscard]] JournalWriter& writer() noexcept { return writer_; }
  [[nodiscard]] const JournalWriter& writer() const noexcept { return writer_; }

 private:
  [[nodiscard]] AppendStatus write_tap(const Tap& tap, std::uint16_t flags) noexcept;
  [[nodiscard]] AppendStatus write_checkpoint() noexcept;

  TapCheckpoint checkpoint_;  // before writer_, whose construction fills it
  Counters counters_;
  std::array<std::byte, TapCheckpoint::kMaxBytes> buffer_{};
  JournalWriter writer_;
};

// What a journal holds as its files stand: what a restart would go on behind. Reads only the tail;
// throws Error(kResource) when the folder cannot be read or the journal is damaged.
[[nodiscard]] TapCheckpoint recover_checkpoint(const std::string& dir);

// The tap in a record, or nullopt when the record does not hold one.
[[nodiscard]] std::optional<Tap> tap_of(const RecordView& record) noexcept;

}  // namespace sluice
