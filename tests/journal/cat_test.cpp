#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "common/base/error.hpp"
#include "tests/journal/tool_fixture.hpp"

namespace sluice::journal_tool {
namespace {

using namespace sluice::test;
using ::testing::HasSubstr;

Output run_cat(const CatOptions& options) {
  return capture([&](std::FILE* out) { return cat(options, out); });
}

TEST(JournalCat, PrintsOneLinePerTapWithPositionRingAndSequence) {
  TempDir temp;
  make_tool_journal(temp / "j");
  const Output output = run_cat({.dir = temp / "j"});
  EXPECT_EQ(output.code, 0);
  ASSERT_EQ(output.lines().size(), 6U);
  // Position 1 is the checkpoint.
  EXPECT_THAT(output.lines()[0],
              HasSubstr("       2 2026-02-02T02:40:00.000000001Z exec.persistence 2:1 session "));
  EXPECT_THAT(output.lines()[1], HasSubstr("tap.feed.x 2:1 market events=[kind=quote"));
  EXPECT_THAT(output.lines()[5], HasSubstr("       7 "));
}

TEST(JournalCat, SelectsByTypeRingAndPosition) {
  TempDir temp;
  make_tool_journal(temp / "j");
  EXPECT_EQ(run_cat({.dir = temp / "j", .types = {"execution"}}).lines().size(), 3U);
  EXPECT_EQ(run_cat({.dir = temp / "j", .types = {"market", "intent"}}).lines().size(), 2U);
  EXPECT_EQ(run_cat({.dir = temp / "j", .rings = {"tap.risk"}}).lines().size(), 1U);
  EXPECT_EQ(run_cat({.dir = temp / "j", .from = 3, .to = 5}).lines().size(), 3U);
}

TEST(JournalCat, PrintsJsonLinesThatParse) {
  TempDir temp;
  make_tool_journal(temp / "j");
  const Output output = run_cat({.dir = temp / "j", .types = {"execution"}, .json = true});
  ASSERT_EQ(output.lines().size(), 3U);
  const auto line = nlohmann::json::parse(output.lines()[0]);
  EXPECT_EQ(line["type"], "execution");
  EXPECT_EQ(line["ring"], "exec.persistence");
  EXPECT_EQ(line["position"], 4);
  EXPECT_EQ(line["body"]["px"], "60123.450000001");
}

TEST(JournalCat, NamesTheAllowedTypesWhenOneIsUnknown) {
  TempDir temp;
  make_tool_journal(temp / "j");
  try {
    run_cat({.dir = temp / "j", .types = {"fills"}});
    FAIL() << "took an unknown type";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("market, intent, order, execution"));
  }
}

TEST(JournalCat, RefusesAFolderWithoutJournalAndAnotherBuildsRecords) {
  TempDir temp;
  std::filesystem::create_directory(temp / "empty");
  EXPECT_THROW(run_cat({.dir = temp / "empty"}), Error);
  { JournalWriter writer(small_journal(temp / "other")); }  // another schema
  try {
    run_cat({.dir = temp / "other"});
    FAIL() << "decoded records of another schema";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kResource);
    EXPECT_THAT(error.what(), HasSubstr("0000000000005eed"));
  }
}

TEST(JournalStat, CountsTypesRingsEventsAndReasons) {
  TempDir temp;
  make_tool_journal(temp / "j");
  const Output output =
      capture([&](std::FILE* out) { return stat({.dir = temp / "j", .json = true}, out); });
  EXPECT_EQ(output.code, 0);
  const auto json = nlohmann::json::parse(output.text);
  EXPECT_EQ(json["taps"], 6);
  EXPECT_EQ(json["types"]["execution"], 3);
  EXPECT_EQ(json["rings"]["exec.persistence"], 4);
  EXPECT_EQ(json["market_events"]["quote"], 1);
  EXPECT_EQ(json["market_events"]["trade"], 1);
  EXPECT_EQ(json["executions"]["fill"], 1);
  EXPECT_EQ(json["refusals"]["collar"], 2);
  EXPECT_EQ(json["last_position"], 7);
  const Output text = capture([&](std::FILE* out) { return stat({.dir = temp / "j"}, out); });
  EXPECT_THAT(text.text, HasSubstr("6 taps, 2 market events, 0 lost"));
}

}  // namespace
}  // namespace sluice::journal_tool
