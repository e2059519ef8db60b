// Group `rtt`: 64-byte round trips over 4,096 slots, every transport.

#include "bench/rings/boost_link.hpp"
#include "bench/rings/descriptor_link.hpp"
#include "bench/rings/floor_link.hpp"
#include "bench/rings/measure.hpp"
#include "bench/rings/moodycamel_link.hpp"
#include "bench/rings/plan.hpp"
#include "bench/rings/ring_link.hpp"
#include "bench/rings/statistics.hpp"
#include "bench/rings/zeromq_link.hpp"

namespace sluice::bench {
namespace {

constexpr std::uint64_t kPolledTrips = 50'000;
constexpr std::uint64_t kBlockingTrips = 2'000;  // 40 us each and more

template <Link L, class... Args>
void add(std::vector<Trial>& trials, Effort effort, Args... args) {
  trials.push_back(
      {"rtt", [effort, args...](Round& round) {
         L link(args...);
         auto samples = round_trips(link, amount(effort, L::kPolls ? kWarmUpTrips : 500),
                                    amount(effort, L::kPolls ? kPolledTrips : kBlockingTrips));
         const std::string name = std::string("rtt_") + L::kName;
         const Tsc& clock = tsc();
         round.add(name + "_p50", "ns", clock.ns(percentile(samples, 0.5, clock.tick)));
         round.add(name + "_p99", "ns", clock.ns(percentile(samples, 0.99, clock.tick)));
         if (L::kPolls)  // a closed loop is trusted up to here
           round.add(name + "_p999", "ns", clock.ns(percentile(samples, 0.999, clock.tick)));
       }});
}

}  // namespace

void plan_round_trips(std::vector<Trial>& trials, Effort effort) {
  constexpr std::size_t kSlots = 4'096;
  add<FloorLink>(trials, effort);
  add<RingLink<7, kSlots, Publish::kSingly>>(trials, effort, std::size_t{1});
  add<BoostLink<8, kSlots, 1>>(trials, effort);
  add<MoodycamelLink<8, kSlots>>(trials, effort);
  add<DescriptorLink<8, Stream::kPipe>>(trials, effort);
  add<DescriptorLink<8, Stream::kUnix>>(trials, effort);
  add<ZeromqLink<8>>(trials, effort);
}

}  // namespace sluice::bench
