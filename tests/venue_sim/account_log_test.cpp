// The account on disk: continued after an end and after a kill, refused when it makes no sense.
#include "tools/venue_sim/account_log.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "common/base/error.hpp"
#include "tests/venue_sim/equity_fixtures.hpp"
#include "tests/venue_sim/sim_fixtures.hpp"

namespace sluice::sim::test {
namespace {

class AccountLogTest : public ::testing::Test {
 protected:
  AccountLogTest() {
    std::string name = (std::filesystem::temp_directory_path() / "sluice_sim_XXXXXX").string();
    dir_ = ::mkdtemp(name.data());
  }
  ~AccountLogTest() override { std::filesystem::remove_all(dir_); }

  // One life of a simulator on the folder.
  struct Life {
    Life(const std::string& dir, const AccountTerms& terms, const std::vector<Symbol>& symbols,
         bool fees_at_day_end = false)
        : log(dir, terms, symbols),
          venue(symbols, options(log.terms(), fees_at_day_end), IdSource(log.terms().seed)) {
      venue.set_listener(
          [this](const OrderEvent& event) { log.append(event, venue.ids().issued()); },
          [this] {
            log.commit();
            states.push_back(state());
          });
      if (log.continued()) {
        venue.restore(log.take_saved());
      }
    }
    static VenueOptions options(const AccountTerms& terms, bool fees_at_day_end) {
      VenueOptions options;
      options.fees_at_day_end = fees_at_day_end;
      options.cash = terms.cash;
      options.fees = terms.fees;
      return options;
    }
    // Everything that a kill must not tear apart.
    [[nodiscard]] std::string state() const {
      std::string text = encode_ledger(venue);
      for (const Order& order : venue.orders().all()) {
        text += order.asked.client_order_id + " " + std::string(word(order.status)) + " " +
                to_string(order.leaves()) + "\n";
      }
      return text;
    }
    AccountLog log;
    Venue venue;
    std::vector<std::string> states;  // after each operation
  };

  static AccountTerms terms(std::uint64_t seed) {
    return {
        {derived_id(seed, 0), "SIM" + std::to_string(seed), at_ms(5)}, seed, cash("100000"), {}};
  }
  std::unique_ptr<Life> life(std::uint64_t seed = 11) {
    return std::make_unique<Life>(dir_, terms(seed), symbols_, fees_at_day_end_);
  }
  [[nodiscard]] std::string path() const { return dir_ + "/account.jsonl"; }

  static void trade_a_little(Venue& venue) {
    venue.quote(at_ms(0), kBtc, book("60000", "2", "60010", "1"));
    ASSERT_TRUE(std::holds_alternative<OrderKey>(
        venue.submit(at_ms(1), limit_order("buy", Side::kBuy, "1", "60010"))));
    ASSERT_TRUE(std::holds_alternative<OrderKey>(
        venue.submit(at_ms(1), limit_order("rest", Side::kBuy, "0.2", "59000"))));
    venue.run_until(at_ms(1));
    ASSERT_TRUE(std::holds_alternative<OrderKey>(
        venue.submit(at_ms(2), limit_order("sell", Side::kSell, "0.3", "60000"))));
    venue.run_until(at_ms(2));
  }

  std::string dir_;
  bool fees_at_day_end_{false};
  std::vector<Symbol> symbols_ = two_symbols();
};

TEST_F(AccountLogTest, OldFolderIsTheSameAccountWithTheSameBooks) {
  auto first = life();
  trade_a_little(first->venue);
  const std::string before = encode_ledger(first->venue);
  const Cash held = first->venue.ledger().held_cash();
  first.reset();

  auto second = life(99);
  EXPECT_EQ(second->log.terms().identity.number, "SIM11") << "the folder's account, not a new one";
  EXPECT_EQ(encode_ledger(second->venue), before);
  EXPECT_EQ(second->venue.ledger().held_cash(), held);
  EXPECT_EQ(second->venue.activities().size(), 4U);
  EXPECT_EQ(second->venue.open_orders(), 1U);
  const auto again = second->venue.submit(at_ms(9), limit_order("buy", Side::kBuy, "1", "60010"));
  EXPECT_TRUE(std::holds_alternative<ApiError>(again)) << "client order ids stay taken";
}

TEST_F(AccountLogTest, OpenOrdersWorkAgainAndIdsGoOn) {
  auto first = life();
  trade_a_little(first->venue);
  first.reset();
  auto second = life();
  second->venue.quote(at_ms(10), kBtc, book("60000", "2", "60010", "1"));
  second->venue.run_until(at_ms(10));
  second->venue.trade(at_ms(11), kBtc, print("58000", "1", Side::kSell));
  EXPECT_EQ(second->venue.open_orders(), 0U);
  ASSERT_EQ(second->venue.executions().size(), 3U);
  EXPECT_NE(second->venue.executions()[2].id, second->venue.executions()[1].id);
  const std::string before = encode_ledger(second->venue);
  second.reset();
  EXPECT_EQ(encode_ledger(life()->venue), before);
}

TEST_F(AccountLogTest, CancelThatWasPendingIsCarriedOut) {
  auto first = life();
  trade_a_little(first->venue);
  ASSERT_FALSE(first->venue.cancel(at_ms(3), *first->venue.orders().find_client_id("rest")));
  first.reset();  // before the cancel took effect
  auto second = life();
  second->venue.run_until(at_ms(20));
  EXPECT_EQ(second->venue.open_orders(), 0U);
  EXPECT_EQ(second->venue.orders()[1].status, OrderStatus::kCanceled);
}

TEST_F(AccountLogTest, RestingOrdersStayMakersAfterARestart) {
  auto first = life();
  trade_a_little(first->venue);
  first.reset();
  auto second = life();
  // The market that is there when they come back crosses their price: they were there before it.
  second->venue.quote(at_ms(10), kBtc, book("58900", "2", "58950", "1"));
  second->venue.run_until(at_ms(10));
  second->venue.quote(at_ms(11), kBtc, book("58900", "2", "58940", "1"));
  ASSERT_EQ(second->venue.executions().size(), 3U);
  EXPECT_TRUE(second->venue.executions()[2].maker);
  EXPECT_EQ(to_string(second->venue.executions()[2].px), "59000");
}

TEST_F(AccountLogTest, ReplacementThatWasPendingIsCarriedOut) {
  auto first = life();
  trade_a_little(first->venue);
  const OrderKey rest = *first->venue.orders().find_client_id("rest");
  ASSERT_TRUE(std::holds_alternative<OrderKey>(
      first->venue.replace(at_ms(3), rest, {.client_order_id = "next", .limit = px("58000")})));
  const Cash held = first->venue.ledger().held_cash();
  first.reset();
  auto second = life();
  EXPECT_EQ(second->venue.ledger().held_cash(), held);
  second->venue.run_until(at_ms(20));
  const Order& old = second->venue.orders()[rest];
  const Order& next = second->venue.orders()[*second->venue.orders().find_client_id("next")];
  EXPECT_EQ(old.status, OrderStatus::kReplaced);
  EXPECT_EQ(next.status, OrderStatus::kNew);
  EXPECT_EQ(next.replaces_id, old.id);
  const Id128 successor = next.id;
  second.reset();
  auto third = life();
  EXPECT_EQ(third->venue.orders()[rest].replaced_by_id, successor);
}

TEST_F(AccountLogTest, StopsGroupsAndSwitchesSurvive) {
  symbols_ = equity_symbols();
  auto first = life();
  Venue& venue = first->venue;
  venue.quote(ny(10, 0), kAbc, book("99.99", "500", "100.01", "500"));
  NewOrder entry{.client_order_id = "e",
                 .symbol = kAbc,
                 .side = Side::kBuy,
                 .type = OrderType::kLimit,
                 .tif = TimeInForce::kGtc,
                 .qty = qty("100"),
                 .limit = px("100.01"),
                 .order_class = OrderClass::kBracket,
                 .take_profit = px("105"),
                 .stop_loss = px("95")};
  ASSERT_TRUE(std::holds_alternative<OrderKey>(venue.submit(ny(10, 0), entry)));
  venue.run_until(ny(10, 1));
  first->log.append_configuration(true);
  ASSERT_EQ(venue.orders()[1].status, OrderStatus::kNew);
  const std::string before = encode_ledger(venue);
  first.reset();

  auto second = life();
  EXPECT_TRUE(second->venue.suspended());
  EXPECT_EQ(encode_ledger(second->venue), before);
  EXPECT_EQ(second->venue.orders()[0].legs, (std::vector<OrderKey>{1, 2}));
  EXPECT_EQ(to_string(second->venue.ledger().position(kAbc).held), "100");
  second->venue.run_until(ny(10, 2));
  second->venue.quote(ny(10, 3), kAbc, book("94.9", "500", "95.1", "500"));
  second->venue.trade(ny(10, 4), kAbc, print("95", "10", std::nullopt));
  EXPECT_EQ(second->venue.orders()[2].status, OrderStatus::kFilled) << "the stop was armed again";
  EXPECT_EQ(second->venue.orders()[1].status, OrderStatus::kCanceled);
}

TEST_F(AccountLogTest, KillAtAnyByteLeavesTheStateAfterAWholeOperation) {
  symbols_ = equity_symbols();
  auto first = life();
  Venue& venue = first->venue;
  first->states.push_back(first->state());
  venue.quote(ny(10, 0), kAbc, book("99.99", "500", "100.01", "500"));
  const NewOrder entry{.client_order_id = "e",
                       .symbol = kAbc,
                       .side = Side::kBuy,
                       .type = OrderType::kLimit,
                       .tif = TimeInForce::kGtc,
                       .qty = qty("100"),
                       .limit = px("99"),
                       .order_class = OrderClass::kBracket,
                       .take_profit = px("105"),
                       .stop_loss = px("95")};
  ASSERT_TRUE(std::holds_alternative<OrderKey>(venue.submit(ny(10, 0), entry)));
  venue.run_until(ny(10, 1));
  ASSERT_TRUE(std::holds_alternative<OrderKey>(venue.replace(ny(10, 1), 0, {.limit = px("99.5")})));
  venue.run_until(ny(10, 2));
  venue.trade(ny(10, 3), kAbc, print("99.4", "500", std::nullopt));
  venue.run_until(ny(10, 4));
  venue.trade(ny(10, 5), kAbc, print("106", "40", std::nullopt));
  venue.trade(ny(10, 6), kAbc, print("106", "500", std::nullopt));
  ASSERT_EQ(venue.orders()[2].status, OrderStatus::kCanceled) << "the stop went with the profit";
  const std::vector<std::string> states = first->states;
  first.reset();
  std::ostringstream all;
  all << std::ifstream(path()).rdbuf();
  const std::string whole = all.str();
  const std::size_t head = whole.find('\n') + 1;
  for (std::size_t size = head; size <= whole.size(); ++size) {
    // Every boundary of lines, and a few places inside of them.
    if (whole[size - 1] != '\n' && whole[std::min(size, whole.size() - 1)] != '\n' &&
        size % 97 != 0) {
      continue;
    }
    std::ofstream(path(), std::ios::trunc) << whole.substr(0, size);
    const auto again = life();
    EXPECT_EQ(std::count(states.begin(), states.end(), again->state()) > 0, true)
        << "cut after " << size << " of " << whole.size() << " bytes:\n"
        << again->state();
    EXPECT_LE(again->venue.ledger().position(kAbc).held, again->venue.ledger().position(kAbc).qty);
  }
}

TEST_F(AccountLogTest, FeesThatWerePostedAtTheEndOfTheDayStayPosted) {
  fees_at_day_end_ = true;
  auto first = life();
  trade_a_little(first->venue);
  ASSERT_EQ(first->venue.post_fees(at_ms(50)), 2U);
  first->log.append_fees(at_ms(50));
  const auto posted = [](const Venue& venue) {
    std::vector<std::pair<std::uint32_t, std::int64_t>> fees;
    for (const Activity& activity : venue.activities()) {
      if (activity.kind == Activity::Kind::kFee) {
        fees.emplace_back(activity.execution, activity.at.ns);
      }
    }
    return fees;
  };
  const auto before = posted(first->venue);
  first.reset();
  auto second = life();
  EXPECT_EQ(posted(second->venue), before);
  EXPECT_EQ(second->venue.post_fees(at_ms(900)), 0U) << "once is enough";
}

TEST_F(AccountLogTest, FileOfFormatOneIsTakenOverAndANewerOneRefused) {
  std::ofstream(path())
      << R"({"format":1,"account_id":"00000000-0000-4000-8000-000000000001","number":"SIM7",)"
         R"("created_ns":5,"seed":"7","cash_e9":100000000000000,"taker_bps":25,"maker_bps":15})"
         "\n"
         R"({"event":"new","issued":4,"order":{"key":0,"id":"00000000-0000-4000-8000-000000000002",)"
         R"("client_order_id":"old","symbol":"BTC/USD","side":"buy","type":"limit","tif":"gtc",)"
         R"("qty_e9":100000000,"limit_e9":59000000000000,"protective_e9":59000000000000,)"
         R"("status":"new","submitted_ns":1,"updated_ns":2,"filled_ns":0,"canceled_ns":0,)"
         R"("cancel_requested_ns":0,"arrives_ns":2}})"
         "\n";
  auto first = life();
  EXPECT_EQ(first->log.terms().identity.number, "SIM7");
  EXPECT_EQ(first->venue.open_orders(), 1U);
  EXPECT_EQ(to_string(first->venue.ledger().held_cash()), "5900");
  first.reset();
  std::string head;
  std::ifstream in(path());
  std::getline(in, head);
  EXPECT_NE(head.find("\"format\":2"), std::string::npos) << head;
  EXPECT_EQ(life()->venue.orders()[0].asked.client_order_id, "old");
  std::ofstream(path()) << R"({"format":3})"
                        << "\n";
  EXPECT_THROW(life(), Error);
}

TEST_F(AccountLogTest, TornLastLineIsCutOff) {
  auto first = life();
  trade_a_little(first->venue);
  const std::string before = encode_ledger(first->venue);
  first.reset();
  std::ofstream(path(), std::ios::app) << R"({"event":"fill","issued":3,"ord)";
  EXPECT_EQ(encode_ledger(life()->venue), before);
  EXPECT_EQ(encode_ledger(life()->venue), before) << "and the file is whole again";
}

TEST_F(AccountLogTest, EmptyFolderIsANewAccount) {
  EXPECT_FALSE(life(11)->log.continued());
  std::filesystem::remove(path());
  EXPECT_EQ(life(12)->log.terms().identity.number, "SIM12");
}

TEST_F(AccountLogTest, BrokenLineIsNamedWithItsRemedy) {
  auto first = life();
  trade_a_little(first->venue);
  first.reset();
  std::ofstream(path(), std::ios::app) << "{\"event\":1}\n";
  try {
    life();
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kConfig);
    const std::string text = error.what();
    EXPECT_NE(text.find("account.jsonl:"), std::string::npos) << text;
    EXPECT_NE(text.find("empty --state folder"), std::string::npos) << text;
  }
}

TEST_F(AccountLogTest, OtherFeesThanTheAccountsAreRefused) {
  life();
  AccountTerms other = terms(11);
  other.fees.taker_bps = 30;
  EXPECT_THROW(Life(dir_, other, symbols_), Error);
}

TEST_F(AccountLogTest, FolderThatCannotBeUsedIsAResourceError) {
  std::ofstream(dir_ + "/file") << "x";
  try {
    AccountLog log(dir_ + "/file", terms(1), symbols_);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kResource);
  }
}

}  // namespace
}  // namespace sluice::sim::test
