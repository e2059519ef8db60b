// The hard gate: every check on and off, the order of the checks, and what "reduces" lifts.
#include "common/trading/gate.hpp"

#include <functional>
#include <optional>

#include "tests/trading/gateway_fixture.hpp"

namespace sluice::testing {
namespace {

// Inputs that pass: a limit buy of 1 BTC at 60,000 against 59,990 / 60,000.
struct Inputs {
  Inputs() {
    intent.id = {.incarnation = 1, .strategy = 0, .reserved = 0, .sequence = 1};
    intent.instrument = kBtc;
    intent.kind = IntentKind::kNew;
    intent.side = Side::kBuy;
    intent.type = OrderType::kLimit;
    intent.tif = TimeInForce::kGtc;
    intent.requested = intent.approved = qty("1");
    intent.limit = px("60000");
    intent.decided_ns = {kStart};
    intent.deadline_ns = {kStart + kSec};
    account.flags = kAccountKnown;
    account.venue_buying_power = cash("1000000");
    head.incarnation = 1;
    head.trading_state = TradingState::kActive;
    head.published_ns = {kStart};
    head.max_exposure = cash("3000000");
    limits.max_order_qty = qty("10");
    limits.max_order_notional = cash("1000000");
    limits.max_position = qty("20");
    limits.max_exposure = cash("2000000");
    quote.quote = {px("59990"), qty("1"), px("60000"), qty("1")};
    quote.receive_ns = {kStart};
  }

  [[nodiscard]] GateResult check() {
    HardGate gate(rules, table);
    return gate.check({.intent = intent,
                       .now = now,
                       .latest_now = latest_now,
                       .kill = kill,
                       .account = account,
                       .head = head,
                       .limits = limits,
                       .risk_alive = risk_alive,
                       .risk_incarnation = risk_incarnation,
                       .journal_high_water = journal_high_water,
                       .stream_proven = stream_proven,
                       .last_audit_ns = last_audit_ns,
                       .quote = quote,
                       .account_position = account_position,
                       .strategy_position = strategy_position,
                       .open_orders = open_orders,
                       .other_exposure = other_exposure,
                       .strategy_rate_room = strategy_rate_room,
                       .venue_rate_room = venue_rate_room,
                       .duplicate = duplicate,
                       .self_trade = {[](const void* on, Side, OrderType, Price) noexcept {
                                        return *static_cast<const Collision*>(on);
                                      },
                                      &collision},
                       .replaced = replaced ? &*replaced : nullptr,
                       .reserved = reserved});
  }
  [[nodiscard]] Reason reason() { return check().reason; }

  void hold(std::string_view position) {
    account_position.position = strategy_position.position = dec(position);
    account_position.venue_position = dec(position);
    account_position.venue_position_ns = {kStart};
  }
  void sell(std::string_view quantity, std::string_view limit) {
    intent.side = Side::kSell;
    intent.requested = intent.approved = qty(quantity);
    intent.limit = px(limit);
  }
  void shortable() {
    intent.instrument = kAapl;
    quote.quote = {px("99.99"), qty("500"), px("100"), qty("500")};
    intent.limit = px("100");
  }

  InstrumentTable table = instruments();
  GateRules rules = gateway_rules().gate;
  Intent intent;
  MonoNanos now{kStart};
  MonoNanos latest_now{kStart};
  KillProbe kill{[](const void*) noexcept { return false; }, nullptr};
  AccountRow account;
  LimitRow head;
  LimitRow limits;
  bool risk_alive{true};
  std::uint32_t risk_incarnation{1};
  bool journal_high_water{false};
  bool stream_proven{true};
  MonoNanos last_audit_ns{};
  QuoteRow quote;
  PositionRow account_position;
  PositionRow strategy_position;
  std::uint32_t open_orders{0};
  Cash other_exposure{};
  bool strategy_rate_room{true};
  bool venue_rate_room{true};
  bool duplicate{false};
  Collision collision{Collision::kNone};
  std::optional<ReplacedOrder> replaced;
  Cash reserved{};
};

TEST(HardGate, PassesAnOrderThatBreaksNoRule) {
  Inputs in;
  const GateResult out = in.check();
  EXPECT_EQ(out.reason, Reason::kNone) << to_string(out.reason);
  EXPECT_FALSE(out.reduces);
  EXPECT_EQ(out.worst_px, px("60600"));  // ask and one per cent
  EXPECT_EQ(out.worst_notional, cash("60600"));
}

// One way to fail each check, in the gate's order. The tests below use it twice: alone, each gives
// its reason; together with everything behind it, it is still the one that is reported.
struct Breach {
  Reason reason;
  std::function<void(Inputs&)> make;
};
const std::vector<Breach>& breaches() {
  static const std::vector<Breach> kBreaches = {
      {Reason::kKilled,
       [](Inputs& in) {
         in.kill = {[](const void*) noexcept { return true; }, nullptr};
       }},
      {Reason::kExpired, [](Inputs& in) { in.intent.deadline_ns = {in.now.ns - 1}; }},
      {Reason::kClock, [](Inputs& in) { in.latest_now = {in.now.ns + 1}; }},
      {Reason::kAccountBlocked, [](Inputs& in) { in.account.flags |= kAccountBlocked; }},
      {Reason::kTradingState, [](Inputs& in) { in.head.trading_state = TradingState::kHalted; }},
      {Reason::kJournalHighWater, [](Inputs& in) { in.journal_high_water = true; }},
      {Reason::kLimitSheetStale, [](Inputs& in) { in.head.published_ns = {kStart - 2 * kSec}; }},
      {Reason::kRiskDead, [](Inputs& in) { in.risk_alive = false; }},
      {Reason::kStreamUnproven, [](Inputs& in) { in.stream_proven = false; }},
      {Reason::kMarketDataStale, [](Inputs& in) { in.quote.receive_ns = {kStart - 4 * kSec}; }},
      {Reason::kMarketDataOneSided, [](Inputs& in) { in.quote.quote.bid_qty = {}; }},
      {Reason::kMarketDataCrossed,
       [](Inputs& in) { in.quote.quote.bid_px = in.quote.quote.ask_px; }},
      {Reason::kInstrumentNotAllowed,
       [](Inputs& in) { in.rules.instruments[kBtc].allowed = false; }},
      {Reason::kInstrumentHalted,
       [](Inputs& in) { in.account_position.flags = kPositionConflict; }},
      {Reason::kTick, [](Inputs& in) { in.intent.limit.raw -= 1; }},
      {Reason::kLot, [](Inputs& in) { in.intent.approved.raw += 1; }},
      {Reason::kSizeMax, [](Inputs& in) { in.limits.max_order_qty = qty("0.9"); }},
      {Reason::kNotionalMax, [](Inputs& in) { in.limits.max_order_notional = cash("60599.99"); }},
      {Reason::kCollar, [](Inputs& in) { in.intent.limit = px("60600.01"); }},
      {Reason::kPosition, [](Inputs& in) { in.account_position.working_buy = qty("19.1"); }},
      {Reason::kExposure, [](Inputs& in) { in.other_exposure = cash("2939401"); }},
      {Reason::kOpenOrders, [](Inputs& in) { in.open_orders = 16; }},
      {Reason::kRate, [](Inputs& in) { in.strategy_rate_room = false; }},
      {Reason::kBuyingPower, [](Inputs& in) { in.reserved = cash("939400.01"); }},
  };
  return kBreaches;
}

TEST(HardGate, EachCheckAloneGivesItsReason) {
  for (const Breach& b : breaches()) {
    Inputs in;
    b.make(in);
    EXPECT_EQ(in.reason(), b.reason) << to_string(b.reason) << ": " << to_string(in.reason());
  }
}

TEST(HardGate, FirstFailureInTheDocumentedOrderIsTheReason) {
  const std::vector<Breach>& all = breaches();
  for (std::size_t first = 0; first < all.size(); ++first) {
    for (std::size_t second = first + 1; second < all.size(); ++second) {
      Inputs in;
      all[second].make(in);
      all[first].make(in);
      // Two ways of spoiling one quote or one price hide each other; each is tested alone.
      const bool same_field =
          (all[first].reason == Reason::kTick && all[second].reason == Reason::kCollar) ||
          (all[first].reason == Reason::kMarketDataOneSided &&
           all[second].reason == Reason::kMarketDataCrossed);
      if (same_field) {
        continue;
      }
      EXPECT_EQ(in.reason(), all[first].reason)
          << to_string(all[first].reason) << " before " << to_string(all[second].reason);
    }
  }
}

TEST(HardGate, DuplicateAndSelfTradeComeAfterRateAndBeforeBuyingPower) {
  Inputs in;
  in.account.venue_buying_power = {};
  in.collision = Collision::kOwn;
  in.duplicate = true;
  in.strategy_rate_room = false;
  EXPECT_EQ(in.reason(), Reason::kRate);
  in.strategy_rate_room = true;
  EXPECT_EQ(in.reason(), Reason::kDuplicate);
  in.duplicate = false;
  const GateResult out = in.check();
  EXPECT_EQ(out.reason, Reason::kSelfTrade);
  EXPECT_EQ(out.collision, Collision::kOwn);
  in.collision = Collision::kNone;
  EXPECT_EQ(in.reason(), Reason::kBuyingPower);
}

TEST(HardGate, SelfTradeProbeThatWasNeverSetCountsAsACollision) {
  EXPECT_EQ(SelfTradeProbe{}(Side::kBuy, OrderType::kLimit, px("1")), Collision::kForeign);
}

TEST(HardGate, ReplaceIsJudgedByItsLeavesAndByWhatItAdds) {
  Inputs in;
  in.open_orders = in.rules.open_orders;
  EXPECT_EQ(in.reason(), Reason::kOpenOrders);
  in.replaced =
      ReplacedOrder{.leaves = qty("1"), .chain_filled = qty("0.5"), .held = cash("50000")};
  in.intent.requested = in.intent.approved = qty("2.5");
  const GateResult out = in.check();
  EXPECT_EQ(out.reason, Reason::kNone) << to_string(out.reason);
  EXPECT_EQ(out.worst_notional, cash("121200"));  // two may still trade
  EXPECT_EQ(out.reserve, cash("71200"));
  in.account_position.working_buy = qty("19");  // the old order's among them
  EXPECT_EQ(in.reason(), Reason::kNone);
  in.account_position.working_buy = qty("19.1");
  EXPECT_EQ(in.reason(), Reason::kPosition);
  in.account_position.working_buy = {};
  in.account.venue_buying_power = cash("71199");
  EXPECT_EQ(in.reason(), Reason::kBuyingPower);
}

TEST(HardGate, ReplaceOfAReductionReducesWhenWhatItAddsDoes) {
  Inputs in;
  in.hold("2");
  in.sell("2.5", "60000");
  in.replaced = ReplacedOrder{.leaves = qty("1"), .chain_filled = qty("0.5"), .held = {}};
  in.account_position.working_sell = in.strategy_position.working_sell = qty("1");
  in.head.trading_state = TradingState::kReduceOnly;
  EXPECT_EQ(in.reason(), Reason::kNone);
  in.account_position.working_sell = in.strategy_position.working_sell = qty("1.1");
  EXPECT_EQ(in.reason(), Reason::kTradingState);
}

TEST(HardGate, CountsPerReason) {
  Inputs in;
  HardGate gate(in.rules, in.table);
  in.risk_alive = false;
  const auto run = [&] {
    return gate.check({.intent = in.intent,
                       .now = in.now,
                       .latest_now = in.latest_now,
                       .kill = in.kill,
                       .account = in.account,
                       .head = in.head,
                       .limits = in.limits,
                       .risk_alive = in.risk_alive,
                       .risk_incarnation = 1,
                       .stream_proven = true,
                       .quote = in.quote,
                       .account_position = in.account_position,
                       .strategy_position = in.strategy_position,
                       .strategy_rate_room = true,
                       .venue_rate_room = true,
                       .duplicate = false,
                       .self_trade = {[](const void*, Side, OrderType, Price) noexcept {
                                        return Collision::kNone;
                                      },
                                      nullptr}});
  };
  static_cast<void>(run());
  static_cast<void>(run());
  in.risk_alive = true;
  static_cast<void>(run());
  EXPECT_EQ(gate.refused(Reason::kRiskDead), 2U);
  EXPECT_EQ(gate.passed(), 1U);
}

TEST(HardGate, KillWordThatTripsDuringTheChecksIsSeenAtTheEnd) {
  Inputs in;
  int asked = 0;
  in.kill = {[](const void* n) noexcept { return ++*static_cast<int*>(const_cast<void*>(n)) > 1; },
             &asked};
  EXPECT_EQ(in.reason(), Reason::kKilled);
  EXPECT_EQ(asked, 2);
}

TEST(HardGate, ProbeThatWasNeverSetCountsAsTripped) {
  Inputs in;
  in.kill = {};
  EXPECT_EQ(in.reason(), Reason::kKilled);
}

TEST(HardGate, DeadlineIsNeverNoneAndAClockThatJumpedBackCountsAsExpired) {
  Inputs in;
  in.intent.deadline_ns = {};
  EXPECT_EQ(in.reason(), Reason::kExpired);
  in.intent.deadline_ns = {kStart + kSec};
  in.intent.decided_ns = {kStart + kMs};  // within the tolerance
  EXPECT_EQ(in.reason(), Reason::kNone);
  in.intent.decided_ns = {kStart + kMs + 1};
  EXPECT_EQ(in.reason(), Reason::kExpired);
}

TEST(HardGate, AccountMustBeKnownAndTheConfiguredOne) {
  Inputs in;
  in.account.flags = 0;
  EXPECT_EQ(in.reason(), Reason::kAccountBlocked);
  in.account.flags = kAccountKnown;
  in.rules.expected_account = {1, 1};
  EXPECT_EQ(in.reason(), Reason::kAccountBlocked);
  in.account.account_id = {1, 1};
  EXPECT_EQ(in.reason(), Reason::kNone);
}

TEST(HardGate, StateNeverPublishedIsNotOpen) {
  Inputs in;
  in.head.trading_state = TradingState::kNone;
  EXPECT_EQ(in.reason(), Reason::kTradingState);
}

TEST(HardGate, LimitSheetOfAnEarlierRiskProcessIsStale) {
  Inputs in;
  in.risk_incarnation = 2;
  EXPECT_EQ(in.reason(), Reason::kLimitSheetStale);
}

TEST(HardGate, SuspectAndDownFeedsCountAsStaleHaltedQuoteAsHalted) {
  Inputs in;
  in.quote.flags = kFeedDown;
  EXPECT_EQ(in.reason(), Reason::kMarketDataStale);
  in.quote.flags = kQuoteSuspect;
  EXPECT_EQ(in.reason(), Reason::kMarketDataStale);
  in.quote.flags = kQuoteHalted;
  EXPECT_EQ(in.reason(), Reason::kInstrumentHalted);
}

TEST(HardGate, MinimumSizeAndNotional) {
  Inputs in;
  in.intent.approved = qty("0.00009");
  EXPECT_EQ(in.reason(), Reason::kSizeMin);
  in.intent.approved = qty("0.00016");  // 9.6 USD at the limit
  EXPECT_EQ(in.reason(), Reason::kNotionalMin);
  in.intent.approved = qty("0.00017");
  EXPECT_EQ(in.reason(), Reason::kNone);
}

TEST(HardGate, CeilingsBindWhenTheSheetIsLooser) {
  Inputs in;
  in.rules.instruments[kBtc].order_qty = qty("0.5");
  EXPECT_EQ(in.reason(), Reason::kSizeMax);
  in.rules.instruments[kBtc].order_qty = qty("10");
  in.rules.instruments[kBtc].order_notional = cash("100");
  EXPECT_EQ(in.reason(), Reason::kNotionalMax);
  in.rules.instruments[kBtc].order_notional = cash("1000000");
  in.rules.instruments[kBtc].position = qty("0.5");
  EXPECT_EQ(in.reason(), Reason::kPosition);
  in.rules.instruments[kBtc].position = qty("20");
  in.rules.instruments[kBtc].exposure = cash("1000");
  EXPECT_EQ(in.reason(), Reason::kExposure);
  in.rules.instruments[kBtc].exposure = cash("2000000");
  in.rules.gross_exposure = cash("1000");
  EXPECT_EQ(in.reason(), Reason::kExposure);
}

TEST(HardGate, AZeroLimitAllowsNothing) {
  Inputs in;
  in.limits = {};
  EXPECT_EQ(in.reason(), Reason::kSizeMax);
}

TEST(HardGate, CollarBindsTheAggressiveSideOnly) {
  Inputs in;
  in.intent.limit = px("1000");
  EXPECT_EQ(in.reason(), Reason::kNone);  // far below the market: passive
  in.hold("2");
  in.sell("1", "90000");
  EXPECT_EQ(in.reason(), Reason::kNone);
  in.intent.limit = px("58190.29");  // below bid less three per cent, the collar of a reduction
  EXPECT_EQ(in.reason(), Reason::kCollar);
  in.intent.limit = px("58190.30");
  EXPECT_EQ(in.reason(), Reason::kNone);
}

TEST(HardGate, MarketOrdersLeaveAsCollaredLimitsOnTheTick) {
  Inputs in;
  in.intent.type = OrderType::kMarket;
  in.intent.limit = {};
  in.quote.quote.ask_px = px("59999.99");
  GateResult out = in.check();
  ASSERT_EQ(out.reason, Reason::kNone);
  EXPECT_EQ(out.type, OrderType::kLimit);
  EXPECT_EQ(out.limit, px("60599.98"));  // 60599.9899 rounded to what trades less
  in.hold("2");
  in.sell("1", "0");
  in.quote.quote.bid_px = px("59990.01");
  out = in.check();
  ASSERT_EQ(out.reason, Reason::kNone);
  EXPECT_EQ(out.limit, px("58190.31"));  // 58190.3097 rounded up
}

TEST(HardGate, BareMarketOrdersOnlyWhereTheInstrumentAllowsThem) {
  Inputs in;
  in.shortable();
  in.intent.type = OrderType::kMarket;
  in.intent.limit = {};
  const GateResult out = in.check();
  ASSERT_EQ(out.reason, Reason::kNone) << to_string(out.reason);
  EXPECT_EQ(out.type, OrderType::kMarket);
  EXPECT_EQ(out.worst_px, px("101"));
}

TEST(HardGate, NoShortWhereForbidden) {
  Inputs in;
  in.sell("1", "60000");
  EXPECT_EQ(in.reason(), Reason::kShort);
  in.hold("0.9");
  EXPECT_EQ(in.reason(), Reason::kShort);
  in.hold("1");
  EXPECT_EQ(in.reason(), Reason::kNone);
}

TEST(HardGate, AvailableIsNetOfWhatOtherOrdersHold) {
  Inputs in;
  in.hold("1");
  in.sell("0.6", "60000");
  in.account_position.working_sell = qty("0.5");  // another strategy's
  EXPECT_EQ(in.reason(), Reason::kAvailable);
  in.account_position.working_sell = {};
  in.strategy_position.working_sell = qty("0.5");
  EXPECT_EQ(in.reason(), Reason::kAvailable);
}

TEST(HardGate, SaleNeedsThePositionInBookAndVenueEvidence) {
  Inputs in;
  in.hold("1");
  in.sell("1", "60000");
  in.account_position.venue_position = dec("0.99");
  EXPECT_EQ(in.reason(), Reason::kShort);
  in.hold("1");
  in.account_position.venue_position_ns = {};  // the venue has told nothing
  EXPECT_EQ(in.reason(), Reason::kShort);
  in.hold("1");
  in.strategy_position.position = dec("0.99");  // the rest belongs to another strategy
  EXPECT_EQ(in.reason(), Reason::kShort);
}

TEST(HardGate, OneOrderDoesNotFlipAPosition) {
  Inputs in;
  in.shortable();
  in.intent.side = Side::kSell;
  in.intent.limit = px("100");
  in.intent.requested = in.intent.approved = qty("3");
  EXPECT_EQ(in.reason(), Reason::kNone) << "opening a short is allowed";
  in.hold("2");
  EXPECT_EQ(in.reason(), Reason::kShort);
  in.hold("3");
  EXPECT_EQ(in.reason(), Reason::kNone);
  in.hold("-2");
  in.intent.side = Side::kBuy;
  EXPECT_EQ(in.reason(), Reason::kShort);
  in.hold("-0.5");  // below the smallest order: flat but for dust
  EXPECT_EQ(in.reason(), Reason::kNone);
}

TEST(HardGate, PositionCountsBookEvidenceAndEverythingWorking) {
  Inputs in;
  in.hold("18");
  in.account_position.working_buy = qty("1");
  EXPECT_EQ(in.reason(), Reason::kNone) << to_string(in.reason());
  in.account_position.venue_position = dec("18.1");  // the worse of both counts
  EXPECT_EQ(in.reason(), Reason::kPosition);
}

TEST(HardGate, SumsThatDoNotFitAreRefused) {
  Inputs in;
  in.account_position.position = INT64_MAX - 5;
  EXPECT_EQ(in.reason(), Reason::kOverflow);
}

TEST(HardGate, ReducesIsDecidedByPositionAndLeaves) {
  PositionRow account;
  PositionRow strategy;
  account.position = strategy.position = dec("2");
  account.venue_position = dec("1.5");
  account.venue_position_ns = {1};
  EXPECT_TRUE(order_reduces(Side::kSell, qty("1.5"), account, strategy));
  EXPECT_FALSE(
      order_reduces(Side::kSell, qty("1.6"), account, strategy));  // smaller magnitude counts
  EXPECT_FALSE(order_reduces(Side::kBuy, qty("1"), account, strategy));
  account.working_sell = qty("1");
  EXPECT_FALSE(order_reduces(Side::kSell, qty("0.6"), account, strategy));
  EXPECT_TRUE(order_reduces(Side::kSell, qty("0.5"), account, strategy));
  account.venue_position = dec("-1");  // signs differ: nothing is certain
  EXPECT_FALSE(order_reduces(Side::kSell, qty("0.1"), account, strategy));
  EXPECT_EQ(supported_position(account), 0);
}

// What a reduction lifts and what it does not (order-path.md 4).
TEST(HardGate, ReductionLiftsOnlyTheListedChecks) {
  const std::vector<Reason> lifted = {Reason::kJournalHighWater, Reason::kLimitSheetStale,
                                      Reason::kRiskDead, Reason::kExposure};
  for (const Breach& b : breaches()) {
    Inputs in;
    in.hold("1");
    in.sell("1", "60000");
    b.make(in);
    // These spoil the order in a way that only a buy shows, or by what it holds.
    if (b.reason == Reason::kCollar || b.reason == Reason::kLot || b.reason == Reason::kPosition ||
        b.reason == Reason::kBuyingPower || b.reason == Reason::kNotionalMax) {
      continue;
    }
    const bool passes = std::find(lifted.begin(), lifted.end(), b.reason) != lifted.end();
    EXPECT_EQ(in.reason(), passes ? Reason::kNone : b.reason) << to_string(b.reason);
  }
  Inputs in;
  in.hold("1");
  in.sell("1", "60000");
  in.head.trading_state = TradingState::kReduceOnly;
  EXPECT_EQ(in.reason(), Reason::kNone);
  in.limits.max_position = {};
  EXPECT_EQ(in.reason(), Reason::kNone);
  in.account_position.flags = kPositionDisagrees;  // reduce-only instrument
  EXPECT_EQ(in.reason(), Reason::kNone);
}

TEST(HardGate, ReduceOnlyStateRefusesOpeningOrders) {
  Inputs in;
  in.head.trading_state = TradingState::kReduceOnly;
  EXPECT_EQ(in.reason(), Reason::kTradingState);
}

TEST(HardGate, UnprovenStreamLetsReductionsPassAfterAYoungAudit) {
  Inputs in;
  in.hold("1");
  in.sell("1", "60000");
  in.stream_proven = false;
  EXPECT_EQ(in.reason(), Reason::kStreamUnproven);
  in.last_audit_ns = {kStart - 5 * kSec};
  EXPECT_EQ(in.reason(), Reason::kNone);
  in.last_audit_ns = {kStart - 5 * kSec - 1};
  EXPECT_EQ(in.reason(), Reason::kStreamUnproven);
}

TEST(HardGate, BuyingPowerBindsBuysOnly) {
  Inputs in;
  in.account.venue_buying_power = {};
  EXPECT_EQ(in.reason(), Reason::kBuyingPower);
  in.hold("1");
  in.sell("1", "60000");
  EXPECT_EQ(in.reason(), Reason::kNone);
}

}  // namespace
}  // namespace sluice::testing
