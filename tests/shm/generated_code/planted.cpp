// How not to touch shared memory: what check.py must report, so that its silence about the shipped
// code means something. Each function is a mistake that C++ allows. Never run.
#include <atomic>
#include <cstdint>
#include <cstring>

#include "common/messages/intent.hpp"
#include "shm/ring_core.hpp"

using sluice::Intent;
using namespace sluice::shm;

struct Slot {
  StdAtomics::Word stamp;
  Intent intent;
};
struct Ring {
  Slot* slots;
  std::uint64_t head;
};

extern "C" {

// Checks the field where it stands, then uses a copy that was made later.
bool planted_check_then_copy(const Ring& ring, const std::uint64_t* limits,
                             std::uint64_t instruments, std::int64_t* used) {
  const Slot& slot = ring.slots[ring.head & 63];
  if (StdAtomics::load_acquire(slot.stamp) != stamp_of(ring.head))
    return false;
  if (slot.intent.instrument >= instruments)
    return false;
  std::atomic_signal_fence(std::memory_order_acquire);
  Intent intent;
  std::memcpy(&intent, &slot.intent, sizeof(intent));
  *used = static_cast<std::int64_t>(limits[intent.instrument]) - intent.requested.raw;
  return true;
}

// Each word by an atomic load, but the index twice.
bool planted_second_load(const Ring& ring, const std::uint64_t* limits, std::uint64_t instruments,
                         std::uint64_t* used) {
  const auto* const words = &ring.slots[ring.head & 63].stamp;
  if (StdAtomics::load_relaxed(words[5]) >= instruments)
    return false;
  *used = limits[StdAtomics::load_relaxed(words[5])];
  return true;
}

// A copy by vector instructions: no word of it is one load that the language promises.
void planted_memcpy(const Ring& ring, Intent& copy) {
  std::memcpy(&copy, &ring.slots[ring.head & 63].intent, sizeof(copy));
}

// The same by one instruction for the whole block.
void planted_block_move(const Ring& ring, void* copy) {
  const void* from = &ring.slots[ring.head & 63];
  std::size_t words = sizeof(Slot) / sizeof(std::uint64_t);
  asm volatile("rep movsq" : "+D"(copy), "+S"(from), "+c"(words) : : "memory");
}

void planted_copy_by_call(const Ring& ring, void* copy) {
  std::memcpy(copy, &ring.slots[ring.head & 63], 64 * sizeof(Slot));
}

// Half a word at a time: the other half may be of another record by then.
std::uint32_t planted_half_word(const Ring& ring) {
  const auto* const halves = reinterpret_cast<const volatile std::uint32_t*>(&ring.slots[0]);
  return halves[2];
}

// The payload before the stamp.
bool planted_stamp_last_read(const Ring& ring, std::uint64_t* copy) {
  const auto* const words = &ring.slots[ring.head & 63].stamp;
  copy[0] = StdAtomics::load_acquire(words[1]);
  return StdAtomics::load_acquire(words[0]) == stamp_of(ring.head);
}

// The stamp before the payload.
void planted_stamp_first_written(const Ring& ring, std::uint64_t value) {
  auto* const words = &ring.slots[ring.head & 63].stamp;
  StdAtomics::store_release(words[0], stamp_of(ring.head));
  StdAtomics::store_release(words[1], value);
}

void planted_locked_store(StdAtomics::Word* const* cursor) {
  std::atomic_ref<StdAtomics::Word>(**cursor).fetch_add(1, std::memory_order_release);
}
void planted_exchange_store(StdAtomics::Word* const* cursor, std::uint64_t position) {
  std::atomic_ref<StdAtomics::Word>(**cursor).store(position, std::memory_order_seq_cst);
}
void planted_fence(StdAtomics::Word* const* cursor, std::uint64_t position) {
  StdAtomics::store_relaxed(**cursor, position);
  __builtin_ia32_mfence();
}

}  // extern "C"
