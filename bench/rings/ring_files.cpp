#include "bench/rings/ring_files.hpp"

#include <unistd.h>

#include <filesystem>
#include <system_error>

namespace sluice::bench {

LayoutFolder::LayoutFolder() {
  static int made = 0;
  dir_ = "/dev/shm/sluice-bench-" + std::to_string(getpid()) + '-' + std::to_string(++made);
}
LayoutFolder::~LayoutFolder() {
  std::error_code ignored;  // nothing depends on the folder any more
  std::filesystem::remove_all(dir_, ignored);
}

void LayoutFolder::create(shm::Layout layout) const {
  layout.dir = dir_;
  shm::create_layout(layout, false);
}

}  // namespace sluice::bench
