// The two threads of the journal against each other, and a reader beside them.
//
// Method: the appending thread writes records whose content is a function of their position and
// never prepares; the syncing thread does nothing but sync and prepare. Each checks its own
// promises while the other one runs; at the end every record is there. Runs under TSan as well.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "tests/storage/journal_fixture.hpp"

namespace sluice {
namespace {

using namespace sluice::test;

TEST(JournalThreads, AppendAndSyncRunBesideEachOtherThroughManySegments) {
  TempDir temp;
  constexpr std::uint64_t kRecords = 20'000;  // about 130 segments
  std::atomic<bool> appended_all{false};
  {
    JournalWriter writer(small_journal(temp / "j"));
    std::thread syncing([&] {
      std::uint64_t durable = 0;
      for (bool last = false;;) {
        // acquire: pairs with the release below; the final sync covers every record.
        last = appended_all.load(std::memory_order_acquire);
        const std::uint64_t before = writer.appended_position();
        const SyncStatus status = writer.sync();
        if (status == SyncStatus::kFailed || writer.durable_position() < before ||
            writer.durable_position() < durable ||
            writer.prepare().status != PrepareStatus::kReady) {
          ADD_FAILURE() << "durable " << writer.durable_position() << " after " << durable
                        << ", appended " << before;
          return;
        }
        durable = writer.durable_position();
        if (last)
          return;
      }
    });
    for (std::uint64_t i = 1; i <= kRecords;) {
      const AppendStatus status = append_numbered(writer, i);
      if (status == AppendStatus::kOk) {
        ++i;
      } else if (status == AppendStatus::kNoSpare) {
        std::this_thread::yield();
      } else {
        ADD_FAILURE() << "record " << i;
        break;
      }
      if (writer.durable_position() > writer.appended_position())
        ADD_FAILURE() << "durable before appended";
    }
    appended_all.store(true, std::memory_order_release);
    syncing.join();
    EXPECT_EQ(writer.durable_position(), kRecords);
    EXPECT_NE(writer.close(), SyncStatus::kFailed);
  }
  const ReadResult read = read_all(temp / "j");
  EXPECT_EQ(read.positions.size(), kRecords);
  EXPECT_EQ(read.positions, numbers(1, kRecords));
  EXPECT_TRUE(read.all_match);
  EXPECT_TRUE(read.findings.empty()) << describe(read.findings.front());
}

TEST(JournalThreads, AReaderBesideTheWriterSeesAGaplessPrefix) {
  TempDir temp;
  JournalWriter writer(small_journal(temp / "j"));
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> rounds{0};
  std::thread reading([&] {
    while (!stop.load(std::memory_order_relaxed)) {
      const std::uint64_t before = writer.appended_position();
      const ReadResult read = read_all(temp / "j");
      if (!read.all_match || read.damaged || read.positions != numbers(1, read.positions.size()) ||
          read.positions.size() < before) {
        ADD_FAILURE() << read.positions.size() << " records, " << before << " were appended before"
                      << (read.findings.empty() ? "" : describe(read.findings.front()));
        return;
      }
      rounds.fetch_add(1, std::memory_order_relaxed);
    }
  });
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  std::uint64_t i = 1;
  while (rounds.load(std::memory_order_relaxed) < 20 &&
         std::chrono::steady_clock::now() < deadline) {
    if (i <= 5'000)
      fill(writer, i, i), ++i;
    static_cast<void>(writer.sync());
  }
  stop.store(true, std::memory_order_relaxed);
  reading.join();
  EXPECT_GE(rounds.load(), 20U);
}

}  // namespace
}  // namespace sluice
