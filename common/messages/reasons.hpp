// Reason: why an intent, order or cancel was refused. One list for risk, gate and venue, so that a
// refusal reads the same in verdicts, executions, metrics and the report.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sluice {

// The order within the gate's block is the order in which the gate checks (order-path.md 4).
#define SLUICE_REASONS(X)                                                          \
  X(kNone, "none")                                                                 \
  /* the gate */                                                                   \
  X(kKilled, "killed")                                                             \
  X(kExpired, "expired")                                                           \
  X(kClock, "clock")                                                               \
  X(kAccountBlocked, "account_blocked")                                            \
  X(kTradingState, "trading_state")                                                \
  X(kJournalHighWater, "journal_high_water")                                       \
  X(kLimitSheetStale, "limit_sheet_stale")                                         \
  X(kRiskDead, "risk_dead")                                                        \
  X(kStreamUnproven, "stream_unproven")                                            \
  X(kMarketDataStale, "market_data_stale")                                         \
  X(kMarketDataOneSided, "market_data_one_sided")                                  \
  X(kMarketDataCrossed, "market_data_crossed")                                     \
  X(kInstrumentNotAllowed, "instrument_not_allowed")                               \
  X(kInstrumentHalted, "instrument_halted")                                        \
  X(kTick, "tick")                                                                 \
  X(kLot, "lot")                                                                   \
  X(kSizeMin, "size_min")                                                          \
  X(kSizeMax, "size_max")                                                          \
  X(kNotionalMin, "notional_min")                                                  \
  X(kNotionalMax, "notional_max")                                                  \
  X(kCollar, "collar")                                                             \
  X(kShort, "short")                                                               \
  X(kAvailable, "available")                                                       \
  X(kPosition, "position")                                                         \
  X(kExposure, "exposure")                                                         \
  X(kOpenOrders, "open_orders")                                                    \
  X(kRate, "rate")                                                                 \
  X(kDuplicate, "duplicate")                                                       \
  X(kSelfTrade, "self_trade")                                                      \
  X(kBuyingPower, "buying_power")                                                  \
  X(kOverflow, "overflow")                                                         \
  /* identity and form */                                                          \
  X(kDuplicateId, "duplicate_id")                                                  \
  X(kStaleIncarnation, "stale_incarnation")                                        \
  X(kMalformed, "malformed")                                                       \
  X(kUnknownOrder, "unknown_order")                                                \
  X(kForeignOrder, "foreign_order")                                                \
  X(kUnsupported, "unsupported")                                                   \
  X(kCancelledBeforeSend, "cancelled_before_send")                                 \
  /* capacity and connections */                                                   \
  X(kOrderTableFull, "order_table_full")                                           \
  X(kHandOverFull, "hand_over_full")                                               \
  X(kRingFull, "ring_full")                                                        \
  X(kNoConnection, "no_connection")                                                \
  X(kNotSent, "not_sent")                                                          \
  /* said by the venue */                                                          \
  X(kVenueRejected, "venue_rejected")                                              \
  X(kVenueRateLimited, "venue_rate_limited")                                       \
  X(kVenueUnauthorised, "venue_unauthorised")                                      \
  X(kOutcomeUnknown, "outcome_unknown")                                            \
  /* risk only */                                                                  \
  X(kRiskHalted, "risk_halted")                                                    \
  X(kResized, "resized")                                                           \
  /* replaces: the old order ends or is being replaced, or nothing would change */ \
  X(kNotReplaceable, "not_replaceable")

enum class Reason : std::uint16_t {
#define SLUICE_X(name, text) name,
  SLUICE_REASONS(SLUICE_X)
#undef SLUICE_X
};

inline constexpr const char* kReasonNames[] = {
#define SLUICE_X(name, text) text,
    SLUICE_REASONS(SLUICE_X)
#undef SLUICE_X
};
inline constexpr std::size_t kReasonCount = sizeof(kReasonNames) / sizeof(kReasonNames[0]);

[[nodiscard]] constexpr const char* to_string(Reason reason) noexcept {
  const auto i = static_cast<std::size_t>(reason);
  return i < kReasonCount ? kReasonNames[i] : "?";
}

}  // namespace sluice
