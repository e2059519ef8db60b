// Execution: everything the gateway tells about an order: acknowledgements, fills, fees, refusals
// and ends. Identified by (n, sub): n numbers the gateway's events, sub the executions of one
// event.
//
// Invariants:
//  1. px and qty are of this execution; cum_qty and leaves are of the order after it. Cumulative
//     quantities make a snapshot exact after a gap: kSnapshot tells an order as of event n, its
//     `qty` is the signed position of the order's strategy in the instrument after that event,
//     `fee` the order's fees so far, `leaves` what its chain had not traded, also of an ended
//     order. It stands for every execution up to n of its row and, in its position, of all rows;
//     several rows are told as of one event, so its `sub` is kSnapshotSub.
//  2. A fee is charged on what is received: on a buy in the base asset, on a sell in the quote
//  asset.
//     It is `estimated` until the venue names it.
//  3. A successor's cum_qty counts its own executions alone; `approved` is the chain's total and
//     `leaves` what the chain may still trade through it.
//  4. `linked` is the sequence of the chain's other order (same strategy, same incarnation): of the
//     successor on kReplaced, else of the order this one replaces; 0: none.
#pragma once

#include <array>

#include "common/messages/ids.hpp"
#include "common/messages/reasons.hpp"

namespace sluice {

// Life of an order (order-path.md 5). Terminal states are from kFilled on.
enum class OrderState : std::uint8_t {
  kNone = 0,
  kCreated = 1,
  kPending = 2,
  kValidating = 3,
  kSubmitting = 4,  // row written, bytes may leave
  kSubmitted = 5,   // acknowledged by the venue
  kPartial = 6,
  kFilled = 7,
  kCancelled = 8,
  kReplaced = 9,
  kRejected = 10,  // refused by the venue
  kExpired = 11,
  kFailed = 12,  // refused by us, or proven not sent
};
[[nodiscard]] constexpr bool is_terminal(OrderState s) noexcept {
  return s >= OrderState::kFilled;
}
[[nodiscard]] constexpr const char* to_string(OrderState s) noexcept {
  constexpr const char* kNames[] = {"none",      "created", "pending", "validating", "submitting",
                                    "submitted", "partial", "filled",  "cancelled",  "replaced",
                                    "rejected",  "expired", "failed"};
  return static_cast<std::size_t>(s) < std::size(kNames) ? kNames[static_cast<std::size_t>(s)]
                                                         : "?";
}

// Beside the state (order-path.md 5).
enum OrderFlag : std::uint16_t {
  kCancelWanted = 1,
  kCancelSent = 2,
  kReplaceInFlight = 4,
  kOutcomeUnknown = 8,
  kLost =
      16,  // unknown after the settling time: counted at its worst, watched, revived by evidence
  kOrphaned = 32,        // ours by its client order id, found at the venue without a row
  kCancelEvidence = 64,  // the end came by a `canceled` event after our DELETE
};

enum class ExecutionKind : std::uint8_t {
  kNone = 0,
  kSubmitting = 1,  // the row and its journal record precede the bytes
  kAccepted = 2,    // the venue knows the order
  kFill = 3,        // one execution of the venue
  kFee = 4,         // the final fee of an earlier fill
  kCancelled = 5,
  kExpired = 6,
  kRejected = 7,
  kRefused = 8,   // by our gate: `reason` says why
  kUnknown = 9,   // outcome unknown: nothing proven either way
  kNotSent = 10,  // proof that no byte left
  kAdjustment = 11,
  kSnapshot = 12,  // state of the row after a gap
  kSession = 13,   // first record of a gateway's incarnation; cum_qty carries the incarnation
  kCancelRejected = 14,
  kReplaced = 15,         // the end of the old order: `linked` names the successor, which lives
  kReplaceRejected = 16,  // the end of the successor: `linked` names the old order, which lives on
  kGap = 17,  // cum_qty executions were lost here; snapshots follow, the first as of event n
};
inline constexpr std::uint16_t kSnapshotSub = 0xffff;

// The gateway's incarnation stands in the high bits of an event number, so that numbers of a later
// incarnation are above all of an earlier one, on rows, in rings and in the journal. 2^40 events:
// at ten thousand a second more than three years of one incarnation.
inline constexpr unsigned kEventIncarnationShift = 40;
[[nodiscard]] constexpr std::uint32_t event_incarnation(std::uint64_t n) noexcept {
  return static_cast<std::uint32_t>(n >> kEventIncarnationShift);
}
// Below every event of that incarnation, above every one before.
[[nodiscard]] constexpr std::uint64_t event_before_all_of(std::uint32_t incarnation) noexcept {
  return std::uint64_t{incarnation} << kEventIncarnationShift;
}

enum class FeeStatus : std::uint8_t { kNone = 0, kEstimated = 1, kFinal = 2 };

struct ExecutionStamps {
  MonoNanos gateway_poll;
  MonoNanos hand_over;
  MonoNanos wire;
};
SLUICE_SCHEMA(ExecutionStamps, gateway_poll, hand_over, wire);

struct Execution {
  std::uint64_t n{0};
  std::uint16_t sub{0};
  ExecutionKind kind{ExecutionKind::kNone};
  OrderState state{OrderState::kNone};
  std::uint16_t flags{0};  // OrderFlag
  Reason reason{Reason::kNone};
  IntentId intent{};
  std::uint32_t order_row{0};
  std::uint32_t instrument{0};
  std::uint16_t account{0};
  std::uint16_t venue{0};
  Side side{Side::kNone};
  FeeStatus fee_status{FeeStatus::kNone};
  std::uint16_t fee_asset{0};  // index in the asset table
  Price px{};
  Qty qty{};
  Qty cum_qty{};
  Qty leaves{};
  std::int64_t fee{0};  // 1e-9 of fee_asset
  Qty requested{};
  Qty approved{};
  Id128 execution_id{};
  Id128 venue_order_id{};
  WallNanos venue_ns{};
  MonoNanos receive_ns{};
  ExecutionStamps stamps{};
  std::uint64_t linked{0};
};
SLUICE_SCHEMA(Execution, n, sub, kind, state, flags, reason, intent, order_row, instrument, account,
              venue, side, fee_status, fee_asset, px, qty, cum_qty, leaves, fee, requested,
              approved, execution_id, venue_order_id, venue_ns, receive_ns, stamps, linked);
static_assert(sizeof(Execution) == 184, "three cache lines with its stamp; contracts.md fixes it");

}  // namespace sluice
