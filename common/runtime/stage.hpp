// StageShell: what every stage does the same. A stage's main is a checklist: arguments, config,
// shell (role lock, attach, page, incarnation, signals, pinning), its own application, run.
//
// Thread contract: constructed and run on the stage's hot thread.
// Invariants:
//  1. The role lock is taken before anything is mapped writable and held until the process ends.
//  2. The loop: poll; when there was nothing to do, idle by the configured mode. A heartbeat about
//     every millisecond; a look at the control segment about every 100 ms.
//  3. The page is told how much of the loop's time went into turns that found work. That costs no
//     clock reading: the turn's end is the next one's beginning.
//  4. SIGTERM and SIGINT end the loop after the current turn; the application then drains.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <string>

#include "common/base/error.hpp"
#include "common/runtime/config.hpp"
#include "common/runtime/idle.hpp"
#include "shm/instance.hpp"
#include "shm/role.hpp"
#include "shm/stage_page.hpp"

namespace sluice {

// Set by SIGTERM, SIGINT or request_stop().
[[nodiscard]] bool stop_requested() noexcept;
void request_stop() noexcept;
void install_stop_signals();

// Binds the calling thread to the cpu configured for `stage`, if any. Throws Error{kConfig} when
// the machine has no such cpu.
void pin_stage(const InstanceConfig& config, const std::string& stage);

class StageShell {
 public:
  // How long a stage waits for `sluicectl shm create`.
  static constexpr std::chrono::milliseconds kAttachWait{10'000};

  // Throws what the parts throw: kRoleTaken, kResource, kConfig.
  StageShell(const InstanceConfig& config, const std::string& role,
             const shm::MetricTable& metrics);

  [[nodiscard]] const InstanceConfig& config() const noexcept { return config_; }
  [[nodiscard]] const std::string& role() const noexcept { return role_; }
  [[nodiscard]] shm::Instance& instance() noexcept { return instance_; }
  [[nodiscard]] shm::StagePage& page() noexcept { return page_; }
  [[nodiscard]] std::uint32_t incarnation() const noexcept { return incarnation_; }
  [[nodiscard]] MonoNanos now() const noexcept { return instance_.now(); }

  // Ends the loop with an error code after this turn; the first call wins.
  void fail(ExitCode code, const std::string& why);
  [[nodiscard]] bool failed() const noexcept { return exit_ != ExitCode::kDone; }

  // Runs until a stop was requested, then the application's drain(). Returns the exit code.
  // App: std::size_t poll(MonoNanos now); void drain(). Optional: void wait(int timeout_ms), called
  // instead of sleeping when the loop is quiet (backoff mode); bool live(), false while the stage
  // cannot do its work yet (no venue): it then shows as Recovering, and nobody counts on it.
  template <class App>
  int run(App& app) {
    Idle idle(config_.topology.idle);
    MonoNanos turn_began{};
    std::size_t work = 0;
    while (!stop_requested() && !failed()) {
      const MonoNanos now = instance_.now();
      if (work != 0)
        busy_ns_ += now.ns - turn_began.ns;
      turn_began = now;
      heartbeat(now);
      if constexpr (requires { app.live(); }) {
        show(app.live() ? shm::StageState::kLive : shm::StageState::kRecovering);
      } else {
        show(shm::StageState::kLive);
      }
      work = app.poll(now);
      if constexpr (requires { app.wait(1); }) {
        if (work == 0 && idle.may_block()) {
          app.wait(1);
          continue;
        }
      }
      idle(work, now);
    }
    page_.set_state(shm::StageState::kDraining);
    app.drain();
    return finish();
  }

  // For an application that works inside its wait(): what run() cannot tell from waiting.
  void add_busy(std::int64_t ns) noexcept { busy_ns_ += ns; }

  // For stages with a loop of their own shape (gateway's second thread): beat and check.
  void heartbeat(MonoNanos now);

 private:
  int finish();
  void note_cut_files(MonoNanos now);
  void show(shm::StageState state) noexcept {
    if (state == shown_)
      return;
    shown_ = state;
    page_.set_state(state);
  }

  const InstanceConfig& config_;
  std::string role_;
  shm::RoleLock lock_;
  shm::Instance instance_;
  shm::StagePage page_;
  std::uint32_t incarnation_{0};
  MonoNanos last_beat_{};
  std::int64_t busy_ns_{0};  // since the last beat, in turns that found work
  MonoNanos last_check_{};
  std::uint32_t cut_peers_{0};
  shm::StageState shown_{shm::StageState::kStarting};
  ExitCode exit_{ExitCode::kDone};
};

}  // namespace sluice
