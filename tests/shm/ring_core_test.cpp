// The ring's algorithm on plain memory: its sequential meaning, its edges, its successor.

#include <limits>
#include <vector>

#include "tests/shm/ring_memory.hpp"

namespace sluice::shm::test {
namespace {

constexpr std::uint64_t kNearWrap = std::numeric_limits<std::uint64_t>::max() - 5;

class Ends {
 public:
  explicit Ends(RingMemory& memory)
      : producer(memory.words.data(), &memory.producer, &memory.consumer, memory.capacity,
                 memory.recover().tail),
        consumer(memory.words.data(), &memory.consumer, memory.capacity) {}
  bool take(std::uint64_t sequence) {
    LinePayload copy{};
    if (!consumer.peek(copy) || !is_line(copy, sequence))
      return false;
    consumer.advance();
    consumer.release_to(consumer.head());
    return true;
  }
  RingProducerCore<StdAtomics, kLineWords> producer;
  RingConsumerCore<StdAtomics, kLineWords> consumer;
};

TEST(RingCore, NewRingIsEmptyAndHasAllSlotsFree) {
  RingMemory memory(8);
  Ends ends(memory);
  LinePayload copy{};
  EXPECT_FALSE(ends.consumer.peek(copy));
  EXPECT_TRUE(ends.consumer.empty());
  EXPECT_EQ(ends.producer.free_slots(), 8u);
}

TEST(RingCore, RecordsComeOutInOrderAndUnchanged) {
  RingMemory memory(8);
  Ends ends(memory);
  for (std::uint64_t i = 0; i < 100; ++i) {
    ASSERT_TRUE(ends.producer.try_push(line_payload(i)));
    ASSERT_TRUE(ends.producer.try_push(line_payload(i + 1000)));
    ASSERT_TRUE(ends.take(i));
    ASSERT_TRUE(ends.take(i + 1000));
  }
  EXPECT_TRUE(ends.consumer.empty());
}

TEST(RingCore, PushIsRefusedFromCapacityUntilTheConsumerReleases) {
  RingMemory memory(8);
  Ends ends(memory);
  for (std::uint64_t i = 0; i < 8; ++i)
    ASSERT_TRUE(ends.producer.try_push(line_payload(i)));
  EXPECT_FALSE(ends.producer.has_room());
  EXPECT_FALSE(ends.producer.try_push(line_payload(8)));
  EXPECT_EQ(ends.producer.tail(), 8u);

  LinePayload copy{};
  ASSERT_TRUE(ends.consumer.peek(copy));
  ends.consumer.advance();
  EXPECT_FALSE(ends.producer.try_push(line_payload(8))) << "moved past, but not released";
  ends.consumer.release_to(1);
  EXPECT_TRUE(ends.producer.try_push(line_payload(8)));
  EXPECT_FALSE(ends.producer.try_push(line_payload(9)));
}

TEST(RingCore, PeekDoesNotMove) {
  RingMemory memory(8);
  Ends ends(memory);
  ASSERT_TRUE(ends.producer.try_push(line_payload(5)));
  LinePayload copy{};
  ASSERT_TRUE(ends.consumer.peek(copy));
  ASSERT_TRUE(ends.consumer.peek(copy));
  EXPECT_TRUE(is_line(copy, 5));
  EXPECT_EQ(ends.consumer.head(), 0u);
}

TEST(RingCore, PositionsWrapAroundTwoToTheSixtyFour) {
  RingMemory memory(8, kNearWrap);
  Ends ends(memory);
  LinePayload copy{};
  ASSERT_FALSE(ends.consumer.peek(copy));
  for (std::uint64_t i = 0; i < 8; ++i)
    ASSERT_TRUE(ends.producer.try_push(line_payload(i)));
  ASSERT_FALSE(ends.producer.try_push(line_payload(8)));
  for (std::uint64_t i = 0; i < 8; ++i)
    ASSERT_TRUE(ends.take(i)) << i;
  ASSERT_FALSE(ends.consumer.peek(copy));
  EXPECT_EQ(ends.producer.tail(), kNearWrap + 8);  // wrapped
  EXPECT_LT(ends.producer.tail(), kNearWrap);
  for (std::uint64_t i = 8; i < 40; ++i) {
    ASSERT_TRUE(ends.producer.try_push(line_payload(i)));
    ASSERT_TRUE(ends.take(i));
  }
}

TEST(RingCore, TailWordFollowsEveryPush) {
  RingMemory memory(8);
  Ends ends(memory);
  ASSERT_TRUE(ends.producer.try_push(line_payload(0)));
  EXPECT_EQ(memory.producer.tail, 1u);
}

TEST(RingCore, ImpossibleCursorCountsAsFullAndIsCounted) {
  for (const std::uint64_t cursor :
       {std::uint64_t{3}, std::uint64_t{0} - 9, std::uint64_t{1} << 63}) {
    RingMemory memory(8);
    Ends ends(memory);
    ASSERT_TRUE(ends.producer.try_push(line_payload(0)));
    memory.consumer.cursor = cursor;  // ahead of the tail, or more than a lap behind
    EXPECT_EQ(ends.producer.free_slots(), 0u) << cursor;
    EXPECT_FALSE(ends.producer.try_push(line_payload(1))) << cursor;
    EXPECT_GE(memory.producer.broken_peer, 2u) << cursor;
    memory.consumer.cursor = 1;  // the peer is sane again
    EXPECT_TRUE(ends.producer.try_push(line_payload(1))) << cursor;
  }
}

TEST(RingCore, DepthMaxIsExactWheneverTheRingWasFull) {
  RingMemory memory(8);
  Ends ends(memory);
  for (std::uint64_t i = 0; i < 8; ++i)
    ASSERT_TRUE(ends.producer.try_push(line_payload(i)));
  EXPECT_EQ(memory.producer.depth_max, 0u) << "the cursor was not looked at yet";
  EXPECT_FALSE(ends.producer.try_push(line_payload(8)));
  EXPECT_EQ(memory.producer.depth_max, 8u);
}

TEST(RingCore, DropsAreCountedInTheProducersWords) {
  RingMemory memory(8);
  Ends ends(memory);
  ends.producer.note_drop();
  ends.producer.note_drop();
  EXPECT_EQ(memory.producer.drops, 2u);
}

TEST(RingRecovery, SuccessorGoesOnAtTheTail) {
  RingMemory memory(8);
  {
    Ends ends(memory);
    for (std::uint64_t i = 0; i < 5; ++i)
      ASSERT_TRUE(ends.producer.try_push(line_payload(i)));
  }
  const TailRecovery found = memory.recover();
  EXPECT_TRUE(found.sound);
  EXPECT_EQ(found.tail, 5u);
  EXPECT_EQ(found.advanced, 0u);
  EXPECT_EQ(found.restamped, 0u);
}

TEST(RingRecovery, PredecessorThatDiedBetweenStampAndTailIsCaughtUpWith) {
  for (const std::uint64_t initial : {std::uint64_t{0}, kNearWrap}) {
    RingMemory memory(8, initial);
    {
      Ends ends(memory);
      for (std::uint64_t i = 0; i < 8; ++i)
        ASSERT_TRUE(ends.producer.try_push(line_payload(i)));
    }
    memory.producer.tail = initial + 5;  // three stamps whose tail was never stored
    const TailRecovery found = memory.recover();
    EXPECT_TRUE(found.sound);
    EXPECT_EQ(found.tail, initial + 8);
    EXPECT_EQ(found.advanced, 3u);
    Ends successor(memory);
    for (std::uint64_t i = 0; i < 8; ++i)
      ASSERT_TRUE(successor.take(i));
  }
}

TEST(RingRecovery, HalfWrittenSlotWasNeverVisibleAndIsWrittenAgain) {
  RingMemory memory(8);
  {
    Ends ends(memory);
    ASSERT_TRUE(ends.producer.try_push(line_payload(0)));
  }
  memory.words[1 * (1 + kLineWords) + 3] = 0xdead;  // payload of position 1, no stamp
  Ends successor(memory);
  ASSERT_TRUE(successor.take(0));
  EXPECT_TRUE(successor.consumer.empty());
  ASSERT_TRUE(successor.producer.try_push(line_payload(1)));
  EXPECT_TRUE(successor.take(1));
}

TEST(RingRecovery, LaterSlotThatAlreadyCarriesThisLapsStampIsTakenBack) {
  RingMemory memory(8);
  {
    Ends ends(memory);
    for (std::uint64_t i = 0; i < 3; ++i)
      ASSERT_TRUE(ends.producer.try_push(line_payload(i)));
  }
  memory.stamp(5) = stamp_of(5);  // stamped out of order: 3 and 4 are not published
  const TailRecovery found = memory.recover();
  EXPECT_TRUE(found.sound);
  EXPECT_EQ(found.tail, 3u);
  EXPECT_EQ(found.restamped, 1u);
  Ends successor(memory);
  for (std::uint64_t i = 0; i < 3; ++i)
    ASSERT_TRUE(successor.take(i));
  ASSERT_TRUE(successor.producer.try_push(line_payload(3)));
  ASSERT_TRUE(successor.producer.try_push(line_payload(4)));
  ASSERT_TRUE(successor.take(3));
  ASSERT_TRUE(successor.take(4));
  EXPECT_TRUE(successor.consumer.empty()) << "position 5 was never published";
}

TEST(RingRecovery, TailWhoseLastRecordIsNotPublishedIsRefused) {
  RingMemory memory(8);
  memory.producer.tail = 3;
  EXPECT_FALSE(memory.recover().sound);
}

TEST(RingRecovery, UnreadRecordThatWasOverwrittenIsRefused) {
  RingMemory memory(8);
  {
    Ends ends(memory);
    for (std::uint64_t i = 0; i < 6; ++i)
      ASSERT_TRUE(ends.producer.try_push(line_payload(i)));
  }
  memory.stamp(8) = stamp_of(8);  // on top of position 0, which nobody has read
  EXPECT_FALSE(memory.recover().sound);
}

}  // namespace
}  // namespace sluice::shm::test
