// up and down: the development supervisor. Production is systemd; this starts the same binaries.
//
// Order: what consumes starts before what produces, and stops after it, so that nothing is refused
// or left in a ring on a planned stop.
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "common/base/error.hpp"
#include "common/base/log.hpp"
#include "common/messages/rows.hpp"
#include "common/runtime/process.hpp"
#include "common/runtime/stage.hpp"
#include "common/runtime/topology.hpp"
#include "shm/board.hpp"
#include "shm/layout.hpp"
#include "shm/role.hpp"
#include "shm/stage_page.hpp"
#include "tools/sluicectl/commands.hpp"
#include "tools/sluicectl/venue_kill.hpp"

#include <signal.h>

namespace sluice {
namespace {

constexpr const char* kSupervisorRole = "supervisor";

// Beside the instance's folder, not in it: creating and destroying a layout takes every lock in
// there.
std::string supervisor_dir(const InstanceConfig& config) {
  return config.shm_dir + ".up";
}

constexpr int kStopTimeoutMs = 15'000;
constexpr int kMaxRestarts = 5;  // of one stage
constexpr auto kLook = std::chrono::milliseconds(50);
constexpr auto kGrace = std::chrono::seconds(10);  // from start to the first heartbeat

struct Stage {
  std::string role;
  std::string binary;
  std::vector<std::string> arguments;
  Child child;
  int restarts{0};
  bool ended{false};
  std::chrono::steady_clock::time_point started{};
};

std::vector<Stage> stages_of(const InstanceConfig& config) {
  std::vector<Stage> stages;
  const auto add = [&](std::string role, const char* binary, const std::string& name) {
    Stage stage;
    stage.role = std::move(role);
    stage.binary = binary_path(binary);
    if (!name.empty())
      stage.arguments.push_back(name);
    stage.arguments.insert(stage.arguments.end(), {"--config", config.path});
    stages.push_back(std::move(stage));
  };
  add(kPersistenceRole, "sluice-persistence", "");
  add(kGatewayRole, "sluice-order-gateway", "");
  add(kRiskRole, "sluice-risk", "");
  for (const StrategyConfig& s : config.strategies)
    add(strategy_role(s.name), "sluice-strategy", s.name);
  for (const FeedConfig& f : config.feeds)
    add(feed_role(f.name), "sluice-feed-handler", f.name);
  return stages;
}

class Supervisor {
 public:
  Supervisor(const InstanceConfig& config, const UpOptions& options)
      : config_(config), options_(options), stages_(stages_of(config)) {}

  int run() {
    for (Stage& stage : stages_) {
      // Market data comes last, once the gateway knows the account: else the first decisions of a
      // strategy would all be refused.
      if (stage.role.starts_with("feed."))
        wait_for_gateway();
      if (!stop_requested() && exit_ == 0)
        start(stage);
    }
    log_info("{} stages started; stop with: sluicectl down --config {}", stages_.size(),
             config_.path);
    while (!stop_requested() && exit_ == 0) {
      for (Stage& stage : stages_)
        look_after(stage);
      if (all_ended())
        break;
      std::this_thread::sleep_for(kLook);
    }
    stop_all();
    return exit_;
  }

 private:
  void start(Stage& stage) {
    const std::string log =
        options_.logs_dir.empty() ? "" : options_.logs_dir + "/" + stage.role + ".log";
    stage.child = Child::start(stage.binary, stage.arguments, log);
    stage.started = std::chrono::steady_clock::now();
  }

  void wait_for_gateway() {
    const auto until = std::chrono::steady_clock::now() + kGrace;
    while (!stop_requested() && exit_ == 0 && std::chrono::steady_clock::now() < until) {
      for (Stage& stage : stages_)
        look_after(stage);
      try {
        const shm::Instance instance =
            shm::Instance::attach(config_.shm_dir, std::chrono::milliseconds(0));
        if (shm::StageView(instance, kGatewayRole).state() == shm::StageState::kLive)
          return;
      } catch (const shm::AttachError&) {
        return;  // segments replaced under us: the stages notice by themselves and end
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  void look_after(Stage& stage) {
    if (stage.ended || stage.started == std::chrono::steady_clock::time_point{})
      return;
    if (stage.child.reap(0)) {
      on_end(stage);
      return;
    }
    if (hung(stage)) {
      log_error("{}: no heartbeat for {} ms; replacing pid {}", stage.role,
                options_.hang_timeout_ns / 1'000'000, stage.child.pid());
      stage.child.signal(SIGKILL);
      stage.child.reap(kStopTimeoutMs);  // its lock is free once it is reaped
      on_end(stage);
    }
  }

  bool hung(const Stage& stage) {
    if (std::chrono::steady_clock::now() - stage.started < kGrace)
      return false;
    try {
      const shm::Instance instance =
          shm::Instance::attach(config_.shm_dir, std::chrono::milliseconds(0));
      const shm::StageView view(instance, stage.role);
      return view.pid() == stage.child.pid() &&
             instance.now().ns - view.heartbeat_ns().ns > options_.hang_timeout_ns;
    } catch (const shm::AttachError&) {
      return false;  // segments replaced under us: the stages notice by themselves and end
    }
  }

  void on_end(Stage& stage) {
    const ExitStatus status = stage.child.status();
    const bool final =
        status.exited &&
        (status.code == static_cast<int>(ExitCode::kConfig) ||
         status.code == static_cast<int>(ExitCode::kUsage) ||
         status.code == static_cast<int>(ExitCode::kCredentials) ||
         status.code == static_cast<int>(ExitCode::kNotReconciled) || status.code == 0);
    if (options_.restart && !final && stage.restarts < kMaxRestarts) {
      ++stage.restarts;
      log_warn("{}: {}; start {} of {}", stage.role, status.text(), stage.restarts, kMaxRestarts);
      start(stage);
      return;
    }
    stage.ended = true;
    if (status.ok() && stop_requested())
      return;
    log_error(
        "{}: {}; stopping the others{}", stage.role, status.text(),
        options_.logs_dir.empty() ? "" : " (see " + options_.logs_dir + "/" + stage.role + ".log)");
    if (exit_ == 0) {
      exit_ = status.exited && status.code != 0 ? status.code : static_cast<int>(ExitCode::kBug);
    }
  }

  [[nodiscard]] bool all_ended() const {
    for (const Stage& stage : stages_) {
      if (!stage.ended)
        return false;
    }
    return true;
  }

  // Producers first: feeds, strategies, risk, gateway, persistence.
  void stop_all() {
    for (auto stage = stages_.rbegin(); stage != stages_.rend(); ++stage) {
      if (stage->ended || !stage->child.running())
        continue;
      stage->child.signal(SIGTERM);
      if (!stage->child.reap(kStopTimeoutMs)) {
        log_error("{}: did not stop within {} s; killed", stage->role, kStopTimeoutMs / 1000);
        stage->child.signal(SIGKILL);
        stage->child.reap(-1);
      }
      const ExitStatus& status = stage->child.status();
      if (!status.ok()) {
        log_error("{}: {}", stage->role, status.text());
        if (exit_ == 0)
          exit_ = status.exited ? status.code : static_cast<int>(ExitCode::kBug);
      }
    }
  }

  const InstanceConfig& config_;
  const UpOptions& options_;
  std::vector<Stage> stages_;
  int exit_{0};
};

// A predecessor whose parent was killed is stopping its stages in order; that takes seconds, and it
// is worth waiting for. The holder is only looked at, never disturbed.
shm::RoleLock become_supervisor(const InstanceConfig& config, std::int64_t wait_ns) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::nanoseconds(wait_ns);
  for (bool told = false; std::chrono::steady_clock::now() < until && !stop_requested();) {
    const auto holder = shm::RoleLock::holder(supervisor_dir(config), kSupervisorRole);
    if (!holder)
      break;
    if (!told)
      log_warn("waiting for another `sluicectl up` of {} (pid {}) to end", config.name,
               holder->pid);
    told = true;
    std::this_thread::sleep_for(kLook);
  }
  return shm::RoleLock::acquire(supervisor_dir(config), kSupervisorRole, "sluicectl up");
}

// What the gateway's board says of a gateway that ended: it may have died with orders working.
bool orders_left(const InstanceConfig& config) {
  try {
    const shm::Instance instance =
        shm::Instance::attach(config.shm_dir, std::chrono::milliseconds(0));
    AccountRow row;
    return shm::BoardReader<AccountRow>(instance, board::kAccount).load(0, row) ==
               shm::BoardRead::kOk &&
           row.working + row.in_flight + row.unknown != 0;
  } catch (const shm::AttachError& error) {
    log_warn("{}", error.what());
    return true;  // nothing is known, so it is looked up
  }
}

bool cancel_left_orders(const InstanceConfig& config) {
  log_warn("the gateway ended with open orders; cancelling at the venue");
  try {
    return cancel_at_venue(config, false) == 0;
  } catch (const Error& error) {
    log_error(
        "{}; orders of {} may still work there: run sluicectl kill --config {} when it answers",
        error.what(), config.name, config.path);
    return false;
  }
}

}  // namespace

int up(const InstanceConfig& config, const UpOptions& options) {
  install_stop_signals();
  if (!options.logs_dir.empty())
    std::filesystem::create_directories(options.logs_dir);
  const shm::RoleLock role = become_supervisor(config, options.wait_ns);
  settle_leftovers(config);
  create_segments(config, false);
  int code = Supervisor(config, options).run();
  if (orders_left(config) && !cancel_left_orders(config) && code == 0) {
    code = static_cast<int>(ExitCode::kNotReconciled);
  }
  if (options.keep)
    return code;
  const shm::LayoutState state = shm::inspect_layout(config.shm_dir);
  if (state.undrained.empty()) {
    shm_destroy(config, false);
  } else {
    log_warn("{} keeps undrained records; the next `sluicectl up` drains them", config.shm_dir);
  }
  return code;
}

int down(const InstanceConfig& config) {
  const auto holder = shm::RoleLock::holder(supervisor_dir(config), kSupervisorRole);
  if (holder && holder->alive) {
    signal_process(static_cast<pid_t>(holder->pid), SIGTERM);
    for (int waited = 0; waited < 10 * kStopTimeoutMs; waited += 20) {
      if (!shm::RoleLock::holder(supervisor_dir(config), kSupervisorRole)) {
        log_info("{}: stopped", config.name);
        return 0;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    throw Error(ExitCode::kResource, "sluicectl up (pid " + std::to_string(holder->pid) +
                                         ") did not stop; look at its log, then kill it");
  }
  // No supervisor: stages that were started by hand are stopped one by one, producers first.
  std::vector<Stage> stages = stages_of(config);
  int stopped = 0;
  for (auto stage = stages.rbegin(); stage != stages.rend(); ++stage) {
    const auto stage_holder = shm::RoleLock::holder(config.shm_dir, stage->role);
    if (!stage_holder || !stage_holder->alive)
      continue;
    signal_process(static_cast<pid_t>(stage_holder->pid), SIGTERM);
    ++stopped;
    for (int waited = 0; shm::RoleLock::holder(config.shm_dir, stage->role); waited += 20) {
      if (waited > kStopTimeoutMs) {
        throw Error(ExitCode::kResource, stage->role + " (pid " +
                                             std::to_string(stage_holder->pid) +
                                             ") did not stop; look at its log, then kill it");
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  log_info("{}: {}", config.name, stopped == 0 ? "nothing was running" : "stopped");
  return 0;
}

}  // namespace sluice
