// Judges of a ring whose producer or consumer died: the other end was attached before, a successor
// attaches behind the dead one, and both go on for more than two laps.
//
// Every record says its position and who wrote it, so that what is lost, doubled, torn, out of
// order or written by the wrong one shows.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "shm/ring_probe.hpp"
#include "tests/crash/crash_fixture.hpp"

namespace sluice::shm::test {

inline constexpr const char* kRing = "md";

enum class Writer : std::uint64_t { kDead = 1, kSuccessor = 2 };
[[nodiscard]] inline OneLine record_of(std::uint64_t position, Writer writer) noexcept {
  return OneLine::of(position * 4 + static_cast<std::uint64_t>(writer));
}

// The ring as the dying end found it: `unread` published records from position `first` on.
struct Backlog {
  std::uint64_t first{0};
  std::uint64_t unread{0};
  // False: a broken producer stamped later slots out of order; tools may read them until a
  // successor takes them back.
  bool ascending{true};
};

[[nodiscard]] Layout ring_layout(const std::string& dir, std::uint32_t slots,
                                 std::uint64_t initial);
[[nodiscard]] std::vector<std::string> ring_files();

// Takes what there is, at most `limit`; each record must be the one of its position, by `writer`.
std::uint64_t take(RingConsumer<OneLine>& consumer, Writer writer, std::uint64_t limit,
                   Faults& faults);
// What a tool reads must be published and whole: positions from `next` on are not.
void look_with_a_tool(const Scene& scene, std::uint64_t depth, std::uint64_t next, Faults& faults);

// Pushes records of their positions until the ring is full; returns how many.
template <class Producer>
std::uint64_t fill(Producer& producer, Writer writer) {
  std::uint64_t pushed = 0;
  while (producer.try_push(record_of(producer.tail(), writer)))
    ++pushed;
  return pushed;
}

// From an empty ring: one record, which must come alone, then two laps and a bit, with every depth
// the ring has.
template <class Producer>
void go_on(Producer& producer, RingConsumer<OneLine>& consumer, Faults& faults) {
  const bool pushed = producer.try_push(record_of(producer.tail(), Writer::kSuccessor));
  faults.expect(pushed && take(consumer, Writer::kSuccessor, ~std::uint64_t{0}, faults) == 1,
                "one record was pushed, and not exactly that one arrived");
  for (std::uint64_t lap = 0; lap < 2; ++lap) {
    const std::uint64_t from = consumer.head();
    faults.expect(producer.tail() == from, "the ends disagree where the ring goes on");
    faults.expect(fill(producer, Writer::kSuccessor) == consumer.capacity(),
                  "an empty ring does not take a ring's worth");
    take(consumer, Writer::kSuccessor, ~std::uint64_t{0}, faults);
    faults.expect(consumer.head() - from == consumer.capacity(), "a full lap did not arrive");
    static_cast<void>(producer.try_push(record_of(producer.tail(), Writer::kSuccessor)));
    take(consumer, Writer::kSuccessor, ~std::uint64_t{0}, faults);
  }
}

// Returns how many records of the operation reached the consumer.
template <class Successor>
std::uint64_t judge_dead_producer(Scene& scene, const Backlog& backlog, const Image& before,
                                  const Image& image, Faults& faults) {
  constexpr std::uint64_t kAll = ~std::uint64_t{0};
  const RoleLock producing = scene.role("producer");
  const RoleLock consuming = scene.role("consumer");
  std::uint64_t seen = 0;
  {
    scene.files.restore(before.bytes);
    RingConsumer<OneLine> survivor(scene.instance, kRing);
    scene.files.restore(image.bytes);
    seen = take(survivor, Writer::kDead, kAll, faults);
    Successor successor(scene.instance, kRing);
    go_on(successor, survivor, faults);
  }
  faults.expect(seen >= backlog.unread, "a record that was published before is lost");
  faults.expect(seen >= backlog.unread + image.said, "a record said to be published is lost");
  {
    // The other order: the successor recovers and fills the ring before the survivor looks.
    scene.files.restore(before.bytes);
    RingConsumer<OneLine> survivor(scene.instance, kRing);
    scene.files.restore(image.bytes);
    if (backlog.ascending)
      look_with_a_tool(scene, seen, backlog.first + seen, faults);
    Successor successor(scene.instance, kRing);
    faults.expect(successor.tail() == backlog.first + seen, "the successor goes on elsewhere");
    const std::uint64_t room = survivor.capacity() - seen;
    faults.expect(fill(successor, Writer::kSuccessor) == room, "the free slots are not those left");
    faults.expect(take(survivor, Writer::kDead, seen, faults) == seen, "a record vanished");
    faults.expect(take(survivor, Writer::kSuccessor, kAll, faults) == room,
                  "a record of the successor did not arrive");
    go_on(successor, survivor, faults);
  }
  return seen < backlog.unread ? 0 : seen - backlog.unread;
}

// `limit`: the most records the dead one took between two releases. Returns how many it released.
[[nodiscard]] std::uint64_t judge_dead_consumer(Scene& scene, const Backlog& backlog,
                                                std::uint64_t limit, const Image& before,
                                                const Image& image, Faults& faults);

// Brings a new ring to `taken` records read and `backlog.unread` left, from the dying child.
template <class Producer>
void prepare_ring(const Instance& instance, Producer& producer, std::uint64_t taken,
                  std::uint64_t unread) {
  const auto push = [&](std::uint64_t n) {
    for (; n != 0; --n)
      static_cast<void>(producer.try_push(record_of(producer.tail(), Writer::kDead)));
  };
  const RoleLock consuming = RoleLock::acquire(instance.dir(), "consumer", "preparing");
  RingConsumer<OneLine> consumer(instance, kRing);
  OneLine record{};
  for (; taken != 0; --taken) {
    push(1);
    if (consumer.peek(record))
      consumer.release();
  }
  push(unread);
}

// The ring a producer begins its operation on.
struct ProducerCase {
  std::string name;
  std::uint32_t slots{8};
  std::uint64_t initial{0};
  std::uint64_t taken{0};
  std::uint64_t unread{0};
  std::uint64_t records{0};  // that the operation publishes
  std::size_t least_images{0};
};

// `operate(producer, dying)` runs in the child behind begin() and says what it promised.
template <class Producer, class Successor, class Operate>
[[nodiscard]] Operation producer_operation(const std::string& dir, const ProducerCase& what,
                                           Operate operate) {
  const Backlog backlog{what.initial + what.taken, what.unread};
  Operation operation;
  operation.name = what.name;
  operation.layout = ring_layout(dir, what.slots, what.initial);
  operation.files = ring_files();
  operation.role = "producer";
  operation.whole = what.records;
  operation.least_images = what.least_images;
  operation.act = [what, operate](const std::string& folder, Dying& dying) {
    const RoleLock role = RoleLock::acquire(folder, "producer", "the one who dies");
    const Instance instance = Instance::attach(folder, std::chrono::milliseconds{0});
    Producer producer(instance, kRing);
    prepare_ring(instance, producer, what.taken, what.unread);
    dying.begin();
    operate(producer, dying);
    dying.end();
  };
  operation.judge = [backlog](Scene& scene, const Image& before, const Image& image,
                              Faults& faults) {
    return judge_dead_producer<Successor>(scene, backlog, before, image, faults);
  };
  return operation;
}

// Two operations that shipped code and mutants run alike.
struct PushOne {
  template <class Producer>
  void operator()(Producer& producer, Dying& dying) const {
    if (producer.try_push(record_of(producer.tail(), Writer::kDead)))
      dying.say(1);
  }
};
struct PublishBatch {
  std::uint64_t records;
  template <class Producer>
  void operator()(Producer& producer, Dying& dying) const {
    for (std::uint64_t i = 0; i < records; ++i)
      static_cast<void>(producer.try_stage(record_of(producer.tail() + i, Writer::kDead)));
    producer.publish();
    dying.say(records);
  }
};

}  // namespace sluice::shm::test
