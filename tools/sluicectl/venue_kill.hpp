// Cancelling at the venue without a gateway: the last resort of `sluicectl kill`.
#pragma once

#include "common/runtime/config.hpp"

namespace sluice {

// Lists the open orders, cancels those with our prefix (or all), and repeats until two reads a
// settling time apart are empty; bounded. Returns 0 when nothing works any more, else
// kNotReconciled. Throws Error{kCredentials} or {kVenueUnavailable}.
int cancel_at_venue(const InstanceConfig& config, bool all_orders);

}  // namespace sluice
