// The frame walk and the fast path. The general path is in market_data_general.cpp.
//
// The fast path reads the forms in which the venue's encoder writes quotes, trades and books: no
// whitespace, no escapes, keys in one order. Anything else - another key order, an exponent, an
// unknown symbol, a value that will be refused - makes it decline without a trace, and the general
// path decides. So the fast path can only ever be faster, not different; a test compares the two
// over recorded and damaged frames.
#include "common/venue/alpaca/market_data.hpp"

#include <algorithm>
#include <array>

#include "common/base/time.hpp"
#include "common/venue/json_scan.hpp"

namespace sluice::venue::alpaca {
namespace {

constexpr bool is_space(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

const char* skip_space(const char* p, const char* end) noexcept {
  while (p != end && is_space(*p)) {
    ++p;
  }
  return p;
}

// The closing quote of the string that opens at `p`, or null.
const char* string_end(const char* p, const char* end) noexcept {
  for (++p; p < end && *p != '"'; ++p) {
    if (*p == '\\') {
      ++p;  // whatever is escaped, it does not close the string
    }
  }
  return p < end ? p : nullptr;
}

// The end of the object at `p`: the position after its closing brace, or null when the text ends
// before or brackets do not match. Only finds the end; whether the object is sound, JsonTree says.
const char* object_end(const char* p, const char* end) noexcept {
  constexpr unsigned kDepthMax = 64;
  std::uint64_t open_braces = 0;  // one bit per level, lowest = innermost: 1 for {, 0 for [
  unsigned depth = 0;
  for (; p != end; ++p) {
    switch (*p) {
      case '"':
        p = string_end(p, end);
        if (p == nullptr) {
          return nullptr;
        }
        break;
      case '{':
      case '[':
        if (depth == kDepthMax) {
          return nullptr;
        }
        ++depth;
        open_braces = open_braces << 1 | (*p == '{' ? 1U : 0U);
        break;
      case '}':
      case ']':
        if ((open_braces & 1) != (*p == '}' ? 1U : 0U)) {
          return nullptr;
        }
        open_braces >>= 1;
        if (--depth == 0) {
          return p + 1;
        }
        break;
      default:
        break;
    }
  }
  return nullptr;
}

// Where the letter stands in `{"T":"q","S":"BTC/USD",…`, and the first letter of the next key.
constexpr std::ptrdiff_t kTypeAt = 6;
constexpr std::ptrdiff_t kNextKeyAt = 10;

constexpr std::uint64_t kBuy = static_cast<std::uint64_t>(Side::kBuy);
constexpr std::uint64_t kSell = static_cast<std::uint64_t>(Side::kSell);

}  // namespace

MarketDataDecoder::MarketDataDecoder(const SymbolTable& symbols, const MarketDataOptions& options)
    : symbols_(symbols),
      options_(options),
      // A value of a message takes four bytes at least on average: `{"p":1,"s":1},` is three.
      tree_(options.frame_bytes_max, options.frame_bytes_max / 4 + 64),
      events_(std::make_unique<MarketEvent[]>(options.levels_max + 1)) {}

MarketDataDecoder::~MarketDataDecoder() = default;

// ---- the walk over a frame ---------------------------------------------------------------------

MarketDataDecoder::Step MarketDataDecoder::begin(std::string_view frame,
                                                 MonoNanos receive_ns) noexcept {
  ++counters_.frames;
  status_ = DecodeStatus::kOk;
  receive_ns_ = receive_ns;
  if (frame.size() > options_.frame_bytes_max) {
    return refuse(DecodeStatus::kOversize);
  }
  end_ = frame.data() + frame.size();
  const char* const first = skip_space(frame.data(), end_);
  if (first == end_) {
    return refuse(DecodeStatus::kEmpty);
  }
  if (*first != '[') {
    return refuse(DecodeStatus::kWrongShape);
  }
  at_ = skip_space(first + 1, end_);
  if (at_ != end_ && *at_ == ']') {  // an empty frame says nothing, legally
    finish(at_ + 1);
    return Step::kEnd;
  }
  return advance();
}

// flatten: the usual forms are read in one piece of code, a tenth faster than as calls.
[[gnu::flatten]] MarketDataDecoder::Step MarketDataDecoder::advance() noexcept {
  while (at_ != nullptr) {
    if (at_ == end_ || *at_ != '{') [[unlikely]] {
      cut_short(DecodeStatus::kMalformed);
      break;
    }
    if (options_.fast_path) [[likely]] {
      if (const char* const after = take_usual(at_); after != nullptr) [[likely]] {
        ++counters_.messages;
        move_past(after);
        return Step::kEvents;
      }
    }
    const char* const after = object_end(at_, end_);
    if (after == nullptr) {
      cut_short(DecodeStatus::kMalformed);
      break;
    }
    ++counters_.messages;
    ++counters_.general_path;
    const Taken taken = take_any({at_, static_cast<std::size_t>(after - at_)});
    if (taken == Taken::kBroken) {
      cut_short(fault_.status);
      break;
    }
    move_past(after);
    if (taken != Taken::kNothing) {
      return taken == Taken::kEvents ? Step::kEvents : Step::kControl;
    }
  }
  return Step::kEnd;
}

// `after` follows an element. Trouble here ends the frame but not the element before it.
void MarketDataDecoder::move_past(const char* after) noexcept {
  const char* const p = skip_space(after, end_);
  if (p != end_ && *p == ',') [[likely]] {
    at_ = skip_space(p + 1, end_);
  } else if (p != end_ && *p == ']') {
    finish(p + 1);
  } else {
    cut_short(DecodeStatus::kMalformed);
  }
}

// `after` follows the closing bracket.
void MarketDataDecoder::finish(const char* after) noexcept {
  if (skip_space(after, end_) != end_) {
    cut_short(DecodeStatus::kMalformed);
  }
  at_ = nullptr;
}

MarketDataDecoder::Step MarketDataDecoder::refuse(DecodeStatus status) noexcept {
  ++counters_.frames_refused;
  counters_.bad.count(status);
  fault_ = {status, {}, kNoInstrument, {}};
  status_ = status;
  at_ = nullptr;
  return Step::kEnd;
}

void MarketDataDecoder::cut_short(DecodeStatus status) noexcept {
  ++counters_.frames_cut_short;
  counters_.bad.count(status);
  fault_ = {status, {}, kNoInstrument, {}};
  status_ = status;
  at_ = nullptr;
}

// ---- making events -----------------------------------------------------------------------------

void MarketDataDecoder::fill(MarketEvent& event, std::uint8_t flags, std::uint32_t instrument,
                             WallNanos exchange_ns) noexcept {
  event.flags = flags;
  event.source = options_.feed;
  event.instrument = instrument;
  event.exchange_ns = exchange_ns;
  event.receive_ns = next_stamp(receive_ns_);
}

void MarketDataDecoder::publish(std::uint32_t instrument, WallNanos exchange_ns,
                                const Quote& quote) noexcept {
  fill(events_[0], kLastOfEvent, instrument, exchange_ns);
  events_[0].set_body(MarketKind::kQuote, quote);
  event_count_ = 1;
  ++counters_.quotes;
}

void MarketDataDecoder::publish(std::uint32_t instrument, WallNanos exchange_ns,
                                const Trade& trade) noexcept {
  fill(events_[0], kLastOfEvent, instrument, exchange_ns);
  events_[0].set_body(MarketKind::kTrade, trade);
  event_count_ = 1;
  ++counters_.trades;
}

void MarketDataDecoder::publish(std::uint32_t instrument, WallNanos exchange_ns,
                                const StatusMark& mark) noexcept {
  fill(events_[0], kLastOfEvent, instrument, exchange_ns);
  events_[0].set_body(MarketKind::kStatus, mark);
  event_count_ = 1;
  ++counters_.statuses;
  if (mark.status == TradingStatus::kUnknown) {
    ++counters_.unknown_statuses;
  }
}

// The bodies of events_[0, count) are in place already.
void MarketDataDecoder::publish_book(std::uint32_t instrument, WallNanos exchange_ns,
                                     std::size_t count, bool reset) noexcept {
  if (count == 0 && reset) {
    events_[0].set_body(MarketKind::kDepth, Depth{});
    count = 1;
  }
  const std::uint8_t flags = reset ? kSnapshot : 0;
  for (std::size_t i = 0; i < count; ++i) {
    const bool last = i + 1 == count;
    fill(events_[i], static_cast<std::uint8_t>(flags | (last ? kLastOfEvent : 0)), instrument,
         exchange_ns);
  }
  event_count_ = count;
  ++counters_.books;
  counters_.levels += count;
}

// ---- the usual forms ---------------------------------------------------------------------------
// After every scan the position is compared with the end of the frame, and no scan reaches further
// than kScanReach: all reads stay within the padding, whatever it contains, and what was read there
// is thrown away.
static_assert(kScanReach <= static_cast<std::ptrdiff_t>(kJsonPadding));

namespace {

template <std::size_t N>
[[nodiscard]] bool scan_literal(const char*& p, const char (&text)[N]) noexcept {
  const bool same = starts_with(p, text);
  p += N - 1;
  return same;
}

// A character that stands for itself in a JSON text of any encoding.
constexpr bool is_plain(char c) noexcept {
  return c >= ' ' && c <= '~' && c != '"' && c != '\\';
}

// One letter and what follows it: exchanges and tapes, which nothing here uses.
template <std::size_t N>
[[nodiscard]] bool scan_letter(const char*& p, const char (&behind)[N]) noexcept {
  const bool plain = is_plain(*p++);
  return scan_literal(p, behind) && plain;
}

}  // namespace

const char* MarketDataDecoder::take_usual(const char* p) noexcept {
  switch (p[kTypeAt]) {
    case 'q':
      return take_usual_quote(p);
    case 't':
      return p[kNextKeyAt] == 'S' ? take_usual_trade(p) : take_usual_stock_trade(p);
    case 'o':
      return take_usual_book(p);
    default:
      return nullptr;
  }
}

// The characters up to the closing quote, when they are a symbol of ours.
bool MarketDataDecoder::scan_symbol(const char*& p, std::uint32_t& instrument) const noexcept {
  const unsigned size = scan_to_quote(p);
  if (size == 0 || p[size - 1] == '\0') [[unlikely]] {
    return false;
  }
  // The bytes past the symbol are masked away.
  SymbolKey key;
  if (size <= 8) {
    key.a = load_word(p) & (~std::uint64_t{0} >> (64 - 8 * size));
  } else {
    key.a = load_word(p);
    key.b = load_word(p + 8) & (~std::uint64_t{0} >> (128 - 8 * size));
  }
  instrument = symbols_.find(key);
  p += size;
  return instrument != kNoInstrument;
}

// `2026-11-20T12:00:00.123456789Z"`, 0 to 9 digits of fraction, and the closing quote.
bool MarketDataDecoder::scan_time(const char*& p, WallNanos& out) noexcept {
  const std::uint64_t head = load_word(p);
  const std::uint64_t tail = load_word(p + 8);
  if (head != minute_text_[0] || tail != minute_text_[1]) [[unlikely]] {
    std::array<char, 20> text{"                :00"};
    std::copy_n(p, 16, text.data());
    text.back() = 'Z';
    WallNanos minute;
    if (!parse_rfc3339({text.data(), text.size()}, minute)) {
      return false;
    }
    minute_text_[0] = head;
    minute_text_[1] = tail;
    minute_ns_ = minute.ns;
  }
  // Seconds and fraction are a decimal in units of 1e-9, which is what is wanted.
  const char* const point = p + 19;
  const bool seconds =
      static_cast<unsigned char>(p[17] - '0') <= 5 && static_cast<unsigned char>(p[18] - '0') <= 9;
  if (p[16] != ':' || !seconds) [[unlikely]] {
    return false;
  }
  unsigned fraction = 0;
  p = point;
  if (*p == '.') [[likely]] {
    fraction = count_digits_16(point + 1);
    if (fraction - 1 >= kFractionDigitsMax) [[unlikely]] {
      return false;
    }
    p += 1 + fraction;
  }
  out.ns = minute_ns_ + digits_around(point, 2, fraction);
  return scan_literal(p, "Z\"");
}

// `{"T":"q","S":"BTC/USD","bp":1.5,"bs":2,"ap":1.6,"as":3,"t":"…Z"}`; the simulator's stocks have
// their letters behind the time.
const char* MarketDataDecoder::take_usual_quote(const char* p) noexcept {
  std::uint32_t instrument = kNoInstrument;
  if (!scan_literal(p, R"({"T":"q","S":")") || !scan_symbol(p, instrument) || p > end_) {
    return nullptr;
  }
  if (p[4] == 'x') {
    return take_usual_stock_quote(p, instrument);
  }
  if (!scan_literal(p, R"(","bp":)") || p > end_) {
    return nullptr;
  }
  DigitWindow window(p);
  Quote quote;
  WallNanos time;
  if (!scan_decimal(p, window, quote.bid_px.raw, R"(,"bs":)") || p > end_ ||
      !scan_decimal(p, window, quote.bid_qty.raw, R"(,"ap":)") || p > end_ ||
      !scan_decimal(p, window, quote.ask_px.raw, R"(,"as":)") || p > end_ ||
      !scan_decimal(p, window, quote.ask_qty.raw, R"(,"t":")") || p > end_ || !scan_time(p, time) ||
      p > end_) {
    return nullptr;
  }
  if (*p == '}') [[likely]] {
    ++p;
  } else if (!scan_quote_tail(p)) {
    return nullptr;
  }
  if (p > end_) {
    return nullptr;
  }
  publish(instrument, time, quote);
  return p;
}

// `{"T":"t","S":"BTC/USD","p":1.5,"s":2,"t":"…Z","i":123,"tks":"B"}`; for stocks as above.
const char* MarketDataDecoder::take_usual_trade(const char* p) noexcept {
  std::uint32_t instrument = kNoInstrument;
  if (!scan_literal(p, R"({"T":"t","S":")") || !scan_symbol(p, instrument) || p > end_ ||
      !scan_literal(p, R"(","p":)") || p > end_) {
    return nullptr;
  }
  DigitWindow window(p);
  Trade trade;
  WallNanos time;
  if (!scan_decimal(p, window, trade.px.raw, R"(,"s":)") || p > end_ ||
      !scan_decimal(p, window, trade.qty.raw, R"(,"t":")") || p > end_ || !scan_time(p, time) ||
      p > end_ || !scan_literal(p, R"(,"i":)") || !scan_u64(p, trade.trade_id) || p > end_ ||
      trade.px.raw == 0 || trade.qty.raw == 0) {
    return nullptr;
  }
  if (starts_with(p, R"(,"tks":")")) [[likely]] {
    p += sizeof(R"(,"tks":")") - 1;
    const char taker = *p++;
    if ((taker != 'B' && taker != 'S') || !scan_literal(p, "\"}")) {
      return nullptr;
    }
    trade.conditions = taker == 'B' ? kBuy : kSell;
  } else {
    trade.conditions = static_cast<std::uint64_t>(Side::kNone);  // a tape does not tell who took
    if (!scan_trade_tail(p)) {
      return nullptr;
    }
  }
  if (p > end_) {
    return nullptr;
  }
  publish(instrument, time, trade);
  return p;
}

// `["R"]`, `["@","I"]`: conditions of one character each.
bool MarketDataDecoder::scan_conditions(const char*& p) const noexcept {
  if (*p != '[') [[unlikely]] {
    return false;
  }
  do {
    ++p;
    if (p[0] != '"' || !is_plain(p[1]) || p[2] != '"') [[unlikely]] {
      return false;
    }
    p += 3;
  } while (*p == ',' && p < end_);
  return *p++ == ']';
}

// `,"bx":"U","ax":"Q","c":["R"],"z":"C"}`
[[gnu::noinline]] bool MarketDataDecoder::scan_quote_tail(const char*& p) const noexcept {
  return scan_literal(p, R"(,"bx":")") && scan_letter(p, R"(","ax":")") && p <= end_ &&
         scan_letter(p, R"(","c":)") && p <= end_ && scan_conditions(p) && p <= end_ &&
         scan_literal(p, R"(,"z":")") && scan_letter(p, "\"}");
}

// `,"x":"D","c":["@","I"],"z":"C"}`
[[gnu::noinline]] bool MarketDataDecoder::scan_trade_tail(const char*& p) const noexcept {
  return scan_literal(p, R"(,"x":")") && scan_letter(p, R"(","c":)") && p <= end_ &&
         scan_conditions(p) && p <= end_ && scan_literal(p, R"(,"z":")") && scan_letter(p, "\"}");
}

// From behind the symbol: `","bx":"U","bp":87.66,"bs":1,"ax":"Q","ap":87.68,"as":4,"t":"…Z",
// "c":["R"],"z":"C"}`
[[gnu::noinline]] const char* MarketDataDecoder::take_usual_stock_quote(
    const char* p, std::uint32_t instrument) noexcept {
  constexpr char kAskPrice[] = R"(","ap":)";
  if (!scan_literal(p, R"(","bx":")") || !scan_letter(p, R"(","bp":)") || p > end_) {
    return nullptr;
  }
  DigitWindow window(p);
  Quote quote;
  WallNanos time;
  if (!scan_decimal(p, window, quote.bid_px.raw, R"(,"bs":)") || p > end_ ||
      !scan_decimal(p, window, quote.bid_qty.raw, R"(,"ax":")") || p > end_ ||
      !scan_letter(p, kAskPrice) || p > end_) {
    return nullptr;
  }
  window.skip(sizeof(kAskPrice));  // the letter and the literal
  if (!scan_decimal(p, window, quote.ask_px.raw, R"(,"as":)") || p > end_ ||
      !scan_decimal(p, window, quote.ask_qty.raw, R"(,"t":")") || p > end_ || !scan_time(p, time) ||
      p > end_ || !scan_literal(p, R"(,"c":)") || !scan_conditions(p) || p > end_ ||
      !scan_literal(p, R"(,"z":")") || !scan_letter(p, "\"}") || p > end_) {
    return nullptr;
  }
  publish(instrument, time, quote);
  return p;
}

// `{"T":"t","i":96921,"S":"AAPL","x":"D","p":126.55,"s":1,"t":"…Z","c":["@","I"],"z":"C"}`
[[gnu::noinline]] const char* MarketDataDecoder::take_usual_stock_trade(const char* p) noexcept {
  std::uint32_t instrument = kNoInstrument;
  Trade trade;
  // Digits are read with the 16 bytes before their end, and a frame has one byte before `p`: an id
  // of one digit is left to the general path.
  constexpr char kHead[] = R"({"T":"t","i":)";
  static_assert(1 + sizeof(kHead) - 1 + 2 >= 16);
  const char second_digit = p[sizeof(kHead)];
  if (second_digit < '0' || second_digit > '9' || !scan_literal(p, kHead) ||
      !scan_u64(p, trade.trade_id) || p > end_ || !scan_literal(p, R"(,"S":")") ||
      !scan_symbol(p, instrument) || p > end_ || !scan_literal(p, R"(","x":")") ||
      !scan_letter(p, R"(","p":)") || p > end_) {
    return nullptr;
  }
  DigitWindow window(p);
  WallNanos time;
  if (!scan_decimal(p, window, trade.px.raw, R"(,"s":)") || p > end_ ||
      !scan_decimal(p, window, trade.qty.raw, R"(,"t":")") || p > end_ || !scan_time(p, time) ||
      p > end_ || !scan_literal(p, R"(,"c":)") || !scan_conditions(p) || p > end_ ||
      !scan_literal(p, R"(,"z":")") || !scan_letter(p, "\"}") || p > end_ || trade.px.raw == 0 ||
      trade.qty.raw == 0) {
    return nullptr;
  }
  trade.conditions = static_cast<std::uint64_t>(Side::kNone);  // a tape does not tell who took
  publish(instrument, time, trade);
  return p;
}

// `[{"p":1.5,"s":2},…]`, appended to events_.
bool MarketDataDecoder::scan_levels(const char*& p, std::uint64_t side,
                                    std::size_t& count) noexcept {
  if (starts_with(p, "[]")) {
    p += 2;
    return true;
  }
  if (!scan_literal(p, R"([{"p":)") || p > end_) {
    return false;
  }
  DigitWindow window(p);
  for (std::uint64_t level = 0; count != options_.levels_max; ++level) {
    Depth depth{.px = {}, .qty = {}, .side = side, .level = level};
    if (!scan_decimal(p, window, depth.px.raw, R"(,"s":)") || p > end_ ||
        !scan_decimal(p, window, depth.qty.raw, "}") || p > end_ || depth.px.raw == 0) {
      return false;
    }
    events_[count++].set_body(MarketKind::kDepth, depth);
    if (*p == ']') {
      ++p;
      return true;
    }
    constexpr char kNext[] = R"(,{"p":)";
    if (!scan_literal(p, kNext) || p > end_) {
      return false;
    }
    window.skip(sizeof(kNext) - 1);
  }
  return false;
}

// `{"T":"o","S":"BTC/USD","t":"…Z","b":[…],"a":[…]}`, `,"r":true` before the brace on a reset.
// Out of line: a book's loop gains nothing from flattening and would push the quotes apart.
[[gnu::noinline]] const char* MarketDataDecoder::take_usual_book(const char* p) noexcept {
  std::uint32_t instrument = kNoInstrument;
  WallNanos time;
  std::size_t count = 0;
  if (!scan_literal(p, R"({"T":"o","S":")") || !scan_symbol(p, instrument) || p > end_ ||
      !scan_literal(p, R"(","t":")") || !scan_time(p, time) || p > end_ ||
      !scan_literal(p, R"(,"b":)") || !scan_levels(p, kBuy, count) || p > end_ ||
      !scan_literal(p, R"(,"a":)") || !scan_levels(p, kSell, count) || p > end_) {
    return nullptr;
  }
  const bool reset = *p == ',';
  if ((reset && !scan_literal(p, R"(,"r":true)")) || !scan_literal(p, "}") || p > end_) {
    return nullptr;
  }
  publish_book(instrument, time, count, reset);
  return p;
}

}  // namespace sluice::venue::alpaca
