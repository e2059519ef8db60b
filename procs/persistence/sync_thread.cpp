#include "procs/persistence/sync_thread.hpp"

#include <chrono>

#include "common/base/log.hpp"
#include "common/runtime/metrics.hpp"
#include "common/runtime/topology.hpp"
#include "common/storage/file.hpp"

namespace sluice {

SyncThread::SyncThread(JournalWriter& journal, shm::StagePage& page, const ClockCalibration& clock,
                       std::int64_t every_ns)
    : journal_(journal), page_(page), clock_(clock), every_ns_(every_ns) {
  page_.set_mark(kMarkDurable, journal_.durable_position());
  thread_ = std::thread([this] { run(); });
}

SyncThread::~SyncThread() {
  stop();
}

void SyncThread::stop() noexcept {
  if (!thread_.joinable())
    return;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void SyncThread::run() {
  for (bool last = false; !last;) {
    {
      std::unique_lock lock(mutex_);
      last = wake_.wait_for(lock, std::chrono::nanoseconds(every_ns_), [this] { return stop_; });
    }
    turn();
  }
}

void SyncThread::turn() {
  const MonoNanos begin = mono_now(clock_);
  const SyncStatus status = journal_.sync();
  if (status == SyncStatus::kFailed) {
    if (!failed_.exchange(true, std::memory_order_relaxed)) {
      page_.error(static_cast<std::uint32_t>(journal_.sync_error()), "journal sync failed", begin);
    }
    return;  // never again: see journal.hpp, invariant 4
  }
  if (status == SyncStatus::kOk) {
    // The mark follows the sync, so what a reader of the mark relies on is on disk.
    page_.set_mark(kMarkDurable, journal_.durable_position());
    page_.add(PersistenceMetric::kSyncs, 1);
    page_.record(PersistenceMetric::kSync, mono_now(clock_).ns - begin.ns);
  }
  if (begin < prepare_again_)
    return;
  const PrepareResult spare = journal_.prepare();
  if (spare.status != PrepareStatus::kReady)
    prepare_again_.ns = begin.ns + kPrepareAgainAfter;
  if (spare.made)
    page_.add(PersistenceMetric::kSegments, 1);
  if (spare.status == spare_.exchange(spare.status, std::memory_order_relaxed))
    return;
  if (spare.status == PrepareStatus::kReady) {
    log_info("journal: a spare segment is ready again");
  } else {
    log_error(
        "journal: no spare segment: {}; new risk stops until there is one, free space on its disk",
        errno_text(spare.error));
    page_.error(static_cast<std::uint32_t>(spare.error), "journal has no spare segment", begin);
  }
}

}  // namespace sluice
