#include "tools/venue_sim/data_rest.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace sluice::sim {
namespace {

// Into the bar it begins, or into the one that is there.
void merge(Bar& into, const Bar& bar) {
  into.high = std::max(into.high, bar.high);
  into.low = std::min(into.low, bar.low);
  into.close = bar.close;
  into.volume.raw += bar.volume.raw;
  into.trades += bar.trades;
  into.notional += bar.notional;
}

}  // namespace

DataRest::DataRest(const Session& session, const Timeline& timeline, const Player& player,
                   const MarketHub& market, bool basic_plan)
    : session_(session),
      timeline_(timeline),
      player_(player),
      market_(market),
      basic_plan_(basic_plan) {}

bool DataRest::owns(std::string_view path) noexcept {
  return path.starts_with(kStockDataPath) || path.starts_with(kCryptoDataPath);
}

ApiAnswer DataRest::handle(const ApiRequest& request) {
  DataQuestion question;
  if (auto refusal = question.read(request)) {
    return *std::move(refusal);
  }
  if (basic_plan_ && question.stocks && question.sip) {
    return refuse_data(403, "subscription does not permit querying recent SIP data");
  }
  build_index();
  return answer(question);
}

ApiAnswer DataRest::answer(const DataQuestion& question) {
  switch (question.what) {
    case DataQuestion::What::kLatest:
      return latest(question);
    case DataQuestion::What::kSnapshot:
      return snapshots(question);
    case DataQuestion::What::kHistory:
      break;
  }
  return history(question);
}

void DataRest::build_index() {
  if (!index_.empty()) {
    return;
  }
  index_.resize(session_.symbols.size());
  for (std::size_t i = 0; i < session_.records.size(); ++i) {
    const SessionRecord& record = session_.records[i];
    Index& of_symbol = index_[record.symbol];
    if (record.kind == SessionKind::kTrade) {
      of_symbol.trades.push_back(static_cast<std::uint32_t>(i));
    } else if (record.kind == SessionKind::kQuote) {
      of_symbol.quotes.push_back(static_cast<std::uint32_t>(i));
    }
  }
}

const DataRest::Positions& DataRest::positions(DataKind kind, SymbolIndex symbol) const {
  return kind == DataKind::kTrades ? index_[symbol].trades : index_[symbol].quotes;
}

std::size_t DataRest::played(const Positions& positions) const {
  if (positions.empty()) {
    return 0;
  }
  const std::size_t times = player_.played() / session_.records.size();
  const std::size_t rest = player_.played() % session_.records.size();
  const auto end = std::lower_bound(positions.begin(), positions.end(), rest);
  return times * positions.size() + static_cast<std::size_t>(end - positions.begin());
}

SessionRecord DataRest::nth(const Positions& positions, std::size_t n) const {
  const auto times = static_cast<std::int64_t>(n / positions.size());
  const std::int64_t period = session_.last_send_ns() - session_.first_send_ns() + kSeamNs;
  SessionRecord record = session_.records[positions[n % positions.size()]];
  record.send_ns += times * period;
  record.exchange_ns += times * period;
  return record;
}

WallNanos DataRest::stamp_of(const SessionRecord& record) const noexcept {
  return timeline_.paced() ? timeline_.venue_time(record.exchange_ns) : timeline_.t0();
}

std::vector<Bar> DataRest::bars(SymbolIndex symbol, const DataQuestion& question) const {
  if (question.bar_ns == kDayBarNs) {
    const Bar& day = market_.bars().day(symbol);
    return day.priced ? std::vector<Bar>{day} : std::vector<Bar>{};
  }
  std::vector<Bar> merged;
  for (const Bar& bar : market_.bars().minutes(symbol)) {
    if (!bar.priced) {
      continue;
    }
    const std::int64_t start = bar.start_ns - bar.start_ns % question.bar_ns;
    if (!merged.empty() && merged.back().start_ns == start) {
      merge(merged.back(), bar);
    } else {
      merged.push_back(bar);
      merged.back().start_ns = start;
    }
  }
  return merged;
}

// The shared encoders begin with a comma, which becomes the brace.
void DataRest::append_record(std::string& out, const SessionRecord& record) const {
  const SessionSymbol& symbol = session_.symbols[record.symbol];
  const bool equity = symbol.asset_class == SessionAssetClass::kUsEquity;
  const char tape = equity ? (symbol.tape != 0 ? symbol.tape : 'C') : '\0';
  const std::size_t at = out.size();
  if (record.kind == SessionKind::kTrade) {
    const SessionLevel level = record.level();
    MarketEncoder::Print print{
        {level.px, level.qty, std::nullopt}, record.id, record.exchange, record.conditions};
    if (record.side != SessionSide::kNone) {
      print.trade.taker = record.side == SessionSide::kBid ? Side::kBuy : Side::kSell;
    }
    append_trade_values(out, print, tape, stamp_of(record));
  } else {
    const SessionQuote q = record.quote();
    append_quote_values(out, {q.bid_px, q.bid_qty, q.ask_px, q.ask_qty}, record.exchange, tape,
                        stamp_of(record));
  }
  out[at] = '{';
  out.push_back('}');
}

void DataRest::append_bar(std::string& out, const Bar& bar) const {
  const std::size_t at = out.size();
  append_bar_values(out, bar, market_.start_of(bar));
  out[at] = '{';
  out.push_back('}');
}

std::optional<std::size_t> DataRest::append_page(std::string& out, const DataQuestion& question,
                                                 SymbolIndex symbol, std::size_t from,
                                                 std::size_t& room) const {
  const bool of_bars = question.kind == DataKind::kBars;
  const std::vector<Bar> all_bars = of_bars ? bars(symbol, question) : std::vector<Bar>{};
  const Positions* records = of_bars ? nullptr : &positions(question.kind, symbol);
  const std::size_t count = of_bars ? all_bars.size() : played(*records);
  const auto before = out.size();
  for (std::size_t i = from; i < count; ++i) {
    const std::size_t n = question.descending ? count - 1 - i : i;
    const std::optional<SessionRecord> record =
        of_bars ? std::nullopt : std::optional(nth(*records, n));
    if (!question.holds(of_bars ? market_.start_of(all_bars[n]) : stamp_of(*record))) {
      continue;
    }
    if (room == 0) {
      return i;
    }
    --room;
    if (out.size() != before) {
      out.push_back(',');
    }
    of_bars ? append_bar(out, all_bars[n]) : append_record(out, *record);
  }
  return std::nullopt;
}

ApiAnswer DataRest::history(const DataQuestion& question) {
  constexpr std::array<std::string_view, 3> kWords{"bars", "trades", "quotes"};
  ApiAnswer answer;
  std::string& out = answer.body;
  std::size_t room = question.limit;
  std::string token;
  bool comma = false;
  out.append(R"({")").append(kWords[static_cast<std::size_t>(question.kind)]);
  out.append(question.single ? R"(":[)" : R"(":{)");
  for (const std::string& name : question.names) {
    const auto symbol = market_.find(name, question.stocks);
    if (!symbol || !token.empty() || name < question.page_symbol) {
      continue;
    }
    std::string page;
    const auto next = append_page(page, question, *symbol,
                                  name == question.page_symbol ? question.page_from : 0, room);
    if (next) {
      token = name + '|' + std::to_string(*next);
    }
    if (question.single) {
      out += page;
    } else if (!page.empty()) {
      out.append(comma ? R"(,")" : R"(")").append(name).append(R"(":[)").append(page).append("]");
      comma = true;
    }
  }
  out.append(question.single ? R"(],"symbol":")" + question.names[0] + '"' : "}");
  out.append(token.empty() ? R"(,"next_page_token":null})"
                           : R"(,"next_page_token":")" + token + R"("})");
  return answer;
}

bool DataRest::append_latest(std::string& out, DataKind kind, SymbolIndex symbol) const {
  if (kind == DataKind::kBars) {
    const auto& minutes = market_.bars().minutes(symbol);
    if (minutes.empty() || !minutes.back().priced) {
      return false;
    }
    append_bar(out, minutes.back());
    return true;
  }
  const Positions& all = positions(kind, symbol);
  const std::size_t count = played(all);
  if (count == 0) {
    return false;
  }
  append_record(out, nth(all, count - 1));
  return true;
}

ApiAnswer DataRest::latest(const DataQuestion& question) {
  constexpr std::array<std::string_view, 3> kOne{"bar", "trade", "quote"};
  const std::string_view word = kOne[static_cast<std::size_t>(question.kind)];
  ApiAnswer answer;
  std::string& out = answer.body;
  if (question.single) {
    const auto symbol = market_.find(question.names[0], question.stocks);
    out.append(R"({"symbol":")" + question.names[0] + R"(",")").append(word).append(R"(":)");
    if (!symbol || !append_latest(out, question.kind, *symbol)) {
      return refuse_data(404, "no " + std::string(word) + " found for " + question.names[0]);
    }
    out.push_back('}');
    return answer;
  }
  out.append(R"({")").append(word).append(R"(s":{)");
  bool comma = false;
  for (const std::string& name : question.names) {
    const auto symbol = market_.find(name, question.stocks);
    std::string one;
    if (symbol && append_latest(one, question.kind, *symbol)) {
      out.append(comma ? R"(,")" : R"(")").append(name).append(R"(":)").append(one);
      comma = true;
    }
  }
  out.append("}}");
  return answer;
}

void DataRest::append_bar_or_null(std::string& out, const Bar* bar) const {
  if (bar != nullptr && bar->priced) {
    append_bar(out, *bar);
  } else {
    out.append("null");
  }
}

void DataRest::append_snapshot(std::string& out, SymbolIndex symbol) const {
  const auto& minutes = market_.bars().minutes(symbol);
  out.append(R"("latestTrade":)");
  if (!append_latest(out, DataKind::kTrades, symbol)) {
    out.append("null");
  }
  out.append(R"(,"latestQuote":)");
  if (!append_latest(out, DataKind::kQuotes, symbol)) {
    out.append("null");
  }
  out.append(R"(,"minuteBar":)");
  append_bar_or_null(out, minutes.empty() ? nullptr : &minutes.back());
  out.append(R"(,"dailyBar":)");
  append_bar_or_null(out, &market_.bars().day(symbol));
  out.append(R"(,"prevDailyBar":null})");
}

ApiAnswer DataRest::snapshots(const DataQuestion& question) {
  ApiAnswer answer;
  std::string& out = answer.body;
  if (question.single) {
    const auto symbol = market_.find(question.names[0], question.stocks);
    if (!symbol) {
      return refuse_data(404, "no snapshot found for " + question.names[0]);
    }
    out.append(R"({"symbol":")" + question.names[0] + R"(",)");
    append_snapshot(out, *symbol);
    return answer;
  }
  out.append(question.stocks ? "{" : R"({"snapshots":{)");
  bool comma = false;
  for (const std::string& name : question.names) {
    if (const auto symbol = market_.find(name, question.stocks)) {
      out.append(comma ? R"(,")" : R"(")").append(name).append(R"(":{)");
      append_snapshot(out, *symbol);
      comma = true;
    }
  }
  out.append(question.stocks ? "}" : "}}");
  return answer;
}

}  // namespace sluice::sim
