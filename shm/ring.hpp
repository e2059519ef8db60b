// RingProducer and RingConsumer: the two ends of one ring between two processes.
//
// The algorithm and every memory order stand in ring_core.hpp; here are records instead of words,
// and the two files. `ring.<name>.data` (slots, producer's words) is writable for the producer
// only, `ring.<name>.cursor` (consumer's words) for the consumer only; each maps the other's
// read-only.
//
// Invariants:
//  1. One thread uses an end; after construction nothing here allocates, locks, throws or calls the
//     system.
//  2. A slot is whole cache lines: 8 bytes of stamp and the record.
//  3. The ring itself never drops, waits or overwrites: full is an answer. What follows (refuse,
//     drop and count, conflate) is the caller's, by the ring's policy; note_drop() keeps the count
//     where tools see it.
//  4. No pointer into shared memory leaves this header: claim() hands out a private record that
//     commit() publishes, peek() fills a copy.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include "common/base/schema.hpp"
#include "shm/instance.hpp"
#include "shm/ring_core.hpp"
#include "shm/ring_recovery.hpp"

namespace sluice::shm {

// What happens when a ring is full; part of the ring, visible to tools (shared-memory.md 4).
enum class RingPolicy : std::uint32_t {
  kConflate = 1,  // drop, count, then snapshots flagged after_gap
  kRefuse,        // the sender knows at once
  kReserved,      // never full: a slot is reserved before its cause is taken
  kLossless,      // no new risk past high water; draining is a condition of shutdown
  kCountedGap,    // drop and count, a gap record when there is room
};
[[nodiscard]] const char* to_string(RingPolicy policy) noexcept;

// Where the halves of `.data` and `.cursor` lie behind their header page.
inline constexpr std::size_t kRingWordsOffset = kHeaderBytes;               // both files
inline constexpr std::size_t kRingSlotsOffset = kHeaderBytes + kPageBytes;  // .data

// Both files of a ring, mapped and verified against each other.
struct RingMapping {
  Region data;
  Region cursor;
  SegmentHeader header{};   // of `.data`, a private copy
  TailRecovery recovery{};  // producer only

  [[nodiscard]] std::uint64_t capacity() const noexcept { return header.elements; }
  [[nodiscard]] RingPolicy policy() const noexcept {
    return static_cast<RingPolicy>(header.policy);
  }
  [[nodiscard]] std::size_t slot_words() const noexcept {
    return header.element_bytes / sizeof(std::uint64_t);
  }
  [[nodiscard]] StdAtomics::Word* slots() const noexcept {
    return data.at<StdAtomics::Word>(kRingSlotsOffset);
  }
  [[nodiscard]] ProducerWords<StdAtomics>* producer() const noexcept {
    return data.at<ProducerWords<StdAtomics>>(kRingWordsOffset);
  }
  [[nodiscard]] ConsumerWords<StdAtomics>* consumer() const noexcept {
    return cursor.at<ConsumerWords<StdAtomics>>(kRingWordsOffset);
  }
};

// Throw AttachError; the producer's also when the ring contradicts itself (see recover_tail). A
// zero schema or size accepts any: tools only.
[[nodiscard]] RingMapping attach_ring_producer(const Instance& instance, const std::string& ring,
                                               std::uint64_t schema_hash,
                                               std::uint32_t payload_bytes);
[[nodiscard]] RingMapping attach_ring_consumer(const Instance& instance, const std::string& ring,
                                               std::uint64_t schema_hash,
                                               std::uint32_t payload_bytes);
[[nodiscard]] RingMapping attach_ring_reader(const Instance& instance, const std::string& ring);

template <class R>
struct RingRecord {
  static_assert(std::is_trivially_copyable_v<R> && std::is_standard_layout_v<R>);
  static_assert(std::has_unique_object_representations_v<R>, "name the record's padding");
  static_assert((sizeof(std::uint64_t) + sizeof(R)) % kCacheLine == 0,
                "stamp and record must fill whole cache lines; resize the record");
  static constexpr std::size_t kWords = sizeof(R) / sizeof(std::uint64_t);
  static constexpr std::uint64_t kSchema = kSchemaHash<R>;
  static constexpr std::uint32_t kBytes = sizeof(R);
  using Words = std::array<std::uint64_t, kWords>;
};

template <class R, class Prefetch = PrefetchAhead<4, 2>>
class RingProducer {
  using Record = RingRecord<R>;
  using Core = RingProducerCore<StdAtomics, Record::kWords, Prefetch>;

 public:
  // Requires that this process holds the ring's producer role. Verifies its predecessor's tail.
  RingProducer(const Instance& instance, const std::string& ring)
      : mapping_(attach_ring_producer(instance, ring, Record::kSchema, Record::kBytes)),
        core_(mapping_.slots(), mapping_.producer(), mapping_.consumer(), mapping_.capacity(),
              mapping_.recovery.tail) {}

  // False: full, nothing happened.
  [[nodiscard]] bool try_push(const R& record) noexcept { return core_.try_push(record); }

  // A private record to fill when there is room, else nullptr. commit() publishes it; without a
  // commit nothing happened. Its content is whatever the last claim left.
  [[nodiscard]] R* claim() noexcept { return core_.has_room() ? &claimed_ : nullptr; }
  // Only after a claim() that returned a record, once.
  void commit() noexcept { static_cast<void>(core_.try_push(claimed_)); }

  // For bulk: records are written at once and published together, in order. False: the ring is full
  // or largest_batch() records are staged; publish, then try again. Not to be mixed with try_push()
  // before publish().
  [[nodiscard]] bool try_stage(const R& record) noexcept { return core_.try_stage(record); }
  void publish() noexcept { core_.publish(); }
  [[nodiscard]] std::uint64_t staged() const noexcept { return core_.staged(); }

  [[nodiscard]] std::uint64_t tail() const noexcept { return core_.tail(); }  // next position
  [[nodiscard]] std::uint64_t capacity() const noexcept { return core_.capacity(); }
  [[nodiscard]] std::uint64_t free_slots() noexcept { return core_.free_slots(); }
  [[nodiscard]] RingPolicy policy() const noexcept { return mapping_.policy(); }

  // Counts a record that was lost because the ring was full, where tools see it.
  void note_drop() noexcept { core_.note_drop(); }
  // What a conflating producer told instead of what was lost, and the rows it still owes.
  void note_gap() noexcept { core_.note_gap(); }
  void note_snapshot() noexcept { core_.note_snapshot(); }
  void set_owed(std::uint64_t rows) noexcept { core_.set_owed(rows); }
  // Before the first set_owed(): the rows that a predecessor owed when it died.
  [[nodiscard]] std::uint64_t owed() const noexcept { return core_.owed(); }
  // How often the consumer's cursor was impossible; each time the ring counted as full.
  [[nodiscard]] std::uint64_t broken_peer() const noexcept { return core_.broken_peer(); }
  // The consumer cut its file short; the ring is full from then on.
  [[nodiscard]] bool peer_hostile() const noexcept { return mapping_.cursor.hostile(); }
  // Our own file was cut short: what is pushed reaches nobody. A reason to stop.
  [[nodiscard]] bool own_file_lost() const noexcept {
    return mapping_.data.hostile() || core_.own_tail_lost();
  }
  // What the attach found behind a predecessor that died.
  [[nodiscard]] const TailRecovery& recovery() const noexcept { return mapping_.recovery; }

 private:
  RingMapping mapping_;
  Core core_;
  R claimed_{};
};

template <class R, class Prefetch = PrefetchAhead<4, 2>>
class RingConsumer {
  using Record = RingRecord<R>;
  using Core = RingConsumerCore<StdAtomics, Record::kWords, Prefetch>;

 public:
  // Requires that this process holds the ring's consumer role. Goes on at the last released
  // position.
  RingConsumer(const Instance& instance, const std::string& ring)
      : mapping_(attach_ring_consumer(instance, ring, Record::kSchema, Record::kBytes)),
        core_(mapping_.slots(), mapping_.consumer(), mapping_.capacity()) {}

  // Copies the next record, if there is one. The copy is private: check it and use it, not the
  // ring.
  [[nodiscard]] bool peek(R& copy) noexcept { return !core_.detached() && core_.peek(copy); }
  // Gives the peeked record's slot back, and all before it. Once per successful peek().
  void release() noexcept {
    core_.advance();
    core_.release_to(core_.head());
  }

  // For consumers that hold slots across a checkpoint: move on now, release later.
  void advance() noexcept { core_.advance(); }
  void release_to(std::uint64_t position) noexcept { core_.release_to(position); }

  // For consumers that peek: how many records they took at one time, where tools see it.
  void note_batch(std::uint64_t records) noexcept { core_.note_batch(records); }

  // Calls fn(const R&) for up to `limit` records and gives their slots back in one store at the
  // end: a consumer that dies inside is handed this batch again. Returns how many.
  template <class F>
  std::size_t drain(F&& fn, std::size_t limit) noexcept {
    std::size_t taken = 0;
    R record;
    while (taken < limit && !core_.detached() && core_.peek(record)) {
      fn(std::as_const(record));
      core_.advance();
      ++taken;
    }
    if (taken != 0) {
      core_.release_to(core_.head());
      core_.note_batch(taken);
    }
    return taken;
  }

  // Counts a record that no honest producer writes. detach() ends it: peek() and drain() find
  // nothing from then on, also within the drain() that is running; the ring fills, and its producer
  // is refused. May be called from drain()'s function.
  void note_refused() noexcept { core_.note_refused(); }
  void detach() noexcept { core_.detach(); }
  [[nodiscard]] bool detached() const noexcept { return core_.detached(); }

  [[nodiscard]] bool empty() const noexcept { return core_.empty(); }
  [[nodiscard]] std::uint64_t head() const noexcept {
    return core_.head();
  }  // next position to read
  [[nodiscard]] std::uint64_t released() const noexcept { return core_.released(); }
  [[nodiscard]] std::uint64_t capacity() const noexcept { return mapping_.capacity(); }
  [[nodiscard]] RingPolicy policy() const noexcept { return mapping_.policy(); }
  // The producer cut its file short; the ring is empty from then on.
  [[nodiscard]] bool peer_hostile() const noexcept { return mapping_.data.hostile(); }
  // Our own file was cut short: the producer does not see what is released. A reason to stop.
  [[nodiscard]] bool own_file_lost() const noexcept { return mapping_.cursor.hostile(); }

 private:
  RingMapping mapping_;
  Core core_;
};

}  // namespace sluice::shm
