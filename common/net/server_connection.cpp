// server_connection.cpp — see server_connection.hpp.
#include "common/net/server_connection.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <utility>

#include "common/net/ws_handshake.hpp"

namespace sluice::net {
namespace http = boost::beast::http;

namespace {

constexpr std::int64_t kDrainNs = 1'000'000'000;  // how long a peer may take to end its side
constexpr std::uint16_t kCodeProtocol = 1002;
constexpr std::uint16_t kCodeInvalidData = 1007;
constexpr std::uint16_t kCodeTooLarge = 1009;
// Below this, compressing costs more than the bytes it saves.
constexpr std::size_t kMinCompressedBytes = 64;

std::string_view view(boost::beast::string_view text) noexcept {
  return {text.data(), text.size()};
}

bool has_no_body(int status) noexcept {
  return status < 200 || status == 204 || status == 304;
}

}  // namespace

void ServerShared::destroy_later(std::uint64_t id) {
  ended.push_back(id);
  if (reaper == kNoTimer)
    reaper = loop.after(0, [this] { reap(); });
}

void ServerShared::reap() {
  reaper = kNoTimer;
  for (const std::uint64_t id : std::exchange(ended, {})) {
    connections.at(id)->say_closed();  // may end other connections: they wait for the next turn
    connections.erase(id);
  }
}

struct ServerConnection::Parser {
  std::optional<http::request_parser<http::string_body>> message{};
  std::vector<HeaderView> headers{};
  bool continue_sent{false};

  void begin(const ServerOptions& options) {
    message.emplace();
    message->header_limit(static_cast<std::uint32_t>(options.header_limit_bytes));
    message->body_limit(options.body_limit_bytes);
    message->eager(true);
    continue_sent = false;
  }
};

ServerConnection::ServerConnection(ServerShared& shared, std::uint64_t id)
    : shared_(shared), id_(id), socket_(shared.loop, *this), parser_(std::make_unique<Parser>()) {
  last_active_at_ = shared_.loop.now();
}

ServerConnection::~ServerConnection() {
  shared_.loop.cancel(timer_);
}

// ---- HTTP
// ----------------------------------------------------------------------------------------

void ServerConnection::on_bytes(std::string_view bytes, MonoNanos at) {
  last_active_at_ = at;
  switch (phase_) {
    case Phase::kReading:
    case Phase::kHandling:
      in_.append(bytes);
      if (phase_ == Phase::kReading)
        parse(at);
      // What is left came before its turn: a peer that pipelines without end is cut.
      if (in_.size() >
          shared_.options.header_limit_bytes + shared_.options.body_limit_bytes + kReadChunkBytes) {
        ++shared_.counters.malformed;
        cut();
      }
      return;
    case Phase::kOpen:
    case Phase::kWsClosing:
      read_frames(bytes, at);
      return;
    case Phase::kFlushing:
    case Phase::kDraining:
    case Phase::kGone:
      return;
  }
}

void ServerConnection::parse(MonoNanos at) {
  if (!out_.empty())
    return;  // the last answer leaves first; on_writable comes back here
  if (std::exchange(parser_used_, false))
    parser_->begin(shared_.options);
  std::size_t used = 0;
  boost::system::error_code ec;
  auto& message = *parser_->message;
  while (used < in_.size() && !message.is_done() && !ec) {
    used += message.put(boost::asio::const_buffer(in_.data() + used, in_.size() - used), ec);
  }
  in_.erase(0, used);
  if (ec == http::error::header_limit)
    return refuse_malformed(431);
  if (ec == http::error::body_limit)
    return refuse_malformed(413);
  const std::size_t most = shared_.options.header_limit_bytes + kReadChunkBytes;
  if ((ec && ec != http::error::need_more) || (!message.is_done() && in_.size() > most)) {
    return refuse_malformed(400);
  }
  if (message.is_done())
    return handle_request(at);
  if (message.is_header_done() && !parser_->continue_sent &&
      has_token(view(message.get()[http::field::expect]), "100-continue")) {
    parser_->continue_sent = true;
    out_.append("HTTP/1.1 100 Continue\r\n\r\n");
    socket_.request_write();
  }
}

void ServerConnection::refuse_malformed(int status) {
  ++shared_.counters.malformed;
  phase_ = Phase::kHandling;
  answer({.status = status, .body = "{\"message\":\"request refused\"}"}, true);
}

void ServerConnection::handle_request(MonoNanos at) {
  const auto& message = parser_->message->get();
  const std::string_view target = view(message.target());
  const std::size_t question = target.find('?');
  parser_->headers.clear();
  for (const auto& field : message) {
    parser_->headers.push_back({view(field.name_string()), view(field.value())});
  }
  ServerRequest request;
  request.method = view(message.method_string());
  request.path = target.substr(0, question);
  if (question != std::string_view::npos)
    request.query = target.substr(question + 1);
  request.body = message.body();
  request.headers = parser_->headers;
  request.receive_ns = at;
  request.connection = id_;

  phase_ = Phase::kHandling;
  keep_alive_ = message.keep_alive();
  ++request_number_;
  ++shared_.counters.requests;
  if (try_upgrade(request))
    return;
  if (shared_.handler) {
    shared_.handler(request, shared_.make_responder(id_, request_number_));
  } else {
    answer({.status = 404, .body = "{\"message\":\"not found\"}"}, false);
  }
}

bool ServerConnection::answer(const ServerAnswer& answer, bool then_close) {
  if (phase_ != Phase::kHandling)
    return false;
  const bool closing = then_close || !keep_alive_;
  const bool has_body = !has_no_body(answer.status);
  std::string head = "HTTP/1.1 " + std::to_string(answer.status) + " ";
  const auto reason =
      http::obsolete_reason(http::int_to_status(static_cast<unsigned>(answer.status)));
  head.append(reason.data(), reason.size()).append("\r\n");
  for (const HeaderView& header : answer.headers) {
    head.append(header.name).append(": ").append(header.value).append("\r\n");
  }
  if (has_body) {
    if (!answer.body.empty()) {
      head.append("Content-Type: ").append(answer.content_type).append("\r\n");
    }
    head.append("Content-Length: ").append(std::to_string(answer.body.size())).append("\r\n");
  }
  if (closing)
    head.append("Connection: close\r\n");
  head.append("\r\n");
  out_.append(head);
  if (has_body)
    out_.append(answer.body);
  parser_used_ = true;  // not renewed here: the handler may still look at its request
  phase_ = closing ? Phase::kFlushing : Phase::kReading;
  last_active_at_ = shared_.loop.now();  // the handler's time does not count as idle
  socket_.request_write();
  return true;
}

bool ServerConnection::raw_then_close(std::string_view bytes) {
  if (phase_ != Phase::kHandling)
    return false;
  out_.append(bytes);
  phase_ = Phase::kFlushing;
  socket_.request_write();
  return true;
}

// ---- the way out
// ---------------------------------------------------------------------------------

void ServerConnection::on_writable() {
  const std::string_view chunk = out_.front(kWriteChunkBytes);
  if (!chunk.empty()) {
    if (!socket_.write(chunk)) {
      gone();
      return;
    }
    out_.consume(chunk.size());
    socket_.request_write();  // for the rest, or to learn that all of it has left
    if (owes_drained_ && phase_ == Phase::kOpen &&
        out_.size() <= shared_.options.ws_low_water_bytes) {
      owes_drained_ = false;
      if (route_->on_drained)
        route_->on_drained(*this);
    }
    return;
  }
  if (phase_ == Phase::kReading && !in_.empty()) {
    parse(last_active_at_);
  } else if (phase_ == Phase::kFlushing) {
    finish_sending();
  } else if (phase_ == Phase::kWsClosing) {
    socket_.finish_writing();
  }
}

// FIN, then the peer's own end is awaited: closing with input unread would be an RST that can
// overtake the answer.
void ServerConnection::finish_sending() {
  phase_ = Phase::kDraining;
  socket_.finish_writing();
  timer_ = shared_.loop.after(kDrainNs, [this] { cut(); });
}

void ServerConnection::end_after_sending() {
  if (phase_ != Phase::kOpen)
    return;
  ending_ = {.reason = WsCloseReason::kByUs, .text = "ended by us"};
  if (out_.empty()) {
    finish_sending();
  } else {
    phase_ = Phase::kFlushing;
  }
}

void ServerConnection::cut() {
  if (phase_ == Phase::kGone)
    return;
  if (ws_open_ && phase_ == Phase::kOpen) {
    ending_ = {.reason = WsCloseReason::kByUs, .text = "cut by us"};
  }
  gone();
}

void ServerConnection::on_closed(Ending) {
  gone();
}

void ServerConnection::gone() {
  if (phase_ == Phase::kGone)
    return;
  phase_ = Phase::kGone;
  socket_.reset();
  out_.clear();
  shared_.destroy_later(id_);
}

void ServerConnection::say_closed() {
  if (!std::exchange(ws_open_, false))
    return;
  if (route_->on_closed)
    route_->on_closed(*this, ending_);
}

// ---- WebSocket
// -----------------------------------------------------------------------------------

bool ServerConnection::try_upgrade(const ServerRequest& request) {
  if (request.method != "GET" || !has_token(request.header("Upgrade"), "websocket"))
    return false;
  WsRoute* route = nullptr;
  for (WsRoute& candidate : shared_.routes) {
    if (candidate.path == request.path)
      route = &candidate;
  }
  if (route == nullptr)
    return false;
  const std::string_view key = request.header("Sec-WebSocket-Key");
  if (!has_token(request.header("Connection"), "upgrade") || key.size() != 24) {
    ++shared_.counters.malformed;
    answer({.status = 400, .body = "{\"message\":\"not a WebSocket upgrade\"}"}, true);
  } else if (request.header("Sec-WebSocket-Version") != "13") {
    const HeaderView version{"Sec-WebSocket-Version", "13"};
    answer({.status = 426, .headers = {&version, 1}}, true);
  } else if (const auto refusal = route->on_upgrade ? route->on_upgrade(request) : std::nullopt) {
    answer({.status = refusal->status, .body = refusal->body}, false);
  } else {
    accept_upgrade(request, *route, key);
  }
  return true;
}

void ServerConnection::accept_upgrade(const ServerRequest& request, WsRoute& route,
                                      std::string_view key) {
  out_.append(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: " +
      ws_accept_of(key) + "\r\n");
  const auto terms = shared_.options.ws_deflate
                         ? accept_ws_deflate(request.header("Sec-WebSocket-Extensions"))
                         : std::nullopt;
  if (terms)
    out_.append("Sec-WebSocket-Extensions: " + ws_deflate_answer(*terms) + "\r\n");
  out_.append("\r\n");
  socket_.request_write();
  path_ = std::string(request.path);
  for (const HeaderView& header : request.headers) {
    headers_.push_back({std::string(header.name), std::string(header.value)});
  }
  route_ = &route;
  reader_.emplace(WsReader::Role::kServer, shared_.options.ws_max_message_bytes);
  if (terms) {
    reader_->allow_compressed();
    deflater_.emplace(*terms);
    inflater_.emplace(*terms, shared_.options.ws_max_message_bytes);
  }
  phase_ = Phase::kOpen;
  ws_open_ = true;
  ++shared_.counters.upgrades;
  const std::string early = std::exchange(in_, {});
  if (route.on_open)
    route.on_open(*this);
  read_frames(early, request.receive_ns);
}

std::string_view ServerConnection::header(std::string_view name) const noexcept {
  for (const Header& header : headers_) {
    const HeaderView one{header.name, header.value};
    const std::string_view value = find_header({&one, 1}, name);
    if (!value.empty())
      return value;
  }
  return {};
}

void ServerConnection::read_frames(std::string_view bytes, MonoNanos at) {
  while ((phase_ == Phase::kOpen || phase_ == Phase::kWsClosing) && !deaf_) {
    switch (reader_->read(bytes, at)) {
      case WsReadStatus::kMore:
        return;
      case WsReadStatus::kMessage:
        if (!on_message())
          return;
        break;
      case WsReadStatus::kPing:
        // A peer that pings faster than it reads gets no pong: the queue stays bounded.
        if (phase_ == Phase::kOpen && has_room(reader_->control().size())) {
          put_frame(WsOpcode::kPong, true, reader_->control());
        }
        break;
      case WsReadStatus::kPong:
        break;
      case WsReadStatus::kClose:
        on_close_frame();
        return;
      case WsReadStatus::kTooLarge:
        fail_ws(WsCloseReason::kTooLarge, kCodeTooLarge, "message over the limit");
        return;
      case WsReadStatus::kProtocol:
        fail_ws(WsCloseReason::kProtocol, kCodeProtocol, reader_->error());
        return;
    }
  }
}

// False: the message broke the connection.
bool ServerConnection::on_message() {
  std::string_view message = reader_->message();
  if (reader_->is_compressed()) {
    // Also while closing: the windows of both sides go on.
    const WsInflateStatus status = inflater_->inflate(message);
    if (status == WsInflateStatus::kTooLarge) {
      fail_ws(WsCloseReason::kTooLarge, kCodeTooLarge, "inflated message over the limit");
      return false;
    }
    if (status == WsInflateStatus::kCorrupt) {
      fail_ws(WsCloseReason::kProtocol, kCodeInvalidData, "message does not inflate");
      return false;
    }
    message = inflater_->message();
  }
  if (phase_ == Phase::kOpen && route_->on_message)
    route_->on_message(*this, message, reader_->is_binary());
  return true;
}

void ServerConnection::on_close_frame() {
  ending_.close_code = reader_->close_code();
  if (phase_ == Phase::kWsClosing) {  // the answer to ours: the server ends the connection first
    socket_.finish_writing();
    return;
  }
  ending_.reason = WsCloseReason::kByPeer;
  ending_.text = std::string(reader_->control());
  queue_close_frame(ending_.close_code == 1005 ? std::uint16_t{1000} : ending_.close_code, {});
}

void ServerConnection::fail_ws(WsCloseReason reason, std::uint16_t code, const char* text) {
  ++shared_.counters.malformed;
  deaf_ = true;
  if (phase_ != Phase::kOpen) {
    gone();
    return;
  }
  ending_ = {.reason = reason, .text = text};
  queue_close_frame(code, text);
}

void ServerConnection::close(std::uint16_t code, std::string_view reason) {
  if (phase_ != Phase::kOpen)
    return;
  ending_ = {.reason = WsCloseReason::kByUs, .text = "closed by us"};
  queue_close_frame(code, reason);
}

void ServerConnection::queue_close_frame(std::uint16_t code, std::string_view reason) {
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)};
  payload.append(reason.substr(0, kWsMaxControlBytes - 2));
  put_frame(WsOpcode::kClose, true, payload);
  phase_ = Phase::kWsClosing;
  timer_ = shared_.loop.after(shared_.options.ws_close_timeout_ns, [this] { gone(); });
}

bool ServerConnection::has_room(std::size_t payload_bytes) noexcept {
  if (out_.size() + payload_bytes + kWsMaxHeaderBytes <= shared_.options.ws_queue_bytes)
    return true;
  owes_drained_ = true;
  return false;
}

void ServerConnection::put_frame(WsOpcode opcode, bool final, std::string_view payload,
                                 bool compressed) {
  char header[kWsMaxHeaderBytes];
  const std::size_t header_bytes =
      write_ws_header(header, opcode, final, payload.size(), nullptr, compressed);
  if (out_.empty())
    socket_.request_write();  // otherwise it is asked for already
  char* at = out_.extend(header_bytes + payload.size());
  std::string_view(header, header_bytes).copy(at, header_bytes);
  payload.copy(at + header_bytes, payload.size());
  if (out_.size() > shared_.options.ws_low_water_bytes)
    owes_drained_ = true;
}

// Only once there is room for the message: what was compressed must be sent.
bool ServerConnection::compress(std::string_view& payload) {
  if (!deflater_ || payload.size() < kMinCompressedBytes)
    return false;
  payload = deflater_->compress(payload);
  return true;
}

bool ServerConnection::ping() {
  if (phase_ != Phase::kOpen || !has_room(0))
    return false;
  put_frame(WsOpcode::kPing, true, {});
  return true;
}

bool ServerConnection::send(std::string_view payload, bool binary) {
  if (phase_ != Phase::kOpen || !has_room(payload.size()))
    return false;
  const bool compressed = compress(payload);
  put_frame(binary ? WsOpcode::kBinary : WsOpcode::kText, true, payload, compressed);
  ++shared_.counters.ws_messages_out;
  return true;
}

bool ServerConnection::send_fragmented(std::string_view payload, bool binary,
                                       std::size_t fragment_bytes) {
  const std::size_t step = fragment_bytes == 0 ? 1 : fragment_bytes;
  const std::size_t headers = (payload.size() / step + 1) * kWsMaxHeaderBytes;
  if (phase_ != Phase::kOpen || !has_room(payload.size() + headers))
    return false;
  WsOpcode opcode = binary ? WsOpcode::kBinary : WsOpcode::kText;
  bool compressed = compress(payload);
  do {
    const std::string_view piece = payload.substr(0, step);
    payload.remove_prefix(piece.size());
    put_frame(opcode, payload.empty(), piece, std::exchange(compressed, false));
    opcode = WsOpcode::kContinuation;
  } while (!payload.empty());
  ++shared_.counters.ws_messages_out;
  return true;
}

bool ServerConnection::send_raw(std::string_view bytes) {
  if (phase_ != Phase::kOpen || !has_room(bytes.size()))
    return false;
  socket_.request_write();
  out_.append(bytes);
  return true;
}

}  // namespace sluice::net
