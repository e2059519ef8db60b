// `compare`, the database against the journal, and `trace`, from a fill back to its tick.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "common/base/error.hpp"
#include "tests/journal/tool_fixture.hpp"
#include "tests/storage/trade_fixture.hpp"

namespace sluice::journal_tool {
namespace {

using namespace sluice::test;
using ::testing::HasSubstr;
using Json = nlohmann::json;

class TradeTools : public ::testing::Test {
 protected:
  void fold(std::uint64_t until) {
    TradeDatabase database({.path = path_, .journal = name_of_journal(dir_), .names = names_});
    apply_all(database, dir_, until);
  }
  void change(const std::string& sql) {
    sqlite::Connection(path_, sqlite::Connection::Mode::kReadWriteCreate).run(sql);
  }
  [[nodiscard]] Output run_compare(bool complete = false, bool json = false) const {
    return capture([&](std::FILE* out) {
      return compare({.dir = dir_, .db = path_, .complete = complete, .json = json}, out);
    });
  }
  [[nodiscard]] Output run_trace(TraceOptions options) const {
    options.dir = dir_;
    return capture([&](std::FILE* out) { return trace(options, out); });
  }
  [[nodiscard]] Json trace_json(TraceOptions options) const {
    options.json = true;
    return Json::parse(run_trace(options).text);
  }

  // One order from its tick to a fill and its fee; every stamp 10 us after the one before.
  void push_traced_order(std::uint64_t sequence, bool with_tick) {
    if (with_tick)
      maker_.push_quote(0, 100'000'000'000, 101'000'000'000);
    // The quote's stamp, or one that no event has.
    const std::int64_t t = maker_.now().ns - (with_tick ? 2 : 1) * kNanosPerMilli;
    Intent intent = maker_.intent(sequence, Side::kBuy, 2'000'000'000, 101'000'000'000);
    intent.cause.receive_ns = MonoNanos{t};
    intent.stamps.strategy_poll = {t + 10'000};
    intent.stamps.strategy_publish = {t + 20'000};
    maker_.push(kFromStrategy, TapType::kIntent, intent);
    intent.approved = intent.requested;
    intent.stamps.risk_poll = {t + 30'000};
    intent.stamps.risk_publish = {t + 40'000};
    maker_.push(kFromRisk, TapType::kOrder, intent);
    const ExecutionStamps stamps{
        .gateway_poll = {t + 50'000}, .hand_over = {t + 60'000}, .wire = {t + 70'000}};
    Execution e =
        maker_.event(ExecutionKind::kSubmitting, OrderState::kSubmitting, sequence, Side::kBuy);
    e.stamps.gateway_poll = stamps.gateway_poll;
    maker_.push_execution(e);
    e.kind = ExecutionKind::kAccepted;
    e.state = OrderState::kSubmitted;
    e.stamps = stamps;
    e.receive_ns = {t + 1'070'000};
    maker_.push_execution(e);
    Execution fill = maker_.fill(sequence, Side::kBuy, 101'000'000'000, 2'000'000'000, 5'000'000);
    fill.state = OrderState::kFilled;
    fill.stamps = stamps;
    fill.receive_ns = {t + 2'070'000};
    maker_.push_execution(fill);
    last_fill_ = fill;
    fill.kind = ExecutionKind::kFee;
    fill.fee = -1'000'000;
    fill.fee_status = FeeStatus::kFinal;
    maker_.push_execution(fill);
  }

  TempDir temp_;
  std::string dir_{temp_ / "journal"};
  std::string path_{temp_ / "sluice.db"};
  TradeNames names_{.instruments = {{.symbol = "BTC/USD", .base = "BTC", .quote = "USD"}},
                    .strategies = {"momentum"},
                    .assets = {"BTC", "USD"},
                    .feeds = {"crypto"}};
  JournalMaker maker_{dir_};
  Execution last_fill_{};
};

TEST_F(TradeTools, CompareAgreesWithADatabaseThatFollowed) {
  maker_.push_random(1, 60);
  fold(maker_.sync());
  const Output output = run_compare(true);
  EXPECT_EQ(output.code, 0) << output.text;
  EXPECT_THAT(output.text, HasSubstr(": agree"));
  EXPECT_THAT(output.text, HasSubstr("orders"));
}

TEST_F(TradeTools, CompareNamesTheFirstRowThatDiffersWhateverTheDifference) {
  maker_.push_random(1, 60);
  fold(maker_.sync());
  const std::vector<std::pair<std::string, std::string>> cases{
      {"UPDATE executions SET qty = qty + 1 WHERE position = (SELECT max(position) FROM "
       "executions)",
       "executions: row"},
      {"DELETE FROM order_events WHERE position = (SELECT max(position) FROM order_events)",
       "order_events: the database lacks"},
      {"INSERT INTO refusals SELECT max(position) + 1, 'risk', '1-1-1', 0, 0, 'none', 0, 0 FROM "
       "refusals",
       "refusals: only the database has"},
      {"UPDATE positions SET realised = realised + 1", "positions: row 1: realised"},
      {"UPDATE pnl SET unrealised = NULL WHERE bucket_ns = (SELECT min(bucket_ns) FROM pnl)",
       "pnl: row 1: unrealised"},
      {"UPDATE orders SET state = 'filled' WHERE id = (SELECT min(id) FROM orders)",
       "orders: row 1: state"},
  };
  for (const auto& [damage, expected] : cases) {
    std::filesystem::copy_file(path_, temp_ / "whole");
    change(damage);
    const Output output = run_compare();
    EXPECT_EQ(output.code, 1) << damage;
    EXPECT_THAT(output.text, HasSubstr("first difference: " + expected)) << damage;
    EXPECT_THAT(output.text, HasSubstr("DO NOT AGREE"));
    std::filesystem::rename(temp_ / "whole", path_);
  }
}

TEST_F(TradeTools, CompareTakesADatabaseThatIsBehindUnlessItHasToBeComplete) {
  maker_.push_random(1, 20);
  const std::uint64_t last = maker_.sync();
  fold(last / 2);
  EXPECT_EQ(run_compare().code, 0);
  const Output output = run_compare(true, true);
  EXPECT_EQ(output.code, 1);
  const Json json = Json::parse(output.text);
  EXPECT_EQ(json["behind"], last - last / 2);
  EXPECT_EQ(json["difference"], "");
}

TEST_F(TradeTools, CompareTellsADatabaseOfAnotherJournal) {
  maker_.push_random(1, 5);
  fold(maker_.sync());
  const TempDir other;
  JournalMaker stranger(other / "journal");
  stranger.push_random(1, 5);
  static_cast<void>(stranger.sync());
  const Output output = capture(
      [&](std::FILE* out) { return compare({.dir = other / "journal", .db = path_}, out); });
  EXPECT_EQ(output.code, 1);
  EXPECT_THAT(output.text, HasSubstr("the database is of journal"));
}

TEST_F(TradeTools, CompareWithoutADatabaseIsAnError) {
  maker_.push_random(1, 5);
  EXPECT_THROW(static_cast<void>(run_compare()), Error);
}

TEST_F(TradeTools, TraceFollowsTheLastFillToItsTickWithEveryHop) {
  push_traced_order(1, true);
  push_traced_order(2, true);
  fold(maker_.sync());
  const Output output = run_trace({.dir = "", .last = true});
  EXPECT_EQ(output.code, 0) << output.text;
  EXPECT_THAT(output.text, HasSubstr("fill   BTC/USD buy 2 at 101, fee 0.004 BTC (final)"));
  EXPECT_THAT(output.text,
              HasSubstr("order  slc-maker-5-0-2 of momentum: BTC/USD buy limit 101 ioc"));
  EXPECT_THAT(output.text, HasSubstr("tick   quote of BTC/USD from crypto: bid 100 x 0.000000001"));
  const Json json = trace_json({.dir = "", .last = true});
  EXPECT_EQ(json["complete"], true);
  std::vector<std::pair<std::string, std::int64_t>> hops;
  for (const Json& hop : json["hops"])
    hops.emplace_back(hop["hop"], hop["since_tick_ns"]);
  const std::vector<std::pair<std::string, std::int64_t>> expected{{"tick", 0},
                                                                   {"feed_to_strategy", 10'000},
                                                                   {"decide", 20'000},
                                                                   {"strategy_to_risk", 30'000},
                                                                   {"approve", 40'000},
                                                                   {"risk_to_gateway", 50'000},
                                                                   {"gate", 60'000},
                                                                   {"gate_to_wire", 70'000},
                                                                   {"order_to_ack", 1'070'000},
                                                                   {"fill", 2'070'000}};
  EXPECT_EQ(hops, expected);
}

TEST_F(TradeTools, TraceFindsAFillByEitherIdAndAnOrderByEitherName) {
  push_traced_order(1, true);
  const Execution wanted = last_fill_;
  push_traced_order(2, true);
  fold(maker_.sync());
  for (const TraceOptions& by :
       {TraceOptions{.dir = "", .execution = to_string(wanted.execution_id)},
        TraceOptions{.dir = "", .execution = std::to_string(wanted.n) + ".0"},
        TraceOptions{.dir = "", .order = "5-0-1"},
        TraceOptions{.dir = "", .order = "slc-maker-5-0-1"}}) {
    const Json json = trace_json(by);
    EXPECT_EQ(json["order"]["intent"], "5-0-1");
    EXPECT_EQ(json["fill"]["execution_id"], to_string(wanted.execution_id));
  }
}

TEST_F(TradeTools, TraceSaysExactlyWhatIsMissing) {
  push_traced_order(1, false);
  const Output none = run_trace({.dir = "", .order = "5-0-1"});
  EXPECT_EQ(none.code, 1);
  EXPECT_THAT(none.text, HasSubstr("the journal holds no market data of feed 0"));
  EXPECT_THAT(none.text, HasSubstr("instrument 0 buy"));  // no database: the number

  maker_.push_quote(0, 1, 2);
  EXPECT_THAT(run_trace({.dir = "", .order = "5-0-1"}).text,
              HasSubstr("it is older than the first market event"));
  push_traced_order(2, false);
  EXPECT_THAT(run_trace({.dir = "", .order = "5-0-2"}).text,
              HasSubstr("the journal ends before it"));
  maker_.push_quote(0, 1, 2);
  EXPECT_THAT(run_trace({.dir = "", .order = "5-0-2"}).text, HasSubstr("no event of that stamp"));

  push_traced_order(3, false);
  maker_.push(kFromFeed, TapType::kGap, GapRecord{.lost = 17, .next_sequence = 9});
  maker_.push_quote(0, 1, 2);
  EXPECT_THAT(run_trace({.dir = "", .order = "5-0-3"}).text,
              HasSubstr("17 taps of tap.feed.x were lost around it"));
}

TEST_F(TradeTools, TraceShowsHowFarARefusedOrderCame) {
  maker_.push_quote(0, 1, 2);
  Intent intent = maker_.intent(1, Side::kBuy, 5, 6);
  intent.cause = {};
  maker_.push(kFromStrategy, TapType::kIntent, intent);
  Verdict verdict;
  verdict.intent = intent.id;
  verdict.decision = Decision::kRefused;
  verdict.reason = Reason::kPosition;
  verdict.decided_ns = intent.decided_ns;
  maker_.push(kFromRisk, TapType::kVerdict, verdict);
  const Output output = run_trace({.dir = "", .order = "5-0-1"});
  EXPECT_EQ(output.code, 0) << output.text;
  EXPECT_THAT(output.text, HasSubstr("risk: refused, reason position"));
  EXPECT_THAT(output.text, HasSubstr("no market event caused it"));
  // No step is measured from a tick.
  const Json traced = trace_json({.dir = "", .order = "5-0-1"});
  EXPECT_EQ(traced["hops"].size(), 4U);
  for (const Json& hop : traced["hops"]) {
    EXPECT_NE(hop["hop"], "feed_to_strategy");
    EXPECT_TRUE(hop["since_tick_ns"].is_null()) << hop;
  }
}

TEST_F(TradeTools, TraceOfWhatIsNotThereEndsWithOne) {
  push_traced_order(1, true);
  EXPECT_EQ(run_trace({.dir = "", .order = "5-0-9"}).code, 1);
  EXPECT_EQ(trace_json({.dir = "", .execution = to_string(Id128{.hi = 1, .lo = 1})})["found"],
            false);
  for (const char* bad : {"x", "slc-maker-5-0-", "5-0", "99999999999-0-1"})
    EXPECT_THROW(static_cast<void>(run_trace({.dir = "", .order = bad})), Error) << bad;
  EXPECT_THROW(static_cast<void>(run_trace({.dir = "", .execution = "12-3"})), Error);
}

}  // namespace
}  // namespace sluice::journal_tool
