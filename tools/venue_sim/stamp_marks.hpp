// stamp_marks.hpp — when what was played went out, where only the socket knew: speed "max".
//
// Pure and bounded: one mark for each run of records with the same stamp. Whenever there
// are kKept, every other one is dropped, and from then on only half as many are kept: a record may
// then be told with a stamp shortly before its own, never after it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <vector>

#include "common/base/time.hpp"

namespace sluice::sim {

class StampMarks {
 public:
  static constexpr std::size_t kKept = std::size_t{1} << 16;

  // The records from `first` on carry `stamp`. Neither ever goes back.
  void add(std::size_t first, WallNanos stamp) {
    if (runs_ != 0 && stamp == last_) {
      return;
    }
    last_ = stamp;
    if (runs_++ % stride_ != 0) {
      return;
    }
    if (marks_.size() == kKept) {
      for (std::size_t i = 0; i < kKept / 2; ++i) {
        marks_[i] = marks_[2 * i];
      }
      marks_.resize(kKept / 2);
      stride_ *= 2;
    }
    marks_.push_back({first, stamp});
  }
  // Zero for what is before the first mark.
  [[nodiscard]] WallNanos at(std::size_t index) const noexcept {
    const auto after =
        std::upper_bound(marks_.begin(), marks_.end(), index,
                         [](std::size_t asked, const Mark& mark) { return asked < mark.first; });
    return after == marks_.begin() ? WallNanos{} : std::prev(after)->stamp;
  }

 private:
  struct Mark {
    std::size_t first;
    WallNanos stamp;
  };
  std::vector<Mark> marks_;
  std::size_t runs_{0};
  std::size_t stride_{1};  // one run in so many is kept
  WallNanos last_{};
};

}  // namespace sluice::sim
