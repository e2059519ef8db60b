// What a journal is worth when its files are not what was written.
//
// Method: small journals whose content is a function of the position, so that whatever the reader
// hands out can be checked. Every single byte of a journal is flipped, and it is cut at every
// length: the reader may lose records, loudly; it may never return a wrong one, skip one in
// silence, or crash.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <random>

#include "common/base/error.hpp"
#include "tests/storage/journal_fixture.hpp"

namespace sluice {
namespace {

using namespace sluice::test;
using ::testing::HasSubstr;

constexpr std::uint64_t kRecords = 320;  // two segments of kSmallSegment

// A closed journal of two segments: everything in it was durable.
void make_closed(const std::string& dir) {
  JournalWriter writer(small_journal(dir));
  fill(writer, 1, kRecords);
  ASSERT_EQ(writer.close(), SyncStatus::kOk);
}

bool is_prefix(const std::vector<std::uint64_t>& positions) {
  return positions == numbers(1, positions.size());
}

bool ascends(const std::vector<std::uint64_t>& positions) {
  return std::adjacent_find(positions.begin(), positions.end(), std::greater_equal<>()) ==
         positions.end();
}

struct Place {
  std::string path;
  std::uint64_t offset;
  std::uint64_t bytes;
};
std::map<std::uint64_t, Place> places(const std::string& dir) {
  std::map<std::uint64_t, Place> out;
  JournalReader reader(dir);
  for (RecordView record; reader.next(record);) {
    out[record.position] = {dir + "/" + segment_name(record.segment), record.offset,
                            padded(sizeof(RecordHeader) + record.payload.size())};
  }
  return out;
}

void flip(const std::string& path, std::uint64_t offset, unsigned char mask = 0xff) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(offset));
  const int byte = file.get();
  file.seekp(static_cast<std::streamoff>(offset));
  file.put(static_cast<char>(static_cast<unsigned char>(byte) ^ mask));
}

TEST(JournalDamage, EveryFlippedByteIsNoticedAndNoWrongRecordIsReturned) {
  TempDir temp;
  make_closed(temp / "j");
  for (const char* name : {"journal-000001.seg", "journal-000002.seg"}) {
    const std::string path = temp / "j" + "/" + name;
    const std::vector<char> original = slurp(path);
    ASSERT_EQ(original.size(), kSmallSegment);
    for (std::uint64_t at = 0; at < original.size(); ++at) {
      flip(path, at, static_cast<unsigned char>(1U << (at % 8)));
      const ReadResult read = read_all(temp / "j");
      ASSERT_TRUE(read.all_match) << name << " byte " << at;
      ASSERT_TRUE(ascends(read.positions)) << name << " byte " << at;
      ASSERT_FALSE(read.findings.empty()) << name << " byte " << at << ": not noticed";
      // Everything here was durable, so a loss is damage, never a tail that may be cut.
      ASSERT_TRUE(read.damaged || read.positions == numbers(1, kRecords)) << name << " byte " << at;
      flip(path, at, static_cast<unsigned char>(1U << (at % 8)));
    }
    ASSERT_EQ(slurp(path), original);
  }
}

TEST(JournalDamage, ATruncationAtEveryLengthKeepsWhatStandsBefore) {
  TempDir temp;
  make_closed(temp / "j");
  const auto where = places(temp / "j");
  const std::string path = temp / "j/journal-000002.seg";
  const std::vector<char> original = slurp(path);
  for (std::uint64_t length = 0; length < original.size(); ++length) {
    spill(path, std::span(original).first(length));
    const ReadResult read = read_all(temp / "j");
    ASSERT_TRUE(read.all_match) << length;
    ASSERT_TRUE(is_prefix(read.positions)) << length;
    ASSERT_FALSE(read.findings.empty()) << length;
    std::uint64_t whole = 0;
    for (const auto& [position, place] : where) {
      if (place.path != path || place.offset + place.bytes <= length)
        whole = position;
    }
    ASSERT_EQ(read.positions.size(), whole) << length;
    ASSERT_EQ(read.damaged, read.positions.size() < kRecords) << length;
  }
}

TEST(JournalDamage, RandomGarbageNeverCrashesTheReader) {
  TempDir temp;
  make_closed(temp / "j");
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  const std::string path = temp / "j/journal-000001.seg";
  const std::vector<char> original = slurp(path);
  for (int round = 0; round < 300; ++round) {
    std::vector<char> bytes = original;
    const std::uint64_t from = round % 3 == 0 ? 0 : kSegmentHeaderBytes;
    for (int i = 0; i < 200; ++i) {
      bytes[from + random() % (bytes.size() - from)] = static_cast<char>(random());
    }
    if (round % 5 == 0)
      bytes.resize(random() % bytes.size());
    spill(path, bytes);
    const ReadResult read = read_all(temp / "j");
    ASSERT_TRUE(read.all_match);
    ASSERT_TRUE(ascends(read.positions));
    ASSERT_TRUE(read.damaged);
  }
}

TEST(JournalDamage, DamageInTheMiddleNamesFileOffsetExpectedActualAndRemedy) {
  TempDir temp;
  make_closed(temp / "j");
  const Place place = places(temp / "j").at(50);
  flip(place.path, place.offset + 30);
  const ReadResult read = read_all(temp / "j");
  ASSERT_EQ(read.findings.size(), 1U);
  const std::string text = describe(read.findings[0]);
  EXPECT_THAT(text, HasSubstr(place.path));
  EXPECT_THAT(text, HasSubstr("byte " + std::to_string(place.offset)));
  EXPECT_THAT(text, HasSubstr("record 50: its CRC field is"));
  EXPECT_THAT(text, HasSubstr("records 50 to 50 are unreadable, 51 is whole again"));
  EXPECT_THAT(text, HasSubstr("Restore the file"));
}

TEST(JournalDamage, ReadsOnBehindAnUnreadableRecord) {
  TempDir temp;
  make_closed(temp / "j");
  const auto where = places(temp / "j");
  for (const std::uint64_t lost : {std::uint64_t{1}, std::uint64_t{50}, kRecords - 1}) {
    flip(where.at(lost).path, where.at(lost).offset);  // its length: the reader has to search
    const ReadResult read = read_all(temp / "j");
    std::vector<std::uint64_t> expected = numbers(1, kRecords);
    std::erase(expected, lost);
    EXPECT_EQ(read.positions, expected);
    EXPECT_TRUE(read.all_match);
    EXPECT_TRUE(read.damaged);
    flip(where.at(lost).path, where.at(lost).offset);
  }
}

TEST(JournalDamage, AWriterRefusesToGoOnBehindDamage) {
  TempDir temp;
  make_closed(temp / "j");
  const Place place = places(temp / "j").at(kRecords - 5);
  flip(place.path, place.offset + 40);
  try {
    JournalWriter writer(small_journal(temp / "j"));
    FAIL() << "opened a damaged journal";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kResource);
    EXPECT_THAT(error.what(), HasSubstr("sluice-journal verify"));
    EXPECT_THAT(error.what(), HasSubstr(place.path));
  }
  flip(place.path, place.offset + 40);
  JournalWriter writer(small_journal(temp / "j"));
  EXPECT_EQ(writer.open_report().last_position, kRecords);
}

TEST(JournalDamage, AMissingSegmentInTheMiddleIsDamage) {
  TempDir temp;
  {
    JournalWriter writer(small_journal(temp / "j"));
    fill(writer, 1, 800);
    ASSERT_EQ(writer.close(), SyncStatus::kOk);
  }
  std::filesystem::remove(temp / "j/journal-000002.seg");
  const ReadResult read = read_all(temp / "j");
  EXPECT_TRUE(read.damaged);
  EXPECT_TRUE(read.all_match);
  EXPECT_TRUE(ascends(read.positions));
  EXPECT_EQ(read.positions.back(), 800U);
}

TEST(JournalDamage, RemovedOldSegmentsAreNoDamage) {
  TempDir temp;
  {
    JournalWriter writer(small_journal(temp / "j"));
    fill(writer, 1, 800);
    ASSERT_EQ(writer.close(), SyncStatus::kOk);
  }
  std::filesystem::remove(temp / "j/journal-000001.seg");
  const ReadResult read = read_all(temp / "j");
  EXPECT_TRUE(read.findings.empty());
  EXPECT_EQ(read.positions.back(), 800U);
  EXPECT_EQ(read.positions, numbers(read.positions.front(), 800));
}

TEST(JournalDamage, ASegmentOfAnotherJournalIsDamage) {
  TempDir temp;
  make_closed(temp / "a");
  make_closed(temp / "b");
  std::filesystem::copy_file(temp / "b/journal-000002.seg", temp / "a/journal-000002.seg",
                             std::filesystem::copy_options::overwrite_existing);
  const ReadResult read = read_all(temp / "a");
  EXPECT_TRUE(read.damaged);
  EXPECT_TRUE(is_prefix(read.positions));
  EXPECT_LT(read.positions.size(), kRecords);
}

// --- Torn tails: what a kill or a power cut leaves behind the last synced record.

// Records 1..synced durable, then up to `appended` in the page cache only; the writer vanishes
// without close(), as in a kill. (Its mapping is what the page cache would keep, so copy the
// files.)
void make_unsynced(const std::string& work, const std::string& dir, std::uint64_t synced,
                   std::uint64_t appended) {
  JournalWriter writer(small_journal(work));
  fill(writer, 1, synced);
  ASSERT_EQ(writer.sync(), SyncStatus::kOk);
  fill(writer, synced + 1, appended);
  std::filesystem::copy(work, dir);
}

TEST(JournalTornTail, IsCutWhereverThePowerWentAndTheJournalGoesOn) {
  TempDir temp;
  make_unsynced(temp / "w", temp / "j", 20, 40);
  const auto where = places(temp / "j");
  const std::vector<char> original = slurp(where.at(1).path);
  const std::uint64_t end = where.at(40).offset + where.at(40).bytes;
  for (std::uint64_t cut = where.at(21).offset; cut < end; ++cut) {
    std::filesystem::remove_all(temp / "t");
    std::filesystem::copy(temp / "j", temp / "t");
    std::vector<char> bytes = original;
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(cut), bytes.end(), '\0');
    // Pages reach the disk in any order: something behind the hole may have arrived.
    bytes[end + 64] = 'x';
    spill(temp / "t/journal-000001.seg", bytes);
    std::uint64_t whole = 20;
    for (const auto& [position, place] : where) {
      if (place.offset + place.bytes <= cut)
        whole = std::max(whole, position);
    }
    ReadResult read = read_all(temp / "t");
    // Payloads and padding end in zeros for some cuts, so one more record may still be whole.
    ASSERT_GE(read.positions.size(), whole) << cut;
    ASSERT_TRUE(read.all_match) << cut;
    ASSERT_FALSE(read.damaged) << cut;
    ASSERT_TRUE(read.has(FindingKind::kTornTail)) << cut;
    const std::uint64_t kept = read.positions.size();
    {
      JournalWriter writer(small_journal(temp / "t"));
      ASSERT_EQ(writer.open_report().last_position, kept) << cut;
      ASSERT_GT(writer.open_report().cut_bytes, 0U);
      fill(writer, kept + 1, kept + 5);
      ASSERT_EQ(writer.close(), SyncStatus::kOk);
    }
    read = read_all(temp / "t");
    ASSERT_EQ(read.positions, numbers(1, kept + 5)) << cut;
    ASSERT_TRUE(read.all_match) << cut;
    ASSERT_TRUE(read.findings.empty()) << cut << " " << describe(read.findings.front());
  }
}

TEST(JournalTornTail, AHoleInWhatWasSyncedIsDamageAndNotATornTail) {
  TempDir temp;
  make_unsynced(temp / "w", temp / "j", 20, 40);
  const auto where = places(temp / "j");
  flip(where.at(20).path, where.at(20).offset + 30);
  EXPECT_TRUE(read_all(temp / "j").damaged);
  EXPECT_THROW(JournalWriter(small_journal(temp / "j")), Error);
}

TEST(JournalTornTail, ZerosWhereDurableRecordsWereAreDamage) {
  TempDir temp;
  make_unsynced(temp / "w", temp / "j", 20, 40);
  const Place place = places(temp / "j").at(15);
  std::vector<char> bytes = slurp(place.path);
  std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(place.offset), bytes.end(), '\0');
  spill(place.path, bytes);
  const ReadResult read = read_all(temp / "j");
  EXPECT_EQ(read.positions, numbers(1, 14));
  EXPECT_TRUE(read.damaged);
  ASSERT_FALSE(read.findings.empty());
  EXPECT_THAT(read.findings.back().text,
              HasSubstr("the records end here, but those up to 20 were durable"));
}

TEST(JournalTornTail, AWholeRecordWithoutItsLengthReadsAsTheEnd) {
  TempDir temp;
  make_unsynced(temp / "w", temp / "j", 20, 40);
  const Place last = places(temp / "j").at(40);
  std::vector<char> bytes = slurp(last.path);
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(last.offset), 8,
              '\0');  // killed before the commit
  spill(last.path, bytes);
  const ReadResult read = read_all(temp / "j");
  EXPECT_EQ(read.positions, numbers(1, 39));
  EXPECT_FALSE(read.damaged);
  EXPECT_TRUE(read.has(FindingKind::kTornTail));
}

TEST(JournalTornTail, SegmentsBehindATearAreSetAsideNotDeleted) {
  TempDir temp;
  {
    JournalWriter writer(small_journal(temp / "w"));
    fill(writer, 1, 20);
    ASSERT_EQ(writer.sync(), SyncStatus::kOk);
    fill(writer, 21, 250);  // into the second segment; nothing of it synced, the first not sealed
    std::filesystem::copy(temp / "w", temp / "j");
  }
  const auto where = places(temp / "j");
  ASSERT_NE(where.at(250).path, where.at(1).path);
  flip(where.at(100).path, where.at(100).offset + 30);
  {
    JournalWriter writer(small_journal(temp / "j"));
    EXPECT_EQ(writer.open_report().last_position, 99U);
    EXPECT_EQ(writer.open_report().set_aside, 1U);
    EXPECT_TRUE(std::filesystem::exists(temp / "j/journal-000002.seg.cut-99"));
    fill(writer, 100, 400);
    ASSERT_EQ(writer.close(), SyncStatus::kOk);
  }
  const ReadResult read = read_all(temp / "j");
  EXPECT_EQ(read.positions, numbers(1, 400));
  EXPECT_TRUE(read.findings.empty()) << describe(read.findings.front());
}

TEST(JournalTornTail, ASegmentLeftBeforeItsSealIsSealedByTheNextWriter) {
  TempDir temp;
  {
    JournalWriter writer(small_journal(temp / "w"));
    fill(writer, 1, 250);
    std::filesystem::copy(temp / "w", temp / "j");
  }
  ASSERT_FALSE(JournalReader(temp / "j").segments().front().seal.has_value());
  {
    JournalWriter writer(small_journal(temp / "j"));
    EXPECT_EQ(writer.open_report().last_position, 250U);
  }
  EXPECT_TRUE(JournalReader(temp / "j").segments().front().seal.has_value());
  const ReadResult read = read_all(temp / "j");
  EXPECT_EQ(read.positions, numbers(1, 250));
  EXPECT_TRUE(read.findings.empty()) << describe(read.findings.front());
}

TEST(JournalTornTail, AnActivationLostBehindASealStartsANewSegment) {
  TempDir temp;
  {
    JournalWriter writer(small_journal(temp / "w"));
    fill(writer, 1, 250);
    ASSERT_EQ(writer.prepare().status, PrepareStatus::kReady);  // seals the first segment
    std::filesystem::copy(temp / "w", temp / "j");
  }
  const std::uint64_t sealed = JournalReader(temp / "j").segments().front().seal->last_position;
  std::vector<char> bytes = slurp(temp / "j/journal-000002.seg");
  std::fill(bytes.begin() + kActivationOffset, bytes.end(),
            '\0');  // the power cut kept only the identity
  spill(temp / "j/journal-000002.seg", bytes);
  {
    JournalWriter writer(small_journal(temp / "j"));
    EXPECT_EQ(writer.open_report().last_position, sealed);
    fill(writer, sealed + 1, 300);
    ASSERT_EQ(writer.close(), SyncStatus::kOk);
  }
  const ReadResult read = read_all(temp / "j");
  EXPECT_EQ(read.positions, numbers(1, 300));
  EXPECT_TRUE(read.findings.empty()) << describe(read.findings.front());
}

}  // namespace
}  // namespace sluice
