// The general path: any key order, whitespace, escapes, exponents, unknown keys. It alone decides
// what is refused and why.
#include "common/venue/alpaca/market_data.hpp"

#include <algorithm>
#include <cstring>

#include "common/venue/json_fields.hpp"

namespace sluice::venue::alpaca {
namespace {

DecodeStatus read_symbol_text(const JsonNode& node, std::string_view& out) noexcept {
  if (node.type != JsonType::kString) {
    return DecodeStatus::kWrongType;
  }
  out = node.text;
  return out.empty() ? DecodeStatus::kBadValue : DecodeStatus::kOk;
}

// Market data writes decimals as JSON numbers; a price or size below zero is none.
DecodeStatus read_amount(const JsonNode& node, std::int64_t& out) noexcept {
  std::int64_t value = 0;
  const DecodeStatus status = read_number(node, value);
  if (status != DecodeStatus::kOk) {
    return status;
  }
  if (value < 0) {
    return DecodeStatus::kBadValue;
  }
  out = value;
  return DecodeStatus::kOk;
}

DecodeStatus read_amount_above_zero(const JsonNode& node, std::int64_t& out) noexcept {
  std::int64_t value = 0;
  const DecodeStatus status = read_amount(node, value);
  if (status != DecodeStatus::kOk) {
    return status;
  }
  if (value == 0) {
    return DecodeStatus::kBadValue;
  }
  out = value;
  return DecodeStatus::kOk;
}

struct QuoteMessage {
  std::string_view symbol;
  WallNanos time;
  Quote quote;
};
constexpr FieldSpec<QuoteMessage> kQuoteFields[] = {
    {"S", Need::kRequired,
     [](const JsonNode& n, QuoteMessage& m) noexcept { return read_symbol_text(n, m.symbol); }},
    {"bp", Need::kRequired,
     [](const JsonNode& n, QuoteMessage& m) noexcept {
       return read_amount(n, m.quote.bid_px.raw);
     }},
    {"bs", Need::kRequired,
     [](const JsonNode& n, QuoteMessage& m) noexcept {
       return read_amount(n, m.quote.bid_qty.raw);
     }},
    {"ap", Need::kRequired,
     [](const JsonNode& n, QuoteMessage& m) noexcept {
       return read_amount(n, m.quote.ask_px.raw);
     }},
    {"as", Need::kRequired,
     [](const JsonNode& n, QuoteMessage& m) noexcept {
       return read_amount(n, m.quote.ask_qty.raw);
     }},
    {"t", Need::kRequired,
     [](const JsonNode& n, QuoteMessage& m) noexcept { return read_time(n, m.time); }},
};

struct TradeMessage {
  std::string_view symbol;
  WallNanos time;
  Trade trade;
};
constexpr FieldSpec<TradeMessage> kTradeFields[] = {
    {"S", Need::kRequired,
     [](const JsonNode& n, TradeMessage& m) noexcept { return read_symbol_text(n, m.symbol); }},
    {"p", Need::kRequired,
     [](const JsonNode& n, TradeMessage& m) noexcept {
       return read_amount_above_zero(n, m.trade.px.raw);
     }},
    {"s", Need::kRequired,
     [](const JsonNode& n, TradeMessage& m) noexcept {
       return read_amount_above_zero(n, m.trade.qty.raw);
     }},
    {"t", Need::kRequired,
     [](const JsonNode& n, TradeMessage& m) noexcept { return read_time(n, m.time); }},
    {"i", Need::kRequired,
     [](const JsonNode& n, TradeMessage& m) noexcept { return read_u64(n, m.trade.trade_id); }},
    // Who took: absent in feeds that do not say, and a letter we do not know takes no side.
    {"tks", Need::kNullable,
     [](const JsonNode& n, TradeMessage& m) noexcept {
       constexpr Word<Side> kSides[] = {{"B", Side::kBuy}, {"S", Side::kSell}};
       Side side = Side::kNone;
       const DecodeStatus status = read_word(n, kSides, Side::kNone, side);
       m.trade.conditions = static_cast<std::uint64_t>(side);
       return status;
     }},
};

struct StatusMessage {
  std::string_view symbol;
  WallNanos time;
  StatusMark mark;
};
// The codes of both tapes: digits and A to F are CTA's (tapes A and B), the others UTP's (C).
TradingStatus status_of(std::string_view code) noexcept {
  if (code == "3" || code == "T") {
    return TradingStatus::kTrading;
  }
  if (code == "2" || code == "H" || code == "P" || code == "Q") {  // Q: quotes again, no trades yet
    return TradingStatus::kHalted;
  }
  // Indications 5 and 6, imbalances 7 8 9 A C D, short sale restriction E, limit up and down F.
  const bool tells = code.size() == 1 && std::string_view("56789ACDEF").find(code[0]) != code.npos;
  return tells ? TradingStatus::kInformation : TradingStatus::kUnknown;
}
std::uint64_t packed(std::string_view text) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, text.data(), std::min(text.size(), sizeof(word)));
  return word;
}
constexpr FieldSpec<StatusMessage> kStatusFields[] = {
    {"S", Need::kRequired,
     [](const JsonNode& n, StatusMessage& m) noexcept { return read_symbol_text(n, m.symbol); }},
    {"sc", Need::kRequired,
     [](const JsonNode& n, StatusMessage& m) noexcept {
       if (n.type != JsonType::kString) {
         return DecodeStatus::kWrongType;
       }
       m.mark.status = status_of(n.text);
       m.mark.code = packed(n.text);
       return DecodeStatus::kOk;
     }},
    {"rc", Need::kNullable,
     [](const JsonNode& n, StatusMessage& m) noexcept {
       if (n.type != JsonType::kString) {
         return DecodeStatus::kWrongType;
       }
       m.mark.reason = packed(n.text);
       return DecodeStatus::kOk;
     }},
    {"t", Need::kRequired,
     [](const JsonNode& n, StatusMessage& m) noexcept { return read_time(n, m.time); }},
};

struct BookMessage {
  std::string_view symbol;
  WallNanos time;
  const JsonNode* bids{nullptr};
  const JsonNode* asks{nullptr};
  bool reset{false};
};
DecodeStatus read_side(const JsonNode& node, const JsonNode*& out) noexcept {
  out = &node;
  return node.type == JsonType::kArray ? DecodeStatus::kOk : DecodeStatus::kWrongType;
}
constexpr FieldSpec<BookMessage> kBookFields[] = {
    {"S", Need::kRequired,
     [](const JsonNode& n, BookMessage& m) noexcept { return read_symbol_text(n, m.symbol); }},
    {"t", Need::kRequired,
     [](const JsonNode& n, BookMessage& m) noexcept { return read_time(n, m.time); }},
    {"b", Need::kNullable,
     [](const JsonNode& n, BookMessage& m) noexcept { return read_side(n, m.bids); }},
    {"a", Need::kNullable,
     [](const JsonNode& n, BookMessage& m) noexcept { return read_side(n, m.asks); }},
    {"r", Need::kNullable,
     [](const JsonNode& n, BookMessage& m) noexcept { return read_bool(n, m.reset); }},
};
constexpr FieldSpec<Depth> kLevelFields[] = {
    {"p", Need::kRequired,
     [](const JsonNode& n, Depth& d) noexcept { return read_amount_above_zero(n, d.px.raw); }},
    {"s", Need::kRequired,
     [](const JsonNode& n, Depth& d) noexcept { return read_amount(n, d.qty.raw); }},
};

// The array stays in the tree: its names are compared with our symbols by the decoder.
struct ControlLists {
  const JsonNode* quotes{nullptr};
  const JsonNode* trades{nullptr};
  const JsonNode* orderbooks{nullptr};
  const JsonNode* statuses{nullptr};
};
constexpr FieldSpec<ControlLists> kSubscriptionFields[] = {
    {"trades", Need::kNullable,
     [](const JsonNode& n, ControlLists& m) noexcept { return read_side(n, m.trades); }},
    {"quotes", Need::kNullable,
     [](const JsonNode& n, ControlLists& m) noexcept { return read_side(n, m.quotes); }},
    {"orderbooks", Need::kNullable,
     [](const JsonNode& n, ControlLists& m) noexcept { return read_side(n, m.orderbooks); }},
    {"statuses", Need::kNullable,
     [](const JsonNode& n, ControlLists& m) noexcept { return read_side(n, m.statuses); }},
};

DecodeStatus read_shown_text(const JsonNode& node, FixedText<96>& out) noexcept {
  if (node.type != JsonType::kString) {
    return DecodeStatus::kWrongType;
  }
  out.assign_truncated(node.text);
  return DecodeStatus::kOk;
}
constexpr FieldSpec<ControlMessage> kSuccessFields[] = {
    {"msg", Need::kRequired,
     [](const JsonNode& n, ControlMessage& m) noexcept { return read_shown_text(n, m.text); }},
};
constexpr FieldSpec<ControlMessage> kErrorFields[] = {
    {"code", Need::kRequired,
     [](const JsonNode& n, ControlMessage& m) noexcept {
       std::uint64_t code = 0;
       const DecodeStatus status = read_u64(n, code);
       if (status == DecodeStatus::kOk && code > 0x7fff'ffff) {
         return DecodeStatus::kOutOfRange;
       }
       m.code = static_cast<std::int32_t>(code);
       return status;
     }},
    {"msg", Need::kNullable,
     [](const JsonNode& n, ControlMessage& m) noexcept { return read_shown_text(n, m.text); }},
};

SubscribedSet subscribed(const JsonTree& tree, const JsonNode* list,
                         const SymbolTable& symbols) noexcept {
  SubscribedSet set;
  if (list == nullptr) {
    return set;
  }
  for (const JsonNode& name : tree.children(*list)) {
    if (name.text == "*") {
      set.all = true;
    } else if (symbols.find(name.text) != kNoInstrument) {
      ++set.known;
    } else {
      ++set.unknown;
    }
  }
  return set;
}

}  // namespace

MarketDataDecoder::Taken MarketDataDecoder::take_any(std::string_view element) noexcept {
  if (const DecodeStatus status = tree_.parse(element); status != DecodeStatus::kOk) {
    fault_ = {status, {}, kNoInstrument, {}};
    return Taken::kBroken;
  }
  const JsonNode& object = tree_.root();
  const JsonNode* type = nullptr;
  for (const JsonNode& member : tree_.children(object)) {
    if (member.key == "T") {
      if (type != nullptr) {
        return leave_out({DecodeStatus::kDuplicateKey, "T", kNoInstrument, {}});
      }
      type = &member;
    }
  }
  if (type == nullptr) {
    return leave_out({DecodeStatus::kMissingField, "T", kNoInstrument, {}});
  }
  if (type->type != JsonType::kString) {
    return leave_out({DecodeStatus::kWrongType, "T", kNoInstrument, {}});
  }
  if (type->text == "q") {
    return take_quote(object);
  }
  if (type->text == "t") {
    return take_trade(object);
  }
  if (type->text == "o") {
    return take_book(object);
  }
  if (type->text == "s") {
    return take_status(object);
  }
  if (type->text == "success") {
    return take_control(object, ControlKind::kOther);
  }
  if (type->text == "error") {
    return take_control(object, ControlKind::kError);
  }
  if (type->text == "subscription") {
    return take_control(object, ControlKind::kSubscription);
  }
  // Bars of three kinds, limit up and down, corrections, busts, imbalances, news.
  const bool known =
      type->text.size() == 1 && std::string_view("bdulcxin").find(type->text[0]) != type->text.npos;
  ++(known ? counters_.skipped : counters_.unknown_type);
  return Taken::kNothing;
}

MarketDataDecoder::Taken MarketDataDecoder::leave_out(const DecodeFault& fault) noexcept {
  counters_.bad.count(fault.status);
  fault_ = fault;
  return Taken::kNothing;
}

template <class Message>
bool MarketDataDecoder::resolve(const Message& message, DecodeFault& fault,
                                std::uint32_t& instrument) noexcept {
  instrument = symbols_.find(message.symbol);
  if (fault.status != DecodeStatus::kOk) {
    fault.instrument = instrument;
    (void)leave_out(fault);
    return false;
  }
  if (instrument == kNoInstrument) {
    ++counters_.unknown_symbol;
    return false;
  }
  return true;
}

MarketDataDecoder::Taken MarketDataDecoder::take_quote(const JsonNode& object) noexcept {
  QuoteMessage message{};
  DecodeFault fault;
  std::uint32_t instrument = kNoInstrument;
  read_object(tree_, object, kQuoteFields, message, fault);
  if (!resolve(message, fault, instrument)) {
    return Taken::kNothing;
  }
  publish(instrument, message.time, message.quote);
  return Taken::kEvents;
}

MarketDataDecoder::Taken MarketDataDecoder::take_trade(const JsonNode& object) noexcept {
  TradeMessage message{};
  DecodeFault fault;
  std::uint32_t instrument = kNoInstrument;
  read_object(tree_, object, kTradeFields, message, fault);
  if (!resolve(message, fault, instrument)) {
    return Taken::kNothing;
  }
  publish(instrument, message.time, message.trade);
  return Taken::kEvents;
}

MarketDataDecoder::Taken MarketDataDecoder::take_status(const JsonNode& object) noexcept {
  StatusMessage message{};
  DecodeFault fault;
  std::uint32_t instrument = kNoInstrument;
  read_object(tree_, object, kStatusFields, message, fault);
  if (!resolve(message, fault, instrument)) {
    return Taken::kNothing;
  }
  publish(instrument, message.time, message.mark);
  return Taken::kEvents;
}

MarketDataDecoder::Taken MarketDataDecoder::take_book(const JsonNode& object) noexcept {
  BookMessage message{};
  DecodeFault fault;
  std::uint32_t instrument = kNoInstrument;
  std::size_t count = 0;
  read_object(tree_, object, kBookFields, message, fault);
  if (fault.status == DecodeStatus::kOk) {
    read_levels(message.bids, Side::kBuy, count, fault);
    read_levels(message.asks, Side::kSell, count, fault);
  }
  if (!resolve(message, fault, instrument)) {
    return Taken::kNothing;
  }
  publish_book(instrument, message.time, count, message.reset);
  return event_count_ == 0 ? Taken::kNothing : Taken::kEvents;
}

void MarketDataDecoder::read_levels(const JsonNode* levels, Side side, std::size_t& count,
                                    DecodeFault& fault) noexcept {
  if (levels == nullptr) {
    return;
  }
  std::uint64_t level = 0;
  for (const JsonNode& entry : tree_.children(*levels)) {
    if (count == options_.levels_max) {
      blame(fault, DecodeStatus::kTooMany, side == Side::kBuy ? "b" : "a");
      return;
    }
    Depth depth{.px = {}, .qty = {}, .side = static_cast<std::uint64_t>(side), .level = level++};
    read_object(tree_, entry, kLevelFields, depth, fault);
    if (fault.status != DecodeStatus::kOk) {
      return;
    }
    events_[count++].set_body(MarketKind::kDepth, depth);
  }
}

MarketDataDecoder::Taken MarketDataDecoder::take_control(const JsonNode& object,
                                                         ControlKind kind) noexcept {
  ControlMessage message;
  DecodeFault fault;
  message.kind = kind;
  if (kind == ControlKind::kSubscription) {
    ControlLists lists;
    read_object(tree_, object, kSubscriptionFields, lists, fault);
    message.quotes = subscribed(tree_, lists.quotes, symbols_);
    message.trades = subscribed(tree_, lists.trades, symbols_);
    message.orderbooks = subscribed(tree_, lists.orderbooks, symbols_);
    message.statuses = subscribed(tree_, lists.statuses, symbols_);
  } else if (kind == ControlKind::kError) {
    read_object(tree_, object, kErrorFields, message, fault);
  } else {
    read_object(tree_, object, kSuccessFields, message, fault);
    if (message.text.view() == "connected") {
      message.kind = ControlKind::kConnected;
    } else if (message.text.view() == "authenticated") {
      message.kind = ControlKind::kAuthenticated;
    }
  }
  if (fault.status != DecodeStatus::kOk) {
    return leave_out(fault);
  }
  control_ = message;
  ++counters_.control;
  return Taken::kControl;
}

}  // namespace sluice::venue::alpaca
