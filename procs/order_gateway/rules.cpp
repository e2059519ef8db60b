#include "procs/order_gateway/rules.hpp"

#include <algorithm>

namespace sluice {
namespace {

// Times that are nobody's preference: they follow from how the parts work.
constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kDeadlineMax =
    60'000 * kMillisecond;  // a deadline further away is malformed
constexpr std::int64_t kClockTolerance =
    10 * kMillisecond;  // stages share one clock; scheduling only
constexpr std::int64_t kAuditMaxAge = 10'000 * kMillisecond;  // T of "reduce after a REST audit"
constexpr std::int64_t kLostPoll = 5'000 * kMillisecond;
constexpr std::int64_t kRetry = 5 * kMillisecond;
constexpr std::int64_t kGapAudit = 250 * kMillisecond;  // stream events overtake each other briefly
constexpr std::int64_t kAuditRetry = 500 * kMillisecond;
constexpr std::int64_t kRatePause = 1'000 * kMillisecond;
constexpr std::int64_t kCreatedTolerance = 2'000 * kMillisecond;  // the venue's clock against ours
constexpr std::uint32_t kExecutionsPerOrder = 16;

GateRules gate_rules(const InstanceConfig& config) {
  GateRules gate;
  for (const InstrumentConfig& i : config.instruments) {
    gate.instruments.push_back({.allowed = true,
                                .order_qty = i.ceiling_order_qty,
                                .order_notional = i.ceiling_order_notional,
                                .position = i.ceiling_position,
                                .exposure = config.gateway.max_gross_exposure,
                                .collar_bps = config.gateway.collar_bps,
                                .reduce_collar_bps = config.gateway.reduce_collar_bps,
                                .market_data_max_age_ns = config.gateway.market_data_max_age_ns,
                                .fee_bps = std::max(config.venues[i.venue].taker_fee_bps,
                                                    config.venues[i.venue].maker_fee_bps)});
  }
  gate.gross_exposure = config.gateway.max_gross_exposure;
  gate.open_orders = config.gateway.max_open_orders;
  gate.limit_sheet_max_age_ns = config.gateway.limit_sheet_max_age_ns;
  gate.deadline_max_ns = kDeadlineMax;
  gate.clock_tolerance_ns = kClockTolerance;
  gate.duplicate_within_ns = config.gateway.duplicate_within_ns;
  gate.audit_max_age_ns = kAuditMaxAge;
  return gate;
}

}  // namespace

GatewayRules gateway_rules(const InstanceConfig& config) {
  const GatewayConfig& g = config.gateway;
  GatewayRules rules;
  rules.instance = config.name;
  rules.gate = gate_rules(config);
  rules.strategies = static_cast<std::uint32_t>(config.strategies.size());
  rules.order_rows = g.orders_max;
  rules.execution_ids = g.orders_max * kExecutionsPerOrder;
  rules.strategy_orders_per_second = g.strategy_rate_per_second;
  rules.venue_requests_per_minute = config.venues.front().rate_per_minute;
  rules.venue_requests_reserved = rules.venue_requests_per_minute / 5;
  rules.settle_ns = g.settle_ns;
  rules.lost_poll_ns = kLostPoll;
  rules.stream_proof_ns = g.stream_proof_ns;
  // With nothing working the proof is a pong and an account read; both come within a few polls.
  rules.idle_proof_ns = 3 * g.account_poll_ns + g.stream_proof_ns;
  rules.cancel_poll_ns = g.cancel_poll_ns;
  rules.retry_ns = kRetry;
  rules.gap_audit_ns = kGapAudit;
  rules.audit_retry_ns = kAuditRetry;
  rules.rate_pause_ns = kRatePause;
  rules.terminal_retention_ns = g.terminal_retention_ns;
  rules.created_tolerance_ns = kCreatedTolerance;
  return rules;
}

}  // namespace sluice
