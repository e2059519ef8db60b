// encode_trading.hpp — the trading API's JSON: orders, order events, account, positions,
// activities.
//
// Pure. Decimals are strings, what is absent is null, times are UTC but for the clock and the ids
// of activities, which are New York. Each function appends one JSON value to the writer's string.
#pragma once

#include <string>

#include "tools/venue_sim/json_writer.hpp"
#include "tools/venue_sim/new_york.hpp"
#include "tools/venue_sim/venue.hpp"

namespace sluice::sim {

// Who the account is; made once for a state folder.
struct AccountIdentity {
  Id128 id{};
  std::string number{};  // "SIM" and eight digits
  WallNanos created_at{};
};

// `legs` is null: each leg stands for itself.
void encode_order(JsonWriter& json, const Order& order, const Symbol& symbol);
// With its legs inside, if it has any.
void encode_order_with_legs(JsonWriter& json, const Venue& venue, OrderKey key);

// The frame of one order event; false when there is nothing to send. `new_york` is needed for the
// variant offsets=mixed only.
[[nodiscard]] bool encode_trade_update(std::string& out, const OrderEvent& event,
                                       const Symbol& symbol, const Variants& variants = {},
                                       NewYork* new_york = nullptr);

void encode_account(JsonWriter& json, const AccountIdentity& identity, const Venue& venue,
                    NewYork& new_york, WallNanos now);
void encode_configurations(JsonWriter& json, const Venue& venue);
void encode_position(JsonWriter& json, const Venue& venue, SymbolIndex symbol);
void encode_asset(JsonWriter& json, const Symbol& symbol);
void encode_clock(JsonWriter& json, NewYork& new_york, WallNanos now,
                  const NewYork::Session& session);

// The trading days of both ends and between.
void encode_calendar(JsonWriter& json, CivilDay from, CivilDay to);

// "<New York time>::<execution id>"
[[nodiscard]] std::string activity_id(const Venue& venue, const Activity& activity,
                                      NewYork& new_york);
void encode_activity(JsonWriter& json, const Venue& venue, const Activity& activity,
                     NewYork& new_york);

// The simulator's word in the comparison of the judges: keys sorted, decimals canonical.
[[nodiscard]] std::string encode_ledger(const Venue& venue);

}  // namespace sluice::sim
