// sluice-feed-handler NAME: one market data connection of the instance.
#include <cstdio>

#include "common/base/error.hpp"
#include "common/base/log.hpp"
#include "common/runtime/arguments.hpp"
#include "common/runtime/metrics.hpp"
#include "common/runtime/stage.hpp"
#include "common/runtime/topology.hpp"
#include "procs/feed_handler/feed_app.hpp"

namespace {

int body(int argc, char** argv) {
  using namespace sluice;
  const auto arguments = parse_stage_arguments(
      {.program = "sluice-feed-handler",
       .description = "Receives one market data stream and publishes it to the instance's rings.",
       .name_help = "name of a [[feed]] in the configuration"},
      argc, argv);
  if (!arguments)
    return 0;
  const InstanceConfig config = load_instance_config(arguments->config);
  const FeedConfig& feed = config.feed(arguments->name);
  if (arguments->check_config) {
    std::printf("%s: ok\n", arguments->config.c_str());
    return 0;
  }
  const std::string role = feed_role(feed.name);
  log_init(role, arguments->log_level);
  Credentials credentials = load_credentials(config.venues[feed.venue].credentials_file);
  StageShell shell(config, role, kFeedMetrics);
  FeedApp app(shell, feed, std::move(credentials));
  return shell.run(app);
}

}  // namespace

int main(int argc, char** argv) {
  return sluice::run_main("sluice-feed-handler", body, argc, argv);
}
