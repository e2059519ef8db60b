// What the session reader and writer both demand of a session, and how they say what is wrong.
// Internal to the session library: callers use session.hpp.
#pragma once

#include <cstddef>
#include <string>

#include "common/base/error.hpp"
#include "common/market/session.hpp"

namespace sluice::session_detail {

// Where a message points: the file, and how to name a place in it.
struct Place {
  const std::string& path;
  ExitCode code;

  // `offset` counts in the file.
  [[noreturn]] void at(std::size_t offset, const std::string& what) const;
  // `record` is an index into the uncompressed records.
  [[noreturn]] void in_record(std::size_t record, const std::string& what) const;
};

// Name, increments and minimum of one entry of the symbol table that lies at `offset`.
void check_symbol(const Place& place, const SessionSymbol& symbol, std::size_t offset);

// Invariants 1 to 4 of session.hpp.
void check_records(const Place& place, const Session& session);

}  // namespace sluice::session_detail
