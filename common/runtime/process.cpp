#include "common/runtime/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "common/base/error.hpp"

namespace sluice {
namespace {

int open_pidfd(pid_t pid) {
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
}

int send_through(int pidfd, int number) {
  return static_cast<int>(::syscall(SYS_pidfd_send_signal, pidfd, number, nullptr, 0));
}

}  // namespace

std::string ExitStatus::text() const {
  return exited ? "exit " + std::to_string(code) : "killed by signal " + std::to_string(signal);
}

std::string binary_path(const std::string& name) {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::filesystem::path path = self.parent_path() / name;
  if (error || !std::filesystem::exists(path)) {
    throw Error(ExitCode::kResource, path.string() + " is missing; build it with: ninja " + name);
  }
  return path.string();
}

Child Child::start(const std::string& program, const std::vector<std::string>& arguments,
                   const std::string& log_file, bool pipe_stdout) {
  std::vector<char*> argv;
  argv.push_back(const_cast<char*>(program.c_str()));  // execv takes char* but does not write
  for (const std::string& argument : arguments)
    argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);

  int log = -1;
  if (!log_file.empty()) {
    log = ::open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (log < 0) {
      throw Error(ExitCode::kResource,
                  log_file + ": " + std::strerror(errno) + "; cannot write the log");
    }
  }
  int out[2] = {-1, -1};
  if (pipe_stdout && ::pipe2(out, O_CLOEXEC) != 0) {
    throw Error(ExitCode::kResource, std::string("pipe: ") + std::strerror(errno));
  }
  const pid_t parent = ::getpid();
  // fork without exec is forbidden to holders of a role; here exec follows at once and every lock's
  // descriptor is close-on-exec.
  const pid_t pid = ::fork();
  if (pid < 0)
    throw Error(ExitCode::kResource, std::string("fork: ") + std::strerror(errno));
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent)
      ::_exit(127);   // the parent died before the line above
    ::setpgid(0, 0);  // a terminal's ^C goes to us; we stop them in order
    if (log >= 0) {
      ::dup2(log, STDERR_FILENO);
      ::dup2(log, STDOUT_FILENO);
    } else {
      ::dup2(STDERR_FILENO, STDOUT_FILENO);  // our stdout is for JSON alone
    }
    if (pipe_stdout)
      ::dup2(out[1], STDOUT_FILENO);
    ::execv(program.c_str(), argv.data());
    ::_exit(127);
  }
  if (log >= 0)
    ::close(log);
  if (pipe_stdout)
    ::close(out[1]);
  Child child;
  child.pid_ = pid;
  child.stdout_ = out[0];
  child.pidfd_ = open_pidfd(pid);
  if (child.pidfd_ < 0) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    throw Error(ExitCode::kResource, std::string("pidfd_open: ") + std::strerror(errno));
  }
  return child;
}

Child::~Child() {
  if (pidfd_ >= 0) {
    signal(SIGKILL);
    reap(-1);
  }
  if (stdout_ >= 0)
    ::close(stdout_);
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pidfd_(std::exchange(other.pidfd_, -1)),
      stdout_(std::exchange(other.stdout_, -1)),
      buffered_(std::move(other.buffered_)),
      status_(other.status_) {}

Child& Child::operator=(Child&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(pidfd_, other.pidfd_);
  std::swap(stdout_, other.stdout_);
  std::swap(buffered_, other.buffered_);
  std::swap(status_, other.status_);
  return *this;
}

void Child::signal(int number) noexcept {
  if (pidfd_ >= 0)
    send_through(pidfd_, number);
}

bool Child::read_line(std::string& line, int timeout_ms) {
  for (;;) {
    if (const std::size_t end = buffered_.find('\n'); end != std::string::npos) {
      line = buffered_.substr(0, end);
      buffered_.erase(0, end + 1);
      return true;
    }
    pollfd poll{.fd = stdout_, .events = POLLIN, .revents = 0};
    char bytes[4096];
    if (::poll(&poll, 1, timeout_ms) <= 0)
      return false;
    const ssize_t got = ::read(stdout_, bytes, sizeof(bytes));
    if (got <= 0)
      return false;
    buffered_.append(bytes, static_cast<std::size_t>(got));
  }
}

std::string Child::read_all(std::size_t limit) {
  char bytes[65536];
  ssize_t got = 0;
  while ((got = ::read(stdout_, bytes, sizeof(bytes))) > 0) {
    buffered_.append(bytes, static_cast<std::size_t>(got));
    if (buffered_.size() > limit) {
      throw Error(ExitCode::kResource,
                  "a child wrote more than " + std::to_string(limit) + " bytes");
    }
  }
  return std::exchange(buffered_, {});
}

bool Child::reap(int timeout_ms) {
  if (pidfd_ < 0)
    return true;
  pollfd poll{.fd = pidfd_, .events = POLLIN, .revents = 0};
  if (::poll(&poll, 1, timeout_ms) <= 0)
    return false;
  siginfo_t info{};
  if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED) != 0)
    return false;
  status_.exited = info.si_code == CLD_EXITED;
  (status_.exited ? status_.code : status_.signal) = info.si_status;
  ::close(std::exchange(pidfd_, -1));
  return true;
}

ExitStatus run_and_wait(const std::string& program, const std::vector<std::string>& arguments) {
  Child child = Child::start(program, arguments, "");
  while (!child.reap(1000)) {
  }
  return child.status();
}

bool signal_process(pid_t pid, int number) noexcept {
  const int pidfd = open_pidfd(pid);
  if (pidfd < 0)
    return false;
  const bool sent = send_through(pidfd, number) == 0;
  ::close(pidfd);
  return sent;
}

}  // namespace sluice
