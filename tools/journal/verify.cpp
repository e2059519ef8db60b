#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "common/storage/tap_journal.hpp"
#include "tools/journal/commands.hpp"

namespace sluice::journal_tool {
namespace {

using Json = nlohmann::ordered_json;

// The taps of one ring in one incarnation: sequences 1, 2, 3, …, each once, and gaps that say so.
struct RingTally {
  std::uint64_t taps{0};
  std::uint64_t first{0};
  std::uint64_t last{0};
  std::uint64_t gaps{0};
  std::uint64_t lost{0};
  std::uint64_t unexplained{0};  // jumps that no gap record explains
  std::uint64_t doubled{0};
};

struct Checked {
  std::map<std::pair<std::string, std::uint32_t>, RingTally> rings;  // by name and incarnation
  std::uint64_t records{0};
  std::uint64_t first_position{0};
  std::uint64_t undecodable{0};
};

void check_tap(const Tap& tap, std::uint16_t record_flags, RingTally& tally) {
  ++tally.taps;
  if (tally.first == 0)
    tally.first = tap.sequence;
  const bool noticed = tap.type == TapType::kGap && (record_flags & kMadeByJournal) != 0;
  const std::uint64_t lost = tap.type == TapType::kGap ? tap.body_as<GapRecord>().lost : 0;
  // A gap the journal noticed stands at the last lost sequence; one that a producer told is
  // numbered on.
  const std::uint64_t expected = noticed ? tally.last + lost : tally.last + 1;
  const bool starts_late = tally.taps == 1;  // older segments may have been removed
  if (tap.sequence <= tally.last) {
    ++tally.doubled;
  } else if (tap.sequence != expected && !starts_late) {
    ++tally.unexplained;
  }
  if (tap.type == TapType::kGap) {
    ++tally.gaps;
    tally.lost += lost;
  }
  tally.last = std::max(tally.last, tap.sequence);
}

Checked check_all(JournalReader& reader) {
  Checked checked;
  std::vector<std::string> rings;
  for (RecordView record; reader.next(record);) {
    ++checked.records;
    if (checked.first_position == 0)
      checked.first_position = record.position;
    if (record.type == RecordType::kTapCheckpoint) {
      if (const auto checkpoint = TapCheckpoint::decode(record.payload)) {
        rings = checkpoint->rings;
      } else {
        ++checked.undecodable;
      }
    } else if (const auto tap = tap_of(record)) {
      check_tap(*tap, record.flags, checked.rings[{ring_name(rings, tap->ring), tap->incarnation}]);
    } else {
      ++checked.undecodable;
    }
  }
  return checked;
}

struct Verdict {
  bool ok{true};
  std::uint64_t gaps{0};
  std::uint64_t lost{0};
};

Verdict judge(const JournalReader& reader, const Checked& checked, bool no_gaps) {
  Verdict verdict{.ok = !reader.damaged() && checked.undecodable == 0};
  for (const auto& [ring, tally] : checked.rings) {
    verdict.gaps += tally.gaps;
    verdict.lost += tally.lost;
    if (tally.unexplained != 0 || tally.doubled != 0)
      verdict.ok = false;
  }
  if (no_gaps && verdict.gaps != 0)
    verdict.ok = false;
  return verdict;
}

const char* state_of(const SegmentInfo& info) {
  if (!info.identity)
    return "unreadable";
  if (!info.activation)
    return "spare";
  return info.seal ? "sealed" : "open";
}

void print_json(std::FILE* out, const std::string& dir, const JournalReader& reader,
                const Checked& checked, const Verdict& verdict) {
  Json json{{"ok", verdict.ok},
            {"dir", dir},
            {"records", checked.records},
            {"first_position", checked.first_position},
            {"last_position", reader.end().last_position},
            {"durable_position", reader.durable_position()},
            {"gaps", verdict.gaps},
            {"lost", verdict.lost},
            {"segments", Json::array()},
            {"rings", Json::array()},
            {"findings", Json::array()}};
  for (const SegmentInfo& info : reader.segments()) {
    json["segments"].push_back({{"file", info.path},
                                {"bytes", info.file_bytes},
                                {"records", info.records},
                                {"last_position", info.last_position},
                                {"state", state_of(info)}});
  }
  for (const auto& [ring, tally] : checked.rings) {
    json["rings"].push_back({{"ring", ring.first},
                             {"incarnation", ring.second},
                             {"taps", tally.taps},
                             {"first_sequence", tally.first},
                             {"last_sequence", tally.last},
                             {"gaps", tally.gaps},
                             {"lost", tally.lost},
                             {"unexplained", tally.unexplained},
                             {"doubled", tally.doubled}});
  }
  for (const Finding& finding : reader.findings()) {
    json["findings"].push_back({{"kind", to_string(finding.kind)},
                                {"file", finding.file},
                                {"offset", finding.offset},
                                {"text", finding.text}});
  }
  fmt::print(out, "{}\n", json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

void print_text(std::FILE* out, const std::string& dir, const JournalReader& reader,
                const Checked& checked, const Verdict& verdict) {
  for (const SegmentInfo& info : reader.segments()) {
    if (info.identity) {
      fmt::print(out, "journal {} of instance {}, in {}\n", to_string(info.identity->journal_id),
                 info.identity->instance.data(), dir);
      break;
    }
  }
  fmt::print(out, "{:<24} {:>12} {:>10} {:>12}  {}\n", "segment", "bytes", "records", "last",
             "state");
  for (const SegmentInfo& info : reader.segments()) {
    fmt::print(out, "{:<24} {:>12} {:>10} {:>12}  {}\n", segment_name(info.index), info.file_bytes,
               info.records, info.last_position, state_of(info));
  }
  fmt::print(out, "{:<32} {:>5} {:>10} {:>10} {:>10} {:>6} {:>8}\n", "ring", "inc", "taps", "first",
             "last", "gaps", "lost");
  for (const auto& [ring, tally] : checked.rings) {
    fmt::print(out, "{:<32} {:>5} {:>10} {:>10} {:>10} {:>6} {:>8}\n", ring.first, ring.second,
               tally.taps, tally.first, tally.last, tally.gaps, tally.lost);
    if (tally.unexplained != 0) {
      fmt::print(out, "  {} jumps in the sequence that no gap record explains\n",
                 tally.unexplained);
    }
    if (tally.doubled != 0)
      fmt::print(out, "  {} sequences were journalled twice\n", tally.doubled);
  }
  for (const Finding& finding : reader.findings())
    fmt::print(out, "{}\n", describe(finding));
  if (checked.undecodable != 0) {
    fmt::print(out, "{} records are of no known kind; another build wrote them\n",
               checked.undecodable);
  }
  fmt::print(out, "{}: {} records, positions {} to {}, durable to {}, {} gaps ({} taps lost): {}\n",
             dir, checked.records, checked.first_position, reader.end().last_position,
             reader.durable_position(), verdict.gaps, verdict.lost, verdict.ok ? "ok" : "FAILED");
}

}  // namespace

int verify(const VerifyOptions& options, std::FILE* out) {
  JournalReader reader = open_journal(options.dir);
  const Checked checked = check_all(reader);
  const Verdict verdict = judge(reader, checked, options.no_gaps);
  (options.json ? print_json : print_text)(out, options.dir, reader, checked, verdict);
  return verdict.ok ? 0 : 1;
}

}  // namespace sluice::journal_tool
