// The subcommands of sluice-journal. Each prints to `out` and returns the process's exit code (0,
// or 1 when a check failed); what cannot even be read is an Error.
#pragma once

#include <cstdint>
#include <cstdio>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "common/messages/tap.hpp"
#include "common/storage/journal_reader.hpp"

namespace sluice::journal_tool {

struct VerifyOptions {
  std::string dir;
  bool json{false};
  bool no_gaps{false};  // a gap, which is a loss honestly told, fails the check too
};
// Reads every byte: segments, CRCs, chain, positions; and that each ring's taps are there exactly
// once.
int verify(const VerifyOptions& options, std::FILE* out);

struct CatOptions {
  std::string dir;
  std::vector<std::string> types{};  // names as in describe.hpp; empty: all
  std::vector<std::string> rings{};  // empty: all
  std::uint64_t from{0};             // positions, inclusive
  std::uint64_t to{std::numeric_limits<std::uint64_t>::max()};
  bool json{false};  // one object per line
};
// One line per tap. Returns 1 when the journal is damaged (said on stderr), after printing what is
// whole.
int cat(const CatOptions& options, std::FILE* out);

struct StatOptions {
  std::string dir;
  bool json{false};
};
// What is in the journal, counted.
int stat(const StatOptions& options, std::FILE* out);

struct CompareOptions {
  std::string dir;
  std::string db{};      // empty: default_database(dir)
  bool complete{false};  // a database that is behind fails, too
  bool json{false};
};
// The journal against the database, row by row up to the position the database has applied. Returns
// 1 with the first difference. Throws when one of them cannot be read.
int compare(const CompareOptions& options, std::FILE* out);

struct TraceOptions {
  std::string dir;
  std::string execution{};  // the venue's id, or the gateway's event n.sub
  std::string order{};      // a client order id, or incarnation-strategy-sequence
  bool last{false};         // the last fill of the journal
  std::string db{};         // names of instruments and strategies come from here; may be missing
  bool json{false};
};
// From a fill, or an order, back to the market event that caused it. Returns 1 when the journal
// does not hold it, or a part of its way (which part is said).
int trace(const TraceOptions& options, std::FILE* out);

// The database beside a journal, where persistence puts it by default.
[[nodiscard]] std::string default_database(const std::string& dir);

// Opens the folder for the commands: throws Error(kResource) when there is no segment in it, or
// when its records are of another build's schema (they cannot be decoded).
[[nodiscard]] JournalReader open_journal(const std::string& dir);
// The name of a ring by its number, "ring 7" when the journal does not name it.
[[nodiscard]] std::string ring_name(const std::vector<std::string>& rings, std::uint32_t ring);

}  // namespace sluice::journal_tool
