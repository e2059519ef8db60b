// The baseline: one integer per cache line, walked in order; nothing can be less.

#include <sys/mman.h>

#include <array>

#include "bench/ring/pair.hpp"
#include "common/base/error.hpp"

namespace sluice::bench {
namespace {

using shm::StdAtomics;

struct alignas(shm::kCacheLine) Line {
  StdAtomics::Word word;
};

struct BareMemory {
  std::array<Line, kLines> there;
  std::array<Line, kLines> back;
  Line cursor;
};

// Anonymous memory that the forked child shares.
class Shared {
 public:
  Shared()
      : memory_(mmap(nullptr, sizeof(BareMemory), PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0)) {
    if (memory_ == MAP_FAILED)
      throw Error(ExitCode::kResource, "bench ring: no memory for the bare lines");
  }
  ~Shared() { munmap(memory_, sizeof(BareMemory)); }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  BareMemory* operator->() const noexcept { return static_cast<BareMemory*>(memory_); }

 private:
  void* memory_;
};

void send(std::array<Line, kLines>& lines, std::uint64_t i) noexcept {
  StdAtomics::store_release(lines[i % kLines].word, i + 1);
}
void await(const std::array<Line, kLines>& lines, std::uint64_t i) noexcept {
  while (StdAtomics::load_acquire(lines[i % kLines].word) != i + 1)
    relax();
}

}  // namespace

std::vector<std::uint64_t> bare_round_trips(std::uint64_t count) {
  const Shared memory;
  const std::uint64_t total = kWarmUp + count;
  const PinnedChild echo([&] {
    for (std::uint64_t i = 0; i < total; ++i) {
      await(memory->there, i);
      send(memory->back, i);
    }
  });
  std::vector<std::uint64_t> samples;
  samples.reserve(count);
  for (std::uint64_t i = 0; i < total; ++i) {
    const std::uint64_t sent = now_ns();
    send(memory->there, i);
    await(memory->back, i);
    if (i >= kWarmUp)
      samples.push_back(now_ns() - sent);
  }
  return samples;
}

double bare_throughput(std::uint64_t count) {
  const Shared memory;
  const std::uint64_t total = kWarmUp + count;
  const PinnedChild producer([&] {
    std::uint64_t cursor = 0;
    for (std::uint64_t i = 0; i < total; ++i) {
      while (i - cursor >= kLines)
        cursor = StdAtomics::load_acquire(memory->cursor.word);
      send(memory->there, i);
    }
  });
  std::uint64_t begun = 0;
  for (std::uint64_t i = 0; i < total; ++i) {
    if (i == kWarmUp)
      begun = now_ns();
    await(memory->there, i);
    if (i % 256 == 255)
      StdAtomics::store_release(memory->cursor.word, i + 1);
  }
  return static_cast<double>(count) * 1e3 / static_cast<double>(now_ns() - begun);
}

}  // namespace sluice::bench
