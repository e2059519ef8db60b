// Groups `throughput` and `bulk`: one way, as fast as it goes.
//
// The receiver of a polling queue looks at an empty one again at once (1 pause), the same for all.
// NAME_rested is the same with 8 pauses (100 to 200 ns, time for records to gather).

#include "bench/rings/boost_link.hpp"
#include "bench/rings/descriptor_link.hpp"
#include "bench/rings/floor_link.hpp"
#include "bench/rings/measure.hpp"
#include "bench/rings/moodycamel_link.hpp"
#include "bench/rings/plan.hpp"
#include "bench/rings/ring_link.hpp"
#include "bench/rings/zeromq_link.hpp"

namespace sluice::bench {
namespace {

constexpr std::uint64_t kFast = 3'000'000;
constexpr std::uint64_t kSlow = 100'000;  // system calls
constexpr std::size_t kDrainLimit = 256;  // records our consumer takes before it gives back
constexpr std::size_t kBatch = 32;        // of boost
constexpr std::uint32_t kBulkSlots = 65'536;
constexpr unsigned kTight = 1;  // pauses between two looks at an empty queue
constexpr unsigned kRested = 8;

struct Job {
  std::string name;
  std::uint64_t warm_up;
  std::uint64_t count;
};

template <Link L, class... Args>
void add(std::vector<Trial>& trials, const std::string& group, const Job& job, Args... args) {
  trials.push_back({group, [job, args...](Round& round) {
                      const auto measure = [&](const std::string& name, unsigned pauses) {
                        L link(args...);
                        round.add(name, "M/s", one_way(link, job.warm_up, job.count, pauses));
                      };
                      measure(job.name, kTight);
                      if constexpr (L::kPolls)
                        measure(job.name + "_rested", kRested);
                    }});
}

// The ring and boost with one size of slot and one number of slots.
template <std::size_t kWords, std::uint32_t kSlots>
void add_queues(std::vector<Trial>& trials, const std::string& group, Effort effort) {
  const std::string prefix =
      "stream_" + std::to_string(kWords * 8) + "_" + std::to_string(kSlots) + "_";
  const auto job = [&](const char* name) {
    return Job{prefix + name, amount(effort, 2 * kSlots),
               amount(effort, std::max<std::uint64_t>(kFast * 8 / kWords, 20 * kSlots))};
  };
  add<RingLink<kWords - 1, kSlots, Publish::kSingly>>(trials, group, job("ring"), kDrainLimit);
  add<RingLink<kWords - 1, kSlots, Publish::kInBatches>>(trials, group, job("ring_batched"),
                                                         kDrainLimit);
  add<BoostLink<kWords, kSlots, 1>>(trials, group, job("boost"));
  add<BoostLink<kWords, kSlots, kBatch>>(trials, group, job("boost_batched"));
}

template <class Prefetch, Publish kPublish>
void add_taps(std::vector<Trial>& trials, Effort effort, const std::string& name) {
  add<RingLink<31, kBulkSlots, kPublish, Prefetch>>(
      trials, "bulk", Job{name, amount(effort, 2 * kBulkSlots), amount(effort, 800'000)},
      kDrainLimit);
}

}  // namespace

void plan_throughput(std::vector<Trial>& trials, Effort effort) {
  constexpr std::uint32_t kSlots = 4'096;
  const std::string group = "throughput";
  const Job fast{"stream_64_4096_", amount(effort, 2 * kSlots), amount(effort, kFast)};
  const Job slow{"stream_64_4096_", amount(effort, 1'000), amount(effort, kSlow)};
  const auto named = [](Job job, const char* link) {
    job.name += link;
    return job;
  };
  add<FloorLink>(trials, group, named(fast, "floor"));
  add_queues<8, kSlots>(trials, group, effort);
  add<MoodycamelLink<8, kSlots>>(trials, group, named(fast, "moodycamel"));
  add<DescriptorLink<8, Stream::kPipe>>(trials, group, named(slow, "pipe"));
  add<DescriptorLink<8, Stream::kUnix>>(trials, group, named(slow, "unix"));
  add<ZeromqLink<8>>(trials, group, named(slow, "zeromq"));
  add_queues<16, kSlots>(trials, group, effort);
  add_queues<24, kSlots>(trials, group, effort);
  add_queues<8, 1'024>(trials, group, effort);
}

void plan_bulk(std::vector<Trial>& trials, Effort effort) {
  add_queues<8, kBulkSlots>(trials, "bulk", effort);
  add_taps<shm::NoPrefetch, Publish::kSingly>(trials, effort, "tap_ring");
  add_taps<shm::NoPrefetch, Publish::kInBatches>(trials, effort, "tap_ring_batched");
}

}  // namespace sluice::bench
