// sluicectl: lays out, starts, stops, looks at and kills one instance.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <vector>

#include "common/base/error.hpp"
#include "common/base/log.hpp"
#include "common/runtime/config.hpp"
#include "common/runtime/version.hpp"
#include "tools/sluicectl/commands.hpp"

namespace {

using namespace sluice;

// One sub-command: its options stand beside what they do.
struct CommandLine {
  std::string config_path;
  std::string level = "info";
  bool force = false;
  bool json = false;
  UpOptions up;
  KillOptions kill;
  std::string strategy;
  std::string symbol;
  std::int64_t hang_ms = 5000;
  std::int64_t wait_s = 0;
};

CLI::App* command(CLI::App& parent, CommandLine& line, const char* name, const char* description) {
  CLI::App* sub = parent.add_subcommand(name, description);
  sub->add_option("--config", line.config_path, "the instance's TOML file")
      ->required()
      ->type_name("FILE");
  sub->add_option("--log-level", line.level, "debug, info, warn or error")->type_name("LEVEL");
  return sub;
}

int body(int argc, char** argv) {
  CommandLine line;
  CLI::App app("Lays out, starts, stops, looks at and kills one instance of Sluice.", "sluicectl");
  app.set_version_flag("--version", version_text());
  app.require_subcommand(1);

  CLI::App* shm = app.add_subcommand("shm", "the shared memory segments");
  shm->require_subcommand(1);
  CLI::App* create = command(*shm, line, "create", "create all segments of the configuration");
  CLI::App* destroy = command(*shm, line, "destroy", "remove all segments");
  for (CLI::App* sub : {create, destroy}) {
    sub->add_flag("--force", line.force, "even when records are undrained; says what is lost");
  }
  CLI::App* up_command =
      command(app, line, "up", "create the segments and run all stages (development)");
  up_command->add_flag("--restart", line.up.restart,
                       "start dead and hung stages again, 5 times each");
  up_command->add_flag("--keep", line.up.keep, "leave the segments when everything has stopped");
  up_command->add_option("--logs", line.up.logs_dir, "one log file per stage in this folder")
      ->type_name("DIR");
  up_command->add_option("--hang-ms", line.hang_ms, "a heartbeat older than this is a hang")
      ->check(CLI::Range(100, 600'000));
  up_command
      ->add_option("--wait", line.wait_s, "seconds to wait for another `up` of this name to end")
      ->check(CLI::Range(0, 600));
  CLI::App* down_command = command(app, line, "down", "stop all stages, producers first");
  CLI::App* status_command = command(app, line, "status", "stages, account, positions, rings");
  status_command->add_flag("--json", line.json, "as JSON on stdout");
  CLI::App* kill_command =
      command(app, line, "kill", "trip the kill switch: no new orders, cancel what works");
  kill_command->add_flag("--cancel-all", line.kill.cancel_all,
                         "cancel protective and reducing orders, too");
  kill_command->add_flag("--all", line.kill.all_orders,
                         "if the gateway does not answer: cancel also orders that are not ours");
  kill_command->add_option("--reason", line.kill.reason, "kept in the log");
  CLI::App* resume_command = command(app, line, "resume", "clear the operator's kill word");
  CLI::App* accept_command =
      command(app, line, "accept", "accept the venue's position of an instrument into `external`");
  accept_command
      ->add_option("--symbol", line.symbol, "the instrument, as the configuration names it")
      ->required();
  CLI::App* wind_down_command = command(app, line, "wind-down", "tell strategies to end flat");
  wind_down_command->add_option("--strategy", line.strategy, "only this one");

  const auto named = [&](const CLI::App* sub) { return argc > 1 && sub->get_name() == argv[1]; };
  const std::vector<CLI::App*> commands = app.get_subcommands({});
  if (argc > 1 && argv[1][0] != '-' && std::none_of(commands.begin(), commands.end(), named)) {
    throw Error(ExitCode::kUsage,
                std::string("no command '") + argv[1] + "'; see sluicectl --help");
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return 0;
  } catch (const CLI::CallForVersion&) {
    std::printf("%s\n", version_text().c_str());
    return 0;
  } catch (const CLI::ParseError& error) {
    throw Error(ExitCode::kUsage, std::string(error.what()) + "; see sluicectl --help");
  }
  LogLevel level{};
  if (!parse_log_level(line.level, level)) {
    throw Error(ExitCode::kUsage,
                "--log-level '" + line.level + "': use debug, info, warn or error");
  }
  log_init("sluicectl", level);
  line.up.hang_timeout_ns = line.hang_ms * 1'000'000;
  line.up.wait_ns = line.wait_s * 1'000'000'000;
  const InstanceConfig config = load_instance_config(line.config_path);
  if (create->parsed())
    return shm_create(config, line.force);
  if (destroy->parsed())
    return shm_destroy(config, line.force);
  if (up_command->parsed())
    return up(config, line.up);
  if (down_command->parsed())
    return down(config);
  if (status_command->parsed())
    return status(config, line.json);
  if (kill_command->parsed())
    return kill_switch(config, line.kill);
  if (resume_command->parsed())
    return resume(config);
  if (accept_command->parsed())
    return accept_position(config, line.symbol);
  if (wind_down_command->parsed())
    return wind_down(config, line.strategy);
  throw Error(ExitCode::kUsage, "no command; see sluicectl --help");
}

}  // namespace

int main(int argc, char** argv) {
  return run_main("sluicectl", body, argc, argv);
}
