// Group `costs`: what the parts of shared memory take by themselves, in one process whose caches
// are warm: nanoseconds an operation. And what an attach takes at start-up.

#include <chrono>

#include "bench/rings/clock.hpp"
#include "bench/rings/link.hpp"
#include "bench/rings/plan.hpp"
#include "bench/rings/ring_files.hpp"
#include "bench/rings/stage_parts.hpp"
#include "shm/board.hpp"

namespace sluice::bench {
namespace {

constexpr std::uint64_t kOperations = 1'000'000;
constexpr std::uint32_t kRows = 64;
constexpr std::size_t kValues = 1'024;

// Nanoseconds of one of `count` calls of operation(i).
template <class F>
double each(std::uint64_t count, F&& operation) {
  for (std::uint64_t i = 0; i < count / 10; ++i)
    operation(i);
  const std::uint64_t begun = ticks_after();
  for (std::uint64_t i = 0; i < count; ++i)
    operation(i);
  return tsc().ns(ticks_after() - begun) / static_cast<double>(count);
}

// Keeps the compiler from leaving out what it was computed for.
template <class T>
void keep(const T& value) {
  asm volatile("" : : "m"(value) : "memory");
}

shm::Layout costs_layout() {
  shm::Layout layout;
  layout.rings = {
      shm::ring_spec<Slot64>("ring", 4'096, shm::RingPolicy::kRefuse, kStageRole, kStageRole)};
  layout.boards = {shm::board_spec<Slot64>("board", kRows, kStageRole)};
  layout.pages = {{kStageRole, &kStageMetrics}};
  return layout;
}

void measure_costs(Round& round, std::uint64_t count) {
  LayoutFolder folder;
  folder.create(costs_layout());
  const auto role = shm::RoleLock::acquire(folder.dir(), kStageRole, "bench rings");
  const auto instance = shm::Instance::attach(folder.dir(), std::chrono::seconds{30});

  shm::BoardWriter<Slot64> writer(instance, "board");
  const shm::BoardReader<Slot64> reader(instance, "board");
  round.add("board_write", "ns", each(count, [&](std::uint64_t i) {
              writer.store(static_cast<std::uint32_t>(i % kRows), Slot64::of(i));
            }));
  std::uint64_t torn = 0;
  round.add("board_read", "ns", each(count, [&](std::uint64_t i) {
              Slot64 row;
              const bool ok =
                  reader.load(static_cast<std::uint32_t>(i % kRows), row) == shm::BoardRead::kOk;
              torn += !ok || row.sum() != Slot64::of(row.number).sum();
              keep(row);
            }));
  require(torn == 0, "a board row was not what was written");

  shm::StagePage page(instance, kStageRole, kStageMetrics);
  std::array<std::int64_t, kValues> values{};
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<std::int64_t>((kEcho * (i + 1)) >> 44);  // up to a millisecond
  round.add("histogram_record", "ns", each(count, [&](std::uint64_t i) {
              page.record(StageMetric::kHop, values[i % kValues]);
            }));
  round.add("counter_add", "ns",
            each(count, [&](std::uint64_t) { page.add(StageMetric::kRecords, 1); }));
  round.add("clock_read", "ns", each(count, [&](std::uint64_t) { keep(instance.now()); }));
  const shm::OperatorTrip::View trips(instance);
  round.add("trip_look", "ns", each(count, [&](std::uint64_t) { keep(trips.any(1)); }));

  shm::RingProducer<Slot64> out(instance, "ring");
  shm::RingConsumer<Slot64> in(instance, "ring");
  std::uint64_t wrong = 0;
  round.add("ring_push_peek_release", "ns", each(count, [&](std::uint64_t i) {
              wrong += !out.try_push(Slot64::of(i));
              Slot64 copy;
              wrong += !in.peek(copy);
              in.release();
              wrong += copy.sum() != Slot64::of(i).sum();
            }));
  require(wrong == 0, "a ring within one process lost a record");
}

void measure_attach(Round& round, std::uint64_t times) {
  LayoutFolder folder;
  folder.create(costs_layout());
  const auto role = shm::RoleLock::acquire(folder.dir(), kStageRole, "bench rings");
  const auto instance = shm::Instance::attach(folder.dir(), std::chrono::seconds{30});
  round.add("attach_instance", "us",
            each(times, [&](std::uint64_t) {
              keep(shm::Instance::attach(folder.dir(), std::chrono::seconds{30}).generation());
            }) / 1e3);
  round.add("attach_producer", "us", each(times, [&](std::uint64_t) {
                                       keep(shm::RingProducer<Slot64>(instance, "ring").tail());
                                     }) / 1e3);
  round.add("attach_consumer", "us", each(times, [&](std::uint64_t) {
                                       keep(shm::RingConsumer<Slot64>(instance, "ring").head());
                                     }) / 1e3);
}

}  // namespace

void plan_costs(std::vector<Trial>& trials, Effort effort) {
  trials.push_back({"costs", [effort](Round& round) {
                      measure_costs(round, amount(effort, kOperations));
                      measure_attach(round, effort == Effort::kFull ? 50 : 2);
                    }});
}

}  // namespace sluice::bench
