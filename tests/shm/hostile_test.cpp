// What a peer can do to its files, and what it cannot do to us.

#include <fcntl.h>
#include <sys/mman.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <thread>

#include "shm/stage_page.hpp"
#include "tests/shm/shm_fixture.hpp"

namespace sluice::shm::test {
namespace {

enum class Metric : std::uint32_t { kOne, kCount };
constexpr auto kRows = metric_rows<Metric>({{Metric::kOne, "one", "1", MetricKind::kCounter}});
constexpr MetricTable kMetrics{kRows};

class Hostile : public ShmTest {
 protected:
  void SetUp() override {
    ShmTest::SetUp();
    Layout layout = small_layout();
    layout.pages.push_back({"risk", &kMetrics});
    create_layout(layout, false);
  }
  void shrink(const std::string& file, std::size_t bytes) const {
    ASSERT_EQ(truncate(path(file).c_str(), static_cast<off_t>(bytes)), 0);
  }
  // Cuts a ring's data there and makes it long again: no SIGBUS tells of it.
  void expect_full_behind_a_cut_at(std::size_t bytes) const {
    const RoleLock producing = role("producer");
    const RoleLock consuming = role("consumer");
    const Instance instance = attach();
    RingProducer<OneLine> producer(instance, "md");
    RingConsumer<OneLine> consumer(instance, "md");
    for (std::uint64_t i = 0; i < 1000; ++i) {
      ASSERT_TRUE(producer.try_push(OneLine::of(i)));
      ASSERT_EQ(consumer.drain([](const OneLine&) {}, 1), 1u);
    }
    const std::string file = ring_data_file("md");
    const std::uintmax_t whole = std::filesystem::file_size(path(file));
    shrink(file, bytes);
    shrink(file, whole);
    EXPECT_FALSE(producer.try_push(OneLine::of(1000)));
    EXPECT_TRUE(producer.own_file_lost());
    EXPECT_EQ(producer.broken_peer(), 0u);
    EXPECT_EQ(producer.free_slots(), 0u);
    OneLine copy{};
    EXPECT_FALSE(consumer.peek(copy));
  }
  // Stores one byte at `where` in a child; returns how the child ended.
  static int store_in_child(std::byte* where) {
    Child child([&] {
      signal(SIGSEGV, SIG_DFL);  // a sanitizer would turn the signal into a report
      *static_cast<volatile std::byte*>(where) = std::byte{1};
      return 0;
    });
    return child.wait();
  }
};

TEST_F(Hostile, StoreThroughTheOtherSidesMappingIsStoppedByTheKernel) {
  const RoleLock producing = role("producer");
  const RoleLock consuming = role("consumer");
  const Instance instance = attach();
  const RingMapping consumer =
      attach_ring_consumer(instance, "md", kSchemaHash<OneLine>, sizeof(OneLine));
  EXPECT_EQ(store_in_child(consumer.data.data() + kRingSlotsOffset), -SIGSEGV);
  const RingMapping producer =
      attach_ring_producer(instance, "md", kSchemaHash<OneLine>, sizeof(OneLine));
  EXPECT_EQ(store_in_child(producer.cursor.data() + kRingWordsOffset), -SIGSEGV);
  const Segment board = attach_board(instance, "quotes", kSchemaHash<FourLines>, sizeof(FourLines),
                                     Region::Access::kReadOnly);
  EXPECT_EQ(store_in_child(board.region.data() + kBoardRowsOffset), -SIGSEGV);
}

TEST_F(Hostile, WritableMappingDoesNotReachAForkedChild) {
  const RoleLock producing = role("producer");
  const Instance instance = attach();
  const RingMapping producer =
      attach_ring_producer(instance, "md", kSchemaHash<OneLine>, sizeof(OneLine));
  EXPECT_EQ(store_in_child(producer.data.data() + kRingSlotsOffset), -SIGSEGV);
}

TEST_F(Hostile, TruncatedRingReadsAsEmptyAndMarksThePeer) {
  const RoleLock producing = role("producer");
  const RoleLock consuming = role("consumer");
  const Instance instance = attach();
  RingProducer<OneLine> producer(instance, "md");
  RingConsumer<OneLine> consumer(instance, "md");
  ASSERT_TRUE(producer.try_push(OneLine::of(1)));
  shrink(ring_data_file("md"), kHeaderBytes);
  OneLine copy{};
  EXPECT_FALSE(consumer.peer_hostile());
  EXPECT_FALSE(consumer.peek(copy));
  EXPECT_TRUE(consumer.peer_hostile());
  EXPECT_TRUE(consumer.empty());
  EXPECT_FALSE(consumer.own_file_lost());
  EXPECT_TRUE(producer.try_push(OneLine::of(2)));  // lives on, and can see that it is alone
  EXPECT_TRUE(producer.own_file_lost());
}

// A producer knows where it stands from its own file alone: what it finds there now lies before.
TEST_F(Hostile, AProducerWhoseFileWasCutAndExtendedIsFullAndBlamesNoConsumer) {
  expect_full_behind_a_cut_at(0);
}
TEST_F(Hostile, AProducerWhoseTailWasCutInTwoIsFullAndBlamesNoConsumer) {
  expect_full_behind_a_cut_at(kRingWordsOffset + 1);
}

TEST_F(Hostile, TruncatedCursorLeavesTheProducerAlive) {
  const RoleLock producing = role("producer");
  const Instance instance = attach();
  RingProducer<OneLine> producer(instance, "md");
  for (std::uint64_t i = 0; i < 64; ++i)
    ASSERT_TRUE(producer.try_push(OneLine::of(i)));
  shrink(ring_cursor_file("md"), 0);
  EXPECT_FALSE(producer.try_push(OneLine::of(64)));
  EXPECT_TRUE(producer.peer_hostile());
}

TEST_F(Hostile, TruncatedBoardReadsAsNeverWritten) {
  const RoleLock owning = role("producer");
  const Instance instance = attach();
  BoardWriter<FourLines> writer(instance, "quotes");
  writer.store(0, FourLines::of(1));
  const BoardReader<FourLines> reader(instance, "quotes");
  shrink(board_file("quotes"), 0);
  FourLines row{};
  EXPECT_EQ(reader.load(0, row), BoardRead::kNever);
  EXPECT_TRUE(reader.writer_hostile());
  writer.store(0, FourLines::of(2));  // the writer of its own lost file lives on as well
}

TEST_F(Hostile, TruncatedTripWordsCountAsATrip) {
  const Instance instance = attach();
  const OperatorTrip::View operator_words(instance);
  const StageView page(instance, "risk");
  EXPECT_FALSE(operator_words.any(0));
  EXPECT_FALSE(page.tripped(0));
  shrink(operator_trip_file(), 0);
  shrink(stage_file("risk"), 0);
  EXPECT_TRUE(operator_words.any(0));
  EXPECT_TRUE(page.tripped(0));
}

TEST_F(Hostile, BusErrorOutsideOurMappingsKillsAsEver) {
  const std::string file = path("somebody-elses");
  Child child([&] {
    const Instance instance = attach();  // the handler is installed
    const BoardReader<FourLines> reader(instance, "quotes");
    signal(SIGSEGV, SIG_DFL);
    const int descriptor = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (ftruncate(descriptor, 4096) != 0)
      return 2;
    auto* const bytes =
        static_cast<volatile char*>(mmap(nullptr, 4096, PROT_READ, MAP_SHARED, descriptor, 0));
    if (ftruncate(descriptor, 0) != 0)
      return 2;
    return bytes[0] == 0 ? 3 : 4;
  });
  const int end = child.wait();
  // 1 and 66: the handler before ours was a sanitizer's, which reports it.
  EXPECT_TRUE(end == -SIGBUS || end == 1 || end == 66) << end;
}

TEST_F(Hostile, MetricTableThatPointsOutsideThePageIsLeftOut) {
  const Instance instance = attach();
  {
    const RoleLock owning = role("risk");
    const Segment page = attach_segment(instance, stage_file("risk"),
                                        {.kind = SegmentKind::kStagePage, .name = "risk"},
                                        Region::Access::kReadWrite);
    auto* const entry = page.region.at<MetricEntry>(kMetricEntriesOffset);
    entry->value_offset = std::uint64_t{1} << 60;
    entry->name.fill('x');
    page.region.at<StageWords>(kStageWordsOffset)->state = 77;
  }
  const StageView view(instance, "risk");
  EXPECT_EQ(view.counter(Metric::kOne), 0u);
  EXPECT_EQ(view.metrics().at(0).name, std::string(kMetricNameBytes, 'x'));
  EXPECT_EQ(view.state(), StageState::kFailed) << "a state that does not exist is not alive";
  EXPECT_FALSE(view.state_known());
}

// Method: a hostile producer flips the payload of a published slot between two whole records as
// fast as it can. The consumer may get any mixture, but what it checked is what it uses: the copy
// does not change under its hands.
TEST_F(Hostile, CopyDoesNotChangeAfterItWasChecked) {
  const RoleLock producing = role("producer");
  const RoleLock consuming = role("consumer");
  const Instance instance = attach();
  RingProducer<OneLine> producer(instance, "md");
  RingConsumer<OneLine> consumer(instance, "md");
  ASSERT_TRUE(producer.try_push(OneLine::of(1)));
  const RingMapping spoil =
      attach_ring_producer(instance, "md", kSchemaHash<OneLine>, sizeof(OneLine));
  std::atomic<bool> done{false};
  std::thread flipper([&] {
    auto* const word = spoil.slots() + 1;
    for (std::uint64_t i = 0; !done; ++i)
      StdAtomics::store_relaxed(*word, i & 1);
  });
  std::uint64_t changed = 0;
  for (int i = 0; i < 200'000; ++i) {
    OneLine copy{};
    ASSERT_TRUE(consumer.peek(copy));
    const std::uint64_t checked = copy.sequence;
    if (checked > 1)
      continue;
    std::atomic_signal_fence(
        std::memory_order_seq_cst);  // the use may not be merged with the check
    if (copy.sequence != checked)
      ++changed;
  }
  done = true;
  flipper.join();
  EXPECT_EQ(changed, 0u);
}

}  // namespace
}  // namespace sluice::shm::test
