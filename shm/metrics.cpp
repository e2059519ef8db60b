#include "shm/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace sluice::shm {

std::uint64_t HistogramSnapshot::count() const noexcept {
  return std::accumulate(buckets.begin(), buckets.end(), overflow);
}

std::uint64_t HistogramSnapshot::percentile(double fraction) const noexcept {
  const std::uint64_t total = count();
  if (total == 0)
    return 0;
  // The rank of the smallest value with at least that share at or below it: nearest-rank
  // definition.
  const double rank = std::ceil(std::clamp(fraction, 0.0, 1.0) * static_cast<double>(total));
  // A total near 2^64 (a page full of garbage) rounds up as a double, beyond what converts back.
  const std::uint64_t wanted = rank >= static_cast<double>(total)
                                   ? total
                                   : std::max<std::uint64_t>(1, static_cast<std::uint64_t>(rank));
  std::uint64_t seen = 0;
  for (std::uint32_t bucket = 0; bucket < kBuckets; ++bucket) {
    seen += buckets[bucket];
    if (seen >= wanted)
      return std::min(bucket_middle(bucket), max);
  }
  return max;
}

double HistogramSnapshot::mean() const noexcept {
  const std::uint64_t total = count();
  return total == 0 ? 0.0 : static_cast<double>(sum) / static_cast<double>(total);
}

void HistogramSnapshot::merge(const HistogramSnapshot& other) noexcept {
  sum += other.sum;
  max = std::max(max, other.max);
  overflow += other.overflow;
  negative += other.negative;
  for (std::uint32_t bucket = 0; bucket < kBuckets; ++bucket)
    buckets[bucket] += other.buckets[bucket];
}

HistogramSnapshot HistogramSnapshot::since(const HistogramSnapshot& earlier) const {
  const auto grown = [](std::uint64_t now, std::uint64_t then) {
    return now > then ? now - then : 0;
  };
  HistogramSnapshot out;
  out.sum = grown(sum, earlier.sum);
  out.overflow = grown(overflow, earlier.overflow);
  out.negative = grown(negative, earlier.negative);
  for (std::uint32_t bucket = 0; bucket < kBuckets; ++bucket) {
    out.buckets[bucket] = grown(buckets[bucket], earlier.buckets[bucket]);
    if (out.buckets[bucket] != 0)
      out.max = bucket_middle(bucket);
  }
  if (max > earlier.max || out.overflow != 0)
    out.max = max;
  return out;
}

}  // namespace sluice::shm
