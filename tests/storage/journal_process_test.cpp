// kill -9 of a process that appends, again and again, and what its journal is worth afterwards.
//
// Method: the child appends taps of one ring from the sequence after its journal's last one on,
// with a syncing thread beside, and reports each durable position through a pipe; the parent kills
// it at a random moment. After every kill everything that was reported is read back, the positions
// are consecutive, and no sequence is missing or doubled. A successor that is handed the last
// records again (as a ring does) journals none of them twice.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <random>
#include <thread>

#include "common/storage/tap_journal.hpp"
#include "tests/storage/journal_fixture.hpp"

namespace sluice {
namespace {

using namespace sluice::test;

constexpr std::uint16_t kRing = 4;
constexpr std::uint32_t kIncarnation = 11;
constexpr std::uint64_t kHandedOutAgain = 50;

Tap numbered_tap(std::uint64_t sequence) {
  Tap tap;
  tap.ring = kRing;
  tap.incarnation = kIncarnation;
  tap.sequence = sequence;
  tap.set_body(TapType::kCancel, Cancel{});
  for (std::size_t i = 8; i < tap.body.size(); ++i)
    tap.body[i] = sequence * 1'000'003 + i;
  return tap;
}

// Never returns: the child's life until it is killed. Sequences above `reported` go through `pipe`.
[[noreturn]] void write_until_killed(const std::string& dir, int pipe) {
  TapJournal journal({.dir = dir,
                      .instance = "test",
                      .segment_bytes = 64 * 1024,
                      .rings = std::vector<std::string>(kRing + 1, "ring")});
  std::thread([&journal, pipe] {
    for (;;) {
      const SyncStatus status = journal.writer().sync();
      const std::uint64_t durable = journal.writer().durable_position();
      if (status == SyncStatus::kOk && ::write(pipe, &durable, sizeof(durable)) != sizeof(durable))
        ::_exit(3);
      if (status == SyncStatus::kFailed ||
          journal.writer().prepare().status != PrepareStatus::kReady)
        ::_exit(4);
    }
  }).detach();
  const std::uint64_t last = journal.marks().highest(kRing, kIncarnation).value_or(0);
  for (std::uint64_t sequence = last > kHandedOutAgain ? last - kHandedOutAgain : 1;; ++sequence) {
    TapStatus status;
    while ((status = journal.append(numbered_tap(sequence))) == TapStatus::kNoSpare)
      std::this_thread::yield();
    if (status == TapStatus::kRepetition ? sequence > last : status != TapStatus::kOk)
      ::_exit(5);
  }
}

TEST(JournalProcess, AKillAtAnyMomentLosesNothingDurableAndDoublesNothing) {
  TempDir temp(Where::kDisk);
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  std::uint64_t records_before = 0;
  for (int round = 0; round < 25; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(ends[0]);
      write_until_killed(temp / "j", ends[1]);
    }
    ::close(ends[1]);
    // Let it get to work, then kill after a random number of reports.
    std::uint64_t durable = 0;
    const std::uint64_t reports = 1 + random() % 40;
    for (std::uint64_t i = 0; i < reports; ++i) {
      std::uint64_t value = 0;
      ASSERT_EQ(::read(ends[0], &value, sizeof(value)), static_cast<ssize_t>(sizeof(value)))
          << "child died";
      durable = value;
    }
    std::this_thread::sleep_for(
        std::chrono::microseconds(random() % 2000));  // any phase of its loop
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "ended by itself with " << WEXITSTATUS(status);
    for (std::uint64_t value = 0; ::read(ends[0], &value, sizeof(value)) == sizeof(value);)
      durable = value;
    ::close(ends[0]);

    JournalReader reader(temp / "j");
    std::uint64_t position = 0;
    std::uint64_t sequence = 0;
    for (RecordView record; reader.next(record);) {
      ASSERT_EQ(record.position, ++position);
      const auto tap = tap_of(record);
      if (!tap)
        continue;
      ASSERT_EQ(tap->sequence, ++sequence);
      const Tap expected = numbered_tap(sequence);
      ASSERT_EQ(std::memcmp(&*tap, &expected, sizeof(Tap)), 0) << sequence;
    }
    for (const Finding& finding : reader.findings())
      EXPECT_NE(finding.kind, FindingKind::kDamage) << describe(finding);
    ASSERT_GE(position, durable) << "a durable record is gone";
    ASSERT_GT(position, records_before) << "the successor appended nothing";
    records_before = position;
    EXPECT_EQ(recover_checkpoint(temp / "j").marks.highest(kRing, kIncarnation), sequence);
  }
}

}  // namespace
}  // namespace sluice
