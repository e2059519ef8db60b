// An operation to die in, and the proof about it: each image its death can leave is put back under
// a survivor and a successor, which must keep the promises.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tests/crash/faults.hpp"
#include "tests/crash/stepper.hpp"
#include "tests/shm/shm_fixture.hpp"

namespace sluice::shm::test {

// What the judges work on.
struct Scene {
  std::string dir;
  Instance instance;
  SharedFiles files;

  [[nodiscard]] RoleLock role(const std::string& name) const {
    return RoleLock::acquire(dir, name, "a judge");
  }
};

struct Operation {
  std::string name;
  Layout layout;
  std::vector<std::string> files;  // that the dying or those after it write
  std::string role;                // of the dying
  std::function<void(const std::string& dir, Dying&)> act;
  // Plays survivor and successor on `image`, whose operation began on `before`. Returns how many of
  // the operation's visible steps (records, releases, rows) the image holds.
  std::function<std::uint64_t(Scene&, const Image& before, const Image& image, Faults&)> judge;
  std::uint64_t whole{0};       // that number when the operation is through
  std::size_t least_images{1};  // a tracer that steps nothing finds one
  bool repeatable{true};        // every run writes the same bytes
  Bytes start{};                // what the child finds; empty: the new layout
};

struct Verdict {
  Recording recording;
  std::size_t distinct{0};  // images that differ in bytes
  std::size_t kills{0};     // SIGKILLs judged besides
  std::vector<std::string> faults;
};

class CrashTest : public ShmTest {
 protected:
  void SetUp() override;

  // No promise is broken on any image, nor on what real SIGKILLs leave at a sample of instructions
  // (SLUICE_LONG=1: at every one, up to kKilledAtEach of them). Returns the images.
  Recording prove(const Operation& operation) const;
  // A promise is broken on some image, and the fault says `because`.
  void expect_caught(const Operation& operation, const std::string& because) const;

 private:
  [[nodiscard]] Verdict run(const Operation& operation, bool with_kills) const;
};

[[nodiscard]] bool long_run();

}  // namespace sluice::shm::test
