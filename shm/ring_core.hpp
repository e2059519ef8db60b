// The ring's algorithm, free of files and processes: one producer, one consumer, words.
//
// A slot is `1 + kPayloadWords` words: the stamp, then the payload. The slot of position p is p &
// (capacity - 1). Positions are 64-bit and may wrap.
//
// Invariants:
//  1. The message is its own flag: position p is published when its slot carries stamp_of(p),
//     nothing else. The consumer compares for equality only and never looks at the producer's tail.
//  2. The producer writes slot p only when p - cursor < capacity, so never one that is unread.
//  3. The stamp is stored after the payload; positions are stamped in ascending order only. A
//     half-written slot was never visible, whatever instant its producer died at.
//  4. `tail` is a hint for others, stored after the stamp: every position below it is published. To
//     its producer it is the only record of where it stands.
//  5. Shared words are read one by one into a private array, which is what gets checked and used. A
//     hostile peer can make that array nonsense but cannot change it after a check.
//
// The pairs (P producer, C consumer, T tool):
//   stamp   P release -> C acquire    the payload of p is visible before its stamp
//   cursor  C release -> P acquire    the consumer's reads of a slot are done before it is reused
//   tail    P release -> T acquire    what lies below the tail is published
//   cursor  C release -> T acquire    a depth is never too small
//   payload P release -> T acquire    a tool that meets a word of the next lap also sees its tail
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "shm/atomics.hpp"

namespace sluice::shm {

// The stamp that publishes a position. Zero, what a truncated file reads as, belongs to position
// 2^64 - 1, which a ring starting at 0 does not reach in five centuries of a billion messages a
// second.
[[nodiscard]] constexpr std::uint64_t stamp_of(std::uint64_t position) noexcept {
  return position + 1;
}

// How far ahead the next slots are fetched. Measured since words are read in place (word_at): 4/2
// and none are within a tenth of each other, whether the cores are near or far apart and whether
// the ring fits the L2 cache or not. Fetching the line to own it (prefetchw) 4 ahead costs more
// than half of the throughput where the cores are far apart.
template <std::uint32_t kWrite, std::uint32_t kRead>
struct PrefetchAhead {
  static constexpr std::uint32_t kWriteAhead = kWrite;
  static constexpr std::uint32_t kReadAhead = kRead;
};
using NoPrefetch = PrefetchAhead<0, 0>;

// Most records a producer writes ahead of its tail before it publishes them. At most a quarter of
// the ring, so that tools find records to read in a small one too.
inline constexpr std::uint64_t kLargestBatch = 32;
[[nodiscard]] constexpr std::uint64_t largest_batch(std::uint64_t capacity) noexcept {
  return capacity / 4 < kLargestBatch ? capacity / 4 : kLargestBatch;
}

// The producer's words in `.data`: written by the producer, read by tools and by its successor.
template <class Atomics>
struct ProducerWords {
  alignas(kCacheLine) typename Atomics::Word tail;   // its own line: stored once per message
  alignas(kCacheLine) typename Atomics::Word drops;  // records that found the ring full
  typename Atomics::Word depth_max;    // largest depth seen when the cursor was re-read
  typename Atomics::Word broken_peer;  // cursors that could not be
  typename Atomics::Word gaps;         // gap records told
  typename Atomics::Word snapshots;    // snapshot records told
  typename Atomics::Word owed;         // rows whose snapshot is still owed
};

// The consumer's words in `.cursor`.
template <class Atomics>
struct ConsumerWords {
  alignas(kCacheLine) typename Atomics::Word cursor;
  alignas(kCacheLine) typename Atomics::Word batch_max;  // most records taken by one drain
  typename Atomics::Word refused;                        // records that no honest producer writes
  typename Atomics::Word detached;  // 1: the consumer takes nothing more from this producer
};
static_assert(sizeof(ProducerWords<StdAtomics>) == 2 * kCacheLine, "bump kLayoutVersion");
static_assert(offsetof(ProducerWords<StdAtomics>, drops) == kCacheLine, "bump kLayoutVersion");
static_assert(sizeof(ConsumerWords<StdAtomics>) == 2 * kCacheLine, "bump kLayoutVersion");
static_assert(offsetof(ConsumerWords<StdAtomics>, batch_max) == kCacheLine, "bump kLayoutVersion");

// Adds to a counter that only this thread writes. Relaxed: readers want the number, not what it
// orders.
template <class Atomics>
void add_own(typename Atomics::Word& word, std::uint64_t n) noexcept {
  Atomics::store_relaxed(word, Atomics::load_relaxed(word) + n);
}
template <class Atomics>
void raise_own(typename Atomics::Word& word, std::uint64_t value) noexcept {
  if (value > Atomics::load_relaxed(word))
    Atomics::store_relaxed(word, value);
}

// A private record's words, one by one and in place. A copy of the whole record would go in wider
// moves than those that just wrote its fields; the processor cannot forward such a load from its
// store buffer and waits until the stores before it, the last slot's among them, have left: a
// streaming producer then waits for every line.
template <class Record>
[[nodiscard]] std::uint64_t word_at(const Record& record, std::size_t i) noexcept {
  static_assert(std::is_trivially_copyable_v<Record> &&
                sizeof(Record) % sizeof(std::uint64_t) == 0);
  std::uint64_t word;
  std::memcpy(&word, reinterpret_cast<const std::byte*>(&record) + i * sizeof(word), sizeof(word));
  return word;
}
// f(0) to f(kWords - 1), unrolled up to four cache lines: with known places the compiler keeps a
// small record in registers from the caller's fields to the slot, and back, and sees that a peek
// overwrites whatever the caller's record was initialised with.
template <std::size_t kWords, class F>
void for_each_word(F&& f) noexcept {
#pragma GCC unroll 32
  for (std::size_t i = 0; i < kWords; ++i)
    f(i);
}
template <class Record>
void set_word_at(Record& record, std::size_t i, std::uint64_t word) noexcept {
  static_assert(std::is_trivially_copyable_v<Record> &&
                sizeof(Record) % sizeof(std::uint64_t) == 0);
  std::memcpy(reinterpret_cast<std::byte*>(&record) + i * sizeof(word), &word, sizeof(word));
}

template <class Atomics, std::size_t kPayloadWords, class Prefetch = PrefetchAhead<4, 2>>
class RingProducerCore {
 public:
  using Word = typename Atomics::Word;
  using Payload = std::array<std::uint64_t, kPayloadWords>;
  static constexpr std::size_t kSlotWords = 1 + kPayloadWords;

  // `tail` is the next position to publish, as recover_tail() found it. `capacity` is a power of
  // two.
  RingProducerCore(Word* slots, ProducerWords<Atomics>* own, const ConsumerWords<Atomics>* peer,
                   std::uint64_t capacity, std::uint64_t tail) noexcept
      : slots_(slots),
        own_(own),
        peer_(peer),
        mask_(capacity - 1),
        cached_cursor_(tail),
        seen_tail_(tail) {
    refresh_cursor(tail);
    publish_tail(tail);
  }

  // True when the next position may be written. Looks at the consumer's cursor only when the ring
  // seems full.
  [[nodiscard]] bool has_room() noexcept { return has_room(tail()); }

  // Publishes one record: a Payload, or any record of its size, read word by word where it lies.
  // Requires that nothing is staged. False: full, nothing happened.
  template <class Record = Payload>
  [[nodiscard]] bool try_push(const Record& payload) noexcept {
    const std::uint64_t position = tail();
    if (!has_room(position))
      return false;
    write(position, payload);
    stamp(position);
    publish_tail(position + 1);
    return true;
  }

  // Writes a record behind the staged ones; nobody sees it before publish(). False: the ring is
  // full or largest_batch() records are staged; publish, then try again.
  template <class Record = Payload>
  [[nodiscard]] bool try_stage(const Record& payload) noexcept {
    const std::uint64_t first = tail();
    if (staged_ == largest_batch(capacity()) || !has_room(first))
      return false;
    write(first + staged_, payload);
    ++staged_;
    return true;
  }
  // Publishes all that is staged, in order. A producer that dies inside has published a prefix.
  void publish() noexcept {
    std::uint64_t position = tail();
    const std::uint64_t end = position + staged_;
    for (; position != end; ++position)
      stamp(position);
    staged_ = 0;
    publish_tail(end);
  }
  [[nodiscard]] std::uint64_t staged() const noexcept { return staged_; }

  // What we stored last; kept nowhere else: see write(). In a file that was cut it reads as 0: the
  // ring is full from then on, see own_tail_lost().
  [[nodiscard]] std::uint64_t tail() const noexcept { return Atomics::load_own(own_->tail); }
  [[nodiscard]] std::uint64_t capacity() const noexcept { return mask_ + 1; }

  // Exact at the moment of the call; later it can only have grown.
  [[nodiscard]] std::uint64_t free_slots() noexcept {
    const std::uint64_t first = tail();
    refresh_cursor(first);
    // A cursor that cannot be was judged without what is staged: then there is no room, not less.
    const std::uint64_t taken = first + staged_ - cached_cursor_;
    return taken > mask_ ? 0 : mask_ + 1 - taken;
  }

  void note_drop() noexcept { add_own<Atomics>(own_->drops, 1); }
  void note_gap() noexcept { add_own<Atomics>(own_->gaps, 1); }
  void note_snapshot() noexcept { add_own<Atomics>(own_->snapshots, 1); }
  // relaxed: a number for tools, and for a successor, whose role lock orders it.
  void set_owed(std::uint64_t rows) noexcept { Atomics::store_relaxed(own_->owed, rows); }
  [[nodiscard]] std::uint64_t owed() const noexcept { return Atomics::load_relaxed(own_->owed); }
  [[nodiscard]] std::uint64_t broken_peer() const noexcept {
    return Atomics::load_relaxed(own_->broken_peer);
  }
  // Our own tail went back: our file was cut. Known once the ring was asked for room.
  [[nodiscard]] bool own_tail_lost() const noexcept { return own_tail_lost_; }

 private:
  // `tail` in what follows: as tail() is, loaded once an operation.
  [[nodiscard]] bool has_room(std::uint64_t tail) noexcept {
    const std::uint64_t next = tail + staged_;
    return next - cached_cursor_ <= mask_ || (refresh_cursor(tail), next - cached_cursor_ <= mask_);
  }

  template <class Record>
  void write(std::uint64_t position, const Record& payload) noexcept {
    static_assert(sizeof(Record) == sizeof(Payload), "a slot's record has one size");
    Word* const slot = slots_ + (position & mask_) * kSlotWords;
    if constexpr (Prefetch::kWriteAhead != 0)
      prefetch(position + Prefetch::kWriteAhead);
    // Stores leave the processor in order, and each change of place, 32 bytes of a line, is a step
    // of its own; a limited number of steps waits for lines that the consumer's core has, so fewer
    // steps a record are more records on the way at once. Hence from the last word to the first:
    // the stamp's half of a line is written in one go. Hence also no private tail beside the shared
    // one. A record of one line, built in registers, takes three steps; upwards and with a private
    // tail it would be five.
    for_each_word<kPayloadWords>([&](std::size_t step) noexcept {
      const std::size_t i = kPayloadWords - 1 - step;
      // release: a tool that meets this word in a slot of the last lap must also see the tail that
      // allowed the overwrite (RingReaderCore::read). The consumer needs no more than relaxed here.
      Atomics::store_release(slot[1 + i], word_at(payload, i), Sync::kPayloadWrite);
    });
  }

  void stamp(std::uint64_t position) noexcept {
    // release: pairs with the acquire in RingConsumerCore::peek(); the payload comes before its
    // stamp.
    Atomics::store_release(slots_[(position & mask_) * kSlotWords], stamp_of(position),
                           Sync::kStampPublish);
  }

  void publish_tail(std::uint64_t tail) noexcept {
    // release: pairs with the acquire of tools and of a successor; stamps below the tail come
    // first.
    Atomics::store_release(own_->tail, tail, Sync::kTailPublish);
  }

  void refresh_cursor(std::uint64_t tail) noexcept {
    // acquire: pairs with the release in RingConsumerCore::release_to(); the consumer has finished
    // reading the slots it gives back before we overwrite them.
    const std::uint64_t cursor = Atomics::load_acquire(peer_->cursor, Sync::kCursorRefresh);
    if (static_cast<std::int64_t>(tail - seen_tail_) < 0) {
      own_tail_lost_ = true;
      cached_cursor_ = tail - (mask_ + 1);
      return;
    }
    seen_tail_ = tail;
    const std::uint64_t depth = tail - cursor;
    if (depth > mask_ + 1) {
      // The cursor is ahead of us or more than a lap behind: no honest consumer. Full, and counted.
      add_own<Atomics>(own_->broken_peer, 1);
      cached_cursor_ = tail - (mask_ + 1);
      return;
    }
    cached_cursor_ = cursor;
    raise_own<Atomics>(own_->depth_max, depth);
  }

  void prefetch(std::uint64_t position) const noexcept {
    const Word* const slot = slots_ + (position & mask_) * kSlotWords;
    for (std::size_t i = 0; i < kSlotWords; i += kCacheLine / sizeof(std::uint64_t))
      __builtin_prefetch(slot + i, 1);
  }

  // All private to the producing thread: the only shared line a push touches is its slot's (and the
  // tail's, which nobody polls).
  alignas(kCacheLine) Word* slots_;
  ProducerWords<Atomics>* own_;
  const ConsumerWords<Atomics>* peer_;
  std::uint64_t mask_;
  std::uint64_t cached_cursor_;
  std::uint64_t staged_{0};
  std::uint64_t seen_tail_;  // when the cursor was looked at last
  bool own_tail_lost_{false};
};

template <class Atomics, std::size_t kPayloadWords, class Prefetch = PrefetchAhead<4, 2>>
class RingConsumerCore {
 public:
  using Word = typename Atomics::Word;
  using Payload = std::array<std::uint64_t, kPayloadWords>;
  static constexpr std::size_t kSlotWords = 1 + kPayloadWords;

  // Goes on at the cursor that this consumer, or the one before it, released last.
  RingConsumerCore(const Word* slots, ConsumerWords<Atomics>* own, std::uint64_t capacity) noexcept
      : slots_(slots), own_(own), mask_(capacity - 1), head_(Atomics::load_relaxed(own->cursor)) {
    Atomics::store_relaxed(own_->detached, 0);
  }

  // Copies the record at head() if it is published, into a Payload or any record of its size. Does
  // not move.
  template <class Record = Payload>
  [[nodiscard]] bool peek(Record& copy) const noexcept {
    static_assert(sizeof(Record) == sizeof(Payload), "a slot's record has one size");
    const Word* const slot = slots_ + (head_ & mask_) * kSlotWords;
    // acquire: pairs with the release of the stamp in try_push(); the payload we copy is the whole
    // one.
    if (Atomics::load_acquire(slot[0], Sync::kStampTake) != stamp_of(head_))
      return false;
    if constexpr (Prefetch::kReadAhead != 0)
      prefetch(head_ + Prefetch::kReadAhead);
    for_each_word<kPayloadWords>([&](std::size_t i) noexcept {
      // relaxed: ordered by the stamp's acquire. An honest producer leaves the slot alone until we
      // release it, so no second look is needed; a hostile one could lie in the first place.
      set_word_at(copy, i, Atomics::load_relaxed(slot[1 + i]));
    });
    return true;
  }

  [[nodiscard]] bool empty() const noexcept {
    // relaxed: a poll; whoever acts on it reads through peek().
    return Atomics::load_relaxed(slots_[(head_ & mask_) * kSlotWords]) != stamp_of(head_);
  }

  // Moves past the record at head() without giving its slot back. Only after a successful peek().
  void advance() noexcept { ++head_; }

  // Gives all slots below `position` (at most head()) back to the producer.
  void release_to(std::uint64_t position) noexcept {
    // release: pairs with the acquire in refresh_cursor(); our copies come before the slot's reuse.
    Atomics::store_release(own_->cursor, position, Sync::kCursorRelease);
  }

  // A producer that writes nonsense is cut off: counted where tools see it, and nothing more is
  // taken from it. Only a new consumer (a restart that an operator decides on) reads again.
  void note_refused() noexcept { add_own<Atomics>(own_->refused, 1); }
  void detach() noexcept {
    detached_ = true;
    // relaxed: a number for tools.
    Atomics::store_relaxed(own_->detached, 1);
  }
  [[nodiscard]] bool detached() const noexcept { return detached_; }

  void note_batch(std::uint64_t records) noexcept { raise_own<Atomics>(own_->batch_max, records); }

  [[nodiscard]] std::uint64_t head() const noexcept { return head_; }
  [[nodiscard]] std::uint64_t released() const noexcept {
    return Atomics::load_relaxed(own_->cursor);
  }

 private:
  void prefetch(std::uint64_t position) const noexcept {
    const Word* const slot = slots_ + (position & mask_) * kSlotWords;
    for (std::size_t i = 0; i < kSlotWords; i += kCacheLine / sizeof(std::uint64_t))
      __builtin_prefetch(slot + i, 0);
  }

  alignas(kCacheLine) const Word* slots_;
  ConsumerWords<Atomics>* own_;
  std::uint64_t mask_;
  std::uint64_t head_;
  bool detached_{false};
};

}  // namespace sluice::shm
