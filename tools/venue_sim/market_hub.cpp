#include "tools/venue_sim/market_hub.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "tools/venue_sim/json_writer.hpp"

namespace sluice::sim {
namespace {

using Json = nlohmann::json;

constexpr std::array<std::string_view, 6> kChannelNames{"trades", "quotes",      "orderbooks",
                                                        "bars",   "updatedBars", "dailyBars"};
// Channels of other feeds: clients send them empty; asking for data on them is an error here.
constexpr std::array<std::string_view, 7> kOtherFeeds{
    "statuses", "lulds", "corrections", "cancelErrors", "imbalances", "news", "pricing"};

constexpr std::uint8_t kTradeBit = 1;
constexpr std::uint8_t kQuoteBit = 2;
constexpr std::uint8_t kBookBit = 4;

bool valid_symbol(const std::string& name) {
  return !name.empty() && name.size() <= 32 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '.' || c == '*' ||
           c == '-';
  });
}

bool list_of_symbols(const Json& list) {
  return list.is_array() && std::all_of(list.begin(), list.end(), [](const Json& entry) {
           return entry.is_string() && valid_symbol(entry.get_ref<const std::string&>());
         });
}

}  // namespace

MarketHub::MarketHub(const Venue& venue, const Credentials& credentials,
                     const MarketHubOptions& options)
    : venue_(venue),
      credentials_(credentials),
      options_(options),
      encoder_(venue.symbols()),
      last_quotes_(venue.symbols().size()) {}

void MarketHub::opened(net::WsServerSession& session, WallNanos now) {
  auto client = std::make_unique<Client>();
  client->session = &session;
  client->auth_deadline = WallNanos{now.ns + options_.auth_window_ns};
  client->wants.assign(venue_.symbols().size(), 0);
  Client& stored = *clients_.emplace(session.id(), std::move(client)).first->second;
  control(stored, R"([{"T":"success","msg":"connected"}])");
  const std::string_view key = session.header("APCA-API-KEY-ID");
  if (!key.empty()) {
    authenticate(stored, key, session.header("APCA-API-SECRET-KEY"), now);
  }
}

void MarketHub::closed(net::WsServerSession& session) {
  clients_.erase(session.id());
}

void MarketHub::message(net::WsServerSession& session, std::string_view payload, WallNanos now) {
  const auto it = clients_.find(session.id());
  if (it == clients_.end() || it->second->ending) {
    return;
  }
  Client& client = *it->second;
  const Json json = Json::parse(payload, nullptr, false);
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
    authenticate(client, text("key"), text("secret"), now);
  } else if (action != "subscribe" && action != "unsubscribe") {
    error(client, 400, "invalid syntax");
  } else if (!client.authenticated) {
    error(client, 401, "not authenticated");
  } else {
    change_subscription(client, json, action == "subscribe", now);
  }
}

void MarketHub::authenticate(Client& client, std::string_view key, std::string_view secret,
                             WallNanos now) {
  if (client.authenticated) {
    error(client, 403, "already authenticated");
  } else if (!credentials_.match(key, secret)) {
    error(client, 402, "auth failed");
  } else if (authenticated() >= options_.max_authenticated) {
    // Clients try again on the same connection until the old one is gone: give them the time.
    client.auth_deadline = WallNanos{now.ns + options_.auth_window_ns};
    error(client, 406, "connection limit exceeded");
  } else {
    client.authenticated = true;
    control(client, R"([{"T":"success","msg":"authenticated"}])");
  }
}

void MarketHub::expire(WallNanos now) {
  for (auto& [id, client] : clients_) {
    if (!client->authenticated && !client->ending && now >= client->auth_deadline) {
      error(*client, 404, "auth timeout");
      client->ending = true;
      client->session->close(1000, "auth timeout");
    }
  }
}

void MarketHub::change_subscription(Client& client, const Json& json, bool subscribe,
                                    WallNanos now) {
  for (const std::string_view name : kOtherFeeds) {
    const auto list = json.find(name);
    if (list != json.end() && list->is_array() && !list->empty()) {
      error(client, 410, "invalid subscribe action for this feed");
      return;
    }
  }
  std::vector<std::string> next[kChannels];
  std::size_t entries = 0;
  for (std::size_t channel = 0; channel < kChannels; ++channel) {
    next[channel] = client.channels[channel];
    const auto list = json.find(kChannelNames[channel]);
    if (list != json.end() && !list->is_null()) {
      if (!list_of_symbols(*list)) {
        error(client, 400, "invalid syntax");
        return;
      }
      for (const Json& entry : *list) {
        const auto& name = entry.get_ref<const std::string&>();
        std::erase(next[channel], name);
        if (subscribe) {
          next[channel].push_back(name);
        }
      }
    }
    entries += next[channel].size();
  }
  if (entries > options_.max_symbols) {
    error(client, 405, "symbol limit exceeded");
    return;
  }
  std::move(next, next + kChannels, client.channels);
  const std::vector<std::uint8_t> before = client.wants;
  refresh_wants(client);
  acknowledge(client);
  send_books(client, before, now);
}

void MarketHub::refresh_wants(Client& client) {
  const auto& symbols = venue_.symbols();
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    client.wants[i] = 0;
    for (const std::size_t channel : {kTrades, kQuotes, kBooks}) {
      const auto& names = client.channels[channel];
      if (std::find(names.begin(), names.end(), "*") != names.end() ||
          std::find(names.begin(), names.end(), symbols[i].name) != names.end()) {
        client.wants[i] = static_cast<std::uint8_t>(client.wants[i] | (1U << channel));
        was_subscribed_ = true;
      }
    }
  }
}

void MarketHub::acknowledge(Client& client) {
  std::string frame;
  JsonWriter json(frame);
  json.begin_array().begin_object();
  json.key("T").text("subscription");
  for (std::size_t channel = 0; channel < kChannels; ++channel) {
    json.key(kChannelNames[channel]).begin_array();
    for (const std::string& name : client.channels[channel]) {
      json.text(name);
    }
    json.end_array();
  }
  json.end_object().end_array();
  control(client, frame);
}

// Who subscribes to a book that is known already gets it whole first.
void MarketHub::send_books(Client& client, const std::vector<std::uint8_t>& before, WallNanos now) {
  for (std::size_t i = 0; i < client.wants.size(); ++i) {
    const auto symbol = static_cast<SymbolIndex>(i);
    const RecordedBook& book = venue_.matcher().book(symbol);
    const bool added = (client.wants[i] & kBookBit) != 0 && (before[i] & kBookBit) == 0;
    if (!added || !book.ready()) {
      continue;
    }
    MarketEncoder::BookUpdate whole;
    whole.reset = true;
    book.bids.walk([&](Price px, const BookSide::Level& level) {
      whole.bids.push_back({px, Qty{level.recorded}});
      return true;
    });
    book.asks.walk([&](Price px, const BookSide::Level& level) {
      whole.asks.push_back({px, Qty{level.recorded}});
      return true;
    });
    message_.clear();
    encoder_.book(message_, symbol, whole, now);
    add(client, message_);
  }
  flush(client);
}

void MarketHub::on_record(const SessionRecord& record, WallNanos stamp) {
  message_.clear();
  switch (record.kind) {
    case SessionKind::kQuote: {
      const SessionQuote q = record.quote();
      LastQuote& last = last_quotes_[record.symbol];
      last = {{q.bid_px, q.bid_qty, q.ask_px, q.ask_qty}, true};
      encoder_.quote(message_, record.symbol, last.quote, stamp);
      publish(kQuoteBit, record.symbol, message_);
      break;
    }
    case SessionKind::kTrade: {
      const SessionLevel print = record.level();
      RecordedTrade trade{print.px, print.qty, std::nullopt};
      if (record.side != SessionSide::kNone) {
        trade.taker = record.side == SessionSide::kBid ? Side::kBuy : Side::kSell;
      }
      encoder_.trade(message_, record.symbol, trade, record.id, stamp);
      publish(kTradeBit, record.symbol, message_);
      break;
    }
    case SessionKind::kStatus:
      break;
    case SessionKind::kDepth: {
      const SessionLevel level = record.level();
      auto& side = record.side == SessionSide::kBid ? update_.bids : update_.asks;
      side.push_back({level.px, level.qty});
      update_.reset = update_.reset || record.snapshot();
      if (record.last_of_event()) {
        encoder_.book(message_, record.symbol, update_, stamp);
        publish(kBookBit, record.symbol, message_);
        update_.bids.clear();
        update_.asks.clear();
        update_.reset = false;
      }
      break;
    }
  }
}

void MarketHub::repeat_quotes(WallNanos stamp) {
  for (std::size_t i = 0; i < last_quotes_.size(); ++i) {
    if (last_quotes_[i].seen) {
      message_.clear();
      encoder_.quote(message_, static_cast<SymbolIndex>(i), last_quotes_[i].quote, stamp);
      publish(kQuoteBit, static_cast<SymbolIndex>(i), message_);
    }
  }
  flush();
}

void MarketHub::publish(std::uint8_t channel_bit, SymbolIndex symbol, const std::string& message) {
  for (auto& [id, client] : clients_) {
    if ((client->wants[symbol] & channel_bit) != 0 && !client->ending) {
      add(*client, message);
    }
  }
}

void MarketHub::add(Client& client, std::string_view message) {
  client.batch.push_back(client.batched == 0 ? '[' : ',');
  client.batch.append(message);
  ++client.batched;
  ++counters_.messages;
  if (client.batched == kMaxBatch) {
    flush(client);
  }
}

void MarketHub::flush() {
  for (auto& [id, client] : clients_) {
    flush(*client);
  }
}

void MarketHub::flush(Client& client) {
  if (client.batched == 0) {
    return;
  }
  client.batch.push_back(']');
  const bool sent = !client.ending && client.session->send(client.batch, false);
  client.batch.clear();
  client.batched = 0;
  if (sent && client.session->queued_bytes() <= options_.slow_client_bytes) {
    ++counters_.frames;
    return;
  }
  if (!client.ending) {
    ++counters_.slow_clients;
    error(client, 407, "slow client");
    client.ending = true;
    client.session->close(1000, "slow client");
  }
}

bool MarketHub::congested() const {
  return std::any_of(clients_.begin(), clients_.end(), [this](const auto& entry) {
    const Client& client = *entry.second;
    return !client.ending && client.session->queued_bytes() > options_.pace_bytes;
  });
}

std::size_t MarketHub::authenticated() const {
  return static_cast<std::size_t>(
      std::count_if(clients_.begin(), clients_.end(),
                    [](const auto& entry) { return entry.second->authenticated; }));
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
  // A session too full for a control message is about to be closed as slow; nothing else to do.
  static_cast<void>(client.session->send(frame, false));
}

}  // namespace sluice::sim
