// token_bucket.cpp — see token_bucket.hpp.
#include "common/net/token_bucket.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "common/base/error.hpp"

namespace sluice::net {
namespace {

constexpr std::uint64_t kMaxTokens = 1'000'000;
constexpr std::int64_t kMinPeriodNs = 1'000;
constexpr std::int64_t kMaxPeriodNs = 3'600'000'000'000;
// The largest credit, 1e6 tokens of 3.6e12 ns each, must fit twice: sums are formed before capping.
static_assert(kMaxTokens <= std::numeric_limits<std::uint64_t>::max() / 2 /
                                static_cast<std::uint64_t>(kMaxPeriodNs));

std::uint64_t in_range(const char* name, std::uint64_t value, std::uint64_t low,
                       std::uint64_t high) {
  if (value < low || value > high) {
    throw Error(ExitCode::kConfig, std::string("rate limit: ") + name + " = " +
                                       std::to_string(value) + ", allowed " + std::to_string(low) +
                                       " to " + std::to_string(high));
  }
  return value;
}

}  // namespace

TokenBucket::TokenBucket(const TokenBucketOptions& options, MonoNanos start)
    : capacity_credit_(in_range("capacity", options.capacity, 1, kMaxTokens)),
      rate_(in_range("tokens", options.tokens, 1, kMaxTokens)),
      token_cost_(in_range("period_ns", static_cast<std::uint64_t>(options.period_ns),
                           static_cast<std::uint64_t>(kMinPeriodNs),
                           static_cast<std::uint64_t>(kMaxPeriodNs))),
      credit_(0),
      at_ns_(start.ns) {
  capacity_credit_ *= token_cost_;
  credit_ = capacity_credit_;
}

std::uint64_t TokenBucket::credit_at(MonoNanos now) const noexcept {
  if (now.ns <= at_ns_)
    return credit_;
  const std::uint64_t elapsed =
      static_cast<std::uint64_t>(now.ns) - static_cast<std::uint64_t>(at_ns_);
  const std::uint64_t missing = capacity_credit_ - credit_;
  // Compared by division: elapsed × rate may not fit.
  if (elapsed > missing / rate_)
    return capacity_credit_;
  return credit_ + elapsed * rate_;
}

bool TokenBucket::try_take(MonoNanos now, std::uint64_t count, std::uint64_t keep) noexcept {
  credit_ = credit_at(now);
  at_ns_ = std::max(at_ns_, now.ns);
  const std::uint64_t whole = credit_ / token_cost_;
  if (count > whole || keep > whole - count)
    return false;
  credit_ -= count * token_cost_;
  return true;
}

std::uint64_t TokenBucket::available(MonoNanos now) const noexcept {
  return credit_at(now) / token_cost_;
}

MonoNanos TokenBucket::ready_at(MonoNanos now, std::uint64_t count,
                                std::uint64_t keep) const noexcept {
  const std::uint64_t capacity = capacity_credit_ / token_cost_;
  if (count > capacity || keep > capacity - count) {
    return MonoNanos{std::numeric_limits<std::int64_t>::max()};
  }
  const std::uint64_t needed = (count + keep) * token_cost_;
  const std::uint64_t credit = credit_at(now);
  if (credit >= needed)
    return now;
  const std::uint64_t wait = (needed - credit + rate_ - 1) / rate_;
  return MonoNanos{std::max(at_ns_, now.ns) + static_cast<std::int64_t>(wait)};
}

void TokenBucket::lower_to(MonoNanos now, std::uint64_t tokens) noexcept {
  credit_ = credit_at(now);
  at_ns_ = std::max(at_ns_, now.ns);
  if (tokens < credit_ / token_cost_)
    credit_ = tokens * token_cost_;
}

}  // namespace sluice::net
