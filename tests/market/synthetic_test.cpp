// The synthetic session: what ships is what the seed gives, and every promise of its header.
#include "tools/session_convert/synthetic.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "common/base/error.hpp"
#include "tools/session_convert/info.hpp"

namespace sluice {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr const char* kShipped = SLUICE_SOURCE_DIR "/config/sessions/synthetic-equity.session";

std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

WallNanos start() {
  WallNanos out{};
  EXPECT_TRUE(parse_rfc3339("2024-03-05T14:30:00Z", out));
  return out;
}

convert::SyntheticOptions shipped_options() {
  return {.symbols = 6,
          .seconds = 120,
          .rate = 70,
          .seed = 20240305,
          .asset_class = SessionAssetClass::kUsEquity,
          .start = start(),
          .opening_print = true,
          .closing_print = false};
}

bool same(const Session& x, const Session& y) {
  return x.records.size() == y.records.size() &&
         std::memcmp(x.records.data(), y.records.data(),
                     x.records.size() * sizeof(SessionRecord)) == 0;
}

TEST(Synthetic, MakingTheShippedSessionAgainGivesItsBytes) {
  const fs::path path =
      fs::temp_directory_path() / ("sluice-synthetic-test-" + std::to_string(::getpid()));
  save_session(path.string(), convert::make_synthetic(shipped_options()));
  EXPECT_TRUE(slurp(path) == slurp(kShipped)) << "the bytes differ";
  fs::remove(path);
  EXPECT_LE(fs::file_size(kShipped), 1'000'000U);
  EXPECT_THAT(slurp(SLUICE_SOURCE_DIR "/config/sessions/README.md"),
              HasSubstr("--symbols 6 --seconds 120 --rate 70 --seed 20240305 --class equity \\\n"
                        "        --start 2024-03-05T14:30:00Z --opening-print "));
}

TEST(Synthetic, SeedDecidesEverything) {
  convert::SyntheticOptions options = shipped_options();
  options.seconds = 10;
  const Session first = convert::make_synthetic(options);
  EXPECT_TRUE(same(first, convert::make_synthetic(options)));
  options.seed += 1;
  EXPECT_FALSE(same(first, convert::make_synthetic(options)));
}

// A symbol must not change because there are more of them.
TEST(Synthetic, SymbolWalksTheSameHoweverManyThereAre) {
  convert::SyntheticOptions options = shipped_options();
  options.seconds = 5;
  const Session many = convert::make_synthetic(options);
  options.symbols = 1;
  const Session one = convert::make_synthetic(options);
  std::size_t at = 0;
  for (const SessionRecord& record : many.records) {
    if (record.symbol == 0) {
      ASSERT_LT(at, one.records.size());
      ASSERT_EQ(0, std::memcmp(&record, &one.records[at++], sizeof record));
    }
  }
  EXPECT_EQ(one.records.size(), at);
}

TEST(Synthetic, EventsPerSymbolAndSecondAreAboutTheRate) {
  for (const std::int64_t rate : {10, 200}) {
    convert::SyntheticOptions options = shipped_options();
    options.asset_class = SessionAssetClass::kCrypto;
    options.rate = rate;
    const std::size_t planned = options.symbols * 120 * static_cast<std::size_t>(rate);
    const std::size_t made = convert::make_synthetic(options).records.size();
    EXPECT_GT(made, planned * 9 / 10);
    EXPECT_LT(made, planned * 11 / 10);
  }
}

TEST(Synthetic, ShippedSessionHasEveryOddity) {
  const Session session = load_session(kShipped);
  const convert::SessionInfo info = convert::inspect(session);
  std::uint8_t conditions = 0;
  std::set<std::int64_t> statuses;
  for (const SessionRecord& record : session.records) {
    conditions = static_cast<std::uint8_t>(conditions | record.conditions);
    if (record.kind == SessionKind::kStatus) {
      statuses.insert(record.a);
    }
  }
  EXPECT_EQ(
      kSessionOddLot | kSessionIntermarketSweep | kSessionOpening | kSessionTradeThroughExempt,
      conditions);
  EXPECT_EQ((std::set<std::int64_t>{1, 2, 3, 4}), statuses);
  std::uint64_t locked = 0;
  std::uint64_t crossed = 0;
  for (const convert::SymbolInfo& symbol : info.symbols) {
    locked += symbol.locked_quotes;
    crossed += symbol.crossed_quotes;
    EXPECT_GT(symbol.one_sided_quotes, 0U);
    EXPECT_GT(symbol.by_kind[2], 1'000U);
  }
  EXPECT_GT(locked, 5U);
  EXPECT_GT(crossed, 5U);
}

TEST(Synthetic, TradesLieWithinTheQuoteBeforeThemAndNeverInAHalt) {
  const Session session = load_session(kShipped);
  for (std::uint16_t symbol = 0; symbol < session.symbols.size(); ++symbol) {
    SessionQuote quote{};
    bool trading = true;
    bool quotes = true;
    std::uint64_t last_trade = 0;
    const SessionRecord* previous = nullptr;
    for (const SessionRecord& r : session.records) {
      if (r.symbol != symbol) {
        continue;
      }
      if (r.kind == SessionKind::kStatus) {
        trading = r.status() == SessionStatus::kResume;
        quotes = trading || r.status() == SessionStatus::kQuoteResume;
      } else if (r.kind == SessionKind::kQuote) {
        ASSERT_TRUE(quotes || (r.a == 0 && r.c == 0)) << "a quote in a halt";
        quote = r.quote();
      } else {
        ASSERT_TRUE(trading) << "a trade in a halt";
        ASSERT_EQ(++last_trade, r.id);
        // The second print of a sweep is one tick beyond the quote that its first print emptied.
        const bool second = previous != nullptr && previous->kind == SessionKind::kTrade &&
                            (previous->conditions & kSessionIntermarketSweep) != 0;
        const std::int64_t room = second ? session.symbols[symbol].price_increment.raw : 0;
        ASSERT_GE(r.a, quote.bid_px.raw - room);
        ASSERT_LE(r.a, quote.ask_px.raw + room);
      }
      previous = &r;
    }
    EXPECT_TRUE(trading);
    EXPECT_LT(quote.bid_px, quote.ask_px) << "the last quote is normal";
    EXPECT_GT(quote.bid_px.raw, 0);
  }
}

// What a resting bid and a momentum taker live on, with the demo's numbers at speed 6: at the bid
// and below it there is trading, and within 0.9 s the mid moves by 0.4 basis points.
TEST(Synthetic, ShippedSessionCanBeTraded) {
  const Session session = load_session(kShipped);
  for (std::uint16_t symbol = 0; symbol < session.symbols.size(); ++symbol) {
    SessionQuote quote{};
    std::int64_t reference = 0;
    std::int64_t reference_ns = 0;
    int signals = 0;
    int at_bid = 0;
    int at_ask = 0;
    for (const SessionRecord& r : session.records) {
      if (r.symbol != symbol) {
        continue;
      }
      if (r.kind == SessionKind::kTrade) {
        at_bid += r.a <= quote.bid_px.raw ? 1 : 0;
        at_ask += r.a >= quote.ask_px.raw ? 1 : 0;
        continue;
      }
      if (r.kind != SessionKind::kQuote || r.a == 0 || r.c == 0) {
        continue;
      }
      quote = r.quote();
      const std::int64_t mid = (r.a + r.c) / 2;
      if (r.send_ns - reference_ns >= 900'000'000) {
        signals += reference != 0 && std::abs(mid - reference) >= reference / 100'000 * 4 / 10;
        reference = mid;
        reference_ns = r.send_ns;
      }
    }
    EXPECT_GT(signals, 40);
    EXPECT_GT(at_bid, 400);
    EXPECT_GT(at_ask, 400);
  }
}

TEST(Synthetic, CryptoHasSidesAndNothingThatOnlyEquitiesHave) {
  convert::SyntheticOptions options = shipped_options();
  options.asset_class = SessionAssetClass::kCrypto;
  options.seconds = 60;
  const Session session = convert::make_synthetic(options);
  EXPECT_EQ("SYNF/USD", session.symbols[5].symbol);
  int buys = 0;
  int sells = 0;
  for (const SessionRecord& r : session.records) {
    EXPECT_EQ(0, r.exchange);
    EXPECT_EQ(0, r.conditions);
    EXPECT_TRUE(r.kind != SessionKind::kQuote || (r.a > 0 && r.a < r.c));
    buys += r.side == SessionSide::kBid ? 1 : 0;
    sells += r.side == SessionSide::kAsk ? 1 : 0;
  }
  EXPECT_GT(buys, 1'000);
  EXPECT_GT(sells, 1'000);
}

TEST(Synthetic, EveryKindOfSessionCanBeSaved) {
  const fs::path path =
      fs::temp_directory_path() / ("sluice-synthetic-save-" + std::to_string(::getpid()));
  for (const auto asset_class : {SessionAssetClass::kUsEquity, SessionAssetClass::kCrypto}) {
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      convert::SyntheticOptions options = shipped_options();
      options.asset_class = asset_class;
      options.seed = seed;
      options.symbols = 3;
      options.seconds = static_cast<std::int64_t>(1 + seed * 3);
      options.rate = seed % 2 == 0 ? 1 : 200;
      options.closing_print = true;
      ASSERT_NO_THROW(save_session(path.string(), convert::make_synthetic(options))) << seed;
    }
  }
  fs::remove(path);
}

TEST(Synthetic, NamesAreLettersWithoutEnd) {
  EXPECT_EQ("SYNA", convert::synthetic_symbol(0, SessionAssetClass::kUsEquity));
  EXPECT_EQ("SYNZ", convert::synthetic_symbol(25, SessionAssetClass::kUsEquity));
  EXPECT_EQ("SYNAA/USD", convert::synthetic_symbol(26, SessionAssetClass::kCrypto));
  EXPECT_EQ("SYNAAA", convert::synthetic_symbol(702, SessionAssetClass::kUsEquity));
}

TEST(Synthetic, RefusesNumbersOutOfRange) {
  const auto refused = [](auto change, const char* says) {
    convert::SyntheticOptions options = shipped_options();
    change(options);
    try {
      (void)convert::make_synthetic(options);
      ADD_FAILURE() << "was made: " << says;
    } catch (const Error& e) {
      EXPECT_EQ(ExitCode::kUsage, e.code());
      EXPECT_THAT(e.what(), HasSubstr(says));
    }
  };
  refused([](auto& o) { o.symbols = 0; }, "--symbols 0: allowed are 1 to 4096");
  refused([](auto& o) { o.symbols = 4097; }, "--symbols 4097");
  refused([](auto& o) { o.seconds = 0; }, "--seconds 0");
  refused([](auto& o) { o.rate = 20'001; }, "--rate 20001");
  refused([](auto& o) { o.start = {}; }, "--start");
  refused([](auto& o) { o.rate = 20'000, o.seconds = 86'400; }, "--repeat");
}

TEST(SessionInfo, CountsWhatIsThere) {
  const Session session = load_session(kShipped);
  const convert::SessionInfo info = convert::inspect(session);
  std::uint64_t sum = 0;
  for (const convert::SymbolInfo& symbol : info.symbols) {
    sum += symbol.by_kind[1] + symbol.by_kind[2] + symbol.by_kind[3] + symbol.by_kind[4];
  }
  EXPECT_EQ(session.records.size(), sum);
  EXPECT_EQ(1U, info.symbols[1].halts);
  EXPECT_EQ(0U, info.symbols[0].halts);
  EXPECT_GT(info.busiest_second, session.records.size() / 120);
  const std::string json = convert::describe_json(session, info);
  EXPECT_THAT(json, HasSubstr("\"symbol\":\"SYNB\""));
  EXPECT_THAT(json, HasSubstr("\"records\":" + std::to_string(session.records.size())));
  EXPECT_THAT(convert::describe(session, info), HasSubstr("SYNF"));
}

}  // namespace
}  // namespace sluice
