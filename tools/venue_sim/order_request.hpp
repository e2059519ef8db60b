// order_request.hpp — the body of POST /v2/orders: bytes to an order, or the refusal the venue
// gives.
//
// Pure. Decimals come as strings or numbers and are read exactly; null counts as absent; unknown
// keys are ignored, as the venue does, but a known key that asks for something not offered here is
// refused and never silently dropped.
#pragma once

#include <string_view>
#include <variant>

#include "tools/venue_sim/api_error.hpp"
#include "tools/venue_sim/orders.hpp"
#include "tools/venue_sim/venue.hpp"

namespace sluice::sim {

inline constexpr std::size_t kMaxClientOrderIdChars = 128;

[[nodiscard]] std::variant<NewOrder, ApiError> parse_order_request(std::string_view body,
                                                                   const Venue& venue);

}  // namespace sluice::sim
