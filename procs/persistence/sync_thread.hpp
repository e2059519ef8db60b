// Persistence's second thread: makes the journal durable and keeps a spare segment ready, so that
// the first thread never waits for a disk.
//
// Thread contract: constructed, stopped and destroyed by the stage's first thread; the status calls
// are for that thread too. The thread itself is the only one that writes the mark kMarkDurable and
// the metrics syncs, sync and segments.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "common/storage/journal.hpp"
#include "shm/stage_page.hpp"

namespace sluice {

class SyncThread {
 public:
  // Syncs every `every_ns` when there is something new. `journal`, `page` and `clock` outlive it.
  SyncThread(JournalWriter& journal, shm::StagePage& page, const ClockCalibration& clock,
             std::int64_t every_ns);
  ~SyncThread();
  SyncThread(const SyncThread&) = delete;
  SyncThread& operator=(const SyncThread&) = delete;

  // Ends the thread after one last sync. Idempotent.
  void stop() noexcept;

  // relaxed on both sides: news that the loop has to see soon, nothing is read through them.
  [[nodiscard]] bool failed() const noexcept { return failed_.load(std::memory_order_relaxed); }
  [[nodiscard]] PrepareStatus spare() const noexcept {
    return spare_.load(std::memory_order_relaxed);
  }

 private:
  static constexpr std::int64_t kPrepareAgainAfter = 100 * kNanosPerMilli;
  void run();
  void turn();

  JournalWriter& journal_;
  shm::StagePage& page_;
  const ClockCalibration& clock_;
  std::int64_t every_ns_;
  MonoNanos
      prepare_again_{};  // after a failure: not at every turn, a full disk stays full for a while
  std::atomic<bool> failed_{false};
  std::atomic<PrepareStatus> spare_{PrepareStatus::kReady};
  // Cold: taken by the sleeping thread and by stop() only, never by the appending loop.
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_{false};
  std::thread thread_;  // last: it uses everything above
};

}  // namespace sluice
