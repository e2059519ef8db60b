// MarketOutlet: one consumer of a feed: what it wants, and what a full ring owes it.
//
// Thread contract: the feed-handler's loop. After construction nothing allocates or waits.
// Invariants:
//  1. A full ring conflates (shm/conflation.hpp): when there is room again the consumer is told one
//     gap, then of each instrument that lost something the status last told and the last quote,
//     flagged as a snapshot after a gap. Trades that were lost stay lost: they are in the gap.
//  2. Nothing of an incarnation gets through before its session mark.
//  3. Nothing of an instrument gets through after a gap before the status last told of it, or a
//     newer one: a halt and its end are told once by the venue and must not be lost here. It is
//     the event of before again, same stamp. An instrument nobody told a status of has none.
//  4. prepare() comes before the rows take the event, push() after: a snapshot is of what was
//     offered before, and the event itself is told once.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "common/messages/market_event.hpp"
#include "common/messages/rows.hpp"
#include "shm/conflation.hpp"

namespace sluice {

// A status that says whether there is trading; the others leave that as it was.
[[nodiscard]] inline bool tells_trading(const MarketEvent& event) noexcept {
  return event.kind == MarketKind::kStatus && event.status().status != TradingStatus::kInformation;
}

// Where snapshots come from: the feed's rows, and the last status event of each instrument (kind
// kNone: none yet). Both outlive the object.
class MarketRows {
 public:
  using Record = MarketEvent;
  static constexpr std::uint32_t kSnapshotRecords = 2;

  MarketRows(const std::vector<QuoteRow>& rows, const std::vector<MarketEvent>& told) noexcept
      : rows_(rows), told_(told) {}

  bool snapshot(std::uint32_t i, std::uint32_t part, MarketEvent& event) const noexcept {
    const bool has_status = told_[i].kind != MarketKind::kNone;
    if (part == 0 && has_status)
      event = told_[i];
    else if (part == (has_status ? 1U : 0U) && has_quote(rows_[i]))
      event = quote_of(rows_[i]);
    else
      return false;
    event.flags |= kAfterGap | kSnapshot;
    return true;
  }

  void gap(std::uint64_t lost, const MarketEvent* next, MarketEvent& event) const noexcept {
    event = {};
    event.source = rows_.empty() ? std::uint16_t{0} : rows_.front().source;
    event.instrument = kNoInstrument;
    event.receive_ns = next == nullptr ? MonoNanos{} : next->receive_ns;
    event.set_body(MarketKind::kGap, Gap{.lost = lost, .next = event.receive_ns, .reserved = {}});
  }

  static void flag_after_gap(MarketEvent& event) noexcept { event.flags |= kAfterGap; }

 private:
  // While the connection is away nothing stands behind the price.
  static bool has_quote(const QuoteRow& row) noexcept {
    return row.receive_ns.ns != 0 && (row.flags & kFeedDown) == 0;
  }
  static MarketEvent quote_of(const QuoteRow& row) noexcept {
    MarketEvent event;
    event.source = row.source;
    event.instrument = row.instrument;
    event.exchange_ns = row.exchange_ns;
    event.receive_ns = row.receive_ns;
    event.set_body(MarketKind::kQuote, row.quote);
    return event;
  }

  const std::vector<QuoteRow>& rows_;
  const std::vector<MarketEvent>& told_;
};

// Ring: as shm::Conflator asks.
template <class Ring>
class MarketOutlet {
 public:
  // `wants`: one byte per instrument.
  MarketOutlet(std::unique_ptr<Ring> ring, const MarketRows& rows, std::vector<std::uint8_t> wants)
      : ring_(std::move(ring)),
        wants_(std::move(wants)),
        conflator_(*ring_, rows, static_cast<std::uint32_t>(wants_.size())) {}

  // The first record of an incarnation: every row counts as after a gap.
  void begin_session(const MarketEvent& mark) noexcept { conflator_.open(mark); }

  // Events were missed before they came here: the next record of every row is after a gap.
  void mark_all_after_gap() noexcept { conflator_.flag_all(); }

  // Before an event of the instrument changes anything: tells what is owed, as far as there is
  // room.
  void prepare(std::uint32_t i) noexcept {
    if (wants_[i] == 0)
      return;
    if (conflator_.flagged(i))
      conflator_.touch(i);  // what stands in the row comes first, if anything does
    settle();
  }

  // False: lost; the row's snapshot is owed.
  bool push(const MarketEvent& event) noexcept {
    return wants_[event.instrument] == 0 || conflator_.offer(event.instrument, event);
  }

  // Tells what found no room before, as far as there is room now.
  void settle() noexcept {
    if (conflator_.owes())
      conflator_.settle();
  }

 private:
  std::unique_ptr<Ring> ring_;
  std::vector<std::uint8_t> wants_;
  shm::Conflator<Ring, MarketRows> conflator_;
};

}  // namespace sluice
