#include "tools/demo_run/report.hpp"

#include <fmt/format.h>

namespace sluice::demo {
namespace {

using Json = nlohmann::ordered_json;

// Nanoseconds with a unit a person can compare at a glance.
std::string duration(std::uint64_t ns) {
  if (ns < 10'000)
    return fmt::format("{} ns", ns);
  if (ns < 10'000'000)
    return fmt::format("{:.1f} us", static_cast<double>(ns) / 1e3);
  return fmt::format("{:.1f} ms", static_cast<double>(ns) / 1e6);
}

std::string amounts(const Json& by_asset) {
  std::string out;
  for (const auto& [asset, amount] : by_asset.items()) {
    if (amount.get<std::string>() == "0")
      continue;
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", amount.get<std::string>(), asset);
  }
  return out.empty() ? "none" : out;
}

std::string verdict(bool good) {
  return good ? "agree" : "DIFFER";
}

std::uint64_t count(const Json& object, const char* key) {
  return object.at(key).get<std::uint64_t>();
}

// Cents, with the sign of what is left out: for reading, the JSON has every digit.
std::string cents(const std::string& decimal) {
  const std::size_t point = decimal.find('.');
  return point == std::string::npos ? decimal + ".00" : (decimal + "00").substr(0, point + 3);
}

std::string symbols(const Json& list) {
  std::string out;
  for (const Json& symbol : list)
    out += (out.empty() ? "" : " ") + symbol.get<std::string>();
  return out;
}

std::string activity(const Json& r) {
  constexpr const char* kLine = "  {:<12} {:<16} {:>8} {:>8} {:>8} {:>8} {:>9} {:>8} {:>14}\n";
  std::string out = fmt::format(kLine, "strategy", "instruments", "intents", "orders", "fills",
                                "in parts", "replaced", "cancels", "realised USD");
  for (const Json& s : r["strategies"]) {
    out += fmt::format(kLine, s["name"].get<std::string>(), symbols(s["instruments"]),
                       count(s, "intents"), count(s, "orders"), count(s, "fills"),
                       count(s, "partial_fills"), count(s, "replaces"), count(s, "cancels"),
                       cents(s["realised"].get<std::string>()));
  }
  out += fmt::format(kLine, "account", "", count(r, "intents"), count(r, "orders"),
                     count(r, "fills"), count(r, "partial_fills"), count(r, "replaces"),
                     count(r, "cancels"), cents(r["pnl"]["realised"].get<std::string>()));
  return out;
}

}  // namespace

std::string report_text(const Json& r) {
  std::string out =
      fmt::format("\nSluice demo, {}: {}\n", r["input"].get<std::string>(),
                  r["reconciled"].get<bool>() ? "RECONCILED to the unit" : "NOT RECONCILED");
  for (const Json& why : r["why_not"])
    out += fmt::format("  ! {}\n", why.get<std::string>());
  out += "\n" + activity(r);
  out += fmt::format(
      "\n  market events: {}, trading statuses: {}, remainders of ioc orders: {}, unknown "
      "outcomes: "
      "{}\n",
      count(r, "events"), count(r, "statuses"), count(r, "ioc_remainders"),
      count(r, "unknown_outcomes"));
  out += fmt::format("  unrealised: {} USD, fees: {}\n", r["pnl"]["unrealised"].get<std::string>(),
                     amounts(r["fees"]));
  out += fmt::format("  left as dust: {}\n", amounts(r["dust"]));
  std::string refused;
  for (const auto& [reason, n] : r["refusals"].items()) {
    refused += fmt::format("{}{} {}", refused.empty() ? "" : ", ", n.get<std::uint64_t>(), reason);
  }
  out += fmt::format("  refused by us: {}\n", refused.empty() ? "nothing" : refused);

  const Json& judges = r["judges"];
  out += "\n  judges\n";
  for (const auto& [pair, text] : {std::pair{"ours_venue", "our books and the venue's ledger"},
                                   {"ours_wire", "our books and the wire"},
                                   {"venue_wire", "the venue's ledger and the wire"}}) {
    out += fmt::format("  {:<34} {}\n", text, verdict(judges[pair].get<bool>()));
  }
  for (const char* list : {"differences", "violations"}) {
    for (const Json& line : judges[list])
      out += fmt::format("    {}\n", line.get<std::string>());
  }

  out += fmt::format("\n  {:<20} {:>8} {:>11} {:>11} {:>11} {:>11}\n", "hop", "count", "p50", "p99",
                     "p99.9", "max");
  for (const auto& [hop, h] : r["latency_ns"].items()) {
    out += fmt::format(
        "  {:<20} {:>8} {:>11} {:>11} {:>11} {:>11}\n", hop, h["count"].get<std::uint64_t>(),
        duration(h["p50"].get<std::uint64_t>()), duration(h["p99"].get<std::uint64_t>()),
        duration(h["p999"].get<std::uint64_t>()), duration(h["max"].get<std::uint64_t>()));
  }
  out += fmt::format("\n  {:<28} {:>10} {:>10} {:>6}\n", "ring", "messages", "max depth", "gaps");
  for (const auto& [name, ring] : r["rings"].items()) {
    if (ring["messages"].get<std::uint64_t>() == 0)
      continue;
    out +=
        fmt::format("  {:<28} {:>10} {:>10} {:>6}\n", name, ring["messages"].get<std::uint64_t>(),
                    ring["depth_max"].get<std::uint64_t>(), ring["gaps"].get<std::uint64_t>());
  }
  out += fmt::format("\n  everything of this run: {}\n", r["run"].get<std::string>());
  return out;
}

}  // namespace sluice::demo
