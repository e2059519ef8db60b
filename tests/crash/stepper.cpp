#include "tests/crash/stepper.hpp"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <new>
#include <stdexcept>

#include "tests/shm/shm_fixture.hpp"

namespace sluice::shm::test {
namespace {

enum Phase : std::uint64_t { kPreparing, kOperating, kDone };

struct Unmap {
  void operator()(Witness* witness) const noexcept { munmap(witness, sizeof(Witness)); }
};
std::unique_ptr<Witness, Unmap> shared_witness() {
  void* const page =
      mmap(nullptr, sizeof(Witness), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED)
    throw std::runtime_error(std::string("mmap: ") + std::strerror(errno));
  return std::unique_ptr<Witness, Unmap>(new (page) Witness{});
}

// Tracer and child on one core: a step is then a switch, not a wake-up across cores.
class OneCore {
 public:
  OneCore() noexcept {
    sched_getaffinity(0, sizeof before_, &before_);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<std::size_t>(sched_getcpu()), &one);
    sched_setaffinity(0, sizeof one, &one);
  }
  ~OneCore() { sched_setaffinity(0, sizeof before_, &before_); }
  OneCore(const OneCore&) = delete;
  OneCore& operator=(const OneCore&) = delete;

 private:
  cpu_set_t before_{};
};

// A child stopped at begin(), to be stepped.
class Traced {
 public:
  explicit Traced(const Act& act)
      : witness_(shared_witness()), child_([&] {
          if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0)
            return 98;
          Dying dying(*witness_);
          act(dying);
          return 97;
        }) {
    wait_for_stop(SIGSTOP);
    while (witness_->phase == kPreparing)
      step();
  }

  void step() {
    if (ptrace(PTRACE_SINGLESTEP, child_.pid(), nullptr, nullptr) != 0)
      throw std::runtime_error(std::string("a step: ") + std::strerror(errno));
    wait_for_stop(SIGTRAP);
  }
  [[nodiscard]] bool done() const noexcept { return witness_->phase == kDone; }
  [[nodiscard]] std::uint64_t said() const noexcept { return witness_->said; }
  void die() {
    if (child_.kill_and_reap() != -SIGKILL)
      throw std::runtime_error("the child ended before it was killed");
  }

 private:
  void wait_for_stop(int signal) {
    int status = 0;
    while (waitpid(child_.pid(), &status, 0) < 0 && errno == EINTR) {
    }
    if (!WIFSTOPPED(status) || WSTOPSIG(status) != signal)
      throw std::runtime_error("the child ended or met a signal in its operation: wait status " +
                               std::to_string(status));
  }

  std::unique_ptr<Witness, Unmap> witness_;
  Child child_;
};

}  // namespace

SharedFiles::SharedFiles(const std::string& dir, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    std::optional<Region> region = Region::open(dir + '/' + name, Region::Access::kReadWrite);
    if (!region)
      throw std::runtime_error("no file " + name);
    regions_.push_back(std::move(*region));
  }
}

Bytes SharedFiles::copy() const {
  Bytes bytes;
  for (const Region& region : regions_)
    bytes.insert(bytes.end(), region.data() + kHeaderBytes, region.data() + region.size());
  return bytes;
}

bool SharedFiles::equal(const Bytes& bytes) const noexcept {
  std::size_t offset = 0;
  for (const Region& region : regions_) {
    const std::size_t body = region.size() - kHeaderBytes;
    if (std::memcmp(region.data() + kHeaderBytes, bytes.data() + offset, body) != 0)
      return false;
    offset += body;
  }
  return true;
}

void SharedFiles::restore(const Bytes& bytes) noexcept {
  std::size_t offset = 0;
  for (const Region& region : regions_) {
    const std::size_t body = region.size() - kHeaderBytes;
    std::memcpy(region.data() + kHeaderBytes, bytes.data() + offset, body);
    offset += body;
  }
}

void Dying::begin() noexcept {
  raise(SIGSTOP);
  witness_.phase = kOperating;
}

void Dying::end() noexcept {
  witness_.phase = kDone;
  for (;;)
    pause();
}

Recording step_through(const SharedFiles& files, const Act& act) {
  const OneCore pinned;
  Traced child(act);
  Recording recording;
  recording.images.push_back({files.copy(), child.said(), 0});
  while (!child.done()) {
    child.step();
    ++recording.instructions;
    const Image& last = recording.images.back();
    if (child.said() != last.said || !files.equal(last.bytes))
      recording.images.push_back({files.copy(), child.said(), recording.instructions});
  }
  child.die();
  return recording;
}

Image kill_after(const SharedFiles& files, const Act& act, std::uint64_t instructions) {
  const OneCore pinned;
  Traced child(act);
  for (std::uint64_t i = 0; i < instructions && !child.done(); ++i)
    child.step();
  child.die();
  return {files.copy(), child.said(), instructions};
}

std::optional<std::string> stepping_refused() {
  try {
    Traced child([](Dying& dying) {
      dying.begin();
      dying.end();
    });
    child.step();
    child.die();
    return std::nullopt;
  } catch (const std::runtime_error& failure) {
    return failure.what();
  }
}

}  // namespace sluice::shm::test
