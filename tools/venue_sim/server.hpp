// server.hpp — the simulator's shell: sockets and clock around the pure venue.
//
// One thread: construct, run(), destroy on it. Everything that decides anything lives in the pure
// parts; this file only carries bytes and time to them. Invariants:
//  1. A request is handled after everything that was due before it was played.
//  2. An order's event is in the account's file before anybody hears of it.
//  3. /sim/… is for the runner of the demo and the judges, never for a trading client: it needs no
//     credentials and tells what a venue would not.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "common/market/session.hpp"
#include "common/net/http_server.hpp"
#include "common/net/loop.hpp"
#include "tools/venue_sim/account_log.hpp"
#include "tools/venue_sim/credentials.hpp"
#include "tools/venue_sim/data_rest.hpp"
#include "tools/venue_sim/faults.hpp"
#include "tools/venue_sim/market_hub.hpp"
#include "tools/venue_sim/player.hpp"
#include "tools/venue_sim/rate_limit.hpp"
#include "tools/venue_sim/rest_api.hpp"
#include "tools/venue_sim/rest_faults.hpp"
#include "tools/venue_sim/session_time.hpp"
#include "tools/venue_sim/stream_faults.hpp"
#include "tools/venue_sim/trading_hub.hpp"
#include "tools/venue_sim/trading_switches.hpp"

namespace sluice::sim {

struct ServerConfig {
  std::string state_dir;
  std::uint16_t port{0};  // 0 = chosen
  Speed speed{kScale};
  Credentials credentials{};
  bool start_at_once{false};  // else with the first subscription to market data
  Cash cash{100'000 * kScale};
  FeeSchedule fees{};
  bool fees_at_day_end{false};
  TradingSwitches trading{};
  // Session time: divided by the speed, zero at "max". The defaults are what a paper account shows.
  std::int64_t order_latency_ns{3'500'000};
  std::int64_t cancel_latency_ns{3'500'000};
  std::int64_t answer_latency_ns{0};         // of every REST answer
  std::uint32_t rate_limit_per_minute{200};  // of the trading API; the data API has the same again
  bool tell_retry_after{false};              // a 429 carries Retry-After, as no document promises
  std::size_t market_connections{1};
  bool basic_plan{false};                // market data plan: no SIP, 30 symbols
  std::uint32_t upgrades_per_minute{0};  // of the market data endpoints together; 0 = no limit
  std::int64_t mute_ns{90'000'000'000};  // real time until a silent market session is cut
  std::int64_t ping_every_ns{10'000'000'000};
  std::int64_t ghost_ns{0};      // real time a lost market session keeps its place
  std::uint64_t seed{0};         // 0 = random; ids follow from it
  std::size_t repeat{1};         // the session is played so many times
  std::int64_t history_ns{0};    // so much of the session lies before its start; not at "max"
  std::uint32_t corrections{0};  // every Nth trade of a stock is corrected or cancelled; 0 = none
  std::string fault{"off"};
  std::int64_t clock_skew_ns{0};  // of every stamp the venue tells, against the machine's clock
};

class VenueServer {
 public:
  // Listens when it returns, and has written ports.json. Throws Error as its parts do: session,
  // state folder, port. The session must outlive the server.
  VenueServer(const Session& session, const ServerConfig& config);
  ~VenueServer();
  VenueServer(const VenueServer&) = delete;
  VenueServer& operator=(const VenueServer&) = delete;

  // Until `stop`, which is looked at ten times a second at least. Then writes ledger.json.
  void run(const std::atomic<bool>& stop);

  // One turn: plays what is due, then serves sockets for `max_wait_ms` at most. For tests.
  void turn(int max_wait_ms);

  [[nodiscard]] std::uint16_t port() const noexcept { return http_->port(); }
  // One line of JSON: ports and addresses.
  [[nodiscard]] std::string ports_json() const;
  [[nodiscard]] std::string status_json() const;
  [[nodiscard]] const Venue& venue() const noexcept { return venue_; }

 private:
  [[nodiscard]] WallNanos now() const noexcept { return WallNanos{loop_.now().ns}; }
  void start_session(WallNanos at);
  void catch_up(WallNanos at);
  void end_session(WallNanos at);
  void wait(WallNanos at, int max_wait_ms);
  [[nodiscard]] std::vector<net::WsRoute> routes();
  [[nodiscard]] std::optional<net::UpgradeRefusal> refuse_upgrade();
  [[nodiscard]] net::WsServerSession& faulty(net::WsServerSession& session, FaultSite site);
  void on_request(const net::ServerRequest& request, const net::Responder& responder);
  void serve(const net::ServerRequest& request, const net::Responder& responder);
  void on_simulator_request(const net::ServerRequest& request, net::Responder responder);
  [[nodiscard]] std::optional<ApiError> refuse_credentials(const net::ServerRequest& request) const;
  void answer(net::Responder responder, RestOutcome outcome, const RateLimit* budget);

  const Session& session_;
  ServerConfig config_;
  std::vector<Symbol> symbols_;
  AccountLog account_;
  Timeline timeline_;
  Venue venue_;
  Player player_;
  PlayedTime session_time_;
  NewYork new_york_;
  MarketHub market_;
  TradingHub trading_;
  RestApi api_;
  DataRest data_;
  RateLimit rate_limit_;
  RateLimit data_limit_;  // the data API has a budget of its own
  RateLimit upgrade_limit_;
  Faults faults_;
  RestFaults rest_faults_;
  std::map<std::uint64_t, std::unique_ptr<FaultySession>> faulty_;  // the open WebSockets, by id
  net::Loop loop_;
  std::optional<WallNanos> ended_at_;
  WallNanos next_repeat_{};
  std::uint64_t requests_{0};
  std::uint64_t rate_limited_{0};
  std::exception_ptr failure_;           // of a request; thrown again by turn()
  std::optional<net::HttpServer> http_;  // last: its callbacks use everything above
};

// The session's symbols as the venue trades them. Throws Error(kConfig) for a pair that is not
// quoted in USD: the account has one currency.
[[nodiscard]] std::vector<Symbol> venue_symbols(const Session& session);

}  // namespace sluice::sim
