#include "tests/crash/conflation_judges.hpp"

#include <algorithm>

namespace sluice::shm::test {

Layout note_layout(const std::string& dir) {
  Layout layout;
  layout.dir = dir;
  layout.instance = "crash";
  layout.build_id = 1;
  layout.rings.push_back(ring_spec<Note>(kRing, 8, RingPolicy::kConflate, "producer", "consumer"));
  return layout;
}

namespace {

std::uint64_t take_notes(RingConsumer<Note>& consumer, NoteMirror& mirror, Faults& faults,
                         std::vector<Note>* stream) {
  std::uint64_t taken = 0;
  Note note{};
  for (; consumer.peek(note); ++taken) {
    mirror.take(note, faults);
    if (stream != nullptr)
      stream->push_back(note);
    consumer.release();
  }
  return taken;
}

// A successor with newer rows: it opens, tells every row, goes on and loses some.
class SuccessorConflator {
 public:
  SuccessorConflator(const Scene& scene, bool announces)
      : ring_(scene.instance, kRing), conflator_(ring_, rows_, kRows) {
    if (announces)
      conflator_.open(opening_note(kSuccessor));
    for (std::uint32_t row = 0; row < kRows; ++row)
      conflator_.touch(row);
  }
  void settle(RingConsumer<Note>& survivor, NoteMirror& mirror, Faults& faults) {
    for (int turn = 0; conflator_.owes() && turn < 64; ++turn) {
      conflator_.settle();
      take_notes(survivor, mirror, faults, nullptr);
    }
    faults.expect(!conflator_.owes(), "an emptied ring does not let the successor pay");
    for (std::uint32_t row = 0; row < kRows; ++row)
      faults.expect(mirror.stands_at(row, rows_.number[row]),
                    "the consumer does not end with the producer's rows");
  }
  void change_and_lose() { LoseRows{ring_.capacity()}(conflator_, rows_); }

 private:
  NoteRing ring_;
  NoteRows rows_{kSuccessor, {1001, 1002, 1003, 1004}};
  Conflator<NoteRing, NoteRows> conflator_;
};

void go_on_conflating(SuccessorConflator& successor, RingConsumer<Note>& survivor,
                      NoteMirror& mirror, Faults& faults) {
  successor.settle(survivor, mirror, faults);
  for (int lap = 0; lap < 2; ++lap) {
    successor.change_and_lose();
    take_notes(survivor, mirror, faults, nullptr);
    successor.settle(survivor, mirror, faults);
  }
}

void expect_one_stream(std::vector<Note>& longest, std::vector<Note> stream, Faults& faults) {
  const std::size_t common = std::min(longest.size(), stream.size());
  faults.expect(std::equal(stream.begin(), stream.begin() + static_cast<std::ptrdiff_t>(common),
                           longest.begin()),
                "what is published is no prefix of what the whole operation publishes");
  if (stream.size() > longest.size())
    longest = std::move(stream);
}

}  // namespace

std::uint64_t judge_dead_conflator(Scene& scene, const ConflationCase& what,
                                   std::vector<Note>& stream, const Image& before,
                                   const Image& image, Faults& faults) {
  const RoleLock producing = scene.role("producer");
  const RoleLock consuming = scene.role("consumer");
  std::uint64_t seen = 0;
  {
    scene.files.restore(before.bytes);
    RingConsumer<Note> survivor(scene.instance, kRing);
    scene.files.restore(image.bytes);
    NoteMirror mirror(what.incarnation, what.known);
    std::vector<Note> found;
    seen = take_notes(survivor, mirror, faults, &found);
    expect_one_stream(stream, std::move(found), faults);
    SuccessorConflator successor(scene, what.successor_announces);
    go_on_conflating(successor, survivor, mirror, faults);
  }
  faults.expect(seen >= what.unread + image.said, "a record said to be published is lost");
  {
    // The other order: the opening record finds the ring as the dead one left it, full perhaps.
    scene.files.restore(before.bytes);
    RingConsumer<Note> survivor(scene.instance, kRing);
    scene.files.restore(image.bytes);
    NoteMirror mirror(what.incarnation, what.known);
    SuccessorConflator successor(scene, what.successor_announces);
    take_notes(survivor, mirror, faults, nullptr);
    go_on_conflating(successor, survivor, mirror, faults);
  }
  return seen < what.unread ? 0 : seen - what.unread;
}

}  // namespace sluice::shm::test
