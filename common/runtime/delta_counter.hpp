// DeltaCounters: publishes counters that live in a pure core to a stage's page.
//
// A core counts from zero at each incarnation; the page goes on counting where the last one
// stopped. So what is added to the page is what came since the last publication.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "shm/stage_page.hpp"

namespace sluice {

template <class Metric>
class DeltaCounters {
 public:
  void publish(shm::StagePage& page, Metric metric, std::uint64_t total) noexcept {
    std::uint64_t& last = last_[static_cast<std::size_t>(metric)];
    if (total != last)
      page.add(metric, total - last);
    last = total;
  }

 private:
  std::array<std::uint64_t, static_cast<std::size_t>(Metric::kCount)> last_{};
};

}  // namespace sluice
