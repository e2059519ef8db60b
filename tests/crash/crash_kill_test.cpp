// kill -9 of producer and consumer under load, again and again.
//
// Method: both run as processes of their own over three rings and a board; this process kills one
// or both at random moments (a number of records later, or microseconds after its start, so in the
// middle of attach and recovery too) and starts the successor at once, while the other side stays
// attached. What each side did stands in a ledger outside the layout, so that its successor can say
// exactly what may be missing, what may be seen again, and what not. Replay: --gtest_random_seed.

#include <sys/mman.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>
#include <random>
#include <string_view>
#include <thread>

#include "shm/ring_probe.hpp"
#include "tests/crash/kill_sides.hpp"

namespace sluice::shm::test {
namespace {

constexpr std::uint64_t kKills = 100;
constexpr std::uint64_t kKillsLong = 4'000;

std::uint64_t kills_wanted() {
  const char* const value = std::getenv("SLUICE_LONG");
  return value != nullptr && std::string_view(value) == "1" ? kKillsLong : kKills;
}

class KillUnderLoad : public ShmTest {
 protected:
  void SetUp() override {
    ShmTest::SetUp();
    create_layout(kill_layout(dir()), false);
    void* const page =
        mmap(nullptr, sizeof(Ledger), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(page, MAP_FAILED);
    ledger_ = new (page) Ledger{};
    start(*ledger_);
    const auto fixed = static_cast<std::uint64_t>(GTEST_FLAG_GET(random_seed));
    seed_ = fixed != 0 ? fixed : std::random_device{}() % 99'999 + 1;  // what the flag can say
    random_.seed(seed_);
  }
  void TearDown() override {
    producer_.reset();
    consumer_.reset();
    if (ledger_ != nullptr)
      munmap(ledger_, sizeof(Ledger));
    ShmTest::TearDown();
  }

  void start_producer(bool last = false) {
    const std::uint64_t incarnation = ++incarnations_;
    producer_ = std::make_unique<Child>([this, incarnation, last] {
      return produce_under_load(dir(), *ledger_, incarnation, last);
    });
  }
  void start_consumer() {
    const std::uint64_t seed = random_();
    consumer_ =
        std::make_unique<Child>([this, seed] { return consume_under_load(dir(), *ledger_, seed); });
  }

  // The lock of the dead is free as soon as it is reaped.
  void kill_side(std::unique_ptr<Child>& side, const char* role_name) {
    ASSERT_EQ(side->kill_and_reap(), -SIGKILL) << "the " << role_name << " ended by itself";
    EXPECT_FALSE(RoleLock::holder(dir(), role_name)) << role_name;
    ++kills_;
  }

  // Asleep, so that both sides have a core each and are killed at work. Half of the moments are
  // some microseconds away, wherever the two stand then; the other half wait for progress first.
  void wait_for_a_moment() {
    const std::uint64_t goal = ledger_->progress() + (random_() % 2) * (1 + random_() % 2'000);
    ASSERT_TRUE(eventually([&] {
      nap(1 + random_() % 100);
      return ledger_->faults != 0 || static_cast<std::int64_t>(ledger_->progress() - goal) >= 0;
    })) << "nothing moves any more";
    nap(random_() % 2'000);
  }
  static void nap(std::uint64_t microseconds) {
    std::this_thread::sleep_for(std::chrono::microseconds{microseconds});
  }

  void kill_somebody() {
    const std::uint64_t whom = random_() % 8;  // both: one time in eight
    if (whom <= 4) {
      ASSERT_NO_FATAL_FAILURE(kill_side(producer_, "producer"));
      rows_stand();
    }
    if (whom >= 4) {
      ASSERT_NO_FATAL_FAILURE(kill_side(consumer_, "consumer"));
      start_consumer();
    }
    if (whom <= 4)
      start_producer();
  }

  // With the writer dead, a reader has every row at once: the last one said, or the one behind it.
  void rows_stand() const {
    const Instance instance = attach();
    const BoardReader<FourLines> reader(instance, "quotes");
    for (std::uint32_t row = 0; row < kBoardRows; ++row) {
      FourLines value{};
      ASSERT_NE(reader.load(row, value), BoardRead::kContended);
      EXPECT_LE(value.sequence - ledger_->stored[row], 1U) << "row " << row;
      EXPECT_TRUE(value.sequence == 0 || value.whole());
    }
  }

  // The last producer pays what is owed, the consumer takes everything: nothing is missing.
  void everything_arrives() {
    ASSERT_NO_FATAL_FAILURE(kill_side(producer_, "producer"));
    start_producer(true);
    const Instance instance = attach();
    const auto drained = [&](const char* ring) { return RingProbe(instance, ring).depth() == 0; };
    ASSERT_TRUE(eventually([&] {
      return ledger_->settled == 1 && drained("single") && drained("bulk") && drained("notes");
    }));
    ASSERT_NO_FATAL_FAILURE(kill_side(consumer_, "consumer"));
    EXPECT_EQ(ledger_->single.processed, ledger_->single.said);
    EXPECT_EQ(ledger_->bulk.processed, ledger_->bulk.said);
    for (std::uint32_t row = 0; row < kRows; ++row)
      EXPECT_TRUE(ledger_->checkpoint().mirror.stands_at(row, ledger_->notes.venue[row]))
          << "the consumer does not end with the producer's row " << row;
    for (const char* const ring : {"single", "bulk", "notes"})
      EXPECT_EQ(RingProbe(instance, ring).broken_peer(), 0U) << ring;
  }

  void tell() const {
    const auto number = [](std::uint64_t n) { return static_cast<unsigned long long>(n); };
    std::printf(
        "kills %llu, seed %llu: %llu single, %llu bulk, %llu notes; seen again %llu + %llu + %llu; "
        "published behind a dead tail %llu; conflated %llu; contended reads %llu\n",
        number(kills_), number(seed_), number(ledger_->single.processed - kInitial),
        number(ledger_->bulk.processed - kInitial), number(ledger_->checkpoint().next - kInitial),
        number(ledger_->single.again), number(ledger_->bulk.again), number(ledger_->notes.again),
        number(ledger_->single.behind_hint + ledger_->bulk.behind_hint),
        number(ledger_->notes.conflated), number(ledger_->reads_contended));
  }

  Ledger* ledger_{nullptr};
  std::uint64_t seed_{0};
  std::uint64_t incarnations_{0};
  std::uint64_t kills_{0};
  std::mt19937_64 random_;
  std::unique_ptr<Child> producer_;
  std::unique_ptr<Child> consumer_;
};

TEST_F(KillUnderLoad, NothingIsLostTornOrSeenAgainBeyondTheLastRelease) {
  RecordProperty("seed", static_cast<int>(seed_));
  SCOPED_TRACE("seed " + std::to_string(seed_));
  start_producer();
  start_consumer();
  while (kills_ < kills_wanted()) {
    ASSERT_NO_FATAL_FAILURE(wait_for_a_moment());
    ASSERT_EQ(ledger_->faults, 0U) << ledger_->first_fault.data();
    ASSERT_NO_FATAL_FAILURE(kill_somebody());
  }
  ASSERT_NO_FATAL_FAILURE(everything_arrives());
  tell();
  EXPECT_EQ(ledger_->faults, 0U) << ledger_->first_fault.data();
}

}  // namespace
}  // namespace sluice::shm::test
