// What stands in an instance's folder, found by reading headers as bytes; and moving it aside.

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "common/base/error.hpp"
#include "common/base/time.hpp"
#include "shm/layout.hpp"
#include "shm/layout_files.hpp"

namespace sluice::shm {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kEveryBuildsBytes = 24;  // magic, layout version, kind, build id

bool is_segment_name(std::string_view name) {
  if (name.ends_with(kTemporarySuffix))
    name.remove_suffix(kTemporarySuffix.size());
  return name == control_file() || name == operator_trip_file() || name.starts_with("ring.") ||
         name.starts_with("board.") || name.starts_with("stage.");
}

// False when the file does not exist or is shorter.
bool read_bytes(const std::string& path, std::size_t offset, void* out, std::size_t bytes) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0)
    return false;
  const ssize_t got = pread(descriptor, out, bytes, static_cast<off_t>(offset));
  close(descriptor);
  return got == static_cast<ssize_t>(bytes);
}

std::uint64_t read_word(const std::string& path, std::size_t offset) {
  std::uint64_t word = 0;
  return read_bytes(path, offset, &word, sizeof(word)) ? word : 0;
}

// Records of a lossless ring that nobody has released, or 0. The tail is a hint: a producer that
// died between stamp and tail left one more behind it.
std::uint64_t undrained_records(const std::string& data, const std::string& cursor,
                                const SegmentHeader& header) {
  std::uint64_t tail =
      read_word(data, kRingWordsOffset + offsetof(ProducerWords<StdAtomics>, tail));
  const std::uint64_t released =
      read_word(cursor, kRingWordsOffset + offsetof(ConsumerWords<StdAtomics>, cursor));
  while (tail - released < header.elements &&
         read_word(data, kRingSlotsOffset + (tail & (header.elements - 1)) *
                                                header.element_bytes) == stamp_of(tail))
    ++tail;
  return tail - released;
}

// What is in lossless rings without having been taken, and what did not even get into them.
void look_into_lossless_rings(const std::string& dir, LayoutState& state) {
  for (const std::string& file : segment_files(dir)) {
    SegmentHeader header{};
    if (!read_bytes(dir + '/' + file, 0, &header, sizeof(header)))
      continue;
    const bool lossless = header.magic == kSegmentMagic &&
                          header.layout_version == kLayoutVersion && header.ready == kReadyWord &&
                          header.kind == SegmentKind::kRingData &&
                          header.policy == static_cast<std::uint32_t>(RingPolicy::kLossless);
    if (!lossless || !std::has_single_bit(header.elements))
      continue;
    const std::string name(view_of(header.name));
    const std::uint64_t records =
        undrained_records(dir + '/' + file, dir + '/' + ring_cursor_file(name), header);
    if (records != 0)
      state.undrained.push_back("ring " + name + ": " + std::to_string(records) +
                                " records that '" + std::string(view_of(header.peer)) +
                                "' has not taken");
    const std::uint64_t owed =
        read_word(dir + '/' + file, kRingWordsOffset + offsetof(ProducerWords<StdAtomics>, owed));
    if (owed != 0)
      state.untold.push_back("ring " + name + ": '" + std::string(view_of(header.owner)) +
                             "' lost " + std::to_string(owed) + " records or more and told '" +
                             std::string(view_of(header.peer)) + "' of no gap");
  }
}

}  // namespace

std::vector<std::string> segment_files(const std::string& dir) {
  std::vector<std::string> names;
  std::error_code failure;  // no folder: no segments
  for (fs::directory_iterator entry(dir, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    std::string name = entry->path().filename().string();
    if (is_segment_name(name))
      names.push_back(std::move(name));
  }
  // The control segment first: whoever removes or moves in this order ends the attaching before the
  // rest.
  std::sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
    return std::pair(a != control_file(), a) < std::pair(b != control_file(), b);
  });
  return names;
}

SegmentNames segment_names(const std::string& dir) {
  SegmentNames names;
  for (const std::string_view file : segment_files(dir)) {
    if (file.ends_with(kTemporarySuffix))
      continue;
    const std::string_view name = file.substr(std::min(file.find('.') + 1, file.size()));
    if (file.starts_with("board.")) {
      names.boards.emplace_back(name);
    } else if (file.starts_with("stage.")) {
      names.stages.emplace_back(name);
    } else if (file.starts_with("ring.") && name.ends_with(kRingDataSuffix)) {
      names.rings.emplace_back(name.substr(0, name.size() - kRingDataSuffix.size()));
    }
  }
  return names;
}

LayoutState inspect_layout(const std::string& dir) {
  LayoutState state;
  const std::vector<std::string> files = segment_files(dir);
  if (files.empty())
    return state;
  state.kind = LayoutState::Kind::kIncomplete;
  if (files.front() == control_file()) {
    SegmentHeader header{};
    const std::string path = dir + '/' + control_file();
    state.kind = LayoutState::Kind::kForeign;
    if (!read_bytes(path, 0, &header, kEveryBuildsBytes) || header.magic != kSegmentMagic)
      return state;
    state.layout_version = header.layout_version;
    state.build_id = header.build_id;
    if (header.layout_version != kLayoutVersion)
      return state;
    if (!read_bytes(path, 0, &header, sizeof(header)) || header.ready != kReadyWord)
      return state;
    state.generation = header.generation;
    state.kind = LayoutState::Kind::kComplete;
  }
  look_into_lossless_rings(dir, state);
  return state;
}

std::string set_aside_layout(const std::string& dir) {
  const std::vector<RoleLock> locks = take_all_roles(dir, {}, "setting the layout aside");
  const LayoutState state = inspect_layout(dir);
  std::string target = dir;
  while (target.size() > 1 && target.back() == '/')
    target.pop_back();
  target +=
      ".aside-" + std::to_string(state.generation != 0 ? static_cast<std::int64_t>(state.generation)
                                                       : wall_now().ns);
  if (mkdir(target.c_str(), 0750) != 0)
    throw Error(ExitCode::kResource, target + ": cannot be made: " + std::strerror(errno));
  for (const std::string& file : segment_files(dir)) {
    if (rename((dir + '/' + file).c_str(), (target + '/' + file).c_str()) != 0)
      throw Error(ExitCode::kResource, dir + '/' + file + ": cannot be moved to " + target + ": " +
                                           std::strerror(errno));
  }
  return target;
}

}  // namespace sluice::shm
