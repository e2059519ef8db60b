// Executions and fees: each booked once, in whatever order and however often they come.
#include <functional>
#include <numeric>
#include <random>

#include "tests/trading/gateway_fixture.hpp"

namespace sluice::testing {
namespace {

TEST(GatewayFill, BooksPositionCashAndAnEstimatedFee) {
  Gateway g;
  const std::uint32_t row = g.work(Side::kBuy, "1");
  g.fill(row, 1, "60000", "1", "1");
  EXPECT_EQ(g.core.row(row).state, OrderState::kFilled);
  EXPECT_EQ(g.strategy_position().position, dec("0.9975"));
  EXPECT_EQ(g.account_position().position, dec("0.9975"));
  EXPECT_EQ(g.core.account().cash, cash("940000"));
  EXPECT_EQ(g.account_position().working_buy, Qty{});
  EXPECT_EQ(g.core.account().fees_pending, 1U);
  const Execution& e = g.out.executions.back();
  EXPECT_EQ(e.kind, ExecutionKind::kFill);
  EXPECT_EQ(e.state, OrderState::kFilled);
  EXPECT_EQ(e.fee, dec("0.0025"));
  EXPECT_EQ(e.fee_status, FeeStatus::kEstimated);
  EXPECT_EQ(e.fee_asset, g.table[kBtc].base_asset);
  EXPECT_EQ(e.cum_qty, qty("1"));
  EXPECT_EQ(e.leaves, Qty{});
  EXPECT_FALSE(g.core.quiescent()) << "the fee is not final";
}

TEST(GatewayFill, FinalFeeReplacesTheEstimateAndItsExecutionTellsTheDifference) {
  Gateway g;
  const std::uint32_t row = g.work(Side::kBuy, "1");
  g.fill(row, 1, "60000", "1", "1");
  g.fee(1, true, "0.0015");
  EXPECT_EQ(g.strategy_position().position, dec("0.9985"));
  EXPECT_EQ(g.core.row(row).fee_base, dec("0.0015"));
  const Execution& e = g.out.executions.back();
  EXPECT_EQ(e.kind, ExecutionKind::kFee);
  EXPECT_EQ(e.fee, dec("-0.001"));
  EXPECT_EQ(e.fee_status, FeeStatus::kFinal);
  EXPECT_EQ(e.execution_id, (Id128{0xe, 1}));
  EXPECT_TRUE(g.core.quiescent());
}

TEST(GatewayFill, FeeOfASaleIsTakenFromTheCash) {
  Gateway g;
  const std::uint32_t bought = g.work(Side::kBuy, "1");
  TradeUpdate u = g.fill_update(bought, 1, "60000", "1", "1");
  u.has_position = true;
  u.position = dec("0.9975");
  g.venue(u);
  g.fee(1, true, "0.0025");
  const std::uint32_t sold = g.work(Side::kSell, "0.5");
  g.fill(sold, 2, "60000", "0.5", "0.5");
  EXPECT_EQ(g.core.account().cash, cash("969925"));  // 940,000 + 30,000 - 75
  g.fee(2, false, "45");
  EXPECT_EQ(g.core.account().cash, cash("969955"));
  EXPECT_EQ(g.core.row(sold).fee_quote, dec("45"));
  EXPECT_TRUE(g.core.quiescent());
}

TEST(GatewayFill, FeeMayComeBeforeItsExecution) {
  Gateway g;
  const std::uint32_t row = g.work(Side::kBuy, "1");
  g.fee(1, true, "0.0015");
  g.fill(row, 1, "60000", "1", "1");
  EXPECT_EQ(g.strategy_position().position, dec("0.9985"));
  EXPECT_EQ(g.out.executions.back().fee_status, FeeStatus::kFinal);
  EXPECT_TRUE(g.core.quiescent());
}

TEST(GatewayFill, RepeatedFeeCountsOnceAndAnotherAmountHalts) {
  Gateway g;
  const std::uint32_t row = g.work(Side::kBuy, "1");
  g.fill(row, 1, "60000", "1", "1");
  g.fee(1, true, "0.0015");
  g.fee(1, true, "0.0015");
  EXPECT_EQ(g.core.counters().duplicate_fees, 1U);
  EXPECT_EQ(g.strategy_position().position, dec("0.9985"));
  EXPECT_EQ(g.account_position().flags, 0);
  g.fee(1, true, "0.002");
  EXPECT_EQ(g.account_position().flags, kPositionUnknownEvent);
  EXPECT_EQ(g.strategy_position().position, dec("0.9985"));
}

TEST(GatewayFill, DuplicateByExecutionIdIsSilent) {
  Gateway g;
  const std::uint32_t row = g.work(Side::kBuy, "1");
  g.fill(row, 1, "60000", "0.4", "0.4");
  g.fill(row, 1, "60000", "0.4", "0.4");
  EXPECT_EQ(g.core.row(row).filled, qty("0.4"));
  EXPECT_EQ(g.core.counters().duplicate_fills, 1U);
  EXPECT_EQ(g.out.count(ExecutionKind::kFill), 1U);
  EXPECT_EQ(g.out.alerts.size(), 0U);
}

TEST(GatewayFill, SameIdWithOtherFactsHalts) {
  Gateway g;
  const std::uint32_t row = g.work(Side::kBuy, "1");
  g.fill(row, 1, "60000", "0.4", "0.4");
  g.fill(row, 1, "60001", "0.4", "0.4");
  EXPECT_TRUE(g.out.alerted(Alert::kExecutionConflict));
  EXPECT_EQ(g.account_position().flags, kPositionConflict);
}

TEST(GatewayFill, OverlapUnderAnotherIdIsDroppedAloud) {
  Gateway g;
  const std::uint32_t row = g.work(Side::kBuy, "1");
  g.fill(row, 1, "60000", "0.4", "0.4");
  g.fill(row, 2, "60000", "0.3", "0.5");  // (0.2, 0.5] shares (0.2, 0.4]
  EXPECT_EQ(g.core.row(row).filled, qty("0.4"));
  EXPECT_TRUE(g.out.alerted(Alert::kExecutionExcess));
  g.tick(kMs);
  EXPECT_EQ(g.out.count("audit"), 1U);
}

TEST(GatewayFill, NonsenseIsDroppedAloud) {
  Gateway g;
  const std::uint32_t row = g.work(Side::kBuy, "1");
  g.fill(row, 1, "60000", "0.5", "0.4");   // more than its own cumulative
  g.fill(row, 2, "0", "0.4", "0.4");       // no price
  g.fill(row, 3, "60000", "-0.4", "0.4");  // negative
  EXPECT_EQ(g.core.row(row).filled, Qty{});
  EXPECT_EQ(g.core.counters().dropped_fills, 3U);
}

TEST(GatewayFill, CumulativeAboveWhatIsBookedStartsAnAudit) {
  Gateway g;
  const std::uint32_t row = g.work(Side::kBuy, "1");
  g.fill(row, 2, "60000", "0.3", "0.7");
  EXPECT_EQ(g.core.row(row).filled, qty("0.3"));
  EXPECT_EQ(g.core.row(row).venue_filled, qty("0.7"));
  g.tick(2 * kSec - kMs);
  EXPECT_EQ(g.out.count("audit"), 0U);  // it may be on its way
  g.tick(kMs);
  EXPECT_EQ(g.out.count("audit"), 1U);
  EXPECT_NE(g.out.audit_reasons & kAuditGap, 0U);
  FillActivity a;
  a.execution_id = {0xe, 1};
  a.venue_order_id = Gateway::venue_id(row);
  a.instrument = kBtc;
  a.side = Side::kBuy;
  a.px = px("60000");
  a.qty = a.cum_qty = qty("0.4");
  a.venue_ns = {g.now.ns};
  g.venue(a);
  EXPECT_EQ(g.core.row(row).filled, qty("0.7"));
}

TEST(GatewayFill, SnapshotFilledWithoutExecutionsEndsNothing) {
  Gateway g;
  const std::uint32_t row = g.send(Side::kBuy, "1");
  PostResult p = g.post(row, RequestOutcome::kAccepted);
  p.order.status = VenueStatus::kFilled;
  p.order.filled = qty("1");
  g.venue(p);
  EXPECT_FALSE(is_terminal(g.core.row(row).state));
  EXPECT_EQ(g.account_position().position, 0) << "a cumulative is never booked";
  EXPECT_EQ(g.account_position().working_buy, qty("1"));
  g.cancel(row);
  EXPECT_EQ(g.out.count("cancel"), 0U) << "nothing is left to cancel";
  g.fill(row, 1, "60000", "1", "1");
  EXPECT_EQ(g.core.row(row).state, OrderState::kFilled);
}

TEST(GatewayFill, LateFillOnAnEndedOrderCorrectsTheBooks) {
  Gateway g;
  const std::uint32_t row = g.work(Side::kBuy, "1");
  g.event(row, TradeUpdateKind::kCanceled, VenueStatus::kCanceled, "0.4");
  EXPECT_EQ(g.core.row(row).state, OrderState::kCancelled);
  EXPECT_EQ(g.account_position().working_buy, qty("0.4")) << "filled at the venue, not booked yet";
  EXPECT_FALSE(g.core.quiescent());
  TradeUpdate u = g.fill_update(row, 1, "60000", "0.4", "0.4");
  g.venue(u);
  EXPECT_EQ(g.core.row(row).state, OrderState::kCancelled);
  EXPECT_EQ(g.account_position().bought, qty("0.4"));
  EXPECT_EQ(g.account_position().working_buy, Qty{});
  g.fee(1, true, "0.001");
  EXPECT_TRUE(g.core.quiescent());
}

TEST(GatewayFill, OverfillIsBookedAndHalts) {
  Gateway g;
  const std::uint32_t row = g.work(Side::kBuy, "1");
  g.fill(row, 1, "60000", "1", "1");
  g.fill(row, 2, "60000", "0.1", "1.1");
  EXPECT_EQ(g.account_position().bought, qty("1.1"));
  EXPECT_TRUE(g.out.alerted(Alert::kOverfill));
  EXPECT_EQ(g.account_position().flags, kPositionConflict);
}

TEST(GatewayFill, FillWithoutAnIdWaitsForItsActivity) {
  Gateway g;
  const std::uint32_t row = g.work(Side::kBuy, "1");
  TradeUpdate u = g.fill_update(row, 1, "60000", "0.4", "0.4");
  u.execution_id = {};
  g.venue(u);
  EXPECT_EQ(g.core.row(row).filled, Qty{});
  EXPECT_EQ(g.core.row(row).venue_filled, qty("0.4"));
  g.tick(kMs);
  EXPECT_EQ(g.out.count("audit"), 1U);
}

TEST(GatewayFill, ValueThatDoesNotFitQuarantinesTheInstrumentOnly) {
  Gateway g;
  const std::uint32_t row = g.work(Side::kBuy, "1");
  TradeUpdate u = g.fill_update(row, 1, "9223372036.854775807", "1", "1");
  g.venue(u);
  const std::uint32_t other = g.work(Side::kBuy, "1");
  EXPECT_EQ(g.core.row(other).reason, Reason::kNone);
  TradeUpdate v = g.fill_update(other, 2, "9223372036.854775807", "1", "1");
  g.venue(v);  // the cash flow of both does not fit
  EXPECT_NE(g.account_position().flags & kPositionOverflow, 0);
  EXPECT_TRUE(g.out.alerted(Alert::kQuarantined));
  EXPECT_EQ(g.core.positions().account(kEth).halted, 0U);
}

TEST(GatewayFill, EventsThatMayMoveMoneyAndAreNotUnderstoodHalt) {
  for (const TradeUpdateKind kind : {TradeUpdateKind::kTradeBust, TradeUpdateKind::kTradeCorrect,
                                     TradeUpdateKind::kRestated, TradeUpdateKind::kNone}) {
    Gateway g;
    const std::uint32_t row = g.work(Side::kBuy, "1");
    g.event(row, kind, VenueStatus::kNew);
    EXPECT_EQ(g.account_position().flags, kPositionUnknownEvent);
    g.tick(kMs);
    EXPECT_EQ(g.out.count("audit"), 1U);
  }
}

// What the books say, without stamps and event numbers.
std::string books(const Gateway& g, std::uint32_t row) {
  const OrderRow& r = g.core.row(row);
  std::string s = std::string(to_string(r.state)) + " " + to_string(r.filled) + "/" +
                  to_string(r.venue_filled) + " value " + to_string(r.filled_notional) + " fees " +
                  std::to_string(r.fee_base) + " " + std::to_string(r.fee_quote) + " pending " +
                  std::to_string(r.fees_pending) + " executions " + std::to_string(r.executions) +
                  " flags " + std::to_string(r.flags) + " reserved " + to_string(r.reserved_cash);
  for (const PositionRow* p : {&g.account_position(), &g.strategy_position()}) {
    s += " | " + std::to_string(p->position) + " " + std::to_string(p->cash_flow) + " " +
         std::to_string(p->cost) + " " + std::to_string(p->realised) + " " +
         to_string(p->working_buy) + " " + std::to_string(p->flags);
  }
  const AccountRow& a = g.core.account();
  s += " | " + to_string(a.cash) + " " + std::to_string(a.working) + std::to_string(a.in_flight) +
       std::to_string(a.unknown) + " " + std::to_string(a.fees_pending);
  return s;
}

struct Story {
  explicit Story(Gateway& gateway) : g(gateway), row(g.send(Side::kBuy, "1")) {
    answer = g.post(row, RequestOutcome::kAccepted);
    opened.kind = TradeUpdateKind::kNew;
    opened.order = g.snapshot(row, VenueStatus::kNew);
    opened.receive_ns = g.now;
    first = g.fill_update(row, 1, "59999.37", "0.4", "0.4");
    second = g.fill_update(row, 2, "60000", "0.31", "0.71");
    last = g.fill_update(row, 3, "60000.01", "0.29", "1");
  }
  void tell(int what) {
    switch (what) {
      case 0:
        g.venue(answer);
        return;
      case 1:
        g.venue(opened);
        return;
      case 2:
        g.venue(first);
        return;
      case 3:
        g.venue(second);
        return;
      case 4:
        g.venue(last);
        return;
      case 5:
        g.fee(1, true, "0.0006");
        return;
      case 6:
        g.fee(2, true, "0.0007");
        return;
      default:
        g.fee(3, true, "0.0004");
        return;
    }
  }
  Gateway& g;
  std::uint32_t row;
  PostResult answer;
  TradeUpdate opened;
  TradeUpdate first;
  TradeUpdate second;
  TradeUpdate last;
};

TEST(GatewayFill, EveryOrderOfAnswerNewPartialsAndFillGivesTheSameBooks) {
  std::vector<int> order = {0, 1, 2, 3, 4};
  std::string expected;
  int permutations = 0;
  do {
    Gateway g;
    Story story(g);
    for (const int what : order) {
      story.tell(what);
    }
    const std::string got = books(g, story.row);
    if (expected.empty()) {
      expected = got;
    }
    ASSERT_EQ(got, expected) << ::testing::PrintToString(order);
    ASSERT_EQ(g.core.row(story.row).state, OrderState::kFilled);
    ASSERT_EQ(g.out.count(ExecutionKind::kAccepted), 1U);
    ASSERT_EQ(g.out.count(ExecutionKind::kFill), 3U);
    ASSERT_EQ(g.out.alerts.size(), 0U);
    ++permutations;
  } while (std::next_permutation(order.begin(), order.end()));
  EXPECT_EQ(permutations, 120);
}

TEST(GatewayFill, FeesAndRepetitionsInAnyOrderGiveTheSameBooks) {
  const std::uint64_t seed = 7'031'946;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  std::string expected;
  for (int round = 0; round < 400; ++round) {
    std::vector<int> order(16);  // everything twice
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), random);
    Gateway g;
    Story story(g);
    std::int64_t told_fees = 0;
    for (const int what : order) {
      if (what == 8) {
        continue;  // an answer comes once
      }
      story.tell(what % 8);
    }
    for (const Execution& e : g.out.executions) {
      told_fees += e.fee;
    }
    const std::string got = books(g, story.row);
    if (expected.empty()) {
      expected = got;
    }
    ASSERT_EQ(got, expected) << ::testing::PrintToString(order);
    ASSERT_TRUE(g.core.quiescent());
    ASSERT_EQ(told_fees, dec("0.0017")) << "the executions' fees add up to what was charged";
  }
}

TEST(GatewayFill, OverlapBelowTheHighestCumulativeIsDroppedToo) {
  Gateway g;
  const std::uint32_t row = g.work(Side::kBuy, "1");
  g.fill(row, 1, "60000", "0.4", "0.4");
  g.fill(row, 2, "60000", "0.1", "1");  // the venue is at 1 already
  g.fill(row, 3, "60000", "0.3", "0.5");
  EXPECT_EQ(g.core.row(row).filled, qty("0.5"));
  EXPECT_TRUE(g.out.alerted(Alert::kExecutionExcess));
}

TEST(GatewayFill, WithoutMemoryTheSumStillStopsAtTheHighestCumulative) {
  GatewayRules rules = gateway_rules();
  rules.execution_ids = 1;
  Gateway g(rules);
  const std::uint32_t row = g.work(Side::kBuy, "1");
  g.fill(row, 1, "60000", "0.4", "0.4");
  g.fill(row, 2, "60000", "0.3", "0.7");
  EXPECT_EQ(g.core.row(row).filled, qty("0.7")) << "true, so booked";
  EXPECT_TRUE(g.out.alerted(Alert::kMemoryFull));
  EXPECT_NE(g.account_position().halted, 0U) << "but nothing new starts";
  g.fill(row, 2, "60000", "0.3", "0.7");
  EXPECT_EQ(g.core.row(row).filled, qty("0.7"));
}

TEST(GatewayFill, RepeatedFillIsNoEvidenceOfThePosition) {
  Gateway g;
  const std::uint32_t row = g.work(Side::kBuy, "1");
  TradeUpdate first = g.fill_update(row, 1, "60000", "0.4", "0.4");
  first.has_position = true;
  first.position = dec("0.399");
  g.venue(first);
  TradeUpdate second = g.fill_update(row, 2, "60000", "0.6", "1");
  second.has_position = true;
  second.position = dec("0.9975");
  g.venue(second);
  g.venue(first);
  EXPECT_EQ(g.account_position().venue_position, dec("0.9975"));
}

TEST(GatewayFill, OlderEvidenceDoesNotReplaceYounger) {
  Gateway g;
  const std::uint32_t row = g.work(Side::kBuy, "1");
  TradeUpdate u = g.fill_update(row, 1, "60000", "0.4", "0.4");
  u.has_position = true;
  u.position = dec("0.399");
  g.tick(kMs);
  g.positions_read("0.9975");  // the read was quicker than the stream
  g.venue(u);
  EXPECT_EQ(g.account_position().venue_position, dec("0.9975"));
}

}  // namespace
}  // namespace sluice::testing
