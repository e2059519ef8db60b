// Producer, consumer, tools, writers and readers as threads on one mapping.
//
// Method. Every record checks itself: all its words follow from its position. Beside the shared
// words stands plain memory, which the shared words are supposed to guard: what the producer writes
// there before it publishes, the others read after they took the record. On x86 a memory order that
// is too weak shows in neither; under ThreadSanitizer it is a data race on that plain memory,
// reported. So that nothing else orders them, each thread counts what is wrong in a variable of its
// own and adds it up at its end: a shared counter that every record touches would pass on what the
// orders under test should. This sees each order of stamp, cursor and tail. Of a board's version
// and words it sees only both too weak at once, and of a ring's single payload words nothing: those
// are the model's (tests/model). Positions wrap at 2^64 in the middle of every run.
//
// SLUICE_SEED=n repeats a run; the seed is printed. SLUICE_LONG=1 makes runs ten times as long.

#include <algorithm>
#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include "shm/conflation.hpp"
#include "shm/ring_reader.hpp"
#include "shm/stage_page.hpp"
#include "tests/shm/ring_memory.hpp"

namespace sluice::shm::test {
namespace {

std::uint64_t announced_seed() {
  const char* const text = std::getenv("SLUICE_SEED");
  const std::uint64_t seed = text != nullptr ? std::stoull(text) : std::random_device{}();
  std::printf("SLUICE_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}
std::uint64_t long_run(std::uint64_t records) {
  const char* const longer = std::getenv("SLUICE_LONG");
  return records * (longer != nullptr && std::string(longer) == "1" ? 10 : 1);
}

using Producer = RingProducerCore<StdAtomics, kLineWords>;
using Consumer = RingConsumerCore<StdAtomics, kLineWords>;

// A ring of 64 slots whose run of `records` has position 2^64 in its middle; and the plain memory
// it guards.
class Stress {
 public:
  explicit Stress(std::uint64_t records)
      : records_(records),
        initial_(std::uint64_t{0} - records / 2),
        memory_(64, initial_),
        written_(records),
        lent_(memory_.capacity) {}

  // Pushes one by one and in batches of any size, in turns.
  void produce(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::uint64_t wrong = 0;
    Producer producer(memory_.words.data(), &memory_.producer, &memory_.consumer, memory_.capacity,
                      initial_);
    while (producer.tail() - initial_ < records_) {
      const std::uint64_t left = records_ - (producer.tail() - initial_);
      const std::uint64_t batch = std::min(left, random() % 24);
      if (batch == 0)
        wrong += push(producer) ? 0U : 1U;
      for (std::uint64_t i = 0; i < batch && stage(producer); ++i) {
      }
      producer.publish();
    }
    add_up(wrong_, wrong);
  }

  // Takes singly or in batches that are released at their end, in turns.
  void consume(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::uint64_t wrong = 0;
    Consumer consumer(memory_.words.data(), &memory_.consumer, memory_.capacity);
    while (consumer.head() - initial_ < records_) {
      const std::uint64_t batch = 1 + random() % 40;
      std::uint64_t taken = 0;
      LinePayload copy;
      while (taken < batch && consumer.peek(copy)) {
        const std::uint64_t position = consumer.head();
        wrong += is_line(copy, position) ? 0U : 1U;
        wrong += lent(position) == position && written(position) == ~position ? 0U : 1U;
        consumer.advance();
        ++taken;
      }
      if (taken != 0)
        consumer.release_to(consumer.head());
      else
        sched_yield();
    }
    add_up(wrong_, wrong);
  }

  // Reads as a tool does, anywhere between the oldest and the newest record.
  void look(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::uint64_t wrong = 0;
    std::uint64_t looked = 0;
    const RingReaderCore<StdAtomics> reader(memory_.words.data(), 1 + kLineWords, memory_.capacity,
                                            initial_, &memory_.producer, &memory_.consumer);
    // relaxed: what this thread knows of the producer it must know from the ring alone.
    while (!done_.load(std::memory_order_relaxed)) {
      const std::uint64_t oldest = reader.oldest();
      const std::uint64_t position = oldest + random() % (memory_.capacity + 2);
      LinePayload copy;
      if (reader.read(position, copy.data(), copy.size())) {
        wrong += is_line(copy, position) && written(position) == ~position ? 0U : 1U;
        ++looked;
      }
      wrong += reader.depth() <= memory_.capacity ? 0U : 1U;
      const std::uint64_t below = reader.tail() - 1;  // published, says the tail
      if (below - initial_ < records_)
        wrong += written(below) == ~below ? 0U : 1U;
    }
    add_up(wrong_, wrong);
    add_up(looked_, looked);
  }
  void stop_looking() { done_.store(true, std::memory_order_relaxed); }  // relaxed: see look()

  // Both: once all threads are joined.
  [[nodiscard]] std::uint64_t wrong() const { return wrong_; }
  [[nodiscard]] std::uint64_t looked() const { return looked_; }
  [[nodiscard]] const ProducerWords<StdAtomics>& producer_words() const { return memory_.producer; }

 private:
  // relaxed: at a thread's end, and its join orders it.
  static void add_up(std::atomic<std::uint64_t>& total, std::uint64_t n) {
    total.fetch_add(n, std::memory_order_relaxed);
  }
  // Never overwritten: guarded by stamp and tail.
  std::uint64_t& written(std::uint64_t position) { return written_[position - initial_]; }
  // Overwritten every lap: guarded by the cursor, too.
  std::uint64_t& lent(std::uint64_t position) { return lent_[position & (memory_.capacity - 1)]; }

  void note(std::uint64_t position) {
    written(position) = ~position;
    lent(position) = position;
  }
  // The plain memory is written when there is room and before anything is published, as the
  // payload.
  [[nodiscard]] bool push(Producer& producer) {
    while (!producer.has_room())
      sched_yield();
    note(producer.tail());
    return producer.try_push(line_payload(producer.tail()));
  }
  bool stage(Producer& producer) {
    if (!producer.has_room() || producer.staged() == largest_batch(memory_.capacity))
      return false;
    const std::uint64_t position = producer.tail() + producer.staged();
    note(position);
    return producer.try_stage(line_payload(position));
  }

  std::uint64_t records_;
  std::uint64_t initial_;
  RingMemory memory_;
  std::vector<std::uint64_t> written_;
  std::vector<std::uint64_t> lent_;
  std::atomic<std::uint64_t> wrong_{0};
  std::atomic<std::uint64_t> looked_{0};
  std::atomic<bool> done_{false};
};

TEST(ShmThreads, ProducerConsumerAndToolsOnOneMapping) {
  const std::uint64_t seed = announced_seed();
  Stress stress(long_run(100'000));
  std::thread tool([&] { stress.look(seed + 2); });
  std::thread other_tool([&] { stress.look(seed + 3); });
  std::thread producer([&] { stress.produce(seed); });
  stress.consume(seed + 1);
  producer.join();
  stress.stop_looking();
  tool.join();
  other_tool.join();
  EXPECT_EQ(stress.wrong(), 0u);
  EXPECT_EQ(stress.producer_words().broken_peer, 0u);
  EXPECT_GT(stress.looked(), 0u);
}

// One writer, three readers. The writer notes in plain memory what it is about to store; whoever
// reads a value reads that note.
TEST(ShmThreads, BoardReadersSeeWholeRowsAndAllThatCameBeforeThem) {
  constexpr std::size_t kWords = 31;
  using Core = BoardCore<StdAtomics, kWords>;
  const std::uint64_t stores = long_run(20'000);
  std::vector<std::uint64_t> row(board_row_words(kWords));
  std::vector<std::uint64_t> noted(stores + 1);
  std::atomic<std::uint64_t> all_wrong{0};
  std::atomic<bool> done{false};
  const auto read = [&] {
    std::uint64_t wrong = 0;
    std::uint64_t newest = 0;
    bool last_turn = false;
    do {
      // acquire: pairs with the release below, so that the last turn must find the last row. The
      // turns before it read what nobody released, which orders nothing.
      last_turn = done.load(std::memory_order_acquire);
      Core::Value copy{};
      if (Core::load(row.data(), copy) != BoardRead::kOk)
        continue;
      const auto record = std::bit_cast<FourLines>(copy);
      wrong += record.whole() && record.sequence >= newest ? 0U : 1U;
      wrong += noted[record.sequence] == ~record.sequence ? 0U : 1U;
      newest = record.sequence;
    } while (!last_turn);
    wrong += newest == stores ? 0U : 1U;
    all_wrong.fetch_add(wrong, std::memory_order_relaxed);  // relaxed: the join orders it
  };
  std::thread one(read);
  std::thread two(read);
  std::thread three(read);
  for (std::uint64_t i = 1; i <= stores; ++i) {
    noted[i] = ~i;
    Core::store(row.data(), std::bit_cast<Core::Value>(FourLines::of(i)));
    if (i % 64 == 0)
      sched_yield();
  }
  done.store(true, std::memory_order_release);
  one.join();
  two.join();
  three.join();
  EXPECT_EQ(all_wrong.load(), 0u);
}

// --- conflation ----------------------------------------------------------------------------------

enum class Kind : std::uint64_t { kOpening = 1, kChange, kGap, kSnapshot };

struct Note {
  Kind kind;
  std::uint64_t row;
  std::uint64_t number;  // of the change that the row stands at; a gap's: of the record behind it
  std::uint64_t lost;
  std::uint64_t after_gap;
  std::uint64_t part;
  std::uint64_t check;

  void seal() noexcept { check = sum(); }
  [[nodiscard]] bool whole() const noexcept { return check == sum(); }

 private:
  [[nodiscard]] std::uint64_t sum() const noexcept {
    std::uint64_t sum = 0x9e3779b97f4a7c15;
    for (const std::uint64_t word :
         {static_cast<std::uint64_t>(kind), row, number, lost, after_gap, part})
      sum = (sum ^ word) * 0x100000001b3;
    return sum;
  }
};

// Rows told in two parts, so that a snapshot can be interrupted by a full ring.
struct Rows {
  using Record = Note;
  static constexpr std::uint32_t kSnapshotRecords = 2;
  explicit Rows(std::size_t rows) : newest(rows, 0) {}

  bool snapshot(std::uint32_t row, std::uint32_t part, Note& note) const noexcept {
    if (part >= kSnapshotRecords || newest[row] == 0)
      return false;
    note = {Kind::kSnapshot, row, newest[row], 0, 1, part, 0};
    note.seal();
    return true;
  }
  void gap(std::uint64_t lost, const Note* next, Note& note) const noexcept {
    note = {Kind::kGap, 0, next == nullptr ? 0 : next->number, lost, 0, 0, 0};
    note.seal();
  }
  static void flag_after_gap(Note& note) noexcept {
    note.after_gap = 1;
    note.seal();
  }
  std::vector<std::uint64_t> newest;
};

// The shipped producer, in records.
class NoteRing {
 public:
  explicit NoteRing(RingMemory& memory)
      : core_(memory.words.data(), &memory.producer, &memory.consumer, memory.capacity,
              memory.initial) {}
  bool try_push(const Note& note) noexcept {
    return core_.try_push(std::bit_cast<LinePayload>(note));
  }
  std::uint64_t free_slots() noexcept { return core_.free_slots(); }
  [[nodiscard]] std::uint64_t capacity() const noexcept { return core_.capacity(); }
  void note_drop() noexcept { core_.note_drop(); }
  void note_gap() noexcept { core_.note_gap(); }
  void note_snapshot() noexcept { core_.note_snapshot(); }
  void set_owed(std::uint64_t rows) noexcept { core_.set_owed(rows); }

 private:
  Producer core_;
};

// What the consumer makes of it.
class Mirror {
 public:
  explicit Mirror(std::size_t rows) : newest_(rows, 0), begun_(rows, 0) {}

  void take(const Note& note) {
    if (!note.whole() || note.row >= newest_.size()) {
      ++wrong;
      return;
    }
    if (note.kind == Kind::kOpening)
      return;
    if (note.kind == Kind::kGap) {
      ++gaps;
      lost += note.lost;
      next_ = note.number;
      return;
    }
    wrong += next_ != 0 && note.number != next_ ? 1U : 0U;  // the gap named another record
    next_ = 0;
    std::uint64_t& newest = newest_[note.row];
    const bool change = note.kind == Kind::kChange;
    changes += change ? 1U : 0U;
    wrong += (change ? note.number <= newest : note.number < newest) ? 1U : 0U;
    newest = note.number;
    // The parts of a snapshot are of one state, however long the ring was full between them.
    if (note.kind == Kind::kSnapshot && note.part == 0)
      begun_[note.row] = note.number;
    wrong += note.kind == Kind::kSnapshot && begun_[note.row] != note.number ? 1U : 0U;
  }
  [[nodiscard]] const std::vector<std::uint64_t>& rows() const { return newest_; }

  std::uint64_t wrong{0};
  std::uint64_t changes{0};
  std::uint64_t lost{0};
  std::uint64_t gaps{0};

 private:
  std::vector<std::uint64_t> newest_;
  std::vector<std::uint64_t> begun_;  // the state of the snapshot that is being told
  std::uint64_t next_{0};
};

// Method: the producer changes random rows as fast as it can; the consumer stops now and then for
// as long as it takes the ring to run over. When the producer has paid what it owed, the consumer's
// rows are the producer's, and every change was either told once or is in a gap.
TEST(ShmThreads, ConflationOverARealRingEndsWithTheProducersRows) {
  constexpr std::uint32_t kRowCount = 150;  // several words of dirty bits, and more than the ring
  const std::uint64_t seed = announced_seed();
  const std::uint64_t offers = long_run(60'000);
  RingMemory memory(64, std::uint64_t{0} - offers / 8);
  Rows rows(kRowCount);
  std::atomic<bool> done{false};
  std::uint64_t lost = 0;
  std::thread producer([&] {
    std::mt19937_64 random(seed);
    NoteRing ring(memory);
    Conflator<NoteRing, Rows> conflator(ring, rows, kRowCount);
    Note opening{Kind::kOpening, 0, 0, 0, 0, 0, 0};
    opening.seal();
    conflator.open(opening);
    for (std::uint64_t number = 1; number <= offers; ++number) {
      const auto row = static_cast<std::uint32_t>(random() % kRowCount);
      rows.newest[row] = number;
      Note change{Kind::kChange, row, number, 0, 0, 0, 0};
      change.seal();
      conflator.offer(row, change);
      if (random() % 4 == 0)
        conflator.settle();
      if (random() % 64 == 0)
        sched_yield();
    }
    while (conflator.owes()) {
      conflator.settle();
      sched_yield();
    }
    lost = conflator.lost();
    done = true;
  });

  std::mt19937_64 random(seed + 1);
  Consumer consumer(memory.words.data(), &memory.consumer, memory.capacity);
  Mirror mirror(kRowCount);
  const auto take = [&] {
    LinePayload copy;
    if (!consumer.peek(copy))
      return false;
    mirror.take(std::bit_cast<Note>(copy));
    consumer.advance();
    consumer.release_to(consumer.head());
    return true;
  };
  // Not before the ring ran over once: on one core the consumer could else keep pace.
  while (StdAtomics::load_relaxed(memory.producer.drops) == 0)
    sched_yield();
  while (!done) {
    for (std::uint64_t n = random() % 100; n != 0 && take(); --n) {
    }
    sched_yield();
  }
  while (take()) {
  }
  producer.join();
  EXPECT_EQ(mirror.wrong, 0u);
  EXPECT_EQ(mirror.rows(), rows.newest);
  EXPECT_EQ(mirror.changes + mirror.lost, offers);
  EXPECT_EQ(mirror.lost, lost);
  EXPECT_EQ(memory.producer.drops, lost);
  EXPECT_EQ(memory.producer.gaps, mirror.gaps);
  EXPECT_EQ(memory.producer.owed, 0u);
  EXPECT_GT(mirror.gaps, 0u) << "the ring never ran over: the test tested nothing";
}

// --- the stage page ------------------------------------------------------------------------------

enum class Metric : std::uint32_t { kLoops, kSent, kTook, kCount };
constexpr auto kRows = metric_rows<Metric>({{Metric::kLoops, "loops", "1", MetricKind::kCounter},
                                            {Metric::kSent, "sent", "1", MetricKind::kCounter},
                                            {Metric::kTook, "took", "ns", MetricKind::kHistogram}});
constexpr MetricTable kMetrics{kRows};

class ShmPageThreads : public ShmTest {};

// Two threads of the owner write different metrics and report errors, the loop's thread also beats,
// marks and trips; another process's view reads all of it. The view has a mapping of its own (so
// has every reader), which TSan takes for other memory: what it checks here is the page object
// itself, and the numbers check the order: who sees a mark also sees what was counted before it.
TEST_F(ShmPageThreads, MarksTripsAndMetricsOfSeveralThreadsAreSeenInOrder) {
  Layout layout = small_layout();
  layout.pages.push_back({"risk", &kMetrics});
  create_layout(layout, false);
  const RoleLock owning = role("risk");
  const Instance instance = attach();
  StagePage page(instance, "risk", kMetrics);
  const StageView view(instance, "risk");
  const std::uint64_t turns = long_run(20'000);
  std::atomic<int> running{2};
  std::thread loop([&] {
    for (std::uint64_t i = 1; i <= turns; ++i) {
      page.add(Metric::kLoops, 1);
      page.record(Metric::kTook, 7);
      page.set_trip(3, i);
      page.beat(MonoNanos{static_cast<std::int64_t>(i)});
      page.set_mark(5, i);
      page.note_duty(i);
      if (i % 100 == 0)
        page.error(1, "met by two threads", MonoNanos{1});
    }
    --running;
  });
  std::thread network([&] {
    for (std::uint64_t i = 1; i <= turns; ++i) {
      page.add(Metric::kSent, 2);
      if (i % 100 == 0)
        page.error(1, "met by two threads", MonoNanos{1});
    }
    --running;
  });
  std::uint64_t wrong = 0;
  std::uint64_t newest = 0;
  while (running != 0) {
    const std::uint64_t mark = view.mark(5);
    wrong += mark < newest ? 1U : 0U;
    newest = mark;
    wrong += view.counter(Metric::kLoops) < mark ? 1U : 0U;
    wrong += view.trip(3) < mark ? 1U : 0U;
    wrong += mark != 0 && !view.tripped(3) ? 1U : 0U;
    wrong += static_cast<std::uint64_t>(view.heartbeat_ns().ns) < mark && mark != 0 ? 1U : 0U;
    wrong += view.errors().size() > 1 ? 1U : 0U;
  }
  loop.join();
  network.join();
  EXPECT_EQ(wrong, 0u);
  EXPECT_EQ(view.counter(Metric::kLoops), turns);
  EXPECT_EQ(view.counter(Metric::kSent), 2 * turns);
  EXPECT_EQ(view.histogram(Metric::kTook).count(), turns);
  ASSERT_EQ(view.errors().size(), 1u);
  EXPECT_EQ(view.errors()[0].count, 2 * (turns / 100));
}

}  // namespace
}  // namespace sluice::shm::test
