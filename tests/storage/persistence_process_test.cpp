// sluice-persistence as a process: the rings, the journal, the database, and kill -9 between them.
//
// Method: the test lays out the demo instance in a folder of its own and plays the producers (it
// holds their roles); the persistence process is the real binary. What it journalled is read back
// from its files and compared with what was published.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <sstream>
#include <thread>

#include "common/base/error.hpp"
#include "common/runtime/config.hpp"
#include "common/runtime/metrics.hpp"
#include "common/runtime/process.hpp"
#include "common/runtime/topology.hpp"
#include "common/storage/sqlite.hpp"
#include "common/storage/tap_journal.hpp"
#include "shm/layout.hpp"
#include "shm/ring.hpp"
#include "shm/ring_probe.hpp"
#include "shm/role.hpp"
#include "shm/stage_page.hpp"
#include "tests/procs/instance_fixture.hpp"
#include "tests/storage/journal_fixture.hpp"

namespace sluice {
namespace {

using namespace sluice::test;

const std::string kProgram = std::string(SLUICE_BIN_DIR) + "/sluice-persistence";
const std::string kJournalTool = std::string(SLUICE_BIN_DIR) + "/sluice-journal";
constexpr std::uint32_t kIncarnation = 3;

void replace(std::string& text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  ASSERT_NE(at, std::string::npos) << from << " is not in config/demo.toml";
  text.replace(at, from.size(), to);
}

class PersistenceProcess : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string text = text_of(SLUICE_SOURCE_DIR "/config/demo.toml");
    replace(text, "\nname = \"demo\"",
            "\nname = \"journaltest\"\nshm_dir = \"" + (temp_ / "shm") + "\"");
    replace(text, "segment_bytes = 8388608", "segment_bytes = 1048576");
    replace(text, "sync_every = \"20ms\"", "sync_every = \"1ms\"");
    replace(text, "persistence_slots = 65536", "persistence_slots = 4096");
    // Many small transactions, so that a kill meets one.
    replace(text, "database_every = \"100ms\"", "database_every = \"1ms\"");
    replace(text, "database_batch = 4096", "database_batch = 500");
    adjust(text);
    path_ = temp_ / "test.toml";
    std::ofstream(path_) << text;
    config_ = load_instance_config(path_);
    shm::create_layout(layout_of(config_), false);
    for (const char* role : {kGatewayRole, kRiskRole}) {
      roles_.push_back(shm::RoleLock::acquire(config_.shm_dir, role, "test"));
    }
    instance_.emplace(shm::Instance::attach(config_.shm_dir, std::chrono::milliseconds{0}));
    lossless_.emplace(*instance_, ring::kExecutionPersistence);
    tap_.emplace(*instance_, ring::tap(kRiskRole));
  }
  virtual void adjust(std::string&) {}
  void TearDown() override {
    process_ = Child{};
    lossless_.reset();
    tap_.reset();
    roles_.clear();
    shm::destroy_layout(config_.shm_dir, true);
  }

  void start(const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments{"--config", path_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    process_ = Child::start(kProgram, arguments, temp_ / "log");
  }
  [[nodiscard]] std::string log() const { return text_of(temp_ / "log"); }
  // Once it is live; before, a signal would simply end it.
  void stop_and_expect(int code) {
    const shm::StageView page(config_.shm_dir, kPersistenceRole);
    ASSERT_TRUE(eventually([&] { return page.state() == shm::StageState::kLive; })) << log();
    process_.signal(SIGTERM);
    ASSERT_TRUE(process_.reap(30'000)) << log();
    ASSERT_TRUE(process_.status().exited && process_.status().code == code)
        << process_.status().text() << "\n"
        << log();
  }

  [[nodiscard]] static Tap tap(std::uint16_t ring, std::uint64_t sequence) {
    Tap tap;
    tap.ring = ring;
    tap.incarnation = kIncarnation;
    tap.sequence = sequence;
    Execution execution;  // a fill of an order of its own, so that it is worth four rows
    execution.n = sequence * 7 + ring;
    execution.kind = ExecutionKind::kFill;
    execution.intent = {.incarnation = 1, .strategy = ring, .reserved = 0, .sequence = sequence};
    execution.side = Side::kBuy;
    execution.px = Price{1'000'000'000};
    execution.qty = Qty{1'000};
    execution.execution_id = {.hi = ring + 1U, .lo = sequence};
    tap.set_body(TapType::kExecution, execution);
    return tap;
  }
  // Publishes the next tap of the ring (0: exec.persistence, 1: tap.risk). False: the ring is full.
  bool push(std::uint16_t ring) {
    auto& producer = ring == 0 ? *lossless_ : *tap_;
    if (!producer.try_push(tap(ring, sent_[ring] + 1)))
      return false;
    ++sent_[ring];
    return true;
  }
  void expect_everything_exactly_once() {
    JournalReader reader(config_.persistence.journal_dir);
    std::array<std::uint64_t, 2> seen{};
    std::uint64_t position = 0;
    for (RecordView record; reader.next(record);) {
      ASSERT_EQ(record.position, ++position);
      const auto got = tap_of(record);
      if (!got)
        continue;
      ASSERT_LT(got->ring, 2);
      const Tap expected = tap(got->ring, ++seen[got->ring]);
      ASSERT_EQ(std::memcmp(&*got, &expected, sizeof(Tap)), 0)
          << "ring " << got->ring << ": expected sequence " << seen[got->ring] << ", found "
          << got->sequence;
    }
    EXPECT_FALSE(reader.damaged());
    EXPECT_EQ(seen, sent_);
  }

  // The database against the journal, by the tool a user would take.
  // `inside`: a process in whose mount namespace both are found.
  void expect_database_agrees(bool complete, std::int64_t inside = 0) {
    std::vector<std::string> arguments{"compare", config_.persistence.journal_dir, "--db",
                                       config_.persistence.database_file};
    if (complete)
      arguments.emplace_back("--complete");
    std::string program = kJournalTool;
    if (inside != 0) {
      arguments.insert(arguments.begin(),
                       {"--mount=/proc/" + std::to_string(inside) + "/ns/mnt", program});
      program = "/usr/bin/nsenter";
    }
    Child tool = Child::start(program, arguments, temp_ / "compare");
    ASSERT_TRUE(tool.reap(60'000));
    EXPECT_TRUE(tool.status().ok()) << tool.status().text() << text_of(temp_ / "compare") << log();
  }

  // A kill may come before the first transaction: then there is nothing to compare.
  [[nodiscard]] bool database_has_begun() const {
    const std::string& path = config_.persistence.database_file;
    if (!std::filesystem::exists(path))
      return false;
    try {
      sqlite::Connection look(path, sqlite::Connection::Mode::kReadOnly);
      return look.number("SELECT count(*) FROM sqlite_master WHERE name = 'journal'") == 1 &&
             look.number("SELECT count(*) FROM journal") == 1;
    } catch (const sqlite::SqliteError& error) {
      // Killed while it made the file. Later ones leave a WAL, which a reader can read.
      if (error.trouble() != sqlite::Trouble::kUnfinished)
        throw;
      return false;
    }
  }
  // Has everything of what was sent; to be called while the process runs.
  void expect_the_database_to_catch_up() {
    const shm::StageView page(config_.shm_dir, kPersistenceRole);
    const auto has_all = [&] {
      const auto applied = static_cast<std::uint64_t>(page.gauge(PersistenceMetric::kDbApplied));
      return applied > sent_[0] + sent_[1] && applied == page.mark(kMarkDurable) &&
             page.gauge(PersistenceMetric::kDbLag) == 0;
    };
    // Its thread gives way to everything else: on a busy machine only standing still is a failure.
    std::int64_t seen = 0;
    const auto moves = [&] { return page.gauge(PersistenceMetric::kDbApplied) != seen; };
    while (!has_all()) {
      seen = page.gauge(PersistenceMetric::kDbApplied);
      ASSERT_TRUE(eventually([&] { return moves() || has_all(); })) << log();
    }
    EXPECT_EQ(page.gauge(PersistenceMetric::kDbDegraded), 0);
  }

  TempDir temp_{Where::kDisk};
  std::string path_;
  InstanceConfig config_;
  std::vector<shm::RoleLock> roles_;
  std::optional<shm::Instance> instance_;
  std::optional<shm::RingProducer<Tap>> lossless_;
  std::optional<shm::RingProducer<Tap>> tap_;
  std::array<std::uint64_t, 2> sent_{};
  Child process_;
};

TEST_F(PersistenceProcess, JournalsWhatIsPublishedAndStopsWithEmptyRings) {
  start();
  for (int i = 0; i < 20'000; ++i) {
    ASSERT_TRUE(eventually([&] { return push(static_cast<std::uint16_t>(i % 2)); })) << log();
  }
  expect_the_database_to_catch_up();
  stop_and_expect(0);
  EXPECT_EQ(lossless_->free_slots(), lossless_->capacity());
  EXPECT_EQ(tap_->free_slots(), tap_->capacity());
  expect_everything_exactly_once();
  const shm::StageView page(config_.shm_dir, kPersistenceRole);
  EXPECT_EQ(page.counter(PersistenceMetric::kAppended), sent_[0] + sent_[1]);
  EXPECT_EQ(page.counter(PersistenceMetric::kGaps), 0U);
  EXPECT_EQ(page.state(), shm::StageState::kStopped);
  JournalReader reader(config_.persistence.journal_dir);
  for (RecordView record; reader.next(record);) {
  }
  EXPECT_EQ(page.mark(kMarkDurable), reader.end().last_position);
  EXPECT_TRUE(
      run_and_wait(kJournalTool, {"verify", "--no-gaps", config_.persistence.journal_dir}).ok());
  EXPECT_EQ(page.gauge(PersistenceMetric::kDbApplied),
            static_cast<std::int64_t>(reader.end().last_position));
  EXPECT_EQ(page.gauge(PersistenceMetric::kDbLag), 0);
  EXPECT_EQ(page.gauge(PersistenceMetric::kDbDegraded), 0);
  expect_database_agrees(true);
}

TEST_F(PersistenceProcess, AKillAtAnyMomentNeitherLosesNorDoublesATap) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 12; ++round) {
    start();
    const std::uint64_t until = sent_[0] + 1'000 + random() % 3'000;
    while (sent_[0] < until) {
      ASSERT_TRUE(eventually([&] { return push(0); })) << log();
      if (random() % 3 != 0) {
        ASSERT_TRUE(eventually([&] { return push(1); })) << log();
      }
    }
    process_.signal(SIGKILL);
    ASSERT_TRUE(process_.reap(30'000));
    ASSERT_EQ(process_.status().signal, SIGKILL) << log();
    if (database_has_begun())
      expect_database_agrees(false);
    // The producers go on while nobody drains.
    for (int i = 0; i < 100; ++i)
      static_cast<void>(push(static_cast<std::uint16_t>(i % 2)));
  }
  start();
  ASSERT_TRUE(eventually([&] { return lossless_->free_slots() == lossless_->capacity(); }))
      << log();
  expect_the_database_to_catch_up();
  stop_and_expect(0);
  expect_everything_exactly_once();
  expect_database_agrees(true);
  const sqlite::Connection::Mode read = sqlite::Connection::Mode::kReadOnly;
  sqlite::Connection database(config_.persistence.database_file, read);
  EXPECT_EQ(database.number("SELECT count(*) FROM executions"),
            static_cast<std::int64_t>(sent_[0] + sent_[1]));
  EXPECT_EQ(database.number("SELECT sum(position) FROM positions"),
            static_cast<std::int64_t>(sent_[0] + sent_[1]) * 1'000);
}

TEST_F(PersistenceProcess, ALockedDatabaseHoldsNobodyUpAndCatchesUp) {
  start();
  const shm::StageView page(config_.shm_dir, kPersistenceRole);
  ASSERT_TRUE(push(0));
  ASSERT_TRUE(eventually([&] { return page.gauge(PersistenceMetric::kDbApplied) >= 2; })) << log();
  sqlite::Connection other(config_.persistence.database_file,
                           sqlite::Connection::Mode::kReadWriteCreate, 10'000);
  other.run("BEGIN IMMEDIATE");
  for (int i = 0; i < 10'000; ++i)
    ASSERT_TRUE(eventually([&] { return push(0); })) << log();
  ASSERT_TRUE(eventually([&] { return lossless_->free_slots() == lossless_->capacity(); }));
  ASSERT_TRUE(eventually([&] { return page.gauge(PersistenceMetric::kDbDegraded) == 1; })) << log();
  EXPECT_LT(page.gauge(PersistenceMetric::kDbApplied), 10'000);
  // For a moment it is set when the journal's next segment is not ready yet: not because of this.
  EXPECT_TRUE(eventually([&] { return page.mark(kMarkHighWater) == 0; })) << log();
  other.run("ROLLBACK");
  expect_the_database_to_catch_up();
  stop_and_expect(0);
  expect_database_agrees(true);
}

TEST_F(PersistenceProcess, ADatabaseDeletedBetweenTwoRunsIsMadeAnew) {
  for (int run = 0; run < 2; ++run) {
    for (int i = 0; i < 1'000; ++i)
      ASSERT_TRUE(push(0));
    start({"--drain-only"});
    ASSERT_TRUE(process_.reap(30'000)) << log();
    ASSERT_TRUE(process_.status().ok()) << process_.status().text() << log();
    expect_database_agrees(true);
    std::filesystem::remove(config_.persistence.database_file);
    std::filesystem::remove(config_.persistence.database_file + "-wal");
    std::filesystem::remove(config_.persistence.database_file + "-shm");
  }
  start({"--drain-only"});
  ASSERT_TRUE(process_.reap(30'000)) << log();
  expect_database_agrees(true);
}

TEST_F(PersistenceProcess, AFileThatIsNoDatabaseIsLeftAloneAndTheJournalGoesOn) {
  std::filesystem::create_directories(config_.run_dir);
  std::ofstream(config_.persistence.database_file) << std::string(9'000, 'x');
  start();
  for (int i = 0; i < 5'000; ++i)
    ASSERT_TRUE(eventually([&] { return push(0); })) << log();
  const shm::StageView page(config_.shm_dir, kPersistenceRole);
  EXPECT_TRUE(eventually([&] { return page.gauge(PersistenceMetric::kDbDegraded) == 1; })) << log();
  stop_and_expect(0);
  expect_everything_exactly_once();
  EXPECT_EQ(text_of(config_.persistence.database_file), std::string(9'000, 'x'));
  EXPECT_NE(log().find("move the file aside"), std::string::npos) << log();
}

class WithoutADatabase : public PersistenceProcess {
  void adjust(std::string& text) override {
    replace(text, "database = \"sqlite\"", "database = \"none\"");
  }
};

TEST_F(WithoutADatabase, TheJournalIsAllThereIs) {
  for (int i = 0; i < 100; ++i)
    ASSERT_TRUE(push(0));
  start();
  stop_and_expect(0);
  expect_everything_exactly_once();
  EXPECT_FALSE(std::filesystem::exists(config_.persistence.database_file));
}

class DatabaseOnASmallDisk : public PersistenceProcess {
  void adjust(std::string& text) override {
    replace(text, "database_file = \"sluice.db\"", "database_file = \"small/sluice.db\"");
  }
};

// As below, but only the database's folder is full: the journal has its own disk.
TEST_F(DatabaseOnASmallDisk, AFullDiskStopsTheDatabaseAloneAndItCatchesUp) {
  if (::geteuid() != 0)
    GTEST_SKIP() << "needs root to mount a small tmpfs";
  const std::string dir = config_.run_dir + "/small";
  std::filesystem::create_directories(dir);
  const std::string script = "mount -t tmpfs -o size=24m none '" + dir +
                             "' && head -c 23000000 /dev/zero > '" + dir + "/filler' && exec '" +
                             kProgram + "' --config '" + path_ + "'";
  process_ = Child::start("/usr/bin/unshare", {"--mount", "/bin/sh", "-c", script}, temp_ / "log");
  const shm::StageView page(config_.shm_dir, kPersistenceRole);
  if (!eventually([&] { return page.state() == shm::StageState::kLive || process_.reap(0); }) ||
      !process_.running()) {
    if (log().find("sluice") == std::string::npos)
      GTEST_SKIP() << "no mount namespace here: " << log();
    FAIL() << log();
  }
  for (int i = 0; i < 10'000; ++i)
    ASSERT_TRUE(eventually([&] { return push(0); })) << log();
  ASSERT_TRUE(eventually([&] { return page.counter(PersistenceMetric::kAppended) == sent_[0]; }));
  ASSERT_TRUE(eventually([&] { return page.gauge(PersistenceMetric::kDbDegraded) == 1; })) << log();
  EXPECT_NE(log().find("free space on its disk"), std::string::npos) << log();
  EXPECT_EQ(page.mark(kMarkHighWater), 0U);
  const std::string root = "/proc/" + std::to_string(process_.pid()) + "/root";
  std::filesystem::remove(root + dir + "/filler");
  expect_the_database_to_catch_up();
  expect_database_agrees(true, process_.pid());
  stop_and_expect(0);
}

TEST_F(PersistenceProcess, PublishesTheDurablePositionWhileItRuns) {
  start();
  for (int i = 0; i < 10; ++i)
    ASSERT_TRUE(push(0));
  const shm::StageView page(config_.shm_dir, kPersistenceRole);
  // Ten taps behind the checkpoint that opens the journal.
  EXPECT_TRUE(eventually([&] { return page.mark(kMarkDurable) == 11; })) << log();
  stop_and_expect(0);
}

TEST_F(PersistenceProcess, DrainOnlyTakesTheLeftoversOfADeadRunOnce) {
  for (int i = 0; i < 3'000; ++i)
    ASSERT_TRUE(push(static_cast<std::uint16_t>(i % 2)));
  for (int run = 0; run < 2; ++run) {
    start({"--drain-only"});
    ASSERT_TRUE(process_.reap(30'000)) << log();
    ASSERT_TRUE(process_.status().ok()) << process_.status().text() << "\n" << log();
    EXPECT_EQ(lossless_->free_slots(), lossless_->capacity());
  }
  expect_everything_exactly_once();
}

TEST_F(PersistenceProcess, DropsATapThatNamesAnotherRingAndReportsIt) {
  start();
  ASSERT_TRUE(push(1));
  Tap foreign =
      tap(0, 1'000'000);  // a hostile producer would silence exec.persistence with this one
  ASSERT_TRUE(tap_->try_push(foreign));
  ASSERT_TRUE(push(0));
  ASSERT_TRUE(push(1));
  stop_and_expect(0);
  expect_everything_exactly_once();
  const shm::StageView page(config_.shm_dir, kPersistenceRole);
  ASSERT_EQ(page.errors().size(), 1U);
  EXPECT_EQ(page.errors()[0].text, "malformed tap on tap.risk");
  const shm::RingProbe probe(config_.shm_dir, ring::tap(kRiskRole));
  EXPECT_EQ(probe.refused(), 1U);
  EXPECT_GE(probe.depth_max(), 1U) << "three taps went through it";
}

TEST_F(PersistenceProcess, RefusesToRunTwice) {
  start();
  for (int i = 0; i < 3; ++i)
    ASSERT_TRUE(push(0));
  ASSERT_TRUE(eventually([&] { return lossless_->free_slots() == lossless_->capacity(); }));
  Child second = Child::start(kProgram, {"--config", path_}, temp_ / "log2");
  ASSERT_TRUE(second.reap(30'000));
  EXPECT_EQ(second.status().code, static_cast<int>(ExitCode::kRoleTaken));
  stop_and_expect(0);
}

// A real full disk: a small tmpfs in a mount namespace of the process's own.
TEST_F(PersistenceProcess, StopsNewRiskOnAFullDiskAndGoesOnWhenThereIsSpaceAgain) {
  if (::geteuid() != 0)
    GTEST_SKIP() << "needs root to mount a small tmpfs";
  const std::string dir = config_.persistence.journal_dir;
  std::filesystem::create_directories(dir);
  const std::string script = "mount -t tmpfs -o size=6m none '" + dir +
                             "' && head -c 4000000 /dev/zero > '" + dir + "/filler' && exec '" +
                             kProgram + "' --config '" + path_ + "'";
  process_ = Child::start("/usr/bin/unshare", {"--mount", "/bin/sh", "-c", script}, temp_ / "log");
  const shm::StageView page(config_.shm_dir, kPersistenceRole);
  if (!eventually([&] { return page.state() == shm::StageState::kLive || process_.reap(0); }) ||
      !process_.running()) {
    if (log().find("sluice") == std::string::npos)
      GTEST_SKIP() << "no mount namespace here: " << log();
    FAIL() << log();
  }
  // Two segments of 1 MB hold some 7,600 taps; the ring takes the rest until it is full.
  std::uint64_t full = 0;
  ASSERT_TRUE(eventually([&] {
    for (int i = 0; i < 100; ++i)  // one yield for many: the machine may be busy
      full = push(0) ? 0 : full + 1;
    return page.mark(kMarkHighWater) == 1 && full > 1000;
  })) << log();
  EXPECT_TRUE(process_.running());
  EXPECT_LT(page.counter(PersistenceMetric::kAppended), sent_[0]);
  std::filesystem::remove("/proc/" + std::to_string(process_.pid()) + "/root" + dir + "/filler");
  EXPECT_TRUE(eventually([&] { return page.mark(kMarkHighWater) == 0; })) << log();
  EXPECT_TRUE(eventually([&] { return page.counter(PersistenceMetric::kAppended) == sent_[0]; }))
      << log();
  EXPECT_EQ(page.counter(PersistenceMetric::kGaps), 0U);
  stop_and_expect(0);
}

}  // namespace
}  // namespace sluice
