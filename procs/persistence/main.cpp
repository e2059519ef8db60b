// sluice-persistence: journals everything that happens in the instance.
//
// `--drain-only` takes what a dead run left in its rings into that run's journal and ends: no stage
// has to run, the segments must be there. Exit 0: the rings are empty and everything is durable.
#include <cstdio>

#include "common/base/error.hpp"
#include "common/base/log.hpp"
#include "common/runtime/arguments.hpp"
#include "common/runtime/metrics.hpp"
#include "common/runtime/stage.hpp"
#include "common/runtime/topology.hpp"
#include "procs/persistence/persistence_app.hpp"

namespace {

int body(int argc, char** argv) {
  using namespace sluice;
  const auto arguments = parse_stage_arguments(
      {.program = "sluice-persistence",
       .description = "Drains the rings that end in persistence into the instance's journal.",
       .drain_only = true},
      argc, argv);
  if (!arguments)
    return 0;
  const InstanceConfig config = load_instance_config(arguments->config);
  if (arguments->check_config) {
    std::printf("%s: ok\n", arguments->config.c_str());
    return 0;
  }
  log_init(kPersistenceRole, arguments->log_level);
  StageShell shell(config, kPersistenceRole, kPersistenceMetrics);
  PersistenceApp app(shell);
  if (arguments->drain_only)
    request_stop();  // the loop does no turn, the drain does it all
  return shell.run(app);
}

}  // namespace

int main(int argc, char** argv) {
  return sluice::run_main("sluice-persistence", body, argc, argv);
}
