// The rings of an instance, followed over time.
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "shm/instance.hpp"
#include "shm/ring_probe.hpp"
#include "tools/shm_top/snapshot.hpp"

namespace sluice::top {

class RingSource {
 public:
  explicit RingSource(std::string name) : name_(std::move(name)) {}

  [[nodiscard]] RingFacts collect(const shm::Instance& instance, MonoNanos now,
                                  MonoNanos window_from);
  void reset_maxima();

 private:
  struct Sample {
    MonoNanos at{};
    std::uint64_t messages{0};
  };

  void attach(const shm::Instance& instance);
  void add_depths(const shm::RingProbe& ring, RingFacts& facts);

  std::string name_;
  std::string trouble_;
  std::optional<shm::RingProbe> probe_;
  std::deque<Sample> samples_;
  std::uint64_t depth_base_{0};  // the ring's own maximum at the reset …
  std::uint64_t depth_seen_{0};  // … what was met here since …
  std::uint64_t record_{0};      // … and the greatest that surely was the ring's own
  std::uint64_t messages_base_{0};
};

}  // namespace sluice::top
