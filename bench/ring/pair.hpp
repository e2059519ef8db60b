// What the suite measures: a pair of processes that bounces or streams numbers, once over the ring
// and once over bare cache lines, the physical minimum.
//
// The parent runs on the first allowed core, the child it forks on the second. Every run warms up
// with 2,000 messages before it counts.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include "shm/ring_core.hpp"

namespace sluice::bench {

inline constexpr std::uint64_t kWarmUp = 2'000;
inline constexpr std::uint32_t kLines = 4'096;  // slots of each ring, lines of the bare walk

// Keeps this process on its first core. Throws when fewer than two are allowed.
void pin_parent();

// Forks a child that runs `body` on the second core; the destructor waits for its end.
class PinnedChild {
 public:
  explicit PinnedChild(const std::function<void()>& body);
  ~PinnedChild();
  PinnedChild(const PinnedChild&) = delete;
  PinnedChild& operator=(const PinnedChild&) = delete;

 private:
  int pid_;
};

// Nanoseconds of `count` round trips: the parent sends, the child answers each.
[[nodiscard]] std::vector<std::uint64_t> bare_round_trips(std::uint64_t count);
[[nodiscard]] std::vector<std::uint64_t> ring_round_trips(std::uint64_t count);

// Millions of messages a second, from the child to the parent.
[[nodiscard]] double bare_throughput(std::uint64_t count);
[[nodiscard]] double ring_throughput(std::uint64_t count);

[[nodiscard]] inline std::uint64_t now_ns() noexcept {
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch() /
                                    std::chrono::nanoseconds{1});
}

inline void relax() noexcept {
  __builtin_ia32_pause();
}

}  // namespace sluice::bench
