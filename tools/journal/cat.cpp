#include <fmt/format.h>

#include <algorithm>

#include "common/base/error.hpp"
#include "common/describe/records.hpp"
#include "common/storage/tap_journal.hpp"
#include "tools/journal/commands.hpp"

namespace sluice::journal_tool {
namespace {

// The names the options asked for, as a set of types.
std::vector<TapType> wanted_types(const CatOptions& options) {
  std::vector<TapType> types;
  for (const std::string& name : options.types) {
    const TapType type = tap_type_named(name);
    if (type == TapType::kNone) {
      throw Error(ExitCode::kUsage, fmt::format("--type {}: no such type of record; allowed are {}",
                                                name, all_tap_type_names()));
    }
    types.push_back(type);
  }
  return types;
}

void print_text(std::FILE* out, const RecordView& record, const Tap& tap, const std::string& ring) {
  fmt::print(out, "{:>8} {} {} {}:{} {} {}\n", record.position, to_string(tap.now_ns), ring,
             tap.incarnation, tap.sequence, name_of(tap.type), describe_body(tap).line());
}

void print_json(std::FILE* out, const RecordView& record, const Tap& tap, const std::string& ring) {
  Fields line;
  line.number("position", record.position);
  line.text("time", to_string(tap.now_ns));
  line.text("ring", ring);
  line.number("incarnation", std::uint64_t{tap.incarnation});
  line.number("sequence", tap.sequence);
  line.text("type", name_of(tap.type));
  line.object("body", describe_body(tap));
  fmt::print(out, "{}\n", line.json());
}

}  // namespace

JournalReader open_journal(const std::string& dir) {
  JournalReader reader(dir);
  if (reader.segments().empty()) {
    throw Error(
        ExitCode::kResource,
        fmt::format("{}: no journal-*.seg file is there; name the journal folder of a run", dir));
  }
  for (const SegmentInfo& info : reader.segments()) {
    if (!info.identity || info.identity->schema_hash == kSchemaHash<Tap>)
      continue;
    throw Error(
        ExitCode::kResource,
        fmt::format(
            "{} holds records of schema {:016x}, this build reads {:016x}; use the sluice-journal "
            "of the build that wrote it",
            info.path, info.identity->schema_hash, kSchemaHash<Tap>));
  }
  return reader;
}

std::string ring_name(const std::vector<std::string>& rings, std::uint32_t ring) {
  return ring < rings.size() ? rings[ring] : fmt::format("ring {}", ring);
}

int cat(const CatOptions& options, std::FILE* out) {
  const std::vector<TapType> types = wanted_types(options);
  JournalReader reader = open_journal(options.dir);
  std::vector<std::string> rings;
  for (RecordView record; reader.next(record);) {
    if (record.type == RecordType::kTapCheckpoint) {
      if (const auto checkpoint = TapCheckpoint::decode(record.payload))
        rings = checkpoint->rings;
      continue;
    }
    const auto tap = tap_of(record);
    if (!tap || record.position < options.from || record.position > options.to)
      continue;
    if (!types.empty() && std::find(types.begin(), types.end(), tap->type) == types.end())
      continue;
    const std::string ring = ring_name(rings, tap->ring);
    if (!options.rings.empty() &&
        std::find(options.rings.begin(), options.rings.end(), ring) == options.rings.end()) {
      continue;
    }
    options.json ? print_json(out, record, *tap, ring) : print_text(out, record, *tap, ring);
  }
  for (const Finding& finding : reader.findings()) {
    if (finding.kind != FindingKind::kNote)
      fmt::print(stderr, "{}\n", describe(finding));
  }
  return reader.damaged() ? 1 : 0;
}

}  // namespace sluice::journal_tool
