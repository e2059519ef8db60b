// Layouts of the suite: rings in files as the stages have them, with kernel-enforced sides, in a
// folder of this process that goes with the object.
#pragma once

#include <string>

#include "shm/layout.hpp"

namespace sluice::bench {

class LayoutFolder {
 public:
  LayoutFolder();
  ~LayoutFolder();
  LayoutFolder(const LayoutFolder&) = delete;
  LayoutFolder& operator=(const LayoutFolder&) = delete;

  // Fills in the folder's name and creates the layout.
  void create(shm::Layout layout) const;
  [[nodiscard]] const std::string& dir() const noexcept { return dir_; }

 private:
  std::string dir_;
};

}  // namespace sluice::bench
