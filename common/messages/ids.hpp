// Identities that travel in records: intents, causes, and the small enumerations every record
// shares.
//
// Invariants:
//  1. An IntentId is never reused: `incarnation` is durable and raised at every cold start,
//  `sequence`
//     counts within it. Zero incarnation means "no intent".
//  2. (feed, receive_ns) is the only identity of a market event, on rings, boards, causes and in
//  the
//     journal. Ring sequences never identify an event.
#pragma once

#include <compare>
#include <cstdint>

#include "common/base/fixed.hpp"
#include "common/base/id.hpp"
#include "common/base/schema.hpp"
#include "common/base/time.hpp"

namespace sluice {

// Identity of one decision of one strategy; also the identity of the order made from it.
struct IntentId {
  std::uint32_t incarnation{0};
  std::uint16_t strategy{0};
  std::uint16_t reserved{0};
  std::uint64_t sequence{0};

  friend constexpr auto operator<=>(const IntentId&, const IntentId&) = default;
  [[nodiscard]] constexpr bool is_none() const noexcept { return incarnation == 0; }
};
SLUICE_SCHEMA(IntentId, incarnation, strategy, reserved, sequence);

// The market event a decision was based on: the start of the trace from a fill back to its tick.
struct Cause {
  std::uint16_t feed{0};
  std::uint16_t reserved{0};
  std::uint32_t instrument{0};
  MonoNanos receive_ns{};

  friend constexpr auto operator<=>(const Cause&, const Cause&) = default;
};
SLUICE_SCHEMA(Cause, feed, reserved, instrument, receive_ns);

enum class Side : std::uint8_t { kNone = 0, kBuy = 1, kSell = 2 };
enum class OrderType : std::uint8_t {
  kNone = 0,
  kMarket = 1,
  kLimit = 2,
  kStop = 3,
  kStopLimit = 4
};
enum class TimeInForce : std::uint8_t { kNone = 0, kDay = 1, kGtc = 2, kIoc = 3, kFok = 4 };

[[nodiscard]] constexpr Side opposite(Side side) noexcept {
  return side == Side::kBuy ? Side::kSell : side == Side::kSell ? Side::kBuy : Side::kNone;
}
[[nodiscard]] constexpr const char* to_string(Side side) noexcept {
  switch (side) {
    case Side::kBuy:
      return "buy";
    case Side::kSell:
      return "sell";
    case Side::kNone:
      break;
  }
  return "none";
}
[[nodiscard]] constexpr const char* to_string(OrderType type) noexcept {
  switch (type) {
    case OrderType::kMarket:
      return "market";
    case OrderType::kLimit:
      return "limit";
    case OrderType::kStop:
      return "stop";
    case OrderType::kStopLimit:
      return "stop_limit";
    case OrderType::kNone:
      break;
  }
  return "none";
}
[[nodiscard]] constexpr const char* to_string(TimeInForce tif) noexcept {
  switch (tif) {
    case TimeInForce::kDay:
      return "day";
    case TimeInForce::kGtc:
      return "gtc";
    case TimeInForce::kIoc:
      return "ioc";
    case TimeInForce::kFok:
      return "fok";
    case TimeInForce::kNone:
      break;
  }
  return "none";
}

// The account rows of a board stand under this pseudo-strategy: what belongs to no strategy of
// ours.
inline constexpr std::uint16_t kExternalStrategy = 0xffff;
inline constexpr std::uint32_t kNoInstrument = 0xffff'ffff;
inline constexpr std::uint32_t kNoRow = 0xffff'ffff;

}  // namespace sluice
