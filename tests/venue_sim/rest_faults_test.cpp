#include "tools/venue_sim/rest_faults.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/venue_sim/sim_fixtures.hpp"

namespace sluice::sim::test {
namespace {

using Json = nlohmann::json;
using How = RestOutcome::How;

constexpr WallNanos kNow{1'000'000'000'000};
constexpr std::string_view kOrderBody =
    R"({"symbol":"BTC/USD","qty":"0.1","side":"buy","type":"limit","time_in_force":"gtc",)"
    R"("limit_price":"50000","client_order_id":"mine"})";

class RestFaultsTest : public testing::Test {
 protected:
  RestOutcome ask(std::string_view method, std::string_view path, std::string_view body = {}) {
    const ApiRequest request{method, path, {}, body};
    return rest_.serve(request, kNow, [this] {
      ++executed_;
      return ApiAnswer{200, "answer " + std::to_string(executed_), false};
    });
  }
  void script(std::string_view text) {
    const auto wrong = faults_.set(text, kNow);
    ASSERT_FALSE(wrong.has_value()) << *wrong;
  }

  Venue venue_{two_symbols(), VenueOptions{}, IdSource(1)};
  Faults faults_;
  RestFaults rest_{faults_, venue_};
  int executed_{0};
};

TEST_F(RestFaultsTest, EveryKindOfRequestHasItsPlace) {
  struct Case {
    std::string_view method;
    std::string_view path;
    FaultSite site;
  };
  const Case cases[] = {
      {"POST", "/v2/orders", FaultSite::kPost},
      {"PATCH", "/v2/orders/x", FaultSite::kPatch},
      {"DELETE", "/v2/orders", FaultSite::kDelete},
      {"GET", "/v2/orders", FaultSite::kOrders},
      {"GET", "/v2/orders/x", FaultSite::kOrder},
      {"GET", "/v2/orders:by_client_order_id", FaultSite::kOrder},
      {"GET", "/v2/positions", FaultSite::kPositions},
      {"GET", "/v2/account", FaultSite::kAccount},
      {"GET", "/v2/account/activities/FILL", FaultSite::kActivities},
      {"GET", "/v2/clock", FaultSite::kOther},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(fault_site(c.method, c.path), c.site) << c.method << ' ' << c.path;
  }
}

// What each fault does to the request and to the answer, on every kind of request it is made for.
TEST_F(RestFaultsTest, FaultsSayWhetherTheRequestIsCarriedOutAndHowItEnds) {
  struct Case {
    std::string_view fault;
    How how;
    int status;
    int executed;
  };
  const Case cases[] = {
      {"delay ms=40", How::kAnswer, 200, 1},
      {"lose-answer", How::kCut, 200, 1},
      {"cut-answer", How::kHalf, 200, 1},
      {"drop", How::kCut, 200, 0},
      {"error status=503", How::kAnswer, 503, 0},
      {"error-after status=500", How::kAnswer, 500, 1},
      {"limit retry-after=7", How::kAnswer, 429, 0},
      {"hang", How::kNever, 200, 1},
      {"hang executed=0", How::kNever, 200, 0},
  };
  const std::pair<std::string_view, std::string_view> requests[] = {
      {"POST", "/v2/orders"}, {"PATCH", "/v2/orders/x"},         {"DELETE", "/v2/orders/x"},
      {"GET", "/v2/orders"},  {"GET", "/v2/orders/x"},           {"GET", "/v2/positions"},
      {"GET", "/v2/account"}, {"GET", "/v2/account/activities"}, {"GET", "/v2/clock"}};
  for (const Case& c : cases) {
    script("rest " + std::string(c.fault));
    for (const auto& [method, path] : requests) {
      executed_ = 0;
      const RestOutcome outcome = ask(method, path);
      EXPECT_EQ(outcome.how, c.how) << c.fault << ' ' << method << ' ' << path;
      EXPECT_EQ(outcome.answer.status, c.status) << c.fault << ' ' << method << ' ' << path;
      EXPECT_EQ(executed_, c.executed) << c.fault << ' ' << method << ' ' << path;
    }
  }
  script("rest delay ms=40");
  EXPECT_EQ(ask("GET", "/v2/account").delay_ns, 40 * kNanosPerMilli);
  script("rest limit retry-after=7");
  EXPECT_EQ(ask("GET", "/v2/account").retry_after_s, 7U);
}

TEST_F(RestFaultsTest, FalseAnswerLooksLikeSuccessAndNothingHappened) {
  NewOrder real = limit_order("real", Side::kBuy, "1", "50000");
  const OrderKey key = std::get<OrderKey>(venue_.submit(kNow, std::move(real)));
  const std::string id = to_string(venue_.orders()[key].id);
  const std::string path = "/v2/orders/" + id;
  script("rest false-answer");
  const Json order = Json::parse(ask("POST", "/v2/orders", kOrderBody).answer.body);
  EXPECT_EQ(order["client_order_id"], "mine");
  EXPECT_EQ(order["status"], "pending_new");
  const RestOutcome patch =
      ask("PATCH", path, R"({"limit_price":"49000","client_order_id":"next"})");
  EXPECT_EQ(patch.answer.status, 200);
  const Json next = Json::parse(patch.answer.body);
  EXPECT_EQ(next["client_order_id"], "next");
  EXPECT_EQ(next["limit_price"], "49000");
  EXPECT_EQ(next["replaces"], id);
  EXPECT_NE(next["id"], id);
  EXPECT_EQ(ask("DELETE", path).answer.status, 204);
  const RestOutcome all = ask("DELETE", "/v2/orders");
  EXPECT_EQ(all.answer.status, 207);
  EXPECT_EQ(Json::parse(all.answer.body)[0]["id"], id);
  EXPECT_EQ(executed_, 0);
  EXPECT_EQ(venue_.orders().size(), 1U);
  EXPECT_TRUE(venue_.orders()[key].open());
  EXPECT_EQ(venue_.orders()[key].status, OrderStatus::kPendingNew) << "nothing was asked of it";
}

TEST_F(RestFaultsTest, NothingIsPretendedThatTheVenueWouldRefuse) {
  script("rest false-answer");
  ask("POST", "/v2/orders", "garbage");
  ask("DELETE", "/v2/orders/nonsense");
  ask("PATCH", "/v2/orders/00000000-0000-4000-8000-000000000000", R"({"limit_price":"1"})");
  ask("DELETE", "/v2/positions");
  ask("PATCH", "/v2/account/configurations", R"({"suspend_trade":true})");
  EXPECT_EQ(executed_, 5) << "they go the way of every request";
}

TEST_F(RestFaultsTest, StaleStrikesTheFirstTimeItIsAskedFor) {
  ask("GET", "/v2/orders");
  script("orders stale first=1");
  EXPECT_EQ(ask("GET", "/v2/orders").answer.body, "answer 1");
  EXPECT_EQ(ask("GET", "/v2/orders").answer.body, "answer 3");
}

TEST_F(RestFaultsTest, StaleReadsAnswerWhatWasTrueBefore) {
  script("positions stale back=2 after=2");
  EXPECT_EQ(ask("GET", "/v2/positions").answer.body, "answer 1");
  EXPECT_EQ(ask("GET", "/v2/positions").answer.body, "answer 2");
  EXPECT_EQ(ask("GET", "/v2/positions").answer.body, "answer 1");
  EXPECT_EQ(ask("GET", "/v2/positions").answer.body, "answer 2");
  EXPECT_EQ(ask("GET", "/v2/orders").answer.body, "answer 5") << "another list is fresh";
}

}  // namespace
}  // namespace sluice::sim::test
