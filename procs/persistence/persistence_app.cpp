#include "procs/persistence/persistence_app.hpp"

#include <fmt/format.h>
#include <time.h>

#include "common/base/log.hpp"
#include "common/runtime/topology.hpp"

namespace sluice {

PersistenceApp::PersistenceApp(StageShell& shell)
    : shell_(shell),
      names_(persistence_rings(shell.config())),
      journal_({.dir = shell.config().persistence.journal_dir,
                .instance = shell.config().name,
                .segment_bytes = shell.config().persistence.segment_bytes,
                .rings = names_}),
      sync_(journal_.writer(), shell.page(), shell.instance().clock(),
            shell.config().persistence.sync_every_ns) {
  log_info("{}", journal_.writer().open_report().text);
  rings_.reserve(names_.size());
  for (const std::string& name : names_)
    rings_.emplace_back(shell.instance(), name);
  shell_.page().set_mark(kMarkHighWater, 0);
  if (shell_.config().persistence.database) {
    database_.emplace(shell_.config(), journal_.writer(), shell_.page(), shell_.instance().clock());
  }
}

std::size_t PersistenceApp::poll(MonoNanos now) {
  check_sync();
  const std::size_t taken = take_all();
  publish(taken, taken != 0 ? shell_.now().ns - now.ns : 0);
  return taken;
}

std::size_t PersistenceApp::take_all() {
  out_of_room_ = false;
  std::size_t taken = take(0, kLosslessBatch);
  for (std::size_t ring = 1; ring < rings_.size(); ++ring) {
    taken += take(ring, kTapBatch);
    taken += take(0, kLosslessBatch);
  }
  set_high_water(out_of_room_ || sync_.spare() != PrepareStatus::kReady);
  return taken;
}

// Journals up to `limit` records of one ring and gives their slots back. Ends early when the
// journal takes no more.
std::size_t PersistenceApp::take(std::size_t ring, std::size_t limit) {
  Ring& from = rings_[ring];
  Tap tap;
  std::size_t taken = 0;
  for (; taken < limit && from.peek(tap); ++taken) {
    TapStatus status = TapStatus::kMalformed;
    if (tap.ring == ring)
      status = journal_.append(tap);
    if (status == TapStatus::kNoSpare || status == TapStatus::kFailed) {
      out_of_room_ = true;
      break;
    }
    if (status == TapStatus::kMalformed)
      from.note_refused();
    if (status == TapStatus::kMalformed && malformed_told_++ < 10) {
      shell_.page().error(static_cast<std::uint32_t>(ring), "malformed tap on " + names_[ring],
                          shell_.now());
      log_error(
          "{}: dropped a malformed tap: ring {} (expected {}), incarnation {}, sequence {}; its "
          "producer "
          "is broken",
          names_[ring], tap.ring, ring, tap.incarnation, tap.sequence);
    }
    from.advance();
  }
  // One store for the batch: whoever dies before it is handed the batch again, and knows it.
  if (taken != 0) {
    from.release_to(from.head());
    from.note_batch(taken);
  }
  return taken;
}

void PersistenceApp::set_high_water(bool high) {
  if (high == high_water_)
    return;
  high_water_ = high;
  shell_.page().set_mark(kMarkHighWater, high ? 1 : 0);
}

void PersistenceApp::publish(std::size_t taken, std::int64_t spent_ns) {
  shm::StagePage& page = shell_.page();
  page.set(PersistenceMetric::kLag, static_cast<std::int64_t>(taken));
  if (taken == 0)
    return;
  const TapJournal::Counters& counters = journal_.counters();
  counted_.publish(page, PersistenceMetric::kAppended, counters.appended);
  counted_.publish(page, PersistenceMetric::kBytes,
                   counters.appended * padded(sizeof(RecordHeader) + sizeof(Tap)));
  counted_.publish(page, PersistenceMetric::kGaps, counters.gaps);
  counted_.publish(page, PersistenceMetric::kLost, counters.lost);
  counted_.publish(page, PersistenceMetric::kDuplicates, counters.repetitions);
  // Per record, averaged over the turn: a stamp for each would cost as much as the append.
  page.record(PersistenceMetric::kAppend, spent_ns / static_cast<std::int64_t>(taken));
}

void PersistenceApp::check_sync() {
  if (sync_.failed())
    fail_sync();
}

void PersistenceApp::fail_sync() {
  const JournalWriter& writer = journal_.writer();
  shell_.fail(
      ExitCode::kResource,
      fmt::format(
          "journal {}: sync failed: {}; durable up to record {} of {}, what is behind it may be "
          "lost; check the disk, then start again",
          shell_.config().persistence.journal_dir, errno_text(writer.sync_error()),
          writer.durable_position(), writer.appended_position()));
}

void PersistenceApp::drain() {
  MonoNanos progress = shell_.now();
  for (;;) {
    const MonoNanos now = shell_.now();
    shell_.heartbeat(now);
    if (poll(now) != 0) {
      progress = now;
      continue;
    }
    if (!out_of_room_ || shell_.failed())
      break;
    if (now.ns - progress.ns > kDrainPatience) {
      shell_.fail(
          ExitCode::kResource,
          fmt::format("journal {}: no room for what is left in the rings; free space and run "
                      "`sluice-persistence --drain-only --config {}`",
                      shell_.config().persistence.journal_dir, shell_.config().path));
      break;
    }
    const timespec pause{.tv_sec = 0, .tv_nsec = 1'000'000};
    ::nanosleep(&pause, nullptr);  // the second thread is making the spare segment
  }
  sync_.stop();
  if (journal_.writer().close() == SyncStatus::kFailed)
    fail_sync();
  shell_.page().set_mark(kMarkDurable, journal_.writer().durable_position());
  log_info("drained: {} taps journalled, durable up to record {}", journal_.counters().appended,
           journal_.writer().durable_position());
  drain_database();
}

// The journal is complete; the database has until the patience ends, and loses nothing by it.
void PersistenceApp::drain_database() {
  if (!database_)
    return;
  database_->finish();
  const MonoNanos begin = shell_.now();
  while (!database_->finished() && shell_.now().ns - begin.ns < kDatabasePatience) {
    shell_.heartbeat(shell_.now());
    const timespec pause{.tv_sec = 0, .tv_nsec = 1'000'000};
    ::nanosleep(&pause, nullptr);
  }
  database_.reset();
}

}  // namespace sluice
