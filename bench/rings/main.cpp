// bench_rings: measures the rings beside their peers, interleaved, and prints one JSON document.
//
//   bench_rings [--json] [--rounds N] [--seconds S] [--only GROUP,…] [--quick]
//
// A round runs every trial once, in the shuffled order of its number, with a short walk of the
// floor before each. tools/bench makes the table.

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <set>
#include <sstream>
#include <string_view>

#include "bench/rings/floor_link.hpp"
#include "bench/rings/measure.hpp"
#include "bench/rings/results.hpp"
#include "common/base/tsc.hpp"

namespace sluice::bench {
namespace {

constexpr std::uint64_t kWalk = 3'000;  // trips of the floor before each trial
constexpr std::uint64_t kFloorTrips = 50'000;
constexpr double kProbeNs = 3e6;       // a spin that looks for gaps
constexpr double kGapNs = 1'000;       // longer than any honest turn of it
constexpr unsigned kGiveUpAfter = 90;  // seconds past the last round: a partner hung, and we spin

struct Options {
  std::uint64_t rounds{31};
  double seconds{200};  // no round begins later
  std::set<std::string> only;
  Effort effort{Effort::kFull};
};

using Planner = void (*)(std::vector<Trial>&, Effort);
struct Group {
  const char* name;
  Planner plan;
};
constexpr Group kGroups[] = {{"rtt", plan_round_trips}, {"throughput", plan_throughput},
                             {"bulk", plan_bulk},       {"open", plan_open_loop},
                             {"idle", plan_idling},     {"costs", plan_costs},
                             {"hop", plan_hop}};

[[noreturn]] void usage(const std::string& why) {
  std::string groups;
  for (const Group& group : kGroups)
    groups += std::string(groups.empty() ? "" : ",") + group.name;
  throw Error(ExitCode::kUsage, why +
                                    "; usage: bench_rings [--json] [--rounds N] [--seconds S] "
                                    "[--only GROUP,...] [--quick]; groups: " +
                                    groups);
}

std::uint64_t number(std::string_view option, const char* text) {
  char* end = nullptr;
  const std::uint64_t value = std::strtoull(text, &end, 10);
  if (*text < '0' || *text > '9' || *end != '\0' || value == 0)
    usage(std::string(option) + " " + text + ": a number above 0");
  return value;
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--json")
      continue;
    if (option == "--quick") {
      options.effort = Effort::kQuick;
      options.rounds = 1;
      continue;
    }
    if (i + 1 == argc)
      usage("'" + std::string(option) + "' is no option or lacks its value");
    const char* const value = argv[++i];
    if (option == "--rounds") {
      options.rounds = number(option, value);
    } else if (option == "--seconds") {
      options.seconds = static_cast<double>(number(option, value));
    } else if (option == "--only") {
      std::stringstream list(value);
      for (std::string name; std::getline(list, name, ',');)
        options.only.insert(name);
    } else {
      usage("no option '" + std::string(option) + "'");
    }
  }
  for (const std::string& name : options.only)
    if (std::none_of(std::begin(kGroups), std::end(kGroups),
                     [&name](const Group& group) { return name == group.name; }))
      usage("no group '" + name + "'");
  return options;
}

double walk_floor_ns(Effort effort) {
  FloorLink link;
  auto samples = round_trips(link, amount(effort, kWalk / 3), amount(effort, kWalk));
  return tsc().ns(percentile(samples, 0.5, tsc().tick));
}

Jitter probe_jitter() {
  Jitter jitter;
  const std::uint64_t begun = ticks_before();
  const auto span = static_cast<std::uint64_t>(kProbeNs / tsc().ns_per_cycle);
  double lost = 0;
  for (std::uint64_t last = begun; last - begun < span;) {
    const std::uint64_t now = ticks_before();
    const double gap = tsc().ns(now - last);
    last = now;
    if (gap < kGapNs)
      continue;
    lost += gap;
    jitter.worst_gap_us = std::max(jitter.worst_gap_us, gap / 1e3);
  }
  jitter.lost_percent = lost / tsc().ns(ticks_after() - begun) * 100;
  return jitter;
}

MeasuredRound run_round(const std::vector<Trial>& trials, std::uint64_t number, Effort effort) {
  MeasuredRound round;
  round.jitter = probe_jitter();
  FloorLink link;
  auto samples = round_trips(link, amount(effort, kWarmUpTrips), amount(effort, kFloorTrips));
  round.floor.p50 = tsc().ns(percentile(samples, 0.5, tsc().tick));
  round.floor.p99 = tsc().ns(percentile(samples, 0.99, tsc().tick));
  round.floor.lowest = round.floor.highest = round.floor.p50;
  for (const std::size_t trial : order_of_round(number, trials.size())) {
    const double walked = walk_floor_ns(effort);
    round.floor.lowest = std::min(round.floor.lowest, walked);
    round.floor.highest = std::max(round.floor.highest, walked);
    trials[trial].run(round.figures);
  }
  return round;
}

int body(int argc, char** argv) {
  const Options options = parse(argc, argv);
  alarm(static_cast<unsigned>(options.seconds) + kGiveUpAfter);
  choose_cores();
  static_cast<void>(tsc());  // calibrated before anything is timed
  std::vector<Trial> trials;
  for (const Group& group : kGroups)
    if (options.only.empty() || options.only.count(group.name) != 0)
      group.plan(trials, options.effort);
  const std::uint64_t begun = clock_monotonic_ns();
  const auto seconds = [begun] { return static_cast<double>(clock_monotonic_ns() - begun) / 1e9; };
  std::vector<MeasuredRound> rounds;
  while (rounds.size() < options.rounds && (rounds.empty() || seconds() < options.seconds)) {
    rounds.push_back(run_round(trials, rounds.size(), options.effort));
    const RoundFloor& floor = rounds.back().floor;
    fmt::print(stderr, "round {:>2} of {}: floor p50 {:.1f} p99 {:.1f} walks {:.1f}-{:.1f} ns\n",
               rounds.size(), options.rounds, floor.p50, floor.p99, floor.lowest, floor.highest);
  }
  const FloorRule rule = options.effort == Effort::kQuick ? FloorRule::of_a_check() : FloorRule{};
  fmt::print("{}\n", to_json(rounds, rule));
  return 0;
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  return sluice::run_main("bench_rings", sluice::bench::body, argc, argv);
}
