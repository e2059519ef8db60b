// Properties of the matcher under random markets and orders.
//
// Method: a seeded generator plays quotes, depth, trades and orders on a narrow band of prices, so
// that levels, queues and crossings meet all the time. A shadow book, written again here in the
// plainest way (one array per side over all prices), accounts for recorded and consumed size and
// for the queue ahead of each order: nothing is read back from the matcher but to be compared. It
// says before each trade which fills it causes; every other fill must be explained by the shadow
// and by the step that caused it, and none that the rules grant may be missing. Even seeds play a
// book of quotes and depth, odd ones a book of quotes alone. The seed is printed with each failure.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/venue_sim/sim_fixtures.hpp"
#include "tools/venue_sim/matcher.hpp"

namespace sluice::sim::test {
namespace {

constexpr int kTicks = 40;  // prices 1 … kTicks

struct ShadowLevel {
  std::int64_t recorded{0};
  std::int64_t consumed{0};
  std::int64_t traded{0};
};

struct ShadowSide {
  std::array<ShadowLevel, kTicks + 1> levels{};
  int best{0};  // quoted best price in ticks; 0 = nobody
};

struct Live {
  MatchOrder order;
  std::int64_t leaves;
  bool resting;
  std::int64_t ahead{0};
  bool known{true};  // ahead is
};

class Shadow {
 public:
  // Starts with a quoted market.
  explicit Shadow(std::uint32_t seed) : quotes_only_(seed % 2 == 1), random_(seed) {
    if (quotes_only_) {
      matcher_.quotes_only(kBtc);
    }
    quote();
  }

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
        if (quotes_only_) {
          quote();
        } else if (pick(0, 9) == 0) {
          snapshot();
        } else {
          depth();
        }
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
    } else if (!crossed()) {
      nothing_missed();
    }
    for (const auto& [key, live] : orders_) {
      if (live.order.type == OrderType::kLimit && live.known) {
        EXPECT_EQ(matcher_.queue_ahead(kBtc, key).value_or(Qty{-1}).raw, live.ahead)
            << "ahead of order " << key;
      }
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
  int near_market() { return std::clamp(middle_ + pick(-4, 5), 1, kTicks); }
  ShadowSide& side(Side s) { return s == Side::kBuy ? bids_ : asks_; }

  static bool better(Side s, int a, int b) { return s == Side::kBuy ? a > b : a < b; }
  // A visible level of the side: not better than the best quote.
  [[nodiscard]] bool visible(Side s, const ShadowSide& book, int t) const {
    return book.best != 0 && (quotes_only_ ? t == book.best : !better(s, t, book.best));
  }
  [[nodiscard]] bool crossed() const {
    return bids_.best != 0 && asks_.best != 0 && bids_.best > asks_.best;
  }

  // The level is recorded with qty now: what that means for who stands there. `shown_again`: a
  // better quote had hidden it, and what became of it meanwhile is not known.
  void change(Side s, int t, std::int64_t qty, bool shown_again = false) {
    ShadowLevel& level = side(s).levels[static_cast<std::size_t>(t)];
    if (level.recorded == qty) {
      return;
    }
    const std::int64_t standing =
        shown_again ? 0 : level.recorded - std::min(level.traded, level.recorded);
    const std::int64_t cancelled = std::max<std::int64_t>(0, standing - qty);
    for (auto& [key, live] : orders_) {
      if (live.resting && live.order.side == s && tick(live.order.limit) == t && live.known) {
        std::int64_t part = standing > 0 ? half_even(live.ahead, cancelled, standing) : 0;
        part -= quotes_only_ ? part % kScale : 0;
        live.ahead = std::min(std::max<std::int64_t>(0, live.ahead - part), qty);
      }
    }
    level = {qty, 0, 0};
  }

  static std::int64_t half_even(std::int64_t a, std::int64_t b, std::int64_t c) {
    __extension__ using Wide = __int128;
    const Wide twice = Wide{a} * b * 2;
    const auto down = static_cast<std::int64_t>(twice / (Wide{c} * 2));
    const Wide over = twice - Wide{down} * c * 2;
    return down + (over > c || (over == c && down % 2 != 0) ? 1 : 0);
  }

  void apply_quote(Side s, int best, std::int64_t qty) {
    ShadowSide& book = side(s);
    const int before = book.best;
    book.best = best;
    for (int t = 1; t <= kTicks; ++t) {
      if (best == 0 || better(s, t, best)) {
        change(s, t, 0);
      }
    }
    if (best != 0) {
      change(s, best, qty, quotes_only_ && before != 0 && better(s, before, best));
    }
    for (auto& [key, live] : orders_) {
      const int own = tick(live.order.limit);
      if (live.order.side == s && !live.known && (best == 0 || !better(s, best, own))) {
        live.known = true;
        live.ahead = own == best ? qty : 0;
      }
    }
  }

  void quote() {
    int bid = pick(1, kTicks - 1);
    int ask = pick(bid + 1, kTicks);
    if (pick(0, 7) > 0 && middle_ != 0) {  // mostly move a little
      bid = std::clamp(middle_ + pick(-1, 1), 1, kTicks - 1);
      ask = std::clamp(bid + pick(1, 3), bid + 1, kTicks);
    }
    middle_ = bid;
    if (const int odd = pick(0, 19); odd == 0) {
      std::swap(bid, ask);  // crossed
    } else if (odd == 1) {
      ask = bid;
    } else if (odd == 2) {
      bid = 0;  // nobody
    } else if (odd == 3) {
      ask = 0;
    }
    RecordedQuote q{price(bid), Qty{size()}, price(ask), Qty{size()}};
    if (pick(0, 2) == 0) {  // the same size again
      q.bid_qty.raw = keep(bids_, bid, q.bid_qty.raw);
      q.ask_qty.raw = keep(asks_, ask, q.ask_qty.raw);
    }
    apply_quote(Side::kBuy, bid, q.bid_qty.raw);
    apply_quote(Side::kSell, ask, q.ask_qty.raw);
    matcher_.quote(kBtc, q, fills_);
    account_book_fills(std::nullopt);
  }

  void depth() {
    const Side s = pick(0, 1) == 0 ? Side::kBuy : Side::kSell;
    const int t = pick(1, kTicks);
    const std::int64_t qty = pick(0, 3) == 0 ? 0 : size();
    if (side(s).best != t) {
      change(s, t, qty);
    }
    matcher_.depth(kBtc, {.side = s, .px = price(t), .qty = Qty{qty}}, fills_);
    account_book_fills(std::nullopt);
  }

  static std::int64_t keep(const ShadowSide& book, int t, std::int64_t otherwise) {
    const std::int64_t recorded = book.levels[static_cast<std::size_t>(t)].recorded;
    return recorded > 0 ? recorded : otherwise;
  }

  // Names some levels of both sides, as they are or with another size; the others are gone.
  void snapshot() {
    std::vector<RecordedLevel> named;
    for (const Side s : {Side::kBuy, Side::kSell}) {
      for (int t = 1; t <= kTicks; ++t) {
        const bool always = s == Side::kBuy && t == 1;
        std::int64_t qty = 0;
        if (always || pick(0, 2) > 0) {
          qty = pick(0, 1) == 0 ? size() : keep(side(s), t, size());
          named.push_back({.side = s,
                           .px = price(t),
                           .qty = Qty{qty},
                           .snapshot_begins = named.empty(),
                           .last_of_event = false});
        }
        if (t != side(s).best) {
          change(s, t, qty);
        }
      }
    }
    named.back().last_of_event = true;
    for (const RecordedLevel& level : named) {
      matcher_.depth(kBtc, level, fills_);
    }
    account_book_fills(std::nullopt);
  }

  void trade() {
    RecordedTrade trade;
    trade.taker = pick(0, 1) == 0 ? Side::kBuy : Side::kSell;
    const int best = side(opposite(*trade.taker)).best;
    const int t = std::clamp((best != 0 ? best : middle_) + pick(-1, 1), 1, kTicks);
    trade.px = price(t);
    trade.qty = Qty{size()};
    if (pick(0, 4) == 0) {
      trade.taker.reset();
    }
    trade.exempt = pick(0, 9) == 0;
    const Fills expected = trade.exempt || halted_ ? Fills{} : predict(trade, t);
    matcher_.trade(kBtc, trade, fills_);
    ASSERT_EQ(fills_.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(fills_[i].key, expected[i].key);
      EXPECT_EQ(fills_[i].qty, expected[i].qty);
      EXPECT_EQ(fills_[i].px, orders_.at(expected[i].key).order.limit);
      EXPECT_TRUE(fills_[i].maker);
      book(expected[i]);
    }
  }

  // Which orders the trade fills, side that was hit first, and how it moves all queues.
  Fills predict(const RecordedTrade& trade, int t) {
    Fills expected;
    std::int64_t left = trade.qty.raw;
    const Side hit = opposite(trade.taker.value_or(Side::kSell));
    for (const Side s : {hit, opposite(hit)}) {
      const bool counts = s == hit || !trade.taker;
      for (Live* live : resting(s)) {
        const int own = tick(live->order.limit);
        const bool through = better(s, own, t);
        if (left == 0 || (!through && (own != t || !counts || !live->known))) {
          continue;
        }
        const std::int64_t before_us = through ? 0 : std::min(live->ahead, left);
        live->ahead = through ? 0 : live->ahead - before_us;
        const std::int64_t ours = std::min(left - before_us, live->leaves);
        if (ours > 0) {
          expected.push_back({live->order.key, live->order.limit, Qty{ours}, true});
          left -= ours;
        }
      }
      ShadowLevel& level = side(s).levels[static_cast<std::size_t>(t)];
      level.traded += counts && level.recorded > 0 ? trade.qty.raw : 0;
    }
    return expected;
  }

  // Of one side, best price first, then as they came.
  std::vector<Live*> resting(Side s) {
    std::vector<Live*> found;
    for (auto& [key, live] : orders_) {
      if (live.order.side == s && live.resting) {
        found.push_back(&live);
      }
    }
    std::stable_sort(found.begin(), found.end(), [&](const Live* a, const Live* b) {
      return better(s, tick(a->order.limit), tick(b->order.limit));
    });
    return found;
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
    Live live{order, order.qty.raw, false};
    const ShadowSide& own = side(s);
    const int t = tick(order.limit);
    live.ahead = visible(s, own, t) ? own.levels[static_cast<std::size_t>(t)].recorded : 0;
    live.known =
        type == OrderType::kMarket || !quotes_only_ || own.best == 0 || !better(s, own.best, t);
    orders_[order.key] = live;
    const Qty leaves = matcher_.enter(kBtc, order, fills_);
    account_book_fills(order.key);
    const auto it = orders_.find(order.key);
    const std::int64_t left = it == orders_.end() ? 0 : it->second.leaves;
    if (tif == TimeInForce::kFok) {
      EXPECT_EQ(left, enough && !halted_ && !crossed() ? 0 : order.qty.raw) << "all or none";
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
    if (crossed()) {
      EXPECT_TRUE(fills_.empty()) << "a crossed book is no offer";
    }
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

  bool quotes_only_;
  int middle_{0};  // about where the market is, in ticks
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
  for (int i = 0; i < 12'000 && !HasFailure(); ++i) {
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
