// The persistence stage: drains what may not be lost first, then the taps, into the journal.
//
// Thread contract: the stage's first thread; SyncThread is the second one, DatabaseThread the
// third. Invariants:
//  1. A slot is given back only after its tap stands in the journal's mapping. A kill of this
//  process
//     therefore loses nothing; what is handed out again is recognised by its sequence.
//  2. A tap is believed only about the ring it came from. One that names another ring, or no
//     incarnation, is dropped, counted and reported: its producer is broken or hostile.
//  3. When the journal has no room, the records stay in their rings and kMarkHighWater is set, so
//  that
//     the gateway takes no new risk; nothing is dropped here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/messages/tap.hpp"
#include "common/runtime/delta_counter.hpp"
#include "common/runtime/metrics.hpp"
#include "common/runtime/stage.hpp"
#include "common/storage/tap_journal.hpp"
#include "procs/persistence/database_thread.hpp"
#include "procs/persistence/sync_thread.hpp"
#include "shm/ring.hpp"

namespace sluice {

class PersistenceApp {
 public:
  // Opens (or creates) the journal and attaches every ring that ends here. Throws Error.
  explicit PersistenceApp(StageShell& shell);

  std::size_t poll(MonoNanos now);
  // Takes everything that is left, syncs, closes. What could not be written stays in the rings and
  // makes the stage fail.
  void drain();

 private:
  // Taps are bulk: fetching ahead hurts once the ring outgrows the core's cache.
  using Ring = shm::RingConsumer<Tap, shm::NoPrefetch>;
  // The first ring is what may not be lost; it is looked at again before each of the others.
  static constexpr std::size_t kLosslessBatch = 4'096;
  static constexpr std::size_t kTapBatch = 512;
  // How long drain() waits for a spare segment before it leaves the rest to the next start.
  static constexpr std::int64_t kDrainPatience = 10 * kNanosPerSecond;
  // How long drain() waits for the database; what is missing then, the next start applies.
  static constexpr std::int64_t kDatabasePatience = 5 * kNanosPerSecond;

  std::size_t take(std::size_t ring, std::size_t limit);
  std::size_t take_all();
  void set_high_water(bool high);
  void publish(std::size_t taken, std::int64_t spent_ns);
  void check_sync();
  void fail_sync();
  void drain_database();

  StageShell& shell_;
  std::vector<std::string> names_;
  std::vector<Ring> rings_;  // by Tap::ring
  TapJournal journal_;
  SyncThread sync_;
  std::optional<DatabaseThread> database_;  // reads what sync_ made durable
  DeltaCounters<PersistenceMetric> counted_;
  std::uint64_t malformed_told_{0};
  bool out_of_room_{false};
  bool high_water_{false};
};

}  // namespace sluice
