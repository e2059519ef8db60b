// The head of the screen: what must be seen whatever else is. Pure.
#pragma once

#include <vector>

#include "tools/shm_top/snapshot.hpp"
#include "tools/shm_top/table.hpp"
#include "tools/shm_top/view.hpp"

namespace sluice::top {

// The first line says whose memory this is, the next ones whether it trades and whether it is
// killed, then come the alarms: what a small screen cuts away is the end.
[[nodiscard]] std::vector<Line> head_lines(const Snapshot& snapshot, const View& view);

}  // namespace sluice::top
