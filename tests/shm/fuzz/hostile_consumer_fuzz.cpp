// A consumer that stores any cursor between any two pushes, and images of a dead producer's ring.
//
// The producer must never write a slot that the most generous plausible cursor so far had not given
// back, must take an impossible cursor for a full ring and count it, and must leave every other
// word as it was. recover_tail() on any image either refuses or leaves a ring that a producer can
// go on with.
#include <cstdint>
#include <vector>

#include "tests/shm/fuzz/fuzz_layout.hpp"

namespace {

using namespace sluice::shm;
using namespace sluice::shm::fuzz;

constexpr std::size_t kSlotWords = 8;

class HostileConsumer {
 public:
  explicit HostileConsumer(FuzzLayout& layout)
      : instance_(layout.attach()),
        producer_(instance_, "md"),
        peer_(attach_ring_consumer(instance_, "md", sluice::kSchemaHash<Line>, sizeof(Line))),
        own_(attach_ring_reader(instance_, "md")),
        expected_(own_.slots(), own_.slots() + kSlots * kSlotWords) {}

  void run(FuzzInput& input) {
    while (!input.done()) {
      switch (input.below(8)) {
        case 0:
        case 1:
          show_cursor(input.number(producer_.tail(), generous_));
          break;
        case 2:
          show_cursor(generous_ + input.below(kSlots + 1));  // what an honest one would do
          break;
        case 3:
          stage(input.below(2 * kSlots));
          break;
        case 4:
          ask_for_room();
          break;
        case 5:
          claim();
          break;
        default:
          push();
      }
      compare();
    }
  }

 private:
  void show_cursor(std::uint64_t cursor) {
    peer_.consumer()->cursor = cursor;
    note_plausible();
  }
  [[nodiscard]] std::uint64_t cursor() const { return peer_.consumer()->cursor; }
  [[nodiscard]] bool plausible() const { return producer_.tail() - cursor() <= kSlots; }
  // An honest reading of the cursor now; it may also become plausible by pushes, never less so.
  void note_plausible() {
    if (plausible() && cursor() - generous_ < std::uint64_t{1} << 63)
      generous_ = cursor();
  }

  void written(std::uint64_t position, const Line& record) {
    require(position - generous_ < kSlots, "wrote a slot that nobody gave back");
    std::uint64_t* const slot = expected_.data() + (position & (kSlots - 1)) * kSlotWords;
    slot[0] = stamp_of(position);
    std::copy(record.words.begin(), record.words.end(), slot + 1);
  }
  Line next_record() {
    Line record{};
    record.words.fill(++pushed_);
    return record;
  }
  void push() {
    const std::uint64_t position = producer_.tail();
    const Line record = next_record();
    if (producer_.try_push(record))
      written(position, record);
    note_plausible();
  }
  void claim() {
    const std::uint64_t position = producer_.tail();
    Line* const record = producer_.claim();
    if (record == nullptr)
      return;
    *record = next_record();
    const Line copy = *record;
    producer_.commit();
    require(producer_.tail() == position + 1, "what was claimed could not be committed");
    written(position, copy);
    note_plausible();
  }
  void stage(std::size_t most) {
    const std::uint64_t first = producer_.tail();
    std::vector<Line> records;
    for (std::size_t i = 0; i < most; ++i) {
      const Line record = next_record();
      if (!producer_.try_stage(record))
        break;
      records.push_back(record);
    }
    require(records.size() <= largest_batch(kSlots), "more staged than tools allow for");
    require(producer_.tail() == first, "staging published something");
    for (std::size_t i = 0; i < records.size(); ++i)
      written(first + i, records[i]);
    producer_.publish();
    require(producer_.tail() == first + records.size() && producer_.staged() == 0,
            "a batch is published whole");
    note_plausible();
  }
  void ask_for_room() {
    const std::uint64_t broken = producer_.broken_peer();
    const bool possible = plausible();
    const std::uint64_t free = producer_.free_slots();
    require(free == (possible ? kSlots - (producer_.tail() - cursor()) : 0),
            "free slots do not follow from the cursor");
    require(producer_.broken_peer() == broken + (possible ? 0 : 1),
            "an impossible cursor is counted, a possible one is not");
  }
  void compare() const {
    for (std::size_t i = 0; i < expected_.size(); ++i)
      require(own_.slots()[i] == expected_[i], "a word changed that nobody wrote");
    require(own_.producer()->tail == producer_.tail(), "the tail word is not the tail");
  }

  Instance instance_;
  RingProducer<Line> producer_;
  RingMapping peer_;
  RingMapping own_;
  std::vector<std::uint64_t> expected_;
  std::uint64_t generous_{
      kInitial};  // the furthest cursor that was plausible when it could be read
  std::uint64_t pushed_{0};
};

void recover_any_image(FuzzInput& input) {
  constexpr std::uint64_t kBase = ~std::uint64_t{0} - 20;
  std::vector<std::uint64_t> words(kSlots);
  const std::uint64_t hint = input.number(kBase, 0);
  const std::uint64_t cursor = input.number(hint, kBase);
  for (std::uint64_t i = 0; i < kSlots; ++i) {
    // Mostly stamps of this lap or the one before, at their own slot: the interesting
    // contradictions.
    const std::uint64_t lap = hint - input.below(2 * kSlots);
    const std::uint64_t position = lap + (i - lap) % kSlots;
    words[i] = input.below(8) == 0 ? input.number(hint, cursor) : stamp_of(position);
  }
  const auto recover = [&](std::uint64_t tail) {
    return recover_tail<StdAtomics>(words.data(), 1, kSlots, kBase, tail, cursor);
  };
  const auto at = [&](std::uint64_t position) { return words[position & (kSlots - 1)]; };
  const TailRecovery found = recover(hint);
  require(found.advanced <= kSlots && found.restamped < kSlots, "more than a lap was recovered");
  if (!found.sound)
    return;
  require(found.tail == hint + found.advanced, "the tail is the hint and what lay behind it");
  require(found.tail == kBase || at(found.tail - 1) == stamp_of(found.tail - 1),
          "the record below the tail is not published");
  if (found.advanced < kSlots)
    require(at(found.tail) != stamp_of(found.tail), "the tail itself is published");
  for (std::uint64_t i = 1; i < kSlots; ++i)
    require(at(found.tail + i) != stamp_of(found.tail + i),
            "a slot behind the tail would be taken for a message");
  const TailRecovery again = recover(found.tail);
  require(again.sound && again.tail == found.tail && again.restamped == 0,
          "a recovery that is repeated finds nothing to do");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzInput input(data, size);
  if (input.below(4) == 0) {
    recover_any_image(input);
    return 0;
  }
  FuzzLayout& layout = fuzz_layout();
  layout.restore();
  HostileConsumer(layout).run(input);
  return 0;
}
