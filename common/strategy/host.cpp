#include "common/strategy/host.hpp"

#include <utility>

#include "common/base/error.hpp"

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
  if (event.kind == MarketKind::kSession)
    return;
  if (!owns(event.instrument)) {
    ++counters_.foreign;
    return;
  }
  ++counters_.market_events;
  cause_ = {.feed = event.source,
            .reserved = 0,
            .instrument = event.instrument,
            .receive_ns = event.receive_ns};
  suppressed_ =
      options_.max_event_age_ns > 0 && now_.ns - event.receive_ns.ns > options_.max_event_age_ns;
  if (suppressed_)
    ++counters_.stale;
  strategy_.on_market(event, *this);
  suppressed_ = false;
}

// A gateway that began anew cancels what it finds of ours and knows nothing of the rest: orders of
// its predecessor will not be heard of again.
void StrategyHost::follow_gateway(std::uint64_t n) noexcept {
  const std::uint32_t incarnation = event_incarnation(n);
  if (incarnation <= gateway_incarnation_)
    return;
  if (gateway_incarnation_ != 0)
    orders_.fill(OwnOrder{});
  gateway_incarnation_ = incarnation;
}

void StrategyHost::on_execution(const Execution& execution, MonoNanos now) noexcept {
  advance(now);
  follow_gateway(execution.n);
  if (execution.kind == ExecutionKind::kSession)
    return;
  if (execution.intent.strategy != options_.strategy || execution.instrument >= positions_.size()) {
    ++counters_.foreign;
    return;
  }
  if (execution.n <= adopted_n_[execution.instrument])
    return;  // already in the adopted position
  std::int64_t& position = positions_[execution.instrument];
  if (execution.kind == ExecutionKind::kFill) {
    position += execution.side == Side::kBuy ? execution.qty.raw : -execution.qty.raw;
    if (execution.fee_asset == instruments_[execution.instrument].base_asset) {
      position -= execution.fee;
    }
  } else if (execution.kind == ExecutionKind::kFee &&
             execution.fee_asset == instruments_[execution.instrument].base_asset) {
    position -= execution.fee;  // of a fee record: final minus what was estimated
  }
  if (OwnOrder* own = find(execution.intent); own != nullptr) {
    own->state = execution.state;
    own->filled = execution.cum_qty;
    if (execution.approved.raw > 0)
      own->qty = execution.approved;
    if (execution.kind == ExecutionKind::kCancelRejected)
      own->cancel_sent = 0;
    if (is_terminal(execution.state))
      *own = OwnOrder{};
  } else if (execution.intent.incarnation != options_.incarnation) {
    ++counters_.foreign;
  }
  strategy_.on_execution(execution, *this);
}

void StrategyHost::on_verdict(const Verdict& verdict, MonoNanos now) noexcept {
  advance(now);
  if (OwnOrder* own = find(verdict.intent); own != nullptr) {
    if (verdict.decision == Decision::kRefused)
      *own = OwnOrder{};
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
  positions_[instrument] = position;
  adopted_n_[instrument] = n;
  follow_gateway(n);
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
  OwnOrder* slot = nullptr;
  for (OwnOrder& own : orders_) {
    if (own.id.is_none()) {
      slot = &own;
      break;
    }
  }
  if (slot == nullptr) {
    ++counters_.too_many_open;
    return SubmitStatus::kTooManyOpen;
  }

  Intent intent;
  intent.id = {.incarnation = options_.incarnation,
               .strategy = options_.strategy,
               .reserved = 0,
               .sequence = next_sequence_};
  intent.account = options_.account;
  intent.venue = options_.venue;
  intent.instrument = request.instrument;
  intent.kind = IntentKind::kNew;
  intent.side = request.side;
  intent.type = request.type;
  intent.tif = request.tif;
  intent.requested = request.qty;
  intent.limit = request.limit;
  intent.decided_ns = now_;
  intent.deadline_ns = {now_.ns + options_.intent_deadline_ns};
  intent.cause = cause_;
  if (!output_.intent(intent)) {
    ++counters_.no_credit;
    return SubmitStatus::kNoCredit;
  }
  ++next_sequence_;
  ++counters_.intents;
  *slot = {.id = intent.id,
           .instrument = request.instrument,
           .side = request.side,
           .type = request.type,
           .tif = request.tif,
           .state = OrderState::kPending,
           .qty = request.qty,
           .filled = {},
           .limit = request.limit,
           .placed_ns = now_,
           .cancel_sent = 0};
  id = intent.id;
  return SubmitStatus::kOk;
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
  own->cancel_sent = 1;
  return true;
}

std::int64_t StrategyHost::position(std::uint32_t instrument) const noexcept {
  return instrument < positions_.size() ? positions_[instrument] : 0;
}

Qty StrategyHost::working(std::uint32_t instrument, Side side) const noexcept {
  Qty sum{};
  for (const OwnOrder& own : orders_) {
    if (!own.id.is_none() && own.instrument == instrument && own.side == side) {
      sum.raw += own.qty.raw - own.filled.raw;
    }
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
