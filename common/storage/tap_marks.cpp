#include "common/storage/tap_marks.hpp"

#include <algorithm>
#include <cstring>

namespace sluice {

TapMarks::Judgement TapMarks::judge(std::uint32_t ring, std::uint32_t incarnation,
                                    std::uint64_t sequence) const noexcept {
  if (ring >= kMaxRings || incarnation == 0 || sequence < kFirstTapSequence) {
    return {.verdict = Verdict::kMalformed};
  }
  std::uint64_t expected = kFirstTapSequence;
  for (const TapMark& mark : marks_[ring]) {
    if (mark.incarnation == incarnation) {
      if (sequence <= mark.sequence)
        return {.verdict = Verdict::kRepetition, .expected = mark.sequence};
      expected = mark.sequence + 1;
      break;
    }
    if (mark.incarnation < incarnation)
      break;  // also an unused place
    if (&mark == &marks_[ring].back())
      return {.verdict = Verdict::kRepetition};
  }
  return {.verdict = sequence == expected ? Verdict::kNext : Verdict::kAfterGap,
          .expected = expected};
}

void TapMarks::note(std::uint32_t ring, std::uint32_t incarnation,
                    std::uint64_t sequence) noexcept {
  if (ring >= kMaxRings || incarnation == 0)
    return;
  auto& marks = marks_[ring];
  const auto at = std::find_if(marks.begin(), marks.end(), [&](const TapMark& mark) {
    return mark.incarnation <= incarnation;
  });
  if (at == marks.end())
    return;  // older than all that are kept: over
  if (at->incarnation == incarnation) {
    at->sequence = std::max(at->sequence, sequence);
    return;
  }
  std::move_backward(at, marks.end() - 1, marks.end());
  *at = {.incarnation = incarnation, .ring = ring, .sequence = sequence};
}

std::optional<std::uint64_t> TapMarks::highest(std::uint32_t ring,
                                               std::uint32_t incarnation) const noexcept {
  if (ring >= kMaxRings || incarnation == 0)
    return std::nullopt;
  for (const TapMark& mark : marks_[ring]) {
    if (mark.incarnation == incarnation)
      return mark.sequence;
  }
  return std::nullopt;
}

std::size_t TapCheckpoint::encode(std::span<std::byte> out) const noexcept {
  std::size_t at = 8;
  for (const std::string& name : rings) {
    out[at++] = static_cast<std::byte>(name.size());
    std::memcpy(out.data() + at, name.data(), name.size());
    at += name.size();
  }
  std::uint16_t count = 0;
  for (std::uint32_t ring = 0; ring < rings.size(); ++ring) {
    for (const TapMark& mark : marks.of_ring(ring)) {
      if (mark.incarnation == 0)
        break;
      std::memcpy(out.data() + at, &mark, sizeof(mark));
      at += sizeof(mark);
      ++count;
    }
  }
  const std::array<std::uint16_t, 4> head{static_cast<std::uint16_t>(rings.size()), count, 0, 0};
  std::memcpy(out.data(), head.data(), sizeof(head));
  return at;
}

std::optional<TapCheckpoint> TapCheckpoint::decode(std::span<const std::byte> payload) {
  std::array<std::uint16_t, 4> head{};
  if (payload.size() < sizeof(head))
    return std::nullopt;
  std::memcpy(head.data(), payload.data(), sizeof(head));
  const auto [ring_count, mark_count, zero_low, zero_high] = head;
  if (ring_count > TapMarks::kMaxRings || zero_low != 0 || zero_high != 0)
    return std::nullopt;
  TapCheckpoint checkpoint;
  std::size_t at = sizeof(head);
  for (std::uint16_t i = 0; i < ring_count; ++i) {
    if (at == payload.size())
      return std::nullopt;
    const auto length = std::to_integer<std::size_t>(payload[at++]);
    if (length > kMaxRingName || length > payload.size() - at)
      return std::nullopt;
    checkpoint.rings.emplace_back(reinterpret_cast<const char*>(payload.data()) + at, length);
    at += length;
  }
  if (payload.size() - at != mark_count * sizeof(TapMark))
    return std::nullopt;
  for (; at < payload.size(); at += sizeof(TapMark)) {
    TapMark mark;
    std::memcpy(static_cast<void*>(&mark), payload.data() + at, sizeof(mark));
    if (mark.ring >= ring_count || mark.incarnation == 0)
      return std::nullopt;
    checkpoint.marks.note(mark.ring, mark.incarnation, mark.sequence);
  }
  return checkpoint;
}

TapCheckpoint TapCheckpoint::renamed(std::vector<std::string> new_rings) const {
  TapCheckpoint other;
  for (std::uint32_t to = 0; to < new_rings.size(); ++to) {
    const auto from = std::find(rings.begin(), rings.end(), new_rings[to]);
    if (from == rings.end())
      continue;
    for (const TapMark& mark : marks.of_ring(static_cast<std::uint32_t>(from - rings.begin()))) {
      other.marks.note(to, mark.incarnation, mark.sequence);
    }
  }
  other.rings = std::move(new_rings);
  return other;
}

}  // namespace sluice
