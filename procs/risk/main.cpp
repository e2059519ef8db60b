// sluice-risk: approves, resizes or refuses intents and publishes the limit sheet.
#include <cstdio>

#include "common/base/error.hpp"
#include "common/base/log.hpp"
#include "common/runtime/arguments.hpp"
#include "common/runtime/metrics.hpp"
#include "common/runtime/stage.hpp"
#include "common/runtime/topology.hpp"
#include "procs/risk/risk_app.hpp"

namespace {

int body(int argc, char** argv) {
  using namespace sluice;
  const auto arguments = parse_stage_arguments(
      {.program = "sluice-risk",
       .description = "Approves, resizes or refuses intents and publishes the limit sheet."},
      argc, argv);
  if (!arguments)
    return 0;
  const InstanceConfig config = load_instance_config(arguments->config);
  if (arguments->check_config) {
    std::printf("%s: ok\n", arguments->config.c_str());
    return 0;
  }
  log_init(kRiskRole, arguments->log_level);
  StageShell shell(config, kRiskRole, kRiskMetrics);
  RiskApp app(shell);
  return shell.run(app);
}

}  // namespace

int main(int argc, char** argv) {
  return sluice::run_main("sluice-risk", body, argc, argv);
}
