#include "tests/venue/naive_market_data.hpp"

#include <cctype>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "common/base/fixed.hpp"
#include "common/base/time.hpp"

namespace sluice::venue {
namespace {

struct Value {
  enum class Kind { kNull, kBool, kNumber, kString, kArray, kObject } kind{Kind::kNull};
  bool truth{false};
  std::string text;                                    // number, string
  std::vector<Value> elements;                         // array
  std::vector<std::pair<std::string, Value>> members;  // object
};

struct Broken {};

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  void space() {
    while (at_ < text_.size() && std::string_view(" \t\n\r").find(text_[at_]) != text_.npos) {
      ++at_;
    }
  }
  [[nodiscard]] bool end() const { return at_ == text_.size(); }
  [[nodiscard]] char peek() const { return end() ? '\0' : text_[at_]; }
  bool take(char c) {
    if (end() || text_[at_] != c) {
      return false;
    }
    ++at_;
    return true;
  }
  void need(char c) {
    if (!take(c)) {
      throw Broken{};
    }
  }

  Value value() {
    space();
    Value out;
    if (peek() == '{') {
      out = object();
    } else if (peek() == '[') {
      out = array();
    } else if (peek() == '"') {
      out.kind = Value::Kind::kString;
      out.text = string();
    } else if (word("null")) {
    } else if (word("true")) {
      out.kind = Value::Kind::kBool;
      out.truth = true;
    } else if (word("false")) {
      out.kind = Value::Kind::kBool;
    } else {
      out.kind = Value::Kind::kNumber;
      out.text = number();
    }
    space();
    return out;
  }

 private:
  bool word(std::string_view expected) {
    if (text_.substr(at_, expected.size()) != expected) {
      return false;
    }
    at_ += expected.size();
    if (!end() && std::isalnum(static_cast<unsigned char>(peek())) != 0) {
      throw Broken{};
    }
    return true;
  }

  Value object() {
    Value out;
    out.kind = Value::Kind::kObject;
    need('{');
    space();
    if (take('}')) {
      return out;
    }
    do {
      space();
      std::string key = string();
      space();
      need(':');
      out.members.emplace_back(std::move(key), value());
    } while (take(','));
    need('}');
    return out;
  }

  Value array() {
    Value out;
    out.kind = Value::Kind::kArray;
    need('[');
    space();
    if (take(']')) {
      return out;
    }
    do {
      out.elements.push_back(value());
    } while (take(','));
    need(']');
    return out;
  }

  std::string string() {
    need('"');
    std::string out;
    for (;;) {
      if (end() || static_cast<unsigned char>(peek()) < 0x20) {
        throw Broken{};
      }
      const char c = text_[at_++];
      if (c == '"') {
        return out;
      }
      out += c == '\\' ? escape() : c;
    }
  }

  char escape() {
    const char c = peek();
    ++at_;
    switch (c) {
      case '"':
      case '\\':
      case '/':
        return c;
      case 'b':
        return '\b';
      case 'f':
        return '\f';
      case 'n':
        return '\n';
      case 'r':
        return '\r';
      case 't':
        return '\t';
      case 'u': {
        unsigned code = 0;
        for (int i = 0; i < 4; ++i) {
          const char h = peek();
          if (std::isxdigit(static_cast<unsigned char>(h)) == 0) {
            throw Broken{};
          }
          code = code * 16 + static_cast<unsigned>(std::stoi(std::string(1, h), nullptr, 16));
          ++at_;
        }
        // The tests' frames escape nothing outside ASCII; a placeholder keeps such a text unequal.
        return code < 0x80 ? static_cast<char>(code) : '\x7f';
      }
      default:
        throw Broken{};
    }
  }

  void digits() {
    if (std::isdigit(static_cast<unsigned char>(peek())) == 0) {
      throw Broken{};
    }
    while (std::isdigit(static_cast<unsigned char>(peek())) != 0) {
      ++at_;
    }
  }

  std::string number() {
    const std::size_t start = at_;
    take('-');
    if (!take('0')) {
      digits();
    } else if (std::isdigit(static_cast<unsigned char>(peek())) != 0) {
      throw Broken{};
    }
    if (take('.')) {
      digits();
    }
    if (take('e') || take('E')) {
      if (!take('+')) {
        take('-');
      }
      digits();
    }
    return std::string(text_.substr(start, at_ - start));
  }

  std::string_view text_;
  std::size_t at_{0};
};

// The members of an object by name; nothing when a name occurs twice.
struct Members {
  std::map<std::string, const Value*> by_name;
  std::vector<std::string> doubled;

  explicit Members(const Value& object) {
    for (const auto& [name, value] : object.members) {
      if (!by_name.emplace(name, &value).second) {
        doubled.push_back(name);
      }
    }
  }
  [[nodiscard]] bool doubles(std::initializer_list<const char*> names) const {
    for (const std::string& name : doubled) {
      for (const char* one : names) {
        if (name == one) {
          return true;
        }
      }
    }
    return false;
  }
  [[nodiscard]] const Value* find(const std::string& name) const {
    const auto it = by_name.find(name);
    return it == by_name.end() ? nullptr : it->second;
  }
  [[nodiscard]] std::optional<std::int64_t> amount(const std::string& name) const {
    const Value* const v = find(name);
    std::int64_t raw = 0;
    if (v == nullptr || v->kind != Value::Kind::kNumber ||
        parse_decimal(v->text, raw) != DecimalStatus::kOk || raw < 0) {
      return std::nullopt;
    }
    return raw;
  }
  [[nodiscard]] std::optional<std::string> text(const std::string& name) const {
    const Value* const v = find(name);
    return v != nullptr && v->kind == Value::Kind::kString ? std::optional(v->text) : std::nullopt;
  }
  [[nodiscard]] std::optional<WallNanos> time() const {
    const auto t = text("t");
    WallNanos out;
    return t && parse_rfc3339(*t, out) ? std::optional(out) : std::nullopt;
  }
};

class Decoder {
 public:
  Decoder(const SymbolTable& symbols, std::uint16_t feed, std::int64_t receive_ns)
      : symbols_(symbols), feed_(feed), next_ns_(receive_ns) {}

  void message(const Value& object) {
    const Members m(object);
    const auto type = m.text("T");
    if (!type || m.doubles({"T"})) {
      ++result.left_out;
    } else if (*type == "q") {
      quote(m);
    } else if (*type == "t") {
      trade(m);
    } else if (*type == "o") {
      book(m);
    } else if (*type == "success" || *type == "error" || *type == "subscription") {
      control(m, *type);
    } else if (*type == "s") {
      status(m);
    } else if (std::string("b d u l c x i n").find(*type) != std::string::npos &&
               type->size() == 1 && *type != " ") {
      ++result.skipped;
    } else {
      ++result.unknown_type;
    }
  }

  NaiveResult result;

 private:
  bool usable(const Members& m, bool sound, std::uint32_t& instrument) {
    const auto symbol = m.text("S");
    if (!sound || !symbol || symbol->empty() || !m.time()) {
      ++result.left_out;
      return false;
    }
    instrument = symbols_.find(*symbol);
    if (instrument == kNoInstrument) {
      ++result.unknown_symbol;
      return false;
    }
    return true;
  }

  template <class Body>
  void publish(const Members& m, std::uint32_t instrument, MarketKind kind, unsigned flags,
               const Body& body) {
    MarketEvent event;
    event.flags = static_cast<std::uint8_t>(flags);
    event.source = feed_;
    event.instrument = instrument;
    event.exchange_ns = *m.time();
    event.receive_ns = MonoNanos{next_ns_++};
    event.set_body(kind, body);
    result.events.push_back(event);
  }

  void quote(const Members& m) {
    const auto bp = m.amount("bp");
    const auto bs = m.amount("bs");
    const auto ap = m.amount("ap");
    const auto as = m.amount("as");
    std::uint32_t instrument = 0;
    if (usable(m, bp && bs && ap && as && !m.doubles({"S", "bp", "bs", "ap", "as", "t"}),
               instrument)) {
      publish(m, instrument, MarketKind::kQuote, kLastOfEvent,
              Quote{Price{*bp}, Qty{*bs}, Price{*ap}, Qty{*as}});
    }
  }

  void trade(const Members& m) {
    const auto px = m.amount("p");
    const auto qty = m.amount("s");
    const Value* const id = m.find("i");
    const Value* const taker = m.find("tks");
    bool sound = px && *px > 0 && qty && *qty > 0 && !m.doubles({"S", "p", "s", "t", "i", "tks"}) &&
                 id != nullptr && id->kind == Value::Kind::kNumber;
    std::uint64_t trade_id = 0;
    for (std::size_t i = 0; sound && i < id->text.size(); ++i) {
      const char c = id->text[i];
      sound = c >= '0' && c <= '9' &&
              !__builtin_mul_overflow(trade_id, std::uint64_t{10}, &trade_id) &&
              !__builtin_add_overflow(trade_id, static_cast<std::uint64_t>(c - '0'), &trade_id);
    }
    Side side = Side::kNone;
    if (taker != nullptr && taker->kind != Value::Kind::kNull) {
      sound = sound && taker->kind == Value::Kind::kString;
      side = taker->text == "B" ? Side::kBuy : taker->text == "S" ? Side::kSell : Side::kNone;
    }
    std::uint32_t instrument = 0;
    if (usable(m, sound, instrument)) {
      publish(m, instrument, MarketKind::kTrade, kLastOfEvent,
              Trade{Price{*px}, Qty{*qty}, trade_id, static_cast<std::uint64_t>(side)});
    }
  }

  void status(const Members& m) {
    static const std::map<std::string, TradingStatus> kCodes = {
        {"2", TradingStatus::kHalted},      {"H", TradingStatus::kHalted},
        {"P", TradingStatus::kHalted},      {"Q", TradingStatus::kHalted},
        {"3", TradingStatus::kTrading},     {"T", TradingStatus::kTrading},
        {"5", TradingStatus::kInformation}, {"6", TradingStatus::kInformation},
        {"7", TradingStatus::kInformation}, {"8", TradingStatus::kInformation},
        {"9", TradingStatus::kInformation}, {"A", TradingStatus::kInformation},
        {"C", TradingStatus::kInformation}, {"D", TradingStatus::kInformation},
        {"E", TradingStatus::kInformation}, {"F", TradingStatus::kInformation}};
    const auto code = m.text("sc");
    const Value* const reason = m.find("rc");
    const bool readable = reason == nullptr || reason->kind == Value::Kind::kNull ||
                          reason->kind == Value::Kind::kString;
    std::uint32_t instrument = 0;
    if (!usable(m, code && readable && !m.doubles({"S", "sc", "rc", "t"}), instrument)) {
      return;
    }
    const auto known = kCodes.find(*code);
    StatusMark mark{};
    mark.status = known == kCodes.end() ? TradingStatus::kUnknown : known->second;
    const auto pack = [](const std::string& text) {
      std::uint64_t word = 0;
      for (std::size_t i = 0; i < text.size() && i < 8; ++i) {
        word |= std::uint64_t{static_cast<unsigned char>(text[i])} << (8 * i);
      }
      return word;
    };
    mark.code = pack(*code);
    mark.reason = reason != nullptr ? pack(reason->text) : 0;
    publish(m, instrument, MarketKind::kStatus, kLastOfEvent, mark);
  }

  bool levels(const Members& m, const char* name, Side side, std::vector<Depth>& out) {
    const Value* const list = m.find(name);
    if (list == nullptr || list->kind == Value::Kind::kNull) {
      return true;
    }
    if (list->kind != Value::Kind::kArray) {
      return false;
    }
    std::uint64_t index = 0;
    for (const Value& entry : list->elements) {
      const Members level(entry);
      const auto px = level.amount("p");
      const auto qty = level.amount("s");
      if (entry.kind != Value::Kind::kObject || !px || *px == 0 || !qty ||
          level.doubles({"p", "s"})) {
        return false;
      }
      out.push_back({Price{*px}, Qty{*qty}, static_cast<std::uint64_t>(side), index++});
    }
    return true;
  }

  void book(const Members& m) {
    std::vector<Depth> all;
    bool sound = !m.doubles({"S", "t", "b", "a", "r"});
    sound = levels(m, "b", Side::kBuy, all) && sound;
    sound = levels(m, "a", Side::kSell, all) && sound;
    const Value* const r = m.find("r");
    bool reset = false;
    if (r != nullptr && r->kind != Value::Kind::kNull) {
      sound = sound && r->kind == Value::Kind::kBool;
      reset = r->truth;
    }
    std::uint32_t instrument = 0;
    if (!usable(m, sound, instrument)) {
      return;
    }
    if (all.empty() && reset) {
      all.push_back({});
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
      unsigned flags = i + 1 == all.size() ? unsigned{kLastOfEvent} : 0U;
      flags |= reset ? unsigned{kSnapshot} : 0U;
      publish(m, instrument, MarketKind::kDepth, flags, all[i]);
    }
  }

  void control(const Members& m, const std::string& type) {
    const Value* const code = m.find("code");
    bool sound = true;
    if (type == "error") {
      const Value* const msg = m.find("msg");
      sound =
          code != nullptr && code->kind == Value::Kind::kNumber && code->text.size() <= 9 &&
          code->text.find_first_not_of("0123456789") == std::string::npos &&
          !m.doubles({"code", "msg"}) &&
          (msg == nullptr || msg->kind == Value::Kind::kNull || msg->kind == Value::Kind::kString);
    } else if (type == "success") {
      sound = m.text("msg").has_value() && !m.doubles({"msg"});
    } else {
      sound = !m.doubles({"trades", "quotes", "orderbooks", "statuses"});
      for (const char* name : {"trades", "quotes", "orderbooks", "statuses"}) {
        const Value* const list = m.find(name);
        sound = sound && (list == nullptr || list->kind == Value::Kind::kNull ||
                          list->kind == Value::Kind::kArray);
      }
    }
    ++(sound ? result.controls : result.left_out);
  }

  const SymbolTable& symbols_;
  std::uint16_t feed_;
  std::int64_t next_ns_;
};

}  // namespace

NaiveResult naive_decode(const SymbolTable& symbols, std::uint16_t feed, std::int64_t receive_ns,
                         std::string_view frame) {
  Decoder decoder(symbols, feed, receive_ns);
  Parser parser(frame);
  try {
    parser.space();
    parser.need('[');
    parser.space();
    if (!parser.take(']')) {
      do {
        parser.space();
        if (parser.peek() != '{') {
          throw Broken{};
        }
        decoder.message(parser.value());
      } while (parser.take(','));
      parser.need(']');
    }
    parser.space();
    if (!parser.end()) {
      throw Broken{};
    }
  } catch (const Broken&) {
    decoder.result.whole = false;
  }
  return decoder.result;
}

}  // namespace sluice::venue
