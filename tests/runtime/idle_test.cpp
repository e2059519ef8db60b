#include "common/runtime/idle.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <thread>

namespace sluice::test {
namespace {

// A stage's turns, in a time that the test moves.
class Turns {
 public:
  explicit Turns(IdleMode mode) : rule(mode) {}
  Rest work() { return rule.next(1, {now_ns}); }
  Rest nothing() { return rule.next(0, {now_ns}); }
  Rest nothing_after(std::int64_t ns) {
    now_ns += ns;
    return nothing();
  }
  // Once on the core: finds work, or polls in vain, until it gives the core away.
  Rest useful() {
    EXPECT_EQ(work(), Rest::kNone);
    return nothing_after(10);
  }
  Rest wasted() {
    EXPECT_EQ(nothing_after(1'000), Rest::kNone);
    return nothing_after(IdleRule::kPollNs);
  }
  // How often it changed its place in so many times on the core that found work, with `in_vain`
  // that did not after each.
  int places(std::uint32_t useful_turns, int in_vain) {
    int count = 0;
    for (std::uint32_t i = 0; i < useful_turns; ++i) {
      count += useful() == Rest::kYieldPlace ? 1 : 0;
      for (int each = 0; each < in_vain; ++each)
        count += wasted() == Rest::kYieldPlace ? 1 : 0;
    }
    return count;
  }

  IdleRule rule;
  std::int64_t now_ns{1'000'000};
};

TEST(IdleRule, SpinNeverRests) {
  Turns turns(IdleMode::kSpin);
  EXPECT_EQ(turns.work(), Rest::kNone);
  for (int i = 0; i < 1'000; ++i)
    ASSERT_EQ(turns.nothing_after(10'000), Rest::kNone);
  EXPECT_FALSE(turns.rule.sleeping());
}

TEST(IdleRule, GivesTheCoreAwayInTheFirstEmptyTurnAfterWork) {
  for (const IdleMode mode : {IdleMode::kYield, IdleMode::kBackoff}) {
    Turns turns(mode);
    EXPECT_EQ(turns.work(), Rest::kNone);
    EXPECT_EQ(turns.work(), Rest::kNone);
    EXPECT_EQ(turns.nothing(), Rest::kYield);
    EXPECT_EQ(turns.nothing_after(5'000), Rest::kNone) << "work was told of twice";
  }
}

TEST(IdleRule, PollsForTwoMicrosecondsSinceItsCoreCameBack) {
  Turns turns(IdleMode::kYield);
  EXPECT_EQ(turns.nothing(), Rest::kNone);
  EXPECT_EQ(turns.nothing_after(IdleRule::kPollNs - 1), Rest::kNone);
  EXPECT_EQ(turns.nothing_after(1), Rest::kYield);
  // The others had the core for long: that is not polling.
  EXPECT_EQ(turns.nothing_after(1'000'000), Rest::kNone);
  EXPECT_EQ(turns.nothing_after(IdleRule::kPollNs - 1), Rest::kNone);
  EXPECT_EQ(turns.nothing_after(1), Rest::kYield);
}

TEST(IdleRule, AClockThatGoesBackIsNoReasonToPollOn) {
  Turns turns(IdleMode::kYield);
  EXPECT_EQ(turns.nothing(), Rest::kNone);
  EXPECT_EQ(turns.nothing_after(-500'000), Rest::kYield);
  EXPECT_EQ(turns.nothing(), Rest::kNone);
  EXPECT_EQ(turns.nothing_after(IdleRule::kPollNs), Rest::kYield);
}

TEST(IdleRule, YieldNeverSleeps) {
  Turns turns(IdleMode::kYield);
  for (int i = 0; i < 10'000; ++i)
    ASSERT_EQ(turns.wasted(), Rest::kYield);
  EXPECT_FALSE(turns.rule.sleeping());
}

TEST(IdleRule, BackoffSleepsLongerAndLongerUntilThereIsWork) {
  Turns turns(IdleMode::kBackoff);
  for (std::uint32_t i = 0; i < IdleRule::kYields; ++i) {
    EXPECT_FALSE(turns.rule.sleeping());
    ASSERT_EQ(turns.wasted(), Rest::kYield);
  }
  std::int64_t before = IdleRule::kSleepMinNs;
  for (int i = 0; i < 100'000; ++i) {
    ASSERT_TRUE(turns.rule.sleeping());
    ASSERT_EQ(turns.nothing_after(before), Rest::kSleep);
    ASSERT_GE(turns.rule.sleep_ns(), before);
    ASSERT_LE(turns.rule.sleep_ns(), 2 * before);
    before = turns.rule.sleep_ns();
  }
  EXPECT_EQ(before, IdleRule::kSleepMaxNs);
  EXPECT_EQ(turns.work(), Rest::kNone);
  EXPECT_FALSE(turns.rule.sleeping());
  EXPECT_EQ(turns.nothing(), Rest::kYield);
  EXPECT_EQ(turns.nothing_after(100), Rest::kNone) << "it polls again before it sleeps";
}

TEST(IdleRule, EverySecondTimeInVainIsAWrongPlace) {
  Turns turns(IdleMode::kYield);
  EXPECT_EQ(turns.places(IdleRule::kWatched - 1, 1), 0);
  EXPECT_EQ(turns.places(1, 1), 1);
  EXPECT_EQ(turns.places(IdleRule::kWatched, 2), 1);
}

TEST(IdleRule, ARightPlaceAndAQuietStageKeepTheirs) {
  Turns right(IdleMode::kYield);
  EXPECT_EQ(right.places(10 * IdleRule::kWatched, 0), 0);
  Turns quiet(IdleMode::kYield);
  EXPECT_EQ(quiet.places(10 * IdleRule::kWatched, 5), 0);
}

TEST(IdleRule, LooksForABetterPlaceMoreAndMoreRarelyAndAnewOnceItWasRight) {
  Turns turns(IdleMode::kYield);
  constexpr auto kTries = static_cast<int>(IdleRule::kQuickTries);
  EXPECT_EQ(turns.places(IdleRule::kQuickTries * IdleRule::kWatched, 1), kTries);
  EXPECT_EQ(turns.places((1 + 2 + 4 + 8) * IdleRule::kWatched, 1), 4);
  EXPECT_EQ(turns.places(15 * IdleRule::kWatched, 1), 0);
  EXPECT_EQ(turns.places(IdleRule::kWatched, 1), 1);
  EXPECT_EQ(turns.places(64 * IdleRule::kWatched, 0), 0);
  EXPECT_EQ(turns.places(IdleRule::kQuickTries * IdleRule::kWatched, 1), kTries);
}

// The kernel's own record of how this thread is scheduled, as far as SCHED_ATTR_SIZE_VER0 goes.
std::array<std::uint64_t, 6> attributes() {
  std::array<std::uint64_t, 6> all{};
  EXPECT_EQ(::syscall(SYS_sched_getattr, 0, all.data(), sizeof all, 0), 0) << std::strerror(errno);
  return all;
}

TEST(YieldPlace, LeavesPolicyNiceAndSliceAsTheyWere) {
  std::thread([] {
    ASSERT_EQ(::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 5), 0);
    const auto before = attributes();
    if (before[3] == 0 || !yield_place(0))  // the slice
      GTEST_SKIP() << "this kernel, or this sandbox, lets no thread choose its slice";
    for (const unsigned percent : {1U, 50U, 99U})
      EXPECT_TRUE(yield_place(percent));
    EXPECT_EQ(attributes(), before);
    EXPECT_EQ(::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid())), 5);
  }).join();
}

TEST(YieldPlace, OnlyYieldsUnderARealTimePolicy) {
  std::thread([] {
    const sched_param parameter{.sched_priority = 1};
    if (::sched_setscheduler(0, SCHED_FIFO, &parameter) != 0)
      GTEST_SKIP() << "SCHED_FIFO is not allowed here: " << std::strerror(errno);
    const auto before = attributes();
    EXPECT_FALSE(yield_place(50));
    EXPECT_EQ(attributes(), before);
  }).join();
}

}  // namespace
}  // namespace sluice::test
