#include "tools/shm_top/process_facts.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <vector>

#include "tools/shm_top/text.hpp"

namespace sluice::top {
namespace {

// Fields of /proc/<pid>/stat from the state (field 3) on: the command before it may hold anything.
std::vector<std::string> stat_fields(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  std::vector<std::string> fields;
  if (const std::size_t close = line.rfind(')'); close != line.npos) {
    std::istringstream words(line.substr(close + 1));
    for (std::string word; words >> word;)
      fields.push_back(std::move(word));
  }
  return fields;
}

// The rest of the line that begins with `key`; empty when there is none.
std::string line_value(const std::string& path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(key))
      continue;
    const std::size_t begin = line.find_first_not_of(" \t", key.size());
    return begin == line.npos ? "" : line.substr(begin);
  }
  return "";
}

std::uint64_t number(const std::string& text) {
  return std::strtoull(text.c_str(), nullptr, 10);
}

}  // namespace

std::optional<ProcessFacts> read_process(std::int64_t pid, const std::string& proc) {
  constexpr std::size_t kState = 0, kUser = 11, kSystem = 12, kStart = 19, kCore = 36;
  const std::string folder = proc + "/" + std::to_string(pid);
  const std::vector<std::string> fields = stat_fields(folder + "/stat");
  if (fields.size() <= kCore || fields[kState] == "Z" || fields[kState] == "X")
    return std::nullopt;
  static const auto ticks = static_cast<std::uint64_t>(std::max(1L, sysconf(_SC_CLK_TCK)));
  const std::uint64_t tick_ns = static_cast<std::uint64_t>(kNanosPerSecond) / ticks;
  ProcessFacts facts;
  facts.start_ticks = number(fields[kStart]);
  facts.cpu_ns = (number(fields[kUser]) + number(fields[kSystem])) * tick_ns;
  facts.core = std::atoi(fields[kCore].c_str());
  facts.affinity = printable(line_value(folder + "/status", "Cpus_allowed_list:"));
  const std::uint64_t boot_s = number(line_value(proc + "/stat", "btime"));
  facts.started = {static_cast<std::int64_t>(boot_s * static_cast<std::uint64_t>(kNanosPerSecond) +
                                             facts.start_ticks * tick_ns)};
  return facts;
}

}  // namespace sluice::top
