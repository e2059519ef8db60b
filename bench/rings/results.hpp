// The rounds of a run turned into metrics, paired ratios and bars.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "bench/rings/plan.hpp"
#include "bench/rings/statistics.hpp"

namespace sluice::bench {

// How much of the machine a spinning thread was refused, in a round.
struct Jitter {
  double worst_gap_us{0};
  double lost_percent{0};
};

struct MeasuredRound {
  Round figures;
  RoundFloor floor;
  Jitter jitter;
};

// A ratio of paired figures: a metric, over the best of the others in the same round.
struct RatioRule {
  std::string name;
  std::string above;
  std::vector<std::string> below;
  Better better{Better::kLower};  // among `below`
};
[[nodiscard]] const std::vector<RatioRule>& ratio_rules();

// What was promised: a metric or ratio is at most (or at least) this.
struct Bar {
  std::string name;
  bool at_most{true};
  double value{0};
};
[[nodiscard]] const std::vector<Bar>& bars();

// One JSON document: {"metrics":{name:{value,unit,min,max}}, "ratios":{name:value}, "ranges":…,
// "bars":…, "rounds":…, "other_placement":…}. The figures are those of the group of rounds, near or
// far, that has more; the ratios of the other group stand under "other_placement". A figure that
// was not measured (--only) is left out.
[[nodiscard]] std::string to_json(const std::vector<MeasuredRound>& rounds, const FloorRule& rule);

}  // namespace sluice::bench
