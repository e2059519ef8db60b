#include "tools/venue_sim/trading_hub.hpp"

#include <nlohmann/json.hpp>

#include "tools/venue_sim/encode_trading.hpp"
#include "tools/venue_sim/msgpack.hpp"

namespace sluice::sim {
namespace {

using Json = nlohmann::json;

std::string text_at(const Json& json, const char* name) {
  if (!json.is_object()) {
    return {};
  }
  const auto field = json.find(name);
  return field != json.end() && field->is_string() ? field->get<std::string>() : std::string();
}

// An object, or an empty one where there is none.
const Json& data_of(const Json& json) {
  static const Json kEmpty = Json::object();
  const auto data = json.find("data");
  return data != json.end() && data->is_object() ? *data : kEmpty;
}

bool wants_trade_updates(const Json& data) {
  const auto streams = data.find("streams");
  if (streams == data.end() || !streams->is_array()) {
    return false;
  }
  for (const Json& stream : *streams) {
    if (stream == "trade_updates") {
      return true;
    }
  }
  return false;
}

}  // namespace

void TradingHub::opened(net::WsServerSession& session) {
  clients_.emplace(session.id(),
                   Client{&session, asks_for_msgpack(session.header("Content-Type"))});
}

void TradingHub::closed(net::WsServerSession& session) {
  clients_.erase(session.id());
}

void TradingHub::message(net::WsServerSession& session, std::string_view payload) {
  const auto it = clients_.find(session.id());
  if (it == clients_.end()) {
    return;
  }
  Client& client = it->second;
  const Json json = parse_client_message(payload, client.msgpack);
  const std::string action = text_at(json, "action");
  if (action == "authenticate" || action == "auth") {
    // Two forms are in use: the pair inside "data" under its long names, or beside "action".
    const Json& data = data_of(json);
    const bool nested = data.contains("key_id");
    client.authorized =
        nested ? credentials_.match(text_at(data, "key_id"), text_at(data, "secret_key"))
               : credentials_.match(text_at(json, "key"), text_at(json, "secret"));
    send_authorization(client, client.authorized ? "authorized" : "unauthorized", "authenticate");
  } else if (action == "listen") {
    if (!client.authorized) {
      if (venue_.variants().early_listen_answered) {
        send_authorization(client, "unauthorized", "listen");
      }
      return;
    }
    client.listening = wants_trade_updates(data_of(json));
    send(client, client.listening ? R"({"stream":"listening","data":{"streams":["trade_updates"]}})"
                                  : R"({"stream":"listening","data":{"streams":[]}})");
  } else {
    send(client, R"({"action":"error","data":{"error_message":"invalid syntax"}})");
  }
}

void TradingHub::on_order_event(const OrderEvent& event) {
  frame_.clear();
  if (event.quiet || !encode_trade_update(frame_, event, venue_.symbols()[event.order.asked.symbol],
                                          venue_.variants(), &new_york_)) {
    return;
  }
  for (auto& [id, client] : clients_) {
    if (client.authorized && client.listening) {
      send(client, frame_);
      ++events_sent_;
    }
  }
}

void TradingHub::send(Client& client, std::string_view frame) const {
  std::string packed;
  if (client.msgpack) {
    append_msgpack(packed, frame, MsgpackTimes::kText);
    frame = packed;
  }
  if (!client.session->send(frame, client.msgpack || venue_.variants().binary_frames)) {
    client.listening = false;
    client.session->cut();
  }
}

void TradingHub::send_authorization(Client& client, std::string_view status,
                                    std::string_view action) const {
  std::string frame;
  JsonWriter json(frame);
  json.begin_object();
  json.key("stream").text("authorization");
  json.key("data").begin_object();
  json.key("status").text(status);
  json.key("action").text(action);
  json.end_object();
  json.end_object();
  send(client, frame);
}

}  // namespace sluice::sim
