// sluice-demo: the whole pipeline against the simulator, judged. `./tools/demo` builds and calls
// it.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "common/base/error.hpp"
#include "common/base/log.hpp"
#include "common/runtime/version.hpp"
#include "tools/demo_run/demo.hpp"

namespace {

using namespace sluice;

int body(int argc, char** argv) {
  demo::DemoOptions options;
  bool version = false;
  CLI::App app(
      "Plays a recorded session through all stages and has three judges compare the books.",
      "sluice-demo");
  app.add_option("--seconds", options.seconds,
                 "wind down after this many seconds (0: after the session)")
      ->check(CLI::Range(0, 86'400));
  app.add_option("--quiet-within", options.quiet_within,
                 "seconds from the wind-down until flat and quiescent")
      ->check(CLI::Range(1, 3600));
  app.add_option("--speed", options.speed, "session seconds per second, or max");
  app.add_option("--session", options.session, "the recorded session")->type_name("FILE");
  app.add_option("--config", options.config, "template of the instance's configuration")
      ->type_name("FILE");
  app.add_option("--root", options.root, "folder of the runs (the last three are kept)")
      ->type_name("DIR");
  app.add_option("--judge", options.judge, "the wire judge")->type_name("FILE");
  app.add_option("--fault", options.fault, "a fault of the simulator, e.g. cut-after-accept:7");
  app.add_flag("--json", options.json, "the report as JSON on stdout");
  app.add_flag("!--any-activity", options.require_activity,
               "do not ask for fills, partial fills and cancels (short runs)");
  app.add_flag("--version", version, "print the version and exit");
  // tools/demo sets defaults in front of what the user gives: the last one holds.
  for (CLI::Option* option : app.get_options()) {
    option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return 0;
  } catch (const CLI::ParseError& error) {
    throw Error(ExitCode::kUsage, std::string(error.what()) + "; see tools/demo --help");
  }
  if (version) {
    std::printf("%s\n", version_text().c_str());
    return 0;
  }
  for (const auto& [name, value] : {std::pair{"--session", &options.session},
                                    {"--config", &options.config},
                                    {"--root", &options.root},
                                    {"--judge", &options.judge}}) {
    if (value->empty()) {
      throw Error(ExitCode::kUsage,
                  std::string(name) + " is missing; run ./tools/demo, which sets it");
    }
  }
  log_init("demo", LogLevel::kInfo);
  return demo::run_demo(options);
}

}  // namespace

int main(int argc, char** argv) {
  return sluice::run_main("sluice-demo", body, argc, argv);
}
