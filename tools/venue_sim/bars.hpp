// bars.hpp — bars out of the played trades: minute bars, their late corrections, the running day.
//
// Pure: told trades and session time, integers only. Invariants:
//  1. A minute's bar leaves at the first mark after it, if a trade that sets prices fell into it.
//  2. A trade that comes after its minute's mark, but within the next minute, changes that bar; it
//     leaves again as updated bar at the next half-minute mark. What is later counts for the day.
//  3. At least the last kBarsKept / 2 bars of a symbol are kept, at most kBarsKept.
//  4. An odd lot counts in volume, trades and average, and sets no price.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "common/base/fixed.hpp"
#include "common/base/time.hpp"
#include "tools/venue_sim/types.hpp"

namespace sluice::sim {

__extension__ using BarNotional = unsigned __int128;

struct Bar {
  std::int64_t start_ns{0};  // session time
  WallNanos first_stamp{};   // what the first trade carried
  Price open{};
  Price high{};
  Price low{};
  Price close{};
  Qty volume{};
  std::uint64_t trades{0};
  BarNotional notional{0};  // sum of price × quantity, 1e-18
  bool priced{false};       // open to close are set

  // Volume-weighted average price, rounded half to even.
  [[nodiscard]] Price average() const noexcept;
};

struct BarTrade {
  SymbolIndex symbol;
  Price px;
  Qty qty;
  bool sets_price;
  std::int64_t session_ns;
  WallNanos stamp;
};

inline constexpr std::size_t kBarsKept = 1'920;  // half of it is a day from 04:00 to 20:00

enum class BarKind : std::uint8_t { kMinute, kUpdated, kDay };

class BarSink {
 public:
  virtual ~BarSink() = default;
  virtual void on_bar(BarKind kind, SymbolIndex symbol, const Bar& bar) = 0;
};

class BarBuilder {
 public:
  // `day_start_ns` (session time) begins the day's bar.
  BarBuilder(std::size_t symbols, std::int64_t day_start_ns)
      : series_(symbols), day_start_ns_(day_start_ns) {}

  void trade(const BarTrade& trade);
  // Session time has come this far: tells what left with the marks on the way. Never goes back.
  void advance(std::int64_t session_ns, BarSink& sink);
  // The recording is over: what is still open leaves now.
  void finish(BarSink& sink);

  // Session time of the next mark; nothing before the first advance().
  [[nodiscard]] std::optional<std::int64_t> next_mark() const noexcept { return next_mark_; }
  // Bars that left, oldest first.
  [[nodiscard]] const std::vector<Bar>& minutes(SymbolIndex symbol) const {
    return series_[symbol].closed;
  }
  // The day so far; not priced() when nothing was traded.
  [[nodiscard]] const Bar& day(SymbolIndex symbol) const { return series_[symbol].day; }

 private:
  struct Series {
    Bar open{};  // trades == 0: none
    Bar day{};
    std::vector<Bar> closed;
    bool changed{false};  // the last closed bar, by a late trade
  };
  static void add(Bar& bar, const BarTrade& trade) noexcept;
  static void keep(std::vector<Bar>& closed, const Bar& bar);
  void close_minutes(std::int64_t mark_ns, BarSink& sink);
  void tell_updates(BarSink& sink);

  std::vector<Series> series_;
  std::int64_t day_start_ns_;
  std::optional<std::int64_t> next_mark_;
};

}  // namespace sluice::sim
