#include "tools/session_convert/info.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/base/time.hpp"

namespace sluice::convert {
namespace {

constexpr auto kQuote = static_cast<std::size_t>(SessionKind::kQuote);
constexpr auto kTrade = static_cast<std::size_t>(SessionKind::kTrade);
constexpr auto kDepth = static_cast<std::size_t>(SessionKind::kDepth);
constexpr auto kStatus = static_cast<std::size_t>(SessionKind::kStatus);
constexpr std::size_t kRowsShown = 40;

void count(SymbolInfo& info, const SessionRecord& record) {
  ++info.by_kind[static_cast<std::size_t>(record.kind)];
  if (record.kind == SessionKind::kQuote) {
    const bool both = record.a != 0 && record.c != 0;
    info.one_sided_quotes += both ? 0 : 1;
    info.locked_quotes += both && record.a == record.c ? 1 : 0;
    info.crossed_quotes += both && record.a > record.c ? 1 : 0;
  } else if (record.kind == SessionKind::kTrade) {
    info.low_px = info.low_px == 0 ? record.a : std::min(info.low_px, record.a);
    info.high_px = std::max(info.high_px, record.a);
  } else if (record.kind == SessionKind::kStatus) {
    const SessionStatus status = record.status();
    const bool stops = status == SessionStatus::kHalt || status == SessionStatus::kVolatilityPause;
    info.halts += stops ? 1 : 0;
  }
}

const char* class_name(const SessionSymbol& symbol) {
  return symbol.asset_class == SessionAssetClass::kUsEquity ? "equity" : "crypto";
}

std::uint64_t total(const SessionInfo& info, std::size_t kind) {
  std::uint64_t sum = 0;
  for (const SymbolInfo& symbol : info.symbols) {
    sum += symbol.by_kind[kind];
  }
  return sum;
}

// Records per second over the whole session, rounded down.
std::int64_t mean_rate(const Session& session) {
  const std::int64_t length = session.last_send_ns() - session.first_send_ns();
  std::int64_t rate = 0;
  const auto records = static_cast<std::int64_t>(session.records.size());
  return length > 0 && mul_div_half_even(records, kNanosPerSecond, length, rate) ? rate : records;
}

}  // namespace

SessionInfo inspect(const Session& session) {
  SessionInfo info;
  info.symbols.resize(session.symbols.size());
  std::int64_t second = 0;
  std::uint64_t in_second = 0;
  for (const SessionRecord& record : session.records) {
    count(info.symbols[record.symbol], record);
    const std::int64_t now = (record.send_ns - session.first_send_ns()) / kNanosPerSecond;
    in_second = now == second ? in_second + 1 : 1;
    second = now;
    info.busiest_second = std::max(info.busiest_second, in_second);
  }
  return info;
}

std::string describe(const Session& session, const SessionInfo& info) {
  const std::int64_t length = session.last_send_ns() - session.first_send_ns();
  std::string out = fmt::format(
      "{} symbols, {} records: {} quotes, {} trades, {} depth, {} status\n"
      "from {} to {}, {}.{:03} s\n"
      "{} records/s on average, {} in the busiest second\n{}\n\n",
      session.symbols.size(), session.records.size(), total(info, kQuote), total(info, kTrade),
      total(info, kDepth), total(info, kStatus), to_string(WallNanos{session.first_send_ns()}),
      to_string(WallNanos{session.last_send_ns()}), length / kNanosPerSecond,
      length / kNanosPerMilli % 1'000, mean_rate(session), info.busiest_second,
      session.attribution);
  out += fmt::format(
      "{:<12} {:<6} {:>4} {:>8} {:>9} {:>9} {:>9} {:>6} {:>7} {:>7} {:>9} {:>10} {:>10}\n",
      "symbol", "class", "tape", "tick", "quotes", "trades", "depth", "locked", "crossed", "halts",
      "one-sided", "low", "high");
  const std::size_t shown = std::min(kRowsShown, session.symbols.size());
  for (std::size_t i = 0; i < shown; ++i) {
    const SessionSymbol& symbol = session.symbols[i];
    const SymbolInfo& n = info.symbols[i];
    out += fmt::format(
        "{:<12} {:<6} {:>4} {:>8} {:>9} {:>9} {:>9} {:>6} {:>7} {:>7} {:>9} {:>10} {:>10}\n",
        symbol.symbol, class_name(symbol), symbol.tape == 0 ? '-' : symbol.tape,
        to_string(symbol.price_increment), n.by_kind[kQuote], n.by_kind[kTrade], n.by_kind[kDepth],
        n.locked_quotes, n.crossed_quotes, n.halts, n.one_sided_quotes, to_string(Price{n.low_px}),
        to_string(Price{n.high_px}));
  }
  if (shown < session.symbols.size()) {
    out += fmt::format("and {} more; --json tells of all\n", session.symbols.size() - shown);
  }
  return out;
}

std::string describe_json(const Session& session, const SessionInfo& info) {
  nlohmann::json symbols = nlohmann::json::array();
  for (std::size_t i = 0; i < session.symbols.size(); ++i) {
    const SessionSymbol& symbol = session.symbols[i];
    const SymbolInfo& n = info.symbols[i];
    symbols.push_back({{"symbol", symbol.symbol},
                       {"class", class_name(symbol)},
                       {"tape", symbol.tape == 0 ? "" : std::string(1, symbol.tape)},
                       {"price_increment", to_string(symbol.price_increment)},
                       {"qty_increment", to_string(symbol.qty_increment)},
                       {"min_order_qty", to_string(symbol.min_order_qty)},
                       {"previous_close", to_string(symbol.previous_close)},
                       {"shortable", (symbol.flags & kSessionShortable) != 0},
                       {"fractionable", (symbol.flags & kSessionFractionable) != 0},
                       {"easy_to_borrow", (symbol.flags & kSessionEasyToBorrow) != 0},
                       {"marginable", (symbol.flags & kSessionMarginable) != 0},
                       {"quotes", n.by_kind[kQuote]},
                       {"trades", n.by_kind[kTrade]},
                       {"depth", n.by_kind[kDepth]},
                       {"status", n.by_kind[kStatus]},
                       {"locked_quotes", n.locked_quotes},
                       {"crossed_quotes", n.crossed_quotes},
                       {"one_sided_quotes", n.one_sided_quotes},
                       {"halts", n.halts},
                       {"low_px", to_string(Price{n.low_px})},
                       {"high_px", to_string(Price{n.high_px})}});
  }
  const nlohmann::json root{
      {"records", session.records.size()},      {"quotes", total(info, kQuote)},
      {"trades", total(info, kTrade)},          {"depth", total(info, kDepth)},
      {"status", total(info, kStatus)},         {"first_send_ns", session.first_send_ns()},
      {"last_send_ns", session.last_send_ns()}, {"records_per_second", mean_rate(session)},
      {"busiest_second", info.busiest_second},  {"attribution", session.attribution},
      {"symbols", std::move(symbols)}};
  // An attribution that is no UTF-8 must not keep the rest from being told.
  return root.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace sluice::convert
