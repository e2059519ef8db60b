// What the network thread tells the gateway's core: answers, stream events and reads, in base
// types.
//
// They cross a bounded queue from the network thread to the hot thread, so each is trivially
// copyable and of fixed size, and carries everything the core needs: no text but the client order
// id, no symbol but the instrument's index. Invariants the producer keeps:
//  1. Exactly one PostResult per submit(), one DeleteResult per cancel(), one LookupResult per
//  lookup(),
//     whatever happens to the connection. Nothing is resent.
//  2. A result of kind kUnknown is reported only after its connection was closed hard (RST), and
//     `closed_ns` is stamped after that: settling is counted from it.
//  3. kNotSent is proof: no byte of the request left this process.
//  4. Events of one read come in order and without events of another read of the same kind between.
#pragma once

#include <type_traits>
#include <variant>

#include "common/messages/execution.hpp"
#include "common/trading/client_order_id.hpp"

namespace sluice {

// The venue's words for an order's status (protocols: order object, `status`).
enum class VenueStatus : std::uint8_t {
  kNone = 0,  // not told, or a word we do not know
  kPendingNew,
  kAccepted,
  kAcceptedForBidding,
  kNew,
  kHeld,
  kPartiallyFilled,
  kStopped,
  kSuspended,
  kCalculated,
  kPendingCancel,
  kPendingReplace,
  kDoneForDay,
  kFilled,
  kCanceled,
  kExpired,
  kReplaced,
  kRejected,
};
[[nodiscard]] constexpr bool is_terminal(VenueStatus s) noexcept {
  return s >= VenueStatus::kFilled;
}
// Not live yet: nothing of it can have traded, and it may not be replaced.
[[nodiscard]] constexpr bool is_before_live(VenueStatus s) noexcept {
  return s >= VenueStatus::kPendingNew && s <= VenueStatus::kAcceptedForBidding;
}
[[nodiscard]] constexpr bool is_live(VenueStatus s) noexcept {
  return s == VenueStatus::kNew || s == VenueStatus::kPartiallyFilled;
}

// The venue's words for an event of the order stream (`event`).
enum class TradeUpdateKind : std::uint8_t {
  kNone = 0,  // a word we do not know: halts the instrument, because it may have moved money
  kPendingNew,
  kAccepted,
  kNew,
  kHeld,
  kPartialFill,
  kFill,
  kCanceled,
  kExpired,
  kRejected,
  kReplaced,
  kDoneForDay,
  kStopped,
  kSuspended,
  kCalculated,
  kPendingCancel,
  kPendingReplace,
  kCancelRejected,   // order_cancel_rejected: the order lives on
  kReplaceRejected,  // order_replace_rejected: the old order lives on, the successor is over
  kRestated,
  kTradeBust,
  kTradeCorrect,
};

// An order object as the venue tells it. Only what may enter money or identity is kept exactly;
// the average price is for display.
struct OrderSnapshot {
  Id128 venue_order_id{};
  Id128 replaced_by{};  // status replaced: the successor's id
  Id128 replaces{};     // a successor: the order it replaced or is to replace
  ClientOrderId client_order_id{};
  VenueStatus status{VenueStatus::kNone};
  Side side{Side::kNone};
  OrderType type{OrderType::kNone};
  TimeInForce tif{TimeInForce::kNone};
  std::uint32_t instrument{kNoInstrument};  // kNoInstrument: a symbol that is not configured
  Qty qty{};                                // 0: the venue told none (an order by notional)
  Qty filled{};                             // cumulative
  Price limit{};
  Price stop{};
  Price average_px{};
  WallNanos created_ns{};
  WallNanos updated_ns{};
};

// Names the order a result belongs to. The intent guards against a row that was recycled meanwhile.
struct RowRef {
  std::uint32_t row{kNoRow};
  IntentId intent{};
};

enum class RequestOutcome : std::uint8_t {
  kNone = 0,
  kAccepted,      // 2xx (POST: with an order object that parsed; DELETE: 204)
  kRefused,       // 4xx with a body that parsed, other than those below
  kNotFound,      // 404 with the venue's own code
  kRateLimited,   // 429
  kUnauthorised,  // 401
  kNotSent,       // proof that no byte left; `not_sent` says why
  kUnknown,       // timeout, 5xx, 408, disconnect, unparsable, "client_order_id must be unique"
};

// Answer to submit() and replace(); after a replace `order` is the successor. An answered request
// whose order id is not the request's is reported as it came: the core sees the difference and
// makes it unknown.
struct PostResult {
  RowRef ref{};
  RequestOutcome outcome{RequestOutcome::kNone};
  Reason not_sent{Reason::kNone};  // kNotSent: kKilled, kExpired, kNoConnection, …
  std::uint16_t http_status{0};
  std::int32_t venue_code{0};
  OrderSnapshot order{};  // kAccepted only
  MonoNanos hand_over_ns{};
  MonoNanos wire_ns{};  // right before the socket write; 0: not written
  MonoNanos answer_ns{};
  MonoNanos
      closed_ns{};  // kUnknown: when the connection was closed hard; 0: answered, nothing to close
};

// Answer to cancel(). An acceptance is no evidence that the order ended.
struct DeleteResult {
  RowRef ref{};
  RequestOutcome outcome{RequestOutcome::kNone};
  std::uint16_t http_status{0};
  std::int32_t venue_code{0};
  MonoNanos wire_ns{};
  MonoNanos answer_ns{};
};

enum class LookupBy : std::uint8_t { kNone = 0, kClientOrderId = 1, kVenueOrderId = 2 };

// Answer to lookup() and lookup_foreign(): kAccepted = found, kNotFound = 404.
struct LookupResult {
  RowRef ref{};  // row kNoRow: asked for `venue_order_id` by lookup_foreign()
  LookupBy by{LookupBy::kNone};
  RequestOutcome outcome{RequestOutcome::kNone};
  Id128 venue_order_id{};
  OrderSnapshot order{};
  MonoNanos requested_ns{};
  MonoNanos answer_ns{};
};

// One message of the order stream.
struct TradeUpdate {
  TradeUpdateKind kind{TradeUpdateKind::kNone};
  bool has_position{false};
  OrderSnapshot order{};
  Id128 execution_id{};      // fills; zero: the venue named none
  Price px{};                // of this execution
  Qty qty{};                 // of this execution, never cumulative
  std::int64_t position{0};  // the account's signed position after it, when has_position
  WallNanos venue_ns{};
  MonoNanos receive_ns{};
};

// The order stream is authorised and listening, or it is not. While up, each pong (or any frame) is
// told as alive; the producer may thin these out.
struct StreamState {
  bool up{false};
  MonoNanos at_ns{};
};
struct StreamAlive {
  MonoNanos at_ns{};
};

// An activity of type FILL: the venue's durable record of an execution.
struct FillActivity {
  Id128 execution_id{};
  Id128 venue_order_id{};
  std::uint32_t instrument{kNoInstrument};
  Side side{Side::kNone};
  Price px{};
  Qty qty{};
  Qty cum_qty{};
  WallNanos venue_ns{};
  MonoNanos receive_ns{};
};

// An activity of type CFEE: the final fee of one execution. Amounts are positive when charged.
struct FeeActivity {
  Id128 execution_id{};
  std::uint32_t instrument{kNoInstrument};
  bool in_base{false};     // else in the quote currency
  std::int64_t amount{0};  // 1e-9
  MonoNanos receive_ns{};
};

struct AccountSnapshot {
  Id128 account_id{};
  Cash cash{};
  Cash buying_power{};  // what binds for cash instruments: non-marginable for crypto
  bool blocked{
      false};  // trading_blocked, account_blocked, suspended or a status that is not ACTIVE
  MonoNanos requested_ns{};
  MonoNanos receive_ns{};
};

// A read of all positions: begin, one entry per configured instrument the venue lists, end.
// Instruments the list leaves out are flat.
struct PositionsBegin {
  MonoNanos requested_ns{};
};
struct PositionEntry {
  std::uint32_t instrument{kNoInstrument};
  std::int64_t position{0};
};
struct PositionsEnd {
  MonoNanos requested_ns{};
  MonoNanos receive_ns{};
};

// An element of the list of open orders.
struct OpenOrder {
  OrderSnapshot order{};
  MonoNanos receive_ns{};
};

// The audit the core asked for is over: open orders, activities with overlap, positions and account
// were all requested at or after `requested_ns` and handed over before this. Not complete: ask
// again.
struct AuditEnd {
  MonoNanos requested_ns{};
  bool complete{false};
};

using VenueEvent = std::variant<PostResult, DeleteResult, LookupResult, TradeUpdate, StreamState,
                                StreamAlive, FillActivity, FeeActivity, AccountSnapshot,
                                PositionsBegin, PositionEntry, PositionsEnd, OpenOrder, AuditEnd>;
static_assert(std::is_trivially_copyable_v<VenueEvent>, "crosses a lock-free queue as bytes");
static_assert(sizeof(VenueEvent) <= 384, "keep a queue of a few thousand within the cache");

}  // namespace sluice
