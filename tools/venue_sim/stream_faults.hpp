// stream_faults.hpp — what goes wrong with the messages of one WebSocket: between hub and socket.
//
// A session of its own around the real one, so that the hubs know nothing of faults. Runs on the
// server's thread; told the time by `pump`. What it holds back is bounded: beyond that the client
// counts as too slow and send() refuses, as the socket's own queue does.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

#include "common/net/http_server.hpp"
#include "tools/venue_sim/faults.hpp"

namespace sluice::sim {

class FaultySession final : public net::WsServerSession {
 public:
  static constexpr std::size_t kMaxHeldBytes = 4 << 20;
  static constexpr std::int64_t kNoSuccessorNs = kNanosPerSecond;

  // `session` and `faults` must outlive it.
  FaultySession(net::WsServerSession& session, Faults& faults, FaultSite site, WallNanos now)
      : session_(session), faults_(faults), site_(site), now_(now) {}

  // Sends what is due; to be called with the present time before anything else happens at it.
  void pump(WallNanos now);
  // When pump has something to do; nothing while nothing is held back.
  [[nodiscard]] std::optional<WallNanos> next_due() const noexcept;

  [[nodiscard]] std::uint64_t id() const noexcept override { return session_.id(); }
  [[nodiscard]] const std::string& path() const noexcept override { return session_.path(); }
  [[nodiscard]] std::string_view header(std::string_view name) const noexcept override {
    return session_.header(name);
  }
  [[nodiscard]] bool send(std::string_view payload, bool binary) override;
  [[nodiscard]] bool send_fragmented(std::string_view payload, bool binary,
                                     std::size_t fragment_bytes) override;
  [[nodiscard]] bool ping() override { return muted_ || session_.ping(); }
  [[nodiscard]] MonoNanos heard_at() const noexcept override { return session_.heard_at(); }
  bool send_raw(std::string_view bytes) override { return session_.send_raw(bytes); }
  [[nodiscard]] std::size_t queued_bytes() const noexcept override {
    return session_.queued_bytes() + held_bytes_;
  }
  void freeze() override { session_.freeze(); }
  void end_after_sending() override { session_.end_after_sending(); }
  void close(std::uint16_t code, std::string_view reason) override;
  void cut() override;

 private:
  struct Held {
    WallNanos due;
    std::string payload;
    bool binary;
  };

  [[nodiscard]] bool pass(std::string_view payload, bool binary);
  [[nodiscard]] bool hold(WallNanos due, std::string_view payload, bool binary);
  // Half of the frame's bytes, then the connection ends.
  void cut_in_mid_frame(std::string_view payload, bool binary);

  net::WsServerSession& session_;
  Faults& faults_;
  FaultSite site_;
  WallNanos now_;
  std::deque<Held> held_;  // in the order of their going
  std::size_t held_bytes_{0};
  WallNanos free_at_{};          // a slow stream sends nothing before
  std::string successor_first_;  // waits for the message after it, until release_at_
  WallNanos release_at_{};
  bool successor_binary_{false};
  bool reordering_{false};
  bool muted_{false};
};

}  // namespace sluice::sim
