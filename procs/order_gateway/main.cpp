// sluice-order-gateway: the last gate before the venue, the order board and the venue's
// connections.
#include <cstdio>

#include "common/base/error.hpp"
#include "common/base/log.hpp"
#include "common/runtime/arguments.hpp"
#include "common/runtime/metrics.hpp"
#include "common/runtime/stage.hpp"
#include "common/runtime/topology.hpp"
#include "procs/order_gateway/gateway_app.hpp"

namespace {

int body(int argc, char** argv) {
  using namespace sluice;
  const auto arguments = parse_stage_arguments(
      {.program = "sluice-order-gateway",
       .description = "Sends approved orders to the venue behind a gate that trusts nobody."},
      argc, argv);
  if (!arguments)
    return 0;
  const InstanceConfig config = load_instance_config(arguments->config);
  if (arguments->check_config) {
    std::printf("%s: ok\n", arguments->config.c_str());
    return 0;
  }
  log_init(kGatewayRole, arguments->log_level);
  Credentials credentials = load_credentials(config.venues.front().credentials_file);
  StageShell shell(config, kGatewayRole, kGatewayMetrics);
  GatewayApp app(shell, std::move(credentials));
  return shell.run(app);
}

}  // namespace

int main(int argc, char** argv) {
  return sluice::run_main("sluice-order-gateway", body, argc, argv);
}
