// What a trace finds in the journal: everything about one order, and the tick that caused it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/messages/tap.hpp"
#include "tools/journal/commands.hpp"

namespace sluice::journal_tool {

template <class Body>
struct Found {
  Body body{};
  std::uint64_t position{0};
  std::string ring;
};

struct Tracing {
  IntentId intent{};
  std::string client_order_id{};
  std::optional<Found<Intent>> decided;   // the strategy's intent
  std::optional<Found<Intent>> approved;  // as risk passed it on
  std::optional<Found<Verdict>> verdict;  // risk's word, when it refused or resized
  std::vector<Found<Execution>> events;   // the gateway's words, in their order
  std::size_t fill{0};                    // into events: the one that was asked for
  bool has_fill{false};
  std::optional<Found<MarketEvent>> tick;
  std::string no_tick;  // why there is none; empty with `tick`
};

// Throws Error(kUsage) for an id that is none; nullopt when the journal does not hold it.
[[nodiscard]] std::optional<Tracing> find_trace(const TraceOptions& options);

// One step of the way: what it is called in metrics, when it ended, where it is written.
struct Hop {
  std::string name;
  MonoNanos at{};  // 0: not stamped, or not in the journal
  std::string where;
};
[[nodiscard]] std::vector<Hop> hops_of(const Tracing& tracing);

}  // namespace sluice::journal_tool
