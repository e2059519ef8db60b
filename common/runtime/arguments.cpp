#include "common/runtime/arguments.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "common/base/error.hpp"
#include "common/runtime/version.hpp"

namespace sluice {

std::optional<StageArguments> parse_stage_arguments(const StageUsage& usage, int argc,
                                                    char** argv) {
  StageArguments arguments;
  std::string level = "info";
  bool version = false;
  CLI::App app(usage.description, usage.program);
  CLI::Option* name = nullptr;
  if (usage.name_help != nullptr)
    name = app.add_option("name", arguments.name, usage.name_help);
  app.add_option("--config", arguments.config, "the instance's TOML file")->type_name("FILE");
  app.add_flag("--check-config", arguments.check_config,
               "read and check the configuration, then exit");
  app.add_flag("--version", version, "print the version and exit");
  app.add_option("--log-level", level, "debug, info, warn or error")->type_name("LEVEL");
  if (usage.drain_only) {
    app.add_flag("--drain-only", arguments.drain_only,
                 "journal what the rings of a dead run still hold, then exit");
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    throw Error(ExitCode::kUsage, std::string(error.what()) + "; see " + usage.program + " --help");
  }
  if (version) {
    std::printf("%s\n", version_text().c_str());
    return std::nullopt;
  }
  if (!parse_log_level(level, arguments.log_level)) {
    throw Error(ExitCode::kUsage, "--log-level '" + level + "': use debug, info, warn or error");
  }
  if (arguments.config.empty()) {
    throw Error(ExitCode::kUsage,
                std::string("--config FILE is missing; see ") + usage.program + " --help");
  }
  if (name != nullptr && arguments.name.empty()) {
    throw Error(ExitCode::kUsage, std::string("the name is missing: ") + usage.name_help +
                                      "; see " + usage.program + " --help");
  }
  return arguments;
}

}  // namespace sluice
