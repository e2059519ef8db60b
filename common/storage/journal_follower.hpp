// JournalFollower: reads a journal from a remembered place on, while its writer goes on appending.
//
// Any thread; maps nothing, takes no lock, holds one file and one buffer of 1 MiB. Invariants:
//  1. It hands out records up to the position the caller names and no further: whoever names the
//     durable position reads only what a power cut leaves.
//  2. Every record is checked as JournalReader does: CRC, position, chain of segments. What is
//     durable and cannot be read is an Error, never skipped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "common/base/id.hpp"
#include "common/storage/file.hpp"
#include "common/storage/journal_reader.hpp"

namespace sluice {

// Where reading goes on, and what stands just before: enough to notice another journal.
struct JournalPlace {
  std::uint64_t position{0};  // last record that was read; 0: none
  std::uint64_t segment{0};   // its file; 0: begin with the oldest segment
  std::uint64_t offset{0};    // of the first byte behind it
  std::uint32_t crc{0};       // its CRC
  friend constexpr bool operator==(const JournalPlace&, const JournalPlace&) = default;
};

// Which journal a folder holds.
struct JournalName {
  std::string instance;
  Id128 journal_id{};
  std::uint64_t schema_hash{0};
  std::uint64_t first_position{0};  // of the oldest segment that is still there
};
// Reads the headers. Throws Error(kResource) when the folder has no segment with an identity.
[[nodiscard]] JournalName name_of_journal(const std::string& dir);

class JournalFollower {
 public:
  // Goes on behind `place`, and checks that the record which ends there is the one remembered.
  // Throws Error(kResource) when it is not: the folder holds an older copy of the journal.
  JournalFollower(std::string dir, const JournalPlace& place);

  // The next record, up to and including position `limit`; false when that is reached. The payload
  // is valid until the next call. Throws Error(kResource) for damage.
  [[nodiscard]] bool next(std::uint64_t limit, RecordView& out);
  // Behind the last record that next() handed out.
  [[nodiscard]] const JournalPlace& place() const noexcept { return place_; }

 private:
  enum class Step : std::uint8_t { kRecord, kEnd, kUnreadable };
  static constexpr std::size_t kWindow = 1 << 20;

  void open(std::uint64_t segment);
  void enter_next();
  void check_remembered(const JournalPlace& place);
  [[nodiscard]] Step parse(RecordView& out, std::uint32_t& crc);
  [[nodiscard]] const std::byte* view(std::size_t bytes);
  [[noreturn]] void refuse(const std::string& what) const;

  std::string dir_;
  SegmentInfo info_;
  UniqueFd fd_;
  JournalPlace place_;
  std::vector<std::byte> buffer_;
  std::uint64_t begin_{0};  // of the buffer in the file
  std::size_t filled_{0};
};

}  // namespace sluice
