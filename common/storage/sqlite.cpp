#include "common/storage/sqlite.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>
#include <utility>

namespace sluice::sqlite {
namespace {

Trouble trouble_of(int code) noexcept {
  if (code == SQLITE_READONLY_ROLLBACK || code == SQLITE_READONLY_RECOVERY)
    return Trouble::kUnfinished;
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Trouble::kBusy;
    case SQLITE_FULL:
      return Trouble::kNoSpace;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Trouble::kDamaged;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_IOERR:
    case SQLITE_AUTH:
      return Trouble::kGone;
    default:
      return Trouble::kOther;
  }
}

const char* remedy_of(Trouble trouble) noexcept {
  switch (trouble) {
    case Trouble::kBusy:
      return "another program holds its write lock; end that program's transaction";
    case Trouble::kNoSpace:
      return "free space on its disk";
    case Trouble::kDamaged:
      return "move the file aside; it is made anew from the journal";
    case Trouble::kGone:
      return "check the folder, its permissions and the disk";
    case Trouble::kUnfinished:
      return "its writer was killed inside a transaction: start sluice-persistence, which "
             "completes it (--drain-only: and then ends)";
    case Trouble::kOther:
      break;
  }
  return "move the file aside; it is made anew from the journal";
}

}  // namespace

Connection::Connection(const std::string& path, Mode mode, int busy_ms) : path_(path) {
  const int flags =
      mode == Mode::kReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  const int code = sqlite3_open_v2(path.c_str(), &handle_, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  if (code != SQLITE_OK) {
    // Even a failed open leaves a handle, for its message.
    sqlite3* const failed = std::exchange(handle_, nullptr);
    const std::string why = failed != nullptr ? sqlite3_errmsg(failed) : sqlite3_errstr(code);
    sqlite3_close_v2(failed);
    throw SqliteError(trouble_of(code), fmt::format("database {}: cannot be opened: {}; {}", path,
                                                    why, remedy_of(trouble_of(code))));
  }
  sqlite3_extended_result_codes(handle_, 1);
  sqlite3_busy_timeout(handle_, busy_ms);
}

Connection::~Connection() {
  sqlite3_close_v2(handle_);
}

Connection::Connection(Connection&& other) noexcept
    : path_(std::move(other.path_)), handle_(std::exchange(other.handle_, nullptr)) {}

Connection& Connection::operator=(Connection&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(handle_, other.handle_);
  return *this;
}

void Connection::refuse(int code, std::string_view doing) const {
  // The disk can be full below SQLite's own notion of it: a short write of the WAL is an IOERR.
  const bool full = (code == SQLITE_IOERR_WRITE || code == SQLITE_IOERR_SHMSIZE) &&
                    sqlite3_system_errno(handle_) == ENOSPC;
  const Trouble trouble = full ? Trouble::kNoSpace : trouble_of(code);
  throw SqliteError(trouble, fmt::format("database {}: {}: {} ({}); {}", path_, doing,
                                         sqlite3_errmsg(handle_), code, remedy_of(trouble)));
}

void Connection::run(const std::string& sql) {
  const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK)
    refuse(code, sql.substr(0, 60));
}

Statement Connection::prepare(std::string_view sql) {
  sqlite3_stmt* handle = nullptr;
  const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &handle, nullptr);
  if (code != SQLITE_OK)
    refuse(code, sql.substr(0, 60));
  return {*this, handle};
}

std::optional<std::int64_t> Connection::number(std::string_view sql) {
  Statement statement = prepare(sql);
  if (!statement.step() || statement.is_null(0))
    return std::nullopt;
  return statement.number(0);
}

std::optional<std::string> Connection::text(std::string_view sql) {
  Statement statement = prepare(sql);
  if (!statement.step() || statement.is_null(0))
    return std::nullopt;
  return statement.text(0);
}

std::int64_t Connection::changes() const noexcept {
  return sqlite3_changes64(handle_);
}

Statement::~Statement() {
  sqlite3_finalize(handle_);
}

Statement::Statement(Statement&& other) noexcept
    : connection_(other.connection_), handle_(std::exchange(other.handle_, nullptr)) {}

Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(connection_, other.connection_);
  std::swap(handle_, other.handle_);
  return *this;
}

void Statement::bind(int parameter, std::int64_t value) {
  if (const int code = sqlite3_bind_int64(handle_, parameter, value); code != SQLITE_OK)
    connection_->refuse(code, fmt::format("parameter {}", parameter));
}

void Statement::bind(int parameter, std::string_view value) {
  // The destructor SQLITE_TRANSIENT asks for a copy; its macro is an old-style cast.
  // NOLINTNEXTLINE(performance-no-int-to-ptr): that number is the interface
  const auto copy = reinterpret_cast<sqlite3_destructor_type>(std::intptr_t{-1});
  const int code =
      sqlite3_bind_text(handle_, parameter, value.data(), static_cast<int>(value.size()), copy);
  if (code != SQLITE_OK)
    connection_->refuse(code, fmt::format("parameter {}", parameter));
}

void Statement::bind_null(int parameter) {
  if (const int code = sqlite3_bind_null(handle_, parameter); code != SQLITE_OK)
    connection_->refuse(code, fmt::format("parameter {}", parameter));
}

bool Statement::step() {
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW)
    return true;
  // reset() repeats the error, so the message is taken first.
  if (code != SQLITE_DONE) {
    const char* const sql = sqlite3_sql(handle_);
    const std::string doing = std::string(sql != nullptr ? sql : "").substr(0, 60);
    try {
      connection_->refuse(code, doing);
    } catch (const SqliteError&) {
      sqlite3_reset(handle_);
      throw;
    }
  }
  sqlite3_reset(handle_);
  return false;
}

void Statement::execute() {
  while (step()) {
  }
}

void Statement::reset() noexcept {
  sqlite3_reset(handle_);
}

int Statement::columns() const noexcept {
  return sqlite3_column_count(handle_);
}

std::string Statement::column_name(int column) const {
  const char* const name = sqlite3_column_name(handle_, column);
  return name != nullptr ? name : "";
}

bool Statement::is_null(int column) const noexcept {
  return sqlite3_column_type(handle_, column) == SQLITE_NULL;
}

std::int64_t Statement::number(int column) const noexcept {
  return sqlite3_column_int64(handle_, column);
}

std::string Statement::text(int column) const {
  const unsigned char* const bytes = sqlite3_column_text(handle_, column);
  return bytes == nullptr
             ? std::string()
             : std::string(reinterpret_cast<const char*>(bytes),
                           static_cast<std::size_t>(sqlite3_column_bytes(handle_, column)));
}

std::string Statement::literal(int column) const {
  switch (sqlite3_column_type(handle_, column)) {
    case SQLITE_NULL:
      return "NULL";
    case SQLITE_TEXT:
      return fmt::format("'{}'", text(column));
    default:
      return text(column);
  }
}

}  // namespace sluice::sqlite
