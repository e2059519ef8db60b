// Judges of a conflating ring: what a consumer that keeps the producer's rows may expect of it,
// over the death of the producer.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/crash/notes.hpp"
#include "tests/crash/ring_judges.hpp"

namespace sluice::shm::test {

// Incarnations of the producer.
inline constexpr std::uint64_t kEarlier = 1;
inline constexpr std::uint64_t kDead = 2;
inline constexpr std::uint64_t kSuccessor = 3;

using NoteRing = RingProducer<Note>;

// A gap that is told behind the record it announces.
class LateGapRing : public NoteRing {
 public:
  using NoteRing::NoteRing;
  [[nodiscard]] bool try_push(const Note& note) noexcept {
    if (note.kind == NoteKind::kGap) {
      gap_ = note;
      return true;
    }
    return NoteRing::try_push(note) &&
           (!gap_ || NoteRing::try_push(*std::exchange(gap_, std::nullopt)));
  }

 private:
  std::optional<Note> gap_;
};

[[nodiscard]] Layout note_layout(const std::string& dir);

struct ConflationCase {
  std::string name;
  std::uint64_t unread{0};   // records in the ring when the operation begins
  std::uint64_t records{0};  // that it publishes
  std::size_t least_images{0};
  std::uint64_t incarnation{kDead};  // that the consumer was told of last
  NoteMirror::Numbers known{};       // states that the consumer has read by then
  bool successor_announces{true};    // false: a mutant that sends no opening record
};

// `stream`: the longest that was found on other images of the same operation.
std::uint64_t judge_dead_conflator(Scene& scene, const ConflationCase& what,
                                   std::vector<Note>& stream, const Image& before,
                                   const Image& image, Faults& faults);

// `prepare(conflator, rows)` fills the ring and loses; then `unread` records are left of it, and
// `operate(conflator, rows, dying)` runs behind begin().
template <class Ring = NoteRing, class Prepare, class Operate>
[[nodiscard]] Operation conflation_operation(const std::string& dir, const ConflationCase& what,
                                             Prepare prepare, Operate operate) {
  Operation operation;
  operation.name = what.name;
  operation.layout = note_layout(dir);
  operation.files = ring_files();
  operation.role = "producer";
  operation.whole = what.records;
  operation.least_images = what.least_images;
  operation.act = [what, prepare, operate](const std::string& folder, Dying& dying) {
    const RoleLock role = RoleLock::acquire(folder, "producer", "the one who dies");
    const Instance instance = Instance::attach(folder, std::chrono::milliseconds{0});
    Ring ring(instance, kRing);
    NoteRows rows{what.incarnation, {}};
    Conflator<Ring, NoteRows> conflator(ring, rows, kRows);
    prepare(conflator, rows);
    {
      const RoleLock consuming = RoleLock::acquire(folder, "consumer", "preparing");
      RingConsumer<Note> consumer(instance, kRing);
      Note note{};
      while (ring.tail() - consumer.head() > what.unread && consumer.peek(note))
        consumer.release();
    }
    dying.begin();
    operate(conflator, rows, dying);
    dying.end();
  };
  auto stream = std::make_shared<std::vector<Note>>();
  operation.judge = [what, stream](Scene& scene, const Image& before, const Image& image,
                                   Faults& faults) {
    return judge_dead_conflator(scene, what, *stream, before, image, faults);
  };
  return operation;
}

// Offers the rows' next states, one row after the other, until `lost` of them found no room.
struct LoseRows {
  std::uint64_t lost;
  template <class C>
  void operator()(C& conflator, NoteRows& rows) const {
    const std::uint64_t until = conflator.lost() + lost;
    for (std::uint32_t i = 0; conflator.lost() < until; ++i) {
      const std::uint32_t row = i % kRows;
      conflator.offer(row, change_note(rows.incarnation, row, ++rows.number[row]));
    }
  }
};
struct Settle {
  template <class C>
  void operator()(C& conflator, const NoteRows&, Dying&) const {
    conflator.settle();
  }
};

}  // namespace sluice::shm::test
