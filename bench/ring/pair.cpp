#include "bench/ring/pair.hpp"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>

#include "common/base/error.hpp"

namespace sluice::bench {
namespace {

// The first two cores this process was allowed when the suite began.
struct Cores {
  unsigned parent{0};
  unsigned child{0};
};
Cores g_cores;

void pin_to(unsigned core) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(core, &one);
  if (sched_setaffinity(0, sizeof(one), &one) != 0)
    throw Error(ExitCode::kResource, "bench ring: cannot run on core " + std::to_string(core));
}

}  // namespace

void pin_parent() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  sched_getaffinity(0, sizeof(allowed), &allowed);
  std::vector<unsigned> cores;
  for (unsigned core = 0; core < CPU_SETSIZE && cores.size() < 2; ++core)
    if (CPU_ISSET(core, &allowed))
      cores.push_back(core);
  if (cores.size() < 2)
    throw Error(ExitCode::kResource, "bench ring: two cores are needed, one is allowed (taskset)");
  g_cores = {cores[0], cores[1]};
  pin_to(g_cores.parent);
}

PinnedChild::PinnedChild(const std::function<void()>& body) {
  std::fflush(nullptr);  // else the child prints our buffers again
  pid_ = fork();
  if (pid_ < 0)
    throw Error(ExitCode::kResource, "bench ring: cannot fork");
  if (pid_ > 0)
    return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  int code = 0;
  try {
    pin_to(g_cores.child);
    body();
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "bench_ring's child: %s\n", failure.what());
    kill(getppid(), SIGTERM);  // it would spin for an answer that never comes
    code = static_cast<int>(ExitCode::kBug);
  }
  _exit(code);
}

PinnedChild::~PinnedChild() {
  waitpid(pid_, nullptr, 0);
}

}  // namespace sluice::bench
