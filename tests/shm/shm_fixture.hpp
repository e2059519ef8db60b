// What the tests of shared memory share: records that check themselves, a folder of their own per
// test, and child processes that do not outlive it.
#pragma once

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>

#include "common/base/error.hpp"
#include "common/base/schema.hpp"
#include "shm/board.hpp"
#include "shm/layout.hpp"
#include "shm/ring.hpp"
#include "shm/role.hpp"

namespace sluice::shm::test {

// Seven words that all follow from the first: a torn or stale copy shows.
template <std::size_t kWords>
struct Checked {
  std::uint64_t sequence;
  std::array<std::uint64_t, kWords - 1> echo;

  [[nodiscard]] static Checked of(std::uint64_t sequence) noexcept {
    Checked record{sequence, {}};
    for (std::size_t i = 0; i < record.echo.size(); ++i)
      record.echo[i] = (sequence + i + 1) * 0x9e3779b97f4a7c15;
    return record;
  }
  [[nodiscard]] bool whole() const noexcept {
    const Checked expected = of(sequence);
    return echo == expected.echo;
  }
};
using OneLine = Checked<7>;
using FourLines = Checked<31>;
using AcrossPages = Checked<23>;  // a board's row of it is 384 bytes
SLUICE_SCHEMA(OneLine, sequence, echo);
SLUICE_SCHEMA(FourLines, sequence, echo);
SLUICE_SCHEMA(AcrossPages, sequence, echo);

struct OtherOneLine {
  std::array<std::uint64_t, 7> words;
};
SLUICE_SCHEMA(OtherOneLine, words);

template <class Predicate>
[[nodiscard]] bool eventually(Predicate&& predicate) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  while (!predicate()) {
    if (std::chrono::steady_clock::now() > deadline)
      return false;
    sched_yield();
  }
  return true;
}

// A forked process running `body`, whose return value is its exit code; 99 for an exception. Killed
// and reaped at the latest by the destructor.
class Child {
 public:
  template <class Body>
  explicit Child(const Body& body) : pid_(fork()) {
    if (pid_ != 0)
      return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int code = 99;
    try {
      code = body();
    } catch (const std::exception& failure) {
      std::fprintf(stderr, "child: %s\n", failure.what());
    }
    _exit(code);
  }
  ~Child() {
    if (pid_ > 0)
      kill_and_reap();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  // Waits for the end; returns the exit code, or -signal.
  [[nodiscard]] int wait() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  }
  int kill_and_reap() {
    kill(pid_, SIGKILL);
    return wait();
  }

 private:
  pid_t pid_;
};

// A folder on tmpfs that is this test's alone and goes with it.
class ShmTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* const info = ::testing::UnitTest::GetInstance()->current_test_info();
    dir_ = "/dev/shm/sluice-test-" + std::to_string(getpid()) + "/" + lower(info->name());
    std::filesystem::create_directories(dir_);
  }
  void TearDown() override {
    std::filesystem::remove_all(std::filesystem::path(dir_).parent_path());
  }

  [[nodiscard]] const std::string& dir() const noexcept { return dir_; }
  [[nodiscard]] std::string path(const std::string& file) const { return dir_ + '/' + file; }
  [[nodiscard]] Instance attach() const {
    return Instance::attach(dir_, std::chrono::milliseconds{30'000});
  }
  [[nodiscard]] RoleLock role(const std::string& name) const {
    return RoleLock::acquire(dir_, name, "a test");
  }

  // One ring `md` from `producer` to `consumer`, one board `quotes` of `producer`.
  [[nodiscard]] Layout small_layout(std::uint32_t slots = 64, std::uint64_t initial = 0) const {
    Layout layout;
    layout.dir = dir_;
    layout.instance = "test";
    layout.build_id = 1;
    layout.rings.push_back(
        ring_spec<OneLine>("md", slots, RingPolicy::kConflate, "producer", "consumer"));
    layout.rings.back().initial_sequence = initial;
    layout.boards.push_back(board_spec<FourLines>("quotes", 4, "producer"));
    return layout;
  }

 private:
  static std::string lower(std::string text) {
    for (char& c : text)  // a parameter's name stands behind a slash: one folder all the same
      c = c == '/' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text.substr(0, 60);
  }

  std::string dir_;
};

// Runs `body` and returns the Error it throws; fails the test when it throws none.
template <class Body>
[[nodiscard]] Error error_of(Body&& body) {
  try {
    body();
  } catch (const Error& failure) {
    return failure;
  }
  ADD_FAILURE() << "an Error was expected, none was thrown";
  return {ExitCode::kDone, ""};
}
template <class Body>
[[nodiscard]] AttachStatus status_of(Body&& body) {
  try {
    body();
  } catch (const AttachError& failure) {
    return failure.status();
  }
  return AttachStatus::kReady;
}

// True when every part stands in the text.
[[nodiscard]] inline ::testing::AssertionResult says(const std::string& text,
                                                     std::initializer_list<std::string> parts) {
  for (const std::string& part : parts)
    if (text.find(part) == text.npos)
      return ::testing::AssertionFailure() << "'" << part << "' is missing in: " << text;
  return ::testing::AssertionSuccess();
}

}  // namespace sluice::shm::test
