#include "common/net/token_bucket.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "common/base/error.hpp"

namespace sluice::net {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

MonoNanos at(std::int64_t ns) {
  return MonoNanos{ns};
}

TEST(TokenBucket, StartsFullAndRefusesWhenEmpty) {
  TokenBucket bucket({.capacity = 3, .tokens = 3, .period_ns = kSecond}, at(0));
  EXPECT_EQ(bucket.available(at(0)), 3U);
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(bucket.try_take(at(0)));
  EXPECT_FALSE(bucket.try_take(at(0)));
}

TEST(TokenBucket, GivesBackExactlyItsRateWithoutRounding) {
  TokenBucket bucket({.capacity = 3, .tokens = 3, .period_ns = kSecond}, at(0));
  EXPECT_TRUE(bucket.try_take(at(0), 3));
  EXPECT_FALSE(bucket.try_take(at(333'333'333)));  // a third of a second is not reached
  EXPECT_TRUE(bucket.try_take(at(333'333'334)));
  EXPECT_FALSE(bucket.try_take(at(666'666'666)));
  EXPECT_TRUE(bucket.try_take(at(666'666'667)));
  EXPECT_FALSE(bucket.try_take(at(999'999'999)));
  EXPECT_TRUE(bucket.try_take(at(kSecond)));
}

TEST(TokenBucket, NeverGivesMoreThanCapacityPlusRateOverALongSpan) {
  TokenBucket bucket({.capacity = 5, .tokens = 7, .period_ns = kSecond}, at(0));
  std::uint64_t given = 0;
  for (std::int64_t ns = 0; ns <= 10 * kSecond; ns += 1'234'567) {
    while (bucket.try_take(at(ns)))
      ++given;
  }
  EXPECT_LE(given, 5U + 70U);
  EXPECT_GE(given, 5U + 69U);
}

TEST(TokenBucket, HoldsNoMoreThanItsCapacityHoweverLongItRests) {
  TokenBucket bucket({.capacity = 4, .tokens = 1'000'000, .period_ns = 1'000}, at(0));
  EXPECT_TRUE(bucket.try_take(at(0), 4));
  EXPECT_EQ(bucket.available(at(std::numeric_limits<std::int64_t>::max())), 4U);
}

TEST(TokenBucket, LeavesWhatIsKeptForTheClassesAbove) {
  TokenBucket bucket({.capacity = 10, .tokens = 10, .period_ns = kSecond}, at(0));
  EXPECT_TRUE(bucket.try_take(at(0), 6, 4));
  EXPECT_FALSE(bucket.try_take(at(0), 1, 4));  // orders may not touch the last four
  EXPECT_TRUE(bucket.try_take(at(0), 4, 0));   // kill may
}

TEST(TokenBucket, TimeThatRunsBackwardsGivesAndTakesNothing) {
  TokenBucket bucket({.capacity = 2, .tokens = 2, .period_ns = kSecond}, at(10 * kSecond));
  EXPECT_TRUE(bucket.try_take(at(10 * kSecond), 2));
  EXPECT_FALSE(bucket.try_take(at(5 * kSecond)));
  EXPECT_FALSE(bucket.try_take(at(10 * kSecond)));
  EXPECT_TRUE(bucket.try_take(at(10 * kSecond + kSecond / 2)));
}

TEST(TokenBucket, ReadyAtIsTheFirstMomentThatSucceeds) {
  TokenBucket bucket({.capacity = 3, .tokens = 3, .period_ns = kSecond}, at(0));
  EXPECT_TRUE(bucket.try_take(at(0), 3));
  const MonoNanos ready = bucket.ready_at(at(100), 2, 0);
  EXPECT_FALSE(TokenBucket(bucket).try_take(at(ready.ns - 1), 2));
  EXPECT_TRUE(TokenBucket(bucket).try_take(ready, 2));
  EXPECT_EQ(bucket.ready_at(at(0), 3, 1).ns, std::numeric_limits<std::int64_t>::max());
}

TEST(TokenBucket, VenueCounterLowersButNeverRaises) {
  TokenBucket bucket({.capacity = 10, .tokens = 10, .period_ns = kSecond}, at(0));
  bucket.lower_to(at(0), 2);
  EXPECT_EQ(bucket.available(at(0)), 2U);
  bucket.lower_to(at(0), 9);
  EXPECT_EQ(bucket.available(at(0)), 2U);
}

TEST(TokenBucket, OptionsOutOfRangeAreRefusedByName) {
  EXPECT_THROW(TokenBucket({.capacity = 0}, at(0)), Error);
  EXPECT_THROW(TokenBucket({.tokens = 1'000'001}, at(0)), Error);
  EXPECT_THROW(TokenBucket({.period_ns = -1}, at(0)), Error);
}

}  // namespace
}  // namespace sluice::net
