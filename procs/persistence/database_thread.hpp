// Persistence's third thread: applies what became durable in the journal to the database, so that
// neither the rings nor the disk of the journal ever wait for SQLite.
//
// Thread contract: constructed, finished and destroyed by the stage's first thread. The thread
// itself is the only one that writes the db_* metrics. It gives way to the rest (batch, nice 5).
// Trouble with the database is shown (metrics, errors, one log line per change) and never ends the
// process: the journal is the truth, the database catches up.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "common/runtime/config.hpp"
#include "common/runtime/delta_counter.hpp"
#include "common/runtime/metrics.hpp"
#include "common/storage/database_writer.hpp"
#include "common/storage/journal.hpp"
#include "shm/stage_page.hpp"

namespace sluice {

class DatabaseThread {
 public:
  // All references outlive it. Starts at once; a database that cannot be opened is a status.
  DatabaseThread(const InstanceConfig& config, const JournalWriter& journal, shm::StagePage& page,
                 const ClockCalibration& clock);
  // Ends the thread after the transaction it is in.
  ~DatabaseThread();
  DatabaseThread(const DatabaseThread&) = delete;
  DatabaseThread& operator=(const DatabaseThread&) = delete;

  // No more records will come: the thread applies what is left, through whatever trouble.
  void finish() noexcept;
  // Everything is applied. With a database in trouble that may never be: the caller decides how
  // long it waits; the next start goes on.
  // acquire: pairs with the release in run(); what the thread wrote to its page is there.
  [[nodiscard]] bool finished() const noexcept { return finished_.load(std::memory_order_acquire); }

 private:
  void run();
  [[nodiscard]] bool wait();  // false: stop
  void publish(std::uint64_t durable, MonoNanos now);

  const JournalWriter& journal_;
  shm::StagePage& page_;
  const ClockCalibration& clock_;
  std::int64_t every_ns_;
  std::string path_;
  DatabaseWriter writer_;
  DeltaCounters<PersistenceMetric> counted_;
  std::string told_;  // the last problem that was logged
  bool works_{false};
  std::atomic<bool> finished_{false};
  // Cold: taken by the sleeping thread, by finish() and the destructor only.
  std::mutex mutex_;
  std::condition_variable wake_;
  bool finish_{false};
  bool finish_heard_{false};  // the turns since then may find everything applied
  bool stop_{false};
  std::thread thread_;  // last: it uses everything above
};

}  // namespace sluice
