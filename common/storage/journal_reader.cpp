#include "common/storage/journal_reader.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace sluice {

class JournalReader::Window {
 public:
  Window(const std::string& path, std::uint64_t file_bytes)
      : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)),
        buffer_(static_cast<std::size_t>(std::min<std::uint64_t>(kBytes, file_bytes))) {}

  // `bytes` bytes at `offset`, at most kBytes; nullptr when the file ends before or cannot be read.
  [[nodiscard]] const std::byte* view(std::uint64_t offset, std::size_t bytes) noexcept {
    if (bytes > buffer_.size())
      return nullptr;
    if (offset < begin_ || offset + bytes > begin_ + filled_) {
      const ssize_t n = pread_full(fd_.get(), buffer_, offset);
      begin_ = offset;
      filled_ = n > 0 ? static_cast<std::size_t>(n) : 0;
      if (filled_ < bytes)
        return nullptr;
    }
    return buffer_.data() + (offset - begin_);
  }

  static constexpr std::size_t kBytes = 1 << 20;
  static_assert(kBytes >= padded(sizeof(RecordHeader) + kMaxRecordPayload));

 private:
  UniqueFd fd_;
  std::vector<std::byte> buffer_;
  std::uint64_t begin_{0};
  std::size_t filled_{0};
};

JournalReader::JournalReader(std::string dir) : dir_(std::move(dir)) {
  for (const std::uint64_t index : list_segments(dir_)) {
    SegmentInfo info = read_segment_info(dir_, index, findings_);
    durable_ = std::max(durable_, info.marked_position);
    if (info.seal)
      durable_ = std::max(durable_, info.seal->last_position);
    segments_.push_back(std::move(info));
  }
  check_siblings();
  if (segments_.empty())
    done_ = true;
}

JournalReader::~JournalReader() = default;
JournalReader::JournalReader(JournalReader&&) noexcept = default;
JournalReader& JournalReader::operator=(JournalReader&&) noexcept = default;

// All segments belong to one journal, and none is missing between the first and the last.
void JournalReader::check_siblings() {
  const SegmentInfo* first = nullptr;
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    SegmentInfo& info = segments_[i];
    if (i > 0 && info.index != segments_[i - 1].index + 1) {
      note(FindingKind::kDamage, info, 0,
           fmt::format(
               "the segment before it is number {}, the files between are missing; restore them",
               segments_[i - 1].index));
    }
    if (!info.identity)
      continue;
    if (first == nullptr) {
      first = &info;
      continue;
    }
    if (info.identity->journal_id != first->identity->journal_id ||
        info.identity->schema_hash != first->identity->schema_hash ||
        info.identity->instance != first->identity->instance) {
      note(FindingKind::kDamage, info, 0,
           fmt::format(
               "belongs to another journal than {} (journal {} here, {} there); move it away",
               first->path, to_string(info.identity->journal_id),
               to_string(first->identity->journal_id)));
      info.activation.reset();  // its records are not this journal's
    }
  }
}

void JournalReader::note(FindingKind kind, const SegmentInfo& info, std::uint64_t offset,
                         std::string text) {
  findings_.push_back({.kind = kind, .file = info.path, .offset = offset, .text = std::move(text)});
}

bool JournalReader::damaged() const noexcept {
  return std::any_of(findings_.begin(), findings_.end(),
                     [](const Finding& f) { return f.kind == FindingKind::kDamage; });
}

std::optional<std::size_t> JournalReader::next_activated(std::size_t from) const noexcept {
  for (std::size_t i = from; i < segments_.size(); ++i) {
    if (segments_[i].identity && segments_[i].activation)
      return i;
  }
  return std::nullopt;
}

void JournalReader::start_at(std::size_t from) {
  start_ = from;
}

std::size_t JournalReader::newest_checkpoint() {
  std::size_t unsealed = 0;
  while (unsealed < segments_.size() && segments_[unsealed].seal)
    ++unsealed;
  for (std::size_t i = std::min(unsealed + 1, segments_.size()); i-- > 0;) {
    if (!segments_[i].identity || !segments_[i].activation)
      continue;
    open_segment(i);
    RecordView first;
    std::uint32_t crc = 0;
    std::string why;
    const bool found = parse(kSegmentHeaderBytes, first, crc, why) == Step::kRecord &&
                       (first.flags & kCheckpoint) != 0;
    window_.reset();
    if (found)
      return i;
  }
  return 0;
}

void JournalReader::open_segment(std::size_t at) {
  at_ = at;
  offset_ = kSegmentHeaderBytes;
  expected_ = segments_[at].activation->first_position;
  segments_[at].end_offset = offset_;
  segments_[at].last_position = expected_ - 1;
  window_ = std::make_unique<Window>(segments_[at].path, segments_[at].file_bytes);
}

std::uint64_t JournalReader::limit() const noexcept {
  const SegmentInfo& info = segments_[at_];
  return info.seal ? info.seal->end_offset : info.identity->segment_bytes;
}

bool JournalReader::next(RecordView& out) {
  if (!opened_ && !done_) {
    opened_ = true;
    const auto first = next_activated(start_);
    if (first) {
      open_segment(*first);
      last_crc_ = segments_[*first].activation->previous_crc;
    } else {
      done_ = true;
    }
  }
  while (!done_) {
    std::string why;
    std::uint32_t crc = 0;
    switch (parse(offset_, out, crc, why)) {
      case Step::kRecord: {
        SegmentInfo& info = segments_[at_];
        offset_ += padded(sizeof(RecordHeader) + out.payload.size());
        expected_ = out.position + 1;
        last_crc_ = crc;
        ++info.records;
        info.last_position = out.position;
        info.last_crc = crc;
        info.end_offset = offset_;
        return true;
      }
      case Step::kEndOfRecords:
        if (!leave_segment())
          return false;
        break;
      case Step::kUnreadable:
        if (!skip_unreadable(why))
          return false;
        break;
    }
  }
  return false;
}

JournalReader::Step JournalReader::parse(std::uint64_t offset, RecordView& out, std::uint32_t& crc,
                                         std::string& why) {
  const SegmentInfo& info = segments_[at_];
  const std::uint64_t room = limit() - offset;
  if (room == 0 || (!info.seal && room < sizeof(RecordHeader)))
    return Step::kEndOfRecords;
  const std::byte* bytes =
      room < sizeof(RecordHeader) ? nullptr : window_->view(offset, sizeof(RecordHeader));
  if (bytes == nullptr) {
    why = fmt::format("expected record {}, but the file ends at byte {} or cannot be read",
                      expected_, info.file_bytes);
    return Step::kUnreadable;
  }
  RecordHeader header;
  std::memcpy(static_cast<void*>(&header), bytes, sizeof(header));
  if (header.length == 0 && !info.seal)
    return Step::kEndOfRecords;
  const std::uint64_t total = padded(header.length);
  if (header.length < sizeof(RecordHeader) ||
      header.length > sizeof(RecordHeader) + kMaxRecordPayload || total > room) {
    why = fmt::format(
        "expected record {}, found a length of {} ({} bytes are left, a record has {} to {})",
        expected_, header.length, room, sizeof(RecordHeader),
        sizeof(RecordHeader) + kMaxRecordPayload);
    return Step::kUnreadable;
  }
  bytes = window_->view(offset, total);
  if (bytes == nullptr) {
    why = fmt::format("record {} needs {} bytes, but the file ends at byte {} or cannot be read",
                      expected_, total, info.file_bytes);
    return Step::kUnreadable;
  }
  constexpr std::size_t kBody = offsetof(RecordHeader, type);
  crc = record_crc(info.identity->crc, header.length, {bytes + kBody, total - kBody});
  if (crc != header.crc) {
    why = fmt::format("record {}: its CRC field is {:08x}, its bytes give {:08x}", expected_,
                      header.crc, crc);
    return Step::kUnreadable;
  }
  if (header.position != expected_) {
    why = fmt::format("expected record {}, found record {}", expected_, header.position);
    return Step::kUnreadable;
  }
  out = {.position = header.position,
         .type = header.type,
         .flags = header.flags,
         .source = header.source,
         .payload = {bytes + sizeof(RecordHeader), header.length - sizeof(RecordHeader)},
         .segment = info.index,
         .offset = offset};
  return Step::kRecord;
}

// The records of a segment ended without an unreadable one: is this the journal's end, the next
// segment's turn, or are records missing?
bool JournalReader::leave_segment() {
  SegmentInfo& info = segments_[at_];
  if (info.seal) {
    if (info.seal->last_position != expected_ - 1 ||
        (last_crc_ && info.seal->last_crc != *last_crc_)) {
      note(FindingKind::kDamage, info, kSealOffset,
           fmt::format("the seal names record {} with CRC {:08x} as the last one, found record {}",
                       info.seal->last_position, info.seal->last_crc, expected_ - 1));
    }
    if (const std::uint64_t nonzero = count_nonzero(offset_); nonzero > 0) {
      note(FindingKind::kNote, info, offset_,
           fmt::format("{} bytes behind the sealed records are not zero; they are never read",
                       nonzero));
    }
    return enter_next_segment();
  }
  const auto next = next_activated(at_ + 1);
  const bool continues = next && segments_[*next].activation->first_position == expected_;
  if (!continues && expected_ <= durable_) {
    return skip_unreadable(
        fmt::format("the records end here, but those up to {} were durable", durable_));
  }
  const std::uint64_t nonzero = count_nonzero(offset_);
  if (continues) {
    if (nonzero > 0) {
      note(FindingKind::kDamage, info, offset_,
           fmt::format("{} bytes behind the segment's last record are not zero", nonzero));
    }
    return enter_next_segment();
  }
  end_.torn_bytes = nonzero;
  if (nonzero > 0 || next) {
    note(FindingKind::kTornTail, info, offset_,
         fmt::format("after record {}: {} bytes{} were being written, never reported durable",
                     expected_ - 1, nonzero, next ? " here and a later segment" : ""));
  }
  finish();
  return false;
}

bool JournalReader::skip_unreadable(const std::string& why) {
  const SegmentInfo& info = segments_[at_];
  if (!info.seal && expected_ > durable_) {
    end_.torn_bytes = count_nonzero(offset_);
    note(FindingKind::kTornTail, info, offset_,
         fmt::format("{}; {} bytes behind record {} were never reported durable", why,
                     end_.torn_bytes, expected_ - 1));
    finish();
    return false;
  }
  const std::uint64_t lost_from = expected_;
  const std::uint64_t at = offset_;
  const bool found = resynchronise();
  note(FindingKind::kDamage, info, at,
       fmt::format(
           "{}; {}. Restore the file from a copy, or move the folder aside and start a new journal",
           why,
           found ? fmt::format("records {} to {} are unreadable, {} is whole again", lost_from,
                               expected_ - 1, expected_)
                 : "nothing behind it in this file is readable"));
  last_crc_.reset();
  return found || enter_next_segment();
}

// Looks for the next whole record of this segment. Costs one header look per 8 bytes; the CRC is
// only computed where length and position are plausible.
bool JournalReader::resynchronise() {
  const SegmentInfo& info = segments_[at_];
  const std::uint64_t end = limit();
  for (std::uint64_t offset = offset_ + 8; offset + sizeof(RecordHeader) <= end; offset += 8) {
    const std::byte* const bytes = window_->view(offset, sizeof(RecordHeader));
    if (bytes == nullptr)
      return false;
    RecordHeader header;
    std::memcpy(static_cast<void*>(&header), bytes, sizeof(header));
    const std::uint64_t most = (offset - offset_) / sizeof(RecordHeader) + 1;
    if (header.length < sizeof(RecordHeader) || padded(header.length) > end - offset ||
        header.length > sizeof(RecordHeader) + kMaxRecordPayload || header.position < expected_ ||
        header.position - expected_ > most) {
      continue;
    }
    const std::byte* const whole = window_->view(offset, padded(header.length));
    constexpr std::size_t kBody = offsetof(RecordHeader, type);
    if (whole == nullptr ||
        record_crc(info.identity->crc, header.length,
                   {whole + kBody, padded(header.length) - kBody}) != header.crc) {
      continue;
    }
    offset_ = offset;
    expected_ = header.position;
    return true;
  }
  return false;
}

bool JournalReader::enter_next_segment() {
  const auto next = next_activated(at_ + 1);
  if (!next) {
    finish();
    return false;
  }
  const SegmentActivation& activation = *segments_[*next].activation;
  if (activation.first_position != expected_ ||
      (last_crc_ && activation.previous_crc != *last_crc_)) {
    note(FindingKind::kDamage, segments_[*next], kActivationOffset,
         fmt::format("begins with record {} after CRC {:08x}; expected record {} after CRC {}",
                     activation.first_position, activation.previous_crc, expected_,
                     last_crc_ ? fmt::format("{:08x}", *last_crc_) : "unknown"));
  }
  open_segment(*next);
  return true;
}

std::uint64_t JournalReader::count_nonzero(std::uint64_t from) {
  const std::uint64_t end =
      std::min(segments_[at_].identity->segment_bytes, segments_[at_].file_bytes);
  std::uint64_t count = 0;
  while (from < end) {
    const std::size_t bytes = std::min<std::uint64_t>(Window::kBytes, end - from);
    const std::byte* const view = window_->view(from, bytes);
    if (view == nullptr)
      break;
    count += bytes - static_cast<std::size_t>(std::count(view, view + bytes, std::byte{0}));
    from += bytes;
  }
  return count;
}

void JournalReader::finish() {
  done_ = true;
  end_.segment = at_;
  end_.offset = offset_;
  end_.last_position = expected_ - 1;
  end_.last_crc = last_crc_.value_or(0);
  window_.reset();
}

}  // namespace sluice
