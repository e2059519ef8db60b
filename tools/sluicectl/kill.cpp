// kill, resume, wind-down: what an operator says to a running instance.
#include <chrono>
#include <thread>

#include "common/base/error.hpp"
#include "common/base/log.hpp"
#include "common/messages/control.hpp"
#include "common/messages/rows.hpp"
#include "common/runtime/process.hpp"
#include "common/runtime/topology.hpp"
#include "shm/board.hpp"
#include "shm/operator_trip.hpp"
#include "shm/ring.hpp"
#include "shm/role.hpp"
#include "shm/stage_page.hpp"
#include "tools/sluicectl/commands.hpp"
#include "tools/sluicectl/venue_kill.hpp"

#include <signal.h>

namespace sluice {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kStampWithin = std::chrono::milliseconds(500);  // then the gateway is taken for hung
constexpr auto kCancelledWithin = std::chrono::seconds(10);
constexpr auto kLook = std::chrono::milliseconds(2);

template <class Condition>
bool wait_for(Clock::duration within, Condition&& condition) {
  const auto until = Clock::now() + within;
  while (!condition()) {
    if (Clock::now() >= until)
      return false;
    std::this_thread::sleep_for(kLook);
  }
  return true;
}

AccountRow account_of(const shm::BoardReader<AccountRow>& board) {
  AccountRow row;
  static_cast<void>(board.load(0, row));  // never written: zeros, which prove nothing
  return row;
}

// The gateway is dead or does not answer: what works is cancelled from here, with the credentials
// alone.
int kill_without_gateway(const InstanceConfig& config, const KillOptions& options) {
  if (const auto holder = shm::RoleLock::holder(config.shm_dir, kGatewayRole)) {
    log_warn("the gateway (pid {}) did not stamp the kill within 500 ms; killing it", holder->pid);
    signal_process(static_cast<pid_t>(holder->pid), SIGKILL);
    const bool freed = wait_for(std::chrono::seconds(10), [&] {
      return !shm::RoleLock::holder(config.shm_dir, kGatewayRole);
    });
    if (!freed) {
      throw Error(ExitCode::kRoleTaken,
                  "the gateway's role is still held after SIGKILL; is it being "
                  "debugged? Orders may still leave this machine");
    }
  } else {
    log_warn("no gateway is running; cancelling at the venue");
  }
  return cancel_at_venue(config, options.all_orders);
}

int kill_through_gateway(const InstanceConfig& config, const KillOptions& options,
                         const shm::Instance& instance) {
  const bool already = shm::OperatorTrip::View(instance).any(kTripScopeAll);
  const MonoNanos before = instance.now();
  const std::uint64_t word = options.cancel_all ? kKillCancelAll : kKillStop;
  shm::OperatorTrip::set(config.shm_dir, kTripScopeAll, word);
  log_warn("kill switch set ({}){}{}", options.cancel_all ? "cancel all" : "stop",
           options.reason.empty() ? "" : ": ", options.reason);

  const shm::BoardReader<AccountRow> board(instance, board::kAccount);
  const bool running = shm::RoleLock::holder(config.shm_dir, kGatewayRole).has_value();
  // An episode that was open before has its stamp already.
  const bool stamped = running && wait_for(kStampWithin, [&] {
                         const AccountRow account = account_of(board);
                         return account.kill_episode != 0 && account.kill_stamp_ns.ns != 0 &&
                                (already || account.kill_stamp_ns >= before);
                       });
  if (!stamped)
    return kill_without_gateway(config, options);
  log_info("stamped after {} us: no order leaves any more",
           already ? 0 : (account_of(board).kill_stamp_ns.ns - before.ns) / 1000);
  const bool quiet = wait_for(kCancelledWithin, [&] {
    const AccountRow account = account_of(board);
    return account.working + account.in_flight + account.unknown == 0;
  });
  const AccountRow left = account_of(board);
  if (!quiet) {
    log_warn(
        "{} orders still work, {} in flight, {} unknown; protective ones are kept unless "
        "--cancel-all is given",
        left.working, left.in_flight, left.unknown);
    return options.cancel_all ? static_cast<int>(ExitCode::kNotReconciled) : 0;
  }
  log_info("nothing works at the venue any more; clear with: sluicectl resume --config {}",
           config.path);
  return 0;
}

}  // namespace

int kill_switch(const InstanceConfig& config, const KillOptions& options) {
  try {
    return kill_through_gateway(
        config, options, shm::Instance::attach(config.shm_dir, std::chrono::milliseconds(0)));
  } catch (const shm::AttachError& error) {
    // No segments, or none this build may read: no word can be set, but orders may still work.
    log_warn("{}", error.what());
    return kill_without_gateway(config, options);
  }
}

int resume(const InstanceConfig& config) {
  const shm::RoleLock role =
      shm::RoleLock::acquire(config.shm_dir, kOperatorRole, "sluicectl resume");
  shm::OperatorTrip::clear(config.shm_dir, kTripScopeAll, role);
  log_warn("the operator's kill word is cleared");
  const shm::Instance instance =
      shm::Instance::attach(config.shm_dir, std::chrono::milliseconds(0));
  for (const char* stage : {kRiskRole, kGatewayRole}) {
    if (shm::StageView(instance, stage).tripped(kTripScopeAll)) {
      log_warn("{} has tripped by itself and stays so until it is started again", stage);
      return static_cast<int>(ExitCode::kNotReconciled);
    }
  }
  return 0;
}

int wind_down(const InstanceConfig& config, const std::string& strategy) {
  if (!strategy.empty())
    static_cast<void>(config.strategy(strategy));
  const shm::RoleLock role =
      shm::RoleLock::acquire(config.shm_dir, kOperatorRole, "sluicectl wind-down");
  const shm::Instance instance =
      shm::Instance::attach(config.shm_dir, std::chrono::milliseconds(0));
  for (const StrategyConfig& s : config.strategies) {
    if (!strategy.empty() && s.name != strategy)
      continue;
    shm::RingProducer<Command> ring(instance, ring::command(strategy_role(s.name)));
    Command command;
    command.verb = Verb::kWindDown;
    command.decided_ns = instance.now();
    command.sequence = ring.tail() + 1;
    if (!ring.try_push(command)) {
      throw Error(ExitCode::kResource,
                  "the command ring of strategy " + s.name +
                      " is full: it does not read its commands; is it running?");
    }
    log_info("strategy {} winds down", s.name);
  }
  return 0;
}

}  // namespace sluice
