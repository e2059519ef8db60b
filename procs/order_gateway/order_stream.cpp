#include "procs/order_gateway/order_stream.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "common/base/log.hpp"
#include "procs/order_gateway/conversions.hpp"

namespace sluice {
namespace {

using venue::alpaca::StreamKind;
using venue::alpaca::StreamMessage;

constexpr std::int64_t kPingEvery =
    1'000'000'000;  // pongs are part of the proof that the stream lives
constexpr std::int64_t kPongWithin = 5'000'000'000;
constexpr std::int64_t kAliveEvery = 100'000'000;  // how often the core hears of it at most
constexpr std::int64_t kReconnectFirst = 100'000'000;
constexpr std::int64_t kReconnectMax = 5'000'000'000;

}  // namespace

OrderStream::OrderStream(net::Loop& loop, const VenueConfig& venue,
                         const venue::SymbolTable& symbols, const Credentials& credentials,
                         std::uint32_t attempts, Callbacks callbacks)
    : loop_(loop),
      venue_(venue),
      credentials_(credentials),
      attempts_(attempts),
      callbacks_(std::move(callbacks)),
      decoder_(symbols) {
  net::WsClientOptions options;
  options.max_message_bytes = venue::alpaca::TradingStreamDecoder::kFrameBytesMax;
  options.ping_every_ns = kPingEvery;
  options.pong_within_ns = kPongWithin;
  options.reconnect = {
      .enabled = true, .first_ns = kReconnectFirst, .max_ns = kReconnectMax, .max_failures = 0};
  socket_ = std::make_unique<net::WsClient>(
      loop_, net::Endpoint{.host = venue.stream_host, .port = venue.stream_port, .tls = false},
      venue.stream_path, options,
      net::WsClientHandler{
          .on_open = [this] { on_open(); },
          .on_message = [this](std::string_view payload, bool,
                               MonoNanos receive_ns) { on_message(payload, receive_ns); },
          .on_closed = [this](const net::WsClosed& closed) { on_closed(closed); }});
}

void OrderStream::poll(MonoNanos now) {
  if (phase_ != Phase::kListening || now.ns - last_alive_.ns < kAliveEvery)
    return;
  const MonoNanos seen = std::max(last_message_, socket_->last_pong_ns());
  if (seen <= last_alive_)
    return;
  last_alive_ = now;
  callbacks_.event(StreamAlive{.at_ns = seen});
}

void OrderStream::on_open() {
  phase_ = Phase::kAuthenticating;
  std::array<char, 512> text;
  const std::size_t size =
      venue::alpaca::encode_authenticate(credentials_.key, credentials_.secret, text);
  if (size == 0) {
    callbacks_.give_up(ExitCode::kCredentials,
                       venue_.credentials_file +
                           ": key or secret has characters that no venue uses; "
                           "check the file");
    return;
  }
  if (!socket_->send({text.data(), size}))
    socket_->cut();
}

void OrderStream::on_message(std::string_view payload, MonoNanos receive_ns) {
  last_message_ = receive_ns;
  StreamMessage message;
  if (const venue::DecodeStatus status = decoder_.decode(payload, message);
      status != venue::DecodeStatus::kOk) {
    ++bad_frames_;
    // Something happened at the venue that we could not read: nothing is proven until it was
    // audited.
    callbacks_.trouble(fmt::format("order stream: a frame could not be read ({}, field '{}')",
                                   to_string(status), decoder_.last_fault().field));
    if (phase_ == Phase::kListening) {
      callbacks_.event(StreamState{.up = false, .at_ns = receive_ns});
      callbacks_.event(StreamState{.up = true, .at_ns = receive_ns});
    }
    return;
  }
  switch (message.kind) {
    case StreamKind::kTradeUpdate:
      if (phase_ == Phase::kListening)
        callbacks_.event(to_core(message.update, receive_ns));
      return;
    case StreamKind::kAuthorized: {
      std::array<char, 128> text;
      const std::size_t size = venue::alpaca::encode_listen_trade_updates(text);
      phase_ = Phase::kSubscribing;
      if (!socket_->send({text.data(), size}))
        socket_->cut();
      return;
    }
    case StreamKind::kUnauthorized:
      callbacks_.give_up(
          ExitCode::kCredentials,
          fmt::format("order stream {}:{}: the venue refused the credentials; check {}",
                      venue_.stream_host, venue_.stream_port, venue_.credentials_file));
      return;
    case StreamKind::kListening:
      if (!message.listens) {
        down("the venue does not offer trade_updates");
        socket_->cut();
        return;
      }
      phase_ = Phase::kListening;
      ++connects_;
      failures_ = 0;
      last_alive_ = receive_ns;
      log_info("order stream up at {}:{}", venue_.stream_host, venue_.stream_port);
      callbacks_.event(StreamState{.up = true, .at_ns = receive_ns});
      return;
    case StreamKind::kError:
      callbacks_.trouble(fmt::format("order stream: the venue says \"{}\"", message.text.view()));
      return;
    case StreamKind::kHeartbeat:
      return;
  }
}

void OrderStream::on_closed(const net::WsClosed& closed) {
  if (closed.reason == net::WsCloseReason::kRefused &&
      (closed.http_status == 401 || closed.http_status == 403)) {
    callbacks_.give_up(
        ExitCode::kCredentials,
        fmt::format("order stream: the venue refused the connection with status {}; check {}",
                    closed.http_status, venue_.credentials_file));
    return;
  }
  down(closed.text);
}

void OrderStream::down(const std::string& why) {
  if (phase_ == Phase::kListening) {
    callbacks_.event(StreamState{.up = false, .at_ns = loop_.now()});
    log_warn("order stream down: {}", why);
  }
  phase_ = Phase::kDown;
  ++failures_;
  callbacks_.trouble(
      fmt::format("order stream {}:{}: {}", venue_.stream_host, venue_.stream_port, why));
  if (connects_ == 0 && failures_ >= attempts_) {
    callbacks_.give_up(
        ExitCode::kVenueUnavailable,
        fmt::format("order stream: {} failures in a row ({}); is the venue up at {}:{}?", failures_,
                    why, venue_.stream_host, venue_.stream_port));
  }
}

}  // namespace sluice
