// matcher.hpp — matches our orders against recorded books and recorded trades.
//
// Pure: no clock, no I/O, no ledger; calls must come in the order of session time. What the
// recording cannot know (how the others would have answered us) is decided against us:
//  1. Taking: an order walks the visible recorded levels from the best on, each fill at its level's
//     price; what it took stays consumed until that level changes.
//  2. Resting: an order joins behind the whole recorded size at its price. A recorded trade at the
//     price first eats the queue ahead; a trade through the price fills the order at its own price.
//     All our fills of one trade add up to its size at most, by price and then time of arrival.
//  3. A recorded decrease beyond what was traded there is a cancel and shrinks the queue ahead in
//     proportion.
//  4. Recorded liquidity that moves to or through a resting order's price trades with it at the
//     order's price: nobody could have quoted there without meeting us.
//  5. What a market order finds no depth for waits, at its protective price or better; what an ioc
//     order finds none for is left to the caller to cancel.
//  6. Our own orders never trade with each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "tools/venue_sim/recorded_book.hpp"
#include "tools/venue_sim/types.hpp"

namespace sluice::sim {

struct MatchOrder {
  OrderKey key;
  Side side;
  OrderType type;
  TimeInForce tif;
  Price limit;  // market: the protective price; a market sell has 0
  Qty qty;
};

struct Fill {
  OrderKey key;
  Price px;
  Qty qty;
  bool maker;  // the order was resting when it was filled
};
using Fills = std::vector<Fill>;

struct RecordedQuote {
  Price bid_px;
  Qty bid_qty;
  Price ask_px;
  Qty ask_qty;
};

struct RecordedTrade {
  Price px;
  Qty qty;
  std::optional<Side> taker;  // nothing: the recording does not say
};

struct RecordedLevel {
  Side side;
  Price px;
  Qty qty;  // 0 removes
  bool snapshot_begins{false};
  bool last_of_event{true};  // matching waits for it: in between the book is half updated
};

class Matcher {
 public:
  explicit Matcher(std::size_t symbols) : markets_(symbols) {}

  // Each appends the fills it caused to `fills`, in the order in which they happened.
  void quote(SymbolIndex symbol, const RecordedQuote& quote, Fills& fills);
  void trade(SymbolIndex symbol, const RecordedTrade& trade, Fills& fills);
  void depth(SymbolIndex symbol, const RecordedLevel& level, Fills& fills);

  // Returns what stays working; 0 means filled, or ioc with the rest to be cancelled.
  Qty enter(SymbolIndex symbol, const MatchOrder& order, Fills& fills);

  // Takes the order out; false if it is not working here.
  bool remove(SymbolIndex symbol, OrderKey key) noexcept;

  [[nodiscard]] const RecordedBook& book(SymbolIndex symbol) const { return markets_[symbol].book; }
  // Recorded size still ahead of a resting order; nothing if it does not rest.
  [[nodiscard]] std::optional<Qty> queue_ahead(SymbolIndex symbol, OrderKey key) const noexcept;
  [[nodiscard]] std::size_t working(SymbolIndex symbol) const noexcept;

 private:
  struct Working {
    MatchOrder order;
    std::int64_t leaves;
    std::int64_t queue_ahead;
    bool resting;
  };
  using Queue = std::vector<Working>;  // best price first, then arrival
  struct Market {
    RecordedBook book{};
    Queue buys{};
    Queue sells{};
    Queue waiting{};  // market orders that found too little depth, by arrival
    [[nodiscard]] Queue& queue(Side s) noexcept { return s == Side::kBuy ? buys : sells; }
    [[nodiscard]] bool idle() const noexcept {
      return buys.empty() && sells.empty() && waiting.empty();
    }
  };

  static void take(RecordedBook& book, Working& working, Fills& fills);
  static void rest(Market& market, Working working);
  static void on_level_change(Queue& queue, const LevelChange& change) noexcept;
  static void hit_resting(const BookSide& side, Queue& queue, const RecordedTrade& trade,
                          bool at_price, std::int64_t& budget, Fills& fills);
  // After the book changed: everybody who can trade now does, waiting market orders first.
  static void match(Market& market, Fills& fills);

  std::vector<Market> markets_;
};

}  // namespace sluice::sim
