#include "tools/relay/capture.hpp"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "common/base/error.hpp"
#include "common/base/time.hpp"

namespace sluice::relay {
namespace {

[[noreturn]] void fail(const std::string& path, const char* what) {
  throw Error(ExitCode::kResource, path + ": cannot " + what +
                                       " the capture: " + std::strerror(errno) +
                                       "; free space there or give another path to --capture");
}

void write_all(const std::string& path, int fd, std::span<iovec> parts) {
  while (!parts.empty()) {
    const ssize_t n = ::writev(fd, parts.data(), static_cast<int>(parts.size()));
    if (n < 0) {
      if (errno == EINTR) {
        continue;
      }
      fail(path, "write");
    }
    auto done = static_cast<std::size_t>(n);
    while (!parts.empty() && done >= parts.front().iov_len) {
      done -= parts.front().iov_len;
      parts = parts.subspan(1);
    }
    if (!parts.empty()) {
      parts.front().iov_base = static_cast<char*>(parts.front().iov_base) + done;
      parts.front().iov_len -= done;
    }
  }
}

}  // namespace

CaptureWriter::CaptureWriter(const std::string& path)
    : path_(path), fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) {
  if (fd_ < 0) {
    fail(path_, "create");
  }
  CaptureFileHeader header{};
  std::memcpy(header.magic, kCaptureMagic, sizeof header.magic);
  header.version = kCaptureVersion;
  header.record_header_bytes = sizeof(CaptureHeader);
  std::array<iovec, 1> parts{iovec{&header, sizeof header}};
  try {
    write_all(path_, fd_, parts);
  } catch (const Error&) {
    ::close(fd_);  // no destructor runs for a half-made object
    throw;
  }
}

CaptureWriter::~CaptureWriter() {
  ::close(fd_);
}

void CaptureWriter::append(const CaptureKey& key, CaptureEvent event,
                           std::span<const char> payload) {
  CaptureHeader header{};
  header.magic = kCaptureRecordMagic;
  header.length = static_cast<std::uint32_t>(payload.size());
  header.wall_ns = wall_now().ns;
  header.connection = key.connection;
  header.route = key.route;
  header.direction = key.direction;
  header.event = event;
  // writev reads only; its interface has no const.
  std::array<iovec, 2> parts{iovec{&header, sizeof header},
                             iovec{const_cast<char*>(payload.data()), payload.size()}};
  write_all(path_, fd_, std::span(parts).first(payload.empty() ? 1 : 2));
}

}  // namespace sluice::relay
