// Small means for files: a descriptor that closes itself, whole reads and writes, durable
// directories.
//
// Start-up and background threads only: every call here may block.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

namespace sluice {

class UniqueFd {
 public:
  UniqueFd() noexcept = default;
  explicit UniqueFd(int fd) noexcept : fd_(fd) {}
  ~UniqueFd() { reset(); }
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;

  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] bool valid() const noexcept { return fd_ >= 0; }
  void reset() noexcept;

 private:
  int fd_{-1};
};

// "No space left on device (28)".
[[nodiscard]] std::string errno_text(int error);

// Reads until `out` is full or the file ends. Returns the bytes read, or -1 with errno set.
[[nodiscard]] ssize_t pread_full(int fd, std::span<std::byte> out, std::uint64_t offset) noexcept;

// Writes zeros over [begin, end). Returns 0 or the errno of the write that failed.
[[nodiscard]] int write_zeros(int fd, std::uint64_t begin, std::uint64_t end) noexcept;

// Makes a creation, rename or removal inside `dir` durable. Returns 0 or errno.
[[nodiscard]] int sync_directory(const std::string& dir) noexcept;

}  // namespace sluice
