// trade_fixes.hpp — corrections and cancels that follow a stock's trades, the same in every run.
//
// Pure. Every `every`th trade of a symbol is corrected kDelayNs of session time after it was sent,
// to a price one tick higher under an id of its own; every second of these is cancelled instead.
// Only the stream tells of it: bars, REST and the matching keep the trade as it was.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "common/base/time.hpp"
#include "tools/venue_sim/encode_market.hpp"
#include "tools/venue_sim/types.hpp"

namespace sluice::sim {

struct TradeFix {
  SymbolIndex symbol;
  bool cancel;
  MarketEncoder::Print original;
  std::int64_t due_ns;  // session time
  WallNanos stamp;      // the trade's
};

class TradeFixes {
 public:
  static constexpr std::int64_t kDelayNs = 250 * kNanosPerMilli;
  static constexpr std::size_t kPending = 4'096;  // a trade beyond it stays as it is

  // `every` == 0: none at all.
  TradeFixes(std::size_t symbols, std::uint32_t every) : every_(every), counts_(symbols, 0) {}

  void trade(SymbolIndex symbol, const MarketEncoder::Print& print, std::int64_t send_ns,
             WallNanos stamp) {
    if (every_ == 0 || ++counts_[symbol] % every_ != 0 || pending_.size() == kPending) {
      return;
    }
    const bool cancel = counts_[symbol] / every_ % 2 == 0;
    pending_.push_back({symbol, cancel, print, send_ns + kDelayNs, stamp});
  }
  // The next one that is due at this session time.
  [[nodiscard]] std::optional<TradeFix> take(std::int64_t session_ns) {
    if (pending_.empty() || pending_.front().due_ns > session_ns) {
      return std::nullopt;
    }
    const TradeFix fix = pending_.front();
    pending_.pop_front();
    return fix;
  }
  // Session time.
  [[nodiscard]] std::optional<std::int64_t> next_due() const noexcept {
    return pending_.empty() ? std::nullopt : std::optional(pending_.front().due_ns);
  }

 private:
  std::uint32_t every_;
  std::vector<std::uint64_t> counts_;  // trades per symbol
  std::deque<TradeFix> pending_;
};

}  // namespace sluice::sim
