// MarketPublisher: one decoded event to everybody who wants it: board, rings, journal.
//
// Thread contract: the feed-handler's loop. After construction nothing allocates or calls the
// system. Invariants:
//  1. The board row is stored before the event is pushed: a reader of the event finds a row at
//  least
//     as new.
//  2. A full ring never blocks. The event is dropped and counted for that consumer, and the next
//     record of the same instrument that gets through is flagged after_gap.
//  3. A consumer gets only the instruments it subscribed to.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "common/market/quote_row.hpp"
#include "common/messages/rows.hpp"
#include "common/runtime/tap_writer.hpp"
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
  // Hands what is collected for the journal over; at the end of a turn.
  void flush_tap(MonoNanos now) noexcept;

  [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }
  [[nodiscard]] std::uint64_t tap_lost() const noexcept { return tap_ ? tap_->lost() : 0; }
  [[nodiscard]] std::uint64_t suspect() const noexcept { return suspect_; }

 private:
  struct Consumer {
    std::unique_ptr<shm::RingProducer<MarketEvent>> ring;
    std::vector<std::uint8_t> wants;      // per instrument
    std::vector<std::uint8_t> after_gap;  // per instrument
  };

  void update_row(const MarketEvent& event) noexcept;
  void push(Consumer& consumer, MarketEvent event) noexcept;
  void tap(const MarketEvent& event) noexcept;

  std::uint16_t source_;
  shm::BoardWriter<QuoteRow> board_;
  std::vector<QuoteRow> rows_;
  std::vector<TickState> ticks_;
  std::vector<Consumer> consumers_;
  std::unique_ptr<TapWriter> tap_;
  std::array<MarketEvent, kMarketEventsPerTap> batch_{};
  std::size_t batched_{0};
  std::uint64_t dropped_{0};
  std::uint64_t suspect_{0};
  std::uint32_t incarnation_;
};

}  // namespace sluice
