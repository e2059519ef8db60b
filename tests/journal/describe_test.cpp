#include "common/describe/records.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/journal/tool_fixture.hpp"

namespace sluice::journal_tool {
namespace {

using namespace sluice::test;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(DescribeTap, PrintsAnExecutionWithExactMoneyAndNamedFlags) {
  const std::string line =
      describe_body(tap_of_body(0, 1, TapType::kExecution, fill_execution())).line();
  EXPECT_EQ(
      line,
      "id=41.1 kind=fill state=partial flags=cancel_wanted|outcome_unknown intent=5-1-77 row=0 "
      "instrument=0 "
      "side=sell px=60123.450000001 qty=0.000000001 cum_qty=0.15 fee=-0.000000025 fee_asset=0 "
      "fee_status=estimated execution_id=01234567-89ab-cdef-fedc-ba9876543210");
}

TEST(DescribeTap, PrintsTheReasonOfARefusal) {
  EXPECT_THAT(
      describe_body(tap_of_body(0, 1, TapType::kExecution, refusal(Reason::kCollar))).line(),
      HasSubstr("kind=refused state=failed reason=collar"));
}

TEST(DescribeTap, PrintsEachMarketEventOfATap) {
  const std::string line =
      describe_body(tap_of_body(2, 1, TapType::kMarketEvents, two_events())).line();
  EXPECT_THAT(line, HasSubstr("[kind=quote feed=0 instrument=0 flags=after_gap"));
  EXPECT_THAT(line, HasSubstr("bid_px=100 bid_qty=0.5 ask_px=100.01 ask_qty=0.25]"));
  EXPECT_THAT(line, HasSubstr("[kind=trade"));
  EXPECT_THAT(line, HasSubstr("px=100.01 qty=0.01 trade_id=99 taker=buy]"));
  EXPECT_THAT(line, Not(HasSubstr("kind=none")));
}

TEST(DescribeTap, PrintsATradingStatusWithTheVenuesCodes) {
  std::array<MarketEvent, kMarketEventsPerTap> events{};
  events[0].set_body(
      MarketKind::kStatus,
      StatusMark{.status = TradingStatus::kHalted, .code = 'H', .reason = 0x323154, .reserved = 0});
  EXPECT_THAT(describe_body(tap_of_body(2, 1, TapType::kMarketEvents, events)).line(),
              HasSubstr("status=halted code=H reason=T12"));
}

TEST(DescribeTap, PrintsAnIntentWithItsCause) {
  Intent intent;
  intent.id = {.incarnation = 4, .strategy = 0, .reserved = 0, .sequence = 12};
  intent.kind = IntentKind::kNew;
  intent.side = Side::kBuy;
  intent.type = OrderType::kLimit;
  intent.tif = TimeInForce::kIoc;
  intent.requested = Qty{200'000'000};
  intent.limit = Price{61'000'500'000'000};
  intent.cause = {.feed = 1, .reserved = 0, .instrument = 0, .receive_ns = MonoNanos{123'456}};
  const std::string line = describe_body(tap_of_body(1, 1, TapType::kOrder, intent)).line();
  EXPECT_THAT(
      line,
      HasSubstr("intent=4-0-12 kind=new instrument=0 side=buy type=limit tif=ioc requested=0.2 "
                "limit=61000.5"));
  EXPECT_THAT(line, HasSubstr("cause_feed=1 cause_receive_ns=123456"));
  intent.cause = {};
  EXPECT_THAT(describe_body(tap_of_body(1, 1, TapType::kOrder, intent)).line(),
              Not(HasSubstr("cause_feed")));
}

// One list of words, with the database's.
TEST(DescribeTap, NamesEveryEnumeratorAndKeepsTheNumberOfAnUnknownOne) {
  const auto verb = [](std::uint8_t number) {
    return describe_body(tap_of_body(0, 1, TapType::kCommand,
                                     Command{.verb = static_cast<Verb>(number), .value = 0}))
        .line();
  };
  EXPECT_THAT(verb(4), HasSubstr("verb=accept_position"));
  EXPECT_THAT(verb(77), HasSubstr("verb=#77"));
}

TEST(DescribeTap, PrintsTheSmallRecords) {
  const auto line = [](const Tap& tap) { return describe_body(tap).line(); };
  EXPECT_EQ(line(tap_of_body(0, 1, TapType::kTrip, TripRecord{.on = 1, .source = 1, .episode = 3})),
            "scope=0 switch=on source=operator episode=3");
  EXPECT_EQ(line(tap_of_body(0, 1, TapType::kGap, GapRecord{.lost = 9, .next_sequence = 30})),
            "lost=9 next_sequence=30");
  EXPECT_EQ(line(tap_of_body(0, 1, TapType::kVerdict,
                             Verdict{.decision = Decision::kRefused, .reason = Reason::kExposure})),
            "intent= decision=refused reason=exposure requested=0 approved=0");
  EXPECT_EQ(
      line(tap_of_body(0, 1, TapType::kCommand, Command{.verb = Verb::kWindDown, .value = -4})),
      "verb=wind_down scope=0 operator=0 value=-4 sequence=0");
  EXPECT_EQ(
      line(tap_of_body(0, 1, TapType::kAccount, AccountRecord{.cash = Cash{100'000'000'000'000}})),
      "account= cash=100000 buying_power=0");
  EXPECT_EQ(line(tap_of_body(
                0, 1, TapType::kCancel,
                Cancel{.order = {.incarnation = 1, .strategy = 2, .reserved = 0, .sequence = 3}})),
            "order=1-2-3 strategy=0 sequence=0");
}

// Every byte pattern may stand in a damaged or foreign journal: garbage is printed, never followed.
TEST(DescribeTap, SurvivesGarbageOfEveryType) {
  for (std::uint16_t type = 0; type < 300; ++type) {
    for (const std::uint64_t word :
         {std::uint64_t{0}, ~std::uint64_t{0}, std::uint64_t{0x8080808080808080}}) {
      Tap tap;
      tap.type = static_cast<TapType>(type);
      tap.body.fill(word);
      const Fields fields = describe_body(tap);
      EXPECT_FALSE(fields.line().empty());
      EXPECT_TRUE(nlohmann::json::accept(fields.json())) << fields.json();
    }
  }
}

TEST(DescribeTap, KnowsEveryTypeByItsName) {
  EXPECT_EQ(tap_type_named("execution"), TapType::kExecution);
  EXPECT_EQ(tap_type_named("market"), TapType::kMarketEvents);
  EXPECT_EQ(tap_type_named("none"), TapType::kNone);
  EXPECT_EQ(tap_type_named("bogus"), TapType::kNone);
  EXPECT_STREQ(name_of(static_cast<TapType>(999)), "unknown");
}

TEST(Fields, WriteNumbersAsNumbersAndEverythingElseAsText) {
  Fields inner;
  inner.text("px", "1.5");
  Fields fields;
  fields.number("n", std::uint64_t{18'446'744'073'709'551'615U});
  fields.number("i", std::int64_t{-1});
  fields.text("quote", "a\"b\n\xff");
  fields.text_unless_empty("absent", "");
  fields.list("events", {inner, inner});
  EXPECT_EQ(fields.json(),
            "{\"n\":18446744073709551615,\"i\":-1,\"quote\":\"a\\\"b\\n\xef\xbf\xbd\","
            "\"events\":[{\"px\":\"1.5\"},{\"px\":\"1.5\"}]}");
  EXPECT_EQ(inner.line(), "px=1.5");
}

}  // namespace
}  // namespace sluice::journal_tool
