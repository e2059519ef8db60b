// The account's own orders as self-trade sees them, and intents that wait in their row.
#include <algorithm>

#include "common/trading/gateway_core.hpp"

namespace sluice {
namespace {

std::size_t side_index(Side side) noexcept {
  return side == Side::kBuy ? 0 : 1;
}

// Does an order that leaves so meet `resting` of the other side? (protocols 4.7)
bool meets(Side side, OrderType type, Price limit, const OrderRow& resting) noexcept {
  if (type != OrderType::kLimit || resting.type != OrderType::kLimit) {
    return true;
  }
  return side == Side::kBuy ? limit >= resting.limit : limit <= resting.limit;
}

}  // namespace

// Keeps the list of an instrument's live rows per side. It holds what counts as working, in flight
// or unknown, so it is as short as `max_open_orders` plus what is foreign; a best price instead
// would have to be searched for again at every end.
void GatewayCore::book_own(std::uint32_t i) noexcept {
  const OrderRow& row = table_.row(i);
  OrderAux& aux = table_.aux(i);
  const bool live = aux.counted_class != RowClass::kNone && !is_terminal(row.state);
  if (live == aux.in_book) {
    return;
  }
  std::uint32_t& head = markets_[row.instrument].own_orders[side_index(row.side)];
  if (live) {
    aux.book_next = head;
    aux.book_prev = kNoRow;
    if (head != kNoRow) {
      table_.aux(head).book_prev = i;
    }
    head = i;
  } else {
    (aux.book_prev == kNoRow ? head : table_.aux(aux.book_prev).book_next) = aux.book_next;
    if (aux.book_next != kNoRow) {
      table_.aux(aux.book_next).book_prev = aux.book_prev;
    }
  }
  aux.in_book = live;
}

Collision GatewayCore::collision(std::uint32_t instrument, Side side, OrderType type,
                                 Price limit) const noexcept {
  Collision found = Collision::kNone;
  std::uint32_t i = markets_[instrument].own_orders[side_index(opposite(side))];
  for (; i != kNoRow; i = table_.aux(i).book_next) {
    if (!meets(side, type, limit, table_.row(i))) {
      continue;
    }
    if (table_.aux(i).foreign || table_.aux(i).conflict) {
      return Collision::kForeign;
    }
    found = Collision::kOwn;
  }
  return found;
}

// A reduction goes before orders that open: those in its way stand on the position's own side, so
// each of them opens, whosever it is.
void GatewayCore::clear_way(const Intent& intent, const GateResult& gate) noexcept {
  std::uint32_t i = markets_[intent.instrument].own_orders[side_index(opposite(intent.side))];
  while (i != kNoRow) {
    const std::uint32_t next = table_.aux(i).book_next;
    // A chain's end may have taken the next one out of the list; its own link still leads on.
    if (table_.aux(i).in_book && meets(intent.side, gate.type, gate.limit, table_.row(i))) {
      static_cast<void>(latch_chain(i));
    }
    i = next;
  }
}

void GatewayCore::hold(std::uint32_t i, const Intent& intent, const GateResult& gate) noexcept {
  OrderAux& aux = table_.aux(i);
  aux.held = true;
  held_.push_back({.row = i, .type = gate.type, .limit = gate.limit, .intent = intent});
  link_replace(i);
  table_.activate(i);
  touch(i);
}

// True also when there is nothing left to wait for: then the release refuses it.
bool GatewayCore::ready(const Held& held) const noexcept {
  const Intent& intent = held.intent;
  if (intent.kind == IntentKind::kReplace) {
    const std::uint32_t old = table_.find(intent.replaces);
    if (check_replace(intent, old) != Reason::kNone) {
      return true;
    }
    if (!replaceable(old)) {
      return false;
    }
  }
  return collision(intent.instrument, intent.side, held.type, held.limit) == Collision::kNone;
}

bool GatewayCore::next_ready(Intent& out) const noexcept {
  for (const Held& held : held_) {
    if (ready(held)) {
      out = held.intent;
      return true;
    }
  }
  return false;
}

void GatewayCore::on_release(const Intent& intent, const IntentContext& context) noexcept {
  begin(context.now);
  const auto at = std::find_if(held_.begin(), held_.end(),
                               [&](const Held& h) { return h.intent.id == intent.id; });
  if (at != held_.end()) {
    const Held held = *at;
    held_.erase(at);
    table_.aux(held.row).held = false;
    uncount(held.row);  // the gate adds it anew
    decide(held.row, held.intent, context);
  }
  commit();
}

// Takes a row out of every sum, as if it had not been seen yet.
void GatewayCore::uncount(std::uint32_t i) noexcept {
  const OrderRow& row = table_.row(i);
  OrderAux& aux = table_.aux(i);
  count_class(aux.counted_class, row.instrument, -1);
  aux.counted_class = RowClass::kNone;
  positions_.change_working(row.id.strategy, row.instrument, row.side, -aux.counted_open.raw);
  aux.counted_open = {};
  touch_instrument(row.id.strategy, row.instrument);
  book_own(i);
}

void GatewayCore::drop_held(std::size_t at, Reason reason) noexcept {
  const Held held = held_[at];
  held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(at));
  table_.aux(held.row).held = false;
  refuse(held.row, held.intent, reason);
}

void GatewayCore::drop_held_of(std::uint32_t i, Reason reason) noexcept {
  for (std::size_t at = 0; at < held_.size(); ++at) {
    if (held_[at].row == i) {
      drop_held(at, reason);
      return;
    }
  }
}

void GatewayCore::expire_held() noexcept {
  for (std::size_t at = held_.size(); at-- > 0;) {
    if (killed_) {
      drop_held(at, Reason::kKilled);
    } else if (now_ > held_[at].intent.deadline_ns) {
      drop_held(at, Reason::kExpired);
    }
  }
}

}  // namespace sluice
