// What strategies and risk make of executions around a restart, theirs or the gateway's.

#include <gtest/gtest.h>

#include "tests/procs/execution_rig.hpp"

namespace sluice::testing {
namespace {

TEST(ExecutionsAfterARestart, ASnapshotOlderThanTheAdoptedPositionDoesNotTakeItBack) {
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

TEST(ExecutionsAfterARestart, APositionEarnedUnderAnEarlierGatewayOutlivesASnapshot) {
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

TEST(ExecutionsAfterARestart, WhoAdoptsANewGatewaysRowsSkipsWhatTheRingHoldsOfTheOneBefore) {
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
TEST(ExecutionsAfterARestart, WhatTradedWithoutAGatewayOutlivesASnapshot) {
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

TEST(ExecutionsAfterARestart, AnEndThatTheBoardHadAlreadyDoesNotEndAnOrderThatCameBack) {
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

TEST(ExecutionsAfterARestart, ASnapshotOlderThanTheBoardsOpensNoReservation) {
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

}  // namespace
}  // namespace sluice::testing
