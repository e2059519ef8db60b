// Which rings, boards and pages an instance has: everything follows from its config.
//
// The one place where a ring's name, record, size, policy and ends are written down. Used by
// `sluicectl shm create` to lay them out and by every process to find its ends.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/messages/reasons.hpp"
#include "common/runtime/config.hpp"
#include "shm/layout.hpp"

namespace sluice {

// Role names, which are stage names as well.
inline constexpr const char* kRiskRole = "risk";
inline constexpr const char* kGatewayRole = "gateway";
inline constexpr const char* kPersistenceRole = "persistence";
inline constexpr const char* kOperatorRole = "operator";
[[nodiscard]] std::string feed_role(std::string_view feed);
[[nodiscard]] std::string strategy_role(std::string_view strategy);

namespace ring {
[[nodiscard]] std::string market_data(std::string_view feed, std::string_view strategy);
[[nodiscard]] std::string marks(std::string_view feed);
[[nodiscard]] std::string intent(std::string_view strategy);
[[nodiscard]] std::string cancel(std::string_view strategy);
[[nodiscard]] std::string verdict(std::string_view strategy);
[[nodiscard]] std::string execution(std::string_view strategy);
inline constexpr const char* kOrder = "order";
inline constexpr const char* kExecutionRisk = "exec.risk";
inline constexpr const char* kExecutionPersistence = "exec.persistence";
[[nodiscard]] std::string tap(std::string_view role);
[[nodiscard]] std::string command(std::string_view role);
}  // namespace ring

namespace board {
[[nodiscard]] std::string quotes(std::string_view feed);
inline constexpr const char* kInstruments = "instruments";
inline constexpr const char* kOrders = "orders";
inline constexpr const char* kPositions = "positions";
inline constexpr const char* kAccount = "account";
inline constexpr const char* kLimits = "limits";
}  // namespace board

// Rows of the boards with several blocks (rows.hpp has the blocks' meaning).
[[nodiscard]] std::uint32_t position_rows(const InstanceConfig& config);
[[nodiscard]] std::uint32_t limit_rows(const InstanceConfig& config);

// Marks of a stage's page.
inline constexpr std::uint32_t kMarkDurable = 0;  // persistence: journal position that is on disk
inline constexpr std::uint32_t kMarkHighWater =
    1;  // persistence: 1 = journal cannot take more soon
inline constexpr std::uint32_t kFirstReasonMark = 4;  // risk, gateway: refusals per Reason
inline constexpr std::uint32_t kMarkCount = 64;
static_assert(kFirstReasonMark + kReasonCount <= kMarkCount, "raise shm's marks per page");

// Rings that persistence drains, in its order of care: what may not be lost first. The index in
// this list is Tap::ring.
[[nodiscard]] std::vector<std::string> persistence_rings(const InstanceConfig& config);
// Place of a ring in that list; SLUICE_ASSERTs that it is there.
[[nodiscard]] std::uint16_t persistence_ring_index(const InstanceConfig& config,
                                                   std::string_view ring);

[[nodiscard]] shm::Layout layout_of(const InstanceConfig& config);

}  // namespace sluice
