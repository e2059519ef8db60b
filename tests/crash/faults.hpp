// Broken promises, gathered.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace sluice::shm::test {

// The promises that were broken, in words. A list and not an assertion, because a mutant has to
// break some.
class Faults {
 public:
  void expect(bool kept, const std::string& otherwise) {
    if (!kept)
      texts_.push_back(where_ + otherwise);
  }
  void at(std::string where) { where_ = std::move(where); }
  [[nodiscard]] const std::vector<std::string>& texts() const noexcept { return texts_; }

 private:
  std::string where_;
  std::vector<std::string> texts_;
};

}  // namespace sluice::shm::test
