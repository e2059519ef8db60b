// The instrument table: what a config row becomes, what is refused, and that an index never
// changes.
#include "common/market/instrument.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "common/base/error.hpp"

namespace sluice {
namespace {

using ::testing::HasSubstr;

InstrumentSpec btc() {
  InstrumentSpec spec;
  spec.symbol = "BTC/USD";
  spec.tick = Price{10'000'000};
  spec.lot = Qty{10'000};
  spec.min_qty = Qty{100'000};
  spec.min_notional = Cash{10 * kScale};
  return spec;
}

InstrumentSpec named(const std::string& symbol) {
  InstrumentSpec spec = btc();
  spec.symbol = symbol;
  spec.quote = symbol.find('/') == std::string::npos ? "USD" : "";
  return spec;
}

std::string error_of(const std::function<void(InstrumentSpec&)>& change) {
  InstrumentSpec spec = btc();
  change(spec);
  InstrumentTable table(4);
  try {
    table.append(spec);
  } catch (const Error& e) {
    EXPECT_EQ(ExitCode::kConfig, e.code());
    EXPECT_EQ(0U, table.size());
    return e.what();
  }
  return "was accepted";
}

TEST(InstrumentTable, DerivesPositionSymbolAndAssetsFromThePair) {
  const InstrumentTable table({btc()});
  const Instrument& i = table[0];
  EXPECT_EQ("BTC/USD", i.symbol());
  EXPECT_EQ("BTCUSD", i.position_symbol());
  EXPECT_EQ("BTC", table.asset(i.base_asset));
  EXPECT_EQ("USD", table.asset(i.quote_asset));
  EXPECT_TRUE(i.has(kInstrumentFractional));
  EXPECT_TRUE(i.has(kInstrumentTradable));
  EXPECT_FALSE(i.has(kInstrumentShortable));
}

TEST(InstrumentTable, ShareNeedsAQuoteAndIsItsOwnBase) {
  InstrumentSpec aapl = named("AAPL");
  aapl.fractional = false;
  aapl.shortable = true;
  const InstrumentTable table({aapl});
  EXPECT_EQ("AAPL", table[0].position_symbol());
  EXPECT_EQ("AAPL", table.asset(table[0].base_asset));
  EXPECT_TRUE(table[0].has(kInstrumentShortable));
  EXPECT_THAT(error_of([](InstrumentSpec& s) { s.symbol = "AAPL"; }), HasSubstr("quote \"\""));
}

TEST(InstrumentTable, AssetsAreSharedBetweenInstruments) {
  const InstrumentTable table({btc(), named("ETH/USD"), named("ETH/BTC")});
  EXPECT_EQ(3, table.assets());
  EXPECT_EQ(table[0].quote_asset, table[1].quote_asset);
  EXPECT_EQ(table[0].base_asset, table[2].quote_asset);
}

TEST(InstrumentTable, FindsBySymbolAndByPositionSymbolOnly) {
  const InstrumentTable table({btc(), named("ETH/USD")});
  ASSERT_NE(nullptr, table.find("ETH/USD"));
  EXPECT_EQ(1U, table.find("ETH/USD")->index);
  EXPECT_EQ(1U, table.find_by_position_symbol("ETHUSD")->index);
  EXPECT_EQ(nullptr, table.find("ETHUSD"));
  EXPECT_EQ(nullptr, table.find_by_position_symbol("ETH/USD"));
  EXPECT_EQ(nullptr, table.find("eth/usd"));
  EXPECT_EQ(nullptr, table.find(""));
  EXPECT_EQ(nullptr, table.find(std::string(5'000, 'x')));
}

TEST(InstrumentTable, AppendingNeverMovesOrRenumbers) {
  InstrumentTable table(300);
  const Instrument* const first = &table.append(btc());
  for (int i = 1; i < 300; ++i) {
    table.append(named("S" + std::to_string(i)));
  }
  EXPECT_EQ(first, &table[0]);
  for (std::uint32_t i = 1; i < 300; ++i) {
    const Instrument* const found = table.find("S" + std::to_string(i));
    ASSERT_NE(nullptr, found);
    EXPECT_EQ(i, found->index);
    EXPECT_EQ(found, &table[i]);
  }
  try {
    table.append(named("ONE"));
    FAIL() << "was accepted";
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("full with 300"));
  }
}

TEST(InstrumentTable, RefusesASymbolTwice) {
  InstrumentTable table({btc()});
  EXPECT_THROW(table.append(btc()), Error);
  EXPECT_THROW(table.append(named("BTCUSD")), Error) << "its position symbol is taken";
  EXPECT_EQ(1U, table.size());
}

TEST(InstrumentTable, RefusesRowsThatMakeNoSense) {
  EXPECT_THAT(error_of([](auto& s) { s.symbol = ""; }), HasSubstr("symbol \"\""));
  EXPECT_THAT(error_of([](auto& s) { s.symbol = "A B"; }), HasSubstr("without blanks"));
  EXPECT_THAT(error_of([](auto& s) {
                s.symbol = std::string(24, 'A');
                s.quote = "USD";
              }),
              HasSubstr("1 to 23"));
  EXPECT_THAT(error_of([](auto& s) { s.tick = Price{}; }), HasSubstr("tick 0"));
  EXPECT_THAT(error_of([](auto& s) { s.lot = Qty{-1}; }), HasSubstr("lot -0.000000001"));
  EXPECT_THAT(error_of([](auto& s) { s.min_qty = Qty{15'000}; }), HasSubstr("minimum quantity"));
  EXPECT_THAT(error_of([](auto& s) { s.max_qty = Qty{50'000}; }), HasSubstr("maximum quantity"));
  EXPECT_THAT(error_of([](auto& s) { s.min_notional = Cash{-1}; }), HasSubstr("minimum notional"));
  EXPECT_THAT(error_of([](auto& s) { s.multiplier = 0; }), HasSubstr("multiplier 0"));
}

TEST(InstrumentTable, RefusesAnAbsurdCapacity) {
  EXPECT_THROW(InstrumentTable(0), Error);
  EXPECT_THROW(InstrumentTable(InstrumentTable::kCapacityMax + 1), Error);
}

TEST(Instrument, TickAndLotRefuseZeroNegativeAndBetween) {
  const InstrumentTable table({btc()});
  const Instrument& i = table[0];
  EXPECT_TRUE(is_on_tick(i, Price{10'000'000}));
  EXPECT_FALSE(is_on_tick(i, Price{10'000'001}));
  EXPECT_FALSE(is_on_tick(i, Price{0}));
  EXPECT_FALSE(is_on_tick(i, Price{-10'000'000}));
  EXPECT_TRUE(is_on_lot(i, Qty{10'000}));
  EXPECT_FALSE(is_on_lot(i, Qty{9'999}));
  EXPECT_FALSE(is_on_lot(i, Qty{0}));
  EXPECT_FALSE(is_on_lot(i, Qty{-10'000}));
}

TEST(Instrument, OrderableIsOnLotWithinMinimumAndMaximum) {
  InstrumentSpec spec = btc();
  spec.max_qty = Qty{300'000};
  const InstrumentTable table({spec});
  EXPECT_FALSE(is_orderable(table[0], Qty{90'000}));
  EXPECT_TRUE(is_orderable(table[0], Qty{100'000}));
  EXPECT_TRUE(is_orderable(table[0], Qty{300'000}));
  EXPECT_FALSE(is_orderable(table[0], Qty{310'000}));
  EXPECT_FALSE(is_orderable(table[0], Qty{105'000}));
}

TEST(Instrument, WithoutAMaximumTheLargestLotIsOrderable) {
  const InstrumentTable table({btc()});
  EXPECT_TRUE(is_orderable(table[0], table[0].max_qty));
  EXPECT_GT(table[0].max_qty.raw, std::numeric_limits<std::int64_t>::max() - 10'000);
}

TEST(Instrument, FloorsAndCeilsToItsSteps) {
  const InstrumentTable table({btc()});
  const Instrument& i = table[0];
  EXPECT_EQ(Qty{120'000}, floor_to_lot(i, Qty{129'999}));
  EXPECT_EQ(Qty{0}, floor_to_lot(i, Qty{9'999}));
  EXPECT_EQ(Qty{0}, floor_to_lot(i, Qty{-129'999}));
  EXPECT_EQ(Price{10'000'000}, floor_to_tick(i, Price{19'999'999}));
  EXPECT_EQ(Price{20'000'000}, ceil_to_tick(i, Price{10'000'001}));
  EXPECT_EQ(Price{10'000'000}, ceil_to_tick(i, Price{10'000'000}));
  EXPECT_EQ(Price{0}, ceil_to_tick(i, Price{std::numeric_limits<std::int64_t>::max()}));
}

}  // namespace
}  // namespace sluice
