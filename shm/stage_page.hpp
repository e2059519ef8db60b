// StagePage: what one process tells all others: liveness, trip words, marks, metrics, errors.
//
// File `stage.<name>`, written by the process that holds the stage's role, read by anybody, also
// after the writer died. Invariants:
//  1. Each counter, gauge and histogram is written by one thread of the process (different metrics
//     may be by different threads): a plain load and store, no lock prefix. error() may be called
//     by any.
//  2. Everything is written by single 64-bit words, so a reader never sees half a number.
//  3. The table of metrics stands in the page itself: a tool reads the dead without their binary.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.hpp"
#include "shm/instance.hpp"
#include "shm/metrics.hpp"
#include "shm/operator_trip.hpp"
#include "shm/ring_core.hpp"
#include "shm/stage_format.hpp"

namespace sluice::shm {

class StagePage {
 public:
  // Requires that this process holds the role `stage`, and that the page was made for `metrics`.
  // Counts the start; writes pid and state kStarting; trip words, marks, counters and errors stand
  // as the last incarnation left them.
  StagePage(const Instance& instance, const std::string& stage, const MetricTable& metrics);

  void beat(MonoNanos now) noexcept;
  void set_state(StageState state) noexcept;
  void set_incarnation(std::uint32_t incarnation) noexcept;
  // This process's own kill word for the scope (< kTripScopes); 0 clears.
  void set_trip(std::uint32_t scope, std::uint64_t word) noexcept;
  // Processed up to (i < kStageMarks); readers that see the mark also see what was stored before
  // it.
  void set_mark(std::uint32_t i, std::uint64_t value) noexcept;
  // While a stage re-executes what it did before, its metrics stand: they were counted then.
  // Liveness, trips, marks and errors are written all the same.
  void set_quiet(bool quiet) noexcept { quiet_ = quiet; }
  // The longest turn of the loop so far.
  void note_duty(std::uint64_t loop_ns) noexcept;
  // Since the last call the loop ran for `loop_ns`; `busy_ns` of it in turns that found work.
  void add_loop_time(std::uint64_t loop_ns, std::uint64_t busy_ns) noexcept;

  template <class Enum>
  void add(Enum id, std::uint64_t n) noexcept {
    add_at(static_cast<std::uint32_t>(id), n);
  }
  template <class Enum>
  void set(Enum id, std::int64_t value) noexcept {
    set_at(static_cast<std::uint32_t>(id), value);
  }
  // A negative value is counted apart, not recorded.
  template <class Enum>
  void record(Enum id, std::int64_t value_ns) noexcept {
    record_at(static_cast<std::uint32_t>(id), value_ns);
  }

  // Counts a distinct (code, text); any thread; text beyond kErrorTextBytes is cut. When the table
  // is full, only errors_lost grows.
  void error(std::uint32_t code, std::string_view text, MonoNanos now) noexcept;

  // Our own file was cut short: nobody sees us beat or trip any more. A reason to stop.
  [[nodiscard]] bool own_file_lost() const noexcept { return segment_.region.hostile(); }

 private:
  void add_at(std::uint32_t id, std::uint64_t n) noexcept;
  void set_at(std::uint32_t id, std::int64_t value) noexcept;
  void record_at(std::uint32_t id, std::int64_t value_ns) noexcept;

  struct Value {
    StdAtomics::Word* words;
    MetricKind kind;
  };
  [[nodiscard]] StdAtomics::Word* value(std::uint32_t id, MetricKind kind) noexcept;

  Segment segment_;
  StageWords* words_;
  std::vector<Value> values_;  // of each metric
  bool quiet_{false};
};

// A metric as its page describes it.
struct MetricLine {
  std::string name;
  std::string unit;
  MetricKind kind{MetricKind::kCounter};
};

struct ErrorLine {
  std::uint32_t code{0};
  std::uint64_t count{0};
  MonoNanos first_ns{};
  MonoNanos last_ns{};
  std::string text;
};

class StageView {
 public:
  StageView(const Instance& instance, const std::string& stage);
  StageView(const std::string& dir, const std::string& stage);

  [[nodiscard]] const std::string& stage() const noexcept { return stage_; }
  [[nodiscard]] StageState state() const noexcept;  // kStopped when never started
  [[nodiscard]] bool state_known() const noexcept;  // false: garbage, which state() calls kFailed
  [[nodiscard]] MonoNanos heartbeat_ns() const noexcept;
  [[nodiscard]] std::int64_t pid() const noexcept;
  [[nodiscard]] std::uint32_t incarnation() const noexcept;
  [[nodiscard]] std::uint64_t trip(std::uint32_t scope) const noexcept;  // own word of the scope
  // The scope's word or the one for everything is set; also for a scope that does not exist or a
  // page that was cut short.
  [[nodiscard]] bool tripped(std::uint32_t scope) const noexcept;
  [[nodiscard]] std::uint64_t mark(std::uint32_t i) const noexcept;
  [[nodiscard]] std::uint64_t duty_max_ns() const noexcept;
  [[nodiscard]] std::uint64_t starts() const noexcept;   // since the page's creation
  [[nodiscard]] std::uint64_t loop_ns() const noexcept;  // as add_loop_time() summed it
  [[nodiscard]] std::uint64_t busy_ns() const noexcept;

  [[nodiscard]] const std::vector<MetricLine>& metrics() const noexcept { return metrics_; }
  template <class Enum>
  [[nodiscard]] std::uint64_t counter(Enum id) const noexcept {
    return value_at(static_cast<std::uint32_t>(id));
  }
  template <class Enum>
  [[nodiscard]] std::int64_t gauge(Enum id) const noexcept {
    return static_cast<std::int64_t>(value_at(static_cast<std::uint32_t>(id)));
  }
  template <class Enum>
  [[nodiscard]] HistogramSnapshot histogram(Enum id) const {
    return histogram_at(static_cast<std::uint32_t>(id));
  }
  // Index of a metric by its name; metrics().size() when there is none.
  [[nodiscard]] std::uint32_t find(std::string_view name) const noexcept;
  [[nodiscard]] std::vector<ErrorLine> errors() const;
  [[nodiscard]] std::uint64_t errors_lost() const noexcept;
  [[nodiscard]] bool writer_hostile() const noexcept { return segment_.region.hostile(); }

 private:
  void read_table();
  [[nodiscard]] std::uint64_t value_at(std::uint32_t id) const noexcept;  // 0 for an unknown id
  [[nodiscard]] HistogramSnapshot histogram_at(std::uint32_t id) const;

  std::string stage_;
  Segment segment_;
  const StageWords* words_;
  std::vector<MetricLine> metrics_;
  std::vector<const StdAtomics::Word*> values_;  // of each metric
};

}  // namespace sluice::shm
