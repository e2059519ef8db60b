// The model of rings, boards and conflation: what its tests ask for, free of relacy's macros.
//
// A scenario is a handful of threads that run the shipped templates (shm/ring_core.hpp,
// ring_recovery.hpp, ring_reader.hpp, board.hpp, conflation.hpp) on relacy's atomics and check
// what comes out. relacy decides at every access which thread goes on and which of the values that
// the memory model allows a load returns. A mutant is the shipped code with one order weakened to
// relaxed, or with one flaw.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "shm/atomics.hpp"

namespace sluice::model {

// What an algorithm could do wrong although all its orders are right.
enum class Flaw : std::uint8_t {
  kNone,
  kStampBeforePayload,  // the producer stamps, then writes
  kBatchDescending,     // a batch is stamped from its end
  kTailBeforeStamp,     // the hint runs ahead of what it promises
  kTrustedHint,         // the successor goes on at its predecessor's tail without looking
  kNoRestamp,           // the successor leaves a broken predecessor's stamps where they are
  kNoSecondLook,        // a reader does not look again whether it was overtaken
  kEarlierCursor,       // a depth counts from the cursor that was read before the tail
  kLiveCopy,            // the board's writer writes the copy that readers use
  kSnapshotBeforeGap,   // conflation tells a row before it tells that something was lost
};

struct Mutant {
  const char* name;
  const char* scenario;  // the one that must fail
  shm::Sync weakened{shm::Sync::kUnnamed};
  Flaw flaw{Flaw::kNone};
};
inline constexpr Mutant kShipped{"as shipped", "", {}, {}};

// How often a mortal thread died before its k-th access to shared memory. In every scenario some
// schedules take a mortal thread through kReached accesses; how many more there are depends on how
// long it waits.
struct Deaths {
  static constexpr std::size_t kSteps = 64;
  static constexpr std::size_t kReached = 48;
  std::array<std::uint64_t, kSteps> before{};
  std::uint64_t survived{0};
};

struct Outcome {
  bool passed{false};
  std::uint64_t schedules{0};  // up to the failing one
  std::string what;            // result, and the history of a failing schedule
  Deaths deaths;
};

struct Scenario {
  const char* name;
  bool mortal;  // a thread of it dies
  bool (*simulate)(struct Search& search);
};
[[nodiscard]] const std::vector<Scenario>& scenarios();

// Which schedules to try.
struct Schedules {
  enum class Kind : std::uint8_t {
    kRandom,  // `count` of them, the same ones every time
    kAll,     // every one there is
    kBound,   // every one in which threads that could go on are interrupted at most `count` times
  };
  Kind kind{Kind::kRandom};
  std::uint64_t count{0};
};

// Runs the scenario until a schedule fails or there are no more. The history of a failure is
// several hundred lines: only on request.
[[nodiscard]] Outcome run(const Scenario& scenario, const Mutant& mutant, Schedules schedules,
                          bool with_history);

}  // namespace sluice::model
