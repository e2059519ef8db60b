#include "tests/crash/ring_judges.hpp"

namespace sluice::shm::test {

Layout ring_layout(const std::string& dir, std::uint32_t slots, std::uint64_t initial) {
  Layout layout;
  layout.dir = dir;
  layout.instance = "crash";
  layout.build_id = 1;
  for (const char* const name : {kRing, "spare"}) {
    layout.rings.push_back(
        ring_spec<OneLine>(name, slots, RingPolicy::kRefuse, "producer", "consumer"));
    layout.rings.back().initial_sequence = initial;
  }
  return layout;
}

std::vector<std::string> ring_files() {
  return {ring_data_file(kRing), ring_cursor_file(kRing)};
}

std::uint64_t take(RingConsumer<OneLine>& consumer, Writer writer, std::uint64_t limit,
                   Faults& faults) {
  OneLine record{};
  std::uint64_t taken = 0;
  for (; taken < limit && consumer.peek(record); ++taken) {
    faults.expect(record.whole(), "a torn record");
    faults.expect(record.sequence == record_of(consumer.head(), writer).sequence,
                  "a record of another position or of another writer");
    consumer.release();
  }
  return taken;
}

void look_with_a_tool(const Scene& scene, std::uint64_t depth, std::uint64_t next, Faults& faults) {
  const RingProbe probe(scene.instance, kRing);
  faults.expect(probe.depth() == depth, "a tool counts " + std::to_string(probe.depth()) +
                                            " records where " + std::to_string(depth) + " stand");
  for (std::uint64_t position = probe.oldest(); position != next + probe.slots(); ++position) {
    OneLine record{};
    if (!probe.read(position, record))
      continue;
    faults.expect(static_cast<std::int64_t>(position - next) < 0,
                  "a tool reads a record that is not published");
    faults.expect(record.whole() && record.sequence == record_of(position, Writer::kDead).sequence,
                  "a tool reads a torn record");
  }
}

std::uint64_t judge_dead_consumer(Scene& scene, const Backlog& backlog, std::uint64_t limit,
                                  const Image& before, const Image& image, Faults& faults) {
  constexpr std::uint64_t kAll = ~std::uint64_t{0};
  const RoleLock producing = scene.role("producer");
  const RoleLock consuming = scene.role("consumer");
  std::uint64_t released = 0;
  {
    scene.files.restore(before.bytes);
    RingProducer<OneLine> survivor(scene.instance, kRing);
    scene.files.restore(image.bytes);
    RingConsumer<OneLine> successor(scene.instance, kRing);
    released = successor.head() - backlog.first;
    faults.expect(released <= image.said, "released and not processed: lost");
    faults.expect(image.said - released <= limit, "processed and not released: more than a batch");
    faults.expect(take(successor, Writer::kDead, kAll, faults) == backlog.unread - released,
                  "the successor is not handed exactly what was not released");
    go_on(survivor, successor, faults);
  }
  {
    // The other order: the survivor fills what it may before there is a successor.
    scene.files.restore(before.bytes);
    RingProducer<OneLine> survivor(scene.instance, kRing);
    scene.files.restore(image.bytes);
    const std::uint64_t unread = backlog.unread - released;
    const std::uint64_t room = survivor.capacity() - unread;
    faults.expect(fill(survivor, Writer::kSuccessor) == room, "the free slots are not those left");
    RingConsumer<OneLine> successor(scene.instance, kRing);
    faults.expect(take(successor, Writer::kDead, unread, faults) == unread,
                  "an unread record was overwritten");
    faults.expect(take(successor, Writer::kSuccessor, kAll, faults) == room,
                  "a record of the survivor did not arrive");
    go_on(survivor, successor, faults);
    faults.expect(survivor.broken_peer() == 0, "an honest consumer's cursor counts as broken");
  }
  return released;
}

}  // namespace sluice::shm::test
