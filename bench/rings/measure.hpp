// The two closed-loop measurements, the same for every Link.
#pragma once

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "bench/rings/clock.hpp"
#include "bench/rings/link.hpp"
#include "shm/atomics.hpp"

namespace sluice::bench {

inline constexpr std::uint64_t kWarmUpTrips = 9'000;  // twice over every line of 4,096

template <class Side, class Message>
void send(Side& side, const Message& message) {
  while (!side.try_send(message))
    relax(1);
}

// Cycles of `count` round trips: the parent sends, the partner answers each with what it received.
template <Link L>
[[nodiscard]] std::vector<std::uint64_t> round_trips(L& link, std::uint64_t warm_up,
                                                     std::uint64_t count) {
  using Message = typename L::Message;
  const std::uint64_t total = warm_up + count;
  const Partner echo(L::kParty, Core::kSecond, [&link, total] {
    auto side = link.open(End::kPartner);
    for (std::uint64_t i = 0; i < total;) {
      Message received;
      if (side.receive([&received](const Message& message) { received = message; }) == 0) {
        relax(1);
        continue;
      }
      send(side, received);
      side.flush();
      ++i;
    }
  });
  auto side = link.open(End::kParent);
  Arrivals arrivals;
  std::vector<std::uint64_t> samples(count);
  for (std::uint64_t i = 0; i < total; ++i) {
    const Message message = Message::of(i);
    Message answer;
    const std::uint64_t sent = ticks_before();
    send(side, message);
    side.flush();
    while (side.receive([&answer](const Message& received) { answer = received; }) == 0)
      relax(1);
    const std::uint64_t answered = ticks_after();
    arrivals.take(answer);
    if (i >= warm_up)
      samples[i - warm_up] = answered - sent;
  }
  arrivals.check<Message>(total, L::kName);
  return samples;
}

// Millions of messages a second from the partner to the parent, counted once `warm_up` arrived. The
// parent rests `pauses` between two looks at an empty queue.
template <Link L>
[[nodiscard]] double one_way(L& link, std::uint64_t warm_up, std::uint64_t count, unsigned pauses) {
  using Message = typename L::Message;
  using Atomics = shm::StdAtomics;
  const std::uint64_t total = warm_up + count;
  const Shared<Atomics::Word> over(std::uint64_t{0});
  const Partner sender(L::kParty, Core::kSecond, [&link, &over, total] {
    auto side = link.open(End::kPartner);
    for (std::uint64_t i = 0; i < total; ++i)
      send(side, Message::of(i));
    side.flush();
    // ZeroMQ forgets what a peer that hangs up had sent while the receiver's queue was full.
    while (Atomics::load_acquire(over.get()) == 0)  // acquire: pairs with the release of SayOver
      std::this_thread::sleep_for(std::chrono::microseconds{200});
  });
  // Also when a check fails: the partner is waited for.
  struct SayOver {
    Atomics::Word& over;
    ~SayOver() { Atomics::store_release(over, 1); }  // release: a word of its own
  } const say_over{over.get()};
  auto side = link.open(End::kParent);
  Arrivals arrivals;
  std::uint64_t begun = 0;
  std::uint64_t begun_at = 0;
  while (arrivals.received() < total) {
    if (side.receive([&arrivals](const Message& message) { arrivals.take(message); }) == 0) {
      relax(pauses);
    } else if (begun == 0 && arrivals.received() >= warm_up) {
      begun = ticks_after();
      begun_at = arrivals.received();
    }
  }
  const std::uint64_t ended = ticks_after();
  arrivals.check<Message>(total, L::kName);
  return static_cast<double>(total - begun_at) * 1e3 / tsc().ns(ended - begun);
}

}  // namespace sluice::bench
