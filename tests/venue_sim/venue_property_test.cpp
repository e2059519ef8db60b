// Properties of the venue under random orders of all kinds.
//
// Method: a seeded generator plays quotes, prints, halts and hours of one equity day and sends
// limit, market, stop, trailing and bracket orders of both sides in all times in force, replaces
// and cancels. After every step the books are added up again from the executions and the open
// orders in the plainest way. At the end the account is read back from its file. The seed is
// printed with each failure.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <random>

#include "tests/venue_sim/equity_fixtures.hpp"
#include "tools/venue_sim/account_log.hpp"

namespace sluice::sim::test {
namespace {

class RandomDay {
 public:
  RandomDay(std::uint32_t seed, const std::string& dir)
      : random_(seed), log_(dir, terms(), symbols_), venue_(symbols_, options(), IdSource(7)) {
    venue_.set_listener(
        [this](const OrderEvent& event) {
          log_.append(event, venue_.ids().issued());
          if (event.execution != nullptr) {
            check_execution(event.order, *event.execution);
          }
        },
        [this] { log_.commit(); });
    quote();
  }

  static AccountTerms terms() {
    return {{derived_id(1, 0), "SIM1", ny(0, 0)}, 7, cash("1000000"), {}};
  }
  static VenueOptions options() {
    VenueOptions options = TestVenue::default_options();
    options.cash = cash("1000000");
    options.multiplier = 4;
    options.shorting = true;
    options.wash_trade = WashTrade::kOff;  // more orders meet
    return options;
  }

  void step() {
    at_.ns += std::int64_t{pick(1, 20)} * kNanosPerSecond;
    venue_.run_until(at_);
    maker_sum_ = 0;
    trade_size_ = 0;
    switch (pick(0, 9)) {
      case 0:
      case 1:
        quote();
        break;
      case 2:
      case 3:
      case 4:
        trade();
        break;
      case 5:
      case 6:
        submit();
        break;
      case 7:
        replace();
        break;
      case 8:
        cancel();
        break;
      default:
        halted_ = pick(0, halted_ ? 2 : 30) == 0 ? !halted_ : halted_;
        venue_.status(at_, kAbc, !halted_);
        break;
    }
    add_up();
  }

  void cancel_all() {
    const std::vector<OrderKey> keys(venue_.open().begin(), venue_.open().end());
    for (const OrderKey key : keys) {
      EXPECT_FALSE(venue_.cancel(at_, key));
    }
    at_.ns += kNanosPerSecond;
    venue_.run_until(at_);
    EXPECT_EQ(venue_.open_orders(), 0U);
    EXPECT_EQ(venue_.ledger().held_cash().raw, 0);
    EXPECT_EQ(venue_.ledger().position(kAbc).held.raw, 0);
  }

  // The file holds the same account.
  void read_back(const std::string& dir) {
    AccountLog log(dir, terms(), symbols_);
    Venue again(symbols_, options(), IdSource(7));
    again.restore(log.take_saved());
    EXPECT_EQ(encode_ledger(again), encode_ledger(venue_));
    EXPECT_EQ(again.ledger().held_cash(), venue_.ledger().held_cash());
    EXPECT_EQ(again.ledger().position(kAbc).held, venue_.ledger().position(kAbc).held);
    EXPECT_EQ(again.open(), venue_.open());
    for (OrderKey key = 0; key < venue_.orders().size(); ++key) {
      const Order& mine = venue_.orders()[key];
      const Order& read = again.orders()[key];
      EXPECT_EQ(read.leaves(), mine.leaves()) << key;
      EXPECT_EQ(read.replaced_by_id, mine.replaced_by_id) << key;
      EXPECT_EQ(read.average_price(), mine.average_price()) << key;
      if (mine.status != OrderStatus::kReplaced) {
        EXPECT_EQ(read.legs, mine.legs) << key;
      }
    }
  }

  std::map<std::string, int> seen;

 private:
  int pick(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  Price near() { return Price{(10'000 + pick(-30, 30)) * (kScale / 100)}; }
  Qty size() { return Qty{pick(1, 50) * kScale}; }

  void quote() {
    const int bid = 10'000 + pick(-25, 20);
    const int ask = bid + pick(-1, 5);  // sometimes locked or crossed
    venue_.quote(at_, kAbc,
                 {Price{bid * (kScale / 100)}, size(), Price{ask * (kScale / 100)},
                  pick(0, 9) == 0 ? Qty{} : size()});
  }

  void trade() {
    RecordedTrade printed{near(), size(), std::nullopt};
    trade_size_ = printed.qty.raw;
    venue_.trade(at_, kAbc, printed);
    EXPECT_LE(maker_sum_, trade_size_) << "own fills of one print exceed its size";
  }

  void submit() {
    NewOrder asked{
        .symbol = kAbc,
        .side = pick(0, 1) == 0 ? Side::kBuy : Side::kSell,
        .type = *(kOrderTypes.begin() + pick(0, 4)),
        .tif = pick(0, 3) == 0 ? *(kTimesInForce.begin() + pick(0, 3)) : TimeInForce::kDay,
        .qty = size()};
    const bool stop = asked.type == OrderType::kStop || asked.type == OrderType::kStopLimit;
    asked.limit = has_limit(asked.type) ? near() : Price{};
    asked.stop = stop ? near() : Price{};
    if (asked.type == OrderType::kTrailingStop) {
      asked.trail_price = Price{pick(1, 20) * (kScale / 100)};
    } else if (asked.type == OrderType::kLimit && pick(0, 2) == 0) {
      asked.order_class = OrderClass::kBracket;
      const std::int64_t away = asked.side == Side::kBuy ? kScale / 10 : -kScale / 10;
      asked.take_profit = Price{asked.limit.raw + away};
      asked.stop_loss = Price{asked.limit.raw - away};
    }
    const auto result = venue_.submit(at_, asked);
    ++seen[std::holds_alternative<OrderKey>(result) ? "accepted" : "refused"];
  }

  void replace() {
    if (venue_.open().empty()) {
      return;
    }
    auto it = venue_.open().begin();
    std::advance(it, pick(0, static_cast<int>(venue_.open_orders()) - 1));
    const Order& order = venue_.orders()[*it];
    ReplaceOrder change;
    if (has_limit(order.asked.type)) {
      change.limit = near();
    }
    if (!order.advanced() && pick(0, 1) == 0) {
      change.qty = size();
    }
    const auto result = venue_.replace(at_, *it, change);
    ++seen[std::holds_alternative<OrderKey>(result) ? "replaced" : "not replaced"];
    if (pick(0, 1) == 0) {
      trade();  // it may fill the old order before
    }
  }

  void cancel() {
    if (!venue_.open().empty()) {
      auto it = venue_.open().begin();
      std::advance(it, pick(0, static_cast<int>(venue_.open_orders()) - 1));
      EXPECT_FALSE(venue_.cancel(at_, *it));
    }
  }

  void check_execution(const Order& order, const Execution& execution) {
    EXPECT_FALSE(halted_) << "filled during a halt";
    ++seen[execution.maker ? "maker" : "taker"];
    maker_sum_ += execution.maker && trade_size_ > 0 ? execution.qty.raw : 0;
    const bool buy = order.asked.side == Side::kBuy;
    if (order.protective.raw > 0) {
      EXPECT_TRUE(buy ? execution.px <= order.protective : execution.px >= order.protective);
    }
    const std::int64_t before = position_;
    position_ += buy ? execution.qty.raw : -execution.qty.raw;
    EXPECT_TRUE(before == 0 || position_ == 0 || (before > 0) == (position_ > 0))
        << "an order turned the position";
    EXPECT_EQ(execution.position_after.raw, position_);
    Cash value{};
    EXPECT_TRUE(notional(execution.px, execution.qty, value));
    cash_ += buy ? -value.raw : value.raw;
    filled_[order.key] += execution.qty.raw;
    EXPECT_EQ(order.filled.raw, filled_[order.key]);
    EXPECT_LE(order.carried.raw + order.filled.raw, order.asked.qty.raw);
  }

  void add_up() {
    std::int64_t held_cash = 0;
    std::int64_t held_qty = 0;
    for (const Order& order : venue_.orders().all()) {
      EXPECT_TRUE(order.open() || (order.held_cash.raw == 0 && order.held_qty.raw == 0));
      EXPECT_EQ(order.open(), venue_.open().count(order.key) == 1);
      held_cash += order.held_cash.raw;
      held_qty += order.held_qty.raw;
    }
    EXPECT_EQ(venue_.ledger().held_cash().raw, held_cash);
    EXPECT_EQ(venue_.ledger().position(kAbc).held.raw, held_qty);
    EXPECT_LE(held_qty, position_ < 0 ? -position_ : position_) << "more is held than there is";
    EXPECT_EQ(venue_.ledger().cash().raw, cash_);
    EXPECT_EQ(venue_.ledger().position(kAbc).qty.raw, position_);
  }

  std::mt19937 random_;
  std::vector<Symbol> symbols_ = equity_symbols();
  AccountLog log_;
  Venue venue_;
  WallNanos at_ = ny(9, 35);
  bool halted_{false};
  std::int64_t trade_size_{0};
  std::int64_t maker_sum_{0};
  std::int64_t position_{0};
  std::int64_t cash_{cash("1000000").raw};
  std::map<OrderKey, std::int64_t> filled_;
};

class VenuePropertyTest : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  VenuePropertyTest() {
    std::string name = (std::filesystem::temp_directory_path() / "sluice_sim_XXXXXX").string();
    dir_ = ::mkdtemp(name.data());
  }
  ~VenuePropertyTest() override { std::filesystem::remove_all(dir_); }
  std::string dir_;
};

TEST_P(VenuePropertyTest, BooksAddUpAfterEveryStepAndAreReadBackTheSame) {
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  RandomDay day(GetParam(), dir_);
  for (int i = 0; i < 1'200 && !HasFailure(); ++i) {
    SCOPED_TRACE("step " + std::to_string(i));
    day.step();
  }
  day.read_back(dir_);
  day.cancel_all();
  day.read_back(dir_);
  // The load must have met the rules it is meant to check.
  for (const char* what : {"accepted", "refused", "replaced", "not replaced", "maker", "taker"}) {
    EXPECT_GT(day.seen[what], 5) << what;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, VenuePropertyTest, ::testing::Range(1U, 21U));

}  // namespace
}  // namespace sluice::sim::test
