// TradeDatabase: what each record does to the tables, exactly once whatever the transactions.
#include "common/storage/trade_database.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/error.hpp"
#include "common/trading/client_order_id.hpp"
#include "common/trading/positions.hpp"
#include "tests/storage/trade_fixture.hpp"

namespace sluice {
namespace {

using namespace sluice::test;
using ::testing::HasSubstr;

class Trades : public ::testing::Test {
 protected:
  [[nodiscard]] TradeDatabaseOptions options() const {
    return {.path = path_, .journal = name_of_journal(dir_), .names = names_};
  }
  // The database with everything that was pushed so far.
  [[nodiscard]] std::unique_ptr<TradeDatabase> folded() {
    auto database = std::make_unique<TradeDatabase>(options());
    apply_all(*database, dir_, maker_.sync());
    return database;
  }
  [[nodiscard]] std::string refusal(const TradeDatabaseOptions& with) const {
    try {
      const TradeDatabase database(with);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  TempDir temp_;
  std::string dir_{temp_ / "j"};
  std::string path_{temp_ / "trades.db"};
  TradeNames names_{.instruments = {{.symbol = "BTC/USD", .base = "BTC", .quote = "USD"}},
                    .strategies = {"momentum"},
                    .assets = {"BTC", "USD"},
                    .feeds = {"x"}};
  JournalMaker maker_{dir_};
};

TEST_F(Trades, AnOrderIsOneRowFromItsIntentToItsEnd) {
  Intent intent = maker_.intent(1, Side::kBuy, 2'000'000'000, 100'000'000'000);
  maker_.push(kFromStrategy, TapType::kIntent, intent);
  intent.approved = Qty{1'500'000'000};
  maker_.push(kFromRisk, TapType::kOrder, intent);
  Execution e = maker_.event(ExecutionKind::kSubmitting, OrderState::kSubmitting, 1, Side::kBuy);
  e.approved = Qty{1'500'000'000};
  maker_.push_execution(e);
  Execution fill = maker_.fill(1, Side::kBuy, 99'000'000'000, 500'000'000, 1'000'000);
  fill.approved = e.approved;
  maker_.push_execution(fill);
  e.kind = ExecutionKind::kCancelled;
  e.state = OrderState::kCancelled;
  e.cum_qty = fill.cum_qty;
  maker_.push_execution(e);

  const auto database = folded();
  sqlite::Connection& db = database->connection();
  EXPECT_EQ(count(db, "orders"), 1);
  EXPECT_EQ(count(db, "order_events"), 3);
  EXPECT_EQ(
      db.text("SELECT id || ' ' || side || ' ' || type || ' ' || tif || ' ' || state || ' ' || "
              "decision FROM orders"),
      "5-0-1 buy limit ioc cancelled approved");
  EXPECT_EQ(db.number("SELECT requested FROM orders"), 2'000'000'000);
  EXPECT_EQ(db.number("SELECT approved FROM orders"), 1'500'000'000);
  EXPECT_EQ(db.number("SELECT filled FROM orders"), 500'000'000);
  EXPECT_EQ(db.number("SELECT executions FROM orders"), 1);
  ClientOrderId id;
  ASSERT_TRUE(encode_client_order_id("maker", intent_id(1), id));
  EXPECT_EQ(db.text("SELECT client_order_id FROM orders"), id.view());
  EXPECT_EQ(
      db.text("SELECT symbol || ' ' || qty || ' at ' || px || ' fee ' || fee || ' ' || fee_asset "
              "FROM executions_text"),
      "BTC/USD 0.500000000 at 99.000000000 fee 0.001000000 BTC");
}

// The rings meet in no fixed order: the strategy's tap may come last.
TEST_F(Trades, AnIntentBehindItsOrderAndExecutionsGivesTheSameRow) {
  Intent intent = maker_.intent(1, Side::kSell, 7, 9);
  intent.approved = Qty{7};
  const Execution end =
      maker_.event(ExecutionKind::kRejected, OrderState::kRejected, 1, Side::kSell);
  maker_.push(kFromStrategy, TapType::kIntent, intent);
  maker_.push(kFromRisk, TapType::kOrder, intent);
  maker_.push_execution(end);
  const TempDir other;
  JournalMaker backwards(other / "j");
  backwards.push_execution(end);
  backwards.push(kFromRisk, TapType::kOrder, intent);
  backwards.push(kFromStrategy, TapType::kIntent, intent);

  const auto database = folded();
  TradeDatabase second({.path = other / "db", .journal = name_of_journal(other / "j")});
  apply_all(second, other / "j", backwards.sync());
  const auto row = [](sqlite::Connection& db) {
    sqlite::Statement order = db.prepare("SELECT * FROM orders");
    std::string out;
    while (order.step()) {
      for (int c = 0; c < order.columns(); ++c)
        out += order.column_name(c) + '=' + order.literal(c) + ' ';
    }
    return out;
  };
  EXPECT_THAT(row(database->connection()), HasSubstr("state='rejected'"));
  EXPECT_EQ(row(database->connection()), row(second.connection()));
}

TEST_F(Trades, RefusalsOfRiskGateNetworkAndVenueAreRowsOfTheirOwn) {
  Verdict verdict;
  verdict.intent = intent_id(1);
  verdict.decision = Decision::kRefused;
  verdict.reason = Reason::kPosition;
  maker_.push(kFromRisk, TapType::kVerdict, verdict);
  Execution refused = maker_.event(ExecutionKind::kRefused, OrderState::kFailed, 2, Side::kBuy);
  refused.reason = Reason::kCollar;
  maker_.push_execution(refused);
  Execution rejected = maker_.event(ExecutionKind::kRejected, OrderState::kRejected, 3, Side::kBuy);
  rejected.reason = Reason::kVenueRejected;
  maker_.push_execution(rejected);
  Execution not_sent = maker_.event(ExecutionKind::kNotSent, OrderState::kFailed, 4, Side::kBuy);
  not_sent.reason = Reason::kKilled;
  maker_.push_execution(not_sent);
  Execution no_replace =
      maker_.event(ExecutionKind::kReplaceRejected, OrderState::kRejected, 5, Side::kBuy);
  no_replace.reason = Reason::kVenueRateLimited;
  maker_.push_execution(no_replace);
  for (const ExecutionKind no_refusal :
       {ExecutionKind::kCancelRejected, ExecutionKind::kExpired, ExecutionKind::kCancelled})
    maker_.push_execution(maker_.event(no_refusal, OrderState::kExpired, 6, Side::kBuy));
  const auto database = folded();
  sqlite::Statement rows = database->connection().prepare(
      "SELECT refused_by || ' ' || reason || ' ' || order_id FROM refusals ORDER BY position");
  std::vector<std::string> found;
  while (rows.step())
    found.push_back(rows.text(0));
  EXPECT_THAT(found, ::testing::ElementsAre("risk position 5-0-1", "gate collar 5-0-2",
                                            "venue venue_rejected 5-0-3", "network killed 5-0-4",
                                            "venue venue_rate_limited 5-0-5"));
  EXPECT_EQ(database->connection().text("SELECT state FROM orders WHERE id = '5-0-1'"), "failed");
}

// Else orders_text would measure from 1970 to the wire.
TEST_F(Trades, AnOrderWithoutATickHasNoCauseAndNoTimeFromTickToOrder) {
  Intent timed = maker_.intent(1, Side::kBuy, 1'000, 1'000);
  timed.cause = {};
  maker_.push(kFromStrategy, TapType::kIntent, timed);
  maker_.push(kFromStrategy, TapType::kIntent, maker_.intent(2, Side::kBuy, 1'000, 1'000));
  for (const std::uint64_t sequence : {1U, 2U}) {
    Execution e =
        maker_.event(ExecutionKind::kAccepted, OrderState::kSubmitted, sequence, Side::kBuy);
    e.stamps.wire = maker_.now();
    maker_.push_execution(e);
  }
  const auto database = folded();
  sqlite::Connection& db = database->connection();
  EXPECT_EQ(count(db,
                  "orders WHERE id = '5-0-1' AND cause_feed IS NULL AND cause_instrument IS NULL "
                  "AND cause_receive_ns IS NULL"),
            1);
  EXPECT_EQ(count(db, "orders_text WHERE id = '5-0-1' AND tick_to_order_ns IS NULL"), 1);
  EXPECT_EQ(count(db, "orders WHERE id = '5-0-2' AND cause_feed = 0"), 1);
  EXPECT_EQ(count(db, "orders_text WHERE id = '5-0-2' AND tick_to_order_ns > 0"), 1);
}

TEST_F(Trades, PositionsAndRealisedAreThoseOfTheGatewaysBook) {
  PositionBook book(1, 1);
  std::mt19937_64 random(20'261'120);
  std::vector<Execution> unsettled;
  for (int i = 0; i < 2'000; ++i) {
    const Side side = random() % 2 == 0 ? Side::kBuy : Side::kSell;
    const std::int64_t px =
        50'000'000'000'000 + static_cast<std::int64_t>(random() % 20'000'000'000'000);
    const std::int64_t qty = 1 + static_cast<std::int64_t>(random() % 2'000'000'000);
    const std::int64_t fee = static_cast<std::int64_t>(random() % 3'000'000);
    const Execution e = maker_.fill(1, side, px, qty, fee);
    maker_.push_execution(e);
    ASSERT_EQ(
        book.book(
            {.instrument = 0, .strategy = 0, .side = side, .px = e.px, .qty = e.qty, .fee = fee}),
        BookStatus::kOk);
    unsettled.push_back(e);
    if (random() % 2 == 0) {
      Execution change = unsettled.back();
      unsettled.pop_back();
      change.kind = ExecutionKind::kFee;
      change.fee_status = FeeStatus::kFinal;
      change.fee = static_cast<std::int64_t>(random() % 2'000'000) - 1'000'000;
      maker_.push_execution(change);
      ASSERT_EQ(book.adjust_fee(
                    {.instrument = 0, .strategy = 0, .side = change.side, .delta = change.fee}),
                BookStatus::kOk);
    }
  }
  const auto database = folded();
  const PositionRow& expected = book.of(0, 0);
  sqlite::Statement row = database->connection().prepare(
      "SELECT position, bought, sold, fee_base, fee_quote, cash_flow, cost, realised FROM "
      "positions");
  ASSERT_TRUE(row.step());
  EXPECT_EQ(row.number(0), expected.position);
  EXPECT_EQ(row.number(1), expected.bought.raw);
  EXPECT_EQ(row.number(2), expected.sold.raw);
  EXPECT_EQ(row.number(3), expected.fee_base);
  EXPECT_EQ(row.number(4), expected.fee_quote);
  EXPECT_EQ(row.number(5), expected.cash_flow);
  EXPECT_EQ(row.number(6), expected.cost);
  EXPECT_EQ(row.number(7), expected.realised);
  // The executions carry the fees as they stand now.
  EXPECT_EQ(database->connection().number("SELECT sum(fee) FROM executions WHERE side = 'buy'"),
            expected.fee_base);
  EXPECT_EQ(database->connection().number("SELECT sum(fee) FROM executions WHERE side = 'sell'"),
            expected.fee_quote);
}

TEST_F(Trades, ASumThatDoesNotFitIsAnAnomalyAndChangesNothing) {
  maker_.push_execution(maker_.fill(1, Side::kBuy, 9'000'000'000'000'000'000, 900'000'000, 0));
  maker_.push_execution(maker_.fill(1, Side::kBuy, 9'000'000'000'000'000'000, 900'000'000, 0));
  const auto database = folded();
  sqlite::Connection& db = database->connection();
  EXPECT_EQ(db.number("SELECT fills FROM positions"), 1);
  EXPECT_EQ(db.number("SELECT overflows FROM positions"), 1);
  EXPECT_EQ(db.text("SELECT what FROM anomalies"), "fill whose sums do not fit");
}

TEST_F(Trades, PnlHasOneRowPerIntervalMarkedAtTheSideThatWouldClose) {
  maker_.push_quote(0, 100'000'000'000, 101'000'000'000);
  maker_.push_execution(maker_.fill(1, Side::kBuy, 101'000'000'000, 2'000'000'000, 0));
  maker_.push_quote(0, 102'000'000'000, 103'000'000'000);  // bid 102: 2 * 102 - 202 = 2
  maker_.pass(kNanosPerSecond);
  maker_.push_quote(0, 99'000'000'000, 100'000'000'000);  // 2 * 99 - 202 = -4
  maker_.pass(5 * kNanosPerSecond);
  maker_.push_execution(maker_.fill(2, Side::kSell, 104'000'000'000, 2'000'000'000, 0));
  maker_.pass(kNanosPerSecond);
  maker_.push_quote(0, 90'000'000'000, 91'000'000'000);  // nothing is held: no row
  const auto database = folded();
  sqlite::Statement rows = database->connection().prepare(
      "SELECT (bucket_ns - 1770000000000000000) / 1000000000, position, realised, unrealised, "
      "mark_px "
      "FROM pnl ORDER BY bucket_ns");
  std::vector<std::array<std::int64_t, 5>> found;
  while (rows.step()) {
    found.push_back({rows.number(0), rows.number(1), rows.number(2), rows.number(3),
                     rows.is_null(4) ? -1 : rows.number(4)});
  }
  const std::vector<std::array<std::int64_t, 5>> expected{
      {0, 2'000'000'000, 0, 2'000'000'000, 102'000'000'000},
      {1, 2'000'000'000, 0, -4'000'000'000, 99'000'000'000},
      {6, 0, 6'000'000'000, 0, -1}};
  EXPECT_EQ(found, expected);
}

TEST_F(Trades, AnExecutionThatIsToldAgainIsBookedOnce) {
  const Execution e = maker_.fill(1, Side::kBuy, 100'000'000'000, 1'000'000'000, 0);
  maker_.push_execution(e);
  Execution again = e;
  again.n += 100;
  maker_.push_execution(again);
  const auto database = folded();
  sqlite::Connection& db = database->connection();
  EXPECT_EQ(count(db, "executions"), 1);
  EXPECT_EQ(count(db, "order_events"), 2);
  EXPECT_EQ(db.number("SELECT position FROM positions"), 1'000'000'000);
  EXPECT_EQ(db.text("SELECT what FROM anomalies"), "execution that was booked before");
}

TEST_F(Trades, ASnapshotBringsTheOrderUpToDateAndNamesExecutionsThatAreMissing) {
  maker_.push_execution(maker_.fill(1, Side::kBuy, 100'000'000'000, 1'000'000'000, 0));
  Execution whole = maker_.event(ExecutionKind::kSnapshot, OrderState::kPartial, 1, Side::kBuy);
  whole.cum_qty = Qty{1'000'000'000};
  whole.qty = Qty{1'000'000'000};
  maker_.push_execution(whole);
  Execution more = maker_.event(ExecutionKind::kSnapshot, OrderState::kCancelled, 1, Side::kBuy);
  more.cum_qty = more.qty = Qty{3'000'000'000};
  maker_.push_execution(more);
  const auto database = folded();
  sqlite::Connection& db = database->connection();
  EXPECT_EQ(db.text("SELECT state FROM orders"), "cancelled");
  EXPECT_EQ(db.number("SELECT position FROM positions"), 1'000'000'000) << "nothing is invented";
  EXPECT_EQ(db.number("SELECT count(*) FROM anomalies"), 1);
  EXPECT_EQ(db.number("SELECT count(*) FROM anomalies WHERE what = 'executions are missing before "
                      "a snapshot' AND detail = 'order 5-0-1: 1 filled here, 3 at the gateway'"),
            1);
}

TEST_F(Trades, ASnapshotOfAReplacedOrderNamesItsSuccessor) {
  Execution end = maker_.event(ExecutionKind::kSnapshot, OrderState::kReplaced, 1, Side::kBuy);
  end.linked = 2;  // as the gateway's core fills it
  end.leaves = Qty{1'000'000'000};
  maker_.push_execution(end);
  const auto database = folded();
  sqlite::Connection& db = database->connection();
  EXPECT_EQ(db.number("SELECT count(*) FROM orders WHERE id = '5-0-1' AND replaces IS NULL"), 1);
  EXPECT_EQ(db.text("SELECT replaced_by FROM orders WHERE id = '5-0-1'"), "5-0-2");
  EXPECT_EQ(db.number("SELECT leaves FROM orders WHERE id = '5-0-1'"), 0);
}

TEST_F(Trades, AKindOfExecutionNobodyKnowsKeepsItsNumber) {
  maker_.push_execution(
      maker_.event(static_cast<ExecutionKind>(99), static_cast<OrderState>(77), 1, Side::kBuy));
  maker_.push(kFromRisk, static_cast<TapType>(4'321), Intent{});
  const auto database = folded();
  sqlite::Connection& db = database->connection();
  EXPECT_EQ(db.text("SELECT kind || ' ' || state FROM order_events"), "#99 #77");
  EXPECT_EQ(count(db, "anomalies"), 2);
}

TEST_F(Trades, AReplacedOrderAndItsSuccessorNameEachOther) {
  Intent successor = maker_.intent(2, Side::kBuy, 5, 6);
  successor.kind = IntentKind::kReplace;
  successor.replaces = intent_id(1);
  maker_.push(kFromStrategy, TapType::kIntent, successor);
  Execution end = maker_.event(ExecutionKind::kReplaced, OrderState::kReplaced, 1, Side::kBuy);
  end.linked = 2;
  maker_.push_execution(end);
  const auto database = folded();
  sqlite::Connection& db = database->connection();
  EXPECT_EQ(db.text("SELECT replaces FROM orders WHERE id = '5-0-2'"), "5-0-1");
  EXPECT_EQ(db.text("SELECT replaced_by FROM orders WHERE id = '5-0-1'"), "5-0-2");
  EXPECT_EQ(db.text("SELECT kind FROM order_events"), "replaced");
}

TEST_F(Trades, NeitherTransactionsNorRestartsShowInTheRows) {
  maker_.push_random(1, 60);
  const std::uint64_t last = maker_.sync();
  TradeDatabase whole({.path = ":memory:", .journal = name_of_journal(dir_)});
  apply_all(whole, dir_, last);
  const std::string expected = dump(whole.connection());
  EXPECT_GT(count(whole.connection(), "pnl"), 5);
  for (const std::uint64_t step : {1U, 7U, 100U}) {
    std::filesystem::remove(path_);
    for (std::uint64_t until = step; until < last + step; until += step) {
      TradeDatabase database(options());  // a new process each time
      apply_all(database, dir_, std::min(until, last));
    }
    EXPECT_EQ(dump(path_), expected) << "in transactions of " << step;
  }
}

TEST_F(Trades, ATransactionThatNeverCommittedLeavesNothing) {
  maker_.push_random(2, 40);
  const std::uint64_t last = maker_.sync();
  {
    TradeDatabase database(options());
    apply_all(database, dir_, last / 2);
    JournalFollower follower(dir_, database.applied());
    database.begin();
    for (RecordView record; follower.next(last, record);)
      database.apply(record);  // and the process dies
  }
  TradeDatabase database(options());
  EXPECT_EQ(database.applied().position, last / 2);
  apply_all(database, dir_, last);
  TradeDatabase whole({.path = ":memory:", .journal = name_of_journal(dir_)});
  apply_all(whole, dir_, last);
  EXPECT_EQ(dump(database.connection()), dump(whole.connection()));
}

TEST_F(Trades, ASecondWriterIsNoticedBeforeItsRowsCount) {
  maker_.push_random(3, 5);
  const std::uint64_t last = maker_.sync();
  TradeDatabase first(options());
  TradeDatabase second(options());
  apply_all(first, dir_, last);
  // The rows are keyed, so already the first of them cannot be inserted twice.
  EXPECT_THROW(apply_all(second, dir_, last), sqlite::SqliteError);
}

TEST_F(Trades, RefusesADatabaseOfAnotherJournal) {
  { const auto database = folded(); }
  const TempDir other;
  JournalMaker stranger(other / "j");
  TradeDatabaseOptions with = options();
  with.journal = name_of_journal(other / "j");
  EXPECT_THAT(refusal(with), HasSubstr("move the file aside"));
}

TEST_F(Trades, RefusesAnInstrumentThatHadAnotherNumber) {
  { const auto database = folded(); }
  names_.instruments.push_back({.symbol = "ETH/USD", .base = "ETH", .quote = "USD"});
  std::swap(names_.instruments[0], names_.instruments[1]);
  EXPECT_THAT(refusal(options()), HasSubstr("instrument 0 was BTC/USD so far"));
  std::swap(names_.instruments[0], names_.instruments[1]);
  EXPECT_EQ(refusal(options()), "");  // new ones at the end are welcome
}

TEST_F(Trades, RefusesANewerSchemaAndSaysBothVersions) {
  {
    const auto database = folded();
    database->connection().run("INSERT INTO schema_version VALUES (99)");
  }
  EXPECT_THAT(refusal(options()), HasSubstr("version 99, this build knows up to 3"));
}

TEST_F(Trades, UpgradesAnOlderSchemaAndKeepsItsRows) {
  maker_.push_random(4, 10);
  {
    const auto database = folded();
    database->connection().run(
        "DROP VIEW executions_text; DROP VIEW orders_text; DROP VIEW positions_text;"
        "DROP VIEW pnl_text; DROP VIEW refusals_text; DROP VIEW fees;"
        "DROP INDEX orders_by_strategy; DROP INDEX orders_by_client_id;"
        "DROP INDEX order_events_by_order; DROP INDEX executions_by_order;"
        "DROP INDEX executions_by_time; DROP INDEX refusals_by_reason;"
        "DELETE FROM schema_version WHERE version > 1");
  }
  const std::string before = dump(path_);
  const TradeDatabase upgraded(options());
  EXPECT_EQ(dump(path_), before);
  sqlite::Connection look(path_, sqlite::Connection::Mode::kReadOnly);
  EXPECT_EQ(schema_version_of(look), 3);
  EXPECT_GT(count(look, "executions_text"), 0);
}

TEST_F(Trades, AReaderOfOneThatIsHalfWrittenIsToldWhoCompletesIt) {
  // What a writer leaves that is killed before the file has its WAL: pages and a rollback journal.
  const std::string whole = path_ + ".whole";
  {
    sqlite::Connection writer(whole, sqlite::Connection::Mode::kReadWriteCreate);
    writer.run("PRAGMA synchronous = OFF; CREATE TABLE t (a); BEGIN; INSERT INTO t VALUES (1)");
    std::filesystem::copy_file(whole, path_);
    std::filesystem::copy_file(whole + "-journal", path_ + "-journal");
  }
  sqlite::Connection look(path_, sqlite::Connection::Mode::kReadOnly);
  try {
    static_cast<void>(look.number("SELECT count(*) FROM t"));
    FAIL() << "it was read";
  } catch (const sqlite::SqliteError& error) {
    EXPECT_EQ(error.trouble(), sqlite::Trouble::kUnfinished);
    EXPECT_THAT(error.what(), HasSubstr("start sluice-persistence, which completes it"));
  }
  sqlite::Connection writer(path_, sqlite::Connection::Mode::kReadWriteCreate);
  EXPECT_EQ(count(writer, "t"), 0);
  EXPECT_EQ(count(look, "t"), 0);
}

TEST_F(Trades, ADatabaseOfAnotherProgramIsRefusedUntouched) {
  {
    sqlite::Connection other(path_, sqlite::Connection::Mode::kReadWriteCreate);
    other.run("CREATE TABLE letters (a)");
  }
  EXPECT_THAT(refusal(options()), HasSubstr("it is a database of another program"));
  sqlite::Connection look(path_, sqlite::Connection::Mode::kReadOnly);
  EXPECT_EQ(count(look, "sqlite_master"), 1);
}

}  // namespace
}  // namespace sluice
