// A producer that writes anything, at any time, into its half of a ring: stamps, tail, counters,
// payloads. The consumer and a tool must answer each call with bounded work, take a record only
// under the stamp they wait for, and use exactly the words they copied.
#include <cstdint>

#include "shm/ring_probe.hpp"
#include "tests/shm/fuzz/fuzz_layout.hpp"

namespace {

using namespace sluice::shm;
using namespace sluice::shm::fuzz;

constexpr std::size_t kSlotWords = 8;
constexpr std::size_t kBodyWords = (kPageBytes + kSlots * kSlotWords * 8) / 8;

class HostileProducer {
 public:
  explicit HostileProducer(FuzzLayout& layout)
      : instance_(layout.attach()),
        own_(attach_ring_producer(instance_, "md", sluice::kSchemaHash<Line>, sizeof(Line))),
        body_(hands_on(own_.data, kRingWordsOffset)),
        consumer_(instance_, "md"),
        probe_(instance_, "md") {}

  void run(FuzzInput& input) {
    while (!input.done()) {
      switch (input.below(8)) {
        case 0:
        case 1:
        case 2:
          spoil(input);
          break;
        case 3:
          take_one();
          break;
        case 4:
          take_many(input.below(3 * kSlots));
          break;
        case 5:
          look(input);
          break;
        default:
          stamp_next(input);
      }
    }
  }

 private:
  [[nodiscard]] std::uint64_t* slot(std::uint64_t position) {
    return own_.slots() + (position & (kSlots - 1)) * kSlotWords;
  }
  void spoil(FuzzInput& input) {
    body_[input.below(kBodyWords)] = input.number(stamp_of(consumer_.head()), probe_.tail());
  }
  // What an honest producer would do next, so that scripts get somewhere.
  void stamp_next(FuzzInput& input) {
    const std::uint64_t position = consumer_.head() + input.below(kSlots);
    slot(position)[0] = stamp_of(position);
    own_.producer()->tail = position + 1;
  }
  void take_one() {
    const std::uint64_t head = consumer_.head();
    const bool published = slot(head)[0] == stamp_of(head);
    Line copy{};
    require(consumer_.peek(copy) == published, "taken under another stamp than the awaited one");
    require(consumer_.empty() == !published, "empty() and peek() disagree");
    if (!published)
      return;
    for (std::size_t i = 0; i < copy.words.size(); ++i)
      require(copy.words[i] == slot(head)[1 + i], "the copy is not what stands in the slot");
    consumer_.release();
    require(consumer_.head() == head + 1 && consumer_.released() == head + 1,
            "a release moves by one");
  }
  void take_many(std::size_t limit) {
    const std::uint64_t head = consumer_.head();
    std::size_t seen = 0;
    const std::size_t taken = consumer_.drain([&](const Line&) { ++seen; }, limit);
    require(taken <= limit && seen == taken, "a drain takes at most its limit");
    require(consumer_.head() == head + taken && consumer_.released() == head + taken,
            "a drain releases what it took");
  }
  void look(FuzzInput& input) {
    const std::uint64_t position = input.number(probe_.tail(), probe_.oldest());
    Line copy{};
    if (probe_.read(position, copy)) {
      require(slot(position)[0] == stamp_of(position), "read under another stamp");
      require(probe_.tail() + largest_batch(kSlots) - position < kSlots,
              "read what may be overwritten");
    }
    static_cast<void>(probe_.depth() + probe_.depth_max() + probe_.messages() + probe_.drops() +
                      probe_.gaps() + probe_.snapshots() + probe_.owed() + probe_.broken_peer());
    Row other{};
    require(!probe_.read(position, other), "read as another record type");
  }

  Instance instance_;
  RingMapping own_;
  std::uint64_t* body_;
  RingConsumer<Line> consumer_;
  RingProbe probe_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzLayout& layout = fuzz_layout();
  layout.restore();
  FuzzInput input(data, size);
  HostileProducer(layout).run(input);
  return 0;
}
