#include <fmt/format.h>

#include <array>
#include <map>
#include <nlohmann/json.hpp>

#include "common/describe/records.hpp"
#include "common/messages/words.hpp"
#include "common/storage/tap_journal.hpp"
#include "tools/journal/commands.hpp"

namespace sluice::journal_tool {
namespace {

using Json = nlohmann::ordered_json;
using Counts = std::map<std::string, std::uint64_t>;

struct Totals {
  std::uint64_t taps{0};
  std::uint64_t market_events{0};
  std::uint64_t lost{0};
  std::int64_t first_ns{0};
  std::int64_t last_ns{0};
  Counts by_type;
  Counts by_ring;
  Counts market_kinds;
  Counts executions;
  Counts refusals;
};

void count_tap(const Tap& tap, const std::string& ring, Totals& totals) {
  ++totals.taps;
  ++totals.by_type[name_of(tap.type)];
  ++totals.by_ring[ring];
  if (tap.now_ns.ns > 0) {
    if (totals.first_ns == 0 || tap.now_ns.ns < totals.first_ns)
      totals.first_ns = tap.now_ns.ns;
    totals.last_ns = std::max(totals.last_ns, tap.now_ns.ns);
  }
  switch (tap.type) {
    case TapType::kMarketEvents:
      for (const MarketEvent& event : tap.body_as<std::array<MarketEvent, kMarketEventsPerTap>>()) {
        if (event.kind == MarketKind::kNone)
          continue;
        ++totals.market_events;
        ++totals.market_kinds[name_of(event.kind)];
      }
      break;
    case TapType::kExecution: {
      const auto execution = tap.body_as<Execution>();
      ++totals.executions[words::of(execution.kind)];
      if (execution.kind == ExecutionKind::kRefused)
        ++totals.refusals[to_string(execution.reason)];
      break;
    }
    case TapType::kVerdict: {
      const auto verdict = tap.body_as<Verdict>();
      if (verdict.decision == Decision::kRefused)
        ++totals.refusals[to_string(verdict.reason)];
      break;
    }
    case TapType::kGap:
      totals.lost += tap.body_as<GapRecord>().lost;
      break;
    default:
      break;
  }
}

void print_counts(std::FILE* out, const char* title, const Counts& counts) {
  if (counts.empty())
    return;
  fmt::print(out, "{}\n", title);
  for (const auto& [name, count] : counts)
    fmt::print(out, "  {:<28} {:>12}\n", name, count);
}

}  // namespace

int stat(const StatOptions& options, std::FILE* out) {
  JournalReader reader = open_journal(options.dir);
  std::vector<std::string> rings;
  Totals totals;
  for (RecordView record; reader.next(record);) {
    if (record.type == RecordType::kTapCheckpoint) {
      if (const auto checkpoint = TapCheckpoint::decode(record.payload))
        rings = checkpoint->rings;
    } else if (const auto tap = tap_of(record)) {
      count_tap(*tap, ring_name(rings, tap->ring), totals);
    }
  }
  std::uint64_t bytes = 0;
  for (const SegmentInfo& info : reader.segments())
    bytes += info.file_bytes;
  const std::int64_t span_ns = totals.last_ns - totals.first_ns;
  if (options.json) {
    const Json json{
        {"dir", options.dir},
        {"segments", reader.segments().size()},
        {"bytes", bytes},
        {"last_position", reader.end().last_position},
        {"taps", totals.taps},
        {"lost", totals.lost},
        {"first_time", totals.first_ns == 0 ? "" : to_string(MonoNanos{totals.first_ns})},
        {"last_time", totals.last_ns == 0 ? "" : to_string(MonoNanos{totals.last_ns})},
        {"types", totals.by_type},
        {"rings", totals.by_ring},
        {"market_events", totals.market_kinds},
        {"executions", totals.executions},
        {"refusals", totals.refusals}};
    fmt::print(out, "{}\n", json.dump());
    return reader.damaged() ? 1 : 0;
  }
  fmt::print(out, "{}: {} segments, {} bytes, {} taps, {} market events, {} lost\n", options.dir,
             reader.segments().size(), bytes, totals.taps, totals.market_events, totals.lost);
  if (totals.first_ns != 0) {
    fmt::print(out, "from {} to {} ({}.{:03} s)\n", to_string(MonoNanos{totals.first_ns}),
               to_string(MonoNanos{totals.last_ns}), span_ns / kNanosPerSecond,
               span_ns % kNanosPerSecond / kNanosPerMilli);
  }
  print_counts(out, "taps by type", totals.by_type);
  print_counts(out, "taps by ring", totals.by_ring);
  print_counts(out, "market events", totals.market_kinds);
  print_counts(out, "executions", totals.executions);
  print_counts(out, "refusals by reason", totals.refusals);
  for (const Finding& finding : reader.findings()) {
    if (finding.kind != FindingKind::kNote)
      fmt::print(stderr, "{}\n", describe(finding));
  }
  return reader.damaged() ? 1 : 0;
}

}  // namespace sluice::journal_tool
