#include "common/runtime/stage.hpp"

#include <sched.h>
#include <sys/prctl.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "common/base/log.hpp"
#include "common/runtime/incarnation.hpp"
#include "common/runtime/version.hpp"
#include "shm/peer_fault.hpp"

namespace sluice {
namespace {

constexpr std::int64_t kBeatEvery = 1'000'000;
constexpr std::int64_t kCheckEvery = 100'000'000;
constexpr std::uint32_t kCutFileCode = 20;

// relaxed throughout: a flag of its own; the loop only has to see it soon.
std::atomic<bool> g_stop{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set from a signal handler");

extern "C" void on_stop_signal(int) {
  g_stop.store(true, std::memory_order_relaxed);
}

}  // namespace

bool stop_requested() noexcept {
  return g_stop.load(std::memory_order_relaxed);
}
void request_stop() noexcept {
  g_stop.store(true, std::memory_order_relaxed);
}

void install_stop_signals() {
  struct sigaction action {};
  action.sa_handler = on_stop_signal;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGINT, &action, nullptr);
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &ignore, nullptr);
}

void pin_stage(const InstanceConfig& config, const std::string& stage) {
  for (const std::string& entry : config.topology.pin) {
    const std::size_t at = entry.find('=');
    if (entry.compare(0, at, stage) != 0)
      continue;
    const int cpu = std::atoi(entry.c_str() + at + 1);  // digits only: the config checked it
    cpu_set_t set;
    CPU_ZERO(&set);
    if (cpu < CPU_SETSIZE)
      CPU_SET(static_cast<std::size_t>(cpu), &set);
    if (cpu >= CPU_SETSIZE || ::sched_setaffinity(0, sizeof(set), &set) != 0) {
      throw Error(ExitCode::kConfig, config.path + ": [topology] pin \"" + entry + "\": " +
                                         std::strerror(cpu >= CPU_SETSIZE ? EINVAL : errno) +
                                         "; name a cpu this process may use (see: taskset -pc $$)");
    }
    log_info("pinned to cpu {}", cpu);
  }
}

StageShell::StageShell(const InstanceConfig& config, const std::string& role,
                       const shm::MetricTable& metrics)
    : config_(config),
      role_(role),
      // The folder of the locks exists once the layout does, so attach first waits for it.
      lock_((static_cast<void>(shm::Instance::attach(config.shm_dir, kAttachWait)),
             shm::RoleLock::acquire(config.shm_dir, role, "stage " + role))),
      instance_(shm::Instance::attach(config.shm_dir, kAttachWait)),
      page_(instance_, role, metrics) {
  install_stop_signals();
  ::prctl(PR_SET_TIMERSLACK, 1UL);  // short sleeps of the backoff mode stay short
  incarnation_ = raise_incarnation(config.state_dir, role);
  page_.set_incarnation(incarnation_);
  pin_stage(config, role);
  page_.beat(instance_.now());
  log_info("attached to generation {}, incarnation {}", instance_.generation(), incarnation_);
}

void StageShell::heartbeat(MonoNanos now) {
  const std::int64_t since = now.ns - last_beat_.ns;
  if (since < kBeatEvery && since >= 0)
    return;
  if (last_beat_.ns != 0 && since > 0) {
    page_.note_duty(static_cast<std::uint64_t>(since));
    page_.add_loop_time(static_cast<std::uint64_t>(since), static_cast<std::uint64_t>(busy_ns_));
  }
  busy_ns_ = 0;
  last_beat_ = now;
  page_.beat(now);
  if (now.ns - last_check_.ns < kCheckEvery)
    return;
  last_check_ = now;
  if (!instance_.still_current()) {
    fail(ExitCode::kResource,
         "the segments in " + config_.shm_dir +
             " were destroyed or replaced while this stage ran; start it again");
  }
  note_cut_files(now);
}

// Reading goes on after a peer cut its file, as if the peer had never said anything; that has to be
// seen. A file of our own that was cut takes our words to nobody: no reason to go on.
void StageShell::note_cut_files(MonoNanos now) {
  const shm::CutRanges cut = shm::cut_ranges();
  if (cut.peers > cut_peers_) {
    page_.error(kCutFileCode, "a peer cut its file short: it reads as empty", now);
    log_warn(
        "{} mapping(s) of files in {} were cut short by the files' owners and read as empty; stop "
        "the instance and lay it out anew: sluicectl shm create --config {}",
        cut.peers, config_.shm_dir, config_.path);
  }
  cut_peers_ = cut.peers;
  if (cut.own != 0) {
    page_.error(kCutFileCode, "a file of this stage's own was cut short", now);
    fail(ExitCode::kResource,
         "a file of this stage's own in " + config_.shm_dir +
             " was cut short, and nobody hears what it says there; lay the instance out anew: "
             "sluicectl shm create --config " +
             config_.path);
  }
}

void StageShell::fail(ExitCode code, const std::string& why) {
  if (failed())
    return;
  exit_ = code;
  log_error("{}", why);
}

int StageShell::finish() {
  page_.set_state(failed() ? shm::StageState::kFailed : shm::StageState::kStopped);
  log_info("{}", failed() ? "stopped after an error" : "stopped");
  return static_cast<int>(exit_);
}

}  // namespace sluice
