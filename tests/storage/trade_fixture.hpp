// What the tests of the trade database share: a journal written tap by tap, as the stages would,
// and a database's tables as text.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>
#include <vector>

#include "common/storage/database_writer.hpp"
#include "common/storage/tap_journal.hpp"
#include "common/storage/trade_database.hpp"
#include "common/storage/trade_schema.hpp"
#include "tests/storage/journal_fixture.hpp"

namespace sluice::test {

enum TestRing : std::uint16_t { kFromGateway = 0, kFromRisk = 1, kFromStrategy = 2, kFromFeed = 3 };

inline constexpr std::int64_t kStart = 1'770'000'000'000'000'000;  // 2026-02-02T02:40:00Z

inline IntentId intent_id(std::uint64_t sequence, std::uint16_t strategy = 0) {
  return {.incarnation = 5, .strategy = strategy, .reserved = 0, .sequence = sequence};
}

// Writes a journal of its own; times go on by a millisecond per tap.
class JournalMaker {
 public:
  explicit JournalMaker(const std::string& dir, const std::string& instance = "maker")
      : journal_({.dir = dir,
                  .instance = instance,
                  .segment_bytes = kSmallSegment,
                  .rings = {"exec.persistence", "tap.risk", "tap.strategy.a", "tap.feed.x"}}) {}

  template <class Body>
  void push(TestRing ring, TapType type, const Body& body) {
    Tap tap;
    tap.ring = ring;
    tap.incarnation = 1;
    tap.sequence = ++sequences_[ring];
    tap.now_ns = now();
    tap.set_body(type, body);
    if (journal_.append(tap) == TapStatus::kOk)
      return;
    ASSERT_EQ(journal_.writer().prepare().status, PrepareStatus::kReady);
    ASSERT_EQ(journal_.append(tap), TapStatus::kOk);
  }
  void pass(std::int64_t ns) { clock_ns_ += ns; }
  [[nodiscard]] MonoNanos now() { return MonoNanos{clock_ns_ += kNanosPerMilli}; }

  [[nodiscard]] Intent intent(std::uint64_t sequence, Side side, std::int64_t qty,
                              std::int64_t limit) {
    Intent i;
    i.id = intent_id(sequence);
    i.kind = IntentKind::kNew;
    i.side = side;
    i.type = OrderType::kLimit;
    i.tif = TimeInForce::kIoc;
    i.requested = Qty{qty};
    i.limit = Price{limit};
    i.cause.receive_ns = MonoNanos{clock_ns_ - 1'000};
    i.decided_ns = i.stamps.strategy_poll = i.stamps.strategy_publish = MonoNanos{clock_ns_};
    return i;
  }
  // The gateway's word on an order; `n` counts by itself.
  [[nodiscard]] Execution event(ExecutionKind kind, OrderState state, std::uint64_t sequence,
                                Side side) {
    Execution e;
    e.n = (std::uint64_t{1} << kEventIncarnationShift) + ++n_;
    e.kind = kind;
    e.state = state;
    e.intent = intent_id(sequence);
    e.side = side;
    e.receive_ns = MonoNanos{clock_ns_};
    return e;
  }
  [[nodiscard]] Execution fill(std::uint64_t sequence, Side side, std::int64_t px, std::int64_t qty,
                               std::int64_t fee) {
    Execution e = event(ExecutionKind::kFill, OrderState::kPartial, sequence, side);
    e.px = Price{px};
    e.qty = e.cum_qty = Qty{qty};
    e.fee = fee;
    e.fee_status = FeeStatus::kEstimated;
    e.fee_asset = side == Side::kBuy ? 0 : 1;
    e.execution_id = {.hi = 7, .lo = e.n};
    return e;
  }
  void push_execution(const Execution& e) { push(kFromGateway, TapType::kExecution, e); }
  void push_quote(std::uint32_t instrument, std::int64_t bid, std::int64_t ask) {
    std::array<MarketEvent, kMarketEventsPerTap> events{};
    events[0].instrument = instrument;
    events[0].receive_ns = now();
    events[0].set_body(
        MarketKind::kQuote,
        Quote{.bid_px = Price{bid}, .bid_qty = Qty{1}, .ask_px = Price{ask}, .ask_qty = Qty{1}});
    push(kFromFeed, TapType::kMarketEvents, events);
  }

  // A few hundred taps of every kind, different for every seed.
  void push_random(std::uint64_t seed, int orders) {
    std::mt19937_64 random(seed);
    std::vector<Execution> unsettled;
    for (int i = 0; i < orders; ++i) {
      const std::uint64_t sequence = ++random_orders_;
      const Side side = random() % 2 == 0 ? Side::kBuy : Side::kSell;
      const std::int64_t px = 60'000'000'000'000 + static_cast<std::int64_t>(random() % 1'000'000);
      Intent decided = intent(sequence, side, 1'000'000'000, px);
      push(kFromStrategy, TapType::kIntent, decided);
      push_quote(0, px - 5, px + 5);
      if (random() % 5 == 0) {
        Verdict verdict;
        verdict.intent = decided.id;
        verdict.decision = Decision::kRefused;
        verdict.reason = Reason::kPosition;
        push(kFromRisk, TapType::kVerdict, verdict);
        continue;
      }
      decided.approved = decided.requested;
      push(kFromRisk, TapType::kOrder, decided);
      push_execution(event(ExecutionKind::kSubmitting, OrderState::kSubmitting, sequence, side));
      std::int64_t filled = 0;
      for (std::uint64_t k = random() % 4; k > 0; --k) {
        const std::int64_t qty = 1 + static_cast<std::int64_t>(random() % 300'000'000);
        Execution e = fill(sequence, side, px, qty, static_cast<std::int64_t>(random() % 500'000));
        e.cum_qty = Qty{filled += qty};
        push_execution(e);
        unsettled.push_back(e);
      }
      push_execution(event(ExecutionKind::kCancelled, OrderState::kCancelled, sequence, side));
      if (random() % 3 == 0)
        pass(static_cast<std::int64_t>(random() % 3) * 400 * kNanosPerMilli);
      for (Execution& e : unsettled) {
        e.kind = ExecutionKind::kFee;
        e.fee = static_cast<std::int64_t>(random() % 1'000) - 500;
        e.fee_status = FeeStatus::kFinal;
        e.n = (std::uint64_t{1} << kEventIncarnationShift) + ++n_;
        push_execution(e);
      }
      unsettled.clear();
    }
  }

  // What was pushed is durable from here on.
  std::uint64_t sync() {
    static_cast<void>(journal_.writer().sync());
    return journal_.writer().durable_position();
  }
  [[nodiscard]] TapJournal& journal() noexcept { return journal_; }

 private:
  TapJournal journal_;
  std::array<std::uint64_t, 4> sequences_{};
  std::int64_t clock_ns_{kStart};
  std::uint64_t n_{0};
  std::uint64_t random_orders_{0};
};

// Every row of every table that follows from the journal, and how far it is applied.
inline std::string dump(sqlite::Connection& database) {
  std::string out =
      "applied " + std::to_string(*database.number("SELECT applied_position FROM journal")) + "\n";
  for (const JournalTable& table : journal_tables()) {
    sqlite::Statement rows =
        database.prepare("SELECT * FROM " + std::string(table.name) + " ORDER BY " + table.key);
    while (rows.step()) {
      out += table.name;
      for (int c = 0; c < rows.columns(); ++c)
        out += ' ' + rows.column_name(c) + '=' + rows.literal(c);
      out += '\n';
    }
  }
  return out;
}
inline std::string dump(const std::string& path) {
  sqlite::Connection database(path, sqlite::Connection::Mode::kReadOnly, 1'000);
  return dump(database);
}

// Applies everything up to `until` in one transaction.
inline void apply_all(TradeDatabase& database, const std::string& dir, std::uint64_t until) {
  JournalFollower follower(dir, database.applied());
  database.begin();
  for (RecordView record; follower.next(until, record);)
    database.apply(record);
  database.commit(follower.place());
}

inline std::int64_t count(sqlite::Connection& database, const std::string& what) {
  return database.number("SELECT count(*) FROM " + what).value_or(-1);
}

}  // namespace sluice::test
