// The layout of an instance: which rings, boards and pages it has; creating and destroying it.
//
// Called by `sluicectl` (in production a oneshot unit), never by a stage. Invariants:
//  1. Both take every role lock first and refuse while one is held, or while a lossless ring still
//     holds records, unless forced; then they say what is lost.
//  2. A layout is created whole or not at all: a failure leaves no segment behind.
//  3. A layout of another build or layout version is recognised by its header, read as bytes and
//     never mapped.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shm/metrics.hpp"
#include "shm/ring.hpp"

namespace sluice::shm {

// Half of it must hold a gap record and the record the gap names (shm/conflation.hpp, settle).
inline constexpr std::uint32_t kMinSlots = 4;

struct RingSpec {
  std::string name;
  std::uint32_t slots{0};  // a power of two, at least kMinSlots
  std::uint32_t payload_bytes{0};
  std::uint64_t schema_hash{0};
  RingPolicy policy{};
  std::string producer;  // role
  std::string consumer;  // role
  std::uint64_t initial_sequence{0};
};
template <class R>
[[nodiscard]] RingSpec ring_spec(std::string name, std::uint32_t slots, RingPolicy policy,
                                 std::string producer, std::string consumer) {
  return {std::move(name),        slots,  RingRecord<R>::kBytes,
          RingRecord<R>::kSchema, policy, std::move(producer),
          std::move(consumer)};
}

struct BoardSpec {
  std::string name;
  std::uint32_t rows{0};
  std::uint32_t row_bytes{0};
  std::uint64_t schema_hash{0};
  std::string owner;  // role
};
template <class Row>
[[nodiscard]] BoardSpec board_spec(std::string name, std::uint32_t rows, std::string owner) {
  return {std::move(name), rows, sizeof(Row), kSchemaHash<Row>, std::move(owner)};
}

struct PageSpec {
  std::string stage;  // role that owns the page
  const MetricTable* metrics{nullptr};
};

struct Layout {
  std::string dir;
  std::vector<RingSpec> rings;
  std::vector<BoardSpec> boards;
  std::vector<PageSpec> pages;
  std::uint64_t build_id{0};
  std::string instance;  // empty: the last component of `dir`
};

struct CreateReport {
  std::uint64_t generation{0};
  std::uint64_t bytes{0};
  bool mlocked{false};    // all segments together could be locked in memory
  bool collapsed{false};  // there are segments of 2 MB or more, and all of them got huge pages
  std::vector<std::string> lost;  // with force: what was still undrained, one line each
};

// Replaces a drained layout of the same build, and what a creation that died left. Throws Error:
// kConfig for a layout that cannot be (capacity no power of two, two of one name, …), kRoleTaken
// while a role is held, kResource when an undrained layout or one of another build stands there
// (without force) or when there is no space.
CreateReport create_layout(const Layout& layout, bool force);

// Removes all segments; the lock files stay. Returns what was lost, one line each (force only).
// Throws Error(kRoleTaken) while a role is held, Error(kResource) when records would be lost
// (without force). Nothing to destroy is no error.
std::vector<std::string> destroy_layout(const std::string& dir, bool force);

// What stands in a folder, found by reading headers as bytes.
struct LayoutState {
  enum class Kind : std::uint8_t {
    kNone,        // no segment
    kIncomplete,  // a creation that did not finish: nothing was ever attached to it
    kComplete,    // a control segment of this layout version
    kForeign,     // another layout version, or no segment of ours at all
  };
  Kind kind{Kind::kNone};
  std::uint32_t layout_version{0};
  std::uint64_t build_id{0};
  std::uint64_t generation{0};
  std::vector<std::string> undrained;  // lossless rings that still hold records, one line each
  std::vector<std::string> untold;     // those whose dead producer lost records and told nobody
};
[[nodiscard]] LayoutState inspect_layout(const std::string& dir);

// The rings, boards and stages whose files stand in a folder, by the files' names, sorted. Nothing
// is opened: whether a file can be attached is asked by attaching.
struct SegmentNames {
  std::vector<std::string> rings;
  std::vector<std::string> boards;
  std::vector<std::string> stages;
};
[[nodiscard]] SegmentNames segment_names(const std::string& dir);

// Moves the segments of a dead run out of the way, to `<dir>.aside-<generation>`, whose path it
// returns. For leftovers of another build: nothing is mapped or lost. Takes all role locks first.
[[nodiscard]] std::string set_aside_layout(const std::string& dir);

}  // namespace sluice::shm
