// Region: one mapped file. The seam behind which Boost.Interprocess lives.
//
// Start-up code creates and opens regions; any thread may read through them afterwards. Invariants:
//  1. The descriptor is closed as soon as the file is mapped.
//  2. kReadOnly is PROT_READ: the kernel stops a stray store, not a convention.
//  3. Writable mappings do not survive a fork and stay out of core dumps.
//  4. A file that shrinks behind our back does not kill us: see peer_fault.hpp. `hostile()` tells.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace sluice::shm {

inline constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;

// Which file stands behind a name; two different files never compare equal while both exist.
struct FileId {
  std::uint64_t device{0};
  std::uint64_t inode{0};
  friend bool operator==(const FileId&, const FileId&) = default;
};
[[nodiscard]] std::optional<FileId> file_id_of(const std::string& path) noexcept;

class Region {
 public:
  enum class Access : std::uint8_t { kReadOnly, kReadWrite };

  Region() noexcept;
  ~Region();
  Region(Region&&) noexcept;
  Region& operator=(Region&&) noexcept;
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;

  // Creates `path` (which must not exist), reserves all its bytes with posix_fallocate and maps it.
  // Throws Error(kResource) that says what was asked and what is free, and leaves no file behind.
  [[nodiscard]] static Region create(const std::string& path, std::size_t bytes, unsigned mode);

  // Maps the whole file. nullopt when there is no such file or it is empty; Error(kResource) when
  // it is no regular file or the system refuses for another reason.
  [[nodiscard]] static std::optional<Region> open(const std::string& path, Access access);

  [[nodiscard]] std::byte* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] FileId file_id() const noexcept { return file_id_; }
  // Whether every byte of the file had memory behind it when it was mapped, as create() left it. A
  // file that was extended has holes, and touching all of them could take all memory there is.
  [[nodiscard]] bool reserved() const noexcept { return reserved_; }

  // True once the file was found shorter than its mapping: zeros stand where bytes are missing.
  [[nodiscard]] bool hostile() const noexcept;

  // Best effort, start-up only: faults every page in, and asks for residency or 2 MB pages.
  void prefault() const noexcept;
  [[nodiscard]] bool lock_in_memory() const noexcept;
  [[nodiscard]] bool collapse() const noexcept;

  template <class T>
  [[nodiscard]] T* at(std::size_t offset) const noexcept {
    return reinterpret_cast<T*>(data_ + offset);
  }

 private:
  struct Mapping;
  std::unique_ptr<Mapping> mapping_;
  std::byte* data_{nullptr};
  std::size_t size_{0};
  FileId file_id_{};
  bool reserved_{false};
};

}  // namespace sluice::shm
