// How a ring begins, and how a producer goes on from where a dead one stopped.
//
// Both run before the first push, on the producer's side; see ring_core.hpp for the slots.
#pragma once

#include <cstddef>
#include <cstdint>

#include "shm/ring_core.hpp"

namespace sluice::shm {

// Creation: every slot carries the stamp its position had one lap before the initial sequence.
template <class Atomics>
void stamp_previous_lap(typename Atomics::Word* slots, std::size_t slot_words,
                        std::uint64_t capacity, std::uint64_t initial) noexcept {
  for (std::uint64_t i = 0; i < capacity; ++i) {
    const std::uint64_t position = initial + i;
    // relaxed: nobody sees the file before its ready word and its rename.
    Atomics::store_relaxed(slots[(position & (capacity - 1)) * slot_words],
                           stamp_of(position - capacity));
  }
}

struct TailRecovery {
  bool sound{false};           // false: the ring contradicts itself; no producer may go on from it
  std::uint64_t tail{0};       // next position to publish
  std::uint64_t advanced{0};   // published by the predecessor behind its own hint
  std::uint64_t restamped{0};  // later slots that already carried this lap's stamp
};

// What a producer does before its first push. Its predecessor may have died between any two stores:
// after the stamp and before the tail, the hint is too low, so go on while the slots are published.
// A slot further on that already carries this lap's stamp (only a predecessor that broke the
// ascending order leaves one) would be taken for a message later on: its stamp goes back to the
// previous lap. Single-threaded on the producer's side; the consumer may be running.
template <class Atomics>
[[nodiscard]] TailRecovery recover_tail(typename Atomics::Word* slots, std::size_t slot_words,
                                        std::uint64_t capacity, std::uint64_t initial,
                                        std::uint64_t hint, std::uint64_t cursor) noexcept {
  const auto stamp_at = [&](std::uint64_t position) ->
      typename Atomics::Word& { return slots[(position & (capacity - 1)) * slot_words]; };
  // relaxed throughout: these words were written by a predecessor whose death, seen through the
  // role lock, orders everything it stored before our reading.
  TailRecovery found{.sound = true, .tail = hint};
  if (hint != initial && Atomics::load_relaxed(stamp_at(hint - 1)) != stamp_of(hint - 1)) {
    found.sound = false;
    return found;
  }
  while (found.advanced < capacity &&
         Atomics::load_relaxed(stamp_at(found.tail)) == stamp_of(found.tail)) {
    ++found.tail;
    ++found.advanced;
  }
  for (std::uint64_t i = 1; i < capacity; ++i) {
    const std::uint64_t position = found.tail + i;
    if (Atomics::load_relaxed(stamp_at(position)) != stamp_of(position))
      continue;
    const std::uint64_t unread = found.tail - cursor;
    if (unread > capacity || i + unread >= capacity) {  // position - capacity is not yet read
      found.sound = false;
      return found;
    }
    // relaxed: the consumer gets here only past found.tail, whose stamp we publish later and with
    // release; who has seen that one no longer sees the stamp taken back here.
    Atomics::store_relaxed(stamp_at(position), stamp_of(position - capacity));
    ++found.restamped;
  }
  return found;
}

}  // namespace sluice::shm
