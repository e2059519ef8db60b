// What a suite prints: a table for people, or the project's JSON for machines.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace sluice::bench {

struct Metric {
  std::string name;
  double value{0};
  std::string unit;
};

struct Report {
  std::string suite;
  std::vector<std::pair<std::string, std::string>> machine;
  std::vector<Metric> metrics;
  std::vector<std::pair<std::string, double>> ratios;
};

// Processor, cores, kernel, compiler.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> describe_machine();

[[nodiscard]] std::string to_json(const Report& report);
[[nodiscard]] std::string to_table(const Report& report);

}  // namespace sluice::bench
