// The bytes of a stage page behind its header. See stage_page.hpp for who writes and reads them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "shm/atomics.hpp"
#include "shm/metrics.hpp"
#include "shm/operator_trip.hpp"
#include "shm/segment.hpp"

namespace sluice::shm {

enum class StageState : std::uint32_t {
  kStarting = 1,
  kRecovering,
  kLive,  // the only state that counts as alive
  kDraining,
  kStopped,
  kFailed,
};
[[nodiscard]] const char* to_string(StageState state) noexcept;

inline constexpr std::uint32_t kStageMarks = 64;
inline constexpr std::uint32_t kErrorLines = 32;
inline constexpr std::size_t kErrorTextBytes = 96;

// One distinct error. `key` is claimed first by whoever meets it (compare-and-swap from 0), `ready`
// is stored after the text.
struct ErrorWords {
  StdAtomics::Word key;  // hash of code and text, never 0
  StdAtomics::Word ready;
  StdAtomics::Word code;
  StdAtomics::Word count;
  StdAtomics::Word first_ns;
  StdAtomics::Word last_ns;
  std::array<StdAtomics::Word, kErrorTextBytes / 8> text;
};
static_assert(sizeof(ErrorWords) == 144, "bump kLayoutVersion");

struct StageWords {
  // Liveness: one line, written at every heartbeat.
  alignas(kCacheLine) StdAtomics::Word heartbeat_ns;
  StdAtomics::Word state;
  StdAtomics::Word pid;
  StdAtomics::Word incarnation;
  StdAtomics::Word duty_max_ns;
  StdAtomics::Word errors_lost;
  StdAtomics::Word metric_count;
  StdAtomics::Word starts;  // processes that attached this page since its creation
  // The loop's time, written at every heartbeat; sums over all starts.
  alignas(kCacheLine) StdAtomics::Word loop_ns;  // between heartbeats
  StdAtomics::Word busy_ns;                      // of it, in turns that found work
  std::array<StdAtomics::Word, 6> reserved;
  alignas(kCacheLine) std::array<StdAtomics::Word, kTripScopes> trips;
  alignas(kCacheLine) std::array<StdAtomics::Word, kStageMarks> marks;
  alignas(kCacheLine) std::array<ErrorWords, kErrorLines> errors;
};
static_assert(offsetof(StageWords, trips) == 128, "bump kLayoutVersion");
static_assert(offsetof(StageWords, marks) == 1152, "bump kLayoutVersion");
static_assert(offsetof(StageWords, errors) == 1664, "bump kLayoutVersion");
static_assert(sizeof(StageWords) == 6272, "bump kLayoutVersion");

// One metric as described in the page; written at creation, constant afterwards.
struct MetricEntry {
  std::array<char, kMetricNameBytes + 1> name;
  std::array<char, kMetricUnitBytes + 1> unit;
  std::uint64_t kind;
  std::uint64_t value_offset;  // from the start of the file
};
static_assert(sizeof(MetricEntry) == kCacheLine, "bump kLayoutVersion");

inline constexpr std::size_t kStageWordsOffset = kHeaderBytes;
inline constexpr std::size_t kMetricEntriesOffset = kStageWordsOffset + sizeof(StageWords);
inline constexpr std::size_t kMaxMetrics = 1024;

// Each metric has cache lines of its own: different threads may write different metrics.
[[nodiscard]] constexpr std::size_t metric_block_bytes(MetricKind kind) noexcept {
  const std::size_t words = kind == MetricKind::kHistogram ? kHistogramWords : 1;
  return (words * sizeof(StdAtomics::Word) + kCacheLine - 1) / kCacheLine * kCacheLine;
}
// Size of the page file for a table.
[[nodiscard]] std::size_t stage_page_bytes(const MetricTable& metrics) noexcept;
// Fills a new page; the region is zero and at least stage_page_bytes() long.
void describe_metrics(std::byte* page, const MetricTable& metrics) noexcept;

}  // namespace sluice::shm
