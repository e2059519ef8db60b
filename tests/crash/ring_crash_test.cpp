// Rings: push, batch, release, drain, and the recovery of a successor that dies itself.

#include <cstring>

#include "tests/crash/assembled.hpp"
#include "tests/crash/ring_judges.hpp"

namespace sluice::shm::test {
namespace {

using Producer = RingProducer<OneLine>;
using Consumer = RingConsumer<OneLine>;

constexpr std::size_t kRecordStores = 9;  // seven words, the stamp, the tail
constexpr std::uint64_t kNearWrap = ~std::uint64_t{0} - 10;

// The stamp of the slot of `position`, in an image of ring_files().
std::byte* stamp_in(Bytes& image, std::uint64_t slots, std::uint64_t position) {
  const std::size_t slot = (position & (slots - 1)) * (sizeof(OneLine) + sizeof(std::uint64_t));
  return image.data() + kRingSlotsOffset - kHeaderBytes + slot;
}

class RingCrash : public CrashTest {
 protected:
  template <class Operate>
  [[nodiscard]] Operation dying_producer(const ProducerCase& what, Operate operate) const {
    return producer_operation<Producer, Producer>(dir(), what, operate);
  }

  // The consumer takes from a ring of 8 slots that holds `backlog`.
  template <class Operate>
  [[nodiscard]] Operation dying_consumer(const std::string& name, std::uint64_t initial,
                                         std::uint64_t unread, std::uint64_t limit,
                                         Operate operate) const {
    constexpr std::uint64_t kTaken = 5;
    const Backlog backlog{initial + kTaken, unread};
    Operation operation;
    operation.name = name;
    operation.layout = ring_layout(dir(), 8, initial);
    operation.files = ring_files();
    operation.role = "consumer";
    operation.whole = unread;
    operation.act = [operate, unread](const std::string& folder, Dying& dying) {
      const Instance instance = Instance::attach(folder, std::chrono::milliseconds{0});
      {
        const RoleLock producing = RoleLock::acquire(folder, "producer", "preparing");
        Producer producer(instance, kRing);
        prepare_ring(instance, producer, kTaken, unread);
      }
      const RoleLock role = RoleLock::acquire(folder, "consumer", "the one who dies");
      Consumer consumer(instance, kRing);
      dying.begin();
      operate(consumer, dying);
      dying.end();
    };
    operation.judge = [backlog, limit](Scene& scene, const Image& before, const Image& image,
                                       Faults& faults) {
      return judge_dead_consumer(scene, backlog, limit, before, image, faults);
    };
    return operation;
  }

  // A successor attaches to `start` and dies on the way; `backlog` is what is published there.
  [[nodiscard]] Operation dying_successor(const std::string& name, const ProducerCase& what,
                                          const Bytes& start, const Backlog& backlog) const {
    Operation operation = dying_producer(what, PushOne{});
    operation.name = name;
    operation.start = start;
    operation.whole = 0;
    operation.least_images = 2;
    operation.act = [](const std::string& folder, Dying& dying) {
      const RoleLock role = RoleLock::acquire(folder, "producer", "the successor who dies");
      const Instance instance = Instance::attach(folder, std::chrono::milliseconds{0});
      ProducerFiles files(instance, kRing);
      dying.begin();
      const AssembledProducer<StdAtomics, ShippedRecovery> producer(std::move(files));
      dying.end();
    };
    operation.judge = [backlog](Scene& scene, const Image& before, const Image& image,
                                Faults& faults) {
      return judge_dead_producer<Producer>(scene, backlog, before, image, faults);
    };
    return operation;
  }
  // The same, from the attach on: mapping, verifying, recovering.
  [[nodiscard]] static Operation from_the_attach_on(Operation operation) {
    operation.name += ", attach and all";
    operation.act = [](const std::string& folder, Dying& dying) {
      const RoleLock role = RoleLock::acquire(folder, "producer", "the successor who dies");
      const Instance instance = Instance::attach(folder, std::chrono::milliseconds{0});
      // The dynamic linker's work is done once, on another ring.
      static_cast<void>(Producer(instance, "spare").tail());
      dying.begin();
      const Producer producer(instance, kRing);
      dying.end();
    };
    return operation;
  }
};

TEST_F(RingCrash, PushIsWhollyThereOrWhollyAbsent) {
  for (const std::uint64_t initial : {std::uint64_t{0}, kNearWrap})
    prove(dying_producer({.name = initial == 0 ? "push" : "push near 2^64",
                          .initial = initial,
                          .taken = 3,
                          .unread = 2,
                          .records = 1,
                          .least_images = kRecordStores},
                         PushOne{}));
}

TEST_F(RingCrash, PushThatWrapsIsWhollyThereOrWhollyAbsent) {
  prove(dying_producer({.name = "push around the ring's end",
                        .taken = 7,
                        .unread = 1,
                        .records = 3,
                        .least_images = 3 * kRecordStores},
                       [](Producer& producer, Dying& dying) {
                         for (std::uint64_t i = 1; i <= 3; ++i) {
                           PushOne{}(producer, dying);
                           dying.say(i);
                         }
                       }));
  // Position 2^64 - 1, whose stamp is 0, and the one behind it.
  prove(dying_producer({.name = "push around 2^64",
                        .initial = ~std::uint64_t{0} - 4,
                        .taken = 3,
                        .unread = 1,
                        .records = 3,
                        .least_images = 3 * kRecordStores},
                       [](Producer& producer, Dying& dying) {
                         for (std::uint64_t i = 1; i <= 3; ++i) {
                           PushOne{}(producer, dying);
                           dying.say(i);
                         }
                       }));
}

TEST_F(RingCrash, PushIntoAFullRingTouchesNothingThatIsPublished) {
  for (const std::uint64_t initial : {std::uint64_t{0}, kNearWrap})
    prove(dying_producer({.name = initial == 0 ? "push into a full ring, counted"
                                               : "push into a full ring, near 2^64",
                          .initial = initial,
                          .taken = 3,
                          .unread = 8,
                          .least_images = 2},
                         [](Producer& producer, Dying& dying) {
                           PushOne{}(producer, dying);
                           producer.note_drop();
                         }));
}

TEST_F(RingCrash, ClaimAndCommitPublishNothingBeforeTheCommit) {
  prove(dying_producer(
      {.name = "claim and commit", .taken = 1, .records = 1, .least_images = kRecordStores},
      [](Producer& producer, Dying& dying) {
        OneLine* const record = producer.claim();
        if (record == nullptr)
          return;
        *record = record_of(producer.tail(), Writer::kDead);
        producer.commit();
        dying.say(1);
      }));
}

TEST_F(RingCrash, BatchIsPublishedAsAPrefix) {
  constexpr std::uint64_t kRecords = largest_batch(32);
  for (const std::uint64_t initial : {std::uint64_t{0}, kNearWrap})
    prove(dying_producer({.name = initial == 0 ? "batch of 8" : "batch of 8 around 2^64",
                          .slots = 32,
                          .initial = initial,
                          .taken = 5,
                          .unread = 2,
                          .records = kRecords,
                          .least_images = kRecords * 8 + 1},
                         PublishBatch{kRecords}));
}

TEST_F(RingCrash, ReleaseHandsTheRecordOnExactlyOrAgain) {
  for (const std::uint64_t initial : {std::uint64_t{0}, kNearWrap}) {
    Operation operation =
        dying_consumer(initial == 0 ? "peek and release" : "peek and release near 2^64", initial, 8,
                       1, [](Consumer& consumer, Dying& dying) {
                         OneLine record{};
                         for (std::uint64_t i = 1; consumer.peek(record); ++i) {
                           dying.say(i);
                           consumer.release();
                         }
                       });
    operation.least_images = 9;
    prove(operation);
  }
}

TEST_F(RingCrash, DrainHandsTheWholeBatchOnOrGivesItAll) {
  constexpr std::uint64_t kUnread = 6;
  Operation operation =
      dying_consumer("drain of 6", 0, kUnread, kUnread, [](Consumer& consumer, Dying& dying) {
        std::uint64_t processed = 0;
        consumer.drain([&](const OneLine&) { dying.say(++processed); }, 8);
      });
  operation.least_images = 3;  // before, the cursor, the greatest batch
  prove(operation);
}

TEST_F(RingCrash, DrainInPartsBoundsWhatIsSeenAgainByItsLimit) {
  Operation operation = dying_consumer(
      "drain of 8, three at a time", kNearWrap, 8, 3, [](Consumer& consumer, Dying& dying) {
        std::uint64_t processed = 0;
        while (consumer.drain([&](const OneLine&) { dying.say(++processed); }, 3) != 0) {
        }
      });
  operation.least_images = 5;  // before, three releases, the greatest batch
  prove(operation);
}

TEST_F(RingCrash, CuttingAProducerOffTakesNothingFromTheNextConsumer) {
  Operation operation =
      dying_consumer("refuse and detach", 0, 6, 0, [](Consumer& consumer, Dying&) {
        consumer.note_refused();
        consumer.detach();
      });
  operation.whole = 0;
  operation.least_images = 3;
  prove(operation);
}

TEST_F(RingCrash, SuccessorThatDiesWhileRecoveringLeavesTheRingToTheNext) {
  const ProducerCase what{.name = "the batch that is left half done",
                          .slots = 32,
                          .initial = kNearWrap,
                          .taken = 5,
                          .unread = 2,
                          .records = 8};
  Recording half_done = prove(dying_producer(what, PublishBatch{what.records}));
  // One image per stamp that stands while the tail does not show it.
  std::uint64_t published = 0;
  for (Image& image : half_done.images) {
    const std::uint64_t next = what.initial + what.taken + what.unread + published;
    std::uint64_t stamp = 0;
    std::memcpy(&stamp, stamp_in(image.bytes, what.slots, next), sizeof stamp);
    if (published == what.records || stamp != stamp_of(next))
      continue;
    ++published;
    const Operation recovery =
        dying_successor("recovery behind " + std::to_string(published) + " stamps", what,
                        image.bytes, {what.initial + what.taken, what.unread + published});
    prove(recovery);
    if (published == what.records)
      prove(from_the_attach_on(recovery));
  }
  EXPECT_EQ(published, what.records);
}

TEST_F(RingCrash, SuccessorThatDiesWhileTakingBackLaterStampsLeavesTheRingToTheNext) {
  const ProducerCase what{.name = "the ring a broken predecessor leaves",
                          .slots = 8,
                          .initial = 16,
                          .taken = 5,
                          .unread = 2,
                          .records = 1};
  Bytes start = prove(dying_producer(what, PushOne{})).images.front().bytes;
  // Positions 25 and 26 carry this lap's stamps, 23 and 24 do not: stamped out of order.
  for (const std::uint64_t position : {std::uint64_t{25}, std::uint64_t{26}}) {
    const std::uint64_t stamp = stamp_of(position);
    std::memcpy(stamp_in(start, what.slots, position), &stamp, sizeof stamp);
  }
  Operation recovery = dying_successor(
      "recovery that takes two stamps back", what, start,
      {.first = what.initial + what.taken, .unread = what.unread, .ascending = false});
  recovery.least_images = 3;
  prove(recovery);
}

}  // namespace
}  // namespace sluice::shm::test
