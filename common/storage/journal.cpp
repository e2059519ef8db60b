#include "common/storage/journal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "common/base/error.hpp"
#include "common/base/time.hpp"

namespace sluice {
namespace {

[[noreturn]] void refuse(const std::string& dir, const std::string& what, int error) {
  throw Error(ExitCode::kResource,
              fmt::format("journal {}: {}: {}; {}", dir, what, errno_text(error),
                          error == ENOSPC || error == EDQUOT
                              ? "free space there or name another journal_dir"
                              : "check the folder, its permissions and the disk"));
}

void check(const JournalOptions& options) {
  if (options.instance.empty() || options.instance.size() > kMaxJournalInstanceChars) {
    throw Error(ExitCode::kConfig,
                fmt::format("journal {}: instance \"{}\" must have 1 to {} characters", options.dir,
                            options.instance, kMaxJournalInstanceChars));
  }
  if (options.segment_bytes < kMinSegmentBytes || options.segment_bytes > kMaxSegmentBytes ||
      options.segment_bytes % kSegmentHeaderBytes != 0) {
    throw Error(
        ExitCode::kConfig,
        fmt::format("journal {}: segment_bytes {} must be a multiple of {} between {} and {}",
                    options.dir, options.segment_bytes, kSegmentHeaderBytes, kMinSegmentBytes,
                    kMaxSegmentBytes));
  }
}

}  // namespace

JournalWriter::JournalWriter(JournalOptions options, const Visitor& on_recovered,
                             StorageCalls calls)
    : options_(std::move(options)), calls_(calls) {
  check(options_);
  lock_folder();
  recover(on_recovered);
  if (const PrepareResult spare = prepare(); spare.status != PrepareStatus::kReady) {
    refuse(options_.dir, fmt::format("no spare segment of {} bytes", options_.segment_bytes),
           spare.error);
  }
}

JournalWriter::~JournalWriter() {
  // Nothing is told from here: whoever has to know called close() before.
  static_cast<void>(close());
}

void JournalWriter::lock_folder() {
  std::error_code error;
  std::filesystem::create_directories(options_.dir, error);
  if (error)
    refuse(options_.dir, "the folder cannot be made", error.value());
  const std::string path = options_.dir + "/journal.lock";
  lock_ = UniqueFd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock_.valid())
    refuse(options_.dir, "journal.lock cannot be opened", errno);
  struct flock request {};
  request.l_type = F_WRLCK;
  request.l_whence = SEEK_SET;
  if (::fcntl(lock_.get(), F_OFD_SETLK, &request) != 0) {
    std::array<std::byte, 64> text{};
    const ssize_t n = pread_full(lock_.get(), text, 0);
    throw Error(
        ExitCode::kRoleTaken,
        fmt::format("journal {}: another process writes here ({}); stop it first", options_.dir,
                    std::string_view(reinterpret_cast<const char*>(text.data()),
                                     n > 0 ? static_cast<std::size_t>(n) : 0)));
  }
  // For the message above only; the lock is what counts, so a failing write changes nothing.
  const std::string holder = fmt::format("pid {}", ::getpid());
  if (::ftruncate(lock_.get(), 0) == 0) {
    [[maybe_unused]] const ssize_t n = ::pwrite(lock_.get(), holder.data(), holder.size(), 0);
  }
}

void JournalWriter::recover(const Visitor& on_recovered) {
  // A segment that never got its name was never used.
  for (const auto& entry : std::filesystem::directory_iterator(options_.dir)) {
    std::string name = entry.path().filename().string();
    if (name.ends_with(".tmp") && segment_index(name.substr(0, name.size() - 4))) {
      ::unlink(entry.path().c_str());
    }
  }
  JournalReader reader(options_.dir);
  bool used = false;
  for (const SegmentInfo& info : reader.segments()) {
    if (!info.identity)
      continue;
    const std::string_view instance(info.identity->instance.data());
    if (instance != options_.instance || info.identity->schema_hash != options_.schema_hash) {
      throw Error(
          ExitCode::kResource,
          fmt::format(
              "{} is of instance \"{}\" and schema {:016x}, this is instance \"{}\" and schema "
              "{:016x}; move the journal folder aside, or run the build that wrote it",
              info.path, instance, info.identity->schema_hash, options_.instance,
              options_.schema_hash));
    }
    used = used || info.activation.has_value();
  }
  if (used)
    reader.start_at(reader.newest_checkpoint());
  for (RecordView record; reader.next(record);) {
    if (on_recovered)
      on_recovered(record);
  }
  for (const Finding& finding : reader.findings()) {
    if (finding.kind != FindingKind::kDamage)
      continue;
    throw Error(ExitCode::kResource,
                fmt::format("journal {}: {}; `sluice-journal verify {}` lists everything",
                            options_.dir, describe(finding), options_.dir));
  }
  if (used) {
    continue_at(reader.end(), reader.segments());
  } else {
    for (const SegmentInfo& info : reader.segments())
      ::unlink(info.path.c_str());
    start_fresh();
  }
  // relaxed: no other thread knows this object yet.
  appended_.store(position_, std::memory_order_relaxed);
  durable_.store(position_, std::memory_order_relaxed);
  report_.last_position = position_;
}

void JournalWriter::continue_at(const JournalEnd& end, const std::vector<SegmentInfo>& segments) {
  int error = 0;
  const SegmentInfo& last = segments[end.segment];
  // Segments that were left but not sealed when the writer died.
  for (std::size_t i = 0; i < end.segment; ++i) {
    const SegmentInfo& info = segments[i];
    if (info.seal || info.end_offset == 0)
      continue;
    const auto left = Segment::open(info.path, *info.identity, info.end_offset, calls_, error);
    if (left) {
      left->set_last({.position = info.last_position, .crc = info.last_crc});
      error = left->seal();
    }
    if (error != 0)
      refuse(options_.dir, info.path + " cannot be sealed", error);
  }
  // Behind the end there are only spares, and segments that a power cut left without what precedes
  // them.
  for (std::size_t i = end.segment + 1; i < segments.size(); ++i) {
    const std::string& path = segments[i].path;
    const std::string aside = fmt::format("{}.cut-{}", path, end.last_position);
    const bool spare = !segments[i].activation;
    if (spare ? ::unlink(path.c_str()) != 0 : std::rename(path.c_str(), aside.c_str()) != 0) {
      refuse(options_.dir, path + " cannot be set aside", errno);
    }
    report_.set_aside += spare ? 0 : 1;
  }
  if (error = sync_directory(options_.dir); error != 0)
    refuse(options_.dir, "cannot be synced", error);

  journal_id_ = last.identity->journal_id;
  position_ = end.last_position;
  last_crc_ = end.last_crc;
  report_.cut_bytes = end.torn_bytes;
  // A power cut can lose a segment's activation and keep the seal of the one before: go on in a new
  // one.
  const std::uint64_t index = last.seal ? last.index + 1 : last.index;
  auto& segment = slot(index);
  segment = last.seal ? Segment::create(options_.dir, new_identity(index), calls_, error)
                      : Segment::open(last.path, *last.identity, end.offset, calls_, error);
  if (!segment)
    refuse(options_.dir, segment_name(index) + " cannot be opened for writing", error);
  if (last.seal)
    segment->activate(position_ + 1, last_crc_);
  if (error = segment->sync(segment->tail()); error != 0)
    refuse(options_.dir, "cannot be synced", error);
  segment->mark(position_);
  oldest_ = index;
  enter(*segment, segment->tail());
  prepared_.store(index, std::memory_order_relaxed);  // relaxed: as in recover()
  active_.store(index, std::memory_order_relaxed);
  report_.text =
      fmt::format("journal {}: goes on behind record {}{}{}", options_.dir, position_,
                  end.torn_bytes > 0 ? fmt::format(", cut {} torn bytes", end.torn_bytes) : "",
                  report_.set_aside > 0
                      ? fmt::format(", set aside {} segments behind the tear", report_.set_aside)
                      : "");
}

void JournalWriter::start_fresh() {
  journal_id_ = random_id();
  int error = 0;
  auto& segment = slot(1);
  segment = Segment::create(options_.dir, new_identity(1), calls_, error);
  if (segment) {
    segment->activate(1, 0);
    segment->mark(0);
    error = segment->sync(kSegmentHeaderBytes);
  }
  if (error != 0) {
    refuse(options_.dir, fmt::format("no first segment of {} bytes", options_.segment_bytes),
           error);
  }
  oldest_ = 1;
  enter(*segment, kSegmentHeaderBytes);
  prepared_.store(1, std::memory_order_relaxed);  // relaxed: as in recover()
  active_.store(1, std::memory_order_relaxed);
  report_.fresh = true;
  report_.text = fmt::format("journal {}: new", options_.dir);
}

SegmentIdentity JournalWriter::new_identity(std::uint64_t index) const noexcept {
  SegmentIdentity identity;
  identity.segment_bytes = options_.segment_bytes;
  identity.schema_hash = options_.schema_hash;
  identity.index = index;
  identity.prepared_wall_ns = wall_now().ns;
  identity.journal_id = journal_id_;
  std::memcpy(identity.instance.data(), options_.instance.data(), options_.instance.size());
  return identity;
}

void JournalWriter::enter(Segment& segment, std::uint64_t offset) noexcept {
  current_ = &segment;
  base_ = segment.data();
  offset_ = offset;
  end_ = segment.identity().segment_bytes;
  identity_crc_ = segment.identity_crc();
}

AppendStatus JournalWriter::append(RecordType type, std::uint16_t flags, std::uint32_t source,
                                   std::span<const std::byte> payload) noexcept {
  if (payload.size() > kMaxRecordPayload)
    return AppendStatus::kTooLarge;
  // relaxed: it only has to be seen soon; what was appended meanwhile is not called durable either.
  if (failed_.load(std::memory_order_relaxed))
    return AppendStatus::kFailed;
  if (!fits(payload.size())) {
    if (const AppendStatus status = roll(); status != AppendStatus::kOk)
      return status;
  }
  const auto length = static_cast<std::uint32_t>(sizeof(RecordHeader) + payload.size());
  const std::uint64_t total = padded(length);
  const RecordHeader header{.length = length,
                            .crc = 0,
                            .type = type,
                            .flags = flags,
                            .source = source,
                            .position = position_ + 1};
  constexpr std::size_t kBody = offsetof(RecordHeader, type);
  std::byte* const at = base_ + offset_;
  std::memcpy(at + kBody, reinterpret_cast<const std::byte*>(&header) + kBody,
              sizeof(header) - kBody);
  if (!payload.empty())
    std::memcpy(at + sizeof(header), payload.data(), payload.size());
  // The padding behind the payload is zero already: a segment is zeros from its tail on.
  const std::uint32_t crc = record_crc(identity_crc_, length, {at + kBody, total - kBody});
  // release: no partner in this process. Length and CRC come last, so that a kill between any two
  // stores leaves "end of records" in the page cache, never a half record.
  std::atomic_ref<std::uint64_t>(*reinterpret_cast<std::uint64_t*>(at))
      .store(std::uint64_t{length} | std::uint64_t{crc} << 32, std::memory_order_release);
  offset_ += total;
  ++position_;
  last_crc_ = crc;
  current_->publish_tail(offset_);
  // release: pairs with the acquire in appended_position(); the tail and, after a roll, active_
  // come first.
  appended_.store(position_, std::memory_order_release);
  return AppendStatus::kOk;
}

AppendStatus JournalWriter::roll() noexcept {
  // relaxed: only this thread writes it.
  const std::uint64_t active = active_.load(std::memory_order_relaxed);
  // acquire: pairs with the release in prepare(); the spare's slot and its mapping are complete.
  if (prepared_.load(std::memory_order_acquire) == active)
    return AppendStatus::kNoSpare;
  current_->set_last({.position = position_, .crc = last_crc_});
  Segment& next = *slot(active + 1);
  next.activate(position_ + 1, last_crc_);
  enter(next, kSegmentHeaderBytes);
  // release: pairs with the acquires in sync() and prepare(); the old segment's last record and the
  // new one's activation come first, and from here on the old one is the syncing thread's.
  active_.store(active + 1, std::memory_order_release);
  return AppendStatus::kOk;
}

std::uint64_t JournalWriter::room() const noexcept {
  // acquire, relaxed: as in roll().
  const bool spare =
      prepared_.load(std::memory_order_acquire) != active_.load(std::memory_order_relaxed);
  return end_ - offset_ + (spare ? options_.segment_bytes - kSegmentHeaderBytes : 0);
}

SyncStatus JournalWriter::fail(int error) noexcept {
  sync_error_ = error;
  failed_.store(true, std::memory_order_relaxed);  // relaxed: see append()
  return SyncStatus::kFailed;
}

int JournalWriter::finish_left_segments(std::uint64_t active) noexcept {
  for (; oldest_ < active; ++oldest_) {
    auto& left = slot(oldest_);
    if (const int error = left->sync(left->tail()); error != 0)
      return error;
    if (const int error = left->seal(); error != 0)
      return error;
    left.reset();
  }
  return 0;
}

SyncStatus JournalWriter::sync() noexcept {
  if (sync_error_ != 0)
    return SyncStatus::kFailed;
  // The order of these three loads matters: a record at or below `position` lies in segment
  // `active` or before it, and, if in `active`, below the tail read last. Each acquire pairs with a
  // release in append() or roll(), which store in the opposite order.
  const std::uint64_t position = appended_.load(std::memory_order_acquire);
  const std::uint64_t active = active_.load(std::memory_order_acquire);
  if (const int error = finish_left_segments(active); error != 0)
    return fail(error);
  // relaxed: only this thread writes it.
  if (position == durable_.load(std::memory_order_relaxed))
    return SyncStatus::kNothingNew;
  Segment& segment = *slot(active);
  if (const int error = segment.sync(segment.tail()); error != 0)
    return fail(error);
  // release: pairs with the acquire in durable_position().
  durable_.store(position, std::memory_order_release);
  segment.mark(position);
  return SyncStatus::kOk;
}

PrepareResult JournalWriter::prepare() noexcept {
  if (sync_error_ != 0)
    return {.status = PrepareStatus::kFailed, .error = sync_error_};
  // acquire: pairs with the release in roll(); a segment that was left is ours to finish.
  const std::uint64_t active = active_.load(std::memory_order_acquire);
  const std::uint64_t prepared = prepared_.load(std::memory_order_relaxed);  // relaxed: ours
  if (prepared != active)
    return {};
  // Frees the slots of segments that were left, so that the next one has its own.
  if (const int error = finish_left_segments(active); error != 0) {
    static_cast<void>(fail(error));
    return {.status = PrepareStatus::kFailed, .error = error};
  }
  int error = 0;
  auto& spare = slot(prepared + 1);
  spare = Segment::create(options_.dir, new_identity(prepared + 1), calls_, error);
  if (!spare) {
    return {.status = error == ENOSPC || error == EDQUOT ? PrepareStatus::kNoSpace
                                                         : PrepareStatus::kFailed,
            .error = error};
  }
  // release: pairs with the acquire in roll().
  prepared_.store(prepared + 1, std::memory_order_release);
  return {.made = true};
}

SyncStatus JournalWriter::close() noexcept {
  if (closed_ || current_ == nullptr)
    return SyncStatus::kNothingNew;
  closed_ = true;
  const SyncStatus status = sync();
  // relaxed: both threads have ended.
  const std::uint64_t active = active_.load(std::memory_order_relaxed);
  const std::uint64_t prepared = prepared_.load(std::memory_order_relaxed);
  int error = 0;
  if (status != SyncStatus::kFailed)
    error = slot(active)->sync_header();
  if (prepared != active) {
    // The next writer would remove it anyway; a spare is never needed by a reader.
    ::unlink(slot(prepared)->path().c_str());
  }
  for (auto& segment : slots_)
    segment.reset();
  current_ = nullptr;
  failed_.store(true, std::memory_order_relaxed);  // a late append is refused, not a crash
  lock_.reset();
  return error != 0 ? fail(error) : status;
}

}  // namespace sluice
