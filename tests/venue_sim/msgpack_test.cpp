// msgpack against the library's own reader, and client messages from friend and foe.
#include "tools/venue_sim/msgpack.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <string>

namespace sluice::sim::test {
namespace {

using Json = nlohmann::json;

std::string packed(std::string_view json, MsgpackTimes times = MsgpackTimes::kMarketData) {
  std::string out;
  append_msgpack(out, json, times);
  return out;
}

std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int value : values) {
    out.push_back(static_cast<char>(value));
  }
  return out;
}

TEST(Msgpack, TextWithoutMomentsReadsBackAsTheSameJson) {
  for (
      const char* json :
      {R"([{"T":"success","msg":"connected"}])", R"([])", R"({})", "null", "true", "[false,null]",
       R"({"a":0,"b":127,"c1":128,"d1":255,"e":256,"f":65535,"g":65536,"h1":4294967296})",
       R"([18446744073709551615,-1,-32,-33,-2147483648,-2147483649,-9223372036854775808])",
       R"({"s":3.78826,"p":61837.64,"n":0.000000001})",
       R"({"text":"quote \" backslash \\ control \u0001 end"})",
       R"({"long":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"})",
       R"([1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17])"}) {
    EXPECT_EQ(Json::from_msgpack(packed(json)), Json::parse(json)) << json;
  }
  const std::string huge = '"' + std::string(70'000, 'x') + '"';
  EXPECT_EQ(Json::from_msgpack(packed(huge)), Json::parse(huge));
}

TEST(Msgpack, WideContainersTakeTheLongHead) {
  std::string json = "{";
  for (int i = 0; i < 40; ++i) {
    json += (i == 0 ? "\"k" : ",\"k") + std::to_string(i) + "\":[" + std::to_string(i) + "]";
  }
  json += "}";
  EXPECT_EQ(Json::from_msgpack(packed(json)), Json::parse(json));
}

TEST(Msgpack, TIsTheFirstKeyAndPricesAreDoubles) {
  const std::string out = packed(R"({"T":"t","p":100,"s":100})");
  EXPECT_EQ(out, bytes({0x83, 0xA1, 'T', 0xA1, 't', 0xA1, 'p', 0xCB, 0x40, 0x59, 0, 0, 0, 0, 0, 0,
                        0xA1, 's', 100}));
}

TEST(Msgpack, MomentsAreTheTimestampExtensionInItsThreeForms) {
  EXPECT_EQ(packed(R"({"t":"1970-01-01T00:00:01Z"})"),
            bytes({0x81, 0xA1, 't', 0xD6, 0xFF, 0, 0, 0, 1}));
  // 1 s and 500 ns: nanoseconds in the upper 30 bits.
  EXPECT_EQ(packed(R"({"t":"1970-01-01T00:00:01.0000005Z"})"),
            bytes({0x81, 0xA1, 't', 0xD7, 0xFF, 0, 0, 0x07, 0xD0, 0, 0, 0, 1}));
  // 2^32 s needs more than 32 bits, without a fraction.
  EXPECT_EQ(packed(R"({"t":"2106-02-07T06:28:16Z"})"),
            bytes({0x81, 0xA1, 't', 0xD7, 0xFF, 0, 0, 0, 1, 0, 0, 0, 0}));
  // Half a second before 1970: seconds are signed, nanoseconds are not.
  EXPECT_EQ(packed(R"({"t":"1969-12-31T23:59:59.5Z"})"),
            bytes({0x81, 0xA1, 't', 0xC7, 12, 0xFF, 0x1D, 0xCD, 0x65, 0, 0xFF, 0xFF, 0xFF, 0xFF,
                   0xFF, 0xFF, 0xFF, 0xFF}));
  EXPECT_EQ(Json::from_msgpack(packed(R"({"t":"1970-01-01T00:00:01Z"})", MsgpackTimes::kText))["t"],
            "1970-01-01T00:00:01Z");
}

TEST(Msgpack, ArrayHeadIsWrittenAfterwards) {
  std::string out(kMsgpackArrayHeadBytes, '\0');
  out += packed("1") + packed("2");
  write_msgpack_array_head(out.data(), 2);
  EXPECT_EQ(Json::from_msgpack(out), Json::parse("[1,2]"));
}

TEST(Msgpack, EncodingIsChosenByTheContentType) {
  EXPECT_TRUE(asks_for_msgpack("application/msgpack"));
  EXPECT_TRUE(asks_for_msgpack("application/msgpack; charset=x"));
  EXPECT_FALSE(asks_for_msgpack("application/json"));
  EXPECT_FALSE(asks_for_msgpack(""));
}

TEST(ClientMessage, IsReadInEitherEncoding) {
  const std::string json = R"({"action":"subscribe","trades":["AAPL"],"quotes":[]})";
  EXPECT_EQ(parse_client_message(json, false), Json::parse(json));
  const auto binary = Json::to_msgpack(Json::parse(json));
  EXPECT_EQ(
      parse_client_message({reinterpret_cast<const char*>(binary.data()), binary.size()}, true),
      Json::parse(json));
}

TEST(ClientMessage, HostileBytesAreDiscardedWithoutStackOrException) {
  EXPECT_TRUE(parse_client_message("", true).is_discarded());
  EXPECT_TRUE(parse_client_message("", false).is_discarded());
  EXPECT_TRUE(parse_client_message(std::string(64 << 10, '\x91'), true).is_discarded())
      << "arrays in arrays";
  EXPECT_TRUE(parse_client_message(std::string(64 << 10, '['), false).is_discarded());
  EXPECT_TRUE(parse_client_message(bytes({0xDD, 0xFF, 0xFF, 0xFF, 0xFF}), true).is_discarded())
      << "an array of four thousand million";
  EXPECT_TRUE(
      parse_client_message(bytes({0xDB, 0xFF, 0xFF, 0xFF, 0xFF, 'x'}), true).is_discarded());
  EXPECT_TRUE(parse_client_message(bytes({0x80, 0x80}), true).is_discarded()) << "two values";
  EXPECT_TRUE(parse_client_message(bytes({0xC1}), true).is_discarded()) << "never used";
  std::mt19937 random(3);
  for (int round = 0; round < 20'000; ++round) {
    std::string noise(random() % 64, '\0');
    for (char& c : noise) {
      c = static_cast<char>(random());
    }
    static_cast<void>(parse_client_message(noise, true));
  }
}

}  // namespace
}  // namespace sluice::sim::test
