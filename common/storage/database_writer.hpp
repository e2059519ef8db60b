// DatabaseWriter: keeps a trade database up to date with the journal it is folded from.
//
// It reads the journal's files, not the rings: the journal is the truth and this catches up. One
// thread, none of its own; the caller gives the time. Invariants:
//  1. Only records up to the position the caller calls durable are applied. A database ahead of a
//     journal that lost its tail with the power would keep rows that never happened, and skip the
//     records that take their positions.
//  2. Memory is bounded: one window of the journal, SQLite's cache, one row per position held.
//  3. Whatever goes wrong, want of memory included, ends in a status, never in an exception, and is
//     tried again: trouble that
//     passes (locked, full) after 50 ms doubling to 2 s, trouble that needs a person every 5 s.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/storage/trade_database.hpp"

namespace sluice {

class DatabaseWriter {
 public:
  struct Options {
    std::string journal_dir;
    std::string path;
    std::uint32_t batch{4'096};  // records that write rows, per transaction
    std::int64_t pnl_every_ns{kNanosPerSecond};
    TradeNames names{};
  };
  enum class State : std::uint8_t {
    kCurrent,   // everything durable is applied
    kBehind,    // catching up
    kDegraded,  // locked, full or away: tried again soon
    kRefused,   // damaged, foreign, newer, or no memory: a person has to decide; looked at again
                // from time to time
  };
  struct Status {
    State state{State::kBehind};
    std::uint64_t applied{0};  // journal position; 0 before the first successful open
    std::uint64_t rows{0};     // written by this object
    std::uint64_t errors{0};   // attempts that failed
    std::string problem;       // one line, while kDegraded or kRefused
  };

  explicit DatabaseWriter(Options options);

  // Applies one transaction of what is durable. True: there is more to do at once.
  bool turn(std::uint64_t durable, MonoNanos now) noexcept;

  [[nodiscard]] const Status& status() const noexcept { return status_; }

 private:
  static constexpr std::int64_t kFirstPause = 50 * kNanosPerMilli;
  static constexpr std::int64_t kLongestPause = 2 * kNanosPerSecond;
  static constexpr std::int64_t kRefusedPause = 5 * kNanosPerSecond;
  static constexpr std::int64_t kLookEvery = kNanosPerSecond;
  // Records without rows (market data) are cheap, but a transaction still has to end.
  static constexpr std::uint32_t kReadsPerRow = 16;

  void open();
  [[nodiscard]] bool still_there() const noexcept;
  void apply_batch(std::uint64_t durable);
  void pause(State state, std::int64_t pause_ns, MonoNanos now, const char* why) noexcept;
  void pause_unforeseen(MonoNanos now, const char* why) noexcept;

  Options options_;
  Status status_;
  MonoNanos again_{};
  MonoNanos looked_{};
  std::int64_t pause_ns_{0};
  std::uint64_t file_id_{0};  // inode of the open database
  std::uint64_t rows_before_{0};
  std::unique_ptr<TradeDatabase> database_;
  std::unique_ptr<JournalFollower> follower_;
};

}  // namespace sluice
