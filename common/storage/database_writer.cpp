#include "common/storage/database_writer.hpp"

#include <sys/stat.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <exception>

namespace sluice {
namespace {

std::uint64_t inode_of(const std::string& path) noexcept {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

// What a person has to decide does not go away by itself.
bool passes(sqlite::Trouble trouble) noexcept {
  return trouble == sqlite::Trouble::kBusy || trouble == sqlite::Trouble::kNoSpace ||
         trouble == sqlite::Trouble::kGone;
}

}  // namespace

DatabaseWriter::DatabaseWriter(Options options) : options_(std::move(options)) {}

void DatabaseWriter::open() {
  follower_.reset();
  rows_before_ = status_.rows;
  database_ = std::make_unique<TradeDatabase>(
      TradeDatabaseOptions{.path = options_.path,
                           .journal = name_of_journal(options_.journal_dir),
                           .pnl_every_ns = options_.pnl_every_ns,
                           .names = options_.names});
  file_id_ = inode_of(options_.path);
  follower_ = std::make_unique<JournalFollower>(options_.journal_dir, database_->applied());
  status_.applied = database_->applied().position;
}

// A database that was deleted or replaced would go on growing where nobody sees it.
bool DatabaseWriter::still_there() const noexcept {
  return inode_of(options_.path) == file_id_;
}

void DatabaseWriter::apply_batch(std::uint64_t durable) {
  database_->begin();
  const std::uint64_t rows = database_->rows() + options_.batch;
  RecordView record;
  for (std::uint64_t i = 0; i < std::uint64_t{options_.batch} * kReadsPerRow; ++i) {
    if (database_->rows() >= rows || !follower_->next(durable, record))
      break;
    database_->apply(record);
  }
  database_->commit(follower_->place());
  status_.applied = database_->applied().position;
  status_.rows = rows_before_ + database_->rows();
}

bool DatabaseWriter::turn(std::uint64_t durable, MonoNanos now) noexcept {
  if (now < again_)
    return false;
  try {
    if (database_ && now.ns - looked_.ns >= kLookEvery) {
      looked_ = now;
      if (!still_there())
        database_.reset();
    }
    if (!database_ || !follower_)
      open();
    if (database_->applied().position < durable)
      apply_batch(durable);
  } catch (const sqlite::SqliteError& error) {
    if (passes(error.trouble())) {
      pause_ns_ = std::clamp(pause_ns_ * 2, kFirstPause, kLongestPause);
      pause(State::kDegraded, pause_ns_, now, error.what());
    } else {
      pause(State::kRefused, kRefusedPause, now, error.what());
    }
    return false;
  } catch (const Error& error) {
    pause(State::kRefused, kRefusedPause, now, error.what());
    return false;
  } catch (const std::exception& error) {
    pause_unforeseen(now, error.what());
    return false;
  }
  pause_ns_ = 0;
  status_.problem.clear();
  const bool behind = status_.applied < durable;
  status_.state = behind ? State::kBehind : State::kCurrent;
  return behind;
}

// No memory, or a file system that failed where nothing should: written without an allocation.
void DatabaseWriter::pause_unforeseen(MonoNanos now, const char* why) noexcept {
  std::array<char, 1'024> text{};
  fmt::format_to_n(text.data(), text.size() - 1,
                   "database {}: {}; tried again every {} s; look at the machine's memory and at "
                   "the folders of journal {} and database",
                   options_.path, why, kRefusedPause / kNanosPerSecond, options_.journal_dir);
  pause(State::kRefused, kRefusedPause, now, text.data());
}

// What was folded in memory belongs to the transaction that failed: it is read anew.
void DatabaseWriter::pause(State state, std::int64_t pause_ns, MonoNanos now,
                           const char* why) noexcept {
  follower_.reset();
  database_.reset();
  ++status_.errors;
  status_.state = state;
  try {
    status_.problem = why;
  } catch (const std::bad_alloc&) {
    status_.problem = "out of memory";  // short enough to need none
  }
  again_.ns = now.ns + pause_ns;
}

}  // namespace sluice
