#include "bench/parse/report.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>

namespace sluice::bench {
namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
    }
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out + '"';
}

std::string processor_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) {
      const std::size_t colon = line.find(": ");
      return colon == std::string::npos ? line : line.substr(colon + 2);
    }
  }
  return "unknown";
}

}  // namespace

std::vector<std::pair<std::string, std::string>> describe_machine() {
  utsname kernel{};
  uname(&kernel);
  return {{"cpu", processor_name()},
          {"cores", std::to_string(sysconf(_SC_NPROCESSORS_ONLN))},
          {"kernel", kernel.release},
          {"compiler", "g++ " __VERSION__}};
}

std::string to_json(const Report& report) {
  std::string out = fmt::format("{{\"suite\":{},\"machine\":{{", quoted(report.suite));
  const char* comma = "";
  for (const auto& [key, value] : report.machine) {
    out += fmt::format("{}{}:{}", std::exchange(comma, ","), quoted(key), quoted(value));
  }
  out += "},\"metrics\":{";
  comma = "";
  for (const Metric& metric : report.metrics) {
    out += fmt::format("{}{}:{{\"value\":{:.2f},\"unit\":{}}}", std::exchange(comma, ","),
                       quoted(metric.name), metric.value, quoted(metric.unit));
  }
  out += "},\"ratios\":{";
  comma = "";
  for (const auto& [name, value] : report.ratios) {
    out += fmt::format("{}{}:{:.4f}", std::exchange(comma, ","), quoted(name), value);
  }
  return out + "}}\n";
}

std::string to_table(const Report& report) {
  std::string out = fmt::format("suite {}\n", report.suite);
  for (const auto& [key, value] : report.machine) {
    out += fmt::format("  {:<12} {}\n", key, value);
  }
  for (const Metric& metric : report.metrics) {
    out += fmt::format("  {:<40} {:>12.1f} {}\n", metric.name, metric.value, metric.unit);
  }
  for (const auto& [name, value] : report.ratios) {
    out += fmt::format("  {:<40} {:>12.3f}\n", name, value);
  }
  return out;
}

}  // namespace sluice::bench
