// What the method is worth: one deliberate fault each, most of them shipped code with two stores
// exchanged. Every mutant must break a promise on some image; one that nobody notices fails here.

#include "tests/crash/assembled.hpp"
#include "tests/crash/board_judges.hpp"
#include "tests/crash/conflation_judges.hpp"

namespace sluice::shm::test {
namespace {

using Shipped = RingProducer<OneLine>;
using Swapped = AssembledProducer<SwappedStores, ShippedRecovery>;

// Release stores of one record: seven words, the stamp, the tail.
constexpr std::uint64_t kLastWord = 7;
constexpr std::uint64_t kStamp = 8;
constexpr std::uint64_t kBatch = 4;
constexpr std::uint64_t kFirstStampOfBatch = kBatch * kLastWord + 1;

class MutantCrash : public CrashTest {
 protected:
  template <class Producer, class Successor, class Operate>
  [[nodiscard]] Operation push(const std::string& name, Operate operate) const {
    return producer_operation<Producer, Successor>(
        dir(), {.name = name, .taken = 3, .unread = 2, .records = 1}, operate);
  }
  template <class Producer, class Successor, class Operate>
  [[nodiscard]] Operation batch(const std::string& name, Operate operate) const {
    return producer_operation<Producer, Successor>(
        dir(), {.name = name, .slots = 16, .taken = 3, .unread = 2, .records = kBatch}, operate);
  }
};

TEST_F(MutantCrash, AssembledFromShippedPartsKeepsEveryPromise) {
  prove(push<AssembledProducer<StdAtomics, ShippedRecovery>,
             AssembledProducer<StdAtomics, ShippedRecovery>>("push, put together by hand",
                                                             PushOne{}));
  prove(board_operation<AssembledWriter<StdAtomics>>(dir(), "board, put together by hand", 3,
                                                     StoreRow{}));
}

TEST_F(MutantCrash, StampBeforeItsPayloadIsNoticed) {
  expect_caught(
      push<Swapped, Shipped>("stamp before the last word", WithSwapAt<PushOne>{kLastWord, {}}),
      "a torn record");
}

TEST_F(MutantCrash, TailBeforeItsStampIsNoticed) {
  expect_caught(push<Swapped, Shipped>("tail before stamp", WithSwapAt<PushOne>{kStamp, {}}),
                "its stamps contradict its tail");
  expect_caught(push<Swapped, AssembledProducer<StdAtomics, TrustsTheHint>>(
                    "tail before stamp, hint trusted", WithSwapAt<PushOne>{kStamp, {}}),
                "not exactly that one arrived");
}

TEST_F(MutantCrash, RecoveryThatTrustsTheHintIsNoticed) {
  expect_caught(
      push<Shipped, AssembledProducer<StdAtomics, TrustsTheHint>>("push, hint trusted", PushOne{}),
      "not exactly that one arrived");
  expect_caught(batch<Shipped, AssembledProducer<StdAtomics, TrustsTheHint>>("batch, hint trusted",
                                                                             PublishBatch{kBatch}),
                "not exactly that one arrived");
}

TEST_F(MutantCrash, StampsOfABatchInDescendingOrderAreNoticed) {
  const WithSwapAt<PublishBatch> descending{kFirstStampOfBatch, {kBatch}};
  expect_caught(batch<Swapped, Shipped>("descending stamps", descending),
                "a tool reads a record that is not published");
  expect_caught(batch<Swapped, AssembledProducer<StdAtomics, LeavesLaterStamps>>(
                    "descending stamps, left by the recovery", descending),
                "of another writer");
}

TEST_F(MutantCrash, ReleaseBeforeProcessingIsNoticed) {
  Operation operation;
  operation.name = "release before processing";
  operation.layout = ring_layout(dir(), 8, 0);
  operation.files = ring_files();
  operation.role = "consumer";
  operation.whole = 4;
  operation.act = [](const std::string& folder, Dying& dying) {
    const Instance instance = Instance::attach(folder, std::chrono::milliseconds{0});
    {
      const RoleLock producing = RoleLock::acquire(folder, "producer", "preparing");
      Shipped producer(instance, kRing);
      prepare_ring(instance, producer, 0, 4);
    }
    const RoleLock role = RoleLock::acquire(folder, "consumer", "the one who dies");
    RingConsumer<OneLine> consumer(instance, kRing);
    dying.begin();
    OneLine record{};
    for (std::uint64_t i = 1; consumer.peek(record); ++i) {
      consumer.release();
      dying.say(i);
    }
    dying.end();
  };
  operation.judge = [](Scene& scene, const Image& before, const Image& image, Faults& faults) {
    return judge_dead_consumer(scene, {.first = 0, .unread = 4}, 1, before, image, faults);
  };
  expect_caught(operation, "released and not processed");
}

TEST_F(MutantCrash, BoardThatWritesTheLiveCopyIsNoticed) {
  expect_caught(
      board_operation<AssembledWriter<OneVersionAhead>>(dir(), "live copy written", 3, StoreRow{}),
      "mixes values");
}

TEST_F(MutantCrash, BoardVersionBeforeItsLastWordIsNoticed) {
  constexpr std::uint64_t kLastWordOfRow = 31;
  expect_caught(board_operation<AssembledWriter<SwappedStores>>(
                    dir(), "version before the last word", 3,
                    [](AssembledWriter<SwappedStores>& writer, std::uint64_t number, Dying& dying) {
                      SwappedStores::arm(kLastWordOfRow);
                      StoreRow{}(writer, number, dying);
                    }),
                "mixes values");
}

TEST_F(MutantCrash, GapBehindWhatItAnnouncesIsNoticed) {
  expect_caught(conflation_operation<LateGapRing>(
                    dir(), {.name = "gap behind its snapshot", .records = 7, .known = {2, 2, 2, 2}},
                    LoseRows{2}, Settle{}),
                "the gap named another record");
}

TEST_F(MutantCrash, SuccessorThatOpensWithoutARecordIsNoticed) {
  expect_caught(conflation_operation(dir(),
                                     {.name = "no opening record",
                                      .records = 7,
                                      .known = {2, 2, 2, 2},
                                      .successor_announces = false},
                                     LoseRows{2}, Settle{}),
                "nobody announced");
}

}  // namespace
}  // namespace sluice::shm::test
