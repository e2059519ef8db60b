// What an instance must have in its folder. A listing alone is silent about a file that is gone.
#pragma once

#include <set>
#include <string>

#include "shm/layout.hpp"

namespace sluice::top {

// The rings, boards and stages that stand in a folder; the pages and boards without which nobody
// knows what may leave and what works at the venue; the quotes of each feed; and rings of which
// only one half is left. Sorted. Whether a file can be attached is asked by attaching.
[[nodiscard]] shm::SegmentNames expected_segments(const std::string& dir);

// The names of the files of rings, boards and stages and of the operator's kill words in a folder.
[[nodiscard]] std::set<std::string> files_there(const std::string& dir);

}  // namespace sluice::top
