#include "tools/shm_top/collector.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "common/base/error.hpp"
#include "common/runtime/topology.hpp"
#include "shm/instance.hpp"
#include "shm/segment.hpp"
#include "tools/shm_top/collect_rings.hpp"
#include "tools/shm_top/collect_stages.hpp"
#include "tools/shm_top/collect_trading.hpp"
#include "tools/shm_top/expected_segments.hpp"
#include "tools/shm_top/text.hpp"
#include "tools/shm_top/window.hpp"

namespace sluice::top {

namespace {

// An attach says how long it waited for a layout. Here it never waits: the screen does.
std::string problem_of(const std::string& dir, const Error& error) {
  constexpr std::string_view kWaited = " after 0 ms";
  std::string text = printable(without_folder(dir, error.what()));
  if (const std::size_t at = text.find(kWaited); at != text.npos)
    text.erase(at, kWaited.size());
  return text;
}

}  // namespace

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
        files_(files_there(dir)),
        names_(expected_segments(dir)),
        trading_(instance_, names_) {
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
    add_removed(out.trading);
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

  // What is mapped stays readable when its file is removed, but whoever attaches from now on, an
  // operator who wants to kill among them, does not find it.
  void add_removed(TradingFacts& out) const {
    constexpr std::size_t kShown = 3;
    const std::set<std::string> there = files_there(instance_.dir());
    std::vector<std::string> gone;
    for (const std::string& file : files_) {
      if (!there.contains(file))
        gone.push_back(printable(file));
    }
    // When a layout is removed as a whole, its control segment goes first.
    if (gone.empty() || !instance_.still_current())
      return;
    const auto unread = [&](const std::string& by, const std::string& file) {
      const bool known =
          std::find(out.kills_unread.begin(), out.kills_unread.end(), by) != out.kills_unread.end();
      if (!known && std::find(gone.begin(), gone.end(), file) != gone.end())
        out.kills_unread.push_back(by);
    };
    unread(kOperatorRole, shm::operator_trip_file());
    unread(kRiskRole, shm::stage_file(kRiskRole));
    unread(kGatewayRole, shm::stage_file(kGatewayRole));
    const std::size_t more = gone.size() - std::min(gone.size(), kShown);
    gone.resize(gone.size() - more);
    out.trouble.push_back(fmt::format("removed: {}{}", fmt::join(gone, ", "),
                                      more == 0 ? "" : fmt::format(" and {} files more", more)));
  }

  shm::Instance instance_;
  std::set<std::string> files_;  // as they stood when this began
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
  if (attached_ && !attached_->current())
    attached_.reset();
  try {
    if (!attached_)
      attached_ = std::make_unique<Attached>(dir_);
    Snapshot out;
    out.dir = printable(dir_);
    attached_->collect(out);
    removed_at_.reset();
    last_ = out;
    return out;
  } catch (const Error& error) {
    attached_.reset();
    return without_layout(problem_of(dir_, error));
  }
}

Snapshot Collector::without_layout(std::string problem) {
  Snapshot out = last_.value_or(Snapshot{});
  out.dir = printable(dir_);
  out.problem = std::move(problem);
  if (!last_)
    return out;
  const Clock::time_point now = Clock::now();
  if (!removed_at_)
    removed_at_ = now;
  out.removed_age_ns = std::chrono::nanoseconds(now - *removed_at_).count();
  return out;
}

void Collector::reset_maxima() {
  if (attached_)
    attached_->reset_maxima();
}

}  // namespace sluice::top
