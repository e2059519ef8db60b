// The hand-over between the gateway's two threads: what the hot thread asks, what the network
// thread answers, and the words of the kill switch.
//
// Invariants:
//  1. Two bounded queues, one producer and one consumer each; after construction neither allocates.
//  2. The hot thread never waits: a full request queue is seen before a row is written. The network
//     thread waits for room rather than lose an event; meanwhile the sockets hold the venue back.
//  3. `kill_episode` is raised by the hot thread; the network thread asks for it right before every
//     write of an order and acknowledges it only between writes: after the acknowledgement no order
//     of that episode leaves.
#pragma once

#include <concurrentqueue/concurrentqueue.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

#include "common/base/error.hpp"
#include "common/messages/ids.hpp"
#include "common/trading/venue_events.hpp"

namespace sluice {

enum class NetRequestKind : std::uint8_t {
  kNone = 0,
  kSubmit,
  kReplace,  // `venue_order_id` is the old order's; `qty` and `limit` are 0 where they stay
  kCancel,
  kLookup,
  kLookupForeign,
  kAudit
};

// Everything the network thread needs to make the request; it reads no row.
struct NetRequest {
  NetRequestKind kind{NetRequestKind::kNone};
  LookupBy by{LookupBy::kNone};
  Side side{Side::kNone};
  OrderType type{OrderType::kNone};
  TimeInForce tif{TimeInForce::kNone};
  std::uint32_t instrument{kNoInstrument};
  std::uint32_t audit_reasons{0};
  RowRef ref{};
  ClientOrderId client_order_id{};
  Id128 venue_order_id{};
  Qty qty{};
  Price limit{};
  MonoNanos deadline_ns{};
  MonoNanos hand_over_ns{};
};

class HandOver {
 public:
  static constexpr std::size_t kRequests = 1024;
  static constexpr std::size_t kEvents = 8192;

  HandOver()
      : requests_(kRequests, 1, 0),
        events_(kEvents, 1, 0),
        request_token_(requests_),
        event_token_(events_) {}

  // Hot thread.
  [[nodiscard]] bool request_room() const noexcept {
    return requests_.size_approx() + kMargin < kRequests;
  }
  [[nodiscard]] bool ask(const NetRequest& request) noexcept {
    return request_room() && requests_.try_enqueue(request_token_, request);
  }
  [[nodiscard]] bool next_event(VenueEvent& event) noexcept {
    return events_.try_dequeue_from_producer(event_token_, event);
  }

  // Network thread.
  [[nodiscard]] bool next_request(NetRequest& request) noexcept {
    return requests_.try_dequeue_from_producer(request_token_, request);
  }
  [[nodiscard]] bool tell(const VenueEvent& event) noexcept {
    return events_.size_approx() + kMargin < kEvents && events_.try_enqueue(event_token_, event);
  }

  // Kill switch. The episode counts trips; 0: not tripped.
  void trip(std::uint64_t episode) noexcept {
    // release: pairs with the acquire in tripped_episode(); what led to the trip comes before it.
    kill_episode_.store(episode, std::memory_order_release);
  }
  [[nodiscard]] std::uint64_t tripped_episode() const noexcept {
    return kill_episode_.load(std::memory_order_acquire);  // pairs with trip()
  }
  void acknowledge(std::uint64_t episode) noexcept {
    // release: pairs with the acquire in acknowledged(); our last write comes before it.
    acknowledged_.store(episode, std::memory_order_release);
  }
  [[nodiscard]] std::uint64_t acknowledged() const noexcept {
    return acknowledged_.load(std::memory_order_acquire);  // pairs with acknowledge()
  }

  // The network thread cannot go on (credentials refused, venue away for good): the hot thread ends
  // the process with this. The first word wins.
  void give_up(ExitCode code, const std::string& why) {
    const std::lock_guard lock(why_mutex_);  // cold: once in a process's life
    if (why_.empty())
      why_ = why;
    // release: pairs with the acquire in gave_up(); the text comes before the flag.
    code_.store(static_cast<int>(code), std::memory_order_release);
  }
  [[nodiscard]] bool gave_up(ExitCode& code, std::string& why) {
    const int value = code_.load(std::memory_order_acquire);  // pairs with give_up()
    if (value == 0)
      return false;
    const std::lock_guard lock(why_mutex_);
    code = static_cast<ExitCode>(value);
    why = why_;
    return true;
  }

  // relaxed: a word for status only.
  std::atomic<bool> connection_ready{false};
  std::atomic<bool> stop{false};

 private:
  // size_approx may lag behind by what is in progress on the other side: one element each way.
  static constexpr std::size_t kMargin = 4;

  moodycamel::ConcurrentQueue<NetRequest> requests_;
  moodycamel::ConcurrentQueue<VenueEvent> events_;
  moodycamel::ProducerToken request_token_;
  moodycamel::ProducerToken event_token_;
  std::atomic<std::uint64_t> kill_episode_{0};
  std::atomic<std::uint64_t> acknowledged_{0};
  std::atomic<int> code_{0};
  std::mutex why_mutex_;
  std::string why_;
};

}  // namespace sluice
