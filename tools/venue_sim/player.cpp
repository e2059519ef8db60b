#include "tools/venue_sim/player.hpp"

namespace sluice::sim {
namespace {

constexpr std::optional<Side> taker_of(SessionSide side) noexcept {
  switch (side) {
    case SessionSide::kBid:
      return Side::kBuy;
    case SessionSide::kAsk:
      return Side::kSell;
    case SessionSide::kNone:
      break;
  }
  return std::nullopt;
}

}  // namespace

std::size_t Player::play(WallNanos now, std::size_t limit, MarketSink& sink) {
  if (!timeline_.started()) {
    return 0;
  }
  std::size_t count = 0;
  for (; count < limit && !ended(); ++count) {
    const SessionRecord& record = session_.records[next_];
    const bool paced = timeline_.paced();
    const WallNanos due = paced ? timeline_.venue_time(record.send_ns) : now;
    if (due > now) {
      break;
    }
    venue_.run_until(WallNanos{due.ns - 1});
    apply(due, record);
    ++next_;
    ++by_kind_[static_cast<std::size_t>(record.kind)];
    sink.on_record(record, paced ? timeline_.venue_time(record.exchange_ns) : now);
  }
  return count;
}

void Player::apply(WallNanos at, const SessionRecord& record) {
  switch (record.kind) {
    case SessionKind::kQuote: {
      const SessionQuote quote = record.quote();
      venue_.quote(at, record.symbol, {quote.bid_px, quote.bid_qty, quote.ask_px, quote.ask_qty});
      break;
    }
    case SessionKind::kTrade: {
      const SessionLevel print = record.level();
      venue_.trade(at, record.symbol, {print.px, print.qty, taker_of(record.side)});
      break;
    }
    case SessionKind::kDepth: {
      const SessionLevel level = record.level();
      venue_.depth(at, record.symbol,
                   {.side = record.side == SessionSide::kBid ? Side::kBuy : Side::kSell,
                    .px = level.px,
                    .qty = level.qty,
                    .snapshot_begins = record.snapshot() && !in_snapshot_,
                    .last_of_event = record.last_of_event()});
      in_snapshot_ = record.snapshot() && !record.last_of_event();
      break;
    }
    case SessionKind::kStatus:
      venue_.status(at, record.symbol, record.status() == SessionStatus::kResume);
      break;
  }
}

std::optional<WallNanos> Player::next_due() const noexcept {
  if (!timeline_.started() || ended() || !timeline_.paced()) {
    return std::nullopt;
  }
  return timeline_.venue_time(session_.records[next_].send_ns);
}

std::int64_t Player::session_now() const noexcept {
  return next_ == 0 ? session_.first_send_ns() : session_.records[next_ - 1].send_ns;
}

}  // namespace sluice::sim
