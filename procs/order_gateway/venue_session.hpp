// VenueSession: the gateway's network thread. Sends what the hot thread decided, tells what came
// back.
//
// Thread contract: run() is the network thread; wake(), reset_from_hot_thread(), take_reads() and
// the public counters are the hot thread's. Invariants:
//  1. One result for each request taken, whatever happens to its connection; nothing is sent twice.
//  2. The kill words, the episode and the deadline are asked once more right before an order's
//  bytes
//     are written; a no becomes "not sent", by proof.
//  3. An episode is acknowledged between writes, after every connection with an unanswered order
//  was
//     reset: those orders are unknown, and nothing of them can still leave.
#pragma once

#include <atomic>
#include <memory>

#include "common/net/http_pool.hpp"
#include "common/net/loop.hpp"
#include "common/venue/alpaca/rest.hpp"
#include "procs/order_gateway/hand_over.hpp"
#include "procs/order_gateway/kill_switch.hpp"
#include "procs/order_gateway/order_stream.hpp"
#include "procs/order_gateway/venue_reader.hpp"

namespace sluice {

class VenueSession {
 public:
  VenueSession(StageShell& shell, const InstrumentTable& instruments, Credentials credentials,
               HandOver& hand_over, const KillSwitch& kill);

  void run() noexcept;

  void wake() noexcept { loop_.wake(); }
  void reset_from_hot_thread() noexcept { pool_->reset_from_other_thread(); }
  // Reads of the venue since the last call, for the core's count of the venue's budget.
  [[nodiscard]] std::uint64_t take_reads() noexcept {
    return reads_.exchange(0, std::memory_order_relaxed);
  }

  // relaxed: numbers for the metrics page.
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::uint64_t> venue_errors{0};
  std::atomic<std::uint64_t> stream_connects{0};
  std::atomic<std::uint64_t> reconnects{0};

 private:
  std::size_t turn();
  void take(const NetRequest& request);
  void submit(const NetRequest& request);
  void replace(const NetRequest& request);
  // An order's bytes leave once, or the core hears why not. An empty body could not be written.
  void send_order(const NetRequest& request, const char* method, std::string_view target,
                  std::string_view body);
  void cancel(const NetRequest& request);
  void look_up(const NetRequest& request);
  [[nodiscard]] PostResult post_result(const NetRequest& request, const net::HttpAnswer& answer);
  [[nodiscard]] RequestOutcome outcome_of(venue::alpaca::RequestKind kind,
                                          const net::HttpAnswer& answer, std::int32_t& code);
  [[nodiscard]] bool may_send(const NetRequest& request) const noexcept;
  void watch_kill();
  void watch_connections();
  void tell(const VenueEvent& event);
  void trouble(const std::string& what);

  StageShell& shell_;
  const VenueConfig& venue_;
  const InstrumentTable& instruments_;
  Credentials credentials_;
  HandOver& hand_over_;
  const KillSwitch& kill_;
  net::Loop loop_;
  venue::SymbolTable symbols_;
  venue::alpaca::RestDecoder decoder_;
  std::unique_ptr<net::HttpPool> pool_;
  std::unique_ptr<OrderStream> stream_;
  std::unique_ptr<VenueReader> reader_;
  std::uint32_t posts_outstanding_{0};
  std::uint64_t acknowledged_{0};
  std::atomic<std::uint64_t> reads_{0};
};

}  // namespace sluice
