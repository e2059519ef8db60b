#include "shm/peer_fault.hpp"

#include <signal.h>
#include <sys/mman.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <mutex>

#include "common/base/error.hpp"
#include "shm/segment.hpp"

namespace sluice::shm {
namespace {

struct WatchedRange {
  std::atomic<std::uintptr_t> begin{0};
  std::atomic<std::uintptr_t> end{0};  // 0: slot is free; stored last, cleared first
  std::atomic<bool> writable{false};
  std::atomic<bool> failed{false};
};
static_assert(std::atomic<std::uintptr_t>::is_always_lock_free &&
                  std::atomic<bool>::is_always_lock_free,
              "a signal handler may not meet a lock");

std::array<WatchedRange, kMaxWatchedRanges> g_ranges;
std::atomic<bool> g_any_failed{false};  // so that a look at whole files costs one load
std::mutex g_registering;               // start-up and tear-down only, never taken by the handler
bool g_installed = false;
struct sigaction g_previous;

WatchedRange* find_range(std::uintptr_t address) noexcept {
  for (WatchedRange& range : g_ranges) {
    // acquire: pairs with the release in watch_range(); begin and writable belong to this end.
    const std::uintptr_t end = range.end.load(std::memory_order_acquire);
    if (end != 0 && address < end && address >= range.begin.load(std::memory_order_relaxed))
      return &range;
  }
  return nullptr;
}

void hand_on(int signal, siginfo_t* info, void* context) noexcept {
  if ((g_previous.sa_flags & SA_SIGINFO) != 0) {
    g_previous.sa_sigaction(signal, info, context);
  } else if (g_previous.sa_handler != SIG_DFL && g_previous.sa_handler != SIG_IGN) {
    g_previous.sa_handler(signal);
  } else {
    // Back to the default and return: the instruction faults again and the process dies of it.
    struct sigaction fallback {};
    fallback.sa_handler = SIG_DFL;
    sigaction(signal, &fallback, nullptr);
  }
}

void on_bus_error(int signal, siginfo_t* info, void* context) noexcept {
  const int saved_errno = errno;
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  WatchedRange* const range = find_range(address);
  if (range == nullptr) {
    hand_on(signal, info, context);
    return;
  }
  const std::uintptr_t page = address / kPageBytes * kPageBytes;
  const std::uintptr_t end = range->end.load(std::memory_order_relaxed);
  const int protection =
      range->writable.load(std::memory_order_relaxed) ? PROT_READ | PROT_WRITE : PROT_READ;
  // Marked first: whoever reads a zero of the new pages can already see the mark.
  range->failed.store(true, std::memory_order_release);
  g_any_failed.store(true, std::memory_order_release);
  // NOLINTNEXTLINE(performance-no-int-to-ptr): the address comes from the kernel, as a number
  if (mmap(reinterpret_cast<void*>(page), end - page, protection,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
    hand_on(signal, info, context);
    return;
  }
  errno = saved_errno;
}

void install_handler() {
  struct sigaction action {};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  if (sigaction(SIGBUS, &action, &g_previous) != 0)
    throw Error(ExitCode::kResource,
                "cannot install the SIGBUS handler that survives truncated peers");
  g_installed = true;
}

}  // namespace

int watch_range(void* base, std::size_t bytes, bool writable) {
  const std::lock_guard lock(g_registering);
  if (!g_installed)
    install_handler();
  for (int slot = 0; slot < kMaxWatchedRanges; ++slot) {
    WatchedRange& range = g_ranges[static_cast<std::size_t>(slot)];
    if (range.end.load(std::memory_order_relaxed) != 0)
      continue;
    const auto begin = reinterpret_cast<std::uintptr_t>(base);
    range.begin.store(begin, std::memory_order_relaxed);
    range.writable.store(writable, std::memory_order_relaxed);
    range.failed.store(false, std::memory_order_relaxed);
    // release: pairs with the acquire in find_range().
    range.end.store(begin + (bytes + kPageBytes - 1) / kPageBytes * kPageBytes,
                    std::memory_order_release);
    return slot;
  }
  throw Error(ExitCode::kResource,
              "more than " + std::to_string(kMaxWatchedRanges) +
                  " shared memory mappings in one process; raise kMaxWatchedRanges");
}

void unwatch_range(int slot) noexcept {
  const std::lock_guard lock(g_registering);
  // release: nobody touches the mapping any more when its owner unregisters it.
  g_ranges[static_cast<std::size_t>(slot)].end.store(0, std::memory_order_release);
}

bool range_failed(int slot) noexcept {
  // acquire: pairs with the release in on_bus_error().
  return g_ranges[static_cast<std::size_t>(slot)].failed.load(std::memory_order_acquire);
}

CutRanges cut_ranges() noexcept {
  CutRanges cut;
  // acquire: pairs with the release in on_bus_error(); the mark it stands for is visible.
  if (!g_any_failed.load(std::memory_order_acquire))
    return cut;
  for (const WatchedRange& range : g_ranges) {
    // relaxed: counts; whoever reads through a range asks range_failed().
    if (range.end.load(std::memory_order_relaxed) == 0 ||
        !range.failed.load(std::memory_order_relaxed))
      continue;
    ++(range.writable.load(std::memory_order_relaxed) ? cut.own : cut.peers);
  }
  return cut;
}

}  // namespace sluice::shm
