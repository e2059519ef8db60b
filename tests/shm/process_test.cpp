// Two processes on one ring or board, and kill -9 in the middle.

#include <algorithm>
#include <random>

#include "shm/ring_probe.hpp"
#include "tests/shm/shm_fixture.hpp"

namespace sluice::shm::test {
namespace {

class Processes : public ShmTest {};

// Publishes records whose sequence is their position, for as long as it lives.
int produce_forever(const std::string& dir) {
  const RoleLock role = RoleLock::acquire(dir, "producer", "a producing child");
  const Instance instance = Instance::attach(dir, std::chrono::milliseconds{30'000});
  RingProducer<OneLine> producer(instance, "md");
  for (;;) {
    if (!producer.try_push(OneLine::of(producer.tail())))
      sched_yield();
  }
}

// Checks that positions arrive once each, in order and whole.
class Checker {
 public:
  explicit Checker(RingConsumer<OneLine>& consumer) : consumer_(consumer), next_(consumer.head()) {}
  std::size_t poll() {
    return consumer_.drain(
        [&](const OneLine& record) {
          if (record.sequence != next_ || !record.whole())
            ++wrong_;
          ++next_;
        },
        64);
  }
  [[nodiscard]] bool wait_until(std::uint64_t position) {
    return eventually([&] {
      poll();
      return static_cast<std::int64_t>(next_ - position) >= 0;
    });
  }
  void drain() {
    while (poll() != 0) {
    }
  }
  [[nodiscard]] std::uint64_t next() const { return next_; }
  [[nodiscard]] std::uint64_t wrong() const { return wrong_; }

 private:
  RingConsumer<OneLine>& consumer_;
  std::uint64_t next_;
  std::uint64_t wrong_{0};
};

TEST_F(Processes, RecordsCrossBetweenTwoProcessesInOrderAndWhole) {
  create_layout(small_layout(64), false);
  Child producer([&] { return produce_forever(dir()); });
  const RoleLock consuming = role("consumer");
  const Instance instance = attach();
  RingConsumer<OneLine> consumer(instance, "md");
  Checker checker(consumer);
  EXPECT_TRUE(checker.wait_until(100'000));
  EXPECT_EQ(checker.wrong(), 0u);
}

// Method: the producer is killed at a random moment of its stream (ring of 64 slots, so it is often
// full, and positions near 2^64), again and again; each successor verifies the tail and goes on.
// The consumer must see every position once, in order, each record whole: what was published is
// neither lost nor doubled.
TEST_F(Processes, SuccessorOfAKilledProducerLosesAndDoublesNothing) {
  const std::uint64_t initial = ~std::uint64_t{0} - 1000;
  create_layout(small_layout(64, initial), false);
  const RoleLock consuming = role("consumer");
  const Instance instance = attach();
  RingConsumer<OneLine> consumer(instance, "md");
  Checker checker(consumer);
  const auto seed = std::random_device{}();
  std::mt19937 random(seed);
  RecordProperty("seed", static_cast<int>(seed));
  SCOPED_TRACE("seed " + std::to_string(seed));

  for (int round = 0; round < 20; ++round) {
    Child producer([&] { return produce_forever(dir()); });
    ASSERT_TRUE(checker.wait_until(checker.next() + 1 + random() % 5000));
    if (round % 2 == 0) {
      // Let it run into the full ring first, every other time.
      const RingProbe probe(instance, "md");
      ASSERT_TRUE(eventually([&] { return probe.depth() == 64; }));
    }
    ASSERT_EQ(producer.kill_and_reap(), -SIGKILL);
    checker.drain();
  }
  EXPECT_EQ(checker.wrong(), 0u);
  const RingProbe probe(instance, "md");
  EXPECT_EQ(probe.depth(), 0u);
  EXPECT_EQ(probe.broken_peer(), 0u);
}

TEST_F(Processes, SuccessorOfAKilledConsumerGoesOnAtTheLastRelease) {
  create_layout(small_layout(64), false);
  Child producer([&] { return produce_forever(dir()); });
  const Instance instance = attach();
  const RingProbe probe(instance, "md");
  for (int round = 0; round < 5; ++round) {
    const std::uint64_t before = probe.cursor();
    Child consumer_process([&] {
      const RoleLock held = role("consumer");
      RingConsumer<OneLine> consumer(instance, "md");
      Checker checker(consumer);
      while (checker.wrong() == 0)
        checker.poll();
      return 1;
    });
    ASSERT_TRUE(eventually([&] { return probe.cursor() - before > 1000; }));
    ASSERT_EQ(consumer_process.kill_and_reap(), -SIGKILL) << "it saw a wrong record";
  }
  const RoleLock consuming = role("consumer");
  RingConsumer<OneLine> consumer(instance, "md");
  Checker checker(consumer);
  EXPECT_TRUE(checker.wait_until(checker.next() + 1000));
  EXPECT_EQ(checker.wrong(), 0u);
}

TEST_F(Processes, SecondProducerIsRefusedWhileTheFirstLives) {
  create_layout(small_layout(), false);
  Child producer([&] { return produce_forever(dir()); });
  ASSERT_TRUE(eventually([&] { return RingProbe(dir(), "md").messages() > 0; }));
  const Error error = error_of([&] { static_cast<void>(role("producer")); });
  EXPECT_EQ(error.code(), ExitCode::kRoleTaken);
  EXPECT_TRUE(says(error.what(), {"a producing child", std::to_string(producer.pid()).c_str()}));
}

// Method: the writer stores rows that follow from one number, as fast as it can, and is killed at a
// random moment, in most cases in the middle of a row. The last complete value must stand.
TEST_F(Processes, BoardSurvivesTheDeathOfItsWriter) {
  create_layout(small_layout(), false);
  const Instance instance = attach();
  const BoardReader<FourLines> reader(instance, "quotes");
  std::uint64_t last = 0;
  for (int round = 0; round < 10; ++round) {
    Child writer([&] {
      const RoleLock held = role("producer");
      BoardWriter<FourLines> board(instance, "quotes");
      for (std::uint64_t i = last + 1;; ++i)
        board.store(2, FourLines::of(i));
      return 0;
    });
    FourLines row{};
    ASSERT_TRUE(eventually(
        [&] { return reader.load(2, row) == BoardRead::kOk && row.sequence > last + 1000; }));
    ASSERT_EQ(writer.kill_and_reap(), -SIGKILL);
    ASSERT_EQ(reader.load(2, row), BoardRead::kOk);
    EXPECT_TRUE(row.whole());
    EXPECT_GE(row.sequence, last);
    last = row.sequence;
  }
  FourLines row{};
  EXPECT_EQ(reader.load(1, row), BoardRead::kNever);
}

}  // namespace
}  // namespace sluice::shm::test
