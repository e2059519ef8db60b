// The stage page: heartbeat, state, marks, trips, metrics, and the table of distinct errors.

#include "shm/stage_page.hpp"

#include <algorithm>
#include <functional>

#include "tests/crash/crash_fixture.hpp"

namespace sluice::shm::test {
namespace {

enum class Metric : std::uint32_t { kTurns, kTurnNs, kCount };
constexpr auto kRowsOfMetrics =
    metric_rows<Metric>({{Metric::kTurns, "turns", "1", MetricKind::kCounter},
                         {Metric::kTurnNs, "turn", "ns", MetricKind::kHistogram}});
constexpr MetricTable kMetrics{kRowsOfMetrics};

constexpr const char* kStage = "worker";
constexpr std::uint32_t kMark = 3;
constexpr std::uint32_t kScope = 5;
constexpr const char* kText = "an error whose text takes several words";

class StageCrash : public CrashTest {
 protected:
  // `operate(page, dying)` dies; `judge` returns how many of its steps stand.
  template <class Operate>
  [[nodiscard]] Operation dying_stage(const std::string& name, Operate operate) const {
    Operation operation;
    operation.name = name;
    operation.layout.dir = dir();
    operation.layout.instance = "crash";
    operation.layout.build_id = 1;
    operation.layout.pages.push_back({kStage, &kMetrics});
    operation.files = {stage_file(kStage)};
    operation.role = kStage;
    operation.repeatable = false;  // the page says the pid and when it was attached
    operation.act = [operate](const std::string& folder, Dying& dying) {
      const RoleLock role = RoleLock::acquire(folder, kStage, "the one who dies");
      const Instance instance = Instance::attach(folder, std::chrono::milliseconds{0});
      StagePage page(instance, kStage, kMetrics);
      dying.begin();
      operate(page, dying);
      dying.end();
    };
    return operation;
  }
};

std::uint64_t steps_seen(const StageView& view) {
  const std::uint64_t seen =
      (view.state() == StageState::kLive ? 1U : 0U) + (view.incarnation() == 7 ? 1U : 0U) +
      (view.heartbeat_ns().ns == 42 ? 1U : 0U) + (view.mark(kMark) == 99 ? 1U : 0U) +
      (view.trip(kScope) == 8 ? 1U : 0U);
  return seen;
}

// Whoever sees a step also sees those before it.
bool in_order(const StageView& view) {
  const std::array<bool, 5> steps{view.state() == StageState::kLive, view.incarnation() == 7,
                                  view.heartbeat_ns().ns == 42, view.mark(kMark) == 99,
                                  view.trip(kScope) == 8};
  return std::is_sorted(steps.begin(), steps.end(), std::greater<>{});
}

TEST_F(StageCrash, WordsOfTheDeadStandInTheOrderTheyWereWritten) {
  Operation operation =
      dying_stage("stage: state, incarnation, beat, mark, trip", [](StagePage& page, Dying&) {
        page.set_state(StageState::kLive);
        page.set_incarnation(7);
        page.beat(MonoNanos{42});
        page.set_mark(kMark, 99);
        page.set_trip(kScope, 8);
      });
  operation.whole = 5;
  operation.least_images = 6;
  operation.judge = [](Scene& scene, const Image& before, const Image& image, Faults& faults) {
    const RoleLock role = scene.role(kStage);
    scene.files.restore(before.bytes);
    const StageView view(scene.instance, kStage);
    scene.files.restore(image.bytes);
    faults.expect(in_order(view), "a later step stands and an earlier one does not");
    const std::uint64_t seen = steps_seen(view);
    faults.expect(view.tripped(kScope) == (seen == 5), "a trip that is neither set nor clear");
    const std::uint64_t mark = view.mark(kMark);
    StagePage successor(scene.instance, kStage, kMetrics);
    faults.expect(view.state() == StageState::kStarting && view.pid() == getpid(),
                  "the successor does not show");
    faults.expect(view.mark(kMark) == mark && view.tripped(kScope) == (seen == 5),
                  "mark or trip did not outlive their writer");
    return seen;
  };
  prove(operation);
}

TEST_F(StageCrash, MetricsOfTheDeadAreCountedOrNot) {
  Operation operation = dying_stage("stage: counter and histogram", [](StagePage& page, Dying&) {
    page.add(Metric::kTurns, 1);
    page.record(Metric::kTurnNs, 1000);
  });
  operation.whole = 2;
  operation.least_images = 5;
  operation.judge = [](Scene& scene, const Image& before, const Image& image, Faults& faults) {
    const RoleLock role = scene.role(kStage);
    scene.files.restore(before.bytes);
    const StageView view(scene.instance, kStage);
    scene.files.restore(image.bytes);
    const std::uint64_t turns = view.counter(Metric::kTurns);
    const HistogramSnapshot histogram = view.histogram(Metric::kTurnNs);
    faults.expect(turns <= 1 && histogram.count() <= turns, "counted out of order");
    // Sum and maximum come before the bucket: a value that counts is never above the maximum.
    faults.expect(histogram.count() == 0 || (histogram.sum == 1000 && histogram.max == 1000),
                  "a recorded value without its sum or maximum");
    StagePage successor(scene.instance, kStage, kMetrics);
    successor.add(Metric::kTurns, 1);
    successor.record(Metric::kTurnNs, 1000);
    faults.expect(view.counter(Metric::kTurns) == turns + 1 &&
                      view.histogram(Metric::kTurnNs).count() == histogram.count() + 1,
                  "the successor does not count on");
    return turns + histogram.count();
  };
  prove(operation);
}

TEST_F(StageCrash, ErrorOfTheDeadIsWholeOrAbsentAndTheSuccessorsIsShown) {
  Operation operation = dying_stage("stage: a new error", [](StagePage& page, Dying& dying) {
    page.error(17, kText, MonoNanos{5});
    dying.say(1);
  });
  operation.whole = 1;
  operation.least_images = 10;  // key, five words of text, code, stamps, ready, count
  operation.judge = [](Scene& scene, const Image& before, const Image& image, Faults& faults) {
    const RoleLock role = scene.role(kStage);
    scene.files.restore(before.bytes);
    const StageView view(scene.instance, kStage);
    scene.files.restore(image.bytes);
    const auto is_whole = [](const ErrorLine& line) {
      return line.code == 17 && line.text == kText;
    };
    const std::vector<ErrorLine> found = view.errors();
    faults.expect(found.empty() || (found.size() == 1 && is_whole(found[0])), "half an error");
    faults.expect(image.said <= found.size(), "an error that was told is lost");
    StagePage successor(scene.instance, kStage, kMetrics);
    successor.error(17, kText, MonoNanos{6});
    successor.error(18, kText, MonoNanos{7});
    const std::vector<ErrorLine> after = view.errors();
    faults.expect(after.size() == 2, "the successor's errors do not show");
    faults.expect(after.empty() || (is_whole(after[0]) && after[0].count >= 1),
                  "the successor's error is not whole");
    return std::uint64_t{found.size()};
  };
  prove(operation);
}

}  // namespace
}  // namespace sluice::shm::test
