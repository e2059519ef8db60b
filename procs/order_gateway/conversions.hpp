// From the venue codec's words to the core's: what crosses from the network thread to the hot
// thread.
#pragma once

#include "common/trading/venue_events.hpp"
#include "common/venue/alpaca/trading_stream.hpp"

namespace sluice {

[[nodiscard]] OrderSnapshot to_core(const venue::alpaca::OrderSnapshot& order) noexcept;
[[nodiscard]] TradeUpdate to_core(const venue::alpaca::TradeUpdate& update,
                                  MonoNanos receive_ns) noexcept;

}  // namespace sluice
