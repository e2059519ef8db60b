// Runs one operation of a child process an instruction at a time, and keeps what its death would
// leave: the bytes of the shared files after each instruction that changed them.
//
// The child forks, prepares, calls begin(), operates, calls end(). The tracer steps it between the
// two with both pinned to one core, so every store is in memory when it looks. It maps the same
// files itself and compares; stepping once costs one run, and yields the image of a death at every
// instruction. kill_after() is the literal thing, a SIGKILL at one of them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "shm/region.hpp"

namespace sluice::shm::test {

using Bytes = std::vector<std::byte>;

// The files a dying process writes, mapped by the tracer, who needs no role: it plays the kernel
// that keeps the pages, not a stage. Header pages are left out: only create_layout writes them, and
// a new layout has a new generation in them.
class SharedFiles {
 public:
  SharedFiles(const std::string& dir, const std::vector<std::string>& names);
  [[nodiscard]] Bytes copy() const;
  [[nodiscard]] bool equal(const Bytes& bytes) const noexcept;
  void restore(const Bytes& bytes) noexcept;

 private:
  std::vector<Region> regions_;
};

// What the dying process told the world outside the layout; survives it, as a database would.
struct Witness {
  std::atomic<std::uint64_t> phase;
  std::atomic<std::uint64_t> said;
};

// The child's side.
class Dying {
 public:
  explicit Dying(Witness& witness) noexcept : witness_(witness) {}
  void begin() noexcept;
  // `n` records are said to be published, or were processed: a promise from here on. seq_cst, the
  // default: no store of the operation moves across it.
  void say(std::uint64_t n) noexcept { witness_.said = n; }
  [[noreturn]] void end() noexcept;

 private:
  Witness& witness_;
};
using Act = std::function<void(Dying&)>;

struct Image {
  Bytes bytes;
  std::uint64_t said{0};
  std::uint64_t instruction{0};  // after how many instructions of the operation it appeared
};

struct Recording {
  std::uint64_t instructions{0};
  std::vector<Image> images;  // the first: before the operation; the last: after it
};

// Throws std::runtime_error when the child ends before its operation does.
[[nodiscard]] Recording step_through(const SharedFiles& files, const Act& act);
[[nodiscard]] Image kill_after(const SharedFiles& files, const Act& act,
                               std::uint64_t instructions);

// Why this machine does not let a process step its child; nullopt when it does.
[[nodiscard]] std::optional<std::string> stepping_refused();

}  // namespace sluice::shm::test
