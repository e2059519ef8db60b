// What the tests of the journal share: a folder of their own, small journals, and their content.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include "common/storage/journal.hpp"

namespace sluice::test {

// In memory by default: the tests sync thousands of times and none of them pulls the plug. The
// process tests use a disk, for its own way of writing back.
enum class Where : std::uint8_t { kMemory, kDisk };

class TempDir {
 public:
  explicit TempDir(Where where = Where::kMemory) {
    const std::filesystem::path memory = "/dev/shm";
    const bool in_memory = where == Where::kMemory && std::filesystem::is_directory(memory);
    std::string name =
        ((in_memory ? memory : std::filesystem::temp_directory_path()) / "sluice-journal-XXXXXX")
            .string();
    if (::mkdtemp(name.data()) == nullptr)
      throw std::runtime_error("mkdtemp " + name);
    path_ = name;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  [[nodiscard]] std::string operator/(const std::string& name) const {
    return (path_ / name).string();
  }

 private:
  std::filesystem::path path_;
};

inline constexpr std::uint64_t kSmallSegment = 16 * 1024;
inline constexpr std::uint64_t kTestSchema = 0x5eed;

inline JournalOptions small_journal(const std::string& dir) {
  return {
      .dir = dir, .instance = "test", .segment_bytes = kSmallSegment, .schema_hash = kTestSchema};
}

// The payload of record `i` is a function of i, its length too, so that a reader can check any
// record.
inline std::vector<std::byte> payload_of(std::uint64_t i) {
  std::vector<std::byte> bytes(40 + i % 17);
  for (std::size_t k = 0; k < bytes.size(); ++k)
    bytes[k] = static_cast<std::byte>(i * 31 + k * 7 + 1);
  return bytes;
}

inline AppendStatus append_numbered(JournalWriter& writer, std::uint64_t i) {
  return writer.append(RecordType::kTap, 0, static_cast<std::uint32_t>(i % 5), payload_of(i));
}

// Appends records first..last; makes spares as needed.
inline void fill(JournalWriter& writer, std::uint64_t first, std::uint64_t last) {
  for (std::uint64_t i = first; i <= last; ++i) {
    AppendStatus status = append_numbered(writer, i);
    if (status == AppendStatus::kNoSpare) {
      ASSERT_EQ(writer.prepare().status, PrepareStatus::kReady);
      status = append_numbered(writer, i);
    }
    ASSERT_EQ(status, AppendStatus::kOk) << "record " << i;
  }
}

inline bool matches(const RecordView& record) {
  const std::vector<std::byte> expected = payload_of(record.position);
  return record.type == RecordType::kTap && record.source == record.position % 5 &&
         std::equal(expected.begin(), expected.end(), record.payload.begin(), record.payload.end());
}

struct ReadResult {
  std::vector<std::uint64_t> positions;
  std::vector<Finding> findings;
  bool all_match{true};
  bool damaged{false};

  [[nodiscard]] bool has(FindingKind kind) const {
    return std::any_of(findings.begin(), findings.end(),
                       [&](const Finding& f) { return f.kind == kind; });
  }
};

inline ReadResult read_all(const std::string& dir) {
  JournalReader reader(dir);
  ReadResult result;
  for (RecordView record; reader.next(record);) {
    result.positions.push_back(record.position);
    result.all_match = result.all_match && matches(record);
  }
  result.findings = reader.findings();
  result.damaged = reader.damaged();
  return result;
}

inline std::vector<std::uint64_t> numbers(std::uint64_t first, std::uint64_t last) {
  std::vector<std::uint64_t> out;
  for (std::uint64_t i = first; i <= last; ++i)
    out.push_back(i);
  return out;
}

inline std::vector<char> slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

inline void spill(const std::string& path, std::span<const char> bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace sluice::test
