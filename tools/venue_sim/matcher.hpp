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
//     order finds none for is left to the caller to cancel. A fok order takes all of its quantity
//     at once from what is in sight, or nothing.
//  6. Our own orders never trade with each other.
//  7. While a symbol is halted nothing is filled; orders come, rest and go. What the book offers
//  when
//     the halt ends is taken by them as by resting orders (rule 4).
//  8. A crossed book (bid above ask) is no offer to anybody: nothing is taken from it until it
//     uncrosses. Trades still fill. A locked book is a market.
//  9. A side without a quote has nobody: nothing is taken from it, and orders rest on it.
// 10. A print that was free to ignore the quotes (trade-through exempt) fills nobody.
// 11. In a book known by quotes alone the queue at a price behind the best is unknown: an order
// that
//     joins there stands behind all that is shown when the price becomes the best, and until then
//     only a trade through its price fills it. An order that was there before a better quote hid
//     its level keeps its place.
// 12. A replacement keeps its place in the queue only if nothing but its quantity went down.
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
  // It rested before (a restart): it goes on as a resting order, behind all that is shown there.
  bool rested{false};
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
  bool opening{false};        // the opening auction, the closing auction
  bool closing{false};
  bool exempt{false};  // it need not have respected the quotes
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

  // Before any record: the symbol is recorded by quotes and trades, without depth, and in whole
  // shares: what is cancelled ahead of an order is a whole number of them, and so are its fills.
  void quotes_only(SymbolIndex symbol) noexcept;

  // Each appends the fills it caused to `fills`, in the order in which they happened.
  void quote(SymbolIndex symbol, const RecordedQuote& quote, Fills& fills);
  void trade(SymbolIndex symbol, const RecordedTrade& trade, Fills& fills);
  void depth(SymbolIndex symbol, const RecordedLevel& level, Fills& fills);

  // Trading in the symbol stops, or goes on: then everybody who can trade does.
  void halt(SymbolIndex symbol, bool halted, Fills& fills);

  // Returns what stays working; 0 means filled, or ioc or fok with the rest to be cancelled.
  Qty enter(SymbolIndex symbol, const MatchOrder& order, Fills& fills);

  // Takes the order out; false if it is not working here.
  bool remove(SymbolIndex symbol, OrderKey key) noexcept;

  // `successor` takes the place of `key` with `qty` left, which must not be more than was left.
  // False, and nothing happened, if `key` does not rest here.
  bool succeed(SymbolIndex symbol, OrderKey key, OrderKey successor, Qty qty) noexcept;

  // How much an order may take at once for `budget` without paying more than `worst`; what is left
  // of the budget at the end of the book is spent at `worst`. A budget buys a whole number of lots.
  [[nodiscard]] Qty affordable(SymbolIndex symbol, Side side, Cash budget, Price worst,
                               Qty lot) const;

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
    bool queue_known{true};
  };
  using Queue = std::vector<Working>;  // best price first, then arrival
  struct Market {
    RecordedBook book{};
    Queue buys{};
    Queue sells{};
    Queue waiting{};  // market orders that found too little depth, by arrival
    bool halted{false};
    std::int64_t grain{1};  // queues shrink in multiples of this
    // Nothing may be taken from the book now.
    [[nodiscard]] bool closed() const noexcept { return halted || book.crossed(); }
    [[nodiscard]] Queue& queue(Side s) noexcept { return s == Side::kBuy ? buys : sells; }
    [[nodiscard]] bool idle() const noexcept {
      return buys.empty() && sells.empty() && waiting.empty();
    }
  };

  static void take(Market& market, Working& working, Fills& fills);
  [[nodiscard]] static bool in_sight(Market& market, const MatchOrder& order);
  static void rest(Market& market, Working working);
  static void on_level_change(const Market& market, Queue& queue,
                              const LevelChange& change) noexcept;
  // Orders whose queue was unknown learn it when a quote shows their price.
  static void reveal(const BookSide& side, Queue& queue) noexcept;
  static void hit_resting(const BookSide& side, Queue& queue, const RecordedTrade& trade,
                          bool at_price, std::int64_t& budget, Fills& fills);
  // After the book changed: everybody who can trade now does, waiting market orders first.
  static void match(Market& market, Fills& fills);

  std::vector<Market> markets_;
};

}  // namespace sluice::sim
