// Instance: one process's view of a running layout; and the attach of its segments.
//
// Start-up code, one thread. Invariants:
//  1. Nothing is attached before the control segment is ready, and every later segment must carry
//     the generation it names.
//  2. A file is mapped writable only by a process that holds the role its header names as owner.
//  3. A refusal names the file, both values and the remedy.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "common/base/error.hpp"
#include "common/base/time.hpp"
#include "common/base/tsc.hpp"
#include "shm/region.hpp"
#include "shm/segment.hpp"

namespace sluice::shm {

// An attach that did not end in kReady. Exit code 75 for a role that is taken, 73 for the rest.
class AttachError : public Error {
 public:
  AttachError(AttachStatus status, const std::string& message);
  [[nodiscard]] AttachStatus status() const noexcept { return status_; }

 private:
  AttachStatus status_;
};

class Instance {
 public:
  // Waits up to `wait` for the control segment of `dir`. Throws AttachError.
  [[nodiscard]] static Instance attach(const std::string& dir, std::chrono::milliseconds wait);

  [[nodiscard]] const std::string& dir() const noexcept { return dir_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] std::uint64_t generation() const noexcept { return generation_; }
  [[nodiscard]] std::uint64_t build_id() const noexcept { return build_id_; }  // of the creator
  [[nodiscard]] const ClockCalibration& clock() const noexcept { return clock_; }
  [[nodiscard]] MonoNanos now() const noexcept { return mono_now(clock_); }

  // Whether the control segment behind the name is still the one attached: false once the layout
  // was destroyed, created anew or replaced. One stat call; for heartbeats, not for hot paths.
  [[nodiscard]] bool still_current() const noexcept;

 private:
  Instance() = default;

  std::string dir_;
  std::string name_;
  std::uint64_t generation_{0};
  std::uint64_t build_id_{0};
  ClockCalibration clock_{};
  std::shared_ptr<const Region> control_;  // stays mapped: its file's identity cannot be reused
};

// What a program expects of a segment. Zero in elements, element_bytes or schema_hash: any.
struct SegmentExpectation {
  SegmentKind kind;
  std::string name;  // of the ring, board or stage
  std::uint64_t schema_hash{0};
  std::uint64_t elements{0};
  std::uint32_t element_bytes{0};
  std::size_t min_bytes{kHeaderBytes};  // what the program will touch
};

// A verified segment. The header is a private copy: its owner may be hostile and change it later.
struct Segment {
  Region region;
  SegmentHeader header{};
};

// Maps `file` of the instance and verifies its header. kReadWrite demands that this process holds
// the role named as the file's owner; a file without owner (trip.operator) only needs its file
// mode. Throws AttachError.
[[nodiscard]] Segment attach_segment(const Instance& instance, const std::string& file,
                                     const SegmentExpectation& expected, Region::Access access);

// What this process has mapped so far, for one log line after start-up.
struct AttachReport {
  std::uint64_t mappings{0};
  std::uint64_t bytes{0};
  std::uint64_t writable_bytes{0};
  std::uint64_t locked_bytes{0};  // of the writable ones; less means RLIMIT_MEMLOCK was in the way
};
[[nodiscard]] AttachReport attach_report() noexcept;

}  // namespace sluice::shm
