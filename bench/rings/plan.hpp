// What a run consists of: trials, each of which adds its figures to the round it ran in.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace sluice::bench {

// The figures of one round, by name. Units are part of the name's meaning and kept beside it.
class Round {
 public:
  void add(const std::string& name, const std::string& unit, double value);
  [[nodiscard]] const std::map<std::string, double>& values() const noexcept { return values_; }
  [[nodiscard]] const std::map<std::string, std::string>& units() const noexcept { return units_; }

 private:
  std::map<std::string, double> values_;
  std::map<std::string, std::string> units_;
};

// How much is measured: everything, or next to nothing so that a test sees that all of it works.
enum class Effort : std::uint8_t { kFull, kQuick };
[[nodiscard]] constexpr std::uint64_t amount(Effort effort, std::uint64_t full) noexcept {
  constexpr std::uint64_t kLeast = 40;
  const std::uint64_t quick = full / 2000;
  return effort == Effort::kFull ? full : (quick < kLeast ? kLeast : quick);
}

struct Trial {
  std::string group;
  std::function<void(Round&)> run;
};

// Each adds the trials of one group.
void plan_round_trips(std::vector<Trial>& trials, Effort effort);
void plan_throughput(std::vector<Trial>& trials, Effort effort);
void plan_bulk(std::vector<Trial>& trials, Effort effort);
void plan_open_loop(std::vector<Trial>& trials, Effort effort);
void plan_idling(std::vector<Trial>& trials, Effort effort);
void plan_costs(std::vector<Trial>& trials, Effort effort);
void plan_hop(std::vector<Trial>& trials, Effort effort);

}  // namespace sluice::bench
