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
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", amount.get<std::string>(), asset);
  }
  return out.empty() ? "none" : out;
}

std::string verdict(bool good) {
  return good ? "agree" : "DIFFER";
}

}  // namespace

std::string report_text(const Json& r) {
  std::string out =
      fmt::format("\nSluice demo: {}\n",
                  r["reconciled"].get<bool>() ? "RECONCILED to the unit" : "NOT RECONCILED");
  for (const Json& why : r["why_not"])
    out += fmt::format("  ! {}\n", why.get<std::string>());
  out += fmt::format(
      "\n  {} market events, {} intents, {} orders at the venue\n"
      "  {} fills, {} orders filled in parts, {} resting orders cancelled, {} ioc remainders\n",
      r["events"].get<std::uint64_t>(), r["intents"].get<std::uint64_t>(),
      r["orders"].get<std::uint64_t>(), r["fills"].get<std::uint64_t>(),
      r["partial_fills"].get<std::uint64_t>(), r["cancels"].get<std::uint64_t>(),
      r["ioc_remainders"].get<std::uint64_t>());
  out += fmt::format("  realised {} USD, unrealised {} USD, fees {}\n",
                     r["pnl"]["realised"].get<std::string>(),
                     r["pnl"]["unrealised"].get<std::string>(), amounts(r["fees"]));
  out += fmt::format("  dust {}\n", amounts(r["dust"]));
  std::string refused;
  for (const auto& [reason, n] : r["refusals"].items()) {
    refused += fmt::format("{}{} {}", refused.empty() ? "" : ", ", n.get<std::uint64_t>(), reason);
  }
  out += fmt::format("  refused by us: {}\n", refused.empty() ? "nothing" : refused);

  const Json& judges = r["judges"];
  out += fmt::format(
      "\n  Judges: our books and the venue's ledger {}, our books and the wire {}, ledger and wire "
      "{}\n",
      verdict(judges["ours_venue"].get<bool>()), verdict(judges["ours_wire"].get<bool>()),
      verdict(judges["venue_wire"].get<bool>()));
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
