// Histograms and the described table.

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "shm/metrics.hpp"
#include "tests/shm/shm_fixture.hpp"

namespace sluice::shm::test {
namespace {

TEST(Histogram, BucketsTouchEachOtherAndHoldTheirMiddle) {
  for (std::uint32_t bucket = 0; bucket < kBuckets; ++bucket) {
    const std::uint64_t middle = bucket_middle(bucket);
    ASSERT_LT(middle, kHistogramLimit);
    ASSERT_EQ(bucket_of(middle), bucket);
    if (bucket > 0) {
      ASSERT_GT(middle, bucket_middle(bucket - 1));
    }
  }
  EXPECT_EQ(bucket_of(0), 0u);
  EXPECT_EQ(bucket_of(63), 63u);
  EXPECT_EQ(bucket_of(64), 64u);
  EXPECT_EQ(bucket_of(127), 127u);
  EXPECT_EQ(bucket_of(128), 128u);
  EXPECT_EQ(bucket_of(129), 128u);
  EXPECT_EQ(bucket_of(kHistogramLimit - 1), kBuckets - 1);
}

TEST(Histogram, EveryValueIsWithinOnePercentOfItsBucketsMiddle) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 1'000'000; ++i) {
    const std::uint64_t value = random() >> (25 + random() % 39);  // all octaves alike
    const auto middle = static_cast<double>(bucket_middle(bucket_of(value)));
    const auto exact = static_cast<double>(value);
    ASSERT_LE(std::abs(middle - exact), exact * 0.01) << value;
  }
}

TEST(Histogram, PercentilesAreWithinOnePercentOfTheExactOnes) {
  std::mt19937_64 random(11);
  std::lognormal_distribution<double> latency(7.0, 1.5);
  std::vector<std::uint64_t> values(100'001);
  HistogramSnapshot histogram;
  for (std::uint64_t& value : values) {
    value = static_cast<std::uint64_t>(latency(random));
    ++histogram.buckets[bucket_of(value)];
    histogram.sum += value;
    histogram.max = std::max(histogram.max, value);
  }
  std::sort(values.begin(), values.end());
  ASSERT_EQ(histogram.count(), values.size());
  for (const double fraction : {0.0, 0.001, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0}) {
    const auto rank = std::max(1.0, std::ceil(fraction * static_cast<double>(values.size())));
    const auto exact = static_cast<double>(values[static_cast<std::size_t>(rank) - 1]);
    EXPECT_LE(std::abs(static_cast<double>(histogram.percentile(fraction)) - exact), exact * 0.01)
        << fraction;
  }
}

TEST(Histogram, EmptyOneHasNoPercentileAndOverflowAnswersWithTheMaximum) {
  HistogramSnapshot histogram;
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.percentile(0.99), 0u);
  EXPECT_EQ(histogram.mean(), 0.0);
  histogram.overflow = 1;
  histogram.max = kHistogramLimit * 2;
  EXPECT_EQ(histogram.count(), 1u);
  EXPECT_EQ(histogram.percentile(0.5), kHistogramLimit * 2);
}

TEST(Histogram, MergeAddsUp) {
  HistogramSnapshot a;
  HistogramSnapshot b;
  a.buckets[5] = 1;
  a.sum = a.max = 5;
  b.buckets[5] = 2;
  b.buckets[9] = 1;
  b.sum = 19;
  b.max = 9;
  b.negative = 3;
  a.merge(b);
  EXPECT_EQ(a.count(), 4u);
  EXPECT_EQ(a.sum, 24u);
  EXPECT_EQ(a.max, 9u);
  EXPECT_EQ(a.negative, 3u);
  EXPECT_EQ(a.percentile(0.75), 5u);
  EXPECT_EQ(a.percentile(1.0), 9u);
}

TEST(Histogram, DifferenceOfTwoSnapshotsIsWhatCameBetween) {
  HistogramSnapshot then;
  then.buckets[bucket_of(5000)] = 3;
  then.sum = 15'000;
  then.max = 5000;
  HistogramSnapshot now = then;
  now.buckets[bucket_of(70)] += 2;
  now.sum += 140;
  now.negative = 1;
  const HistogramSnapshot between = now.since(then);
  EXPECT_EQ(between.count(), 2u);
  EXPECT_EQ(between.sum, 140u);
  EXPECT_EQ(between.negative, 1u);
  EXPECT_EQ(between.max, bucket_middle(bucket_of(70))) << "the old maximum is not of this time";
  now.max = 9000;
  now.buckets[bucket_of(9000)] = 1;
  EXPECT_EQ(now.since(then).max, 9000u) << "exact when it was set since";
  EXPECT_EQ(then.since(now).count(), 0u) << "what shrank counts as nothing";
}

enum class OneMetric : std::uint32_t { kFirst, kCount };
constexpr auto kOneRows =
    metric_rows<OneMetric>({{OneMetric::kFirst, "first", "1", MetricKind::kCounter}});
constexpr auto kOtherUnitRows =
    metric_rows<OneMetric>({{OneMetric::kFirst, "first", "ns", MetricKind::kCounter}});
constexpr auto kOtherKindRows =
    metric_rows<OneMetric>({{OneMetric::kFirst, "first", "1", MetricKind::kGauge}});

TEST(MetricTable, HashDependsOnNamesUnitsAndKinds) {
  constexpr MetricTable table{kOneRows};
  EXPECT_EQ(table.rows().size(), 1u);
  EXPECT_NE(table.hash(), MetricTable{kOtherUnitRows}.hash());
  EXPECT_NE(table.hash(), MetricTable{kOtherKindRows}.hash());
  EXPECT_NE(table.hash(), MetricTable{}.hash());
  EXPECT_NE(table.hash(), 0u);
}

}  // namespace
}  // namespace sluice::shm::test
