// Group `idle`: what the stages' own idling (common/runtime) makes of a ring.
//
// `loop5`: a token runs through five processes in a loop on two cores, three on one and two on the
// other; the lap is measured by the first. `parked`: the CPU time of a process that waits for
// records that do not come, and how late it sees the one that ends it. `yield_switch`: one change
// of process by sched_yield, of which a lap needs at least three one after another, on the core
// that holds three stages.

#include <sched.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <fstream>
#include <optional>
#include <thread>

#include "bench/rings/measure.hpp"
#include "bench/rings/plan.hpp"
#include "bench/rings/ring_files.hpp"
#include "bench/rings/statistics.hpp"
#include "common/base/tsc.hpp"
#include "common/runtime/idle.hpp"
#include "shm/atomics.hpp"
#include "shm/ring.hpp"
#include "shm/role.hpp"

namespace sluice::bench {
namespace {

using Atomics = shm::StdAtomics;
constexpr std::size_t kStages = 5;
constexpr std::uint32_t kSlots = 4'096;
constexpr std::uint64_t kLast = ~std::uint64_t{0};  // the token that ends the stages

std::string role_of(std::size_t stage) {
  return "stage-" + std::to_string(stage);
}
std::string ring_from(std::size_t stage) {
  return "from-" + std::to_string(stage);
}

// One stage of the loop: from its neighbour before to the one behind.
struct LoopStage {
  LoopStage(const std::string& dir, std::size_t stage)
      : role(shm::RoleLock::acquire(dir, role_of(stage), "bench rings")),
        instance(shm::Instance::attach(dir, std::chrono::seconds{30})),
        out(instance, ring_from(stage)),
        in(instance, ring_from((stage + kStages - 1) % kStages)) {
    prctl(PR_SET_TIMERSLACK, 1UL);  // as StageShell does
  }
  [[nodiscard]] std::uint64_t await(Idle& idle) noexcept {
    Slot64 token;
    for (;;) {  // a stage's turn: the clock, the ring, the idling
      const MonoNanos now = instance.now();
      const bool found = in.peek(token);
      idle(found ? 1 : 0, now);
      if (found)
        break;
    }
    in.release();
    return token.number;
  }

  shm::RoleLock role;
  shm::Instance instance;
  shm::RingProducer<Slot64> out;
  shm::RingConsumer<Slot64> in;
};

void measure_loop(Round& round, IdleMode mode, const std::string& name, std::uint64_t laps) {
  LayoutFolder folder;
  shm::Layout layout;
  for (std::size_t i = 0; i < kStages; ++i)
    layout.rings.push_back(shm::ring_spec<Slot64>(ring_from(i), kSlots, shm::RingPolicy::kRefuse,
                                                  role_of(i), role_of((i + 1) % kStages)));
  folder.create(layout);
  std::array<std::optional<Partner>, kStages - 1> others;
  for (std::size_t i = 1; i < kStages; ++i)
    others[i - 1].emplace(Party::kProcess, i % 2 == 0 ? Core::kFirst : Core::kSecond,
                          [&folder, i, mode] {
                            LoopStage stage(folder.dir(), i);
                            Idle idle(mode);
                            for (std::uint64_t number = 0; number != kLast;) {
                              number = stage.await(idle);
                              require(stage.out.try_push(Slot64::of(number)), "loop ring full");
                            }
                          });
  LoopStage first(folder.dir(), 0);
  Idle idle(mode);
  const std::uint64_t warm_up = laps / 10;
  std::vector<std::uint64_t> samples;
  samples.reserve(laps);
  for (std::uint64_t i = 0; i < warm_up + laps; ++i) {
    const std::uint64_t sent = ticks_before();
    require(first.out.try_push(Slot64::of(i)), "loop ring full");
    require(first.await(idle) == i, "another token came round");
    const std::uint64_t back = ticks_after();
    if (i >= warm_up)
      samples.push_back(back - sent);
  }
  require(first.out.try_push(Slot64::of(kLast)), "loop ring full");
  const Tsc& clock = tsc();
  round.add(name + "_p50", "us", clock.ns(percentile(samples, 0.5, clock.tick)) / 1e3);
  round.add(name + "_p99", "us", clock.ns(percentile(samples, 0.99, clock.tick)) / 1e3);
}

// Nanoseconds on a CPU, by the scheduler's own account.
double cpu_ns_of(int pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/schedstat");
  double ns = 0;
  require(static_cast<bool>(stat >> ns), "the kernel keeps no schedstat");
  return ns;
}

struct Woken {
  Atomics::Word attached{0};
  Atomics::Word cycles{0};
};

void measure_parked(Round& round, IdleMode mode, const std::string& name,
                    std::chrono::milliseconds parked) {
  LayoutFolder folder;
  shm::Layout layout;
  layout.rings = {
      shm::ring_spec<Slot64>("in", kSlots, shm::RingPolicy::kRefuse, "sender", "parked")};
  folder.create(layout);
  const Shared<Woken> woken;
  double share = 0;
  std::uint64_t sent = 0;
  {
    const Partner stage(Party::kProcess, Core::kSecond, [&] {
      const auto role = shm::RoleLock::acquire(folder.dir(), "parked", "bench rings");
      const auto instance = shm::Instance::attach(folder.dir(), std::chrono::seconds{30});
      shm::RingConsumer<Slot64> in(instance, "in");
      prctl(PR_SET_TIMERSLACK, 1UL);  // as StageShell does
      Idle idle(mode);
      // release, both words: pair with the acquire loads of the parent; numbers of their own.
      Atomics::store_release(woken->attached, 1);
      std::size_t taken = 0;
      MonoNanos now{};
      while (taken == 0) {  // a stage's turn: the clock, the ring, the idling
        now = instance.now();
        taken = in.drain([](const Slot64&) {}, 1);
        idle(taken, now);
      }
      Atomics::store_release(woken->cycles, ticks_after());
      require(now.ns != 0, "a clock that stands");
    });
    const auto role = shm::RoleLock::acquire(folder.dir(), "sender", "bench rings");
    const auto instance = shm::Instance::attach(folder.dir(), std::chrono::seconds{30});
    shm::RingProducer<Slot64> out(instance, "in");
    while (Atomics::load_acquire(woken->attached) == 0)
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    std::this_thread::sleep_for(parked / 4);  // past its first, quick polls
    const double before = cpu_ns_of(stage.pid());
    const std::uint64_t wall = clock_monotonic_ns();
    std::this_thread::sleep_for(parked);
    share = (cpu_ns_of(stage.pid()) - before) / static_cast<double>(clock_monotonic_ns() - wall);
    sent = ticks_before();
    require(out.try_push(Slot64::of(0)), "parked ring full");
  }
  round.add(name + "_cpu", "%", share * 100);
  round.add(name + "_wake", "us", tsc().ns(Atomics::load_acquire(woken->cycles) - sent) / 1e3);
}

// Two processes that yield to each other on one core: what a change costs here. Without any ring.
void measure_switch(Round& round, std::uint64_t count) {
  const Shared<Woken> woken;
  const Partner other(Party::kProcess, Core::kFirst, [&woken] {
    Atomics::store_release(woken->attached, 1);  // release, acquire: words of their own, as above
    while (Atomics::load_acquire(woken->cycles) == 0)
      ::sched_yield();
  });
  while (Atomics::load_acquire(woken->attached) == 0)
    ::sched_yield();
  const std::uint64_t begun = ticks_before();
  for (std::uint64_t i = 0; i < count; ++i)
    ::sched_yield();
  const double ns = tsc().ns(ticks_after() - begun);
  Atomics::store_release(woken->cycles, 1);
  round.add("yield_switch", "us", ns / 1e3 / static_cast<double>(2 * count));  // there and back
}

}  // namespace

void plan_idling(std::vector<Trial>& trials, Effort effort) {
  const std::chrono::milliseconds parked{effort == Effort::kFull ? 200 : 10};
  const auto laps = [effort](std::uint64_t full) { return amount(effort, full); };
  trials.push_back({"idle", [=](Round& round) {
                      measure_loop(round, IdleMode::kYield, "loop5_yield", laps(20'000));
                    }});
  trials.push_back({"idle", [=](Round& round) {
                      measure_switch(round, laps(20'000));
                      measure_loop(round, IdleMode::kBackoff, "loop5_backoff", laps(20'000));
                    }});
  trials.push_back({"idle", [=](Round& round) {
                      measure_parked(round, IdleMode::kYield, "parked_yield", parked);
                    }});
  trials.push_back({"idle", [=](Round& round) {
                      measure_parked(round, IdleMode::kBackoff, "parked_backoff", parked);
                    }});
}

}  // namespace sluice::bench
