// Collector: reads an instance's shared memory into snapshots. One thread.
//
// Invariants:
//  1. Everything is mapped read-only, no role is taken, nothing is written; the processes may run,
//  be
//     dead, or never have been.
//  2. collect() never throws for what stands in the folder: what cannot be read is said in the
//     snapshot. A layout that is created anew is followed.
//  3. Between two snapshots only counters are kept: rates and last-second spreads are differences.
#pragma once

#include <memory>
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
  // Greatest depths, longest turns and spreads count from now on.
  void reset_maxima();

 private:
  class Attached;

  std::string dir_;
  std::unique_ptr<Attached> attached_;
};

}  // namespace sluice::top
