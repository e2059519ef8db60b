// Market data frames as the venue sends them, made from the recorded session.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/market/session.hpp"

namespace sluice::bench {

// Frames of one kind, each with `batch` messages.
struct FrameSet {
  std::string name;
  std::size_t batch{1};
  std::vector<std::string> frames;
};

// As many whole batches as the session's records of that kind give.
[[nodiscard]] FrameSet make_frames(const Session& session, SessionKind kind, std::size_t batch);

// The same quotes with their keys in another order: the decoder's general path.
[[nodiscard]] FrameSet make_reordered_quotes(const Session& session);

}  // namespace sluice::bench
