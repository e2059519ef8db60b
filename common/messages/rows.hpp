// Rows of the boards: state that a reader finds without history. Each row has one writer.
// All sizes are multiples of 8 (boards are copied in words); reserved bytes are named and zero.
#pragma once

#include <array>

#include "common/messages/execution.hpp"
#include "common/messages/intent.hpp"
#include "common/messages/market_event.hpp"

namespace sluice {

// Board `quotes.<feed>`, one row per instrument; written by the feed-handler.
struct QuoteRow {
  Quote quote{};
  Price last_px{};
  Qty last_qty{};
  WallNanos exchange_ns{};
  MonoNanos receive_ns{};        // of the quote: its identity with the feed
  MonoNanos trade_receive_ns{};  // of the last trade
  std::uint32_t instrument{0};
  std::uint16_t source{0};
  std::uint16_t flags{0};  // QuoteFlag
};
enum QuoteFlag : std::uint16_t { kQuoteHalted = 1, kQuoteSuspect = 2, kFeedDown = 4 };
SLUICE_SCHEMA(Quote, bid_px, bid_qty, ask_px, ask_qty);
SLUICE_SCHEMA(QuoteRow, quote, last_px, last_qty, exchange_ns, receive_ns, trade_receive_ns,
              instrument, source, flags);

// Board `orders`, one row per order; written by the gateway's hot thread before any byte leaves.
struct OrderRow {
  IntentId id{};
  Id128 venue_order_id{};
  IntentId replaces{};     // the order before it in its chain
  IntentId replaced_by{};  // the successor, asked for or (state Replaced) in its place
  std::uint64_t n{0};      // last gateway event applied to the row
  std::uint32_t instrument{0};
  std::uint16_t account{0};
  std::uint16_t venue{0};
  Side side{Side::kNone};
  OrderType type{OrderType::kNone};
  TimeInForce tif{TimeInForce::kNone};
  OrderState state{OrderState::kNone};
  std::uint16_t flags{0};  // OrderFlag
  Reason reason{Reason::kNone};
  Price limit{};
  Price stop{};
  Qty requested{};
  Qty approved{};      // what left or may leave; the order's quantity at the venue
  Qty filled{};        // Σ executions of this order booked
  Qty venue_filled{};  // highest cumulative quantity the venue told, of this order's own executions
  Qty chain_filled{};  // Σ executions of the orders it replaced; `approved` is the chain's total
  Cash filled_notional{};
  std::int64_t fee_base{0};   // 1e-9 of the base asset (buys)
  std::int64_t fee_quote{0};  // 1e-9 of the quote currency (sells)
  std::uint32_t executions{0};
  std::uint32_t fees_pending{0};  // fills whose fee is still estimated
  Cash reserved_cash{};           // held against buying power while unacknowledged or working
  MonoNanos decided_ns{};
  MonoNanos deadline_ns{};
  MonoNanos submitting_ns{};
  MonoNanos ack_ns{};
  MonoNanos terminal_ns{};
  WallNanos venue_ns{};
  Cause cause{};
  IntentStamps stamps{};
  ExecutionStamps gateway_stamps{};
};
SLUICE_SCHEMA(OrderRow, id, venue_order_id, replaces, replaced_by, n, instrument, account, venue,
              side, type, tif, state, flags, reason, limit, stop, requested, approved, filled,
              venue_filled, chain_filled, filled_notional, fee_base, fee_quote, executions,
              fees_pending, reserved_cash, decided_ns, deadline_ns, submitting_ns, ack_ns,
              terminal_ns, venue_ns, cause, stamps, gateway_stamps);

// Board `positions`: row (strategy index + 1) * instruments + instrument; block 0 is the account as
// our books have it (Σ strategies + external), the last block is `external`. Written by the
// gateway.
struct PositionRow {
  std::uint32_t instrument{0};
  std::uint16_t strategy{0};
  std::uint16_t flags{0};
  std::uint64_t n{0};
  std::int64_t position{0};  // signed quantity in 1e-9: buys - sells - asset fees
  Qty bought{};
  Qty sold{};
  std::int64_t fee_base{0};
  std::int64_t fee_quote{0};
  std::int64_t cash_flow{0};  // 1e-9: sells - buys - quote fees
  std::int64_t cost{0};  // cash paid for what is held now (fees in base included), for realised P&L
  std::int64_t realised{0};
  Qty working_buy{};  // leaves of all orders that may still buy, unknown ones at their worst
  Qty working_sell{};
  std::int64_t venue_position{0};  // last evidence from the venue
  MonoNanos venue_position_ns{};
  std::uint32_t fees_pending{0};
  std::uint32_t halted{0};  // 1: no new risk on this instrument, see `flags`
};
SLUICE_SCHEMA(PositionRow, instrument, strategy, flags, n, position, bought, sold, fee_base,
              fee_quote, cash_flow, cost, realised, working_buy, working_sell, venue_position,
              venue_position_ns, fees_pending, halted);

// Why an instrument takes no new risk (PositionRow::flags of the account's block; `halted` is 1
// when any is set). The soft ones leave reductions possible; the others let nothing but cancels
// pass.
enum PositionFlag : std::uint16_t {
  kPositionDisagrees = 1,      // soft: book and venue differ, seen twice
  kPositionUnplaced = 2,       // soft: an execution at the venue that nobody can attribute yet
  kPositionOverflow = 4,       // a sum does not fit: quarantined
  kPositionConflict = 8,       // an order or execution at the venue is not what we sent or booked
  kPositionUnknownEvent = 16,  // an event that may have moved money and is not understood
};
inline constexpr std::uint16_t kPositionSoftFlags = kPositionDisagrees | kPositionUnplaced;

enum AccountFlag : std::uint32_t {
  kAccountKnown = 1,
  kAccountBlocked = 2,
  kStreamProven = 4,
  kQuiescent = 8,  // nothing working, in flight, unknown; every fee final
};

// Board `account`, one row; written by the gateway.
struct AccountRow {
  Id128 account_id{};
  std::uint64_t n{0};
  Cash start_cash{};  // at the first snapshot of this incarnation
  Cash cash{};        // our books: start + Σ cash flows
  Cash venue_cash{};  // last evidence
  Cash venue_buying_power{};
  MonoNanos snapshot_ns{};  // when the last snapshot was requested
  MonoNanos stream_proof_ns{};
  std::uint32_t flags{0};  // AccountFlag
  std::uint32_t working{0};
  std::uint32_t in_flight{0};
  std::uint32_t unknown{0};
  std::uint32_t fees_pending{0};
  std::uint32_t orders{0};  // rows used on the orders board
  std::uint64_t executions{0};
  std::uint64_t kill_episode{0};  // acknowledged by the network thread
  MonoNanos kill_stamp_ns{};      // nothing was written after this stamp in that episode
};
SLUICE_SCHEMA(AccountRow, account_id, n, start_cash, cash, venue_cash, venue_buying_power,
              snapshot_ns, stream_proof_ns, flags, working, in_flight, unknown, fees_pending,
              orders, executions, kill_episode, kill_stamp_ns);

enum class TradingState : std::uint32_t { kNone = 0, kActive = 1, kReduceOnly = 2, kHalted = 3 };
[[nodiscard]] constexpr const char* to_string(TradingState s) noexcept {
  switch (s) {
    case TradingState::kActive:
      return "Active";
    case TradingState::kReduceOnly:
      return "ReduceOnly";
    case TradingState::kHalted:
      return "Halted";
    case TradingState::kNone:
      break;
  }
  return "none";
}

// Board `limits` (the limit sheet), written by risk. Row 0 is the sheet's head; row 1 + i is
// instrument i; rows 1 + instruments + s hold strategy s's marks. One type serves all three.
struct LimitRow {
  std::uint32_t incarnation{0};  // of risk
  TradingState trading_state{TradingState::kNone};
  MonoNanos published_ns{};  // head: the sheet's age
  std::uint64_t sequence{
      0};  // head: raised at every publication; strategy rows: highest intent decided
  Qty max_order_qty{};
  Cash max_order_notional{};
  Qty max_position{};
  Cash max_exposure{};
  std::uint32_t strategy_incarnation{0};
  std::uint32_t open_orders_max{0};  // head: orders of ours that may be open at one time
};
SLUICE_SCHEMA(LimitRow, incarnation, trading_state, published_ns, sequence, max_order_qty,
              max_order_notional, max_position, max_exposure, strategy_incarnation,
              open_orders_max);

// Board `instruments`, written once at set-up.
struct InstrumentRow {
  std::array<char, 24> symbol{};  // as the venue's orders use it, zero-padded
  std::uint32_t index{0};
  std::uint16_t venue{0};
  std::uint16_t base_asset{0};
  std::uint16_t quote_asset{0};
  std::uint16_t flags{0};
  std::uint32_t reserved{0};
  Price tick{};
  Qty lot{};
  Qty min_qty{};
  Qty max_qty{};
  std::int64_t multiplier{0};
};
SLUICE_SCHEMA(InstrumentRow, symbol, index, venue, base_asset, quote_asset, flags, reserved, tick,
              lot, min_qty, max_qty, multiplier);

// Who may set a kill word. Tripped = any set.
enum class TripSource : std::uint32_t {
  kNone = 0,
  kOperator = 1,
  kGateway = 2,
  kRisk = 3,
  kControl = 4
};
inline constexpr std::uint16_t kTripScopeAll = 0;

// Bits of a kill word; the strictest of all that are set holds.
enum KillWord : std::uint64_t {
  kKillStop = 1,       // no new orders; cancel opening ones, keep what protects or reduces
  kKillCancelAll = 2,  // no new orders; cancel everything that works
};

}  // namespace sluice
