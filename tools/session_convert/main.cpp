// sluice-session-convert: makes a session file from recorded market data. See binance_spot.hpp.
#include <cstdio>
#include <string>
#include <vector>

#include "common/base/error.hpp"
#include "common/base/time.hpp"
#include "tools/session_convert/binance_spot.hpp"

namespace {

using namespace sluice;

constexpr const char* kUsage =
    "usage: sluice-session-convert --input FILE:SYMBOL [--input ...] --attribution TEXT --output "
    "FILE\n"
    "  --input        a gzip file of raw Binance spot frames, and the symbol the session gives it\n"
    "                 (BTC/USD or ETH/USD); repeat it for more symbols\n"
    "  --attribution  where the data comes from and under which licence; stored in the session\n"
    "  --output       the session file to write\n";

[[noreturn]] void usage_error(const std::string& what) {
  throw Error(ExitCode::kUsage, what + "; see sluice-session-convert --help");
}

struct Arguments {
  std::vector<convert::Input> inputs;
  std::string attribution;
  std::string output;
  bool help{false};
};

convert::Input parse_input(const std::string& value) {
  const std::size_t colon = value.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == value.size()) {
    usage_error("--input \"" + value + "\" is not FILE:SYMBOL");
  }
  return {value.substr(0, colon), value.substr(colon + 1)};
}

Arguments parse_arguments(int argc, char** argv) {
  Arguments out;
  for (int i = 1; i < argc; ++i) {
    const std::string key = argv[i];
    if (key == "--help" || key == "-h") {
      out.help = true;
      return out;
    }
    if (key != "--input" && key != "--attribution" && key != "--output") {
      usage_error("unknown argument \"" + key + "\"");
    }
    if (++i == argc) {
      usage_error(key + " needs a value");
    }
    if (key == "--input") {
      out.inputs.push_back(parse_input(argv[i]));
    } else {
      (key == "--output" ? out.output : out.attribution) = argv[i];
    }
  }
  if (out.inputs.empty() || out.attribution.empty() || out.output.empty()) {
    usage_error("--input, --attribution and --output are all needed");
  }
  return out;
}

std::string rfc3339(std::int64_t ns) {
  char text[32];
  return {text, format_rfc3339(WallNanos{ns}, text)};
}

void print_summary(const convert::Input& input, const convert::Summary& s) {
  const auto u = [](std::uint64_t n) { return std::to_string(n); };
  const std::string text =
      input.symbol + " from " + input.path + ": " + u(s.lines) + " lines\n  quotes " + u(s.quotes) +
      " (crossed " + u(s.crossed_quotes) + "), trades " + u(s.trades) + ", depth diffs " +
      u(s.diffs) + " (dropped as older than the snapshot " + u(s.diffs_dropped) + ") with " +
      u(s.depth_levels) + " levels, snapshot levels " + u(s.snapshot_levels) +
      "\n  exchange stamps set to the send time " + u(s.clamped_stamps) + "\n  first " +
      rfc3339(s.first_send_ns) + "\n  last  " + rfc3339(s.last_send_ns) + "\n";
  std::fputs(text.c_str(), stderr);
}

int body(int argc, char** argv) {
  const Arguments arguments = parse_arguments(argc, argv);
  if (arguments.help) {
    std::fputs(kUsage, stderr);
    return 0;
  }
  std::vector<SessionSymbol> symbols;
  for (const convert::Input& input : arguments.inputs) {
    const SessionSymbol* known = convert::known_symbol(input.symbol);
    if (known == nullptr) {
      usage_error("--input: symbol \"" + input.symbol +
                  "\" has no increments here; known are BTC/USD and ETH/USD");
    }
    symbols.push_back(*known);
  }
  std::vector<convert::Summary> summaries;
  const Session session =
      convert::convert_binance_spot(arguments.inputs, symbols, arguments.attribution, summaries);
  save_session(arguments.output, session);
  for (std::size_t i = 0; i < summaries.size(); ++i) {
    print_summary(arguments.inputs[i], summaries[i]);
  }
  std::fprintf(stderr, "%s: %zu records\n", arguments.output.c_str(), session.records.size());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return sluice::run_main("sluice-session-convert", body, argc, argv);
}
