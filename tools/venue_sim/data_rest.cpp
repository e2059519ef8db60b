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

ApiAnswer DataRest::handle(const ApiRequest& request, WallNanos now) {
  DataQuestion question;
  if (auto refusal = question.read(request)) {
    return *std::move(refusal);
  }
  if (basic_plan_ && question.stocks && question.feed == "sip") {
    return refuse_data(403, "subscription does not permit querying recent SIP data");
  }
  build_index();
  now_ = now;
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
    if (record.kind != SessionKind::kTrade && record.kind != SessionKind::kQuote) {
      continue;
    }
    const bool trade = record.kind == SessionKind::kTrade;
    (trade ? of_symbol.trades : of_symbol.quotes).push_back(static_cast<std::uint32_t>(i));
    if (market_.iex_recorded() && record.exchange == 'V') {
      (trade ? of_symbol.iex_trades : of_symbol.iex_quotes)
          .push_back(static_cast<std::uint32_t>(i));
    }
  }
}

// The basic plan's own data is the IEX's.
bool DataRest::of_iex(const DataQuestion& question) const {
  return question.stocks && market_.iex_recorded() &&
         (question.feed == "iex" || (basic_plan_ && question.feed.empty()));
}

const DataRest::Positions& DataRest::positions(DataKind kind, SymbolIndex symbol, bool iex) const {
  const Index& index = index_[symbol];
  if (kind == DataKind::kTrades) {
    return iex ? index.iex_trades : index.trades;
  }
  return iex ? index.iex_quotes : index.quotes;
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

Player::Past DataRest::nth(const Positions& positions, std::size_t n) const {
  return player_.past(n / positions.size() * session_.records.size() +
                      positions[n % positions.size()]);
}

// The day before has no trade whose stamp it could carry.
WallNanos DataRest::moment_of(const Bar& bar) const noexcept {
  if (bar.trades != 0) {
    return market_.start_of(bar);
  }
  const std::int64_t before = bar.start_ns - timeline_.first_send_ns();
  const WallNanos t0 = timeline_.started() ? timeline_.t0() : now_;
  return WallNanos{t0.ns + (timeline_.paced() ? timeline_.scaled(before) : before)};
}

std::vector<Bar> DataRest::bars(SymbolIndex symbol, const DataQuestion& question) const {
  const BarBuilder& built = market_.bars(of_iex(question));
  std::vector<Bar> merged;
  if (question.bar_ns == kDayBarNs) {
    if (const auto before = market_.previous_day(symbol)) {
      merged.push_back(*before);
    }
    if (built.day(symbol).priced) {
      merged.push_back(built.day(symbol));
    }
    return merged;
  }
  for (const Bar& bar : built.minutes(symbol)) {
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
void DataRest::append_record(std::string& out, const Player::Past& past) const {
  const SessionRecord& record = past.record;
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
    append_trade_values(out, print, tape, past.stamp);
  } else {
    const SessionQuote q = record.quote();
    append_quote_values(out, {q.bid_px, q.bid_qty, q.ask_px, q.ask_qty}, record.exchange, tape,
                        past.stamp);
  }
  out[at] = '{';
  out.push_back('}');
}

void DataRest::append_bar(std::string& out, const Bar& bar) const {
  const std::size_t at = out.size();
  append_bar_values(out, bar, moment_of(bar));
  out[at] = '{';
  out.push_back('}');
}

DataRest::PageFrom DataRest::append_bars(std::string& out, const DataQuestion& question,
                                         SymbolIndex symbol, PageFrom from,
                                         std::size_t& room) const {
  std::vector<Bar> all = bars(symbol, question);
  if (question.descending) {
    std::reverse(all.begin(), all.end());
  }
  for (const Bar& bar : all) {
    const bool told_before =
        from && (question.descending ? bar.start_ns > *from : bar.start_ns < *from);
    if (told_before || !question.holds(moment_of(bar))) {
      continue;
    }
    if (room == 0) {
      return bar.start_ns;
    }
    --room;
    if (!out.empty()) {
      out.push_back(',');
    }
    append_bar(out, bar);
  }
  return std::nullopt;
}

DataRest::PageFrom DataRest::append_records(std::string& out, const DataQuestion& question,
                                            SymbolIndex symbol, PageFrom from,
                                            std::size_t& room) const {
  const Positions& all = positions(question.kind, symbol, of_iex(question));
  const std::size_t count = played(all);
  const std::size_t last = count == 0 ? 0 : count - 1;
  std::size_t n = question.descending ? last : 0;
  if (from) {
    n = static_cast<std::size_t>(*from);
    n = question.descending ? std::min(n, last) : n;
  }
  for (; n < count; question.descending ? --n : ++n) {  // below zero is beyond the end, too
    const Player::Past past = nth(all, n);
    if (!question.holds(past.stamp)) {
      continue;
    }
    if (room == 0) {
      return static_cast<std::int64_t>(n);
    }
    --room;
    if (!out.empty()) {
      out.push_back(',');
    }
    append_record(out, past);
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
    const PageFrom from = name == question.page_symbol ? question.page_from : std::nullopt;
    const PageFrom next = question.kind == DataKind::kBars
                              ? append_bars(page, question, *symbol, from, room)
                              : append_records(page, question, *symbol, from, room);
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

bool DataRest::append_latest(std::string& out, DataKind kind, SymbolIndex symbol, bool iex) const {
  if (kind == DataKind::kBars) {
    const auto& minutes = market_.bars(iex).minutes(symbol);
    if (minutes.empty() || !minutes.back().priced) {
      return false;
    }
    append_bar(out, minutes.back());
    return true;
  }
  const Positions& all = positions(kind, symbol, iex);
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
    if (!symbol || !append_latest(out, question.kind, *symbol, of_iex(question))) {
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
    if (symbol && append_latest(one, question.kind, *symbol, of_iex(question))) {
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

void DataRest::append_snapshot(std::string& out, SymbolIndex symbol, bool iex) const {
  const auto& minutes = market_.bars(iex).minutes(symbol);
  out.append(R"("latestTrade":)");
  if (!append_latest(out, DataKind::kTrades, symbol, iex)) {
    out.append("null");
  }
  out.append(R"(,"latestQuote":)");
  if (!append_latest(out, DataKind::kQuotes, symbol, iex)) {
    out.append("null");
  }
  out.append(R"(,"minuteBar":)");
  append_bar_or_null(out, minutes.empty() ? nullptr : &minutes.back());
  out.append(R"(,"dailyBar":)");
  append_bar_or_null(out, &market_.bars(iex).day(symbol));
  out.append(R"(,"prevDailyBar":)");
  const std::optional<Bar> before = market_.previous_day(symbol);
  append_bar_or_null(out, before ? &*before : nullptr);
  out.push_back('}');
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
    append_snapshot(out, *symbol, of_iex(question));
    return answer;
  }
  out.append(question.stocks ? "{" : R"({"snapshots":{)");
  bool comma = false;
  for (const std::string& name : question.names) {
    if (const auto symbol = market_.find(name, question.stocks)) {
      out.append(comma ? R"(,")" : R"(")").append(name).append(R"(":{)");
      append_snapshot(out, *symbol, of_iex(question));
      comma = true;
    }
  }
  out.append(question.stocks ? "}" : "}}");
  return answer;
}

}  // namespace sluice::sim
