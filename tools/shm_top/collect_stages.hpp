// The stages of an instance, from their pages, their role locks and /proc.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "shm/instance.hpp"
#include "shm/stage_page.hpp"
#include "tools/shm_top/process_facts.hpp"
#include "tools/shm_top/snapshot.hpp"

namespace sluice::top {

// Whether a process stands behind the page.
enum class Life : std::uint8_t { kAlive, kGone, kLockLeftInChild };

// One stage, followed over time.
class StageSource {
 public:
  explicit StageSource(std::string name) : name_(std::move(name)) {}

  // Appends what the stage says now: itself, its histograms and its errors. `window_from`: samples
  // taken before it are only kept as far as the window needs them.
  void collect(const shm::Instance& instance, MonoNanos now, MonoNanos window_from,
               Snapshot& snapshot);
  void reset_maxima();

  [[nodiscard]] const shm::StageView* view() const noexcept { return view_ ? &*view_ : nullptr; }

 private:
  // The numbers that only grow, at one moment.
  struct Sample {
    MonoNanos at{};
    std::uint64_t loop_ns{0};
    std::uint64_t busy_ns{0};
    std::optional<ProcessFacts> process;
    std::vector<shm::HistogramSnapshot> histograms;
  };

  void attach(const shm::Instance& instance);
  void find_histograms();
  [[nodiscard]] StageFacts facts(const shm::Instance& instance);
  void add_longest(Life life, StageFacts& facts);
  [[nodiscard]] Sample sample(MonoNanos now) const;
  void add_rates(StageFacts& facts, const Sample& earlier, const Sample& latest) const;
  void add_latencies(const Sample* earlier, const Sample& latest, Snapshot& snapshot) const;
  void add_errors(MonoNanos now, Snapshot& snapshot) const;

  std::string name_;
  std::string trouble_;
  std::optional<shm::StageView> view_;
  std::vector<std::uint32_t> histograms_;       // places in the page's table
  std::optional<ProcessFacts> process_;         // of the process that holds the role now
  std::deque<Sample> samples_;                  // the first is where the window begins
  std::vector<shm::HistogramSnapshot> base_;    // at the reset; empty: since creation
  std::uint64_t duty_base_{0};                  // the page's own record at the reset
  std::optional<std::int64_t> longest_age_ns_;  // of a heartbeat that was met here since
};

}  // namespace sluice::top
