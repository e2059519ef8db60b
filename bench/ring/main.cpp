// bench_ring [--json]: prints the suite's metrics, baseline and ring interleaved in one run.
//
// The medians over kRounds runs of each are printed. The numbers mean something on a quiet machine
// with two cores to spare; the ratios hold better than the values.

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "bench/ring/pair.hpp"
#include "common/base/error.hpp"

namespace sluice::bench {
namespace {

constexpr int kRounds = 9;
constexpr std::uint64_t kRoundTrips = 50'000;
constexpr std::uint64_t kStreamed = 4'000'000;
constexpr unsigned kGiveUpSeconds = 300;  // a child that died would leave its parent spinning

struct Samples {
  std::vector<double> p50_ns;
  std::vector<double> p99_ns;
  std::vector<double> mega_per_s;
};

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + kRounds / 2, values.end());
  return values[kRounds / 2];
}

void add_latency(Samples& samples, std::vector<std::uint64_t> nanos) {
  std::sort(nanos.begin(), nanos.end());
  samples.p50_ns.push_back(static_cast<double>(nanos[nanos.size() / 2]));
  samples.p99_ns.push_back(static_cast<double>(nanos[nanos.size() * 99 / 100]));
}

void print(bool json, const Samples& bare, const Samples& ring) {
  const double ring_p50 = median(ring.p50_ns);
  const double bare_p50 = median(bare.p50_ns);
  const double ring_rate = median(ring.mega_per_s);
  const double bare_rate = median(bare.mega_per_s);
  if (!json) {
    fmt::print("{:<6}{:>18}{:>18}{:>14}\n", "", "round trip p50 ns", "p99 ns", "M msg/s");
    fmt::print("{:<6}{:>18.0f}{:>18.0f}{:>14.1f}\n", "bare", bare_p50, median(bare.p99_ns),
               bare_rate);
    fmt::print("{:<6}{:>18.0f}{:>18.0f}{:>14.1f}\n", "ring", ring_p50, median(ring.p99_ns),
               ring_rate);
    fmt::print("ring / bare: round trip {:.2f}, throughput {:.2f}\n", ring_p50 / bare_p50,
               ring_rate / bare_rate);
    return;
  }
  const auto metric = [](const char* name, double value, const char* unit) {
    return fmt::format(R"("{}":{{"value":{:.1f},"unit":"{}"}})", name, value, unit);
  };
  fmt::print(R"({{"metrics":{{{},{},{},{},{},{}}},"ratios":{{)",
             metric("bare_round_trip_p50", bare_p50, "ns"),
             metric("bare_round_trip_p99", median(bare.p99_ns), "ns"),
             metric("ring_round_trip_p50", ring_p50, "ns"),
             metric("ring_round_trip_p99", median(ring.p99_ns), "ns"),
             metric("bare_throughput", bare_rate, "M/s"),
             metric("ring_throughput", ring_rate, "M/s"));
  fmt::print(R"("ring_vs_bare_round_trip":{:.3f},"ring_vs_bare_throughput":{:.3f}}}}})"
             "\n",
             ring_p50 / bare_p50, ring_rate / bare_rate);
}

int body(int argc, char** argv) {
  const bool json = argc == 2 && std::string_view(argv[1]) == "--json";
  if (argc > 1 && !json)
    throw Error(ExitCode::kUsage, "usage: bench_ring [--json]");
  alarm(kGiveUpSeconds);
  pin_parent();
  Samples bare;
  Samples ring;
  for (int round = 0; round < kRounds; ++round) {
    add_latency(bare, bare_round_trips(kRoundTrips));
    add_latency(ring, ring_round_trips(kRoundTrips));
    bare.mega_per_s.push_back(bare_throughput(kStreamed));
    ring.mega_per_s.push_back(ring_throughput(kStreamed));
  }
  print(json, bare, ring);
  return 0;
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  return sluice::run_main("bench_ring", sluice::bench::body, argc, argv);
}
