#include "tools/venue_sim/stream_faults.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/venue_sim/fake_session.hpp"

namespace sluice::sim::test {
namespace {

constexpr WallNanos kStart{1'000'000'000'000};
constexpr WallNanos after_ms(std::int64_t ms) {
  return WallNanos{kStart.ns + ms * kNanosPerMilli};
}

class StreamFaultsTest : public testing::Test {
 protected:
  void script(std::string_view text) {
    const auto wrong = faults_.set(text, kStart);
    ASSERT_FALSE(wrong.has_value()) << *wrong;
  }
  void say(const std::vector<std::string>& messages) {
    for (const std::string& message : messages) {
      ASSERT_TRUE(session_.send(message, true));
    }
  }
  using Sent = std::vector<std::string>;

  Faults faults_;
  FakeSession socket_{1};
  FaultySession session_{socket_, faults_, FaultSite::kTrading, kStart};
};

TEST_F(StreamFaultsTest, WithoutARuleEverythingPasses) {
  script("market drop");
  say({"a", "b"});
  EXPECT_EQ(socket_.sent, (Sent{"a", "b"}));
  EXPECT_TRUE(socket_.last_binary);
}

TEST_F(StreamFaultsTest, DropLeavesOutAndDuplicateSaysTwice) {
  script("trading drop after=1 first=1; trading duplicate after=2 first=1");
  say({"a", "b", "c", "d"});
  EXPECT_EQ(socket_.sent, (Sent{"a", "c", "c", "d"}));
}

TEST_F(StreamFaultsTest, ReorderPutsTheSuccessorFirst) {
  script("trading reorder after=1 first=1");
  say({"a", "b", "c", "d"});
  EXPECT_EQ(socket_.sent, (Sent{"a", "c", "b", "d"}));
}

TEST_F(StreamFaultsTest, ReorderedMessageWithoutASuccessorComesASecondLater) {
  script("trading reorder after=1 first=1");
  say({"a", "b"});
  EXPECT_EQ(session_.next_due(), after_ms(1000));
  session_.pump(after_ms(999));
  EXPECT_EQ(socket_.sent, (Sent{"a"}));
  session_.pump(after_ms(1000));
  EXPECT_EQ(socket_.sent, (Sent{"a", "b"}));
  EXPECT_FALSE(session_.next_due().has_value());
}

TEST_F(StreamFaultsTest, DelayHoldsBackAndNothingOvertakes) {
  script("trading delay ms=100 after=1 first=1");
  say({"a", "b", "c"});
  EXPECT_EQ(socket_.sent, (Sent{"a"}));
  EXPECT_EQ(session_.next_due(), after_ms(100));
  session_.pump(after_ms(99));
  EXPECT_EQ(socket_.sent, (Sent{"a"}));
  session_.pump(after_ms(100));
  EXPECT_EQ(socket_.sent, (Sent{"a", "b", "c"}));
  EXPECT_FALSE(session_.next_due().has_value());
}

TEST_F(StreamFaultsTest, SlowStreamKeepsItsDistanceAndIsBounded) {
  script("trading slow ms=10");
  say({"a", "b", "c"});
  session_.pump(after_ms(0));
  EXPECT_EQ(socket_.sent, (Sent{"a"}));
  session_.pump(after_ms(10));
  EXPECT_EQ(socket_.sent, (Sent{"a", "b"}));
  session_.pump(after_ms(20));
  EXPECT_EQ(socket_.sent, (Sent{"a", "b", "c"}));
  const std::string large(FaultySession::kMaxHeldBytes, 'x');
  ASSERT_TRUE(session_.send(large, true));
  EXPECT_FALSE(session_.send("y", true)) << "what is held back is bounded";
  EXPECT_EQ(session_.queued_bytes(), large.size());
}

TEST_F(StreamFaultsTest, MuteStaysOpenAndLosesWhatIsSaid) {
  script("trading mute after=1");
  say({"a", "b", "c"});
  EXPECT_EQ(socket_.sent, (Sent{"a"}));
  EXPECT_TRUE(socket_.frozen) << "pings are not answered any more";
  EXPECT_FALSE(socket_.was_cut);
  session_.close(1000, "bye");
  EXPECT_EQ(socket_.close_code, 0);
}

TEST_F(StreamFaultsTest, CutEndsInTheMiddleOfAFrame) {
  script("trading cut");
  say({"0123456789"});
  ASSERT_EQ(socket_.raw.size(), 2U + 8U + 5U);
  EXPECT_EQ(socket_.raw.substr(10), "01234");
  EXPECT_EQ(socket_.raw[9], 10) << "the length promises all of it";
  EXPECT_TRUE(socket_.ended);
}

}  // namespace
}  // namespace sluice::sim::test
