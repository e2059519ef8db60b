#include "common/trading/positions.hpp"

#include "common/trading/checked.hpp"

#include <random>

#include "tests/trading/gateway_fixture.hpp"

namespace sluice::testing {
namespace {

FillBooking fill(Side side, std::string_view price, std::string_view quantity, std::string_view fee,
                 std::uint16_t strategy = 0) {
  return {.instrument = 0,
          .strategy = strategy,
          .side = side,
          .px = px(price),
          .qty = qty(quantity),
          .fee = dec(fee)};
}

TEST(PositionBook, BuyTakesItsFeeFromTheAssetAndSaleFromTheCash) {
  PositionBook book(1, 1);
  ASSERT_EQ(book.book(fill(Side::kBuy, "60000", "1", "0.0025")), BookStatus::kOk);
  EXPECT_EQ(book.of(0, 0).position, dec("0.9975"));
  EXPECT_EQ(book.of(0, 0).cash_flow, dec("-60000"));
  EXPECT_EQ(book.of(0, 0).cost, dec("60000"));
  ASSERT_EQ(book.book(fill(Side::kSell, "62000", "0.9975", "154.6125")), BookStatus::kOk);
  EXPECT_EQ(book.of(0, 0).position, 0);
  EXPECT_EQ(book.of(0, 0).cost, 0);
  EXPECT_EQ(book.of(0, 0).cash_flow, dec("1690.3875"));  // 61,845 - 154.6125 - 60,000
  EXPECT_EQ(book.of(0, 0).realised, dec("1690.3875"));
  EXPECT_EQ(book.cash_flow(), dec("1690.3875"));
}

TEST(PositionBook, PartOfALongTakesItsShareOfTheCost) {
  PositionBook book(1, 1);
  static_cast<void>(book.book(fill(Side::kBuy, "100", "4", "0")));
  static_cast<void>(book.book(fill(Side::kSell, "110", "1", "0")));
  EXPECT_EQ(book.of(0, 0).cost, dec("300"));
  EXPECT_EQ(book.of(0, 0).realised, dec("10"));
}

TEST(PositionBook, ThroughZeroTheRestStartsAnew) {
  PositionBook book(1, 1);
  static_cast<void>(book.book(fill(Side::kBuy, "100", "1", "0")));
  static_cast<void>(book.book(fill(Side::kSell, "120", "3", "0")));
  EXPECT_EQ(book.of(0, 0).position, dec("-2"));
  EXPECT_EQ(book.of(0, 0).cost, dec("-240"));  // two sold short at 120
  EXPECT_EQ(book.of(0, 0).realised, dec("20"));
  static_cast<void>(book.book(fill(Side::kBuy, "110", "2", "0")));
  EXPECT_EQ(book.of(0, 0).cost, 0);
  EXPECT_EQ(book.of(0, 0).realised, dec("40"));
}

TEST(PositionBook, FinalFeeReplacesTheEstimate) {
  PositionBook book(1, 1);
  static_cast<void>(book.book(fill(Side::kBuy, "60000", "1", "0.0025")));
  ASSERT_EQ(
      book.adjust_fee({.instrument = 0, .strategy = 0, .side = Side::kBuy, .delta = dec("-0.001")}),
      BookStatus::kOk);
  EXPECT_EQ(book.of(0, 0).position, dec("0.9985"));
  EXPECT_EQ(book.of(0, 0).fee_base, dec("0.0015"));
  ASSERT_EQ(
      book.adjust_fee({.instrument = 0, .strategy = 0, .side = Side::kSell, .delta = dec("-3")}),
      BookStatus::kOk);
  EXPECT_EQ(book.of(0, 0).cash_flow, dec("-59997"));
  EXPECT_EQ(book.cash_flow(), dec("-59997"));
}

TEST(PositionBook, AccountIsTheSumOfStrategiesAndExternal) {
  PositionBook book(2, 1);
  static_cast<void>(book.book(fill(Side::kBuy, "100", "5", "0.1", 0)));
  static_cast<void>(book.book(fill(Side::kBuy, "100", "7", "0.1", 1)));
  static_cast<void>(book.book(fill(Side::kSell, "100", "2", "1", kExternalStrategy)));
  EXPECT_EQ(book.account(0).position, dec("9.8"));
  EXPECT_EQ(book.of(0, 0).position, dec("4.9"));
  EXPECT_EQ(book.of(1, 0).position, dec("6.9"));
  EXPECT_EQ(book.of(kExternalStrategy, 0).position, dec("-2"));
  EXPECT_EQ(book.index(kExternalStrategy, 0), 3U);
}

TEST(PositionBook, AnOverflowQuarantinesTheInstrumentAndBooksNothing) {
  PositionBook book(1, 2);
  const FillBooking huge{.instrument = 0,
                         .strategy = 0,
                         .side = Side::kBuy,
                         .px = Price{INT64_MAX},
                         .qty = qty("2"),
                         .fee = 0};
  EXPECT_EQ(book.book(huge), BookStatus::kOverflow);
  EXPECT_EQ(book.account(0).position, 0);
  EXPECT_EQ(book.account(0).flags, kPositionOverflow);
  EXPECT_EQ(book.account(0).halted, 1U);
  EXPECT_EQ(book.account(1).halted, 0U);  // the others go on
}

TEST(PositionBook, FlagsAreSetAndClearedOneByOne) {
  PositionBook book(1, 1);
  book.set_flag(0, kPositionDisagrees);
  book.set_flag(0, kPositionUnplaced);
  book.clear_flag(0, kPositionDisagrees);
  EXPECT_EQ(book.account(0).halted, 1U);
  book.clear_flag(0, kPositionUnplaced);
  EXPECT_EQ(book.account(0).halted, 0U);
}

// Random bookings against sums kept in the plainest way.
TEST(PositionBook, AgreesWithNaiveSumsOnRandomSequences) {
  const std::uint64_t seed = 0x5175'1ceULL;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  PositionBook book(2, 2);
  std::array<std::array<Wide, 3>, 2> position{};
  std::array<std::array<Wide, 3>, 2> flow{};
  for (int step = 0; step < 20'000; ++step) {
    const auto instrument = static_cast<std::uint32_t>(random() % 2);
    const auto who = static_cast<std::uint32_t>(random() % 3);
    const std::uint16_t strategy = who == 2 ? kExternalStrategy : static_cast<std::uint16_t>(who);
    const Side side = random() % 2 == 0 ? Side::kBuy : Side::kSell;
    if (random() % 4 == 0) {
      const auto delta = static_cast<std::int64_t>(random() % 2'000'000) - 1'000'000;
      ASSERT_EQ(book.adjust_fee(
                    {.instrument = instrument, .strategy = strategy, .side = side, .delta = delta}),
                BookStatus::kOk);
      (side == Side::kBuy ? position : flow)[instrument][who] -= delta;
    } else {
      const Price price{static_cast<std::int64_t>(random() % 70'000'000'000'000) + 1};
      const Qty quantity{static_cast<std::int64_t>(random() % 2'000'000'000) + 1};
      const auto fee = static_cast<std::int64_t>(random() % 5'000'000);
      Cash value;
      ASSERT_TRUE(notional(price, quantity, value));
      ASSERT_EQ(book.book({.instrument = instrument,
                           .strategy = strategy,
                           .side = side,
                           .px = price,
                           .qty = quantity,
                           .fee = fee}),
                BookStatus::kOk);
      if (side == Side::kBuy) {
        position[instrument][who] += quantity.raw - fee;
        flow[instrument][who] -= value.raw;
      } else {
        position[instrument][who] -= quantity.raw;
        flow[instrument][who] += value.raw - fee;
      }
    }
  }
  Wide cash = 0;
  for (std::uint32_t i = 0; i < 2; ++i) {
    Wide account = 0;
    for (std::uint32_t who = 0; who < 3; ++who) {
      const PositionRow& row =
          book.of(who == 2 ? kExternalStrategy : static_cast<std::uint16_t>(who), i);
      EXPECT_EQ(row.position, static_cast<std::int64_t>(position[i][who]));
      EXPECT_EQ(row.cash_flow, static_cast<std::int64_t>(flow[i][who]));
      EXPECT_EQ(row.realised, row.cash_flow + row.cost);
      account += position[i][who];
      cash += flow[i][who];
    }
    EXPECT_EQ(book.account(i).position, static_cast<std::int64_t>(account));
  }
  EXPECT_EQ(book.cash_flow(), static_cast<std::int64_t>(cash));
}

}  // namespace
}  // namespace sluice::testing
