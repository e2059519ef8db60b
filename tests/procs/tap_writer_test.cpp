// A stage's taps when the ring to persistence is full: at its start, in between, at its death.

#include "common/runtime/tap_writer.hpp"

#include <gtest/gtest.h>

#include "common/runtime/metrics.hpp"
#include "tests/procs/instance_fixture.hpp"

namespace sluice::test {
namespace {

class TapWriterTest : public InstanceTest {
 protected:
  // A stage from its start to its death, which tells nobody.
  struct Stage {
    explicit Stage(const InstanceConfig& config)
        : shell(config, kRiskRole, kRiskMetrics),
          tap(shell, ring::tap(kRiskRole), persistence_ring_index(config, ring::tap(kRiskRole))) {}
    StageShell shell;
    TapWriter tap;
  };

  void SetUp() override {
    lay_out({{"persistence_slots = 65536", "persistence_slots = 64"}});
    play(kPersistenceRole);
    journal_.emplace(*instance_, ring::tap(kRiskRole));
  }
  void TearDown() override {
    journal_.reset();
    InstanceTest::TearDown();
  }

  static bool push(Stage& stage) {
    return stage.tap.push(TapType::kCommand, Command{}, stage.shell.now());
  }
  [[nodiscard]] std::vector<Tap> read_all() {
    std::vector<Tap> taps;
    journal_->drain([&](const Tap& tap) { taps.push_back(tap); }, 1'000);
    return taps;
  }

  std::optional<shm::RingConsumer<Tap>> journal_;
};

TEST_F(TapWriterTest, OpensWithItsSessionAndNumbersWhatFollows) {
  Stage stage(config_);
  ASSERT_TRUE(push(stage));
  const std::vector<Tap> taps = read_all();
  ASSERT_EQ(taps.size(), 2U);
  EXPECT_EQ(taps[0].type, TapType::kSession);
  EXPECT_EQ(taps[0].body_as<IncarnationRecord>().incarnation, stage.shell.incarnation());
  EXPECT_EQ(taps[1].sequence, 2U);
}

TEST_F(TapWriterTest, TellsALossWhenNothingNewComes) {
  Stage stage(config_);
  while (push(stage)) {
  }
  static_cast<void>(push(stage));
  ASSERT_EQ(read_all().size(), 64U);
  EXPECT_TRUE(stage.tap.tell_gap(stage.shell.now()));
  const std::vector<Tap> taps = read_all();
  ASSERT_EQ(taps.size(), 1U);
  ASSERT_EQ(taps[0].type, TapType::kGap);
  EXPECT_EQ(taps[0].body_as<GapRecord>().lost, 2U);
  EXPECT_EQ(taps[0].sequence, 65U);
}

TEST_F(TapWriterTest, WhatADeadStageLostIsToldByTheNextBehindItsSession) {
  {
    Stage dies(config_);
    while (push(dies)) {
    }
    for (int i = 0; i < 4; ++i)
      EXPECT_FALSE(push(dies));
  }
  Stage stage(config_);  // into a full ring
  EXPECT_EQ(stage.tap.owed_before(), 5U);
  EXPECT_FALSE(push(stage)) << "lost as well";
  ASSERT_EQ(read_all().size(), 64U);
  ASSERT_TRUE(push(stage));
  const std::vector<Tap> taps = read_all();
  ASSERT_EQ(taps.size(), 3U);
  EXPECT_EQ(taps[0].type, TapType::kSession);
  EXPECT_EQ(taps[0].sequence, 1U);
  ASSERT_EQ(taps[1].type, TapType::kGap);
  EXPECT_EQ(taps[1].body_as<GapRecord>().lost, 6U);
  EXPECT_EQ(taps[1].body_as<GapRecord>().next_sequence, 3U);
  EXPECT_EQ(taps[2].type, TapType::kCommand);
  EXPECT_EQ(taps[2].incarnation, stage.shell.incarnation());
}

TEST_F(TapWriterTest, AStageThatOwedNothingLeavesNothingToTell) {
  {
    Stage ends(config_);
    ASSERT_TRUE(push(ends));
  }
  Stage stage(config_);
  EXPECT_EQ(stage.tap.owed_before(), 0U);
  ASSERT_TRUE(push(stage));
  for (const Tap& tap : read_all())
    EXPECT_NE(tap.type, TapType::kGap);
}

}  // namespace
}  // namespace sluice::test
