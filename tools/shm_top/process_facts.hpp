// What the kernel says of a process: /proc/<pid>, read as text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/base/time.hpp"

namespace sluice::top {

struct ProcessFacts {
  std::uint64_t start_ticks{0};  // since boot: with the pid, the process's identity
  std::uint64_t cpu_ns{0};       // used so far, all threads
  int core{0};                   // where the main thread ran last
  std::string affinity;
  WallNanos started{};  // to the second
};

// nullopt when there is no such process, or only what its parent has not yet reaped.
[[nodiscard]] std::optional<ProcessFacts> read_process(std::int64_t pid,
                                                       const std::string& proc = "/proc");

}  // namespace sluice::top
