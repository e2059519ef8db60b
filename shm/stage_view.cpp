#include <algorithm>
#include <chrono>
#include <cstring>

#include "shm/stage_format.hpp"
#include "shm/stage_page.hpp"

namespace sluice::shm {

StageView::StageView(const Instance& instance, const std::string& stage)
    : stage_(stage),
      segment_(attach_segment(
          instance, stage_file(stage),
          {.kind = SegmentKind::kStagePage, .name = stage, .min_bytes = kMetricEntriesOffset},
          Region::Access::kReadOnly)),
      words_(segment_.region.at<const StageWords>(kStageWordsOffset)) {
  read_table();
}

StageView::StageView(const std::string& dir, const std::string& stage)
    : StageView(Instance::attach(dir, std::chrono::milliseconds{0}), stage) {}

// The page's owner may have spoilt the table: what does not lie inside the file is left out.
void StageView::read_table() {
  const std::size_t size = segment_.region.size();
  const std::uint64_t count = std::min<std::uint64_t>(
      {segment_.header.elements, kMaxMetrics, (size - kMetricEntriesOffset) / sizeof(MetricEntry)});
  for (std::uint64_t i = 0; i < count; ++i) {
    auto entry = copy_shared<MetricEntry>(
        segment_.region.at<const StdAtomics::Word>(kMetricEntriesOffset + i * sizeof(MetricEntry)));
    entry.name.back() = '\0';
    entry.unit.back() = '\0';
    const bool known = entry.kind >= static_cast<std::uint64_t>(MetricKind::kCounter) &&
                       entry.kind <= static_cast<std::uint64_t>(MetricKind::kHistogram);
    const MetricKind kind = known ? static_cast<MetricKind>(entry.kind) : MetricKind::kCounter;
    const bool inside = known && entry.value_offset % sizeof(StdAtomics::Word) == 0 &&
                        entry.value_offset <= size &&
                        metric_block_bytes(kind) <= size - entry.value_offset;
    metrics_.push_back({entry.name.data(), entry.unit.data(), kind});
    values_.push_back(inside ? segment_.region.at<const StdAtomics::Word>(entry.value_offset)
                             : nullptr);
  }
}

namespace {
bool is_state(std::uint64_t word) noexcept {
  return word >= static_cast<std::uint64_t>(StageState::kStarting) &&
         word <= static_cast<std::uint64_t>(StageState::kFailed);
}
}  // namespace

// acquire, for all words that others act on: pairs with the releases in StagePage.
StageState StageView::state() const noexcept {
  const std::uint64_t state = StdAtomics::load_acquire(words_->state);
  return is_state(state) ? static_cast<StageState>(state) : StageState::kFailed;
}

bool StageView::state_known() const noexcept {
  return is_state(StdAtomics::load_acquire(words_->state));
}

MonoNanos StageView::heartbeat_ns() const noexcept {
  return {static_cast<std::int64_t>(StdAtomics::load_acquire(words_->heartbeat_ns))};
}

std::int64_t StageView::pid() const noexcept {
  return static_cast<std::int64_t>(StdAtomics::load_relaxed(words_->pid));
}

std::uint32_t StageView::incarnation() const noexcept {
  return static_cast<std::uint32_t>(StdAtomics::load_acquire(words_->incarnation));
}

std::uint64_t StageView::trip(std::uint32_t scope) const noexcept {
  return scope < kTripScopes ? StdAtomics::load_acquire(words_->trips[scope]) : ~std::uint64_t{0};
}

bool StageView::tripped(std::uint32_t scope) const noexcept {
  // The mark last: zeros of a truncated file are read before it can be seen.
  return trip(kTripScopeEverything) != 0 || trip(scope) != 0 || segment_.region.hostile();
}

std::uint64_t StageView::mark(std::uint32_t i) const noexcept {
  return i < kStageMarks ? StdAtomics::load_acquire(words_->marks[i]) : 0;
}

std::uint64_t StageView::duty_max_ns() const noexcept {
  return StdAtomics::load_relaxed(words_->duty_max_ns);
}

// relaxed, these three: numbers for people; nothing is ordered by them.
std::uint64_t StageView::starts() const noexcept {
  return StdAtomics::load_relaxed(words_->starts);
}
std::uint64_t StageView::loop_ns() const noexcept {
  return StdAtomics::load_relaxed(words_->loop_ns);
}
std::uint64_t StageView::busy_ns() const noexcept {
  return StdAtomics::load_relaxed(words_->busy_ns);
}

std::uint64_t StageView::errors_lost() const noexcept {
  return StdAtomics::load_relaxed(words_->errors_lost);
}

std::uint32_t StageView::find(std::string_view name) const noexcept {
  const auto found = std::find_if(metrics_.begin(), metrics_.end(),
                                  [&](const MetricLine& metric) { return metric.name == name; });
  return static_cast<std::uint32_t>(found - metrics_.begin());
}

std::uint64_t StageView::value_at(std::uint32_t id) const noexcept {
  return id < values_.size() && values_[id] != nullptr ? StdAtomics::load_relaxed(*values_[id]) : 0;
}

HistogramSnapshot StageView::histogram_at(std::uint32_t id) const {
  HistogramSnapshot copy;
  if (id >= values_.size() || values_[id] == nullptr || metrics_[id].kind != MetricKind::kHistogram)
    return copy;
  const auto word = [&](HistogramWord which) {
    return StdAtomics::load_relaxed(values_[id][static_cast<std::uint32_t>(which)]);
  };
  copy.sum = word(HistogramWord::kSum);
  copy.overflow = word(HistogramWord::kOverflow);
  copy.negative = word(HistogramWord::kNegative);
  const StdAtomics::Word* const buckets =
      values_[id] + static_cast<std::uint32_t>(HistogramWord::kFirstBucket);
  for (std::uint32_t i = 0; i < kBuckets; ++i)
    copy.buckets[i] = StdAtomics::load_relaxed(buckets[i]);
  copy.max = word(HistogramWord::kMax);  // last: never below a value that is already in a bucket
  return copy;
}

std::vector<ErrorLine> StageView::errors() const {
  std::vector<ErrorLine> lines;
  for (const ErrorWords& words : words_->errors) {
    // acquire: pairs with the release in describe_error(). A line that its writer died in is left
    // out until the error is met again.
    if (StdAtomics::load_acquire(words.ready) == 0)
      continue;
    std::array<std::uint64_t, kErrorTextBytes / 8> text;
    for (std::size_t i = 0; i < text.size(); ++i)
      text[i] = StdAtomics::load_relaxed(words.text[i]);
    std::array<char, kErrorTextBytes + 1> chars{};
    std::memcpy(chars.data(), text.data(), kErrorTextBytes);
    lines.push_back(
        {.code = static_cast<std::uint32_t>(StdAtomics::load_relaxed(words.code)),
         .count = StdAtomics::load_relaxed(words.count),
         .first_ns = {static_cast<std::int64_t>(StdAtomics::load_relaxed(words.first_ns))},
         .last_ns = {static_cast<std::int64_t>(StdAtomics::load_relaxed(words.last_ns))},
         .text = chars.data()});
  }
  return lines;
}

}  // namespace sluice::shm
