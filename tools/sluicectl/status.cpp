// status: the whole instance on one screen, or as JSON; also of a system whose processes are dead.
#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "common/base/error.hpp"
#include "common/messages/rows.hpp"
#include "common/runtime/topology.hpp"
#include "shm/board.hpp"
#include "shm/operator_trip.hpp"
#include "shm/ring_probe.hpp"
#include "shm/role.hpp"
#include "shm/stage_page.hpp"
#include "tools/sluicectl/commands.hpp"

namespace sluice {
namespace {

using Json = nlohmann::ordered_json;

enum class Any : std::uint32_t {};  // a metric by its place in the page's own table

std::string age_text(std::int64_t ns) {
  if (ns < 0)
    return "-";
  if (ns < 10'000'000'000)
    return fmt::format("{} ms", ns / 1'000'000);
  return fmt::format("{} s", ns / 1'000'000'000);
}

// By reason; those that never happened are left out.
Json refusals_json(const shm::StageView& view) {
  Json out = Json::object();
  for (std::size_t r = 1; r < kReasonCount; ++r) {
    const std::uint64_t n = view.mark(static_cast<std::uint32_t>(kFirstReasonMark + r));
    if (n != 0)
      out[to_string(static_cast<Reason>(r))] = n;
  }
  return out;
}

Json stage_json(const InstanceConfig& config, const shm::Instance& instance,
                const std::string& role) {
  const shm::StageView view(instance, role);
  const bool held = shm::RoleLock::holder(config.shm_dir, role).has_value();
  const std::vector<shm::ErrorLine> errors = view.errors();
  Json out{
      {"stage", role},
      {"state", held ? shm::to_string(view.state()) : (view.pid() == 0 ? "not started" : "dead")},
      {"pid", view.pid()},
      {"incarnation", view.incarnation()},
      {"heartbeat_age_ns", view.pid() == 0 ? -1 : instance.now().ns - view.heartbeat_ns().ns},
      {"duty_max_ns", view.duty_max_ns()},
      {"tripped", view.tripped(kTripScopeAll)}};
  // The counters of the stage, by their names in its own table.
  Json counters = Json::object();
  for (std::uint32_t i = 0; i < view.metrics().size(); ++i) {
    const auto& metric = view.metrics()[i];
    if (metric.kind == shm::MetricKind::kHistogram)
      continue;
    counters[std::string(metric.name)] = view.counter(static_cast<Any>(i));
  }
  out["counters"] = std::move(counters);
  if (role == kRiskRole || role == kGatewayRole) {
    out["refusals"] = refusals_json(view);
  }
  if (!errors.empty()) {
    const shm::ErrorLine* last = &errors.front();
    for (const shm::ErrorLine& line : errors) {
      if (line.last_ns > last->last_ns)
        last = &line;
    }
    out["last_error"] = {{"text", last->text},
                         {"count", last->count},
                         {"age_ns", instance.now().ns - last->last_ns.ns}};
  }
  return out;
}

Json positions_json(const InstanceConfig& config, const shm::Instance& instance) {
  const shm::BoardReader<PositionRow> board(instance, board::kPositions);
  Json out = Json::array();
  for (std::size_t i = 0; i < config.instruments.size(); ++i) {
    PositionRow row;
    if (board.load(static_cast<std::uint32_t>(i), row) != shm::BoardRead::kOk)
      continue;
    out.push_back({{"symbol", config.instruments[i].spec.symbol},
                   {"position", to_string(Qty{row.position})},
                   {"working_buy", to_string(row.working_buy)},
                   {"working_sell", to_string(row.working_sell)},
                   {"realised", to_string(Cash{row.realised})},
                   {"halted", row.halted != 0}});
  }
  return out;
}

Json gather(const InstanceConfig& config) {
  const shm::Instance instance =
      shm::Instance::attach(config.shm_dir, std::chrono::milliseconds(0));
  const shm::OperatorTrip::View trip(instance);
  Json out{{"instance", config.name},
           {"shm_dir", config.shm_dir},
           {"generation", instance.generation()},
           {"killed", trip.any(kTripScopeAll)}};
  LimitRow head;
  if (shm::BoardReader<LimitRow>(instance, board::kLimits).load(0, head) == shm::BoardRead::kOk) {
    out["trading_state"] = to_string(head.trading_state);
    out["limit_sheet_age_ns"] = instance.now().ns - head.published_ns.ns;
  }
  AccountRow account;
  if (shm::BoardReader<AccountRow>(instance, board::kAccount).load(0, account) ==
      shm::BoardRead::kOk) {
    out["account"] = {{"cash", to_string(account.cash)},
                      {"known", (account.flags & kAccountKnown) != 0},
                      {"stream_proven", (account.flags & kStreamProven) != 0},
                      {"quiescent", (account.flags & kQuiescent) != 0},
                      {"working", account.working},
                      {"in_flight", account.in_flight},
                      {"unknown", account.unknown},
                      {"fees_pending", account.fees_pending},
                      {"orders", account.orders},
                      {"executions", account.executions}};
  }
  Json stages = Json::array();
  Json rings = Json::array();
  const shm::Layout layout = layout_of(config);
  for (const shm::PageSpec& page : layout.pages)
    stages.push_back(stage_json(config, instance, page.stage));
  for (const shm::RingSpec& ring : layout.rings) {
    const shm::RingProbe probe(instance, ring.name);
    rings.push_back({{"ring", ring.name},
                     {"messages", probe.messages()},
                     {"depth", probe.depth()},
                     {"depth_max", probe.depth_max()},
                     {"slots", probe.slots()},
                     {"drops", probe.drops()},
                     {"gaps", probe.gaps()},
                     {"snapshots", probe.snapshots()},
                     {"owed", probe.owed()},
                     {"refused", probe.refused()},
                     {"detached", probe.detached()},
                     {"when_full", shm::to_string(probe.policy())}});
  }
  out["positions"] = positions_json(config, instance);
  out["stages"] = std::move(stages);
  out["rings"] = std::move(rings);
  return out;
}

void print_table(const Json& all) {
  fmt::print("{}  {}  generation {}\n", all["instance"].get<std::string>(),
             all["shm_dir"].get<std::string>(), all["generation"].get<std::uint64_t>());
  fmt::print("kill switch {}   trading state {}\n", all["killed"].get<bool>() ? "TRIPPED" : "off",
             all.value("trading_state", "unknown"));
  if (all.contains("account")) {
    const Json& a = all["account"];
    fmt::print("cash {}   orders {}   working {}   in flight {}   unknown {}   stream {}\n",
               a["cash"].get<std::string>(), a["orders"].get<std::uint64_t>(),
               a["working"].get<std::uint64_t>(), a["in_flight"].get<std::uint64_t>(),
               a["unknown"].get<std::uint64_t>(),
               a["stream_proven"].get<bool>() ? "proven" : "UNPROVEN");
  }
  fmt::print("\n{:<22} {:<12} {:>8} {:>6} {:>10}  {}\n", "STAGE", "STATE", "PID", "INC",
             "HEARTBEAT", "LAST ERROR");
  for (const Json& s : all["stages"]) {
    fmt::print(
        "{:<22} {:<12} {:>8} {:>6} {:>10}  {}\n", s["stage"].get<std::string>(),
        s["state"].get<std::string>(), s["pid"].get<std::int64_t>(),
        s["incarnation"].get<std::uint32_t>(), age_text(s["heartbeat_age_ns"].get<std::int64_t>()),
        s.contains("last_error")
            ? fmt::format("{} ({} times, {} ago)", s["last_error"]["text"].get<std::string>(),
                          s["last_error"]["count"].get<std::uint64_t>(),
                          age_text(s["last_error"]["age_ns"].get<std::int64_t>()))
            : "");
  }
  for (const Json& s : all["stages"]) {
    if (!s.contains("refusals") || s["refusals"].empty())
      continue;
    fmt::print("\nrefused by {}:", s["stage"].get<std::string>());
    for (const auto& [reason, n] : s["refusals"].items())
      fmt::print(" {} {}", n.get<std::uint64_t>(), reason);
    fmt::print("\n");
  }
  fmt::print("\n{:<14} {:>16} {:>14} {:>14} {:>14}\n", "SYMBOL", "POSITION", "WORKING BUY",
             "WORKING SELL", "REALISED");
  for (const Json& p : all["positions"]) {
    fmt::print("{:<14} {:>16} {:>14} {:>14} {:>14}{}\n", p["symbol"].get<std::string>(),
               p["position"].get<std::string>(), p["working_buy"].get<std::string>(),
               p["working_sell"].get<std::string>(), p["realised"].get<std::string>(),
               p["halted"].get<bool>() ? "  HALTED" : "");
  }
  fmt::print("\n{:<28} {:>12} {:>8} {:>8} {:>8} {:>8}  {}\n", "RING", "MESSAGES", "DEPTH", "MAX",
             "SLOTS", "DROPS", "WHEN FULL");
  for (const Json& r : all["rings"]) {
    fmt::print("{:<28} {:>12} {:>8} {:>8} {:>8} {:>8}  {}\n", r["ring"].get<std::string>(),
               r["messages"].get<std::uint64_t>(), r["depth"].get<std::uint64_t>(),
               r["depth_max"].get<std::uint64_t>(), r["slots"].get<std::uint64_t>(),
               r["drops"].get<std::uint64_t>(), r["when_full"].get<std::string>());
  }
}

}  // namespace

int status(const InstanceConfig& config, bool json) {
  const Json all = gather(config);
  if (json) {
    fmt::print("{}\n", all.dump(2));
  } else {
    print_table(all);
  }
  return 0;
}

}  // namespace sluice
