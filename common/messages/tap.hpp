// Tap: one record for persistence: a small header and up to 224 bytes of what happened.
//
// Invariants:
//  1. The producer taps each event once. `sequence` counts per (type family's ring, incarnation),
//  so a
//     reader of the journal sees at once what is missing.
//  2. `exec.persistence` carries what may not be lost; `tap.<stage>` what re-execution and tracing
//  need.
#pragma once

#include <array>
#include <cstring>
#include <type_traits>

#include "common/messages/control.hpp"
#include "common/messages/execution.hpp"
#include "common/messages/intent.hpp"
#include "common/messages/market_event.hpp"

namespace sluice {

enum class TapType : std::uint16_t {
  kNone = 0,
  kMarketEvents = 1,  // up to four MarketEvents; an unused slot has kind kNone
  kIntent = 2,        // as published by the strategy
  kOrder = 3,         // as approved by risk
  kExecution = 4,
  kCancel = 5,
  kVerdict = 6,
  kCommand = 7,
  kTrip = 8,      // TripRecord: the kill switch went on or off
  kGap = 9,       // GapRecord: taps were lost before this record
  kSession = 10,  // IncarnationRecord: a stage's incarnation begins
  kAccount = 11,  // AccountRecord: what the venue said of the account at a time
};

struct TripRecord {
  std::uint16_t scope{0};
  std::uint16_t on{0};
  std::uint32_t source{0};  // TripSource
  std::uint64_t episode{0};
  MonoNanos seen_ns{};
  MonoNanos stamped_ns{};
};
SLUICE_SCHEMA(TripRecord, scope, on, source, episode, seen_ns, stamped_ns);

struct GapRecord {
  std::uint64_t lost{0};
  std::uint64_t next_sequence{0};
};
SLUICE_SCHEMA(GapRecord, lost, next_sequence);

struct IncarnationRecord {
  std::uint32_t incarnation{0};
  std::uint32_t reserved{0};
  std::uint64_t generation{0};
};
SLUICE_SCHEMA(IncarnationRecord, incarnation, reserved, generation);

struct AccountRecord {
  Id128 account_id{};
  Cash cash{};
  Cash buying_power{};
  MonoNanos requested_ns{};
};
SLUICE_SCHEMA(AccountRecord, account_id, cash, buying_power, requested_ns);

inline constexpr std::size_t kTapBodyBytes = 224;
inline constexpr std::size_t kMarketEventsPerTap = kTapBodyBytes / sizeof(MarketEvent);

struct Tap {
  TapType type{TapType::kNone};
  std::uint16_t ring{0};  // index of the tapped ring in the topology
  std::uint32_t incarnation{0};
  std::uint64_t sequence{0};
  MonoNanos now_ns{};
  std::array<std::uint64_t, kTapBodyBytes / 8> body{};

  template <class Body>
  void set_body(TapType t, const Body& value) noexcept {
    static_assert(sizeof(Body) <= kTapBodyBytes && std::is_trivially_copyable_v<Body>);
    type = t;
    body = {};
    std::memcpy(body.data(), &value, sizeof(Body));
  }
  template <class Body>
  [[nodiscard]] Body body_as() const noexcept {
    static_assert(sizeof(Body) <= kTapBodyBytes && std::is_trivially_copyable_v<Body>);
    Body value;
    std::memcpy(static_cast<void*>(&value), body.data(), sizeof(Body));
    return value;
  }
};
SLUICE_SCHEMA(Tap, type, ring, incarnation, sequence, now_ns, body);
static_assert(sizeof(Tap) == 248, "four cache lines with its stamp; contracts.md fixes it");
static_assert(kMarketEventsPerTap == 4);

}  // namespace sluice
