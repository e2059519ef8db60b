#include <gtest/gtest.h>

#include <array>
#include <string>

#include "common/venue/alpaca/rest.hpp"

namespace sluice::venue {
namespace {

using namespace alpaca;  // NOLINT: the codec under test

template <class Encode>
std::string written(Encode&& encode) {
  std::array<char, kRequestBytes> out{};
  const std::size_t size = encode(std::span<char>(out));
  return std::string(out.data(), size);
}

OrderRequest limit_order() {
  return {.symbol = "BTC/USD",
          .qty = Qty{500'000'000},
          .side = Side::kBuy,
          .type = OrderType::kLimit,
          .tif = TimeInForce::kGtc,
          .limit = Price{61'837'630'000'000},
          .client_order_id = "slc-demo-3-1-42"};
}

std::string body(const OrderRequest& order) {
  return written([&](std::span<char> out) { return encode_order(order, out); });
}

TEST(RestRequests, LimitOrderIsWrittenWithDecimalsAsStrings) {
  EXPECT_EQ(
      body(limit_order()),
      R"({"symbol":"BTC/USD","qty":"0.5","side":"buy","type":"limit","time_in_force":"gtc","limit_price":"61837.63","client_order_id":"slc-demo-3-1-42"})");
}

TEST(RestRequests, ReplaceCarriesTheNewTotalThePriceAndItsOwnClientOrderId) {
  ReplaceRequest replace{.qty = Qty{1'500'000'000},
                         .limit = Price{61'837'640'000'000},
                         .client_order_id = "slc-demo-3-1-43"};
  const auto body = [&] {
    return written([&](std::span<char> out) { return encode_replace(replace, out); });
  };
  EXPECT_EQ(body(),
            R"({"qty":"1.5","limit_price":"61837.64","client_order_id":"slc-demo-3-1-43"})");
  replace.limit = Price{-1};
  EXPECT_EQ(body(), "");
  replace.limit = Price{1};
  replace.client_order_id = {};
  EXPECT_EQ(body(), "");
  std::array<char, 20> small{};
  replace.client_order_id = "slc-demo-3-1-43";
  EXPECT_EQ(encode_replace(replace, small), 0U);
}

TEST(RestRequests, ReplaceLeavesOutWhatStays) {
  const auto body = [](std::int64_t qty, std::int64_t limit) {
    return written([&](std::span<char> out) {
      return encode_replace({.qty = Qty{qty}, .limit = Price{limit}, .client_order_id = "slc-1"},
                            out);
    });
  };
  EXPECT_EQ(body(0, kScale), R"({"limit_price":"1","client_order_id":"slc-1"})");
  EXPECT_EQ(body(2 * kScale, 0), R"({"qty":"2","client_order_id":"slc-1"})");
  EXPECT_EQ(body(0, 0), "") << "a replace that changes nothing is not sent";
}

TEST(RestRequests, MarketStopAndStopLimitCarryTheirOwnPricesOnly) {
  OrderRequest order = limit_order();
  order.type = OrderType::kMarket;
  order.tif = TimeInForce::kIoc;
  order.limit = {};
  EXPECT_EQ(
      body(order),
      R"({"symbol":"BTC/USD","qty":"0.5","side":"buy","type":"market","time_in_force":"ioc","client_order_id":"slc-demo-3-1-42"})");
  order.type = OrderType::kStop;
  order.stop = Price{1};
  EXPECT_EQ(
      body(order),
      R"({"symbol":"BTC/USD","qty":"0.5","side":"buy","type":"stop","time_in_force":"ioc","stop_price":"0.000000001","client_order_id":"slc-demo-3-1-42"})");
  order.type = OrderType::kStopLimit;
  order.limit = Price{2 * kScale};
  order.side = Side::kSell;
  order.extended_hours = true;
  EXPECT_EQ(
      body(order),
      R"({"symbol":"BTC/USD","qty":"0.5","side":"sell","type":"stop_limit","time_in_force":"ioc","limit_price":"2","stop_price":"0.000000001","extended_hours":true,"client_order_id":"slc-demo-3-1-42"})");
}

TEST(RestRequests, OrderThatIsNotWhatItSaysIsNotWritten) {
  const auto with = [](auto change) {
    OrderRequest order = limit_order();
    change(order);
    return body(order);
  };
  EXPECT_EQ(with([](OrderRequest& o) { o.qty = {}; }), "");
  EXPECT_EQ(with([](OrderRequest& o) { o.qty.raw = -1; }), "");
  EXPECT_EQ(with([](OrderRequest& o) { o.limit = {}; }), "");
  EXPECT_EQ(with([](OrderRequest& o) { o.stop = Price{1}; }), "");
  EXPECT_EQ(with([](OrderRequest& o) { o.type = OrderType::kMarket; }), "");
  EXPECT_EQ(with([](OrderRequest& o) { o.type = OrderType::kNone; }), "");
  EXPECT_EQ(with([](OrderRequest& o) { o.side = Side::kNone; }), "");
  EXPECT_EQ(with([](OrderRequest& o) { o.tif = TimeInForce::kNone; }), "");
  EXPECT_EQ(with([](OrderRequest& o) { o.symbol = {}; }), "");
  EXPECT_EQ(with([](OrderRequest& o) { o.client_order_id = {}; }), "");
  EXPECT_EQ(with([](OrderRequest& o) { o.client_order_id = "a\"b"; }), "");
  const std::string too_long(129, 'x');
  EXPECT_EQ(with([&](OrderRequest& o) { o.client_order_id = too_long; }), "");
}

TEST(RestRequests, LongestOrderFitsTheRequestBuffer) {
  OrderRequest order = limit_order();
  const std::string symbol(kSymbolCharsMax, 'S');
  const std::string id(kClientOrderIdChars, 'i');
  order.symbol = symbol;
  order.client_order_id = id;
  order.type = OrderType::kStopLimit;
  order.qty.raw = order.limit.raw = order.stop.raw = INT64_MAX;
  order.extended_hours = true;
  EXPECT_GT(body(order).size(), 300u);
}

TEST(RestRequests, EveryBufferTooSmallGivesNothing) {
  const std::size_t needed = body(limit_order()).size();
  for (std::size_t room = 0; room < needed; ++room) {
    std::string out(room, '#');
    EXPECT_EQ(encode_order(limit_order(), out), 0u) << room;
  }
  std::string exact(needed, '#');
  EXPECT_EQ(encode_order(limit_order(), exact), needed);
}

TEST(RestRequests, TargetsNameOrdersByVenueIdAndByClientId) {
  Id128 id;
  ASSERT_TRUE(parse_uuid("61e69015-8549-4bfd-b9c3-01e75843f47d", id));
  EXPECT_EQ(written([&](std::span<char> out) { return encode_order_target(id, out); }),
            "/v2/orders/61e69015-8549-4bfd-b9c3-01e75843f47d");
  EXPECT_EQ(written([](std::span<char> out) {
              return encode_client_order_id_target("slc-demo-3-1-42", out);
            }),
            "/v2/orders:by_client_order_id?client_order_id=slc-demo-3-1-42");
  EXPECT_EQ(written([](std::span<char> out) {
              return encode_client_order_id_target("a b&c=/\xc3\xa9", out);
            }),
            "/v2/orders:by_client_order_id?client_order_id=a%20b%26c%3D%2F%C3%A9");
  EXPECT_EQ(written([](std::span<char> out) { return encode_client_order_id_target("", out); }),
            "");
}

TEST(RestRequests, OrderListAsksForItsScopeAndWindow) {
  EXPECT_EQ(written([](std::span<char> out) { return encode_orders_target({}, out); }),
            "/v2/orders?status=open&limit=500&direction=asc");
  const OrdersQuery query{.scope = OrderScope::kAll,
                          .limit = 50,
                          .after = WallNanos{1'500'000'000},
                          .until = WallNanos{2'000'000'000},
                          .ascending = false};
  EXPECT_EQ(written([&](std::span<char> out) { return encode_orders_target(query, out); }),
            "/v2/orders?status=all&limit=50&after=1970-01-01T00%3A00%3A01.5Z"
            "&until=1970-01-01T00%3A00%3A02Z&direction=desc");
  EXPECT_EQ(written([](std::span<char> out) { return encode_orders_target({.limit = 501}, out); }),
            "");
}

TEST(RestRequests, ActivitiesPageByToken) {
  EXPECT_EQ(written([](std::span<char> out) { return encode_activities_target({}, out); }),
            "/v2/account/activities?activity_types=FILL%2CCFEE&direction=asc&page_size=100");
  const ActivitiesQuery query{.types = "",
                              .after = WallNanos{kNanosPerSecond},
                              .page_size = 2,
                              .page_token = "20190524113406977::8efc7b9a"};
  EXPECT_EQ(written([&](std::span<char> out) { return encode_activities_target(query, out); }),
            "/v2/account/activities?after=1970-01-01T00%3A00%3A01Z&direction=asc&page_size=2"
            "&page_token=20190524113406977%3A%3A8efc7b9a");
  EXPECT_EQ(
      written([](std::span<char> out) { return encode_activities_target({.page_size = 0}, out); }),
      "");
}

}  // namespace
}  // namespace sluice::venue
