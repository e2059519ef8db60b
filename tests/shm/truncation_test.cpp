// A peer cuts its file to nothing, to half, to one page, while others are reading it.
//
// Method: a thread loops over every answer the reader has; the file is cut under it (the process
// that owns a file can always do that), and made as long as before again. The reader must live,
// must have noticed, must answer as if nothing were there (empty, never, tripped), and must not
// believe the file again. Whatever it was handed at the instant of the cut may be garbage, but then
// the mark is set. Who writes into a file that was cut lives as well, and can tell.

#include <fcntl.h>
#include <sys/stat.h>

#include <atomic>
#include <functional>
#include <thread>

#include "shm/ring_probe.hpp"
#include "shm/stage_page.hpp"
#include "tests/shm/shm_fixture.hpp"

namespace sluice::shm::test {
namespace {

enum class Metric : std::uint32_t { kCounter, kHistogram, kLast, kCount };
constexpr auto kRows =
    metric_rows<Metric>({{Metric::kCounter, "counter", "1", MetricKind::kCounter},
                         {Metric::kHistogram, "histogram", "ns", MetricKind::kHistogram},
                         {Metric::kLast, "last", "1", MetricKind::kCounter}});
constexpr MetricTable kMetrics{kRows};

enum class Cut : std::uint8_t { kToNothing, kToHalf, kToOnePage };

class Truncation : public ShmTest, public ::testing::WithParamInterface<Cut> {
 protected:
  void SetUp() override {
    ShmTest::SetUp();
    Layout layout = small_layout(1024);
    layout.boards[0].rows = 64;
    layout.pages.push_back({"risk", &kMetrics});
    create_layout(layout, false);
  }

  [[nodiscard]] off_t size_of(const std::string& file) const {
    struct stat status {};
    EXPECT_EQ(stat(path(file).c_str(), &status), 0);
    return status.st_size;
  }
  void resize(const std::string& file, off_t bytes) const {
    ASSERT_EQ(truncate(path(file).c_str(), bytes), 0);
  }
  void cut(const std::string& file) const {
    const off_t bytes = size_of(file);
    const auto page = static_cast<off_t>(kPageBytes);
    resize(file, GetParam() == Cut::kToNothing ? 0 : GetParam() == Cut::kToHalf ? bytes / 2 : page);
  }

  // Loops `look` in a thread; cuts the file; waits until `noticed`; makes the file long again; and
  // lets `look` run on for some turns.
  void cut_under(const std::string& file, const std::function<void()>& look,
                 const std::function<bool()>& noticed) const {
    const off_t bytes = size_of(file);
    std::atomic<bool> stop{false};
    std::atomic<std::uint64_t> turns{0};
    std::thread reader([&] {
      while (!stop) {
        look();
        ++turns;
        sched_yield();
      }
    });
    const auto some_turns = [&] {
      const std::uint64_t target = turns + 20;
      return eventually([&] { return turns >= target; });
    };
    EXPECT_TRUE(some_turns());
    EXPECT_FALSE(noticed());
    cut_ = true;
    cut(file);
    EXPECT_TRUE(eventually(noticed));
    EXPECT_TRUE(some_turns());
    resize(file, bytes);
    EXPECT_TRUE(some_turns());
    EXPECT_TRUE(noticed()) << "a file that was cut is believed again";
    stop = true;
    reader.join();
  }

  mutable std::atomic<bool> cut_{false};  // from here on garbage may be read
};

TEST_P(Truncation, RingDataUnderItsConsumerAndItsOwnProducer) {
  const RoleLock producing = role("producer");
  const RoleLock consuming = role("consumer");
  const Instance instance = attach();
  RingProducer<OneLine> producer(instance, "md");
  RingConsumer<OneLine> consumer(instance, "md");
  std::uint64_t wrong = 0;
  const auto look = [&] {
    while (producer.try_push(OneLine::of(producer.tail()))) {
    }
    consumer.drain(
        [&](const OneLine& record) {
          if ((!record.whole() || record.sequence >= producer.tail()) && !cut_)
            ++wrong;
        },
        100);
    // Whoever reaches the first slot that is gone notices; when that is the consumer, the ring
    // fills behind it, and its producer would stand still short of the cut for good.
    if (consumer.peer_hostile())
      consumer.release_to(producer.tail());
  };
  cut_under(ring_data_file("md"), look,
            [&] { return consumer.peer_hostile() && producer.own_file_lost(); });
  EXPECT_EQ(wrong, 0u);
  EXPECT_TRUE(consumer.empty());
  EXPECT_FALSE(consumer.own_file_lost());
}

TEST_P(Truncation, RingDataUnderATool) {
  const RoleLock producing = role("producer");
  const Instance instance = attach();
  RingProducer<OneLine> producer(instance, "md");
  for (std::uint64_t i = 0; i < 1024; ++i)
    ASSERT_TRUE(producer.try_push(OneLine::of(i)));
  const RingProbe probe(instance, "md");
  std::uint64_t wrong = 0;
  std::atomic<bool> all_gone{false};
  const auto look = [&] {
    std::uint64_t found = 0;
    for (std::uint64_t i = 0; i < 1024; ++i) {
      OneLine copy{};
      if (!probe.read(i, copy))
        continue;
      ++found;
      if (!copy.whole() && !cut_)
        ++wrong;
    }
    static_cast<void>(probe.depth() + probe.depth_max() + probe.messages());
    all_gone = found < 1024 - largest_batch(1024) - 1;
  };
  cut_under(ring_data_file("md"), look, [&] { return probe.data_hostile() && all_gone; });
  EXPECT_EQ(wrong, 0u);
}

TEST_P(Truncation, CursorUnderTheProducerAndItsOwnConsumer) {
  const RoleLock producing = role("producer");
  const RoleLock consuming = role("consumer");
  const Instance instance = attach();
  RingProducer<OneLine> producer(instance, "md");
  RingConsumer<OneLine> consumer(instance, "md");
  for (std::uint64_t i = 0; i < 5000; ++i) {  // so that a cursor of zero is an impossible one
    ASSERT_TRUE(producer.try_push(OneLine::of(i)));
    ASSERT_EQ(consumer.drain([](const OneLine&) {}, 1), 1u);
  }
  const auto look = [&] {
    while (producer.try_push(OneLine::of(producer.tail()))) {
    }
    consumer.drain([](const OneLine&) {}, 100);
  };
  cut_under(ring_cursor_file("md"), look,
            [&] { return producer.peer_hostile() && consumer.own_file_lost(); });
  EXPECT_FALSE(producer.try_push(OneLine::of(0)));
  EXPECT_EQ(producer.free_slots(), 0u);
  EXPECT_GT(producer.broken_peer(), 0u);
  EXPECT_FALSE(producer.own_file_lost());
}

TEST_P(Truncation, BoardUnderItsReadersAndItsWriter) {
  const RoleLock owning = role("producer");
  const Instance instance = attach();
  BoardWriter<FourLines> writer(instance, "quotes");
  const BoardReader<FourLines> reader(instance, "quotes");
  for (std::uint32_t i = 0; i < writer.rows(); ++i)
    writer.store(i, FourLines::of(1));
  std::uint64_t wrong = 0;
  std::uint64_t stored = 1;
  const auto look = [&] {
    ++stored;
    for (std::uint32_t i = 0; i < writer.rows(); ++i) {
      FourLines row{};
      const BoardRead result = reader.load(i, row);
      if (result == BoardRead::kContended ||
          ((result == BoardRead::kNever || !row.whole()) && !cut_))
        ++wrong;
      writer.store(i, FourLines::of(stored));
    }
  };
  cut_under(board_file("quotes"), look,
            [&] { return reader.writer_hostile() && writer.own_file_lost(); });
  EXPECT_EQ(wrong, 0u);
  FourLines row{};
  EXPECT_EQ(reader.load(63, row), BoardRead::kNever);
}

// A row of 384 bytes with the version in one page and most of the value in the next.
TEST_F(ShmTest, ABoardsRowAcrossACutPageIsNotHalfRead) {
  using Row = AcrossPages;
  static_assert(kPageBytes % (board_row_words(23) * sizeof(std::uint64_t)) != 0);
  constexpr std::uint32_t kAcross = 10;  // bytes 3,840 to 4,224 of the rows
  Layout layout = small_layout(1024);
  layout.boards.push_back(board_spec<Row>("wide", 16, "producer"));
  create_layout(layout, false);
  const RoleLock owning = role("producer");
  const Instance instance = attach();
  BoardWriter<Row> writer(instance, "wide");
  const BoardReader<Row> reader(instance, "wide");
  writer.store(kAcross, Row::of(1));  // into copy 1: 64 bytes of it before the page's end
  Row row{};
  ASSERT_EQ(reader.load(kAcross, row), BoardRead::kOk);
  ASSERT_EQ(truncate(path(board_file("wide")).c_str(), kBoardRowsOffset + kPageBytes), 0);
  row = Row::of(3);
  EXPECT_EQ(reader.load(kAcross, row), BoardRead::kNever);
  EXPECT_EQ(row.sequence, 3U) << "what was read of a torn row was handed out";
}

TEST_P(Truncation, StagePageUnderItsReadersAndItsStage) {
  const RoleLock owning = role("risk");
  const Instance instance = attach();
  StagePage page(instance, "risk", kMetrics);
  page.set_state(StageState::kLive);
  page.add(Metric::kLast, 1);
  const StageView view(instance, "risk");
  std::atomic<bool> gone{false};
  const auto look = [&] {
    static_cast<void>(view.histogram(Metric::kHistogram).count());
    static_cast<void>(view.errors());
    static_cast<void>(view.heartbeat_ns().ns + view.pid());
    gone = view.counter(Metric::kLast) == 0;
    page.add(Metric::kLast, 1);
    page.record(Metric::kHistogram, 5);
    page.beat(instance.now());
  };
  EXPECT_FALSE(view.tripped(1));
  cut_under(stage_file("risk"), look,
            [&] { return view.writer_hostile() && page.own_file_lost() && gone; });
  EXPECT_TRUE(view.tripped(1)) << "what cannot be read is no permission";
  if (GetParam() != Cut::kToHalf) {
    EXPECT_NE(view.state(), StageState::kLive);
  }
}

TEST_P(Truncation, OperatorsTripWordsUnderTheirReaders) {
  const Instance instance = attach();
  const OperatorTrip::View view(instance);
  std::atomic<bool> tripped{false};
  cut_under(
      operator_trip_file(), [&] { tripped = view.any(3); }, [&] { return tripped.load(); });
  EXPECT_TRUE(view.any(0));
}

// Nothing of the control segment is read after the attach; who attaches while it is cut gets an
// answer.
TEST_P(Truncation, ControlSegmentUnderThoseWhoAttach) {
  const Instance running = attach();
  std::atomic<bool> refused{false};
  const auto look = [&] {
    try {
      static_cast<void>(Instance::attach(dir(), std::chrono::milliseconds{0}));
      refused = false;
    } catch (const AttachError& failure) {
      refused = failure.status() == AttachStatus::kNotYet ||
                failure.status() == AttachStatus::kWrongSize ||
                failure.status() == AttachStatus::kWrongLayout;
    }
  };
  cut_under(control_file(), look, [&] { return refused.load(); });
  EXPECT_GT(running.now().ns, 0) << "who was attached keeps its clock";
  EXPECT_TRUE(running.still_current());
}

// A file that was cut and made long again has holes: it is not what was created.
TEST_P(Truncation, FileThatWasCutAndExtendedIsRefusedByNewcomers) {
  const Instance instance = attach();
  const auto cut_and_extend = [&](const std::string& file) {
    const off_t bytes = size_of(file);
    resize(file, bytes - static_cast<off_t>(kPageBytes));
    resize(file, bytes);
  };
  cut_and_extend(ring_data_file("md"));
  cut_and_extend(board_file("quotes"));
  cut_and_extend(stage_file("risk"));
  const auto probe = [&] { RingProbe{instance, "md"}; };
  EXPECT_EQ(status_of(probe), AttachStatus::kWrongSize);
  EXPECT_TRUE(says(error_of(probe).what(), {"ring.md.data", "cut and extended", "shm create"}));
  EXPECT_EQ(status_of([&] {
              BoardReader<FourLines>{instance, "quotes"};
            }),
            AttachStatus::kWrongSize);
  EXPECT_EQ(status_of([&] { StageView{instance, "risk"}; }), AttachStatus::kWrongSize);
}

std::string name_of(const ::testing::TestParamInfo<Cut>& each) {
  constexpr const char* kNames[] = {"CutToNothing", "CutToHalf", "CutToOnePage"};
  return kNames[static_cast<std::size_t>(each.param)];
}
INSTANTIATE_TEST_SUITE_P(Files, Truncation,
                         ::testing::Values(Cut::kToNothing, Cut::kToHalf, Cut::kToOnePage),
                         name_of);

}  // namespace
}  // namespace sluice::shm::test
