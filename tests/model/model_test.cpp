// The shipped rings, boards and conflation under relacy, and the mutants that must fail.
//
// Method: see model.hpp. The random schedules are the same in every run. SLUICE_LONG=1 (from
// tools/test --long) tries many more, and searches more of them exhaustively.

#include "tests/model/model.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>

namespace sluice::model {
namespace {

constexpr std::uint64_t kSchedules = 40'000;
constexpr std::uint64_t kLongSchedules = 1'000'000;
constexpr std::uint64_t kMutantSchedules = 200'000;  // a mutant that lives longer survived

bool long_run() {
  const char* const asked = std::getenv("SLUICE_LONG");
  return asked != nullptr && std::string_view(asked) == "1";
}

const Scenario& scenario_named(std::string_view name) {
  for (const Scenario& scenario : scenarios())
    if (scenario.name == name)
      return scenario;
  ADD_FAILURE() << "no scenario " << name;
  return scenarios().front();
}

using shm::Sync;

// What relacy says of a mutant's failing schedule. Nothing else counts: a schedule without an end
// (LIVELOCK, the limit of steps included) shows that something is wrong, but not what was looked
// for.
constexpr const char* kRace = "DATA RACE";                // of the plain variables beside the words
constexpr const char* kAssertion = "USER ASSERT FAILED";  // of the scenario

struct FailingMutant {
  const char* how;
  Mutant mutant;
};
const std::vector<FailingMutant>& mutants() {
  static const std::vector<FailingMutant> all{
      // One for each order that has a name.
      {kRace, {"stamp stored relaxed by P", "stream", Sync::kStampPublish}},
      {kRace, {"stamp loaded relaxed by C", "stream", Sync::kStampTake}},
      {kRace, {"cursor stored relaxed by C", "stream", Sync::kCursorRelease}},
      {kRace, {"cursor loaded relaxed by P", "stream", Sync::kCursorRefresh}},
      {kAssertion, {"payload stored relaxed by P", "tool", Sync::kPayloadWrite}},
      {kAssertion, {"payload loaded relaxed by T", "tool", Sync::kPayloadCopy}},
      {kAssertion, {"tail stored relaxed by P", "tool", Sync::kTailPublish}},
      {kAssertion, {"tail loaded relaxed by T", "tool", Sync::kTailRead}},
      {kAssertion, {"stamp loaded relaxed by T", "tool", Sync::kStampRead}},
      {kAssertion, {"cursor loaded relaxed by T", "depth", Sync::kCursorRead}},
      {kAssertion, {"version stored relaxed by W", "board, two writes", Sync::kVersionStore}},
      {kAssertion, {"version loaded relaxed by R", "board, two writes", Sync::kVersionLoad}},
      {kAssertion, {"row word stored relaxed by W", "board, three writes", Sync::kRowWordStore}},
      {kAssertion, {"row word loaded relaxed by R", "board, three writes", Sync::kRowWordLoad}},
      // Orders of words, with all memory orders in place.
      {kRace, {"stamp before payload", "stream", Sync::kUnnamed, Flaw::kStampBeforePayload}},
      {kAssertion,
       {"batch stamped backwards, P dies", "dying producer of batches", Sync::kUnnamed,
        Flaw::kBatchDescending}},
      {kAssertion,
       {"tail before stamp, P dies", "dying producer", Sync::kUnnamed, Flaw::kTailBeforeStamp}},
      // With batches: one record at a time, a cursor ahead of the hint stops the successor for
      // ever.
      {kRace,
       {"successor trusts the hint", "dying producer of batches", Sync::kUnnamed,
        Flaw::kTrustedHint}},
      {kRace,
       {"successor takes no stamp back", "broken predecessor", Sync::kUnnamed, Flaw::kNoRestamp}},
      {kAssertion, {"tool without a second look", "tool", Sync::kUnnamed, Flaw::kNoSecondLook}},
      {kAssertion,
       {"depth from the earlier cursor", "depth", Sync::kUnnamed, Flaw::kEarlierCursor}},
      {kAssertion,
       {"board reader without a second look", "board, three writes", Sync::kUnnamed,
        Flaw::kNoSecondLook}},
      {kAssertion,
       {"board writes the live copy", "board, two writes", Sync::kUnnamed, Flaw::kLiveCopy}},
      {kAssertion, {"snapshot before gap", "conflation", Sync::kUnnamed, Flaw::kSnapshotBeforeGap}},
  };
  return all;
}

class Model : public ::testing::TestWithParam<std::size_t> {};

TEST_P(Model, TheShippedCodeHoldsUnderEverySchedule) {
  const Scenario& scenario = scenarios()[GetParam()];
  const Outcome outcome =
      run(scenario, kShipped, {Schedules::Kind::kRandom, long_run() ? kLongSchedules : kSchedules},
          true);
  std::printf("%-28s %9llu schedules\n", scenario.name,
              static_cast<unsigned long long>(outcome.schedules));
  ASSERT_TRUE(outcome.passed) << scenario.name << ", schedule " << outcome.schedules << "\n"
                              << outcome.what;
  if (!scenario.mortal)
    return;
  EXPECT_GT(outcome.deaths.survived, 0U) << "no mortal thread ever got to its end";
  for (std::size_t step = 0; step < Deaths::kReached; ++step)
    EXPECT_GT(outcome.deaths.before[step], 0U) << "nobody died before access " << step;
}

INSTANTIATE_TEST_SUITE_P(Scenarios, Model, ::testing::Range<std::size_t>(0, scenarios().size()),
                         [](const auto& scenario) {
                           std::string name = scenarios()[scenario.param].name;
                           std::erase_if(name, [](char c) { return c == ' ' || c == ','; });
                           return name;
                         });

void expect_all_hold(const char* name, Schedules schedules) {
  const Outcome outcome = run(scenario_named(name), kShipped, schedules, true);
  std::printf("%-28s %9llu schedules, which is all of them\n", name,
              static_cast<unsigned long long>(outcome.schedules));
  EXPECT_TRUE(outcome.passed) << name << ", schedule " << outcome.schedules << "\n" << outcome.what;
}

TEST(ModelExhaustive, ASmallScenarioHoldsUnderEveryScheduleThereIs) {
  expect_all_hold("board, two writes", {Schedules::Kind::kAll});
  if (!long_run())
    return;
  expect_all_hold("board, three writes", {Schedules::Kind::kAll});
  expect_all_hold("stream", {Schedules::Kind::kBound, 1});
  expect_all_hold("dying board writer", {Schedules::Kind::kBound, 1});
}

TEST(ModelMutants, EveryMemoryOrderHasAMutant) {
  std::set<Sync> weakened;
  for (const FailingMutant& each : mutants())
    weakened.insert(each.mutant.weakened);
  EXPECT_EQ(weakened.size(), static_cast<std::size_t>(Sync::kCount)) << "kUnnamed included";
}

TEST(ModelMutants, EachOneFailsForItsReason) {
  std::printf("%-36s %-28s %9s  %s\n", "mutant", "fails in", "schedules", "how");
  for (const auto& [how, mutant] : mutants()) {
    const Outcome outcome = run(scenario_named(mutant.scenario), mutant,
                                {Schedules::Kind::kRandom, kMutantSchedules}, false);
    std::printf("%-36s %-28s %9llu  %s\n", mutant.name, mutant.scenario,
                static_cast<unsigned long long>(outcome.schedules), outcome.what.c_str());
    EXPECT_FALSE(outcome.passed) << mutant.name << " survived " << outcome.schedules
                                 << " schedules of '" << mutant.scenario
                                 << "': the order is not needed, or the scenario is too weak";
    if (!outcome.passed) {
      EXPECT_EQ(outcome.what, how) << mutant.name << " fails for another reason";
    }
  }
}

}  // namespace
}  // namespace sluice::model
