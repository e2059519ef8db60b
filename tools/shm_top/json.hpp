// A snapshot as one JSON document. Durations in nanoseconds, shares as numbers from 0, money as
// text; what is not known is null.
#pragma once

#include <string>

#include "tools/shm_top/snapshot.hpp"

namespace sluice::top {

[[nodiscard]] std::string to_json(const Snapshot& snapshot);

}  // namespace sluice::top
