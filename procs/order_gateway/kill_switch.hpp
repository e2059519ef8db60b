// KillSwitch: who may trip, what a trip means, and its acknowledgement (order-path.md 7).
//
// Thread contract: tripped() may be asked by both of the gateway's threads (it only reads shared
// words); everything else is the hot thread's.
// Invariants:
//  1. Tripped = any word set: operator's file, risk's page, our own page. A word that cannot be
//  read
//     counts as set. Segments replaced under us end the process instead, which cancels what works.
//  2. One episode per trip, from the first word set until all are clear.
//  3. The stamp is published only after the network thread acknowledged the episode, or after its
//     sockets were reset from here when it did not answer in time.
#pragma once

#include <cstdint>

#include "common/messages/rows.hpp"
#include "common/runtime/stage.hpp"
#include "shm/operator_trip.hpp"
#include "shm/stage_page.hpp"

namespace sluice {

class KillSwitch {
 public:
  static constexpr std::int64_t kAcknowledgeWithin = 1'000'000;  // then the sockets are reset

  KillSwitch(StageShell& shell, const shm::StageView& risk)
      : operator_(shell.instance()),
        risk_(risk),
        own_(shell.instance(), shell.role()),
        page_(shell.page()) {}

  // Both threads: the words themselves, as they are now.
  [[nodiscard]] bool tripped() const noexcept {
    return operator_.any(kTripScopeAll) || risk_.tripped(kTripScopeAll) ||
           own_.tripped(kTripScopeAll);
  }
  [[nodiscard]] bool cancel_all() const noexcept {
    return ((operator_.word(kTripScopeAll) | risk_.trip(kTripScopeAll) | own_.trip(kTripScopeAll)) &
            kKillCancelAll) != 0;
  }
  [[nodiscard]] TripSource source() const noexcept {
    if (operator_.any(kTripScopeAll))
      return TripSource::kOperator;
    if (risk_.tripped(kTripScopeAll))
      return TripSource::kRisk;
    return own_.tripped(kTripScopeAll) ? TripSource::kGateway : TripSource::kNone;
  }
  // The gateway trips by itself; the word survives a restart, and only an operator's resume clears
  // it.
  void trip_self() noexcept { page_.set_trip(kTripScopeAll, kKillCancelAll); }
  void clear_self() noexcept { page_.set_trip(kTripScopeAll, 0); }

  // State of the current episode, kept by the hot thread.
  std::uint64_t episode{0};
  bool active{false};
  bool stamped{false};
  bool all{false};  // the episode's mode is cancel_all
  MonoNanos seen_ns{};

 private:
  shm::OperatorTrip::View operator_;
  const shm::StageView& risk_;
  shm::StageView own_;
  shm::StagePage& page_;
};

}  // namespace sluice
