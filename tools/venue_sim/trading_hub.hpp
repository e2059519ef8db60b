// trading_hub.hpp — the order event stream /stream: JSON in binary frames, as the paper venue
// sends.
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
#include "tools/venue_sim/venue.hpp"

namespace sluice::sim {

class TradingHub {
 public:
  static constexpr std::string_view kPath = "/stream";

  // All must outlive the hub.
  TradingHub(const Venue& venue, const Credentials& credentials) noexcept
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
    bool authorized{false};
    bool listening{false};
  };

  static void send(Client& client, std::string_view frame);
  static void send_authorization(Client& client, std::string_view status, std::string_view action);

  const Venue& venue_;
  const Credentials& credentials_;
  std::map<std::uint64_t, Client> clients_;
  std::string frame_;
  std::uint64_t events_sent_{0};
};

}  // namespace sluice::sim
