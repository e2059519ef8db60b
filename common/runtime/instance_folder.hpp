// Which instance a tool looks at: the folder of its segments.
#pragma once

#include <string>

#include "common/runtime/config.hpp"

namespace sluice {

struct InstanceChoice {
  std::string dir;  // the folder itself; or
  std::string
      config;  // the instance's TOML file, whose shm_dir it is; or neither: the only instance
  std::string root{kDefaultShmRoot};  // … that stands here
};

// Throws Error{kUsage} when both are given, or when neither is and there is not exactly one
// instance (naming those there are); Error{kResource} when `dir` is no folder; what the
// configuration throws.
[[nodiscard]] std::string instance_folder(const InstanceChoice& choice);

}  // namespace sluice
