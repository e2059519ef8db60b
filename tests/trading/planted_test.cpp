// The planted bugs of our side (gateway_core.hpp names them), at the size of one order: each
// falsifies what it is named for, leaves everything else well-formed, and the gateway still comes
// to rest, so that it is for the judges to notice. Compiled against sources with the bugs compiled
// in.
//
// Method: which bug is on is read once per process, so each case runs in a child (a death test).
#include <cstdlib>
#include <string>

#include "tests/trading/gateway_fixture.hpp"

namespace sluice::testing {
namespace {

// Buys 1 in two executions, sells 0.5 in one; fees come final. Prints what the books say and exits.
void trade_with_bug(const char* bug) {
  if (bug != nullptr) {
    setenv("SLUICE_PLANTED_BUG", bug, 1);
  }
  Gateway g;
  const std::uint32_t bought = g.work(Side::kBuy, "1");
  g.fill(bought, 1, "60000", "0.4", "0.4");
  TradeUpdate last = g.fill_update(bought, 2, "60000", "0.6", "1");
  last.has_position = true;
  last.position = dec("0.9975");
  g.venue(last);
  g.fee(1, true, "0.001");
  g.fee(2, true, "0.0015");
  const std::uint32_t sold = g.work(Side::kSell, "0.5");
  g.fill(sold, 3, "60000", "0.5", "0.5");
  g.fee(3, false, "75");
  const std::string books = "position " + decimal_string(g.account_position().position) + " cash " +
                            to_string(g.core.account().cash) + " base fees " +
                            decimal_string(g.account_position().fee_base) + " fills " +
                            std::to_string(g.out.count(ExecutionKind::kFill)) +
                            (g.core.quiescent() ? " quiescent" : " open") +
                            (g.account_position().halted == 0 ? " going on" : " halted") + ".";
  std::fprintf(stderr, "%s", books.c_str());
  std::exit(0);
}

void expect_books(const char* bug, const char* books) {
  EXPECT_EXIT(trade_with_bug(bug), ::testing::ExitedWithCode(0), books);
}

TEST(PlantedDeathTest, NoneIsTheTruth) {
  expect_books(nullptr, "position 0.4975 cash 969925 base fees 0.0025 fills 3 quiescent going on");
}
TEST(PlantedDeathTest, FiveGivesTheCashOfASaleTheWrongSign) {
  expect_books("5", "position 0.4975 cash 909925 base fees 0.0025 fills 3 quiescent going on");
}
TEST(PlantedDeathTest, SixIgnoresFeesOfBuys) {
  expect_books("6", "position 0.5 cash 969925 base fees 0 fills 3 quiescent going on");
}
TEST(PlantedDeathTest, SevenTakesACumulativeQuantityAsThatOfTheExecution) {
  expect_books("7", "position 0.8975 cash 945925 base fees 0.0025 fills 3 quiescent going on");
}
TEST(PlantedDeathTest, EightDropsAPartialFill) {
  expect_books("8", "position 0.0985 cash 993925 base fees 0.0015 fills 2 quiescent going on");
}

}  // namespace
}  // namespace sluice::testing
