// The three kinds of errors (start-up, hot path, bugs) meet here in the first and the last.
//
// Start-up and control code throws Error; run_main turns it into one line on stderr and the
// documented exit code. A broken invariant of our own is SLUICE_ASSERT: the process dies at once
// and its peers notice.
#pragma once

#include <stdexcept>
#include <string>

namespace sluice {

// The exit codes of every binary. 78 is never restarted by a supervisor.
enum class ExitCode : int {
  kDone = 0,
  kNotReconciled = 1,      // ended, but the books do not agree, or a check failed
  kUsage = 64,             // command line
  kVenueUnavailable = 69,  // the venue could not be reached within the bounded retries
  kBug = 70,               // an exception nobody expected
  kResource = 73,          // shared memory, file or port
  kRoleTaken = 75,         // another process holds the role
  kCredentials = 77,       // credentials or permission
  kConfig = 78,            // configuration
};

// An error a person can act on. The text says what went wrong, where (file:line, key, path,
// address), and what to do.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& what_where_remedy)
      : std::runtime_error(what_where_remedy), code_(code) {}
  [[nodiscard]] ExitCode code() const noexcept { return code_; }

 private:
  ExitCode code_;
};

// Prints "file:line: assertion failed: expression: message" on stderr and aborts.
[[noreturn]] void assert_failed(const char* file, int line, const char* expression,
                                const char* message) noexcept;

// Runs the body of a main function. Error → one line "process: text" on stderr and its exit code;
// any other exception (std::bad_alloc and the rest are bugs here) → one line and 70.
int run_main(const char* process_name, int (*body)(int, char**), int argc, char** argv);

}  // namespace sluice

// An invariant of our own code, checked in release builds too. Never for what a user, a peer or a
// venue can cause.
#define SLUICE_ASSERT(cond, msg)                               \
  do {                                                         \
    if (!(cond)) [[unlikely]] {                                \
      ::sluice::assert_failed(__FILE__, __LINE__, #cond, msg); \
    }                                                          \
  } while (false)
