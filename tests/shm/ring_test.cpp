// The two ends of a ring in its files, and the tool's view of it.

#include "shm/ring_probe.hpp"
#include "tests/shm/shm_fixture.hpp"

namespace sluice::shm::test {
namespace {

class Ring : public ShmTest {};

TEST_F(Ring, RecordsCrossFromProducerToConsumer) {
  create_layout(small_layout(), false);
  const RoleLock producing = role("producer");
  const RoleLock consuming = role("consumer");
  const Instance instance = attach();
  RingProducer<OneLine> producer(instance, "md");
  RingConsumer<OneLine> consumer(instance, "md");
  ASSERT_TRUE(producer.try_push(OneLine::of(1)));
  ASSERT_TRUE(producer.try_push(OneLine::of(2)));
  OneLine copy{};
  ASSERT_TRUE(consumer.peek(copy));
  EXPECT_EQ(copy.sequence, 1u);
  EXPECT_TRUE(copy.whole());
  consumer.release();
  ASSERT_TRUE(consumer.peek(copy));
  EXPECT_EQ(copy.sequence, 2u);
  consumer.release();
  EXPECT_FALSE(consumer.peek(copy));
  EXPECT_TRUE(consumer.empty());
}

TEST_F(Ring, ClaimedRecordIsVisibleOnlyAfterCommit) {
  create_layout(small_layout(4), false);
  const RoleLock producing = role("producer");
  const RoleLock consuming = role("consumer");
  const Instance instance = attach();
  RingProducer<OneLine> producer(instance, "md");
  RingConsumer<OneLine> consumer(instance, "md");
  OneLine* const record = producer.claim();
  ASSERT_NE(record, nullptr);
  *record = OneLine::of(7);
  EXPECT_TRUE(consumer.empty());
  producer.commit();
  OneLine copy{};
  ASSERT_TRUE(consumer.peek(copy));
  EXPECT_EQ(copy.sequence, 7u);
  for (int i = 0; i < 3; ++i) {
    ASSERT_NE(producer.claim(), nullptr);
    producer.commit();
  }
  EXPECT_EQ(producer.claim(), nullptr) << "full";
}

TEST_F(Ring, DrainTakesAtMostItsLimitAndReleasesTheBatchAtItsEnd) {
  create_layout(small_layout(8), false);
  const RoleLock producing = role("producer");
  const RoleLock consuming = role("consumer");
  const Instance instance = attach();
  RingProducer<OneLine> producer(instance, "md");
  RingConsumer<OneLine> consumer(instance, "md");
  for (std::uint64_t i = 0; i < 8; ++i)
    ASSERT_TRUE(producer.try_push(OneLine::of(i)));
  std::uint64_t expected = 0;
  const auto take = [&](const OneLine& record) {
    EXPECT_EQ(record.sequence, expected);
    EXPECT_EQ(consumer.released(), expected < 5 ? 0u : 5u) << "released inside the batch";
    ++expected;
  };
  EXPECT_EQ(consumer.drain(take, 5), 5u);
  EXPECT_EQ(producer.free_slots(), 5u);
  EXPECT_EQ(consumer.drain(take, 100), 3u);
  EXPECT_EQ(consumer.drain(take, 100), 0u);
  EXPECT_EQ(producer.free_slots(), 8u);
}

TEST_F(Ring, RecordOfSeveralLinesArrivesWhole) {
  Layout layout = small_layout();
  layout.rings.push_back(
      ring_spec<FourLines>("tap", 16, RingPolicy::kLossless, "producer", "consumer"));
  create_layout(layout, false);
  const RoleLock producing = role("producer");
  const RoleLock consuming = role("consumer");
  const Instance instance = attach();
  RingProducer<FourLines, NoPrefetch> producer(instance, "tap");
  RingConsumer<FourLines, NoPrefetch> consumer(instance, "tap");
  for (std::uint64_t i = 0; i < 100; ++i) {
    ASSERT_TRUE(producer.try_push(FourLines::of(i)));
    ASSERT_EQ(consumer.drain(
                  [&](const FourLines& record) {
                    EXPECT_EQ(record.sequence, i);
                    EXPECT_TRUE(record.whole());
                  },
                  10),
              1u);
  }
}

TEST_F(Ring, ConsumerThatComesBackIsHandedWhatItHadNotReleased) {
  create_layout(small_layout(), false);
  const RoleLock producing = role("producer");
  const RoleLock consuming = role("consumer");
  const Instance instance = attach();
  RingProducer<OneLine> producer(instance, "md");
  for (std::uint64_t i = 0; i < 3; ++i)
    ASSERT_TRUE(producer.try_push(OneLine::of(i)));
  {
    RingConsumer<OneLine> consumer(instance, "md");
    OneLine copy{};
    ASSERT_TRUE(consumer.peek(copy));
    consumer.release();
    ASSERT_TRUE(consumer.peek(copy));
    consumer.advance();  // taken, not released
  }
  RingConsumer<OneLine> consumer(instance, "md");
  EXPECT_EQ(consumer.head(), 1u);
  OneLine copy{};
  ASSERT_TRUE(consumer.peek(copy));
  EXPECT_EQ(copy.sequence, 1u);
}

TEST_F(Ring, ProducerOfNonsenseIsCutOffUntilAnotherConsumerComes) {
  create_layout(small_layout(), false);
  const RoleLock producing = role("producer");
  const Instance instance = attach();
  RingProducer<OneLine> producer(instance, "md");
  const RingProbe probe(dir(), "md");
  {
    const RoleLock consuming = role("consumer");
    RingConsumer<OneLine> consumer(instance, "md");
    for (std::uint64_t i = 0; i < 3; ++i)
      ASSERT_TRUE(producer.try_push(OneLine::of(i)));
    const std::size_t taken = consumer.drain(
        [&](const OneLine&) {
          consumer.note_refused();
          consumer.detach();
        },
        10);
    EXPECT_EQ(taken, 1u) << "nothing more of the batch was looked at";
    OneLine copy{};
    EXPECT_FALSE(consumer.peek(copy));
    EXPECT_EQ(consumer.drain([](const OneLine&) {}, 10), 0u);
    EXPECT_TRUE(consumer.detached());
    EXPECT_EQ(probe.refused(), 1u);
    EXPECT_TRUE(probe.detached());
    while (producer.try_push(OneLine::of(9))) {
    }
    EXPECT_EQ(probe.depth(), probe.slots()) << "its producer is refused, and nobody waits";
  }
  const RoleLock consuming = role("consumer");
  RingConsumer<OneLine> successor(instance, "md");
  EXPECT_FALSE(probe.detached());
  EXPECT_EQ(probe.refused(), 1u);
  EXPECT_EQ(successor.drain([](const OneLine&) {}, 100), probe.slots());
}

TEST_F(Ring, QuietBoardStandsAsItWas) {
  create_layout(small_layout(), false);
  const RoleLock producing = role("producer");
  const Instance instance = attach();
  BoardWriter<FourLines> writer(instance, "quotes");
  const BoardReader<FourLines> reader(instance, "quotes");
  writer.store(0, FourLines::of(1));
  writer.set_quiet(true);
  writer.store(0, FourLines::of(2));
  writer.store(1, FourLines::of(3));
  FourLines row{};
  ASSERT_EQ(reader.load(0, row), BoardRead::kOk);
  EXPECT_EQ(row.sequence, 1u);
  EXPECT_EQ(reader.load(1, row), BoardRead::kNever);
  writer.set_quiet(false);
  writer.store(1, FourLines::of(4));
  EXPECT_EQ(reader.load(1, row), BoardRead::kOk);
}

TEST_F(Ring, ProbeTellsDepthDropsAndPolicyWithoutAnyRole) {
  create_layout(small_layout(8, ~std::uint64_t{0} - 2), false);
  {
    const RoleLock producing = role("producer");
    const RoleLock consuming = role("consumer");
    const Instance instance = attach();
    RingProducer<OneLine> producer(instance, "md");
    RingConsumer<OneLine> consumer(instance, "md");
    for (std::uint64_t i = 0; i < 8; ++i)
      ASSERT_TRUE(producer.try_push(OneLine::of(i)));
    ASSERT_FALSE(producer.try_push(OneLine::of(8)));
    producer.note_drop();
    ASSERT_EQ(consumer.drain([](const OneLine&) {}, 5), 5u);
  }
  const RingProbe probe(dir(), "md");  // both processes are gone
  EXPECT_EQ(probe.messages(), 8u);
  EXPECT_EQ(probe.depth(), 3u);
  EXPECT_EQ(probe.depth_max(), 8u);
  EXPECT_EQ(probe.drops(), 1u);
  EXPECT_EQ(probe.slots(), 8u);
  EXPECT_EQ(probe.broken_peer(), 0u);
  EXPECT_EQ(probe.policy(), RingPolicy::kConflate);
  EXPECT_EQ(probe.producer(), "producer");
  EXPECT_EQ(probe.consumer(), "consumer");
  EXPECT_EQ(probe.payload_bytes(), 56u);
}

TEST_F(Ring, ProbeReadsOnlyRecordsThatCannotHaveBeenOverwritten) {
  create_layout(small_layout(8), false);
  const RoleLock producing = role("producer");
  const RoleLock consuming = role("consumer");
  const Instance instance = attach();
  RingProducer<OneLine> producer(instance, "md");
  RingConsumer<OneLine> consumer(instance, "md");
  const RingProbe probe(instance, "md");
  OneLine copy{};
  EXPECT_FALSE(probe.read(0, copy)) << "not published";
  for (std::uint64_t i = 0; i < 20; ++i) {
    ASSERT_TRUE(producer.try_push(OneLine::of(i)));
    ASSERT_EQ(consumer.drain([](const OneLine&) {}, 1), 1u);
  }
  EXPECT_FALSE(probe.read(11, copy)) << "gone";
  EXPECT_FALSE(probe.read(20, copy)) << "not published";
  for (std::uint64_t i = probe.oldest(); i < 20; ++i) {
    ASSERT_TRUE(probe.read(i, copy)) << i;
    EXPECT_EQ(copy.sequence, i);
  }
  OtherOneLine other{};
  EXPECT_FALSE(probe.read(19, other)) << "another record type";
}

TEST_F(Ring, DepthCountsTheRecordWhoseProducerDiedBeforeItStoredTheTail) {
  create_layout(small_layout(8), false);
  const RoleLock producing = role("producer");
  const Instance instance = attach();
  RingProducer<OneLine> producer(instance, "md");
  ASSERT_TRUE(producer.try_push(OneLine::of(0)));
  const Segment data =
      attach_segment(instance, ring_data_file("md"), {.kind = SegmentKind::kRingData, .name = "md"},
                     Region::Access::kReadWrite);
  data.region.at<ProducerWords<StdAtomics>>(kRingWordsOffset)->tail = 0;
  EXPECT_EQ(RingProbe(instance, "md").depth(), 1u);
}

}  // namespace
}  // namespace sluice::shm::test
