// Finding a trace: one pass for the order, one for what belongs to it, one for its tick.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "common/base/error.hpp"
#include "common/messages/hops.hpp"
#include "common/messages/words.hpp"
#include "common/storage/journal_follower.hpp"
#include "common/storage/tap_journal.hpp"
#include "tools/journal/trace.hpp"

namespace sluice::journal_tool {
namespace {

// Visits every tap with its position and the name of its ring.
template <class Fn>
void for_each_tap(const std::string& dir, Fn&& fn) {
  JournalReader reader = open_journal(dir);
  std::vector<std::string> rings;
  for (RecordView record; reader.next(record);) {
    if (record.type == RecordType::kTapCheckpoint) {
      if (const auto checkpoint = TapCheckpoint::decode(record.payload))
        rings = checkpoint->rings;
    } else if (const auto tap = tap_of(record)) {
      fn(record.position, *tap, ring_name(rings, tap->ring));
    }
  }
}

template <class Number>
bool read_number(std::string_view text, Number& out) noexcept {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size() && !text.empty();
}

// "slc-demo-5-1-77" and "5-1-77": the last three numbers.
IntentId parse_order(const std::string& text) {
  IntentId id;
  std::string_view rest = text;
  const auto take = [&rest] {
    const std::size_t at = rest.rfind('-');
    const std::string_view last = at == std::string_view::npos ? rest : rest.substr(at + 1);
    rest = at == std::string_view::npos ? std::string_view() : rest.substr(0, at);
    return last;
  };
  if (!read_number(take(), id.sequence) || !read_number(take(), id.strategy) ||
      !read_number(take(), id.incarnation) || id.is_none()) {
    throw Error(ExitCode::kUsage,
                fmt::format("--order {}: expected a client order id (slc-demo-5-1-77) or an intent "
                            "(5-1-77)",
                            text));
  }
  return id;
}

// Whether a fill is the one asked for: by the venue's id, or by the gateway's event "n.sub".
class Wanted {
 public:
  explicit Wanted(const std::string& text) {
    const std::size_t dot = text.find('.');
    by_event_ = dot != std::string::npos;
    const bool good = by_event_ ? read_number(std::string_view(text).substr(0, dot), n_) &&
                                      read_number(std::string_view(text).substr(dot + 1), sub_)
                                : parse_uuid(text, id_);
    if (!good) {
      throw Error(ExitCode::kUsage,
                  fmt::format("--execution {}: expected the venue's execution id (a UUID) or the "
                              "gateway's event (n.sub)",
                              text));
    }
  }
  [[nodiscard]] bool operator()(const Execution& e) const noexcept {
    return e.kind == ExecutionKind::kFill &&
           (by_event_ ? e.n == n_ && e.sub == sub_ : e.execution_id == id_);
  }

 private:
  bool by_event_{false};
  std::uint64_t n_{0};
  std::uint16_t sub_{0};
  Id128 id_{};
};

// The intent to trace, and the position of the fill when one was asked for.
struct Target {
  IntentId intent{};
  std::uint64_t fill_position{0};
  bool found{false};
};

Target find_target(const TraceOptions& options) {
  if (!options.order.empty())
    return {.intent = parse_order(options.order), .found = true};
  std::optional<Wanted> wanted;
  if (!options.last)
    wanted.emplace(options.execution);
  Target target;
  for_each_tap(options.dir, [&](std::uint64_t position, const Tap& tap, const std::string&) {
    if (tap.type != TapType::kExecution)
      return;
    const auto e = tap.body_as<Execution>();
    const bool hit = wanted ? !target.found && (*wanted)(e)
                            : e.kind == ExecutionKind::kFill && !e.intent.is_none();
    if (hit)
      target = {.intent = e.intent, .fill_position = position, .found = true};
  });
  return target;
}

void collect(const TraceOptions& options, const Target& target, Tracing& tracing) {
  for_each_tap(options.dir, [&](std::uint64_t position, const Tap& tap, const std::string& ring) {
    switch (tap.type) {
      case TapType::kIntent:
      case TapType::kOrder: {
        const auto intent = tap.body_as<Intent>();
        if (intent.id != target.intent)
          return;
        auto& place = tap.type == TapType::kIntent ? tracing.decided : tracing.approved;
        place = Found<Intent>{intent, position, ring};
        return;
      }
      case TapType::kVerdict:
        if (const auto verdict = tap.body_as<Verdict>(); verdict.intent == target.intent)
          tracing.verdict = Found<Verdict>{verdict, position, ring};
        return;
      case TapType::kExecution: {
        const auto e = tap.body_as<Execution>();
        if (e.intent != target.intent)
          return;
        const bool is_target = position == target.fill_position;
        if (is_target ||
            (target.fill_position == 0 && !tracing.has_fill && e.kind == ExecutionKind::kFill)) {
          tracing.fill = tracing.events.size();
          tracing.has_fill = true;
        }
        tracing.events.push_back({e, position, ring});
        return;
      }
      default:
        return;
    }
  });
}

// What stands in the journal around a tick that is not there.
struct Neighbourhood {
  std::uint64_t of_feed{0};  // market events of the feed in the whole journal
  std::int64_t before_ns{0};
  std::int64_t after_ns{0};
  std::string ring;       // that carries the feed
  std::uint64_t lost{0};  // told by gaps of that ring between the neighbours
  bool between{false};
};

std::string why_missing(const Cause& cause, const Neighbourhood& near) {
  if (near.of_feed == 0) {
    return fmt::format(
        "the journal holds no market data of feed {} ([persistence] market_data is "
        "false, or its tap was lost)",
        cause.feed);
  }
  if (near.lost != 0) {
    return fmt::format("{} taps of {} were lost around it: a gap, which the journal tells",
                       near.lost, near.ring);
  }
  if (near.before_ns == 0) {
    return fmt::format("it is older than the first market event of feed {} in the journal ({})",
                       cause.feed, to_string(MonoNanos{near.after_ns}));
  }
  if (near.after_ns == 0) {
    return fmt::format(
        "it is younger than the last market event of feed {} in the journal ({}): "
        "the journal ends before it",
        cause.feed, to_string(MonoNanos{near.before_ns}));
  }
  return fmt::format("the journal has its neighbours ({} and {}), but no event of that stamp",
                     to_string(MonoNanos{near.before_ns}), to_string(MonoNanos{near.after_ns}));
}

void find_tick(const TraceOptions& options, const Cause& cause, Tracing& tracing) {
  Neighbourhood near;
  std::map<std::string, std::uint64_t> lost;  // by ring, since its last older event
  for_each_tap(options.dir, [&](std::uint64_t position, const Tap& tap, const std::string& ring) {
    if (tap.type == TapType::kGap)
      lost[ring] += tap.body_as<GapRecord>().lost;
    if (tap.type != TapType::kMarketEvents)
      return;
    for (const MarketEvent& event : tap.body_as<std::array<MarketEvent, kMarketEventsPerTap>>()) {
      if (event.kind == MarketKind::kNone || event.source != cause.feed)
        continue;
      ++near.of_feed;
      near.ring = ring;
      const std::int64_t ns = event.receive_ns.ns;
      if (ns < cause.receive_ns.ns) {
        near.before_ns = std::max(near.before_ns, ns);
        lost[ring] = 0;
      } else if (ns == cause.receive_ns.ns) {
        tracing.tick = Found<MarketEvent>{event, position, ring};
      } else if (near.after_ns == 0 || ns < near.after_ns) {
        near.lost = near.after_ns == 0 ? lost[ring] : near.lost;
        near.after_ns = ns;
      }
    }
  });
  if (near.after_ns == 0)
    near.lost = lost[near.ring];
  if (!tracing.tick)
    tracing.no_tick = why_missing(cause, near);
}

}  // namespace

std::optional<Tracing> find_trace(const TraceOptions& options) {
  const Target target = find_target(options);
  if (!target.found)
    return std::nullopt;
  Tracing tracing;
  tracing.intent = target.intent;
  tracing.client_order_id = target.intent.is_none()
                                ? "an order that is not ours"
                                : fmt::format("slc-{}-{}", name_of_journal(options.dir).instance,
                                              words::of(target.intent));
  if (target.intent.is_none()) {
    // An execution of an order that is not ours: it has no intent, and so no tick.
    for_each_tap(options.dir, [&](std::uint64_t position, const Tap& tap, const std::string& ring) {
      if (position == target.fill_position)
        tracing.events.push_back({tap.body_as<Execution>(), position, ring});
    });
    tracing.has_fill = true;
    tracing.no_tick = "the order is not one of ours: no intent, no tick";
    return tracing;
  }
  collect(options, target, tracing);
  if (!tracing.decided && !tracing.approved && !tracing.verdict && tracing.events.empty())
    return std::nullopt;
  const auto& intent = tracing.decided ? tracing.decided : tracing.approved;
  if (!intent) {
    tracing.no_tick =
        "neither the strategy's intent nor risk's order is in the journal: taps of "
        "both were lost, and the cause with them";
  } else if (intent->body.cause.receive_ns.ns == 0) {
    tracing.no_tick =
        "no market event caused it: a timer, a command, a verdict or an execution did";
  } else {
    find_tick(options, intent->body.cause, tracing);
  }
  return tracing;
}

std::vector<Hop> hops_of(const Tracing& tracing) {
  std::vector<Hop> hops;
  const auto where = [](const auto& found) {
    return fmt::format("{} {}", found.ring, found.position);
  };
  const auto& cause = tracing.decided ? tracing.decided : tracing.approved;
  hops.push_back({"tick", cause ? cause->body.cause.receive_ns : MonoNanos{},
                  tracing.tick ? where(*tracing.tick) : ""});
  if (cause) {
    const IntentStamps& s = cause->body.stamps;
    const std::string at = tracing.decided ? where(*tracing.decided) : "";
    const bool caused = cause->body.cause.receive_ns.ns != 0;
    hops.push_back({caused ? kHopFeedToStrategy : "strategy_poll", s.strategy_poll, ""});
    hops.push_back({kHopDecide, s.strategy_publish, at});
  }
  if (tracing.approved) {
    const IntentStamps& s = tracing.approved->body.stamps;
    hops.push_back({kHopStrategyToRisk, s.risk_poll, ""});
    hops.push_back({kHopApprove, s.risk_publish, where(*tracing.approved)});
  } else if (tracing.verdict) {
    hops.push_back({"risk_verdict", tracing.verdict->body.decided_ns, where(*tracing.verdict)});
  }
  // The stamps of the way out stand on every later word about the order; the last has them all.
  ExecutionStamps out;
  for (const auto& e : tracing.events) {
    const ExecutionStamps& s = e.body.stamps;
    out.gateway_poll = s.gateway_poll.ns != 0 ? s.gateway_poll : out.gateway_poll;
    out.hand_over = s.hand_over.ns != 0 ? s.hand_over : out.hand_over;
    out.wire = s.wire.ns != 0 ? s.wire : out.wire;
  }
  if (out.gateway_poll.ns != 0)
    hops.push_back({kHopRiskToGateway, out.gateway_poll, ""});
  const auto add_event = [&](const char* name, const Found<Execution>& e) {
    hops.push_back({name, e.body.receive_ns, where(e)});
  };
  for (const auto& e : tracing.events) {
    if (e.body.kind == ExecutionKind::kRefused)
      add_event("gate_refused", e);
  }
  if (out.hand_over.ns != 0) {
    const auto submitting =
        std::find_if(tracing.events.begin(), tracing.events.end(),
                     [](const auto& e) { return e.body.kind == ExecutionKind::kSubmitting; });
    hops.push_back(
        {kHopGate, out.hand_over, submitting == tracing.events.end() ? "" : where(*submitting)});
  }
  if (out.wire.ns != 0)
    hops.push_back({kHopGateToWire, out.wire, ""});
  for (const auto& e : tracing.events) {
    if (e.body.kind == ExecutionKind::kAccepted)
      add_event(kHopOrderToAck, e);
  }
  bool told = false;  // how it went on, beyond the acknowledgement
  for (const auto& e : tracing.events) {
    if (e.body.kind == ExecutionKind::kFill)
      add_event("fill", e);
    told = told || e.body.kind == ExecutionKind::kFill || e.body.kind == ExecutionKind::kRefused;
  }
  if (!told && !tracing.events.empty() && is_terminal(tracing.events.back().body.state))
    add_event("end", tracing.events.back());
  return hops;
}

}  // namespace sluice::journal_tool
