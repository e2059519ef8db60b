// MarketPublisher: one decoded event to everybody who wants it: board, rings, journal.
//
// Thread contract: the feed-handler's loop. After construction nothing allocates or calls the
// system. Invariants:
//  1. The board row is stored before the event is pushed: a reader of the event finds a row at
//     least as new.
//  2. A full ring never blocks: outlet.hpp says what a consumer loses then, and what it is told
//     instead.
//  3. A consumer gets only the instruments it subscribed to.
//  4. A status holds until the next one, also over a lost connection: what the venue said last is
//     what is told. The journal has it once.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "common/market/quote_row.hpp"
#include "common/messages/rows.hpp"
#include "common/runtime/tap_writer.hpp"
#include "procs/feed_handler/outlet.hpp"
#include "shm/board.hpp"
#include "shm/ring.hpp"

namespace sluice {

class MarketPublisher {
 public:
  MarketPublisher(StageShell& shell, const FeedConfig& feed);

  // The first record of an incarnation: consumers treat every row as after a gap.
  void begin_session(MonoNanos stamp) noexcept;
  void publish(const MarketEvent& event) noexcept;
  // Events were missed (the connection was away): the next record of every row is after a gap, and
  // the rows say that nothing stands behind their prices.
  void mark_all_after_gap() noexcept;
  // The end of a turn: tells what found no room before, and hands what is collected for the journal
  // over.
  void end_turn(MonoNanos now) noexcept;

  [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }
  [[nodiscard]] std::uint64_t tap_lost() const noexcept { return tap_ ? tap_->lost() : 0; }
  [[nodiscard]] std::uint64_t suspect() const noexcept { return suspect_; }

 private:
  using Outlet = MarketOutlet<shm::RingProducer<MarketEvent>>;

  void update_row(const MarketEvent& event) noexcept;
  void tap(const MarketEvent& event) noexcept;
  void stage_tap(MonoNanos now) noexcept;

  std::uint16_t source_;
  shm::BoardWriter<QuoteRow> board_;
  std::vector<QuoteRow> rows_;
  std::vector<TickState> ticks_;
  std::vector<MarketEvent> told_;  // the last status per instrument; kind kNone: none yet
  MarketRows snapshots_;
  std::deque<Outlet> outlets_;  // an outlet does not move
  std::unique_ptr<TapWriter> tap_;
  std::array<MarketEvent, kMarketEventsPerTap> batch_{};
  std::size_t batched_{0};
  std::uint64_t dropped_{0};
  std::uint64_t suspect_{0};
  std::uint32_t incarnation_;
};

}  // namespace sluice
