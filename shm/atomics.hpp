// The atomics policy: the only way rings and boards touch a shared word.
//
// The ring and the board are templates over such a policy, so that a model checker (relacy) runs
// the shipped algorithm with its own atomics. A policy names a `Word` type and the five accesses
// below; nothing here fences, nothing needs seq_cst. Each acquire and release of a ring or a board
// says which one it is: the model checker weakens one at a time and must see it fail
// (tests/model, docs/proofs.md).
//
// `StdAtomics` works on plain 64-bit words of a mapping. On x86-64 each of its accesses is one
// plain move; what it buys is that the compiler neither repeats, splits, merges nor reorders it.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace sluice::shm {

inline constexpr std::size_t kCacheLine = 64;

// One name per place that needs an order. The letters: P producer, C consumer, T tool, W a board's
// writer, R its reader. The reasons stand where the names are used.
enum class Sync : std::uint8_t {
  kUnnamed,        // a word of its own, outside rings and boards
  kStampPublish,   // P release
  kStampTake,      // C acquire
  kCursorRelease,  // C release
  kCursorRefresh,  // P acquire
  kPayloadWrite,   // P release
  kPayloadCopy,    // T acquire
  kTailPublish,    // P release
  kTailRead,       // T acquire
  kStampRead,      // T acquire
  kCursorRead,     // T acquire
  kVersionStore,   // W release
  kVersionLoad,    // R acquire
  kRowWordStore,   // W release
  kRowWordLoad,    // R acquire
  kCount,
};

struct StdAtomics {
  using Word = std::uint64_t;

  static_assert(std::atomic_ref<Word>::is_always_lock_free,
                "a lock inside an atomic would not span processes; port the policy first");
  static_assert(std::atomic_ref<Word>::required_alignment == alignof(Word));

  [[nodiscard]] static std::uint64_t load_relaxed(const Word& word) noexcept {
    return ref(word).load(std::memory_order_relaxed);
  }
  [[nodiscard]] static std::uint64_t load_acquire(const Word& word,
                                                  Sync = Sync::kUnnamed) noexcept {
    return ref(word).load(std::memory_order_acquire);
  }
  // A word that only this thread writes, as it stored it last (in a file that was cut: 0). relaxed:
  // orders nothing.
  [[nodiscard]] static std::uint64_t load_own(const Word& word) noexcept {
    return ref(word).load(std::memory_order_relaxed);
  }
  static void store_relaxed(Word& word, std::uint64_t value) noexcept {
    ref(word).store(value, std::memory_order_relaxed);
  }
  static void store_release(Word& word, std::uint64_t value, Sync = Sync::kUnnamed) noexcept {
    ref(word).store(value, std::memory_order_release);
  }

 private:
  // C++20 has no atomic_ref<const T>. A lock-free load never writes, so it is fine on a page that
  // is mapped read-only.
  static std::atomic_ref<Word> ref(const Word& word) noexcept {
    return std::atomic_ref<Word>(const_cast<Word&>(word));
  }
};

// A private copy of a record in shared memory that nobody need be trusted not to change meanwhile:
// each word is read once, so what is checked in the copy is what is used. `words` is aligned and as
// long as the record. For headers and tables; rings and boards have their own orders.
template <class T>
[[nodiscard]] T copy_shared(const StdAtomics::Word* words) noexcept {
  static_assert(sizeof(T) % sizeof(std::uint64_t) == 0, "records are copied in 64-bit words");
  std::array<std::uint64_t, sizeof(T) / sizeof(std::uint64_t)> copy;
  for (std::size_t i = 0; i < copy.size(); ++i)
    copy[i] = StdAtomics::load_relaxed(words[i]);
  return std::bit_cast<T>(copy);
}

}  // namespace sluice::shm
