// A gateway core with a recording output, a fake clock and short ways to say what the venue does.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "common/trading/gateway_core.hpp"

namespace sluice::testing {

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kSec = 1'000'000'000;
constexpr std::int64_t kStart = 1'723'075'200 * kSec;

// A decimal literal as raw units: dec("0.25").
inline std::int64_t dec(std::string_view text) {
  std::int64_t raw = 0;
  EXPECT_EQ(parse_decimal(text, raw), DecimalStatus::kOk) << text;
  return raw;
}
inline Price px(std::string_view t) {
  return Price{dec(t)};
}
inline Qty qty(std::string_view t) {
  return Qty{dec(t)};
}
inline Cash cash(std::string_view t) {
  return Cash{dec(t)};
}

inline InstrumentTable instruments() {
  InstrumentSpec btc;
  btc.symbol = "BTC/USD";
  btc.tick = px("0.01");
  btc.lot = qty("0.00001");
  btc.min_qty = qty("0.0001");
  btc.min_notional = cash("10");
  InstrumentSpec eth = btc;
  eth.symbol = "ETH/USD";
  InstrumentSpec stock;
  stock.symbol = "AAPL";
  stock.base = "AAPL";
  stock.quote = "USD";
  stock.tick = px("0.01");
  stock.lot = qty("1");
  stock.shortable = true;
  stock.market_orders = true;
  return InstrumentTable({btc, eth, stock}, 3);
}
enum : std::uint32_t { kBtc = 0, kEth = 1, kAapl = 2 };

inline GatewayRules gateway_rules() {
  InstrumentCeilings c;
  c.allowed = true;
  c.order_qty = qty("10");
  c.order_notional = cash("1000000");
  c.position = qty("20");
  c.exposure = cash("2000000");
  c.collar_bps = 100;
  c.reduce_collar_bps = 300;
  c.market_data_max_age_ns = 3 * kSec;
  c.fee_bps = 25;
  GatewayRules r;
  r.instance = "demo";
  r.gate.instruments = {c, c, c};
  r.gate.gross_exposure = cash("3000000");
  r.gate.open_orders = 16;
  r.gate.limit_sheet_max_age_ns = kSec;
  r.gate.deadline_max_ns = 60 * kSec;
  r.gate.clock_tolerance_ns = kMs;
  r.gate.audit_max_age_ns = 5 * kSec;
  r.strategies = 2;
  r.order_rows = 64;
  r.execution_ids = 1024;
  r.tombstones_per_strategy = 4;
  r.strategy_orders_per_second = 40;
  r.venue_requests_per_minute = 10'000;
  r.venue_requests_reserved = 100;
  r.settle_ns = 300 * kMs;
  r.lookups_before_lost = 3;
  r.lost_poll_ns = 5 * kSec;
  r.stream_proof_ns = 3 * kSec;
  r.idle_proof_ns = 30 * kSec;
  r.cancel_poll_ns = kSec;
  r.retry_ns = 50 * kMs;
  r.gap_audit_ns = 2 * kSec;
  r.audit_retry_ns = kSec;
  r.rate_pause_ns = 2 * kSec;
  r.terminal_retention_ns = 60 * kSec;
  r.created_tolerance_ns = 2 * kSec;
  return r;
}

// What the core told, in order.
class Recorder : public GatewayOutput {
 public:
  struct Request {
    std::string what;  // submit, replace, cancel, lookup, foreign, audit
    std::uint32_t row{kNoRow};
    LookupBy by{LookupBy::kNone};
  };
  void row_changed(std::uint32_t row) noexcept override {
    log.push_back("row " + std::to_string(row));
  }
  void position_changed(std::uint32_t) noexcept override { log.emplace_back("position"); }
  void account_changed() noexcept override { log.emplace_back("account"); }
  void execution(const Execution& e) noexcept override {
    log.emplace_back("execution");
    executions.push_back(e);
  }
  bool row_owed(std::uint32_t row) const noexcept override { return owed && owed(row); }
  void submit(std::uint32_t row) noexcept override { add("submit", row, LookupBy::kNone); }
  void replace(std::uint32_t row, const Id128& old) noexcept override {
    add("replace", row, LookupBy::kNone);
    replaced_id = old;
  }
  bool cancel(std::uint32_t row) noexcept override {
    if (!room) {
      return false;
    }
    add("cancel", row, LookupBy::kNone);
    return true;
  }
  bool lookup(std::uint32_t row, LookupBy by) noexcept override {
    if (!room) {
      return false;
    }
    add("lookup", row, by);
    return true;
  }
  bool lookup_foreign(const Id128& id) noexcept override {
    add("foreign", kNoRow, LookupBy::kVenueOrderId);
    foreign_id = id;
    return true;
  }
  void audit_wanted(std::uint32_t reasons) noexcept override {
    audit_reasons = reasons;
    add("audit", kNoRow, LookupBy::kNone);
  }
  void alert(Alert what, std::uint32_t, std::uint32_t) noexcept override { alerts.push_back(what); }

  [[nodiscard]] std::size_t count(std::string_view what) const {
    return static_cast<std::size_t>(std::count_if(
        requests.begin(), requests.end(), [&](const Request& r) { return r.what == what; }));
  }
  [[nodiscard]] std::size_t count(ExecutionKind kind) const {
    return static_cast<std::size_t>(std::count_if(
        executions.begin(), executions.end(), [&](const Execution& e) { return e.kind == kind; }));
  }
  [[nodiscard]] bool alerted(Alert what) const {
    return std::find(alerts.begin(), alerts.end(), what) != alerts.end();
  }

  std::vector<std::string> log;
  std::vector<Execution> executions;
  std::vector<Request> requests;
  std::vector<Alert> alerts;
  std::uint32_t audit_reasons{0};
  Id128 foreign_id{};
  Id128 replaced_id{};  // the old order of the last replace
  bool room{true};
  std::function<bool(std::uint32_t)> owed;  // rows that a ring still owes

 private:
  void add(const char* what, std::uint32_t row, LookupBy by) {
    log.emplace_back(what);
    requests.push_back({what, row, by});
  }
};

class Gateway {
 public:
  explicit Gateway(const GatewayRules& rules = gateway_rules())
      : table(instruments()), core(rules, table, out) {
    core.start(1, 0, now, WallNanos{now.ns});
    stream_up();
    now.ns += 2 * kSec;  // the next audit is not too soon after this one
    venue(StreamAlive{.at_ns = now});
    account_read();
    out = {};
  }

  // Stream up, account and positions read, audit complete: new risk may pass.
  void stream_up() {
    venue(StreamState{.up = true, .at_ns = now});
    tick(kMs);
    audit();
  }
  void audit(std::string_view position = "0") {
    const MonoNanos asked = now;
    account_read();
    positions_read(position);
    venue(AuditEnd{.requested_ns = asked, .complete = true});
  }
  void account_read(std::string_view cash_text = "1000000") {
    AccountSnapshot a;
    a.account_id = {7, 7};
    a.cash = a.buying_power = cash(cash_text);
    a.requested_ns = now;
    a.receive_ns = now;
    venue(a);
  }
  void positions_read(std::string_view btc) {
    venue(PositionsBegin{.requested_ns = now});
    venue(PositionEntry{.instrument = kBtc, .position = dec(btc)});
    venue(PositionsEnd{.requested_ns = now, .receive_ns = now});
  }
  void venue(const VenueEvent& e) { core.on_venue(e, now); }
  void tick(std::int64_t ns) {
    now.ns += ns;
    venue(StreamAlive{.at_ns = now});
    core.on_timer(now);
  }

  [[nodiscard]] IntentContext context() const {
    IntentContext c;
    c.now = now;
    c.poll_ns = now;
    c.kill = {[](const void* on) noexcept { return *static_cast<const bool*>(on); }, &kill_word};
    c.head.incarnation = 1;
    c.head.trading_state = state;
    c.head.published_ns = now;
    c.head.max_exposure = cash("3000000");
    c.limits.max_order_qty = qty("10");
    c.limits.max_order_notional = cash("1000000");
    c.limits.max_position = qty("20");
    c.limits.max_exposure = cash("2000000");
    c.quote.quote = {px("59990"), qty("1"), px("60000"), qty("1")};
    c.quote.receive_ns = now;
    c.risk_alive = true;
    c.risk_incarnation = 1;
    c.strategy_incarnation = 1;
    c.connection_ready = c.hand_over_room = true;
    c.execution_ring_room = c.owed_within_limits = true;
    return c;
  }

  [[nodiscard]] Intent intent(Side side, std::string_view quantity,
                              std::string_view limit = "60000", std::uint16_t strategy = 0) {
    Intent i;
    i.id = {.incarnation = 1, .strategy = strategy, .reserved = 0, .sequence = ++sequence};
    i.instrument = kBtc;
    i.kind = IntentKind::kNew;
    i.side = side;
    i.type = limit.empty() ? OrderType::kMarket : OrderType::kLimit;
    i.tif = TimeInForce::kGtc;
    i.requested = i.approved = qty(quantity);
    if (!limit.empty()) {
      i.limit = px(limit);
    }
    i.decided_ns = now;
    i.deadline_ns = {now.ns + 500 * kMs};
    return i;
  }
  // The chain's new total and price; the successor's row.
  [[nodiscard]] Intent replace_intent(std::uint32_t old, std::string_view total,
                                      std::string_view limit) {
    const OrderRow& r = core.row(old);
    Intent i = intent(r.side, total, limit, r.id.strategy);
    i.kind = IntentKind::kReplace;
    i.replaces = r.id;
    return i;
  }
  std::uint32_t replace(std::uint32_t old, std::string_view total, std::string_view limit) {
    return send(replace_intent(old, total, limit));
  }
  // What the shell does after each batch of events.
  void release() {
    Intent held;
    for (int i = 0; i < 8 && core.next_ready(held); ++i) {
      core.on_release(held, context());
    }
  }
  // Submits and returns the row; the order is in flight.
  std::uint32_t send(const Intent& i) {
    core.on_intent(i, context());
    return core.find(i.id);
  }
  std::uint32_t send(Side side, std::string_view quantity, std::string_view limit = "60000",
                     std::uint16_t strategy = 0) {
    return send(intent(side, quantity, limit, strategy));
  }
  void cancel(std::uint32_t row) {
    Cancel c;
    c.order = core.row(row).id;
    c.strategy = c.order.strategy;
    core.on_cancel(c, c.strategy, now);
  }

  // The order as the venue has it.
  [[nodiscard]] OrderSnapshot snapshot(std::uint32_t row, VenueStatus status,
                                       std::string_view filled = "0") const {
    const OrderRow& r = core.row(row);
    OrderSnapshot s;
    s.venue_order_id = venue_id(row);
    s.client_order_id = core.client_order_id(row);
    s.status = status;
    s.side = r.side;
    s.type = r.type;
    s.tif = r.tif;
    s.instrument = r.instrument;
    s.qty = r.approved;
    s.filled = qty(filled);
    s.limit = r.limit;
    s.stop = r.stop;
    s.created_ns = s.updated_ns = {now.ns};
    return s;
  }
  [[nodiscard]] static Id128 venue_id(std::uint32_t row) { return {0x1000, row + 1ULL}; }

  [[nodiscard]] PostResult post(std::uint32_t row, RequestOutcome outcome) const {
    PostResult p;
    p.ref = {row, core.row(row).id};
    p.outcome = outcome;
    p.hand_over_ns = p.wire_ns = p.answer_ns = now;
    if (outcome == RequestOutcome::kAccepted) {
      p.order = snapshot(row, VenueStatus::kPendingNew);
    }
    if (outcome == RequestOutcome::kUnknown) {
      p.closed_ns = now;
    }
    return p;
  }
  void accept(std::uint32_t row) { venue(post(row, RequestOutcome::kAccepted)); }
  void event(std::uint32_t row, TradeUpdateKind kind, VenueStatus status,
             std::string_view filled = "0") {
    TradeUpdate u;
    u.kind = kind;
    u.order = snapshot(row, status, filled);
    u.venue_ns = {now.ns};
    u.receive_ns = now;
    venue(u);
  }
  // Acknowledged by both ways.
  std::uint32_t work(Side side, std::string_view quantity, std::string_view limit = "60000",
                     std::uint16_t strategy = 0) {
    const std::uint32_t row = send(side, quantity, limit, strategy);
    accept(row);
    event(row, TradeUpdateKind::kNew, VenueStatus::kNew);
    return row;
  }
  [[nodiscard]] TradeUpdate fill_update(std::uint32_t row, std::uint64_t id, std::string_view price,
                                        std::string_view quantity, std::string_view cum) const {
    TradeUpdate u;
    const OrderRow& r = core.row(row);
    const bool whole = qty(cum).raw + r.chain_filled.raw == r.approved.raw;
    u.kind = whole ? TradeUpdateKind::kFill : TradeUpdateKind::kPartialFill;
    u.order = snapshot(row, whole ? VenueStatus::kFilled : VenueStatus::kPartiallyFilled, cum);
    u.execution_id = {0xe, id};
    u.px = px(price);
    u.qty = qty(quantity);
    u.venue_ns = {now.ns};
    u.receive_ns = now;
    return u;
  }
  void fill(std::uint32_t row, std::uint64_t id, std::string_view price, std::string_view quantity,
            std::string_view cum) {
    venue(fill_update(row, id, price, quantity, cum));
  }
  void fee(std::uint64_t id, bool in_base, std::string_view amount) {
    FeeActivity f;
    f.execution_id = {0xe, id};
    f.instrument = kBtc;
    f.in_base = in_base;
    f.amount = dec(amount);
    f.receive_ns = now;
    venue(f);
  }
  void lookup(std::uint32_t row, RequestOutcome outcome, VenueStatus status = VenueStatus::kNew,
              std::string_view filled = "0") {
    LookupResult l;
    l.ref = {row, core.row(row).id};
    l.by =
        core.row(row).venue_order_id.is_zero() ? LookupBy::kClientOrderId : LookupBy::kVenueOrderId;
    l.outcome = outcome;
    l.requested_ns = l.answer_ns = now;
    if (outcome == RequestOutcome::kAccepted) {
      l.order = snapshot(row, status, filled);
    }
    venue(l);
  }
  void deleted(std::uint32_t row, RequestOutcome outcome) {
    venue(DeleteResult{.ref = {row, core.row(row).id},
                       .outcome = outcome,
                       .http_status = 0,
                       .venue_code = 0,
                       .wire_ns = now,
                       .answer_ns = now});
  }

  [[nodiscard]] const PositionRow& account_position() const {
    return core.positions().account(kBtc);
  }
  [[nodiscard]] const PositionRow& strategy_position(std::uint16_t s = 0) const {
    return core.positions().of(s, kBtc);
  }

  MonoNanos now{kStart};
  std::uint64_t sequence{0};
  bool kill_word{false};
  TradingState state{TradingState::kActive};
  InstrumentTable table;
  Recorder out;
  GatewayCore core;
};

}  // namespace sluice::testing
