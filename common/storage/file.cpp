#include "common/storage/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace sluice {

void UniqueFd::reset() noexcept {
  // A close that fails has still closed the descriptor (Linux); what had to be durable was synced
  // before.
  if (fd_ >= 0)
    ::close(fd_);
  fd_ = -1;
}

std::string errno_text(int error) {
  return fmt::format("{} ({})", std::strerror(error), error);
}

ssize_t pread_full(int fd, std::span<std::byte> out, std::uint64_t offset) noexcept {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t n =
        ::pread(fd, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return -1;
    if (n == 0)
      break;
    done += static_cast<std::size_t>(n);
  }
  return static_cast<ssize_t>(done);
}

int write_zeros(int fd, std::uint64_t begin, std::uint64_t end) noexcept {
  static constexpr std::array<std::byte, 64 * 1024> kZeros{};
  while (begin < end) {
    const std::size_t bytes = std::min<std::uint64_t>(kZeros.size(), end - begin);
    const ssize_t n = ::pwrite(fd, kZeros.data(), bytes, static_cast<off_t>(begin));
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return errno;
    begin += static_cast<std::uint64_t>(n);
  }
  return 0;
}

int sync_directory(const std::string& dir) noexcept {
  const UniqueFd fd(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid() || ::fsync(fd.get()) != 0)
    return errno;
  return 0;
}

}  // namespace sluice
