// Alpaca's order object as plain data, and the words it is written in.
//
// One form for the answers of REST and for the order stream, which carry the same object. Source:
// the Trading API's specification and its order documentation. Trivially copyable; what the records
// of this project have no word for is marked, not lost: see OrderFlag.
#pragma once

#include <cstdint>
#include <type_traits>

#include "common/base/fixed.hpp"
#include "common/base/id.hpp"
#include "common/base/time.hpp"
#include "common/messages/ids.hpp"
#include "common/venue/decode_status.hpp"
#include "common/venue/fixed_text.hpp"
#include "common/venue/json_tree.hpp"
#include "common/venue/symbol_table.hpp"

namespace sluice::venue::alpaca {

enum class OrderStatus : std::uint8_t {
  kUnrecognised = 0,  // a word this codec does not know
  kPendingNew,
  kAccepted,
  kAcceptedForBidding,
  kPendingReview,
  kNew,
  kHeld,
  kPartiallyFilled,
  kStopped,
  kSuspended,
  kCalculated,
  kPendingCancel,
  kPendingReplace,
  kDoneForDay,  // nothing more today; not terminal
  kFilled,
  kCanceled,
  kExpired,
  kReplaced,
  kRejected,
};
[[nodiscard]] constexpr bool is_terminal(OrderStatus s) noexcept {
  return s >= OrderStatus::kFilled;
}
[[nodiscard]] std::string_view to_string(OrderStatus status) noexcept;

namespace order_flag {
inline constexpr std::uint16_t kQty = 1;       // told; orders by notional have none
inline constexpr std::uint16_t kNotional = 2;  // told
inline constexpr std::uint16_t kLimit = 4;     // told
inline constexpr std::uint16_t kStop = 8;      // told
inline constexpr std::uint16_t kExtendedHours = 16;
inline constexpr std::uint16_t kLegs = 32;  // has legs, which are not decoded
// A type or time in force our records have no word for (trailing_stop, opg, cls…): `type` or `tif`
// is kNone. Nothing we send; it can only be somebody else's order.
inline constexpr std::uint16_t kForeignForm = 64;
// The average price was told but does not fit; the field is zero. It is for display only.
inline constexpr std::uint16_t kAverageUnusable = 128;
}  // namespace order_flag

inline constexpr std::size_t kClientOrderIdChars = 128;

struct OrderSnapshot {
  Id128 id{};
  FixedText<kClientOrderIdChars> client_order_id{};
  FixedText<kSymbolCharsMax> symbol{};
  std::uint32_t instrument{kNoInstrument};  // of the table; kNoInstrument: not ours
  Side side{Side::kNone};
  OrderType type{OrderType::kNone};
  TimeInForce tif{TimeInForce::kNone};
  OrderStatus status{OrderStatus::kUnrecognised};
  std::uint16_t flags{0};  // order_flag
  Qty qty{};
  Cash notional{};
  Qty filled_qty{};          // cumulative
  Price filled_avg_price{};  // cut to nine decimals; never enters money
  Price limit{};
  Price stop{};
  Id128 replaced_by{};
  Id128 replaces{};
  // Zero: not told.
  WallNanos created_at{};
  WallNanos submitted_at{};
  WallNanos updated_at{};
  WallNanos filled_at{};
  WallNanos canceled_at{};
  WallNanos expired_at{};
  WallNanos failed_at{};
  WallNanos replaced_at{};

  [[nodiscard]] bool has(std::uint16_t flag) const noexcept { return (flags & flag) != 0; }
};
static_assert(std::is_trivially_copyable_v<OrderSnapshot>);

// Reads one order object. `out` is written only when the fault's status stays kOk.
//
// Required: id, client_order_id, symbol, side, type (or its older twin order_type), time_in_force,
// status, filled_qty, created_at. Quantities are not negative; what may be null per the venue's
// specification may also be absent.
void read_order(const JsonTree& tree, const JsonNode& node, const SymbolTable& symbols,
                OrderSnapshot& out, DecodeFault& fault) noexcept;

// For the codecs' own use: the words both the stream and the activities use. "sell_short" is a
// sell.
[[nodiscard]] DecodeStatus read_side(const JsonNode& node, Side& out) noexcept;

// A decimal for display: further digits than nine are cut off. False when it does not fit.
[[nodiscard]] bool read_lossy(const JsonNode& node, std::int64_t& out) noexcept;

}  // namespace sluice::venue::alpaca
