// FlatIndex: a hash from a key to a row number, sized at construction, that never allocates
// afterwards.
//
// Open addressing with linear probing; erasing shifts the run back, so there are no tombstones and
// a lookup stays short however long the process runs. One thread. Invariants: at most half the
// slots are used; a key stands at most once.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "common/base/error.hpp"
#include "common/messages/ids.hpp"

namespace sluice {

// Finaliser of SplitMix64 (Steele, Lea, Flood 2014): spreads counters as well as random ids.
[[nodiscard]] constexpr std::uint64_t mix64(std::uint64_t x) noexcept {
  x = (x ^ (x >> 30)) * 0xbf58'476d'1ce4'e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d0'49bb'1331'11ebULL;
  return x ^ (x >> 31);
}
[[nodiscard]] constexpr std::uint64_t hash_key(const Id128& id) noexcept {
  return mix64(id.hi ^ std::rotl(id.lo, 32));
}
[[nodiscard]] constexpr std::uint64_t hash_key(const IntentId& id) noexcept {
  return mix64(id.sequence ^ (std::uint64_t{id.incarnation} << 32) ^
               (std::uint64_t{id.strategy} << 48));
}

template <class Key>
class FlatIndex {
 public:
  static constexpr std::uint32_t kNone = 0xffff'ffff;

  explicit FlatIndex(std::uint32_t capacity)
      : slots_(std::bit_ceil(std::uint64_t{capacity} * 2 + 2)), capacity_(capacity) {}

  [[nodiscard]] std::uint32_t find(const Key& key) const noexcept {
    for (std::size_t i = home(key);; i = next(i)) {
      if (slots_[i].value == kNone) {
        return kNone;
      }
      if (slots_[i].key == key) {
        return slots_[i].value;
      }
    }
  }

  // Replaces the value of a key that stands. Required: fewer than `capacity` other keys.
  void put(const Key& key, std::uint32_t value) noexcept {
    std::size_t i = home(key);
    while (slots_[i].value != kNone && !(slots_[i].key == key)) {
      i = next(i);
    }
    if (slots_[i].value == kNone) {
      SLUICE_ASSERT(size_ < capacity_, "more keys than the index was built for");
      ++size_;
    }
    slots_[i] = {key, value};
  }

  void erase(const Key& key) noexcept {
    std::size_t hole = home(key);
    while (slots_[hole].value != kNone && !(slots_[hole].key == key)) {
      hole = next(hole);
    }
    if (slots_[hole].value == kNone) {
      return;
    }
    // Move back every later key of the run whose home does not lie behind the hole.
    for (std::size_t i = next(hole); slots_[i].value != kNone; i = next(i)) {
      const std::size_t from_home = (i - home(slots_[i].key)) & mask();
      const std::size_t from_hole = (i - hole) & mask();
      if (from_home >= from_hole) {
        slots_[hole] = slots_[i];
        hole = i;
      }
    }
    slots_[hole] = {};
    --size_;
  }

  [[nodiscard]] std::uint32_t size() const noexcept { return size_; }

 private:
  struct Slot {
    Key key{};
    std::uint32_t value{kNone};
  };
  [[nodiscard]] std::size_t mask() const noexcept { return slots_.size() - 1; }
  [[nodiscard]] std::size_t home(const Key& key) const noexcept { return hash_key(key) & mask(); }
  [[nodiscard]] std::size_t next(std::size_t i) const noexcept { return (i + 1) & mask(); }

  std::vector<Slot> slots_;
  std::uint32_t capacity_;
  std::uint32_t size_{0};
};

}  // namespace sluice
