#include "bench/rings/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <utility>

#include "common/base/error.hpp"

namespace sluice::bench {

Summary summarize(std::vector<double> values) {
  SLUICE_ASSERT(!values.empty(), "a summary needs values");
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  const double median =
      values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  return {median, values.front(), values.back()};
}

double percentile(std::vector<std::uint64_t>& samples, double fraction, std::uint64_t tick) {
  SLUICE_ASSERT(!samples.empty(), "a percentile needs samples");
  std::sort(samples.begin(), samples.end());
  const auto count = static_cast<double>(samples.size());
  const double wanted = fraction * count;  // so many samples at or below the answer
  const auto rank = static_cast<std::size_t>(std::ceil(wanted));
  const std::uint64_t value = samples[std::min(rank == 0 ? 0 : rank - 1, samples.size() - 1)];
  if (tick == 0)
    return static_cast<double>(value);
  // The readings within half a tick of the value are of one step; a clock whose step is no whole
  // number of cycles shows it as two neighbouring numbers.
  const double low = static_cast<double>(value) - static_cast<double>(tick) / 2;
  const double high = low + static_cast<double>(tick);
  const auto below =
      static_cast<double>(std::lower_bound(samples.begin(), samples.end(), low,
                                           [](std::uint64_t sample, double edge) {
                                             return static_cast<double>(sample) < edge;
                                           }) -
                          samples.begin());
  const auto upto =
      static_cast<double>(std::lower_bound(samples.begin(), samples.end(), high,
                                           [](std::uint64_t sample, double edge) {
                                             return static_cast<double>(sample) < edge;
                                           }) -
                          samples.begin());
  return low + static_cast<double>(tick) * (wanted - below) / (upto - below);
}

std::vector<double> paired_ratios(const std::vector<double>& a, const std::vector<double>& b) {
  SLUICE_ASSERT(a.size() == b.size(), "a ratio needs both of a round");
  std::vector<double> ratios;
  ratios.reserve(a.size());
  for (std::size_t i = 0; i < a.size(); ++i)
    ratios.push_back(a[i] / b[i]);
  return ratios;
}

std::vector<double> best_of_each_round(const std::vector<std::vector<double>>& series,
                                       Better better) {
  SLUICE_ASSERT(!series.empty(), "the best of nothing");
  std::vector<double> best = series.front();
  for (const std::vector<double>& one : series) {
    SLUICE_ASSERT(one.size() == best.size(), "every series has every round");
    for (std::size_t i = 0; i < one.size(); ++i)
      best[i] = better == Better::kLower ? std::min(best[i], one[i]) : std::max(best[i], one[i]);
  }
  return best;
}

std::vector<std::size_t> order_of_round(std::uint64_t round, std::size_t trials) {
  std::vector<std::size_t> order(trials);
  std::iota(order.begin(), order.end(), std::size_t{0});
  // By hand: what std::shuffle makes of a generator is left to the library.
  std::mt19937_64 random(round);
  for (std::size_t left = trials; left > 1; --left)
    std::swap(order[left - 1], order[random() % left]);
  return order;
}

FloorRule FloorRule::of_a_check() noexcept {
  constexpr double kAny = std::numeric_limits<double>::infinity();
  return {.far_above = kAny, .p50_above = kAny, .p99_above = kAny, .moved = kAny};
}

std::vector<Verdict> judge_rounds(const std::vector<RoundFloor>& floors, const FloorRule& rule) {
  std::vector<Verdict> verdicts(floors.size(), Verdict::kNear);
  double best = std::numeric_limits<double>::infinity();
  for (const RoundFloor& floor : floors)
    best = std::min(best, floor.p50);
  for (std::size_t i = 0; i < floors.size(); ++i)
    if (floors[i].p50 > best * rule.far_above)
      verdicts[i] = Verdict::kFar;
  for (const Verdict group : {Verdict::kNear, Verdict::kFar}) {
    double p50 = std::numeric_limits<double>::infinity();
    double p99 = p50;
    for (const std::size_t i : rounds_with(verdicts, group)) {
      p50 = std::min(p50, floors[i].p50);
      p99 = std::min(p99, floors[i].p99);
    }
    for (const std::size_t i : rounds_with(verdicts, group))
      if (floors[i].p50 > p50 * rule.p50_above || floors[i].p99 > p99 * rule.p99_above ||
          floors[i].highest > floors[i].lowest * rule.moved)
        verdicts[i] = Verdict::kDiscarded;
  }
  return verdicts;
}

std::vector<std::size_t> rounds_with(const std::vector<Verdict>& verdicts, Verdict wanted) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < verdicts.size(); ++i)
    if (verdicts[i] == wanted)
      found.push_back(i);
  return found;
}

}  // namespace sluice::bench
