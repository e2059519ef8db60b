// http_connection.hpp — one keep-alive connection of an HttpPool.
//
// For this folder only; runs on the Loop's thread, reset_from_other_thread() excepted. Invariants:
//  1. The phase says what is proved: in kQueued no byte of the request has been handed to the
//     socket, from kWritten on some may have left. Outcomes follow from the phase alone.
//  2. A request is finished exactly once: finish() moves its callback out.
//  3. The buffer of a request is filled once and written by one call; nothing keeps it afterwards.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/net/backoff.hpp"
#include "common/net/http_pool.hpp"
#include "common/net/raw_socket.hpp"

namespace sluice::net {

// What the connections of one pool share.
struct PoolShared {
  Loop& loop;
  Endpoint endpoint;
  PoolOptions options;
  std::string constant_headers{};  // rendered once: Host, the pool's own headers
  PoolCounters counters{};
  std::string last_error{};
};

class HttpConnection final : private RawSocket::Events {
 public:
  HttpConnection(PoolShared& shared, std::uint64_t seed);
  ~HttpConnection();
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  [[nodiscard]] bool is_free() const noexcept { return phase_ == Phase::kFree; }
  [[nodiscard]] bool is_up() const noexcept {
    return phase_ == Phase::kFree || phase_ == Phase::kQueued || phase_ == Phase::kWritten;
  }
  [[nodiscard]] bool gave_up() const noexcept { return phase_ == Phase::kGaveUp; }
  [[nodiscard]] std::uint32_t failures() const noexcept { return backoff_.failures(); }

  // Requires is_free(). False = the request does not fit or is malformed; nothing happened.
  [[nodiscard]] bool start(const HttpRequest& request, AnswerFn on_answer, MayWriteFn may_write);
  void reset();  // RST now; the outcome follows from the loop
  void reset_from_other_thread() noexcept { socket_.reset_from_other_thread(); }
  void retry();

 private:
  enum class Phase : std::uint8_t {
    kWaiting,  // not connected; a timer starts the next attempt
    kConnecting,
    kFree,
    kQueued,   // a request waits for the writable callback
    kWritten,  // it was handed to the socket
    kEnding,   // reset by us; a timer delivers the outcome
    kGaveUp,
  };
  struct Answer;  // the Beast parser and what belongs to it

  void on_connected() override;
  void on_bytes(std::string_view bytes, MonoNanos at) override;
  void on_writable() override;
  void on_closed(Ending ending) override;

  void connect_now();
  void connection_failed(const std::string& why);
  void wait_and_connect();
  void lost(const char* why);
  [[nodiscard]] bool render(const HttpRequest& request);
  void deliver_answer(MonoNanos at, bool keep);
  void finish(Outcome outcome, const char* why);
  void set_timer(std::int64_t delay_ns, void (HttpConnection::*action)());
  void stop_timer() noexcept;
  void on_connect_timeout();
  void on_answer_timeout();
  void on_ending();

  PoolShared& shared_;
  RawSocket socket_;
  Backoff backoff_;
  Phase phase_{Phase::kWaiting};
  TimerId timer_{kNoTimer};
  void (HttpConnection::*timer_action_)(){nullptr};
  MonoNanos up_since_{};

  std::string request_{};  // reserved once for request_limit_bytes
  AnswerFn on_answer_{};
  MayWriteFn may_write_{};
  MonoNanos deadline_{};
  MonoNanos wire_ns_{};
  Outcome ending_outcome_{Outcome::kNotSent};
  const char* ending_why_{""};
  std::unique_ptr<Answer> answer_;
};

}  // namespace sluice::net
