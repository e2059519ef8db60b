// A gateway core, a strategy's host and a risk core with rings of eight slots between them.
#pragma once

#include <deque>
#include <memory>

#include "common/strategy/host.hpp"
#include "procs/order_gateway/execution_outlet.hpp"
#include "tests/trading/risk_fixture.hpp"

namespace sluice::testing {

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

inline RiskRules wide_rules() {
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

inline GatewayRules roomy_rules() {
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

}  // namespace sluice::testing
