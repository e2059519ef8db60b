#include "common/trading/order_table.hpp"

#include "common/trading/gateway_output.hpp"

namespace sluice {

OrderTable::OrderTable(std::uint32_t capacity, std::int64_t retention_ns)
    : rows_(capacity),
      aux_(capacity),
      by_intent_(capacity),
      by_venue_(capacity),
      retention_ns_(retention_ns) {
  active_.reserve(capacity);
  unsent_.rows.resize(capacity);
  sent_.rows.resize(capacity);
}

void OrderTable::Queue::push(std::uint32_t row) noexcept {
  rows[(head + count) % rows.size()] = row;
  ++count;
}

std::uint32_t OrderTable::Queue::pop() noexcept {
  const std::uint32_t row = rows[head];
  head = (head + 1) % rows.size();
  --count;
  return row;
}

OrderTable::Allocation OrderTable::allocate(const IntentId& id, MonoNanos now,
                                            const GatewayOutput* rings) noexcept {
  Allocation result;
  if (used_ < capacity()) {
    result.row = used_++;
  } else {
    result.row = take_from(unsent_, now, rings);
    if (result.row == kNoRow) {
      result.row = take_from(sent_, now, rings);
    }
    if (result.row == kNoRow) {
      return result;
    }
    OrderRow& old = rows_[result.row];
    result.recycled_executions = aux_[result.row].first_execution;
    if (!old.id.is_none()) {
      by_intent_.erase(old.id);
    }
    if (!old.venue_order_id.is_zero()) {
      by_venue_.erase(old.venue_order_id);
    }
    ++recycled_;
  }
  rows_[result.row] = {};
  aux_[result.row] = {};
  rows_[result.row].id = id;
  if (!id.is_none()) {
    by_intent_.put(id, result.row);
  }
  return result;
}

std::uint32_t OrderTable::find(const IntentId& id) const noexcept {
  return id.is_none() ? kNoRow : by_intent_.find(id);
}

std::uint32_t OrderTable::find_venue(const Id128& id) const noexcept {
  return id.is_zero() ? kNoRow : by_venue_.find(id);
}

void OrderTable::bind_venue(std::uint32_t row, const Id128& id) noexcept {
  rows_[row].venue_order_id = id;
  by_venue_.put(id, row);
}

void OrderTable::activate(std::uint32_t row) noexcept {
  if (aux_[row].active_at != kNoRow) {
    return;
  }
  aux_[row].active_at = static_cast<std::uint32_t>(active_.size());
  active_.push_back(row);
}

void OrderTable::deactivate(std::uint32_t row) noexcept {
  const std::uint32_t at = aux_[row].active_at;
  if (at == kNoRow) {
    return;
  }
  active_[at] = active_.back();
  aux_[active_[at]].active_at = at;
  active_.pop_back();
  aux_[row].active_at = kNoRow;
}

void OrderTable::retire(std::uint32_t row) noexcept {
  if (aux_[row].queued) {
    return;
  }
  aux_[row].queued = true;
  (aux_[row].sent ? sent_ : unsent_).push(row);
}

bool OrderTable::recyclable(std::uint32_t i, MonoNanos now,
                            const GatewayOutput* rings) const noexcept {
  const OrderRow& row = rows_[i];
  const OrderAux& aux = aux_[i];
  return is_terminal(row.state) && row.fees_pending == 0 && open_quantity(row).raw == 0 &&
         aux.active_at == kNoRow && !aux.uncovered && !aux.dirty &&
         (!aux.sent || now.ns - row.terminal_ns.ns >= retention_ns_) &&
         (rings == nullptr || !rings->row_owed(i));
}

// The oldest is looked at first. A few that still wait for something are passed over, so that one
// fee that never comes does not block the table; the bound keeps the time constant.
std::uint32_t OrderTable::take_from(Queue& queue, MonoNanos now,
                                    const GatewayOutput* rings) noexcept {
  constexpr std::size_t kTries = 8;
  const std::size_t tries = queue.count < kTries ? queue.count : kTries;
  for (std::size_t i = 0; i < tries; ++i) {
    const std::uint32_t row = queue.pop();
    if (recyclable(row, now, rings)) {
      return row;
    }
    queue.push(row);
  }
  return kNoRow;
}

}  // namespace sluice
