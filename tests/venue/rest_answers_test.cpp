#include <gtest/gtest.h>

#include <string>

#include "common/venue/alpaca/rest.hpp"
#include "tests/venue/order_examples.hpp"
#include "tests/venue/support.hpp"

namespace sluice::venue {
namespace {

using namespace alpaca;  // NOLINT: the codec under test

constexpr std::string_view kAccount =
    R"({"id":"e6fe16f3-64a4-4921-8928-cadf02f92f98","account_number":"PA123","status":"ACTIVE","crypto_status":"ACTIVE","currency":"USD","created_at":"2026-11-20T12:00:00Z","balance_asof":"2026-11-19","cash":"100000","equity":"100000.1234567891","last_equity":"100000","buying_power":"100000","non_marginable_buying_power":"99000.5","multiplier":"1","shorting_enabled":false,"trading_blocked":false,"transfers_blocked":false,"account_blocked":false,"trade_suspended_by_user":false,"daytrade_count":0})";
constexpr std::string_view kPosition =
    R"({"asset_id":"276e2673-764b-4ab6-a611-caf665ca6340","symbol":"BTCUSD","exchange":"CRYPTO","asset_class":"crypto","asset_marginable":false,"qty":"0.5","qty_available":"0.3","side":"long","avg_entry_price":"61837.63","market_value":"30918","cost_basis":"30918","unrealized_pl":"0","unrealized_plpc":"0","current_price":null,"lastday_price":null,"change_today":null})";
constexpr std::string_view kFillActivity =
    R"({"activity_type":"FILL","id":"20190524113406977::8efc7b9a-8b2b-4000-9955-d36e7db0df74","cum_qty":"1","leaves_qty":"0","price":"1.63","qty":"1","side":"buy","symbol":"AAPL","transaction_time":"2019-05-24T15:34:06.977Z","order_id":"904837e3-3b76-47ec-b432-046db621571b","type":"fill","order_status":"filled"})";
constexpr std::string_view kFeeInBase =
    R"json({"activity_type":"CFEE","id":"20240808195414024::2f63ea93-423d-4169-b3f6-3fdafc10c418","date":"2024-08-08","symbol":"BTCUSD","qty":"-0.00025","price":"61837.63","description":"Coin Pair Transaction Fee (Non USD)","status":"executed"})json";
constexpr std::string_view kFeeInQuote =
    R"json({"activity_type":"CFEE","id":"20240808195414024::2f63ea93-423d-4169-b3f6-3fdafc10c418","date":"2024-08-08","symbol":"BTCUSD","net_amount":"-1.23","price":"61837.63","description":"Coin Pair Transaction Fee (USD)","status":"executed"})json";
constexpr std::string_view kDividend =
    R"({"activity_type":"DIV","id":"20190801011955195::5f596936-6f23-4cef-bdf1-3806aae57dbf","date":"2019-08-01","net_amount":"1.02","symbol":"T","qty":"2","per_share_amount":"0.51"})";

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
std::string list_of(std::initializer_list<std::string_view> elements) {
  std::string out = "[";
  for (const std::string_view element : elements) {
    out += (out.size() > 1 ? "," : "") + std::string(element);
  }
  return out + "]";
}

class RestAnswers : public testing::Test {
 protected:
  RestDecoder decoder{test_symbols(), RestLimits{.body_bytes_max = 64 * 1024}};
};

TEST_F(RestAnswers, DocumentedOrderDecodes) {
  OrderSnapshot order;
  ASSERT_EQ(decoder.order(kDocumentedOrder, order), DecodeStatus::kOk);
  EXPECT_EQ(order.id, uuid("61e69015-8549-4bfd-b9c3-01e75843f47d"));
  EXPECT_EQ(order.client_order_id.view(), "eb9e2aaa-f71a-4f51-b5b4-52a6c565dad4");
  EXPECT_EQ(order.instrument, kAapl);
  EXPECT_EQ(order.status, OrderStatus::kAccepted);
  EXPECT_EQ(order.type, OrderType::kMarket);
  EXPECT_EQ(order.tif, TimeInForce::kDay);
  EXPECT_EQ(order.side, Side::kBuy);
  EXPECT_EQ(order.flags, order_flag::kNotional);
  EXPECT_EQ(order.notional.raw, dec("500"));
  EXPECT_EQ(order.submitted_at, at("2021-03-16T18:38:01.937734Z"));
}

TEST_F(RestAnswers, EveryDocumentedStatusIsKnown) {
  for (const char* word :
       {"new", "partially_filled", "filled", "done_for_day", "canceled", "expired", "replaced",
        "pending_cancel", "pending_replace", "accepted", "pending_new", "accepted_for_bidding",
        "stopped", "rejected", "suspended", "calculated", "held", "pending_review"}) {
    OrderSnapshot order;
    ASSERT_EQ(decoder.order(replaced(std::string(kDocumentedOrder), R"("status":"accepted")",
                                     R"("status":")" + std::string(word) + "\""),
                            order),
              DecodeStatus::kOk);
    EXPECT_EQ(to_string(order.status), word);
    const std::string_view name = word;
    EXPECT_EQ(is_terminal(order.status), name == "filled" || name == "canceled" ||
                                             name == "expired" || name == "replaced" ||
                                             name == "rejected")
        << word;
  }
  OrderSnapshot order;
  ASSERT_EQ(
      decoder.order(replaced(std::string(kDocumentedOrder), "\"accepted\"", "\"novel\""), order),
      DecodeStatus::kOk);
  EXPECT_EQ(order.status, OrderStatus::kUnrecognised);
}

TEST_F(RestAnswers, RefusedOrderLeavesTheResultAlone) {
  OrderSnapshot order;
  order.qty.raw = 77;
  EXPECT_EQ(
      decoder.order(replaced(std::string(kCryptoOrder), R"("qty":"0.5")", R"("qty":"0")"), order),
      DecodeStatus::kBadValue);
  EXPECT_EQ(decoder.order("<html>502 Bad Gateway</html>", order), DecodeStatus::kMalformed);
  EXPECT_EQ(decoder.order("[]", order), DecodeStatus::kWrongShape);
  EXPECT_EQ(decoder.order("", order), DecodeStatus::kEmpty);
  EXPECT_EQ(decoder.order(std::string(70'000, ' '), order), DecodeStatus::kOversize);
  for (std::size_t size = 0; size < kCryptoOrder.size(); ++size) {
    ASSERT_NE(decoder.order(kCryptoOrder.substr(0, size), order), DecodeStatus::kOk) << size;
  }
  EXPECT_EQ(order.qty.raw, 77);
}

TEST_F(RestAnswers, OneBadOrderOfAListIsNamedAndTheOthersStand) {
  ListOf<OrderSnapshot> orders;
  const std::string bad =
      replaced(std::string(kCryptoOrder), R"("qty":"0.5")", R"("qty":"0.50000000001")");
  ASSERT_EQ(decoder.orders(list_of({kDocumentedOrder, bad, kCryptoOrder}), orders),
            DecodeStatus::kOk);
  ASSERT_EQ(orders.items.size(), 2u);
  EXPECT_FALSE(orders.complete());
  ASSERT_EQ(orders.faults.size(), 1u);
  EXPECT_EQ(orders.faults[0].status, DecodeStatus::kTooPrecise);
  EXPECT_EQ(orders.faults[0].field, "qty");
  EXPECT_EQ(orders.faults[0].instrument, kBtc);
  EXPECT_EQ(orders.faults[0].order_id, uuid("0c5d1f3e-7a4b-4a65-9a77-3f0a2d9b1c11"));
}

TEST_F(RestAnswers, BrokenListGivesNothing) {
  ListOf<OrderSnapshot> orders;
  orders.items.resize(3);
  EXPECT_EQ(decoder.orders("[" + std::string(kCryptoOrder), orders), DecodeStatus::kMalformed);
  EXPECT_TRUE(orders.items.empty());
  EXPECT_EQ(decoder.orders(kCryptoOrder, orders), DecodeStatus::kWrongShape);
  EXPECT_EQ(decoder.orders("[]", orders), DecodeStatus::kOk);
  EXPECT_TRUE(orders.complete());
}

TEST_F(RestAnswers, AccountTellsMoneyExactlyAndWhetherItMayTrade) {
  AccountSnapshot account;
  ASSERT_EQ(decoder.account(kAccount, account), DecodeStatus::kOk);
  EXPECT_EQ(account.id, uuid("e6fe16f3-64a4-4921-8928-cadf02f92f98"));
  EXPECT_EQ(account.number.view(), "PA123");
  EXPECT_EQ(account.cash.raw, dec("100000"));
  EXPECT_EQ(account.buying_power.raw, dec("100000"));
  EXPECT_EQ(account.non_marginable_buying_power.raw, dec("99000.5"));
  EXPECT_EQ(account.equity.raw, dec("100000.123456789"));  // cut, for display
  EXPECT_TRUE(account.may_trade());
}

TEST_F(RestAnswers, AnyBlockStopsTrading) {
  for (const char* flag : {"trading_blocked", "account_blocked", "trade_suspended_by_user"}) {
    AccountSnapshot account;
    const std::string name = "\"" + std::string(flag) + "\":";
    ASSERT_EQ(
        decoder.account(replaced(std::string(kAccount), name + "false", name + "true"), account),
        DecodeStatus::kOk);
    EXPECT_FALSE(account.may_trade()) << flag;
  }
  for (const char* status : {R"("status":"ACTIVE")", R"("crypto_status":"ACTIVE")"}) {
    AccountSnapshot account;
    ASSERT_EQ(decoder.account(replaced(std::string(kAccount), status,
                                       replaced(status, "ACTIVE", "ACCOUNT_CLOSED")),
                              account),
              DecodeStatus::kOk);
    EXPECT_FALSE(account.may_trade()) << status;
  }
}

TEST_F(RestAnswers, AccountWithoutItsEssentialsIsRefused) {
  for (const char* field :
       {"id", "status", "cash", "buying_power", "trading_blocked", "account_blocked"}) {
    AccountSnapshot account;
    EXPECT_EQ(decoder.account(
                  replaced(std::string(kAccount), "\"" + std::string(field) + "\":", "\"other\":"),
                  account),
              DecodeStatus::kMissingField)
        << field;
    EXPECT_EQ(decoder.last_fault().field, field);
  }
  AccountSnapshot account;
  EXPECT_EQ(decoder.account(replaced(std::string(kAccount), R"("trading_blocked":false)",
                                     R"("trading_blocked":"false")"),
                            account),
            DecodeStatus::kWrongType);
}

TEST_F(RestAnswers, BuyingPowerStandsInForTheNonMarginableOne) {
  AccountSnapshot account;
  ASSERT_EQ(decoder.account(
                replaced(std::string(kAccount), R"("non_marginable_buying_power":"99000.5",)", ""),
                account),
            DecodeStatus::kOk);
  EXPECT_EQ(account.non_marginable_buying_power, account.buying_power);
}

TEST_F(RestAnswers, PositionsAreSignedAndFoundByTheirOwnSymbol) {
  ListOf<PositionSnapshot> positions;
  const std::string is_short = replaced(
      replaced(std::string(kPosition), R"("qty":"0.5")", R"("qty":"-0.5")"), "long", "short");
  ASSERT_EQ(decoder.positions(list_of({kPosition, is_short}), positions), DecodeStatus::kOk);
  ASSERT_EQ(positions.items.size(), 2u);
  EXPECT_EQ(positions.items[0].instrument, kBtc);
  EXPECT_EQ(positions.items[0].qty, dec("0.5"));
  EXPECT_EQ(positions.items[0].qty_available, dec("0.3"));
  EXPECT_EQ(positions.items[0].current_price.raw, 0);
  EXPECT_EQ(positions.items[1].qty, dec("-0.5"));
}

TEST_F(RestAnswers, PositionWhoseSignAndSideDisagreeIsRefused) {
  PositionSnapshot position;
  EXPECT_EQ(decoder.position(replaced(std::string(kPosition), "long", "short"), position),
            DecodeStatus::kBadValue);
  EXPECT_EQ(decoder.last_fault().instrument, kBtc);
  EXPECT_EQ(decoder.position(replaced(std::string(kPosition), "\"0.5\"", "\"-0.5\""), position),
            DecodeStatus::kBadValue);
  EXPECT_EQ(decoder.position(kPosition, position), DecodeStatus::kOk);
}

TEST_F(RestAnswers, ClockIsReadInNewYorkOffsets) {
  ClockSnapshot clock;
  ASSERT_EQ(
      decoder.clock(
          R"({"timestamp":"2026-11-20T05:41:00.123456789-05:00","is_open":false,"next_open":"2026-11-20T09:30:00-05:00","next_close":"2026-11-20T16:00:00-05:00"})",
          clock),
      DecodeStatus::kOk);
  EXPECT_EQ(clock.timestamp, at("2026-11-20T10:41:00.123456789Z"));
  EXPECT_EQ(clock.next_open, at("2026-11-20T14:30:00Z"));
  EXPECT_EQ(clock.next_close, at("2026-11-20T21:00:00Z"));
  EXPECT_FALSE(clock.is_open);
  EXPECT_EQ(decoder.clock(R"({"timestamp":"2026-11-20T05:41:00-05:00"})", clock),
            DecodeStatus::kMissingField);
}

TEST_F(RestAnswers, FillActivityNamesItsExecution) {
  ListOf<Activity> activities;
  ASSERT_EQ(decoder.activities(list_of({kFillActivity}), activities), DecodeStatus::kOk);
  ASSERT_EQ(activities.items.size(), 1u);
  const Activity& fill = activities.items[0];
  EXPECT_EQ(fill.kind, ActivityKind::kFill);
  EXPECT_EQ(fill.id.view(), "20190524113406977::8efc7b9a-8b2b-4000-9955-d36e7db0df74");
  EXPECT_TRUE(fill.has_execution_id);
  EXPECT_EQ(fill.execution_id, uuid("8efc7b9a-8b2b-4000-9955-d36e7db0df74"));
  EXPECT_EQ(fill.order_id, uuid("904837e3-3b76-47ec-b432-046db621571b"));
  EXPECT_EQ(fill.instrument, kAapl);
  EXPECT_EQ(fill.side, Side::kBuy);
  EXPECT_EQ(fill.price.raw, dec("1.63"));
  EXPECT_EQ(fill.qty, dec("1"));
  EXPECT_EQ(fill.cum_qty.raw, dec("1"));
  EXPECT_EQ(fill.leaves_qty.raw, 0);
  EXPECT_EQ(fill.transaction_time, at("2019-05-24T15:34:06.977Z"));
}

TEST_F(RestAnswers, CryptoFeesComeInBaseOrInQuote) {
  ListOf<Activity> activities;
  ASSERT_EQ(decoder.activities(list_of({kFeeInBase, kFeeInQuote}), activities), DecodeStatus::kOk);
  ASSERT_EQ(activities.items.size(), 2u);
  const Activity& base = activities.items[0];
  EXPECT_EQ(base.kind, ActivityKind::kCryptoFee);
  EXPECT_EQ(base.instrument, kBtc);
  EXPECT_TRUE(base.has_qty);
  EXPECT_FALSE(base.has_net_amount);
  EXPECT_EQ(base.qty, dec("-0.00025"));
  EXPECT_EQ(base.execution_id, uuid("2f63ea93-423d-4169-b3f6-3fdafc10c418"));
  const Activity& quote = activities.items[1];
  EXPECT_FALSE(quote.has_qty);
  EXPECT_TRUE(quote.has_net_amount);
  EXPECT_EQ(quote.net_amount, dec("-1.23"));
}

TEST_F(RestAnswers, ActivitiesOfOtherTypesAreReportedByName) {
  ListOf<Activity> activities;
  ASSERT_EQ(decoder.activities(list_of({kDividend}), activities), DecodeStatus::kOk);
  ASSERT_EQ(activities.items.size(), 1u);
  EXPECT_EQ(activities.items[0].kind, ActivityKind::kOther);
  EXPECT_EQ(activities.items[0].type.view(), "DIV");
  EXPECT_EQ(activities.items[0].net_amount, dec("1.02"));
}

TEST_F(RestAnswers, FillActivityWithoutOneOfItsFieldsIsRefused) {
  for (const char* field : {"cum_qty", "leaves_qty", "price", "qty", "side", "symbol", "order_id",
                            "transaction_time"}) {
    ListOf<Activity> activities;
    ASSERT_EQ(
        decoder.activities(list_of({replaced(std::string(kFillActivity),
                                             "\"" + std::string(field) + "\":", "\"other\":")}),
                           activities),
        DecodeStatus::kOk);
    ASSERT_EQ(activities.faults.size(), 1u) << field;
    EXPECT_EQ(activities.faults[0].status, DecodeStatus::kMissingField) << field;
    EXPECT_EQ(activities.faults[0].field, field);
  }
  ListOf<Activity> activities;
  ASSERT_EQ(decoder.activities(
                list_of({replaced(std::string(kFillActivity), "::8efc7b9a-", "::x-"),
                         replaced(std::string(kFillActivity), R"("qty":"1")", R"("qty":"-1")"),
                         replaced(std::string(kFeeInBase), R"("qty":"-0.00025",)", "")}),
                activities),
            DecodeStatus::kOk);
  EXPECT_EQ(activities.items.size(), 0u);
  EXPECT_EQ(activities.faults.size(), 3u);
}

TEST_F(RestAnswers, CancelAllAnswersPerOrder) {
  ListOf<CancelItem> items;
  ASSERT_EQ(
      decoder.cancel_items(
          R"([{"id":"61e69015-8549-4bfd-b9c3-01e75843f47d","status":200},{"id":"904837e3-3b76-47ec-b432-046db621571b","status":500,"body":{"code":42210000,"message":"x"}}])",
          items),
      DecodeStatus::kOk);
  ASSERT_EQ(items.items.size(), 2u);
  EXPECT_EQ(items.items[0].status, 200);
  EXPECT_EQ(items.items[1].status, 500);
}

// ---- what an answer means ------------------------------------------------------------------

class Classify : public testing::Test {
 protected:
  Outcome of(RequestKind request, int status, std::string_view body) {
    VenueError error;
    const bool decoded = decoder.error(body, error) == DecodeStatus::kOk;
    return classify(request, status, decoded ? &error : nullptr);
  }
  RestDecoder decoder{test_symbols(), RestLimits{.body_bytes_max = 4096}};
};

TEST_F(Classify, RecordedRefusalsAreRejections) {
  struct Case {
    int status;
    const char* body;
  };
  for (
      const Case& c : {
          Case{
              403,
              R"({"buying_power":"176531.28","code":40310000,"cost_basis":"48640000","message":"insufficient buying power"})"},
          Case{
              403,
              R"json({"available":"0","code":40310000,"existing_qty":"0","held_for_orders":"0","message":"insufficient qty available for order (requested: 1000, available: 0)","symbol":"AAPL"})json"},
          Case{403, R"({"code":40310000,"message":"account is not allowed to short"})"},
          Case{403, R"({"code":40310000,"message":"asset \"OCGN\" is not fractionable"})"},
          Case{403,
               R"({"code":40310000,"message":"cost basis must be >= minimal amount of order 10"})"},
          Case{
              403,
              R"({"code":40310000,"existing_order_id":"61e69015-8549-4bfd-b9c3-01e75843f47d","message":"potential wash trade detected. use complex orders","reject_reason":"opposite side market/stop order exists"})"},
          Case{403, R"({"code":40310100,"message":"pattern day trader"})"},
          Case{422, R"({"code":40010001,"message":"limit price must be > 0"})"},
          Case{
              422,
              R"({"code":40010001,"message":"client_order_id must be no more than 128 characters"})"},
          Case{
              422,
              R"({"code":42210000,"message":"invalid limit_price 290.123. sub-penny increment does not fulfill minimum pricing criteria"})"},
          Case{400, R"({"code":40010000,"message":"request body format is invalid"})"},
      }) {
    EXPECT_EQ(of(RequestKind::kPost, c.status, c.body), Outcome::kRejected) << c.body;
  }
}

TEST_F(Classify, DuplicateClientOrderIdIsFoundWhateverItsSpelling) {
  for (const char* message : {"client_order_id must be unique", "Client Order ID must be unique.",
                              "client_order_id: must be UNIQUE", "duplicate client_order_id",
                              "client order id already exists"}) {
    EXPECT_EQ(of(RequestKind::kPost, 422,
                 R"({"code":40010001,"message":")" + std::string(message) + "\"}"),
              Outcome::kDuplicateClientId)
        << message;
  }
}

TEST_F(Classify, CredentialsAndRatesAreTheirOwnOutcome) {
  EXPECT_EQ(of(RequestKind::kRead, 401, R"({"message":"unauthorized."})"), Outcome::kUnauthorised);
  EXPECT_EQ(of(RequestKind::kRead, 401, "<html>401</html>"), Outcome::kUnauthorised);
  EXPECT_EQ(of(RequestKind::kPost, 403, R"({"message":"forbidden."})"), Outcome::kUnauthorised);
  EXPECT_EQ(of(RequestKind::kPost, 429, R"({"code":42910000,"message":"rate limit exceeded"})"),
            Outcome::kRateLimited);
  EXPECT_EQ(of(RequestKind::kPost, 429, R"({"message":"too many requests."})"),
            Outcome::kRateLimited);
}

TEST_F(Classify, NotFoundIsSaidByTheVenueItself) {
  EXPECT_EQ(of(RequestKind::kRead, 404, R"({"code":40410000,"message":"order not found for x"})"),
            Outcome::kNotFound);
  EXPECT_EQ(of(RequestKind::kRead, 404, R"({"message":"not found"})"), Outcome::kUnknown);
  EXPECT_EQ(of(RequestKind::kRead, 404, "<html>404</html>"), Outcome::kUnknown);
}

TEST_F(Classify, DeleteOfATerminalOrderIsNotCancelable) {
  const char* const body = R"({"code":42210000,"message":"order is already in \"filled\" state"})";
  EXPECT_EQ(of(RequestKind::kDelete, 422, body), Outcome::kNotCancelable);
  EXPECT_EQ(of(RequestKind::kPost, 422, body), Outcome::kRejected);
  EXPECT_EQ(of(RequestKind::kDelete, 204, ""), Outcome::kOk);
}

TEST_F(Classify, WhatProvesNothingIsUnknown) {
  for (const int status : {0, 100, 301, 302, 408, 409, 418, 499, 500, 502, 503, 504, 599}) {
    EXPECT_EQ(of(RequestKind::kPost, status, R"({"code":50010000,"message":"internal"})"),
              Outcome::kUnknown)
        << status;
  }
  for (const int status : {400, 404, 422}) {
    EXPECT_EQ(of(RequestKind::kPost, status, "<html>"), Outcome::kUnknown) << status;
    EXPECT_EQ(of(RequestKind::kPost, status, ""), Outcome::kUnknown) << status;
  }
}

TEST_F(Classify, SuccessIsTheTwoHundreds) {
  for (const int status : {200, 201, 204, 207}) {
    EXPECT_EQ(classify(RequestKind::kPost, status, nullptr), Outcome::kOk);
  }
}

TEST_F(Classify, ErrorBodyNeedsAMessageAndMayLackACode) {
  VenueError error;
  EXPECT_EQ(decoder.error(R"({"message":"unauthorized."})", error), DecodeStatus::kOk);
  EXPECT_EQ(error.code, 0);
  EXPECT_EQ(decoder.error(R"({"code":40010001})", error), DecodeStatus::kMissingField);
  EXPECT_EQ(decoder.error(R"({"code":"40010001","message":"x"})", error), DecodeStatus::kWrongType);
  EXPECT_EQ(decoder.error(R"([{"message":"x"}])", error), DecodeStatus::kWrongShape);
}

}  // namespace
}  // namespace sluice::venue
