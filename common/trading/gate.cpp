#include "common/trading/gate.hpp"

#include <algorithm>
#include <utility>

#include "common/trading/checked.hpp"

namespace sluice {
namespace {

constexpr std::int64_t kBpsScale = 10'000;

// The position as a given side has to fear it: the worse of the book and the venue's evidence.
std::int64_t worst_long(const PositionRow& p) noexcept {
  return p.venue_position_ns.ns == 0 ? p.position : std::max(p.position, p.venue_position);
}
std::int64_t worst_short(const PositionRow& p) noexcept {
  return p.venue_position_ns.ns == 0 ? p.position : std::min(p.position, p.venue_position);
}

}  // namespace

std::int64_t supported_position(const PositionRow& account) noexcept {
  if (account.venue_position_ns.ns == 0) {
    return 0;
  }
  const std::int64_t book = account.position;
  const std::int64_t venue = account.venue_position;
  if (book > 0 && venue > 0) {
    return std::min(book, venue);
  }
  if (book < 0 && venue < 0) {
    return std::max(book, venue);
  }
  return 0;
}

bool order_reduces(Side side, Qty qty, const PositionRow& account,
                   const PositionRow& strategy) noexcept {
  const std::int64_t p_account = supported_position(account);
  const std::int64_t p_strategy = strategy.position;
  const bool opposes = side == Side::kSell ? p_account > 0 && p_strategy > 0
                                           : side == Side::kBuy && p_account < 0 && p_strategy < 0;
  if (!opposes) {
    return false;
  }
  const auto fits = [&](std::int64_t p, const PositionRow& row) {
    const std::int64_t leaves = side == Side::kSell ? row.working_sell.raw : row.working_buy.raw;
    std::int64_t sum = 0;
    return add_checked(qty.raw, leaves, sum) && sum <= magnitude(p);
  };
  return fits(p_account, account) && fits(p_strategy, strategy);
}

bool collar_price(Price px, std::int64_t collar_bps, Side side, Price& out) noexcept {
  const std::int64_t factor = side == Side::kBuy ? kBpsScale + collar_bps : kBpsScale - collar_bps;
  return factor >= 0 && mul_div_half_even(px.raw, factor, kBpsScale, out.raw);
}

HardGate::HardGate(GateRules rules, const InstrumentTable& instruments)
    : rules_(std::move(rules)), instruments_(instruments) {}

namespace {

// One check of the gate: everything it may look at. Each member function is one numbered step of
// order-path.md 4 and answers kNone when the order passes it.
class Check {
 public:
  Check(const GateInputs& in, const GateRules& rules, const InstrumentTable& instruments,
        GateResult& out) noexcept
      : in_(in),
        intent_(in.intent),
        rules_(rules),
        ceilings_(rules.instruments[in.intent.instrument]),
        instrument_(instruments[in.intent.instrument]),
        leaves_(leaves_of(in)),
        added_(added_by(in)),
        out_(out) {}

  [[nodiscard]] Reason kill() const noexcept {
    return in_.kill.tripped() ? Reason::kKilled : Reason::kNone;
  }

  // A decision from the future means that a clock jumped back: it counts as expired.
  [[nodiscard]] Reason deadline() const noexcept {
    const bool late = intent_.deadline_ns.ns == 0 || in_.now > intent_.deadline_ns;
    const bool future =
        sub_saturating(intent_.decided_ns.ns, in_.now.ns) > rules_.clock_tolerance_ns;
    return late || future ? Reason::kExpired : Reason::kNone;
  }

  [[nodiscard]] Reason clock() const noexcept {
    return in_.now < in_.latest_now ? Reason::kClock : Reason::kNone;
  }

  [[nodiscard]] Reason account() const noexcept {
    const bool known = (in_.account.flags & kAccountKnown) != 0;
    const bool blocked = (in_.account.flags & kAccountBlocked) != 0;
    const bool other =
        !rules_.expected_account.is_zero() && in_.account.account_id != rules_.expected_account;
    return !known || blocked || other ? Reason::kAccountBlocked : Reason::kNone;
  }

  [[nodiscard]] Reason trading_state() const noexcept {
    const TradingState state = in_.head.trading_state;
    const bool open =
        state == TradingState::kActive || (state == TradingState::kReduceOnly && out_.reduces);
    if (!open) {
      return Reason::kTradingState;
    }
    return in_.journal_high_water && !out_.reduces ? Reason::kJournalHighWater : Reason::kNone;
  }

  [[nodiscard]] Reason limit_sheet() const noexcept {
    if (out_.reduces) {
      return Reason::kNone;
    }
    const bool this_session =
        in_.head.incarnation != 0 && in_.head.incarnation == in_.risk_incarnation;
    const bool young =
        sub_saturating(in_.now.ns, in_.head.published_ns.ns) <= rules_.limit_sheet_max_age_ns;
    return this_session && young ? Reason::kNone : Reason::kLimitSheetStale;
  }

  [[nodiscard]] Reason risk_alive() const noexcept {
    return in_.risk_alive || out_.reduces ? Reason::kNone : Reason::kRiskDead;
  }

  [[nodiscard]] Reason stream() const noexcept {
    if (in_.stream_proven) {
      return Reason::kNone;
    }
    const bool audited =
        in_.last_audit_ns.ns != 0 && in_.now.ns - in_.last_audit_ns.ns <= rules_.audit_max_age_ns;
    return out_.reduces && audited ? Reason::kNone : Reason::kStreamUnproven;
  }

  // Binds reductions too: only an operator may reduce without a price (contracts.md).
  [[nodiscard]] Reason market_data() const noexcept {
    if ((in_.quote.flags & (kQuoteSuspect | kFeedDown)) != 0) {
      return Reason::kMarketDataStale;
    }
    const std::int64_t max_age = ceilings_.market_data_max_age_ns;
    if (max_age > 0 && sub_saturating(in_.now.ns, in_.quote.receive_ns.ns) > max_age) {
      return Reason::kMarketDataStale;
    }
    if (!in_.quote.quote.two_sided()) {
      return Reason::kMarketDataOneSided;
    }
    return in_.quote.quote.crossed() ? Reason::kMarketDataCrossed : Reason::kNone;
  }

  [[nodiscard]] Reason instrument() const noexcept {
    if (!ceilings_.allowed || !instrument_.has(kInstrumentTradable)) {
      return Reason::kInstrumentNotAllowed;
    }
    const std::uint16_t flags = in_.account_position.flags;
    const bool hard = (flags & ~kPositionSoftFlags) != 0;
    const bool soft = (flags & kPositionSoftFlags) != 0 && !out_.reduces;
    const bool halted = (in_.quote.flags & kQuoteHalted) != 0;
    return hard || soft || halted ? Reason::kInstrumentHalted : Reason::kNone;
  }

  // How the order leaves and what it costs at worst: needed by what follows. Market orders leave as
  // collared limits, rounded to the tick on the side that trades less, unless the instrument allows
  // bare ones.
  [[nodiscard]] Reason price() noexcept {
    const Quote& quote = in_.quote.quote;
    const bool buy = intent_.side == Side::kBuy;
    const std::int64_t collar = collar_bps();
    Price bound;
    if (!collar_price(buy ? quote.ask_px : quote.bid_px, collar, intent_.side, bound)) {
      return Reason::kOverflow;
    }
    out_.type = intent_.type;
    out_.limit = intent_.limit;
    if (intent_.type == OrderType::kMarket && !instrument_.has(kInstrumentMarketOrders)) {
      out_.type = OrderType::kLimit;
      out_.limit = buy ? floor_to_tick(instrument_, bound) : ceil_to_tick(instrument_, bound);
    }
    out_.worst_px = buy ? std::max(out_.limit, bound) : std::max(out_.limit, quote.ask_px);
    return notional(out_.worst_px, leaves_, out_.worst_notional) ? Reason::kNone
                                                                 : Reason::kOverflow;
  }

  [[nodiscard]] Reason form() const noexcept {
    if (out_.type == OrderType::kLimit && !is_on_tick(instrument_, out_.limit)) {
      return Reason::kTick;
    }
    const Qty qty = intent_.approved;
    if (!is_on_lot(instrument_, qty)) {
      return Reason::kLot;
    }
    if (qty < instrument_.min_qty) {
      return Reason::kSizeMin;
    }
    const Qty largest = std::min(ceilings_.order_qty, in_.limits.max_order_qty);
    if (qty > instrument_.max_qty || leaves_ > largest) {
      return Reason::kSizeMax;
    }
    return value();
  }

  // The minimum is judged at the lowest price the venue may value the order with, the maximum at
  // the worst.
  [[nodiscard]] Reason value() const noexcept {
    Price low = out_.limit;
    if (low.raw == 0 && !collar_price(in_.quote.quote.bid_px, collar_bps(), Side::kSell, low)) {
      return Reason::kOverflow;
    }
    Cash least;
    if (!notional(low, intent_.approved, least)) {
      return Reason::kOverflow;
    }
    if (least < instrument_.min_notional) {
      return Reason::kNotionalMin;
    }
    const Cash most = std::min(ceilings_.order_notional, in_.limits.max_order_notional);
    return out_.worst_notional > most ? Reason::kNotionalMax : Reason::kNone;
  }

  [[nodiscard]] Reason collar() const noexcept {
    if (out_.type != OrderType::kLimit) {
      return Reason::kNone;
    }
    const Quote& quote = in_.quote.quote;
    Price bound;
    const bool buy = intent_.side == Side::kBuy;
    if (!collar_price(buy ? quote.ask_px : quote.bid_px, collar_bps(), intent_.side, bound)) {
      return Reason::kOverflow;
    }
    const bool inside = buy ? out_.limit <= bound : out_.limit >= bound;
    return inside ? Reason::kNone : Reason::kCollar;
  }

  // No short where forbidden, no flip through zero in one order, and never more than is available
  // net of what other orders hold. Where shorting is forbidden nothing but a covered sale passes.
  [[nodiscard]] Reason available() const noexcept {
    const std::int64_t qty = leaves_.raw;
    const std::int64_t p_account = supported_position(in_.account_position);
    const std::int64_t p_strategy = in_.strategy_position.position;
    const bool sell = intent_.side == Side::kSell;
    if (instrument_.has(kInstrumentShortable)) {
      const std::int64_t p = worst_of_both();
      const bool opposes = sell ? p > 0 : p < 0;
      const bool dust = magnitude(p) < instrument_.min_qty.raw;
      return opposes && !dust && qty > magnitude(p) ? Reason::kShort : Reason::kNone;
    }
    if (!sell) {
      return Reason::kNone;
    }
    if (qty > p_account || qty > p_strategy) {
      return Reason::kShort;
    }
    return out_.reduces ? Reason::kNone : Reason::kAvailable;
  }

  [[nodiscard]] Reason position() const noexcept {
    if (out_.reduces) {
      return Reason::kNone;
    }
    const PositionRow& p = in_.account_position;
    const Qty limit = std::min(ceilings_.position, in_.limits.max_position);
    std::int64_t reach = 0;
    const bool buy = intent_.side == Side::kBuy;
    const bool fits = buy ? add_checked(worst_long(p), p.working_buy.raw, reach) &&
                                add_checked(reach, added_.raw, reach)
                          : sub_checked(worst_short(p), p.working_sell.raw, reach) &&
                                sub_checked(reach, added_.raw, reach);
    if (!fits) {
      return Reason::kOverflow;
    }
    return magnitude(reach) > limit.raw ? Reason::kPosition : exposure(reach);
  }

  // `reach`: the position if everything on the order's side trades.
  [[nodiscard]] Reason exposure(std::int64_t reach) const noexcept {
    const PositionRow& p = in_.account_position;
    std::int64_t other = 0;  // the position if everything on the other side trades
    const bool fits = intent_.side == Side::kBuy
                          ? sub_checked(worst_short(p), p.working_sell.raw, other)
                          : add_checked(worst_long(p), p.working_buy.raw, other);
    Cash value;
    if (!fits ||
        !notional(out_.worst_px, Qty{std::max(magnitude(reach), magnitude(other))}, value)) {
      return Reason::kOverflow;
    }
    if (value > std::min(ceilings_.exposure, in_.limits.max_exposure)) {
      return Reason::kExposure;
    }
    std::int64_t gross = 0;
    if (!add_checked(value.raw, in_.other_exposure.raw, gross)) {
      return Reason::kOverflow;
    }
    const Cash limit = std::min(rules_.gross_exposure, in_.head.max_exposure);
    return gross > limit.raw ? Reason::kExposure : Reason::kNone;
  }

  [[nodiscard]] Reason open_orders() const noexcept {
    // A chain is one order at the venue, whichever of its members lives.
    const std::uint32_t own = in_.replaced != nullptr ? 1 : 0;
    return in_.open_orders < rules_.open_orders + own ? Reason::kNone : Reason::kOpenOrders;
  }

  [[nodiscard]] Reason rate() const noexcept {
    return in_.strategy_rate_room && in_.venue_rate_room ? Reason::kNone : Reason::kRate;
  }

  [[nodiscard]] Reason duplicate() const noexcept {
    return in_.duplicate ? Reason::kDuplicate : Reason::kNone;
  }

  // The venue refuses it, and a fill against oneself is paid for twice.
  [[nodiscard]] Reason self_trade() noexcept {
    out_.collision = in_.self_trade(intent_.side, out_.type, out_.limit);
    return out_.collision == Collision::kNone ? Reason::kNone : Reason::kSelfTrade;
  }

  [[nodiscard]] Reason buying_power() noexcept {
    if (intent_.side != Side::kBuy) {
      return Reason::kNone;
    }
    const std::int64_t held = in_.replaced != nullptr ? in_.replaced->held.raw : 0;
    out_.reserve = Cash{std::max<std::int64_t>(out_.worst_notional.raw - held, 0)};
    std::int64_t needed = 0;
    if (!add_checked(out_.reserve.raw, in_.reserved.raw, needed)) {
      return Reason::kOverflow;
    }
    return needed > in_.account.venue_buying_power.raw ? Reason::kBuyingPower : Reason::kNone;
  }

  // What may still trade once the order lives, and what of it is new.
  [[nodiscard]] static Qty leaves_of(const GateInputs& in) noexcept {
    const std::int64_t filled = in.replaced != nullptr ? in.replaced->chain_filled.raw : 0;
    return Qty{in.intent.approved.raw - filled};
  }
  [[nodiscard]] static Qty added_by(const GateInputs& in) noexcept {
    const std::int64_t before = in.replaced != nullptr ? in.replaced->leaves.raw : 0;
    return Qty{std::max<std::int64_t>(leaves_of(in).raw - before, 0)};
  }

 private:
  [[nodiscard]] std::int64_t collar_bps() const noexcept {
    return out_.reduces ? ceilings_.reduce_collar_bps : ceilings_.collar_bps;
  }
  // The position nearer to zero on the side that the order opposes: the flip is judged by it.
  [[nodiscard]] std::int64_t worst_of_both() const noexcept {
    return intent_.side == Side::kSell ? worst_short(in_.account_position)
                                       : worst_long(in_.account_position);
  }

  const GateInputs& in_;
  const Intent& intent_;
  const GateRules& rules_;
  const InstrumentCeilings& ceilings_;
  const Instrument& instrument_;
  const Qty leaves_;
  const Qty added_;
  GateResult& out_;
};

}  // namespace

GateResult HardGate::check(const GateInputs& in) noexcept {
  GateResult out;
  out.reduces =
      order_reduces(in.intent.side, Check::added_by(in), in.account_position, in.strategy_position);
  Check c(in, rules_, instruments_, out);
  using Step = Reason (Check::*)() const noexcept;
  using PricingStep = Reason (Check::*)() noexcept;
  constexpr Step kBeforePrice[] = {&Check::kill,       &Check::deadline,      &Check::clock,
                                   &Check::account,    &Check::trading_state, &Check::limit_sheet,
                                   &Check::risk_alive, &Check::stream,        &Check::market_data,
                                   &Check::instrument};
  constexpr Step kAfterPrice[] = {&Check::form,     &Check::collar,      &Check::available,
                                  &Check::position, &Check::open_orders, &Check::rate,
                                  &Check::duplicate};
  const auto run = [&](auto step) {
    if (out.reason == Reason::kNone) {
      out.reason = (c.*step)();
    }
  };
  for (const Step step : kBeforePrice) {
    run(step);
  }
  run(PricingStep{&Check::price});
  for (const Step step : kAfterPrice) {
    run(step);
  }
  run(PricingStep{&Check::self_trade});
  run(PricingStep{&Check::buying_power});
  run(Step{&Check::kill});
  ++refused_[static_cast<std::size_t>(out.reason)];
  return out;
}

}  // namespace sluice
