// Snapshot: what the shared memory of an instance said at one moment, as plain values. The
// collector fills it; the screen, --once and --json only read it.
//
// All text in it is printable ASCII. An empty optional is "not known": no second sample yet, no
// such process, no stamp in the record.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/time.hpp"
#include "shm/ring.hpp"

namespace sluice::top {

enum class StageCondition : std::uint8_t {
  kUnreadable,  // its page cannot be attached, or says what no stage writes
  kNotStarted,
  kStarting,
  kRecovering,
  kLive,
  kHung,  // alive, but its heartbeat is old
  kDraining,
  kStopped,  // ended by itself
  kFailed,
  kDead,  // killed: its role is free, and its page does not say that it ended
};
[[nodiscard]] const char* to_string(StageCondition condition) noexcept;
[[nodiscard]] bool is_alarming(StageCondition condition) noexcept;

struct StageFacts {
  std::string name;
  std::string trouble;  // why it is kUnreadable, or what is odd about it
  StageCondition condition{StageCondition::kUnreadable};
  std::int64_t pid{0};
  std::optional<int> core;  // where its main thread ran last
  std::string affinity;     // the cores it may use, as the kernel lists them
  std::optional<std::int64_t> heartbeat_age_ns;
  std::uint32_t incarnation{0};
  std::uint64_t restarts{0};            // since the layout was created
  std::optional<double> busy;           // share of the loop's time in turns that found work
  std::optional<std::int64_t> duty_ns;  // longest time between two heartbeats since the reset
  bool duty_at_least{false};            // met here, at a sample; the stage's own record is older
  std::optional<double> cpu;            // of one core; all threads
  bool tripped{false};
};

struct RingFacts {
  std::string name;
  std::string trouble;  // why it cannot be read; then nothing else is known
  std::string producer;
  std::string consumer;
  std::string record;
  shm::RingPolicy policy{};
  std::uint64_t slots{0};
  std::uint64_t messages{0};
  std::optional<double> rate;  // messages a second
  std::uint64_t depth{0};
  std::uint64_t depth_max{0};      // since the reset
  bool depth_max_at_least{false};  // met here, at a sample; the ends' own record is older
  std::uint64_t drops{0};
  std::uint64_t gaps{0};
  std::uint64_t snapshots{0};
  std::uint64_t owed{0};
  std::uint64_t broken_peer{0};
  std::uint64_t refused{0};            // by the consumer, as nonsense
  bool detached{false};                // the consumer takes nothing more from the producer
  bool broken{false};                  // its words contradict each other, or a file was cut short
  std::optional<std::int64_t> lag_ns;  // age of the oldest record nobody has released
  bool lag_at_least{false};            // that record could not be read; a younger one has this age
};

struct Spread {
  std::uint64_t count{0};
  std::uint64_t p50{0};
  std::uint64_t p99{0};
  std::uint64_t p999{0};
  std::uint64_t max{0};
};

struct LatencyFacts {
  std::string name;
  std::string stage;
  std::optional<std::size_t> hop;  // its place on a tick's way; none: not a hop
  std::optional<Spread> last;      // over the window
  Spread since;                    // since the reset
};

struct LimitFacts {
  std::string what;  // a symbol, or "account"
  std::string limit;
  bool money{false};    // a glance needs two digits of it
  std::string used;     // empty: not known
  std::string allowed;  // empty: no such limit, or not told
  std::optional<double> share;
  std::string note;  // why it takes no new risk
};

struct ErrorFacts {
  std::string stage;
  std::uint32_t code{0};
  std::uint64_t count{0};
  std::int64_t first_age_ns{0};
  std::int64_t last_age_ns{0};
  std::string text;
};

struct KillFacts {
  std::string by;     // operator, or the stage whose own word it is
  std::string scope;  // everything, or a number
  std::string words;  // stop, cancel all
};

struct TradingFacts {
  std::string state;             // as the limit sheet says; empty: no sheet
  bool sheet_unreadable{false};  // its board is missing, garbled or cut: what it says is unknown
  bool active{false};
  std::optional<std::int64_t> sheet_age_ns;
  std::vector<KillFacts> kills;
  std::vector<std::string> kills_unread;  // whose kill words cannot be read: operator, or a stage
  bool operator_trip_cut{false};          // trip.operator was cut short: stages take it for a kill
  std::optional<std::int64_t> kill_stamp_age_ns;  // since when nothing leaves any more
  bool account{false};                            // the gateway has written its account row
  bool account_unreadable{false};
  bool known{false};
  bool blocked{false};
  bool stream_proven{false};
  bool quiescent{false};
  std::string cash;
  std::uint64_t orders{0};
  std::uint64_t working{0};
  std::uint64_t in_flight{0};
  std::uint64_t unknown{0};
  std::uint64_t fees_pending{0};
  std::uint64_t executions{0};
  std::uint64_t instruments{0};
  std::optional<std::uint64_t> halted;                          // of them: take no new risk
  std::vector<std::pair<std::string, std::uint64_t>> refusals;  // by reason, of risk and gateway
  std::vector<std::string> trouble;  // boards and kill words that cannot be read
};

// What may leave, as far as the kill words tell. Unknown is never "off".
enum class KillSwitch : std::uint8_t { kOff, kUnknown, kKilled };
[[nodiscard]] const char* to_string(KillSwitch state) noexcept;
[[nodiscard]] KillSwitch kill_switch_of(const TradingFacts& trading) noexcept;

struct Snapshot {
  std::string dir;
  std::string instance;
  std::string problem;  // why there is nothing to read; then the rest is empty, or the last picture
  std::optional<std::int64_t> removed_age_ns;  // … of a layout that is gone since then
  std::uint64_t generation{0};
  MonoNanos now{};
  std::optional<std::int64_t> window_ns;     // what rates and `last` are taken over
  std::optional<std::int64_t> reset_age_ns;  // maxima and `since` count from then; none: creation
  TradingFacts trading;
  std::vector<StageFacts> stages;
  std::vector<RingFacts> rings;
  std::vector<LatencyFacts> latencies;
  std::vector<LimitFacts> limits;
  std::vector<ErrorFacts> errors;
  std::uint64_t errors_lost{0};  // distinct errors beyond the pages' tables
};

}  // namespace sluice::top
