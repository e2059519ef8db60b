#include "shm/role.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <set>
#include <sstream>
#include <system_error>
#include <utility>

#include "common/base/error.hpp"
#include "common/base/log.hpp"
#include "common/base/time.hpp"
#include "shm/region.hpp"
#include "shm/segment.hpp"

namespace sluice::shm {
namespace {

constexpr std::size_t kTextBytes = 256;
constexpr int kOpenAttempts = 16;

std::mutex g_held_mutex;
std::set<std::string> g_held;  // "<canonical dir>\n<role>" of every role of this process

std::string held_key(const std::string& dir, const std::string& role) {
  std::error_code ignored;  // a folder that does not exist keeps the name it was given
  const std::filesystem::path canonical = std::filesystem::weakly_canonical(dir, ignored);
  return (canonical.empty() ? dir : canonical.string()) + '\n' + role;
}

std::string lock_path(const std::string& dir, const std::string& role) {
  if (!is_plain_name(role))
    throw Error(ExitCode::kConfig, "role '" + role + "': 1 to " + std::to_string(kMaxNameBytes) +
                                       " characters of a-z 0-9 . _ - are allowed");
  return locks_folder(dir) + '/' + role;
}

// Field 22 of /proc/<pid>/stat, counted behind the command's closing parenthesis; 0 if there is
// none.
std::uint64_t process_start(std::int64_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(file, line))
    return 0;
  const std::size_t close = line.rfind(')');
  if (close == line.npos)
    return 0;
  std::istringstream fields(line.substr(close + 1));
  std::string field;
  for (int i = 3; i <= 22; ++i)
    if (!(fields >> field))
      return 0;
  std::uint64_t start = 0;
  std::from_chars(field.data(), field.data() + field.size(), start);
  return start;
}

struct flock whole_file_lock() noexcept {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;  // start 0, length 0: the whole file; l_pid must be 0 for OFD locks
}

// Text: four lines "pid start since purpose", zero-padded, written in one piece.
void write_text(int descriptor, const std::string& path, const std::string& purpose) {
  const std::int64_t pid = getpid();
  std::array<char, 40> since{};
  format_rfc3339(wall_now(), since.data());
  std::string text = std::to_string(pid) + '\n' + std::to_string(process_start(pid)) + '\n' +
                     since.data() + '\n' + purpose + '\n';
  text.resize(kTextBytes);
  if (pwrite(descriptor, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
    throw Error(ExitCode::kResource, path + ": cannot write who holds it: " + std::strerror(errno));
}

RoleHolder read_text(int descriptor) {
  std::array<char, kTextBytes + 1> bytes{};
  RoleHolder holder;
  if (pread(descriptor, bytes.data(), kTextBytes, 0) <= 0)
    return holder;
  std::istringstream lines{std::string(bytes.data())};
  std::string line;
  if (std::getline(lines, line))
    std::from_chars(line.data(), line.data() + line.size(), holder.pid);
  if (std::getline(lines, line))
    std::from_chars(line.data(), line.data() + line.size(), holder.start);
  std::getline(lines, holder.since);
  std::getline(lines, holder.purpose);
  holder.alive = holder.pid > 0 && process_start(holder.pid) == holder.start;
  return holder;
}

// Closes on every way out until the lock is ours.
class OpenFile {
 public:
  explicit OpenFile(int descriptor) noexcept : descriptor_(descriptor) {}
  ~OpenFile() {
    if (descriptor_ >= 0)
      close(descriptor_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  [[nodiscard]] int get() const noexcept { return descriptor_; }
  [[nodiscard]] int release() noexcept { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_;
};

void make_folders(const std::string& dir) {
  std::error_code failure;
  std::filesystem::create_directories(dir, failure);
  if (!failure && mkdir(locks_folder(dir).c_str(), 0700) != 0 && errno != EEXIST)
    failure = std::error_code(errno, std::generic_category());
  if (failure)
    throw Error(ExitCode::kResource, locks_folder(dir) + ": cannot be made: " + failure.message());
}

}  // namespace

RoleLock RoleLock::acquire(const std::string& dir, const std::string& role,
                           const std::string& purpose) {
  const std::string path = lock_path(dir, role);
  make_folders(dir);
  for (int attempt = 0; attempt < kOpenAttempts; ++attempt) {
    OpenFile file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (file.get() < 0)
      throw Error(ExitCode::kResource, path + ": cannot be opened: " + std::strerror(errno) +
                                           "; the folder belongs to the user the stages run as");
    struct flock request = whole_file_lock();
    if (fcntl(file.get(), F_OFD_SETLK, &request) != 0) {
      if (errno != EAGAIN && errno != EACCES)
        throw Error(ExitCode::kResource, path + ": cannot be locked: " + std::strerror(errno));
      throw Error(ExitCode::kRoleTaken,
                  "role '" + role + "' of " + dir + " is " + describe(read_text(file.get())) +
                      "; stop that process first, or use another instance name");
    }
    // Somebody may have removed the folder between open and lock: a lock on a file without a name
    // excludes nobody.
    struct stat status {};
    fstat(file.get(), &status);
    if (file_id_of(path) != FileId{status.st_dev, status.st_ino})
      continue;
    write_text(file.get(), path, purpose);
    const std::lock_guard guard(g_held_mutex);
    g_held.insert(held_key(dir, role));
    return {dir, role, file.release()};
  }
  throw Error(ExitCode::kResource,
              path + ": is being removed again and again; nobody may unlink it");
}

std::optional<RoleHolder> RoleLock::holder(const std::string& dir, const std::string& role) {
  const std::string path = lock_path(dir, role);
  const OpenFile file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (file.get() < 0 && errno == ENOENT)
    return std::nullopt;
  struct flock question = whole_file_lock();
  if (file.get() < 0 || fcntl(file.get(), F_OFD_GETLK, &question) != 0)
    throw Error(ExitCode::kResource, path + ": cannot be examined: " + std::strerror(errno));
  if (question.l_type == F_UNLCK)
    return std::nullopt;
  return read_text(file.get());
}

RoleLock::RoleLock(std::string dir, std::string role, int descriptor) noexcept
    : dir_(std::move(dir)), role_(std::move(role)), descriptor_(descriptor) {}

RoleLock::~RoleLock() {
  release();
}

RoleLock::RoleLock(RoleLock&& other) noexcept
    : dir_(std::move(other.dir_)),
      role_(std::move(other.role_)),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

RoleLock& RoleLock::operator=(RoleLock&& other) noexcept {
  if (this != &other) {
    release();
    dir_ = std::move(other.dir_);
    role_ = std::move(other.role_);
    descriptor_ = std::exchange(other.descriptor_, -1);
  }
  return *this;
}

void RoleLock::release() noexcept {
  if (descriptor_ < 0)
    return;
  {
    const std::lock_guard guard(g_held_mutex);
    g_held.erase(held_key(dir_, role_));
  }
  // Without the text, the next claimant is never told about us. Who is killed leaves his behind.
  if (ftruncate(descriptor_, 0) != 0)
    log_warn("role '{}' of {}: cannot erase our name: {}", role_, dir_, std::strerror(errno));
  close(std::exchange(descriptor_, -1));  // the last descriptor of the open file: the lock goes too
}

std::string describe(const RoleHolder& holder) {
  if (holder.pid == 0)
    return "held by a process that has not written its name yet";
  const std::string who =
      "pid " + std::to_string(holder.pid) + ", " + holder.purpose + ", since " + holder.since;
  return holder.alive
             ? "held by " + who
             : "held by a dead process (" + who + "): its descriptor is still open in a child";
}

bool role_held_here(const std::string& dir, const std::string& role) {
  const std::lock_guard guard(g_held_mutex);
  return g_held.contains(held_key(dir, role));
}

}  // namespace sluice::shm
