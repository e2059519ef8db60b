#include "common/trading/risk_core.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace sluice {
namespace {

// The largest quantity whose value at `px` is not above `cash`; everything when px is 0.
std::int64_t quantity_for(std::int64_t cash, Price px) noexcept {
  if (px.raw <= 0) {
    return kMaxRaw;
  }
  if (cash <= 0) {
    return 0;
  }
  std::int64_t qty = 0;
  if (!mul_div_half_even(cash, kScale, px.raw, qty)) {
    return kMaxRaw;
  }
  Cash value;
  const bool above =
      !notional(px, Qty{qty}, value) || value.raw > cash;  // rounded up by half a unit
  return above && qty > 0 ? qty - 1 : qty;
}

// |position| if everything reserved on one side trades.
std::int64_t reach(std::int64_t position, std::int64_t buying, std::int64_t selling) noexcept {
  std::int64_t high = position;
  add_saturating(high, buying);
  const std::int64_t low = sub_saturating(position, selling);
  return std::max(magnitude(high), magnitude(low));
}

}  // namespace

RiskCore::RiskCore(RiskRules rules, const InstrumentTable& instruments, std::uint32_t incarnation)
    : rules_(std::move(rules)),
      instruments_(instruments),
      incarnation_(incarnation),
      holdings_((rules_.strategies.size() + 1) * instruments.size()),
      totals_(instruments.size()),
      marks_(instruments.size()),
      strategies_(rules_.strategies.size()),
      reservations_(rules_.reservations),
      by_intent_(rules_.reservations) {
  if (rules_.instruments.size() != instruments.size()) {
    throw Error(ExitCode::kConfig, "risk rules: limits for " +
                                       std::to_string(rules_.instruments.size()) +
                                       " instruments, but " + std::to_string(instruments.size()) +
                                       " are configured; give one set for each");
  }
  if (rules_.strategies.empty() || rules_.strategies.size() >= kExternalStrategy) {
    throw Error(ExitCode::kConfig, "risk rules: strategies must be 1 to 65534");
  }
  if (rules_.reservations <= rules_.open_orders) {
    throw Error(ExitCode::kConfig, "risk rules: reservations must be above open_orders (" +
                                       std::to_string(rules_.open_orders) + ")");
  }
}

RiskDecision RiskCore::on_intent(Intent& intent, std::uint16_t strategy, bool order_ring_room,
                                 MonoNanos now) noexcept {
  if (strategy >= strategies_.size() || intent.id.strategy != strategy || intent.id.is_none() ||
      intent.id.sequence == 0) {
    ++garbage_;
    return {};
  }
  StrategyState& s = strategies_[strategy];
  const bool stale = intent.id.incarnation < s.incarnation;
  if (intent.id.incarnation > s.incarnation) {
    s = {intent.id.incarnation, 0};
  }
  // By its number; or by the order that the gateway has told of.
  if (!stale && (intent.id.sequence <= s.last_sequence || find(intent.id) != nullptr)) {
    ++duplicates_;
    return {};
  }
  if (!stale) {
    s.last_sequence = intent.id.sequence;
  }

  RiskDecision d{
      .decision = Decision::kRefused, .reason = Reason::kStaleIncarnation, .approved = {}};
  if (!stale) {
    d.reason = admit(intent, now);
  }
  if (d.reason == Reason::kNone && !order_ring_room) {
    d.reason = Reason::kRingFull;
  }
  if (d.reason == Reason::kNone) {
    d = size(intent);
  }
  if (d.decision != Decision::kRefused) {
    Reservation* const r = reserve(intent.id);
    if (r == nullptr) {
      d = {.decision = Decision::kRefused, .reason = Reason::kOrderTableFull, .approved = {}};
    } else {
      r->instrument = intent.instrument;
      r->side = intent.side;
      r->approved = d.approved.raw;
      if (Reservation* const old = find(intent.replaces); old != nullptr) {
        r->replaces = intent.replaces;
        r->chain = old->traded();
        old->replaced_by = intent.id;
      }
      open(*r);
      intent.approved = d.approved;
    }
  }
  if (d.decision == Decision::kRefused) {
    ++refusals_[static_cast<std::size_t>(d.reason)];
  }
  return d;
}

Verdict RiskCore::verdict(const Intent& intent, const RiskDecision& decision,
                          MonoNanos now) noexcept {
  Verdict v;
  v.intent = intent.id;
  v.decision = decision.decision;
  v.reason = decision.reason;
  v.requested = intent.requested;
  v.approved = decision.approved;
  v.decided_ns = now;
  return v;
}

Reason RiskCore::admit(const Intent& intent, MonoNanos now) const noexcept {
  const bool limit = intent.type == OrderType::kLimit;
  const bool replaces = intent.kind == IntentKind::kReplace;
  if (intent.instrument >= instruments_.size() || intent.requested.raw <= 0 ||
      (intent.side != Side::kBuy && intent.side != Side::kSell) ||
      (limit ? intent.limit.raw <= 0 : intent.limit.raw != 0) ||
      sub_saturating(intent.deadline_ns.ns, intent.decided_ns.ns) > rules_.deadline_max_ns ||
      (!replaces && !intent.replaces.is_none())) {
    return Reason::kMalformed;
  }
  if ((intent.kind != IntentKind::kNew && !replaces) ||
      (!limit && (replaces || intent.type != OrderType::kMarket))) {
    return Reason::kUnsupported;
  }
  if (intent.deadline_ns.ns == 0 || now > intent.deadline_ns ||
      sub_saturating(intent.decided_ns.ns, now.ns) > rules_.clock_tolerance_ns) {
    return Reason::kExpired;
  }
  if (state_ != TradingState::kActive && state_ != TradingState::kReduceOnly) {
    return Reason::kRiskHalted;
  }
  if (replaces) {
    if (const Reason reason = check_replace(intent); reason != Reason::kNone) {
      return reason;
    }
  }
  if (state_ == TradingState::kReduceOnly && !reduces(intent)) {
    return Reason::kTradingState;
  }
  if (const Reason reason = check_market(intent, now); reason != Reason::kNone) {
    return reason;
  }
  if (!allowed(intent.id.strategy, intent.instrument)) {
    return Reason::kInstrumentNotAllowed;
  }
  const Instrument& instrument = instruments_[intent.instrument];
  if (limit && !is_on_tick(instrument, intent.limit)) {
    return Reason::kTick;
  }
  if (!is_on_lot(instrument, intent.requested)) {
    return Reason::kLot;
  }
  // A chain is one order, whichever of its members lives.
  return replaces || open_ < rules_.open_orders ? Reason::kNone : Reason::kOpenOrders;
}

Reason RiskCore::check_market(const Intent& intent, MonoNanos now) const noexcept {
  const Mark& mark = marks_[intent.instrument];
  if (rules_.market_data_max_age_ns > 0 &&
      sub_saturating(now.ns, mark.receive_ns.ns) > rules_.market_data_max_age_ns) {
    return Reason::kMarketDataStale;
  }
  if (!mark.quote.two_sided()) {
    return Reason::kMarketDataOneSided;
  }
  return mark.quote.crossed() ? Reason::kMarketDataCrossed : Reason::kNone;
}

bool RiskCore::allowed(std::uint16_t strategy, std::uint32_t instrument) const noexcept {
  const std::vector<std::uint32_t>& own = rules_.strategies[strategy].instruments;
  return std::find(own.begin(), own.end(), instrument) != own.end();
}

// order-path.md: its side opposes the position and quantity + reservations of that side fit into
// it, for the account and for the strategy.
bool RiskCore::reduces(const Intent& intent) const noexcept {
  const auto fits = [&](const Holding& h) {
    const bool sell = intent.side == Side::kSell;
    if (sell ? h.position <= 0 : h.position >= 0) {
      return false;
    }
    std::int64_t sum = want(intent).added;
    add_saturating(sum, h.reserved(!sell));
    return sum <= magnitude(h.position);
  };
  return fits(totals_[intent.instrument]) && fits(holding(intent.id.strategy, intent.instrument));
}

RiskDecision RiskCore::size(const Intent& intent) const noexcept {
  const Instrument& instrument = instruments_[intent.instrument];
  const Quote& quote = marks_[intent.instrument].quote;
  const auto refuse = [](Reason reason) {
    return RiskDecision{.decision = Decision::kRefused, .reason = reason, .approved = {}};
  };
  const Price px = std::max(intent.limit, quote.ask_px);  // what a unit is worth at most
  const Want wanted = want(intent);
  Reason binding = Reason::kNone;
  const std::int64_t largest = order_room(intent, px, binding);
  if (reduces(intent)) {
    if (wanted.leaves > largest) {
      return refuse(binding);
    }
    return {.decision = Decision::kApproved, .reason = Reason::kNone, .approved = intent.requested};
  }
  if (intent.side == Side::kSell && !instrument.has(kInstrumentShortable)) {
    const std::int64_t held = std::min(totals_[intent.instrument].position,
                                       holding(intent.id.strategy, intent.instrument).position);
    return refuse(wanted.leaves > held ? Reason::kShort : Reason::kAvailable);
  }
  if (intent.kind == IntentKind::kReplace) {
    if (wanted.leaves <= largest && wanted.added <= room(intent, px, binding)) {
      return {
          .decision = Decision::kApproved, .reason = Reason::kNone, .approved = intent.requested};
    }
    return refuse(binding);
  }
  Reason portfolio = Reason::kNone;
  const std::int64_t free = room(intent, px, portfolio);
  if (free < largest) {
    binding = portfolio;
  }
  const std::int64_t most = std::min({intent.requested.raw, largest, free});
  const Qty qty = floor_to_lot(instrument, Qty{std::max<std::int64_t>(most, 0)});
  if (qty == intent.requested) {
    return {.decision = Decision::kApproved, .reason = Reason::kNone, .approved = qty};
  }
  Cash value;
  const bool too_small = qty.raw <= 0 || qty < instrument.min_qty || !notional(px, qty, value) ||
                         value < instrument.min_notional;
  if (too_small) {
    return refuse(binding);
  }
  return {.decision = Decision::kResized, .reason = Reason::kResized, .approved = qty};
}

std::int64_t RiskCore::order_room(const Intent& intent, Price px, Reason& binding) const noexcept {
  const RiskInstrument& limits = rules_.instruments[intent.instrument];
  const std::int64_t by_value = quantity_for(limits.max_order_notional.raw, px);
  binding = by_value < limits.max_order_qty.raw ? Reason::kNotionalMax : Reason::kSizeMax;
  return std::min(limits.max_order_qty.raw, by_value);
}

// The largest quantity the portfolio's limits leave, and the limit that binds.
std::int64_t RiskCore::room(const Intent& intent, Price px, Reason& binding) const noexcept {
  const RiskInstrument& limits = rules_.instruments[intent.instrument];
  const RiskStrategy& strategy = rules_.strategies[intent.id.strategy];
  const bool buy = intent.side == Side::kBuy;
  std::int64_t room = kMaxRaw;
  const auto bound = [&](std::int64_t by, Reason reason) {
    if (by < room) {
      room = by;
      binding = reason;
    }
  };
  // How far a holding may still go on this side until |position| is `limit`.
  const auto left = [&](const Holding& h, std::int64_t limit) {
    std::int64_t at = buy ? h.position : sub_saturating(0, h.position);
    add_saturating(at, h.reserved(buy));
    return sub_saturating(limit, at);
  };
  const Holding& total = totals_[intent.instrument];
  bound(left(holding(intent.id.strategy, intent.instrument), strategy.max_position.raw),
        Reason::kPosition);
  bound(left(total, limits.max_position.raw), Reason::kPosition);
  bound(left(total, quantity_for(limits.max_exposure.raw, px)), Reason::kExposure);

  // Budget of the strategy and gross exposure of the account, each at its worst on either side.
  Wide used_budget = 0;
  Wide used_gross = 0;
  for (std::uint32_t i = 0; i < instruments_.size(); ++i) {
    const Price mark = i == intent.instrument ? px : marks_[i].quote.ask_px;
    const auto value = [&](const Holding& h) {
      Cash v;
      return notional(mark, Qty{reach(h.position, h.reserved(true), h.reserved(false))}, v)
                 ? v.raw
                 : kMaxRaw;
    };
    used_budget += value(holding(intent.id.strategy, i));
    used_gross += value(totals_[i]);
  }
  bound(quantity_for(clamp_raw(strategy.budget.raw - used_budget), px), Reason::kExposure);
  bound(quantity_for(clamp_raw(rules_.gross_exposure.raw - used_gross), px), Reason::kExposure);
  return room;
}

RiskCore::Reservation* RiskCore::reserve(const IntentId& id) noexcept {
  if (const std::uint32_t known = by_intent_.find(id); known != kNoRow) {
    return &reservations_[known];
  }
  constexpr std::uint32_t kTries = 64;  // bounds the time; with rows to spare the first one is free
  const auto rows = static_cast<std::uint32_t>(reservations_.size());
  for (std::uint32_t i = 0; i < kTries && i < rows; ++i) {
    const std::uint32_t at = next_reservation_;
    next_reservation_ = next_reservation_ + 1 == rows ? 0 : next_reservation_ + 1;
    Reservation& r = reservations_[at];
    if (r.open) {
      continue;
    }
    if (!r.intent.is_none()) {
      by_intent_.erase(r.intent);
    }
    r = {};
    r.intent = id;
    by_intent_.put(id, at);
    return &r;
  }
  return nullptr;
}

void RiskCore::change_reserved(const Reservation& r, std::int64_t delta) noexcept {
  const auto strategy =
      static_cast<std::uint16_t>(std::min<std::size_t>(r.intent.strategy, strategies_.size()));
  for (Holding* h : {&holding(strategy, r.instrument), &totals_[r.instrument]}) {
    (r.side == Side::kBuy ? h->buying : h->selling) += delta;
  }
}

void RiskCore::change_position(std::uint16_t strategy, std::uint32_t instrument,
                               std::int64_t delta) noexcept {
  const auto own = static_cast<std::uint16_t>(std::min<std::size_t>(strategy, strategies_.size()));
  add_saturating(holding(own, instrument).position, delta);
  add_saturating(totals_[instrument].position, delta);
}

void RiskCore::open(Reservation& r) noexcept {
  r.open = true;
  ++open_;
  recount(r);
}

void RiskCore::close(Reservation& r) noexcept {
  if (!r.open) {
    return;
  }
  r.open = false;
  --open_;
  recount(r);
  follow_chain(r);
}

void RiskCore::on_session(std::uint16_t strategy, std::uint32_t incarnation) noexcept {
  if (strategy < strategies_.size() && incarnation > strategies_[strategy].incarnation) {
    strategies_[strategy] = {incarnation, 0};
  }
}

void RiskCore::on_market(const MarketEvent& event) noexcept {
  if (event.kind == MarketKind::kSession) {
    // The feed began anew: what it said before is as old as it is.
    for (Mark& mark : marks_) {
      mark = {};
    }
    return;
  }
  if (event.kind != MarketKind::kQuote || event.instrument >= marks_.size()) {
    return;
  }
  marks_[event.instrument].quote = event.quote();
  marks_[event.instrument].receive_ns = event.receive_ns;
}

// A gateway that began anew knows nothing of the orders before it but what it finds at the venue,
// and those come back as executions. What ended while it was dead would be reserved for ever.
void RiskCore::follow_gateway(std::uint64_t n) noexcept {
  const std::uint32_t incarnation = event_incarnation(n);
  if (incarnation <= gateway_incarnation_) {
    return;
  }
  if (gateway_incarnation_ != 0) {
    for (Reservation& r : reservations_) {
      close(r);
    }
  }
  for (Holding& held : holdings_) {
    held.base = held.position;
  }
  gateway_incarnation_ = incarnation;
}

void RiskCore::on_execution(const Execution& e) noexcept {
  follow_gateway(e.n);
  if (e.kind == ExecutionKind::kSession || e.instrument >= instruments_.size()) {
    return;
  }
  const auto own =
      static_cast<std::uint16_t>(std::min<std::size_t>(e.intent.strategy, strategies_.size()));
  const std::uint64_t adopted_n = holding(own, e.instrument).adopted_n;
  const bool snapshot = e.kind == ExecutionKind::kSnapshot;
  if (adopted_n != 0 && e.n <= adopted_n && !(snapshot && e.n == adopted_n)) {
    // The board's rows, read at a cold start, or a snapshot have it already, all but the end of an
    // order that has no row: that is told by itself, behind the snapshots of others.
    Reservation* const known = e.intent.is_none() ? nullptr : find(e.intent);
    if (known != nullptr && e.kind == ExecutionKind::kRefused) {
      close(*known);
    }
    return;
  }
  if (snapshot) {
    Holding& held = holding(own, e.instrument);
    std::int64_t position = held.base;
    add_saturating(position, e.qty.raw);
    change_position(e.intent.strategy, e.instrument, sub_saturating(position, held.position));
    held.adopted_n = e.n;
  }
  const bool fee_in_base = e.fee_asset == instruments_[e.instrument].base_asset;
  if (fee_in_base && (e.kind == ExecutionKind::kFill || e.kind == ExecutionKind::kFee)) {
    change_position(e.intent.strategy, e.instrument, sub_saturating(0, e.fee));
  }
  const std::uint32_t known = e.intent.is_none() ? kNoRow : by_intent_.find(e.intent);
  Reservation* r = known == kNoRow ? nullptr : &reservations_[known];
  const auto trade = [&](std::int64_t qty) {
    change_position(e.intent.strategy, e.instrument,
                    e.side == Side::kBuy ? qty : sub_saturating(0, qty));
  };
  if (r == nullptr) {
    if (e.kind == ExecutionKind::kFill) {
      trade(e.qty.raw);
    }
    // An order of ours that is new to us: an orphan the gateway found, or ours before a restart.
    if (is_terminal(e.state) || e.intent.is_none() || e.side == Side::kNone) {
      return;
    }
    r = reserve(e.intent);
    if (r == nullptr) {
      return;
    }
    r->instrument = e.instrument;
    r->side = e.side;
    r->approved = e.approved.raw;
    r->filled = e.cum_qty.raw;
    if (e.linked != 0) {
      r->chain = std::max<std::int64_t>(
          sub_saturating(sub_saturating(e.approved.raw, e.cum_qty.raw), e.leaves.raw), 0);
      r->replaces = e.intent;
      r->replaces.sequence = e.linked;
      if (Reservation* const old = find(r->replaces); old != nullptr) {
        old->replaced_by = e.intent;
      }
    }
    open(*r);
    return;
  }
  if (!r->open && !is_terminal(e.state)) {
    // Works after all: found at the venue by the gateway that came after the one it was approved
    // for.
    open(*r);
  }
  // Cumulative quantities: a record lost to a gap is made good by the next one. A snapshot told the
  // position whole.
  const std::int64_t filled = sub_saturating(e.cum_qty.raw, r->filled);
  if (filled > 0) {
    if (!snapshot) {
      trade(filled);
      // What traded before the gateway knew the order is in no book of its own: its snapshots will
      // not tell it. (Nor do they where they are the first to tell of the order: docs/status.md.)
      const std::int64_t unbooked =
          sub_saturating(filled, e.kind == ExecutionKind::kFill ? e.qty.raw : 0);
      if (unbooked > 0) {
        add_saturating(holding(own, e.instrument).base,
                       e.side == Side::kBuy ? unbooked : -unbooked);
      }
    }
    r->filled = e.cum_qty.raw;
    recount(*r);
    follow_chain(*r);
  }
  if (is_terminal(e.state)) {
    close(*r);
  }
}

void RiskCore::adopt_position(std::uint16_t strategy, std::uint32_t instrument,
                              std::int64_t position, std::uint64_t n) noexcept {
  if (instrument < instruments_.size()) {
    follow_gateway(n);
    change_position(strategy, instrument, position);
    const auto own =
        static_cast<std::uint16_t>(std::min<std::size_t>(strategy, strategies_.size()));
    holding(own, instrument).adopted_n = n;
  }
}

void RiskCore::adopt_order(const OrderRow& row) noexcept {
  if (row.id.is_none() || is_terminal(row.state) || row.instrument >= instruments_.size() ||
      by_intent_.find(row.id) != kNoRow) {
    return;
  }
  Reservation* const r = reserve(row.id);
  if (r == nullptr) {
    return;
  }
  r->instrument = row.instrument;
  r->side = row.side;
  r->approved = row.approved.raw;
  r->filled = row.filled.raw;
  r->chain = row.chain_filled.raw;
  if (Reservation* const old = find(row.replaces); old != nullptr) {
    r->replaces = row.replaces;
    r->chain = std::max(r->chain, old->traded());
    old->replaced_by = row.id;
  }
  open(*r);
  if (Reservation* const after = find(row.replaced_by); after != nullptr) {
    after->replaces = row.id;  // the board's order is not the chain's
    r->replaced_by = row.replaced_by;
    recount(*after);
  }
}

void RiskCore::adopt_decided(const IntentId& intent) noexcept {
  if (intent.strategy >= strategies_.size()) {
    return;
  }
  StrategyState& s = strategies_[intent.strategy];
  if (intent.incarnation > s.incarnation) {
    s = {intent.incarnation, intent.sequence};
  } else if (intent.incarnation == s.incarnation) {
    s.last_sequence = std::max(s.last_sequence, intent.sequence);
  }
}

LimitRow RiskCore::publish_head(MonoNanos now) noexcept {
  LimitRow row;
  row.incarnation = incarnation_;
  row.trading_state = state_;
  row.published_ns = now;
  row.sequence = ++sheet_sequence_;
  row.max_exposure = rules_.gross_exposure;
  row.open_orders_max = rules_.open_orders;
  return row;
}

LimitRow RiskCore::instrument_row(std::uint32_t instrument) const noexcept {
  const RiskInstrument& limits = rules_.instruments[instrument];
  LimitRow row;
  row.incarnation = incarnation_;
  row.trading_state = state_;
  row.sequence = sheet_sequence_;
  row.max_order_qty = limits.max_order_qty;
  row.max_order_notional = limits.max_order_notional;
  row.max_position = limits.max_position;
  row.max_exposure = limits.max_exposure;
  return row;
}

LimitRow RiskCore::strategy_row(std::uint16_t strategy) const noexcept {
  const StrategyState& s = strategies_[strategy];
  LimitRow row;
  row.incarnation = incarnation_;
  row.trading_state = state_;
  row.sequence = s.last_sequence;
  row.max_position = rules_.strategies[strategy].max_position;
  row.max_exposure = rules_.strategies[strategy].budget;
  row.strategy_incarnation = s.incarnation;
  return row;
}

std::int64_t RiskCore::position(std::uint16_t strategy, std::uint32_t instrument) const noexcept {
  return holding(strategy, instrument).position;
}

Qty RiskCore::reserved(std::uint16_t strategy, std::uint32_t instrument, Side side) const noexcept {
  return Qty{holding(strategy, instrument).reserved(side == Side::kBuy)};
}

}  // namespace sluice
