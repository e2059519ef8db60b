// market_hub.hpp — the market data streams: who is connected to which feed, who hears what.
//
// Runs on the server's thread; touches sockets only through WsServerSession. Invariants:
//  1. Control messages go alone in an array of one; data arrays hold 1 to kMaxBatch messages.
//  2. Nothing but errors is sent before authentication; a session has one key pair and may
//     authenticate once.
//  3. A session that does not read is told 407 and closed; it never slows the others, unless the
//     socket sets the pace.
//  4. Each message is encoded once, for as many sessions as want it; for msgpack once more.
//  5. Records from before the timeline's start are history: they make bars and books, no messages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/net/http_server.hpp"
#include "tools/venue_sim/bars.hpp"
#include "tools/venue_sim/credentials.hpp"
#include "tools/venue_sim/encode_market.hpp"
#include "tools/venue_sim/market_feed.hpp"
#include "tools/venue_sim/player.hpp"
#include "tools/venue_sim/trade_fixes.hpp"

namespace sluice::sim {

struct MarketHubOptions {
  std::size_t max_authenticated{1};  // the venue's limit per user and endpoint: 406
  // The plan: "basic" knows no /v2/sip (409) and 30 symbols over trades and quotes on /v2/iex
  // (405).
  bool basic_plan{false};
  std::size_t max_symbols{20'000};              // over all channels of a session: 405
  std::int64_t auth_window_ns{10'000'000'000};  // 404 after it
  std::int64_t ping_every_ns{10'000'000'000};
  // A session that was silent for so long, pongs included, is cut; until then it holds its place.
  std::int64_t mute_ns{90'000'000'000};
  // A connection that ended without a close frame holds its place for so long: a client whose
  // machine died, as the venue sees it.
  std::int64_t ghost_ns{0};
  std::size_t slow_client_bytes{16 << 20};  // 407 beyond it
  std::size_t pace_bytes{1 << 20};          // when the socket sets the pace: wait beyond it
  std::int64_t day_start_ns{0};             // session time at which the day's bars begin
  std::int64_t previous_day_ns{0};          // the same for the trading day before
  std::uint32_t corrections{0};             // TradeFixes' `every`
  // The recording names prints of the IEX: its feed carries these alone. Otherwise all of them.
  bool iex_recorded{false};
};

struct MarketHubCounters {
  std::uint64_t messages{0};
  std::uint64_t frames{0};
  std::uint64_t slow_clients{0};
  std::uint64_t mute_clients{0};
};

class MarketHub final : public MarketSink {
 public:
  static constexpr std::size_t kMaxBatch = 64;
  static constexpr std::string_view kPath = "/v1beta3/crypto/us";
  // What /v2/test plays, around the clock.
  static constexpr std::string_view kTestSymbol = "FAKEPACA";
  static constexpr std::size_t kBasicSymbols = 30;

  // All must outlive the hub.
  MarketHub(const Venue& venue, const Credentials& credentials, const Timeline& timeline,
            const MarketHubOptions& options);

  // The session's path names its feed: one of path_of().
  void opened(net::WsServerSession& session, WallNanos now);
  void message(net::WsServerSession& session, std::string_view payload, WallNanos now);
  void closed(net::WsServerSession& session, const net::WsClosed& how, WallNanos now);
  // What is due by the clock: sessions that did not authenticate in time, pings, sessions that do
  // not answer them, the marks of the bars, the test feed.
  void tick(WallNanos now);
  // When tick() has something to do at the latest; nothing = no sooner than the caller likes.
  [[nodiscard]] std::optional<WallNanos> next_due() const;

  void on_record(const SessionRecord& record, WallNanos stamp) override;
  // The session is over: the bars that are still open leave.
  void finish();
  // After the end of the session: each symbol's last quote again, with a new stamp.
  void repeat_quotes(WallNanos stamp);
  // Sends what was collected since the last flush.
  void flush();

  // Somebody subscribed to the session's data at least once.
  [[nodiscard]] bool was_subscribed() const noexcept { return was_subscribed_; }
  [[nodiscard]] std::size_t sessions() const noexcept { return clients_.size(); }
  // A subscribed session has more queued than the pace allows.
  [[nodiscard]] bool congested() const;
  [[nodiscard]] const MarketHubCounters& counters() const noexcept { return counters_; }

  // A symbol of the session and of this asset class.
  [[nodiscard]] std::optional<SymbolIndex> find(const std::string& name, bool stock) const;
  [[nodiscard]] bool iex_recorded() const noexcept { return options_.iex_recorded; }
  // `iex`: made of the IEX feed's prints.
  [[nodiscard]] const BarBuilder& bars(bool iex) const noexcept {
    return iex && options_.iex_recorded ? iex_bars_ : bars_;
  }
  // The bar of the trading day before: the previous close and no volume. Nothing where the close is
  // not known.
  [[nodiscard]] std::optional<Bar> previous_day(SymbolIndex symbol) const;
  // The moment a bar carries: its start on the venue's clock.
  [[nodiscard]] WallNanos start_of(const Bar& bar) const noexcept;

 private:
  struct Client {
    net::WsServerSession* session;
    Feed feed;
    bool msgpack;
    WallNanos auth_deadline;
    WallNanos next_ping{};
    bool authenticated{false};
    bool ending{false};  // told to go; hears nothing more
    Subscription subscription;
    std::vector<ChannelBits> wants;  // per symbol
    std::string batch{};
    std::size_t batched{0};
  };
  using Clients = std::map<std::uint64_t, std::unique_ptr<Client>>;
  // Whom a message concerns: where the recording knows the IEX, the feeds of stocks differ.
  enum class Audience : std::uint8_t { kAll, kNotIex, kIex };
  class BarRelay;
  struct Ghost {
    Feed feed;
    WallNanos until;
  };

  // --- sessions (market_hub.cpp)
  void authenticate_by_headers(Client& client, WallNanos now);
  void authenticate(Client& client, bool match, WallNanos now);
  void change_subscription(Client& client, const nlohmann::json& json, bool subscribe,
                           WallNanos now);
  void refresh_wants(Client& client);
  void refresh_wanted();
  void check_liveness(Client& client, WallNanos now);
  [[nodiscard]] bool in_plan(Feed feed) const noexcept;
  [[nodiscard]] SymbolLimits symbol_limits(Feed feed) const noexcept;
  [[nodiscard]] bool on_feed(Feed feed, SymbolIndex symbol) const;
  [[nodiscard]] std::size_t places_taken(Feed feed, WallNanos now);
  void error(Client& client, int code, std::string_view text);
  void control(Client& client, std::string_view frame);
  void end(Client& client, int code, std::string_view text);
  // Whether the session takes what it is sent; one that does not is told 407 and closed.
  bool keeps_up(Client& client, bool sent);

  // --- data (market_publish.cpp)
  void send_books(Client& client, const std::vector<ChannelBits>& before, WallNanos now);
  void on_quote(const SessionRecord& record, WallNanos stamp);
  void on_trade(const SessionRecord& record, WallNanos stamp);
  void on_depth(const SessionRecord& record, WallNanos stamp);
  void advance_bars(std::int64_t session_ns);
  void tell_bar(BarKind kind, SymbolIndex symbol, const Bar& bar, Audience audience);
  void tell_fixes(std::int64_t session_ns, std::optional<WallNanos> stamp);
  void end_history(WallNanos stamp);
  void play_test_stock(WallNanos now);
  [[nodiscard]] bool wanted(Channel channel, SymbolIndex symbol) const {
    return (wanted_[symbol] & bit(channel)) != 0;
  }
  // The consolidated tape carries every print, the IEX's feed its own.
  [[nodiscard]] Audience audience_of(char exchange) const noexcept {
    return options_.iex_recorded && exchange != 'V' ? Audience::kNotIex : Audience::kAll;
  }
  void publish(Channel channel, SymbolIndex symbol, Audience audience = Audience::kAll);
  void add(Client& client);
  void flush(Client& client);

  const Venue& venue_;
  const Credentials& credentials_;
  const Timeline& timeline_;
  MarketHubOptions options_;
  std::vector<Symbol> symbols_;  // the session's, then the test feed's
  const SymbolIndex test_symbol_;
  std::unordered_map<std::string, SymbolIndex> index_;
  bool has_crypto_{false};
  bool has_stocks_{false};
  MarketEncoder encoder_;
  Clients clients_;
  std::vector<Ghost> ghosts_;
  std::vector<ChannelBits> wanted_;  // per symbol, by anybody
  bool was_subscribed_{false};
  MarketHubCounters counters_;
  std::string message_;               // the message being published, as JSON
  std::string packed_;                // the same as msgpack; empty until somebody wants it
  MarketEncoder::BookUpdate update_;  // depth records of the event being collected
  struct LastQuote {
    RecordedQuote quote{};
    char exchange{0};
    bool seen{false};
  };
  std::vector<LastQuote> last_quotes_;
  BarBuilder bars_;
  BarBuilder iex_bars_;  // used where the recording knows the IEX
  TradeFixes fixes_;
  bool in_history_{false};
  bool finished_{false};
  BarBuilder test_bars_;
  WallNanos next_test_{};
  std::uint64_t test_count_{0};
};

}  // namespace sluice::sim
