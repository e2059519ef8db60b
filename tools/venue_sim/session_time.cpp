#include "tools/venue_sim/session_time.hpp"

#include "tools/venue_sim/player.hpp"
#include "tools/venue_sim/timeline.hpp"

namespace sluice::sim {

std::int64_t PlayedTime::session_ns(WallNanos at) const {
  if (!timeline_.started()) {
    return timeline_.first_send_ns();
  }
  return timeline_.paced() ? timeline_.session_time(at) : player_.session_now();
}

WallNanos PlayedTime::venue_time(std::int64_t session_ns, WallNanos now) const {
  if (!timeline_.paced()) {
    return {session_ns + now.ns - player_.session_now()};
  }
  if (timeline_.started()) {
    return timeline_.venue_time(session_ns);
  }
  Timeline map = timeline_;
  map.start(now);
  return map.venue_time(session_ns);
}

}  // namespace sluice::sim
