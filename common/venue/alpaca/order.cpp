#include "common/venue/alpaca/order.hpp"

#include <array>
#include <cstring>

#include "common/venue/json_fields.hpp"

namespace sluice::venue::alpaca {
namespace {

constexpr Word<OrderStatus> kStatusWords[] = {
    {"new", OrderStatus::kNew},
    {"filled", OrderStatus::kFilled},
    {"partially_filled", OrderStatus::kPartiallyFilled},
    {"canceled", OrderStatus::kCanceled},
    {"pending_new", OrderStatus::kPendingNew},
    {"accepted", OrderStatus::kAccepted},
    {"pending_cancel", OrderStatus::kPendingCancel},
    {"expired", OrderStatus::kExpired},
    {"rejected", OrderStatus::kRejected},
    {"replaced", OrderStatus::kReplaced},
    {"pending_replace", OrderStatus::kPendingReplace},
    {"accepted_for_bidding", OrderStatus::kAcceptedForBidding},
    {"pending_review", OrderStatus::kPendingReview},
    {"held", OrderStatus::kHeld},
    {"stopped", OrderStatus::kStopped},
    {"suspended", OrderStatus::kSuspended},
    {"calculated", OrderStatus::kCalculated},
    {"done_for_day", OrderStatus::kDoneForDay},
};

constexpr Word<OrderType> kTypeWords[] = {
    {"limit", OrderType::kLimit},
    {"market", OrderType::kMarket},
    {"stop", OrderType::kStop},
    {"stop_limit", OrderType::kStopLimit},
};

constexpr Word<TimeInForce> kTifWords[] = {
    {"ioc", TimeInForce::kIoc},
    {"gtc", TimeInForce::kGtc},
    {"day", TimeInForce::kDay},
    {"fok", TimeInForce::kFok},
};

// The object as it is read, before it is known to be whole.
struct OrderDraft {
  OrderSnapshot order;
  bool has_type{false};
};

DecodeStatus read_type(const JsonNode& node, OrderDraft& draft) noexcept {
  const DecodeStatus status = read_word(node, kTypeWords, OrderType::kNone, draft.order.type);
  draft.has_type = status == DecodeStatus::kOk;
  if (draft.order.type == OrderType::kNone) {
    draft.order.flags |= order_flag::kForeignForm;
  }
  return status;
}

DecodeStatus read_told(const JsonNode& node, std::int64_t& out, OrderSnapshot& order,
                       std::uint16_t flag) noexcept {
  order.flags |= flag;
  return read_decimal(node, out);
}

using N = const JsonNode&;
using D = OrderDraft&;

// In the order in which the venue writes them.
constexpr FieldSpec<OrderDraft> kOrderFields[] = {
    {"id", Need::kRequired, [](N n, D d) noexcept { return read_uuid(n, d.order.id); }},
    {"client_order_id", Need::kRequired,
     [](N n, D d) noexcept {
       const DecodeStatus status = read_text(n, d.order.client_order_id);
       return n.type == JsonType::kString && n.text.empty() ? DecodeStatus::kBadValue : status;
     }},
    {"created_at", Need::kRequired,
     [](N n, D d) noexcept { return read_time(n, d.order.created_at); }},
    {"updated_at", Need::kNullable,
     [](N n, D d) noexcept { return read_time(n, d.order.updated_at); }},
    {"submitted_at", Need::kNullable,
     [](N n, D d) noexcept { return read_time(n, d.order.submitted_at); }},
    {"filled_at", Need::kNullable,
     [](N n, D d) noexcept { return read_time(n, d.order.filled_at); }},
    {"expired_at", Need::kNullable,
     [](N n, D d) noexcept { return read_time(n, d.order.expired_at); }},
    {"canceled_at", Need::kNullable,
     [](N n, D d) noexcept { return read_time(n, d.order.canceled_at); }},
    {"failed_at", Need::kNullable,
     [](N n, D d) noexcept { return read_time(n, d.order.failed_at); }},
    {"replaced_at", Need::kNullable,
     [](N n, D d) noexcept { return read_time(n, d.order.replaced_at); }},
    {"replaced_by", Need::kNullable,
     [](N n, D d) noexcept { return read_uuid(n, d.order.replaced_by); }},
    {"replaces", Need::kNullable, [](N n, D d) noexcept { return read_uuid(n, d.order.replaces); }},
    {"symbol", Need::kRequired, [](N n, D d) noexcept { return read_text(n, d.order.symbol); }},
    {"notional", Need::kNullable,
     [](N n, D d) noexcept {
       d.order.flags |= order_flag::kNotional;
       return read_not_negative(n, d.order.notional.raw);
     }},
    {"qty", Need::kNullable,
     [](N n, D d) noexcept {
       d.order.flags |= order_flag::kQty;
       return read_positive(n, d.order.qty.raw);
     }},
    {"filled_qty", Need::kRequired,
     [](N n, D d) noexcept { return read_not_negative(n, d.order.filled_qty.raw); }},
    {"filled_avg_price", Need::kNullable,
     [](N n, D d) noexcept {
       if (!read_lossy(n, d.order.filled_avg_price.raw)) {
         d.order.flags |= order_flag::kAverageUnusable;
       }
       return DecodeStatus::kOk;
     }},
    {"order_type", Need::kNullable,
     [](N n, D d) noexcept { return d.has_type ? DecodeStatus::kOk : read_type(n, d); }},
    {"type", Need::kNullable,
     [](N n, D d) noexcept {
       d.order.flags &= static_cast<std::uint16_t>(~order_flag::kForeignForm);
       return read_type(n, d);
     }},
    {"side", Need::kRequired, [](N n, D d) noexcept { return read_side(n, d.order.side); }},
    {"time_in_force", Need::kRequired,
     [](N n, D d) noexcept { return read_word(n, kTifWords, TimeInForce::kNone, d.order.tif); }},
    {"limit_price", Need::kNullable,
     [](N n, D d) noexcept {
       return read_told(n, d.order.limit.raw, d.order, order_flag::kLimit);
     }},
    {"stop_price", Need::kNullable,
     [](N n, D d) noexcept { return read_told(n, d.order.stop.raw, d.order, order_flag::kStop); }},
    {"status", Need::kRequired,
     [](N n, D d) noexcept {
       return read_word(n, kStatusWords, OrderStatus::kUnrecognised, d.order.status);
     }},
    {"extended_hours", Need::kNullable,
     [](N n, D d) noexcept {
       bool extended = false;
       const DecodeStatus status = read_bool(n, extended);
       d.order.flags |= extended ? order_flag::kExtendedHours : std::uint16_t{0};
       return status;
     }},
    {"legs", Need::kNullable,
     [](N n, D d) noexcept {
       if (n.type != JsonType::kArray) {
         return DecodeStatus::kWrongType;
       }
       d.order.flags |= order_flag::kLegs;
       return DecodeStatus::kOk;
     }},
};

}  // namespace

std::string_view to_string(OrderStatus status) noexcept {
  for (const Word<OrderStatus>& word : kStatusWords) {
    if (word.value == status) {
      return word.text;
    }
  }
  return "unrecognised";
}

DecodeStatus read_side(const JsonNode& node, Side& out) noexcept {
  constexpr Word<Side> kWords[] = {
      {"buy", Side::kBuy}, {"sell", Side::kSell}, {"sell_short", Side::kSell}};
  Side side = Side::kNone;
  if (const DecodeStatus status = read_word(node, kWords, Side::kNone, side);
      status != DecodeStatus::kOk) {
    return status;
  }
  if (side == Side::kNone) {
    return DecodeStatus::kBadValue;  // the sign of everything that follows hangs on it
  }
  out = side;
  return DecodeStatus::kOk;
}

bool read_lossy(const JsonNode& node, std::int64_t& out) noexcept {
  if (node.type != JsonType::kString && node.type != JsonType::kNumber) {
    return false;
  }
  const DecimalStatus status = parse_decimal(node.text, out);
  if (status != DecimalStatus::kTooPrecise) {
    return status == DecimalStatus::kOk;
  }
  const std::size_t point = node.text.find('.');
  if (point == std::string_view::npos || node.text.size() < point + 10 ||
      node.text.find_first_of("eE") != std::string_view::npos) {
    return false;
  }
  return parse_decimal(node.text.substr(0, point + 10), out) == DecimalStatus::kOk;
}

void read_order(const JsonTree& tree, const JsonNode& node, const SymbolTable& symbols,
                OrderSnapshot& out, DecodeFault& fault) noexcept {
  OrderDraft draft{};
  read_object(tree, node, kOrderFields, draft, fault);
  OrderSnapshot& order = draft.order;
  order.instrument = symbols.find(order.symbol.view());
  if (order.tif == TimeInForce::kNone) {
    order.flags |= order_flag::kForeignForm;
  }
  if (!draft.has_type) {
    blame(fault, DecodeStatus::kMissingField, "type");
  }
  if (fault.status != DecodeStatus::kOk) {
    fault.instrument = order.instrument;
    fault.order_id = order.id;
    return;
  }
  out = order;
}

}  // namespace sluice::venue::alpaca
