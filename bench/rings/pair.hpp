// Two pinned parties: this process on the first allowed core, its partner (a forked process, or a
// thread for queues that live in one process) on the second.
#pragma once

#include <sys/mman.h>

#include <cstdint>
#include <functional>
#include <new>
#include <string>
#include <thread>

#include "common/base/error.hpp"

namespace sluice::bench {

enum class Core : std::uint8_t { kFirst, kSecond };
enum class Party : std::uint8_t { kProcess, kThread };

// Finds the two cores and keeps the calling thread on the first. Throws Error{kResource} when fewer
// than two are allowed.
void choose_cores();
// Keeps the calling thread on one of the two.
void pin_to(Core core);

// While it lives the calling thread may run on both: for libraries that start threads of their
// own, which would otherwise share the caller's core.
class OnBothCores {
 public:
  explicit OnBothCores(Core back_to);
  ~OnBothCores();
  OnBothCores(const OnBothCores&) = delete;
  OnBothCores& operator=(const OnBothCores&) = delete;

 private:
  Core back_to_;
};

// Runs `body` on a core beside us; the destructor waits for its end. A body that throws ends the
// whole run: its partner would wait for ever.
class Partner {
 public:
  Partner(Party kind, Core core, const std::function<void()>& body);
  ~Partner();
  Partner(const Partner&) = delete;
  Partner& operator=(const Partner&) = delete;
  [[nodiscard]] int pid() const noexcept { return pid_; }

 private:
  int pid_{0};  // of a process
  std::thread thread_;
};

// An object in memory that forked processes share.
template <class T>
class Shared {
 public:
  template <class... Args>
  explicit Shared(Args&&... args)
      : memory_(mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0)) {
    if (memory_ == MAP_FAILED)
      throw Error(ExitCode::kResource, "bench rings: no memory to share");
    new (memory_) T(static_cast<Args&&>(args)...);
  }
  ~Shared() {
    get().~T();
    munmap(memory_, sizeof(T));
  }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  [[nodiscard]] T& get() const noexcept { return *static_cast<T*>(memory_); }
  T* operator->() const noexcept { return static_cast<T*>(memory_); }

 private:
  void* memory_;
};

// Fails the whole run: a checksum or an order that is not what was sent.
void require(bool holds, const std::string& what);

}  // namespace sluice::bench
