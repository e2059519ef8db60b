// Printing a trace: for people in aligned lines, for programs as one JSON object.
#include "tools/journal/trace.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "common/describe/records.hpp"
#include "common/messages/words.hpp"
#include "common/storage/sqlite.hpp"

namespace sluice::journal_tool {
namespace {

using Json = nlohmann::ordered_json;

// What the numbers stand for, as the database has it; numbers where it does not.
class Names {
 public:
  explicit Names(const std::string& path) {
    if (!std::filesystem::exists(path))
      return;
    try {
      sqlite::Connection database(path, sqlite::Connection::Mode::kReadOnly, 2'000);
      for (const char* sql :
           {"SELECT 'instrument', instrument, symbol FROM instruments",
            "SELECT 'strategy', strategy, name FROM strategies",
            "SELECT 'feed', feed, name FROM feeds", "SELECT 'asset', asset, name FROM assets"}) {
        sqlite::Statement rows = database.prepare(sql);
        while (rows.step())
          names_[{rows.text(0), rows.number(1)}] = rows.text(2);
      }
    } catch (const sqlite::SqliteError&) {
      names_.clear();  // names are a convenience: the numbers are what the journal says
    }
  }
  [[nodiscard]] std::string of(const std::string& what, std::int64_t number) const {
    const auto at = names_.find({what, number});
    return at == names_.end() ? fmt::format("{} {}", what, number) : at->second;
  }

 private:
  std::map<std::pair<std::string, std::int64_t>, std::string> names_;
};

// "850 ns", "12.3 us", "4.05 ms", "1.200 s".
std::string duration(std::int64_t ns) {
  const char* const sign = ns < 0 ? "-" : "";
  const std::uint64_t n =
      ns < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(ns) : static_cast<std::uint64_t>(ns);
  if (n < 1'000)
    return fmt::format("{}{} ns", sign, n);
  if (n < 1'000'000)
    return fmt::format("{}{}.{} us", sign, n / 1'000, n % 1'000 / 100);
  if (n < 1'000'000'000)
    return fmt::format("{}{}.{:02} ms", sign, n / 1'000'000, n % 1'000'000 / 10'000);
  return fmt::format("{}{}.{:03} s", sign, n / 1'000'000'000, n % 1'000'000'000 / 1'000'000);
}

std::string clock_text(MonoNanos at) {
  if (at.ns == 0)
    return "not stamped";
  // The fraction always with nine digits, so that the column reads downwards.
  const std::string seconds = to_string(MonoNanos{at.ns - at.ns % kNanosPerSecond});
  return fmt::format("{}.{:09}Z", seconds.substr(0, seconds.size() - 1), at.ns % kNanosPerSecond);
}

// What was charged for a fill: its own fee and what a later record added.
std::int64_t fee_of(const Tracing& tracing, const Execution& fill, bool& final_fee) {
  std::int64_t fee = 0;
  for (const auto& e : tracing.events) {
    if (e.body.execution_id != fill.execution_id ||
        (e.body.kind != ExecutionKind::kFill && e.body.kind != ExecutionKind::kFee)) {
      continue;
    }
    fee += e.body.fee;
    final_fee = final_fee || e.body.fee_status == FeeStatus::kFinal;
  }
  return fee;
}

Fields fill_fields(const Tracing& tracing, const Names& names) {
  const Execution& e = tracing.events[tracing.fill].body;
  bool final_fee = false;
  const std::int64_t fee = fee_of(tracing, e, final_fee);
  Fields f;
  f.text("symbol", names.of("instrument", e.instrument));
  f.text("side", words::of(e.side));
  f.text("qty", to_string(e.qty));
  f.text("px", to_string(e.px));
  f.text("fee", to_string(Cash{fee}));
  f.text("fee_asset", names.of("asset", e.fee_asset));
  f.text("fee_status", final_fee ? "final" : "estimated");
  f.text("execution_id", e.execution_id.is_zero() ? "" : to_string(e.execution_id));
  f.text("event", fmt::format("{}.{}", e.n, e.sub));
  f.text("at", clock_text(e.receive_ns));
  f.number("position", tracing.events[tracing.fill].position);
  return f;
}

Fields order_fields(const Tracing& tracing, const Names& names) {
  Fields f;
  f.text("client_order_id", tracing.client_order_id);
  f.text("intent", words::of(tracing.intent));
  f.text("strategy", names.of("strategy", tracing.intent.strategy));
  const auto& intent = tracing.approved ? tracing.approved : tracing.decided;
  if (intent) {
    const Intent& i = intent->body;
    f.text("symbol", names.of("instrument", i.instrument));
    f.text("side", words::of(i.side));
    f.text("type", words::of(i.type));
    if (i.limit.raw != 0)
      f.text("limit", to_string(i.limit));
    f.text("tif", words::of(i.tif));
    f.text("requested", to_string(i.requested));
    if (tracing.approved)
      f.text("approved", to_string(i.approved));
    f.text_unless_empty("replaces", words::of(i.replaces));
  }
  if (tracing.verdict) {
    f.text("risk", words::of(tracing.verdict->body.decision));
    f.text("risk_reason", words::of(tracing.verdict->body.reason));
  }
  if (!tracing.events.empty()) {
    const Execution& last = tracing.events.back().body;
    f.text("state", words::of(last.state));
    f.text("filled", to_string(last.cum_qty));
    if (last.reason != Reason::kNone)
      f.text("reason", words::of(last.reason));
    if (!last.venue_order_id.is_zero())
      f.text("venue_order_id", to_string(last.venue_order_id));
  }
  return f;
}

Fields tick_fields(const MarketEvent& event, const Names& names) {
  Fields f;
  f.text("feed", names.of("feed", event.source));
  f.text("symbol", names.of("instrument", event.instrument));
  f.text("kind", name_of(event.kind));
  if (event.kind == MarketKind::kQuote) {
    const Quote q = event.quote();
    f.text("bid", fmt::format("{} x {}", to_string(q.bid_px), to_string(q.bid_qty)));
    f.text("ask", fmt::format("{} x {}", to_string(q.ask_px), to_string(q.ask_qty)));
  } else if (event.kind == MarketKind::kTrade) {
    const Trade t = event.trade();
    f.text("trade", fmt::format("{} x {}", to_string(t.px), to_string(t.qty)));
  }
  if (event.exchange_ns.ns != 0)
    f.text("exchange", clock_text(MonoNanos{event.exchange_ns.ns}));
  f.number("receive_ns", event.receive_ns.ns);
  return f;
}

// What is missing of the way, in words; empty when the journal holds all of it.
std::vector<std::string> missing_of(const Tracing& tracing) {
  std::vector<std::string> missing;
  const auto& cause = tracing.decided ? tracing.decided : tracing.approved;
  const bool had_a_tick = !cause || cause->body.cause.receive_ns.ns != 0;
  if (!tracing.tick && had_a_tick && !tracing.intent.is_none())
    missing.push_back("the tick is not in the journal: " + tracing.no_tick);
  if (!tracing.decided && tracing.approved)
    missing.emplace_back("the strategy's intent is not in the journal: its tap was lost");
  if (!tracing.approved && !tracing.verdict && tracing.decided)
    missing.emplace_back("no word of risk on it is in the journal");
  if (tracing.approved && tracing.events.empty())
    missing.emplace_back("no word of the gateway on it is in the journal");
  return missing;
}

void print_fill(std::FILE* out, const Tracing& tracing, const Names& names) {
  const Execution& e = tracing.events[tracing.fill].body;
  bool final_fee = false;
  const std::int64_t fee = fee_of(tracing, e, final_fee);
  fmt::print(out, "fill   {} {} {} at {}, fee {} {} ({})\n", names.of("instrument", e.instrument),
             words::of(e.side), to_string(e.qty), to_string(e.px), to_string(Cash{fee}),
             names.of("asset", e.fee_asset), final_fee ? "final" : "estimated");
  fmt::print(out, "       execution {}, event {}.{}, journal record {}\n",
             e.execution_id.is_zero() ? "without an id" : to_string(e.execution_id), e.n, e.sub,
             tracing.events[tracing.fill].position);
}

void print_order(std::FILE* out, const Tracing& tracing, const Names& names) {
  fmt::print(out, "order  {} of {}", tracing.client_order_id,
             names.of("strategy", tracing.intent.strategy));
  if (const auto& intent = tracing.approved ? tracing.approved : tracing.decided; intent) {
    const Intent& i = intent->body;
    fmt::print(out, ": {} {} {}{} {}, requested {}", names.of("instrument", i.instrument),
               words::of(i.side), words::of(i.type),
               i.limit.raw != 0 ? " " + to_string(i.limit) : "", words::of(i.tif),
               to_string(i.requested));
    if (tracing.approved)
      fmt::print(out, ", approved {}", to_string(i.approved));
    if (!i.replaces.is_none())
      fmt::print(out, "\n       replaces {}", words::of(i.replaces));
  }
  if (tracing.verdict) {
    fmt::print(out, "\n       risk: {}, reason {}", words::of(tracing.verdict->body.decision),
               words::of(tracing.verdict->body.reason));
  }
  if (!tracing.events.empty()) {
    const Execution& last = tracing.events.back().body;
    fmt::print(out, "\n       now {}, filled {}", words::of(last.state), to_string(last.cum_qty));
    if (last.reason != Reason::kNone)
      fmt::print(out, ", reason {}", words::of(last.reason));
    if (!last.venue_order_id.is_zero())
      fmt::print(out, ", venue order {}", to_string(last.venue_order_id));
  }
  fmt::print(out, "\n");
}

void print_tick(std::FILE* out, const Tracing& tracing, const Names& names) {
  if (!tracing.tick) {
    fmt::print(out, "tick   {}\n", tracing.no_tick);
    return;
  }
  const MarketEvent& event = tracing.tick->body;
  fmt::print(out, "tick   {} of {} from {}", name_of(event.kind),
             names.of("instrument", event.instrument), names.of("feed", event.source));
  if (event.kind == MarketKind::kQuote) {
    const Quote q = event.quote();
    fmt::print(out, ": bid {} x {}, ask {} x {}", to_string(q.bid_px), to_string(q.bid_qty),
               to_string(q.ask_px), to_string(q.ask_qty));
  } else if (event.kind == MarketKind::kTrade) {
    fmt::print(out, ": {} x {}", to_string(event.trade().px), to_string(event.trade().qty));
  }
  fmt::print(out, "\n       exchange {}, receive_ns {}, journal record {}\n",
             clock_text(MonoNanos{event.exchange_ns.ns}), event.receive_ns.ns,
             tracing.tick->position);
}

void print_hops(std::FILE* out, const std::vector<Hop>& hops) {
  fmt::print(out, "\n{:<17} {:<30} {:>10} {:>11}  {}\n", "hop", "until (UTC)", "took", "since tick",
             "journal record");
  std::int64_t before = 0;
  const std::int64_t tick = hops.front().at.ns;
  for (const Hop& hop : hops) {
    const bool stamped = hop.at.ns != 0;
    fmt::print(out, "{:<17} {:<30} {:>10} {:>11}  {}\n", hop.name, clock_text(hop.at),
               stamped && before != 0 ? duration(hop.at.ns - before) : "-",
               stamped && tick != 0 ? duration(hop.at.ns - tick) : "-", hop.where);
    before = stamped ? hop.at.ns : before;
  }
}

Json hops_json(const std::vector<Hop>& hops) {
  Json list = Json::array();
  std::int64_t before = 0;
  const std::int64_t tick = hops.front().at.ns;
  for (const Hop& hop : hops) {
    const bool stamped = hop.at.ns != 0;
    list.push_back(
        {{"hop", hop.name},
         {"at_ns", hop.at.ns},
         {"took_ns", stamped && before != 0 ? Json(hop.at.ns - before) : Json(nullptr)},
         {"since_tick_ns", stamped && tick != 0 ? Json(hop.at.ns - tick) : Json(nullptr)},
         {"record", hop.where}});
    before = stamped ? hop.at.ns : before;
  }
  return list;
}

void print_json(std::FILE* out, const Tracing& tracing, const Names& names) {
  const std::vector<std::string> missing = missing_of(tracing);
  Json json{{"found", true}, {"complete", missing.empty()}, {"missing", missing}};
  json["fill"] = tracing.has_fill ? Json::parse(fill_fields(tracing, names).json()) : Json(nullptr);
  json["order"] = Json::parse(order_fields(tracing, names).json());
  json["tick"] =
      tracing.tick ? Json::parse(tick_fields(tracing.tick->body, names).json()) : Json(nullptr);
  json["no_tick"] = tracing.no_tick;
  json["hops"] = hops_json(hops_of(tracing));
  fmt::print(out, "{}\n", json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

void print_text(std::FILE* out, const Tracing& tracing, const Names& names) {
  if (tracing.has_fill)
    print_fill(out, tracing, names);
  print_order(out, tracing, names);
  print_tick(out, tracing, names);
  print_hops(out, hops_of(tracing));
  const std::vector<std::string> missing = missing_of(tracing);
  if (!missing.empty())
    fmt::print(out, "\n");
  for (const std::string& what : missing)
    fmt::print(out, "missing: {}\n", what);
}

}  // namespace

std::string default_database(const std::string& dir) {
  const std::filesystem::path folder = std::filesystem::path(dir).lexically_normal();
  const bool slash = folder.filename().empty();  // "run/journal/"
  return ((slash ? folder.parent_path() : folder).parent_path() / "sluice.db").string();
}

int trace(const TraceOptions& options, std::FILE* out) {
  const auto tracing = find_trace(options);
  if (!tracing) {
    const std::string what = options.last            ? std::string("no fill of ours")
                             : options.order.empty() ? "no fill " + options.execution
                                                     : "no order " + options.order;
    if (options.json) {
      fmt::print(out, "{}\n", Json{{"found", false}, {"dir", options.dir}, {"why", what}}.dump());
    } else {
      fmt::print(out, "{}: {} in this journal\n", options.dir, what);
    }
    return 1;
  }
  const Names names(options.db.empty() ? default_database(options.dir) : options.db);
  (options.json ? print_json : print_text)(out, *tracing, names);
  return missing_of(*tracing).empty() ? 0 : 1;
}

}  // namespace sluice::journal_tool
