#include "shm/instance.hpp"

#include <atomic>
#include <bit>
#include <limits>
#include <thread>

#include "shm/atomics.hpp"
#include "shm/layout_files.hpp"
#include "shm/role.hpp"

namespace sluice::shm {
namespace {

constexpr std::chrono::milliseconds kPollEvery{2};
// What mono_at() can compute with: its product is of two signed 64-bit numbers.
constexpr std::uint64_t kMaxClockMult = std::numeric_limits<std::int64_t>::max();
constexpr std::uint32_t kMaxClockShift = 63;
constexpr const char* kCreateAgain = "run 'sluicectl shm create'";

std::atomic<std::uint64_t> g_mappings{0};
std::atomic<std::uint64_t> g_bytes{0};
std::atomic<std::uint64_t> g_writable_bytes{0};
std::atomic<std::uint64_t> g_locked_bytes{0};

std::string hex(std::uint64_t value) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text = "0x";
  for (int shift = 60; shift >= 0; shift -= 4)
    text += kDigits[(value >> shift) & 15];
  return text;
}

// "file: what is X, this program expects Y; remedy"
[[noreturn]] void refuse(AttachStatus status, const std::string& path, const std::string& what,
                         const std::string& found, const std::string& expected,
                         const std::string& remedy) {
  throw AttachError(status, path + ": " + std::string(to_string(status)) + ": " + what + " is " +
                                found + ", this program expects " + expected + "; " + remedy);
}

SegmentHeader copy_header(const Region& region) noexcept {
  return copy_shared<SegmentHeader>(region.at<const StdAtomics::Word>(0));
}
ClockCalibration copy_clock(const Region& region) noexcept {
  return copy_shared<ClockCalibration>(region.at<const StdAtomics::Word>(kHeaderBytes));
}

// The ready word first, with acquire: pairs with the release in create_layout(), so that the copy
// that follows is of a complete header.
bool is_ready(const Region& region) noexcept {
  const auto& word = *region.at<const StdAtomics::Word>(offsetof(SegmentHeader, ready));
  return StdAtomics::load_acquire(word) == kReadyWord;
}

// What every segment has in common, the generation apart.
void verify_format(const std::string& path, const Region& region, const SegmentHeader& header,
                   SegmentKind kind) {
  if (header.magic != kSegmentMagic)
    refuse(AttachStatus::kWrongLayout, path, "magic",
           hex(std::bit_cast<std::uint64_t>(header.magic)),
           hex(std::bit_cast<std::uint64_t>(kSegmentMagic)),
           "this is no segment of ours: remove it or use another folder");
  if (header.layout_version != kLayoutVersion)
    refuse(AttachStatus::kWrongLayout, path, "layout version",
           std::to_string(header.layout_version), std::to_string(kLayoutVersion),
           "stop all stages, then " + std::string(kCreateAgain) + " of this build");
  if (header.kind != kind)
    refuse(AttachStatus::kWrongLayout, path, "kind", to_string(header.kind), to_string(kind),
           std::string("files were renamed: ") + kCreateAgain);
  if (header.file_bytes != region.size())
    refuse(AttachStatus::kWrongSize, path, "file size", std::to_string(region.size()),
           std::to_string(header.file_bytes) + " (its own header)", kCreateAgain);
  if (!region.reserved())
    refuse(AttachStatus::kWrongSize, path,
           "memory behind its " + std::to_string(region.size()) + " bytes", "less than that",
           "all of it, as at its creation (it was cut and extended)", kCreateAgain);
}

// Mapped, at least `bytes` long and ready.
Region open_ready(const std::string& path, Region::Access access, std::size_t bytes) {
  std::optional<Region> region = Region::open(path, access);
  if (!region)
    throw AttachError(AttachStatus::kNotYet,
                      path + ": not yet: no such file in this layout; check the name, or " +
                          kCreateAgain + " with the present configuration");
  if (region->size() < bytes)
    refuse(AttachStatus::kWrongSize, path, "file size", std::to_string(region->size()),
           "at least " + std::to_string(bytes), kCreateAgain);
  if (!is_ready(*region))
    throw AttachError(AttachStatus::kNotYet,
                      path + ": not yet: the ready word is not set, its creation did not finish; " +
                          kCreateAgain);
  return std::move(*region);
}

void verify_expectation(const std::string& path, const SegmentHeader& header,
                        const SegmentExpectation& expected, std::uint64_t generation) {
  if (header.generation != generation)
    refuse(AttachStatus::kWrongGeneration, path, "generation", std::to_string(header.generation),
           std::to_string(generation) + " (the control segment's)",
           "the layout was created anew meanwhile: start this process again");
  if (view_of(header.name) != expected.name)
    refuse(AttachStatus::kWrongLayout, path, "name", std::string(view_of(header.name)),
           expected.name, std::string("files were renamed: ") + kCreateAgain);
  if (expected.schema_hash != 0 && header.schema_hash != expected.schema_hash)
    refuse(
        AttachStatus::kWrongLayout, path, "schema hash", hex(header.schema_hash),
        hex(expected.schema_hash),
        "creator and program were built from different records: build both from one tree, then " +
            std::string(kCreateAgain));
  if (expected.element_bytes != 0 && header.element_bytes != expected.element_bytes)
    refuse(AttachStatus::kWrongSize, path, "element size", std::to_string(header.element_bytes),
           std::to_string(expected.element_bytes), kCreateAgain);
  if (expected.elements != 0 && header.elements != expected.elements)
    refuse(AttachStatus::kWrongSize, path, "number of elements", std::to_string(header.elements),
           std::to_string(expected.elements), kCreateAgain);
}

void verify_owner(const Instance& instance, const std::string& path, const SegmentHeader& header) {
  const std::string role(view_of(header.owner));
  if (role.empty() || role_held_here(instance.dir(), role))
    return;
  if (!is_plain_name(role))
    refuse(AttachStatus::kWrongLayout, path, "owner", "'" + role + "'", "the name of a role",
           std::string("its header was spoilt: ") + kCreateAgain);
  if (const auto holder = RoleLock::holder(instance.dir(), role))
    throw AttachError(AttachStatus::kRoleTaken,
                      path + ": role taken: role '" + role + "' that may write here is " +
                          describe(*holder) + "; stop that process first");
  throw Error(ExitCode::kBug, path + ": role '" + role +
                                  "' must be acquired (RoleLock) before its files are mapped");
}

}  // namespace

AttachError::AttachError(AttachStatus status, const std::string& message)
    : Error(status == AttachStatus::kRoleTaken ? ExitCode::kRoleTaken : ExitCode::kResource,
            message),
      status_(status) {}

AttachReport attach_report() noexcept {
  // relaxed: four counters for a log line.
  return {g_mappings.load(std::memory_order_relaxed), g_bytes.load(std::memory_order_relaxed),
          g_writable_bytes.load(std::memory_order_relaxed),
          g_locked_bytes.load(std::memory_order_relaxed)};
}

Instance Instance::attach(const std::string& dir, std::chrono::milliseconds wait) {
  const std::string path = dir + '/' + control_file();
  const auto deadline = std::chrono::steady_clock::now() + wait;
  while (!file_id_of(path) && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(kPollEvery);
  if (!file_id_of(path))
    throw AttachError(AttachStatus::kNotYet, path + ": not yet: no layout after " +
                                                 std::to_string(wait.count()) + " ms; " +
                                                 kCreateAgain + " or check the folder's name");
  Region region = open_ready(path, Region::Access::kReadOnly, control_bytes());
  const SegmentHeader header = copy_header(region);
  verify_format(path, region, header, SegmentKind::kControl);
  if (header.schema_hash != kSchemaHash<ClockCalibration>)
    refuse(AttachStatus::kWrongLayout, path, "clock calibration's schema hash",
           hex(header.schema_hash), hex(kSchemaHash<ClockCalibration>), kCreateAgain);

  const ClockCalibration clock = copy_clock(region);
  if (clock.mult > kMaxClockMult || clock.shift > kMaxClockShift)
    refuse(AttachStatus::kWrongLayout, path, "clock calibration",
           std::to_string(clock.mult) + " / 2^" + std::to_string(clock.shift),
           "at most " + std::to_string(kMaxClockMult) + " / 2^" + std::to_string(kMaxClockShift),
           kCreateAgain);

  Instance instance;
  instance.dir_ = dir;
  instance.name_ = view_of(header.name);
  instance.generation_ = header.generation;
  instance.build_id_ = header.build_id;
  instance.clock_ = clock;
  instance.control_ = std::make_shared<const Region>(std::move(region));
  return instance;
}

bool Instance::still_current() const noexcept {
  return file_id_of(dir_ + '/' + control_file()) == control_->file_id();
}

Segment attach_segment(const Instance& instance, const std::string& file,
                       const SegmentExpectation& expected, Region::Access access) {
  const std::string path = instance.dir() + '/' + file;
  const bool writable = access == Region::Access::kReadWrite;
  if (writable) {
    // The role is asked for before anything is mapped writable: look at the header read-only first.
    const Region look = open_ready(path, Region::Access::kReadOnly, expected.min_bytes);
    verify_owner(instance, path, copy_header(look));
  }
  Segment segment{open_ready(path, access, expected.min_bytes), {}};
  segment.header = copy_header(segment.region);
  verify_format(path, segment.region, segment.header, expected.kind);
  verify_expectation(path, segment.header, expected, instance.generation());

  segment.region.prefault();
  g_mappings.fetch_add(1, std::memory_order_relaxed);
  g_bytes.fetch_add(segment.region.size(), std::memory_order_relaxed);
  if (writable) {
    g_writable_bytes.fetch_add(segment.region.size(), std::memory_order_relaxed);
    if (segment.region.lock_in_memory())
      g_locked_bytes.fetch_add(segment.region.size(), std::memory_order_relaxed);
  }
  return segment;
}

}  // namespace sluice::shm
