#include "tools/session_convert/lean_equity.hpp"

#include <date/tz.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <span>
#include <string_view>

#include "common/base/error.hpp"
#include "common/base/time.hpp"
#include "tools/session_convert/zip_text.hpp"

namespace sluice::convert {
namespace {

constexpr std::int64_t kTenthMil = kScale / 10'000;  // 0.0001: the unit of LEAN's prices
constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::size_t kQuoteFields = 8;
constexpr std::size_t kTradeFields = 6;

// LEAN's TradeConditionFlags and ours. Regular, and exempt from trade-through, say nothing bad.
struct Condition {
  std::uint32_t lean;
  std::uint8_t ours;
};
constexpr std::array<Condition, 7> kConditions{{{0x1, 0},
                                                {0x20, kSessionIntermarketSweep},
                                                {0x40, kSessionOpening},
                                                {0x80, kSessionClosing},
                                                {0x2000, kSessionExtendedHours},
                                                {0x2000'0000, kSessionTradeThroughExempt},
                                                {0x8000'0000, kSessionOddLot}}};

struct Listing {
  std::string_view symbol;
  char tape;
};
constexpr std::array<Listing, 7> kListings{{{"AAPL", 'C'},
                                            {"AIG", 'A'},
                                            {"BAC", 'A'},
                                            {"GOOG", 'C'},
                                            {"IBM", 'A'},
                                            {"SPY", 'B'},
                                            {"TWX", 'A'}}};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

// The rows of one csv: line by line, split at commas, with the place for messages.
class Rows {
 public:
  explicit Rows(std::string path) : path_(std::move(path)), text_(read_zip_text(path_)) {}

  // False at the end. `fields` point into the text.
  bool next(std::span<std::string_view> fields) {
    if (at_ >= text_.size()) {
      return false;
    }
    const std::size_t end = std::min(text_.find('\n', at_), text_.size());
    std::string_view row = std::string_view(text_).substr(at_, end - at_);
    at_ = end + 1;
    ++line_;
    if (!row.empty() && row.back() == '\r') {
      row.remove_suffix(1);
    }
    std::size_t count = 0;
    while (count < fields.size()) {
      const std::size_t comma = std::min(row.find(','), row.size());
      fields[count++] = row.substr(0, comma);
      if (comma == row.size()) {
        row = {};
        break;
      }
      row.remove_prefix(comma + 1);
      if (count == fields.size()) {
        fail("has more than " + std::to_string(count) + " fields");
      }
    }
    if (count != fields.size()) {
      fail("has " + std::to_string(count) + " fields, expected are " +
           std::to_string(fields.size()));
    }
    return true;
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ExitCode::kConfig, path_ + ": line " + std::to_string(line_) + " " + what +
                                       "; give LEAN's files as the data manifest lists them");
  }

  [[nodiscard]] std::int64_t number(std::string_view text, const char* name, std::int64_t max,
                                    int base = 10) const {
    std::int64_t value = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc{} || stop != text.data() + text.size() || value < 0 || value > max) {
      fail("has " + std::string(name) + " \"" + std::string(text) + "\", no whole number up to " +
           std::to_string(max));
    }
    return value;
  }
  [[nodiscard]] char letter(std::string_view text) const {
    if (text.size() != 1 || text[0] < 'A' || text[0] > 'Z') {
      fail("has the exchange \"" + std::string(text) + "\", expected is one letter");
    }
    return text[0];
  }
  [[nodiscard]] std::uint64_t line() const noexcept { return line_; }

 private:
  std::string path_;
  std::string text_;
  std::size_t at_{0};
  std::uint64_t line_{0};
};

constexpr std::int64_t kPriceMax = 9'000'000'000;  // 900,000 dollars
constexpr std::int64_t kSizeMax = 1'000'000'000;   // shares

struct QuoteRow {
  std::int64_t ms;
  SessionLevel bid;
  SessionLevel ask;
  char exchange;
  bool suspicious;
  std::uint64_t line;
  [[nodiscard]] bool has_bid() const noexcept { return bid.px.raw != 0; }
  [[nodiscard]] bool has_ask() const noexcept { return ask.px.raw != 0; }
};

SessionLevel level(const Rows& rows, std::string_view px, std::string_view size) {
  const SessionLevel out{Price{rows.number(px, "price", kPriceMax) * kTenthMil},
                         Qty{rows.number(size, "size", kSizeMax) * kScale}};
  // A price without a size, or the other way round, is no quote of that side.
  return out.px.raw == 0 || out.qty.raw == 0 ? SessionLevel{} : out;
}

bool next_quote(Rows& rows, QuoteRow& out) {
  std::array<std::string_view, kQuoteFields> f;
  if (!rows.next(f)) {
    return false;
  }
  out = {rows.number(f[0], "time", kDayMs),
         level(rows, f[1], f[2]),
         level(rows, f[3], f[4]),
         rows.letter(f[5]),
         rows.number(f[7], "suspicious", 1) != 0,
         rows.line()};
  return true;
}

class SymbolReader {
 public:
  SymbolReader(const LeanOptions& options, std::int64_t midnight_ns, std::uint16_t symbol,
               std::vector<SessionRecord>& records)
      : options_(options),
        folder_(options.data + "/tick/" + lower(options.symbols[symbol]) + "/" + options.date),
        midnight_ns_(midnight_ns),
        symbol_(symbol),
        records_(records) {}

  LeanSummary run() {
    const std::string quotes = folder_ + "_quote.zip";
    if (std::filesystem::exists(folder_ + "_trade.zip") && !std::filesystem::exists(quotes)) {
      throw Error(ExitCode::kResource,
                  quotes + ": is missing: " + options_.symbols[symbol_] + " has trades of " +
                      options_.date +
                      " but no quotes, and a session needs both; leave the symbol "
                      "out of --symbols");
    }
    read_quotes(quotes);
    read_trades(folder_ + "_trade.zip");
    return summary_;
  }

 private:
  SessionRecord blank(SessionKind kind, std::int64_t ms, char exchange, std::uint64_t line) const {
    SessionRecord record{};
    record.send_ns = midnight_ns_ + ms * kNanosPerMilli;
    record.exchange_ns = record.send_ns;
    record.symbol = symbol_;
    record.kind = kind;
    record.flags = kSessionLastOfEvent;
    record.exchange = exchange;
    record.id = line;
    return record;
  }

  void read_quotes(const std::string& path);
  void take(const QuoteRow& row) noexcept;
  void open_session();
  void emit(std::int64_t ms);
  void read_trades(const std::string& path);
  // False when the print's price is not the market's.
  static bool conditions_of(std::uint32_t lean, std::uint8_t& ours) noexcept;

  const LeanOptions& options_;
  std::string folder_;
  std::int64_t midnight_ns_;
  std::uint16_t symbol_;
  std::vector<SessionRecord>& records_;
  LeanSummary summary_;
  SessionQuote now_{};      // the running two-sided quote
  SessionQuote emitted_{};  // the last one recorded
  char exchange_{0};        // of the row that changed `now_` last
  std::uint64_t line_{0};
  bool opened_{false};
};

void SymbolReader::take(const QuoteRow& row) noexcept {
  if (row.has_bid()) {
    now_.bid_px = row.bid.px;
    now_.bid_qty = row.bid.qty;
  }
  if (row.has_ask()) {
    now_.ask_px = row.ask.px;
    now_.ask_qty = row.ask.qty;
  }
  exchange_ = row.exchange;
  line_ = row.line;
}

void SymbolReader::emit(std::int64_t ms) {
  const bool same = now_.bid_px == emitted_.bid_px && now_.bid_qty == emitted_.bid_qty &&
                    now_.ask_px == emitted_.ask_px && now_.ask_qty == emitted_.ask_qty;
  if (same) {
    ++summary_.repeated_quotes;
    return;
  }
  emitted_ = now_;
  SessionRecord record = blank(SessionKind::kQuote, ms, exchange_, line_);
  record.a = now_.bid_px.raw;
  record.b = now_.bid_qty.raw;
  record.c = now_.ask_px.raw;
  record.d = now_.ask_qty.raw;
  records_.push_back(record);
  const bool both = record.a != 0 && record.c != 0;
  ++summary_.quotes;
  summary_.one_sided_quotes += both ? 0 : 1;
  summary_.locked_quotes += both && record.a == record.c ? 1 : 0;
  summary_.crossed_quotes += both && record.a > record.c ? 1 : 0;
}

// The quote in force when the window begins.
void SymbolReader::open_session() {
  opened_ = true;
  if (line_ != 0) {
    emit(options_.from_ms);
  }
}

void SymbolReader::read_quotes(const std::string& path) {
  Rows rows(path);
  QuoteRow row{};
  QuoteRow next{};
  bool more = next_quote(rows, next);
  while (more) {
    row = next;
    more = next_quote(rows, next);
    if (more && next.ms < row.ms) {
      rows.fail("is before the line before it");
    }
    if (row.ms >= options_.to_ms) {
      break;
    }
    const bool inside = row.ms >= options_.from_ms;
    if (inside && !opened_) {
      open_session();
    }
    summary_.quote_rows += inside ? 1 : 0;
    if (row.suspicious) {
      summary_.suspicious_rows += inside ? 1 : 0;
      continue;
    }
    if (!row.has_bid() && !row.has_ask()) {
      continue;
    }
    take(row);
    const bool first_half = row.has_bid() && !row.has_ask() && more && next.ms == row.ms &&
                            next.has_ask() && !next.has_bid() && !next.suspicious;
    if (inside && !first_half) {
      emit(row.ms);
    }
  }
  if (!opened_) {
    open_session();
  }
  if (summary_.quotes == 0) {
    throw Error(ExitCode::kConfig, path + ": no quote before --to; choose a later window");
  }
}

bool SymbolReader::conditions_of(std::uint32_t lean, std::uint8_t& ours) noexcept {
  ours = 0;
  for (const Condition& condition : kConditions) {
    if ((lean & condition.lean) != 0) {
      ours = static_cast<std::uint8_t>(ours | condition.ours);
      lean &= ~condition.lean;
    }
  }
  return lean == 0 || (ours & (kSessionOpening | kSessionClosing)) != 0;
}

void SymbolReader::read_trades(const std::string& path) {
  Rows rows(path);
  std::array<std::string_view, kTradeFields> f;
  std::int64_t before = 0;
  while (rows.next(f)) {
    const std::int64_t ms = rows.number(f[0], "time", kDayMs);
    if (ms < before) {
      rows.fail("is before the line before it");
    }
    before = ms;
    if (ms < options_.from_ms || ms >= options_.to_ms) {
      continue;
    }
    ++summary_.trade_rows;
    if (rows.number(f[5], "suspicious", 1) != 0) {
      ++summary_.suspicious_rows;
      continue;
    }
    SessionRecord record = blank(SessionKind::kTrade, ms, rows.letter(f[3]), rows.line());
    const auto bits = static_cast<std::uint32_t>(rows.number(f[4], "conditions", UINT32_MAX, 16));
    if (!conditions_of(bits, record.conditions)) {
      ++summary_.special_prints;
      continue;
    }
    const SessionLevel print = level(rows, f[1], f[2]);
    if (print.px.raw == 0) {
      rows.fail("is a trade without a price or a size");
    }
    record.a = print.px.raw;
    record.b = print.qty.raw;
    records_.push_back(record);
    ++summary_.trades;
  }
}

date::year_month_day parse_date(const std::string& text) {
  int number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const date::year_month_day out{date::year{number / 10'000},
                                 date::month{static_cast<unsigned>(number / 100 % 100)},
                                 date::day{static_cast<unsigned>(number % 100)}};
  if (text.size() != 8 || error != std::errc{} || stop != text.data() + text.size() || !out.ok() ||
      out.year() < date::year{1990} || out.year() > date::year{2099}) {
    throw Error(ExitCode::kUsage, "--date " + text + ": no day as YYYYMMDD, for example 20131008");
  }
  return out;
}

// Midnight in New York as UTC, by the offset of the day's noon: the clocks change at night on
// Sundays, when no exchange is open.
std::int64_t midnight_ns(const date::year_month_day& day) {
  try {
    const date::local_days local{day};
    const auto* const zone = date::locate_zone("America/New_York");
    const auto noon = zone->to_sys(local + std::chrono::hours(12)) - std::chrono::hours(12);
    return std::chrono::nanoseconds(noon.time_since_epoch()).count();
  } catch (const std::exception& failure) {
    throw Error(ExitCode::kResource, std::string("time zone America/New_York: ") + failure.what() +
                                         "; install the package tzdata");
  }
}

// Rows are "YYYYMMDD 00:00,open,high,low,close,volume" in the order of days.
Price previous_close(const LeanOptions& options, const std::string& symbol) {
  const std::string path = options.data + "/daily/" + lower(symbol) + ".zip";
  if (!std::filesystem::exists(path)) {
    return Price{};
  }
  Rows rows(path);
  std::array<std::string_view, 6> f;
  Price close{};
  while (rows.next(f) && f[0].substr(0, 8) < options.date) {
    close = Price{rows.number(f[4], "close", kPriceMax) * kTenthMil};
  }
  return close;
}

SessionSymbol listed(const LeanOptions& options, const std::string& symbol) {
  const auto* const listing = std::find_if(kListings.begin(), kListings.end(),
                                           [&](const Listing& l) { return l.symbol == symbol; });
  if (listing == kListings.end()) {
    throw Error(ExitCode::kUsage,
                "--symbols: the tape of \"" + symbol +
                    "\" is not known; known are AAPL, AIG, BAC, GOOG, IBM, SPY, TWX (capital "
                    "letters; add a row to kListings in tools/session_convert/lean_equity.cpp)");
  }
  return {.symbol = symbol,
          .price_increment = Price{kScale / 100},
          .qty_increment = Qty{kScale},
          .min_order_qty = Qty{kScale},
          .previous_close = previous_close(options, symbol),
          .asset_class = SessionAssetClass::kUsEquity,
          .tape = listing->tape,
          .flags =
              kSessionShortable | kSessionFractionable | kSessionEasyToBorrow | kSessionMarginable};
}

}  // namespace

std::int64_t parse_time_of_day(const std::string& option, const std::string& text) {
  const auto two = [&](std::size_t at, int below) {
    int value = -1;
    const bool there = at + 2 <= text.size();
    if (there) {
      const auto [stop, error] = std::from_chars(text.data() + at, text.data() + at + 2, value);
      value = error == std::errc{} && stop == text.data() + at + 2 ? value : -1;
    }
    if (value < 0 || value >= below || (at > 0 && text[at - 1] != ':')) {
      throw Error(ExitCode::kUsage,
                  option + " " + text + ": no time of day as HH:MM or HH:MM:SS (New York)");
    }
    return std::int64_t{value};
  };
  const std::int64_t seconds = text.size() == 5 ? 0 : two(6, 60);
  if (text.size() > 8) {
    static_cast<void>(two(text.size(), 0));
  }
  return ((two(0, 24) * 60 + two(3, 60)) * 60 + seconds) * 1'000;
}

Session convert_lean(const LeanOptions& options, std::vector<LeanSummary>& summaries) {
  if (options.from_ms >= options.to_ms) {
    throw Error(ExitCode::kUsage, "--from must be before --to");
  }
  const std::int64_t midnight = midnight_ns(parse_date(options.date));
  Session session;
  session.attribution = options.attribution;
  for (const std::string& symbol : options.symbols) {
    session.symbols.push_back(listed(options, symbol));
  }
  for (std::size_t i = 0; i < options.symbols.size(); ++i) {
    summaries.push_back(
        SymbolReader(options, midnight, static_cast<std::uint16_t>(i), session.records).run());
  }
  // Stable: within a symbol and a kind the file's order stays.
  std::stable_sort(session.records.begin(), session.records.end(),
                   [](const SessionRecord& x, const SessionRecord& y) {
                     return x.send_ns != y.send_ns ? x.send_ns < y.send_ns : x.kind < y.kind;
                   });
  return session;
}

}  // namespace sluice::convert
