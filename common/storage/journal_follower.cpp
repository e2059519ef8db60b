#include "common/storage/journal_follower.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "common/base/error.hpp"

namespace sluice {

JournalName name_of_journal(const std::string& dir) {
  const JournalReader reader(dir);
  JournalName name;
  bool found = false;
  for (const SegmentInfo& info : reader.segments()) {
    if (!info.identity)
      continue;
    if (!std::exchange(found, true)) {
      name.instance = info.identity->instance.data();
      name.journal_id = info.identity->journal_id;
      name.schema_hash = info.identity->schema_hash;
    }
    if (name.first_position == 0 && info.activation)
      name.first_position = info.activation->first_position;
  }
  if (!found) {
    throw Error(
        ExitCode::kResource,
        fmt::format("{}: no journal-*.seg file is there; name the journal folder of a run", dir));
  }
  return name;
}

JournalFollower::JournalFollower(std::string dir, const JournalPlace& place)
    : dir_(std::move(dir)), buffer_(kWindow) {
  if (place.segment == 0) {
    for (const std::uint64_t index : list_segments(dir_)) {
      open(index);
      if (!info_.activation)
        continue;
      place_ = {.position = info_.activation->first_position - 1,
                .segment = index,
                .offset = kSegmentHeaderBytes,
                .crc = info_.activation->previous_crc};
      return;
    }
    throw Error(ExitCode::kResource,
                fmt::format("journal {}: no segment that was used is there", dir_));
  }
  open(place.segment);
  check_remembered(place);
}

void JournalFollower::refuse(const std::string& what) const {
  throw Error(
      ExitCode::kResource,
      fmt::format("journal {}: {}; `sluice-journal verify {}` lists everything", dir_, what, dir_));
}

void JournalFollower::open(std::uint64_t segment) {
  std::vector<Finding> findings;
  info_ = read_segment_info(dir_, segment, findings);
  fd_ = UniqueFd(::open(info_.path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd_.valid() || !info_.identity) {
    refuse(findings.empty() ? info_.path + " cannot be opened: " + errno_text(errno)
                            : describe(findings.front()));
  }
  filled_ = 0;
}

// The record that ends at the remembered place must be the remembered one: walks the segment to it.
void JournalFollower::check_remembered(const JournalPlace& place) {
  if (!info_.activation)
    refuse(fmt::format("{} holds no records, but record {} was read there", info_.path,
                       place.position));
  place_ = {.position = info_.activation->first_position - 1,
            .segment = info_.index,
            .offset = kSegmentHeaderBytes,
            .crc = info_.activation->previous_crc};
  RecordView record;
  while (place_.position < place.position) {
    std::uint32_t crc = 0;
    if (parse(record, crc) != Step::kRecord)
      break;
    place_.position = record.position;
    place_.offset += padded(sizeof(RecordHeader) + record.payload.size());
    place_.crc = crc;
  }
  if (place_ != place) {
    throw Error(
        ExitCode::kResource,
        fmt::format("journal {}: record {} (CRC {:08x}) was read here before, now the folder "
                    "has record {} (CRC {:08x}) there: it is an older copy; move what was made "
                    "from it, the "
                    "database, aside: it is made anew",
                    dir_, place.position, place.crc, place_.position, place_.crc));
  }
}

// `bytes` bytes from the current place, read anew when the buffer does not hold them.
const std::byte* JournalFollower::view(std::size_t bytes) {
  if (place_.offset < begin_ || place_.offset + bytes > begin_ + filled_) {
    const ssize_t n = pread_full(fd_.get(), buffer_, place_.offset);
    begin_ = place_.offset;
    filled_ = n > 0 ? static_cast<std::size_t>(n) : 0;
    if (filled_ < bytes)
      return nullptr;
  }
  return buffer_.data() + (place_.offset - begin_);
}

JournalFollower::Step JournalFollower::parse(RecordView& out, std::uint32_t& crc) {
  const std::uint64_t end = info_.identity->segment_bytes;
  if (place_.offset + sizeof(RecordHeader) > end)
    return Step::kEnd;
  const std::byte* bytes = view(sizeof(RecordHeader));
  if (bytes == nullptr)
    return Step::kUnreadable;
  RecordHeader header;
  std::memcpy(static_cast<void*>(&header), bytes, sizeof(header));
  if (header.length == 0)
    return Step::kEnd;
  const std::uint64_t total = padded(header.length);
  if (header.length < sizeof(RecordHeader) ||
      header.length > sizeof(RecordHeader) + kMaxRecordPayload || total > end - place_.offset) {
    return Step::kUnreadable;
  }
  bytes = view(total);
  if (bytes == nullptr)
    return Step::kUnreadable;
  constexpr std::size_t kBody = offsetof(RecordHeader, type);
  crc = record_crc(info_.identity->crc, header.length, {bytes + kBody, total - kBody});
  if (crc != header.crc || header.position != place_.position + 1)
    return Step::kUnreadable;
  out = {.position = header.position,
         .type = header.type,
         .flags = header.flags,
         .source = header.source,
         .payload = {bytes + sizeof(RecordHeader), header.length - sizeof(RecordHeader)},
         .segment = info_.index,
         .offset = place_.offset};
  return Step::kRecord;
}

bool JournalFollower::next(std::uint64_t limit, RecordView& out) {
  if (place_.position >= limit)
    return false;
  for (;;) {
    std::uint32_t crc = 0;
    Step step = parse(out, crc);
    if (step != Step::kRecord) {
      // The buffer may be older than the record: what lies behind a record that was read is bytes
      // the writer had not stored yet.
      filled_ = 0;
      step = parse(out, crc);
    }
    if (step == Step::kEnd) {
      enter_next();
      continue;
    }
    if (step == Step::kUnreadable) {
      refuse(fmt::format("{} at byte {}: record {} is durable, but cannot be read", info_.path,
                         place_.offset, place_.position + 1));
    }
    place_.position = out.position;
    place_.offset += padded(sizeof(RecordHeader) + out.payload.size());
    place_.crc = crc;
    return true;
  }
}

// Called only while a durable record is still to come, so it must be the first of the next segment.
void JournalFollower::enter_next() {
  const std::uint64_t expected = place_.position + 1;
  open(info_.index + 1);
  if (!info_.activation || info_.activation->first_position != expected ||
      info_.activation->previous_crc != place_.crc) {
    refuse(fmt::format("{} should begin with the durable record {}, it begins with {}", info_.path,
                       expected, info_.activation ? info_.activation->first_position : 0));
  }
  place_.segment = info_.index;
  place_.offset = kSegmentHeaderBytes;
}

}  // namespace sluice
