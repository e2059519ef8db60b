#include "tools/shm_top/expected_segments.hpp"

#include <algorithm>
#include <filesystem>

#include "common/runtime/topology.hpp"
#include "shm/segment.hpp"

namespace sluice::top {
namespace {

namespace fs = std::filesystem;

void add(std::vector<std::string>& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) == names.end())
    names.push_back(name);
}

// shm::segment_names() goes by the producers' halves.
void add_rings_by_cursor(const std::string& dir, std::vector<std::string>& rings) {
  constexpr std::string_view kBefore = "ring.";
  constexpr std::string_view kBehind = ".cursor";
  for (const std::string& file : files_there(dir)) {
    if (file.size() <= kBefore.size() + kBehind.size())
      continue;
    const std::string name =
        file.substr(kBefore.size(), file.size() - kBefore.size() - kBehind.size());
    if (file == shm::ring_cursor_file(name))
      add(rings, name);
  }
}

}  // namespace

std::set<std::string> files_there(const std::string& dir) {
  std::set<std::string> files;
  std::error_code failure;  // no folder: no files
  for (fs::directory_iterator entry(dir, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    const std::string file = entry->path().filename().string();
    if (file == shm::operator_trip_file() || file.starts_with("ring.") ||
        file.starts_with("board.") || file.starts_with("stage."))
      files.insert(file);
  }
  return files;
}

shm::SegmentNames expected_segments(const std::string& dir) {
  shm::SegmentNames names = shm::segment_names(dir);
  for (const char* role : {kRiskRole, kGatewayRole})
    add(names.stages, role);
  for (const char* name :
       {board::kInstruments, board::kOrders, board::kPositions, board::kAccount, board::kLimits})
    add(names.boards, name);
  const std::string feed = feed_role("");
  for (const std::string& stage : names.stages) {
    if (stage.starts_with(feed))
      add(names.boards, board::quotes(stage.substr(feed.size())));
  }
  add_rings_by_cursor(dir, names.rings);
  for (auto* all : {&names.rings, &names.boards, &names.stages})
    std::sort(all->begin(), all->end());
  return names;
}

}  // namespace sluice::top
