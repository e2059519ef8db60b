#include "tests/crash/kill_sides.hpp"

#include <algorithm>
#include <cstring>
#include <random>

namespace sluice::shm::test {
namespace {

constexpr std::uint64_t kIncarnationBits = 20;

OneLine record_of(std::uint64_t position, std::uint64_t incarnation) noexcept {
  return OneLine::of((position << kIncarnationBits) | incarnation);
}

// Positions wrap, so "below" means less than half the circle behind.
bool below(std::uint64_t a, std::uint64_t b) noexcept {
  return static_cast<std::int64_t>(a - b) < 0;
}

// The first fault stands in the ledger in words, all are counted.
void note_faults(Ledger& ledger, const Faults& faults) noexcept {
  if (faults.texts().empty())
    return;
  if (ledger.faults.fetch_add(faults.texts().size()) == 0) {
    const std::string& text = faults.texts().front();
    std::memcpy(ledger.first_fault.data(), text.data(), std::min(text.size(), kTextOfFault - 1));
  }
}

// --- the producer --------------------------------------------------------------------------------

class ProducingSide {
 public:
  ProducingSide(const std::string& dir, Ledger& ledger, std::uint64_t incarnation)
      : ledger_(ledger),
        incarnation_(incarnation),
        instance_(Instance::attach(dir, std::chrono::milliseconds{30'000})),
        single_(instance_, "single"),
        bulk_(instance_, "bulk"),
        notes_(instance_, "notes"),
        board_(instance_, "quotes"),
        rows_{incarnation, {}},
        conflator_(notes_, rows_, kRows),
        random_(incarnation) {
    Faults faults;
    go_on_at(ledger.single, single_, 1, faults);
    go_on_at(ledger.bulk, bulk_, kBatch, faults);
    go_on_with_the_board(faults);
    note_faults(ledger, faults);
    for (std::uint32_t row = 0; row < kRows; ++row)
      rows_.number[row] = ledger.notes.venue[row];
    conflator_.open(opening_note(incarnation));
    for (std::uint32_t row = 0; row < kRows; ++row)
      conflator_.touch(row);
  }

  // True when something was published: else it had better let the consumer run.
  [[nodiscard]] bool turn() {
    const std::uint64_t before = single_.tail() + bulk_.tail();
    push_one();
    publish_batch();
    change_rows();
    store_row();
    return single_.tail() + bulk_.tail() != before;
  }
  // True when nothing is owed any more.
  [[nodiscard]] bool settle() noexcept {
    conflator_.settle();
    return !conflator_.owes();
  }

 private:
  // What was said to be published is there, and besides at most what was under way.
  static void go_on_at(RingLedger& ledger, const RingProducer<OneLine>& ring,
                       std::uint64_t under_way, Faults& faults) {
    const std::uint64_t more = ring.tail() - ledger.said;
    faults.expect(!below(ring.tail(), ledger.said), "a record said to be published is lost");
    faults.expect(more <= under_way, "more is published than was under way");
    ledger.behind_hint += ring.recovery().advanced;
    ledger.said = ring.tail();
  }

  void go_on_with_the_board(Faults& faults) {
    for (std::uint32_t row = 0; row < kBoardRows; ++row) {
      FourLines value{};
      const BoardRead read = board_.load(row, value);
      faults.expect(read != BoardRead::kContended, "contended without a writer");
      faults.expect(value.sequence - ledger_.stored[row] <= 1, "a row said to be stored is lost");
      faults.expect(read != BoardRead::kOk || value.whole(), "a row that mixes values");
      ledger_.stored[row] = value.sequence;
    }
  }

  void push_one() noexcept {
    if (single_.try_push(record_of(single_.tail(), incarnation_)))
      ledger_.single.said = single_.tail();
  }

  void publish_batch() {
    const std::uint64_t wanted = 1 + random_() % kBatch;
    while (bulk_.staged() < wanted &&
           bulk_.try_stage(record_of(bulk_.tail() + bulk_.staged(), incarnation_))) {
    }
    bulk_.publish();
    ledger_.bulk.said = bulk_.tail();
  }

  void change_rows() {
    const auto row = static_cast<std::uint32_t>(random_() % kRows);
    ledger_.notes.venue[row] = ++rows_.number[row];
    if (!conflator_.offer(row, change_note(incarnation_, row, rows_.number[row])))
      ++ledger_.notes.conflated;
    if (random_() % 4 == 0)
      conflator_.settle();
  }

  void store_row() {
    const auto row = static_cast<std::uint32_t>(random_() % kBoardRows);
    const std::uint64_t number = ledger_.stored[row] + 1;
    board_.store(row, FourLines::of(number));
    ledger_.stored[row] = number;
  }

  Ledger& ledger_;
  std::uint64_t incarnation_;
  Instance instance_;
  RingProducer<OneLine> single_;
  RingProducer<OneLine> bulk_;
  RingProducer<Note> notes_;
  BoardWriter<FourLines> board_;
  NoteRows rows_;
  Conflator<RingProducer<Note>, NoteRows> conflator_;
  std::mt19937_64 random_;
};

// --- the consumer --------------------------------------------------------------------------------

class ConsumingSide {
 public:
  ConsumingSide(const std::string& dir, Ledger& ledger, std::uint64_t seed)
      : ledger_(ledger),
        instance_(Instance::attach(dir, std::chrono::milliseconds{30'000})),
        single_(instance_, "single"),
        bulk_(instance_, "bulk"),
        notes_(instance_, "notes"),
        board_(instance_, "quotes"),
        random_(seed) {
    Faults faults;
    goes_on_at(ledger.single.processed, single_.head(), kSinglesAtOnce, faults);
    goes_on_at(ledger.bulk.processed, bulk_.head(), kBulkAtOnce, faults);
    goes_on_at(ledger.checkpoint().next, notes_.head(), kNotesAtOnce, faults);
    note_faults(ledger, faults);
  }

  // One of the rings is left alone now and then, so that it fills. True when something was taken.
  [[nodiscard]] bool turn() {
    const std::uint64_t before = ledger_.progress();
    Faults faults;
    const std::uint64_t choice = random_() % 8;
    if (choice != 0)
      take_one(faults);
    if (choice != 1)
      drain_bulk(faults);
    if (choice > 4)
      take_notes(faults);
    read_row(faults);
    note_faults(ledger_, faults);
    return ledger_.progress() != before;
  }

 private:
  // Released is what was processed, but for the last records that were taken at once.
  static void goes_on_at(std::uint64_t processed, std::uint64_t cursor, std::uint64_t at_once,
                         Faults& faults) {
    faults.expect(!below(processed, cursor), "released and not processed: lost");
    faults.expect(processed - cursor <= at_once, "more is seen again than was taken at once");
  }

  // Exactly the next one, or one of those that were processed and not released, unchanged.
  void process(RingLedger& ledger, std::uint64_t position, const OneLine& record, Faults& faults) {
    const std::uint64_t incarnation = record.sequence & ((1U << kIncarnationBits) - 1);
    faults.expect(record.whole(), "a torn record");
    faults.expect(record.sequence == record_of(position, incarnation).sequence,
                  "a record of another position");
    std::atomic<std::uint64_t>& content = ledger.content[position % ledger.content.size()];
    if (below(position, ledger.processed)) {
      faults.expect(content == record.sequence, "seen again, but another record");
      ++ledger.again;
      return;
    }
    faults.expect(position == ledger.processed, "records are lost");
    faults.expect(incarnation >= ledger.incarnation, "a record of a producer dead by then");
    ledger.incarnation = incarnation;
    content = record.sequence;
    ledger.processed = position + 1;
  }

  void take_one(Faults& faults) {
    OneLine record{};
    if (!single_.peek(record))
      return;
    process(ledger_.single, single_.head(), record, faults);
    single_.release();
  }

  void drain_bulk(Faults& faults) {
    std::uint64_t position = bulk_.head();
    bulk_.drain([&](const OneLine& record) { process(ledger_.bulk, position++, record, faults); },
                kBulkAtOnce);
  }

  void take_notes(Faults& faults) {
    Note note{};
    for (std::uint64_t i = 0; i < kNotesAtOnce && notes_.peek(note); ++i, notes_.advance()) {
      if (below(notes_.head(), ledger_.checkpoint().next)) {
        ++ledger_.notes.again;
        continue;
      }
      Checkpoint next = ledger_.checkpoint();
      faults.expect(next.next == notes_.head(), "notes are lost");
      next.mirror.take(note, faults);
      ++next.next;
      ledger_.notes.checkpoints[(ledger_.notes.version + 1) & 1] = next;
      ++ledger_.notes.version;
    }
    notes_.release_to(notes_.head());
  }

  void read_row(Faults& faults) {
    const auto row = static_cast<std::uint32_t>(random_() % kBoardRows);
    FourLines value{};
    const BoardRead read = board_.load(row, value);
    if (read == BoardRead::kContended)
      ++ledger_.reads_contended;
    if (read != BoardRead::kOk)
      return;
    faults.expect(value.whole(), "a row that mixes values");
    faults.expect(value.sequence >= ledger_.read[row], "a row went back");
    ledger_.read[row] = value.sequence;
  }

  Ledger& ledger_;
  Instance instance_;
  RingConsumer<OneLine> single_;
  RingConsumer<OneLine> bulk_;
  RingConsumer<Note> notes_;
  BoardReader<FourLines> board_;
  std::mt19937_64 random_;
};

}  // namespace

void start(Ledger& ledger) noexcept {
  for (RingLedger* const ring : {&ledger.single, &ledger.bulk}) {
    ring->said = kInitial;
    ring->processed = kInitial;
  }
  for (Checkpoint& checkpoint : ledger.notes.checkpoints)
    checkpoint = {kInitial, NoteMirror(0)};
}

Layout kill_layout(const std::string& dir) {
  Layout layout;
  layout.dir = dir;
  layout.instance = "killed";
  layout.build_id = 1;
  layout.rings = {
      ring_spec<OneLine>("single", 16, RingPolicy::kRefuse, "producer", "consumer"),
      ring_spec<OneLine>("bulk", 64, RingPolicy::kCountedGap, "producer", "consumer"),
      ring_spec<Note>("notes", 16, RingPolicy::kConflate, "producer", "consumer"),
  };
  for (RingSpec& ring : layout.rings)
    ring.initial_sequence = kInitial;
  layout.boards.push_back(board_spec<FourLines>("quotes", kBoardRows, "producer"));
  return layout;
}

int produce_under_load(const std::string& dir, Ledger& ledger, std::uint64_t incarnation,
                       bool last) {
  const RoleLock role = RoleLock::acquire(dir, "producer", "a producer under load");
  ProducingSide side(dir, ledger, incarnation);
  while (!last) {
    if (!side.turn())
      sched_yield();
  }
  while (!side.settle())
    sched_yield();
  ledger.settled = 1;
  for (;;)
    pause();
}

int consume_under_load(const std::string& dir, Ledger& ledger, std::uint64_t seed) {
  const RoleLock role = RoleLock::acquire(dir, "consumer", "a consumer under load");
  ConsumingSide side(dir, ledger, seed);
  for (;;) {
    if (!side.turn())
      sched_yield();
  }
}

}  // namespace sluice::shm::test
