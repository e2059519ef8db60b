#include "tools/demo_run/input.hpp"

#include <filesystem>
#include <fstream>

#include "common/base/error.hpp"
#include "common/runtime/process.hpp"

namespace sluice::demo {
namespace {

// The opening of an ordinary Tuesday, half a minute in: the busiest six minutes that have no print
// of the opening auction.
constexpr const char* kLeanDate = "20131008";
constexpr const char* kLeanFrom = "09:30:30";
constexpr const char* kLeanTo = "09:36:30";
constexpr const char* kLeanSymbols = "IBM,AIG,BAC";
constexpr const char* kLeanAttribution =
    "LEAN sample data (QuantConnect, recorded by AlgoSeek); not for redistribution";

std::string last_line(const std::string& path) {
  std::ifstream in(path);
  std::string last;
  for (std::string line; std::getline(in, line);)
    last = line;
  return last;
}

}  // namespace

Input find_input(const InputOptions& options) {
  const std::string config = options.source + "/config/";
  Input input;
  if (options.name == "crypto") {
    input.config = config + "demo.toml";
    input.session = config + "sessions/crypto-20240808.session";
  } else if (options.name == "synthetic") {
    input.config = config + "demo-equity.toml";
    input.session = config + "sessions/synthetic-equity.session";
    input.symbols = {{"IBM", "SYNA"}, {"AIG", "SYND"}, {"BAC", "SYNE"}};
  } else if (options.name == "equity") {
    input.config = config + "demo-equity.toml";
    input.lean = options.data + "/lean/equity/usa";
  } else {
    throw Error(ExitCode::kUsage,
                "--input '" + options.name + "' is none of crypto, synthetic, equity");
  }
  if (!options.config.empty())
    input.config = options.config;
  if (!options.session.empty()) {
    input.session = options.session;
    input.lean.clear();
  }
  if (!input.lean.empty() && !std::filesystem::is_directory(input.lean)) {
    throw Error(ExitCode::kResource,
                "no recorded equities in " + input.lean +
                    "; give --data DIR or set SLUICE_DATA to the folder that holds lean/, or take "
                    "--input synthetic, which needs none");
  }
  return input;
}

void convert_input(Input& input, const RunFolder& run) {
  if (input.lean.empty())
    return;
  input.session = run.path + "/equity.session";
  const std::string log = run.logs + "/convert.log";
  Child converter = Child::start(
      binary_path("sluice-session-convert"),
      {"lean", "--data", input.lean, "--date", kLeanDate, "--symbols", kLeanSymbols, "--from",
       kLeanFrom, "--to", kLeanTo, "--attribution", kLeanAttribution, "--output", input.session},
      log);
  converter.reap(-1);
  if (!converter.status().ok()) {
    throw Error(
        converter.status().exited ? static_cast<ExitCode>(converter.status().code) : ExitCode::kBug,
        "the recorded equities could not be converted (" + converter.status().text() +
            "): " + last_line(log));
  }
}

}  // namespace sluice::demo
