// Small builders shared by the simulator's tests: decimals as text, two symbols, a venue that keeps
// what it told.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "tools/venue_sim/venue.hpp"

namespace sluice::sim::test {

inline std::int64_t dec(std::string_view text) {
  std::int64_t raw = 0;
  if (parse_decimal(text, raw) != DecimalStatus::kOk) {
    throw std::invalid_argument("not a decimal: " + std::string(text));
  }
  return raw;
}
inline Price px(std::string_view text) {
  return Price{dec(text)};
}
inline Qty qty(std::string_view text) {
  return Qty{dec(text)};
}
inline Cash cash(std::string_view text) {
  return Cash{dec(text)};
}

inline constexpr SymbolIndex kBtc = 0;
inline constexpr SymbolIndex kEth = 1;

inline std::vector<Symbol> two_symbols() {
  return {make_symbol("BTC/USD", px("0.01"), qty("0.00001"), qty("0.0001")),
          make_symbol("ETH/USD", px("0.01"), qty("0.0001"), qty("0.001"))};
}

inline RecordedQuote book(std::string_view bid_px, std::string_view bid_qty,
                          std::string_view ask_px, std::string_view ask_qty) {
  return {px(bid_px), qty(bid_qty), px(ask_px), qty(ask_qty)};
}

inline RecordedTrade print(std::string_view at, std::string_view size, std::optional<Side> taker) {
  return {px(at), qty(size), taker};
}

inline WallNanos at_ms(std::int64_t ms) {
  return WallNanos{ms * kNanosPerMilli};
}

struct Told {
  std::string event;
  std::string client_order_id;
  OrderStatus status;
  WallNanos at;
  Qty filled;
  std::optional<Execution> execution;
};

// A venue with both latencies of 4 ms, unless said otherwise, and its story.
struct TestVenue {
  explicit TestVenue(VenueOptions options = default_options(),
                     std::vector<Symbol> symbols = two_symbols())
      : venue(std::move(symbols), options, IdSource(7)) {
    venue.set_listener([this](const OrderEvent& event) {
      if (event.quiet) {
        return;
      }
      told.push_back({std::string(event.event), event.order.asked.client_order_id,
                      event.order.status, event.at, event.order.filled,
                      event.execution != nullptr ? std::optional(*event.execution) : std::nullopt});
    });
  }

  static VenueOptions default_options() {
    VenueOptions options;
    options.order_latency_ns = 4 * kNanosPerMilli;
    options.cancel_latency_ns = 4 * kNanosPerMilli;
    return options;
  }

  std::variant<OrderKey, ApiError> submit(std::int64_t ms, NewOrder order) {
    return venue.submit(at_ms(ms), std::move(order));
  }
  // The order must be accepted.
  OrderKey accept(std::int64_t ms, NewOrder order) {
    return std::get<OrderKey>(submit(ms, std::move(order)));
  }
  // The order must be refused.
  ApiError refuse(std::int64_t ms, NewOrder order) {
    return std::get<ApiError>(submit(ms, std::move(order)));
  }

  [[nodiscard]] std::vector<std::string> events() const {
    std::vector<std::string> words;
    words.reserve(told.size());
    for (const Told& t : told) {
      words.push_back(t.event);
    }
    return words;
  }

  std::vector<Told> told;
  Venue venue;
};

inline NewOrder limit_order(std::string_view id, Side side, std::string_view size,
                            std::string_view at, TimeInForce tif = TimeInForce::kGtc) {
  return {.client_order_id = std::string(id),
          .symbol = kBtc,
          .side = side,
          .type = OrderType::kLimit,
          .tif = tif,
          .qty = qty(size),
          .limit = px(at)};
}

inline NewOrder market_order(std::string_view id, Side side, std::string_view size,
                             TimeInForce tif = TimeInForce::kGtc) {
  return {.client_order_id = std::string(id),
          .symbol = kBtc,
          .side = side,
          .type = OrderType::kMarket,
          .tif = tif,
          .qty = qty(size),
          .limit = {}};
}

}  // namespace sluice::sim::test
