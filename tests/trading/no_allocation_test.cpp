// After construction the core allocates nothing: the test binary counts every operator new.
#include <cstdlib>
#include <new>

#include "common/trading/risk_core.hpp"
#include "tests/trading/gateway_fixture.hpp"

namespace {
std::size_t g_allocations = 0;
}

void* operator new(std::size_t size) {
  ++g_allocations;
  if (void* const p = std::malloc(size == 0 ? 1 : size)) {
    return p;
  }
  throw std::bad_alloc();
}
void* operator new[](std::size_t size) {
  return operator new(size);
}
// Not inlined: GCC would see free() beside a new expression and call the pair mismatched.
[[gnu::noinline]] void operator delete(void* p) noexcept {
  std::free(p);
}
[[gnu::noinline]] void operator delete[](void* p) noexcept {
  std::free(p);
}
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept {
  std::free(p);
}
[[gnu::noinline]] void operator delete[](void* p, std::size_t) noexcept {
  std::free(p);
}

namespace sluice::testing {
namespace {

// Takes everything and keeps nothing, so that only the core could allocate.
class Silent final : public GatewayOutput {
 public:
  void row_changed(std::uint32_t) noexcept override {}
  void position_changed(std::uint32_t) noexcept override {}
  void account_changed() noexcept override {}
  void execution(const Execution& e) noexcept override { last = e.kind; }
  bool row_owed(std::uint32_t) const noexcept override { return false; }
  void submit(std::uint32_t row) noexcept override { submitted = row; }
  void replace(std::uint32_t row, const Id128&) noexcept override { submitted = row; }
  bool cancel(std::uint32_t) noexcept override { return true; }
  bool lookup(std::uint32_t, LookupBy) noexcept override { return true; }
  bool lookup_foreign(const Id128&) noexcept override { return true; }
  void audit_wanted(std::uint32_t) noexcept override {}
  void alert(Alert, std::uint32_t, std::uint32_t) noexcept override {}
  std::uint32_t submitted{kNoRow};
  ExecutionKind last{ExecutionKind::kNone};
};

TEST(NoAllocation, GatewayCoreAfterConstruction) {
  Gateway fixture;  // for its contexts and snapshots
  const InstrumentTable table = instruments();
  GatewayRules rules = gateway_rules();
  rules.terminal_retention_ns = kMs;  // rows and executions are recycled within the test
  rules.execution_ids = 128;
  Silent out;
  GatewayCore core(rules, table, out);
  MonoNanos now = fixture.now;
  core.start(1, 0, now, {now.ns});
  AccountSnapshot account;
  account.account_id = {7, 7};
  account.buying_power = account.cash = cash("100000000");
  const Price price = px("60000");
  const Qty size = qty("0.01");
  const IntentContext base = fixture.context();
  const Intent model = fixture.intent(Side::kBuy, "0.01");

  const std::size_t before = g_allocations;
  core.on_venue(StreamState{.up = true, .at_ns = now}, now);
  std::uint32_t filled = 0;
  for (std::uint64_t n = 1; n <= 500; ++n) {
    now.ns += 30 * kMs;
    account.requested_ns = now;
    core.on_venue(StreamAlive{.at_ns = now}, now);
    core.on_venue(account, now);
    core.on_venue(PositionsBegin{.requested_ns = now}, now);
    core.on_venue(PositionsEnd{.requested_ns = now, .receive_ns = now}, now);
    core.on_venue(AuditEnd{.requested_ns = now, .complete = true}, now);
    IntentContext c = base;
    c.now = c.head.published_ns = c.quote.receive_ns = now;
    Intent i = model;
    i.id.sequence = n;
    i.decided_ns = now;
    i.deadline_ns = {now.ns + kSec};
    core.on_intent(i, c);
    const std::uint32_t row = core.find(i.id);
    if (row == kNoRow || is_terminal(core.row(row).state)) {
      continue;
    }
    PostResult p;
    p.ref = {row, i.id};
    p.answer_ns = now;
    p.outcome = n % 3 == 0 ? RequestOutcome::kUnknown : RequestOutcome::kAccepted;
    p.order.venue_order_id = {1, n};
    p.order.client_order_id = core.client_order_id(row);
    p.order.side = i.side;
    p.order.type = i.type;
    p.order.tif = i.tif;
    p.order.instrument = kBtc;
    p.order.qty = i.approved;
    p.order.limit = i.limit;
    core.on_venue(p, now);
    TradeUpdate u;
    u.kind = n % 2 == 0 ? TradeUpdateKind::kFill : TradeUpdateKind::kCanceled;
    u.order = p.order;
    u.order.status = n % 2 == 0 ? VenueStatus::kFilled : VenueStatus::kCanceled;
    u.order.filled = n % 2 == 0 ? size : Qty{};
    u.execution_id = {2, n};
    u.px = price;
    u.qty = size;
    u.receive_ns = now;
    Cancel cancel;
    cancel.order = i.id;
    core.on_cancel(cancel, 0, now);
    core.on_venue(u, now);
    core.on_venue(DeleteResult{.ref = {row, i.id}, .outcome = RequestOutcome::kAccepted}, now);
    FeeActivity fee{.execution_id = {2, n}, .instrument = kBtc, .in_base = true, .amount = 1};
    core.on_venue(fee, now);
    core.on_timer(now);
    filled += n % 2 == 0 ? 1U : 0U;
  }
  core.on_kill(KillMode::kCancelAll, 1, now);
  EXPECT_EQ(g_allocations, before);
  EXPECT_GT(filled, 100U) << "the loop must have traded";
  EXPECT_EQ(core.account().executions, filled);
}

TEST(NoAllocation, ReplacesHeldReleasedAndRecycled) {
  Gateway fixture;
  const InstrumentTable table = instruments();
  GatewayRules rules = gateway_rules();
  rules.terminal_retention_ns = kMs;
  rules.gate.duplicate_within_ns = 20 * kMs;
  Silent out;
  GatewayCore core(rules, table, out);
  MonoNanos now = fixture.now;
  core.start(1, 0, now, {now.ns});
  AccountSnapshot account;
  account.account_id = {7, 7};
  account.buying_power = account.cash = cash("100000000");
  const IntentContext base = fixture.context();
  const Intent model = fixture.intent(Side::kBuy, "0.01", "59990");
  IntentContext c = base;
  const auto told = [&](std::uint32_t row, TradeUpdateKind kind, VenueStatus status) {
    TradeUpdate u;
    u.kind = kind;
    u.order = fixture.snapshot(row, status);
    const OrderRow& r = core.row(row);
    u.order.venue_order_id = {1, r.id.sequence};
    u.order.client_order_id = core.client_order_id(row);
    u.order.qty = r.approved;
    u.order.limit = r.limit;
    u.order.side = r.side;
    u.order.type = r.type;
    u.order.tif = r.tif;
    u.order.created_ns = u.order.updated_ns = {now.ns};
    u.receive_ns = now;
    core.on_venue(u, now);
  };
  const auto answered = [&](std::uint32_t row) {
    PostResult p;
    p.ref = {row, core.row(row).id};
    p.outcome = RequestOutcome::kUnknown;
    p.answer_ns = p.closed_ns = now;
    core.on_venue(p, now);
  };

  const std::size_t before = g_allocations;
  core.on_venue(StreamState{.up = true, .at_ns = now}, now);
  std::uint32_t replaced = 0;
  for (std::uint64_t n = 1; n <= 300; ++n) {
    now.ns += 100 * kMs;
    account.requested_ns = now;
    core.on_venue(StreamAlive{.at_ns = now}, now);
    core.on_venue(account, now);
    core.on_venue(PositionsBegin{.requested_ns = now}, now);
    core.on_venue(PositionsEnd{.requested_ns = now, .receive_ns = now}, now);
    core.on_venue(AuditEnd{.requested_ns = now, .complete = true}, now);
    c.now = c.head.published_ns = c.quote.receive_ns = now;
    Intent i = model;
    i.id.sequence = 2 * n - 1;
    i.decided_ns = now;
    i.deadline_ns = {now.ns + kSec};
    core.on_intent(i, c);
    const std::uint32_t old = core.find(i.id);
    Intent r = i;
    r.kind = IntentKind::kReplace;
    r.replaces = i.id;
    r.id.sequence = 2 * n;
    r.limit = px("59980");
    core.on_intent(r, c);  // held: the old order is not live
    const std::uint32_t next = core.find(r.id);
    ASSERT_NE(next, kNoRow);
    answered(old);
    told(old, TradeUpdateKind::kNew, VenueStatus::kNew);
    Intent held;
    while (core.next_ready(held)) {
      core.on_release(held, c);
    }
    answered(next);
    told(old, TradeUpdateKind::kReplaced, VenueStatus::kReplaced);
    told(next, TradeUpdateKind::kNew, VenueStatus::kNew);
    Cancel cancel;
    cancel.order = i.id;
    core.on_cancel(cancel, 0, now);
    core.on_venue(DeleteResult{.ref = {next, r.id}, .outcome = RequestOutcome::kAccepted}, now);
    told(next, TradeUpdateKind::kCanceled, VenueStatus::kCanceled);
    replaced += core.row(old).state == OrderState::kReplaced ? 1U : 0U;
    core.on_timer(now);
  }
  EXPECT_EQ(g_allocations, before);
  EXPECT_EQ(replaced, 300U) << "the loop must have replaced";
  EXPECT_EQ(core.account().working, 0U);
}

TEST(NoAllocation, RiskCoreAfterConstruction) {
  const InstrumentTable table = instruments();
  RiskRules rules;
  RiskInstrument limits{qty("5"), cash("400000"), qty("8"), cash("600000")};
  rules.instruments = {limits, limits, limits};
  rules.strategies = {RiskStrategy{{kBtc}, qty("6"), cash("500000")}};
  rules.gross_exposure = cash("900000");
  rules.open_orders = 8;
  rules.reservations = 16;
  rules.deadline_max_ns = kSec;
  RiskCore core(rules, table, 1);
  MarketEvent quote;
  quote.set_body(MarketKind::kQuote, Quote{px("59990"), qty("1"), px("60000"), qty("1")});
  Gateway fixture;
  const Intent model = fixture.intent(Side::kBuy, "1");

  const std::size_t before = g_allocations;
  std::uint32_t approved = 0;
  for (std::uint64_t n = 1; n <= 200; ++n) {
    core.on_market(quote);
    Intent i = model;
    i.id.sequence = n;
    const RiskDecision d = core.on_intent(i, 0, true, fixture.now);
    approved += d.decision == Decision::kApproved ? 1U : 0U;
    Execution e;
    e.kind = ExecutionKind::kRefused;
    e.state = OrderState::kFailed;
    e.intent = i.id;
    e.side = i.side;
    core.on_execution(e);
    static_cast<void>(core.publish_head(fixture.now));
  }
  EXPECT_EQ(g_allocations, before);
  EXPECT_EQ(approved, 200U);
}

}  // namespace
}  // namespace sluice::testing
