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
  CLI::App app("Plays a session through all stages and has three judges compare the books.",
               "sluice-demo");
  app.add_option("--input", options.input.name,
                 "crypto: the shipped recording; synthetic: made-up equities, shipped; equity: "
                 "recorded equities, read from --data")
      ->check(CLI::IsMember({"crypto", "synthetic", "equity"}))
      ->capture_default_str();
  app.add_option("--data", options.input.data,
                 "folder with recorded data, the one that holds lean/ (or SLUICE_DATA)")
      ->envname("SLUICE_DATA")
      ->type_name("DIR");
  app.add_option("--seconds", options.seconds,
                 "wind down after this many seconds (0: shortly before the session ends)")
      ->check(CLI::Range(0, 86'400));
  app.add_option("--quiet-within", options.quiet_within,
                 "seconds from the wind-down until flat and quiescent")
      ->check(CLI::Range(1, 3600));
  app.add_option("--speed", options.speed, "session seconds per second, or max");
  app.add_option("--session", options.input.session, "another session than the input's")
      ->type_name("FILE");
  app.add_option("--config", options.input.config,
                 "another template of the instance's configuration than the input's")
      ->type_name("FILE");
  app.add_option("--source", options.input.source, "the repository")->type_name("DIR");
  app.add_option("--root", options.root, "folder of the runs (the last three are kept)")
      ->type_name("DIR");
  app.add_option("--judge", options.judge, "the wire judge")->type_name("FILE");
  app.add_option("--fault", options.fault,
                 "a fault of the simulator, e.g. 'post lose-answer every=7'");
  app.add_option("--variant", options.variant,
                 "NAME=VALUE,…: what is not known of the venue (tools/venue_sim/README.md)");
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
  if (options.root.empty() || options.input.source.empty())
    throw Error(ExitCode::kUsage, "--root or --source is missing; run ./tools/demo, which sets it");
  if (options.judge.empty())
    options.judge = options.input.source + "/tools/judge/judge.py";
  if (options.input.data.empty())
    options.input.data = options.input.source + "/../shared/data";
  log_init("demo", LogLevel::kInfo);
  return demo::run_demo(options);
}

}  // namespace

int main(int argc, char** argv) {
  return sluice::run_main("sluice-demo", body, argc, argv);
}
