#include "common/venue/alpaca/trading_stream.hpp"

#include <gtest/gtest.h>

#include <array>
#include <random>

#include "tests/venue/order_examples.hpp"
#include "tests/venue/support.hpp"

namespace sluice::venue {
namespace {

using namespace alpaca;  // NOLINT: the codec under test

std::int64_t dec(std::string_view text) {
  std::int64_t raw = 0;
  EXPECT_EQ(parse_decimal(text, raw), DecimalStatus::kOk) << text;
  return raw;
}
WallNanos at(std::string_view text) {
  WallNanos out;
  EXPECT_TRUE(parse_rfc3339(text, out)) << text;
  return out;
}
Id128 uuid(std::string_view text) {
  Id128 out;
  EXPECT_TRUE(parse_uuid(text, out)) << text;
  return out;
}

class TradingStream : public testing::Test {
 protected:
  StreamMessage decoded(std::string_view frame) {
    StreamMessage message;
    EXPECT_EQ(decoder.decode(frame, message), DecodeStatus::kOk) << frame;
    return message;
  }
  // The status of a refusal; the message must be untouched.
  DecodeStatus refused(std::string_view frame) {
    StreamMessage message;
    message.text.assign_truncated("untouched");
    message.update.price.raw = 77;
    const DecodeStatus status = decoder.decode(frame, message);
    EXPECT_NE(status, DecodeStatus::kOk) << frame;
    EXPECT_EQ(message.text.view(), "untouched");
    EXPECT_EQ(message.update.price.raw, 77);
    return status;
  }

  TradingStreamDecoder decoder{test_symbols(), 16 * 1024};
};

TEST_F(TradingStream, AuthorizationTellsWhetherWeAreIn) {
  EXPECT_EQ(
      decoded(
          R"({"stream":"authorization","data":{"status":"authorized","action":"authenticate"}})")
          .kind,
      StreamKind::kAuthorized);
  const StreamMessage refusal =
      decoded(R"({"stream":"authorization","data":{"status":"unauthorized","action":"listen"}})");
  EXPECT_EQ(refusal.kind, StreamKind::kUnauthorized);
  EXPECT_EQ(refusal.text.view(), "listen");
  EXPECT_EQ(decoded(R"({"data":{"status":"AUTHORIZED"},"stream":"authorization"})").kind,
            StreamKind::kUnauthorized);
}

TEST_F(TradingStream, ListeningTellsTheSetInForce) {
  EXPECT_TRUE(decoded(R"({"stream":"listening","data":{"streams":["trade_updates"]}})").listens);
  EXPECT_TRUE(
      decoded(R"({"stream":"listening","data":{"streams":["x","trade_updates"]}})").listens);
  const StreamMessage none = decoded(R"({"stream":"listening","data":{"streams":[]}})");
  EXPECT_EQ(none.kind, StreamKind::kListening);
  EXPECT_FALSE(none.listens);
}

TEST_F(TradingStream, ErrorsOfEitherFormAreReported) {
  for (const char* frame : {R"({"action":"error","data":{"error_message":"too many"}})",
                            R"({"stream":"error","data":{"message":"too many"}})"}) {
    const StreamMessage message = decoded(frame);
    EXPECT_EQ(message.kind, StreamKind::kError);
    EXPECT_EQ(message.text.view(), "too many");
  }
}

TEST_F(TradingStream, OneByteHeartbeatIsNoError) {
  EXPECT_EQ(decoded("\x01").kind, StreamKind::kHeartbeat);
  EXPECT_EQ(refused("\x02"), DecodeStatus::kMalformed);
}

TEST_F(TradingStream, FillCarriesThisExecutionAndTheOrderAfterIt) {
  const StreamMessage message = decoded(fill_update());
  ASSERT_EQ(message.kind, StreamKind::kTradeUpdate);
  const TradeUpdate& update = message.update;
  EXPECT_EQ(update.event, UpdateEvent::kPartialFill);
  EXPECT_EQ(update.execution_id, uuid("2f63ea93-423d-4169-b3f6-3fdafc10c418"));
  EXPECT_EQ(update.price.raw, dec("61837.63"));
  EXPECT_EQ(update.qty.raw, dec("0.1"));
  EXPECT_TRUE(update.has_position);
  EXPECT_EQ(update.position, dec("-0.4"));
  EXPECT_EQ(update.timestamp, at("2026-11-20T12:00:01.25Z"));
  const OrderSnapshot& order = update.order;
  EXPECT_EQ(order.id, uuid("0c5d1f3e-7a4b-4a65-9a77-3f0a2d9b1c11"));
  EXPECT_EQ(order.client_order_id.view(), "slc-demo-3-1-42");
  EXPECT_EQ(order.symbol.view(), "BTC/USD");
  EXPECT_EQ(order.instrument, kBtc);
  EXPECT_EQ(order.side, Side::kSell);
  EXPECT_EQ(order.type, OrderType::kLimit);
  EXPECT_EQ(order.tif, TimeInForce::kGtc);
  EXPECT_EQ(order.status, OrderStatus::kPartiallyFilled);
  EXPECT_EQ(order.qty.raw, dec("0.5"));
  EXPECT_EQ(order.filled_qty.raw, dec("0.123456789"));
  EXPECT_EQ(order.filled_avg_price.raw, dec("61837.63"));
  EXPECT_EQ(order.limit.raw, dec("61837.5"));
  EXPECT_EQ(order.flags, order_flag::kQty | order_flag::kLimit);
  EXPECT_EQ(order.created_at, at("2026-11-20T12:00:00.1Z"));
  EXPECT_EQ(order.updated_at, at("2026-11-20T12:00:01.25Z"));
  EXPECT_EQ(order.filled_at.ns, 0);
}

TEST_F(TradingStream, EventsWithoutExecutionNeedNoneOfItsFields) {
  const StreamMessage message =
      decoded(R"({"stream":"trade_updates","data":{"event":"new","order":)" +
              std::string(kCryptoOrder) + "}}");
  EXPECT_EQ(message.update.event, UpdateEvent::kNew);
  EXPECT_FALSE(message.update.has_position);
  EXPECT_TRUE(message.update.execution_id.is_zero());
}

TEST_F(TradingStream, EveryDocumentedEventIsKnown) {
  const std::array<std::string_view, 21> kEvents{"new",
                                                 "fill",
                                                 "partial_fill",
                                                 "canceled",
                                                 "expired",
                                                 "done_for_day",
                                                 "replaced",
                                                 "accepted",
                                                 "rejected",
                                                 "pending_new",
                                                 "stopped",
                                                 "pending_cancel",
                                                 "pending_replace",
                                                 "calculated",
                                                 "suspended",
                                                 "order_replace_rejected",
                                                 "order_cancel_rejected",
                                                 "held",
                                                 "restated",
                                                 "trade_bust",
                                                 "trade_correct"};
  for (const std::string_view event : kEvents) {
    const StreamMessage message =
        decoded(replaced(fill_update(), "partial_fill\"", std::string(event) + "\""));
    EXPECT_NE(message.update.event, UpdateEvent::kUnrecognised) << event;
    EXPECT_EQ(to_string(message.update.event), event);
  }
  EXPECT_EQ(decoded(replaced(fill_update(), "partial_fill\"", "novelty\"")).update.event,
            UpdateEvent::kUnrecognised);
}

TEST_F(TradingStream, FillWithoutOneOfItsFieldsIsRefusedAndNamed) {
  for (const char* field : {"execution_id", "timestamp", "price", "qty"}) {
    std::string frame = fill_update();
    replace_first(frame, std::string("\"") + field + "\":", "\"other\":");
    EXPECT_EQ(refused(frame), DecodeStatus::kMissingField) << field;
    EXPECT_EQ(decoder.last_fault().field, field);
    EXPECT_EQ(decoder.last_fault().instrument, kBtc) << field;
    EXPECT_EQ(decoder.last_fault().order_id, uuid("0c5d1f3e-7a4b-4a65-9a77-3f0a2d9b1c11"));
  }
}

TEST_F(TradingStream, FillOfNothingIsRefused) {
  EXPECT_EQ(refused(replaced(fill_update(), R"("qty":"0.1")", R"("qty":"0")")),
            DecodeStatus::kBadValue);
  EXPECT_EQ(refused(replaced(fill_update(), R"("qty":"0.1")", R"("qty":"-0.1")")),
            DecodeStatus::kBadValue);
}

TEST_F(TradingStream, InexactMoneyIsRefusedWithItsInstrument) {
  EXPECT_EQ(refused(replaced(fill_update(), R"("qty":"0.1")", R"("qty":"0.1000000001")")),
            DecodeStatus::kTooPrecise);
  EXPECT_EQ(decoder.last_fault().instrument, kBtc);
  EXPECT_EQ(refused(replaced(fill_update(), R"("price":"61837.63")", R"("price":"1e10")")),
            DecodeStatus::kOutOfRange);
  EXPECT_EQ(refused(replaced(fill_update(), R"("price":"61837.63")", R"("price":"61,837")")),
            DecodeStatus::kBadValue);
  EXPECT_EQ(refused(replaced(fill_update(), R"("filled_qty":"0.123456789")",
                             R"("filled_qty":"0.1234567891")")),
            DecodeStatus::kTooPrecise);
}

TEST_F(TradingStream, AveragePriceIsCutAndNeverRefusesAMessage) {
  EXPECT_EQ(decoded(replaced(fill_update(), R"("filled_avg_price":"61837.63")",
                             R"("filled_avg_price":"61837.63333333333333333")"))
                .update.order.filled_avg_price.raw,
            dec("61837.633333333"));
  const StreamMessage odd = decoded(
      replaced(fill_update(), R"("filled_avg_price":"61837.63")", R"("filled_avg_price":"n/a")"));
  EXPECT_EQ(odd.update.order.filled_avg_price.raw, 0);
  EXPECT_TRUE(odd.update.order.has(order_flag::kAverageUnusable));
}

TEST_F(TradingStream, DecimalsMayBeNumbersAndTimesMayHaveOffsets) {
  std::string frame = fill_update();
  replace_first(frame, R"("price":"61837.63")", R"("price":61837.63)");
  replace_first(frame, R"("timestamp":"2026-11-20T12:00:01.25Z")",
                R"("timestamp":"2026-11-20T07:00:01.25-05:00")");
  const StreamMessage message = decoded(frame);
  EXPECT_EQ(message.update.price.raw, dec("61837.63"));
  EXPECT_EQ(message.update.timestamp, at("2026-11-20T12:00:01.25Z"));
}

TEST_F(TradingStream, ExecutionIdOfAFillIsAUuidOthersMayBeAnything) {
  EXPECT_EQ(refused(replaced(fill_update(), "2f63ea93-423d-4169-b3f6-3fdafc10c418", "17")),
            DecodeStatus::kBadValue);
  std::string frame = replaced(fill_update(), "2f63ea93-423d-4169-b3f6-3fdafc10c418", "17");
  replace_first(frame, "partial_fill\"", "canceled\"");
  EXPECT_TRUE(decoded(frame).update.execution_id.is_zero());
}

TEST_F(TradingStream, ReplacedOrderNamesItsSuccessor) {
  std::string frame = fill_update();
  replace_first(frame, "partial_fill\"", "replaced\"");
  replace_first(frame, R"("replaced_by":null)",
                R"("replaced_by":"61e69015-8549-4bfd-b9c3-01e75843f47d")");
  replace_first(frame, R"("status":"partially_filled")", R"("status":"replaced")");
  const StreamMessage message = decoded(frame);
  EXPECT_EQ(message.update.order.replaced_by, uuid("61e69015-8549-4bfd-b9c3-01e75843f47d"));
  EXPECT_TRUE(is_terminal(message.update.order.status));
}

TEST_F(TradingStream, EventsOfAReplaceNameTheOrderTheySpeakOf) {
  struct Case {
    std::string_view event;
    UpdateEvent kind;
    std::string_view status;
    OrderStatus read;
  };
  for (const Case& c :
       {Case{"pending_replace", UpdateEvent::kPendingReplace, "pending_replace",
             OrderStatus::kPendingReplace},
        Case{"replaced", UpdateEvent::kReplaced, "replaced", OrderStatus::kReplaced},
        Case{"order_replace_rejected", UpdateEvent::kReplaceRejected, "new", OrderStatus::kNew}}) {
    std::string order(kCryptoOrder);
    order.replace(order.find("partially_filled"), 16, c.status);
    const TradeUpdate update = decoded(R"({"stream":"trade_updates","data":{"event":")" +
                                       std::string(c.event) + R"(","order":)" + order + "}}")
                                   .update;
    EXPECT_EQ(update.event, c.kind);
    EXPECT_EQ(update.order.status, c.read);
    EXPECT_EQ(update.order.id, uuid("0c5d1f3e-7a4b-4a65-9a77-3f0a2d9b1c11"));
    EXPECT_FALSE(is_fill(update.event));
  }
}

TEST_F(TradingStream, OrdersOfOthersAreReadThoughWeHaveNoWordForThem) {
  std::string frame = fill_update(
      replaced(replaced(std::string(kDocumentedOrder), R"("order_type":"market","type":"market")",
                        R"("order_type":"trailing_stop","type":"trailing_stop")"),
               "\"day\"", "\"opg\""));
  replace_first(frame, "\"AAPL\"", "\"MSFT\"");
  const OrderSnapshot order = decoded(frame).update.order;
  EXPECT_EQ(order.type, OrderType::kNone);
  EXPECT_EQ(order.tif, TimeInForce::kNone);
  EXPECT_TRUE(order.has(order_flag::kForeignForm));
  EXPECT_TRUE(order.has(order_flag::kNotional));
  EXPECT_FALSE(order.has(order_flag::kQty));
  EXPECT_EQ(order.instrument, kNoInstrument);
  EXPECT_EQ(order.symbol.view(), "MSFT");
}

TEST_F(TradingStream, OrderWithoutARequiredFieldIsRefused) {
  for (const char* field : {"id", "client_order_id", "created_at", "symbol", "filled_qty", "side",
                            "time_in_force", "status"}) {
    std::string order(kCryptoOrder);
    replace_first(order, std::string("\"") + field + "\":", "\"other\":");
    EXPECT_EQ(refused(fill_update(order)), DecodeStatus::kMissingField) << field;
    EXPECT_EQ(decoder.last_fault().field, field);
  }
  EXPECT_EQ(refused(fill_update(replaced(std::string(kCryptoOrder),
                                         R"("order_type":"limit","type":"limit",)", ""))),
            DecodeStatus::kMissingField);
  EXPECT_EQ(refused(fill_update(
                replaced(std::string(kCryptoOrder), R"("side":"sell")", R"("side":"hold")"))),
            DecodeStatus::kBadValue);
  EXPECT_EQ(refused(fill_update(
                replaced(std::string(kCryptoOrder), R"("side":"sell")", R"("side":null)"))),
            DecodeStatus::kNull);
  EXPECT_EQ(refused(fill_update(replaced(std::string(kCryptoOrder), R"("side":"sell")",
                                         R"("side":"sell","side":"buy")"))),
            DecodeStatus::kDuplicateKey);
}

TEST_F(TradingStream, OlderTwinOfTypeServesWhenTypeIsAbsent) {
  const OrderSnapshot order =
      decoded(fill_update(replaced(std::string(kCryptoOrder), R"(,"type":"limit")", "")))
          .update.order;
  EXPECT_EQ(order.type, OrderType::kLimit);
}

TEST_F(TradingStream, ClientOrderIdHasUpTo128Characters) {
  const std::string longest(128, 'c');
  EXPECT_EQ(decoded(fill_update(replaced(std::string(kCryptoOrder), "slc-demo-3-1-42", longest)))
                .update.order.client_order_id.view(),
            longest);
  EXPECT_EQ(
      refused(fill_update(replaced(std::string(kCryptoOrder), "slc-demo-3-1-42", longest + "c"))),
      DecodeStatus::kTooLong);
}

TEST_F(TradingStream, UnknownStreamsAndShapesAreNamed) {
  EXPECT_EQ(refused(R"({"stream":"account_updates","data":{}})"), DecodeStatus::kUnknownKind);
  EXPECT_EQ(refused(R"({"stream":"trade_updates"})"), DecodeStatus::kMissingField);
  EXPECT_EQ(refused(R"({"data":{}})"), DecodeStatus::kMissingField);
  EXPECT_EQ(refused(R"({"stream":7,"data":{}})"), DecodeStatus::kWrongType);
  EXPECT_EQ(refused(R"({"stream":"trade_updates","data":[]})"), DecodeStatus::kWrongType);
  EXPECT_EQ(refused(R"([])"), DecodeStatus::kWrongShape);
  EXPECT_EQ(refused(""), DecodeStatus::kEmpty);
  EXPECT_EQ(refused("garbage"), DecodeStatus::kMalformed);
  EXPECT_EQ(refused(std::string(20'000, ' ')), DecodeStatus::kOversize);
  EXPECT_EQ(decoder.counters().refused(), 9u);
  EXPECT_EQ(decoder.counters().of(DecodeStatus::kWrongType), 2u);
}

TEST_F(TradingStream, NoTruncationDecodes) {
  const std::string whole = fill_update();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::string_view cut = std::string_view(whole).substr(0, size);
    ASSERT_NE(refused(cut), DecodeStatus::kOk) << cut;
  }
}

// Random damage must never crash and never yield a fill that says less than a fill must.
TEST_F(TradingStream, DamagedFramesGiveWholeFillsOrNone) {
  std::mt19937_64 random(42);
  const std::string whole = fill_update();
  std::size_t accepted = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string frame = whole;
    for (std::size_t edits = 1 + random() % 3; edits > 0; --edits) {
      const std::size_t where = random() % frame.size();
      if (random() % 2 == 0) {
        frame[where] = "{}[]\",:0123456789.-nulltrue\\"[random() % 28];
      } else {
        frame.erase(where, 1 + random() % 4);
      }
    }
    StreamMessage message;
    if (decoder.decode(frame, message) != DecodeStatus::kOk ||
        message.kind != StreamKind::kTradeUpdate) {
      continue;
    }
    ++accepted;
    ASSERT_FALSE(message.update.order.id.is_zero()) << frame;
    ASSERT_NE(message.update.order.side, Side::kNone) << frame;
    if (is_fill(message.update.event)) {
      ASSERT_GT(message.update.qty.raw, 0) << frame;
      ASSERT_FALSE(message.update.execution_id.is_zero()) << frame;
      ASSERT_NE(message.update.timestamp.ns, 0) << frame;
    }
  }
  EXPECT_GT(accepted, 1'000u);
}

TEST(TradingStreamRequests, AreWhatTheVenueDocuments) {
  std::array<char, 256> out{};
  std::size_t size = encode_authenticate("KEY", "s3cret", out);
  EXPECT_EQ(std::string_view(out.data(), size),
            R"({"action":"authenticate","data":{"key_id":"KEY","secret_key":"s3cret"}})");
  size = encode_listen_trade_updates(out);
  EXPECT_EQ(std::string_view(out.data(), size),
            R"({"action":"listen","data":{"streams":["trade_updates"]}})");
}

TEST(TradingStreamRequests, DoNotFitOrDoNotEscapeMeansNothingIsSent) {
  std::array<char, 16> small{};
  EXPECT_EQ(encode_listen_trade_updates(small), 0u);
  std::array<char, 256> out{};
  EXPECT_EQ(encode_authenticate("KE\"Y", "s", out), 0u);
  EXPECT_EQ(encode_authenticate("KEY", "s\\", out), 0u);
}

}  // namespace
}  // namespace sluice::venue
