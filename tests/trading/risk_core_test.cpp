#include "common/trading/risk_core.hpp"

#include "tests/trading/risk_fixture.hpp"

namespace sluice::testing {
namespace {

class Risk {
 public:
  explicit Risk(const RiskRules& rules = risk_rules())
      : table(instruments()), core(rules, table, 3) {
    core.on_session(0, 1);
    core.on_session(1, 1);
    quote(kBtc, "59990", "60000");
    quote(kAapl, "99.99", "100");
  }
  void quote(std::uint32_t instrument, std::string_view bid, std::string_view ask) {
    MarketEvent e;
    e.instrument = instrument;
    e.receive_ns = now;
    e.set_body(MarketKind::kQuote, Quote{px(bid), qty("1"), px(ask), qty("1")});
    core.on_market(e);
  }
  [[nodiscard]] Intent intent(Side side, std::string_view quantity, std::uint16_t strategy = 0) {
    Intent i;
    i.id = {.incarnation = 1, .strategy = strategy, .reserved = 0, .sequence = ++sequence};
    i.instrument = kBtc;
    i.kind = IntentKind::kNew;
    i.side = side;
    i.type = OrderType::kLimit;
    i.tif = TimeInForce::kGtc;
    i.requested = qty(quantity);
    i.limit = px("60000");
    i.decided_ns = now;
    i.deadline_ns = {now.ns + kSec};
    return i;
  }
  RiskDecision decide(Intent& i) { return core.on_intent(i, i.id.strategy, true, now); }
  RiskDecision decide(Side side, std::string_view quantity, std::uint16_t strategy = 0) {
    last = intent(side, quantity, strategy);
    return decide(last);
  }
  void execution(ExecutionKind kind, OrderState state, std::string_view quantity = "0",
                 std::string_view cum = "0", std::string_view fee = "0") {
    Execution e;
    e.n = n;
    e.kind = kind;
    e.state = state;
    e.intent = last.id;
    e.instrument = last.instrument;
    e.side = last.side;
    e.qty = qty(quantity);
    e.cum_qty = qty(cum);
    e.approved = last.approved;
    e.fee = dec(fee);
    e.fee_asset = last.side == Side::kBuy ? table[kBtc].base_asset : table[kBtc].quote_asset;
    core.on_execution(e);
  }
  void buy_and_fill(std::string_view quantity) {
    ASSERT_EQ(decide(Side::kBuy, quantity).decision, Decision::kApproved);
    execution(ExecutionKind::kFill, OrderState::kFilled, quantity, quantity);
  }

  MonoNanos now{kStart};
  std::uint64_t sequence{0};
  std::uint64_t n{0};  // of the gateway's event that the next execution belongs to
  Intent last;
  InstrumentTable table;
  RiskCore core;
};

TEST(RiskCore, ApprovesAndReserves) {
  Risk r;
  const RiskDecision d = r.decide(Side::kBuy, "1");
  EXPECT_EQ(d.decision, Decision::kApproved);
  EXPECT_EQ(r.last.approved, qty("1"));
  EXPECT_EQ(r.core.reserved(0, kBtc, Side::kBuy), qty("1"));
  EXPECT_EQ(r.core.open_orders(), 1U);
}

TEST(RiskCore, ReservationEndsOnlyByATerminalOrRefusalRecord) {
  Risk r;
  r.decide(Side::kBuy, "1");
  r.execution(ExecutionKind::kSubmitting, OrderState::kSubmitting);
  r.execution(ExecutionKind::kUnknown, OrderState::kSubmitting);
  r.execution(ExecutionKind::kAccepted, OrderState::kSubmitted);
  EXPECT_EQ(r.core.reserved(0, kBtc, Side::kBuy), qty("1"));
  r.execution(ExecutionKind::kRefused, OrderState::kFailed);
  EXPECT_EQ(r.core.reserved(0, kBtc, Side::kBuy), Qty{});
  EXPECT_EQ(r.core.open_orders(), 0U);
}

// The risk before us approved the intent, published the order, and died before it gave the intent's
// slot back: we are handed it again.
TEST(RiskCore, IntentThatTheRiskBeforeUsApprovedIsNotReservedTwice) {
  Risk r;
  r.last = r.intent(Side::kBuy, "1");
  r.last.approved = r.last.requested;
  r.execution(ExecutionKind::kAccepted, OrderState::kSubmitted);
  ASSERT_EQ(r.core.reserved(0, kBtc, Side::kBuy), qty("1"));
  Intent again = r.last;
  EXPECT_EQ(r.decide(again).decision, Decision::kNone);
  EXPECT_EQ(r.core.duplicates(), 1U);
  EXPECT_EQ(r.core.open_orders(), 1U);
  r.execution(ExecutionKind::kCancelled, OrderState::kCancelled);
  EXPECT_EQ(r.core.open_orders(), 0U);
  EXPECT_EQ(r.core.reserved(0, kBtc, Side::kBuy), Qty{});
}

TEST(RiskCore, StampsAtTheEndsOfTimeDoNotWrapIntoAllowedOnes) {
  Risk r;
  Intent forever = r.intent(Side::kBuy, "1");
  forever.decided_ns = {-2};
  forever.deadline_ns = {kMaxRaw};  // the difference is beyond 64 bits
  EXPECT_EQ(r.decide(forever).reason, Reason::kMalformed);
  Intent early = r.intent(Side::kBuy, "1");
  r.quote(kBtc, "59990", "60000");
  MarketEvent ancient;
  ancient.instrument = kBtc;
  ancient.receive_ns = {kMinRaw};
  ancient.set_body(MarketKind::kQuote, Quote{px("59990"), qty("1"), px("60000"), qty("1")});
  r.core.on_market(ancient);
  EXPECT_EQ(r.decide(early).reason, Reason::kMarketDataStale);
}

TEST(RiskCore, FillsMoveTheReservationIntoThePosition) {
  Risk r;
  r.decide(Side::kBuy, "1");
  r.execution(ExecutionKind::kFill, OrderState::kPartial, "0.4", "0.4", "0.001");
  EXPECT_EQ(r.core.position(0, kBtc), dec("0.399"));
  EXPECT_EQ(r.core.reserved(0, kBtc, Side::kBuy), qty("0.6"));
  r.execution(ExecutionKind::kCancelled, OrderState::kCancelled, "0", "0.4");
  EXPECT_EQ(r.core.reserved(0, kBtc, Side::kBuy), Qty{});
  r.execution(ExecutionKind::kFee, OrderState::kCancelled, "0.4", "0.4", "-0.0004");
  EXPECT_EQ(r.core.position(0, kBtc), dec("0.3994"));
}

TEST(RiskCore, CumulativeMakesUpForALostRecordAndALateFillCounts) {
  Risk r;
  r.decide(Side::kBuy, "1");
  r.execution(ExecutionKind::kFill, OrderState::kPartial, "0.3", "0.7");  // 0.4 before it was lost
  EXPECT_EQ(r.core.position(0, kBtc), dec("0.7"));
  r.execution(ExecutionKind::kCancelled, OrderState::kCancelled, "0", "0.7");
  r.execution(ExecutionKind::kFill, OrderState::kCancelled, "0.1", "0.8");
  EXPECT_EQ(r.core.position(0, kBtc), dec("0.8"));
  EXPECT_EQ(r.core.reserved(0, kBtc, Side::kBuy), Qty{});
}

TEST(RiskCore, ResizesDownwardToAValidLot) {
  Risk r;
  r.buy_and_fill("4");
  Intent i = r.intent(Side::kBuy, "2.5");
  const RiskDecision d = r.decide(i);
  EXPECT_EQ(d.decision, Decision::kResized);
  EXPECT_EQ(d.approved, qty("2"));  // six per strategy
  EXPECT_EQ(i.approved, qty("2"));
  EXPECT_EQ(i.requested, qty("2.5"));
  const Verdict v = RiskCore::verdict(i, d, r.now);
  EXPECT_EQ(v.requested, qty("2.5"));
  EXPECT_EQ(v.approved, qty("2"));
}

TEST(RiskCore, RefusesWithTheLimitThatLeavesNoRoom) {
  Risk r;
  r.buy_and_fill("5");
  r.buy_and_fill("1");
  EXPECT_EQ(r.decide(Side::kBuy, "1").reason, Reason::kPosition);
  EXPECT_EQ(r.core.refusals(Reason::kPosition), 1U);
}

TEST(RiskCore, SizeAndNotionalLimitsResize) {
  Risk r;
  EXPECT_EQ(r.decide(Side::kBuy, "6").approved, qty("5"));
  RiskRules rules = risk_rules();
  rules.instruments[kBtc].max_order_notional = cash("90000");
  Risk other(rules);
  EXPECT_EQ(other.decide(Side::kBuy, "2").approved, qty("1.5"));
}

TEST(RiskCore, ReservationsCountAgainstEveryLimit) {
  RiskRules rules = risk_rules();
  rules.strategies[0].max_position = qty("100");
  rules.strategies[0].budget = cash("100000000");
  rules.strategies[1] = rules.strategies[0];
  Risk r(rules);
  r.decide(Side::kBuy, "5");
  EXPECT_EQ(r.decide(Side::kBuy, "5", 1).approved, qty("3"));  // account: eight
  rules.instruments[kBtc].max_exposure = cash("360000");
  Risk exposure(rules);
  exposure.decide(Side::kBuy, "5");
  EXPECT_EQ(exposure.decide(Side::kBuy, "5", 1).approved, qty("1"));
}

TEST(RiskCore, BudgetAndGrossExposureBind) {
  RiskRules rules = risk_rules();
  rules.strategies[0].budget = cash("60000");
  Risk r(rules);
  EXPECT_EQ(r.decide(Side::kBuy, "2").approved, qty("1"));
  EXPECT_EQ(r.decide(Side::kBuy, "1").reason, Reason::kExposure);
  rules.strategies[0].budget = cash("500000");
  rules.gross_exposure = cash("120000");
  Risk gross(rules);
  EXPECT_EQ(gross.decide(Side::kBuy, "3").approved, qty("2"));
}

TEST(RiskCore, SaleNeedsACoveredPosition) {
  Risk r;
  EXPECT_EQ(r.decide(Side::kSell, "1").reason, Reason::kShort);
  r.buy_and_fill("1");
  EXPECT_EQ(r.decide(Side::kSell, "0.7").decision, Decision::kApproved);
  EXPECT_EQ(r.decide(Side::kSell, "0.7").reason, Reason::kAvailable) << "never resized";
  EXPECT_EQ(r.decide(Side::kSell, "0.3").decision, Decision::kApproved);
}

TEST(RiskCore, AnotherStrategysPositionIsNotOursToSell) {
  Risk r;
  r.buy_and_fill("1");
  EXPECT_EQ(r.decide(Side::kSell, "1", 1).reason, Reason::kShort);
}

TEST(RiskCore, StatesBindAsNamed) {
  Risk r;
  r.buy_and_fill("1");
  r.core.set_trading_state(TradingState::kReduceOnly);
  EXPECT_EQ(r.decide(Side::kBuy, "1").reason, Reason::kTradingState);
  EXPECT_EQ(r.decide(Side::kSell, "0.5").decision, Decision::kApproved);
  r.core.set_trading_state(TradingState::kHalted);
  EXPECT_EQ(r.decide(Side::kSell, "0.5").reason, Reason::kRiskHalted);
}

TEST(RiskCore, DeadlineAndClock) {
  Risk r;
  Intent i = r.intent(Side::kBuy, "1");
  i.deadline_ns = {r.now.ns - 1};
  EXPECT_EQ(r.decide(i).reason, Reason::kExpired);
  i = r.intent(Side::kBuy, "1");
  i.deadline_ns = {};
  EXPECT_EQ(r.decide(i).reason, Reason::kExpired);
  i = r.intent(Side::kBuy, "1");
  i.decided_ns.ns += kMs + 1;
  EXPECT_EQ(r.decide(i).reason, Reason::kExpired);
  i = r.intent(Side::kBuy, "1");
  i.deadline_ns.ns += 3600 * kSec;
  EXPECT_EQ(r.decide(i).reason, Reason::kMalformed);
}

TEST(RiskCore, MarketDataMustBeFreshTwoSidedAndUncrossed) {
  Risk r;
  r.now.ns += 3 * kSec + 1;
  EXPECT_EQ(r.decide(Side::kBuy, "1").reason, Reason::kMarketDataStale);
  r.quote(kBtc, "60000", "60000");
  EXPECT_EQ(r.decide(Side::kBuy, "1").reason, Reason::kMarketDataCrossed);
  r.quote(kBtc, "0", "60000");
  EXPECT_EQ(r.decide(Side::kBuy, "1").reason, Reason::kMarketDataOneSided);
  r.quote(kBtc, "59990", "60000");
  EXPECT_EQ(r.decide(Side::kBuy, "1").decision, Decision::kApproved);
  MarketEvent session;
  session.set_body(MarketKind::kSession, SessionMark{.incarnation = 2, .reserved = {}});
  r.core.on_market(session);
  EXPECT_EQ(r.decide(Side::kBuy, "1").reason, Reason::kMarketDataStale);
}

TEST(RiskCore, AllowlistTickAndLot) {
  Risk r;
  Intent i = r.intent(Side::kBuy, "1");
  i.instrument = kEth;
  r.quote(kEth, "59990", "60000");
  EXPECT_EQ(r.decide(i).reason, Reason::kInstrumentNotAllowed);
  i = r.intent(Side::kBuy, "1");
  i.limit.raw += 1;
  EXPECT_EQ(r.decide(i).reason, Reason::kTick);
  i = r.intent(Side::kBuy, "1");
  i.requested.raw += 1;
  EXPECT_EQ(r.decide(i).reason, Reason::kLot);
}

TEST(RiskCore, OpenOrdersAndRingAreBounded) {
  Risk r;
  for (int n = 0; n < 4; ++n) {
    EXPECT_EQ(r.decide(Side::kBuy, "0.1").decision, Decision::kApproved);
  }
  EXPECT_EQ(r.decide(Side::kBuy, "0.1").reason, Reason::kOpenOrders);
  Risk full;
  Intent i = full.intent(Side::kBuy, "0.1");
  EXPECT_EQ(full.core.on_intent(i, 0, false, full.now).reason, Reason::kRingFull);
  EXPECT_EQ(full.core.reserved(0, kBtc, Side::kBuy), Qty{});
}

TEST(RiskCore, DuplicatesAndGarbageAreSilentOldIncarnationsRefused) {
  Risk r;
  Intent i = r.intent(Side::kBuy, "1");
  EXPECT_EQ(r.decide(i).decision, Decision::kApproved);
  EXPECT_EQ(r.decide(i).decision, Decision::kNone);
  EXPECT_EQ(r.core.duplicates(), 1U);
  i = r.intent(Side::kBuy, "1");
  EXPECT_EQ(r.core.on_intent(i, 1, true, r.now).decision, Decision::kNone);  // another's ring
  EXPECT_EQ(r.core.garbage(), 1U);
  r.core.on_session(0, 2);
  EXPECT_EQ(r.decide(i).reason, Reason::kStaleIncarnation);
  i.id.incarnation = 2;
  i.id.sequence = 1;
  EXPECT_EQ(r.decide(i).decision, Decision::kApproved);
}

TEST(RiskCore, LimitSheetCarriesLimitsAndTheDecidedMark) {
  Risk r;
  r.decide(Side::kBuy, "1");
  r.decide(Side::kSell, "9");  // refused, but decided
  const LimitRow head = r.core.publish_head(r.now);
  EXPECT_EQ(head.incarnation, 3U);
  EXPECT_EQ(head.trading_state, TradingState::kActive);
  EXPECT_EQ(head.published_ns, r.now);
  EXPECT_EQ(head.max_exposure, cash("900000"));
  EXPECT_EQ(r.core.publish_head(r.now).sequence, head.sequence + 1);
  EXPECT_EQ(r.core.instrument_row(kBtc).max_position, qty("8"));
  const LimitRow marks = r.core.strategy_row(0);
  EXPECT_EQ(marks.strategy_incarnation, 1U);
  EXPECT_EQ(marks.sequence, 2U);
}

TEST(RiskCore, ColdStartTakesPositionsAndOrdersFromTheBoards) {
  Risk r;
  r.core.adopt_position(0, kBtc, dec("5"), 0);
  OrderRow row;
  row.id = {.incarnation = 1, .strategy = 0, .reserved = 0, .sequence = 500};
  row.instrument = kBtc;
  row.side = Side::kBuy;
  row.state = OrderState::kPartial;
  row.approved = qty("1");
  row.filled = qty("0.5");
  r.core.adopt_order(row);
  r.core.adopt_order(row);
  EXPECT_EQ(r.core.reserved(0, kBtc, Side::kBuy), qty("0.5"));
  EXPECT_EQ(r.decide(Side::kBuy, "1").approved, qty("0.5"));
}

TEST(RiskCore, ExecutionsUpToTheAdoptedEventAreNotBookedAgain) {
  constexpr std::uint64_t kFirst = std::uint64_t{1} << kEventIncarnationShift;
  Risk r;
  r.core.adopt_position(0, kBtc, dec("2"), kFirst + 10);
  r.last = r.intent(Side::kBuy, "1");
  r.last.approved = qty("1");
  r.n = kFirst + 10;  // in the adopted row already, its base fee, too
  r.execution(ExecutionKind::kFill, OrderState::kFilled, "1", "1", "0.0025");
  EXPECT_EQ(r.core.position(0, kBtc), dec("2"));
  r.n = kFirst + 11;
  r.execution(ExecutionKind::kFill, OrderState::kFilled, "1", "1", "0.0025");
  EXPECT_EQ(r.core.position(0, kBtc), dec("2.9975"));
}

TEST(RiskCore, ReservationsEndWithTheGatewayThatHeldThem) {
  constexpr std::uint64_t kFirst = std::uint64_t{1} << kEventIncarnationShift;
  Risk r;
  r.n = kFirst + 1;
  r.decide(Side::kBuy, "1");
  r.execution(ExecutionKind::kAccepted, OrderState::kSubmitted);
  EXPECT_EQ(r.core.open_orders(), 1U);
  r.n = 2 * kFirst + 1;  // the next gateway's first word
  r.execution(ExecutionKind::kSession, OrderState::kNone);
  EXPECT_EQ(r.core.open_orders(), 0U);
  EXPECT_EQ(r.core.reserved(0, kBtc, Side::kBuy), Qty{});
  // Found at the venue after all: reserved again until it ends.
  r.execution(ExecutionKind::kAccepted, OrderState::kSubmitted);
  EXPECT_EQ(r.core.open_orders(), 1U);
}

TEST(RiskCore, OrphanOfTheGatewayIsReserved) {
  Risk r;
  r.last = r.intent(Side::kBuy, "1");
  r.last.approved = qty("1");
  r.execution(ExecutionKind::kAccepted, OrderState::kSubmitted, "0", "0.2");
  EXPECT_EQ(r.core.reserved(0, kBtc, Side::kBuy), qty("0.8"));
  EXPECT_EQ(r.core.position(0, kBtc), 0);
}

TEST(RiskCore, RulesThatDoNotFitAreAConfigError) {
  const InstrumentTable table = instruments();
  RiskRules rules = risk_rules();
  rules.instruments.pop_back();
  EXPECT_THROW(RiskCore(rules, table, 1), Error);
  rules = risk_rules();
  rules.reservations = rules.open_orders;
  EXPECT_THROW(RiskCore(rules, table, 1), Error);
}

}  // namespace
}  // namespace sluice::testing
