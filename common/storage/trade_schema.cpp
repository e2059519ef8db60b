#include "common/storage/trade_schema.hpp"

#include <fmt/format.h>

#include <array>

namespace sluice {
namespace {

// Version 1. Tables keyed by `position` have one row per journal record; the others are folded from
// several, in the journal's order.
constexpr const char* kTables = R"sql(
CREATE TABLE journal (            -- one row: which journal, and how far it is applied
  id INTEGER PRIMARY KEY CHECK (id = 1),
  instance TEXT NOT NULL,
  journal_id TEXT NOT NULL,
  schema_hash TEXT NOT NULL,
  first_position INTEGER NOT NULL,
  applied_position INTEGER NOT NULL,
  applied_segment INTEGER NOT NULL,
  applied_offset INTEGER NOT NULL,
  applied_crc INTEGER NOT NULL,
  pnl_every_ns INTEGER NOT NULL
);
CREATE TABLE rings (ring INTEGER PRIMARY KEY, name TEXT NOT NULL);

-- From the configuration, for people: what the numbers in the other tables stand for.
CREATE TABLE instruments (
  instrument INTEGER PRIMARY KEY, symbol TEXT NOT NULL, base TEXT NOT NULL, quote TEXT NOT NULL,
  tick INTEGER NOT NULL, lot INTEGER NOT NULL
);
CREATE TABLE strategies (strategy INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE assets (asset INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE feeds (feed INTEGER PRIMARY KEY, name TEXT NOT NULL);

CREATE TABLE sessions (           -- a stage's incarnation begins
  position INTEGER PRIMARY KEY, ring TEXT NOT NULL, incarnation INTEGER NOT NULL,
  generation INTEGER NOT NULL, at_ns INTEGER NOT NULL
);
CREATE TABLE gaps (               -- taps were lost here
  position INTEGER PRIMARY KEY, ring TEXT NOT NULL, incarnation INTEGER NOT NULL,
  lost INTEGER NOT NULL, next_sequence INTEGER NOT NULL
);
CREATE TABLE orders (             -- one row per intent, whatever became of it
  id TEXT PRIMARY KEY,            -- incarnation-strategy-sequence; venue:<id> when not ours
  client_order_id TEXT,
  incarnation INTEGER, strategy INTEGER, sequence INTEGER,
  instrument INTEGER, account INTEGER, venue INTEGER,
  side TEXT, type TEXT, tif TEXT,
  requested INTEGER, approved INTEGER, limit_px INTEGER, stop_px INTEGER, trail_px INTEGER,
  replaces TEXT, replaced_by TEXT,
  decision TEXT,                  -- risk's: approved, resized, refused
  state TEXT, flags INTEGER, reason TEXT,
  filled INTEGER NOT NULL DEFAULT 0, leaves INTEGER, executions INTEGER NOT NULL DEFAULT 0,
  venue_order_id TEXT,
  cause_feed INTEGER, cause_instrument INTEGER, cause_receive_ns INTEGER,  -- NULL: no tick
  decided_ns INTEGER, deadline_ns INTEGER,
  strategy_poll_ns INTEGER, strategy_publish_ns INTEGER, risk_poll_ns INTEGER,
  risk_publish_ns INTEGER, gateway_poll_ns INTEGER, hand_over_ns INTEGER, wire_ns INTEGER,
  submitting_ns INTEGER, accepted_ns INTEGER, ended_ns INTEGER,
  last_n INTEGER                  -- last event of the gateway; NULL: it never told of the order
) WITHOUT ROWID;
CREATE TABLE order_events (       -- every word of the gateway about an order
  position INTEGER PRIMARY KEY, n INTEGER NOT NULL, sub INTEGER NOT NULL, kind TEXT NOT NULL,
  order_id TEXT NOT NULL, state TEXT NOT NULL, flags INTEGER NOT NULL, reason TEXT NOT NULL,
  instrument INTEGER NOT NULL, side TEXT NOT NULL,
  px INTEGER NOT NULL, qty INTEGER NOT NULL, cum_qty INTEGER NOT NULL, leaves INTEGER NOT NULL,
  fee INTEGER NOT NULL, fee_asset INTEGER NOT NULL, fee_status TEXT NOT NULL,
  requested INTEGER NOT NULL, approved INTEGER NOT NULL,
  execution_id TEXT, venue_order_id TEXT, linked INTEGER NOT NULL,
  venue_ns INTEGER NOT NULL, receive_ns INTEGER NOT NULL, gateway_poll_ns INTEGER NOT NULL,
  hand_over_ns INTEGER NOT NULL, wire_ns INTEGER NOT NULL, at_ns INTEGER NOT NULL
);
CREATE TABLE executions (         -- fills that count, with the fee as it stands now
  position INTEGER PRIMARY KEY, n INTEGER NOT NULL, sub INTEGER NOT NULL,
  execution_id TEXT UNIQUE,       -- the venue's
  order_id TEXT NOT NULL, strategy INTEGER NOT NULL, instrument INTEGER NOT NULL,
  side TEXT NOT NULL, px INTEGER NOT NULL, qty INTEGER NOT NULL, notional INTEGER,
  fee INTEGER NOT NULL, fee_asset INTEGER NOT NULL, fee_status TEXT NOT NULL,
  venue_ns INTEGER NOT NULL, receive_ns INTEGER NOT NULL, at_ns INTEGER NOT NULL,
  UNIQUE (n, sub)
);
CREATE TABLE refusals (           -- by risk, the gate, the network thread or the venue
  position INTEGER PRIMARY KEY, refused_by TEXT NOT NULL, order_id TEXT NOT NULL,
  strategy INTEGER NOT NULL, instrument INTEGER, reason TEXT NOT NULL,
  requested INTEGER NOT NULL, at_ns INTEGER NOT NULL
);
CREATE TABLE cancels (            -- asked for by strategies
  position INTEGER PRIMARY KEY, order_id TEXT NOT NULL, strategy INTEGER NOT NULL,
  sequence INTEGER NOT NULL, decided_ns INTEGER NOT NULL, publish_ns INTEGER NOT NULL
);
CREATE TABLE commands (
  position INTEGER PRIMARY KEY, ring TEXT NOT NULL, verb TEXT NOT NULL, scope INTEGER NOT NULL,
  operator INTEGER NOT NULL, value INTEGER NOT NULL, at_ns INTEGER NOT NULL
);
CREATE TABLE trips (              -- the kill switch
  position INTEGER PRIMARY KEY, scope INTEGER NOT NULL, is_on INTEGER NOT NULL,
  source TEXT NOT NULL, episode INTEGER NOT NULL, seen_ns INTEGER NOT NULL,
  stamped_ns INTEGER NOT NULL
);
CREATE TABLE accounts (           -- what the venue said
  position INTEGER PRIMARY KEY, account_id TEXT, cash INTEGER NOT NULL,
  buying_power INTEGER NOT NULL, requested_ns INTEGER NOT NULL
);
CREATE TABLE anomalies (          -- records that do not fit the others; their facts stand elsewhere
  position INTEGER PRIMARY KEY, what TEXT NOT NULL, detail TEXT NOT NULL
);
CREATE TABLE marks (              -- the last two-sided quote
  instrument INTEGER PRIMARY KEY, bid_px INTEGER NOT NULL, ask_px INTEGER NOT NULL,
  receive_ns INTEGER NOT NULL
);
CREATE TABLE positions (          -- as all executions in this journal make them; average cost
  strategy INTEGER NOT NULL, instrument INTEGER NOT NULL,
  position INTEGER NOT NULL, bought INTEGER NOT NULL, sold INTEGER NOT NULL,
  fee_base INTEGER NOT NULL, fee_quote INTEGER NOT NULL, cash_flow INTEGER NOT NULL,
  cost INTEGER NOT NULL, realised INTEGER NOT NULL, fills INTEGER NOT NULL,
  overflows INTEGER NOT NULL, bucket_ns INTEGER NOT NULL,
  PRIMARY KEY (strategy, instrument)
) WITHOUT ROWID;
CREATE TABLE pnl (                -- positions at the end of each interval in which they changed
  bucket_ns INTEGER NOT NULL, strategy INTEGER NOT NULL, instrument INTEGER NOT NULL,
  position INTEGER NOT NULL, cost INTEGER NOT NULL, realised INTEGER NOT NULL,
  mark_px INTEGER, unrealised INTEGER,
  fee_base INTEGER NOT NULL, fee_quote INTEGER NOT NULL, cash_flow INTEGER NOT NULL,
  PRIMARY KEY (bucket_ns, strategy, instrument)
) WITHOUT ROWID;
)sql";

// Version 2: what people ask for first.
constexpr const char* kIndexes = R"sql(
CREATE INDEX orders_by_strategy ON orders (strategy, decided_ns);
CREATE INDEX orders_by_client_id ON orders (client_order_id);
CREATE INDEX order_events_by_order ON order_events (order_id, n, sub);
CREATE INDEX executions_by_order ON executions (order_id);
CREATE INDEX executions_by_time ON executions (at_ns);
CREATE INDEX refusals_by_reason ON refusals (reason);
)sql";

// Version 3: the same in decimals and UTC. d() is written out: an integer of 1e-9 as a decimal with
// nine places, without passing through a floating point number.
constexpr const char* kViews = R"sql(
CREATE VIEW executions_text AS
SELECT e.position, strftime('%Y-%m-%dT%H:%M:%S', e.at_ns / 1000000000, 'unixepoch')
         || printf('.%09dZ', e.at_ns % 1000000000) AS at,
       coalesce(s.name, e.strategy) AS strategy, coalesce(i.symbol, e.instrument) AS symbol, e.side,
       {d:e.px} AS px, {d:e.qty} AS qty, {d:e.notional} AS notional, {d:e.fee} AS fee,
       coalesce(a.name, e.fee_asset) AS fee_asset, e.fee_status, e.execution_id, e.order_id
FROM executions e LEFT JOIN strategies s USING (strategy) LEFT JOIN instruments i USING (instrument)
     LEFT JOIN assets a ON a.asset = e.fee_asset;
CREATE VIEW orders_text AS
SELECT o.id, o.client_order_id, coalesce(s.name, o.strategy) AS strategy,
       coalesce(i.symbol, o.instrument) AS symbol, o.side, o.type, o.tif,
       {d:o.requested} AS requested, {d:o.approved} AS approved, {d:nullif(o.limit_px, 0)} AS limit_px,
       {d:o.filled} AS filled, o.state, nullif(o.reason, 'none') AS reason, o.replaces, o.replaced_by,
       strftime('%Y-%m-%dT%H:%M:%S', o.decided_ns / 1000000000, 'unixepoch')
         || printf('.%09dZ', o.decided_ns % 1000000000) AS decided,
       o.wire_ns - o.cause_receive_ns AS tick_to_order_ns, o.accepted_ns - o.wire_ns AS order_to_ack_ns
FROM orders o LEFT JOIN strategies s USING (strategy) LEFT JOIN instruments i USING (instrument);
CREATE VIEW positions_text AS
SELECT coalesce(s.name, p.strategy) AS strategy, coalesce(i.symbol, p.instrument) AS symbol,
       {d:p.position} AS position, {d:p.bought} AS bought, {d:p.sold} AS sold,
       {d:p.cost} AS cost, {d:p.realised} AS realised, {d:p.cash_flow} AS cash_flow,
       {d:p.fee_base} AS fee_base, {d:p.fee_quote} AS fee_quote, p.fills
FROM positions p LEFT JOIN strategies s USING (strategy) LEFT JOIN instruments i USING (instrument);
CREATE VIEW pnl_text AS
SELECT strftime('%Y-%m-%dT%H:%M:%S', p.bucket_ns / 1000000000, 'unixepoch')
         || printf('.%03dZ', p.bucket_ns / 1000000 % 1000) AS from_time,
       coalesce(s.name, p.strategy) AS strategy, coalesce(i.symbol, p.instrument) AS symbol,
       {d:p.position} AS position, {d:p.realised} AS realised, {d:p.mark_px} AS mark_px,
       {d:p.unrealised} AS unrealised, {d:p.fee_base} AS fee_base, {d:p.fee_quote} AS fee_quote
FROM pnl p LEFT JOIN strategies s USING (strategy) LEFT JOIN instruments i USING (instrument);
CREATE VIEW refusals_text AS
SELECT strftime('%Y-%m-%dT%H:%M:%S', r.at_ns / 1000000000, 'unixepoch')
         || printf('.%09dZ', r.at_ns % 1000000000) AS at,
       r.refused_by, r.reason, coalesce(s.name, r.strategy) AS strategy,
       coalesce(i.symbol, r.instrument) AS symbol, {d:r.requested} AS requested, r.order_id
FROM refusals r LEFT JOIN strategies s USING (strategy)
     LEFT JOIN instruments i ON i.instrument = r.instrument;
CREATE VIEW fees AS              -- what was charged or is estimated, by asset
SELECT coalesce(a.name, e.fee_asset) AS asset, coalesce(s.name, e.strategy) AS strategy,
       e.fee_status, count(*) AS fills, sum(e.fee) AS fee, {d:sum(e.fee)} AS fee_text
FROM executions e LEFT JOIN assets a ON a.asset = e.fee_asset LEFT JOIN strategies s USING (strategy)
GROUP BY 1, 2, 3;
)sql";

constexpr std::array kSteps{kTables, kIndexes, kViews};

constexpr std::array<JournalTable, 15> kJournalTables{{
    {"sessions", "position"},
    {"gaps", "position"},
    {"orders", "id"},
    {"order_events", "position"},
    {"executions", "position"},
    {"refusals", "position"},
    {"cancels", "position"},
    {"commands", "position"},
    {"trips", "position"},
    {"accounts", "position"},
    {"anomalies", "position"},
    {"rings", "ring"},
    {"marks", "instrument"},
    {"positions", "strategy, instrument"},
    {"pnl", "bucket_ns, strategy, instrument"},
}};

// Writes {d:expression} out: sign, whole part, nine decimals.
std::string with_decimals(std::string_view sql) {
  std::string out;
  for (;;) {
    const std::size_t at = sql.find("{d:");
    out += sql.substr(0, at);
    if (at == std::string_view::npos)
      return out;
    const std::size_t end = sql.find('}', at);
    const std::string x(sql.substr(at + 3, end - at - 3));
    out += fmt::format(
        "CASE WHEN {0} IS NULL THEN NULL ELSE printf('%s%d.%09d', CASE WHEN {0} < 0 THEN '-' ELSE "
        "'' END, abs({0} / 1000000000), abs({0} % 1000000000)) END",
        x);
    sql.remove_prefix(end + 1);
  }
}

}  // namespace

std::span<const char* const> schema_steps() noexcept {
  return kSteps;
}

std::span<const JournalTable> journal_tables() noexcept {
  return kJournalTables;
}

int schema_version_of(sqlite::Connection& database) {
  const auto tables = database.number("SELECT count(*) FROM sqlite_master");
  if (tables.value_or(0) == 0)
    return 0;
  if (!database.number("SELECT 1 FROM sqlite_master WHERE name = 'schema_version'")) {
    throw sqlite::SqliteError(
        sqlite::Trouble::kDamaged,
        fmt::format("database {}: it is a database of another program (no table schema_version); "
                    "name another [persistence] database_file or move it away",
                    database.path()));
  }
  const auto version = database.number("SELECT max(version) FROM schema_version").value_or(0);
  if (version > static_cast<std::int64_t>(kSteps.size())) {
    throw sqlite::SqliteError(
        sqlite::Trouble::kOther,
        fmt::format("database {}: its schema is version {}, this build knows up to {}; use the "
                    "build that wrote it, or move the file aside: it is made anew from the journal",
                    database.path(), version, kSteps.size()));
  }
  return static_cast<int>(version);
}

void migrate(sqlite::Connection& database) {
  int version = schema_version_of(database);
  if (version == static_cast<int>(kSteps.size()))
    return;
  database.run("BEGIN IMMEDIATE");
  try {
    // Looked at again under the lock: another process may have been faster.
    version = schema_version_of(database);
    database.run("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY)");
    for (; version < static_cast<int>(kSteps.size()); ++version) {
      database.run(with_decimals(kSteps[static_cast<std::size_t>(version)]));
      database.run(fmt::format("INSERT INTO schema_version VALUES ({})", version + 1));
    }
    database.run("COMMIT");
  } catch (const sqlite::SqliteError&) {
    try {
      database.run("ROLLBACK");
    } catch (const sqlite::SqliteError&) {
      // SQLite has rolled back by itself; the first error is the one that counts.
    }
    throw;
  }
}

}  // namespace sluice
