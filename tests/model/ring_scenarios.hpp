// Rings under relacy: two ends, tools, producers and consumers that die and their successors.
//
// Every record encodes its position and who wrote it, in all its words. Positions wrap around 2^64
// in every schedule, and the producer meets a full ring in most.
#pragma once

#include "shm/ring_core.hpp"
#include "shm/ring_reader.hpp"
#include "shm/ring_recovery.hpp"
#include "tests/model/relacy_atomics.hpp"

namespace sluice::model {

inline constexpr std::size_t kPayloadWords = 2;
inline constexpr std::uint64_t kFirst = std::uint64_t{0} - 3;
using Payload = std::array<std::uint64_t, kPayloadWords>;

inline Payload record_of(std::uint64_t position, unsigned writer) {
  const std::uint64_t key = (position - kFirst) * 8 + writer;
  return {key, ~key * 31};
}
inline bool whole(const Payload& record, std::uint64_t position) {
  return record[0] / 8 == position - kFirst && record[1] == ~record[0] * 31;
}
inline unsigned writer_of(const Payload& record) {
  return static_cast<unsigned>(record[0] % 8);
}

template <std::uint64_t kSlots>
struct RingMemory {
  using Producer = shm::RingProducerCore<RelacyAtomics, kPayloadWords>;
  using Consumer = shm::RingConsumerCore<RelacyAtomics, kPayloadWords>;
  static constexpr std::size_t kSlotWords = 1 + kPayloadWords;
  static constexpr std::uint64_t kCapacity = kSlots;

  ModelWord slots[kSlots * kSlotWords];
  shm::ProducerWords<RelacyAtomics> producer;
  shm::ConsumerWords<RelacyAtomics> consumer;

  // As create_layout() leaves a ring.
  void create() {
    for (std::size_t i = 0; i < kSlots * kSlotWords; ++i)
      slots[i].create(i % kSlotWords != 0);
    for (ModelWord* const word :
         {&producer.tail, &producer.drops, &producer.depth_max, &producer.broken_peer,
          &producer.gaps, &producer.snapshots, &producer.owed, &consumer.cursor,
          &consumer.batch_max, &consumer.refused, &consumer.detached})
      word->create();
    shm::stamp_previous_lap<RelacyAtomics>(slots, kSlotWords, kSlots, kFirst);
    producer.tail.value.store(kFirst, rl::mo_relaxed, $);
    consumer.cursor.value.store(kFirst, rl::mo_relaxed, $);
  }
  [[nodiscard]] shm::TailRecovery recover() {
    self().recovers = true;
    const std::uint64_t hint = RelacyAtomics::load_relaxed(producer.tail);
    const std::uint64_t cursor = RelacyAtomics::load_relaxed(consumer.cursor);
    const shm::TailRecovery found =
        self().flaw == Flaw::kTrustedHint
            ? shm::TailRecovery{.sound = true, .tail = hint}
            : shm::recover_tail<RelacyAtomics>(slots, kSlotWords, kSlots, kFirst, hint, cursor);
    self().recovers = false;
    return found;
  }
  [[nodiscard]] Producer producer_at(std::uint64_t tail) {
    return {slots, &producer, &consumer, kSlots, tail};
  }
  [[nodiscard]] Consumer consumer_end() { return {slots, &consumer, kSlots}; }
  [[nodiscard]] shm::RingReaderCore<RelacyAtomics> reader() const {
    return {slots, kSlotWords, kSlots, kFirst, &producer, &consumer};
  }
  [[nodiscard]] static std::uint64_t claim() { return shm::largest_batch(kSlots); }
};

// Pushes one by one, or stages and publishes whenever relacy says so, until `end` or death.
template <bool kBatches, class Producer>
void produce_until(Producer& ring, std::uint64_t end, unsigned writer) {
  while (alive() && ring.tail() + ring.staged() != end) {
    const std::uint64_t position = ring.tail() + ring.staged();
    if constexpr (kBatches) {
      const bool staged = ring.try_stage(record_of(position, writer));
      if (ring.staged() != 0 && (!staged || rl::rand(2) == 0))
        ring.publish();
      else if (!staged)
        rl::yield(1, $);
    } else if (!ring.try_push(record_of(position, writer))) {
      rl::yield(1, $);
    }
  }
  if (ring.staged() != 0)
    ring.publish();
}

// Takes everything up to `end` or death; gives slots back now and then, as drain() does.
template <class Consumer, class Check>
void consume_until(Consumer& ring, std::uint64_t end, Check&& check) {
  std::uint64_t released = ring.head();
  const auto release = [&] {
    if (released != ring.head())
      ring.release_to(released = ring.head());
  };
  while (alive() && ring.head() != end) {
    Payload copy;
    const bool there = ring.peek(copy);
    if (!alive())
      return;
    if (!there) {
      release();
      rl::yield(1, $);
      continue;
    }
    RL_ASSERT(whole(copy, ring.head()));
    check(ring.head(), copy);
    ring.advance();
    if (rl::rand(2) == 0)
      release();
  }
  release();
}

// Reads what the tail promises, while the producer comes round.
template <class Memory>
void read_as_tool(const Memory& memory, int rounds) {
  const auto reader = memory.reader();
  for (int round = 0; round < rounds; ++round) {
    self().looked = false;
    const std::uint64_t tail = reader.tail();
    // The newest, the one before it, and the one that is overwritten next.
    for (const std::uint64_t position : {tail - 1, tail - 2, reader.oldest()}) {
      if (position - kFirst >= tail - kFirst)
        continue;  // before the first or behind the tail
      Payload copy;
      if (reader.read(position, copy.data(), copy.size())) {
        RL_ASSERT(whole(copy, position));
        continue;
      }
      // Only the producer's coming round again excuses a record below the tail that is not found.
      const std::uint64_t now = memory.producer.tail.value.load(rl::mo_acquire, $);
      RL_ASSERT(now + memory.claim() - position >= Memory::kCapacity);
    }
  }
}

// --- P || C --------------------------------------------------------------------------------------

template <bool kBatches, std::uint64_t kSlots, std::uint64_t kRecords>
struct TwoEnds : rl::test_suite<TwoEnds<kBatches, kSlots, kRecords>, 2> {
  RingMemory<kSlots> memory;
  static constexpr std::uint64_t kEnd = kFirst + kRecords;

  void before() {
    begin_schedule(kFirst);
    memory.create();
  }
  void thread(unsigned id) {
    if (id == 0) {
      auto ring = memory.producer_at(kFirst);
      produce_until<kBatches>(ring, kEnd, 0);
    } else {
      auto ring = memory.consumer_end();
      consume_until(ring, kEnd, [](std::uint64_t, const Payload&) {});
    }
  }
  void after() {
    RL_ASSERT(memory.producer.tail.value.load(rl::mo_relaxed, $) == kEnd);
    RL_ASSERT(memory.consumer.cursor.value.load(rl::mo_relaxed, $) == kEnd);
    RL_ASSERT(memory.producer.broken_peer.value.load(rl::mo_relaxed, $) == 0);
  }
};
using Stream = TwoEnds<false, 4, 7>;
using Batches = TwoEnds<true, 8, 11>;

// --- P || C || T ---------------------------------------------------------------------------------

template <bool kBatches, std::uint64_t kSlots, std::uint64_t kRecords>
struct WithTool : rl::test_suite<WithTool<kBatches, kSlots, kRecords>, 3> {
  RingMemory<kSlots> memory;
  static constexpr std::uint64_t kEnd = kFirst + kRecords;

  void before() {
    begin_schedule(kFirst);
    memory.create();
  }
  void thread(unsigned id) {
    if (id == 0) {
      auto ring = memory.producer_at(kFirst);
      produce_until<kBatches>(ring, kEnd, 0);
    } else if (id == 1) {
      auto ring = memory.consumer_end();
      consume_until(ring, kEnd, [](std::uint64_t, const Payload&) {});
    } else {
      read_as_tool(memory, 3);
    }
  }
};
using Tool = WithTool<false, 4, 8>;
using BatchesTool = WithTool<true, 8, 14>;

// The consumer keeps one record back, so the ring is never empty and never more than full.
struct Depth : rl::test_suite<Depth, 3> {
  static constexpr std::uint64_t kSlots = 4;
  static constexpr std::uint64_t kEnd = kFirst + 8;
  RingMemory<kSlots> memory;

  void before() {
    begin_schedule(kFirst);
    memory.create();
  }
  void thread(unsigned id) {
    if (id == 0) {
      auto ring = memory.producer_at(kFirst);
      produce_until<false>(ring, kEnd, 0);
    } else if (id == 1) {
      auto ring = memory.consumer_end();
      while (ring.head() != kEnd) {
        Payload copy;
        if (!ring.peek(copy)) {
          rl::yield(1, $);
          continue;
        }
        ring.advance();
        ring.release_to(ring.head() - 1);
      }
    } else {
      const auto reader = memory.reader();
      while (reader.tail() == kFirst)
        rl::yield(1, $);
      for (int look = 0; look < 3; ++look) {
        self().looked = false;
        const std::uint64_t depth = reader.depth();
        RL_ASSERT(depth >= 1);
        RL_ASSERT(depth <= kSlots);
      }
    }
  }
};

// --- producers that die --------------------------------------------------------------------------

// Three producers in turn, each taking over when the one before is dead or done; the first two are
// mortal, at any access, their own recovery included. The role passes with release and acquire, as
// the kernel's lock does. A broken predecessor stamps batches backwards, which no shipped one does.
template <bool kBatches, bool kBroken, bool kTool, std::uint64_t kSlots, std::uint64_t kRecords>
struct Succession
    : rl::test_suite<Succession<kBatches, kBroken, kTool, kSlots, kRecords>, kTool ? 5 : 4> {
  static constexpr unsigned kProducers = 3;
  static constexpr std::uint64_t kEnd = kFirst + kRecords;
  static_assert(kRecords <= kMaxRecords);
  RingMemory<kSlots> memory;
  rl::atomic<unsigned> role;

  void before() {
    begin_schedule(kFirst);
    memory.create();
    role.store(0, rl::mo_relaxed, $);
    if constexpr (kBroken)
      experiment.threads[0].flaw = Flaw::kBatchDescending;
  }
  void thread(unsigned id) {
    if (id < kProducers) {
      while (role.load(rl::mo_acquire, $) != id)
        rl::yield(1, $);
      if (id + 1 < kProducers)
        become_mortal();
      produce(id);
      note_survival();
      role.store(id + 1, rl::mo_release, $);
    } else if (id == kProducers) {
      auto ring = memory.consumer_end();
      consume_until(ring, kEnd, [](std::uint64_t position, const Payload& copy) {
        // What was published stays as it was published: nobody writes it again.
        const std::uint64_t record = position - kFirst;
        RL_ASSERT(kBroken || writer_of(copy) == experiment.ghost.first_writer[record]);
      });
    } else {
      read_as_tool(memory, 2);
    }
  }
  void produce(unsigned id) {
    const shm::TailRecovery found = memory.recover();
    if (!alive())
      return;
    RL_ASSERT(found.sound);
    RL_ASSERT(kBroken || found.restamped == 0);
    RL_ASSERT(found.advanced <= memory.claim());
    auto ring = memory.producer_at(found.tail);
    produce_until<kBatches>(ring, kEnd, id);
  }
  void after() {
    RL_ASSERT(memory.producer.tail.value.load(rl::mo_relaxed, $) == kEnd);
    RL_ASSERT(memory.consumer.cursor.value.load(rl::mo_relaxed, $) == kEnd);
  }
};
using DyingProducer = Succession<false, false, false, 4, 7>;
using DyingProducerBatches = Succession<true, false, false, 8, 10>;
using DyingProducerTool = Succession<false, false, true, 4, 8>;
using BrokenPredecessor = Succession<true, true, false, 8, 10>;

// --- a consumer that dies ------------------------------------------------------------------------

struct DyingConsumer : rl::test_suite<DyingConsumer, 3> {
  static constexpr std::uint64_t kEnd = kFirst + 8;
  RingMemory<4> memory;
  rl::atomic<unsigned> role;

  void before() {
    begin_schedule(kFirst);
    memory.create();
    role.store(0, rl::mo_relaxed, $);
  }
  void thread(unsigned id) {
    if (id == 2) {
      auto ring = memory.producer_at(kFirst);
      produce_until<false>(ring, kEnd, 2);
      return;
    }
    while (role.load(rl::mo_acquire, $) != id)
      rl::yield(1, $);
    if (id == 0)
      become_mortal();
    auto ring = memory.consumer_end();
    // Seen again is exactly what was not released, from the first of it on.
    if (alive())
      RL_ASSERT(ring.head() == experiment.ghost.released);
    consume_until(ring, kEnd, [](std::uint64_t, const Payload&) {});
    if (id == 0)
      note_survival();
    role.store(id + 1, rl::mo_release, $);
  }
};

}  // namespace sluice::model
