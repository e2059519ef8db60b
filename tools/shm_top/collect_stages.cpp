#include "tools/shm_top/collect_stages.hpp"

#include <algorithm>
#include <iterator>

#include "common/base/error.hpp"
#include "common/messages/hops.hpp"
#include "common/messages/rows.hpp"
#include "shm/role.hpp"
#include "tools/shm_top/attach_trouble.hpp"
#include "tools/shm_top/text.hpp"
#include "tools/shm_top/window.hpp"

namespace sluice::top {
namespace {

enum class Any : std::uint32_t {};  // a metric by its place in the page's own table

constexpr std::int64_t kHungNs = 5 * kNanosPerSecond;        // as `sluicectl up` has it
constexpr std::int64_t kClockSlackNs = 2 * kNanosPerSecond;  // /proc tells starts to the second

// Without the right to look at the locks: the page's pid, unless that process began after the
// page's last heartbeat, for then the number was given to another.
Life life_by_pid(const shm::StageView& view) {
  const auto process = read_process(view.pid());
  return process && process->started.ns - kClockSlackNs < view.heartbeat_ns().ns ? Life::kAlive
                                                                                 : Life::kGone;
}

Life life_of(const shm::Instance& instance, const shm::StageView& view, std::int64_t& pid) {
  try {
    const auto holder = shm::RoleLock::holder(instance.dir(), view.stage());
    if (!holder)
      return Life::kGone;
    if (holder->pid != 0 && !holder->alive)
      return Life::kLockLeftInChild;
    if (holder->pid != 0)
      pid = holder->pid;
    return Life::kAlive;
  } catch (const Error&) {
    return life_by_pid(view);
  }
}

StageCondition condition_of(const shm::StageView& view, Life life, std::int64_t age_ns) {
  if (!view.state_known() || view.writer_hostile())
    return StageCondition::kUnreadable;
  if (view.pid() == 0 && life == Life::kGone)
    return StageCondition::kNotStarted;
  const shm::StageState state = view.state();
  if (life != Life::kAlive) {
    if (state == shm::StageState::kStopped)
      return StageCondition::kStopped;
    return state == shm::StageState::kFailed ? StageCondition::kFailed : StageCondition::kDead;
  }
  if (age_ns > kHungNs &&
      (state == shm::StageState::kStarting || state == shm::StageState::kRecovering ||
       state == shm::StageState::kLive || state == shm::StageState::kDraining))
    return StageCondition::kHung;
  switch (state) {
    case shm::StageState::kStarting:
    case shm::StageState::kStopped:  // the lock is taken before the page is written
      return StageCondition::kStarting;
    case shm::StageState::kRecovering:
      return StageCondition::kRecovering;
    case shm::StageState::kLive:
      return StageCondition::kLive;
    case shm::StageState::kDraining:
      return StageCondition::kDraining;
    case shm::StageState::kFailed:
      return StageCondition::kFailed;
  }
  return StageCondition::kUnreadable;
}

Spread spread_of(const shm::HistogramSnapshot& histogram) {
  return {.count = histogram.count(),
          .p50 = histogram.percentile(0.5),
          .p99 = histogram.percentile(0.99),
          .p999 = histogram.percentile(0.999),
          .max = histogram.max};
}

std::optional<std::size_t> hop_place(std::string_view name) {
  const auto* const found = std::find(std::begin(kAllHops), std::end(kAllHops), name);
  if (found == std::end(kAllHops))
    return std::nullopt;
  return static_cast<std::size_t>(found - std::begin(kAllHops));
}

double share_of(std::uint64_t part, std::uint64_t whole) {
  return std::min(1.0, static_cast<double>(part) / static_cast<double>(whole));
}

}  // namespace

void StageSource::attach(const shm::Instance& instance) {
  try {
    view_.emplace(instance, name_);
    trouble_.clear();
    find_histograms();
  } catch (const Error& error) {
    trouble_ = attach_trouble(instance.dir(), error);
  }
}

void StageSource::find_histograms() {
  histograms_.clear();
  for (std::uint32_t i = 0; i < view_->metrics().size(); ++i) {
    if (view_->metrics()[i].kind == shm::MetricKind::kHistogram)
      histograms_.push_back(i);
  }
}

StageFacts StageSource::facts(const shm::Instance& instance) {
  StageFacts out;
  out.name = printable(name_);
  out.trouble = trouble_;
  if (!view_)
    return out;
  const shm::StageView& view = *view_;
  out.pid = view.pid();
  const Life life = life_of(instance, view, out.pid);
  process_ = life == Life::kAlive ? read_process(out.pid) : std::nullopt;
  if (view.pid() != 0)
    out.heartbeat_age_ns = age_ns(instance.now(), view.heartbeat_ns());
  out.condition = condition_of(view, life, out.heartbeat_age_ns.value_or(0));
  if (view.writer_hostile()) {
    out.trouble = "its page was cut short";
  } else if (!view.state_known()) {
    out.trouble = "its page holds a state that no stage writes";
  } else if (life == Life::kLockLeftInChild) {
    out.trouble = "dead, but a child still has its lock open";
  }
  out.incarnation = view.incarnation();
  out.restarts = view.starts() > 1 ? view.starts() - 1 : 0;
  out.tripped = view.trip(shm::kTripScopeEverything) != 0;
  add_longest(life, out);
  if (process_) {
    out.core = process_->core;
    out.affinity = process_->affinity;
  }
  return out;
}

// The page's own record is since its creation: after a reset it tells something only once it is
// beaten. Until then there are the ages that were met here: each is of a heartbeat that had no
// successor yet, so the time between the two was at least that long.
void StageSource::add_longest(Life life, StageFacts& out) {
  const std::uint64_t record = view_->duty_max_ns();
  // A process that took the role and has not written the page yet is not its predecessor's silence.
  const bool beats = life == Life::kAlive && out.condition != StageCondition::kUnreadable &&
                     view_->pid() == out.pid;
  if (beats && out.heartbeat_age_ns)
    longest_age_ns_ = std::max(longest_age_ns_.value_or(0), *out.heartbeat_age_ns);
  if (record > duty_base_) {
    out.duty_ns = static_cast<std::int64_t>(std::min<std::uint64_t>(record, INT64_MAX));
    return;
  }
  out.duty_ns = longest_age_ns_;
  out.duty_at_least = longest_age_ns_.has_value();
}

StageSource::Sample StageSource::sample(MonoNanos now) const {
  Sample out{.at = now,
             .loop_ns = view_->loop_ns(),
             .busy_ns = view_->busy_ns(),
             .process = process_,
             .histograms = {}};
  out.histograms.reserve(histograms_.size());
  for (const std::uint32_t i : histograms_)
    out.histograms.push_back(view_->histogram(static_cast<Any>(i)));
  return out;
}

void StageSource::add_rates(StageFacts& out, const Sample& earlier, const Sample& latest) const {
  if (latest.loop_ns > earlier.loop_ns && latest.busy_ns >= earlier.busy_ns)
    out.busy = share_of(latest.busy_ns - earlier.busy_ns, latest.loop_ns - earlier.loop_ns);
  const bool same = latest.process && earlier.process &&
                    latest.process->start_ticks == earlier.process->start_ticks;
  if (same && latest.at > earlier.at && latest.process->cpu_ns >= earlier.process->cpu_ns)
    out.cpu = static_cast<double>(latest.process->cpu_ns - earlier.process->cpu_ns) /
              static_cast<double>(latest.at.ns - earlier.at.ns);
}

void StageSource::add_latencies(const Sample* earlier, const Sample& latest,
                                Snapshot& snapshot) const {
  for (std::size_t i = 0; i < histograms_.size(); ++i) {
    const shm::HistogramSnapshot& all = latest.histograms[i];
    LatencyFacts facts;
    const std::string& name = view_->metrics()[histograms_[i]].name;
    facts.name = printable(name);
    facts.stage = printable(name_);
    facts.hop = hop_place(name);
    facts.since = spread_of(base_.empty() ? all : all.since(base_[i]));
    if (earlier != nullptr)
      facts.last = spread_of(all.since(earlier->histograms[i]));
    snapshot.latencies.push_back(std::move(facts));
  }
}

void StageSource::add_errors(MonoNanos now, Snapshot& snapshot) const {
  for (const shm::ErrorLine& line : view_->errors()) {
    snapshot.errors.push_back({.stage = printable(name_),
                               .code = line.code,
                               .count = line.count,
                               .first_age_ns = age_ns(now, line.first_ns),
                               .last_age_ns = age_ns(now, line.last_ns),
                               .text = printable(line.text)});
  }
  snapshot.errors_lost += view_->errors_lost();
}

void StageSource::collect(const shm::Instance& instance, MonoNanos now, MonoNanos window_from,
                          Snapshot& snapshot) {
  if (!view_)
    attach(instance);
  StageFacts out = facts(instance);
  if (view_) {
    Sample latest = sample(now);
    keep_window(samples_, window_from);
    const Sample* const earlier = samples_.empty() ? nullptr : &samples_.front();
    if (earlier != nullptr)
      add_rates(out, *earlier, latest);
    add_latencies(earlier, latest, snapshot);
    add_errors(now, snapshot);
    samples_.push_back(std::move(latest));
  }
  snapshot.stages.push_back(std::move(out));
}

void StageSource::reset_maxima() {
  if (!view_)
    return;
  duty_base_ = view_->duty_max_ns();
  longest_age_ns_.reset();
  base_.clear();
  for (const std::uint32_t i : histograms_)
    base_.push_back(view_->histogram(static_cast<Any>(i)));
}

}  // namespace sluice::top
