// rest_api.hpp — the REST API as a pure function: request and venue time in, answer out.
//
// No sockets, no clock. Authentication, rate limit and faults are the server's business.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/venue_sim/api_error.hpp"
#include "tools/venue_sim/encode_trading.hpp"
#include "tools/venue_sim/player.hpp"
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
      : venue_(venue),
        identity_(identity),
        timeline_(timeline),
        player_(player),
        new_york_(new_york) {}

  [[nodiscard]] ApiAnswer handle(const ApiRequest& request, WallNanos now);

 private:
  class Query;  // decoded key=value pairs
  [[nodiscard]] ApiAnswer post_order(const ApiRequest& request, WallNanos now);
  [[nodiscard]] ApiAnswer list_orders(const Query& query) const;
  [[nodiscard]] ApiAnswer one_order(std::string_view id) const;
  [[nodiscard]] ApiAnswer by_client_order_id(const Query& query) const;
  [[nodiscard]] ApiAnswer delete_order(std::string_view id, WallNanos now);
  [[nodiscard]] ApiAnswer delete_all_orders(WallNanos now);
  [[nodiscard]] ApiAnswer positions() const;
  [[nodiscard]] ApiAnswer one_position(std::string_view symbol_or_id) const;
  [[nodiscard]] ApiAnswer assets(const Query& query) const;
  [[nodiscard]] ApiAnswer one_asset(std::string_view symbol_or_id) const;
  [[nodiscard]] ApiAnswer activities(std::string_view type, const Query& query);
  [[nodiscard]] ApiAnswer clock(WallNanos now);

  [[nodiscard]] ApiAnswer order_answer(OrderKey key) const;
  [[nodiscard]] std::optional<OrderKey> find_order(std::string_view id,
                                                   std::optional<ApiError>& refusal) const;
  [[nodiscard]] std::optional<SymbolIndex> find_asset(std::string_view symbol_or_id) const;

  Venue& venue_;
  const AccountIdentity& identity_;
  const Timeline& timeline_;
  const Player& player_;
  NewYork& new_york_;
};

// "BTC%2FUSD" to "BTC/USD", in queries '+' to a blank; a broken escape stays as it is.
[[nodiscard]] std::string percent_decode(std::string_view text, bool plus_is_blank);

}  // namespace sluice::sim
