// order_rules.hpp — what an order may look like, whatever the state of the account and the market.
//
// Pure. Texts and codes are the venue's where they are known (the fact sheet's section 5); the
// wording of the others is ours, their status and code the venue's.
#pragma once

#include <optional>

#include "tools/venue_sim/api_error.hpp"
#include "tools/venue_sim/orders.hpp"
#include "tools/venue_sim/types.hpp"

namespace sluice::sim {

// Type, time in force, class, prices' increments and quantity against what the asset offers.
[[nodiscard]] std::optional<ApiError> check_terms(const NewOrder& order, const Symbol& symbol);

// A bracket's legs against the price its entry is judged by.
[[nodiscard]] std::optional<ApiError> check_legs(const NewOrder& order, const Symbol& symbol,
                                                 Price base);

// A buy stop is sent as a stop-limit: 4 % above a stop below 50 USD, 2.5 % above others, rounded
// down to the tick. Nothing when the price leaves the range.
[[nodiscard]] std::optional<Price> converted_stop_limit(Price stop, const Symbol& symbol);

// Less than a share, or an amount of money: equities have rules of their own for it.
[[nodiscard]] bool is_fractional(const NewOrder& order) noexcept;

}  // namespace sluice::sim
