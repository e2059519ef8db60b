// Does the database say what the journal says? The journal's records are folded anew, in memory, up
// to the position the database has applied, and every table is compared row by row.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "common/base/error.hpp"
#include "common/storage/trade_database.hpp"
#include "common/storage/trade_schema.hpp"
#include "tools/journal/commands.hpp"

namespace sluice::journal_tool {
namespace {

using sqlite::Connection;
using sqlite::Statement;

struct TableResult {
  std::string name;
  std::uint64_t rows{0};
};

struct Comparison {
  std::uint64_t applied{0};
  std::uint64_t last{0};  // whole records in the journal
  std::vector<TableResult> tables{};
  std::string difference{};  // the first one; empty: none
};

struct Applied {
  std::string instance;
  std::string journal_id;
  std::string schema_hash;
  std::uint64_t first{0};  // record it began with
  std::uint64_t position{0};
  std::int64_t pnl_every_ns{0};
};

Applied applied_of(Connection& database) {
  if (schema_version_of(database) != static_cast<int>(schema_steps().size())) {
    throw Error(ExitCode::kResource,
                fmt::format("database {}: its schema is version {}, this build compares {}; start "
                            "persistence once, it upgrades the file",
                            database.path(), schema_version_of(database), schema_steps().size()));
  }
  Statement row = database.prepare(
      "SELECT instance, journal_id, schema_hash, first_position, applied_position, pnl_every_ns "
      "FROM journal");
  if (!row.step()) {
    throw Error(ExitCode::kResource,
                fmt::format("database {}: it names no journal; it was never opened by persistence",
                            database.path()));
  }
  return {.instance = row.text(0),
          .journal_id = row.text(1),
          .schema_hash = row.text(2),
          .first = static_cast<std::uint64_t>(row.number(3)),
          .position = static_cast<std::uint64_t>(row.number(4)),
          .pnl_every_ns = row.number(5)};
}

std::uint64_t last_record(const std::string& dir) {
  JournalReader reader = open_journal(dir);
  for (RecordView record; reader.next(record);) {
  }
  return reader.end().last_position;
}

// What the database should hold: the same fold, of the same records, in one go.
void fold(const std::string& dir, std::uint64_t until, TradeDatabase& expected) {
  JournalFollower follower(dir, {});
  expected.begin();
  for (RecordView record; follower.next(until, record);)
    expected.apply(record);
  expected.commit(follower.place());
}

std::string row_text(const Statement& row) {
  std::string out;
  for (int c = 0; c < row.columns(); ++c) {
    if (!row.is_null(c))
      out += fmt::format("{}{}={}", out.empty() ? "" : " ", row.column_name(c), row.literal(c));
  }
  return out;
}

// The first column in which two rows differ; empty when they are equal.
std::string cell_difference(const Statement& expected, const Statement& found) {
  for (int c = 0; c < expected.columns(); ++c) {
    if (expected.literal(c) == found.literal(c))
      continue;
    return fmt::format("{}: the journal gives {}, the database has {} (row: {})",
                       expected.column_name(c), expected.literal(c), found.literal(c),
                       row_text(expected));
  }
  return {};
}

// Both sides in the order of the key, so a row that one side lacks shows as a difference in the
// key.
std::string compare_table(Connection& expected_db, Connection& found_db, const JournalTable& table,
                          std::uint64_t& rows) {
  const std::string sql = fmt::format("SELECT * FROM {} ORDER BY {}", table.name, table.key);
  Statement expected = expected_db.prepare(sql);
  Statement found = found_db.prepare(sql);
  for (;; ++rows) {
    const bool more_expected = expected.step();
    const bool more_found = found.step();
    if (!more_expected && !more_found)
      return {};
    if (!more_found)
      return fmt::format("{}: the database lacks {}", table.name, row_text(expected));
    if (!more_expected)
      return fmt::format("{}: only the database has {}", table.name, row_text(found));
    if (std::string why = cell_difference(expected, found); !why.empty())
      return fmt::format("{}: row {}: {}", table.name, rows + 1, why);
  }
}

Comparison compare_all(const CompareOptions& options) {
  Connection found(options.db, Connection::Mode::kReadOnly, 2'000);
  found.run("BEGIN");  // one moment of a database that may be growing
  const Applied applied = applied_of(found);
  Comparison result{.applied = applied.position, .last = last_record(options.dir)};
  const JournalName journal = name_of_journal(options.dir);
  if (applied.journal_id != to_string(journal.journal_id) || applied.instance != journal.instance) {
    result.difference = fmt::format(
        "the database is of journal {} of instance {}, the folder holds journal {} of instance {}",
        applied.journal_id, applied.instance, to_string(journal.journal_id), journal.instance);
    return result;
  }
  if (applied.first != journal.first_position) {
    result.difference = fmt::format(
        "the database begins with record {}, the oldest segment here with record {}: "
        "compare with the whole journal",
        applied.first, journal.first_position);
    return result;
  }
  if (applied.position > result.last) {
    result.difference = fmt::format("the database has applied record {}, the journal ends at {}",
                                    applied.position, result.last);
    return result;
  }
  TradeDatabase expected(
      {.path = ":memory:", .journal = journal, .pnl_every_ns = applied.pnl_every_ns});
  fold(options.dir, applied.position, expected);
  for (const JournalTable& table : journal_tables()) {
    TableResult& counted = result.tables.emplace_back(TableResult{.name = table.name});
    result.difference = compare_table(expected.connection(), found, table, counted.rows);
    if (!result.difference.empty())
      break;
  }
  return result;
}

void print_json(std::FILE* out, const Comparison& result, bool ok) {
  nlohmann::ordered_json json{{"ok", ok},
                              {"applied", result.applied},
                              {"last_position", result.last},
                              {"behind", result.last - std::min(result.last, result.applied)},
                              {"difference", result.difference},
                              {"rows", nlohmann::ordered_json::object()}};
  for (const TableResult& table : result.tables)
    json["rows"][table.name] = table.rows;
  fmt::print(out, "{}\n",
             json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

void print_text(std::FILE* out, const CompareOptions& options, const Comparison& result, bool ok) {
  for (const TableResult& table : result.tables)
    fmt::print(out, "{:<14} {:>10} rows\n", table.name, table.rows);
  if (!result.difference.empty())
    fmt::print(out, "first difference: {}\n", result.difference);
  if (result.applied < result.last) {
    fmt::print(out, "the database has {} of {} records: {} behind\n", result.applied, result.last,
               result.last - result.applied);
  }
  fmt::print(out, "{} and {}: {}\n", options.dir, options.db, ok ? "agree" : "DO NOT AGREE");
}

}  // namespace

int compare(const CompareOptions& given, std::FILE* out) {
  CompareOptions options = given;
  if (options.db.empty())
    options.db = default_database(options.dir);
  const Comparison result = compare_all(options);
  const bool ok = result.difference.empty() && (!options.complete || result.applied == result.last);
  if (options.json) {
    print_json(out, result, ok);
  } else {
    print_text(out, options, result, ok);
  }
  return ok ? 0 : 1;
}

}  // namespace sluice::journal_tool
