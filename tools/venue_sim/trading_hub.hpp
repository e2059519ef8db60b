// trading_hub.hpp — the order event stream /stream: JSON in binary frames, as the paper venue
// sends, or msgpack for who asked for it on the upgrade.
//
// Runs on the server's thread; touches sockets only through WsServerSession. Invariants:
//  1. Nothing is sent on connect: the client speaks first.
//  2. Order events go only to sessions that are authorized and listen to "trade_updates", in the
//     order in which they happened. There is no replay.
//  3. A session whose queue is full is cut: a stream with a hole would be worse than none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "common/net/http_server.hpp"
#include "tools/venue_sim/credentials.hpp"
#include "tools/venue_sim/new_york.hpp"
#include "tools/venue_sim/venue.hpp"

namespace sluice::sim {

class TradingHub {
 public:
  static constexpr std::string_view kPath = "/stream";

  // All must outlive the hub.
  TradingHub(const Venue& venue, const Credentials& credentials)
      : venue_(venue), credentials_(credentials) {}

  void opened(net::WsServerSession& session);
  void message(net::WsServerSession& session, std::string_view payload);
  void closed(net::WsServerSession& session);

  void on_order_event(const OrderEvent& event);

  [[nodiscard]] std::size_t sessions() const noexcept { return clients_.size(); }
  [[nodiscard]] std::uint64_t events_sent() const noexcept { return events_sent_; }

 private:
  struct Client {
    net::WsServerSession* session;
    bool msgpack{false};
    bool authorized{false};
    bool listening{false};
  };

  void send(Client& client, std::string_view frame) const;
  void send_authorization(Client& client, std::string_view status, std::string_view action) const;

  const Venue& venue_;
  const Credentials& credentials_;
  NewYork new_york_{};
  std::map<std::uint64_t, Client> clients_;
  std::string frame_;
  std::uint64_t events_sent_{0};
};

}  // namespace sluice::sim
