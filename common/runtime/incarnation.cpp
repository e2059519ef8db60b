#include "common/runtime/incarnation.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>

#include "common/base/error.hpp"

namespace sluice {
namespace {

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw Error(ExitCode::kResource,
              path + ": " + what + "; without a durable incarnation order ids could repeat");
}

// A descriptor that closes itself: every step below may throw.
class Descriptor {
 public:
  Descriptor(const std::string& path, int flags)
      : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {
    if (fd_ < 0)
      fail(path, std::strerror(errno));
  }
  ~Descriptor() { ::close(fd_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const noexcept { return fd_; }

 private:
  int fd_;
};

std::uint32_t read_counter(const std::string& path) {
  std::ifstream in(path);
  if (!in) {
    if (std::filesystem::exists(path))
      fail(path, "cannot be read");
    return 0;
  }
  std::string text;
  std::getline(in, text);
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value == 0) {
    fail(path, "holds '" + text +
                   "', which is no incarnation; restore the number or start a new state_dir");
  }
  if (value == std::numeric_limits<std::uint32_t>::max())
    fail(path, "has reached its last number");
  return value;
}

}  // namespace

std::uint32_t raise_incarnation(const std::string& state_dir, const std::string& role) {
  std::error_code error;
  std::filesystem::create_directories(state_dir, error);
  if (error)
    fail(state_dir, error.message());
  const std::string path = state_dir + "/incarnation." + role;
  const std::uint32_t next = read_counter(path) + 1;
  const std::string text = std::to_string(next) + "\n";
  const std::string fresh = path + ".new";
  {
    const Descriptor file(fresh, O_WRONLY | O_CREAT | O_TRUNC);
    if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
      fail(fresh, std::strerror(errno));
    }
    if (::fsync(file.get()) != 0)
      fail(fresh, std::strerror(errno));
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0)
    fail(path, std::strerror(errno));
  const Descriptor folder(state_dir, O_RDONLY | O_DIRECTORY);
  if (::fsync(folder.get()) != 0)
    fail(state_dir, std::strerror(errno));
  return next;
}

}  // namespace sluice
