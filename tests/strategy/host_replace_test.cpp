// Replaces as a strategy meets them: what the host publishes, and how the two orders of a chain
// stand in its book until the replace is resolved.
#include <gtest/gtest.h>

#include "common/strategy/host.hpp"
#include "tests/strategy/fixture.hpp"

namespace sluice {
namespace {

using test::execution_of;
using test::kMs;
using test::kOne;
using test::quote_at;

// Does in each market event what the test says.
class Hands final : public Strategy {
 public:
  void on_market(const MarketEvent&, StrategyContext& c) noexcept override {
    context = &c;
    if (!replaces.is_none()) {
      status = c.replace(replaces, qty, limit, last);
    } else if (cancels.is_none()) {
      status = c.submit({.instrument = 0,
                         .side = Side::kBuy,
                         .type = type,
                         .tif = TimeInForce::kGtc,
                         .qty = qty,
                         .limit = type == OrderType::kLimit ? limit : Price{}},
                        last);
    } else {
      c.cancel(cancels);
    }
  }
  void on_execution(const Execution&, StrategyContext&) noexcept override {}
  void on_verdict(const Verdict&, StrategyContext&) noexcept override {}
  void on_command(const Command&, StrategyContext&) noexcept override {}
  void on_time(StrategyContext&) noexcept override {}

  OrderType type{OrderType::kLimit};
  Qty qty{kOne};
  Price limit{100 * kOne};
  IntentId replaces{};
  IntentId cancels{};
  SubmitStatus status{};
  IntentId last{};
  StrategyContext* context{nullptr};
};

class HostReplace : public testing::Test {
 protected:
  void turn() {
    now += 1;
    host.on_market(quote_at({now}, 100, 101), {now});
  }
  Intent submit() {
    hands.replaces = {};
    hands.qty = Qty{kOne};
    turn();
    return output.intents.back();
  }
  SubmitStatus replace(const Intent& old, Qty qty, Price limit = {101 * kOne}) {
    hands.replaces = old.id;
    hands.qty = qty;
    hands.limit = limit;
    turn();
    return hands.status;
  }
  void tell(const Intent& intent, ExecutionKind kind, OrderState state, Qty qty = {}, Qty cum = {},
            Qty leaves = {}) {
    Execution e = execution_of(intent, kind, state, qty, cum);
    e.leaves = leaves;
    host.on_execution(e, {++now});
  }
  [[nodiscard]] const OwnOrder* order(const Intent& i) const { return hands.context->order(i.id); }
  [[nodiscard]] Qty working() const { return hands.context->working(0, Side::kBuy); }

  InstrumentTable table = test::one_instrument();
  Hands hands;
  test::Recorder output;
  StrategyHost host{{.strategy = 2,
                     .incarnation = 5,
                     .account = 0,
                     .venue = 0,
                     .feed = 3,
                     .instruments = {0},
                     .intent_deadline_ns = 500 * kMs,
                     .max_event_age_ns = 1000 * kMs},
                    table,
                    hands,
                    output};
  std::int64_t now{1000};
};

TEST_F(HostReplace, IntentNamesTheOldOrderAndTheNewTotal) {
  const Intent old = submit();
  ASSERT_EQ(replace(old, Qty{2 * kOne}), SubmitStatus::kOk);
  const Intent& intent = output.intents.back();
  EXPECT_EQ(intent.kind, IntentKind::kReplace);
  EXPECT_EQ(intent.replaces, old.id);
  EXPECT_EQ(intent.id, hands.last);
  EXPECT_NE(intent.id, old.id);
  EXPECT_EQ(intent.requested, Qty{2 * kOne});
  EXPECT_EQ(intent.side, Side::kBuy);
  EXPECT_EQ(intent.tif, TimeInForce::kGtc);
  EXPECT_EQ(intent.deadline_ns.ns, now + 500 * kMs);
}

TEST_F(HostReplace, BothOrdersAreInTheBookUntilItIsResolved) {
  const Intent old = submit();
  replace(old, Qty{2 * kOne});
  const Intent next = output.intents.back();
  EXPECT_EQ(host.open_order_count(), 2u);
  EXPECT_EQ(working(), Qty{2 * kOne}) << "the larger of the two";
  EXPECT_TRUE(order(old)->replace_in_flight());
  EXPECT_EQ(order(old)->replaced_by, next.id);
  EXPECT_EQ(order(next)->replaces, old.id);
  tell(old, ExecutionKind::kReplaced, OrderState::kReplaced);
  EXPECT_EQ(order(old), nullptr);
  EXPECT_EQ(host.open_order_count(), 1u);
  EXPECT_EQ(replace(next, Qty{3 * kOne}), SubmitStatus::kOk) << "may be replaced in turn";
}

TEST_F(HostReplace, ExecutionOfTheOldCountsForTheChain) {
  const Intent old = submit();
  replace(old, Qty{2 * kOne});
  const Intent next = output.intents.back();
  tell(old, ExecutionKind::kFill, OrderState::kPartial, Qty{kOne / 4}, Qty{kOne / 4},
       Qty{kOne * 3 / 4});
  EXPECT_EQ(order(next)->filled, Qty{kOne / 4});
  EXPECT_EQ(working(), Qty{kOne * 7 / 4});
  tell(old, ExecutionKind::kFill, OrderState::kFilled, Qty{kOne * 3 / 4}, Qty{kOne});
  EXPECT_EQ(order(next)->filled, Qty{kOne});
  EXPECT_EQ(working(), Qty{kOne});
  tell(next, ExecutionKind::kReplaceRejected, OrderState::kRejected);
  EXPECT_EQ(working(), Qty{});
  EXPECT_EQ(host.position_of(0), kOne);
}

TEST_F(HostReplace, SuccessorsExecutionsAddToWhatTheChainTraded) {
  const Intent old = submit();
  tell(old, ExecutionKind::kFill, OrderState::kPartial, Qty{kOne / 4}, Qty{kOne / 4},
       Qty{kOne * 3 / 4});
  replace(old, Qty{2 * kOne});
  const Intent next = output.intents.back();
  tell(old, ExecutionKind::kReplaced, OrderState::kReplaced, {}, Qty{kOne / 4});
  tell(next, ExecutionKind::kFill, OrderState::kPartial, Qty{kOne}, Qty{kOne}, Qty{kOne * 3 / 4});
  EXPECT_EQ(order(next)->filled, Qty{kOne * 5 / 4});
  EXPECT_EQ(order(next)->leaves(), Qty{kOne * 3 / 4});
  EXPECT_EQ(host.position_of(0), kOne * 5 / 4);
}

TEST_F(HostReplace, RefusalLeavesTheOldFreeToBeReplacedAgain) {
  for (const bool by_risk : {true, false}) {
    const Intent old = submit();
    ASSERT_EQ(replace(old, Qty{2 * kOne}), SubmitStatus::kOk);
    const Intent next = output.intents.back();
    EXPECT_EQ(replace(old, Qty{3 * kOne}), SubmitStatus::kReplaceInFlight);
    EXPECT_EQ(replace(next, Qty{3 * kOne}), SubmitStatus::kReplaceInFlight);
    if (by_risk) {
      Verdict verdict;
      verdict.intent = next.id;
      verdict.decision = Decision::kRefused;
      host.on_verdict(verdict, {++now});
    } else {
      tell(next, ExecutionKind::kRefused, OrderState::kFailed);
    }
    EXPECT_EQ(order(next), nullptr);
    EXPECT_FALSE(order(old)->replace_in_flight());
    EXPECT_EQ(replace(old, Qty{3 * kOne}), SubmitStatus::kOk);
  }
}

TEST_F(HostReplace, WhatCannotBeReplacedIsSaid) {
  const Intent old = submit();
  tell(old, ExecutionKind::kFill, OrderState::kPartial, Qty{kOne / 2}, Qty{kOne / 2},
       Qty{kOne / 2});
  EXPECT_EQ(replace(old, Qty{kOne / 2}), SubmitStatus::kMalformed) << "all of it is traded";
  EXPECT_EQ(replace(old, Qty{kOne}, Price{1}), SubmitStatus::kMalformed) << "off tick";
  Intent stranger = old;
  stranger.id.sequence = 99;
  EXPECT_EQ(replace(stranger, Qty{kOne}), SubmitStatus::kNoOrder);
  hands.type = OrderType::kMarket;
  const Intent market = submit();
  EXPECT_EQ(replace(market, Qty{2 * kOne}), SubmitStatus::kNoOrder);
  tell(old, ExecutionKind::kCancelled, OrderState::kCancelled);
  EXPECT_EQ(replace(old, Qty{2 * kOne}), SubmitStatus::kNoOrder);
  output.credit = output.intents.size();
  hands.type = OrderType::kLimit;
  EXPECT_EQ(host.counters().no_credit, 0u);
}

TEST_F(HostReplace, WithoutCreditNothingIsInFlight) {
  const Intent old = submit();
  output.credit = output.intents.size();
  EXPECT_EQ(replace(old, Qty{2 * kOne}), SubmitStatus::kNoCredit);
  EXPECT_FALSE(order(old)->replace_in_flight());
  EXPECT_EQ(host.open_order_count(), 1u);
}

TEST_F(HostReplace, CancelOfOneOrderIsTheCancelOfTheChain) {
  const Intent old = submit();
  replace(old, Qty{2 * kOne});
  const Intent next = output.intents.back();
  hands.replaces = {};
  hands.cancels = next.id;
  turn();
  hands.cancels = old.id;
  turn();
  ASSERT_EQ(output.cancels.size(), 1u);
  EXPECT_EQ(output.cancels[0].order, next.id);
  hands.cancels = {};
  tell(old, ExecutionKind::kReplaced, OrderState::kReplaced);
  EXPECT_EQ(replace(next, Qty{3 * kOne}), SubmitStatus::kCancelled);
}

}  // namespace
}  // namespace sluice
