// Group `open`: records that arrive when they arrive. The sender follows a schedule drawn in
// advance (exponential intervals, a fixed seed) and never waits for an answer; the latency of a
// record counts from the instant it was due, so a sender that was held up does not hide the delay.

#include <random>

#include "bench/rings/boost_link.hpp"
#include "bench/rings/measure.hpp"
#include "bench/rings/moodycamel_link.hpp"
#include "bench/rings/plan.hpp"
#include "bench/rings/ring_link.hpp"
#include "bench/rings/statistics.hpp"
#include "shm/atomics.hpp"

namespace sluice::bench {
namespace {

using Atomics = shm::StdAtomics;
constexpr std::uint64_t kWarmUp = 20'000;
constexpr std::uint64_t kRecords = 200'000;
constexpr std::uint64_t kSeed = 20261120;
constexpr double kStartAheadNs = 2e6;

std::vector<std::uint64_t> due_cycles(std::uint64_t records, double mega_per_s) {
  std::mt19937_64 random(kSeed);
  std::exponential_distribution<double> interval(mega_per_s / 1e3 * tsc().ns_per_cycle);
  std::vector<std::uint64_t> due(records);
  double at = 0;
  for (std::uint64_t& one : due) {
    at += interval(random);
    one = static_cast<std::uint64_t>(at);
  }
  return due;
}

struct Start {
  Atomics::Word cycles{0};  // 0: not yet
};

template <Link L>
std::vector<std::uint64_t> arrivals_late_by(L& link, const std::vector<std::uint64_t>& due,
                                            std::uint64_t warm_up) {
  using Message = typename L::Message;
  const Shared<Start> start;
  const Partner sender(L::kParty, Core::kSecond, [&] {
    auto side = link.open(End::kPartner);
    std::uint64_t begin = 0;
    // acquire: pairs with the release below; nothing but the number itself is read.
    while ((begin = Atomics::load_acquire(start->cycles)) == 0)
      relax(1);
    for (std::uint64_t i = 0; i < due.size(); ++i) {
      const Message message = Message::of(i);
      while (__rdtsc() < begin + due[i]) {
      }
      send(side, message);
    }
  });
  auto side = link.open(End::kParent);
  const auto ahead = static_cast<std::uint64_t>(kStartAheadNs / tsc().ns_per_cycle);
  const std::uint64_t begin = __rdtsc() + ahead;
  Atomics::store_release(start->cycles, begin);  // release: see above
  Arrivals arrivals;
  std::vector<std::uint64_t> late;
  late.reserve(due.size());
  while (arrivals.received() < due.size()) {
    const std::size_t taken = side.receive([&](const Message& message) {
      const std::uint64_t now = ticks_after();
      const std::uint64_t wanted = begin + due[arrivals.received()];
      arrivals.take(message);
      if (arrivals.received() > warm_up)
        late.push_back(now > wanted ? now - wanted : 0);
    });
    if (taken == 0)
      relax(1);
  }
  arrivals.check<Message>(due.size(), L::kName);
  return late;
}

template <Link L, class... Args>
void add(std::vector<Trial>& trials, Effort effort, double mega_per_s, Args... args) {
  trials.push_back(
      {"open", [=](Round& round) {
         L link(args...);
         const std::uint64_t warm_up = amount(effort, kWarmUp);
         auto late = arrivals_late_by(
             link, due_cycles(warm_up + amount(effort, kRecords), mega_per_s), warm_up);
         const std::string name =
             "open_" + std::to_string(static_cast<int>(mega_per_s)) + "m_" + L::kName;
         const Tsc& clock = tsc();
         round.add(name + "_p50", "ns", clock.ns(percentile(late, 0.5, clock.tick)));
         round.add(name + "_p99", "ns", clock.ns(percentile(late, 0.99, clock.tick)));
         round.add(name + "_p999", "ns", clock.ns(percentile(late, 0.999, clock.tick)));
         round.add(name + "_max", "ns", clock.ns(percentile(late, 1, clock.tick)));
       }});
}

}  // namespace

void plan_open_loop(std::vector<Trial>& trials, Effort effort) {
  constexpr std::size_t kSlots = 4'096;
  for (const double mega_per_s : {1.0, 5.0}) {
    add<RingLink<7, kSlots, Publish::kSingly>>(trials, effort, mega_per_s, std::size_t{256});
    add<BoostLink<8, kSlots, 1>>(trials, effort, mega_per_s);
    add<MoodycamelLink<8, kSlots>>(trials, effort, mega_per_s);
  }
}

}  // namespace sluice::bench
