#include "tools/venue_sim/encode_market.hpp"

#include <charconv>
#include <string_view>

namespace sluice::sim {
namespace {

void append_decimal(std::string& out, std::int64_t raw) {
  char chars[kMaxDecimalChars];
  out.append(chars, format_decimal(raw, chars));
}

void append_stamp(std::string& out, WallNanos stamp) {
  char chars[kMaxRfc3339Chars];
  out.append(R"(,"t":")");
  out.append(chars, format_rfc3339(stamp, chars));
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
    out.append(R"(,"s":)");
    append_decimal(out, level.qty.raw);
    out.push_back('}');
  }
  out.push_back(']');
}

}  // namespace

MarketEncoder::MarketEncoder(const std::vector<Symbol>& symbols) {
  for (const Symbol& symbol : symbols) {
    const std::string name = R"(","S":")" + symbol.name + '"';
    heads_.push_back(
        {R"({"T":"q)" + name + R"(,"bp":)", R"({"T":"t)" + name + R"(,"p":)", R"({"T":"o)" + name});
  }
}

void MarketEncoder::quote(std::string& out, SymbolIndex symbol, const RecordedQuote& quote,
                          WallNanos stamp) const {
  out.append(heads_[symbol].quote);
  append_decimal(out, quote.bid_px.raw);
  out.append(R"(,"bs":)");
  append_decimal(out, quote.bid_qty.raw);
  out.append(R"(,"ap":)");
  append_decimal(out, quote.ask_px.raw);
  out.append(R"(,"as":)");
  append_decimal(out, quote.ask_qty.raw);
  append_stamp(out, stamp);
  out.push_back('}');
}

void MarketEncoder::trade(std::string& out, SymbolIndex symbol, const RecordedTrade& trade,
                          std::uint64_t id, WallNanos stamp) const {
  char digits[24];
  out.append(heads_[symbol].trade);
  append_decimal(out, trade.px.raw);
  out.append(R"(,"s":)");
  append_decimal(out, trade.qty.raw);
  append_stamp(out, stamp);
  out.append(R"(,"i":)");
  out.append(digits, std::to_chars(digits, digits + sizeof digits, id).ptr);
  if (trade.taker) {
    out.append(*trade.taker == Side::kBuy ? R"(,"tks":"B"})" : R"(,"tks":"S"})");
  } else {
    out.push_back('}');
  }
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
