// kill, resume, wind-down: what an operator says to a running instance.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
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

// Needs the operator's role, which the caller holds.
void send_command(const shm::Instance& instance, const std::string& role, Command command) {
  shm::RingProducer<Command> ring(instance, ring::command(role));
  command.decided_ns = instance.now();
  command.sequence = ring.tail() + 1;
  if (!ring.try_push(command)) {
    throw Error(ExitCode::kResource, "the command ring of " + role +
                                         " is full: it does not read its commands; is it running?");
  }
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

// True when the gateway has proven that no order of this trip leaves: its hot thread began two
// turns after the word was set, so it has seen it, and the board carries a stamp, which a new trip
// takes away.
bool wait_for_stamp(const shm::BoardReader<AccountRow>& board, const shm::StageView& gateway,
                    MonoNanos set_ns) {
  MonoNanos first_turn{};
  return wait_for(kStampWithin, [&] {
    const MonoNanos beat = gateway.heartbeat_ns();
    if (beat <= set_ns)
      return false;
    if (first_turn.ns == 0)
      first_turn = beat;
    return beat != first_turn && account_of(board).kill_stamp_ns.ns != 0;
  });
}

int kill_through_gateway(const InstanceConfig& config, const KillOptions& options,
                         const shm::Instance& instance) {
  const MonoNanos before = instance.now();
  const MonoNanos set_ns = instance.now();
  log_warn("kill switch set ({}){}{}", options.cancel_all ? "cancel all" : "stop",
           options.reason.empty() ? "" : ": ", options.reason);

  const shm::BoardReader<AccountRow> board(instance, board::kAccount);
  const shm::StageView gateway(instance, kGatewayRole);
  const bool running = shm::RoleLock::holder(config.shm_dir, kGatewayRole).has_value();
  if (!running || !wait_for_stamp(board, gateway, set_ns))
    return kill_without_gateway(config, options);
  log_info("stamped after {} us: no order leaves any more",
           std::max<std::int64_t>(account_of(board).kill_stamp_ns.ns - before.ns, 0) / 1000);
  const bool quiet = wait_for(kCancelledWithin, [&] {
    const AccountRow account = account_of(board);
    return account.working + account.in_flight + account.unknown == 0;
  });
  if (!quiet) {
    const AccountRow left = account_of(board);
    log_warn("{} orders still work, {} in flight, {} unknown", left.working, left.in_flight,
             left.unknown);
    if (options.cancel_all)
      return cancel_at_venue(config, options.all_orders);
    log_warn("protective orders are kept; --cancel-all cancels them, too");
    return 0;
  }
  log_info("nothing works at the venue any more; clear with: sluicectl resume --config {}",
           config.path);
  return 0;
}

// The switch outlives the segments: a file beside the durable counters, from which a new layout
// takes its word. Only resume removes it.
void write_kill_file(const InstanceConfig& config, const KillOptions& options) {
  const std::string path = kill_file(config);
  std::error_code ignored;  // the write below tells
  std::filesystem::create_directories(config.state_dir, ignored);
  std::ofstream out(path, std::ios::trunc);
  out << (options.cancel_all ? kKillCancelAll : kKillStop) << " " << options.reason << "\n";
  if (!out.flush())
    log_error("{} cannot be written: the kill will not outlive the segments", path);
}

}  // namespace

std::string kill_file(const InstanceConfig& config) {
  return config.state_dir + "/killed";
}

int kill_switch(const InstanceConfig& config, const KillOptions& options) {
  try {
    const shm::Instance instance =
        shm::Instance::attach(config.shm_dir, std::chrono::milliseconds(0));
    shm::OperatorTrip::set(config.shm_dir, kTripScopeAll,
                           options.cancel_all ? kKillCancelAll : kKillStop);
    write_kill_file(config, options);
    return kill_through_gateway(config, options, instance);
  } catch (const shm::AttachError& error) {
    // No segments, or none this build may read: no word can be set, but orders may still work.
    log_warn("{}", error.what());
    write_kill_file(config, options);
    return kill_without_gateway(config, options);
  }
}

int resume(const InstanceConfig& config) {
  std::error_code error;
  std::filesystem::remove(kill_file(config), error);
  if (error) {
    throw Error(ExitCode::kResource, kill_file(config) + ": " + error.message() +
                                         "; while it stands, every new layout starts killed");
  }
  const shm::RoleLock role =
      shm::RoleLock::acquire(config.shm_dir, kOperatorRole, "sluicectl resume");
  const shm::Instance instance =
      shm::Instance::attach(config.shm_dir, std::chrono::milliseconds(0));
  send_command(instance, kGatewayRole, {.verb = Verb::kResume});
  shm::OperatorTrip::clear(config.shm_dir, kTripScopeAll, role);
  log_warn("the operator's kill word is cleared");
  return 0;
}

int accept_position(const InstanceConfig& config, const std::string& symbol) {
  const InstrumentTable instruments = config.instrument_table();
  const Instrument* instrument = instruments.find(symbol);
  if (instrument == nullptr) {
    throw Error(ExitCode::kUsage,
                "--symbol '" + symbol + "' is no [[instrument]] of " + config.path);
  }
  const shm::RoleLock role =
      shm::RoleLock::acquire(config.shm_dir, kOperatorRole, "sluicectl accept");
  const shm::Instance instance =
      shm::Instance::attach(config.shm_dir, std::chrono::milliseconds(0));
  send_command(
      instance, kGatewayRole,
      {.verb = Verb::kAcceptPosition, .scope = static_cast<std::uint16_t>(instrument->index)});
  log_warn("the venue's position of {} is accepted into `external`", symbol);
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
    send_command(instance, strategy_role(s.name), {.verb = Verb::kWindDown});
    log_info("strategy {} winds down", s.name);
  }
  return 0;
}

}  // namespace sluice
