#include "tools/venue_sim/player.hpp"

#include <algorithm>

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

std::int64_t period(const Session& session) noexcept {
  return session.last_send_ns() - session.first_send_ns() + kSeamNs;
}

std::uint64_t largest_id(const Session& session) noexcept {
  std::uint64_t largest = 0;
  for (const SessionRecord& record : session.records) {
    largest = std::max(largest, record.id);
  }
  return largest;
}

}  // namespace

std::int64_t last_send_ns(const Session& session, std::size_t repeat) noexcept {
  return session.last_send_ns() + static_cast<std::int64_t>(repeat - 1) * period(session);
}

Player::Player(const Session& session, const Timeline& timeline, Venue& venue,
               std::size_t repeat) noexcept
    : session_(session),
      timeline_(timeline),
      venue_(venue),
      repeat_(repeat),
      period_ns_(period(session)),
      id_span_(repeat > 1 ? largest_id(session) : 0) {}

SessionRecord Player::next() const noexcept {
  SessionRecord record = session_.records[next_];
  record.send_ns += shift_ns_;
  record.exchange_ns += shift_ns_;
  record.id += shift_id_;
  return record;
}

Player::Past Player::past(std::size_t index) const noexcept {
  const std::size_t times = index / session_.records.size();
  Past past{session_.records[index % session_.records.size()], {}};
  past.record.send_ns += static_cast<std::int64_t>(times) * period_ns_;
  past.record.exchange_ns += static_cast<std::int64_t>(times) * period_ns_;
  past.record.id += times * id_span_;
  past.stamp =
      timeline_.paced() ? timeline_.venue_time(past.record.exchange_ns) : stamps_.at(index);
  return past;
}

void Player::advance() noexcept {
  ++played_;
  if (++next_ == session_.records.size() && !ended()) {
    next_ = 0;
    shift_ns_ += period_ns_;
    shift_id_ += id_span_;
  }
}

std::size_t Player::play(WallNanos now, std::size_t limit, MarketSink& sink) {
  if (!timeline_.started()) {
    return 0;
  }
  std::size_t count = 0;
  for (; count < limit && !ended(); ++count) {
    const SessionRecord record = next();
    const bool paced = timeline_.paced();
    const WallNanos due =
        paced ? std::max(timeline_.venue_time(record.send_ns), timeline_.t0()) : now;
    if (due > now) {
      break;
    }
    venue_.run_until(WallNanos{due.ns - 1});
    apply(due, record);
    if (!paced) {
      stamps_.add(played_, now);
    }
    advance();
    session_now_ = record.send_ns;
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
      venue_.trade(at, record.symbol,
                   {.px = print.px,
                    .qty = print.qty,
                    .taker = taker_of(record.side),
                    .opening = (record.conditions & kSessionOpening) != 0,
                    .closing = (record.conditions & kSessionClosing) != 0,
                    .exempt = (record.conditions & kSessionTradeThroughExempt) != 0});
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
  return timeline_.venue_time(next().send_ns);
}

}  // namespace sluice::sim
