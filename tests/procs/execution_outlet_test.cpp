// What strategies and risk make of executions when their rings were full:
// procs/order_gateway/execution_outlet.hpp, with the real gateway core, strategy host and risk
// core.
//
// The method of the random test: orders live and trade while both consumers read now and then from
// rings of eight slots. Whatever was lost, once all is read both agree with the gateway's books.

#include "procs/order_gateway/execution_outlet.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <random>

#include "common/strategy/host.hpp"
#include "tests/trading/risk_fixture.hpp"

namespace sluice::testing {
namespace {

struct FewSlots {
  bool try_push(const Execution& e) noexcept {
    if (queue.size() == slots)
      return false;
    queue.push_back(e);
    return true;
  }
  [[nodiscard]] std::uint64_t free_slots() const noexcept { return slots - queue.size(); }
  [[nodiscard]] std::uint64_t capacity() const noexcept { return slots; }
  void note_drop() noexcept { ++drops; }
  void note_gap() noexcept { ++gaps; }
  void note_snapshot() noexcept { ++snapshots; }
  void set_owed(std::uint64_t rows) noexcept { owed = rows; }

  std::size_t slots{8};
  std::deque<Execution> queue;
  std::uint64_t drops{0};
  std::uint64_t gaps{0};
  std::uint64_t snapshots{0};
  std::uint64_t owed{0};
};
using Outlet = ExecutionOutlet<FewSlots>;

// Does what the test asks for; remembers the last thing it was told.
class Puppet final : public Strategy {
 public:
  void on_market(const MarketEvent&, StrategyContext&) noexcept override {}
  void on_execution(const Execution& e, StrategyContext&) noexcept override { heard = e; }
  void on_verdict(const Verdict&, StrategyContext&) noexcept override {}
  void on_command(const Command&, StrategyContext&) noexcept override {}
  void on_time(StrategyContext& context) noexcept override {
    IntentId id;
    status = context.submit(wanted, id);
    if (status == SubmitStatus::kOk)
      orders.push_back(id);
  }
  OrderRequest wanted{};
  SubmitStatus status{};
  std::vector<IntentId> orders;
  Execution heard{};
};

class Intents final : public StrategyOutput {
 public:
  [[nodiscard]] bool intent(Intent& intent) noexcept override {
    last = intent;
    return true;
  }
  [[nodiscard]] bool cancel(Cancel&) noexcept override { return true; }
  Intent last{};
};

RiskRules wide_rules() {
  RiskRules r = risk_rules();
  for (RiskInstrument& i : r.instruments) {
    i.max_position = qty("1000");
    i.max_exposure = cash("90000000");
  }
  for (RiskStrategy& s : r.strategies) {
    s.max_position = qty("1000");
    s.budget = cash("90000000");
  }
  r.gross_exposure = cash("90000000");
  r.open_orders = 64;
  r.reservations = 1024;
  r.market_data_max_age_ns = 0;  // one quote has to do
  return r;
}

GatewayRules roomy_rules() {
  GatewayRules r = gateway_rules();
  r.order_rows = 1024;
  r.gate.open_orders = 64;
  r.gate.duplicate_within_ns = 0;
  r.strategy_orders_per_second = 10'000;
  for (InstrumentCeilings& c : r.gate.instruments)
    c.position = qty("1000");
  return r;
}

class Rig {
 public:
  explicit Rig(const GatewayRules& rules = roomy_rules())
      : gateway(rules), risk(wide_rules(), gateway.table, 3) {
    MarketEvent quote;
    quote.instrument = kBtc;
    quote.receive_ns = gateway.now;
    quote.set_body(MarketKind::kQuote, Quote{px("59990"), qty("1"), px("60000"), qty("1")});
    risk.on_session(0, 1);
    risk.on_market(quote);
    Execution session;
    session.kind = ExecutionKind::kSession;
    session.instrument = kNoInstrument;
    session.n = gateway.core.event_number();
    for (Outlet* outlet : {&to_strategy, &to_risk})
      outlet->tell(session);
    tell();
  }

  // What the gateway's shell does after an event.
  void tell() {
    for (; told < gateway.out.executions.size(); ++told) {
      const Execution& e = gateway.out.executions[told];
      to_risk.tell(e);
      if (e.intent.strategy == 0)
        to_strategy.tell(e);
    }
    to_strategy.settle();
    to_risk.settle();
  }

  // The row, or kNoRow when host, risk or gate refused.
  std::uint32_t order(Side side, std::string_view limit) {
    puppet.wanted = {.instrument = kBtc,
                     .side = side,
                     .type = OrderType::kLimit,
                     .tif = TimeInForce::kGtc,
                     .qty = qty("1"),
                     .limit = px(limit)};
    host.on_time(gateway.now);
    if (puppet.status != SubmitStatus::kOk)
      return kNoRow;
    Intent intent = intents.last;
    const RiskDecision decision = risk.on_intent(intent, 0, true, gateway.now);
    if (decision.decision == Decision::kRefused) {
      host.on_verdict(RiskCore::verdict(intent, decision, gateway.now), gateway.now);
      return kNoRow;
    }
    const std::uint32_t row = gateway.send(intent);
    tell();
    return row;
  }

  void strategy_reads(std::size_t limit) {
    for (; limit != 0 && !strategy_ring.queue.empty(); --limit) {
      host.on_execution(strategy_ring.queue.front(), gateway.now);
      strategy_ring.queue.pop_front();
    }
  }
  void risk_reads(std::size_t limit) {
    for (; limit != 0 && !risk_ring.queue.empty(); --limit) {
      risk.on_execution(risk_ring.queue.front());
      risk_ring.queue.pop_front();
    }
  }
  void read_all() {
    do {
      strategy_reads(100);
      risk_reads(100);
      tell();
    } while (!strategy_ring.queue.empty() || !risk_ring.queue.empty());
  }

  void expect_books_agree() {
    const std::int64_t position = gateway.strategy_position().position;
    EXPECT_EQ(host.position_of(kBtc), position);
    EXPECT_EQ(risk.position(0, kBtc), position);
    std::uint32_t live = 0;
    for (const IntentId& id : puppet.orders) {
      const std::uint32_t row = gateway.core.find(id);
      live += row != kNoRow && !is_terminal(gateway.core.row(row).state) ? 1U : 0U;
    }
    EXPECT_EQ(host.open_order_count(), live);
    EXPECT_EQ(risk.open_orders(), live);
  }

  Gateway gateway;
  FewSlots strategy_ring;
  FewSlots risk_ring;
  Outlet to_strategy{strategy_ring, gateway.core, 1024, 64};
  Outlet to_risk{risk_ring, gateway.core, 1024, 64};
  Puppet puppet;
  Intents intents;
  StrategyHost host{HostOptions{.strategy = 0,
                                .incarnation = 1,
                                .account = 0,
                                .venue = 0,
                                .feed = 0,
                                .instruments = {kBtc},
                                .intent_deadline_ns = 500 * kMs,
                                .max_event_age_ns = 0},
                    gateway.table, puppet, intents};
  RiskCore risk;
  std::size_t told{0};
};

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

TEST(ExecutionOutlet, ASnapshotOlderThanTheAdoptedPositionDoesNotTakeItBack) {
  Rig rig;
  rig.host.adopt_position(kBtc, dec("3"), 1'000);
  Execution old;
  old.kind = ExecutionKind::kSnapshot;
  old.n = 999;
  old.instrument = kBtc;
  old.qty = qty("1");
  rig.host.on_execution(old, rig.gateway.now);
  EXPECT_EQ(rig.host.position_of(kBtc), dec("3"));
  old.n = 1'000;
  rig.host.on_execution(old, rig.gateway.now);
  EXPECT_EQ(rig.host.position_of(kBtc), dec("1"));
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

TEST(ExecutionOutlet, APositionEarnedUnderAnEarlierGatewayOutlivesASnapshot) {
  Rig rig;
  Execution fill;  // of the gateway before
  fill.n = 7;
  fill.kind = ExecutionKind::kFill;
  fill.state = OrderState::kFilled;
  fill.side = Side::kBuy;
  fill.intent = {.incarnation = 1, .strategy = 0, .reserved = 0, .sequence = 1'000'000};
  fill.instrument = kBtc;
  fill.qty = fill.cum_qty = qty("1");
  fill.fee_asset = rig.gateway.table[kBtc].quote_asset;
  rig.host.on_execution(fill, rig.gateway.now);
  rig.risk.on_execution(fill);
  ASSERT_EQ(rig.host.position_of(kBtc), dec("1"));
  const std::uint32_t row = rig.order(Side::kBuy, "60000");
  ASSERT_NE(row, kNoRow);
  rig.gateway.accept(row);
  rig.tell();
  rig.read_all();
  rig.strategy_ring.slots = rig.risk_ring.slots = 0;
  rig.gateway.fill(row, 1, "60000", "0.4", "0.4");
  rig.tell();
  rig.strategy_ring.slots = rig.risk_ring.slots = 8;
  rig.tell();
  rig.read_all();
  EXPECT_EQ(rig.host.position_of(kBtc), dec("1.399"));
  EXPECT_EQ(rig.risk.position(0, kBtc), dec("1.399"));
}

TEST(ExecutionOutlet, WhoAdoptsANewGatewaysRowsSkipsWhatTheRingHoldsOfTheOneBefore) {
  Rig rig;
  RiskCore risk(wide_rules(), rig.gateway.table, 4);
  const std::uint64_t rows = event_before_all_of(2);
  rig.host.adopt_position(kBtc, 0, rows);
  risk.adopt_position(0, kBtc, 0, rows);
  Execution e;
  e.kind = ExecutionKind::kFill;
  e.state = OrderState::kPartial;
  e.side = Side::kBuy;
  e.instrument = kBtc;
  e.qty = qty("1");
  e.approved = qty("9");
  e.fee_asset = rig.gateway.table[kBtc].quote_asset;
  const auto hear = [&](std::uint64_t n, std::uint64_t sequence, std::string_view cum) {
    e.n = n;
    e.intent = {.incarnation = 1, .strategy = 0, .reserved = 0, .sequence = sequence};
    e.cum_qty = qty(cum);
    rig.host.on_execution(e, rig.gateway.now);
    risk.on_execution(e);
  };
  for (std::uint64_t i = 1; i <= 3; ++i)  // all that was unread when the first gateway died
    hear(event_before_all_of(1) + i, 1'000, std::to_string(i));
  EXPECT_EQ(rig.host.position_of(kBtc), 0);
  EXPECT_EQ(risk.position(0, kBtc), 0);
  EXPECT_EQ(risk.open_orders(), 0U);
  hear(rows + 5, 1'001, "1");
  EXPECT_EQ(rig.host.position_of(kBtc), dec("1"));
  EXPECT_EQ(risk.position(0, kBtc), dec("1"));
}

// An order that traded while no gateway lived is adopted with what it has; that is in no book of
// the new gateway's, and its snapshots must not take it away from risk again.
TEST(ExecutionOutlet, WhatTradedWithoutAGatewayOutlivesASnapshot) {
  Rig rig;
  const std::uint32_t row = rig.order(Side::kBuy, "60000");
  rig.gateway.accept(row);
  rig.tell();
  rig.read_all();
  Execution e;
  e.n = event_before_all_of(2) + 1;
  e.kind = ExecutionKind::kSession;
  e.instrument = kNoInstrument;
  rig.risk.on_execution(e);
  e.n = event_before_all_of(2) + 2;
  e.kind = ExecutionKind::kAccepted;
  e.state = OrderState::kPartial;
  e.side = Side::kBuy;
  e.instrument = kBtc;
  e.intent = rig.puppet.orders.front();
  e.approved = e.requested = qty("1");
  e.cum_qty = qty("0.4");
  e.leaves = qty("0.6");
  rig.risk.on_execution(e);
  ASSERT_EQ(rig.risk.position(0, kBtc), dec("0.4"));
  e.n = event_before_all_of(2) + 3;  // told in full: 0.1 more, in the gateway's book
  e.kind = ExecutionKind::kFill;
  e.qty = qty("0.1");
  e.cum_qty = qty("0.5");
  e.leaves = qty("0.5");
  rig.risk.on_execution(e);
  ASSERT_EQ(rig.risk.position(0, kBtc), dec("0.5"));
  e.n = event_before_all_of(2) + 9;
  e.kind = ExecutionKind::kSnapshot;
  e.cum_qty = qty("0.7");
  e.leaves = qty("0.3");
  e.qty = qty("0.3");  // the strategy's position in the gateway's book
  rig.risk.on_execution(e);
  EXPECT_EQ(rig.risk.position(0, kBtc), dec("0.7"));
}

TEST(ExecutionOutlet, AnEndThatTheBoardHadAlreadyDoesNotEndAnOrderThatCameBack) {
  Rig rig;
  RiskCore risk(wide_rules(), rig.gateway.table, 4);
  OrderRow back;  // taken for not sent at 100, found alive at 120
  back.id = {.incarnation = 1, .strategy = 0, .reserved = 0, .sequence = 5};
  back.instrument = kBtc;
  back.side = Side::kBuy;
  back.state = OrderState::kSubmitted;
  back.approved = qty("1");
  risk.adopt_position(0, kBtc, 0, 120);
  risk.adopt_order(back);
  Execution e;
  e.n = 100;
  e.kind = ExecutionKind::kNotSent;
  e.state = OrderState::kFailed;
  e.intent = back.id;
  e.instrument = kBtc;
  risk.on_execution(e);
  EXPECT_EQ(risk.open_orders(), 1U);
}

TEST(ExecutionOutlet, ASnapshotOlderThanTheBoardsOpensNoReservation) {
  Rig rig;
  RiskCore risk(wide_rules(), rig.gateway.table, 4);
  risk.adopt_position(0, kBtc, dec("1"), 1'000);
  Execution e;
  e.kind = ExecutionKind::kSnapshot;
  e.n = 900;
  e.state = OrderState::kSubmitted;
  e.side = Side::kSell;
  e.intent = {.incarnation = 1, .strategy = 0, .reserved = 0, .sequence = 5};
  e.instrument = kBtc;
  e.approved = e.requested = e.leaves = e.qty = qty("1");
  risk.on_execution(e);
  e.kind = ExecutionKind::kCancelled;  // also from before the boards
  e.n = 950;
  e.state = OrderState::kCancelled;
  risk.on_execution(e);
  EXPECT_EQ(risk.open_orders(), 0U);
  EXPECT_EQ(risk.reserved(0, kBtc, Side::kSell).raw, 0);
  EXPECT_EQ(risk.position(0, kBtc), dec("1"));
}

TEST(ExecutionOutlet, AStrategyThatDoesNotReadDoesNotTakeTheTableFromTheOthers) {
  GatewayRules rules = roomy_rules();
  rules.order_rows = 32;
  rules.terminal_retention_ns = 0;
  Gateway gateway(rules);
  FewSlots ring;
  ring.slots = 0;
  Outlet outlet(ring, gateway.core, 32, 64);
  gateway.out.owed = [&](std::uint32_t row) { return outlet.owes(row); };
  std::size_t told = 0;
  const std::uint32_t held = gateway.work(Side::kBuy, "1", "60000", 1);
  gateway.fill(held, 1, "60000", "1", "1");
  for (int i = 0; i < 200; ++i) {
    gateway.tick(kMs);
    IntentContext context = gateway.context();
    context.execution_ring_room = outlet.room_for_new_risk();
    gateway.core.on_intent(gateway.intent(Side::kBuy, "0.1", "59000", 0), context);
    for (; told < gateway.out.executions.size(); ++told)
      if (gateway.out.executions[told].intent.strategy == 0)
        outlet.tell(gateway.out.executions[told]);
    outlet.settle();
  }
  gateway.tick(kMs);
  EXPECT_NE(gateway.send(Side::kSell, "0.9", "60000", 1), kNoRow) << "no row for a way out";
  EXPECT_GT(outlet.forgotten(), 0U) << "what is not kept is counted";
}

// Small sells that are cancelled again, from a strategy that reads nothing: each would hold back a
// row of the table for good.
TEST(ExecutionOutlet, ReductionsHoldBackNoMoreRowsThanTheirStrategyMay) {
  GatewayRules rules = roomy_rules();
  rules.order_rows = 64;
  rules.terminal_retention_ns = 0;
  Gateway gateway(rules);
  FewSlots ring;
  ring.slots = 0;
  Outlet outlet(ring, gateway.core, 64, 64);
  gateway.out.owed = [&](std::uint32_t row) { return outlet.owes(row); };
  const OwedLimits most = OwedLimits::of(64, 2);
  std::size_t told = 0;
  const auto tell = [&] {
    for (; told < gateway.out.executions.size(); ++told)
      if (gateway.out.executions[told].intent.strategy == 0)
        outlet.tell(gateway.out.executions[told]);
    outlet.settle();
  };
  const std::uint32_t held = gateway.work(Side::kBuy, "1", "60000");
  gateway.fill(held, 1, "60000", "1", "1");
  gateway.tick(kMs);
  gateway.audit("0.9975");
  tell();
  std::uint32_t passed = 0;
  for (int i = 0; i < 200; ++i) {
    gateway.tick(kMs);
    gateway.audit("0.9975");
    IntentContext context = gateway.context();
    context.execution_ring_room = outlet.room_for_new_risk();
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
    tell();
  }
  EXPECT_GT(passed, 2U) << "a way out for the first ones";
  EXPECT_LE(outlet.owed_orders(), most.strategy);
  gateway.tick(kMs);
  EXPECT_NE(gateway.send(Side::kBuy, "0.1", "60000", 1), kNoRow) << "no row for the others";
  ring.slots = 8;
  for (int i = 0; i < 20; ++i) {
    tell();
    ring.queue.clear();
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
