// DatabaseWriter: follows a growing journal, waits out trouble, refuses what a person has to
// decide.
#include "common/storage/database_writer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/storage/trade_fixture.hpp"

namespace sluice {
namespace {

using namespace sluice::test;
using State = DatabaseWriter::State;
using ::testing::HasSubstr;

class Writer : public ::testing::Test {
 protected:
  [[nodiscard]] DatabaseWriter::Options options(std::uint32_t batch = 50) const {
    return {.journal_dir = dir_, .path = path_, .batch = batch};
  }
  // Turns until there is nothing more to do at once.
  void run(DatabaseWriter& writer, std::uint64_t durable) {
    while (writer.turn(durable, now_)) {
    }
  }
  void expect_complete(std::uint64_t until) {
    TradeDatabase whole({.path = ":memory:", .journal = name_of_journal(dir_)});
    apply_all(whole, dir_, until);
    EXPECT_EQ(dump(path_), dump(whole.connection()));
  }
  void overwrite(std::uint64_t offset, std::size_t bytes) {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(offset));
    file << std::string(bytes, '\x5a');
    ASSERT_TRUE(file.good());
  }

  TempDir temp_;
  std::string dir_{temp_ / "j"};
  std::string path_{temp_ / "trades.db"};
  MonoNanos now_{kNanosPerSecond};
  JournalMaker maker_{dir_};
};

TEST_F(Writer, FollowsAGrowingJournalThroughItsSegments) {
  DatabaseWriter writer(options());
  std::uint64_t durable = 0;
  for (std::uint64_t i = 0; i < 20; ++i) {
    maker_.push_random(i, 15);
    durable = maker_.sync();
    run(writer, durable);
    ASSERT_EQ(writer.status().state, State::kCurrent) << writer.status().problem;
    ASSERT_EQ(writer.status().applied, durable);
  }
  EXPECT_GT(list_segments(dir_).size(), 10U);
  expect_complete(durable);
}

TEST_F(Writer, AppliesNothingBeyondTheDurablePosition) {
  maker_.push_random(1, 10);
  const std::uint64_t durable = maker_.sync();
  maker_.push_random(2, 10);  // appended, not synced
  DatabaseWriter writer(options());
  run(writer, durable);
  EXPECT_EQ(writer.status().applied, durable);
  expect_complete(durable);
}

TEST_F(Writer, EndsATransactionAfterABatchAndSaysThatItIsBehind) {
  maker_.push_random(1, 40);
  const std::uint64_t durable = maker_.sync();
  DatabaseWriter writer(options(20));
  EXPECT_TRUE(writer.turn(durable, now_));
  EXPECT_EQ(writer.status().state, State::kBehind);
  EXPECT_LT(writer.status().applied, durable);
  run(writer, durable);
  EXPECT_EQ(writer.status().state, State::kCurrent);
  expect_complete(durable);
}

TEST_F(Writer, WaitsLongerAndLongerWhileTheDatabaseIsLockedAndThenCatchesUp) {
  maker_.push_random(1, 20);
  std::uint64_t durable = maker_.sync();
  DatabaseWriter writer(options());
  run(writer, durable);
  sqlite::Connection other(path_, sqlite::Connection::Mode::kReadWriteCreate);
  other.run("BEGIN IMMEDIATE");
  maker_.push_random(2, 20);
  durable = maker_.sync();
  run(writer, durable);
  EXPECT_EQ(writer.status().state, State::kDegraded);
  EXPECT_THAT(writer.status().problem, HasSubstr("locked"));
  // Not again before its pause is over: 50, 100, 200 … 2000 ms.
  std::int64_t pause = 50 * kNanosPerMilli;
  for (int i = 0; i < 10; ++i) {
    const std::uint64_t errors = writer.status().errors;
    now_.ns += pause - 1;
    run(writer, durable);
    ASSERT_EQ(writer.status().errors, errors);
    now_.ns += 1;
    run(writer, durable);
    ASSERT_EQ(writer.status().errors, errors + 1);
    pause = std::min(pause * 2, 2 * kNanosPerSecond);
  }
  other.run("ROLLBACK");
  now_.ns += pause;
  run(writer, durable);
  EXPECT_EQ(writer.status().state, State::kCurrent) << writer.status().problem;
  EXPECT_EQ(writer.status().problem, "");
  expect_complete(durable);
}

TEST_F(Writer, AReaderInALongTransactionHoldsNobodyUp) {
  maker_.push_random(1, 20);
  DatabaseWriter writer(options());
  run(writer, maker_.sync());
  sqlite::Connection reader(path_, sqlite::Connection::Mode::kReadOnly);
  reader.run("BEGIN");
  const std::int64_t before = count(reader, "orders");
  maker_.push_random(2, 20);
  const std::uint64_t durable = maker_.sync();
  run(writer, durable);
  EXPECT_EQ(writer.status().state, State::kCurrent) << writer.status().problem;
  EXPECT_EQ(count(reader, "orders"), before);  // its own moment
  reader.run("COMMIT");
  EXPECT_EQ(count(reader, "orders"), before + 20);
}

TEST_F(Writer, ADatabaseThatWasDeletedIsMadeAnewFromTheJournalsStart) {
  maker_.push_random(1, 20);
  std::uint64_t durable = maker_.sync();
  DatabaseWriter writer(options());
  run(writer, durable);
  for (const char* end : {"", "-wal", "-shm"})
    std::filesystem::remove(path_ + end);
  maker_.push_random(2, 20);
  durable = maker_.sync();
  now_.ns += 2 * kNanosPerSecond;
  run(writer, durable);
  EXPECT_EQ(writer.status().state, State::kCurrent) << writer.status().problem;
  expect_complete(durable);
}

TEST_F(Writer, AFileThatIsNoDatabaseIsRefusedUntouchedAndLookedAtAgain) {
  const std::string text(20'000, 'x');
  std::ofstream(path_) << text;
  maker_.push_random(1, 5);
  const std::uint64_t durable = maker_.sync();
  DatabaseWriter writer(options());
  run(writer, durable);
  EXPECT_EQ(writer.status().state, State::kRefused);
  EXPECT_THAT(writer.status().problem, HasSubstr("move the file aside"));
  std::ostringstream found;
  found << std::ifstream(path_).rdbuf();
  EXPECT_EQ(found.str(), text);
  std::filesystem::rename(path_, temp_ / "aside");
  now_.ns += 5 * kNanosPerSecond;
  run(writer, durable);
  EXPECT_EQ(writer.status().state, State::kCurrent) << writer.status().problem;
  expect_complete(durable);
}

TEST_F(Writer, ADamagedDatabaseIsRefused) {
  maker_.push_random(1, 100);
  const std::uint64_t durable = maker_.sync();
  {
    DatabaseWriter writer(options());
    run(writer, durable);
  }
  // The pages behind the schema's: tables and indexes.
  overwrite(4'096, std::filesystem::file_size(path_) - 4'096);
  maker_.push_random(2, 5);
  DatabaseWriter writer(options());
  run(writer, maker_.sync());
  EXPECT_EQ(writer.status().state, State::kRefused);
  EXPECT_THAT(writer.status().problem, HasSubstr("move the file aside"));
}

TEST_F(Writer, AnUnreachableFolderIsTriedAgain) {
  maker_.push_random(1, 5);
  const std::uint64_t durable = maker_.sync();
  DatabaseWriter::Options away = options();
  away.path = temp_ / "away/trades.db";
  DatabaseWriter writer(away);
  run(writer, durable);
  EXPECT_EQ(writer.status().state, State::kDegraded);
  std::filesystem::create_directory(temp_ / "away");
  now_.ns += kNanosPerSecond;
  run(writer, durable);
  EXPECT_EQ(writer.status().state, State::kCurrent) << writer.status().problem;
}

TEST_F(Writer, AnOlderCopyOfTheJournalIsRefused) {
  const std::filesystem::path copy = temp_ / "copy";
  maker_.push_random(1, 10);
  static_cast<void>(maker_.sync());
  std::filesystem::copy(dir_, copy, std::filesystem::copy_options::recursive);
  maker_.push_random(2, 60);
  const std::uint64_t durable = maker_.sync();
  {
    DatabaseWriter writer(options());
    run(writer, durable);
  }
  DatabaseWriter::Options older = options();
  older.journal_dir = copy.string();
  DatabaseWriter writer(older);
  run(writer, durable);
  EXPECT_EQ(writer.status().state, State::kRefused);
  EXPECT_FALSE(writer.status().problem.empty());
}

TEST_F(Writer, ADurableRecordThatCannotBeReadIsRefusedNotSkipped) {
  maker_.push_random(1, 40);
  const std::uint64_t durable = maker_.sync();
  const std::string segment = dir_ + "/" + segment_name(2);
  std::fstream file(segment, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(kSegmentHeaderBytes + 1'000);
  file.put('\x7f');
  file.close();
  DatabaseWriter writer(options());
  run(writer, durable);
  EXPECT_EQ(writer.status().state, State::kRefused);
  EXPECT_THAT(writer.status().problem, HasSubstr("is durable, but cannot be read"));
  EXPECT_LT(writer.status().applied, durable);
}

}  // namespace
}  // namespace sluice
