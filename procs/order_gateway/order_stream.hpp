// OrderStream: the venue's stream of order events, from connect to listening, as events for the
// core.
//
// Thread contract: the network thread.
// Life of a connection: open, authenticate, authorised, listen, listening. Only then the core is
// told that the stream is up; whatever ends it is told at once, since from then on nothing is
// proven.
#pragma once

#include <functional>
#include <memory>

#include "common/net/ws_client.hpp"
#include "common/runtime/stage.hpp"
#include "common/trading/venue_events.hpp"
#include "common/venue/alpaca/trading_stream.hpp"

namespace sluice {

class OrderStream {
 public:
  struct Callbacks {
    std::function<void(const VenueEvent&)> event;
    std::function<void(ExitCode, const std::string&)> give_up;
    std::function<void(const std::string&)> trouble;  // for status: what went wrong last
  };

  OrderStream(net::Loop& loop, const VenueConfig& venue, const venue::SymbolTable& symbols,
              const Credentials& credentials, std::uint32_t attempts, Callbacks callbacks);

  // Tells the core that the stream is alive, when it is; call once a turn.
  void poll(MonoNanos now);

  [[nodiscard]] bool listening() const noexcept { return phase_ == Phase::kListening; }
  [[nodiscard]] std::uint64_t connects() const noexcept { return connects_; }
  [[nodiscard]] std::uint64_t bad_frames() const noexcept { return bad_frames_; }

 private:
  enum class Phase : std::uint8_t { kDown, kAuthenticating, kSubscribing, kListening };

  void on_open();
  void on_message(std::string_view payload, MonoNanos receive_ns);
  void on_closed(const net::WsClosed& closed);
  void down(const std::string& why);

  net::Loop& loop_;
  const VenueConfig& venue_;
  const Credentials& credentials_;
  std::uint32_t attempts_;
  Callbacks callbacks_;
  venue::alpaca::TradingStreamDecoder decoder_;
  std::unique_ptr<net::WsClient> socket_;
  Phase phase_{Phase::kDown};
  MonoNanos last_alive_{};
  MonoNanos last_message_{};
  std::uint64_t connects_{0};
  std::uint64_t bad_frames_{0};
  std::uint32_t failures_{0};
};

}  // namespace sluice
