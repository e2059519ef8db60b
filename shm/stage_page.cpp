#include "shm/stage_page.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include "shm/stage_format.hpp"

namespace sluice::shm {
namespace {

StdAtomics::Word* histogram_word(StdAtomics::Word* words, HistogramWord word) noexcept {
  return words + static_cast<std::uint32_t>(word);
}

std::uint64_t error_key(std::uint32_t code, std::string_view text) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325 ^ code;  // FNV-1a, 64 bit
  for (const char c : text)
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash == 0 ? 1 : hash;  // 0 marks a free line
}

// Fills a claimed line. Several threads may do so at once, with the same code and text.
void describe_error(ErrorWords& line, std::uint32_t code, std::string_view text,
                    MonoNanos now) noexcept {
  std::array<std::uint64_t, kErrorTextBytes / 8> words{};
  std::memcpy(words.data(), text.data(), text.size());
  for (std::size_t i = 0; i < words.size(); ++i)
    StdAtomics::store_relaxed(line.text[i], words[i]);
  StdAtomics::store_relaxed(line.code, code);
  StdAtomics::store_relaxed(line.first_ns, static_cast<std::uint64_t>(now.ns));
  // release: pairs with the acquire in StageView::errors(); text and code stand before it.
  StdAtomics::store_release(line.ready, 1);
}

}  // namespace

const char* to_string(StageState state) noexcept {
  switch (state) {
    case StageState::kStarting:
      return "starting";
    case StageState::kRecovering:
      return "recovering";
    case StageState::kLive:
      return "live";
    case StageState::kDraining:
      return "draining";
    case StageState::kStopped:
      return "stopped";
    case StageState::kFailed:
      return "failed";
  }
  return "unknown state";
}

std::size_t stage_page_bytes(const MetricTable& metrics) noexcept {
  std::size_t bytes = kMetricEntriesOffset + metrics.rows().size() * sizeof(MetricEntry);
  for (const MetricDescription& metric : metrics.rows())
    bytes += metric_block_bytes(metric.kind);
  return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
}

void describe_metrics(std::byte* page, const MetricTable& metrics) noexcept {
  auto* const words = reinterpret_cast<StageWords*>(page + kStageWordsOffset);
  auto* const entries = reinterpret_cast<MetricEntry*>(page + kMetricEntriesOffset);
  std::size_t offset = kMetricEntriesOffset + metrics.rows().size() * sizeof(MetricEntry);
  for (std::size_t i = 0; i < metrics.rows().size(); ++i) {
    const MetricDescription& metric = metrics.rows()[i];
    std::copy(metric.name.begin(), metric.name.end(), entries[i].name.begin());
    std::copy(metric.unit.begin(), metric.unit.end(), entries[i].unit.begin());
    entries[i].kind = static_cast<std::uint64_t>(metric.kind);
    entries[i].value_offset = offset;
    offset += metric_block_bytes(metric.kind);
  }
  words->metric_count = metrics.rows().size();
  words->state = static_cast<std::uint64_t>(StageState::kStopped);
}

StagePage::StagePage(const Instance& instance, const std::string& stage, const MetricTable& metrics)
    : segment_(attach_segment(instance, stage_file(stage),
                              {.kind = SegmentKind::kStagePage,
                               .name = stage,
                               .schema_hash = metrics.hash(),
                               .elements = metrics.rows().size()},
                              Region::Access::kReadWrite)),
      words_(segment_.region.at<StageWords>(kStageWordsOffset)) {
  if (segment_.region.size() != stage_page_bytes(metrics))
    throw AttachError(AttachStatus::kWrongSize,
                      instance.dir() + '/' + stage_file(stage) + ": wrong size: the page has " +
                          std::to_string(segment_.region.size()) + " bytes, these metrics need " +
                          std::to_string(stage_page_bytes(metrics)) +
                          "; run 'sluicectl shm create'");
  // The places follow from the table, as describe_metrics() laid them out; nothing is taken on
  // trust.
  std::size_t offset = kMetricEntriesOffset + metrics.rows().size() * sizeof(MetricEntry);
  for (const MetricDescription& metric : metrics.rows()) {
    values_.push_back({segment_.region.at<StdAtomics::Word>(offset), metric.kind});
    offset += metric_block_bytes(metric.kind);
  }
  StdAtomics::store_relaxed(words_->pid, static_cast<std::uint64_t>(getpid()));
  add_own<StdAtomics>(words_->starts, 1);
  set_state(StageState::kStarting);
  beat(instance.now());
}

// release, for all words of this page that others act on: whoever sees a heartbeat, state, trip or
// mark also sees what this stage did before it. Pairs with the acquires in StageView.
void StagePage::beat(MonoNanos now) noexcept {
  StdAtomics::store_release(words_->heartbeat_ns, static_cast<std::uint64_t>(now.ns));
}

void StagePage::set_state(StageState state) noexcept {
  StdAtomics::store_release(words_->state, static_cast<std::uint64_t>(state));
}

void StagePage::set_incarnation(std::uint32_t incarnation) noexcept {
  StdAtomics::store_release(words_->incarnation, incarnation);
}

void StagePage::set_trip(std::uint32_t scope, std::uint64_t word) noexcept {
  SLUICE_ASSERT(scope < kTripScopes, "a trip that cannot be stored would be lost");
  StdAtomics::store_release(words_->trips[scope], word);
}

void StagePage::set_mark(std::uint32_t i, std::uint64_t value) noexcept {
  SLUICE_ASSERT(i < kStageMarks, "no such mark; raise kStageMarks");
  StdAtomics::store_release(words_->marks[i], value);
}

void StagePage::note_duty(std::uint64_t loop_ns) noexcept {
  raise_own<StdAtomics>(words_->duty_max_ns, loop_ns);
}

void StagePage::add_loop_time(std::uint64_t loop_ns, std::uint64_t busy_ns) noexcept {
  add_own<StdAtomics>(words_->loop_ns, loop_ns);
  add_own<StdAtomics>(words_->busy_ns, busy_ns);
}

StdAtomics::Word* StagePage::value(std::uint32_t id, MetricKind kind) noexcept {
  SLUICE_ASSERT(id < values_.size() && values_[id].kind == kind,
                "metric of another table, or used as another kind than its table says");
  return values_[id].words;
}

void StagePage::add_at(std::uint32_t id, std::uint64_t n) noexcept {
  StdAtomics::Word* const word = value(id, MetricKind::kCounter);
  if (!quiet_)
    add_own<StdAtomics>(*word, n);
}

void StagePage::set_at(std::uint32_t id, std::int64_t number) noexcept {
  StdAtomics::Word* const word = value(id, MetricKind::kGauge);
  // relaxed: a number for people; nothing is ordered by it.
  if (!quiet_)
    StdAtomics::store_relaxed(*word, static_cast<std::uint64_t>(number));
}

void StagePage::record_at(std::uint32_t id, std::int64_t value_ns) noexcept {
  StdAtomics::Word* const words = value(id, MetricKind::kHistogram);
  if (quiet_)
    return;
  if (value_ns < 0) {
    add_own<StdAtomics>(*histogram_word(words, HistogramWord::kNegative), 1);
    return;
  }
  const auto number = static_cast<std::uint64_t>(value_ns);
  add_own<StdAtomics>(*histogram_word(words, HistogramWord::kSum), number);
  raise_own<StdAtomics>(*histogram_word(words, HistogramWord::kMax), number);
  if (number >= kHistogramLimit) {
    add_own<StdAtomics>(*histogram_word(words, HistogramWord::kOverflow), 1);
  } else {
    add_own<StdAtomics>(*(histogram_word(words, HistogramWord::kFirstBucket) + bucket_of(number)),
                        1);
  }
}

void StagePage::error(std::uint32_t code, std::string_view text, MonoNanos now) noexcept {
  text = text.substr(0, kErrorTextBytes);
  const std::uint64_t key = error_key(code, text);
  for (ErrorWords& line : words_->errors) {
    std::uint64_t owner = 0;
    // relaxed: the key only says whose line it is; what is in it is published by `ready`.
    const bool claimed =
        std::atomic_ref(line.key).compare_exchange_strong(owner, key, std::memory_order_relaxed);
    if (!claimed && owner != key)
      continue;
    // relaxed: a line that is claimed and not ready may be one whose claimant died before it could
    // describe it, so whoever meets the error describes it: all store the same code and text.
    if (StdAtomics::load_relaxed(line.ready) == 0)
      describe_error(line, code, text, now);
    // relaxed: a count and a stamp for people; several threads may meet the same error.
    std::atomic_ref(line.count).fetch_add(1, std::memory_order_relaxed);
    StdAtomics::store_relaxed(line.last_ns, static_cast<std::uint64_t>(now.ns));
    return;
  }
  std::atomic_ref(words_->errors_lost).fetch_add(1, std::memory_order_relaxed);
}

}  // namespace sluice::shm
