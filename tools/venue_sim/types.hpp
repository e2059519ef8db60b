// types.hpp — the venue's own vocabulary: sides, order kinds, status words, tradable symbols.
//
// Plain data for the whole simulator; no thread, no I/O. Nothing here is shared with the trading
// side: the simulator judges it and so must not inherit its mistakes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "common/base/fixed.hpp"
#include "common/base/id.hpp"
#include "common/base/time.hpp"

namespace sluice::sim {

enum class Side : std::uint8_t { kBuy = 1, kSell = 2 };
enum class OrderType : std::uint8_t { kMarket = 1, kLimit = 2, kStop, kStopLimit, kTrailingStop };
enum class TimeInForce : std::uint8_t { kGtc = 1, kIoc = 2, kDay, kFok, kOpg, kCls };
enum class OrderClass : std::uint8_t { kSimple = 0, kBracket, kOco, kOto };

enum class OrderStatus : std::uint8_t {
  kPendingNew = 1,
  kNew,
  kPartiallyFilled,
  kPendingCancel,
  kFilled,
  kCanceled,
  kAccepted,  // waits for the market's hours
  kHeld,      // a leg whose entry is not filled yet
  kPendingReplace,
  kReplaced,
  kExpired,
  kRejected,
};

// Position of an order in OrderTable: dense, never reused.
using OrderKey = std::uint32_t;
// Position of a symbol in the session's table.
using SymbolIndex = std::uint16_t;

[[nodiscard]] constexpr Side opposite(Side side) noexcept {
  return side == Side::kBuy ? Side::kSell : Side::kBuy;
}

[[nodiscard]] constexpr bool is_terminal(OrderStatus status) noexcept {
  return status == OrderStatus::kFilled || status == OrderStatus::kCanceled ||
         status == OrderStatus::kReplaced || status == OrderStatus::kExpired ||
         status == OrderStatus::kRejected;
}

// Waits for the price before it works.
[[nodiscard]] constexpr bool is_stop(OrderType type) noexcept {
  return type == OrderType::kStop || type == OrderType::kStopLimit ||
         type == OrderType::kTrailingStop;
}

[[nodiscard]] constexpr bool has_limit(OrderType type) noexcept {
  return type == OrderType::kLimit || type == OrderType::kStopLimit;
}

// Only the opening or closing print fills it.
[[nodiscard]] constexpr bool is_auction(TimeInForce tif) noexcept {
  return tif == TimeInForce::kOpg || tif == TimeInForce::kCls;
}

[[nodiscard]] constexpr std::string_view word(Side side) noexcept {
  return side == Side::kBuy ? "buy" : "sell";
}

[[nodiscard]] constexpr std::string_view word(OrderType type) noexcept {
  switch (type) {
    case OrderType::kMarket:
      return "market";
    case OrderType::kLimit:
      return "limit";
    case OrderType::kStop:
      return "stop";
    case OrderType::kStopLimit:
      return "stop_limit";
    case OrderType::kTrailingStop:
      return "trailing_stop";
  }
  return "unknown";
}

[[nodiscard]] constexpr std::string_view word(TimeInForce tif) noexcept {
  switch (tif) {
    case TimeInForce::kGtc:
      return "gtc";
    case TimeInForce::kIoc:
      return "ioc";
    case TimeInForce::kDay:
      return "day";
    case TimeInForce::kFok:
      return "fok";
    case TimeInForce::kOpg:
      return "opg";
    case TimeInForce::kCls:
      return "cls";
  }
  return "unknown";
}

// The venue writes "" for a simple order.
[[nodiscard]] constexpr std::string_view word(OrderClass order_class) noexcept {
  switch (order_class) {
    case OrderClass::kSimple:
      return "";
    case OrderClass::kBracket:
      return "bracket";
    case OrderClass::kOco:
      return "oco";
    case OrderClass::kOto:
      return "oto";
  }
  return "unknown";
}

[[nodiscard]] constexpr std::string_view word(OrderStatus status) noexcept {
  switch (status) {
    case OrderStatus::kPendingNew:
      return "pending_new";
    case OrderStatus::kNew:
      return "new";
    case OrderStatus::kPartiallyFilled:
      return "partially_filled";
    case OrderStatus::kPendingCancel:
      return "pending_cancel";
    case OrderStatus::kFilled:
      return "filled";
    case OrderStatus::kCanceled:
      return "canceled";
    case OrderStatus::kAccepted:
      return "accepted";
    case OrderStatus::kHeld:
      return "held";
    case OrderStatus::kPendingReplace:
      return "pending_replace";
    case OrderStatus::kReplaced:
      return "replaced";
    case OrderStatus::kExpired:
      return "expired";
    case OrderStatus::kRejected:
      return "rejected";
  }
  return "unknown";
}

inline constexpr std::initializer_list<OrderType> kOrderTypes{
    OrderType::kMarket, OrderType::kLimit, OrderType::kStop, OrderType::kStopLimit,
    OrderType::kTrailingStop};
inline constexpr std::initializer_list<TimeInForce> kTimesInForce{
    TimeInForce::kGtc, TimeInForce::kIoc, TimeInForce::kDay,
    TimeInForce::kFok, TimeInForce::kOpg, TimeInForce::kCls};
inline constexpr std::initializer_list<OrderClass> kOrderClasses{
    OrderClass::kSimple, OrderClass::kBracket, OrderClass::kOco, OrderClass::kOto};
inline constexpr std::initializer_list<OrderStatus> kOrderStatuses{
    OrderStatus::kPendingNew,    OrderStatus::kNew,     OrderStatus::kPartiallyFilled,
    OrderStatus::kPendingCancel, OrderStatus::kFilled,  OrderStatus::kCanceled,
    OrderStatus::kAccepted,      OrderStatus::kHeld,    OrderStatus::kPendingReplace,
    OrderStatus::kReplaced,      OrderStatus::kExpired, OrderStatus::kRejected};

enum class AssetClass : std::uint8_t { kCrypto = 1, kUsEquity = 2 };

// What may be traded. A crypto pair: orders and market data say "BTC/USD", positions and activities
// "BTCUSD". An equity is called the same everywhere; its base is itself, its quote is USD.
struct Symbol {
  std::string name;
  std::string compact;  // name without the slash
  std::string base;     // what is bought
  std::string quote;    // what it is paid with
  Price price_increment{};
  Qty qty_increment{};
  Qty min_order_qty{};
  Id128 asset_id{};  // the same for the same name, always
  AssetClass asset_class{AssetClass::kCrypto};
  char tape{0};  // equities: A NYSE, B other listings, C Nasdaq
  bool shortable{false};
  bool easy_to_borrow{false};
  bool fractionable{false};
  bool marginable{false};
  Price previous_close{};  // equities; 0 = not known

  [[nodiscard]] bool is_equity() const noexcept { return asset_class == AssetClass::kUsEquity; }
  // The tick at a price: an equity has four decimals below a dollar and two from there on.
  [[nodiscard]] Price tick_at(Price px) const noexcept {
    if (!is_equity()) {
      return price_increment;
    }
    return px.raw < kScale ? Price{kScale / 10'000} : Price{kScale / 100};
  }
  // The lot: an equity that can be had in parts is traded down to 1e-9.
  [[nodiscard]] Qty lot() const noexcept {
    return is_equity() && fractionable ? Qty{1} : qty_increment;
  }
};

[[nodiscard]] constexpr std::string_view word(AssetClass asset_class) noexcept {
  return asset_class == AssetClass::kCrypto ? "crypto" : "us_equity";
}

// Splits "BTC/USD"; throws Error(kConfig) for a name without exactly one slash.
[[nodiscard]] Symbol make_symbol(std::string_view name, Price price_increment, Qty qty_increment,
                                 Qty min_order_qty);

// An equity: whole shares, traded in cents.
[[nodiscard]] Symbol make_equity(std::string_view name, Price price_increment, Qty qty_increment,
                                 Qty min_order_qty);

// Ids that look random and are the same for the same seed: a run can be repeated to the last id.
class IdSource {
 public:
  explicit IdSource(std::uint64_t seed, std::uint64_t issued = 0) noexcept
      : seed_(seed), issued_(issued) {}

  [[nodiscard]] Id128 next() noexcept;
  [[nodiscard]] std::uint64_t seed() const noexcept { return seed_; }
  [[nodiscard]] std::uint64_t issued() const noexcept { return issued_; }

 private:
  std::uint64_t seed_;
  std::uint64_t issued_;
};

// The id of version 4 form that belongs to (seed, n).
[[nodiscard]] Id128 derived_id(std::uint64_t seed, std::uint64_t n) noexcept;

}  // namespace sluice::sim
