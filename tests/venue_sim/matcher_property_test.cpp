// Properties of the matcher under random markets and orders.
//
// Method: a seeded generator plays quotes, depth, trades and orders on a narrow band of prices, so
// that levels, queues and crossings meet all the time. A shadow book, written again here in the
// plainest way (one array per side over all prices), accounts for recorded and consumed size. After
// every step each fill must be explained by the shadow and by the step that caused it, and no fill
// that the rules grant may be missing. The seed is printed with each failure.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <random>

#include "tests/venue_sim/sim_fixtures.hpp"
#include "tools/venue_sim/matcher.hpp"

namespace sluice::sim::test {
namespace {

constexpr int kTicks = 40;  // prices 1 … kTicks

struct ShadowLevel {
  std::int64_t recorded{0};
  std::int64_t consumed{0};
};

struct ShadowSide {
  std::array<ShadowLevel, kTicks + 1> levels{};
  int best{0};  // quoted best price in ticks; 0 = nobody

  void set(int tick, std::int64_t qty) {
    ShadowLevel& level = levels[static_cast<std::size_t>(tick)];
    if (level.recorded != qty) {
      level = {qty, 0};
    }
  }
};

struct Live {
  MatchOrder order;
  std::int64_t leaves;
  bool resting;
};

class Shadow {
 public:
  // Starts with a quoted market.
  explicit Shadow(std::uint32_t seed) : random_(seed) { quote(); }

  void step() {
    fills_.clear();
    if (pick(0, halted_ ? 19 : 399) == 0) {
      toggle_halt();
    }
    if (::testing::Test::HasFatalFailure()) {
      return;
    }
    fills_.clear();
    switch (pick(0, 9)) {
      case 0:
      case 1:
      case 2:
        quote();
        break;
      case 3:
      case 4:
        depth();
        break;
      case 5:
      case 6:
      case 7:
        trade();
        break;
      case 8:
        enter();
        break;
      default:
        cancel();
        break;
    }
    if (::testing::Test::HasFatalFailure()) {
      return;
    }
    if (halted_) {
      EXPECT_TRUE(fills_.empty()) << "filled during a halt";
    } else {
      nothing_missed();
    }
  }

  [[nodiscard]] std::uint64_t maker_fills() const { return maker_fills_; }
  [[nodiscard]] std::uint64_t foks() const { return foks_; }
  [[nodiscard]] std::uint64_t taker_fills() const { return taker_fills_; }

 private:
  static Price price(int tick) { return Price{tick * kScale}; }
  static int tick(Price px) { return static_cast<int>(px.raw / kScale); }
  int pick(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  std::int64_t size() { return std::int64_t{pick(1, 50)} * kScale / 10; }
  int near_market() { return std::clamp(bids_.best + pick(-4, 5), 1, kTicks); }
  ShadowSide& side(Side s) { return s == Side::kBuy ? bids_ : asks_; }

  static bool better(Side s, int a, int b) { return s == Side::kBuy ? a > b : a < b; }
  // A visible level of the side: not better than the best quote.
  static bool visible(Side s, const ShadowSide& book, int t) {
    return book.best != 0 && !better(s, t, book.best);
  }

  void quote() {
    int bid = pick(1, kTicks - 1);
    int ask = pick(bid + 1, kTicks);
    if (pick(0, 3) > 0 && bids_.best != 0) {  // mostly move a little
      bid = std::clamp(bids_.best + pick(-1, 1), 1, kTicks - 1);
      ask = std::clamp(std::max(bid + 1, asks_.best + pick(-1, 1)), bid + 1, kTicks);
    }
    const RecordedQuote q{price(bid), Qty{size()}, price(ask), Qty{size()}};
    const auto apply = [](Side s, ShadowSide& book, int best, std::int64_t qty) {
      book.best = best;
      for (int t = 1; t <= kTicks; ++t) {
        if (better(s, t, best)) {
          book.set(t, 0);
        }
      }
      book.set(best, qty);
    };
    apply(Side::kBuy, bids_, bid, q.bid_qty.raw);
    apply(Side::kSell, asks_, ask, q.ask_qty.raw);
    matcher_.quote(kBtc, q, fills_);
    account_book_fills(std::nullopt);
  }

  void depth() {
    const Side s = pick(0, 1) == 0 ? Side::kBuy : Side::kSell;
    const int t = pick(1, kTicks);
    const std::int64_t qty = pick(0, 3) == 0 ? 0 : size();
    if (side(s).best != t) {
      side(s).set(t, qty);
    }
    matcher_.depth(kBtc, {.side = s, .px = price(t), .qty = Qty{qty}}, fills_);
    account_book_fills(std::nullopt);
  }

  void trade() {
    const Side taker = pick(0, 1) == 0 ? Side::kBuy : Side::kSell;
    const int t = std::clamp(side(opposite(taker)).best + pick(-1, 1), 1, kTicks);
    const std::int64_t qty = size();
    std::map<OrderKey, std::int64_t> ahead;
    for (const auto& [key, live] : orders_) {
      ahead[key] = matcher_.queue_ahead(kBtc, key).value_or(Qty{0}).raw;
    }
    matcher_.trade(kBtc, {price(t), Qty{qty}, taker}, fills_);
    std::int64_t sum = 0;
    for (const Fill& fill : fills_) {
      ASSERT_EQ(orders_.count(fill.key), 1U);
      const Live& live = orders_.at(fill.key);
      const int own = tick(live.order.limit);
      EXPECT_TRUE(fill.maker);
      EXPECT_EQ(fill.px, live.order.limit) << "a trade fills at the order's price";
      EXPECT_FALSE(better(live.order.side, t, own)) << "a trade inside our price is not for us";
      if (own == t) {
        EXPECT_EQ(live.order.side, opposite(taker));
        EXPECT_LE(fill.qty.raw + ahead[fill.key], qty) << "the queue ahead comes first";
      }
      no_better_order_waits(live);
      sum += fill.qty.raw;
      book(fill);
    }
    EXPECT_LE(sum, qty) << "fills of one trade exceed its size";
  }

  void enter() {
    const Side s = pick(0, 1) == 0 ? Side::kBuy : Side::kSell;
    const OrderType type = pick(0, 4) == 0 ? OrderType::kMarket : OrderType::kLimit;
    const int kind = pick(0, 5);
    const TimeInForce tif = kind < 2    ? TimeInForce::kIoc
                            : kind == 2 ? TimeInForce::kFok
                                        : TimeInForce::kGtc;
    const MatchOrder order{next_++, s, type, tif, price(near_market()), Qty{size()}};
    const bool enough = in_sight(order) >= order.qty.raw;
    orders_[order.key] = {order, order.qty.raw, false};
    const Qty leaves = matcher_.enter(kBtc, order, fills_);
    account_book_fills(order.key);
    const auto it = orders_.find(order.key);
    const std::int64_t left = it == orders_.end() ? 0 : it->second.leaves;
    if (tif == TimeInForce::kFok) {
      EXPECT_EQ(left, enough && !halted_ ? 0 : order.qty.raw) << "all or none";
      foks_ += left == 0 ? 1U : 0U;
    }
    if (tif == TimeInForce::kIoc || tif == TimeInForce::kFok) {
      EXPECT_EQ(leaves.raw, 0);
      orders_.erase(order.key);
    } else {
      EXPECT_EQ(leaves.raw, left);
    }
  }

  // Recorded and not consumed, up to the order's limit.
  std::int64_t in_sight(const MatchOrder& order) {
    const Side other = opposite(order.side);
    std::int64_t sum = 0;
    for (int t = 1; t <= kTicks; ++t) {
      const ShadowLevel& level = side(other).levels[static_cast<std::size_t>(t)];
      if (visible(other, side(other), t) && !better(other, tick(order.limit), t)) {
        sum += level.recorded - level.consumed;
      }
    }
    return sum;
  }

  void toggle_halt() {
    halted_ = !halted_;
    matcher_.halt(kBtc, halted_, fills_);
    if (halted_) {
      EXPECT_TRUE(fills_.empty());
    }
    settle();  // what came during the halt rests when it ends
    account_book_fills(std::nullopt);
  }

  void cancel() {
    if (orders_.empty()) {
      return;
    }
    auto it = orders_.begin();
    std::advance(it, pick(0, static_cast<int>(orders_.size()) - 1));
    EXPECT_TRUE(matcher_.remove(kBtc, it->first));
    orders_.erase(it);
  }

  // Fills that took recorded size: of an arriving order (`arriving`) or of a changed book.
  void account_book_fills(std::optional<OrderKey> arriving) {
    for (const Fill& fill : fills_) {
      ASSERT_EQ(orders_.count(fill.key), 1U);
      const Live live = orders_.at(fill.key);
      const Side other = opposite(live.order.side);
      ShadowSide& book_side = side(other);
      std::int64_t left = fill.qty.raw;
      if (fill.maker) {
        EXPECT_TRUE(live.resting);
        EXPECT_EQ(fill.px, live.order.limit);
      } else {
        EXPECT_FALSE(live.resting);
        EXPECT_FALSE(better(other, tick(live.order.limit), tick(fill.px))) << "past the limit";
      }
      for (int i = 1; i <= kTicks && left > 0; ++i) {  // best first, as the rules take it
        const int t = other == Side::kSell ? i : kTicks + 1 - i;
        ShadowLevel& level = book_side.levels[static_cast<std::size_t>(t)];
        if (!visible(other, book_side, t) || level.recorded == level.consumed ||
            better(other, tick(live.order.limit), t)) {
          continue;
        }
        if (!fill.maker) {
          EXPECT_EQ(t, tick(fill.px)) << "a better level was passed over";
        }
        const std::int64_t take = std::min(left, level.recorded - level.consumed);
        level.consumed += take;
        left -= take;
      }
      EXPECT_EQ(left, 0) << "filled more than was recorded";
      if (!arriving) {
        no_better_order_waits(live);
      }
      book(fill);
    }
    settle();
  }

  // Price-time: nobody of ours with a better price, or the same and earlier, is still unfilled.
  void no_better_order_waits(const Live& live) {
    if (!live.resting) {
      return;
    }
    for (const auto& [key, other] : orders_) {
      if (other.resting && other.order.side == live.order.side && key != live.order.key) {
        const int mine = tick(live.order.limit);
        const int theirs = tick(other.order.limit);
        EXPECT_FALSE(better(live.order.side, theirs, mine)) << "a better price waits";
        EXPECT_FALSE(theirs == mine && key < live.order.key) << "an earlier order waits";
      }
    }
  }

  void book(const Fill& fill) {
    Live& live = orders_.at(fill.key);
    ++(fill.maker ? maker_fills_ : taker_fills_);
    EXPECT_GT(fill.qty.raw, 0);
    EXPECT_LE(fill.qty.raw, live.leaves);
    live.leaves -= fill.qty.raw;
    if (live.leaves == 0) {
      orders_.erase(fill.key);
    }
  }

  // Limit orders that are in the open book rest from now on.
  void settle() {
    for (auto& [key, live] : orders_) {
      live.resting = live.order.type == OrderType::kLimit;
    }
  }

  // No order of ours works while recorded size it could have is in sight and unconsumed.
  void nothing_missed() {
    for (const auto& [key, live] : orders_) {
      const Side other = opposite(live.order.side);
      for (int t = 1; t <= kTicks; ++t) {
        const ShadowLevel& level = side(other).levels[static_cast<std::size_t>(t)];
        if (visible(other, side(other), t) && !better(other, tick(live.order.limit), t)) {
          EXPECT_EQ(level.recorded, level.consumed)
              << "order " << key << " could have had the level " << t;
        }
      }
    }
    EXPECT_EQ(matcher_.working(kBtc), orders_.size());
  }

  bool halted_{false};
  std::uint64_t foks_{0};
  std::uint64_t maker_fills_{0};
  std::uint64_t taker_fills_{0};
  std::mt19937 random_;
  Matcher matcher_{1};
  Fills fills_;
  ShadowSide bids_;
  ShadowSide asks_;
  std::map<OrderKey, Live> orders_;
  OrderKey next_{0};
};

class MatcherPropertyTest : public ::testing::TestWithParam<std::uint32_t> {};

TEST_P(MatcherPropertyTest, EveryFillIsExplainedAndNoneIsMissing) {
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  Shadow shadow(GetParam());
  for (int i = 0; i < 6'000 && !HasFailure(); ++i) {
    SCOPED_TRACE("step " + std::to_string(i));
    shadow.step();
  }
  // The load must have met the rules it is meant to check.
  EXPECT_GT(shadow.maker_fills(), 100U);
  EXPECT_GT(shadow.taker_fills(), 100U);
  EXPECT_GT(shadow.foks(), 2U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, MatcherPropertyTest, ::testing::Range(1U, 41U));

}  // namespace
}  // namespace sluice::sim::test
