// TapWriter: a stage's way to persistence. Taps are numbered; what found the ring full is counted
// and told by a gap record as soon as there is room, so that the journal names what it lacks.
//
// Thread contract: the stage's hot thread. No allocation, no system call.
// Invariants:
//  1. An incarnation's first tap is its session, however long the ring stays full.
//  2. What is untold stands in the ring's `owed`: a stage that dies owing is told of by the next
//     one, in a gap of at least so many.
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
      : ring_(shell.instance(), ring),
        index_(ring_index),
        session_{.incarnation = shell.incarnation(),
                 .reserved = 0,
                 .generation = shell.instance().generation()},
        owed_before_(ring_.owed()),
        lost_(owed_before_) {
    static_cast<void>(tell_gap(shell.now()));
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

  // To be called when nothing new comes, too. False: something was lost, and there is no room to
  // tell it.
  [[nodiscard]] bool tell_gap(MonoNanos now) noexcept {
    const bool told = send_gap(now);
    flush();
    return told;
  }

  void note_lost() noexcept {
    ++lost_;
    ++lost_total_;
    ring_.note_drop();
    publish_owed();
  }
  // What was told instead of lost records (shm/conflation.hpp).
  void note_snapshot() noexcept { ring_.note_snapshot(); }
  void set_owed(std::uint64_t rows) noexcept {
    rows_owed_ = rows;
    publish_owed();
  }
  // Records that the incarnation before this one had lost untold, or more.
  [[nodiscard]] std::uint64_t owed_before() const noexcept { return owed_before_; }

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
    if (lost_ == 0 && !owes_session_) [[likely]]
      return true;
    Tap tap;
    if (owes_session_) {
      tap.set_body(TapType::kSession, session_);
      if (!send(tap, now))
        return false;
      owes_session_ = false;
    }
    if (lost_ == 0)
      return true;
    tap.set_body(TapType::kGap, GapRecord{.lost = lost_, .next_sequence = next_ + 1});
    if (!send(tap, now))
      return false;
    flush();  // it is told only when it can be read
    ring_.note_gap();
    lost_ = 0;
    publish_owed();
    return true;
  }

  // Rows owe one lost record at least; what is not yet in a gap may be more.
  void publish_owed() noexcept { ring_.set_owed(lost_ > rows_owed_ ? lost_ : rows_owed_); }

  bool send(Tap& tap, MonoNanos now) noexcept {
    tap.ring = index_;
    tap.incarnation = session_.incarnation;
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
  IncarnationRecord session_;
  bool owes_session_{true};
  std::uint64_t owed_before_;
  std::uint64_t next_{1};
  std::uint64_t lost_;  // since the last gap that was taken
  std::uint64_t rows_owed_{0};
  std::uint64_t lost_total_{0};
};

}  // namespace sluice
