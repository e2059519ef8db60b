// The hops of a tick's way to the venue, by their names in metrics and in the report.
#pragma once

namespace sluice {

inline constexpr const char* kHopWireToRecord = "wire_to_record";  // feed: receive to ring
inline constexpr const char* kHopFeedToStrategy =
    "feed_to_strategy";                              // strategy: poll - receive_ns
inline constexpr const char* kHopDecide = "decide";  // strategy: poll to publish
inline constexpr const char* kHopStrategyToRisk =
    "strategy_to_risk";                                // risk: poll - strategy publish
inline constexpr const char* kHopApprove = "approve";  // risk: poll to publish
inline constexpr const char* kHopRiskToGateway = "risk_to_gateway";  // gateway: poll - risk publish
inline constexpr const char* kHopGate = "gate";                      // gateway: poll to hand-over
inline constexpr const char* kHopGateToWire = "gate_to_wire";        // network: hand-over to write
inline constexpr const char* kHopTickToOrder = "tick_to_order";      // cause receive_ns to write
inline constexpr const char* kHopOrderToAck = "order_to_ack";  // write to first acknowledgement

inline constexpr const char* kAllHops[] = {
    kHopWireToRecord,  kHopFeedToStrategy, kHopDecide,     kHopStrategyToRisk, kHopApprove,
    kHopRiskToGateway, kHopGate,           kHopGateToWire, kHopTickToOrder,    kHopOrderToAck};

}  // namespace sluice
