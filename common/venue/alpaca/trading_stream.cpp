#include "common/venue/alpaca/trading_stream.hpp"

#include "common/venue/json_fields.hpp"
#include "common/venue/text_writer.hpp"

namespace sluice::venue::alpaca {
namespace {

constexpr Word<UpdateEvent> kEventWords[] = {
    {"fill", UpdateEvent::kFill},
    {"partial_fill", UpdateEvent::kPartialFill},
    {"new", UpdateEvent::kNew},
    {"canceled", UpdateEvent::kCanceled},
    {"pending_new", UpdateEvent::kPendingNew},
    {"accepted", UpdateEvent::kAccepted},
    {"pending_cancel", UpdateEvent::kPendingCancel},
    {"expired", UpdateEvent::kExpired},
    {"rejected", UpdateEvent::kRejected},
    {"replaced", UpdateEvent::kReplaced},
    {"pending_replace", UpdateEvent::kPendingReplace},
    {"order_cancel_rejected", UpdateEvent::kCancelRejected},
    {"order_replace_rejected", UpdateEvent::kReplaceRejected},
    {"done_for_day", UpdateEvent::kDoneForDay},
    {"held", UpdateEvent::kHeld},
    {"stopped", UpdateEvent::kStopped},
    {"suspended", UpdateEvent::kSuspended},
    {"calculated", UpdateEvent::kCalculated},
    {"restated", UpdateEvent::kRestated},
    {"trade_bust", UpdateEvent::kTradeBust},
    {"trade_correct", UpdateEvent::kTradeCorrect},
};

struct UpdateDraft {
  TradeUpdate update;
  const JsonNode* order{nullptr};
  const JsonNode* execution_id{nullptr};
  bool has_price{false};
  bool has_qty{false};
};

using N = const JsonNode&;
using D = UpdateDraft&;

constexpr FieldSpec<UpdateDraft> kUpdateFields[] = {
    {"event", Need::kRequired,
     [](N n, D d) noexcept {
       return read_word(n, kEventWords, UpdateEvent::kUnrecognised, d.update.event);
     }},
    {"execution_id", Need::kNullable,
     [](N n, D d) noexcept {
       d.execution_id = &n;
       return DecodeStatus::kOk;
     }},
    {"timestamp", Need::kNullable,
     [](N n, D d) noexcept { return read_time(n, d.update.timestamp); }},
    {"price", Need::kNullable,
     [](N n, D d) noexcept {
       d.has_price = true;
       return read_not_negative(n, d.update.price.raw);
     }},
    {"qty", Need::kNullable,
     [](N n, D d) noexcept {
       d.has_qty = true;
       return read_not_negative(n, d.update.qty.raw);
     }},
    {"position_qty", Need::kNullable,
     [](N n, D d) noexcept {
       d.update.has_position = true;
       return read_decimal(n, d.update.position);
     }},
    {"order", Need::kRequired,
     [](N n, D d) noexcept {
       d.order = &n;
       return n.type == JsonType::kObject ? DecodeStatus::kOk : DecodeStatus::kWrongType;
     }},
};

// A fill is money: everything about it is there and exact.
void check_fill(const UpdateDraft& draft, DecodeFault& fault) noexcept {
  const TradeUpdate& update = draft.update;
  if (draft.execution_id == nullptr) {
    blame(fault, DecodeStatus::kMissingField, "execution_id");
  }
  if (!draft.has_price) {
    blame(fault, DecodeStatus::kMissingField, "price");
  }
  if (!draft.has_qty) {
    blame(fault, DecodeStatus::kMissingField, "qty");
  }
  if (update.timestamp.ns == 0) {
    blame(fault, DecodeStatus::kMissingField, "timestamp");
  }
  if (draft.has_qty && update.qty.raw == 0) {
    blame(fault, DecodeStatus::kBadValue, "qty");
  }
}

}  // namespace

std::string_view to_string(UpdateEvent event) noexcept {
  for (const Word<UpdateEvent>& word : kEventWords) {
    if (word.value == event) {
      return word.text;
    }
  }
  return "unrecognised";
}

TradingStreamDecoder::TradingStreamDecoder(const SymbolTable& symbols, std::size_t frame_bytes_max)
    : symbols_(symbols), tree_(frame_bytes_max, frame_bytes_max / 8 + 64) {}

DecodeStatus TradingStreamDecoder::decode(std::string_view frame, StreamMessage& out) noexcept {
  StreamMessage message;
  fault_ = {};
  read_frame(frame, message);
  counters_.count(fault_.status);
  if (fault_.status == DecodeStatus::kOk) {
    out = message;
  }
  return fault_.status;
}

void TradingStreamDecoder::read_frame(std::string_view frame, StreamMessage& out) noexcept {
  if (frame.size() == 1 && frame.front() == '\x01') {
    out.kind = StreamKind::kHeartbeat;
    return;
  }
  if (const DecodeStatus status = tree_.parse_copy(frame); status != DecodeStatus::kOk) {
    blame(fault_, status, {});
    return;
  }
  struct Envelope {
    const JsonNode* stream{nullptr};
    const JsonNode* action{nullptr};
    const JsonNode* data{nullptr};
  };
  static constexpr FieldSpec<Envelope> kEnvelopeFields[] = {
      {"stream", Need::kNullable,
       [](N n, Envelope& e) noexcept {
         e.stream = &n;
         return n.type == JsonType::kString ? DecodeStatus::kOk : DecodeStatus::kWrongType;
       }},
      {"action", Need::kNullable,
       [](N n, Envelope& e) noexcept {
         e.action = &n;
         return n.type == JsonType::kString ? DecodeStatus::kOk : DecodeStatus::kWrongType;
       }},
      {"data", Need::kRequired,
       [](N n, Envelope& e) noexcept {
         e.data = &n;
         return n.type == JsonType::kObject ? DecodeStatus::kOk : DecodeStatus::kWrongType;
       }},
  };
  Envelope envelope;
  read_object(tree_, tree_.root(), kEnvelopeFields, envelope, fault_);
  if (fault_.status != DecodeStatus::kOk) {
    return;
  }
  const JsonNode* const name = envelope.stream != nullptr ? envelope.stream : envelope.action;
  if (name == nullptr) {
    blame(fault_, DecodeStatus::kMissingField, "stream");
  } else if (name->text == "trade_updates" && name == envelope.stream) {
    out.kind = StreamKind::kTradeUpdate;
    read_update(*envelope.data, out.update);
  } else if (name->text == "authorization") {
    read_authorization(*envelope.data, out);
  } else if (name->text == "listening") {
    read_listening(*envelope.data, out);
  } else if (name->text == "error") {
    read_error(*envelope.data, out);
  } else {
    blame(fault_, DecodeStatus::kUnknownKind, "stream");
  }
}

void TradingStreamDecoder::read_authorization(const JsonNode& data, StreamMessage& out) noexcept {
  static constexpr FieldSpec<StreamMessage> kFields[] = {
      {"status", Need::kRequired,
       [](N n, StreamMessage& m) noexcept {
         if (n.type != JsonType::kString) {
           return DecodeStatus::kWrongType;
         }
         // Anything but the one word that admits us is a refusal.
         m.kind = n.text == "authorized" ? StreamKind::kAuthorized : StreamKind::kUnauthorized;
         return DecodeStatus::kOk;
       }},
      {"action", Need::kNullable,
       [](N n, StreamMessage& m) noexcept {
         m.text.assign_truncated(n.text);
         return DecodeStatus::kOk;
       }},
  };
  read_object(tree_, data, kFields, out, fault_);
}

void TradingStreamDecoder::read_listening(const JsonNode& data, StreamMessage& out) noexcept {
  out.kind = StreamKind::kListening;
  const JsonNode* const streams = tree_.find(data, "streams");
  if (streams == nullptr) {
    blame(fault_, DecodeStatus::kMissingField, "streams");
    return;
  }
  if (streams->type != JsonType::kArray) {
    blame(fault_, DecodeStatus::kWrongType, "streams");
    return;
  }
  for (const JsonNode& name : tree_.children(*streams)) {
    out.listens = out.listens || (name.type == JsonType::kString && name.text == "trade_updates");
  }
}

void TradingStreamDecoder::read_error(const JsonNode& data, StreamMessage& out) noexcept {
  out.kind = StreamKind::kError;
  for (const std::string_view key : {"error_message", "error", "message", "msg"}) {
    if (const JsonNode* const text = tree_.find(data, key); text != nullptr) {
      out.text.assign_truncated(text->text);
      return;
    }
  }
}

void TradingStreamDecoder::read_update(const JsonNode& data, TradeUpdate& out) noexcept {
  UpdateDraft draft;
  read_object(tree_, data, kUpdateFields, draft, fault_);
  // The order is read even after a fault: its symbol and id name what has to be looked up.
  if (draft.order != nullptr) {
    read_order(tree_, *draft.order, symbols_, draft.update.order, fault_);
  }
  if (is_fill(draft.update.event)) {
    check_fill(draft, fault_);
  }
  // On other events the execution id names nothing we keep; a form we do not know is no harm there.
  if (draft.execution_id != nullptr) {
    const DecodeStatus status = read_uuid(*draft.execution_id, draft.update.execution_id);
    if (status != DecodeStatus::kOk && is_fill(draft.update.event)) {
      blame(fault_, status, "execution_id");
    }
  }
  if (fault_.status != DecodeStatus::kOk) {
    if (fault_.order_id.is_zero()) {
      fault_.instrument = draft.update.order.instrument;
      fault_.order_id = draft.update.order.id;
    }
    return;
  }
  out = draft.update;
}

std::size_t encode_authenticate(std::string_view key_id, std::string_view secret,
                                std::span<char> out) noexcept {
  TextWriter writer(out);
  writer.put(R"({"action":"authenticate","data":{"key_id":)").json_text(key_id);
  writer.put(R"(,"secret_key":)").json_text(secret).put("}}");
  return writer.finish();
}

std::size_t encode_listen_trade_updates(std::span<char> out) noexcept {
  return TextWriter(out)
      .put(R"({"action":"listen","data":{"streams":["trade_updates"]}})")
      .finish();
}

}  // namespace sluice::venue::alpaca
