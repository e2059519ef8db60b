// What `r` makes of maxima: records of the writers that are older than the reset are forgotten, and
// what was met here since then stands in their place, as the lower bound that it is.

#include <gtest/gtest.h>

#include "tests/shm_top/world.hpp"
#include "tools/shm_top/json.hpp"

namespace sluice::top::test {
namespace {

TEST_F(Collecting, ResetForgetsGreatestDepthsLongestTurnsAndSpreads) {
  const shm::RoleLock producing = role("feed.x");
  const shm::RoleLock consuming = role("strategy.s");
  const shm::Instance instance = attach();
  shm::StagePage page(instance, "feed.x", kFeedMetrics);
  shm::RingProducer<MarketEvent> ring(instance, "md.x.s");
  shm::RingConsumer<MarketEvent> consumer(instance, "md.x.s");
  for (int i = 0; i < 9; ++i)
    ASSERT_TRUE(ring.try_push(quote_event(instance.now())));
  page.note_duty(7777);
  page.record(FeedMetric::kWireToRecord, 5000);
  EXPECT_EQ(named(collector().collect().rings, "md.x.s").depth_max, 9u);
  ASSERT_EQ(consumer.drain([](const MarketEvent&) {}, 100), 9u);

  collector().reset_maxima();
  ASSERT_TRUE(ring.try_push(quote_event(instance.now())));
  Snapshot s = collector().collect();
  EXPECT_TRUE(s.reset_age_ns.has_value());
  EXPECT_EQ(named(s.rings, "md.x.s").depth_max, 1u);
  EXPECT_NE(named(s.stages, "feed.x").duty_ns, 7777);
  EXPECT_EQ(named(s.latencies, "wire_to_record").since.count, 0u);
  page.note_duty(8888);
  page.record(FeedMetric::kWireToRecord, 6000);
  s = collector().collect();
  EXPECT_EQ(named(s.stages, "feed.x").duty_ns, 8888);
  EXPECT_EQ(named(s.latencies, "wire_to_record").since.count, 1u);
}

TEST_F(Collecting, RingThatCarriedAMessageWasOnceOneDeep) {
  const shm::RoleLock producing = role("feed.x");
  const shm::RoleLock consuming = role("strategy.s");
  const shm::Instance instance = attach();
  shm::RingProducer<MarketEvent> ring(instance, "md.x.s");
  shm::RingConsumer<MarketEvent> consumer(instance, "md.x.s");
  EXPECT_EQ(named(collector().collect().rings, "md.x.s").depth_max, 0u);
  collector().reset_maxima();
  ASSERT_TRUE(ring.try_push(quote_event(instance.now())));
  ASSERT_EQ(consumer.drain([](const MarketEvent&) {}, 100), 1u);
  EXPECT_EQ(named(collector().collect().rings, "md.x.s").depth_max, 1u);
  collector().reset_maxima();
  EXPECT_EQ(named(collector().collect().rings, "md.x.s").depth_max, 0u) << "nothing since";
}

TEST_F(Collecting, LongestSinceAResetIsTheOldestHeartbeatThatWasMetUntilTheRecordIsBeaten) {
  const shm::RoleLock holding = role("risk");
  const shm::Instance instance = attach();
  shm::StagePage page(instance, "risk", kRiskMetrics);
  page.set_state(shm::StageState::kLive);
  page.note_duty(60 * kNanosPerSecond);
  const auto risk = [&] { return named(collector().collect().stages, "risk"); };
  EXPECT_EQ(risk().duty_ns, 60 * kNanosPerSecond);
  EXPECT_FALSE(risk().duty_at_least) << "the stage's own record";

  collector().reset_maxima();
  page.beat(instance.now());
  ASSERT_TRUE(risk().duty_ns.has_value()) << "never nothing once a beat was met";
  EXPECT_LT(*risk().duty_ns, 60 * kNanosPerSecond);
  EXPECT_TRUE(risk().duty_at_least);
  page.beat(MonoNanos{instance.now().ns - 2 * kNanosPerSecond});
  EXPECT_GE(risk().duty_ns.value_or(0), 2 * kNanosPerSecond);
  page.note_duty(2 * kNanosPerSecond);
  page.beat(instance.now());
  EXPECT_GE(risk().duty_ns.value_or(0), 2 * kNanosPerSecond) << "it was met, and stays";
  EXPECT_TRUE(risk().duty_at_least) << "the record is still the one from before";
  EXPECT_NE(to_json(collector().collect()).find("\"longest_turn_at_least\": true"),
            std::string::npos);

  page.note_duty(61 * kNanosPerSecond);
  EXPECT_EQ(risk().duty_ns, 61 * kNanosPerSecond);
  EXPECT_FALSE(risk().duty_at_least);
}

TEST_F(Collecting, StageThatDoesNotRunHasNoLongestSinceAReset) {
  {
    const shm::RoleLock holding = role("risk");
    const shm::Instance instance = attach();
    shm::StagePage page(instance, "risk", kRiskMetrics);
    page.note_duty(5000);
  }
  EXPECT_EQ(named(collector().collect().stages, "risk").duty_ns, 5000);
  collector().reset_maxima();
  EXPECT_FALSE(named(collector().collect().stages, "risk").duty_ns)
      << "the silence of the dead is no turn";
}

TEST_F(Collecting, GreatestDepthSinceAResetIsWhatWasMetUntilTheRecordIsBeaten) {
  const shm::RoleLock producing = role("feed.x");
  const shm::RoleLock consuming = role("strategy.s");
  const shm::Instance instance = attach();
  shm::RingProducer<MarketEvent> ring(instance, "md.x.s");
  shm::RingConsumer<MarketEvent> consumer(instance, "md.x.s");
  const auto push = [&](int count) {
    for (int i = 0; i < count; ++i)
      ASSERT_TRUE(ring.try_push(quote_event(instance.now())));
  };
  const auto drain = [&] { static_cast<void>(consumer.drain([](const MarketEvent&) {}, 100)); };
  const auto facts = [&] { return named(collector().collect().rings, "md.x.s"); };
  push(20);
  drain();
  EXPECT_EQ(facts().depth_max, 20u);
  EXPECT_FALSE(facts().depth_max_at_least) << "the consumer's own record";

  collector().reset_maxima();
  EXPECT_EQ(facts().depth_max, 0u);
  EXPECT_FALSE(facts().depth_max_at_least) << "nothing came since";
  push(4);
  EXPECT_EQ(facts().depth_max, 4u);
  drain();
  EXPECT_EQ(facts().depth_max, 4u) << "it was met, and stays";
  EXPECT_TRUE(facts().depth_max_at_least) << "more may have passed between two samples";
  EXPECT_NE(to_json(collector().collect()).find("\"depth_max_at_least\": true"), std::string::npos);
  push(30);
  drain();
  EXPECT_EQ(facts().depth_max, 30u);
  EXPECT_FALSE(facts().depth_max_at_least);
}

TEST_F(Collecting, FullRingIsAsDeepAsItCanBe) {
  const shm::RoleLock producing = role("feed.x");
  const shm::Instance instance = attach();
  shm::RingProducer<MarketEvent> ring(instance, "md.x.s");
  while (ring.try_push(quote_event(instance.now()))) {
  }
  static_cast<void>(collector().collect());
  collector().reset_maxima();
  const RingFacts facts = named(collector().collect().rings, "md.x.s");
  EXPECT_EQ(facts.depth_max, kSlots);
  EXPECT_FALSE(facts.depth_max_at_least);
}

}  // namespace
}  // namespace sluice::top::test
