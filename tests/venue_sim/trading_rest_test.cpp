// The trading API of equities over REST: every refusal of the fact sheet by table, nested reads,
// replacement, the closing of positions, configuration, calendar, and what is told on the stream.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/venue_sim/equity_fixtures.hpp"
#include "tools/venue_sim/rest_api.hpp"

namespace sluice::sim::test {
namespace {

struct Answer {
  int status;
  nlohmann::json body;
};

class TradingRestTest : public EquityTest {
 protected:
  TradingRestTest() {
    timeline_.start(ny(0, 0));
    open_market();
  }

  Answer call(std::string_view method, std::string_view path, std::string_view query = {},
              std::string_view body = {}) {
    const ApiAnswer answer = api_.handle({method, path, query, body}, now_);
    return {answer.status, answer.body.empty() ? Json() : Json::parse(answer.body)};
  }
  Answer post(const Json& asked) { return call("POST", "/v2/orders", {}, asked.dump()); }
  void settle() {
    now_.ns += kNanosPerSecond;
    venue().run_until(now_);
  }
  static Json limit(const char* id, const char* side = "buy", const char* price = "99.5") {
    return {{"symbol", "ABC"},      {"qty", "100"},           {"side", side},
            {"type", "limit"},      {"time_in_force", "day"}, {"limit_price", price},
            {"client_order_id", id}};
  }
  // `change` over a good limit order; a null takes the field away.
  static Json with(const Json& change) {
    Json asked = limit("x");
    asked.merge_patch(change);
    return asked;
  }

  WallNanos now_ = ny(10, 0);
  NewYork new_york_;
  AccountIdentity identity_{derived_id(1, 1), "SIM12345678", ny(0, 0)};
  Session session_{};
  Timeline timeline_{ny(0, 0).ns, ny(20, 0).ns, Speed{kScale}};
  Player player_{session_, timeline_, t_.venue};
  RestApi api_{t_.venue, identity_, timeline_, player_, new_york_};
};

TEST_F(TradingRestTest, RefusalsOfNewOrders) {
  struct Case {
    Json change;
    int status;
    std::int64_t code;
    const char* message;
  };
  const Json stop{{"type", "stop"}, {"limit_price", nullptr}};
  const auto and_with = [](Json base, const Json& more) {
    base.merge_patch(more);
    return base;
  };
  const Json complex{{"take_profit", {{"limit_price", "105"}}},
                     {"stop_loss", {{"stop_price", "95"}}}};
  Json market_oco = and_with(complex, {{"order_class", "oco"}, {"type", "market"}});
  market_oco["limit_price"] = nullptr;
  const std::vector<Case> cases{
      {{{"symbol", "NOPE"}}, 422, 42210000, "asset \"NOPE\" not found"},
      {{{"time_in_force", "eventually"}}, 422, 40010001, "invalid time_in_force"},
      {{{"qty", nullptr}}, 422, 40010001, "qty or notional is required"},
      {{{"notional", "10"}}, 400, 40010001, "only one of qty or notional is accepted"},
      {{{"qty", nullptr}, {"notional", "10.001"}},
       422,
       40010001,
       "notional must have at most 2 decimals"},
      {{{"type", "market"}}, 422, 40010001, "market orders require no stop or limit price"},
      {{{"limit_price", nullptr}}, 422, 40010001, "limit orders require a limit price"},
      {{{"limit_price", "-1"}}, 422, 40010001, "limit price must be > 0"},
      {stop, 422, 40010001, "stop orders require a stop price and no limit price"},
      {and_with(stop, {{"stop_price", "0"}}), 422, 40010001, "stop price must be > 0"},
      {{{"type", "stop_limit"}},
       422,
       40010001,
       "stop limit orders require both stop and limit price"},
      {and_with(stop, {{"stop_price", "95.001"}}), 422, 42210000,
       "invalid stop_price 95.001. sub-penny increment does not fulfill minimum pricing criteria"},
      {and_with(stop, {{"stop_price", "95"}, {"time_in_force", "ioc"}}), 422, 42210000,
       "stop orders must be DAY or GTC orders"},
      {{{"type", "trailing_stop"}, {"limit_price", nullptr}},
       422,
       40010001,
       "trailing stop orders require exactly one of trail_price and trail_percent"},
      {{{"type", "trailing_stop"}, {"limit_price", nullptr}, {"trail_percent", "100"}},
       422,
       40010001,
       "trail_percent must be < 100"},
      {{{"extended_hours", true}, {"time_in_force", "ioc"}},
       422,
       42210000,
       "extended hours orders must be DAY or GTC limit orders"},
      {{{"time_in_force", "opg"}},
       422,
       42210000,
       "opg orders must be submitted after 7:00pm and before 9:28am ET"},
      {{{"qty", "1.5"}, {"time_in_force", "gtc"}},
       422,
       42210000,
       "fractional orders must be DAY orders"},
      {{{"symbol", "XYZ"}, {"qty", "1.5"}, {"limit_price", "50"}},
       403,
       40310000,
       "asset \"XYZ\" is not fractionable"},
      {{{"order_class", "mleg"}},
       422,
       42210000,
       "mleg orders are not offered: options are not traded at this venue"},
      {{{"order_class", "triangle"}}, 422, 40010001, "invalid order_class"},
      {{{"advanced_instructions", {{"algorithm", "VWAP"}}}},
       422,
       42210000,
       "advanced_instructions are not offered by this venue"},
      {{{"order_class", "bracket"}},
       422,
       40010001,
       "bracket orders require take_profit.limit_price and stop_loss.stop_price"},
      {complex, 422, 40010001, "take_profit and stop_loss require order_class bracket, oco or oto"},
      {{{"order_class", "bracket"}, {"take_profit", Json::object()}},
       422,
       40010001,
       "take_profit.limit_price is required"},
      {and_with(complex, {{"order_class", "oco"}, {"side", "sell"}}), 422, 40010001,
       "oco orders are limited at take_profit.limit_price"},
      {market_oco, 422, 40010001, "oco orders must be limit orders"},
      {{{"qty", "100000"}}, 403, 40310000, "insufficient buying power"},
      {{{"symbol", "XYZ"}, {"side", "sell"}, {"limit_price", "60"}},
       422,
       42210000,
       "asset \"XYZ\" cannot be sold short"},
      {{{"symbol", "BTC/USD"}, {"time_in_force", "day"}},
       422,
       42210000,
       "invalid crypto time_in_force"},
      {{{"client_order_id", std::string(129, 'x')}},
       422,
       40010001,
       "client_order_id must be no more than 128 characters"},
  };
  for (const Case& c : cases) {
    const Answer answer = post(with(c.change));
    EXPECT_EQ(answer.status, c.status) << c.change;
    EXPECT_EQ(answer.body.value("code", std::int64_t{0}), c.code) << c.change << answer.body;
    EXPECT_EQ(answer.body.value("message", std::string()), c.message) << c.change;
  }
  EXPECT_EQ(venue().orders().size(), 0U);
  EXPECT_EQ(post(with({{"take_profit", "105"}})).status, 400);
}

TEST_F(TradingRestTest, PatchAnswersTheSuccessorAndReadsShowTheChain) {
  const std::string a = post(limit("a")).body["id"];
  settle();
  const Answer patched = call("PATCH", "/v2/orders/" + a, {},
                              R"({"limit_price":99.4,"qty":"150","client_order_id":"b"})");
  EXPECT_EQ(patched.status, 200);
  EXPECT_EQ(patched.body["replaces"], a);
  EXPECT_EQ(patched.body["status"], "pending_new");
  EXPECT_EQ(patched.body["qty"], "150");
  EXPECT_EQ(patched.body["filled_qty"], "0");
  EXPECT_EQ(call("GET", "/v2/orders/" + a).body["status"], "pending_replace");
  settle();
  const Json old = call("GET", "/v2/orders/" + a).body;
  EXPECT_EQ(old["status"], "replaced");
  EXPECT_EQ(old["replaced_by"], patched.body["id"]);
  EXPECT_TRUE(old["replaced_at"].is_string());
  EXPECT_EQ(call("GET", "/v2/orders:by_client_order_id", "client_order_id=b").body["status"],
            "new");
  EXPECT_EQ(call("DELETE", "/v2/orders/" + a).body["message"],
            "order is already in \"replaced\" state");
  EXPECT_EQ(call("PATCH", "/v2/orders/" + a, {}, R"({"qty":"1"})").body["message"],
            "order already replaced");
  EXPECT_EQ(call("PATCH", "/v2/orders/17", {}, R"({"qty":"1"})").status, 422);
  EXPECT_EQ(call("PATCH", "/v2/orders/" + to_string(derived_id(9, 9)), {}, "{}").status, 404);
  EXPECT_EQ(call("PATCH", "/v2/orders/" + a, {}, "[").status, 400);
  EXPECT_EQ(call("PATCH", "/v2/orders/" + a, {}, R"({"notional":"5"})").body["message"],
            "notional orders cannot be replaced");
}

TEST_F(TradingRestTest, BracketShowsItsLegsOnPostAndInNestedReads) {
  Json asked = limit("e");
  asked["order_class"] = "bracket";
  asked["take_profit"] = {{"limit_price", "105"}};
  asked["stop_loss"] = {{"stop_price", "95"}, {"limit_price", "94"}};
  const Json answer = post(asked).body;
  ASSERT_EQ(answer["legs"].size(), 2U);
  EXPECT_EQ(answer["order_class"], "bracket");
  EXPECT_EQ(answer["legs"][0]["type"], "limit");
  EXPECT_EQ(answer["legs"][0]["status"], "held");
  EXPECT_EQ(answer["legs"][1]["type"], "stop_limit");
  EXPECT_EQ(answer["legs"][1]["stop_price"], "95");
  EXPECT_EQ(answer["legs"][1]["side"], "sell");
  settle();
  EXPECT_EQ(call("GET", "/v2/orders").body.size(), 3U);
  EXPECT_TRUE(call("GET", "/v2/orders").body[2]["legs"].is_null());
  const Json nested = call("GET", "/v2/orders", "nested=true").body;
  ASSERT_EQ(nested.size(), 1U);
  EXPECT_EQ(nested[0]["legs"].size(), 2U);
  EXPECT_EQ(call("GET", "/v2/orders/" + answer["id"].get<std::string>(), "nested=true")
                .body["legs"]
                .size(),
            2U);
}

TEST_F(TradingRestTest, NotionalOrderHasNoQuantity) {
  Json asked =
      with({{"qty", nullptr}, {"notional", 500}, {"type", "market"}, {"limit_price", nullptr}});
  const Json answer = post(asked).body;
  EXPECT_EQ(answer["notional"], "500");
  EXPECT_TRUE(answer["qty"].is_null());
  settle();
  const Json filled = call("GET", "/v2/orders/" + answer["id"].get<std::string>()).body;
  EXPECT_EQ(filled["status"], "filled");
  EXPECT_TRUE(filled["qty"].is_null());
  EXPECT_EQ(
      call("PATCH", "/v2/orders/" + answer["id"].get<std::string>(), {}, R"({"qty":"9"})").status,
      422);
}

TEST_F(TradingRestTest, PositionOfAnEquityCarriesItsNumbers) {
  ASSERT_EQ(post(limit("a", "sell", "99.99")).status, 200);
  settle();
  const Json position = call("GET", "/v2/positions/ABC").body;
  EXPECT_EQ(position["qty"], "-100");
  EXPECT_EQ(position["qty_available"], "-100");
  EXPECT_EQ(position["side"], "short");
  EXPECT_EQ(position["avg_entry_price"], "99.99");
  EXPECT_EQ(position["cost_basis"], "-9999");
  EXPECT_EQ(position["market_value"], "-9999") << "at the bid: nothing was traded yet";
  EXPECT_EQ(position["unrealized_pl"], "0");
  EXPECT_EQ(position["lastday_price"], "99");
  EXPECT_EQ(position["change_today"], "0.01");
  EXPECT_EQ(position["asset_class"], "us_equity");
  EXPECT_EQ(position["exchange"], "NYSE");
  const Json account = call("GET", "/v2/account").body;
  EXPECT_EQ(account["short_market_value"], "-9999");
  EXPECT_EQ(account["multiplier"], "4");
  EXPECT_TRUE(account["shorting_enabled"].get<bool>());
  EXPECT_EQ(account["buying_power"], "390001");
  const Json fills = call("GET", "/v2/account/activities").body;
  ASSERT_EQ(fills.size(), 1U);
  EXPECT_EQ(fills[0]["side"], "sell");
  EXPECT_EQ(call("GET", "/v2/account/portfolio/history").body["equity"][0], 100000);
}

TEST_F(TradingRestTest, PositionsAreClosedInPartInWholeAndAllTogether) {
  ASSERT_EQ(post(limit("a", "buy", "100.01")).status, 200);
  settle();
  const Answer part = call("DELETE", "/v2/positions/ABC", "percentage=25.5");
  EXPECT_EQ(part.status, 200);
  EXPECT_EQ(part.body["qty"], "25.5");
  EXPECT_EQ(part.body["side"], "sell");
  EXPECT_EQ(part.body["type"], "market");
  settle();
  EXPECT_EQ(call("DELETE", "/v2/positions/ABC", "qty=4.5").body["qty"], "4.5");
  settle();
  EXPECT_EQ(position(), "70");
  for (const char* bad :
       {"qty=1&percentage=1", "qty=0", "percentage=101", "qty=x", "qty=0.0000000001"}) {
    EXPECT_EQ(call("DELETE", "/v2/positions/ABC", bad).status, 422) << bad;
  }
  ASSERT_EQ(
      post(
          with({{"side", "sell"}, {"qty", "60"}, {"limit_price", "110"}, {"client_order_id", "s"}}))
          .status,
      200);
  settle();
  const Answer held = call("DELETE", "/v2/positions");
  EXPECT_EQ(held.status, 207);
  ASSERT_EQ(held.body.size(), 1U);
  EXPECT_EQ(held.body[0]["status"], 403) << "60 of it are held";
  const Answer all = call("DELETE", "/v2/positions", "cancel_orders=true");
  EXPECT_EQ(all.body[0]["status"], 200);
  EXPECT_EQ(all.body[0]["symbol"], "ABC");
  EXPECT_EQ(all.body[0]["body"]["qty"], "70");
  settle();
  EXPECT_EQ(call("GET", "/v2/positions").body.size(), 0U);
  EXPECT_EQ(call("DELETE", "/v2/positions/ABC").body["message"], "position does not exist");
  EXPECT_EQ(call("DELETE", "/v2/positions").body, Json::array());
}

TEST_F(TradingRestTest, DeleteAllNamesWhatCannotBeCanceled) {
  ASSERT_EQ(post(limit("a")).status, 200);
  ASSERT_EQ(post(limit("b", "buy", "99.4")).status, 200);
  settle();
  const Answer answer = call("DELETE", "/v2/orders");
  EXPECT_EQ(answer.status, 207);
  EXPECT_EQ(answer.body.size(), 2U);
  settle();
  EXPECT_EQ(call("DELETE", "/v2/orders/" + answer.body[0]["id"].get<std::string>()).status, 204)
      << "a repeat of a canceled order";
  EXPECT_EQ(call("GET", "/v2/orders", "status=closed&side=buy&asset_class=us_equity").body.size(),
            2U);
  EXPECT_EQ(call("GET", "/v2/orders", "status=all&asset_class=crypto").body.size(), 0U);
  EXPECT_EQ(call("GET", "/v2/orders", "side=up").status, 422);
}

TEST_F(TradingRestTest, SuspendTradeIsASwitchOfTheAccount) {
  bool kept = false;
  api_.on_configuration([&](bool suspended) { kept = suspended; });
  const Answer set = call("PATCH", "/v2/account/configurations", {}, R"({"suspend_trade":true})");
  EXPECT_EQ(set.status, 200);
  EXPECT_TRUE(set.body["suspend_trade"].get<bool>());
  EXPECT_TRUE(kept);
  EXPECT_TRUE(call("GET", "/v2/account").body["trade_suspended_by_user"].get<bool>());
  EXPECT_EQ(post(limit("a")).body["message"], "new orders are rejected by user request");
  EXPECT_EQ(call("PATCH", "/v2/account/configurations", {}, R"({"suspend_trade":"yes"})").status,
            422);
  EXPECT_EQ(call("PATCH", "/v2/account/configurations", {}, R"({"no_shorting":true})").status, 200);
  call("PATCH", "/v2/account/configurations", {}, R"({"suspend_trade":false})");
  EXPECT_EQ(post(limit("a")).status, 200);
  EXPECT_FALSE(call("GET", "/v2/account/configurations").body["suspend_trade"].get<bool>());
}

TEST_F(TradingRestTest, CalendarAndClockKnowHolidaysAndEarlyCloses) {
  const Json days = call("GET", "/v2/calendar", "start=2026-11-25&end=2026-11-30").body;
  ASSERT_EQ(days.size(), 3U);
  EXPECT_EQ(days[1]["date"], "2026-11-27");
  EXPECT_EQ(days[1]["open"], "09:30");
  EXPECT_EQ(days[1]["close"], "13:00");
  EXPECT_EQ(days[1]["session_open"], "0400");
  EXPECT_EQ(days[1]["settlement_date"], "2026-11-30");
  EXPECT_EQ(call("GET", "/v2/calendar", "start=x").status, 422);
  EXPECT_EQ(call("GET", "/v2/calendar").body[0]["date"], "2024-08-08") << "the recorded day";
  EXPECT_TRUE(call("GET", "/v2/clock").body["is_open"].get<bool>());
  EXPECT_EQ(call("GET", "/v2/clock").body["next_close"], "2024-08-08T16:00:00-04:00");
}

TEST_F(TradingRestTest, AssetsTellWhatMayBeDone) {
  const Json abc = call("GET", "/v2/assets/ABC").body;
  EXPECT_EQ(abc["class"], "us_equity");
  EXPECT_TRUE(abc["easy_to_borrow"].get<bool>());
  EXPECT_TRUE(abc["fractionable"].get<bool>());
  EXPECT_FALSE(abc.contains("min_order_size"));
  EXPECT_FALSE(call("GET", "/v2/assets/XYZ").body["shortable"].get<bool>());
  EXPECT_EQ(call("GET", "/v2/assets", "asset_class=us_equity").body.size(), 2U);
  EXPECT_EQ(call("GET", "/v2/assets", "status=inactive").body.size(), 0U);
}

TEST(Variants, AreSetByNameAndRefusedOtherwise) {
  Variants variants;
  EXPECT_TRUE(set_variant(variants, "frames=text"));
  EXPECT_FALSE(variants.binary_frames);
  EXPECT_TRUE(set_variant(variants, "frames=binary"));
  EXPECT_TRUE(variants.binary_frames);
  for (const char* bad : {"frames", "frames=", "frames=both", "colour=red", ""}) {
    EXPECT_FALSE(set_variant(variants, bad)) << bad;
  }
  EXPECT_NE(known_variants().find("replace-filled=carried|own"), std::string::npos);
}

class StreamVariantTest : public EquityTest {
 protected:
  StreamVariantTest()
      : EquityTest(with_variants({"post-status=accepted", "offsets=mixed", "execution-id=fills",
                                  "repeat-cancel=422", "wash-status=422"})) {
    venue().set_listener([this](const OrderEvent& event) {
      std::string frame;
      if (!event.quiet &&
          encode_trade_update(frame, event, venue().symbols()[event.order.asked.symbol],
                              venue().variants(), &new_york_)) {
        frames_.push_back(Json::parse(frame)["data"]);
      }
    });
    open_market();
  }
  NewYork new_york_;
  std::vector<Json> frames_;
};

TEST_F(StreamVariantTest, ChangeWhatIsToldAndNothingElse) {
  const OrderKey a = enter(ny(10, 0), order("a", Side::kBuy, "100"));
  ASSERT_EQ(frames_.size(), 3U);
  EXPECT_EQ(frames_[0]["event"], "accepted");
  EXPECT_EQ(frames_[0]["order"]["status"], "accepted");
  EXPECT_FALSE(frames_[0].contains("execution_id"));
  EXPECT_EQ(frames_[0]["timestamp"], "2024-08-08T14:00:00Z");
  EXPECT_EQ(frames_[2]["event"], "fill");
  EXPECT_EQ(frames_[2]["timestamp"], "2024-08-08T10:00:00.004-04:00");
  EXPECT_TRUE(frames_[2].contains("execution_id"));
  EXPECT_EQ(status(a), OrderStatus::kFilled);
  const OrderKey b = enter(ny(10, 1), order("b", Side::kSell, "10", "101"));
  refused(ny(10, 2), order("c", Side::kBuy, "10", "101"), 422, kCodeNotAllowed);
  EXPECT_FALSE(venue().cancel(ny(10, 3), b));
  venue().run_until(ny(10, 4));
  EXPECT_TRUE(venue().cancel(ny(10, 5), b)) << "already canceled";
}

}  // namespace
}  // namespace sluice::sim::test
