#include "tools/venue_sim/timeline.hpp"

#include <string>

#include "common/base/error.hpp"
#include "common/base/fixed.hpp"

namespace sluice::sim {

Speed parse_speed(std::string_view text) {
  if (text == "max") {
    return Speed{0};
  }
  std::int64_t raw = 0;
  if (parse_decimal(text, raw) != DecimalStatus::kOk || raw < kScale / 1'000 ||
      raw > 10'000 * kScale) {
    throw Error(ExitCode::kUsage, "--speed " + std::string(text) +
                                      ": allowed are max and numbers from 0.001 to 10000");
  }
  return Speed{raw};
}

std::int64_t Timeline::scaled(std::int64_t session_duration_ns) const noexcept {
  std::int64_t venue = 0;
  if (speed_.max() || !mul_div_half_even(session_duration_ns, kScale, speed_.raw, venue)) {
    return 0;
  }
  return venue;
}

WallNanos Timeline::venue_time(std::int64_t session_ns) const noexcept {
  return WallNanos{t0_.ns + scaled(session_ns - first_send_ns_)};
}

std::int64_t Timeline::session_time(WallNanos at) const noexcept {
  std::int64_t elapsed = 0;
  if (!mul_div_half_even(at.ns - t0_.ns, speed_.raw, kScale, elapsed)) {
    return last_send_ns_;
  }
  return first_send_ns_ + elapsed;
}

}  // namespace sluice::sim
