// Alpaca's trading REST interface: requests into a caller's buffer, answers into plain records.
//
// Who: the gateway's network thread and start-up code; one RestDecoder per thread. Source: the
// Trading API's specification. No sockets: the HTTP pool carries what is written here.
//  1. Requests are written without allocation; a buffer too small or a text that would need
//  escaping
//     gives 0, and nothing is sent.
//  2. A result is used only when the status is kOk. Of a list, elements that do not decode are
//  named
//     in `faults`, so that one odd order quarantines its instrument and not the account.
//  3. What a request achieved is decided by classify() from HTTP status and code. Texts are for
//  logs.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "common/venue/alpaca/order.hpp"

namespace sluice::venue::alpaca {

// ---- requests ----------------------------------------------------------------------------------

// The longest request: an order with a client order id of 128 characters is below 512 bytes.
inline constexpr std::size_t kRequestBytes = 1024;

inline constexpr std::string_view kOrdersTarget = "/v2/orders";  // POST; DELETE cancels all
inline constexpr std::string_view kAccountTarget = "/v2/account";
inline constexpr std::string_view kPositionsTarget = "/v2/positions";
inline constexpr std::string_view kClockTarget = "/v2/clock";

struct OrderRequest {
  std::string_view symbol{};
  Qty qty{};
  Side side{Side::kNone};
  OrderType type{OrderType::kNone};
  TimeInForce tif{TimeInForce::kNone};
  Price limit{};                       // limit and stop_limit
  Price stop{};                        // stop and stop_limit
  std::string_view client_order_id{};  // 1 to 128 characters
  bool extended_hours{false};
};

// The body of POST /v2/orders. 0 also when a field the type needs is missing or not positive, or a
// price is set that the type has no use for: an order is sent as it was meant or not at all.
[[nodiscard]] std::size_t encode_order(const OrderRequest& order, std::span<char> out) noexcept;

// What PATCH /v2/orders/{id} may change of an order of ours; 0 is left out and stays. A quantity
// that stays must be left out: the venue takes whole units only. The answer carries the successor,
// a new order with an id of its own; the old one ends (or lives on) by events.
struct ReplaceRequest {
  Qty qty{};  // the new total, filled included
  Price limit{};
  std::string_view client_order_id{};  // the successor's; 1 to 128 characters
};
// The body of the PATCH; its target is encode_order_target()'s. 0 also when nothing would change, a
// value is below zero or the client order id is missing.
[[nodiscard]] std::size_t encode_replace(const ReplaceRequest& replace,
                                         std::span<char> out) noexcept;

// GET one order, DELETE one order, PATCH one order.
[[nodiscard]] std::size_t encode_order_target(const Id128& id, std::span<char> out) noexcept;
[[nodiscard]] std::size_t encode_client_order_id_target(std::string_view client_order_id,
                                                        std::span<char> out) noexcept;

enum class OrderScope : std::uint8_t { kOpen, kClosed, kAll };
struct OrdersQuery {
  OrderScope scope{OrderScope::kOpen};
  std::uint32_t limit{500};  // 1 to 500
  WallNanos after{};         // exclusive, on submitted_at; zero: unbounded
  WallNanos until{};
  bool ascending{true};
};
[[nodiscard]] std::size_t encode_orders_target(const OrdersQuery& query,
                                               std::span<char> out) noexcept;

struct ActivitiesQuery {
  std::string_view types{"FILL,CFEE"};  // comma-separated; empty: all
  WallNanos after{};                    // zero: unbounded
  WallNanos until{};
  bool ascending{true};
  std::uint32_t page_size{100};   // 1 to 100
  std::string_view page_token{};  // id of the last activity of the page before
};
[[nodiscard]] std::size_t encode_activities_target(const ActivitiesQuery& query,
                                                   std::span<char> out) noexcept;

// ---- answers -----------------------------------------------------------------------------------

struct AccountSnapshot {
  Id128 id{};
  FixedText<32> number{};
  bool active{false};        // status ACTIVE
  bool crypto_active{true};  // crypto_status ACTIVE, or not told
  bool trading_blocked{false};
  bool account_blocked{false};
  bool suspended_by_user{false};
  bool shorting_enabled{false};
  Cash cash{};
  Cash buying_power{};
  Cash non_marginable_buying_power{};  // what binds crypto; buying_power when not told
  Cash equity{};                       // for display

  [[nodiscard]] bool may_trade() const noexcept {
    return active && crypto_active && !trading_blocked && !account_blocked && !suspended_by_user;
  }
};
static_assert(std::is_trivially_copyable_v<AccountSnapshot>);

struct PositionSnapshot {
  FixedText<kSymbolCharsMax> symbol{};  // "BTCUSD"
  std::uint32_t instrument{kNoInstrument};
  bool qty_available_told{false};
  std::int64_t qty{0};  // signed, 1e-9
  std::int64_t qty_available{0};
  Price avg_entry_price{};  // for display
  Price current_price{};    // for display
};
static_assert(std::is_trivially_copyable_v<PositionSnapshot>);

struct ClockSnapshot {
  WallNanos timestamp{};
  WallNanos next_open{};
  WallNanos next_close{};
  bool is_open{false};
};

enum class ActivityKind : std::uint8_t {
  kOther,  // `type` names it; the amounts that were told are kept
  kFill,
  kCryptoFee,  // CFEE
};
struct Activity {
  ActivityKind kind{ActivityKind::kOther};
  bool has_execution_id{false};
  bool has_qty{false};
  bool has_net_amount{false};
  FixedText<24> type{};
  FixedText<96> id{};                   // whole; the token of the next page
  Id128 execution_id{};                 // the id's part after "::", when it is a UUID
  Id128 order_id{};                     // fills
  FixedText<kSymbolCharsMax> symbol{};  // empty: none told
  std::uint32_t instrument{kNoInstrument};
  Side side{Side::kNone};        // fills
  Price price{};                 // fills; fees for information
  std::int64_t qty{0};           // fills: above zero; others signed: what the account gained
  std::int64_t net_amount{0};    // signed cash, 1e-9
  Qty cum_qty{};                 // fills
  Qty leaves_qty{};              // fills
  WallNanos transaction_time{};  // fills
};
static_assert(std::is_trivially_copyable_v<Activity>);

// One element of the answer to DELETE /v2/orders.
struct CancelItem {
  Id128 id{};
  std::int32_t status{0};  // an HTTP status of its own
};

struct VenueError {
  std::int32_t code{0};  // 0: none told; never derived from the HTTP status
  FixedText<256> message{};
};

template <class T>
struct ListOf {
  std::vector<T> items;
  std::vector<DecodeFault> faults;

  [[nodiscard]] bool complete() const noexcept { return faults.empty(); }
};

struct RestLimits {
  std::size_t body_bytes_max{2 * 1024 * 1024};  // 500 orders are about 700 KB
};

// Bodies need no padding: they are copied. Lists grow with what they hold, so reserve them where
// allocation matters; on any status but kOk they are left empty.
class RestDecoder {
 public:
  // Keeps a copy of the table. Throws std::bad_alloc only.
  explicit RestDecoder(const SymbolTable& symbols, const RestLimits& limits = {});

  [[nodiscard]] DecodeStatus order(std::string_view body, OrderSnapshot& out) noexcept;
  [[nodiscard]] DecodeStatus account(std::string_view body, AccountSnapshot& out) noexcept;
  [[nodiscard]] DecodeStatus position(std::string_view body, PositionSnapshot& out) noexcept;
  [[nodiscard]] DecodeStatus clock(std::string_view body, ClockSnapshot& out) noexcept;
  // The body of a refusal.
  [[nodiscard]] DecodeStatus error(std::string_view body, VenueError& out) noexcept;

  [[nodiscard]] DecodeStatus orders(std::string_view body, ListOf<OrderSnapshot>& out);
  [[nodiscard]] DecodeStatus positions(std::string_view body, ListOf<PositionSnapshot>& out);
  [[nodiscard]] DecodeStatus activities(std::string_view body, ListOf<Activity>& out);
  [[nodiscard]] DecodeStatus cancel_items(std::string_view body, ListOf<CancelItem>& out);

  [[nodiscard]] const DecodeCounters& counters() const noexcept { return counters_; }
  [[nodiscard]] const DecodeFault& last_fault() const noexcept { return fault_; }

 private:
  template <class T, class Read>
  [[nodiscard]] DecodeStatus one(std::string_view body, T& out, Read&& read) noexcept;
  template <class T, class Read>
  [[nodiscard]] DecodeStatus list(std::string_view body, ListOf<T>& out, Read&& read);

  SymbolTable symbols_;
  JsonTree tree_;
  DecodeCounters counters_{};
  DecodeFault fault_{};
};

// ---- what an answer means ----------------------------------------------------------------------

enum class RequestKind : std::uint8_t { kPost, kDelete, kRead };

enum class Outcome : std::uint8_t {
  kOk,            // 2xx; a POST's order and a read's content must still decode, else kUnknown
  kRejected,      // refused for a business reason or as invalid: nothing happened
  kUnauthorised,  // the credentials, not the request
  kRateLimited,
  kNotFound,           // said by the venue itself, not by a proxy on the way
  kNotCancelable,      // DELETE: already in a terminal state, or not in one that can be cancelled
  kDuplicateClientId,  // an order of this client order id exists: look it up
  kUnknown,            // nothing is proven either way
};
[[nodiscard]] std::string_view to_string(Outcome outcome) noexcept;

// By HTTP status and code. `error` is null when the body was not the venue's error object; then a
// 4xx may come from a proxy and proves nothing, except 401, 403 and 429, which refuse whoever sends
// them. The single text looked at is that of the duplicate client order id (the venue gives it no
// code of its own): wrongly seen it costs one look-up, wrongly missed it would be a false
// "rejected".
[[nodiscard]] Outcome classify(RequestKind request, int http_status,
                               const VenueError* error) noexcept;

}  // namespace sluice::venue::alpaca
