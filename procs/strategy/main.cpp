// sluice-strategy NAME: runs one strategy of the instance.
#include <cstdio>

#include "common/base/error.hpp"
#include "common/base/log.hpp"
#include "common/runtime/arguments.hpp"
#include "common/runtime/metrics.hpp"
#include "common/runtime/stage.hpp"
#include "procs/strategy/strategy_app.hpp"

namespace {

int body(int argc, char** argv) {
  using namespace sluice;
  const auto arguments = parse_stage_arguments(
      {.program = "sluice-strategy",
       .description = "Turns market data into intents: runs one strategy of the instance.",
       .name_help = "name of a [[strategy]] in the configuration"},
      argc, argv);
  if (!arguments)
    return 0;
  const InstanceConfig config = load_instance_config(arguments->config);
  const StrategyConfig& strategy = config.strategy(arguments->name);
  if (arguments->check_config) {
    std::printf("%s: ok\n", arguments->config.c_str());
    return 0;
  }
  const std::string role = strategy_role(strategy.name);
  log_init(role, arguments->log_level);
  StageShell shell(config, role, kStrategyMetrics);
  StrategyApp app(shell, strategy);
  return shell.run(app);
}

}  // namespace

int main(int argc, char** argv) {
  return sluice::run_main("sluice-strategy", body, argc, argv);
}
