// The ring's algorithm on plain memory: its sequential meaning, its edges, its successor.

#include <atomic>
#include <limits>
#include <memory>
#include <thread>
#include <vector>

#include "tests/shm/shm_fixture.hpp"

namespace sluice::shm::test {
namespace {

constexpr std::size_t kWords = 7;
constexpr std::uint64_t kNearWrap = std::numeric_limits<std::uint64_t>::max() - 5;

// Slots and words of one ring in ordinary memory, as create_layout would leave them.
struct Memory {
  explicit Memory(std::uint64_t slots, std::uint64_t start = 0)
      : capacity(slots), initial(start), words(slots * (1 + kWords)) {
    stamp_previous_lap<StdAtomics>(words.data(), 1 + kWords, capacity, initial);
    producer.tail = initial;
    consumer.cursor = initial;
  }
  [[nodiscard]] TailRecovery recover() {
    return recover_tail<StdAtomics>(words.data(), 1 + kWords, capacity, initial, producer.tail,
                                    consumer.cursor);
  }
  [[nodiscard]] std::uint64_t& stamp(std::uint64_t position) {
    return words[(position & (capacity - 1)) * (1 + kWords)];
  }

  std::uint64_t capacity;
  std::uint64_t initial;
  std::vector<std::uint64_t> words;
  ProducerWords<StdAtomics> producer{};
  ConsumerWords<StdAtomics> consumer{};
};

using Payload = std::array<std::uint64_t, kWords>;

Payload payload(std::uint64_t sequence) {
  return std::bit_cast<Payload>(OneLine::of(sequence));
}
bool is(const Payload& words, std::uint64_t sequence) {
  return words == payload(sequence);
}

class Ends {
 public:
  explicit Ends(Memory& memory)
      : producer(memory.words.data(), &memory.producer, &memory.consumer, memory.capacity,
                 memory.recover().tail),
        consumer(memory.words.data(), &memory.consumer, memory.capacity) {}
  bool take(std::uint64_t sequence) {
    Payload copy{};
    if (!consumer.peek(copy) || !is(copy, sequence))
      return false;
    consumer.advance();
    consumer.release_to(consumer.head());
    return true;
  }
  RingProducerCore<StdAtomics, kWords> producer;
  RingConsumerCore<StdAtomics, kWords> consumer;
};

TEST(RingCore, NewRingIsEmptyAndHasAllSlotsFree) {
  Memory memory(8);
  Ends ends(memory);
  Payload copy{};
  EXPECT_FALSE(ends.consumer.peek(copy));
  EXPECT_TRUE(ends.consumer.empty());
  EXPECT_EQ(ends.producer.free_slots(), 8u);
}

TEST(RingCore, RecordsComeOutInOrderAndUnchanged) {
  Memory memory(8);
  Ends ends(memory);
  for (std::uint64_t i = 0; i < 100; ++i) {
    ASSERT_TRUE(ends.producer.try_push(payload(i)));
    ASSERT_TRUE(ends.producer.try_push(payload(i + 1000)));
    ASSERT_TRUE(ends.take(i));
    ASSERT_TRUE(ends.take(i + 1000));
  }
  EXPECT_TRUE(ends.consumer.empty());
}

TEST(RingCore, PushIsRefusedFromCapacityUntilTheConsumerReleases) {
  Memory memory(8);
  Ends ends(memory);
  for (std::uint64_t i = 0; i < 8; ++i)
    ASSERT_TRUE(ends.producer.try_push(payload(i)));
  EXPECT_FALSE(ends.producer.has_room());
  EXPECT_FALSE(ends.producer.try_push(payload(8)));
  EXPECT_EQ(ends.producer.tail(), 8u);

  Payload copy{};
  ASSERT_TRUE(ends.consumer.peek(copy));
  ends.consumer.advance();
  EXPECT_FALSE(ends.producer.try_push(payload(8))) << "moved past, but not released";
  ends.consumer.release_to(1);
  EXPECT_TRUE(ends.producer.try_push(payload(8)));
  EXPECT_FALSE(ends.producer.try_push(payload(9)));
}

TEST(RingCore, PeekDoesNotMove) {
  Memory memory(8);
  Ends ends(memory);
  ASSERT_TRUE(ends.producer.try_push(payload(5)));
  Payload copy{};
  ASSERT_TRUE(ends.consumer.peek(copy));
  ASSERT_TRUE(ends.consumer.peek(copy));
  EXPECT_TRUE(is(copy, 5));
  EXPECT_EQ(ends.consumer.head(), 0u);
}

TEST(RingCore, PositionsWrapAroundTwoToTheSixtyFour) {
  Memory memory(8, kNearWrap);
  Ends ends(memory);
  Payload copy{};
  ASSERT_FALSE(ends.consumer.peek(copy));
  for (std::uint64_t i = 0; i < 8; ++i)
    ASSERT_TRUE(ends.producer.try_push(payload(i)));
  ASSERT_FALSE(ends.producer.try_push(payload(8)));
  for (std::uint64_t i = 0; i < 8; ++i)
    ASSERT_TRUE(ends.take(i)) << i;
  ASSERT_FALSE(ends.consumer.peek(copy));
  EXPECT_EQ(ends.producer.tail(), kNearWrap + 8);  // wrapped
  EXPECT_LT(ends.producer.tail(), kNearWrap);
  for (std::uint64_t i = 8; i < 40; ++i) {
    ASSERT_TRUE(ends.producer.try_push(payload(i)));
    ASSERT_TRUE(ends.take(i));
  }
}

TEST(RingCore, TailWordFollowsEveryPush) {
  Memory memory(8);
  Ends ends(memory);
  ASSERT_TRUE(ends.producer.try_push(payload(0)));
  EXPECT_EQ(memory.producer.tail, 1u);
}

TEST(RingCore, ImpossibleCursorCountsAsFullAndIsCounted) {
  for (const std::uint64_t cursor :
       {std::uint64_t{3}, std::uint64_t{0} - 9, std::uint64_t{1} << 63}) {
    Memory memory(8);
    Ends ends(memory);
    ASSERT_TRUE(ends.producer.try_push(payload(0)));
    memory.consumer.cursor = cursor;  // ahead of the tail, or more than a lap behind
    EXPECT_EQ(ends.producer.free_slots(), 0u) << cursor;
    EXPECT_FALSE(ends.producer.try_push(payload(1))) << cursor;
    EXPECT_GE(memory.producer.broken_peer, 2u) << cursor;
    memory.consumer.cursor = 1;  // the peer is sane again
    EXPECT_TRUE(ends.producer.try_push(payload(1))) << cursor;
  }
}

TEST(RingCore, DepthMaxIsExactWheneverTheRingWasFull) {
  Memory memory(8);
  Ends ends(memory);
  for (std::uint64_t i = 0; i < 8; ++i)
    ASSERT_TRUE(ends.producer.try_push(payload(i)));
  EXPECT_EQ(memory.producer.depth_max, 0u) << "the cursor was not looked at yet";
  EXPECT_FALSE(ends.producer.try_push(payload(8)));
  EXPECT_EQ(memory.producer.depth_max, 8u);
}

TEST(RingCore, DropsAreCountedInTheProducersWords) {
  Memory memory(8);
  Ends ends(memory);
  ends.producer.note_drop();
  ends.producer.note_drop();
  EXPECT_EQ(memory.producer.drops, 2u);
}

TEST(RingRecovery, SuccessorGoesOnAtTheTail) {
  Memory memory(8);
  {
    Ends ends(memory);
    for (std::uint64_t i = 0; i < 5; ++i)
      ASSERT_TRUE(ends.producer.try_push(payload(i)));
  }
  const TailRecovery found = memory.recover();
  EXPECT_TRUE(found.sound);
  EXPECT_EQ(found.tail, 5u);
  EXPECT_EQ(found.advanced, 0u);
  EXPECT_EQ(found.restamped, 0u);
}

TEST(RingRecovery, PredecessorThatDiedBetweenStampAndTailIsCaughtUpWith) {
  for (const std::uint64_t initial : {std::uint64_t{0}, kNearWrap}) {
    Memory memory(8, initial);
    {
      Ends ends(memory);
      for (std::uint64_t i = 0; i < 8; ++i)
        ASSERT_TRUE(ends.producer.try_push(payload(i)));
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
  Memory memory(8);
  {
    Ends ends(memory);
    ASSERT_TRUE(ends.producer.try_push(payload(0)));
  }
  memory.words[1 * (1 + kWords) + 3] = 0xdead;  // payload of position 1, no stamp
  Ends successor(memory);
  ASSERT_TRUE(successor.take(0));
  EXPECT_TRUE(successor.consumer.empty());
  ASSERT_TRUE(successor.producer.try_push(payload(1)));
  EXPECT_TRUE(successor.take(1));
}

TEST(RingRecovery, LaterSlotThatAlreadyCarriesThisLapsStampIsTakenBack) {
  Memory memory(8);
  {
    Ends ends(memory);
    for (std::uint64_t i = 0; i < 3; ++i)
      ASSERT_TRUE(ends.producer.try_push(payload(i)));
  }
  memory.stamp(5) = stamp_of(5);  // stamped out of order: 3 and 4 are not published
  const TailRecovery found = memory.recover();
  EXPECT_TRUE(found.sound);
  EXPECT_EQ(found.tail, 3u);
  EXPECT_EQ(found.restamped, 1u);
  Ends successor(memory);
  for (std::uint64_t i = 0; i < 3; ++i)
    ASSERT_TRUE(successor.take(i));
  ASSERT_TRUE(successor.producer.try_push(payload(3)));
  ASSERT_TRUE(successor.producer.try_push(payload(4)));
  ASSERT_TRUE(successor.take(3));
  ASSERT_TRUE(successor.take(4));
  EXPECT_TRUE(successor.consumer.empty()) << "position 5 was never published";
}

TEST(RingRecovery, TailWhoseLastRecordIsNotPublishedIsRefused) {
  Memory memory(8);
  memory.producer.tail = 3;
  EXPECT_FALSE(memory.recover().sound);
}

TEST(RingRecovery, UnreadRecordThatWasOverwrittenIsRefused) {
  Memory memory(8);
  {
    Ends ends(memory);
    for (std::uint64_t i = 0; i < 6; ++i)
      ASSERT_TRUE(ends.producer.try_push(payload(i)));
  }
  memory.stamp(8) = stamp_of(8);  // on top of position 0, which nobody has read
  EXPECT_FALSE(memory.recover().sound);
}

// Method: one producer and one consumer thread on one mapping. Every record encodes its sequence in
// all words; the consumer checks order and wholeness, the producer is often stopped by a full ring
// (8 slots). A stamp before its payload or a release before its copy shows as a torn or wrong
// record. A memory order that is too weak does not show here: x86 does not reorder these, and all
// words are atomic, so TSan has no race to report. That is for a model checker, which the atomics
// policy allows.
TEST(RingCoreThreads, EveryRecordArrivesOnceInOrderAndWhole) {
  constexpr std::uint64_t kRecords = 200'000;
  Memory memory(8, kNearWrap);
  Ends ends(memory);
  std::thread producer([&] {
    for (std::uint64_t i = 0; i < kRecords;) {
      if (ends.producer.try_push(payload(i))) {
        ++i;
      } else {
        sched_yield();
      }
    }
  });
  std::uint64_t expected = 0;
  std::uint64_t wrong = 0;
  while (expected < kRecords) {
    Payload copy{};
    if (!ends.consumer.peek(copy)) {
      sched_yield();
      continue;
    }
    if (!is(copy, expected))
      ++wrong;
    ++expected;
    ends.consumer.advance();
    ends.consumer.release_to(ends.consumer.head());
  }
  producer.join();
  EXPECT_EQ(wrong, 0u);
  EXPECT_TRUE(ends.consumer.empty());
  EXPECT_EQ(memory.producer.broken_peer, 0u);
}

}  // namespace
}  // namespace sluice::shm::test
