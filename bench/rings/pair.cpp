#include "bench/rings/pair.hpp"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>

namespace sluice::bench {
namespace {

// The first two cores this process was allowed when the suite began.
std::array<unsigned, 2> g_cores{};

void allow(std::initializer_list<unsigned> cores) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const unsigned core : cores)
    CPU_SET(core, &set);
  if (sched_setaffinity(0, sizeof(set), &set) != 0)
    throw Error(ExitCode::kResource,
                "bench rings: cannot run on core " + std::to_string(*cores.begin()));
}

void guarded(Core core, const std::function<void()>& body, bool thread) {
  try {
    pin_to(core);
    body();
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "bench_rings' partner: %s\n", failure.what());
    if (!thread)
      kill(getppid(), SIGTERM);
    _exit(static_cast<int>(ExitCode::kBug));
  }
}

}  // namespace

void choose_cores() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  sched_getaffinity(0, sizeof(allowed), &allowed);
  std::size_t found = 0;
  for (unsigned core = 0; core < CPU_SETSIZE && found < g_cores.size(); ++core)
    if (CPU_ISSET(core, &allowed))
      g_cores[found++] = core;
  if (found < g_cores.size())
    throw Error(ExitCode::kResource, "bench rings: two cores are needed, one is allowed (taskset)");
  pin_to(Core::kFirst);
}

void pin_to(Core core) {
  allow({g_cores[static_cast<std::size_t>(core)]});
}

OnBothCores::OnBothCores(Core back_to) : back_to_(back_to) {
  allow({g_cores[0], g_cores[1]});
}
OnBothCores::~OnBothCores() {
  pin_to(back_to_);
}

Partner::Partner(Party kind, Core core, const std::function<void()>& body) {
  if (kind == Party::kThread) {
    thread_ = std::thread([core, body] { guarded(core, body, true); });
    return;
  }
  std::fflush(nullptr);  // else the child prints our buffers again
  pid_ = fork();
  if (pid_ < 0)
    throw Error(ExitCode::kResource, "bench rings: cannot fork");
  if (pid_ > 0)
    return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  guarded(core, body, false);
  _exit(0);
}

Partner::~Partner() {
  if (thread_.joinable())
    thread_.join();
  else
    waitpid(pid_, nullptr, 0);
}

void require(bool holds, const std::string& what) {
  if (!holds)
    throw Error(ExitCode::kBug, "bench rings: " + what);
}

}  // namespace sluice::bench
