#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/journal/tool_fixture.hpp"

namespace sluice::journal_tool {
namespace {

using namespace sluice::test;
using ::testing::HasSubstr;

Output run_verify(const VerifyOptions& options) {
  return capture([&](std::FILE* out) { return verify(options, out); });
}
nlohmann::json verify_json(const std::string& dir, int expected_code) {
  const Output output = run_verify({.dir = dir, .json = true});
  EXPECT_EQ(output.code, expected_code) << output.text;
  return nlohmann::json::parse(output.text);
}

TEST(JournalVerify, AcceptsAWholeJournal) {
  TempDir temp;
  make_tool_journal(temp / "j");
  const Output text = run_verify({.dir = temp / "j"});
  EXPECT_EQ(text.code, 0);
  EXPECT_THAT(text.text,
              HasSubstr("7 records, positions 1 to 7, durable to 7, 0 gaps (0 taps lost): ok"));
  EXPECT_THAT(text.text, HasSubstr("of instance tool"));
  const auto json = verify_json(temp / "j", 0);
  EXPECT_EQ(json["ok"], true);
  EXPECT_EQ(json["rings"].size(), 3U);
  EXPECT_EQ(json["rings"][0]["ring"], "exec.persistence");
  EXPECT_EQ(json["rings"][0]["last_sequence"], 4);
  EXPECT_EQ(json["findings"].size(), 0U);
}

TEST(JournalVerify, CountsGapsAndFailsOnThemOnlyWhenAsked) {
  TempDir temp;
  {
    TapJournal journal(tool_options(temp / "j"));
    ASSERT_EQ(journal.append(tap_of_body(1, 1, TapType::kIntent, Intent{})), TapStatus::kOk);
    ASSERT_EQ(journal.append(tap_of_body(1, 5, TapType::kIntent, Intent{})),
              TapStatus::kOk);  // noticed here
    ASSERT_EQ(
        journal.append(tap_of_body(1, 6, TapType::kGap, GapRecord{.lost = 10, .next_sequence = 7})),
        TapStatus::kOk);  // told by the producer
    ASSERT_EQ(journal.append(tap_of_body(1, 7, TapType::kIntent, Intent{})), TapStatus::kOk);
  }
  const auto json = verify_json(temp / "j", 0);
  EXPECT_EQ(json["gaps"], 2);
  EXPECT_EQ(json["lost"], 3 + 10);
  EXPECT_EQ(json["rings"][0]["unexplained"], 0);
  EXPECT_EQ(run_verify({.dir = temp / "j", .no_gaps = true}).code, 1);
}

TEST(JournalVerify, FailsWhenATapIsMissingOrDoubledWithoutAWord) {
  TempDir temp;
  const auto write = [&](const std::string& dir, std::initializer_list<std::uint64_t> sequences) {
    // Past TapJournal, which would not let this happen.
    JournalWriter writer({.dir = dir,
                          .instance = "tool",
                          .segment_bytes = 64 * 1024,
                          .schema_hash = kSchemaHash<Tap>});
    for (const std::uint64_t sequence : sequences) {
      const Tap tap = tap_of_body(1, sequence, TapType::kIntent, Intent{});
      ASSERT_EQ(writer.append(RecordType::kTap, 0, 1, std::as_bytes(std::span(&tap, 1))),
                AppendStatus::kOk);
    }
  };
  write(temp / "whole", {1, 2, 3});
  verify_json(temp / "whole", 0);
  write(temp / "missing", {1, 2, 4});
  EXPECT_EQ(verify_json(temp / "missing", 1)["rings"][0]["unexplained"], 1);
  write(temp / "doubled", {1, 2, 2, 3});
  EXPECT_EQ(verify_json(temp / "doubled", 1)["rings"][0]["doubled"], 1);
}

TEST(JournalVerify, FailsOnDamageAndNamesThePlace) {
  TempDir temp;
  make_tool_journal(temp / "j");
  const std::string path = temp / "j/journal-000001.seg";
  std::vector<char> bytes = slurp(path);
  std::uint64_t offset = 0;
  {
    JournalReader reader(temp / "j");
    for (RecordView record; reader.next(record);)
      offset = record.position == 4 ? record.offset : offset;
  }
  bytes[offset + 100] = static_cast<char>(bytes[offset + 100] ^ 1);
  spill(path, bytes);
  const auto json = verify_json(temp / "j", 1);
  EXPECT_EQ(json["ok"], false);
  EXPECT_EQ(json["findings"][0]["kind"], "damage");
  EXPECT_EQ(json["findings"][0]["offset"], offset);
  EXPECT_EQ(json["records"], 6);
  EXPECT_THAT(run_verify({.dir = temp / "j"}).text, HasSubstr("FAILED"));
}

TEST(JournalVerify, AcceptsATornTailAndSaysSo) {
  TempDir temp;
  make_tool_journal(temp / "j");
  const std::string path = temp / "j/journal-000001.seg";
  std::vector<char> bytes = slurp(path);
  bytes[bytes.size() - 100] = 'x';
  spill(path, bytes);
  const auto json = verify_json(temp / "j", 0);
  EXPECT_EQ(json["findings"][0]["kind"], "torn tail");
  EXPECT_EQ(json["records"], 7);
}

}  // namespace
}  // namespace sluice::journal_tool
