#include "common/storage/segment_info.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <span>
#include <utility>

#include "common/base/error.hpp"
#include "common/storage/file.hpp"

namespace sluice {
namespace {

template <class Part>
Part load_part(std::span<const std::byte> header, std::size_t offset) noexcept {
  Part part;
  std::memcpy(&part, header.data() + offset, sizeof(part));
  return part;
}

bool all_zero(std::span<const std::byte> bytes) noexcept {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

template <class Part>
bool never_written(std::span<const std::byte> header, std::size_t offset) noexcept {
  return all_zero(header.subspan(offset, sizeof(Part)));
}

// A part that is whole, or empty. `torn` is raised when something stands there that is not a whole
// part.
template <class Part>
std::optional<Part> whole_part(std::span<const std::byte> header, std::size_t offset,
                               std::uint32_t identity_crc, bool& torn) noexcept {
  if (never_written<Part>(header, offset))
    return std::nullopt;
  const auto part = load_part<Part>(header, offset);
  if (part.crc == part_crc(part, identity_crc))
    return part;
  torn = true;
  return std::nullopt;
}

// The bytes of the header page that no part occupies.
bool reserved_is_zero(std::span<const std::byte> header) noexcept {
  constexpr std::array<std::pair<std::size_t, std::size_t>, 5> kParts{{
      {kIdentityOffset, sizeof(SegmentIdentity)},
      {kActivationOffset, sizeof(SegmentActivation)},
      {kMarkOffsets[0], sizeof(SyncMark)},
      {kMarkOffsets[1], sizeof(SyncMark)},
      {kSealOffset, sizeof(SegmentSeal)},
  }};
  std::size_t begin = 0;
  for (const auto& [offset, size] : kParts) {
    if (!all_zero(header.subspan(begin, offset - begin)))
      return false;
    begin = offset + size;
  }
  return all_zero(header.subspan(begin));
}

// One finding about a segment: collects the file's name so that the checks below read as a list.
struct Reporter {
  const SegmentInfo& info;
  std::vector<Finding>& findings;

  void operator()(FindingKind kind, std::uint64_t offset, std::string text) const {
    findings.push_back(
        {.kind = kind, .file = info.path, .offset = offset, .text = std::move(text)});
  }
};

std::optional<SegmentIdentity> checked_identity(std::span<const std::byte> header,
                                                const SegmentInfo& info, const Reporter& report) {
  const auto identity = load_part<SegmentIdentity>(header, kIdentityOffset);
  if (identity.magic != kJournalMagic || identity.version != kJournalVersion) {
    report(FindingKind::kDamage, 0,
           fmt::format("not a journal segment of version {} (its version field says {}); another "
                       "build's journal needs that build's tools",
                       kJournalVersion, identity.version));
    return std::nullopt;
  }
  if (const std::uint32_t crc = part_crc(identity, 0); identity.crc != crc) {
    report(FindingKind::kDamage, 0,
           fmt::format("the header's CRC is {:08x}, its bytes give {:08x}; restore it from a copy",
                       identity.crc, crc));
    return std::nullopt;
  }
  if (identity.index != info.index || identity.segment_bytes < kMinSegmentBytes ||
      identity.segment_bytes > kMaxSegmentBytes || identity.header_bytes != kSegmentHeaderBytes) {
    report(FindingKind::kDamage, 0,
           fmt::format("the header is of segment {} with {} bytes; the file was renamed or is not "
                       "ours",
                       identity.index, identity.segment_bytes));
    return std::nullopt;
  }
  return identity;
}

void read_marks(std::span<const std::byte> header, SegmentInfo& info, const Reporter& report) {
  bool torn = false;
  for (const std::size_t offset : kMarkOffsets) {
    const auto mark = whole_part<SyncMark>(header, offset, info.identity->crc, torn);
    if (mark)
      info.marked_position = std::max(info.marked_position, mark->position);
  }
  if (torn) {
    report(FindingKind::kNote, kMarkOffsets[0], "a sync mark is torn; the other one counts");
  }
}

void read_seal(std::span<const std::byte> header, SegmentInfo& info, const Reporter& report) {
  bool torn = false;
  info.seal = whole_part<SegmentSeal>(header, kSealOffset, info.identity->crc, torn);
  if (torn) {
    report(FindingKind::kNote, kSealOffset, "the seal is torn; the next writer renews it");
  }
  if (!info.seal)
    return;
  const std::uint64_t end = info.seal->end_offset;
  if (end < kSegmentHeaderBytes || end % 8 != 0 || end > info.identity->segment_bytes) {
    report(FindingKind::kDamage, kSealOffset,
           fmt::format("the seal ends the records at {}, outside the file", end));
    info.seal.reset();
  }
}

void read_activation(std::span<const std::byte> header, SegmentInfo& info, const Reporter& report) {
  bool torn = false;
  info.activation =
      whole_part<SegmentActivation>(header, kActivationOffset, info.identity->crc, torn);
  const bool was_used = info.seal || !never_written<SyncMark>(header, kMarkOffsets[0]) ||
                        !never_written<SyncMark>(header, kMarkOffsets[1]);
  if (!info.activation && was_used) {
    report(FindingKind::kDamage, kActivationOffset,
           "the activation (first position, chain) is unreadable; the segment's records cannot be "
           "placed");
  } else if (torn) {
    report(FindingKind::kTornTail, kActivationOffset,
           "the activation is torn; the segment counts as unused");
  }
}

}  // namespace

const char* to_string(FindingKind kind) noexcept {
  switch (kind) {
    case FindingKind::kNote:
      return "note";
    case FindingKind::kTornTail:
      return "torn tail";
    case FindingKind::kDamage:
      return "damage";
  }
  return "?";
}

std::string describe(const Finding& finding) {
  return fmt::format("{} at byte {}: {}: {}", finding.file, finding.offset, to_string(finding.kind),
                     finding.text);
}

// By hand: libstdc++'s directory_iterator ends the process when its constructor finds no memory,
// and this runs inside the one that writes the journal.
std::vector<std::uint64_t> list_segments(const std::string& dir) {
  const auto close = [](DIR* folder) { ::closedir(folder); };
  const std::unique_ptr<DIR, decltype(close)> folder(::opendir(dir.c_str()), close);
  std::vector<std::uint64_t> indices;
  const dirent* entry = nullptr;
  while (folder && (errno = 0, entry = ::readdir(folder.get())) != nullptr) {
    if (const auto index = segment_index(entry->d_name))
      indices.push_back(*index);
  }
  if (!folder || errno != 0) {
    throw Error(ExitCode::kResource,
                fmt::format("journal folder {}: {}; name a folder with journal-*.seg files", dir,
                            errno_text(errno)));
  }
  std::sort(indices.begin(), indices.end());
  return indices;
}

SegmentInfo read_segment_info(const std::string& dir, std::uint64_t index,
                              std::vector<Finding>& findings) {
  SegmentInfo info;
  info.index = index;
  info.path = dir + "/" + segment_name(index);
  const Reporter report{info, findings};
  const UniqueFd fd(::open(info.path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!fd.valid() || ::fstat(fd.get(), &status) != 0) {
    report(
        FindingKind::kDamage, 0,
        "cannot be opened: " + errno_text(errno) + "; check the file's permissions and the disk");
    return info;
  }
  info.file_bytes = static_cast<std::uint64_t>(status.st_size);
  std::array<std::byte, kSegmentHeaderBytes> header{};
  if (pread_full(fd.get(), header, 0) < static_cast<ssize_t>(header.size())) {
    report(FindingKind::kDamage, 0,
           fmt::format("the file has {} bytes, its header alone has {}; restore it from a copy",
                       info.file_bytes, kSegmentHeaderBytes));
    return info;
  }
  info.identity = checked_identity(header, info, report);
  if (!info.identity)
    return info;
  if (!reserved_is_zero(header)) {
    report(FindingKind::kDamage, 0,
           "reserved bytes of the header are not zero; something wrote there");
  }
  read_marks(header, info, report);
  read_seal(header, info, report);
  read_activation(header, info, report);
  if (info.file_bytes != info.identity->segment_bytes) {
    // Too short matters where records are missing, and that is found when they are read.
    const bool shorter = info.file_bytes < info.identity->segment_bytes;
    report(shorter ? FindingKind::kTornTail : FindingKind::kNote, info.file_bytes,
           fmt::format("the file has {} bytes, its header says {}", info.file_bytes,
                       info.identity->segment_bytes));
  }
  return info;
}

}  // namespace sluice
