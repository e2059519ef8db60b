// What the files of a journal say of themselves, before any record is read.
//
// Any process; reads headers only. No input crashes it: every number from a file is checked before
// use.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/storage/journal_format.hpp"

namespace sluice {

enum class FindingKind : std::uint8_t {
  kNote,      // harmless: a mark torn by a kill
  kTornTail,  // the end of what was never reported durable; the next writer cuts it
  kDamage,    // something that was durable cannot be read
};
[[nodiscard]] const char* to_string(FindingKind kind) noexcept;

struct Finding {
  FindingKind kind{FindingKind::kNote};
  std::string file;
  std::uint64_t offset{0};
  std::string text;  // expected and actual, and what to do
};
// "file:offset: damage: text"
[[nodiscard]] std::string describe(const Finding& finding);

// What the header of a segment says; a part that is missing or unreadable is empty.
struct SegmentInfo {
  std::string path;
  std::uint64_t index{0};
  std::uint64_t file_bytes{0};
  std::optional<SegmentIdentity> identity;
  std::optional<SegmentActivation> activation;
  std::optional<SegmentSeal> seal;
  std::uint64_t marked_position{0};  // the higher of the two marks
  // As far as it was read: what was handed out, and where it ends.
  std::uint64_t records{0};
  std::uint64_t last_position{0};
  std::uint64_t end_offset{0};  // 0: not read
  std::uint32_t last_crc{0};
};

// Reads the header of segment `index` of `dir`; what is wrong with it is added to `findings`.
[[nodiscard]] SegmentInfo read_segment_info(const std::string& dir, std::uint64_t index,
                                            std::vector<Finding>& findings);

// The indices of the segment files in `dir`, ascending. Throws Error(kResource) when it cannot be
// read.
[[nodiscard]] std::vector<std::uint64_t> list_segments(const std::string& dir);

}  // namespace sluice
