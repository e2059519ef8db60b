// A stage's page as the suite has it: one counter, one histogram.
#pragma once

#include "shm/operator_trip.hpp"
#include "shm/ring.hpp"
#include "shm/role.hpp"
#include "shm/stage_page.hpp"

namespace sluice::bench {

inline constexpr const char* kStageRole = "stage";
enum class StageMetric : std::uint32_t { kRecords, kHop, kCount };
inline constexpr auto kStageRows = shm::metric_rows<StageMetric>(
    {{StageMetric::kRecords, "records", "1", shm::MetricKind::kCounter},
     {StageMetric::kHop, "hop", "ns", shm::MetricKind::kHistogram}});
inline constexpr shm::MetricTable kStageMetrics{kStageRows};

}  // namespace sluice::bench
