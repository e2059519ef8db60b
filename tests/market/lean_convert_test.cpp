// The LEAN converter: archives made here, row by row, and the recorded day when it is there.
#include "tools/session_convert/lean_equity.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zip.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "common/base/error.hpp"
#include "tools/session_convert/zip_text.hpp"

namespace sluice {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr std::int64_t kTenthMil = kScale / 10'000;
constexpr std::int64_t kMidnightNs = 1'381'204'800'000'000'000;  // 2013-10-08 00:00 in New York
constexpr std::int64_t kOpenMs = 34'200'000;

void write_zip(const fs::path& path, const std::vector<std::string>& texts) {
  fs::create_directories(path.parent_path());
  fs::remove(path);
  zip_t* archive = zip_open(path.c_str(), ZIP_CREATE, nullptr);
  ASSERT_NE(nullptr, archive);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    zip_source_t* source = zip_source_buffer(archive, texts[i].data(), texts[i].size(), 0);
    ASSERT_GE(zip_file_add(archive, (std::to_string(i) + ".csv").c_str(), source, 0), 0);
  }
  ASSERT_EQ(0, zip_close(archive));
}

class Lean : public ::testing::Test {
 protected:
  void SetUp() override {
    dir_ = fs::temp_directory_path() /
           ("sluice-lean-test-" + std::to_string(::getpid()) + "-" +
            ::testing::UnitTest::GetInstance()->current_test_info()->name());
    options_ = {.data = dir_.string(),
                .date = "20131008",
                .symbols = {"IBM"},
                .from_ms = kOpenMs,
                .to_ms = kOpenMs + 60'000,
                .attribution = "made by a test"};
    write("IBM", "34200000,1815000,100,0,0,P,1,0\n", "");
  }
  void TearDown() override { fs::remove_all(dir_); }

  fs::path file(std::string symbol, const std::string& kind) const {
    for (char& c : symbol) {
      c = static_cast<char>(std::tolower(c));
    }
    return dir_ / "tick" / symbol / ("20131008_" + kind + ".zip");
  }
  void write(const std::string& symbol, const std::string& quotes, const std::string& trades) {
    write_zip(file(symbol, "quote"), {quotes});
    write_zip(file(symbol, "trade"), {trades});
  }
  // Whatever comes out must also be a session that can be saved.
  Session convert() {
    summaries_.clear();
    Session session = convert::convert_lean(options_, summaries_);
    save_session((dir_ / "x.session").string(), session);
    return session;
  }
  std::string error_of(ExitCode code = ExitCode::kConfig) {
    try {
      (void)convert();
    } catch (const Error& e) {
      EXPECT_EQ(code, e.code()) << e.what();
      return e.what();
    }
    return "no error";
  }

  fs::path dir_;
  convert::LeanOptions options_;
  std::vector<convert::LeanSummary> summaries_;
};

TEST_F(Lean, JoinsOneSidedRowsToARunningQuoteWhateverTheExchange) {
  write("IBM",
        "34200001,1815000,300,0,0,P,1,0\n"   // no ask yet
        "34200002,0,0,1815900,200,Z,1,0\n"   // both sides, of two exchanges
        "34200003,1815100,100,0,0,Q,1,0\n",  // the bid of Q replaces that of P
        "");
  const Session session = convert();
  ASSERT_EQ(3U, session.records.size());
  EXPECT_EQ(1U, summaries_[0].one_sided_quotes);
  EXPECT_EQ(0, session.records[0].c);
  EXPECT_EQ(0, session.records[0].d);
  EXPECT_EQ(1'815'000 * kTenthMil, session.records[1].a);
  EXPECT_EQ(1'815'900 * kTenthMil, session.records[1].c);
  EXPECT_EQ(200 * kScale, session.records[1].d);
  EXPECT_EQ('Z', session.records[1].exchange);
  EXPECT_EQ(1'815'100 * kTenthMil, session.records[2].a);
  EXPECT_EQ(1'815'900 * kTenthMil, session.records[2].c);
}

TEST_F(Lean, BidAndAskRowOfOneMillisecondAreOneQuoteAndRepeatsAreLeftOut) {
  write("IBM",
        "34200001,1815000,300,0,0,P,1,0\n"
        "34200001,0,0,1815900,200,Z,1,0\n"  // completes the first: no crossed state in between
        "34200002,1815000,300,0,0,P,1,0\n"
        "34200002,0,0,1815900,200,N,1,0\n"  // nothing changed but the letter
        "34200003,1816500,300,0,0,P,1,0\n"  // alone, and crossed
        "34200004,0,0,1816600,200,N,1,0\n",
        "");
  const Session session = convert();
  ASSERT_EQ(3U, session.records.size());
  EXPECT_EQ(1'815'900 * kTenthMil, session.records[0].c);
  EXPECT_EQ(2U, session.records[0].id) << "the line that completed it";
  EXPECT_EQ(1U, summaries_[0].repeated_quotes);
  EXPECT_EQ(1U, summaries_[0].crossed_quotes);
  EXPECT_EQ(6U, summaries_[0].quote_rows);
}

TEST_F(Lean, StampsAreTheRowsMillisecondInNewYorkAndQuotesGoBeforeTrades) {
  write("IBM", "34200005,1815000,100,0,0,P,1,0\n34200005,0,0,1815100,100,P,1,0\n",
        "34200005,1815100,7,Q,1,0\n34200005,1815100,8,Q,1,0\n");
  const Session session = convert();
  ASSERT_EQ(3U, session.records.size());
  for (const SessionRecord& record : session.records) {
    EXPECT_EQ(kMidnightNs + 34'200'005'000'000, record.send_ns);
    EXPECT_EQ(record.send_ns, record.exchange_ns);
  }
  EXPECT_EQ(SessionKind::kQuote, session.records[0].kind);
  EXPECT_EQ(1U, session.records[1].id);
  EXPECT_EQ(2U, session.records[2].id);
  EXPECT_EQ(7 * kScale, session.records[1].b);
  EXPECT_EQ(SessionSide::kNone, session.records[1].side);
}

TEST_F(Lean, WinterTimeHasAnotherMidnight) {
  options_.date = "20131108";
  const fs::path folder = dir_ / "tick/ibm";
  write_zip(folder / "20131108_quote.zip", {"34200000,1815000,100,0,0,P,1,0\n"});
  write_zip(folder / "20131108_trade.zip", {""});
  EXPECT_EQ(1'383'886'800'000'000'000 + 34'200'000'000'000, convert().records[0].send_ns);
}

TEST_F(Lean, WindowIsHalfOpenAndBeginsWithTheQuoteInForce) {
  write("IBM",
        "34199000,1815000,100,0,0,P,1,0\n34199000,0,0,1815100,100,P,1,0\n"
        "34260000,1815500,100,0,0,P,1,0\n",
        "34199999,1815000,1,Q,1,0\n34200000,1815000,2,Q,1,0\n34260000,1815000,3,Q,1,0\n");
  const Session session = convert();
  ASSERT_EQ(2U, session.records.size());
  EXPECT_EQ(kMidnightNs + kOpenMs * 1'000'000, session.records[0].send_ns);
  EXPECT_EQ(1'815'000 * kTenthMil, session.records[0].a);
  EXPECT_EQ(2 * kScale, session.records[1].b);
}

TEST_F(Lean, SuspiciousRowsAndPrintsNotAtTheMarketsPriceAreLeftOutAndCounted) {
  write("IBM", "34200001,1815000,100,0,0,P,1,0\n34200002,9,9,0,0,P,1,1\n",
        "34200003,1815000,100,P,1,1\n"         // suspicious
        "34200004,1815000,100,P,20100200,0\n"  // derivatively priced
        "34200005,1815000,100,P,20000060,0\n"  // sweep, opening, exempt
        "34200006,1815000,17,P,80002000,0\n"   // odd lot, extended hours
        "34200007,1815000,100,P,100080,0\n");  // closing, with another bit
  const Session session = convert();
  EXPECT_EQ(2U, summaries_[0].suspicious_rows);
  EXPECT_EQ(1U, summaries_[0].special_prints);
  ASSERT_EQ(4U, session.records.size());
  EXPECT_EQ(kSessionIntermarketSweep | kSessionOpening | kSessionTradeThroughExempt,
            session.records[1].conditions);
  EXPECT_EQ(kSessionOddLot | kSessionExtendedHours, session.records[2].conditions);
  EXPECT_EQ(kSessionClosing, session.records[3].conditions);
}

TEST_F(Lean, SymbolHasTapeAndThePreviousClose) {
  EXPECT_EQ(Price{0}, convert().symbols[0].previous_close) << "no daily file";
  write_zip(dir_ / "daily/ibm.zip", {"20131004 00:00,1,2,3,1841000,5\n"
                                     "20131007 00:00,1820000,1833000,1818500,1820100,3908081\n"
                                     "20131008 00:00,1,2,3,1787200,5\n"});
  const SessionSymbol symbol = convert().symbols[0];
  EXPECT_EQ(Price{1'820'100 * kTenthMil}, symbol.previous_close);
  EXPECT_EQ('A', symbol.tape);
  EXPECT_EQ(SessionAssetClass::kUsEquity, symbol.asset_class);
}

TEST_F(Lean, RefusesASymbolWithoutQuotesOrWithoutATape) {
  fs::remove(file("IBM", "quote"));
  EXPECT_THAT(error_of(ExitCode::kResource), HasSubstr("IBM has trades of 20131008 but no quotes"));
  options_.symbols = {"ZZZ"};
  EXPECT_THAT(error_of(ExitCode::kUsage), HasSubstr("the tape of \"ZZZ\" is not known"));
  options_.symbols = {"AIG"};
  EXPECT_THAT(error_of(ExitCode::kResource), HasSubstr("aig/20131008_quote.zip: cannot open"));
}

TEST_F(Lean, RefusesRowsThatAreNotAsDescribed) {
  const std::string good = "34200001,1815000,100,0,0,P,1,0\n";
  write("IBM", good + "34200000,1815000,100,0,0,P,1,0\n", "");
  EXPECT_THAT(error_of(), HasSubstr("line 2 is before the line before it"));
  write("IBM", good + "34200002,1815000,100,0,0,P,1\n", "");
  EXPECT_THAT(error_of(), HasSubstr("line 2 has 7 fields, expected are 8"));
  write("IBM", good + "34200002,1815000,100,0,0,P,1,0,7\n", "");
  EXPECT_THAT(error_of(), HasSubstr("line 2 has more than 8 fields"));
  write("IBM", good + "34200002,-5,100,0,0,P,1,0\n", "");
  EXPECT_THAT(error_of(), HasSubstr("price \"-5\""));
  write("IBM", good + "34200002,5,100,0,0,p,1,0\n", "");
  EXPECT_THAT(error_of(), HasSubstr("exchange \"p\""));
  write("IBM", good, "34200002,0,100,P,1,0\n");
  EXPECT_THAT(error_of(), HasSubstr("without a price or a size"));
  write("IBM", good, "34200002,1815000,100,P,xyz,0\n");
  EXPECT_THAT(error_of(), HasSubstr("conditions \"xyz\""));
  write("IBM", "34300000,1815000,100,0,0,P,1,0\n", "");
  EXPECT_THAT(error_of(), HasSubstr("no quote before --to"));
}

TEST_F(Lean, RefusesArchivesThatAreNone) {
  write_zip(file("IBM", "quote"), {"a", "b"});
  EXPECT_THAT(error_of(), HasSubstr("holds 2 files, expected is one"));
  std::ofstream(file("IBM", "quote")) << "no archive at all";
  EXPECT_THAT(error_of(), HasSubstr("is no zip archive"));
  std::string rows;
  for (int i = 0; i < 500; ++i) {
    rows += std::to_string(34'200'000 + i * 7) + ",1815000,100,0,0,P,1,0\n";
  }
  write("IBM", rows, "");
  std::fstream damage(file("IBM", "quote"), std::ios::in | std::ios::out | std::ios::binary);
  damage.seekp(200);
  damage.put('\x55').put('\xaa').put('\x55');
  damage.close();
  EXPECT_THAT(error_of(), HasSubstr("cannot be inflated"));
}

TEST_F(Lean, RefusesDatesAndTimesThatAreNone) {
  for (const char* date : {"2013-10-08", "20131308", "201310080", ""}) {
    options_.date = date;
    EXPECT_THAT(error_of(ExitCode::kUsage), HasSubstr("no day as YYYYMMDD")) << date;
  }
  EXPECT_EQ(kOpenMs, convert::parse_time_of_day("--from", "09:30"));
  EXPECT_EQ(kOpenMs + 15'000, convert::parse_time_of_day("--from", "09:30:15"));
  for (const char* time :
       {"", "9:30", "24:00", "09:60", "09-30", "09:30:", "09:30:1", "09:30:150"}) {
    EXPECT_THROW((void)convert::parse_time_of_day("--from", time), Error) << time;
  }
}

fs::path data_folder() {
  const char* given = std::getenv("SLUICE_DATA");
  return given != nullptr ? fs::path(given)
                          : fs::path(SLUICE_SOURCE_DIR).parent_path() / "shared/data";
}

// What the manifest says of the recorded day: quotes 96 to 97 % normal, at most 0.06 % crossed.
TEST_F(Lean, RecordedDayHasNormalQuotesAndPrintsWithinThem) {
  const fs::path data = data_folder() / "lean/equity/usa";
  if (!fs::exists(data)) {
    GTEST_SKIP() << "no recorded data in " << data << "; set SLUICE_DATA to the folder that has it";
  }
  options_.data = data.string();
  options_.symbols = {"IBM", "AIG", "BAC"};
  options_.to_ms = 57'600'000;
  summaries_.clear();
  const Session session = convert::convert_lean(options_, summaries_);  // too large to save here
  EXPECT_EQ(Price{1'820'100 * kTenthMil}, session.symbols[0].previous_close);
  std::uint64_t quotes = 0;
  std::uint64_t crossed = 0;
  std::uint64_t locked = 0;
  for (const convert::LeanSummary& s : summaries_) {
    quotes += s.quotes;
    crossed += s.crossed_quotes;
    locked += s.locked_quotes;
    EXPECT_EQ(0U, s.one_sided_quotes);
    EXPECT_LT(s.special_prints * 100, s.trade_rows);
    EXPECT_EQ(s.trade_rows, s.trades + s.special_prints + s.suspicious_rows);
  }
  EXPECT_EQ(124'242U, summaries_[0].quote_rows);
  EXPECT_LE(crossed * 10'000, quotes * 6);
  EXPECT_LE(locked * 100, quotes * 5);
  EXPECT_GT(locked, 0U);
}

}  // namespace
}  // namespace sluice
