#include "tools/shm_top/json.hpp"

#include <nlohmann/json.hpp>

#include "tools/shm_top/panels.hpp"

namespace sluice::top {
namespace {

using Json = nlohmann::ordered_json;

template <class Value>
Json known(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json spread_json(const Spread& s) {
  return {{"count", s.count},
          {"p50_ns", s.p50},
          {"p99_ns", s.p99},
          {"p999_ns", s.p999},
          {"max_ns", s.max}};
}

Json trading_json(const TradingFacts& t) {
  Json out{{"state", t.state.empty() ? Json(nullptr) : Json(t.state)},
           {"limit_sheet_age_ns", known(t.sheet_age_ns)}};
  Json kills = Json::array();
  for (const KillFacts& k : t.kills)
    kills.push_back({{"by", k.by}, {"scope", k.scope}, {"words", k.words}});
  out["kill_switch"] = to_string(kill_switch_of(t));
  out["kills"] = std::move(kills);
  out["kill_words_unread"] = t.kills_unread;
  out["operator_trip_cut"] = t.operator_trip_cut;
  out["kill_stamp_age_ns"] = known(t.kill_stamp_age_ns);
  if (t.account) {
    out["account"] = {{"known", t.known},
                      {"blocked", t.blocked},
                      {"stream_proven", t.stream_proven},
                      {"quiescent", t.quiescent},
                      {"cash", t.cash},
                      {"orders", t.orders},
                      {"working", t.working},
                      {"in_flight", t.in_flight},
                      {"unknown", t.unknown},
                      {"fees_pending", t.fees_pending},
                      {"executions", t.executions}};
  } else {
    out["account"] = nullptr;
  }
  out["instruments"] = t.instruments;
  out["halted_instruments"] = known(t.halted);
  Json refusals = Json::object();
  for (const auto& [reason, count] : t.refusals)
    refusals[reason] = count;
  out["refusals"] = std::move(refusals);
  out["trouble"] = t.trouble;
  return out;
}

Json stage_json(const StageFacts& s) {
  return {{"stage", s.name},
          {"state", to_string(s.condition)},
          {"alarming", is_alarming(s.condition)},
          {"trouble", s.trouble},
          {"pid", s.pid},
          {"core", known(s.core)},
          {"affinity", s.affinity},
          {"heartbeat_age_ns", known(s.heartbeat_age_ns)},
          {"restarts", s.restarts},
          {"incarnation", s.incarnation},
          {"busy", known(s.busy)},
          {"longest_turn_ns", known(s.duty_ns)},
          {"longest_turn_at_least", s.duty_at_least},
          {"cpu", known(s.cpu)},
          {"tripped", s.tripped}};
}

Json ring_json(const RingFacts& r) {
  if (!r.trouble.empty())
    return {{"ring", r.name}, {"trouble", r.trouble}};
  return {{"ring", r.name},
          {"trouble", r.trouble},
          {"producer", r.producer},
          {"consumer", r.consumer},
          {"record", r.record},
          {"when_full", shm::to_string(r.policy)},
          {"slots", r.slots},
          {"messages", r.messages},
          {"messages_per_second", known(r.rate)},
          {"depth", r.depth},
          {"depth_max", r.depth_max},
          {"depth_max_at_least", r.depth_max_at_least},
          {"lag_ns", known(r.lag_ns)},
          {"lag_at_least", r.lag_at_least},
          {"drops", r.drops},
          {"gaps", r.gaps},
          {"snapshots", r.snapshots},
          {"owed", r.owed},
          {"refused", r.refused},
          {"detached", r.detached},
          {"lost", loss_text(r, false)},
          {"broken", r.broken},
          {"broken_peer", r.broken_peer}};
}

Json latency_json(const LatencyFacts& l) {
  return {{"name", l.name},
          {"stage", l.stage},
          {"hop", l.hop.has_value()},
          {"last", l.last ? spread_json(*l.last) : Json(nullptr)},
          {"since", spread_json(l.since)}};
}

}  // namespace

std::string to_json(const Snapshot& s) {
  Json out{{"instance", s.instance},          {"dir", s.dir},
           {"generation", s.generation},      {"time", to_string(s.now)},
           {"window_ns", known(s.window_ns)}, {"trading", trading_json(s.trading)}};
  Json& stages = out["stages"] = Json::array();
  for (const StageFacts& stage : s.stages)
    stages.push_back(stage_json(stage));
  Json& rings = out["rings"] = Json::array();
  for (const RingFacts& ring : s.rings)
    rings.push_back(ring_json(ring));
  Json& latencies = out["latencies"] = Json::array();
  for (const LatencyFacts& latency : s.latencies)
    latencies.push_back(latency_json(latency));
  Json& limits = out["limits"] = Json::array();
  for (const LimitFacts& l : s.limits) {
    limits.push_back({{"what", l.what},
                      {"limit", l.limit},
                      {"used", l.used.empty() ? Json(nullptr) : Json(l.used)},
                      {"allowed", l.allowed.empty() ? Json(nullptr) : Json(l.allowed)},
                      {"share", known(l.share)},
                      {"note", l.note}});
  }
  Json& errors = out["errors"] = Json::array();
  for (const ErrorFacts& e : s.errors) {
    errors.push_back({{"stage", e.stage},
                      {"code", e.code},
                      {"count", e.count},
                      {"first_age_ns", e.first_age_ns},
                      {"last_age_ns", e.last_age_ns},
                      {"text", e.text}});
  }
  out["errors_lost"] = s.errors_lost;
  return out.dump(2);
}

}  // namespace sluice::top
