#include "common/net/ws_frame.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/net/ws_handshake.hpp"

namespace sluice::net {
namespace {

constexpr MonoNanos kNow{5};

std::string frame(WsOpcode opcode, bool final, std::string_view payload, bool masked = false) {
  const WsMask mask{0x12, 0x34, 0x56, 0x78};
  char header[kWsMaxHeaderBytes];
  const std::size_t size =
      write_ws_header(header, opcode, final, payload.size(), masked ? &mask : nullptr);
  std::string body(payload);
  if (masked)
    apply_ws_mask(body.data(), body.size(), mask, 0);
  return std::string(header, size) + body;
}

// Feeds `bytes` in pieces of `step` and notes what comes out.
struct Reading {
  std::vector<std::string> messages{};
  std::vector<WsReadStatus> statuses{};

  void feed(WsReader& reader, std::string_view bytes, std::size_t step) {
    while (!bytes.empty()) {
      std::string_view piece = bytes.substr(0, step);
      bytes.remove_prefix(piece.size());
      for (;;) {
        const WsReadStatus status = reader.read(piece, kNow);
        if (status == WsReadStatus::kMore)
          break;
        statuses.push_back(status);
        if (status == WsReadStatus::kMessage) {
          messages.emplace_back(reader.message());
          const char* end = reader.message().data() + reader.message().size();
          for (std::size_t i = 0; i < kWsPaddingBytes; ++i)
            EXPECT_EQ(end[i], 0);
        }
        if (status == WsReadStatus::kTooLarge || status == WsReadStatus::kProtocol)
          return;
      }
    }
  }
};

WsReadStatus last_of(WsReader::Role role, std::string_view bytes, std::size_t limit = 1'000) {
  WsReader reader(role, limit);
  Reading reading;
  reading.feed(reader, bytes, bytes.size());
  return reading.statuses.empty() ? WsReadStatus::kMore : reading.statuses.back();
}

TEST(WsFrame, JoinsFragmentsWithControlFramesBetweenThemWhateverTheSplit) {
  const std::string bytes =
      frame(WsOpcode::kText, false, "one ") + frame(WsOpcode::kPing, true, "hello") +
      frame(WsOpcode::kContinuation, false, "") + frame(WsOpcode::kContinuation, true, "message") +
      frame(WsOpcode::kBinary, true, std::string(70'000, 'x')) + frame(WsOpcode::kText, true, "");
  for (const std::size_t step : {1UL, 2UL, 3UL, 7UL, 4'096UL, bytes.size()}) {
    WsReader reader(WsReader::Role::kClient, 1 << 20);
    Reading reading;
    reading.feed(reader, bytes, step);
    ASSERT_EQ(reading.messages.size(), 3U) << step;
    EXPECT_EQ(reading.messages[0], "one message");
    EXPECT_EQ(reading.messages[1], std::string(70'000, 'x'));
    EXPECT_EQ(reading.messages[2], "");
    EXPECT_EQ(reading.statuses[0], WsReadStatus::kPing);
  }
}

TEST(WsFrame, UnmasksWhateverTheSplitOnTheServerSide) {
  std::string payload;
  for (int i = 0; i < 300; ++i)
    payload.push_back(static_cast<char>(i));
  for (std::size_t step = 1; step < 20; ++step) {
    WsReader reader(WsReader::Role::kServer, 1'000);
    Reading reading;
    reading.feed(reader, frame(WsOpcode::kBinary, true, payload, true), step);
    ASSERT_EQ(reading.messages.size(), 1U);
    EXPECT_EQ(reading.messages[0], payload);
    EXPECT_TRUE(reader.is_binary());
  }
}

TEST(WsFrame, StampIsThatOfTheFirstByteOfTheMessage) {
  WsReader reader(WsReader::Role::kClient, 100);
  const std::string first = frame(WsOpcode::kText, false, "a");
  const std::string second = frame(WsOpcode::kContinuation, true, "b");
  std::string_view bytes = first;
  EXPECT_EQ(reader.read(bytes, MonoNanos{11}), WsReadStatus::kMore);
  bytes = second;
  EXPECT_EQ(reader.read(bytes, MonoNanos{12}), WsReadStatus::kMessage);
  EXPECT_EQ(reader.first_byte_at().ns, 11);
}

TEST(WsFrame, MessageOfTheLimitPassesAndOneByteMoreIsRefusedBeforeItIsStored) {
  EXPECT_EQ(
      last_of(WsReader::Role::kClient, frame(WsOpcode::kText, true, std::string(100, 'x')), 100),
      WsReadStatus::kMessage);
  const std::string header_only = frame(WsOpcode::kText, true, std::string(101, 'x')).substr(0, 2);
  EXPECT_EQ(last_of(WsReader::Role::kClient, header_only, 100), WsReadStatus::kTooLarge);
}

TEST(WsFrame, FragmentsThatTogetherPassTheLimitAreRefused) {
  EXPECT_EQ(last_of(WsReader::Role::kClient,
                    frame(WsOpcode::kText, false, std::string(60, 'x')) +
                        frame(WsOpcode::kContinuation, true, std::string(41, 'x')),
                    100),
            WsReadStatus::kTooLarge);
}

TEST(WsFrame, AnnouncedLengthOf2To63IsRefusedWithoutAllocating) {
  const std::string huge("\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00", 10);
  EXPECT_EQ(last_of(WsReader::Role::kClient, huge), WsReadStatus::kTooLarge);
}

TEST(WsFrame, ViolationsOfRfc6455AreRefused) {
  const auto client = [](std::string_view bytes) {
    return last_of(WsReader::Role::kClient, bytes);
  };
  EXPECT_EQ(client(frame(WsOpcode::kText, true, "x", true)), WsReadStatus::kProtocol);
  EXPECT_EQ(last_of(WsReader::Role::kServer, frame(WsOpcode::kText, true, "x")),
            WsReadStatus::kProtocol);
  EXPECT_EQ(client(frame(WsOpcode::kContinuation, true, "x")), WsReadStatus::kProtocol);
  EXPECT_EQ(client(frame(WsOpcode::kText, false, "x") + frame(WsOpcode::kText, true, "y")),
            WsReadStatus::kProtocol);
  EXPECT_EQ(client(frame(WsOpcode::kPing, false, "x")), WsReadStatus::kProtocol);
  EXPECT_EQ(client(frame(WsOpcode::kPing, true, std::string(126, 'x'))), WsReadStatus::kProtocol);
  EXPECT_EQ(client("\xC1\x01x"), WsReadStatus::kProtocol);                         // reserved bit
  EXPECT_EQ(client("\x83\x01x"), WsReadStatus::kProtocol);                         // unknown opcode
  EXPECT_EQ(client(std::string("\x82\x7e\x00\x05", 4)), WsReadStatus::kProtocol);  // long form of 5
  EXPECT_EQ(client(frame(WsOpcode::kClose, true, "x")), WsReadStatus::kProtocol);
  EXPECT_EQ(client(frame(WsOpcode::kClose, true, "\x03\xED")), WsReadStatus::kProtocol);  // 1005
}

TEST(WsFrame, GarbageIsRefusedByItsFirstTwoBytes) {
  EXPECT_EQ(last_of(WsReader::Role::kClient, "\xFF\xFF"), WsReadStatus::kProtocol);
  EXPECT_EQ(last_of(WsReader::Role::kClient, "<h"), WsReadStatus::kProtocol);
}

TEST(WsFrame, TakesNothingMoreAfterAnError) {
  WsReader reader(WsReader::Role::kClient, 100);
  std::string_view bad = "\x83\x01x";
  EXPECT_EQ(reader.read(bad, kNow), WsReadStatus::kProtocol);
  const std::string good = frame(WsOpcode::kText, true, "x");
  std::string_view bytes = good;
  EXPECT_EQ(reader.read(bytes, kNow), WsReadStatus::kProtocol);
}

TEST(WsFrame, CloseCarriesCodeAndReasonOrNeither) {
  WsReader reader(WsReader::Role::kClient, 100);
  const std::string close = frame(WsOpcode::kClose, true, "\x03\xE9going away");
  std::string_view bytes = close;
  EXPECT_EQ(reader.read(bytes, kNow), WsReadStatus::kClose);
  EXPECT_EQ(reader.close_code(), 1001);
  EXPECT_EQ(reader.control(), "going away");
  WsReader bare(WsReader::Role::kClient, 100);
  const std::string empty = frame(WsOpcode::kClose, true, "");
  bytes = empty;
  EXPECT_EQ(bare.read(bytes, kNow), WsReadStatus::kClose);
  EXPECT_EQ(bare.close_code(), 1005);
}

TEST(WsFrame, HeaderTakesTheShortestLengthForm) {
  EXPECT_EQ(frame(WsOpcode::kText, true, std::string(125, 'x')).size(), 125U + 2);
  EXPECT_EQ(frame(WsOpcode::kText, true, std::string(126, 'x')).size(), 126U + 4);
  EXPECT_EQ(frame(WsOpcode::kText, true, std::string(65'535, 'x')).size(), 65'535U + 4);
  EXPECT_EQ(frame(WsOpcode::kText, true, std::string(65'536, 'x')).size(), 65'536U + 10);
}

TEST(WsHandshake, AcceptIsThatOfTheExampleInRfc6455) {
  EXPECT_EQ(ws_accept_of("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(WsHandshake, KeysAreSixteenRandomBytesInBase64) {
  const std::string key = make_ws_key();
  EXPECT_EQ(key.size(), 24U);
  EXPECT_EQ(key.substr(22), "==");
  EXPECT_NE(key, make_ws_key());
}

TEST(WsHandshake, TokensAreFoundInListsWithoutRegardToCase) {
  EXPECT_TRUE(has_token("keep-alive, Upgrade", "upgrade"));
  EXPECT_TRUE(has_token("WebSocket", "websocket"));
  EXPECT_FALSE(has_token("upgraded", "upgrade"));
  EXPECT_FALSE(has_token("", "upgrade"));
}

}  // namespace
}  // namespace sluice::net
