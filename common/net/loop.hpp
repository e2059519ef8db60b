// loop.hpp — one event loop over libwebsockets: sockets, timers, wake-up.
//
// Every client and server of this library belongs to one Loop and lives shorter than it.
// Invariants:
//  1. One thread: the thread that calls poll_once()/service() is the only one that may touch the
//     Loop or anything built on it; wake() is the exception.
//  2. Callbacks run inside poll_once()/service() only, never inside the call that asked for them.
//  3. poll_once() never blocks. service() blocks until an event, the next timer, a wake() or its
//     time-out, whatever comes first.
//  4. Socket callbacks must not throw: they run inside a C library (an exception ends the process).
//  5. The number of timers is bounded; all their memory is taken at construction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "common/base/time.hpp"
#include "common/base/tsc.hpp"

struct lws_context;

namespace sluice::net {

using TimerId = std::uint64_t;
inline constexpr TimerId kNoTimer = 0;

struct LoopOptions {
  std::size_t max_timers{65'536};  // after() past it is a bug of the caller: an assertion
  std::size_t max_sockets{1'024};  // upper bound of descriptors this loop serves
};

class Loop {
 public:
  // `clock` is the calibration all stamps of this loop are taken with: the instance's own in a
  // stage, the default (clock_gettime) where nobody compares stamps between processes.
  // Throws Error(kResource) when libwebsockets cannot start.
  explicit Loop(const ClockCalibration& clock = {}, const LoopOptions& options = {});
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Runs what is due and ready, returns at once. One call = one poll of all sockets.
  void poll_once();

  // As poll_once(), but waits up to `timeout_ms` (0 … 60,000) for something to happen.
  void service(int timeout_ms);

  // Ends the current or, when none is waiting, the next service(). Any thread, no signal handler.
  void wake() noexcept;

  // Runs `fn` once, `delay_ns` from now (at the next turn for <= 0), in due order; equal due times
  // in the order of the calls. The id is never kNoTimer and is not reused for 2^32 timers.
  TimerId after(std::int64_t delay_ns, std::function<void()> fn);

  // Forgets a timer. An id that has run, was cancelled or is kNoTimer is ignored.
  void cancel(TimerId id) noexcept;

  [[nodiscard]] MonoNanos now() const noexcept { return mono_now(clock_); }
  [[nodiscard]] const ClockCalibration& clock() const noexcept { return clock_; }

  // For the rest of this folder only.
  [[nodiscard]] lws_context* context() const noexcept;

 private:
  struct Impl;
  ClockCalibration clock_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::net
