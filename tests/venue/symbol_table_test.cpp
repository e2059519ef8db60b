#include "common/venue/symbol_table.hpp"

#include <gtest/gtest.h>

#include <string>

#include "common/base/error.hpp"
#include "common/market/instrument.hpp"

namespace sluice::venue {
namespace {

TEST(SymbolTable, EmptyTableKnowsNothing) {
  const SymbolTable table;
  EXPECT_EQ(table.find("BTC/USD"), kNoInstrument);
  EXPECT_EQ(table.find(""), kNoInstrument);
}

TEST(SymbolTable, FindsEachSymbolWholeAndCaseSensitively) {
  SymbolTable table;
  table.add("BTC/USD", 7);
  table.add("AVAX/USD", 8);
  EXPECT_EQ(table.find("BTC/USD"), 7u);
  EXPECT_EQ(table.find("AVAX/USD"), 8u);
  EXPECT_EQ(table.find("BTC/US"), kNoInstrument);
  EXPECT_EQ(table.find("BTC/USDT"), kNoInstrument);
  EXPECT_EQ(table.find("btc/usd"), kNoInstrument);
}

TEST(SymbolTable, TakesSymbolsUpTo24Characters) {
  SymbolTable table;
  const std::string longest(24, 'X');
  table.add(longest, 1);
  EXPECT_EQ(table.find(longest), 1u);
  EXPECT_EQ(table.find(longest + "X"), kNoInstrument);
  EXPECT_THROW(table.add(longest + "X", 2), Error);
}

TEST(SymbolTable, TrailingNulIsNotTheSameSymbol) {
  SymbolTable table;
  table.add("AAPL", 1);
  EXPECT_EQ(table.find(std::string_view("AAPL\0", 5)), kNoInstrument);
  EXPECT_EQ(table.find(std::string_view("\0", 1)), kNoInstrument);
}

TEST(SymbolTable, RefusesWhatJsonWouldHaveToEscape) {
  SymbolTable table;
  for (const char* bad : {"", "A\"B", "A\\B", "A B", "\xc3\xa9"}) {
    EXPECT_THROW(table.add(bad, 1), Error) << bad;
  }
}

TEST(SymbolTable, OneSymbolNeverNamesTwoInstruments) {
  SymbolTable table;
  table.add("AAPL", 1);
  table.add("AAPL", 1);
  EXPECT_EQ(table.size(), 1u);
  EXPECT_THROW(table.add("AAPL", 2), Error);
}

TEST(SymbolTable, GrowsPastItsFirstSize) {
  SymbolTable table(4);
  for (std::uint32_t i = 0; i < 5'000; ++i) {
    table.add("S" + std::to_string(i), i);
  }
  for (std::uint32_t i = 0; i < 5'000; ++i) {
    EXPECT_EQ(table.find("S" + std::to_string(i)), i);
  }
  EXPECT_EQ(table.find("S5000"), kNoInstrument);
}

TEST(SymbolTable, KnowsInstrumentsByOrderAndPositionSymbol) {
  InstrumentTable instruments;
  InstrumentSpec spec;
  spec.symbol = "BTC/USD";
  spec.tick = Price{10'000'000};
  spec.lot = Qty{1};
  spec.min_qty = Qty{1};
  instruments.append(spec);
  const SymbolTable table(instruments);
  EXPECT_EQ(table.find("BTC/USD"), 0u);
  EXPECT_EQ(table.find("BTCUSD"), 0u);
}

}  // namespace
}  // namespace sluice::venue
