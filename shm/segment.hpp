// The format of every file in an instance's folder: one header page, then the body.
//
// Any process may read a header; only `create_layout` writes one. Invariants:
//  1. A file appears under its name only when it is complete (built as `<name>.tmp`, then renamed),
//     and the control segment appears last.
//  2. `ready` is stored last with release; nothing else of the header changes afterwards.
//  3. Every header carries the generation that the control segment names; an attach compares them.
//  4. A change of any offset here is a new kLayoutVersion. A file of another version is never
//     mapped by stages and never interpreted beyond its first 24 bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace sluice::shm {

inline constexpr std::array<char, 8> kSegmentMagic{'S', 'L', 'U', 'I', 'C', 'E', 'S', 'M'};
inline constexpr std::uint32_t kLayoutVersion = 3;
inline constexpr std::uint64_t kReadyWord = 0x5245'4144'5921'0001;  // "READY!" and a 1
inline constexpr std::size_t kPageBytes = 4096;
inline constexpr std::size_t kHeaderBytes = kPageBytes;
inline constexpr std::size_t kMaxNameBytes = 63;

enum class SegmentKind : std::uint32_t {
  kControl = 1,
  kRingData = 2,
  kRingCursor = 3,
  kBoard = 4,
  kStagePage = 5,
  kOperatorTrip = 6,
};
[[nodiscard]] const char* to_string(SegmentKind kind) noexcept;

using FixedName = std::array<char, kMaxNameBytes + 1>;  // zero-terminated

struct SegmentHeader {
  std::array<char, 8> magic;
  std::uint32_t layout_version;
  SegmentKind kind;
  std::uint64_t build_id;
  std::uint64_t generation;
  std::uint64_t schema_hash;       // of the record, row or metric table inside
  std::uint64_t file_bytes;        // of the whole file
  std::uint64_t elements;          // slots or rows
  std::uint32_t element_bytes;     // of a slot with its stamp, or of a row's value
  std::uint32_t policy;            // RingPolicy, rings only
  std::uint64_t initial_sequence;  // rings only
  FixedName name;                  // of the ring, board, stage or instance
  FixedName owner;                 // role that may write this file
  FixedName peer;                  // rings: the role at the other end
  std::uint64_t ready;
};
static_assert(std::is_trivially_copyable_v<SegmentHeader> &&
              std::is_standard_layout_v<SegmentHeader>);
static_assert(std::has_unique_object_representations_v<SegmentHeader>, "name the padding");
static_assert(offsetof(SegmentHeader, layout_version) == 8 &&
                  offsetof(SegmentHeader, build_id) == 16,
              "the first 24 bytes never change: every build must be able to recognise every other");
static_assert(offsetof(SegmentHeader, generation) == 24, "bump kLayoutVersion");
static_assert(offsetof(SegmentHeader, schema_hash) == 32, "bump kLayoutVersion");
static_assert(offsetof(SegmentHeader, file_bytes) == 40, "bump kLayoutVersion");
static_assert(offsetof(SegmentHeader, elements) == 48, "bump kLayoutVersion");
static_assert(offsetof(SegmentHeader, element_bytes) == 56, "bump kLayoutVersion");
static_assert(offsetof(SegmentHeader, initial_sequence) == 64, "bump kLayoutVersion");
static_assert(offsetof(SegmentHeader, name) == 72, "bump kLayoutVersion");
static_assert(offsetof(SegmentHeader, ready) == 264, "bump kLayoutVersion");
static_assert(sizeof(SegmentHeader) == 272 && sizeof(SegmentHeader) <= kHeaderBytes);

[[nodiscard]] std::string_view view_of(const FixedName& name) noexcept;  // ends at the first zero

// What rings, boards, stages and roles may be called: a file name that says nothing to a shell.
[[nodiscard]] bool is_plain_name(std::string_view name) noexcept;

// What can become of an attach. Each comes with a message that names both values and the remedy.
enum class AttachStatus : std::uint32_t {
  kReady,
  kNotYet,           // no such file, or its ready word is not set
  kWrongLayout,      // other magic, layout version, kind, schema hash or metric table
  kWrongSize,        // other slots, slot size, rows, row size or file size
  kWrongGeneration,  // made for another generation than the control segment names
  kRoleTaken,        // another process holds the role that may write here
};
[[nodiscard]] const char* to_string(AttachStatus status) noexcept;

// File names inside an instance's folder.
[[nodiscard]] std::string control_file();
[[nodiscard]] std::string operator_trip_file();
[[nodiscard]] std::string ring_data_file(std::string_view ring);
[[nodiscard]] std::string ring_cursor_file(std::string_view ring);
[[nodiscard]] std::string board_file(std::string_view board);
[[nodiscard]] std::string stage_file(std::string_view stage);
[[nodiscard]] std::string locks_folder(const std::string& dir);

}  // namespace sluice::shm
