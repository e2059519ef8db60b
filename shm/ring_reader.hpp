// How a tool reads a ring: without a cursor, without a role, disturbing nobody.
//
// The algorithm on words, as ring_core.hpp has that of the two ends; RingProbe puts it on files.
// Any number of readers, any thread, also on a ring whose processes are dead. Invariants:
//  1. A record that read() accepts is the whole record of that position.
//  2. What stands below a tail that was read is found, until the producer comes round to it again.
//  3. All numbers are read one by one while both ends may be running; each is true for some recent
//     instant.
#pragma once

#include <cstddef>
#include <cstdint>

#include "shm/ring_core.hpp"

namespace sluice::shm {

template <class Atomics>
class RingReaderCore {
 public:
  using Word = typename Atomics::Word;

  RingReaderCore(const Word* slots, std::size_t slot_words, std::uint64_t capacity,
                 std::uint64_t initial, const ProducerWords<Atomics>* producer,
                 const ConsumerWords<Atomics>* consumer) noexcept
      : slots_(slots),
        slot_words_(slot_words),
        capacity_(capacity),
        initial_(initial),
        producer_(producer),
        consumer_(consumer) {}

  // Next position to publish: a hint that may be low by what the producer is just publishing.
  [[nodiscard]] std::uint64_t tail() const noexcept {
    // acquire: pairs with the release in publish_tail(); what lies below is published.
    return Atomics::load_acquire(producer_->tail, Sync::kTailRead);
  }
  // First position not released.
  [[nodiscard]] std::uint64_t cursor() const noexcept {
    // acquire: pairs with the release in release_to(); what the consumer has met is published for
    // us too, so that no depth comes out too small.
    return Atomics::load_acquire(consumer_->cursor, Sync::kCursorRead);
  }

  // Published and not released. At most the capacity, unless the peers are broken. Too small only
  // when the consumer moved on at each of kDepthAttempts looks.
  [[nodiscard]] std::uint64_t depth() const noexcept {
    std::uint64_t before = cursor();
    std::uint64_t next = published();
    std::uint64_t after = cursor();
    for (int attempt = 1; after != before && attempt < kDepthAttempts; ++attempt) {
      before = after;
      next = published();
      after = cursor();
    }
    // The later cursor, never the earlier: the producer had room for what it published, so the
    // difference cannot exceed the capacity.
    const std::uint64_t depth = next - after;
    return static_cast<std::int64_t>(depth) < 0 ? 0 : depth;
  }

  // The oldest position that read() may still find.
  [[nodiscard]] std::uint64_t oldest() const noexcept {
    const std::uint64_t next = tail();
    const std::uint64_t kept = capacity_ - largest_batch(capacity_) - 1;
    return next - initial_ > kept ? next - kept : initial_;
  }

  // Copies the first `count` words of the record at `position`. False when it is not published,
  // gone, or may have been overwritten while it was copied; then the copy is worth nothing.
  [[nodiscard]] bool read(std::uint64_t position, std::uint64_t* words,
                          std::size_t count) const noexcept {
    const Word* const from = slot(position);
    // acquire: pairs with the release of the stamp in try_push(); the payload below is at least
    // this one.
    if (Atomics::load_acquire(from[0], Sync::kStampRead) != stamp_of(position))
      return false;
    for (std::size_t i = 0; i < count; ++i) {
      // acquire: pairs with the release of the payload; a word of the next lap makes the tail below
      // show that lap, and the record is refused.
      words[i] = Atomics::load_acquire(from[1 + i], Sync::kPayloadCopy);
    }
    return tail() + largest_batch(capacity_) - position < capacity_;
  }

 private:
  static constexpr int kDepthAttempts = 16;

  // The tail, and what is stamped behind it: a producer that died between its stamps and its tail
  // left records behind the hint, a batch of them at most.
  [[nodiscard]] std::uint64_t published() const noexcept {
    std::uint64_t next = tail();
    for (std::uint64_t i = 0; i < largest_batch(capacity_); ++i) {
      // acquire: as the tail's; whoever looks at the cursor next sees what made room for this one.
      if (Atomics::load_acquire(slot(next)[0], Sync::kStampRead) != stamp_of(next))
        break;
      ++next;
    }
    return next;
  }
  [[nodiscard]] const Word* slot(std::uint64_t position) const noexcept {
    return slots_ + (position & (capacity_ - 1)) * slot_words_;
  }

  const Word* slots_;
  std::size_t slot_words_;
  std::uint64_t capacity_;
  std::uint64_t initial_;
  const ProducerWords<Atomics>* producer_;
  const ConsumerWords<Atomics>* consumer_;
};

}  // namespace sluice::shm
