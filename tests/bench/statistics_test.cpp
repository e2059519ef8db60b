// The pure part of suite `rings`, and the check of what arrived.

#include "bench/rings/statistics.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "bench/rings/link.hpp"

namespace sluice::bench {
namespace {

using Samples = std::vector<std::uint64_t>;

TEST(Summary, IsMedianAndRange) {
  const Summary odd = summarize({5, 1, 9});
  EXPECT_EQ(odd.median, 5);
  EXPECT_EQ(odd.min, 1);
  EXPECT_EQ(odd.max, 9);
  EXPECT_EQ(summarize({4, 1, 9, 6}).median, 5);
  EXPECT_EQ(summarize({7}).median, 7);
}

TEST(Percentile, WithoutATickIsTheSmallestWithThatShareAtOrBelow) {
  Samples samples;
  for (std::uint64_t i = 100; i > 0; --i)
    samples.push_back(i);
  EXPECT_EQ(percentile(samples, 0.5, 0), 50);
  EXPECT_EQ(percentile(samples, 0.99, 0), 99);
  EXPECT_EQ(percentile(samples, 0.991, 0), 100);
  EXPECT_EQ(percentile(samples, 1, 0), 100);
  EXPECT_EQ(percentile(samples, 0, 0), 1);
}

TEST(Percentile, SpreadsReadingsOfOneStepOverTheStep) {
  // 60 readings of 100 and 40 of 110 with steps of 10: the 50th is 50/60 through [95, 105).
  Samples samples(60, 100);
  samples.resize(100, 110);
  EXPECT_NEAR(percentile(samples, 0.5, 10), 95 + 10 * 50.0 / 60, 1e-9);
  EXPECT_NEAR(percentile(samples, 0.8, 10), 105 + 10 * 20.0 / 40, 1e-9);
  EXPECT_NEAR(percentile(samples, 1, 10), 115, 1e-9);
}

TEST(Percentile, MovesWithTheShareWhereAPlainOneWouldJump) {
  Samples fewer(52, 100);
  fewer.resize(100, 110);
  Samples more(48, 100);
  more.resize(100, 110);
  EXPECT_LT(percentile(more, 0.5, 10) - percentile(fewer, 0.5, 10), 1);
}

TEST(Percentile, TakesNeighbouringNumbersOfOneStepTogether) {
  // A step of 26 cycles that sometimes reads as one less.
  Samples samples{259, 260, 259, 260};
  samples.resize(8, 286);
  EXPECT_NEAR(percentile(samples, 0.5, 26), 273, 1);
}

TEST(PairedRatios, AreTakenRoundByRound) {
  // In round 2 the machine was three times slower: the ratio does not notice.
  EXPECT_EQ(paired_ratios({100, 300, 104}, {50, 150, 52}), (std::vector<double>{2, 2, 2}));
}

TEST(BestOfEachRound, MayBeAnotherOneInEachRound) {
  const std::vector<std::vector<double>> series{{1, 9, 5}, {4, 2, 5}};
  EXPECT_EQ(best_of_each_round(series, Better::kLower), (std::vector<double>{1, 2, 5}));
  EXPECT_EQ(best_of_each_round(series, Better::kHigher), (std::vector<double>{4, 9, 5}));
}

using Order = std::vector<std::size_t>;

TEST(OrderOfARound, RunsEveryTrialOnce) {
  for (const std::size_t trials : {0U, 1U, 2U, 7U, 60U}) {
    Order all(trials);
    for (std::size_t i = 0; i < trials; ++i)
      all[i] = i;
    for (std::uint64_t round = 0; round < 31; ++round) {
      const Order order = order_of_round(round, trials);
      EXPECT_TRUE(std::is_permutation(order.begin(), order.end(), all.begin(), all.end()));
    }
  }
}

TEST(OrderOfARound, IsTheSameInEveryRun) {
  EXPECT_EQ(order_of_round(12, 60), order_of_round(12, 60));
}

TEST(OrderOfARound, IsAnotherOneInEachRound) {
  std::set<Order> orders;
  for (std::uint64_t round = 0; round < 31; ++round)
    orders.insert(order_of_round(round, 7));
  EXPECT_EQ(orders.size(), 31U);
}

TEST(OrderOfARound, PutsEachTrialFirstAboutEquallyOften) {
  std::map<std::size_t, int> first;
  for (std::uint64_t round = 0; round < 7'000; ++round)
    ++first[order_of_round(round, 7).front()];
  for (std::size_t trial = 0; trial < 7; ++trial)
    EXPECT_NEAR(first[trial], 1'000, 150) << "trial " << trial;
}

TEST(OrderOfARound, PutsEachTrialBehindEachOther) {
  std::set<std::pair<std::size_t, std::size_t>> neighbours;
  for (std::uint64_t round = 0; round < 100; ++round) {
    const Order order = order_of_round(round, 7);
    for (std::size_t i = 1; i < order.size(); ++i)
      neighbours.emplace(order[i - 1], order[i]);
  }
  EXPECT_EQ(neighbours.size(), 7U * 6U);
}

RoundFloor steady(double p50) {
  return {.p50 = p50, .p99 = p50 * 1.3, .lowest = p50, .highest = p50};
}

TEST(FloorRule, KeepsRoundsWhoseFloorWasNearTheBest) {
  const auto verdicts = judge_rounds({steady(90), steady(100), steady(110)}, {});
  EXPECT_EQ(rounds_with(verdicts, Verdict::kNear), (std::vector<std::size_t>{0, 1, 2}));
}

TEST(FloorRule, DiscardsARoundByTheFloorsMedian) {
  const auto verdicts = judge_rounds({steady(90), steady(90 * 1.6)}, {});
  EXPECT_EQ(verdicts, (std::vector{Verdict::kNear, Verdict::kDiscarded}));
}

TEST(FloorRule, DiscardsARoundByTheFloorsTail) {
  RoundFloor tail = steady(90);
  tail.p99 *= 2.1;
  EXPECT_EQ(judge_rounds({tail, steady(90)}, {}),
            (std::vector{Verdict::kDiscarded, Verdict::kNear}));
}

TEST(FloorRule, DiscardsARoundInWhichTheCoresMoved) {
  RoundFloor moved = steady(90);
  moved.highest = 400;
  EXPECT_EQ(judge_rounds({steady(90), moved}, {}),
            (std::vector{Verdict::kNear, Verdict::kDiscarded}));
}

TEST(FloorRule, NeverMixesNearAndFarRounds) {
  RoundFloor disturbed = steady(400);
  disturbed.p99 = 3'000;
  const auto verdicts = judge_rounds({steady(90), steady(400), steady(410), disturbed}, {});
  EXPECT_EQ(verdicts,
            (std::vector{Verdict::kNear, Verdict::kFar, Verdict::kFar, Verdict::kDiscarded}));
}

TEST(FloorRule, JudgesARunThatWasFarThroughoutByItsOwnBest) {
  EXPECT_EQ(rounds_with(judge_rounds({steady(400), steady(420)}, {}), Verdict::kNear).size(), 2U);
}

TEST(FloorRule, OfACheckKeepsEveryRound) {
  RoundFloor moved = steady(400);
  moved.highest = 40'000;
  moved.p99 = 40'000;
  const auto verdicts = judge_rounds({steady(90), moved}, FloorRule::of_a_check());
  EXPECT_EQ(rounds_with(verdicts, Verdict::kNear).size(), 2U);
}

TEST(Arrivals, AcceptWhatWasSent) {
  Arrivals arrivals;
  for (std::uint64_t i = 0; i < 5; ++i)
    arrivals.take(Slot64::of(i));
  EXPECT_NO_THROW(arrivals.check<Slot64>(5, "test"));
}

TEST(Arrivals, RefuseAWordThatChanged) {
  Arrivals arrivals;
  for (std::uint64_t i = 0; i < 5; ++i) {
    Slot64 message = Slot64::of(i);
    message.echo[3] ^= std::uint64_t{i == 2};
    arrivals.take(message);
  }
  EXPECT_THROW(arrivals.check<Slot64>(5, "test"), Error);
}

TEST(Arrivals, RefuseTwoThatChangedPlaces) {
  Arrivals arrivals;
  for (const std::uint64_t i : {0U, 2U, 1U, 3U})
    arrivals.take(Slot64::of(i));
  EXPECT_THROW(arrivals.check<Slot64>(4, "test"), Error);
}

TEST(Arrivals, RefuseOneTooFew) {
  Arrivals arrivals;
  arrivals.take(Slot64::of(0));
  EXPECT_THROW(arrivals.check<Slot64>(2, "test"), Error);
}

}  // namespace
}  // namespace sluice::bench
