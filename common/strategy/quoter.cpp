#include "common/strategy/quoter.hpp"

#include <algorithm>
#include <cstdlib>

#include "common/strategy/order_rules.hpp"

namespace sluice {
namespace {

// Whether a price for `side` would trade with one of the own orders of the other side.
bool through(Price px, Side side, const OwnOrder* other) noexcept {
  if (other == nullptr)
    return false;
  return side == Side::kBuy ? px >= other->limit : px <= other->limit;
}

bool at_the_venue(const OwnOrder& order) noexcept {
  return order.state == OrderState::kSubmitted || order.state == OrderState::kPartial;
}

}  // namespace

Quoter::Quoter(const QuoterOptions& options, std::size_t instruments) : options_(options) {
  rows_.resize(instruments);
}

void Quoter::on_market(const MarketEvent& event, StrategyContext& context) noexcept {
  if (event.kind == MarketKind::kSession) {
    for (Row& row : rows_) {
      row.quote = {};
      row.halted = false;
    }
    on_time(context);
    return;
  }
  if (event.instrument >= rows_.size())
    return;
  Row& row = rows_[event.instrument];
  if (event.kind == MarketKind::kQuote) {
    row.quote = event.quote();
    row.quote_ns = event.receive_ns;
  } else if ((event.flags & kAfterGap) != 0) {
    row.quote = {};  // what was missed may have been a quote
  }
  row.halted = halted_after(event, row.halted);
  turn(event.instrument, context);
}

void Quoter::on_execution(const Execution& execution, StrategyContext& context) noexcept {
  if (execution.instrument >= rows_.size())
    return;
  const bool unknown =
      execution.kind == ExecutionKind::kUnknown ||
      (execution.kind == ExecutionKind::kSnapshot && (execution.flags & kOutcomeUnknown) != 0);
  if (unknown) {
    Row& row = rows_[execution.instrument];
    for (Slot* slot : {&row.bid, &row.ask}) {
      if (execution.intent == slot->order || execution.intent == slot->successor)
        slot->end = true;
    }
  }
  turn(execution.instrument, context);
}

void Quoter::on_verdict(const Verdict&, StrategyContext& context) noexcept {
  on_time(context);
}

void Quoter::on_command(const Command& command, StrategyContext& context) noexcept {
  if (command.verb == Verb::kWindDown)
    winding_down_ = true;
  on_time(context);
}

void Quoter::on_time(StrategyContext& context) noexcept {
  for (std::uint32_t i = 0; i < rows_.size(); ++i)
    turn(i, context);
}

// What became of a slot's orders is read from the host's book, not from single records: whatever
// order they come in, and whichever are missed, this converges.
void Quoter::turn(std::uint32_t instrument, StrategyContext& context) noexcept {
  Row& row = rows_[instrument];
  for (Slot* slot : {&row.bid, &row.ask}) {
    const bool lives = context.order(slot->order) != nullptr;
    const bool follows = context.order(slot->successor) != nullptr;
    if (!slot->successor.is_none() && !follows) {
      slot->successor = {};
      slot->end = lives;  // the replace was refused
    }
    if (!lives) {
      slot->order = slot->successor;
      slot->successor = {};
      slot->end = false;
    }
  }
  // The side that has to make room goes first: prices that fall move the bid before the offer.
  const OwnOrder* const bid = context.order(row.bid.order);
  const bool falls = bid != nullptr && row.quote.bid_px < bid->limit;
  manage(instrument, falls ? Side::kBuy : Side::kSell, context);
  manage(instrument, falls ? Side::kSell : Side::kBuy, context);
  if (winding_down_)
    wind_down(instrument, context);
}

bool Quoter::quotable(const Row& row, MonoNanos now) const noexcept {
  return !row.halted && row.quote.two_sided() && !row.quote.crossed() &&
         now.ns - row.quote_ns.ns <= options_.quote_age_max_ns;
}

// Asked for, and no answer in time.
bool Quoter::overdue(const OwnOrder* order, MonoNanos now) const noexcept {
  return order != nullptr && !at_the_venue(*order) &&
         now.ns - order->placed_ns.ns > options_.answer_within_ns;
}

// Zero: no such price.
Price Quoter::wanted(std::uint32_t instrument, Side side,
                     const StrategyContext& context) const noexcept {
  const Row& row = rows_[instrument];
  const std::int64_t held =
      std::clamp<std::int64_t>(context.position(instrument), 0, options_.max_position.raw);
  std::int64_t skew = 0;
  if (!mul_div_half_even(options_.skew_centi_bps, held, options_.max_position.raw, skew))
    return Price{};
  const Instrument& rules = context.instruments()[instrument];
  if (side == Side::kBuy)
    return shifted(rules, row.quote.bid_px, -(options_.offset_centi_bps + skew), side);
  const std::int64_t above = std::max<std::int64_t>(0, options_.offset_centi_bps - skew);
  return shifted(rules, row.quote.ask_px, above, side);
}

// What may work on a side at most.
Qty Quoter::most_of(std::uint32_t instrument, Side side,
                    const StrategyContext& context) const noexcept {
  const std::int64_t position = context.position(instrument);
  const std::int64_t most = side == Side::kBuy ? options_.max_position.raw - position : position;
  return Qty{std::max<std::int64_t>(0, most)};
}

void Quoter::manage(std::uint32_t instrument, Side side, StrategyContext& context) noexcept {
  Row& row = rows_[instrument];
  const Slot& slot = side == Side::kBuy ? row.bid : row.ask;
  const MonoNanos now = context.now();
  const bool end = slot.end || overdue(context.order(slot.order), now) ||
                   overdue(context.order(slot.successor), now);
  if (winding_down_ || end || !quotable(row, now)) {
    if (!slot.order.is_none())
      context.cancel(slot.order);
    return;
  }
  const Price px = wanted(instrument, side, context);
  const Slot& other = side == Side::kBuy ? row.ask : row.bid;
  if (px.raw == 0 || through(px, side, context.order(other.order)) ||
      through(px, side, context.order(other.successor))) {
    return;  // the other side makes room first
  }
  const Qty most = most_of(instrument, side, context);
  if (slot.order.is_none()) {
    place(instrument, side, most, px, context);
  } else {
    requote(instrument, side, most, px, context);
  }
}

void Quoter::place(std::uint32_t instrument, Side side, Qty most, Price px,
                   StrategyContext& context) noexcept {
  const Instrument& rules = context.instruments()[instrument];
  Slot& slot = side == Side::kBuy ? rows_[instrument].bid : rows_[instrument].ask;
  const Qty qty = floor_to_lot(rules, std::min(options_.order_qty, most));
  if (context.now().ns - slot.asked_ns.ns < options_.requote_every_ns ||
      context.working(instrument, side).raw != 0 || !worth_an_order(rules, qty, px)) {
    return;
  }
  const OrderRequest request{.instrument = instrument,
                             .side = side,
                             .type = OrderType::kLimit,
                             .tif = resting_tif(rules),
                             .qty = qty,
                             .limit = px};
  if (context.submit(request, slot.order) == SubmitStatus::kOk)
    slot.asked_ns = context.now();
}

void Quoter::requote(std::uint32_t instrument, Side side, Qty most, Price px,
                     StrategyContext& context) noexcept {
  Slot& slot = side == Side::kBuy ? rows_[instrument].bid : rows_[instrument].ask;
  const OwnOrder& own = *context.order(slot.order);  // turn() has dropped what ended
  if (own.replace_in_flight() || own.cancel_sent != 0 || !at_the_venue(own))
    return;
  const bool too_much = own.leaves() > most;
  const std::int64_t distance = std::abs(px.raw - own.limit.raw);
  std::int64_t tolerance = 0;
  if (!mul_div_half_even(px.raw, options_.requote_centi_bps, kCentiBps, tolerance))
    return;
  const bool due = context.now().ns - slot.asked_ns.ns >= options_.requote_every_ns;
  if (!too_much && (distance <= tolerance || !due))
    return;
  const Instrument& rules = context.instruments()[instrument];
  const Qty qty = floor_to_lot(rules, std::min(options_.order_qty, most));
  Qty total = own.qty;
  if (too_much || own.leaves().raw < qty.raw / 2)
    total = floor_to_lot(rules, Qty{own.filled.raw + qty.raw});
  const bool takes_it = total == own.qty || total.raw % kScale == 0;
  if (!takes_it || !worth_an_order(rules, Qty{total.raw - own.filled.raw}, px)) {
    context.cancel(slot.order);
    return;
  }
  const SubmitStatus status = context.replace(slot.order, total, px, slot.successor);
  if (status == SubmitStatus::kOk) {
    slot.asked_ns = context.now();
  } else if (status != SubmitStatus::kNoCredit && status != SubmitStatus::kReplaceInFlight) {
    context.cancel(slot.order);
  }
}

void Quoter::wind_down(std::uint32_t instrument, StrategyContext& context) noexcept {
  Row& row = rows_[instrument];
  const bool working = context.working(instrument, Side::kBuy).raw != 0 ||
                       context.working(instrument, Side::kSell).raw != 0;
  if (working || !quotable(row, context.now()) ||
      context.now().ns - row.last_sale_ns.ns < options_.cooldown_ns) {
    return;
  }
  const Instrument& rules = context.instruments()[instrument];
  const Qty held{std::max<std::int64_t>(0, context.position(instrument))};
  OrderRequest request;
  request.instrument = instrument;
  request.qty = floor_to_lot(rules, std::min(options_.order_qty, held));
  if (!worth_an_order(rules, request.qty, row.quote.bid_px))
    return;
  sell_at_market_or_bid(rules, row.quote.bid_px, request);
  IntentId id;
  if (context.submit(request, id) == SubmitStatus::kOk)
    row.last_sale_ns = context.now();
}

}  // namespace sluice
