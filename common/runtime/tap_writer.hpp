// TapWriter: a stage's way to persistence. Taps are numbered; what found the ring full is counted
// and told by a gap record as soon as there is room, so that the journal names what it lacks.
//
// Thread contract: the stage's hot thread. No allocation, no system call.
#pragma once

#include <string>

#include "common/messages/tap.hpp"
#include "common/runtime/stage.hpp"
#include "shm/ring.hpp"

namespace sluice {

class TapWriter {
 public:
  // `ring_index` is the ring's place in persistence_rings().
  TapWriter(StageShell& shell, const std::string& ring, std::uint16_t ring_index)
      : ring_(shell.instance(), ring), index_(ring_index), incarnation_(shell.incarnation()) {
    push(TapType::kSession,
         IncarnationRecord{.incarnation = incarnation_,
                           .reserved = 0,
                           .generation = shell.instance().generation()},
         shell.now());
  }

  // False when the tap was counted as lost.
  template <class Body>
  bool push(TapType type, const Body& body, MonoNanos now) noexcept {
    const bool taken = stage(type, body, now);
    flush();
    return taken;
  }

  // As push(), but for bulk: persistence sees the tap at the next flush(), or when a batch is full.
  template <class Body>
  bool stage(TapType type, const Body& body, MonoNanos now) noexcept {
    if (send_behind_gap(type, body, now))
      return true;
    note_lost();
    return false;
  }
  void flush() noexcept {
    if (ring_.staged() != 0)
      ring_.publish();
  }

  // As push(), but what found no room is not counted: the caller keeps it, or calls note_lost().
  template <class Body>
  [[nodiscard]] bool try_push(TapType type, const Body& body, MonoNanos now) noexcept {
    const bool taken = send_behind_gap(type, body, now);
    flush();
    return taken;
  }

  // False: something was lost, and there is no room to tell it.
  [[nodiscard]] bool tell_gap(MonoNanos now) noexcept {
    const bool told = send_gap(now);
    flush();
    return told;
  }

  void note_lost() noexcept {
    ++lost_;
    ++lost_total_;
    ring_.note_drop();
  }
  // What was told instead of lost records (shm/conflation.hpp).
  void note_snapshot() noexcept { ring_.note_snapshot(); }
  void set_owed(std::uint64_t rows) noexcept { ring_.set_owed(rows); }

  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_total_; }
  [[nodiscard]] std::uint64_t free_slots() noexcept { return ring_.free_slots(); }
  [[nodiscard]] std::uint64_t capacity() const noexcept { return ring_.capacity(); }

 private:
  template <class Body>
  bool send_behind_gap(TapType type, const Body& body, MonoNanos now) noexcept {
    if (!send_gap(now))
      return false;
    Tap tap;
    tap.set_body(type, body);
    return send(tap, now);
  }

  bool send_gap(MonoNanos now) noexcept {
    if (lost_ == 0)
      return true;
    Tap tap;
    tap.set_body(TapType::kGap, GapRecord{.lost = lost_, .next_sequence = next_ + 1});
    if (!send(tap, now))
      return false;
    ring_.note_gap();
    lost_ = 0;
    return true;
  }

  bool send(Tap& tap, MonoNanos now) noexcept {
    tap.ring = index_;
    tap.incarnation = incarnation_;
    tap.sequence = next_;
    tap.now_ns = now;
    if (!ring_.try_stage(tap)) {
      flush();  // a whole batch was staged, or the ring is full
      if (!ring_.try_stage(tap))
        return false;
    }
    ++next_;
    return true;
  }

  // Taps are bulk: fetching ahead hurts once the ring outgrows the core's cache.
  shm::RingProducer<Tap, shm::NoPrefetch> ring_;
  std::uint16_t index_;
  std::uint32_t incarnation_;
  std::uint64_t next_{1};
  std::uint64_t lost_{0};  // since the last record that was taken
  std::uint64_t lost_total_{0};
};

}  // namespace sluice
