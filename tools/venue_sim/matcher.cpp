#include "tools/venue_sim/matcher.hpp"

#include <algorithm>

namespace sluice::sim {
namespace {

void add_fill(Fills& fills, const Fill& fill) {
  // One resting order met by several recorded levels at once is one execution at its own price.
  if (!fills.empty()) {
    Fill& last = fills.back();
    if (last.key == fill.key && last.px == fill.px && last.maker && fill.maker) {
      last.qty.raw += fill.qty.raw;
      return;
    }
  }
  fills.push_back(fill);
}

template <class Queue>
void drop_filled(Queue& queue) {
  std::erase_if(queue, [](const auto& w) { return w.leaves == 0; });
}

}  // namespace

void Matcher::quote(SymbolIndex symbol, const RecordedQuote& quote, Fills& fills) {
  Market& market = markets_[symbol];
  market.book.bids.quote(quote.bid_px, quote.bid_qty, [&](const LevelChange& change) {
    on_level_change(market, market.buys, change);
  });
  market.book.asks.quote(quote.ask_px, quote.ask_qty, [&](const LevelChange& change) {
    on_level_change(market, market.sells, change);
  });
  reveal(market.book.bids, market.buys);
  reveal(market.book.asks, market.sells);
  match(market, fills);
}

void Matcher::depth(SymbolIndex symbol, const RecordedLevel& level, Fills& fills) {
  Market& market = markets_[symbol];
  if (level.snapshot_begins) {
    market.book.bids.begin_snapshot();
    market.book.asks.begin_snapshot();
  }
  market.book.side(level.side).depth(level.px, level.qty, [&](const LevelChange& change) {
    on_level_change(market, market.queue(level.side), change);
  });
  if (level.last_of_event) {
    for (const Side side : {Side::kBuy, Side::kSell}) {
      market.book.side(side).end_snapshot(
          [&](const LevelChange& change) { on_level_change(market, market.queue(side), change); });
    }
    match(market, fills);
  }
}

void Matcher::quotes_only(SymbolIndex symbol) noexcept {
  markets_[symbol].book.bids.quotes_only();
  markets_[symbol].book.asks.quotes_only();
  markets_[symbol].grain = kScale;
}

void Matcher::halt(SymbolIndex symbol, bool halted, Fills& fills) {
  Market& market = markets_[symbol];
  market.halted = halted;
  match(market, fills);
}

void Matcher::trade(SymbolIndex symbol, const RecordedTrade& trade, Fills& fills) {
  Market& market = markets_[symbol];
  if (market.halted || trade.exempt || trade.qty.raw <= 0) {
    return;
  }
  std::int64_t budget = trade.qty.raw;
  // The side that was hit first: the trade happened there. A passive price through the other side's
  // orders would have met them first, so they are filled from what is left of the same trade.
  const Side hit = opposite(trade.taker.value_or(Side::kSell));
  const bool both = !trade.taker.has_value();
  hit_resting(market.book.side(hit), market.queue(hit), trade, true, budget, fills);
  hit_resting(market.book.side(opposite(hit)), market.queue(opposite(hit)), trade, both, budget,
              fills);
  if (both) {
    market.book.bids.note_trade(trade.px, trade.qty);
    market.book.asks.note_trade(trade.px, trade.qty);
  } else {
    market.book.side(hit).note_trade(trade.px, trade.qty);
  }
}

void Matcher::hit_resting(const BookSide& side, Queue& queue, const RecordedTrade& trade,
                          bool at_price, std::int64_t& budget, Fills& fills) {
  const std::int64_t trade_rank = side.rank(trade.px);
  for (Working& working : queue) {
    const std::int64_t rank = side.rank(working.order.limit);
    if (budget == 0 || rank > trade_rank || (rank == trade_rank && !at_price)) {
      break;
    }
    // `budget` is also what of the trade reaches this order's place: our orders ahead took theirs.
    const bool through = rank < trade_rank;
    if (!through && !working.queue_known) {
      continue;  // who stands there, and how many, nobody knows
    }
    const std::int64_t ahead = through ? 0 : std::min(working.queue_ahead, budget);
    working.queue_ahead = through ? 0 : working.queue_ahead - ahead;
    const std::int64_t qty = std::min(working.leaves, budget - ahead);
    if (qty > 0) {
      working.leaves -= qty;
      budget -= qty;
      add_fill(fills, {working.order.key, working.order.limit, Qty{qty}, true});
    }
  }
  drop_filled(queue);
}

Qty Matcher::enter(SymbolIndex symbol, const MatchOrder& order, Fills& fills) {
  Market& market = markets_[symbol];
  Working working{order, order.qty.raw, 0, false};
  if (order.rested && order.type == OrderType::kLimit) {
    rest(market, working);
    return order.qty;
  }
  const bool all_or_none = order.tif == TimeInForce::kFok;
  if (!all_or_none || in_sight(market, order)) {
    take(market, working, fills);
  }
  if (working.leaves == 0 || all_or_none || order.tif == TimeInForce::kIoc) {
    return Qty{0};
  }
  const Qty leaves{working.leaves};
  if (order.type == OrderType::kMarket) {
    market.waiting.push_back(working);
  } else {
    rest(market, working);
  }
  return leaves;
}

bool Matcher::in_sight(Market& market, const MatchOrder& order) {
  const BookSide& other = market.book.side(opposite(order.side));
  std::int64_t missing = order.qty.raw;
  other.walk([&](Price px, const BookSide::Level& level) {
    if (other.rank(px) > other.rank(order.limit)) {
      return false;
    }
    missing -= std::min(level.available(), missing);
    return missing > 0;
  });
  return missing == 0;
}

void Matcher::take(Market& market, Working& working, Fills& fills) {
  if (market.closed()) {
    return;
  }
  BookSide& other = market.book.side(opposite(working.order.side));
  const std::int64_t worst = other.rank(working.order.limit);
  other.walk([&](Price px, BookSide::Level& level) {
    if (other.rank(px) > worst) {
      return false;
    }
    const std::int64_t qty = std::min(level.available(), working.leaves);
    if (qty > 0) {
      level.consumed += qty;
      working.leaves -= qty;
      add_fill(fills, {working.order.key, working.resting ? working.order.limit : px, Qty{qty},
                       working.resting});
    }
    return working.leaves > 0;
  });
}

Qty Matcher::affordable(SymbolIndex symbol, Side side, Cash budget, Price worst, Qty lot) const {
  const BookSide& other = markets_[symbol].book.side(opposite(side));
  std::int64_t money = budget.raw;
  std::int64_t sum = 0;
  // Rounded down: what a price buys must not cost more than there is.
  const auto buys = [](std::int64_t cash, Price px) {
    __extension__ using Wide = __int128;
    return static_cast<std::int64_t>(
        std::min<Wide>(Wide{cash} * kScale / std::max<std::int64_t>(px.raw, 1), INT64_MAX / 4));
  };
  Price last = worst;
  other.walk([&](Price px, const BookSide::Level& level) {
    if (other.rank(px) > other.rank(worst)) {
      return false;
    }
    last = worst.raw == 0 ? px : worst;  // a market sell knows no worst price
    const std::int64_t qty = std::min(level.available(), buys(money, px));
    Cash cost{};
    if (!notional(px, Qty{qty}, cost)) {
      return false;
    }
    sum += qty;
    money -= std::min(cost.raw, money);
    return qty == level.available();
  });
  sum += last.raw > 0 ? buys(money, last) : 0;
  return Qty{sum - sum % std::max<std::int64_t>(lot.raw, 1)};
}

bool Matcher::succeed(SymbolIndex symbol, OrderKey key, OrderKey successor, Qty qty) noexcept {
  Market& market = markets_[symbol];
  for (Queue* queue : {&market.buys, &market.sells}) {
    for (Working& working : *queue) {
      if (working.order.key == key && qty.raw <= working.leaves) {
        working.order.key = successor;
        working.leaves = qty.raw;
        return true;
      }
    }
  }
  return false;
}

void Matcher::rest(Market& market, Working working) {
  const BookSide& side = market.book.side(working.order.side);
  working.resting = true;
  working.queue_ahead = side.recorded_at(working.order.limit).raw;
  working.queue_known = side.knows(working.order.limit);
  Queue& queue = market.queue(working.order.side);
  const std::int64_t rank = side.rank(working.order.limit);
  const auto place = std::upper_bound(
      queue.begin(), queue.end(), rank,
      [&](std::int64_t r, const Working& other) { return r < side.rank(other.order.limit); });
  queue.insert(place, working);
}

void Matcher::on_level_change(const Market& market, Queue& queue,
                              const LevelChange& change) noexcept {
  const std::int64_t traded = std::min(change.traded, change.old_qty);
  const std::int64_t standing = change.old_qty - traded;  // what a cancel could take from
  const std::int64_t cancelled = std::max<std::int64_t>(0, standing - change.new_qty);
  for (Working& working : queue) {
    if (working.order.limit != change.px) {
      continue;
    }
    if (!working.queue_known && change.new_qty > 0) {
      working.queue_ahead = change.new_qty;
      working.queue_known = true;
      continue;
    }
    std::int64_t share = 0;
    if (cancelled > 0 && mul_div_half_even(working.queue_ahead, cancelled, standing, share)) {
      working.queue_ahead -= std::min(share - share % market.grain, working.queue_ahead);
    }
    working.queue_ahead = std::min(working.queue_ahead, change.new_qty);
  }
}

void Matcher::reveal(const BookSide& side, Queue& queue) noexcept {
  for (Working& working : queue) {
    if (!working.queue_known && side.shows(working.order.limit)) {
      working.queue_ahead = side.recorded_at(working.order.limit).raw;
      working.queue_known = true;
    }
  }
}

void Matcher::match(Market& market, Fills& fills) {
  if (market.idle() || market.closed()) {
    return;
  }
  for (Queue* queue : {&market.waiting, &market.buys, &market.sells}) {
    for (Working& working : *queue) {
      take(market, working, fills);
    }
    drop_filled(*queue);
  }
}

bool Matcher::remove(SymbolIndex symbol, OrderKey key) noexcept {
  Market& market = markets_[symbol];
  std::size_t removed = 0;
  for (Queue* queue : {&market.waiting, &market.buys, &market.sells}) {
    removed += std::erase_if(*queue, [key](const Working& w) { return w.order.key == key; });
  }
  return removed > 0;
}

std::optional<Qty> Matcher::queue_ahead(SymbolIndex symbol, OrderKey key) const noexcept {
  const Market& market = markets_[symbol];
  for (const Queue* queue : {&market.buys, &market.sells}) {
    for (const Working& working : *queue) {
      if (working.order.key == key) {
        return Qty{working.queue_ahead};
      }
    }
  }
  return std::nullopt;
}

std::size_t Matcher::working(SymbolIndex symbol) const noexcept {
  const Market& market = markets_[symbol];
  return market.buys.size() + market.sells.size() + market.waiting.size();
}

}  // namespace sluice::sim
