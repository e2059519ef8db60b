// order_request.hpp — the bodies of POST and PATCH /v2/orders: bytes to an order or a change of
// one, or the refusal the venue gives.
//
// Pure. Decimals come as strings or numbers and are read exactly; null counts as absent; unknown
// keys are ignored, as the venue does, but a known key that asks for something not offered here is
// refused and never silently dropped.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <variant>

#include "tools/venue_sim/api_error.hpp"
#include "tools/venue_sim/orders.hpp"
#include "tools/venue_sim/venue.hpp"

namespace sluice::sim {

inline constexpr std::size_t kMaxClientOrderIdChars = 128;

[[nodiscard]] std::variant<NewOrder, ApiError> parse_order_request(std::string_view body,
                                                                   const Venue& venue);

[[nodiscard]] std::variant<ReplaceOrder, ApiError> parse_replace_request(std::string_view body);

// {"suspend_trade":true} of PATCH /v2/account/configurations; nothing: the body says nothing of it.
[[nodiscard]] std::variant<std::optional<bool>, ApiError> parse_suspend_trade(
    std::string_view body);

}  // namespace sluice::sim
