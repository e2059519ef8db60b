#include "tools/venue_sim/encode_market.hpp"

#include <array>
#include <charconv>
#include <string_view>
#include <utility>

namespace sluice::sim {
namespace {

void append_decimal(std::string& out, std::int64_t raw) {
  char chars[kMaxDecimalChars];
  out.append(chars, format_decimal(raw, chars));
}

void append_number(std::string& out, std::uint64_t value) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

void append_field(std::string& out, std::string_view key, std::int64_t raw) {
  out.append(key);
  append_decimal(out, raw);
}

void append_stamp(std::string& out, WallNanos stamp) {
  char chars[kMaxRfc3339Chars];
  out.append(R"(,"t":")");
  out.append(chars, format_rfc3339(stamp, chars));
  out.push_back('"');
}

void append_letter(std::string& out, std::string_view key, char letter) {
  out.append(key);
  out.push_back(letter);
  out.push_back('"');
}

void append_levels(std::string& out, std::string_view key,
                   const std::vector<MarketEncoder::Level>& levels) {
  out.append(key);
  bool comma = false;
  for (const MarketEncoder::Level& level : levels) {
    out.append(comma ? R"(,{"p":)" : R"({"p":)");
    comma = true;
    append_decimal(out, level.px.raw);
    append_field(out, R"(,"s":)", level.qty.raw);
    out.push_back('}');
  }
  out.push_back(']');
}

// Where a tape's stocks are listed.
char listing_exchange(char tape) noexcept {
  switch (tape) {
    case 'A':
      return 'N';
    case 'B':
      return 'P';
    default:
      return 'Q';
  }
}

// The sale conditions by tape: the two plans share letters for all but the regular sale.
void append_conditions(std::string& out, std::string_view key, std::uint8_t conditions, char tape) {
  struct Letter {
    std::uint8_t bit;
    char letter;
  };
  static constexpr std::array<Letter, 5> kLetters{{{kSessionIntermarketSweep, 'F'},
                                                   {kSessionOpening, 'O'},
                                                   {kSessionClosing, '6'},
                                                   {kSessionExtendedHours, 'T'},
                                                   {kSessionOddLot, 'I'}}};
  out.append(key).append(tape == 'C' ? R"(["@")" : R"([" ")");
  for (const Letter& known : kLetters) {
    if ((conditions & known.bit) != 0) {
      append_letter(out, R"(,")", known.letter);
    }
  }
  out.push_back(']');
}

struct StatusWords {
  std::string_view code;
  std::string_view text;
  std::string_view reason;
  std::string_view reason_text;
};

// Tape C speaks UTP's codes, A and B the CTA's, which knows no resumption of quotes alone.
StatusWords status_words(SessionStatus status, char tape) noexcept {
  const bool utp = tape == 'C';
  switch (status) {
    case SessionStatus::kHalt:
      return utp ? StatusWords{"H", "Trading Halt", "T1", "Halt News Pending"}
                 : StatusWords{"2", "Trading Halt", "P", "News Pending"};
    case SessionStatus::kVolatilityPause:
      return utp ? StatusWords{"P", "Volatility Trading Pause", "LUDP", "Volatility Trading Pause"}
                 : StatusWords{"2", "Trading Halt", "M", "Volatility Trading Pause"};
    case SessionStatus::kQuoteResume:
      return utp ? StatusWords{"Q", "Quotation Resumption", "", ""} : StatusWords{};
    case SessionStatus::kResume:
      return utp ? StatusWords{"T", "Trading Resumption", "", ""}
                 : StatusWords{"3", "Resume", "", ""};
  }
  return {};
}

}  // namespace

void append_trade_values(std::string& out, const MarketEncoder::Print& print, char tape,
                         WallNanos stamp) {
  append_field(out, R"(,"p":)", print.trade.px.raw);
  append_field(out, R"(,"s":)", print.trade.qty.raw);
  append_stamp(out, stamp);
  out.append(R"(,"i":)");
  append_number(out, print.id);
  if (tape != 0) {
    append_letter(out, R"(,"x":")", print.exchange != 0 ? print.exchange : listing_exchange(tape));
    append_conditions(out, R"(,"c":)", print.conditions, tape);
    append_letter(out, R"(,"z":")", tape);
  } else if (print.trade.taker) {
    out.append(*print.trade.taker == Side::kBuy ? R"(,"tks":"B")" : R"(,"tks":"S")");
  }
}

void append_quote_values(std::string& out, const RecordedQuote& quote, char exchange, char tape,
                         WallNanos stamp) {
  append_field(out, R"(,"bp":)", quote.bid_px.raw);
  append_field(out, R"(,"bs":)", quote.bid_qty.raw);
  append_field(out, R"(,"ap":)", quote.ask_px.raw);
  append_field(out, R"(,"as":)", quote.ask_qty.raw);
  append_stamp(out, stamp);
  if (tape != 0) {
    const char place = exchange != 0 ? exchange : listing_exchange(tape);
    append_letter(out, R"(,"bx":")", quote.bid_px.raw != 0 ? place : ' ');
    append_letter(out, R"(,"ax":")", quote.ask_px.raw != 0 ? place : ' ');
    out.append(R"(,"c":["R"])");
    append_letter(out, R"(,"z":")", tape);
  }
}

void append_bar_values(std::string& out, const Bar& bar, WallNanos start) {
  append_field(out, R"(,"o":)", bar.open.raw);
  append_field(out, R"(,"h":)", bar.high.raw);
  append_field(out, R"(,"l":)", bar.low.raw);
  append_field(out, R"(,"c":)", bar.close.raw);
  append_field(out, R"(,"v":)", bar.volume.raw);
  append_stamp(out, start);
  out.append(R"(,"n":)");
  append_number(out, bar.trades);
  append_field(out, R"(,"vw":)", bar.average().raw);
}

MarketEncoder::MarketEncoder(const std::vector<Symbol>& symbols) {
  for (const Symbol& symbol : symbols) {
    const std::string name = R"(","S":")" + symbol.name + '"';
    const char tape = symbol.is_equity() ? (symbol.tape != 0 ? symbol.tape : 'C') : '\0';
    heads_.push_back(
        {name, R"({"T":"q)" + name, R"({"T":"t)" + name, R"({"T":"o)" + name, tape, symbol});
  }
}

void MarketEncoder::quote(std::string& out, SymbolIndex symbol, const RecordedQuote& quote,
                          WallNanos stamp, char exchange) const {
  out.append(heads_[symbol].quote);
  append_quote_values(out, quote, exchange, heads_[symbol].tape, stamp);
  out.push_back('}');
}

void MarketEncoder::trade(std::string& out, SymbolIndex symbol, const Print& print,
                          WallNanos stamp) const {
  out.append(heads_[symbol].trade);
  append_trade_values(out, print, heads_[symbol].tape, stamp);
  out.push_back('}');
}

void MarketEncoder::correction(std::string& out, SymbolIndex symbol, const Print& original,
                               WallNanos stamp) const {
  const Heads& heads = heads_[symbol];
  const char place = original.exchange != 0 ? original.exchange : listing_exchange(heads.tape);
  const Price px = original.trade.px;
  out.append(R"({"T":"c)").append(heads.name);
  append_letter(out, R"(,"x":")", place);
  append_number(out.append(R"(,"oi":)"), original.id);
  append_field(out, R"(,"op":)", px.raw);
  append_field(out, R"(,"os":)", original.trade.qty.raw);
  append_conditions(out, R"(,"oc":)", original.conditions, heads.tape);
  append_number(out.append(R"(,"ci":)"), original.id + kCorrectedIds);
  append_field(out, R"(,"cp":)", px.raw + heads.symbol.tick_at(px).raw);
  append_field(out, R"(,"cs":)", original.trade.qty.raw);
  append_conditions(out, R"(,"cc":)", original.conditions, heads.tape);
  append_stamp(out, stamp);
  append_letter(out, R"(,"z":")", heads.tape);
  out.push_back('}');
}

void MarketEncoder::cancel(std::string& out, SymbolIndex symbol, const Print& original,
                           WallNanos stamp) const {
  const Heads& heads = heads_[symbol];
  const char place = original.exchange != 0 ? original.exchange : listing_exchange(heads.tape);
  out.append(R"({"T":"x)").append(heads.name);
  append_number(out.append(R"(,"i":)"), original.id);
  append_letter(out, R"(,"x":")", place);
  append_field(out, R"(,"p":)", original.trade.px.raw);
  append_field(out, R"(,"s":)", original.trade.qty.raw);
  append_letter(out, R"(,"a":")", 'C');
  append_stamp(out, stamp);
  append_letter(out, R"(,"z":")", heads.tape);
  out.push_back('}');
}

void MarketEncoder::bar(std::string& out, SymbolIndex symbol, BarKind kind, const Bar& bar,
                        WallNanos start) const {
  constexpr std::array<std::string_view, 3> kTypes{"b", "u", "d"};
  out.append(R"({"T":")").append(kTypes[static_cast<std::size_t>(kind)]);
  out.append(heads_[symbol].name);
  append_bar_values(out, bar, start);
  out.push_back('}');
}

bool MarketEncoder::status(std::string& out, SymbolIndex symbol, SessionStatus status,
                           WallNanos stamp) const {
  const StatusWords words = status_words(status, heads_[symbol].tape);
  if (words.code.empty()) {
    return false;
  }
  const auto field = [&out](std::string_view key, std::string_view value) {
    out.append(key).append(value).push_back('"');
  };
  out.append(R"({"T":"s)").append(heads_[symbol].name);
  field(R"(,"sc":")", words.code);
  field(R"(,"sm":")", words.text);
  field(R"(,"rc":")", words.reason);
  field(R"(,"rm":")", words.reason_text);
  append_stamp(out, stamp);
  append_letter(out, R"(,"z":")", heads_[symbol].tape);
  out.push_back('}');
  return true;
}

void MarketEncoder::book(std::string& out, SymbolIndex symbol, const BookUpdate& update,
                         WallNanos stamp) const {
  out.append(heads_[symbol].book);
  append_stamp(out, stamp);
  append_levels(out, R"(,"b":[)", update.bids);
  append_levels(out, R"(,"a":[)", update.asks);
  out.append(update.reset ? R"(,"r":true})" : "}");
}

}  // namespace sluice::sim
