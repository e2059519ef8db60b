// The converter: small captures line by line, and the shipped session against the recorded data.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>

#include "common/base/error.hpp"
#include "common/market/session.hpp"
#include "tools/session_convert/binance_spot.hpp"

namespace sluice {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr const char* kShipped = SLUICE_SOURCE_DIR "/config/sessions/crypto-20240808.session";

class Convert : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ =
        fs::temp_directory_path() / ("sluice-convert-test-" + std::to_string(::getpid()) + ".gz");
  }
  void TearDown() override { fs::remove(path_); }

  convert::Summary read(const std::string& lines) {
    gzFile file = gzopen(path_.c_str(), "wb");
    gzwrite(file, lines.data(), static_cast<unsigned>(lines.size()));
    gzclose(file);
    records_.clear();
    return convert::read_binance_spot(path_.string(), 0, records_);
  }
  std::string error_of(const std::string& lines) {
    try {
      (void)read(lines);
    } catch (const Error& e) {
      EXPECT_EQ(ExitCode::kConfig, e.code());
      EXPECT_THAT(e.what(), HasSubstr(path_.string()));
      return e.what();
    }
    return "no error";
  }

  fs::path path_;
  std::vector<SessionRecord> records_;
};

std::string diff(std::int64_t receive, int from, int to, const std::string& bids) {
  return std::to_string(receive) +
         R"( {"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1000000001300,)"
         R"("s":"BTCUSDT","U":)" +
         std::to_string(from) + R"(,"u":)" + std::to_string(to) + R"(,"b":[)" + bids +
         R"(],"a":[]}})"
         "\n";
}
const std::string kSnapshot =
    R"(1000000000050000000 {"lastUpdateId":20,"bids":[["10.00000000","1.00000000"]],)"
    R"("asks":[["11.00000000","2.50000000"]]})"
    "\n";

TEST_F(Convert, HoldsBackDiffsUntilTheSnapshotAndDropsTheOldOnes) {
  const convert::Summary s =
      read(diff(1000000000010000000, 5, 20, R"(["9.00000000","1.00000000"])") +
           diff(1000000000020000000, 18, 22, R"(["8.00000000","1.00000000"])") + kSnapshot +
           diff(1000000000060000000, 23, 24, R"(["7.00000000","0.00000000"])"));
  EXPECT_EQ(3U, s.diffs);
  EXPECT_EQ(1U, s.diffs_dropped);
  EXPECT_EQ(2U, s.snapshot_levels);
  ASSERT_EQ(4U, records_.size());
  EXPECT_EQ(kSessionSnapshot, records_[0].flags);
  EXPECT_EQ(kSessionSnapshot | kSessionLastOfEvent, records_[1].flags);
  EXPECT_EQ(SessionSide::kAsk, records_[1].side);
  EXPECT_EQ(2'500'000'000, records_[1].b);
  EXPECT_EQ(8'000'000'000, records_[2].a) << "the diff that spans the snapshot follows it";
  EXPECT_EQ(1000000000050000000, records_[2].send_ns);
  EXPECT_EQ(0, records_[3].b);
}

TEST_F(Convert, RefusesAGapBetweenSnapshotAndDiffs) {
  EXPECT_THAT(error_of(kSnapshot + diff(1000000000060000000, 22, 24, "")),
              HasSubstr("begins with 22, the book stands at 20"));
  EXPECT_THAT(error_of(kSnapshot + diff(1000000000060000000, 21, 24, "") +
                       diff(1000000000070000000, 24, 26, "")),
              HasSubstr("begins with 24, the book stands at 24"));
}

std::string trade(std::int64_t receive, const char* buyer_is_maker) {
  return std::to_string(receive) +
         R"( {"stream":"btcusdt@trade","data":{"e":"trade","E":1000000001345,"s":"BTCUSDT","t":9,)"
         R"("p":"10.50000000","q":"0.02000000","T":1000000001342,"m":)" +
         buyer_is_maker +
         R"(,"M":true}})"
         "\n";
}

TEST_F(Convert, ShiftsTheExchangeTimeOnceAndNeverPastTheSend) {
  const convert::Summary s = read(kSnapshot + trade(1'000'000'000'071'000'000, "true") +
                                  trade(1'000'000'000'080'000'000, "false"));
  ASSERT_EQ(4U, records_.size());
  EXPECT_EQ(1U, s.clamped_stamps);
  EXPECT_EQ(1'000'000'000'071'000'000, records_[2].exchange_ns) << "T - 1.27 s lies after the send";
  EXPECT_EQ(1'000'000'000'072'000'000, records_[3].exchange_ns);
}

TEST_F(Convert, TakerSideIsTheOppositeOfTheMaker) {
  (void)read(kSnapshot + trade(1'000'000'000'071'000'000, "true") +
             trade(1'000'000'000'080'000'000, "false"));
  EXPECT_EQ(SessionSide::kAsk, records_[2].side) << "the buyer rested, so the taker sold";
  EXPECT_EQ(SessionSide::kBid, records_[3].side);
}

TEST_F(Convert, QuoteKeepsItsFourNumbersAndCrossedOnesAreCounted) {
  const auto line = [](const char* bid) {
    return std::string(R"(1000000000090000000 {"stream":"btcusdt@bookTicker","data":{"u":77,)"
                       R"("s":"BTCUSDT","b":")") +
           bid +
           R"(","B":"1.00000000","a":"10.52000000","A":"0.00001000"}})"
           "\n";
  };
  const convert::Summary s = read(kSnapshot + line("10.51000000") + line("10.52000000"));
  EXPECT_EQ(2U, s.quotes);
  EXPECT_EQ(1U, s.crossed_quotes);
  const SessionRecord& r = records_[2];
  EXPECT_EQ(SessionKind::kQuote, r.kind);
  EXPECT_EQ(77U, r.id);
  EXPECT_EQ(Price{10'510'000'000}, r.quote().bid_px);
  EXPECT_EQ(Qty{1'000'000'000}, r.quote().bid_qty);
  EXPECT_EQ(Price{10'520'000'000}, r.quote().ask_px);
  EXPECT_EQ(Qty{10'000}, r.quote().ask_qty);
  EXPECT_EQ(r.send_ns, r.exchange_ns);
}

TEST_F(Convert, RefusesLinesItDoesNotKnow) {
  EXPECT_THAT(error_of("hello\n"), HasSubstr("line 1: does not start with a receive time"));
  EXPECT_THAT(error_of(kSnapshot + "1 {}\n"), HasSubstr("line 2: receive time 1 is before"));
  EXPECT_THAT(error_of("1 {\"a\":\n"), HasSubstr("is no JSON object"));
  EXPECT_THAT(error_of("1 [1,2]\n"), HasSubstr("is no JSON object"));
  EXPECT_THAT(error_of("1 {\"lastUpdateId\":3,\"bids\":[],\"asks\":[]}\n"),
              HasSubstr("empty depth snapshot"));
  EXPECT_THAT(error_of(kSnapshot + kSnapshot), HasSubstr("second depth snapshot"));
  EXPECT_THAT(error_of("1 {\"stream\":\"x@kline\",\"data\":{\"s\":\"X\"}}\n"),
              HasSubstr("stream \"x@kline\""));
  EXPECT_THAT(error_of(diff(5, 1, 2, "")), HasSubstr("without a depth snapshot"));
}

TEST_F(Convert, RefusesAFileThatMixesSymbols) {
  std::string other = diff(1'000'000'000'070'000'000, 23, 24, "");
  other.replace(other.find("BTCUSDT"), 7, "ETHUSDT");
  EXPECT_THAT(error_of(kSnapshot + diff(1'000'000'000'060'000'000, 21, 22, "") + other),
              HasSubstr("symbol ETHUSDT, the lines before were of BTCUSDT"));
}

TEST_F(Convert, RefusesNumbersThatAreNoDecimalStrings) {
  EXPECT_THAT(error_of(kSnapshot + diff(1000000000060000000, 21, 22, R"(["1e99","1"])")),
              HasSubstr("\"1e99\""));
  EXPECT_THAT(error_of(kSnapshot + diff(1000000000060000000, 21, 22, R"([1.5,"1"])")),
              HasSubstr("no pair of strings"));
}

// The recorded data itself, when this checkout has it beside it.
fs::path data_folder() {
  const char* given = std::getenv("SLUICE_DATA");
  return given != nullptr ? fs::path(given)
                          : fs::path(SLUICE_SOURCE_DIR).parent_path() / "shared/data";
}

std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

TEST_F(Convert, ConvertingTheRecordingAgainGivesTheShippedBytes) {
  const fs::path spot = data_folder() / "hftbacktest/spot";
  const std::vector<convert::Input> inputs = {{(spot / "btcusdt_20240808.gz").string(), "BTC/USD"},
                                              {(spot / "ethusdt_20240808.gz").string(), "ETH/USD"}};
  if (!fs::exists(inputs[0].path)) {
    GTEST_SKIP() << "no recorded data in " << spot << "; set SLUICE_DATA to the folder that has it";
  }
  std::vector<convert::Summary> summaries;
  const Session session = convert::convert_binance_spot(
      inputs, {*convert::known_symbol("BTC/USD"), *convert::known_symbol("ETH/USD")},
      load_session(kShipped).attribution, summaries);
  // The line counts of the data manifest.
  EXPECT_EQ(41'249U, summaries[0].lines);
  EXPECT_EQ(28'040U, summaries[0].quotes);
  EXPECT_EQ(9'757U, summaries[0].trades);
  EXPECT_EQ(3'451U, summaries[0].diffs);
  EXPECT_EQ(33'618U, summaries[1].lines);
  save_session(path_.string(), session);
  EXPECT_TRUE(slurp(path_) == slurp(kShipped)) << "the bytes differ";
}

// The book as snapshot and diffs give it, one symbol at a time.
struct Book {
  std::map<std::int64_t, std::int64_t, std::greater<>> bids;
  std::map<std::int64_t, std::int64_t> asks;

  void apply(const SessionRecord& r) {
    const auto set = [&r](auto& side) {
      if (r.b == 0) {
        side.erase(r.a);
      } else {
        side[r.a] = r.b;
      }
    };
    if (r.side == SessionSide::kBid) {
      set(bids);
    } else {
      set(asks);
    }
  }
};

TEST(ShippedSession, HasTwoSymbolsAndNoCrossedQuote) {
  const Session session = load_session(kShipped);
  ASSERT_EQ(2U, session.symbols.size());
  EXPECT_EQ("BTC/USD", session.symbols[0].symbol);
  EXPECT_EQ("ETH/USD", session.symbols[1].symbol);
  EXPECT_THAT(session.attribution, HasSubstr("hftbacktest"));
  EXPECT_THAT(session.attribution, HasSubstr("MIT"));
  EXPECT_NEAR(346.0, static_cast<double>(session.last_send_ns() - session.first_send_ns()) / 1e9,
              1.0);
  for (const SessionRecord& r : session.records) {
    ASSERT_FALSE(r.kind == SessionKind::kQuote && r.a >= r.c) << r.send_ns;
  }
}

// A bookTicker with update number n shows the best levels after update n. So after a diff up to u
// the rebuilt book's best prices and sizes are those of the last bookTicker with a number <= u.
TEST(ShippedSession, BookFromSnapshotAndDiffsEqualsTheBestQuotes) {
  const Session session = load_session(kShipped);
  for (std::uint16_t symbol = 0; symbol < 2; ++symbol) {
    std::map<std::uint64_t, SessionQuote> quotes;
    for (const SessionRecord& r : session.records) {
      if (r.symbol == symbol && r.kind == SessionKind::kQuote) {
        quotes[r.id] = r.quote();
      }
    }
    Book book;
    int compared = 0;
    int equal = 0;
    for (const SessionRecord& r : session.records) {
      if (r.symbol != symbol || r.kind != SessionKind::kDepth) {
        continue;
      }
      book.apply(r);
      const auto after = quotes.upper_bound(r.id);
      if (!r.last_of_event() || after == quotes.begin()) {
        continue;
      }
      const SessionQuote& q = std::prev(after)->second;
      ASSERT_LT(book.bids.begin()->first, book.asks.begin()->first) << "crossed at " << r.send_ns;
      ++compared;
      equal += book.bids.begin()->first == q.bid_px.raw &&
                       book.asks.begin()->first == q.ask_px.raw &&
                       book.bids.begin()->second == q.bid_qty.raw &&
                       book.asks.begin()->second == q.ask_qty.raw
                   ? 1
                   : 0;
    }
    EXPECT_GT(compared, 3'400);
    EXPECT_EQ(compared, equal) << session.symbols[symbol].symbol;
  }
}

}  // namespace
}  // namespace sluice
