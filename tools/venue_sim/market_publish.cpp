// market_publish.cpp — the data of the market hub: records become messages, messages batches.
#include <algorithm>
#include <array>

#include "tools/venue_sim/market_hub.hpp"
#include "tools/venue_sim/msgpack.hpp"

namespace sluice::sim {
namespace {

constexpr std::int64_t kTestEveryNs = kNanosPerSecond;
constexpr std::int64_t kCent = kScale / 100;
constexpr Price kTestPrice{130 * kScale};

}  // namespace

class MarketHub::BarRelay final : public BarSink {
 public:
  BarRelay(MarketHub& hub, Audience audience) noexcept : hub_(hub), audience_(audience) {}
  void on_bar(BarKind kind, SymbolIndex symbol, const Bar& bar) override {
    hub_.tell_bar(kind, symbol, bar, audience_);
  }

 private:
  MarketHub& hub_;
  Audience audience_;
};

WallNanos MarketHub::start_of(const Bar& bar) const noexcept {
  return timeline_.paced() ? timeline_.venue_time(bar.start_ns) : bar.first_stamp;
}

void MarketHub::on_record(const SessionRecord& record, WallNanos stamp) {
  const bool was_history = in_history_;
  in_history_ = record.send_ns < timeline_.first_send_ns();
  if (was_history && !in_history_) {
    end_history(stamp);
  }
  advance_bars(record.send_ns);
  tell_fixes(record.send_ns, stamp);
  switch (record.kind) {
    case SessionKind::kQuote:
      on_quote(record, stamp);
      break;
    case SessionKind::kTrade:
      on_trade(record, stamp);
      break;
    case SessionKind::kDepth:
      on_depth(record, stamp);
      break;
    case SessionKind::kStatus:
      if (wanted(Channel::kStatuses, record.symbol)) {
        message_.clear();
        if (encoder_.status(message_, record.symbol, record.status(), stamp)) {
          publish(Channel::kStatuses, record.symbol);
        }
      }
      break;
  }
}

void MarketHub::on_quote(const SessionRecord& record, WallNanos stamp) {
  const SessionQuote q = record.quote();
  LastQuote& last = last_quotes_[record.symbol];
  last = {{q.bid_px, q.bid_qty, q.ask_px, q.ask_qty}, record.exchange, true};
  if (wanted(Channel::kQuotes, record.symbol)) {
    message_.clear();
    encoder_.quote(message_, record.symbol, last.quote, stamp, last.exchange);
    publish(Channel::kQuotes, record.symbol, audience_of(record.exchange));
  }
}

void MarketHub::on_trade(const SessionRecord& record, WallNanos stamp) {
  const SessionLevel level = record.level();
  const BarTrade for_bars{.symbol = record.symbol,
                          .px = level.px,
                          .qty = level.qty,
                          .sets_price = (record.conditions & kSessionOddLot) == 0,
                          .session_ns = record.exchange_ns,
                          .stamp = stamp};
  bars_.trade(for_bars);
  if (options_.iex_recorded && record.exchange == 'V') {
    iex_bars_.trade(for_bars);
  }
  MarketEncoder::Print print{
      {level.px, level.qty, std::nullopt}, record.id, record.exchange, record.conditions};
  if (record.side != SessionSide::kNone) {
    print.trade.taker = record.side == SessionSide::kBid ? Side::kBuy : Side::kSell;
  }
  if (!in_history_ && symbols_[record.symbol].is_equity()) {
    fixes_.trade(record.symbol, print, record.send_ns, stamp);
  }
  if (wanted(Channel::kTrades, record.symbol)) {
    message_.clear();
    encoder_.trade(message_, record.symbol, print, stamp);
    publish(Channel::kTrades, record.symbol, audience_of(record.exchange));
  }
}

// Their stamp is their own moment, or `stamp` where the socket sets the pace, or their trade's.
void MarketHub::tell_fixes(std::int64_t session_ns, std::optional<WallNanos> stamp) {
  while (const auto fix = fixes_.take(session_ns)) {
    if (!wanted(Channel::kTrades, fix->symbol)) {
      continue;
    }
    const WallNanos at =
        timeline_.paced() ? timeline_.venue_time(fix->due_ns) : stamp.value_or(fix->stamp);
    message_.clear();
    if (fix->cancel) {
      encoder_.cancel(message_, fix->symbol, fix->original, at);
    } else {
      encoder_.correction(message_, fix->symbol, fix->original, at);
    }
    publish(Channel::kTrades, fix->symbol, audience_of(fix->original.exchange));
  }
}

// Who subscribed before the start has not heard how the books came about.
void MarketHub::end_history(WallNanos stamp) {
  const std::vector<ChannelBits> none(symbols_.size(), 0);
  for (auto& [id, client] : clients_) {
    send_books(*client, none, stamp);
  }
}

void MarketHub::on_depth(const SessionRecord& record, WallNanos stamp) {
  const SessionLevel level = record.level();
  auto& side = record.side == SessionSide::kBid ? update_.bids : update_.asks;
  side.push_back({level.px, level.qty});
  update_.reset = update_.reset || record.snapshot();
  if (!record.last_of_event()) {
    return;
  }
  if (wanted(Channel::kOrderbooks, record.symbol)) {
    message_.clear();
    encoder_.book(message_, record.symbol, update_, stamp);
    publish(Channel::kOrderbooks, record.symbol);
  }
  update_.bids.clear();
  update_.asks.clear();
  update_.reset = false;
}

void MarketHub::advance_bars(std::int64_t session_ns) {
  BarRelay all(*this, options_.iex_recorded ? Audience::kNotIex : Audience::kAll);
  bars_.advance(session_ns, all);
  if (options_.iex_recorded) {
    BarRelay iex(*this, Audience::kIex);
    iex_bars_.advance(session_ns, iex);
  }
}

std::optional<Bar> MarketHub::previous_day(SymbolIndex symbol) const {
  const Price close = symbols_[symbol].previous_close;
  if (close.raw == 0) {
    return std::nullopt;
  }
  return Bar{.start_ns = options_.previous_day_ns,
             .open = close,
             .high = close,
             .low = close,
             .close = close,
             .priced = true};
}

void MarketHub::tell_bar(BarKind kind, SymbolIndex symbol, const Bar& bar, Audience audience) {
  constexpr std::array kChannelOf{Channel::kBars, Channel::kUpdatedBars, Channel::kDailyBars};
  const Channel channel = kChannelOf[static_cast<std::size_t>(kind)];
  if (wanted(channel, symbol)) {
    message_.clear();
    encoder_.bar(message_, symbol, kind, bar, start_of(bar));
    publish(channel, symbol, audience);
  }
}

void MarketHub::finish() {
  if (!finished_) {
    finished_ = true;
    if (!timeline_.paced()) {
      tell_fixes(INT64_MAX, std::nullopt);
    }
    BarRelay all(*this, options_.iex_recorded ? Audience::kNotIex : Audience::kAll);
    bars_.finish(all);
    if (options_.iex_recorded) {
      BarRelay iex(*this, Audience::kIex);
      iex_bars_.finish(iex);
    }
  }
}

void MarketHub::repeat_quotes(WallNanos stamp) {
  for (std::size_t i = 0; i < last_quotes_.size(); ++i) {
    const LastQuote& last = last_quotes_[i];
    const auto symbol = static_cast<SymbolIndex>(i);
    if (last.seen && wanted(Channel::kQuotes, symbol)) {
      message_.clear();
      encoder_.quote(message_, symbol, last.quote, stamp, last.exchange);
      publish(Channel::kQuotes, symbol, audience_of(last.exchange));
    }
  }
  flush();
}

// One quote and one trade a second, at prices that go up and down ten cents, and their minute bars.
// Nothing is made up while nobody listens.
void MarketHub::play_test_stock(WallNanos now) {
  if (wanted_[test_symbol_] == 0 || now < next_test_) {
    return;
  }
  next_test_ = WallNanos{now.ns - now.ns % kTestEveryNs + kTestEveryNs};
  struct Relay final : BarSink {
    explicit Relay(MarketHub& owner) noexcept : hub(owner) {}
    void on_bar(BarKind kind, SymbolIndex, const Bar& bar) override {
      if (kind == BarKind::kMinute && hub.wanted(Channel::kBars, hub.test_symbol_)) {
        hub.message_.clear();
        hub.encoder_.bar(hub.message_, hub.test_symbol_, kind, bar, WallNanos{bar.start_ns});
        hub.publish(Channel::kBars, hub.test_symbol_);
      }
    }
    MarketHub& hub;
  } relay(*this);
  test_bars_.advance(now.ns, relay);
  const auto step = static_cast<std::int64_t>(test_count_ % 20);
  const Price px{kTestPrice.raw + (step < 10 ? step : 20 - step) * kCent};
  const Qty size{static_cast<std::int64_t>(1 + test_count_ % 7) * 100 * kScale};
  ++test_count_;
  test_bars_.trade({0, px, size, true, now.ns, now});
  message_.clear();
  encoder_.quote(message_, test_symbol_, {px, size, Price{px.raw + kCent}, size}, now, 'V');
  publish(Channel::kQuotes, test_symbol_);
  message_.clear();
  encoder_.trade(message_, test_symbol_, {{px, size, std::nullopt}, test_count_, 'V'}, now);
  publish(Channel::kTrades, test_symbol_);
}

std::optional<WallNanos> MarketHub::next_due() const {
  std::optional<WallNanos> due;
  if (wanted_[test_symbol_] != 0) {
    due = next_test_;
  }
  if (!timeline_.started() || !timeline_.paced()) {
    return due;
  }
  for (const auto& mark : {finished_ ? std::nullopt : bars_.next_mark(), fixes_.next_due()}) {
    if (mark) {
      const WallNanos at = timeline_.venue_time(*mark);
      due = due ? std::min(*due, at) : at;
    }
  }
  return due;
}

// Who subscribes to a book that is known already gets it whole first.
void MarketHub::send_books(Client& client, const std::vector<ChannelBits>& before, WallNanos now) {
  for (std::size_t i = 0; i < venue_.symbols().size(); ++i) {
    const auto symbol = static_cast<SymbolIndex>(i);
    const auto added = static_cast<ChannelBits>(client.wants[i] & ~before[i]);
    if ((added & bit(Channel::kOrderbooks)) == 0 || !venue_.matcher().book(symbol).ready()) {
      continue;
    }
    const RecordedBook& book = venue_.matcher().book(symbol);
    MarketEncoder::BookUpdate whole;
    whole.reset = true;
    book.bids.walk([&](Price px, const BookSide::Level& level) {
      whole.bids.push_back({px, Qty{level.recorded}});
      return true;
    });
    book.asks.walk([&](Price px, const BookSide::Level& level) {
      whole.asks.push_back({px, Qty{level.recorded}});
      return true;
    });
    message_.clear();
    packed_.clear();
    encoder_.book(message_, symbol, whole, now);
    add(client);
  }
  flush(client);
}

void MarketHub::publish(Channel channel, SymbolIndex symbol, Audience audience) {
  if (in_history_) {
    return;
  }
  packed_.clear();
  for (auto& [id, client] : clients_) {
    const bool concerned =
        audience == Audience::kAll || (audience == Audience::kIex) == (client->feed == Feed::kIex);
    if (concerned && (client->wants[symbol] & bit(channel)) != 0 && !client->ending) {
      add(*client);
    }
  }
}

void MarketHub::add(Client& client) {
  if (client.msgpack) {
    if (packed_.empty()) {
      append_msgpack(packed_, message_, MsgpackTimes::kMarketData);
    }
    if (client.batched == 0) {
      client.batch.resize(kMsgpackArrayHeadBytes);  // written by flush(), when the count is known
    }
    client.batch.append(packed_);
  } else {
    client.batch.push_back(client.batched == 0 ? '[' : ',');
    client.batch.append(message_);
  }
  ++client.batched;
  ++counters_.messages;
  if (client.batched == kMaxBatch) {
    flush(client);
  }
}

void MarketHub::flush() {
  for (auto& [id, client] : clients_) {
    flush(*client);
  }
}

void MarketHub::flush(Client& client) {
  if (client.batched == 0) {
    return;
  }
  if (client.msgpack) {
    write_msgpack_array_head(client.batch.data(), client.batched);
  } else {
    client.batch.push_back(']');
  }
  const bool sent = !client.ending && client.session->send(client.batch, client.msgpack);
  client.batch.clear();
  client.batched = 0;
  if (keeps_up(client, sent)) {
    ++counters_.frames;
  }
}

bool MarketHub::congested() const {
  return std::any_of(clients_.begin(), clients_.end(), [this](const auto& entry) {
    const Client& client = *entry.second;
    return !client.ending && client.session->queued_bytes() > options_.pace_bytes;
  });
}

}  // namespace sluice::sim
