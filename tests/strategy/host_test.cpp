#include "common/strategy/host.hpp"

#include <gtest/gtest.h>

#include "common/base/error.hpp"
#include "tests/strategy/fixture.hpp"

namespace sluice {
namespace {

using test::execution_of;
using test::kMs;
using test::kOne;
using test::quote_at;

// Buys one lot on every quote, and on everything else when told to; keeps what it was told.
class Scripted final : public Strategy {
 public:
  void on_market(const MarketEvent&, StrategyContext& context) noexcept override {
    ++market;
    buy(context);
  }
  void buy(StrategyContext& context) noexcept {
    status = context.submit({.instrument = 0,
                             .side = Side::kBuy,
                             .type = OrderType::kLimit,
                             .tif = TimeInForce::kGtc,
                             .qty = qty,
                             .limit = limit},
                            last);
  }
  void on_execution(const Execution&, StrategyContext& context) noexcept override {
    position_seen = context.position(0);
    buy_if_eager(context);
  }
  void on_verdict(const Verdict&, StrategyContext& context) noexcept override {
    buy_if_eager(context);
  }
  void on_command(const Command&, StrategyContext& context) noexcept override {
    cancelled = context.cancel(last);
    buy_if_eager(context);
  }
  void on_time(StrategyContext& context) noexcept override { buy_if_eager(context); }
  void buy_if_eager(StrategyContext& context) noexcept {
    if (eager)
      buy(context);
  }

  Qty qty{kOne};
  Price limit{100 * kOne};
  SubmitStatus status{};
  IntentId last{};
  std::int64_t position_seen{0};
  int market{0};
  bool cancelled{false};
  bool eager{false};
};

class HostTest : public testing::Test {
 protected:
  InstrumentTable table = test::one_instrument();
  Scripted strategy;
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
                    strategy,
                    output};
};

TEST_F(HostTest, IntentCarriesIdentityCauseAndDeadline) {
  host.on_market(quote_at({7}, 100, 101), {1000});
  ASSERT_EQ(output.intents.size(), 1u);
  const Intent& intent = output.intents[0];
  EXPECT_EQ(intent.id, (IntentId{.incarnation = 5, .strategy = 2, .reserved = 0, .sequence = 1}));
  EXPECT_EQ(intent.cause.receive_ns.ns, 7);
  EXPECT_EQ(intent.cause.feed, 3);
  EXPECT_EQ(intent.decided_ns.ns, 1000);
  EXPECT_EQ(intent.deadline_ns.ns, 1000 + 500 * kMs);
}

// The last tick may be of another instrument, and long ago: it caused none of these.
TEST_F(HostTest, OnlyWhatAMarketEventLedToNamesIt) {
  host.on_market(quote_at({7}, 100, 101), {1000});
  strategy.eager = true;
  const Intent first = output.intents[0];
  host.on_time({1001});
  host.on_command(Command{}, {1002});
  Verdict verdict;
  verdict.intent = first.id;
  verdict.decision = Decision::kApproved;
  host.on_verdict(verdict, {1003});
  host.on_execution(execution_of(first, ExecutionKind::kFill, OrderState::kPartial, Qty{1}, Qty{1}),
                    {1004});
  ASSERT_EQ(output.intents.size(), 5u);
  for (std::size_t i = 1; i < 5; ++i)
    EXPECT_EQ(output.intents[i].cause, Cause{}) << i;
  host.on_market(quote_at({9}, 100, 101), {1005});
  EXPECT_EQ(output.intents.back().cause.receive_ns.ns, 9);
}

TEST_F(HostTest, RefusedIntentLeavesNoTraceAndNoHoleInTheSequence) {
  output.credit = 0;
  host.on_market(quote_at({7}, 100, 101), {8});
  EXPECT_EQ(strategy.status, SubmitStatus::kNoCredit);
  EXPECT_EQ(host.open_order_count(), 0u);
  output.credit = 10;
  host.on_market(quote_at({9}, 100, 101), {10});
  ASSERT_EQ(output.intents.size(), 1u);
  EXPECT_EQ(output.intents[0].id.sequence, 1u);
}

TEST_F(HostTest, OffTickOffLotAndForeignInstrumentsAreRefusedNeverRounded) {
  strategy.limit = Price{100 * kOne + 1};
  host.on_market(quote_at({7}, 100, 101), {8});
  EXPECT_EQ(strategy.status, SubmitStatus::kMalformed);
  strategy.limit = Price{100 * kOne};
  strategy.qty = Qty{1};
  host.on_market(quote_at({8}, 100, 101), {9});
  EXPECT_EQ(strategy.status, SubmitStatus::kMalformed);
  EXPECT_TRUE(output.intents.empty());
}

TEST_F(HostTest, OldEventUpdatesStateButRaisesNoIntent) {
  host.on_market(quote_at({1}, 100, 101), {2000 * kMs});
  EXPECT_EQ(strategy.market, 1);
  EXPECT_EQ(strategy.status, SubmitStatus::kSuppressed);
  EXPECT_TRUE(output.intents.empty());
  EXPECT_EQ(host.counters().stale, 1u);
}

TEST_F(HostTest, FillMovesThePositionNetOfTheBaseFee) {
  host.on_market(quote_at({7}, 100, 101), {8});
  const Intent intent = output.intents[0];
  host.on_execution(execution_of(intent, ExecutionKind::kFill, OrderState::kPartial, Qty{kOne / 2},
                                 Qty{kOne / 2}, kOne / 800),
                    {9});
  EXPECT_EQ(host.position_of(0), kOne / 2 - kOne / 800);
  EXPECT_EQ(strategy.position_seen, host.position_of(0));
  EXPECT_EQ(host.open_order_count(), 1u);
  host.on_execution(
      execution_of(intent, ExecutionKind::kCancelled, OrderState::kCancelled, {}, Qty{kOne / 2}),
      {10});
  EXPECT_EQ(host.open_order_count(), 0u);
}

TEST_F(HostTest, FeeRecordCorrectsTheEstimateByItsDifference) {
  host.on_market(quote_at({7}, 100, 101), {8});
  const Intent intent = output.intents[0];
  host.on_execution(
      execution_of(intent, ExecutionKind::kFill, OrderState::kFilled, Qty{kOne}, Qty{kOne}, 100),
      {9});
  host.on_execution(
      execution_of(intent, ExecutionKind::kFee, OrderState::kFilled, {}, Qty{kOne}, -40), {10});
  EXPECT_EQ(host.position_of(0), kOne - 60);
}

TEST_F(HostTest, RefusingVerdictEndsTheOrder) {
  host.on_market(quote_at({7}, 100, 101), {8});
  Verdict verdict;
  verdict.intent = output.intents[0].id;
  verdict.decision = Decision::kRefused;
  host.on_verdict(verdict, {9});
  EXPECT_EQ(host.open_order_count(), 0u);
}

TEST_F(HostTest, RepeatedCancelsOfOneOrderAreCoalesced) {
  host.on_market(quote_at({7}, 100, 101), {8});
  host.on_command({}, {9});
  host.on_command({}, {10});
  EXPECT_TRUE(strategy.cancelled);
  ASSERT_EQ(output.cancels.size(), 1u);
  EXPECT_EQ(output.cancels[0].order, strategy.last);
}

TEST_F(HostTest, AdoptedPositionSkipsExecutionsAlreadyInIt) {
  host.adopt_position(0, 3 * kOne, 50);
  host.on_market(quote_at({7}, 100, 101), {8});
  Execution old = execution_of(output.intents[0], ExecutionKind::kFill, OrderState::kPartial,
                               Qty{kOne}, Qty{kOne});
  old.n = 50;
  host.on_execution(old, {9});
  EXPECT_EQ(host.position_of(0), 3 * kOne);
  old.n = 51;
  host.on_execution(old, {9});
  EXPECT_EQ(host.position_of(0), 4 * kOne);
}

TEST_F(HostTest, OrdersOfADeadGatewayAreForgottenWhenTheNextOneSpeaks) {
  constexpr std::uint64_t kFirst = std::uint64_t{1} << kEventIncarnationShift;
  host.on_market(quote_at({7}, 100, 101), {8});
  Execution e =
      execution_of(output.intents[0], ExecutionKind::kAccepted, OrderState::kSubmitted, {}, {});
  e.n = kFirst + 1;
  host.on_execution(e, {9});
  EXPECT_EQ(host.open_order_count(), 1u);
  Execution session;
  session.kind = ExecutionKind::kSession;
  session.n = 2 * kFirst + 1;
  host.on_execution(session, {10});
  EXPECT_EQ(host.open_order_count(), 0u);
}

TEST_F(HostTest, ExecutionsOfALaterGatewayAreNeverTakenForOld) {
  constexpr std::uint64_t kFirst = std::uint64_t{1} << kEventIncarnationShift;
  host.adopt_position(0, kOne, kFirst + 12'276);
  host.on_market(quote_at({7}, 100, 101), {8});
  Execution e = execution_of(output.intents[0], ExecutionKind::kFill, OrderState::kPartial,
                             Qty{kOne}, Qty{kOne});
  e.n = 2 * kFirst + 3;
  host.on_execution(e, {9});
  EXPECT_EQ(host.position_of(0), 2 * kOne);
}

TEST_F(HostTest, OpenOrdersAreBounded) {
  for (int i = 0; i < 100; ++i)
    host.on_market(quote_at({7 + i}, 100, 101), {8 + i});
  EXPECT_EQ(host.open_order_count(), StrategyHost::kMaxOpenOrders);
  EXPECT_EQ(strategy.status, SubmitStatus::kTooManyOpen);
  EXPECT_EQ(output.intents.size(), StrategyHost::kMaxOpenOrders);
}

TEST_F(HostTest, GapIsCountedWithWhatWasLost) {
  MarketEvent gap;
  gap.set_body(MarketKind::kGap, Gap{.lost = 17, .next = {5}, .reserved = {}});
  host.on_market(gap, {9});
  EXPECT_EQ(host.counters().gaps, 1u);
  EXPECT_EQ(host.counters().lost, 17u);
  EXPECT_EQ(strategy.market, 0);
}

TEST(Host, IncarnationZeroIsRefused) {
  InstrumentTable table = test::one_instrument();
  Scripted strategy;
  test::Recorder output;
  EXPECT_THROW(StrategyHost({}, table, strategy, output), Error);
}

}  // namespace
}  // namespace sluice
