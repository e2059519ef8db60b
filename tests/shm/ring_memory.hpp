// One ring of one-line records in ordinary memory: one mapping for all threads of a test, so that
// ThreadSanitizer sees what one of them does to another.
#pragma once

#include <vector>

#include "tests/shm/shm_fixture.hpp"

namespace sluice::shm::test {

inline constexpr std::size_t kLineWords = sizeof(OneLine) / sizeof(std::uint64_t);

// Slots and words of one ring in ordinary memory, as create_layout would leave them.
struct RingMemory {
  explicit RingMemory(std::uint64_t slots, std::uint64_t start = 0)
      : capacity(slots), initial(start), words(slots * (1 + kLineWords)) {
    stamp_previous_lap<StdAtomics>(words.data(), 1 + kLineWords, capacity, initial);
    producer.tail = initial;
    consumer.cursor = initial;
  }
  [[nodiscard]] TailRecovery recover() {
    return recover_tail<StdAtomics>(words.data(), 1 + kLineWords, capacity, initial, producer.tail,
                                    consumer.cursor);
  }
  [[nodiscard]] std::uint64_t& stamp(std::uint64_t position) {
    return words[(position & (capacity - 1)) * (1 + kLineWords)];
  }

  std::uint64_t capacity;
  std::uint64_t initial;
  std::vector<std::uint64_t> words;
  ProducerWords<StdAtomics> producer{};
  ConsumerWords<StdAtomics> consumer{};
};

using LinePayload = std::array<std::uint64_t, kLineWords>;

inline LinePayload line_payload(std::uint64_t sequence) {
  return std::bit_cast<LinePayload>(OneLine::of(sequence));
}
inline bool is_line(const LinePayload& words, std::uint64_t sequence) {
  return words == line_payload(sequence);
}

}  // namespace sluice::shm::test
