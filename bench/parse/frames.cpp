#include "bench/parse/frames.hpp"

#include <array>

#include "common/base/fixed.hpp"
#include "common/base/time.hpp"

namespace sluice::bench {
namespace {

void put_decimal(std::string& out, std::string_view key, std::int64_t raw) {
  std::array<char, kMaxDecimalChars> text;
  out += ",\"";
  out += key;
  out += "\":";
  out.append(text.data(), format_decimal(raw, text.data()));
}

void put_time(std::string& out, std::int64_t ns) {
  std::array<char, kMaxRfc3339Chars> text;
  out += ",\"t\":\"";
  out.append(text.data(), format_rfc3339(WallNanos{ns}, text.data()));
  out += '"';
}

void put_letter(std::string& out, std::string_view key, char letter) {
  out += ",\"";
  out += key;
  out += "\":\"";
  out += letter != 0 ? letter : 'V';
  out += '"';
}

// Stocks as the venue's documentation writes them.
void put_stock_message(std::string& out, const SessionSymbol& symbol, const SessionRecord& record) {
  if (record.kind == SessionKind::kQuote) {
    out += "{\"T\":\"q\",\"S\":\"" + symbol.symbol + '"';
    put_letter(out, "bx", record.exchange);
    put_decimal(out, "bp", record.a);
    put_decimal(out, "bs", record.b);
    put_letter(out, "ax", record.exchange);
    put_decimal(out, "ap", record.c);
    put_decimal(out, "as", record.d);
    put_time(out, record.exchange_ns);
    out += ",\"c\":[\"R\"]";
  } else {
    out += "{\"T\":\"t\",\"i\":" + std::to_string(record.id) + ",\"S\":\"" + symbol.symbol + '"';
    put_letter(out, "x", record.exchange);
    put_decimal(out, "p", record.a);
    put_decimal(out, "s", record.b);
    put_time(out, record.exchange_ns);
    out += (record.conditions & kSessionOddLot) != 0 ? ",\"c\":[\"@\",\"I\"]" : ",\"c\":[\"@\"]";
  }
  put_letter(out, "z", symbol.tape);
  out += '}';
}

bool is_stock(const SessionSymbol& symbol) {
  return symbol.asset_class == SessionAssetClass::kUsEquity;
}

void put_message(std::string& out, const Session& session, const SessionRecord& record) {
  if (is_stock(session.symbols[record.symbol]))
    return put_stock_message(out, session.symbols[record.symbol], record);
  const std::string& symbol = session.symbols[record.symbol].symbol;
  if (record.kind == SessionKind::kQuote) {
    out += "{\"T\":\"q\",\"S\":\"" + symbol + '"';
    put_decimal(out, "bp", record.a);
    put_decimal(out, "bs", record.b);
    put_decimal(out, "ap", record.c);
    put_decimal(out, "as", record.d);
    put_time(out, record.exchange_ns);
  } else {
    out += "{\"T\":\"t\",\"S\":\"" + symbol + '"';
    put_decimal(out, "p", record.a);
    put_decimal(out, "s", record.b);
    put_time(out, record.exchange_ns);
    out += ",\"i\":" + std::to_string(record.id);
    out += record.side == SessionSide::kBid ? ",\"tks\":\"B\"" : ",\"tks\":\"S\"";
  }
  out += '}';
}

}  // namespace

FrameSet make_frames(const Session& session, SessionKind kind, std::size_t batch) {
  FrameSet set;
  set.name = kind == SessionKind::kQuote ? "quote" : "trade";
  if (is_stock(session.symbols.front()))
    set.name = "stock_" + set.name;
  set.batch = batch;
  std::string frame;
  std::size_t in_frame = 0;
  for (const SessionRecord& record : session.records) {
    if (record.kind != kind) {
      continue;
    }
    frame += in_frame == 0 ? '[' : ',';
    put_message(frame, session, record);
    if (++in_frame == batch) {
      frame += ']';
      set.frames.push_back(std::move(frame));
      frame.clear();
      in_frame = 0;
    }
  }
  return set;
}

FrameSet make_reordered_quotes(const Session& session) {
  FrameSet set;
  set.name = "quote_reordered";
  for (const SessionRecord& record : session.records) {
    if (record.kind != SessionKind::kQuote) {
      continue;
    }
    std::string frame = "[{\"T\":\"q\"";
    put_time(frame, record.exchange_ns);
    put_decimal(frame, "ap", record.c);
    put_decimal(frame, "as", record.d);
    put_decimal(frame, "bp", record.a);
    put_decimal(frame, "bs", record.b);
    frame += ",\"S\":\"" + session.symbols[record.symbol].symbol + "\"}]";
    set.frames.push_back(std::move(frame));
  }
  return set;
}

}  // namespace sluice::bench
