#include <algorithm>
#include <string_view>

#include "common/venue/alpaca/rest.hpp"
#include "common/venue/json_fields.hpp"

namespace sluice::venue::alpaca {
namespace {

using N = const JsonNode&;

DecodeStatus read_active(N node, bool& out) noexcept {
  if (node.type != JsonType::kString) {
    return DecodeStatus::kWrongType;
  }
  out = node.text == "ACTIVE";
  return DecodeStatus::kOk;
}

// For display: what does not fit stays zero.
template <class Amount>
DecodeStatus read_display(N node, Amount& out) noexcept {
  if (!read_lossy(node, out.raw)) {
    out.raw = 0;
  }
  return DecodeStatus::kOk;
}

struct AccountDraft {
  AccountSnapshot account;
  bool has_non_marginable{false};
};
using A = AccountDraft&;
constexpr FieldSpec<AccountDraft> kAccountFields[] = {
    {"id", Need::kRequired, [](N n, A a) noexcept { return read_uuid(n, a.account.id); }},
    {"account_number", Need::kNullable,
     [](N n, A a) noexcept { return read_text(n, a.account.number); }},
    {"status", Need::kRequired, [](N n, A a) noexcept { return read_active(n, a.account.active); }},
    {"crypto_status", Need::kNullable,
     [](N n, A a) noexcept { return read_active(n, a.account.crypto_active); }},
    {"cash", Need::kRequired,
     [](N n, A a) noexcept { return read_decimal(n, a.account.cash.raw); }},
    {"equity", Need::kNullable,
     [](N n, A a) noexcept { return read_display(n, a.account.equity); }},
    {"buying_power", Need::kRequired,
     [](N n, A a) noexcept { return read_decimal(n, a.account.buying_power.raw); }},
    {"non_marginable_buying_power", Need::kNullable,
     [](N n, A a) noexcept {
       a.has_non_marginable = true;
       return read_decimal(n, a.account.non_marginable_buying_power.raw);
     }},
    {"shorting_enabled", Need::kNullable,
     [](N n, A a) noexcept { return read_bool(n, a.account.shorting_enabled); }},
    {"trading_blocked", Need::kRequired,
     [](N n, A a) noexcept { return read_bool(n, a.account.trading_blocked); }},
    {"account_blocked", Need::kRequired,
     [](N n, A a) noexcept { return read_bool(n, a.account.account_blocked); }},
    {"trade_suspended_by_user", Need::kNullable,
     [](N n, A a) noexcept { return read_bool(n, a.account.suspended_by_user); }},
};

struct PositionDraft {
  PositionSnapshot position;
  bool is_short{false};
};
using P = PositionDraft&;
constexpr FieldSpec<PositionDraft> kPositionFields[] = {
    {"symbol", Need::kRequired, [](N n, P p) noexcept { return read_text(n, p.position.symbol); }},
    {"qty", Need::kRequired, [](N n, P p) noexcept { return read_decimal(n, p.position.qty); }},
    {"qty_available", Need::kNullable,
     [](N n, P p) noexcept {
       p.position.qty_available_told = true;
       return read_decimal(n, p.position.qty_available);
     }},
    {"side", Need::kRequired,
     [](N n, P p) noexcept {
       if (n.type != JsonType::kString) {
         return DecodeStatus::kWrongType;
       }
       p.is_short = n.text == "short";
       return p.is_short || n.text == "long" ? DecodeStatus::kOk : DecodeStatus::kBadValue;
     }},
    {"avg_entry_price", Need::kNullable,
     [](N n, P p) noexcept { return read_display(n, p.position.avg_entry_price); }},
    {"current_price", Need::kNullable,
     [](N n, P p) noexcept { return read_display(n, p.position.current_price); }},
};

void read_position(const JsonTree& tree, N node, const SymbolTable& symbols, PositionSnapshot& out,
                   DecodeFault& fault) noexcept {
  PositionDraft draft;
  read_object(tree, node, kPositionFields, draft, fault);
  draft.position.instrument = symbols.find(draft.position.symbol.view());
  // A short's quantity is negative; the other way round one of the two is wrong, and the sign is
  // the last thing to guess.
  if (draft.position.qty != 0 && draft.is_short != (draft.position.qty < 0)) {
    blame(fault, DecodeStatus::kBadValue, "side");
  }
  if (fault.status != DecodeStatus::kOk) {
    fault.instrument = draft.position.instrument;
    return;
  }
  out = draft.position;
}

constexpr FieldSpec<ClockSnapshot> kClockFields[] = {
    {"timestamp", Need::kRequired,
     [](N n, ClockSnapshot& c) noexcept { return read_time(n, c.timestamp); }},
    {"is_open", Need::kRequired,
     [](N n, ClockSnapshot& c) noexcept { return read_bool(n, c.is_open); }},
    {"next_open", Need::kRequired,
     [](N n, ClockSnapshot& c) noexcept { return read_time(n, c.next_open); }},
    {"next_close", Need::kRequired,
     [](N n, ClockSnapshot& c) noexcept { return read_time(n, c.next_close); }},
};

struct ActivityDraft {
  Activity activity;
  const JsonNode* side{nullptr};
  bool has_price{false};
  bool has_order_id{false};
  bool has_cum{false};
  bool has_leaves{false};
};
using V = ActivityDraft&;
constexpr FieldSpec<ActivityDraft> kActivityFields[] = {
    {"id", Need::kRequired,
     [](N n, V v) noexcept {
       return n.text.empty() ? DecodeStatus::kBadValue : read_text(n, v.activity.id);
     }},
    {"activity_type", Need::kRequired,
     [](N n, V v) noexcept {
       if (n.text == "FILL") {
         v.activity.kind = ActivityKind::kFill;
       } else if (n.text == "CFEE") {
         v.activity.kind = ActivityKind::kCryptoFee;
       }
       return read_text(n, v.activity.type);
     }},
    {"transaction_time", Need::kNullable,
     [](N n, V v) noexcept { return read_time(n, v.activity.transaction_time); }},
    {"price", Need::kNullable,
     [](N n, V v) noexcept {
       v.has_price = true;
       return read_not_negative(n, v.activity.price.raw);
     }},
    {"qty", Need::kNullable,
     [](N n, V v) noexcept {
       v.activity.has_qty = true;
       return read_decimal(n, v.activity.qty);
     }},
    {"net_amount", Need::kNullable,
     [](N n, V v) noexcept {
       v.activity.has_net_amount = true;
       return read_decimal(n, v.activity.net_amount);
     }},
    {"side", Need::kNullable,
     [](N n, V v) noexcept {
       v.side = &n;
       return DecodeStatus::kOk;
     }},
    {"symbol", Need::kNullable, [](N n, V v) noexcept { return read_text(n, v.activity.symbol); }},
    {"leaves_qty", Need::kNullable,
     [](N n, V v) noexcept {
       v.has_leaves = true;
       return read_not_negative(n, v.activity.leaves_qty.raw);
     }},
    {"order_id", Need::kNullable,
     [](N n, V v) noexcept {
       v.has_order_id = true;
       return read_uuid(n, v.activity.order_id);
     }},
    {"cum_qty", Need::kNullable,
     [](N n, V v) noexcept {
       v.has_cum = true;
       return read_not_negative(n, v.activity.cum_qty.raw);
     }},
};

void check_fill_activity(ActivityDraft& draft, DecodeFault& fault) noexcept {
  Activity& fill = draft.activity;
  struct Check {
    bool present;
    std::string_view field;
  };
  for (const Check& check :
       {Check{draft.has_price, "price"}, Check{fill.has_qty, "qty"},
        Check{draft.side != nullptr, "side"}, Check{!fill.symbol.empty(), "symbol"},
        Check{draft.has_order_id, "order_id"}, Check{draft.has_cum, "cum_qty"},
        Check{draft.has_leaves, "leaves_qty"},
        Check{fill.transaction_time.ns != 0, "transaction_time"}}) {
    if (!check.present) {
      blame(fault, DecodeStatus::kMissingField, check.field);
    }
  }
  if (fill.has_qty && fill.qty <= 0) {
    blame(fault, DecodeStatus::kBadValue, "qty");
  }
  if (!fill.has_execution_id) {
    blame(fault, DecodeStatus::kBadValue, "id");
  }
  if (draft.side != nullptr) {
    if (const DecodeStatus status = read_side(*draft.side, fill.side);
        status != DecodeStatus::kOk) {
      blame(fault, status, "side");
    }
  }
}

void read_activity(const JsonTree& tree, N node, const SymbolTable& symbols, Activity& out,
                   DecodeFault& fault) noexcept {
  ActivityDraft draft;
  read_object(tree, node, kActivityFields, draft, fault);
  Activity& activity = draft.activity;
  activity.instrument = symbols.find(activity.symbol.view());
  const std::string_view id = activity.id.view();
  if (const std::size_t mark = id.rfind("::"); mark != std::string_view::npos) {
    activity.has_execution_id = parse_uuid(id.substr(mark + 2), activity.execution_id);
  }
  if (activity.kind == ActivityKind::kFill) {
    check_fill_activity(draft, fault);
  } else if (activity.kind == ActivityKind::kCryptoFee) {
    if (activity.symbol.empty()) {
      blame(fault, DecodeStatus::kMissingField, "symbol");
    }
    if (!activity.has_qty && !activity.has_net_amount) {
      blame(fault, DecodeStatus::kMissingField, "qty");
    }
  }
  if (fault.status != DecodeStatus::kOk) {
    fault.instrument = activity.instrument;
    fault.order_id = activity.order_id;
    return;
  }
  out = activity;
}

DecodeStatus read_i32(N node, std::int32_t& out) noexcept {
  std::uint64_t value = 0;
  if (const DecodeStatus status = read_u64(node, value); status != DecodeStatus::kOk) {
    return status;
  }
  if (value > 0x7fff'ffff) {
    return DecodeStatus::kOutOfRange;
  }
  out = static_cast<std::int32_t>(value);
  return DecodeStatus::kOk;
}

constexpr FieldSpec<CancelItem> kCancelFields[] = {
    {"id", Need::kRequired, [](N n, CancelItem& c) noexcept { return read_uuid(n, c.id); }},
    {"status", Need::kRequired, [](N n, CancelItem& c) noexcept { return read_i32(n, c.status); }},
};

constexpr FieldSpec<VenueError> kErrorFields[] = {
    {"code", Need::kNullable, [](N n, VenueError& e) noexcept { return read_i32(n, e.code); }},
    {"message", Need::kRequired,
     [](N n, VenueError& e) noexcept {
       if (n.type != JsonType::kString) {
         return DecodeStatus::kWrongType;
       }
       e.message.assign_truncated(n.text);
       return DecodeStatus::kOk;
     }},
};

// Case and punctuation fall away: "client_order_id must be unique" and its relatives contain
// "clientorderid" and "unique".
bool says_duplicate_client_id(std::string_view message) noexcept {
  std::array<char, 256> letters{};
  std::size_t size = 0;
  for (const char c : message) {
    const bool upper = c >= 'A' && c <= 'Z';
    if ((upper || (c >= 'a' && c <= 'z')) && size < letters.size()) {
      letters[size++] = upper ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  const std::string_view text(letters.data(), size);
  const auto says = [&](std::string_view part) {
    return text.find(part) != std::string_view::npos;
  };
  return says("clientorderid") && (says("unique") || says("duplicate") || says("alreadyexist"));
}

}  // namespace

RestDecoder::RestDecoder(const SymbolTable& symbols, const RestLimits& limits)
    : symbols_(symbols), tree_(limits.body_bytes_max, limits.body_bytes_max / 8 + 64) {}

template <class T, class Read>
DecodeStatus RestDecoder::one(std::string_view body, T& out, Read&& read) noexcept {
  fault_ = {};
  if (const DecodeStatus status = tree_.parse_copy(body); status != DecodeStatus::kOk) {
    blame(fault_, status, {});
  } else {
    T value{};
    read(tree_.root(), value, fault_);
    if (fault_.status == DecodeStatus::kOk) {
      out = value;
    }
  }
  counters_.count(fault_.status);
  return fault_.status;
}

template <class T, class Read>
DecodeStatus RestDecoder::list(std::string_view body, ListOf<T>& out, Read&& read) {
  fault_ = {};
  out.items.clear();
  out.faults.clear();
  if (const DecodeStatus status = tree_.parse_copy(body); status != DecodeStatus::kOk) {
    blame(fault_, status, {});
  } else if (tree_.root().type != JsonType::kArray) {
    blame(fault_, DecodeStatus::kWrongShape, {});
  }
  counters_.count(fault_.status);
  if (fault_.status != DecodeStatus::kOk) {
    return fault_.status;
  }
  for (const JsonNode& element : tree_.children(tree_.root())) {
    T value{};
    DecodeFault fault;
    read(element, value, fault);
    if (fault.status == DecodeStatus::kOk) {
      out.items.push_back(value);
    } else {
      counters_.count(fault.status);
      out.faults.push_back(fault);
      fault_ = fault;
    }
  }
  return DecodeStatus::kOk;
}

DecodeStatus RestDecoder::order(std::string_view body, OrderSnapshot& out) noexcept {
  return one(body, out, [this](N node, OrderSnapshot& order, DecodeFault& fault) {
    read_order(tree_, node, symbols_, order, fault);
  });
}

DecodeStatus RestDecoder::account(std::string_view body, AccountSnapshot& out) noexcept {
  return one(body, out, [this](N node, AccountSnapshot& account, DecodeFault& fault) {
    AccountDraft draft;
    read_object(tree_, node, kAccountFields, draft, fault);
    account = draft.account;
    if (!draft.has_non_marginable) {
      account.non_marginable_buying_power = account.buying_power;
    }
  });
}

DecodeStatus RestDecoder::position(std::string_view body, PositionSnapshot& out) noexcept {
  return one(body, out, [this](N node, PositionSnapshot& position, DecodeFault& fault) {
    read_position(tree_, node, symbols_, position, fault);
  });
}

DecodeStatus RestDecoder::clock(std::string_view body, ClockSnapshot& out) noexcept {
  return one(body, out, [this](N node, ClockSnapshot& clock, DecodeFault& fault) {
    read_object(tree_, node, kClockFields, clock, fault);
  });
}

DecodeStatus RestDecoder::error(std::string_view body, VenueError& out) noexcept {
  return one(body, out, [this](N node, VenueError& error, DecodeFault& fault) {
    read_object(tree_, node, kErrorFields, error, fault);
  });
}

DecodeStatus RestDecoder::orders(std::string_view body, ListOf<OrderSnapshot>& out) {
  return list(body, out, [this](N node, OrderSnapshot& order, DecodeFault& fault) {
    read_order(tree_, node, symbols_, order, fault);
  });
}

DecodeStatus RestDecoder::positions(std::string_view body, ListOf<PositionSnapshot>& out) {
  return list(body, out, [this](N node, PositionSnapshot& position, DecodeFault& fault) {
    read_position(tree_, node, symbols_, position, fault);
  });
}

DecodeStatus RestDecoder::activities(std::string_view body, ListOf<Activity>& out) {
  return list(body, out, [this](N node, Activity& activity, DecodeFault& fault) {
    read_activity(tree_, node, symbols_, activity, fault);
  });
}

DecodeStatus RestDecoder::cancel_items(std::string_view body, ListOf<CancelItem>& out) {
  return list(body, out, [this](N node, CancelItem& item, DecodeFault& fault) {
    read_object(tree_, node, kCancelFields, item, fault);
    fault.order_id = item.id;
  });
}

std::string_view to_string(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::kOk:
      return "ok";
    case Outcome::kRejected:
      return "rejected";
    case Outcome::kUnauthorised:
      return "unauthorised";
    case Outcome::kRateLimited:
      return "rate_limited";
    case Outcome::kNotFound:
      return "not_found";
    case Outcome::kNotCancelable:
      return "not_cancelable";
    case Outcome::kDuplicateClientId:
      return "duplicate_client_id";
    case Outcome::kUnknown:
      return "unknown";
  }
  return "?";
}

Outcome classify(RequestKind request, int http_status, const VenueError* error) noexcept {
  // 40310000 and its neighbours are business refusals, 40410000 says the venue knows no such thing.
  // Elsewhere a code's first digits need not be the HTTP status (422 comes with 40010001).
  const std::int32_t family = error != nullptr ? error->code / 100'000 : 0;
  if (http_status >= 200 && http_status <= 299) {
    return Outcome::kOk;
  }
  if (http_status < 400 || http_status > 499 || http_status == 408) {
    return Outcome::kUnknown;
  }
  if (error != nullptr && request == RequestKind::kPost &&
      says_duplicate_client_id(error->message.view())) {
    return Outcome::kDuplicateClientId;
  }
  switch (http_status) {
    case 401:
      return Outcome::kUnauthorised;
    case 403:
      return family == 403 ? Outcome::kRejected : Outcome::kUnauthorised;
    case 429:
      return Outcome::kRateLimited;
    case 404:
      return family == 404 ? Outcome::kNotFound : Outcome::kUnknown;
    case 422:
      if (error == nullptr) {
        return Outcome::kUnknown;
      }
      return request == RequestKind::kDelete && error->code == 42'210'000 ? Outcome::kNotCancelable
                                                                          : Outcome::kRejected;
    case 400:
      return error != nullptr ? Outcome::kRejected : Outcome::kUnknown;
    default:
      return Outcome::kUnknown;
  }
}

}  // namespace sluice::venue::alpaca
