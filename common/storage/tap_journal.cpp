#include "common/storage/tap_journal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "common/base/error.hpp"

namespace sluice {
namespace {

TapJournal::Options checked(TapJournal::Options options) {
  const bool long_name = std::any_of(
      options.rings.begin(), options.rings.end(),
      [](const std::string& name) { return name.size() > TapCheckpoint::kMaxRingName; });
  if (options.rings.size() > TapMarks::kMaxRings || long_name) {
    throw Error(
        ExitCode::kConfig,
        fmt::format(
            "journal {}: {} rings to drain; at most {} with names of at most {} characters are "
            "possible, use fewer or shorter-named strategies and feeds",
            options.dir, options.rings.size(), TapMarks::kMaxRings, TapCheckpoint::kMaxRingName));
  }
  return options;
}

// Carries one recovered record into what was recovered before it.
void take(const RecordView& record, TapCheckpoint& into) {
  if (record.type == RecordType::kTapCheckpoint) {
    auto checkpoint = TapCheckpoint::decode(record.payload);
    if (!checkpoint) {
      throw Error(
          ExitCode::kResource,
          fmt::format(
              "{} at byte {}: record {} is no checkpoint ({} bytes); the journal was written by "
              "another build, move its folder aside",
              segment_name(record.segment), record.offset, record.position, record.payload.size()));
    }
    into = std::move(*checkpoint);
  } else if (const auto tap = tap_of(record)) {
    into.marks.note(tap->ring, tap->incarnation, tap->sequence);
  }
}

TapStatus told(AppendStatus status) noexcept {
  return status == AppendStatus::kNoSpare ? TapStatus::kNoSpare : TapStatus::kFailed;
}

}  // namespace

TapJournal::TapJournal(Options options, StorageCalls calls)
    : writer_(
          {.dir = checked(options).dir,
           .instance = options.instance,
           .segment_bytes = options.segment_bytes,
           .schema_hash = kSchemaHash<Tap>},
          [this](const RecordView& record) { take(record, checkpoint_); }, calls) {
  // A new journal begins with its rings' names; an old one learns the new ones.
  if (writer_.appended_position() != 0 && checkpoint_.rings == options.rings)
    return;
  checkpoint_ = checkpoint_.renamed(std::move(options.rings));
  SLUICE_ASSERT(write_checkpoint() == AppendStatus::kOk, "at start there is a spare segment");
}

AppendStatus TapJournal::write_checkpoint() noexcept {
  const std::size_t bytes = checkpoint_.encode(buffer_);
  return writer_.append(RecordType::kTapCheckpoint, kCheckpoint | kMadeByJournal, 0,
                        std::span(buffer_).first(bytes));
}

AppendStatus TapJournal::write_tap(const Tap& tap, std::uint16_t flags) noexcept {
  if (!writer_.fits(sizeof(Tap))) {
    if (const AppendStatus status = writer_.roll(); status != AppendStatus::kOk)
      return status;
    if (const AppendStatus status = write_checkpoint(); status != AppendStatus::kOk)
      return status;
  }
  const AppendStatus status =
      writer_.append(RecordType::kTap, flags, tap.ring, std::as_bytes(std::span(&tap, 1)));
  if (status == AppendStatus::kOk)
    checkpoint_.marks.note(tap.ring, tap.incarnation, tap.sequence);
  return status;
}

TapStatus TapJournal::append(const Tap& tap) noexcept {
  const TapMarks::Judgement judged =
      checkpoint_.marks.judge(tap.ring, tap.incarnation, tap.sequence);
  if (judged.verdict == TapMarks::Verdict::kRepetition) {
    ++counters_.repetitions;
    return TapStatus::kRepetition;
  }
  if (judged.verdict == TapMarks::Verdict::kMalformed || tap.ring >= checkpoint_.rings.size()) {
    ++counters_.malformed;
    return TapStatus::kMalformed;
  }
  if (judged.verdict == TapMarks::Verdict::kAfterGap) {
    // The gap stands for the lost sequences: it takes the last of them. Should the tap itself then
    // find no room, the gap is not written again.
    Tap gap;
    gap.ring = tap.ring;
    gap.incarnation = tap.incarnation;
    gap.sequence = tap.sequence - 1;
    gap.now_ns = tap.now_ns;
    const std::uint64_t lost = tap.sequence - judged.expected;
    gap.set_body(TapType::kGap, GapRecord{.lost = lost, .next_sequence = tap.sequence});
    if (const AppendStatus status = write_tap(gap, kMadeByJournal); status != AppendStatus::kOk) {
      return told(status);
    }
    ++counters_.gaps;
    counters_.lost += lost;
  }
  if (const AppendStatus status = write_tap(tap, 0); status != AppendStatus::kOk)
    return told(status);
  ++counters_.appended;
  if (tap.type == TapType::kGap) {  // the producer's own word: its ring was full
    ++counters_.gaps;
    counters_.lost += tap.body_as<GapRecord>().lost;
  }
  return TapStatus::kOk;
}

TapCheckpoint recover_checkpoint(const std::string& dir) {
  JournalReader reader(dir);
  reader.start_at(reader.newest_checkpoint());
  TapCheckpoint checkpoint;
  for (RecordView record; reader.next(record);)
    take(record, checkpoint);
  for (const Finding& finding : reader.findings()) {
    if (finding.kind != FindingKind::kDamage)
      continue;
    throw Error(ExitCode::kResource, fmt::format("journal {}: {}", dir, describe(finding)));
  }
  return checkpoint;
}

std::optional<Tap> tap_of(const RecordView& record) noexcept {
  if (record.type != RecordType::kTap || record.payload.size() != sizeof(Tap))
    return std::nullopt;
  Tap tap;
  std::memcpy(static_cast<void*>(&tap), record.payload.data(), sizeof(tap));
  return tap;
}

}  // namespace sluice
