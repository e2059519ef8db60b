// The journal on disk: a folder of segment files `journal-000001.seg`, `journal-000002.seg`, …
//
//   segment := header page (4096 bytes) | record | record | … | zeros up to segment_bytes
//   header  := identity @0 | activation @512 | sync mark A @1024 | sync mark B @1536 | seal @2048 |
//   zeros record  := RecordHeader (24 bytes) | payload | zeros up to a multiple of 8
//
// Invariants:
//  1. Records carry consecutive positions, 1, 2, 3, … through all segments. A record's `length` is
//     stored last (with its CRC, as one 8-byte word), so a half-written record reads as "end".
//  2. The identity is durable before a segment is used and never changes. The activation is written
//     when the first record is about to come; a segment without one is a spare and holds nothing.
//  3. A sync mark states a position that was durable before the mark was written: a lower bound.
//  What
//     is unreadable at or below the highest mark is damage; behind it, it is a torn tail and cut.
//  4. The seal is written after everything before it is durable: a sealed segment is whole to its
//  end.
//  5. Each of the four small structs lies inside one 512-byte sector and has its own CRC, seeded
//  with
//     the identity's; a record's CRC is seeded with the identity's CRC and its length, so a record
//     is only valid in the segment it was written for.
//
// All integers are little-endian (the only byte order this system runs on).
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "common/base/crc32c.hpp"
#include "common/base/id.hpp"

namespace sluice {

static_assert(std::endian::native == std::endian::little,
              "the journal's integers are little-endian");

inline constexpr std::array<char, 8> kJournalMagic{'S', 'L', 'U', 'J', 'R', 'N', 'L', '1'};
inline constexpr std::uint32_t kJournalVersion = 1;
inline constexpr std::uint64_t kSegmentHeaderBytes = 4096;
inline constexpr std::uint64_t kMinSegmentBytes = 16 * 1024;
inline constexpr std::uint64_t kMaxSegmentBytes = std::uint64_t{1} << 32;
inline constexpr std::size_t kMaxJournalInstanceChars = 31;

struct SegmentIdentity {
  std::array<char, 8> magic{kJournalMagic};
  std::uint32_t version{kJournalVersion};
  std::uint32_t header_bytes{kSegmentHeaderBytes};
  std::uint64_t segment_bytes{0};  // of the whole file
  std::uint64_t schema_hash{0};    // of the payload's record type
  std::uint64_t index{0};          // the number in the file's name
  std::int64_t prepared_wall_ns{0};
  Id128 journal_id{};  // the same in all segments of one journal
  std::array<char, kMaxJournalInstanceChars + 1> instance{};
  std::uint32_t reserved{0};
  std::uint32_t crc{0};
};
struct SegmentActivation {
  std::uint64_t first_position{0};
  std::uint32_t previous_crc{
      0};  // CRC of the last record before this segment: the chain; 0 at the start
  std::uint32_t crc{0};
};
struct SyncMark {
  std::uint64_t position{0};
  std::uint32_t reserved{0};
  std::uint32_t crc{0};
};
struct SegmentSeal {
  std::uint64_t last_position{0};  // first_position - 1 when the segment holds no record
  std::uint64_t end_offset{0};
  std::uint32_t last_crc{0};
  std::uint32_t crc{0};
};

inline constexpr std::size_t kIdentityOffset = 0;
inline constexpr std::size_t kActivationOffset = 512;
inline constexpr std::array<std::size_t, 2> kMarkOffsets{1024, 1536};
inline constexpr std::size_t kSealOffset = 2048;

template <class T>
inline constexpr bool kIsHeaderPart =
    std::is_trivially_copyable_v<T>&& std::is_standard_layout_v<T>&&
        std::has_unique_object_representations_v<T> &&
    sizeof(T) <= 512 && offsetof(T, crc) == sizeof(T) - 4;
static_assert(kIsHeaderPart<SegmentIdentity> && sizeof(SegmentIdentity) == 104,
              "bump kJournalVersion");
static_assert(kIsHeaderPart<SegmentActivation> && sizeof(SegmentActivation) == 16,
              "bump kJournalVersion");
static_assert(kIsHeaderPart<SyncMark> && sizeof(SyncMark) == 16, "bump kJournalVersion");
static_assert(kIsHeaderPart<SegmentSeal> && sizeof(SegmentSeal) == 24, "bump kJournalVersion");

enum class RecordType : std::uint16_t {
  kNone = 0,
  kTap = 1,            // one Tap (common/messages/tap.hpp)
  kTapCheckpoint = 2,  // tap_marks.hpp: the rings by name, and what of each was journalled so far
};
enum RecordFlag : std::uint16_t {
  kMadeByJournal = 1,  // written by persistence itself, not received: the gap it noticed
  kCheckpoint = 2,     // recovery may start here: nothing before this record is needed
};

struct RecordHeader {
  std::uint32_t length{0};  // header and payload, without the padding; 0: end
  std::uint32_t crc{0};     // of everything after this field up to the padded end
  RecordType type{RecordType::kNone};
  std::uint16_t flags{0};   // RecordFlag
  std::uint32_t source{0};  // the ring the record was taken from, by its index in the topology
  std::uint64_t position{0};
};
static_assert(std::is_trivially_copyable_v<RecordHeader> &&
              std::is_standard_layout_v<RecordHeader> &&
              std::has_unique_object_representations_v<RecordHeader>);
static_assert(sizeof(RecordHeader) == 24 && offsetof(RecordHeader, type) == 8,
              "bump kJournalVersion");

inline constexpr std::size_t kMaxRecordPayload = 8 * 1024;
static_assert(kMaxRecordPayload + sizeof(RecordHeader) < kMinSegmentBytes - kSegmentHeaderBytes,
              "every record fits into an empty segment");

[[nodiscard]] constexpr std::uint64_t padded(std::uint64_t length) noexcept {
  return (length + 7) & ~std::uint64_t{7};
}

// `body` is the record from its `type` to its padded end.
[[nodiscard]] inline std::uint32_t record_crc(std::uint32_t identity_crc, std::uint32_t length,
                                              std::span<const std::byte> body) noexcept {
  return crc32c(body.data(), body.size(), identity_crc ^ length);
}

// CRC of a header part: everything before its last four bytes. The identity's own seed is 0.
template <class Part>
[[nodiscard]] std::uint32_t part_crc(const Part& part, std::uint32_t identity_crc) noexcept {
  return crc32c(&part, sizeof(Part) - sizeof(std::uint32_t), identity_crc);
}

[[nodiscard]] std::string segment_name(std::uint64_t index);
// The index in a segment's file name; nullopt for any other name.
[[nodiscard]] std::optional<std::uint64_t> segment_index(std::string_view name) noexcept;

}  // namespace sluice
