// Collector: reads an instance's shared memory into snapshots. One thread.
//
// Invariants:
//  1. Everything is mapped read-only, no role is taken, nothing is written; the processes may run,
//     be dead, or never have been.
//  2. collect() never throws for what stands in the folder: what cannot be read is said in the
//     snapshot. A layout that is created anew is followed; while none can be attached, the last
//     picture of the one before is handed out, marked as such.
//  3. Between two snapshots only counters are kept: rates and last-second spreads are differences.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "tools/shm_top/snapshot.hpp"

namespace sluice::top {

class Collector {
 public:
  explicit Collector(std::string dir);
  ~Collector();
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  [[nodiscard]] Snapshot collect();
  // Greatest depths, longest times between heartbeats and spreads count from now on.
  void reset_maxima();

 private:
  class Attached;
  using Clock = std::chrono::steady_clock;  // the instance's own is gone with it

  [[nodiscard]] Snapshot without_layout(std::string problem);

  std::string dir_;
  std::unique_ptr<Attached> attached_;
  std::optional<Snapshot> last_;
  std::optional<Clock::time_point> removed_at_;
};

}  // namespace sluice::top
