// What strategies and risk make of executions when their rings were full:
// procs/order_gateway/execution_outlet.hpp, with the real gateway core, strategy host and risk
// core.
//
// The method of the random test: orders live and trade while both consumers read now and then from
// rings of eight slots. Whatever was lost, once all is read both agree with the gateway's books.

#include "procs/order_gateway/execution_outlet.hpp"

#include <gtest/gtest.h>

#include <random>

#include "tests/procs/execution_rig.hpp"

namespace sluice::testing {
namespace {

TEST(ExecutionOutlet, LostFillsAndFeesAreToldAsOneGapAndTheOrdersState) {
  Rig rig;
  const std::uint32_t row = rig.order(Side::kBuy, "60000");
  ASSERT_NE(row, kNoRow);
  rig.read_all();
  rig.strategy_ring.slots = 0;
  rig.gateway.accept(row);
  rig.gateway.event(row, TradeUpdateKind::kNew, VenueStatus::kNew);
  rig.gateway.fill(row, 1, "60000", "0.4", "0.4");
  rig.gateway.fee(1, true, "0.002");
  rig.tell();
  EXPECT_TRUE(rig.to_strategy.owes(row));
  EXPECT_FALSE(rig.to_strategy.room_for_new_risk());
  const std::uint64_t lost = rig.strategy_ring.drops;
  EXPECT_GE(lost, 3U);
  rig.strategy_ring.slots = 8;
  rig.tell();
  ASSERT_EQ(rig.strategy_ring.queue.size(), 2U);
  const Execution gap = rig.strategy_ring.queue[0];
  const Execution snapshot = rig.strategy_ring.queue[1];
  EXPECT_EQ(gap.kind, ExecutionKind::kGap);
  EXPECT_EQ(gap.cum_qty.raw, static_cast<std::int64_t>(lost));
  EXPECT_EQ(gap.n, snapshot.n);
  EXPECT_EQ(snapshot.kind, ExecutionKind::kSnapshot);
  EXPECT_EQ(snapshot.sub, kSnapshotSub);
  EXPECT_EQ(snapshot.state, OrderState::kPartial);
  EXPECT_EQ(snapshot.cum_qty, qty("0.4"));
  EXPECT_EQ(snapshot.leaves, qty("0.6"));
  EXPECT_EQ(snapshot.qty.raw, dec("0.398"));
  EXPECT_TRUE(rig.to_strategy.room_for_new_risk());
  rig.read_all();
  rig.expect_books_agree();
  EXPECT_EQ(rig.host.counters().gaps, 1U);
  EXPECT_EQ(rig.host.counters().lost, lost);
}

TEST(ExecutionOutlet, AnOrderThatEndedInTheGapLeavesTheBookAndLaterFillsStillCount) {
  Rig rig;
  const std::uint32_t first = rig.order(Side::kBuy, "60000");
  const std::uint32_t second = rig.order(Side::kBuy, "59999");
  for (const std::uint32_t row : {first, second})
    rig.gateway.accept(row);
  rig.tell();
  rig.read_all();
  rig.strategy_ring.slots = rig.risk_ring.slots = 0;
  rig.gateway.fill(first, 1, "60000", "1", "1");
  rig.tell();
  rig.strategy_ring.slots = rig.risk_ring.slots = 8;
  rig.gateway.fill(second, 2, "59999", "0.5", "0.5");
  rig.tell();
  rig.gateway.fill(second, 3, "59999", "0.5", "1");
  rig.tell();
  rig.read_all();
  rig.expect_books_agree();
  EXPECT_EQ(rig.host.open_order_count(), 0U);
}

TEST(ExecutionOutlet, ARefusalWithoutARowIsKeptAndTold) {
  Rig rig;
  rig.strategy_ring.slots = 0;
  Intent garbage = rig.gateway.intent(Side::kBuy, "1");
  garbage.instrument = 77;
  rig.gateway.core.on_intent(garbage, rig.gateway.context());
  ASSERT_FALSE(rig.gateway.out.executions.empty());
  ASSERT_EQ(rig.gateway.out.executions.back().order_row, kNoRow);
  rig.tell();
  rig.strategy_ring.slots = 8;
  rig.tell();
  ASSERT_EQ(rig.strategy_ring.queue.back().kind, ExecutionKind::kRefused);
  EXPECT_EQ(rig.strategy_ring.queue.back().intent, garbage.id);
}

TEST(ExecutionOutlet, ARowThatIsOwedIsNotGivenToAnotherOrder) {
  GatewayRules rules = gateway_rules();
  rules.order_rows = 1;
  Gateway gateway(rules);
  gateway.kill_word = true;
  const std::uint32_t row = gateway.send(Side::kBuy, "1");
  ASSERT_EQ(gateway.core.row(row).state, OrderState::kFailed);
  gateway.out.owed = [row](std::uint32_t i) { return i == row; };
  EXPECT_EQ(gateway.send(Side::kBuy, "2"), kNoRow);
  gateway.out.owed = nullptr;
  EXPECT_EQ(gateway.send(Side::kBuy, "3"), row);
}

TEST(ExecutionOutlet, ARefusalThatIsToldBehindAnotherOrdersSnapshotStillEndsItsOrder) {
  GatewayRules rules = roomy_rules();
  rules.order_rows = 1;
  Rig rig(rules);
  const std::uint32_t row = rig.order(Side::kBuy, "60000");
  rig.gateway.accept(row);
  rig.tell();
  rig.read_all();
  rig.strategy_ring.slots = rig.risk_ring.slots = 0;
  EXPECT_EQ(rig.order(Side::kBuy, "59999"), kNoRow) << "no row is free";
  rig.gateway.fill(row, 1, "60000", "0.4", "0.4");
  rig.tell();
  rig.strategy_ring.slots = rig.risk_ring.slots = 8;
  rig.tell();
  rig.read_all();
  rig.expect_books_agree();
}

// A small order table in front of a strategy that reads nothing.
struct Unread {
  explicit Unread(std::uint32_t order_rows)
      : gateway(rules(order_rows)), outlet(ring, gateway.core, order_rows, 64) {
    ring.slots = 0;
    gateway.out.owed = [this](std::uint32_t row) { return outlet.owes(row); };
  }
  static GatewayRules rules(std::uint32_t order_rows) {
    GatewayRules r = roomy_rules();
    r.order_rows = order_rows;
    r.terminal_retention_ns = 0;
    return r;
  }
  void tell() {
    for (; told < gateway.out.executions.size(); ++told)
      if (gateway.out.executions[told].intent.strategy == 0)
        outlet.tell(gateway.out.executions[told]);
    outlet.settle();
  }

  Gateway gateway;
  FewSlots ring;
  Outlet outlet;
  std::size_t told{0};
};

TEST(ExecutionOutlet, AStrategyThatDoesNotReadDoesNotTakeTheTableFromTheOthers) {
  Unread unread(32);
  Gateway& gateway = unread.gateway;
  const Outlet& outlet = unread.outlet;
  const std::uint32_t held = gateway.work(Side::kBuy, "1", "60000", 1);
  gateway.fill(held, 1, "60000", "1", "1");
  for (int i = 0; i < 200; ++i) {
    gateway.tick(kMs);
    IntentContext context = gateway.context();
    context.execution_ring_room = unread.outlet.room_for_new_risk();
    gateway.core.on_intent(gateway.intent(Side::kBuy, "0.1", "59000", 0), context);
    unread.tell();
  }
  gateway.tick(kMs);
  EXPECT_NE(gateway.send(Side::kSell, "0.9", "60000", 1), kNoRow) << "no row for a way out";
  EXPECT_GT(outlet.forgotten(), 0U) << "what is not kept is counted";
}

// Small sells that are cancelled again, from a strategy that reads nothing: each would hold back a
// row of the table for good.
TEST(ExecutionOutlet, ReductionsHoldBackNoMoreRowsThanTheirStrategyMay) {
  Unread unread(64);
  Gateway& gateway = unread.gateway;
  const Outlet& outlet = unread.outlet;
  const OwedLimits most = OwedLimits::of(64, 2);
  const std::uint32_t held = gateway.work(Side::kBuy, "1", "60000");
  gateway.fill(held, 1, "60000", "1", "1");
  gateway.tick(kMs);
  gateway.audit("0.9975");
  unread.tell();
  std::uint32_t passed = 0;
  for (int i = 0; i < 200; ++i) {
    gateway.tick(kMs);
    gateway.audit("0.9975");
    IntentContext context = gateway.context();
    context.execution_ring_room = unread.outlet.room_for_new_risk();
    context.owed_within_limits =
        most.hold({.strategy = outlet.owed_orders(), .risk = 0, .journal = 0});
    const Intent sell = gateway.intent(Side::kSell, "0.1", "59990");
    gateway.core.on_intent(sell, context);
    const std::uint32_t row = gateway.core.find(sell.id);
    ASSERT_NE(row, kNoRow) << "the table is full after " << passed;
    if (gateway.core.row(row).state == OrderState::kSubmitting) {
      ++passed;
      gateway.accept(row);
      gateway.event(row, TradeUpdateKind::kCanceled, VenueStatus::kCanceled);
    } else {
      EXPECT_EQ(gateway.core.row(row).reason, Reason::kRingFull);
    }
    unread.tell();
  }
  EXPECT_GT(passed, 2U) << "a way out for the first ones";
  EXPECT_LE(outlet.owed_orders(), most.strategy);
  gateway.tick(kMs);
  EXPECT_NE(gateway.send(Side::kBuy, "0.1", "60000", 1), kNoRow) << "no row for the others";
  unread.ring.slots = 8;
  for (int i = 0; i < 20; ++i) {
    unread.tell();
    unread.ring.queue.clear();
  }
  EXPECT_EQ(outlet.owed_orders(), 0U);
}

TEST(OwedLimits, EachRingHasItsShareAndAQuarterStaysFree) {
  const OwedLimits most = OwedLimits::of(800, 4);
  EXPECT_TRUE(most.hold({.strategy = 49, .risk = 199, .journal = 199}));
  EXPECT_FALSE(most.hold({.strategy = 50, .risk = 0, .journal = 0}));
  EXPECT_FALSE(most.hold({.strategy = 0, .risk = 200, .journal = 0}));
  EXPECT_FALSE(most.hold({.strategy = 0, .risk = 0, .journal = 200}));
  EXPECT_TRUE(OwedLimits::of(1, 1).hold({.strategy = 0, .risk = 0, .journal = 0}));
}

// The journal alone is full: the rings of strategy and risk have room.
TEST(ExecutionOutlet, NothingTakesARowOnceARingHoldsBackItsShare) {
  Gateway gateway(roomy_rules());
  const std::uint32_t held = gateway.work(Side::kBuy, "1");
  gateway.fill(held, 1, "60000", "1", "1");
  gateway.tick(kMs);
  gateway.audit("0.9975");
  IntentContext context = gateway.context();
  context.owed_within_limits = false;
  for (const Side side : {Side::kSell, Side::kBuy}) {
    const Intent intent = gateway.intent(side, "0.5", "59990");
    gateway.core.on_intent(intent, context);
    EXPECT_EQ(gateway.core.row(gateway.core.find(intent.id)).reason, Reason::kRingFull);
  }
}

TEST(ExecutionOutlet, AReductionPassesWhileItsStrategyIsOwed) {
  Gateway gateway(roomy_rules());
  const std::uint32_t held = gateway.work(Side::kBuy, "1");
  gateway.fill(held, 1, "60000", "1", "1");
  gateway.tick(kMs);
  gateway.audit("0.9975");
  IntentContext context = gateway.context();
  context.execution_ring_room = false;
  const Intent sell = gateway.intent(Side::kSell, "0.5", "59990");
  gateway.core.on_intent(sell, context);
  EXPECT_EQ(gateway.core.row(gateway.core.find(sell.id)).state, OrderState::kSubmitting);
  const Intent buy = gateway.intent(Side::kBuy, "0.6", "59980");
  gateway.core.on_intent(buy, context);
  EXPECT_EQ(gateway.core.row(gateway.core.find(buy.id)).reason, Reason::kRingFull);
}

struct Live {
  std::uint32_t row;
  int tenths{0};
};

void run_random(std::uint64_t seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const auto below = [&](std::uint64_t n) { return random() % n; };
  Rig rig;
  std::vector<Live> live;
  std::uint64_t execution_id = 0;
  for (int step = 0; step < 400; ++step) {
    rig.gateway.tick(kMs);
    rig.tell();
    if (live.empty() || (below(4) == 0 && live.size() < 20)) {
      // Buys below all sells: no order is in another's way.
      const bool buy = below(2) == 0 || rig.gateway.strategy_position().position < dec("30");
      const std::string limit = buy ? "599" + std::to_string(10 + below(80)) : "60100";
      const std::uint32_t row = rig.order(buy ? Side::kBuy : Side::kSell, limit);
      if (row != kNoRow && !is_terminal(rig.gateway.core.row(row).state)) {
        rig.gateway.accept(row);
        live.push_back({row});
      }
    } else {
      const std::size_t at = below(live.size());
      Live& order = live[at];
      bool ended = false;
      if (below(5) == 0) {
        rig.gateway.event(order.row, TradeUpdateKind::kCanceled, VenueStatus::kCanceled,
                          "0." + std::to_string(order.tenths));
        ended = true;
      } else {
        ++order.tenths;
        const std::string cum = order.tenths == 10 ? "1" : "0." + std::to_string(order.tenths);
        const bool buy = rig.gateway.core.row(order.row).side == Side::kBuy;
        rig.gateway.fill(order.row, ++execution_id, buy ? "59900" : "60100", "0.1", cum);
        if (below(2) == 0)
          rig.gateway.fee(execution_id, buy, buy ? "0.0003" : "15");
        ended = order.tenths == 10;
      }
      if (ended)
        live.erase(live.begin() + static_cast<std::ptrdiff_t>(at));
    }
    rig.tell();
    if (below(10) == 0)
      rig.strategy_reads(below(12));
    if (below(10) == 0)
      rig.risk_reads(below(12));
  }
  rig.read_all();
  EXPECT_GT(rig.strategy_ring.snapshots, 0U) << "the run lost nothing: it tests nothing";
  EXPECT_GT(rig.risk_ring.snapshots, 0U);
  EXPECT_GT(execution_id, 20U);
  rig.expect_books_agree();
}

TEST(ExecutionOutlet, WhateverWasLostEverybodysBooksAgreeOnceAllIsRead) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed)
    run_random(seed);
}

}  // namespace
}  // namespace sluice::testing
