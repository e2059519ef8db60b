#include "shm/region.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <boost/interprocess/file_mapping.hpp>
#include <boost/interprocess/mapped_region.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

#include "common/base/error.hpp"
#include "shm/peer_fault.hpp"
#include "shm/segment.hpp"

#ifndef MADV_COLLAPSE  // Linux 6.1; older headers lack it, older kernels answer EINVAL
#define MADV_COLLAPSE 25
#endif

namespace sluice::shm {
namespace {

namespace bip = boost::interprocess;

constexpr off_t kBlockBytes = 512;  // the unit of st_blocks, whatever the file system's own is

std::string free_space_text(const std::string& path) {
  struct statvfs fs {};
  const std::string folder = path.substr(0, path.rfind('/'));
  if (statvfs(folder.c_str(), &fs) != 0)
    return "unknown free space";
  return std::to_string(fs.f_bavail * fs.f_frsize) + " bytes free";
}

// Reserves every byte: on tmpfs a sparse file that runs out of space is a SIGBUS at first touch.
void create_and_reserve(const std::string& path, std::size_t bytes, unsigned mode) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0)
    throw Error(ExitCode::kResource, path + ": cannot be created: " + std::strerror(errno));
  int failure = 0;
  do {
    failure = posix_fallocate(descriptor, 0, static_cast<off_t>(bytes));
  } while (failure == EINTR);
  if (failure == 0 && fchmod(descriptor, mode) != 0)
    failure = errno;
  const std::string space = failure == 0 ? std::string{} : free_space_text(path);
  ::close(descriptor);
  if (failure == 0)
    return;
  ::unlink(path.c_str());
  throw Error(ExitCode::kResource, path + ": cannot reserve " + std::to_string(bytes) + " bytes (" +
                                       space + "): " + std::strerror(failure) +
                                       "; make the file system larger or configure fewer slots");
}

// An address at which a large mapping can have 2 MB pages; nullptr when none was found. Another
// thread may take it before it is used, so the caller falls back to any address.
void* huge_page_aligned_hint(std::size_t bytes) noexcept {
  const std::size_t reserve = bytes + kHugePageBytes;
  void* const base =
      mmap(nullptr, reserve, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED)
    return nullptr;
  munmap(base, reserve);
  const auto address = reinterpret_cast<std::uintptr_t>(base);
  return reinterpret_cast<void*>((address + kHugePageBytes - 1) / kHugePageBytes * kHugePageBytes);
}

// `bytes` is what the caller saw: were the length asked for again here, a file cut to nothing in
// between would be an error of the system. Pages that are gone by now are the SIGBUS handler's.
bip::mapped_region map_whole(const bip::file_mapping& file, bip::mode_t mode, std::size_t bytes) {
  if (bytes >= kHugePageBytes) {
    if (void* const hint = huge_page_aligned_hint(bytes)) {
      try {
        return {file, mode, 0, bytes, hint};
      } catch (const bip::interprocess_exception&) {
        // The hint was taken meanwhile: any address will do, without huge pages.
      }
    }
  }
  return {file, mode, 0, bytes};
}

}  // namespace

struct Region::Mapping {
  Mapping(bip::mapped_region mapped, bool writable)
      : region(std::move(mapped)),
        slot(watch_range(region.get_address(), region.get_size(), writable)) {}
  ~Mapping() { unwatch_range(slot); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  bip::mapped_region region;
  int slot;
};

std::optional<FileId> file_id_of(const std::string& path) noexcept {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0)
    return std::nullopt;
  return FileId{status.st_dev, status.st_ino};
}

Region::Region() noexcept = default;
Region::~Region() = default;
Region::Region(Region&& other) noexcept
    : mapping_(std::move(other.mapping_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      file_id_(other.file_id_),
      reserved_(other.reserved_) {}
Region& Region::operator=(Region&& other) noexcept {
  mapping_ = std::move(other.mapping_);
  data_ = std::exchange(other.data_, nullptr);
  size_ = std::exchange(other.size_, 0);
  file_id_ = other.file_id_;
  reserved_ = other.reserved_;
  return *this;
}

Region Region::create(const std::string& path, std::size_t bytes, unsigned mode) {
  create_and_reserve(path, bytes, mode);
  try {
    std::optional<Region> region = open(path, Access::kReadWrite);
    if (!region)
      throw Error(ExitCode::kResource, path + ": vanished while it was being created");
    return std::move(*region);
  } catch (const Error&) {
    ::unlink(path.c_str());
    throw;
  }
}

std::optional<Region> Region::open(const std::string& path, Access access) {
  const bool writable = access == Access::kReadWrite;
  const bip::mode_t mode = writable ? bip::read_write : bip::read_only;
  struct stat status {};
  // Before it is opened: opening a pipe that was left under the name would wait for its other end.
  if (stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode))
    throw Error(ExitCode::kResource, path + ": is no regular file; remove it");
  try {
    const bip::file_mapping file(path.c_str(), mode);
    if (fstat(file.get_mapping_handle().handle, &status) != 0)
      throw Error(ExitCode::kResource, path + ": cannot be examined: " + std::strerror(errno));
    if (status.st_size == 0)
      return std::nullopt;

    Region region;
    region.mapping_ = std::make_unique<Mapping>(
        map_whole(file, mode, static_cast<std::size_t>(status.st_size)), writable);
    region.data_ = static_cast<std::byte*>(region.mapping_->region.get_address());
    region.size_ = region.mapping_->region.get_size();
    region.file_id_ = {status.st_dev, status.st_ino};
    region.reserved_ = status.st_blocks * kBlockBytes >= status.st_size;
    if (writable) {
      // A forked child must not be a second writer; a core dump must not carry the rings along.
      madvise(region.data_, region.size_, MADV_DONTFORK);
      madvise(region.data_, region.size_, MADV_DONTDUMP);
    }
    return region;
  } catch (const bip::interprocess_exception& failure) {
    if (failure.get_error_code() == bip::not_found_error)
      return std::nullopt;
    throw Error(ExitCode::kResource, path + ": cannot be mapped " +
                                         (writable ? "for writing: " : "for reading: ") +
                                         failure.what());
  }
}

bool Region::hostile() const noexcept {
  return mapping_ != nullptr && range_failed(mapping_->slot);
}

void Region::prefault() const noexcept {
  // Before 5.14 the kernel answers EINVAL: the pages then come in at first touch.
  if (madvise(data_, size_, MADV_POPULATE_WRITE) != 0)
    madvise(data_, size_, MADV_POPULATE_READ);
}

bool Region::lock_in_memory() const noexcept {
  return mlock(data_, size_) == 0;
}

bool Region::collapse() const noexcept {
  return size_ < kHugePageBytes || madvise(data_, size_, MADV_COLLAPSE) == 0;
}

}  // namespace sluice::shm
