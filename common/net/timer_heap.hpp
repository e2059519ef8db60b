// timer_heap.hpp — bounded set of one-shot timers ordered by due time, then by age.
//
// Pure: time is passed in. One thread. An indexed binary heap: adding and removing cost O(log n),
// because nearly every answer time-out is removed before it is due and must not pile up.
// Invariants: at most `capacity` timers; slots and heap are allocated once; an id names its slot
// and the slot's generation, so a stale id never hits another timer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

#include "common/base/error.hpp"

namespace sluice::net {

class TimerHeap {
 public:
  explicit TimerHeap(std::size_t capacity) {
    slots_.reserve(capacity);
    heap_.reserve(capacity);
    free_.reserve(capacity);
    capacity_ = capacity;
  }

  std::uint64_t add(std::int64_t due_ns, std::function<void()> fn) {
    SLUICE_ASSERT(heap_.size() < capacity_, "timer limit of the loop reached: raise max_timers");
    std::uint32_t slot = 0;
    if (free_.empty()) {
      slot = static_cast<std::uint32_t>(slots_.size());
      slots_.emplace_back();
    } else {
      slot = free_.back();
      free_.pop_back();
    }
    Slot& s = slots_[slot];
    s.due_ns = due_ns;
    s.order = next_order_++;
    s.fn = std::move(fn);
    heap_.push_back(slot);
    s.heap_index = heap_.size() - 1;
    sift_up(s.heap_index);
    return (std::uint64_t{s.generation} << 32) | slot;
  }

  void remove(std::uint64_t id) noexcept {
    const auto slot = static_cast<std::uint32_t>(id);
    if (slot >= slots_.size() || slots_[slot].generation != id >> 32 || !slots_[slot].fn)
      return;
    take(slot);
  }

  [[nodiscard]] bool empty() const noexcept { return heap_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return heap_.size(); }

  // Due time of the earliest timer; the end of time if there is none.
  [[nodiscard]] std::int64_t next_due_ns() const noexcept {
    return heap_.empty() ? std::numeric_limits<std::int64_t>::max() : slots_[heap_[0]].due_ns;
  }

  // Runs the timers that are due at `now_ns` and were added before this call; a timer that adds
  // another one for now does not keep the loop from its sockets. Returns how many ran.
  std::size_t run_due(std::int64_t now_ns) {
    const std::uint64_t end_order = next_order_;
    std::size_t ran = 0;
    while (!heap_.empty()) {
      const std::uint32_t slot = heap_[0];
      if (slots_[slot].due_ns > now_ns || slots_[slot].order >= end_order)
        break;
      const std::function<void()> fn = take(slot);
      fn();
      ++ran;
    }
    return ran;
  }

 private:
  struct Slot {
    std::int64_t due_ns{0};
    std::uint64_t order{0};
    std::size_t heap_index{0};
    std::uint32_t generation{1};  // from 1: no id is 0
    std::function<void()> fn{};
  };

  [[nodiscard]] bool before(std::uint32_t a, std::uint32_t b) const noexcept {
    const Slot& x = slots_[a];
    const Slot& y = slots_[b];
    return x.due_ns != y.due_ns ? x.due_ns < y.due_ns : x.order < y.order;
  }

  void place(std::size_t index, std::uint32_t slot) noexcept {
    heap_[index] = slot;
    slots_[slot].heap_index = index;
  }

  void sift_up(std::size_t index) noexcept {
    const std::uint32_t slot = heap_[index];
    while (index > 0) {
      const std::size_t parent = (index - 1) / 2;
      if (!before(slot, heap_[parent]))
        break;
      place(index, heap_[parent]);
      index = parent;
    }
    place(index, slot);
  }

  void sift_down(std::size_t index) noexcept {
    const std::uint32_t slot = heap_[index];
    for (;;) {
      std::size_t child = 2 * index + 1;
      if (child >= heap_.size())
        break;
      if (child + 1 < heap_.size() && before(heap_[child + 1], heap_[child]))
        ++child;
      if (!before(heap_[child], slot))
        break;
      place(index, heap_[child]);
      index = child;
    }
    place(index, slot);
  }

  // Frees the slot before the function runs, so that a timer may add the next one in its place.
  std::function<void()> take(std::uint32_t slot) noexcept {
    Slot& s = slots_[slot];
    std::function<void()> fn = std::exchange(s.fn, nullptr);
    if (++s.generation == 0)
      s.generation = 1;
    const std::size_t index = s.heap_index;
    const std::uint32_t last = heap_.back();
    heap_.pop_back();
    if (last != slot) {
      place(index, last);
      sift_up(index);
      sift_down(slots_[last].heap_index);
    }
    free_.push_back(slot);
    return fn;
  }

  std::size_t capacity_{0};
  std::uint64_t next_order_{0};
  std::vector<Slot> slots_{};
  std::vector<std::uint32_t> heap_{};
  std::vector<std::uint32_t> free_{};
};

}  // namespace sluice::net
