// What a demo plays and under which configuration: the shipped crypto recording, a synthetic equity
// session that ships too, or recorded equities that do not and are converted for the run.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tools/demo_run/run_folder.hpp"

namespace sluice::demo {

struct InputOptions {
  std::string name{"crypto"};  // crypto | synthetic | equity
  std::string source;          // the repository: where configurations and sessions stand
  std::string config;          // empty: the input's own
  std::string session;         // empty: the input's own
  std::string data;            // equity: the folder that holds lean/
};

struct Input {
  std::string config;   // template of the instance's configuration
  std::string session;  // empty until it was converted
  // Symbols of the template and what this session calls them.
  std::vector<std::pair<std::string, std::string>> symbols;
  std::string lean;  // folder of the recorded equities; empty: nothing to convert
};

// Throws Error{kUsage} for an unknown name and Error{kResource} when recorded data is not there,
// saying where it was looked for and what to give.
[[nodiscard]] Input find_input(const InputOptions& options);

// Converts when there is something to convert: `input.session` is then a file of the run's folder.
// Throws Error with the converter's exit code and its last line.
void convert_input(Input& input, const RunFolder& run);

}  // namespace sluice::demo
