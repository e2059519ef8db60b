// The market's hours: when equity orders work, when they expire, and the two auctions.
//
// All in session time, the recorded day's. The overnight session (20:00 to 04:00) is not played:
// an extended-hours order works from 04:00 to 20:00.
#include <algorithm>
#include <array>
#include <vector>

#include "tools/venue_sim/venue.hpp"

namespace sluice::sim {
namespace {

constexpr std::int64_t kMinuteNs = 60 * kNanosPerSecond;
constexpr std::int64_t kOpgCutoffNs = 2 * kMinuteNs;   // 09:28
constexpr std::int64_t kClsCutoffNs = 10 * kMinuteNs;  // 15:50
constexpr std::int64_t kAuctionReopensS = 19 * 3'600;  // 19:00
// A print of the auction may be late; after this nobody waits for it any longer.
constexpr std::int64_t kAuctionWaitNs = 5 * kMinuteNs;
constexpr std::int64_t kGtcDays = 90;
constexpr std::int64_t kDayNs = 86'400 * kNanosPerSecond;

}  // namespace

std::optional<ApiError> Venue::check_window(const NewOrder& order, std::int64_t session_ns) {
  if (!is_auction(order.tif) || !symbols_[order.symbol].is_equity()) {
    return std::nullopt;
  }
  const bool opening = order.tif == TimeInForce::kOpg;
  const WallNanos now{session_ns};
  const CivilDay today = new_york_.local_day(now);
  if (!is_trading_day(today)) {
    return std::nullopt;
  }
  const auto hours = new_york_.trading_day(today);
  const std::int64_t last = opening ? hours.open.ns - kOpgCutoffNs : hours.close.ns - kClsCutoffNs;
  const WallNanos again = new_york_.moment(today, kAuctionReopensS);
  if (session_ns < last || now >= again) {
    return std::nullopt;
  }
  return not_allowed(opening ? "opg orders must be submitted after 7:00pm and before 9:28am ET"
                             : "cls orders must be submitted after 7:00pm and before 3:50pm ET");
}

// The end of the trading day the order belongs to. A gtc order is told to end in 90 days, which no
// recording reaches.
void Venue::set_expiry(WallNanos at, Order& order) {
  const NewOrder& asked = order.asked;
  order.expires_ns = 0;
  order.expires_at = WallNanos{0};
  if (asked.tif == TimeInForce::kGtc) {
    order.expires_at = WallNanos{at.ns + kGtcDays * kDayNs};
    return;
  }
  if (!symbols_[asked.symbol].is_equity() || asked.tif == TimeInForce::kIoc ||
      asked.tif == TimeInForce::kFok) {
    return;
  }
  const std::int64_t now = time_->session_ns(std::max(at, until_));
  auto hours = new_york_.trading_day_at(WallNanos{now});
  const auto ends = [&] {
    switch (asked.tif) {
      case TimeInForce::kOpg:
        return hours.open.ns + kAuctionWaitNs;
      case TimeInForce::kCls:
        return hours.close.ns + kAuctionWaitNs;
      default:
        return asked.extended_hours ? hours.post_close.ns : hours.close.ns;
    }
  };
  if (ends() <= now) {
    hours = new_york_.trading_day(next_trading_day(hours.day));
  }
  order.expires_ns = ends();
  order.expires_at = time_->venue_time(order.expires_ns, at);
}

bool Venue::can_work(const Order& order, std::int64_t session_ns) {
  if (!symbols_[order.asked.symbol].is_equity()) {
    return true;
  }
  const auto hours = new_york_.trading_day_at(WallNanos{session_ns});
  return order.asked.extended_hours ? session_ns >= hours.pre_open.ns
                                    : session_ns >= hours.open.ns && session_ns < hours.close.ns;
}

std::optional<WallNanos> Venue::boundary(WallNanos now) const {
  return boundary_ns_ ? std::optional(time_->venue_time(*boundary_ns_, now)) : std::nullopt;
}

std::int64_t Venue::boundary_after(std::int64_t session_ns) {
  const auto hours = new_york_.trading_day_at(WallNanos{session_ns});
  for (const std::int64_t moment :
       {hours.pre_open.ns, hours.open.ns, hours.open.ns + kAuctionWaitNs, hours.close.ns,
        hours.close.ns + kAuctionWaitNs, hours.post_close.ns}) {
    if (moment > session_ns) {
      return moment;
    }
  }
  return new_york_.trading_day(next_trading_day(hours.day)).pre_open.ns;
}

// Orders expire, fall asleep and wake, in the order of their submission.
void Venue::cross_boundary(WallNanos at) {
  const std::int64_t moment = *boundary_ns_;
  boundary_ns_ = boundary_after(moment);
  const std::vector<OrderKey> keys(open_.begin(), open_.end());
  for (const OrderKey key : keys) {
    Order& order = orders_[key];
    if (!order.open() || !symbols_[order.asked.symbol].is_equity()) {
      continue;
    }
    if (order.expires_ns != 0 && order.expires_ns <= moment) {
      end(at, order, OrderStatus::kExpired, "expired");
    } else if (order.working && !can_work(order, moment)) {
      take_out(order);
    } else if (!order.working && can_work(order, moment) &&
               (order.status == OrderStatus::kAccepted || order.arrived)) {
      order.arrived = false;  // it comes new to the day's book
      arrive(at, order);
    }
  }
}

// An auction's print fills the orders that wait for it, at its price and out of its size. Each
// exchange prints its own, the listing one often last: what one leaves waits for the next, until
// nobody waits any longer. `trade` keeps what they did not take.
void Venue::auction(WallNanos at, SymbolIndex symbol, RecordedTrade& trade) {
  const TimeInForce tif = trade.opening ? TimeInForce::kOpg : TimeInForce::kCls;
  std::vector<OrderKey> waiting;
  for (const OrderKey key : open_) {
    const Order& order = orders_[key];
    if (order.asked.symbol == symbol && order.asked.tif == tif && !awaits_replacement(order)) {
      waiting.push_back(key);
    }
  }
  const auto limited = [&](OrderKey key) { return orders_[key].asked.type == OrderType::kLimit; };
  std::stable_partition(waiting.begin(), waiting.end(), [&](OrderKey k) { return !limited(k); });
  for (const OrderKey key : waiting) {
    Order& order = orders_[key];
    if (order.status == OrderStatus::kAccepted || order.status == OrderStatus::kPendingNew) {
      order.status = OrderStatus::kNew;
      order.updated_at = at;
      emit("new", order, at, nullptr);
    }
    const bool good =
        !limited(key) || (order.asked.side == Side::kBuy ? trade.px <= order.asked.limit
                                                         : trade.px >= order.asked.limit);
    const std::int64_t qty = good ? std::min(order.leaves().raw, trade.qty.raw) : 0;
    if (qty > 0) {
      trade.qty.raw -= qty;
      apply_fill(at, {key, trade.px, Qty{qty}, true});
    }
  }
}

}  // namespace sluice::sim
