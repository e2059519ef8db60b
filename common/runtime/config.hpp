// The typed configuration of one instance: one TOML file, read once at start-up by every process.
//
// Invariants:
//  1. What is in these structs has been checked: ranges, references between tables, capacities.
//  2. Unknown keys are errors (with the nearest known name); a missing key without a default too.
// Errors: Error{kConfig} naming file, line, key, value and what is allowed. Lifetime: plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/fixed.hpp"
#include "common/market/instrument.hpp"

namespace sluice {

// Where instances stand whose configuration names no shm_dir: one folder each, by its name.
inline constexpr std::string_view kDefaultShmRoot = "/dev/shm/sluice";

enum class IdleMode : std::uint8_t { kSpin, kYield, kBackoff };
enum class VenueMode : std::uint8_t { kSimulator, kPaper, kLive };

struct VenueConfig {
  std::string name;
  std::uint16_t index{0};
  VenueMode mode{VenueMode::kSimulator};
  std::string rest_host;
  std::uint16_t rest_port{0};
  std::string stream_host;
  std::uint16_t stream_port{0};
  std::string stream_path;
  std::string credentials_file;  // two lines: key = …, secret = …; never logged
  std::uint32_t taker_fee_bps{0};
  std::uint32_t maker_fee_bps{0};
  std::uint32_t rate_per_minute{0};
};

struct FeedConfig {
  std::string name;
  std::uint16_t index{0};
  std::uint16_t venue{0};
  std::string host;
  std::uint16_t port{0};
  std::string path;
  bool quotes{true};
  bool trades{true};
  bool orderbooks{false};
  bool statuses{false};  // halts and resumptions; of stock feeds, where they are required
  std::int64_t reconnect_min_ns{0};
  std::int64_t reconnect_max_ns{0};
  std::uint32_t reconnect_attempts{0};  // in a row; then exit 69

  [[nodiscard]] AssetClass asset_class() const noexcept {
    return path.starts_with("/v2/") ? AssetClass::kUsEquity : AssetClass::kCrypto;
  }
};

// One instrument and its limits: the risk stage's limits and the gateway's ceilings side by side.
struct InstrumentConfig {
  InstrumentSpec spec;
  std::uint32_t index{0};
  std::uint16_t feed{0};
  std::uint16_t venue{0};
  Qty max_order_qty{};
  Cash max_order_notional{};
  Qty max_position{};
  Cash max_exposure{};
  Qty ceiling_order_qty{};
  Cash ceiling_order_notional{};
  Qty ceiling_position{};
};

// Basis points are kept in hundredths.
struct MomentumConfig {
  std::int64_t signal_bps{0};  // move over the look-back that triggers an entry
  std::int64_t lookback_ns{0};
  std::int64_t rest_for_ns{0};       // how long a resting order may work before it is cancelled
  std::int64_t rest_every_ns{0};     // how often a resting order is placed
  std::int64_t rest_offset_bps{0};   // distance of the resting bid from the best bid
  std::int64_t take_through_bps{0};  // how far through the touch a taking limit is priced
};

struct QuoterConfig {
  std::int64_t quote_offset_bps{0};  // distance of an order from the touch
  std::int64_t skew_bps{0};          // how far max_position moves both prices down
  std::int64_t requote_bps{0};       // distance from the wanted price that is left alone
  std::int64_t requote_every_ns{0};  // between two requests for one side
  std::int64_t quote_max_age_ns{0};  // older quotes: everything is cancelled
};

struct StrategyConfig {
  std::string name;
  std::uint16_t index{0};
  std::string kind;
  std::uint16_t feed{0};
  std::vector<std::uint32_t> instruments;
  Qty order_qty{};
  Qty max_position{};
  std::int64_t cooldown_ns{0};  // between two taking orders of the same instrument
  MomentumConfig momentum;      // of the kind that `kind` names; the other stays empty
  QuoterConfig quoter;
  std::int64_t intent_deadline_ns{0};
  std::int64_t max_event_age_ns{0};  // older market events update state, signals suppressed; 0: off
};

struct RiskConfig {
  std::int64_t publish_every_ns{0};
  std::int64_t market_data_max_age_ns{0};  // 0: off (bench profile)
  Cash max_gross_exposure{};
  std::uint32_t max_open_orders{0};
};

struct GatewayConfig {
  std::uint32_t orders_max{0};
  std::uint32_t connections{0};
  std::uint32_t cancel_connections{0};
  std::int64_t limit_sheet_max_age_ns{0};
  std::int64_t market_data_max_age_ns{0};
  std::int64_t risk_heartbeat_max_age_ns{0};
  std::int64_t answer_timeout_ns{0};
  std::int64_t settle_ns{0};
  std::int64_t stream_proof_ns{0};
  std::int64_t account_poll_ns{0};
  std::int64_t cancel_poll_ns{0};
  std::int64_t terminal_retention_ns{0};
  std::int64_t collar_bps{0};
  std::int64_t reduce_collar_bps{0};  // the same for orders that reduce; wider
  std::uint32_t strategy_rate_per_second{0};
  std::int64_t duplicate_within_ns{0};    // an equal order this soon is refused; 0: off
  std::uint32_t venue_retry_attempts{0};  // start-up attempts before exit 69
  std::uint32_t max_open_orders{0};
  Cash max_gross_exposure{};
};

struct PersistenceConfig {
  std::string journal_dir;
  std::uint64_t segment_bytes{0};
  std::int64_t sync_every_ns{0};
  bool market_data{true};
  bool database{true};                // SQLite beside the journal; false: the journal alone
  std::string database_file;          // absolute
  std::uint32_t database_batch{0};    // records with rows per transaction
  std::int64_t database_every_ns{0};  // how often what became durable is applied
  std::int64_t pnl_every_ns{0};       // interval of the P&L rows, of a new database
};

struct TopologyConfig {
  IdleMode idle{IdleMode::kBackoff};
  std::uint32_t market_data_slots{0};
  std::uint32_t order_slots{0};
  std::uint32_t persistence_slots{0};
  std::vector<std::string> pin;  // "stage=cpu"
};

struct InstanceConfig {
  std::string path;
  std::string name;
  std::string shm_dir;
  std::string state_dir;
  std::string run_dir;
  bool bench_profile{false};
  std::vector<VenueConfig> venues;
  std::vector<FeedConfig> feeds;
  std::vector<InstrumentConfig> instruments;
  std::vector<StrategyConfig> strategies;
  RiskConfig risk;
  GatewayConfig gateway;
  PersistenceConfig persistence;
  TopologyConfig topology;

  [[nodiscard]] InstrumentTable instrument_table() const;
  // Throw Error{kUsage} naming what exists when there is no such feed or strategy.
  [[nodiscard]] const FeedConfig& feed(std::string_view name) const;
  [[nodiscard]] const StrategyConfig& strategy(std::string_view name) const;
};

[[nodiscard]] InstanceConfig load_instance_config(const std::string& path);

struct Credentials {
  std::string key;
  std::string secret;
};
// Throws Error{kCredentials} when the file is missing, readable by others, or lacks a line.
[[nodiscard]] Credentials load_credentials(const std::string& path);

}  // namespace sluice
