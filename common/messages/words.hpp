// Enumerations as words for people and for SQL. A number without a word (a newer build's, or
// garbage) keeps its number: "#15".
#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "common/messages/control.hpp"
#include "common/messages/execution.hpp"
#include "common/messages/intent.hpp"
#include "common/messages/rows.hpp"

namespace sluice::words {

template <class Enum, std::size_t N>
[[nodiscard]] std::string of(const std::array<const char*, N>& names, Enum value) {
  const auto i = static_cast<std::size_t>(value);
  return i < N ? names[i] : "#" + std::to_string(i);
}

inline constexpr std::array kSides{"none", "buy", "sell"};
inline constexpr std::array kTypes{"none", "market", "limit", "stop", "stop_limit"};
inline constexpr std::array kTifs{"none", "day", "gtc", "ioc", "fok"};
inline constexpr std::array kFees{"none", "estimated", "final"};
inline constexpr std::array kDecisions{"none", "approved", "resized", "refused"};
inline constexpr std::array kVerbs{"none", "wind_down", "pause", "resume", "accept_position"};
inline constexpr std::array kSources{"none", "operator", "gateway", "risk", "control"};
inline constexpr std::array kExecutionKinds{
    "none",      "submitting",       "accepted", "fill",    "fee",
    "cancelled", "expired",          "rejected", "refused", "unknown",
    "not_sent",  "adjustment",       "snapshot", "session", "cancel_rejected",
    "replaced",  "replace_rejected", "gap"};
static_assert(kExecutionKinds.size() == static_cast<std::size_t>(ExecutionKind::kGap) + 1,
              "name the new kind");

[[nodiscard]] inline std::string of(Side v) {
  return of(kSides, v);
}
[[nodiscard]] inline std::string of(OrderType v) {
  return of(kTypes, v);
}
[[nodiscard]] inline std::string of(TimeInForce v) {
  return of(kTifs, v);
}
[[nodiscard]] inline std::string of(FeeStatus v) {
  return of(kFees, v);
}
[[nodiscard]] inline std::string of(Decision v) {
  return of(kDecisions, v);
}
[[nodiscard]] inline std::string of(Verb v) {
  return of(kVerbs, v);
}
[[nodiscard]] inline std::string of(TripSource v) {
  return of(kSources, v);
}
[[nodiscard]] inline std::string of(ExecutionKind v) {
  return of(kExecutionKinds, v);
}
[[nodiscard]] inline std::string of(OrderState v) {
  const std::string name = to_string(v);
  return name == "?" ? "#" + std::to_string(static_cast<unsigned>(v)) : name;
}
[[nodiscard]] inline std::string of(Reason v) {
  const std::string name = to_string(v);
  return name == "?" ? "#" + std::to_string(static_cast<unsigned>(v)) : name;
}

// "5-1-77"; empty for no intent.
[[nodiscard]] inline std::string of(const IntentId& id) {
  return id.is_none() ? std::string()
                      : std::to_string(id.incarnation) + '-' + std::to_string(id.strategy) + '-' +
                            std::to_string(id.sequence);
}

}  // namespace sluice::words
