#include "common/net/loop.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "common/base/error.hpp"
#include "common/net/backoff.hpp"
#include "common/net/byte_queue.hpp"
#include "common/net/http_server.hpp"
#include "common/net/timer_heap.hpp"
#include "tests/net/support.hpp"

namespace sluice::net {
namespace {

using test::run_until;

TEST(TimerHeap, RunsInDueOrderAndEqualTimesInOrderOfTheirAge) {
  TimerHeap heap(8);
  std::vector<int> ran;
  heap.add(30, [&] { ran.push_back(3); });
  heap.add(10, [&] { ran.push_back(1); });
  heap.add(20, [&] { ran.push_back(2); });
  heap.add(10, [&] { ran.push_back(11); });
  EXPECT_EQ(heap.next_due_ns(), 10);
  EXPECT_EQ(heap.run_due(9), 0U);
  EXPECT_EQ(heap.run_due(25), 3U);
  EXPECT_EQ(ran, (std::vector<int>{1, 11, 2}));
  EXPECT_EQ(heap.next_due_ns(), 30);
}

TEST(TimerHeap, RemovedTimerDoesNotRunAndItsIdNeverHitsTheNextOne) {
  TimerHeap heap(2);
  int ran = 0;
  const std::uint64_t first = heap.add(1, [&] { ran += 1; });
  heap.remove(first);
  EXPECT_TRUE(heap.empty());
  heap.add(1, [&] { ran += 10; });  // takes the freed slot
  heap.remove(first);
  EXPECT_EQ(heap.run_due(1), 1U);
  EXPECT_EQ(ran, 10);
}

TEST(TimerHeap, TimerAddedByATimerWaitsForTheNextTurn) {
  TimerHeap heap(2);
  int ran = 0;
  heap.add(0, [&] {
    ++ran;
    heap.add(0, [&] { ++ran; });
  });
  EXPECT_EQ(heap.run_due(5), 1U);
  EXPECT_EQ(heap.run_due(5), 1U);
  EXPECT_EQ(ran, 2);
}

TEST(TimerHeap, KeepsTheOrderThroughThousandsOfRandomAddsAndRemoves) {
  TimerHeap heap(1'000);
  std::uint64_t random = 88172645463325252U;
  const auto next = [&random] {
    random ^= random << 13;
    random ^= random >> 7;
    return random ^= random << 17;
  };
  std::int64_t last = -1;
  std::int64_t now = 0;
  std::vector<std::uint64_t> ids;
  std::size_t ran = 0;
  std::size_t added = 0;
  for (int round = 0; round < 20'000; ++round) {
    if (heap.size() < 900) {
      const auto due = now + static_cast<std::int64_t>(next() % 100);
      ids.push_back(heap.add(due, [&, due] {
        EXPECT_GE(due, last);
        last = due;
        ++ran;
      }));
      ++added;
    }
    if (next() % 3 == 0) {
      const std::size_t before = heap.size();
      heap.remove(ids[next() % ids.size()]);
      added -= before - heap.size();
    }
    if (next() % 4 == 0) {
      last = -1;
      heap.run_due(++now);
    }
  }
  last = -1;
  heap.run_due(now + 1'000);
  EXPECT_TRUE(heap.empty());
  EXPECT_EQ(ran, added);
}

TEST(Loop, TimersRunNotBeforeTheirTimeAndCancelledOnesNever) {
  Loop loop;
  bool cancelled_ran = false;
  MonoNanos ran_at{};
  const MonoNanos start = loop.now();
  loop.after(3'000'000, [&] { ran_at = loop.now(); });
  loop.cancel(loop.after(1'000'000, [&] { cancelled_ran = true; }));
  ASSERT_TRUE(run_until(loop, [&] { return ran_at.ns != 0; }));
  EXPECT_GE(ran_at.ns - start.ns, 3'000'000);
  EXPECT_FALSE(cancelled_ran);
}

TEST(Loop, PollOnceDoesNotWaitForATimer) {
  Loop loop;
  loop.after(3'600'000'000'000, [] {});
  const MonoNanos start = loop.now();
  for (int i = 0; i < 10; ++i)
    loop.poll_once();
  EXPECT_LT(loop.now().ns - start.ns, 5'000'000'000);
}

TEST(Loop, ServiceWaitsAndReturnsAtItsTimeout) {
  Loop loop;
  loop.poll_once();
  const MonoNanos start = loop.now();
  loop.service(20);
  const std::int64_t waited_ns = loop.now().ns - start.ns;
  EXPECT_GE(waited_ns, 10'000'000);
  EXPECT_LT(waited_ns, 20'000'000'000);
}

TEST(Loop, ServiceReturnsForADueTimer) {
  Loop loop;
  bool ran = false;
  loop.after(5'000'000, [&] { ran = true; });
  const MonoNanos start = loop.now();
  while (!ran)
    loop.service(60'000);
  EXPECT_LT(loop.now().ns - start.ns, 30'000'000'000);
}

// The loop may be pushed off its core at any moment, also between setting its alarm and waiting for
// it: a wait that begins after the alarm must end all the same. A signal does the pushing here:
// once in each round, at another microsecond of it.
TEST(Loop, ServiceReturnsAlsoWhenItIsHeldUpBeforeItWaits) {
  struct sigaction hold {};
  hold.sa_handler = [](int) {
    const timespec longer_than_the_timer{0, 3'000'000};
    ::nanosleep(&longer_than_the_timer, nullptr);
  };
  struct sigaction before {};
  ASSERT_EQ(::sigaction(SIGALRM, &hold, &before), 0);
  Loop loop;
  loop.poll_once();
  std::int64_t longest = 0;
  for (int i = 0; i < 300 && longest < 20'000'000'000; ++i) {
    bool ran = false;
    loop.after(1'100'000, [&] { ran = true; });
    const MonoNanos start = loop.now();
    const itimerval soon{{0, 0}, {0, 1 + i % 50}};
    ASSERT_EQ(::setitimer(ITIMER_REAL, &soon, nullptr), 0);
    while (!ran)
      loop.service(60'000);
    longest = std::max(longest, loop.now().ns - start.ns);
  }
  EXPECT_LT(longest, 20'000'000'000) << "a wait without its alarm lasts half a minute";
  ASSERT_EQ(::sigaction(SIGALRM, &before, nullptr), 0);
}

TEST(Loop, WakeFromAnotherThreadEndsService) {
  Loop loop;
  loop.poll_once();
  std::atomic<bool> returned{false};
  std::thread waker([&] {
    // relaxed: only ends the loop of this thread; join() orders everything else.
    while (!returned.load(std::memory_order_relaxed)) {
      loop.wake();
      std::this_thread::yield();
    }
  });
  const MonoNanos start = loop.now();
  loop.service(60'000);
  returned.store(true, std::memory_order_relaxed);
  waker.join();
  EXPECT_LT(loop.now().ns - start.ns, 30'000'000'000);
}

TEST(Loop, WakeBeforeServiceIsNotLost) {
  Loop loop;
  loop.poll_once();
  loop.wake();
  const MonoNanos start = loop.now();
  loop.service(60'000);
  EXPECT_LT(loop.now().ns - start.ns, 30'000'000'000);
}

TEST(Listener, PortInUseIsAResourceErrorThatNamesPortAndRemedy) {
  Loop loop;
  const HttpServer first(loop, {}, {});
  const std::string port = std::to_string(first.port());
  ServerOptions options;
  options.port = first.port();
  try {
    const HttpServer second(loop, options, {});
    FAIL() << "the second listener was not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kResource);
    EXPECT_NE(std::string(error.what()).find("127.0.0.1:" + port), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("choose another port"), std::string::npos);
  }
}

TEST(Listener, AddressThatIsNoneIsRefusedWithARemedy) {
  Loop loop;
  ServerOptions options;
  options.bind = "localhost.invalid";
  EXPECT_THROW(HttpServer(loop, options, {}), Error);
}

TEST(Backoff, DoublesUpToTheLongestWaitWithTheLastHalfRandom) {
  Backoff backoff({.first_ns = 100, .max_ns = 1'000}, 7);
  std::int64_t expected = 100;
  for (int i = 0; i < 100; ++i) {
    const std::int64_t wait = backoff.next_wait_ns();
    EXPECT_GE(wait, expected - expected / 2);
    EXPECT_LE(wait, expected);
    expected = std::min<std::int64_t>(expected * 2, 1'000);
  }
  EXPECT_EQ(backoff.failures(), 100U);
  backoff.succeeded();
  EXPECT_LE(backoff.next_wait_ns(), 100);
}

TEST(Backoff, BudgetOfFailuresIsSpentAndRefilledBySuccess) {
  Backoff backoff({.first_ns = 1, .max_ns = 1, .max_failures = 2}, 1);
  EXPECT_FALSE(backoff.spent());
  (void)backoff.next_wait_ns();
  EXPECT_FALSE(backoff.spent());
  (void)backoff.next_wait_ns();
  EXPECT_TRUE(backoff.spent());
  backoff.succeeded();
  EXPECT_FALSE(backoff.spent());
}

TEST(ByteQueue, GivesBytesBackInOrderThroughGrowthAndClosingUp) {
  ByteQueue queue;
  std::uint8_t next_in = 0;
  std::uint8_t next_out = 0;
  for (int round = 0; round < 2'000; ++round) {
    std::string chunk;
    for (int i = 0; i < (round * 37) % 900; ++i)
      chunk.push_back(static_cast<char>(next_in++));
    queue.append(chunk);
    const std::string_view front = queue.front(450 + static_cast<std::size_t>(round % 7));
    for (const char c : front)
      ASSERT_EQ(static_cast<std::uint8_t>(c), next_out++);
    queue.consume(front.size());
  }
  while (!queue.empty()) {
    for (const char c : queue.front(100))
      ASSERT_EQ(static_cast<std::uint8_t>(c), next_out++);
    queue.consume(queue.front(100).size());
  }
  EXPECT_EQ(next_in, next_out);
}

}  // namespace
}  // namespace sluice::net
