// TradeDatabase: orders, executions, positions, P&L and refusals in SQLite, folded from the records
// of one journal, each exactly once.
//
// One thread; every call may block on the disk. Invariants:
//  1. What a transaction changed and how far the journal is applied are committed together, so a
//     restart goes on behind the last record that counts, and no row is lost or doubled.
//  2. The tables of journal_tables() are a function of the journal's records up to the applied
//     position: neither the size of the transactions nor a restart between them shows.
//  3. A database belongs to one journal, and instruments and strategies keep their numbers; any
//     other one is refused.
//  4. After an exception the object is only good for its destructor: open it again.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/messages/tap.hpp"
#include "common/storage/holdings.hpp"
#include "common/storage/journal_follower.hpp"
#include "common/storage/sqlite.hpp"

namespace sluice {

// What the numbers in the records stand for, from the configuration; by index.
struct TradeNames {
  struct Instrument {
    std::string symbol;
    std::string base;
    std::string quote;
    Price tick{};
    Qty lot{};
  };
  std::vector<Instrument> instruments{};
  std::vector<std::string> strategies{};
  std::vector<std::string> assets{};
  std::vector<std::string> feeds{};
};

struct TradeDatabaseOptions {
  std::string path;
  JournalName journal;
  std::int64_t pnl_every_ns{kNanosPerSecond};  // of a new database; an existing one keeps its own
  TradeNames names{};                          // empty: keeps what the database has
};

class TradeDatabase {
 public:
  // Opens or creates, upgrades the schema, loads the state. Throws SqliteError, or Error(kResource)
  // when the database is of another journal or other instruments.
  explicit TradeDatabase(const TradeDatabaseOptions& options);
  ~TradeDatabase();
  TradeDatabase(const TradeDatabase&) = delete;
  TradeDatabase& operator=(const TradeDatabase&) = delete;

  [[nodiscard]] const JournalPlace& applied() const noexcept { return applied_; }
  [[nodiscard]] std::int64_t pnl_every_ns() const noexcept { return pnl_every_ns_; }
  // Rows written since the object was made.
  [[nodiscard]] std::uint64_t rows() const noexcept { return rows_; }
  [[nodiscard]] sqlite::Connection& connection() noexcept { return database_; }

  // One transaction: begin, apply each record in the journal's order, commit. `place` is behind
  // the last record. All throw SqliteError.
  void begin();
  void apply(const RecordView& record);
  void commit(const JournalPlace& place);

 private:
  struct Statements;
  struct Row {
    Holdings holdings{};
    std::int64_t bucket_ns{0};
    bool changed{false};  // since its rows were written
  };
  struct Mark {
    Price bid{};
    Price ask{};
    MonoNanos receive_ns{};
    bool changed{false};
  };
  using Key = std::pair<std::uint32_t, std::uint16_t>;  // instrument, strategy

  void check_journal(const TradeDatabaseOptions& options);
  void check_names(const TradeNames& names);
  void load();

  void apply_tap(const RecordView& record, const Tap& tap);
  void apply_rings(const RecordView& record);
  void apply_intent(const Intent& intent, bool by_risk);
  void apply_verdict(const RecordView& record, const Tap& tap);
  void apply_execution(const RecordView& record, const Tap& tap);
  void apply_fill(const RecordView& record, const Tap& tap, const Execution& fill);
  void apply_fee(const RecordView& record, const Tap& tap, const Execution& change);
  void check_snapshot(const RecordView& record, const Execution& e);
  void apply_order_state(const Execution& e, bool counts);
  void apply_market(const Tap& tap);
  void apply_small(const RecordView& record, const Tap& tap);
  void note(const RecordView& record, std::string_view what, const std::string& detail);

  [[nodiscard]] std::string order_id(const Execution& e) const;
  [[nodiscard]] std::string client_order_id(const IntentId& id) const;
  [[nodiscard]] std::string ring_name(std::uint32_t ring) const;
  // The row, moved on to the interval of `now`; the interval it leaves is written first.
  Row& touch(std::uint16_t strategy, std::uint32_t instrument, MonoNanos now);
  void move_on(const Key& key, Row& row, MonoNanos now);
  void write_pnl(const Key& key, const Row& row);
  void write_state();

  template <class... Args>
  void put(sqlite::Statement& statement, const Args&... args);

  sqlite::Connection database_;
  std::string instance_;
  std::int64_t pnl_every_ns_{0};
  std::uint64_t rows_{0};
  JournalPlace applied_;
  std::vector<std::string> rings_;
  std::map<Key, Row> positions_;
  std::map<std::uint32_t, Mark> marks_;
  std::unique_ptr<Statements> statements_;  // after database_: finalised before it closes
};

}  // namespace sluice
