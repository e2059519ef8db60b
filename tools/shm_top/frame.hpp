// Frame: the whole screen as lines of styled text. Pure.
#pragma once

#include <vector>

#include "tools/shm_top/snapshot.hpp"
#include "tools/shm_top/table.hpp"
#include "tools/shm_top/view.hpp"

namespace sluice::top {

// Every line is at most `view.width` wide; `view.height` lines, or with height 0 as many as it
// takes. Scroll positions beyond the last row are brought back to it: that is why the view is
// changed.
[[nodiscard]] std::vector<Line> draw(const Snapshot& snapshot, View& view);

// Widths from here on stand in two columns: stages, rings | latency, limits, errors.
inline constexpr std::size_t kTwoColumnsWidth = 230;

}  // namespace sluice::top
