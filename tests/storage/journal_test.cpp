#include "common/storage/journal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>

#include "common/base/error.hpp"
#include "tests/storage/journal_fixture.hpp"

namespace sluice {
namespace {

using namespace sluice::test;
using ::testing::HasSubstr;

// Failing system calls: the seam is plain function pointers, so their state is static.
int g_allocate_error = 0;
int g_sync_error = 0;
int g_sync_calls = 0;
int failing_allocate(int fd, off_t offset, off_t bytes) {
  return g_allocate_error != 0 ? g_allocate_error
                               : StorageCalls::system().allocate(fd, offset, bytes);
}
int failing_sync(void* begin, std::size_t bytes) {
  ++g_sync_calls;
  if (g_sync_error == 0)
    return StorageCalls::system().sync_range(begin, bytes);
  errno = g_sync_error;
  return -1;
}
StorageCalls failing_calls() {
  g_allocate_error = g_sync_error = g_sync_calls = 0;
  StorageCalls calls = StorageCalls::system();
  calls.allocate = failing_allocate;
  calls.sync_range = failing_sync;
  return calls;
}

template <class F>
std::string error_of(F&& act, ExitCode expected) {
  try {
    act();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), expected) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

std::size_t files_in(const std::string& dir) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(dir)) {
    if (entry.path().filename() != "journal.lock")
      ++count;
  }
  return count;
}

TEST(Journal, ReturnsEveryRecordInOrderWithItsContent) {
  TempDir temp;
  {
    JournalWriter writer(small_journal(temp / "j"));
    fill(writer, 1, 100);
    EXPECT_EQ(writer.appended_position(), 100U);
    EXPECT_EQ(writer.close(), SyncStatus::kOk);
  }
  const ReadResult read = read_all(temp / "j");
  EXPECT_EQ(read.positions, numbers(1, 100));
  EXPECT_TRUE(read.all_match);
  EXPECT_TRUE(read.findings.empty()) << describe(read.findings.front());
}

TEST(Journal, AcceptsEmptyAndLargestPayloadAndRefusesALargerOne) {
  TempDir temp;
  {
    JournalWriter writer(small_journal(temp / "j"));
    const std::vector<std::byte> bytes(kMaxRecordPayload + 1, std::byte{0x5a});
    EXPECT_EQ(writer.append(RecordType::kTap, 0, 0, {}), AppendStatus::kOk);
    EXPECT_EQ(writer.append(RecordType::kTap, 0, 0, std::span(bytes).first(kMaxRecordPayload)),
              AppendStatus::kOk);
    EXPECT_EQ(writer.append(RecordType::kTap, 0, 0, bytes), AppendStatus::kTooLarge);
    EXPECT_EQ(writer.appended_position(), 2U);
  }
  JournalReader reader(temp / "j");
  RecordView record;
  ASSERT_TRUE(reader.next(record));
  EXPECT_EQ(record.payload.size(), 0U);
  ASSERT_TRUE(reader.next(record));
  EXPECT_EQ(record.payload.size(), kMaxRecordPayload);
  EXPECT_FALSE(reader.next(record));
  EXPECT_TRUE(reader.findings().empty());
}

TEST(Journal, ContinuesInTheSpareSegmentAndChainsIt) {
  TempDir temp;
  {
    JournalWriter writer(small_journal(temp / "j"));
    fill(writer, 1, 1000);
    EXPECT_EQ(writer.close(), SyncStatus::kOk);
  }
  JournalReader reader(temp / "j");
  ASSERT_GE(reader.segments().size(), 4U);
  for (std::size_t i = 0; i < reader.segments().size(); ++i) {
    const SegmentInfo& info = reader.segments()[i];
    EXPECT_EQ(info.seal.has_value(), i + 1 < reader.segments().size()) << info.path;
    ASSERT_TRUE(info.activation.has_value());
    if (i > 0) {
      EXPECT_EQ(info.activation->previous_crc, reader.segments()[i - 1].seal->last_crc);
      EXPECT_EQ(info.activation->first_position, reader.segments()[i - 1].seal->last_position + 1);
    }
  }
  const ReadResult read = read_all(temp / "j");
  EXPECT_EQ(read.positions, numbers(1, 1000));
  EXPECT_TRUE(read.all_match);
  EXPECT_TRUE(read.findings.empty()) << describe(read.findings.front());
}

TEST(Journal, RefusesAnAppendWithoutASpareAndTakesItAfterPrepare) {
  TempDir temp;
  JournalWriter writer(small_journal(temp / "j"));
  std::uint64_t i = 1;
  AppendStatus status = AppendStatus::kOk;
  while ((status = append_numbered(writer, i)) == AppendStatus::kOk)
    ++i;  // two segments: first and spare
  EXPECT_EQ(status, AppendStatus::kNoSpare);
  EXPECT_EQ(writer.appended_position(), i - 1);
  EXPECT_EQ(append_numbered(writer, i), AppendStatus::kNoSpare);
  EXPECT_LT(writer.room(), 100U);
  ASSERT_EQ(writer.prepare().status, PrepareStatus::kReady);
  EXPECT_GT(writer.room(), 10'000U);
  EXPECT_EQ(append_numbered(writer, i), AppendStatus::kOk);
  EXPECT_EQ(writer.appended_position(), i);
}

TEST(Journal, RaisesTheDurablePositionOnlyBySync) {
  TempDir temp;
  JournalWriter writer(small_journal(temp / "j"));
  EXPECT_EQ(writer.durable_position(), 0U);
  EXPECT_EQ(writer.sync(), SyncStatus::kNothingNew);
  fill(writer, 1, 10);
  EXPECT_EQ(writer.durable_position(), 0U);
  EXPECT_EQ(writer.sync(), SyncStatus::kOk);
  EXPECT_EQ(writer.durable_position(), 10U);
  EXPECT_EQ(writer.sync(), SyncStatus::kNothingNew);
}

TEST(Journal, SyncsTheSegmentsItHasLeftAsWell) {
  TempDir temp;
  JournalWriter writer(small_journal(temp / "j"));
  fill(writer, 1, 250);  // more than one segment holds
  ASSERT_GE(JournalReader(temp / "j").segments().size(), 2U);
  EXPECT_EQ(writer.sync(), SyncStatus::kOk);
  EXPECT_EQ(writer.durable_position(), 250U);
  EXPECT_TRUE(JournalReader(temp / "j").segments().front().seal.has_value());
}

TEST(Journal, GoesOnBehindTheLastRecordAfterARestart) {
  TempDir temp;
  for (std::uint64_t run = 0; run < 12; ++run) {
    JournalWriter writer(small_journal(temp / "j"));
    EXPECT_EQ(writer.open_report().fresh, run == 0);
    EXPECT_EQ(writer.open_report().last_position, run * 60);
    EXPECT_EQ(writer.durable_position(), run * 60);
    fill(writer, run * 60 + 1, run * 60 + 60);
    EXPECT_EQ(writer.close(), SyncStatus::kOk);
  }
  const ReadResult read = read_all(temp / "j");
  EXPECT_EQ(read.positions, numbers(1, 720));
  EXPECT_TRUE(read.all_match);
  EXPECT_TRUE(read.findings.empty()) << describe(read.findings.front());
}

TEST(Journal, RecoversFromTheNewestCheckpointAndNotBefore) {
  TempDir temp;
  std::uint64_t checkpoint = 0;
  {
    JournalWriter writer(small_journal(temp / "j"));
    for (std::uint64_t i = 1; i <= 600; ++i) {
      if (!writer.fits(payload_of(i).size())) {
        ASSERT_EQ(writer.prepare().status, PrepareStatus::kReady);
        ASSERT_EQ(writer.roll(), AppendStatus::kOk);
        checkpoint = i;
        ASSERT_EQ(writer.append(RecordType::kTap, kCheckpoint, static_cast<std::uint32_t>(i % 5),
                                payload_of(i)),
                  AppendStatus::kOk);
        continue;
      }
      ASSERT_EQ(append_numbered(writer, i), AppendStatus::kOk);
    }
    EXPECT_EQ(writer.close(), SyncStatus::kOk);
  }
  ASSERT_GT(checkpoint, 0U);
  std::vector<std::uint64_t> seen;
  JournalWriter writer(small_journal(temp / "j"),
                       [&](const RecordView& record) { seen.push_back(record.position); });
  EXPECT_EQ(seen, numbers(checkpoint, 600));
}

TEST(Journal, LeavesNoSpareAndNoTemporaryFileBehindAfterClose) {
  TempDir temp;
  {
    JournalWriter writer(small_journal(temp / "j"));
    fill(writer, 1, 5);
    EXPECT_EQ(files_in(temp / "j"), 2U);  // the segment and its spare
    EXPECT_EQ(writer.close(), SyncStatus::kOk);
  }
  EXPECT_EQ(files_in(temp / "j"), 1U);
}

TEST(Journal, RemovesWhatADeadWriterWasPreparing) {
  TempDir temp;
  { JournalWriter writer(small_journal(temp / "j")); }
  spill(temp / "j/journal-000002.seg.tmp", std::vector<char>(100, 'x'));
  {
    JournalWriter writer(small_journal(temp / "j"));
    fill(writer, 1, 3);
  }
  EXPECT_EQ(files_in(temp / "j"), 1U);
}

TEST(Journal, RefusesASecondWriterAndNamesTheFirst) {
  TempDir temp;
  JournalWriter first(small_journal(temp / "j"));
  const std::string message =
      error_of([&] { JournalWriter second(small_journal(temp / "j")); }, ExitCode::kRoleTaken);
  EXPECT_THAT(message, HasSubstr("pid " + std::to_string(::getpid())));
  fill(first, 1, 3);
  EXPECT_EQ(first.sync(), SyncStatus::kOk);
}

TEST(Journal, RefusesAJournalOfAnotherInstanceOrSchema) {
  TempDir temp;
  { JournalWriter writer(small_journal(temp / "j")); }
  JournalOptions other = small_journal(temp / "j");
  other.instance = "other";
  EXPECT_THAT(error_of([&] { JournalWriter writer(other); }, ExitCode::kResource),
              HasSubstr("\"other\""));
  other = small_journal(temp / "j");
  other.schema_hash = 0xabc;
  EXPECT_THAT(error_of([&] { JournalWriter writer(other); }, ExitCode::kResource),
              HasSubstr("0000000000000abc"));
}

TEST(Journal, RefusesOptionsOutOfRange) {
  TempDir temp;
  JournalOptions options = small_journal(temp / "j");
  for (const std::uint64_t bytes :
       {std::uint64_t{0}, kMinSegmentBytes - 4096, kMinSegmentBytes + 1, kMaxSegmentBytes + 4096}) {
    options.segment_bytes = bytes;
    EXPECT_THAT(error_of([&] { JournalWriter writer(options); }, ExitCode::kConfig),
                HasSubstr(std::to_string(bytes)));
  }
  options = small_journal(temp / "j");
  options.instance = std::string(kMaxJournalInstanceChars + 1, 'a');
  EXPECT_THAT(error_of([&] { JournalWriter writer(options); }, ExitCode::kConfig),
              HasSubstr("instance"));
  EXPECT_FALSE(std::filesystem::exists(temp / "j"));
}

TEST(Journal, SaysAtStartThatTheDiskIsFullAndLeavesNothing) {
  TempDir temp;
  StorageCalls calls = failing_calls();
  g_allocate_error = ENOSPC;
  const std::string message = error_of(
      [&] { JournalWriter writer(small_journal(temp / "j"), {}, calls); }, ExitCode::kResource);
  EXPECT_THAT(message, HasSubstr("No space left"));
  EXPECT_THAT(message, HasSubstr("free space"));
  EXPECT_EQ(files_in(temp / "j"), 0U);
}

TEST(Journal, TellsEarlyThatNoSpareCouldBeMadeAndGoesOnWhenThereIsSpaceAgain) {
  TempDir temp;
  JournalWriter writer(small_journal(temp / "j"), {}, failing_calls());
  g_allocate_error = ENOSPC;
  std::uint64_t i = 1;
  while (append_numbered(writer, i) == AppendStatus::kOk)
    ++i;  // first segment and its spare are full
  const PrepareResult full = writer.prepare();
  EXPECT_EQ(full.status, PrepareStatus::kNoSpace);
  EXPECT_EQ(full.error, ENOSPC);
  EXPECT_EQ(append_numbered(writer, i), AppendStatus::kNoSpare);
  EXPECT_EQ(writer.sync(), SyncStatus::kOk);  // what was taken is still made durable
  g_allocate_error = 0;
  EXPECT_EQ(writer.prepare().status, PrepareStatus::kReady);
  fill(writer, i, i + 10);
  EXPECT_EQ(writer.close(), SyncStatus::kOk);
  EXPECT_EQ(read_all(temp / "j").positions, numbers(1, i + 10));
}

TEST(Journal, NeverTriesAgainAfterAFailedSync) {
  TempDir temp;
  JournalWriter writer(small_journal(temp / "j"), {}, failing_calls());
  fill(writer, 1, 10);
  EXPECT_EQ(writer.sync(), SyncStatus::kOk);
  fill(writer, 11, 20);
  g_sync_error = EIO;
  EXPECT_EQ(writer.sync(), SyncStatus::kFailed);
  EXPECT_EQ(writer.sync_error(), EIO);
  g_sync_error = 0;
  const int calls = g_sync_calls;
  EXPECT_EQ(writer.sync(), SyncStatus::kFailed);
  EXPECT_EQ(writer.prepare().status, PrepareStatus::kFailed);
  EXPECT_EQ(writer.close(), SyncStatus::kFailed);
  EXPECT_EQ(g_sync_calls, calls) << "the kernel may have dropped the pages: asking again would lie";
  EXPECT_EQ(writer.durable_position(), 10U);
}

TEST(Journal, RefusesAppendsAfterAFailedSync) {
  TempDir temp;
  JournalWriter writer(small_journal(temp / "j"), {}, failing_calls());
  fill(writer, 1, 1);
  g_sync_error = EIO;
  EXPECT_EQ(writer.sync(), SyncStatus::kFailed);
  EXPECT_EQ(append_numbered(writer, 2), AppendStatus::kFailed);
  EXPECT_EQ(writer.appended_position(), 1U);
}

TEST(Journal, ReadsWhatALiveWriterHasAppended) {
  TempDir temp;
  JournalWriter writer(small_journal(temp / "j"));
  fill(writer, 1, 300);
  const ReadResult read = read_all(temp / "j");
  EXPECT_EQ(read.positions, numbers(1, 300));
  EXPECT_TRUE(read.all_match);
  EXPECT_FALSE(read.damaged);
}

TEST(JournalReader, CallsAnEmptyFolderAnEmptyJournal) {
  TempDir temp;
  std::filesystem::create_directory(temp / "j");
  JournalReader reader(temp / "j");
  RecordView record;
  EXPECT_FALSE(reader.next(record));
  EXPECT_TRUE(reader.segments().empty());
  EXPECT_TRUE(reader.findings().empty());
}

TEST(JournalReader, RefusesAFolderThatIsNotThere) {
  TempDir temp;
  EXPECT_THAT(error_of([&] { JournalReader reader(temp / "missing"); }, ExitCode::kResource),
              HasSubstr("missing"));
}

TEST(SegmentName, ReadsBackOnlyItsOwnForm) {
  EXPECT_EQ(segment_name(7), "journal-000007.seg");
  EXPECT_EQ(segment_name(1'234'567), "journal-1234567.seg");
  EXPECT_EQ(segment_index("journal-000007.seg"), 7U);
  EXPECT_EQ(segment_index("journal-1234567.seg"), 1'234'567U);
  for (const char* name :
       {"journal-000000.seg", "journal-00001.seg", "journal-000001.seg.tmp", "journal-.seg",
        "journal-00000x.seg", "journal.lock", "", "journal-99999999999999999999.seg"}) {
    EXPECT_EQ(segment_index(name), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace sluice
