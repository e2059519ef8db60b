// Which taps a journal already holds: the highest sequence per ring and incarnation of its
// producer.
//
// Plain values, no I/O. A tap's `ring` is an index in the topology, and a topology changes between
// runs: so the journal carries the rings' names beside the marks (TapCheckpoint), and marks follow
// the name.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/storage/journal_format.hpp"

namespace sluice {

// What every producer numbers its first tap of an incarnation with.
inline constexpr std::uint64_t kFirstTapSequence = 1;

struct TapMark {
  std::uint32_t incarnation{0};  // 0: none
  std::uint32_t ring{0};
  std::uint64_t sequence{0};
  friend constexpr bool operator==(const TapMark&, const TapMark&) = default;
};
static_assert(sizeof(TapMark) == 16 && std::has_unique_object_representations_v<TapMark>);

// Per ring the newest few incarnations, newest first. Nothing allocates: it is used per tap.
class TapMarks {
 public:
  static constexpr std::size_t kMaxRings = 64;
  // A ring hands out its records in order, so once this many newer incarnations were seen, whatever
  // still claims to be of an older one is a repetition.
  static constexpr std::size_t kIncarnations = 3;

  enum class Verdict : std::uint8_t {
    kNext,
    kAfterGap,    // sequences from `expected` on are missing
    kRepetition,  // at or below the mark, or of an incarnation that is over
    kMalformed,   // ring out of range, incarnation or sequence 0
  };
  struct Judgement {
    Verdict verdict{Verdict::kNext};
    std::uint64_t expected{kFirstTapSequence};  // the sequence that would have had no gap
  };
  // What a tap with this identity is, before it is noted.
  [[nodiscard]] Judgement judge(std::uint32_t ring, std::uint32_t incarnation,
                                std::uint64_t sequence) const noexcept;
  // Raises the mark; never lowers one. Malformed identities change nothing.
  void note(std::uint32_t ring, std::uint32_t incarnation, std::uint64_t sequence) noexcept;

  // nullopt when nothing of this ring and incarnation was journalled.
  [[nodiscard]] std::optional<std::uint64_t> highest(std::uint32_t ring,
                                                     std::uint32_t incarnation) const noexcept;
  // Newest incarnation first; unused places have incarnation 0.
  [[nodiscard]] std::span<const TapMark, kIncarnations> of_ring(std::uint32_t ring) const noexcept {
    return marks_[ring];
  }

 private:
  std::array<std::array<TapMark, kIncarnations>, kMaxRings> marks_{};
};

// The payload of a kTapCheckpoint record, and what recovery yields:
//   u16 rings | u16 marks | u32 zero | per ring: u8 length, characters | marks (16 bytes each,
//   unaligned)
struct TapCheckpoint {
  static constexpr std::size_t kMaxRingName = 63;

  std::vector<std::string> rings;  // by Tap::ring
  TapMarks marks;

  // Writes the payload; `out` has room for kMaxBytes. Returns its length. Does not allocate.
  [[nodiscard]] std::size_t encode(std::span<std::byte> out) const noexcept;
  // nullopt for anything that encode() does not write.
  [[nodiscard]] static std::optional<TapCheckpoint> decode(std::span<const std::byte> payload);
  // The same marks under other indices: each ring keeps those of the ring of its name.
  [[nodiscard]] TapCheckpoint renamed(std::vector<std::string> new_rings) const;

  static constexpr std::size_t kMaxBytes =
      8 + TapMarks::kMaxRings * (1 + kMaxRingName + TapMarks::kIncarnations * sizeof(TapMark));
};
static_assert(TapCheckpoint::kMaxBytes <= kMaxRecordPayload, "a checkpoint is one record");

}  // namespace sluice
