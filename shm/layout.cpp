#include "shm/layout.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "common/base/error.hpp"
#include "common/base/time.hpp"
#include "common/base/tsc.hpp"
#include "shm/layout_files.hpp"
#include "shm/stage_format.hpp"

namespace sluice::shm {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kOwnerWrites = 0640;
constexpr unsigned kGroupWrites = 0660;  // trip.operator: any operator may kill

std::string instance_name(const Layout& layout) {
  if (!layout.instance.empty())
    return layout.instance;
  const fs::path dir(layout.dir);
  return (dir.has_filename() ? dir : dir.parent_path()).filename().string();
}

FixedName fixed_name(const std::string& text) noexcept {
  FixedName name{};
  std::copy_n(text.begin(), std::min(text.size(), kMaxNameBytes), name.begin());
  return name;
}

// --- is the layout possible? ---------------------------------------------------------------------

[[noreturn]] void impossible(const Layout& layout, const std::string& what) {
  throw Error(ExitCode::kConfig, "layout of " + layout.dir + ": " + what);
}

void check_name(const Layout& layout, const std::string& what, const std::string& name) {
  if (!is_plain_name(name))
    impossible(layout, what + " '" + name + "': 1 to " + std::to_string(kMaxNameBytes) +
                           " characters of a-z 0-9 . _ - are allowed");
}

void check_ring(const Layout& layout, const RingSpec& ring) {
  check_name(layout, "ring", ring.name);
  check_name(layout, "producer of ring " + ring.name, ring.producer);
  check_name(layout, "consumer of ring " + ring.name, ring.consumer);
  if (!std::has_single_bit(ring.slots) || ring.slots < kMinSlots)
    impossible(layout, "ring " + ring.name + ": " + std::to_string(ring.slots) +
                           " slots; a power of two of at least " + std::to_string(kMinSlots) +
                           " is needed, nothing is rounded");
  if ((ring.payload_bytes + sizeof(std::uint64_t)) % kCacheLine != 0)
    impossible(layout, "ring " + ring.name + ": a payload of " +
                           std::to_string(ring.payload_bytes) +
                           " bytes and its 8-byte stamp do not fill whole cache lines");
  if (ring.policy < RingPolicy::kConflate || ring.policy > RingPolicy::kCountedGap)
    impossible(layout, "ring " + ring.name + ": no overflow policy");
}

void check_layout(const Layout& layout) {
  check_name(layout, "instance", instance_name(layout));
  std::set<std::string> files;
  const auto once = [&](const std::string& file) {
    if (!files.insert(file).second)
      impossible(layout, "two segments named " + file);
  };
  for (const RingSpec& ring : layout.rings) {
    check_ring(layout, ring);
    once(ring_data_file(ring.name));
  }
  for (const BoardSpec& board : layout.boards) {
    check_name(layout, "board", board.name);
    check_name(layout, "owner of board " + board.name, board.owner);
    once(board_file(board.name));
    if (board.rows == 0 || board.row_bytes == 0 || board.row_bytes % sizeof(std::uint64_t) != 0)
      impossible(layout, "board " + board.name + ": " + std::to_string(board.rows) + " rows of " +
                             std::to_string(board.row_bytes) +
                             " bytes; at least one row of a multiple of 8 bytes is needed");
  }
  for (const PageSpec& page : layout.pages) {
    check_name(layout, "stage", page.stage);
    once(stage_file(page.stage));
    if (page.metrics == nullptr || page.metrics->rows().size() > kMaxMetrics)
      impossible(layout, "stage " + page.stage + ": a table of at most " +
                             std::to_string(kMaxMetrics) + " metrics is needed");
  }
}

// --- building ------------------------------------------------------------------------------------

struct FileSpec {
  std::string file;
  std::size_t bytes{0};
  unsigned mode{kOwnerWrites};
  SegmentHeader header{};
};

// Builds the files of one generation. Unless finish() was reached, the destructor removes them all.
class Builder {
 public:
  Builder(const Layout& layout, std::uint64_t generation)
      : layout_(layout), generation_(generation), name_(instance_name(layout)) {}
  ~Builder() {
    for (const std::string& path : paths_)
      unlink(path.c_str());
  }
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;

  void add_ring(const RingSpec& ring) {
    SegmentHeader header =
        common_header(SegmentKind::kRingData, ring.name, ring.producer, ring.consumer);
    header.schema_hash = ring.schema_hash;
    header.elements = ring.slots;
    header.element_bytes = ring.payload_bytes + static_cast<std::uint32_t>(sizeof(std::uint64_t));
    header.policy = static_cast<std::uint32_t>(ring.policy);
    header.initial_sequence = ring.initial_sequence;
    add({ring_data_file(ring.name), ring_data_bytes(ring.slots, header.element_bytes), kOwnerWrites,
         header},
        [&](const Region& region) {
          region.at<ProducerWords<StdAtomics>>(kRingWordsOffset)->tail = ring.initial_sequence;
          stamp_previous_lap<StdAtomics>(region.at<StdAtomics::Word>(kRingSlotsOffset),
                                         header.element_bytes / sizeof(std::uint64_t), ring.slots,
                                         ring.initial_sequence);
        });
    header.kind = SegmentKind::kRingCursor;
    std::swap(header.owner, header.peer);
    add({ring_cursor_file(ring.name), ring_cursor_bytes(), kOwnerWrites, header},
        [&](const Region& region) {
          region.at<ConsumerWords<StdAtomics>>(kRingWordsOffset)->cursor = ring.initial_sequence;
        });
  }

  void add_board(const BoardSpec& board) {
    SegmentHeader header = common_header(SegmentKind::kBoard, board.name, board.owner, {});
    header.schema_hash = board.schema_hash;
    header.elements = board.rows;
    header.element_bytes = board.row_bytes;
    // All zero: version 0 means never written.
    add({board_file(board.name), board_bytes(board.rows, board.row_bytes), kOwnerWrites, header},
        [](const Region&) {});
  }

  void add_page(const PageSpec& page) {
    SegmentHeader header = common_header(SegmentKind::kStagePage, page.stage, page.stage, {});
    header.schema_hash = page.metrics->hash();
    header.elements = page.metrics->rows().size();
    add({stage_file(page.stage), stage_page_bytes(*page.metrics), kOwnerWrites, header},
        [&](const Region& region) { describe_metrics(region.data(), *page.metrics); });
  }

  void add_operator_trip() {
    SegmentHeader header = common_header(SegmentKind::kOperatorTrip, name_, {}, {});
    header.elements = kTripScopes;
    header.element_bytes = sizeof(StdAtomics::Word);
    add({operator_trip_file(), operator_trip_bytes(), kGroupWrites, header}, [](const Region&) {});
  }

  // The control segment last: with its name the layout exists.
  CreateReport finish() {
    SegmentHeader header = common_header(SegmentKind::kControl, name_, {}, {});
    header.schema_hash = kSchemaHash<ClockCalibration>;
    const ClockCalibration clock = calibrate_clock();
    add({control_file(), control_bytes(), kOwnerWrites, header}, [&](const Region& region) {
      std::memcpy(region.data() + kHeaderBytes, &clock, sizeof(clock));
    });
    paths_.clear();
    return report();
  }

 private:
  [[nodiscard]] SegmentHeader common_header(SegmentKind kind, const std::string& name,
                                            const std::string& owner,
                                            const std::string& peer) const {
    SegmentHeader header{};
    header.magic = kSegmentMagic;
    header.layout_version = kLayoutVersion;
    header.kind = kind;
    header.build_id = layout_.build_id;
    header.generation = generation_;
    header.name = fixed_name(name);
    header.owner = fixed_name(owner);
    header.peer = fixed_name(peer);
    return header;
  }

  template <class Fill>
  void add(FileSpec spec, Fill&& fill) {
    const std::string path = layout_.dir + '/' + spec.file;
    const std::string temporary = path + std::string(kTemporarySuffix);
    Region region = Region::create(temporary, spec.bytes, spec.mode);
    paths_.push_back(temporary);
    fill(region);
    spec.header.file_bytes = spec.bytes;
    std::memcpy(region.data(), &spec.header, sizeof(spec.header));
    // release: pairs with the acquire in is_ready(); everything above is in place.
    StdAtomics::store_release(*region.at<StdAtomics::Word>(offsetof(SegmentHeader, ready)),
                              kReadyWord);
    if (rename(temporary.c_str(), path.c_str()) != 0)
      throw Error(ExitCode::kResource, path + ": cannot be named: " + std::strerror(errno));
    paths_.back() = path;
    regions_.push_back(std::move(region));
  }

  // What could be had beyond plain pages. The locks end with this process; stages lock what they
  // write.
  [[nodiscard]] CreateReport report() const {
    CreateReport report;
    report.generation = generation_;
    report.mlocked = true;
    report.collapsed = true;
    bool any_large = false;
    for (const Region& region : regions_) {
      report.bytes += region.size();
      report.mlocked = region.lock_in_memory() && report.mlocked;
      any_large = any_large || region.size() >= kHugePageBytes;
      report.collapsed = region.collapse() && report.collapsed;
    }
    report.collapsed = report.collapsed && any_large;
    return report;
  }

  const Layout& layout_;
  std::uint64_t generation_;
  std::string name_;
  std::vector<std::string> paths_;
  std::vector<Region> regions_;
};

// --- what stands there, and room for the new one -------------------------------------------------

std::size_t bytes_of(const Layout& layout) {
  std::size_t bytes = control_bytes() + operator_trip_bytes();
  for (const RingSpec& ring : layout.rings)
    bytes += ring_cursor_bytes() +
             ring_data_bytes(ring.slots, ring.payload_bytes +
                                             static_cast<std::uint32_t>(sizeof(std::uint64_t)));
  for (const BoardSpec& board : layout.boards)
    bytes += board_bytes(board.rows, board.row_bytes);
  for (const PageSpec& page : layout.pages)
    bytes += stage_page_bytes(*page.metrics);
  return bytes;
}

// Before anything is made or removed: a layout that does not fit leaves everything as it was. Other
// processes may still take the space meanwhile; then posix_fallocate says so.
void check_space(const Layout& layout) {
  fs::path place(layout.dir);
  while (!place.empty() && place != place.root_path() && !fs::exists(place))
    place = place.parent_path();
  struct statvfs space {};
  if (statvfs(place.c_str(), &space) != 0)
    return;  // creation will tell
  std::size_t available = space.f_bavail * space.f_frsize;
  for (const std::string& file : segment_files(layout.dir)) {
    struct stat status {};
    if (stat((layout.dir + '/' + file).c_str(), &status) == 0)
      available += static_cast<std::size_t>(status.st_blocks) * 512;
  }
  const std::size_t needed = bytes_of(layout);
  if (needed > available)
    throw Error(ExitCode::kResource,
                layout.dir + ": no space: the layout needs " + std::to_string(needed) + " bytes, " +
                    std::to_string(available) +
                    " are free; make the file system larger or configure fewer slots");
}

void remove_segments(const std::string& dir) {
  for (const std::string& file : segment_files(dir)) {
    if (unlink((dir + '/' + file).c_str()) != 0 && errno != ENOENT)
      throw Error(ExitCode::kResource,
                  dir + '/' + file + ": cannot be removed: " + std::strerror(errno));
  }
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines)
    text += (text.empty() ? "" : "; ") + line;
  return text;
}

// What removing the present layout would lose; without force that is refused.
std::vector<std::string> what_is_lost(const std::string& dir, const LayoutState& state,
                                      bool force) {
  if (state.kind == LayoutState::Kind::kForeign) {
    const std::string what = "segments of layout version " + std::to_string(state.layout_version) +
                             " (this build has " + std::to_string(kLayoutVersion) + "), build id " +
                             std::to_string(state.build_id) + ", contents unknown";
    if (!force)
      throw Error(ExitCode::kResource,
                  dir + ": " + what +
                      "; drain and destroy them with the build that made them, "
                      "set them aside, or remove them with --force");
    return {what};
  }
  if (!state.undrained.empty() && !force)
    throw Error(ExitCode::kResource, dir + ": would lose " + joined(state.undrained) +
                                         "; start the consumer to drain it, or use --force");
  return state.undrained;
}

}  // namespace

std::vector<RoleLock> take_all_roles(const std::string& dir, std::set<std::string> roles,
                                     const std::string& purpose) {
  roles.insert(kOperatorRole);
  std::error_code failure;  // no folder yet: no other roles
  for (fs::directory_iterator entry(locks_folder(dir), failure), end; !failure && entry != end;
       entry.increment(failure))
    roles.insert(entry->path().filename().string());
  std::vector<RoleLock> locks;
  for (const std::string& role : roles)
    locks.push_back(RoleLock::acquire(dir, role, purpose));
  return locks;
}

CreateReport create_layout(const Layout& layout, bool force) {
  check_layout(layout);
  check_space(layout);
  std::set<std::string> roles;
  for (const RingSpec& ring : layout.rings)
    roles.insert({ring.producer, ring.consumer});
  for (const BoardSpec& board : layout.boards)
    roles.insert(board.owner);
  for (const PageSpec& page : layout.pages)
    roles.insert(page.stage);
  const std::vector<RoleLock> locks = take_all_roles(layout.dir, roles, "creating the layout");

  const LayoutState state = inspect_layout(layout.dir);
  if (state.kind == LayoutState::Kind::kComplete && state.build_id != layout.build_id && !force)
    throw Error(ExitCode::kResource,
                layout.dir + ": holds a layout of another build (build id " +
                    std::to_string(state.build_id) + ", this build has " +
                    std::to_string(layout.build_id) +
                    "); finish it with that build, set it aside, or use --force");
  const std::vector<std::string> lost = what_is_lost(layout.dir, state, force);
  remove_segments(layout.dir);

  // Later than any generation before, even if the clock was set back.
  const auto now = static_cast<std::uint64_t>(wall_now().ns);
  Builder builder(layout, std::max(now, state.generation + 1));
  for (const RingSpec& ring : layout.rings)
    builder.add_ring(ring);
  for (const BoardSpec& board : layout.boards)
    builder.add_board(board);
  for (const PageSpec& page : layout.pages)
    builder.add_page(page);
  builder.add_operator_trip();
  CreateReport report = builder.finish();
  report.lost = lost;
  return report;
}

std::vector<std::string> destroy_layout(const std::string& dir, bool force) {
  if (segment_files(dir).empty())
    return {};
  const std::vector<RoleLock> locks = take_all_roles(dir, {}, "destroying the layout");
  const std::vector<std::string> lost = what_is_lost(dir, inspect_layout(dir), force);
  remove_segments(dir);
  return lost;
}

}  // namespace sluice::shm
