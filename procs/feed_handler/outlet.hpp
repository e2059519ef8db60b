// MarketOutlet: one consumer of a feed: what it wants, what it missed, and what it is owed.
//
// Thread contract: the feed-handler's loop. After construction nothing allocates or waits.
// Invariants:
//  1. A full ring drops the event and counts it. The next record of the same instrument that gets
//     through is flagged after_gap.
//  2. Nothing of an incarnation gets through before its session mark.
//  3. Nothing of an instrument gets through after a gap before the status last told of it, or a
//     newer one: a halt and its end are told once by the venue and must not be lost here. It is
//     the event of before again, same stamp, with kAfterGap and kSnapshot. An instrument nobody
//     told a status of has none.
//  4. A status that found no room is told by settle() too: of a halted instrument nothing else may
//     come for long.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "common/messages/market_event.hpp"

namespace sluice {

// A status that says whether there is trading; the others leave that as it was.
[[nodiscard]] inline bool tells_trading(const MarketEvent& event) noexcept {
  return event.kind == MarketKind::kStatus && event.status().status != TradingStatus::kInformation;
}

// Ring: try_push(const MarketEvent&) and note_drop(), as shm::RingProducer.
template <class Ring>
class MarketOutlet {
 public:
  // `wants`: one byte per instrument.
  MarketOutlet(std::unique_ptr<Ring> ring, std::vector<std::uint8_t> wants)
      : ring_(std::move(ring)),
        wants_(std::move(wants)),
        after_gap_(wants_.size(), 1),
        owes_status_(wants_.size(), 0) {}

  // The first record of an incarnation: every row counts as after a gap.
  void begin_session(const MarketEvent& mark) noexcept {
    session_ = mark;
    owes_session_ = true;
    mark_all_after_gap();
    if (!pay_session())
      ring_->note_drop();
  }

  void mark_all_after_gap() noexcept {
    std::fill(after_gap_.begin(), after_gap_.end(), std::uint8_t{1});
  }

  // False: dropped. `told`: the status last told of the event's instrument, kind kNone if none was.
  bool push(MarketEvent event, const MarketEvent& told) noexcept {
    const std::uint32_t i = event.instrument;
    if (wants_[i] == 0)
      return true;
    const bool status = tells_trading(event);
    const bool taken =
        pay_session() && (after_gap_[i] == 0 || status || pay_status(i, told)) && try_push(event);
    if (taken) {
      if (status)
        owes_status_[i] = 0;
      return true;
    }
    after_gap_[i] = 1;
    if (status) {
      owes_status_[i] = 1;
      owing_ = true;
    }
    ring_->note_drop();
    return false;
  }

  // Tells what found no room before, as far as there is room now. `told`: per instrument.
  void settle(const std::vector<MarketEvent>& told) noexcept {
    if (!pay_session() || !owing_)
      return;
    for (std::uint32_t i = 0; i < owes_status_.size(); ++i) {
      if (owes_status_[i] != 0 && !pay_status(i, told[i]))
        return;
    }
    owing_ = false;
  }

 private:
  bool try_push(MarketEvent& event) noexcept {
    std::uint8_t& after_gap = after_gap_[event.instrument];
    if (after_gap != 0)
      event.flags |= kAfterGap;
    if (!ring_->try_push(event))
      return false;
    after_gap = 0;
    return true;
  }

  bool pay_session() noexcept {
    if (owes_session_ && ring_->try_push(session_))
      owes_session_ = false;
    return !owes_session_;
  }

  bool pay_status(std::uint32_t i, const MarketEvent& told) noexcept {
    if (told.kind == MarketKind::kNone)
      return true;
    MarketEvent again = told;
    again.flags |= kAfterGap | kSnapshot;
    if (!ring_->try_push(again))
      return false;
    after_gap_[i] = 0;
    owes_status_[i] = 0;
    return true;
  }

  std::unique_ptr<Ring> ring_;
  std::vector<std::uint8_t> wants_;
  std::vector<std::uint8_t> after_gap_;
  std::vector<std::uint8_t> owes_status_;
  MarketEvent session_{};
  bool owes_session_{false};
  bool owing_{false};  // some byte of owes_status_ may be set
};

}  // namespace sluice
