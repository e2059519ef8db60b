// Intent: what a strategy wants done; after risk, the same record with `approved` set is the order
// the gateway may send. 184 bytes of payload: three cache lines with the stamp.
//
// Invariants:
//  1. Risk changes only `approved` and its own stamps.
//  2. A replace names the chain's new total (filled included) in `requested`; its own `id` is the
//     successor's. Risk approves it whole or refuses it.
//  3. `stamps` belong to the shells: real-clock values written at publication, excluded from every
//     comparison. The core sets only times derived from the `now_ns` it was given.
//  4. The strategy of an intent is a property of the ring it came from; a record that says
//  otherwise
//     is garbage.
#pragma once

#include <array>

#include "common/messages/ids.hpp"

namespace sluice {

enum class IntentKind : std::uint8_t {
  kNone = 0,
  kNew = 1,
  kReplace = 2,
  kSession = 3,  // first record of a strategy's incarnation: only `id` counts, its sequence is 0
};

enum IntentFlag : std::uint16_t {
  kReduces = 1,  // the strategy means to reduce; risk and gateway decide for themselves
};

struct IntentStamps {
  MonoNanos strategy_poll;
  MonoNanos strategy_publish;
  MonoNanos risk_poll;
  MonoNanos risk_publish;
};
SLUICE_SCHEMA(IntentStamps, strategy_poll, strategy_publish, risk_poll, risk_publish);

struct Intent {
  IntentId id{};
  IntentId replaces{};  // kReplace: the order to replace, of this strategy and incarnation
  std::uint16_t account{0};
  std::uint16_t venue{0};
  std::uint32_t instrument{0};
  IntentKind kind{IntentKind::kNone};
  Side side{Side::kNone};
  OrderType type{OrderType::kNone};
  TimeInForce tif{TimeInForce::kNone};
  std::uint16_t flags{0};
  std::uint16_t reserved16{0};
  std::uint32_t epoch{0};
  std::uint32_t reserved32{0};
  Qty requested{};
  Qty approved{};
  Price limit{};
  Price stop{};
  Price trail{};
  MonoNanos decided_ns{};
  MonoNanos deadline_ns{};
  Cause cause{};
  std::array<std::uint64_t, 3> reserved{};
  IntentStamps stamps{};
};
SLUICE_SCHEMA(Intent, id, replaces, account, venue, instrument, kind, side, type, tif, flags,
              reserved16, epoch, reserved32, requested, approved, limit, stop, trail, decided_ns,
              deadline_ns, cause, reserved, stamps);
static_assert(sizeof(Intent) == 184, "three cache lines with its stamp; contracts.md fixes it");

}  // namespace sluice
