// Surviving a peer that truncates its file: the SIGBUS handler.
//
// A load from a mapping whose file became shorter raises SIGBUS. Ranges registered here are backed
// by zero pages from the failing page to their end, and marked; the load is repeated and reads
// zeros, which no ring takes for a message and no board for a version. A SIGBUS anywhere else goes
// to whoever handled it before us, or kills the process as ever.
//
// Registering is start-up code; `range_failed` may be called by any thread at any time. The handler
// calls nothing but mmap. A sandbox must leave mmap of anonymous memory and sigreturn allowed.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sluice::shm {

inline constexpr int kMaxWatchedRanges = 2048;

// Returns the range's slot. Installs the handler at the first call. Throws Error(kResource) when
// all slots are taken.
[[nodiscard]] int watch_range(void* base, std::size_t bytes, bool writable);
void unwatch_range(int slot) noexcept;
[[nodiscard]] bool range_failed(int slot) noexcept;

// How many of the ranges watched now were found cut short: for a stage's check ten times a second.
struct CutRanges {
  std::uint32_t own{0};    // mapped writable: what this process says there reaches nobody
  std::uint32_t peers{0};  // mapped read-only
};
[[nodiscard]] CutRanges cut_ranges() noexcept;

}  // namespace sluice::shm
