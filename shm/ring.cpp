#include "shm/ring.hpp"

#include <algorithm>
#include <bit>
#include <string>

#include "shm/layout_files.hpp"
#include "shm/ring_probe.hpp"

namespace sluice::shm {
namespace {

SegmentExpectation ring_file(SegmentKind kind, const std::string& ring, std::uint64_t schema_hash,
                             std::uint32_t payload_bytes) {
  return {.kind = kind,
          .name = ring,
          .schema_hash = schema_hash,
          .element_bytes = payload_bytes == 0
                               ? 0
                               : payload_bytes + static_cast<std::uint32_t>(sizeof(std::uint64_t))};
}

// Both halves must describe the same ring, and the slots must lie inside the file. The headers were
// written by create_layout, but either may have been spoilt since by the role that owns its file.
void verify_halves(const Instance& instance, const std::string& ring, const SegmentHeader& data,
                   const SegmentHeader& cursor) {
  const std::string path = instance.dir() + '/' + ring_data_file(ring);
  const bool same = data.elements == cursor.elements &&
                    data.element_bytes == cursor.element_bytes &&
                    data.schema_hash == cursor.schema_hash && data.owner == cursor.peer &&
                    data.peer == cursor.owner && data.initial_sequence == cursor.initial_sequence;
  if (!same)
    throw AttachError(AttachStatus::kWrongLayout,
                      path + ": wrong layout: its header contradicts that of " +
                          ring_cursor_file(ring) + "; run 'sluicectl shm create'");
  // The division first: the product of two numbers from a spoilt header could wrap.
  if (!std::has_single_bit(data.elements) || data.element_bytes % kCacheLine != 0 ||
      data.element_bytes == 0 || data.elements > data.file_bytes / data.element_bytes ||
      data.file_bytes != ring_data_bytes(data.elements, data.element_bytes) ||
      cursor.file_bytes != ring_cursor_bytes())
    throw AttachError(AttachStatus::kWrongSize,
                      path + ": wrong size: " + std::to_string(data.elements) + " slots of " +
                          std::to_string(data.element_bytes) + " bytes in a file of " +
                          std::to_string(data.file_bytes) + " bytes; run 'sluicectl shm create'");
}

RingMapping attach_halves(const Instance& instance, const std::string& ring,
                          std::uint64_t schema_hash, std::uint32_t payload_bytes,
                          Region::Access data_access, Region::Access cursor_access) {
  Segment data = attach_segment(instance, ring_data_file(ring),
                                ring_file(SegmentKind::kRingData, ring, schema_hash, payload_bytes),
                                data_access);
  Segment cursor = attach_segment(
      instance, ring_cursor_file(ring),
      ring_file(SegmentKind::kRingCursor, ring, schema_hash, payload_bytes), cursor_access);
  verify_halves(instance, ring, data.header, cursor.header);
  return {std::move(data.region), std::move(cursor.region), data.header, {}};
}

}  // namespace

const char* to_string(RingPolicy policy) noexcept {
  switch (policy) {
    case RingPolicy::kConflate:
      return "conflate";
    case RingPolicy::kRefuse:
      return "refuse";
    case RingPolicy::kReserved:
      return "reserved";
    case RingPolicy::kLossless:
      return "lossless";
    case RingPolicy::kCountedGap:
      return "counted gap";
  }
  return "unknown policy";
}

RingMapping attach_ring_producer(const Instance& instance, const std::string& ring,
                                 std::uint64_t schema_hash, std::uint32_t payload_bytes) {
  RingMapping mapping = attach_halves(instance, ring, schema_hash, payload_bytes,
                                      Region::Access::kReadWrite, Region::Access::kReadOnly);
  // relaxed: only compared. Before a slot is written, the producer acquires the cursor itself.
  const std::uint64_t cursor = StdAtomics::load_relaxed(mapping.consumer()->cursor);
  mapping.recovery = recover_tail<StdAtomics>(
      mapping.slots(), mapping.slot_words(), mapping.capacity(), mapping.header.initial_sequence,
      StdAtomics::load_relaxed(mapping.producer()->tail), cursor);
  if (!mapping.recovery.sound)
    throw AttachError(AttachStatus::kWrongLayout,
                      instance.dir() + '/' + ring_data_file(ring) +
                          ": wrong layout: its stamps contradict its tail " +
                          std::to_string(mapping.recovery.tail) + " and the consumer's cursor " +
                          std::to_string(cursor) +
                          ": the producer before was broken; run 'sluicectl shm create'");
  return mapping;
}

RingMapping attach_ring_consumer(const Instance& instance, const std::string& ring,
                                 std::uint64_t schema_hash, std::uint32_t payload_bytes) {
  return attach_halves(instance, ring, schema_hash, payload_bytes, Region::Access::kReadOnly,
                       Region::Access::kReadWrite);
}

RingMapping attach_ring_reader(const Instance& instance, const std::string& ring) {
  return attach_halves(instance, ring, 0, 0, Region::Access::kReadOnly, Region::Access::kReadOnly);
}

RingProbe::RingProbe(const Instance& instance, const std::string& ring)
    : name_(ring), mapping_(attach_ring_reader(instance, ring)) {}

RingProbe::RingProbe(const std::string& dir, const std::string& ring)
    : RingProbe(Instance::attach(dir, std::chrono::milliseconds{0}), ring) {}

std::string RingProbe::producer() const {
  return std::string(view_of(mapping_.header.owner));
}
std::string RingProbe::consumer() const {
  return std::string(view_of(mapping_.header.peer));
}

std::uint32_t RingProbe::payload_bytes() const noexcept {
  return mapping_.header.element_bytes - static_cast<std::uint32_t>(sizeof(std::uint64_t));
}

RingReaderCore<StdAtomics> RingProbe::reader() const noexcept {
  return {mapping_.slots(),    mapping_.slot_words(),
          mapping_.capacity(), mapping_.header.initial_sequence,
          mapping_.producer(), mapping_.consumer()};
}

std::uint64_t RingProbe::messages() const noexcept {
  return tail() - mapping_.header.initial_sequence;
}

std::uint64_t RingProbe::depth_max() const noexcept {
  const std::uint64_t produced = StdAtomics::load_relaxed(mapping_.producer()->depth_max);
  const std::uint64_t batch = StdAtomics::load_relaxed(mapping_.consumer()->batch_max);
  return std::max({produced, batch, depth()});
}

std::uint64_t RingProbe::drops() const noexcept {
  return StdAtomics::load_relaxed(mapping_.producer()->drops);
}

std::uint64_t RingProbe::gaps() const noexcept {
  return StdAtomics::load_relaxed(mapping_.producer()->gaps);
}

std::uint64_t RingProbe::snapshots() const noexcept {
  return StdAtomics::load_relaxed(mapping_.producer()->snapshots);
}

std::uint64_t RingProbe::owed() const noexcept {
  return StdAtomics::load_relaxed(mapping_.producer()->owed);
}

std::uint64_t RingProbe::broken_peer() const noexcept {
  return StdAtomics::load_relaxed(mapping_.producer()->broken_peer);
}

std::uint64_t RingProbe::refused() const noexcept {
  return StdAtomics::load_relaxed(mapping_.consumer()->refused);
}

bool RingProbe::detached() const noexcept {
  return StdAtomics::load_relaxed(mapping_.consumer()->detached) != 0;
}

}  // namespace sluice::shm
