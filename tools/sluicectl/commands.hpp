// sluicectl's commands. Each takes what the command line said and returns the exit code; errors are
// thrown as Error. JSON goes alone to stdout, everything else to stderr.
#pragma once

#include <cstdint>
#include <string>

#include "common/runtime/config.hpp"

namespace sluice {

int shm_create(const InstanceConfig& config, bool force);
int shm_destroy(const InstanceConfig& config, bool force);

struct UpOptions {
  bool restart{false};      // start dead and hung stages again, within a budget
  bool keep{false};         // leave the segments when everything has stopped
  std::int64_t wait_ns{0};  // how long to wait for another `up` of this name to end
  std::string logs_dir;     // one file per stage; empty: the stages share our stderr
  std::int64_t hang_timeout_ns{5'000'000'000};  // a heartbeat older than this is a hang
};
int up(const InstanceConfig& config, const UpOptions& options);
int down(const InstanceConfig& config);

int status(const InstanceConfig& config, bool json);

struct KillOptions {
  bool cancel_all{false};  // also what protects or reduces
  bool all_orders{false};  // at the venue: orders without our prefix, too
  std::string reason;
};
int kill_switch(const InstanceConfig& config, const KillOptions& options);
int resume(const InstanceConfig& config);
// The file that keeps a kill across layouts; resume removes it.
[[nodiscard]] std::string kill_file(const InstanceConfig& config);
// Books what the venue shows beyond our books into `external`, so that the instrument trades again.
int accept_position(const InstanceConfig& config, const std::string& symbol);

// Sends a command record to a strategy (or to all when the name is empty).
int wind_down(const InstanceConfig& config, const std::string& strategy);

// Lays the instance out and writes the instruments board; used by shm_create and up.
void create_segments(const InstanceConfig& config, bool force);
// What a dead run of this name left: drained into that run's journal, or set aside when it is of
// another build. One line each on stderr.
void settle_leftovers(const InstanceConfig& config);

}  // namespace sluice
