// Reads LEAN's tick files of US equities (../shared/data/MANIFEST.md, "lean/") into a session.
//
// DIR/tick/<symbol>/<date>_quote.zip and _trade.zip each hold one csv in the order of time:
//   quote  ms, bid px, bid size, ask px, ask size, exchange letter, condition, suspicious
//   trade  ms, px, size, exchange letter, condition bits in hex, suspicious
// ms counts from midnight in New York; prices are dollars x 10000; sizes are shares.
//
// What becomes of them:
//   * A quote row is one side of the national best quote, whatever its exchange letter; the other
//     side stays as it was. (A book per exchange with the best of all would be crossed 97 % of the
//     time: the rows are the best already.) LEAN writes an update of both sides as a bid row
//     followed at once by an ask row of the same millisecond: these two make one quote. A quote
//     that repeats the one before is left out. Its letter is that of the row that completed it.
//   * The quote in force at `from` opens the session, with that time.
//   * Trades have no side. Known condition bits become condition bits of the record. Prints with
//     another bit (cash, next day, late, derivatively priced, an exchange's official close …) are
//     left out and counted: their price is not the market's, and a resting order must not be filled
//     by them. Opening and closing prints stay whatever else they are.
//   * Rows marked suspicious are left out and counted.
//   * Stamps: exchange_ns = send_ns = the row's millisecond. The data has one stamp and no finer
//   one,
//     and none is invented: many records share one. At equal times quotes go before trades (over
//     the files of 2013-10-08 more prints then lie within the quote: 98.6 instead of 98.5 %), then
//     symbols in their order, then rows in the file's.
//   * id: the row's line number in its file, so a record can be looked up.
//   * previous_close: the last close before the date in DIR/daily/<symbol>.zip, 0 without that
//   file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/market/session.hpp"

namespace sluice::convert {

struct LeanOptions {
  std::string data;  // …/lean/equity/usa
  std::string date;  // YYYYMMDD
  std::vector<std::string> symbols;
  std::int64_t from_ms{0};  // since midnight in New York; from <= time < to
  std::int64_t to_ms{0};
  std::string attribution;
};

struct LeanSummary {
  std::uint64_t quote_rows{0};  // within the window, as all that follow
  std::uint64_t quotes{0};
  std::uint64_t repeated_quotes{0};  // left out
  std::uint64_t locked_quotes{0};
  std::uint64_t crossed_quotes{0};
  std::uint64_t one_sided_quotes{0};
  std::uint64_t trade_rows{0};
  std::uint64_t trades{0};
  std::uint64_t special_prints{0};   // left out
  std::uint64_t suspicious_rows{0};  // left out, of either file
};

// "09:30" or "09:30:15" as milliseconds since midnight; throws Error(kUsage) naming `option`.
[[nodiscard]] std::int64_t parse_time_of_day(const std::string& option, const std::string& text);

// One summary per symbol. Throws Error: kResource when a file is missing (a symbol without quotes
// is refused: a session needs both), kConfig naming file and line when a row is not as above,
// kUsage when a symbol's listing tape is not known here or the date is none.
[[nodiscard]] Session convert_lean(const LeanOptions& options, std::vector<LeanSummary>& summaries);

}  // namespace sluice::convert
