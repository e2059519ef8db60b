// faults.hpp — what the simulator does wrong on request: a script of rules, where, what and when.
//
// Pure and seeded: the same script, seed and traffic make the same faults. A script is a list of
// rules, separated by ';' or line ends, '#' begins a comment:
//
//   WHERE WHAT [key=value …]      e.g.  post lose-answer every=3; trading mute from=10 until=14
//
// WHERE is a kind of request (post patch delete order orders positions account activities other, or
// rest for any of them), a stream (trading, market) or a part of the venue (arrivals,
// fills, cancels).
// WHAT is one of kFaultWords below, where the README has a table of what each does. WHEN, all of it
// optional and all of it to be met: every=N (each Nth), after=N (not the first N), first=N (only so
// many times), chance=P (of 1,000), from=S and until=S (seconds since the script was set).
//
// The first rule that strikes wins; every rule counts what it saw and how often it struck.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.hpp"

namespace sluice::sim {

enum class FaultSite : std::uint8_t {
  kPost,  // requests
  kPatch,
  kDelete,
  kOrder,  // one order, by id or client order id
  kOrders,
  kPositions,
  kAccount,
  kActivities,
  kOther,
  kTrading,  // streams
  kMarket,
  kArrivals,  // the venue itself
  kFills,
  kCancels,
};

enum class FaultKind : std::uint8_t {
  // requests
  kDelay,        // ms: answered so much later; streams too: what follows waits as well
  kLoseAnswer,   // carried out, then RST instead of an answer
  kCutAnswer,    // carried out, then half an answer and RST
  kFalseAnswer,  // answered as if carried out, but nothing was: POST, PATCH and DELETE
  kDrop,         // not carried out, RST; streams: the message is left out
  kError,        // status: not carried out, answered with it
  kErrorAfter,   // status: carried out, answered with it all the same
  kLimit,        // 429; retry-after: seconds in that header, 0 = none
  kHang,         // carried out (executed=0: not), never answered, connection open: half-open TCP
  kStale,        // back: reads only, the answer that was given so many requests ago
  // streams
  kDuplicate,  // the message twice
  kReorder,    // the message after its successor, or a second later if none comes
  kCut,        // half a frame, then the connection ends
  kMute,       // nothing leaves any more, pings neither, and nobody is told; what is due is lost
  kSlow,       // ms: at least so long between two messages; what queues up is bounded
  // the venue
  kReject,  // an accepted order is rejected when it reaches the market
  kSplit,   // pieces: every fill comes in so many executions
  kLate,    // ms: a cancel takes so much longer, and may be overtaken by fills
};

struct FaultHit {
  FaultKind kind{};
  std::int64_t ms{0};
  std::uint32_t number{0};  // status, retry-after, back or pieces
  bool executed{true};      // kHang
};

class Faults {
 public:
  explicit Faults(std::uint64_t seed = 1) noexcept : seed_(seed) {}

  // Replaces the script; "off" and "" are empty ones. Returns what is wrong with the text (the
  // rule, the value, what is allowed), or nothing; on a mistake the old script stays in force.
  [[nodiscard]] std::optional<std::string> set(std::string_view script, WallNanos now);

  // Something happens at `site`: does it go wrong, and how?
  [[nodiscard]] std::optional<FaultHit> strike(FaultSite site, WallNanos now) noexcept;

  // Whether a rule for the site exists at all: those without one pay nothing.
  [[nodiscard]] bool concerns(FaultSite site) const noexcept { return (sites_ & bit(site)) != 0; }

  struct Rule {
    std::string text;        // as it was written, for reports
    std::uint32_t sites{0};  // bit per FaultSite
    FaultHit hit{};
    std::uint64_t every{1};
    std::uint64_t after{0};
    std::uint64_t first{0};  // 0 = no limit
    std::uint32_t chance{1000};
    std::int64_t from_ns{0};   // since the script was set
    std::int64_t until_ns{0};  // 0 = no end
    std::uint64_t seen{0};
    std::uint64_t struck{0};
  };
  [[nodiscard]] std::span<const Rule> rules() const noexcept { return rules_; }

 private:
  [[nodiscard]] static constexpr std::uint32_t bit(FaultSite site) noexcept {
    return 1U << static_cast<unsigned>(site);
  }
  [[nodiscard]] std::uint64_t random() noexcept;

  std::uint64_t seed_;
  std::uint64_t drawn_{0};
  std::uint32_t sites_{0};
  WallNanos set_at_{};
  std::vector<Rule> rules_;
};

}  // namespace sluice::sim
