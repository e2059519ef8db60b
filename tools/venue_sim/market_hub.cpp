// market_hub.cpp — the sessions: handshake, limits, subscriptions. The data is in
// market_publish.cpp.
#include "tools/venue_sim/market_hub.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tools/venue_sim/json_writer.hpp"
#include "tools/venue_sim/msgpack.hpp"

namespace sluice::sim {
namespace {

using Json = nlohmann::json;

std::vector<Symbol> with_test_symbol(std::vector<Symbol> symbols) {
  symbols.push_back(
      make_equity(MarketHub::kTestSymbol, Price{kScale / 100}, Qty{kScale}, Qty{kScale}));
  symbols.back().tape = 'C';
  return symbols;
}

Feed feed_of(std::string_view path) noexcept {
  for (const Feed feed : kFeeds) {
    if (path_of(feed) == path) {
      return feed;
    }
  }
  return Feed::kCrypto;
}

}  // namespace

MarketHub::MarketHub(const Venue& venue, const Credentials& credentials, const Timeline& timeline,
                     const MarketHubOptions& options)
    : venue_(venue),
      credentials_(credentials),
      timeline_(timeline),
      options_(options),
      symbols_(with_test_symbol(venue.symbols())),
      test_symbol_(static_cast<SymbolIndex>(venue.symbols().size())),
      encoder_(symbols_),
      wanted_(symbols_.size(), 0),
      last_quotes_(venue.symbols().size()),
      bars_(venue.symbols().size(), options.day_start_ns),
      iex_bars_(options.iex_recorded ? venue.symbols().size() : 0, options.day_start_ns),
      fixes_(venue.symbols().size(), options.corrections),
      test_bars_(1, 0) {
  for (std::size_t i = 0; i < symbols_.size(); ++i) {
    index_.emplace(symbols_[i].name, static_cast<SymbolIndex>(i));
  }
  for (const Symbol& symbol : venue.symbols()) {
    (symbol.is_equity() ? has_stocks_ : has_crypto_) = true;
  }
}

void MarketHub::opened(net::WsServerSession& session, WallNanos now) {
  const Feed feed = feed_of(session.path());
  auto client =
      std::make_unique<Client>(Client{.session = &session,
                                      .feed = feed,
                                      .msgpack = asks_for_msgpack(session.header("Content-Type")),
                                      .auth_deadline = WallNanos{now.ns + options_.auth_window_ns},
                                      .next_ping = WallNanos{now.ns + options_.ping_every_ns},
                                      .subscription = Subscription(feed),
                                      .wants = std::vector<ChannelBits>(symbols_.size(), 0)});
  Client& stored = *clients_.emplace(session.id(), std::move(client)).first->second;
  control(stored, R"([{"T":"success","msg":"connected"}])");
  authenticate_by_headers(stored, now);
}

// No header: the client will say it in a message.
void MarketHub::authenticate_by_headers(Client& client, WallNanos now) {
  const std::string_view key = client.session->header("APCA-API-KEY-ID");
  const std::string_view authorization = client.session->header("Authorization");
  if (!key.empty()) {
    authenticate(client, credentials_.match(key, client.session->header("APCA-API-SECRET-KEY")),
                 now);
  } else if (!authorization.empty()) {
    authenticate(client, credentials_.match_basic(authorization), now);
  }
}

void MarketHub::closed(net::WsServerSession& session, const net::WsClosed& how, WallNanos now) {
  const auto it = clients_.find(session.id());
  if (it == clients_.end()) {
    return;
  }
  const bool lost = how.reason == net::WsCloseReason::kByPeer && how.close_code == 0;
  if (lost && it->second->authenticated && options_.ghost_ns > 0) {
    ghosts_.push_back({it->second->feed, WallNanos{now.ns + options_.ghost_ns}});
  }
  clients_.erase(it);
  refresh_wanted();
}

void MarketHub::message(net::WsServerSession& session, std::string_view payload, WallNanos now) {
  const auto it = clients_.find(session.id());
  if (it == clients_.end() || it->second->ending) {
    return;
  }
  Client& client = *it->second;
  const Json json = parse_client_message(payload, client.msgpack);
  const auto text = [&json](const char* name) -> std::string {
    const auto field = json.find(name);
    return field != json.end() && field->is_string() ? field->get<std::string>() : std::string();
  };
  if (!json.is_object()) {
    error(client, 400, "invalid syntax");
    return;
  }
  const std::string action = text("action");
  if (action == "auth") {
    authenticate(client, credentials_.match(text("key"), text("secret")), now);
  } else if (action != "subscribe" && action != "unsubscribe") {
    error(client, 400, "invalid syntax");
  } else if (!client.authenticated) {
    error(client, 401, "not authenticated");
  } else {
    change_subscription(client, json, action == "subscribe", now);
  }
}

void MarketHub::authenticate(Client& client, bool match, WallNanos now) {
  if (client.authenticated) {
    error(client, 403, "already authenticated");
  } else if (!match) {
    error(client, 402, "auth failed");
  } else if (!in_plan(client.feed)) {
    error(client, 409, "insufficient subscription");
  } else if (places_taken(client.feed, now) >= options_.max_authenticated) {
    // Clients try again on the same connection until the old one is gone: give them the time.
    client.auth_deadline = WallNanos{now.ns + options_.auth_window_ns};
    error(client, 406, "connection limit exceeded");
  } else {
    client.authenticated = true;
    control(client, R"([{"T":"success","msg":"authenticated"}])");
  }
}

void MarketHub::tick(WallNanos now) {
  for (auto& [id, client] : clients_) {
    if (client->ending) {
      continue;
    }
    if (!client->authenticated && now >= client->auth_deadline) {
      end(*client, 404, "auth timeout");
    } else if (client->authenticated) {
      check_liveness(*client, now);
    }
  }
  if (timeline_.started() && timeline_.paced()) {
    const std::int64_t session_ns = timeline_.session_time(now);
    tell_fixes(session_ns, std::nullopt);
    if (!finished_) {
      advance_bars(session_ns);
    }
  }
  play_test_stock(now);
}

// A peer that is there answers pings, however little it has to say.
void MarketHub::check_liveness(Client& client, WallNanos now) {
  if (now.ns - client.session->heard_at().ns >= options_.mute_ns) {
    ++counters_.mute_clients;
    client.ending = true;
    client.session->cut();
  } else if (now >= client.next_ping) {
    client.next_ping = WallNanos{now.ns + options_.ping_every_ns};
    static_cast<void>(client.session->ping());  // no room: the queue says already that it is slow
  }
}

void MarketHub::change_subscription(Client& client, const Json& json, bool subscribe,
                                    WallNanos now) {
  switch (client.subscription.change(json, subscribe, symbol_limits(client.feed))) {
    case Subscription::Change::kSyntax:
      error(client, 400, "invalid syntax");
      return;
    case Subscription::Change::kChannel:
      error(client, 410, "invalid subscribe action for this feed");
      return;
    case Subscription::Change::kTooMany:
      error(client, 405, "symbol limit exceeded");
      return;
    case Subscription::Change::kDone:
      break;
  }
  const std::vector<ChannelBits> before = client.wants;
  refresh_wants(client);
  refresh_wanted();
  flush(client);  // what was published before belongs before the acknowledgement
  control(client, client.subscription.acknowledgement());
  send_books(client, before, now);
}

void MarketHub::refresh_wants(Client& client) {
  std::fill(client.wants.begin(), client.wants.end(), ChannelBits{0});
  for (const Channel channel : channels_of(client.feed)) {
    for (const std::string& name : client.subscription.names(channel)) {
      if (name == "*") {
        for (ChannelBits& wants : client.wants) {
          wants = static_cast<ChannelBits>(wants | bit(channel));
        }
      } else if (const auto it = index_.find(name); it != index_.end()) {
        client.wants[it->second] =
            static_cast<ChannelBits>(client.wants[it->second] | bit(channel));
      }
    }
  }
  for (std::size_t i = 0; i < client.wants.size(); ++i) {
    if (!on_feed(client.feed, static_cast<SymbolIndex>(i))) {
      client.wants[i] = 0;
    } else if (client.wants[i] != 0 && i != test_symbol_) {
      was_subscribed_ = true;
    }
  }
}

void MarketHub::refresh_wanted() {
  std::fill(wanted_.begin(), wanted_.end(), ChannelBits{0});
  for (const auto& [id, client] : clients_) {
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      wanted_[i] = static_cast<ChannelBits>(wanted_[i] | client->wants[i]);
    }
  }
}

bool MarketHub::in_plan(Feed feed) const noexcept {
  switch (feed) {
    case Feed::kCrypto:
      return has_crypto_;
    case Feed::kIex:
      return has_stocks_;
    case Feed::kSip:
      return has_stocks_ && !options_.basic_plan;
    case Feed::kTest:
      break;
  }
  return true;
}

SymbolLimits MarketHub::symbol_limits(Feed feed) const noexcept {
  const bool basic = options_.basic_plan && feed == Feed::kIex;
  return {basic ? kBasicSymbols : options_.max_symbols, options_.max_symbols};
}

bool MarketHub::on_feed(Feed feed, SymbolIndex symbol) const {
  if (symbol == test_symbol_ || feed == Feed::kTest) {
    return symbol == test_symbol_ && feed == Feed::kTest;
  }
  return symbols_[symbol].is_equity() == is_stock(feed);
}

std::optional<SymbolIndex> MarketHub::find(const std::string& name, bool stock) const {
  const auto it = index_.find(name);
  const bool known =
      it != index_.end() && it->second != test_symbol_ && symbols_[it->second].is_equity() == stock;
  return known ? std::optional(it->second) : std::nullopt;
}

std::size_t MarketHub::places_taken(Feed feed, WallNanos now) {
  std::erase_if(ghosts_, [now](const Ghost& ghost) { return ghost.until <= now; });
  const auto ghosts = std::count_if(ghosts_.begin(), ghosts_.end(),
                                    [feed](const Ghost& ghost) { return ghost.feed == feed; });
  const auto alive = std::count_if(clients_.begin(), clients_.end(), [feed](const auto& entry) {
    return entry.second->authenticated && entry.second->feed == feed;
  });
  return static_cast<std::size_t>(ghosts + alive);
}

void MarketHub::error(Client& client, int code, std::string_view text) {
  std::string frame;
  JsonWriter json(frame);
  json.begin_array().begin_object();
  json.key("T").text("error");
  json.key("code").integer(code);
  json.key("msg").text(text);
  json.end_object().end_array();
  control(client, frame);
}

void MarketHub::control(Client& client, std::string_view frame) {
  std::string packed;
  if (client.msgpack) {
    append_msgpack(packed, frame, MsgpackTimes::kMarketData);
    frame = packed;
  }
  static_cast<void>(keeps_up(client, client.session->send(frame, client.msgpack)));
}

bool MarketHub::keeps_up(Client& client, bool sent) {
  const bool well = sent && client.session->queued_bytes() <= options_.slow_client_bytes;
  if (!well && !client.ending) {
    ++counters_.slow_clients;
    end(client, 407, "slow client");
  }
  return well;
}

void MarketHub::end(Client& client, int code, std::string_view text) {
  client.ending = true;
  error(client, code, text);
  client.session->close(1000, text);
}

}  // namespace sluice::sim
