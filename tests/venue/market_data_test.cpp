#include "common/venue/alpaca/market_data.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

#include "tests/venue/support.hpp"

namespace sluice::venue {
namespace {

using alpaca::ControlKind;
using alpaca::MarketDataDecoder;
using alpaca::MarketDataOptions;

constexpr std::int64_t kScaleInt = kScale;
// The examples of the venue's documentation, and the simulator's form.
constexpr std::string_view kQuote =
    R"({"T":"q","S":"BTC/USD","bp":61837.63,"bs":3.78826,"ap":61837.64,"as":1.5,"t":"2026-11-20T12:00:00.123456789Z"})";
constexpr std::string_view kTrade =
    R"({"T":"t","S":"AVAX/USD","p":47.299,"s":29.205707815,"t":"2024-03-12T10:27:48.858228144Z","i":3447222699101865076,"tks":"S"})";
constexpr std::string_view kBook =
    R"({"T":"o","S":"BTC/USD","t":"2024-03-12T10:38:50.79613221Z","b":[{"p":71859.53,"s":0.27994},{"p":71849.4,"s":0.553986}],"a":[{"p":71939.7,"s":0.83953},{"p":71940.4,"s":0}],"r":true})";
constexpr std::string_view kStockQuote =
    R"({"T":"q","S":"AAPL","bx":"U","bp":87.66,"bs":1,"ax":"Q","ap":87.68,"as":4,"t":"2021-02-22T15:51:45.335689322Z","c":["R"],"z":"C"})";
constexpr std::string_view kStockTrade =
    R"({"T":"t","i":96921,"S":"AAPL","x":"D","p":126.55,"s":1,"t":"2021-02-22T15:51:44.208Z","c":["@","I"],"z":"C"})";
// The simulator's.
constexpr std::string_view kSimStockQuote =
    R"({"T":"q","S":"AAPL","bp":87.66,"bs":1,"ap":87.68,"as":4,"t":"2021-02-22T15:51:45.335689322Z","bx":"U","ax":"Q","c":["R"],"z":"C"})";
constexpr std::string_view kSimStockTrade =
    R"({"T":"t","S":"AAPL","p":126.55,"s":1,"t":"2021-02-22T15:51:44.208Z","i":96921,"x":"D","c":["@","I"],"z":"C"})";
constexpr std::string_view kStatus =
    R"({"T":"s","S":"AAPL","sc":"H","sm":"Trading Halt","rc":"T12","rm":"Trading Halted; For information requested by NASDAQ","t":"2021-02-22T19:15:00Z","z":"C"})";
constexpr std::string_view kBar =
    R"({"T":"b","S":"AAPL","o":388.985,"h":389.13,"l":388.975,"c":389.12,"v":49378,"n":461,"vw":389.062639,"t":"2021-02-22T19:15:00Z"})";

std::string frame(std::string_view message) {
  return "[" + std::string(message) + "]";
}
std::string frame(std::string_view first, std::string_view second) {
  return "[" + std::string(first) + "," + std::string(second) + "]";
}

WallNanos at(std::string_view text) {
  WallNanos out;
  EXPECT_TRUE(parse_rfc3339(text, out)) << text;
  return out;
}

std::int64_t dec(std::string_view text) {
  std::int64_t raw = 0;
  EXPECT_EQ(parse_decimal(text, raw), DecimalStatus::kOk) << text;
  return raw;
}

class MarketData : public testing::Test {
 protected:
  Decoded decode(std::string_view text) { return decode_frame(decoder, text, ++now); }
  // The one reason for which the message was left out.
  DecodeStatus left_out(std::string_view message) {
    const std::uint64_t before = decoder.counters().bad.refused();
    const Decoded result = decode(frame(message));
    EXPECT_TRUE(result.events.empty()) << message;
    EXPECT_EQ(decoder.counters().bad.refused(), before + 1) << message;
    return decoder.last_fault().status;
  }

  MarketDataDecoder decoder{test_symbols(), MarketDataOptions{.feed = 3}};
  std::int64_t now{1'000'000};
};

TEST_F(MarketData, QuoteBecomesOneEventWithEveryFieldExact) {
  const Decoded result = decode(frame(kQuote));
  ASSERT_EQ(result.status, DecodeStatus::kOk);
  ASSERT_EQ(result.events.size(), 1u);
  const MarketEvent& event = result.events[0];
  EXPECT_EQ(event.kind, MarketKind::kQuote);
  EXPECT_EQ(event.flags, kLastOfEvent);
  EXPECT_EQ(event.source, 3);
  EXPECT_EQ(event.instrument, kBtc);
  EXPECT_EQ(event.exchange_ns, at("2026-11-20T12:00:00.123456789Z"));
  EXPECT_EQ(event.receive_ns.ns, now);
  EXPECT_EQ(event.quote().bid_px.raw, 61'837'630'000'000);
  EXPECT_EQ(event.quote().bid_qty.raw, 3'788'260'000);
  EXPECT_EQ(event.quote().ask_px.raw, 61'837'640'000'000);
  EXPECT_EQ(event.quote().ask_qty.raw, 1'500'000'000);
  EXPECT_EQ(decoder.counters().general_path, 0u);
}

TEST_F(MarketData, CryptoTradeKeepsItsIdAndTakerSide) {
  const Decoded result = decode(frame(kTrade));
  ASSERT_EQ(result.events.size(), 1u);
  const MarketEvent& event = result.events[0];
  EXPECT_EQ(event.kind, MarketKind::kTrade);
  EXPECT_EQ(event.instrument, kAvax);
  EXPECT_EQ(event.trade().px.raw, 47'299'000'000);
  EXPECT_EQ(event.trade().qty.raw, 29'205'707'815);
  EXPECT_EQ(event.trade().trade_id, 3'447'222'699'101'865'076u);
  EXPECT_EQ(event.trade().conditions, static_cast<std::uint64_t>(Side::kSell));
  EXPECT_EQ(decoder.counters().general_path, 0u);
}

TEST_F(MarketData, StockMessagesOfTheDocumentationAreUsualForms) {
  const Decoded result = decode(frame(kStockQuote, kStockTrade));
  ASSERT_EQ(result.events.size(), 2u);
  EXPECT_EQ(result.events[0].instrument, kAapl);
  EXPECT_EQ(result.events[0].exchange_ns, at("2021-02-22T15:51:45.335689322Z"));
  EXPECT_EQ(result.events[0].quote().bid_px.raw, dec("87.66"));
  EXPECT_EQ(result.events[0].quote().bid_qty.raw, kScaleInt);
  EXPECT_EQ(result.events[0].quote().ask_px.raw, dec("87.68"));
  EXPECT_EQ(result.events[0].quote().ask_qty.raw, 4 * kScaleInt);
  EXPECT_EQ(result.events[1].trade().px.raw, dec("126.55"));
  EXPECT_EQ(result.events[1].trade().qty.raw, kScaleInt);
  EXPECT_EQ(result.events[1].trade().trade_id, 96'921u);
  EXPECT_EQ(result.events[1].trade().conditions, 0u);  // no taker side told
  EXPECT_EQ(decoder.counters().general_path, 0u);
}

TEST_F(MarketData, SimulatorsStockMessagesAreUsualFormsToo) {
  const Decoded usual = decode(frame(kStockQuote, kStockTrade));
  const Decoded other = decode(frame(kSimStockQuote, kSimStockTrade));
  ASSERT_EQ(other.events.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(other.events[i].body, usual.events[i].body);
    EXPECT_EQ(other.events[i].exchange_ns, usual.events[i].exchange_ns);
  }
  EXPECT_EQ(decoder.counters().general_path, 0u);
}

TEST_F(MarketData, StockMessagesInAnotherFormGiveTheSameEvents) {
  const Decoded usual = decode(frame(kStockQuote, kStockTrade));
  const std::string quote = replaced(replaced(std::string(kStockQuote), R"("bx":"U",)", ""),
                                     R"("c":["R"])", R"("c":[ "R" ],"bx":"")");
  const std::string trade = replaced(replaced(std::string(kStockTrade), R"("i":96921,)", ""),
                                     R"("z":"C")", R"("z":null,"i":96921)");
  const Decoded other = decode(frame(quote, trade));
  ASSERT_EQ(other.events.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(other.events[i].body, usual.events[i].body);
    EXPECT_EQ(other.events[i].exchange_ns, usual.events[i].exchange_ns);
  }
  EXPECT_EQ(decoder.counters().general_path, 2u);
}

TEST_F(MarketData, StockTradeWithAnIdOfOneDigitIsReadWithoutLookingBeforeTheFrame) {
  const Decoded result = decode(frame(replaced(std::string(kStockTrade), "96921", "7")));
  ASSERT_EQ(result.events.size(), 1u);
  EXPECT_EQ(result.events[0].trade().trade_id, 7u);
  EXPECT_EQ(decode(frame(replaced(std::string(kStockTrade), "96921", "17"))).events.size(), 1u);
  EXPECT_EQ(decoder.counters().general_path, 1u);
}

TEST_F(MarketData, OneSidedStockQuoteIsDataOnTheUsualPath) {
  const Decoded result =
      decode(frame(replaced(replaced(std::string(kStockQuote), R"("bx":"U","bp":87.66,"bs":1)",
                                     R"("bx":" ","bp":0,"bs":0)"),
                            R"(["R"])", R"(["R","A"])")));
  ASSERT_EQ(result.events.size(), 1u);
  EXPECT_EQ(result.events[0].quote().bid_px.raw, 0);
  EXPECT_FALSE(result.events[0].quote().two_sided());
  EXPECT_EQ(decoder.counters().general_path, 0u);
}

TEST_F(MarketData, StockPrintOfNothingIsLeftOut) {
  EXPECT_EQ(left_out(replaced(std::string(kStockTrade), R"("s":1,)", R"("s":0,)")),
            DecodeStatus::kBadValue);
  EXPECT_EQ(left_out(replaced(std::string(kStockTrade), "126.55", "0")), DecodeStatus::kBadValue);
}

TEST_F(MarketData, StatusCodesOfBothTapesTellWhetherTradingGoesOn) {
  struct Case {
    const char* code;
    TradingStatus status;
  };
  for (const Case& c :
       {Case{"2", TradingStatus::kHalted}, Case{"3", TradingStatus::kTrading},
        Case{"H", TradingStatus::kHalted}, Case{"P", TradingStatus::kHalted},
        Case{"Q", TradingStatus::kHalted}, Case{"T", TradingStatus::kTrading},
        Case{"5", TradingStatus::kInformation}, Case{"A", TradingStatus::kInformation},
        Case{"E", TradingStatus::kInformation}, Case{"F", TradingStatus::kInformation}}) {
    const Decoded result = decode(frame(
        replaced(std::string(kStatus), R"("sc":"H")", R"("sc":")" + std::string(c.code) + "\"")));
    ASSERT_EQ(result.events.size(), 1u) << c.code;
    EXPECT_EQ(result.events[0].kind, MarketKind::kStatus);
    EXPECT_EQ(result.events[0].instrument, kAapl);
    EXPECT_EQ(result.events[0].exchange_ns, at("2021-02-22T19:15:00Z"));
    EXPECT_EQ(result.events[0].status().status, c.status) << c.code;
    EXPECT_EQ(result.events[0].status().code, static_cast<std::uint64_t>(c.code[0]));
    EXPECT_EQ(result.events[0].status().reason, 0x323154u);  // "T12", the first character lowest
  }
  EXPECT_EQ(decoder.counters().unknown_statuses, 0u);
}

TEST_F(MarketData, UnknownStatusCodesArePublishedAsUnknown) {
  for (const char* code : {"X", "", "HH", "h", "4", "Trading Halt"}) {
    const std::uint64_t before = decoder.counters().unknown_statuses;
    const Decoded result = decode(frame(
        replaced(std::string(kStatus), R"("sc":"H")", R"("sc":")" + std::string(code) + "\"")));
    ASSERT_EQ(result.events.size(), 1u) << code;
    EXPECT_EQ(result.events[0].status().status, TradingStatus::kUnknown) << code;
    EXPECT_EQ(decoder.counters().unknown_statuses, before + 1) << code;
  }
  EXPECT_EQ(left_out(replaced(std::string(kStatus), R"("sc":"H",)", "")),
            DecodeStatus::kMissingField);
  EXPECT_EQ(left_out(replaced(std::string(kStatus), R"("sc":"H")", R"("sc":2)")),
            DecodeStatus::kWrongType);
}

TEST_F(MarketData, KnownTypesThatNothingUsesAreSkippedWithoutError) {
  for (const char* type : {"b", "d", "u", "l", "c", "x", "i", "n"}) {
    const Decoded result = decode(
        frame(replaced(std::string(kBar), R"("T":"b")", R"("T":")" + std::string(type) + "\"")));
    EXPECT_EQ(result.status, DecodeStatus::kOk);
    EXPECT_TRUE(result.events.empty());
  }
  EXPECT_EQ(decoder.counters().skipped, 8u);
  EXPECT_EQ(decoder.counters().unknown_type, 0u);
  EXPECT_EQ(decoder.counters().bad.refused(), 0u);
}

TEST_F(MarketData, BookMessageBecomesOneEventPerLevelAndFlagsTheLast) {
  const Decoded result = decode(frame(kBook));
  ASSERT_EQ(result.events.size(), 4u);
  constexpr std::uint64_t kBid = static_cast<std::uint64_t>(Side::kBuy);
  constexpr std::uint64_t kAsk = static_cast<std::uint64_t>(Side::kSell);
  for (std::size_t i = 0; i < 4; ++i) {
    const MarketEvent& event = result.events[i];
    EXPECT_EQ(event.kind, MarketKind::kDepth);
    EXPECT_EQ(event.flags, i == 3 ? kSnapshot | kLastOfEvent : kSnapshot);
    EXPECT_EQ(event.depth().side, i < 2 ? kBid : kAsk);
    EXPECT_EQ(event.depth().level, i % 2);
    EXPECT_EQ(event.receive_ns.ns, now + static_cast<std::int64_t>(i));
  }
  EXPECT_EQ(result.events[1].depth().px.raw, dec("71849.4"));
  EXPECT_EQ(result.events[1].depth().qty.raw, dec("0.553986"));
  EXPECT_EQ(result.events[3].depth().qty.raw, 0);  // removes the level
  EXPECT_EQ(decoder.counters().general_path, 0u);
}

TEST_F(MarketData, BookUpdateWithoutResetIsNoSnapshot) {
  const Decoded result = decode(frame(replaced(std::string(kBook), R"(,"r":true)", "")));
  ASSERT_EQ(result.events.size(), 4u);
  EXPECT_EQ(result.events[0].flags, 0);
  EXPECT_EQ(result.events[3].flags, kLastOfEvent);
}

TEST_F(MarketData, ResetToAnEmptyBookIsOneEventWithoutSide) {
  const Decoded result =
      decode(R"([{"T":"o","S":"BTC/USD","t":"2024-03-12T10:38:50Z","b":[],"a":[],"r":true}])");
  ASSERT_EQ(result.events.size(), 1u);
  EXPECT_EQ(result.events[0].flags, kSnapshot | kLastOfEvent);
  EXPECT_EQ(result.events[0].depth().side, 0u);
  EXPECT_EQ(result.events[0].depth().px.raw, 0);
  EXPECT_TRUE(decode(R"([{"T":"o","S":"BTC/USD","t":"2024-03-12T10:38:50Z","b":[],"a":[]}])")
                  .events.empty());
}

TEST_F(MarketData, BookWithOneBadLevelIsLeftOutWhole) {
  for (const char* bad : {R"({"p":71849.4})", R"({"p":-1,"s":1})", R"({"p":0,"s":1})",
                          R"({"p":"1","s":1})", R"([1,2])", R"({"p":1,"p":1,"s":1})"}) {
    (void)left_out(replaced(std::string(kBook), R"({"p":71849.4,"s":0.553986})", bad));
  }
}

TEST_F(MarketData, BookOfMoreLevelsThanThereIsRoomForIsLeftOutWhole) {
  MarketDataDecoder small(test_symbols(), {.levels_max = 3});
  EXPECT_TRUE(decode_frame(small, frame(kBook)).events.empty());
  EXPECT_EQ(small.counters().bad.of(DecodeStatus::kTooMany), 1u);
  MarketDataDecoder fits(test_symbols(), {.levels_max = 4});
  EXPECT_EQ(decode_frame(fits, frame(kBook)).events.size(), 4u);
}

TEST_F(MarketData, AnyKeyOrderGivesTheSameEvent) {
  std::vector<std::string> members = {R"("T":"q")",
                                      R"("S":"BTC/USD")",
                                      R"("bp":61837.63)",
                                      R"("bs":3.78826)",
                                      R"("ap":61837.64)",
                                      R"("as":1.5)",
                                      R"("t":"2026-11-20T12:00:00.123456789Z")"};
  const Decoded expected = decode(frame(kQuote));
  std::sort(members.begin(), members.end());
  do {
    std::string message = "{" + members[0];
    for (std::size_t i = 1; i < members.size(); ++i) {
      message += "," + members[i];
    }
    const Decoded result = decode(frame(message + "}"));
    ASSERT_EQ(result.events.size(), 1u) << message;
    ASSERT_EQ(result.events[0].body, expected.events[0].body) << message;
    ASSERT_EQ(result.events[0].exchange_ns, expected.events[0].exchange_ns) << message;
  } while (std::next_permutation(members.begin(), members.end()));
  EXPECT_GT(decoder.counters().general_path, 5'000u);
}

TEST_F(MarketData, WhitespaceEscapesAndUnknownKeysAreRead) {
  const Decoded result = decode(
      " [ { \"\\u0054\" : \"q\" ,\n\"S\":\"BTC\\/USD\",\"new\":{\"x\":[1,{\"T\":\"t\"}]},"
      "\"bp\" : 1.5 , \"bs\":2,\"ap\":3,\"a\\u0073\":4,\"t\":\"2026-11-20T12:00:00Z\" } ] ");
  ASSERT_EQ(result.status, DecodeStatus::kOk);
  ASSERT_EQ(result.events.size(), 1u);
  EXPECT_EQ(result.events[0].instrument, kBtc);
  EXPECT_EQ(result.events[0].quote().bid_px.raw, 1'500'000'000);
  EXPECT_EQ(result.events[0].quote().ask_qty.raw, 4 * kScaleInt);
}

TEST_F(MarketData, ExponentsAndTrailingZerosAreExact) {
  struct Case {
    const char* text;
    std::int64_t raw;
  };
  for (const Case& c :
       {Case{"1e3", 1'000 * kScaleInt}, Case{"1E-9", 1}, Case{"61837.63e0", 61'837'630'000'000},
        Case{"6183763e-2", 61'837'630'000'000}, Case{"1.500000000000", 1'500'000'000},
        Case{"0.000000001", 1}, Case{"9223372036.854775807", INT64_MAX}, Case{"0", 0},
        Case{"0.0", 0}}) {
    const Decoded result = decode(frame(replaced(std::string(kQuote), "61837.63", c.text)));
    ASSERT_EQ(result.events.size(), 1u) << c.text;
    EXPECT_EQ(result.events[0].quote().bid_px.raw, c.raw) << c.text;
  }
}

TEST_F(MarketData, TimeStampsHaveZeroToNineFractionDigitsAndAnyOffset) {
  for (const char* text :
       {"2026-11-20T12:00:00Z", "2026-11-20T12:00:00.1Z", "2026-11-20T12:00:59.12Z",
        "2026-11-20T12:01:00.123Z", "2026-11-20T12:00:00.1234Z", "2026-11-20T23:59:59.12345Z",
        "2026-11-21T00:00:00.123456Z", "2026-11-20T12:00:00.1234567Z",
        "2024-02-29T12:00:00.12345678Z", "2026-11-20T12:00:00.123456789Z",
        "2026-11-20T07:00:00.123456789-05:00", "1970-01-01T00:00:00Z", "1969-12-31T23:59:59.5Z"}) {
    const Decoded result =
        decode(frame(replaced(std::string(kQuote), "2026-11-20T12:00:00.123456789Z", text)));
    ASSERT_EQ(result.events.size(), 1u) << text;
    EXPECT_EQ(result.events[0].exchange_ns, at(text)) << text;
  }
}

TEST_F(MarketData, ImpossibleTimesAreLeftOut) {
  for (const char* text : {"2026-11-20T12:00:60Z", "2026-02-29T12:00:00Z", "2026-11-20T24:00:00Z",
                           "2026-11-20T12:00:00.Z", "2026-11-20T12:00:00.1234567890Z",
                           "2026-11-20 12:00:00Z", "2026-11-20T12:00:00", "", "x"}) {
    EXPECT_EQ(left_out(replaced(std::string(kQuote), "2026-11-20T12:00:00.123456789Z", text)),
              DecodeStatus::kBadValue)
        << text;
  }
}

TEST_F(MarketData, OneSidedAndCrossedQuotesAreData) {
  const Decoded one_sided =
      decode(frame(replaced(replaced(std::string(kQuote), R"("bp":61837.63)", R"("bp":0)"),
                            R"("bs":3.78826)", R"("bs":0)")));
  ASSERT_EQ(one_sided.events.size(), 1u);
  EXPECT_FALSE(one_sided.events[0].quote().two_sided());
  const Decoded crossed =
      decode(frame(replaced(std::string(kQuote), R"("bp":61837.63)", R"("bp":70000)")));
  ASSERT_EQ(crossed.events.size(), 1u);
  EXPECT_TRUE(crossed.events[0].quote().crossed());
}

TEST_F(MarketData, EachFaultOfAFieldHasItsReason) {
  const std::string quote(kQuote);
  EXPECT_EQ(left_out(replaced(quote, R"("bp":61837.63,)", "")), DecodeStatus::kMissingField);
  EXPECT_EQ(decoder.last_fault().field, "bp");
  EXPECT_EQ(decoder.last_fault().instrument, kBtc);
  EXPECT_EQ(left_out(replaced(quote, R"("as":1.5)", R"("as":1.5,"as":1.5)")),
            DecodeStatus::kDuplicateKey);
  EXPECT_EQ(left_out(replaced(quote, R"("bp":61837.63)", R"("bp":"61837.63")")),
            DecodeStatus::kWrongType);
  EXPECT_EQ(left_out(replaced(quote, "61837.63", "null")), DecodeStatus::kNull);
  EXPECT_EQ(left_out(replaced(quote, "61837.63", "-1")), DecodeStatus::kBadValue);
  EXPECT_EQ(left_out(replaced(quote, "61837.63", "1.0000000001")), DecodeStatus::kTooPrecise);
  EXPECT_EQ(left_out(replaced(quote, "61837.63", "9223372036.854775808")),
            DecodeStatus::kOutOfRange);
  EXPECT_EQ(left_out(replaced(quote, "61837.63", "1e400")), DecodeStatus::kOutOfRange);
  EXPECT_EQ(left_out(replaced(quote, R"("BTC/USD")", "7")), DecodeStatus::kWrongType);
  EXPECT_EQ(left_out(replaced(quote, R"("BTC/USD")", R"("")")), DecodeStatus::kBadValue);
  EXPECT_EQ(left_out(replaced(quote, R"("T":"q")", R"("x":"q")")), DecodeStatus::kMissingField);
  EXPECT_EQ(left_out(replaced(quote, R"("T":"q")", R"("T":"q","T":"t")")),
            DecodeStatus::kDuplicateKey);
  EXPECT_EQ(left_out(replaced(quote, R"("T":"q")", R"("T":1)")), DecodeStatus::kWrongType);
}

TEST_F(MarketData, PrintsOfNothingAreLeftOut) {
  const std::string trade(kTrade);
  EXPECT_EQ(left_out(replaced(trade, "47.299", "0")), DecodeStatus::kBadValue);
  EXPECT_EQ(left_out(replaced(trade, "29.205707815", "0.0")), DecodeStatus::kBadValue);
  EXPECT_EQ(left_out(replaced(trade, "29.205707815", "-1")), DecodeStatus::kBadValue);
  EXPECT_EQ(left_out(replaced(trade, "3447222699101865076", "-1")), DecodeStatus::kBadValue);
  EXPECT_EQ(left_out(replaced(trade, "3447222699101865076", "18446744073709551616")),
            DecodeStatus::kOutOfRange);
  EXPECT_EQ(left_out(replaced(trade, "3447222699101865076", "1.5")), DecodeStatus::kBadValue);
}

TEST_F(MarketData, UnknownTakerLetterTakesNoSide) {
  for (const char* taker : {R"("-")", R"("")", "null", R"("b")"}) {
    const Decoded result =
        decode(frame(replaced(std::string(kTrade), R"("S"})", std::string(taker) + "}")));
    ASSERT_EQ(result.events.size(), 1u) << taker;
    EXPECT_EQ(result.events[0].trade().conditions, 0u) << taker;
  }
}

TEST_F(MarketData, LeftOutMessagesDoNotTouchTheirNeighbours) {
  const std::string bad = replaced(std::string(kQuote), "61837.63", "-1");
  const Decoded result =
      decode("[" + std::string(kQuote) + "," + bad + "," + std::string(kTrade) + "]");
  EXPECT_EQ(result.status, DecodeStatus::kOk);
  ASSERT_EQ(result.events.size(), 2u);
  EXPECT_EQ(result.events[1].kind, MarketKind::kTrade);
  EXPECT_EQ(result.events[1].receive_ns.ns, now + 1);
}

TEST_F(MarketData, UnknownSymbolsAndTypesAreCountedApart) {
  const Decoded result = decode(frame(replaced(std::string(kQuote), "BTC/USD", "DOGE/USD"),
                                      replaced(std::string(kBar), R"("T":"b")", R"("T":"new")")));
  EXPECT_EQ(result.status, DecodeStatus::kOk);
  EXPECT_TRUE(result.events.empty());
  EXPECT_EQ(decoder.counters().unknown_symbol, 1u);
  EXPECT_EQ(decoder.counters().unknown_type, 1u);
  EXPECT_EQ(decoder.counters().bad.refused(), 0u);
  EXPECT_EQ(decoder.counters().messages, 2u);
}

TEST_F(MarketData, StampsRiseByOneWithinAFrameAndNeverFallBehind) {
  MarketDataDecoder fresh(test_symbols(), {});
  const std::string two = frame(kQuote, kTrade);
  EXPECT_EQ(decode_frame(fresh, two, 100).events[1].receive_ns.ns, 101);
  // The next frame came in the same nanosecond, the one after "before" it.
  EXPECT_EQ(decode_frame(fresh, two, 100).events[0].receive_ns.ns, 102);
  EXPECT_EQ(decode_frame(fresh, two, 50).events[1].receive_ns.ns, 105);
  EXPECT_EQ(fresh.next_stamp(MonoNanos{80}).ns, 106);
  EXPECT_EQ(fresh.next_stamp(MonoNanos{200}).ns, 200);
  EXPECT_EQ(decode_frame(fresh, two, 150).events[0].receive_ns.ns, 201);
}

TEST_F(MarketData, StructuralErrorPublishesWhatCameBeforeAndDropsTheRest) {
  const std::string quote(kQuote);
  for (const std::string& rest :
       {std::string(",{\"T\":\"q\""), std::string(","), std::string(",]"), std::string(" x]"),
        std::string(",7," + quote + "]"), std::string(",{\"T\":}," + quote + "]"),
        std::string(",{\"T\":\"q\"]," + quote + "]"), std::string("," + quote), std::string(""),
        std::string(",{\"a\":tru}," + quote + "]"), std::string("]]"), std::string("] {}"),
        std::string(",{\"a\":\"\\q\"}," + quote + "]")}) {
    const std::uint64_t before = decoder.counters().frames_cut_short;
    const Decoded result = decode("[" + quote + rest);
    EXPECT_EQ(result.status, DecodeStatus::kMalformed) << rest;
    EXPECT_EQ(result.events.size(), rest == "," + quote ? 2u : 1u) << rest;
    EXPECT_EQ(decoder.counters().frames_cut_short, before + 1) << rest;
  }
}

TEST_F(MarketData, FramesThatAreNoArrayAreRefused) {
  EXPECT_EQ(decode("").status, DecodeStatus::kEmpty);
  EXPECT_EQ(decode(" \r\n ").status, DecodeStatus::kEmpty);
  EXPECT_EQ(decode(kQuote).status, DecodeStatus::kWrongShape);
  EXPECT_EQ(decode("garbage").status, DecodeStatus::kWrongShape);
  EXPECT_EQ(decode(std::string("\x00\x01\x02\xff", 4)).status, DecodeStatus::kWrongShape);
  EXPECT_EQ(decoder.counters().frames_refused, 5u);
  EXPECT_EQ(decode("[]").status, DecodeStatus::kOk);
  EXPECT_EQ(decode(" [ ] ").status, DecodeStatus::kOk);
}

TEST_F(MarketData, OversizedFrameIsRefusedUnread) {
  MarketDataDecoder small(test_symbols(), {.frame_bytes_max = kQuote.size() + 2});
  EXPECT_EQ(decode_frame(small, frame(kQuote)).events.size(), 1u);
  const Decoded result = decode_frame(small, frame(kQuote) + " ");
  EXPECT_EQ(result.status, DecodeStatus::kOversize);
  EXPECT_TRUE(result.events.empty());
}

TEST_F(MarketData, DeepNestingIsRefusedNotFollowed) {
  const std::string deep = "[{\"x\":" + std::string(5'000, '[') + std::string(5'000, ']') + "}]";
  EXPECT_EQ(decode(deep).status, DecodeStatus::kMalformed);
  const std::string twenty = "[{\"x\":" + std::string(20, '[') + std::string(20, ']') + "}]";
  EXPECT_EQ(decode(twenty).status, DecodeStatus::kTooDeep);
}

TEST_F(MarketData, ControlCharacterBehindASymbolIsNotPadding) {
  const Decoded result =
      decode(frame(replaced(std::string(kQuote), "BTC/USD", std::string_view("BTC/USD\0", 8))));
  EXPECT_EQ(result.status, DecodeStatus::kMalformed);
  EXPECT_TRUE(result.events.empty());
}

TEST_F(MarketData, NonUtf8InAMessageEndsTheFrame) {
  const Decoded result = decode(frame(kQuote, "{\"T\":\"q\xff\"}"));
  EXPECT_EQ(result.status, DecodeStatus::kMalformed);
  EXPECT_EQ(result.events.size(), 1u);
}

// Every prefix of a frame, followed in memory by nothing of use or by the very bytes cut off: the
// decoder must not read on into them and must never make an event of half a message.
TEST_F(MarketData, EveryTruncationGivesOnlyWholeMessages) {
  const std::string whole = "[" + std::string(kQuote) + "," + std::string(kTrade) + "," +
                            std::string(kBook) + "," + std::string(kStockQuote) + "," +
                            std::string(kStockTrade) + "," + std::string(kSimStockQuote) + "," +
                            std::string(kSimStockTrade) + "," + std::string(kStatus) + "]";
  const Decoded full = decode_frame(decoder, whole, 1);
  ASSERT_EQ(full.events.size(), 11u);
  std::size_t ends[8] = {};
  std::size_t end = 0;
  std::size_t n = 0;
  for (const std::string_view message :
       {kQuote, kTrade, kBook, kStockQuote, kStockTrade, kSimStockQuote, kSimStockTrade, kStatus}) {
    end += 1 + message.size();
    ends[n++] = end;
  }
  const std::size_t events_at[] = {1, 2, 6, 7, 8, 9, 10, 11};
  for (const bool fast_path : {true, false}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      std::size_t expected = 0;
      for (std::size_t i = 0; i < std::size(ends); ++i) {
        expected = size >= ends[i] ? events_at[i] : expected;
      }
      for (const std::string_view behind :
           {std::string_view{}, std::string_view(whole).substr(size)}) {
        MarketDataDecoder fresh(
            test_symbols(), {.frame_bytes_max = 4096, .levels_max = 16, .fast_path = fast_path});
        const Decoded result =
            decode_frame(fresh, std::string_view(whole).substr(0, size), 1, behind);
        ASSERT_NE(result.status, DecodeStatus::kOk) << size;
        ASSERT_EQ(result.events.size(), expected) << size;
        for (std::size_t i = 0; i < expected; ++i) {
          ASSERT_EQ(result.events[i].body, full.events[i].body) << size;
        }
      }
    }
  }
}

TEST_F(MarketData, HandshakeMessagesAreControl) {
  const Decoded connected = decode(R"([{"T":"success","msg":"connected"}])");
  ASSERT_EQ(connected.controls.size(), 1u);
  EXPECT_EQ(connected.controls[0].kind, ControlKind::kConnected);
  EXPECT_EQ(decode(R"([{"T":"success","msg":"authenticated"}])").controls.at(0).kind,
            ControlKind::kAuthenticated);
  EXPECT_EQ(decode(R"([{"msg":"something","T":"success"}])").controls.at(0).kind,
            ControlKind::kOther);
  EXPECT_EQ(decoder.counters().control, 3u);
}

TEST_F(MarketData, ErrorFrameCarriesCodeAndText) {
  const Decoded result = decode(R"([{"T":"error","code":406,"msg":"connection limit exceeded"}])");
  ASSERT_EQ(result.controls.size(), 1u);
  EXPECT_EQ(result.controls[0].kind, ControlKind::kError);
  EXPECT_EQ(result.controls[0].code, 406);
  EXPECT_EQ(result.controls[0].text.view(), "connection limit exceeded");
  EXPECT_EQ(left_out(R"({"T":"error","msg":"no code"})"), DecodeStatus::kMissingField);
  EXPECT_EQ(left_out(R"({"T":"error","code":"402","msg":"x"})"), DecodeStatus::kWrongType);
}

TEST_F(MarketData, LongErrorTextIsCutForDisplay) {
  const Decoded result =
      decode(R"([{"T":"error","code":500,"msg":")" + std::string(500, 'x') + R"("}])");
  ASSERT_EQ(result.controls.size(), 1u);
  EXPECT_EQ(result.controls[0].text.view(), std::string(96, 'x'));
}

TEST_F(MarketData, SubscriptionCountsOurSymbols) {
  const Decoded result = decode(
      R"([{"T":"subscription","trades":["BTC/USD"],"quotes":["ETH/USD","BTC/USD","LTC/USD"],"orderbooks":["*"],"bars":[],"updatedBars":[],"dailyBars":["AAPL"],"statuses":["AAPL"]}])");
  ASSERT_EQ(result.controls.size(), 1u);
  const alpaca::ControlMessage& ack = result.controls[0];
  EXPECT_EQ(ack.kind, ControlKind::kSubscription);
  EXPECT_EQ(ack.trades.known, 1u);
  EXPECT_EQ(ack.quotes.known, 2u);
  EXPECT_EQ(ack.quotes.unknown, 1u);
  EXPECT_TRUE(ack.orderbooks.all);
  EXPECT_EQ(ack.statuses.known, 1u);
  EXPECT_FALSE(ack.quotes.all);
}

}  // namespace
}  // namespace sluice::venue
