// What each stage measures: one enum and one table per stage, checked against each other at compile
// time. Reports and tools find a metric by its name in the page, never by its place.
#pragma once

#include "common/messages/hops.hpp"
#include "shm/metrics.hpp"

namespace sluice {

enum class FeedMetric : std::uint32_t {
  kFrames,
  kBytes,
  kQuotes,
  kTrades,
  kDepth,
  kStatuses,
  kUnknownStatuses,  // published as "unknown": no new risk
  kSkipped,          // bars and the like
  kUnknownSymbol,
  kBadElements,
  kBadFrames,
  kSuspectTicks,
  kDropped,  // market events that found a ring full
  kTapDropped,
  kConnects,
  kDisconnects,
  kWireToRecord,
  kVenueLag,  // receive minus exchange stamp
  kCount
};
inline constexpr auto kFeedRows = shm::metric_rows<FeedMetric>({
    {FeedMetric::kFrames, "frames", "1", shm::MetricKind::kCounter},
    {FeedMetric::kBytes, "bytes", "bytes", shm::MetricKind::kCounter},
    {FeedMetric::kQuotes, "quotes", "1", shm::MetricKind::kCounter},
    {FeedMetric::kTrades, "trades", "1", shm::MetricKind::kCounter},
    {FeedMetric::kDepth, "depth", "1", shm::MetricKind::kCounter},
    {FeedMetric::kStatuses, "statuses", "1", shm::MetricKind::kCounter},
    {FeedMetric::kUnknownStatuses, "unknown_statuses", "1", shm::MetricKind::kCounter},
    {FeedMetric::kSkipped, "skipped", "1", shm::MetricKind::kCounter},
    {FeedMetric::kUnknownSymbol, "unknown_symbols", "1", shm::MetricKind::kCounter},
    {FeedMetric::kBadElements, "bad_elements", "1", shm::MetricKind::kCounter},
    {FeedMetric::kBadFrames, "bad_frames", "1", shm::MetricKind::kCounter},
    {FeedMetric::kSuspectTicks, "suspect_ticks", "1", shm::MetricKind::kCounter},
    {FeedMetric::kDropped, "dropped", "1", shm::MetricKind::kCounter},
    {FeedMetric::kTapDropped, "tap_dropped", "1", shm::MetricKind::kCounter},
    {FeedMetric::kConnects, "connects", "1", shm::MetricKind::kCounter},
    {FeedMetric::kDisconnects, "disconnects", "1", shm::MetricKind::kCounter},
    {FeedMetric::kWireToRecord, kHopWireToRecord, "ns", shm::MetricKind::kHistogram},
    {FeedMetric::kVenueLag, "venue_lag", "ns", shm::MetricKind::kHistogram},
});
inline constexpr shm::MetricTable kFeedMetrics{kFeedRows};

enum class StrategyMetric : std::uint32_t {
  kMarketEvents,
  kGaps,
  kLost,
  kStale,
  kExecutions,
  kIntents,
  kCancels,
  kNoCredit,
  kForeign,
  kRefused,
  kTapDropped,
  kOpenOrders,
  kWindingDown,
  kFeedToStrategy,
  kDecide,
  kCount
};
inline constexpr auto kStrategyRows = shm::metric_rows<StrategyMetric>({
    {StrategyMetric::kMarketEvents, "market_events", "1", shm::MetricKind::kCounter},
    {StrategyMetric::kGaps, "gaps", "1", shm::MetricKind::kCounter},
    {StrategyMetric::kLost, "lost", "1", shm::MetricKind::kCounter},
    {StrategyMetric::kStale, "stale", "1", shm::MetricKind::kCounter},
    {StrategyMetric::kExecutions, "executions", "1", shm::MetricKind::kCounter},
    {StrategyMetric::kIntents, "intents", "1", shm::MetricKind::kCounter},
    {StrategyMetric::kCancels, "cancels", "1", shm::MetricKind::kCounter},
    {StrategyMetric::kNoCredit, "no_credit", "1", shm::MetricKind::kCounter},
    {StrategyMetric::kForeign, "foreign", "1", shm::MetricKind::kCounter},
    {StrategyMetric::kRefused, "refused", "1", shm::MetricKind::kCounter},
    {StrategyMetric::kTapDropped, "tap_dropped", "1", shm::MetricKind::kCounter},
    {StrategyMetric::kOpenOrders, "open_orders", "1", shm::MetricKind::kGauge},
    {StrategyMetric::kWindingDown, "winding_down", "1", shm::MetricKind::kGauge},
    {StrategyMetric::kFeedToStrategy, kHopFeedToStrategy, "ns", shm::MetricKind::kHistogram},
    {StrategyMetric::kDecide, kHopDecide, "ns", shm::MetricKind::kHistogram},
});
inline constexpr shm::MetricTable kStrategyMetrics{kStrategyRows};

// Refusals by reason are not repeated here: risk and gateway keep one counter per Reason in the
// marks of their page (mark kFirstReasonMark + reason), so that a new reason needs no new metric.
enum class RiskMetric : std::uint32_t {
  kIntents,
  kApproved,
  kResized,
  kRefused,
  kMalformed,
  kDuplicates,  // decided by the risk before this one, which died before it released them
  kExecutions,
  kSheets,
  kMarketEvents,
  kLost,
  kRingFull,
  kTapDropped,
  kStrategyToRisk,
  kApprove,
  kCount
};
inline constexpr auto kRiskRows = shm::metric_rows<RiskMetric>({
    {RiskMetric::kIntents, "intents", "1", shm::MetricKind::kCounter},
    {RiskMetric::kApproved, "approved", "1", shm::MetricKind::kCounter},
    {RiskMetric::kResized, "resized", "1", shm::MetricKind::kCounter},
    {RiskMetric::kRefused, "refused", "1", shm::MetricKind::kCounter},
    {RiskMetric::kMalformed, "malformed", "1", shm::MetricKind::kCounter},
    {RiskMetric::kDuplicates, "duplicates", "1", shm::MetricKind::kCounter},
    {RiskMetric::kExecutions, "executions", "1", shm::MetricKind::kCounter},
    {RiskMetric::kSheets, "sheets", "1", shm::MetricKind::kCounter},
    {RiskMetric::kMarketEvents, "market_events", "1", shm::MetricKind::kCounter},
    {RiskMetric::kLost, "lost", "1", shm::MetricKind::kCounter},
    {RiskMetric::kRingFull, "ring_full", "1", shm::MetricKind::kCounter},
    {RiskMetric::kTapDropped, "tap_dropped", "1", shm::MetricKind::kCounter},
    {RiskMetric::kStrategyToRisk, kHopStrategyToRisk, "ns", shm::MetricKind::kHistogram},
    {RiskMetric::kApprove, kHopApprove, "ns", shm::MetricKind::kHistogram},
});
inline constexpr shm::MetricTable kRiskMetrics{kRiskRows};

enum class GatewayMetric : std::uint32_t {
  kOrders,  // approved intents taken from the order ring
  kSent,    // POSTs whose bytes left
  kRefused,
  kCancelWanted,
  kCancelsSent,
  kFills,
  kAccepted,
  kRejected,
  kCancelled,
  kUnknownOutcomes,
  kLookups,
  kAudits,
  kDuplicates,
  kOrphans,
  kNotSent,
  kVenueErrors,
  kMalformed,
  kExecutionsConflated,
  kRefusalsForgotten,
  kPersistenceFull,
  kStreamConnects,
  kReconnects,
  kRequests,
  kRateWaits,
  kTrips,
  kRiskToGateway,
  kGate,
  kGateToWire,
  kTickToOrder,
  kOrderToAck,
  kKillToStamp,
  kCount
};
inline constexpr auto kGatewayRows = shm::metric_rows<GatewayMetric>({
    {GatewayMetric::kOrders, "orders", "1", shm::MetricKind::kCounter},
    {GatewayMetric::kSent, "sent", "1", shm::MetricKind::kCounter},
    {GatewayMetric::kRefused, "refused", "1", shm::MetricKind::kCounter},
    {GatewayMetric::kCancelWanted, "cancel_wanted", "1", shm::MetricKind::kCounter},
    {GatewayMetric::kCancelsSent, "cancels_sent", "1", shm::MetricKind::kCounter},
    {GatewayMetric::kFills, "fills", "1", shm::MetricKind::kCounter},
    {GatewayMetric::kAccepted, "accepted", "1", shm::MetricKind::kCounter},
    {GatewayMetric::kRejected, "rejected", "1", shm::MetricKind::kCounter},
    {GatewayMetric::kCancelled, "cancelled", "1", shm::MetricKind::kCounter},
    {GatewayMetric::kUnknownOutcomes, "unknown_outcomes", "1", shm::MetricKind::kCounter},
    {GatewayMetric::kLookups, "lookups", "1", shm::MetricKind::kCounter},
    {GatewayMetric::kAudits, "audits", "1", shm::MetricKind::kCounter},
    {GatewayMetric::kDuplicates, "duplicates", "1", shm::MetricKind::kCounter},
    {GatewayMetric::kOrphans, "orphans", "1", shm::MetricKind::kCounter},
    {GatewayMetric::kNotSent, "not_sent", "1", shm::MetricKind::kCounter},
    {GatewayMetric::kVenueErrors, "venue_errors", "1", shm::MetricKind::kCounter},
    {GatewayMetric::kMalformed, "malformed", "1", shm::MetricKind::kCounter},
    {GatewayMetric::kExecutionsConflated, "executions_conflated", "1", shm::MetricKind::kCounter},
    {GatewayMetric::kRefusalsForgotten, "refusals_forgotten", "1", shm::MetricKind::kCounter},
    {GatewayMetric::kPersistenceFull, "persistence_full", "1", shm::MetricKind::kCounter},
    {GatewayMetric::kStreamConnects, "stream_connects", "1", shm::MetricKind::kCounter},
    {GatewayMetric::kReconnects, "reconnects", "1", shm::MetricKind::kCounter},
    {GatewayMetric::kRequests, "requests", "1", shm::MetricKind::kCounter},
    {GatewayMetric::kRateWaits, "rate_waits", "1", shm::MetricKind::kCounter},
    {GatewayMetric::kTrips, "trips", "1", shm::MetricKind::kCounter},
    {GatewayMetric::kRiskToGateway, kHopRiskToGateway, "ns", shm::MetricKind::kHistogram},
    {GatewayMetric::kGate, kHopGate, "ns", shm::MetricKind::kHistogram},
    {GatewayMetric::kGateToWire, kHopGateToWire, "ns", shm::MetricKind::kHistogram},
    {GatewayMetric::kTickToOrder, kHopTickToOrder, "ns", shm::MetricKind::kHistogram},
    {GatewayMetric::kOrderToAck, kHopOrderToAck, "ns", shm::MetricKind::kHistogram},
    {GatewayMetric::kKillToStamp, "kill_to_stamp", "ns", shm::MetricKind::kHistogram},
});
inline constexpr shm::MetricTable kGatewayMetrics{kGatewayRows};

enum class PersistenceMetric : std::uint32_t {
  kAppended,
  kBytes,
  kSyncs,
  kGaps,
  kLost,
  kDuplicates,
  kSegments,
  kLag,  // records taken in the last drain that were waiting
  kAppend,
  kSync,
  kDbRows,
  kDbErrors,
  kDbApplied,   // journal position up to which the database has everything
  kDbLag,       // records behind it that are durable in the journal
  kDbDegraded,  // 1: the database is away, locked, full or refused; the journal goes on
  kCount
};
inline constexpr auto kPersistenceRows = shm::metric_rows<PersistenceMetric>({
    {PersistenceMetric::kAppended, "appended", "1", shm::MetricKind::kCounter},
    {PersistenceMetric::kBytes, "bytes", "bytes", shm::MetricKind::kCounter},
    {PersistenceMetric::kSyncs, "syncs", "1", shm::MetricKind::kCounter},
    {PersistenceMetric::kGaps, "gaps", "1", shm::MetricKind::kCounter},
    {PersistenceMetric::kLost, "lost", "1", shm::MetricKind::kCounter},
    {PersistenceMetric::kDuplicates, "duplicates", "1", shm::MetricKind::kCounter},
    {PersistenceMetric::kSegments, "segments", "1", shm::MetricKind::kCounter},
    {PersistenceMetric::kLag, "lag", "1", shm::MetricKind::kGauge},
    {PersistenceMetric::kAppend, "append", "ns", shm::MetricKind::kHistogram},
    {PersistenceMetric::kSync, "sync", "ns", shm::MetricKind::kHistogram},
    {PersistenceMetric::kDbRows, "db_rows", "1", shm::MetricKind::kCounter},
    {PersistenceMetric::kDbErrors, "db_errors", "1", shm::MetricKind::kCounter},
    {PersistenceMetric::kDbApplied, "db_applied", "1", shm::MetricKind::kGauge},
    {PersistenceMetric::kDbLag, "db_lag", "1", shm::MetricKind::kGauge},
    {PersistenceMetric::kDbDegraded, "db_degraded", "1", shm::MetricKind::kGauge},
});
inline constexpr shm::MetricTable kPersistenceMetrics{kPersistenceRows};

}  // namespace sluice
