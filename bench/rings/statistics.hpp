// What the suite makes of its samples: pure functions, no clock, no processes.
//
// A comparison is a paired one: a and b are measured in the same round, their ratio is taken
// there, and the median of those ratios is reported with the smallest and the greatest. What the
// machine does to a whole round then cancels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sluice::bench {

struct Summary {
  double median{0};
  double min{0};
  double max{0};
};

// Requires at least one value. The median of an even number is the mean of the middle two.
[[nodiscard]] Summary summarize(std::vector<double> values);

// Percentiles of readings whose clock moves in steps of `tick`: the readings of one value are
// taken as spread evenly over that step (the grouped percentile of the textbooks). `fraction` in
// [0, 1], 0.99 is p99. With a tick of 0 it is the plain percentile. `samples` is sorted in place
// and holds at least one.
[[nodiscard]] double percentile(std::vector<std::uint64_t>& samples, double fraction,
                                std::uint64_t tick);

// a[i] / b[i]. Requires equal lengths and b[i] > 0.
[[nodiscard]] std::vector<double> paired_ratios(const std::vector<double>& a,
                                                const std::vector<double>& b);

// Of each round the best value among several series: the lowest time, or the highest rate.
enum class Better : std::uint8_t { kLower, kHigher };
[[nodiscard]] std::vector<double> best_of_each_round(const std::vector<std::vector<double>>& series,
                                                     Better better);

// The order in which a round runs its trials: a shuffle of 0 to trials - 1 that depends on the
// round's number alone. What a trial leaves behind in caches and clocks meets another neighbour in
// each round, a rotation would hand it to the same one; and two runs use the same orders.
[[nodiscard]] std::vector<std::size_t> order_of_round(std::uint64_t round, std::size_t trials);

// What the floor said in a round: the percentiles of all its trips, and the lowest and highest p50
// of the short walks before each measurement.
struct RoundFloor {
  double p50{0};
  double p99{0};
  double lowest{0};
  double highest{0};
};

// The rule, written down before the measurements. Nothing but the floor is looked at, so no result
// of a ring or a peer can decide.
//  1. A host may run a guest's two cores near each other or far apart, and moves them as it likes;
//     the floor's p50 then jumps by a factor. Rounds whose p50 is more than `far_above` times the
//     best one of the run are far ones; near and far are never mixed.
//  2. Within its group a round is discarded whose p50 or p99 is more than p50_above or p99_above
//     times the group's best,
//  3. or whose walks differ by more than `moved`: the cores moved while it ran.
struct FloorRule {
  double far_above{2.0};
  double p50_above{1.5};
  double p99_above{2.0};
  double moved{1.8};

  // Every round counts: for a run that checks the suite and measures nothing (--quick).
  [[nodiscard]] static FloorRule of_a_check() noexcept;
};
enum class Verdict : std::uint8_t { kNear, kFar, kDiscarded };
[[nodiscard]] std::vector<Verdict> judge_rounds(const std::vector<RoundFloor>& floors,
                                                const FloorRule& rule);
// Indices of the rounds with that verdict, in order.
[[nodiscard]] std::vector<std::size_t> rounds_with(const std::vector<Verdict>& verdicts,
                                                   Verdict wanted);

}  // namespace sluice::bench
