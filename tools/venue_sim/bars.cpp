#include "tools/venue_sim/bars.hpp"

#include <algorithm>

namespace sluice::sim {
namespace {

constexpr std::int64_t kHalfNs = 30 * kNanosPerSecond;
constexpr std::int64_t kMinuteNs = 60 * kNanosPerSecond;

}  // namespace

Price Bar::average() const noexcept {
  if (volume.raw <= 0) {
    return close;
  }
  const auto divisor = static_cast<BarNotional>(volume.raw);
  BarNotional quotient = notional / divisor;
  const BarNotional twice = notional % divisor * 2;
  if (twice > divisor || (twice == divisor && quotient % 2 == 1)) {
    ++quotient;
  }
  return Price{static_cast<std::int64_t>(quotient)};
}

void BarBuilder::add(Bar& bar, const BarTrade& trade) noexcept {
  if (bar.trades == 0) {
    bar.first_stamp = trade.stamp;
  }
  ++bar.trades;
  bar.volume.raw += trade.qty.raw;
  bar.notional += static_cast<BarNotional>(trade.px.raw) * static_cast<BarNotional>(trade.qty.raw);
  if (!trade.sets_price) {
    return;
  }
  bar.open = bar.priced ? bar.open : trade.px;
  bar.high = bar.priced ? std::max(bar.high, trade.px) : trade.px;
  bar.low = bar.priced ? std::min(bar.low, trade.px) : trade.px;
  bar.close = trade.px;
  bar.priced = true;
}

void BarBuilder::keep(std::vector<Bar>& closed, const Bar& bar) {
  if (closed.size() == kBarsKept) {
    closed.erase(closed.begin(), closed.begin() + kBarsKept / 2);
  }
  closed.push_back(bar);
}

void BarBuilder::trade(const BarTrade& trade) {
  Series& series = series_[trade.symbol];
  series.day.start_ns = day_start_ns_;
  add(series.day, trade);
  const std::int64_t minute = trade.session_ns - trade.session_ns % kMinuteNs;
  // The open minute is the one whose mark comes next; advance() came before this trade.
  const std::int64_t next = next_mark_.value_or(minute + kMinuteNs);
  const std::int64_t open_minute = (next - 1) - (next - 1) % kMinuteNs;
  if (minute >= open_minute) {
    series.open.start_ns = open_minute;
    add(series.open, trade);
  } else if (minute == open_minute - kMinuteNs) {
    if (series.closed.empty() || series.closed.back().start_ns != minute) {
      keep(series.closed, {.start_ns = minute});
    }
    add(series.closed.back(), trade);
    series.changed = true;
  }
}

void BarBuilder::advance(std::int64_t session_ns, BarSink& sink) {
  if (!next_mark_) {
    next_mark_ = session_ns - session_ns % kHalfNs + kHalfNs;
  }
  while (session_ns >= *next_mark_) {
    if (*next_mark_ % kMinuteNs == 0) {
      close_minutes(*next_mark_, sink);
    } else {
      tell_updates(sink);
    }
    *next_mark_ += kHalfNs;
  }
}

void BarBuilder::finish(BarSink& sink) {
  tell_updates(sink);
  if (next_mark_) {
    close_minutes(*next_mark_, sink);
  }
}

void BarBuilder::close_minutes(std::int64_t mark_ns, BarSink& sink) {
  for (std::size_t i = 0; i < series_.size(); ++i) {
    Series& series = series_[i];
    const auto symbol = static_cast<SymbolIndex>(i);
    if (series.open.trades != 0 && series.open.start_ns < mark_ns) {
      if (series.open.priced) {
        keep(series.closed, series.open);
        sink.on_bar(BarKind::kMinute, symbol, series.open);
      }
      series.open = {};
    }
    if (series.day.priced) {
      sink.on_bar(BarKind::kDay, symbol, series.day);
    }
  }
}

void BarBuilder::tell_updates(BarSink& sink) {
  for (std::size_t i = 0; i < series_.size(); ++i) {
    Series& series = series_[i];
    if (series.changed && series.closed.back().priced) {
      sink.on_bar(BarKind::kUpdated, static_cast<SymbolIndex>(i), series.closed.back());
    }
    series.changed = false;
  }
}

}  // namespace sluice::sim
