// rest_api.hpp — the REST API as a pure function: request and venue time in, answer out.
//
// No sockets, no clock. Authentication, rate limit and faults are the server's business.
// rest_orders.cpp has what changes orders and positions, rest_api.cpp what reads.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/venue_sim/api_error.hpp"
#include "tools/venue_sim/encode_trading.hpp"
#include "tools/venue_sim/player.hpp"
#include "tools/venue_sim/rest_query.hpp"
#include "tools/venue_sim/session_time.hpp"
#include "tools/venue_sim/timeline.hpp"
#include "tools/venue_sim/venue.hpp"

namespace sluice::sim {

struct ApiRequest {
  std::string_view method;
  std::string_view path;   // not percent-decoded
  std::string_view query;  // not percent-decoded
  std::string_view body;
};

struct ApiAnswer {
  int status{200};
  std::string body{};
  bool accepted_order{false};  // a new order lives because of this request
};

class RestApi {
 public:
  // All must outlive the API.
  RestApi(Venue& venue, const AccountIdentity& identity, const Timeline& timeline,
          const Player& player, NewYork& new_york) noexcept
      : venue_(venue), identity_(identity), time_(timeline, player), new_york_(new_york) {}

  [[nodiscard]] ApiAnswer handle(const ApiRequest& request, WallNanos now);

  // Called before an answer that changed the account's configuration is given.
  void on_configuration(std::function<void(bool suspended)> keep) { keep_ = std::move(keep); }

 private:
  using Answer = std::optional<ApiAnswer>;  // nothing: not this group's path or method

  // --- rest_orders.cpp
  [[nodiscard]] Answer handle_orders(const ApiRequest& request, const RestQuery& query,
                                     WallNanos now);
  [[nodiscard]] ApiAnswer post_order(const ApiRequest& request, WallNanos now);
  [[nodiscard]] ApiAnswer replace_order(std::string_view id, std::string_view body, WallNanos now);
  [[nodiscard]] ApiAnswer list_orders(const RestQuery& query) const;
  [[nodiscard]] std::optional<ApiError> read_filters(const RestQuery& query,
                                                     OrderQuery& wanted) const;
  [[nodiscard]] ApiAnswer one_order(std::string_view id, bool nested) const;
  [[nodiscard]] ApiAnswer by_client_order_id(const RestQuery& query) const;
  [[nodiscard]] ApiAnswer delete_order(std::string_view id, WallNanos now);
  [[nodiscard]] ApiAnswer delete_all_orders(WallNanos now);
  [[nodiscard]] ApiAnswer close_position(std::string_view symbol_or_id, const RestQuery& query,
                                         WallNanos now);
  [[nodiscard]] ApiAnswer close_all_positions(bool cancel_orders, WallNanos now);
  [[nodiscard]] ApiAnswer close(SymbolIndex symbol, Qty qty, WallNanos now);
  [[nodiscard]] ApiAnswer order_answer(OrderKey key, bool with_legs) const;
  [[nodiscard]] std::optional<OrderKey> find_order(std::string_view id,
                                                   std::optional<ApiError>& refusal) const;

  // --- rest_api.cpp
  [[nodiscard]] Answer handle_account(const ApiRequest& request, const RestQuery& query,
                                      WallNanos now);
  [[nodiscard]] ApiAnswer positions() const;
  [[nodiscard]] ApiAnswer one_position(std::string_view symbol_or_id) const;
  [[nodiscard]] ApiAnswer assets(const RestQuery& query) const;
  [[nodiscard]] ApiAnswer one_asset(std::string_view symbol_or_id) const;
  [[nodiscard]] ApiAnswer activities(std::string_view type, const RestQuery& query);
  [[nodiscard]] ApiAnswer clock(WallNanos now);
  [[nodiscard]] ApiAnswer calendar(const RestQuery& query, WallNanos now);
  [[nodiscard]] ApiAnswer configure(std::string_view body);
  [[nodiscard]] ApiAnswer history(WallNanos now) const;
  [[nodiscard]] std::optional<SymbolIndex> find_asset(std::string_view symbol_or_id) const;

  Venue& venue_;
  const AccountIdentity& identity_;
  PlayedTime time_;
  NewYork& new_york_;
  std::function<void(bool)> keep_;
};

// The answer that carries a refusal.
[[nodiscard]] ApiAnswer refuse(ApiError error);
// The part of `path` behind "base/", decoded; nothing if path is not below base.
[[nodiscard]] std::optional<std::string> below(std::string_view path, std::string_view base);

}  // namespace sluice::sim
