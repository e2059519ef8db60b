#include "common/strategy/momentum.hpp"

#include <algorithm>

#include "common/strategy/order_rules.hpp"

namespace sluice {

Momentum::Momentum(const MomentumOptions& options, std::size_t instruments) : options_(options) {
  rows_.resize(instruments);
}

void Momentum::on_market(const MarketEvent& event, StrategyContext& context) noexcept {
  if (event.kind == MarketKind::kSession) {
    for (Row& row : rows_) {
      row.quote = {};
      row.halted = false;
    }
    return;
  }
  if (event.instrument >= rows_.size())
    return;
  Row& row = rows_[event.instrument];
  row.halted = halted_after(event, row.halted);
  if (event.kind != MarketKind::kQuote) {
    if ((event.flags & kAfterGap) != 0)
      row.quote = {};  // what was missed may have been a quote
    return;
  }
  row.quote = event.quote();
  if (!row.quote.two_sided() || row.quote.crossed() || row.halted)
    return;
  const std::int64_t mid = row.quote.bid_px.raw + (row.quote.ask_px.raw - row.quote.bid_px.raw) / 2;
  const std::int64_t moved = signal(row, mid, context.now());
  remember(row, mid, context.now());

  manage(row, event.instrument, context);
  if (winding_down_ || context.now().ns - row.last_take_ns.ns < options_.cooldown_ns)
    return;
  if (moved >= options_.signal_centi_bps) {
    take(row, event.instrument, Side::kBuy, context);
  } else if (moved <= -options_.signal_centi_bps) {
    row.sell_until_ns = {context.now().ns + options_.lookback_ns};
    sell_once_alone(row, event.instrument, context);
  }
}

void Momentum::on_execution(const Execution& execution, StrategyContext& context) noexcept {
  if (execution.instrument < rows_.size())
    manage(rows_[execution.instrument], execution.instrument, context);
}

void Momentum::on_verdict(const Verdict&, StrategyContext& context) noexcept {
  on_time(context);
}

void Momentum::on_command(const Command& command, StrategyContext& context) noexcept {
  if (command.verb == Verb::kWindDown)
    winding_down_ = true;
  on_time(context);
}

void Momentum::on_time(StrategyContext& context) noexcept {
  for (std::uint32_t i = 0; i < rows_.size(); ++i)
    manage(rows_[i], i, context);
}

void Momentum::remember(Row& row, std::int64_t mid, MonoNanos now) noexcept {
  const std::uint32_t last = (row.next + kSamples - 1) % kSamples;
  const std::int64_t step = options_.lookback_ns / static_cast<std::int64_t>(kSamples);
  if (row.taken_ns[last] != 0 && now.ns - row.taken_ns[last] < step)
    return;
  row.mids[row.next] = mid;
  row.taken_ns[row.next] = now.ns;
  row.next = (row.next + 1) % kSamples;
}

// Move of the mid in centi-bps since the oldest sample not older than twice the look-back; 0 while
// the look-back has not been seen once.
std::int64_t Momentum::signal(const Row& row, std::int64_t mid, MonoNanos now) const noexcept {
  const std::int64_t reference = row.mids[row.next];
  const std::int64_t taken = row.taken_ns[row.next];
  if (reference <= 0 || now.ns - taken > 2 * options_.lookback_ns)
    return 0;
  std::int64_t moved = 0;
  if (!mul_div_half_even(mid - reference, kCentiBps, reference, moved))
    return 0;
  return moved;
}

// Sells, or asks for the end of what rests on the other side: the venue refuses an order that could
// trade with another of the same account.
void Momentum::sell_once_alone(Row& row, std::uint32_t instrument,
                               StrategyContext& context) noexcept {
  const Instrument& rules = context.instruments()[instrument];
  const Qty held = floor_to_lot(rules, Qty{context.position(instrument)});
  if (!worth_an_order(rules, held, row.quote.bid_px)) {
    row.sell_until_ns = {};
    return;
  }
  if (!row.resting.is_none())
    context.cancel(row.resting);
  if (context.working(instrument, Side::kBuy).raw != 0)
    return;
  row.sell_until_ns = {};
  take(row, instrument, Side::kSell, context);
}

void Momentum::take(Row& row, std::uint32_t instrument, Side side,
                    StrategyContext& context) noexcept {
  const Instrument& rules = context.instruments()[instrument];
  OrderRequest request{.instrument = instrument,
                       .side = side,
                       .type = OrderType::kMarket,
                       .tif = TimeInForce::kIoc,
                       .qty = options_.order_qty,
                       .limit = {}};
  const std::int64_t position = context.position(instrument);
  if (context.working(instrument, opposite(side)).raw != 0)
    return;
  if (side == Side::kBuy) {
    const std::int64_t room =
        options_.max_position.raw - position - context.working(instrument, Side::kBuy).raw;
    request.type = OrderType::kLimit;
    request.qty = floor_to_lot(rules, Qty{std::min(request.qty.raw, room)});
    request.limit = shifted(rules, row.quote.ask_px, options_.take_through_centi_bps, side);
  } else {
    const std::int64_t held = position - context.working(instrument, Side::kSell).raw;
    request.qty = floor_to_lot(rules, Qty{std::min(request.qty.raw, held)});
    sell_at_market_or_bid(rules, row.quote.bid_px, request);
  }
  if (!worth_an_order(rules, request.qty, row.quote.bid_px))
    return;
  IntentId id;
  if (context.submit(request, id) == SubmitStatus::kOk)
    row.last_take_ns = context.now();
}

void Momentum::rest(Row& row, std::uint32_t instrument, StrategyContext& context) noexcept {
  const Instrument& rules = context.instruments()[instrument];
  const std::int64_t room = options_.max_position.raw - context.position(instrument) -
                            context.working(instrument, Side::kBuy).raw;
  const OrderRequest request{
      .instrument = instrument,
      .side = Side::kBuy,
      .type = OrderType::kLimit,
      .tif = resting_tif(rules),
      .qty = floor_to_lot(rules, Qty{std::min(options_.order_qty.raw, room)}),
      .limit = shifted(rules, row.quote.bid_px, -options_.rest_offset_centi_bps, Side::kBuy)};
  if (!worth_an_order(rules, request.qty, request.limit))
    return;
  IntentId id;
  if (context.submit(request, id) != SubmitStatus::kOk)
    return;
  row.resting = id;
  row.resting_since_ns = context.now();
  row.last_rest_ns = context.now();
}

// What has to happen without a signal: the resting order's life, a sale that waits for its end, and
// the wind-down.
void Momentum::manage(Row& row, std::uint32_t instrument, StrategyContext& context) noexcept {
  const MonoNanos now = context.now();
  if (context.order(row.resting) == nullptr)
    row.resting = {};
  const bool old = now.ns - row.resting_since_ns.ns >= options_.rest_for_ns;
  if (!row.resting.is_none() && (old || winding_down_ || row.halted))
    context.cancel(row.resting);
  if (!row.quote.two_sided() || row.quote.crossed() || row.halted)
    return;
  const bool cooled = now.ns - row.last_take_ns.ns >= options_.cooldown_ns;
  if (winding_down_) {
    if (cooled && context.working(instrument, Side::kSell).raw == 0)
      take(row, instrument, Side::kSell, context);
    return;
  }
  if (now <= row.sell_until_ns)
    sell_once_alone(row, instrument, context);
  if (row.resting.is_none() && options_.rest_every_ns > 0 &&
      now.ns - row.last_rest_ns.ns >= options_.rest_every_ns &&
      context.working(instrument, Side::kSell).raw == 0) {
    rest(row, instrument, context);
  }
}

}  // namespace sluice
