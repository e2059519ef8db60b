// A venue with two equities on Thursday, 2024-08-08, in New York, and what its tests say to it.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/venue_sim/sim_fixtures.hpp"
#include "tools/venue_sim/rest_api.hpp"

namespace sluice::sim::test {

inline constexpr SymbolIndex kAbc = 0;  // everything is allowed
inline constexpr SymbolIndex kXyz = 1;  // not fractionable, not shortable
inline constexpr SymbolIndex kCoin = 2;

inline std::vector<Symbol> equity_symbols() {
  Symbol abc = make_equity("ABC", px("0.01"), qty("1"), qty("1"));
  abc.tape = 'A';
  abc.shortable = abc.easy_to_borrow = abc.fractionable = abc.marginable = true;
  abc.previous_close = px("99");
  Symbol xyz = make_equity("XYZ", px("0.01"), qty("1"), qty("1"));
  xyz.tape = 'C';
  return {abc, xyz, make_symbol("BTC/USD", px("0.01"), qty("0.00001"), qty("0.0001"))};
}

// New York's local time of that day, summer time.
inline WallNanos ny(std::int64_t hour, std::int64_t minute, std::int64_t second = 0) {
  constexpr std::int64_t kMidnightS = 1'723'089'600;  // 2024-08-08T04:00:00Z
  return WallNanos{(kMidnightS + hour * 3'600 + minute * 60 + second) * kNanosPerSecond};
}

class EquityTest : public ::testing::Test {
 protected:
  using Json = nlohmann::json;

  static VenueOptions options() {
    VenueOptions options = TestVenue::default_options();
    options.multiplier = 4;
    options.shorting = true;
    return options;
  }
  static VenueOptions with_variants(std::initializer_list<std::string_view> variants) {
    VenueOptions with = options();
    for (const std::string_view variant : variants) {
      EXPECT_TRUE(set_variant(with.variants, variant)) << variant;
    }
    return with;
  }
  explicit EquityTest(VenueOptions with = options()) : t_(with, equity_symbols()) {}

  Venue& venue() { return t_.venue; }
  void quote(WallNanos at, std::string_view bid, std::string_view bid_qty, std::string_view ask,
             std::string_view ask_qty, SymbolIndex symbol = kAbc) {
    venue().run_until(at);
    venue().quote(at, symbol, book(bid, bid_qty, ask, ask_qty));
  }
  void trade(WallNanos at, std::string_view at_px, std::string_view size,
             SymbolIndex symbol = kAbc) {
    venue().run_until(at);
    venue().trade(at, symbol, print(at_px, size, std::nullopt));
  }
  // A regular market: ABC 99.99 x 500, 100.01 x 500.
  void open_market() {
    quote(ny(9, 30), "99.99", "500", "100.01", "500");
    quote(ny(9, 30), "49.99", "500", "50.01", "500", kXyz);
    quote(ny(9, 30), "60000", "2", "60010", "1", kCoin);
  }
  static NewOrder order(std::string_view id, Side side, std::string_view size,
                        std::string_view limit = {}, TimeInForce tif = TimeInForce::kDay) {
    return {.client_order_id = std::string(id),
            .symbol = kAbc,
            .side = side,
            .type = limit.empty() ? OrderType::kMarket : OrderType::kLimit,
            .tif = tif,
            .qty = qty(size),
            .limit = limit.empty() ? Price{} : px(limit)};
  }
  OrderKey accept(WallNanos at, NewOrder asked) {
    venue().run_until(at);
    auto submitted = venue().submit(at, std::move(asked));
    if (auto* error = std::get_if<ApiError>(&submitted)) {
      throw std::runtime_error("refused: " + error->body);
    }
    return std::get<OrderKey>(submitted);
  }
  // Accepted and arrived.
  OrderKey enter(WallNanos at, NewOrder asked) {
    const OrderKey key = accept(at, std::move(asked));
    venue().run_until(WallNanos{at.ns + 10 * kNanosPerMilli});
    return key;
  }
  std::string refused(WallNanos at, NewOrder asked, int status, std::int64_t code) {
    venue().run_until(at);
    const auto submitted = venue().submit(at, std::move(asked));
    const auto* error = std::get_if<ApiError>(&submitted);
    if (error == nullptr) {
      ADD_FAILURE() << "accepted";
      return {};
    }
    const Json body = Json::parse(error->body);
    EXPECT_EQ(error->status, status) << error->body;
    EXPECT_EQ(body["code"], code) << error->body;
    return body["message"];
  }
  const Order& at_key(OrderKey key) { return venue().orders()[key]; }
  OrderStatus status(OrderKey key) { return at_key(key).status; }
  std::string filled(OrderKey key) { return to_string(at_key(key).filled); }
  std::string position(SymbolIndex symbol = kAbc) {
    return to_string(venue().ledger().position(symbol).qty);
  }
  std::string buying_power() { return to_string(venue().worth().buying_power); }
  // What was told of one order: "new partial_fill …".
  std::string story(std::string_view client_order_id) const {
    std::string words;
    for (const Told& told : t_.told) {
      if (told.client_order_id == client_order_id) {
        words += (words.empty() ? "" : " ") + told.event;
      }
    }
    return words;
  }
  std::string leg_story(OrderKey key) { return story(at_key(key).asked.client_order_id); }

  TestVenue t_;
};

}  // namespace sluice::sim::test
