#include "tools/shm_top/collector.hpp"

#include <algorithm>
#include <deque>

#include "common/base/error.hpp"
#include "shm/layout.hpp"
#include "tools/shm_top/collect_rings.hpp"
#include "tools/shm_top/collect_stages.hpp"
#include "tools/shm_top/collect_trading.hpp"
#include "tools/shm_top/text.hpp"
#include "tools/shm_top/window.hpp"

namespace sluice::top {

const char* to_string(StageCondition condition) noexcept {
  switch (condition) {
    case StageCondition::kUnreadable:
      return "unreadable";
    case StageCondition::kNotStarted:
      return "not started";
    case StageCondition::kStarting:
      return "starting";
    case StageCondition::kRecovering:
      return "recovering";
    case StageCondition::kLive:
      return "live";
    case StageCondition::kHung:
      return "hung";
    case StageCondition::kDraining:
      return "draining";
    case StageCondition::kStopped:
      return "stopped";
    case StageCondition::kFailed:
      return "failed";
    case StageCondition::kDead:
      return "dead";
  }
  return "?";
}

bool is_alarming(StageCondition condition) noexcept {
  return condition == StageCondition::kUnreadable || condition == StageCondition::kHung ||
         condition == StageCondition::kFailed || condition == StageCondition::kDead;
}

// One layout, from its attach until it is replaced.
class Collector::Attached {
 public:
  explicit Attached(const std::string& dir)
      : instance_(shm::Instance::attach(dir, std::chrono::milliseconds(0))),
        names_(shm::segment_names(dir)),
        trading_(instance_, names_.boards) {
    for (const std::string& name : names_.stages)
      stages_.emplace_back(name);
    for (const std::string& name : names_.rings)
      rings_.emplace_back(name);
  }

  [[nodiscard]] bool current() const noexcept { return instance_.still_current(); }

  void collect(Snapshot& out) {
    const MonoNanos now = instance_.now();
    const MonoNanos from{now.ns - kWindowNs};
    out.instance = printable(instance_.name());
    out.generation = instance_.generation();
    out.now = now;
    keep_window(taken_, from);
    if (!taken_.empty())
      out.window_ns = now.ns - taken_.front().at.ns;
    taken_.push_back({now});
    if (reset_at_.ns != 0)
      out.reset_age_ns = now.ns - reset_at_.ns;
    for (StageSource& stage : stages_)
      stage.collect(instance_, now, from, out);
    for (RingSource& ring : rings_)
      out.rings.push_back(ring.collect(instance_, now, from));
    std::vector<const shm::StageView*> views;
    for (const StageSource& stage : stages_) {
      if (stage.view() != nullptr)
        views.push_back(stage.view());
    }
    trading_.collect(now, views, out);
  }

  void reset_maxima() {
    reset_at_ = instance_.now();
    for (StageSource& stage : stages_)
      stage.reset_maxima();
    for (RingSource& ring : rings_)
      ring.reset_maxima();
  }

 private:
  struct Taken {
    MonoNanos at{};
  };

  shm::Instance instance_;
  shm::SegmentNames names_;
  TradingSource trading_;
  std::deque<StageSource> stages_;
  std::deque<RingSource> rings_;
  std::deque<Taken> taken_;
  MonoNanos reset_at_{};
};

Collector::Collector(std::string dir) : dir_(std::move(dir)) {}
Collector::~Collector() = default;

Snapshot Collector::collect() {
  Snapshot out;
  out.dir = printable(dir_);
  if (attached_ && !attached_->current())
    attached_.reset();
  try {
    if (!attached_)
      attached_ = std::make_unique<Attached>(dir_);
    attached_->collect(out);
  } catch (const Error& error) {
    attached_.reset();
    out = Snapshot{};
    out.dir = printable(dir_);
    out.problem = printable(error.what());
  }
  return out;
}

void Collector::reset_maxima() {
  if (attached_)
    attached_->reset_maxima();
}

}  // namespace sluice::top
