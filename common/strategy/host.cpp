#include "common/strategy/host.hpp"

#include <algorithm>
#include <utility>

#include "common/base/error.hpp"
#include "common/trading/checked.hpp"

namespace sluice {

StrategyHost::StrategyHost(HostOptions options, const InstrumentTable& instruments,
                           Strategy& strategy, StrategyOutput& output)
    : options_(std::move(options)),
      instruments_(instruments),
      strategy_(strategy),
      output_(output) {
  if (options_.incarnation == 0) {
    throw Error(ExitCode::kBug, "strategy host: incarnation 0 means 'no intent'; use the counter");
  }
  positions_.assign(instruments_.size(), 0);
  base_.assign(instruments_.size(), 0);
  adopted_n_.assign(instruments_.size(), 0);
  owned_.assign(instruments_.size(), 0);
  for (const std::uint32_t i : options_.instruments) {
    if (i < owned_.size())
      owned_[i] = 1;
  }
}

void StrategyHost::advance(MonoNanos now) noexcept {
  if (now > now_)
    now_ = now;  // the host's clock never runs back
}

void StrategyHost::on_market(const MarketEvent& event, MonoNanos now) noexcept {
  advance(now);
  if (event.kind == MarketKind::kGap) {
    ++counters_.gaps;
    counters_.lost += event.gap().lost;
    return;
  }
  if (event.kind == MarketKind::kSession) {
    strategy_.on_market(event, *this);
    return;
  }
  if (!owns(event.instrument)) {
    ++counters_.foreign;
    return;
  }
  ++counters_.market_events;
  cause_ = {.feed = event.source,
            .reserved = 0,
            .instrument = event.instrument,
            .receive_ns = event.receive_ns};
  suppressed_ = options_.max_event_age_ns > 0 &&
                sub_saturating(now_.ns, event.receive_ns.ns) > options_.max_event_age_ns;
  if (suppressed_)
    ++counters_.stale;
  strategy_.on_market(event, *this);
  suppressed_ = false;
  cause_ = {};  // what timers, verdicts, commands and executions decide, no market event caused
}

// A gateway that began anew cancels what it finds of ours and knows nothing of the rest: orders of
// its predecessor will not be heard of again.
void StrategyHost::follow_gateway(std::uint64_t n) noexcept {
  const std::uint32_t incarnation = event_incarnation(n);
  if (incarnation <= gateway_incarnation_)
    return;
  if (gateway_incarnation_ != 0)
    orders_.fill(OwnOrder{});
  base_ = positions_;  // of equal size: nothing is allocated
  gateway_incarnation_ = incarnation;
}

void StrategyHost::on_execution(const Execution& execution, MonoNanos now) noexcept {
  advance(now);
  follow_gateway(execution.n);
  if (execution.kind == ExecutionKind::kSession)
    return;
  if (execution.kind == ExecutionKind::kGap) {
    ++counters_.gaps;
    counters_.lost += static_cast<std::uint64_t>(execution.cum_qty.raw);
    return;
  }
  if (execution.intent.strategy != options_.strategy || execution.instrument >= positions_.size()) {
    ++counters_.foreign;
    return;
  }
  OwnOrder* const own = find(execution.intent);
  if (execution.n > adopted_n_[execution.instrument]) {
    book(execution);
  } else if (execution.kind == ExecutionKind::kSnapshot) {
    if (execution.n == adopted_n_[execution.instrument])
      book(execution);  // several orders are told as of one event
  } else if (own == nullptr) {
    return;  // of before the cold start, and in the adopted position
  }
  if (own != nullptr) {
    follow_chain(execution, *own);
  } else if (execution.intent.incarnation != options_.incarnation) {
    ++counters_.foreign;
  }
  strategy_.on_execution(execution, *this);
}

void StrategyHost::book(const Execution& e) noexcept {
  std::int64_t& position = positions_[e.instrument];
  const bool fee_in_base = e.fee_asset == instruments_[e.instrument].base_asset;
  if (e.kind == ExecutionKind::kSnapshot) {
    position = base_[e.instrument] + e.qty.raw;
    adopted_n_[e.instrument] = e.n;
  } else if (e.kind == ExecutionKind::kFill) {
    position += e.side == Side::kBuy ? e.qty.raw : -e.qty.raw;
    position -= fee_in_base ? e.fee : 0;
  } else if (e.kind == ExecutionKind::kFee && fee_in_base) {
    position -= e.fee;  // of a fee record: final minus what was estimated
  }
}

// What an execution says of its order and of the chain. While a replace is in flight the old order
// still trades, and what it trades is missing from the successor.
void StrategyHost::follow_chain(const Execution& execution, OwnOrder& own) noexcept {
  own.state = execution.state;
  if (execution.approved.raw > 0)
    own.qty = execution.approved;
  const bool snapshot = execution.kind == ExecutionKind::kSnapshot;
  if (is_terminal(execution.state) && !snapshot) {
    // The gateway tells no leaves of an ended order; its last executions still belong to the chain.
    if (execution.kind == ExecutionKind::kFill)
      own.filled.raw += execution.qty.raw;
  } else if (own.replaces.is_none()) {
    own.filled = execution.cum_qty;
  } else {
    own.filled = Qty{execution.approved.raw - execution.leaves.raw};
  }
  if (OwnOrder* const successor = find(own.replaced_by);
      successor != nullptr && successor->filled < own.filled)
    successor->filled = own.filled;
  // A snapshot that knows of no cancel: it was rejected, or is on its way; asking twice is
  // harmless.
  if (execution.kind == ExecutionKind::kCancelRejected ||
      (snapshot && (execution.flags & (kCancelWanted | kCancelSent)) == 0))
    own.cancel_sent = 0;
  if (is_terminal(execution.state))
    forget(own);
}

// An order leaves the book; the other one of its chain stands alone from here on.
void StrategyHost::forget(OwnOrder& own) noexcept {
  if (OwnOrder* const old = find(own.replaces); old != nullptr)
    old->replaced_by = {};
  own = OwnOrder{};
}

void StrategyHost::on_verdict(const Verdict& verdict, MonoNanos now) noexcept {
  advance(now);
  if (OwnOrder* own = find(verdict.intent); own != nullptr) {
    if (verdict.decision == Decision::kRefused)
      forget(*own);
    if (verdict.decision == Decision::kResized)
      own->qty = verdict.approved;
  } else {
    ++counters_.foreign;
  }
  strategy_.on_verdict(verdict, *this);
}

void StrategyHost::on_command(const Command& command, MonoNanos now) noexcept {
  advance(now);
  strategy_.on_command(command, *this);
}

void StrategyHost::on_time(MonoNanos now) noexcept {
  advance(now);
  strategy_.on_time(*this);
}

void StrategyHost::adopt_position(std::uint32_t instrument, std::int64_t position,
                                  std::uint64_t n) noexcept {
  if (instrument >= positions_.size())
    return;
  follow_gateway(n);
  positions_[instrument] = position;
  base_[instrument] = 0;  // a row of the board is what that incarnation's snapshots count
  adopted_n_[instrument] = n;
}

SubmitStatus StrategyHost::submit(const OrderRequest& request, IntentId& id) noexcept {
  if (suppressed_)
    return SubmitStatus::kSuppressed;
  if (!owns(request.instrument) || request.side == Side::kNone)
    return SubmitStatus::kMalformed;
  const Instrument& instrument = instruments_[request.instrument];
  const bool has_limit = request.type == OrderType::kLimit;
  if (!is_on_lot(instrument, request.qty) ||
      (has_limit && !is_on_tick(instrument, request.limit)) ||
      (!has_limit && request.type != OrderType::kMarket)) {
    return SubmitStatus::kMalformed;
  }
  OwnOrder* const slot = free_slot();
  if (slot == nullptr)
    return SubmitStatus::kTooManyOpen;
  OwnOrder own;
  own.instrument = request.instrument;
  own.side = request.side;
  own.type = request.type;
  own.tif = request.tif;
  own.state = OrderState::kPending;
  own.qty = request.qty;
  own.limit = request.limit;
  Intent intent = make_intent(IntentKind::kNew, own);
  if (!publish(intent))
    return SubmitStatus::kNoCredit;
  own.id = intent.id;
  own.placed_ns = now_;
  *slot = own;
  id = own.id;
  return SubmitStatus::kOk;
}

SubmitStatus StrategyHost::replace(IntentId order, Qty qty, Price limit, IntentId& id) noexcept {
  if (suppressed_)
    return SubmitStatus::kSuppressed;
  OwnOrder* const old = find(order);
  if (old == nullptr || old->type != OrderType::kLimit)
    return SubmitStatus::kNoOrder;
  if (old->cancel_sent != 0)
    return SubmitStatus::kCancelled;
  const OwnOrder* const before = find(old->replaces);
  if (old->replace_in_flight() || before != nullptr)
    return SubmitStatus::kReplaceInFlight;
  const Instrument& instrument = instruments_[old->instrument];
  if (qty <= old->filled || !is_on_lot(instrument, qty) || !is_on_tick(instrument, limit))
    return SubmitStatus::kMalformed;
  OwnOrder* const slot = free_slot();
  if (slot == nullptr)
    return SubmitStatus::kTooManyOpen;
  OwnOrder own = *old;
  own.state = OrderState::kPending;
  own.qty = qty;
  own.limit = limit;
  own.replaces = old->id;
  Intent intent = make_intent(IntentKind::kReplace, own);
  if (!publish(intent))
    return SubmitStatus::kNoCredit;
  own.id = intent.id;
  own.placed_ns = now_;
  old->replaced_by = own.id;
  *slot = own;
  id = own.id;
  return SubmitStatus::kOk;
}

OwnOrder* StrategyHost::free_slot() noexcept {
  for (OwnOrder& own : orders_) {
    if (own.id.is_none())
      return &own;
  }
  ++counters_.too_many_open;
  return nullptr;
}

Intent StrategyHost::make_intent(IntentKind kind, const OwnOrder& order) const noexcept {
  Intent intent;
  intent.id = {.incarnation = options_.incarnation,
               .strategy = options_.strategy,
               .reserved = 0,
               .sequence = next_sequence_};
  intent.replaces = order.replaces;
  intent.account = options_.account;
  intent.venue = options_.venue;
  intent.instrument = order.instrument;
  intent.kind = kind;
  intent.side = order.side;
  intent.type = order.type;
  intent.tif = order.tif;
  intent.requested = order.qty;
  intent.limit = order.limit;
  intent.decided_ns = now_;
  intent.deadline_ns = {now_.ns + options_.intent_deadline_ns};
  intent.cause = cause_;
  return intent;
}

bool StrategyHost::publish(Intent& intent) noexcept {
  if (!output_.intent(intent)) {
    ++counters_.no_credit;
    return false;
  }
  ++next_sequence_;
  ++counters_.intents;
  return true;
}

bool StrategyHost::cancel(IntentId order) noexcept {
  OwnOrder* own = find(order);
  if (own == nullptr || own->cancel_sent != 0)
    return true;
  Cancel cancel;
  cancel.order = order;
  cancel.strategy = options_.strategy;
  cancel.sequence = next_cancel_;
  cancel.decided_ns = now_;
  if (!output_.cancel(cancel)) {
    ++counters_.no_credit;
    return false;
  }
  ++next_cancel_;
  ++counters_.cancels;
  // The gateway ends the chain, whichever of its orders is named.
  for (OwnOrder* const member : {own, find(own->replaces), find(own->replaced_by)}) {
    if (member != nullptr)
      member->cancel_sent = 1;
  }
  return true;
}

std::int64_t StrategyHost::position(std::uint32_t instrument) const noexcept {
  return instrument < positions_.size() ? positions_[instrument] : 0;
}

Qty StrategyHost::working(std::uint32_t instrument, Side side) const noexcept {
  Qty sum{};
  for (const OwnOrder& own : orders_) {
    if (own.id.is_none() || own.instrument != instrument || own.side != side)
      continue;
    sum.raw += own.leaves().raw;
    // Of a chain whose replace is in flight only one of the two orders can trade: the larger
    // counts.
    if (const OwnOrder* const successor = order(own.replaced_by); successor != nullptr)
      sum.raw -= std::min(own.leaves().raw, successor->leaves().raw);
  }
  return sum;
}

const OwnOrder* StrategyHost::order(IntentId id) const noexcept {
  return const_cast<StrategyHost*>(this)->find(id);  // find() changes nothing
}

std::uint32_t StrategyHost::open_orders() const noexcept {
  std::uint32_t count = 0;
  for (const OwnOrder& own : orders_)
    count += own.id.is_none() ? 0U : 1U;
  return count;
}

OwnOrder* StrategyHost::find(IntentId id) noexcept {
  if (id.is_none())
    return nullptr;
  for (OwnOrder& own : orders_) {
    if (own.id == id)
      return &own;
  }
  return nullptr;
}

bool StrategyHost::owns(std::uint32_t instrument) const noexcept {
  return instrument < owned_.size() && owned_[instrument] != 0;
}

}  // namespace sluice
