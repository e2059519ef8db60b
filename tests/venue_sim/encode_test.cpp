// What the encoders write must read back as JSON and carry the venue's numbers exactly.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/venue_sim/sim_fixtures.hpp"
#include "tools/venue_sim/encode_market.hpp"
#include "tools/venue_sim/encode_trading.hpp"

namespace sluice::sim::test {
namespace {

using Json = nlohmann::ordered_json;

class EncodeTradingTest : public ::testing::Test {
 protected:
  EncodeTradingTest() {
    venue_.set_listener([this](const OrderEvent& event) {
      std::string frame;
      EXPECT_TRUE(encode_trade_update(frame, event, venue_.symbols()[event.order.asked.symbol]));
      frames_.push_back(Json::parse(frame));
    });
    venue_.quote(at(0), kBtc, book("60000", "2", "60010", "1"));
    venue_.depth(at(0), kBtc, {.side = Side::kSell, .px = px("60011"), .qty = qty("0.25")});
  }

  // 2024-08-08T23:54:14Z and so many milliseconds: 19:54:14 in New York.
  static WallNanos at(std::int64_t ms) {
    return WallNanos{1'723'161'254'000'000'000 + ms * kNanosPerMilli};
  }
  OrderKey bought(std::string_view id, std::string_view size) {
    const OrderKey key =
        std::get<OrderKey>(venue_.submit(at(10), limit_order(id, Side::kBuy, size, "60011")));
    venue_.run_until(at(10));
    return key;
  }
  [[nodiscard]] Json order(OrderKey key) const {
    std::string out;
    JsonWriter json(out);
    encode_order(json, venue_.orders()[key], venue_.symbols()[kBtc]);
    return Json::parse(out);
  }
  Json activity(std::size_t index) {
    std::string out;
    JsonWriter json(out);
    encode_activity(json, venue_, venue_.activities()[index], new_york_);
    return Json::parse(out);
  }

  NewYork new_york_;
  Venue venue_{two_symbols(), VenueOptions{}, IdSource(7)};
  std::vector<Json> frames_;
};

TEST_F(EncodeTradingTest, OrderCarriesStringsNullsAndCumulativeValues) {
  const Json json = order(bought("my \"id\"\n", "1.5"));
  EXPECT_EQ(json["client_order_id"], "my \"id\"\n");
  EXPECT_EQ(json["symbol"], "BTC/USD");
  EXPECT_EQ(json["asset_class"], "crypto");
  EXPECT_EQ(json["qty"], "1.5");
  EXPECT_EQ(json["filled_qty"], "1.25");
  EXPECT_EQ(json["filled_avg_price"], "60010.2");
  EXPECT_EQ(json["limit_price"], "60011");
  EXPECT_EQ(json["status"], "partially_filled");
  EXPECT_EQ(json["time_in_force"], "gtc");
  EXPECT_EQ(json["type"], "limit");
  EXPECT_EQ(json["order_type"], "limit");
  EXPECT_EQ(json["submitted_at"], "2024-08-08T23:54:14.01Z") << "trailing zeros are trimmed";
  for (const char* absent : {"filled_at", "canceled_at", "stop_price", "legs", "replaced_by",
                             "notional", "trail_price"}) {
    EXPECT_TRUE(json.at(absent).is_null()) << absent;
  }
}

TEST_F(EncodeTradingTest, TradeUpdateCarriesThisExecutionAndTheCumulativeOrder) {
  bought("a", "1.25");
  ASSERT_EQ(frames_.size(), 4U);
  const Json& last = frames_[3];
  EXPECT_EQ(last["stream"], "trade_updates");
  const Json& data = last["data"];
  EXPECT_EQ(data["event"], "fill");
  EXPECT_EQ(data["price"], "60011");
  EXPECT_EQ(data["qty"], "0.25");
  EXPECT_EQ(data["position_qty"], "1.246875");
  EXPECT_EQ(data["order"]["filled_qty"], "1.25");
  EXPECT_EQ(data["order"]["status"], "filled");
  EXPECT_TRUE(data["order"].contains("cancel_requested_at"));
  EXPECT_EQ(data["timestamp"], "2024-08-08T23:54:14.01Z");
  EXPECT_NE(frames_[2]["data"]["execution_id"], data["execution_id"]);
  EXPECT_FALSE(frames_[1]["data"].contains("price")) << "only fills have one";
}

TEST_F(EncodeTradingTest, ActivitiesNameTheExecutionInNewYorkTime) {
  bought("a", "0.5");
  const Json fill = activity(0);
  const std::string execution = to_string(venue_.executions()[0].id);
  EXPECT_EQ(fill["id"], "20240808195414010::" + execution);
  EXPECT_EQ(fill["activity_type"], "FILL");
  EXPECT_EQ(fill["transaction_time"], "2024-08-08T23:54:14.01Z");
  EXPECT_EQ(fill["type"], "fill");
  EXPECT_EQ(fill["cum_qty"], "0.5");
  EXPECT_EQ(fill["leaves_qty"], "0");
  EXPECT_EQ(fill["order_status"], "filled");
  const Json fee = activity(1);
  EXPECT_EQ(fee["id"], "20240808195414011::" + execution) << "its own id, the same execution";
  EXPECT_EQ(fee["activity_type"], "CFEE");
  EXPECT_EQ(fee["symbol"], "BTCUSD");
  EXPECT_EQ(fee["qty"], "-0.00125");
  EXPECT_EQ(fee["date"], "2024-08-08");
  EXPECT_FALSE(fee.contains("net_amount"));
}

TEST_F(EncodeTradingTest, FeeOfASellIsCash) {
  bought("a", "1");
  ASSERT_TRUE(std::holds_alternative<OrderKey>(
      venue_.submit(at(20), limit_order("b", Side::kSell, "0.5", "60000"))));
  venue_.run_until(at(20));
  const Json fee = activity(3);
  EXPECT_EQ(fee["net_amount"], "-75");
  EXPECT_FALSE(fee.contains("qty"));
}

TEST_F(EncodeTradingTest, LedgerIsCanonical) {
  bought("a", "1");
  ASSERT_TRUE(std::holds_alternative<OrderKey>(
      venue_.submit(at(20), limit_order("b", Side::kSell, "0.5", "60000"))));
  venue_.run_until(at(20));
  const std::string text = encode_ledger(venue_);
  const Json json = Json::parse(text);
  EXPECT_EQ(json["cash"]["USD"], "69915");
  EXPECT_EQ(json["positions"], (Json{{"BTCUSD", "0.4975"}}));
  EXPECT_EQ(json["fees"], (Json{{"BTC", "0.0025"}, {"USD", "75"}}));
  EXPECT_EQ(json["orders"]["b"]["status"], "filled");
  EXPECT_EQ(json["orders"]["b"]["filled_qty"], "0.5");
  ASSERT_EQ(json["executions"].size(), 2U);
  const auto& first = json["executions"][to_string(venue_.executions()[0].id)];
  EXPECT_EQ(first["px"], "60010");
  EXPECT_EQ(first["fee"], "0.0025");
  EXPECT_EQ(first["fee_asset"], "BTC");
  EXPECT_EQ(nlohmann::json::parse(text).dump(), text) << "keys are sorted, nothing is padded";
}

TEST(EncodeMarket, MessagesBeginWithTAndCarryExactNumbers) {
  const MarketEncoder encoder(two_symbols());
  std::string out;
  encoder.quote(out, kBtc, book("61837.63", "3.78826", "61837.64", "0"), WallNanos{1'000'000'500});
  EXPECT_EQ(out, R"({"T":"q","S":"BTC/USD","bp":61837.63,"bs":3.78826,"ap":61837.64,"as":0,)"
                 R"("t":"1970-01-01T00:00:01.0000005Z"})");
  out.clear();
  encoder.trade(out, kEth, {print("2683.8", "0.02", Side::kSell), 18'446'744'073'709'551'615U},
                WallNanos{0});
  EXPECT_EQ(out, R"({"T":"t","S":"ETH/USD","p":2683.8,"s":0.02,"t":"1970-01-01T00:00:00Z",)"
                 R"("i":18446744073709551615,"tks":"S"})");
  out.clear();
  encoder.book(out, kBtc,
               {.bids = {{px("1"), qty("0")}, {px("2"), qty("3")}}, .asks = {}, .reset = true},
               WallNanos{0});
  EXPECT_EQ(out, R"({"T":"o","S":"BTC/USD","t":"1970-01-01T00:00:00Z",)"
                 R"("b":[{"p":1,"s":0},{"p":2,"s":3}],"a":[],"r":true})");
  EXPECT_TRUE(Json::accept(out));
}

TEST(NewYork, OffsetAndSessionFollowTheSeason) {
  NewYork new_york;
  WallNanos winter{};
  WallNanos summer{};
  ASSERT_TRUE(parse_rfc3339("2026-11-20T10:41:00.123456789Z", winter));
  ASSERT_TRUE(parse_rfc3339("2024-08-08T23:54:14Z", summer));
  EXPECT_EQ(new_york.rfc3339(winter), "2026-11-20T05:41:00.123456789-05:00");
  EXPECT_EQ(new_york.rfc3339(summer), "2024-08-08T19:54:14-04:00");
  const auto before_open = new_york.session(winter);  // a Friday
  EXPECT_FALSE(before_open.is_open);
  EXPECT_EQ(new_york.rfc3339(before_open.next_open), "2026-11-20T09:30:00-05:00");
  EXPECT_EQ(new_york.rfc3339(before_open.next_close), "2026-11-20T16:00:00-05:00");
  WallNanos open{};
  ASSERT_TRUE(parse_rfc3339("2026-11-20T20:59:59.999999999Z", open));
  const auto trading = new_york.session(open);
  EXPECT_TRUE(trading.is_open);
  EXPECT_EQ(new_york.rfc3339(trading.next_open), "2026-11-23T09:30:00-05:00") << "Monday";
  EXPECT_FALSE(new_york.session({open.ns + 1}).is_open) << "the close belongs to the night";
}

}  // namespace
}  // namespace sluice::sim::test
