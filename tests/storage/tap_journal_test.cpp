#include "common/storage/tap_journal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "common/base/error.hpp"
#include "tests/storage/journal_fixture.hpp"

namespace sluice {
namespace {

using namespace sluice::test;
using ::testing::ElementsAre;

TapJournal::Options options(const std::string& dir) {
  return {
      .dir = dir,
      .instance = "test",
      .segment_bytes = kSmallSegment,
      .rings = {"exec.persistence", "tap.risk", "tap.strategy.a", "tap.strategy.b", "tap.feed.x"}};
}

Tap tap(std::uint16_t ring, std::uint32_t incarnation, std::uint64_t sequence) {
  Tap tap;
  tap.ring = ring;
  tap.incarnation = incarnation;
  tap.sequence = sequence;
  tap.now_ns = MonoNanos{1'000 + static_cast<std::int64_t>(sequence)};
  Intent intent;
  intent.id = {.incarnation = incarnation, .strategy = ring, .reserved = 0, .sequence = sequence};
  tap.set_body(TapType::kIntent, intent);
  return tap;
}

TapStatus append(TapJournal& journal, const Tap& t) {
  TapStatus status = journal.append(t);
  if (status == TapStatus::kNoSpare) {
    EXPECT_EQ(journal.writer().prepare().status, PrepareStatus::kReady);
    status = journal.append(t);
  }
  return status;
}

// "ring/incarnation/sequence" of every tap in the journal; gaps as "gap:lost@…".
std::vector<std::string> taps_in(const std::string& dir) {
  std::vector<std::string> out;
  JournalReader reader(dir);
  for (RecordView record; reader.next(record);) {
    const auto t = tap_of(record);
    if (!t)
      continue;
    std::string text = std::to_string(t->ring) + "/" + std::to_string(t->incarnation) + "/" +
                       std::to_string(t->sequence);
    if (t->type == TapType::kGap) {
      text = "gap:" + std::to_string(t->body_as<GapRecord>().lost) +
             ((record.flags & kMadeByJournal) != 0 ? "@" : "!") + text;
    }
    out.push_back(text);
  }
  EXPECT_TRUE(reader.findings().empty());
  return out;
}

TEST(TapJournal, KeepsTheTapsOfAllRingsInTheOrderTheyCame) {
  TempDir temp;
  {
    TapJournal journal(options(temp / "j"));
    for (const Tap& t : {tap(0, 1, 1), tap(3, 1, 1), tap(0, 1, 2), tap(3, 2, 1), tap(0, 1, 3)}) {
      EXPECT_EQ(journal.append(t), TapStatus::kOk);
    }
    EXPECT_EQ(journal.counters().appended, 5U);
  }
  EXPECT_THAT(taps_in(temp / "j"), ElementsAre("0/1/1", "3/1/1", "0/1/2", "3/2/1", "0/1/3"));
}

TEST(TapJournal, DropsARepetitionAlsoAcrossARestart) {
  TempDir temp;
  {
    TapJournal journal(options(temp / "j"));
    EXPECT_EQ(journal.append(tap(0, 1, 1)), TapStatus::kOk);
    EXPECT_EQ(journal.append(tap(0, 1, 2)), TapStatus::kOk);
    EXPECT_EQ(journal.append(tap(0, 1, 2)), TapStatus::kRepetition);
  }
  {
    TapJournal journal(options(temp / "j"));
    EXPECT_EQ(journal.append(tap(0, 1, 1)), TapStatus::kRepetition);
    EXPECT_EQ(journal.append(tap(0, 1, 2)), TapStatus::kRepetition);
    EXPECT_EQ(journal.append(tap(0, 1, 3)), TapStatus::kOk);
    EXPECT_EQ(journal.counters().repetitions, 2U);
    EXPECT_EQ(journal.counters().gaps, 0U);
  }
  EXPECT_THAT(taps_in(temp / "j"), ElementsAre("0/1/1", "0/1/2", "0/1/3"));
}

TEST(TapJournal, WritesDownHowManyTapsAreMissing) {
  TempDir temp;
  {
    TapJournal journal(options(temp / "j"));
    EXPECT_EQ(journal.append(tap(2, 1, 1)), TapStatus::kOk);
    EXPECT_EQ(journal.append(tap(2, 1, 6)), TapStatus::kOk);
    EXPECT_EQ(journal.append(tap(2, 2, 4)), TapStatus::kOk);  // a new incarnation begins at 1
    EXPECT_EQ(journal.counters().gaps, 2U);
    EXPECT_EQ(journal.counters().lost, 4U + 3U);
  }
  EXPECT_THAT(taps_in(temp / "j"),
              ElementsAre("2/1/1", "gap:4@2/1/5", "2/1/6", "gap:3@2/2/3", "2/2/4"));
}

TEST(TapJournal, CountsTheGapsThatProducersTell) {
  TempDir temp;
  {
    TapJournal journal(options(temp / "j"));
    EXPECT_EQ(journal.append(tap(2, 1, 1)), TapStatus::kOk);
    Tap gap = tap(2, 1, 2);
    gap.set_body(TapType::kGap, GapRecord{.lost = 17, .next_sequence = 3});
    EXPECT_EQ(journal.append(gap), TapStatus::kOk);
    EXPECT_EQ(journal.append(tap(2, 1, 3)), TapStatus::kOk);
    EXPECT_EQ(journal.counters().gaps, 1U);
    EXPECT_EQ(journal.counters().lost, 17U);
  }
  EXPECT_THAT(taps_in(temp / "j"), ElementsAre("2/1/1", "gap:17!2/1/2", "2/1/3"));
}

TEST(TapJournal, WritesAGapOnceAlsoWhenTheTapBehindItFindsNoRoom) {
  TempDir temp;
  {
    TapJournal journal(options(temp / "j"));
    std::uint64_t sequence = 1;
    // Until exactly the gap fits, but not the tap behind it, and no spare is there.
    while (journal.writer().room() >= 2 * (sizeof(RecordHeader) + sizeof(Tap)) ||
           journal.writer().room() > kSmallSegment - kSegmentHeaderBytes) {
      ASSERT_EQ(journal.append(tap(0, 1, sequence)), TapStatus::kOk);
      ++sequence;
    }
    const Tap behind = tap(0, 1, sequence + 3);
    EXPECT_EQ(journal.append(behind), TapStatus::kNoSpare);
    EXPECT_EQ(journal.append(behind), TapStatus::kNoSpare);
    ASSERT_EQ(journal.writer().prepare().status, PrepareStatus::kReady);
    EXPECT_EQ(journal.append(behind), TapStatus::kOk);
    EXPECT_EQ(journal.counters().gaps, 1U);
    EXPECT_EQ(journal.counters().lost, 3U);
  }
  const auto taps = taps_in(temp / "j");
  EXPECT_EQ(
      std::count_if(taps.begin(), taps.end(), [](const auto& t) { return t.starts_with("gap"); }),
      1);
}

TEST(TapJournal, BeginsEverySegmentWithTheMarksSoThatARestartReadsOnlyTheTail) {
  TempDir temp;
  {
    TapJournal journal(options(temp / "j"));
    ASSERT_EQ(append(journal, tap(4, 3, 1)), TapStatus::kOk);  // only in the first segment
    for (std::uint64_t i = 1; i <= 300; ++i)
      ASSERT_EQ(append(journal, tap(1, 9, i)), TapStatus::kOk);
  }
  JournalReader reader(temp / "j");
  ASSERT_GE(reader.segments().size(), 4U);
  std::uint64_t segment = 0;
  for (RecordView record; reader.next(record);) {
    if (record.segment != segment) {
      EXPECT_EQ(record.type, RecordType::kTapCheckpoint);
      EXPECT_NE(record.flags & kCheckpoint, 0);
    }
    segment = record.segment;
  }
  for (std::size_t i = 0; i + 2 < reader.segments().size(); ++i) {
    std::filesystem::remove(reader.segments()[i].path);
  }
  const TapCheckpoint recovered = recover_checkpoint(temp / "j");
  EXPECT_EQ(recovered.rings, options("").rings);
  const TapMarks& marks = recovered.marks;
  EXPECT_EQ(marks.highest(4, 3), 1U);
  EXPECT_EQ(marks.highest(1, 9), 300U);
  EXPECT_EQ(marks.highest(1, 8), std::nullopt);
  TapJournal journal(options(temp / "j"));
  EXPECT_EQ(journal.append(tap(4, 3, 1)), TapStatus::kRepetition);
  EXPECT_EQ(journal.append(tap(1, 9, 301)), TapStatus::kOk);
}

TEST(TapJournal, RefusesATapOfARingItDoesNotKnowAndOneWithoutIdentity) {
  TempDir temp;
  TapJournal journal(options(temp / "j"));
  const std::uint64_t before = journal.writer().appended_position();
  for (const Tap& bad : {tap(5, 1, 1), tap(0xffff, 1, 1), tap(0, 0, 1), tap(0, 1, 0)}) {
    EXPECT_EQ(journal.append(bad), TapStatus::kMalformed);
  }
  EXPECT_EQ(journal.writer().appended_position(), before);
  EXPECT_EQ(journal.counters().malformed, 4U);
  EXPECT_EQ(journal.append(tap(4, 1, 1)), TapStatus::kOk);
}

TEST(TapJournal, KeepsTheMarksOfARingWhoseIndexChanged) {
  TempDir temp;
  {
    TapJournal journal(options(temp / "j"));
    EXPECT_EQ(journal.append(tap(2, 1, 1)), TapStatus::kOk);
    EXPECT_EQ(journal.append(tap(3, 7, 1)), TapStatus::kOk);
    EXPECT_EQ(journal.append(tap(4, 5, 1)), TapStatus::kOk);
  }
  TapJournal::Options other = options(temp / "j");
  other.rings = {"exec.persistence", "tap.risk", "tap.strategy.b", "tap.strategy.new",
                 "tap.feed.x"};
  {
    TapJournal journal(other);
    EXPECT_EQ(journal.append(tap(2, 7, 1)), TapStatus::kRepetition);  // was ring 3
    EXPECT_EQ(journal.append(tap(2, 7, 2)), TapStatus::kOk);
    EXPECT_EQ(journal.append(tap(3, 7, 1)), TapStatus::kOk);  // another ring than the old number 3
    EXPECT_EQ(journal.append(tap(4, 5, 1)), TapStatus::kRepetition);
    EXPECT_EQ(journal.counters().gaps, 0U);
  }
  EXPECT_EQ(recover_checkpoint(temp / "j").rings, other.rings);
  EXPECT_THAT(taps_in(temp / "j"), ElementsAre("2/1/1", "3/7/1", "4/5/1", "2/7/2", "3/7/1"));
}

TEST(TapJournal, RefusesMoreRingsThanACheckpointCanName) {
  TempDir temp;
  TapJournal::Options many = options(temp / "j");
  many.rings.resize(TapMarks::kMaxRings + 1, "r");
  EXPECT_THROW(TapJournal{many}, Error);
  many.rings.assign(1, std::string(TapCheckpoint::kMaxRingName + 1, 'r'));
  EXPECT_THROW(TapJournal{many}, Error);
  many.rings.assign(TapMarks::kMaxRings, std::string(TapCheckpoint::kMaxRingName, 'r'));
  TapJournal journal(many);
  EXPECT_EQ(append(journal, tap(TapMarks::kMaxRings - 1, 1, 1)), TapStatus::kOk);
}

TEST(TapMarks, KeepsTheNewestIncarnationsAndCallsOlderOnesRepetitions) {
  TapMarks marks;
  for (std::uint32_t incarnation = 1; incarnation <= 5; ++incarnation) {
    marks.note(4, incarnation, 100 + incarnation);
  }
  EXPECT_THAT(marks.of_ring(4),
              ElementsAre(TapMark{5, 4, 105}, TapMark{4, 4, 104}, TapMark{3, 4, 103}));
  EXPECT_EQ(marks.judge(4, 2, 500).verdict, TapMarks::Verdict::kRepetition);
  EXPECT_EQ(marks.judge(4, 3, 103).verdict, TapMarks::Verdict::kRepetition);
  EXPECT_EQ(marks.judge(4, 3, 104).verdict, TapMarks::Verdict::kNext);
  EXPECT_EQ(marks.judge(4, 5, 107).verdict, TapMarks::Verdict::kAfterGap);
  EXPECT_EQ(marks.judge(4, 5, 107).expected, 106U);
  EXPECT_EQ(marks.judge(4, 6, 1).verdict, TapMarks::Verdict::kNext);
  marks.note(4, 2, 500);  // over: changes nothing
  EXPECT_EQ(marks.highest(4, 2), std::nullopt);
  EXPECT_EQ(marks.highest(4, 3), 103U);
}

TEST(TapMarks, NeverLowersAMarkAndSurvivesTheHighestSequence) {
  TapMarks marks;
  marks.note(0, 1, ~std::uint64_t{0});
  marks.note(0, 1, 5);
  EXPECT_EQ(marks.highest(0, 1), ~std::uint64_t{0});
  EXPECT_EQ(marks.judge(0, 1, 1).verdict, TapMarks::Verdict::kRepetition);
  EXPECT_EQ(marks.judge(0, 1, ~std::uint64_t{0}).verdict, TapMarks::Verdict::kRepetition);
  EXPECT_EQ(marks.judge(1, 1, 0).verdict, TapMarks::Verdict::kMalformed) << "sequences begin at 1";
}

TEST(TapMarks, AnIncarnationBetweenTwoKnownOnesIsNew) {
  TapMarks marks;
  marks.note(0, 5, 10);
  marks.note(0, 3, 20);
  EXPECT_EQ(marks.judge(0, 4, 1).verdict, TapMarks::Verdict::kNext);
  marks.note(0, 4, 1);
  EXPECT_THAT(marks.of_ring(0),
              ElementsAre(TapMark{5, 0, 10}, TapMark{4, 0, 1}, TapMark{3, 0, 20}));
}

TEST(TapCheckpoint, DecodesWhatItEncodedAndRefusesEveryTruncationOfIt) {
  TapCheckpoint checkpoint;
  for (std::uint32_t ring = 0; ring < 20; ++ring) {
    checkpoint.rings.push_back("tap.ring" + std::to_string(ring));
    for (std::uint32_t i = 0; i < ring % 5; ++i)
      checkpoint.marks.note(ring, i + 1, ring * 7 + i);
  }
  std::array<std::byte, TapCheckpoint::kMaxBytes> buffer{};
  const std::size_t bytes = checkpoint.encode(buffer);
  const auto decoded = TapCheckpoint::decode(std::span(buffer).first(bytes));
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(decoded->rings, checkpoint.rings);
  for (std::uint32_t ring = 0; ring < 20; ++ring) {
    EXPECT_TRUE(std::ranges::equal(decoded->marks.of_ring(ring), checkpoint.marks.of_ring(ring)))
        << ring;
  }
  for (std::size_t length = 0; length < bytes; ++length) {
    EXPECT_FALSE(TapCheckpoint::decode(std::span(buffer).first(length)).has_value()) << length;
  }
  EXPECT_FALSE(TapCheckpoint::decode(std::span(buffer).first(bytes + 1)).has_value());
}

}  // namespace
}  // namespace sluice
