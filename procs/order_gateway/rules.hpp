// From the instance's configuration to the core's rules.
#pragma once

#include "common/runtime/config.hpp"
#include "common/trading/rules.hpp"

namespace sluice {

[[nodiscard]] GatewayRules gateway_rules(const InstanceConfig& config);

}  // namespace sluice
