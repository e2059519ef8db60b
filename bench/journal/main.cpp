// What it costs to journal one tap: the append into the mapped segment beside its parts (checksum,
// copy) and beside what it replaces, a write() with fdatasync() per record.
//
// Method: the second thread syncs every 5 ms and prepares segments, as in the persistence process;
// a batch of appends is timed, waiting for a spare segment is not (a persistence that falls behind
// its disk leaves the records in the ring). Files lie in $SLUICE_BENCH_DIR, by default the folder
// for temporary files: use the disk that the journal will be on.
// `database` applies a journal of orders (intent, approval, submission, fill, fee) to SQLite as
// persistence's third thread does; one iteration is one record, its baseline is reading the same
// journal without a database.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "common/base/crc32c.hpp"
#include "common/storage/database_writer.hpp"
#include "common/storage/tap_journal.hpp"

namespace {

using namespace sluice;
using Clock = std::chrono::steady_clock;

constexpr int kBatch = 1'000;

class BenchDir {
 public:
  BenchDir() {
    const char* const chosen = ::getenv("SLUICE_BENCH_DIR");
    path_ = (chosen != nullptr ? std::filesystem::path(chosen)
                               : std::filesystem::temp_directory_path()) /
            "sluice-bench-XXXXXX";
    std::string name = path_.string();
    if (::mkdtemp(name.data()) == nullptr)
      throw std::runtime_error("mkdtemp " + name);
    path_ = name;
  }
  ~BenchDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  BenchDir(const BenchDir&) = delete;
  BenchDir& operator=(const BenchDir&) = delete;
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

Tap some_tap(std::uint64_t sequence) {
  Tap tap;
  tap.incarnation = 1;
  tap.sequence = sequence;
  Execution execution;
  execution.n = sequence;
  tap.set_body(TapType::kExecution, execution);
  return tap;
}

void append(benchmark::State& state) {
  const BenchDir dir;
  TapJournal journal({.dir = dir.path() + "/j",
                      .instance = "bench",
                      .segment_bytes = 64U << 20,
                      .rings = {"bench"}});
  std::atomic<bool> stop{false};
  std::thread second([&] {
    // relaxed: only has to be seen soon.
    while (!stop.load(std::memory_order_relaxed)) {
      static_cast<void>(journal.writer().sync());
      static_cast<void>(journal.writer().prepare());
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  });
  std::uint64_t sequence = 0;
  std::vector<Tap> taps;
  for (auto _ : state) {
    taps.clear();
    for (int i = 0; i < kBatch; ++i)
      taps.push_back(some_tap(++sequence));
    while (journal.writer().room() < kBatch * 2 * sizeof(Tap))
      std::this_thread::yield();
    const auto begin = Clock::now();
    for (const Tap& tap : taps) {
      if (journal.append(tap) != TapStatus::kOk)
        state.SkipWithError("append was refused");
    }
    state.SetIterationTime(seconds_since(begin) / kBatch);
  }
  stop.store(true, std::memory_order_relaxed);
  second.join();
}

void write_and_fdatasync(benchmark::State& state) {
  const BenchDir dir;
  const int fd = ::open((dir.path() + "/file").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  std::array<std::byte, 4096> block{};
  for (auto _ : state) {
    const auto begin = Clock::now();
    if (::write(fd, block.data(), block.size()) != static_cast<ssize_t>(block.size()) ||
        ::fdatasync(fd) != 0) {
      state.SkipWithError("write");
    }
    state.SetIterationTime(seconds_since(begin));
  }
  ::close(fd);
}

void checksum(benchmark::State& state) {
  Tap tap = some_tap(1);
  std::uint32_t seed = 0;
  for (auto _ : state)
    benchmark::DoNotOptimize(seed = crc32c(&tap, sizeof(tap), seed));
}

void copy(benchmark::State& state) {
  const Tap tap = some_tap(1);
  std::vector<std::byte> to(1U << 20);
  std::size_t at = 0;
  for (auto _ : state) {
    std::memcpy(to.data() + at, &tap, sizeof(tap));
    at = (at + 272) % (to.size() - 272);
    benchmark::ClobberMemory();
  }
}

// A journal of `orders` orders with five records each.
void write_orders(const std::string& dir, std::uint64_t orders) {
  TapJournal journal(
      {.dir = dir, .instance = "bench", .segment_bytes = 64U << 20, .rings = {"bench"}});
  Tap tap;
  tap.incarnation = 1;
  const auto push = [&](TapType type, const auto& body) {
    ++tap.sequence;
    tap.now_ns.ns = 1'770'000'000'000'000'000 + static_cast<std::int64_t>(tap.sequence) * 50'000;
    tap.set_body(type, body);
    if (journal.append(tap) == TapStatus::kOk)
      return;
    static_cast<void>(journal.writer().prepare());
    static_cast<void>(journal.append(tap));
  };
  for (std::uint64_t i = 1; i <= orders; ++i) {
    Intent intent;
    intent.id = {.incarnation = 1, .strategy = 0, .reserved = 0, .sequence = i};
    intent.side = i % 2 == 0 ? Side::kBuy : Side::kSell;
    push(TapType::kIntent, intent);
    push(TapType::kOrder, intent);
    Execution e;
    e.intent = intent.id;
    e.side = intent.side;
    e.px = Price{60'000'000'000'000};
    e.qty = Qty{100'000'000};
    e.execution_id = {.hi = i * 0x9e3779b97f4a7c15, .lo = i};  // as random as a venue's
    for (const ExecutionKind kind :
         {ExecutionKind::kSubmitting, ExecutionKind::kFill, ExecutionKind::kFee}) {
      e.n = tap.sequence;
      e.kind = kind;
      push(TapType::kExecution, e);
    }
  }
}

constexpr std::uint64_t kOrders = 40'000;
constexpr std::uint64_t kRecords = kOrders * 5;

void database(benchmark::State& state) {
  const BenchDir dir;
  write_orders(dir.path() + "/j", kOrders);
  const std::uint64_t last = JournalReader(dir.path() + "/j").durable_position();
  for (auto _ : state) {
    DatabaseWriter writer({.journal_dir = dir.path() + "/j", .path = dir.path() + "/db"});
    const auto begin = Clock::now();
    while (writer.turn(last, MonoNanos{1})) {
    }
    state.SetIterationTime(seconds_since(begin) / kRecords);
    if (writer.status().applied != last)
      state.SkipWithError(writer.status().problem.c_str());
    state.counters["rows_per_record"] =
        static_cast<double>(writer.status().rows) / static_cast<double>(kRecords);
  }
}

void read_journal(benchmark::State& state) {
  const BenchDir dir;
  write_orders(dir.path() + "/j", kOrders);
  const std::uint64_t last = JournalReader(dir.path() + "/j").durable_position();
  for (auto _ : state) {
    JournalFollower follower(dir.path() + "/j", {});
    const auto begin = Clock::now();
    for (RecordView record; follower.next(last, record);)
      benchmark::DoNotOptimize(record);
    state.SetIterationTime(seconds_since(begin) / kRecords);
  }
}

}  // namespace

BENCHMARK(append)->UseManualTime()->Iterations(100);
BENCHMARK(write_and_fdatasync)->UseManualTime()->Iterations(50);
BENCHMARK(checksum);
BENCHMARK(copy);
BENCHMARK(database)->UseManualTime()->Iterations(1);
BENCHMARK(read_journal)->UseManualTime()->Iterations(5);

int main(int argc, char** argv) {
  // The names carry what the options above add to them.
  benchmark::AddCustomContext(
      "ratio.write_fdatasync_vs_append",
      "write_and_fdatasync/iterations:50/manual_time / append/iterations:100/manual_time");
  benchmark::AddCustomContext("ratio.append_vs_checksum",
                              "append/iterations:100/manual_time / checksum");
  benchmark::AddCustomContext(
      "ratio.database_vs_read_journal",
      "database/iterations:1/manual_time / read_journal/iterations:5/manual_time");
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv))
    return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
