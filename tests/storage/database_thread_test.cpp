// The database thread of persistence, in this process: how it ends, and whom it gives way to.
#include "procs/persistence/database_thread.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <optional>
#include <sstream>
#include <thread>

#include "common/runtime/topology.hpp"
#include "shm/layout.hpp"
#include "shm/role.hpp"
#include "tests/storage/trade_fixture.hpp"

namespace sluice {
namespace {

using namespace sluice::test;

template <class Predicate>
[[nodiscard]] bool eventually(Predicate&& predicate) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{60};
  while (!predicate()) {
    if (std::chrono::steady_clock::now() > deadline)
      return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  return true;
}

class Thread : public ::testing::Test {
 protected:
  void SetUp() override {
    std::ostringstream demo;
    demo << std::ifstream(SLUICE_SOURCE_DIR "/config/demo.toml").rdbuf();
    std::string text = demo.str();
    const std::string name = "\nname = \"demo\"";
    ASSERT_NE(text.find(name), std::string::npos);
    text.replace(text.find(name), name.size(),
                 "\nname = \"dbthread\"\nshm_dir = \"" + (temp_ / "shm") + "\"");
    std::ofstream(temp_ / "test.toml") << text;
    config_ = load_instance_config(temp_ / "test.toml");
    config_.persistence.database_every_ns = kNanosPerMilli;
    maker_.emplace(config_.persistence.journal_dir, "dbthread");
    shm::create_layout(layout_of(config_), false);
    role_.emplace(shm::RoleLock::acquire(config_.shm_dir, kPersistenceRole, "test"));
    instance_.emplace(shm::Instance::attach(config_.shm_dir, std::chrono::milliseconds{0}));
    page_.emplace(*instance_, kPersistenceRole, kPersistenceMetrics);
    view_.emplace(config_.shm_dir, kPersistenceRole);
  }
  void TearDown() override {
    thread_.reset();
    view_.reset();
    page_.reset();
    role_.reset();
    instance_.reset();
    shm::destroy_layout(config_.shm_dir, true);
  }

  void start() { thread_.emplace(config_, maker_->journal().writer(), *page_, instance_->clock()); }
  [[nodiscard]] std::uint64_t errors() const {
    return view_->counter(PersistenceMetric::kDbErrors);
  }
  [[nodiscard]] std::uint64_t applied() const {
    return static_cast<std::uint64_t>(view_->gauge(PersistenceMetric::kDbApplied));
  }

  TempDir temp_;
  InstanceConfig config_;
  std::optional<JournalMaker> maker_;
  std::optional<shm::RoleLock> role_;
  std::optional<shm::Instance> instance_;
  std::optional<shm::StagePage> page_;
  std::optional<shm::StageView> view_;
  std::optional<DatabaseThread> thread_;
};

TEST_F(Thread, FinishesWithEverythingApplied) {
  start();
  std::uint64_t durable = 0;
  for (std::uint64_t i = 0; i < 10; ++i) {
    maker_->push_random(i, 20);
    durable = maker_->sync();
  }
  thread_->finish();
  ASSERT_TRUE(eventually([&] { return thread_->finished(); }));
  EXPECT_EQ(applied(), durable);
  thread_.reset();
  TradeDatabase whole(
      {.path = ":memory:", .journal = name_of_journal(config_.persistence.journal_dir)});
  apply_all(whole, config_.persistence.journal_dir, durable);
  EXPECT_EQ(dump(config_.persistence.database_file), dump(whole.connection()));
}

// A lock in the last moment is waited out, for as long as the stage lets it.
TEST_F(Thread, IsNotFinishedWhileTheDatabaseIsLocked) {
  maker_->push_random(1, 20);
  const std::uint64_t first = maker_->sync();
  start();
  ASSERT_TRUE(eventually([&] { return applied() == first; }));
  sqlite::Connection other(config_.persistence.database_file,
                           sqlite::Connection::Mode::kReadWriteCreate, 60'000);
  other.run("BEGIN IMMEDIATE");
  maker_->push_random(2, 20);
  const std::uint64_t durable = maker_->sync();
  ASSERT_TRUE(eventually([&] { return errors() > 0; }));
  thread_->finish();
  const std::uint64_t before = errors();
  ASSERT_TRUE(eventually([&] { return errors() >= before + 2; }));
  EXPECT_FALSE(thread_->finished());
  EXPECT_LT(applied(), durable);
  other.run("ROLLBACK");
  ASSERT_TRUE(eventually([&] { return thread_->finished(); }));
  EXPECT_EQ(applied(), durable);
}

TEST_F(Thread, EndsAtOnceInTheMiddleOfTrouble) {
  std::ofstream(config_.persistence.database_file) << std::string(9'000, 'x');
  maker_->push_random(1, 5);
  static_cast<void>(maker_->sync());
  start();
  thread_->finish();
  ASSERT_TRUE(eventually([&] { return errors() > 0; }));
  EXPECT_FALSE(thread_->finished());
  thread_.reset();
}

// The thread gives way; the one that started it, which drains the rings, stays as it was.
TEST_F(Thread, GivesWayAndLeavesItsStageAlone) {
  const auto threads = [] {
    std::vector<pid_t> ids;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task"))
      ids.push_back(static_cast<pid_t>(std::stol(task.path().filename().string())));
    return ids;
  };
  std::thread([] {}).join();  // a sanitizer begins a thread of its own with the first one
  const std::vector<pid_t> before = threads();
  const int nice = ::getpriority(PRIO_PROCESS, 0);
  start();
  static_cast<void>(maker_->sync());
  ASSERT_TRUE(eventually([&] { return view_->gauge(PersistenceMetric::kDbApplied) > 0; }));
  int found = 0;
  for (const pid_t id : threads()) {
    if (std::find(before.begin(), before.end(), id) != before.end())
      continue;
    ++found;
    EXPECT_EQ(::getpriority(PRIO_PROCESS, static_cast<id_t>(id)), std::max(nice, 5));
    EXPECT_EQ(::sched_getscheduler(id), SCHED_BATCH);
  }
  EXPECT_EQ(found, 1);
  EXPECT_EQ(::getpriority(PRIO_PROCESS, 0), nice);
  EXPECT_EQ(::sched_getscheduler(0), SCHED_OTHER);
}

}  // namespace
}  // namespace sluice
