// sluice-session-convert: makes session files, from recordings or from a seed, and tells what is in
// one. The sub-commands' rules stand in binance_spot.hpp, lean_equity.hpp and synthetic.hpp.
//
// `info` prints on stdout; everything else goes to stderr.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "common/base/error.hpp"
#include "common/base/time.hpp"
#include "tools/session_convert/binance_spot.hpp"
#include "tools/session_convert/info.hpp"
#include "tools/session_convert/lean_equity.hpp"
#include "tools/session_convert/synthetic.hpp"

namespace {

using namespace sluice;

[[noreturn]] void usage_error(const std::string& what) {
  throw Error(ExitCode::kUsage, what + "; see sluice-session-convert --help");
}

struct BinanceTexts {
  std::vector<std::string> inputs;
  std::string attribution;
  std::string output;
};

struct LeanTexts {
  convert::LeanOptions options;
  std::string from;
  std::string to;
  std::string output;
};

struct SyntheticTexts {
  convert::SyntheticOptions options;
  std::string asset_class{"equity"};
  std::string start{"2024-03-05T14:30:00Z"};  // the opening in New York
  std::string output;
};

struct InfoTexts {
  std::string path;
  bool json{false};
};

struct Texts {
  BinanceTexts binance;
  LeanTexts lean;
  SyntheticTexts synthetic;
  InfoTexts info;
};

convert::Input parse_input(const std::string& value) {
  const std::size_t colon = value.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == value.size()) {
    usage_error("--input \"" + value + "\" is not FILE:SYMBOL");
  }
  return {value.substr(0, colon), value.substr(colon + 1)};
}

void save(const std::string& path, const Session& session) {
  save_session(path, session);
  std::fputs(fmt::format("{}: {} records\n", path, session.records.size()).c_str(), stderr);
}

void run_binance(const BinanceTexts& texts) {
  std::vector<convert::Input> inputs;
  std::vector<SessionSymbol> symbols;
  for (const std::string& text : texts.inputs) {
    inputs.push_back(parse_input(text));
    const SessionSymbol* known = convert::known_symbol(inputs.back().symbol);
    if (known == nullptr) {
      usage_error("--input: symbol \"" + inputs.back().symbol +
                  "\" has no increments here; known are BTC/USD and ETH/USD");
    }
    symbols.push_back(*known);
  }
  std::vector<convert::Summary> summaries;
  const Session session =
      convert::convert_binance_spot(inputs, symbols, texts.attribution, summaries);
  for (std::size_t i = 0; i < summaries.size(); ++i) {
    const convert::Summary& s = summaries[i];
    std::fputs(
        fmt::format("{} from {}: {} lines\n  quotes {} (crossed {}), trades {}, depth diffs "
                    "{} (dropped as older than the snapshot {}) with {} levels, snapshot "
                    "levels {}\n  exchange stamps set to the send time {}\n",
                    inputs[i].symbol, inputs[i].path, s.lines, s.quotes, s.crossed_quotes, s.trades,
                    s.diffs, s.diffs_dropped, s.depth_levels, s.snapshot_levels, s.clamped_stamps)
            .c_str(),
        stderr);
  }
  save(texts.output, session);
}

void run_lean(LeanTexts& texts) {
  texts.options.from_ms = convert::parse_time_of_day("--from", texts.from);
  texts.options.to_ms = convert::parse_time_of_day("--to", texts.to);
  std::vector<convert::LeanSummary> summaries;
  const Session session = convert::convert_lean(texts.options, summaries);
  for (std::size_t i = 0; i < summaries.size(); ++i) {
    const convert::LeanSummary& s = summaries[i];
    std::fputs(
        fmt::format("{}: {} quotes of {} rows (repeats left out {}; locked {}, crossed {}, "
                    "one-sided {}), {} trades of {} rows (not at the market's price, left out {}), "
                    "suspicious rows left out {}\n",
                    texts.options.symbols[i], s.quotes, s.quote_rows, s.repeated_quotes,
                    s.locked_quotes, s.crossed_quotes, s.one_sided_quotes, s.trades, s.trade_rows,
                    s.special_prints, s.suspicious_rows)
            .c_str(),
        stderr);
  }
  save(texts.output, session);
}

void run_synthetic(SyntheticTexts& texts) {
  texts.options.asset_class =
      texts.asset_class == "equity" ? SessionAssetClass::kUsEquity : SessionAssetClass::kCrypto;
  if (!parse_rfc3339(texts.start, texts.options.start)) {
    usage_error("--start " + texts.start + ": no time like 2024-03-05T14:30:00Z");
  }
  save(texts.output, convert::make_synthetic(texts.options));
}

void run_info(const InfoTexts& texts) {
  const Session session = load_session(texts.path);
  const convert::SessionInfo info = convert::inspect(session);
  const std::string text =
      texts.json ? convert::describe_json(session, info) : convert::describe(session, info);
  std::fputs(text.c_str(), stdout);
}

CLI::App* declare_binance(CLI::App& app, BinanceTexts& texts) {
  CLI::App* const sub = app.add_subcommand("binance", "from raw Binance spot frames, gzip");
  sub->add_option("--input", texts.inputs,
                  "FILE:SYMBOL, the symbol as the session names it (BTC/USD or ETH/USD); repeat it")
      ->required();
  sub->add_option("--attribution", texts.attribution,
                  "where the data comes from and under which licence; stored in the session")
      ->required();
  sub->add_option("--output", texts.output, "the session file to write")->required();
  return sub;
}

CLI::App* declare_lean(CLI::App& app, LeanTexts& texts) {
  CLI::App* const sub = app.add_subcommand("lean", "from LEAN's tick files of US equities");
  sub->add_option("--data", texts.options.data, "the folder lean/equity/usa")->required();
  sub->add_option("--date", texts.options.date, "YYYYMMDD")->required();
  sub->add_option("--symbols", texts.options.symbols, "for example IBM,AIG,BAC")
      ->delimiter(',')
      ->required();
  sub->add_option("--from", texts.from, "HH:MM[:SS] in New York, for example 10:00")->required();
  sub->add_option("--to", texts.to, "the same; the session ends before it")->required();
  sub->add_option("--attribution", texts.options.attribution, "as of binance")->required();
  sub->add_option("--output", texts.output, "the session file to write")->required();
  return sub;
}

CLI::App* declare_synthetic(CLI::App& app, SyntheticTexts& texts) {
  CLI::App* const sub = app.add_subcommand("synthetic", "from a seed: the same bytes every time");
  convert::SyntheticOptions& options = texts.options;
  sub->add_option("--symbols", options.symbols, "1 to 4096")->required();
  sub->add_option("--seconds", options.seconds, "length, 1 to 86400")->required();
  sub->add_option("--rate", options.rate, "quotes and trades per symbol and second, 1 to 20000")
      ->required();
  sub->add_option("--seed", options.seed, "any number")->required();
  sub->add_option("--class", texts.asset_class, "equity or crypto")
      ->check(CLI::IsMember({"equity", "crypto"}))
      ->capture_default_str();
  sub->add_option("--start", texts.start, "RFC 3339")->capture_default_str();
  sub->add_flag("--opening-print", options.opening_print, "equities: each begins with one");
  sub->add_flag("--closing-print", options.closing_print, "equities: each ends with one");
  sub->add_option("--output", texts.output, "the session file to write")->required();
  return sub;
}

CLI::App* declare_info(CLI::App& app, InfoTexts& texts) {
  CLI::App* const sub = app.add_subcommand("info", "what is in a session");
  sub->add_option("FILE", texts.path, "a session file")->required();
  sub->add_flag("--json", texts.json, "one JSON object instead of a table");
  return sub;
}

int body(int argc, char** argv) {
  CLI::App app{"Makes session files for sluice-venue and tells what is in one."};
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("sluice-session-convert ") + SLUICE_VERSION);
  Texts texts;
  const CLI::App* const binance = declare_binance(app, texts.binance);
  const CLI::App* const lean = declare_lean(app, texts.lean);
  const CLI::App* const synthetic = declare_synthetic(app, texts.synthetic);
  declare_info(app, texts.info);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::kUsage);
  }
  if (binance->parsed()) {
    run_binance(texts.binance);
  } else if (lean->parsed()) {
    run_lean(texts.lean);
  } else if (synthetic->parsed()) {
    run_synthetic(texts.synthetic);
  } else {
    run_info(texts.info);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return sluice::run_main("sluice-session-convert", body, argc, argv);
}
