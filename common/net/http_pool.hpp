// http_pool.hpp — HTTP/1.1 requests to a venue whose outcome is always known for what it is.
//
// Runs on its Loop's thread; reset_from_other_thread() is the exception. A callback may send the
// next request but must not destroy the pool. Invariants:
//  1. One request outstanding per connection; no pipelining.
//  2. Nothing is ever sent twice. A request ends in exactly one callback with exactly one Outcome.
//  3. kNotSent is a proof: not one byte of the request was handed to the socket. Everything that
//     went wrong after that is kUnknown, and its connection was closed hard (RST) before the
//     callback runs: a late answer can no longer arrive.
//  4. A request never waits behind a connect: with no free connection try_send() refuses.
//  5. `may_write` and the deadline are asked once more, right before the socket write.
//  6. Bytes that arrive with no request outstanding close the connection.
//  7. Header values are never logged.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.hpp"
#include "common/net/loop.hpp"
#include "common/net/types.hpp"

namespace sluice::net {

// kNormal uses the normal connections only. kCancel (cancels, kill) uses the connections kept for
// it first and then any free normal one, so that new orders can never take the last way out.
enum class Lane : std::uint8_t { kNormal, kCancel };

// All views need to live for the call to try_send() only.
struct HttpRequest {
  std::string_view method;                // "GET", "POST", "PATCH", "DELETE", "PUT"
  std::string_view target;                // path and query, already percent-encoded
  std::string_view body{};                // sent as application/json when not empty
  std::span<const HeaderView> headers{};  // added to the pool's own
  MonoNanos deadline{};                   // not written after it; {0} = none
};

enum class Outcome : std::uint8_t {
  kAnswered,  // a complete answer, whatever its status
  kNotSent,   // proof: no byte left
  kUnknown,   // bytes may have left, no complete answer came
};
[[nodiscard]] const char* to_string(Outcome outcome) noexcept;

// All views are valid inside the callback only.
struct HttpAnswer {
  Outcome outcome{Outcome::kNotSent};
  int status{0};  // with kAnswered
  std::string_view body{};
  std::span<const HeaderView> headers{};  // in the order of the answer
  MonoNanos wire_ns{};                    // right before the socket write; {0} = not written
  MonoNanos answer_ns{};                  // when the last bytes of the answer were handed to us
  const char* why{""};                    // static text: why not answered

  // Value of the first header of that name (any case), or empty.
  [[nodiscard]] std::string_view header(std::string_view name) const noexcept {
    return find_header(headers, name);
  }
};

using AnswerFn = std::function<void(const HttpAnswer&)>;
using MayWriteFn = std::function<bool()>;

struct PoolOptions {
  std::size_t connections{4};                     // 1 … 64, for kNormal
  std::size_t cancel_connections{1};              // 1 … 16, kept for kCancel
  std::size_t header_limit_bytes{16 * 1024};      // larger answer head: kUnknown
  std::size_t body_limit_bytes{4 * 1024 * 1024};  // larger answer body: kUnknown
  std::size_t request_limit_bytes{64 * 1024};     // larger request: try_send() refuses
  std::int64_t connect_timeout_ns{2'000'000'000};
  // From try_send() to the complete answer. Past it the connection is reset and the outcome
  // unknown; too short makes orders unknown that the venue would have answered.
  std::int64_t answer_timeout_ns{2'000'000'000};
  // TCP_USER_TIMEOUT: how long written bytes may stay unacknowledged; at most the orders' deadline.
  std::uint32_t tcp_user_timeout_ms{500};
  ReconnectPolicy reconnect{};
  std::vector<Header> headers{};  // on every request, e.g. credentials
  std::string host_header{};      // default: the endpoint's host:port
};

struct PoolCounters {
  std::uint64_t accepted{0};  // try_send() said true
  std::uint64_t refused{0};   // try_send() said false
  std::uint64_t written{0};
  std::uint64_t answered{0};
  std::uint64_t not_sent{0};
  std::uint64_t unknown{0};
  std::uint64_t connects{0};
  std::uint64_t connect_failures{0};
  std::uint64_t unsolicited_closes{0};  // bytes came with no request outstanding
  std::uint64_t malformed_answers{0};   // not HTTP/1.x or past a limit
};

enum class PoolState : std::uint8_t {
  kConnecting,  // at least one connection is missing, attempts go on
  kReady,       // all connections are up
  kGaveUp,      // connections are missing and none of them tries any more; retry() starts again
};

struct PoolStatus {
  PoolState state{PoolState::kConnecting};
  std::size_t normal_up{0};  // connected, free or busy
  std::size_t normal_free{0};
  std::size_t cancel_up{0};
  std::size_t cancel_free{0};
  // Of the worst connection, since it last proved good: gave an answer, or stayed up for
  // reconnect.max_ns.
  std::uint32_t consecutive_failures{0};
};

class HttpPool {
 public:
  // Starts to connect with the loop's next turn. Throws Error(kConfig) on options out of range or
  // an endpoint with tls.
  HttpPool(Loop& loop, Endpoint endpoint, PoolOptions options);
  // Resets every connection; callbacks of outstanding requests do not run any more.
  ~HttpPool();
  HttpPool(const HttpPool&) = delete;
  HttpPool& operator=(const HttpPool&) = delete;

  // True if a try_send() on that lane would be taken now.
  [[nodiscard]] bool ready(Lane lane) const noexcept;

  // False = refused, nothing was done and no callback will run: no free connection on the lane, or
  // the request is larger than request_limit_bytes or contains a line break outside its body.
  // True = `on_answer` runs exactly once, later, from the loop. `may_write` (may be empty) is
  // called right before the socket write; false makes the outcome kNotSent.
  [[nodiscard]] bool try_send(Lane lane, const HttpRequest& request, AnswerFn on_answer,
                              MayWriteFn may_write = {});

  // Sends RST on every connection now. Requests whose bytes may have left end kUnknown, those not
  // yet written kNotSent (callbacks at the loop's next turn); then the pool connects again.
  void reset_all();

  // The same RST from another thread, for a hot thread whose network thread does not answer: no
  // byte is written to any of the present connections after this returns, bytes queued in the
  // kernel are dropped. Touches nothing else; the outcomes follow when the loop turns again.
  void reset_from_other_thread() noexcept;

  // After kGaveUp: the failure budget is full again.
  void retry();

  [[nodiscard]] PoolStatus status() const noexcept;
  [[nodiscard]] const PoolCounters& counters() const noexcept;
  // What the last failed connect or lost connection said; empty if none. For people.
  [[nodiscard]] const std::string& last_error() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::net
