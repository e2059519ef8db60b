// Child processes: started, watched through pidfds, stopped.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace sluice {

struct ExitStatus {
  bool exited{false};  // by itself, with `code`; otherwise by `signal`
  int code{0};
  int signal{0};

  [[nodiscard]] bool ok() const noexcept { return exited && code == 0; }
  [[nodiscard]] std::string text() const;  // "exit 73", "killed by signal 9"
};

// Our binaries stand beside this one. Throws Error{kResource} when the file is missing.
[[nodiscard]] std::string binary_path(const std::string& name);

class Child {
 public:
  Child() = default;
  // Starts `program`. It gets SIGTERM when we die, whatever kills us. `log_file`: where stderr goes
  // (appended); empty: ours. stdout goes the same way, or into a pipe for read_line(). Throws
  // Error{kResource}.
  static Child start(const std::string& program, const std::vector<std::string>& arguments,
                     const std::string& log_file, bool pipe_stdout = false);
  ~Child();
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;

  [[nodiscard]] bool running() const noexcept { return pidfd_ >= 0; }
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  void signal(int number) noexcept;
  // The next line the child wrote to its piped stdout, without the line break. False when it ended
  // or nothing complete came within the time.
  bool read_line(std::string& line, int timeout_ms);
  // Everything until the child closes its stdout. Throws Error{kResource} beyond `limit` bytes.
  std::string read_all(std::size_t limit);
  // Reaps within `timeout_ms` (0: only looks). True when it has ended; then status() is set.
  bool reap(int timeout_ms);
  [[nodiscard]] const ExitStatus& status() const noexcept { return status_; }

 private:
  pid_t pid_{-1};
  int pidfd_{-1};
  int stdout_{-1};
  std::string buffered_;
  ExitStatus status_{};
};

[[nodiscard]] ExitStatus run_and_wait(const std::string& program,
                                      const std::vector<std::string>& arguments);

// Sends a signal to a process that is not our child. False when it is gone.
bool signal_process(pid_t pid, int number) noexcept;

}  // namespace sluice
