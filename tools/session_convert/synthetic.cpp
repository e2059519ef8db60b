#include "tools/session_convert/synthetic.hpp"

#include <algorithm>

#include "common/base/error.hpp"

namespace sluice::convert {
namespace {

constexpr std::int64_t kMicro = kNanosPerMicro;
constexpr std::int64_t kMilli = kNanosPerMilli;
constexpr std::int64_t kSecond = kNanosPerSecond;
constexpr std::int64_t kLatencyNs = 180 * kMicro;  // from exchange_ns to send_ns
constexpr std::int64_t kTick = kScale / 100;
constexpr std::int64_t kCryptoLot = kScale / 10'000;
constexpr std::int64_t kSpreadMax = 4;
constexpr std::int64_t kNever = INT64_MAX;

// SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(seed) {}
  std::uint64_t next() noexcept {
    std::uint64_t z = state_ += 0x9E37'79B9'7F4A'7C15ULL;
    z = (z ^ (z >> 30)) * 0xBF58'476D'1CE4'E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D0'49BB'1331'11EBULL;
    return z ^ (z >> 31);
  }
  // 0 … n - 1. The bias of the remainder is below 2^-40 here and does not matter.
  std::int64_t below(std::int64_t n) noexcept {
    return static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(n));
  }
  std::int64_t between(std::int64_t low, std::int64_t high) noexcept {
    return low + below(high - low + 1);
  }
  bool permille(std::int64_t p) noexcept { return below(1'000) < p; }

 private:
  std::uint64_t state_;
};

// One symbol's market. Prices are in ticks, quantities in units: a share, or a crypto lot. No
// expression draws twice from the generator: the order of operands is the compiler's choice.
class Walk {
 public:
  Walk(const SyntheticOptions& options, std::uint16_t symbol, std::vector<SessionRecord>& records)
      : options_(options),
        equity_(options.asset_class == SessionAssetClass::kUsEquity),
        symbol_(symbol),
        records_(records),
        random_(Random(options.seed ^ (std::uint64_t{symbol} << 32)).next()),
        mean_gap_ns_(kSecond / options.rate),
        end_ns_(options.start.ns + options.seconds * kSecond),
        now_ns_(options.start.ns),
        start_ticks_(random_.between(2'000, 30'000)) {}

  SessionSymbol run();

 private:
  enum class Phase { kTrading, kOddQuote, kHalted, kQuotesOnly };

  void plan();
  void finish();
  void step();
  void change_phase();
  void begin_odd_quote();
  void keep_trend();
  void jump();
  void move(std::int64_t direction);
  void resize();
  void trade();
  void sweep(bool buy);
  void print_inside(bool buy);
  void auction_print(std::uint8_t condition);

  // The touch that a buyer (the ask) or a seller (the bid) meets.
  std::int64_t& px(bool buy) noexcept { return buy ? ask_ : bid_; }
  std::int64_t& qty(bool buy) noexcept { return buy ? ask_qty_ : bid_qty_; }
  void take(bool buy, std::int64_t units);
  std::int64_t fresh_qty() noexcept {
    return equity_ ? 100 * random_.between(1, 20) : 100 * random_.between(1, 200);
  }
  char exchange() noexcept { return equity_ ? "NQPZK"[random_.below(5)] : '\0'; }
  void follow() noexcept;  // the next record comes right behind the last one
  SessionRecord blank(SessionKind kind) const noexcept;
  void emit_quote();
  void emit_quote(std::int64_t bid, std::int64_t bid_qty, std::int64_t ask, std::int64_t ask_qty);
  // `half_ticks` so that a print may lie in the middle of an odd spread.
  void emit_trade(bool buy, std::int64_t half_ticks, std::int64_t units, unsigned conditions,
                  char venue);
  void emit_status(SessionStatus status);

  const SyntheticOptions& options_;
  const bool equity_;
  const std::uint16_t symbol_;
  std::vector<SessionRecord>& records_;
  Random random_;
  const std::int64_t mean_gap_ns_;
  const std::int64_t end_ns_;
  std::int64_t now_ns_;  // of the exchange
  const std::int64_t start_ticks_;
  std::int64_t bid_{0};
  std::int64_t ask_{0};
  std::int64_t bid_qty_{0};
  std::int64_t ask_qty_{0};
  std::int64_t trend_{0};
  std::int64_t trend_until_ns_{0};
  std::int64_t next_jump_ns_{kNever};
  std::int64_t next_odd_quote_ns_{kNever};
  std::int64_t halt_ns_{kNever};
  std::int64_t halt_length_ns_{0};
  Phase phase_{Phase::kTrading};
  std::int64_t phase_until_ns_{0};
  std::uint64_t trade_id_{0};
  std::uint64_t update_id_{0};
};

void Walk::plan() {
  const std::int64_t length = options_.seconds * kSecond;
  next_jump_ns_ = now_ns_ + random_.between(20, 60) * kSecond;
  if (!equity_) {
    return;
  }
  next_odd_quote_ns_ = now_ns_ + random_.between(5'000, 15'000) * kMilli;
  // Over at 60 % + 12.5 % of the session at the latest, so it ends in trading.
  if (symbol_ % 3 == 1 && options_.seconds >= 8) {
    halt_ns_ = now_ns_ + length * random_.between(30, 60) / 100;
    halt_length_ns_ = std::min(10 * kSecond, length / 8);
  }
}

SessionSymbol Walk::run() {
  plan();
  const std::int64_t spread = random_.between(1, 2);
  bid_ = start_ticks_;
  ask_ = bid_ + spread;
  bid_qty_ = fresh_qty();
  ask_qty_ = fresh_qty();
  emit_quote();
  if (equity_ && options_.opening_print) {
    auction_print(kSessionOpening);
  }
  std::int64_t gaps = 1;
  for (;;) {
    now_ns_ += gaps * random_.between(1, 2 * mean_gap_ns_ - 1);
    if (now_ns_ >= end_ns_) {
      break;
    }
    const std::size_t before = records_.size();
    step();
    // What a step wrote beyond one record, the next gap makes good.
    gaps = std::max<std::int64_t>(1, static_cast<std::int64_t>(records_.size() - before));
  }
  finish();
  const std::int64_t close = start_ticks_ * random_.between(980, 1'020) / 1'000;
  return {.symbol = synthetic_symbol(symbol_, options_.asset_class),
          .price_increment = Price{kTick},
          .qty_increment = Qty{equity_ ? kScale : kCryptoLot},
          .min_order_qty = Qty{equity_ ? kScale : 10 * kCryptoLot},
          .previous_close = Price{equity_ ? close * kTick : 0},
          .asset_class = options_.asset_class,
          .tape = equity_ ? "ABC"[symbol_ % 3] : '\0',
          // One in six cannot be sold short.
          .flags = static_cast<std::uint8_t>(
              !equity_ ? 0
                       : kSessionFractionable | kSessionMarginable |
                             (symbol_ % 6 == 5 ? 0 : kSessionShortable | kSessionEasyToBorrow))};
}

void Walk::finish() {
  now_ns_ = end_ns_;
  if (phase_ == Phase::kHalted || phase_ == Phase::kQuotesOnly) {
    emit_status(SessionStatus::kResume);
  }
  if (equity_ && options_.closing_print) {
    auction_print(kSessionClosing);
  }
  follow();
  emit_quote();
}

void Walk::step() {
  change_phase();
  if (phase_ == Phase::kHalted || phase_ == Phase::kOddQuote) {
    return;
  }
  keep_trend();
  const std::int64_t dice = random_.below(1'000);
  if (now_ns_ >= next_jump_ns_) {
    jump();
  } else if (dice < 300 && phase_ == Phase::kTrading) {
    trade();
  } else if (dice < 500) {
    move(random_.permille(500 + 250 * trend_) ? 1 : -1);
  } else {
    resize();
  }
}

void Walk::change_phase() {
  if (now_ns_ >= halt_ns_) {
    halt_ns_ = kNever;
    phase_ = Phase::kHalted;
    phase_until_ns_ = now_ns_ + halt_length_ns_ * 6 / 10;
    emit_status(symbol_ % 2 == 0 ? SessionStatus::kHalt : SessionStatus::kVolatilityPause);
    follow();
    emit_quote(0, 0, 0, 0);
  }
  if (phase_ != Phase::kTrading && now_ns_ >= phase_until_ns_) {
    switch (phase_) {
      case Phase::kHalted:
        phase_ = Phase::kQuotesOnly;
        phase_until_ns_ = now_ns_ + halt_length_ns_ * 4 / 10;
        emit_status(SessionStatus::kQuoteResume);
        follow();
        jump();
        return;
      case Phase::kQuotesOnly:
        emit_status(SessionStatus::kResume);
        follow();
        break;
      case Phase::kOddQuote:
        emit_quote();
        follow();
        break;
      case Phase::kTrading:
        break;
    }
    phase_ = Phase::kTrading;
  }
  if (phase_ == Phase::kTrading && now_ns_ >= next_odd_quote_ns_) {
    begin_odd_quote();
  }
}

void Walk::begin_odd_quote() {
  next_odd_quote_ns_ = now_ns_ + random_.between(5'000, 15'000) * kMilli;
  phase_ = Phase::kOddQuote;
  phase_until_ns_ = now_ns_ + random_.between(20, 150) * kMilli;
  switch (random_.below(4)) {
    case 0:
      return emit_quote(bid_, bid_qty_, 0, 0);
    case 1:
      return emit_quote(0, 0, ask_, ask_qty_);
    case 2:
      return emit_quote(ask_, bid_qty_, ask_, ask_qty_);  // locked
    default:
      return emit_quote(ask_ + 1, bid_qty_, ask_, ask_qty_);  // crossed
  }
}

void Walk::keep_trend() {
  if (now_ns_ >= trend_until_ns_) {
    trend_ = random_.between(-1, 1);
    trend_until_ns_ = now_ns_ + random_.between(1'000, 4'000) * kMilli;
  }
  if (bid_ < start_ticks_ / 2) {
    trend_ = 1;
  } else if (bid_ > 2 * start_ticks_) {
    trend_ = -1;
  }
}

void Walk::jump() {
  next_jump_ns_ = now_ns_ + random_.between(20, 60) * kSecond;
  const std::int64_t up = bid_ > start_ticks_ ? 400 : 600;
  const std::int64_t direction = random_.permille(up) ? 1 : -1;
  const std::int64_t ticks = direction * random_.between(10, 40);
  bid_ += ticks;
  ask_ += ticks;
  bid_qty_ = fresh_qty();
  ask_qty_ = fresh_qty();
  emit_quote();
}

// The mid by half a tick where the spread allows it, else by a whole one.
void Walk::move(std::int64_t direction) {
  const bool up = direction > 0;
  const bool narrower = ask_ - bid_ > 1 && random_.permille(600);
  const bool wider = !narrower && ask_ - bid_ < kSpreadMax && random_.permille(500);
  const bool ask_moves = !narrower && !wider ? true : up == wider;
  const bool bid_moves = !narrower && !wider ? true : !ask_moves;
  if (ask_moves) {
    ask_ += direction;
    ask_qty_ = fresh_qty();
  }
  if (bid_moves) {
    bid_ += direction;
    bid_qty_ = fresh_qty();
  }
  emit_quote();
}

void Walk::resize() {
  qty(random_.permille(500)) = fresh_qty();
  emit_quote();
}

void Walk::trade() {
  const bool buy = random_.permille(500 + 150 * trend_);
  const std::int64_t dice = random_.below(1'000);
  if (equity_ && dice < 100) {
    print_inside(buy);
    return;
  }
  if (dice >= 100 && dice < 180) {
    sweep(buy);
    return;
  }
  const std::int64_t shown = qty(buy);
  std::int64_t units = std::min(shown, 100 * random_.between(1, 10));
  unsigned conditions = 0;
  if (equity_ && dice < 300) {
    units = std::min<std::int64_t>(shown, random_.between(1, 99));
    conditions = kSessionOddLot;
  }
  emit_trade(buy, 2 * px(buy), units, conditions, exchange());
  follow();
  take(buy, units);
  emit_quote();
}

// What is shown at the touch, and then a part of the next tick.
void Walk::sweep(bool buy) {
  const unsigned marked = equity_ ? kSessionIntermarketSweep : 0U;
  emit_trade(buy, 2 * px(buy), qty(buy), marked, exchange());
  follow();
  take(buy, qty(buy));
  const std::int64_t units = std::min(qty(buy), 100 * random_.between(1, 5));
  emit_trade(buy, 2 * px(buy), units, marked, exchange());
  follow();
  take(buy, units);
  emit_quote();
}

void Walk::print_inside(bool buy) {
  const std::int64_t units = random_.between(1, 5) * 100;
  const unsigned conditions = random_.permille(300) ? kSessionTradeThroughExempt : 0U;
  emit_trade(buy, bid_ + ask_, units, conditions, 'D');
}

void Walk::auction_print(std::uint8_t condition) {
  follow();
  emit_trade(true, 2 * (condition == kSessionOpening ? ask_ : bid_), 100 * random_.between(50, 500),
             condition, "NPQ"[symbol_ % 3]);
  follow();
}

// An emptied level is gone: the touch is a tick further and shows a new size.
void Walk::take(bool buy, std::int64_t units) {
  qty(buy) -= units;
  if (qty(buy) > 0) {
    return;
  }
  px(buy) += buy ? 1 : -1;
  qty(buy) = fresh_qty();
  // The other side follows when the spread would grow without end.
  if (ask_ - bid_ > kSpreadMax) {
    px(!buy) += buy ? 1 : -1;
    qty(!buy) = fresh_qty();
  }
}

void Walk::follow() noexcept {
  now_ns_ += random_.between(20, 120) * kMicro;
}

SessionRecord Walk::blank(SessionKind kind) const noexcept {
  SessionRecord record{};
  record.send_ns = now_ns_ + kLatencyNs;
  record.exchange_ns = now_ns_;
  record.symbol = symbol_;
  record.kind = kind;
  record.flags = kSessionLastOfEvent;
  return record;
}

void Walk::emit_quote() {
  emit_quote(bid_, bid_qty_, ask_, ask_qty_);
}

void Walk::emit_quote(std::int64_t bid, std::int64_t bid_qty, std::int64_t ask,
                      std::int64_t ask_qty) {
  const std::int64_t unit = equity_ ? kScale : kCryptoLot;
  SessionRecord record = blank(SessionKind::kQuote);
  record.exchange = exchange();
  record.a = bid * kTick;
  record.b = bid_qty * unit;
  record.c = ask * kTick;
  record.d = ask_qty * unit;
  record.id = ++update_id_;
  records_.push_back(record);
}

void Walk::emit_trade(bool buy, std::int64_t half_ticks, std::int64_t units, unsigned conditions,
                      char venue) {
  SessionRecord record = blank(SessionKind::kTrade);
  record.side = equity_ ? SessionSide::kNone : (buy ? SessionSide::kBid : SessionSide::kAsk);
  record.exchange = venue;
  record.conditions = static_cast<std::uint8_t>(conditions);
  record.a = half_ticks * kTick / 2;
  record.b = units * (equity_ ? kScale : kCryptoLot);
  record.id = ++trade_id_;
  records_.push_back(record);
}

void Walk::emit_status(SessionStatus status) {
  SessionRecord record = blank(SessionKind::kStatus);
  record.a = static_cast<std::int64_t>(status);
  record.id = ++update_id_;
  records_.push_back(record);
}

void check_range(const char* option, std::int64_t value, std::int64_t most) {
  if (value < 1 || value > most) {
    throw Error(ExitCode::kUsage, std::string(option) + " " + std::to_string(value) +
                                      ": allowed are 1 to " + std::to_string(most));
  }
}

void check(const SyntheticOptions& options) {
  check_range("--symbols", static_cast<std::int64_t>(options.symbols), kSessionSymbolsMax);
  check_range("--seconds", options.seconds, 86'400);
  check_range("--rate", options.rate, 20'000);
  if (options.start.ns <= 0) {
    throw Error(ExitCode::kUsage, "--start: must be after 1970-01-01");
  }
  const std::uint64_t planned = options.symbols * static_cast<std::uint64_t>(options.seconds) *
                                static_cast<std::uint64_t>(options.rate);
  // A tenth stays free: the rate is an average.
  if (planned > kSessionRecordsMax / 10 * 9) {
    throw Error(ExitCode::kUsage,
                "--symbols, --seconds and --rate make " + std::to_string(planned) +
                    " records, a session holds " + std::to_string(kSessionRecordsMax / 10 * 9) +
                    "; lower one, and play it several times with sluice-venue --repeat");
  }
}

}  // namespace

std::string synthetic_symbol(std::size_t index, SessionAssetClass asset_class) {
  std::string letters;
  for (std::size_t n = index + 1; n > 0; n = (n - 1) / 26) {
    letters.insert(letters.begin(), static_cast<char>('A' + (n - 1) % 26));
  }
  return "SYN" + letters + (asset_class == SessionAssetClass::kUsEquity ? "" : "/USD");
}

Session make_synthetic(const SyntheticOptions& options) {
  check(options);
  const bool equity = options.asset_class == SessionAssetClass::kUsEquity;
  Session session;
  session.attribution =
      "Synthetic, made by sluice-session-convert: --symbols " + std::to_string(options.symbols) +
      " --seconds " + std::to_string(options.seconds) + " --rate " + std::to_string(options.rate) +
      " --seed " + std::to_string(options.seed) + " --class " + (equity ? "equity" : "crypto") +
      " --start " + to_string(options.start) + (options.opening_print ? " --opening-print" : "") +
      (options.closing_print ? " --closing-print" : "") + ". No market had these prices.";
  session.records.reserve(options.symbols * static_cast<std::size_t>(options.seconds) *
                          static_cast<std::size_t>(options.rate));
  for (std::size_t i = 0; i < options.symbols; ++i) {
    session.symbols.push_back(Walk(options, static_cast<std::uint16_t>(i), session.records).run());
  }
  // Stable: the records of one symbol keep their order, symbols go in theirs.
  std::stable_sort(
      session.records.begin(), session.records.end(),
      [](const SessionRecord& x, const SessionRecord& y) { return x.send_ns < y.send_ns; });
  return session;
}

}  // namespace sluice::convert
