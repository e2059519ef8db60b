#include "common/market/session_check.hpp"

namespace sluice::session_detail {
namespace {

constexpr const char* kConvertAgain = "; convert the session again with sluice-session-convert";

std::string stamp(std::int64_t ns) {
  return std::to_string(ns) + " ns";
}

void check_px(const Place& place, std::size_t i, const SessionSymbol& s, std::int64_t raw) {
  if (raw <= 0 || raw % s.price_increment.raw != 0) {
    place.in_record(i, "price " + to_string(Price{raw}) + " of " + s.symbol +
                           " is not a positive multiple of " + to_string(s.price_increment));
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

void check_shape(const Place& place, std::size_t i, const SessionRecord& r,
                 const SessionSymbol& s) {
  const bool sided = r.side == SessionSide::kBid || r.side == SessionSide::kAsk;
  const std::string side = "side " + std::to_string(static_cast<int>(r.side));
  switch (r.kind) {
    case SessionKind::kQuote:
      if (r.side != SessionSide::kNone) {
        place.in_record(i, side + " on a quote, which has none (0)");
      }
      check_px(place, i, s, r.a);
      check_qty(place, i, s, r.b, false);
      check_px(place, i, s, r.c);
      check_qty(place, i, s, r.d, false);
      return;
    case SessionKind::kTrade:
    case SessionKind::kDepth:
      if (!sided) {
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
                         ", allowed are 1 (quote), 2 (trade), 3 (depth)");
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
    if ((r.flags & ~(kSessionLastOfEvent | kSessionSnapshot)) != 0 || r.reserved[0] != 0 ||
        r.reserved[1] != 0 || r.reserved[2] != 0) {
      place.in_record(
          i, "unknown flags " + std::to_string(r.flags) + " or reserved bytes that are not zero");
    }
    if (r.kind != SessionKind::kDepth && r.flags != kSessionLastOfEvent) {
      place.in_record(i, "flags " + std::to_string(r.flags) +
                             " on a quote or trade, which is one event alone (1)");
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
