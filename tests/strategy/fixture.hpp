// A table with one instrument, an output that keeps what was decided, and records to feed a host.
#pragma once

#include <vector>

#include "common/strategy/host.hpp"

namespace sluice::test {

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kOne = kScale;

inline InstrumentTable one_instrument(AssetClass asset_class = AssetClass::kCrypto) {
  InstrumentSpec spec;
  spec.symbol = "BTC/USD";
  spec.asset_class = asset_class;
  spec.tick = Price{kOne / 100};
  spec.lot = Qty{kOne / 100'000};
  spec.min_qty = Qty{kOne / 10'000};
  spec.min_notional = Cash{10 * kOne};
  return InstrumentTable(std::vector<InstrumentSpec>{spec});
}

class Recorder final : public StrategyOutput {
 public:
  [[nodiscard]] bool intent(Intent& intent) noexcept override {
    if (intents.size() >= credit)
      return false;
    intents.push_back(intent);
    return true;
  }
  [[nodiscard]] bool cancel(Cancel& cancel) noexcept override {
    if (cancels.size() >= credit)
      return false;
    cancels.push_back(cancel);
    return true;
  }
  std::size_t credit{1000};
  std::vector<Intent> intents;
  std::vector<Cancel> cancels;
};

inline MarketEvent quote_at(MonoNanos when, std::int64_t bid_cents, std::int64_t ask_cents) {
  MarketEvent event;
  event.source = 3;
  event.receive_ns = when;
  event.set_body(MarketKind::kQuote, Quote{.bid_px = Price{bid_cents * (kOne / 100)},
                                           .bid_qty = Qty{kOne},
                                           .ask_px = Price{ask_cents * (kOne / 100)},
                                           .ask_qty = Qty{kOne}});
  return event;
}

inline MarketEvent status_at(MonoNanos when, TradingStatus what, int flags = 0) {
  MarketEvent event;
  event.source = 3;
  event.flags = static_cast<std::uint8_t>(flags);
  event.receive_ns = when;
  event.set_body(MarketKind::kStatus,
                 StatusMark{.status = what, .code = 0, .reason = 0, .reserved = 0});
  return event;
}

// The first record of a feed-handler that began anew.
inline MarketEvent feed_session_at(MonoNanos when) {
  MarketEvent event;
  event.source = 3;
  event.instrument = kNoInstrument;
  event.receive_ns = when;
  event.set_body(MarketKind::kSession, SessionMark{.incarnation = 2, .reserved = {}});
  return event;
}

inline Execution execution_of(const Intent& intent, ExecutionKind kind, OrderState state, Qty qty,
                              Qty cum, std::int64_t fee = 0) {
  Execution e;
  e.n = 1;
  e.kind = kind;
  e.state = state;
  e.intent = intent.id;
  e.instrument = intent.instrument;
  e.side = intent.side;
  e.qty = qty;
  e.cum_qty = cum;
  e.approved = intent.requested;
  e.fee = fee;  // asset 0 is the base of the only instrument
  return e;
}

}  // namespace sluice::test
