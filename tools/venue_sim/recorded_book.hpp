// recorded_book.hpp — one symbol's book as it was recorded, and what our orders took out of it.
//
// Pure: no clock, no I/O, one owner. A recording cannot answer our orders, so the book keeps, per
// level, how much of the recorded size we consumed. Invariants:
//  1. 0 <= consumed <= recorded on every level. Consumed size stays consumed until the recorded
//     size of the level changes.
//  2. Quotes (bookTicker) are the truth about the best level: they set it and remove every depth
//     level they contradict. A depth level better than the best quote is kept out of sight until a
//     quote confirms or removes it.
//  3. A book that is recorded by quotes alone (equities) shows the best level and no other. What a
//     better quote hides is kept out of sight: shown again with the same size, it is the same
//     level.
//  4. `traded` of a level is what was traded there since its recorded size last changed: a decrease
//     is a cancel only beyond it.
//  5. A snapshot changes what it says otherwise than the book; what it does not name is gone when
//     it has ended.
#pragma once

#include <cstdint>
#include <iterator>
#include <map>
#include <optional>

#include "common/base/fixed.hpp"
#include "tools/venue_sim/types.hpp"

namespace sluice::sim {

// What a level went through when its recorded size changed.
struct LevelChange {
  Price px;
  std::int64_t old_qty;  // recorded size before, 1e-9
  std::int64_t traded;   // traded there since old_qty was recorded
  std::int64_t new_qty;  // 0 = the level is gone
};

class BookSide {
 public:
  // kBuy holds bids (best = highest), kSell asks (best = lowest).
  explicit BookSide(Side side) noexcept : sign_(side == Side::kBuy ? -1 : 1) {}

  void quotes_only() noexcept { quotes_only_ = true; }

  // The best level is (px, qty) now; px 0 or qty 0 = nobody there. Levels better than px and, with
  // nobody there, all levels are removed. `changed` is called with each LevelChange.
  template <class F>
  void quote(Price px, Qty qty, F&& changed) {
    has_quote_ = true;
    const bool empty = px.raw <= 0 || qty.raw <= 0;
    const std::int64_t before = best_rank_;
    best_rank_ = empty ? kNoRank : rank(px);
    shown_again_ = quotes_only_ && best_rank_ > before;
    while (!levels_.empty() && (empty || levels_.begin()->first < best_rank_)) {
      erase(levels_.begin(), changed);
    }
    if (!empty) {
      set(best_rank_, qty.raw, changed);
    }
  }

  // The recorded size at px is qty now, 0 removes it. Says nothing about the best quoted price.
  template <class F>
  void depth(Price px, Qty qty, F&& changed) {
    const std::int64_t r = rank(px);
    shown_again_ = false;
    if (has_quote_ && r == best_rank_) {
      return;  // the quote stream is faster and rules its own level
    }
    if (qty.raw > 0) {
      set(r, qty.raw, changed);
    } else if (const auto it = levels_.find(r); it != levels_.end()) {
      erase(it, changed);
    }
  }

  // A full snapshot follows by depth(): what it does not name until end_snapshot() is gone then,
  // but for the best quoted level.
  void begin_snapshot() noexcept {
    for (auto& [r, level] : levels_) {
      level.in_doubt = !has_quote_ || r != best_rank_;
    }
  }
  template <class F>
  void end_snapshot(F&& changed) {
    for (auto it = levels_.begin(); it != levels_.end();) {
      const auto next = std::next(it);
      if (it->second.in_doubt) {
        erase(it, changed);
      }
      it = next;
    }
  }

  void note_trade(Price px, Qty qty) noexcept;

  // Visible levels from the best on, until `visit(px, Level&)` returns false.
  struct Level {
    std::int64_t recorded{0};
    std::int64_t consumed{0};
    std::int64_t traded{0};
    bool in_doubt{false};  // a snapshot is under way and has not named it
    [[nodiscard]] std::int64_t available() const noexcept { return recorded - consumed; }
  };
  template <class F>
  void walk(F&& visit) {
    for (auto it = visible_begin(); it != levels_.end(); ++it) {
      if (!visit(price(it->first), it->second) || quotes_only_) {
        return;
      }
    }
  }
  template <class F>
  void walk(F&& visit) const {
    for (auto it = visible_begin(); it != levels_.end(); ++it) {
      if (!visit(price(it->first), it->second) || quotes_only_) {
        return;
      }
    }
  }

  struct Best {
    Price px;
    Qty qty;  // as recorded, our consumption not taken off
  };
  [[nodiscard]] std::optional<Best> best() const noexcept;
  // Recorded size at px, 0 if there is none in sight.
  [[nodiscard]] Qty recorded_at(Price px) const noexcept;
  // The size at px is recorded, even if it is none: px is not behind the best level of a book that
  // is recorded by quotes alone.
  [[nodiscard]] bool knows(Price px) const noexcept { return quotes_only_ ? shows(px) : known(); }
  // A quote says all about px: it is the best price, or nobody is there.
  [[nodiscard]] bool shows(Price px) const noexcept { return has_quote_ && rank(px) <= best_rank_; }
  // Something was recorded on this side: its emptiness, if it is empty, is a fact.
  [[nodiscard]] bool known() const noexcept { return has_quote_ || !levels_.empty(); }

  // Smaller is better, on both sides.
  [[nodiscard]] std::int64_t rank(Price px) const noexcept { return sign_ * px.raw; }

 private:
  static constexpr std::int64_t kNoRank = INT64_MAX;
  using Levels = std::map<std::int64_t, Level>;

  [[nodiscard]] Price price(std::int64_t r) const noexcept { return Price{sign_ * r}; }
  [[nodiscard]] Levels::iterator visible_begin() {
    return has_quote_ ? levels_.lower_bound(best_rank_) : levels_.begin();
  }
  [[nodiscard]] Levels::const_iterator visible_begin() const {
    return has_quote_ ? levels_.lower_bound(best_rank_) : levels_.begin();
  }

  [[nodiscard]] bool hides(std::int64_t r) const noexcept {
    return has_quote_ && (quotes_only_ ? r != best_rank_ : r < best_rank_);
  }

  template <class F>
  void set(std::int64_t r, std::int64_t qty, F& changed) {
    Level& level = levels_[r];
    level.in_doubt = false;
    if (level.recorded == qty) {
      return;  // a repeat is not a change: what we consumed stays consumed
    }
    // What became of a level while it was hidden is not known: nothing of it counts as cancelled.
    const LevelChange change{price(r), shown_again_ ? 0 : level.recorded, level.traded, qty};
    level = Level{qty, 0, 0};
    changed(change);
  }

  template <class F>
  void erase(Levels::iterator it, F& changed) {
    const LevelChange change{price(it->first), it->second.recorded, it->second.traded, 0};
    levels_.erase(it);
    changed(change);
  }

  std::int64_t sign_;
  bool quotes_only_{false};
  bool shown_again_{false};  // the level being set was behind the best quote before
  bool has_quote_{false};
  std::int64_t best_rank_{kNoRank};
  Levels levels_{};
};

struct RecordedBook {
  BookSide bids{Side::kBuy};
  BookSide asks{Side::kSell};

  [[nodiscard]] BookSide& side(Side s) noexcept { return s == Side::kBuy ? bids : asks; }
  [[nodiscard]] const BookSide& side(Side s) const noexcept {
    return s == Side::kBuy ? bids : asks;
  }
  // Somebody bids more than somebody asks: no market, a recording between two updates.
  [[nodiscard]] bool crossed() const noexcept {
    const auto bid = bids.best();
    const auto ask = asks.best();
    return bid && ask && bid->px > ask->px;
  }
  // Both sides were recorded at least once: there is a book to show.
  [[nodiscard]] bool ready() const noexcept { return bids.known() && asks.known(); }
};

}  // namespace sluice::sim
