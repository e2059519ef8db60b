#include "tools/venue_sim/faults.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/venue_sim/sim_fixtures.hpp"

namespace sluice::sim {
namespace {

using testing::HasSubstr;

constexpr WallNanos kStart{1'000'000'000'000};
constexpr WallNanos after_s(std::int64_t s) {
  return WallNanos{kStart.ns + s * kNanosPerSecond};
}

Faults script(std::string_view text, std::uint64_t seed = 1, WallNanos at = kStart) {
  Faults faults(seed);
  const auto wrong = faults.set(text, at);
  EXPECT_FALSE(wrong.has_value()) << *wrong;
  return faults;
}

std::string struck(Faults& faults, FaultSite site, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) {
    out += faults.strike(site, kStart) ? 'x' : '.';
  }
  return out;
}

TEST(Faults, NothingIsWrongWithoutAScript) {
  Faults faults = script("off");
  EXPECT_EQ(struck(faults, FaultSite::kPost, 3), "...");
  EXPECT_FALSE(faults.concerns(FaultSite::kPost));
}

TEST(Faults, EveryAfterAndFirstSayWhich) {
  Faults faults = script("post drop every=3");
  EXPECT_EQ(struck(faults, FaultSite::kPost, 7), "..x..x.");
  faults = script("post drop every=2 after=3 first=2");
  EXPECT_EQ(struck(faults, FaultSite::kPost, 10), "....x.x...");
  EXPECT_EQ(struck(faults, FaultSite::kPatch, 3), "...") << "another kind of request";
}

TEST(Faults, FromAndUntilCountFromTheScript) {
  Faults faults = script("market mute from=10 until=14");
  EXPECT_FALSE(faults.strike(FaultSite::kMarket, after_s(9)));
  EXPECT_TRUE(faults.strike(FaultSite::kMarket, after_s(10)));
  EXPECT_TRUE(faults.strike(FaultSite::kMarket, after_s(13)));
  EXPECT_FALSE(faults.strike(FaultSite::kMarket, after_s(14)));
}

TEST(Faults, ChanceFollowsTheSeedAndNothingElse) {
  Faults one = script("trading drop chance=300", 7);
  Faults again = script("trading drop chance=300", 7);
  Faults other = script("trading drop chance=300", 8);
  const std::string pattern = struck(one, FaultSite::kTrading, 200);
  EXPECT_EQ(pattern, struck(again, FaultSite::kTrading, 200));
  EXPECT_NE(pattern, struck(other, FaultSite::kTrading, 200));
  const auto hits = std::count(pattern.begin(), pattern.end(), 'x');
  EXPECT_GT(hits, 30);
  EXPECT_LT(hits, 90);
}

TEST(Faults, FirstRuleThatStrikesWinsAndAllCount) {
  Faults faults = script("post error status=503 every=2\nrest delay ms=50 # all\n;");
  ASSERT_EQ(faults.rules().size(), 2U);
  EXPECT_EQ(faults.strike(FaultSite::kPost, kStart)->kind, FaultKind::kDelay);
  const auto second = faults.strike(FaultSite::kPost, kStart);
  EXPECT_EQ(second->kind, FaultKind::kError);
  EXPECT_EQ(second->number, 503U);
  EXPECT_EQ(faults.rules()[1].seen, 2U);
  EXPECT_EQ(faults.rules()[1].struck, 1U);
  EXPECT_EQ(faults.strike(FaultSite::kOrders, kStart)->ms, 50);
}

TEST(Faults, MistakesNameTheRuleAndWhatIsAllowed) {
  struct Case {
    const char* text;
    const char* says;
  };
  const Case cases[] = {
      {"rain", "no place for a fault; there are post, patch"},
      {"post", "no fault; there are delay"},
      {"post rain", "\"rain\" is no fault"},
      {"post mute", "mute means nothing at post"},
      {"trading stale", "stale means nothing at trading"},
      {"post delay", "delay needs ms="},
      {"post delay ms", "is not key=value"},
      {"post delay ms=0", "ms=0: a whole number from 1"},
      {"post delay ms=1x", "ms=1x"},
      {"post delay ms=99999999999999999999", "whole number"},
      {"post delay ms=5 retry-after=3", "no key of this fault"},
      {"post error status=200", "from 400 to 599"},
      {"post drop every=0", "every=0"},
      {"post drop chance=1001", "from 1 to 1000"},
      {"fills split pieces=1", "from 2 to 100"},
  };
  for (const Case& c : cases) {
    Faults faults = script("post drop");
    const auto wrong = faults.set(c.text, kStart);
    ASSERT_TRUE(wrong.has_value()) << c.text;
    EXPECT_THAT(*wrong, HasSubstr(c.says)) << c.text;
    EXPECT_TRUE(faults.strike(FaultSite::kPost, kStart)) << "the old script stays in force";
  }
}

TEST(Faults, ScriptsAreBounded) {
  std::string text;
  for (int i = 0; i < 65; ++i) {
    text += "post drop;";
  }
  Faults faults;
  EXPECT_THAT(faults.set(text, kStart).value_or(""), HasSubstr("at most 64"));
}

TEST(VenueFaults, SplitFillsComeAsABurstOfExecutionsThatAddUp) {
  Faults faults = script("fills split pieces=4", 1, test::at_ms(0));
  test::TestVenue t;
  t.venue.set_faults(faults);
  t.venue.quote(test::at_ms(0), test::kBtc, test::book("60000", "2", "60010", "1"));
  const OrderKey key = t.accept(10, test::limit_order("a", Side::kBuy, "0.5", "60010"));
  t.venue.run_until(test::at_ms(14));
  EXPECT_THAT(t.events(), testing::ElementsAre("pending_new", "new", "partial_fill", "partial_fill",
                                               "partial_fill", "fill"));
  EXPECT_EQ(t.venue.executions().size(), 4U);
  EXPECT_EQ(t.venue.orders()[key].filled, test::qty("0.5"));
  // A fill of one lot cannot be split.
  t.accept(20, test::limit_order("b", Side::kSell, "0.00017", "60000"));
  t.venue.run_until(test::at_ms(24));
  Qty sum{};
  for (std::size_t i = 4; i < t.venue.executions().size(); ++i) {
    const Qty part = t.venue.executions()[i].qty;
    EXPECT_EQ(part.raw % test::qty("0.00001").raw, 0) << "in lots";
    sum.raw += part.raw;
  }
  EXPECT_EQ(sum, test::qty("0.00017"));
}

TEST(VenueFaults, AcceptedOrderIsRejectedWhenItReachesTheMarket) {
  Faults faults = script("arrivals reject every=2", 1, test::at_ms(0));
  test::TestVenue t;
  t.venue.set_faults(faults);
  t.venue.quote(test::at_ms(0), test::kBtc, test::book("60000", "2", "60010", "1"));
  t.accept(10, test::limit_order("a", Side::kBuy, "1", "60005"));
  t.venue.run_until(test::at_ms(14));
  const OrderKey key = t.accept(20, test::limit_order("b", Side::kBuy, "0.1", "60005"));
  t.venue.run_until(test::at_ms(30));
  EXPECT_THAT(t.events(), testing::ElementsAre("pending_new", "new", "pending_new", "rejected"));
  EXPECT_EQ(t.venue.orders()[key].status, OrderStatus::kRejected);
  EXPECT_EQ(t.venue.open_orders(), 1U);
}

TEST(VenueFaults, LateCancelIsOvertakenByFills) {
  Faults faults = script("cancels late ms=50 first=1", 1, test::at_ms(0));
  test::TestVenue t;
  t.venue.set_faults(faults);
  t.venue.quote(test::at_ms(0), test::kBtc, test::book("60000", "2", "60010", "1"));
  const OrderKey key = t.accept(10, test::limit_order("a", Side::kBuy, "1", "60005"));
  t.venue.run_until(test::at_ms(20));
  EXPECT_FALSE(t.venue.cancel(test::at_ms(20), key));
  t.venue.trade(test::at_ms(60), test::kBtc, test::print("60004", "0.4", Side::kSell));
  t.venue.run_until(test::at_ms(73));
  EXPECT_EQ(t.events().back(), "partial_fill") << "4 ms of its own and 50 more are not over";
  t.venue.run_until(test::at_ms(74));
  EXPECT_EQ(t.events().back(), "canceled");
}

}  // namespace
}  // namespace sluice::sim
