// PATCH: the chain of two orders, its events, its money, and every refusal of the fact sheet.
#include <gtest/gtest.h>

#include "tests/venue_sim/equity_fixtures.hpp"

namespace sluice::sim::test {
namespace {

class ReplaceTest : public EquityTest {
 protected:
  ReplaceTest() { open_market(); }
  explicit ReplaceTest(VenueOptions with) : EquityTest(with) { open_market(); }

  // A resting buy of 100 at 99.50 by 10:00.
  OrderKey resting(std::string_view id = "a", std::string_view size = "100") {
    return enter(ny(10, 0), order(id, Side::kBuy, size, "99.5"));
  }
  OrderKey replaced(WallNanos at, OrderKey key, const ReplaceOrder& change) {
    venue().run_until(at);
    return std::get<OrderKey>(venue().replace(at, key, change));
  }
  std::string not_replaced(WallNanos at, OrderKey key, const ReplaceOrder& change, int status = 422,
                           std::int64_t code = kCodeNotAllowed) {
    venue().run_until(at);
    const auto result = venue().replace(at, key, change);
    const auto* error = std::get_if<ApiError>(&result);
    if (error == nullptr) {
      ADD_FAILURE() << "accepted";
      return {};
    }
    EXPECT_EQ(error->status, status);
    EXPECT_EQ(Json::parse(error->body)["code"], code);
    return Json::parse(error->body)["message"];
  }
  static ReplaceOrder named(ReplaceOrder change, std::string id = "b") {
    change.client_order_id = std::move(id);
    return change;
  }
};

TEST_F(ReplaceTest, OldIsPendingReplaceThenReplacedAndTheSuccessorHasItsOwnLife) {
  const OrderKey a = resting();
  const OrderKey b = replaced(ny(10, 1), a, named({.limit = px("99.6")}));
  EXPECT_EQ(status(a), OrderStatus::kPendingReplace);
  EXPECT_EQ(status(b), OrderStatus::kPendingNew);
  EXPECT_EQ(at_key(b).replaces_id, at_key(a).id);
  EXPECT_EQ(at_key(a).replaced_by_id, Id128{}) << "not yet a fact";
  venue().run_until(ny(10, 1, 1));
  EXPECT_EQ(status(a), OrderStatus::kReplaced);
  EXPECT_EQ(at_key(a).replaced_by_id, at_key(b).id);
  EXPECT_NE(at_key(a).replaced_at.ns, 0);
  EXPECT_EQ(status(b), OrderStatus::kNew);
  EXPECT_EQ(story("a"), "pending_new new pending_replace replaced");
  EXPECT_EQ(story("b"), "pending_new new");
  trade(ny(10, 2), "99.55", "500");
  EXPECT_EQ(status(b), OrderStatus::kFilled) << "at its new price";
  EXPECT_EQ(filled(a), "0");
}

TEST_F(ReplaceTest, RefusalsUseTheVenuesWords) {
  const OrderKey a = accept(ny(10, 0), order("a", Side::kBuy, "100", "99.5"));
  EXPECT_EQ(not_replaced(ny(10, 0), a, {.limit = px("99")}),
            "cannot replace order in pending_new status");
  venue().run_until(ny(10, 0, 1));
  EXPECT_EQ(not_replaced(ny(10, 0, 1), a, {}), "order parameters are not changed");
  EXPECT_EQ(not_replaced(ny(10, 0, 1), a, {.qty = qty("100"), .limit = px("99.5")}),
            "order parameters are not changed");
  EXPECT_EQ(not_replaced(ny(10, 0, 1), a, {.qty = qty("50.5")}), "qty must be integer");
  EXPECT_EQ(not_replaced(ny(10, 0, 1), a, {.limit = px("99.123")}),
            "invalid limit_price 99.123. sub-penny increment does not fulfill minimum pricing "
            "criteria");
  EXPECT_EQ(
      not_replaced(ny(10, 0, 1), a, named({.limit = px("99")}, "a"), 422, kCodeInvalidParameter),
      "client_order_id must be unique");
  trade(ny(10, 1), "99.4", "30");
  EXPECT_EQ(not_replaced(ny(10, 1), a, {.qty = qty("30")}), "qty must be > filled_qty");
  const OrderKey b = replaced(ny(10, 2), a, named({.limit = px("99.6")}));
  EXPECT_EQ(not_replaced(ny(10, 2), a, {.limit = px("99.7")}),
            "cannot replace order in pending_replace status");
  EXPECT_EQ(not_replaced(ny(10, 2), b, {.limit = px("99.7")}), "order chain not fully replaced");
  venue().run_until(ny(10, 2, 1));
  EXPECT_EQ(not_replaced(ny(10, 3), a, {.limit = px("99.7")}), "order already replaced");
  EXPECT_FALSE(venue().cancel(ny(10, 3), b));
  EXPECT_EQ(not_replaced(ny(10, 3), b, {.limit = px("99.7")}),
            "cannot replace order in pending_cancel status");
  venue().run_until(ny(10, 4));
  EXPECT_EQ(not_replaced(ny(10, 4), b, {.limit = px("99.7")}),
            "cannot replace order in canceled status");
  const OrderKey night = enter(ny(17, 0), order("n", Side::kBuy, "1", "99"));
  EXPECT_EQ(not_replaced(ny(17, 1), night, {.limit = px("98")}),
            "cannot replace order in accepted status");
}

TEST_F(ReplaceTest, QuantityIsTheChainsTotalAndTheSuccessorCountsItsOwnFills) {
  const OrderKey a = resting();
  trade(ny(10, 1), "99.4", "30");
  ASSERT_EQ(filled(a), "30");
  const OrderKey b = replaced(ny(10, 2), a, named({.qty = qty("80")}));
  trade(ny(10, 3), "99.4", "500");
  EXPECT_EQ(filled(b), "50") << "80 in all, 30 of them before";
  EXPECT_EQ(to_string(at_key(b).asked.qty), "80");
  EXPECT_EQ(status(b), OrderStatus::kFilled);
  EXPECT_EQ(position(), "80");
}

TEST_F(ReplaceTest, WashTradesAreRefusedAsForNewOrders) {
  enter(ny(10, 0), order("p", Side::kBuy, "100"));
  enter(ny(10, 1), order("s", Side::kSell, "50", "160"));
  const OrderKey a = enter(ny(10, 2), order("a", Side::kBuy, "10", "99.5"));
  EXPECT_EQ(not_replaced(ny(10, 3), a, {.limit = px("161")}, 403, kCodeForbidden),
            "potential wash trade detected. use complex orders");
  EXPECT_EQ(status(a), OrderStatus::kNew);
  replaced(ny(10, 4), a, {.limit = px("99.7")});
}

TEST_F(ReplaceTest, AuctionsWindowsHoldForReplacementsToo) {
  const OrderKey a = resting();
  EXPECT_EQ(not_replaced(ny(10, 1), a, {.tif = TimeInForce::kOpg}),
            "opg orders must be submitted after 7:00pm and before 9:28am ET");
  const OrderKey c = enter(ny(10, 2), order("c", Side::kBuy, "10", "99", TimeInForce::kCls));
  EXPECT_EQ(not_replaced(ny(15, 50), c, {.limit = px("98")}),
            "cls orders must be submitted after 7:00pm and before 3:50pm ET");
}

class CarriedTest : public ReplaceTest {
 protected:
  CarriedTest() : ReplaceTest(with_variants({"replace-filled=carried"})) {}
};

TEST_F(CarriedTest, SuccessorGoesOnFromTheFilledQuantity) {
  const OrderKey a = resting();
  trade(ny(10, 1), "99.4", "30");
  const OrderKey b = replaced(ny(10, 2), a, named({.qty = qty("80"), .limit = px("99.3")}));
  venue().run_until(ny(10, 2, 1));
  EXPECT_EQ(filled(b), "30");
  trade(ny(10, 3), "99.2", "500");
  EXPECT_EQ(filled(b), "80");
  EXPECT_EQ(to_string(*at_key(b).average_price()), "99.375") << "30 at 99.5, 50 at 99.3";
  EXPECT_EQ(position(), "80");
}

TEST_F(ReplaceTest, OldThatFillsFirstEndsTheReplacement) {
  const OrderKey a = resting();
  const OrderKey b = replaced(ny(10, 1), a, named({.limit = px("99.6")}));
  venue().trade(ny(10, 1), kAbc, print("99.4", "500", std::nullopt));
  venue().run_until(ny(10, 2));
  EXPECT_EQ(status(a), OrderStatus::kFilled);
  EXPECT_EQ(status(b), OrderStatus::kRejected);
  EXPECT_NE(at_key(b).failed_at.ns, 0);
  EXPECT_EQ(story("a"), "pending_new new pending_replace fill order_replace_rejected");
  EXPECT_EQ(story("b"), "pending_new rejected");
  EXPECT_EQ(venue().ledger().held_cash().raw, 0);
  EXPECT_EQ(venue().open_orders(), 0U);
}

TEST_F(ReplaceTest, OldThatFillsPastTheNewTotalLivesOn) {
  const OrderKey a = resting();
  const OrderKey b = replaced(ny(10, 1), a, named({.qty = qty("40")}));
  venue().trade(ny(10, 1), kAbc, print("99.4", "60", std::nullopt));
  venue().run_until(ny(10, 2));
  EXPECT_EQ(status(b), OrderStatus::kRejected);
  EXPECT_EQ(status(a), OrderStatus::kPartiallyFilled);
  trade(ny(10, 3), "99.4", "500");
  EXPECT_EQ(status(a), OrderStatus::kFilled);
}

TEST_F(ReplaceTest, ChainHoldsTheLargerOfBothWhileItIsPending) {
  const OrderKey a = resting();
  EXPECT_EQ(to_string(venue().ledger().held_cash()), "9950");
  replaced(ny(10, 1), a, named({.qty = qty("200")}));
  EXPECT_EQ(to_string(venue().ledger().held_cash()), "19900");
  venue().trade(ny(10, 1), kAbc, print("99.4", "10", std::nullopt));
  EXPECT_EQ(to_string(venue().ledger().held_cash()), "18905") << "190 left of the larger one";
  venue().run_until(ny(10, 2));
  EXPECT_EQ(to_string(venue().ledger().held_cash()), "18905");
  const OrderKey c = enter(ny(10, 3), order("c", Side::kBuy, "100", "99"));
  replaced(ny(10, 4), c, named({.qty = qty("50")}, "d"));
  EXPECT_EQ(to_string(venue().ledger().held_cash()), "28805") << "the old one still holds 9900";
  venue().run_until(ny(10, 5));
  EXPECT_EQ(to_string(venue().ledger().held_cash()), "23855");
  EXPECT_EQ(not_replaced(ny(10, 6), c + 1, {.qty = qty("100000")}, 403, kCodeForbidden),
            "insufficient buying power");
}

TEST_F(ReplaceTest, OnlyALowerQuantityKeepsThePlaceInTheQueue) {
  const OrderKey a = enter(ny(10, 0), order("a", Side::kBuy, "100", "99.99"));
  trade(ny(10, 1), "99.99", "200");
  EXPECT_EQ(to_string(*venue().matcher().queue_ahead(kAbc, a)), "300");
  const OrderKey b = replaced(ny(10, 2), a, named({.qty = qty("50")}));
  venue().run_until(ny(10, 2, 1));
  EXPECT_EQ(to_string(*venue().matcher().queue_ahead(kAbc, b)), "300");
  const OrderKey c = replaced(ny(10, 3), b, named({.qty = qty("60")}, "c"));
  venue().run_until(ny(10, 3, 1));
  EXPECT_EQ(to_string(*venue().matcher().queue_ahead(kAbc, c)), "500") << "behind everybody";
}

TEST_F(ReplaceTest, CancelDuringTheReplacementRacesWithIt) {
  const OrderKey a = resting();
  const OrderKey b = replaced(ny(10, 1), a, named({.limit = px("99.6")}));
  EXPECT_FALSE(venue().cancel(WallNanos{ny(10, 1).ns + kNanosPerMilli}, a));
  venue().run_until(ny(10, 2));
  EXPECT_EQ(story("a"),
            "pending_new new pending_replace pending_cancel replaced order_cancel_rejected");
  EXPECT_EQ(status(b), OrderStatus::kNew) << "the cancel was for the old one";
}

class LateReplacedTest : public ReplaceTest {
 protected:
  LateReplacedTest()
      : ReplaceTest(with_variants(
            {"replaced-event=after", "pending-replace-event=off", "cancel-in-replace=refused"})) {}
};

TEST_F(LateReplacedTest, OrderOfTheEventsIsAVariant) {
  const OrderKey a = resting();
  replaced(ny(10, 1), a, named({.limit = px("99.6")}));
  ASSERT_TRUE(venue().cancel(ny(10, 1), a));
  venue().run_until(ny(10, 2));
  ASSERT_GE(t_.told.size(), 2U);
  EXPECT_EQ(t_.told[t_.told.size() - 2].event, "new");
  EXPECT_EQ(t_.told.back().event, "replaced");
  EXPECT_EQ(story("a"), "pending_new new replaced");
}

}  // namespace
}  // namespace sluice::sim::test
