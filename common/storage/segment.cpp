#include "common/storage/segment.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>

#include "common/storage/file.hpp"

namespace sluice {
namespace {

constexpr std::uint64_t kPage = 4096;

// A mark reaches the disk with the header page, and a second range to sync is a second flush. Every
// 64th sync is often enough: the mark is a lower bound that only decides how an unreadable byte is
// named after a power cut. (After a kill the page cache has the newest mark anyway.)
constexpr std::uint64_t kMarksPerHeaderSync = 64;

constexpr std::string_view kPrefix = "journal-";
constexpr std::string_view kSuffix = ".seg";

}  // namespace

StorageCalls StorageCalls::system() noexcept {
  return {
      .allocate = ::posix_fallocate,
      .sync_range = [](void* begin, std::size_t bytes) { return ::msync(begin, bytes, MS_SYNC); },
      .sync_file = ::fdatasync};
}

std::string segment_name(std::uint64_t index) {
  return fmt::format("{}{:06}{}", kPrefix, index, kSuffix);
}

std::optional<std::uint64_t> segment_index(std::string_view name) noexcept {
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix))
    return std::nullopt;
  if (name.size() < kPrefix.size() + 6 + kSuffix.size())
    return std::nullopt;
  name.remove_prefix(kPrefix.size());
  name.remove_suffix(kSuffix.size());
  std::uint64_t index = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
  if (error != std::errc{} || end != name.data() + name.size() || index == 0)
    return std::nullopt;
  return index;
}

std::unique_ptr<Segment> Segment::create(const std::string& dir, SegmentIdentity identity,
                                         const StorageCalls& calls, int& error) noexcept {
  identity.crc = part_crc(identity, 0);
  const std::string path = dir + "/" + segment_name(identity.index);
  const std::string temporary = path + ".tmp";
  std::unique_ptr<Segment> segment(new Segment(path, identity, calls));
  const UniqueFd fd(::open(temporary.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640));
  if (!fd.valid()) {
    error = errno;
    return nullptr;
  }
  error = calls.allocate(fd.get(), 0, static_cast<off_t>(identity.segment_bytes));
  // Reserved blocks still count as "unwritten" until something is in them, and the change of that
  // state is file system metadata that every later sync would have to commit. So the zeros are
  // really written.
  if (error == 0)
    error = write_zeros(fd.get(), 0, identity.segment_bytes);
  if (error == 0)
    error = segment->map(fd.get());
  if (error == 0) {
    std::memcpy(segment->data_ + kIdentityOffset, &identity, sizeof(identity));
    if (::fsync(fd.get()) != 0)
      error = errno;
  }
  bool named = false;
  if (error == 0) {
    named = std::rename(temporary.c_str(), path.c_str()) == 0;
    error = named ? sync_directory(dir) : errno;
  }
  // The fsync above made the pages clean, and a clean page faults at the first store to it. Touch
  // them for writing now, here, where nobody waits. A kernel without this call only costs those
  // faults.
  if (error == 0)
    ::madvise(segment->data_, identity.segment_bytes, MADV_POPULATE_WRITE);
  if (error == 0)
    return segment;
  ::unlink(named ? path.c_str() : temporary.c_str());
  return nullptr;
}

std::unique_ptr<Segment> Segment::open(const std::string& path, const SegmentIdentity& identity,
                                       std::uint64_t tail, const StorageCalls& calls,
                                       int& error) noexcept {
  std::unique_ptr<Segment> segment(new Segment(path, identity, calls));
  const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd.valid()) {
    error = errno;
    return nullptr;
  }
  // A file that lost its end gets it back; on a whole one this changes nothing.
  error = calls.allocate(fd.get(), 0, static_cast<off_t>(identity.segment_bytes));
  if (error == 0)
    error = write_zeros(fd.get(), tail, identity.segment_bytes);
  if (error == 0 && calls.sync_file(fd.get()) != 0)
    error = errno;
  if (error == 0)
    error = segment->map(fd.get());
  if (error != 0)
    return nullptr;
  ::madvise(segment->data_, identity.segment_bytes, MADV_POPULATE_WRITE);
  segment->publish_tail(tail);
  segment->synced_ = tail;
  return segment;
}

Segment::~Segment() {
  if (data_ != nullptr)
    ::munmap(data_, identity_.segment_bytes);
}

int Segment::map(int fd) noexcept {
  void* const at =
      ::mmap(nullptr, identity_.segment_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED)
    return errno;
  data_ = static_cast<std::byte*>(at);
  // Advice only: a child must not inherit a writable journal, a core dump need not carry it.
  ::madvise(at, identity_.segment_bytes, MADV_DONTFORK);
  ::madvise(at, identity_.segment_bytes, MADV_DONTDUMP);
  return 0;
}

template <class Part>
void Segment::store_part(std::size_t offset, Part part) noexcept {
  part.crc = part_crc(part, identity_.crc);
  std::memcpy(data_ + offset, &part, sizeof(part));
}

void Segment::activate(std::uint64_t first_position, std::uint32_t previous_crc) noexcept {
  store_part(
      kActivationOffset,
      SegmentActivation{.first_position = first_position, .previous_crc = previous_crc, .crc = 0});
}

int Segment::sync(std::uint64_t tail) noexcept {
  const std::uint64_t begin = synced_ & ~(kPage - 1);
  // Only the pages between the last sync and the tail: the rest of the segment is dirty on purpose
  // (see create), and syncing the whole file would write it out and bring the faults back.
  if (tail > begin && calls_.sync_range(data_ + begin, tail - begin) != 0)
    return errno;
  synced_ = tail;
  return marks_ - marks_synced_ >= kMarksPerHeaderSync ? sync_header() : 0;
}

int Segment::sync_header() noexcept {
  if (calls_.sync_range(data_, kSegmentHeaderBytes) != 0)
    return errno;
  marks_synced_ = marks_;
  return 0;
}

void Segment::mark(std::uint64_t position) noexcept {
  // Alternating, so that a store torn by a kill or a power cut leaves the mark before it.
  store_part(kMarkOffsets[marks_ % kMarkOffsets.size()],
             SyncMark{.position = position, .reserved = 0, .crc = 0});
  ++marks_;
}

int Segment::seal() noexcept {
  store_part(
      kSealOffset,
      SegmentSeal{
          .last_position = last_.position, .end_offset = tail(), .last_crc = last_.crc, .crc = 0});
  return sync_header();
}

}  // namespace sluice
