// Opening a trade database, its transactions, and the state that is folded between records. What
// each record does stands in trade_apply.cpp.
#include "common/storage/trade_database.hpp"

#include <fmt/format.h>

#include "common/messages/words.hpp"
#include "common/storage/trade_schema.hpp"
#include "common/storage/trade_statements.hpp"

namespace sluice {
namespace {

std::string hex(std::uint64_t value) {
  return fmt::format("{:016x}", value);
}

// The names of one table; refuses a number that meant something else before.
class NameTable {
 public:
  NameTable(sqlite::Connection& database, const char* table, const char* key, const char* name)
      : database_(database), table_(table), key_(key), name_(name) {}

  // True: the number is new here.
  [[nodiscard]] bool check(std::size_t number, const std::string& name) const {
    const auto known =
        database_.text(fmt::format("SELECT {} FROM {} WHERE {} = {}", name_, table_, key_, number));
    if (known && *known != name) {
      throw Error(
          ExitCode::kResource,
          fmt::format("database {}: {} {} was {} so far, the configuration says {}; numbers are "
                      "never given anew: put new entries last, or move journal and database aside",
                      database_.path(), key_, number, *known, name));
    }
    return !known;
  }
  void take(const std::vector<std::string>& names) const {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (!check(i, names[i]))
        continue;
      sqlite::Statement insert =
          database_.prepare(fmt::format("INSERT INTO {} VALUES (?, ?)", table_));
      insert.bind(1, static_cast<std::int64_t>(i));
      insert.bind(2, names[i]);
      insert.execute();
    }
  }

 private:
  sqlite::Connection& database_;
  const char* table_;
  const char* key_;
  const char* name_;
};

}  // namespace

TradeDatabase::TradeDatabase(const TradeDatabaseOptions& options)
    : database_(options.path, sqlite::Connection::Mode::kReadWriteCreate) {
  // A database of something else is refused before a byte of it changes.
  static_cast<void>(schema_version_of(database_));
  // WAL: readers never wait for us, nor we for them. NORMAL: a power cut may take the last
  // transactions, whole; the journal has their records and the applied position went with them.
  database_.run(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
      "PRAGMA wal_autocheckpoint = 4096; PRAGMA cache_size = -16384;"
      "PRAGMA journal_size_limit = 67108864; PRAGMA temp_store = MEMORY");
  migrate(database_);
  database_.run("BEGIN IMMEDIATE");
  check_journal(options);
  check_names(options.names);
  database_.run("COMMIT");
  load();
  statements_ = std::make_unique<Statements>(database_);
}

TradeDatabase::~TradeDatabase() = default;

void TradeDatabase::check_journal(const TradeDatabaseOptions& options) {
  const JournalName& journal = options.journal;
  instance_ = journal.instance;
  sqlite::Statement known = database_.prepare(
      "SELECT instance, journal_id, schema_hash, applied_position, applied_segment, "
      "applied_offset, applied_crc, pnl_every_ns FROM journal");
  if (!known.step()) {
    sqlite::Statement insert =
        database_.prepare("INSERT INTO journal VALUES (1, ?, ?, ?, ?, 0, 0, 0, 0, ?)");
    insert.bind(1, journal.instance);
    insert.bind(2, to_string(journal.journal_id));
    insert.bind(3, hex(journal.schema_hash));
    insert.bind(4, static_cast<std::int64_t>(journal.first_position));
    insert.bind(5, options.pnl_every_ns);
    insert.execute();
    pnl_every_ns_ = options.pnl_every_ns;
    return;
  }
  if (known.text(0) != journal.instance || known.text(1) != to_string(journal.journal_id)) {
    throw Error(ExitCode::kResource,
                fmt::format("database {} is of journal {} of instance {}, this is journal {} of "
                            "instance {}; move the file aside (it is made anew from the journal) "
                            "or name another [persistence] database_file",
                            database_.path(), known.text(1), known.text(0),
                            to_string(journal.journal_id), journal.instance));
  }
  if (known.text(2) != hex(journal.schema_hash)) {
    throw Error(ExitCode::kResource,
                fmt::format("database {} was folded from records of schema {}, the journal has {}; "
                            "move the file aside: it is made anew from the journal",
                            database_.path(), known.text(2), hex(journal.schema_hash)));
  }
  applied_.position = static_cast<std::uint64_t>(known.number(3));
  applied_.segment = static_cast<std::uint64_t>(known.number(4));
  applied_.offset = static_cast<std::uint64_t>(known.number(5));
  applied_.crc = static_cast<std::uint32_t>(known.number(6));
  pnl_every_ns_ = known.number(7);
}

void TradeDatabase::check_names(const TradeNames& names) {
  const NameTable instruments(database_, "instruments", "instrument", "symbol");
  for (std::size_t i = 0; i < names.instruments.size(); ++i) {
    const TradeNames::Instrument& instrument = names.instruments[i];
    static_cast<void>(instruments.check(i, instrument.symbol));
    sqlite::Statement insert =
        database_.prepare("INSERT OR REPLACE INTO instruments VALUES (?, ?, ?, ?, ?, ?)");
    insert.bind(1, static_cast<std::int64_t>(i));
    insert.bind(2, instrument.symbol);
    insert.bind(3, instrument.base);
    insert.bind(4, instrument.quote);
    insert.bind(5, instrument.tick.raw);
    insert.bind(6, instrument.lot.raw);
    insert.execute();
  }
  NameTable(database_, "strategies", "strategy", "name").take(names.strategies);
  NameTable(database_, "assets", "asset", "name").take(names.assets);
  NameTable(database_, "feeds", "feed", "name").take(names.feeds);
}

void TradeDatabase::load() {
  sqlite::Statement rings = database_.prepare("SELECT name FROM rings ORDER BY ring");
  while (rings.step())
    rings_.push_back(rings.text(0));
  sqlite::Statement marks =
      database_.prepare("SELECT instrument, bid_px, ask_px, receive_ns FROM marks");
  while (marks.step()) {
    marks_[static_cast<std::uint32_t>(marks.number(0))] = {.bid = Price{marks.number(1)},
                                                           .ask = Price{marks.number(2)},
                                                           .receive_ns = {marks.number(3)}};
  }
  sqlite::Statement rows = database_.prepare(
      "SELECT instrument, strategy, position, bought, sold, fee_base, fee_quote, cash_flow, cost, "
      "realised, fills, overflows, bucket_ns FROM positions");
  while (rows.step()) {
    const Key key{static_cast<std::uint32_t>(rows.number(0)),
                  static_cast<std::uint16_t>(rows.number(1))};
    positions_[key] = {.holdings = {.position = rows.number(2),
                                    .bought = rows.number(3),
                                    .sold = rows.number(4),
                                    .fee_base = rows.number(5),
                                    .fee_quote = rows.number(6),
                                    .cash_flow = rows.number(7),
                                    .cost = rows.number(8),
                                    .realised = rows.number(9),
                                    .fills = rows.number(10),
                                    .overflows = rows.number(11)},
                       .bucket_ns = rows.number(12)};
  }
}

void TradeDatabase::begin() {
  database_.run("BEGIN IMMEDIATE");
}

void TradeDatabase::commit(const JournalPlace& place) {
  write_state();
  put(statements_->applied, place.position, place.segment, place.offset, place.crc,
      applied_.position);
  if (database_.changes() != 1) {
    throw sqlite::SqliteError(
        sqlite::Trouble::kOther,
        fmt::format("database {}: another program applied records behind {}; stop it, there is one "
                    "writer per database",
                    database_.path(), applied_.position));
  }
  database_.run("COMMIT");
  applied_ = place;
}

// What is folded in memory goes into the same transaction as the rows it was folded from.
void TradeDatabase::write_state() {
  for (auto& [instrument, mark] : marks_) {
    if (!std::exchange(mark.changed, false))
      continue;
    put(statements_->mark, instrument, mark.bid.raw, mark.ask.raw, mark.receive_ns.ns);
  }
  for (auto& [key, row] : positions_) {
    if (!std::exchange(row.changed, false))
      continue;
    const Holdings& h = row.holdings;
    put(statements_->position, key.second, key.first, h.position, h.bought, h.sold, h.fee_base,
        h.fee_quote, h.cash_flow, h.cost, h.realised, h.fills, h.overflows, row.bucket_ns);
    write_pnl(key, row);
  }
}

void TradeDatabase::write_pnl(const Key& key, const Row& row) {
  const Holdings& h = row.holdings;
  std::optional<std::int64_t> mark_px;
  std::optional<std::int64_t> gain =
      h.position == 0 ? std::optional<std::int64_t>(0) : std::nullopt;
  const auto mark = marks_.find(key.first);
  if (h.position != 0 && mark != marks_.end()) {
    // What closing would bring: a long position sells at the bid, a short one buys at the ask.
    const Price px = h.position > 0 ? mark->second.bid : mark->second.ask;
    mark_px = px.raw;
    gain = unrealised(h, px);
  }
  put(statements_->pnl, row.bucket_ns, key.second, key.first, h.position, h.cost, h.realised,
      mark_px, gain, h.fee_base, h.fee_quote, h.cash_flow);
}

// Intervals only move on: taps of different rings are not in the order of their times.
void TradeDatabase::move_on(const Key& key, Row& row, MonoNanos now) {
  const std::int64_t bucket = now.ns > 0 ? now.ns - now.ns % pnl_every_ns_ : 0;
  if (bucket > row.bucket_ns) {
    if (row.changed)
      write_pnl(key, row);
    row.bucket_ns = bucket;
  }
  row.changed = true;
}

TradeDatabase::Row& TradeDatabase::touch(std::uint16_t strategy, std::uint32_t instrument,
                                         MonoNanos now) {
  const Key key{instrument, strategy};
  Row& row = positions_[key];
  move_on(key, row, now);
  return row;
}

std::string TradeDatabase::ring_name(std::uint32_t ring) const {
  return ring < rings_.size() ? rings_[ring] : fmt::format("ring {}", ring);
}

std::string TradeDatabase::client_order_id(const IntentId& id) const {
  return id.is_none() || id.sequence == 0 ? std::string()
                                          : fmt::format("slc-{}-{}", instance_, words::of(id));
}

// Orders that are not ours have no intent; the venue's id is all there is.
std::string TradeDatabase::order_id(const Execution& e) const {
  if (!e.intent.is_none())
    return words::of(e.intent);
  return e.venue_order_id.is_zero() ? "none" : "venue:" + to_string(e.venue_order_id);
}

}  // namespace sluice
