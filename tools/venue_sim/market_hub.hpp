// market_hub.hpp — the market data stream /v1beta3/crypto/us: who is connected, who hears what.
//
// Runs on the server's thread; touches sockets only through WsServerSession. Invariants:
//  1. Control messages go alone in an array of one; data arrays hold 1 to kMaxBatch messages.
//  2. Nothing but errors is sent before authentication; a session has one key pair and may
//     authenticate once.
//  3. A session that does not read is told 407 and closed; it never slows the others, unless the
//     socket sets the pace.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "common/net/http_server.hpp"
#include "tools/venue_sim/credentials.hpp"
#include "tools/venue_sim/encode_market.hpp"
#include "tools/venue_sim/player.hpp"

namespace sluice::sim {

struct MarketHubOptions {
  std::size_t max_authenticated{1};             // the venue's limit per user and endpoint: 406
  std::size_t max_symbols{1'000};               // entries over all channels of a session: 405
  std::int64_t auth_window_ns{10'000'000'000};  // 404 after it
  std::size_t slow_client_bytes{16 << 20};      // 407 beyond it
  std::size_t pace_bytes{1 << 20};              // when the socket sets the pace: wait beyond it
};

struct MarketHubCounters {
  std::uint64_t messages{0};
  std::uint64_t frames{0};
  std::uint64_t slow_clients{0};
};

class MarketHub final : public MarketSink {
 public:
  static constexpr std::size_t kMaxBatch = 64;
  static constexpr std::string_view kPath = "/v1beta3/crypto/us";

  // Both must outlive the hub.
  MarketHub(const Venue& venue, const Credentials& credentials, const MarketHubOptions& options);

  void opened(net::WsServerSession& session, WallNanos now);
  void message(net::WsServerSession& session, std::string_view payload, WallNanos now);
  void closed(net::WsServerSession& session);
  // Ends sessions that did not authenticate in time.
  void expire(WallNanos now);

  void on_record(const SessionRecord& record, WallNanos stamp) override;
  // After the end of the session: each symbol's last quote again, with a new stamp.
  void repeat_quotes(WallNanos stamp);
  // Sends what was collected since the last flush.
  void flush();

  // Somebody subscribed to data at least once.
  [[nodiscard]] bool was_subscribed() const noexcept { return was_subscribed_; }
  [[nodiscard]] std::size_t sessions() const noexcept { return clients_.size(); }
  // A subscribed session has more queued than the pace allows.
  [[nodiscard]] bool congested() const;
  [[nodiscard]] const MarketHubCounters& counters() const noexcept { return counters_; }

 private:
  enum Channel : std::size_t {
    kTrades,
    kQuotes,
    kBooks,
    kBars,
    kUpdatedBars,
    kDailyBars,
    kChannels
  };
  struct Client {
    net::WsServerSession* session;
    WallNanos auth_deadline;
    bool authenticated{false};
    bool ending{false};  // told to go; hears nothing more
    std::vector<std::string> channels[kChannels];
    std::vector<std::uint8_t> wants;  // per symbol, bit per channel with data
    std::string batch;
    std::size_t batched{0};
  };
  using Clients = std::map<std::uint64_t, std::unique_ptr<Client>>;

  void authenticate(Client& client, std::string_view key, std::string_view secret, WallNanos now);
  void change_subscription(Client& client, const nlohmann::json& json, bool subscribe,
                           WallNanos now);
  void refresh_wants(Client& client);
  void acknowledge(Client& client);
  void send_books(Client& client, const std::vector<std::uint8_t>& before, WallNanos now);
  void error(Client& client, int code, std::string_view text);
  void control(Client& client, std::string_view frame);
  void publish(std::uint8_t channel_bit, SymbolIndex symbol, const std::string& message);
  void add(Client& client, std::string_view message);
  void flush(Client& client);
  [[nodiscard]] std::size_t authenticated() const;

  const Venue& venue_;
  const Credentials& credentials_;
  MarketHubOptions options_;
  MarketEncoder encoder_;
  Clients clients_;
  bool was_subscribed_{false};
  MarketHubCounters counters_;
  std::string message_;               // the message being encoded
  MarketEncoder::BookUpdate update_;  // depth records of the event being collected
  struct LastQuote {
    RecordedQuote quote{};
    bool seen{false};
  };
  std::vector<LastQuote> last_quotes_;
};

}  // namespace sluice::sim
