// account_log.hpp — the account on disk: who it is and every order event, in account.jsonl.
//
// The file is the account. Its first line names it (id, seed, cash, fees), every further line holds
// one order as it was after one event, and the execution if the event was a fill; or the account's
// configuration after a change. Format 2; a file of format 1 (orders of two types, no chains, no
// legs) is read and taken over as format 2, a newer one is refused. A simulator that
// starts on a folder with such a file continues the same account with the same orders; on an empty
// folder it opens a new one. The lines of one operation are written with one write(2) before it is
// told to anybody, so a killed simulator forgets nothing it said. All of them but the last say
// "more": a torn last line is cut off, and with it the operation it belonged to.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/venue_sim/encode_trading.hpp"
#include "tools/venue_sim/venue.hpp"

namespace sluice::sim {

struct AccountTerms {
  AccountIdentity identity{};
  std::uint64_t seed{0};
  Cash cash{};  // at the opening
  FeeSchedule fees{};
};

class AccountLog {
 public:
  // Opens or makes `dir`/account.jsonl. `terms` are those of a new account; an existing account
  // keeps its own id, seed and cash, and must have been opened with the same fees, because they
  // are needed to book its executions again. Throws Error: kResource when folder or file cannot be
  // used, kConfig when the content cannot be: each names the file, the line and the remedy.
  AccountLog(const std::string& dir, const AccountTerms& terms, const std::vector<Symbol>& symbols);
  ~AccountLog();
  AccountLog(const AccountLog&) = delete;
  AccountLog& operator=(const AccountLog&) = delete;

  [[nodiscard]] const AccountTerms& terms() const noexcept { return terms_; }
  // What the file held, once.
  [[nodiscard]] Venue::Saved take_saved() noexcept { return std::move(saved_); }
  [[nodiscard]] bool continued() const noexcept { return continued_; }

  // Collects an event of the operation under way, and writes all of them at its end. Throws
  // Error(kResource) when they cannot be written: what was not kept must not be told.
  void append(const OrderEvent& event, std::uint64_t ids_issued);
  void commit();
  // Operations of their own.
  void append_configuration(bool suspended);
  void append_fees(WallNanos posted_at);  // those of all executions so far

 private:
  void load(const std::string& content);
  void load_line(std::string_view line, std::size_t number);
  void load_header(std::string_view line);
  void load_event(std::string_view line);
  [[nodiscard]] std::string header() const;
  void end_line();

  std::string path_;
  const std::vector<Symbol>& symbols_;
  AccountTerms terms_;
  Venue::Saved saved_{};
  bool continued_{false};
  bool old_format_{false};
  int file_{-1};
  std::string line_;   // being written
  std::string lines_;  // of the operation under way, each with its newline
};

// Writes `content` to `path` through a temporary file beside it and a rename. Throws
// Error(kResource).
void write_file_atomically(const std::string& path, const std::string& content);

}  // namespace sluice::sim
