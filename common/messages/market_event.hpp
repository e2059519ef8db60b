// MarketEvent: one quote, trade, depth level, status, gap or session mark, as the feed-handler
// publishes it. 56 bytes of payload, so that with its stamp it fills exactly one cache line.
//
// Invariants:
//  1. `receive_ns` is strictly increasing per feed (events of one frame get +1 ns each), so
//     (source, receive_ns) identifies the event everywhere.
//  2. An absent side of a quote is {0, 0}; the core treats a one-sided quote as no price.
#pragma once

#include <array>
#include <bit>

#include "common/messages/ids.hpp"

namespace sluice {

enum class MarketKind : std::uint8_t {
  kNone = 0,
  kQuote = 1,
  kTrade = 2,
  kDepth = 3,
  kStatus = 4,
  kGap = 5,      // events were lost here; the next record of each row is flagged after_gap
  kSession = 6,  // first record of a producer's incarnation: every row counts as after a gap
};

enum MarketFlag : std::uint8_t {
  kAfterGap = 1,
  kLastOfEvent = 2,
  kSnapshot = 4,
  kIncomplete = 8,
};

struct Quote {
  Price bid_px;
  Qty bid_qty;
  Price ask_px;
  Qty ask_qty;

  [[nodiscard]] constexpr bool two_sided() const noexcept {
    return bid_px.raw > 0 && ask_px.raw > 0 && bid_qty.raw > 0 && ask_qty.raw > 0;
  }
  [[nodiscard]] constexpr bool crossed() const noexcept { return bid_px >= ask_px; }
};

struct Trade {
  Price px;
  Qty qty;
  std::uint64_t trade_id;
  std::uint64_t conditions;  // low byte: taker side (Side); the rest is the venue's bit set
};

struct Depth {
  Price px;
  Qty qty;  // 0 removes the level
  std::uint64_t side;
  std::uint64_t level;  // index within its venue message
};

// What a status message says about trading in an instrument.
enum class TradingStatus : std::uint64_t {
  kUnknown = 0,      // a code we do not know: no new risk until one that we know resumes trading
  kTrading = 1,      // trading goes on
  kHalted = 2,       // a halt, a pause, or quotes without trading
  kInformation = 3,  // says nothing about trading: imbalances, indications, bands
};

struct StatusMark {
  TradingStatus status;
  std::uint64_t code;    // the venue's, up to 8 characters, the first lowest; for people
  std::uint64_t reason;  // the same
  std::uint64_t reserved;
};

struct Gap {
  std::uint64_t lost;
  MonoNanos next;  // receive_ns of the next record published
  std::uint64_t reserved[2];
};

struct SessionMark {
  std::uint64_t incarnation;
  std::uint64_t reserved[3];
};

struct MarketEvent {
  MarketKind kind{MarketKind::kNone};
  std::uint8_t flags{0};
  std::uint16_t source{0};
  std::uint32_t instrument{0};
  WallNanos exchange_ns{};
  MonoNanos receive_ns{};
  std::array<std::uint64_t, 4> body{};

  // Body views; the caller has checked `kind`.
  [[nodiscard]] Quote quote() const noexcept { return std::bit_cast<Quote>(body); }
  [[nodiscard]] Trade trade() const noexcept { return std::bit_cast<Trade>(body); }
  [[nodiscard]] Depth depth() const noexcept { return std::bit_cast<Depth>(body); }
  [[nodiscard]] StatusMark status() const noexcept { return std::bit_cast<StatusMark>(body); }
  [[nodiscard]] Gap gap() const noexcept { return std::bit_cast<Gap>(body); }
  [[nodiscard]] SessionMark session() const noexcept { return std::bit_cast<SessionMark>(body); }

  template <class Body>
  void set_body(MarketKind k, const Body& value) noexcept {
    static_assert(sizeof(Body) == sizeof(body), "a market body is exactly 32 bytes");
    kind = k;
    body = std::bit_cast<std::array<std::uint64_t, 4>>(value);
  }
};
SLUICE_SCHEMA(MarketEvent, kind, flags, source, instrument, exchange_ns, receive_ns, body);
static_assert(sizeof(MarketEvent) == 56, "one cache line with its stamp; contracts.md fixes it");

}  // namespace sluice
