// Group `hop`: everything shared memory adds to a hop. The round trip of group `rtt`, but both
// sides do what a stage does with a record: read the clock, beat, look at the kill words, record
// the hop's latency, count. Half of what that takes more than the floor is the price of a hop.

#include "bench/rings/floor_link.hpp"
#include "bench/rings/measure.hpp"
#include "bench/rings/plan.hpp"
#include "bench/rings/ring_files.hpp"
#include "bench/rings/stage_parts.hpp"
#include "bench/rings/statistics.hpp"

namespace sluice::bench {
namespace {

class StageLink {
  static constexpr const char* kEcho = "echo";

 public:
  using Message = Slot64;
  static constexpr const char* kName = "stage";
  static constexpr Party kParty = Party::kProcess;
  static constexpr bool kPolls = true;

  class Side {
   public:
    Side(const std::string& dir, const char* role, const char* out, const char* in)
        : role_(shm::RoleLock::acquire(dir, role, "bench rings")),
          instance_(shm::Instance::attach(dir, std::chrono::seconds{30})),
          page_(instance_, role, kStageMetrics),
          trips_(instance_),
          out_(instance_, out),
          in_(instance_, in) {}

    bool try_send(Message message) noexcept {
      message.echo[0] = static_cast<std::uint64_t>(instance_.now().ns);
      return out_.try_push(message);
    }
    void flush() noexcept {}
    template <class F>
    std::size_t receive(F&& fn) noexcept {
      Message message;
      if (!in_.peek(message))
        return 0;
      const MonoNanos now = instance_.now();
      if (now.ns - beat_.ns >= 1'000'000) {
        beat_ = now;
        page_.beat(now);
      }
      if (trips_.any(1))
        return 0;
      page_.record(StageMetric::kHop, now.ns - static_cast<std::int64_t>(message.echo[0]));
      page_.add(StageMetric::kRecords, 1);
      message.echo[0] = Message::of(message.number).echo[0];  // for the sum
      fn(message);
      in_.release();
      return 1;
    }

   private:
    shm::RoleLock role_;
    shm::Instance instance_;
    shm::StagePage page_;
    shm::OperatorTrip::View trips_;
    shm::RingProducer<Message> out_;
    shm::RingConsumer<Message> in_;
    MonoNanos beat_{};
  };

  StageLink() {
    shm::Layout layout;
    layout.rings = {
        shm::ring_spec<Message>("there", 4'096, shm::RingPolicy::kRefuse, kStageRole, kEcho),
        shm::ring_spec<Message>("back", 4'096, shm::RingPolicy::kRefuse, kEcho, kStageRole)};
    layout.pages = {{kStageRole, &kStageMetrics}, {kEcho, &kStageMetrics}};
    folder_.create(layout);
  }
  [[nodiscard]] Side open(End end) const {
    return end == End::kParent ? Side(folder_.dir(), kStageRole, "there", "back")
                               : Side(folder_.dir(), kEcho, "back", "there");
  }

 private:
  LayoutFolder folder_;
};

}  // namespace

void plan_hop(std::vector<Trial>& trials, Effort effort) {
  trials.push_back(
      {"hop", [effort](Round& round) {
         StageLink link;
         auto samples = round_trips(link, amount(effort, kWarmUpTrips), amount(effort, 30'000));
         const Tsc& clock = tsc();
         const double p50 = clock.ns(percentile(samples, 0.5, clock.tick));
         FloorLink floor;
         auto bare = round_trips(floor, amount(effort, kWarmUpTrips), amount(effort, 30'000));
         const double bare_p50 = clock.ns(percentile(bare, 0.5, clock.tick));
         round.add("rtt_stage_p50", "ns", p50);
         round.add("hop_added_p50", "ns", (p50 - bare_p50) / 2);
         round.add("rtt_stage_p99", "ns", clock.ns(percentile(samples, 0.99, clock.tick)));
       }});
}

}  // namespace sluice::bench
