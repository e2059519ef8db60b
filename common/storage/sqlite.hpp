// SQLite wrapped once: a connection and its prepared statements, with errors that say what to do.
//
// The only folder that includes sqlite3.h. One thread per connection; every call may block on the
// disk, so none of it belongs on a hot path. Errors are SqliteError; its `trouble` tells what a
// caller can do about it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/error.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace sluice::sqlite {

enum class Trouble : std::uint8_t {
  kBusy,     // another connection holds the write lock: try again later
  kNoSpace,  // disk or quota full: try again when there is space
  kDamaged,  // the file is no database, or a damaged one: a person has to decide
  kGone,     // it cannot be opened, read or written: permissions, a missing folder, a failing disk
  kUnfinished,  // its writer died inside a transaction, and a reader may not undo it
  kOther,       // anything else, a constraint among them
};

class SqliteError : public Error {
 public:
  SqliteError(Trouble trouble, const std::string& what_where_remedy)
      : Error(ExitCode::kResource, what_where_remedy), trouble_(trouble) {}
  [[nodiscard]] Trouble trouble() const noexcept { return trouble_; }

 private:
  Trouble trouble_;
};

class Statement;

class Connection {
 public:
  enum class Mode : std::uint8_t { kReadOnly, kReadWriteCreate };
  // `path` may be ":memory:". Waits up to `busy_ms` for another connection's lock before kBusy.
  Connection(const std::string& path, Mode mode, int busy_ms = 0);
  ~Connection();
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;

  // One or several statements without parameters or results.
  void run(const std::string& sql);
  [[nodiscard]] Statement prepare(std::string_view sql);
  // The first column of the first row, or nullopt when there is no row or the value is NULL.
  [[nodiscard]] std::optional<std::int64_t> number(std::string_view sql);
  [[nodiscard]] std::optional<std::string> text(std::string_view sql);

  // Rows the last INSERT, UPDATE or DELETE changed.
  [[nodiscard]] std::int64_t changes() const noexcept;
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  friend class Statement;
  [[noreturn]] void refuse(int code, std::string_view doing) const;

  std::string path_;
  sqlite3* handle_{nullptr};
};

// A prepared statement. Parameters keep their values until they are bound anew; text is copied.
// The connection outlives it and does not move while it lives.
class Statement {
 public:
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;

  // Parameters count from 1.
  void bind(int parameter, std::int64_t value);
  void bind(int parameter, std::string_view value);
  void bind_null(int parameter);

  // True: a row is there. False: done, and the statement is ready for its next run.
  [[nodiscard]] bool step();
  // For statements that return no row.
  void execute();
  void reset() noexcept;

  // Columns count from 0.
  [[nodiscard]] int columns() const noexcept;
  [[nodiscard]] std::string column_name(int column) const;
  [[nodiscard]] bool is_null(int column) const noexcept;
  [[nodiscard]] std::int64_t number(int column) const noexcept;
  [[nodiscard]] std::string text(int column) const;
  // The value as SQL would write it: NULL, 12, 'text'.
  [[nodiscard]] std::string literal(int column) const;

 private:
  friend class Connection;
  Statement(const Connection& connection, sqlite3_stmt* handle) noexcept
      : connection_(&connection), handle_(handle) {}

  const Connection* connection_;
  sqlite3_stmt* handle_;
};

}  // namespace sluice::sqlite
