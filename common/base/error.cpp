#include "common/base/error.hpp"

#include <cstdio>
#include <cstdlib>
#include <exception>

namespace sluice {

void assert_failed(const char* file, int line, const char* expression,
                   const char* message) noexcept {
  std::fprintf(stderr, "%s:%d: assertion failed: %s: %s\n", file, line, expression, message);
  std::fflush(stderr);
  std::abort();
}

int run_main(const char* process_name, int (*body)(int, char**), int argc, char** argv) {
  try {
    return body(argc, argv);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s: %s\n", process_name, error.what());
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    std::fprintf(stderr,
                 "%s: bug: unexpected exception: %s; please report it with the log of this run\n",
                 process_name, error.what());
    return static_cast<int>(ExitCode::kBug);
  }
}

}  // namespace sluice
