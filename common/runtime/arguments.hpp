// The command line every stage shares: [NAME] --config FILE --check-config --version --log-level L.
#pragma once

#include <optional>
#include <string>

#include "common/base/log.hpp"

namespace sluice {

struct StageArguments {
  std::string name;  // of the feed or strategy; empty for stages that exist once
  std::string config;
  bool check_config{false};
  bool drain_only{false};  // persistence only
  LogLevel log_level{LogLevel::kInfo};
};

struct StageUsage {
  const char* program;
  const char* description;
  const char* name_help{nullptr};  // null: this stage takes no name
  bool drain_only{false};          // offers --drain-only
};

// Empty when --help or --version was answered: exit 0. Throws Error{kUsage} naming the argument.
[[nodiscard]] std::optional<StageArguments> parse_stage_arguments(const StageUsage& usage, int argc,
                                                                  char** argv);

}  // namespace sluice
