// How a market event changes the board's row of its instrument.
//
// Who: the feed-handler, once per event, before the event is published. Pure, no allocation.
// Invariants:
//  1. A quote is new price and clears what a lost connection left behind; it never ends a halt.
//  2. Only a status that says so starts or ends a halt. One we do not know counts as a halt, and
//     news about imbalances or price bands changes nothing. A lost connection does not end a halt
//     either, though the venue may have: then the operator restarts the feed-handler.
#pragma once

#include "common/market/ticks.hpp"
#include "common/messages/rows.hpp"

namespace sluice {

enum class RowChange : std::uint8_t { kNone, kChanged, kSuspect };

[[nodiscard]] constexpr std::uint16_t with_flag(std::uint16_t flags, QuoteFlag flag,
                                                bool on) noexcept {
  return static_cast<std::uint16_t>(on ? flags | flag : flags & ~flag);
}

// kNone: the row is as it was. One-sided and crossed quotes are taken over: the gate judges them
// from the prices themselves.
[[nodiscard]] inline RowChange apply_to_row(const TickLimits& limits, const MarketEvent& event,
                                            TickState& ticks, QuoteRow& row) noexcept {
  switch (event.kind) {
    case MarketKind::kQuote: {
      row.quote = event.quote();
      row.exchange_ns = event.exchange_ns;
      row.receive_ns = event.receive_ns;
      const TickVerdict verdict = check_quote(limits, ticks, row.quote);
      const bool suspect = verdict == TickVerdict::kJump || verdict == TickVerdict::kOutOfRange;
      row.flags = with_flag(with_flag(row.flags, kFeedDown, false), kQuoteSuspect, suspect);
      return suspect ? RowChange::kSuspect : RowChange::kChanged;
    }
    case MarketKind::kTrade: {
      const Trade trade = event.trade();
      row.last_px = trade.px;
      row.last_qty = trade.qty;
      row.trade_receive_ns = event.receive_ns;
      return RowChange::kChanged;
    }
    case MarketKind::kStatus: {
      const TradingStatus status = event.status().status;
      if (status == TradingStatus::kInformation)
        return RowChange::kNone;
      row.flags = with_flag(row.flags, kQuoteHalted, status != TradingStatus::kTrading);
      return RowChange::kChanged;
    }
    default:
      return RowChange::kNone;
  }
}

}  // namespace sluice
