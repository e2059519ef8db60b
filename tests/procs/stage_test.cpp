// What a stage's shell does about files that were cut short under it.

#include "common/runtime/stage.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "common/messages/intent.hpp"
#include "common/runtime/metrics.hpp"
#include "common/runtime/tap_writer.hpp"
#include "shm/ring.hpp"
#include "shm/stage_page.hpp"
#include "tests/procs/instance_fixture.hpp"

namespace sluice::test {
namespace {

class StageTest : public InstanceTest {
 protected:
  void SetUp() override {
    lay_out({});
    shell_.emplace(config_, kRiskRole, kRiskMetrics);
    intents_.emplace(shell_->instance(), ring::intent("momentum"));
    orders_.emplace(shell_->instance(), ring::kOrder);
    look();
  }
  void TearDown() override {
    intents_.reset();
    orders_.reset();
    shell_.reset();
    InstanceTest::TearDown();
  }
  void cut(const std::string& file) const {
    ASSERT_EQ(::truncate((config_.shm_dir + "/" + file).c_str(), 0), 0);
  }
  // The next check of the segments.
  void look() {
    now_.ns += 1'000'000'000;
    shell_->heartbeat(now_);
  }
  [[nodiscard]] std::vector<std::string> errors() const {
    std::vector<std::string> texts;
    const shm::StageView page(config_.shm_dir, kRiskRole);
    for (const shm::ErrorLine& error : page.errors())
      texts.push_back(error.text);
    return texts;
  }

  std::optional<StageShell> shell_;
  std::optional<shm::RingConsumer<Intent>> intents_;
  std::optional<shm::RingProducer<Intent>> orders_;
  MonoNanos now_ = MonoNanos{wall_now().ns};
};

TEST_F(StageTest, GoesOnAndSaysThatAPeerCutItsFile) {
  cut(shm::ring_data_file(ring::intent("momentum")));
  Intent intent;
  EXPECT_FALSE(intents_->peek(intent));
  EXPECT_TRUE(intents_->peer_hostile());
  look();
  EXPECT_FALSE(shell_->failed());
  ASSERT_EQ(errors().size(), 1U);
  EXPECT_EQ(errors()[0], "a peer cut its file short: it reads as empty");
  look();
  EXPECT_EQ(errors().size(), 1U) << "told once";
}

TEST_F(StageTest, EndsWhenItsOwnFileWasCut) {
  cut(shm::ring_data_file(ring::kOrder));
  static_cast<void>(orders_->try_push(Intent{}));
  EXPECT_TRUE(orders_->own_file_lost());
  look();
  EXPECT_TRUE(shell_->failed());
  ASSERT_EQ(errors().size(), 1U);
  EXPECT_EQ(errors()[0], "a file of this stage's own was cut short");
}

TEST_F(StageTest, HasNothingToSayOfWholeFiles) {
  static_cast<void>(orders_->try_push(Intent{}));
  look();
  EXPECT_FALSE(shell_->failed());
  EXPECT_TRUE(errors().empty());
}

}  // namespace
}  // namespace sluice::test
