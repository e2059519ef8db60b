#include "procs/order_gateway/conversions.hpp"

namespace sluice {
namespace {

VenueStatus status_of(venue::alpaca::OrderStatus status) noexcept {
  using From = venue::alpaca::OrderStatus;
  switch (status) {
    case From::kPendingNew:
      return VenueStatus::kPendingNew;
    case From::kAccepted:
      return VenueStatus::kAccepted;
    case From::kAcceptedForBidding:
      return VenueStatus::kAcceptedForBidding;
    case From::kNew:
      return VenueStatus::kNew;
    case From::kHeld:
      return VenueStatus::kHeld;
    case From::kPartiallyFilled:
      return VenueStatus::kPartiallyFilled;
    case From::kStopped:
      return VenueStatus::kStopped;
    case From::kSuspended:
      return VenueStatus::kSuspended;
    case From::kCalculated:
      return VenueStatus::kCalculated;
    case From::kPendingCancel:
      return VenueStatus::kPendingCancel;
    case From::kPendingReplace:
      return VenueStatus::kPendingReplace;
    case From::kDoneForDay:
      return VenueStatus::kDoneForDay;
    case From::kFilled:
      return VenueStatus::kFilled;
    case From::kCanceled:
      return VenueStatus::kCanceled;
    case From::kExpired:
      return VenueStatus::kExpired;
    case From::kReplaced:
      return VenueStatus::kReplaced;
    case From::kRejected:
      return VenueStatus::kRejected;
    case From::kPendingReview:
    case From::kUnrecognised:
      break;
  }
  return VenueStatus::kNone;
}

TradeUpdateKind kind_of(venue::alpaca::UpdateEvent event) noexcept {
  using From = venue::alpaca::UpdateEvent;
  switch (event) {
    case From::kPendingNew:
      return TradeUpdateKind::kPendingNew;
    case From::kAccepted:
      return TradeUpdateKind::kAccepted;
    case From::kNew:
      return TradeUpdateKind::kNew;
    case From::kHeld:
      return TradeUpdateKind::kHeld;
    case From::kPartialFill:
      return TradeUpdateKind::kPartialFill;
    case From::kFill:
      return TradeUpdateKind::kFill;
    case From::kCanceled:
      return TradeUpdateKind::kCanceled;
    case From::kExpired:
      return TradeUpdateKind::kExpired;
    case From::kRejected:
      return TradeUpdateKind::kRejected;
    case From::kReplaced:
      return TradeUpdateKind::kReplaced;
    case From::kDoneForDay:
      return TradeUpdateKind::kDoneForDay;
    case From::kStopped:
      return TradeUpdateKind::kStopped;
    case From::kSuspended:
      return TradeUpdateKind::kSuspended;
    case From::kCalculated:
      return TradeUpdateKind::kCalculated;
    case From::kPendingCancel:
      return TradeUpdateKind::kPendingCancel;
    case From::kPendingReplace:
      return TradeUpdateKind::kPendingReplace;
    case From::kCancelRejected:
      return TradeUpdateKind::kCancelRejected;
    case From::kReplaceRejected:
      return TradeUpdateKind::kReplaceRejected;
    case From::kRestated:
      return TradeUpdateKind::kRestated;
    case From::kTradeBust:
      return TradeUpdateKind::kTradeBust;
    case From::kTradeCorrect:
      return TradeUpdateKind::kTradeCorrect;
    case From::kUnrecognised:
      break;
  }
  return TradeUpdateKind::kNone;
}

}  // namespace

OrderSnapshot to_core(const venue::alpaca::OrderSnapshot& order) noexcept {
  OrderSnapshot out;
  out.venue_order_id = order.id;
  out.replaced_by = order.replaced_by;
  out.replaces = order.replaces;
  out.client_order_id.assign(order.client_order_id.view());
  out.status = status_of(order.status);
  out.side = order.side;
  out.type = order.type;
  out.tif = order.tif;
  out.instrument = order.instrument;
  out.qty = order.qty;
  out.filled = order.filled_qty;
  out.limit = order.limit;
  out.stop = order.stop;
  out.average_px = order.filled_avg_price;
  out.created_ns = order.created_at;
  out.updated_ns = order.updated_at;
  return out;
}

TradeUpdate to_core(const venue::alpaca::TradeUpdate& update, MonoNanos receive_ns) noexcept {
  TradeUpdate out;
  out.kind = kind_of(update.event);
  out.has_position = update.has_position;
  out.order = to_core(update.order);
  out.execution_id = update.execution_id;
  out.px = update.price;
  out.qty = update.qty;
  out.position = update.position;
  out.venue_ns = update.timestamp;
  out.receive_ns = receive_ns;
  return out;
}

}  // namespace sluice
