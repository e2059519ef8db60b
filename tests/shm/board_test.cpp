// A/B rows: what a reader sees, and what it never sees.

#include "tests/shm/shm_fixture.hpp"

namespace sluice::shm::test {
namespace {

class Board : public ShmTest {};
constexpr std::size_t kWords = 31;
using Core = BoardCore<StdAtomics, kWords>;
using Row = std::array<std::uint64_t, board_row_words(kWords)>;

Core::Value value(std::uint64_t sequence) {
  return std::bit_cast<Core::Value>(FourLines::of(sequence));
}

TEST(BoardCore, RowThatWasNeverWrittenSaysSo) {
  Row row{};
  Core::Value copy{};
  EXPECT_EQ(Core::load(row.data(), copy), BoardRead::kNever);
}

TEST(BoardCore, LastStoredValueIsRead) {
  Row row{};
  Core::Value copy{};
  for (std::uint64_t i = 0; i < 10; ++i) {
    Core::store(row.data(), value(i));
    ASSERT_EQ(Core::load(row.data(), copy), BoardRead::kOk);
    EXPECT_EQ(copy, value(i));
  }
}

TEST(BoardCore, HalfWrittenValueIsInvisible) {
  Row row{};
  Core::store(row.data(), value(1));
  Core::store(row.data(), value(2));
  // The writer of version 3 died: half of copy 1, version still 2.
  for (std::size_t i = 0; i < kWords / 2; ++i)
    row[1 + kWords + i] = 0xdead;
  Core::Value copy{};
  ASSERT_EQ(Core::load(row.data(), copy), BoardRead::kOk);
  EXPECT_EQ(copy, value(2));
  Core::store(row.data(), value(3));  // its successor
  ASSERT_EQ(Core::load(row.data(), copy), BoardRead::kOk);
  EXPECT_EQ(copy, value(3));
}

// An atomics policy under which the writer overtakes the reader at every single load of a version.
struct OvertakingAtomics : StdAtomics {
  static inline std::uint64_t version = 2;
  static inline int versions_read = 0;
  [[nodiscard]] static std::uint64_t load_acquire(const Word& word, Sync sync) noexcept {
    if (&word == watched) {
      ++versions_read;
      return version += 2;
    }
    return StdAtomics::load_acquire(word, sync);
  }
  [[nodiscard]] static std::uint64_t load_relaxed(const Word&) noexcept { return version + 1; }
  static inline const Word* watched = nullptr;
};

TEST(BoardCore, ReaderThatIsAlwaysOvertakenGivesUpWithAnAnswer) {
  Row row{};
  OvertakingAtomics::watched = row.data();
  BoardCore<OvertakingAtomics, kWords>::Value copy{};
  EXPECT_EQ((BoardCore<OvertakingAtomics, kWords>::load(row.data(), copy)), BoardRead::kContended);
  EXPECT_EQ(OvertakingAtomics::versions_read, kReadAttempts);
}

TEST_F(Board, WriterAndReaderMeetInTheFile) {
  create_layout(small_layout(), false);
  const RoleLock owning = role("producer");
  const Instance instance = attach();
  const BoardReader<FourLines> reader(instance, "quotes");
  FourLines row{};
  EXPECT_EQ(reader.rows(), 4u);
  EXPECT_EQ(reader.load(3, row), BoardRead::kNever);
  EXPECT_EQ(reader.version(3), 0u);
  BoardWriter<FourLines> writer(instance, "quotes");
  writer.store(3, FourLines::of(9));
  ASSERT_EQ(reader.load(3, row), BoardRead::kOk);
  EXPECT_EQ(row.sequence, 9u);
  EXPECT_TRUE(row.whole());
  EXPECT_EQ(reader.version(3), 1u);
  EXPECT_EQ(reader.load(2, row), BoardRead::kNever) << "a neighbour is untouched";
}

TEST_F(Board, RowOutsideTheBoardReadsAsNeverWrittenAndStopsAWriter) {
  create_layout(small_layout(), false);
  const RoleLock owning = role("producer");
  const Instance instance = attach();
  const BoardReader<FourLines> reader(instance, "quotes");
  FourLines row{};
  EXPECT_EQ(reader.load(4, row), BoardRead::kNever);
  EXPECT_EQ(reader.version(4), 0u);
  Child writer_process([&] {
    freopen("/dev/null", "w", stderr);  // the assertion's line is expected
    BoardWriter<FourLines> writer(instance, "quotes");
    writer.store(4, FourLines::of(1));
    return 0;
  });
  EXPECT_EQ(writer_process.wait(), -SIGABRT);
}

TEST_F(Board, SuccessorOfAWriterFindsTheLastValueAndGoesOn) {
  create_layout(small_layout(), false);
  const RoleLock owning = role("producer");
  const Instance instance = attach();
  BoardWriter<FourLines>(instance, "quotes").store(0, FourLines::of(1));
  BoardWriter<FourLines> successor(instance, "quotes");
  FourLines row{};
  ASSERT_EQ(successor.load(0, row), BoardRead::kOk);
  EXPECT_EQ(row.sequence, 1u);
  successor.store(0, FourLines::of(2));
  ASSERT_EQ(successor.load(0, row), BoardRead::kOk);
  EXPECT_EQ(row.sequence, 2u);
}

}  // namespace
}  // namespace sluice::shm::test
