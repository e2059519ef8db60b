// The journal's writer: append-only, two threads, no lock between them.
//
//   appending thread                      syncing thread (any other one; at start-up they may be
//   the same) append(…)      a few dozen ns         sync()     group commit: what was appended
//   becomes durable
//     └ moves to the spare segment          └ seals and closes the segments that append() has left
//       when the current one is full      prepare()  makes the next spare segment
//
// Invariants:
//  1. append() makes no system call, allocates nothing and never waits. Without a spare segment it
//     refuses (kNoSpare) and nothing is written; the caller keeps the record and tries again.
//  2. Positions are consecutive; a restart goes on behind the last whole record.
//  3. durable_position() never exceeds what a power cut leaves readable.
//  4. A failed sync is fatal and sticky: the kernel may have dropped the pages and marked them
//  clean, so
//     a second attempt would lie. sync() returns kFailed from then on, append() refuses, and the
//     process is expected to end with exit code 73; its successor finds out by reading what is
//     really there.
//  5. One writer per folder: an OFD lock on `journal.lock`, freed by the kernel with the process.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/storage/file.hpp"
#include "common/storage/journal_reader.hpp"
#include "common/storage/segment.hpp"

namespace sluice {

struct JournalOptions {
  std::string dir;  // created if missing (its parent must exist)
  std::string
      instance;  // at most kMaxJournalInstanceChars; a journal of another instance is refused
  // Of each new segment file; existing ones keep theirs. Larger means fewer files and, at start, a
  // longer wait for the first one (about 1 s per GiB). kMinSegmentBytes to kMaxSegmentBytes, whole
  // pages.
  std::uint64_t segment_bytes{std::uint64_t{64} << 20};
  std::uint64_t schema_hash{0};  // of the payload records; a journal with another one is refused
};

enum class [[nodiscard]] AppendStatus : std::uint8_t{
    kOk,
    kNoSpare,   // the segment is full and no other one is ready: call again after prepare()
    kTooLarge,  // payload above kMaxRecordPayload
    kFailed,    // a sync failed earlier: nothing is accepted any more
};
enum class [[nodiscard]] SyncStatus : std::uint8_t{kOk, kNothingNew, kFailed};
enum class [[nodiscard]] PrepareStatus : std::uint8_t{
    kReady,    // a spare segment is there
    kNoSpace,  // disk or quota full: no new risk until this changes; trying again is right
    kFailed,   // any other error of the file system; see error()
};

struct [[nodiscard]] PrepareResult {
  PrepareStatus status{PrepareStatus::kReady};
  int error{0};      // errno's value
  bool made{false};  // by this call
};

class JournalWriter {
 public:
  using Visitor = std::function<void(const RecordView&)>;
  struct OpenReport {
    bool fresh{false};               // no journal was there
    std::uint64_t last_position{0};  // go on behind this one
    std::uint64_t cut_bytes{0};      // of a torn tail, zeroed
    std::uint64_t set_aside{0};      // segment files behind the torn tail, renamed to `*.cut`
    std::string text;                // one line for the log
  };

  // Opens or creates the journal, cuts a torn tail, makes everything found durable and prepares a
  // spare. `on_recovered` sees every whole record from the newest checkpoint record on (from the
  // first record when there is none). Throws Error: kRoleTaken when another process writes here;
  // kResource for damage below the durable position, a foreign journal, no space, or any failing
  // system call.
  explicit JournalWriter(JournalOptions options, const Visitor& on_recovered = {},
                         StorageCalls calls = StorageCalls::system());
  // Syncs what is left if it can; close() is how to know.
  ~JournalWriter();
  JournalWriter(const JournalWriter&) = delete;
  JournalWriter& operator=(const JournalWriter&) = delete;

  [[nodiscard]] const OpenReport& open_report() const noexcept { return report_; }

  // --- Appending thread.
  AppendStatus append(RecordType type, std::uint16_t flags, std::uint32_t source,
                      std::span<const std::byte> payload) noexcept;
  // Moves to the spare segment now. append() does it by itself; a caller who wants its own record
  // first in every segment asks `fits` and rolls.
  AppendStatus roll() noexcept;
  [[nodiscard]] bool fits(std::size_t payload_bytes) const noexcept {
    return offset_ + padded(sizeof(RecordHeader) + payload_bytes) <= end_;
  }
  // Bytes that can still be appended without prepare().
  [[nodiscard]] std::uint64_t room() const noexcept;

  // --- Syncing thread.
  SyncStatus sync() noexcept;
  PrepareResult prepare() noexcept;
  // errno's value of the sync that failed, 0 before.
  [[nodiscard]] int sync_error() const noexcept { return sync_error_; }

  // --- Any thread.
  // acquire: pairs with the release in append(); records up to the position are in the mapping.
  [[nodiscard]] std::uint64_t appended_position() const noexcept {
    return appended_.load(std::memory_order_acquire);
  }
  // acquire: pairs with the release in sync(); records up to the position survive a power cut.
  [[nodiscard]] std::uint64_t durable_position() const noexcept {
    return durable_.load(std::memory_order_acquire);
  }

  // When both threads have ended: syncs, marks, removes the spare. Later calls do nothing.
  SyncStatus close() noexcept;

 private:
  static constexpr std::size_t kSlots = 4;

  void lock_folder();
  void recover(const Visitor& on_recovered);
  void continue_at(const JournalEnd& end, const std::vector<SegmentInfo>& segments);
  void start_fresh();
  [[nodiscard]] SegmentIdentity new_identity(std::uint64_t index) const noexcept;
  void enter(Segment& segment, std::uint64_t offset) noexcept;
  [[nodiscard]] int finish_left_segments(std::uint64_t active) noexcept;  // 0 or errno
  SyncStatus fail(int error) noexcept;
  [[nodiscard]] std::unique_ptr<Segment>& slot(std::uint64_t index) noexcept {
    return slots_[index % kSlots];
  }

  JournalOptions options_;
  StorageCalls calls_;
  UniqueFd lock_;
  OpenReport report_;
  Id128 journal_id_{};
  bool closed_{false};

  // The segments oldest_..prepared_, in slots by index. A slot belongs to the syncing thread until
  // it stores prepared_; then to the appending thread until that one stores a higher active_; then
  // to the syncing thread again, which seals and frees it. At most oldest, active, spare and one
  // being left exist at a time, so four slots never collide.
  std::array<std::unique_ptr<Segment>, kSlots> slots_;

  // The appending thread's.
  alignas(64) std::byte* base_{nullptr};
  Segment* current_{nullptr};
  std::uint64_t offset_{0};
  std::uint64_t end_{0};
  std::uint64_t position_{0};  // of the last record
  std::uint32_t last_crc_{0};
  std::uint32_t identity_crc_{0};

  // Written by the appending thread.
  alignas(64) std::atomic<std::uint64_t> appended_{0};
  std::atomic<std::uint64_t> active_{0};

  // Written by the syncing thread.
  alignas(64) std::atomic<std::uint64_t> prepared_{0};
  std::atomic<std::uint64_t> durable_{0};
  std::atomic<bool> failed_{false};
  std::uint64_t oldest_{0};
  int sync_error_{0};
};

}  // namespace sluice
