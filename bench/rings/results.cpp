#include "bench/rings/results.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

namespace sluice::bench {
namespace {

using Indices = std::vector<std::size_t>;

std::string joined(const std::vector<std::string>& parts) {
  std::string all;
  for (const std::string& part : parts)
    all += (all.empty() ? "" : ",") + part;
  return all;
}

// A figure in each of the rounds; nullopt when it was not measured.
std::optional<std::vector<double>> series(const std::vector<MeasuredRound>& rounds,
                                          const Indices& kept, const std::string& name) {
  std::vector<double> values;
  for (const std::size_t i : kept) {
    const auto& all = rounds[i].figures.values();
    const auto found = all.find(name);
    if (found == all.end())
      return std::nullopt;
    values.push_back(found->second);
  }
  if (values.empty())
    return std::nullopt;
  return values;
}

std::optional<Summary> ratio_of(const std::vector<MeasuredRound>& rounds, const Indices& kept,
                                const RatioRule& rule) {
  const auto above = series(rounds, kept, rule.above);
  std::vector<std::vector<double>> below;
  for (const std::string& name : rule.below)
    if (auto one = series(rounds, kept, name))
      below.push_back(std::move(*one));
  if (!above || below.size() != rule.below.size())
    return std::nullopt;
  return summarize(paired_ratios(*above, best_of_each_round(below, rule.better)));
}

std::string metrics_json(const std::vector<MeasuredRound>& rounds, const Indices& kept) {
  std::vector<std::string> parts;
  if (kept.empty())
    return "{}";
  for (const auto& [name, unit] : rounds[kept.front()].figures.units()) {
    const auto values = series(rounds, kept, name);
    if (!values)
      continue;
    const Summary summary = summarize(*values);
    parts.push_back(fmt::format(R"("{}":{{"value":{:.3f},"unit":"{}","min":{:.3f},"max":{:.3f}}})",
                                name, summary.median, unit, summary.min, summary.max));
  }
  return "{" + joined(parts) + "}";
}

struct RatiosJson {
  std::string values;
  std::string ranges;
};
RatiosJson ratios_json(const std::vector<MeasuredRound>& rounds, const Indices& kept) {
  std::vector<std::string> values;
  std::vector<std::string> ranges;
  for (const RatioRule& rule : ratio_rules()) {
    const auto ratio = ratio_of(rounds, kept, rule);
    if (!ratio)
      continue;
    values.push_back(fmt::format(R"("{}":{:.4f})", rule.name, ratio->median));
    ranges.push_back(
        fmt::format(R"("{}":{{"min":{:.4f},"max":{:.4f}}})", rule.name, ratio->min, ratio->max));
  }
  return {"{" + joined(values) + "}", "{" + joined(ranges) + "}"};
}

std::string bars_json() {
  std::vector<std::string> parts;
  for (const Bar& bar : bars())
    parts.push_back(fmt::format(R"("{}":{{"{}":{}}})", bar.name,
                                bar.at_most ? "at_most" : "at_least", bar.value));
  return "{" + joined(parts) + "}";
}

const char* to_text(Verdict verdict) {
  return verdict == Verdict::kNear ? "near" : verdict == Verdict::kFar ? "far" : "discarded";
}

std::string rounds_json(const std::vector<MeasuredRound>& rounds,
                        const std::vector<Verdict>& verdicts, const FloorRule& rule,
                        Verdict placement) {
  std::vector<std::string> each;
  each.reserve(rounds.size());
  for (std::size_t i = 0; i < rounds.size(); ++i)
    each.push_back(fmt::format(
        R"({{"verdict":"{}","floor_p50_ns":{:.1f},"floor_p99_ns":{:.1f},)"
        R"("floor_walks_ns":[{:.1f},{:.1f}],"worst_gap_us":{:.1f},"lost_percent":{:.2f}}})",
        to_text(verdicts[i]), rounds[i].floor.p50, rounds[i].floor.p99, rounds[i].floor.lowest,
        rounds[i].floor.highest, rounds[i].jitter.worst_gap_us, rounds[i].jitter.lost_percent));
  return fmt::format(
      R"({{"placement":"{}","near":{},"far":{},"discarded":{},"rule":"far: floor p50 above )"
      R"({} x the run's best; discarded: p50 above {} x or p99 above {} x its group's best, or )"
      R"(walks that differ by more than {} x","each":[{}]}})",
      to_text(placement), rounds_with(verdicts, Verdict::kNear).size(),
      rounds_with(verdicts, Verdict::kFar).size(),
      rounds_with(verdicts, Verdict::kDiscarded).size(), rule.far_above, rule.p50_above,
      rule.p99_above, rule.moved, joined(each));
}

}  // namespace

void Round::add(const std::string& name, const std::string& unit, double value) {
  values_[name] = value;
  units_[name] = unit;
}

const std::vector<RatioRule>& ratio_rules() {
  const auto peers = [](const std::string& prefix, const std::string& suffix) {
    std::vector<std::string> names;
    for (const char* peer : {"boost", "moodycamel", "pipe", "unix", "zeromq"})
      names.push_back(fmt::format("{}{}{}", prefix, peer, suffix));
    return names;
  };
  static const std::vector<RatioRule> rules = {
      {"rtt_p50_vs_floor", "rtt_ring_p50", {"rtt_floor_p50"}, Better::kLower},
      {"rtt_p99_vs_floor", "rtt_ring_p99", {"rtt_floor_p99"}, Better::kLower},
      {"rtt_p50_vs_best_peer", "rtt_ring_p50", peers("rtt_", "_p50"), Better::kLower},
      {"rtt_p99_vs_best_peer", "rtt_ring_p99", peers("rtt_", "_p99"), Better::kLower},
      {"throughput_64_vs_best_unbatched", "stream_64_4096_ring", peers("stream_64_4096_", ""),
       Better::kHigher},
      // The same when every receiver rests.
      {"throughput_64_vs_best_unbatched_rested",
       "stream_64_4096_ring_rested",
       {"stream_64_4096_boost_rested", "stream_64_4096_moodycamel_rested"},
       Better::kHigher},
      // Without moodycamel's queue, which cannot be between processes.
      {"throughput_64_vs_best_process",
       "stream_64_4096_ring",
       {"stream_64_4096_boost", "stream_64_4096_pipe", "stream_64_4096_unix",
        "stream_64_4096_zeromq"},
       Better::kHigher},
      {"throughput_64_vs_best_batched",
       "stream_64_4096_ring",
       {"stream_64_4096_boost_batched"},
       Better::kHigher},
      {"throughput_bulk_vs_best_batched",
       "stream_64_65536_ring",
       {"stream_64_65536_boost_batched"},
       Better::kHigher},
      {"ring_bulk_batched_vs_single",
       "stream_64_65536_ring_batched",
       {"stream_64_65536_ring"},
       Better::kHigher},
      {"throughput_128_vs_best_batched",
       "stream_128_4096_ring",
       {"stream_128_4096_boost_batched"},
       Better::kHigher},
      {"throughput_192_vs_best_batched",
       "stream_192_4096_ring",
       {"stream_192_4096_boost_batched"},
       Better::kHigher},
      {"throughput_1024_slots_vs_best_batched",
       "stream_64_1024_ring",
       {"stream_64_1024_boost_batched"},
       Better::kHigher},
      {"tap_batched_vs_single", "tap_ring_batched", {"tap_ring"}, Better::kHigher},
      // At least 3: in a lap, the core that holds three of the five stages changes between them
      // three times, one after another. The two figures are of different trials of a round.
      {"loop5_yield_vs_switch", "loop5_yield_p50", {"yield_switch"}, Better::kLower}};
  return rules;
}

const std::vector<Bar>& bars() {
  static const std::vector<Bar> promised = {{"rtt_p50_vs_floor", true, 1.07},
                                            {"rtt_p99_vs_floor", true, 1.2},
                                            {"rtt_p50_vs_best_peer", true, 0.65},
                                            {"rtt_p99_vs_best_peer", true, 0.65},
                                            {"throughput_64_vs_best_unbatched", false, 3},
                                            {"throughput_64_vs_best_batched", false, 1.5},
                                            {"throughput_bulk_vs_best_batched", false, 1.4},
                                            {"loop5_yield_p50", true, 5},
                                            {"histogram_record", true, 5}};
  return promised;
}

std::string to_json(const std::vector<MeasuredRound>& rounds, const FloorRule& rule) {
  std::vector<RoundFloor> floors;
  floors.reserve(rounds.size());
  for (const MeasuredRound& round : rounds)
    floors.push_back(round.floor);
  const std::vector<Verdict> verdicts = judge_rounds(floors, rule);
  const Indices near = rounds_with(verdicts, Verdict::kNear);
  const Indices far = rounds_with(verdicts, Verdict::kFar);
  const bool mostly_near = near.size() >= far.size();
  const Indices& kept = mostly_near ? near : far;
  const RatiosJson ratios = ratios_json(rounds, kept);
  const RatiosJson other = ratios_json(rounds, mostly_near ? far : near);
  return fmt::format(
      R"({{"metrics":{},"ratios":{},"ranges":{},"bars":{},"rounds":{},)"
      R"("other_placement":{{"ratios":{},"ranges":{},"metrics":{}}}}})",
      metrics_json(rounds, kept), ratios.values, ratios.ranges, bars_json(),
      rounds_json(rounds, verdicts, rule, mostly_near ? Verdict::kNear : Verdict::kFar),
      other.values, other.ranges, metrics_json(rounds, mostly_near ? far : near));
}

}  // namespace sluice::bench
