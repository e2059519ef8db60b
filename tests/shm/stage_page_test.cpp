// What a process tells all others, alive or dead; and the operator's kill words.

#include "shm/stage_page.hpp"

#include <thread>
#include <vector>

#include "tests/shm/shm_fixture.hpp"

namespace sluice::shm::test {
namespace {

enum class RiskMetric : std::uint32_t { kIntents, kWorking, kApproveNs, kCount };
constexpr auto kRiskRows =
    metric_rows<RiskMetric>({{RiskMetric::kIntents, "intents", "1", MetricKind::kCounter},
                             {RiskMetric::kWorking, "working", "1", MetricKind::kGauge},
                             {RiskMetric::kApproveNs, "approve", "ns", MetricKind::kHistogram}});
constexpr MetricTable kRiskMetrics{kRiskRows};

enum class OtherMetric : std::uint32_t { kIntents, kCount };
constexpr auto kOtherRows =
    metric_rows<OtherMetric>({{OtherMetric::kIntents, "intents", "1", MetricKind::kCounter}});
constexpr MetricTable kOtherMetrics{kOtherRows};

class Page : public ShmTest {
 protected:
  void SetUp() override {
    ShmTest::SetUp();
    Layout layout = small_layout();
    layout.pages.push_back({"risk", &kRiskMetrics});
    create_layout(layout, false);
  }
};

TEST_F(Page, StageThatNeverStartedIsStopped) {
  const StageView view(dir(), "risk");
  EXPECT_EQ(view.state(), StageState::kStopped);
  EXPECT_EQ(view.pid(), 0);
  EXPECT_EQ(view.heartbeat_ns().ns, 0);
  EXPECT_FALSE(view.tripped(0));
}

TEST_F(Page, LivenessTripsAndMarksAreSeenByReaders) {
  const RoleLock owning = role("risk");
  const Instance instance = attach();
  StagePage page(instance, "risk", kRiskMetrics);
  const StageView view(instance, "risk");
  EXPECT_EQ(view.state(), StageState::kStarting);
  EXPECT_EQ(view.pid(), getpid());
  EXPECT_GT(view.heartbeat_ns().ns, 0);
  page.set_state(StageState::kLive);
  page.beat(MonoNanos{1234});
  page.set_incarnation(7);
  page.set_mark(3, 99);
  page.note_duty(500);
  page.note_duty(400);
  EXPECT_EQ(view.state(), StageState::kLive);
  EXPECT_EQ(view.heartbeat_ns().ns, 1234);
  EXPECT_EQ(view.incarnation(), 7u);
  EXPECT_EQ(view.mark(3), 99u);
  EXPECT_EQ(view.duty_max_ns(), 500u);

  page.set_trip(5, 2);
  EXPECT_EQ(view.trip(5), 2u);
  EXPECT_TRUE(view.tripped(5));
  EXPECT_FALSE(view.tripped(6));
  page.set_trip(kTripScopeEverything, 1);
  EXPECT_TRUE(view.tripped(6));
  page.set_trip(kTripScopeEverything, 0);
  EXPECT_FALSE(view.tripped(6));
  EXPECT_TRUE(view.tripped(kTripScopes)) << "a scope that does not exist is no permission";
}

TEST_F(Page, QuietPageKeepsItsMetricsAndStillTellsThatItLives) {
  const RoleLock owning = role("risk");
  const Instance instance = attach();
  StagePage page(instance, "risk", kRiskMetrics);
  const StageView view(instance, "risk");
  page.add(RiskMetric::kIntents, 3);
  page.set(RiskMetric::kWorking, 1);
  page.record(RiskMetric::kApproveNs, 10);
  page.set_quiet(true);
  page.add(RiskMetric::kIntents, 4);
  page.set(RiskMetric::kWorking, 2);
  page.record(RiskMetric::kApproveNs, 20);
  page.record(RiskMetric::kApproveNs, -1);
  page.beat(MonoNanos{77});
  page.set_state(StageState::kRecovering);
  page.set_trip(1, 2);
  EXPECT_EQ(view.counter(RiskMetric::kIntents), 3u);
  EXPECT_EQ(view.gauge(RiskMetric::kWorking), 1);
  EXPECT_EQ(view.histogram(RiskMetric::kApproveNs).count(), 1u);
  EXPECT_EQ(view.histogram(RiskMetric::kApproveNs).negative, 0u);
  EXPECT_EQ(view.heartbeat_ns().ns, 77);
  EXPECT_EQ(view.state(), StageState::kRecovering);
  EXPECT_EQ(view.trip(1), 2u);
  page.set_quiet(false);
  page.add(RiskMetric::kIntents, 5);
  EXPECT_EQ(view.counter(RiskMetric::kIntents), 8u);
}

TEST_F(Page, StartsAndLoopTimeAddUpOverAllProcessesOfAStage) {
  const RoleLock owning = role("risk");
  const Instance instance = attach();
  const StageView view(instance, "risk");
  EXPECT_EQ(view.starts(), 0u);
  for (std::uint64_t start = 1; start <= 3; ++start) {
    StagePage page(instance, "risk", kRiskMetrics);
    page.add_loop_time(1000, 250);
    EXPECT_EQ(view.starts(), start);
  }
  EXPECT_EQ(view.loop_ns(), 3000u);
  EXPECT_EQ(view.busy_ns(), 750u);
}

TEST_F(Page, MetricsAreReadableByNameAfterTheProcessDied) {
  Child risk([&] {
    const RoleLock owning = role("risk");
    const Instance instance = attach();
    StagePage page(instance, "risk", kRiskMetrics);
    page.add(RiskMetric::kIntents, 3);
    page.add(RiskMetric::kIntents, 4);
    page.set(RiskMetric::kWorking, -2);
    for (int i = 1; i <= 100; ++i)
      page.record(RiskMetric::kApproveNs, i * 1000);
    page.record(RiskMetric::kApproveNs, -5);
    page.record(RiskMetric::kApproveNs, std::int64_t{1} << 40);
    page.set_state(StageState::kLive);
    raise(SIGKILL);
    return 0;
  });
  ASSERT_EQ(risk.wait(), -SIGKILL);
  const StageView view(dir(), "risk");
  EXPECT_EQ(view.counter(RiskMetric::kIntents), 7u);
  EXPECT_EQ(view.gauge(RiskMetric::kWorking), -2);
  ASSERT_EQ(view.metrics().size(), 3u);
  EXPECT_EQ(view.metrics()[2].name, "approve");
  EXPECT_EQ(view.metrics()[2].unit, "ns");
  EXPECT_EQ(view.find("approve"), 2u);
  EXPECT_EQ(view.find("nothing"), 3u);
  const HistogramSnapshot approve = view.histogram(view.find("approve"));
  EXPECT_EQ(approve.count(), 101u);
  EXPECT_EQ(approve.negative, 1u);
  EXPECT_EQ(approve.overflow, 1u);
  EXPECT_EQ(approve.max, std::uint64_t{1} << 40);
  EXPECT_NEAR(static_cast<double>(approve.percentile(0.5)), 51'000.0, 510.0);
  EXPECT_EQ(view.counter(17u), 0u) << "an unknown metric";
}

TEST_F(Page, CountersAndTripsStandAcrossARestartOfTheStage) {
  const RoleLock owning = role("risk");
  const Instance instance = attach();
  {
    StagePage page(instance, "risk", kRiskMetrics);
    page.add(RiskMetric::kIntents, 5);
    page.set_trip(1, 8);
    page.set_state(StageState::kFailed);
  }
  StagePage page(instance, "risk", kRiskMetrics);
  page.add(RiskMetric::kIntents, 1);
  const StageView view(instance, "risk");
  EXPECT_EQ(view.counter(RiskMetric::kIntents), 6u);
  EXPECT_EQ(view.trip(1), 8u);
  EXPECT_EQ(view.state(), StageState::kStarting);
}

TEST_F(Page, PageMadeForOtherMetricsIsRefused) {
  const RoleLock owning = role("risk");
  const Instance instance = attach();
  const auto open_page = [&] { StagePage(instance, "risk", kOtherMetrics); };
  EXPECT_EQ(status_of(open_page), AttachStatus::kWrongLayout);
  EXPECT_TRUE(says(error_of(open_page).what(), {"stage.risk", "schema hash"}));
}

TEST_F(Page, MetricUsedAsAnotherKindStopsTheProcess) {
  Child risk([&] {
    freopen("/dev/null", "w", stderr);  // the assertion's line is expected
    const RoleLock owning = role("risk");
    StagePage page(attach(), "risk", kRiskMetrics);
    page.record(RiskMetric::kIntents, 1);
    return 0;
  });
  EXPECT_EQ(risk.wait(), -SIGABRT);
}

TEST_F(Page, ErrorsAreKeptOnceWithFirstLastAndCount) {
  const RoleLock owning = role("risk");
  const Instance instance = attach();
  StagePage page(instance, "risk", kRiskMetrics);
  page.error(3, "first text", MonoNanos{10});
  page.error(4, "first text", MonoNanos{20});
  page.error(3, "first text", MonoNanos{30});
  page.error(3, std::string(500, 'x'), MonoNanos{40});
  const std::vector<ErrorLine> errors = StageView(instance, "risk").errors();
  ASSERT_EQ(errors.size(), 3u);
  EXPECT_EQ(errors[0].code, 3u);
  EXPECT_EQ(errors[0].text, "first text");
  EXPECT_EQ(errors[0].count, 2u);
  EXPECT_EQ(errors[0].first_ns.ns, 10);
  EXPECT_EQ(errors[0].last_ns.ns, 30);
  EXPECT_EQ(errors[1].code, 4u);
  EXPECT_EQ(errors[2].text, std::string(kErrorTextBytes, 'x'));
}

TEST_F(Page, FullErrorTableCountsWhatItCannotKeep) {
  const RoleLock owning = role("risk");
  const Instance instance = attach();
  StagePage page(instance, "risk", kRiskMetrics);
  for (std::uint32_t code = 0; code < kErrorLines + 5; ++code)
    page.error(code, "x", MonoNanos{1});
  const StageView view(instance, "risk");
  EXPECT_EQ(view.errors().size(), kErrorLines);
  EXPECT_EQ(view.errors_lost(), 5u);
}

// Method: four threads report the same few errors at once; every report must be counted in the one
// line of its error.
TEST_F(Page, ErrorsOfSeveralThreadsMeetInOneLine) {
  const RoleLock owning = role("risk");
  const Instance instance = attach();
  StagePage page(instance, "risk", kRiskMetrics);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&page] {
      for (std::uint32_t i = 0; i < 3000; ++i)
        page.error(i % 3, "shared", MonoNanos{i});
    });
  for (std::thread& thread : threads)
    thread.join();
  const std::vector<ErrorLine> errors = StageView(instance, "risk").errors();
  ASSERT_EQ(errors.size(), 3u);
  for (const ErrorLine& error : errors)
    EXPECT_EQ(error.count, 4000u);
}

TEST_F(Page, OperatorsKillWordIsSetWithoutAnyRoleAndClearedWithOne) {
  const Instance instance = attach();
  const OperatorTrip::View view(instance);
  EXPECT_FALSE(view.any(3));
  const RoleLock somebody = role("operator");  // held: setting must work all the same
  OperatorTrip::set(dir(), 3, 1);
  OperatorTrip::set(dir(), 3, 4);
  OperatorTrip::set(dir(), 3, 4);
  EXPECT_EQ(view.word(3), 5u);
  EXPECT_TRUE(view.any(3));
  EXPECT_FALSE(view.any(4));
  OperatorTrip::clear(dir(), 3, somebody);
  EXPECT_FALSE(view.any(3));
  OperatorTrip::set(dir(), kTripScopeEverything, 1);
  EXPECT_TRUE(view.any(4));
  EXPECT_TRUE(view.any(kTripScopes)) << "a scope that does not exist is no permission";
}

TEST_F(Page, KillWordIsNotClearedUnderAnotherRole) {
  OperatorTrip::set(dir(), 0, 1);
  const RoleLock wrong = role("risk");
  EXPECT_EQ(error_of([&] { OperatorTrip::clear(dir(), 0, wrong); }).code(), ExitCode::kBug);
  EXPECT_TRUE(OperatorTrip::View(attach()).any(0));
}

TEST_F(Page, KillWordsThatMeanNothingAreRefused) {
  EXPECT_EQ(error_of([&] { OperatorTrip::set(dir(), 0, 0); }).code(), ExitCode::kUsage);
  EXPECT_EQ(error_of([&] { OperatorTrip::set(dir(), kTripScopes, 1); }).code(), ExitCode::kUsage);
}

}  // namespace
}  // namespace sluice::shm::test
