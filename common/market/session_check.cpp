#include "common/market/session_check.hpp"

namespace sluice::session_detail {
namespace {

constexpr const char* kConvertAgain = "; convert the session again with sluice-session-convert";

std::string stamp(std::int64_t ns) {
  return std::to_string(ns) + " ns";
}

// Prints between the ticks exist on equities, but none finer than this.
constexpr std::int64_t kEquityRecordedTick = kScale / 10'000;

bool is_equity(const SessionSymbol& s) noexcept {
  return s.asset_class == SessionAssetClass::kUsEquity;
}

void check_px(const Place& place, std::size_t i, const SessionSymbol& s, std::int64_t raw) {
  const std::int64_t step = is_equity(s) ? kEquityRecordedTick : s.price_increment.raw;
  if (raw <= 0 || raw % step != 0) {
    place.in_record(i, "price " + to_string(Price{raw}) + " of " + s.symbol +
                           " is not a positive multiple of " + to_string(Price{step}));
  }
}

// The lot binds orders, not what was recorded: a few recorded sizes are finer than it.
void check_qty(const Place& place, std::size_t i, const SessionSymbol& s, std::int64_t raw,
               bool zero_allowed) {
  if (raw < 0 || (raw == 0 && !zero_allowed)) {
    place.in_record(i, "quantity " + to_string(Qty{raw}) + " of " + s.symbol + " is not " +
                           (zero_allowed ? "zero or above" : "above zero"));
  }
}

// One side of a quote: on equities it may be absent.
void check_quote_side(const Place& place, std::size_t i, const SessionSymbol& s, std::int64_t px,
                      std::int64_t qty) {
  if (px == 0 && qty == 0 && is_equity(s)) {
    return;
  }
  check_px(place, i, s, px);
  check_qty(place, i, s, qty, false);
}

void check_status(const Place& place, std::size_t i, const SessionRecord& r,
                  const SessionSymbol& s) {
  const bool known = r.a >= static_cast<std::int64_t>(SessionStatus::kHalt) &&
                     r.a <= static_cast<std::int64_t>(SessionStatus::kResume);
  if (!is_equity(s) || !known || r.side != SessionSide::kNone || r.b != 0 || r.c != 0 || r.d != 0) {
    place.in_record(i, "status " + std::to_string(r.a) + " of " + s.symbol +
                           ": allowed are 1 to 4, without other values, on an equity");
  }
}

// What only equities carry.
void check_equity_fields(const Place& place, std::size_t i, const SessionRecord& r,
                         const SessionSymbol& s) {
  const bool letter = r.exchange >= 'A' && r.exchange <= 'Z';
  constexpr unsigned kKnown = kSessionOddLot | kSessionExtendedHours | kSessionIntermarketSweep |
                              kSessionOpening | kSessionClosing | kSessionTradeThroughExempt;
  const unsigned allowed = r.kind == SessionKind::kTrade && is_equity(s) ? kKnown : 0U;
  if ((r.exchange != 0 && !(letter && is_equity(s))) || (r.conditions & ~allowed) != 0) {
    place.in_record(i, "exchange byte " + std::to_string(static_cast<unsigned char>(r.exchange)) +
                           " and conditions " + std::to_string(r.conditions) +
                           ": a letter and known bits on an equity's trade, else zero");
  }
}

void check_shape(const Place& place, std::size_t i, const SessionRecord& r,
                 const SessionSymbol& s) {
  check_equity_fields(place, i, r, s);
  const bool sided = r.side == SessionSide::kBid || r.side == SessionSide::kAsk;
  const std::string side = "side " + std::to_string(static_cast<int>(r.side));
  switch (r.kind) {
    case SessionKind::kQuote:
      if (r.side != SessionSide::kNone) {
        place.in_record(i, side + " on a quote, which has none (0)");
      }
      check_quote_side(place, i, s, r.a, r.b);
      check_quote_side(place, i, s, r.c, r.d);
      return;
    case SessionKind::kStatus:
      check_status(place, i, r, s);
      return;
    case SessionKind::kTrade:
    case SessionKind::kDepth:
      if (!sided &&
          !(r.kind == SessionKind::kTrade && is_equity(s) && r.side == SessionSide::kNone)) {
        place.in_record(i, side + ", allowed are 1 (bid, buy) and 2 (ask, sell)");
      }
      if (r.c != 0 || r.d != 0) {
        place.in_record(i, "fields c and d must be zero for a trade or a depth level");
      }
      check_px(place, i, s, r.a);
      check_qty(place, i, s, r.b, r.kind == SessionKind::kDepth);
      return;
  }
  place.in_record(i, "kind " + std::to_string(static_cast<int>(r.kind)) +
                         ", allowed are 1 (quote), 2 (trade), 3 (depth), 4 (status)");
}

// Invariant 4: `previous` is the record before `r`.
void check_event(const Place& place, std::size_t i, const SessionRecord& previous,
                 const SessionRecord& r) {
  if (previous.last_of_event()) {
    return;
  }
  const bool same = previous.symbol == r.symbol && previous.kind == r.kind && previous.id == r.id &&
                    previous.send_ns == r.send_ns && previous.exchange_ns == r.exchange_ns &&
                    previous.snapshot() == r.snapshot();
  if (!same) {
    place.in_record(i, "starts a new event although the event before (id " +
                           std::to_string(previous.id) + ") has no last record");
  }
}

}  // namespace

void Place::at(std::size_t offset, const std::string& what) const {
  throw Error(code, path + ": offset " + std::to_string(offset) + ": " + what + kConvertAgain);
}

void Place::in_record(std::size_t record, const std::string& what) const {
  throw Error(code, path + ": record " + std::to_string(record) + " (offset " +
                        std::to_string(record * sizeof(SessionRecord)) +
                        " of the inflated body): " + what + kConvertAgain);
}

void check_symbol(const Place& place, const SessionSymbol& symbol, std::size_t offset) {
  if (symbol.symbol.empty()) {
    place.at(offset, "a symbol's name is empty");
  }
  if (symbol.symbol.size() > kSessionSymbolChars) {
    place.at(offset, "symbol \"" + symbol.symbol + "\" is longer than " +
                         std::to_string(kSessionSymbolChars) + " characters");
  }
  for (const char c : symbol.symbol) {
    if (c <= ' ' || c > '~') {
      place.at(offset, "a symbol's name holds the byte " +
                           std::to_string(static_cast<unsigned char>(c)) +
                           ", only printable ASCII is allowed");
    }
  }
  if (symbol.price_increment.raw <= 0 || symbol.qty_increment.raw <= 0 ||
      symbol.min_order_qty.raw <= 0) {
    place.at(offset, "symbol " + symbol.symbol + " has price increment " +
                         to_string(symbol.price_increment) + ", quantity increment " +
                         to_string(symbol.qty_increment) + ", minimum order " +
                         to_string(symbol.min_order_qty) + "; each must be positive");
  }
  const bool equity = is_equity(symbol);
  constexpr unsigned kKnownFlags =
      kSessionShortable | kSessionFractionable | kSessionEasyToBorrow | kSessionMarginable;
  const bool tape = symbol.tape >= 'A' && symbol.tape <= 'C';
  if ((!equity && symbol.asset_class != SessionAssetClass::kCrypto) || tape != equity ||
      (!tape && symbol.tape != 0) || (symbol.flags & ~(equity ? kKnownFlags : 0U)) != 0 ||
      symbol.previous_close.raw < 0) {
    place.at(offset, "symbol " + symbol.symbol + " has asset class " +
                         std::to_string(static_cast<int>(symbol.asset_class)) + ", tape byte " +
                         std::to_string(static_cast<unsigned char>(symbol.tape)) + ", flags " +
                         std::to_string(symbol.flags) + " and previous close " +
                         to_string(symbol.previous_close) +
                         "; an equity (2) has tape A, B or C, a pair (1) neither tape nor flags");
  }
  if (symbol.min_order_qty.raw % symbol.qty_increment.raw != 0) {
    place.at(offset, "symbol " + symbol.symbol + " has minimum order " +
                         to_string(symbol.min_order_qty) + ", no multiple of " +
                         to_string(symbol.qty_increment));
  }
}

void check_records(const Place& place, const Session& session) {
  const std::vector<SessionRecord>& records = session.records;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const SessionRecord& r = records[i];
    if (i > 0 && r.send_ns < records[i - 1].send_ns) {
      place.in_record(i, "send_ns " + stamp(r.send_ns) + " is before " +
                             stamp(records[i - 1].send_ns) + " of the record before it");
    }
    if (r.exchange_ns > r.send_ns || r.exchange_ns <= 0) {
      place.in_record(i, "exchange_ns " + stamp(r.exchange_ns) +
                             " is not positive or is later than send_ns " + stamp(r.send_ns));
    }
    if (r.symbol >= session.symbols.size()) {
      place.in_record(i, "symbol index " + std::to_string(r.symbol) + ", the table has " +
                             std::to_string(session.symbols.size()));
    }
    if ((r.flags & ~(kSessionLastOfEvent | kSessionSnapshot)) != 0 || r.reserved != 0) {
      place.in_record(
          i, "unknown flags " + std::to_string(r.flags) + " or reserved bytes that are not zero");
    }
    if (r.kind != SessionKind::kDepth && r.flags != kSessionLastOfEvent) {
      place.in_record(
          i, "flags " + std::to_string(r.flags) + " on a record that is one event alone (1)");
    }
    if (r.id == 0) {
      place.in_record(i, "id is zero");
    }
    check_shape(place, i, r, session.symbols[r.symbol]);
    if (i > 0) {
      check_event(place, i, records[i - 1], r);
    }
  }
  if (!records.empty() && !records.back().last_of_event()) {
    place.in_record(records.size() - 1, "the last event has no last record");
  }
}

}  // namespace sluice::session_detail
