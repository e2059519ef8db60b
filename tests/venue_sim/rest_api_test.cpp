// The REST API as a pure function: every answer and every refusal, without a socket.
#include "tools/venue_sim/rest_api.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "tests/venue_sim/sim_fixtures.hpp"

namespace sluice::sim::test {
namespace {

using Json = nlohmann::json;

struct Answer {
  int status;
  Json body;
};

class RestApiTest : public ::testing::Test {
 protected:
  RestApiTest() { venue().quote(at_ms(0), kBtc, book("60000", "2", "60010", "1")); }

  Venue& venue() { return t_.venue; }
  Answer call(std::string_view method, std::string_view path, std::string_view query = {},
              std::string_view body = {}, std::int64_t ms = 10) {
    const ApiAnswer answer = api_.handle({method, path, query, body}, at_ms(ms));
    return {answer.status, answer.body.empty() ? Json() : Json::parse(answer.body)};
  }
  Answer post(const Json& order, std::int64_t ms = 10) {
    return call("POST", "/v2/orders", {}, order.dump(), ms);
  }
  static Json limit(std::string_view id, std::string_view limit_price = "60000") {
    return {{"symbol", "BTC/USD"},
            {"qty", "0.1"},
            {"side", "buy"},
            {"type", "limit"},
            {"time_in_force", "gtc"},
            {"limit_price", std::string(limit_price)},
            {"client_order_id", std::string(id)}};
  }
  static Json without(Json order, const char* key) {
    order.erase(key);
    return order;
  }
  static Json with(Json order, const char* key, Json value) {
    order[key] = std::move(value);
    return order;
  }
  static void expect_refusal(const Answer& answer, int status, std::int64_t code,
                             std::string_view message) {
    EXPECT_EQ(answer.status, status);
    EXPECT_EQ(answer.body.value("code", std::int64_t{0}), code);
    EXPECT_EQ(answer.body.value("message", std::string()), message);
  }

  TestVenue t_;
  NewYork new_york_;
  AccountIdentity identity_{derived_id(1, 1), "SIM12345678", at_ms(0)};
  Session session_{};
  Timeline timeline_{0, 0, Speed{kScale}};
  Player player_{session_, timeline_, t_.venue};
  RestApi api_{t_.venue, identity_, timeline_, player_, new_york_};
};

TEST_F(RestApiTest, PostAnswersThePendingOrder) {
  const Answer answer = post(limit("a"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body["status"], "pending_new");
  EXPECT_EQ(answer.body["client_order_id"], "a");
  EXPECT_EQ(answer.body["filled_qty"], "0");
}

TEST_F(RestApiTest, DecimalsComeAsStringsOrNumbersAndAreExact) {
  Json order = limit("a");
  order["qty"] = 0.25;
  order["limit_price"] = 60000.07;
  EXPECT_EQ(post(order).body["limit_price"], "60000.07");
  const Answer exponent = call("POST", "/v2/orders", {},
                               R"({"symbol":"BTC/USD","qty":2.5e-1,"side":"buy","type":"limit",)"
                               R"("time_in_force":"gtc","limit_price":6E4})");
  EXPECT_EQ(exponent.body["qty"], "0.25");
  EXPECT_EQ(exponent.body["limit_price"], "60000");
  EXPECT_EQ(exponent.body["client_order_id"].get<std::string>().size(), kUuidChars)
      << "made up when absent";
}

TEST_F(RestApiTest, MalformedBodiesAreRefusedAsSuch) {
  for (const char* body : {"", "{", "[]", "null", "17", R"("text")", R"({"symbol":"BTC/USD",})",
                           R"({"symbol":"BTC/USD"} {})", "\xff\xfe", R"({"symbol":"\ud800"})"}) {
    expect_refusal(call("POST", "/v2/orders", {}, body), 400, kCodeMalformedBody,
                   "request body format is invalid");
  }
  const std::string deep(50'000, '[');
  EXPECT_EQ(call("POST", "/v2/orders", {}, R"({"legs":)" + deep).status, 400);
  EXPECT_EQ(venue().orders().size(), 0U);
}

TEST_F(RestApiTest, InvalidParametersAreNamed) {
  const Json ok = limit("a");
  const Json market = without(with(ok, "type", "market"), "limit_price");
  const auto invalid = [&](const Json& order, std::string_view message) {
    expect_refusal(post(order), 422, kCodeInvalidParameter, message);
  };
  invalid(without(ok, "symbol"), "symbol is required");
  invalid(without(ok, "side"), "side is required");
  invalid(with(ok, "side", "hold"), "invalid side");
  invalid(with(ok, "type", "twap"), "invalid order type");
  invalid(with(ok, "time_in_force", "soon"), "invalid time_in_force");
  invalid(without(ok, "time_in_force"), "invalid time_in_force");
  invalid(without(ok, "qty"), "qty or notional is required");
  invalid(with(ok, "qty", nullptr), "qty or notional is required");
  invalid(with(ok, "qty", "0"), "qty must be > 0");
  invalid(with(ok, "qty", "-1"), "qty must be > 0");
  invalid(with(ok, "limit_price", "0"), "limit price must be > 0");
  invalid(without(ok, "limit_price"), "limit orders require a limit price");
  invalid(with(market, "limit_price", "1"), "market orders require no stop or limit price");
  invalid(with(market, "stop_price", "1"), "market orders require no stop or limit price");
  invalid(with(ok, "client_order_id", std::string(129, 'x')),
          "client_order_id must be no more than 128 characters");
  EXPECT_EQ(post(with(ok, "qty", "0.0000000001")).status, 422) << "finer than 1e-9";
  EXPECT_EQ(post(with(ok, "qty", "1e30")).status, 422);
  EXPECT_EQ(post(with(ok, "qty", "1,5")).status, 422);
  EXPECT_EQ(post(with(ok, "qty", true)).status, 400);
  expect_refusal(post(with(ok, "notional", "10")), 400, kCodeInvalidParameter,
                 "only one of qty or notional is accepted");
  EXPECT_EQ(venue().orders().size(), 0U);
}

TEST_F(RestApiTest, WhatCryptoDoesNotOfferIsRefused) {
  const Json ok = limit("a");
  const auto refused = [&](const Json& order, std::string_view message) {
    expect_refusal(post(order), 422, kCodeNotAllowed, message);
  };
  for (const char* tif : {"day", "fok", "opg", "cls"}) {
    refused(with(ok, "time_in_force", tif), "invalid crypto time_in_force");
  }
  refused(with(ok, "symbol", "DOGE/USD"), R"(asset "DOGE/USD" not found)");
  refused(with(ok, "type", "trailing_stop"), "invalid order type for crypto order");
  refused(with(ok, "order_class", "bracket"), "crypto orders must be simple orders");
  refused(with(ok, "take_profit", {{"limit_price", "1"}}), "crypto orders must be simple orders");
  refused(with(ok, "extended_hours", true), "extended_hours is not supported for crypto orders");
  EXPECT_EQ(post(with(with(ok, "order_class", ""), "extended_hours", false)).status, 200);
}

TEST_F(RestApiTest, OrdersAreFoundByIdAndByClientId) {
  const std::string id = post(limit("a b+c")).body["id"];
  EXPECT_EQ(call("GET", "/v2/orders/" + id).body["client_order_id"], "a b+c");
  EXPECT_EQ(call("GET", "/v2/orders:by_client_order_id", "client_order_id=a%20b%2Bc").body["id"],
            id);
  EXPECT_EQ(call("GET", "/v2/orders%3Aby_client_order_id", "client_order_id=a+b%2Bc").body["id"],
            id);
  expect_refusal(call("GET", "/v2/orders:by_client_order_id", "client_order_id=zz"), 404,
                 kCodeNotFound, "order not found for zz");
  const std::string other = to_string(derived_id(99, 99));
  expect_refusal(call("GET", "/v2/orders/" + other), 404, kCodeNotFound,
                 "order not found for " + other);
  EXPECT_EQ(call("GET", "/v2/orders/17").status, 422);
}

TEST_F(RestApiTest, ListFiltersSortsAndLimits) {
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(post(limit("o" + std::to_string(i)), 10 + i).status, 200);
  }
  venue().run_until(at_ms(30));
  const auto ids = [](const Answer& answer) {
    std::string joined;
    for (const Json& order : answer.body) {
      joined += order["client_order_id"].get<std::string>() + ' ';
    }
    return joined;
  };
  ASSERT_EQ(call("DELETE", "/v2/orders/" + to_string(venue().orders()[1].id), {}, {}, 40).status,
            204);
  venue().run_until(at_ms(60));
  EXPECT_EQ(ids(call("GET", "/v2/orders")), "o4 o3 o2 o0 ");
  EXPECT_EQ(ids(call("GET", "/v2/orders", "status=closed")), "o1 ");
  EXPECT_EQ(ids(call("GET", "/v2/orders", "status=all&direction=asc&limit=2")), "o0 o1 ");
  EXPECT_EQ(ids(call("GET", "/v2/orders",
                     "status=all&direction=asc"
                     "&after=1970-01-01T00:00:00.012Z")),
            "o3 o4 ")
      << "exclusive";
  EXPECT_EQ(ids(call("GET", "/v2/orders", "status=all&until=1970-01-01T00:00:00.011Z")), "o0 ");
  EXPECT_EQ(ids(call("GET", "/v2/orders",
                     "status=all&direction=asc&limit=2&after_order_id=" +
                         to_string(venue().orders()[1].id))),
            "o2 o3 ");
  EXPECT_EQ(ids(call("GET", "/v2/orders", "symbols=ETH%2FUSD")), "");
  EXPECT_EQ(ids(call("GET", "/v2/orders", "symbols=BTC%2FUSD,ETH%2FUSD&limit=1")), "o4 ");
  EXPECT_EQ(ids(call("GET", "/v2/orders", "side=sell")), "");
  for (const char* bad : {"limit=0", "limit=501", "limit=x", "status=odd", "after=monday",
                          "direction=up", "after_order_id=1"}) {
    EXPECT_EQ(call("GET", "/v2/orders", bad).status, 422) << bad;
  }
}

TEST_F(RestApiTest, DeleteAllNamesEachOpenOrder) {
  ASSERT_EQ(post(limit("a")).status, 200);
  ASSERT_EQ(post(limit("b")).status, 200);
  const Answer answer = call("DELETE", "/v2/orders");
  EXPECT_EQ(answer.status, 207);
  ASSERT_EQ(answer.body.size(), 2U);
  EXPECT_EQ(answer.body[0]["status"], 200);
  venue().run_until(at_ms(60));
  EXPECT_EQ(venue().open_orders(), 0U);
  const Answer again = call("DELETE", "/v2/orders");
  EXPECT_EQ(again.status, 207);
  EXPECT_TRUE(again.body.empty());
}

TEST_F(RestApiTest, PositionsUseTheCompactNameAndAccountTheMark) {
  EXPECT_TRUE(call("GET", "/v2/positions").body.empty());
  expect_refusal(call("GET", "/v2/positions/BTCUSD"), 404, kCodeNotFound,
                 "position does not exist");
  ASSERT_EQ(post(limit("a", "60010")).status, 200);
  venue().run_until(at_ms(20));
  const Json list = call("GET", "/v2/positions").body;
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0]["symbol"], "BTCUSD");
  EXPECT_EQ(list[0]["qty"], "0.09975");
  EXPECT_EQ(list[0]["qty_available"], "0.09975");
  EXPECT_EQ(list[0]["side"], "long");
  EXPECT_EQ(call("GET", "/v2/positions/BTC%2FUSD").body["qty"], "0.09975");
  const Json account = call("GET", "/v2/account").body;
  EXPECT_EQ(account["id"], to_string(identity_.id));
  EXPECT_EQ(account["cash"], "93999");
  EXPECT_EQ(account["buying_power"], "93999");
  EXPECT_EQ(account["equity"], "99984") << "0.09975 at the bid of 60000";
  EXPECT_EQ(account["status"], "ACTIVE");
  EXPECT_FALSE(account["trading_blocked"].get<bool>());
}

TEST_F(RestApiTest, ActivitiesPageWithoutLossOrDouble) {
  venue().quote(at_ms(1), kBtc, book("60000", "2", "60010", "50"));
  for (int i = 0; i < 7; ++i) {
    ASSERT_EQ(post(limit("o" + std::to_string(i), "60010"), 10 + i).status, 200);
  }
  venue().run_until(at_ms(60));
  ASSERT_EQ(venue().activities().size(), 14U);
  for (const char* direction : {"asc", "desc"}) {
    std::set<std::string> seen;
    std::string token;
    for (int page = 0; page < 10; ++page) {
      const Json list = call("GET", "/v2/account/activities",
                             "page_size=3&direction=" + std::string(direction) +
                                 (token.empty() ? "" : "&page_token=" + token))
                            .body;
      for (const Json& activity : list) {
        token = activity["id"];
        EXPECT_TRUE(seen.insert(token).second) << "twice: " << token;
      }
      if (list.size() < 3) {
        break;
      }
    }
    EXPECT_EQ(seen.size(), 14U) << direction;
  }
  EXPECT_EQ(call("GET", "/v2/account/activities/FILL").body.size(), 7U);
  EXPECT_EQ(call("GET", "/v2/account/activities", "activity_types=CFEE").body.size(), 7U);
  EXPECT_EQ(call("GET", "/v2/account/activities", "activity_types=DIV").body.size(), 0U);
  EXPECT_EQ(
      call("GET", "/v2/account/activities/FILL", "direction=asc&after=1970-01-01T00:00:00.018Z")
          .body.size(),
      2U);
  EXPECT_EQ(call("GET", "/v2/account/activities", "page_token=none").status, 422);
  EXPECT_EQ(call("GET", "/v2/account/activities", "page_size=101").status, 422);
}

TEST_F(RestApiTest, AssetsTellTheIncrements) {
  const Json one = call("GET", "/v2/assets/BTC%2FUSD").body;
  EXPECT_EQ(one["symbol"], "BTC/USD");
  EXPECT_EQ(one["class"], "crypto");
  EXPECT_EQ(one["min_order_size"], "0.0001");
  EXPECT_EQ(one["min_trade_increment"], "0.00001");
  EXPECT_EQ(one["price_increment"], "0.01");
  EXPECT_EQ(call("GET", "/v2/assets/" + one["id"].get<std::string>()).body, one);
  EXPECT_EQ(call("GET", "/v2/assets").body.size(), 2U);
  EXPECT_EQ(call("GET", "/v2/assets", "asset_class=us_equity").body.size(), 0U);
  expect_refusal(call("GET", "/v2/assets/XRP%2FUSD"), 404, kCodeNotFound,
                 "asset not found for XRP/USD");
}

TEST_F(RestApiTest, ClockTellsTheSessionsHoursInRebasedTime) {
  WallNanos first{};  // 19:54:14 in New York, 13 h 35 min 46 s before the next open
  ASSERT_TRUE(parse_rfc3339("2024-08-08T23:54:14Z", first));
  timeline_ = Timeline(first.ns, first.ns, parse_speed("6"));
  WallNanos now{};
  ASSERT_TRUE(parse_rfc3339("2026-11-20T12:00:00Z", now));
  timeline_.start(now);
  const ApiAnswer answer = api_.handle({"GET", "/v2/clock", {}, {}}, now);
  const Json clock = Json::parse(answer.body);
  EXPECT_EQ(clock["timestamp"], "2026-11-20T07:00:00-05:00");
  EXPECT_FALSE(clock["is_open"].get<bool>());
  EXPECT_EQ(clock["next_open"], "2026-11-20T09:15:57.666666667-05:00")
      << "a sixth of 13:35:46 from now";
  EXPECT_EQ(clock["next_close"], "2026-11-20T10:20:57.666666667-05:00");
}

TEST_F(RestApiTest, UnknownPathsAndMethodsAreNotFound) {
  EXPECT_EQ(call("GET", "/v2/orders/").status, 404);
  EXPECT_EQ(call("PUT", "/v2/orders").status, 404);
  EXPECT_EQ(call("DELETE", "/v2/account").status, 404);
  EXPECT_EQ(call("GET", "/").status, 404);
}

}  // namespace
}  // namespace sluice::sim::test
