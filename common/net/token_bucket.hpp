// token_bucket.hpp — how many requests may leave, in exact integers, with time passed in.
//
// Pure: no clock, no allocation, no thread of its own. Invariants:
//  1. Never more than `capacity` tokens at once; over any span of length T at most
//     capacity + T × tokens / period are given.
//  2. Time that runs backwards gives nothing and takes nothing.
//  3. No rounding: credit is counted in tokens × nanoseconds of the period.
#pragma once

#include <cstdint>

#include "common/base/time.hpp"

namespace sluice::net {

struct TokenBucketOptions {
  std::uint64_t capacity{200};             // burst, 1 … 1,000,000
  std::uint64_t tokens{200};               // given per period, 1 … 1,000,000
  std::int64_t period_ns{60'000'000'000};  // 1 µs … 1 h
};

class TokenBucket {
 public:
  // Starts full. Throws Error(kConfig) on options out of range.
  TokenBucket(const TokenBucketOptions& options, MonoNanos start);

  // Takes `count` tokens if at least `count + keep` are there; otherwise takes nothing. `keep` is
  // what this budget class must leave to those above it.
  [[nodiscard]] bool try_take(MonoNanos now, std::uint64_t count = 1,
                              std::uint64_t keep = 0) noexcept;

  // Whole tokens there at `now`.
  [[nodiscard]] std::uint64_t available(MonoNanos now) const noexcept;

  // The first moment at which try_take(count, keep) succeeds if nothing else is taken; a moment at
  // the end of time if count + keep exceeds the capacity.
  [[nodiscard]] MonoNanos ready_at(MonoNanos now, std::uint64_t count = 1,
                                   std::uint64_t keep = 0) const noexcept;

  // Lowers the credit to what the venue says remains (its own counter rules when lower).
  void lower_to(MonoNanos now, std::uint64_t tokens) noexcept;

 private:
  [[nodiscard]] std::uint64_t credit_at(MonoNanos now) const noexcept;

  std::uint64_t capacity_credit_;
  std::uint64_t rate_;        // credit per nanosecond
  std::uint64_t token_cost_;  // credit per token = period in nanoseconds
  std::uint64_t credit_;
  std::int64_t at_ns_;
};

}  // namespace sluice::net
