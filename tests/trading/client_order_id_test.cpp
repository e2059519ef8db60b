#include "common/trading/client_order_id.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace sluice {
namespace {

IntentId id(std::uint32_t incarnation, std::uint16_t strategy, std::uint64_t sequence) {
  return {.incarnation = incarnation, .strategy = strategy, .reserved = 0, .sequence = sequence};
}

TEST(ClientOrderId, EncodesInstanceIncarnationStrategyAndSequence) {
  ClientOrderId out;
  ASSERT_TRUE(encode_client_order_id("demo", id(3, 0, 17), out));
  EXPECT_EQ(out.view(), "slc-demo-3-0-17");
}

TEST(ClientOrderId, LargestPartsFitTheLimitAndComeBack) {
  const IntentId largest = id(std::numeric_limits<std::uint32_t>::max(),
                              std::numeric_limits<std::uint16_t>::max(), kMaxClientSequence);
  ClientOrderId out;
  ASSERT_TRUE(encode_client_order_id("abcdefghijk9", largest, out));
  EXPECT_LE(out.size, kMaxClientOrderIdChars);
  IntentId back;
  ASSERT_EQ(decode_client_order_id("abcdefghijk9", out.view(), back), ClientIdClass::kOurs);
  EXPECT_EQ(back, largest);
}

TEST(ClientOrderId, RefusesWhatItCouldNotReadBack) {
  ClientOrderId out;
  EXPECT_FALSE(encode_client_order_id("Demo", id(1, 1, 1), out));
  EXPECT_FALSE(encode_client_order_id("", id(1, 1, 1), out));
  EXPECT_FALSE(encode_client_order_id("abcdefghijklm", id(1, 1, 1), out));
  EXPECT_FALSE(encode_client_order_id("demo", id(0, 1, 1), out));
  EXPECT_FALSE(encode_client_order_id("demo", id(1, 1, 0), out));
  EXPECT_FALSE(encode_client_order_id("demo", id(1, 1, kMaxClientSequence + 1), out));
  EXPECT_EQ(out.size, 0);
}

TEST(ClientOrderId, TakesExactlyWhatItWrites) {
  IntentId out;
  for (const char* text :
       {"slc-demo-03-0-17", "slc-demo-3-00-17", "slc-demo-3-0-017", "slc-demo-3-0-17 ",
        "slc-demo-3-0-", "slc-demo-3-0", "slc-demo-+3-0-17", "slc-demo--3-0-17", "slc-demo-0-0-17",
        "slc-demo-3-0-0", "slc-demo-3-65536-1", "slc-demo-4294967296-0-1", "slc-demo-3-0-17-1",
        "slc-demo-3-0-100000000000000", "slc-demo-3-0-99999999999999999999999", "slc-demo-x-0-1"}) {
    EXPECT_EQ(decode_client_order_id("demo", text, out), ClientIdClass::kGarbled) << text;
  }
}

TEST(ClientOrderId, OtherPeoplesIdsAreForeign) {
  IntentId out;
  for (const char* text :
       {"", "slc-", "slc-demo", "slc-demo2-3-0-17", "slc-dem-3-0-17", "SLC-demo-3-0-17",
        "eb9e2aaa-f71a-4f51-b5b4-52a6c565dad4", "xslc-demo-3-0-17"}) {
    EXPECT_EQ(decode_client_order_id("demo", text, out), ClientIdClass::kForeign) << text;
  }
}

TEST(ClientOrderId, TextTooLongForOursIsKeptAsNone) {
  ClientOrderId out;
  out.assign(std::string(49, 'x'));
  EXPECT_EQ(out.size, 0);
  out.assign(std::string(48, 'x'));
  EXPECT_EQ(out.size, 48);
}

}  // namespace
}  // namespace sluice
