// The feed-handler: one WebSocket to the venue, decoded and published.
//
// Thread contract: the stage's only thread; the network library's callbacks run inside poll() and
// wait(). Life of a connection: open, greeting, credentials, subscription, acknowledged, data.
// Whatever breaks it, the rows are marked as having no feed behind them, and the next attempt waits
// longer; after `reconnect_attempts` failures in a row the process ends with exit 69 and its
// supervisor decides.
#pragma once

#include <memory>
#include <string>

#include "common/net/loop.hpp"
#include "common/net/ws_client.hpp"
#include "common/runtime/delta_counter.hpp"
#include "common/runtime/metrics.hpp"
#include "common/runtime/stage.hpp"
#include "common/venue/alpaca/market_data.hpp"
#include "procs/feed_handler/publisher.hpp"
#include "shm/ring.hpp"

namespace sluice {

class FeedApp {
 public:
  FeedApp(StageShell& shell, const FeedConfig& feed, Credentials credentials);

  std::size_t poll(MonoNanos now);
  void wait(int timeout_ms);
  void drain();
  [[nodiscard]] bool live() const noexcept { return phase_ == Phase::kSubscribed; }

 private:
  enum class Phase : std::uint8_t { kDown, kOpen, kAuthenticating, kSubscribing, kSubscribed };

  void on_message(std::string_view payload, MonoNanos receive_ns);
  void on_control(const venue::alpaca::ControlMessage& control);
  [[nodiscard]] std::string not_acknowledged(const venue::alpaca::ControlMessage& ack,
                                             std::uint32_t wanted) const;
  void on_error(const venue::alpaca::ControlMessage& control);
  void on_closed(const net::WsClosed& closed);
  void authenticate();
  void subscribe();
  void count_failure(const std::string& why);
  void publish_counters() noexcept;

  StageShell& shell_;
  const FeedConfig& feed_;
  Credentials credentials_;
  InstrumentTable instruments_;
  venue::alpaca::MarketDataDecoder decoder_;
  MarketPublisher publisher_;
  shm::RingConsumer<Command> commands_;
  DeltaCounters<FeedMetric> counted_;
  net::Loop loop_;
  std::unique_ptr<net::WsClient> socket_;
  Phase phase_{Phase::kDown};
  std::uint64_t handled_{0};   // messages since the last turn
  MonoNanos first_receive_{};  // of the turn's first frame
  std::uint64_t bytes_{0};
  std::uint64_t connects_{0};
  std::uint64_t disconnects_{0};
  std::uint32_t failures_{0};  // in a row, until a subscription was acknowledged
  MonoNanos last_counters_{};
};

}  // namespace sluice
