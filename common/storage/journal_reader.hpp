// Reads a journal: all segments in order, of a live writer, a dead one, or one whose disk lied.
//
// Any process; needs read permission only, takes no lock, maps nothing (a file that shrinks while
// it is read is a finding, not a SIGBUS). Invariants:
//  1. A record is handed out only if its CRC is right and its position is the expected one (or,
//  behind
//     damage, a later one).
//  2. No input crashes it: every length, offset and count from a file is checked before use.
//  3. Whatever was skipped is in findings().
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/storage/file.hpp"
#include "common/storage/journal_format.hpp"
#include "common/storage/segment_info.hpp"

namespace sluice {

struct RecordView {
  std::uint64_t position{0};
  RecordType type{RecordType::kNone};
  std::uint16_t flags{0};
  std::uint32_t source{0};
  std::span<const std::byte> payload;  // valid until the next call of next()
  std::uint64_t segment{0};
  std::uint64_t offset{0};  // of the record in its file
};

// Where the journal ends; valid after next() returned false.
struct JournalEnd {
  std::size_t segment{0};          // into segments(); the last one with an activation
  std::uint64_t offset{0};         // of the first byte behind the last whole record
  std::uint64_t last_position{0};  // 0: no record at all
  std::uint32_t last_crc{0};
  std::uint64_t torn_bytes{0};  // bytes behind the end, in this segment, that are not zero
};

class JournalReader {
 public:
  // Lists the segments and reads their headers. Throws Error(kResource) when the folder cannot be
  // read. A folder without segments is not an error: segments() is empty and next() returns false.
  explicit JournalReader(std::string dir);
  ~JournalReader();
  JournalReader(JournalReader&&) noexcept;
  JournalReader& operator=(JournalReader&&) noexcept;

  // The next whole record, or false at the end. Behind damage it goes on with the next record that
  // is whole; at a torn tail it ends.
  [[nodiscard]] bool next(RecordView& out);

  // Begins at segments()[from] instead, trusting what stands before it. Before the first next().
  void start_at(std::size_t from);
  // The newest segment where recovery may start: its first record is a checkpoint and no segment
  // before it waits for its seal. 0 when there is none.
  [[nodiscard]] std::size_t newest_checkpoint();

  [[nodiscard]] const std::vector<SegmentInfo>& segments() const noexcept { return segments_; }
  [[nodiscard]] const std::vector<Finding>& findings() const noexcept { return findings_; }
  [[nodiscard]] bool damaged() const noexcept;
  [[nodiscard]] const JournalEnd& end() const noexcept { return end_; }
  // Highest position that a mark or seal calls durable.
  [[nodiscard]] std::uint64_t durable_position() const noexcept { return durable_; }

 private:
  class Window;  // a buffered view of one file
  enum class Step : std::uint8_t { kRecord, kEndOfRecords, kUnreadable };

  void check_siblings();
  void open_segment(std::size_t at);
  [[nodiscard]] Step parse(std::uint64_t offset, RecordView& out, std::uint32_t& crc,
                           std::string& why);
  [[nodiscard]] bool leave_segment();
  [[nodiscard]] bool skip_unreadable(const std::string& why);
  [[nodiscard]] bool resynchronise();
  [[nodiscard]] bool enter_next_segment();
  [[nodiscard]] std::optional<std::size_t> next_activated(std::size_t from) const noexcept;
  [[nodiscard]] std::uint64_t limit() const noexcept;
  [[nodiscard]] std::uint64_t count_nonzero(std::uint64_t from);
  void finish();
  void note(FindingKind kind, const SegmentInfo& info, std::uint64_t offset, std::string text);

  std::string dir_;
  std::vector<SegmentInfo> segments_;
  std::vector<Finding> findings_;
  std::unique_ptr<Window> window_;
  std::size_t start_{0};
  std::size_t at_{0};  // the segment being read
  bool opened_{false};
  bool done_{false};
  std::uint64_t offset_{kSegmentHeaderBytes};
  std::uint64_t expected_{0};              // position of the next record
  std::optional<std::uint32_t> last_crc_;  // empty: of an unreadable record
  std::uint64_t durable_{0};
  JournalEnd end_{};
};

}  // namespace sluice
