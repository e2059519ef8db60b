// The atomics policy that hands every shared access of the shipped templates to relacy; the threads
// that die; and the mutants.
//
// What relacy cannot see is a load that is delayed behind a later store of its own thread (it runs
// each thread in program order and lets loads return old values). The one place where that matters
// is the consumer's copy before its release of the cursor. So the payload's words carry a plain
// variable beside the atomic: writing it and copying it must be ordered by happens-before, else
// relacy reports a data race.
#pragma once

#include <array>
#include <cstdint>

#include "tests/model/model.hpp"

// Last: it redefines new, delete, assert and others as macros.
#include <relacy/relacy.hpp>

namespace sluice::model {

using shm::Sync;

inline constexpr std::size_t kMaxThreads = 5;
inline constexpr std::size_t kMaxRecords = 16;
inline constexpr unsigned kNobody = ~0U;

struct ModelWord {
  rl::atomic<std::uint64_t> value;
  rl::var<std::uint64_t> copied;  // see above; used where `guarded`
  bool guarded{false};

  void create(bool guard = false) {
    guarded = guard;
    value.store(0, rl::mo_relaxed, $);
    if (guarded)
      copied($).store(0);
  }
};

struct HeldStore {
  ModelWord* word;
  std::uint64_t value;
  Sync sync;
};

// Of one thread of the running schedule.
struct ThreadState {
  Flaw flaw{Flaw::kNone};
  bool mortal{false};
  bool dead{false};
  bool writes_board{false};
  bool recovers{false};
  unsigned step{0};
  unsigned last_step{0};
  std::array<HeldStore, 16> held{};
  std::size_t held_count{0};
  const ModelWord* own_tail{nullptr};  // and what this thread stored there last
  std::uint64_t own_tail_value{0};
  std::uint64_t first_look{0};  // for kNoSecondLook and kEarlierCursor
  bool looked{false};
};

// What happened, seen from outside of memory. Relacy runs one thread at a time.
struct Ghost {
  std::array<unsigned, kMaxRecords> first_writer{};  // of each published record
  std::uint64_t released{0};                         // by the consumer's last store of its cursor
};

struct Experiment {
  Sync weakened{Sync::kUnnamed};
  Flaw flaw{Flaw::kNone};
  std::uint64_t initial{0};  // position of record 0
  std::array<ThreadState, kMaxThreads> threads{};
  Ghost ghost;
  Deaths deaths;
};
inline Experiment experiment;

inline ThreadState& self() {
  return experiment.threads[rl::thread_index()];
}

// Before a scenario sets up its memory.
inline void begin_schedule(std::uint64_t initial) {
  experiment.initial = initial;
  experiment.ghost = {};
  experiment.ghost.first_writer.fill(kNobody);
  experiment.ghost.released = initial;
  for (ThreadState& thread : experiment.threads) {
    thread = {};
    thread.flaw = experiment.flaw;
  }
}

// From here on the calling thread dies before some access to shared memory, or not at all. All that
// follows is private to it, so letting it run on without effect is as good as stopping it.
inline void become_mortal() {
  ThreadState& thread = self();
  thread.mortal = true;
  thread.last_step = rl::rand(Deaths::kSteps);
}
inline void note_survival() {
  if (self().mortal && !self().dead)
    ++experiment.deaths.survived;
}
inline bool alive() {
  return !self().dead;
}

struct RelacyAtomics {
  using Word = ModelWord;

  static std::uint64_t load_relaxed(const Word& word) noexcept {
    if (!step())
      return 0;
    const ThreadState& thread = self();
    const std::uint64_t value = word.value.load(rl::mo_relaxed, $);
    if (word.guarded)
      static_cast<void>(word.copied($).load());
    if (thread.flaw == Flaw::kNoSecondLook && thread.looked)
      return thread.first_look;
    return thread.flaw == Flaw::kLiveCopy && thread.writes_board ? value + 1 : value;
  }

  static std::uint64_t load_acquire(const Word& word, Sync sync) noexcept {
    if (!step())
      return 0;
    ThreadState& thread = self();
    const bool looks_once = (thread.flaw == Flaw::kNoSecondLook && sync == Sync::kTailRead) ||
                            (thread.flaw == Flaw::kEarlierCursor && sync == Sync::kCursorRead);
    if (looks_once && thread.looked)
      return thread.first_look;
    const std::uint64_t value =
        word.value.load(sync == experiment.weakened ? rl::mo_relaxed : rl::mo_acquire, $);
    if (looks_once || (thread.flaw == Flaw::kNoSecondLook && sync == Sync::kVersionLoad)) {
      thread.first_look = value;
      thread.looked = true;
    }
    return value;
  }

  // A thread knows what it stored last, dead or not, and no schedule changes that: no step.
  static std::uint64_t load_own(const Word& word) noexcept {
    const ThreadState& thread = self();
    RL_ASSERT(thread.own_tail == &word);
    return thread.own_tail_value;
  }

  static void store_relaxed(Word& word, std::uint64_t value) noexcept {
    const ThreadState& thread = self();
    if (thread.flaw == Flaw::kNoRestamp && thread.recovers)
      return;
    emit({&word, value, Sync::kUnnamed}, rl::mo_relaxed);
  }

  static void store_release(Word& word, std::uint64_t value, Sync sync) noexcept {
    const HeldStore store{&word, value, sync};
    ThreadState& thread = self();
    if (sync == Sync::kTailPublish) {
      thread.own_tail = &word;
      thread.own_tail_value = value;
    }
    switch (thread.flaw) {
      case Flaw::kStampBeforePayload:
        if (sync == Sync::kPayloadWrite)
          return hold(store);
        emit_release(store);
        return emit_held(false);
      case Flaw::kBatchDescending:
        if (sync == Sync::kStampPublish)
          return hold(store);
        if (sync == Sync::kTailPublish)
          emit_held(true);
        return emit_release(store);
      case Flaw::kTailBeforeStamp:
        if (sync == Sync::kStampPublish)
          return hold(store);
        emit_release(store);
        if (sync == Sync::kTailPublish)
          emit_held(false);
        return;
      default:
        return emit_release(store);
    }
  }

 private:
  // False: the thread is dead, and the access does not happen.
  static bool step() noexcept {
    ThreadState& thread = self();
    if (!thread.mortal)
      return true;
    if (!thread.dead && thread.step++ == thread.last_step) {
      thread.dead = true;
      ++experiment.deaths.before[thread.last_step];
    }
    return !thread.dead;
  }

  static void hold(const HeldStore& store) noexcept {
    ThreadState& thread = self();
    thread.held[thread.held_count++] = store;
  }
  static void emit_held(bool backwards) noexcept {
    ThreadState& thread = self();
    for (std::size_t i = 0; i < thread.held_count; ++i)
      emit_release(thread.held[backwards ? thread.held_count - 1 - i : i]);
    thread.held_count = 0;
  }
  static void emit_release(const HeldStore& store) noexcept {
    emit(store, store.sync == experiment.weakened ? rl::mo_relaxed : rl::mo_release);
  }

  static void emit(const HeldStore& store, rl::memory_order order) noexcept {
    if (!step())
      return;
    if (store.word->guarded)
      store.word->copied($).store(store.value);
    if (store.sync == Sync::kStampPublish) {
      const std::uint64_t record = store.value - 1 - experiment.initial;  // stamp_of() undone
      unsigned& writer = experiment.ghost.first_writer[record % kMaxRecords];
      if (writer == kNobody)
        writer = rl::thread_index();
    }
    if (store.sync == Sync::kCursorRelease)
      experiment.ghost.released = store.value;
    store.word->value.store(store.value, order, $);
  }
};

}  // namespace sluice::model
