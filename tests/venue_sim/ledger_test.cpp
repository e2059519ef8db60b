#include "tools/venue_sim/ledger.hpp"

#include <gtest/gtest.h>

#include "common/base/error.hpp"
#include "tests/venue_sim/sim_fixtures.hpp"

namespace sluice::sim::test {
namespace {

TEST(Ledger, BuyPaysTheNotionalAndLosesTheFeeFromWhatItReceives) {
  Ledger ledger(cash("100000"), 2, {});
  const FillBooking booking = ledger.book(kBtc, Side::kBuy, px("60000"), qty("0.5"), false);
  EXPECT_EQ(to_string(booking.notional), "30000");
  EXPECT_TRUE(booking.fee_in_base);
  EXPECT_EQ(booking.fee, dec("0.00125")) << "25 bps of 0.5";
  EXPECT_EQ(to_string(ledger.cash()), "70000");
  EXPECT_EQ(to_string(ledger.position(kBtc).qty), "0.49875");
  EXPECT_EQ(booking.position_after, ledger.position(kBtc).qty);
  EXPECT_EQ(to_string(ledger.position(kBtc).fees), "0.00125");
  EXPECT_EQ(ledger.fees_in_cash().raw, 0);
}

TEST(Ledger, SellLosesTheFeeFromTheCashItReceives) {
  Ledger ledger(cash("100000"), 2, {});
  static_cast<void>(ledger.book(kBtc, Side::kBuy, px("60000"), qty("0.5"), false));
  const FillBooking booking = ledger.book(kBtc, Side::kSell, px("61000"), qty("0.4"), true);
  EXPECT_FALSE(booking.fee_in_base);
  EXPECT_EQ(booking.fee, dec("36.6")) << "15 bps of 24400: the order was resting";
  EXPECT_EQ(to_string(ledger.cash()), "94363.4");
  EXPECT_EQ(to_string(ledger.position(kBtc).qty), "0.09875");
  EXPECT_EQ(to_string(ledger.fees_in_cash()), "36.6");
}

TEST(Ledger, FeesRoundHalfToEvenAtOneBillionth) {
  Ledger ledger(cash("1000"), 1, {.taker_bps = 25, .maker_bps = 15});
  // 25 bps of 0.0000002 = 0.5e-9: half way between 0 and 1, and 0 is even.
  EXPECT_EQ(ledger.book(0, Side::kBuy, px("1"), qty("0.0000002"), false).fee, 0);
  // 25 bps of 0.0000006 = 1.5e-9: half way between 1 and 2, and 2 is even.
  EXPECT_EQ(ledger.book(0, Side::kBuy, px("1"), qty("0.0000006"), false).fee, 2);
  // 25 bps of 0.000001 = 2.5e-9: 2 again.
  EXPECT_EQ(ledger.book(0, Side::kBuy, px("1"), qty("0.000001"), false).fee, 2);
}

TEST(Ledger, NotionalRoundsHalfToEvenAtOneBillionth) {
  Ledger ledger(cash("1000"), 1, {.taker_bps = 0, .maker_bps = 0});
  // 0.5 × 0.000000001 and 0.5 × 0.000000003
  EXPECT_EQ(ledger.book(0, Side::kBuy, px("0.5"), qty("0.000000001"), false).notional.raw, 0);
  EXPECT_EQ(ledger.book(0, Side::kBuy, px("0.5"), qty("0.000000003"), false).notional.raw, 2);
}

TEST(Ledger, HoldsLowerWhatMayBeUsedAndNothingElse) {
  Ledger ledger(cash("1000"), 1, {.taker_bps = 0, .maker_bps = 0});
  ledger.change_hold(cash("0"), cash("400"));
  EXPECT_EQ(to_string(ledger.buying_power()), "600");
  EXPECT_EQ(to_string(ledger.cash()), "1000");
  static_cast<void>(ledger.book(0, Side::kBuy, px("10"), qty("5"), false));
  ledger.change_hold(0, qty("0"), qty("2"));
  EXPECT_EQ(to_string(ledger.available(0)), "3");
  EXPECT_EQ(to_string(ledger.position(0).qty), "5");
  ledger.change_hold(cash("400"), cash("0"));
  EXPECT_EQ(to_string(ledger.buying_power()), "950");
}

TEST(Ledger, CostFollowsTheAveragePriceAndEndsWithThePosition) {
  Ledger ledger(cash("1000"), 1, {.taker_bps = 0, .maker_bps = 0});
  static_cast<void>(ledger.book(0, Side::kBuy, px("10"), qty("4"), false));
  static_cast<void>(ledger.book(0, Side::kBuy, px("20"), qty("4"), false));
  static_cast<void>(ledger.book(0, Side::kSell, px("99"), qty("2"), false));
  EXPECT_EQ(to_string(ledger.position(0).cost), "90");
  static_cast<void>(ledger.book(0, Side::kSell, px("99"), qty("6"), false));
  EXPECT_EQ(ledger.position(0).cost.raw, 0);
}

TEST(Ledger, AmountOutOfRangeIsAnErrorAndNeverWraps) {
  Ledger ledger(cash("9000000000"), 1, {.taker_bps = 0, .maker_bps = 0});
  static_cast<void>(ledger.book(0, Side::kBuy, px("1"), qty("9000000"), false));
  EXPECT_THROW(static_cast<void>(ledger.book(0, Side::kSell, px("9000"), qty("9000000"), false)),
               Error);
}

}  // namespace
}  // namespace sluice::sim::test
