// Metrics: what a process measures, described once and checked at compile time; and the histogram.
//
// A process declares an enum and one row per enumerator:
//
//   enum class RiskMetric : std::uint32_t { kIntents, kApproved, kApproveNs, kCount };
//   inline constexpr auto kRiskRows = metric_rows<RiskMetric>({
//       {RiskMetric::kIntents, "intents", "1", MetricKind::kCounter},
//       {RiskMetric::kApproved, "approved", "1", MetricKind::kCounter},
//       {RiskMetric::kApproveNs, "approve", "ns", MetricKind::kHistogram}});
//   inline constexpr MetricTable kRiskMetrics{kRiskRows};
//
// A row that is missing, doubled, out of order, unnamed or too long does not compile.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace sluice::shm {

enum class MetricKind : std::uint32_t { kCounter = 1, kGauge = 2, kHistogram = 3 };

inline constexpr std::size_t kMetricNameBytes = 39;  // without the terminating zero
inline constexpr std::size_t kMetricUnitBytes = 7;

struct MetricDescription {
  std::string_view name;
  std::string_view unit;  // "1" for plain numbers, "ns", "bytes"
  MetricKind kind;
};

template <class Enum>
struct MetricRow {
  Enum id;
  std::string_view name;
  std::string_view unit;
  MetricKind kind;
};

template <class Enum, std::size_t N>
[[nodiscard]] consteval std::array<MetricDescription, N> metric_rows(
    const MetricRow<Enum> (&rows)[N]) {
  static_assert(N == static_cast<std::size_t>(Enum::kCount),
                "one row per enumerator before kCount");
  std::array<MetricDescription, N> out{};
  for (std::size_t i = 0; i < N; ++i) {
    // A throw in a constant expression is a compile error at the row's table.
    if (static_cast<std::size_t>(rows[i].id) != i)
      throw "rows stand in the enum's order";
    if (rows[i].name.empty() || rows[i].name.size() > kMetricNameBytes)
      throw "name: 1 to 39 bytes";
    if (rows[i].unit.empty() || rows[i].unit.size() > kMetricUnitBytes)
      throw "unit: 1 to 7 bytes";
    for (std::size_t j = 0; j < i; ++j)
      if (rows[j].name == rows[i].name)
        throw "two metrics of one name";
    out[i] = {rows[i].name, rows[i].unit, rows[i].kind};
  }
  return out;
}

// A process's metrics, in the order of its enum. Refers to static storage.
class MetricTable {
 public:
  constexpr MetricTable() noexcept = default;
  template <std::size_t N>
  constexpr explicit MetricTable(const std::array<MetricDescription, N>& rows) noexcept
      : rows_(rows) {}

  [[nodiscard]] constexpr std::span<const MetricDescription> rows() const noexcept { return rows_; }
  // Over names, units and kinds: a page made for another table is refused at attach.
  [[nodiscard]] constexpr std::uint64_t hash() const noexcept {
    std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a, 64 bit
    const auto mix = [&hash](unsigned char byte) { hash = (hash ^ byte) * 0x100000001b3; };
    for (const MetricDescription& row : rows_) {
      for (const char c : row.name)
        mix(static_cast<unsigned char>(c));
      mix(0);
      for (const char c : row.unit)
        mix(static_cast<unsigned char>(c));
      mix(static_cast<unsigned char>(row.kind));
    }
    return hash;
  }

 private:
  std::span<const MetricDescription> rows_{};
};

// The histogram's shape (log-linear, as HdrHistogram): octave 0 holds 0..63 exactly, octave k >= 1
// holds [2^(5+k), 2^(6+k)) in 64 steps of 2^(k-1). The value reported for a bucket is its middle,
// so the error is at most (2^(k-1) / 2) / 2^(5+k) = 1/128 < 1 %. The last octave ends at 2^39 ns,
// about nine minutes; above that one overflow counter.
inline constexpr std::uint32_t kSubBuckets = 64;
inline constexpr std::uint32_t kOctaves = 34;
inline constexpr std::uint32_t kBuckets = kSubBuckets * kOctaves;
inline constexpr std::uint64_t kHistogramLimit = std::uint64_t{1} << 39;
static_assert(kHistogramLimit == std::uint64_t{kSubBuckets} << (kOctaves - 1));

[[nodiscard]] constexpr std::uint32_t bucket_of(std::uint64_t value) noexcept {  // value < limit
  if (value < kSubBuckets)
    return static_cast<std::uint32_t>(value);
  const auto octave = static_cast<std::uint32_t>(std::bit_width(value)) - 6;
  return octave * kSubBuckets + static_cast<std::uint32_t>((value >> (octave - 1)) - kSubBuckets);
}
[[nodiscard]] constexpr std::uint64_t bucket_middle(std::uint32_t bucket) noexcept {
  const std::uint32_t octave = bucket / kSubBuckets;
  if (octave == 0)
    return bucket;
  const std::uint64_t step = std::uint64_t{1} << (octave - 1);
  return (kSubBuckets + bucket % kSubBuckets) * step + (step - 1) / 2;
}

// The words of a histogram in a page, in this order.
enum class HistogramWord : std::uint32_t { kSum, kMax, kOverflow, kNegative, kFirstBucket };
inline constexpr std::uint32_t kHistogramWords =
    static_cast<std::uint32_t>(HistogramWord::kFirstBucket) + kBuckets;

// A private copy of a histogram. Each number was read atomically, the whole was not: while the
// writer is running, a snapshot may be a few records ahead in one word and behind in another.
struct HistogramSnapshot {
  std::uint64_t sum{0};
  std::uint64_t max{0};
  std::uint64_t overflow{0};  // values at or above kHistogramLimit; part of count()
  std::uint64_t negative{0};  // refused: stamps that ran backwards; not part of count()
  std::vector<std::uint64_t> buckets = std::vector<std::uint64_t>(kBuckets);

  [[nodiscard]] std::uint64_t count() const noexcept;
  // `fraction` in [0, 1], 0.99 is p99: the smallest recorded value with at least that share at or
  // below it, within 1 %; `max` when it lies in the overflow; 0 when nothing was recorded.
  [[nodiscard]] std::uint64_t percentile(double fraction) const noexcept;
  [[nodiscard]] double mean() const noexcept;
  void merge(const HistogramSnapshot& other) noexcept;
  // What was recorded after `earlier`, a snapshot of the same histogram. `max` is exact when it was
  // set since, otherwise the middle of the highest bucket (within 1 %). What seems to have shrunk
  // (another writer's garbage) counts as nothing.
  [[nodiscard]] HistogramSnapshot since(const HistogramSnapshot& earlier) const;
};

}  // namespace sluice::shm
