// backoff.hpp — the waits between connection attempts: exponential, capped, jittered, countable.
//
// Pure: no clock; one thread. See ReconnectPolicy in types.hpp for the numbers.
#pragma once

#include <algorithm>
#include <cstdint>

#include "common/net/types.hpp"

namespace sluice::net {

class Backoff {
 public:
  // `seed` separates clients that start together; any value.
  Backoff(const ReconnectPolicy& policy, std::uint64_t seed) noexcept
      : policy_(policy), random_(seed | 1) {}

  // Notes one failure; the wait before the next attempt, in nanoseconds: half fixed, half random.
  [[nodiscard]] std::int64_t next_wait_ns() noexcept {
    const std::uint32_t doublings = std::min(failures_, std::uint32_t{32});
    if (failures_ != UINT32_MAX)
      ++failures_;
    std::int64_t wait_ns = policy_.max_ns;
    // Compared by division: the doubled value may not fit.
    if (policy_.first_ns <= (policy_.max_ns >> doublings))
      wait_ns = policy_.first_ns << doublings;
    const std::int64_t half = wait_ns / 2;
    return wait_ns - half + static_cast<std::int64_t>(next_random() % (std::uint64_t(half) + 1));
  }

  void succeeded() noexcept { failures_ = 0; }
  [[nodiscard]] std::uint32_t failures() const noexcept { return failures_; }
  [[nodiscard]] bool spent() const noexcept {
    return policy_.max_failures != 0 && failures_ >= policy_.max_failures;
  }

 private:
  std::uint64_t next_random() noexcept {  // xorshift64: jitter needs no better
    random_ ^= random_ << 13;
    random_ ^= random_ >> 7;
    random_ ^= random_ << 17;
    return random_;
  }

  ReconnectPolicy policy_;
  std::uint64_t random_;
  std::uint32_t failures_{0};
};

}  // namespace sluice::net
