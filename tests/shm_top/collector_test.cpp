// What the collector makes of a layout whose processes run, hang, are dead, or never were.

#include <gmock/gmock.h>

#include "tests/shm_top/world.hpp"
#include "tools/shm_top/json.hpp"
#include "tools/shm_top/panels.hpp"

namespace sluice::top::test {
namespace {

TEST_F(Collecting, LayoutThatNobodyEverAttachedIsAllNotStarted) {
  const Snapshot s = collect_twice();
  EXPECT_EQ(s.problem, "");
  EXPECT_EQ(s.instance, "world");
  ASSERT_EQ(s.stages.size(), 4u);
  for (const StageFacts& stage : s.stages) {
    EXPECT_EQ(stage.condition, StageCondition::kNotStarted) << stage.name;
    EXPECT_FALSE(stage.heartbeat_age_ns);
    EXPECT_FALSE(stage.core);
  }
  ASSERT_EQ(s.rings.size(), 9u);
  for (const RingFacts& ring : s.rings) {
    EXPECT_EQ(ring.messages, 0u) << ring.name;
    EXPECT_FALSE(ring.lag_ns);
    EXPECT_FALSE(ring.broken);
    EXPECT_EQ(loss_text(ring, true), "");
  }
  EXPECT_EQ(s.trading.state, "");
  EXPECT_FALSE(s.trading.account);
  EXPECT_TRUE(s.trading.kills.empty());
  EXPECT_TRUE(s.trading.trouble.empty());
}

TEST_F(Collecting, LiveStageShowsItsProcessAndShareOfBusyTime) {
  const shm::RoleLock holding = role("risk");
  const shm::Instance instance = attach();
  shm::StagePage page(instance, "risk", kRiskMetrics);
  page.set_state(shm::StageState::kLive);
  page.set_incarnation(7);
  page.note_duty(5000);
  static_cast<void>(collector().collect());
  page.add_loop_time(1'000'000, 250'000);
  page.beat(instance.now());
  const Snapshot s = collector().collect();
  const StageFacts& risk = named(s.stages, "risk");
  EXPECT_EQ(risk.condition, StageCondition::kLive);
  EXPECT_EQ(risk.pid, getpid());
  EXPECT_TRUE(risk.core.has_value());
  EXPECT_NE(risk.affinity, "");
  EXPECT_TRUE(risk.cpu.has_value());
  EXPECT_EQ(risk.incarnation, 7u);
  EXPECT_EQ(risk.restarts, 0u);
  ASSERT_TRUE(risk.busy.has_value());
  EXPECT_DOUBLE_EQ(*risk.busy, 0.25);
  EXPECT_EQ(risk.duty_ns, 5000);

  page.beat(MonoNanos{instance.now().ns - 6 * kNanosPerSecond});
  EXPECT_EQ(named(collector().collect().stages, "risk").condition, StageCondition::kHung);
}

TEST_F(Collecting, StageThatStartsOrDrainsWithoutAHeartbeatIsHungToo) {
  const shm::RoleLock holding = role("risk");
  const shm::Instance instance = attach();
  shm::StagePage page(instance, "risk", kRiskMetrics);
  for (const auto state : {shm::StageState::kStarting, shm::StageState::kRecovering,
                           shm::StageState::kLive, shm::StageState::kDraining}) {
    page.set_state(state);
    page.beat(instance.now());
    EXPECT_NE(named(collector().collect().stages, "risk").condition, StageCondition::kHung);
    page.beat(MonoNanos{instance.now().ns - 6 * kNanosPerSecond});
    EXPECT_EQ(named(collector().collect().stages, "risk").condition, StageCondition::kHung)
        << shm::to_string(state);
  }
}

TEST_F(Collecting, RestartsAreStartsSinceTheLayoutWasCreated) {
  for (int start = 0; start < 3; ++start) {
    const shm::RoleLock holding = role("risk");
    const shm::Instance instance = attach();
    const shm::StagePage page(instance, "risk", kRiskMetrics);
  }
  EXPECT_EQ(named(collector().collect().stages, "risk").restarts, 2u);
}

TEST_F(Collecting, KilledProducerIsDeadAndWhatItLeftStillWaits) {
  auto feed = stage("feed.x", kFeedMetrics, [](const shm::Instance& instance, shm::StagePage&) {
    shm::RingProducer<MarketEvent> ring(instance, "md.x.s");
    for (int i = 0; i < 5; ++i) {
      if (!ring.try_push(quote_event(MonoNanos{instance.now().ns - 3 * kNanosPerSecond})))
        throw Error(ExitCode::kBug, "the ring has room for five");
    }
  });
  EXPECT_EQ(named(collector().collect().stages, "feed.x").condition, StageCondition::kLive);
  feed->kill_and_reap();
  const Snapshot s = collector().collect();
  const StageFacts& stage = named(s.stages, "feed.x");
  EXPECT_EQ(stage.condition, StageCondition::kDead);
  EXPECT_FALSE(stage.core);
  const RingFacts& ring = named(s.rings, "md.x.s");
  EXPECT_EQ(ring.depth, 5u);
  EXPECT_EQ(ring.record, "market event");
  ASSERT_TRUE(ring.lag_ns.has_value());
  EXPECT_GE(*ring.lag_ns, 3 * kNanosPerSecond);
  EXPECT_FALSE(ring.lag_at_least);
}

TEST_F(Collecting, StageThatEndedByItselfIsStoppedNotDead) {
  {
    const shm::RoleLock holding = role("risk");
    const shm::Instance instance = attach();
    shm::StagePage page(instance, "risk", kRiskMetrics);
    page.set_state(shm::StageState::kStopped);
  }
  EXPECT_EQ(named(collector().collect().stages, "risk").condition, StageCondition::kStopped);
}

// Without the right to look at the lock (here: a link, which is never followed) the pid has to do.
TEST_F(Collecting, PidThatWasGivenToAnotherProcessIsNotTakenForTheStage) {
  {
    const shm::RoleLock holding = role("risk");
    const shm::Instance instance = attach();
    shm::StagePage page(instance, "risk", kRiskMetrics);  // with our pid
    page.set_state(shm::StageState::kLive);
  }
  std::filesystem::remove(shm::locks_folder(dir()) + "/risk");
  std::filesystem::create_symlink("elsewhere", shm::locks_folder(dir()) + "/risk");
  EXPECT_EQ(named(collector().collect().stages, "risk").condition, StageCondition::kLive);

  // The last heartbeat is older than this process: it cannot have been ours.
  shm::Region file =
      *shm::Region::open(path(shm::stage_file("risk")), shm::Region::Access::kReadWrite);
  file.at<shm::StageWords>(shm::kStageWordsOffset)->heartbeat_ns = kNanosPerSecond;
  EXPECT_EQ(named(collector().collect().stages, "risk").condition, StageCondition::kDead);
}

TEST_F(Collecting, FullConflatingRingSaysWhatItConflatedAndHowOldItsOldestIsAtLeast) {
  const shm::RoleLock producing = role("feed.x");
  const shm::Instance instance = attach();
  shm::RingProducer<MarketEvent> ring(instance, "md.x.s");
  const MonoNanos old{instance.now().ns - 2 * kNanosPerSecond};
  for (std::uint32_t i = 0; i < kSlots; ++i)
    ASSERT_TRUE(ring.try_push(quote_event(old)));
  ASSERT_FALSE(ring.try_push(quote_event(old)));
  for (int i = 0; i < 12; ++i)
    ring.note_drop();
  ring.note_gap();
  ring.note_snapshot();
  ring.set_owed(2);
  const RingFacts facts = named(collect_twice().rings, "md.x.s");
  EXPECT_EQ(facts.depth, kSlots);
  EXPECT_EQ(facts.depth_max, kSlots);
  EXPECT_EQ(loss_text(facts, true), "12 lost · 1 gaps · 1 snap · 2 owed");
  ASSERT_TRUE(facts.lag_ns.has_value());
  EXPECT_GE(*facts.lag_ns, 2 * kNanosPerSecond);
  EXPECT_TRUE(facts.lag_at_least) << "the oldest slots may be overwritten, so they are not read";
  EXPECT_FALSE(facts.broken);
}

TEST_F(Collecting, LossIsToldInTheWordsOfThePolicy) {
  RingFacts facts;
  facts.drops = 3;
  facts.gaps = 2;
  const auto text = [&](shm::RingPolicy policy) {
    facts.policy = policy;
    return loss_text(facts, false);
  };
  EXPECT_EQ(text(shm::RingPolicy::kRefuse), "3 refused");
  EXPECT_EQ(text(shm::RingPolicy::kCountedGap), "3 lost, 2 gaps");
  EXPECT_EQ(text(shm::RingPolicy::kLossless), "3 lost");
  // NOLINTNEXTLINE: what a spoilt header may hold
  EXPECT_EQ(text(static_cast<shm::RingPolicy>(99)), "3 lost");
}

TEST_F(Collecting, RecordsThatTheConsumerRefusedAndItsCuttingOffAreTold) {
  {
    const shm::RoleLock consuming = role("strategy.s");
    const shm::Instance instance = attach();
    shm::RingConsumer<MarketEvent> consumer(instance, "md.x.s");
    for (int i = 0; i < 3; ++i)
      consumer.note_refused();
    EXPECT_FALSE(named(collector().collect().rings, "md.x.s").detached);
    consumer.detach();
  }
  const Snapshot s = collector().collect();
  const RingFacts& facts = named(s.rings, "md.x.s");
  EXPECT_EQ(facts.refused, 3u);
  EXPECT_TRUE(facts.detached);
  EXPECT_EQ(loss_text(facts, false), "3 refused by consumer");
  EXPECT_FALSE(named(s.rings, "order").detached);
  EXPECT_NE(to_json(s).find("\"refused\": 3,\n      \"detached\": true"), std::string::npos);
}

TEST_F(Collecting, RateIsTheMessagesBetweenTwoSamplesOverTheirTime) {
  const shm::RoleLock producing = role("feed.x");
  const shm::Instance instance = attach();
  shm::RingProducer<MarketEvent> ring(instance, "md.x.s");
  ASSERT_TRUE(ring.try_push(quote_event(instance.now())));
  EXPECT_FALSE(named(collector().collect().rings, "md.x.s").rate) << "one sample is no rate";
  for (int i = 0; i < 10; ++i)
    ASSERT_TRUE(ring.try_push(quote_event(instance.now())));
  const Snapshot s = collector().collect();
  ASSERT_TRUE(s.window_ns.has_value());
  const RingFacts& facts = named(s.rings, "md.x.s");
  EXPECT_EQ(facts.messages, 11u);
  ASSERT_TRUE(facts.rate.has_value());
  EXPECT_NEAR(*facts.rate * static_cast<double>(*s.window_ns) / 1e9, 10, 0.01);
}

TEST_F(Collecting, SpreadsOfTheLastWindowDoNotKnowWhatCameBefore) {
  const shm::RoleLock holding = role("risk");
  const shm::Instance instance = attach();
  shm::StagePage page(instance, "risk", kRiskMetrics);
  page.record(RiskMetric::kApprove, 1'000'000);
  static_cast<void>(collector().collect());
  page.record(RiskMetric::kApprove, 1000);
  const Snapshot s = collector().collect();
  const LatencyFacts& approve = named(s.latencies, "approve");
  EXPECT_TRUE(approve.hop.has_value());
  EXPECT_EQ(approve.since.count, 2u);
  EXPECT_EQ(approve.since.max, 1'000'000u);
  ASSERT_TRUE(approve.last.has_value());
  EXPECT_EQ(approve.last->count, 1u);
  EXPECT_NEAR(static_cast<double>(approve.last->max), 1000, 10);
}

TEST_F(Collecting, KillWordsStateLimitsAndRefusalsComeFromBoardsAndPages) {
  shm::OperatorTrip::set(dir(), 0, kKillStop | kKillCancelAll);
  const shm::RoleLock gateway_role = role("gateway");
  const shm::RoleLock risk_role = role("risk");
  const shm::RoleLock feed_role_lock = role("feed.x");
  const shm::Instance instance = attach();
  shm::StagePage gateway(instance, "gateway", kGatewayMetrics);
  shm::StagePage risk(instance, "risk", kRiskMetrics);
  gateway.set_trip(0, kKillStop | 64);
  risk.set_mark(kFirstReasonMark + static_cast<std::uint32_t>(Reason::kCollar), 3);
  gateway.set_mark(kFirstReasonMark + static_cast<std::uint32_t>(Reason::kCollar), 4);
  shm::BoardWriter<LimitRow> limits(instance, "limits");
  LimitRow head;
  head.trading_state = TradingState::kReduceOnly;
  head.published_ns = instance.now();
  head.max_exposure = Cash{100 * kScale};
  limits.store(0, head);
  LimitRow btc;
  btc.max_position = Qty{2 * kScale};
  btc.max_exposure = Cash{80 * kScale};
  limits.store(1, btc);
  shm::BoardWriter<PositionRow> positions(instance, "positions");
  PositionRow position;
  position.position = -kScale / 2;
  position.working_sell = Qty{kScale / 2};
  position.halted = 1;
  position.flags = kPositionConflict;
  positions.store(0, position);
  shm::BoardWriter<QuoteRow> quotes(instance, "quotes.x");
  QuoteRow quote;
  quote.quote = {.bid_px = Price{59 * kScale},
                 .bid_qty = Qty{1},
                 .ask_px = Price{61 * kScale},
                 .ask_qty = Qty{1}};
  quote.receive_ns = instance.now();
  quotes.store(0, quote);
  shm::BoardWriter<AccountRow> account(instance, "account");
  AccountRow row;
  row.flags = kAccountKnown;
  row.cash = Cash{kScale / 4};
  row.orders = 6;
  row.unknown = 1;
  account.store(0, row);

  const Snapshot s = collector().collect();
  EXPECT_EQ(s.trading.state, "ReduceOnly");
  ASSERT_EQ(s.trading.kills.size(), 2u);
  EXPECT_EQ(s.trading.kills[0].by, "operator");
  EXPECT_EQ(s.trading.kills[0].words, "stop + cancel all");
  EXPECT_EQ(s.trading.kills[1].by, "gateway");
  EXPECT_EQ(s.trading.kills[1].words, "stop + unknown 0x40");
  ASSERT_EQ(s.trading.refusals.size(), 1u);
  EXPECT_EQ(s.trading.refusals[0], std::pair(std::string("collar"), std::uint64_t{7}));
  EXPECT_EQ(s.trading.cash, "0.25");
  EXPECT_EQ(s.trading.instruments, 2u);
  EXPECT_EQ(s.trading.halted, 1u);
  EXPECT_EQ(s.trading.unknown, 1u);
  const auto limit = [&](const std::string& what, const std::string& name) {
    return limit_of(s, what, name);
  };
  EXPECT_EQ(limit("BTC/USD", "position").used, "1") << "short and about to be shorter";
  EXPECT_DOUBLE_EQ(limit("BTC/USD", "position").share.value_or(0), 0.5);
  EXPECT_EQ(limit("BTC/USD", "position").note, "halted: conflict");
  EXPECT_EQ(limit("BTC/USD", "exposure").used, "60");
  EXPECT_DOUBLE_EQ(limit("BTC/USD", "exposure").share.value_or(0), 0.75);
  EXPECT_DOUBLE_EQ(limit("account", "gross exposure").share.value_or(0), 0.6);
  EXPECT_DOUBLE_EQ(limit("account", "order rows").share.value_or(0), 0.75);

  head.trading_state = static_cast<TradingState>(77);  // NOLINT: what a spoilt row may hold
  limits.store(0, head);
  EXPECT_EQ(collector().collect().trading.state, "#77");
}

TEST_F(Collecting, OpenOrdersStandAgainstTheirLimitAsSoonAsItIsTold) {
  const shm::RoleLock gateway_role = role("gateway");
  const shm::RoleLock risk_role = role("risk");
  const shm::Instance instance = attach();
  shm::BoardWriter<AccountRow> account(instance, "account");
  AccountRow row;
  row.working = 5;
  row.in_flight = 2;
  row.unknown = 1;
  account.store(0, row);
  LimitFacts open = limit_of(collector().collect(), "account", "open orders");
  EXPECT_EQ(open.used, "8");
  EXPECT_EQ(open.allowed, "") << "not told";
  EXPECT_FALSE(open.share);
  shm::BoardWriter<LimitRow> limits(instance, "limits");
  LimitRow head;
  head.open_orders_max = 10;
  limits.store(0, head);
  open = limit_of(collector().collect(), "account", "open orders");
  EXPECT_EQ(open.allowed, "10");
  EXPECT_DOUBLE_EQ(open.share.value_or(0), 0.8);
}

TEST_F(Collecting, PositionThatNobodyWroteIsUnknownNotNone) {
  const shm::RoleLock gateway_role = role("gateway");
  const shm::RoleLock risk_role = role("risk");
  const shm::Instance instance = attach();
  shm::BoardWriter<LimitRow> limits(instance, "limits");
  limits.store(0, LimitRow{.max_exposure = Cash{kScale}});
  limits.store(1, LimitRow{.max_position = Qty{kScale}});
  Snapshot s = collector().collect();
  EXPECT_EQ(limit_of(s, "BTC/USD", "position").used, "");
  EXPECT_EQ(limit_of(s, "BTC/USD", "position").allowed, "1");
  EXPECT_EQ(limit_of(s, "account", "gross exposure").used, "");
  EXPECT_NE(to_json(s).find("\"used\": null"), std::string::npos);
  shm::BoardWriter<PositionRow> positions(instance, "positions");
  positions.store(0, PositionRow{});
  s = collector().collect();
  EXPECT_EQ(limit_of(s, "BTC/USD", "position").used, "0");
  EXPECT_EQ(limit_of(s, "account", "gross exposure").used, "0");
}

// `sluicectl` writes the symbols once the layout exists; shm-top may have waited for that moment.
TEST_F(Collecting, SymbolsThatComeAfterTheLayoutAreRead) {
  create_layout_alone();
  const shm::RoleLock risk_role = role("risk");
  const shm::Instance instance = attach();
  shm::BoardWriter<LimitRow> limits(instance, "limits");
  limits.store(1, LimitRow{.max_position = Qty{kScale}});
  EXPECT_EQ(limit_of(collector().collect(), "instrument 0", "position").allowed, "1");
  write_symbols();
  EXPECT_EQ(limit_of(collector().collect(), "BTC/USD", "position").allowed, "1");
}

TEST_F(Collecting, KillWordOfAnotherScopeIsToldWithItsScope) {
  shm::OperatorTrip::set(dir(), 7, kKillStop);
  const Snapshot s = collector().collect();
  ASSERT_EQ(s.trading.kills.size(), 1u);
  EXPECT_EQ(s.trading.kills[0].by, "operator");
  EXPECT_EQ(s.trading.kills[0].scope, "scope 7");
  EXPECT_EQ(s.trading.kills[0].words, "stop");
  EXPECT_EQ(kill_switch_of(s.trading), KillSwitch::kKilled);
}

TEST_F(Collecting, DistinctErrorsComeWithTheirAgesAndWithoutControlCharacters) {
  const shm::RoleLock holding = role("risk");
  const shm::Instance instance = attach();
  shm::StagePage page(instance, "risk", kRiskMetrics);
  page.error(5, "bad \x1b[31mtext\n", MonoNanos{instance.now().ns - kNanosPerSecond});
  page.error(5, "bad \x1b[31mtext\n", instance.now());
  const Snapshot s = collector().collect();
  ASSERT_EQ(s.errors.size(), 1u);
  EXPECT_EQ(s.errors[0].text, "bad ?[31mtext?");
  EXPECT_EQ(s.errors[0].count, 2u);
  EXPECT_GE(s.errors[0].first_age_ns, kNanosPerSecond);
  EXPECT_LT(s.errors[0].last_age_ns, s.errors[0].first_age_ns);
}

TEST_F(Collecting, LayoutThatIsCreatedAnewIsFollowed) {
  const std::uint64_t before = collector().collect().generation;
  create();
  const Snapshot s = collector().collect();
  EXPECT_EQ(s.problem, "");
  EXPECT_NE(s.generation, before);
  EXPECT_EQ(s.rings.size(), 9u);
}

TEST_F(Collecting, LastPictureOfALayoutThatIsRemovedStaysUntilThereIsANewOne) {
  ASSERT_EQ(collector().collect().problem, "");
  collector().reset_maxima();
  shm::destroy_layout(dir(), true);
  Snapshot s = collector().collect();
  EXPECT_EQ(s.stages.size(), 4u);
  EXPECT_EQ(s.rings.size(), 9u);
  ASSERT_TRUE(s.removed_age_ns.has_value());
  const std::int64_t before = *s.removed_age_ns;
  EXPECT_TRUE(shm::test::says(s.problem, {"not yet: no layout; run 'sluicectl shm create'"}));
  collector().reset_maxima();
  EXPECT_GT(collector().collect().removed_age_ns.value_or(0), before);
  create();
  s = collector().collect();
  EXPECT_EQ(s.problem, "");
  EXPECT_FALSE(s.removed_age_ns);
  EXPECT_FALSE(s.reset_age_ns) << "it is another layout";
}

}  // namespace
}  // namespace sluice::top::test
