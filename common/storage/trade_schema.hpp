// The tables of the trade database, and the steps that bring an older file up to date.
//
// Amounts are integers in units of 1e-9, times nanoseconds since 1970 UTC; the views say the same
// in decimals for people. Enumerations are words; a number this build has no word for is "#15".
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "common/storage/sqlite.hpp"

namespace sluice {

// One step per version: step i makes version i + 1 out of version i. Released steps never change.
[[nodiscard]] std::span<const char* const> schema_steps() noexcept;

// Brings the schema to the newest version inside one transaction. Throws SqliteError: kOther with
// both versions in its message when the file is newer than this build; kDamaged when it is a
// database of something else.
void migrate(sqlite::Connection& database);
// The version of the file; 0: empty. Throws as above.
[[nodiscard]] int schema_version_of(sqlite::Connection& database);

// A table whose rows follow from the journal alone: what a comparison with the journal covers.
struct JournalTable {
  const char* name;
  const char* key;  // columns that identify a row, in ORDER BY form
};
[[nodiscard]] std::span<const JournalTable> journal_tables() noexcept;

}  // namespace sluice
